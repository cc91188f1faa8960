"""The JSON Schema: valid, described, true to what an export writes, and strict on what is at
fault.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from pinsync.canonical import fields
from pinsync.canonical.normalize import build_customization
from pinsync.document.record import render_document
from support.paths import SHOP
from support.schemas import load_schema
from support.strategies import QUICK, objects, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command_line import CommandLine

Row = dict[str, Any]

SCHEMA: dict[str, Any] = load_schema("document")
VALIDATOR = Draft7Validator(SCHEMA)
ENGINE = Path(sys.executable).with_name("check-jsonschema")
EXAMPLES = sorted(SHOP.glob("*.yaml"))

PIN: Row = {"position": 1, "pin_type": "item", "pin_identity": "/p/2/"}
RULE: Row = {"id": "a", "target_type": "item", "target_identity": "/p/1/", "pin_definitions": [PIN]}
FAULTS: dict[str, Row] = {
    "no format": {"format": None},
    "another format": {"format": 2},
    "no model": {"model": None},
    "an empty model": {"model": ""},
    "a model that is a number": {"model": 123},
    "no customizations": {"customizations": None},
    "customizations that are a mapping": {"customizations": {}},
    "a key too many": {"note": "no"},
    "a rule that is a text": {"customizations": ["a"]},
    "a rule with a model": {"rule": {"model": "basket"}},
    "no target type": {"rule": {"target_type": None}},
    "a target type of its own": {"rule": {"target_type": "everyone"}},
    "an empty id": {"rule": {"id": ""}},
    "an id that is a number": {"rule": {"id": 7}},
    "an identity that is a number": {"rule": {"target_identity": 123}},
    "criteria that are a list": {
        "rule": {"target_type": "criteria", "target_identity": None, "target_criteria": []}
    },
    "an identity for all": {"rule": {"target_type": "all"}},
    "an identity for criteria": {"rule": {"target_type": "criteria"}},
    "criteria for all": {
        "rule": {"target_type": "all", "target_identity": None, "target_criteria": {"a": 1}}
    },
    "criteria for an item": {"rule": {"target_criteria": {"a": 1}}},
    "a tag alone": {"rule": {"tags": "christmas"}},
    "a tag that is a number": {"rule": {"tags": [1]}},
    "metadata that are a text": {"rule": {"target_metadata": "Strings"}},
    "pins that are a mapping": {"rule": {"pin_definitions": {}}},
    "a pin that is a text": {"rule": {"pin_definitions": ["/p/2/"]}},
    "no position": {"pin": {"position": None}},
    "a position below -1": {"pin": {"position": -2}},
    "a position that is a text": {"pin": {"position": "1"}},
    "half a position": {"pin": {"position": 1.5}},
    "no pin type": {"pin": {"pin_type": None}},
    "a pin type of its own": {"pin": {"pin_type": "all"}},
    "a pinned number": {"pin": {"pin_identity": 2}},
    "pinned criteria that are a text": {
        "pin": {"pin_type": "criteria", "pin_identity": None, "pin_criteria": "brand"}
    },
    "a pinned item among criteria": {"pin": {"pin_type": "criteria"}},
    "pinned criteria of an item": {"pin": {"pin_criteria": {"a": 1}}},
    "a block at a position": {"pin": {"is_block_pin": True}},
    "a block everywhere": {"pin": {"is_block_pin": True, "position": -1}},
    "a widget that is a number": {"pin": {"widget_id": 1}},
    "a flag in words": {"pin": {"is_block_pin": "yes"}},
    "a flag that is a number": {"pin": {"is_bundle_pin": 1}},
    "a date alone": {"pin": {"active_to": "2026-12-31"}},
    "a month too many": {"pin": {"active_to": "2026-13-01T00:00:00Z"}},
    "an hour too many": {"pin": {"active_from": "2026-12-31T25:00:00"}},
    "a date and a time": {"pin": {"active_from": "2026-12-31 23:00:00"}},
    "no date at all": {"pin": {"active_to": "tomorrow"}},
    "a date of digits alone": {"pin": {"active_to": "20261231"}},
    "a month too many without a time": {"pin": {"active_to": "2026-13-01"}},
    "a week too many": {"pin": {"active_to": "2026-W54-1T00:00:00Z"}},
    "a day too many": {"pin": {"active_to": "2026-367T00:00:00Z"}},
    "no day": {"pin": {"active_to": "2026-000T00:00:00Z"}},
    "a minute behind midnight": {"pin": {"active_to": "2026-12-31T24:01:00Z"}},
    "half of it without hyphens": {"pin": {"active_to": "20261231T23:00:00Z"}},
    "seconds without a number": {"pin": {"active_to": "1767222000"}},
    "a window that is a number": {"pin": {"active_from": 1767222000}},
}


@pytest.mark.parametrize(
    ("part", "above"), [("customization", ()), ("pin", ("pin_definitions", 0))]
)
def test_the_fields_that_hold_text_are_those_of_the_schema(
    part: str, above: tuple[str | int, ...]
) -> None:
    properties = SCHEMA["definitions"][part]["properties"]
    for name in properties.keys() - {"model"}:
        validator = Draft7Validator({**properties[name], "definitions": SCHEMA["definitions"]})
        takes_text = any(map(validator.is_valid, ("item", "2026-12-31T23:00:00Z")))
        assert fields.holds_text((*above, name)) == takes_text, name
    assert fields.holds_text(("tags", 0))


def faulty(change: Row) -> Row:
    """A document with one fault; None takes a key away."""

    def changed(part: Row, fields: Row) -> Row:
        return {name: value for name, value in (part | fields).items() if value is not None}

    pin = changed(PIN, change.get("pin", {}))
    rule = changed({**RULE, "pin_definitions": [pin]}, change.get("rule", {}))
    top = {name: value for name, value in change.items() if name not in ("rule", "pin")}
    return changed({"format": 1, "model": "basket", "customizations": [rule]}, top)


def parts(schema: Row, name: str = "") -> Iterator[tuple[str, Row]]:
    """The schema of each field, and of what is defined for several."""
    for key in ("properties", "definitions"):
        for field, inner in schema.get(key, {}).items():
            if isinstance(inner, dict):
                yield f"{name}.{field}", inner
                yield from parts(inner, f"{name}.{field}")


def checked(*files: Path) -> subprocess.CompletedProcess[str]:
    """What check-jsonschema, with its own YAML reader and regular expressions, says of files."""
    schema = str(resources.files("pinsync.document").joinpath("document.schema.json"))
    command = [
        str(ENGINE),
        "--schemafile",
        schema,
        "--output-format",
        "json",
        "--verbose",
        *map(str, files),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_is_a_draft_7_schema() -> None:
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    Draft7Validator.check_schema(SCHEMA)


def test_it_is_printed_as_it_is_shipped(pinsync: CommandLine) -> None:
    text = resources.files("pinsync.document").joinpath("document.schema.json").read_text("utf-8")
    result = pinsync("schema")
    assert (result.code, result.out, result.err) == (0, text, "")


def test_each_field_is_described() -> None:
    described = dict(parts(SCHEMA))
    assert all(
        part.get("title") and part.get("description", "").endswith(".")
        for part in described.values()
    )
    names = {name.rpartition(".")[2] for name in described}
    assert names >= {*fields.select_names(fields.CUSTOMIZATION), *fields.select_names(fields.PIN)}


def test_a_description_is_no_neighbour_of_a_reference() -> None:
    assert all("$ref" not in part for name, part in parts(SCHEMA)), (
        "draft-07 passes over what stands beside a $ref"
    )


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_it_accepts_the_example(file: Path) -> None:
    VALIDATOR.validate(yaml.safe_load(file.read_text(encoding="utf-8")))


_DATES: Final = ("%Y-%m-%d", "%G-W%V-%u", "%Y-%j")
_TIMES: Final = ("%H", "%H:%M", "%H:%M,5", "%H:%M:%S", "%H:%M:%S.%f", "24:00", "24:00:00")
_FORMS: Final = [f"{date}T{time}" for date in _DATES for time in _TIMES]
# A leading zero is this Python's platform's to write, so that the years begin where there is none.
moments = st.builds(
    lambda date, form, offset: date.strftime(form) + offset,
    st.datetimes(min_value=datetime(1001, 1, 1), max_value=datetime(9998, 12, 31)),  # noqa: DTZ001 - the offset comes below
    st.sampled_from([*_FORMS, *(form.replace("-", "").replace(":", "") for form in _FORMS)]),
    st.sampled_from(["Z", "+01:00", "-05:30", "+00:00", "+0100", "+01", ""]),
)


def documented(
    kinds: dict[tuple[str, str], Row], required: Row, optional: Row
) -> st.SearchStrategy[Row]:
    """Rows of each kind, some without the field that only this kind has; or with what stands for
    nothing.
    """
    return st.one_of(
        *(
            st.fixed_dictionaries(
                required | {kind[0]: st.just(kind[1])}, optional=optional | fields
            )
            for kind, fields in kinds.items()
        )
    )


nothing = st.none()
documented_pins = st.one_of(
    *(
        documented(
            {
                ("pin_type", "item"): {"pin_identity": texts, "pin_criteria": nothing},
                ("pin_type", "criteria"): {"pin_identity": nothing, "pin_criteria": objects},
            },
            {"position": positions},
            {
                "widget_id": texts,
                "is_block_pin": is_block,
                "is_bundle_pin": st.booleans(),
                "active_from": moments,
                "active_to": moments,
            },
        )
        for positions, is_block in ((st.just(0), st.booleans()), (st.integers(-1), st.just(False)))
    )
)
documented_rows = documented(
    {
        ("target_type", "item"): {"target_identity": texts, "target_criteria": nothing},
        ("target_type", "criteria"): {"target_identity": nothing, "target_criteria": objects},
        ("target_type", "all"): {"target_identity": nothing, "target_criteria": nothing},
    },
    {"id": st.uuids().map(str), "model": st.just("basket")},
    {
        "tags": st.lists(texts, max_size=3),
        "target_metadata": objects,
        "pin_definitions": st.lists(documented_pins, max_size=3),
        "created_at": moments,
        "updated_at": moments,
        "is_new": st.one_of(st.none(), st.booleans(), texts, objects),
    },
)


@settings(QUICK, max_examples=60)
@given(st.lists(documented_rows, max_size=3))
def test_it_accepts_what_an_export_of_documented_rows_writes(rows: list[Row]) -> None:
    text = render_document("basket", map(build_customization, rows))
    VALIDATOR.validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    "moment",
    [
        *(
            "20260101T000000Z",
            "2026-W01-1T00:00:00Z",
            "2026-001T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00Z",
        ),
        *("2026-01-01T00:00.5Z", "2026W011T0000+0100", "2026001T00", "2026-12-31t23:59:60z"),
    ],
)
def test_it_accepts_a_date_time_of_iso_8601_that_lint_speaks_up_about(moment: str) -> None:
    document = faulty({"pin": {"active_from": moment}})
    assert VALIDATOR.is_valid(document)


def test_it_accepts_what_stands_for_absence_and_a_rule_without_an_id() -> None:
    nothing: Row = dict.fromkeys(
        ("target_identity", "target_criteria", "tags", "target_metadata", "pin_definitions")
    )
    VALIDATOR.validate(
        {"format": 1, "model": "basket", "customizations": [{"target_type": "all", **nothing}]}
    )
    empty: Row = {"target_identity": "", "target_criteria": {}}
    pins: list[Row] = [
        {
            "position": 0,
            "pin_type": kind,
            "pin_identity": "",
            "pin_criteria": {},
            "is_block_pin": flag,
        }
        for kind in ("item", "criteria")
        for flag in (None, False, True)
    ]
    rules = [
        {"target_type": kind, **empty, "pin_definitions": pins}
        for kind in ("item", "criteria", "all")
    ]
    VALIDATOR.validate({"format": 1, "model": "basket", "customizations": rules})


def test_a_misfit_says_what_goes_with_what() -> None:
    """In the title, which the YAML language server names beside its message."""
    (error,) = VALIDATOR.iter_errors(faulty(FAULTS["an identity for all"]))
    assert (list(error.path), error.parent is None) == (
        ["customizations", 0, "target_identity"],
        True,
    )
    assert isinstance(error.schema, dict)
    assert error.schema["title"] == "target_identity goes with target_type: item"


@pytest.mark.parametrize("fault", FAULTS)
def test_it_rejects(fault: str) -> None:
    assert VALIDATOR.is_valid(faulty({}))
    assert len(list(VALIDATOR.iter_errors(faulty(FAULTS[fault])))) == 1


def test_another_engine_agrees(tmp_path: Path) -> None:
    files = {}
    for number, (fault, change) in enumerate(FAULTS.items()):
        files[fault] = tmp_path / f"{number:02}.yaml"
        files[fault].write_text(yaml.safe_dump(faulty(change)), encoding="utf-8")
    good = tmp_path / "good.yaml"
    pins = [{**PIN, "active_to": "2026-12-31t23:59:60.5-05:30"}]
    good.write_bytes(
        render_document(
            "basket", [build_customization({**RULE, "model": "basket", "pin_definitions": pins})]
        )
    )
    accepted = checked(good, *EXAMPLES)
    assert (accepted.returncode, json.loads(accepted.stdout)["status"]) == (0, "ok"), (
        accepted.stdout
    )
    refused = json.loads(checked(*files.values()).stdout)
    assert {Path(error["filename"]) for error in refused["errors"]} == set(files.values())
