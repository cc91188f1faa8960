"""The report for a terminal."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from msgspec.structs import replace

from pinsync.drift.record import Drift, Side
from pinsync.errors import RemoteError
from pinsync.escape import INVISIBLE
from pinsync.reports import Style
from pinsync.reports.drift import markdown
from pinsync.reports.drift.text import render
from pinsync.reports.words.values import compact, format_moment, format_path
from support import paths
from support.drifts import (
    CASES,
    CHRISTMAS,
    COMMIT,
    HEAD,
    LIVE,
    Row,
    failed,
    hostile,
    pin,
    rule,
    state,
    tracker,
)
from support.strategies import QUICK, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

    from support.golden import Golden

GOLDEN: Final = paths.CASES / "reports"
ZONE: Final = ZoneInfo("Europe/Bratislava")
STYLE: Final = Style(ZONE)
SELECT_GRAPHIC_RENDITION: Final = re.compile("\x1b\\[[0-9;]*m")


def check(
    old: Row, new: Row, *expected: str, zone: tzinfo = UTC, names: Mapping[str, str] | None = None
) -> None:
    """The report of a customization that changed has these lines below its name."""
    drift = Drift(
        HEAD, LIVE, (tracker(state({"basket": [old]}), state({"basket": [new]}), names=names),)
    )
    lines = render(drift, Style(zone)).splitlines()
    assert [line.strip() for line in lines if line.startswith("    ")] == list(expected)


def with_pins(*pins: Row) -> Row:
    return rule(1, "/p/1/", pins)


@pytest.mark.parametrize("case", sorted(CASES.keys() - {"hostile"}))
def test_golden(case: str, golden: Golden) -> None:
    golden(render(CASES[case](), STYLE), GOLDEN / case / "text.txt")


def test_every_golden_folder_has_its_case() -> None:
    assert {folder.name for folder in GOLDEN.iterdir()} == CASES.keys() - {"hostile"}


def test_being_in_sync_takes_one_line() -> None:
    assert (
        render(CASES["in_sync"](), STYLE)
        == "In sync: live is the same as HEAD (30 customizations)\n"
    )


@pytest.mark.parametrize("case", sorted(CASES))
def test_colour_changes_nothing_but_colour(case: str) -> None:
    plain, coloured = (render(CASES[case](), Style(ZONE, color=color)) for color in (False, True))
    assert SELECT_GRAPHIC_RENDITION.sub("", coloured) == plain
    assert coloured != plain
    assert "\x1b" not in plain


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (pin(3, "/p/234/"), pin(3, "/p/999/"), "~ position 3: /p/234/ → /p/999/"),
        (pin(3, "/p/234/"), pin(1, "/p/234/"), "~ position 1: /p/234/ (moved 3 → 1)"),
        (
            pin(3, "/p/234/"),
            pin(-1, "/p/234/"),
            "~ every position: /p/234/ (position 3 → every position)",
        ),
        (pin(3, "/p/234/"), pin(0, "/p/234/"), "~ blocked: /p/234/ (position 3 → blocked)"),
        (pin(0, "/p/1/"), pin(0, "/p/2/"), "~ blocked: /p/1/ → /p/2/"),
        (pin(-1, "/p/1/"), pin(-1, {"a": 1}), "~ every position: /p/1/ → whatever matches {a: 1}"),
        (
            pin(1, "/p/1/", {"active_to": "2026-12-24T12:00:00Z"}),
            pin(1, "/p/1/"),
            "~ position 1: /p/1/, until 24 Dec 2026 12:00 UTC → no end",
        ),
        (
            pin(1, "/p/1/"),
            pin(1, "/p/1/", CHRISTMAS),
            (
                "~ position 1: /p/1/, no start → from 29 Nov 2026 23:00 UTC, no end → until 24 "
                "Dec 2026 11:00 UTC"
            ),
        ),
        (
            pin(1, "/p/1/", CHRISTMAS),
            pin(1, "/p/1/", CHRISTMAS | {"active_from": "2026-12-01T00:00:00Z"}),
            "~ position 1: /p/1/, from 29 Nov 2026 23:00 UTC → 1 Dec 2026 00:00 UTC",
        ),
        (
            pin(1, "/p/1/", CHRISTMAS),
            pin(1, "/p/1/", {"active_to": CHRISTMAS["active_to"]}),
            "~ position 1: /p/1/, from 29 Nov 2026 23:00 UTC → no start",
        ),
        (
            pin(2, "/p/1/", {"widget_id": "hero"}),
            pin(1, "/p/1/", {"widget_id": "hero", "active_to": "soon"}),
            "~ position 1 in widget hero: /p/1/ (moved 2 → 1), no end → until soon",
        ),
        (
            pin(2, "/p/1/"),
            pin(2, "/p/1/", {"widget_id": "hero"}),
            "~ position 2: /p/1/, widget none → hero",
        ),
        (
            pin(2, "/p/1/"),
            pin(2, "/p/1/", {"boost": None}),
            "~ position 2: /p/1/, boost: absent → null",
        ),
        (
            pin(2, "/p/1/", {"is_bundle_pin": True}),
            pin(2, "/p/1/", {"is_bundle_pin": 1}),
            "~ position 2: /p/1/, is_bundle_pin: true → 1",
        ),
        (
            {"position": "2", "pin_type": "item", "pin_identity": "/p/1/"},
            pin(2, "/p/1/"),
            '~ position 2: /p/1/ (position "2" → position 2)',
        ),
        (
            {"pin_type": "odd"},
            {"pin_type": "odd", "boost": 1},
            "~ no position: pin type odd, boost: absent → 1",
        ),
    ],
)
def test_a_pin_reads_like_a_sentence(old: Row, new: Row, sentence: str) -> None:
    check(with_pins(old), with_pins(new), sentence)


@pytest.mark.parametrize(
    ("found", "came", "went"),
    [
        (
            pin(3, "/p/2/"),
            "+ position 3: /p/2/ (only in live)",
            "- position 3: /p/2/ (only in git)",
        ),
        (
            pin(-1, "/p/2/"),
            "+ every position: /p/2/ (only in live)",
            "- every position: /p/2/ (only in git)",
        ),
        (
            pin(0, "/p/2/", {"is_block_pin": True, "widget_id": "hero"}),
            "+ blocked in widget hero: /p/2/ (only in live)",
            "- blocked in widget hero: /p/2/ (only in git)",
        ),
        (
            pin(3, "/p/2/", {"is_block_pin": True, "active_to": "2026-12-24T11:00:00Z"}),
            "+ position 3: /p/2/ (only in live), is_block_pin: true, until 24 Dec 2026 11:00 UTC",
            "- position 3: /p/2/ (only in git), is_block_pin: true, until 24 Dec 2026 11:00 UTC",
        ),
    ],
)
def test_a_pin_that_came_or_went(found: Row, came: str, went: str) -> None:
    other = pin(9, "/p/9/")
    check(with_pins(other), with_pins(found, other), came)
    check(with_pins(found, other), with_pins(other), went)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (pin(1, "/p/1/"), pin(2, "/p/1/"), '~ position 2: /p/1/ "Strap" (moved 1 → 2)'),
        (pin(1, "/p/1/"), pin(1, "/p/2/"), '~ position 1: /p/1/ "Strap" → /p/2/ "a\\nb \\"c\\""'),
        (pin(1, "/p/3/"), pin(1, "/p/4/"), f'~ position 1: /p/3/ "{"x" * 39}…" → /p/4/'),
        (
            pin(1, "/p/1/"),
            {**pin(1, "/p/1/"), "pin_type": "odd"},
            '~ position 1: /p/1/ "Strap" → /p/1/ and pin type odd',
        ),
        (
            {**pin(1, "/p/1/"), "pin_identity": 7},
            {**pin(1, "/p/1/"), "pin_identity": [8]},
            "~ position 1: 7 → [8]",
        ),
    ],
)
def test_a_pinned_item_has_its_title_once_where_it_is_known(
    old: Row, new: Row, sentence: str
) -> None:
    names = {
        "/p/1/": "Strap",
        "/p/2/": 'a\nb "c"',
        "/p/3/": "x" * 41,
        "/p/4/": "",
        "/p/5/": "another",
    }
    check(with_pins(old), with_pins(new), sentence, names=names)


def test_a_label_beside_what_shoppers_see_says_so_itself() -> None:
    old = rule(1, "/p/1/", [], "A", more={"tags": ["x"], "enabled": 1})
    new = rule(2, "/p/1/", [], "B", more={"tags": ["y"], "enabled": 2})
    aside = "(invisible to shoppers)"
    ids = " → ".join(str(row["id"]) for row in (old, new))
    lines = [
        f"~ id: {ids} {aside}",
        f"~ tags: [x] → [y] {aside}",
        f"~ target_metadata.title: A → B {aside}",
    ]
    check(old, new, *lines, "~ enabled: 1 → 2")
    check({**old, "enabled": 2}, new, *(line.removesuffix(f" {aside}") for line in lines))


def test_a_field_is_named_by_its_path_and_absence_is_not_null() -> None:
    old = rule(1, "/p/1/", [], more={"switch": {"a b": [1, 2], "c": None}, "tags": ["x"]})
    new = rule(1, "/p/1/", [], more={"switch": {"a b": [1, "2"]}, "z": {}})
    tags = "~ tags: [x] → absent (invisible to shoppers)"
    check(
        old,
        new,
        tags,
        '~ switch["a b"][1]: 2 → "2"',
        "~ switch.c: null → absent",
        "~ z: absent → {}",
    )


def test_pins_that_are_no_list_are_a_field() -> None:
    odd = rule(1, "/p/1/", []) | {"pin_definitions": "none"}
    check(
        odd,
        with_pins(pin(1, "/p/2/")),
        "+ position 1: /p/2/ (only in live)",
        '~ pin_definitions: "none" → absent',
    )


def test_a_customization_that_came_shows_its_unknown_fields() -> None:
    new = state({"basket": [rule(1, None, [], "Switched", {"enabled": False, "tags": ["a"]})]})
    report = render(Drift(HEAD, LIVE, (tracker([], new),)), STYLE)
    head = "+ Switched (all requests) · model basket · only in live, not in git\n"
    assert f"{head}    + no pins\n    + enabled: false\n" in report
    assert "tags" not in report


@pytest.mark.parametrize(
    "title", ["two\nlines", "tab\there", "cr\r\n", "esc\x1b[2J", "\u202egnp", "a · model other"]
)
def test_a_title_stays_on_one_line_and_in_its_place(title: str) -> None:
    drift = Drift(
        HEAD, LIVE, (tracker([], state({"basket": [rule(1, "/p/1/", [pin(1, "/p/2/")], title)]})),)
    )
    report = render(drift, STYLE)
    assert len(report.splitlines()) == 9
    assert not re.search(INVISIBLE, report.replace("\n", ""))
    assert (" · model" in title) <= ('+ "a · model other" (item' in report)


def test_nothing_of_a_hostile_drift_moves_the_cursor_or_commands_a_build() -> None:
    report = render(hostile(), STYLE)
    assert not re.search(INVISIBLE, report.replace("\n", ""))
    assert "##[" not in report
    assert not [line for line in report.splitlines() if line.lstrip().startswith("::")]
    assert len(report.splitlines()) == report.count("\n")
    assert all(text in report for text in ("https://evil.example", "עברית عربى 日本語", "x" * 900))


@QUICK
@given(texts, texts)
def test_any_text_makes_the_same_lines(title: str, identity: str) -> None:
    new = state({"basket": [rule(1, identity or "-", [pin(1, identity or "-")], title)]})
    report = render(Drift(HEAD, LIVE, (tracker([], new),)), STYLE)
    assert len(report.split("\n")) == 10
    assert not re.search(INVISIBLE, report.replace("\n", ""))


def test_a_partial_report_begins_and_ends_with_what_is_missing() -> None:
    lines = render(CASES["several"](), STYLE).splitlines()
    assert lines[0] == "INCOMPLETE: shop-cz (2345-6789) could not be compared"
    assert lines[1].startswith("  error: https://live.luigisbox.tech: 401")
    assert lines[2].startswith("  hint: check LUIGISBOX_KEY_CZ")
    assert lines[-1].endswith("; NOT COMPARED: shop-cz")


def test_what_could_be_compared_may_be_in_sync() -> None:
    drift = Drift(HEAD, LIVE, (failed(RemoteError("gone"), name="a"), tracker([], [], name="b")))
    expected = ["INCOMPLETE: a (2345-6789) could not be compared", "  error: gone"]
    last = "What could be compared is in sync (0 customizations); NOT COMPARED: a"
    assert render(drift, STYLE).splitlines() == [*expected, last]


@pytest.mark.parametrize("render", [render, markdown.render], ids=["text", "markdown"])
def test_alike_rules_are_told_apart_by_the_beginnings_of_their_ids(
    render: Callable[[Drift, Style], str],
) -> None:
    def names(*rows: Row) -> list[str]:
        report = render(Drift(HEAD, LIVE, (tracker([], state({"basket": rows})),)), STYLE).replace(
            "`", ""
        )
        return re.findall(
            r"^(?:\+ |- \*\*only.*:\*\* )([^·]*?)(?: \(.*| ·.*|)$", report, re.MULTILINE
        )

    everybody = [{"id": id_, "target_type": "all"} for id_ in ("12345678-a", "12345678-b", "3")]
    assert names(everybody[0]) == ["all requests"]
    assert names(*everybody[1:]) == ["all requests, id 12345678", "all requests, id 3"]
    assert names(*everybody) == [f"all requests, id {row['id']}" for row in everybody]
    titled = {**everybody[2], "target_metadata": {"title": "For all"}}
    assert names(everybody[0], titled) == ["all requests, id 12345678", "For all"]
    assert names(rule(1, "/p/1/", []), rule(2, "/p/2/", [])) == ["item /p/1/", "item /p/2/"]


def test_the_summary_has_the_counts_and_no_customization() -> None:
    full, short = (
        render(CASES["several"](), Style(ZONE, summary=summary)).splitlines()
        for summary in (False, True)
    )
    assert set(short) <= set(full)
    assert short[-1] == full[-1]
    assert not [line for line in short if " · " in line]
    assert not [line for line in short if "arrow" in line]


def test_the_zone_is_the_styles_and_named() -> None:
    drift = CASES["one_pin"]()
    for zone, shown in (
        (UTC, "21 Nov 2026 17:55 UTC"),
        (ZONE, "21 Nov 2026 18:55 CET"),
        (ZoneInfo("America/Sao_Paulo"), "21 Nov 2026 14:55 UTC-03"),
        (timezone(timedelta(hours=5, minutes=45)), "21 Nov 2026 23:40 UTC+05:45"),
    ):
        assert f"live, what shoppers get now (fetched {shown})\n" in render(drift, Style(zone))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-12-24T11:00:00Z", "24 Dec 2026 12:00 CET"),
        ("2026-07-01T22:59:59Z", "2 Jul 2026 00:59:59 CEST"),
        ("2026-11-29T22:59:59.999Z", "29 Nov 2026 23:59:59.999 CET"),
        ("2026-11-29T23:00:00.1234567891Z", "30 Nov 2026 00:00:00.1234567891 CET"),
        ("2026-10-25T00:30:00Z", "25 Oct 2026 02:30 CEST"),
        ("2026-10-25T01:30:00Z", "25 Oct 2026 02:30 CET"),
        ("2026-12-24T12:00:00+01:00", "24 Dec 2026 12:00 CET"),
        ("2026-12-24T11:00:00", '"2026-12-24T11:00:00"'),
        ("2026-02-30T11:00:00Z", '"2026-02-30T11:00:00Z"'),
        ("9999-12-31T23:59:59Z", '"9999-12-31T23:59:59Z"'),
        ("2026-W52-4T11:00:00Z", '"2026-W52-4T11:00:00Z"'),
        ("tomorrow", "tomorrow"),
        (20261224, "20261224"),
    ],
)
def test_a_window_is_shown_in_the_zone_or_as_it_is(text: Any, shown: str) -> None:  # noqa: ANN401 - any JSON value
    old, new = with_pins(pin(1, "/p/1/")), with_pins(pin(1, "/p/1/", {"active_to": text}))
    check(old, new, f"~ position 1: /p/1/, no end → until {shown}", zone=ZONE)


@pytest.mark.parametrize(
    ("old", "new", "came", "went"),
    [
        ("HEAD", "@live", "only in live, not in git", "only in git, not in live"),
        (
            "@live",
            "@worktree",
            "only in the working tree, not in live",
            "only in live, not in the working tree",
        ),
        (
            "backup.json",
            "@live",
            "only in live, not in backup.json",
            "only in backup.json, not in live",
        ),
        ("main", "HEAD", "added in HEAD", "removed in HEAD"),
        ("HEAD", "@index", "added in the index", "removed in the index"),
    ],
)
def test_the_words_say_which_side_has_what(old: str, new: str, came: str, went: str) -> None:
    here, there = (state({"basket": [rule(number, f"/p/{number}/", [])]}) for number in (1, 2))
    report = render(Drift(Side(old), Side(new), (tracker(here, there),)), STYLE)
    assert f"- item /p/1/ · model basket · {went} · customizations/basket.yaml:4\n" in report
    assert f"+ item /p/2/ · model basket · {came}\n" in report
    first, last = (words.partition(",")[0] for words in (came, went))
    assert f"\nsigns: + {first}, - {last}, ~ changed\n" in report
    assert report.endswith(f"1 {first}, 0 changed, 1 {last}, 0 the same\n")


@pytest.mark.parametrize(
    ("old", "new", "legend"),
    [
        (
            HEAD,
            LIVE,
            (
                "left of an arrow: git (HEAD, commit 1f0c9a7be2d3); right: live, what shoppers "
                "get now (fetched "
            ),
        ),
        (LIVE, HEAD, "; right: git (HEAD, commit 1f0c9a7be2d3)\n"),
        (
            Side(COMMIT[:7], COMMIT),
            LIVE,
            "left of an arrow: git (commit 1f0c9a7be2d3); right: live",
        ),
        (Side("backup.json"), LIVE, "left of an arrow: backup.json; right: live"),
        (LIVE, Side("@worktree"), "; right: the working tree, your files\n"),
        (Side("@index"), LIVE, "left of an arrow: the index, what is staged; right: live"),
        (
            Side("main", COMMIT),
            HEAD,
            "left of an arrow: main (commit 1f0c9a7be2d3); right: HEAD (commit 1f0c9a7be2d3)\n",
        ),
        (
            Side(COMMIT[:7], COMMIT),
            Side("@worktree"),
            "left of an arrow: 1f0c9a7; right: the working tree, your files",
        ),
    ],
)
def test_the_legend_says_what_the_sides_are(old: Side, new: Side, legend: str) -> None:
    report = render(replace(CASES["one_pin"](), old=old, new=new), STYLE)
    assert legend in report
    assert report.startswith("live differs from git in ") == ((old.revision, new) == (COMMIT, LIVE))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (HEAD, LIVE, True),
        (Side("HEAD"), LIVE, True),
        (Side("v1", COMMIT), LIVE, True),
        (LIVE, HEAD, False),
        (Side("@worktree"), LIVE, False),
        (Side("@index"), LIVE, False),
        (Side("backup.json"), LIVE, False),
        (Side("main", COMMIT), HEAD, False),
    ],
)
def test_the_next_step_is_said_where_it_is_sure(old: Side, new: Side, said: bool) -> None:
    lines = render(replace(CASES["one_pin"](), old=old, new=new), STYLE).splitlines()
    assert (lines[-2] == "to take live into git: pinsync export --commit") == said
    assert ("to take" in "\n".join(lines)) == said


@pytest.mark.parametrize("case", ["in_sync", "several", "nothing_known"])
def test_no_next_step_where_nothing_differs_or_a_part_is_missing(case: str) -> None:
    assert "to take" not in render(CASES[case](), STYLE)


def test_a_change_that_only_the_id_shows_is_invisible() -> None:
    old, new = (state({"basket": [rule(number, "/p/1/", [pin(1, "/p/2/")])]}) for number in (1, 2))
    report = render(Drift(HEAD, LIVE, (tracker(old, new),)), STYLE)
    assert "~ item /p/1/ · model basket · under a new id · invisible to shoppers · " in report
    assert "it is invisible to shoppers" in report


def test_when_the_vendor_saw_the_change_is_said_if_known() -> None:
    row = with_pins(pin(1, "/p/1/"))
    new = state({"basket": [with_pins(pin(1, "/p/2/"))]}, lambda _: "2026-11-20T08:00:00Z")
    report = render(Drift(HEAD, LIVE, (tracker(state({"basket": [row]}), new),)), STYLE)
    assert "last changed in the UI 20 Nov 2026 09:00 CET" in report
    assert "last changed" not in render(CASES["one_pin"](), STYLE)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (
            {"price": {"lt": 20}, "on": ["a", "b c", None]},
            '{price: {lt: 20}, on: [a, "b c", null]}',
        ),
        ("true", '"true"'),
        (True, "true"),
        ("12", '"12"'),
        ("", '""'),
        ("/p/1/?a=b&c=d", "/p/1/?a=b&c=d"),
        ("a → b", '"a → b"'),
        ("a, b", '"a, b"'),
        ("žltá", "žltá"),
        ("a\nb", '"a\\nb"'),
        ([], "[]"),
    ],
)
def test_values_are_compact_and_unambiguous(value: Any, shown: str) -> None:  # noqa: ANN401 - any JSON value
    assert compact(value) == shown


def test_paths_are_spelled_as_people_do() -> None:
    assert format_path(("target_metadata", "title")) == "target_metadata.title"
    assert format_path(("a b", 0, "c")) == '["a b"][0].c'


def test_a_moment_beyond_time_is_an_error_to_its_caller() -> None:
    with pytest.raises(OverflowError):
        format_moment(datetime.max.replace(tzinfo=UTC), timezone(timedelta(hours=1)))
