"""Reading many of git's objects through one process."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.errors import RepositoryError
from pinsync.escape import printable
from pinsync.repository.process import reason

if TYPE_CHECKING:
    from pathlib import PurePosixPath
    from types import TracebackType

    from pinsync.repository.process import Git

_FOUND: Final = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) ([a-z]+) ([0-9]+)\n")
_PIECE: Final = 1 << 20


class Object(NamedTuple):
    """An object of git: its hash, its type, and its content, None where that is larger than wanted."""

    hash: str
    type: str
    content: bytes | None


class Reader:
    """Reads objects of git through one process, which costs a hundredth of a process for each.

    Args:
        git: the repository.
        max_bytes: the largest content that is returned.
    """

    def __init__(self, git: Git, max_bytes: int) -> None:
        self._process = git.conversation("cat-file", "--batch")
        self._max_bytes = max_bytes

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del (
            self._process
        )  # which ends it; among what is collected later, its pipes may come before it

    def find(self, name: str, path: PurePosixPath | None = None) -> Object | None:
        """Return the object of a name that git understands, ``None`` if there is none.

        Args:
            name: a hash, or a revision.
            path: what is asked for in that revision; None for itself.

        Raises:
            RepositoryError: git ended, or the path can't be asked for.
        """
        wanted = name if path is None else f"{name}:{path}"
        if "\n" in wanted:
            raise RepositoryError(
                f"{printable(wanted)!r} can't be looked for in history", hint="rename the folder"
            )
        with suppress(BrokenPipeError):  # git ended, and its standard error says why
            self._process.stdin.write(f"{wanted}\n".encode("utf-8", "surrogateescape"))
            self._process.stdin.flush()
        answer = self._process.stdout.readline()
        found = _FOUND.fullmatch(answer)
        if found is None:
            # Taken for an answer, silence would look as if there were nothing.
            if not answer.endswith((b" missing\n", b" ambiguous\n")):
                raise self._failure()
            return None
        size = int(found[3])
        content = self._process.stdout.read(size) if size <= self._max_bytes else None
        if content is None:
            for _ in range(size // _PIECE):
                self._process.stdout.read(_PIECE)
            self._process.stdout.read(size % _PIECE)
        # A part of a document could be read as a document with fewer customizations.
        if self._process.stdout.read(1) != b"\n":
            raise self._failure()
        return Object(found[1].decode(), found[2].decode(), content)

    def _failure(self) -> RepositoryError:
        """Return the error of a git that ended before it answered."""
        why = reason(self._process.stderr.read().decode(errors="replace"))
        return RepositoryError(f"git cat-file failed: {why}", hint="see what git fsck says")
