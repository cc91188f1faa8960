"""The linter's report for a terminal: a line for each finding, one below it on how to mend it, and last the counts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pinsync.escape import one_line
from pinsync.reports.ci.findings import count_files, is_failure
from pinsync.reports.words.values import join_lines, pluralize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.model import Finding
    from pinsync.reports.ci.findings import Context

_PAINT: Final = {"error": "1;31", "warning": "33", "good": "32"}
"""Parameters of "select graphic rendition" (ECMA-48, section 8.3.117)."""


def render_findings(findings: Sequence[Finding], context: Context, *, color: bool = False) -> str:
    """Return findings as ``file:line:column: severity rule: message``, with a final newline.

    Args:
        findings: what to report, in the order of the lines.
        context: what was looked at.
        color: whether terminal colours are wanted.
    """

    def painted(name: str, text: str) -> str:
        return f"\x1b[{_PAINT[name]}m{text}\x1b[0m" if color else text

    lines = []
    for finding in findings:
        severity = painted(finding.severity, finding.severity)
        lines.append(f"{_format_place(finding)}{severity} {finding.rule}: {one_line(finding.message)}")
        if finding.hint:
            lines.append(f"  {one_line(finding.hint)}")
    found = Counter(finding.severity for finding in findings if not is_failure(finding))
    counts = [painted(kind, pluralize(found[kind], kind)) for kind in ("error", "warning") if found[kind]]
    unread = sum(map(is_failure, findings))
    nothing = "nothing found" if unread else painted("good", "nothing found")
    last = f"{', '.join(counts) or nothing} in {pluralize(count_files(findings, context), 'file')}"
    lines.append(f"{last}; {pluralize(unread, 'path')} could not be looked at" if unread else last)
    return join_lines(lines)


def _format_place(finding: Finding) -> str:
    parts = (finding.file, finding.line, finding.column)
    place = ":".join(one_line(str(part)) for part in parts if part is not None)
    return f"{place}: " if place else ""
