"""Where documents lie: in the working tree, or in the last commit, onto which a branch is put."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pinsync import config, layout
from pinsync.errors import RepositoryError, SafetyError
from pinsync.escape import one_line
from pinsync.layout import is_misnamed
from pinsync.workspace.paths import relative_to_cwd
from pinsync.workspace.source import Source
from pinsync.workspace.state import open_state, unchecked_documents, worktree_documents
from pinsync.workspace.store import Store, user_state

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pinsync.config import Settings
    from pinsync.repository import Repository, Unsaved


Files = Mapping[PurePosixPath, bytes]
"""path → bytes."""
Changes = Mapping[PurePosixPath, bytes | None]
"""path → new bytes, or None to remove the file."""


@dataclass(frozen=True, slots=True)
class TrackerFiles:
    """The documents of one tracker, as an export finds them.

    Attributes:
        present: the documents on disk; for ``--branch``, those of HEAD.
        unchecked: the documents that git doesn't check out, as in a sparse checkout, with their text in the index.
        deleted: the documents of HEAD that somebody removed from the disk by hand.
        committed: the documents of HEAD; for ``--commit`` only.
    """

    present: Files
    unchecked: Files = field(default_factory=dict)
    deleted: Files = field(default_factory=dict)
    committed: Files = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkingTree:
    """The files on disk, in a git repository or not.

    Attributes:
        settings: the configuration, with the repository's root as its own.
        store: reads and writes them.
        repository: the repository they belong to, if any.
    """

    settings: Settings
    store: Store
    repository: Repository | None

    @property
    def directory(self) -> PurePosixPath:
        """The folder of all documents."""
        return self.store.directory

    def head(self) -> str | None:
        """Return the full hash of HEAD; None without a commit or a repository."""
        return self.repository.head() if self.repository else None

    def documents(self, tracker: str | None) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield path and bytes of each document; ``tracker`` names its folder where there are several."""
        return worktree_documents(self.store, self.repository, tracker)

    def files(self, tracker: str | None, head: str | None, *, whole: bool) -> TrackerFiles:
        """Read the documents of a tracker.

        Args:
            tracker: names the folder where there are several trackers.
            head: the full hash of HEAD; None before the first commit.
            whole: whether to read all documents of HEAD, which ``--commit`` compares with.

        Raises:
            FileError: a document can't be read.
        """
        present = dict(self.store.documents(tracker))
        if self.repository is None:
            return TrackerFiles(present)
        folder = layout.choose_folder(self.directory, tracker)
        unchecked = unchecked_documents(self.repository, folder)
        if head is None:
            return TrackerFiles(present, unchecked)
        here = present.keys() | unchecked.keys()
        committed = self.repository.read_head(head, folder, besides=() if whole else here)
        written = self.store.written()
        deleted = {path: text for path, text in committed.items() if path not in here and not written.has(path, None)}
        return TrackerFiles(present, unchecked, deleted, committed if whole else {})

    def folders(self) -> list[str]:
        """Return the names of the folders in that of all documents, where they can be told."""
        try:
            with os.scandir(self.store.root / self.directory) as entries:
                return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
        except OSError:
            return []

    def misnamed(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """Return the files in a folder that nearly have the name of a document."""
        try:
            names = sorted(place.name for place in (self.store.root / folder).iterdir())
        except OSError:
            return []
        return [folder / name for name in names if is_misnamed(name)]

    def unsaved(self, paths: Collection[PurePosixPath], *, force: bool = False) -> Sequence[Unsaved]:
        """Return which of the files that are to be written hold what isn't committed.

        Raises:
            SafetyError: that is a person's work, and ``force`` isn't set.
            FileError: a file can't be read.
        """
        unsaved = self.repository.unsaved(paths) if self.repository else ()
        persons = self._persons(unsaved) if self.repository else self._unknown(paths)
        if persons and not force:
            names = ", ".join(one_line(relative_to_cwd(str(path), self.store.root)) for path in persons)
            work = "holds uncommitted work" if len(persons) == 1 else "hold uncommitted work"
            how = "commit or stash it" if self.repository else "put it under git, or move it away"
            hint = f"{how}, or overwrite it with export --force"
            raise SafetyError(f"{names} {work} that an export would overwrite", hint=hint)
        return unsaved

    def _persons(self, unsaved: Iterable[Unsaved]) -> list[PurePosixPath]:
        """Return which files hold, in the working tree or staged, what neither git has nor pinsync wrote."""
        found = []
        written = self.store.written()
        for item in unsaved:
            content = self.store.read(item.path) if item.worktree else None
            texts = [text for text in (content, item.staged) if text is not None]
            if not all(written.has(item.path, text) for text in texts):
                found.append(item.path)
        return found

    def _unknown(self, paths: Iterable[PurePosixPath]) -> list[PurePosixPath]:
        """Return which files exist, outside git, with content that pinsync didn't write."""
        written = self.store.written()
        contents = ((path, self.store.read(path)) for path in paths)
        return [path for path, content in contents if content is not None and not written.has(path, content)]

    def own_changes(self, files: TrackerFiles) -> dict[PurePosixPath, bytes | None]:
        """Return the files that earlier exports wrote or removed, and that no commit has yet."""
        if self.repository is None:
            return {}
        unsaved = self.repository.unsaved(files.present.keys())
        persons = self._persons(unsaved)
        edited = [item.path for item in unsaved if item.worktree and item.path not in persons]
        gone = files.committed.keys() - files.present.keys() - files.unchecked.keys() - files.deleted.keys()
        return {path: files.present[path] for path in edited} | dict.fromkeys(gone)

    def check_unchanged(self, files: Changes) -> None:
        """Refuse to go on where somebody changed a file since an export wrote or read it.

        Args:
            files: path → the bytes that the file is to hold; None for no file.

        Raises:
            SafetyError: a file holds something else.
        """
        for path, text in files.items():
            if self.store.read(path) != text:
                message = f"{one_line(relative_to_cwd(str(path), self.store.root))} changed while pinsync was at work"
                hint = "you or a hook of the commit changed it, and nothing was committed; run the command again"
                raise SafetyError(message, hint=hint)


@dataclass(frozen=True, slots=True)
class Head:
    """A commit, by default HEAD, onto which a branch is put; nothing in the working tree counts.

    Attributes:
        repository: the repository.
        directory: the folder of all documents.
        revision: the full hash of the commit.
        name: how messages call it.
    """

    repository: Repository
    directory: PurePosixPath
    revision: str
    name: str = "HEAD"

    def documents(self, tracker: str | None) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield path and bytes of each document; ``tracker`` names its folder where there are several."""
        return self.repository.read(self.revision, layout.choose_folder(self.directory, tracker), self.name)

    def folders(self) -> list[str]:
        """Return the names of the folders in that of all documents."""
        return self.repository.folders(self.revision, self.directory, self.name)

    def misnamed(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """Return the files in a folder that nearly have the name of a document."""
        return self.repository.misnamed(self.revision, folder, self.name)


@dataclass(frozen=True, slots=True)
class Index:
    """The index: the files that are staged.

    Attributes:
        repository: the repository.
        directory: the folder of all documents.
        name: how messages call it.
    """

    repository: Repository
    directory: PurePosixPath
    name: str = "@index"

    def documents(self, tracker: str | None) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield path and bytes of each document; ``tracker`` names its folder where there are several."""
        return self.repository.read_index(layout.choose_folder(self.directory, tracker))

    def folders(self) -> list[str]:
        """Return the names of the folders in that of all documents."""
        return self.repository.index_folders(self.directory)

    def misnamed(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """Return the files in a folder that nearly have the name of a document."""
        return self.repository.index_misnamed(folder)


Place = WorkingTree | Head | Index
"""Where documents lie."""


def open_tree(settings: Settings) -> WorkingTree:
    """Return the working tree that a configuration speaks of.

    Raises:
        ConfigError: the configuration is refused where it lies in the repository.
        RepositoryError: it lies outside, or the repository can't be used.
    """
    repository = None
    if shutil.which("git") or layout.find_repository_root(settings.root):
        from pinsync.repository import Repository  # noqa: PLC0415 - outside a repository git needn't be there

        repository = Repository.discover(settings.root)
    if repository is None:
        return WorkingTree(settings, Store(settings.root, settings.directory, user_state(settings.root)), None)
    settings = config.set_root(settings, repository.root, repository.inside(settings.root))
    store = Store(settings.root, settings.directory, repository.git_dir / "pinsync")
    return WorkingTree(settings, store, repository)


def check_committed(place: Head, tree: WorkingTree, settings: Settings, environ: Mapping[str, str]) -> None:
    """Make sure that what is put on top of HEAD lies where HEAD's own configuration looks for it.

    Raises:
        RepositoryError: it doesn't.
        ConfigError: HEAD's configuration is refused.
    """
    source = Source("revision", "HEAD", revision=place.revision)
    committed = open_state(source, settings, place.repository, tree.store, environ)
    today = replace(committed, settings=settings)
    today_in, committed_in = ({state.folder(tracker) for tracker in state.trackers} for state in (today, committed))
    if today_in != committed_in:
        raise RepositoryError(
            f"--branch: the configuration puts documents into {_listed(today_in)}, "
            f"but that of HEAD into {_listed(committed_in)}",
            hint=f"commit {settings.path.name if settings.path else config.FILE_NAME} first",
        )


def _listed(folders: Iterable[PurePosixPath]) -> str:
    return ", ".join(sorted(map(str, folders)))


def require_repository_of(tree: WorkingTree, option: str) -> Repository:
    """Return the repository that ``option`` needs.

    Raises:
        RepositoryError: there is none.
    """
    if tree.repository is None:
        hint = "make one with `git init`, or export without it"
        raise RepositoryError(f"{option}: {Path(tree.store.root)} is not in a git repository", hint=hint)
    return tree.repository


def require_commit(tree: WorkingTree, option: str) -> tuple[Repository, str]:
    """Return the repository that ``option`` needs, and the full hash of its HEAD.

    Raises:
        RepositoryError: there is no repository, or no commit in it.
    """
    repository = require_repository_of(tree, option)
    head = repository.head()
    if head is None:
        raise RepositoryError(f"{option}: there is no commit yet to put a branch on", hint="commit something first")
    return repository, head
