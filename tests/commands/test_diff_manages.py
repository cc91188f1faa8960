"""A diff of the rules that ``manages`` names, and of ``manages`` itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.diffing import diffed
from support.exporting import (
    BASKET_TEXT,
    EVERYONE,
    HOME,
    HOME_TEXT,
    STRINGS,
    document,
    edited,
    put,
    repinned,
    rule,
)

if TYPE_CHECKING:
    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git


REMARK = "both sides are read with the former"


def manage(manages: str | None) -> None:
    """Write the configuration of a tracker that manages these rules."""
    setting = "" if manages is None else f", manages: {manages}"
    put(Path("pinsync.yaml"), f"trackers: {{shop: {{tracker_id: 1234-5678{setting}}}}}\n")


def commit(git: Git) -> None:
    git("add", "--all")
    git("commit", "--quiet", "--message", "Change")


@pytest.fixture
def managed(exported: Path, git: Git) -> Path:
    """A committed export of the whole shop, of which the rule for Christmas is managed since."""
    manage("{tags: [christmas]}")
    commit(git)
    return exported


def count_unchanged(pinsync: CommandLine, *arguments: str) -> int:
    unchanged: int = diffed(pinsync, *arguments).record["trackers"][0]["summary"]["unchanged"]
    return unchanged


SIDES = [("HEAD", "@live"), ("@live", "HEAD"), ("@worktree", "@live"), ("@live", "@index")]


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.usefixtures("managed")
def test_only_managed_rules_are_compared(
    sides: tuple[str, str], api: Sandbox, pinsync: CommandLine
) -> None:
    repinned(api, HOME)
    api.delete(EVERYONE)
    api.create(rule(5))
    assert count_unchanged(pinsync, *sides) == 1
    assert diffed(pinsync, *sides).told == []
    repinned(api, STRINGS)
    api.create(rule(6, tags=["x", "christmas"]))
    report = diffed(pinsync, *sides)
    added = "removed" if sides[0] == "@live" else "added"
    assert report.told == ["changed basket /p/123/", f"{added} basket /p/6/"]
    assert [dict(request.query) for request in api.requests[1:]] == [{}] * 3


@pytest.mark.parametrize("name", ["markdown", "patch", "github"])
@pytest.mark.usefixtures("managed")
def test_a_report_says_nothing_of_the_others(name: str, api: Sandbox, pinsync: CommandLine) -> None:
    repinned(api, HOME)
    assert "/p/1/" not in pinsync("diff", "--format", name).out
    repinned(api, STRINGS)
    result = pinsync("diff", "--format", name)
    assert (result.code, "home" in result.out) == (1, False)


@pytest.mark.parametrize("manages", ["{tags: [nobodys]}", "{models: [detail]}"])
@pytest.mark.usefixtures("managed")
def test_a_shop_without_managed_rules_is_in_sync(
    manages: str, api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    manage(manages)
    commit(git)
    repinned(api, HOME)
    assert (diffed(pinsync).told, count_unchanged(pinsync)) == ([], 0)
    assert pinsync("export").code == 0
    assert git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("manages", "told", "unchanged"),
    [
        ("{models: [basket]}", ["changed basket all"], 1),
        ("{models: [home]}", [], 1),
        ("{tags: [christmas, summer]}", [], 2),
        ("{tags: [christmas], models: [basket]}", [], 1),
    ],
)
@pytest.mark.usefixtures("api")
def test_files_are_compared_by_what_is_managed_too(
    manages: str,
    told: list[str],
    unchanged: int,
    managed: Path,
    pinsync: CommandLine,
    git: Git,
) -> None:
    """Equal blocks aren't read where the model alone decides."""
    manage(manages)
    put(document(), BASKET_TEXT.replace("/p/9/", "/p/8/"))
    git("add", "pinsync.yaml")
    git("commit", "--quiet", "--message", "Manage others")
    report = diffed(pinsync, "HEAD", "@worktree")
    assert (report.told, count_unchanged(pinsync, "HEAD", "@worktree")) == (told, unchanged)
    assert managed.is_dir()


@pytest.mark.usefixtures("exported")
def test_equal_blocks_are_read_where_tags_decide(pinsync: CommandLine, git: Git) -> None:
    manage("{tags: [christmas, summer]}")
    commit(git)
    put(document("home"), HOME_TEXT.replace("target_type: item", "target_type:   item"))
    assert count_unchanged(pinsync, "HEAD", "@worktree") == 2


@pytest.mark.usefixtures("managed")
def test_a_branch_can_not_hide_its_changes(api: Sandbox, pinsync: CommandLine, git: Git) -> None:
    manage(None)
    commit(git)
    git("switch", "--quiet", "--create", "branch")
    manage("{tags: [nobodys]}")
    put(document("home"), HOME_TEXT.replace("/p/2/", "/p/3/"))
    commit(git)
    report = diffed(pinsync, "main...branch")
    assert report.told == ["changed home /p/1/"]
    change = 'trackers.shop.manages.tags: any → ["nobodys"]'
    assert report.notes == [f"the configuration itself differs: {change}; {REMARK}"]
    # The other way round, the rule isn't main's business.
    assert diffed(pinsync, "branch", "main").told == []
    repinned(api, HOME)
    assert diffed(pinsync, "main", "@live").told == ["changed home /p/1/"]


@pytest.mark.usefixtures("api")
def test_a_change_of_what_is_managed_is_named_and_removes_nothing(
    managed: Path, pinsync: CommandLine, git: Git
) -> None:
    manage("{tags: [christmas, summer], models: [basket, home]}")
    commit(git)
    manage('{tags: ["a, b"], models: [home]}')
    commit(git)
    report = diffed(pinsync, "HEAD~1", "HEAD")
    assert (report.code, report.told, count_unchanged(pinsync, "HEAD~1", "HEAD")) == (0, [], 2)
    changes = ['tags: ["christmas", "summer"] → ["a, b"]', 'models: ["basket", "home"] → ["home"]']
    start = "the configuration itself differs: trackers.shop.manages."
    assert report.notes == [f"{start}{change}; {REMARK}" for change in changes]
    assert managed.is_dir()


@pytest.mark.usefixtures("api")
def test_all_rules_of_a_tracker_that_is_new_are_reported(
    exported: Path, pinsync: CommandLine, git: Git
) -> None:
    """The branch that adds the tracker says what it manages, and could hide rules so."""
    commit_two = (
        "trackers:\n  sk: {tracker_id: 1234-5678}\n"
        "  cz: {tracker_id: 8765-4321, manages: {tags: [nobodys]}}\n"
    )
    put(exported / "pinsync.yaml", "trackers: {sk: {tracker_id: 1234-5678}}\n")
    commit(git)
    put(exported / "pinsync.yaml", commit_two)
    put(document("home", "customizations/cz"), HOME_TEXT)
    commit(git)
    found = diffed(pinsync, "HEAD~1", "HEAD", "--tracker", "cz")
    assert found.told == ["added home /p/1/"]


@pytest.mark.usefixtures("managed")
def test_a_saved_export_is_compared_by_what_the_tracker_manages(
    api: Sandbox, pinsync: CommandLine
) -> None:
    put(Path("saved.json"), '{"results": []}')
    assert diffed(pinsync, "@worktree", "saved.json").told == ["removed basket /p/123/"]
    assert diffed(pinsync, "saved.json", "@worktree").told == ["added basket /p/123/"]
    edited(api, STRINGS, tags=[])
    assert diffed(pinsync, "saved.json", "@live").told == []


@pytest.mark.usefixtures("managed")
def test_history_and_blame_show_every_rule(api: Sandbox, pinsync: CommandLine, git: Git) -> None:
    put(document("home"), HOME_TEXT.replace("/p/2/", "/p/3/"))
    commit(git)
    assert "/p/3/" in pinsync("history").out
    assert "/p/3/" in pinsync("blame", "home").out
    assert "/p/3/" in pinsync("show", "home").out
    assert len(api.requests) == 1
