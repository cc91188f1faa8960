"""The report for code scanning: the part of SARIF 2.1.0 (OASIS) that GitHub reads.

Section numbers in comments are those of the standard.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from pinsync import __version__
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
    from collections.abc import Iterable, Mapping, Sequence

    from pinsync.drift.record import Drift
    from pinsync.reports import Style
    from pinsync.reports.ci.findings import Context, FindingRule

MAX_RESULTS: Final = 25_000
"""GitHub's limit for the results of a run: code scanning refuses a file with more.

It shows the first 5,000 results by severity, and says so itself.
"""

_SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_PLACEHOLDER: Final = re.compile(r"\{(?=\d+\})")


def render(drift: Drift, style: Style) -> str:
    """Return the drift as a SARIF log, with a final newline.

    Args:
        drift: the drift.
        style: the time zone.
    """
    return render_findings(*collect_findings(drift, style))


def render_findings(findings: Sequence[Finding], context: Context) -> str:
    """Return findings as a SARIF log of one run, with a final newline.

    Beyond ``MAX_RESULTS``, errors come first, and a notification counts the omitted results.

    Args:
        findings: the findings.
        context: the command, its rules and the notes.
    """
    numbers = {rule.id: number for number, rule in enumerate(context.rules)}
    results = [
        _build_result(finding, fingerprint, numbers, context.configuration)
        for finding, fingerprint in zip(findings, compute_fingerprints(findings), strict=True)
    ]
    excess = len(results) - MAX_RESULTS
    remarks = []
    if excess > 0:
        results = sorted(results, key=lambda result: result["level"] != "error")[:MAX_RESULTS]
        limit = f"code scanning takes {MAX_RESULTS:,} at most"
        remarks.append(f"{excess:,} results are left out: {limit}")
    driver = {
        "name": "pinsync",
        "version": __version__,
        "rules": [_build_rule(rule) for rule in context.rules],
    }
    run = {
        "tool": {"driver": driver},
        # Section 3.17: the part before the slash is the category. Results of diff and of lint
        # have categories of their own, so that they don't replace each other.
        "automationDetails": {"id": f"pinsync-{context.command}/"},
        "invocations": [_build_invocation(findings, context, remarks)],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return encode({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _build_invocation(
    findings: Iterable[Finding], context: Context, remarks: Iterable[str]
) -> Record:
    """Return the outcome of the run: its failures and notes with their places, and remarks."""
    failures = [finding for finding in findings if is_failure(finding)]
    notes = [Finding("note", "warning", note) for note in context.notes]
    notifications: list[Record] = []
    for finding in (*failures, *notes):
        location = _build_location(finding, context.configuration)
        notifications.append(
            {
                "level": "error" if is_failure(finding) else "note",
                "message": {"text": _escape_text(describe(finding))},
                "locations": [{"physicalLocation": location}],
            }
        )
    for remark in remarks:
        message = {"text": _escape_text(remark)}
        notifications.append({"level": "note", "message": message})
    return {"executionSuccessful": not failures, "toolExecutionNotifications": notifications}


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


def _build_result(
    finding: Finding, fingerprint: tuple[str, int], numbers: Mapping[str, int], default_file: str
) -> Record:
    index = {}
    if finding.rule in numbers:
        index["ruleIndex"] = numbers[finding.rule]
    digest, count = fingerprint
    return {
        "ruleId": finding.rule,
        **index,
        "level": finding.severity,
        "message": {"text": _escape_text(describe(finding))},
        "locations": [{"physicalLocation": _build_location(finding, default_file)}],
        # Code scanning reads no other fingerprint.
        "partialFingerprints": {"primaryLocationLineHash": f"{digest}:{count}"},
    }


def _build_location(finding: Finding, default_file: str) -> Record:
    region = {"startLine": choose_line(finding)}
    if finding.file is not None and finding.column:
        region["startColumn"] = finding.column
    path = one_line(finding.file or default_file)
    return {
        "artifactLocation": {"uri": quote(path), "uriBaseId": "%SRCROOT%"},
        "region": region,
    }


def _escape_text(text: str) -> str:
    """Return a text in which a viewer finds neither a placeholder nor a link."""
    # Section 3.11.5 wants every brace doubled. Viewers look for a number between two braces, and
    # show other braces as they are, doubled or not.
    text = _PLACEHOLDER.sub("{{", text)
    # Section 3.11.6: "[text](target)" is a link.
    return re.sub(r"([\\\[\]])", r"\\\1", text) if "](" in text else text
