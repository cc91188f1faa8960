"""What an export leaves out when it is asked to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinsync.sandbox.spelling import Row

BY_FIELD: Final = ("model", "target_type", "target_identity")


def matches(row: Row, query: Mapping[str, list[str]]) -> bool:
    """Tell whether a customization passes the filters of a query; a repeated one needs any of its values."""
    if any(name in query and row.get(name) not in query[name] for name in BY_FIELD):
        return False
    tags = row.get("tags")
    return "tag" not in query or (isinstance(tags, list) and any(tag in tags for tag in query["tag"]))


def with_pins(row: Row, keep: Callable[[Row], bool]) -> Row:
    """Return a customization with those of its pins that are to be kept; it stays itself, even if none does."""
    pins = row.get("pin_definitions")
    if not isinstance(pins, list):
        return row
    return {**row, "pin_definitions": [pin for pin in pins if not isinstance(pin, dict) or keep(pin)]}


def has_expired(pin: Row, now: datetime) -> bool:
    """Tell whether a pin's ``active_to`` lies before ``now``; a time without an offset is taken for UTC."""
    try:
        end = datetime.fromisoformat(str(pin.get("active_to")))
        return (end if end.tzinfo else end.replace(tzinfo=UTC)) < now
    except ValueError:
        return False
