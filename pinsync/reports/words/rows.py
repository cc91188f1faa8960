"""The rows of an entry: the pins of a rule on both sides, as they stand on their shelves."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.canonical.pins import SPOTS, read_pin
from pinsync.drift.changes import read_pins
from pinsync.reports.words.pins import describe_thing_forms
from pinsync.reports.words.slots import build_spot
from pinsync.shelf.shelf import find_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pinsync.canonical.pins import Pin
    from pinsync.drift.record import Change, PinChange
    from pinsync.reports.words.slots import SlotWords, Tile

    Spot = tuple[int, int, int]
    """The place of a cell in its row: the kind of position, the position, a counter."""

MAX_WHOLE: Final = 8
"""The maximum number of positions in a shelf that is shown whole."""
_MAX_SLOTS: Final = 20
"""The maximum number of positions in a row."""

_LEFT: Final = "the recommender chooses"
_OMITTED: Final = {
    "expired": "left out by the API: expired",
    "catalog": "left out by the API: not in the catalog",
}
ALONE: Final = (-1, 0, 0)
"""The spot of a cell that is the whole row."""


class Cell(NamedTuple):
    """A position of a row.

    Attributes:
        spot: the cells of both rows with one spot stand below each other.
        text: the words.
        is_changed: whether this pin differs between the sides.
        tile: the pin; None if the cell has words alone.
    """

    spot: Spot
    text: str
    is_changed: bool
    tile: Tile | None = None


class Row(NamedTuple):
    """The state of one side.

    Attributes:
        label: the name of the side.
        cells: the cells in their order.
    """

    label: str
    cells: tuple[Cell, ...]


class Section(NamedTuple):
    """Two states of a part of a rule.

    Attributes:
        caption: the words above the rows; empty if the entry's heading says it all.
        rows: the old side and the new one.
    """

    caption: str
    rows: tuple[Row, Row]


class Moments(NamedTuple):
    """The moments at which a change is seen, as `format_utc` returns them.

    Attributes:
        now: the moment of the report.
        shown: the moment at which the unchanged pins of a row are active.
    """

    now: str
    shown: str


def build_sections(
    change: Change, labels: tuple[str, str], words: SlotWords, moments: Moments
) -> Iterator[Section]:
    """Yield the shelves that differ: one section for each widget.

    Args:
        change: the change of a rule.
        labels: the labels of the old and the new row.
        words: writes the pins.
        moments: when the change is seen.
    """
    shelves = [Shelf(change, words, moments, is_new=is_new) for is_new in (False, True)]
    is_whole = change.kind in ("added", "removed")
    for widget in sorted({*shelves[0].widgets, *shelves[1].widgets}):
        cells = [shelf.widgets.get(widget, []) for shelf in shelves]
        changed = {cell.spot for row in cells for cell in row if cell.is_changed}
        if not changed:
            continue
        rows = []
        for label, shelf, row in zip(labels, shelves, cells, strict=True):
            filled = row if is_whole else _fill_gaps(row, changed)
            rows.append(_build_row(label, shelf, filled))
        rows = list(_cut(rows, changed))
        yield Section(widget, (rows[0], rows[1]))
    if is_whole and not change.pins:
        rows = [_build_row(label, shelf, ()) for label, shelf in zip(labels, shelves, strict=True)]
        yield Section("", (rows[0], rows[1]))


class Shelf:
    """The pins of one side of a change that are worth a look, by widget.

    These are the changed pins, with all their facts, and the other pins that are active at a
    moment.

    Args:
        change: the change.
        words: writes the pins.
        moments: when the change is seen.
        is_new: whether it is the new side.

    Attributes:
        widgets: the widget in words, empty for pins without one → the cells in their order.
    """

    def __init__(self, change: Change, words: SlotWords, moments: Moments, *, is_new: bool) -> None:
        self.widgets: dict[str, list[Cell]] = {}
        self._words = words
        self._now = moments.now
        self._is_new = is_new
        self._data = change.new_data if is_new else change.old_data
        self._changes = _map_changes(change.pins, is_new=is_new)
        counts: Counter[tuple[str, int, int]] = Counter()
        for data in read_pins(self._data):
            pin = read_pin(data)
            found = self._changes.get(repr(data))
            if found is None and find_state(pin, moments.shown) not in ("active", "unclear"):
                continue
            widget = ""
            if "widget_id" in data:
                widget = f"widget {words.format_value(data['widget_id'])}"
            place = (widget, *build_spot(pin))
            spot = (*build_spot(pin), counts[place])
            counts[place] += 1
            tile = self._describe(pin, found)
            cell = Cell(spot, tile.write(), found is not None, tile)
            self.widgets.setdefault(widget, []).append(cell)
        for cells in self.widgets.values():
            cells.sort(key=_get_spot)

    def _describe(self, pin: Pin, change: PinChange | None) -> Tile:
        """Return the words for a pin; those of a changed pin tell all its facts."""
        if change is None:
            return self._words.build_tile(pin)
        other = change.old if self._is_new else change.new
        facts = list(self._words.list_differing_facts(pin, other))
        if find_state(pin, self._now) == "over":
            facts.append("over")
        is_replaced = change.kind == "replaced"
        if self._is_new and is_replaced and other:
            facts += filter(None, [describe_thing_forms(other, pin)])
        if change.cause in _OMITTED:
            facts.append(_OMITTED[change.cause])
        return self._words.build_tile(pin, facts, other, is_replaced=is_replaced)

    def describe_emptiness(self) -> str:
        """Return the words for a shelf without pins."""
        kind = "pins" if self._data else "rule"
        return f"no {kind}: {_LEFT}"


def _build_row(label: str, shelf: Shelf, cells: Iterable[Cell]) -> Row:
    cells = tuple(cells)
    if not cells:
        cells = (Cell(ALONE, shelf.describe_emptiness(), True),)
    return Row(label, cells)


def _map_changes(changes: Iterable[PinChange], *, is_new: bool) -> dict[str, PinChange]:
    """Return the changes by the text of the pin on one side."""
    found: dict[str, PinChange] = {}
    for change in changes:
        pin = change.new if is_new else change.old
        if pin is not None:
            # repr() keeps apart values that are equal in Python, such as 1 and true.
            found[repr(pin.data)] = change
    return found


def _get_spot(cell: Cell) -> Spot:
    return cell.spot


def _fill_gaps(cells: Sequence[Cell], changed: set[Spot]) -> list[Cell]:
    """Return the cells, with words at the numbered positions that only the other side fills."""
    taken = {cell.spot for cell in cells}
    filled = list(cells)
    for spot in changed - taken:
        kind, position, counter = spot
        if SPOTS[kind] == "numbered" and counter == 0:
            filled.append(Cell(spot, f"#{position} ({_LEFT})", True))
    return sorted(filled, key=_get_spot)


def _cut(rows: Sequence[Row], changed: set[Spot]) -> Iterator[Row]:
    """Yield the rows, cut around the cells that differ if they are long."""
    spots = sorted({cell.spot for row in rows for cell in row.cells} - {ALONE})
    if len(spots) <= MAX_WHOLE:
        yield from rows
        return
    kept: set[Spot] = set()
    for index, spot in enumerate(spots):
        if spot in changed:
            kept.update(spots[max(index - 1, 0) : index + 2])
    kept = {ALONE, *sorted(kept)[:_MAX_SLOTS]}
    for row in rows:
        yield row._replace(cells=tuple(_cut_row(row.cells, kept)))


def _cut_row(cells: Sequence[Cell], kept: set[Spot]) -> Iterator[Cell]:
    for is_kept, group in groupby(cells, key=lambda cell: cell.spot in kept):
        found = list(group)
        if is_kept:
            yield from found
        else:
            same = "more" if any(cell.is_changed for cell in found) else "the same"
            yield Cell(found[0].spot, f"… {len(found)} {same} …", False)
