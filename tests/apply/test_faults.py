"""Any plan with a fault at any call: no rule exists twice, edits of people survive, the outcomes say
what is missing, and a second run finishes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from pinsync.apply.executor import Choices
from pinsync.drift.pairs import build_content_key, build_target_key, read_data
from pinsync.plan.record import Permissions
from pinsync.sandbox import service
from pinsync.sandbox.faults import parse_fault
from support.executing import Setup, build_rule
from support.planning import make

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from pinsync.drift.record import Change, Moved
    from pinsync.model import Customization
    from pinsync.sandbox import Sandbox
    from pinsync.sandbox.messages import Request
    from support.executing import Run

Row = dict[str, Any]

FAULTS: Final = (
    *("500", "500:effect=after", "500:effect=half", "reset", "reset:effect=after"),
    *("reset:effect=half", "409", "409:effect=half", "413", "413:effect=half", "422", "401"),
    *("422:effect=half", "400", "429:rate-limit=2", "429:*", "503:*", "503:retry-after=3"),
    *("504:effect=after", "truncate", "html", "html:effect=after", "garbage"),
)
APIS: Final[tuple[list[str], ...]] = (
    [],
    ["bulk=partial"],
    ["bulk=partial", "bulk-conflict=never", "taken-target=double"],
    ["stale-export=6", "stale-get=3"],
    ["metadata-on-put=drop", "create-status=201"],
    ["timestamps=none", "unknown-fields=drop"],
)
EDITED: Final = "/p/66/"


def draw_states(random: Random) -> tuple[list[Customization], list[Customization]]:
    """Return rules of git and of the shop, each target once on either side."""
    names = [f"id-{number}" for number in range(1, 8)]
    spots = [f"/p/{number}/" for number in range(1, 8)]
    git: list[Customization] = []
    live: list[Customization] = []
    for side in (git, live):
        count = random.randint(2, 6)
        ids = random.sample(names, count)
        for id_, spot in zip(ids, random.sample(spots, count), strict=True):
            is_unnamed = side is git and random.random() < 0.4
            text = f"/p/{random.choice((80, 90))}/"
            side.append(make(None if is_unnamed else id_, spot, text))
    return git, live


def is_edited(rule: Customization) -> bool:
    """Return whether a person has saved a rule."""
    pins = read_data(rule).get("pin_definitions", [])
    return [pin.get("pin_identity") for pin in pins] == [EDITED]


def find_mover(change: Change) -> Moved:
    """Return who moved a rule: a person if the shop has an edit, else git."""
    return "shop" if change.new and is_edited(change.new) else "git"


@dataclass
class Trouble:
    """A fault at one request, and perhaps an edit of a person at another one.

    Attributes:
        random: chooses the rule to edit.
        fault_at: the number of the request.
        fault: the fault, as ``--fail`` takes it.
        edit_at: the number of the request before which a person edits a rule; 0 for never.
        edited: the ids of the edited rules.
    """

    random: Random
    fault_at: int
    fault: str
    edit_at: int
    edited: set[str] = field(default_factory=set)

    def watch(self, sandbox: Sandbox, number: int, request: Request) -> None:
        """Meet a request."""
        if number == self.fault_at:
            sandbox.fail(parse_fault(self.fault))
        if number == self.edit_at:
            self.edit(sandbox, request)

    def edit(self, sandbox: Sandbox, request: Request) -> None:
        """Edit a rule, but not one between its reading and its write."""
        rows = sorted(sandbox.customizations(), key=lambda row: str(row["id"]))
        rows = [row for row in rows if not request.path.endswith(f"/{row['id']}")]
        if rows:
            row = self.random.choice(rows)
            row["pin_definitions"] = [
                {"position": 1, "pin_type": "item", "pin_identity": EDITED},
            ]
            sandbox.replace(row)
            self.edited.add(row["id"])


def read_shop(run: Run) -> list[Customization]:
    """Return the rules of the shop after a run."""
    return [build_rule(row) for row in run.sandbox.customizations()]


def check_account(
    run: Run, before: list[Customization], edited: AbstractSet[str], seed: int
) -> None:
    """Hold the outcomes of a run to the shop.

    Args:
        run: the run.
        before: the rules of the shop before.
        edited: the ids of the rules that a person has edited meanwhile.
        seed: the case.
    """
    after = {str(rule.id): rule for rule in read_shop(run)}
    contents = {build_content_key(rule) for rule in after.values()}
    old_contents = {build_content_key(rule) for rule in before}
    touched = {operation.id for operation in run.operations}
    for old in before:
        if old.id not in touched and old.id not in edited:
            assert after[str(old.id)] == old, seed
    for number, operation in enumerate(run.operations):
        outcome = run.executor.outcomes[number]
        rule = after.get(str(operation.id))
        is_unnamed = outcome.rule_id is None and operation.before is None
        if {outcome.rule_id, operation.id} & edited or (edited and is_unnamed):
            # A person may have edited it after the last answer.
            continue
        if outcome.state == "done" and operation.after:
            assert build_content_key(operation.after) in contents, seed
        elif outcome.state == "done":
            assert rule is None, seed
        elif outcome.state in ("waiting", "held", "changed") and operation.before:
            assert rule is None or rule == operation.before, seed
        elif outcome.state in ("waiting", "held", "changed"):
            assert operation.after, seed
            is_there = build_content_key(operation.after) in contents - old_contents
            assert outcome.state == "changed" or not is_there, seed


def check(seed: int, folder: Path) -> int:
    """Let a run meet a trouble, and run once more; return whether the trouble ended the first."""
    random = Random(seed)
    git, live = draw_states(random)
    api = random.choice(APIS)
    trouble = Trouble(random, random.randint(1, 14), random.choice(FAULTS), 0)
    parallel = random.choice((1, 4))
    # A stale answer shows no edit of the last seconds, and side by side another request may stand
    # between the reading of a rule and its write.
    if "stale-get=3" not in api and parallel == 1:
        trouble.edit_at = random.choice((0, random.randint(1, 14)))
    choices = Choices(parallel=parallel, keep_going=random.random() < 0.3)
    setup = Setup(git, live, api=api, choices=choices, watch=trouble.watch)
    first = setup.run(folder)
    check_account(first, live, trouble.edited, seed)
    shop = read_shop(first)
    targets = [build_target_key(rule) for rule in shop]
    assert len(set(targets)) == len(targets), f"a rule exists twice: {seed}"
    for id_ in trouble.edited:
        assert is_edited(build_rule(first.sandbox.get(id_))), f"an edit was lost: {seed}"
    again = Setup(git, shop, rows=first.sandbox.customizations(), choices=choices, api=api[:1])
    again.move, again.permissions = find_mover, Permissions(delete=True)
    (folder / "journal.jsonl").unlink()
    second = again.run(folder)
    assert second.executor.stop is None, (seed, second.stop)
    assert {state.partition(" ")[0] for state in second.states} <= {"done"}, seed
    last = Setup(git, read_shop(second), move=find_mover, permissions=again.permissions)
    (folder / "journal.jsonl").unlink()
    assert last.run(folder).operations == [], seed
    (folder / "journal.jsonl").unlink()
    return first.executor.stop is not None


@pytest.fixture(autouse=True)
def tolerance(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause of one thread must not make the signature of another one too old."""
    monkeypatch.setattr(service, "TOLERANCE", 1e9)


def test_a_fault_at_any_call_of_any_plan(tmp_path: Path) -> None:
    stops = sum(check(seed, tmp_path) for seed in range(100))
    assert 30 < stops < 95


@pytest.mark.long
def test_a_fault_at_any_call_of_many_plans(tmp_path: Path) -> None:
    assert sum(check(seed, tmp_path) for seed in range(1000, 9000)) > 2000
