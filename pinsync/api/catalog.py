"""Read the catalog export page by page, and check that the pages are whole and fit together.

The memory doesn't grow with the catalog, but for a hash of each page.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httpx

from pinsync.api.diagnosis import RefusalError
from pinsync.api.wire import Endpoint
from pinsync.errors import RemoteError, name_kind
from pinsync.escape import clip

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from pinsync.api.call import Connection, Reply, Session

PAGE_SIZE: Final = 500
"""The number of items on a page; the API allows no more."""

_ENDPOINT: Final = Endpoint(
    "GET",
    "/v1/content_export",
    {"size": str(PAGE_SIZE), "hit_fields": "title,image_link", "requested_types": "item"},
)
_BOM: Final = b"\xef\xbb\xbf"
_DEAD: Final = frozenset({400, 404, 410, 422})
"""The statuses that an expired link may be answered with; the reference names none."""
_AGAIN: Final = "nothing was changed; run again, and if it stays so report it to the vendor"
_MAX_TEXT: Final = 100


class CatalogItem(NamedTuple):
    """An item of the catalog, with its attributes as the API spells them.

    Attributes:
        identity: the identity that pins use.
        attributes: name → value; any JSON values.
    """

    identity: str
    attributes: Mapping[str, Any]


class CatalogPage(NamedTuple):
    """A page of the catalog export.

    Attributes:
        number: the number of the page, from 1.
        items: the items of the page.
        total: the number of items in the whole catalog.
        is_last: whether this page completes the catalog.
    """

    number: int
    items: Sequence[CatalogItem]
    total: int
    is_last: bool


def read_catalog(session: Session) -> Generator[CatalogPage]:
    """Yield the pages of a tracker's catalog.

    The link to a page dies after some minutes. Then the export starts again, once, from the first
    page.

    Args:
        session: the tracker, and the settings of all calls.

    Raises:
        RemoteError: a page can't be fetched, isn't whole, or doesn't fit the pages before.
        ConfigError: the environment names a proxy or certificates that can't be used.
        UsageError: a host name can't be read.
    """
    try:
        yield from _walk_pages(session)
    except _DeadLinkError:
        session.announce_wait("the link to the next page has expired; starting again")
        try:
            yield from _walk_pages(session)
        except _DeadLinkError as again:
            message = f"{again.refusal.message}; the links to the next page expired twice"
            raise RemoteError(message, hint="try again later, with a faster connection") from again


class _DeadLinkError(Exception):
    """The link to the next page has expired."""

    def __init__(self, refusal: RefusalError) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def _walk_pages(session: Session) -> Generator[CatalogPage]:
    try:
        with session.open(_ENDPOINT) as (connection, first):
            reply, walk = first, _Walk(connection)
            while True:
                page, link = walk.read(reply)
                yield page
                if link is None:
                    return
                reply = _follow(connection, link)
    except RefusalError as error:
        if error.status == httpx.codes.UNPROCESSABLE_ENTITY:
            error.hint = "the API refuses to export the catalog: is there a newer pinsync?"
        raise


def _follow(connection: Connection, link: httpx.URL) -> Reply:
    try:
        return connection.follow(link)
    except RefusalError as refusal:
        if refusal.status in _DEAD:
            raise _DeadLinkError(refusal) from refusal
        raise


class _PageError(Exception):
    """A page that can't be trusted; the message goes on after "page 2 of the catalog"."""


class _Walk:
    """The state of one way through the pages.

    Args:
        connection: the connection to the host of all pages.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._number = 0
        self._count = 0
        self._digests: set[bytes] = set()

    def read(self, reply: Reply) -> tuple[CatalogPage, httpx.URL | None]:
        """Return the page of a reply, and the link to the next page, if there is one.

        Raises:
            RemoteError: the page isn't whole, or doesn't fit the pages before.
        """
        self._number += 1
        try:
            content = _decode(reply.answer.body)
            items = _read_items(content)
            total = _read_total(content)
            link = self._find_link(content)
            self._check(items, total, has_link=link is not None)
        except _PageError as error:
            connection = self._connection
            name, text = connection.session.tracker.name, connection.brief(str(error))
            message = f"tracker {name}: {connection.host}: page {self._number} of the catalog"
            raise RemoteError(f"{message} {text}", hint=_AGAIN) from error
        # A last page may have a link to an empty page.
        if self._count == total:
            link = None
        return CatalogPage(self._number, items, total, link is None), link

    def _check(self, items: Sequence[CatalogItem], total: int, *, has_link: bool) -> None:
        """Check that a page fits the pages before.

        Raises:
            _PageError: it doesn't.
        """
        self._count += len(items)
        if self._count > total:
            raise _PageError(f"is part of {self._count} items, more than its total of {total}")
        if self._count < total and not has_link:
            raise _PageError(
                f"is the last one, but {total - self._count} of {total} items are missing"
            )
        if has_link and not items and self._count < total:
            raise _PageError(
                f"has no items, but {total - self._count} of {total} items are missing"
            )
        digest = _hash_identities(items)
        if items and digest in self._digests:
            raise _PageError("repeats an earlier page")
        self._digests.add(digest)

    def _find_link(self, content: Mapping[str, Any]) -> httpx.URL | None:
        """Return the link to the next page, if there is one.

        Raises:
            _PageError: the link can't be read, or leads to another host.
        """
        links = content.get("links") or []
        if not isinstance(links, list) or not all(isinstance(link, dict) for link in links):
            raise _PageError('has no list of "links"')
        hrefs = [link.get("href") for link in links if link.get("rel") == "next"]
        if not hrefs:
            return None
        href = hrefs[0]
        if len(hrefs) > 1 or not isinstance(href, str):
            raise _PageError("has links to the next page that can't be read")
        try:
            host = httpx.URL(self._connection.host)
            url = host.join(href)
        except (httpx.InvalidURL, ValueError) as error:
            # A ValueError comes from a host name that idna can't encode.
            raise _PageError("has a link to the next page that can't be read") from error
        # The request is signed, and another host could replay it.
        if url.userinfo or _find_origin(url) != _find_origin(host):
            raise _PageError(f"links to another host: {clip(_find_origin(url), _MAX_TEXT)}")
        return url


def _find_origin(url: httpx.URL) -> str:
    """Return scheme, host and port of a URL."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _decode(body: bytes) -> Mapping[str, Any]:
    """Return the object in an answer.

    Raises:
        _PageError: it is no JSON object, or an object in it has a key twice.
    """
    try:
        text = body.removeprefix(_BOM).decode()
        content = json.loads(text, object_pairs_hook=_build_object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _PageError(f"is not JSON in UTF-8: {error}") from error
    if not isinstance(content, dict):
        raise _PageError(f"is {name_kind(content)}, expected an object")
    return content


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return content


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _read_items(content: Mapping[str, Any]) -> list[CatalogItem]:
    objects = content.get("objects")
    if not isinstance(objects, list):
        raise _PageError('has no list of "objects"')
    items: list[CatalogItem] = []
    for number, entry in enumerate(objects, start=1):
        identity = entry.get("url") if isinstance(entry, dict) else None
        if not isinstance(identity, str) or not identity:
            raise _PageError(f'has no "url" in object {number}')
        attributes = entry.get("attributes")
        if attributes is None:
            attributes = {}
        if not isinstance(attributes, dict):
            raise _PageError(f'has {name_kind(attributes)} for the "attributes" of object {number}')
        items.append(CatalogItem(identity, attributes))
    return items


def _read_total(content: Mapping[str, Any]) -> int:
    total = content.get("total")
    # To Python, true is an integer.
    if not isinstance(total, int) or isinstance(total, bool):
        raise _PageError(f'has {name_kind(total)} for its "total"')
    return total


def _hash_identities(items: Sequence[CatalogItem]) -> bytes:
    """Return a hash of the items on a page, whatever their order."""
    digest = hashlib.sha256()
    for identity in sorted(item.identity for item in items):
        # JSON, because an identity may hold any character, and half a surrogate pair.
        digest.update(json.dumps(identity).encode() + b"\n")
    return digest.digest()
