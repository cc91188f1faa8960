"""Shelves: in which order pins stand, how each stands at a moment, and how a report shows it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync import canonical
from pinsync.canonical import moments, normalize
from pinsync.canonical.moments import format_utc
from pinsync.canonical.pins import read_pin
from pinsync.drift.changes import find_titles
from pinsync.drift.record import Place, Side
from pinsync.reports import Style
from pinsync.reports.show import json as show_json
from pinsync.reports.show import text as show_text
from pinsync.reports.words.values import measure_width
from pinsync.shelf.shelf import (
    Shelves,
    TrackerShelves,
    build_shelf,
    collect_shelf_items,
    find_state,
)
from support.drifts import pin, rule
from support.schemas import check_report

if TYPE_CHECKING:
    from pinsync.model import Customization

Row = dict[str, Any]

AT = "2026-12-24T11:00:00Z"
HEAD = Side("@worktree")
STYLE = Style(ZoneInfo("Europe/Bratislava"))


def shelves(*rows: Row, at: str = AT) -> Shelves:
    items = [canonical.build("basket", normalize.normalize_row(row)) for row in rows]
    found = [build_shelf(item, at, Place("customizations/basket.yaml", 4)) for item in items]
    tracker = TrackerShelves(
        "shop-sk", "1234-5678", tuple(found), find_titles(collect_shelf_items(found), items)
    )
    return Shelves("basket", at, HEAD, (tracker,))


def text(*rows: Row, style: Style = STYLE) -> list[str]:
    lines = show_text.render(shelves(*rows), style).split("\n")
    assert lines.pop() == ""
    return lines


def table(*pins: Row, more: Row | None = None) -> list[str]:
    """The lines below the title of one rule."""
    return text(rule(1, "/p/1/", pins, "Strings", more))[3:-2]


def record(*rows: Row) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(show_json.render(shelves(*rows), STYLE))
    check_report("show", found)
    return found


# Titles of pinned items.


def test_of_several_titles_the_first_in_canonical_order_wins_whatever_the_order_of_the_rules() -> (
    None
):
    def titled(number: int, title: str, model: str = "basket") -> Customization:
        return canonical.build(model, normalize.normalize_row(rule(number, "/p/1/", [], title)))

    new = [titled(3, "third"), titled(2, "second"), titled(1, ""), titled(1, "other", "home")]
    old = [titled(1, "first"), canonical.build("basket", rule(4, "/p/4/", [], "fourth"))]
    wanted = frozenset({"/p/1/", "/p/4/", "/p/5/"})
    for random in map(Random, range(5)):
        shuffled = [random.sample(side, len(side)) for side in (new, old)]
        assert find_titles(wanted, *shuffled) == {"/p/1/": "second", "/p/4/": "fourth"}


# States.


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, "active"),
        (AT, None, "active"),
        ("2026-12-24T11:00:00.000000001Z", None, "upcoming"),
        ("2026-12-24T10:59:59.999999999Z", None, "active"),
        (None, AT, "over"),
        (None, "2026-12-24T11:00:00.000000001Z", "active"),
        (None, "2026-12-24T12:00:00+01:00", "over"),
        ("2026-12-24T12:00:01+01:00", None, "upcoming"),
        ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "active"),
        ("2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z", "upcoming"),
        ("2016-12-31T23:59:60Z", None, "active"),
        ("2027-01-01", None, "unclear"),
        (None, "2020-01-01T00:00:00", "unclear"),
        ("2026-02-30T00:00:00Z", None, "unclear"),
        ("soon", "2020-01-01T00:00:00Z", "unclear"),
        (None, 1, "unclear"),
    ],
)
def test_the_state_of_a_window(start: str | None, end: str | int | None, expected: str) -> None:
    row = rule(1, "/p/1/", [pin(1, "/p/2/", {"active_from": start, "active_to": end})])
    (slot,) = shelves(row).trackers[0].shelves[0].slots
    assert slot.state == expected


MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1))  # noqa: DTZ001 - the zone comes with the strategy


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(timezones=st.just(UTC)),
)
def test_the_state_is_what_the_moments_say(start: datetime, end: datetime, at: datetime) -> None:
    found = find_state(
        read_pin({"active_from": format_utc(start), "active_to": format_utc(end)}), format_utc(at)
    )
    assert found == ("over" if end <= at else "active" if start <= at else "upcoming")


@given(MOMENTS, st.integers(-12, 14))
def test_a_moment_is_spelled_as_in_documents(at: datetime, hours: int) -> None:
    there = at.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=hours)))
    assert format_utc(there) == moments.normalize_date_time(there.isoformat())


# Order.


def test_numbers_come_first_then_everywhere_then_what_is_blocked_then_odd_places() -> None:
    pins = [
        pin(-2, "/p/9/"),
        pin(0, "/p/8/", {"is_block_pin": True}),
        pin(10, "/p/7/"),
        pin(-1, "/p/6/"),
        pin(2, "/p/5/"),
        {**pin(1, "/p/4/"), "position": "1"},
        {**pin(1, "/p/3/"), "position": True},
        pin(3, "/p/2/", {"is_block_pin": True}),
        {"pin_type": "item", "pin_identity": "/p/1/"},
    ]
    assert table(*pins) == [
        "  2            /p/5/                                             active",
        "  10           /p/7/                                             active",
        "  everywhere   /p/6/                                             active",
        "  blocked      /p/8/                                             active",
        "  blocked      /p/2/            position: 3, is_block_pin: true  active",
        "  -2           /p/9/                                             active",
        '  no position  /p/1/ "Strings"                                   active',
        "  true         /p/3/                                             active",
        '  "1"          /p/4/                                             active',
    ]


def test_several_pins_at_one_place_stand_below_one_another() -> None:
    windows = [
        {"active_to": "2026-12-24T11:00:00Z"},
        {"active_from": "2026-12-24T11:00:00Z", "active_to": "2026-12-31T23:00:00Z"},
        {"active_from": "2026-12-31T23:00:00Z"},
    ]
    hero = {"widget_id": "hero"}
    assert table(*(pin(1, "/p/2/", window) for window in windows), pin(1, "/p/3/", hero)) == [
        "  1  /p/2/                 until 24 Dec 2026 12:00 CET                             over",
        "  1  /p/2/                 from 24 Dec 2026 12:00 CET, until 1 Jan 2027 00:00 CET  active",
        (
            "  1  /p/2/                 from 1 Jan 2027 00:00 CET                               "
            "upcoming"
        ),
        "  1  /p/3/ in widget hero                                                          active",
    ]


# Reports.


def test_a_page_to_the_letter() -> None:
    titan = rule(2, "/p/234/", [], "Titanium strap")
    first = rule(
        1,
        "/p/1/",
        [
            pin(1, "/p/234/", {"active_to": "2026-12-31T23:00:00Z"}),
            pin(2, {"price": {"lt": 20}}),
            pin(0, "/p/9/", {"is_block_pin": True, "active_to": "2026-12-31"}),
        ],
        "Strings",
        {"tags": ["a b", "christmas"]},
    )
    assert text(first, titan) == [
        "basket in the working tree, at 24 Dec 2026 12:00 CET",
        "",
        'Strings (item /p/1/) · tags "a b", christmas · customizations/basket.yaml:4',
        '  1        /p/234/ "Titanium strap"            until 1 Jan 2027 00:00 CET  active',
        "  2        whatever matches {price: {lt: 20}}                              active",
        '  blocked  /p/9/                               until "2026-12-31"          unclear',
        "",
        "Titanium strap (item /p/234/) · customizations/basket.yaml:4",
        "  no pins",
        "",
        "2 rules, 3 pins: 2 active, 0 upcoming, 0 over, 1 unclear",
    ]


def test_what_is_odd_is_shown_as_it_is() -> None:
    assert table(more={"pin_definitions": [1, "b c"]}) == ['  pin_definitions: [1, "b c"]']
    row = {**rule(1, "/p/1/", [pin(1, "/p/2/")]), "priority": {"a": 1}, "tags": "x y"}
    assert text(row)[2:4] == [
        'item /p/1/ · tags "x y" · customizations/basket.yaml:4',
        "  1  /p/2/  active",
    ]
    assert text(row)[4] == "  priority: {a: 1}"
    assert table({"position": 1, "pin_type": "brand", "pin_identity": 7, "note": None}) == [
        "  1  7 and pin type brand  note: null  active"
    ]


def test_columns_are_as_wide_as_a_terminal_shows_them() -> None:
    names = ["三味線", "strap", "e\u0301tui", "B♭"]
    rules = [rule(number, f"/p/{number}/", [], name) for number, name in enumerate(names, 2)]
    shelf = rule(1, "/p/1/", [pin(number, f"/p/{number}/") for number in range(2, 6)])
    lines = text(shelf, *rules)[3:7]
    assert [measure_width(line) for line in lines] == [measure_width(lines[0])] * 4
    assert measure_width(lines[0]) == len('  2  /p/2/ "______"  active')


def test_what_is_very_wide_moves_only_its_own_line() -> None:
    lines = table(pin(1, {"brand": "x" * 80}), pin(2, "/p/2/"))
    assert lines[0].endswith("}  active")
    assert lines[1] == f"  2  {'/p/2/':<80}  active"


def test_colour_says_the_state_and_only_where_it_is_wanted() -> None:
    row = rule(1, "/p/1/", [pin(1, "/p/2/", {"active_to": AT}), pin(2, "/p/3/")])
    lines = text(row, style=Style(UTC, color=True))
    assert lines[3].endswith("  \x1b[2mover\x1b[0m")
    assert lines[4].endswith("  \x1b[32mactive\x1b[0m")
    assert re.sub("\x1b\\[[0-9;]*m", "", "\n".join(lines)) == "\n".join(text(row, style=Style(UTC)))
    assert "\x1b" not in "".join(text(row))


HOSTILE = "::error::\x1b[2J\u202e##[x\r\n"


def test_what_comes_from_outside_is_harmless() -> None:
    row = rule(
        1,
        HOSTILE,
        [pin(1, HOSTILE, {"widget_id": HOSTILE, HOSTILE: HOSTILE})],
        HOSTILE,
        {"tags": [HOSTILE]},
    )
    odd = {**rule(2, "/p/2/", [{**pin(1, "/p/3/"), "position": HOSTILE}], "::group::x"), HOSTILE: 1}
    page = show_text.render(shelves(row, odd), STYLE)
    assert page.replace("\n", "").isprintable()
    assert "##[" not in page
    assert not re.search(r"(?m)^\s*::", page)
    written = show_json.render(shelves(row, odd), STYLE)
    assert written.replace("\n", "").isprintable()
    assert "##[" not in written
    first, second = record(row, odd)["trackers"][0]["rules"]
    assert (first["title"], second["pins"][0]["pin"]["position"]) == (HOSTILE, HOSTILE)


def test_the_contract_to_the_letter() -> None:
    row = rule(
        1,
        "/p/1/",
        [pin(1, "/p/2/", {"active_to": "2026-12-24T12:00:00+01:00"}), pin(-1, "/p/1/")],
        "Strings",
    )
    criteria = {"target_type": "criteria", "target_criteria": {"price": {"lt": 20}}}
    assert record(row, criteria) == {
        "version": 1,
        "at": AT,
        "source": "@worktree",
        "revision": None,
        "trackers": [
            {
                "name": "shop-sk",
                "tracker_id": "1234-5678",
                "rules": [
                    {
                        "model": "basket",
                        "id": "00000000-0000-4000-8000-000000000001",
                        "target_type": "item",
                        "target_identity": "/p/1/",
                        "target_criteria": None,
                        "title": "Strings",
                        "file": "customizations/basket.yaml",
                        "line": 4,
                        "pins": [
                            {
                                "state": "over",
                                "pin": {
                                    "position": 1,
                                    "pin_type": "item",
                                    "pin_identity": "/p/2/",
                                    "active_to": "2026-12-24T11:00:00Z",
                                },
                                "title": None,
                            },
                            {
                                "state": "active",
                                "pin": {
                                    "position": -1,
                                    "pin_type": "item",
                                    "pin_identity": "/p/1/",
                                },
                                "title": "Strings",
                            },
                        ],
                    },
                    {
                        "model": "basket",
                        "id": None,
                        "target_type": "criteria",
                        "target_identity": None,
                        "target_criteria": {"price": {"lt": 20}},
                        "title": None,
                        "file": "customizations/basket.yaml",
                        "line": 4,
                        "pins": [],
                    },
                ],
                "counts": {
                    "rules": 2,
                    "pins": 2,
                    "active": 1,
                    "upcoming": 0,
                    "over": 1,
                    "unclear": 0,
                },
            }
        ],
    }
