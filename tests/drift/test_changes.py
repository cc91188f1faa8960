"""What differs between two states: every leaf, nothing else, and why a pin is missing from an
answer.

The properties run with some hundreds of cases, and with many thousands under ``-m long``.
"""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, get_args

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pinsync import canonical
from pinsync.canonical import normalize, render_value
from pinsync.canonical.pins import read_pin
from pinsync.document.parse import parse_document
from pinsync.document.record import render_document
from pinsync.drift.causes import Omissions, add_causes, has_unexplained_pins
from pinsync.drift.changes import compare_customizations
from pinsync.drift.pairs import Pair, read_data
from pinsync.drift.record import (
    MISSING,
    Change,
    Drift,
    FieldChange,
    PinChange,
    Shoppers,
    Side,
    TrackerDrift,
    When,
)
from pinsync.errors import RemoteError
from pinsync.model import Customization, Scope
from pinsync.reports import DRIFT_FORMATS, Style, load_drift
from pinsync.sandbox import respell
from support import drifts
from support.strategies import QUICK, other_spelling, pins, rows, scalars, values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Row = dict[str, Any]
Path = tuple[str | int, ...]

LONG: Final = settings(
    max_examples=2200,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
SWAPPED: Final = {"added": "removed", "removed": "added"}


# The properties: each a strategy and what must hold of whatever it draws.


@st.composite
def shops(draw: st.DrawFn) -> list[Row]:
    """A few rows with ids of their own, of two models; some are equal but for the id."""
    drawn = draw(st.lists(rows, max_size=3, unique_by=lambda row: row["id"]))
    shop = [{**row, "model": draw(st.sampled_from(["basket", "home"]))} for row in drawn]
    return shop + [
        {**row, "id": f"{row['id']} copy"} for row in deepcopy(shop) if draw(st.booleans())
    ]


def state(shop: Iterable[Row]) -> list[Customization]:
    return [normalize.build_customization(row, model=row["model"]) for row in shop]


@st.composite
def respelled(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """A shop and the same in another spelling."""
    shop = draw(shops())
    random = draw(st.randoms(use_true_random=False))
    other = [random.choice([respell, other_spelling])(row, random) for row in shop]
    return shop, random.sample(other, len(other))


def no_spelling_is_drift(case: tuple[list[Row], list[Row]]) -> None:
    old, new = case
    assert compare_customizations(state(old), state(new)) == ([], len(old))


@st.composite
def imported(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """A shop, and the same in another order after an import, which changes every id."""
    shop = draw(shops())
    new = [{**row, "id": f"{row['id']} anew"} for row in shop]
    return shop, draw(st.permutations(new))


def no_import_is_seen(case: tuple[list[Row], list[Row]]) -> None:
    old, new = case
    changes, unchanged = compare_customizations(state(old), state(new))
    assert (len(changes), unchanged) == (len(old), 0)
    assert {(change.kind, change.effect) for change in changes} <= {("recreated", "label")}


@st.composite
def written(draw: st.DrawFn) -> list[Row]:
    """A shop some of whose rules have no id yet, and some stand twice."""
    shop = [row if draw(st.booleans()) else {**row, "id": None} for row in draw(shops())]
    twice = [row for row in shop if row["id"] is None and draw(st.booleans())]
    return [
        {name: value for name, value in row.items() if name != "id" or value}
        for row in shop + twice
    ]


def no_file_is_drift(shop: list[Row]) -> None:
    """Texts that are the same on both sides, with an id or without, are no drift."""
    items = state(shop)
    known: dict[str, dict[bytes, Customization]] = {}
    for item in items:
        known.setdefault(item.model, {})[item.text] = item
    read = [
        entry.customization
        for model in known
        for entry in parse_document(
            render_document(model, (item for item in items if item.model == model)),
            "file",
            known=known,
        ).entries
    ]
    assert compare_customizations(items, read) == ([], len(items))
    assert compare_customizations(read, items) == ([], len(items))


def leaves(value: object, path: Path = ()) -> list[Path]:
    """Where scalars and what is empty stand in a value."""
    if isinstance(value, dict) and value:
        return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]
    if isinstance(value, list) and value:
        return [leaf for index, item in enumerate(value) for leaf in leaves(item, (*path, index))]
    return [path]


def at(value: Any, path: Path) -> Any:  # noqa: ANN401 - any JSON value
    for step in path:
        value = value[step]
    return value


@st.composite
def one_leaf(draw: st.DrawFn) -> tuple[list[Row], list[Row], int, Path, bool]:
    """A shop, the same with one leaf changed or gone, which row and leaf it is, and whether it is
    gone.
    """
    shop = [
        {"model": row["model"], **normalize.normalize_row(row)}
        for row in draw(shops().filter(bool))
    ]
    index = draw(st.integers(0, len(shop) - 1))
    paths = [path for path in leaves(shop[index]) if path not in (("id",), ("model",))]
    path = draw(st.sampled_from(paths))
    new = deepcopy(shop)
    holder = at(new[index], path[:-1])
    gone = path != ("target_type",) and isinstance(holder, dict) and draw(st.booleans())
    if gone:
        del holder[path[-1]]
    else:
        holder[path[-1]] = draw(st.text(min_size=1) if path == ("target_type",) else scalars)
    return shop, new, index, path, gone


def a_changed_leaf_is_one_change(case: tuple[list[Row], list[Row], int, Path, bool]) -> None:
    shop, edited, index, path, gone = case
    old, new = state(shop), state(edited)
    assume(old[index].text != new[index].text)
    changes, unchanged = compare_customizations(old, new)
    assert unchanged == len(shop) - 1
    (change,) = changes
    assert (change.kind, change.id) == ("changed", shop[index]["id"])
    before, after = read_data(old[index]), read_data(new[index])
    if path[0] == "pin_definitions" and shelf(before) and shelf(after):
        names_the_pin(change, shelf(before), shelf(after))
    elif path[0] == "pin_definitions" and (shelf(before) or shelf(after)):
        assert change.pins  # what was a list of pins is none any more
    else:
        assert not change.pins
        (field,) = change.fields
        assert field.path == (path if not gone and path[0] != "tags" else path[: len(field.path)])
        assert field.old is MISSING or render_value(field.old) == render_value(
            at(before, field.path)
        )
        assert field.new is MISSING or render_value(field.new) == render_value(
            at(after, field.path)
        )


def names_the_pin(change: Change, old: list[Row], new: list[Row]) -> None:
    gone = Counter(map(render_value, old)) - Counter(map(render_value, new))
    came = Counter(map(render_value, new)) - Counter(map(render_value, old))
    (pin,) = change.pins
    assert (change.fields, pin.old is None, pin.new is None) == ((), not gone, not came)
    assert Counter([render_value(pin.old.data)] if pin.old is not None else []) == gone
    assert Counter([render_value(pin.new.data)] if pin.new is not None else []) == came


def shelf(data: Row) -> list[Row]:
    found = data.get("pin_definitions")
    return found if isinstance(found, list) and all(isinstance(pin, dict) for pin in found) else []


@st.composite
def edits(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """A shop, and what a series of edits made of it."""
    old = draw(shops())
    new = deepcopy(old)
    for _ in range(draw(st.integers(0, 6))):
        kind = draw(
            st.sampled_from(
                [
                    "add",
                    "remove",
                    "recreate",
                    "import",
                    "rename",
                    "field",
                    "leaf",
                    "pin",
                    "unpin",
                    "shuffle",
                ]
            )
        )
        if kind == "add":
            row = draw(rows)
            new += [] if any(other["id"] == row["id"] for other in new) else [row]
        elif new:
            row = draw(st.sampled_from(new))
            EDITS[kind](draw, row, new)
    return old, new


def _pinned(row: Row) -> list[Row]:
    if not shelf(row):
        row["pin_definitions"] = []
    found: list[Row] = row["pin_definitions"]
    return found


def _recreate(draw: st.DrawFn, row: Row, _: list[Row]) -> None:
    row["id"] = str(draw(st.uuids()))


def _import(_: st.DrawFn, __: Row, new: list[Row]) -> None:
    for row in new:
        row["id"] += " anew"


def _leaf(draw: st.DrawFn, row: Row, _: list[Row]) -> None:
    path = draw(st.sampled_from(leaves(row)))
    if path[0] not in ("id", "model", "target_type"):
        at(row, path[:-1])[path[-1]] = draw(values)


def _unpin(draw: st.DrawFn, row: Row, _: list[Row]) -> None:
    if found := _pinned(row):
        found.remove(draw(st.sampled_from(found)))


def _pin(draw: st.DrawFn, row: Row, _: list[Row]) -> None:
    found = _pinned(row)
    again = bool(found) and draw(st.booleans())
    found.append(draw(st.sampled_from(found) if again else pins))


EDITS: Final[dict[str, Callable[[st.DrawFn, Row, list[Row]], object]]] = {
    "remove": lambda _, row, new: new.remove(row),
    "recreate": _recreate,
    "import": _import,
    "rename": lambda draw, row, _: row.update(
        model=draw(st.sampled_from(["basket", "home", "new"]))
    ),
    "field": lambda draw, row, _: row.update(
        {draw(st.sampled_from(["note", "tags", "target_metadata"])): draw(values)}
    ),
    "leaf": _leaf,
    "pin": _pin,
    "unpin": _unpin,
    "shuffle": lambda draw, _, new: draw(st.randoms(use_true_random=False)).shuffle(new),
}


def the_changes_make_the_one_of_the_other(case: tuple[list[Row], list[Row]]) -> None:
    old, new = map(state, case)
    changes, _ = compare_customizations(old, new)
    found = Counter((item.model, item.text) for item in old)
    for change in changes:
        if change.old:
            found[change.old.model, change.old.text] -= 1
        if change.new:
            made = applied(change)
            found[made.model, made.text] += 1
    assert +found == Counter((item.model, item.text) for item in new)
    assert min(found.values(), default=0) >= 0


def applied(change: Change) -> Customization:
    """What a change, but for an added customization, makes of its old side."""
    if change.old is None:
        assert change.new is not None
        assert list(map(render_value, shelf(read_data(change.new)))) == [
            render_value(pin.new.data) for pin in change.pins if pin.new
        ]
        return change.new
    data = deepcopy(read_data(change.old))
    taken = [render_value(pin.old.data) for pin in change.pins if pin.old is not None]
    if found := shelf(data):
        texts = list(map(render_value, found))
        for text in taken:
            del found[texts.index(text)]
            texts.remove(text)
        data["pin_definitions"] = found
    for field in change.fields:
        *path, last = field.path
        holder = at(data, tuple(path))
        assert field.old is MISSING or render_value(holder[last]) == render_value(field.old)
        if field.new is MISSING:
            del holder[last]
        else:
            holder[last] = field.new
    added = [pin.new.data for pin in change.pins if pin.new is not None]
    if added:
        data["pin_definitions"] = [*(shelf(data)), *added]
    return normalize.build_customization(data, model=data["model"])


def backwards_it_is_the_mirror(case: tuple[list[Row], list[Row]]) -> None:
    old, new = map(state, case)
    there, unchanged = compare_customizations(old, new)
    back, also_unchanged = compare_customizations(new, old)
    assert unchanged == also_unchanged
    assert Counter(map(told, there)) == Counter(told(mirrored(change)) for change in back)


def mirrored(change: Change) -> Change:
    swapped: Any = SWAPPED
    return replace(
        change,
        kind=swapped.get(change.kind, change.kind),
        pair=Pair(change.new, change.old),
        pins=tuple(
            PinChange(swapped.get(pin.kind, pin.kind), pin.new, pin.old) for pin in change.pins
        ),
        fields=tuple(FieldChange(field.path, field.new, field.old) for field in change.fields),
    )


def told(change: Change) -> str:
    """All of a change, whatever the order in it."""
    sides = [item and (item.model, item.text) for item in (change.old, change.new)]
    return repr(
        (change.kind, sides, sorted(map(repr, change.pins)), sorted(map(repr, change.fields)))
    )


PROPERTIES: Final[dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], None]]]] = {
    "no spelling is drift": (respelled(), no_spelling_is_drift),
    "no import is seen": (imported(), no_import_is_seen),
    "no file is drift": (written(), no_file_is_drift),
    "a changed leaf is one change": (one_leaf(), a_changed_leaf_is_one_change),
    "the changes make the one of the other": (edits(), the_changes_make_the_one_of_the_other),
    "backwards it is the mirror": (edits(), backwards_it_is_the_mirror),
}


@pytest.mark.parametrize("name", PROPERTIES)
def test_it_holds_for_all(name: str) -> None:
    drawn, check = PROPERTIES[name]
    settings(QUICK, max_examples=50)(given(drawn)(check))()


@pytest.mark.long
@pytest.mark.parametrize("name", PROPERTIES)
def test_it_holds_for_many_more(name: str) -> None:
    drawn, check = PROPERTIES[name]
    LONG(given(drawn)(check))()


# What a change is called, and what it touches.


def rule(identifier: str | None = "a", model: str = "basket", **fields: object) -> Customization:
    row = {"target_type": "all", **({} if identifier is None else {"id": identifier}), **fields}
    return normalize.build_customization(row, model=model)


def pin(position: int, item: str, **fields: object) -> Row:
    return {"position": position, "pin_type": "item", "pin_identity": item, **fields}


def only(old: Customization | None, new: Customization | None) -> Change:
    changes, unchanged = compare_customizations([old] if old else [], [new] if new else [])
    assert unchanged == 0
    (change,) = changes
    return change


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (pin(3, "/a/"), pin(1, "/a/"), "moved"),
        (pin(3, "/a/"), pin(3, "/b/"), "replaced"),
        (pin(3, "/a/", widget_id="w"), pin(3, "/b/", widget_id="w"), "replaced"),
        (
            pin(3, "/a/"),
            {"position": 3, "pin_type": "criteria", "pin_criteria": {"a": 1}},
            "replaced",
        ),
        (pin(3, "/a/"), pin(3, "/a/", active_to="2026-12-24T11:00:00Z"), "changed"),
        (pin(3, "/a/", widget_id="v"), pin(3, "/a/", widget_id="w"), "changed"),
        (pin(3, "/a/"), pin(3, "/a/", is_bundle_pin=True), "changed"),
        (pin(3, "/a/"), pin(3, "/a/", note=None), "changed"),
        (pin(3, "/a/", note=1), pin(3, "/a/", note=True), "changed"),
    ],
)
def test_one_pin_is_one_change(old: Row, new: Row, kind: str) -> None:
    beside = pin(8, "/c/")
    change = only(rule(pin_definitions=[old, beside]), rule(pin_definitions=[beside, new]))
    assert [(pin.kind, pin.old, pin.new) for pin in change.pins] == [
        (kind, read_pin(old), read_pin(new))
    ]
    assert (change.kind, change.fields, change.effect) == ("changed", (), "shown")


def test_pins_that_came_went_or_stand_twice() -> None:
    old, new = (
        [pin(1, "/a/"), pin(1, "/a/"), pin(2, "/b/")],
        [pin(1, "/a/"), pin(3, "/c/"), pin(4, "/c/")],
    )
    change = only(rule(pin_definitions=old), rule(pin_definitions=new))
    sides = [(change.kind, change.old or change.new) for change in change.pins]
    assert sorted((kind, side.position) for kind, side in sides if side) == [
        ("added", 3),
        ("added", 4),
        ("removed", 1),
        ("removed", 2),
    ]


def test_a_third_of_equal_pins_is_one_that_was_added() -> None:
    twice = [pin(1, "/a/")] * 2
    change = only(rule(pin_definitions=twice), rule(pin_definitions=[*twice, pin(1, "/a/")]))
    assert [(pin.kind, pin.new) for pin in change.pins] == [("added", read_pin(twice[0]))]


@pytest.mark.parametrize(
    ("old", "new", "fields"),
    [
        ({"tags": ["a", "b"]}, {"tags": ["a", "c"]}, [(("tags",), ["a", "b"], ["a", "c"])]),
        ({"tags": ["a"]}, {}, [(("tags",), ["a"], MISSING)]),
        (
            {"target_metadata": {"title": "a", "image": "x"}},
            {"target_metadata": {"title": "b", "image": "x"}},
            [(("target_metadata", "title"), "a", "b")],
        ),
        ({"target_metadata": {"a": None}}, {"target_metadata": {"b": 1}}, None),
        ({"note": None}, {}, [(("note",), None, MISSING)]),
        ({"note": {"__a": 1, "b": 1}}, {"note": {"__a": 2, "b": 1}}, [(("note", "__a"), 1, 2)]),
        ({"note": {"a": 1}}, {"note": {"a": True}}, [(("note", "a"), 1, True)]),
        ({"note": [1, "x"]}, {"note": [True, "x"]}, [(("note", 0), 1, True)]),
        ({"note": {"a": [10**16]}}, {"note": {"a": [1e16]}}, [(("note", "a", 0), 10**16, 1e16)]),
        ({"note": [1, [2, 3]]}, {"note": [1, [2, 4]]}, [(("note", 1, 1), 3, 4)]),
        ({"note": {"a": [1, 2]}}, {"note": {"a": [1]}}, [(("note", "a"), [1, 2], [1])]),
        (
            {"note": {"a": [{"b": 1}, 2]}},
            {"note": {"a": [{"b": 2}, 2]}},
            [(("note", "a", 0, "b"), 1, 2)],
        ),
        ({"note": {}}, {"note": []}, [(("note",), {}, [])]),
        ({"note": 10**16}, {"note": 1e16}, [(("note",), 10**16, 1e16)]),
        (
            {"note": {"a.b": {"c d": 1}}},
            {"note": {"a.b": {"c d": "1"}}},
            [(("note", "a.b", "c d"), 1, "1")],
        ),
        (
            {"note": {"a": "x\ny\nz"}},
            {"note": {"a": "x\nq\nz"}},
            [(("note", "a"), "x\ny\nz", "x\nq\nz")],
        ),
    ],
)
def test_fields_are_named_down_to_the_leaf(
    old: Row, new: Row, fields: list[tuple[Path, object, object]] | None
) -> None:
    change = only(rule(**old), rule(**new))
    if fields is None:
        fields = [(("target_metadata", "a"), None, MISSING), (("target_metadata", "b"), MISSING, 1)]
    assert [(field.path, field.old, field.new) for field in change.fields] == fields


@pytest.mark.parametrize(
    ("old", "new", "kind", "effect"),
    [
        (rule(tags=["a"]), rule(tags=["b"]), "changed", "label"),
        (rule(), rule(target_metadata={"title": "a"}), "changed", "label"),
        (rule("a"), rule("b"), "recreated", "label"),
        (rule("a"), rule("b", note=1), "recreated", "shown"),
        (rule("a", tags=["a"]), rule("b"), "recreated", "label"),
        (rule(), rule(note=None), "changed", "shown"),
        (rule(tags=["a"]), rule(tags=["b"], is_new=True), "changed", "shown"),
        (rule(), rule(target_type="item", target_identity="/p/1/"), "changed", "shown"),
        (rule(model="basket"), rule(model="home"), "changed", "shown"),
        (rule(), rule(pin_definitions=[pin(1, "/a/")]), "changed", "shown"),
        (rule(), rule(pin_definitions="x"), "changed", "shown"),
        (rule(), None, "removed", "shown"),
        (None, rule(), "added", "shown"),
    ],
)
def test_the_effect_is_what_a_shopper_may_see(
    old: Customization | None, new: Customization | None, kind: str, effect: str
) -> None:
    change = only(old, new)
    assert (change.kind, change.effect) == (kind, effect)
    assert change.is_failure("any")
    assert change.is_failure("edited")
    assert change.is_failure("shown") == (effect == "shown")
    assert not change.is_failure("now")
    for when in get_args(When):
        seen = replace(change, shoppers=Shoppers(when))
        assert seen.is_failure("now") == (when == "now")
        assert not seen.is_failure("never")


def test_an_id_that_is_filled_in_is_nothing_and_what_else_changed_is_told() -> None:
    assert compare_customizations([rule(None)], [rule("a")]) == ([], 1)
    assert compare_customizations([rule("a")], [rule(None)]) == ([], 1)
    change = only(rule(None), rule("a", note=1))
    assert (change.kind, change.id, [field.path for field in change.fields]) == (
        "changed",
        "a",
        [("note",)],
    )


def test_several_rules_for_all_under_new_ids_are_no_difference_to_shoppers() -> None:
    old = [
        rule("a", pin_definitions=[pin(1, "/a/")]),
        rule("b", pin_definitions=[pin(1, "/b/")]),
        rule("c", note=1),
    ]
    new = [
        rule("d", note=2),
        rule("e", pin_definitions=[pin(1, "/b/")]),
        rule("f", pin_definitions=[pin(1, "/a/")]),
    ]
    changes, _ = compare_customizations(old, new)
    assert [
        (change.id, change.new and change.new.id, change.kind, change.effect) for change in changes
    ] == [
        ("a", "f", "recreated", "label"),
        ("b", "e", "recreated", "label"),
        ("c", "d", "recreated", "shown"),
    ]
    assert [[field.path for field in change.fields] for change in changes] == [
        [("id",)],
        [("id",)],
        [("id",), ("note",)],
    ]


def test_a_rule_that_changes_its_model_is_one_change() -> None:
    changes, unchanged = compare_customizations(
        [rule("a", "basket"), rule("b", "basket")], [rule("a", "home"), rule("b", "basket")]
    )
    assert unchanged == 1
    assert [(change.kind, change.fields) for change in changes] == [
        ("changed", (FieldChange(("model",), "basket", "home"),))
    ]


def test_the_same_text_twice_is_two_rules() -> None:
    assert compare_customizations([rule(None), rule(None)], [rule(None), rule(None)]) == ([], 2)
    one = rule(None)
    assert compare_customizations([one, one], [one, one]) == ([], 2)
    changes, unchanged = compare_customizations([one, one], [one])
    assert ([change.kind for change in changes], unchanged) == (["removed"], 1)


def test_changes_come_by_model_and_as_a_document_has_them() -> None:
    item = {"target_type": "item", "target_identity": "/p/1/"}
    new = [
        rule("z", "home"),
        rule("b"),
        rule("a"),
        rule("y", **item),
        rule("x", target_type="criteria"),
    ]
    old = [rule("c", **item | {"target_identity": "/p/0/"})]
    changes, _ = compare_customizations(old, new)
    assert [change.id for change in changes] == ["c", "y", "x", "a", "b", "z"]


def test_of_a_pair_that_crosses_the_scope_either_side_counts() -> None:
    old = [rule("a", tags=["x"]), rule("b", tags=["y"]), rule("c", tags=["x"])]
    new = [
        rule("a", tags=["y"]),
        rule("b", tags=["x"]),
        rule("c", tags=["x"]),
        rule("d", tags=["y"]),
    ]
    changes, unchanged = compare_customizations(old, new, Scope(tag="x"))
    assert [change.id for change in changes] == ["a", "b"]
    assert unchanged == 1


# Why something is missing from an answer.

NOON: Final = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("active_to", "cause"),
    [
        ("2026-11-21T11:59:59Z", "expired"),
        ("2026-11-21T11:59:59.999999999Z", "expired"),
        ("2026-11-21T12:00:00Z", "edited"),
        ("2026-11-21T12:00:00.000000001Z", "edited"),
        ("2026-11-21T12:00:01Z", "edited"),
        ("2026-11-21T12:59:59+01:00", "expired"),
        ("2026-11-21T13:00:00+01:00", "edited"),
        ("2016-12-31T23:59:60Z", "expired"),
        ("2026-11-20T23:59:59", "expired"),  # without an offset: over all over the world
        ("2026-11-21T00:00:00", "edited"),
        ("2026-11-21T11:00:00", "edited"),
        ("2026-11-20T23:59:59.999", "expired"),
        # What only looks like an RFC 3339 date-time.
        ("2026-W01-1", "edited"),
        ("20260101", "edited"),
        ("2026-01-01", "edited"),
        ("2026-01-01 00:00:00", "edited"),
        ("2026-01-01T00:00:00+0100", "edited"),
        ("2026-01-01T24:00:00", "edited"),
        ("soon", "edited"),
        (20200101, "edited"),
        (None, "edited"),
    ],
)
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("live_is_new", [False, True])
def test_a_pin_is_expired_once_its_end_lies_before_the_answer(
    active_to: object, cause: str, whole: bool, live_is_new: bool
) -> None:
    """Also where the whole rule is missing, and in both directions."""
    committed = rule(pin_definitions=[pin(1, "/a/", active_to=active_to)])
    sides = committed, None if whole else rule()
    change = only(*(sides if live_is_new else reversed(sides)))
    (found,) = add_causes([change], Omissions(NOON), live_is_new=live_is_new)
    assert (found.cause, [pin.cause for pin in found.pins]) == (cause, [cause])
    assert found.is_failure("edited") == (cause == "edited")
    assert has_unexplained_pins([found], live_is_new=live_is_new) == (cause == "edited")
    (backwards,) = add_causes([change], Omissions(NOON), live_is_new=not live_is_new)
    assert backwards.cause == "edited"


OLD: Final = "2020-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("old", "new", "cause", "causes"),
    [
        # All that is missing has a cause, and nothing else happened.
        ([pin(1, "/a/", active_to=OLD), pin(2, "/gone/")], [], "catalog", ["expired", "catalog"]),
        ([pin(1, "/gone/", active_to=OLD)], [], "expired", ["expired"]),
        ([pin(1, "/a/", active_to=OLD), pin(2, "/b/")], [pin(2, "/b/")], "expired", ["expired"]),
        # Something else did.
        ([pin(1, "/a/", active_to=OLD), pin(2, "/b/")], [], "edited", ["expired", "edited"]),
        (
            [pin(1, "/a/", active_to=OLD), pin(2, "/b/")],
            [pin(3, "/b/")],
            "edited",
            ["expired", "edited"],
        ),
        (
            [pin(1, "/a/", active_to=OLD)],
            [pin(9, "/n/", active_to=OLD)],
            "edited",
            ["edited", "expired"],
        ),
        # Nobody replaced the one by the other: it is left out, and another one came.
        ([pin(1, "/a/", active_to=OLD)], [pin(1, "/n/")], "edited", ["expired", "edited"]),
    ],
)
def test_the_cause_of_a_change_is_that_of_all_its_pins(
    old: list[Row], new: list[Row], cause: str, causes: list[str]
) -> None:
    filters = Omissions(NOON, {"a": rule(pin_definitions=[pin(2, "/gone/")])})
    change = only(rule(pin_definitions=old), rule(pin_definitions=new))
    (found,) = add_causes([change], filters, live_is_new=True)
    assert (found.cause, [pin.cause for pin in found.pins]) == (cause, causes)


def test_a_label_that_changed_besides_was_edited() -> None:
    change = only(rule(pin_definitions=[pin(1, "/a/", active_to=OLD)]), rule(tags=["b"]))
    (found,) = add_causes([change], Omissions(NOON), live_is_new=True)
    assert (found.cause, found.pins[0].cause) == ("edited", "expired")


def test_the_catalog_is_asked_by_the_id_that_is_live() -> None:
    change = only(rule("old", pin_definitions=[pin(1, "/gone/")]), rule("new"))
    there = Omissions(None, {"new": rule("new", pin_definitions=[pin(1, "/gone/")])})
    (found,) = add_causes([change], there, live_is_new=True)
    assert (found.kind, found.pins[0].cause, found.cause) == ("recreated", "catalog", "edited")


def test_without_filters_and_without_pins_somebody_edited() -> None:
    removed = only(rule(pin_definitions=[pin(1, "/a/", active_to=OLD)]), None)
    bare = only(rule(), None)
    assert [change.cause for change in add_causes([removed], Omissions(), live_is_new=True)] == [
        "edited"
    ]
    assert [
        change.cause for change in add_causes([bare], Omissions(NOON, {}), live_is_new=True)
    ] == ["edited"]
    assert not has_unexplained_pins([bare], live_is_new=True)


# The whole.


def whole(*trackers: TrackerDrift) -> Drift:
    return Drift(Side("HEAD"), Side("@live"), trackers, "2026-11-21T17:55:00Z")


LABEL: Final = TrackerDrift("label", "1", (only(rule(tags=["a"]), rule(tags=["b"])),))
EXPIRED: Final = TrackerDrift("expired", "2", (replace(only(rule(), None), cause="expired"),))
SAME: Final = TrackerDrift("same", "3", unchanged=2)
FAILED: Final = TrackerDrift("failed", "4", error=RemoteError("no"))


@pytest.mark.parametrize(
    ("trackers", "found", "complete", "codes"),
    [
        ((SAME,), False, True, {"any": [0], "edited": [0], "shown": [0], "never": [0]}),
        ((LABEL,), True, True, {"any": [1], "edited": [1], "shown": [0], "never": [0]}),
        ((EXPIRED,), True, True, {"any": [1], "edited": [0], "shown": [1], "never": [0]}),
        ((SAME, FAILED), None, False, {"any": [0, 3], "never": [0, 3]}),
        ((LABEL, FAILED), True, False, {"any": [1, 3], "shown": [0, 3]}),
    ],
)
def test_the_whole_says_what_was_found_and_what_is_missing(
    trackers: Sequence[TrackerDrift],
    found: bool | None,
    complete: bool,
    codes: dict[Any, list[int]],
) -> None:
    drift = whole(*trackers)
    assert (drift.has_changes, drift.is_complete) == (found, complete)
    assert {name: drift.find_exit_codes(name) for name in codes} == codes


def test_the_counts_are_those_of_all_trackers() -> None:
    assert whole(LABEL, EXPIRED, SAME).count_changes() == {"changed": 1, "removed": 1}


def test_when_it_was_last_seen_to_change_is_what_the_answer_says() -> None:
    live = rule()._replace(updated_at="2026-11-20T08:00:00Z")
    assert (
        only(None, live).updated_at
        == only(rule(tags=["a"]), live).updated_at
        == "2026-11-20T08:00:00Z"
    )
    assert only(rule(), None).updated_at is None


@pytest.mark.parametrize("live_is_new", [True, False])
def test_an_expired_pin_with_another_at_its_place_was_not_replaced_by_anybody(
    live_is_new: bool,
) -> None:
    def rule(*pins: dict[str, object]) -> Customization:
        return normalize.build_customization(
            {"id": "a", "model": "m", "target_type": "all", "pin_definitions": list(pins)}
        )

    ended = {
        "position": 1,
        "pin_type": "item",
        "pin_identity": "/old/",
        "active_to": "2025-01-01T00:00:00Z",
    }
    here, live = rule(ended), rule({"position": 1, "pin_type": "item", "pin_identity": "/new/"})
    sides = ([here], [live]) if live_is_new else ([live], [here])
    filters = Omissions(datetime(2026, 1, 1, tzinfo=UTC))
    (change,) = add_causes(compare_customizations(*sides)[0], filters, live_is_new=live_is_new)
    gone, came = ("removed", "added") if live_is_new else ("added", "removed")
    assert {(pin.kind, pin.cause) for pin in change.pins} == {(gone, "expired"), (came, "edited")}
    assert change.cause == "edited"


def test_each_side_of_a_change_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparing parses it; neither the causes nor any report does so again."""
    texts: list[str] = []
    read = canonical.read_rendered

    def note(text: str) -> dict[str, Any] | None:
        texts.append(text)
        return read(text)

    monkeypatch.setattr(canonical, "read_rendered", note)
    drift = drifts.shop()
    for format_ in DRIFT_FORMATS:
        load_drift(format_).render(drift, Style(UTC))
    changes = [change for tracker in drift.trackers for change in tracker.changes]
    sides = [side.text.decode() for change in changes for side in change.pair.sides]
    (unfiltered,) = drifts.state(drifts.CATALOG)
    assert Counter(texts) == Counter([*sides, unfiltered.text.decode()])
