"""A pin's identity or criteria is missing, or doesn't fit its pin_type.

`pin_type: item` needs a `pin_identity`, and `pin_type: criteria` needs `pin_criteria`. A pin has
only the field that its type needs.

Correct `pin_type`, or write the field that it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.canonical.fields import PIN, map_choices
from pinsync.lint.folder import is_absent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Fault, Folder, Severity

ID: Final = "pin-fields"
SEVERITY: Final[Severity] = "error"

_FIELDS: Final = map_choices(PIN)


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the pins that lack the field of their type, and the fields of other types."""
    for item, pin in folder.pins:
        kind = pin.data.get("pin_type")
        # An unknown type is a finding of `schema`.
        if not isinstance(kind, str) or kind not in _FIELDS:
            continue
        needed = _FIELDS[kind]
        if is_absent(pin.data.get(needed)):
            message = f"pin_type {kind} needs {needed}, which is missing"
            yield item.build_pin_fault(pin, "pin_type", message, f"add {needed}")
        for other in _FIELDS.values():
            if other != needed and not is_absent(pin.data.get(other)):
                message = f"{other} doesn't go with pin_type {kind}"
                hint = f"remove {other}, or correct pin_type"
                yield item.build_pin_fault(pin, other, message, hint)
