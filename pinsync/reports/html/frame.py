"""The page of a drift or of a plan: the record that its template reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from pinsync.escape import one_line
from pinsync.reports.words.overview import build_url, describe_failure
from pinsync.reports.words.terminal import name_tracker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pinsync.drift.record import Drift, TrackerDrift
    from pinsync.reports.html.cards import CardGroup
    from pinsync.reports.words.overview import Action
    from pinsync.shelf.calendar import TrackerCalendar


class Failure(Struct, frozen=True):
    """A tracker whose sides could not be read.

    Attributes:
        headline: the name of the tracker, and the step that failed.
        message: the error.
        hint: a remedy; empty without a hint.
    """

    headline: str
    message: str
    hint: str


class TrackerLine(Struct, frozen=True):
    """A tracker at the end of the page.

    Attributes:
        name: its name; empty if it is the only one.
        counts: the numbers of its rules; empty if it is the only one.
        url: the address of its rules in Luigi's Box; empty without one.
    """

    name: str
    counts: str
    url: str


class Content(Struct, frozen=True):
    """The page as its template reads it.

    Attributes:
        headline: the differences or the operations in one sentence.
        sentences: further sentences about all rules; may be empty.
        failures: the trackers that failed.
        notes: remarks about the whole page and about each tracker.
        actions: the ways to resolve the differences; none in a plan.
        groups: the groups of rules, the most important first.
        models: the recommender models of the rules, with their counts.
        trackers: the trackers.
        origins: where the states of both sides come from.
        checksum: the checksum of a plan in a sentence; empty in a drift.
        has_cards: whether the page shows the rules themselves.
    """

    headline: str
    sentences: str
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]
    actions: tuple[Action, ...]
    groups: tuple[CardGroup, ...]
    models: Mapping[str, int]
    trackers: tuple[TrackerLine, ...]
    origins: tuple[str, ...]
    checksum: str
    has_cards: bool


def list_failures(drift: Drift, verb: str) -> Iterator[Failure]:
    """Yield the trackers that failed.

    Args:
        drift: the drift.
        verb: the participle of the step that failed: ``compared``.
    """
    for tracker in drift.trackers:
        if error := tracker.error:
            headline = describe_failure(tracker, verb)
            yield Failure(headline, one_line(error.message), one_line(error.hint or ""))


def list_notes(drift: Drift) -> Iterator[str]:
    """Yield the remarks about the whole drift and about each tracker."""
    yield from map(one_line, drift.notes)
    for tracker in drift.trackers:
        for note in tracker.notes:
            yield f"{one_line(tracker.name)}: {one_line(note)}"


def build_tracker_line(
    tracker: TrackerDrift | TrackerCalendar, counts: str, *, is_alone: bool
) -> TrackerLine:
    """Return the line of a tracker.

    Args:
        tracker: the drift or the calendar of the tracker.
        counts: the numbers of its rules.
        is_alone: whether the page has no other tracker.
    """
    url = build_url(tracker)
    return TrackerLine("", "", url) if is_alone else TrackerLine(name_tracker(tracker), counts, url)
