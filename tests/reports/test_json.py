from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync import canonical
from pinsync.canonical import normalize
from pinsync.drift.changes import compare_customizations
from pinsync.drift.record import Drift, Side, TrackerDrift
from pinsync.drift.shoppers import add_shoppers
from pinsync.errors import FileError
from pinsync.reports import Style
from pinsync.reports.drift import json as report
from support import drifts
from support.drifts import CASES, HEAD, LIVE, build_drift
from support.schemas import load_schema
from support.strategies import QUICK, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pinsync.model import Customization

    State = Sequence[Customization]

Record = dict[str, Any]

STYLE = Style(UTC)
SCHEMA = load_schema("diff")
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def loaded(drift: Drift) -> Record:
    """The report of a drift, read back; it must be what the schema says."""
    record: Record = json.loads(report.render(drift, STYLE))
    VALIDATOR.validate(record)
    return record


def between(old: State, new: State) -> Drift:
    return build_drift(HEAD, LIVE, (drifts.tracker(old, new),))


def only_change(old: Record, new: Record, model: str = "basket") -> Record:
    """What is reported of one customization."""
    drift = between(drifts.state({"basket": [old]}), drifts.state({model: [new]}))
    changes: list[Record] = loaded(drift)["trackers"][0]["changes"]
    assert len(changes) == 1
    return changes[0]


RULE = drifts.rule(1, "/p/123/", [drifts.pin(3, "/p/234/")], "a")
ID = RULE["id"]


def test_the_contract_to_the_letter() -> None:
    new = drifts.rule(1, "/p/123/", [drifts.pin(1, "/p/234/")], "b")
    before = drifts.state({"basket": [RULE]})
    after = drifts.state({"basket": [new]}, lambda _: "2026-11-20T08:00:00Z")
    tracker = drifts.tracker(before, after, name="shop-sk")
    text = report.render(build_drift(HEAD, LIVE, (tracker,)), STYLE)
    assert text.endswith("\n}\n")
    expected = {
        "version": 1,
        "drift": True,
        "complete": True,
        "from": {"source": "HEAD", "revision": drifts.COMMIT},
        "to": {"source": "@live", "fetched_at": "2026-11-21T17:55:00Z"},
        "trackers": [
            {
                "name": "shop-sk",
                "tracker_id": "1234-5678",
                "complete": True,
                "error": None,
                "summary": {"added": 0, "removed": 0, "changed": 1, "recreated": 0, "unchanged": 0},
                "changes": [
                    {
                        "kind": "changed",
                        "model": "basket",
                        "id": ID,
                        "target_type": "item",
                        "target_identity": "/p/123/",
                        "title": "a",
                        "file": "customizations/basket.yaml",
                        "line": 4,
                        "cause": "edited",
                        "effect": "shown",
                        "shoppers": {"when": "now", "at": None},
                        "moved": "shop",
                        "moved_in": None,
                        "updated_at": "2026-11-20T08:00:00Z",
                        "pins": [
                            {
                                "kind": "moved",
                                "from": {
                                    "position": 3,
                                    "pin_type": "item",
                                    "pin_identity": "/p/234/",
                                },
                                "to": {
                                    "position": 1,
                                    "pin_type": "item",
                                    "pin_identity": "/p/234/",
                                },
                            }
                        ],
                        "fields": [{"path": ["target_metadata", "title"], "from": "a", "to": "b"}],
                    }
                ],
            }
        ],
    }
    assert json.dumps(json.loads(text)) == json.dumps(expected), "the keys, in this order"


@pytest.mark.parametrize("case", CASES)
def test_the_schema_holds_for(case: str) -> None:
    loaded(CASES[case]())


BREAKS: dict[str, Callable[[Any], object]] = {
    "another version": lambda record: record.update(version=2),
    "no verdict": lambda record: record.pop("drift"),
    "a verdict of null though complete": lambda record: record.update(drift=None),
    "a tracker missing from a complete report": lambda record: record["trackers"][0].update(
        complete=False
    ),
    "an error without exit code": lambda record: record["trackers"][0].update(
        error={"message": "", "hint": None}
    ),
    "a summary without a kind": lambda record: record["trackers"][0]["summary"].pop("recreated"),
    "an unknown kind": lambda record: record["trackers"][0]["changes"][0].update(kind="moved"),
    "an unknown cause": lambda record: record["trackers"][0]["changes"][0].update(cause="unknown"),
    "no word on shoppers": lambda record: record["trackers"][0]["changes"][0].pop("shoppers"),
    "an unknown when": lambda record: record["trackers"][0]["changes"][0]["shoppers"].update(
        when="soon"
    ),
    "later without a moment": lambda record: record["trackers"][0]["changes"][0]["shoppers"].update(
        when="later"
    ),
    "now at a moment": lambda record: record["trackers"][0]["changes"][0]["shoppers"].update(
        at="2026-12-24T11:00:00Z"
    ),
    "a line of 0": lambda record: record["trackers"][0]["changes"][0].update(line=0),
    "an added pin with a from": lambda record: record["trackers"][0]["changes"][0]["pins"][
        0
    ].update(kind="added"),
    "a field with neither side": lambda record: record["trackers"][0]["changes"][0][
        "fields"
    ].append({"path": ["a"]}),
    "no notes, said": lambda record: record.update(notes=[]),
}


@pytest.mark.parametrize("fault", BREAKS)
def test_the_schema_refuses(fault: str) -> None:
    record = loaded(drifts.one_pin())
    BREAKS[fault](record)
    assert not VALIDATOR.is_valid(record)


def test_the_schema_leaves_room_for_new_keys() -> None:
    record = loaded(drifts.shop())
    record["new"] = record["trackers"][0]["new"] = record["trackers"][0]["changes"][0]["new"] = {
        "any": 1
    }
    VALIDATOR.validate(record)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_part_that_is_missing_is_never_in_sync() -> None:
    record = loaded(drifts.nothing_known())
    assert (record["drift"], record["complete"]) == (None, False)
    (tracker,) = record["trackers"]
    assert (tracker["complete"], tracker["changes"]) == (False, [])
    message = "https://live.luigisbox.tech: no connection"
    assert tracker["error"] == {
        "message": message,
        "hint": "check the network, or HTTPS_PROXY",
        "exit_code": 3,
    }


def test_a_part_that_is_missing_doesnt_hide_the_drift_of_the_others() -> None:
    record = loaded(drifts.several())
    assert (record["drift"], record["complete"]) == (True, False)
    assert [tracker["complete"] for tracker in record["trackers"]] == [True, False, True]


def test_an_error_has_its_own_exit_code() -> None:
    error = FileError("no list", source="HEAD:customizations/basket.yaml", line=3)
    (tracker,) = loaded(build_drift(HEAD, LIVE, (drifts.failed(error),)))["trackers"]
    message = "HEAD:customizations/basket.yaml:3: no list"
    assert tracker["error"] == {"message": message, "hint": None, "exit_code": 2}


def test_in_sync() -> None:
    record = loaded(drifts.in_sync())
    assert (record["drift"], record["complete"]) == (False, True)
    assert record["trackers"][0]["changes"] == []
    assert record["trackers"][0]["summary"]["unchanged"] == 30


def test_null_is_a_value_and_a_missing_side_is_left_out() -> None:
    change = only_change(RULE | {"note": None, "old": None}, RULE | {"note": 1, "new": None})
    assert change["fields"] == [
        {"path": ["note"], "from": None, "to": 1},
        {"path": ["old"], "from": None},
        {"path": ["new"], "to": None},
    ]


def test_an_added_customization_is_all_there() -> None:
    new = drifts.rule(
        2, {"b": [1]}, [drifts.pin(1, "/p/2/")], "New", {"tags": ["x"], "switch": None}
    )
    (change,) = loaded(between([], drifts.state({"basket": [new]})))["trackers"][0]["changes"]
    assert (change["kind"], change["id"], change["title"]) == ("added", new["id"], "New")
    assert (change["target_type"], change["target_identity"]) == ("criteria", None)
    assert change["target_criteria"] == {"b": [1]}
    assert (change["file"], change["line"], change["updated_at"]) == (None, None, None)
    assert change["pins"] == [{"kind": "added", "to": new["pin_definitions"][0]}]
    assert change["fields"] == [
        {"path": ["tags"], "to": ["x"]},
        {"path": ["target_metadata"], "to": {"title": "New"}},
        {"path": ["switch"], "to": None},
    ]


def test_a_removed_customization_is_all_there_on_the_other_side() -> None:
    (change,) = loaded(between(drifts.state({"basket": [RULE]}), []))["trackers"][0]["changes"]
    assert change["kind"] == "removed"
    assert "target_criteria" not in change
    assert change["pins"] == [{"kind": "removed", "from": RULE["pin_definitions"][0]}]
    assert change["fields"] == [{"path": ["target_metadata"], "from": {"title": "a"}}]


def test_what_is_no_list_of_pins_is_a_field() -> None:
    (change,) = loaded(between([], drifts.state({"basket": [RULE | {"pin_definitions": "none"}]})))[
        "trackers"
    ][0]["changes"]
    assert change["pins"] == []
    assert {"path": ["pin_definitions"], "to": "none"} in change["fields"]


def test_a_recreated_customization_is_found_by_its_old_id() -> None:
    new_id = "00000000-0000-4000-8000-000000000009"
    change = only_change(RULE, RULE | {"id": new_id})
    assert (change["kind"], change["id"], change["effect"]) == ("recreated", ID, "label")
    assert change["fields"] == [{"path": ["id"], "from": ID, "to": new_id}]


def test_a_rule_that_moved_to_another_model_is_found_where_it_was() -> None:
    change = only_change(RULE, RULE, model="homepage")
    assert (change["kind"], change["model"]) == ("changed", "basket")
    assert change["fields"] == [{"path": ["model"], "from": "basket", "to": "homepage"}]


def test_one_written_by_hand_has_no_id() -> None:
    new = {name: value for name, value in RULE.items() if name != "id"}
    (change,) = loaded(between([], drifts.state({"basket": [new]})))["trackers"][0]["changes"]
    assert change["id"] is None


def test_a_title_that_only_the_new_side_has() -> None:
    untitled = {name: value for name, value in RULE.items() if name != "target_metadata"}
    assert only_change(untitled, RULE)["title"] == "a"
    assert only_change(untitled, untitled | {"target_metadata": {"title": 5}})["title"] is None


def test_a_cause_stands_where_it_isnt_an_edit() -> None:
    (tracker,) = loaded(drifts.shop())["trackers"]
    causes = {
        (change["model"], change["id"][-2:]): change["cause"] for change in tracker["changes"]
    }
    assert causes["homepage", "06"] == "expired"
    assert causes["item_detail_alternatives", "08"] == "catalog"
    pins = [pin for change in tracker["changes"] for pin in change["pins"]]
    assert [pin["cause"] for pin in pins if "cause" in pin] == ["expired", "catalog"]
    assert all(pin["kind"] == "removed" for pin in pins if "cause" in pin)


def test_notes_are_there_if_there_are_any() -> None:
    branch = drifts.branch()
    assert loaded(branch)["notes"] == list(branch.notes) != []
    record = loaded(drifts.several())
    assert "notes" not in record
    assert [tracker.get("notes") for tracker in record["trackers"]] == [
        None,
        None,
        ["the answer has no date"],
    ]


def test_times_are_in_utc() -> None:
    moment = datetime(2026, 11, 21, 18, 55, 1, 999, tzinfo=timezone(timedelta(hours=1)))
    drift = build_drift(HEAD, Side("@live", fetched_at=moment), ())
    assert loaded(drift)["to"] == {"source": "@live", "fetched_at": "2026-11-21T17:55:01Z"}


def test_invisible_characters_are_escaped_and_come_back() -> None:
    name = (
        "".join(
            map(chr, [*range(0x20), 0x7F, 0x85, 0x9B, 0x202E, 0x2028, 0xFEFF, 0xE0041, 0x1FFFE])
        )
        + "řeť 🎸"
    )
    text = report.render(build_drift(Side(name), LIVE, ()), STYLE)
    assert json.loads(text)["from"]["source"] == name
    assert [line for line in text.split("\n") if not line.isprintable()] == []
    assert "řeť 🎸" in text


def test_half_a_surrogate_pair_from_a_file_name_can_be_written() -> None:
    text = report.render(build_drift(Side("\udcff.json"), LIVE, ()), STYLE)
    assert json.loads(text.encode())["from"]["source"] == "\udcff.json"


def test_nothing_poses_as_a_command_of_a_runner() -> None:
    text = report.render(drifts.hostile(), STYLE)
    assert "::error file=x::y ##[error]z ::add-mask::m" in json.loads(text)["notes"]
    assert "##[" not in text
    assert [line for line in text.split("\n") if line.lstrip().startswith("::")] == []


def test_numbers_come_back() -> None:
    values = [10**40, 2**53 + 1, 1e22, 5e-324, -1.5, True, 1]
    change = only_change(RULE, RULE | {"note": values})
    assert repr(change["fields"]) == repr([{"path": ["note"], "to": values}])


def test_the_style_changes_nothing() -> None:
    drift = drifts.shop()
    styled = Style(timezone(timedelta(hours=2)), color=True, max_chars=500, summary=True)
    assert report.render(drift, styled) == report.render(drift, STYLE)


EDITS: dict[str, Callable[[Record, Record], list[Record]]] = {
    "goes": lambda _row, _other: [],
    "stays": lambda row, _other: [row],
    "moves": lambda row, _other: [{**row, "model": "homepage"}],
    "comes anew": lambda row, other: [{**row, "id": other["id"]}],
    "gets other pins": lambda row, other: [
        {**row, "pin_definitions": other.get("pin_definitions")}
    ],
    "gets other labels": lambda row, other: [
        {**row, "target_metadata": other.get("target_metadata"), "note": 1}
    ],
    "changes": lambda row, other: [{**other, "id": row["id"]}],
    "has company": lambda row, other: [row, other],
}


@st.composite
def sides(draw: st.DrawFn) -> tuple[list[Customization], list[Customization]]:
    """Two states of a tracker: some rules stay, some go, come, move, change, or come anew."""
    old = draw(st.lists(rows, min_size=1, max_size=3, unique_by=lambda row: row["id"]))
    other = draw(rows)
    new = [row for was in old for row in EDITS[draw(st.sampled_from(sorted(EDITS)))](was, other)]
    unique = {row["id"]: row for row in new}
    return [normalize.build_customization(row) for row in old], [
        normalize.build_customization(row) for row in unique.values()
    ]


def plain(state: State) -> dict[str, Record]:
    """id → what a customization says."""
    found = {}
    for item in state:
        data = canonical.read(item.text.decode())
        assert data is not None
        found[str(item.id)] = {"model": item.model, **data}
    return found


def shelf(data: Record) -> list[Record]:
    pins = data.get("pin_definitions")
    return pins if isinstance(pins, list) and all(isinstance(pin, dict) for pin in pins) else []


def exact(value: object) -> str:
    """A text that tells true from 1, whatever the order of keys."""
    return json.dumps(value, sort_keys=True)


STANDING = ("model", "id", "target_type", "target_identity", "target_criteria")
"""The fields that stand beside a change's kind."""


def applied(changes: Sequence[Record], state: dict[str, Record]) -> dict[str, Record]:
    """What the changes make of a state, known from the report alone."""
    state, result = deepcopy(state), {}
    for change in changes:
        data = {} if change["kind"] == "added" else state.pop(change["id"])
        pins = shelf(data)
        if pins:
            del data["pin_definitions"]
        if change["kind"] == "added":
            data = {name: change[name] for name in STANDING if change.get(name) is not None}
        for pin in change["pins"]:
            if "from" in pin:
                del pins[[exact(other) for other in pins].index(exact(pin["from"]))]
        pins += [pin["to"] for pin in change["pins"] if "to" in pin]
        for field in change["fields"]:
            put(data, field)
        if pins:
            data["pin_definitions"] = pins
        if change["kind"] == "removed":
            assert data.keys() <= set(STANDING), "all the rest is told as pins and fields"
        else:
            result[data["id"]] = data
    return result | state


def put(data: Record, field: Record) -> None:
    *path, last = field["path"]
    for step in path:
        data = data[step]
    has = last in data if isinstance(data, dict) else True
    assert has == ("from" in field)
    assert not has or exact(data[last]) == exact(field["from"])
    if "to" in field:
        data[last] = field["to"]
    else:
        del data[last]


def sorted_pins(state: dict[str, Record]) -> str:
    return exact(
        {
            name: {**data, "pin_definitions": sorted(map(exact, shelf(data)))}
            if shelf(data)
            else data
            for name, data in state.items()
        }
    )


@given(sides())
@QUICK
def test_the_changes_make_the_one_side_of_the_other(
    found: tuple[list[Customization], list[Customization]],
) -> None:
    old, new = found
    changes, unchanged = compare_customizations(old, new)
    changes = list(add_shoppers(changes, "2026-11-21T17:55:00Z"))
    tracker = TrackerDrift("default", "1234-5678", tuple(changes), unchanged)
    record = loaded(build_drift(HEAD, LIVE, (tracker,)))
    assert record["drift"] == (sorted_pins(plain(old)) != sorted_pins(plain(new)))
    assert sorted_pins(applied(record["trackers"][0]["changes"], plain(old))) == sorted_pins(
        plain(new)
    )
