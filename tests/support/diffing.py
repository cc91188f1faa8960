"""What the tests of the diff share: a report read back, and its changes in a line each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema

if TYPE_CHECKING:
    from support.command_line import CommandLine

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """How a diff ended, with its report as JSON."""

    code: int
    record: Record
    err: str

    @property
    def changes(self) -> list[Record]:
        """The changes of all trackers."""
        return [change for tracker in self.record["trackers"] for change in tracker["changes"]]

    @property
    def told(self) -> list[str]:
        """The kind of each change and what it is about: ``changed basket /p/123/``."""
        return [
            (
                f"{change['kind']} {change['model']} "
                f"{change['target_identity'] or change['target_type']}"
            )
            for change in self.changes
        ]

    @property
    def notes(self) -> list[str]:
        """The notes at the top."""
        notes: list[str] = self.record.get("notes", [])
        return notes


@cache
def _validator() -> jsonschema.Draft202012Validator:
    text = (
        resources.files("pinsync.reports").joinpath("diff.schema.json").read_text(encoding="utf-8")
    )
    return jsonschema.Draft202012Validator(json.loads(text))


def checked(text: str) -> Record:
    """Read a report that must be what the schema says."""
    record: Record = json.loads(text)
    _validator().validate(record)
    return record


def diffed(pinsync: CommandLine, *arguments: str) -> Report:
    """Run a diff that must end with a report."""
    result = pinsync("diff", "--format", "json", *arguments)
    assert result.out, result.err
    report = Report(result.code, checked(result.out), result.err)
    complete, found = report.record["complete"], report.record["drift"]
    assert (found is None) == (not complete and not report.changes)
    assert bool(found) == bool(report.changes)
    assert complete == (result.code in (0, 1))
    return report
