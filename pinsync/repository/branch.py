"""Committing onto a branch through the object store: working tree, index and current branch stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.errors import RepositoryError, SafetyError
from pinsync.escape import printable
from pinsync.repository import objects
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
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinsync.repository.process import Git

# The hash of the commit's own tree: a commit that a person amended no longer has it, and so counts
# as theirs. And the branch it was made for: on another one, which was moved there by a merge, it is
# a part of that one's history.
_TRAILERS: Final = "Pinsync-Branch: {}\nPinsync-Tree: {}"
# What a rebase or a bisect holds on to, which `git worktree list` doesn't tell.
_OPERATIONS: Final = (
    "rebase-merge/head-name",
    "rebase-merge/update-refs",
    "rebase-apply/head-name",
    "BISECT_START",
)


@dataclass(frozen=True, slots=True)
class BranchResult:
    """What became of a branch.

    Args:
        commit: the commit that proposes the changes; ``None`` if HEAD has them all already.
        changed: whether the branch was made or moved; without a commit, whether it was deleted.
        replaced: whether an earlier commit of pinsync's own left the branch.
    """

    commit: str | None
    changed: bool
    replaced: bool


class Proposal(NamedTuple):
    """The commit of pinsync's own on a branch.

    Attributes:
        commit: its full hash.
        parent: the full hash of the commit that it changes; None where a shallow clone lacks that.
    """

    commit: str
    parent: str | None


def proposal(git: Git, head: str, name: str) -> Proposal | None:
    """Return what pinsync proposes on a branch: its own commit there, if HEAD hasn't got it.

    Args:
        git: the repository.
        head: the full hash of the current commit.
        name: the branch; it needn't exist.
    """
    commit = _commit(git, name)
    if not commit or [own for own, _, _ in _commits(git, name, commit, f"^{head}")] != [True]:
        return None
    # Where a shallow clone ends, git log knows of no parent, though it may be there as the end of
    # another branch.
    header = git.run("cat-file", "commit", commit).decode(errors="replace").partition("\n\n")[0]
    parents = [
        field.removeprefix("parent ")
        for field in header.splitlines()
        if field.startswith("parent ")
    ]
    there = [
        parent
        for parent in parents
        if not git.attempt("cat-file", "-e", f"{parent}^{{tree}}").status
    ]
    return Proposal(commit, next(iter(there), None))


def commit_to_branch(
    git: Git, head: str, name: str, changes: Mapping[PurePosixPath, bytes | None], message: str
) -> BranchResult:
    """Commit changes on top of HEAD onto another branch; working tree, index and current branch stay as they are.

    A commit that pinsync made there before is replaced; with nothing left to propose the branch is
    deleted. Such a commit is known by trailers with the branch and the hash of its own tree, so
    that one a person amended is theirs. Any other branch is used only where it points at HEAD.
    Hooks don't run; signing is as configured.

    Args:
        git: the repository.
        head: the full hash of the commit to build on.
        name: the branch, made if it doesn't exist.
        changes: path → new bytes, or ``None`` to remove the file.
        message: the commit message; the trailers are added.

    Raises:
        SafetyError: the branch is in use, or holds commits that pinsync didn't make, or moved in
            the meantime.
        RepositoryError: the name can't be a branch's, or not beside another one's, git ignores a
            new file or another repository inside this one has it, or git failed.
        FileError: a path leads through a link.
    """
    reference = f"refs/heads/{name}"
    _check_name(git, name, reference)
    _check_free(git, name, reference)
    old = _commit(git, name)
    own = _own_commits(git, name, old, head) if old else None
    tree = _changed_tree(git, head, changes)
    if own == [(tree, head)]:
        return BranchResult(old, changed=False, replaced=False)
    if tree == decode_line(git.run("rev-parse", f"{head}^{{tree}}")):
        if own is not None and old:
            _move(git, reference, None, old)
        return BranchResult(None, changed=own is not None, replaced=bool(own))
    new = _make_commit(git, tree, head, name, message)
    _move(git, reference, new, old)
    return BranchResult(new, changed=True, replaced=bool(own))


def _commit(git: Git, name: str) -> str | None:
    return _reference(git, f"refs/heads/{name}")


def _reference(git: Git, reference: str) -> str | None:
    found = git.attempt(
        "show-ref", "--verify", "--hash", reference
    )  # exactly this, where rev-parse guesses
    return None if found.status else decode_line(found.output)


def _check_name(git: Git, name: str, reference: str) -> None:
    if name.startswith("refs/"):
        short = printable(name.removeprefix("refs/heads/"))
        hint = f"name it as git branch shows it: {short}"
        raise RepositoryError(
            f"{printable(name)} can't be a branch's name, expected one without refs/", hint=hint
        )
    if git.attempt("check-ref-format", "--branch", name).output != f"{name}\n".encode():
        shown = printable(name) or "''"
        raise RepositoryError(
            f"{shown} can't be a branch's name", hint="see git help check-ref-format"
        )
    places = [
        reference,
        *(f"refs/heads/{folder}" for folder in PurePosixPath(name).parents if folder.parts),
    ]
    for found in (
        git.run("for-each-ref", "--format=%(refname)", *places)
        .decode(errors="replace")
        .splitlines()
    ):
        if found.startswith(f"{reference}/") or reference.startswith(f"{found}/"):
            other = printable(found.removeprefix("refs/heads/"))
            raise RepositoryError(
                (
                    f"there can't be a branch {printable(name)} beside {other}: git keeps them "
                    f"as a folder and a file"
                ),
                hint=f"choose another name, or rename that branch: git branch -m {other} NEW-NAME",
            )


def _check_free(git: Git, name: str, reference: str) -> None:
    worktrees = git.run("worktree", "list", "--porcelain").decode(errors="replace").splitlines()
    held = {entry.removeprefix("branch ") for entry in worktrees if entry.startswith("branch ")}
    common = git.folder / decode_line(git.run("rev-parse", "--git-common-dir"))
    for place in (
        folder / file for folder in (common, *common.glob("worktrees/*")) for file in _OPERATIONS
    ):
        if place.is_file():
            held.update(place.read_text(encoding="utf-8", errors="replace").split())
    if held & {reference, name}:
        raise SafetyError(
            (
                f"branch {printable(name)} is checked out, or part of a rebase or bisect, in a "
                f"worktree of {git.folder}"
            ),
            hint=(
                "choose another branch, or switch that worktree to another one (git worktree "
                "list shows them)"
            ),
        )


def _own_commits(git: Git, name: str, branch: str, head: str) -> list[tuple[str, str]] | None:
    """Return tree and parent of each commit that HEAD hasn't, once sure that the branch is pinsync's to move.

    It is where pinsync made all of those, or the last one where HEAD has them all, as after a
    merge. ``None`` is returned for any other branch that points at HEAD: there is nothing to lose,
    and nothing of pinsync's own.
    """
    proposed = _commits(git, name, branch, f"^{head}")
    if all(own for own, _, _ in proposed or _commits(git, name, "--no-walk", branch)):
        return [(tree, parents) for _, tree, parents in proposed]
    if branch == head:
        return None
    # A branch behind HEAD, such as main under a branch of main, would be carried on by HEAD's other
    # commits.
    raise SafetyError(
        f"branch {printable(name)} holds commits that pinsync didn't make",
        hint="choose another name",
    )


def _commits(git: Git, name: str, *revisions: str) -> list[tuple[bool, str, str]]:
    """Return of each commit whether pinsync made it for a branch, its tree, and its parents."""
    command = ("log", "-z", "--no-show-signature", "--encoding=UTF-8", "--format=%T %P%n%B")
    commits = []
    for text in filter(
        None, git.run(*command, *revisions, "--").decode(errors="replace").split("\0")
    ):
        tree, _, parents = text.partition("\n")[0].partition(" ")
        own = " " not in parents and text.rstrip().endswith(f"\n{_trailers(name, tree)}")
        commits.append((own, tree, parents))
    return commits


def _trailers(name: str, tree: str) -> str:
    return _TRAILERS.format(name.encode(errors="replace").decode(), tree)


def _changed_tree(git: Git, head: str, changes: Mapping[PurePosixPath, bytes | None]) -> str:
    check_folders(git, changes)
    folders = sorted({path.parent for path in changes})
    entries = [entry for folder in folders for entry in objects.tree(git, head, folder, "HEAD")]
    modes = {
        entry.path: objects.file_mode(entry, "HEAD") for entry in entries if entry.path in changes
    }
    check_attributes(
        git, {path: content for path, content in changes.items() if content is not None}
    )
    check_ignored(
        git,
        [path for path, content in changes.items() if content is not None and path not in modes],
    )
    lines = []
    for path, content in changes.items():
        start = f"0 {'0' * len(head)}"
        if content is not None:
            blob = decode_line(
                git.run("hash-object", "-w", "--stdin", f"--path={path}", feed=content)
            )
            start = f"{modes.get(path, objects.FILE_MODE)} {blob}"
        lines.append(f"{start}\t{path}")
    with make_temporary_folder({}) as folder:
        index = {"GIT_INDEX_FILE": str(folder / "index")}
        git.run("read-tree", head, environment=index)
        git.run(
            "update-index", "-z", "--index-info", feed=encode_with_nul(lines), environment=index
        )
        return decode_line(git.run("write-tree", environment=index))


def _make_commit(git: Git, tree: str, parent: str, name: str, message: str) -> str:
    check_identity(git)
    # Unlike `git commit`, the plumbing doesn't look at commit.gpgSign.
    signed = git.attempt("config", "--type=bool", "--get", "commit.gpgSign").output == b"true\n"
    text = f"{message.rstrip()}\n\n{_trailers(name, tree)}\n".encode(errors="replace")
    return decode_line(
        git.run(
            "commit-tree", *(["-S"] if signed else []), "-p", parent, "-F", "-", tree, feed=text
        )
    )


def _move(git: Git, reference: str, new: str | None, old: str | None) -> None:
    """Make, move or, without a new commit, delete a branch, if it still is where it was."""
    change = ["-d", reference, str(old)] if new is None else [reference, new, old or "0" * len(new)]
    moved = git.attempt("update-ref", "--no-deref", "-m", "pinsync export", *change)
    # A git that dies after it moved the branch, in a hook, say, has done all that it was to do.
    if moved.status and _reference(git, reference) != new:
        raise SafetyError(
            (
                f"{printable(reference)} couldn't be {'moved' if new else 'deleted'}: "
                f"{extract_reason(moved.errors)}"
            ),
            hint="if something else moved it meanwhile, run the command again",
        )
