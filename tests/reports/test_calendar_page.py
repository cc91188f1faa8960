"""The calendar as a page, as a parser reads it; `test_calendar_in_a_browser` opens it."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pinsync.canonical.moments import to_instant
from pinsync.escape import INVISIBLE
from pinsync.reports import Style, load_calendar
from pinsync.reports.calendar.html import MAX_LANES
from pinsync.reports.words.troubles import MAX_SHOWN, build_schedule_words
from support.calendars import ADVENT, NOW, SALE, SHOP, ZONE, calendar, hostile
from support.drifts import pin, rule
from support.hostile import TITLES
from support.html_pages import ATTRIBUTES, ELEMENTS, parse_page
from support.runners import find_commands
from support.strategies import QUICK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.shelf.calendar import Calendar

Row = dict[str, Any]

STYLE: Final = Style(ZONE)
HOST: Final = "cdn.shop.example"


def render(shown: Calendar, style: Style = STYLE) -> str:
    text: str = load_calendar("html").render(shown, style)
    return text


# Reading our own template.


class ShownChange(NamedTuple):
    """A change as the page has it: each row is a list of the texts of its tiles."""

    moment: str
    rule: str
    rows: dict[str, list[str]]


class ShownLane(NamedTuple):
    """A pin on the timeline: its words, and the ends of its bar in percent."""

    text: str
    span: str
    start: float
    end: float


def strip(markup: str) -> str:
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", markup)).split())


def find_section(page: str, anchor: str) -> str:
    """The markup of a section of the page; empty if the page lacks it."""
    _, _, rest = page.partition(f'<section id="{anchor}"')
    return rest.partition("<section id=")[0].partition("</main>")[0]


def find_parts(markup: str, element: str) -> list[str]:
    return re.findall(rf"<{element}\b[^>]*>(.*?)</{element}>", markup, re.DOTALL)


def read_changes(page: str) -> Iterator[ShownChange]:
    for part in find_section(page, "changes").split("<section>")[1:]:
        (moment,) = find_parts(part, "h3")
        for card in find_parts(part, "article"):
            rows: dict[str, list[str]] = {}
            for label, row in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", card, re.DOTALL):
                rows[label] = [strip(tile) for tile in find_parts(row, "li")]
            yield ShownChange(strip(moment), strip(find_parts(card, "h4")[0]), rows)


def read_remarks(page: str, anchor: str) -> list[tuple[str, str]]:
    """The name of the rule, and the words, of each trouble in a section."""
    found: list[tuple[str, str]] = []
    for card in find_parts(find_section(page, anchor), "article"):
        name = strip(find_parts(card, "h3")[0])
        found += [(name, strip(item)) for item in find_parts(card, "li")]
    return found


def read_lanes(page: str) -> dict[str, list[ShownLane]]:
    """The lanes of each rule on the timeline."""
    found: dict[str, list[ShownLane]] = {}
    for card in find_parts(find_section(page, "timeline"), "article"):
        lanes = found.setdefault(strip(find_parts(card, "h4")[0]), [])
        for item in find_parts(card, "li"):
            text, span = find_parts(item, "span")
            (bar,) = re.findall(r'class="bar \w+" x="([\d.]+)%" y="25%" width="([\d.]+)%"', item)
            start, width = map(float, bar)
            lanes.append(ShownLane(strip(text), strip(span), start, round(start + width, 1)))
    return found


def read_labels(page: str) -> dict[str, float]:
    """The labels of the axis with their places."""
    found = re.findall(r'<text (?:class="\w+" )?x="([\d.]+)%" y="[\d.]+em">(.*?)</text>', page)
    return {label: float(place) for place, label in found}


# What must stand on the page.


def list_expected_changes(shown: Calendar) -> Iterator[ShownChange]:
    (tracker,) = shown.trackers
    words = build_schedule_words(tracker, ZONE)

    def describe(index: int, *, has_facts: bool = False) -> str:
        one = bookings[index].pin
        tile = words.build_tile(one)
        facts = list(words.list_facts(one)) if has_facts else []
        return " ".join([tile.position, tile.thing, words.describe_widget(one).strip(), *facts])

    for one, step in tracker.list_steps():
        bookings = one.schedule.bookings
        rows: dict[str, list[str]] = {}
        if step.started:
            rows["starts"] = [describe(index, has_facts=True) for index in step.started]
        if step.ended:
            rows["ends"] = [describe(index) for index in step.ended]
        rows["then"] = [describe(index) for index in step.shelf] or [
            "no pins: the recommender chooses"
        ]
        squeezed = {
            label: [" ".join(text.split()) for text in texts] for label, texts in rows.items()
        }
        name = words.name_target(one.item, one.data)
        yield ShownChange(words.format_instant(step.at), name, squeezed)


def list_expected_troubles(shown: Calendar, *, is_ahead: bool) -> Iterator[tuple[str, str]]:
    (tracker,) = shown.trackers
    words = build_schedule_words(tracker, ZONE)
    for one in tracker.rules:
        for trouble in one.schedule.troubles:
            if (trouble.span.start >= to_instant(shown.start)) == is_ahead:
                text = words.describe_trouble(trouble, one.schedule)
                name = words.name_target(one.item, one.data)
                yield name, f"{text} {words.describe_span(trouble.span)}"


MOMENTS = st.sampled_from(
    [f"2026-{month}-{day}T23:00:00Z" for month in (11, 12) for day in (2, 15, 24)]
)
WINDOWS = st.fixed_dictionaries({}, optional={"active_from": MOMENTS, "active_to": MOMENTS})
PINS = st.builds(
    pin,
    st.integers(-1, 4),
    st.sampled_from(["/p/2/", "/p/3/", "/p/4/"]),
    st.one_of(WINDOWS, WINDOWS.map(lambda window: {**window, "widget_id": "hero"})),
)
RULES = st.lists(st.lists(PINS, max_size=5), max_size=4)


@given(RULES)
@settings(QUICK)
def test_a_page_has_each_change_and_each_trouble(rules: list[list[Row]]) -> None:
    shown = calendar(*(rule(number, f"/t/{number}/", pins) for number, pins in enumerate(rules)))
    page = render(shown)
    changes = []
    for change in read_changes(page):
        moment = re.sub(r" one hour (before|after) midnight\Z", "", change.moment)
        changes.append(change._replace(moment=moment))
    assert changes == list(list_expected_changes(shown))
    assert read_remarks(page, "ahead") == list(list_expected_troubles(shown, is_ahead=True))
    assert read_remarks(page, "before") == list(list_expected_troubles(shown, is_ahead=False))
    # Each rule that is named above stands on the timeline, where the links lead.
    cards = re.findall(r'<article id="(rule-\d+)".*?<h4>(.*?)</h4>', page, re.DOTALL)
    names = dict(cards)
    assert len(names) == len(cards)
    links = re.findall(r'<a href="#(rule-\d+)">(.*?)</a>', page)
    assert all(names[anchor] == name for anchor, name in links)
    assert len(links) == page.count("<article") - len(cards)


def test_a_page_says_all_that_the_text_says() -> None:
    one = calendar(*SHOP)
    shown = strip(render(one))
    lines = load_calendar("text").render(one, STYLE).splitlines()
    sentences = [line for line in lines if line and not line.startswith(" ")]
    for sentence in sentences:
        assert all(part in shown for part in sentence.split(" · "))
    assert '#5 whatever matches {category: strings} in widget hero (until "2026-12-31")' in shown


def test_a_change_beside_midnight_is_pointed_out() -> None:
    moments = [change.moment for change in read_changes(render(calendar(*SHOP)))]
    assert "31 Jan 2027 23:00 CET one hour before midnight" in moments
    assert "24 Dec 2026 00:00 CET" in moments


# The timeline.


def test_the_timeline_has_each_pin_with_its_time() -> None:
    lanes = read_lanes(render(calendar(*SHOP)))
    # The third and the fourth rule have no dates, and nothing happens to them.
    assert list(lanes) == ["“Strings: 9-42 #1” (/p/1/)", "every visitor"]
    assert [lane[:2] for lane in lanes["every visitor"]] == [
        (
            "every position “Strings: 9-42 #1”",
            "from 27 Dec 2026 00:00 CET until 31 Jan 2027 23:00 CET",
        ),
        ("blocked “Strings: 9-42 #1”", "from 5 Jan 2027 23:00 CET"),
    ]
    unclear = lanes["“Strings: 9-42 #1” (/p/1/)"][-1]
    assert unclear.text == "#5 whatever matches {category: strings} in widget hero"
    assert unclear[1:] == ("the dates can't be read: the pin counts as always active", 0, 100)
    assert "2 further rules have no change, no trouble and no dates in this time." in strip(
        render(calendar(*SHOP))
    )


def draw(window: Row, **limits: str) -> list[tuple[float, float]]:
    """The bars of a pin with a window."""
    page = render(calendar(rule(1, None, [pin(1, "/p/2/", window)]), **limits))
    return [(lane.start, lane.end) for lanes in read_lanes(page).values() for lane in lanes]


def test_a_bar_stands_at_its_dates() -> None:
    december = {"start": "2026-12-01", "end": "2026-12-31T00:00"}
    day = 90 / 30
    half = {"active_from": "2026-12-10T23:00:00Z", "active_to": "2026-12-20T23:00:00Z"}
    assert draw(half, **december) == [(5 + 10 * day, 5 + 20 * day)]
    # What begins earlier or ends later reaches the edge; what begins at the first moment doesn't.
    assert draw({"active_to": half["active_to"]}, **december) == [(0, 65)]
    assert draw({"active_from": half["active_from"]}, **december) == [(35, 100)]
    assert draw({"active_from": "2026-11-30T23:00:00Z"}, **december) == [(5, 100)]
    assert draw({"active_from": "2026-11-30T22:00:00Z"}, **december) == [(0, 100)]
    earlier = {"active_from": "2020-01-01T00:00:00Z", "active_to": "2030-01-01T00:00:00Z"}
    assert draw(earlier, **december) == [(0, 100)]
    # The last moment of the calendar belongs to it.
    assert draw({"active_from": "2026-12-30T23:00:00Z"}, **december) == [(95, 100)]
    point = {"active_from": half["active_from"], "active_to": "2026-12-10T23:00:01Z"}
    assert draw(point, **december) == [(35, 35.1)]


@pytest.mark.parametrize(
    "window",
    [
        {"active_to": "2026-11-30T23:00:00Z"},
        {"active_from": "2026-12-31T00:00:00Z"},
        {"active_from": "2026-12-10T00:00:00Z", "active_to": "2026-12-09T00:00:00Z"},
    ],
)
def test_a_pin_that_is_never_active_in_this_time_has_no_bar(window: Row) -> None:
    limits = {"start": "2026-12-01", "end": "2026-12-30T23:59:59Z"}
    assert draw(window, **limits) == []
    page = render(calendar(rule(1, None, [pin(1, "/p/2/", window)]), **limits))
    # No pin is active, which is a trouble.
    assert "no pins: the recommender chooses" in strip(find_section(page, "timeline"))
    assert 'href="#axis"' not in page


@pytest.mark.parametrize(
    ("start", "end", "expected", "lines"),
    [
        ("2026-12-21", "2026-12-23", ["21 Dec 2026", "22 Dec", "23 Dec"], 3),
        (
            "2026-12-17",
            "2027-01-13",
            ["21 Dec 2026", "28 Dec", "4 Jan 2027", "11 Jan"],
            28,
        ),
        ("2026-11-21", "2027-02-19", ["Dec 2026", "Jan 2027", "Feb"], 13),
        # Eight weeks are too many labels, and 69 years too many lines.
        ("2026-12-01", "2027-01-25", ["Dec 2026", "Jan 2027"], 8),
        ("1975-05-05", "2044-05-05", [f"{year}" for year in range(1980, 2050, 10)], 7),
        (
            "2026-02-01",
            "2027-02-28",
            ["Apr 2026", "Jul", "Oct", "Jan 2027"],
            13,
        ),
        ("2026-01-01", "2030-12-31", ["2026", "2027", "2028", "2029", "2030"], 20),
        ("1995-05-05", "2044-05-05", ["2000", "2010", "2020", "2030", "2040"], 49),
        ("0001-01-02", "9998-12-30", [f"{n}000" for n in range(1, 10)], 9),
        ("2026-12-24T10:00", "2026-12-24T12:00", [], 0),
    ],
)
def test_the_ticks_of_the_axis(start: str, end: str, expected: list[str], lines: int) -> None:
    row = rule(1, None, [pin(1, "/p/2/", {"active_from": "0001-01-01T00:00:00Z"})])
    page = render(calendar(row, start=start, end=end))
    labels = read_labels(page)
    labels.pop("today", None)
    assert list(labels) == expected
    assert page.count('class="tick"') == lines
    assert page.count('class="date"') == len(expected)
    places = list(labels.values())
    assert places == sorted(places)
    assert all(5 <= place <= 95 for place in places)


@pytest.mark.parametrize(
    ("zone", "day", "midnight"),
    [
        ("Europe/Bratislava", "2026-12-01", "2026-11-30T23:00:00Z"),
        ("Europe/Bratislava", "2026-07-01", "2026-06-30T22:00:00Z"),
        ("America/New_York", "2026-12-01", "2026-12-01T05:00:00Z"),
        ("Pacific/Kiritimati", "2026-12-01", "2026-11-30T10:00:00Z"),
        # The clocks skipped midnight.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
    ],
)
def test_a_tick_is_the_midnight_of_the_configured_zone(zone: str, day: str, midnight: str) -> None:
    instant = datetime.fromisoformat(midnight)
    row = rule(1, None, [pin(1, "/p/2/", {"active_from": midnight})])
    limits = [(instant + timedelta(hours=hours)).isoformat() for hours in (-9, 9)]
    page = render(calendar(row, start=limits[0], end=limits[1]), Style(ZoneInfo(zone)))
    number, month = int(day[8:]), datetime.fromisoformat(day).strftime("%b")
    assert read_labels(page) == {f"{number} {month} {day[:4]}": 50}
    (lane,) = read_lanes(page)["every visitor"]
    assert lane.start == 50


def test_the_ends_of_time_have_ticks() -> None:
    always = {"start": "0001-01-01T00:00Z", "end": "9999-12-31T23:59:59Z"}
    row = rule(1, None, [pin(1, "/p/2/", ADVENT)])
    for zone in ("Pacific/Kiritimati", "America/New_York"):
        assert "9000" in read_labels(render(calendar(row, **always), Style(ZoneInfo(zone))))


def test_the_line_of_today_stands_between_the_dates() -> None:
    page = render(calendar(*SHOP))
    labels = read_labels(page)
    assert labels["Dec 2026"] < labels["today"] < labels["Jan 2027"]
    assert page.count('class="mark"') == 1
    assert "The strong line is today, 2 Dec 2026 15:30 CET." in strip(page)
    for limits in ({"start": "2026-12-03"}, {"end": "2026-12-01"}):
        page = render(calendar(*SHOP, **limits))
        assert "today" not in page.partition("<body>")[2]
        assert 'class="mark"' not in page


def test_the_first_moment_is_today_by_default() -> None:
    page = render(replace(calendar(*SHOP), start=NOW))
    assert read_labels(page)["today"] == 5


# Long and empty calendars.


def test_a_long_shelf_and_a_long_rule_are_cut() -> None:
    pins = [pin(number, f"/p/{number}/") for number in range(1, 131)]
    page = render(calendar(rule(1, None, [*pins, pin(131, "/p/131/", ADVENT)])))
    lanes = read_lanes(page)["every visitor"]
    assert [lane.text for lane in lanes] == [f"#{n} /p/{n}/" for n in range(1, MAX_LANES + 1)]
    assert f"… {131 - MAX_LANES} more …" in strip(find_section(page, "timeline"))
    (first, second) = read_changes(page)
    assert first.rows["then"][MAX_SHOWN - 1 :] == ["#20 /p/20/", f"… {131 - MAX_SHOWN} more …"]
    assert second.rows["ends"] == ["#131 /p/131/"]
    assert second.rows["then"][-1] == f"… {130 - MAX_SHOWN} more …"


def test_a_page_without_anything_to_tell() -> None:
    for rules in ((), (rule(3, "/p/3/", [pin(1, "/p/4/")]),)):
        page = render(calendar(*rules))
        parsed = parse_page(page)
        assert not parsed.elements & {"article", "form", "nav", "h2"}
        assert parsed.elements <= ELEMENTS
    assert "1 rule has no change, no trouble and no dates in this time." in strip(page)


def test_two_trackers_share_a_page() -> None:
    one = calendar(*SHOP)
    other = replace(one.trackers[0], name="shop-cz", tracker_id="8765-4321")
    page = render(replace(one, trackers=(*one.trackers, other)))
    headings = [strip(text) for text in find_parts(find_section(page, "timeline"), "h3")]
    assert headings == ["shop-sk (1234-5678) · basket", "shop-cz (8765-4321) · basket"]
    # Both change at the same moments.
    changes = find_section(page, "changes")
    moments = find_parts(changes, "h3")
    assert len(moments) == len(set(moments)) == len({step.at for _, step in other.list_steps()})
    assert changes.count("<article") == 2 * len(other.list_steps())
    text = strip(changes)
    assert text.count("shop-sk (1234-5678)") == text.count("shop-cz (8765-4321)") > 0
    footer = strip(page.partition("<footer>")[2])
    assert "shop-cz (8765-4321): 8 changes, 5 troubles; of 4 rules" in footer
    anchors = re.findall(r'<article id="(.*?)"', page)
    assert len(anchors) == len(set(anchors)) == 4


# Safety.


def test_hostile_texts_stay_texts() -> None:
    shown = hostile()
    page = render(shown, replace(STYLE, hosts=(HOST,)))
    parsed = parse_page(page)
    assert parsed.elements <= ELEMENTS
    assert parsed.attributes <= ATTRIBUTES
    assert not parsed.pictures
    assert not re.search(INVISIBLE, page.replace("\n", ""))
    assert find_commands(page) == []
    ours = re.compile(r"#(?:rules|ahead|timeline|changes|before|unreadable|axis|grid|rule-\d+)")
    others = {address for address in parsed.addresses if not ours.fullmatch(address)}
    assert others == {
        "https://app.luigisbox.com/sites/1234-5678/setup/recommendations_customization"
    }
    squeezed = " ".join(parsed.text.split())
    for title in ("</details><img src=x>", "@everyone", "##[add-mask]x", "<CTestLabel>x"):
        assert title in squeezed
    assert len(read_lanes(page)) == len(TITLES)
    for anchor in ("ahead", "timeline", "changes", "before", "unreadable"):
        assert find_section(page, anchor), anchor


def test_the_policy_is_that_of_every_page() -> None:
    page = parse_page(render(calendar(*SHOP)))
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-\S+'; script-src 'sha256-\S+'; "
        r"img-src 'none'; base-uri 'none'; form-action 'none'",
        page.policy,
    )
    assert page.elements <= ELEMENTS
    assert page.attributes <= ATTRIBUTES
    allowed = parse_page(render(calendar(*SHOP), replace(STYLE, hosts=(HOST,)))).policy
    assert f"img-src https://{HOST};" in allowed


def test_the_pins_of_a_change_have_pictures() -> None:
    one = calendar(*SHOP)
    images = {"/p/2/": f"https://{HOST}/2.jpg"}
    trackers = (replace(one.trackers[0], images=images),)
    pictures = parse_page(render(replace(one, trackers=trackers))).pictures
    assert {picture["src"] for picture in pictures} == {f"https://{HOST}/2.jpg"}
    assert {picture["referrerpolicy"] for picture in pictures} == {"no-referrer"}


def test_a_place_is_a_link_to_its_line() -> None:
    base = "https://git.example/shop/blob/main"
    page = parse_page(render(calendar(*SHOP), replace(STYLE, link_base=base)))
    lines = {address for address in page.addresses if "#L" in address}
    assert lines == {f"{base}/customizations/basket.yaml#L{line}" for line in (4, 5)}


def test_the_time_of_the_page_is_that_of_the_zone() -> None:
    row = rule(1, None, [pin(1, "/p/2/", SALE)])
    (first, _) = read_changes(render(calendar(row), Style(UTC)))
    assert first.moment == "26 Dec 2026 23:00 UTC one hour before midnight"
