"""The linter's report for programs: a versioned contract, described by ``lint.schema.json``.

The contract grows only by new keys.
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
    """Return findings as a JSON object (RFC 8259) in lines, with a final newline.

    Args:
        findings: the findings, in the order of the lines.
        context: the files that passed.
    """
    faults = [finding for finding in findings if not is_failure(finding)]
    counts = Counter(finding.severity for finding in faults)
    notes = [_describe_failure(finding) for finding in findings if is_failure(finding)]
    files = count_files(findings, context)
    record = {
        "version": VERSION,
        "complete": not notes,
        "summary": {"errors": counts["error"], "warnings": counts["warning"], "files": files},
        "findings": [_build_finding(finding) for finding in faults],
        **({"notes": notes} if notes else {}),
    }
    return encode(record)


def _describe_failure(finding: Finding) -> str:
    text = f"{finding.message}; {finding.hint}" if finding.hint else finding.message
    return ": ".join(filter(None, ("not looked at", finding.file, text)))


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
