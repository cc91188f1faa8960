"""The account of an apply for programs: a versioned contract, described by ``apply.schema.json``.

The contract grows only by new keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.reports.words.record import Record, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.apply.record import Account, Outcome
    from pinsync.drift.record import Change
    from pinsync.model import Customization
    from pinsync.plan.record import LeftRule, Plan
    from pinsync.reports import Style

VERSION: Final = 1


def render(accounts: Sequence[Account], plan: Plan, style: Style) -> str:  # noqa: ARG001 - every format has one signature
    """Return the accounts as a JSON object (RFC 8259) in lines, with a final newline.

    Args:
        accounts: the account of each tracker.
        plan: the plan that was carried out.
        style: not used. The report is always complete.
    """
    record: Record = {
        "version": VERSION,
        "checksum": plan.checksum,
        "planned": len(plan.operations),
        "done": sum(len(account.done) for account in accounts),
        "source": {"source": plan.drift.old.source, "revision": plan.drift.old.revision},
        "trackers": [_build_tracker(account) for account in accounts],
    }
    return encode(record)


def _build_tracker(account: Account) -> Record:
    drift, stop = account.plan.drift, account.stop
    error: Record | None = None
    if stop:
        error = {"message": stop.message, "hint": stop.hint}
    return {
        "name": drift.name,
        "tracker_id": drift.tracker_id,
        "exit_code": account.exit_code,
        "error": error,
        "verified": account.is_verified,
        "host": account.host or None,
        "backup": str(account.backup) if account.backup else None,
        "journal": str(account.journal) if account.journal else None,
        "operations": [_build_outcome(outcome) for outcome in account.outcomes],
        "left": [_build_left(rule) for rule in account.plan.left],
        "notes": list(account.notes),
    }


def _build_outcome(outcome: Outcome) -> Record:
    operation = outcome.operation
    rule = operation.after or operation.change.subject
    return {
        "operation": operation.kind,
        "state": outcome.state,
        "detail": outcome.detail or None,
        "id": outcome.rule_id,
        **_build_rule(rule, operation.change),
    }


def _build_left(rule: LeftRule) -> Record:
    return {
        "operation": rule.kind,
        "reason": rule.reason,
        "options": list(rule.options),
        "id": rule.change.new.id if rule.change.new else None,
        **_build_rule(rule.change.subject, rule.change),
    }


def _build_rule(rule: Customization, change: Change) -> Record:
    place = change.place
    return {
        "model": rule.model,
        "target_type": rule.target.type,
        "target_identity": rule.target.identity,
        "target_criteria": rule.target.criteria,
        "file": place.file if place else None,
        "line": place.line if place else None,
    }
