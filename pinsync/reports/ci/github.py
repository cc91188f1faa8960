"""The report for a GitHub job's log: workflow commands, which GitHub shows as annotations beside the lines.

The runner's rules for such a command: in its data ``%``, carriage return and line feed are written
``%25``, ``%0D`` and ``%0A``; in a property's value ``:`` and ``,`` besides, as ``%3A`` and ``%2C``.
GitHub shows ten annotations of a kind for a step, and drops the rest without a word.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pinsync.escape import clipped, defused, one_line
from pinsync.reports.ci.findings import collect_findings
from pinsync.reports.words.page import MARKER, measure, quote_code
from pinsync.reports.words.values import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pinsync.drift.record import Drift
    from pinsync.model import Finding
    from pinsync.reports import Style
    from pinsync.reports.ci.findings import Context

MAX_OF_A_KIND: Final = 10
"""What GitHub shows of errors, of warnings and of notices, for one step."""
_MAX_DATA: Final = 1_000
_MAX_CELL: Final = 300
_HEAD: Final = "| where | what | how to mend it |\n| --- | --- | --- |\n"
_RESERVED: Final = 100
"""Room for the line that says how much is left out."""


def render(drift: Drift, style: Style) -> str:
    """Return the drift as workflow commands, each with a final newline; nothing if there is nothing to say.

    Args:
        drift: what to report.
        style: the time zone.
    """
    return render_findings(*collect_findings(drift, style))


def render_findings(findings: Sequence[Finding], context: Context) -> str:
    """Return findings as workflow commands, each with a final newline; empty if there are none, and no notes.

    Args:
        findings: what to report, the more important first.
        context: what found them, and the notes.
    """
    return "".join(f"{command}\n" for command in _render_commands(findings, context))


def _render_commands(findings: Sequence[Finding], context: Context) -> Iterator[str]:
    title = {"title": f"pinsync {context.command}"}
    notes = context.notes[: MAX_OF_A_KIND - 1]  # the last notice says what is left out
    yield from (_render_command("notice", {"file": context.configuration} | title, note) for note in notes)
    left_out = Counter({"note": len(context.notes) - len(notes)})
    taken: Counter[str] = Counter()
    for finding in findings:
        if taken[finding.severity] == MAX_OF_A_KIND:
            left_out[finding.severity] += 1
            continue
        taken[finding.severity] += 1
        yield _render_command(finding.severity, _collect_properties(finding), finding.message, finding.hint)
    if more := " and ".join(pluralize(count, f"more {kind}") for kind, count in sorted(left_out.items()) if count):
        page = "in the step's summary as far as it goes, or " if context.has_page else ""
        yield _render_command("notice", title, f"{more}, to be found {page}with --format text")


def _collect_properties(finding: Finding) -> dict[str, str]:
    properties = {}
    if finding.file is not None:
        properties["file"] = finding.file
        if finding.line is not None:
            properties["line"] = str(finding.line)
            if finding.column is not None:
                properties["col"] = str(finding.column)
    return properties | {"title": f"pinsync {finding.rule}"}


def _render_command(name: str, properties: dict[str, str], message: str, hint: str | None = None) -> str:
    text = ",".join(f"{key}={_escape_property(value)}" for key, value in properties.items())
    lines = [defused(clipped(one_line(part), _MAX_DATA)) for part in (message, hint) if part]
    return f"::{name} {text}::{_escape_data(chr(10).join(lines))}"


def _escape_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_data(defused(one_line(text))).replace(":", "%3A").replace(",", "%2C")


def render_summary(findings: Sequence[Finding], context: Context, max_chars: int) -> str:
    """Return findings as a page for a job's summary: a table in GitHub-flavoured markdown, as long as is allowed.

    Args:
        findings: what to report, the more important first.
        context: what found them, and the notes.
        max_chars: the most UTF-16 code units the page may have, at least 500.
    """
    counts = Counter(finding.severity for finding in findings)
    verdict = ", ".join(pluralize(count, kind) for kind, count in sorted(counts.items())) or "nothing found"
    page = f"{MARKER}\n### pinsync {context.command}: {verdict}\n\n"
    room = max_chars - measure(page) - _RESERVED
    notes = _take_fitting((f"- note: {quote_code(clipped(note, _MAX_CELL))}\n" for note in context.notes), room // 2)
    rows = _take_fitting(map(_render_row, findings), room - measure("".join(notes)) - len(_HEAD))
    left_out = {"note": len(context.notes) - len(notes), "finding": len(findings) - len(rows)}
    more = ", ".join(pluralize(count, what) for what, count in left_out.items() if count)
    parts = [notes, [_HEAD, *rows] if rows else [], [f"Left out to fit: {more}.\n"] if more else []]
    return page + "\n".join("".join(part) for part in parts if part)


def _take_fitting(pieces: Iterable[str], room: int) -> list[str]:
    """Return the first pieces that fit."""
    taken: list[str] = []
    for piece in pieces:
        if (room := room - measure(piece)) < 0:
            break
        taken.append(piece)
    return taken


def _render_row(finding: Finding) -> str:
    place = ":".join(str(part) for part in (finding.file, finding.line, finding.column) if part is not None)
    cells = [place, f"{finding.severity} {finding.rule}: {finding.message}", finding.hint or ""]
    return "".join(f"| {quote_code(clipped(cell, _MAX_CELL)) if cell else ''} " for cell in cells) + "|\n"
