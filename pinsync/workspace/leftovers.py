"""Documents that nobody reads any more: of trackers that are gone, and under names that are almost right."""

from __future__ import annotations

import contextlib
import re
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pinsync import config, layout
from pinsync.errors import FileError
from pinsync.layout import SUFFIX
from pinsync.workspace.source import Source
from pinsync.workspace.state import State, open_state
from pinsync.workspace.tree import Head, Index, Place, WorkingTree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pinsync.config import Settings
    from pinsync.repository import Repository

# What the name of a tracker's folder looks like, and a line that every document has.
_TRACKER: Final = re.compile(r"[a-z0-9_-]+")
_DOCUMENT: Final = re.compile(rb"^model:", re.MULTILINE)


def describe_leftovers(place: Place, names: Sequence[str]) -> str | None:
    """Return a warning of documents that no tracker reads any more, as before there were several, or fewer.

    Args:
        place: where the documents lie.
        names: the trackers that are configured.

    Raises:
        FileError: a document where there should be none is no plain file, or can't be read.
    """
    if len(names) > 1 and (stray := [str(path) for path, _ in place.documents(None)]):
        reason = "each of several trackers has a folder of its own"
        return f"not read, since {reason}: {', '.join(stray)}; move them there, or delete them"
    read = names if len(names) > 1 else ()
    folders = [name for name in place.folders() if _TRACKER.fullmatch(name) and name not in read]
    stale = [str(place.directory / name) for name in folders if _holds_documents(place, name)]
    if not stale:
        return None
    reason = "no tracker has such a name" if read else "a single tracker's files lie in no folder of their own"
    return f"not read, since {reason}: {', '.join(stale)}; to remove: {_removal(place, stale)}"


def describe_misnamed(names: Sequence[str]) -> str:
    """Return a warning of files that would be documents if their names ended in ``.yaml``."""
    return f"not read, since documents end in {SUFFIX}: {', '.join(names)}; rename them"


def find_misnamed(place: Place, names: Sequence[str]) -> str | None:
    """Return the warning of `describe_misnamed` for the trackers' folders; None if all names are right.

    Args:
        place: where the documents lie.
        names: the trackers that are configured.
    """
    trackers = names if len(names) > 1 else (None,)
    folders = [layout.folder(place.directory, tracker) for tracker in trackers]
    found = [str(path) for folder in folders for path in place.misnamed(folder)]
    return describe_misnamed(found) if found else None


def warnings_at(state: State) -> list[str]:
    """Return the warnings of documents that aren't read, for a side of a comparison that is read from files."""
    repository, directory = state.repository, state.settings.directory
    place: Place
    match state.source.kind:
        case "worktree":
            place = WorkingTree(state.settings, state.store, repository)
        case "index" if repository:
            place = Index(repository, directory)
        case "revision" if repository and state.source.revision:
            place = Head(repository, directory, state.source.revision, state.source.name)
        case _:
            return []
    return warnings_of(place, state.settings)


def warnings_of(place: Place, settings: Settings) -> list[str]:
    """Return the warnings of documents in a place that aren't read with these settings."""
    names = [tracker.name for tracker in settings.trackers]
    warnings: list[str] = []
    for find in (describe_leftovers, find_misnamed):
        with contextlib.suppress(FileError):  # a file where no document is expected is not for a reader to mend
            if warning := find(place, names):
                warnings.append(warning)
    return warnings


def _removal(place: Place, folders: Sequence[str]) -> str:
    """Return the commands that remove folders: ``git rm`` fails for one of which git has nothing."""
    known = [folder for folder in folders if _is_tracked(place, PurePosixPath(folder))]
    others = [folder for folder in folders if folder not in known]
    commands = (("git rm -r", known), ("rm -r", others))
    return " && ".join(f"{command} {shlex.join(names)}" for command, names in commands if names)


def _is_tracked(place: Place, folder: PurePosixPath) -> bool:
    if not isinstance(place, WorkingTree):
        return True
    if place.repository is None:
        return False
    try:
        return any(True for _ in place.repository.read_index(folder))
    except FileError:  # in conflict, so that git has it
        return True


def describe_rename(
    place: WorkingTree | Head, tree: WorkingTree, settings: Settings, environ: Mapping[str, str]
) -> str | None:
    """Return a warning of documents that lie where the configuration had them before it was changed last.

    Args:
        place: where documents are read.
        tree: the working tree.
        settings: today's configuration.
        environ: the environment variables.
    """
    repository = tree.repository
    if repository is None:
        return None
    folders = {layout.folder(place.directory, tracker.name) for tracker in settings.trackers} | {place.directory}
    stale = []
    for before in _earlier(repository, tree, settings, environ):
        if before.settings.directory == place.directory:
            continue
        for folder in sorted({before.folder(tracker) for tracker in before.trackers} - folders):
            folders.add(folder)
            with contextlib.suppress(FileError):  # no folder of documents
                index = isinstance(place, WorkingTree)
                files = repository.read_index(folder) if index else repository.read("HEAD", folder)
                stale += [str(folder)] if any(_DOCUMENT.search(text) for _, text in files) else []
    if not stale:
        return None
    how = f"git mv the files there, or to remove them: git rm -r {shlex.join(stale)}"
    return f"not read, since the directory is {place.directory} now: {', '.join(stale)}; {how}"


def _earlier(
    repository: Repository, tree: WorkingTree, settings: Settings, environ: Mapping[str, str]
) -> Iterator[State]:
    """Yield what HEAD's configuration says, and what it said before the last commit that changed it."""
    if (head := repository.head()) is None:
        return
    name = settings.path.name if settings.path else config.FILE_NAME
    last = next(repository.main_line(head, [name]), None)
    for revision in (head, last.parent if last else None):
        if revision:
            source = Source("revision", "HEAD", revision=revision)
            with contextlib.suppress(FileError):  # a configuration that is refused by now
                yield open_state(source, settings, repository, tree.store, environ)


def _holds_documents(place: Place, name: str) -> bool:
    with contextlib.suppress(FileError):  # a folder that is none of pinsync's can hold anything
        return any(_DOCUMENT.search(text) for _, text in place.documents(name))
    return False
