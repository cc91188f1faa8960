"""References of a real remote: read, and moved with a lease."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinsync.errors import RepositoryError, SafetyError
from pinsync.repository import Repository
from support.exporting import put
from support.histories import commit, run

REFERENCE = "refs/pinsync/agreed/1-2"

pytestmark = pytest.mark.usefixtures("repository")


def open_repository() -> Repository:
    found = Repository.discover(Path.cwd())
    assert found
    return found


@pytest.fixture
def remote(repository: Path) -> Path:
    """A bare remote without a commit."""
    folder = repository.parent / "remote.git"
    run("init", "--quiet", "--bare", str(folder))
    run("remote", "add", "origin", str(folder))
    return folder


def read(remote: Path, name: str = REFERENCE) -> str:
    return run("--git-dir", str(remote), "for-each-ref", "--format=%(objectname)", name)


def test_a_repository_has_an_origin_or_not(tmp_path: Path) -> None:
    assert not open_repository().has_origin()
    run("remote", "add", "original", str(tmp_path))
    assert not open_repository().has_origin()
    run("remote", "add", "origin", str(tmp_path))
    assert open_repository().has_origin()


def test_a_reference_of_the_remote_is_read_by_its_whole_name(remote: Path) -> None:
    repository = open_repository()
    assert repository.read_remote_reference(REFERENCE) is None
    first, second = commit("One"), commit("Two")
    run("push", "--quiet", "origin", f"{first}:refs/deep/{REFERENCE}")
    assert repository.read_remote_reference(REFERENCE) is None
    run("push", "--quiet", "origin", f"{second}:{REFERENCE}")
    assert repository.read_remote_reference(REFERENCE) == second
    assert read(remote) == second


def test_a_reference_moves_if_nobody_else_has_moved_it(remote: Path) -> None:
    repository = open_repository()
    first, second, third = (commit(subject) for subject in ("One", "Two", "Three"))
    repository.push_reference(REFERENCE, first, None)
    assert read(remote) == first
    with pytest.raises(SafetyError, match=f"{REFERENCE} can't be pushed to origin: ") as caught:
        repository.push_reference(REFERENCE, second, None)
    assert caught.value.hint
    assert "git fetch origin '+refs/pinsync/*:refs/pinsync/*'" in caught.value.hint
    repository.push_reference(REFERENCE, second, first)
    with pytest.raises(SafetyError):
        repository.push_reference(REFERENCE, third, first)
    # A record that begins anew need not contain the old one.
    other = run("commit-tree", "-m", "x", "HEAD^{tree}")
    repository.push_reference(REFERENCE, other, second)
    assert read(remote) == other


def test_the_hook_before_a_push_is_not_run(remote: Path) -> None:
    hook = put(Path(".git/hooks/pre-push"), "#!/bin/sh\nexit 1\n")
    hook.chmod(0o700)
    first = commit("One")
    open_repository().push_reference(REFERENCE, first, None)
    assert read(remote) == first


def test_a_remote_that_refuses(remote: Path) -> None:
    hook = put(remote / "hooks" / "pre-receive", "#!/bin/sh\necho no entry >&2\nexit 1\n")
    hook.chmod(0o700)
    with pytest.raises(SafetyError):
        open_repository().push_reference(REFERENCE, commit("One"), None)


@pytest.mark.usefixtures("remote")
def test_a_remote_that_is_gone(tmp_path: Path) -> None:
    run("remote", "set-url", "origin", str(tmp_path / "nowhere"))
    first = commit("One")
    with pytest.raises(RepositoryError, match="the remote origin can't be read") as caught:
        open_repository().read_remote_reference(REFERENCE)
    assert caught.value.hint
    with pytest.raises(SafetyError):
        open_repository().push_reference(REFERENCE, first, None)


# The main line, which is the first-parent line.


def test_a_commit_of_the_main_line() -> None:
    one, two, three = (commit(subject) for subject in ("One", "Two", "Three"))
    repository = open_repository()
    for commit_ in (one, two, three):
        assert repository.is_on_main_line(three, commit_)
    assert not repository.is_on_main_line(two, three)
    assert not repository.is_on_main_line(three, "0" * 40)


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_merged_commit_is_not_on_the_main_line(goes_on: bool) -> None:
    one = commit("One")
    run("switch", "--quiet", "--create", "side")
    side = commit("Side", {"side": "1"})
    run("switch", "--quiet", "main")
    two = commit("Two", {"main": "1"})
    run("merge", "--quiet", "--no-ff", "-m", "Merge", "side")
    tip = commit("Three") if goes_on else run("rev-parse", "HEAD")
    repository = open_repository()
    assert not repository.is_on_main_line(tip, side)
    assert repository.is_on_main_line(tip, two)
    assert repository.is_on_main_line(tip, one)


def test_a_merge_into_a_branch_that_was_behind() -> None:
    one = commit("One")
    run("switch", "--quiet", "--create", "side")
    side = commit("Side")
    run("switch", "--quiet", "main")
    run("merge", "--quiet", "--no-ff", "-m", "Merge", "side")
    repository, tip = open_repository(), run("rev-parse", "HEAD")
    assert not repository.is_on_main_line(tip, side)
    assert repository.is_on_main_line(tip, one)
