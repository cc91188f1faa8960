"""Blame for a terminal: a table for each rule, with the last commit and change of each pin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from pinsync.escape import clip, one_line
from pinsync.reports.words import commits
from pinsync.reports.words.likeness import find_alike
from pinsync.reports.words.pins import Words, collect_identities
from pinsync.reports.words.terminal import paint, render_trackers
from pinsync.reports.words.values import align, join_lines, pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from pinsync.canonical.pins import Pin
    from pinsync.drift.pairs import ChangeKind
    from pinsync.history.record import Blame, BlamedPin, BlamedRule, BlamedTracker
    from pinsync.model import Commit
    from pinsync.reports import Style

_GAP: Final = "  "
_MAX_AUTHOR: Final = 40
"""The maximum length of an author's name."""
_KINDS: Final[dict[ChangeKind, str]] = {
    "added": "added",
    "changed": "changed",
    "recreated": "under a new id",
}


def render(blame: Blame, style: Style) -> str:
    """Return the blame as lines for people, with a final newline.

    Args:
        blame: the blame.
        style: the time zone, and whether to colour.
    """
    return join_lines(_Report(blame, style, Words(style.zone, one_line)).render_lines())


class _Report(Struct, frozen=True):
    blame: Blame
    style: Style
    words: Words

    def render_lines(self) -> Iterator[str]:
        model = self.words.format_value(self.blame.model)
        headline = f"{model} in {self.words.name_origin(self.blame.source)}"
        trackers = self.blame.trackers
        yield from render_trackers(headline, trackers, self.style, self._render_tracker)
        if not any(tracker.rules for tracker in trackers):
            yield "no rules"
        if self.blame.shallow:
            yield ""
            yield f"note: {commits.describe_shallow_end(self.blame.shallow)}"

    def _render_tracker(self, tracker: BlamedTracker) -> Iterator[str]:
        items = [rule.customization for rule in tracker.rules]
        alike = find_alike(collect_identities(items, _list_pins(tracker.rules)))
        words = replace(self.words, titles=tracker.names, alike=alike)
        for rule in tracker.rules:
            yield ""
            yield self._write_title(rule, words)
            yield from self._render_table(rule, words)

    def _write_title(self, rule: BlamedRule, words: Words) -> str:
        called = words.name_rule(rule.customization, rule.data)
        place = one_line(f"{rule.place.file}:{rule.place.line}")
        return f"{paint(self.style, 'bold', called.name)}{called.aside} · {place}"

    def _render_table(self, rule: BlamedRule, words: Words) -> Iterator[str]:
        rows = []
        for pin in rule.pins:
            event = words.describe_event(pin.change) if pin.change else ""
            rows.append((*self._describe_commit(pin.commit), event, _describe_pin(pin, words)))
        if not rows:
            event = _KINDS[rule.kind] if rule.kind else ""
            rows.append((*self._describe_commit(rule.commit), event, "no pins"))
        for first, *rest in align(rows):
            yield _GAP + _GAP.join([paint(self.style, "~", first), *rest]).rstrip()

    def _describe_commit(self, commit: Commit | None) -> tuple[str, str, str]:
        """Return the hash, author and age of a commit; None is older than the known history."""
        if commit:
            author = one_line(clip(commit.author, _MAX_AUTHOR))
            return commit.short, author, describe_age(commit.date, self.blame.at)
        # git blame marks the commit at which a shallow clone ends with a "^" too.
        end = self.blame.shallow
        return f"^{end.short}" if end else "?", "", ""


def _list_pins(rules: Iterable[BlamedRule]) -> Iterator[Pin]:
    """Yield the pins that the table names: the present pins, and the pins before their change."""
    for rule in rules:
        for pin in rule.pins:
            yield pin.pin
            if pin.change and pin.change.old:
                yield pin.change.old


def _describe_pin(pin: BlamedPin, words: Words) -> str:
    replaced = pin.change.old if pin.change and pin.change.kind == "replaced" else None
    return words.describe_pin(pin.pin, other=replaced)


def describe_age(moment: datetime, now: datetime) -> str:
    """Return the age of a moment in the words of git's relative dates."""
    # The limits and roundings are those of git's date.c, show_date_relative().
    seconds = int((now - moment).total_seconds())
    minutes = (seconds + 30) // 60
    hours = (minutes + 30) // 60
    days = (hours + 12) // 24
    if seconds < 0:
        return "in the future"
    for age, limit, count, noun in (
        (seconds, 90, seconds, "second"),
        (minutes, 90, minutes, "minute"),
        (hours, 36, hours, "hour"),
        (days, 14, days, "day"),
        (days, 70, (days + 3) // 7, "week"),
        (days, 365, (days + 15) // 30, "month"),
    ):
        if age < limit:
            return f"{pluralize(count, noun)} ago"
    if days < 5 * 365:
        years, months = divmod((days * 24 + 365) // 730, 12)
        more = f", {pluralize(months, 'month')}" if months else ""
        return f"{pluralize(years, 'year')}{more} ago"
    return f"{pluralize((days + 183) // 365, 'year')} ago"
