"""Access to a git repository: revisions, files of commits and of the index, and new commits."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from pinsync.errors import FileError, RepositoryError, SafetyError
from pinsync.escape import printable
from pinsync.layout import is_document, is_misnamed
from pinsync.model import MAX_FILE_BYTES
from pinsync.repository import (
    branch,
    changes,
    discovery,
    gitpython,
    log,
    objects,
    obstacles,
    process,
    recovery,
    references,
    remotes,
)
from pinsync.repository.branch import BranchResult, Proposal
from pinsync.repository.changes import CommitChanges, FileChange
from pinsync.repository.log import CommitRange
from pinsync.repository.message import (
    CommitMessage,
    append_trailers,
    format_export_line,
    parse_message,
)
from pinsync.repository.objects import TreeEntry, parse_tree
from pinsync.repository.process import (
    PATHS_ON_INPUT,
    Git,
    clean_environment,
    decode,
    decode_line,
    encode_pathspecs,
    encode_quoted,
    encode_with_nul,
    make_temporary_folder,
    require_success,
)
from pinsync.repository.reader import Object, Reader, SharedReader
from pinsync.repository.remotes import FETCH_RECORDS

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
    "FETCH_RECORDS",
    "BranchResult",
    "CommitChanges",
    "CommitMessage",
    "CommitRange",
    "FileChange",
    "Object",
    "Proposal",
    "Reader",
    "Repository",
    "TreeEntry",
    "UnsavedFile",
    "append_trailers",
    "clean_environment",
    "format_export_line",
    "make_temporary_folder",
    "parse_message",
    "parse_tree",
]

_FULL_HASH: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class UnsavedFile(Struct, frozen=True):
    """A file with content that the last commit lacks.

    Attributes:
        path: the path from the repository's root.
        staged: the staged content, if the last commit lacks it; else None.
        worktree: whether the file on disk differs from the commit, after git's filters.
    """

    path: PurePosixPath
    staged: bytes | None
    worktree: bool


class _FileHashes(NamedTuple):
    """The hashes of one file.

    Attributes:
        committed: the hash in HEAD; None if HEAD lacks the file.
        staged: the hash in the index; None if the index lacks the file.
        worktree: the hashes of the file on disk, with git's filters and without them; empty if
            there is no file.
    """

    committed: str | None
    staged: str | None
    worktree: frozenset[str]

    @property
    def is_edited(self) -> bool:
        return bool(self.worktree) and self.committed not in self.worktree

    @property
    def is_removed(self) -> bool:
        return self.committed is not None and not self.worktree


def _ignore_warning(_text: str) -> None:
    pass


def _accept_files() -> None:
    pass


class Repository(Struct, frozen=True):
    """A git repository with a working tree. All paths are relative to ``root``.

    Attributes:
        root: the top folder of the working tree.
        git_dir: the git directory; in a linked worktree, the directory of this worktree.
    """

    root: Path
    git_dir: Path
    _git: Git
    _reader: SharedReader

    @classmethod
    def discover(cls, start: Path) -> Repository | None:
        """Return the repository around a folder; None if there is none. See `discovery.locate`.

        Raises:
            RepositoryError: the repository has no working tree or belongs to another user, or git
                can't be run.
        """
        place = discovery.locate(start)
        if place is None:
            return None
        return cls(place.root, place.git_dir, place.git, SharedReader(place.git, MAX_FILE_BYTES))

    def read_pager(self) -> str:
        """Return the shell command of the user's pager; see `process.read_pager`."""
        return process.read_pager(self._git)

    def relative_to_root(self, folder: Path) -> PurePosixPath:
        """Return a folder's path relative to the repository.

        Raises:
            RepositoryError: the folder lies outside.
        """
        try:
            return PurePosixPath(folder.resolve().relative_to(self.root.resolve()).as_posix())
        except ValueError as error:
            raise RepositoryError(f"{folder} lies outside the repository at {self.root}") from error

    def resolve_head(self) -> str | None:
        """Return the full hash of the current commit; None before the first commit."""
        result = self._git.attempt("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if result.status == 1:
            return None
        return decode_line(require_success(result, "rev-parse"))

    def check_head(self, head: str | None) -> None:
        """Refuse to continue if HEAD is no longer the same commit.

        Args:
            head: the full hash that `resolve_head` returned earlier.

        Raises:
            SafetyError: somebody committed, or checked out another commit.
        """
        if self.resolve_head() != head:
            raise _build_head_error()

    def resolve(self, revision: str, warn: Callable[[str], None] = _ignore_warning) -> str:
        """Return the full hash of a revision's commit.

        Args:
            revision: in git's spelling (gitrevisions(7)).
            warn: takes each warning of git, for instance that a reference is ambiguous.

        Raises:
            RepositoryError: there is no such commit in the repository.
        """
        if commit := self._find_commit(revision, warn):
            return commit
        hint = "see git branch --all, git tag and git log for what there is"
        if self._git.run("rev-parse", "--is-shallow-repository") == b"true\n":
            remedy = "with `fetch-depth: 0` in CI or git fetch --unshallow"
            hint = f"this clone is shallow: fetch the history, {remedy}"
        raise RepositoryError(f"{printable(revision)} names no commit in {self.root}", hint=hint)

    def _resolve_unless_hash(self, revision: str) -> str:
        """Return the full hash of a commit."""
        # A full hash was resolved before, and a call of git takes 4 ms.
        return revision if _FULL_HASH.fullmatch(revision) else self.resolve(revision)

    def has_commit(self, revision: str) -> bool:
        """Return whether a revision names a commit in the repository."""
        return self._find_commit(revision) is not None

    def _find_commit(
        self, revision: str, warn: Callable[[str], None] = _ignore_warning
    ) -> str | None:
        # In ":/text" the text reaches to the end of the argument, so no suffix can be added.
        word = revision if revision.startswith(":/") else f"{revision}^{{commit}}"
        result = self._git.attempt("rev-parse", "--verify", "--end-of-options", word)
        # git answers "^HEAD", which excludes a commit, with a ^ before the hash.
        if result.status or result.output.startswith(b"^"):
            return None
        for text in result.errors.splitlines():
            if text.startswith("warning: "):
                warn(text.removeprefix("warning: "))
        return decode_line(result.output)

    def is_revision(self, word: str) -> bool:
        """Return whether git reads a word as one or several revisions, such as ``main^!``."""
        result = self._git.attempt("rev-parse", "--revs-only", "--end-of-options", word)
        return bool(result.output.strip())

    def resolve_full_name(self, revision: str) -> str | None:
        """Return the full reference of a revision, such as ``refs/heads/main``.

        Returns:
            The full hash of the commit if the revision isn't a single reference; None if there is
            no such commit.
        """
        commit = self._find_commit(revision)
        if commit is None:
            return None
        # Git prints nothing for an expression such as main~1 or for a name of several references.
        options = ("--verify", "--quiet", "--symbolic-full-name", "--end-of-options")
        name = decode_line(self._git.attempt("rev-parse", *options, revision).output)
        if name.startswith("refs/") and self._find_commit(name) == commit:
            return name
        return commit

    def find_merge_base(self, one: str, other: str, names: tuple[str, str]) -> str:
        """Return the full hash of the last common ancestor of two commits.

        Args:
            one: the full hash of a commit.
            other: the full hash of another commit.
            names: the names of both commits in messages.

        Raises:
            RepositoryError: the commits have no common ancestor.
        """
        result = self._git.attempt("merge-base", one, other)
        if result.status == 1:
            message = f"{printable(names[0])} and {printable(names[1])} have no commit in common"
            hint = "a shallow clone may lack it: fetch the history, with `fetch-depth: 0` in CI"
            raise RepositoryError(message, hint=hint)
        return decode_line(require_success(result, "merge-base"))

    def read_documents(
        self, revision: str, directory: PurePosixPath, name: str = ""
    ) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield path and bytes of the documents directly in a folder of a commit, sorted by path.

        Args:
            revision: in git's spelling.
            directory: the folder; it needn't exist.
            name: the name of the revision in messages; empty for the revision itself.

        Raises:
            RepositoryError: there is no such commit.
            FileError: the folder is a link, or a document is no plain file.
        """
        entries = _select_documents(self._list_tree(revision, directory, name))
        return self._read_contents(entries, name or revision)

    def _read_contents(
        self, entries: Sequence[objects.PathEntry], source: str
    ) -> Iterator[tuple[PurePosixPath, bytes]]:
        partial = self._git if objects.may_be_partial(self.git_dir) else None
        return objects.read_contents(self._reader, entries, source, partial)

    def _list_tree(
        self, revision: str, directory: PurePosixPath, name: str
    ) -> list[objects.PathEntry]:
        commit = self._resolve_unless_hash(revision)
        return objects.list_tree(self._reader, commit, directory, name or revision)

    def read_head_documents(
        self, head: str, directory: PurePosixPath, besides: Container[PurePosixPath] = ()
    ) -> dict[PurePosixPath, bytes]:
        """Return path → bytes of the documents directly in a folder of HEAD, without links.

        Return no documents if the folder itself is a link.

        Args:
            head: the full hash of HEAD.
            directory: the folder.
            besides: the paths of documents to leave out.
        """
        # Links are refused on disk. A person who removes or replaces a link needn't commit that
        # before an export, so a link in HEAD is no error.
        try:
            entries = objects.list_tree(self._reader, head, directory, "HEAD")
        except FileError:
            return {}
        files = [
            entry
            for entry in _select_documents(entries)
            if entry.mode in objects.FILE_MODES and entry.path not in besides
        ]
        return dict(self._read_contents(files, "HEAD"))

    def list_folders(self, revision: str, directory: PurePosixPath, name: str = "") -> list[str]:
        """Return the names of the folders directly in a folder of a commit.

        Args:
            revision: in git's spelling.
            directory: the folder; it needn't exist.
            name: the name of the revision in messages; empty for the revision itself.

        Raises:
            RepositoryError: there is no such commit.
            FileError: the folder is a link.
        """
        entries = self._list_tree(revision, directory, name)
        return [entry.path.name for entry in entries if entry.mode == objects.FOLDER_MODE]

    def list_misnamed(
        self, revision: str, directory: PurePosixPath, name: str = ""
    ) -> list[PurePosixPath]:
        """Return the files in a folder of a commit that would be documents with the right name.

        Args:
            revision: in git's spelling.
            directory: the folder; it needn't exist.
            name: the name of the revision in messages; empty for the revision itself.

        Raises:
            RepositoryError: there is no such commit.
            FileError: the folder is a link.
        """
        return _select_misnamed(self._list_tree(revision, directory, name))

    def list_index_misnamed(self, directory: PurePosixPath) -> list[PurePosixPath]:
        """Return the files in a folder of the index that would be documents with the right name.

        Raises:
            FileError: the folder is a link.
        """
        return _select_misnamed(objects.list_index(self._git, directory))

    def read_file(self, revision: str, path: PurePosixPath, name: str = "") -> bytes | None:
        """Return the bytes of a file of a commit; None if the commit lacks the file.

        Args:
            revision: in git's spelling.
            path: the path of the file.
            name: the name of the revision in messages; empty for the revision itself.

        Raises:
            RepositoryError: there is no such commit.
            FileError: the folder is a link, or the file is no plain file.
        """
        entries = self._list_tree(revision, path.parent, name)
        return self._read_entry(entries, path, name or revision)

    def _read_entry(
        self, entries: Iterable[objects.PathEntry], path: PurePosixPath, source: str
    ) -> bytes | None:
        matching = [entry for entry in entries if entry.path == path]
        for _, content in self._read_contents(matching, source):
            return content
        return None

    def read_index(self, directory: PurePosixPath) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield path and bytes of the documents directly in a folder of the index, sorted by path.

        Args:
            directory: the folder; it needn't exist.

        Raises:
            FileError: the folder is a link, or a document is no plain file or has an unresolved
                merge conflict.
        """
        entries = _select_documents(objects.list_staged(self._git, directory))
        return self._read_contents(entries, "@index")

    def list_index_folders(self, directory: PurePosixPath) -> list[str]:
        """Return the names of the folders directly in a folder of the index."""
        return objects.list_index_folders(self._git, directory)

    def read_skip_worktree(self, directory: PurePosixPath) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield path and staged bytes of the documents that a sparse checkout leaves out.

        A document that a person wrote to the disk all the same is omitted: the file on disk counts.

        Args:
            directory: the folder of the documents; it needn't exist.
        """
        entries = _select_documents(objects.list_skip_worktree(self._git, directory))
        absent = [entry for entry in entries if not os.path.lexists(self.root / entry.path)]
        return self._read_contents(absent, "@index")

    def read_skip_worktree_file(self, path: PurePosixPath) -> bytes | None:
        """Return the staged bytes of a file that a sparse checkout leaves out; None for others."""
        if os.path.lexists(self.root / path):
            return None
        return self._read_entry(objects.list_skip_worktree(self._git, path.parent), path, "@index")

    def clear_skip_worktree(self, paths: Collection[PurePosixPath]) -> None:
        """Clear the skip-worktree bit of files, since ``git commit`` would ignore their changes.

        Args:
            paths: the files; a file without the bit stays as it is.

        Raises:
            RepositoryError: git failed, and the index didn't change.
        """
        marked: list[PurePosixPath] = []
        for folder in sorted({path.parent for path in paths}):
            entries = objects.list_skip_worktree(self._git, folder)
            marked += [entry.path for entry in entries if entry.path in paths]
        if marked:
            options = ("-z", "--no-skip-worktree", "--stdin")
            self._git.run("update-index", *options, feed=encode_with_nul(marked))

    def read_index_file(self, path: PurePosixPath) -> bytes | None:
        """Return the bytes of a file of the index; None if the index lacks the file.

        Raises:
            FileError: the folder is a link, or the file is no plain file or has an unresolved
                merge conflict.
        """
        return self._read_entry(objects.list_staged(self._git, path.parent), path, "@index")

    def walk_main_line(self, tip: str, names: Sequence[str]) -> Iterator[Commit]:
        """Yield the commits of the main line that touched certain files.

        See `log.walk_main_line`.
        """
        return log.walk_main_line(self._git, tip, names)

    def find_last_commit(self, tip: str, folder: PurePosixPath) -> Commit | None:
        """Return the newest commit of the main line that changed a folder.

        See `log.find_last_commit`.
        """
        return log.find_last_commit(self._git, tip, folder)

    def select_commits(self, range_: CommitRange, names: Sequence[str]) -> frozenset[str]:
        """Return the full hashes of the main line's commits in a range.

        See `log.select_commits`.
        """
        return log.select_commits(self._git, range_, names)

    def walk_changes(self, tip: str, names: Sequence[str]) -> Iterator[CommitChanges]:
        """Yield the commits of `walk_main_line` with their files; see `changes.walk_changes`."""
        return changes.walk_changes(self._git, tip, names)

    def list_newer(self, tip: str, commit: str) -> frozenset[str] | None:
        """Return the commits of the main line that a commit lacks; see `log.list_newer`."""
        return log.list_newer(self._git, tip, commit)

    def is_on_main_line(self, tip: str, commit: str) -> bool:
        """Return whether a commit is on a main line; see `log.is_on_main_line`."""
        return log.is_on_main_line(self._git, tip, commit)

    def find_first_commit(self, tip: str) -> str:
        """Return the first commit of a first-parent line; see `log.find_first_commit`."""
        return log.find_first_commit(self._git, tip)

    def is_ancestor(self, tip: str, commit: str) -> bool:
        """Return whether a commit is another one, or an ancestor of it; see `log.is_ancestor`."""
        return log.is_ancestor(self._git, tip, commit)

    def list_side_commits(self, parents: Sequence[str], text: str = "") -> list[str]:
        """Return the commits that a merge brought; see `log.list_side_commits`."""
        return log.list_side_commits(self._git, parents, text)

    def is_partial(self) -> bool:
        """Return whether the repository is a partial clone, which may lack older versions."""
        if not objects.may_be_partial(self.git_dir):
            return False
        return objects.find_promisor(self._git) is not None

    def read_shallow_ends(self) -> frozenset[str]:
        """Return the full hashes of the commits whose parents a shallow clone lacks."""
        return log.read_shallow_ends(self._git)

    def find_shallow_end(self, tip: str) -> Commit | None:
        """Return the commit at which the main line of a shallow clone ends; else None."""
        return log.find_shallow_end(self._git, tip)

    def has_history(self, tip: str, path: PurePosixPath) -> bool:
        """Return whether a commit or an ancestor has, or had, a file; see `log.has_history`."""
        return log.has_history(self._git, tip, path)

    def find_former_paths(self, path: PurePosixPath) -> list[PurePosixPath]:
        """Return the earlier paths of a file of HEAD, the last one first."""
        # A look into HEAD is quick, a look through the whole history isn't.
        if self._reader.find("HEAD", path) is None:
            return []
        return log.find_former_paths(self._git, path)

    def open_reader(self) -> Reader:
        """Return a reader of many objects: a context manager for use in one thread."""
        return Reader(self._git, MAX_FILE_BYTES)

    def find_unsaved(self, paths: Collection[PurePosixPath]) -> list[UnsavedFile]:
        """Return the edited, staged, untracked or ignored files among some files.

        Git's own filters apply, so that converted line endings are no edit. Before the first commit
        every file is unsaved. A removed file isn't unsaved, since it has no content.
        """
        unsaved = []
        for path, hashes in self._collect_hashes(paths).items():
            staged = None
            if hashes.staged not in {None, hashes.committed}:
                # `git add --intent-to-add` stages an empty file, which holds nobody's work.
                staged = self._git.run("cat-file", "blob", str(hashes.staged)) or None
            if hashes.is_edited or staged is not None:
                unsaved.append(UnsavedFile(path, staged, hashes.is_edited))
        return unsaved

    def find_uncommitted(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """Return the files in and below a folder that differ from the last commit.

        See `objects.find_uncommitted`.
        """
        return objects.find_uncommitted(self._git, folder)

    def check_commit(self, paths: Collection[PurePosixPath]) -> None:
        """Check, before files are written, that `commit` can do its work.

        Args:
            paths: the files to commit.

        Raises:
            RepositoryError: git doesn't know who commits, an operation such as a merge or another
                git process is under way, git ignores a file, a repository inside this one has a
                file, or the system has no place for the temporary folder of the commit message.
        """
        with make_temporary_folder({}):
            pass
        obstacles.check_no_operation(self._git)
        obstacles.check_unlocked(self._git)
        obstacles.check_identity(self._git)
        obstacles.check_folders(self._git, paths)
        obstacles.check_ignored(self._git, paths)

    def check_attributes(self, files: Mapping[PurePosixPath, bytes]) -> None:
        """Check that git stores files with the same bytes; see `obstacles.check_attributes`."""
        obstacles.check_attributes(self._git, files)

    def check_index(self, folder: PurePosixPath) -> None:
        """Check that the index contains the last commit; see `recovery.check_index`."""
        recovery.check_index(self._git, folder)

    def commit(
        self,
        paths: Collection[PurePosixPath],
        message: str,
        base: str | None = None,
        verify: Callable[[], None] = _accept_files,
    ) -> str | None:
        """Commit files as they are in the working tree, and no others.

        New and removed files are committed too. Other staged changes stay staged. Hooks run, and
        signing is as configured. If git or a hook refuses, the index stays as it was. If git fails
        after it made the commit, nothing is undone.

        Args:
            paths: the files, whether they changed or not.
            message: the whole commit message; lines that begin with ``#`` stay.
            base: the full hash of the HEAD from which the files were made; None for the current
                HEAD.
            verify: raises an error if a file has unexpected content. Called directly before git
                commits, and again if git failed.

        Returns:
            The full hash of the new commit, None if there was nothing to commit.

        Raises:
            RepositoryError: git refused, or failed after it made the commit; the message says
                which, and why.
        """
        hashes = self._collect_hashes(paths)
        changed = [path for path in hashes if hashes[path].is_edited or hashes[path].is_removed]
        if not changed:
            return None
        new = [
            path
            for path in changed
            if hashes[path].committed is None and hashes[path].staged is None
        ]
        self.check_commit(new)
        self.clear_skip_worktree(changed)
        before = base or self.resolve_head()
        try:
            # `git commit` with paths refuses files that the index lacks.
            if new:
                self._add_to_index(new)
            with make_temporary_folder({"message": message.encode(errors="replace")}) as folder:
                file = f"--file={folder / 'message'}"
                options = ("--only", "--quiet", "--cleanup=whitespace", file, *PATHS_ON_INPUT)
                self.check_head(before)
                verify()
                feed = encode_pathspecs(changed)
                result = gitpython.attempt_commit(self._git, "commit", *options, feed=feed)
            commit = None
            if result.status:
                commit = self._find_new_commit(before, changed)
                verify()
                if commit is None:
                    self.check_head(before)
            obstacles.check_commit_result(self._git, result, commit)
        except BaseException:
            with contextlib.suppress(RepositoryError):
                if new and not self._find_new_commit(before, changed):
                    # The reset takes HEAD's entries. They are right even if a git that is still
                    # running has moved HEAD by now.
                    self._git.run("reset", "--quiet", *PATHS_ON_INPUT, feed=encode_pathspecs(new))
            raise
        return self.resolve_head()

    def _add_to_index(self, paths: Collection[PurePosixPath]) -> None:
        """Add new files to the index, without their content if git can do that."""
        if self._git.attempt("config", "--type=bool", "index.sparse").output == b"true\n":
            # With an entry without content in a sparse index, git 2.39 crashes on later commands.
            feed = encode_with_nul(paths)
            self._git.run("update-index", "-z", "--add", "--stdin", feed=feed)
            return
        # With the setting on, `git add` refuses files outside of a sparse checkout.
        options = ("-c", "core.sparseCheckout=false", "add", "--intent-to-add", *PATHS_ON_INPUT)
        require_success(self._git.attempt(*options, feed=encode_pathspecs(paths)), "add")

    def _find_new_commit(self, before: str | None, paths: Collection[PurePosixPath]) -> str | None:
        """Return the full hash of HEAD, if it is a new commit with these files; else None."""
        after = self.resolve_head()
        if after == before:
            return None
        for hashes in self._collect_hashes(paths).values():
            if hashes.is_edited or hashes.is_removed:
                return None
        return after

    def resolve_reference(self, reference: str) -> str | None:
        """Return the full hash of a full reference; None if there is no such reference."""
        return references.resolve_reference(self._git, reference)

    def read_symbolic(self, reference: str) -> str | None:
        """Return the full reference that a symbolic one names, such as ``HEAD``; else None."""
        result = self._git.attempt("symbolic-ref", "--quiet", reference)
        return None if result.status else decode_line(result.output)

    def has_remotes(self) -> bool:
        """Return whether the repository has a remote."""
        return bool(self._git.run("remote"))

    def has_origin(self) -> bool:
        """Return whether the repository has a remote ``origin``."""
        return remotes.REMOTE in decode(self._git.run("remote")).split()

    def read_remote_reference(self, reference: str) -> str | None:
        """Return what a reference of ``origin`` names; see `remotes.read_remote_reference`."""
        return remotes.read_remote_reference(self._git, reference)

    def push_reference(self, reference: str, commit: str, expected: str | None) -> None:
        """Move a reference of ``origin``; see `remotes.push_reference`."""
        remotes.push_reference(self._git, reference, commit, expected)

    def commit_files(
        self, reference: str, files: Mapping[PurePosixPath, bytes], old: str | None
    ) -> str:
        """Move a reference to a new commit of these files; see `references.commit_files`."""
        return references.commit_files(self._git, reference, files, old)

    def find_object(self, name: str, path: PurePosixPath | None = None) -> Object | None:
        """Return an object; None if it doesn't exist. See `Reader.find`."""
        return self._reader.find(name, path)

    def find_proposal(self, name: str) -> Proposal | None:
        """Return pinsync's own commit on a branch; see `branch.find_proposal`."""
        head = self.resolve_head()
        return branch.find_proposal(self._git, head, name) if head else None

    def read_proposal_message(self, name: str) -> CommitMessage | None:
        """Return the message of pinsync's own commit on a branch; None without such a commit."""
        proposal = self.find_proposal(name)
        found = self._reader.find(proposal.commit) if proposal else None
        return parse_message(found) if found else None

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
            base: the full hash of the HEAD from which the changes were made; None for the current
                HEAD.

        Raises:
            RepositoryError: there is no commit yet; or see `branch.commit_to_branch`.
            SafetyError: HEAD is no longer ``base``; or see `branch.commit_to_branch`.
            FileError: a path leads through a link.
        """
        head = self.resolve_head()
        if head is None:
            raise RepositoryError(
                "there is no commit yet to put a branch on", hint="commit something first"
            )
        if base not in (None, head):
            raise _build_head_error()
        return branch.commit_to_branch(self._git, self._reader, head, name, changes, message)

    def _collect_hashes(self, paths: Collection[PurePosixPath]) -> dict[PurePosixPath, _FileHashes]:
        """Return path → hashes of each file, sorted by path."""
        head = self.resolve_head()
        committed: dict[PurePosixPath, str] = {}
        staged: dict[PurePosixPath, str] = {}
        for folder in sorted({path.parent for path in paths}):
            if head:
                entries = objects.list_tree(self._reader, head, folder, "HEAD")
                committed.update((entry.path, entry.blob) for entry in entries)
            entries = objects.list_index(self._git, folder)
            staged.update((entry.path, entry.blob) for entry in entries)
        files = [path for path in sorted(paths) if (self.root / path).is_file()]
        filtered = self._hash_files(files)
        # If the filtered text differs, the text without filters counts too: git keeps a file as it
        # is that was committed with CRLF.
        differing = [path for path in files if filtered[path] != committed.get(path)]
        unfiltered = self._hash_files(differing, "--no-filters")
        hashes = {}
        for path in sorted(paths):
            worktree = {found[path] for found in (filtered, unfiltered) if path in found}
            hashes[path] = _FileHashes(committed.get(path), staged.get(path), frozenset(worktree))
        return hashes

    def _hash_files(
        self, paths: Sequence[PurePosixPath], *options: str
    ) -> dict[PurePosixPath, str]:
        if not paths:
            return {}
        command = ("hash-object", *options, "--stdin-paths")
        output = self._git.run(*command, feed=encode_quoted(paths))
        return dict(zip(paths, output.decode().split(), strict=True))


def _build_head_error() -> SafetyError:
    """Return the error for a commit or checkout of somebody else while pinsync was at work."""
    return SafetyError(
        "HEAD moved while pinsync was at work", hint="run the command again, from the new commit"
    )


def _select_documents(entries: Iterable[objects.PathEntry]) -> list[objects.PathEntry]:
    documents = [entry for entry in entries if is_document(entry.path.name)]
    return sorted(documents, key=lambda entry: entry.path)


def _select_misnamed(entries: Iterable[objects.PathEntry]) -> list[PurePosixPath]:
    return [entry.path for entry in entries if is_misnamed(entry.path.name)]
