"""Read many of git's objects through one process."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.errors import RepositoryError
from pinsync.escape import printable
from pinsync.repository.process import extract_reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import PurePosixPath
    from types import TracebackType

    from pinsync.repository.process import Git

_HEADER: Final = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) ([a-z]+) ([0-9]+)\n")
_PIECE: Final = 1 << 20


class Object(NamedTuple):
    """An object of git.

    Attributes:
        hash: its full hash.
        type: ``blob``, ``tree``, ``commit`` or ``tag``.
        content: its bytes; None if it is larger than the reader's limit.
    """

    hash: str
    type: str
    content: bytes | None


class Reader:
    """Reads objects of git through one process: a hundredth of the cost of a process for each.

    Args:
        git: the repository.
        max_bytes: the size of the largest content to return.
    """

    def __init__(self, git: Git, max_bytes: int) -> None:
        self._process = git.start_conversation("cat-file", "--batch")
        self._max_bytes = max_bytes

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def find(self, name: str, path: PurePosixPath | None = None) -> Object | None:
        """Return an object; None if it doesn't exist.

        Args:
            name: a hash, or a revision in git's spelling.
            path: the path of the object in the revision; None for the revision itself.

        Raises:
            RepositoryError: git ended, or the path holds a newline.
        """
        query = name if path is None else f"{name}:{path}"
        if "\n" in query:
            raise RepositoryError(
                f"{printable(query)!r} can't be looked for in history", hint="rename the folder"
            )
        self.request([query])
        return self.receive()

    def request(self, queries: Sequence[str]) -> None:
        """Ask for objects, so that git reads the next one while the caller is at work.

        Args:
            queries: hashes, or other names without a newline. Together they must fit into a pipe,
                of 4,096 bytes on some systems.
        """
        # A broken pipe means that git ended. Its standard error says why.
        with suppress(BrokenPipeError):
            lines = "".join(f"{query}\n" for query in queries)
            self._process.stdin.write(lines.encode("utf-8", "surrogateescape"))
            self._process.stdin.flush()

    def receive(self) -> Object | None:
        """Return the object of the next request; None if it doesn't exist.

        Raises:
            RepositoryError: git ended.
        """
        answer = self._process.stdout.readline()
        header = _HEADER.fullmatch(answer)
        if header is None:
            # An empty answer isn't "missing": it would look as if all documents were gone.
            if not answer.endswith((b" missing\n", b" ambiguous\n")):
                raise self._build_error()
            return None
        content = self._read_content(int(header[3]))
        return Object(header[1].decode(), header[2].decode(), content)

    def _read_content(self, size: int) -> bytes | None:
        """Return the content that follows a header; None if it is larger than the limit."""
        content = None
        if size <= self._max_bytes:
            content = self._process.stdout.read(size)
        else:
            for _ in range(size // _PIECE):
                self._process.stdout.read(_PIECE)
            self._process.stdout.read(size % _PIECE)
        # A part of a document could be read as a document with fewer customizations.
        if self._process.stdout.read(1) != b"\n":
            raise self._build_error()
        return content

    def _build_error(self) -> RepositoryError:
        """Return the error of a git that ended before it answered."""
        reason = extract_reason(self._process.stderr.read().decode(errors="replace"))
        return RepositoryError(f"git cat-file failed: {reason}", hint="see what git fsck says")


class SharedReader:
    """Reads objects of git for all threads of a command, through one process.

    The process starts with the first object. It sees objects and references that are written
    later.

    Args:
        git: the repository.
        max_bytes: the size of the largest content to return.
    """

    def __init__(self, git: Git, max_bytes: int) -> None:
        self._git = git
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._reader: Reader | None = None

    def find(self, name: str, path: PurePosixPath | None = None) -> Object | None:
        """Return an object; None if it doesn't exist. See `Reader.find`."""
        with self._lock:
            if self._reader is None:
                self._reader = Reader(self._git, self._max_bytes)
            try:
                return self._reader.find(name, path)
            except BaseException:
                # Git ends at a damaged object, and after an interrupt the next answer would be that
                # of this question. The next question goes to a new process.
                self._reader.close()
                self._reader = None
                raise
