"""Who moved, in random histories of hand commits, exports, merges, squashes, reverts and edits of
the shop, against a model of its own.
"""

from __future__ import annotations

import shutil
from random import Random
from typing import TYPE_CHECKING

import pytest

from pinsync.history import mover_search
from support.diffing import diffed
from support.histories import BASKET, HOME, commit, rule, run, text
from support.interleaving import World, answer, list_questions
from support.moving import CONFIGURATION, LINE, LIVE, ask, save, stamp, tell

if TYPE_CHECKING:
    from support.command_line import CommandLine


def check(seed: int, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Hold the answers of one history to those of the model; return who moved."""
    random = Random(seed)
    world = World(random)
    world.go_on(random.randint(1, 18))
    world.dated = dated = random.random() < 0.8
    for folder in (".git", "customizations"):
        shutil.rmtree(folder, ignore_errors=True)
    run("init", "--quiet", "--initial-branch=main")
    world.write()
    source = random.choice(["HEAD", "HEAD", "@index", "@worktree"])
    is_committed = source == "HEAD" or len(world.main) == 1
    if not is_committed:
        world.take_back()
    report = diffed(pinsync, source, LIVE)
    with monkeypatch.context() as patch:
        patch.setattr(mover_search, "search_documents", lambda *_: None)
        assert diffed(pinsync, source, LIVE).record == report.record, seed
    expected = []
    for slot, git, live in list_questions(world):
        found = answer(world, slot, git, live, world.saved.get(slot) if dated else None)
        expected.append(f"{found.moved}: {found.subject or '-'}")
        # The shop changed last: whatever the rules say, it isn't overruled.
        if found.moved == "git" and is_committed:
            assert world.edited.get(slot, 0) <= world.agreed.get(slot, 0), seed
    assert sorted(tell(report)) == sorted(expected), seed
    assert "notes" not in report.record["trackers"][0], seed
    return {change["moved"] for change in report.changes}


@pytest.mark.usefixtures("repository")
def test_an_ordinary_history_is_not_read_as_a_whole(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (rule(number, "/p/7/") for number in (1, 2, 3))
    commit("Begin", {"pinsync.yaml": CONFIGURATION}, at=1)
    commit("Begin to pin", {BASKET: text("basket", first, second)}, at=2)
    commit("Add one", {HOME: text("home", third)}, at=3)
    commit("Swap", {BASKET: text("basket", rule(1, "/p/8/"), second)}, at=10)
    commit(f"Export\n\n{LINE}", {HOME: text("home", rule(3, "/p/8/"))}, at=20)
    home = {"model": "home"}
    edited = rule(2, "/p/9/") | {"updated_at": stamp(30)}
    save(first, edited, third | home, rule(4) | home, at=1.5)
    expected = ["git: Swap", "unknown: Begin to pin", "shop: Export", "extra: -"]
    assert ask(pinsync) == expected
    assert ask(pinsync, "@worktree") == expected
    with monkeypatch.context() as patch:
        patch.delattr(mover_search, "_StateSearch")
        assert ask(pinsync) == expected
        assert ask(pinsync, "@worktree") == expected


@pytest.mark.usefixtures("repository")
def test_the_answers_are_those_of_the_rules(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[str] = set()
    for seed in range(40):
        seen |= check(seed, pinsync, monkeypatch)
    assert seen == {"shop", "git", "unknown", "extra"}


@pytest.mark.long
@pytest.mark.usefixtures("repository")
def test_the_answers_are_those_of_the_rules_in_many_more_histories(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(1000, 3000):
        check(seed, pinsync, monkeypatch)
