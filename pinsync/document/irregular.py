"""Read documents in any YAML layout, and lay them out canonically with their comments."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from pinsync import canonical
from pinsync.canonical import normalize
from pinsync.document.comments import Counterpart, carry
from pinsync.document.loader import load
from pinsync.document.record import FORMAT, render_head
from pinsync.errors import DataError, FileError
from pinsync.yamlio import find_missing_blank, find_nearest_place

if TYPE_CHECKING:
    from pinsync.model import Customization
    from pinsync.yamlio import Loaded, Path

_KEYS: Final = ("format", "model", "customizations")
_HEAD: Final = "'format: 1', 'model: NAME', 'customizations:'"


class CanonicalForm(Struct, frozen=True):
    """A document in canonical form.

    Attributes:
        model: the recommender model.
        text: the canonical text, with the comments.
        lines: the first line in the file, from 1, of each customization of ``text``.
    """

    model: str
    text: bytes
    lines: tuple[int, ...]


def lay_out_document(text: bytes, source: str) -> CanonicalForm:
    """Read any YAML document and lay it out canonically.

    Args:
        text: the file's bytes, with LF.
        source: the file's path, or ``revision:path``, for messages.

    Raises:
        FileError: the text isn't a document; with line and column.
    """
    loaded = load(text, source)
    reader = _Reader(loaded, source)
    model, rows = reader.read_keys()
    items = [reader.build_customization(row, index, model) for index, row in enumerate(rows)]
    # The indexes of the rows, in the order of the canonical text.
    ranked = sorted(range(len(items)), key=lambda index: canonical.build_sort_key(items[index]))
    form = b"".join((render_head(model), *(items[index].text for index in ranked)))
    if loaded.comments:
        counterparts: dict[int, Counterpart] = {}
        for place, index in enumerate(ranked):
            counterparts[index] = _build_counterpart(rows[index], items[index], place)
        marks = load(form, "the new text").marks
        form = carry((text, loaded), (form, marks), counterparts, root=("customizations",))
    lines = tuple(loaded.marks["customizations", index][0] for index in ranked)
    return CanonicalForm(model, form, lines)


def _build_counterpart(row: dict[str, Any], item: Customization, place: int) -> Counterpart:
    new = canonical.read(item.text.decode())
    if new is None:
        raise AssertionError(f"canonical text that its own reader refuses: {item.id}")
    return Counterpart(row, normalize.normalize_row(row), new, place)


class _Reader(Struct, frozen=True):
    """Reads the parsed YAML of a document.

    Attributes:
        loaded: the parsed YAML.
        source: the file's path, or ``revision:path``, for messages.
    """

    loaded: Loaded
    source: str

    def read_keys(self) -> tuple[str, list[Any]]:
        """Return the model and the rows, after a check of the keys at the top."""
        data = self.loaded.data
        if not isinstance(data, dict):
            hint = None
            if data is None:
                hint = "an empty file names no model; remove it, or restore it with git"
            message = "expected a document of pinsync: format, model, customizations"
            raise self.build_error((), message, hint)
        for key in data:
            if key not in _KEYS:
                message = f"unknown key {key!r}; expected format, model and customizations"
                raise self.build_error((key,), message, _suggest_key(key))
        for key in _KEYS:
            if key not in data:
                hint = f"add it; a document begins with {_HEAD}"
                raise self.build_error((), f"the key {key!r} is missing", hint)
        # In Python, true equals 1.
        if data["format"] != FORMAT or isinstance(data["format"], bool):
            message = f"format: expected {FORMAT}, got {data['format']!r}"
            hint = "a higher number comes from a newer pinsync: upgrade pinsync"
            raise self.build_error(("format",), message, hint)
        if not isinstance(data["model"], str) or not data["model"]:
            message = f"model: expected a non-empty string, got {data['model']!r}"
            hint = 'put the name of the model in quotes: model: "123"'
            raise self.build_error(("model",), message, hint)
        # YAML's null: a person may have removed all customizations by hand.
        rows = [] if data["customizations"] is None else data["customizations"]
        if not isinstance(rows, list):
            message = "customizations: expected a list"
            raise self.build_error(
                ("customizations",), message, "begin each customization with '- id:'"
            )
        return data["model"], rows

    def build_customization(self, row: object, index: int, model: str) -> Customization:
        """Return the customization of a row, or raise a FileError with the place of the fault."""
        path = ("customizations", index)
        if not isinstance(row, dict):
            message = "expected a customization with an id, a target_type and so on"
            # YAML reads "id:a" as text, because it expects a blank behind the colon.
            mended = find_missing_blank(row) if isinstance(row, str) else None
            hint = f"write {mended}, with a blank behind the colon" if mended else None
            raise self.build_error(path, message, hint)
        if "model" in row:
            message = "the model stands once, at the top of the document"
            hint = "remove the line, or move the rule to that model's file"
            raise self.build_error((*path, "model"), message, hint)
        try:
            return normalize.build_customization(row, model=model)
        except DataError as error:
            place = (*path, *error.path)
            raise self.build_error(place, error.message, error.hint) from error

    def build_error(self, path: Path, message: str, hint: str | None) -> FileError:
        """Return an error at the place of a value, or of the nearest value around it."""
        line, column = find_nearest_place(self.loaded.marks, path) or self.loaded.marks[()]
        return FileError(message, source=self.source, line=line, column=column, hint=hint)


def _suggest_key(key: str) -> str:
    near = get_close_matches(key, _KEYS, 1)
    return f"did you mean {near[0]}?" if near else "remove it; notes belong into comments"
