"""Random histories of a real repository, a real shop and real applies, and who changed what last."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from support.histories import BASKET, commit, rule, run, text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from support.applying import LiveShop

Row = dict[str, Any]

SLOTS = (1, 2, 3, 4)
TEXTS = ("/p/7/", "/p/8/", "/p/9/")
WRITE_FAULTS = (
    *("500:write=1", "500:write=1:effect=after", "reset:write=2:effect=after", "422:write=1"),
    *("409:write=2", "500:write=2:effect=half", "429:write=1:rate-limit=1", "401:*:write=2"),
)


@dataclass
class History:
    """A repository in the current folder, its shop, and the times of changes by slot.

    Attributes:
        random: chooses what happens.
        shop: the shop.
        git: slot → the rule of git, with its model, perhaps without an id.
        now: the number of events so far.
        agreed: when pinsync last saw the same text in git and in the shop.
        text: the text of that moment; None if neither had the rule.
        edited: when a person last gave the shop another text.
        told: what has happened, for people who look for the cause of a failure.
    """

    random: Random
    shop: LiveShop
    git: dict[int, Row] = field(default_factory=dict)
    now: int = 0
    agreed: dict[int, int] = field(default_factory=dict)
    text: dict[int, str | None] = field(default_factory=dict)
    edited: dict[int, int] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    # What is there

    def find_live(self) -> dict[int, Row]:
        """Return the rules of the shop by slot; a target has one rule at most."""
        found: dict[int, Row] = {}
        for row in self.shop.api.customizations():
            slot = read_slot(row)
            assert slot not in found, self.told
            found[slot] = row
        return found

    def note_agreement(self) -> None:
        """Note which rules agree now, when pinsync looks at them."""
        live = self.find_live()
        for slot in SLOTS:
            if read_content(self.git.get(slot)) == read_content(live.get(slot)):
                self.agreed[slot] = self.now
                self.text[slot] = read_content(live.get(slot))

    # What happens

    def step(self) -> None:
        """Let something happen."""
        self.now += 1
        events = [self.edit_git] * 5 + [self.edit_shop] * 3 + [self.export] * 2
        events += [self.apply] * 3 + [self.apply_with_fault, self.revert]
        self.random.choice(events)()

    def commit(self, subject: str) -> None:
        """Commit the rules of git."""
        content = text("basket", *self.git.values()) if self.git else None
        if content is not None or Path(BASKET).exists():
            commit(subject, {BASKET: content})

    def edit_git(self) -> None:
        """A person edits files and commits."""
        slot = self.random.choice(SLOTS)
        row = self.git.get(slot)
        way = self.random.choice(["text", "text", "text", "remove", "drop id"])
        if row is None:
            fields = rule(slot, self.random.choice(TEXTS))
            self.git[slot] = drop_id(fields)
        elif way == "remove":
            del self.git[slot]
        elif way == "drop id":
            self.git[slot] = drop_id(row)
        else:
            pins = rule(slot, self.random.choice(TEXTS))["pin_definitions"]
            self.git[slot] = {**row, "pin_definitions": pins}
        self.told.append(f"git {slot} {way} {read_content(self.git.get(slot))}")
        self.commit(f"Edit {self.now}")

    def edit_shop(self) -> None:
        """A person edits, deletes or creates a rule in the shop."""
        slot = self.random.choice(SLOTS)
        row = self.find_live().get(slot)
        pins = rule(slot, self.random.choice(TEXTS))["pin_definitions"]
        if row is None:
            self.shop.api.create(rule(slot, model="basket", pin_definitions=pins))
        elif self.random.random() < 0.3:
            self.shop.api.delete(row["id"])
        else:
            self.shop.api.replace({**row, "pin_definitions": pins})
        after = self.find_live().get(slot)
        self.told.append(f"shop {slot} {read_content(after)}")
        if read_content(after) != read_content(row):
            self.edited[slot] = self.now

    def export(self) -> None:
        """An export commits to the main line."""
        options = ["--keep-pending"] if self.random.random() < 0.5 else []
        self.told.append(f"export {options}")
        self.shop.export("--commit", "--allow-mass-removal", *options)
        self.read_git()
        self.note_agreement()

    def revert(self) -> None:
        """A person reverts the newest commit."""
        is_first = run("rev-list", "--count", "HEAD") == "1"
        # Git makes no empty revert.
        if not is_first and run("diff", "--name-only", "HEAD~1", "HEAD"):
            self.told.append("revert")
            run("revert", "--no-edit", "HEAD")
            self.read_git()

    def read_git(self) -> None:
        """Read the rules of git from the file."""
        content = Path(BASKET).read_text() if Path(BASKET).exists() else "customizations: []"
        self.git = {}
        for row in yaml.safe_load(content)["customizations"]:
            self.git[read_slot(row)] = row

    def apply(self) -> None:
        """An apply of the main line's newest commit."""
        options = self.random.choice([["--delete"], ["--delete"], []])
        before = self.find_live()
        self.told.append(f"apply {options}")
        self.shop.apply(*options, "--take-over", "--allow-mass-removal")
        assert self.shop.code in (0, 1), (self.told, self.shop.err)
        self.check_account(before)
        # The reason may change: the record now knows more of the rules.
        left = sorted(line.partition(":")[0] for line in self.shop.left)
        again = sorted(line.partition(":")[0] for line in self.shop.plan(*options))
        assert again == [f"left {line}" for line in left], (self.told, again, left)
        self.note_agreement()

    def apply_with_fault(self) -> None:
        """An apply that meets a fault, and one after it."""
        fault = self.random.choice(WRITE_FAULTS)
        before = self.find_live()
        self.told.append(f"apply with {fault}")
        self.shop.fail(fault)
        self.shop.apply("--delete", "--take-over", "--allow-mass-removal")
        self.shop.fail()
        assert self.shop.code in (0, 1, 3), (self.told, self.shop.err)
        self.check_account(before)
        self.note_agreement()
        self.now += 1
        self.apply()

    def check_account(self, before: Mapping[int, Row]) -> None:
        """Hold the shop after an apply to the account.

        Args:
            before: the rules of the shop before.
        """
        after = self.find_live()
        states: dict[int, str] = {}
        for each in self.shop.tracker["operations"]:
            states[read_slot(each)] = each["state"]
        left = {read_slot(each) for each in self.shop.tracker["left"]}
        for slot in SLOTS:
            old, new = before.get(slot), after.get(slot)
            if slot not in states:
                assert new == old, (self.told, "a rule outside of the plan was written")
            else:
                # A person who came back to the agreed text can't always be told from nobody.
                was_edited = self.edited.get(slot, 0) > self.agreed.get(slot, 0)
                is_back = read_content(old) == self.text.get(slot)
                assert not was_edited or is_back, (self.told, slot)
            if states.get(slot, "done") == "done" and slot not in left:
                assert read_content(new) == read_content(self.git.get(slot)), (self.told, slot)


def read_slot(row: Row) -> int:
    """Return the slot of a rule."""
    return int(row["target_identity"].removeprefix("/p/").removesuffix("/"))


def drop_id(row: Row) -> Row:
    """Return a rule without its id."""
    return {name: value for name, value in row.items() if name != "id"}


def read_content(row: Row | None) -> str | None:
    """Return the first pin of a rule; None without one."""
    if row is None:
        return None
    found: str = row["pin_definitions"][0]["pin_identity"]
    return found
