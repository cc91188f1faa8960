"""When shoppers notice a change: the sweep over the windows against a look at every moment.

The property runs with thousands of cases, and with many more under ``-m long``.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinsync.canonical import normalize, render_value
from pinsync.canonical.moments import format_utc
from pinsync.drift.changes import compare_customizations
from pinsync.drift.record import Change, Shoppers
from pinsync.drift.shoppers import add_shoppers, find_shoppers
from pinsync.shelf.shelf import build_shelf
from support.strategies import QUICK, SEEDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from random import Random

    from pinsync.model import Customization

Row = dict[str, Any]

LONG: Final = settings(
    max_examples=30_000,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
NOW: Final = "2026-11-21T17:55:00Z"
NEVER: Final = Shoppers("never")
AT_ONCE: Final = Shoppers("now")


def later(at: str) -> Shoppers:
    return Shoppers("later", at)


def rule(identifier: str | None = "a", model: str = "basket", **fields: object) -> Customization:
    row = {"target_type": "all", **({} if identifier is None else {"id": identifier}), **fields}
    return normalize.build_customization(row, model=model)


def pin(position: int = 1, item: str = "/p/1/", **fields: object) -> Row:
    return {"position": position, "pin_type": "item", "pin_identity": item, **fields}


def window(start: object = None, end: object = None, **fields: object) -> Row:
    return pin() | {"active_from": start, "active_to": end} | fields


def shelf(*pins: Row) -> Customization:
    return rule(pin_definitions=list(pins))


def only(old: Customization | None, new: Customization | None) -> Change:
    changes, unchanged = compare_customizations([old] if old else [], [new] if new else [])
    assert unchanged == 0
    (change,) = changes
    return change


def find(old: Customization | None, new: Customization | None, at: str = NOW) -> Shoppers:
    """The answer, which is the same in the other direction."""
    there, back = find_shoppers(only(old, new), at), find_shoppers(only(new, old), at)
    assert there == back
    return there


# What concerns the rule as a whole.

ITEM: Final[Row] = {"target_type": "item", "target_identity": "/p/1/"}
CRITERIA: Final[Row] = {"target_type": "criteria", "target_criteria": {"language": "sk"}}
OVER: Final = window(None, "2026-11-21T17:55:00Z")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # Labels.
        (rule(tags=["a"]), rule(tags=["b"]), NEVER),
        (rule(), rule(target_metadata={"title": "a"}), NEVER),
        (rule(tags=["a"]), rule(target_metadata={"title": "a"}), NEVER),
        (rule("a"), rule("b"), NEVER),
        (rule("a", tags=["a"], **ITEM), rule("b", **ITEM), NEVER),
        (rule(pin_definitions=[pin()]), rule(pin_definitions=[pin()], tags=["a"]), NEVER),
        # Target, model, unknown fields.
        (rule(), rule(**ITEM), AT_ONCE),
        (rule(**CRITERIA), rule(**CRITERIA | {"target_criteria": {"language": "cs"}}), AT_ONCE),
        (rule(model="basket"), rule(model="home"), AT_ONCE),
        (rule(), rule(note=None), AT_ONCE),
        (rule(note={"a": 1}), rule(note={"a": True}), AT_ONCE),
        (rule("a"), rule("b", note=1), AT_ONCE),
        (rule(tags=["a"]), rule(note=1), AT_ONCE),
        (rule(), rule(pin_definitions="x"), AT_ONCE),
        (rule(pin_definitions=[OVER]), rule(pin_definitions=[OVER, "x"]), AT_ONCE),
        # A rule that comes or goes.
        (None, rule(), NEVER),
        (None, rule(tags=["a"], target_metadata={"title": "a"}), NEVER),
        (None, rule(None), NEVER),
        (None, rule(**ITEM), AT_ONCE),
        (None, rule(**CRITERIA), AT_ONCE),
        (None, rule(target_type="brand"), AT_ONCE),
        (None, rule(**ITEM, pin_definitions=[OVER]), AT_ONCE),
        (None, rule(pin_definitions=[OVER]), NEVER),
        (None, rule(pin_definitions=[pin()]), AT_ONCE),
        (None, rule(pin_definitions=[window("2026-12-24T11:00:00Z")]), later("2026-12-24T11:00:00Z")),
        (None, rule(note=1), AT_ONCE),
        (None, rule(pin_definitions=["x"]), AT_ONCE),
    ],
)  # fmt: skip
def test_a_change_of_the_rule(
    old: Customization | None, new: Customization | None, expected: Shoppers
) -> None:
    assert find(old, new) == expected


def test_a_new_id_alone_is_never_noticed_whatever_the_target() -> None:
    fields: Row = {"pin_definitions": [pin(), window("2027-01-01T00:00:00Z", position=2)], **ITEM}
    change = only(rule("a", **fields), rule("b", **fields))
    assert (change.kind, find_shoppers(change, NOW)) == ("recreated", NEVER)


def test_pins_of_a_recreated_rule_count() -> None:
    change = only(rule("a", pin_definitions=[pin()], **ITEM), rule("b", **ITEM))
    assert (change.kind, find_shoppers(change, NOW)) == ("recreated", AT_ONCE)


# What is on the shelf.

SWAPPED: Final = (
    (shelf(pin(1, "/p/1/"), pin(2, "/p/2/")), shelf(pin(2, "/p/1/"), pin(1, "/p/2/"))),
    (shelf(pin(), pin()), shelf(pin())),
    (shelf(pin()), shelf(pin(2))),
    (shelf(pin()), shelf(pin(item="/p/2/"))),
    (shelf(pin()), shelf(pin(widget_id="hero"))),
    (shelf(pin()), shelf(pin(is_block_pin=True))),
    (shelf(pin()), shelf(pin(is_bundle_pin=True))),
    (shelf(pin()), shelf(pin(note=None))),
    (shelf(pin(note=1)), shelf(pin(note=True))),
    (shelf(pin(note={"a": [1]})), shelf(pin(note={"a": [2]}))),
)


@pytest.mark.parametrize("sides", SWAPPED)
def test_other_pins_are_noticed_at_once(sides: tuple[Customization, Customization]) -> None:
    assert find(*sides) == AT_ONCE


def test_a_pin_without_any_field() -> None:
    assert find(shelf({}), shelf({}, {})) == AT_ONCE
    ended = {"active_to": "2026-01-01T00:00:00Z"}
    assert find(shelf({}), shelf({}, ended)) == NEVER


def test_windows_that_only_split_a_time_are_never_noticed() -> None:
    whole = shelf(window("2026-12-01T00:00:00Z", "2026-12-31T00:00:00Z"))
    halves = shelf(
        window("2026-12-24T00:00:00.50Z", "2026-12-31T01:00:00+01:00"),
        window("2026-12-01T00:00:00Z", "2026-12-24T00:00:00.5Z"),
    )
    assert find(whole, halves) == NEVER
    gap = shelf(
        window("2026-12-01T00:00:00Z", "2026-12-24T00:00:00.5Z"),
        window("2026-12-24T00:00:00.500000000000001Z", "2026-12-31T00:00:00Z"),
    )
    assert find(whole, gap) == later("2026-12-24T00:00:00.5Z")
    overlap = shelf(
        window("2026-12-01T00:00:00Z", "2026-12-24T00:00:00.5Z"),
        window("2026-12-24T00:00:00.499999999999999Z", "2026-12-31T00:00:00Z"),
    )
    assert find(whole, overlap) == later("2026-12-24T00:00:00.499999999999999Z")


def test_pins_that_take_turns_are_noticed_by_what_they_show() -> None:
    first, second = ("2026-12-01T00:00:00Z", "2026-12-10T00:00:00Z"), ("2026-12-10T00:00:00Z", None)
    assert find(
        shelf(window(*first, pin_identity="/a/"), window(*second, pin_identity="/b/")),
        shelf(window(*first, pin_identity="/a/"), window(*second, pin_identity="/c/")),
    ) == later("2026-12-10T00:00:00Z")


YEAR_1: Final = "0001-01-01T00:00:00Z"
YEAR_9999: Final = "9999-12-31T23:59:59.999999999Z"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # The start belongs to the window, the end doesn't.
        (window(), window(NOW), NEVER),
        (window(), window("2026-11-21T17:55:00.000001Z"), AT_ONCE),
        (window("2026-11-21T17:55:00.000000001Z"), None, later("2026-11-21T17:55:00.000000001Z")),
        (window(None, NOW), None, NEVER),
        (window(None, "2026-11-21T17:55:00.0001Z"), None, AT_ONCE),
        (window(None, NOW), window(NOW, NOW), NEVER),
        # Over on both sides.
        (window(None, "2025-01-01T00:00:00Z"), window(None, "2025-01-02T00:00:00Z"), NEVER),
        (window(None, "2025-01-01T00:00:00Z"), window("2024-01-01T00:00:00Z", NOW), NEVER),
        # An end that goes, comes or moves.
        (window(None, "2026-12-31T23:00:00Z"), window(), later("2026-12-31T23:00:00Z")),
        (window(None, "2026-12-31T23:00:00Z"), window(None, "2026-12-24T11:00:00+01:00"),
         later("2026-12-24T10:00:00Z")),
        (window("2026-12-01T00:00:00Z"), window("2026-12-02T00:00:00Z"),
         later("2026-12-01T00:00:00Z")),
        (window("2020-01-01T00:00:00Z"), window("2020-01-02T00:00:00Z"), NEVER),
        # Windows that are never open.
        (window("2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z"), None, NEVER),
        (window("2026-12-02T00:00:00Z", "2026-12-01T00:00:00Z"), None, NEVER),
        (window("2026-12-02T00:00:00Z", "2020-12-01T00:00:00Z"), None, NEVER),
        (window("2026-12-02T00:00:00Z", "2020-12-01T00:00:00Z"),
         window("2026-12-02T00:00:00Z", "2026-12-03T00:00:00Z"), later("2026-12-02T00:00:00Z")),
        (window(NOW, NOW), None, NEVER),
        (window("2026-12-01T01:00:00+01:00", "2026-12-01T00:00:00Z"), None, NEVER),
        # The first and the last years.
        (window(YEAR_1), window(), NEVER),
        (window(None, YEAR_1), None, NEVER),
        (window(YEAR_1, YEAR_1), None, NEVER),
        (window(), window(None, YEAR_9999), later(YEAR_9999)),
        (window(YEAR_9999), None, later(YEAR_9999)),
        (window(YEAR_9999, YEAR_9999), None, NEVER),
        # A leap second.
        (window("2026-12-31T23:59:60Z"), window("2027-01-01T00:00:00Z"),
         later("2026-12-31T23:59:60Z")),
        (window("2026-12-31T23:59:59.9Z"), window("2026-12-31T23:59:60Z"),
         later("2026-12-31T23:59:59.9Z")),
        # Windows that can't be read.
        (window("soon"), window(), NEVER),
        (window("soon", "2020-01-01T00:00:00Z"), window(), NEVER),
        (window("2026-12-01", None), window(5, {"a": 1}), NEVER),
        (window("2027-01-01T00:00:00"), None, AT_ONCE),
        (window("soon"), window("2026-12-01T00:00:00Z"), AT_ONCE),
        (window("soon"), window(None, "2026-12-01T00:00:00Z"), later("2026-12-01T00:00:00Z")),
        (window(None, "9999-12-31T23:59:59-01:00"), window(), NEVER),
        (window("0001-01-01T00:00:00+01:00"), window(), NEVER),
    ],
)  # fmt: skip
def test_a_window(old: Row, new: Row | None, expected: Shoppers) -> None:
    assert find(shelf(old), shelf(*([new] if new else []))) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (YEAR_1, later("2026-12-01T00:00:00Z")),
        ("2026-11-30T23:59:59.999999Z", later("2026-12-01T00:00:00Z")),
        ("2026-12-01T00:00:00Z", AT_ONCE),
        ("2026-12-02T23:59:59.999999Z", AT_ONCE),
        ("2026-12-03T00:00:00Z", NEVER),
        ("9999-12-31T23:59:59.999999Z", NEVER),
    ],
)
def test_the_answer_depends_on_the_moment(at: str, expected: Shoppers) -> None:
    old = shelf(window("2026-12-01T00:00:00Z", "2026-12-05T00:00:00Z"))
    new = shelf(window("2026-12-03T00:00:00Z", "2026-12-05T00:00:00Z"))
    assert find(old, new, at) == expected


# The sweep against a look at every moment.

START: Final = datetime(2026, 11, 21, 17, 55, tzinfo=UTC)
STEP: Final = Decimal("0.000000001")
"""The smallest step between two moments of the property, in seconds; a datetime has no such step."""


def spell(seconds: Decimal) -> str:
    """Return a moment, in seconds from ``START``, as documents have it."""
    whole = int(seconds.to_integral_value("ROUND_FLOOR"))
    text = (START + timedelta(seconds=whole)).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{seconds - whole:.9f}".removeprefix("0").rstrip("0").rstrip(".")
    return f"{text}{fraction}Z"


class Drawn(NamedTuple):
    """A pin; an end of its window is a number of seconds from ``START``, or any text."""

    position: int
    item: str
    widget: str | None
    start: Decimal | str | None
    end: Decimal | str | None


def draw_instant(random: Random) -> Decimal:
    """Return a moment of a few, so that ends of windows meet, or nearly meet."""
    seconds = Decimal(random.randint(-2, 4))
    return random.choice(
        [
            seconds,
            seconds,
            seconds + random.randint(-2, 2) * STEP,
            seconds + random.choice([Decimal("0.5"), Decimal("0.25"), Decimal("-0.000001")]),
            seconds * 86400,
        ]
    )


def draw_end(random: Random) -> Decimal | str | None:
    """Return an end of a window: as a rule a moment, or none, or a text that can't be read."""
    return random.choice([*(draw_instant(random) for _ in range(8)), None, None, "soon"])


def draw_pins(random: Random) -> list[Drawn]:
    """Return a few pins, many of which show the same thing at the same place."""
    return [
        Drawn(
            random.choice([1, 1, 2]),
            random.choice(["/p/1/", "/p/1/", "/p/2/"]),
            random.choice([None, None, None, "hero"]),
            draw_end(random),
            draw_end(random),
        )
        for _ in range(random.randint(0, 4))
    ]


def split(drawn: Drawn, random: Random) -> list[Drawn]:
    """Return a pin as one or two pins, whose windows together may be its window."""
    cut = draw_instant(random)
    start = random.choice([cut, cut, cut, draw_end(random)])
    return random.choice(
        [
            [drawn],
            [drawn._replace(end=cut), drawn._replace(start=start)],
            [drawn._replace(start=draw_end(random))],
            [drawn._replace(end=draw_end(random))],
        ]
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Drawn], list[Drawn], Decimal]:
    """Two sides and a moment; the sides share pins, or the times at which they show something."""
    random = draw(SEEDED)
    old = draw_pins(random)
    new = draw_pins(random)
    if random.random() < 0.7:
        new = [each for drawn in old for each in split(drawn, random)]
    common = draw_pins(random) if random.random() < 0.3 else []
    at = min(draw_instant(random), draw_instant(random))
    # Datetimes, from which the moment of a report comes, have microseconds.
    at = at.quantize(Decimal("0.000001"), "ROUND_FLOOR")
    new += common
    return old + common, random.sample(new, len(new)), at


def build(drawn: Iterable[Drawn], more: Row | None = None) -> Customization:
    pins = []
    for position, item, widget, *ends in drawn:
        start, end = (spell(end) if isinstance(end, Decimal) else end for end in ends)
        pins.append(pin(position, item, widget_id=widget, active_from=start, active_to=end))
    return rule(**{"pin_definitions": pins, **(more or {})})


def look(item: Customization, at: str) -> Counter[str]:
    """The shelf at a moment, as ``show`` has it."""
    found: Counter[str] = Counter()
    for slot in build_shelf(item, at).slots:
        if slot.state in ("active", "unclear"):
            fields = {**slot.pin.data}
            fields.pop("active_from", None)
            fields.pop("active_to", None)
            found[render_value(fields)] += 1
    return found


def list_moments(sides: Sequence[Iterable[Drawn]], at: Decimal) -> Iterator[Decimal]:
    """Yield the moments from one on at which shelves could differ, and those around them, sorted."""
    moments = {at}
    for drawn in sides:
        for *_, start, end in drawn:
            for instant in (start, end):
                if isinstance(instant, Decimal):
                    moments |= {instant + step for step in (0, 1, -1, STEP, -STEP)}
    yield from sorted(moment for moment in moments if moment >= at)


def the_sweep_finds_what_a_look_at_every_moment_finds(
    case: tuple[list[Drawn], list[Drawn], Decimal],
) -> None:
    *drawn, at = case
    old, new = (build(side) for side in drawn)
    _, unchanged = compare_customizations([old], [new])
    expected = NEVER
    for moment in list_moments(drawn, at):
        if look(old, spell(moment)) != look(new, spell(moment)):
            expected = AT_ONCE if moment == at else later(spell(moment))
            break
    if unchanged:
        assert expected == NEVER
        return
    assert find(old, new, spell(at)) == expected


def test_the_sweep_is_right() -> None:
    settings(QUICK, max_examples=2000)(
        given(cases())(the_sweep_finds_what_a_look_at_every_moment_finds)
    )()


@pytest.mark.long
def test_the_sweep_is_right_in_many_more_cases() -> None:
    LONG(given(cases())(the_sweep_finds_what_a_look_at_every_moment_finds))()


@given(cases())
@settings(QUICK, max_examples=300)
def test_labels_and_the_rule_itself_add_nothing_and_other_fields_all(
    case: tuple[list[Drawn], list[Drawn], Decimal],
) -> None:
    *drawn, moment = case
    old, new = (build(side) for side in drawn)
    at = spell(moment)
    expected = NEVER if old == new else find(old, new, at)
    assert find(old, build(drawn[1], {"tags": ["a"]}), at) == expected
    assert find(old, build(drawn[1], {"note": 1}), at) == AT_ONCE
    # A rule that one side lacks has the empty shelf there.
    assert find(None, old, at) == find(rule(), build(drawn[0], {"tags": ["a"]}), at)


@given(cases(), SEEDED)
@settings(QUICK, max_examples=300)
def test_the_order_of_pins_and_rules_has_no_influence(
    case: tuple[list[Drawn], list[Drawn], Decimal], random: Random
) -> None:
    *drawn, at = case
    found = []
    for _ in range(2):
        states = []
        for side in drawn:
            items = [build(random.sample(side, len(side)))]
            items += [rule(name, pin_definitions=[window(spell(at + 1))]) for name in "bc"]
            states.append(random.sample(items, len(items)))
        states[1] = [item for item in states[1] if item.id != "b"]
        changes, _ = compare_customizations(states[0], states[1])
        found.append([(change.id, change.shoppers) for change in add_shoppers(changes, spell(at))])
    assert found[0] == found[1]
    assert ("b", later(spell(at + 1))) in found[0]


def test_the_moment_of_a_datetime_is_one_of_a_window() -> None:
    at = datetime(2026, 12, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    start = window("2026-12-01T00:00:00.500Z")
    assert find(shelf(start), shelf(), format_utc(at)) == AT_ONCE
    assert find(shelf(start), shelf(), format_utc(at - timedelta(microseconds=1))) == later(
        "2026-12-01T00:00:00.5Z"
    )
