"""Values that look alike: every report for people shows two different values differently."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync.canonical.pins import read_pin
from pinsync.drift.changes import compare_pins
from pinsync.drift.pairs import read_data
from pinsync.drift.record import Drift, Place
from pinsync.history.record import Blame, BlamedPin, BlamedRule, BlamedTracker, Log, LogEntry
from pinsync.model import Commit
from pinsync.reports import Style
from pinsync.reports.blame import text as blame_text
from pinsync.reports.ci import github, gitlab, junit, sarif
from pinsync.reports.drift import markdown, text
from pinsync.reports.history import markdown as history_markdown
from pinsync.reports.history import text as history_text
from pinsync.reports.show import text as show_text
from pinsync.reports.words.likeness import describe_forms, find_alike, tell_apart
from pinsync.reports.words.values import compact
from pinsync.shelf.shelf import Shelves, TrackerShelves, build_shelf
from support.drifts import HEAD, LIVE, build_drift, describe, pin, rule, state, texts_of, tracker
from support.strategies import QUICK, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo

    from support.drifts import Row

STYLE: Final = Style(UTC)
_LEFT: Final = "the recommender chooses"
NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
COMMIT: Final = Commit("1" * 40, "1111111", None, "Jana", "jana@example.com", NOW, "Subject")

# Unicode 17.0, DerivedCoreProperties.txt, Default_Ignorable_Code_Point.
IGNORABLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
BLANKS: Final = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u2800\u3000"
SAMPLES: Final = "\u00ad\u034f\u115f\u1160\u17b4\u180b\u180e\u180f\u200b\u200d\u206a\u2065\u3164\ufe00\ufe0e\ufe0f\uffa0"


def seen(shown: str) -> str:
    """What a person sees of a report."""
    visible = IGNORABLE.sub("", unicodedata.normalize("NFC", shown))
    return (
        re.sub(f"[ {BLANKS}]+", " ", unicodedata.normalize("NFC", visible))
        .replace('"', "")
        .strip(" ")
    )


@st.composite
def lookalikes(draw: st.DrawFn) -> tuple[str, str]:
    """Two different texts that most people take for one."""
    base = draw(st.one_of(texts, st.text("aá ňﬁ한가각東ो❤#1А", max_size=8))) or "á"
    at = draw(st.integers(0, len(base)))
    more = draw(st.sampled_from([*BLANKS, *SAMPLES, "\U000e0101", "\U0001d173", " ", "\u200d"]))
    other = draw(
        st.sampled_from(
            [
                base[:at] + more + base[at:],
                base.replace(" ", more) or more,
                unicodedata.normalize("NFD", base),
                unicodedata.normalize("NFC", base),
                unicodedata.normalize("NFD", base[:at]) + base[at:] + more,
            ]
        )
    )
    return (base, other) if other != base else (base, f"{base} ")


pairs = st.one_of(lookalikes(), lookalikes(), st.tuples(texts, texts)).filter(
    lambda pair: pair[0] != pair[1]
)
nested = st.tuples(pairs, st.sampled_from(["{0}", "list", "value", "key", "beside"]))


def wrapped(value: str, shape: str) -> object:
    shapes: dict[str, object] = {
        "list": [value],
        "value": {"a": value, "b": "x"},
        "key": {value: 1},
        "beside": ["č", [value], "y"],
    }
    return shapes.get(shape, value)


@QUICK
@given(nested, st.sampled_from([None, 40, 200]), st.sampled_from(["", "x" * 300]))
def test_two_values_never_look_alike(
    both: tuple[tuple[str, str], str], limit: int | None, before: str
) -> None:
    old, new = (wrapped(before + value, both[1]) for value in both[0])
    for first in (str, None):
        shown = tell_apart(old, new, limit) if first is None else tell_apart(old, new, limit, first)
        assert seen(shown[0]) != seen(shown[1])
        assert limit is None or max(map(len, shown)) <= limit


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("Čaj", "C\u030caj", (r'"\u010caj"', r'"C\u030caj"')),
        ("5\u00a0kg čaj", "5 kg čaj", (r'"5\u00a0kg čaj"', '"5 kg čaj"')),
        ("čaj ", "čaj", (r'"čaj\u0020"', "čaj")),
        ("a  b", "a b", (r'"a \u0020b"', '"a b"')),
        ("❤\ufe0f", "❤", (r'"❤\ufe0f"', '"❤"')),
        ("\u0410-100 čaj", "A-100 čaj", (r'"\u0410-100 čaj"', '"A-100 čaj"')),
        ({"č": 1}, {"c\u030c": 1}, (r'{"\u010d": 1}', r'{"c\u030c": 1}')),
        ("true", True, ('"true"', "true")),
        # What doesn't look alike stays as it is.
        ("5\u00a0kg čaj", "6\u00a0kg čaj", ('"5\u00a0kg čaj"', '"6\u00a0kg čaj"')),
        ("東京\u3000タワー", "京都", ('"東京\u3000タワー"', "京都")),
        ("葛\U000e0100城", "葛", ('"葛\U000e0100城"', "葛")),
        ("क्षेत्र", "हिन्दी", ('"क्षेत्र"', '"हिन्दी"')),
        ("한국어", "영어", ("한국어", "영어")),
        ("❤\ufe0f 1\ufe0f\u20e3", "👩", ('"❤\ufe0f 1\ufe0f\u20e3"', '"👩"')),
    ],
)
def test_prose_is_legible_unless_it_looks_alike(
    old: object, new: object, shown: tuple[str, str]
) -> None:
    assert tell_apart(old, new, spell=str) == shown


def test_an_identity_shows_what_is_hidden_at_any_time() -> None:
    assert compact(r"a\u00a0") == r'"a\\u00a0"'
    assert compact("/p/1/\u00a0\u3164") == r'"/p/1/\u00a0\u3164"'
    assert tell_apart("/p/1/\u3000", "/p/2/") == (r'"/p/1/\u3000"', "/p/2/")
    assert compact("/p/❤\ufe0f/") == '"/p/❤\ufe0f/"'
    assert compact("/p/a\ufe0f/") == r'"/p/a\ufe0f/"'


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("čaj", "c\u030caj", "NFC → NFD"),
        ("c\u030caj", "čaj", "NFD → NFC"),
        ("c\u030cč", "čč", "mixed → NFC"),
        (["a", "é"], ["a", "e\u0301"], "NFC → NFD"),
        ("čaj", "c\u030caj ", ""),
        ("a", "b", ""),
        ("a", "a", ""),
    ],
)
def test_a_difference_of_forms_has_a_name(old: object, new: object, name: str) -> None:
    assert describe_forms(old, new) == (name and f"differs only in Unicode normalization, {name}")


def test_texts_that_look_alike_are_found() -> None:
    assert find_alike(["/č/", "/c\u030c/", "/b/", "/b/", "/b/\u3164"]) == {"/č/", "/c\u030c/"}


# Reports.


def drift(old: Row, new: Row) -> Drift:
    """What differs between two rules; a rule may name its model."""
    sides = [
        state({row.get("model", "basket"): [{name: row[name] for name in row if name != "model"}]})
        for row in (old, new)
    ]
    return build_drift(HEAD, LIVE, (tracker(sides[0], sides[1]),))


def log(both: Drift) -> Log:
    return Log("1" * 40, [LogEntry(COMMIT, both.trackers, ())], None)


def strings(value: object) -> Iterator[str]:
    """The strings of a JSON value."""
    if isinstance(value, str):
        yield value
    for item in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from strings(item)


def xml_texts(report: str) -> Iterator[str]:
    for element in ET.fromstring(report).iter():  # noqa: S314 - our own report
        yield from element.attrib.values()
        yield element.text or ""


REPORTS: Final[dict[str, Callable[[Drift], str]]] = {
    "text": lambda both: text.render(both, STYLE),
    "markdown": lambda both: markdown.render(both, STYLE),
    "github": lambda both: github.render(both, STYLE),
    "gitlab": lambda both: "\n".join(strings(json.loads(gitlab.render(both, STYLE)))),
    "sarif": lambda both: "\n".join(strings(json.loads(sarif.render(both, STYLE)))),
    "junit": lambda both: "\n".join(xml_texts(junit.render(both, STYLE))),
    "history": lambda both: "\n".join(history_text.render(log(both).entries, STYLE)),
    "history markdown": lambda both: history_markdown.render(log(both), STYLE),
}
PLACES: Final[dict[str, Callable[[str], Row]]] = {
    "title": lambda value: rule(1, "/p/1/", [], value or "x"),
    "image": lambda value: rule(1, "/p/1/", [], "", {"target_metadata": {"image": value}}),
    "metadata key": lambda value: rule(1, "/p/1/", [], "", {"target_metadata": {value: 1}}),
    "target identity": lambda value: rule(1, value, []),
    "target criteria": lambda value: rule(1, {"brand": value}, []),
    "tag": lambda value: rule(1, "/p/1/", [], "", {"tags": [value]}),
    "unknown field": lambda value: rule(1, "/p/1/", [], "", {"note": value}),
    "pinned item": lambda value: rule(1, "/p/1/", [pin(1, value)]),
    "pinned criteria": lambda value: rule(1, "/p/1/", [pin(1, {"brand": value})]),
    "widget": lambda value: rule(1, "/p/1/", [pin(1, "/p/2/", {"widget_id": value})]),
    "end": lambda value: rule(1, "/p/1/", [pin(1, "/p/2/", {"active_to": value})]),
    "unknown field of a pin": lambda value: rule(1, "/p/1/", [pin(1, "/p/2/", {"note": value})]),
    "name of a field": lambda value: rule(1, "/p/1/", [], "", {value or "x": 1}),
    "name of a field of a pin": lambda value: rule(
        1, "/p/1/", [pin(1, "/p/2/", {value or "x": 1})]
    ),
    "model": lambda value: rule(1, "/p/1/", [], "", {"model": value}),
    "position": lambda value: rule(1, "/p/1/", [pin(1, "/p/2/") | {"position": value}]),
    "pin type": lambda value: rule(1, "/p/1/", [pin(1, "/p/2/") | {"pin_type": value}]),
}


@QUICK
@given(pairs, st.sampled_from(sorted(PLACES)))
@pytest.mark.parametrize("name", REPORTS)
def test_a_report_says_which_side_has_which_value(
    name: str, pair: tuple[str, str], place: str
) -> None:
    old, new = (PLACES[place](value) for value in pair)
    if old == new:
        return
    there, back = REPORTS[name](drift(old, new)), REPORTS[name](drift(new, old))
    assert seen(there) != seen(back)


@QUICK
@given(pairs)
def test_rules_and_pins_that_come_and_go_do_not_look_alike(pair: tuple[str, str]) -> None:
    both = drift(rule(1, pair[0], []), rule(2, pair[1], []))
    names = [entry.name for entry in describe(both)]
    assert len(set(map(seen, names))) == 2
    both = drift(rule(1, "/p/1/", [pin(1, pair[0])]), rule(1, "/p/1/", [pin(2, pair[1])]))
    ((old, new),) = texts_of(describe(both)[0])
    assert seen(old) != seen(new)
    left = f"({_LEFT})"
    pins = [old.replace(f"#2 {left}", ""), new.replace(f"#1 {left}", "")]
    assert len({seen(shown.partition(" ")[2]) for shown in pins}) == 2


@QUICK
@given(pairs)
def test_shelves_that_do_not_look_alike(pair: tuple[str, str]) -> None:
    rules = [rule(number, identity, [pin(1, identity)]) for number, identity in enumerate(pair)]
    shelves = tuple(build_shelf(item, "2026-11-24T12:00:00Z") for item in state({"basket": rules}))
    page = show_text.render(
        Shelves("basket", "2026-11-24T12:00:00Z", HEAD, (TrackerShelves("default", "1", shelves),)),
        STYLE,
    )
    blocks = [seen(block) for block in page.split("\n\n")]
    assert len(set(blocks)) == len(blocks) == 4


@QUICK
@given(pairs, st.sampled_from(["pin_identity", "pin_criteria"]))
def test_blame_that_does_not_look_alike(pair: tuple[str, str], field: str) -> None:
    values = pair if field == "pin_identity" else tuple({"brand": value} for value in pair)
    old, new = ({"position": 1, "pin_type": "item", field: value} for value in values)

    def page(before: Row, after: Row) -> str:
        (item,) = state({"basket": [rule(1, "/p/1/", [after])]})
        pins = (BlamedPin(read_pin(after), compare_pins(before, after), COMMIT),)
        place = Place("customizations/basket.yaml", 4)
        rules = (BlamedRule(item, place, read_data(item), pins, "changed", COMMIT),)
        return blame_text.render(
            Blame("basket", HEAD, NOW, (BlamedTracker("default", "1", rules),), None), STYLE
        )

    assert seen(page(old, new)) != seen(page(new, old))


def rows(old: Row, new: Row, *, zone: tzinfo = UTC) -> tuple[str, str]:
    """What the report for a terminal says of the only part of a rule that differs."""
    (entry,) = describe(drift(old, new), zone)
    (both,) = texts_of(entry)
    return both


def test_the_words_for_a_difference_of_forms() -> None:
    forms = "(differs only in Unicode normalization, NFC → NFD)"
    titles = (rule(1, "/p/1/", [], title) for title in ("Čaj", "C\u030caj"))
    assert rows(*titles) == (r'title: "\u010caj"', rf'title: "C\u030caj" {forms}')
    pins = (rule(1, "/p/1/", [pin(1, identity)]) for identity in ("/č/", "/c\u030c/"))
    assert rows(*pins) == (r'#1 "/\u010d/"', rf'#1 "/c\u030c/" {forms}')


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        (
            {"pin_type": "item"},
            {"pin_type": "criteria"},
            ("#1 /a/ and pin type item", "#1 /a/ and pin type criteria"),
        ),
        (
            {"note": "absent"},
            {},
            ('#1 /a/ and pin type null (note: "absent")', "#1 /a/ and pin type null"),
        ),
        (
            {"pin_type": None},
            {},
            (
                "#1 /a/ and pin type null (pin_type: null)",
                "#1 /a/ and pin type null (pin_type: absent)",
            ),
        ),
    ],
)
def test_what_is_not_there_differs_from_any_value(
    old: Row, new: Row, shown: tuple[str, str]
) -> None:
    pins = ({"position": 1, "pin_identity": "/a/", **more} for more in (old, new))
    assert rows(*(rule(1, "/p/1/", [each]) for each in pins)) == shown


def test_an_hour_that_comes_twice_is_told_apart() -> None:
    ends = ("2014-10-25T21:30:00Z", "2014-10-25T22:30:00Z")
    rules = (rule(1, "/p/1/", [pin(1, "/a/", {"active_to": end})]) for end in ends)
    assert rows(*rules, zone=ZoneInfo("Europe/Moscow")) == (
        f'#1 /a/ (until "{ends[0]}", over)',
        f'#1 /a/ (until "{ends[1]}", over)',
    )
