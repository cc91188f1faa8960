from __future__ import annotations

import json
import unicodedata
from itertools import permutations
from random import Random
from typing import Any, Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pinsync import canonical, yamlio
from pinsync.canonical import normalize
from pinsync.canonical.normalize import normalize_row
from pinsync.document.record import render_document, render_head
from pinsync.errors import DataError
from pinsync.model import MAX_DEPTH
from support.strategies import AWKWARD, QUICK, rows, texts, values

Row = dict[str, Any]

EVERYTHING: Row = {
    "id": "199620b4-df1a-46e8-ab59-9e9ed9af7106",
    "model": "basket",
    "target_type": "item",
    "target_identity": "/p/123/",
    "target_criteria": {
        "price": {"max": 1e16, "min": 0.5},
        "category": ["shoes", ["red", ["new"]], {"a": 1, "b": []}, {}],
    },
    "tags": ["sale", "christmas", "new year"],
    "target_metadata": {"title": "Strings: 9-42 #1", "": None, "size 10": True},
    "pin_definitions": [
        {
            "position": 1,
            "pin_type": "item",
            "pin_identity": "/p/234/",
            "active_to": "2027-01-01T00:00:00+01:00",
        },
        {
            "position": 0,
            "pin_type": "criteria",
            "pin_criteria": {"brand": 'say "hi"'},
            "is_block_pin": True,
        },
    ],
    "weight": 12345678901234567890,
    "is_new": None,
}
EVERYTHING_TEXT = """\
  - id: 199620b4-df1a-46e8-ab59-9e9ed9af7106
    target_type: item
    target_identity: /p/123/
    target_criteria:
      category:
        - shoes
        - - red
          - - new
        - a: 1
          b: []
        - {}
      price:
        max: 1.0e+16
        min: 0.5
    tags:
      - christmas
      - "new year"
      - sale
    target_metadata:
      "": null
      "size 10": true
      title: "Strings: 9-42 #1"
    pin_definitions:
      - position: 0
        pin_type: criteria
        pin_criteria:
          brand: 'say "hi"'
        is_block_pin: true
      - position: 1
        pin_type: item
        pin_identity: /p/234/
        active_to: "2026-12-31T23:00:00Z"
    is_new: null
    weight: 12345678901234567890
"""


def row(**fields: object) -> Row:
    return {"id": "i", "model": "basket", "target_type": "all", **fields}


def text_of(**fields: object) -> str:
    return normalize.build_customization(row(**fields)).text.decode()


def value(field: object) -> str:
    """Return how a value is written behind its key."""
    head, _, tail = text_of(x=field).partition("    x:")
    assert head == "  - id: i\n    target_type: all\n"
    return tail


def exact(data: object) -> str:
    return json.dumps(data, sort_keys=True)


# The frozen text


def test_the_whole_of_a_customization() -> None:
    assert normalize.build_customization(EVERYTHING).text.decode() == EVERYTHING_TEXT


def test_the_text_begins_with_what_there_is() -> None:
    assert (
        normalize.build_customization({"target_type": "all"}, model="m").text
        == b"  - target_type: all\n"
    )


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (None, " null\n"),
        (True, " true\n"),
        (False, " false\n"),
        ({}, " {}\n"),
        ([], " []\n"),
        (0, " 0\n"),
        (-12, " -12\n"),
        (2**70, " 1180591620717411303424\n"),
        (1.0, " 1\n"),
        (-0.0, " 0\n"),
        (0.1, " 0.1\n"),
        (-2.5, " -2.5\n"),
        (1e15, " 1000000000000000\n"),
        (1e16, " 1.0e+16\n"),
        (1e22, " 1.0e+22\n"),
        (-1.5e300, " -1.5e+300\n"),
        (123456789012345680.0, " 1.2345678901234568e+17\n"),
        (1e-4, " 0.0001\n"),
        (1e-7, " 1.0e-07\n"),
        (1.25e-7, " 1.25e-07\n"),
        (5e-324, " 5.0e-324\n"),
        ([1, 2], "\n      - 1\n      - 2\n"),
        ([[]], "\n      - []\n"),
        ([{}], "\n      - {}\n"),
        ([[1]], "\n      - - 1\n"),
        ([[[1, 2], 3], 4], "\n      - - - 1\n          - 2\n        - 3\n      - 4\n"),
        ([{"a": 1, "b": [2]}], "\n      - a: 1\n        b:\n          - 2\n"),
        ([[{"a": {"b": 1}}]], "\n      - - a:\n            b: 1\n"),
        ({"a": {"b": {}}}, "\n      a:\n        b: {}\n"),
        ({"a": [{"b": []}]}, "\n      a:\n        - b: []\n"),
        (
            {"no": 1, "1": 2, "a b": 3},
            '\n      "1": 2\n      a b: 3\n      "no": 1\n'.replace("a b:", '"a b":'),
        ),
    ],
)
def test_values(field: object, expected: str) -> None:
    assert value(field) == expected


BARE = (
    *("a", "Z", "/", "_", "/p/123/", "a.b", "a-b", "a-", "a."),
    *("a1", "_1", "e", "E", "e1x", "e1.5", "nope", "yes_", "trueish"),
    *("infinity", "nano", "x0", "A-Z", "no/", "on."),
    *("/1", "_0x1", "e_1", "christmas", "item_detail_complements", "y1"),
    *("199620b4-df1a-46e8-ab59-9e9ed9af7106",),
    *("12345678-1234-1234-1234-123456789012", "1e345678-1234-1234-1234-123456789012"),
)  # fmt: skip


@pytest.mark.parametrize("text", BARE)
def test_texts_that_stand_bare(text: str) -> None:
    assert value(text) == f" {text}\n"
    assert value({text: 1}) == f"\n      {text}: 1\n"


QUOTED = (
    *("y", "N", "yes", "No", "ON", "oFf", "true", "False", "nUll", "nan", "NaN"),
    *("INF", "~", "=", "<<", "null!"),
    *("e1", "E10", "e007", "1", "1a", "-", "-a", ".5", ".a", "+1", "0x1"),
    *("1_000", "2026-12-31", "12:30"),
    *("", " ", "a b", " a", "a ", "a:", "a: b", "a#", "a #", "?", "@", "*a", "a,b"),
    *("a=b", "a(b)", "[]", "{}", "a@b"),
    *("é", "日本", "/č/", "\u212a", "ﬀ", "٣", "１"),
)  # fmt: skip
"""Texts that stand in double quotes, and need nothing besides."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((word, f'"{word}"') for word in QUOTED),
        ("199620B4-DF1A-46E8-AB59-9E9ED9AF7106", '"199620B4-DF1A-46E8-AB59-9E9ED9AF7106"'),
        ("199620b4-df1a-46e8-ab59-9e9ed9af710", '"199620b4-df1a-46e8-ab59-9e9ed9af710"'),
        ("199620b4-df1a-46e8-ab59-9e9ed9af7106\n", r'"199620b4-df1a-46e8-ab59-9e9ed9af7106\n"'),
        ("a\n", r'"a\n"'),
        ("it's", '"it\'s"'),
        ('"', "'\"'"),
        ('say "hi"', "'say \"hi\"'"),
        ('it\'s "x"', "'it''s \"x\"'"),
        ('"\n', r'"\"\n"'),
        ("a\\b", r'"a\\b"'),
        ('"\\', r'"\"\\"'),
        ("\b\t\n\f\r", r'"\b\t\n\f\r"'),
        ("\x00\x1b\x1f", r'"\u0000\u001b\u001f"'),
        ("\x7f\x80\x85\x9f", r'"\u007f\u0080\u0085\u009f"'),
        ("\xa0\xad\u061c", '"\xa0\\u00ad\\u061c"'),
        ("\u200a\u200b\u200f\u2010", '"\u200a\\u200b\\u200f\u2010"'),
        ("\u2027\u2028\u202e\u202f", '"\u2027\\u2028\\u202e\u202f"'),
        ("\u205f\u2060\u2065\u2069\u206a", '"\u205f\\u2060\\u2065\\u2069\u206a"'),
        ("\ufeff\ufff8\ufff9\ufffb\ufffc\ufffd", '"\\ufeff\ufff8\\ufff9\\ufffb\ufffc\ufffd"'),
        ("\ufdcf\ufdd0\ufdef\ufdf0\ufffe\uffff", '"\ufdcf\\ufdd0\\ufdef\ufdf0\\ufffe\\uffff"'),
        ("\U0001fffe\U0010ffff\U0010fffd", '"\\U0001fffe\\U0010ffff\U0010fffd"'),
        ("\U000dffff\U000e0000\U000e007f\U000e0080", '"\\U000dffff\\U000e0000\\U000e007f\U000e0080"'),
        ("😀 🇸🇰", '"😀 🇸🇰"'),
        ("👩\u200d💻", '"👩\\u200d💻"'),
        ("\ue000\U000f0000", '"\ue000\U000f0000"'),
        ("/", "/"),
        ("</script>", '"</script>"'),
        ("word " * 40, '"' + "word " * 40 + '"'),
    ],
)  # fmt: skip
def test_texts_that_are_quoted(text: str, expected: str) -> None:
    assert value(text) == f" {expected}\n"
    assert value({text: [text]}) == f"\n      {expected}:\n        - {expected}\n"


def test_the_escapes_are_a_frozen_list() -> None:
    ranges = (
        *((0x00, 0x1F), (0x22, 0x22), (0x5C, 0x5C), (0x7F, 0x9F)),
        *((0xAD, 0xAD), (0x61C, 0x61C), (0x200B, 0x200F), (0x2028, 0x202E)),
        *((0x2060, 0x2069), (0xFDD0, 0xFDEF), (0xFEFF, 0xFEFF)),
        *((0xFFF9, 0xFFFB), (0xE0000, 0xE007F)),
        *((plane << 16 | 0xFFFE, plane << 16 | 0xFFFF) for plane in range(17)),
    )  # fmt: skip
    expected = {code for low, high in ranges for code in range(low, high + 1)}
    valid = [code for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
    found = {code for code in valid if "\\" in canonical.quote(f"\\{chr(code)}")[3:]}
    assert found == expected


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_text_is_not_normalized(form: Literal["NFC", "NFD"]) -> None:
    text = unicodedata.normalize(form, "čaj")
    assert value(text) == f' "{text}"\n'


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\udc00\ud800", "\ud83d" + "\ude00"])
def test_half_a_surrogate_pair_is_refused(text: str) -> None:
    for field in (text, {text: 1}, [{"a": text}]):
        with pytest.raises(DataError, match="not valid Unicode"):
            value(field)


def test_a_key_is_limited_as_it_is_written() -> None:
    for key in ("a" * 1000, "é" * 998, "\n" * 499):
        text = text_of(x={key: 1})
        assert len(text.splitlines()[-1].strip()) == 1000 + len(": 1")
        assert yaml.safe_load(text)[0]["x"] == {key: 1}
    for key in ("a" * 1001, "é" * 999, "\n" * 500):
        with pytest.raises(DataError, match="a key of 100"):
            value({key: 1})


# Order


def pin(position: object, **fields: object) -> Row:
    return {"position": position, "pin_type": "item", **fields}


PINS_IN_ORDER: list[Row] = [
    pin(-1, pin_identity="/z/"),
    pin(0, pin_identity="/z/"),
    pin(1, pin_identity="/a/"),
    pin(1, pin_identity="/b/"),
    pin(
        1, pin_identity="/b/", active_from="2025-01-01T00:00:00Z", active_to="2027-01-01T00:00:00Z"
    ),
    pin(
        1, pin_identity="/b/", active_from="2026-01-01T00:00:00Z", active_to="2026-02-01T00:00:00Z"
    ),
    pin(
        1, pin_identity="/b/", active_from="2026-01-01T00:00:00Z", active_to="2026-03-01T00:00:00Z"
    ),
    pin(1, pin_identity="/b/", widget_id="a"),
    pin(1, pin_identity="/b/", widget_id="b"),
    pin(1, pin_identity="/b/", widget_id="b", is_block_pin=True),
    pin(1, pin_identity="/b/", widget_id="b", is_bundle_pin=True),
    pin(1, pin_identity="/b/", widget_id="b", note="v"),
    pin(1, pin_identity="/b/", widget_id="b", note="w"),
    {"position": 1, "pin_type": "criteria", "pin_criteria": {"a": 1}},
    {"position": 1, "pin_type": "criteria", "pin_criteria": {"a": 2}},
    {"position": 1, "pin_type": "future", "pin_identity": "/a/"},
    pin(2, pin_identity="/a/"),
    pin(10, pin_identity="/a/"),
    {"position": "1", "pin_type": "item"},
]


def test_pins_are_ordered() -> None:
    for seed in range(30):
        shuffled = Random(seed).sample(PINS_IN_ORDER, len(PINS_IN_ORDER))
        data = canonical.read(text_of(pin_definitions=shuffled))
        assert data is not None
        assert data["pin_definitions"] == PINS_IN_ORDER


def test_equal_pins_are_two_pins() -> None:
    assert text_of(pin_definitions=[pin(1), pin(1)]).count("- position: 1\n") == 2


def test_pins_that_are_kept_as_they_came_are_not_sorted() -> None:
    assert value_of_pins([pin(2), 1, pin(1)]) == [pin(2), 1, pin(1)]


def value_of_pins(pins: object) -> object:
    data = canonical.read(text_of(pin_definitions=pins))
    assert data is not None
    return data["pin_definitions"]


CUSTOMIZATIONS_IN_ORDER: list[Row] = [
    {"id": "z", "target_type": "item"},
    {"id": "y", "target_type": "item", "target_identity": "/p/1/"},
    {"id": "a", "target_type": "item", "target_identity": "/p/10/"},
    {"target_type": "item", "target_identity": "/p/2/"},
    {"id": "b", "target_type": "item", "target_identity": "/p/2/"},
    {"id": "c", "target_type": "item", "target_identity": "/p/2/"},
    {"id": "a1", "target_type": "item", "target_identity": "\uffee"},
    {"id": "a2", "target_type": "item", "target_identity": "\U0001f600"},
    {"id": "m", "target_type": "criteria", "target_criteria": {"a": 1}},
    {"id": "l", "target_type": "criteria", "target_criteria": {"a": 2}},
    {"id": "k", "target_type": "all"},
    {"id": "j2", "target_type": "All"},
    {"id": "j", "target_type": "future"},
]


def test_customizations_are_ordered() -> None:
    items = [normalize.build_customization(data, model="m") for data in CUSTOMIZATIONS_IN_ORDER]
    for seed in range(10):
        shuffled = Random(seed).sample(items, len(items))
        assert sorted(shuffled, key=canonical.build_sort_key) == items
        assert render_document("m", shuffled) == render_head("m") + b"".join(
            item.text for item in items
        )


def test_what_ties_is_ordered_by_its_text() -> None:
    items = [
        normalize.build_customization({"target_type": "all", "note": note}, model="m")
        for note in "abc"
    ]
    for some in permutations(items):
        assert sorted(some, key=canonical.build_sort_key) == items


def test_the_record_of_a_customization() -> None:
    item = normalize.build_customization(EVERYTHING | {"updated_at": "2026-01-01"})
    assert (item.model, item.id, item.updated_at) == ("basket", EVERYTHING["id"], "2026-01-01")
    assert item.target.type == "item"
    assert item.target.identity == "/p/123/"
    assert item.target.criteria is not None
    assert item.target.criteria.startswith("category:\n  - shoes\n  - - red\n")


def test_an_identity_of_the_wrong_type_is_no_identity() -> None:
    assert normalize.build_customization(row(target_identity=5)).target == ("all", None, None)


# Readers


def readings(text: str) -> dict[str, Any]:
    """Read a block with every reader there is."""
    return {
        "yamlio": yamlio.load(text.encode(), "f").data,
        "ruamel": YAML(typ="safe", pure=True).load(text),
        "ruamel, round trip": YAML().load(text),
        "PyYAML": yaml.safe_load(text),
        "our strict reader": [canonical.read(text)],
    }


@settings(QUICK, max_examples=150)
@given(values)
def test_every_value_comes_back_from_every_reader(drawn: object) -> None:
    item = normalize.build_customization(row(x=drawn))
    clean = {"id": "i", "target_type": "all", "x": normalize_row(row(x=drawn))["x"]}
    assert clean["x"] == drawn
    for reader, data in readings(item.text.decode()).items():
        assert data == [clean], reader
        assert exact(data) == exact([clean]), reader


@pytest.mark.parametrize("at", range(0, len(AWKWARD), 20))
def test_every_awkward_text_comes_back_from_every_reader(at: int) -> None:
    some = AWKWARD[at : at + 20]
    data = {"id": "i", "target_type": "all", "x": [*some, {text: text for text in sorted(some)}]}
    for reader, read in readings(text_of(x=data["x"])).items():
        assert exact(read) == exact([data]), reader


@QUICK
@given(rows)
def test_every_row_comes_back_from_the_strict_reader(drawn: Row) -> None:
    item = normalize.build_customization(drawn)
    data = canonical.read(item.text.decode())
    assert data is not None
    assert canonical.render(data).encode() == item.text
    assert exact(normalize_row(data)) == exact(data)
    assert normalize.build_customization(data, model="basket").text == item.text
    assert exact(yamlio.load(item.text, "f").data) == exact([data])


@QUICK
@given(rows, rows)
def test_two_different_rows_never_share_a_text(one: Row, other: Row) -> None:
    same = exact(in_order(one)) == exact(in_order(other))
    assert (
        normalize.build_customization(one).text == normalize.build_customization(other).text
    ) == same


def in_order(drawn: Row) -> Row:
    """Normalize a row, its pins in an order of their own."""
    data = normalize_row(drawn)
    if isinstance(pins := data.get("pin_definitions"), list) and all(
        isinstance(pin, dict) for pin in pins
    ):
        data["pin_definitions"] = sorted(pins, key=exact)
    return data


@QUICK
@given(st.lists(rows, min_size=1, max_size=1), st.data())
def test_a_changed_leaf_changes_the_text(drawn: list[Row], data: st.DataObject) -> None:
    (before,) = drawn
    name = data.draw(st.sampled_from(["note", "x y", "id", "target_type"]))
    after = before | {name: data.draw(texts.filter(bool))}
    same = exact(normalize_row(before)) == exact(normalize_row(after))
    assert (
        normalize.build_customization(before).text == normalize.build_customization(after).text
    ) == same


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "  - ",
        "  - id: i",  # no final newline
        "  - id: i\n\n",
        "  - id: i\n    \n",
        "  - id: i\r\n",
        "  - id: i \n",
        "  -  id: i\n",
        "- id: i\n",
        "    id: i\n",
        "  - id: i\n  - id: j\n",
        "  - id: i\n   note: x\n",
        "  - id: i\n     note: x\n",
        "  - id: i\n    id: i\n",
        '  - id: "i"\n',
        "  - 'id': i\n",
        "  - id: 'i'\n",
        '  - id: "a\\/b"\n',
        '  - id: "\\x41 "\n',
        '  - id: "\\u00E9 "\n',
        '  - id: "\\ud83d\\ude00"\n',
        '  - id: "\\ud83d"\n',
        '  - id: "\\U00110000"\n',
        '  - id: "a b\n',
        '  - id: "a" b"\n',
        "  - id: a b\n",
        "  - id: yes\n",
        "  - id: ~\n",
        "  - id: Null\n",
        "  - id: 01\n",
        "  - id: +1\n",
        "  - id: -0\n",
        "  - id: 1.50\n",
        "  - id: 1e5\n",
        "  - id: 1.0e16\n",
        "  - id: " + "9" * 5000 + "\n",
        "  - id: |\n      i\n",
        "  - id: [i]\n",
        "  - id: {a: b}\n",
        "  - id: [ ]\n",
        "  - id:\n",
        "  - id:\n    note: x\n",
        "  - id:\n    - a\n",
        "  - id:\n        - a\n",
        "  - id: i # x\n",
        "  # x\n  - id: i\n",
        "  - id: i\n    pin_definitions:\n      - position: 2\n      - position: 1\n",
        "  - id: &a i\n",
        "  - id: !!str i\n",
        "  - ? id\n    : i\n",
        "  - {}\n",
        "  - []\n",
        "  - i\n",
        "  - - i\n",
    ],
)  # fmt: skip
def test_the_strict_reader_believes_canonical_text_only(text: str) -> None:
    assert canonical.read(text) is None


@settings(QUICK, max_examples=300)
@given(st.data())
def test_what_the_strict_reader_believes_means_the_same_to_a_yaml_parser(
    data: st.DataObject,
) -> None:
    """A canonical text with a few bytes changed: read as YAML reads it, or not at all."""
    text = list(EVERYTHING_TEXT)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from(["", *" \n:-#'\"\\0.e[]{}", "  ", "\n    ", "a"])
        )
    changed = "".join(text)
    found = canonical.read(changed)
    if found is not None:
        assert exact(found) == exact(yamlio.load(changed.encode(), "f").data[0])  # type: ignore[index]


@pytest.mark.parametrize(
    "text", [b"basket", b'"a b"', b"'\"'", b"199620b4-df1a-46e8-ab59-9e9ed9af7106"]
)
def test_a_canonical_scalar_is_read(text: bytes) -> None:
    assert canonical.read_value(text) == yaml.safe_load(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b'"basket"',
        b"'basket'",
        b"a b",
        b"\xff",
        b'"\xff"',
        b'"\\ud800"',
        b'"\\U00110000"',
        b"9" * 5000,
        b"null",
    ],
)
def test_any_other_scalar_is_not(text: bytes) -> None:
    assert canonical.read_value(text) is None


def test_the_deepest_value_comes_back() -> None:
    deep: object = "x"
    for level in range(MAX_DEPTH):
        deep = [deep] if level % 2 else {"a": deep}
    for reader, data in readings(text_of(x=deep)).items():
        assert data[0]["x"] == deep, reader
