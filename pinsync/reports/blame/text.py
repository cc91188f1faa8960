"""Blame for a terminal: each rule with a table of its pins, and of each pin who last changed it, when, and how."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pinsync.drift.changes import plain_data
from pinsync.escape import clipped, one_line
from pinsync.reports.words import commits
from pinsync.reports.words.likeness import find_alike
from pinsync.reports.words.pins import Words, collect_identities
from pinsync.reports.words.terminal import paint, render_trackers
from pinsync.reports.words.values import align, join_lines, pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pinsync.drift.pairs import Kind
    from pinsync.history.record import Blame, Blamed, BlamedRule, BlamedTracker
    from pinsync.model import Commit
    from pinsync.reports import Style

_GAP: Final = "  "
_MAX_AUTHOR: Final = 40
"""The most characters of an author's name that are shown."""
_KINDS: Final[dict[Kind, str]] = {"added": "added", "changed": "changed", "recreated": "under a new id"}


def render(blame: Blame, style: Style) -> str:
    """Return the blame as lines for people, with a final newline.

    Args:
        blame: what to show.
        style: the time zone, and whether to colour.
    """
    return join_lines(_Report(blame, style, Words(style.zone, one_line)).render_lines())


@dataclass(frozen=True, slots=True)
class _Report:
    blame: Blame
    style: Style
    words: Words

    def render_lines(self) -> Iterator[str]:
        headline = f"{self.words.format_value(self.blame.model)} in {self.words.name_origin(self.blame.source)}"
        yield from render_trackers(headline, self.blame.trackers, self.style, self._render_tracker)
        if not any(tracker.rules for tracker in self.blame.trackers):
            yield "no rules"
        if self.blame.shallow:
            yield ""
            yield f"note: {commits.describe_shallow_end(self.blame.shallow)}"

    def _render_tracker(self, tracker: BlamedTracker) -> Iterator[str]:
        rules = tracker.rules
        pins = (
            side for rule in rules for pin in rule.pins for side in (pin.pin, pin.change and pin.change.old) if side
        )
        alike = find_alike(collect_identities((rule.customization for rule in rules), pins))
        words = replace(self.words, titles=tracker.names, alike=alike)
        for rule in tracker.rules:
            yield ""
            yield self._write_title(rule, words)
            yield from self._render_table(rule, words)

    def _write_title(self, rule: BlamedRule, words: Words) -> str:
        called = words.name_rule(rule.customization, plain_data(rule.customization))
        place = one_line(f"{rule.place.file}:{rule.place.line}")
        return f"{paint(self.style, 'bold', called.name)}{called.aside} · {place}"

    def _render_table(self, rule: BlamedRule, words: Words) -> Iterator[str]:
        rows = [
            (
                *self._describe_commit(pin.commit),
                words.describe_event(pin.change) if pin.change else "",
                _describe_pin(pin, words),
            )
            for pin in rule.pins
        ] or [(*self._describe_commit(rule.commit), _KINDS[rule.kind] if rule.kind else "", "no pins")]
        for first, *rest in align(rows):
            yield _GAP + _GAP.join([paint(self.style, "~", first), *rest]).rstrip()

    def _describe_commit(self, commit: Commit | None) -> tuple[str, str, str]:
        """Return a commit's hash, its author and its age; of what is older than all that is known the hash alone."""
        if commit is None:
            return self._name_commit(None), "", ""
        return (
            self._name_commit(commit),
            one_line(clipped(commit.author, _MAX_AUTHOR)),
            describe_age(commit.date, self.blame.at),
        )

    def _name_commit(self, commit: Commit | None) -> str:
        """Return how a commit is named: that at which a shallow clone ends as git blame does it, with a ``^``."""
        end = self.blame.shallow
        return commit.short if commit else f"^{end.short}" if end else "?"


def _describe_pin(pin: Blamed, words: Words) -> str:
    replaced = pin.change.old if pin.change and pin.change.kind == "replaced" else None
    return words.describe_pin(pin.pin, other=replaced)


def describe_age(at: datetime, now: datetime) -> str:
    """Return how long ago a moment was, in the words and with the roundings of git's relative dates (its date.c)."""
    seconds = int((now - at).total_seconds())
    minutes = (seconds + 30) // 60
    hours = (minutes + 30) // 60
    days = (hours + 12) // 24
    if seconds < 0:
        return "in the future"
    for found, limit, count, noun in (
        (seconds, 90, seconds, "second"),
        (minutes, 90, minutes, "minute"),
        (hours, 36, hours, "hour"),
        (days, 14, days, "day"),
        (days, 70, (days + 3) // 7, "week"),
        (days, 365, (days + 15) // 30, "month"),
    ):
        if found < limit:
            return f"{pluralize(count, noun)} ago"
    if days < 5 * 365:
        years, months = divmod((days * 24 + 365) // 730, 12)
        more = f", {pluralize(months, 'month')}" if months else ""
        return f"{pluralize(years, 'year')}{more} ago"
    return f"{pluralize((days + 183) // 365, 'year')} ago"
