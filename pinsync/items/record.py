"""An item's title and image, as the catalog has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from pinsync.escape import clip

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_TITLE: Final = 300
"""The longest title in characters; a longer one is cut."""
MAX_IMAGE: Final = 2000
"""The longest URL of an image in characters; browsers and servers take no longer ones for sure."""

_USUAL_IMAGE: Final = r"https://[a-z0-9.-]*[a-z0-9](?:/|\Z)"
_HOST: Final = r"https://([A-Za-z0-9.-]+)/"
_SURROGATE: Final = "[\ud800-\udfff]"


class Item(NamedTuple):
    """The title and the image of an item.

    Attributes:
        title: the title; None without one.
        image: the https URL of a picture; None without one.
    """

    title: str | None = None
    image: str | None = None


Items: TypeAlias = Mapping[str, Item | None]
"""Identity → item; None for an item that the catalog lacks."""


def read_item(attributes: Mapping[str, Any]) -> Item:
    """Return the item with these attributes of the catalog, which are foreign text.

    A value may be a text or a list of texts, of which the first counts. A value of another type
    counts as missing, and so does an image that is no usable URL.
    """
    title = clean_title(_read_text(attributes.get("title")))
    image = _read_text(attributes.get("image_link"))
    return Item(title or None, image if is_image(image) else None)


def _read_text(value: object) -> str:
    """Return the first text of a value; empty without one."""
    if isinstance(value, list):
        value = next(iter(value), None)
    return value if isinstance(value, str) else ""


def clean_title(text: str) -> str:
    """Return a title in valid Unicode on one line, cut if it is too long."""
    # Half a surrogate pair can't be written to a file.
    text = re.sub(_SURROGATE, "\ufffd", text)
    return clip(" ".join(text.split()), MAX_TITLE)


def is_image(text: str) -> bool:
    """Return whether a text is a usable URL of an image.

    That is an https URL of at most `MAX_IMAGE` characters, without blanks, invisible characters,
    and user names.
    """
    if len(text) > MAX_IMAGE or " " in text or not text.isprintable():
        return False
    # Most images, in a tenth of the time of urlsplit().
    if re.match(_USUAL_IMAGE, text):
        return True
    try:
        url = urlsplit(text)
        return url.scheme == "https" and bool(url.hostname) and "@" not in url.netloc
    except ValueError:
        return False


def find_host(url: str) -> str:
    """Return the host of an image's URL in lower case; empty if the URL isn't of the usual form.

    Only a host that ends at a slash is found. Browsers and `urlsplit` disagree about where some
    other hosts end, for example before a backslash.
    """
    found = re.match(_HOST, url)
    return found[1].lower() if found else ""


def list_missing(items: Items) -> frozenset[str]:
    """Return the identities of the items that the catalog lacks."""
    return frozenset(identity for identity, item in items.items() if item is None)


def update_items(
    old: Items, found: Items, mentioned: Collection[str], *, is_whole: bool
) -> dict[str, Item | None]:
    """Return the items for the file, sorted by identity.

    Args:
        old: the items of the file.
        found: the items that the catalog has, mentioned or not.
        mentioned: the identities that documents mention; other items are left out.
        is_whole: whether the whole catalog was read. If not, an item that wasn't found may exist,
            so it stays as it is in the file.
    """
    items: dict[str, Item | None] = {}
    for identity in sorted(mentioned):
        if identity in found:
            items[identity] = found[identity]
        elif is_whole:
            items[identity] = None
        elif identity in old:
            items[identity] = old[identity]
    return items
