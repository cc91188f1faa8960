"""What a customization, its pins, and what became of them are called; every report for people calls them the same.

All that comes from elsewhere passes through the report's own escape.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pinsync.compare import title
from pinsync.compare.drift import MISSING
from pinsync.compare.shelf import BLOCKED, EVERYWHERE, is_at
from pinsync.reports.values import clipped, compact, moment, read_moment, sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import tzinfo

    from pinsync.compare.drift import PinChange, Side
    from pinsync.model import Customization

_CLEAR_TITLE: Final = re.compile(r"(?=\S)[^·→\"\n\r\t]+(?<=\S)")
"""A title that can't be taken for more than a name; any other stands in quotes."""

MAX_TITLE: Final = 120
"""The most characters of a title that are shown where it is a name; a change of it is shown in full."""

_MAX_PINNED: Final = 40
"""The same of the title of a pinned item, which stands in the middle of a sentence."""

_PLACES: Final = {"@live": "live", "@worktree": "the working tree", "@index": "the index"}
_TYPES: Final = ("item", "criteria", "all")
_LARGE: Final = 1_000_000
"""No position is as large; and seven digits, on a page, could be a commit's hash."""
KNOWN: Final = frozenset(
    ("id", "model", "target_type", "target_identity", "target_criteria", "tags", "target_metadata", "pin_definitions")
)
"""The fields of a customization that are documented."""
TOLD: Final = frozenset(("position", "pin_type", "pin_identity", "pin_criteria", "widget_id"))
"""What a pin's sentence says by itself."""


class Called(NamedTuple):
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
        names: the titles of pinned items, as far as they are known.
    """

    zone: tzinfo
    data: Callable[[str], str]
    limit: int | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def side(self, side: Side) -> str:
        """Return what a person calls a side: ``live``, ``the working tree``, or the source as it was spelled."""
        return _PLACES.get(side.source) or self.data(clipped(side.source, MAX_TITLE))

    def origin(self, side: Side) -> str:
        """Return what a person calls a side, with the commit that it names: ``HEAD (commit 3f2a1bc9d0e1)``."""
        named = side.revision is None or side.revision.startswith(side.source)
        return self.side(side) if named else f"{self.side(side)} (commit {str(side.revision)[:12]})"

    def called(self, item: Customization, data: Mapping[str, Any]) -> Called:
        """Return what a person calls a customization."""
        named, target = title(data), self._target(item, data)
        if not named:
            return Called(target)
        name = clipped(named if _CLEAR_TITLE.fullmatch(named) else compact(named), MAX_TITLE)
        return Called(self.data(name), target)

    def _target(self, item: Customization, data: Mapping[str, Any]) -> str:
        kind = item.target.type
        wanted = [self.value(data[name]) for name in ("target_identity", "target_criteria") if name in data]
        if kind == "all" and not wanted:
            return "all requests"
        return " ".join([kind if kind in _TYPES else self.value(kind), *wanted])

    def alone(self, pin: Mapping[str, Any], remark: str = "") -> str:
        """Return all that a pin says: ``position 1: /p/234/ "Titanium strap", until 24 Dec 2026 12:00 CET``."""
        return sentence(self.where(pin), self.thing(pin), remark, self.facts(pin))

    def where(self, pin: Mapping[str, Any]) -> str:
        """Return where a pin stands: ``position 1 in widget hero``."""
        return self.position(pin) + self.widget(pin)

    def position(self, pin: Mapping[str, Any]) -> str:
        """Return a pin's position, by what it means where it has a meaning of its own."""
        if "position" not in pin:
            return "no position"
        if is_at(pin, BLOCKED):
            return "blocked"
        if is_at(pin, EVERYWHERE):
            return "every position"
        return f"position {pin['position'] if is_ordinary(pin) else self.value(pin['position'])}"

    def widget(self, pin: Mapping[str, Any]) -> str:
        """Return the widget that a pin counts in, as what follows another word; empty if it names none."""
        return f" in widget {self.value(pin['widget_id'])}" if "widget_id" in pin else ""

    def thing(self, pin: Mapping[str, Any], *, named: bool = True) -> str:
        """Return what a pin holds: ``/p/234/ "Titanium strap"``, ``whatever matches {price: {lt: 20}}``."""
        parts = []
        if "pin_identity" in pin:
            parts.append(self.value(pin["pin_identity"]) + (self._title(pin["pin_identity"]) if named else ""))
        if "pin_criteria" in pin:
            parts.append(f"whatever matches {self.value(pin['pin_criteria'])}")
        kind = pin.get("pin_type")
        if not parts or kind not in ("item", "criteria"):
            parts.append(f"pin type {self.value(kind)}")
        return " and ".join(parts)

    def _title(self, identity: Any) -> str:  # noqa: ANN401 - any JSON value
        known = self.names.get(identity) if isinstance(identity, str) else None
        return f" {self.data(json.dumps(clipped(known, _MAX_PINNED), ensure_ascii=False))}" if known else ""

    def facts(self, pin: Mapping[str, Any]) -> Iterator[str]:
        """Yield what else a pin says: the ends of its window, flags, and fields that aren't documented."""
        for name, value in pin.items():
            if name in ("active_from", "active_to"):
                yield f"{'from' if name == 'active_from' else 'until'} {self.moment(value)}"
            elif name not in TOLD and not (name == "is_block_pin" and value is True and is_at(pin, BLOCKED)):
                yield self.named(name, value)

    def named(self, name: str, value: Any) -> str:  # noqa: ANN401 - any JSON value
        """Return a field with its value."""
        return f"{self.data(self.cut(name))}: {self.value(value)}"

    def moment(self, value: Any) -> str:  # noqa: ANN401 - any JSON value
        """Return a date-time of the API in the report's time zone; what can't be read stays as it is."""
        found = read_moment(value) if isinstance(value, str) else None
        try:
            return moment(found[0], self.zone, found[1]) if found else self.value(value)
        except OverflowError:
            return self.value(value)

    def value(self, value: Any) -> str:  # noqa: ANN401 - any JSON value
        """Return a value on one line, escaped, and cut where the report has no room for all of it."""
        return self.data(self.cut(compact(value)))

    def cut(self, text: str) -> str:
        """Return a text, or its beginning where the report has no room for all of it."""
        return text if self.limit is None else clipped(text, self.limit)

    def event(self, change: PinChange) -> str:
        """Return what happened to a pin that is there still: ``added``, ``moved 3 → 1``, ``replaced /p/9/``."""
        old, new = change.old, change.new
        if old is None or new is None:
            return change.kind
        parts = [f"replaced {self.thing(old)}"] if change.kind == "replaced" else []
        if change.kind == "moved":
            parts.append(self._move(old, new))
        return ", ".join([*parts, *self._facts_changed(old, new)])

    def _move(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
        if all(is_ordinary(pin) for pin in (old, new)):
            return f"moved {old['position']} → {new['position']}"
        return f"{self.position(old)} → {self.position(new)}"

    def _facts_changed(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
        for name in dict.fromkeys((*old, *new)):
            sides = [pin.get(name, MISSING) for pin in (old, new)]
            if name in TOLD - {"widget_id"} or _text(sides[0]) == _text(sides[1]):
                continue
            if name in ("active_from", "active_to"):
                yield self._window(name, *sides)
            elif name == "widget_id":
                yield "widget {} → {}".format(*("none" if side is MISSING else self.value(side) for side in sides))
            else:
                yield self._arrow(name, *sides)

    def _window(self, name: str, old: Any, new: Any) -> str:  # noqa: ANN401 - any JSON value
        word, none = ("from", "no start") if name == "active_from" else ("until", "no end")
        texts = [none if side is MISSING else self.moment(side) for side in (old, new)]
        first = int(old is MISSING)  # the word stands before the first moment
        texts[first] = f"{word} {texts[first]}"
        return " → ".join(texts)

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
        return self.data(self.cut("…" + text[start:] if start else text))


def is_ordinary(pin: Mapping[str, Any]) -> bool:
    """Whether a pin's position is a number that needs no quotes."""
    found = pin.get("position")
    return type(found) is int and 0 < found < _LARGE


def _text(side: Any) -> str | None:  # noqa: ANN401 - any JSON value, or MISSING
    """Return the text of a value, by which two of them are told apart; Python's own ``==`` takes true for 1."""
    return None if side is MISSING else compact(side)
