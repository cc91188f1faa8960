"""Find the repository around a folder."""

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

_REPOSITORY_VARIABLES: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR")
_NO_WORKING_TREE: Final = ("must be run in a work tree", "cannot use bare repository")
_DUBIOUS: Final = r"dubious ownership in repository at '(.+)'"


class Location(NamedTuple):
    """A repository's working tree and git directory, and git's commands for it."""

    root: Path
    git_dir: Path
    git: Git


class _Candidate(NamedTuple):
    """The folder that holds ``.git``, and the git directory."""

    root: Path
    git_dir: Path


def locate(start: Path) -> Location | None:
    """Return the repository around a folder; None if there is none.

    Git starts at the folder that holds ``.git``, not at ``start``. To git, any folder with
    ``HEAD``, ``config``, ``objects`` and ``refs`` is a bare repository. Somebody can commit such a
    folder, and its ``config`` would choose the programs that git runs.

    Raises:
        RepositoryError: the repository has no working tree or belongs to another user, or git
            can't be run.
    """
    candidate = _find_candidate(start)
    git = _build_git(start, candidate)
    result = git.attempt("rev-parse", "--absolute-git-dir", "--show-toplevel")
    # A longer message than this one means a broken repository: an error, not "no repository".
    if "not a git repository (or any" in result.errors and not git.environment:
        return None
    if result.status and (dubious := re.search(_DUBIOUS, result.errors)):
        place = printable(dubious[1])
        raise RepositoryError(
            f"git refuses the repository at {place}: it belongs to another user",
            hint=f"if you trust it: git config --global --add safe.directory {shlex.quote(place)}",
        )
    if _has_no_working_tree(result, git, candidate):
        raise RepositoryError(
            f"the git repository around {git.folder} has no working tree, expected a checkout",
            hint="run pinsync in a clone or in a worktree of it",
        )
    git_dir, _, top = require_success(result, "rev-parse").partition(b"\n")
    root = Path(decode_line(top))
    return Location(root, Path(decode_line(git_dir)), Git(root, git.environment))


def _build_git(start: Path, candidate: _Candidate | None) -> Git:
    """Return git's commands for the search, with the variables of the environment that count."""
    if candidate is None:
        environment = {}
        for name in _REPOSITORY_VARIABLES:
            if value := os.environ.get(name):
                # Not resolved: git treats links in its own way.
                environment[name] = os.path.abspath(value)  # noqa: PTH100
        # Without GIT_WORK_TREE, GIT_DIR makes the current folder the top of the working tree.
        return Git(Path.cwd() if "GIT_DIR" in environment else start, environment)
    # A hook's environment names the hook's repository, but ``start`` may lie in another one.
    if _is_another_repository_named(candidate):
        environment = {
            "GIT_DIR": str(candidate.git_dir),
            "GIT_WORK_TREE": str(candidate.root),
            "GIT_INDEX_FILE": str(candidate.git_dir / "index"),
        }
        return Git(candidate.root, environment)
    # In a linked worktree git starts hooks, shell aliases and the commands of `rebase -x` with
    # GIT_DIR and without GIT_WORK_TREE. Git then takes the folder in which it runs for the top of
    # the working tree, and the hook may have gone to a folder below.
    return Git(candidate.root, _build_environment(candidate))


def _build_environment(candidate: _Candidate) -> dict[str, str]:
    """Return the variables that name a repository, for git's commands in its top folder."""
    expected = {"GIT_DIR": candidate.git_dir, "GIT_WORK_TREE": candidate.root}
    environment = {}
    for name in _REPOSITORY_VARIABLES:
        if value := os.environ.get(name):
            path = expected.get(name)
            if path is not None and path.resolve() in _list_meanings(value, candidate):
                environment[name] = str(path)
            else:
                environment[name] = os.path.abspath(value)  # noqa: PTH100 - not resolved, as above
    return environment


def _has_no_working_tree(result: CommandResult, git: Git, candidate: _Candidate | None) -> bool:
    if any(message in result.errors for message in _NO_WORKING_TREE):
        return True
    # Git before 2.38 ignores safe.bareRepository. If it found a repository where there is no
    # `.git`, the repository is bare, and its own `config` may name a working tree.
    return result.status == 0 and candidate is None and "GIT_DIR" not in git.environment


def _find_candidate(start: Path) -> _Candidate | None:
    """Return the nearest repository above a folder, without a look at the environment."""
    root = find_repository_root(start)
    return None if root is None else _Candidate(root, _find_git_dir(root))


def _find_git_dir(folder: Path) -> Path:
    place = folder / ".git"
    if not place.is_file():
        return place
    # In a linked worktree or a submodule, `.git` is a file: "gitdir: PATH".
    text = place.read_text(encoding="utf-8", errors="surrogateescape")
    return (folder / text.removeprefix("gitdir:").strip()).resolve()


def _is_another_repository_named(candidate: _Candidate) -> bool:
    """Whether the environment names the git directory or the index of another repository."""
    value = os.environ.get("GIT_DIR")
    if value and candidate.git_dir.resolve() not in _list_meanings(value, candidate):
        return True
    index = os.environ.get("GIT_INDEX_FILE")
    if not index:
        return False
    # Git reads a relative path from the top folder.
    folder = Path(os.path.abspath(candidate.root / index)).parent  # noqa: PTH100 - not resolved
    # The `.git` file of a submodule, in a hook of the repository around the submodule.
    if folder.is_file():
        return True
    return (folder / "HEAD").is_file() and folder.resolve() != candidate.git_dir.resolve()


def _list_meanings(value: str, candidate: _Candidate) -> tuple[Path, Path]:
    """Return the two paths that a variable may mean: from the current folder, or the top folder."""
    # Git starts hooks in the top folder, and `git --git-dir=.git` hands them its relative path. A
    # hook may then go to another folder.
    return Path(value).resolve(), (candidate.root / value).resolve()
