"""Documents written by hand: every command reads the same values, and ``fmt`` keeps them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from pinsync.canonical import normalize
from pinsync.document import written
from pinsync.document.form import format_document
from pinsync.document.parse import parse_document
from pinsync.document.record import render_document
from pinsync.errors import FileError
from support.exporting import put
from support.handwriting import LIKE_NUMBERS, documents
from support.histories import BASKET, commit, configuration, log
from support.strategies import QUICK

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import CommandLine

Row = dict[str, Any]

RULE = """\
  - id: {0}  # the id
    target_type: {0}
    target_identity: {0}
    tags:
      - {0}
    pin_definitions:
      - position: 1
        pin_type: {0}
        pin_identity: {0}
        widget_id: {0}
        active_from: {0}
        active_to: {0}
"""
DOCUMENT = "format: 1\nmodel: {0}\ncustomizations:\n" + RULE
IN_BRACES = (
    "{{model: {0}, format: 1, customizations: [{{id: {0}, target_type: {0}, target_identity: "
    "{0}, tags: [{0}],"
    " pin_definitions: [{{position: 1, pin_type: {0}, pin_identity: {0}, widget_id: {0}, "
    "active_from: {0},"
    " active_to: {0}}}]}}]}}\n"
)


def says(text: bytes) -> list[str]:
    """The model and the customizations, as ``lint`` and as all other commands read them, which must
    be the same.
    """
    read = parse_document(text, "f")
    by_lint = written.read(text, "f")
    assert (by_lint.faults, by_lint.model) == ((), read.model)
    found = sorted(
        normalize.build_customization(row.data, model=read.model).text.decode()
        for row in by_lint.rows
    )
    assert found == sorted(entry.customization.text.decode() for entry in read.entries)
    return [read.model, *found]


@pytest.mark.parametrize("name", LIKE_NUMBERS)
def test_a_name_that_looks_like_a_number_is_text_in_every_field_that_holds_text(name: str) -> None:
    quoted = DOCUMENT.format(f'"{name}"')
    assert says(quoted.encode())[0] == name
    for text in (
        DOCUMENT,
        DOCUMENT.replace("  - ", "- ").replace("    ", "  "),
        DOCUMENT.replace("\n", "\r\n"),
    ):
        assert says(text.format(name).encode()) == says(quoted.encode())
        assert format_document(text.format(name).encode(), "f").decode() == quoted
    assert format_document(IN_BRACES.format(name).encode(), "f").decode() == quoted.replace(
        "  # the id", ""
    )


@pytest.mark.parametrize("value", ["8989", "-5", "1.5", "true"])
def test_a_value_in_its_canonical_spelling_is_no_text(value: str) -> None:
    text = DOCUMENT.format("{0}").replace("id: {0}", "id: a").replace("model: {0}", "model: a")
    text = text.replace("target_type: {0}", "target_type: item").format(value)
    assert format_document(text.encode(), "f").decode() == text


@pytest.mark.parametrize("name", ["~", "null", "NULL", ""])
def test_null_stays_absence_in_a_field_that_holds_text(name: str) -> None:
    rule = f"  - id: a\n    target_type: all\n    target_identity: {name}\n"
    text = f"format: 1\nmodel: basket\ncustomizations:\n{rule}"
    assert b"target_identity" not in format_document(text.encode(), "f")


@pytest.mark.parametrize("name", ["010", "08", "1e5", "0o17", "1_000", "0b1", "1:30", "-.5"])
@pytest.mark.parametrize(
    "field",
    [
        "note: {0}",
        "target_metadata: {{title: {0}}}",
        "target_criteria: {{brand: [{0}]}}",
        "pin_definitions: [{{position: {0}}}]",
        "pin_definitions: [{{pin_criteria: {{brand: {0}}}}}]",
        "tags: {0}",
    ],
)
def test_a_number_that_readers_take_in_different_ways_is_refused_elsewhere(
    field: str, name: str
) -> None:
    head = "format: 1\nmodel: basket\ncustomizations:\n"
    line = f"    {field.format(name)}"
    text = f"{head}  - id: 08989\n    target_type: all\n{line}\n"
    with pytest.raises(FileError, match="in different ways") as caught:
        format_document(text.encode(), "f")
    assert (caught.value.line, caught.value.column) == (6, line.index(name) + 1)
    (fault,) = written.read(text.encode(), "f").faults
    assert str(fault) == str(caught.value)


@pytest.mark.parametrize(
    ("value", "result"),
    [("no", '"no"'), ("2026-01-01", '"2026-01-01"'), ("0x1F", "31"), ("1.50", "1.5")],
)
def test_elsewhere_words_and_dates_are_texts_and_other_numbers_numbers(
    value: str, result: str
) -> None:
    text = (
        "format: 1\nmodel: basket\ncustomizations:\n  - id: a\n    target_type: all\n"
        "    note: {0}\n"
    )
    assert format_document(text.format(value).encode(), "f").decode() == text.format(result)


TWO_PINS = """\
format: 1
model: basket
customizations:
  - id: 0010
    target_type: item
    target_identity: 08989
    pin_definitions:
      - position: 1
        pin_type: item
        pin_identity: 1e5
      - position: 1
        pin_type: item
        pin_identity: 1e5
"""


def test_every_command_shows_the_text_before_fmt_and_after(
    repository: Path, pinsync: CommandLine
) -> None:
    put(repository / "pinsync.yaml", configuration("shop"))
    commit("Begin", {BASKET: TWO_PINS})
    answers = []
    for _ in range(2):
        lint = pinsync("lint", "--ignore", "format")
        answers.append(
            (lint.code, lint.out, pinsync("show", "--json", "--at", "2026-12-01", "basket").out)
        )
        assert pinsync("fmt").code == 0
        commit("Format")
    assert answers[0] == answers[1]
    code, findings, shown = answers[0]
    assert (code, "1e5" in findings, '"target_identity": "08989"' in shown) == (1, True, True)
    assert pinsync("diff", "HEAD~2", "HEAD").out.startswith("In sync")
    assert log(pinsync).changes == {"Begin": ["added basket 08989"]}


@settings(QUICK, max_examples=200)
@given(documents())
def test_fmt_keeps_what_a_document_written_by_hand_says(case: tuple[str, list[Row]]) -> None:
    text, expected = case
    items = [normalize.build_customization(row) for row in expected]
    assert says(text.encode()) == [
        expected[0]["model"],
        *sorted(item.text.decode() for item in items),
    ]
    after = format_document(text.encode(), "f").decode()
    assert format_document(after.encode(), "f").decode() == after
    bare = re.sub(r"^ *#.*\n|(?: +# [abc])+$", "", after, flags=re.MULTILINE)
    assert bare == render_document(expected[0]["model"], items).decode()
    for comment in (" # a", "  # b", "    # c"):
        behind = re.compile(rf"(?<=\S){comment}\b")
        above = re.compile(rf"^ *{comment.strip()}$", re.MULTILINE)
        assert len(behind.findall(text)) == len(behind.findall(after)) + len(above.findall(after))
