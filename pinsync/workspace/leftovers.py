"""Documents that nobody reads any more: of trackers that are gone, and under names that are almost right."""

from __future__ import annotations

import contextlib
import re
import shlex
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pinsync import config, layout
from pinsync.document.parse import parse_document
from pinsync.errors import FileError, RepositoryError, SafetyError
from pinsync.escape import one_line
from pinsync.layout import SUFFIX
from pinsync.workspace.configuration import configuration_places
from pinsync.workspace.paths import relative_to_cwd
from pinsync.workspace.source import Source
from pinsync.workspace.state import State, open_state
from pinsync.workspace.tree import Head, Index, Place, WorkingTree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pinsync.config import Settings
    from pinsync.model import Customization
    from pinsync.repository import Repository

# What the name of a tracker's folder looks like, and a line that every document has.
_TRACKER: Final = re.compile(r"[a-z0-9_-]+")
_DOCUMENT: Final = re.compile(rb"^model:", re.MULTILINE)


def describe_leftovers(place: Place, names: Sequence[str], read_today: Collection[PurePosixPath] = ()) -> str | None:
    """Return a warning of documents that no tracker reads any more, as before there were several, or fewer.

    Args:
        place: where the documents lie.
        names: the trackers that are configured.
        read_today: the folders that the configuration of the working tree reads: none of them is to be removed.

    Raises:
        FileError: a document where there should be none is no plain file, or can't be read.
    """
    is_split = len(names) > 1 and place.directory not in read_today
    if is_split and (stray := [str(path) for path, _ in place.documents(None)]):
        reason = "each of several trackers has a folder of its own"
        remedy = f"before the export, {_move(place, 'NAME')} (NAME: {' or '.join(names)}), or delete them"
        return f"not read, since {reason}: {', '.join(stray)}; {remedy}"
    read = names if len(names) > 1 else ()
    folders = [name for name in place.folders() if _TRACKER.fullmatch(name) and name not in read]
    unread = [name for name in folders if place.directory / name not in read_today]
    stale = [str(place.directory / name) for name in unread if _holds_documents(place, name)]
    if not stale:
        return None
    reason = "no tracker has such a name" if read else "a single tracker's files lie in no folder of their own"
    return f"not read, since {reason}: {', '.join(stale)}; to remove: {_removal(place, stale)}"


def check_moved(place: Place, tracker: str, live: Iterable[Customization]) -> None:
    """Refuse to write a tracker's first documents beside those from before it had a folder.

    Both would hold the same rules, and only the old ones the comments.

    Args:
        place: where the documents lie.
        tracker: one of several.
        live: the rules to be written.

    Raises:
        SafetyError: an old document holds one of the rules.
    """
    ids = {item.id for item in live}
    for path, text in place.documents(None):
        try:
            read = parse_document(text, str(path))
        except FileError:
            continue
        if any(block.customization.id in ids for block in read.entries if block.customization.id):
            folder = place.directory / tracker
            message = f"{path} holds rules of tracker {tracker}, whose folder is {folder}"
            hint = f"move the documents there first, with their comments: {_move(place, tracker)}"
            raise SafetyError(message, hint=hint)


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
    folders = [layout.choose_folder(place.directory, tracker) for tracker in trackers]
    found = [str(path) for folder in folders for path in place.misnamed(folder)]
    return describe_misnamed(found) if found else None


def warnings_at(state: State, tree: WorkingTree) -> list[str]:
    """Return the warnings of documents that aren't read, for a side of a comparison that is read from files.

    Args:
        state: the side.
        tree: the working tree.
    """
    repository, directory = state.repository, state.settings.directory
    place: Place
    match state.source.kind:
        case "worktree":
            place = tree
        case "index" if repository:
            place = Index(repository, directory)
        case "revision" if repository and state.source.revision:
            place = Head(repository, directory, state.source.revision, state.source.name)
        case _:
            return []
    return warnings_of(place, state.settings, tree)


def warnings_of(place: Place, settings: Settings, tree: WorkingTree) -> list[str]:
    """Return the warnings of documents that aren't read.

    Args:
        place: where the documents lie.
        settings: the configuration that they are read with.
        tree: the working tree.
    """
    names = [tracker.name for tracker in settings.trackers]
    finders = (
        partial(_describe_early, place, settings, tree),
        partial(describe_leftovers, place, names, _folders(tree.settings)),
        partial(find_misnamed, place, names),
    )
    warnings: list[str] = []
    for find in finders:
        with contextlib.suppress(FileError):  # a file where no document is expected is not for a reader to mend
            if warning := find():
                warnings.append(warning)
    return warnings


def _describe_early(place: Place, settings: Settings, tree: WorkingTree) -> str | None:
    """Return a warning of documents that were committed before the configuration that reads them."""
    if isinstance(place, WorkingTree):
        return None
    read = _folders(settings)
    today = replace(place, directory=tree.directory)
    unread = sorted(folder for folder in _folders(tree.settings) if folder not in read)
    early = [str(folder) for folder in unread if _holds_documents(today, _folders(tree.settings)[folder])]
    if not early:
        return None
    file = one_line(str(_configuration(tree)))
    reason = f"{place.name}'s {file} {_difference(settings, tree.settings)}"
    remedy = f"; commit {file}" if _is_edited(tree) else ""
    return f"not read, since {reason}: {', '.join(early)}{remedy}"


def _difference(before: Settings, today: Settings) -> str:
    """Return why a configuration doesn't read the folders that today's reads."""
    if before.directory != today.directory:
        return f"names the directory {before.directory}"
    known = {tracker.name for tracker in before.trackers}
    missing = [tracker.name for tracker in today.trackers if tracker.name not in known]
    if missing and len(today.trackers) > 1:
        return f"doesn't name {'tracker' if len(missing) == 1 else 'trackers'} {', '.join(missing)}"
    return f"names {len(before.trackers)} trackers, and not {len(today.trackers)}"


def describe_uncommitted(tree: WorkingTree) -> str | None:
    """Return a warning of a configuration that the last commit doesn't have as it is on disk."""
    if not _is_edited(tree):
        return None
    file = one_line(relative_to_cwd(str(_configuration(tree)), tree.store.root))
    reason = "what is committed is read with the configuration that is committed"
    return f"{file} has changes that aren't committed; commit it too, since {reason}"


def _folders(settings: Settings) -> dict[PurePosixPath, str | None]:
    """Return the folders that a configuration reads, each with its tracker where there are several."""
    names = [tracker.name for tracker in settings.trackers]
    return {layout.choose_folder(settings.directory, name): name for name in (names if len(names) > 1 else (None,))}


def _configuration(tree: WorkingTree) -> PurePosixPath | None:
    """Return the path of the configuration from the repository's root; None for one from elsewhere."""
    if tree.repository is None:
        return None
    return next(iter(configuration_places(tree.settings, tree.repository)), None)


def _is_edited(tree: WorkingTree) -> bool:
    file = _configuration(tree)
    with contextlib.suppress(RepositoryError):  # an index at fault, say, which reading can do without
        return bool(file and tree.repository and tree.repository.uncommitted(file))
    return False


def _move(place: Place, tracker: str) -> str:
    """Return the commands that move documents into a tracker's folder."""
    move = "git mv" if _has_all(place) else "mv"
    directory = shlex.quote(str(place.directory))
    return f"mkdir -p {directory}/{tracker} && {move} {directory}/*{SUFFIX} {directory}/{tracker}/"


def _has_all(place: Place) -> bool:
    """Return whether git has all documents outside folders: without one ``git mv`` moves none."""
    if not isinstance(place, WorkingTree):
        return True
    known: set[PurePosixPath] = set()
    with contextlib.suppress(FileError):  # in conflict, so that git refuses to move it
        if place.repository:
            known.update(path for path, _ in place.repository.read_index(place.directory))
    return known.issuperset(path for path, _ in place.documents(None))


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
    folders = {layout.choose_folder(place.directory, tracker.name) for tracker in settings.trackers} | {place.directory}
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


def _holds_documents(place: Place, name: str | None) -> bool:
    with contextlib.suppress(FileError):  # a folder that is none of pinsync's can hold anything
        return any(_DOCUMENT.search(text) for _, text in place.documents(name))
    return False
