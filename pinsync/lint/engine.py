"""Apply the lint rules to the documents of a tracker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pinsync.lint import ignores
from pinsync.lint.rules import RULES, duplicate_id, syntax
from pinsync.model import ALL_RULES, Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pinsync.lint.folder import Fault, Folder
    from pinsync.lint.ignores import Lines
    from pinsync.lint.rules import LintRule


# The number of a line in a message changes when somebody adds a line above.
_LINE: Final = re.compile(r"\bline [0-9]+")
# `diff` and `export` refuse a file with such a fault, and so its managed rules, too.
_STOPPING: Final = frozenset({syntax.ID, duplicate_id.ID})
_CUSTOMIZATION_FIELDS: Final = ("id", "target_type", "target_identity")
_PIN_FIELDS: Final = ("position", "pin_type", "pin_identity", "widget_id")


def apply_rules(folder: Folder, ids: Collection[str], files: Collection[str]) -> list[Finding]:
    """Apply lint rules to the documents of a folder.

    Args:
        folder: all documents of the folder, because some lint rules compare documents.
        ids: the lint rules to apply.
        files: the paths of the documents to report.

    Returns:
        The findings about managed rules that no comment ignores, by file, line, column and lint
        rule.
    """
    findings: list[Finding] = []
    for rule in RULES.values():
        if rule.ID not in ids:
            continue
        # Filtered first, because looking up the line of a fault is slow.
        faults = [
            fault
            for fault in rule.check(folder)
            if fault.document.source in files and _is_concern(rule, fault, folder)
        ]
        findings += [_build_finding(rule, fault, folder.tracker) for fault in faults]
    ignored = {
        document.source: ignores.find_ignored(document)
        for document in folder.documents
        if document.comments
    }
    kept = [finding for finding in findings if not _is_ignored(finding, ignored)]
    return sorted(kept, key=_sort_key)


def _is_concern(rule: LintRule, fault: Fault, folder: Folder) -> bool:
    """Return whether a fault is about a managed customization, or keeps others from being read."""
    if folder.managed == ALL_RULES or rule.ID in _STOPPING:
        return True
    if fault.row is None:
        return folder.has_managed(fault.document)
    return folder.is_managed(fault.document, fault.row)


def _sort_key(finding: Finding) -> tuple[str, int, int, str, str]:
    line, column = finding.line or 0, finding.column or 0
    return finding.file or "", line, column, finding.rule, finding.message


def _is_ignored(finding: Finding, ignored: Mapping[str, Mapping[str, Lines]]) -> bool:
    # A file that can't be read must not pass because of a comment.
    if finding.rule == syntax.ID:
        return False
    lines = ignored.get(finding.file or "", {}).get(finding.rule)
    return lines is not None and finding.line is not None and finding.line in lines


def _build_finding(rule: LintRule, fault: Fault, tracker: str | None) -> Finding:
    line, column = fault.place or (fault.row or fault.document).find_place(fault.path)
    return Finding(
        rule=rule.ID,
        severity=fault.severity or rule.SEVERITY,
        message=fault.message,
        file=fault.document.source,
        line=line,
        column=column,
        hint=fault.hint,
        identity=_build_identity(fault),
        model=fault.document.model,
        tracker=tracker,
    )


def _build_identity(fault: Fault) -> str:
    """Return a name of the faulty part that stays the same when lines are added above it."""
    # For a pin's position: `:item:/p/1/.pin_definitions.-3:item:/p/2/:.position`.
    if fault.row is None:
        return ".".join(map(str, fault.path)) or _LINE.sub("line", fault.message)
    value: object = fault.row.data
    parts = [_join_fields(value, _CUSTOMIZATION_FIELDS)]
    for step in fault.path:
        value = _get_child(value, step)
        if isinstance(step, int) and isinstance(value, dict):
            # A pin by its fields: its index changes when another pin is added above.
            parts.append(_join_fields(value, _PIN_FIELDS))
        else:
            parts.append(str(step))
    return ".".join(parts)


def _get_child(value: object, step: str | int) -> object:
    if isinstance(value, dict):
        return value.get(step)
    return value[step] if isinstance(value, list) and isinstance(step, int) else None


def _join_fields(value: object, fields: tuple[str, ...]) -> str:
    if not isinstance(value, dict):
        return ""
    return ":".join("" if value.get(name) is None else str(value[name]) for name in fields)
