"""The report as a page, as a parser reads it; `test_html_in_a_browser` opens it."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from datetime import UTC
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from pinsync.canonical.moments import read_window
from pinsync.drift.record import Drift, Place
from pinsync.escape import one_line
from pinsync.reports import Style, load_plan
from pinsync.reports.drift.html import render
from pinsync.reports.html.links import build_file_url
from pinsync.reports.html.strips import Bar, build_strip
from pinsync.reports.plan.overview import build_plan_overview
from pinsync.reports.words.overview import build_overview
from pinsync.reports.words.pins import Words
from support.drifts import CASES, afternoon, one_pin, shop
from support.html_pages import ATTRIBUTES, ELEMENTS, parse_page
from support.plans import CASES as PLANS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pinsync.plan.record import Plan
    from pinsync.reports.words.overview import EntryGroup

STYLE: Final = Style(ZoneInfo("Europe/Bratislava"))
HOST: Final = "cdn.shop.example"
AT: Final = "2026-11-21T17:55:00Z"


def squeeze(text: str) -> str:
    return " ".join(text.split())


def list_sentences(drift: Drift) -> Iterator[str]:
    """What the text report says, without the layout of lines."""
    overview = build_overview(drift, STYLE.zone, one_line)
    yield overview.headline
    yield overview.movers
    yield from overview.origins
    yield from list_rules(overview.groups)
    for action in overview.actions:
        yield from (action.text[1:], action.command)


def list_rules(groups: Iterable[EntryGroup]) -> Iterator[str]:
    """What the text report says of the rules."""
    for group in groups:
        yield " · ".join(filter(None, [group.title, group.mover]))
        for entry in group.describe():
            yield f"{entry.verdict} {entry.details}".strip()
            yield from (entry.name, entry.widget, entry.start, entry.place)
            yield from (*entry.remarks, *entry.origins)
            for section in entry.sections:
                yield section.caption
                for row in section.rows:
                    yield row.label
                    yield from (cell.text for cell in row.cells if not cell.tile)
                    tiles = [cell.tile for cell in row.cells if cell.tile]
                    for tile in tiles:
                        yield " ".join((tile.position, tile.thing, *tile.facts))


@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_a_page_says_all_that_the_text_says(make: Callable[[], Drift]) -> None:
    drift = make()
    page = parse_page(render(drift, STYLE))
    shown = squeeze(page.text)
    assert [text for text in list_sentences(drift) if squeeze(text) not in shown] == []
    assert page.elements <= ELEMENTS
    assert page.attributes <= ATTRIBUTES


@pytest.mark.parametrize("make", PLANS.values(), ids=PLANS)
def test_the_page_of_a_plan_says_all_that_its_text_says(make: Callable[[], Plan]) -> None:
    plan = make()
    page = parse_page(load_plan("html").render(plan, STYLE))
    overview = build_plan_overview(plan, STYLE.zone, one_line)
    sentences = [overview.headline, overview.sentences, overview.checksum, *overview.origins]
    for group in overview.groups:
        sentences += [group.title, group.mover]
    shown = squeeze(page.text)
    for sentence in (*sentences, *list_rules(overview.groups)):
        assert squeeze(sentence) in shown
    assert page.elements <= ELEMENTS
    assert page.attributes <= ATTRIBUTES


def test_the_page_of_a_plan_links_each_rule_to_its_line() -> None:
    style = replace(STYLE, link_base="https://git.example/shop/blob/main/")
    page = load_plan("html").render(PLANS["afternoon"](), style)
    assert 'href="https://git.example/shop/blob/main/customizations/' in page


def test_a_summary_leaves_out_the_rules() -> None:
    page = parse_page(render(shop(), replace(STYLE, summary=True)))
    assert "article" not in page.elements
    assert "form" not in page.elements
    groups = build_overview(shop(), STYLE.zone, one_line).groups
    heading = f"{groups[0].title} · {groups[0].mover}: {len(groups[0].changes)}"
    assert heading in squeeze(page.text)
    assert "What you can do" in page.text


def test_the_policy_allows_our_style_and_script_and_no_other() -> None:
    page = parse_page(render(shop(), STYLE))
    hashes = {
        name: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for name, text in page.contents.items()
    }
    assert page.policy == (
        f"default-src 'none'; style-src 'sha256-{hashes['style']}'; "
        f"script-src 'sha256-{hashes['script']}'; img-src 'none'; base-uri 'none'; "
        f"form-action 'none'"
    )
    assert not re.search(r"(?i)url\(|@import|https?:", "".join(page.contents.values()))
    policy = parse_page(render(shop(), replace(STYLE, hosts=(HOST, "img.example.com")))).policy
    assert "; img-src https://cdn.shop.example https://img.example.com; " in policy


def test_a_picture_tells_its_host_nothing_about_the_page() -> None:
    drift = one_pin()
    (tracker,) = drift.trackers
    images = {"/p/999/": f"https://{HOST}/a.jpg?x=1&y=\"'<"}
    drift = replace(drift, trackers=(replace(tracker, images=images),))
    (picture,) = parse_page(render(drift, replace(STYLE, hosts=(HOST,)))).pictures
    assert picture == {
        "src": images["/p/999/"],
        "alt": "",
        "width": "88",
        "height": "88",
        "loading": "lazy",
        "decoding": "async",
        "referrerpolicy": "no-referrer",
    }


def test_a_place_is_a_link_to_its_line() -> None:
    base = "https://git.example/shop/blob/main"
    page = parse_page(render(afternoon(), replace(STYLE, link_base=f"{base}/")))
    lines = {address for address in page.addresses if "#L" in address}
    places = [change.place for tracker in afternoon().trackers for change in tracker.changes]
    assert lines == {f"{base}/{place.file}#L{place.line}" for place in places if place}
    assert len(lines) > 1
    odd = Place('a "b"/č#?.yaml', 7)
    assert build_file_url(base, odd) == f"{base}/a%20%22b%22/%C4%8D%23%3F.yaml#L7"
    assert build_file_url("", odd) == build_file_url(base, None) == ""


# Time strips.


def strip(*ends: tuple[str | None, str | None]) -> tuple[list[tuple[int, int]], int] | None:
    """The start and the end of each bar, and the place of the present."""
    windows = [(str(number), read_window(*pair)) for number, pair in enumerate(ends)]
    found = build_strip(windows, AT, Words(UTC, one_line))
    if found is None:
        return None
    return [(bar.start, bar.start + bar.width) for bar in found.bars], found.mark


def test_a_strip_has_one_scale() -> None:
    found = strip(
        (None, "2026-11-20T17:55:00Z"),
        ("2026-11-22T17:55:00Z", None),
        (None, None),
        ("2026-11-20T17:55:00Z", "2026-11-22T17:55:00Z"),
    )
    assert found == ([(0, 50), (950, 1000), (0, 1000), (50, 950)], 500)


def test_a_strip_needs_a_date() -> None:
    assert strip((None, None)) is None
    assert strip() is None
    assert strip(("soon", None)) is None


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:60.5Z"),
        (AT, AT),
        ("2027-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    ],
)
def test_a_strip_of_odd_dates_stays_in_its_frame(start: str, end: str) -> None:
    found = strip((start, end))
    assert found
    bars, mark = found
    assert all(0 <= left < right <= 1000 for left, right in bars)
    assert 0 <= mark <= 1000


def test_equal_times_of_one_pin_make_one_bar() -> None:
    window = read_window(None, "2026-12-24T11:00:00Z")
    found = build_strip([("shop #1", window), ("shop #1", window)], AT, Words(UTC, one_line))
    assert found
    assert found.bars == (Bar("shop #1", 0, 950),)
    assert (found.first, found.last) == ("21 Nov 2026 17:55 UTC", "24 Dec 2026 11:00 UTC")


def test_the_strip_of_a_rule_shows_the_pins_that_differ() -> None:
    text = render(shop(), STYLE)
    figures = re.findall(r"<figure.*?</figure>", text, re.DOTALL)
    labels = [re.findall("<span>(.*?)</span>", html.unescape(figure)) for figure in figures]
    assert ["agreed #1", "shop #3"] in labels
    assert all(labels)
