"""Plans through the command line: a shop whose rules have dates, and the plan in a line each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinsync.sandbox import Sandbox
from support.exporting import untouched
from support.moving import stamp
from support.schemas import check_report

if TYPE_CHECKING:
    import pytest

    from pinsync.sandbox import Fault
    from support.command_line import CommandLine, Result

Record = dict[str, Any]


class Shop:
    """A shop that is served while a plan runs.

    Attributes:
        rows: the rules of the shop.
        record: the last plan, as JSON.
        result: the last result.
        fault: the fault of every request; None if there is none.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, pinsync: CommandLine) -> None:
        self._monkeypatch = monkeypatch
        self._pinsync = pinsync
        self.rows: list[Record] = []
        self.record: Record = {}
        self.result: Result | None = None
        self.fault: Fault | None = None

    def save(self, *rules: Record, at: float = 1.5, model: str = "basket") -> None:
        """Let the shop have these rules, saved at a time as `stamp` takes it."""
        self.rows = [{"model": model, "updated_at": stamp(at), **row} for row in rules]

    def run(self, *arguments: str) -> Result:
        """Run a command, which must change neither the shop nor the folder."""
        faults = [] if self.fault is None else [self.fault]
        with Sandbox(self.rows, seed=1, faults=faults) as api:
            for name, value in api.environment.items():
                self._monkeypatch.setenv(name, value)
            # The record of agreement is a commit of its own.
            with untouched(Path.cwd(), recorded="--reset-record" in arguments):
                self.result = self._pinsync(*arguments)
            assert {request.path for request in api.requests} <= {
                f"/v1/recommender/pin/{api.tracker_id}/scopes/export"
            }
        return self.result

    def plan(self, *arguments: str) -> list[str]:
        """Return the operations, then the rules left alone, in a line each."""
        result = self.run("plan", "--json", *arguments)
        assert result.out, result.err
        self.record = json.loads(result.out)
        check_report("plan", self.record)
        lines = []
        for tracker in self.record["trackers"]:
            lines += [f"{each['operation']} {_tell(each)}" for each in tracker["operations"]]
            for each in tracker["left"]:
                reason = " ".join([each["reason"], *each["options"]])
                lines.append(f"left {each['operation']} {_tell(each)}: {reason}")
        expected = int(any(not line.startswith("left") for line in lines))
        assert result.code == expected or not self.record["complete"]
        return lines

    @property
    def notes(self) -> list[str]:
        """The notes of the last plan."""
        notes = list(self.record.get("notes", []))
        for tracker in self.record["trackers"]:
            notes += tracker.get("notes", [])
        return notes


def _tell(each: Record) -> str:
    change = each["change"]
    return f"{change['model']} {change['target_identity']}"
