"""The words of the reports for people: what a pin, a window, a field or a whole change is called.

All that comes from elsewhere passes through the report's own escape; everything else in a sentence is ours.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from pinsync.compare import title
from pinsync.compare.changes import plain_data
from pinsync.compare.drift import MISSING
from pinsync.reports.values import clipped, compact, moment, path_text, plural, read_moment, sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from pinsync.compare import Kind
    from pinsync.compare.drift import Cause, Change, Drift, FieldChange, PinChange, Side, TrackerDrift
    from pinsync.model import Customization

EVERYWHERE: Final = -1
BLOCKED: Final = 0
"""The two positions with a meaning of their own, in the words of the vendor's reference: global and block."""

SIGNS: Final[dict[str, str]] = {"added": "+", "removed": "-"}
"""The sign of a kind of change; that of any other is ``CHANGED``."""
CHANGED: Final = "~"

_CLEAR_TITLE: Final = re.compile(r"(?=\S)[^·→\"\n\r\t]+(?<=\S)")
"""A title that can't be taken for more than a name; any other stands in quotes."""

MAX_TITLE: Final = 120
"""The most characters of a title that are shown where it is a name; a change of it is shown in full."""

_MAX_PINNED: Final = 40
"""The same of the title of a pinned item, which stands in the middle of a sentence."""

_PLACES: Final = {"@live": "live", "@worktree": "the working tree", "@index": "the index"}
_GLOSSES: Final = {"@live": "what shoppers get now", "@worktree": "your files", "@index": "what is staged"}
_NOT_EDITED: Final[dict[Cause, str]] = {
    "expired": "expired, left out by the API",
    "catalog": "not in the catalog, left out by the API",
}
_ALL_EXPLAINED: Final[dict[Cause, str]] = {
    "expired": "nobody edited it: its pins have expired",
    "catalog": "nobody edited it: what it pins left the catalog",
}
_TYPES: Final = ("item", "criteria", "all")
_LARGE: Final = 1_000_000
"""No position is as large; and seven digits, on a page, could be a commit's hash."""
_KNOWN: Final = frozenset(
    ("id", "model", "target_type", "target_identity", "target_criteria", "tags", "target_metadata", "pin_definitions")
)
_TOLD: Final = frozenset(("position", "pin_type", "pin_identity", "pin_criteria", "widget_id"))
"""What a pin's sentence says by itself."""


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
        name: what a person calls the customization.
        target: what it applies to, if the name doesn't say so.
        model: its recommender model.
        verdict: the kind in words.
        remarks: why it differs, and where it stands.
        lines: what became of its pins and fields: each with a sign and a sentence.
        seen: when the vendor last saw a change; empty if that isn't known.
    """

    kind: Kind
    name: str
    target: str
    model: str
    verdict: str
    remarks: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    seen: str


@dataclass(frozen=True, slots=True)
class Wording:
    """How one report words things.

    Attributes:
        drift: what it is about.
        zone: the time zone of moments.
        data: the report's escape; what it returns is one line, whatever it gets.
        limit: the most characters of a value that are shown; None for all of it.
        names: the titles of pinned items, as far as they are known.
    """

    drift: Drift
    zone: tzinfo
    data: Callable[[str], str]
    limit: int | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def side(self, side: Side) -> str:
        """Return what a person calls a side: ``live``, ``the working tree``, or the source as it was spelled."""
        return _PLACES.get(side.source) or self.data(clipped(side.source, MAX_TITLE))

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

    def remedy(self) -> str:
        """Return the command that mends the drift; empty where that isn't sure."""
        drift = self.drift
        sure = drift.found and drift.complete and drift.whole and _is_committed(drift.old)
        return "pinsync export --commit" if sure and drift.new.source == "@live" else ""

    def kinds(self) -> dict[Kind, str]:
        """Return each kind of change in words.

        Against live they say who has what, since either may be the later one; otherwise TO comes after FROM.
        """
        where = "" if self._against_live else f" in {self.short(self.drift.new)}"
        came, went = (f"{self._has(kind)}{where}" for kind in ("added", "removed"))
        return {"added": came, "changed": "changed", "recreated": "under a new id", "removed": went}

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
        model = self.data(clipped(compact(item.model), MAX_TITLE))
        lines = tuple(self._lines(change, data))
        seen = "" if change.updated_at is None else f"last changed in the UI {self.moment(change.updated_at)}"
        called = self._called(item, data)
        return Entry(change.kind, *called, model, self._verdict(change.kind), tuple(remarks), lines, seen)

    def gist(self, change: Change) -> tuple[str, str]:
        """Return what a person calls a customization, and in a few words what shoppers may see of the change."""
        name, _ = self._called(change.subject, plain_data(change.subject))
        pins, fields = change.pins, [found for found in change.fields if not _is_label(change, found)]
        counts = [plural(len(found), noun) for found, noun in ((pins, "pin"), (fields, "field")) if found]
        if change.kind in SIGNS:
            return name, ": ".join([self._verdict(change.kind), *counts])
        if len(pins) + len(fields) == 1:
            return name, self.pin(pins[0]) if pins else self.field(fields[0])
        return name, ", ".join(counts)

    def _called(self, item: Customization, data: Mapping[str, Any]) -> tuple[str, str]:
        """Return a customization's name, and its target if the name doesn't say that."""
        named, target = title(data), self._target(item, data)
        if not named:
            return target, ""
        return self.data(clipped(named if _CLEAR_TITLE.fullmatch(named) else compact(named), MAX_TITLE)), target

    def _target(self, item: Customization, data: Mapping[str, Any]) -> str:
        kind = item.target.type
        wanted = [self._value(data[name]) for name in ("target_identity", "target_criteria") if name in data]
        if kind == "all" and not wanted:
            return "all requests"
        return " ".join([kind if kind in _TYPES else self._value(kind), *wanted])

    def _lines(self, change: Change, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        whole = change.kind in SIGNS
        for pin in change.pins:
            yield SIGNS.get(pin.kind, CHANGED), self.listed(pin) if whole else self.pin(pin)
        if whole:
            if not change.pins:
                yield SIGNS[change.kind], "no pins"
            unknown = {name: value for name, value in data.items() if name not in _KNOWN}
            yield from ((SIGNS[change.kind], self._named(name, value)) for name, value in unknown.items())
            return
        for found in change.fields:
            aside = " (invisible to shoppers)" if change.effect == "shown" and _is_label(change, found) else ""
            yield CHANGED, self.field(found) + aside

    def listed(self, change: PinChange) -> str:
        """Return a pin of a customization that came or went as a whole: ``position 1: /p/234/``."""
        return self._alone(_only(change), _NOT_EDITED.get(change.cause, ""))

    def pin(self, change: PinChange) -> str:
        """Return what happened to a pin: where it stands, what it shows, and what differs.

        ``position 3: /p/234/ → /p/999/``, ``position 1: /p/234/ (moved 3 → 1)``, ``position 2: /p/9/ (only in live)``.
        """
        old, new = change.old, change.new
        if old is None or new is None:
            remark = ": ".join(filter(None, [self._has(change.kind), _NOT_EDITED.get(change.cause)]))
            return self._alone(_only(change), remark)
        widget = self._widget(new) if old.get("widget_id") == new.get("widget_id") else ""
        before = f"{self._thing(old)} → " if change.kind == "replaced" else ""
        named = not before or old.get("pin_identity") != new.get("pin_identity")
        thing = before + self._thing(new, named=named)
        moved = self._move(old, new) if change.kind == "moved" else ""
        return sentence(self._position(new) + widget, thing, moved, self._facts_changed(old, new))

    def _alone(self, pin: Mapping[str, Any], remark: str) -> str:
        return sentence(self._where(pin), self._thing(pin), remark, self._facts(pin))

    def _move(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
        if all(_is_ordinary(pin) for pin in (old, new)):
            return f"moved {old['position']} → {new['position']}"
        return f"{self._position(old)} → {self._position(new)}"

    def _where(self, pin: Mapping[str, Any]) -> str:
        return self._position(pin) + self._widget(pin)

    def _position(self, pin: Mapping[str, Any]) -> str:
        if "position" not in pin:
            return "no position"
        if _is_at(pin, BLOCKED):
            return "blocked"
        if _is_at(pin, EVERYWHERE):
            return "every position"
        return f"position {pin['position'] if _is_ordinary(pin) else self._value(pin['position'])}"

    def _widget(self, pin: Mapping[str, Any]) -> str:
        return f" in widget {self._value(pin['widget_id'])}" if "widget_id" in pin else ""

    def _thing(self, pin: Mapping[str, Any], *, named: bool = True) -> str:
        parts = []
        if "pin_identity" in pin:
            parts.append(self._value(pin["pin_identity"]) + (self._title(pin["pin_identity"]) if named else ""))
        if "pin_criteria" in pin:
            parts.append(f"whatever matches {self._value(pin['pin_criteria'])}")
        kind = pin.get("pin_type")
        if not parts or kind not in ("item", "criteria"):
            parts.append(f"pin type {self._value(kind)}")
        return " and ".join(parts)

    def _title(self, identity: Any) -> str:  # noqa: ANN401 - any JSON value
        known = self.names.get(identity) if isinstance(identity, str) else None
        return f" {self.data(json.dumps(clipped(known, _MAX_PINNED), ensure_ascii=False))}" if known else ""

    def _facts(self, pin: Mapping[str, Any]) -> Iterator[str]:
        for name, value in pin.items():
            if name in ("active_from", "active_to"):
                yield f"{'from' if name == 'active_from' else 'until'} {self.moment(value)}"
            elif name not in _TOLD and not (name == "is_block_pin" and value is True and _is_at(pin, BLOCKED)):
                yield self._named(name, value)

    def _facts_changed(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
        for name in dict.fromkeys((*old, *new)):
            sides = [pin.get(name, MISSING) for pin in (old, new)]
            if name in _TOLD - {"widget_id"} or _text(sides[0]) == _text(sides[1]):
                continue
            if name in ("active_from", "active_to"):
                yield self._window(name, *sides)
            elif name == "widget_id":
                yield "widget {} → {}".format(*("none" if side is MISSING else self._value(side) for side in sides))
            else:
                yield self._arrow(name, *sides)

    def _window(self, name: str, old: Any, new: Any) -> str:  # noqa: ANN401 - any JSON value
        word, none = ("from", "no start") if name == "active_from" else ("until", "no end")
        texts = [none if side is MISSING else self.moment(side) for side in (old, new)]
        first = int(old is MISSING)  # the word stands before the first moment
        texts[first] = f"{word} {texts[first]}"
        return " → ".join(texts)

    def field(self, change: FieldChange) -> str:
        """Return what happened to a field: ``target_metadata.title: "A b" → "C d"``."""
        return self._arrow(self._cut(path_text(change.path)), change.old, change.new)

    def _arrow(self, name: str, old: Any, new: Any) -> str:  # noqa: ANN401 - any JSON value
        """Return both values; of long ones what follows their common beginning."""
        texts = [_text(side) for side in (old, new)]
        cut = self._start(*texts)
        sides = ("absent" if text is None else self._from(cut, text) for text in texts)
        return f"{self.data(name)}: {' → '.join(sides)}"

    def _start(self, old: str | None, new: str | None) -> int:
        """Return where to begin two texts, so that a difference far inside long ones is seen."""
        if self.limit is None or old is None or new is None or max(len(old), len(new)) <= self.limit:
            return 0
        pairs = enumerate(zip(old, new, strict=False))
        common = next((at for at, (one, other) in pairs if one != other), min(len(old), len(new)))
        return max(0, common - self.limit // 4)

    def _from(self, start: int, text: str) -> str:
        return self.data(self._cut("…" + text[start:] if start else text))

    def _named(self, name: str, value: Any) -> str:  # noqa: ANN401 - any JSON value
        return f"{self.data(self._cut(name))}: {self._value(value)}"

    def moment(self, value: Any) -> str:  # noqa: ANN401 - any JSON value
        """Return a date-time of the API in the report's time zone; what can't be read stays as it is."""
        found = read_moment(value) if isinstance(value, str) else None
        try:
            return moment(found[0], self.zone, found[1]) if found else self._value(value)
        except OverflowError:
            return self._value(value)

    def _value(self, value: Any) -> str:  # noqa: ANN401 - any JSON value
        return self.data(self._cut(compact(value)))

    def _cut(self, text: str) -> str:
        return text if self.limit is None else clipped(text, self.limit)


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


def _is_at(pin: Mapping[str, Any], position: int) -> bool:
    found = pin.get("position")
    return type(found) is int and found == position


def _is_ordinary(pin: Mapping[str, Any]) -> bool:
    found = pin.get("position")
    return type(found) is int and 0 < found < _LARGE


def _text(side: Any) -> str | None:  # noqa: ANN401 - any JSON value, or MISSING
    """Return the text of a value, by which two of them are told apart; Python's own ``==`` takes true for 1."""
    return None if side is MISSING else compact(side)
