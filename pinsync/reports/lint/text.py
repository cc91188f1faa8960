"""The linter's report for a terminal: a line for each finding, its hint below, and the counts."""

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
        findings: the findings, in the order of the lines.
        context: the files that passed.
        color: whether to colour for a terminal.
    """

    def paint(name: str, text: str) -> str:
        return f"\x1b[{_PAINT[name]}m{text}\x1b[0m" if color else text

    lines = []
    for finding in findings:
        severity = paint(finding.severity, finding.severity)
        message = one_line(finding.message)
        lines.append(f"{_format_place(finding)}{severity} {finding.rule}: {message}")
        if finding.hint:
            lines.append(f"  {one_line(finding.hint)}")
    counts: Counter[str] = Counter(item.severity for item in findings if not is_failure(item))
    kinds = [kind for kind in ("error", "warning") if counts[kind]]
    parts = [paint(kind, pluralize(counts[kind], kind)) for kind in kinds]
    failures = sum(map(is_failure, findings))
    if not parts:
        # Green would promise too much if files couldn't be read.
        parts.append("nothing found" if failures else paint("good", "nothing found"))
    files = pluralize(count_files(findings, context), "file")
    summary = f"{', '.join(parts)} in {files}"
    if failures:
        summary += f"; {pluralize(failures, 'path')} could not be looked at"
    lines.append(summary)
    return join_lines(lines)


def _format_place(finding: Finding) -> str:
    parts = (finding.file, finding.line, finding.column)
    place = ":".join(one_line(str(part)) for part in parts if part is not None)
    return f"{place}: " if place else ""
