"""Commit onto a branch through the object store.

The working tree, the index and the current branch stay as they are.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from pinsync.errors import RepositoryError, SafetyError
from pinsync.escape import printable
from pinsync.repository import objects
from pinsync.repository.gitpython import attempt_commit
from pinsync.repository.message import append_trailers
from pinsync.repository.obstacles import (
    check_attributes,
    check_folders,
    check_identity,
    check_ignored,
)
from pinsync.repository.process import (
    decode_line,
    encode_with_nul,
    extract_reason,
    make_temporary_folder,
    require_success,
)
from pinsync.repository.references import resolve_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinsync.repository.process import Git
    from pinsync.repository.reader import SharedReader

# The trailers mark a commit of pinsync. The tree is the hash of the commit's own tree: if a person
# amends the commit, its tree has another hash, so the commit counts as the person's. The branch is
# the branch of the commit: if a merge brings the commit to another branch, it counts as a part of
# that branch's history.
_TRAILERS: Final = "Pinsync-Branch: {}\nPinsync-Tree: {}"
# The files with the names of branches that a rebase or a bisect will move. `git worktree list`
# doesn't show these branches.
_OPERATION_FILES: Final = (
    "rebase-merge/head-name",
    "rebase-merge/update-refs",
    "rebase-apply/head-name",
    "BISECT_START",
)


class BranchResult(Struct, frozen=True):
    """The result of a commit onto a branch.

    Attributes:
        commit: the commit that proposes the changes; None if HEAD has all of them already.
        changed: whether the branch was created or moved; without a commit, whether it was deleted.
        replaced: whether an earlier commit of pinsync left the branch.
    """

    commit: str | None
    changed: bool
    replaced: bool


class Proposal(NamedTuple):
    """The commit of pinsync on a branch.

    Attributes:
        commit: the full hash of the commit.
        parent: the full hash of its parent; None if a shallow clone lacks the parent.
    """

    commit: str
    parent: str | None


class _BranchCommit(NamedTuple):
    """A commit on a branch.

    Attributes:
        is_own: whether pinsync made the commit for this branch.
        tree: the hash of its tree.
        parents: the hashes of its parents, separated by blanks.
    """

    is_own: bool
    tree: str
    parents: str


def find_proposal(git: Git, head: str, name: str) -> Proposal | None:
    """Return pinsync's commit on a branch; None if there is none that HEAD lacks.

    Args:
        git: the repository.
        head: the full hash of the current commit.
        name: the branch; it needn't exist.
    """
    commit = resolve_reference(git, f"refs/heads/{name}")
    if commit is None:
        return None
    proposed = _read_commits(git, name, commit, f"^{head}")
    if len(proposed) != 1 or not proposed[0].is_own:
        return None
    # From the object itself: at the end of a shallow clone `git log` shows no parents, though the
    # parent may exist as the end of another branch.
    header = git.run("cat-file", "commit", commit).decode(errors="replace").partition("\n\n")[0]
    for line in header.splitlines():
        if line.startswith("parent "):
            parent = line.removeprefix("parent ")
            if not git.attempt("cat-file", "-e", f"{parent}^{{tree}}").status:
                return Proposal(commit, parent)
    return Proposal(commit, None)


def commit_to_branch(
    git: Git,
    reader: SharedReader,
    head: str,
    name: str,
    changes: Mapping[PurePosixPath, bytes | None],
    message: str,
) -> BranchResult:
    """Commit changes on top of HEAD onto another branch.

    The working tree, the index and the current branch stay as they are. The new commit replaces an
    earlier commit of pinsync on the branch. If HEAD has all changes, the branch is deleted. pinsync
    knows its own commits by trailers with the branch and the hash of the commit's tree, so a commit
    that a person amended is the person's. A branch with a person's commits is used only if HEAD has
    all of them, and only if pinsync made the branch or the branch points at HEAD. Hooks don't run;
    signing is as configured.

    Args:
        git: the repository.
        reader: reads the repository's objects.
        head: the full hash of the commit to build on.
        name: the branch, created if it doesn't exist.
        changes: path → new bytes, or None to remove the file.
        message: the commit message, without the trailers.

    Raises:
        SafetyError: the branch is in use, or holds commits that pinsync didn't make, or moved
            while pinsync was at work.
        RepositoryError: git allows no branch of this name, or not beside an existing branch; git
            ignores a new file; a repository inside this one has a file; or git failed.
        FileError: a path leads through a link.
    """
    reference = f"refs/heads/{name}"
    _check_name(git, name, reference)
    _check_unused(git, name, reference)
    old = resolve_reference(git, reference)
    own = _list_own_commits(git, name, old, head) if old else None
    tree = _write_tree(git, reader, head, changes)
    if own is not None and [(commit.tree, commit.parents) for commit in own] == [(tree, head)]:
        return BranchResult(old, changed=False, replaced=False)
    if tree == decode_line(git.run("rev-parse", f"{head}^{{tree}}")):
        if own is not None and old:
            _move_branch(git, reference, None, old)
        return BranchResult(None, changed=own is not None, replaced=bool(own))
    new = _make_commit(git, tree, head, name, message)
    _move_branch(git, reference, new, old)
    return BranchResult(new, changed=True, replaced=bool(own))


def _check_name(git: Git, name: str, reference: str) -> None:
    if name.startswith("refs/"):
        short = printable(name.removeprefix("refs/heads/"))
        raise RepositoryError(
            f"{printable(name)} can't be a branch's name, expected a name without refs/",
            hint=f"name it as git branch shows it: {short}",
        )
    if git.attempt("check-ref-format", "--branch", name).output != f"{name}\n".encode():
        shown = printable(name) or "''"
        raise RepositoryError(
            f"{shown} can't be a branch's name", hint="see git help check-ref-format"
        )
    # Git keeps the branch a/b as a file in the folder a. A branch a would be a file in its place.
    patterns = [reference]
    patterns += [f"refs/heads/{folder}" for folder in PurePosixPath(name).parents if folder.parts]
    output = git.run("for-each-ref", "--format=%(refname)", *patterns).decode(errors="replace")
    for existing in output.splitlines():
        if existing.startswith(f"{reference}/") or reference.startswith(f"{existing}/"):
            other = printable(existing.removeprefix("refs/heads/"))
            raise RepositoryError(
                f"there can't be a branch {printable(name)} beside {other}: "
                "git keeps them as a folder and a file",
                hint=f"choose another name, or rename that branch: git branch -m {other} NEW-NAME",
            )


def _check_unused(git: Git, name: str, reference: str) -> None:
    """Check that no worktree has the branch checked out, and that no operation will move it."""
    worktrees = git.run("worktree", "list", "--porcelain").decode(errors="replace").splitlines()
    used = {line.removeprefix("branch ") for line in worktrees if line.startswith("branch ")}
    common = git.folder / decode_line(git.run("rev-parse", "--git-common-dir"))
    for folder in (common, *common.glob("worktrees/*")):
        for file in _OPERATION_FILES:
            if (folder / file).is_file():
                text = (folder / file).read_text(encoding="utf-8", errors="replace")
                used.update(text.split())
    # BISECT_START holds the short name, the other files hold the reference.
    if used & {reference, name}:
        state = "is checked out, or part of a rebase or bisect, in a worktree of"
        raise SafetyError(
            f"branch {printable(name)} {state} {git.folder}",
            hint=(
                "choose another branch, or switch that worktree to another one "
                "(git worktree list shows them)"
            ),
        )


def _list_own_commits(git: Git, name: str, branch: str, head: str) -> list[_BranchCommit] | None:
    """Return the commits of pinsync's branch that HEAD lacks; None for another branch at HEAD."""
    proposed = _read_commits(git, name, branch, f"^{head}")
    # If HEAD has all commits of the branch, as after a merge, the last commit decides.
    decisive = proposed or _read_commits(git, name, "--no-walk", branch)
    if all(commit.is_own for commit in decisive):
        return proposed
    # A person committed to pinsync's branch, or updated it, and the branch was merged: HEAD has
    # every commit, so none can be lost.
    if not proposed and _was_proposed(git, name, branch):
        return []
    # No commit can be lost if the branch points at HEAD.
    if branch == head:
        return None
    # Another branch behind HEAD is refused: pinsync would add the commits between to it, for
    # instance to main from a branch of main.
    message = f"branch {printable(name)} holds commits that pinsync didn't make"
    if proposed:
        raise SafetyError(message, hint="merge the branch or delete it, or choose another name")
    raise SafetyError(message, hint="choose another name, or delete the branch if nobody needs it")


def _was_proposed(git: Git, name: str, branch: str) -> bool:
    """Return whether the history of the branch has a commit that pinsync made for it."""
    line = _format_trailers(name, "").partition("\n")[0]
    options = ("-z", "--no-show-signature", "--encoding=UTF-8", "--format=%B")
    output = git.run("log", *options, "--fixed-strings", f"--grep={line}", branch, "--")
    return any(line in text.splitlines() for text in output.decode(errors="replace").split("\0"))


def _read_commits(git: Git, name: str, *revisions: str) -> list[_BranchCommit]:
    options = ("-z", "--no-show-signature", "--encoding=UTF-8", "--format=%T %P%n%B")
    output = git.run("log", *options, *revisions, "--").decode(errors="replace")
    commits = []
    for text in output.split("\0"):
        if text:
            tree, _, parents = text.partition("\n")[0].partition(" ")
            has_trailers = text.rstrip().endswith(f"\n{_format_trailers(name, tree)}")
            # pinsync makes no merges.
            commits.append(_BranchCommit(has_trailers and " " not in parents, tree, parents))
    return commits


def _format_trailers(name: str, tree: str) -> str:
    return _TRAILERS.format(name.encode(errors="replace").decode(), tree)


def _write_tree(
    git: Git, reader: SharedReader, head: str, changes: Mapping[PurePosixPath, bytes | None]
) -> str:
    """Write the tree of HEAD with the changes into the object store, and return its hash."""
    check_folders(git, changes)
    modes: dict[PurePosixPath, str] = {}
    for folder in sorted({path.parent for path in changes}):
        for entry in objects.list_tree(reader, head, folder, "HEAD"):
            if entry.path in changes:
                modes[entry.path] = objects.require_file_mode(entry, "HEAD")
    contents = {path: content for path, content in changes.items() if content is not None}
    check_attributes(git, contents)
    check_ignored(git, [path for path in contents if path not in modes])
    lines = []
    for path, content in changes.items():
        if content is None:
            # git-update-index(1), --index-info: the mode 0 removes a path.
            lines.append(f"0 {'0' * len(head)}\t{path}")
        else:
            options = ("-w", "--stdin", f"--path={path}")
            blob = decode_line(git.run("hash-object", *options, feed=content))
            lines.append(f"{modes.get(path, objects.FILE_MODE)} {blob}\t{path}")
    # A temporary index, so that the index of the working tree stays as it is.
    with make_temporary_folder({}) as temporary:
        index = {"GIT_INDEX_FILE": str(temporary / "index")}
        feed = encode_with_nul(lines)
        git.run("read-tree", head, environment=index)
        git.run("update-index", "-z", "--index-info", feed=feed, environment=index)
        return decode_line(git.run("write-tree", environment=index))


def _make_commit(git: Git, tree: str, parent: str, name: str, message: str) -> str:
    check_identity(git)
    trailers = _format_trailers(name, tree).splitlines()
    text = f"{append_trailers(message, trailers)}\n".encode(errors="replace")
    # Unlike `git commit`, `git commit-tree` ignores commit.gpgSign.
    setting = git.attempt("config", "--type=bool", "--get", "commit.gpgSign")
    signing = ["-S"] if setting.output == b"true\n" else []
    command = ("commit-tree", *signing, "-p", parent, "-F", "-", tree)
    return decode_line(require_success(attempt_commit(git, *command, feed=text), "commit-tree"))


def _move_branch(git: Git, reference: str, new: str | None, old: str | None) -> None:
    """Create, move or, without a new commit, delete a branch, if nobody moved it meanwhile."""
    if new is None:
        verb, change = "deleted", ["-d", reference, str(old)]
    else:
        # update-ref refuses if the branch isn't at the old commit; zeros mean no branch.
        verb, change = "moved", [reference, new, old or "0" * len(new)]
    result = git.attempt("update-ref", "--no-deref", "-m", "pinsync export", *change)
    # A git that dies after it moved the branch, for instance in a hook, has done its work.
    if result.status and resolve_reference(git, reference) != new:
        raise SafetyError(
            f"{printable(reference)} couldn't be {verb}: {extract_reason(result.errors)}",
            hint="if something else moved it meanwhile, run the command again",
        )
