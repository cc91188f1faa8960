"""Lint rules applied to a tracker's documents.

A lint rule looks at all documents of a tracker at once, and names the place of a fault by its path. Lines are looked up
afterwards, for findings that are shown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pinsync.lint import ignores
from pinsync.lint.rules import RULES, syntax
from pinsync.model import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pinsync.lint.folder import Fault, Folder
    from pinsync.lint.ignores import Lines
    from pinsync.lint.rules import LintRule


def apply_rules(folder: Folder, ids: Collection[str], files: Collection[str]) -> list[Finding]:
    """Apply rules to a tracker's documents.

    Args:
        folder: all documents of one folder, of which some rules need more than one.
        ids: the rules to apply.
        files: the paths of the documents that are reported on.

    Returns:
        What they find, but for what a comment ignores, by file, line, column and rule.
    """
    found = [
        _finding(rule, fault, folder.tracker)
        for rule in RULES.values()
        if rule.ID in ids
        for fault in rule.check(folder)
        if fault.document.source in files
    ]
    ignored = {document.source: ignores.find_ignored(document) for document in folder.documents if document.comments}
    kept = [one for one in found if one.rule == syntax.ID or not _is_ignored(one, ignored)]
    return sorted(kept, key=lambda one: (one.file or "", one.line or 0, one.column or 0, one.rule, one.message))


def _is_ignored(finding: Finding, ignored: Mapping[str, Mapping[str, Lines]]) -> bool:
    lines = ignored.get(finding.file or "", {}).get(finding.rule)
    return lines is not None and finding.line is not None and finding.line in lines


def _finding(rule: LintRule, fault: Fault, tracker: str | None) -> Finding:
    line, column = fault.place or (fault.row or fault.document).place(fault.path)
    return Finding(
        rule=rule.ID,
        severity=fault.severity or rule.SEVERITY,
        message=fault.message,
        file=fault.document.source,
        line=line,
        column=column,
        hint=fault.hint,
        identity=_identity(fault),
        model=fault.document.model,
        tracker=tracker,
    )


_LINE: Final = re.compile(r"\bline [0-9]+")
"""A line's number in a message, which changes when something is put above."""


def _identity(fault: Fault) -> str:
    """Return what a finding is about, without anything that changes when something is put above it."""
    if fault.row is None:
        return ".".join(map(str, fault.path)) or _LINE.sub("line", fault.message)
    parts = [_named(fault.row.data, ("id", "target_type", "target_identity"))]
    at: object = fault.row.data
    for step in fault.path:
        at = _inner(at, step)
        is_pin = isinstance(step, int) and isinstance(at, dict)
        parts.append(_named(at, ("position", "pin_type", "pin_identity", "widget_id")) if is_pin else str(step))
    return ".".join(parts)


def _inner(value: object, step: str | int) -> object:
    if isinstance(value, dict):
        return value.get(step)
    return value[step] if isinstance(value, list) and isinstance(step, int) else None


def _named(value: object, fields: tuple[str, ...]) -> str:
    found = map(value.get, fields) if isinstance(value, dict) else ()
    return ":".join("" if one is None else str(one) for one in found)
