"""Faults on demand: what a network, a proxy or an overloaded server may do to an answer."""

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
    """What goes wrong with one request, or with several in a row.

    Args:
        times: how many requests it befalls; ``None`` is every one from now on.
        answer: is sent, byte for byte, instead of the real answer.
        cut: only the first half of the body is sent, then the connection closes.
        reset: the connection is reset before an answer.
        delay: seconds for which the answer is held back.
        clock: seconds by which the server's clock is ahead (or behind, if negative).
        part: one of `SIGNS`; the answer has half of the results, and the sign tells so.
    """

    times: int | None = 1
    answer: Answer | None = None
    cut: bool = False
    reset: bool = False
    delay: float = 0.0
    clock: float = 0.0
    part: str | None = None


FAULTLESS: Final = Fault()

LOGIN_PAGE: Final = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>\n"

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
LONGEST: Final = 10 * 365 * 86400
KNOWN: Final = (
    "use STATUS[:TIMES][:retry-after=VALUE] with a status from 400 to 599, truncate, reset, redirect, html or garbage "
    "with [:TIMES], slow[:SECONDS[:TIMES]], clock[:SECONDS[:TIMES]] or partial[:SIGN[:TIMES]] "
    f"with a SIGN of {', '.join(SIGNS)}; TIMES is a number, or * for always"
)


def parse_fault(spec: str) -> Fault:
    """Return the fault that a ``--fail`` option describes.

    * ``STATUS[:TIMES][:retry-after=VALUE]``: an error, 400 to 599
    * ``truncate``, ``reset``, ``redirect``, ``html`` or ``garbage``, each with ``[:TIMES]``
    * ``slow[:SECONDS[:TIMES]]``: an answer held back (60 s by default)
    * ``clock[:SECONDS[:TIMES]]``: a server whose clock is ahead (an hour by default), or behind where negative
    * ``partial[:SIGN[:TIMES]]``: half of the results, and one of `SIGNS` (``total`` by default)

    ``TIMES`` is a number of requests, 1 by default, or ``*`` for every one from then on. Faults befall the requests in
    the order in which they are given; then service is normal.

    Raises:
        UsageError: the text is none of these.
    """
    head, *retry_after = spec.split(":retry-after=", 1)
    kind, *rest = head.split(":")
    try:
        if kind in DEFAULT_SECONDS and not retry_after:
            seconds = float(rest.pop(0)) if rest else DEFAULT_SECONDS[kind]
            return _off(kind, seconds, _times(*rest))
        if kind == "partial" and not retry_after:
            return _part(*rest)
        if kind in PLAIN and not retry_after:
            return replace(PLAIN[kind], times=_times(*rest))
        return _error(int(kind), _times(*rest), *retry_after)
    except (TypeError, ValueError) as error:
        raise UsageError(f"no such fault: {spec!r}", hint=KNOWN) from error


def halve(answer: Answer, sign: str) -> Answer:
    """Return an answer with half of its results and one of `SIGNS`, which tells so.

    An answer without results, such as an error, is returned as it is.
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


def _times(text: str = "1") -> int | None:
    if text == "*":
        return None
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def _off(kind: str, seconds: float, times: int | None) -> Fault:
    if not abs(seconds) <= LONGEST or (kind == "slow" and seconds < 0):
        raise ValueError(seconds)
    return Fault(times, clock=seconds) if kind == "clock" else Fault(times, delay=seconds)


def _part(sign: str = SIGNS[0], times: str = "1") -> Fault:
    if sign not in SIGNS:
        raise ValueError(sign)
    return Fault(_times(times), part=sign)


def _error(status: int, times: int | None, retry_after: str | None = None) -> Fault:
    """Return a refusal with the API's kind of body and the status's own name, where it has one, as its reason."""
    if not 400 <= status <= 599:  # noqa: PLR2004 - the statuses that are errors, RFC 9110, 15
        raise ValueError(status)
    names = {known.value: known.phrase for known in HTTPStatus}
    body = json.dumps({"reason": names.get(status, "Error")}).encode()
    return Fault(times, Answer(status, body, {} if retry_after is None else {"Retry-After": retry_after}))
