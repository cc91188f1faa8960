"""Read the fields of pins, and pair the pins of two states of a customization."""

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
"""The two positions with a special meaning; the vendor calls them global and block."""

Spot = Literal["numbered", "everywhere", "blocked", "odd"]
SPOTS: Final[tuple[Spot, ...]] = get_args(Spot)

# The fields in which two pins agree at each step of pairing, from the best match to the weakest.
_PIN_STEPS: Final[tuple[tuple[str, ...] | None, ...]] = (
    None,  # all fields
    (),  # all fields except the position
    (*PLACE, *THING),
    ("position", *THING),
    ("widget_id", *THING),
    THING,
    PLACE,
)


class Pin(NamedTuple):
    """A pin. A value of an undocumented type counts as absent, except in ``data``.

    Attributes:
        data: its fields.
        position: its position.
        identity: its identity, for any type of pin.
        item: the item that it shows or blocks; None if it isn't a pin of one item.
        widget: the widget that it applies to; None for the whole recommender.
        is_block: whether it blocks items instead of showing them.
        number: its place in the list, from 0; 0 if no reader needs it.
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
        """The time in which it is active; None if an end isn't a date-time with an offset."""
        return moments.read_window(self.data.get("active_from"), self.data.get("active_to"))

    @property
    def spot(self) -> Spot:
        """The kind of its position; ``odd`` is a position that isn't documented."""
        if self.is_block:
            return "blocked"
        if self.position == EVERYWHERE:
            return "everywhere"
        return "numbered" if self.position is not None and self.position > 0 else "odd"

    def shows_item_of(self, other: Pin) -> bool:
        """Return whether both pins show or block the same item."""
        return self.item is not None and self.item == other.item


def read_pin(data: Mapping[str, Any], number: int = 0) -> Pin:
    """Read the fields of a pin.

    Args:
        data: its fields. An integral position is an integer, as in canonical data.
        number: its place in the list, from 0.
    """
    position = data.get("position")
    # True is no position, though it equals 1.
    if type(position) is not int:
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


def pair_pins(
    old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
) -> list[tuple[int, int]]:
    """Pair the pins of two states of one customization.

    Equal pins are paired first, then pins that differ only in their position, then the same thing
    at the same position, then the same thing elsewhere, then another thing at the same position and
    widget. Within a step, the pins are paired in the order of the lists. Pins that remain were
    removed or added.

    Args:
        old: the canonical pins of the old state.
        new: the canonical pins of the new state.

    Returns:
        Pairs of an index in ``old`` and one in ``new``, each index at most once.
    """
    pairs: list[tuple[int, int]] = []
    old_indexes, new_indexes = dict.fromkeys(range(len(old))), dict.fromkeys(range(len(new)))
    for fields in _PIN_STEPS:
        if not old_indexes or not new_indexes:
            break
        waiting: dict[str, deque[int]] = {}
        for new_index in new_indexes:
            waiting.setdefault(_build_pin_key(new[new_index], fields), deque()).append(new_index)
        for old_index in list(old_indexes):
            if queue := waiting.get(_build_pin_key(old[old_index], fields)):
                new_index = queue.popleft()
                pairs.append((old_index, new_index))
                del old_indexes[old_index], new_indexes[new_index]
    return sorted(pairs)


def _build_pin_key(pin: Mapping[str, Any], fields: tuple[str, ...] | None) -> str:
    # repr() keeps apart values that are equal in Python, such as 1 and true.
    if fields is None:
        return repr(pin)
    if not fields:
        return repr([field for field in pin.items() if field[0] != "position"])
    return repr([pin.get(name) for name in fields])
