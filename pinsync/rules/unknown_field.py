"""A customization or a pin has a field that isn't documented.

If it is misspelt, what it says counts for nothing. If it is a new field of the API, it is kept as it stands, and only
pinsync doesn't know it yet; hence a warning.

Correct the name; ignore the rule for a field that you know to be right: `# pinsync: ignore[unknown-field]`.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from pinsync.rules.fields import CUSTOMIZATION, NOT_WRITTEN, PIN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pinsync.rules.folder import Fault, Folder, Severity

ID: Final = "unknown-field"
SEVERITY: Final[Severity] = "warning"

_OF_A_CUSTOMIZATION: Final = NOT_WRITTEN.union(CUSTOMIZATION, ("model",))


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the fields that aren't known."""
    for item in folder.items:
        for name in item.data.keys() - _OF_A_CUSTOMIZATION:
            yield item.fault((name,), f'"{name}": a customization has no such field', _hint(name, CUSTOMIZATION))
    for item, pin in folder.pins:
        for name in pin.data.keys() - PIN.keys():
            yield item.pin_fault(pin, name, f'"{name}": a pin has no such field', _hint(name, PIN))


def _hint(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f'did you mean "{near[0]}"?' if near else f"known are {', '.join(known)}"
