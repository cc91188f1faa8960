"""Documents that aren't laid out as pinsync does it: read by a YAML parser, and laid out anew with their comments."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pinsync import canonical
from pinsync.canonical import normalize
from pinsync.document.comments import Counterpart, carry
from pinsync.document.loader import load
from pinsync.document.record import FORMAT, document_head
from pinsync.errors import DataError, FileError
from pinsync.yamlio import find_missing_blank, nearest

if TYPE_CHECKING:
    from pinsync.model import Customization
    from pinsync.yamlio import Loaded, Path

_KEYS = ("format", "model", "customizations")


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A document in canonical form.

    Attributes:
        model: the recommender model.
        text: the canonical text, with the comments.
        lines: the line, from 1, that each customization of ``text`` began on in the file.
    """

    model: str
    text: bytes
    lines: tuple[int, ...]


def lay_out(text: bytes, source: str) -> LaidOut:
    """Read any YAML document and lay it out canonically.

    Args:
        text: the file's bytes, with LF.
        source: the file's path, or ``revision:path``, for messages.

    Raises:
        FileError: the text isn't a document; with line and column.
    """
    loaded = load(text, source)
    model, rows = _skeleton(loaded, source)
    items = [_customization(row, index, model, loaded, source) for index, row in enumerate(rows)]
    ranked = sorted(range(len(items)), key=lambda index: canonical.order(items[index]))
    regular = b"".join((document_head(model), *(items[index].text for index in ranked)))
    if loaded.comments:
        counterparts = {
            index: _counterpart(rows[index], items[index], place)
            for place, index in enumerate(ranked)
        }
        after = load(regular, "the new text").marks
        regular = carry((text, loaded), (regular, after), counterparts, root=("customizations",))
    return LaidOut(
        model, regular, tuple(loaded.marks["customizations", index][0] for index in ranked)
    )


def _counterpart(row: dict[str, Any], item: Customization, place: int) -> Counterpart:
    new = canonical.read(item.text.decode())
    if new is None:
        raise AssertionError(f"canonical text that its own reader refuses: {item.id}")
    return Counterpart(row, normalize.normalize_row(row), new, place)


def _skeleton(loaded: Loaded, source: str) -> tuple[str, list[Any]]:
    """Check the three keys at the top; return the model and the rows."""
    data = loaded.data
    if not isinstance(data, dict):
        raise _error(
            loaded,
            (),
            source,
            "expected a document of pinsync: format, model, customizations",
            _WHERE if data is None else None,
        )
    for key in data:
        if key not in _KEYS:
            near = get_close_matches(key, _KEYS, 1)
            hint = f"did you mean {near[0]}?" if near else "remove it; notes belong into comments"
            raise _error(
                loaded,
                (key,),
                source,
                f"unknown key {key!r}; expected format, model and customizations",
                hint,
            )
    for key in _KEYS:
        if key not in data:
            raise _error(
                loaded,
                (),
                source,
                f"the key {key!r} is missing",
                f"add it; a document begins with {_HEAD}",
            )
    if data["format"] != FORMAT or isinstance(data["format"], bool):
        message = f"format: expected {FORMAT}, got {data['format']!r}"
        raise _error(
            loaded,
            ("format",),
            source,
            message,
            "a higher number is a newer pinsync's: upgrade pinsync",
        )
    if not isinstance(data["model"], str) or not data["model"]:
        message = f"model: expected a non-empty string, got {data['model']!r}"
        raise _error(
            loaded, ("model",), source, message, 'put it in quotes if it is one: model: "123"'
        )
    rows = [] if data["customizations"] is None else data["customizations"]
    if not isinstance(rows, list):
        raise _error(
            loaded,
            ("customizations",),
            source,
            "customizations: expected a list",
            "begin each with '- id:'",
        )
    return data["model"], rows


_HEAD = "'format: 1', 'model: NAME', 'customizations:'"
_WHERE = "an empty file says nothing of its model; remove it, or restore it with git"


def _customization(
    row: object, index: int, model: str, loaded: Loaded, source: str
) -> Customization:
    path = ("customizations", index)
    if not isinstance(row, dict):
        mended = find_missing_blank(row) if isinstance(row, str) else None
        hint = f"write {mended}, with a blank behind the colon" if mended else None
        raise _error(
            loaded,
            path,
            source,
            "expected a customization with an id, a target_type and so on",
            hint,
        )
    if "model" in row:
        message = "the model stands once, at the top of the document"
        raise _error(
            loaded,
            (*path, "model"),
            source,
            message,
            "remove the line, or move the rule to that model's file",
        )
    try:
        return normalize.build_customization(row, model=model)
    except DataError as error:
        raise _error(loaded, (*path, *error.path), source, error.message, error.hint) from error


def _error(loaded: Loaded, path: Path, source: str, message: str, hint: str | None) -> FileError:
    line, column = nearest(loaded.marks, path) or loaded.marks[()]
    return FileError(message, source=source, line=line, column=column, hint=hint)
