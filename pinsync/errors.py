"""The errors that end a command, with exit code and hint."""

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
"""Type → its name in messages, in JSON's words."""


class PinsyncError(Exception):
    """Ends a command with a message for people, an exit code for scripts, and a hint.

    Foreign text in the message is not escaped yet: the console escapes it.

    Args:
        message: the problem and the expectation, in one sentence, without a secret.
        hint: the remedy; shown on a line of its own.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(PinsyncError):
    """The command line asks for something impossible (exit 2)."""

    exit_code = 2


class FileError(PinsyncError):
    """A file that can't be read, or has the wrong content (exit 2).

    Args:
        message: the problem and the expectation.
        source: the path of the file, or ``revision:path``.
        line: counted from 1, if known.
        column: counted from 1, if known.
        hint: the remedy.
    """

    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        source: str,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
    ) -> None:
        # On one line: later nobody can tell a line end in the name from a line end of the message.
        parts = (one_line(source), line, column)
        place = ":".join(str(part) for part in parts if part is not None)
        super().__init__(f"{place}: {message}", hint=hint)
        self.reason = message
        self.source = source
        self.line = line
        self.column = column


class ConfigError(FileError):
    """A missing or refused setting, in ``pinsync.yaml`` or the environment (exit 2)."""


class RepositoryError(PinsyncError):
    """Git is missing, or the state of the repository doesn't allow the task (exit 2)."""

    exit_code = 2


class RemoteError(PinsyncError):
    """The network, the authentication, or an answer that can't be trusted (exit 3)."""

    exit_code = 3


class SafetyError(PinsyncError):
    """The task is refused to avoid a loss; the hint names the overriding flag, if any (exit 4)."""

    exit_code = 4


class DataError(RemoteError):
    """An answer, or a part of it, with a wrong content (exit 3).

    Args:
        message: the problem and the expectation.
        path: the place in the data, as keys and indexes. For data of a file, the reader translates
            the path into a line.
        hint: the remedy.
    """

    def __init__(
        self, message: str, *, path: tuple[str | int, ...] = (), hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.path = path


def pick_gravest(codes: list[int]) -> int:
    """Return the gravest of several exit codes; 0 if there are none."""
    return min(codes, key=_GRAVEST_FIRST.index, default=0)


def suggest(word: str, known: Iterable[str], *, otherwise: str | None = None) -> str:
    """Return a hint at the known words nearest to ``word``, in any case of letters.

    Without a near word, return ``otherwise``, or a list of all known words.
    """
    # Imported for mistakes only, so that help stays quick.
    from difflib import SequenceMatcher, get_close_matches  # noqa: PLC0415

    words = sorted(known)
    # Reversed, so that of words that differ only in case the first one wins.
    folded = {each.casefold(): each for each in reversed(words)}
    near = get_close_matches(word.casefold(), folded, n=_MAX_NEAR)
    ratios = {name: SequenceMatcher(None, name, word.casefold()).ratio() for name in near}
    nearest = sorted(folded[name] for name in near if ratios[name] == ratios[near[0]])
    if nearest:
        # On one line: a word from outside must not add a line to the message.
        quotes = [f'"{reveal(one_line(each))}"' for each in nearest]
        return f"did you mean {' or '.join(quotes)}?"
    if otherwise is not None:
        return otherwise
    listing = ", ".join(reveal(one_line(each)) for each in words)
    return f"known: {listing}"


def spell_path(path: Iterable[str | int]) -> str:
    """Return a path of keys and indexes in data, such as ``pin_definitions[0].position``.

    A long key is cut off.
    """
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{clip(step, _MAX_KEY)}"
    return text.removeprefix(".")


def name_kind(value: object) -> str:
    """Return the name of a value's type in messages, in JSON's words."""
    return KINDS.get(type(value), "null")
