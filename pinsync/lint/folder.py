"""What rules look at: a tracker's documents, their customizations and pins, and what a rule finds in them."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pinsync.canonical.pins import read_pin
from pinsync.document import written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from pinsync.canonical.moments import Window
    from pinsync.canonical.pins import Pin
    from pinsync.document.written import Row, Written

Path = tuple[str | int, ...]
Severity = Literal["error", "warning"]


class Fault(NamedTuple):
    """What a rule finds; where it stands in the file is looked up only if it is shown.

    Attributes:
        document: the file.
        message: what is wrong, one sentence.
        hint: how to mend it.
        row: the customization, if it is about one.
        path: what it is about, within the customization or at the top of the document.
        place: line and column, where they are known already.
        severity: how grave it is, if not as grave as the lint rule says.
    """

    document: Written
    message: str
    hint: str
    row: Row | None = None
    path: Path = ()
    place: tuple[int, int] | None = None
    severity: Severity | None = None


class Timeline:
    """Pins by their windows: finds the first pin that is active at the same time as another.

    It is a segment tree (https://en.wikipedia.org/wiki/Segment_tree), since to compare each pin with
    each other takes minutes for 10,000 pins. A node stands for a span of time, its two children for
    the halves; node 1 is the root.

    Args:
        pins: all pins that are to be added or compared.
    """

    def __init__(self, pins: Iterable[Pin]) -> None:
        windows = [pin.window for pin in pins if pin.window]
        self._moments = sorted({*(window.start for window in windows), *(window.end for window in windows)})
        self._size = 1 << len(self._moments).bit_length()
        self._count = 0
        # Node → the first pin that is active in all of its span, and the first one that shows
        # another item. Then the same for pins that are active in a part of its span.
        self._whole: defaultdict[int, list[tuple[int, Pin]]] = defaultdict(list)
        self._part: defaultdict[int, list[tuple[int, Pin]]] = defaultdict(list)

    def add(self, pin: Pin) -> None:
        """Add a pin."""
        nodes, above = self._nodes(pin.window)
        kept = [self._whole[node] for node in nodes] + [self._part[node] for node in (*nodes, *above)]
        for pins in kept:
            if not pins or (len(pins) == 1 and not pin.shows_item_of(pins[0][1])):
                pins.append((self._count, pin))
        self._count += 1

    def find(self, pin: Pin, *, shows_other: bool = False) -> Pin | None:
        """Return the pin added first that is active at some time of another pin's window.

        Args:
            pin: the other pin.
            shows_other: whether to pass over pins of the item that ``pin`` shows.
        """
        nodes, above = self._nodes(pin.window)
        kept = [self._part[node] for node in nodes] + [self._whole[node] for node in above]
        found = [each for pins in kept for each in pins if not (shows_other and pin.shows_item_of(each[1]))]
        return min(found, key=itemgetter(0))[1] if found else None

    def _nodes(self, window: Window | None) -> tuple[list[int], set[int]]:
        """Return the nodes whose spans make up a window, and all nodes above them."""
        nodes: list[int] = []
        above: set[int] = set()
        if window is None:
            return nodes, above
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
            above.update(node >> up for up in range(1, node.bit_length()))
        return nodes, above


class Item(NamedTuple):
    """A customization that is at least an object."""

    document: Written
    row: Row
    data: Mapping[str, Any]
    pins: tuple[Pin, ...]

    def line(self, field: str) -> int:
        """Return the line of a field, or of the customization if it lacks it."""
        return self.row.place((field,))[0]

    def fault(self, path: Path, message: str, hint: str) -> Fault:
        """Return what is wrong with a part of it."""
        return Fault(self.document, message, hint, self.row, path)

    def pin_fault(self, pin: Pin, field: str, message: str, hint: str) -> Fault:
        """Return what is wrong with a field of one of its pins."""
        return self.fault(("pin_definitions", pin.number, field), message, hint)


@dataclass(frozen=True)
class Folder:
    """The documents of one folder: as a rule a tracker's, all of them.

    Attributes:
        documents: in the order of their paths.
        rules: the ids of all lint rules, which an ignore comment may name.
        now: the present, in UTC.
        expired_days: how many days after its end a pin is worth a word.
        tracker: the tracker's name, where there are several.
        expected: where documents lie, if no tracker reads these.
        misnamed: files that would be documents if their names ended in ``.yaml``.
    """

    documents: Sequence[Written]
    rules: Collection[str]
    now: datetime
    expired_days: int
    tracker: str | None = None
    expected: str | None = None
    misnamed: Sequence[Written] = ()

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The customizations of all documents, each with its pins in canonical order: ``fmt`` changes no finding."""
        return tuple(
            Item(document, row, row.data, tuple(_pins(row)))
            for document in self.documents
            for row in document.rows
            if isinstance(row.data, dict)
        )

    @cached_property
    def pins(self) -> tuple[tuple[Item, Pin], ...]:
        """The pins of all customizations, each with the one that it belongs to."""
        return tuple((item, pin) for item in self.items for pin in item.pins)


def is_absent(value: object) -> bool:
    """Return whether a field says no more than if it were left out."""
    return value is None or value in ("", [], {})


def _pins(row: Row) -> Iterator[Pin]:
    value = row.data.get(written.PINS)
    for index in row.pin_order() if isinstance(value, list) else ():
        if isinstance(value[index], dict):
            yield _pin(index, value[index])


def _pin(number: int, data: Mapping[str, Any]) -> Pin:
    position = data.get("position")
    if isinstance(position, float) and position.is_integer():
        data = {**data, "position": int(position)}
    return read_pin(data, number)
