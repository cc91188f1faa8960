"""Comments that ignore findings: where they are written, and where no comment can stand."""

from __future__ import annotations

from pinsync.document import written
from pinsync.lint.ignores import add_ignores, find_ignored

HEAD = "format: 1\nmodel: basket\ncustomizations:\n"
RULE = "  - id: a\n    target_type: all\n"
IGNORE = "# pinsync: ignore[unknown-field]"


def add(text: str, *findings: tuple[int, str]) -> str:
    """Return a document with comments for findings, by line and lint rule."""
    document = add_ignores(written.read(text.encode(), "basket.yaml"), findings)
    return document.original.decode()


def test_a_text_of_several_lines_keeps_its_words() -> None:
    text = f"{HEAD}{RULE}    nte: one\n      two\n    other: 1\n    more: 2\n"
    changed = add(text, *((line, "unknown-field") for line in (6, 8, 9)))
    # A comment behind "one" would end the text there.
    expected = text.replace("other: 1", f"other: 1  {IGNORE}")
    assert changed == expected.replace("more: 2", f"more: 2  {IGNORE}")


def test_a_comment_at_the_end_of_a_file_is_not_extended() -> None:
    text = f"{HEAD}{RULE}    other: 1\n\n{IGNORE}\n"
    assert (
        add(text, (6, "schema"))
        == f"{HEAD}{RULE}    other: 1  # pinsync: ignore[schema]\n\n{IGNORE}\n"
    )


def test_a_comment_gets_one_more_name() -> None:
    text = f"{HEAD}{RULE}    other: 1  {IGNORE}\n"
    changed = add(text, (6, "schema"))
    assert changed == text.replace("unknown-field", "unknown-field, schema")
    assert add(changed, (6, "schema")) == changed


def test_a_comment_above_a_document_in_braces_covers_nothing() -> None:
    text = f"{IGNORE}\n{{format: 1, model: basket, customizations: [{{id: a, target_type: all, x: 1}}]}}\n"
    assert "unknown-field" not in find_ignored(written.read(text.encode(), "basket.yaml"))
