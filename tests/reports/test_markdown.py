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

from pinsync.drift.record import Drift, Side, TrackerDrift
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
        "details",
        "summary",
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
        r"[@$`>\[\]\\!\"']|#\w|\b(?:GH-|www|http|evil|octocat|tada|alert|secrets)|[0-9a-f]{7}",
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
    assert entries(report) + left_out(report, "customization") == sum(
        len(t.changes) for t in drift.trackers
    )
    assert report.count("<details>") == report.count("</details>")
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
    return Drift(HEAD, LIVE, (tracker(old, []),))


def failing() -> Drift:
    """Hundreds of trackers, all of which fail at length."""
    error = RemoteError("a|" * 600, hint="`" * 1200)
    return Drift(
        HEAD, LIVE, tuple(failed(error, name=f"tracker-{number}") for number in range(300))
    )


def long() -> Drift:
    """Names, sources and notes without an end, and more changes than any tracker has."""
    found = CASES["shop"]().trackers[0]
    crowded = TrackerDrift("n" * 9999, "t" * 9999, found.changes * 2000, 10**9, notes=("|" * 9999,))
    return Drift(
        Side("|" * 9999, revision="|" * 9999),
        Side("`" * 9999),
        (crowded, crowded),
        ("\\" * 9999,) * 9,
    )


def emoji() -> Drift:
    """Two UTF-16 code units a character."""
    row = rule(1, "🎄" * 5000, [pin(1, "🎁" * 5000)], "🎅" * 5000)
    return Drift(HEAD, LIVE, (tracker([], state({"🛒" * 300: [row, {**row, "id": "x"}]})),))


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
    assert left_out(report, "customization") > 0


def test_a_budget_too_small_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        render(CASES["shop"](), replace(STYLE, max_chars=MIN_CHARS - 1))
    assert caught.value.hint == "allow at least 500"


def test_a_crowded_table_leaves_room_for_details() -> None:
    report = render(crowd("models"), replace(STYLE, max_chars=10_000))
    assert left_out(report, "table rows") > 1000
    assert entries(report) > 0


def test_a_customization_with_many_pins_is_shortened_and_says_so() -> None:
    old = state({"basket": [rule(1, "/p/1/", [pin(at + 1, f"/p/{at}/") for at in range(100)])]})
    report = render(Drift(HEAD, LIVE, (tracker(old, []),)), STYLE)
    assert report.count("  - position") == 30
    assert "  - … and 70 more\n" in report


def test_a_difference_far_inside_a_long_value_is_seen() -> None:
    old, new = (
        state({"b": [rule(1, "/p/1/", [], more={"text": "x" * 5000 + end + "y" * 5000})]})
        for end in "AB"
    )
    report = render(Drift(HEAD, LIVE, (tracker(old, new),)), STYLE)
    (line,) = [line for line in report.splitlines() if line.startswith("  - `text`")]
    assert re.search(r"xAy.*→.*xBy", line)
    assert len(line) < 500


def before_the_fold(report: str) -> list[str]:
    """The lines that name what shoppers may see, without their bullets."""
    listed = report.partition("Shoppers may see a difference in:\n\n")[2].partition("\n\n")[0]
    return [line.removeprefix("- ") for line in listed.splitlines()]


def test_what_shoppers_may_see_is_named_before_the_fold() -> None:
    old, new = (
        state(
            {
                "b": [
                    rule(1, "/p/1/", [pin(1, f"/p/1{turn}/")], "One pin"),
                    rule(
                        2,
                        "/p/2/",
                        [pin(1, f"/p/2{turn}/"), pin(2, f"/p/3{turn}/")],
                        "Two",
                        {"on": turn},
                    ),
                    rule(3, "/p/3/", [], f"Label {turn}"),
                    rule(4 + turn, f"/p/{4 + turn}/", [pin(1, "/p/9/")]),
                    rule(7, "/p/7/", [], "A switch", {"on": turn, "tags": [f"t{turn}"]}),
                ]
            }
        )
        for turn in (0, 1)
    )
    report = render(Drift(HEAD, LIVE, (tracker(old, new, names={"/p/10/": "Strap"}),)), STYLE)
    assert before_the_fold(report) == [
        '`One pin` · position 1: `/p/10/` `"Strap"` → `/p/11/`',
        "`Two` · 2 pins, 1 field",
        "item `/p/4/` · only in git, not in live: 1 pin",
        "item `/p/5/` · only in live, not in git: 1 pin",
        "`A switch` · `on`: `0` → `1`",
    ]


def test_only_the_first_few_are_named_and_the_others_counted() -> None:
    *first, last = before_the_fold(render(large(1000), STYLE))
    assert (len(first), last) == (5, "… and 995 more")
    assert before_the_fold(render(CASES["labels"](), STYLE)) == []


def test_a_single_row_of_the_table_is_not_said_again() -> None:
    one, many = (render(CASES[case](), STYLE) for case in ("one_pin", "shop"))
    assert "\n0 the same · [open" in one
    assert (
        "\n1 only in live, 8 changed, 1 under a new id, 1 only in git, 20 the same; 2 without"
        in many
    )
    assert "· model `" not in one
    assert many.count("· model `") == entries(many)


def test_a_model_that_the_table_has_no_room_for_stands_beside_its_customizations() -> None:
    change = large(1, models=1).trackers[0]
    drift = Drift(HEAD, LIVE, tuple(replace(change, name=f"{number}" * 60) for number in range(9)))
    report = render(drift, replace(STYLE, max_chars=2000))
    assert left_out(report, "table row") > 0
    assert entries(report) > 0
    assert report.count("· model `model_0`") == entries(report)


def test_the_next_step_is_said_at_the_end_whatever_the_budget() -> None:
    sentence = "\nTo take live into git: `pinsync export --commit`.\n"
    assert render(CASES["shop"](), STYLE).endswith(sentence)
    assert sentence in render(crowd("many"), replace(STYLE, max_chars=MIN_CHARS))
    for case in ("several", "branch", "preview", "in_sync", "nothing_known"):
        assert "To take" not in render(CASES[case](), STYLE)


def test_the_summary_has_no_details() -> None:
    report = render(CASES["several"](), replace(STYLE, summary=True))
    assert "<details>" not in report
    assert "Shoppers may" not in report
    assert "Left out" not in report
    assert "arrow" not in report
    assert "| `shop-sk` | `basket` |" in report
    assert "**INCOMPLETE:**" in report


def test_what_stands_behind_the_details_is_markdown_again() -> None:
    page = Page(render(CASES["several"](), STYLE))
    assert page.tags.count("h4") == 3
