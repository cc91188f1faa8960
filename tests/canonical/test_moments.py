"""Date-times: instants that sort, windows, and the times that the command line takes."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from pinsync.canonical import moments
from pinsync.canonical.moments import (
    normalize_date_time,
    parse_option,
    read_instant,
    read_window,
)
from pinsync.errors import UsageError

if TYPE_CHECKING:
    from support.command_line import CommandLine

BRATISLAVA = ZoneInfo("Europe/Bratislava")


def utc(text: str, zone: ZoneInfo = BRATISLAVA, *, end: bool = False) -> str:
    found = parse_option(text, zone, option="--at", end=end)
    assert found.tzinfo is UTC
    return found.isoformat().removesuffix("+00:00")


def test_the_quick_ways_of_usual_forms_lead_to_what_the_long_one_does() -> None:
    days = ["2026-06-30", "2024-02-29", "2026-02-30", "0000-01-01", "0001-01-01", "9999-12-31"]
    times = ["00:00:00", "12:30:59.50", "23:59:60", "12:30:60", "24:00:00", "25:61:00", "12:30"]
    offsets = ["Z", "z", "+01:00", "-23:59", "+24:00", "+00:60", "-00:00", "", "+01:00\n"]
    for parts in product(days, "Tt ", times, offsets):
        text = "".join(parts)
        assert normalize_date_time(text) == moments._normalize_any_form(text), text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-24", "2026-12-23T23:00:00"),
        ("2026-12-24T10:00", "2026-12-24T09:00:00"),
        ("2026-12-24 10:00", "2026-12-24T09:00:00"),
        ("2026-07-24t10:00:30", "2026-07-24T08:00:30"),
        ("2026-12-24T10:00Z", "2026-12-24T10:00:00"),
        ("2026-12-24 10:00:30z", "2026-12-24T10:00:30"),
        ("2026-12-24T10:00:30.25+05:30", "2026-12-24T04:30:30.250000"),
        ("2026-12-24T10:00:30.1234567-01:00", "2026-12-24T11:00:30.123456"),
    ],
)
def test_a_form_of_iso_8601_names_a_moment(text: str, expected: str) -> None:
    assert utc(text) == expected


def test_a_day_can_stand_for_its_end_and_a_time_stays() -> None:
    assert utc("2026-12-24", end=True) == "2026-12-24T22:59:59.999999"
    assert utc("2026-12-24T10:00", end=True) == "2026-12-24T09:00:00"


def test_of_a_time_that_comes_twice_the_first_is_meant_and_of_a_day_all() -> None:
    assert utc("2026-10-25T02:30") == "2026-10-25T00:30:00"
    assert utc("2026-03-29T02:30") == "2026-03-29T01:30:00"  # skipped: 02:00 CET is 03:00 CEST
    havana = ZoneInfo(
        "America/Havana"
    )  # clocks change at midnight and at 1 o'clock, which is midnight again
    assert utc("2026-03-08", havana) == "2026-03-08T05:00:00"
    assert utc("2026-11-01", havana) == "2026-11-01T04:00:00"
    azores = ZoneInfo("Atlantic/Azores")  # and here at 1 o'clock, back to midnight
    assert utc("2026-10-25T00:30", azores) == "2026-10-25T00:30:00"
    assert (
        utc("1999-10-02", ZoneInfo("America/Sao_Paulo"), end=True) == "1999-10-03T02:59:59.999999"
    )
    assert (
        utc("2000-02-26", ZoneInfo("America/Sao_Paulo"), end=True) == "2000-02-27T02:59:59.999999"
    )  # 23:59 twice


@pytest.mark.parametrize(
    "text",
    [
        *(
            "tomorrow",
            "yesterday",
            "now",
            "2 weeks ago",
            "1 Dec 2026",
            "24.12.2026",
            "12/24/2026",
            "",
        ),
        *(
            "2026-W52-4",
            "2026-359",
            "20261224",
            "2026-12",
            "2026-1-2",
            "2026-12-24T10",
            "2026-12-24T1000",
        ),
        *(
            "2026-12-24T10:00:30,5",
            "2026-12-24T10:00.5",
            "2026-12-24Z",
            "2026-12-24T10:00+1",
            "2026-12-24T10:00 CET",
        ),
        *(
            "2026-12-24T10:00+01:60",
            "2026-12-24T24:00",
            " 2026-12-24",
            "2026-12-24\n",
            "٢٠٢٦-12-24",
            "1766534400",
        ),
    ],
)
def test_nothing_is_guessed_at(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_option(text, BRATISLAVA, option="--since")
    assert raised.value.message.startswith("--since: ")
    assert "is no time that can be read" in raised.value.message
    assert "such as 2026-12-24" in raised.value.message


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2026-02-30",
            "2026-13-01",
            "0000-01-01",
            "2026-12-24T25:00",
            "2026-12-24T10:60",
            "2026-12-24T10:00:60Z",
        ),
        *("2026-12-24T10:00+24:00", "0001-01-01", "9999-12-31T23:59-01:00"),
    ],
)
def test_what_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--at: there is no"):
        parse_option(text, BRATISLAVA, option="--at")


@pytest.mark.usefixtures("repository")
def test_what_is_shown_of_a_text_is_harmless(pinsync: CommandLine) -> None:
    result = pinsync("show", "basket", "--at", "\x1b[2J")
    assert (result.code, result.err.partition(" is no")[0]) == (2, r'error: --at: "\u001b[2J"')


def test_the_last_day_of_the_calendar_has_an_end() -> None:
    assert parse_option("9999-12-31", UTC, option="--at", end=True) == datetime.max.replace(
        tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z"),
        ("2026-01-01T00:00:00.5Z", "2026-01-01T00:00:01Z"),
        ("2026-01-01T00:59:59+01:00", "2026-01-01T00:00:00Z"),
        ("2016-12-31T23:59:59.9Z", "2016-12-31T23:59:60Z"),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_instants_sort_as_moments_do(earlier: str, later: str) -> None:
    one, other = read_instant(earlier), read_instant(later)
    assert one is not None
    assert other is not None
    assert one < other


def test_one_moment_is_one_instant() -> None:
    assert read_instant("2026-01-01t01:00:00.50+01:00") == read_instant("2026-01-01T00:00:00.5Z")


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z"),
        *(
            "2026-01-01T24:00:00Z",
            "2026-01-01T10:00:60Z",
            "0000-01-01T00:00:00Z",
            "2026-01-01T00:00Z",
        ),
        *(
            "2026-W01-1T00:00:00Z",
            "２０２６-01-01T00:00:00Z",
            "0001-01-01T00:00:00+01:00",
            "2026-01-01T00:00:00Z\n",
        ),
    ],
)
def test_other_texts_are_no_instants(text: str) -> None:
    assert read_instant(text) is None


def test_a_window_without_ends_is_around_every_other() -> None:
    first, last = "0001-01-01T00:00:00Z", "9999-12-31T23:59:60.9Z"
    start, end = read_window(None, None) or ("", "")
    assert start < min(read_window(first, last) or ()) <= max(read_window(first, last) or ()) < end
    assert read_window(first, None) == (first[:-1], end)


@pytest.mark.parametrize("at", ["2026-01-01T00:00:00", "soon", 7, False, []])
def test_a_window_with_an_end_that_isnt_known_is_none(at: object) -> None:
    assert read_window(at, None) is None
    assert read_window(None, at) is None
