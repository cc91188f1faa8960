"""The history of a branch's main line: which commits there are, and what each of them holds."""

from __future__ import annotations

import glob
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.errors import RepositoryError, printable
from pinsync.model import Commit
from pinsync.repository.objects import FILE_MODES
from pinsync.repository.process import line, text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from pinsync.repository.process import Git

_FIELDS: Final = ("%H", "%h", "%P", "%aN", "%aE", "%aI", "%s")
_FOUND: Final = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) ([a-z]+) ([0-9]+)\n")
_PIECE: Final = 1 << 20
_FAR_EAST: Final = timezone(timedelta(hours=14))


class Range(NamedTuple):
    """Which commits are asked for.

    Attributes:
        tip: the full hash of the newest.
        base: the full hash of a commit from which on all is left out; None for none.
        author: what git looks for in the author's line, a regular expression; None for anybody.
        since: the earliest moment of committing, as git's ``--since``; None for the beginning.
        until: the latest moment of committing.
    """

    tip: str
    base: str | None = None
    author: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def commits(git: Git, wanted: Range) -> list[Commit]:
    """Return the commits of the main line, the newest first: of a merge, only the first parent is followed.

    Raises:
        RepositoryError: git failed, as it does on an expression that it can't read.
    """
    options = ["-z", "--first-parent", "--no-show-signature", "--no-color", "--encoding=UTF-8"]
    if wanted.author is not None:
        options.append(f"--author={wanted.author}")
    for name, moment in (("since", wanted.since), ("until", wanted.until)):
        if moment is not None:
            # In any other form, what lies before 1970 would be guessed at.
            options.append(f"--{name}=@{max(0, int(moment.timestamp()))} +0000")
    excluded = [f"^{wanted.base}"] if wanted.base else []
    found = git.run("log", *options, f"--format={'%x00'.join(_FIELDS)}", wanted.tip, *excluded, "--")
    values = iter(text(found).split("\0"))
    return [_commit(*fields) for fields in zip(*[values] * len(_FIELDS), strict=False)]


def _commit(full: str, short: str, parents: str, author: str, email: str, date: str, subject: str) -> Commit:
    try:
        moment = datetime.fromisoformat(date)
        moment.astimezone(_FAR_EAST)  # there has to be such a time in every zone
    except (ValueError, OverflowError):  # git stores any number, also of a year that no calendar has
        moment = datetime.fromtimestamp(0, UTC)
    return Commit(full, short, parents.partition(" ")[0] or None, author, email, moment, subject)


def shallow_ends(git: Git) -> frozenset[str]:
    """Return the full hashes of the commits at which a shallow clone ends; none in a whole one."""
    place = git.folder / line(git.run("rev-parse", "--git-path", "shallow"))
    return frozenset(place.read_text(encoding="ascii").split()) if place.is_file() else frozenset()


def origin(git: Git, older: str, newer: str, path: PurePosixPath) -> PurePosixPath | None:
    """Return where a file of ``newer`` stood in ``older``, if git sees that it was moved from another folder."""
    places = f":(glob)**/{glob.escape(path.name)}"
    found = git.run("diff-tree", "-r", "-z", "-M", "--diff-filter=R", "--name-status", older, newer, "--", places)
    values = iter(text(found).split("\0"))
    moves = {new: old for _, old, new in zip(values, values, values, strict=False)}
    return PurePosixPath(moves[str(path)]) if str(path) in moves else None


class Object(NamedTuple):
    """An object of git: its hash, its type, and its content, None where that is larger than wanted."""

    hash: str
    type: str
    content: bytes | None


class Listed(NamedTuple):
    """One name in a folder of a commit: whether it is a plain file, and the hash of its content."""

    is_file: bool
    hash: str


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
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del self._process  # which ends it; among what is collected later, its pipes may come before it

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
            raise RepositoryError(f"{printable(wanted)!r} can't be looked for in history", hint="rename the folder")
        self._process.stdin.write(f"{wanted}\n".encode("utf-8", "surrogateescape"))
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        found = _FOUND.fullmatch(answer)
        if found is None:
            # Taken for an answer, silence would look as if there were nothing.
            if not answer.endswith((b" missing\n", b" ambiguous\n")):
                raise RepositoryError("git cat-file ended before it had answered", hint="see what git fsck says")
            return None
        size = int(found[3])
        content = self._process.stdout.read(size) if size <= self._max_bytes else None
        if content is None:
            for _ in range(size // _PIECE):
                self._process.stdout.read(_PIECE)
            self._process.stdout.read(size % _PIECE)
        self._process.stdout.read(1)
        return Object(found[1].decode(), found[2].decode(), content)

    def parent(self, commit: str) -> str | None:
        """Return the full hash of a commit's first parent, ``None`` if it has none."""
        found = self.find(f"{commit}^1")
        return found and found.hash


def listing(tree: Object) -> Iterator[tuple[str, Listed]]:
    """Yield name and content of each entry of a tree object: mode, blank, name, NUL, and the hash in binary."""
    content, at, size = tree.content or b"", 0, len(tree.hash) // 2
    while at < len(content):
        end = content.index(b"\0", at)
        mode, _, name = content[at:end].partition(b" ")
        at = end + 1 + size
        yield text(name), Listed(mode.decode() in FILE_MODES, content[end + 1 : at].hex())
