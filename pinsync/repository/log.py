"""The history of a branch's main line: which commits there are."""

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

_FIELDS: Final = ("%H", "%h", "%P", "%aN", "%aE", "%aI", "%at", "%s")
_FORMAT: Final = (
    "-z",
    "--no-show-signature",
    "--no-color",
    "--encoding=UTF-8",
    f"--format={'%x00'.join(_FIELDS)}",
)
_MAX_PLACES: Final = 50
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


def line_of(git: Git, tip: str, names: Sequence[str]) -> Iterator[Commit]:
    """Yield the commits of the main line that touched a file of such a name, the newest first, as git finds them.

    Of a merge, only the first parent is followed.

    Args:
        git: the repository.
        tip: the full hash of the newest.
        names: of files, in any folder; ``*`` stands for anything.

    Raises:
        RepositoryError: git failed.
    """
    return _commits(git.stream("log", *_FORMAT, "--first-parent", tip, "--", *_anywhere(names)))


def selected(git: Git, wanted: Range, names: Sequence[str]) -> frozenset[str]:
    """Return the full hashes of those commits of `line_of` that are asked for.

    Raises:
        UsageError: what the author is looked for by is no regular expression.
        RepositoryError: git failed.
    """
    options = [] if wanted.author is None else [f"--author={wanted.author}"]
    excluded = [f"^{wanted.base}"] if wanted.base else []
    revisions = [wanted.tip, *excluded, "--", *_anywhere(names)]
    found = git.attempt(
        "log", "--first-parent", "--no-show-signature", "--format=%H %ct", *options, *revisions
    )
    if found.status and wanted.author is not None and "header" in found.errors:
        message = f"--author: {printable(wanted.author)} is no regular expression that git reads"
        raise UsageError(message, hint=extract_reason(found.errors))
    # Git's own --since stops at the first commit that is older, behind which a clock may have gone
    # wrong.
    since = wanted.since.timestamp() if wanted.since else -math.inf
    until = wanted.until.timestamp() if wanted.until else math.inf
    commits = (entry.split() for entry in require_success(found, "log").decode().splitlines())
    return frozenset(full for full, seconds in commits if since <= int(seconds) <= until)


def shallow_end(git: Git, tip: str) -> Commit | None:
    """Return the commit at which the main line of a shallow clone ends; None in a whole clone."""
    place = git.folder / decode_line(git.run("rev-parse", "--git-path", "shallow"))
    if not place.is_file():
        return None
    (first,) = _commits(git.stream("log", *_FORMAT, "--first-parent", "--max-parents=0", tip, "--"))
    return first if first.hash in place.read_text(encoding="ascii").split() else None


def former_places(git: Git, path: PurePosixPath) -> list[PurePosixPath]:
    """Return where a file of HEAD stood before, the last place first.

    It came from another folder if a commit of the main line that added it removed one of its name
    there. How much of the text stayed doesn't matter, as it would for git's own detection.
    """
    places: list[PurePosixPath] = []
    tip, place = "HEAD", path
    options = (
        "--first-parent",
        "--diff-merges=first-parent",
        "--diff-filter=A",
        "--no-patch",
        "--format=%H",
    )
    while len(places) < _MAX_PLACES:
        # It fails before the first commit, and behind it.
        added = git.attempt(
            "log", "-1", "--no-show-signature", *options, tip, "--", build_pathspec(place)
        )
        if added.status or not added.output.strip():
            break
        tip = f"{decode_line(added.output)}^"
        removed = git.attempt(
            *(
                "diff-tree",
                "-r",
                "-z",
                "--no-renames",
                "--diff-filter=D",
                "--name-only",
                tip,
                tip[:-1],
            ),
            *("--", *_anywhere([glob.escape(path.name)])),
        )
        found = [PurePosixPath(name) for name in decode(removed.output).split("\0") if name]
        if removed.status or len(found) != 1:
            break
        place = found[0]
        places.append(place)
    return [found for found in dict.fromkeys(places) if found != path]


def _anywhere(names: Sequence[str]) -> list[str]:
    return [f":(top,glob)**/{name}" for name in names]


def _commits(pieces: Iterable[bytes]) -> Iterator[Commit]:
    rest = b""
    for piece in pieces:
        *values, rest = (rest + piece).split(b"\0")
        whole = len(values) // len(_FIELDS) * len(_FIELDS)
        # What an old commit spelled in another encoding, and doesn't say in which, can't be told.
        fields = iter([value.decode(errors="replace") for value in values[:whole]])
        yield from (_commit(*each) for each in zip(*[fields] * len(_FIELDS), strict=True))
        rest = b"\0".join([*values[whole:], rest])


def _commit(
    full: str,
    short: str,
    parents: str,
    author: str,
    email: str,
    date: str,
    seconds: str,
    subject: str,
) -> Commit:
    parent = parents.partition(" ")[0] or None
    return Commit(full, short, parent, author or email, email, _moment(date, seconds), subject)


def _moment(date: str, seconds: str) -> datetime:
    """Return when a commit was written; git stores any number, also of a zone or a year that no calendar has."""
    with contextlib.suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(date)
        moment.astimezone(_FAR_EAST)  # there has to be such a time in every zone
        return moment
    with contextlib.suppress(ValueError, OverflowError, OSError):
        moment = datetime.fromtimestamp(int(seconds), UTC)
        moment.astimezone(_FAR_EAST)
        return moment
    return datetime.fromtimestamp(0, UTC)
