"""The words of the reports for people: sentences for pins, fields and changes, names for sides.

All foreign text passes through the report's own escape; the other words of a sentence are ours.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise, starmap
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from msgspec import Struct, field
from msgspec.structs import replace

from pinsync.canonical.fields import KNOWN, LABELS
from pinsync.escape import clip, one_line, reveal
from pinsync.reports.words.likeness import find_alike, spell_out
from pinsync.reports.words.pins import (
    MAX_TITLE,
    RuleName,
    Words,
    collect_identities,
    describe_thing_forms,
)
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
    from pinsync.drift.pairs import ChangeKind
    from pinsync.drift.record import (
        Cause,
        Change,
        Drift,
        FieldChange,
        PinChange,
        Side,
        TrackerDrift,
    )
    from pinsync.model import Customization, Target
    from pinsync.reports.words.likeness import Spelling

SIGNS: Final[dict[str, str]] = {"added": "+", "removed": "-"}
"""Kind of change → its sign; the other kinds have the sign ``CHANGED``."""
CHANGED: Final = "~"
SHORT: Final = 8
"""The minimum number of characters of an abbreviated id."""


class Remedy(NamedTuple):
    """The way to resolve a difference: an advice, and a command if one exists."""

    text: str
    command: str | None = None

    @property
    def plain(self) -> str:
        """The advice and the command on one line, without markup."""
        if not self.command:
            return self.text
        return f"{self.text}: {self.command}"


_TAKE: Final = Remedy("to take live into git", "pinsync export --commit")
_ENTER: Final = Remedy(
    "a rule without an id: give it the id of its rule in live, "
    # An export keeps blocks without an id, so `_TAKE` would change nothing.
    "or enter it in Luigi's Box, or delete its block"
)
_GLOSSES: Final = {
    "@live": "what shoppers get now",
    "@worktree": "your files",
    "@index": "what is staged",
}
_NOT_EDITED: Final[dict[Cause, str]] = {
    "expired": "expired, left out by the API",
    "catalog": "not in the catalog, left out by the API",
}
_ALL_EXPLAINED: Final[dict[Cause, str]] = {
    "expired": "nobody edited it: its pins have expired",
    "catalog": "nobody edited it: what it pins left the catalog",
}


def describe_effect(changes: Sequence[Change]) -> str:
    """Say how many changes are visible to shoppers, as the end of a sentence with their number."""
    shown = sum(change.effect == "shown" for change in changes)
    if len(changes) == 1:
        return "it touches what shoppers see" if shown else "it is invisible to shoppers"
    if shown == 0:
        return "none of them touches what shoppers see"
    if shown == len(changes):
        return "all of them touch what shoppers see"
    return f"{shown:,} of them {'touches' if shown == 1 else 'touch'} what shoppers see"


class Description(Struct, frozen=True):
    """A change in escaped words.

    Attributes:
        kind: the kind of change.
        name: the name of the customization.
        model: its recommender model.
        verdict: the kind in words.
        remarks: the cause, the effect and the place, where they are worth a mention.
        lines: a sign and a sentence for each changed pin and field.
        last_update: the sentence with the vendor's time of the last change; empty if unknown.
    """

    kind: ChangeKind
    name: RuleName
    model: str
    verdict: str
    remarks: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    last_update: str


class ChangeWords(Words, frozen=True, kw_only=True):
    """Writes changes of customizations in the words of one report.

    Attributes:
        marks: id → beginning of the id, for customizations that share a model and a target.
    """

    marks: Mapping[str, str] = field(default_factory=dict)

    def adapt_to(self, tracker: TrackerDrift) -> Self:
        """Return the words for a tracker, with its titles and its identities that look alike."""
        items: list[Customization] = []
        pins: list[Pin] = []
        for change in tracker.changes:
            items += change.pair.sides
            for pin in change.pins:
                pins += [side for side in (pin.old, pin.new) if side]
        alike = find_alike(collect_identities(items, pins))
        return replace(self, titles=tracker.names, marks=_find_marks(tracker.changes), alike=alike)

    def name_kinds(self) -> dict[ChangeKind, str]:
        """Return the words for each kind of change."""
        return {
            "added": self._describe_presence("added"),
            "changed": "changed",
            "recreated": "under a new id",
            "removed": self._describe_presence("removed"),
        }

    def _describe_presence(self, kind: str) -> str:
        """Return the words for an added or removed rule or pin."""
        return kind

    def _name_kind(self, kind: ChangeKind) -> str:
        return self.name_kinds()[kind]

    def describe_change(self, change: Change) -> Description:
        """Describe a change in full."""
        item = change.subject
        remarks = []
        if change.cause != "edited":
            remarks.append(_ALL_EXPLAINED[change.cause])
        if change.effect == "label":
            remarks.append("invisible to shoppers")
        if change.place:
            remarks.append(self.escape(f"{change.place.file}:{change.place.line}"))
        model = clip(compact(item.model, self.choose_spelling(item.model)), MAX_TITLE)
        lines = tuple(self._describe_lines(change))
        last_update = ""
        if change.updated_at is not None:
            last_update = f"last changed in the UI {self.format_moment(change.updated_at)}"
        return Description(
            kind=change.kind,
            name=self._name_marked_rule(item, change.data),
            model=self.escape(model),
            verdict=self._name_kind(change.kind),
            remarks=tuple(remarks),
            lines=lines,
            last_update=last_update,
        )

    def summarize_change(self, change: Change) -> tuple[str, str]:
        """Return the name of a customization, and the visible part of its change in a few words."""
        name = self._name_marked_rule(change.subject, change.data).name
        pins = change.pins
        fields = [each for each in change.fields if not _is_label(change, each)]
        counts = []
        if pins:
            counts.append(pluralize(len(pins), "pin"))
        if fields:
            counts.append(pluralize(len(fields), "field"))
        if change.kind in SIGNS:
            return name, ": ".join([self._name_kind(change.kind), *counts])
        if len(pins) == 1 and not fields:
            return name, self.describe_pin_change(pins[0])
        if len(fields) == 1 and not pins:
            return name, self.describe_field_change(fields[0])
        return name, ", ".join(counts)

    def _name_marked_rule(self, item: Customization, data: Mapping[str, Any]) -> RuleName:
        """Name a customization; add its id if only a target that others share would name it."""
        name = self.name_rule(item, data)
        mark = self.marks.get(item.id or "", "")
        if name.target or not mark:
            return name
        return RuleName(f"{name.name}, id {self.escape(mark)}")

    def _describe_lines(self, change: Change) -> Iterator[tuple[str, str]]:
        if change.kind in SIGNS:
            yield from self._describe_whole(change)
            return
        for pin in change.pins:
            yield SIGNS.get(pin.kind, CHANGED), self.describe_pin_change(pin)
        is_shown = change.effect == "shown"
        alike = find_alike(format_path(each.path) for each in change.fields)
        for each in change.fields:
            aside = " (invisible to shoppers)" if is_shown and _is_label(change, each) else ""
            spell = spell_out if format_path(each.path) in alike else reveal
            yield CHANGED, self.describe_field_change(each, spell) + aside

    def _describe_whole(self, change: Change) -> Iterator[tuple[str, str]]:
        """Yield the lines of an added or removed customization: pins and undocumented fields."""
        for pin in change.pins:
            yield SIGNS.get(pin.kind, CHANGED), self.describe_single_pin(pin)
        sign = SIGNS[change.kind]
        if not change.pins:
            yield sign, "no pins"
        unknown = {name: value for name, value in change.data.items() if name not in KNOWN}
        for name, value in unknown.items():
            yield sign, self.describe_field(name, value)

    def describe_single_pin(self, change: PinChange) -> str:
        """Describe a pin of an added or removed customization: ``position 1: /p/234/``."""
        return self.describe_pin(_choose_pin(change), _NOT_EDITED.get(change.cause, ""))

    def describe_pin_change(self, change: PinChange) -> str:
        """Describe the change of a pin: its position, item, kind of change, and changed fields.

        Examples: ``position 3: /p/234/ → /p/999/``, ``position 1: /p/234/ (moved 3 → 1)``,
        ``position 2: /p/9/ (only in live)``.
        """
        old, new = change.old, change.new
        if old is None or new is None:
            remark = self._describe_presence(change.kind)
            if change.cause in _NOT_EDITED:
                remark = f"{remark}: {_NOT_EDITED[change.cause]}"
            return self.describe_pin(_choose_pin(change), remark)
        place = self.describe_position(new)
        if old.data.get("widget_id") == new.data.get("widget_id"):
            # A changed widget follows at the end, with both sides.
            place += self.describe_widget(new)
        thing = self.describe_thing(new)
        remark = ""
        if change.kind == "moved":
            remark = self._describe_move(old, new)
        if change.kind == "replaced":
            # The title stands once if the item stays and the criteria or the type change.
            is_other_item = old.data.get("pin_identity") != new.data.get("pin_identity")
            after = self.describe_thing(new, old, with_title=is_other_item)
            thing = f"{self.describe_thing(old, new)} → {after}"
            remark = describe_thing_forms(old, new)
        return write_sentence(place, thing, remark, self._list_changed_facts(old, new))

    def describe_field_change(self, change: FieldChange, spell: Spelling = reveal) -> str:
        """Describe the change of a field: ``target_metadata.title: "A b" → "C d"``.

        Args:
            change: the change.
            spell: escapes the names of the field and of the objects around it.
        """
        # Metadata is prose: a no-break space in a title is no trick, and only looks like another
        # title without it.
        prose = str if change.path[0] == "target_metadata" else reveal
        name = self.escape(self.cut(one_line(format_path(change.path, spell))))
        return f"{name}: {self.format_sides(change.old, change.new, spell=prose)}"


class DriftWords(ChangeWords, frozen=True, kw_only=True):
    """Writes a drift in the words of one report.

    Attributes:
        drift: the drift.
    """

    drift: Drift

    def shorten_side(self, side: Side) -> str:
        """Name a side as below the legend: against live, every committed side is ``git``."""
        if self._is_against_live and _is_committed(side):
            return "git"
        return self.name_side(side)

    @property
    def _is_against_live(self) -> bool:
        return "@live" in (self.drift.old.source, self.drift.new.source)

    def explain_sides(self) -> tuple[str, str]:
        """Return the legend: the explanations of the left and the right side of an arrow."""
        return self._explain_side(self.drift.old), self._explain_side(self.drift.new)

    def _explain_side(self, side: Side) -> str:
        name = self.shorten_side(side)
        is_hash = side.revision is not None and side.revision.startswith(side.source)
        facts = []
        if name == "git" and not is_hash:
            facts.append(self.name_side(side))
        # A hash on the command line names its commit already, unless the name is "git".
        if side.revision and (name == "git" or not is_hash):
            facts.append(f"commit {self.escape(side.revision[:12])}")
        if side.fetched_at:
            facts.append(f"fetched {format_moment(side.fetched_at, self.zone)}")
        text = name
        if side.source in _GLOSSES:
            text += f", {_GLOSSES[side.source]}"
        if facts:
            text += f" ({', '.join(facts)})"
        return text

    def find_remedy(self, change: Change) -> Remedy | None:
        """Return the remedy of a change; None if no remedy is certain."""
        drift = self.drift
        if not _is_committed(drift.old) or drift.new.source != "@live":
            return None
        if change.kind == "removed" and change.id is None:
            return _ENTER
        return _TAKE if drift.is_complete and drift.is_unrestricted else None

    def find_remedies(self) -> list[Remedy]:
        """Return the distinct remedies of the drift, the command first."""
        remedies: set[Remedy | None] = set()
        for tracker in self.drift.trackers:
            remedies.update(map(self.find_remedy, tracker.changes))
        return [remedy for remedy in (_TAKE, _ENTER) if remedy in remedies]

    def name_kinds(self) -> dict[ChangeKind, str]:
        """Return the words for each kind of change.

        Against live, either side may be newer: the words only say which side has the rule. In
        other comparisons TO comes after FROM, and the words say that TO gained or lost the rule.
        """
        # super() fails in a dataclass with slots: the class cell holds the class without slots.
        words = ChangeWords.name_kinds(self)
        if not self._is_against_live:
            for kind in ("added", "removed"):
                words[kind] += f" in {self.shorten_side(self.drift.new)}"
        return words

    def _describe_presence(self, kind: str) -> str:
        if not self._is_against_live:
            return kind
        side = self.drift.new if kind == "added" else self.drift.old
        return f"only in {self.shorten_side(side)}"

    def _name_kind(self, kind: ChangeKind) -> str:
        word = self.name_kinds()[kind]
        if kind not in SIGNS or not self._is_against_live:
            return word
        other = self.drift.old if kind == "added" else self.drift.new
        return f"{word}, not in {self.shorten_side(other)}"

    def describe_counts(self, changes: Sequence[Change], unchanged: int) -> str:
        """Return a line with the count of each kind; the rare "recreated" needs no zero."""
        counts = Counter(change.kind for change in changes)
        parts = []
        for kind, word in self.name_kinds().items():
            if counts[kind] or kind != "recreated":
                parts.append(f"{counts[kind]:,} {word}")
        return ", ".join([*parts, self.describe_unchanged(changes, unchanged)])

    def describe_unchanged(self, changes: Sequence[Change], unchanged: int) -> str:
        """Return the counts that kinds don't tell: equal rules, and changes that nobody made."""
        line = f"{unchanged:,} the same"
        explained = sum(change.cause != "edited" for change in changes)
        if not explained:
            return line
        return f"{line}; {explained:,} without an edit (expired, or gone from the catalog)"

    def describe_state(self, tracker: TrackerDrift) -> str:
        """Return the state of one of several trackers."""
        if tracker.error:
            return "NOT COMPARED, see above"
        if not tracker.changes:
            return f"in sync ({pluralize(tracker.unchanged, 'customization')})"
        return self.describe_counts(tracker.changes, tracker.unchanged)


def _find_marks(changes: Sequence[Change]) -> dict[str, str]:
    """Abbreviate the ids of customizations that share a model and a target, each unambiguously."""
    groups: dict[tuple[str, Target], list[str]] = {}
    for change in changes:
        item = change.subject
        groups.setdefault((item.model, item.target), []).append(item.id or "")
    marks: dict[str, str] = {}
    for ids in groups.values():
        if len(ids) > 1:
            # Of sorted texts, neighbours have the longest common prefixes.
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
    # In a new repository HEAD has no commit yet, and so no revision.
    return side.revision is not None or side.source == "HEAD"


def _is_label(change: Change, field_change: FieldChange) -> bool:
    """Whether the change of this field alone would be invisible to shoppers."""
    return change.kind not in SIGNS and field_change.path[0] in LABELS
