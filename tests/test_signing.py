"""The signature agrees with openssl, and dates with RFC 9110."""

from __future__ import annotations

import base64
import subprocess
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pinsync import signing

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
MOMENT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
PATH = "/v1/recommender/pin/1234-5678/scopes/export"


def test_string_to_sign_has_four_lines_and_no_newline_at_the_end() -> None:
    signed = signing.build_string_to_sign("POST", signing.CONTENT_TYPE, DATE, PATH)
    assert signed == f"POST\napplication/json; charset=utf-8\n{DATE}\n{PATH}"


@pytest.mark.parametrize("key", ["your_private_api_key", "a key with spaces & 'quotes'", "k" * 200])
def test_signature_equals_openssl(key: str) -> None:
    header = signing.build_authorization(
        "1234-5678", key, method="POST", content_type=signing.CONTENT_TYPE, date=DATE, path=PATH
    )
    message = signing.build_string_to_sign("POST", signing.CONTENT_TYPE, DATE, PATH)
    openssl = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", key, "-binary"],
        input=message.encode(),
        capture_output=True,
        check=True,
    )
    assert header == f"ApiAuth 1234-5678:{base64.b64encode(openssl.stdout).decode()}"


@pytest.mark.parametrize("part", ["method", "content_type", "date", "path"])
def test_every_part_is_signed(part: str) -> None:
    parts = {"method": "POST", "content_type": "application/json", "date": DATE, "path": PATH}
    first = signing.build_authorization("t", "k", **parts)
    assert signing.build_authorization("t", "k", **{**parts, part: parts[part] + "x"}) != first


def test_key_is_no_part_of_the_header() -> None:
    header = signing.build_authorization(
        "t", "very-secret", method="GET", content_type="", date=DATE, path="/"
    )
    assert "secret" not in header


def test_http_date_is_in_gmt_and_drops_the_fraction() -> None:
    east = timezone(timedelta(hours=2))
    assert (
        signing.format_http_date(MOMENT.astimezone(east) + timedelta(microseconds=999_999)) == DATE
    )


def test_http_date_has_the_standards_own_names() -> None:
    days = {signing.format_http_date(MOMENT + timedelta(days=n))[:3] for n in range(7)}
    months = [
        signing.format_http_date(datetime(2026, month, 1, tzinfo=UTC))[8:11]
        for month in range(1, 13)
    ]
    assert days == {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}
    assert " ".join(months) == "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"


@pytest.mark.parametrize(
    "text", [DATE, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
)
def test_the_three_forms_of_a_date_are_read(text: str) -> None:
    assert signing.parse_http_date(text) == MOMENT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "3",
        "Sun, 99 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 +9999999",
        "\x00",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert signing.parse_http_date(text) is None
