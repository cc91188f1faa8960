"""Titles from ``items.json`` in the reports for people: of the right side, and never an obstacle."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinsync.items.file import render_items
from pinsync.items.record import Item
from support.exporting import HOME, STRINGS, put, repinned, rows

if TYPE_CHECKING:
    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git

FILE = Path("customizations/items.json")
DAMAGED = "<<<<<<< HEAD\n"
NEWER = '{"format": 2, "items": {"/p/2/": "Two"}}\n'


def title(name: str, *, commit: Git | None = None) -> None:
    """Write a file with the titles of two items, and commit it."""
    put(FILE, render_items({"/p/2/": Item(f"Two {name}"), "/p/1/": Item(f"One {name}")}))
    if commit:
        commit("add", str(FILE))
        commit("commit", "-qm", f"Titles {name}")


@pytest.fixture
def drifted(exported: Path, api: Sandbox) -> Path:
    """A repository whose shop has moved the pin of /p/2/; the current folder."""
    repinned(api, HOME)
    return exported


@pytest.mark.usefixtures("drifted")
def test_diff_takes_the_titles_of_the_committed_side(pinsync: CommandLine, git: Git) -> None:
    title("committed", commit=git)
    title("on disk")
    for arguments in ((), ("@live", "HEAD")):
        out = pinsync("diff", *arguments).out
        assert "“Two committed”" in out
        assert "One committed" in out
        assert "on disk" not in out


@pytest.mark.usefixtures("drifted")
def test_diff_takes_the_titles_of_the_working_tree_if_no_side_has_any(
    pinsync: CommandLine, api: Sandbox
) -> None:
    title("on disk")
    assert "“Two on disk”" in pinsync("diff").out
    live = put(Path("live.json"), json.dumps({"results": rows()}))
    assert "“Two on disk”" in pinsync("diff", str(live), "@live").out
    assert len(api.requests) > 1


@pytest.mark.usefixtures("drifted")
def test_diff_of_two_revisions_takes_the_titles_of_the_newer_one(
    pinsync: CommandLine, git: Git
) -> None:
    title("old", commit=git)
    assert pinsync("export", "--commit").code == 0
    title("new", commit=git)
    assert "“Two new”" in pinsync("diff", "HEAD~2", "HEAD").out
    assert "“Two old”" in pinsync("diff", "HEAD~3", "HEAD~1").out
    # The newer side has none.
    git("rm", "-q", str(FILE))
    git("commit", "-qm", "No titles")
    assert "“Two old”" in pinsync("diff", "HEAD~3", "HEAD").out
    title("on disk")
    git("add", str(FILE))
    title("not staged")
    assert "“Two on disk”" in pinsync("diff", "HEAD~3", "@index").out
    assert "“Two not staged”" in pinsync("diff", "HEAD~3", "@worktree").out
    assert "Two" not in pinsync("diff", "HEAD~4", "HEAD").out


@pytest.mark.usefixtures("drifted")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (DAMAGED, ":1: a merge conflict is left unresolved"),
        (NEWER, ":1: format: expected 1, got 2"),
    ],
)
def test_a_damaged_file_is_worth_a_note(
    text: str, reason: str, pinsync: CommandLine, git: Git
) -> None:
    put(FILE, text)
    git("add", str(FILE))
    git("commit", "-qm", "Damage")
    note = f"the titles of items are missing: HEAD:{FILE}{reason}"
    result = pinsync("diff")
    assert result.code == 1
    assert note in result.out
    assert "/p/2/" in result.out
    report = json.loads(pinsync("diff", "--json").out)
    assert any(note in text for text in report["trackers"][0]["notes"])
    for command in ("show home --rev HEAD", "blame home", "history"):
        result = pinsync(*command.split())
        assert result.code == 0, command
        assert f"warning: {note}\n" in result.err, command
        assert "/p/2/" in result.out


@pytest.mark.usefixtures("exported")
def test_a_report_without_a_change_reads_no_titles(pinsync: CommandLine) -> None:
    put(FILE, DAMAGED)
    result = pinsync("diff", "@worktree", "@live")
    assert (result.code, "titles" in result.out + result.err) == (0, False)


@pytest.mark.usefixtures("exported")
def test_a_title_of_the_file_comes_before_that_of_a_rule(
    pinsync: CommandLine, api: Sandbox
) -> None:
    row = api.get(HOME)
    row["pin_definitions"][0]["pin_identity"] = "/p/123/"
    api.replace(row)
    repinned(api, STRINGS)
    assert "“Strings: 9-42 #1”" in pinsync("diff").out
    put(FILE, render_items({"/p/123/": Item("Renamed strings"), "/p/1/": Item(), "/p/2/": None}))
    out = pinsync("diff").out
    assert "“Renamed strings”" in out
    assert not re.search(r"#\d “Strings", out)
    # A rule keeps the title that somebody gave to it.
    assert "Strings: 9-42 #1" in out


@pytest.mark.usefixtures("exported")
def test_show_takes_the_titles_of_its_source(pinsync: CommandLine, git: Git) -> None:
    title("committed", commit=git)
    title("staged")
    git("add", str(FILE))
    title("on disk")
    for source, name in (("HEAD", "committed"), ("@index", "staged"), ("@worktree", "on disk")):
        out = pinsync("show", "home", "--rev", source).out
        assert f"Two {name}" in out
        assert f"One {name}" in out
    record = json.loads(pinsync("show", "home", "--json").out)
    assert "Two on disk" in json.dumps(record)
    assert "Two" not in pinsync("show", "home", "--rev", "HEAD~1").out


@pytest.mark.usefixtures("exported")
def test_blame_and_history_take_the_titles_of_their_revision(
    pinsync: CommandLine, git: Git
) -> None:
    title("first", commit=git)
    title("second", commit=git)
    for command in ("blame home", "history"):
        words = command.split()
        assert "Two second" in pinsync(*words).out
        assert "One second" in pinsync(*words).out
        assert "Two first" in pinsync(*words, "--rev", "HEAD~1").out
        assert "Two" not in pinsync(*words, "--rev", "HEAD~2").out


@pytest.mark.usefixtures("drifted")
def test_a_hostile_title_is_harmless(pinsync: CommandLine) -> None:
    evil = "x\x1b[31m\n##[error]\u202e::warning::"
    put(FILE, render_items({"/p/2/": Item(evil), "/p/1/": Item(evil)}))
    for command in ("diff", "diff --format markdown", "diff --format github", "show home"):
        out = pinsync(*command.split()).out
        assert "x" in out
        assert "\x1b" not in out, command
        assert "\u202e" not in out, command
        assert "##[error]" not in out, command


TRACKERS = """\
trackers:
  cz:
    tracker_id: 1234-5678
    private_key_env: PINSYNC_PRIVATE_KEY
  de:
    tracker_id: 5-6
    private_key_env: PINSYNC_PRIVATE_KEY
"""


@pytest.mark.usefixtures("exported")
def test_each_tracker_has_its_own_titles(pinsync: CommandLine, git: Git) -> None:
    put(Path("pinsync.yaml"), TRACKERS)
    for name in ("cz", "de"):
        folder = Path("customizations", name)
        home = Path("customizations/home.yaml").read_text(encoding="utf-8")
        put(folder / "home.yaml", home)
        put(folder / "items.json", render_items({"/p/2/": Item(f"Two of {name}")}))
    git("rm", "-qr", "--cached", "customizations")
    for old in ("home.yaml", "basket.yaml"):
        Path("customizations", old).unlink()
    git("add", ".")
    git("commit", "-qm", "Trackers")
    for command in ("show home", "blame home", "history"):
        out = pinsync(*command.split()).out
        assert "Two of cz" in out, command
        assert "Two of de" in out, command
