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
from pinsync.reports.words.pins import MAX_TITLE, Called, Words, describe_things, identities
from pinsync.reports.words.values import common_length, compact, moment, path_text, plural, sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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


def touched(changes: Sequence[Change]) -> str:
    """Return how many changes touch what shoppers see, as the second half of a sentence that counted them."""
    shown = sum(change.effect == "shown" for change in changes)
    if len(changes) == 1:
        return "it touches what shoppers see" if shown else "it is invisible to shoppers"
    if shown in (0, len(changes)):
        return "all of them touch what shoppers see" if shown else "none of them touches what shoppers see"
    return f"{shown:,} of them {'touches' if shown == 1 else 'touch'} what shoppers see"


@dataclass(frozen=True, slots=True)
class Entry:
    """A change in words, escaped.

    Attributes:
        kind: of the change.
        called: what a person calls the customization.
        model: its recommender model.
        verdict: the kind in words.
        remarks: why it differs, and where it stands.
        lines: what became of its pins and fields: each with a sign and a sentence.
        seen: when the vendor last saw a change; empty if that isn't known.
    """

    kind: Kind
    called: Called
    model: str
    verdict: str
    remarks: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    seen: str


@dataclass(frozen=True, slots=True)
class ChangeWords(Words):
    """How reports word what became of a customization.

    Attributes:
        marks: id → what tells a customization apart from another of its model and target.
    """

    marks: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    def of(self, tracker: TrackerDrift) -> Self:
        """Return the words for a tracker's section: they know its titles, and which of its customizations are alike."""
        items = (side for change in tracker.changes for side in (change.old, change.new) if side)
        pins = (side for change in tracker.changes for pin in change.pins for side in (pin.old, pin.new) if side)
        alike = find_alike(identities(items, pins))
        return replace(self, names=tracker.names, marks=_marks(tracker.changes), alike=alike)

    def kinds(self) -> dict[Kind, str]:
        """Return each kind of change in words."""
        return {
            "added": self._has("added"),
            "changed": "changed",
            "recreated": "under a new id",
            "removed": self._has("removed"),
        }

    def _has(self, kind: str) -> str:
        return kind

    def _verdict(self, kind: Kind) -> str:
        return self.kinds()[kind]

    def entry(self, change: Change) -> Entry:
        """Return a change in words."""
        item, data = change.subject, plain_data(change.subject)
        remarks = []
        if change.cause != "edited":
            remarks.append(_ALL_EXPLAINED[change.cause])
        if change.effect == "label":
            remarks.append("invisible to shoppers")
        if change.place:
            remarks.append(self.data(f"{change.place.file}:{change.place.line}"))
        model = self.data(clipped(compact(item.model, self.spelling(item.model)), MAX_TITLE))
        lines = tuple(self._lines(change, data))
        seen = "" if change.updated_at is None else f"last changed in the UI {self.moment(change.updated_at)}"
        called = self._called(item, data)
        return Entry(change.kind, called, model, self._verdict(change.kind), tuple(remarks), lines, seen)

    def gist(self, change: Change) -> tuple[str, str]:
        """Return what a person calls a customization, and in a few words what shoppers may see of the change."""
        name = self._called(change.subject, plain_data(change.subject)).name
        pins, fields = change.pins, [found for found in change.fields if not _is_label(change, found)]
        counts = [plural(len(found), noun) for found, noun in ((pins, "pin"), (fields, "field")) if found]
        if change.kind in SIGNS:
            return name, ": ".join([self._verdict(change.kind), *counts])
        if len(pins) + len(fields) == 1:
            return name, self.pin(pins[0]) if pins else self.field(fields[0])
        return name, ", ".join(counts)

    def _called(self, item: Customization, data: Mapping[str, Any]) -> Called:
        """Return the same as `called`, in a name that is but a target with an id if need be."""
        called = self.called(item, data)
        mark = "" if called.target else self.marks.get(item.id or "", "")
        return Called(f"{called.name}, id {self.data(mark)}") if mark else called

    def _lines(self, change: Change, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        whole = change.kind in SIGNS
        for pin in change.pins:
            yield SIGNS.get(pin.kind, CHANGED), self.listed(pin) if whole else self.pin(pin)
        if whole:
            if not change.pins:
                yield SIGNS[change.kind], "no pins"
            unknown = {name: value for name, value in data.items() if name not in KNOWN}
            yield from ((SIGNS[change.kind], self.named(name, value)) for name, value in unknown.items())
            return
        is_shown = change.effect == "shown"
        alike = find_alike(path_text(found.path) for found in change.fields)
        for found in change.fields:
            aside = " (invisible to shoppers)" if is_shown and _is_label(change, found) else ""
            spell = spell_out if path_text(found.path) in alike else reveal
            yield CHANGED, self.field(found, spell) + aside

    def listed(self, change: PinChange) -> str:
        """Return a pin of a customization that came or went as a whole: ``position 1: /p/234/``."""
        return self.alone(_only(change), _NOT_EDITED.get(change.cause, ""))

    def pin(self, change: PinChange) -> str:
        """Return what happened to a pin: where it stands, what it shows, and what differs.

        ``position 3: /p/234/ → /p/999/``, ``position 1: /p/234/ (moved 3 → 1)``, ``position 2: /p/9/ (only in live)``.
        """
        old, new = change.old, change.new
        if old is None or new is None:
            remark = ": ".join(filter(None, [self._has(change.kind), _NOT_EDITED.get(change.cause)]))
            return self.alone(_only(change), remark)
        widget = self.widget(new) if old.get("widget_id") == new.get("widget_id") else ""
        thing, remark = self.thing(new), self._move(old, new) if change.kind == "moved" else ""
        if change.kind == "replaced":
            named = old.get("pin_identity") != new.get("pin_identity")
            thing = f"{self.thing(old, new)} → {self.thing(new, old, named=named)}"
            remark = describe_things(old, new)
        return sentence(self.position(new) + widget, thing, remark, self._facts_changed(old, new))

    def field(self, change: FieldChange, spell: Spelling = reveal) -> str:
        """Return what happened to a field: ``target_metadata.title: "A b" → "C d"``.

        Args:
            change: the change.
            spell: how to spell the names of the field and of what it stands in.
        """
        # Metadata is prose: a title may hold a no-break space, and only looks like another without it.
        prose = str if change.path[0] == "target_metadata" else reveal
        name = self.data(self.cut(one_line(path_text(change.path, spell))))
        return f"{name}: {self.sides(change.old, change.new, spell=prose)}"


@dataclass(frozen=True, slots=True)
class Wording(ChangeWords):
    """How the report of a drift words things.

    Attributes:
        drift: what it is about.
    """

    drift: Drift = field(kw_only=True)

    def short(self, side: Side) -> str:
        """Return what a side is called below the legend: against live, whatever is committed is ``git``."""
        return "git" if self._against_live and _is_committed(side) else self.side(side)

    @property
    def _against_live(self) -> bool:
        return "@live" in (self.drift.old.source, self.drift.new.source)

    def legend(self) -> tuple[str, str]:
        """Return what stands on the left and on the right of an arrow."""
        return self._explained(self.drift.old), self._explained(self.drift.new)

    def _explained(self, side: Side) -> str:
        name = self.short(side)
        spelled_out = side.revision is not None and side.revision.startswith(side.source)
        facts = [self.side(side)] if name == "git" and not spelled_out else []
        if side.revision and (name == "git" or not spelled_out):
            facts.append(f"commit {self.data(side.revision[:12])}")
        if side.fetched_at:
            facts.append(f"fetched {moment(side.fetched_at, self.zone)}")
        gloss = f", {_GLOSSES[side.source]}" if side.source in _GLOSSES else ""
        return f"{name}{gloss} ({', '.join(facts)})" if facts else f"{name}{gloss}"

    def remedy(self, change: Change) -> Remedy | None:
        """Return how to mend a change; None where that isn't sure."""
        drift = self.drift
        if not _is_committed(drift.old) or drift.new.source != "@live":
            return None
        if change.kind == "removed" and change.id is None:
            return _ENTER  # an export keeps what has no id
        return _TAKE if drift.complete and drift.whole else None

    def remedies(self) -> list[Remedy]:
        """Return how to mend the drift: one for each kind of remedy, the command first."""
        found = {self.remedy(change) for tracker in self.drift.trackers for change in tracker.changes}
        return [remedy for remedy in (_TAKE, _ENTER) if remedy in found]

    def kinds(self) -> dict[Kind, str]:
        """Return each kind of change in words.

        Against live they say who has what, since either may be the later one; otherwise TO comes after FROM.
        """
        where = "" if self._against_live else f" in {self.short(self.drift.new)}"
        return {kind: word + (where if kind in SIGNS else "") for kind, word in ChangeWords.kinds(self).items()}

    def _has(self, kind: str) -> str:
        side = self.drift.new if kind == "added" else self.drift.old
        return f"only in {self.short(side)}" if self._against_live else kind

    def _verdict(self, kind: Kind) -> str:
        word = self.kinds()[kind]
        if kind not in SIGNS or not self._against_live:
            return word
        return f"{word}, not in {self.short(self.drift.old if kind == 'added' else self.drift.new)}"

    def counts(self, changes: Sequence[Change], unchanged: int) -> str:
        """Return a line of counts; what is rare is named only where there is some of it."""
        counts = Counter(change.kind for change in changes)
        words = self.kinds()
        parts = [f"{counts[kind]:,} {words[kind]}" for kind in words if counts[kind] or kind != "recreated"]
        return ", ".join([*parts, self.uncounted(changes, unchanged)])

    def uncounted(self, changes: Sequence[Change], unchanged: int) -> str:
        """Return what the counts of each kind don't say."""
        line = f"{unchanged:,} the same"
        left_out = sum(change.cause != "edited" for change in changes)
        return f"{line}; {left_out:,} without an edit (expired, or gone from the catalog)" if left_out else line

    def state(self, tracker: TrackerDrift) -> str:
        """Return how it stands with one of several trackers."""
        if tracker.error:
            return "NOT COMPARED, see above"
        if not tracker.changes:
            return f"in sync ({plural(tracker.unchanged, 'customization')})"
        return self.counts(tracker.changes, tracker.unchanged)


def _marks(changes: Sequence[Change]) -> dict[str, str]:
    """Return the beginnings of the ids of those that share model and target: as long as it takes to tell them apart."""
    groups: dict[tuple[str, Target], list[str]] = {}
    for change in changes:
        groups.setdefault((change.subject.model, change.subject.target), []).append(change.subject.id or "")
    marks: dict[str, str] = {}
    for ids in groups.values():
        if len(ids) > 1:
            # Of sorted texts, neighbours have the longest beginnings in common.
            common = max(starmap(common_length, pairwise(sorted(ids))))
            size = max(SHORT, common + 1)
            marks |= {id_: id_[:size] for id_ in ids}
    return marks


def _only(change: PinChange) -> Mapping[str, Any]:
    pin = change.new if change.old is None else change.old
    if pin is None:
        raise ValueError("a change of no pin")
    return pin


def _is_committed(side: Side) -> bool:
    return side.revision is not None or side.source == "HEAD"  # which has no commit at first


def _is_label(change: Change, found: FieldChange) -> bool:
    """Whether a change of this field alone would be invisible to shoppers."""
    return replace(change, pins=(), fields=(found,)).effect == "label"
