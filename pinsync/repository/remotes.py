"""Read and move references of the remote ``origin``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.errors import RepositoryError, SafetyError
from pinsync.repository.process import decode, extract_reason

if TYPE_CHECKING:
    from pinsync.repository.process import Git

REMOTE: Final = "origin"
_FETCH: Final = f"git fetch {REMOTE} '+refs/pinsync/*:refs/pinsync/*'"
FETCH_RECORDS: Final = f"fetch it and run the command again: {_FETCH}"
"""The hint for a record of agreement that the remote has moved."""
_PUSH: Final = f"if somebody else has moved it, {_FETCH}; else check the permission to push it"


def read_remote_reference(git: Git, reference: str) -> str | None:
    """Return the full hash that a reference has on the remote; None if it isn't there.

    Raises:
        RepositoryError: the remote can't be reached.
    """
    result = git.attempt("ls-remote", "--quiet", REMOTE, reference)
    if result.status:
        reason = extract_reason(result.errors)
        hint = "check the network, and the permission to read the remote"
        raise RepositoryError(f"the remote {REMOTE} can't be read: {reason}", hint=hint)
    for line in decode(result.output).splitlines():
        commit, _, name = line.partition("\t")
        # A pattern also finds references of longer names.
        if name == reference:
            return commit
    return None


def push_reference(git: Git, reference: str, commit: str, expected: str | None) -> None:
    """Move a reference of the remote, if nobody else has moved it.

    Args:
        git: the repository.
        reference: the full name of the reference.
        commit: the full hash of the new commit.
        expected: the full hash that the reference has on the remote; None for a new reference.

    Raises:
        SafetyError: the remote refuses it, or the reference moved.
        RepositoryError: git itself can't be run.
    """
    lease = f"--force-with-lease={reference}:{expected or ''}"
    # The hook before a push is about branches, and may take minutes.
    options = ("--quiet", "--no-verify", lease)
    result = git.attempt("push", *options, REMOTE, f"{commit}:{reference}")
    if result.status:
        reason = extract_reason(result.errors)
        message = f"{reference} can't be pushed to {REMOTE}: {reason}"
        raise SafetyError(message, hint=_PUSH)
