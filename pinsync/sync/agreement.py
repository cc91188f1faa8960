"""Tell whether a commit's text of every changed rule is the text that the shop had; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinsync.drift.pairs import is_in_filters
from pinsync.model import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pinsync.drift.pairs import Pair
    from pinsync.model import Customization, Scope


def list_changed(pairs: Iterable[Pair]) -> list[Pair]:
    """Return the pairs with an id that a commit changes, be it only the id."""
    changed: list[Pair] = []
    for pair in pairs:
        ids = {side.id for side in pair.sides}
        # An export neither writes nor removes a block without an id.
        if ids != {None} and (pair.kind or len(ids) > 1):
            changed.append(pair)
    return changed


def list_unconfirmed(
    changed: Iterable[Pair], live: Iterable[Customization], scope: Scope
) -> list[Pair]:
    """Return the changed rules of a commit that an answer of the API doesn't have like that.

    A commit may hold more than the answer: changes of an earlier export, or work of a person in the
    same file.

    Args:
        changed: the changed rules, in the parent and in the commit.
        live: the answer.
        scope: the filter of the answer.
    """
    answer = {item.id: (item.model, item.text) for item in live}
    return [pair for pair in changed if not _is_confirmed(pair, answer, scope)]


def _is_confirmed(pair: Pair, answer: Mapping[str | None, tuple[str, bytes]], scope: Scope) -> bool:
    if pair.new:
        return answer.get(pair.new.id) == (pair.new.model, pair.new.text)
    if pair.latest.id in answer:
        return False
    # A filter may hide a rule outside of it.
    return scope == EVERYTHING or is_in_filters(pair.latest, scope)
