"""Where an export's documents are read from and written to: the working tree, or a branch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from pinsync import layout
from pinsync.errors import RepositoryError, SafetyError
from pinsync.repository import Repository, Unsaved
from pinsync.store import Store, user_state

if TYPE_CHECKING:
    from pinsync.config import Settings

Files = Mapping[PurePosixPath, bytes | None]


class Place(Protocol):
    """Where documents lie."""

    @property
    def directory(self) -> PurePosixPath:
        """The folder of all documents."""

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """Hold off other writers."""

    def documents(self, tracker: str | None) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield path and bytes of each document; ``tracker`` names its folder where there are several."""


@dataclass(frozen=True, slots=True)
class WorkingTree:
    """The files on disk, in a git repository or not.

    Attributes:
        store: reads and writes them.
        repository: the repository they belong to, if any.
    """

    store: Store
    repository: Repository | None

    @property
    def directory(self) -> PurePosixPath:
        """The folder of all documents."""
        return self.store.directory

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """Hold off other writers."""
        return self.store.lock()

    def documents(self, tracker: str | None) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield path and bytes of each document; ``tracker`` names its folder where there are several."""
        return self.store.documents(tracker)

    def write(self, files: Files, *, force: bool) -> None:
        """Write and remove files, unless one holds a person's uncommitted work.

        Raises:
            SafetyError: one does, and ``force`` isn't set.
            FileError: something can't be written.
        """
        unsaved = self._unsaved(files)
        persons = [item.path for item in unsaved if not self._is_own(item)]
        if persons and not force:
            names = ", ".join(map(str, persons))
            work = "holds uncommitted work" if len(persons) == 1 else "hold uncommitted work"
            how = "commit or stash it" if self.repository else "put it under git, or move it away"
            raise SafetyError(
                f"{names} {work} that an export would overwrite", hint=f"{how}, or overwrite it with --force"
            )
        self.store.write(files, {item.path: item.staged for item in unsaved if item.staged is not None})

    def _unsaved(self, files: Files) -> Sequence[Unsaved]:
        if self.repository:
            return self.repository.unsaved(files.keys())
        return [Unsaved(path, None, worktree=True) for path in files if self.store.read(path) is not None]

    def _is_own(self, item: Unsaved) -> bool:
        content = self.store.read(item.path) if item.worktree else None
        return all(self.store.is_own(item.path, text) for text in (content, item.staged) if text is not None)

    def committable(self, paths: Sequence[PurePosixPath]) -> list[PurePosixPath]:
        """Return those of ``paths`` that differ from the last commit by pinsync's own writing alone."""
        if self.repository is None:
            return []
        persons = {item.path for item in self.repository.unsaved(paths) if not self._is_own(item)}
        return [path for path in paths if path not in persons]


@dataclass(frozen=True, slots=True)
class Head:
    """The last commit, onto which a branch is put; nothing in the working tree counts."""

    repository: Repository
    directory: PurePosixPath

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """Do nothing: a branch is moved by compare-and-swap."""
        return contextlib.nullcontext()

    def documents(self, tracker: str | None) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield path and bytes of each document; ``tracker`` names its folder where there are several."""
        return self.repository.read("HEAD", layout.folder(self.directory, tracker))


def working_tree(settings: Settings) -> WorkingTree:
    """Return the working tree that a configuration speaks of."""
    repository = Repository.discover(settings.root)
    if repository is None:
        return WorkingTree(Store(settings.root, settings.directory, user_state(settings.root)), None)
    directory = repository.inside(settings.root) / settings.directory
    return WorkingTree(Store(repository.root, directory, repository.git_dir / "pinsync"), repository)


def needed_repository(tree: WorkingTree, option: str) -> Repository:
    """Return the repository that ``option`` can't do without.

    Raises:
        RepositoryError: there is none.
    """
    if tree.repository is None:
        hint = "make one with `git init`, or export without it"
        raise RepositoryError(f"{option}: {Path(tree.store.root)} is not in a git repository", hint=hint)
    return tree.repository
