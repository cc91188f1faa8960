"""Pages of `diff`, `show` and `calendar`: where their pictures come from, and where their links lead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pinsync.items.file import render_items
from pinsync.items.record import Item, find_host
from support.exporting import HOME, HOME_TEXT, document, put, repinned
from support.html_pages import parse_page

if TYPE_CHECKING:
    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git
    from support.html_pages import ParsedPage

ITEMS: Final = {
    "/p/1/": Item("One", "https://cdn.shop.example/1.jpg"),
    "/p/2/": Item("Two", "https://other.example/2.jpg"),
}
ADVENT: Final = '        active_to: "2026-12-24T23:00:00Z"\n'
ONE: Final = "https://cdn.shop.example/1.jpg"
TWO: Final = "https://other.example/2.jpg"


@pytest.fixture
def drifted(exported: Path, api: Sandbox, git: Git) -> Path:
    """A repository with pictures of two items, one of which the shop has replaced by the other."""
    repinned(api, HOME)
    put(exported / "customizations/items.json", render_items(ITEMS))
    allow(git)
    return exported


def allow(git: Git, *hosts: str) -> None:
    """Commit a configuration that allows some hosts."""
    configuration = f"pictures: [{', '.join(hosts)}]\n"
    put(Path("pinsync.yaml"), configuration)
    git("add", ".")
    git("commit", "--quiet", "--message", f"Allow {hosts}")


def open_diff(pinsync: CommandLine, *arguments: str) -> ParsedPage:
    result = pinsync("diff", "--format", "html", *arguments)
    assert (result.code, result.err) == (1, "")
    return parse_page(result.out)


def sources(page: ParsedPage) -> set[str | None]:
    return {picture["src"] for picture in page.pictures}


@pytest.mark.usefixtures("drifted")
def test_pictures_come_from_allowed_hosts_alone(pinsync: CommandLine, git: Git) -> None:
    page = open_diff(pinsync)
    assert (sources(page), "img-src 'none'" in page.policy) == (set(), True)
    assert "Two" in page.text
    allow(git, "other.example", "unused.example")
    page = open_diff(pinsync)
    assert sources(page) == {TWO}
    assert "img-src https://other.example https://unused.example;" in page.policy
    page = open_diff(pinsync, "--no-pictures")
    assert (sources(page), "img-src 'none'" in page.policy) == (set(), True)


@pytest.mark.usefixtures("drifted")
def test_a_branch_allows_itself_no_host(pinsync: CommandLine, git: Git) -> None:
    allow(git, "other.example")
    git("checkout", "--quiet", "-b", "branch")
    put(document("home"), HOME_TEXT.replace("/p/2/", "/p/1/"))
    allow(git, "other.example", "cdn.shop.example")
    page = open_diff(pinsync, "main", "branch")
    assert sources(page) == {TWO}
    assert "cdn.shop.example" not in page.policy
    note = "pictures: other.example → other.example, cdn.shop.example; pages use the former"
    assert f"the configuration itself differs: {note}" in page.text
    assert sources(open_diff(pinsync, "branch", "main")) == {ONE, TWO}


@pytest.mark.usefixtures("drifted")
def test_a_report_is_written_beside_another(pinsync: CommandLine, git: Git) -> None:
    allow(git, "other.example")
    base = "https://git.example/shop/blob/main"
    result = pinsync("diff", "--report", "html=page.html", "--link-base", base)
    assert result.code == 1
    page = parse_page(Path("page.html").read_text(encoding="utf-8"))
    assert sources(page) == {TWO}
    assert any(address.startswith(f"{base}/customizations/") for address in page.addresses)
    assert "<html" not in result.out


@pytest.mark.parametrize(
    "base",
    [
        "http://git.example/",
        "//git.example",
        "javascript:alert(1)",
        "https://",
        "https://me@git.example/",
        "https://git.example/?x=1",
        "https://git.example/#x",
        "https://git.example/ x",
        'https://git.example/"x',
        "",
    ],
)
@pytest.mark.usefixtures("exported")
def test_an_unusable_address_is_refused(base: str, pinsync: CommandLine) -> None:
    for command in (("diff", "HEAD", "@worktree"), ("show", "basket"), ("calendar",)):
        result = pinsync(*command, "--link-base", base)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith(f"error: --link-base {base}: expected an https address ")


@pytest.mark.usefixtures("drifted")
def test_show_makes_a_page_of_all_pins(pinsync: CommandLine, git: Git) -> None:
    (line, *_) = pinsync("show", "home").out.splitlines()
    assert not parse_page(pinsync("show", "home", "--format", "html").out).pictures
    allow(git, "other.example")
    arguments = ("--report", "html=page.html", "--link-base", "https://git.example/x")
    assert pinsync("show", "home", *arguments).out.startswith(line[:20])
    page = parse_page(Path("page.html").read_text(encoding="utf-8"))
    assert sources(page) == {TWO}
    assert "https://git.example/x/customizations/" in str(page.addresses)
    assert "1 rule, 1 pin: 1 active, 0 upcoming, 0 over" in page.text
    page = parse_page(pinsync("show", "home", "--format", "html", "--no-pictures").out)
    assert not page.pictures
    assert "Two" in page.text


@pytest.mark.usefixtures("drifted")
def test_calendar_makes_a_page_with_the_pictures_of_its_pins(
    pinsync: CommandLine, git: Git
) -> None:
    text = HOME_TEXT + ADVENT
    put(document("home"), text)
    december = ("--from", "2026-12-01", "--to", "2026-12-31")
    assert not parse_page(pinsync("calendar", *december, "--format", "html").out).pictures
    allow(git, "other.example")
    arguments = ("--report", "html=page.html", "--link-base", "https://git.example/x")
    result = pinsync("calendar", *december, *arguments)
    assert (result.code, result.err) == (0, "")
    page = parse_page(Path("page.html").read_text(encoding="utf-8"))
    assert sources(page) == {TWO}
    assert "img-src https://other.example;" in page.policy
    assert any("https://git.example/x/customizations/" in each for each in page.addresses)
    assert result.out.splitlines()[-1] in page.text
    page = parse_page(pinsync("calendar", *december, "--format", "html", "--no-pictures").out)
    assert (page.pictures, "img-src 'none'" in page.policy) == ([], True)
    assert "Two" in page.text


@pytest.mark.usefixtures("exported")
def test_show_writes_its_report_over_nothing_that_is_needed(pinsync: CommandLine) -> None:
    result = pinsync("show", "basket", "--report", "html=customizations/basket.yaml")
    assert (result.code, result.out) == (2, "")
    assert "would write over a document" in result.err


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://cdn.shop.example/a.jpg", "cdn.shop.example"),
        ("https://CDN.shop.example/", "cdn.shop.example"),
        ("https://cdn.shop.example", ""),
        ("https://cdn.shop.example:8443/a.jpg", ""),
        ("https://evil.example\\@cdn.shop.example/a.jpg", ""),
        ("https://evil.example?@cdn.shop.example/a.jpg", ""),
        ("https://evil.example#cdn.shop.example/a.jpg", ""),
        ("HTTPS://cdn.shop.example/a.jpg", ""),
        ("http://cdn.shop.example/a.jpg", ""),
    ],
)
def test_the_host_of_a_picture_is_that_of_the_browser(url: str, host: str) -> None:
    assert find_host(url) == host
