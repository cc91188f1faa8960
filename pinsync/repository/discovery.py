"""Finding the repository around a folder."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.errors import RepositoryError
from pinsync.escape import printable
from pinsync.layout import find_repository_root
from pinsync.repository.process import Git, decode_line, require_success

if TYPE_CHECKING:
    from pinsync.repository.process import CommandResult

_NAMED: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR")
_NO_WORKING_TREE: Final = ("must be run in a work tree", "cannot use bare repository")
_DUBIOUS: Final = re.compile(r"dubious ownership in repository at '(.+)'")


class Location(NamedTuple):
    """A repository's working tree and git directory, and git's commands for it."""

    root: Path
    git_dir: Path
    git: Git


class _Near(NamedTuple):
    root: Path
    git_dir: Path


def locate(start: Path) -> Location | None:
    """Return the repository around a folder, ``None`` if there is none.

    Git starts at the folder that holds ``.git``, not at ``start``: to git, any folder with
    ``HEAD``, ``config``, ``objects`` and ``refs`` is a bare repository. Such a folder can be
    committed, and its ``config`` would choose the programs that git runs.

    Raises:
        RepositoryError: the repository has no working tree or belongs to another user, or git
            can't be run.
    """
    near = _nearest(start)
    git = _git(start, near)
    found = git.attempt("rev-parse", "--absolute-git-dir", "--show-toplevel")
    # A longer message means a broken repository, which must not pass for none.
    if "not a git repository (or any" in found.errors and not git.environment:
        return None
    if dubious := _DUBIOUS.search(found.errors):
        place = printable(dubious[1])
        raise RepositoryError(
            f"git refuses the repository at {place}: it belongs to another user",
            hint=f"if you trust it: git config --global --add safe.directory {shlex.quote(place)}",
        )
    if _lacks_working_tree(found, git, near):
        raise RepositoryError(
            f"the git repository around {git.folder} has no working tree, expected a checkout",
            hint="run pinsync in a clone or in a worktree of it",
        )
    git_dir, _, top = require_success(found, "rev-parse").partition(b"\n")
    root = Path(decode_line(top))
    return Location(root, Path(decode_line(git_dir)), Git(root, git.environment))


def _git(start: Path, near: _Near | None) -> Git:
    """Return git's commands for the search: in the repository that the environment names, if any.

    The environment of a hook counts, unless it means another repository than that of ``start``.
    """
    if near is None:
        environment = {
            name: os.path.abspath(value)  # noqa: PTH100 - links are git's business
            for name in _NAMED
            if (value := os.environ.get(name))
        }
        # Without GIT_WORK_TREE, GIT_DIR makes the current folder the top of the working tree.
        return Git(Path.cwd() if "GIT_DIR" in environment else start, environment)
    if _is_of_another(near):
        environment = {
            "GIT_DIR": str(near.git_dir),
            "GIT_WORK_TREE": str(near.root),
            "GIT_INDEX_FILE": str(near.git_dir / "index"),
        }
        return Git(near.root, environment)
    # In a linked worktree git starts hooks, shell aliases and the commands of `rebase -x` with
    # GIT_DIR and without GIT_WORK_TREE. The folder that git runs in is the top of the working tree
    # then, and the program may have gone to a folder below.
    return Git(near.root, _environment_of(near))


def _environment_of(near: _Near) -> dict[str, str]:
    """Return the variables that name a repository, for git's commands in its top folder."""
    expected = {"GIT_DIR": near.git_dir, "GIT_WORK_TREE": near.root}
    environment = {}
    for name in _NAMED:
        if value := os.environ.get(name):
            found = expected.get(name)
            is_expected = found is not None and found.resolve() in _readings(value, near)
            environment[name] = str(found) if is_expected else os.path.abspath(value)  # noqa: PTH100 - as above
    return environment


def _lacks_working_tree(found: CommandResult, git: Git, near: _Near | None) -> bool:
    if any(message in found.errors for message in _NO_WORKING_TREE):
        return True
    # Git before 2.38 knows no safe.bareRepository. It found a repository where there is no
    # `.git`: a bare one, whose own `config` may name a working tree.
    return found.status == 0 and near is None and "GIT_DIR" not in git.environment


def _nearest(start: Path) -> _Near | None:
    """Return the repository whose ``.git`` is nearest above a folder, whatever the environment says."""
    root = find_repository_root(start)
    return None if root is None else _Near(root, _git_dir(root))


def _git_dir(folder: Path) -> Path:
    place = folder / ".git"
    if not place.is_file():
        return place
    # A linked worktree or a submodule: "gitdir: PATH".
    text = place.read_text(encoding="utf-8", errors="surrogateescape")
    return (folder / text.removeprefix("gitdir:").strip()).resolve()


def _is_of_another(near: _Near) -> bool:
    """Return whether the environment names the git directory or index of another repository."""
    named = os.environ.get("GIT_DIR")
    if named and near.git_dir.resolve() not in _readings(named, near):
        return True
    index = os.environ.get("GIT_INDEX_FILE")
    if not index:
        return False
    # Git reads a relative path from the top folder.
    folder = Path(os.path.abspath(near.root / index)).parent  # noqa: PTH100 - not resolved
    if folder.is_file():  # the `.git` of a submodule, in a hook of the repository around it
        return True
    return (folder / "HEAD").is_file() and folder.resolve() != near.git_dir.resolve()


def _readings(value: str, near: _Near) -> tuple[Path, Path]:
    """Return the places that a variable may mean: a relative path can count from either folder.

    Git starts hooks in the top folder, and ``git --git-dir=.git`` hands them its relative path; a
    hook may then go to another folder.
    """
    return Path(value).resolve(), (near.root / value).resolve()
