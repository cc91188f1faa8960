"""Git: revisions, the files in a commit and in the index, unsaved work, and commits."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.errors import FileError, RepositoryError, SafetyError
from pinsync.escape import printable
from pinsync.layout import is_document, is_misnamed
from pinsync.model import MAX_FILE_BYTES
from pinsync.repository import branch, discovery, log, objects, obstacles, process, recovery
from pinsync.repository.branch import BranchResult, Proposal
from pinsync.repository.log import Range
from pinsync.repository.objects import Listed, listing
from pinsync.repository.process import (
    PATHS_ON_INPUT,
    Git,
    clean_environment,
    decode_line,
    encode_pathspecs,
    encode_quoted,
    encode_with_nul,
    make_temporary_folder,
    require_success,
)
from pinsync.repository.reader import Object, Reader

if TYPE_CHECKING:
    from collections.abc import (
        Callable,
        Collection,
        Container,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )

    from pinsync.model import Commit

__all__ = [
    "BranchResult",
    "Listed",
    "Object",
    "Proposal",
    "Range",
    "Reader",
    "Repository",
    "Unsaved",
    "clean_environment",
    "listing",
    "make_temporary_folder",
]

_FULL_HASH: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A file that holds what the last commit hasn't.

    Args:
        path: relative to the repository.
        staged: what the index holds of it, where that isn't committed; else ``None``.
        worktree: whether the file itself differs from the commit, as git sees it through its
            filters.
    """

    path: PurePosixPath
    staged: bytes | None
    worktree: bool


class _State(NamedTuple):
    """The hashes of one file: in HEAD, in the index, and of the file itself, filtered and as it is."""

    committed: str | None
    staged: str | None
    worktree: frozenset[str]

    @property
    def edited(self) -> bool:
        return bool(self.worktree) and self.committed not in self.worktree


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository with a working tree. All paths are relative to ``root``.

    Args:
        root: the top folder of the working tree.
        git_dir: the git directory; this worktree's own, where there are several.
    """

    root: Path
    git_dir: Path
    _git: Git = field(repr=False)

    @classmethod
    def discover(cls, start: Path) -> Repository | None:
        """Return the repository around a folder, ``None`` outside any; see `discovery.locate`.

        Raises:
            RepositoryError: it has no working tree, belongs to another user, or git can't be run.
        """
        place = discovery.locate(start)
        return None if place is None else cls(place.root, place.git_dir, place.git)

    def pager(self) -> str:
        """Return the command that git shows long output with; see `process.read_pager`."""
        return process.read_pager(self._git)

    def inside(self, folder: Path) -> PurePosixPath:
        """Return a folder's path relative to the repository.

        Raises:
            RepositoryError: the folder lies outside.
        """
        try:
            return PurePosixPath(folder.resolve().relative_to(self.root.resolve()).as_posix())
        except ValueError as error:
            raise RepositoryError(f"{folder} lies outside the repository at {self.root}") from error

    def head(self) -> str | None:
        """Return the full hash of the current commit, ``None`` before the first one."""
        found = self._git.attempt("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        return None if found.status == 1 else decode_line(require_success(found, "rev-parse"))

    def check_head(self, head: str | None) -> None:
        """Refuse to go on if somebody committed, or checked out another commit, since ``head`` was read.

        Args:
            head: the full hash that `head` returned.

        Raises:
            SafetyError: HEAD is another commit now.
        """
        if self.head() != head:
            raise _head_moved()

    def resolve(self, revision: str, warn: Callable[[str], None] = lambda _text: None) -> str:
        """Return the full hash of the commit that a revision names.

        Args:
            revision: as git spells it (gitrevisions(7)).
            warn: takes each warning of git, such as that a reference is ambiguous.

        Raises:
            RepositoryError: there is no such commit here.
        """
        if found := self._looked_up(revision, warn):
            return found
        hint = "see git branch --all, git tag and git log for what there is"
        if self._git.run("rev-parse", "--is-shallow-repository") == b"true\n":
            hint = (
                "this clone is shallow: fetch the history, with `fetch-depth: 0` in CI or git "
                "fetch --unshallow"
            )
        raise RepositoryError(f"{printable(revision)} names no commit in {self.root}", hint=hint)

    def _commit(self, revision: str) -> str:
        """Return the full hash of a commit; a full hash was looked up before, and asking git takes 4 ms."""
        return revision if _FULL_HASH.fullmatch(revision) else self.resolve(revision)

    def knows(self, revision: str) -> bool:
        """Tell whether a revision names a commit here."""
        return self._looked_up(revision) is not None

    def _looked_up(
        self, revision: str, warn: Callable[[str], None] = lambda _text: None
    ) -> str | None:
        # The text of ":/text" reaches to the end of the word, so that nothing can be added to it.
        word = revision if revision.startswith(":/") else f"{revision}^{{commit}}"
        found = self._git.attempt("rev-parse", "--verify", "--end-of-options", word)
        # A word that begins with ^ names all commits but one and its ancestors.
        if found.status or found.output.startswith(b"^"):
            return None
        for text in found.errors.splitlines():
            if text.startswith("warning: "):
                warn(text.removeprefix("warning: "))
        return decode_line(found.output)

    def reads(self, word: str) -> bool:
        """Tell whether git reads a word as one or several revisions, such as ``main^!`` too."""
        return bool(
            self._git.attempt("rev-parse", "--revs-only", "--end-of-options", word).output.strip()
        )

    def full_name(self, revision: str) -> str | None:
        """Return the full reference that git takes for a word, else its commit's full hash.

        None for a word that names no commit.
        """
        commit = self._looked_up(revision)
        if commit is None:
            return None
        # Git prints nothing for an expression such as main~1 or for a name of several references.
        found = self._git.attempt(
            "rev-parse", "--verify", "--quiet", "--symbolic-full-name", "--end-of-options", revision
        )
        name = decode_line(found.output)
        return name if name.startswith("refs/") and self._looked_up(name) == commit else commit

    def merge_base(self, one: str, other: str, names: tuple[str, str]) -> str:
        """Return the full hash of the commit that two commits last had in common.

        Args:
            one: the full hash of a commit.
            other: the full hash of another.
            names: how messages call the two.

        Raises:
            RepositoryError: they have nothing in common.
        """
        found = self._git.attempt("merge-base", one, other)
        if found.status == 1:
            message = f"{printable(names[0])} and {printable(names[1])} have no commit in common"
            hint = "a shallow clone may lack it: fetch the history, with `fetch-depth: 0` in CI"
            raise RepositoryError(message, hint=hint)
        return decode_line(require_success(found, "merge-base"))

    def read(
        self, revision: str, directory: PurePosixPath, name: str = ""
    ) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield path and bytes of the documents directly in a folder of a commit, sorted by name.

        Args:
            revision: what `resolve` understands.
            directory: the folder; one that the commit hasn't yields nothing.
            name: how messages call the revision, if not as it is given.

        Raises:
            RepositoryError: there is no such commit.
            FileError: the folder or a file is a link, or no plain file.
        """
        entries = objects.tree(self._git, self._commit(revision), directory, name or revision)
        return objects.contents(self._git, _documents(entries), name or revision)

    def read_head(
        self, head: str, directory: PurePosixPath, besides: Container[PurePosixPath] = ()
    ) -> dict[PurePosixPath, bytes]:
        """Return the documents directly in a folder of HEAD, without links, and none where the folder is a link.

        On disk those are refused; a person who removes or replaces one needn't commit that first.

        Args:
            head: the full hash of HEAD.
            directory: the folder.
            besides: the paths of documents to leave out.
        """
        try:
            entries = _documents(objects.tree(self._git, head, directory, "HEAD"))
        except FileError:
            return {}
        plain = [
            entry
            for entry in entries
            if entry.mode in objects.FILE_MODES and entry.path not in besides
        ]
        return dict(objects.contents(self._git, plain, "HEAD"))

    def folders(self, revision: str, directory: PurePosixPath, name: str = "") -> list[str]:
        """Return the names of the folders directly in one of a commit; takes and raises what `read` does."""
        entries = objects.tree(self._git, self._commit(revision), directory, name or revision)
        return [entry.path.name for entry in entries if entry.mode == objects.FOLDER_MODE]

    def misnamed(
        self, revision: str, directory: PurePosixPath, name: str = ""
    ) -> list[PurePosixPath]:
        """Return the files in a folder of a commit that nearly have the name of a document; raises what `read` does."""
        entries = objects.tree(self._git, self._commit(revision), directory, name or revision)
        return [entry.path for entry in entries if is_misnamed(entry.path.name)]

    def index_misnamed(self, directory: PurePosixPath) -> list[PurePosixPath]:
        """Return the files in a folder of the index that nearly have the name of a document."""
        return [
            entry.path
            for entry in objects.index(self._git, directory)
            if is_misnamed(entry.path.name)
        ]

    def read_file(self, revision: str, path: PurePosixPath, name: str = "") -> bytes | None:
        """Return the bytes of one file of a commit, ``None`` if the commit hasn't got it; raises what `read` does."""
        entries = objects.tree(self._git, self._commit(revision), path.parent, name or revision)
        found = objects.contents(
            self._git, [entry for entry in entries if entry.path == path], name or revision
        )
        return next((content for _, content in found), None)

    def read_index(self, directory: PurePosixPath) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield path and bytes of the documents directly in a folder of the index, sorted by name; see `read`.

        Raises:
            FileError: the folder or a file is a link, or has an unresolved merge conflict.
        """
        return objects.contents(
            self._git, _documents(objects.staged(self._git, directory)), "@index"
        )

    def index_folders(self, directory: PurePosixPath) -> list[str]:
        """Return the names of the folders directly in one of the index."""
        return objects.index_folders(self._git, directory)

    def read_unchecked(self, directory: PurePosixPath) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield path and bytes of the documents directly in a folder of the index that git doesn't check out.

        Such a document is on disk only if somebody wrote it there by hand; then its file counts,
        not this text.
        """
        entries = _documents(objects.unchecked(self._git, directory))
        wanted = [entry for entry in entries if not os.path.lexists(self.root / entry.path)]
        return objects.contents(self._git, wanted, "@index")

    def check_out(self, paths: Collection[PurePosixPath]) -> None:
        """Have git look at files that it doesn't check out (skip-worktree), which ``git commit`` would pass over.

        Args:
            paths: files, of which only such ones count.

        Raises:
            RepositoryError: git failed; the index is as it was.
        """
        folders = sorted({path.parent for path in paths})
        skipped = [
            entry.path for folder in folders for entry in objects.unchecked(self._git, folder)
        ]
        if marked := [path for path in skipped if path in paths]:
            self._git.run(
                "update-index", "-z", "--no-skip-worktree", "--stdin", feed=encode_with_nul(marked)
            )

    def read_index_file(self, path: PurePosixPath) -> bytes | None:
        """Return the bytes of one file of the index, ``None`` if it hasn't got it; raises what `read_index` does."""
        entries = [entry for entry in objects.staged(self._git, path.parent) if entry.path == path]
        return next(
            (content for _, content in objects.contents(self._git, entries, "@index")), None
        )

    def main_line(self, tip: str, names: Sequence[str]) -> Iterator[Commit]:
        """Yield the commits of the main line that touched files of such names; see `log.line_of`."""
        return log.line_of(self._git, tip, names)

    def selected(self, wanted: Range, names: Sequence[str]) -> frozenset[str]:
        """Return which commits of the main line are asked for, by full hash; raises what `log.selected` does."""
        return log.selected(self._git, wanted, names)

    def shallow_end(self, tip: str) -> Commit | None:
        """Return the commit at which the main line of a shallow clone ends; None in a whole clone."""
        return log.shallow_end(self._git, tip)

    def former_places(self, path: PurePosixPath) -> list[PurePosixPath]:
        """Return where a file of HEAD stood before it was moved to its folder, the last place first."""
        return log.former_places(self._git, path)

    def reader(self) -> Reader:
        """Return what reads many objects; it is a context manager, and not to be shared by threads."""
        return Reader(self._git, MAX_FILE_BYTES)

    def unsaved(self, paths: Collection[PurePosixPath]) -> list[Unsaved]:
        """Return which of these files hold what the last commit hasn't: edited, staged, untracked or ignored.

        Git's own filters apply, so that converted line endings are no edit. Before the first commit
        every file is unsaved. A file that is gone holds nothing.
        """
        found = []
        for path, state in self._states(paths).items():
            staged = None
            if state.staged not in {None, state.committed}:
                # `git add --intent-to-add` stages an empty file, in which nobody's work can be.
                staged = self._git.run("cat-file", "blob", str(state.staged)) or None
            if state.edited or staged is not None:
                found.append(Unsaved(path, staged, state.edited))
        return found

    def uncommitted(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """Return the files in and below a folder that differ from the last commit; see `objects.uncommitted`."""
        return objects.uncommitted(self._git, folder)

    def check_commit(self, paths: Collection[PurePosixPath]) -> None:
        """Make sure, before these files are written, that `commit` can do its work.

        Raises:
            RepositoryError: git doesn't know who commits, a merge or the like or another git
                process is under way, or git ignores a file, or another repository inside this one
                has it, or there is no place for the temporary folder of the commit message.
        """
        with make_temporary_folder({}):
            pass
        obstacles.check_whole(self._git)
        obstacles.check_unlocked(self._git)
        obstacles.check_identity(self._git)
        obstacles.check_folders(self._git, paths)
        obstacles.check_ignored(self._git, paths)

    def check_attributes(self, files: Mapping[PurePosixPath, bytes]) -> None:
        """Make sure that git stores files with the bytes that they have; see `obstacles.check_attributes`."""
        obstacles.check_attributes(self._git, files)

    def check_index(self, folder: PurePosixPath) -> None:
        """Make sure that the index has the last commit; see `recovery.check_index`."""
        recovery.check_index(self._git, folder)

    def commit(
        self,
        paths: Collection[PurePosixPath],
        message: str,
        base: str | None = None,
        verify: Callable[[], None] = lambda: None,
    ) -> str | None:
        """Commit these files as they are in the working tree, new and removed ones too, and nothing else.

        What else is staged stays staged. Hooks run, and signing is as configured. Where git or a
        hook refuses, the index is left as it was. Where git fails after it made the commit, nothing
        is undone.

        Args:
            paths: the files, whether they changed or not.
            message: the whole commit message; lines that begin with ``#`` stay.
            base: the full hash of HEAD as the files were made from it; None for HEAD as it is now.
            verify: called directly before git commits, and where git failed after somebody else
                committed; raises an error if a file isn't as it should be.

        Returns:
            The full hash of the new commit, ``None`` if there was nothing to commit.

        Raises:
            RepositoryError: git refused, or failed after it made the commit; the message says
                which, and why.
        """
        states = self._states(paths)
        changed = [
            path
            for path, state in states.items()
            if state.edited or (state.committed and not state.worktree)
        ]
        if not changed:
            return None
        new = [
            path
            for path in changed
            if states[path].committed is None and states[path].staged is None
        ]
        self.check_commit(new)
        self.check_out(changed)
        before = base or self.head()
        try:
            if new:  # which git otherwise commits none of by its path
                self._announce(new)
            with make_temporary_folder({"message": message.encode(errors="replace")}) as folder:
                options = (
                    "--only",
                    "--quiet",
                    "--cleanup=whitespace",
                    f"--file={folder / 'message'}",
                    *PATHS_ON_INPUT,
                )
                self.check_head(before)
                verify()
                outcome = self._git.attempt("commit", *options, feed=encode_pathspecs(changed))
            made = None
            if outcome.status:
                made = self._made(before, changed)
                verify()
                if made is None:
                    self.check_head(before)
            obstacles.check_outcome(self._git, outcome, made)
        except BaseException:
            with contextlib.suppress(RepositoryError):
                if new and not self._made(before, changed):
                    # To what HEAD has, which is right even if a git that goes on has moved it by
                    # now.
                    self._git.run("reset", "--quiet", *PATHS_ON_INPUT, feed=encode_pathspecs(new))
            raise
        return self.head()

    def _announce(self, paths: Collection[PurePosixPath]) -> None:
        """Enter new files into the index, without their content where git can do that."""
        if self._git.attempt("config", "--type=bool", "index.sparse").output == b"true\n":
            # Git 2.39 crashes from then on if a sparse index has an entry without content.
            self._git.run("update-index", "-z", "--add", "--stdin", feed=encode_with_nul(paths))
            return
        # With the setting on, `git add` refuses files outside of a sparse checkout.
        options = ("-c", "core.sparseCheckout=false", "add", "--intent-to-add", *PATHS_ON_INPUT)
        require_success(self._git.attempt(*options, feed=encode_pathspecs(paths)), "add")

    def _made(self, before: str | None, paths: Collection[PurePosixPath]) -> str | None:
        """Return the full hash of the commit that took these files since ``before``, if there is one."""
        after = self.head()
        if after == before:
            return None
        for state in self._states(paths).values():
            if state.edited or (state.committed and not state.worktree):
                return None
        return after

    def proposal(self, name: str) -> Proposal | None:
        """Return pinsync's own commit on a branch; see `branch.proposal`."""
        head = self.head()
        return branch.proposal(self._git, head, name) if head else None

    def commit_to_branch(
        self,
        name: str,
        changes: Mapping[PurePosixPath, bytes | None],
        message: str,
        base: str | None = None,
    ) -> BranchResult:
        """Commit changes on top of HEAD onto another branch; see `branch.commit_to_branch`.

        Args:
            name: the branch.
            changes: path → new bytes, or None to remove the file.
            message: the commit message.
            base: the full hash of the commit that the changes were made from; None for HEAD as it
                is now.

        Raises:
            RepositoryError: there is no commit yet; else what `branch.commit_to_branch` raises.
            SafetyError: HEAD is no longer ``base``.
        """
        head = self.head()
        if head is None:
            raise RepositoryError(
                "there is no commit yet to put a branch on", hint="commit something first"
            )
        if base not in (None, head):
            raise _head_moved()
        return branch.commit_to_branch(self._git, head, name, changes, message)

    def _states(self, paths: Collection[PurePosixPath]) -> dict[PurePosixPath, _State]:
        head = self.head()
        folders = sorted({path.parent for path in paths})
        trees = (
            [objects.tree(self._git, head, folder, "HEAD") for folder in folders] if head else []
        )
        committed = {entry.path: entry.blob for tree in trees for entry in tree}
        staged = {
            entry.path: entry.blob
            for folder in folders
            for entry in objects.index(self._git, folder)
        }
        files = [path for path in sorted(paths) if (self.root / path).is_file()]
        filtered = self._hashes(files)
        # Where those differ, the bytes as they are count too: git leaves alone what was committed
        # with CRLF.
        plain = self._hashes(
            [path for path in files if filtered[path] != committed.get(path)], "--no-filters"
        )
        worktree = {
            path: frozenset({filtered[path], plain.get(path, filtered[path])}) for path in files
        }
        return {
            path: _State(committed.get(path), staged.get(path), worktree.get(path, frozenset()))
            for path in sorted(paths)
        }

    def _hashes(self, paths: Sequence[PurePosixPath], *options: str) -> dict[PurePosixPath, str]:
        found = (
            self._git.run("hash-object", *options, "--stdin-paths", feed=encode_quoted(paths))
            if paths
            else b""
        )
        return dict(zip(paths, found.decode().split(), strict=True))


def _head_moved() -> SafetyError:
    """Return the error of a commit that somebody made while pinsync was at work."""
    return SafetyError(
        "HEAD moved while pinsync was at work", hint="run the command again, from the new commit"
    )


def _documents(entries: Iterable[objects.Entry]) -> list[objects.Entry]:
    return sorted(
        (entry for entry in entries if is_document(entry.path.name)), key=lambda entry: entry.path
    )
