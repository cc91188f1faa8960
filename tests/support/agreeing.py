"""What the tests of the record of agreement share: a shop whose answers a test writes itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from support.diffing import diffed
from support.exporting import answered
from support.histories import run
from support.moving import stamp, tell

if TYPE_CHECKING:
    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Result

Record = dict[str, Any]

TRACKER = "1234-5678"
REFERENCE = f"refs/pinsync/agreed/{TRACKER}"


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
        for rule in rules:
            dated = {} if at is None else {"updated_at": stamp(at)}
            self.rows[rule["id"]] = {"model": model, **rule, **dated}

    def delete(self, rule: Record) -> None:
        """Delete a rule."""
        del self.rows[rule["id"]]

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
