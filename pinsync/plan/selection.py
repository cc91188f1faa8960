"""Select the rules that changed between two revisions, so that a plan leaves out all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinsync.drift.pairs import build_target_key, match_customizations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.drift.record import Change
    from pinsync.model import Customization


class Selection:
    """The rules that changed in a range of commits.

    Args:
        old: the rules at the start of the range.
        new: the rules at the end of the range, SOURCE.
    """

    def __init__(self, old: Sequence[Customization], new: Sequence[Customization]) -> None:
        changed = [pair for pair in match_customizations(old, new) if pair.kind]
        self._new = {_identify(pair.new) for pair in changed if pair.new}
        removed = [pair.old for pair in changed if pair.old and pair.new is None]
        self._removed_ids = {rule.id for rule in removed if rule.id is not None}
        # A block without an id is known in the shop by its target alone.
        self._removed_targets = {build_target_key(rule) for rule in removed if rule.id is None}

    def has(self, change: Change) -> bool:
        """Return whether the range changed a rule.

        Args:
            change: the change from SOURCE to the shop.
        """
        if change.old:
            return _identify(change.old) in self._new
        rule = change.subject
        return rule.id in self._removed_ids or build_target_key(rule) in self._removed_targets


def _identify(rule: Customization) -> tuple[str, bytes]:
    return rule.model, rule.text
