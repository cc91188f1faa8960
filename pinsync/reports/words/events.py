"""Name the events that make up the change of a rule: the headings of reports for people.

An event is named from the point of view of whoever moved. Where nobody knows who moved, its name
only says how the sides differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, cast

from pinsync.canonical.fields import PLACE, WINDOW
from pinsync.drift.changes import has_same_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pinsync.canonical.pins import Pin
    from pinsync.drift.record import Change, FieldChange, PinChange, PinKind

EventKind = Literal[
    "rule added",
    "rule removed",
    "pin added",
    "pin removed",
    "pin replaced",
    "pin moved",
    "pins swapped",
    "item blocked",
    "item unblocked",
    "dates",
    "pin field",
    "id",
    "model",
    "target",
    "tags",
    "title",
    "metadata",
    "field",
]


class Event(NamedTuple):
    """A part of the change of a rule.

    Attributes:
        kind: the kind of event.
        places: the old and the new side of each pin that it is about; None where a side has no pin.
    """

    kind: EventKind
    places: tuple[tuple[Pin | None, Pin | None], ...] = ()


class EventName(NamedTuple):
    """The names of a kind of event.

    Attributes:
        one: the event, named from the point of view of the side that moved.
        many: several such events, after their number.
        difference: the difference, if nobody knows who moved. ``{old}`` and ``{new}`` stand for
            the names of the sides.
    """

    one: str
    many: str
    difference: str


EVENT_NAMES: Final[Mapping[EventKind, EventName]] = {
    "rule added": EventName("rule added", "rules added", "rule only {new}"),
    "rule removed": EventName("rule removed", "rules removed", "rule only {old}"),
    "pin added": EventName("pin added", "pins added", "pin only {new}"),
    "pin removed": EventName("pin removed", "pins removed", "pin only {old}"),
    "pin replaced": EventName("replaced", "pins replaced", "another product"),
    "pin moved": EventName("moved", "pins moved", "another position"),
    "pins swapped": EventName("swapped", "pairs swapped", "swapped"),
    "item blocked": EventName("blocked", "products blocked", "blocked only {new}"),
    "item unblocked": EventName("unblocked", "products unblocked", "blocked only {old}"),
    "dates": EventName("dates changed", "dates changed", "other dates"),
    "pin field": EventName("pin changed", "pins changed", "pin differs"),
    "id": EventName("created again", "created again", "another id"),
    "model": EventName("model changed", "models changed", "another model"),
    "target": EventName("target changed", "targets changed", "another target"),
    "tags": EventName("tags changed", "tags changed", "other tags"),
    "title": EventName("title changed", "titles changed", "another title"),
    "metadata": EventName("metadata changed", "metadata changed", "other metadata"),
    "field": EventName("field changed", "fields changed", "field differs"),
}


_OPPOSITES: Final[Mapping[EventKind, EventKind]] = {
    "rule added": "rule removed",
    "rule removed": "rule added",
    "pin added": "pin removed",
    "pin removed": "pin added",
    "item blocked": "item unblocked",
    "item unblocked": "item blocked",
}


def turn(event: Event) -> Event:
    """Return the event that leads from the new side back to the old one."""
    places = tuple((new, old) for old, new in event.places)
    return Event(_OPPOSITES.get(event.kind, event.kind), places)


def list_events(change: Change) -> list[Event]:
    """Return the events of a change, those of pins first."""
    if change.kind == "added":
        return [Event("rule added")]
    if change.kind == "removed":
        return [Event("rule removed")]
    events = _list_pin_events(change.pins)
    kinds = dict.fromkeys(map(_name_field_event, change.fields))
    return [*events, *map(Event, kinds)]


def _list_pin_events(changes: Sequence[PinChange]) -> Iterator[Event]:
    swapped: set[int] = set()
    for index, other in _find_swaps(changes):
        swapped |= {index, other}
        yield Event("pins swapped", (_get_sides(changes[index]), _get_sides(changes[other])))
    for index, change in enumerate(changes):
        if index not in swapped:
            yield Event(_name_pin_event(change), (_get_sides(change),))


def _get_sides(change: PinChange) -> tuple[Pin | None, Pin | None]:
    return change.old, change.new


def _find_swaps(changes: Sequence[PinChange]) -> Iterator[tuple[int, int]]:
    """Yield the indexes of pins that exchange their places and differ in nothing else."""
    waiting: dict[str, list[int]] = {}
    for index, change in enumerate(changes):
        if change.kind != "moved" or not _differs_in_place_alone(change):
            continue
        before, after = _build_place_key(change.old), _build_place_key(change.new)
        if partners := waiting.get(f"{after} {before}"):
            yield partners.pop(0), index
        else:
            waiting.setdefault(f"{before} {after}", []).append(index)


def _build_place_key(pin: Pin | None) -> str:
    # repr() keeps apart values that are equal in Python, such as 1 and true.
    return repr([pin.data.get(name) for name in PLACE]) if pin else ""


def _differs_in_place_alone(change: PinChange) -> bool:
    return not _list_other_fields(change, PLACE)


def _list_other_fields(change: PinChange, ignored: Sequence[str]) -> list[str]:
    """Return the names of the fields in which the pins of a change differ, without some."""
    old, new = change.old, change.new
    if old is None or new is None:
        return []
    names = []
    for name in dict.fromkeys((*old.data, *new.data)):
        is_in_both = name in old.data and name in new.data
        if name not in ignored and not (
            is_in_both and has_same_text(old.data[name], new.data[name])
        ):
            names.append(name)
    return names


def _name_pin_event(change: PinChange) -> EventKind:
    old, new = change.old, change.new
    was_blocked = old is not None and old.is_block
    is_blocked = new is not None and new.is_block
    if is_blocked and not was_blocked:
        return "item blocked"
    if was_blocked and not is_blocked:
        return "item unblocked"
    if change.kind == "changed":
        # A new window has an event of its own, even if other fields changed too.
        has_other = bool(_list_other_fields(change, WINDOW))
        return "pin field" if has_other else "dates"
    names: Mapping[PinKind, EventKind] = {
        "added": "pin added",
        "removed": "pin removed",
        "moved": "pin moved",
        "replaced": "pin replaced",
    }
    return names[change.kind]


def _name_field_event(change: FieldChange) -> EventKind:
    name = change.path[0]
    if name in ("id", "model", "tags"):
        return cast("EventKind", name)
    if name in ("target_type", "target_identity", "target_criteria"):
        return "target"
    if name == "target_metadata":
        return "title" if change.path == ("target_metadata", "title") else "metadata"
    return "field"
