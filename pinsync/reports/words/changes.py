"""The words of the reports for people: what a pin, a window, a field or a whole change is called.

All that comes from elsewhere passes through the report's own escape; everything else in a sentence is ours.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise, starmap
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from pinsync.canonical.fields import KNOWN
from pinsync.drift.changes import plain_data
from pinsync.escape import clipped, one_line, reveal
from pinsync.reports.words.likeness import find_alike, spell_out
from pinsync.reports.words.pins import MAX_TITLE, RuleName, Words, collect_identities, describe_thing_forms
from pinsync.reports.words.values import (
    compact,
    format_moment,
    format_path,
    measure_common_prefix,
    pluralize,
    write_sentence,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pinsync.canonical.pins import Pin
    from pinsync.drift.pairs import Kind
    from pinsync.drift.record import Cause, Change, Drift, FieldChange, PinChange, Side, TrackerDrift
    from pinsync.model import Customization, Target
    from pinsync.reports.words.likeness import Spelling

SIGNS: Final[dict[str, str]] = {"added": "+", "removed": "-"}
"""The sign of a kind of change; that of any other is ``CHANGED``."""
CHANGED: Final = "~"
SHORT: Final = 8
"""The characters of an id that are shown at least."""


class Remedy(NamedTuple):
    """How to mend a difference: what to do, and the command that does it if there is one."""

    text: str
    command: str | None = None

    @property
    def plain(self) -> str:
        """Both on one line, without markup."""
        return f"{self.text}: {self.command}" if self.command else self.text


_TAKE: Final = Remedy("to take live into git", "pinsync export --commit")
_ENTER: Final = Remedy(
    "a rule without an id: give it the id of its rule in live, or enter it in Luigi's Box, or delete its block"
)
_GLOSSES: Final = {"@live": "what shoppers get now", "@worktree": "your files", "@index": "what is staged"}
_NOT_EDITED: Final[dict[Cause, str]] = {
    "expired": "expired, left out by the API",
    "catalog": "not in the catalog, left out by the API",
}
_ALL_EXPLAINED: Final[dict[Cause, str]] = {
    "expired": "nobody edited it: its pins have expired",
    "catalog": "nobody edited it: what it pins left the catalog",
}


def describe_effect(changes: Sequence[Change]) -> str:
    """Return how many changes touch what shoppers see, as the second half of a sentence that counted them."""
    shown = sum(change.effect == "shown" for change in changes)
    if len(changes) == 1:
        return "it touches what shoppers see" if shown else "it is invisible to shoppers"
    if shown in (0, len(changes)):
        return "all of them touch what shoppers see" if shown else "none of them touches what shoppers see"
    return f"{shown:,} of them {'touches' if shown == 1 else 'touch'} what shoppers see"


@dataclass(frozen=True, slots=True)
class Description:
    """A change in words, escaped.

    Attributes:
        kind: of the change.
        name: what a person calls the customization.
        model: its recommender model.
        verdict: the kind in words.
        remarks: why it differs, and where it stands.
        lines: what became of its pins and fields: each with a sign and a sentence.
        last_update: when the vendor last saw a change; empty if that isn't known.
    """

    kind: Kind
    name: RuleName
    model: str
    verdict: str
    remarks: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    last_update: str


@dataclass(frozen=True, slots=True)
class ChangeWords(Words):
    """How reports word what became of a customization.

    Attributes:
        marks: id → what tells a customization apart from another of its model and target.
    """

    marks: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    def adapt_to(self, tracker: TrackerDrift) -> Self:
        """Return the words for a tracker's section: they know its titles, and which of its customizations are alike."""
        items = (side for change in tracker.changes for side in (change.old, change.new) if side)
        pins = (side for change in tracker.changes for pin in change.pins for side in (pin.old, pin.new) if side)
        alike = find_alike(collect_identities(items, pins))
        return replace(self, titles=tracker.names, marks=_find_marks(tracker.changes), alike=alike)

    def name_kinds(self) -> dict[Kind, str]:
        """Return each kind of change in words."""
        return {
            "added": self._describe_presence("added"),
            "changed": "changed",
            "recreated": "under a new id",
            "removed": self._describe_presence("removed"),
        }

    def _describe_presence(self, kind: str) -> str:
        return kind

    def _name_kind(self, kind: Kind) -> str:
        return self.name_kinds()[kind]

    def describe_change(self, change: Change) -> Description:
        """Return a change in words."""
        item, data = change.subject, plain_data(change.subject)
        remarks = []
        if change.cause != "edited":
            remarks.append(_ALL_EXPLAINED[change.cause])
        if change.effect == "label":
            remarks.append("invisible to shoppers")
        if change.place:
            remarks.append(self.escape(f"{change.place.file}:{change.place.line}"))
        model = self.escape(clipped(compact(item.model, self.choose_spelling(item.model)), MAX_TITLE))
        lines = tuple(self._describe_lines(change, data))
        seen = "" if change.updated_at is None else f"last changed in the UI {self.format_moment(change.updated_at)}"
        called = self._name_marked_rule(item, data)
        return Description(change.kind, called, model, self._name_kind(change.kind), tuple(remarks), lines, seen)

    def summarize_change(self, change: Change) -> tuple[str, str]:
        """Return what a person calls a customization, and in a few words what shoppers may see of the change."""
        name = self._name_marked_rule(change.subject, plain_data(change.subject)).name
        pins, fields = change.pins, [found for found in change.fields if not _is_label(change, found)]
        counts = [pluralize(len(found), noun) for found, noun in ((pins, "pin"), (fields, "field")) if found]
        if change.kind in SIGNS:
            return name, ": ".join([self._name_kind(change.kind), *counts])
        if len(pins) + len(fields) == 1:
            return name, self.describe_pin_change(pins[0]) if pins else self.describe_field_change(fields[0])
        return name, ", ".join(counts)

    def _name_marked_rule(self, item: Customization, data: Mapping[str, Any]) -> RuleName:
        """Return the same as `called`, in a name that is but a target with an id if need be."""
        called = self.name_rule(item, data)
        mark = "" if called.target else self.marks.get(item.id or "", "")
        return RuleName(f"{called.name}, id {self.escape(mark)}") if mark else called

    def _describe_lines(self, change: Change, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        whole = change.kind in SIGNS
        for pin in change.pins:
            yield (
                SIGNS.get(pin.kind, CHANGED),
                self.describe_single_pin(pin) if whole else self.describe_pin_change(pin),
            )
        if whole:
            if not change.pins:
                yield SIGNS[change.kind], "no pins"
            unknown = {name: value for name, value in data.items() if name not in KNOWN}
            yield from ((SIGNS[change.kind], self.describe_field(name, value)) for name, value in unknown.items())
            return
        is_shown = change.effect == "shown"
        alike = find_alike(format_path(found.path) for found in change.fields)
        for found in change.fields:
            aside = " (invisible to shoppers)" if is_shown and _is_label(change, found) else ""
            spell = spell_out if format_path(found.path) in alike else reveal
            yield CHANGED, self.describe_field_change(found, spell) + aside

    def describe_single_pin(self, change: PinChange) -> str:
        """Return a pin of a customization that came or went as a whole: ``position 1: /p/234/``."""
        return self.describe_pin(_choose_pin(change), _NOT_EDITED.get(change.cause, ""))

    def describe_pin_change(self, change: PinChange) -> str:
        """Return what happened to a pin: where it stands, what it shows, and what differs.

        ``position 3: /p/234/ → /p/999/``, ``position 1: /p/234/ (moved 3 → 1)``, ``position 2: /p/9/ (only in live)``.
        """
        old, new = change.old, change.new
        if old is None or new is None:
            remark = ": ".join(filter(None, [self._describe_presence(change.kind), _NOT_EDITED.get(change.cause)]))
            return self.describe_pin(_choose_pin(change), remark)
        widget = self.describe_widget(new) if old.data.get("widget_id") == new.data.get("widget_id") else ""
        thing, remark = self.describe_thing(new), self._describe_move(old, new) if change.kind == "moved" else ""
        if change.kind == "replaced":
            named = old.data.get("pin_identity") != new.data.get("pin_identity")
            thing = f"{self.describe_thing(old, new)} → {self.describe_thing(new, old, named=named)}"
            remark = describe_thing_forms(old, new)
        return write_sentence(self.describe_position(new) + widget, thing, remark, self._list_changed_facts(old, new))

    def describe_field_change(self, change: FieldChange, spell: Spelling = reveal) -> str:
        """Return what happened to a field: ``target_metadata.title: "A b" → "C d"``.

        Args:
            change: the change.
            spell: how to spell the names of the field and of what it stands in.
        """
        # Metadata is prose: a title may hold a no-break space, and only looks like another without it.
        prose = str if change.path[0] == "target_metadata" else reveal
        name = self.escape(self.cut(one_line(format_path(change.path, spell))))
        return f"{name}: {self.format_sides(change.old, change.new, spell=prose)}"


@dataclass(frozen=True, slots=True)
class DriftWords(ChangeWords):
    """How the report of a drift words things.

    Attributes:
        drift: what it is about.
    """

    drift: Drift = field(kw_only=True)

    def shorten_side(self, side: Side) -> str:
        """Return what a side is called below the legend: against live, whatever is committed is ``git``."""
        return "git" if self._against_live and _is_committed(side) else self.name_side(side)

    @property
    def _against_live(self) -> bool:
        return "@live" in (self.drift.old.source, self.drift.new.source)

    def explain_sides(self) -> tuple[str, str]:
        """Return what stands on the left and on the right of an arrow."""
        return self._explain_side(self.drift.old), self._explain_side(self.drift.new)

    def _explain_side(self, side: Side) -> str:
        name = self.shorten_side(side)
        spelled_out = side.revision is not None and side.revision.startswith(side.source)
        facts = [self.name_side(side)] if name == "git" and not spelled_out else []
        if side.revision and (name == "git" or not spelled_out):
            facts.append(f"commit {self.escape(side.revision[:12])}")
        if side.fetched_at:
            facts.append(f"fetched {format_moment(side.fetched_at, self.zone)}")
        gloss = f", {_GLOSSES[side.source]}" if side.source in _GLOSSES else ""
        return f"{name}{gloss} ({', '.join(facts)})" if facts else f"{name}{gloss}"

    def find_remedy(self, change: Change) -> Remedy | None:
        """Return how to mend a change; None where that isn't sure."""
        drift = self.drift
        if not _is_committed(drift.old) or drift.new.source != "@live":
            return None
        if change.kind == "removed" and change.id is None:
            return _ENTER  # an export keeps what has no id
        return _TAKE if drift.complete and drift.whole else None

    def find_remedies(self) -> list[Remedy]:
        """Return how to mend the drift: one for each kind of remedy, the command first."""
        found = {self.find_remedy(change) for tracker in self.drift.trackers for change in tracker.changes}
        return [remedy for remedy in (_TAKE, _ENTER) if remedy in found]

    def name_kinds(self) -> dict[Kind, str]:
        """Return each kind of change in words.

        Against live they say who has what, since either may be the later one; otherwise TO comes after FROM.
        """
        where = "" if self._against_live else f" in {self.shorten_side(self.drift.new)}"
        return {kind: word + (where if kind in SIGNS else "") for kind, word in ChangeWords.name_kinds(self).items()}

    def _describe_presence(self, kind: str) -> str:
        side = self.drift.new if kind == "added" else self.drift.old
        return f"only in {self.shorten_side(side)}" if self._against_live else kind

    def _name_kind(self, kind: Kind) -> str:
        word = self.name_kinds()[kind]
        if kind not in SIGNS or not self._against_live:
            return word
        return f"{word}, not in {self.shorten_side(self.drift.old if kind == 'added' else self.drift.new)}"

    def describe_counts(self, changes: Sequence[Change], unchanged: int) -> str:
        """Return a line of counts; what is rare is named only where there is some of it."""
        counts = Counter(change.kind for change in changes)
        words = self.name_kinds()
        parts = [f"{counts[kind]:,} {words[kind]}" for kind in words if counts[kind] or kind != "recreated"]
        return ", ".join([*parts, self.describe_unchanged(changes, unchanged)])

    def describe_unchanged(self, changes: Sequence[Change], unchanged: int) -> str:
        """Return what the counts of each kind don't say."""
        line = f"{unchanged:,} the same"
        left_out = sum(change.cause != "edited" for change in changes)
        return f"{line}; {left_out:,} without an edit (expired, or gone from the catalog)" if left_out else line

    def describe_state(self, tracker: TrackerDrift) -> str:
        """Return how it stands with one of several trackers."""
        if tracker.error:
            return "NOT COMPARED, see above"
        if not tracker.changes:
            return f"in sync ({pluralize(tracker.unchanged, 'customization')})"
        return self.describe_counts(tracker.changes, tracker.unchanged)


def _find_marks(changes: Sequence[Change]) -> dict[str, str]:
    """Return the beginnings of the ids of those that share model and target: as long as it takes to tell them apart."""
    groups: dict[tuple[str, Target], list[str]] = {}
    for change in changes:
        groups.setdefault((change.subject.model, change.subject.target), []).append(change.subject.id or "")
    marks: dict[str, str] = {}
    for ids in groups.values():
        if len(ids) > 1:
            # Of sorted texts, neighbours have the longest beginnings in common.
            common = max(starmap(measure_common_prefix, pairwise(sorted(ids))))
            size = max(SHORT, common + 1)
            marks |= {id_: id_[:size] for id_ in ids}
    return marks


def _choose_pin(change: PinChange) -> Pin:
    pin = change.new if change.old is None else change.old
    if pin is None:
        raise ValueError("a change of no pin")
    return pin


def _is_committed(side: Side) -> bool:
    return side.revision is not None or side.source == "HEAD"  # which has no commit at first


def _is_label(change: Change, found: FieldChange) -> bool:
    """Whether a change of this field alone would be invisible to shoppers."""
    return replace(change, pins=(), fields=(found,)).effect == "label"
