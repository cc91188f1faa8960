"""The report for a GitHub job's log: workflow commands, which GitHub shows as annotations."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pinsync.escape import clip, defuse, one_line
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
"""GitHub's limit of annotations per step, for errors, warnings and notices each.

GitHub drops further annotations without a word.
"""
_MAX_DATA: Final = 1_000
_MAX_CELL: Final = 300
_HEAD: Final = "| where | what | how to mend it |\n| --- | --- | --- |\n"
_RESERVED: Final = 100
"""Room for the line with the counts of omitted rows."""


def render(drift: Drift, style: Style) -> str:
    """Return the drift as workflow commands, one a line; empty if there is nothing to report.

    Args:
        drift: the drift.
        style: the time zone.
    """
    return render_findings(*collect_findings(drift, style))


def render_findings(findings: Sequence[Finding], context: Context) -> str:
    """Return findings and notes as workflow commands, one a line.

    Args:
        findings: the findings, the more important first.
        context: the command and the notes.
    """
    return "".join(f"{command}\n" for command in _render_commands(findings, context))


def _render_commands(findings: Sequence[Finding], context: Context) -> Iterator[str]:
    title = {"title": f"pinsync {context.command}"}
    # One notice is reserved for the counts of omissions at the end.
    notes = context.notes[: MAX_OF_A_KIND - 1]
    for note in notes:
        yield _render_command("notice", {"file": context.configuration} | title, note)
    omissions = Counter({"note": len(context.notes) - len(notes)})
    taken: Counter[str] = Counter()
    for finding in findings:
        severity = finding.severity
        if taken[severity] == MAX_OF_A_KIND:
            omissions[severity] += 1
            continue
        taken[severity] += 1
        properties = _collect_properties(finding)
        yield _render_command(severity, properties, finding.message, finding.hint)
    kinds = sorted(kind for kind in omissions if omissions[kind])
    counts = [pluralize(omissions[kind], f"more {kind}") for kind in kinds]
    if counts:
        page = "in the step's summary as far as it goes, or " if context.has_page else ""
        text = f"{' and '.join(counts)}, to be found {page}with --format text"
        yield _render_command("notice", title, text)


def _collect_properties(finding: Finding) -> dict[str, str]:
    properties = {}
    if finding.file is not None:
        properties["file"] = finding.file
        if finding.line is not None:
            properties["line"] = str(finding.line)
            if finding.column is not None:
                properties["col"] = str(finding.column)
    return properties | {"title": f"pinsync {finding.rule}"}


def _render_command(
    name: str, properties: dict[str, str], message: str, hint: str | None = None
) -> str:
    text = ",".join(f"{key}={_escape_property(value)}" for key, value in properties.items())
    lines = [defuse(clip(one_line(part), _MAX_DATA)) for part in (message, hint) if part]
    data = _escape_data("\n".join(lines))
    return f"::{name} {text}::{data}"


def _escape_data(text: str) -> str:
    # The escapes that the runner takes back (actions/runner, ActionCommand.cs).
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    # A comma would start the next property, a colon could end the list of properties.
    return _escape_data(defuse(one_line(text))).replace(":", "%3A").replace(",", "%2C")


def render_summary(findings: Sequence[Finding], context: Context, max_chars: int) -> str:
    """Return findings as a page for a job's summary: a table in GitHub-flavoured markdown.

    Args:
        findings: the findings, the more important first.
        context: the command and the notes.
        max_chars: the budget of the page in UTF-16 code units, at least 500.
    """
    counts = Counter(finding.severity for finding in findings)
    parts = [pluralize(count, severity) for severity, count in sorted(counts.items())]
    verdict = ", ".join(parts) or "nothing found"
    head = f"{MARKER}\n### pinsync {context.command}: {verdict}\n\n"
    room = max_chars - measure(head) - _RESERVED
    items = (f"- note: {quote_code(clip(note, _MAX_CELL))}\n" for note in context.notes)
    notes = _take_fitting(items, room // 2)
    rows = _take_fitting(map(_render_row, findings), room - measure("".join(notes)) - len(_HEAD))
    sections = []
    if notes:
        sections.append("".join(notes))
    if rows:
        sections.append("".join([_HEAD, *rows]))
    omissions = {"note": len(context.notes) - len(notes), "finding": len(findings) - len(rows)}
    more = ", ".join(pluralize(count, noun) for noun, count in omissions.items() if count)
    if more:
        sections.append(f"Left out to fit: {more}.\n")
    return head + "\n".join(sections)


def _take_fitting(pieces: Iterable[str], room: int) -> list[str]:
    """Return the first pieces that fit into the room."""
    taken: list[str] = []
    for piece in pieces:
        room -= measure(piece)
        if room < 0:
            break
        taken.append(piece)
    return taken


def _render_row(finding: Finding) -> str:
    place = [part for part in (finding.file, finding.line, finding.column) if part is not None]
    message = f"{finding.severity} {finding.rule}: {finding.message}"
    row = "|"
    for cell in (":".join(map(str, place)), message, finding.hint):
        row += f" {quote_code(clip(cell, _MAX_CELL))} |" if cell else "  |"
    return f"{row}\n"
