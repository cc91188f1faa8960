"""The guard against mass removal: an export asks it before it writes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pinsync.errors import SafetyError

if TYPE_CHECKING:
    from pinsync.config.records import Safety
    from pinsync.sync.to_files import Update


def check_removals(update: Update, safety: Safety) -> None:
    """Refuse an update that removes too much to be believed.

    A rule that comes back under another id counts as removed.

    Args:
        update: what is about to be written.
        safety: the limits.

    Raises:
        SafetyError: more than the limit is gone, or everything; the message has the numbers.
    """
    existing = update.existing
    # A customization without an id was never exported, so `existing` doesn't count it either.
    kinds = Counter(pair.kind for pair in update.pairs if pair.old and pair.old.id is not None)
    gone = kinds["removed"] + kinds["recreated"]
    if not gone:
        return
    name, hint = update.tracker.name, "if that is right, run again with --allow-mass-removal"
    if not update.answered:
        raise SafetyError(
            f"tracker {name}: the answer is empty, but {existing} customizations are here",
            hint=hint,
        )
    if existing >= safety.min_existing and gone * 100 > safety.max_removed_percent * existing:
        again = f" (recreated under new ids: {kinds['recreated']})" if kinds["recreated"] else ""
        message = f"{gone} of {existing} customizations would go{again}"
        limit = f"more than {safety.max_removed_percent} % (safety.max_removed_percent)"
        raise SafetyError(f"tracker {name}: {message}, {limit}", hint=hint)
