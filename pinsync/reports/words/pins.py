"""What a customization, its pins, and what became of them are called; every report for people calls them the same.

All that comes from elsewhere passes through the report's own escape.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pinsync.canonical.fields import PIN_TYPES, PLACE, TARGET_TYPES, THING
from pinsync.canonical.moments import read_moment
from pinsync.canonical.pins import BLOCKED, EVERYWHERE
from pinsync.drift.changes import same
from pinsync.drift.pairs import read_title
from pinsync.drift.record import MISSING, Missing
from pinsync.escape import clipped, one_line, reveal
from pinsync.reports.words.likeness import describe_forms, spell_out, tell_apart
from pinsync.reports.words.values import compact, format_moment, write_sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from pinsync.canonical.pins import Pin
    from pinsync.drift.record import PinChange, Side
    from pinsync.model import Customization
    from pinsync.reports.words.likeness import Spelling

_CLEAR_TITLE: Final = re.compile(r"(?=\S)[^·→\"\n\r\t]+(?<=\S)")
"""A title that can't be taken for more than a name; any other stands in quotes."""

MAX_TITLE: Final = 120
"""The most characters of a title that are shown where it is a name; a change of it is shown in full."""

_MAX_PINNED: Final = 40
"""The same of the title of a pinned item, which stands in the middle of a sentence."""

_PLACES: Final = {"@live": "live", "@worktree": "the working tree", "@index": "the index", "-": "standard input"}
_LARGE: Final = 1_000_000
"""No position is as large; and seven digits, on a page, could be a commit's hash."""
_TOLD: Final = frozenset((*PLACE, *THING))
"""The fields that a pin's sentence says by itself."""
_ENDS: Final = {"active_from": ("from", "no start"), "active_to": ("until", "no end")}
"""The words for the ends of a window, and for their absence."""


class RuleName(NamedTuple):
    """What a person calls a customization, escaped: its name, and its target if the name doesn't say that."""

    name: str
    target: str = ""

    @property
    def aside(self) -> str:
        """The target as it follows the name; empty if the name says it."""
        return f" ({self.target})" if self.target else ""

    @property
    def full(self) -> str:
        """Both: ``Strings (item /p/123/)``."""
        return self.name + self.aside


@dataclass(frozen=True, slots=True)
class Words:
    """How one report calls things.

    Attributes:
        zone: the time zone of moments.
        data: the report's escape; what it returns is one line, whatever it gets.
        limit: the most characters of a value that are shown; None for all of it.
        titles: the titles of pinned items, as far as they are known.
        alike: the identities in the report that look like another of them.
    """

    zone: tzinfo
    escape: Callable[[str], str]
    limit: int | None = None
    titles: Mapping[str, str] = field(default_factory=dict)
    alike: Collection[str] = frozenset()

    def name_side(self, side: Side) -> str:
        """Return what a person calls a side: ``live``, ``the working tree``, or the source as it was spelled."""
        return _PLACES.get(side.source) or self.escape(clipped(side.source, MAX_TITLE))

    def name_origin(self, side: Side) -> str:
        """Return what a person calls a side, with the commit that it names: ``HEAD (commit 3f2a1bc9d0e1)``."""
        named = side.revision is None or side.revision.startswith(side.source)
        return self.name_side(side) if named else f"{self.name_side(side)} (commit {str(side.revision)[:12]})"

    def name_rule(self, item: Customization, data: Mapping[str, Any]) -> RuleName:
        """Return what a person calls a customization."""
        named, target = read_title(data), self._name_target(item, data)
        if not named:
            return RuleName(target)
        name = clipped(named if _CLEAR_TITLE.fullmatch(named) else compact(named, str), MAX_TITLE)
        return RuleName(self.escape(name), target)

    def _name_target(self, item: Customization, data: Mapping[str, Any]) -> str:
        kind = item.target.type
        wanted = [self.format_value(data[name]) for name in ("target_identity", "target_criteria") if name in data]
        if kind == "all" and not wanted:
            return "all requests"
        return " ".join([kind if kind in TARGET_TYPES else self.format_value(kind), *wanted])

    def describe_pin(self, pin: Pin, remark: str = "", other: Pin | None = None) -> str:
        """Return all that a pin says: ``position 1: /p/234/ "Titanium strap", until 24 Dec 2026 12:00 CET``.

        Args:
            pin: the pin.
            remark: a remark on it.
            other: the pin that it replaced, if it did.
        """
        return write_sentence(self.describe_place(pin), self.describe_thing(pin, other), remark, self.list_facts(pin))

    def describe_place(self, pin: Pin) -> str:
        """Return where a pin stands: ``position 1 in widget hero``."""
        return self.describe_position(pin) + self.describe_widget(pin)

    def describe_position(self, pin: Pin, other: Any = MISSING) -> str:  # noqa: ANN401 - any JSON value
        """Return a pin's position, by what it means where it has a meaning of its own.

        Args:
            pin: the pin.
            other: another position that it must not look like.
        """
        if "position" not in pin.data:
            return "no position"
        if pin.position == BLOCKED:
            return "blocked"
        if pin.position == EVERYWHERE:
            return "every position"
        if _is_ordinary(pin):
            return f"position {pin.position}"
        return f"position {self.format_value(pin.data['position'], other)}"

    def describe_widget(self, pin: Pin) -> str:
        """Return the widget that a pin counts in, as what follows another word; empty if it names none."""
        data = pin.data
        return f" in widget {self.format_value(data['widget_id'])}" if "widget_id" in data else ""

    def describe_thing(self, pin: Pin, other: Pin | None = None, *, named: bool = True) -> str:
        """Return what a pin holds: ``/p/234/ "Titanium strap"``, ``whatever matches {price: {lt: 20}}``.

        Args:
            pin: the pin.
            other: the pin that it replaced, or that replaced it.
            named: whether to add the title of its item.
        """
        data = pin.data
        there = {} if other is None else other.data
        parts = []
        if "pin_identity" in data:
            identity = self.format_value(data["pin_identity"], there.get("pin_identity", MISSING))
            parts.append(identity + (self._quote_title(pin) if named else ""))
        if "pin_criteria" in data:
            criteria = self.format_value(data["pin_criteria"], there.get("pin_criteria", MISSING))
            parts.append(f"whatever matches {criteria}")
        if not parts or _has_odd_type(pin) or (other and _differ_in_type_alone(pin, other)):
            kind = self.format_value(data.get("pin_type"), there.get("pin_type", MISSING))
            parts.append(f"pin type {kind}")
        return " and ".join(parts)

    def _quote_title(self, pin: Pin) -> str:
        known = None if pin.identity is None else self.titles.get(pin.identity)
        return f" {self.escape(json.dumps(clipped(known, _MAX_PINNED), ensure_ascii=False))}" if known else ""

    def list_facts(self, pin: Pin) -> Iterator[str]:
        """Yield what else a pin says: the ends of its window, flags, and fields that aren't documented."""
        is_block = pin.position == BLOCKED and pin.data.get("is_block_pin") is True
        for name, value in pin.data.items():
            if name in _ENDS:
                yield f"{_ENDS[name][0]} {self.format_moment(value)}"
            elif name not in _TOLD and not (name == "is_block_pin" and is_block):
                yield self.describe_field(name, value)

    def describe_field(self, name: str, value: Any) -> str:  # noqa: ANN401 - any JSON value
        """Return a field with its value."""
        return f"{self._format_name(name)}: {self.format_value(value)}"

    def _format_name(self, name: str) -> str:
        """Return the name of a field: in ASCII, as every documented name is, so that no two look alike."""
        return self.escape(self.cut(one_line(spell_out(name))))

    def format_moment(self, value: Any, other: Any = MISSING) -> str:  # noqa: ANN401 - any JSON value
        """Return a date-time of the API in the report's time zone; what can't be read stays as it is.

        Args:
            value: the date-time.
            other: another value that it must not look like.
        """
        found = read_moment(value) if isinstance(value, str) else None
        try:
            return format_moment(found[0], self.zone, found[1]) if found else self.format_value(value, other)
        except OverflowError:
            return self.format_value(value, other)

    def format_value(self, value: Any, other: Any = MISSING, spell: Spelling = reveal) -> str:  # noqa: ANN401 - any JSON value
        """Return a value on one line, escaped, and cut where the report has no room for all of it.

        Args:
            value: the value.
            other: another value that it must not look like.
            spell: how to spell its strings as long as it doesn't.
        """
        if other is not MISSING and not _is_same(value, other):
            spell = self.choose_spelling(other, self.choose_spelling(value, spell))
            return self.escape(tell_apart(value, other, self.limit, spell)[0])
        return self.escape(self.cut(one_line(compact(value, self.choose_spelling(value, spell)))))

    def choose_spelling(self, value: Any, spell: Spelling = reveal) -> Spelling:  # noqa: ANN401 - any JSON value
        """Return how to spell a value that may be an identity that looks like another."""
        return spell_out if isinstance(value, str) and value in self.alike else spell

    def cut(self, text: str) -> str:
        """Return a text, or its beginning where the report has no room for all of it."""
        return text if self.limit is None else clipped(text, self.limit)

    def describe_event(self, change: PinChange) -> str:
        """Return what happened to a pin that is there still: ``added``, ``moved 3 → 1``, ``replaced /p/9/``."""
        old, new = change.old, change.new
        if old is None or new is None:
            return change.kind
        parts = []
        if change.kind == "replaced":
            parts.append(f"replaced {self.describe_thing(old, new)}" + _enclose(describe_thing_forms(old, new)))
        if change.kind == "moved":
            parts.append(self._describe_move(old, new))
        return ", ".join([*parts, *self._list_changed_facts(old, new)])

    def _describe_move(self, old: Pin, new: Pin) -> str:
        if _is_ordinary(old) and _is_ordinary(new):
            return f"moved {old.position} → {new.position}"
        positions = [pin.data.get("position", MISSING) for pin in (old, new)]
        return f"{self.describe_position(old, positions[1])} → {self.describe_position(new, positions[0])}"

    def _list_changed_facts(self, old: Pin, new: Pin) -> Iterator[str]:
        for name in dict.fromkeys((*old.data, *new.data)):
            sides = [pin.data.get(name, MISSING) for pin in (old, new)]
            if _is_same(*sides) or (name in _TOLD - {"widget_id"} and not _are_empty(sides)):
                continue
            if name in _ENDS:
                yield self._describe_window(name, *sides)
            elif name == "widget_id":
                yield f"widget {self.format_sides(*sides, none='none')}"
            else:
                yield f"{self._format_name(name)}: {self.format_sides(*sides)}"

    def _describe_window(self, name: str, old: Any, new: Any) -> str:  # noqa: ANN401 - any JSON value
        word, none = _ENDS[name]
        texts = [
            none if old is MISSING else self.format_moment(old, new),
            none if new is MISSING else self.format_moment(new, old),
        ]
        if texts[0] == texts[1]:  # An hour that comes twice may have one name: in Moscow it was MSK twice in 2014.
            texts = [self.format_value(old), self.format_value(new)]
        first = int(old is MISSING)  # the word stands before the first moment
        texts[first] = f"{word} {texts[first]}"
        return " → ".join(texts)

    def format_sides(self, old: Any, new: Any, *, none: str = "absent", spell: Spelling = reveal) -> str:  # noqa: ANN401
        """Return both values; of long ones what follows their common beginning.

        Args:
            old: any JSON value, or MISSING.
            new: the same of the other side.
            none: the word for MISSING.
            spell: how to spell their strings as long as they don't look alike.
        """
        if MISSING in (old, new):
            return " → ".join(none if side is MISSING else self.format_value(side, spell=spell) for side in (old, new))
        sides = (self.format_value(old, new, spell), self.format_value(new, old, spell))
        return " → ".join(sides) + _enclose(describe_forms(old, new))


def collect_identities(items: Iterable[Customization], pins: Iterable[Pin]) -> Iterator[str]:
    """Yield the models, targets, items and widgets that a report names."""
    for item in items:
        yield item.model
        if item.target.identity is not None:
            yield item.target.identity
    for pin in pins:
        yield from (name for name in (pin.identity, pin.widget) if name is not None)


def _is_ordinary(pin: Pin) -> bool:
    """Whether a pin's position is a number that needs no quotes."""
    return pin.position is not None and 0 < pin.position < _LARGE


def _is_same(old: Any, new: Any) -> bool:  # noqa: ANN401 - any JSON value, or MISSING
    # Canonical text tells 1 from true, but takes longer, and most values are strings.
    if isinstance(old, str | Missing) or isinstance(new, str | Missing):
        return bool(old == new)
    return same(old, new)


def _are_empty(sides: Sequence[Any]) -> bool:
    """Whether the one side is null and the other lacks the field, which look the same in the rest of the sentence."""
    return all(side is None or side is MISSING for side in sides)


def _has_odd_type(pin: Pin) -> bool:
    return pin.data.get("pin_type") not in PIN_TYPES


def _differ_in_type_alone(pin: Pin, other: Pin) -> bool:
    """Whether two pins hold the same, the one as an item and the other as criteria."""
    fields = ("pin_identity", "pin_criteria")
    return not _has_odd_type(other) and all(
        _is_same(pin.data.get(name, MISSING), other.data.get(name, MISSING)) for name in fields
    )


def describe_thing_forms(old: Pin, new: Pin) -> str:
    """Return how what two pins hold differs, if only in Unicode normalization."""
    sides = [(old.data.get(name), new.data.get(name)) for name in THING]
    remarks = {describe_forms(*both) for both in sides if both[0] != both[1]}
    return remarks.pop() if len(remarks) == 1 else ""


def _enclose(remark: str) -> str:
    return f" ({remark})" if remark else ""
