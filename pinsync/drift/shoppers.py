"""Find when shoppers notice a change: now, later or never.

The shelf of a rule at a moment is the multiset of the pins that are active then, without their
windows: pins that differ only in their windows put the same thing on the shelf. A pin whose window
can't be read counts as always active.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from pinsync.canonical import render_value
from pinsync.canonical.fields import KNOWN, LABELS, WINDOW
from pinsync.canonical.moments import ALWAYS
from pinsync.drift.changes import read_pins
from pinsync.drift.record import Shoppers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pinsync.canonical.pins import Pin
    from pinsync.drift.record import Change, PinChange


def add_shoppers(changes: Iterable[Change], at: str) -> Iterator[Change]:
    """Yield the changes, each with the moment at which shoppers notice it.

    Args:
        changes: the changes.
        at: the moment from which the changes are seen, as `format_utc` returns it.
    """
    for change in changes:
        yield replace(change, shoppers=find_shoppers(change, at))


def find_shoppers(change: Change, at: str) -> Shoppers:
    """Return when shoppers notice a change.

    Args:
        change: the change.
        at: the moment from which the change is seen, as `format_utc` returns it.
    """
    if _concerns_rule(change):
        return Shoppers("now")
    # The ends of a window are texts without "Z", which sort by time.
    now = at.removesuffix("Z")
    moment = _find_difference(change.pins, now)
    if moment is None:
        return Shoppers("never")
    return Shoppers("now") if moment == now else Shoppers("later", f"{moment}Z")


def _concerns_rule(change: Change) -> bool:
    """Whether the change matters to shoppers whatever pins are active."""
    if change.old and change.new:
        return any(field.path[0] not in LABELS for field in change.fields)
    # A rule for an item or for criteria may hide a rule of lower priority, even without an active
    # pin. A rule for all has the lowest priority, but an unknown field of it may be a switch.
    if change.subject.target.type != "all":
        return True
    has_odd_pins = "pin_definitions" in change.data and not read_pins(change.data)
    return has_odd_pins or not KNOWN.issuperset(change.data)


def _find_difference(changes: Iterable[PinChange], now: str) -> str | None:
    """Return the first instant, from now on, at which the shelves of both sides differ.

    Pins without a change are on both shelves at the same time, and needn't be looked at.
    """
    # Instant → the things that come and go on the old shelf (+1, -1) and on the new one (-1, +1).
    steps: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for pin, side in _list_sides(changes):
        start, end = pin.window or ALWAYS
        start = max(start, now)
        # A window whose end doesn't lie after its start is never open.
        if start < end:
            thing = render_thing(pin)
            steps[start].append((thing, side))
            steps[end].append((thing, -side))
    surplus: Counter[str] = Counter()
    for instant in sorted(steps):
        for thing, number in steps[instant]:
            surplus[thing] += number
            if not surplus[thing]:
                del surplus[thing]
        if surplus:
            return instant
    return None


def _list_sides(changes: Iterable[PinChange]) -> Iterator[tuple[Pin, int]]:
    """Yield the pins of the old side with 1, and those of the new side with -1."""
    for change in changes:
        if change.old:
            yield change.old, 1
        if change.new:
            yield change.new, -1


def render_thing(pin: Pin) -> str:
    """Return the canonical text of a pin without its window."""
    return render_fields(pin.data, [name for name in pin.data if name not in WINDOW])


def render_fields(data: Mapping[str, Any], names: Iterable[str]) -> str:
    """Return the canonical text of some fields, as far as they are there."""
    return render_value({name: data[name] for name in names if name in data})
