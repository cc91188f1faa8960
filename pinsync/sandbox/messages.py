"""What the sandbox receives and what it answers, free of sockets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived.

    Args:
        method: in capitals.
        path: as in the request line, without the query.
        query: every parameter with all of its values, decoded.
        headers: by lower-case name.
        body: what came after the headers.
        status: of the answer, once there is one; ``None`` where the connection was reset instead.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; ``headers`` (in their usual capitals) override those that the server sets by itself."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    """Ends the handling of a request with an error in the API's own shape.

    Args:
        status: the HTTP status.
        reason: what is wrong, as the API's ``reason``.
        details: for a 422: messages by field, as the API's ``exception_details``.
    """

    def __init__(self, status: int, reason: str, details: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(reason)
        self.details = details or {}
        content = {"reason": reason, "exception_details": details} if details else {"reason": reason}
        self.answer = Answer(status, json.dumps(content).encode())


def invalid(details: Mapping[str, list[str]]) -> Refused:
    """Return the 422 that the API documents, with messages by field."""
    return Refused(422, "Validation error", details)
