"""Lint rules: one module each, with its id, its severity, ``check``, and a docstring that is its documentation.

A rule looks at all documents of a tracker at once. It says by path what it finds; lines are looked up afterwards, for
what is shown.
"""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import TYPE_CHECKING, Final, Protocol

from pinsync.model import Finding
from pinsync.rules import (
    block_position,
    date_time,
    duplicate_id,
    duplicate_pin,
    duplicate_target,
    expired,
    file_name,
    format,  # noqa: A004 - a rule's module has its name
    invisible,
    pin_fields,
    pinned_and_blocked,
    position,
    position_conflict,
    schema,
    self_pin,
    several_for_all,
    syntax,
    target_fields,
    target_missing,
    unknown_field,
    unknown_ignore,
    unread_document,
    window,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pinsync.rules.folder import Fault, Folder, Severity
    from pinsync.rules.unknown_ignore import Lines


class Rule(Protocol):
    """A module that is a rule."""

    @property
    def ID(self) -> str:  # noqa: N802 - a module's constant
        """The name that the command line and comments know it by."""

    @property
    def SEVERITY(self) -> Severity:  # noqa: N802 - likewise
        """How grave its findings are."""

    def check(self, folder: Folder) -> Iterator[Fault]:
        """Yield what is wrong."""


_ALL: Final[tuple[Rule, ...]] = (
    syntax,
    schema,
    file_name,
    unread_document,
    duplicate_id,
    duplicate_target,
    several_for_all,
    target_fields,
    target_missing,
    pin_fields,
    block_position,
    position,
    position_conflict,
    duplicate_pin,
    pinned_and_blocked,
    self_pin,
    window,
    date_time,
    expired,
    invisible,
    unknown_field,
    format,
    unknown_ignore,
)
RULES: Final[Mapping[str, Rule]] = {rule.ID: rule for rule in _ALL}
"""Id → rule, what goes deeper first."""


def documentation(rule: Rule) -> tuple[str, str]:
    """Return what a rule finds, in a sentence, and why that matters and how to mend it, in markdown."""
    summary, _, rest = cleandoc(rule.__doc__ or "").partition("\n\n")
    return " ".join(summary.split()), rest


def findings(folder: Folder, ids: Collection[str], files: Collection[str]) -> list[Finding]:
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
        for rule in _ALL
        if rule.ID in ids
        for fault in rule.check(folder)
        if fault.document.source in files
    ]
    ignored = {document.source: unknown_ignore.ignored(document) for document in folder.documents if document.comments}
    kept = [one for one in found if one.rule == syntax.ID or not _is_ignored(one, ignored)]
    return sorted(kept, key=lambda one: (one.file or "", one.line or 0, one.column or 0, one.rule, one.message))


def _is_ignored(finding: Finding, ignored: Mapping[str, Mapping[str, Lines]]) -> bool:
    lines = ignored.get(finding.file or "", {}).get(finding.rule)
    return lines is not None and finding.line is not None and finding.line in lines


def _finding(rule: Rule, fault: Fault, tracker: str | None) -> Finding:
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
