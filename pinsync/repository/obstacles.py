"""Find obstacles to a commit before a file is written, and explain a commit that git refused."""

from __future__ import annotations

import os
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pinsync.errors import RepositoryError
from pinsync.escape import printable
from pinsync.layout import is_repository
from pinsync.repository import recovery
from pinsync.repository.process import (
    decode,
    decode_with_nul,
    encode_with_nul,
    extract_reason,
    redact_errors,
    require_success,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pinsync.repository.process import CommandResult, Git

# The references that git keeps until the operation is concluded. At most stops of a rebase, single
# files can be committed, so a rebase is no obstacle.
_OPERATIONS: Final = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
}
_ATTRIBUTES: Final = ("ident", "filter", "working-tree-encoding")
_SHOWN_CHARACTERS: Final = 4000
# A finding in a text report of `pinsync lint`. pre-commit copies it to its own output.
_FINDING: Final = r"(?m)^[^\n]+\.yaml:\d+:\d+: (?:error|warning) [a-z-]+: "


def check_identity(git: Git) -> None:
    """Check that git knows the author and the committer.

    Raises:
        RepositoryError: a name or an address is missing.
    """
    for variable in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        if git.attempt("var", variable).status:
            name = 'git config --global user.name "Your Name"'
            address = "git config --global user.email you@example.com"
            raise RepositoryError(
                "git doesn't know in whose name to commit", hint=f"{name}; {address}"
            )


def check_no_operation(git: Git) -> None:
    """Check that a commit would conclude no operation, and that no file has a conflict.

    Raises:
        RepositoryError: a merge, a cherry-pick or a revert is under way, or a file has a conflict.
    """
    for head, name in _OPERATIONS.items():
        if not git.attempt("rev-parse", "--verify", "--quiet", head).status:
            raise RepositoryError(
                f"{name} is under way, which a commit of single files must not conclude",
                hint="conclude or abort it first (git status says how), or export without --commit",
            )
    if unmerged := git.run("ls-files", "--unmerged", "-z"):
        path = decode(unmerged).partition("\t")[2].partition("\0")[0]
        raise RepositoryError(
            f"{printable(path)} has an unresolved merge conflict",
            hint="resolve it, then git add the file; or export without --commit",
        )


def check_unlocked(git: Git) -> None:
    """Check that no other git process is changing the index.

    Raises:
        RepositoryError: the lock file of the index exists. Git itself would fail only after the
            files are written.
    """
    lock = recovery.find_index_lock(git)
    if os.path.lexists(lock):
        path = printable(str(lock))
        raise RepositoryError(
            f"another git process seems to be running in this repository: {path} exists",
            hint=(
                "wait until it is done, or remove that file if none is running; "
                "then run the command again"
            ),
        )


def check_folders(git: Git, paths: Collection[PurePosixPath]) -> None:
    """Check that files lie in this repository, and not in a repository inside it.

    Raises:
        RepositoryError: a folder above a file is a repository of its own.
    """
    folders: set[PurePosixPath] = set()
    for path in paths:
        folders.update(folder for folder in path.parents if folder.parts)
    for folder in sorted(folders):
        place = git.folder / folder
        # The functions that read and write files refuse links.
        if is_repository(place) and not place.is_symlink():
            name = printable(str(folder))
            raise RepositoryError(
                f"{name} is a git repository of its own, in which another one can't commit",
                hint=(
                    "move its .git away, run pinsync with a pinsync.yaml inside, "
                    "or export without committing"
                ),
            )


def check_ignored(git: Git, paths: Collection[PurePosixPath]) -> None:
    """Check that git ignores none of the new files.

    Raises:
        RepositoryError: git ignores a file. It never ignores a file in the index.
    """
    if not paths:
        return
    # With "./" in front, git takes no name for pathspec magic. This command doesn't support even
    # the magic word "literal".
    feed = encode_with_nul(f"./{path}" for path in paths)
    result = git.attempt("check-ignore", "-z", "--stdin", feed=feed)
    # git-check-ignore(1): status 1 means that no path is ignored.
    if result.status == 1:
        return
    names = decode_with_nul(require_success(result, "check-ignore"))
    ignored = ", ".join(name.removeprefix("./") for name in names)
    raise RepositoryError(
        f"git ignores {printable(ignored)}, as a .gitignore says",
        hint="take the folder out of .gitignore (git check-ignore -v shows the line)",
    )


def check_attributes(git: Git, files: Mapping[PurePosixPath, bytes]) -> None:
    """Check that git stores and checks out files with the same bytes.

    The attributes ``ident``, ``filter`` and ``working-tree-encoding`` can change the bytes
    (gitattributes(5)). A comparison with live would then report drift for ever.

    Args:
        git: the repository.
        files: path → text.

    Raises:
        RepositoryError: an attribute changes a file; the message names both.
    """
    if not files:
        return
    output = git.run("check-attr", "-z", "--stdin", *_ATTRIBUTES, feed=encode_with_nul(files))
    items = iter(decode_with_nul(output))
    # A record is three items: path, attribute and value (git-check-attr(1)).
    for path, name, value in zip(items, items, items, strict=True):
        if value in ("unspecified", "unset"):
            continue
        if _changes_text(git, name, path, files[PurePosixPath(path)]):
            folder = printable(str(PurePosixPath(path).parent))
            raise RepositoryError(
                f"git's attribute {name} changes the text of {printable(path)}, "
                "so that the commit would differ from live",
                hint=f"add a line to .gitattributes: {folder}/** -{name}",
            )


def _changes_text(git: Git, attribute: str, path: str, content: bytes) -> bool:
    """Whether git with an attribute stores other bytes than the content."""
    stored = git.run("hash-object", "--stdin", f"--path={path}", feed=content)
    # Git may convert line ends, so the content with LF counts as the same text.
    forms = {content, content.replace(b"\r\n", b"\n")}
    plain = {git.run("hash-object", "--stdin", "--no-filters", feed=form) for form in forms}
    # `ident` stores "$Id$" unchanged, but expands it on checkout.
    return stored not in plain or (attribute == "ident" and b"$Id$" in content)


def check_commit_result(git: Git, result: CommandResult, commit: str | None) -> None:
    """Check that ``git commit`` did its work.

    Args:
        git: the repository.
        result: the result of the command.
        commit: the full hash of the commit, if the command failed after it had made the commit.

    Raises:
        RepositoryError: the command failed. The message says whether git or a hook refused, and
            why, or that the commit was made all the same.
    """
    if not result.status:
        return
    output = redact_errors(result.errors)[-_SHOWN_CHARACTERS:]
    ending = f"ended with status {result.status}"
    if result.status < 0:
        ending = f"was killed by signal {-result.status}"
    if commit:
        stale = recovery.find_stale(git, recovery.EVERYWHERE)
        message = f"git commit made {commit[:12]}, then it {ending}"
        if output:
            message += f", saying:\n{output}"
        hint = f"the commit stands; {recovery.describe_remedy(git, stale)}"
        raise RepositoryError(message, hint=hint)
    if any(line.startswith("fatal: ") for line in result.errors.splitlines()):
        message = f"git commit failed: {extract_reason(result.errors)}"
        raise RepositoryError(message, hint="the files are written; nothing was committed")
    if result.status < 0 or not output.strip():
        hint = "the files are written, and nothing was committed; run the command again"
        raise RepositoryError(f"git commit {ending}", hint=hint)
    remedy = "satisfy the hook"
    if re.search(_FINDING, result.errors):
        remedy = "fix the findings, or ignore today's findings with pinsync lint --add-ignores"
    raise RepositoryError(
        f"git commit was refused, most likely by a hook, which said:\n{output}",
        hint=f"the files are written; {remedy}, then run the command again",
    )
