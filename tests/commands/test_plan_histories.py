"""Plans of random histories: what git alone changed is planned, nobody is overruled, and nothing is
left for a second plan.
"""

from __future__ import annotations

import shutil
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from support.histories import run
from support.interleaving import SLOTS, Rule, World, build_row, format_moment
from support.planned import Shop

if TYPE_CHECKING:
    from support.command_line import CommandLine

Record = dict[str, Any]


def fill(shop: Shop, world: World) -> None:
    """Let the shop have the rules of the world."""
    shop.rows = []
    for slot, rule in world.shop.items():
        row = {**build_row(slot, rule), "model": rule.model}
        shop.rows.append({**row, "updated_at": format_moment(world.saved[slot])})


def check(seed: int, shop: Shop) -> int:
    """Plan a history, apply the plan, and plan again; return the number of operations."""
    random = Random(seed)
    world = World(random)
    world.go_on(random.randint(1, 18))
    # Most plans follow a merge.
    for _ in range(random.randint(0, 3)):
        world.now += 3600
        world.edit_git()
        world.note_agreement()
    for folder in (".git", "customizations"):
        shutil.rmtree(folder, ignore_errors=True)
    run("init", "--quiet", "--initial-branch=main")
    world.write()
    fill(shop, world)
    left = [line for line in shop.plan("--delete") if line.startswith("left")]
    operations = [each for tracker in shop.record["trackers"] for each in tracker["operations"]]
    world.now += 60
    for each in operations:
        assert each["change"]["moved"] == "git", seed
        slot = find_slot(each)
        assert world.edited.get(slot, 0) <= world.agreed.get(slot, 0), seed
        git, old = world.git.get(slot), world.shop.get(slot)
        if git is None:
            world.save_rule(slot, None)
        else:
            world.save_rule(slot, Rule(old.id if old else world.make_id(), git.model, git.text))
    fill(shop, world)
    assert shop.plan("--delete") == left, seed
    return len(operations)


def find_slot(operation: Record) -> int:
    identity = operation["change"]["target_identity"]
    return next(slot for slot in SLOTS if identity == f"/p/{slot}/")


@pytest.mark.usefixtures("repository")
def test_a_plan_overrules_nobody_and_a_second_plan_is_empty(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(monkeypatch, pinsync)
    counts = [check(seed, shop) for seed in range(100, 130)]
    assert sum(counts) > 5
