"""The report for code scanning: SARIF 2.1.0 (OASIS), the part of it that GitHub reads, within its limits.

The sections named below are those of the standard.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from pinsync import __version__
from pinsync.escape import one_line
from pinsync.model import Finding
from pinsync.reports.ci.findings import choose_line, collect_findings, compute_fingerprints, describe, is_failure
from pinsync.reports.words.record import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pinsync.drift.record import Drift
    from pinsync.reports import Style
    from pinsync.reports.ci.findings import Context, FindingRule

Record = dict[str, Any]

MAX_RESULTS: Final = 25_000
"""With more in a run, code scanning refuses the file; it shows the first 5,000 by severity, and says so itself."""

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_PLACEHOLDER: Final = re.compile(r"\{(?=\d+\})")


def render(drift: Drift, style: Style) -> str:
    """Return the drift as a SARIF log, with a final newline.

    Args:
        drift: what to report.
        style: the time zone.
    """
    return render_findings(*collect_findings(drift, style))


def render_findings(findings: Sequence[Finding], context: Context) -> str:
    """Return findings as a SARIF log of one run, with a final newline.

    The run's category names the command, so that the results of a diff and of a linter stand beside each other.
    Beyond ``MAX_RESULTS``, errors come first, and a notification says how many results are left out.

    Args:
        findings: what to report.
        context: what found them, its rules and notes.
    """
    numbers = {rule.id: number for number, rule in enumerate(context.rules)}
    results = [
        _build_result(finding, fingerprint, numbers, context.configuration)
        for finding, fingerprint in zip(findings, compute_fingerprints(findings), strict=True)
    ]
    left_out = len(results) - MAX_RESULTS
    if left_out > 0:
        results = sorted(results, key=lambda result: result["level"] != "error")[:MAX_RESULTS]
    cut = [f"{left_out:,} results are left out: code scanning takes {MAX_RESULTS:,} at most"] if left_out > 0 else []
    run = {
        "tool": {
            "driver": {
                "name": "pinsync",
                "version": __version__,
                "rules": [_build_rule(rule) for rule in context.rules],
            }
        },
        "automationDetails": {"id": f"pinsync-{context.command}/"},  # section 3.17: what is before the slash
        "invocations": [_build_invocation(findings, context, cut)],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return encode({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _build_invocation(findings: Iterable[Finding], context: Context, cut: Iterable[str]) -> Record:
    """Return how it went: what could not be looked at, and the notes, each with its place."""
    failures = [finding for finding in findings if is_failure(finding)]
    notes = [Finding("note", "warning", note) for note in context.notes]
    told = [
        {
            "level": "error" if is_failure(finding) else "note",
            "message": {"text": _escape_text(describe(finding))},
            "locations": [{"physicalLocation": _build_location(finding, context.configuration)}],
        }
        for finding in (*failures, *notes)
    ]
    told += [{"level": "note", "message": {"text": _escape_text(note)}} for note in cut]
    return {"executionSuccessful": not failures, "toolExecutionNotifications": told}


def _build_rule(rule: FindingRule) -> Record:
    summary = _escape_text(one_line(rule.summary))
    return {
        "id": rule.id,
        "shortDescription": {"text": summary},
        "fullDescription": {"text": summary},
        "help": {"text": _escape_text(rule.help.replace("`", "")), "markdown": rule.help},
        "defaultConfiguration": {"level": rule.severity},
        "properties": {"problem.severity": rule.severity},
    }


def _build_result(finding: Finding, fingerprint: tuple[str, int], numbers: dict[str, int], otherwise: str) -> Record:
    index = {"ruleIndex": numbers[finding.rule]} if finding.rule in numbers else {}
    digest, count = fingerprint
    return {
        "ruleId": finding.rule,
        **index,
        "level": finding.severity,
        "message": {"text": _escape_text(describe(finding))},
        "locations": [{"physicalLocation": _build_location(finding, otherwise)}],
        "partialFingerprints": {"primaryLocationLineHash": f"{digest}:{count}"},  # the one that code scanning reads
    }


def _build_location(finding: Finding, otherwise: str) -> Record:
    column = {"startColumn": finding.column} if finding.file is not None and finding.column else {}
    path = one_line(finding.file or otherwise)
    return {
        "artifactLocation": {"uri": quote(path), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": choose_line(finding), **column},
    }


def _escape_text(text: str) -> str:
    r"""Return a text that is no more than text: no placeholder (section 3.11.5) and no link (3.11.6) for a viewer.

    The standard would have every brace doubled; viewers look for a number between two, and show others as they are.
    """
    text = _PLACEHOLDER.sub("{{", text)
    return re.sub(r"([\\\[\]])", r"\\\1", text) if "](" in text else text
