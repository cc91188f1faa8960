"""The filters and flags of an export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.sandbox.checks import parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pinsync.sandbox.spelling import Row

BY_FIELD: Final = ("model", "target_type", "target_identity")


def matches(row: Row, query: Mapping[str, list[str]]) -> bool:
    """Return whether a customization passes the filters of a query."""
    # A repeated filter is met by any of its values.
    if any(name in query and row.get(name) not in query[name] for name in BY_FIELD):
        return False
    if "tag" not in query:
        return True
    tags = row.get("tags")
    return isinstance(tags, list) and any(tag in tags for tag in query["tag"])


def filter_pins(row: Row, keep: Callable[[Row], bool]) -> Row:
    """Return a customization with only the pins to keep, even if there are none."""
    pins = row.get("pin_definitions")
    if not isinstance(pins, list):
        return row
    kept = [pin for pin in pins if not isinstance(pin, dict) or keep(pin)]
    return {**row, "pin_definitions": kept}


def has_expired(pin: Row, now: datetime) -> bool:
    """Return whether a pin's ``active_to`` lies before ``now``; without an offset it is UTC."""
    try:
        return parse_moment(str(pin.get("active_to"))) < now
    except ValueError:
        return False
