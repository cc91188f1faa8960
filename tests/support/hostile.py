"""Texts that try to break out of a report, and a shop that is full of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from support.drifts import pin, rule
from support.runners import FOLDING, HOSTILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from markdown_it.token import Token

    from support.drifts import Row

TITLES: Final = (
    "::error::pwned",
    "  ::error::pwned",
    "##[add-mask]x",
    "]]>",
    "</details><img src=x>",
    "@everyone",
    "\x1b[31mred\x1b[0m\x9b2J",
    "\u202egnp.exe\u202c\u200b",
    "%0A::error::x",
    "\n::error::x",
    "\r\n##[error]x",
    ",file=x",
    "<!DOCTYPE x><!ENTITY y>&z;",
    "[x](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "{0}",
    '"}, {"a": "',
    "\x00\ufffe",
    *HOSTILE,
    *FOLDING,
)


def rows(suffix: str) -> list[Row]:
    """A rule for each title, with the title wherever a rule has foreign text."""
    return [
        rule(
            number,
            title,
            [
                pin(1, f"{title}{suffix}"),
                pin(2, {title: f"{title}{suffix}"}, {"widget_id": title, title: title}),
            ],
            title,
            {"tags": [f"{title}{suffix}"], title: suffix},
        )
        for number, title in enumerate(TITLES)
    ]


def flat(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from flat(token.children or [])
