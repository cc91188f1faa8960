r"""An identity holds characters that can't be seen.

Controls, zero-width characters, and those that turn the direction of writing: they come along when text is copied
from a web page or a spreadsheet. Such an identity looks like the right one and is another, so that the rule matches
nothing; or it is made to look like another on purpose. In canonical text they stand as escapes, such as `\u200b`.

Remove them. Identities are the model, the ids, `target_identity`, `pin_identity` and `widget_id`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.errors import INVISIBLE
from pinsync.rules.folder import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.rules.folder import Folder, Severity

ID: Final = "invisible"
SEVERITY: Final[Severity] = "error"

_HINT: Final = "remove it, or write the identity anew"


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the identities with such characters."""
    for document in folder.documents:
        if message := _message("model", document.model):
            yield Fault(document, message, _HINT, path=("model",))
    for item in folder.items:
        for field in ("id", "target_identity"):
            if message := _message(field, item.data.get(field)):
                yield item.fault((field,), message, _HINT)
    for item, pin in folder.pins:
        for field in ("pin_identity", "widget_id"):
            if message := _message(field, pin.data.get(field)):
                yield item.pin_fault(pin, field, message, _HINT)


def _message(field: str, value: object) -> str | None:
    # isprintable() clears all but a few texts in a tenth of the time.
    if not isinstance(value, str) or value.isprintable() or not (found := INVISIBLE.search(value)):
        return None
    return f"{field}: the invisible character U+{ord(found[0]):04X} stands in it"
