"""``export --branch`` under a filter: what the branch proposes beyond it stays proposed, as long as
it can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pinsync.model import Customization, Target
from pinsync.sync.proposal import OpenProposal, find_open_proposal
from support.exporting import (
    EVERYONE,
    HOME,
    STRINGS,
    document,
    edited,
    put,
    repinned,
    rule,
    untouched,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git


def changed(git: Git) -> list[str]:
    return git("diff", "--name-only", "HEAD", "pins").splitlines()


def lines(git: Git) -> list[str]:
    """Return the lines that the branch adds and removes."""
    diff = git("diff", "--unified=0", "HEAD", "pins").splitlines()
    return [line for line in diff if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def test_what_is_proposed_of_other_ids_stays(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, STRINGS)
    pinsync("export", "--branch", "pins")
    repinned(api, HOME)
    repinned(api, STRINGS, 8)
    assert pinsync("export", "--branch", "pins", "--id", HOME[:5]).code == 0
    assert "position: 7" in git("show", "pins:customizations/basket.yaml")
    assert "position: 7" in git("show", "pins:customizations/home.yaml")
    repinned(api, STRINGS, 1)
    assert pinsync("export", "--branch", "pins", "--id", STRINGS[:5]).code == 0
    assert changed(git) == ["customizations/home.yaml"]
    assert exported.is_dir()


def test_what_is_proposed_of_another_model_stays(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, STRINGS)
    with untouched(exported / "customizations"):
        pinsync("export", "--branch", "pins")
        first = git("rev-parse", "pins")
        result = pinsync("export", "--branch", "pins", "--model", "home")
        assert (result.code, f"pins: has already {first[:12]}\n" in result.err) == (0, True)
        repinned(api, HOME)
        repinned(api, STRINGS, 8)
        assert "pins: replaced by" in pinsync("export", "--branch", "pins", "--model", "home").err
    assert changed(git) == ["customizations/basket.yaml", "customizations/home.yaml"]
    assert "position: 7" in git("show", "pins:customizations/basket.yaml")
    assert "position: 7" in git("show", "pins:customizations/home.yaml")
    assert git("log", "-1", "--format=%s", "pins") == "Export pins: 2 changed"
    assert git("rev-parse", "pins^") == git("rev-parse", "HEAD")


@pytest.mark.parametrize(
    "scope", [["--tag", "christmas"], ["--target-identity", "/p/123/"], ["--target-type", "item"]]
)
@pytest.mark.usefixtures("exported")
def test_what_is_proposed_of_other_rules_of_a_file_stays(
    scope: list[str], api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, EVERYONE, -7)
    repinned(api, STRINGS, 7)
    pinsync("export", "--branch", "pins")
    both = git("rev-parse", "pins")
    assert f"pins: has already {both[:12]}" in pinsync("export", "--branch", "pins", *scope).err
    repinned(api, STRINGS, 1)
    repinned(api, EVERYONE, -8)
    result = pinsync("export", "--branch", "pins", *scope)
    assert result.code == 0
    assert lines(git) == ["-      - position: -1", "+      - position: -7"]
    assert git("log", "-1", "--format=%s", "pins") == "Export pins: 1 changed"


@pytest.mark.usefixtures("exported")
def test_added_removed_and_moved_rules_stay_proposed(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    api.create(rule(5, "new"))
    api.delete(HOME)
    edited(api, EVERYONE, model="new")
    pinsync("export", "--branch", "pins")
    tree = git("rev-parse", "pins^{tree}")
    repinned(api, STRINGS)
    pinsync("export", "--branch", "pins", "--tag", "christmas")
    assert git("ls-tree", "--name-only", "pins", "customizations/").splitlines() == [
        "customizations/basket.yaml",
        "customizations/new.yaml",
    ]
    assert git("show", "pins:customizations/new.yaml").count("- id:") == 2
    assert "position: 7" in git("show", "pins:customizations/basket.yaml")
    repinned(api, STRINGS, 1)
    pinsync("export", "--branch", "pins", "--tag", "christmas")
    assert git("rev-parse", "pins^{tree}") == tree


@pytest.mark.usefixtures("exported")
def test_inside_the_scope_live_has_the_word(api: Sandbox, pinsync: CommandLine, git: Git) -> None:
    new = api.create(rule(5, "new", tags=["christmas"]))
    repinned(api, STRINGS)
    repinned(api, HOME)
    pinsync("export", "--branch", "pins")
    api.delete(str(new["id"]))
    repinned(api, STRINGS, 1)
    pinsync("export", "--branch", "pins", "--tag", "christmas")
    assert changed(git) == ["customizations/home.yaml"]


@pytest.mark.usefixtures("exported")
def test_with_nothing_left_in_or_out_of_scope_the_branch_is_deleted(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, STRINGS)
    pinsync("export", "--branch", "pins")
    repinned(api, STRINGS, 1)
    assert "pins: has already" in pinsync("export", "--branch", "pins", "--model", "home").err
    result = pinsync("export", "--branch", "pins", "--model", "basket")
    assert "pins: deleted, since nothing is left to propose\n" in result.err
    assert git("branch", "--list", "pins") == ""


@pytest.mark.usefixtures("exported")
def test_a_proposal_moves_along_with_head(api: Sandbox, pinsync: CommandLine, git: Git) -> None:
    repinned(api, STRINGS)
    pinsync("export", "--branch", "pins")
    document().write_text(
        "# ours\n" + document().read_text().replace("position: -1", "position: -5")
    )
    git("commit", "--quiet", "-am", "Another rule of the file")
    repinned(api, HOME)
    result = pinsync("export", "--branch", "pins", "--model", "home")
    assert "warning" not in result.err
    assert changed(git) == ["customizations/basket.yaml", "customizations/home.yaml"]
    basket = git("show", "pins:customizations/basket.yaml")
    assert basket.startswith("# ours\n")
    assert "position: -5" in basket
    assert "position: 7" in basket


@pytest.mark.usefixtures("exported")
def test_what_head_changed_otherwise_is_not_carried_on_and_a_line_says_so(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, STRINGS)
    repinned(api, EVERYONE, -7)
    repinned(api, HOME)
    pinsync("export", "--branch", "pins")
    text = document().read_text().replace("position: -1", "position: -5")
    document().write_text(text.replace("position: 1\n", "position: 3\n"))
    git("commit", "--quiet", "-am", "Otherwise")
    result = pinsync("export", "--branch", "pins", "--tag", "summer")
    assert result.code == 0
    warnings = [line for line in result.err.splitlines() if line.startswith("warning: ")]
    assert warnings == [
        (
            "warning: default: pins no longer proposes its change of 2 rules, which HEAD has "
            "changed since"
        )
    ]
    assert changed(git) == ["customizations/home.yaml"]
    result = pinsync("export", "--branch", "pins", "--tag", "summer")
    assert "warning" not in result.err


@pytest.mark.parametrize("how", ["--no-ff", "--squash"])
@pytest.mark.usefixtures("exported")
def test_a_merged_proposal_is_neither_repeated_nor_missed(
    how: str, api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, STRINGS)
    pinsync("export", "--branch", "pins")
    git("merge", "--quiet", how, "pins")
    git("commit", "--quiet", "--amend" if how == "--no-ff" else "--message=Squashed", "--no-edit")
    repinned(api, HOME)
    result = pinsync("export", "--branch", "pins", "--model", "home")
    assert "warning" not in result.err
    assert changed(git) == ["customizations/home.yaml"]


@pytest.mark.usefixtures("exported")
def test_a_persons_branch_is_refused_under_a_filter_too(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    git("branch", "pins", git("commit-tree", "-p", "HEAD", "-m", "A person's", "HEAD^{tree}"))
    repinned(api, STRINGS)
    result = pinsync("export", "--branch", "pins", "--model", "basket")
    assert result.code == 4
    assert "holds commits that pinsync didn't make" in result.err


@pytest.mark.usefixtures("exported")
def test_a_rule_by_hand_and_an_empty_document_stay_as_committed(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    put(document("planned"), "format: 1\nmodel: planned\ncustomizations: []\n")
    put(document("hand"), "format: 1\nmodel: hand\ncustomizations:\n  - target_type: all\n")
    git("add", ".")
    git("commit", "--quiet", "-m", "By hand")
    repinned(api, STRINGS)
    pinsync("export", "--branch", "pins", "--model", "basket")
    assert changed(git) == ["customizations/basket.yaml"]
    repinned(api, HOME)
    result = pinsync("export", "--branch", "pins", "--model", "home")
    assert "has no id" not in result.err
    assert changed(git) == ["customizations/basket.yaml", "customizations/home.yaml"]


def test_in_a_shallow_clone_that_lacks_the_proposals_parent_a_line_says_so(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    repinned(api, STRINGS)
    pinsync("export", "--branch", "pins")
    git("commit", "--quiet", "--allow-empty", "-m", "Later")
    git("clone", "--quiet", "--depth=1", "--no-single-branch", exported.as_uri(), "../shallow")
    monkeypatch.chdir(exported.parent / "shallow")
    git("branch", "--quiet", "pins", "origin/pins")
    git("config", "user.name", "Test")
    git("config", "user.email", "test@example.com")
    repinned(api, HOME)
    result = pinsync("export", "--branch", "pins", "--model", "home")
    assert result.code == 0, result.err
    assert "warning: default: the earlier proposal of pins is dropped: " in result.err
    assert "fetch the history" in result.err


def state(**positions: int) -> list[Customization]:
    return [
        Customization("m", name, Target("all", None, None), b"%d" % at)
        for name, at in positions.items()
    ]


def test_three_states_are_compared_rule_by_rule() -> None:
    parent = state(same=1, changed=1, gone=1, merged=1, lost=1, lost_too=1, vanished=1)
    proposed = state(same=1, changed=2, merged=2, lost=2, vanished=2, added=2, added_there=2)
    head = state(same=3, changed=1, gone=1, merged=2, lost=3, lost_too=3, added_there=3)
    found = find_open_proposal(head, parent, proposed)
    (changed,) = state(changed=2)
    (added,) = state(added=2)
    rules = {"changed": changed, "gone": None, "added": added}
    assert found == OpenProposal(rules, frozenset({"lost", "lost_too", "vanished", "added_there"}))
