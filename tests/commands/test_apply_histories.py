"""Applies in random histories: git's rules arrive or are listed, nobody is overruled, nothing else is
touched, and a second plan is empty.
"""

from __future__ import annotations

import shutil
from random import Random
from typing import TYPE_CHECKING

import pytest

from support.applying import open_shop
from support.histories import BASKET, commit, rule, run, text
from support.living import TEXTS, History
from support.moving import CONFIGURATION

if TYPE_CHECKING:
    from support.command_line import CommandLine


def live_through(
    seed: int, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch, steps: int
) -> list[str]:
    """Let a history happen; return what happened."""
    random = Random(seed)
    for folder in (".git", "customizations"):
        shutil.rmtree(folder, ignore_errors=True)
    run("init", "--quiet", "--initial-branch=main")
    for name, value in (("name", "Test"), ("email", "test@example.com")):
        run("config", f"user.{name}", value)
    rows = [rule(slot, random.choice(TEXTS)) for slot in random.sample((1, 2, 3, 4), 2)]
    api = [
        f"timestamps={random.choice(['both', 'none'])}",
        f"bulk={random.choice(['atomic', 'partial'])}",
    ]
    with open_shop(rows, pinsync, monkeypatch, api=api) as shop:
        commit("Begin", {"pinsync.yaml": CONFIGURATION, BASKET: text("basket", *rows)})
        shop.export()
        history = History(random, shop, told=[f"seed {seed} {api}"])
        history.read_git()
        history.note_agreement()
        for _ in range(steps):
            history.step()
        history.apply()
        return history.told


@pytest.mark.usefixtures("repository")
def test_applies_overrule_nobody(pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(10):
        told = live_through(seed, pinsync, monkeypatch, steps=8)
        assert len(told) > 5


@pytest.mark.long
@pytest.mark.usefixtures("repository")
def test_many_applies_overrule_nobody(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(100, 1100):
        live_through(seed, pinsync, monkeypatch, steps=12)
