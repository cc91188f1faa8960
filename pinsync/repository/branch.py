"""Committing onto a branch through the object store: working tree, index and current branch stay as they are."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pinsync.errors import RepositoryError, SafetyError, printable
from pinsync.repository import objects
from pinsync.repository.process import check_identity, joined, line, reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath

    from pinsync.repository.process import Git

# The hash of the commit's own tree: a commit that a person amended no longer has it, and so counts as theirs.
_TRAILER: Final = "Pinsync-Tree"
_OWN: Final = re.compile(rf"^{_TRAILER}: ([0-9a-f]+)\s*\Z", re.MULTILINE)
# What a rebase or a bisect holds on to, which `git worktree list` doesn't tell.
_OPERATIONS: Final = ("rebase-merge/head-name", "rebase-merge/update-refs", "rebase-apply/head-name", "BISECT_START")


@dataclass(frozen=True, slots=True)
class BranchResult:
    """What became of a branch.

    Args:
        commit: the commit that proposes the changes; ``None`` if HEAD has them all already.
        changed: whether the branch was made or moved.
        replaced: whether an earlier commit of pinsync's own left the branch.
    """

    commit: str | None
    changed: bool
    replaced: bool


def commit_to_branch(
    git: Git, head: str, name: str, changes: Mapping[PurePosixPath, bytes | None], message: str
) -> BranchResult:
    """Do what `Repository.commit_to_branch` promises.

    Args:
        git: the repository.
        head: the full hash of the commit to build on.
        name: the branch.
        changes: path → new bytes, or ``None`` to remove the file.
        message: the commit message.

    Raises:
        SafetyError: the branch is in use, holds others' commits, or moved in the meantime.
        RepositoryError: the name can't be a branch's, or git failed.
        FileError: a path leads through a link.
    """
    if name.startswith("refs/") or git.attempt("check-ref-format", "--branch", name).output != f"{name}\n".encode():
        raise RepositoryError(f"{printable(name)} can't be a branch's name", hint="see git help check-ref-format")
    reference = f"refs/heads/{name}"
    _check_free(git, name, reference)
    found = git.attempt("show-ref", "--verify", "--hash", reference)  # exactly this one, where rev-parse would guess
    old = None if found.status else line(found.output)
    own = _own_commits(git, name, old, head) if old else []
    tree = _changed_tree(git, head, changes)
    if own == [(tree, head)]:
        return BranchResult(old, changed=False, replaced=False)
    if tree == line(git.run("rev-parse", f"{head}^{{tree}}")):
        if own:
            _move(git, reference, head, old)
        return BranchResult(None, changed=bool(own), replaced=bool(own))
    new = _make_commit(git, tree, head, message)
    _move(git, reference, new, old)
    return BranchResult(new, changed=True, replaced=bool(own))


def _check_free(git: Git, name: str, reference: str) -> None:
    worktrees = git.run("worktree", "list", "--porcelain").decode(errors="replace").splitlines()
    held = {entry.removeprefix("branch ") for entry in worktrees if entry.startswith("branch ")}
    common = git.folder / line(git.run("rev-parse", "--git-common-dir"))
    for place in (folder / file for folder in (common, *common.glob("worktrees/*")) for file in _OPERATIONS):
        if place.is_file():
            held.update(place.read_text(encoding="utf-8", errors="replace").split())
    if held & {reference, name}:
        raise SafetyError(
            f"branch {printable(name)} is checked out, or part of a rebase or bisect, in a worktree of {git.folder}",
            hint="choose another branch, or switch that worktree to another one (git worktree list shows them)",
        )


def _own_commits(git: Git, name: str, branch: str, head: str) -> list[tuple[str, str]]:
    """Return tree and parent of each commit that HEAD hasn't, once sure that pinsync made them all."""
    found = git.run("log", "-z", "--no-show-signature", "--format=%T %P%n%B", branch, f"^{head}", "--")
    commits = []
    for text in filter(None, found.decode(errors="replace").split("\0")):
        tree, *parents = text.partition("\n")[0].split()
        trailer = _OWN.search(text)
        if len(parents) > 1 or trailer is None or trailer[1] != tree:
            raise SafetyError(
                f"branch {printable(name)} holds commits that pinsync didn't make",
                hint=f"merge it, delete it or choose another; git log HEAD..{printable(name)} shows the commits",
            )
        commits.append((tree, "".join(parents)))
    return commits


def _changed_tree(git: Git, head: str, changes: Mapping[PurePosixPath, bytes | None]) -> str:
    folders = sorted({path.parent for path in changes})
    entries = [entry for folder in folders for entry in objects.tree(git, head, folder, "HEAD")]
    modes = {entry.path: objects.file_mode(entry, "HEAD") for entry in entries if entry.path in changes}
    lines = []
    for path, content in changes.items():
        start = f"0 {'0' * len(head)}"
        if content is not None:
            blob = line(git.run("hash-object", "-w", "--stdin", f"--path={path}", feed=content))
            start = f"{modes.get(path, objects.FILE_MODE)} {blob}"
        lines.append(f"{start}\t{path}")
    with tempfile.TemporaryDirectory(prefix="pinsync-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        git.run("read-tree", head, environment=index)
        git.run("update-index", "-z", "--index-info", feed=joined(lines), environment=index)
        return line(git.run("write-tree", environment=index))


def _make_commit(git: Git, tree: str, parent: str, message: str) -> str:
    check_identity(git)
    # Unlike `git commit`, the plumbing doesn't look at commit.gpgSign.
    signed = git.attempt("config", "--type=bool", "--get", "commit.gpgSign").output == b"true\n"
    text = f"{message.rstrip()}\n\n{_TRAILER}: {tree}\n".encode(errors="replace")
    return line(git.run("commit-tree", *(["-S"] if signed else []), "-p", parent, "-F", "-", tree, feed=text))


def _move(git: Git, reference: str, new: str, old: str | None) -> None:
    moved = git.attempt("update-ref", "--no-deref", "-m", "pinsync export", reference, new, old or "0" * len(new))
    if moved.status:
        raise SafetyError(
            f"{printable(reference)} couldn't be moved: {reason(moved.errors)}",
            hint="if something else moved it meanwhile, run the command again",
        )
