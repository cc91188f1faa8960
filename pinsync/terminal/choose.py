"""Ask about one rule after another whether the shop or git is right, as `git add -p` asks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, Literal, Protocol

from msgspec import Struct

from pinsync.errors import UsageError
from pinsync.terminal.console import is_terminal
from pinsync.terminal.prompt import ask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pinsync.terminal.console import Console

Decision = Literal["shop", "git", "skip"]
"""``shop``: keep the shop's rule; ``git``: take git's; ``skip``: decide later."""

_SINGLE: Final[Mapping[str, Decision]] = {"s": "shop", "g": "git", "n": "skip"}
_LETTERS: Final = "s,g,n,a,d,q,?"


class Question(Protocol):
    """A rule to decide about."""

    @property
    def heading(self) -> str:
        """The heading of its group, shown before the group's first rule; with a final newline."""

    def render(self) -> str:
        """Return the rule in words, with a final newline."""


class Meanings(Struct, frozen=True):
    """The meanings of the answers for a command, as its help prints them.

    Attributes:
        shop: the effect of keeping the shop's rule.
        git: the effect of taking git's rule.
        skip: the effect of skipping a rule.
        acting: the decision on which the command acts, which ``a`` makes for several rules.
    """

    shop: str
    git: str
    skip: str
    acting: Literal["shop", "git"]

    def list_help(self) -> Iterator[str]:
        """Yield a line for each answer."""
        name = "keep the shop's" if self.acting == "shop" else "take git's"
        later = "this rule and all later ones under the same heading"
        yield f"s - keep the shop's: {self.shop}"
        yield f"g - take git's: {self.git}"
        yield f"n - skip: {self.skip}"
        yield f"a - {name}, for {later}"
        yield f"d - skip {later}"
        yield "q - quit: skip this rule and all later ones"
        yield "? - print this help"


def check_terminal() -> None:
    """Refuse ``--patch`` where nobody can answer.

    Raises:
        UsageError: standard input or standard output is no terminal.
    """
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        message = "--patch asks about each rule, and there is no terminal to ask on"
        hint = "name the rules with --id ID instead; `pinsync diff --format json` lists the ids"
        raise UsageError(message, hint=hint)


def choose(questions: Sequence[Question], meanings: Meanings, console: Console) -> list[Decision]:
    """Return the decision about each rule. The rules after a quit are skipped.

    Args:
        questions: the rules; those with the same heading are neighbours.
        meanings: what the answers mean.
        console: shows the questions.
    """
    decisions: list[Decision] = []
    heading = ""
    # The decision for all later rules under the heading.
    lasting: Decision | None = None
    for number, question in enumerate(questions, 1):
        if question.heading != heading:
            heading = question.heading
            lasting = None
            _show(console, heading)
        if lasting is None:
            _show(console, question.render())
            letter = _read_letter(f"({number}/{len(questions)})", meanings, console)
            if letter == "q":
                break
            if letter == "a":
                lasting = meanings.acting
            elif letter == "d":
                lasting = "skip"
            else:
                decisions.append(_SINGLE[letter])
                continue
        decisions.append(lasting)
    skipped: list[Decision] = ["skip"] * (len(questions) - len(decisions))
    return decisions + skipped


def _show(console: Console, text: str) -> None:
    # The console ends a text with a line end.
    console.out("\n" + text.removesuffix("\n"))


def _read_letter(progress: str, meanings: Meanings, console: Console) -> str:
    """Return the letter of a decision; ``q`` at the end of input."""
    prompt = f"{progress} Keep the shop's (s), take git's (g) or skip (n) [{_LETTERS}]?"
    while True:
        answer = ask(console, prompt)
        if answer is None:
            return "q"
        letter = answer.lower()
        if letter in _SINGLE or letter in ("a", "d", "q"):
            return letter
        console.out("\n".join(meanings.list_help()))
