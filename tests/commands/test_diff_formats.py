"""Every format of the drift report for every kind of sides, through the real command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import pytest

from pinsync.reports import DRIFT_FORMATS
from pinsync.sandbox import Sandbox, parse_fault
from support.diffing import checked
from support.exporting import STRINGS, document, put, repinned

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.command_line import CommandLine, Git

SIDES: Final[dict[str, tuple[str, ...]]] = {
    "git and the shop": (),
    "the shop and git": ("@live", "HEAD"),
    "files and the shop": ("@worktree", "@live"),
    "the shop and files": ("@live", "@worktree"),
    "the index and the shop": ("@index", "@live"),
    "git and an export": ("HEAD", "shop.json"),
    "an export and git": ("shop.json", "HEAD"),
    "two exports": ("empty.json", "shop.json"),
    "an export and the shop": ("old.json", "@live"),
    "two commits": ("HEAD~1..HEAD",),
    "a branch": ("main...work",),
    "a commit and files": ("HEAD~1", "@worktree"),
}
DRIFTING: Final = SIDES.keys() - {"files and the shop", "the shop and files"}
"""The sides that differ; the files are the shop's."""

READERS: Final[dict[str, Callable[[str], object]]] = {
    "json": checked,
    "gitlab": json.loads,
    "sarif": json.loads,
    "junit": ET.fromstring,
}


@pytest.fixture
def everywhere(api: Sandbox, exported: Path, pinsync: CommandLine, git: Git) -> Path:
    """A shop, files that are equal to it, a commit that isn't, a branch, and three exports."""
    rows = api.customizations()
    put(Path("empty.json"), json.dumps({"results": rows[:1]}))
    put(Path("old.json"), json.dumps({"results": rows}))
    git("commit", "--quiet", "--allow-empty", "-m", "Nothing")
    git("checkout", "--quiet", "-b", "work")
    document().write_text(document().read_text().replace("/p/235/", "/p/7/"))
    git("commit", "--quiet", "-am", "Pin something else")
    repinned(api, STRINGS)
    put(Path("shop.json"), json.dumps({"results": api.customizations()}))
    assert pinsync("export", "-q").code == 0
    return exported


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("sides", SIDES)
def test_every_format_of_every_kind_of_sides(sides: str, pinsync: CommandLine) -> None:
    expected = int(sides in DRIFTING)
    for format_ in DRIFT_FORMATS:
        result = pinsync("diff", *SIDES[sides], "--format", format_)
        assert result.code == expected, (format_, result.err)
        if format_ in READERS:
            READERS[format_](result.out)
        # A patch of two sides that are equal is empty, and so are annotations.
        assert result.out or not expected
    record = checked(pinsync("diff", *SIDES[sides], "--json").out)
    movers = {change["moved"] for tracker in record["trackers"] for change in tracker["changes"]}
    has_shop = sides not in ("two exports", "an export and the shop", "two commits", "a branch")
    has_mover = has_shop and sides != "a commit and files"
    assert (None not in movers) == (has_mover or not movers)


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("sides", ["git and the shop", "the shop and files"])
def test_every_format_of_an_answer_that_is_missing(
    sides: str, api: Sandbox, pinsync: CommandLine
) -> None:
    for format_ in DRIFT_FORMATS:
        api.fail(parse_fault("401"))
        result = pinsync("diff", *SIDES[sides], "--format", format_)
        assert result.code == 3, (format_, result.err)
        if format_ in READERS:
            READERS[format_](result.out)
