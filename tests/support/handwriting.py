"""Documents as people write them: names bare or in quotes, lists in lines or in brackets, keys in
any order.

Comments stand at the ends of lines, behind any number of blanks. An editor may save the file with
line ends of Windows and a byte order mark."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Row = dict[str, Any]

LIKE_NUMBERS: Final = (
    *(
        "08989",
        "0012",
        "-007",
        "1e5",
        "1E5",
        "1e400",
        "0x1F",
        "-0x1F",
        "0o17",
        "0b1",
        "+5",
        "1_000",
        "1:30",
        "-0",
    ),
    *(
        "1.0",
        "1.50",
        "100.0",
        "-0.0",
        ".5",
        "-.5",
        "5.",
        ".inf",
        ".NaN",
        "True",
        "FALSE",
        "no",
        "2026-01-01",
    ),
)
"""Names that one reader of YAML or another takes for something else than text if they stand bare.
"""
_QUOTED: Final = ("8989", "-1", "1.5", "true", "null", "")
"""Names that pinsync takes for something else than text, too."""
_NAMES: Final = st.sampled_from([*LIKE_NUMBERS, *_QUOTED, "/p/1/", "/p/2/", "two words"])
_COMMENTS: Final = st.sampled_from(["", "", "", " # a", "  # b", "    # c"])
_REQUIRED: Final = ("id", "target_type", "target_identity")
_OF_A_PIN: Final = ("pin_identity", "widget_id", "active_from", "active_to")


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[Row]]:
    """A document, and the rows that it says."""
    model = draw(_NAMES.filter(bool))
    lines = draw(st.permutations(["format: 1", f"model: {draw(_spelled(model))}"]))
    lines.append("customizations:")
    indent = draw(st.sampled_from([0, 2, 4]))
    rows: list[Row] = []
    for _ in range(draw(st.integers(1, 3))):
        row, fields = draw(_rules())
        rows.append({"model": model, **row})
        lines += _indented(_item(fields), indent)
    lines = [line + draw(_COMMENTS) for line in lines]
    text = "\n".join(lines) + draw(st.sampled_from(["\n", "\n", "", "\n\n"]))
    saved = draw(st.sampled_from([text, text, text.replace("\n", "\r\n")]))
    return draw(st.sampled_from(["", "", "\ufeff"])) + saved, rows


@st.composite
def _rules(draw: st.DrawFn) -> tuple[Row, list[str]]:
    """A customization, and its lines."""
    row: Row = {name: draw(_NAMES.filter(bool)) for name in _REQUIRED}
    fields = [[f"{name}: {draw(_spelled(value))}"] for name, value in row.items()]
    if tags := draw(st.lists(_NAMES, max_size=2)):
        row["tags"] = tags
        fields.append(draw(_tags(tags)))
    row["target_metadata"] = {
        "count": 7,
        "title": draw(st.sampled_from(["no", "2026-01-01", "Straps"])),
    }
    count = draw(st.sampled_from(["7", "+7", "7.0", "7.", "0x7"]))
    fields.append(
        ["target_metadata:", f"  count: {count}", f"  title: {row['target_metadata']['title']}"]
    )
    row["pin_definitions"] = []
    pins = ["pin_definitions:"]
    for _ in range(draw(st.integers(1, 2))):
        pin, lines = draw(_pins())
        row["pin_definitions"].append(pin)
        pins += _indented(lines, 2)
    fields.append(pins)
    return row, _joined(draw(st.permutations(fields)))


@st.composite
def _tags(draw: st.DrawFn, tags: Sequence[str]) -> list[str]:
    items = [draw(_spelled(tag)) for tag in tags]
    in_lines = ["tags:", *(f"  - {item}" for item in items)]
    in_brackets = ["tags: [", *(f"  {item}," for item in items), "]"]
    return draw(st.sampled_from([in_lines, in_brackets, [f"tags: [{', '.join(items)}]"]]))


@st.composite
def _pins(draw: st.DrawFn) -> tuple[Row, list[str]]:
    """A pin, and its lines."""
    position = draw(st.integers(-1, 3))
    pin: Row = {"position": position}
    fields = [f"position: {draw(st.sampled_from([f'{position}', f'{position}.0']))}"]
    for name in draw(st.lists(st.sampled_from(_OF_A_PIN), unique=True)):
        pin[name] = draw(_NAMES)
        fields.append(f"{name}: {draw(_spelled(pin[name]))}")
    fields = draw(st.permutations(fields))
    return pin, draw(st.sampled_from([_item(fields), [f"- {{{', '.join(fields)}}}"]]))


def _spelled(name: str) -> st.SearchStrategy[str]:
    """A text in quotes, or bare if pinsync takes it for a text."""
    quoted = [json.dumps(name), f"'{name}'"]
    return st.sampled_from(quoted if name in _QUOTED else [*quoted, name, name])


def _item(lines: Sequence[str]) -> list[str]:
    return [f"- {lines[0]}", *_indented(lines[1:], 2)]


def _indented(lines: Iterable[str], width: int) -> list[str]:
    return [" " * width + line for line in lines]


def _joined(fields: Iterable[list[str]]) -> list[str]:
    return [line for field in fields for line in field]
