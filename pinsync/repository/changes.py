"""Read which files each commit of a main line changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.repository.log import FIELDS, LOG_FORMAT, build_commit, build_pathspecs
from pinsync.repository.process import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pinsync.model import Commit
    from pinsync.repository.process import Git

_PLAIN: Final = ("100644", "100755")
_ABSENT: Final = "000000"


class FileChange(NamedTuple):
    """The change of one file in a commit, compared with the first parent.

    Attributes:
        path: the path from the repository's root.
        old: the abbreviated hash of the bytes in the parent; None if it lacks the file.
        is_plain: whether each side that has the file has a plain one, not a link or a submodule.
    """

    path: str
    old: str | None
    is_plain: bool


class CommitChanges(NamedTuple):
    """A commit, and the files that it changed."""

    commit: Commit
    files: tuple[FileChange, ...]


def walk_changes(git: Git, tip: str, names: Sequence[str]) -> Iterator[CommitChanges]:
    """Yield the commits of `log.walk_main_line`, each with the files that it changed.

    Raises:
        RepositoryError: git failed.
    """
    # The user's settings may hide the files of the first commit, or detect renames.
    settings = ("-c", "log.showRoot=true")
    # Without --no-abbrev, since that would also write out the short hash of the commit.
    options = ("--first-parent", "--diff-merges=first-parent", "--raw")
    pathspecs = build_pathspecs(names)
    command = ("log", *LOG_FORMAT, *options, "--no-renames", tip, "--", *pathspecs)
    fields: list[str] = []
    files: list[FileChange] = []
    entry = ""
    for item in _split(git.stream(*settings, *command)):
        if entry:
            files.append(_build_change(entry, item))
            entry = ""
        elif len(fields) < len(FIELDS):
            fields.append(item.decode(errors="replace"))
        elif item.startswith((b":", b"\n:")):
            # Git writes a line end above the first file.
            entry = item.decode("ascii").lstrip()
        else:
            yield CommitChanges(build_commit(*fields), tuple(files))
            fields = [item.decode(errors="replace")]
            files = []
    if fields:
        yield CommitChanges(build_commit(*fields), tuple(files))


def _split(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the items of an output with ``-z``, each as soon as it is there."""
    rest = b""
    for piece in pieces:
        *items, rest = (rest + piece).split(b"\0")
        yield from items


def _build_change(entry: str, path: bytes) -> FileChange:
    """Return the change of a line such as ``:100644 100644 OLD NEW M``."""
    old_mode, new_mode, old, *_ = entry.removeprefix(":").split()
    is_plain = {old_mode, new_mode} <= {*_PLAIN, _ABSENT}
    return FileChange(decode(path), None if old_mode == _ABSENT else old, is_plain)
