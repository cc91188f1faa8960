"""The input of the lint rules, documents with their customizations and pins, and their faults."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from pinsync.canonical.moments import ALWAYS
from pinsync.canonical.pins import read_pin
from pinsync.document import written
from pinsync.model import ALL_RULES, Managed
from pinsync.shelf.overlaps import find_overlap

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from pinsync.canonical.moments import Window
    from pinsync.canonical.pins import Pin
    from pinsync.document.written import Row, Written

Path = tuple[str | int, ...]
Severity = Literal["error", "warning"]


class Fault(NamedTuple):
    """A fault that a lint rule found.

    The engine looks up its line, and only for the faults that are shown.

    Attributes:
        document: the file.
        message: the fault in one sentence.
        hint: the remedy.
        row: the faulty customization, if any.
        path: the path of the faulty part, in the customization or at the top of the document.
        place: line and column, if they are known already.
        severity: the severity, if it isn't the lint rule's.
    """

    document: Written
    message: str
    hint: str
    row: Row | None = None
    path: Path = ()
    place: tuple[int, int] | None = None
    severity: Severity | None = None


class Item(NamedTuple):
    """A customization whose YAML is a mapping."""

    document: Written
    row: Row
    data: Mapping[str, Any]
    pins: tuple[Pin, ...]

    def find_line(self, field: str) -> int:
        """Return the line of a field, or of the customization if it lacks the field."""
        return self.row.find_place((field,))[0]

    def build_fault(self, path: Path, message: str, hint: str) -> Fault:
        """Return a fault of the part at ``path``."""
        return Fault(self.document, message, hint, self.row, path)

    def build_pin_fault(self, pin: Pin, field: str, message: str, hint: str) -> Fault:
        """Return a fault of a field of one of its pins.

        ``pin.number`` is the pin's index in the file; ``pins`` are in canonical order.
        """
        return self.build_fault(("pin_definitions", pin.number, field), message, hint)


class Folder(Struct, frozen=True, dict=True):
    """The documents of one folder, usually all documents of a tracker.

    Attributes:
        documents: the documents, sorted by path.
        rules: the ids of all lint rules, which an ignore comment may name.
        now: the present, in UTC.
        expired_days: the number of days after its end until a pin counts as expired.
        tracker: the name of the tracker, if there are several.
        expected: the folder that a tracker reads instead, if no tracker reads this folder.
        misnamed: files that would be documents if their names ended in ``.yaml``.
        missing_items: the identities of the items that ``items.json`` says the catalog lacks.
        managed: the rules that the folder's tracker manages.
        limits: the time in which overlaps of windows count.
    """

    documents: Sequence[Written]
    rules: Collection[str]
    now: datetime
    expired_days: int
    tracker: str | None = None
    expected: str | None = None
    misnamed: Sequence[Written] = ()
    missing_items: Collection[str] = ()
    managed: Managed = ALL_RULES
    limits: Window = ALWAYS

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The customizations of all documents."""
        items: list[Item] = []
        for document in self.documents:
            rows = [row for row in document.rows if isinstance(row.data, dict)]
            items += [Item(document, row, row.data, tuple(_read_pins(row))) for row in rows]
        return tuple(items)

    @cached_property
    def pins(self) -> tuple[tuple[Item, Pin], ...]:
        """The pins of all customizations, each with its customization."""
        pairs: list[tuple[Item, Pin]] = []
        for item in self.items:
            pairs += [(item, pin) for pin in item.pins]
        return tuple(pairs)

    def is_managed(self, document: Written, row: Row) -> bool:
        """Return whether a customization is managed, or could be once its faults are mended."""
        managed, model = self.managed, document.model
        if model is None:
            managed = replace(managed, models=None)
        tags: Sequence[object] | None = None
        if isinstance(row.data, dict):
            tags = row.data.get("tags") or ()
        if not isinstance(tags, list | tuple) or not all(isinstance(tag, str) for tag in tags):
            managed = replace(managed, tags=None)
        return managed.includes(model or "", lambda: map(str, tags or ()))

    def has_managed(self, document: Written) -> bool:
        """Return whether a document holds a managed customization, or could hold one."""
        if document.faults or not document.rows:
            # Without readable customizations, the model alone may decide.
            models = self.managed.models
            return models is None or document.model is None or document.model in models
        return any(self.is_managed(document, row) for row in document.rows)


def describe_overlap(pin: Pin, other: Pin) -> str:
    """Return the time in which two pins are both active: ``from … to …``, in UTC."""
    window = find_overlap(pin, other)
    if window is None:
        raise ValueError("the pins don't overlap")
    start = f"{window.start}Z" if window.start != ALWAYS.start else ""
    end = f"{window.end}Z" if window.end != ALWAYS.end else ""
    if start and end:
        return f"from {start} to {end}"
    if start:
        return f"from {start} on"
    return f"until {end}" if end else "at all times"


def is_absent(value: object) -> bool:
    """Return whether lint treats a value as if the field were omitted.

    The empty string counts too, since nobody writes it on purpose, though the API keeps it.
    """
    return value is None or value in ("", [], {})


def _read_pins(row: Row) -> Iterator[Pin]:
    pins = row.data.get(written.PINS)
    if not isinstance(pins, list):
        return
    # In canonical order, so that ``fmt`` doesn't change the findings.
    for index in row.sort_pins():
        if isinstance(pins[index], dict):
            yield _read_pin(index, pins[index])


def _read_pin(number: int, data: Mapping[str, Any]) -> Pin:
    position = data.get("position")
    # The API may write a position as 1.0.
    if isinstance(position, float) and position.is_integer():
        data = {**data, "position": int(position)}
    return read_pin(data, number)
