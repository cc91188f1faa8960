"""The commits of a main line, with the files that each of them changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinsync.repository import Repository
from support.histories import commit, run

NAMES = ["*.yaml"]
A, B = "pins/a.yaml", "pins/b.yaml"


def walk() -> list[tuple[str, dict[str, bool]]]:
    """Return the subject of each commit, and its files: whether the parent has them."""
    repository = Repository.discover(Path.cwd())
    assert repository is not None
    tip = run("rev-parse", "HEAD")
    found = list(repository.walk_changes(tip, NAMES))
    assert [each.commit for each in found] == list(repository.walk_main_line(tip, NAMES))
    for each in found:
        for file in each.files:
            if file.old:
                full = run("rev-parse", f"{each.commit.hash}^:{file.path}")
                assert run("rev-parse", file.old) == full
    return [
        (each.commit.subject, {file.path: file.old is not None for file in each.files})
        for each in found
    ]


@pytest.mark.usefixtures("repository")
def test_each_commit_has_its_files() -> None:
    commit("Begin", {A: "1\n", "note.txt": "1\n"}, at=1)
    commit("Note", {"note.txt": "2\n"}, at=2)
    commit(": an odd subject", {A: "2\n", B: "2\n", "pins/ä.yaml": "1\n"}, at=3)
    commit("Rename", {B: None, "pins/c.yaml": "2\n"}, at=4)
    commit("", {A: None}, at=5)
    assert walk() == [
        ("", {A: True}),
        ("Rename", {B: True, "pins/c.yaml": False}),
        (": an odd subject", {A: True, B: False, "pins/ä.yaml": False}),
        ("Begin", {A: False}),
    ]
    for name, value in (("log.showRoot", "false"), ("diff.renames", "copies")):
        run("config", name, value)
    assert len(walk()[-1][1]) == 1


@pytest.mark.usefixtures("repository")
def test_a_merge_is_compared_with_its_first_parent() -> None:
    commit("Begin", {A: "1\n"}, at=1)
    run("switch", "--quiet", "--create", "side")
    commit("Aside", {B: "1\n"}, at=2)
    run("switch", "--quiet", "main")
    commit("Meanwhile", {A: "2\n"}, at=3)
    run("merge", "--quiet", "--no-ff", "-m", "Merge", "side")
    assert walk() == [
        ("Merge", {B: False}),
        ("Meanwhile", {A: True}),
        ("Begin", {A: False}),
    ]


@pytest.mark.usefixtures("repository")
def test_a_link_is_no_plain_file() -> None:
    commit("Begin", {A: "1\n"}, at=1)
    Path(A).unlink()
    Path(A).symlink_to("elsewhere")
    commit("Link", at=2)
    repository = Repository.discover(Path.cwd())
    assert repository is not None
    newest, oldest = repository.walk_changes(run("rev-parse", "HEAD"), NAMES)
    assert [newest.files[0].is_plain, oldest.files[0].is_plain] == [False, True]


@pytest.mark.usefixtures("repository")
def test_without_such_a_file_there_is_no_commit() -> None:
    commit("Note", {"note.txt": "1\n"}, at=1)
    assert walk() == []
