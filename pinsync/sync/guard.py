"""The guard against mass removal, which every export asks before it writes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pinsync.drift.pairs import is_managed
from pinsync.errors import SafetyError
from pinsync.model import EVERYTHING

if TYPE_CHECKING:
    from pinsync.config.records import Safety
    from pinsync.sync.to_files import Update


def check_removals(update: Update, safety: Safety) -> None:
    """Refuse an update that removes suspiciously many of the managed rules.

    Args:
        update: the update before it is written.
        safety: the limits.

    Raises:
        SafetyError: the answer has no managed rule, or more rules than the limit are missing in it.
    """
    existing = update.existing
    managed = update.tracker.manages
    scope = EVERYTHING.restrict_to(managed)
    # A customization without an id was never exported, so `existing` doesn't count it either.
    kinds = Counter(
        pair.kind
        for pair in update.pairs
        if pair.old and pair.old.id is not None and pair.is_in(scope)
    )
    # A rule that comes back under another id counts as removed: an import in the shop, and a copy
    # from another domain, change every id.
    gone = kinds["removed"] + kinds["recreated"]
    if not gone:
        return
    name = update.tracker.name
    hint = "if that is right, run again with --allow-mass-removal"
    if not any(is_managed(item, managed) for item in update.live):
        answer = "has no rule that `manages` names" if update.live else "is empty"
        raise SafetyError(
            f"tracker {name}: the answer {answer}, but {existing} customizations are here",
            hint=hint,
        )
    if existing >= safety.min_existing and gone * 100 > safety.max_removed_percent * existing:
        message = f"{gone} of {existing} customizations would go"
        if kinds["recreated"]:
            message += f" (recreated under new ids: {kinds['recreated']})"
        limit = f"more than {safety.max_removed_percent} % (safety.max_removed_percent)"
        raise SafetyError(f"tracker {name}: {message}, {limit}", hint=hint)
