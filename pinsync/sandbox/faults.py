"""Faults on demand, as a network, a proxy or an overloaded server causes them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from urllib.parse import urlencode

from pinsync.errors import UsageError
from pinsync.sandbox import catalog
from pinsync.sandbox.messages import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pinsync.sandbox.messages import Request

Effect: TypeAlias = Literal["before", "after", "half"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one request, or of several in a row.

    Args:
        times: the number of requests with the fault; ``None`` for all requests from now on.
        answer: replaces the real answer, byte for byte.
        cut: send the first half of the body, then close the connection.
        reset: reset the connection instead of answering.
        write: wait for this write, counted from 1; ``times`` then counts writes.
        effect: the moment of an error, a reset or a delay. ``before``: the request has no effect,
            except after a delay. ``after``: the request has its effect, and only its answer is
            lost. ``half``: a bulk call that isn't atomic has stored half of its lines.
        limit: the seconds to wait, which an error tells in the vendor's form.
        delay: hold the answer back for some seconds.
        clock: the seconds by which the server's clock is ahead; negative if it is behind.
        part: one of `SIGNS`: send half of the results, with this sign of an incomplete answer.
        page: one of `PAGE_FAULTS`: send a page of the catalog with this fault.
    """

    times: int | None = 1
    answer: Answer | None = None
    cut: bool = False
    reset: bool = False
    write: int | None = None
    effect: Effect = "before"
    limit: int | None = None
    delay: float = 0.0
    clock: float = 0.0
    part: str | None = None
    page: str | None = None

    @property
    def replaces_answer(self) -> bool:
        """Whether the client doesn't get the real answer."""
        return self.answer is not None or self.reset

    def befalls_write(self, number: int) -> bool:
        """Return whether this fault of writes befalls the write with this number."""
        if self.write is None or number < self.write:
            return False
        return self.times is None or number < self.write + self.times


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
PAGE_FAULTS: Final = ("cut", "total", "host", "dead", "loop")
DEFAULT_SECONDS: Final = MappingProxyType({"clock": 3600.0, "slow": 60.0})
MAX_SECONDS: Final = 10 * 365 * 86400
RATE_LIMIT: Final = 60
"""The requests that a rate limit allows, as its header says."""

SETTINGS_HINT: Final = (
    ":write=N, :effect=before, after or half and :rate-limit=SECONDS may follow TIMES"
)
SYNTAX_HINT: Final = (
    "use STATUS[:TIMES][:retry-after=VALUE] with a status from 400 to 599, "
    "truncate, reset, redirect, html or garbage with [:TIMES], "
    "slow[:SECONDS[:TIMES]], clock[:SECONDS[:TIMES]], partial[:SIGN[:TIMES]] "
    f"with a SIGN of {', '.join(SIGNS)}, or catalog[:SIGN[:TIMES]] "
    f"with a SIGN of {', '.join(PAGE_FAULTS)}; TIMES is a number, or * for always"
)


def parse_fault(spec: str) -> Fault:
    """Return the fault that a ``--fail`` option describes.

    * ``STATUS[:TIMES][:retry-after=VALUE]``: an error, 400 to 599
    * ``truncate``, ``reset``, ``redirect``, ``html`` or ``garbage``, each with ``[:TIMES]``
    * ``slow[:SECONDS[:TIMES]]``: hold the answer back (default: 60 s)
    * ``clock[:SECONDS[:TIMES]]``: set the server's clock ahead (default: an hour), or behind if
      negative
    * ``partial[:SIGN[:TIMES]]``: send half of the results, with one of `SIGNS` (default: ``total``)
    * ``catalog[:SIGN[:TIMES]]``: send a page of the catalog with one of `PAGE_FAULTS` (default:
      ``cut``)

    ``TIMES`` is a number of requests, 1 by default, or ``*`` for all later requests. Requests meet
    the faults in the given order, and then none. Settings may stand before ``:retry-after``:

    * ``:write=N``: wait for the N-th write, whatever faults other requests meet
    * ``:effect=after``: an error, a reset, another answer or a delay comes after the effect of
      the request (default: ``before``; only a delay is followed by the effect then)
    * ``:effect=half``: a bulk call that isn't atomic stores half of its lines before it fails
    * ``:rate-limit=SECONDS``: an error tells the wait as other endpoints of the vendor do

    Raises:
        UsageError: the text describes no fault.
    """
    # VALUE may be an HTTP date, with colons of its own.
    head, *retry_after = spec.split(":retry-after=", 1)
    kind, *words = head.split(":")
    settings = [word for word in words if "=" in word]
    words = [word for word in words if "=" not in word]
    try:
        return _set_all(_parse_kind(kind, words, retry_after), settings)
    except (TypeError, ValueError) as error:
        # A TypeError comes from too many words.
        raise UsageError(
            f"no such fault: {spec!r}", hint=f"{SYNTAX_HINT}; {SETTINGS_HINT}"
        ) from error


def _parse_kind(kind: str, words: list[str], retry_after: Sequence[str]) -> Fault:
    if retry_after:
        return _build_error_fault(int(kind), _parse_times(*words), *retry_after)
    if kind in DEFAULT_SECONDS:
        seconds = float(words.pop(0)) if words else DEFAULT_SECONDS[kind]
        return _build_timed_fault(kind, seconds, _parse_times(*words))
    if kind == "partial":
        return _build_partial_fault(*words)
    if kind == "catalog":
        return _build_page_fault(*words)
    if kind in PLAIN:
        return replace(PLAIN[kind], times=_parse_times(*words))
    return _build_error_fault(int(kind), _parse_times(*words))


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


def spoil_page(answer: Answer, fault: str, request: Request) -> Answer:
    """Return a page of the catalog with one of `PAGE_FAULTS`.

    * ``cut``: half of the objects, and no link to the next page
    * ``total``: one item more than there are
    * ``host``: the next page at another host
    * ``dead``: a link that has expired
    * ``loop``: a link to this page again

    An answer that is no page, such as an error, is returned unchanged.
    """
    content = json.loads(answer.body or b"null")
    if not isinstance(content, dict) or "objects" not in content:
        return answer
    objects = content["objects"]
    href = ""
    match fault:
        case "cut":
            content |= {"objects": objects[: len(objects) // 2], "links": []}
        case "total":
            content["total"] += 1
        case "host":
            href = f"https://catalog.example{catalog.PATH}?cursor=next"
        case "dead":
            href = catalog.build_link(request, "expired")
        case "loop":
            query = urlencode(request.query, doseq=True)
            href = f"http://{request.headers.get('host', '')}{request.path}?{query}"
    if href:
        content["links"] = [{"rel": "next", "href": href}]
    return replace(answer, body=json.dumps(content).encode())


def _parse_times(text: str = "1") -> int | None:
    return None if text == "*" else _parse_count(text)


def _parse_count(text: str) -> int:
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


def _build_page_fault(sign: str = PAGE_FAULTS[0], times: str = "1") -> Fault:
    if sign not in PAGE_FAULTS:
        raise ValueError(sign)
    return Fault(_parse_times(times), page=sign)


def _build_error_fault(status: int, times: int | None, retry_after: str | None = None) -> Fault:
    """Return an error with the API's kind of body; the reason is the name of the status."""
    if not 400 <= status <= 599:  # noqa: PLR2004 - the statuses that are errors, RFC 9110, 15
        raise ValueError(status)
    phrases = {known.value: known.phrase for known in HTTPStatus}
    body = json.dumps({"reason": phrases.get(status, "Error")}).encode()
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Fault(times, Answer(status, body, headers))


def _set_all(fault: Fault, settings: Sequence[str]) -> Fault:
    for setting in settings:
        name, _, value = setting.partition("=")
        match name:
            case "write":
                fault = replace(fault, write=_parse_count(value))
            case "effect":
                fault = replace(fault, effect=_parse_effect(value, fault))
            case "rate-limit":
                fault = replace(fault, limit=_parse_limit(value, fault))
            case _:
                raise ValueError(setting)
    return fault


def _parse_effect(text: str, fault: Fault) -> Effect:
    if text == "before" and (fault.replaces_answer or fault.delay):
        return "before"
    if text == "after" and (fault.replaces_answer or fault.delay):
        return "after"
    if text == "half" and fault.replaces_answer:
        return "half"
    raise ValueError(text)


def _parse_limit(text: str, fault: Fault) -> int:
    is_error = fault.answer is not None and fault.answer.status >= 400  # noqa: PLR2004 - RFC 9110, 15
    if not is_error or not 0 <= int(text) <= MAX_SECONDS:
        raise ValueError(text)
    return int(text)


def tell_rate_limit(answer: Answer, seconds: int, now: datetime) -> Answer:
    """Return an error that tells the wait in its body and headers, in the vendor's form."""
    content = json.loads(answer.body)
    body = json.dumps({**content, "error": {"details": {"retry_after": seconds}}}).encode()
    headers = {
        "X-RateLimit-Limit": str(RATE_LIMIT),
        "X-RateLimit-Remaining": "0",
        # As a Unix time, the most common form. The reference doesn't say which one it uses.
        "X-RateLimit-Reset": str(int(now.timestamp()) + seconds),
    }
    return Answer(answer.status, body, {**answer.headers, **headers})
