"""Calendars: the text, the JSON, and the iCalendar file that any program can read."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pinsync.reports import CALENDAR_FORMATS, Style, load_calendar
from pinsync.shelf.calendar import find_near_midnight
from support import paths
from support.calendars import ADVENT, SALE, SHOP, ZONE, calendar
from support.drifts import pin, rule
from support.hostile import TITLES, rows
from support.icalendar_files import Properties, read_events
from support.runners import find_commands
from support.schemas import check_report
from support.strategies import QUICK

Row = dict[str, Any]

CASES = paths.CASES / "calendar"
STYLE = Style(ZONE)


def render(format_: str, *items: Row, **limits: str) -> str:
    text: str = load_calendar(format_).render(calendar(*items, **limits), STYLE)
    return text


def events(*items: Row, **limits: str) -> list[Properties]:
    return read_events(render("ics", *items, **limits))[1]


@pytest.mark.parametrize("format_", sorted(CALENDAR_FORMATS))
def test_a_shop_before_christmas(format_: str, golden: Any) -> None:  # noqa: ANN401
    text = render(format_, *SHOP)
    if format_ == "html":
        # Style and script are those of every page, and change for their sake.
        text = text.partition("<body>")[2].partition("<script>")[0]
    golden(text, CASES / f"expected.{format_}")


def test_the_json_keeps_to_its_schema() -> None:
    for shop in (SHOP, rows("!"), ()):
        check_report("calendar", json.loads(render("json", *shop)))


def test_two_trackers_have_headings() -> None:
    one = calendar(*SHOP)
    both = replace(one, trackers=one.trackers * 2)
    lines = load_calendar("text").render(both, STYLE).split("\n")
    assert lines.count("shop-sk (1234-5678)") == 2
    assert lines[-2].endswith("; of 8 rules in 2 trackers")


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        ("2026-12-24T23:00:00", None),
        ("2026-12-24T22:00:00", "before"),
        ("2026-12-25T00:00:00", "after"),
        ("2026-07-24T22:00:00", None),
        ("2026-07-24T23:00:00", "after"),
        ("2026-07-24T21:00:00", "before"),
        ("2026-07-24T21:00:00.5", None),
        ("2026-07-24T21:00:01", None),
        ("2026-07-24T21:30:00", None),
        ("2016-12-31T23:59:60", None),
        ("9999-12-31T23:00:00", None),
        ("", None),
    ],
)
def test_an_hour_beside_midnight(instant: str, expected: str | None) -> None:
    assert find_near_midnight(instant, ZONE) == expected


def test_a_long_shelf_is_cut_in_text() -> None:
    pins = [pin(number, f"/p/{number}/") for number in range(1, 31)]
    text = render("text", rule(1, None, [*pins, pin(31, "/p/31/", ADVENT)]))
    assert "  #20 /p/20/  … 11 more …\n" in text


# iCalendar.


def test_an_event_is_a_window_in_utc() -> None:
    found = events(rule(1, "/p/1/", [pin(1, "/p/2/", ADVENT), pin(2, "/p/3/", ADVENT)], "Strings"))
    (event,) = found
    assert (event["DTSTART"], event["DTEND"]) == ("20261128T230000Z", "20261224T230000Z")
    assert event["DTSTAMP"] == event["LAST-MODIFIED"] == "20261103T083015Z"
    assert event["SUMMARY"] == "#1 /p/2/, #2 /p/3/ · basket · “Strings” (/p/1/)"


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({"active_from": "2026-12-24T11:00:00Z"}, ("20261224T110000Z", "20261224T120000Z")),
        ({"active_to": "2026-12-24T11:00:00Z"}, ("20261224T110000Z", "20261224T120000Z")),
        (
            {"active_from": "2026-12-24T11:00:00.2Z", "active_to": "2026-12-24T11:00:00.7Z"},
            ("20261224T110000Z", "20261224T110001Z"),
        ),
        (
            {"active_from": "2016-12-31T23:59:60Z", "active_to": "2027-01-01T00:00:00Z"},
            ("20170101T000000Z", "20270101T000000Z"),
        ),
        (
            {"active_from": "0001-01-01T00:00:00Z", "active_to": "9999-12-31T23:59:59.5Z"},
            ("00010101T000000Z", "99991231T235959Z"),
        ),
    ],
)
def test_the_times_of_an_event(window: Row, expected: tuple[str, str]) -> None:
    (event,) = events(rule(1, None, [pin(1, "/p/2/", window)]))
    assert (event["DTSTART"], event["DTEND"]) == expected


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (
            {"active_from": "9999-12-31T23:30:00Z"},
            ("99991231T223000Z", "99991231T233000Z"),
        ),
        (
            {"active_from": "2016-12-31T23:59:60Z", "active_to": "2017-01-01T00:00:00Z"},
            ("20161231T235959Z", "20170101T000000Z"),
        ),
        (
            {"active_from": "9999-12-31T23:59:59Z", "active_to": "9999-12-31T23:59:60Z"},
            ("99991231T235958Z", "99991231T235959Z"),
        ),
    ],
)
def test_the_times_of_an_event_at_the_ends_of_time(window: Row, expected: tuple[str, str]) -> None:
    row = rule(1, None, [pin(1, "/p/2/", window)])
    (event,) = events(row, start="2016-01-01", end="9999-12-31T23:59:59Z")
    assert (event["DTSTART"], event["DTEND"]) == expected


def test_a_pin_without_a_time_to_tell_has_no_event() -> None:
    odd = [{}, {"active_to": "2026-12-24"}, {"active_from": "2027-01-01T00:00:00Z"} | ADVENT]
    odd[2]["active_from"] = ADVENT["active_to"]
    assert events(rule(1, None, [pin(n, "/p/2/", more) for n, more in enumerate(odd, 1)])) == []
    assert events(rule(1, None, [pin(1, "/p/2/", ADVENT)]), start="2026-12-26") == []


def test_a_window_that_spans_the_time_of_the_calendar_has_an_event() -> None:
    row = rule(1, None, [pin(1, "/p/2/", ADVENT)])
    assert len(events(row, start="2026-12-01", end="2026-12-02")) == 1


def test_a_description_tells_what_the_title_leaves_out() -> None:
    pins = [pin(number, f"/p/{number}/", SALE) for number in range(1, 131)]
    (event,) = events(rule(1, None, pins))
    assert event["SUMMARY"] == ("#1 /p/1/, #2 /p/2/, #3 /p/3/, 127 more · basket · every visitor")
    lines = event["DESCRIPTION"].split("\n")
    assert lines[0] == "basket · every visitor · customizations/basket.yaml:4"
    assert lines[1] == "From 27 Dec 2026 00:00 CET until 31 Jan 2027 23:00 CET"
    assert lines[2] == "The end is one hour before midnight."
    assert (lines[3][:8], lines[-1]) == ("#1 /p/1/", "… 30 more …")
    assert len(lines) == 3 + 100 + 1


def test_hostile_texts_stay_texts() -> None:
    shop = rows("!")
    for row in shop:
        row["pin_definitions"] = [{**one, **ADVENT} for one in row["pin_definitions"]]
    text = render("ics", *shop)
    _, found = read_events(text)
    assert len(found) == len(TITLES)
    assert find_commands(text) == []
    assert {frozenset(event) for event in found} == {frozenset(found[0])}


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
@settings(QUICK)
def test_a_reader_gets_the_title_of_any_item(title: str) -> None:
    row = rule(1, "/p/1/", [pin(1, "/p/2/", ADVENT)], title)
    (event,) = events(row)
    assert event["SUMMARY"].startswith("#1 /p/2/ · basket · ")
    plain = re.fullmatch(r"[\w ,;.-]{1,60}", title, re.ASCII)
    if plain and title == title.strip():
        assert f"“{title}”" in event["SUMMARY"]


# The UIDs of events.

WINDOWS = st.sampled_from([ADVENT, SALE, {"active_from": "2027-01-01T00:00:00Z"}])
PINS = st.builds(
    pin,
    st.integers(1, 3),
    st.sampled_from(["/p/2/", "/p/3/", "/p/4/"]),
    WINDOWS.flatmap(
        lambda window: st.sampled_from([window, {**window, "widget_id": "hero"}]),
    ),
)
RULES = st.lists(st.lists(PINS, max_size=5), min_size=1, max_size=3)


def shop(rules: list[list[Row]], *, has_ids: bool = True) -> list[Row]:
    found = [rule(number, "/p/1/", pins) for number, pins in enumerate(rules)]
    if not has_ids:
        for row in found:
            del row["id"]
    return found


def uids(*items: Row) -> list[str]:
    return [event["UID"] for event in events(*items)]


@given(RULES, st.booleans())
@settings(QUICK)
def test_every_event_has_a_uid_of_its_own(rules: list[list[Row]], has_ids: bool) -> None:
    found = uids(*shop(rules, has_ids=has_ids))
    assert len(set(found)) == len(found)


@given(RULES, st.integers(4, 40))
@settings(QUICK)
def test_a_uid_outlives_other_rules_positions_and_dates(rules: list[list[Row]], by: int) -> None:
    before = shop(rules)
    after = [rule(90, None, [pin(1, "/p/2/", ADVENT)]), *json.loads(json.dumps(before))]
    for row in after[1:]:
        row["tags"] = ["new"]
        for one in row.get("pin_definitions", []):
            # Other positions and other dates, in the same order.
            one["position"] = by - one["position"]
            for name in ("active_from", "active_to"):
                if name in one:
                    moved = datetime.fromisoformat(one[name]) + timedelta(minutes=by)
                    one[name] = moved.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert set(uids(*before)) < set(uids(*after))


def test_an_edited_end_moves_the_event() -> None:
    pins = [pin(1, "/p/2/", ADVENT), pin(1, "/p/2/", SALE), pin(2, "/p/3/", SALE)]
    longer = {**ADVENT, "active_to": "2026-12-26T23:00:00Z"}
    before = events(rule(1, None, pins))
    after = events(rule(1, None, [pin(1, "/p/2/", longer), *pins[1:]]))
    assert [one["UID"] for one in before] == [one["UID"] for one in after]
    assert [one["DTEND"] for one in before] != [one["DTEND"] for one in after]


def test_the_time_of_the_calendar_changes_no_uid() -> None:
    row = rule(1, None, [pin(1, "/p/2/", ADVENT), pin(1, "/p/2/", SALE)])
    assert uids(row)[1:] == [event["UID"] for event in events(row, start="2026-12-26")]


def test_the_uids_are_the_same_in_every_version() -> None:
    row = rule(1, "/p/1/", [pin(1, "/p/2/", ADVENT)])
    assert uids(row) == ["5f01dda5-feaf-540b-9e1f-f0aa82746b03"]
    del row["id"]
    assert uids(row) == ["64a27050-34fa-51e7-8950-742c39746f58"]
