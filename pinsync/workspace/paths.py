"""Paths of the working tree: what those of a command line stand for, and how people and reports are shown them."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from itertools import filterfalse
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pinsync import config, layout
from pinsync.document import written
from pinsync.errors import FileError, UsageError
from pinsync.layout import SUFFIX, is_document, is_misnamed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pinsync.config import Settings
    from pinsync.document.written import Written
    from pinsync.workspace.store import Store


@dataclass(frozen=True, slots=True)
class Chosen:
    """The documents that a command is to look at.

    Attributes:
        paths: relative to the store's root, sorted, each once.
        unread: what no tracker reads, of these and of what else lies below a folder that is looked at; likewise.
        misnamed: files that would be documents if their names ended in ``.yaml``; likewise.
        expected: the folder where a tracker would read them, as a person writes it.
        errors: what is wrong with the words that stand for none.
    """

    paths: tuple[PurePosixPath, ...]
    unread: tuple[PurePosixPath, ...]
    misnamed: tuple[PurePosixPath, ...]
    expected: PurePosixPath
    errors: tuple[FileError, ...]


def choose_files(
    words: Sequence[str], names: Sequence[str], settings: Settings, store: Store, besides: Collection[str] = ()
) -> Chosen:
    """Return the documents that a command line names; whether they can be read is for the reader to find out.

    Args:
        words: files, and folders that stand for the trackers' documents below them; by default all documents.
        names: the trackers whose documents are meant, instead of ``words``; all if empty.
        settings: the trackers.
        store: where the documents lie.
        besides: the words that stand for no documents, since the command looks at them by itself.

    Raises:
        UsageError: there are words and names, a word is empty, or a name isn't that of a tracker.
        ConfigError: there are names, and no tracker is configured.
    """
    if words and names:
        hint = "leave it out, or name that tracker's folder instead"
        raise UsageError("--tracker stands for all documents of a tracker, so it can't go with paths", hint=hint)
    if "" in words:
        hint = "write . for all documents below the current folder; is a variable empty that shouldn't be?"
        raise UsageError("an empty text is no path", hint=hint)
    files: set[PurePosixPath] = set()
    folders = [] if words else [store.directory]
    errors: list[FileError] = []
    for word in filterfalse(besides.__contains__, words):
        try:
            path, is_folder = _place(word, store)
        except FileError as error:
            errors.append(error)
        else:
            folders += [path] if is_folder else []
            files |= set() if is_folder else {path}
    wanted = {layout.choose_folder(store.directory, tracker): tracker for tracker in _subfolders(settings, names)}
    for folder, tracker in wanted.items():
        try:
            if {folder, *folder.parents}.intersection(folders):
                files.update(store.paths(tracker))
        except FileError as error:
            errors.append(place_from_cwd(error, store.root))
    read = {layout.choose_folder(store.directory, tracker) for tracker in settings.subfolders()}
    below: set[PurePosixPath] = set()
    for folder in wanted if names else folders:
        below.update(_below(folder, store, errors))
    misnamed = sorted(path for path in below if is_misnamed(path.name) and path.parent in read)
    unread = sorted(path for path in files | below if is_document(path.name) and path.parent not in read)
    expected = layout.choose_folder(store.directory, settings.subfolder("<tracker>"))
    return Chosen(tuple(sorted(files)), tuple(unread), tuple(misnamed), expected, tuple(errors))


def current_folder() -> Path:
    """Return the current folder.

    Raises:
        FileError: the folder has been removed, or the system doesn't tell its path.
    """
    try:
        return Path.cwd()
    except OSError as error:
        hint = 'change to a folder that exists; to one that was made anew: cd "$PWD"'
        raise FileError(f"can't be found: {error.strerror}", source="the current folder", hint=hint) from error


def describe_search(words: Sequence[str], names: Sequence[str], settings: Settings, store: Store) -> str:
    """Return the warning of a command that found no document, which says where it looked.

    Takes the arguments of `choose_files`.
    """
    folders = [store.directory]
    if names:
        folders = [layout.choose_folder(store.directory, tracker) for tracker in _subfolders(settings, names)]
    places = words or [str(store.root / folder) for folder in folders]
    found = "" if settings.path else f", and no {config.FILE_NAME} was found"
    return f"there are no documents in {', '.join(map(os.path.abspath, places))}{found}"


def relative_to_cwd(source: str, root: Path) -> str:
    """Return how a path that starts at ``root`` is written in the current folder, where a person reads it."""
    try:
        return Path(os.path.relpath(root / source)).as_posix()
    except ValueError:  # on another drive of Windows
        return source


def relative_to_root(source: str, root: Path) -> str | None:
    """Return a path that is written in the current folder as it is from ``root``; None if it lies outside."""
    place = _relative(Path(os.path.abspath(source)), root)  # noqa: PTH100 - as below
    return None if place is None else str(place)


def place_from_cwd(error: FileError, root: Path) -> FileError:
    """Return an error with its file's path, which starts at ``root``, as it is written in the current folder."""
    source = relative_to_cwd(error.source, root)
    return FileError(error.reason, source=source, line=error.line, column=error.column, hint=error.hint)


def configuration_path(settings: Settings) -> str:
    """Return the configuration's path from the root; where there is none, or not in there, that of one at the root."""
    place = settings.path and _relative(Path(os.path.abspath(settings.path)), settings.root)  # noqa: PTH100 - as below
    return str(place or config.FILE_NAME)


def _subfolders(settings: Settings, names: Sequence[str]) -> Sequence[str | None]:
    """Return the folders of the trackers of these names, as `Settings.subfolder` does; all if there are no names."""
    return [settings.subfolder(tracker.name) for tracker in settings.select(names)] if names else settings.subfolders()


def _below(folder: PurePosixPath, store: Store, errors: list[FileError]) -> Iterator[PurePosixPath]:
    """Yield the files that have, or nearly have, the name of a document, in a folder and those below it.

    Links and hidden folders are left out.

    Of a folder that can't be looked into there is an error then, and no more than one.
    """

    def fail(error: OSError) -> None:
        source = relative_to_cwd(error.filename, store.root)
        if isinstance(error, FileNotFoundError) or source in {known.source for known in errors}:
            return
        hint = "check who owns the folder, and its permissions"
        errors.append(FileError(f"can't be read: {error.strerror}", source=source, hint=hint))

    top = folder if store.directory in folder.parents else store.directory
    if any((store.root / part).is_symlink() for part in (top, *top.parents) if part.parts):
        return
    for place, folders, names in os.walk(store.root / top, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        within = PurePosixPath(Path(place).relative_to(store.root).as_posix())
        yield from (within / name for name in names if is_document(name) or is_misnamed(name))


def _place(word: str, store: Store) -> tuple[PurePosixPath, bool]:
    """Return where a word leads, and whether that is a folder; one named like a document is left to the reader."""
    place = Path(os.path.abspath(word))  # noqa: PTH100 - resolve() would follow the links that are to be refused
    try:
        is_folder = stat.S_ISDIR(place.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError) as error:
        message = "there is no such file or folder"
        raise FileError(message, source=word, hint="check the spelling; paths start in the current folder") from error
    except OSError as error:
        raise FileError(f"can't be read: {error.strerror}", source=word) from error
    path = _relative(place, store.root)
    directory = store.directory
    if path is None or not (directory in path.parents or (is_folder and path in (directory, *directory.parents))):
        message = f"lies outside {directory}, the only place for documents"
        raise FileError(message, source=word, hint="another place is set with `directory` in pinsync.yaml")
    if not is_folder and not is_document(path.name):
        hint = f"a document's name ends in {SUFFIX} and doesn't begin with a dot"
        if is_misnamed(path.name):
            hint = f"rename it to {read_misnamed(path, store).proper_name}: documents end in {SUFFIX}"
        raise FileError("is no document", source=word, hint=hint)
    return path, is_folder and not (directory in path.parents and is_document(path.name))


def read_misnamed(path: PurePosixPath, store: Store) -> Written:
    """Return a file that nearly has the name of a document, as far as it can be read."""
    text = b""
    with suppress(FileError):
        text = store.read(path) or b""
    return written.read(text, str(path))


def _relative(place: Path, root: Path) -> PurePosixPath | None:
    """Return a path relative to the root, even where it is written by way of a link to the root; None if outside."""
    for spelling in (place, Path(os.path.realpath(place.parent), place.name)):  # resolve() raises over a loop of links
        if spelling.is_relative_to(root):
            return PurePosixPath(spelling.relative_to(root).as_posix())
    return None
