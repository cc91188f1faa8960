"""The linter's report for programs: a versioned contract, which ``lint.schema.json`` beside this module describes.

It grows only by new keys.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from pinsync.model import INVISIBLE
from pinsync.reports.findings import is_failure

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

    from pinsync.model import Finding
    from pinsync.reports.findings import Context

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
    files = len({finding.file for finding in found}) + len(context.passed)
    notes = [_note(finding) for finding in findings if is_failure(finding)]
    record = {
        "version": VERSION,
        "complete": not notes,
        "summary": {"errors": counts["error"], "warnings": counts["warning"], "files": files},
        "findings": [_record(finding) for finding in found],
        **({"notes": notes} if notes else {}),
    }
    text = json.dumps(record, ensure_ascii=False, indent=2)
    text = text.replace("##[", "#\\u0023[")  # a CI runner takes it for a command wherever it stands in a line
    return "".join(f"{INVISIBLE.sub(_escaped, line)}\n" for line in text.split("\n"))


def _note(finding: Finding) -> str:
    return ": ".join(part for part in ("not looked at", finding.file, finding.message) if part)


def _record(finding: Finding) -> dict[str, Any]:
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


def _escaped(match: re.Match[str]) -> str:
    """JSON knows four digits only: a character beyond them is a surrogate pair (RFC 8259, section 7)."""
    return json.dumps(match[0])[1:-1]
