"""The guard against mass removal in the shop, as `sync.guard` is the one in the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.plan.record import Operation


def describe_mass_removal(
    operations: Sequence[Operation], existing: int, max_percent: int, min_existing: int
) -> str | None:
    """Return what is suspicious about the number of deletions; None if nothing is.

    Args:
        operations: the operations of one tracker.
        existing: the number of rules that the shop has.
        max_percent: ``safety.max_removed_percent``.
        min_existing: ``safety.min_existing``.
    """
    gone = sum(operation.kind == "delete" for operation in operations)
    if gone and gone == existing:
        return f"every rule of the shop would be deleted ({existing:,})"
    if existing >= min_existing and gone * 100 > max_percent * existing:
        limit = f"more than {max_percent} % (safety.max_removed_percent)"
        return f"{gone:,} of {existing:,} rules of the shop would be deleted, {limit}"
    return None
