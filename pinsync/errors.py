"""Every failure pinsync knows, each with the exit code it ends the process with and a hint that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from pinsync.escape import clip, one_line, reveal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_GRAVEST_FIRST: Final = (70, 130, 2, 3, 4, 1, 0)

_MAX_KEY: Final = 100
_MAX_NEAR: Final = 3

KINDS: Final[Mapping[type, str]] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    dict: "an object",
    list: "a list",
}
"""What messages call a type of JSON's."""


class PinsyncError(Exception):
    """What ends a command: a message for people, an exit code for scripts, and a hint at the remedy.

    It carries foreign text as it is; who shows it escapes.

    Args:
        message: what is wrong and what was expected, one sentence, without a secret.
        hint: what to do about it; shown on a line of its own.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(PinsyncError):
    """The command line asks for something that can't be done (exit 2)."""

    exit_code = 2


class FileError(PinsyncError):
    """A file that can't be read, or doesn't hold what it should (exit 2).

    Args:
        message: what is wrong and what was expected.
        source: the file's path, or ``revision:path``.
        line: counted from 1, if known.
        column: counted from 1, if known.
        hint: what to do about it.
    """

    exit_code = 2

    def __init__(
        self, message: str, *, source: str, line: int | None = None, column: int | None = None, hint: str | None = None
    ) -> None:
        # On one line, since only here is it known where a name that holds a line end begins and ends.
        place = ":".join(str(part) for part in (one_line(source), line, column) if part is not None)
        super().__init__(f"{place}: {message}", hint=hint)
        self.reason = message
        self.source = source
        self.line = line
        self.column = column


class ConfigError(FileError):
    """A setting, in ``pinsync.yaml`` or in the environment, that is missing or refused (exit 2)."""


class RepositoryError(PinsyncError):
    """Git is missing, or the repository isn't in a state to do what was asked (exit 2)."""

    exit_code = 2


class RemoteError(PinsyncError):
    """The network, the authentication, or an answer that can't be trusted (exit 3)."""

    exit_code = 3


class SafetyError(PinsyncError):
    """Refused so that nothing is lost; the hint names the flag that overrides, if there is one (exit 4)."""

    exit_code = 4


class DataError(RemoteError):
    """An answer, or a part of one, that isn't what it should be (exit 3).

    Args:
        message: what is wrong and what was expected.
        path: where in the data, as keys and indexes; whoever read the data from a file turns it into a line.
        hint: what to do about it.
    """

    def __init__(self, message: str, *, path: tuple[str | int, ...] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.path = path


def pick_gravest(codes: list[int]) -> int:
    """Return the exit code of several parts: the gravest of theirs, 0 if there are none."""
    return min(codes, key=_GRAVEST_FIRST.index, default=0)


def suggest(word: str, known: Iterable[str], *, otherwise: str | None = None) -> str:
    """Return a hint at the known words nearest to ``word``, whatever the case of either.

    If none is near it is ``otherwise``, or a list of them all. Each is shown on one line: a word can't add a line.
    """
    from difflib import SequenceMatcher, get_close_matches  # noqa: PLC0415 - for mistakes only; help must stay quick

    words = sorted(known)
    # Reversed, so that of words that differ only in case the first one wins.
    folded = {each.casefold(): each for each in reversed(words)}
    near = get_close_matches(word.casefold(), folded, n=_MAX_NEAR)
    ratios = {name: SequenceMatcher(None, name, word.casefold()).ratio() for name in near}
    nearest = sorted(folded[name] for name in near if ratios[name] == ratios[near[0]])
    if nearest:
        shown = [f'"{reveal(one_line(each))}"' for each in nearest]
        return f"did you mean {' or '.join(shown)}?"
    return f"known: {', '.join(reveal(one_line(each)) for each in words)}" if otherwise is None else otherwise


def spell_path(path: Iterable[str | int]) -> str:
    """Return a path in data, of keys and indexes, as messages have it: ``pin_definitions[0].position``.

    A long key is cut off: a message isn't the place for it.
    """
    steps = (f"[{step}]" if isinstance(step, int) else f".{clip(step, _MAX_KEY)}" for step in path)
    return "".join(steps).removeprefix(".")


def name_kind(value: object) -> str:
    """Return what messages call the type of a value, in JSON's words."""
    return KINDS.get(type(value), "null")
