"""Let a person decide rule by rule, for the commands with ``--patch``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.reports.drift.choice import list_differences, render_changed_rules
from pinsync.reports.words.values import pluralize
from pinsync.terminal.choose import choose
from pinsync.terminal.prompt import confirm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinsync.drift.record import Change, Drift
    from pinsync.reports import Style
    from pinsync.terminal.choose import Decision, Meanings
    from pinsync.terminal.console import Console

_COUNTS: Final[Mapping[Decision, str]] = {
    "shop": "as in the shop",
    "git": "as in git",
    "skip": "skipped",
}


class DecidedChange(NamedTuple):
    """A change with a person's decision.

    Attributes:
        tracker: the name of the tracker.
        change: the change, as the drift has it.
        decision: the decision.
    """

    tracker: str
    change: Change
    decision: Decision


def decide_changes(
    drift: Drift, style: Style, meanings: Meanings, console: Console
) -> list[DecidedChange]:
    """Return all changes of a drift, each with a person's decision.

    Args:
        drift: the differences from git to the shop, each with its mover and the moment at which
            shoppers notice it.
        style: the time zone, and whether to colour.
        meanings: what the answers mean for the command.
        console: shows the questions.
    """
    differences = list_differences(drift, style)
    decisions = choose(differences, meanings, console)
    decided: list[DecidedChange] = []
    for difference, decision in zip(differences, decisions, strict=True):
        decided.append(DecidedChange(difference.tracker, difference.change, decision))
    return decided


def count_decisions(decided: Sequence[DecidedChange]) -> str:
    """Return the number of rules with each decision: ``3 rules: 2 as in the shop, 1 skipped``."""
    counts = Counter(each.decision for each in decided)
    parts: list[str] = []
    for decision, words in _COUNTS.items():
        if counts[decision]:
            parts.append(f"{counts[decision]:,} {words}")
    return f"{pluralize(len(decided), 'rule')}: {', '.join(parts)}"


def confirm_changes(
    drift: Drift, style: Style, verb: str, totals: Sequence[str], console: Console
) -> bool:
    """Show changes before a command makes them; return whether a person agrees.

    Args:
        drift: the changes that the command is about to make.
        style: the time zone, and whether to colour.
        verb: the verb of the command: ``write``.
        totals: lines below the changes.
        console: shows them.
    """
    console.out("")
    console.report(render_changed_rules(drift, style, verb), "text")
    for line in totals:
        console.report(f"{line}\n", "text")
    return confirm(console, f"{verb.capitalize()} this")
