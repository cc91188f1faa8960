"""Build shelves: the pins of a customization, sorted by position, with their states."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from msgspec import Struct, field

from pinsync.canonical.pins import SPOTS, read_pin
from pinsync.drift.changes import read_pins
from pinsync.drift.pairs import read_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pinsync.canonical.pins import Pin
    from pinsync.drift.record import Place, Side
    from pinsync.model import Customization

PinState = Literal["active", "upcoming", "over", "unclear"]
PIN_STATES: Final[tuple[PinState, ...]] = get_args(PinState)
"""The states of a pin at a moment; ``unclear`` if the window of the pin can't be read."""


class Slot(Struct, frozen=True):
    """A pin on its shelf.

    Attributes:
        pin: the pin.
        state: the state of the pin.
    """

    pin: Pin
    state: PinState


class Shelf(Struct, frozen=True):
    """A customization with its sorted pins.

    Attributes:
        item: the customization.
        data: the fields of the customization, its model included.
        slots: the pins: numbered positions first, then pins everywhere, blocks, and odd positions.
        place: the place of the customization in a file; None for other sources.
    """

    item: Customization
    data: Mapping[str, Any]
    slots: tuple[Slot, ...]
    place: Place | None = None


class TrackerShelves(Struct, frozen=True):
    """The shelves of one tracker.

    Attributes:
        name: the tracker's name.
        tracker_id: the tracker's id.
        shelves: the shelves, in the order of the files.
        names: identity → title of items, for known titles.
        images: identity → URL of items, for pictures that a report may load.
    """

    name: str
    tracker_id: str
    shelves: tuple[Shelf, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)

    def count_states(self) -> Counter[PinState]:
        """Return the number of pins in each state."""
        states: Counter[PinState] = Counter()
        for shelf in self.shelves:
            states.update(slot.state for slot in shelf.slots)
        return states


class Shelves(Struct, frozen=True):
    """The shelves of one model.

    Attributes:
        model: the recommender model.
        at: the moment of the states, as `format_utc` returns it.
        source: the source of the customizations.
        trackers: the trackers with at least one shelf, in the order of the configuration.
    """

    model: str
    at: str
    source: Side
    trackers: tuple[TrackerShelves, ...]


def build_shelf(item: Customization, at: str, place: Place | None = None) -> Shelf:
    """Return the shelf of a customization.

    Args:
        item: the customization.
        at: the moment of the states, as `format_utc` returns it.
        place: the place of the customization in a file.
    """
    data = read_data(item)
    slots: list[Slot] = []
    for fields in read_pins(data):
        pin = read_pin(fields)
        slots.append(Slot(pin, find_state(pin, at)))
    return Shelf(item, data, tuple(sorted(slots, key=_build_sort_key)), place)


def collect_shelf_items(shelves: Iterable[Shelf]) -> frozenset[str]:
    """Return the identities of all pinned items."""
    identities: set[str] = set()
    for shelf in shelves:
        for slot in shelf.slots:
            if slot.pin.identity is not None:
                identities.add(slot.pin.identity)
    return frozenset(identities)


def find_state(pin: Pin, at: str) -> PinState:
    """Return the state of a pin at a moment.

    Args:
        pin: the pin.
        at: the moment, as `format_utc` returns it.
    """
    window = pin.window
    if window is None:
        return "unclear"
    start, end = window
    # The ends of a window are texts without "Z", which sort by time.
    now = at.removesuffix("Z")
    # The API's documentation doesn't say whether a pin is active at its exact end. We take a window
    # to hold its start, but not its end.
    if end <= now:
        return "over"
    return "active" if start <= now else "upcoming"


def build_shelf_key(pin: Pin) -> tuple[int, int]:
    """Return the key that sorts pins as they stand on their shelf."""
    position = 0
    # Only numbered positions have an order. The other pins keep their order, since sorted() is
    # stable.
    if pin.spot == "numbered" and pin.position is not None:
        position = pin.position
    return SPOTS.index(pin.spot), position


def _build_sort_key(slot: Slot) -> tuple[int, int]:
    return build_shelf_key(slot.pin)
