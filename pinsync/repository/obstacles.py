"""What keeps git from committing single files, found out before one is written; and what it says when it refuses."""

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
    encode_with_nul,
    extract_reason,
    redact_errors,
    require_success,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pinsync.repository.process import CommandResult, Git

# What git keeps beside HEAD until it is concluded; at most stops of a rebase, single files can be
# committed.
_HALFWAY: Final = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
}
_SHOWN_CHARACTERS: Final = 4000
# A finding in a text report of `pinsync lint`, which pre-commit passes on as it is.
_FINDING: Final = re.compile(r"^[^\n]+\.yaml:\d+:\d+: (?:error|warning) [a-z-]+: ", re.MULTILINE)


def check_identity(git: Git) -> None:
    """Make sure that git knows who commits.

    Raises:
        RepositoryError: it doesn't.
    """
    if any(
        git.attempt("var", variable).status
        for variable in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT")
    ):
        raise RepositoryError(
            "git doesn't know in whose name to commit",
            hint=(
                'git config --global user.name "Your Name"; git config --global user.email '
                "you@example.com"
            ),
        )


def check_whole(git: Git) -> None:
    """Make sure that a commit would be nothing but itself.

    Raises:
        RepositoryError: it would conclude a merge, a cherry-pick or a revert, or files with
            conflicts are left.
    """
    for head, name in _HALFWAY.items():
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
    """Make sure that no other git process is at work on the index.

    Raises:
        RepositoryError: its lock is there, which git itself would only stumble over once the files
            are written.
    """
    lock = recovery.index_lock(git)
    if os.path.lexists(lock):
        raise RepositoryError(
            (
                f"another git process seems to be running in this repository: "
                f"{printable(str(lock))} exists"
            ),
            hint=(
                "wait until it is done, or remove that file if none is running; then run the "
                "command again"
            ),
        )


def check_folders(git: Git, paths: Collection[PurePosixPath]) -> None:
    """Make sure that files lie in this repository, and in none inside it.

    Raises:
        RepositoryError: a folder on the way is a repository of its own.
    """
    for folder in sorted({folder for path in paths for folder in path.parents if folder.parts}):
        place = git.folder / folder
        if (
            is_repository(place) and not place.is_symlink()
        ):  # links are refused by whoever reads or writes
            raise RepositoryError(
                (
                    f"{printable(str(folder))} is a git repository of its own, in which another "
                    f"one can't commit"
                ),
                hint=(
                    "move its .git away, run pinsync with a pinsync.yaml inside, or export "
                    "without committing"
                ),
            )


def check_ignored(git: Git, paths: Collection[PurePosixPath]) -> None:
    """Make sure that git would take new files.

    Raises:
        RepositoryError: it ignores one; those that are in the index it never ignores.
    """
    # With a dot in front, no name is taken for a pathspec's magic, of which this command knows not
    # even "literal".
    found = (
        git.attempt(
            "check-ignore", "-z", "--stdin", feed=encode_with_nul(f"./{path}" for path in paths)
        )
        if paths
        else None
    )
    if found is None or found.status == 1:  # none is
        return
    ignored = [
        path.removeprefix("./")
        for path in decode(require_success(found, "check-ignore")).split("\0")[:-1]
    ]
    raise RepositoryError(
        f"git ignores {printable(', '.join(ignored))}, as a .gitignore says",
        hint="take the folder out of .gitignore (git check-ignore -v shows the line)",
    )


def check_attributes(git: Git, files: Mapping[PurePosixPath, bytes]) -> None:
    """Make sure that git stores files with the bytes that they have, and checks them out likewise.

    The attributes ``ident``, ``filter`` and ``working-tree-encoding`` can have it store others
    (gitattributes(5)); a comparison with what is live would see that as drift for ever.

    Args:
        git: the repository.
        files: path → text.

    Raises:
        RepositoryError: an attribute changes a file; the message names both.
    """
    if not files:
        return
    names = ("ident", "filter", "working-tree-encoding")
    fields = decode(
        git.run("check-attr", "-z", "--stdin", *names, feed=encode_with_nul(files))
    ).split("\0")[:-1]
    for path, name, value in zip(*[iter(fields)] * len(names), strict=True):
        if value in ("unspecified", "unset"):
            continue
        content = files[PurePosixPath(path)]
        stored = git.run("hash-object", "--stdin", f"--path={path}", feed=content)
        forms = {content, content.replace(b"\r\n", b"\n")}  # line ends are git's business
        plain = {git.run("hash-object", "--stdin", "--no-filters", feed=form) for form in forms}
        if stored not in plain or (name == "ident" and b"$Id$" in content):
            raise RepositoryError(
                f"git's attribute {name} changes the text of {printable(path)}, so that the "
                f"commit would differ from "
                "what is live",
                hint=(
                    f"add a line to .gitattributes: "
                    f"{printable(str(PurePosixPath(path).parent))}/** -{name}"
                ),
            )


def check_outcome(git: Git, outcome: CommandResult, commit: str | None) -> None:
    """Make sure that ``git commit`` did its work.

    Args:
        git: the repository.
        outcome: what came of the command.
        commit: the full hash of the commit, if the command failed after it had made one.

    Raises:
        RepositoryError: the command failed; the message says whether git or a hook refused, and
            why, or that the commit was made all the same.
    """
    if not outcome.status:
        return
    said = redact_errors(outcome.errors)[-_SHOWN_CHARACTERS:]
    ending = f"ended with status {outcome.status}"
    if outcome.status < 0:
        ending = f"was killed by signal {-outcome.status}"
    if commit:
        stale = recovery.find_stale(git, recovery.EVERYWHERE)
        raise RepositoryError(
            f"git commit made {commit[:12]}, then it {ending}"
            + (f", saying:\n{said}" if said else ""),
            hint=f"the commit stands; {recovery.remedy(git, stale)}",
        )
    if any(each.startswith("fatal: ") for each in outcome.errors.splitlines()):
        message = f"git commit failed: {extract_reason(outcome.errors)}"
        raise RepositoryError(message, hint="the files are written; nothing was committed")
    if outcome.status < 0 or not said.strip():
        hint = "the files are written, and nothing was committed; run the command again"
        raise RepositoryError(f"git commit {ending}", hint=hint)
    remedy = "make the hook content"
    if _FINDING.search(outcome.errors):
        remedy = "mend the findings, or ignore those of today with pinsync lint --add-ignores"
    raise RepositoryError(
        f"git commit was refused, most likely by a hook, which said:\n{said}",
        hint=f"the files are written; {remedy}, then run the command again",
    )
