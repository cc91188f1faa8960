"""The fields that the API documents, in canonical order.

Canonical text, drift, reports, configuration and lint are made from these rows. The fast path in
`rows`, the schema of a document and the sandbox have tables of their own; "A new field of the API"
in docs/explanation/architecture.md names them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

FieldType = Literal[
    "id",
    "text",
    "choice",
    "integer",
    "flag",
    "date-time",
    "object",
    "strings",
    "pins",
]
"""An id is text that isn't empty, a choice one of a few texts."""

TARGET_TYPES: Final = "item", "criteria", "all"
"""The target types, in the order of their priority."""
PIN_TYPES: Final = "item", "criteria"

_NEVER: Final = ()
_NULL: Final = (None,)
_UNSET: Final = None, False
_NOTHING: Final[tuple[object, ...]] = None, [], {}
_MAY_BE_EMPTY: Final = frozenset((type(None), bool, list, dict))


class Field(NamedTuple):
    """A field of a customization or of a pin.

    Attributes:
        name: its key.
        type: the type of its values.
        empty: the values that mean the same as a missing field.
        is_required: whether the API demands it.
        is_label: whether shoppers don't notice a change of it.
        choices: the texts that the API accepts in a choice.
        goes_with: the text of the choice that the field belongs to; empty for all texts.
    """

    name: str
    type: FieldType
    empty: tuple[object, ...]
    is_required: bool = False
    is_label: bool = False
    choices: tuple[str, ...] = ()
    goes_with: str = ""


CUSTOMIZATION: Final = (
    Field("id", "id", _NEVER, is_label=True),
    Field("target_type", "choice", _NEVER, is_required=True, choices=TARGET_TYPES),
    Field("target_identity", "text", _NULL, goes_with="item"),
    Field("target_criteria", "object", _NOTHING, goes_with="criteria"),
    Field("tags", "strings", _NOTHING, is_label=True),
    Field("target_metadata", "object", _NOTHING, is_label=True),
    Field("pin_definitions", "pins", _NOTHING),
)
PIN: Final = (
    Field("position", "integer", _NEVER, is_required=True),
    Field("pin_type", "choice", _NEVER, is_required=True, choices=PIN_TYPES),
    Field("pin_identity", "text", _NULL, goes_with="item"),
    Field("pin_criteria", "object", _NOTHING, goes_with="criteria"),
    Field("widget_id", "text", _NULL),
    Field("is_block_pin", "flag", _UNSET),
    Field("is_bundle_pin", "flag", _UNSET),
    Field("active_from", "date-time", _NULL),
    Field("active_to", "date-time", _NULL),
)
MODEL: Final = "model"
"""The field of a customization that a document holds once, at its top."""
NOT_WRITTEN: Final = frozenset(("created_at", "updated_at"))
"""Fields of an answer that no document holds."""


def is_empty(value: object, empty: tuple[object, ...]) -> bool:
    """Return whether a value is one of a field's empty values."""
    # 0 is no empty value, although it equals False.
    return value in empty and type(value) in _MAY_BE_EMPTY


def select_choice(fields: Iterable[Field]) -> tuple[str, ...]:
    """Return the names of the choice and of the fields that belong to one of its texts."""
    return tuple(field.name for field in fields if field.choices or field.goes_with)


def map_choices(fields: Iterable[Field]) -> dict[str, str]:
    """Map the texts of a choice to the field that belongs to the text."""
    return {field.goes_with: field.name for field in fields if field.goes_with}


def select_names(fields: Iterable[Field], *types: FieldType) -> tuple[str, ...]:
    """Return the names of the fields of some types, or of all fields if no type is given."""
    return tuple(field.name for field in fields if not types or field.type in types)


KNOWN: Final = frozenset((MODEL, *select_names(CUSTOMIZATION)))
"""The fields of a customization that a document holds."""
IDENTITY: Final = frozenset((MODEL, "id", *select_choice(CUSTOMIZATION)))
"""The fields that identify a customization: its model, its id and its target."""
LABELS: Final = frozenset(field.name for field in CUSTOMIZATION if field.is_label)
THING: Final = select_choice(PIN)
"""The fields of a pin that name the pinned item or the criteria."""
PLACE: Final = "position", "widget_id"
"""The fields of a pin that give its place in the recommender."""
WINDOW: Final = "active_from", "active_to"
"""The fields of a pin that say when it is active."""

_TEXTS: Final[tuple[FieldType, ...]] = "id", "text", "choice", "date-time"
_CUSTOMIZATION_TEXTS: Final = frozenset(select_names(CUSTOMIZATION, *_TEXTS))
_PIN_TEXTS: Final = frozenset(select_names(PIN, *_TEXTS))


def holds_text(path: tuple[str | int, ...]) -> bool:
    """Return whether a field of a customization holds text: a name, a date-time or a tag."""
    match path:
        case (str(name),):
            return name in _CUSTOMIZATION_TEXTS
        case ("pin_definitions", int(), str(name)):
            return name in _PIN_TEXTS
        case ("tags", int()):
            return True
    return False
