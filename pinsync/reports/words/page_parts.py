"""The parts that the markdown of a drift and that of a plan share: failures, notes, omissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.escape import clip, reveal
from pinsync.reports.words.page import MAX_VALUE, quote_code
from pinsync.reports.words.values import pluralize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinsync.drift.record import Drift
    from pinsync.errors import PinsyncError
    from pinsync.reports.words.page import Page

_MAX_NOTE: Final = 1_000
"""The maximum length of a message or a note."""


def quote_name(text: str) -> str:
    """Return a name as code spans, clipped, with its invisible characters shown."""
    return quote_code(clip(reveal(text), MAX_VALUE))


def render_omissions(omissions: Mapping[str, int], whole: str) -> str:
    """Return the last line, the counts of omitted pieces; empty if none is omitted.

    Args:
        omissions: noun of a piece → number of omitted pieces.
        whole: a sentence that says where the whole report is.
    """
    counts = ", ".join(pluralize(count, noun) for noun, count in omissions.items() if count)
    return f"Left out to fit: {counts}. {whole}\n" if counts else ""


def count_remarks(drift: Drift) -> dict[str, int]:
    """Return the numbers of failures and notes, the most that a page can omit."""
    return {
        "error": sum(tracker.error is not None for tracker in drift.trackers),
        "note": len(drift.notes) + sum(len(tracker.notes) for tracker in drift.trackers),
    }


def put_failures(page: Page, drift: Drift, verb: str) -> None:
    """Put the trackers that failed on a page.

    Args:
        page: the page.
        drift: the drift.
        verb: the participle of the step that failed: ``compared``.
    """
    failures = [(tracker.name, tracker.error) for tracker in drift.trackers if tracker.error]
    if failures:
        count = f"{len(failures):,} of {pluralize(len(drift.trackers), 'tracker')}"
        page.take(f"**INCOMPLETE:** {count} could not be {verb}.\n\n")
        _put_list(page, "error", [_render_failure(name, error) for name, error in failures])


def put_notes(page: Page, drift: Drift) -> None:
    """Put the remarks about a drift and about each tracker on a page."""
    notes = list(drift.notes)
    for tracker in drift.trackers:
        notes += [f"{tracker.name}: {note}" for note in tracker.notes]
    _put_list(page, "note", [f"- note: {_quote_note(note)}\n" for note in notes])


def _put_list(page: Page, noun: str, items: Sequence[str]) -> None:
    if page.take_all(noun, items, len(items), spare=page.half_room):
        page.take("\n")


def _render_failure(name: str, error: PinsyncError) -> str:
    line = f"- {quote_name(name)}: {_quote_note(error.message)}"
    if error.hint:
        line += f"; hint: {_quote_note(error.hint)}"
    return f"{line}\n"


def _quote_note(text: str) -> str:
    return quote_code(clip(text, _MAX_NOTE))
