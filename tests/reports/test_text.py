"""The report for a terminal."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from msgspec.structs import replace

from pinsync.drift.record import Cause, Change, Drift, Moved, Side
from pinsync.errors import RemoteError
from pinsync.escape import INVISIBLE
from pinsync.model import Commit
from pinsync.reports import Style
from pinsync.reports.drift.text import render
from pinsync.reports.words.entry_lines import WIDTH
from pinsync.reports.words.values import compact, format_moment, format_path, measure_width
from support import paths
from support.drifts import (
    CASES,
    CHRISTMAS,
    COMMIT,
    HEAD,
    LIVE,
    Row,
    build_drift,
    describe,
    failed,
    hostile,
    pin,
    rule,
    state,
    texts_of,
    tracker,
)
from support.strategies import QUICK, texts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from pinsync.reports.words.entries import Entry
    from support.golden import Golden

GOLDEN: Final = paths.CASES / "reports"
ZONE: Final = ZoneInfo("Europe/Bratislava")
STYLE: Final = Style(ZONE)
SELECT_GRAPHIC_RENDITION: Final = re.compile("\x1b\\[[0-9;]*m")


def describe_change(
    old: Row, new: Row, *, zone: tzinfo = UTC, names: Mapping[str, str] | None = None
) -> Entry:
    """The entry of a rule that changed in the shop."""
    sides = state({"basket": [old]}), state({"basket": [new]})
    (entry,) = describe(build_drift(HEAD, LIVE, (tracker(*sides, names=names),)), zone)
    return entry


def check(
    old: Row,
    new: Row,
    heading: str,
    *rows: tuple[str, str],
    zone: tzinfo = UTC,
    names: Mapping[str, str] | None = None,
) -> None:
    """The entry of a rule that changed has this heading and these rows."""
    entry = describe_change(old, new, zone=zone, names=names)
    assert f"{entry.verdict} {entry.details}".rstrip() == heading
    assert texts_of(entry) == list(rows)


def with_pins(*pins: Row) -> Row:
    return rule(1, "/p/1/", pins)


@pytest.mark.parametrize("case", sorted(CASES.keys() - {"hostile"}))
def test_golden(case: str, golden: Golden) -> None:
    golden(render(CASES[case](), STYLE), GOLDEN / case / "text.txt")


def test_every_golden_folder_has_its_case() -> None:
    assert {folder.name for folder in GOLDEN.iterdir()} == CASES.keys() - {"hostile"}


def test_being_in_sync_takes_one_line() -> None:
    assert render(CASES["in_sync"](), STYLE) == "In sync: the shop is the same as git (30 rules)\n"


@pytest.mark.parametrize("case", sorted(CASES))
def test_colour_changes_nothing_but_colour(case: str) -> None:
    plain, coloured = (render(CASES[case](), Style(ZONE, color=color)) for color in (False, True))
    assert SELECT_GRAPHIC_RENDITION.sub("", coloured) == plain
    assert coloured != plain
    assert "\x1b" not in plain


LEFT: Final = "(the recommender chooses)"


@pytest.mark.parametrize(
    ("old", "new", "heading", "rows"),
    [
        (pin(3, "/p/234/"), pin(3, "/p/999/"), "REPLACED at #3", ("#3 /p/234/", "#3 /p/999/")),
        (
            pin(3, "/p/234/"),
            pin(1, "/p/234/"),
            "MOVED from #3 to #1",
            (f"#1 {LEFT}  #3 /p/234/", f"#1 /p/234/  #3 {LEFT}"),
        ),
        (
            pin(3, "/p/234/"),
            pin(-1, "/p/234/"),
            "MOVED from #3 to every position",
            ("#3 /p/234/", f"#3 {LEFT}  every position: /p/234/"),
        ),
        (
            pin(3, "/p/234/"),
            pin(0, "/p/234/"),
            "BLOCKED",
            ("#3 /p/234/", f"#3 {LEFT}  blocked: /p/234/"),
        ),
        (
            pin(0, "/p/234/"),
            pin(3, "/p/234/"),
            "UNBLOCKED",
            (f"#3 {LEFT}  blocked: /p/234/", "#3 /p/234/"),
        ),
        (
            pin(0, "/p/1/"),
            pin(0, "/p/2/"),
            "REPLACED at blocked",
            ("blocked: /p/1/", "blocked: /p/2/"),
        ),
        (
            pin(-1, "/p/1/"),
            pin(-1, {"a": 1}),
            "REPLACED at every position",
            ("every position: /p/1/", "every position: whatever matches {a: 1}"),
        ),
        (
            pin(1, "/p/1/", {"active_to": "2026-12-24T12:00:00Z"}),
            pin(1, "/p/1/"),
            "DATES CHANGED at #1",
            ("#1 /p/1/ (until 24 Dec 2026 12:00 UTC)", "#1 /p/1/ (no end)"),
        ),
        (
            pin(1, "/p/1/"),
            pin(1, "/p/1/", CHRISTMAS),
            "DATES CHANGED at #1",
            (
                "#1 /p/1/ (no start, no end)",
                "#1 /p/1/ (from 29 Nov 2026 23:00 UTC, until 24 Dec 2026 11:00 UTC)",
            ),
        ),
        (
            pin(1, "/p/1/", CHRISTMAS),
            pin(1, "/p/1/", CHRISTMAS | {"active_from": "2026-12-01T00:00:00Z"}),
            "DATES CHANGED at #1",
            (
                "#1 /p/1/ (from 29 Nov 2026 23:00 UTC, until 24 Dec 2026 11:00 UTC)",
                "#1 /p/1/ (from 1 Dec 2026 00:00 UTC, until 24 Dec 2026 11:00 UTC)",
            ),
        ),
        (
            pin(1, "/p/1/", {"active_to": "2026-01-01T00:00:00Z"}),
            pin(1, "/p/1/", {"active_to": "2026-02-01T00:00:00Z"}),
            "DATES CHANGED at #1",
            (
                "#1 /p/1/ (until 1 Jan 2026 00:00 UTC, over)",
                "#1 /p/1/ (until 1 Feb 2026 00:00 UTC, over)",
            ),
        ),
        (
            pin(2, "/p/1/"),
            pin(2, "/p/1/", {"boost": None}),
            "PIN CHANGED at #2",
            ("#2 /p/1/", "#2 /p/1/ (boost: null)"),
        ),
        (
            pin(2, "/p/1/", {"is_bundle_pin": True}),
            pin(2, "/p/1/", {"is_bundle_pin": 1}),
            "PIN CHANGED at #2",
            ("#2 /p/1/ (is_bundle_pin: true)", "#2 /p/1/ (is_bundle_pin: 1)"),
        ),
        (
            {"position": "2", "pin_type": "item", "pin_identity": "/p/1/"},
            pin(2, "/p/1/"),
            'MOVED from position "2" to #2',
            (f'#2 {LEFT}  position "2": /p/1/', "#2 /p/1/"),
        ),
        (
            {"pin_type": "odd"},
            {"pin_type": "odd", "boost": 1},
            "PIN CHANGED at no position",
            ("no position: pin type odd", "no position: pin type odd (boost: 1)"),
        ),
    ],
)
def test_the_rows_show_the_pin_on_both_sides(
    old: Row, new: Row, heading: str, rows: tuple[str, str]
) -> None:
    check(with_pins(old), with_pins(new), heading, rows)


def test_pins_that_exchange_their_positions_are_swapped() -> None:
    old, new = with_pins(pin(3, "/a/"), pin(1, "/b/")), with_pins(pin(1, "/a/"), pin(3, "/b/"))
    check(old, new, "SWAPPED #1 and #3", ("#1 /b/  #3 /a/", "#1 /a/  #3 /b/"))
    three = with_pins(pin(1, "/a/"), pin(2, "/b/"), pin(3, "/c/"))
    turned = with_pins(pin(2, "/a/"), pin(3, "/b/"), pin(1, "/c/"))
    check(
        three,
        turned,
        "3 PINS MOVED",
        ("#1 /a/  #2 /b/  #3 /c/", "#1 /c/  #2 /a/  #3 /b/"),
    )


def test_the_shelves_of_each_widget_stand_apart() -> None:
    hero, side = {"widget_id": "hero"}, {"widget_id": "side"}
    entry = describe_change(with_pins(pin(2, "/p/1/", hero)), with_pins(pin(1, "/p/1/", hero)))
    assert (entry.widget, entry.details) == ("widget hero", "from #2 to #1")
    entry = describe_change(with_pins(pin(2, "/p/1/", hero)), with_pins(pin(2, "/p/1/", side)))
    assert entry.widget == ""
    assert [section.caption for section in entry.sections] == ["widget hero", "widget side"]
    assert texts_of(entry) == [("#2 /p/1/", f"#2 {LEFT}"), (f"#2 {LEFT}", "#2 /p/1/")]


@pytest.mark.parametrize(
    ("found", "came", "went", "shown"),
    [
        (pin(3, "/p/2/"), "PIN ADDED at #3", "PIN REMOVED at #3", "#3 /p/2/"),
        (
            pin(-1, "/p/2/"),
            "PIN ADDED at every position",
            "PIN REMOVED at every position",
            "every position: /p/2/",
        ),
        (pin(0, "/p/2/", {"is_block_pin": True}), "BLOCKED", "UNBLOCKED", "blocked: /p/2/"),
        (
            pin(3, "/p/2/", {"is_block_pin": True, "active_to": "2026-12-24T11:00:00Z"}),
            "BLOCKED",
            "UNBLOCKED",
            "blocked: /p/2/ (position 3, is_block_pin: true, until 24 Dec 2026 11:00 UTC)",
        ),
    ],
)
def test_a_pin_that_came_or_went(found: Row, came: str, went: str, shown: str) -> None:
    other = pin(9, "/p/9/")
    is_numbered = shown.startswith("#")
    without = f"#3 {LEFT}  #9 /p/9/" if is_numbered else "#9 /p/9/"
    with_it = f"{shown}  #9 /p/9/" if is_numbered else f"#9 /p/9/  {shown}"
    check(with_pins(other), with_pins(found, other), came, (without, with_it))
    check(with_pins(found, other), with_pins(other), went, (with_it, without))


@pytest.mark.parametrize(
    ("old", "new", "rows"),
    [
        (pin(1, "/p/1/"), pin(1, "/p/2/"), ("#1 “Strap”", '#1 “a\\nb "c"”')),
        (pin(1, "/p/3/"), pin(1, "/p/4/"), (f"#1 “{'x' * 39}…”", "#1 /p/4/")),
        (
            pin(1, "/p/1/"),
            {**pin(1, "/p/1/"), "pin_type": "odd"},
            ("#1 “Strap” (/p/1/)", "#1 “Strap” (/p/1/ and pin type odd)"),
        ),
        (
            {**pin(1, "/p/1/"), "pin_identity": 7},
            {**pin(1, "/p/1/"), "pin_identity": [8]},
            ("#1 7", "#1 [8]"),
        ),
        (pin(1, "/p/6/"), pin(1, "/p/7/"), ("#1 “Capo” (/p/6/)", "#1 “Capo” (/p/7/)")),
        (pin(1, "/p/1/"), pin(1, "/p/9/"), ("#1 “Strap”", "#1 “מיתרים” (item /p/9/)")),
        (pin(1, "/p/1/"), pin(1, "/p/8/"), ("#1 “Strap”", '#1 "“so-called” 5\\""')),
    ],
)
def test_a_pinned_item_has_its_title_where_it_is_known(
    old: Row, new: Row, rows: tuple[str, str]
) -> None:
    names = {
        "/p/1/": "Strap",
        "/p/2/": 'a\nb "c"',
        "/p/3/": "x" * 41,
        "/p/4/": "",
        "/p/5/": "another",
        "/p/6/": "Capo",
        "/p/7/": "Capo",
        "/p/8/": '“so-called” 5"',
        "/p/9/": "מיתרים",
    }
    check(with_pins(old), with_pins(new), "REPLACED at #1", rows, names=names)


def test_each_field_that_differs_has_its_rows() -> None:
    old = rule(1, "/p/1/", [], "A", more={"tags": ["x"], "enabled": 1})
    new = rule(2, "/p/1/", [], "B", more={"tags": ["y"], "enabled": 2})
    ids = f"id: {old['id']}", f"id: {new['id']}"
    rows = [ids, ("tags: [x]", "tags: [y]"), ("title: A", "title: B")]
    heading = "SEVERAL CHANGES (created again, tags changed, title changed, field changed)"
    check(old, new, heading, *rows, ("enabled: 1", "enabled: 2"))
    check({**old, "tags": ["y"], "enabled": 2}, new, "CREATED AGAIN, TITLE CHANGED", ids, rows[2])
    entry = describe_change(rule(1, "/p/1/", []), rule(2, "/p/1/", []))
    assert entry.remarks == ("the same rule, under another id",)


def test_a_field_is_named_by_its_path_and_absence_is_not_null() -> None:
    old = rule(1, "/p/1/", [], more={"switch": {"a b": [1, 2], "c": None}, "tags": ["x"]})
    new = rule(1, "/p/1/", [], more={"switch": {"a b": [1, "2"]}, "z": {}})
    check(
        old,
        new,
        "TAGS CHANGED, FIELD CHANGED",
        ("tags: [x]", "tags: none"),
        ('switch["a b"][1]: 2', 'switch["a b"][1]: "2"'),
        ("switch.c: null", "switch.c: none"),
        ("z: none", "z: {}"),
    )


def test_pins_that_are_no_list_are_a_field() -> None:
    odd = rule(1, "/p/1/", []) | {"pin_definitions": "none"}
    check(
        odd,
        with_pins(pin(1, "/p/2/")),
        "PIN ADDED, FIELD CHANGED",
        (f"#1 {LEFT}", "#1 /p/2/"),
        ('pin_definitions: "none"', "pin_definitions: none"),
    )


def test_a_rule_that_came_or_went_shows_its_pins_and_its_unknown_fields() -> None:
    row = rule(1, None, [], "Switched", {"enabled": False, "tags": ["a"]})
    new = state({"basket": [row]})
    (entry,) = describe(build_drift(HEAD, LIVE, (tracker([], new),)))
    none = "the recommender chooses"
    assert (entry.verdict, entry.name) == ("RULE ADDED", "“Switched” (every visitor)")
    assert texts_of(entry) == [
        (f"no rule: {none}", f"no pins: {none}"),
        ("none", "enabled: false"),
    ]
    (entry,) = describe(build_drift(HEAD, LIVE, (tracker(new, []),)))
    assert texts_of(entry)[0] == (f"no pins: {none}", f"no rule: {none}")


def test_a_target_or_a_model_that_changed_shows_the_pins_too() -> None:
    pins = [pin(2, "/p/2/"), pin(1, "/p/3/")]
    entry = describe_change(rule(1, {"total": 100}, pins), rule(1, {"total": 80}, pins))
    assert entry.verdict == "TARGET CHANGED"
    assert texts_of(entry) == [("target_criteria.total: 100", "target_criteria.total: 80")]
    assert entry.remarks == ("pins: #1 /p/3/ #2 /p/2/",)
    old, new = state({"a": [rule(1, "/p/1/", pins)]}), state({"b": [rule(1, "/p/1/", pins)]})
    (entry,) = describe(build_drift(HEAD, LIVE, (tracker(old, new),)))
    assert (entry.verdict, texts_of(entry)) == ("MODEL CHANGED", [("model: a", "model: b")])


def test_a_rule_without_an_active_pin_says_why_it_matters_now() -> None:
    later = pin(1, "/p/2/", {"active_from": "2027-01-01T00:00:00Z"})
    new = state({"basket": [with_pins(later)]})
    (entry,) = describe(build_drift(HEAD, LIVE, (tracker([], new),)))
    assert entry.change.shoppers
    assert entry.change.shoppers.when == "now"
    assert entry.remarks == ("no pin is active now, but the rule may replace a more general one",)
    assert texts_of(entry)[0][1] == "#1 /p/2/ (from 1 Jan 2027 00:00 UTC)"


def test_a_long_shelf_is_cut_around_the_difference_and_says_so() -> None:
    pins = [pin(at, f"/p/{at}/") for at in range(1, 201)]
    changed = [*pins[:99], pin(100, "/p/new/"), *pins[100:]]
    check(
        with_pins(*pins),
        with_pins(*changed),
        "REPLACED at #100",
        (
            "… 98 the same …  #99 /p/99/  #100 /p/100/  #101 /p/101/  … 99 the same …",
            "… 98 the same …  #99 /p/99/  #100 /p/new/  #101 /p/101/  … 99 the same …",
        ),
    )
    (entry,) = describe(build_drift(HEAD, LIVE, (tracker([], state({"b": [with_pins(*pins)]})),)))
    ((_, shown),) = texts_of(entry)
    assert shown.startswith("#1 /p/1/  #2 /p/2/")
    assert shown.endswith("#20 /p/20/  … 180 more …")


MOVED: Final[tuple[Moved, ...]] = get_args(Moved)


@pytest.mark.parametrize("moved", MOVED)
@pytest.mark.parametrize("is_turned", [False, True])
def test_a_heading_takes_the_view_of_whoever_moved(moved: Moved, is_turned: bool) -> None:
    here, there = (
        state({"basket": [with_pins(pin(1, "/a/"))]}),
        state({"basket": [with_pins(pin(1, "/a/"), pin(2, "/b/"))]}),
    )
    sides = (there, here) if is_turned else (here, there)
    names = (LIVE, HEAD) if is_turned else (HEAD, LIVE)
    drift = build_drift(*names, (tracker(*sides, move=lambda _: moved),))
    (entry,) = describe(drift)
    # In both directions the shop has one pin more.
    assert (
        f"{entry.verdict} {entry.details}"
        == {
            "shop": "PIN ADDED at #2",
            "extra": "PIN ADDED at #2",
            "both": "PIN ONLY IN THE SHOP at #2",
            "unknown": "PIN ONLY IN THE SHOP at #2",
            "git": "PIN REMOVED IN GIT at #2",
        }[moved]
    )
    labels = {"git": ("git (new)", "shop (old)"), "both": ("git", "shop")}
    labels |= dict.fromkeys(("unknown", "extra"), labels["both"])
    shown = [row.label for row in entry.sections[0].rows]
    expected = labels.get(moved, ("agreed", "shop"))
    assert shown == list(reversed(expected) if is_turned else expected)


def test_who_set_a_rule_and_when_stands_below_it() -> None:
    moment = datetime(2026, 11, 3, 14, tzinfo=UTC)
    commit = Commit("1" * 40, "1111111", None, "Jana\nNová", "j@example.com", moment, "Straps")
    old, new = (
        state({"basket": [with_pins(pin(1, "/a/"))]}),
        [
            *state({"basket": [with_pins(pin(1, "/b/"))]}, lambda _: "2026-11-20T08:00:00Z"),
            *state({"basket": [rule(2, "/p/2/", [])]}, lambda _: "2026-11-20T09:00:00Z"),
        ],
    )
    found = tracker(old, new)

    def origins(moved: Moved) -> tuple[str, ...]:
        change = replace(found.changes[0], moved=moved, moved_in=commit)
        trackers = (replace(found, changes=(change, *found.changes[1:])),)
        return describe(build_drift(HEAD, LIVE, trackers))[0].origins

    author = "3 Nov 2026: “Straps” (Jana\\nNová)"
    saved = "saved in the shop 20 Nov 2026 08:00 UTC"
    assert origins("shop") == (f"agreed on {author}", saved)
    assert origins("unknown") == (f"in git since {author}", saved)
    assert origins("git") == (f"changed in git on {author}",)


def add_rule(title: str) -> Drift:
    """A new rule with a title."""
    new = state({"basket": [rule(1, "/p/1/", [pin(1, "/p/2/")], title)]})
    return build_drift(HEAD, LIVE, (tracker([], new),))


@pytest.mark.parametrize(
    "title", ["two\nlines", "tab\there", "cr\r\n", "esc\x1b[2J", "\u202egnp", "a · model other"]
)
def test_a_title_stays_on_one_line_and_in_its_place(title: str) -> None:
    report, plain = (render(add_rule(text), STYLE) for text in (title, "plain"))
    assert len(report.splitlines()) == len(plain.splitlines())
    assert not re.search(INVISIBLE, report.replace("\n", ""))


@QUICK
@given(texts, texts)
def test_any_text_makes_lines_without_control_characters(title: str, identity: str) -> None:
    new = state({"basket": [rule(1, identity or "-", [pin(1, identity or "-")], title)]})
    report = render(build_drift(HEAD, LIVE, (tracker([], new),)), STYLE)
    assert not re.search(INVISIBLE, report.replace("\n", ""))
    # Only a word that is longer than a line exceeds the width.
    for line in report.split("\n"):
        assert measure_width(line) <= WIDTH or max(map(len, line.split(" "))) > WIDTH // 2


def test_nothing_of_a_hostile_drift_moves_the_cursor_or_commands_a_build() -> None:
    report = render(hostile(), STYLE)
    assert not re.search(INVISIBLE, report.replace("\n", ""))
    assert "##[" not in report
    assert not [line for line in report.splitlines() if line.lstrip().startswith("::")]
    assert len(report.splitlines()) == report.count("\n")
    assert all(text in report for text in ("https://evil.example", "עברית عربى 日本語", "x" * 900))


def test_a_partial_report_begins_with_what_is_missing_and_names_it_in_the_headline() -> None:
    report = render(CASES["several"](), STYLE)
    lines = report.splitlines()
    assert lines[0] == "INCOMPLETE: shop-cz (2345-6789) could not be compared"
    assert lines[1].startswith("  error: https://live.luigisbox.tech: 401")
    assert lines[2].startswith("  hint: check LUIGISBOX_KEY_CZ")
    assert " ".join(lines[3:5]).endswith(" NOT COMPARED: shop-cz")
    assert lines[-1] == "NOT COMPARED: shop-cz"
    assert "\n  shop-sk (1234-5678): 11 rules differ, 20 agree\n" in report
    assert "\n  shop-cz (2345-6789): NOT COMPARED, see above\n" in report
    assert "\n  shop-pl (1234-5678): in sync (30 rules)\n" in report


def test_what_could_be_compared_may_be_in_sync() -> None:
    drift = build_drift(
        HEAD, LIVE, (failed(RemoteError("gone"), name="a"), tracker([], [], name="b"))
    )
    expected = ["INCOMPLETE: a (2345-6789) could not be compared", "  error: gone"]
    last = "What could be compared agrees (0 rules). NOT COMPARED: a"
    assert render(drift, STYLE).splitlines() == [*expected, last]


def test_alike_rules_are_told_apart_by_the_beginnings_of_their_ids() -> None:
    def names(*rows: Row) -> list[str]:
        found = describe(build_drift(HEAD, LIVE, (tracker([], state({"basket": rows})),)))
        return [" ".join([entry.name, *entry.remarks]) for entry in found]

    everybody = [{"id": id_, "target_type": "all"} for id_ in ("12345678-a", "12345678-b", "3")]
    assert names(everybody[0]) == ["every visitor"]
    assert names(*everybody[1:]) == ["every visitor id 12345678", "every visitor id 3"]
    assert names(*everybody) == [f"every visitor id {row['id']}" for row in everybody]
    titled = {**everybody[2], "target_metadata": {"title": "For all"}}
    assert names(everybody[0], titled) == [
        "every visitor id 12345678",
        "“For all” (every visitor) id 3",
    ]
    assert names(rule(1, "/p/1/", []), rule(2, "/p/2/", [])) == ["/p/1/", "/p/2/"]


def test_the_summary_has_the_groups_and_the_actions_but_no_rule() -> None:
    full, short = (
        render(CASES["several"](), Style(ZONE, summary=summary)).splitlines()
        for summary in (False, True)
    )
    counts = [line for line in short if line.startswith(("DIFFERENCE", "NO DIFFERENCE"))]
    assert counts == [
        "DIFFERENCE TO SHOPPERS NOW · changed in the shop: 7 rules",
        "DIFFERENCE TO SHOPPERS NOW · added in the shop (git never had it): 1 rule",
        "NO DIFFERENCE TO SHOPPERS · changed in the shop: 3 rules",
    ]
    assert set(short) - set(counts) <= set(full)
    assert short[-1] == full[-1]
    assert not [line for line in short if line.startswith("  agreed")]


def test_the_zone_is_the_styles_and_named() -> None:
    drift = CASES["one_pin"]()
    for zone, shown in (
        (UTC, "21 Nov 2026 17:55 UTC"),
        (ZONE, "21 Nov 2026 18:55 CET"),
        (ZoneInfo("America/Sao_Paulo"), "21 Nov 2026 14:55 UTC-03"),
        (timezone(timedelta(hours=5, minutes=45)), "21 Nov 2026 23:40 UTC+05:45"),
    ):
        report = " ".join(render(drift, Style(zone)).split())
        assert f"shop: now, asked {shown} · " in report


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-12-24T11:00:00Z", "24 Dec 2026 12:00 CET"),
        ("2027-07-01T22:59:59Z", "2 Jul 2027 00:59:59 CEST"),
        ("2026-11-29T22:59:59.999Z", "29 Nov 2026 23:59:59.999 CET"),
        ("2026-11-29T23:00:00.1234567891Z", "30 Nov 2026 00:00:00.1234567891 CET"),
        ("2027-10-31T00:30:00Z", "31 Oct 2027 02:30 CEST"),
        ("2027-10-31T01:30:00Z", "31 Oct 2027 02:30 CET"),
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
    rows = ("#1 /p/1/ (no end)", f"#1 /p/1/ (until {shown})")
    check(old, new, "DATES CHANGED at #1", rows, zone=ZONE)


EXPORT: Final = Side("monday.json", is_export=True)
FILES: Final = Side("@worktree")


@pytest.mark.parametrize(
    ("old", "new", "headline", "labels"),
    [
        (HEAD, LIVE, "The shop differs from git in 1 rule: ", "agreed shop"),
        (LIVE, HEAD, "git differs from the shop in 1 rule: ", "shop agreed"),
        (LIVE, FILES, "Your files differ from the shop in 1 rule: ", "shop files"),
        (FILES, LIVE, "The shop differs from your files in 1 rule: ", "files shop"),
        (
            Side("@index"),
            LIVE,
            "The shop differs from what is staged in 1 rule: ",
            "staged shop",
        ),
        (Side("v1", COMMIT), LIVE, "The shop differs from git (v1) in 1 rule: ", "agreed shop"),
        (
            HEAD,
            EXPORT,
            "The shop's export monday.json differs from git in 1 rule: ",
            "agreed shop",
        ),
        (
            EXPORT,
            LIVE,
            "The shop differs from the shop's export monday.json in 1 rule: ",
            "before after",
        ),
        (Side("main", COMMIT), HEAD, "HEAD changes 1 rule of main: ", "main HEAD"),
        (HEAD, FILES, "Your files change 1 rule of HEAD: ", "HEAD files"),
        (
            Side("the merge base of main and HEAD", COMMIT),
            HEAD,
            "HEAD changes 1 rule of the merge base of main and HEAD: ",
            "before after",
        ),
    ],
)
def test_the_words_depend_on_the_sides(old: Side, new: Side, headline: str, labels: str) -> None:
    drift = CASES["one_pin"]()
    (found,) = drift.trackers
    if not old.is_live and not new.is_live:
        found = replace(
            found, changes=tuple(replace(change, moved=None) for change in found.changes)
        )
    drift = replace(drift, old=old, new=new, trackers=(found,))
    assert " ".join(render(drift, STYLE).split()).startswith(headline)
    (entry,) = describe(drift)
    assert [row.label for row in entry.sections[0].rows] == labels.split()


@pytest.mark.parametrize(
    ("old", "new", "is_certain"),
    [
        (HEAD, LIVE, True),
        (Side("HEAD"), LIVE, True),
        (Side("v1", COMMIT), LIVE, True),
        (LIVE, HEAD, False),
        (FILES, LIVE, False),
        (Side("@index"), LIVE, False),
        (HEAD, EXPORT, False),
        (Side("main", COMMIT), HEAD, False),
    ],
)
def test_actions_are_named_where_they_are_certain(old: Side, new: Side, is_certain: bool) -> None:
    report = render(replace(CASES["one_pin"](), old=old, new=new), STYLE)
    assert ("What you can do" in report) == is_certain
    assert ("    pinsync export --commit\n" in report) == is_certain


def test_each_action_says_what_it_does_to_the_shop_and_to_git() -> None:
    def actions(*moved: Moved | None) -> list[str]:
        sides = [
            state({"b": [rule(at, f"/p/{at}/", [pin(1, end)]) for at in range(len(moved))]})
            for end in ("/a/", "/b/")
        ]
        found = tracker(sides[0], sides[1])
        changes = zip(found.changes, moved, strict=True)
        changed = tuple(replace(change, moved=each) for change, each in changes)
        report = render(build_drift(HEAD, LIVE, (replace(found, changes=changed),)), STYLE)
        listed = report.partition("What you can do")[2].partition("\n\n")[0]
        return [" ".join(action.split()) for action in listed.split("\n- ")[1:]]

    url = "https://app.luigisbox.com/sites/1234-5678/setup/recommendations_customization"
    by_hand = f"change the shop by hand, in Luigi's Box changes stays {url}"
    by_rule = (
        "decide rule by rule what git takes from the shop stays changes pinsync export -p --commit"
    )
    to_shop = (
        "make the shop the same as git, after a preview; the shop's changes stays changes are lost "
        "pinsync apply --overwrite-edits"
    )
    assert actions("shop") == [
        "make git the same as the shop stays changes pinsync export --commit",
        to_shop,
        by_hand,
    ]
    first, second, third, fourth, fifth = actions("shop", "git", "git", "unknown")
    assert first == by_rule
    assert second.startswith(
        "make git the same as the shop; 2 changes made IN GIT are stays changes lost, and maybe 1 "
    )
    assert third == (
        "bring git's 2 changes to the shop, after a preview changes stays pinsync apply"
    )
    assert (fourth, fifth) == (to_shop, by_hand)
    assert len(actions("git")) == 3
    assert "; 1 change made in git may be" in actions("both", "shop")[1]


def test_an_apply_is_named_where_it_changes_these_rules_alone() -> None:
    def names_apply(cause: Cause = "edited", **fields: Any) -> bool:  # noqa: ANN401 - fields of a drift
        drift = CASES["one_pin"]()
        (found,) = drift.trackers
        (change,) = found.changes
        changed = replace(found, changes=(replace(change, moved="git", cause=cause),))
        return "    pinsync apply\n" in render(replace(drift, trackers=(changed,), **fields), STYLE)

    assert names_apply()
    assert not names_apply("expired")
    assert not names_apply(is_unrestricted=False)
    assert not names_apply(old=Side("v1", COMMIT))


def test_an_apply_is_named_with_the_options_that_the_rules_need() -> None:
    def name_command(*changes: tuple[Row | None, Row | None, Moved]) -> str:
        found: list[Change] = []
        for at, (old, new, moved) in enumerate(changes):
            rows = [[rule(at, f"/p/{at}/", [], more=each)] if each else [] for each in (old, new)]
            sides = [state({"b": each}) for each in rows]
            (change,) = tracker(*sides).changes
            found.append(replace(change, moved=moved))
        each = replace(tracker(state({}), state({})), changes=tuple(found))
        report = render(build_drift(HEAD, LIVE, (each,)), STYLE)
        return str(re.findall(r"^    (pinsync apply.*)$", report, re.MULTILINE)[-1])

    one, two = {"tags": ["a"]}, {"tags": ["b"]}
    assert name_command((one, two, "both")) == "pinsync apply --overwrite-edits"
    assert name_command((one, None, "shop")) == "pinsync apply --recreate"
    assert name_command((None, two, "extra")) == "pinsync apply --delete-extra"
    assert name_command((None, two, "git")) == "pinsync apply --delete"
    everything = name_command((None, two, "shop"), (one, None, "shop"), (None, two, "extra"))
    options = "--delete --overwrite-edits --recreate --delete-extra"
    assert everything == f"pinsync apply {options}"


def test_a_rule_that_was_only_created_again_needs_no_apply() -> None:
    sides = [state({"b": [rule(at, "/p/1/", [pin(1, "/a/")])]}) for at in (1, 2)]
    report = render(build_drift(HEAD, LIVE, (tracker(*sides),)), STYLE)
    assert "pinsync export --commit" in report
    assert "pinsync apply" not in report


@pytest.mark.parametrize("case", ["in_sync", "several", "nothing_known"])
def test_no_export_is_advised_where_nothing_differs_or_a_part_is_missing(case: str) -> None:
    assert "pinsync export" not in render(CASES[case](), STYLE)


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
