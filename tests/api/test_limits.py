"""How long a server asks its clients to wait, in every form."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from pinsync.api.limits import read_exhausted_limit, read_retry_after

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECOND = int(NOW.timestamp())
DATE = "Sat, 21 Nov 2026 12:00:00 GMT"
TOLD = b'{"error": {"details": {"retry_after": 7}}}'


def answer(**headers: str) -> httpx.Response:
    return httpx.Response(429, headers={name.replace("_", "-"): headers[name] for name in headers})


def limited(reset: str, remaining: str = "0", **headers: str) -> httpx.Response:
    return answer(X_RateLimit_Remaining=remaining, X_RateLimit_Reset=reset, **headers)


@pytest.mark.parametrize(
    ("response", "body", "seconds"),
    [
        (answer(), b"", None),
        (answer(Retry_After="7"), b"", 7),
        (answer(Retry_After=" 7 "), b"", 7),
        (answer(Retry_After="Sat, 21 Nov 2026 12:00:09 GMT", Date=DATE), b"", 9),
        (answer(Retry_After="Sat, 21 Nov 2026 11:00:00 GMT", Date=DATE), b"", 0),
        # By the server's clock, and without one by ours.
        (
            answer(
                Retry_After="Sat, 21 Nov 2026 13:00:09 GMT", Date="Sat, 21 Nov 2026 13:00:00 GMT"
            ),
            b"",
            9,
        ),
        (answer(Retry_After="Sat, 21 Nov 2026 12:00:09 GMT"), b"", 9),
        (answer(Retry_After="soon"), b"", None),
        (answer(Retry_After="-1"), b"", None),
        (answer(Retry_After="1.5"), b"", None),
        (answer(), TOLD, 7),
        (answer(), b'{"error": {"details": {"retry_after": 0.5}}}', 0.5),
        (answer(), b'{"error": {"details": {"retry_after": "7"}}}', None),
        (answer(), b'{"error": {"details": {"retry_after": true}}}', None),
        (answer(), b'{"error": {"details": {"retry_after": -1}}}', None),
        (answer(), b'{"error": {"details": {"retry_after": NaN}}}', None),
        (answer(), b'{"error": {"details": {"retry_after": 1e99}}}', None),
        (answer(), b'{"error": []}', None),
        (answer(), b"[1]", None),
        (answer(), b"\xff", None),
        (answer(), b"[" * 100_000, None),
        (limited("7"), b"", 7),
        (limited(str(SECOND + 7), Date=DATE), b"", 7),
        (limited(str(SECOND + 7)), b"", 7),
        (limited(str(SECOND - 7), Date=DATE), b"", 0),
        (limited("7", remaining="1"), b"", None),
        (limited("soon"), b"", None),
        (answer(X_RateLimit_Reset="7"), b"", None),
        # The first form that can be read counts.
        (limited("9", Retry_After="8"), TOLD, 8),
        (limited("9", Retry_After="?"), TOLD, 7),
        (limited("9"), b"{}", 9),
    ],
)
def test_each_form(response: httpx.Response, body: bytes, seconds: float | None) -> None:
    assert read_retry_after(response, body, NOW) == seconds


def test_an_answer_may_say_that_the_limit_is_used_up() -> None:
    assert read_exhausted_limit(limited("7"), NOW) == 7
    assert read_exhausted_limit(limited("7", remaining="3"), NOW) is None
    # Only the limit counts in an answer that isn't an error.
    assert read_exhausted_limit(answer(Retry_After="7"), NOW) is None
