"""The report for GitLab's merge requests: code quality, a small part of Code Climate's format of issues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pinsync.escape import one_line
from pinsync.model import Finding
from pinsync.reports.ci.findings import choose_line, collect_findings, compute_fingerprints, describe, is_failure
from pinsync.reports.words.record import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.drift.record import Drift
    from pinsync.reports import Style
    from pinsync.reports.ci.findings import Context

_SEVERITIES: Final = {"error": "major", "warning": "minor"}
"""In GitLab's words, of info, minor, major, critical and blocker."""


def render(drift: Drift, style: Style) -> str:
    """Return the drift as GitLab's code quality report: one JSON array, with a final newline.

    Args:
        drift: what to report.
        style: the time zone.
    """
    return render_findings(*collect_findings(drift, style))


def render_findings(findings: Sequence[Finding], context: Context) -> str:
    """Return findings as GitLab's code quality report: one JSON array in UTF-8 without BOM, with a final newline.

    GitLab tells issues apart by their fingerprint, and shows one of each; so equal findings get a number.

    Args:
        findings: what to report.
        context: its notes become issues of the severity info.
    """
    notes = [Finding("note", "warning", note) for note in context.notes]
    issues = [
        _build_issue(finding, "info" if at < len(notes) else _choose_severity(finding), print_, context.configuration)
        for at, (finding, print_) in enumerate(
            zip((*notes, *findings), compute_fingerprints((*notes, *findings)), strict=True)
        )
    ]
    return encode(issues)


def _choose_severity(finding: Finding) -> str:
    return "critical" if is_failure(finding) else _SEVERITIES[finding.severity]


def _build_issue(finding: Finding, severity: str, fingerprint: tuple[str, int], otherwise: str) -> dict[str, Any]:
    digest, count = fingerprint
    return {
        "description": describe(finding),
        "check_name": finding.rule,
        "fingerprint": digest if count == 1 else f"{digest}-{count}",
        "severity": severity,
        "location": {"path": one_line(finding.file or otherwise), "lines": {"begin": choose_line(finding)}},
    }
