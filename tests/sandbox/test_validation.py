"""What the sandbox accepts as a customization, and that all of its sample is that."""

from __future__ import annotations

from typing import Any

import pytest

from pinsync.sandbox import shop
from pinsync.sandbox.validation import find_problems

Row = dict[str, Any]

ITEM: Row = {"model": "basket", "target_type": "item", "target_identity": "/p/1/"}


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        ({}, {"model", "target_type"}),
        ({**ITEM, "target_type": "shop"}, {"target_type"}),
        ({**ITEM, "target_type": ["item"]}, {"target_type"}),
        ({**ITEM, "model": 5}, {"model"}),
        ({**ITEM, "model": ""}, {"model"}),
        ({**ITEM, "target_identity": None}, {"target_identity"}),
        ({**ITEM, "target_type": "criteria"}, {"target_criteria"}),
        ({**ITEM, "target_criteria": "a"}, {"target_criteria"}),
        ({**ITEM, "tags": ["a", 1]}, {"tags"}),
        ({**ITEM, "target_metadata": []}, {"target_metadata"}),
        ({**ITEM, "pin_definitions": {}}, {"pin_definitions"}),
        ({**ITEM, "pin_definitions": [5]}, {"pin_definitions"}),
        (
            {**ITEM, "pin_definitions": [{}]},
            {"pin_definitions.0.position", "pin_definitions.0.pin_type"},
        ),
    ],
)
def test_what_is_no_customization_is_refused_by_field(row: Row, fields: set[str]) -> None:
    assert set(find_problems(row)) == fields


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("position", "1"),
        ("position", -2),
        ("position", 1.5),
        ("position", True),
        ("pin_type", "all"),
        ("pin_identity", None),
        ("pin_criteria", []),
        ("widget_id", 7),
        ("is_block_pin", 1),
        ("is_bundle_pin", "yes"),
        ("active_from", "tomorrow"),
        ("active_to", 20261231),
    ],
)
def test_what_is_no_pin_is_refused_by_field(field: str, value: object) -> None:
    pin = {"position": 1, "pin_type": "item", "pin_identity": "/p/2/"}
    assert find_problems({**ITEM, "pin_definitions": [pin, {**pin, "position": -1.0}]}) == {}
    assert set(find_problems({**ITEM, "pin_definitions": [pin, {**pin, field: value}]})) == {
        f"pin_definitions.1.{field}"
    }


@pytest.mark.parametrize(
    ("start", "end", "is_valid"),
    [
        ("2026-12-24T11:00:00Z", "2026-12-24T11:00:00Z", True),
        ("2026-12-24T11:00:00Z", "2026-12-24T10:59:59.999Z", False),
        ("2026-12-24T12:00:00+01:00", "2026-12-24T11:00:00", True),
        ("2026-12-24T11:00:00", "2026-12-24T11:30:00+01:00", False),
        (None, "2026-12-24T11:00:00Z", True),
        ("2026-12-24T11:00:00Z", None, True),
    ],
)
def test_a_window_may_not_end_before_it_begins(
    start: str | None, end: str | None, is_valid: bool
) -> None:
    pin = {"position": 1, "pin_type": "item", "pin_identity": "/p/2/"}
    window = {"active_from": start, "active_to": end}
    problems = find_problems({**ITEM, "pin_definitions": [{**pin, **window}]})
    assert ("pin_definitions.0.active_to" not in problems) == is_valid
    assert len(problems) == int(not is_valid)


def test_null_is_absence_and_unknown_fields_are_welcome() -> None:
    assert (
        find_problems(
            {**ITEM, "tags": None, "pin_definitions": None, "target_criteria": None, "note": None}
        )
        == {}
    )


# The sample shop


def test_the_sample_is_what_the_api_accepts() -> None:
    assert [found for row in shop.build_customizations() if (found := find_problems(row))] == []


def test_the_sample_is_the_same_every_time_and_its_own() -> None:
    first = shop.build_customizations()
    first[0]["pin_definitions"].clear()
    assert shop.build_customizations()[0]["pin_definitions"] != []
    assert shop.build_customizations() == shop.build_customizations()


def test_the_sample_shows_all_that_there_is() -> None:
    rows = shop.build_customizations()
    pins = [pin for row in rows for pin in row["pin_definitions"]]
    assert 140 <= len(rows) == len({row["id"] for row in rows}) <= 160
    assert len({row["model"] for row in rows}) == 6
    assert {row["target_type"] for row in rows} == {"item", "criteria", "all"}
    assert {pin["pin_type"] for pin in pins} == {"item", "criteria"}
    assert {-1, 0, 1, 2, 3, 4} <= {pin["position"] for pin in pins}
    assert {field for pin in pins for field in pin} >= {
        "widget_id",
        "is_block_pin",
        "is_bundle_pin",
        "active_from",
    }
    assert all((pin["position"] == 0) == pin.get("is_block_pin", False) for pin in pins)


def test_the_sample_has_titles_in_many_scripts() -> None:
    titles = " ".join(
        row.get("target_metadata", {}).get("title", "") for row in shop.build_customizations()
    )
    for letter in "ľčüΤБהود味🎸♭\\\"'#:":
        assert letter in titles, letter


def test_every_item_that_is_pinned_has_a_place_on_a_shelf() -> None:
    pinned = {
        pin["pin_identity"]
        for row in shop.build_customizations()
        for pin in row["pin_definitions"]
        if "pin_identity" in pin
    }
    assert pinned - shop.build_catalog() == {"/p/107/", "/p/146/", "/p/205/"}
