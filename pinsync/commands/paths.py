"""What the PATHS of a command line stand for: documents of the working tree."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pinsync import layout
from pinsync.errors import FileError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.config import Settings
    from pinsync.store import Store


@dataclass(frozen=True, slots=True)
class Chosen:
    """The documents that a command is to look at.

    Attributes:
        paths: relative to the store's root, sorted, each once.
        errors: what is wrong with the words that stand for none.
    """

    paths: tuple[PurePosixPath, ...]
    errors: tuple[FileError, ...]


def chosen(words: Sequence[str], names: Sequence[str], settings: Settings, store: Store) -> Chosen:
    """Return the documents that a command line names; whether they can be read is for the reader to find out.

    Args:
        words: files, and folders that stand for the documents below them; by default all documents.
        names: the trackers whose documents are meant, instead of ``words``; all if empty.
        settings: the trackers.
        store: where the documents lie.

    Raises:
        UsageError: there are words and names, or a name isn't that of a tracker.
        ConfigError: there are names, and no tracker is configured.
    """
    if words and names:
        hint = "leave it out, or name that tracker's folder instead"
        raise UsageError("--tracker stands for all documents of a tracker, so it can't go with paths", hint=hint)
    files: set[PurePosixPath] = set()
    folders = [] if words else [store.directory]
    errors: list[FileError] = []
    for word in words:
        try:
            path, is_folder = _place(word, store)
        except FileError as error:
            errors.append(error)
        else:
            folders += [path] if is_folder else []
            files |= set() if is_folder else {path}
    for tracker in _trackers(settings, names):
        folder = layout.folder(store.directory, tracker)
        try:
            if {folder, *folder.parents}.intersection(folders):
                files.update(store.paths(tracker))
        except FileError as error:
            errors.append(error)
    return Chosen(tuple(sorted(files)), tuple(errors))


def _trackers(settings: Settings, names: Sequence[str]) -> Sequence[str | None]:
    """Return the trackers that have folders of their own, or None for the one that needs none."""
    selected = settings.select(names) if names else settings.trackers
    return [tracker.name for tracker in selected] if len(settings.trackers) > 1 else [None]


def _place(word: str, store: Store) -> tuple[PurePosixPath, bool]:
    """Return where a word leads, and whether that is a folder."""
    source = printable(word)
    place = Path(os.path.abspath(word))  # noqa: PTH100 - resolve() would follow the links that are to be refused
    try:
        is_folder = stat.S_ISDIR(place.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError) as error:
        message = "there is no such file or folder"
        raise FileError(message, source=source, hint="check the spelling; paths start in the current folder") from error
    except OSError as error:
        raise FileError(f"can't be read: {error.strerror}", source=source) from error
    path = _relative(place, store.root)
    directory = store.directory
    if path is None or not (directory in path.parents or (is_folder and path in (directory, *directory.parents))):
        message = f"lies outside {directory}, the only place for documents"
        raise FileError(message, source=source, hint="another place is set with `directory` in pinsync.yaml")
    if not is_folder and not layout.is_document(path.name):
        hint = f"a document's name ends in {layout.SUFFIX} and doesn't begin with a dot"
        raise FileError("is no document", source=source, hint=hint)
    return path, is_folder


def _relative(place: Path, root: Path) -> PurePosixPath | None:
    """Return a path relative to the root, even where it is written by way of a link to the root; None if outside."""
    for spelling in (place, place.parent.resolve() / place.name):
        if spelling.is_relative_to(root):
            return PurePosixPath(spelling.relative_to(root).as_posix())
    return None
