"""The report for a page."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from msgspec.structs import replace

from pinsync.drift.record import Drift, Side, TrackerDrift, find_when
from pinsync.errors import RemoteError, UsageError
from pinsync.escape import one_line
from pinsync.reports import Style
from pinsync.reports.drift.markdown import render
from pinsync.reports.words.page import MARKER, MAX_CHARS, MIN_CHARS, measure, quote_code
from support import paths
from support.drifts import (
    CASES,
    HEAD,
    HOSTILE,
    LIVE,
    build_drift,
    failed,
    hostile,
    large,
    pin,
    rule,
    state,
    tracker,
)
from support.strategies import AWKWARD, QUICK, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.golden import Golden

GOLDEN: Final = paths.CASES / "reports"
STYLE: Final = Style(ZoneInfo("Europe/Bratislava"))
GFM: Final = MarkdownIt("gfm-like", {"linkify": True, "html": True, "typographer": False})
VOID: Final = frozenset({"br", "hr", "img"})
EXPECTED_TAGS: Final = frozenset(
    (
        "h3",
        "h4",
        "p",
        "strong",
        "code",
        "ul",
        "li",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    )
)
SCRAPS: Final = (
    *"`|\\<>&@#$:!()[]*_~.-'\" ",
    "``",
    "||",
    "\\|",
    "www.",
    "http://",
    "</",
    "<!--",
    "&#64;",
    "a",
    "1",
    "x@y.z",
)
"""Pieces of markup, to be joined at random."""

foreign = st.one_of(
    texts, st.lists(st.sampled_from(SCRAPS), max_size=12).map("".join), st.sampled_from(HOSTILE)
)


class Page(HTMLParser):
    """What a browser would make of a page: its tags, the text in code and outside it, and whether
    tags balance.
    """

    def __init__(self, markdown: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.comments: list[str] = []
        self.text = ""
        self.inside = ""
        self.outside = ""
        self._open: list[str] = []
        self.feed(GFM.render(markdown))
        self.close()
        assert not self._open, "tags stay open"

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "a":
            self.links.append(dict(attrs)["href"])
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "code" in self._open:
            self.inside += data
        else:
            self.outside += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def left_out(report: str, what: str) -> int:
    """How many the report says that it left out."""
    found = re.search(rf"^Left out to fit: .*?([\d,]+) {what}", report, re.MULTILINE)
    return int(found[1].replace(",", "")) if found else 0


def entries(report: str) -> int:
    """How many customizations it shows."""
    return len(re.findall(r"^- \*\*", report, re.MULTILINE)) - report.count("- **INCOMPLETE")


@pytest.mark.parametrize("case", sorted(CASES.keys() - {"hostile"}))
def test_golden(case: str, golden: Golden) -> None:
    golden(render(CASES[case](), STYLE), GOLDEN / case / "markdown.md")


@pytest.mark.parametrize("text", [*AWKWARD, *HOSTILE])
def test_known_harm_is_data(text: str) -> None:
    assert_data(text)


@QUICK
@given(foreign)
def test_any_text_is_data(text: str) -> None:
    assert_data(text)


def assert_data(text: str) -> None:
    """Wherever it stands, a text comes out of markdown as itself, in code, and nothing else
    changes.
    """
    shown = one_line(text) or '""'
    span = quote_code(text)
    page = Page(
        f"**b {span}:** c\n\n| h | i |\n| --- | --- |\n| {span} | j |\n\n- k {span} l\n  - m\n"
    )
    spans = {"code"} if shown.strip("|<") else set()
    assert (
        set(page.tags)
        == {"p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"} | spans
    )
    # Outside of code stand pipes, "<", and one character of each command of a runner.
    inside = re.sub(r"[|<]|(?<=#)#(?=\[)", "", shown)
    assert flat(page.inside) == flat(inside * 3)
    marks = "".join(re.findall(r"[|<]|(?<=#)#(?=\[)", shown))
    assert re.sub(r"\s", "", page.outside) == f"b{marks}:chi{marks}jk{marks}lm"
    assert flat(page.text).count(flat(shown)) >= 3


def flat(text: str) -> str:
    """The text with blanks collapsed, as a browser shows it."""
    return re.sub(" +", " ", text)


def test_the_escape_in_full() -> None:
    assert quote_code("a|b") == "`a`&#124;`b`"
    assert quote_code("|<") == "&#124;&lt;"
    assert quote_code("``a`") == "``` ``a` ```"
    assert quote_code("##[error]x") == "`#`&#35;`[error]x`"
    assert quote_code("a ##vso[a.b]") == "`a #`&#35;`vso[a.b]`"
    assert quote_code("[[ATTACHMENT|x]]") == "`[`&#91;`ATTACHMENT`&#124;`x]]`"
    assert quote_code("# [1]") == "`# [1]`"
    assert quote_code("") == '`""`'


@pytest.mark.parametrize("case", sorted(CASES))
@pytest.mark.parametrize("max_chars", [None, MIN_CHARS, 1500])
def test_a_page_has_only_the_tags_that_we_put_there(case: str, max_chars: int | None) -> None:
    page = Page(render(CASES[case](), replace(STYLE, max_chars=max_chars)))
    assert set(page.tags) <= EXPECTED_TAGS | {"a"}
    assert page.comments == [" pinsync "]
    for link in page.links:
        assert re.fullmatch(
            r"https://app\.luigisbox\.com/sites/\d{4}-\d{4}/setup/recommendations_customization",
            link or "",
        )


def test_nothing_hostile_stands_outside_of_code() -> None:
    page = Page(render(hostile(), STYLE))
    assert page.links == [
        "https://app.luigisbox.com/sites/2345-6789/setup/recommendations_customization"
    ]
    outside = page.outside.replace("open in Luigi's Box", "")
    assert not re.search(
        r"[@$`>\[\]\\!\"]|#\w|\b(?:GH-|www|http|evil|octocat|tada|alert|secrets)|[0-9a-f]{7}",
        outside,
    )
    assert "octocat" in page.inside


@pytest.mark.parametrize(
    "tracker_id", ["", "../x", "a b", "1)", "a?b", "é", "x" * 65, "1\n2", "1234-5678\n"]
)
def test_an_id_that_is_not_safe_makes_no_link(tracker_id: str) -> None:
    drift = CASES["one_pin"]()
    (found,) = drift.trackers
    page = Page(render(replace(drift, trackers=(replace(found, tracker_id=tracker_id),)), STYLE))
    assert page.links == []


BUDGETS: Final = (MIN_CHARS, MIN_CHARS + 1, 700, 1000, 1500, 3000, 10_000, 65_536)


@pytest.mark.parametrize("max_chars", BUDGETS)
@pytest.mark.parametrize(
    "case", ["shop", "several", "hostile", "many", "models", "failing", "long", "emoji"]
)
def test_the_budget_is_kept_and_what_is_left_out_is_counted(case: str, max_chars: int) -> None:
    drift = crowd(case)
    report = render(drift, replace(STYLE, max_chars=max_chars))
    assert measure(report) <= max_chars
    assert report.startswith(f"{MARKER}\n### pinsync: ")
    changes = sum(len(tracker.changes) for tracker in drift.trackers)
    assert entries(report) + left_out(report, "rule") == changes
    assert ("--format text" in report) == ("Left out" in report)
    assert drift.is_complete or "**INCOMPLETE:**" in report
    Page(report)


def models() -> Drift:
    """Thousands of models."""
    old = state(
        {
            f"model {number} " + "é" * 50: [rule(number, "/p/1/", [pin(1, "/p/2/")])]
            for number in range(2000)
        }
    )
    return build_drift(HEAD, LIVE, (tracker(old, []),))


def failing() -> Drift:
    """Hundreds of trackers, all of which fail at length."""
    error = RemoteError("a|" * 600, hint="`" * 1200)
    return build_drift(
        HEAD, LIVE, tuple(failed(error, name=f"tracker-{number}") for number in range(300))
    )


def long() -> Drift:
    """Names, sources and notes without an end, and more changes than any tracker has."""
    found = CASES["shop"]().trackers[0]
    crowded = TrackerDrift("n" * 9999, "t" * 9999, found.changes * 2000, 10**9, notes=("|" * 9999,))
    return build_drift(
        Side("|" * 9999, revision="|" * 9999),
        Side("`" * 9999),
        (crowded, crowded),
        ("\\" * 9999,) * 9,
    )


def emoji() -> Drift:
    """Two UTF-16 code units a character."""
    row = rule(1, "🎄" * 5000, [pin(1, "🎁" * 5000)], "🎅" * 5000)
    return build_drift(HEAD, LIVE, (tracker([], state({"🛒" * 300: [row, {**row, "id": "x"}]})),))


CROWDS: Final = {
    "many": lambda: large(1000),
    "models": models,
    "failing": failing,
    "long": long,
    "emoji": emoji,
}


@cache
def crowd(case: str) -> Drift:
    """A drift that doesn't fit, or another."""
    return (CROWDS | CASES)[case]()


def test_the_pages_own_limit_holds_by_default_and_above_it() -> None:
    drift = crowd("many")
    report = render(drift, STYLE)
    assert MAX_CHARS - 1000 < measure(report) <= MAX_CHARS == 65_536
    assert render(drift, replace(STYLE, max_chars=10**9)) == report
    assert left_out(report, "rule") > 0


def test_a_budget_too_small_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        render(CASES["shop"](), replace(STYLE, max_chars=MIN_CHARS - 1))
    assert caught.value.hint == "allow at least 500"


def test_a_crowded_table_leaves_room_for_details() -> None:
    report = render(crowd("models"), replace(STYLE, max_chars=10_000))
    assert left_out(report, "table rows") > 1000
    assert entries(report) > 0


def test_a_rule_with_many_pins_is_shortened_and_says_so() -> None:
    old = state({"basket": [rule(1, "/p/1/", [pin(at + 1, f"/p/{at}/") for at in range(100)])]})
    report = render(build_drift(HEAD, LIVE, (tracker(old, []),)), STYLE)
    (line,) = [line for line in report.splitlines() if line.startswith("  - agreed: ")]
    assert line.count("**`#") == 20
    assert line.endswith("**`#20 /p/19/`** `… 80 more …`")


def test_a_difference_far_inside_a_long_value_is_seen() -> None:
    old, new = (
        state({"b": [rule(1, "/p/1/", [], more={"text": "x" * 5000 + end + "y" * 5000})]})
        for end in "AB"
    )
    report = render(build_drift(HEAD, LIVE, (tracker(old, new),)), STYLE)
    agreed, shop = [line for line in report.splitlines() if "`text: " in line]
    assert re.fullmatch(r"  - agreed: \*\*`text: …x+Ay+…`\*\*", agreed)
    assert re.fullmatch(r"  - shop: \*\*`text: …x+By+…`\*\*", shop)
    assert len(agreed) < 500


def test_the_groups_stand_in_order_and_each_rule_has_its_shelves() -> None:
    page = render(CASES["afternoon"](), STYLE)
    assert re.findall("^#### .*", page, re.MULTILINE) == [
        "#### Difference to shoppers now · changed in the shop: 4 rules",
        "#### Difference to shoppers now · added in the shop (git never had it): 1 rule",
        "#### Difference to shoppers later · changed in the shop: 1 rule",
        "#### No difference to shoppers · changed in the shop: 1 rule",
    ]
    assert (
        "- **SWAPPED** `#1 and #3` · `“Halden Comet, sunburst” (/p/101/)` · `basket`\n"
        "  - agreed: **`#1 “Tuner”`** **`#3 “Leather strap”`**\n"
        "  - shop: **`#1 “Leather strap”`** **`#3 “Tuner”`**\n"
        "  - `customizations/basket.yaml:4`\n"
    ) in page


def test_a_small_page_shows_the_most_important_rules_of_each_group() -> None:
    drift = CASES["afternoon"]()
    (found,) = drift.trackers
    labels = [change for change in found.changes if find_when(change) == "never"]
    now = [change for change in found.changes if find_when(change) == "now"]
    crowded = replace(found, changes=(*labels * 500, *now * 500))
    page = render(replace(drift, trackers=(crowded,)), replace(STYLE, max_chars=5000))
    sections = page.split("#### ")[1:]
    assert [section.partition(":")[0] for section in sections] == [
        "Difference to shoppers now · changed in the shop",
        "Difference to shoppers now · added in the shop (git never had it)",
        "No difference to shoppers · changed in the shop",
    ]
    assert all("\n- **" in section for section in sections)
    assert "What you can do" in page


def test_a_table_of_several_models_counts_their_rules() -> None:
    one, many = (render(CASES[case](), STYLE) for case in ("one_pin", "shop"))
    assert "| model |" not in one
    assert "\n| `basket` | 3 | 0 | 1 |\n" in many


def test_the_actions_are_told_whatever_the_budget() -> None:
    action = "make git the same as the shop: `pinsync export --commit` | stays | changes |".lower()
    assert action in render(CASES["shop"](), STYLE).lower()
    assert action in render(crowd("many"), replace(STYLE, max_chars=1000)).lower()
    for case in ("several", "branch", "preview", "in_sync", "nothing_known"):
        assert "pinsync export" not in render(CASES[case](), STYLE)


def test_the_summary_has_no_rule() -> None:
    report = render(CASES["several"](), replace(STYLE, summary=True))
    assert entries(report) == 0
    assert "Left out" not in report
    assert "#### Difference to shoppers now · changed in the shop: 7 rules\n" in report
    assert "| `shop-sk` | `basket` |" in report
    assert "**INCOMPLETE:**" in report
