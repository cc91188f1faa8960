"""The catalog export: the items of a shop in pages, each with a link to the next one."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pinsync.sandbox.messages import Refusal, build_refusal
from pinsync.sandbox.validation import read_whole_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from random import Random

    from pinsync.sandbox.messages import Request
    from pinsync.sandbox.spelling import Row

PATH: Final = "/v1/content_export"
MAX_SIZE: Final = 500
PAGE: Final = 100
LINK_SECONDS: Final = 600.0
"""Seconds for which the link to the next page works."""

ITEM: Final = "item"


class Cursor(NamedTuple):
    """The place of a page in the export, which its link holds.

    Attributes:
        offset: the number of items on the pages before.
        size: the number of items on a page.
        fields: the attributes to send; all if empty.
        made: the moment of the link, in seconds since 1970.
    """

    offset: int
    size: int
    fields: Sequence[str]
    made: float


def build_page(
    products: Mapping[str, Row], request: Request, now: datetime, random: Random
) -> dict[str, Any]:
    """Return the page that a request asks for, as the API would.

    Args:
        products: identity → attributes of each item.
        request: the request, of the first page or by the link of a page.
        now: the moment of the request.
        random: decides whether a value is a text or a list of texts.

    Raises:
        Refusal: a parameter is wrong (422), or the link is too old or none of ours (410).
    """
    query = request.query
    if "cursor" in query:
        cursor = _read_cursor(query["cursor"][-1], now)
    else:
        cursor = _start(query, now)
        # Only items are in the sandbox's catalog.
        if ITEM not in _split_values(query, "requested_types", ITEM):
            products = {}
    identities = list(products)
    end = cursor.offset + cursor.size
    objects = [
        _build_object(identity, products[identity], cursor.fields, random)
        for identity in identities[cursor.offset : end]
    ]
    links = []
    if end < len(identities):
        following = cursor._replace(offset=end, made=now.timestamp())
        links.append({"rel": "next", "href": build_link(request, _write_cursor(following))})
    return {"total": len(identities), "objects": objects, "links": links}


def build_link(request: Request, cursor: str) -> str:
    """Return the link of a page, at the address that the client knows."""
    return f"http://{request.headers.get('host', '')}{PATH}?cursor={cursor}"


def _start(query: Mapping[str, list[str]], now: datetime) -> Cursor:
    """Return the place of the first page."""
    size = read_whole_number(query, "size", PAGE)
    if not 1 <= size <= MAX_SIZE:
        raise build_refusal({"size": [f"Must be from 1 to {MAX_SIZE}"]})
    return Cursor(0, size, _split_values(query, "hit_fields", ""), now.timestamp())


def _split_values(query: Mapping[str, list[str]], name: str, default: str) -> list[str]:
    return [word for word in query.get(name, [default])[-1].split(",") if word]


def _build_object(identity: str, attributes: Row, fields: Sequence[str], random: Random) -> Row:
    values = {}
    for name, value in attributes.items():
        if not fields or name in fields:
            is_listed = isinstance(value, str) and random.choice((True, False))
            values[name] = [value] if is_listed else value
    return {"url": identity, "attributes": values, "nested": [], "type": ITEM}


def _write_cursor(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode()


def _read_cursor(text: str, now: datetime) -> Cursor:
    try:
        cursor = Cursor(*json.loads(base64.urlsafe_b64decode(text)))
        age = now.timestamp() - cursor.made
    except (ValueError, TypeError) as error:
        raise Refusal(410, "The link is unknown") from error
    if age > LINK_SECONDS:
        raise Refusal(410, "The link has expired")
    return cursor
