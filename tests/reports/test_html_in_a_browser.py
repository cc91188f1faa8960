"""Pages in Chromium: what they load, how they are used, and whether everybody can read them."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from pinsync.drift.changes import collect_shown_items
from pinsync.reports import Style
from pinsync.reports.drift.html import render
from support.browser import CONTRAST
from support.drifts import HEAD, LIVE, build_drift, large, several, shop, state, tracker
from support.hostile import TITLES, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pinsync.drift.record import Drift
    from support.browser import Browser

    Make: TypeAlias = Callable[[], Drift]
    Write: TypeAlias = Callable[[Drift], Path]

pytestmark = pytest.mark.browser

HOST: Final = "cdn.shop.example"
STYLE: Final = Style(
    ZoneInfo("Europe/Bratislava"), hosts=(HOST,), link_base="https://git.example/shop"
)
SHOWN: Final = "[...document.querySelectorAll('article')].filter((each) => each.offsetParent)"
STATUS: Final = "document.querySelector('output').value"
TAB, ENTER = 9, 13


def add_pictures(drift: Drift) -> Drift:
    """Give each item a picture, every other one on a host that isn't allowed."""
    trackers = []
    for each in drift.trackers:
        identities = sorted(collect_shown_items(each.changes))
        images = {
            identity: f"https://{HOST}/{number}.jpg" for number, identity in enumerate(identities)
        }
        trackers.append(replace(each, images=images))
    return replace(drift, trackers=tuple(trackers))


def hostile() -> Drift:
    sides = (state({"basket": rows(suffix)}) for suffix in ("", "!"))
    found = replace(tracker(*sides), names=dict(zip(TITLES, TITLES, strict=True)), notes=TITLES)
    return build_drift(HEAD, LIVE, (found,), TITLES)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(drift: Drift) -> Path:
        file = tmp_path / "page.html"
        file.write_text(render(drift, STYLE), encoding="utf-8")
        return file

    return write


# Requests.


class Site(ThreadingHTTPServer):
    """A web server on loopback that serves one page, and notes the paths that are asked for."""

    # Chromium may open a connection ahead of a request that never comes.
    block_on_close = False
    daemon_threads = True

    def __init__(self, page: bytes) -> None:
        self.page = page
        self.paths: list[str] = []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.server.page)

    def log_message(self, *_values: object) -> None:
        """Print nothing."""


@pytest.mark.parametrize("make", [shop, several, hostile])
def test_a_page_asks_for_nothing_but_allowed_pictures(make: Make, browser: Browser) -> None:
    drift = add_pictures(make())
    allowed = {url for each in drift.trackers for url in each.images.values()}
    for style in (STYLE, replace(STYLE, hosts=())):
        page = render(drift, style)
        with Site(page.encode()) as site:
            thread = threading.Thread(target=site.serve_forever)
            thread.start()
            address = f"http://127.0.0.1:{site.server_port}/page.html"
            browser.open(address, height=20_000)
            browser.settle()
            site.shutdown()
            thread.join()
        pictures = [url for url in browser.requests if url != address]
        assert site.paths == ["/page.html"]
        assert browser.requests.count(address) == 1
        if style.hosts and make is not hostile:
            assert pictures
            assert set(pictures) <= allowed
        if not style.hosts:
            # The policy is the second line: the page names pictures that it mustn't load.
            assert pictures == []
        elif make is not hostile:
            assert browser.problems == []


def test_the_policy_stops_what_would_come_in(browser: Browser, write: Write) -> None:
    browser.open(write(shop()))
    browser.evaluate("""(() => {
      const add = (name, values) => document.body.append(
        Object.assign(document.createElement(name), values));
      add("img", {src: "https://evil.example/x.png"});
      add("script", {textContent: "window.pwned = 1"});
      add("script", {src: "https://evil.example/x.js"});
      add("link", {rel: "stylesheet", href: "https://evil.example/x.css"});
      add("iframe", {src: "https://evil.example/"});
      add("style", {textContent: "h1 { color: rgb(1, 2, 3) }"});
      document.querySelector("h1").setAttribute("onclick", "window.pwned = 1");
      document.querySelector("h1").click();
      fetch("https://evil.example/").catch(() => 0);
    })()""")
    browser.settle()
    assert [url for url in browser.requests if "evil" in url] == []
    assert browser.evaluate("window.pwned") is None
    assert (
        browser.evaluate("getComputedStyle(document.querySelector('h1')).color") != "rgb(1, 2, 3)"
    )
    assert len(browser.problems) >= 5


def test_hostile_titles_are_text(browser: Browser, write: Write) -> None:
    browser.open(write(hostile()))
    browser.settle()
    assert browser.problems == []
    count = "document.querySelectorAll('img, iframe, object, base, details').length"
    assert browser.evaluate(count) == 0
    assert browser.evaluate("document.scripts.length") == 1
    assert browser.evaluate("document.querySelectorAll('article').length") == len(TITLES)
    text = browser.evaluate("document.body.textContent")
    assert "</details><img src=x>" in text
    assert "##[add-mask]x" in text
    hosts = "[...new Set([...document.links].map((each) => each.host))]"
    assert set(browser.evaluate(hosts)) == {"", "git.example", "app.luigisbox.com"}


# Use.


def test_filters_by_text_group_and_model(browser: Browser, write: Write) -> None:
    browser.open(write(shop()))
    total = browser.evaluate(f"{SHOWN}.length")
    assert browser.evaluate(STATUS) == f"{total} of {total} rules shown"
    browser.evaluate("document.querySelector('[name=text]').focus()")
    browser.call("Input.insertText", text="STRINGS /p/240/")
    # The identity of a pin is found, though the page shows its title.
    found = browser.evaluate(f"{SHOWN}.map((each) => each.querySelector('.name').textContent)")
    assert 0 < len(found) < total
    assert browser.evaluate(STATUS) == f"{len(found)} of {total} rules shown"
    empty = "[...document.querySelectorAll('section.group')].filter((each) => each.hidden).length"
    assert browser.evaluate(empty) >= 1
    browser.evaluate("document.querySelector('[name=text]').value = ''")
    choose = """((name, value) => {
      const field = document.querySelector(`[name=${name}]`);
      field.value = value;
      field.dispatchEvent(new Event("input", {bubbles: true}));
    })"""
    browser.evaluate(f"{choose}('model', 'homepage')")
    models = f"[...new Set({SHOWN}.map((each) => each.dataset.model))]"
    assert browser.evaluate(models) == ["homepage"]
    browser.evaluate(f"{choose}('model', '')")
    browser.evaluate(f"{choose}('group', 'group-2')")
    groups = f"[...new Set({SHOWN}.map((each) => each.parentElement.id))]"
    assert browser.evaluate(groups) == ["group-2"]
    browser.evaluate(f"{choose}('group', '')")
    assert browser.evaluate(f"{SHOWN}.length") == total


def test_a_keyboard_reaches_everything(browser: Browser, write: Write) -> None:
    browser.open(write(shop()))
    browser.press("Tab", code=TAB)
    focus = "document.activeElement"
    assert browser.evaluate(f"{focus}.textContent") == "Skip to the rules"
    assert browser.evaluate(f"{focus}.getBoundingClientRect().left >= 0")
    browser.press("Enter", "\r", code=ENTER)
    assert browser.evaluate(f"{focus}.id") == "rules"
    reached = []
    for _ in range(200):
        browser.press("Tab", code=TAB)
        if browser.evaluate(f"{focus} === document.body"):
            break
        assert browser.evaluate(f"getComputedStyle({focus}).outlineStyle") == "solid"
        reached.append(browser.evaluate(f"{focus}.name || {focus}.textContent"))
    assert reached[:3] == ["text", "group", "model"]
    assert any(":4" in name for name in reached)
    assert any("Luigi's Box" in name for name in reached)


def test_a_page_is_complete_without_script(browser: Browser, write: Write) -> None:
    file = write(shop())
    browser.open(file, script=False)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.evaluate("document.getElementById('filters').offsetParent") is None
    count = sum(len(each.changes) for each in shop().trackers)
    assert browser.evaluate(f"{SHOWN}.length") == count


def test_a_screen_reader_finds_landmarks_and_names(browser: Browser, write: Write) -> None:
    browser.open(write(several()))
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    roles: dict[str, list[str]] = {}
    for node in nodes:
        if not node["ignored"]:
            name = node.get("name", {}).get("value", "")
            roles.setdefault(node["role"]["value"], []).append(name)
    assert roles.keys() >= {"banner", "navigation", "main", "search", "contentinfo", "table"}
    for role in ("link", "searchbox", "combobox", "heading", "region"):
        assert roles[role]
        assert all(roles[role]), role
    levels = browser.evaluate(
        "[...document.querySelectorAll('h1, h2, h3')].map((each) => Number(each.tagName[1]))"
    )
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert "differs:" in browser.evaluate("document.querySelector('.changed').innerText")


# Looks.


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("make", [shop, several])
def test_text_has_contrast(make: Make, dark: bool, browser: Browser, write: Write) -> None:
    browser.open(write(make()), dark=dark)
    ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") != dark
    ratio, node = browser.evaluate(CONTRAST)
    assert ratio >= 4.5, node


@pytest.mark.parametrize("make", [shop, several, hostile])
def test_a_narrow_window_needs_no_scrolling_to_the_side(
    make: Make,
    browser: Browser,
    write: Write,
) -> None:
    browser.open(write(add_pictures(make())), width=320, height=640)
    browser.evaluate(
        "document.querySelectorAll('article').forEach((each) => each.scrollIntoView())"
    )
    assert browser.evaluate("document.documentElement.scrollWidth") <= 320


def test_paper_shows_the_rules_alone(browser: Browser, write: Write, tmp_path: Path) -> None:
    browser.open(write(shop()), media="print", dark=True)
    assert browser.evaluate("document.getElementById('filters').offsetParent") is None
    assert browser.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    visibility = "getComputedStyle(document.querySelector('article')).contentVisibility"
    assert browser.evaluate(visibility) == "visible"
    browser.print_page(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF-")


def test_a_thousand_changes_can_be_filtered(browser: Browser, write: Write) -> None:
    browser.open(write(large(1000)))
    assert browser.evaluate(STATUS) == "1000 of 1000 rules shown"
    browser.evaluate("document.querySelector('[name=text]').focus()")
    browser.call("Input.insertText", text="/p/777/")
    assert browser.evaluate(STATUS) == "1 of 1000 rules shown"
    # Cards outside the window cost no layout.
    visibility = "getComputedStyle(document.querySelector('article')).contentVisibility"
    assert browser.evaluate(visibility) == "auto"
    assert json.dumps(browser.problems) == "[]"
