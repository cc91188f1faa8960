"""The pages of the documentation, and the blocks, sections and tables in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {
    file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8")
    for file in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
}
MARKED = re.compile(r"^<!-- ([^\n]+) -->\n```([a-z]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(mark: str, language: str, *, pages: Iterable[str] = PAGES) -> list[str]:
    """The code blocks that an HTML comment marks."""
    found = MARKED.findall("\n".join(PAGES[page] for page in pages))
    return [text for name, tongue, text in found if (name, tongue) == (mark, language)]


def section(page: str, heading: str) -> str:
    """The text below a heading, up to the next heading of its level or above."""
    level = heading.index(" ")
    pattern = rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{level}}} |\Z)"
    found = re.findall(pattern, PAGES[page], re.MULTILINE | re.DOTALL)
    assert len(found) == 1, f"{page} needs one heading {heading}"
    return str(found[0])


def rows(text: str) -> list[list[str]]:
    """The cells of each row of each table."""
    lines = re.findall(r"^\| (.+) \|$", text, re.MULTILINE)
    return [line.split(" | ") for line in lines]
