"""The endpoints of the API as a function from requests to answers; no socket here, and no fault."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from random import Random
from typing import Final, TypeAlias

from pinsync import signing
from pinsync.errors import FileError
from pinsync.sandbox.filters import has_expired, matches, with_pins
from pinsync.sandbox.messages import Answer, Refused, Request, invalid
from pinsync.sandbox.spelling import Row, respell
from pinsync.sandbox.store import Conflict, Store, Unknown
from pinsync.sandbox.validation import STRATEGIES, check_filters, chosen, flag, problems, whole

TOLERANCE: Final = 5.0
"""How many seconds a request's date may differ from the clock."""

JSON_TYPES: Final = (signing.CONTENT_TYPE, "application/json")
NDJSON_TYPE: Final = "application/x-ndjson"
BULK_LIMIT: Final = 5000
PAGE: Final = 100
SORTABLE: Final = ("created_at", "updated_at", "id", "model", "target_type", "target_identity")
PATH: Final = re.compile(r"/v1/recommender/pin/([^/]+)/(?:(scopes|scopes/export|scopes/_bulk|scope)|scope/([^/]+))")

Endpoint: TypeAlias = Callable[[Request, str, datetime], Answer]


def tracker_of(path: str) -> str | None:
    """Return the id of the tracker that a path names; None for a path that isn't one of the API."""
    match = PATH.fullmatch(path)
    return match[1] if match else None


class Service:
    """Answers requests for one tracker.

    Args:
        store: the customizations.
        tracker_id: the tracker's id.
        private_key: the key that requests must be signed with.
        catalog: the identities of the items that exist; ``None`` if all do.
        random: where the spelling and the order of the answers come from.
    """

    def __init__(
        self, store: Store, *, tracker_id: str, private_key: str, catalog: Collection[str] | None, random: Random
    ) -> None:
        self._store = store
        self._tracker_id = tracker_id
        self._private_key = private_key
        self._catalog = catalog
        self._random = random
        self._endpoints: Mapping[tuple[str, str], Endpoint] = {
            ("POST", "scopes/export"): self._export,
            ("POST", "scopes"): self._list,
            ("POST", "scopes/_bulk"): self._create_many,
            ("POST", "scope"): self._create,
            ("GET", "scope/"): self._get,
            ("PUT", "scope/"): self._replace,
            ("DELETE", "scope/"): self._delete,
        }

    def answer(self, request: Request, now: datetime) -> Answer:
        """Return the answer to a request that arrived ``now``, by the server's clock."""
        try:
            return self._answer(request, now)
        except Refused as refused:
            return refused.answer
        except Unknown:
            return Refused(404, "Customization not found").answer
        except FileError as error:
            return Refused(500, f"The state file {error.reason}").answer

    def _answer(self, request: Request, now: datetime) -> Answer:
        match = PATH.fullmatch(request.path)
        if match is None:
            raise Refused(404, "There is no such path")
        tracker_id, collection, identifier = match.groups()
        if tracker_id != self._tracker_id:
            raise Refused(404, "Tracker not found")
        self._authenticate(request, now)
        name = collection or "scope/"
        endpoint = self._endpoints.get((request.method, name))
        if endpoint is None:
            raise Refused(405, "Method not allowed")
        expected = (NDJSON_TYPE,) if name == "scopes/_bulk" else JSON_TYPES
        if request.method in ("POST", "PUT") and request.headers.get("content-type") not in expected:
            raise Refused(415, f"Content-Type must be {expected[0]}")
        return endpoint(request, identifier or "", now)

    def _authenticate(self, request: Request, now: datetime) -> None:
        date = request.headers.get("date", "")
        expected = signing.authorization(
            self._tracker_id,
            self._private_key,
            method=request.method,
            content_type=request.headers.get("content-type", ""),
            date=date,
            path=request.path,
        )
        if not hmac.compare_digest(expected.encode(), request.headers.get("authorization", "").encode()):
            raise Refused(401, "The signature is missing or doesn't match")
        moment = signing.parse_http_date(date)
        if moment is None or abs((now - moment).total_seconds()) > TOLERANCE:
            raise Refused(401, "The date of the request is too far from the server's")

    def _export(self, request: Request, _: str, now: datetime) -> Answer:
        check_filters(request.query)
        expired = flag(request.query, "remove_expired_pins")
        nonexisting = flag(request.query, "remove_nonexisting_item_pins")
        rows = [row for row in self._store.rows() if matches(row, request.query)]
        # Whole seconds, as in the answer's Date: a reader of both can tell which pins have expired.
        moment = now.replace(microsecond=0)
        if expired:
            rows = [with_pins(row, lambda pin: not has_expired(pin, moment)) for row in rows]
        if nonexisting:
            rows = [with_pins(row, self._exists) for row in rows]
        return self._page(self._choices().sample(rows, len(rows)))

    def _exists(self, pin: Row) -> bool:
        return self._catalog is None or pin.get("pin_type") != "item" or pin.get("pin_identity") in self._catalog

    def _list(self, request: Request, _: str, __: datetime) -> Answer:
        """Answer with one page: 100 by default, oldest first. ``criteria`` in the body are matched as a whole."""
        check_filters(request.query)
        orders = tuple(f"{name}{order}" for name in SORTABLE for order in ("", ":asc", ":desc"))
        name, _, order = chosen(request.query, "sort", orders).partition(":")
        offset, limit = whole(request.query, "offset", 0), whole(request.query, "limit", PAGE)
        criteria = _object(request.body).get("criteria") if request.body else None
        rows = [
            row
            for row in self._store.rows()
            if matches(row, request.query) and criteria in (None, row.get("target_criteria"))
        ]
        rows.sort(key=lambda row: (str(row.get(name) or ""), str(row["id"])), reverse=order == "desc")
        return self._page(rows[offset : offset + limit], total=len(rows))

    def _get(self, _: Request, identifier: str, __: datetime) -> Answer:
        return self._respelt(self._store.get(identifier))

    def _create(self, request: Request, _: str, __: datetime) -> Answer:
        return self._respelt(self._store.create(_customization(request.body)))

    def _replace(self, request: Request, identifier: str, __: datetime) -> Answer:
        self._store.get(identifier)
        return self._respelt(self._store.replace(identifier, _customization(request.body, identifier)))

    def _delete(self, _: Request, identifier: str, __: datetime) -> Answer:
        self._store.delete(identifier)
        return Answer(204)

    def _create_many(self, request: Request, _: str, __: datetime) -> Answer:
        strategy = chosen(request.query, "conflict_strategy", STRATEGIES)
        lines = [line for line in request.body.split(b"\n") if line.strip()]
        if len(lines) > BULK_LIMIT:
            raise invalid({"body": [f"At most {BULK_LIMIT} customizations at once, not {len(lines)}"]})
        rows = []
        for number, line in enumerate(lines, start=1):
            try:
                rows.append(_customization(line))
            except Refused as refused:
                raise invalid({f"{number}.{name}": messages for name, messages in refused.details.items()}) from refused
        try:
            self._store.create_all(rows, strategy)
        except Conflict as conflict:
            taken = f"The target is taken by the customization {conflict.identifier}"
            raise invalid({f"{conflict.index + 1}.target_identity": [taken]}) from conflict
        return Answer(200, b"{}")

    def _respelt(self, row: Row) -> Answer:
        random = self._choices()
        return Answer(200, _spelt(respell(row, random), random))

    def _page(self, rows: list[Row], **beside: int) -> Answer:
        random = self._choices()
        return Answer(200, _spelt({"results": [respell(row, random) for row in rows], **beside}, random))

    def _choices(self) -> Random:
        """Return a generator for one answer; one shared by several threads would not be repeatable."""
        return Random(self._random.getrandbits(64))  # noqa: S311 - nothing secret is drawn


def _spelt(content: Row, random: Random) -> bytes:
    """Return JSON with or without escapes and spaces; a lone surrogate can only be escaped."""
    separators, escapes = random.choice(((",", ":"), (", ", ": "))), random.choice((True, False))
    try:
        return json.dumps(content, ensure_ascii=escapes, separators=separators).encode()
    except UnicodeEncodeError:
        return json.dumps(content, separators=separators).encode()


def _customization(body: bytes, identifier: str | None = None) -> Row:
    """Return the customization in a body, or refuse it (422); the only id that it may have is the one in the path."""
    row = _object(body)
    found = problems(row)
    if row.get("id", identifier) != identifier:
        found["id"] = ["The server gives the id" if identifier is None else "Must be the id in the path"]
    if found:
        raise invalid(found)
    return row


def _object(body: bytes) -> Row:
    try:
        content = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise invalid({"body": [f"Not valid JSON: {error}"]}) from error
    if not isinstance(content, dict):
        raise invalid({"body": ["Must be an object"]})
    return content


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
