"""JSON that several reports share: customizations, changes, and how a record is written."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from pinsync.drift.changes import plain_data
from pinsync.drift.pairs import read_title
from pinsync.drift.record import MISSING
from pinsync.escape import INVISIBLE, defused

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping
    from datetime import datetime

    from pinsync.drift.record import Change, FieldChange, PinChange, Place
    from pinsync.model import Customization

Record = dict[str, Any]

_OF_THE_CHANGE: Final = frozenset({"model", "id", "target_type", "target_identity", "target_criteria"})
"""Fields that stand beside a change's kind, and needn't be repeated where a whole customization came or went."""


def encode(value: Record | list[Record]) -> str:
    """Return a value as JSON in lines, with a final newline.

    Invisible characters and the commands of CI runners are escaped as JSON does it, so that a
    reader gets the same value.
    """
    text = defused(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2))
    return "".join(f"{_escape_invisible(line)}\n" for line in text.split("\n"))


def _escape_invisible(line: str) -> str:
    """Escape what is invisible; as in ``canonical``, isprintable() clears most lines in a tenth of the time."""
    return line if line.isprintable() else INVISIBLE.sub(_escape_match, line)


def _escape_match(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


def identify(item: Customization, data: Mapping[str, Any], place: Place | None) -> Record:
    """Return which customization it is, and where it stands in a file.

    Args:
        item: the customization.
        data: what it says.
        place: the place; None if it isn't in a file.
    """
    return {
        "model": item.model,
        "id": item.id,
        "target_type": item.target.type,
        "target_identity": data.get("target_identity"),
        "target_criteria": data.get("target_criteria"),
        "title": read_title(data),
        "file": place.file if place else None,
        "line": place.line if place else None,
    }


def format_utc(moment: datetime) -> str:
    """Return a moment as the contracts spell it (RFC 3339, in UTC)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def build_change(change: Change) -> Record:
    """Return what became of one customization."""
    data = plain_data(change.subject)
    named = read_title(data) or (read_title(plain_data(change.new)) if change.new else None)
    criteria = {"target_criteria": data["target_criteria"]} if "target_criteria" in data else {}
    return {
        "kind": change.kind,
        "model": change.subject.model,
        "id": change.id,
        "target_type": change.subject.target.type,
        "target_identity": data.get("target_identity"),
        **criteria,
        "title": named,
        "file": change.place.file if change.place else None,
        "line": change.place.line if change.place else None,
        "cause": change.cause,
        "effect": change.effect,
        "updated_at": change.updated_at,
        "pins": [_build_pin(pin) for pin in change.pins],
        "fields": [_build_field(field) for field in change.fields] or _build_fields(change, data),
    }


def _build_pin(pin: PinChange) -> Record:
    record: Record = {"kind": pin.kind}
    if pin.old is not None:
        record["from"] = pin.old.data
    if pin.new is not None:
        record["to"] = pin.new.data
    if pin.cause != "edited":
        record["cause"] = pin.cause
    return record


def _build_field(field: FieldChange) -> Record:
    record: Record = {"path": field.path}
    if field.old is not MISSING:
        record["from"] = field.old
    if field.new is not MISSING:
        record["to"] = field.new
    return record


def _build_fields(change: Change, data: Record) -> list[Record]:
    """Return the fields of a customization that came or went, so that it can be made again from the report."""
    if change.kind not in ("added", "removed"):
        return []
    side = "to" if change.kind == "added" else "from"
    told = _OF_THE_CHANGE | ({"pin_definitions"} if change.pins else set())
    return [{"path": [name], side: value} for name, value in data.items() if name not in told]
