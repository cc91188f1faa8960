"""The behaviour that the vendor's reference leaves open, as choices."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct, structs

from pinsync.errors import UsageError, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Choices(Struct, frozen=True):
    """One reading of the reference; the default reading asks most of a client.

    Attributes:
        create_status: the status of the answer to a created customization.
        metadata_on_create: whether a customization of an item needs ``target_metadata``.
        metadata_on_put: whether a PUT stores the ``target_metadata`` of its body, keeps the stored
            one, or drops both. The reference's table of a PUT lacks the field.
        taken_target: whether another customization with the model and the target of a stored one is
            refused (409) or stored beside it.
        unknown_fields: whether a field that the reference doesn't list is refused (422), stored or
            left out. The timestamps are such fields in a body, since only the server sets them.
        timestamps: the timestamps in answers.
        bulk: whether a bulk call that fails stores nothing, or the lines before its failure.
        bulk_conflict: whether a taken target is a conflict in a bulk call, or nothing is.
        stale_export: the seconds for which exports and lists don't show a write.
        stale_get: the seconds for which a GET of one customization doesn't show a write.
    """

    create_status: Literal[200, 201] = 200
    metadata_on_create: Literal["required", "optional"] = "required"
    metadata_on_put: Literal["replace", "keep", "drop"] = "replace"
    taken_target: Literal["refuse", "double"] = "refuse"
    unknown_fields: Literal["refuse", "keep", "drop"] = "refuse"
    timestamps: Literal["both", "created", "updated", "none"] = "both"
    bulk: Literal["atomic", "partial"] = "atomic"
    bulk_conflict: Literal["target", "never"] = "target"
    stale_export: float = 0.0
    stale_get: float = 0.0


STRICT: Final = Choices()

VALUES: Final[Mapping[str, tuple[int | str, ...]]] = MappingProxyType(
    {
        "create-status": (200, 201),
        "metadata-on-create": ("required", "optional"),
        "metadata-on-put": ("replace", "keep", "drop"),
        "taken-target": ("refuse", "double"),
        "unknown-fields": ("refuse", "keep", "drop"),
        "timestamps": ("both", "created", "updated", "none"),
        "bulk": ("atomic", "partial"),
        "bulk-conflict": ("target", "never"),
    }
)
"""The values of each name of ``--api``; the first one is the default, the second needs no word."""

DELAYS: Final = ("stale-export", "stale-get")
DEFAULT_DELAY: Final = 5.0
MAX_DELAY: Final = 3600.0


def parse_choices(specs: Sequence[str]) -> Choices:
    """Return the choices of ``--api`` options in the form ``NAME[=VALUE]``; the last one counts.

    Raises:
        UsageError: a text names no choice, or a value that the choice doesn't have.
    """
    changes: dict[str, int | str | float] = {}
    for spec in specs:
        name, has_value, value = spec.partition("=")
        changes[name.replace("-", "_")] = _parse_choice(name, value if has_value else None)
    return structs.replace(STRICT, **changes)


def _parse_choice(name: str, value: str | None) -> int | str | float:
    if name in DELAYS:
        return _parse_delay(name, value)
    if name not in VALUES:
        raise UsageError(f"--api knows no choice {name!r}", hint=suggest(name, (*VALUES, *DELAYS)))
    values = VALUES[name]
    if value is None:
        return values[1]
    for choice in values:
        if value == str(choice):
            return choice
    hint = f"choose one of {', '.join(map(str, values))}"
    raise UsageError(f"--api {name} has no value {value!r}", hint=hint)


def _parse_delay(name: str, value: str | None) -> float:
    try:
        seconds = DEFAULT_DELAY if value is None else float(value)
    except ValueError:
        seconds = math.nan
    # NaN is not in the range either.
    if 0 <= seconds <= MAX_DELAY:
        return seconds
    hint = f"write a number of seconds from 0 to {MAX_DELAY:.0f}"
    raise UsageError(f"--api {name} has no value {value!r}", hint=hint)
