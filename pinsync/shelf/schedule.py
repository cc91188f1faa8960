"""Build the schedule of a rule: when its shelf changes, and the troubles ahead.

Everything comes from one sweep over the sorted ends of the pins' windows. A window holds its start
and not its end. A pin whose window can't be read counts as always active; a window that ends before
it starts is never open.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

from msgspec import Struct

from pinsync.canonical.moments import ALWAYS, Window
from pinsync.canonical.pins import read_pin
from pinsync.drift.changes import read_pins
from pinsync.drift.shoppers import render_thing
from pinsync.shelf.overlaps import find_held_spot
from pinsync.shelf.shelf import build_shelf_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pinsync.canonical.pins import Pin

TroubleKind = Literal["gap", "conflict", "blocked", "empty"]
TROUBLE_KINDS: Final[tuple[TroubleKind, ...]] = get_args(TroubleKind)

MAX_SHELF: Final = 100
"""The maximum number of pins of a shelf in a step: 10,000 long shelves would fill the memory."""
MAX_INVOLVED: Final = 20
"""The maximum number of pins in a trouble."""
MAX_POSITION: Final = 50
"""The last position that a recommender returns, and so the last one that can be empty."""


class Booking(Struct, frozen=True):
    """A pin and the time in which it is active.

    Attributes:
        pin: the pin.
        window: the time; ``ALWAYS`` if it can't be read.
        is_readable: whether the window can be read.
    """

    pin: Pin
    window: Window
    is_readable: bool = True

    @property
    def is_open(self) -> bool:
        """Whether the window is ever open."""
        return self.window.start < self.window.end


class Step(Struct, frozen=True):
    """A moment at which a shelf changes. Pins are indexes of the schedule's bookings.

    Attributes:
        at: the moment, as an instant.
        started: the pins that come.
        ended: the pins that go.
        shelf: the first active pins afterwards.
        size: the number of all active pins afterwards.
    """

    at: str
    started: tuple[int, ...]
    ended: tuple[int, ...]
    shelf: tuple[int, ...]
    size: int


class Trouble(Struct, frozen=True):
    """A trouble of a rule.

    Attributes:
        kind: ``gap`` if positions are empty while a higher one of the widget is filled,
            ``conflict`` if several pins hold one position of a widget, ``blocked`` if an item is
            both pinned and blocked, ``empty`` if no pin of the rule is active.
        span: the whole time of the trouble.
        widget: the widget of the positions.
        positions: the first and the last position; None for ``blocked`` and ``empty``.
        item: the item that is blocked.
        pins: indexes of the pins that hold the position, one for each item; for ``blocked`` the
            first pin of the item.
    """

    kind: TroubleKind
    span: Window
    widget: str | None = None
    positions: tuple[int, int] | None = None
    item: str | None = None
    pins: tuple[int, ...] = ()


class Schedule(Struct, frozen=True):
    """The pins of a rule over time.

    Attributes:
        bookings: the pins in the order of the shelf.
        steps: the changes of the shelf within the limits, by time.
        troubles: the troubles that touch the limits, by time.
    """

    bookings: tuple[Booking, ...]
    steps: tuple[Step, ...]
    troubles: tuple[Trouble, ...]

    @property
    def unreadable(self) -> tuple[Booking, ...]:
        """The pins whose windows can't be read."""
        return tuple(booking for booking in self.bookings if not booking.is_readable)


def build_schedule(data: Mapping[str, Any], limits: Window) -> Schedule:
    """Return the schedule of a rule.

    Args:
        data: the fields of the rule.
        limits: the first and the last moment of the schedule, as instants.
    """
    bookings = tuple(_build_bookings(data))
    sweep = _Sweep(bookings)
    steps: list[Step] = []
    for turn in _list_turns(bookings):
        step = sweep.move(turn)
        if step is not None and limits.start <= step.at <= limits.end:
            steps.append(step)
    troubles = [
        trouble
        for trouble in sweep.list_troubles()
        if trouble.span.start <= limits.end and limits.start < trouble.span.end
    ]
    return Schedule(bookings, tuple(steps), tuple(sorted(troubles, key=_build_trouble_key)))


def _build_bookings(data: Mapping[str, Any]) -> Iterator[Booking]:
    pins = [read_pin(fields, number) for number, fields in enumerate(read_pins(data))]
    for pin in sorted(pins, key=build_shelf_key):
        window = pin.window
        if window is None:
            yield Booking(pin, ALWAYS, is_readable=False)
        else:
            yield Booking(pin, window)


class _Turn(NamedTuple):
    """The bookings that start and end at one instant."""

    at: str
    starts: list[int]
    ends: list[int]


def _list_turns(bookings: Sequence[Booking]) -> list[_Turn]:
    """Return the turns by time; the first one is the beginning of time, the end isn't in it."""
    turns = {ALWAYS.start: _Turn(ALWAYS.start, [], [])}
    for index, booking in enumerate(bookings):
        if booking.is_open:
            start, end = booking.window
            turns.setdefault(start, _Turn(start, [], [])).starts.append(index)
            turns.setdefault(end, _Turn(end, [], [])).ends.append(index)
    turns.pop(ALWAYS.end, None)
    return [turns[instant] for instant in sorted(turns)]


class _Sweep:
    """The shelf of a rule at the current instant, and the troubles so far.

    Args:
        bookings: the pins of the rule.
    """

    def __init__(self, bookings: Sequence[Booking]) -> None:
        self._bookings = bookings
        # Sorted, so that the first pins of the shelf are a slice.
        self._active: list[int] = []
        self._emptiness = _Spans()
        self._gaps = {widget: _Gaps(used) for widget, used in _collect_used(bookings).items()}
        self._conflicts = _Conflicts()
        self._blocks = _Blocks(_find_blocked(bookings))

    def move(self, turn: _Turn) -> Step | None:
        """Move to the next turn; return the change of the shelf, None without one."""
        for index in turn.ends:
            del self._active[bisect_left(self._active, index)]
        for index in turn.starts:
            insort(self._active, index)
        if self._bookings:
            self._emptiness.set("", turn.at, is_on=not self._active)
        ends = [(index, self._bookings[index].pin) for index in turn.ends]
        starts = [(index, self._bookings[index].pin) for index in turn.starts]
        self._update_gaps(turn.at, starts, ends)
        self._conflicts.move(turn.at, starts, ends)
        self._blocks.move(turn.at, starts, ends)
        # The beginning of time changes nothing.
        if turn.at == ALWAYS.start:
            return None
        started, ended = self._cancel(turn)
        if not started and not ended:
            return None
        shelf = tuple(self._active[:MAX_SHELF])
        return Step(turn.at, started, ended, shelf, len(self._active))

    def _update_gaps(self, at: str, starts: _Pins, ends: _Pins) -> None:
        changed: set[str | None] = set()
        for pins, number in ((ends, -1), (starts, 1)):
            for _, pin in pins:
                if spot := find_held_spot(pin):
                    self._gaps[pin.widget].count(spot[1], number)
                    changed.add(pin.widget)
        for widget in changed:
            self._gaps[widget].record(at)

    def _cancel(self, turn: _Turn) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the pins that start and end, without pairs of the same thing."""
        if not turn.starts or not turn.ends:
            return tuple(sorted(turn.starts)), tuple(sorted(turn.ends))
        things = {
            index: render_thing(self._bookings[index].pin) for index in (*turn.starts, *turn.ends)
        }
        ended = Counter(things[index] for index in turn.ends)
        common = ended & Counter(things[index] for index in turn.starts)
        return _remove(turn.starts, things, common), _remove(turn.ends, things, common)

    def list_troubles(self) -> Iterator[Trouble]:
        """Yield all troubles, after the last turn."""
        for _, span in self._emptiness.finish():
            yield Trouble("empty", span)
        for widget, gaps in self._gaps.items():
            for positions, span in gaps.list_spans():
                yield Trouble("gap", span, widget, positions)
        yield from self._conflicts.list_troubles()
        yield from self._blocks.list_troubles()


_Pins = list[tuple[int, "Pin"]]
"""Pins, each with the index of its booking."""


def _remove(
    indexes: Iterable[int], things: Mapping[int, str], surplus: Counter[str]
) -> tuple[int, ...]:
    """Return the indexes without as many of each thing as the counter says."""
    remaining = Counter(surplus)
    kept: list[int] = []
    for index in sorted(indexes):
        if remaining[things[index]]:
            remaining[things[index]] -= 1
        else:
            kept.append(index)
    return tuple(kept)


def _collect_used(bookings: Iterable[Booking]) -> dict[str | None, set[int]]:
    """Return the widgets with the positions that pins hold there at any time."""
    used: defaultdict[str | None, set[int]] = defaultdict(set)
    for booking in bookings:
        spot = find_held_spot(booking.pin)
        if spot is not None and booking.is_open:
            used[spot[0]].add(spot[1])
    return used


def _find_blocked(bookings: Sequence[Booking]) -> dict[str, int]:
    """Return the items that are blocked at any time, each with the first pin that names it."""
    blocked = {booking.pin.item for booking in bookings if booking.pin.is_block}
    items: dict[str, int] = {}
    for index, booking in enumerate(bookings):
        item = booking.pin.item
        if item is not None and item in blocked:
            items.setdefault(item, index)
    return items


class _Spans:
    """Conditions that come and go: records the time in which each of them holds."""

    def __init__(self) -> None:
        self._since: dict[Any, str] = {}
        self._spans: list[tuple[Any, Window]] = []

    def set(self, condition: object, at: str, *, is_on: bool) -> None:
        """Say whether a condition holds from an instant on."""
        if is_on:
            self._since.setdefault(condition, at)
        elif (start := self._since.pop(condition, None)) is not None:
            self._spans.append((condition, Window(start, at)))

    def finish(self) -> list[tuple[Any, Window]]:
        """Return the conditions with their times; one that still holds has no end."""
        unended = [(name, Window(start, ALWAYS.end)) for name, start in self._since.items()]
        return [*self._spans, *unended]


class _Gaps:
    """The empty positions of one widget below a filled one.

    Args:
        used: the positions that are filled at any time.
    """

    def __init__(self, used: Iterable[int]) -> None:
        self._counts: Counter[int] = Counter()
        self._filled: list[int] = []
        self._spans = _Spans()
        # Positions that are never filled are empty at the same time, so a run of them is one cell.
        self._cells: list[tuple[int, int]] = []
        free = 1
        for position in sorted(used):
            if free > MAX_POSITION:
                break
            if free < position:
                self._cells.append((free, min(position - 1, MAX_POSITION)))
            if position <= MAX_POSITION:
                self._cells.append((position, position))
            free = position + 1

    def count(self, position: int, number: int) -> None:
        """Add a number to the pins that hold a position."""
        before = self._counts[position]
        self._counts[position] = after = before + number
        if not before:
            insort(self._filled, position)
        elif not after:
            del self._filled[bisect_left(self._filled, position)]

    def record(self, at: str) -> None:
        """Record which positions are empty from an instant on."""
        highest = self._filled[-1] if self._filled else 0
        for cell in self._cells:
            is_empty = cell[1] < highest and not self._counts[cell[0]]
            self._spans.set(cell, at, is_on=is_empty)

    def list_spans(self) -> Iterator[tuple[tuple[int, int], Window]]:
        """Yield the first and the last of neighbouring positions that are empty together."""
        first, last, span = 0, 0, ALWAYS
        for cell, window in sorted(self._spans.finish(), key=_get_span_and_cell):
            if last and window == span and cell[0] == last + 1:
                last = cell[1]
                continue
            if last:
                yield (first, last), span
            (first, last), span = cell, window
        if last:
            yield (first, last), span


def _get_span_and_cell(item: tuple[tuple[int, int], Window]) -> tuple[Window, tuple[int, int]]:
    return item[1], item[0]


class _Conflicts:
    """The positions that pins of several things hold at the same time."""

    def __init__(self) -> None:
        self._spans = _Spans()
        # Spot → thing → the active pins of that thing, in the order of their starts.
        self._held: defaultdict[Any, dict[Any, dict[int, None]]] = defaultdict(dict)
        self._involved: dict[Any, dict[Any, int]] = {}
        self._pins: list[tuple[int, ...]] = []

    def move(self, at: str, starts: _Pins, ends: _Pins) -> None:
        """Move to an instant at which pins start and end."""
        changed = {}
        for index, pin in ends:
            if spot := find_held_spot(pin):
                things, thing = self._held[spot], _name_thing(index, pin)
                del things[thing][index]
                if not things[thing]:
                    del things[thing]
                changed[spot] = True
        for index, pin in starts:
            if spot := find_held_spot(pin):
                self._held[spot].setdefault(_name_thing(index, pin), {})[index] = None
                changed[spot] = True
        for spot in changed:
            self._record(spot, at)

    def _record(self, spot: object, at: str) -> None:
        things = self._held[spot]
        is_on = len(things) > 1
        if is_on:
            involved = self._involved.setdefault(spot, {})
            if len(involved) < MAX_INVOLVED:
                for thing, pins in islice(things.items(), MAX_INVOLVED):
                    involved.setdefault(thing, next(iter(pins)))
        elif spot in self._involved:
            self._pins.append(_choose_involved(self._involved.pop(spot)))
        self._spans.set(spot, at, is_on=is_on)

    def list_troubles(self) -> Iterator[Trouble]:
        """Yield the conflicts, after the last turn."""
        # In the order of the spans: first those that ended, then those that go on.
        self._pins += map(_choose_involved, self._involved.values())
        for (spot, span), pins in zip(self._spans.finish(), self._pins, strict=True):
            widget, position = spot
            yield Trouble("conflict", span, widget, (position, position), pins=pins)


def _name_thing(index: int, pin: Pin) -> str | int:
    """Return the item of a pin; a pin of criteria is like no other pin."""
    return index if pin.item is None else pin.item


def _choose_involved(pins: Mapping[Any, int]) -> tuple[int, ...]:
    return tuple(sorted(islice(pins.values(), MAX_INVOLVED)))


class _Blocks:
    """The items that are pinned and blocked at the same time.

    A block without a widget counts in every widget.

    Args:
        items: the items that are blocked at any time, each with the first pin that names it.
    """

    def __init__(self, items: Mapping[str, int]) -> None:
        self._spans = _Spans()
        self._items = items
        self._states = {item: _BlockState() for item in items}

    def move(self, at: str, starts: _Pins, ends: _Pins) -> None:
        """Move to an instant at which pins start and end."""
        if not self._states:
            return
        changed = set()
        for pins, number in ((ends, -1), (starts, 1)):
            for _, pin in pins:
                if pin.item is not None and pin.item in self._states:
                    self._states[pin.item].count(pin, number)
                    changed.add(pin.item)
        for item in changed:
            self._spans.set(item, at, is_on=self._states[item].is_blocked)

    def list_troubles(self) -> Iterator[Trouble]:
        """Yield the items with the times in which they are blocked, after the last turn."""
        for item, span in self._spans.finish():
            yield Trouble("blocked", span, item=item, pins=(self._items[item],))


class _BlockState:
    """The numbers of active pins and blocks of one item."""

    def __init__(self) -> None:
        self._pinned: Counter[str | None] = Counter()
        self._blocked: Counter[str | None] = Counter()
        self._pins = 0
        # The number of widgets with both a pin and a block of their own.
        self._widgets = 0

    @property
    def is_blocked(self) -> bool:
        """Whether a block meets a pin."""
        return bool(self._widgets or (self._blocked[None] and self._pins))

    def count(self, pin: Pin, number: int) -> None:
        """Add a number to the pins, or to the blocks, in the widget of a pin."""
        self._widgets -= self._is_met(pin.widget)
        if pin.is_block:
            self._blocked[pin.widget] += number
        else:
            self._pinned[pin.widget] += number
            self._pins += number
        self._widgets += self._is_met(pin.widget)

    def _is_met(self, widget: str | None) -> bool:
        return bool(self._pinned[widget] and self._blocked[widget])


def _build_trouble_key(trouble: Trouble) -> tuple[Any, ...]:
    return (
        trouble.span,
        TROUBLE_KINDS.index(trouble.kind),
        trouble.widget or "",
        trouble.positions or (0, 0),
        trouble.item or "",
    )
