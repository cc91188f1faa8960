"""The linter's report for programs: a versioned contract, which ``lint.schema.json`` beside this module describes.

It grows only by new keys.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from pinsync.reports.ci.findings import count_files, is_failure
from pinsync.reports.words.record import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.model import Finding
    from pinsync.reports.ci.findings import Context

VERSION: Final = 1


def render_findings(findings: Sequence[Finding], context: Context) -> str:
    """Return findings as one JSON object (RFC 8259) in lines, with a final newline.

    Invisible characters are escaped, so that it can be looked at on a terminal too.

    Args:
        findings: what to report, in the order of the lines.
        context: what was looked at.
    """
    found = [finding for finding in findings if not is_failure(finding)]
    counts = Counter(finding.severity for finding in found)
    notes = [_describe_failure(finding) for finding in findings if is_failure(finding)]
    files = count_files(findings, context)
    record = {
        "version": VERSION,
        "complete": not notes,
        "summary": {"errors": counts["error"], "warnings": counts["warning"], "files": files},
        "findings": [_build_finding(finding) for finding in found],
        **({"notes": notes} if notes else {}),
    }
    return encode(record)


def _describe_failure(finding: Finding) -> str:
    told = f"{finding.message}; {finding.hint}" if finding.hint else finding.message
    return ": ".join(part for part in ("not looked at", finding.file, told) if part)


def _build_finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "hint": finding.hint,
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "model": finding.model,
    }
