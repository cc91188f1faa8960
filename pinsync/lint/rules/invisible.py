r"""An identity holds invisible characters, or blanks that look alike.

These are controls, zero-width characters, fillers, variation selectors without an emoji,
characters that change the direction of writing, blanks other than the usual one, and any blank at
either end. They come along when text is copied from a web page or a spreadsheet. Such an identity
looks right but differs from the right one, so that the rule matches nothing; or somebody made it
look like another one on purpose. Reports show the characters as escapes, such as `\u200b`.

Remove them. Identities are the model, the ids, `target_identity`, `pin_identity`, `widget_id`, and
the tags, which filters compare to the letter. Joiners within a word of a tag are fine, since
Persian, Hindi and emoji need them. Titles and other metadata may hold any character, and so may
criteria, which have to match the catalog exactly.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pinsync.canonical.fields import CUSTOMIZATION, PIN, select_names
from pinsync.escape import BLANKS, HIDDEN
from pinsync.lint.folder import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.lint.folder import Folder, Item, Severity

ID: Final = "invisible"
SEVERITY: Final[Severity] = "error"

_FIELDS: Final = select_names(CUSTOMIZATION, "id", "text")
_PIN_FIELDS: Final = select_names(PIN, "text")
_HINT: Final = "remove it, or write the identity anew"
_BLANK: Final = re.compile(f"[{BLANKS}]")
# The zero-width joiner and non-joiner, between letters beyond Latin, Greek and Cyrillic, or emoji.
_JOINER: Final = re.compile("(?<=[\u0530-\U000dffff])[\u200c\u200d](?=[\u0530-\U000dffff])")


def check(folder: Folder) -> Iterator[Fault]:
    """Yield the identities with invisible characters or unusual blanks."""
    for document in folder.documents:
        message = _find_hidden("model", document.model)
        if message is not None:
            yield Fault(document, message, _HINT, path=("model",))
    for item in folder.items:
        for field in _FIELDS:
            message = _find_hidden(field, item.data.get(field))
            if message is not None:
                yield item.build_fault((field,), message, _HINT)
        yield from _check_tags(item)
    for item, pin in folder.pins:
        for field in _PIN_FIELDS:
            message = _find_hidden(field, pin.data.get(field))
            if message is not None:
                yield item.build_pin_fault(pin, field, message, _HINT)


def _check_tags(item: Item) -> Iterator[Fault]:
    tags = item.data.get("tags")
    if not isinstance(tags, list):
        return
    for index, tag in enumerate(tags):
        if not isinstance(tag, str):
            continue
        message = _find_hidden("tags", _JOINER.sub("", tag))
        if message is not None:
            yield item.build_fault(("tags", index), message, _HINT)


def _find_hidden(field: str, value: object) -> str | None:
    if not isinstance(value, str):
        return None
    # Plain ASCII needs no search, which takes ten times as long.
    if value.isascii() and value.isprintable() and value == value.strip():
        return None
    found = re.search(HIDDEN, value)
    if found is not None:
        kind = "blank" if _BLANK.match(found[0]) else "invisible character"
        return f"{field}: the {kind} U+{ord(found[0]):04X} stands in it"
    if value != value.strip():
        return f"{field}: a blank stands at an end of it"
    return None
