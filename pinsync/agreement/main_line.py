"""Find the main line: the branch whose commits count as what the team has agreed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinsync.repository import Repository

_REMOTE: Final = "refs/remotes/origin/"
_BRANCHES: Final = ("refs/heads/main", "refs/heads/master")
NO_MAIN_LINE: Final = (
    "note: git doesn't tell which branch is the main line, so the record of agreement stays as it "
    "is: run git remote set-head origin --auto"
)


class MainLine(Struct, frozen=True):
    """The main line.

    Attributes:
        reference: the full reference of its branch.
        tip: the full hash of its newest commit.
    """

    reference: str
    tip: str


def find_main_line(
    repository: Repository,
    main_branch: str | None,
    read_setting: Callable[[str], str | None],
) -> MainLine | None:
    """Return the main line; None if git doesn't tell, or before the first commit.

    Args:
        repository: the repository.
        main_branch: the branch that the configuration names.
        read_setting: returns the branch that the configuration of a commit names.
    """
    reference = repository.read_symbolic(f"{_REMOTE}HEAD")
    if reference and (tip := repository.resolve_reference(reference)):
        return MainLine(reference, tip)
    if main_branch is not None:
        reference = f"{_REMOTE}{main_branch}"
        tip = repository.resolve_reference(reference)
        # A branch must not make itself the main line.
        if tip and read_setting(tip) == main_branch:
            return MainLine(reference, tip)
    if repository.has_remotes():
        return None
    current = repository.read_symbolic("HEAD")
    for reference in (*_BRANCHES, current):
        if reference and (tip := repository.resolve_reference(reference)):
            return MainLine(reference, tip)
    return None
