from __future__ import annotations

import json
import re
from datetime import date
from typing import Any, Final

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pinsync.errors import FileError
from pinsync.model import MAX_DEPTH
from pinsync.yamlio import MAX_DIGITS, MAX_NESTING, Loaded, find_nearest_place, load

EXAMPLE: Final = """\
format: 1
model: basket
customizations:
  # a heading
  - id: 199620b4-df1a-46e8-ab59-9e9ed9af7106
    target_type: item
    tags: [christmas, "new year", {a: b}]
    target_metadata:
      "title: long": 'Strings #1: it''s "9-42"'
    note: |+
      first
      # no comment

    folded: >-
      one
      two

    # a comment again
    text: "one
      two\\
      three"
    bare: one
      two
    ? asked
    : answered
    pin_definitions: # the pins
    - position: 1
      pin_type: item
    - - -1.5e+3
      -
        null
"""

EXAMPLE_DATA: Final = {
    "format": 1,
    "model": "basket",
    "customizations": [
        {
            "id": "199620b4-df1a-46e8-ab59-9e9ed9af7106",
            "target_type": "item",
            "tags": ["christmas", "new year", {"a": "b"}],
            "target_metadata": {"title: long": 'Strings #1: it\'s "9-42"'},
            "note": "first\n# no comment\n\n",
            "folded": "one two",
            "text": "one twothree",
            "bare": "one two",
            "asked": "answered",
            "pin_definitions": [{"position": 1, "pin_type": "item"}, [-1500.0, None]],
        }
    ],
}

EXAMPLE_COMMENTS: Final = (
    (4, 3, "# a heading"),
    (18, 5, "# a comment again"),
    (26, 22, "# the pins"),
)


def read(text: str) -> object:
    return load(text.encode(), "f.yaml").data


def refusal(text: str | bytes) -> FileError:
    with pytest.raises(FileError) as caught:
        load(text.encode() if isinstance(text, str) else text, "f.yaml")
    return caught.value


def exact(value: object) -> str:
    """Tell 1 from 1.0 and from True, 0.0 from -0.0, and one order of keys from another."""
    return json.dumps(value)


def test_example_is_read_whole() -> None:
    loaded = load(EXAMPLE.encode(), "f.yaml")
    assert exact(loaded.data) == exact(EXAMPLE_DATA)
    assert loaded.comments == EXAMPLE_COMMENTS


def test_marks_name_line_and_column_from_one() -> None:
    marks = load(EXAMPLE.encode(), "f.yaml").marks
    pins = ("customizations", 0, "pin_definitions")
    expected = {
        (): (1, 1),
        ("format",): (1, 1),
        ("customizations",): (3, 1),
        ("customizations", 0): (5, 5),
        ("customizations", 0, "id"): (5, 5),
        ("customizations", 0, "target_type"): (6, 5),
        ("customizations", 0, "tags", 1): (7, 23),
        ("customizations", 0, "tags", 2, "a"): (7, 36),
        ("customizations", 0, "target_metadata", "title: long"): (9, 7),
        ("customizations", 0, "asked"): (24, 7),
        (*pins,): (26, 5),
        (*pins, 0): (27, 7),
        (*pins, 0, "pin_type"): (28, 7),
        (*pins, 1): (29, 7),
        (*pins, 1, 0): (29, 9),
        (*pins, 1, 1): (31, 9),
    }
    assert {path: marks.get(path) for path in expected} == expected


def test_marks_count_characters_not_bytes() -> None:
    assert load("{é😀: 1, b: 2}".encode(), "f.yaml").marks["b",] == (1, 9)


def test_crlf_changes_nothing() -> None:
    assert load(EXAMPLE.replace("\n", "\r\n").encode(), "f.yaml") == load(
        EXAMPLE.encode(), "f.yaml"
    )


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment", "---\n", "---\n...\n", "~\n"])
def test_empty_document_is_none(text: str) -> None:
    assert load(text.encode(), "f.yaml").data is None


def test_empty_file_has_a_start() -> None:
    assert load(b"", "f.yaml") == Loaded(None, {(): (1, 1)}, (), frozenset())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("nULL", "nULL"),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("0", 0),
        ("+7", 7),
        ("-0", 0),
        ("0xfF", 255),
        ("1.0", 1.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1.0e+3", 1000.0),
        ("-0.0", -0.0),
        ("0b2", "0b2"),
        ("1:60", "1:60"),
        ("_1", "_1"),
        (".", "."),
        ("e5", "e5"),
        ("1e", "1e"),
        ("inf", "inf"),
        ("nan", "nan"),
        ("2026-12-31", "2026-12-31"),
        ("2026-12-31T23:00:00Z", "2026-12-31T23:00:00Z"),
        ("12 # twelve", 12),
        ("a#b", "a#b"),
        ("/p/123/?a=b&c=*", "/p/123/?a=b&c=*"),
        ("a - b ? c ! d", "a - b ? c ! d"),
        ("=", "="),
        ("٣", "٣"),
        ('"012"', "012"),
        ("'true'", "true"),
        ('""', ""),
        ("{}", {}),
        ("[]", []),
        ("[ a, 1, ]", ["a", 1]),
        ("{a: , b: ~}", {"a": None, "b": None}),
        ('{"a":1,"b":[]}', {"a": 1, "b": []}),
        ("[a: 1]", [{"a": 1}]),
        ("[http://x/y]", ["http://x/y"]),
    ],
)
def test_values_are_those_of_the_core_schema(text: str, value: object) -> None:
    assert exact(read(f"k: {text}\n")) == exact({"k": value})


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("010", "write 10 if it is a number; put it in quotes if it is a text"),
        ("0o17", "write 15 if it is a number; put it in quotes if it is a text"),
        ("-.5e2", "write -50.0 if it is a number; put it in quotes if it is a text"),
        ("1_000", "write it in decimal digits if it is a number; put it in quotes if it is a text"),
    ],
)
def test_a_number_that_readers_take_in_different_ways_comes_with_what_to_write(
    text: str, hint: str
) -> None:
    assert refusal(f"a: {text}\n").hint == hint


TEXTS: Final = """
08989 0012 -007 1e5 1E5 1e16 1e400 0x1F -0x1F 0o17 0b1 +5 1_000 -0 -0.0 1.0 1.50 100.0 .5 -.5 5. 1:30 1:30.5
.inf -.Inf .nan yes No on True FALSE nUll = 2026-01-01 2026-01-01T00:00:00Z
"""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, text) for text in TEXTS.split()),
        ("9" * (MAX_DIGITS + 1), "9" * (MAX_DIGITS + 1)),
        *(
            (text, json.loads(text))
            for text in ("8989", "-5", "0", "1.5", "1.0e+16", "true", "false", "null")
        ),
        *((text, None) for text in ("", "~", "Null", "NULL")),
        ('"08989"', "08989"),
        ("'8989'", "8989"),
        ("|-\n  8989", "8989"),
        ("a\n b", "a b"),
        ("[0x1F]", [31]),
    ],
)
def test_in_a_field_that_holds_text_a_number_in_another_spelling_is_text(
    text: str, value: object
) -> None:
    loaded = load(f"k: {text}\n".encode(), "f.yaml", holds_text=lambda path: path == ("k",))
    assert exact(loaded.data) == exact({"k": value})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (
            r'"\U0001F600 \x41 \/ \e \N \_ \L \P \0"',
            "\U0001f600 A / \x1b \x85 \xa0 \u2028 \u2029 \0",
        ),
        (r'"\ud83d\ude00"', "😀"),
        ('"😀"', "😀"),
        ("'it''s'", "it's"),
        ('"a\\\n b"', "ab"),
        ('"a\n\n b"', "a\nb"),
        ('"a  \n   b"', "a b"),
        ("a\n b\n\n c", "a b\nc"),
        ("|\n  a\n   b\n", "a\n b\n"),
        ("|-\n  a\n\n", "a"),
        ("|2\n   a\n", " a\n"),
        (">\n  a\n  b\n\n  c\n", "a b\nc\n"),
        ("| # said\n  a # b\n", "a # b\n"),
        ("\n  # said\n  a", "a"),
    ],
)
def test_texts_in_every_style(text: str, value: str) -> None:
    assert read(f"k: {text}") == {"k": value}


def test_quoted_keys_are_texts_whatever_they_look_like() -> None:
    text = "'1': a\n'null': b\n'<<': c\n\"\": d\n"
    assert read(text) == {"1": "a", "null": "b", "<<": "c", "": "d"}


def test_one_document_may_be_marked() -> None:
    assert read("--- # begins\na: 1\n...\n# ends\n") == {"a": 1}


REFUSED: Final = [
    ("a: 1\nb: 2\na: 3\n", 3, 1, 'the key "a" stands twice, first on line 1'),
    ("- {a: 1, 'a': 2}", 1, 10, "stands twice"),
    ("a: &x 1", 1, 4, "an anchor"),
    ("&x a: 1", 1, 1, "an anchor"),
    ("- b\n- *b\n", 2, 3, "an alias"),
    ("a: *b*", 1, 4, "an alias"),
    ("a: !!str 1", 1, 4, "a tag"),
    ("a: !x {}", 1, 4, "a tag"),
    ("a: !", 1, 4, "a tag"),
    ("%YAML 1.2\n---\na: 1\n", 1, 1, "a directive"),
    ("%x", 1, 1, "a directive"),
    ("a: 1\n---\nb: 2\n", 2, 1, "a second document"),
    ("---\n---\n", 2, 1, "a second document"),
    ("a: 1\n...\nb: 2\n", 3, 1, "a second document"),
    ("a:\n  1: x\n", 2, 3, "a key must be a text"),
    ("true: x", 1, 1, "a key must be a text"),
    ("~: x", 1, 1, "a key must be a text"),
    (": x", 1, 1, "a key must be a text"),
    ("a: {: x}", 1, 6, "a key must be a text"),
    ("<<: {a: 1}", 1, 1, "a key must be a text"),
    ("? [a]\n: b\n", 1, 3, "a key must be a text"),
    ("{{a: 1}: b}", 1, 2, "a key must be a text"),
    ("a: .nan", 1, 4, "not a finite number"),
    ("- -.Inf", 1, 3, "not a finite number"),
    ("a: [1, -1e400]", 1, 8, "not a finite number"),
    ("1e400: a", 1, 1, "not a finite number"),
    ("a: [1, -1e-400]", 1, 8, "too small for a number"),
    ("a: 1E-" + "9" * 100_000, 1, 4, "too small for a number"),
    ("a: 010", 1, 4, 'YAML 1.1 and 1.2 take "010" in different ways'),
    ("- -007", 1, 3, "in different ways"),
    ("[08]", 1, 2, "in different ways"),
    ("a: 00.5", 1, 4, "in different ways"),
    ("a: 0o17", 1, 4, "in different ways"),
    ("a: -0x1F", 1, 4, "in different ways"),
    ("a: 0b1", 1, 4, "in different ways"),
    ("a: 1_000", 1, 4, "in different ways"),
    ("a: 1:30", 1, 4, "in different ways"),
    ("a: 1:30:15.5", 1, 4, "in different ways"),
    ("a: 1e3", 1, 4, "in different ways"),
    ("a: 1.5E5", 1, 4, "in different ways"),
    ("a: -.5", 1, 4, "in different ways"),
    ("a: 0" + "1" * 1000, 1, 4, "in different ways"),
    ("a: {1_000: b}", 1, 5, "a key must be a text"),
    ("1:30: a", 1, 1, "a key must be a text"),
    ("010: a", 1, 1, "a key must be a text"),
    ("a: 1" + "0" * MAX_DIGITS, 1, 4, "more than 4,300 digits"),
    ("a: " + hex(10**MAX_DIGITS), 1, 4, "more than 4,300 digits"),
    ("a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> x\n", 2, 1, "a merge conflict"),
    ("a: 1\r\n=======\r\nb: 2\r\n", 2, 1, "a merge conflict"),
    ("||||||| base\n", 1, 1, "a merge conflict"),
    ("a: |\n  x\n>>>>>>>", 3, 1, "a merge conflict"),
    (b"\xef\xbb\xbfa: 1", 1, 1, "a byte order mark"),
    ("a: 1".encode("utf-16"), 1, 1, "UTF-16"),
    ("a: 1".encode("utf-16-be"), 1, 1, "UTF-16"),
    ("čaj".encode("utf-16"), 1, 1, "UTF-16"),
    ("a: 1".encode("utf-32"), 1, 1, "UTF-16"),
    ("a: 1".encode("utf-32-be"), 1, 1, "UTF-16"),
    ("a: é\nb: ".encode() + b"\xe9\n", 2, 4, "the byte 0xE9 is not UTF-8"),
    (b"a: \xc3", 1, 4, "the byte 0xC3 is not UTF-8"),
    (b"a: \xed\xa0\x80", 1, 4, "the byte 0xED is not UTF-8"),
    ("a: 'é\x85'", 1, 6, "U+0085"),
    ("# a\u2028b: 1", 1, 4, "U+2028"),
    ("a: b\n\u2029", 2, 1, "U+2029"),
    ("a: b\ufeff", 1, 5, "U+FEFF"),
    ('a: "b\x00"', 1, 6, "U+0000"),
    ("a: \x1b[31m", 1, 4, "U+001B"),
    ("a: \x7f", 1, 4, "U+007F"),
    ("a: \ufffe", 1, 4, "U+FFFE"),
    ("a: 1\rb: 2", 1, 5, "a carriage return"),
    (r'a: "\ud800"', 1, 4, "a lone surrogate"),
    (r'a: "\ude00\ud83d"', 1, 4, "a lone surrogate"),
    (r'"\udfff": a', 1, 1, "a lone surrogate"),
    (r'a: "\U00110000"', 1, 7, "an escape that names no character"),
    (r'a: "\UFFFFFFFF"', 1, 7, "an escape that names no character"),
    (r'a: "\q"', 1, 6, "unknown escape character 'q'"),
    ("a:\n\tb: 1\n", 2, 1, "a tab"),
    ("a:\n  b: 1\n  \tc: 1\n", 3, 3, "a tab"),
    ("a:\tb\n", 1, 3, "a tab"),
    ("a: b: c\n", 1, 5, "a ':' where no key can stand"),
    ("a: 1\n b: 2\n", 2, 2, "the line is indented too far"),
    ("a: 1\n\n  # c\n  b: 2\n", 4, 3, "the line is indented too far"),
    ('- a: "1"\n    b: 2\n', 2, 5, "the line is indented too far"),
    ("a:\n   - b\n  - c\n  - d\n", 2, 4, "the line is indented too far"),
    (
        "a:\n   - b: 1\n     c:\n       - d\n       - e\n\n  # f\n  - b: 2\n",
        2,
        4,
        "the line is indented too far",
    ),
    ("a:\n  - b\n   - c\n  - d\n", 3, 4, "the line is indented too far"),
    ("a:\n  - b\n\n   -\n  - d\n", 4, 4, "the line is indented too far"),
    ("a: [b\n   - c]\n", 2, 4, "the line is indented too far"),
    ("a:\n  - b\n  - c\n - d\n", 4, 2, "doesn't fit"),
    ("- a: 1\n  b:2\n", 2, 3, "a ':' without a blank behind it"),
    ("- a:1\n  b: 2\n", 1, 3, "a ':' without a blank behind it"),
    ("a:1\nb: 2\n", 1, 1, "a ':' without a blank behind it"),
    ("a:1\n# c\nb: 2\n", 1, 1, "a ':' without a blank behind it"),
    ("a: 1\nb:/p/1/\nc: 2\n", 2, 1, "a ':' without a blank behind it"),
    ("a: - b\n", 1, 4, "a '-' where no list item can stand"),
    ("a: 1\nb\nc: 1\n", 2, 1, "a key without its ':'"),
    ("a: 1\n" + "k" * 1025 + ": 1\n", 2, 1, "a key without its ':'"),
    ("a: @b\n", 1, 4, "can't begin with this character"),
    ("a: `b`\n", 1, 4, "can't begin with this character"),
    ("a:\n  b: 1\n c: 1\n", 3, 2, "doesn't fit"),
    ("a: 'b' c\n", 1, 8, "doesn't fit"),
    ('a: "b\n', 1, 4, "quotes that aren't closed"),
    ('a:\n  b: "c\n  d: "e"\n', 2, 6, "quotes that aren't closed"),
    ("a: 'b\n---\n'\n", 1, 4, "quotes that aren't closed"),
    ('a: "b"#c\n', 1, 7, "a # right behind a value"),
    ("a: {b:}\n", 1, 7, "a ':' without a space"),
    ("a: [b:, c]\n", 1, 7, "a ':' without a space"),
    ("a: {?b: c}\n", 1, 5, "a '?' without a space"),
    ("a: [b, ?c]\n", 1, 8, "a '?' without a space"),
    ("a: [?]\n", 1, 5, "a '?' without a space"),
    ("a: [-]\n", 1, 5, "a '-' where no list item can stand"),
    ("a: [b, -, c]\n", 1, 8, "a '-' where no list item can stand"),
    ("a: [ : b]\n", 1, 6, "a ':' without a key"),
    ("...\n", 1, 1, "a '...' without a document"),
    ("a: {b: -}\n", 1, 8, "a '-' where no list item can stand"),
    ("a: [b\nc: d\n", 2, 1, "inside brackets that isn't indented enough"),
    ("a: [b,\nc]\n", 2, 1, "inside brackets that isn't indented enough"),
    ("a: [b\nc]\n", 2, 1, "inside brackets that isn't indented enough"),
    ("a: [b # c\n,d]\n", 2, 1, "inside brackets that isn't indented enough"),
    ("- a: {\n  b: c}\n", 2, 3, "inside brackets that isn't indented enough"),
    ("- a: [\n  b\n ]\n", 2, 3, "inside brackets that isn't indented enough"),
    ("- a: [b\n ]\n", 2, 2, "inside brackets that isn't indented enough"),
    ("- [\n\ta,\n b]\n", 2, 2, "inside brackets that isn't indented enough"),
    ("a:\n|\n  b\n", 2, 1, "a '|' below its key"),
    ("- a:\n  >-\n   b\n", 2, 3, "a '>' below its key"),
    ("a: |\n  b\n   ", 3, 4, "nothing but blanks"),
    ("- |+\n   ", 2, 4, "nothing but blanks"),
    ("a: |\n \n  b\n", 3, 3, "blanks on an empty line"),
    ('{"' + "k" * 1025 + '": 1}', 1, 1029, "a ':' where no key can stand"),
    ("a: [b c]\nd: [{} 'f']\n", 2, 8, "expected ',' or ']'"),
    ("a: {b]\n", 1, 6, "expected ',' or '}'"),
    ("a: |x\n", 1, 5, "chomping or indentation"),
    ("]", 1, 1, "expected the node content"),
    ("- " * (MAX_NESTING + 1), 1, 2 * MAX_NESTING + 1, "nested more than"),
    ("[" * 100_000, 1, MAX_NESTING + 1, "nested more than"),
    ('{"a":' * 100_000, 1, 5 * MAX_NESTING + 1, "nested more than"),
    ("[\n" * 100_000, MAX_NESTING + 1, 1, "nested more than"),
    ("? " * 100_000, 1, 3, "a key must be a text"),
    (
        "".join(f"{' ' * depth}a:\n" for depth in range(500)),
        MAX_NESTING + 1,
        MAX_NESTING + 1,
        "nested more than",
    ),
]


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"), REFUSED, ids=lambda value: str(value)[:30]
)
def test_refused_at_its_line_and_column(
    text: str | bytes, line: int, column: int, reason: str
) -> None:
    error = refusal(text)
    assert reason in error.reason
    assert (error.source, error.line, error.column) == ("f.yaml", line, column)
    assert error.hint
    assert "\n" not in str(error)
    assert len(str(error)) < 200


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: [\n  b,\n]\n", {"a": ["b"]}),
        ("- a: {b: c\n  }\n", [{"a": {"b": "c"}}]),
        ("a: [b, # c\n# d\n e]\n", {"a": ["b", "e"]}),
        ("a: [b\n# c\n  ]\n", {"a": ["b"]}),
        ("a:\n  [b,\n  c\n  d]\n", {"a": ["b", "c d"]}),
        ("a:\n  - b - c\n    -d\n  - e\n", {"a": ["b - c -d", "e"]}),
        ("{a: [b,\nc],\n\td: e}\n", {"a": ["b", "c"], "d": "e"}),
        ("- [\n\t\n a]\n", [["a"]]),
        ("a: [? b, c?, :d, -e]\n", {"a": [{"b": None}, "c?", ":d", "-e"]}),
    ],
)
def test_brackets_over_several_lines_and_signs_in_them(text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize("text", ["a: |\n  b", "a: >\n  b", "a: |+\n  b", "a: |-\n  b"])
def test_a_text_that_the_file_ends_in_has_no_line_end(text: str) -> None:
    assert read(text) == {"a": "b"}


def test_conflict_markers_within_a_text_are_text() -> None:
    assert read("a: |\n  <<<<<<< HEAD\n  =======\nb: '======='\n") == {
        "a": "<<<<<<< HEAD\n=======\n",
        "b": "=======",
    }


def test_a_long_rule_is_no_conflict_marker() -> None:
    assert "conflict" not in refusal("a: 1\n========\n").reason


def test_nesting_up_to_the_limit_is_read() -> None:
    assert read("[" * MAX_NESTING + "]" * MAX_NESTING) == json.loads(
        "[" * MAX_NESTING + "]" * MAX_NESTING
    )
    assert json.dumps(read("- " * (MAX_NESTING - 1) + "[]")).count("[") == MAX_NESTING


def test_a_value_as_deep_as_any_is_read_in_a_pin() -> None:
    deepest = json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    document = {"format": 1, "customizations": [{"pin_definitions": [{"pin_criteria": deepest}]}]}
    assert read(json.dumps(document)) == document


def test_integers_up_to_the_limit_are_read() -> None:
    assert read("-" + "9" * MAX_DIGITS) == -int("9" * MAX_DIGITS)
    assert read(hex(10**MAX_DIGITS - 1)) == 10**MAX_DIGITS - 1


def test_a_key_of_a_thousand_characters_is_read() -> None:
    key = "k" * 1000
    assert read(f'a: 1\n"{key}": 2\nb: {{"{key}": 3}}') == {"a": 1, key: 2, "b": {key: 3}}


def test_file_beyond_the_cap_is_refused() -> None:
    assert load(b"a: 1", "f.yaml", max_bytes=4).data == {"a": 1}
    with pytest.raises(FileError, match=r"^f\.yaml: 5 bytes, more than the 4 ") as caught:
        load(b"a: 12", "f.yaml", max_bytes=4)
    assert caught.value.line is None
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "comments"),
    [
        ("#a\n  # b\n\n#", [(1, 1, "#a"), (2, 3, "# b"), (4, 1, "#")]),
        ("a: b # c # d\n", [(1, 6, "# c # d")]),
        ("a: b#c\nd: '# e'\nf: \"\n  # g\"\n", []),
        ("a: |  # b\n  # c\n\n # d\n# e\nf: g\n", [(1, 7, "# b"), (4, 2, "# d"), (5, 1, "# e")]),
        ("a: >-\n  # b\n# c", [(3, 1, "# c")]),
        ("a: # b\n  c # d\n  \n  # e", [(1, 4, "# b"), (2, 5, "# d"), (4, 3, "# e")]),
        ("- # a\n  # b\n  - c\n", [(1, 3, "# a"), (2, 3, "# b")]),
        ("a: [b, # c\n  # d\n  e] # f\n", [(1, 8, "# c"), (2, 3, "# d"), (3, 6, "# f")]),
        ("é: '😀' # ü\r\n# b\r\n", [(1, 8, "# ü"), (2, 1, "# b")]),
        ("--- # a\nb: 1\n... # c\n# d\n", [(1, 5, "# a"), (3, 5, "# c"), (4, 1, "# d")]),
    ],
)
def test_comments_are_told_from_texts(text: str, comments: list[tuple[int, int, str]]) -> None:
    assert list(load(text.encode(), "f.yaml").comments) == comments


# Round trips: what others write is read back equal, and positions are where the text says.

TEXT: Final = st.one_of(
    st.text(),
    st.text(alphabet="ab \n#:-'\"\\{}[],&*!|>%@`?\t\r~.0123e+xo", max_size=12),
    st.sampled_from(
        [
            "null",
            "no",
            "012",
            "1e5",
            "0o7",
            "<<",
            "---",
            "=",
            "2026-01-01",
            "\x85",
            "\u2028",
            "\ufeff",
            "😀",
        ]
    ),
)
KEYS: Final = TEXT.filter(lambda text: len(json.dumps(text)) < 1000)
# JSON's 1e+16 has no point, so that YAML 1.1 takes it for a text.
FLOATS: Final = st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda number: "." in repr(number)
)
LEAVES: Final = st.one_of(st.none(), st.booleans(), st.integers(), FLOATS, TEXT)
DATA: Final = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=15,
)
SLOWLY: Final = settings(deadline=None, max_examples=150)


class Dumper(yaml.SafeDumper):
    """PyYAML, with texts quoted where YAML 1.2 would read a number that YAML 1.1 doesn't know."""

    style: str | None = None

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's own signature
        return True

    def text(self, data: str) -> yaml.ScalarNode:
        bare = self.style is None and is_bare_text(data) and not set(data) & set("\x85\u2028\u2029")
        return self.represent_scalar(
            "tag:yaml.org,2002:str", data, style=None if bare else self.style or '"'
        )


Dumper.add_representer(str, Dumper.text)


def is_bare_text(text: str) -> bool:
    try:
        return isinstance(read(text), str)
    except FileError as error:
        return "in different ways" not in error.reason


def read_or_none(text: str) -> object:
    try:
        return read(text)
    except FileError:
        return text


def dumped(data: object, style: str | None, *, flow: bool, width: int, escape: bool) -> str:
    kind: Any = type("Styled", (Dumper,), {"style": style})
    text: str = yaml.dump(
        data,
        Dumper=kind,
        default_flow_style=flow,
        width=width,
        allow_unicode=not escape,
        sort_keys=False,
    )
    return text


DUMPED: Final = st.builds(
    lambda data, style, flow, width, escape: (
        data,
        dumped(data, style, flow=flow, width=width, escape=escape),
    ),
    st.dictionaries(st.sampled_from("abc"), DATA, max_size=3),
    st.sampled_from([None, '"', "'", "|", ">"]),
    st.booleans(),
    st.sampled_from([20, 80, 10**6]),
    st.booleans(),
)


@SLOWLY
@given(DUMPED)
def test_what_pyyaml_writes_is_read_back(case: tuple[object, str]) -> None:
    data, text = case
    assert exact(read(text)) == exact(data)


WORDS_OF_1_1: Final = re.compile("(?i:y|n|yes|no|on|off)")


@settings(deadline=None, max_examples=1000)
@given(
    st.one_of(
        st.from_regex(
            re.compile(r"[-+]?[0-9_:.]{1,6}([eE][-+]?[0-9]{1,2})?", re.ASCII), fullmatch=True
        ),
        st.from_regex(re.compile(r"[-+]?0[box][0-9a-fA-F_]{1,4}", re.ASCII), fullmatch=True),
        st.from_regex(
            re.compile(r"[-+]?\.?(?i:inf|nan|true|false|null|yes|no|on|off|y|n)", re.ASCII),
            fullmatch=True,
        ),
        st.dates().map(str),
        st.datetimes().map(str),
    )
)
def test_a_bare_value_is_what_pyyaml_takes_it_for_or_refused(text: str) -> None:
    try:
        data = read(f"k: {text}\n")
    except FileError:
        return
    assert isinstance(data, dict)
    value = data["k"]
    try:
        theirs = yaml.safe_load(f"k: {text}\n")["k"]
    except ValueError:  # a date that no calendar has
        return
    if isinstance(theirs, date) or WORDS_OF_1_1.fullmatch(text):
        assert value == text  # decided: the text says it all, and canonical text has it in quotes
    else:
        assert (value, isinstance(value, str)) == (theirs, isinstance(theirs, str))


@SLOWLY
@given(DATA, st.sampled_from([None, 0, 2]), st.sampled_from([(",", ":"), (", ", ": ")]))
def test_json_is_read_back_with_its_marks(
    data: object, indent: int | None, separators: tuple[str, str]
) -> None:
    text = json.dumps(data, indent=indent, separators=separators)
    loaded = load(text.encode(), "f.json")
    assert exact(loaded.data) == exact(data)
    lines = text.split("\n")
    assert set(loaded.marks) == set(paths(data))
    for path, (line, column) in loaded.marks.items():
        node = data
        for step in path:
            node = node[step]  # type: ignore[index]
        beginning = path[-1] if path and isinstance(path[-1], str) else node
        shown = (
            json.dumps(beginning)
            if not isinstance(beginning, (dict, list))
            else "{"
            if isinstance(node, dict)
            else "["
        )
        assert lines[line - 1][column - 1 :].startswith(shown)


def paths(data: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    entries: list[tuple[str | int, object]] = []
    if isinstance(data, dict):
        entries = list(data.items())
    elif isinstance(data, list):
        entries = list(enumerate(data))
    return [path, *(found for step, value in entries for found in paths(value, (*path, step)))]


@SLOWLY
@given(DUMPED, st.data(), st.booleans())
def test_a_comment_that_changes_no_data_is_found(
    case: tuple[object, str], draw: st.DataObject, above: bool
) -> None:
    data, text = case
    assert load(text.encode(), "f.yaml").comments == ()
    lines = text.split("\n")
    line = draw.draw(st.integers(1, len(lines)))
    if above:
        place = (line, 1)
        lines.insert(line - 1, "# note")
    else:
        place = (line, len(lines[line - 1]) + 2)
        lines[line - 1] += " # note"
    commented = "\n".join(lines)
    if exact(read_or_none(commented)) == exact(data):
        assert load(commented.encode(), "f.yaml").comments == ((*place, "# note"),)


# Garbage: nothing but a FileError with a place and a remedy comes out.


def check_garbage(text: bytes) -> None:
    try:
        loaded = load(text, "f.yaml")
    except FileError as caught:
        error = caught
    else:
        json.dumps(loaded.data, allow_nan=False, ensure_ascii=False).encode()
        assert set(loaded.marks) == set(paths(loaded.data))
        return
    assert error.hint
    lines = dict(enumerate(text.split(b"\n"), 1))
    assert error.line in lines
    assert error.column in range(1, len(lines[error.line]) + 2)


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.binary(), st.text().map(str.encode)))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    check_garbage(text)


SOUP: Final = st.one_of(
    st.sampled_from("\n :#'\"|[]{},%\t\\aé1~.\0\u2028"),
    st.sampled_from(
        ["\n  ", ": ", "- ", "? ", "|+2", ">-", "&a", "*a", "!t", "---", "...", "\r\n", "<<"]
    ),
    st.sampled_from([r"\u", r"\U00110000", r"\ud800"]),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(SOUP, max_size=25).map("".join))
def test_any_soup_of_yaml_is_read_or_refused(text: str) -> None:
    check_garbage(text.encode())


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(EXAMPLE)), st.integers(0, 8), st.lists(SOUP, max_size=2).map("".join))
def test_any_mutation_of_a_document_is_read_or_refused(start: int, cut: int, inserted: str) -> None:
    check_garbage((EXAMPLE[:start] + inserted + EXAMPLE[start + cut :]).encode())


def test_what_isnt_there_stands_at_the_nearest_around_it() -> None:
    marks = load(b"a:\n  b: [1]\n", "f").marks
    assert [
        find_nearest_place(marks, path) for path in (("a", "b", 0), ("a", "b", 7), ("a", "c", 0))
    ] == [
        (2, 7),
        (2, 3),
        (1, 1),
    ]
    assert [find_nearest_place(marks, path) for path in (("b",), ())] == [None, None]
