"""A customization or a pin has a field that isn't documented.

The value of a misspelt field has no effect: a pin with `active_til` never ends. A name close to a
known one is therefore an error. Any other name is only a warning: it may be a new field of the API,
which pinsync keeps.

Correct the name; for a field that you know to be right, write
`# pinsync: ignore[unknown-field]`.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from pinsync.canonical.fields import CUSTOMIZATION, KNOWN, NOT_WRITTEN, PIN, select_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pinsync.lint.folder import Fault, Folder, Severity

ID: Final = "unknown-field"
SEVERITY: Final[Severity] = "warning"

# Above the similarity of different words (position, priority: 0.63), below that of typing errors
# (active_to, active_til: 0.84).
_MISSPELT: Final = 0.8
_OF_A_CUSTOMIZATION: Final = select_names(CUSTOMIZATION)
_OF_A_PIN: Final = select_names(PIN)


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the fields that the API doesn't document."""
    for item in folder.items:
        for name in item.data.keys() - KNOWN - NOT_WRITTEN:
            message = f'"{name}": a customization has no such field'
            fault = item.build_fault((name,), message, _write_hint(name, _OF_A_CUSTOMIZATION))
            yield fault._replace(severity=_choose_severity(name, _OF_A_CUSTOMIZATION))
    for item, pin in folder.pins:
        for name in pin.data.keys() - _OF_A_PIN:
            message = f'"{name}": a pin has no such field'
            fault = item.build_pin_fault(pin, name, message, _write_hint(name, _OF_A_PIN))
            yield fault._replace(severity=_choose_severity(name, _OF_A_PIN))


def _choose_severity(name: str, known: Collection[str]) -> Severity:
    return "error" if get_close_matches(name, known, 1, _MISSPELT) else SEVERITY


def _write_hint(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f'did you mean "{near[0]}"?' if near else f"known are {', '.join(known)}"
