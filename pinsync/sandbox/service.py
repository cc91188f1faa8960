"""The endpoints of the API as a function from requests to answers, without sockets or faults."""

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
from pinsync.sandbox.filters import filter_pins, has_expired, matches
from pinsync.sandbox.messages import Answer, Refusal, Request, build_refusal
from pinsync.sandbox.spelling import Row, respell
from pinsync.sandbox.store import Conflict, Store, Unknown
from pinsync.sandbox.validation import (
    STRATEGIES,
    check_filters,
    find_problems,
    read_choice,
    read_flag,
    read_whole_number,
)

TOLERANCE: Final = 5.0
"""Seconds by which the date of a request may differ from the server's clock."""

JSON_TYPES: Final = (signing.CONTENT_TYPE, "application/json")
NDJSON_TYPE: Final = "application/x-ndjson"
BULK_LIMIT: Final = 5000
PAGE: Final = 100
SORTABLE: Final = ("created_at", "updated_at", "id", "model", "target_type", "target_identity")
PATH: Final = re.compile(
    r"/v1/recommender/pin/([^/]+)/"
    r"(?:(scopes|scopes/export|scopes/_bulk|scope)|scope/([^/]+))"
)

Endpoint: TypeAlias = Callable[[Request, str, datetime], Answer]


def find_tracker_id(path: str) -> str | None:
    """Return the tracker id in a path of the API; None for another path."""
    match = PATH.fullmatch(path)
    return match[1] if match else None


class Service:
    """Answers the requests to one tracker.

    Args:
        store: the tracker's customizations.
        tracker_id: the tracker's id.
        private_key: the key that must sign the requests.
        catalog: the identities of the items that exist; ``None`` for all.
        random: chooses the spelling and the order of the answers.
    """

    def __init__(
        self,
        store: Store,
        *,
        tracker_id: str,
        private_key: str,
        catalog: Collection[str] | None,
        random: Random,
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
        """Return the answer to a request that arrived at ``now`` by the server's clock."""
        try:
            return self._answer(request, now)
        except Refusal as refused:
            return refused.answer
        except Unknown:
            return Refusal(404, "Customization not found").answer
        except FileError as error:
            return Refusal(500, f"The state file {error.reason}").answer

    def _answer(self, request: Request, now: datetime) -> Answer:
        match = PATH.fullmatch(request.path)
        if match is None:
            raise Refusal(404, "There is no such path")
        tracker_id, collection, identifier = match.groups()
        if tracker_id != self._tracker_id:
            raise Refusal(404, "Tracker not found")
        self._authenticate(request, now)
        name = collection or "scope/"
        endpoint = self._endpoints.get((request.method, name))
        if endpoint is None:
            raise Refusal(405, "Method not allowed")
        expected = (NDJSON_TYPE,) if name == "scopes/_bulk" else JSON_TYPES
        has_body = request.method in ("POST", "PUT")
        if has_body and request.headers.get("content-type") not in expected:
            raise Refusal(415, f"Content-Type must be {expected[0]}")
        return endpoint(request, identifier or "", now)

    def _authenticate(self, request: Request, now: datetime) -> None:
        date = request.headers.get("date", "")
        expected = signing.build_authorization(
            self._tracker_id,
            self._private_key,
            method=request.method,
            content_type=request.headers.get("content-type", ""),
            date=date,
            path=request.path,
        )
        # Bytes, since compare_digest() refuses text that isn't ASCII.
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise Refusal(401, "The signature is missing or doesn't match")
        moment = signing.parse_http_date(date)
        if moment is None or abs((now - moment).total_seconds()) > TOLERANCE:
            raise Refusal(401, "The date of the request is too far from the server's")

    def _export(self, request: Request, _: str, now: datetime) -> Answer:
        check_filters(request.query)
        removes_expired = read_flag(request.query, "remove_expired_pins")
        removes_nonexisting = read_flag(request.query, "remove_nonexisting_item_pins")
        rows = [row for row in self._store.list_rows() if matches(row, request.query)]
        # Whole seconds, as in the answer's Date: a reader of both can tell which pins have expired.
        moment = now.replace(microsecond=0)
        if removes_expired:
            rows = [filter_pins(row, lambda pin: not has_expired(pin, moment)) for row in rows]
        if removes_nonexisting:
            rows = [filter_pins(row, self._pins_existing_item) for row in rows]
        return self._answer_page(self._fork_random().sample(rows, len(rows)))

    def _pins_existing_item(self, pin: Row) -> bool:
        if self._catalog is None or pin.get("pin_type") != "item":
            return True
        return pin.get("pin_identity") in self._catalog

    def _list(self, request: Request, _: str, __: datetime) -> Answer:
        """Answer with a page, by default of 100, oldest first; match ``criteria`` as a whole."""
        check_filters(request.query)
        name, _, order = read_choice(request.query, "sort", _list_sort_orders()).partition(":")
        offset = read_whole_number(request.query, "offset", 0)
        limit = read_whole_number(request.query, "limit", PAGE)
        criteria = _parse_object(request.body).get("criteria") if request.body else None
        rows = [row for row in self._store.list_rows() if matches(row, request.query)]
        if criteria is not None:
            rows = [row for row in rows if row.get("target_criteria") == criteria]
        # The id breaks ties, so that pages never overlap.
        is_descending = order == "desc"
        rows.sort(key=lambda row: (str(row.get(name) or ""), str(row["id"])), reverse=is_descending)
        return self._answer_page(rows[offset : offset + limit], total=len(rows))

    def _get(self, _: Request, identifier: str, __: datetime) -> Answer:
        return self._answer_row(self._store.get(identifier))

    def _create(self, request: Request, _: str, __: datetime) -> Answer:
        return self._answer_row(self._store.create(_parse_customization(request.body)))

    def _replace(self, request: Request, identifier: str, __: datetime) -> Answer:
        # A missing id is answered by 404, even if the body is invalid.
        self._store.get(identifier)
        return self._answer_row(
            self._store.replace(identifier, _parse_customization(request.body, identifier))
        )

    def _delete(self, _: Request, identifier: str, __: datetime) -> Answer:
        self._store.delete(identifier)
        return Answer(204)

    def _create_many(self, request: Request, _: str, __: datetime) -> Answer:
        strategy = read_choice(request.query, "conflict_strategy", STRATEGIES)
        lines = [line for line in request.body.split(b"\n") if line.strip()]
        if len(lines) > BULK_LIMIT:
            raise build_refusal(
                {"body": [f"At most {BULK_LIMIT} customizations at once, not {len(lines)}"]}
            )
        rows = []
        for number, line in enumerate(lines, start=1):
            try:
                rows.append(_parse_customization(line))
            except Refusal as refused:
                details = {f"{number}.{name}": text for name, text in refused.details.items()}
                raise build_refusal(details) from refused
        try:
            self._store.create_all(rows, strategy)
        except Conflict as conflict:
            taken = f"The target is taken by the customization {conflict.identifier}"
            raise build_refusal({f"{conflict.index + 1}.target_identity": [taken]}) from conflict
        return Answer(200, b"{}")

    def _answer_row(self, row: Row) -> Answer:
        random = self._fork_random()
        return Answer(200, _encode(respell(row, random), random))

    def _answer_page(self, rows: list[Row], **counts: int) -> Answer:
        random = self._fork_random()
        results = [respell(row, random) for row in rows]
        return Answer(200, _encode({"results": results, **counts}, random))

    def _fork_random(self) -> Random:
        # A generator shared by several threads would not be repeatable.
        return Random(self._random.getrandbits(64))  # noqa: S311 - nothing secret is drawn


def _list_sort_orders() -> tuple[str, ...]:
    orders: list[str] = []
    for name in SORTABLE:
        orders += [name, f"{name}:asc", f"{name}:desc"]
    return tuple(orders)


def _encode(content: Row, random: Random) -> bytes:
    """Return JSON with or without escapes and spaces."""
    separators = random.choice(((",", ":"), (", ", ": ")))
    has_escapes = random.choice((True, False))
    try:
        return json.dumps(content, ensure_ascii=has_escapes, separators=separators).encode()
    except UnicodeEncodeError:
        # A lone surrogate, which UTF-8 can't hold.
        return json.dumps(content, separators=separators).encode()


def _parse_customization(body: bytes, identifier: str | None = None) -> Row:
    """Return the customization in a body, or refuse it (422); its id may only be the path's."""
    row = _parse_object(body)
    problems = find_problems(row)
    if row.get("id", identifier) != identifier:
        reason = "The server gives the id" if identifier is None else "Must be the id in the path"
        problems["id"] = [reason]
    if problems:
        raise build_refusal(problems)
    return row


def _parse_object(body: bytes) -> Row:
    try:
        content = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise build_refusal({"body": [f"Not valid JSON: {error}"]}) from error
    if not isinstance(content, dict):
        raise build_refusal({"body": ["Must be an object"]})
    return content


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
