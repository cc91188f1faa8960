"""What git leaves behind when it dies between moving the branch and writing the index.

The index then holds the committed files as they were before. To git these are staged changes, so
the next commit of a person would take the last one back.
"""

from __future__ import annotations

import os
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pinsync.errors import RepositoryError
from pinsync.escape import printable
from pinsync.repository.process import build_pathspec, decode, decode_line, encode_quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from pinsync.repository.process import Git

_STAGED: Final = ("diff-index", "--cached", "--ita-invisible-in-index")
_COMMITTED: Final = ("diff-tree", "-r", "--root", "--no-commit-id")
EVERYWHERE: Final = PurePosixPath()


def check_index(git: Git, folder: PurePosixPath) -> None:
    """Make sure that the index has the last commit, as far as that changed files in a folder.

    Raises:
        RepositoryError: it doesn't have it.
    """
    if stale := find_stale(git, folder):
        commit = decode_line(git.run("rev-parse", "--short", "HEAD"))
        names = printable(", ".join(map(str, stale)))
        raise RepositoryError(
            (
                f"the index lacks the last commit, {commit}, and the next one would take it "
                f"back: {names}"
            ),
            hint=f"a git that is killed leaves that behind; {remedy(git, stale)}",
        )


def find_stale(git: Git, folder: PurePosixPath) -> list[PurePosixPath]:
    """Return the files in a folder that the last commit changed, if the index lacks all of that.

    Where the files themselves are as before the commit too, a person is taking it back.
    """
    staged = _differences(git, _STAGED, folder)
    if not staged:
        return []
    committed = _differences(git, _COMMITTED, folder)
    if any(staged.get(path) != (new, old) for path, (old, new) in committed.items()):
        return []
    files = [path for path in committed if (git.folder / path).is_file()]
    hashes = git.run("hash-object", "--stdin-paths", feed=encode_quoted(files)).decode().split()
    present = dict(zip(files, hashes, strict=True))
    for path, (old, _) in committed.items():
        if present.get(path, "0" * len(old)) == old:
            return []
    return sorted(committed)


def remedy(git: Git, stale: Collection[PurePosixPath]) -> str:
    """Return what is left to do after a git that died.

    Args:
        git: the repository.
        stale: the files of which the index lacks the last commit.
    """
    lock = index_lock(git)
    commands = [f"rm {shlex.quote(str(lock))}"] if os.path.lexists(lock) else []
    if stale:
        root, paths = shlex.quote(str(git.folder)), shlex.join(map(str, stale))
        commands.append(f"git -C {root} reset --quiet -- {paths}")
    if not commands:
        return "nothing is left to do"
    return f"once no other git is running: {' && '.join(commands)}"


def index_lock(git: Git) -> Path:
    """Return the place of the lock that a git holds while it works on the index."""
    return git.folder / f"{decode_line(git.run('rev-parse', '--git-path', 'index'))}.lock"


def _differences(
    git: Git, command: Sequence[str], folder: PurePosixPath
) -> dict[PurePosixPath, tuple[str, str]]:
    """Return the hashes of each file that differs, on either side; zeros stand for no file."""
    found = git.attempt(*command, "-z", "--no-renames", "HEAD", "--", build_pathspec(folder))
    # The command fails before the first commit.
    fields = iter([] if found.status else decode(found.output).split("\0")[:-1])
    differences = {}
    for header in fields:  # modes, hashes and status, and then the path
        _, _, old, new, _ = header.split(" ")
        differences[PurePosixPath(next(fields))] = (old, new)
    return differences
