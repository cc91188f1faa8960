"""Paths of the working tree: resolve those of the command line, and show them to people."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from itertools import filterfalse
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct

from pinsync import config, layout
from pinsync.errors import FileError, UsageError
from pinsync.layout import SUFFIX, is_document, is_misnamed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pinsync.config import Settings
    from pinsync.document.written import Written
    from pinsync.workspace.store import Store


class FileSelection(Struct, frozen=True):
    """The documents, and the files with titles of items, that a command checks or formats.

    All paths are relative to the store's root, sorted and unique.

    Attributes:
        paths: the documents.
        items: the files with titles of items.
        unread: documents that no tracker reads, among ``paths`` or below a chosen folder.
        misnamed: files that would be documents if their names ended in ``.yaml``.
        expected: the folder where a tracker would read them, as a person writes it.
        errors: the errors of paths that name no documents.
    """

    paths: tuple[PurePosixPath, ...]
    items: tuple[PurePosixPath, ...]
    unread: tuple[PurePosixPath, ...]
    misnamed: tuple[PurePosixPath, ...]
    expected: PurePosixPath
    errors: tuple[FileError, ...]


def choose_files(
    words: Sequence[str],
    names: Sequence[str],
    settings: Settings,
    store: Store,
    besides: Collection[str] = (),
) -> FileSelection:
    """Return the documents that a command line names, without checking that they can be read.

    Args:
        words: paths of files, and of folders of trackers' documents; by default all documents.
        names: the trackers whose documents are chosen, instead of ``words``; by default all.
        settings: the trackers.
        store: the files on disk.
        besides: the words to skip, because the command handles them itself.

    Raises:
        UsageError: there are words and names, a word is empty, or there is no such tracker.
        ConfigError: there are names, and no tracker is configured.
    """
    if words and names:
        message = "--tracker means all documents of a tracker, so it can't go with paths"
        hint = "leave it out, or name that tracker's folder instead"
        raise UsageError(message, hint=hint)
    if "" in words:
        question = "is a variable empty that shouldn't be?"
        hint = f"write . for all documents below the current folder; {question}"
        raise UsageError("an empty text is no path", hint=hint)
    files: set[PurePosixPath] = set()
    folders = [] if words else [store.directory]
    errors: list[FileError] = []
    for word in filterfalse(besides.__contains__, words):
        try:
            path, is_folder = _resolve_word(word, store)
        except FileError as error:
            errors.append(error)
            continue
        if is_folder:
            folders.append(path)
        else:
            files.add(path)
    tracker_folders = {
        layout.choose_folder(store.directory, tracker): tracker
        for tracker in _list_subfolders(settings, names)
    }
    for folder, tracker in tracker_folders.items():
        # A folder on the command line means all trackers' folders in and below it.
        try:
            if {folder, *folder.parents}.intersection(folders):
                files.update(_list_files(store, tracker))
        except FileError as error:
            errors.append(rebase_error(error, store.root))
    subfolders = settings.list_subfolders()
    read_folders = {layout.choose_folder(store.directory, tracker) for tracker in subfolders}
    below: set[PurePosixPath] = set()
    for folder in tracker_folders if names else folders:
        below.update(_walk_folder(folder, store, errors))
    misnamed = [path for path in below if is_misnamed(path.name) and path.parent in read_folders]
    unread = [
        path for path in files | below if is_document(path.name) and path.parent not in read_folders
    ]
    return FileSelection(
        paths=tuple(sorted(path for path in files if path.name != layout.ITEMS)),
        items=tuple(sorted(path for path in files if path.name == layout.ITEMS)),
        unread=tuple(sorted(unread)),
        misnamed=tuple(sorted(misnamed)),
        expected=layout.choose_folder(store.directory, settings.choose_subfolder("<tracker>")),
        errors=tuple(errors),
    )


def _list_files(store: Store, tracker: str | None) -> list[PurePosixPath]:
    """Return the documents of a tracker, and its file with titles of items if there is one."""
    paths = store.list_paths(tracker)
    items = layout.build_items_path(store.directory, tracker)
    return [*paths, items] if store.has(items) else paths


def find_current_folder() -> Path:
    """Return the path of the current folder.

    Raises:
        FileError: the folder has been removed, or the system can't find its path.
    """
    try:
        return Path.cwd()
    except OSError as error:
        hint = 'change to a folder that exists; to one that was made anew: cd "$PWD"'
        reason = f"can't be found: {error.strerror}"
        raise FileError(reason, source="the current folder", hint=hint) from error


def describe_search(
    words: Sequence[str], names: Sequence[str], settings: Settings, store: Store
) -> str:
    """Return the warning of a command that found no document, with the folders that it searched.

    Takes the arguments of `choose_files`.
    """
    folders = [store.directory]
    if names:
        subfolders = _list_subfolders(settings, names)
        folders = [layout.choose_folder(store.directory, tracker) for tracker in subfolders]
    searched = words or [str(store.root / folder) for folder in folders]
    note = "" if settings.path else f", and no {config.FILE_NAME} was found"
    return f"there are no documents in {', '.join(map(os.path.abspath, searched))}{note}"


def relative_to_cwd(source: str, root: Path) -> str:
    """Return a path that starts at ``root`` as it is written in the current folder."""
    try:
        return Path(os.path.relpath(root / source)).as_posix()
    except ValueError:
        # On Windows, no relative path leads to another drive.
        return source


def relative_to_root(source: str, root: Path) -> str | None:
    """Return a path of the current folder as it is written at ``root``; None if it lies outside."""
    path = _find_relative_path(Path(os.path.abspath(source)), root)  # noqa: PTH100 - as below
    return None if path is None else str(path)


def rebase_error(error: FileError, root: Path) -> FileError:
    """Return an error about a path at ``root`` with the path as written in the current folder."""
    source = relative_to_cwd(error.source, root)
    return FileError(
        error.reason, source=source, line=error.line, column=error.column, hint=error.hint
    )


def find_configuration_path(settings: Settings) -> str:
    """Return the path of the configuration in the repository; without one, its default path."""
    path = None
    if settings.path:
        absolute = Path(os.path.abspath(settings.path))  # noqa: PTH100 - as below
        path = _find_relative_path(absolute, settings.root)
    return str(path or config.FILE_NAME)


def _list_subfolders(settings: Settings, names: Sequence[str]) -> Sequence[str | None]:
    """Return the subfolder of each of the named trackers, or of all trackers without names."""
    if not names:
        return settings.list_subfolders()
    return [settings.choose_subfolder(tracker.name) for tracker in settings.select(names)]


def _walk_folder(
    folder: PurePosixPath, store: Store, errors: list[FileError]
) -> Iterator[PurePosixPath]:
    """Yield the documents and misnamed documents at any depth below a folder, hidden ones aside."""

    def add_error(error: OSError) -> None:
        # A tracker's folder may have an error already, from the search for its documents.
        source = relative_to_cwd(error.filename, store.root)
        if isinstance(error, FileNotFoundError) or source in {known.source for known in errors}:
            return
        hint = "check who owns the folder, and its permissions"
        errors.append(FileError(f"can't be read: {error.strerror}", source=source, hint=hint))

    # A folder above the directory means the directory: nothing outside of it is a document.
    top = folder if store.directory in folder.parents else store.directory
    # Nothing is read through a link.
    if any((store.root / part).is_symlink() for part in (top, *top.parents) if part.parts):
        return
    for place, folders, names in os.walk(store.root / top, onerror=add_error):
        # os.walk descends only into the folders that stay in its list.
        folders[:] = [name for name in folders if not name.startswith(".")]
        parent = PurePosixPath(Path(place).relative_to(store.root).as_posix())
        for name in names:
            if is_document(name) or is_misnamed(name):
                yield parent / name


def _resolve_word(word: str, store: Store) -> tuple[PurePosixPath, bool]:
    """Return the path that a word of the command line names, and whether it is a folder."""
    # resolve() would follow links, which must be refused.
    place = Path(os.path.abspath(word))  # noqa: PTH100
    try:
        is_folder = stat.S_ISDIR(place.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError) as error:
        message = "there is no such file or folder"
        hint = "check the spelling; paths start in the current folder"
        raise FileError(message, source=word, hint=hint) from error
    except OSError as error:
        raise FileError(f"can't be read: {error.strerror}", source=word) from error
    path = _find_relative_path(place, store.root)
    directory = store.directory
    if path is None or not _may_hold_documents(path, directory, is_folder=is_folder):
        message = f"lies outside {directory}, the only place for documents"
        hint = "another place is set with `directory` in pinsync.yaml"
        raise FileError(message, source=word, hint=hint)
    if not is_folder and not is_document(path.name) and path.name != layout.ITEMS:
        hint = f"a document's name ends in {SUFFIX} and doesn't begin with a dot"
        if is_misnamed(path.name):
            proper_name = read_misnamed(path, store).proper_name
            hint = f"rename it to {proper_name}: documents end in {SUFFIX}"
        raise FileError("is no document", source=word, hint=hint)
    # Reading a folder with the name of a document gives the better error.
    return path, is_folder and not (directory in path.parents and is_document(path.name))


def _may_hold_documents(path: PurePosixPath, directory: PurePosixPath, *, is_folder: bool) -> bool:
    """Whether a path lies below the directory of all documents, or is a folder around it."""
    return directory in path.parents or (is_folder and path in (directory, *directory.parents))


def read_misnamed(path: PurePosixPath, store: Store) -> Written:
    """Read a misnamed document; an unreadable one counts as empty."""
    text = b""
    with suppress(FileError):
        text = store.read(path) or b""
    # Imported for the linter alone, with its reader of ignore comments.
    from pinsync.document import written  # noqa: PLC0415

    return written.read(text, str(path))


def _find_relative_path(place: Path, root: Path) -> PurePosixPath | None:
    """Return a path relative to the root, also if it leads through a link; None if outside."""
    # realpath, because resolve() raises at a loop of links.
    for spelling in (place, Path(os.path.realpath(place.parent), place.name)):
        if spelling.is_relative_to(root):
            return PurePosixPath(spelling.relative_to(root).as_posix())
    return None
