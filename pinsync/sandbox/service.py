"""The endpoints of the API as a function from requests to answers, without sockets or faults."""

from __future__ import annotations

import dataclasses
import hmac
import json
import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Final, TypeAlias

from pinsync import signing
from pinsync.errors import FileError
from pinsync.sandbox import catalog as pages
from pinsync.sandbox.bodies import parse_criteria, parse_customization, parse_lines, split_lines
from pinsync.sandbox.filters import filter_pins, has_expired, matches
from pinsync.sandbox.messages import Answer, Refusal, Request
from pinsync.sandbox.spelling import Row, respell
from pinsync.sandbox.store import Conflict, Store, Unknown
from pinsync.sandbox.validation import (
    STRATEGIES,
    check_filters,
    read_choice,
    read_flag,
    read_whole_number,
)

if TYPE_CHECKING:
    from pinsync.sandbox.choices import Choices

TOLERANCE: Final = 5.0
"""Seconds by which the date of a request may differ from the server's clock."""

JSON_TYPES: Final = (signing.CONTENT_TYPE, "application/json")
NDJSON_TYPE: Final = "application/x-ndjson"
BULK_LIMIT: Final = 5000
PAGE: Final = 100
HIDDEN_TIMESTAMPS: Final[Mapping[str, Collection[str]]] = {
    "both": (),
    "created": ("updated_at",),
    "updated": ("created_at",),
    "none": ("created_at", "updated_at"),
}
"""Timestamps in the answers → timestamps that the answers lack."""

WRITES: Final = {
    ("POST", "scopes/_bulk"),
    ("POST", "scope"),
    ("PUT", "scope/"),
    ("DELETE", "scope/"),
}
SORTABLE: Final = ("created_at", "updated_at", "id", "model", "target_type", "target_identity")
CUSTOMIZATIONS: Final = re.compile(
    r"/v1/recommender/pin/([^/]+)/"
    r"(?:(scopes|scopes/export|scopes/_bulk|scope)|scope/([^/]+))"
)

SIGNER: Final = re.compile("ApiAuth ([^:]+):.*")

Endpoint: TypeAlias = Callable[[Request, str, datetime], Answer]


def find_tracker_id(request: Request) -> str | None:
    """Return the tracker id that a request names; None without one."""
    if request.path == pages.PATH:
        # The catalog export names its tracker in the signature alone.
        match = SIGNER.fullmatch(request.headers.get("authorization", ""))
    else:
        match = CUSTOMIZATIONS.fullmatch(request.path)
    return match[1] if match else None


def is_write(request: Request) -> bool:
    """Return whether a request would create, replace or delete customizations."""
    return (request.method, _name_endpoint(request.path)) in WRITES


def _name_endpoint(path: str) -> str | None:
    """Return what follows the tracker id in a path of the API, without the id of a scope."""
    match = CUSTOMIZATIONS.fullmatch(path)
    return match and (match[2] or "scope/")


class Service:
    """Answers the requests to one tracker.

    Args:
        store: the tracker's customizations.
        tracker_id: the tracker's id.
        private_key: the key that must sign the requests.
        catalog: the identities of the items that exist; ``None`` for all.
        products: identity → attributes of each item in the catalog export.
        random: chooses the spelling and the order of the answers.
        choices: the behaviour that the reference leaves open.
    """

    def __init__(
        self,
        store: Store,
        *,
        tracker_id: str,
        private_key: str,
        catalog: Collection[str] | None,
        products: Mapping[str, Row],
        random: Random,
        choices: Choices,
    ) -> None:
        self._store = store
        self._tracker_id = tracker_id
        self._private_key = private_key
        self._catalog = catalog
        self._products = products
        self._random = random
        self._choices = choices
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
        except Conflict as conflict:
            return _refuse_conflict(conflict).answer
        except FileError as error:
            return Refusal(500, f"The state file {error.reason}").answer

    def fail_midway(self, request: Request, now: datetime) -> None:
        """Store the part of a write that is stored when the server fails in its middle.

        Of a bulk call that isn't atomic, that is the first half of the lines; else it is nothing.
        """
        is_bulk = _name_endpoint(request.path) == "scopes/_bulk"
        if self._choices.bulk == "atomic" or not is_bulk:
            return
        lines = split_lines(request.body)
        half = b"\n".join(lines[: len(lines) // 2])
        self.answer(dataclasses.replace(request, body=half), now)

    def _answer(self, request: Request, now: datetime) -> Answer:
        if request.path == pages.PATH:
            self._authenticate(request, now)
            return self._export_catalog(request, now)
        match = CUSTOMIZATIONS.fullmatch(request.path)
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
        rows = self._list_rows(request)
        # Whole seconds, as in the answer's Date: a reader of both can tell which pins have expired.
        moment = now.replace(microsecond=0)
        if removes_expired:
            rows = [filter_pins(row, lambda pin: not has_expired(pin, moment)) for row in rows]
        if removes_nonexisting:
            rows = [filter_pins(row, self._pins_existing_item) for row in rows]
        return self._answer_page(self._fork_random().sample(rows, len(rows)))

    def _export_catalog(self, request: Request, now: datetime) -> Answer:
        if request.method != "GET":
            raise Refusal(405, "Method not allowed")
        random = self._fork_random()
        return Answer(200, _encode(pages.build_page(self._products, request, now, random), random))

    def _pins_existing_item(self, pin: Row) -> bool:
        if self._catalog is None or pin.get("pin_type") != "item":
            return True
        return pin.get("pin_identity") in self._catalog

    def _list(self, request: Request, _: str, __: datetime) -> Answer:
        """Answer with a page, by default of 100, oldest first.

        A customization matches ``criteria`` if its ``target_criteria`` are one of them.
        """
        check_filters(request.query)
        name, _, order = read_choice(request.query, "sort", _list_sort_orders()).partition(":")
        offset = read_whole_number(request.query, "offset", 0)
        limit = read_whole_number(request.query, "limit", PAGE)
        rows = self._list_rows(request)
        criteria = parse_criteria(request.body)
        if criteria is not None:
            rows = [row for row in rows if row.get("target_criteria") in criteria]
        # The id breaks ties, so that pages never overlap.
        is_descending = order == "desc"
        rows.sort(key=lambda row: (str(row.get(name) or ""), str(row["id"])), reverse=is_descending)
        return self._answer_page(rows[offset : offset + limit], total=len(rows))

    def _list_rows(self, request: Request) -> list[Row]:
        rows = self._store.list_rows(self._choices.stale_export)
        return [row for row in rows if matches(row, request.query)]

    def _get(self, _: Request, identifier: str, __: datetime) -> Answer:
        return self._answer_row(self._store.get(identifier, self._choices.stale_get))

    def _create(self, request: Request, _: str, __: datetime) -> Answer:
        row = parse_customization(request.body, self._choices)
        created = self._store.create(row, is_unique=self._choices.taken_target == "refuse")
        return self._answer_row(created, self._choices.create_status)

    def _replace(self, request: Request, identifier: str, __: datetime) -> Answer:
        # A missing id is answered by 404, even if the body is invalid.
        self._store.get(identifier)
        row = parse_customization(request.body, self._choices, identifier)
        if self._choices.metadata_on_put == "drop":
            row.pop("target_metadata", None)
        kept = ("target_metadata",) if self._choices.metadata_on_put == "keep" else ()
        is_unique = self._choices.taken_target == "refuse"
        replaced = self._store.replace(identifier, row, kept=kept, is_unique=is_unique)
        return self._answer_row(replaced)

    def _delete(self, _: Request, identifier: str, __: datetime) -> Answer:
        self._store.delete(identifier)
        return Answer(204)

    def _create_many(self, request: Request, _: str, __: datetime) -> Answer:
        strategy = read_choice(request.query, "conflict_strategy", STRATEGIES)
        lines = split_lines(request.body)
        if len(lines) > BULK_LIMIT:
            raise Refusal(413, f"At most {BULK_LIMIT} customizations at once, not {len(lines)}")
        rows, refusal = parse_lines(lines, self._choices)
        is_atomic = self._choices.bulk == "atomic"
        if refusal is not None and is_atomic:
            raise refusal
        has_conflicts = self._choices.bulk_conflict == "target"
        self._store.create_all(rows, strategy if has_conflicts else None, is_atomic=is_atomic)
        if refusal is not None:
            raise refusal
        return Answer(200, b"{}")

    def _hide_timestamps(self, row: Row) -> Row:
        hidden = HIDDEN_TIMESTAMPS[self._choices.timestamps]
        return {name: value for name, value in row.items() if name not in hidden}

    def _answer_row(self, row: Row, status: int = 200) -> Answer:
        random = self._fork_random()
        return Answer(status, _encode(respell(self._hide_timestamps(row), random), random))

    def _answer_page(self, rows: list[Row], **counts: int) -> Answer:
        random = self._fork_random()
        results = [respell(self._hide_timestamps(row), random) for row in rows]
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


def _refuse_conflict(conflict: Conflict) -> Refusal:
    target = "The target"
    if conflict.index is not None:
        target = f"The target of line {conflict.index + 1}"
    return Refusal(409, f"{target} is taken by the customization {conflict.identifier}")
