"""JSON that several reports share: customizations and changes as objects, and their encoding."""

from __future__ import annotations

import json
import re
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from pinsync.drift.pairs import read_title
from pinsync.drift.record import MISSING
from pinsync.escape import INVISIBLE, defuse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pinsync.drift.record import Change, FieldChange, PinChange, Place
    from pinsync.model import Commit, Customization

Record = dict[str, Any]

_CHANGE_FIELDS: Final = frozenset(
    {"model", "id", "target_type", "target_identity", "target_criteria"}
)
"""Fields that a change states itself; the fields of an added or removed rule leave them out."""


def encode(value: Record | list[Record]) -> str:
    """Return a value as indented JSON with a final newline.

    Invisible characters and the commands of CI runners are written as JSON escapes: a reader gets
    the same value, and the text is safe on a terminal and in a log.
    """
    text = defuse(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2))
    return "".join(f"{_escape_invisible(line)}\n" for line in text.split("\n"))


def _escape_invisible(line: str) -> str:
    # As in `canonical`, isprintable() clears most lines in a tenth of the regex's time.
    if line.isprintable():
        return line
    return re.sub(INVISIBLE, _escape_match, line)


def _escape_match(match: re.Match[str]) -> str:
    # json.dumps() writes a character beyond U+FFFF as a surrogate pair, as RFC 8259 demands.
    return json.dumps(match[0])[1:-1]


def identify(item: Customization, data: Mapping[str, Any], place: Place | None) -> Record:
    """Return the keys that identify a customization and locate it in a file.

    Args:
        item: the customization.
        data: the customization's fields.
        place: the block in a document; None if the customization isn't in a file.
    """
    return {
        "model": item.model,
        "id": item.id,
        "target_type": item.target.type,
        "target_identity": data.get("target_identity"),
        "target_criteria": data.get("target_criteria"),
        "title": read_title(data),
        **_locate(place),
    }


def _locate(place: Place | None) -> Record:
    if place is None:
        return {"file": None, "line": None}
    return {"file": place.file, "line": place.line}


def format_utc(moment: datetime) -> str:
    """Write a moment in UTC, as the JSON contracts spell it (RFC 3339)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def build_change(change: Change) -> Record:
    """Return the change of a customization as an object of the JSON contracts."""
    data = change.data
    # diff.schema.json: this key, unlike target_identity, is left out rather than null.
    criteria = {}
    if "target_criteria" in data:
        criteria["target_criteria"] = data["target_criteria"]
    return {
        "kind": change.kind,
        "model": change.subject.model,
        "id": change.id,
        "target_type": change.subject.target.type,
        "target_identity": data.get("target_identity"),
        **criteria,
        "title": read_title(data) or read_title(change.new_data),
        **_locate(change.place),
        "cause": change.cause,
        "effect": change.effect,
        **_build_shoppers(change),
        "updated_at": change.updated_at,
        "pins": [_build_pin(pin) for pin in change.pins],
        "fields": [_build_field(field) for field in change.fields] or _build_fields(change, data),
    }


def _build_shoppers(change: Change) -> Record:
    # The report of history has no moment and no live side, and so none of these keys.
    if change.shoppers is None:
        return {}
    return {
        "shoppers": {"when": change.shoppers.when, "at": change.shoppers.at},
        "moved": change.moved,
        "moved_in": _build_commit(change.moved_in),
    }


def _build_commit(commit: Commit | None) -> Record | None:
    if commit is None:
        return None
    return {
        "commit": commit.hash,
        "author": commit.author,
        "date": format_utc(commit.date),
        "subject": commit.subject,
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


def _build_fields(change: Change, data: Mapping[str, Any]) -> list[Record]:
    """Return all fields of an added or removed customization, so that a program can rebuild it."""
    if change.kind not in ("added", "removed"):
        return []
    side = "to" if change.kind == "added" else "from"
    fields = []
    for name, value in data.items():
        # Pins of an unexpected type have no pin changes, and are listed as a field.
        is_listed_as_pins = name == "pin_definitions" and change.pins
        if name not in _CHANGE_FIELDS and not is_listed_as_pins:
            fields.append({"path": [name], side: value})
    return fields
