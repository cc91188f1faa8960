"""The account of an apply for a terminal or a log; the plan was shown before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.drift.pairs import describe_target
from pinsync.escape import one_line
from pinsync.plan.record import LeftRule
from pinsync.reports.words.entry_lines import INDENT, WIDTH
from pinsync.reports.words.terminal import name_tracker, paint
from pinsync.reports.words.values import join_lines, pluralize, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pinsync.apply.record import Account, Outcome, State
    from pinsync.plan.record import Plan
    from pinsync.reports import Style

_MAX_RULES: Final = 20
"""The largest number of rules in a list; JSON has them all."""
_REASONS: Final[Mapping[State, str]] = {
    "waiting": "not begun",
    "refused": "refused by the API",
    "lost": "whether it was done isn't known",
    "different": "done, and the shop kept something else",
    "unseen": "done, and the shop doesn't show it",
}


def render(accounts: Sequence[Account], plan: Plan, style: Style) -> str:  # noqa: ARG001 - every format has one signature
    """Return the accounts as lines for people; nothing if there is nothing to account for.

    Args:
        accounts: the account of each tracker.
        plan: not used. It was printed before the first write.
        style: whether to colour.
    """
    return join_lines(_render_lines(accounts, style)) if any(map(_has_news, accounts)) else ""


def _has_news(account: Account) -> bool:
    return bool(account.outcomes or account.stop or account.notes)


def _render_lines(accounts: Sequence[Account], style: Style) -> Iterator[str]:
    for account in accounts:
        if not _has_news(account):
            continue
        yield ""
        if len(accounts) > 1:
            yield paint(style, "bold", name_tracker(account.plan.drift))
        yield from _render_account(account, style)


def _render_account(account: Account, style: Style) -> Iterator[str]:
    if account.plan.operations:
        color = "alarm" if account.stop or account.missing else "good"
        yield paint(style, color, _write_headline(account))
    if account.stop:
        yield from wrap(f"error: {one_line(account.stop.message)}", WIDTH, hanging=INDENT)
        if account.stop.hint:
            yield from wrap(f"hint: {one_line(account.stop.hint)}", WIDTH, hanging=INDENT)
    yield from _render_rules("NOT DONE", account.missing)
    changed = [each for each in account.left if not isinstance(each, LeftRule)]
    yield from _render_rules("LEFT TO PEOPLE: changed in the shop since the plan", changed)
    if account.plan.left:
        count = pluralize(len(account.plan.left), "rule")
        yield f"{count} left alone, as the plan says."
    for note in account.notes:
        yield from wrap(f"note: {one_line(note)}", WIDTH, hanging=INDENT)
    if account.backup:
        yield paint(style, "dim", f"backup: {one_line(str(account.backup))}")
    if account.journal:
        yield paint(style, "dim", f"journal: {one_line(str(account.journal))}")


def _write_headline(account: Account) -> str:
    total, done = len(account.plan.operations), len(account.done)
    if done == total:
        return "Done: 1 rule." if total == 1 else f"Done: all {total:,} rules."
    end = " Run the command again to finish." if account.missing else ""
    return f"{done:,} of {pluralize(total, 'rule')} done.{end}"


def _render_rules(title: str, outcomes: Sequence[Outcome]) -> Iterator[str]:
    if not outcomes:
        return
    yield f"{title} ({pluralize(len(outcomes), 'rule')})"
    for outcome in outcomes[:_MAX_RULES]:
        yield from wrap(INDENT + _describe(outcome), WIDTH, hanging=2 * INDENT)
    if len(outcomes) > _MAX_RULES:
        yield f"{INDENT}… and {len(outcomes) - _MAX_RULES:,} more; --format json lists all"


def _describe(outcome: Outcome) -> str:
    operation = outcome.operation
    rule = operation.after or operation.change.subject
    name = f"{operation.kind} {rule.model}, {describe_target(rule)}"
    id_ = f" (id {outcome.rule_id})" if outcome.rule_id else ""
    reason = _REASONS.get(outcome.state, "")
    # The reason says it all.
    detail = "" if outcome.state == "unseen" else outcome.detail
    return one_line(": ".join(filter(None, [name + id_, reason, detail])))
