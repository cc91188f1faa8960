"""Leave the rules as git has them whose changes in git aren't in the shop yet; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from pinsync.drift.pairs import describe_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pinsync.drift.record import Change, Moved
    from pinsync.model import Customization, Snapshot

_REASONS: Final[Mapping[Moved, str]] = {
    "both": "changed in git and in the shop",
    "unknown": "changed in git or in the shop (it can't be told which)",
}
_PENDING: Final = frozenset({"git", *_REASONS})


def split_pending(
    changes: Iterable[Change], *, is_whole: bool
) -> tuple[list[Change], list[Change]]:
    """Return the changes from git to the shop that the shop alone didn't make, and the others.

    Args:
        changes: the changes.
        is_whole: whether the answer has all pins. There is no record of agreement for other
            answers, so most movers are unknown, and such changes would never reach git.
    """
    movers = _PENDING if is_whole else {"git"}
    pending: list[Change] = []
    others: list[Change] = []
    for change in changes:
        (pending if change.moved in movers else others).append(change)
    return pending, others


def keep_pending(live: Snapshot, pending: Sequence[Change]) -> Snapshot:
    """Return an answer in which some rules are as git has them.

    Args:
        live: the answer of the API.
        pending: the changes of these rules, from git to the answer.
    """
    items: list[Customization | None] = list(live.customizations)
    missing: list[Customization] = []
    for change in pending:
        git, index = change.pair.old, change.pair.new_index
        if index is not None:
            items[index] = git
        # An export keeps a block without an id anyway, and says what is to be done about it.
        elif git and git.id is not None:
            missing.append(git)
    return replace(live, customizations=(*filter(None, items), *missing))


def describe_doubtful(change: Change) -> str | None:
    """Return a note about a rule that people have to decide on; None if git alone moved."""
    if change.moved is None or change.moved not in _REASONS:
        return None
    rule = change.subject
    reason = _REASONS[change.moved]
    return f"note: {describe_target(rule)} · {rule.model}: {reason}: it stays as git has it"
