"""Shelves: the pins of each customization in the order of the places they hold, and how each stands at one moment."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from pinsync.canonical.pins import SPOTS, read_pin
from pinsync.drift.changes import read_pins
from pinsync.drift.pairs import read_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pinsync.canonical.pins import Pin
    from pinsync.drift.record import Place, Side
    from pinsync.model import Customization

State = Literal["active", "upcoming", "over", "unclear"]
STATES: Final[tuple[State, ...]] = get_args(State)
"""How a pin stands at a moment, the best known first; ``unclear`` is one whose window can't be read."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A pin on its shelf.

    Attributes:
        pin: the pin.
        state: how it stands.
    """

    pin: Pin
    state: State


@dataclass(frozen=True, slots=True)
class Shelf:
    """A customization with its pins: by number, then those for every position, the blocked ones, and odd ones.

    Attributes:
        item: the customization.
        data: what it says, its model included.
        slots: its pins.
        place: where it stands in a file.
    """

    item: Customization
    data: Mapping[str, Any]
    slots: tuple[Slot, ...]
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class TrackerShelves:
    """The shelves of one tracker.

    Attributes:
        name: the tracker's name.
        tracker_id: its id.
        shelves: in the order of the files.
        names: the titles of pinned items, as far as they are known.
    """

    name: str
    tracker_id: str
    shelves: tuple[Shelf, ...]
    names: Mapping[str, str] = field(default_factory=dict)

    def counts(self) -> Counter[State]:
        """Return how many pins are in each state."""
        return Counter(slot.state for shelf in self.shelves for slot in shelf.slots)


@dataclass(frozen=True, slots=True)
class Shelves:
    """What is shown of a model.

    Attributes:
        model: the recommender model.
        at: the moment that the states are of, as `format_utc` returns it.
        source: where the customizations were read from.
        trackers: those that have something to show, in the configuration's order.
    """

    model: str
    at: str
    source: Side
    trackers: tuple[TrackerShelves, ...]


def arranged(item: Customization, at: str, place: Place | None = None) -> Shelf:
    """Return a customization's shelf.

    Args:
        item: the customization.
        at: the moment that the states are of, as `format_utc` returns it.
        place: where it stands in a file.
    """
    data = read_data(item)
    pins = map(read_pin, read_pins(data))
    slots = [Slot(pin, state(pin, at)) for pin in pins]
    return Shelf(item, data, tuple(sorted(slots, key=_order)), place)


def pinned_items(shelves: Iterable[Shelf]) -> frozenset[str]:
    """Return the identities of the items that the pins hold."""
    identities = (slot.pin.identity for shelf in shelves for slot in shelf.slots)
    return frozenset(identity for identity in identities if identity is not None)


def state(pin: Pin, at: str) -> State:
    """Return how a pin stands at a moment: a window holds its start, and its end no more (which isn't documented).

    Args:
        pin: the pin.
        at: the moment, as `format_utc` returns it.
    """
    window = pin.window
    if window is None:
        return "unclear"
    start, end = window
    now = at.removesuffix("Z")
    if end <= now:
        return "over"
    return "active" if start <= now else "upcoming"


def _order(slot: Slot) -> tuple[int, int]:
    spot, position = slot.pin.spot, slot.pin.position
    return SPOTS.index(spot), position if spot == "numbered" and position is not None else 0
