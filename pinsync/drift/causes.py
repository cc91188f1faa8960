"""Find the cause of pins that a live side lacks: a person removed them, or the API omitted them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from pinsync.canonical import moments
from pinsync.canonical.moments import format_utc
from pinsync.drift.changes import has_same_text, read_pins
from pinsync.drift.pairs import read_data
from pinsync.drift.record import PinChange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from pinsync.canonical.pins import Pin
    from pinsync.drift.record import Cause, Change, PinKind
    from pinsync.model import Customization

# The clocks of the last zone, -12:00, show a given time 12 hours after the clocks of UTC.
_LAST_ZONE: Final = timedelta(hours=12)


class Omissions(Struct, frozen=True):
    """The pins that the API was asked to omit from a live side, as far as they are known.

    Attributes:
        date: the moment of the answer, if expired pins were omitted.
        unfiltered: id → customization in a second answer, which omits no pin for its item; None if
            there is no such answer.
    """

    date: datetime | None = None
    unfiltered: Mapping[str, Customization] | None = None


def has_unexplained_pins(changes: Sequence[Change], *, live_is_new: bool) -> bool:
    """Whether a pin is missing from the live side for no known cause."""
    missing = (_name_missing_kind(live_is_new), "replaced")
    for change in changes:
        for pin in change.pins:
            if pin.kind in missing and pin.cause == "edited":
                return True
    return False


def add_causes(
    changes: Sequence[Change], omissions: Omissions, *, live_is_new: bool
) -> list[Change]:
    """Return the changes with the cause of each pin that is missing from the live side."""
    return [_add_causes(change, omissions, live_is_new) for change in changes]


def _add_causes(change: Change, omissions: Omissions, live_is_new: bool) -> Change:
    pins = tuple(_explain_pins(change, omissions, live_is_new))
    causes = {pin.cause for pin in pins}
    # A rule that came into the live side was made by a person, whatever the causes of its pins.
    is_new_rule = change.kind in ("added", "removed") and change.kind != _name_missing_kind(
        live_is_new
    )
    overall: Cause = "expired"
    if "edited" in causes or not pins or is_new_rule or change.fields:
        overall = "edited"
    elif "catalog" in causes:
        overall = "catalog"
    return replace(change, pins=pins, cause=overall)


def _name_missing_kind(live_is_new: bool) -> PinKind:
    """Return the kind of change of a pin, or of a rule, that only the other side has."""
    return "removed" if live_is_new else "added"


def _explain_pins(change: Change, omissions: Omissions, live_is_new: bool) -> Iterator[PinChange]:
    """Yield the changes of the pins with their causes."""
    missing = (_name_missing_kind(live_is_new), "replaced")
    unfiltered: list[Mapping[str, Any]] = []
    if omissions.unfiltered and any(pin.kind in missing for pin in change.pins):
        # By the id on the live side, which differs from the committed id of a recreated rule.
        live = change.pair.latest if live_is_new else change.subject
        unfiltered = read_pins(read_data(omissions.unfiltered.get(live.id or "")))
    for pin in change.pins:
        side = pin.old if live_is_new else pin.new
        cause: Cause = "edited"
        if pin.kind in missing and side is not None:
            cause = _find_cause(side, omissions.date, unfiltered)
        if pin.kind == "replaced" and cause != "edited":
            # Nobody replaced the pin: the API omitted it, and another pin was added.
            removal: Cause = cause if live_is_new else "edited"
            addition: Cause = "edited" if live_is_new else cause
            yield PinChange("removed", pin.old, None, removal)
            yield PinChange("added", None, pin.new, addition)
        else:
            yield replace(pin, cause=cause)


def _find_cause(pin: Pin, date: datetime | None, unfiltered: Sequence[Mapping[str, Any]]) -> Cause:
    """Return why a pin is missing from the live side.

    Args:
        pin: the pin.
        date: the moment of the answer, if expired pins were omitted from it.
        unfiltered: the pins of the rule in the answer that omits no pin for its item.
    """
    if date is not None and _is_past(pin.data.get("active_to"), date):
        return "expired"
    if any(has_same_text(pin.data, other) for other in unfiltered):
        return "catalog"
    return "edited"


def _is_past(text: object, date: datetime) -> bool:
    """Whether a date-time lies before ``date``."""
    if not isinstance(text, str):
        return False
    end = moments.read_instant(text)
    if end is None:
        # Without an offset, we know only when the date-time has passed in every zone.
        end = moments.read_instant(f"{text}Z")
        date -= _LAST_ZONE
    # Compared as text: the API's fractions of a second may be finer than a datetime's.
    return end is not None and end < format_utc(date).removesuffix("Z")
