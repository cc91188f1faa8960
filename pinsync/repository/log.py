"""Read the commits of a branch's main line."""

from __future__ import annotations

import contextlib
import glob
import math
from datetime import UTC, datetime, timedelta, timezone
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.errors import UsageError
from pinsync.escape import printable
from pinsync.model import Commit
from pinsync.repository.process import (
    build_pathspec,
    decode,
    decode_line,
    extract_reason,
    require_success,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pinsync.repository.process import Git

# Full and short hash, parents, author's name and address by .mailmap, author's date twice (with its
# offset, and in seconds), and subject.
FIELDS: Final = ("%H", "%h", "%P", "%aN", "%aE", "%aI", "%at", "%s")
LOG_FORMAT: Final = (
    "-z",
    "--no-show-signature",
    "--no-color",
    "--encoding=UTF-8",
    f"--format={'%x00'.join(FIELDS)}",
)
_MAX_MOVES: Final = 50
_FAR_EAST: Final = timezone(timedelta(hours=14))


class CommitRange(NamedTuple):
    """The commits that the user asks for.

    Attributes:
        tip: the full hash of the newest commit.
        base: the full hash of a commit to leave out with all its ancestors; None to leave out
            none.
        author: a regular expression that git looks for in the author's line; None for any author.
        since: the earliest moment of committing; None for no limit.
        until: the latest moment of committing; None for no limit.
    """

    tip: str
    base: str | None = None
    author: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def walk_main_line(git: Git, tip: str, names: Sequence[str]) -> Iterator[Commit]:
    """Yield the commits of the main line that touched a file with such a name, the newest first.

    The main line follows only the first parent of a merge. Git's answer is read lazily.

    Args:
        git: the repository.
        tip: the full hash of the newest commit.
        names: patterns of file names, in any folder; ``*`` matches any characters.

    Raises:
        RepositoryError: git failed.
    """
    pathspecs = build_pathspecs(names)
    return _parse_commits(git.stream("log", *LOG_FORMAT, "--first-parent", tip, "--", *pathspecs))


def find_last_commit(git: Git, tip: str, folder: PurePosixPath) -> Commit | None:
    """Return the newest commit of the main line that changed a folder; None if there is none.

    Args:
        git: the repository.
        tip: the full hash of the newest commit.
        folder: the folder, from the repository's root.

    Raises:
        RepositoryError: git failed.
    """
    command = ("log", *LOG_FORMAT, "--max-count=1", "--first-parent", tip)
    output = git.run(*command, "--", build_pathspec(folder))
    return next(_parse_commits([output]), None)


def select_commits(git: Git, range_: CommitRange, names: Sequence[str]) -> frozenset[str]:
    """Return the full hashes of the commits of `walk_main_line` that are in a range.

    Raises:
        UsageError: the author is no regular expression.
        RepositoryError: git failed.
    """
    command = ["log", "--first-parent", "--no-show-signature", "--format=%H %ct"]
    if range_.author is not None:
        command.append(f"--author={range_.author}")
    command.append(range_.tip)
    if range_.base:
        command.append(f"^{range_.base}")
    result = git.attempt(*command, "--", *build_pathspecs(names))
    # Git names the pattern at fault: "fatal: header, '[': ...".
    if result.status and range_.author is not None and "header" in result.errors:
        message = f"--author: {printable(range_.author)} is no regular expression that git reads"
        raise UsageError(message, hint=extract_reason(result.errors))
    # Git's own --since stops at the first older commit. Newer commits may follow, where a clock
    # was wrong.
    since = range_.since.timestamp() if range_.since else -math.inf
    until = range_.until.timestamp() if range_.until else math.inf
    hashes = set()
    for line in require_success(result, "log").decode().splitlines():
        full, seconds = line.split()
        if since <= int(seconds) <= until:
            hashes.add(full)
    return frozenset(hashes)


def list_side_commits(git: Git, parents: Sequence[str], text: str = "") -> list[str]:
    """Return the full hashes of the commits that a merge brought and whose message has a text.

    Args:
        git: the repository.
        parents: the full hashes of the merge's parents.
        text: a part of a line; empty for the commits with any message.

    Raises:
        RepositoryError: git failed.
    """
    first, *others = parents
    command = ("rev-list", "--fixed-strings", f"--grep={text}", *others, f"^{first}", "--")
    return git.run(*command).decode("ascii").split()


def list_newer(git: Git, tip: str, commit: str) -> frozenset[str] | None:
    """Return the commits of the main line that a commit doesn't contain.

    Args:
        git: the repository.
        tip: the full hash of the newest commit of the main line.
        commit: the full hash of the other commit.

    Returns:
        Full hashes; None if the repository lacks the other commit.
    """
    result = git.attempt("rev-list", "--first-parent", tip, f"^{commit}", "--")
    return None if result.status else frozenset(result.output.decode("ascii").split())


def is_on_main_line(git: Git, tip: str, commit: str) -> bool:
    """Return whether a commit is on the main line of another one, or is that one.

    Args:
        git: the repository.
        tip: the full hash of the newest commit of the main line.
        commit: the full hash of the other commit; the repository may lack it.
    """
    if tip == commit:
        return True
    # Not --boundary, which also names the other parents of a merge.
    options = ("--first-parent", "--parents")
    result = git.attempt("rev-list", *options, tip, f"^{commit}", "--")
    lines = result.output.decode("ascii").splitlines()
    # The line is listed down to the first commit that the other one contains.
    return bool(lines) and lines[-1].split()[1:2] == [commit]


def find_first_commit(git: Git, tip: str) -> str:
    """Return the full hash of the first commit of a first-parent line; of a shallow one its end.

    Args:
        git: the repository.
        tip: the full hash of the newest commit.

    Raises:
        RepositoryError: git can't read the history.
    """
    output = git.run("rev-list", "--first-parent", "--max-parents=0", tip)
    return decode(output).split()[-1]


def is_ancestor(git: Git, tip: str, commit: str) -> bool:
    """Return whether a commit is another one, or one of its ancestors.

    Args:
        git: the repository.
        tip: the full hash of the later commit.
        commit: the full hash of the earlier commit; the repository may lack it.
    """
    return git.attempt("merge-base", "--is-ancestor", commit, tip).status == 0


def has_history(git: Git, tip: str, path: PurePosixPath) -> bool:
    """Return whether a commit or one of its ancestors has, or had, a file at a path.

    Args:
        git: the repository.
        tip: the full hash of the commit.
        path: the path from the repository's root.

    Raises:
        RepositoryError: git failed.
    """
    # Without --full-history, git leaves out side branches that made no difference in the end.
    command = ("rev-list", "--max-count=1", "--full-history", tip, "--", f":(top,literal){path}")
    return bool(git.run(*command))


def read_shallow_ends(git: Git) -> frozenset[str]:
    """Return the full hashes of the commits whose parents a shallow clone lacks."""
    place = git.folder / decode_line(git.run("rev-parse", "--git-path", "shallow"))
    if not place.is_file():
        return frozenset()
    return frozenset(place.read_text(encoding="ascii").split())


def find_shallow_end(git: Git, tip: str) -> Commit | None:
    """Return the commit at which the main line of a shallow clone ends; None in a full clone."""
    ends = read_shallow_ends(git)
    if not ends:
        return None
    output = git.stream("log", *LOG_FORMAT, "--first-parent", "--max-parents=0", tip, "--")
    (first,) = _parse_commits(output)
    return first if first.hash in ends else None


def find_former_paths(git: Git, path: PurePosixPath) -> list[PurePosixPath]:
    """Return the earlier paths of a file of HEAD, the last one first.

    The file was moved from another folder if the commit of the main line that added it removed
    exactly one file of the same name. The texts don't matter, unlike for git's own detection of
    renames.
    """
    paths: list[PurePosixPath] = []
    tip, current = "HEAD", path
    while len(paths) < _MAX_MOVES:
        commit = _find_adding_commit(git, tip, current)
        if commit is None:
            break
        tip = f"{commit}^"
        removed = _list_removed(git, tip, commit, path.name)
        if len(removed) != 1:
            break
        current = removed[0]
        paths.append(current)
    # A file that was moved there and back has its own path among the earlier ones.
    return [former for former in dict.fromkeys(paths) if former != path]


def _find_adding_commit(git: Git, tip: str, path: PurePosixPath) -> str | None:
    options = ("--no-show-signature", "--first-parent", "--diff-merges=first-parent")
    output = ("--diff-filter=A", "--no-patch", "--format=%H")
    result = git.attempt("log", "-1", *options, *output, tip, "--", build_pathspec(path))
    # The command fails before the first commit, and for the parent of a first commit.
    if result.status or not result.output.strip():
        return None
    return decode_line(result.output)


def _list_removed(git: Git, parent: str, commit: str, name: str) -> list[PurePosixPath]:
    options = ("-r", "-z", "--no-renames", "--diff-filter=D", "--name-only")
    pathspecs = build_pathspecs([glob.escape(name)])
    result = git.attempt("diff-tree", *options, parent, commit, "--", *pathspecs)
    if result.status:
        return []
    return [PurePosixPath(path) for path in decode(result.output).split("\0") if path]


def build_pathspecs(names: Sequence[str]) -> list[str]:
    """Return the pathspecs of files with such a name in any folder."""
    return [f":(top,glob)**/{name}" for name in names]


def _parse_commits(pieces: Iterable[bytes]) -> Iterator[Commit]:
    """Yield the commits of git's output, each as soon as its last field has arrived."""
    fields: list[str] = []
    rest = b""
    for piece in pieces:
        *values, rest = (rest + piece).split(b"\0")
        for value in values:
            # An old commit can hold text in another encoding without naming the encoding.
            fields.append(value.decode(errors="replace"))
            if len(fields) == len(FIELDS):
                yield build_commit(*fields)
                fields.clear()


def build_commit(
    full: str,
    short: str,
    parents: str,
    author: str,
    email: str,
    date: str,
    seconds: str,
    subject: str,
) -> Commit:
    """Return the commit of the values of `FIELDS`."""
    parent = parents.partition(" ")[0] or None
    return Commit(full, short, parent, author or email, email, _parse_date(date, seconds), subject)


def _parse_date(date: str, seconds: str) -> datetime:
    """Return the author's date of a commit; 1970 for a date that no calendar has."""
    # Git stores any number as a date, and any time zone.
    with contextlib.suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(date)
        moment.astimezone(_FAR_EAST)  # raises if a report in another zone would
        return moment
    with contextlib.suppress(ValueError, OverflowError, OSError):
        moment = datetime.fromtimestamp(int(seconds), UTC)
        moment.astimezone(_FAR_EAST)
        return moment
    return datetime.fromtimestamp(0, UTC)
