"""Signed requests to a sandbox whose clock stands still."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from pinsync import signing
from pinsync.sandbox import Sandbox
from pinsync.sandbox.choices import STRICT, Choices

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Any]

NOW = datetime(2026, 11, 21, 17, 55, 0, 400_000, tzinfo=UTC)
ITEM: Row = {"model": "basket", "target_type": "item", "target_identity": "/p/1/", "tags": ["x"]}
NEW: Row = {**ITEM, "target_metadata": {"title": "One"}, "pin_definitions": []}


def fixed() -> datetime:
    return NOW


def box(
    *customizations: Row,
    catalog: set[str] | None = None,
    seed: int | None = None,
    key: str = "k",
    choices: Choices = STRICT,
) -> Sandbox:
    return Sandbox(
        customizations,
        clock=fixed,
        catalog=catalog,
        seed=seed,
        private_key=key,
        choices=choices,
    )


def call(  # noqa: PLR0913 - every part of a request may be the wrong one
    sandbox: Sandbox,
    method: str,
    path: str,
    body: object = None,
    *,
    query: Mapping[str, str | int | list[str]] | None = None,
    content_type: str = signing.CONTENT_TYPE,
    moment: datetime = NOW,
    key: str | None = None,
    tracker: str | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 5,
) -> httpx.Response:
    """Send one signed request; ``body`` is text as it is, or any JSON value."""
    tracker = tracker or sandbox.tracker_id
    path = f"/v1/recommender/pin/{tracker}/{path}"
    date = signing.format_http_date(moment)
    authorization = signing.build_authorization(
        tracker,
        key or sandbox.private_key,
        method=method,
        content_type=content_type,
        date=date,
        path=path,
    )
    signed = {
        "Content-Type": content_type,
        "Date": date,
        "Authorization": authorization,
        **(headers or {}),
    }
    content = body if isinstance(body, str) or body is None else json.dumps(body)
    with httpx.Client(trust_env=False, verify=False, timeout=timeout) as client:  # noqa: S501 - no TLS here, so no need of CAs
        return client.request(
            method, sandbox.url + path, params=query, content=content, headers=signed
        )


def export(sandbox: Sandbox, **query: str) -> list[Row]:
    response = call(sandbox, "POST", "scopes/export", query=query)
    assert response.status_code == 200, response.text
    return sorted(response.json()["results"], key=lambda row: str(row["id"]))


def details(response: httpx.Response) -> dict[str, list[str]]:
    assert response.status_code == 422
    content: dict[str, Any] = response.json()
    assert content["reason"] == "Validation error"
    return dict(content["exception_details"])


def said(row: Row) -> Row:
    """Drop what a row doesn't say, however it is spelt."""
    return {name: value for name, value in row.items() if value not in (None, [], {}, False)}


def bulk(sandbox: Sandbox, *rows: object, strategy: str | None = None) -> httpx.Response:
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    query = {} if strategy is None else {"conflict_strategy": strategy}
    return call(
        sandbox, "POST", "scopes/_bulk", lines, query=query, content_type="application/x-ndjson"
    )
