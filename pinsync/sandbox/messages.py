"""Requests and answers as values, free of sockets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Request:
    """A request.

    Args:
        method: the HTTP method, in capitals.
        path: the path of the request line, without the query.
        query: each parameter with all of its values, decoded.
        headers: each header by its lower-case name.
        body: the bytes after the headers.
        status: the status of the answer, once there is one; ``None`` if the connection was reset.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; its ``headers`` override the headers that the server sets itself."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):  # noqa: N818 - an answer of the API, not a failure of the sandbox
    """Ends the handling of a request with an error in the API's own shape.

    Args:
        status: the HTTP status.
        reason: the API's ``reason``.
        details: messages by field, as the API's ``exception_details`` of a 422.
    """

    def __init__(
        self, status: int, reason: str, details: Mapping[str, list[str]] | None = None
    ) -> None:
        super().__init__(reason)
        self.details = details or {}
        content: dict[str, object] = {"reason": reason}
        if details:
            content["exception_details"] = details
        self.answer = Answer(status, json.dumps(content).encode())


def build_refusal(details: Mapping[str, list[str]]) -> Refusal:
    """Return the 422 that the API documents, with messages by field."""
    return Refusal(422, "Validation error", details)
