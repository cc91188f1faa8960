"""What the tests of the record of agreement share: a shop whose answers a test writes itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from support.diffing import diffed
from support.exporting import answered
from support.histories import BASKET, commit, rule, run, text
from support.moving import stamp, tell

if TYPE_CHECKING:
    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Result

Record = dict[str, Any]

TRACKER = "1234-5678"
REFERENCE = f"refs/pinsync/agreed/{TRACKER}"

# T is the agreed text; S and S2 are git's later texts; P is a person's text in the shop.
T, S, S2, P = rule(1, "/p/7/"), rule(1, "/p/8/"), rule(1, "/p/9/"), rule(1, "/p/5/")
OTHER = rule(2)


def write(subject: str, *rules: Record, at: int) -> str:
    """Commit a document of these rules; return the commit."""
    return commit(subject, {BASKET: text("basket", *rules) if rules else None}, at=at)


def without_id(row: Record) -> Record:
    """Return a rule without its id."""
    return {name: value for name, value in row.items() if name != "id"}


@dataclass
class Shop:
    """The shop, and pinsync beside it.

    Attributes:
        api: answers the requests.
        pinsync: the command line.
        rows: the rules that the shop has.
    """

    api: Sandbox
    pinsync: CommandLine
    rows: dict[str, Record] = field(default_factory=dict)

    def save(self, *rules: Record, at: float | None = None, model: str = "basket") -> None:
        """Save rules, as a person does, or an apply; ``at`` is None for answers without dates."""
        for row in rules:
            dated = {} if at is None else {"updated_at": stamp(at)}
            self.rows[row["id"]] = {"model": model, **row, **dated}

    def delete(self, row: Record) -> None:
        """Delete a rule."""
        del self.rows[row["id"]]

    def export(self, *options: str) -> Result:
        """Run an export that has to succeed."""
        answered(self.api, list(self.rows.values()))
        done = self.pinsync("export", *options)
        assert done.code == 0, done.err
        return done

    def ask(self, *sources: str) -> list[str]:
        """Compare the shop with git; return who moved, and the commit, of each change."""
        answered(self.api, list(self.rows.values()))
        return tell(diffed(self.pinsync, *sources))


def read_record() -> Record:
    """Return the content of ``record.json``."""
    record: Record = json.loads(run("show", f"{REFERENCE}:record.json"))
    return record


def read_entries() -> dict[str, Record]:
    """Return the entries of the record, by id."""
    entries: dict[str, Record] = {}
    for name in run("ls-tree", "-r", "--name-only", REFERENCE, "rules/").splitlines():
        for line in run("show", f"{REFERENCE}:{name}").splitlines():
            entry = json.loads(line)
            entries[entry["id"]] = entry
    return entries
