"""The calendar's page in Chromium: what it loads, how it is used, and whether everybody can read
it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pytest
from msgspec.structs import replace

from pinsync.reports import Style
from pinsync.reports.calendar.html import render
from support.browser import CONTRAST
from support.calendars import ADVENT, SHOP, ZONE, calendar, hostile
from support.drifts import pin, rule
from support.hostile import TITLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pinsync.shelf.calendar import Calendar
    from support.browser import Browser

    Make: TypeAlias = Callable[[], Calendar]
    Write: TypeAlias = Callable[[Calendar], Path]

pytestmark = pytest.mark.browser

HOST: Final = "cdn.shop.example"
STYLE: Final = Style(ZONE, hosts=(HOST,), link_base="https://git.example/shop")
STATUS: Final = "document.querySelector('output').value"
SHOWN: Final = "[...document.querySelectorAll('article')].filter((each) => each.offsetParent)"
FOCUS: Final = "document.activeElement"
TAB: Final = 9
ENTER: Final = 13
# Only what is near the window is laid out.
TALL: Final = 20_000


def shop() -> Calendar:
    """The shop before Christmas, with a picture of one item, and a second model."""
    one = calendar(*SHOP)
    other = calendar(rule(5, "/p/9/", [pin(1, "/p/2/", ADVENT)]), model="homepage")
    (tracker,) = one.trackers
    rules = (*tracker.rules, *other.trackers[0].rules)
    images = {"/p/2/": f"https://{HOST}/2.jpg"}
    return replace(one, trackers=(replace(tracker, rules=rules, images=images),))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(shown: Calendar) -> Path:
        file = tmp_path / "page.html"
        file.write_text(render(shown, STYLE), encoding="utf-8")
        return file

    return write


def test_a_page_asks_for_nothing_but_allowed_pictures(browser: Browser, write: Write) -> None:
    file = write(shop())
    browser.open(file, height=TALL)
    browser.settle()
    assert set(browser.requests) == {file.as_uri(), f"https://{HOST}/2.jpg"}
    assert browser.problems == []


def test_hostile_titles_are_text(browser: Browser, write: Write) -> None:
    browser.open(write(hostile()), height=TALL)
    browser.settle()
    assert browser.problems == []
    count = "document.querySelectorAll('img, iframe, object, base, details').length"
    assert browser.evaluate(count) == 0
    assert browser.evaluate("document.scripts.length") == 1
    rows = "document.querySelectorAll('#timeline article').length"
    assert browser.evaluate(rows) == len(TITLES)
    text = browser.evaluate("document.body.textContent")
    assert "</details><img src=x>" in text
    assert "##[add-mask]x" in text


# The bars.


def find_box(browser: Browser, element: str) -> dict[str, float]:
    """The box of an element on the screen."""
    box: dict[str, float] = browser.evaluate(f"{element}.getBoundingClientRect().toJSON()")
    return box


@pytest.mark.parametrize("width", [1200, 320])
def test_bars_stand_below_their_dates(width: int, browser: Browser, write: Write) -> None:
    window = {"active_from": "2026-11-30T23:00:00Z", "active_to": "2026-12-31T23:00:00Z"}
    browser.open(write(calendar(rule(1, None, [pin(1, "/p/2/", window)]))), width=width)
    browser.evaluate("document.querySelector('#timeline .bar').scrollIntoView()")
    bar = find_box(browser, "document.querySelector('#timeline .bar')")
    lane = find_box(browser, "document.querySelector('#timeline li svg')")
    axis = find_box(browser, "document.querySelector('#timeline .axis svg')")
    assert (axis["left"], axis["width"]) == (lane["left"], lane["width"])
    labels = "[...document.querySelectorAll('#axis text')]"
    places = browser.evaluate(f"{labels}.map((each) => parseFloat(each.getAttribute('x')))")
    first, last = (lane["left"] + lane["width"] * place / 100 for place in places[:2])
    assert bar["left"] == pytest.approx(first, abs=1)
    assert bar["right"] == pytest.approx(last, abs=1)
    assert lane["top"] < bar["top"] < bar["bottom"] < lane["bottom"]
    assert lane["left"] >= 0
    assert lane["right"] <= width
    # The labels and the lines are drawn, though they stand elsewhere in the page.
    for line in ("div", "li"):
        drawn = browser.evaluate(f"document.querySelector('#timeline {line} use').getBBox().width")
        assert drawn > lane["width"] / 3


# Use.


def choose(browser: Browser, name: str, value: str) -> None:
    """Choose a value in a filter, as a person does."""
    browser.evaluate(f"""(() => {{
      const field = document.querySelector("[name={name}]");
      field.value = "{value}";
      field.dispatchEvent(new Event("input", {{bubbles: true}}));
    }})()""")


def test_filters_by_text_group_and_model(browser: Browser, write: Write) -> None:
    browser.open(write(shop()))
    total = browser.evaluate(f"{SHOWN}.length")
    assert browser.evaluate(STATUS) == f"{total} of {total} cards shown"
    count = "document.querySelectorAll('article[data-model=homepage]').length"
    option = "document.querySelector('[name=model] [value=homepage]').textContent"
    assert browser.evaluate(option) == f"homepage ({browser.evaluate(count)})"
    choose(browser, "group", "changes")
    found = browser.evaluate(f"{SHOWN}.length")
    assert 0 < found < total
    assert browser.evaluate(f"{SHOWN}.every((each) => each.closest('#changes'))")
    # A moment without a card is hidden too.
    choose(browser, "model", "homepage")
    moments = "[...document.querySelectorAll('h3')].filter((each) => each.offsetParent)"
    assert browser.evaluate(f"{moments}.map((each) => each.textContent)") == [
        "29 Nov 2026 00:00 CET",
        "25 Dec 2026 00:00 CET",
    ]
    choose(browser, "group", "")
    models = f"[...new Set({SHOWN}.map((each) => each.dataset.model))]"
    assert browser.evaluate(models) == ["homepage"]
    choose(browser, "model", "")
    # The identity of a pin is found, though the page shows its title.
    choose(browser, "group", "timeline")
    choose(browser, "text", "/P/3/")
    names = f"{SHOWN}.map((each) => each.querySelector('h4').textContent)"
    assert browser.evaluate(names) == ["“Strings: 9-42 #1” (/p/1/)"]


def test_a_link_shows_the_row_that_a_filter_hides(browser: Browser, write: Write) -> None:
    browser.open(write(shop()))
    choose(browser, "group", "ahead")
    assert browser.evaluate("document.getElementById('rule-1').offsetParent") is None
    browser.evaluate("document.querySelector('#ahead a[href=\"#rule-1\"]').click()")
    assert browser.evaluate("document.querySelector('[name=group]').value") == ""
    top = find_box(browser, "document.getElementById('rule-1')")["top"]
    assert 0 <= top < 800
    assert browser.evaluate(STATUS).startswith(str(browser.evaluate(f"{SHOWN}.length")))


def test_a_keyboard_reaches_everything(browser: Browser, write: Write) -> None:
    browser.open(write(shop()))
    browser.press("Tab", code=TAB)
    assert browser.evaluate(f"{FOCUS}.textContent") == "Skip to the calendar"
    browser.press("Enter", "\r", code=ENTER)
    assert browser.evaluate(f"{FOCUS}.id") == "rules"
    reached = []
    for _ in range(200):
        browser.press("Tab", code=TAB)
        if browser.evaluate(f"{FOCUS} === document.body"):
            break
        assert browser.evaluate(f"getComputedStyle({FOCUS}).outlineStyle") == "solid"
        reached.append(browser.evaluate(f"{FOCUS}.name || {FOCUS}.textContent"))
    assert reached[:3] == ["text", "group", "model"]
    assert "every visitor" in reached
    assert "customizations/basket.yaml:4" in reached
    assert reached[-1] == "open in Luigi's Box"


def test_a_page_is_complete_without_script(browser: Browser, write: Write) -> None:
    file = write(shop())
    browser.open(file)
    total = browser.evaluate("document.querySelectorAll('article').length")
    browser.open(file, script=False)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.evaluate("document.getElementById('filters').offsetParent") is None
    assert browser.evaluate(f"{SHOWN}.length") == total
    width = find_box(browser, "document.querySelector('#timeline .bar')")["width"]
    assert width > 100


def list_nodes(browser: Browser) -> list[dict[str, Any]]:
    """The nodes that a screen reader reads."""
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    return [node for node in nodes if not node["ignored"]]


def test_a_screen_reader_reads_the_timeline_as_a_list(browser: Browser, write: Write) -> None:
    browser.open(write(shop()), height=TALL)
    browser.settle()
    nodes = list_nodes(browser)
    names: dict[str, list[str]] = {}
    for node in nodes:
        names.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
    assert names.keys() >= {"banner", "navigation", "main", "search", "contentinfo", "list"}
    for role in ("link", "searchbox", "combobox", "heading", "region"):
        assert names[role]
        assert all(names[role]), role
    # The bars say nothing that the list doesn't say, and so are left out.
    assert not names.keys() & {"graphics-document", "graphics-symbol", "SvgRoot"}
    assert "today" not in names["StaticText"]
    texts = names["StaticText"]
    place = texts.index("every position")
    assert [text.strip() for text in texts[place : place + 3]] == [
        "every position",
        "“Strings: 9-42 #1”",
        "from 27 Dec 2026 00:00 CET until 31 Jan 2027 23:00 CET",
    ]
    levels = browser.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4')].map((each) => Number(each.tagName[1]))"
    )
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


# Looks.


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_contrast(dark: bool, browser: Browser, write: Write) -> None:
    browser.open(write(shop()), dark=dark)
    ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") != dark
    ratio, node = browser.evaluate(CONTRAST)
    assert ratio >= 4.5, node
    # The labels of the axis have the colour of the quiet texts, which were looked at.
    label = browser.evaluate("getComputedStyle(document.querySelector('#axis text')).fill")
    assert label == browser.evaluate("getComputedStyle(document.querySelector('.facts')).color")


@pytest.mark.parametrize("make", [shop, hostile])
def test_a_narrow_window_needs_no_scrolling_to_the_side(
    make: Make, browser: Browser, write: Write
) -> None:
    browser.open(write(make()), width=320, height=640)
    browser.evaluate(
        "document.querySelectorAll('article').forEach((each) => each.scrollIntoView())"
    )
    assert browser.evaluate("document.documentElement.scrollWidth") <= 320


def test_paper_shows_the_bars_and_no_filters(
    browser: Browser, write: Write, tmp_path: Path
) -> None:
    browser.open(write(shop()), media="print", dark=True)
    assert browser.evaluate("document.getElementById('filters').offsetParent") is None
    assert browser.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    visibility = "getComputedStyle(document.querySelector('article')).contentVisibility"
    assert browser.evaluate(visibility) == "visible"
    # Ink, unlike the colour of a background, which browsers don't print.
    assert browser.evaluate("document.querySelector('#timeline .bar').tagName") == "rect"
    browser.print_page(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(("end", "shown"), [("2027-02-28", 3), ("2027-05-31", 3)])
def test_dates_of_the_axis_do_not_overlap_on_a_phone(
    end: str, shown: int, browser: Browser, write: Write
) -> None:
    browser.open(write(calendar(*SHOP, end=end)), width=320)
    visible = browser.evaluate("""[...document.querySelectorAll("#axis text:not(.today)")]
      .filter((each) => getComputedStyle(each).display !== "none").map((each) => {
        const place = parseFloat(each.getAttribute("x")) / 100;
        const axis = document.querySelector("#timeline .axis svg").clientWidth;
        return [place * axis, place * axis + 7 * each.textContent.length];
      })""")
    assert len(visible) == shown
    assert all(right < left for (_, right), (left, _) in pairwise(visible))


def test_a_thousand_rules_can_be_filtered(browser: Browser, write: Write) -> None:
    rules = [rule(n, f"/t/{n}/", [pin(1, f"/p/{n}/", ADVENT)]) for n in range(1000)]
    browser.open(write(calendar(*rules)))
    choose(browser, "group", "timeline")
    total = browser.evaluate("document.querySelectorAll('article').length")
    assert browser.evaluate(STATUS) == f"1000 of {total} cards shown"
    choose(browser, "text", "/p/777/")
    assert browser.evaluate(STATUS) == f"1 of {total} cards shown"
    # Cards outside the window cost no layout.
    visibility = "getComputedStyle(document.querySelector('article')).contentVisibility"
    assert browser.evaluate(visibility) == "auto"
    assert browser.problems == []
