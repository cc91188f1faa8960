"""Why something is missing from a live side: somebody took it out, or the API was told to leave it out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pinsync.canonical import moments
from pinsync.canonical.moments import format_utc
from pinsync.drift.changes import pins_of, same
from pinsync.drift.pairs import plain_data
from pinsync.drift.record import PinChange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pinsync.canonical.pins import Pin
    from pinsync.drift.record import Cause, Change, PinKind
    from pinsync.model import Customization


@dataclass(frozen=True, slots=True)
class Filters:
    """What the API left out of a live side, as far as it is known.

    Attributes:
        date: the answer's own date, if expired pins were left out.
        unfiltered: id → data of an answer in which no pin was left out for its item, if any was.
    """

    date: datetime | None = None
    unfiltered: Mapping[str, Customization] | None = None


def lacks_pins(changes: Sequence[Change], *, live_is_new: bool) -> bool:
    """Whether pins are missing from the live side that nothing explains yet."""
    missing = {"removed" if live_is_new else "added", "replaced"}
    return any(
        pin.kind in missing and pin.cause == "edited" for change in changes for pin in change.pins
    )


def explain(changes: Sequence[Change], filters: Filters, *, live_is_new: bool) -> list[Change]:
    """Return the changes with the causes of what is missing from the live side."""
    return [_explained(change, filters, live_is_new) for change in changes]


def _explained(change: Change, filters: Filters, live_is_new: bool) -> Change:
    missing: PinKind = "removed" if live_is_new else "added"
    live = change.pair.shown if live_is_new else change.subject
    is_missing = [pin.kind in (missing, "replaced") for pin in change.pins]
    found = (
        filters.unfiltered.get(live.id or "") if filters.unfiltered and any(is_missing) else None
    )
    unfiltered = pins_of(plain_data(found))
    pins: list[PinChange] = []
    for pin, misses in zip(change.pins, is_missing, strict=True):
        side = pin.old if live_is_new else pin.new
        cause = _cause(side, filters.date, unfiltered) if misses and side is not None else "edited"
        if (
            pin.kind == "replaced" and cause != "edited"
        ):  # nobody replaced it: it is left out, and another one came
            pins.append(PinChange("removed", pin.old, None, cause if live_is_new else "edited"))
            pins.append(PinChange("added", None, pin.new, "edited" if live_is_new else cause))
        else:
            pins.append(replace(pin, cause=cause))
    causes = {pin.cause for pin in pins}
    whole = change.kind in ("added", "removed")
    edited = (
        "edited" in causes or not pins or (whole and change.kind != missing) or bool(change.fields)
    )
    overall: Cause = "edited" if edited else "catalog" if "catalog" in causes else "expired"
    return replace(change, pins=tuple(pins), cause=overall)


def _cause(pin: Pin, date: datetime | None, unfiltered: Sequence[Mapping[str, Any]]) -> Cause:
    """Return why a pin is missing from the live side.

    Args:
        pin: the pin.
        date: the answer's date, if expired pins were left out of it.
        unfiltered: the rule's pins in an answer in which no pin was left out for its item.
    """
    if date is not None and _ended_before(pin.data.get("active_to"), date):
        return "expired"
    return "catalog" if any(same(pin.data, other) for other in unfiltered) else "edited"


def _ended_before(text: object, date: datetime) -> bool:
    """Whether a moment has passed; one that doesn't name its offset has where it has all over the world."""
    if not isinstance(text, str):
        return False
    if (end := moments.read_instant(text)) is None:
        end = moments.read_instant(f"{text}Z")
        date -= _LAST_ZONE
    return end is not None and end < format_utc(date).removesuffix("Z")


_LAST_ZONE: Final = timedelta(hours=12)
"""How long after UTC the last zone has the same time on its clocks: -12:00."""
