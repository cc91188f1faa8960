"""``lint --add-ignores``: the findings of today, adopted on the first day of a lint rule."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinsync.document.form import format_document
from pinsync.workspace.store import Store
from support.exporting import put

if TYPE_CHECKING:
    from support.command_line import CommandLine, Result

HEAD = "format: 1\nmodel: basket\ncustomizations:\n"
CANONICAL = format_document(
    HEAD.encode()
    + b"""\
  - id: "1"
    target_type: all
    note: x
    pin_definitions:
      - position: -5
        pin_type: item
      - position: 2
        pin_type: item
        pin_identity: /p/1/
        extra: 1
        other: 2
      # The one with the discount.
      - position: 2
        pin_type: item
        pin_identity: /p/2/
  - id: "2"
    target_type: all
    target_criteria:
      a: b
""",
    "-",
).decode()
MESSY = (
    "\ufeffcustomizations:\r\n"
    "  - {target_type: item, note: [1, 2]}\r\n"
    "  - target_type: all  # everywhere\r\n"
    "    id: x\r\n"
    "    extra: |\r\n"
    "      two\r\n"
    "      lines\r\n"
    "    pin_definitions:\r\n"
    "      - pin_identity: /p/1/\r\n"
    "        pin_type: item\r\n"
    "\r\n"
    "      # pinsync: ignore[unknown-field]\r\n"
    "      - is_block_pin: true\r\n"
    "        position: 1\r\n"
    "        pin_type: 'item'\r\n"
    "model: basket\r\n"
    "format: 1\r\n"
)
FILE = Path("customizations/basket.yaml")


def add(pinsync: CommandLine, text: str) -> tuple[Result, str]:
    """Add the ignore comments to a document; return how the command ended, and the document."""
    put(FILE, text.encode())
    result = pinsync("lint", "--add-ignores")
    return result, FILE.read_bytes().decode()


@pytest.mark.usefixtures("repository")
def test_each_finding_of_a_canonical_document_gets_a_comment_that_fmt_leaves(
    pinsync: CommandLine,
) -> None:
    result, text = add(pinsync, CANONICAL)
    assert (result.code, result.out) == (0, "nothing found in 1 file\n")
    assert result.err == "added 8 ignore comments, changed 1 file\n"
    lines = text.splitlines()
    assert "    note: x  # pinsync: ignore[unknown-field]" in lines
    assert "      - position: -5  # pinsync: ignore[position]" in lines
    assert "        pin_type: item  # pinsync: ignore[pin-fields]" in lines
    assert "        other: 2  # pinsync: ignore[unknown-field]" in lines
    assert "    target_criteria:  # pinsync: ignore[target-fields]" in lines
    assert [line.partition("  # pinsync:")[0] for line in lines] == CANONICAL.splitlines()
    assert format_document(text.encode(), "-").decode() == text
    assert pinsync("lint", "--strict").code == 0


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("text", [CANONICAL, MESSY])
def test_a_second_run_changes_nothing(pinsync: CommandLine, text: str) -> None:
    _, first = add(pinsync, text)
    result = pinsync("lint", "--add-ignores")
    assert (result.code, result.err) == (0, "added 0 ignore comments, changed 0 files\n")
    assert FILE.read_bytes().decode() == first


@pytest.mark.usefixtures("repository")
def test_comments_of_another_form_ignore_the_same_after_fmt(pinsync: CommandLine) -> None:
    result, text = add(pinsync, MESSY)
    assert result.code == 0
    assert text.startswith("\ufeffcustomizations:  # pinsync: ignore[format")
    assert text.count("\r\n") == MESSY.count("\r\n")
    assert text.count("\n") == MESSY.count("\n")
    assert pinsync("fmt").code == 0
    assert pinsync("lint", "--strict").code == 0
    assert "ignore[" in FILE.read_text(encoding="utf-8")


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    note: x  # mine", "    note: x  # mine  # pinsync: ignore[unknown-field]"),
        (
            "    note: x # pinsync: ignore[expired]",
            "    note: x # pinsync: ignore[expired, unknown-field]",
        ),
        (
            "    note: x  #pinsync:ignore",
            "    note: x  # pinsync: ignore[unknown-field, unknown-ignore]",
        ),
        (
            "    # pinsync: ignore[expired]\n    note: x",
            "    # pinsync: ignore[expired, unknown-field]\n    note: x",
        ),
    ],
)
def test_a_comment_that_is_there_is_extended(pinsync: CommandLine, before: str, after: str) -> None:
    text = f'{HEAD}  - id: "1"\n    target_type: all\n'
    result, changed = add(pinsync, f"{text}{before}\n")
    assert (result.code, changed) == (0, f"{text}{after}\n")


@pytest.mark.usefixtures("repository")
def test_a_comment_above_a_pin_is_not_widened(pinsync: CommandLine) -> None:
    _, text = add(
        pinsync, CANONICAL.replace("# The one with", "# pinsync: ignore[self-pin] The one with")
    )
    assert "      # pinsync: ignore[self-pin] The one with the discount.\n" in text


@pytest.mark.usefixtures("repository")
def test_no_comment_gets_into_a_text(pinsync: CommandLine) -> None:
    bad = f'{HEAD}  - id: "1"\n    target_type: all\n    extra: "a\n      b"\n    note: x\n'
    result, text = add(pinsync, bad)
    assert result.code == 1
    assert "unknown-field" in result.out
    assert '    extra: "a\n      b"\n' in text
    assert "    note: x  # pinsync: ignore[unknown-field]\n" in text


@pytest.mark.usefixtures("repository")
def test_what_cant_be_ignored_is_left_and_reported(pinsync: CommandLine) -> None:
    put(Path("customizations/home.yaml"), "<<<<<<< HEAD\n")
    twice = '  - id: "3"\n    id: "4"\n    target_type: all\n'
    result, text = add(pinsync, CANONICAL + twice)
    assert (result.code, result.out.count("error syntax"), result.out.count(": error")) == (1, 2, 2)
    assert text.endswith(twice)
    assert "note: x  # pinsync: ignore[unknown-field]" in text
    assert Path("customizations/home.yaml").read_text() == "<<<<<<< HEAD\n"


@pytest.mark.usefixtures("repository")
def test_only_selected_lint_rules_and_files_get_comments(pinsync: CommandLine) -> None:
    put(FILE, CANONICAL)
    other = put(Path("customizations/home.yaml"), CANONICAL.replace("model: basket", "model: home"))
    result = pinsync("lint", "--add-ignores", "--select", "position", str(FILE))
    assert (result.code, result.err) == (0, "added 1 ignore comment, changed 1 file\n")
    assert "ignore" not in other.read_text(encoding="utf-8")
    assert FILE.read_text(encoding="utf-8").count("ignore[position]") == 1


@pytest.mark.usefixtures("repository")
def test_a_document_that_changed_meanwhile_is_left_as_it_is(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(FILE, CANONICAL)
    lock = Store.lock

    def edit_first(store: Store) -> object:
        put(FILE, HEAD)
        return lock(store)

    monkeypatch.setattr(Store, "lock", edit_first)
    result = pinsync("lint", "--add-ignores")
    assert (result.code, FILE.read_text(encoding="utf-8")) == (4, HEAD)
    assert "changed while pinsync was at work" in result.err
