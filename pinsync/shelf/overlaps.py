"""Find pins of one rule that can't all be shown: the groups that compete, and their overlaps."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING

from pinsync.canonical.moments import ALWAYS, Window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinsync.canonical.pins import Pin

Spot = tuple[str | None, int]
"""The widget and the number of a position that one pin can hold at a time."""


def find_held_spot(pin: Pin) -> Spot | None:
    """Return the spot that a pin holds; None for blocks and pins without a numbered position."""
    if pin.spot != "numbered" or pin.position is None:
        return None
    return pin.widget, pin.position


def find_overlap(one: Pin, other: Pin) -> Window | None:
    """Return the time in which two pins are both active; None if there is no such time.

    Pins whose windows can't be read overlap with nothing.
    """
    if one.window is None or other.window is None:
        return None
    start = max(one.window.start, other.window.start)
    end = min(one.window.end, other.window.end)
    return Window(start, end) if start < end else None


def clip_window(pin: Pin, limits: Window) -> Window | None:
    """Return the part of a pin's window inside of some limits, which may be empty."""
    if pin.window is None:
        return None
    return Window(max(pin.window.start, limits.start), min(pin.window.end, limits.end))


class Timeline:
    """Pins by their windows: finds the first pin that is active at the same time as another pin.

    Args:
        pins: all pins that will be added or searched for.
        limits: the time in which overlaps count.
    """

    # A segment tree (https://en.wikipedia.org/wiki/Segment_tree), because comparing all pairs of
    # 10,000 pins takes minutes. Each node covers a span of time, and its two children cover the
    # halves. Node 1 is the root.

    def __init__(self, pins: Iterable[Pin], limits: Window = ALWAYS) -> None:
        self._limits = limits
        moments: set[str] = set()
        for pin in pins:
            if window := clip_window(pin, limits):
                moments.update(window)
        self._moments = sorted(moments)
        self._size = 1 << len(self._moments).bit_length()
        self._count = 0
        # Node → the first pin that is active in the whole span, and the first such pin that shows
        # another item. Then the same for pins that are active in a part of the span. Two pins are
        # enough: if a search skips the item of the first one, the second one has another item.
        self._whole: defaultdict[int, list[tuple[int, Pin]]] = defaultdict(list)
        self._part: defaultdict[int, list[tuple[int, Pin]]] = defaultdict(list)

    def add(self, pin: Pin) -> None:
        """Add a pin."""
        nodes, ancestors = self._find_nodes(clip_window(pin, self._limits))
        lists = [self._whole[node] for node in nodes]
        lists += [self._part[node] for node in (*nodes, *ancestors)]
        for pins in lists:
            if not pins or (len(pins) == 1 and not pin.shows_item_of(pins[0][1])):
                pins.append((self._count, pin))
        self._count += 1

    def find(self, pin: Pin, *, shows_other: bool = False) -> Pin | None:
        """Return the first added pin that is active during a part of another pin's window.

        Args:
            pin: the other pin.
            shows_other: whether to skip pins that show the same item as ``pin``.
        """
        nodes, ancestors = self._find_nodes(clip_window(pin, self._limits))
        lists = [self._part[node] for node in nodes]
        lists += [self._whole[node] for node in ancestors]
        candidates = [
            candidate
            for candidate in chain.from_iterable(lists)
            if not (shows_other and pin.shows_item_of(candidate[1]))
        ]
        return min(candidates, key=itemgetter(0))[1] if candidates else None

    def _find_nodes(self, window: Window | None) -> tuple[list[int], set[int]]:
        """Return the nodes whose spans together cover a window, and all ancestors of the nodes."""
        nodes: list[int] = []
        ancestors: set[int] = set()
        if window is None:
            return nodes, ancestors
        # From the leaves upwards: an odd left end, or an even right end, is no whole parent.
        low, high = (self._size + bisect_left(self._moments, moment) for moment in window)
        while low < high:
            if low & 1:
                nodes.append(low)
                low += 1
            if high & 1:
                high -= 1
                nodes.append(high)
            low >>= 1
            high >>= 1
        for node in nodes:
            ancestors.update(node >> levels for levels in range(1, node.bit_length()))
        return nodes, ancestors
