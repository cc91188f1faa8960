"""The report for GitLab's merge requests: code quality, a subset of Code Climate's format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.escape import one_line
from pinsync.model import Finding
from pinsync.reports.ci.findings import (
    choose_line,
    collect_findings,
    compute_fingerprints,
    describe,
    is_failure,
)
from pinsync.reports.words.record import Record, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.drift.record import Drift
    from pinsync.reports import Style
    from pinsync.reports.ci.findings import Context

_SEVERITIES: Final = {"error": "major", "warning": "minor"}
"""GitLab's words are info, minor, major, critical and blocker."""


def render(drift: Drift, style: Style) -> str:
    """Return the drift as GitLab's code quality report: one JSON array, with a final newline.

    Args:
        drift: the drift.
        style: the time zone.
    """
    return render_findings(*collect_findings(drift, style))


def render_findings(findings: Sequence[Finding], context: Context) -> str:
    """Return findings as GitLab's code quality report: one JSON array, with a final newline.

    Args:
        findings: the findings.
        context: the notes, which become issues with the severity info.
    """
    notes = [Finding("note", "warning", note) for note in context.notes]
    severities = ["info"] * len(notes) + [_choose_severity(finding) for finding in findings]
    entries = [*notes, *findings]
    fingerprints = compute_fingerprints(entries)
    issues = []
    for finding, severity, fingerprint in zip(entries, severities, fingerprints, strict=True):
        issues.append(_build_issue(finding, severity, fingerprint, context.configuration))
    return encode(issues)


def _choose_severity(finding: Finding) -> str:
    return "critical" if is_failure(finding) else _SEVERITIES[finding.severity]


def _build_issue(
    finding: Finding, severity: str, fingerprint: tuple[str, int], default_file: str
) -> Record:
    digest, count = fingerprint
    path = one_line(finding.file or default_file)
    return {
        "description": describe(finding),
        "check_name": finding.rule,
        # GitLab shows one issue of each fingerprint, so equal findings get a number.
        "fingerprint": digest if count == 1 else f"{digest}-{count}",
        "severity": severity,
        "location": {"path": path, "lines": {"begin": choose_line(finding)}},
    }
