"""The words of the reports of history: sentences for pins, fields and changes.

All foreign text passes through the report's own escape; the other words of a sentence are ours.
"""

from __future__ import annotations

from itertools import pairwise, starmap
from typing import TYPE_CHECKING, Any, Final, Self

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
    format_path,
    measure_common_prefix,
    write_sentence,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pinsync.canonical.pins import Pin
    from pinsync.drift.pairs import ChangeKind
    from pinsync.drift.record import (
        Change,
        FieldChange,
        PinChange,
        TrackerDrift,
    )
    from pinsync.model import Customization, Target
    from pinsync.reports.words.likeness import Spelling

SIGNS: Final[dict[str, str]] = {"added": "+", "removed": "-"}
"""Kind of change → its sign; the other kinds have the sign ``CHANGED``."""
CHANGED: Final = "~"
SHORT: Final = 8
"""The minimum number of characters of an abbreviated id."""


_VERDICTS: Final[dict[ChangeKind, str]] = {
    "added": "added",
    "changed": "changed",
    "recreated": "under a new id",
    "removed": "removed",
}


class Description(Struct, frozen=True):
    """A change in escaped words.

    Attributes:
        kind: the kind of change.
        name: the name of the customization.
        model: its recommender model.
        verdict: the kind in words.
        remarks: the effect and the place, where they are worth a mention.
        lines: a sign and a sentence for each changed pin and field.
    """

    kind: ChangeKind
    name: RuleName
    model: str
    verdict: str
    remarks: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]


class ChangeWords(Words, frozen=True, kw_only=True):
    """Writes changes of customizations in the words of one report.

    Attributes:
        marks: id → beginning of the id, for customizations that share a model and a target.
    """

    marks: Mapping[str, str] = field(default_factory=dict)

    def adapt_to(self, tracker: TrackerDrift) -> Self:
        """Return the words for a tracker, with its titles and its identities that look alike."""
        alike = find_alike_identities(tracker.changes)
        return replace(self, titles=tracker.names, marks=find_marks(tracker.changes), alike=alike)

    def describe_change(self, change: Change) -> Description:
        """Describe a change in full."""
        item = change.subject
        remarks = []
        if change.effect == "label":
            remarks.append("invisible to shoppers")
        if change.place:
            remarks.append(self.escape(f"{change.place.file}:{change.place.line}"))
        model = clip(compact(item.model, self.choose_spelling(item.model)), MAX_TITLE)
        lines = tuple(self._describe_lines(change))
        return Description(
            kind=change.kind,
            name=self._name_marked_rule(item, change.data),
            model=self.escape(model),
            verdict=_VERDICTS[change.kind],
            remarks=tuple(remarks),
            lines=lines,
        )

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
        return self.describe_pin(_choose_pin(change))

    def describe_pin_change(self, change: PinChange) -> str:
        """Describe the change of a pin: its position, item, kind of change, and changed fields.

        Examples: ``position 3: /p/234/ → /p/999/``, ``position 1: /p/234/ (moved 3 → 1)``,
        ``position 2: /p/9/ (added)``.
        """
        old, new = change.old, change.new
        if old is None or new is None:
            return self.describe_pin(_choose_pin(change), change.kind)
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


def find_alike_identities(changes: Iterable[Change]) -> frozenset[str]:
    """Return the identities in changes that look like another of them."""
    items: list[Customization] = []
    pins: list[Pin] = []
    for change in changes:
        items += change.pair.sides
        for pin in change.pins:
            pins += [side for side in (pin.old, pin.new) if side]
    return find_alike(collect_identities(items, pins))


def find_marks(changes: Sequence[Change]) -> dict[str, str]:
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


def _is_label(change: Change, field_change: FieldChange) -> bool:
    """Whether the change of this field alone would be invisible to shoppers."""
    return change.kind not in SIGNS and field_change.path[0] in LABELS
