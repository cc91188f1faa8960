"""A customization has a target field that doesn't fit its target_type.

`target_identity` belongs to `target_type: item`, `target_criteria` to `criteria`, and `all` has
neither. Probably somebody changed the type or the field and forgot the other, and the rule applies
to another target than it seems to.

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

_FIELD_OF_TYPE: Final = map_choices(CUSTOMIZATION)


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the target fields that belong to another type."""
    for item in folder.items:
        kind = item.data.get("target_type")
        # An unknown type is a finding of `schema`.
        if kind not in TARGET_TYPES:
            continue
        for fitting, field in _FIELD_OF_TYPE.items():
            if kind != fitting and not is_absent(item.data.get(field)):
                message = f"{field} goes with target_type {fitting}, not {kind}"
                hint = f"remove {field}, or write target_type: {fitting}"
                yield item.build_fault((field,), message, hint)
