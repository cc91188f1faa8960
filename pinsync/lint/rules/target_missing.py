"""A customization lacks the field for its target.

`target_type: item` needs a `target_identity`, and `target_type: criteria` needs `target_criteria`.
This is only a warning, because the vendor's reference itself shows an export in which an item's
identity is absent.

Add the field; for a rule that is to apply everywhere, write `target_type: all`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.canonical.fields import CUSTOMIZATION, map_choices
from pinsync.lint.folder import is_absent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Fault, Folder, Severity

ID: Final = "target-missing"
SEVERITY: Final[Severity] = "warning"

_FIELDS: Final = map_choices(CUSTOMIZATION)


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the customizations without the field that their type needs."""
    for item in folder.items:
        kind = item.data.get("target_type")
        field = _FIELDS.get(kind) if isinstance(kind, str) else None
        if field and is_absent(item.data.get(field)):
            message = f"target_type {kind} needs {field}, which is missing"
            yield item.build_fault(
                ("target_type",), message, f"add {field}, or write target_type: all"
            )
