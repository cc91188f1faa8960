"""Pins: what each says, as far as it can be understood, and how those of two states pair."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

from pinsync.canonical import moments
from pinsync.canonical.fields import PLACE, THING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinsync.canonical.moments import Window

EVERYWHERE: Final = -1
BLOCKED: Final = 0
"""The two positions with a meaning of their own; the vendor calls them global and block."""

Spot = Literal["numbered", "everywhere", "blocked", "odd"]
SPOTS: Final[tuple[Spot, ...]] = get_args(Spot)

_PIN_STEPS: Final[tuple[tuple[str, ...] | None, ...]] = (
    None,  # all of it
    (),  # all but the position
    (*PLACE, *THING),
    ("position", *THING),
    ("widget_id", *THING),
    THING,
    PLACE,
)


class Pin(NamedTuple):
    """A pin, as far as it can be understood: a value of an undocumented type counts as absent.

    Attributes:
        data: its fields.
        position: its position.
        identity: the item that it names, whatever its type.
        item: the item that it shows or blocks.
        widget: where it counts; None for the recommender as a whole.
        is_block: whether it keeps things out rather than showing them.
        number: its place in the list, from 0; 0 where nobody asks.
    """

    data: Mapping[str, Any]
    position: int | None
    identity: str | None
    item: str | None
    widget: str | None
    is_block: bool
    number: int = 0

    @property
    def window(self) -> Window | None:
        """When it is active; None if an end isn't a date-time with an offset."""
        return moments.window(self.data.get("active_from"), self.data.get("active_to"))

    @property
    def spot(self) -> Spot:
        """The kind of place that it holds; ``odd`` is a position that isn't documented."""
        if self.is_block:
            return "blocked"
        if self.position == EVERYWHERE:
            return "everywhere"
        return "numbered" if self.position is not None and self.position > 0 else "odd"

    def shows_item_of(self, other: Pin) -> bool:
        """Return whether both are pins of one item."""
        return self.item is not None and self.item == other.item


def read_pin(data: Mapping[str, Any], number: int = 0) -> Pin:
    """Return the record of a pin.

    Args:
        data: its fields, in which an integral position is an integer, as in canonical data.
        number: its place in the list, from 0.
    """
    position = data.get("position")
    if type(position) is not int:  # true is no position, though it equals 1
        position = None
    identity = data.get("pin_identity")
    if not isinstance(identity, str):
        identity = None
    widget = data.get("widget_id")
    if not isinstance(widget, str):
        widget = None
    item = identity if identity and data.get("pin_type") == "item" else None
    is_block = position == BLOCKED or data.get("is_block_pin") is True
    return Pin(data, position, identity, item, widget, is_block, number)


def pair_pins(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Pair the pins of two states of one customization.

    Equal pins first, then those that differ in their position alone, the same thing at the same position, the same
    thing elsewhere, and another thing at the same position and widget; within a step, in the order they stand in. What
    remains was removed or added.

    Args:
        old: canonical pins of the one state.
        new: canonical pins of the other.

    Returns:
        Pairs of an index in ``old`` and one in ``new``, each index at most once.
    """
    pairs: list[tuple[int, int]] = []
    left, right = dict.fromkeys(range(len(old))), dict.fromkeys(range(len(new)))
    for fields in _PIN_STEPS:
        waiting: dict[str, deque[int]] = {}
        for there in right:
            waiting.setdefault(_pin_key(new[there], fields), deque()).append(there)
        for here in list(left):
            if found := waiting.get(_pin_key(old[here], fields)):
                there = found.popleft()
                pairs.append((here, there))
                del left[here], right[there]
    return sorted(pairs)


def _pin_key(pin: Mapping[str, Any], fields: tuple[str, ...] | None) -> str:
    if not fields:
        return repr(sorted(field for field in pin.items() if fields is None or field[0] != "position"))
    return repr([pin.get(name) for name in fields])
