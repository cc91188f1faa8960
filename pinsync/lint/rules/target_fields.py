"""A customization says what it applies to in a field that doesn't go with its target_type.

`target_identity` goes with `target_type: item`, `target_criteria` with `criteria`, and neither with `all`. With the
wrong one, either the type or the field was forgotten when the other was changed, and the rule applies to something
else than it seems to.

Correct `target_type`, or remove the field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.canonical.fields import CUSTOMIZATION, TARGET_TYPES, map_choices
from pinsync.lint.folder import is_absent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Fault, Folder, Severity

ID: Final = "target-fields"
SEVERITY: Final[Severity] = "error"

_FIELDS: Final = map_choices(CUSTOMIZATION)


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the fields that don't go with the type."""
    for item in folder.items:
        kind = item.data.get("target_type")
        for fitting, field in _FIELDS.items() if kind in TARGET_TYPES else ():
            if kind != fitting and not is_absent(item.data.get(field)):
                message = f"{field} goes with target_type {fitting}, not {kind}"
                yield item.fault((field,), message, f"remove {field}, or write target_type: {fitting}")
