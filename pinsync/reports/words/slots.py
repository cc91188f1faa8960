"""The words for pins on a shelf and for rules, as merchandisers know them.

Positions are ``#1``, products are in quotes.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import field

from pinsync.canonical.fields import TARGET_TYPES
from pinsync.canonical.pins import BLOCKED, SPOTS
from pinsync.drift.pairs import read_title
from pinsync.drift.record import MISSING
from pinsync.escape import clip, one_line
from pinsync.reports.words.events import EVENT_NAMES
from pinsync.reports.words.likeness import fold
from pinsync.reports.words.pins import (
    SPOKEN_FIELDS,
    Words,
    has_ordinary_position,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pinsync.canonical.pins import Pin
    from pinsync.model import Customization
    from pinsync.reports.words.events import Event, EventKind

MAX_PINNED: Final = 40
"""The maximum length of a pinned product's title."""
MAX_TARGET: Final = 60
"""The maximum length of the title of a rule's target."""

# A backslash before one of these could be an escape of ours, or hide the end of the title.
_UNCLEAR_BACKSLASH: Final = re.compile(r"\\(?=[\"\\untrxU]|\Z)")
# In the order of the words: "no start, no end".
_NO_ENDS: Final = {"active_from": "no start", "active_to": "no end"}
_CURLY: Final = frozenset("“”")


def quote(title: str, limit: int) -> str:
    """Return a title in quotes, on one line, cut to a length."""
    text = _UNCLEAR_BACKSLASH.sub(r"\\\\", clip(title, limit))
    # Titles often have an inch sign, which would look like the end of a title in straight quotes.
    if _CURLY.isdisjoint(text):
        return f"“{one_line(text)}”"
    text = text.replace('"', '\\"')
    return f'"{one_line(text)}"'


def _is_right_to_left(text: str) -> bool:
    """Whether a text has letters that are written from right to left."""
    if text.isascii():
        return False
    return any(unicodedata.bidirectional(character) in ("R", "AL") for character in text)


def find_shared_titles(titles: Mapping[str, str]) -> frozenset[str]:
    """Return the identities whose titles look like the title of another item."""
    groups: dict[str, list[str]] = {}
    for identity, title in titles.items():
        groups.setdefault(fold(clip(title, MAX_PINNED)), []).append(identity)
    shared: set[str] = set()
    for identities in groups.values():
        if len(identities) > 1:
            shared.update(identities)
    return frozenset(shared)


class Tile(NamedTuple):
    """A pin on its shelf, in words.

    Attributes:
        pin: the pin.
        position: its position: ``#1``, ``every position``.
        thing: its title in quotes, its identity or its criteria.
        facts: its dates and other facts, where they differ between the sides.
        image: the URL of its picture; empty without one.
    """

    pin: Pin
    position: str
    thing: str
    facts: tuple[str, ...]
    image: str

    def write(self) -> str:
        """Return the tile on one line: ``#1 “Strings: 10-46” (until 24 Dec 2026)``."""
        # Words, unlike "#1", need a colon to end them.
        colon = "" if self.position.startswith("#") else ":"
        text = f"{self.position}{colon} {self.thing}"
        return f"{text} ({', '.join(self.facts)})" if self.facts else text


class SlotWords(Words, frozen=True, kw_only=True):
    """Writes pins and rules without markup; a report escapes the words as it needs.

    Attributes:
        images: identity → URL of the item's picture.
        shared: the identities whose titles don't tell them apart.
        sign: the sign before the number of a position.
    """

    images: Mapping[str, str] = field(default_factory=dict)
    sign: str = "#"
    shared: frozenset[str] = field(default_factory=frozenset)

    def name_position(self, pin: Pin, other: Pin | None = None) -> str:
        """Return the position of a pin: ``#1``, ``every position``, ``blocked``.

        Args:
            pin: the pin.
            other: a pin of the other side that must not look like it.
        """
        if pin.spot == "numbered" and has_ordinary_position(pin):
            return f"{self.sign}{pin.position}"
        if pin.spot == "blocked":
            return "blocked"
        opposite = MISSING if other is None else other.data.get("position", MISSING)
        return self.describe_position(pin, opposite)

    def build_tile(
        self,
        pin: Pin,
        facts: Iterable[str] = (),
        other: Pin | None = None,
        *,
        is_replaced: bool = False,
    ) -> Tile:
        """Return the words for a pin on its shelf.

        Args:
            pin: the pin.
            facts: further facts about the pin.
            other: the pin on the other side, whose position must not look like the pin's.
            is_replaced: whether the other side has another thing there.
        """
        position = self.name_position(pin, other)
        thing = self.name_thing(pin, other if is_replaced else None)
        image = self.images.get(pin.item, "") if pin.item is not None else ""
        return Tile(pin, position, thing, tuple(facts), image)

    def name_thing(self, pin: Pin, other: Pin | None = None) -> str:
        """Return the title of a pinned item in quotes, else its identity, or the criteria.

        Args:
            pin: the pin.
            other: the pin that it replaced, or that replaced it.
        """
        whole = self.describe_thing(pin, other, with_title=False)
        title = self.titles.get(pin.identity) if pin.identity is not None else None
        if not title:
            return whole
        quoted = quote(title, MAX_PINNED)
        if _is_right_to_left(title):
            # A Latin letter behind the title keeps the next position in its place (UAX 9, W7, N2).
            return f"{quoted} (item {whole})"
        is_plain = pin.item is not None and "pin_criteria" not in pin.data
        # The title doesn't tell a pin from one of the same item with another type.
        is_clear = other is None or other.identity != pin.identity
        if is_plain and is_clear and pin.identity not in self.shared:
            return quoted
        return f"{quoted} ({whole})"

    def list_differing_facts(self, pin: Pin, other: Pin | None) -> Iterator[str]:
        """Yield the dates and the other facts of a pin that differs between the sides.

        Args:
            pin: the pin.
            other: the pin on the other side: an end that the pin lacks is named as missing.
        """
        # The API documents position 0 for blocks; a pin may be flagged as a block elsewhere.
        if pin.spot == "blocked" and pin.position != BLOCKED:
            yield self.describe_position(pin)
        yield from self.list_facts(pin, other)
        if other is None:
            return
        for name in sorted(pin.data.keys() ^ other.data.keys()):
            value = pin.data.get(name, MISSING)
            if name in _NO_ENDS:
                if value is MISSING:
                    yield _NO_ENDS[name]
            # Null and a missing field read the same in the rest of the words.
            elif (
                name in SPOKEN_FIELDS and other.data.get(name) is None and value in (None, MISSING)
            ):
                yield f"{name}: {'absent' if value is MISSING else 'null'}"

    def name_target(self, item: Customization, data: Mapping[str, Any]) -> str:
        """Return the name of a rule: its target's title and identity, or what it applies to."""
        kind = item.target.type
        title = read_title(data)
        identity = data.get("target_identity")
        if kind == "item" and isinstance(identity, str) and not title:
            title = self.titles.get(identity)
        names = [
            self.format_value(data[name])
            for name in ("target_identity", "target_criteria")
            if name in data
        ]
        if kind == "all" and not names:
            target = "every visitor"
        elif kind == "criteria":
            target = " ".join(["requests that match", *names])
        elif kind == "item":
            target = " ".join(names) or "item"
        else:
            target = " ".join([kind if kind in TARGET_TYPES else self.format_value(kind), *names])
        if not title:
            return target
        return f"{quote(title, MAX_TARGET)} ({target})"

    def name_changes(self, events: Iterable[Event]) -> list[tuple[str, str]]:
        """Return names for what somebody did: the events of each kind, and their places.

        Examples: ``("pin added", "at #5")``, ``("2 pins moved", "")``.
        """
        kinds: dict[EventKind, list[Event]] = {}
        for event in events:
            kinds.setdefault(event.kind, []).append(event)
        names: list[tuple[str, str]] = []
        for kind, found in kinds.items():
            if len(found) > 1:
                names.append((f"{len(found)} {EVENT_NAMES[kind].many}", ""))
            else:
                names.append((EVENT_NAMES[kind].one, self.locate(found[0])))
        return names

    def locate(self, event: Event) -> str:
        """Return the positions of an event, to follow its name: ``at #5``, ``from #3 to #1``."""
        if not event.places or event.kind in ("item blocked", "item unblocked"):
            return ""
        old, new = event.places[0]
        if event.kind == "pins swapped":
            pins = sorted((pin for pin in (old, new) if pin), key=build_spot)
            return " and ".join(map(self.name_position, pins))
        if event.kind == "pin moved" and old and new:
            return f"from {self.name_position(old)} to {self.name_position(new)}"
        pin = new or old
        return f"at {self.name_position(pin)}" if pin else ""


def build_spot(pin: Pin) -> tuple[int, int]:
    """Return the place of a pin on its shelf, which sorts: the kind of position, the position."""
    position = 0
    if pin.spot == "numbered" and pin.position is not None:
        position = pin.position
    return SPOTS.index(pin.spot), position
