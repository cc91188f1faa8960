"""Detect the index of a git that died after it moved the branch and before it wrote the index.

Such an index holds the committed files as they were before the commit. To git these are staged
changes, so the next commit of a person would revert the last one.
"""

from __future__ import annotations

import os
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pinsync.errors import RepositoryError
from pinsync.escape import printable
from pinsync.repository.process import build_pathspec, decode_line, decode_with_nul, encode_quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from pinsync.repository.process import Git

_STAGED: Final = ("diff-index", "--cached", "--ita-invisible-in-index")
_COMMITTED: Final = ("diff-tree", "-r", "--root", "--no-commit-id")
EVERYWHERE: Final = PurePosixPath()
"""The folder of the whole repository."""


def check_index(git: Git, folder: PurePosixPath) -> None:
    """Check that the index contains the last commit's changes in a folder.

    Raises:
        RepositoryError: the index lacks the changes.
    """
    if stale := find_stale(git, folder):
        commit = decode_line(git.run("rev-parse", "--short", "HEAD"))
        names = printable(", ".join(map(str, stale)))
        message = f"the index lacks the last commit, {commit}, and the next one would take it back"
        hint = f"a git that is killed leaves the index like this; {describe_remedy(git, stale)}"
        raise RepositoryError(f"{message}: {names}", hint=hint)


def find_stale(git: Git, folder: PurePosixPath) -> list[PurePosixPath]:
    """Return the files in a folder that the last commit changed, if the index lacks all changes.

    Return nothing if a file on disk too is as it was before the commit: then a person is reverting
    the commit.
    """
    staged = _find_differences(git, _STAGED, folder)
    if not staged:
        return []
    committed = _find_differences(git, _COMMITTED, folder)
    # After a killed git, the index reverts every file of the commit.
    if any(staged.get(path) != (new, old) for path, (old, new) in committed.items()):
        return []
    files = [path for path in committed if (git.folder / path).is_file()]
    hashes = git.run("hash-object", "--stdin-paths", feed=encode_quoted(files)).decode().split()
    present = dict(zip(files, hashes, strict=True))
    for path, (old, _) in committed.items():
        if present.get(path, "0" * len(old)) == old:
            return []
    return sorted(committed)


def describe_remedy(git: Git, stale: Collection[PurePosixPath]) -> str:
    """Return the commands that repair the repository after a git that died.

    Args:
        git: the repository.
        stale: the files for which the index lacks the last commit.
    """
    lock = find_index_lock(git)
    commands = [f"rm {shlex.quote(str(lock))}"] if os.path.lexists(lock) else []
    if stale:
        root, paths = shlex.quote(str(git.folder)), shlex.join(map(str, stale))
        commands.append(f"git -C {root} reset --quiet -- {paths}")
    if not commands:
        return "nothing is left to do"
    return f"once no other git is running: {' && '.join(commands)}"


def find_index_lock(git: Git) -> Path:
    """Return the path of the lock file that git holds while it changes the index."""
    return git.folder / f"{decode_line(git.run('rev-parse', '--git-path', 'index'))}.lock"


def _find_differences(
    git: Git, command: Sequence[str], folder: PurePosixPath
) -> dict[PurePosixPath, tuple[str, str]]:
    """Return the old and the new hash of each file that differs; the hash of no file is zeros."""
    result = git.attempt(*command, "-z", "--no-renames", "HEAD", "--", build_pathspec(folder))
    # The command fails before the first commit.
    if result.status:
        return {}
    differences = {}
    items = iter(decode_with_nul(result.output))
    # A record is two items: modes, hashes and status, then the path (git-diff(1), raw format).
    for header in items:
        _, _, old, new, _ = header.split(" ")
        differences[PurePosixPath(next(items))] = (old, new)
    return differences
