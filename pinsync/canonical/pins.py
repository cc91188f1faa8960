"""The pins of two states of one customization, paired."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from pinsync.canonical.fields import PLACE, THING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PIN_STEPS: Final[tuple[tuple[str, ...] | None, ...]] = (
    None,  # all of it
    (),  # all but the position
    (*PLACE, *THING),
    ("position", *THING),
    ("widget_id", *THING),
    THING,
    PLACE,
)


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
