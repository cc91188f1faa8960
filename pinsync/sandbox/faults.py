"""Faults on demand, as a network, a proxy or an overloaded server causes them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pinsync.errors import UsageError
from pinsync.sandbox.messages import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one request, or of several in a row.

    Args:
        times: the number of requests with the fault; ``None`` for all requests from now on.
        answer: replaces the real answer, byte for byte.
        cut: send the first half of the body, then close the connection.
        reset: reset the connection instead of answering.
        delay: hold the answer back for some seconds.
        clock: the seconds by which the server's clock is ahead; negative if it is behind.
        part: one of `SIGNS`: send half of the results, with this sign of an incomplete answer.
    """

    times: int | None = 1
    answer: Answer | None = None
    cut: bool = False
    reset: bool = False
    delay: float = 0.0
    clock: float = 0.0
    part: str | None = None


NO_FAULT: Final = Fault()

LOGIN_PAGE: Final = (
    b'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Sign in</title></head>'
    b"<body><h1>Sign in</h1></body></html>\n"
)

PLAIN: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        "garbage": Fault(answer=Answer(200, b'{"results": [\x00\xff\xfe\x80')),
        "html": Fault(answer=Answer(200, LOGIN_PAGE, {"Content-Type": "text/html; charset=utf-8"})),
        "redirect": Fault(answer=Answer(302, b"", {"Location": "/login"})),
        "reset": Fault(reset=True),
        "truncate": Fault(cut=True),
    }
)
SIGNS: Final = ("total", "next", "errors", "header", "range", "link")
DEFAULT_SECONDS: Final = MappingProxyType({"clock": 3600.0, "slow": 60.0})
MAX_SECONDS: Final = 10 * 365 * 86400
SYNTAX_HINT: Final = (
    "use STATUS[:TIMES][:retry-after=VALUE] with a status from 400 to 599, "
    "truncate, reset, redirect, html or garbage with [:TIMES], "
    "slow[:SECONDS[:TIMES]], clock[:SECONDS[:TIMES]] or partial[:SIGN[:TIMES]] "
    f"with a SIGN of {', '.join(SIGNS)}; TIMES is a number, or * for always"
)


def parse_fault(spec: str) -> Fault:
    """Return the fault that a ``--fail`` option describes.

    * ``STATUS[:TIMES][:retry-after=VALUE]``: an error, 400 to 599
    * ``truncate``, ``reset``, ``redirect``, ``html`` or ``garbage``, each with ``[:TIMES]``
    * ``slow[:SECONDS[:TIMES]]``: hold the answer back (default: 60 s)
    * ``clock[:SECONDS[:TIMES]]``: set the server's clock ahead (default: an hour), or behind if
      negative
    * ``partial[:SIGN[:TIMES]]``: send half of the results, with one of `SIGNS` (default: ``total``)

    ``TIMES`` is a number of requests, 1 by default, or ``*`` for all later requests. Requests meet
    the faults in the given order, and then none.

    Raises:
        UsageError: the text describes no fault.
    """
    # VALUE may be an HTTP date, with colons of its own.
    head, *retry_after = spec.split(":retry-after=", 1)
    kind, *words = head.split(":")
    try:
        if retry_after:
            return _build_error_fault(int(kind), _parse_times(*words), *retry_after)
        if kind in DEFAULT_SECONDS:
            seconds = float(words.pop(0)) if words else DEFAULT_SECONDS[kind]
            return _build_timed_fault(kind, seconds, _parse_times(*words))
        if kind == "partial":
            return _build_partial_fault(*words)
        if kind in PLAIN:
            return replace(PLAIN[kind], times=_parse_times(*words))
        return _build_error_fault(int(kind), _parse_times(*words))
    except (TypeError, ValueError) as error:
        # A TypeError comes from too many words.
        raise UsageError(f"no such fault: {spec!r}", hint=SYNTAX_HINT) from error


def halve(answer: Answer, sign: str) -> Answer:
    """Return an answer with half of its results and one of `SIGNS`.

    An answer without results, such as an error, is returned unchanged.
    """
    content = json.loads(answer.body or b"null")
    if not isinstance(content, dict) or "results" not in content:
        return answer
    results = content["results"]
    half = results[: len(results) // 2]
    keys: dict[str, object] = {}
    headers: dict[str, str] = {}
    match sign:
        case "total":
            keys = {"total": len(results)}
        case "next":
            keys = {"meta": {"pagination": {"next": 2}}}
        case "errors":
            keys = {"errors": [{"message": "A shard timed out"}]}
        case "header":
            headers = {"X-Total-Count": str(len(results))}
        case "range":
            covered = f"0-{len(half) - 1}" if half else "*"
            headers = {"Content-Range": f"items {covered}/{len(results)}"}
        case "link":
            headers = {"Link": '<?page=2>; rel="next"'}
    body = json.dumps({**content, "results": half, **keys}).encode()
    return Answer(answer.status, body, {**answer.headers, **headers})


def _parse_times(text: str = "1") -> int | None:
    if text == "*":
        return None
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def _build_timed_fault(kind: str, seconds: float, times: int | None) -> Fault:
    # "Not at most" also refuses NaN.
    if not abs(seconds) <= MAX_SECONDS or (kind == "slow" and seconds < 0):
        raise ValueError(seconds)
    if kind == "clock":
        return Fault(times, clock=seconds)
    return Fault(times, delay=seconds)


def _build_partial_fault(sign: str = SIGNS[0], times: str = "1") -> Fault:
    if sign not in SIGNS:
        raise ValueError(sign)
    return Fault(_parse_times(times), part=sign)


def _build_error_fault(status: int, times: int | None, retry_after: str | None = None) -> Fault:
    """Return an error with the API's kind of body; the reason is the name of the status."""
    if not 400 <= status <= 599:  # noqa: PLR2004 - the statuses that are errors, RFC 9110, 15
        raise ValueError(status)
    phrases = {known.value: known.phrase for known in HTTPStatus}
    body = json.dumps({"reason": phrases.get(status, "Error")}).encode()
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Fault(times, Answer(status, body, headers))
