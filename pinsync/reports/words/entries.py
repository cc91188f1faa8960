"""The entries of a drift report: for each changed rule a heading, and its shelves on both sides.

An entry is text without markup. Each report escapes the text and lays it out as it needs.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Self

from msgspec import Struct, field
from msgspec.structs import replace

from pinsync.canonical.fields import CUSTOMIZATION, KNOWN, MODEL, select_choice
from pinsync.canonical.pins import read_pin
from pinsync.drift.changes import read_pins
from pinsync.drift.pairs import read_data
from pinsync.drift.record import MISSING
from pinsync.escape import clip, one_line, reveal
from pinsync.reports.words.changes import find_alike_identities, find_marks
from pinsync.reports.words.commits import format_day
from pinsync.reports.words.events import EVENT_NAMES, list_events, turn
from pinsync.reports.words.likeness import describe_forms, find_alike, spell_out
from pinsync.reports.words.pins import MAX_TITLE
from pinsync.reports.words.rows import (
    ALONE,
    MAX_WHOLE,
    Cell,
    Moments,
    Row,
    Section,
    Shelf,
    build_sections,
)
from pinsync.reports.words.sides import adapt_labels, describe_sides
from pinsync.reports.words.slots import SlotWords, find_shared_titles, quote
from pinsync.reports.words.values import compact, format_path
from pinsync.shelf.shelf import find_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from pinsync.canonical.pins import Pin
    from pinsync.drift.record import (
        Base,
        Change,
        Drift,
        FieldChange,
        TrackerDrift,
    )
    from pinsync.reports.words.events import Event
    from pinsync.reports.words.likeness import Spelling
    from pinsync.reports.words.sides import Escape, SideWords

MAX_VALUE: Final = 200
"""The maximum length of a value."""
_MAX_NAMED: Final = 4
"""The maximum number of events that a heading names."""
_APPLIES: Final = frozenset((MODEL, *select_choice(CUSTOMIZATION)))
_ORIGINS: Final = {"shop": "agreed on", "git": "changed in git on"}


class Entry(Struct, frozen=True):
    """A changed rule in words.

    Attributes:
        change: the change.
        tracker: the tracker's name, if the report has several trackers; else empty.
        verdict: the change in capital letters: ``PIN ADDED``.
        details: the rest of the heading: ``at #5``.
        name: the name of the rule.
        model: the recommender model.
        widget: the only widget that changed, if its pins have one; else empty.
        start: the moment from which shoppers notice the change, if that is later; else empty.
        remarks: further facts about the rule.
        place: the file and the line; empty if the rule is in no file.
        sections: the states of both sides.
        origins: when, and by whom, each side was last changed.
    """

    change: Change
    tracker: str
    verdict: str
    details: str
    name: str
    model: str
    widget: str
    start: str
    remarks: tuple[str, ...]
    place: str
    sections: tuple[Section, ...]
    origins: tuple[str, ...]


class EntryWords(SlotWords, frozen=True, kw_only=True):
    """Writes the changes of one tracker.

    Attributes:
        drift: the drift.
        sides: the words for its sides.
        tracker: the tracker's name, if there are several; else empty.
        marks: id → beginning of the id, for rules that share a model and a target.
        has_saves: whether the shop's rules were saved at several times, so that each is worth a
            mention.
    """

    drift: Drift
    sides: tuple[SideWords, SideWords]
    tracker: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)
    has_saves: bool = False

    def adapt_to(self, tracker: TrackerDrift) -> Self:
        """Return the words for a tracker, with its titles and its identities that look alike."""
        name = ""
        if len(self.drift.trackers) > 1:
            name = one_line(clip(tracker.name, MAX_TITLE))
        return replace(
            self,
            titles=tracker.names,
            images=tracker.images,
            shared=find_shared_titles(tracker.names),
            marks=find_marks(tracker.changes),
            alike=find_alike_identities(tracker.changes),
            tracker=name,
        )

    def describe(self, change: Change) -> Entry:
        """Return the entry of a change."""
        item = change.subject
        verdict, details = self._write_heading(change)
        labels = adapt_labels(self.sides, self.drift, change.moved)
        sections = list(self._list_sections(change, labels))
        widget = ""
        # A single widget stands in the heading.
        if sections and not any(section.caption for section in sections[1:]):
            widget = sections[0].caption
            sections[0] = sections[0]._replace(caption="")
        remarks = list(self._list_remarks(change))
        mark = self.marks.get(item.id or "", "")
        if mark:
            remarks.append(f"id {one_line(mark)}")
        start = ""
        if change.shoppers and change.shoppers.at:
            start = f"from {self.format_moment(change.shoppers.at)}"
        place = ""
        if change.place:
            place = one_line(f"{change.place.file}:{change.place.line}")
        model = clip(compact(item.model, self.choose_spelling(item.model)), MAX_TITLE)
        return Entry(
            change=change,
            tracker=self.tracker,
            verdict=verdict,
            details=details,
            name=self.name_target(item, change.data),
            model=one_line(model),
            widget=widget,
            start=start,
            remarks=tuple(remarks),
            place=place,
            sections=tuple(sections),
            origins=tuple(self._list_origins(change)),
        )

    # The heading

    def _write_heading(self, change: Change) -> tuple[str, str]:
        """Return the verdict and the details of a heading."""
        events = list_events(change)
        if self._is_turned(change):
            events = list(map(turn, events))
        names = self._name_differences if change.moved in ("both", "unknown") else self.name_changes
        place = ""
        if change.moved == "git":
            committed = self.sides[0] if self.drift.new.is_live else self.sides[1]
            place = f" {committed.place}"
        named = names(events)
        if len(named) == 1:
            ((name, detail),) = named
            return f"{name}{place}".upper(), detail
        if len(named) == 2:  # noqa: PLR2004 - two names still make a heading
            both = ", ".join(name for name, _ in named)
            return f"{both}{place}".upper(), ""
        listed = [" ".join(filter(None, name)) for name in named[:_MAX_NAMED]]
        if len(named) > _MAX_NAMED:
            listed.append("…")
        return f"several changes{place}".upper(), f"({', '.join(listed)})"

    def _is_turned(self, change: Change) -> bool:
        """Whether the change leads from the new side to the old one."""
        if change.moved is None or change.moved in ("both", "unknown"):
            return False
        # The shop changes the live side, git the other one.
        moved_live = change.moved != "git"
        return moved_live != self.drift.new.is_live

    def _name_differences(self, events: Sequence[Event]) -> list[tuple[str, str]]:
        """Return names that say how the sides differ, but not which side changed."""
        old, new = self.sides
        names: dict[str, tuple[str, str]] = {}
        for event in events:
            name = EVENT_NAMES[event.kind].difference.format(old=old.place, new=new.place)
            # A difference of positions has no direction.
            place = "" if event.kind == "pin moved" else self.locate(event)
            names[name] = (name, "" if name in names else place)
        return list(names.values())

    # The sections

    def _list_sections(self, change: Change, labels: tuple[str, str]) -> Iterator[Section]:
        yield from build_sections(change, labels, self, self._find_moments(change))
        for texts in self._list_field_sides(change):
            old, new = (
                Row(label, (Cell(ALONE, text, True),))
                for label, text in zip(labels, texts, strict=True)
            )
            yield Section("", (old, new))

    def _find_moments(self, change: Change) -> Moments:
        now = self.drift.at
        later = change.shoppers.at if change.shoppers else None
        return Moments(now, later or now)

    def _list_field_sides(self, change: Change) -> Iterator[tuple[str, str]]:
        """Yield the words for the old and the new state of each field that differs."""
        if change.kind in ("added", "removed"):
            for name, value in change.data.items():
                if name not in KNOWN:
                    text = self.describe_field(name, value)
                    yield ("none", text) if change.kind == "added" else (text, "none")
            return
        alike = find_alike(format_path(each.path) for each in change.fields)
        for each in change.fields:
            is_alike = format_path(each.path) in alike
            yield self._describe_field_sides(each, spell_out if is_alike else reveal)

    def _describe_field_sides(self, change: FieldChange, spell_name: Spelling) -> tuple[str, str]:
        name = _name_field(change, spell_name)
        texts = []
        # Metadata is prose: a no-break space in a title is no trick.
        spell = str if change.path[0] == "target_metadata" else reveal
        for value, other in ((change.old, change.new), (change.new, change.old)):
            text = "none"
            if value is not MISSING:
                text = self.format_value(value, other, spell)
            texts.append(f"{name}: {text}")
        if MISSING not in (change.old, change.new) and (
            forms := describe_forms(change.old, change.new)
        ):
            texts[1] += f" ({forms})"
        return texts[0], texts[1]

    # The facts

    def _list_remarks(self, change: Change) -> Iterator[str]:
        """Yield facts that explain a heading."""
        if change.kind == "recreated" and len(change.fields) == 1 and not change.pins:
            yield "the same rule, under another id"
        pins = [pin for pair in change.pins for pin in (pair.old, pair.new) if pin]
        is_whole = change.kind in ("added", "removed")
        if is_whole and pins and all(_is_inactive(pin, self.drift.at) for pin in pins):
            yield "no pin is active now, but the rule may replace a more general one"
        if not change.pins and any(field.path[0] in _APPLIES for field in change.fields):
            shelf = Shelf(change, self, self._find_moments(change), is_new=True)
            for widget, cells in shelf.widgets.items():
                name = f" in {widget}" if widget else ""
                yield f"pins{name}: {' '.join(cell.text for cell in cells[:MAX_WHOLE])}"

    def _list_origins(self, change: Change) -> Iterator[str]:
        """Yield the text on which both agreed, and since when each side has its own, from whom."""
        if change.base:
            yield f"last agreed on: {self._describe_base(change, change.base)}"
        commit = change.moved_in
        if commit is not None:
            day = format_day(commit, self.zone)
            author = one_line(clip(commit.author, MAX_TITLE))
            event = _ORIGINS.get(change.moved or "", "in git since")
            yield f"{event} {day}: {quote(commit.subject, MAX_TITLE)} ({author})"
        is_news = change.moved not in (None, "git")
        if self.has_saves and is_news and change.updated_at is not None:
            yield f"saved in the shop {self.format_moment(change.updated_at)}"

    def _describe_base(self, change: Change, base: Base) -> str:
        """Return the pins and the fields of a base that differ since then."""
        if base.rule is None:
            return "no rule"
        data = read_data(base.rule)
        parts: list[str] = []
        if change.pins:
            pins = [self._describe_pin(read_pin(pin)) for pin in read_pins(data)]
            more = ["…"] if len(pins) > MAX_WHOLE else []
            parts += [*pins[:MAX_WHOLE], *more] or ["no pins"]
        for each in change.fields:
            parts.append(f"{_name_field(each, reveal)}: {self._find_value(data, each)}")
        return ", ".join(parts)

    def _describe_pin(self, pin: Pin) -> str:
        facts = list(self.list_facts(pin))
        return self.build_tile(pin, facts).write() + self.describe_widget(pin)

    def _find_value(self, data: Mapping[str, Any], field: FieldChange) -> str:
        """Return the value of a field in words; ``none`` if the data lacks it."""
        value: Any = data
        for step in field.path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return "none"
        return self.format_value(value)


def build_words(drift: Drift, zone: tzinfo, escape: Escape) -> EntryWords:
    """Return the words for a drift; `EntryWords.adapt_to` makes them those of a tracker.

    Args:
        drift: the drift.
        zone: the time zone of moments.
        escape: turns the name of a source into safe words of the report.
    """
    sides = describe_sides(drift, escape)
    saved: set[str | None] = set()
    for tracker in drift.trackers:
        saved.update(change.updated_at for change in tracker.changes if change.moved != "git")
    has_saves = len(saved - {None}) > 1
    return EntryWords(zone, one_line, MAX_VALUE, drift=drift, sides=sides, has_saves=has_saves)


def _is_inactive(pin: Pin, at: str) -> bool:
    return find_state(pin, at) in ("upcoming", "over")


def _name_field(change: FieldChange, spell: Spelling) -> str:
    if change.path == ("target_metadata", "title"):
        return "title"
    return one_line(clip(format_path(change.path, spell), MAX_VALUE))


def count_models(changes: Iterable[Change]) -> Counter[str]:
    """Return the number of changes of each model."""
    return Counter(change.subject.model for change in changes)
