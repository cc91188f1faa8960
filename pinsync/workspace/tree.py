"""The places of documents: the working tree, a commit, or the index."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field
from msgspec.structs import replace

from pinsync import config, layout
from pinsync.errors import RepositoryError, SafetyError
from pinsync.escape import one_line
from pinsync.layout import is_misnamed
from pinsync.workspace.paths import relative_to_cwd
from pinsync.workspace.source import Source
from pinsync.workspace.state import open_state, read_unchecked_documents, read_worktree_documents
from pinsync.workspace.store import Store, find_user_state

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pinsync.config import Settings
    from pinsync.repository import Repository, UnsavedFile
    from pinsync.workspace.state import State


_NOUNS: Final = {"export": "an export", "items": "pinsync items"}
"""Command → its name in sentences."""

Files = Mapping[PurePosixPath, bytes]
"""Path → bytes."""
Changes = Mapping[PurePosixPath, bytes | None]
"""Path → new bytes, or None to remove the file."""


class TrackerFiles(Struct, frozen=True):
    """The documents of one tracker before an export.

    Attributes:
        present: the documents on disk; for ``--branch``, the documents of HEAD.
        unchecked: the documents that a sparse checkout leaves out, with their staged text.
        deleted: the documents of HEAD that somebody removed from the disk.
        committed: the documents of HEAD; only for ``--commit``.
    """

    present: Files
    unchecked: Files = field(default_factory=dict)
    deleted: Files = field(default_factory=dict)
    committed: Files = field(default_factory=dict)


class WorkingTree(Struct, frozen=True):
    """The files on disk, in a git repository or not.

    Attributes:
        settings: the configuration, relative to the repository's root.
        store: the files on disk.
        repository: the repository, if there is one.
    """

    settings: Settings
    store: Store
    repository: Repository | None

    @property
    def directory(self) -> PurePosixPath:
        """The folder of all documents."""
        return self.store.directory

    def resolve_head(self) -> str | None:
        """Return the full hash of HEAD; None without a commit or a repository."""
        return self.repository.resolve_head() if self.repository else None

    def read_documents(self, tracker: str | None) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield path and bytes of each document; ``tracker`` is None if there is only one."""
        return read_worktree_documents(self.store, self.repository, tracker)

    @property
    def prefix(self) -> str:
        """The prefix of paths in messages; empty, since the files are named as they are."""
        return ""

    def read_file(self, path: PurePosixPath) -> bytes | None:
        """Return the bytes of a file below the directory; None if there is no such file.

        A file that a sparse checkout leaves out counts with its staged text.

        Raises:
            FileError: the file can't be read, or is no plain file.
        """
        text = self.store.read(path)
        # As for documents, a damaged index is no error here.
        with suppress(RepositoryError):
            if text is None and self.repository:
                return self.repository.read_skip_worktree_file(path)
        return text

    def read_tracker_files(
        self, tracker: str | None, head: str | None, *, whole: bool
    ) -> TrackerFiles:
        """Read the documents of a tracker.

        Args:
            tracker: the tracker's name, if there are several.
            head: the full hash of HEAD; None before the first commit.
            whole: whether to read all documents of HEAD, for the comparison of ``--commit``.

        Raises:
            FileError: a document can't be read.
        """
        present = dict(self.store.read_documents(tracker))
        if self.repository is None:
            return TrackerFiles(present)
        folder = layout.choose_folder(self.directory, tracker)
        unchecked = read_unchecked_documents(self.repository, folder)
        if head is None:
            return TrackerFiles(present, unchecked)
        existing = present.keys() | unchecked.keys()
        # Without --commit, only the documents that are gone from the disk matter.
        committed = self.repository.read_head_documents(
            head, folder, besides=() if whole else existing
        )
        record = self.store.read_record()
        # Without the files that an earlier export removed.
        deleted = {
            path: text
            for path, text in committed.items()
            if path not in existing and not record.has(path, None)
        }
        return TrackerFiles(present, unchecked, deleted, committed if whole else {})

    def list_folders(self) -> list[str]:
        """Return the names of the folders in the folder of all documents, if it can be read."""
        # Only warnings need these names, so an unreadable folder is no error here.
        try:
            with os.scandir(self.store.root / self.directory) as entries:
                return sorted(
                    entry.name for entry in entries if entry.is_dir(follow_symlinks=False)
                )
        except OSError:
            return []

    def list_misnamed(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """Return the files in a folder that would be documents with the right name."""
        # As for `list_folders`, only warnings need these names.
        try:
            names = sorted(place.name for place in (self.store.root / folder).iterdir())
        except OSError:
            return []
        return [folder / name for name in names if is_misnamed(name)]

    def find_unsaved(
        self, paths: Collection[PurePosixPath], *, force: bool = False, writer: str = "export"
    ) -> Sequence[UnsavedFile]:
        """Return the files with uncommitted content among the files that a command writes.

        Args:
            paths: the files.
            force: whether to overwrite a person's work.
            writer: the name of the command.

        Raises:
            SafetyError: the content is a person's work, and ``force`` isn't set.
            FileError: a file can't be read.
        """
        if self.repository:
            unsaved = self.repository.find_unsaved(paths)
            persons_files = self._find_persons_files(unsaved)
            remedy = "commit or stash it"
        else:
            # Nothing is committed: a file is a person's unless the record has its content.
            unsaved = []
            persons_files = self._find_persons_files_without_git(paths)
            remedy = "put it under git, or move it away"
        if persons_files and not force:
            names = ", ".join(self._show_path(path) for path in persons_files)
            work = "holds uncommitted work" if len(persons_files) == 1 else "hold uncommitted work"
            message = f"{names} {work} that {_NOUNS[writer]} would overwrite"
            raise SafetyError(message, hint=f"{remedy}, or overwrite it with {writer} --force")
        return unsaved

    def _show_path(self, path: PurePosixPath) -> str:
        return one_line(relative_to_cwd(str(path), self.store.root))

    def _find_persons_files(self, unsaved: Iterable[UnsavedFile]) -> list[PurePosixPath]:
        """Return the files with uncommitted content, on disk or staged, that a person wrote."""
        paths = []
        record = self.store.read_record()
        for item in unsaved:
            # The staged text may differ from the text on disk, and either may be a person's work.
            content = self.store.read(item.path) if item.worktree else None
            texts = [text for text in (content, item.staged) if text is not None]
            if not all(record.has(item.path, text) for text in texts):
                paths.append(item.path)
        return paths

    def _find_persons_files_without_git(
        self, paths: Iterable[PurePosixPath]
    ) -> list[PurePosixPath]:
        persons_files = []
        record = self.store.read_record()
        for path in paths:
            content = self.store.read(path)
            if content is not None and not record.has(path, content):
                persons_files.append(path)
        return persons_files

    def find_own_changes(self, files: TrackerFiles) -> dict[PurePosixPath, bytes | None]:
        """Return the uncommitted changes of earlier exports: path → bytes, or None if removed."""
        if self.repository is None:
            return {}
        unsaved = self.repository.find_unsaved(files.present.keys())
        persons_files = self._find_persons_files(unsaved)
        edited = [item.path for item in unsaved if item.worktree and item.path not in persons_files]
        existing = files.present.keys() | files.unchecked.keys()
        removed = files.committed.keys() - existing - files.deleted.keys()
        return {path: files.present[path] for path in edited} | dict.fromkeys(removed)

    def check_unchanged(self, files: Changes) -> None:
        """Refuse to continue if somebody changed a file since an export wrote or read it.

        Args:
            files: path → the expected bytes; None for no file.

        Raises:
            SafetyError: a file has other bytes.
        """
        for path, text in files.items():
            if self.store.read(path) != text:
                message = f"{self._show_path(path)} changed while pinsync was at work"
                reason = "you or a hook of the commit changed it, and nothing was committed"
                raise SafetyError(message, hint=f"{reason}; run the command again")


class Head(Struct, frozen=True):
    """A commit; the working tree doesn't matter.

    Attributes:
        repository: the repository.
        directory: the folder of all documents.
        revision: the full hash of the commit.
        name: the name of the commit in messages.
    """

    repository: Repository
    directory: PurePosixPath
    revision: str
    name: str = "HEAD"

    def read_documents(self, tracker: str | None) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield path and bytes of each document; ``tracker`` is None if there is only one."""
        folder = layout.choose_folder(self.directory, tracker)
        return self.repository.read_documents(self.revision, folder, self.name)

    @property
    def prefix(self) -> str:
        """The prefix of paths in messages, such as ``HEAD:``."""
        return f"{self.name}:"

    def read_file(self, path: PurePosixPath) -> bytes | None:
        """Return the bytes of a file; None if there is no such file.

        Raises:
            FileError: the folder is a link, or the file is no plain file.
        """
        return self.repository.read_file(self.revision, path, self.name)

    def list_folders(self) -> list[str]:
        """Return the names of the folders in the folder of all documents."""
        return self.repository.list_folders(self.revision, self.directory, self.name)

    def list_misnamed(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """Return the files in a folder that would be documents with the right name."""
        return self.repository.list_misnamed(self.revision, folder, self.name)


class Index(Struct, frozen=True):
    """The index, with the staged files.

    Attributes:
        repository: the repository.
        directory: the folder of all documents.
        name: the name of the index in messages.
    """

    repository: Repository
    directory: PurePosixPath
    name: str = "@index"

    def read_documents(self, tracker: str | None) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield path and bytes of each document; ``tracker`` is None if there is only one."""
        return self.repository.read_index(layout.choose_folder(self.directory, tracker))

    @property
    def prefix(self) -> str:
        """The prefix of paths in messages, such as ``@index:``."""
        return f"{self.name}:"

    def read_file(self, path: PurePosixPath) -> bytes | None:
        """Return the bytes of a staged file; None if there is no such file.

        Raises:
            FileError: the folder is a link, or the file is no plain file or is in conflict.
        """
        return self.repository.read_index_file(path)

    def list_folders(self) -> list[str]:
        """Return the names of the folders in the folder of all documents."""
        return self.repository.list_index_folders(self.directory)

    def list_misnamed(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """Return the files in a folder that would be documents with the right name."""
        return self.repository.list_index_misnamed(folder)


Place = WorkingTree | Head | Index
"""A place with documents."""


def find_place(state: State, tree: WorkingTree) -> Place | None:
    """Return the place of the documents on one side of a comparison; None for a side without.

    Args:
        state: the side.
        tree: the working tree.
    """
    repository, directory = state.repository, state.settings.directory
    match state.source.kind:
        case "worktree":
            return tree
        case "index" if repository:
            return Index(repository, directory)
        case "revision" if repository and state.source.revision:
            return Head(repository, directory, state.source.revision, state.source.name)
    return None


def open_tree(settings: Settings) -> WorkingTree:
    """Return the working tree of a configuration.

    Raises:
        ConfigError: the configuration is refused at its place in the repository.
        RepositoryError: the configuration lies outside, or the repository can't be used.
    """
    repository = None
    if layout.find_repository_root(settings.root) or _has_git():
        # Imported here because it isn't needed outside a repository.
        from pinsync.repository import Repository  # noqa: PLC0415

        repository = Repository.discover(settings.root)
    if repository is None:
        store = Store(settings.root, settings.directory, find_user_state(settings.root))
        return WorkingTree(settings, store, None)
    settings = config.set_root(
        settings, repository.root, repository.relative_to_root(settings.root)
    )
    # In the git directory, so that the lock and the record never show in `git status`.
    store = Store(settings.root, settings.directory, repository.git_dir / "pinsync")
    return WorkingTree(settings, store, repository)


def _has_git() -> bool:
    # Imported for folders without a repository only: it loads three compressors.
    import shutil  # noqa: PLC0415

    return shutil.which("git") is not None


def check_committed(
    place: Head, tree: WorkingTree, settings: Settings, environ: Mapping[str, str]
) -> None:
    """Check that HEAD's configuration has the same folders as today's.

    Raises:
        RepositoryError: the folders differ, so nobody would read the files of a commit on HEAD.
        ConfigError: HEAD's configuration is refused.
    """
    # HEAD's configuration would read the files of a commit on HEAD.
    source = Source("revision", "HEAD", revision=place.revision)
    committed = open_state(source, settings, place.repository, tree.store, environ)
    new_folders = _list_folders(replace(committed, settings=settings))
    old_folders = _list_folders(committed)
    if new_folders != old_folders:
        file_name = settings.path.name if settings.path else config.FILE_NAME
        raise RepositoryError(
            f"--branch: the configuration puts documents into {', '.join(new_folders)}, "
            f"but that of HEAD into {', '.join(old_folders)}",
            hint=f"commit {file_name} first",
        )


def _list_folders(state: State) -> list[str]:
    return sorted({str(state.find_folder(tracker)) for tracker in state.trackers})


def require_repository_of(tree: WorkingTree, option: str) -> Repository:
    """Return the repository, which the option needs.

    Raises:
        RepositoryError: there is no repository.
    """
    if tree.repository is None:
        message = f"{option}: {Path(tree.store.root)} is not in a git repository"
        hint = f"create a repository with `git init`, or export without {option}"
        raise RepositoryError(message, hint=hint)
    return tree.repository


def require_commit(tree: WorkingTree, option: str) -> tuple[Repository, str]:
    """Return the repository and the full hash of HEAD, which the option needs.

    Raises:
        RepositoryError: there is no repository, or no commit in it.
    """
    repository = require_repository_of(tree, option)
    head = repository.resolve_head()
    if head is None:
        message = f"{option}: there is no commit yet to put a branch on"
        raise RepositoryError(message, hint="commit something first")
    return repository, head
