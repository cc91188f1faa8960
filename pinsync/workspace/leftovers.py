"""Documents that no tracker reads any more, and files that are almost documents by name."""

from __future__ import annotations

import contextlib
import re
import shlex
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from pinsync import config, layout
from pinsync.document.parse import parse_document
from pinsync.errors import FileError, RepositoryError, SafetyError
from pinsync.escape import one_line
from pinsync.layout import SUFFIX
from pinsync.workspace.configuration import list_configuration_paths
from pinsync.workspace.paths import relative_to_cwd
from pinsync.workspace.source import Source
from pinsync.workspace.state import State, open_state
from pinsync.workspace.tree import Head, Place, WorkingTree, find_place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pinsync.config import Settings
    from pinsync.model import Customization
    from pinsync.repository import Repository

# The names of trackers' folders.
_TRACKER: Final = r"[a-z0-9_-]+"
# Every document has such a line.
_DOCUMENT: Final = rb"(?m)^model:"


def describe_leftovers(
    place: Place, names: Sequence[str], read_today: Collection[PurePosixPath] = ()
) -> str | None:
    """Return a warning of documents that no tracker reads since trackers were added or removed.

    Args:
        place: the place of the documents.
        names: the names of the configured trackers.
        read_today: the folders that the working tree's configuration reads, which stay.

    Raises:
        FileError: a document outside the trackers' folders is no plain file, or can't be read.
    """
    is_split = len(names) > 1 and place.directory not in read_today
    if is_split and (stray := [str(path) for path, _ in place.read_documents(None)]):
        reason = "each of several trackers has a folder of its own"
        command = _build_move_command(place, "NAME")
        remedy = f"before the export, {command} (NAME: {' or '.join(names)}), or delete them"
        return f"not read, since {reason}: {', '.join(stray)}; {remedy}"
    read = names if len(names) > 1 else ()
    stale = []
    for name in place.list_folders():
        folder = place.directory / name
        if name in read or folder in read_today or not re.fullmatch(_TRACKER, name):
            continue
        if _holds_documents(place, name):
            stale.append(str(folder))
    if not stale:
        return None
    reason = "a single tracker's files lie in no folder of their own"
    if read:
        reason = "no tracker has such a name"
    command = _build_removal_command(place, stale)
    return f"not read, since {reason}: {', '.join(stale)}; to remove: {command}"


def check_old_documents(place: Place, tracker: str, live: Iterable[Customization]) -> None:
    """Refuse to write a tracker's documents while older ones lie outside its folder.

    Args:
        place: the place of the documents.
        tracker: the name of the tracker, one of several.
        live: the customizations to write.

    Raises:
        SafetyError: an old document holds one of the customizations.
    """
    # Old and new documents would hold the same rules, and only the old ones have the comments.
    ids = {item.id for item in live if item.id}
    for path, text in place.read_documents(None):
        try:
            document = parse_document(text, str(path))
        except FileError:
            continue
        if any(entry.customization.id in ids for entry in document.entries):
            folder = place.directory / tracker
            message = f"{path} holds rules of tracker {tracker}, whose folder is {folder}"
            command = _build_move_command(place, tracker)
            hint = f"move the documents there first, with their comments: {command}"
            raise SafetyError(message, hint=hint)


def describe_misnamed(names: Sequence[str]) -> str:
    """Return a warning of files that would be documents if their names ended in ``.yaml``."""
    return f"not read, since documents end in {SUFFIX}: {', '.join(names)}; rename them"


def find_misnamed(place: Place, names: Sequence[str]) -> str | None:
    """Return a warning of misnamed documents in the trackers' folders, if there are any.

    Args:
        place: the place of the documents.
        names: the names of the configured trackers.
    """
    misnamed: list[str] = []
    for tracker in names if len(names) > 1 else (None,):
        folder = layout.choose_folder(place.directory, tracker)
        misnamed += map(str, place.list_misnamed(folder))
    return describe_misnamed(misnamed) if misnamed else None


def find_state_warnings(state: State, tree: WorkingTree) -> list[str]:
    """Return the warnings of unread documents on one side of a comparison.

    Args:
        state: the side.
        tree: the working tree.
    """
    place = find_place(state, tree)
    return find_warnings(place, state.settings, tree) if place else []


def find_warnings(place: Place, settings: Settings, tree: WorkingTree) -> list[str]:
    """Return the warnings of unread documents.

    Args:
        place: the place of the documents.
        settings: the configuration of the place.
        tree: the working tree.
    """
    names = [tracker.name for tracker in settings.trackers]
    finders = (
        partial(_describe_early, place, settings, tree),
        partial(describe_leftovers, place, names, _map_folders(tree.settings)),
        partial(find_misnamed, place, names),
    )
    warnings: list[str] = []
    for find in finders:
        # Reading commands don't need the unread files, so an error there is none of theirs.
        with contextlib.suppress(FileError):
            if warning := find():
                warnings.append(warning)
    return warnings


def _describe_early(place: Place, settings: Settings, tree: WorkingTree) -> str | None:
    """Return a warning of documents committed before the configuration that reads them."""
    if isinstance(place, WorkingTree):
        return None
    read = _map_folders(settings)
    today = replace(place, directory=tree.directory)
    early = [
        str(folder)
        for folder, tracker in sorted(_map_folders(tree.settings).items())
        if folder not in read and _holds_documents(today, tracker)
    ]
    if not early:
        return None
    file = one_line(str(_find_configuration(tree)))
    reason = f"{place.name}'s {file} {_describe_difference(settings, tree.settings)}"
    remedy = f"; commit {file}" if _is_edited(tree) else ""
    return f"not read, since {reason}: {', '.join(early)}{remedy}"


def _describe_difference(before: Settings, today: Settings) -> str:
    """Return the reason why a configuration doesn't read the same folders as today's."""
    if before.directory != today.directory:
        return f"names the directory {before.directory}"
    known = {tracker.name for tracker in before.trackers}
    missing = [tracker.name for tracker in today.trackers if tracker.name not in known]
    if missing and len(today.trackers) > 1:
        noun = "tracker" if len(missing) == 1 else "trackers"
        return f"doesn't name {noun} {', '.join(missing)}"
    return f"names {len(before.trackers)} trackers, and not {len(today.trackers)}"


def describe_uncommitted(tree: WorkingTree) -> str | None:
    """Return a warning if the configuration has uncommitted changes."""
    if not _is_edited(tree):
        return None
    file = one_line(relative_to_cwd(str(_find_configuration(tree)), tree.store.root))
    reason = "committed documents are read with the committed configuration"
    return f"{file} has changes that aren't committed; commit it too, since {reason}"


def _map_folders(settings: Settings) -> dict[PurePosixPath, str | None]:
    """Return each folder of documents → its tracker, or None if there is only one tracker."""
    return {
        layout.choose_folder(settings.directory, name): name for name in settings.list_subfolders()
    }


def _find_configuration(tree: WorkingTree) -> PurePosixPath | None:
    """Return the path of the configuration in the repository; None if it lies outside."""
    if tree.repository is None:
        return None
    return next(iter(list_configuration_paths(tree.settings, tree.repository)), None)


def _is_edited(tree: WorkingTree) -> bool:
    file = _find_configuration(tree)
    # A damaged index, for example, which reading doesn't need.
    with contextlib.suppress(RepositoryError):
        return bool(file and tree.repository and tree.repository.find_uncommitted(file))
    return False


def _build_move_command(place: Place, tracker: str) -> str:
    """Return the shell command that moves documents into a tracker's folder."""
    # ``git mv`` moves nothing if git lacks one of the files.
    move = "git mv" if _has_all(place) else "mv"
    directory = shlex.quote(str(place.directory))
    return f"mkdir -p {directory}/{tracker} && {move} {directory}/*{SUFFIX} {directory}/{tracker}/"


def _has_all(place: Place) -> bool:
    """Whether git has all documents that lie outside the trackers' folders."""
    if not isinstance(place, WorkingTree):
        return True
    known: set[PurePosixPath] = set()
    # An error means a conflict, in which git refuses to move the file.
    with contextlib.suppress(FileError):
        if place.repository:
            known.update(path for path, _ in place.repository.read_index(place.directory))
    return known.issuperset(path for path, _ in place.read_documents(None))


def _build_removal_command(place: Place, folders: Sequence[str]) -> str:
    """Return the shell command that removes folders."""
    # ``git rm`` fails for a folder without a tracked file.
    tracked = [folder for folder in folders if _is_tracked(place, PurePosixPath(folder))]
    untracked = [folder for folder in folders if folder not in tracked]
    commands = []
    if tracked:
        commands.append(f"git rm -r {shlex.join(tracked)}")
    if untracked:
        commands.append(f"rm -r {shlex.join(untracked)}")
    return " && ".join(commands)


def _is_tracked(place: Place, folder: PurePosixPath) -> bool:
    if not isinstance(place, WorkingTree):
        return True
    if place.repository is None:
        return False
    try:
        return any(True for _ in place.repository.read_index(folder))
    except FileError:
        # A file in conflict is tracked.
        return True


def describe_rename(
    place: WorkingTree | Head, tree: WorkingTree, settings: Settings, environ: Mapping[str, str]
) -> str | None:
    """Return a warning of documents in the directory of an earlier configuration.

    Args:
        place: the place of the documents.
        tree: the working tree.
        settings: today's configuration.
        environ: the environment variables.
    """
    repository = tree.repository
    if repository is None:
        return None
    folders = {place.directory}
    folders |= {
        layout.choose_folder(place.directory, tracker.name) for tracker in settings.trackers
    }
    stale = []
    for state in _open_earlier_states(repository, tree, settings, environ):
        if state.settings.directory == place.directory:
            continue
        for folder in sorted({state.find_folder(tracker) for tracker in state.trackers} - folders):
            folders.add(folder)
            # An error means that it is no folder of documents.
            with contextlib.suppress(FileError):
                if isinstance(place, WorkingTree):
                    files = repository.read_index(folder)
                else:
                    files = repository.read_documents("HEAD", folder)
                if any(re.search(_DOCUMENT, text) for _, text in files):
                    stale.append(str(folder))
    if not stale:
        return None
    remedy = f"git mv the files there, or to remove them: git rm -r {shlex.join(stale)}"
    return f"not read, since the directory is {place.directory} now: {', '.join(stale)}; {remedy}"


def _open_earlier_states(
    repository: Repository, tree: WorkingTree, settings: Settings, environ: Mapping[str, str]
) -> Iterator[State]:
    """Yield HEAD, and the commit before the last change of the configuration."""
    if (head := repository.resolve_head()) is None:
        return
    name = settings.path.name if settings.path else config.FILE_NAME
    last = next(repository.walk_main_line(head, [name]), None)
    for revision in (head, last.parent if last else None):
        if revision:
            source = Source("revision", "HEAD", revision=revision)
            # The older configuration may be refused by this version of pinsync.
            with contextlib.suppress(FileError):
                yield open_state(source, settings, repository, tree.store, environ)


def _holds_documents(place: Place, name: str | None) -> bool:
    # A folder of somebody else may hold anything.
    with contextlib.suppress(FileError):
        return any(re.search(_DOCUMENT, text) for _, text in place.read_documents(name))
    return False
