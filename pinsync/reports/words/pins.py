"""The names of customizations and pins, and the words for their fields, in all reports for people.

All foreign text passes through the report's own escape.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import Struct, field

from pinsync.canonical.fields import PIN_TYPES, PLACE, TARGET_TYPES, THING
from pinsync.canonical.moments import read_moment
from pinsync.canonical.pins import BLOCKED, EVERYWHERE
from pinsync.drift.changes import has_same_text
from pinsync.drift.pairs import read_title
from pinsync.drift.record import MISSING, Missing
from pinsync.escape import clip, one_line, reveal
from pinsync.reports.words.likeness import describe_forms, spell_out, tell_apart
from pinsync.reports.words.values import compact, format_moment, is_plain_word, write_sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from pinsync.canonical.pins import Pin
    from pinsync.drift.record import PinChange, Side
    from pinsync.model import Customization
    from pinsync.reports.words.likeness import Spelling

_CLEAR_TITLE: Final = re.compile(r"(?=\S)[^·→\"\n\r\t]+(?<=\S)")
"""A title that needs no quotes: nothing in it reads as a part of the sentence around it."""

MAX_TITLE: Final = 120
"""The maximum length of a title that names a rule. A change of the title is shown in full."""

_MAX_PINNED: Final = 40
"""The maximum length of a pinned item's title, which stands in the middle of a sentence."""

_PLACES: Final = {
    "@live": "live",
    "@worktree": "the working tree",
    "@index": "the index",
    "-": "standard input",
}
_LARGE: Final = 1_000_000
"""Positions from here on are quoted: on a page, seven digits could be a commit's hash."""
SPOKEN_FIELDS: Final = frozenset((*PLACE, *THING))
"""The fields that a pin's sentence says by itself."""
_ENDS: Final = {"active_from": ("from", "no start"), "active_to": ("until", "no end")}
"""The words for the ends of a window, and for their absence."""


class RuleName(NamedTuple):
    """The escaped name of a customization: its title and target, or its target as the name."""

    name: str
    target: str = ""

    @property
    def aside(self) -> str:
        """The target in brackets, to follow the name; empty if the name is the target."""
        return f" ({self.target})" if self.target else ""

    @property
    def full(self) -> str:
        """The name with the target: ``Strings (item /p/123/)``."""
        return self.name + self.aside


class Words(Struct, frozen=True):
    """Writes customizations, pins and values in the words of one report.

    Attributes:
        zone: the time zone of moments.
        escape: the report's escape, which turns any text into one safe line.
        limit: the maximum length of a value; None for no limit.
        titles: identity → title, for items with a known title.
        alike: the report's identities that look like another identity in it.
    """

    zone: tzinfo
    escape: Callable[[str], str]
    limit: int | None = None
    titles: Mapping[str, str] = field(default_factory=dict)
    alike: Collection[str] = frozenset()

    def name_side(self, side: Side) -> str:
        """Name a side: ``live``, ``the working tree``, or the source as the user spelled it."""
        return _PLACES.get(side.source) or self.escape(clip(side.source, MAX_TITLE))

    def name_origin(self, side: Side) -> str:
        """Name a side with its commit: ``HEAD (commit 3f2a1bc9d0e1)``."""
        name = self.name_side(side)
        if side.revision is None or side.revision.startswith(side.source):
            return name
        return f"{name} (commit {side.revision[:12]})"

    def name_rule(self, item: Customization, data: Mapping[str, Any]) -> RuleName:
        """Name a customization by its title, else by its target's, else by the target itself."""
        # The rule's own title first: a person may have given it, and TARGET may name it.
        title = read_title(data) or self.titles.get(item.target.identity or "")
        target = self._name_target(item, data)
        if not title:
            return RuleName(target)
        name = title if _CLEAR_TITLE.fullmatch(title) else compact(title, str)
        return RuleName(self.escape(clip(name, MAX_TITLE)), target)

    def _name_target(self, item: Customization, data: Mapping[str, Any]) -> str:
        kind = item.target.type
        fields = ("target_identity", "target_criteria")
        wanted = [self.format_value(data[name]) for name in fields if name in data]
        if kind == "all" and not wanted:
            return "all requests"
        return " ".join([kind if kind in TARGET_TYPES else self.format_value(kind), *wanted])

    def describe_pin(self, pin: Pin, remark: str = "", other: Pin | None = None) -> str:
        """Return the whole sentence of a pin.

        Example: ``position 1: /p/234/ "Titanium strap", until 24 Dec 2026 12:00 CET``.

        Args:
            pin: the pin.
            remark: a remark in brackets.
            other: the pin that it replaced, if any.
        """
        place, thing = self.describe_place(pin), self.describe_thing(pin, other)
        return write_sentence(place, thing, remark, self.list_facts(pin))

    def describe_place(self, pin: Pin) -> str:
        """Return the position and widget of a pin: ``position 1 in widget hero``."""
        return self.describe_position(pin) + self.describe_widget(pin)

    def describe_position(self, pin: Pin, other: Any = MISSING) -> str:  # noqa: ANN401
        """Return the position of a pin, as a word if the position has a special meaning.

        Args:
            pin: the pin.
            other: a position that must not look like the pin's.
        """
        if "position" not in pin.data:
            return "no position"
        if pin.position == BLOCKED:
            return "blocked"
        if pin.position == EVERYWHERE:
            return "every position"
        if has_ordinary_position(pin):
            return f"position {pin.position}"
        return f"position {self.format_value(pin.data['position'], other)}"

    def describe_widget(self, pin: Pin) -> str:
        """Return the words for a pin's widget, to follow the position; empty without a widget."""
        if "widget_id" not in pin.data:
            return ""
        return f" in widget {self.format_value(pin.data['widget_id'])}"

    def describe_thing(self, pin: Pin, other: Pin | None = None, *, with_title: bool = True) -> str:
        """Return the words for a pin's item or criteria.

        Examples: ``/p/234/ "Titanium strap"``, ``whatever matches {price: {lt: 20}}``.

        Args:
            pin: the pin.
            other: a pin that must not look like it: the replaced or the replacing pin.
            with_title: whether to add the title of the item.
        """
        parts = []
        if "pin_identity" in pin.data:
            title = self._quote_title(pin) if with_title else ""
            parts.append(self._format_field("pin_identity", pin, other) + title)
        if "pin_criteria" in pin.data:
            parts.append(f"whatever matches {self._format_field('pin_criteria', pin, other)}")
        # The type is redundant, unless it is missing or odd, or all that tells two pins apart.
        if not parts or _has_odd_type(pin) or (other and _differ_in_type_alone(pin, other)):
            parts.append(f"pin type {self._format_field('pin_type', pin, other)}")
        return " and ".join(parts)

    def _format_field(self, name: str, pin: Pin, other: Pin | None) -> str:
        opposite = MISSING if other is None else other.data.get(name, MISSING)
        return self.format_value(pin.data.get(name), opposite)

    def _quote_title(self, pin: Pin) -> str:
        title = None
        if pin.identity is not None:
            title = self.titles.get(pin.identity)
        if not title:
            return ""
        return f" {self.escape(json.dumps(clip(title, _MAX_PINNED), ensure_ascii=False))}"

    def list_facts(self, pin: Pin, other: Pin | None = None) -> Iterator[str]:
        """Yield the other fields of a pin: ends of the window, flags, undocumented fields.

        Args:
            pin: the pin.
            other: the pin on the other side, whose fields must not look like the pin's.
        """
        is_block = pin.position == BLOCKED and pin.data.get("is_block_pin") is True
        for name, value in pin.data.items():
            opposite = MISSING if other is None else other.data.get(name, MISSING)
            if name in _ENDS:
                yield f"{_ENDS[name][0]} {self._format_end(value, opposite)}"
            elif name not in SPOKEN_FIELDS and not (name == "is_block_pin" and is_block):
                yield f"{self._format_name(name)}: {self.format_value(value, opposite)}"

    def _format_end(self, value: Any, other: Any) -> str:  # noqa: ANN401
        text = self.format_moment(value, other)
        # An hour that comes twice may have one name: in Moscow it was MSK twice in 2014.
        if other is MISSING or is_same(value, other) or text != self.format_moment(other, value):
            return text
        return self.format_value(value, other)

    def describe_field(self, name: str, value: Any) -> str:  # noqa: ANN401
        """Return a field with its value."""
        return f"{self._format_name(name)}: {self.format_value(value)}"

    def _format_name(self, name: str) -> str:
        # All documented names are ASCII. In ASCII no two names look alike.
        return self.escape(self.cut(one_line(spell_out(name))))

    def format_moment(self, value: Any, other: Any = MISSING) -> str:  # noqa: ANN401
        """Write a date-time of the API in the report's time zone; leave other values as they are.

        Args:
            value: the date-time.
            other: a value that must not look like it.
        """
        parts = None
        if isinstance(value, str):
            parts = read_moment(value)
        if parts:
            moment, fraction = parts
            try:
                return format_moment(moment, self.zone, fraction)
            except OverflowError:
                # East of Greenwich, 9999-12-31T23:59:59Z is in the year 10000.
                pass
        return self.format_value(value, other)

    def format_value(
        self,
        value: Any,  # noqa: ANN401
        other: Any = MISSING,  # noqa: ANN401
        spell: Spelling = reveal,
    ) -> str:
        """Write a JSON value on one line, escaped and cut to the report's limit.

        Args:
            value: the value.
            other: a value that must not look like it.
            spell: escapes strings that don't look like another string.
        """
        if is_plain_word(value) and self._is_short(value) and self._is_short(other):
            return self.escape(value)
        spell = self.choose_spelling(value, spell)
        if other is MISSING or is_same(value, other):
            return self.escape(self.cut(one_line(compact(value, spell))))
        spell = self.choose_spelling(other, spell)
        return self.escape(tell_apart(value, other, self.limit, spell)[0])

    def _is_short(self, value: Any) -> bool:  # noqa: ANN401
        """Whether a text needn't be cut; a missing value has no text."""
        if value is MISSING or self.limit is None:
            return True
        return isinstance(value, str) and len(value) <= self.limit

    def choose_spelling(self, value: Any, spell: Spelling = reveal) -> Spelling:  # noqa: ANN401
        """Return `spell_out` for an identity that looks like another, else the given spelling."""
        if isinstance(value, str) and value in self.alike:
            return spell_out
        return spell

    def cut(self, text: str) -> str:
        """Cut a text to the report's limit."""
        if self.limit is None:
            return text
        return clip(text, self.limit)

    def describe_event(self, change: PinChange) -> str:
        """Return the change of a pin that still exists.

        Examples: ``added``, ``moved 3 → 1``, ``replaced /p/9/``.
        """
        old, new = change.old, change.new
        if old is None or new is None:
            return change.kind
        parts = []
        if change.kind == "replaced":
            thing = self.describe_thing(old, new)
            parts.append(f"replaced {thing}" + _enclose(describe_thing_forms(old, new)))
        if change.kind == "moved":
            parts.append(self._describe_move(old, new))
        return ", ".join([*parts, *self._list_changed_facts(old, new)])

    def _describe_move(self, old: Pin, new: Pin) -> str:
        if has_ordinary_position(old) and has_ordinary_position(new):
            return f"moved {old.position} → {new.position}"
        before = self.describe_position(old, new.data.get("position", MISSING))
        after = self.describe_position(new, old.data.get("position", MISSING))
        return f"{before} → {after}"

    def _list_changed_facts(self, old: Pin, new: Pin) -> Iterator[str]:
        for name in dict.fromkeys((*old.data, *new.data)):
            sides = [pin.data.get(name, MISSING) for pin in (old, new)]
            if is_same(*sides) or (name in SPOKEN_FIELDS - {"widget_id"} and not _are_empty(sides)):
                continue
            if name in _ENDS:
                yield self._describe_window(name, *sides)
            elif name == "widget_id":
                yield f"widget {self.format_sides(*sides, none='none')}"
            else:
                yield f"{self._format_name(name)}: {self.format_sides(*sides)}"

    def _describe_window(self, name: str, old: Any, new: Any) -> str:  # noqa: ANN401
        word, none = _ENDS[name]
        if old is MISSING:
            return f"{none} → {word} {self.format_moment(new)}"
        if new is MISSING:
            return f"{word} {self.format_moment(old)} → {none}"
        return f"{word} {self._format_end(old, new)} → {self._format_end(new, old)}"

    def format_sides(
        self,
        old: Any,  # noqa: ANN401
        new: Any,  # noqa: ANN401
        *,
        none: str = "absent",
        spell: Spelling = reveal,
    ) -> str:
        """Write the old and the new value, so that they don't look alike.

        Args:
            old: any JSON value, or MISSING.
            new: any JSON value, or MISSING.
            none: the word for MISSING.
            spell: escapes strings in values that look different anyway.
        """
        if old is MISSING:
            return f"{none} → {self.format_value(new, old, spell)}"
        if new is MISSING:
            return f"{self.format_value(old, new, spell)} → {none}"
        before, after = self.format_value(old, new, spell), self.format_value(new, old, spell)
        return f"{before} → {after}" + _enclose(describe_forms(old, new))


def collect_identities(items: Iterable[Customization], pins: Iterable[Pin]) -> Iterator[str]:
    """Yield the models, targets, items and widgets that a report names."""
    for item in items:
        yield item.model
        if item.target.identity is not None:
            yield item.target.identity
    for pin in pins:
        yield from (name for name in (pin.identity, pin.widget) if name is not None)


def has_ordinary_position(pin: Pin) -> bool:
    """Whether a pin's position is a number that needs no quotes."""
    return pin.position is not None and 0 < pin.position < _LARGE


def is_same(old: Any, new: Any) -> bool:  # noqa: ANN401
    """Whether two JSON values, or MISSING, have the same canonical text."""
    # Canonical text tells 1 from true, but takes longer, and most values are strings.
    if isinstance(old, str | Missing) or isinstance(new, str | Missing):
        return bool(old == new)
    return has_same_text(old, new)


def _are_empty(sides: Sequence[Any]) -> bool:
    # A field with null and a missing field read the same in the rest of the sentence.
    return all(side is None or side is MISSING for side in sides)


def _has_odd_type(pin: Pin) -> bool:
    return pin.data.get("pin_type") not in PIN_TYPES


def _differ_in_type_alone(pin: Pin, other: Pin) -> bool:
    """Whether two pins have the same identity and criteria, but another type."""
    if _has_odd_type(other):
        return False
    fields = ("pin_identity", "pin_criteria")
    for name in fields:
        if not is_same(pin.data.get(name, MISSING), other.data.get(name, MISSING)):
            return False
    return not _has_odd_type(other)


def describe_thing_forms(old: Pin, new: Pin) -> str:
    """Describe a difference of two pins in nothing but Unicode normalization; else return ""."""
    remarks = set()
    for name in THING:
        before, after = old.data.get(name), new.data.get(name)
        if before != after:
            remarks.add(describe_forms(before, after))
    return remarks.pop() if len(remarks) == 1 else ""


def _enclose(remark: str) -> str:
    return f" ({remark})" if remark else ""
