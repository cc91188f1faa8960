"""Asking rule by rule: each letter, the end of input, and what is shown."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pinsync.errors import UsageError
from pinsync.terminal.choose import Meanings, check_terminal, choose
from pinsync.terminal.console import Console
from pinsync.terminal.prompt import confirm

if TYPE_CHECKING:
    from collections.abc import Callable

    Typed = Callable[[bytes], None]

EXPORT = Meanings("write it", "leave the files", "later", acting="shop")
APPLY = Meanings("leave the shop", "change the shop", "later", acting="git")


class Rule(NamedTuple):
    """A question as short as one can be."""

    heading: str
    name: str

    def render(self) -> str:
        return f"{self.name}\n"


RULES = [Rule("A\n", "one"), Rule("A\n", "two"), Rule("A\n", "three"), Rule("B\n", "four")]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Put what a person types on standard input."""

    def put(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return put


class Screen:
    """What a console showed."""

    def __init__(self, *, color: bool = False) -> None:
        self.text = ""
        self.console = Console(out=self._write, err=self._write, color_out=color)

    def _write(self, text: str | bytes) -> None:
        self.text += text.decode() if isinstance(text, bytes) else f"{text}\n"


@pytest.mark.parametrize(
    ("answers", "decisions"),
    [
        ("s g n s", "shop git skip shop"),
        ("S G N Q", "shop git skip skip"),
        ("s q", "shop skip skip skip"),
        ("q", "skip skip skip skip"),
        # Of the rest of a group: what the command acts on, or a skip.
        ("a g", "shop shop shop git"),
        ("g a n", "git shop shop skip"),
        ("s d a", "shop skip skip shop"),
        ("d d", "skip skip skip skip"),
        ("s g n", "shop git skip skip"),
        ("", "skip skip skip skip"),
    ],
)
def test_the_decisions(answers: str, decisions: str, typed: Typed) -> None:
    typed("".join(f"{answer}\n" for answer in answers.split()).encode())
    assert choose(RULES, EXPORT, Screen().console) == decisions.split()


def test_all_of_a_group_is_what_the_command_acts_on(typed: Typed) -> None:
    typed(b"a\nq\n")
    assert choose(RULES, APPLY, Screen().console) == ["git", "git", "git", "skip"]


@pytest.mark.parametrize("answer", ["?", "", "x", "shop", "sg", "ss", "1", "\x1b[A"])
def test_help_follows_each_other_answer(answer: str, typed: Typed) -> None:
    typed(f"{answer}\n s \nq\n".encode())
    screen = Screen()
    assert choose(RULES, EXPORT, screen.console) == ["shop", "skip", "skip", "skip"]
    assert screen.text.count("? - print this help\n") == 1
    assert "s - keep the shop's: write it\ng - take git's: leave the files\n" in screen.text
    assert "a - keep the shop's, for this rule and all later ones" in screen.text


def test_the_help_of_a_command_that_acts_on_git() -> None:
    assert "a - take git's, for this rule" in "\n".join(APPLY.list_help())
    assert all(len(line) <= 80 for line in APPLY.list_help())


def test_what_is_no_utf_8_is_an_unknown_answer(typed: Typed) -> None:
    typed(b"\xff\xfe\ns\n")
    assert choose(RULES[:1], EXPORT, Screen().console) == ["shop"]


def test_what_is_shown(typed: Typed) -> None:
    typed(b"s\na\n")
    screen = Screen()
    assert choose(RULES, EXPORT, screen.console) == ["shop", "shop", "shop", "skip"]
    question = "Keep the shop's (s), take git's (g) or skip (n) [s,g,n,a,d,q,?]? "
    # A heading stands above its first rule. The input ends in the last line, which ends too.
    assert screen.text == (
        f"\nA\n\none\n(1/4) {question}\ntwo\n(2/4) {question}\nB\n\nfour\n(4/4) {question}\n"
    )


def test_the_question_stands_out_in_colour(typed: Typed) -> None:
    typed(b"s\n")
    screen = Screen(color=True)
    choose(RULES[:1], EXPORT, screen.console)
    assert "\x1b[1m(1/1) Keep" in screen.text
    assert screen.text.endswith("?]?\x1b[0m ")


def test_nothing_is_asked_about_nothing(typed: Typed) -> None:
    typed(b"")
    screen = Screen()
    assert choose([], EXPORT, screen.console) == []
    assert screen.text == ""


@pytest.mark.parametrize(
    ("answers", "is_confirmed"),
    [
        ("y\n", True),
        ("YES\n", True),
        ("n\n", False),
        ("No\n", False),
        ("\n?\ny\n", True),
        ("s\n", False),
        ("", False),
        ("y", True),
    ],
)
def test_only_yes_is_yes(answers: str, is_confirmed: bool, typed: Typed) -> None:
    typed(answers.encode())
    screen = Screen()
    assert confirm(screen.console, "Write this") == is_confirmed
    assert screen.text.startswith("Write this [y,n]? ")


def test_an_interrupt_ends_the_line_of_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(io.BytesIO):
        def readline(self, _size: int | None = -1, /) -> bytes:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Interrupted()))
    screen = Screen()
    with pytest.raises(KeyboardInterrupt):
        confirm(screen.console, "Write this")
    assert screen.text == "Write this [y,n]? \n"


def test_a_terminal_that_is_gone_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.BytesIO):
        def readline(self, _size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Gone()))
    assert choose(RULES[:2], EXPORT, Screen().console) == ["skip", "skip"]
    assert not confirm(Screen().console, "Write this")


@pytest.mark.parametrize("name", ["stdin", "stdout"])
def test_both_input_and_output_have_to_be_a_terminal(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for each in ("stdin", "stdout"):
        monkeypatch.setattr(sys, each, Terminal())
    check_terminal()
    for stream in (io.StringIO(), None):
        monkeypatch.setattr(sys, name, stream)
        with pytest.raises(UsageError) as refused:
            check_terminal()
        assert "--id" in (refused.value.hint or "")
