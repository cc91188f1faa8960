"""The words of pinsync as frozen records, and the facts about them that every part shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

MAX_DEPTH: Final = 64
"""How deeply a value inside a customization may be nested; real ones need fewer than ten levels."""

MAX_FILE_BYTES: Final = 512 * 1024 * 1024
"""The largest document that is read, in bytes; 100,000 customizations have some 150 MB."""

STANDARD_INPUT: Final = "-"
"""How command lines and messages name standard input."""

FailOn = Literal["any", "edited", "shown", "never"]
"""Which changes make a run fail: all, those that somebody made, those that shoppers may see, or none."""


class Target(NamedTuple):
    """What a customization applies to: its type, and the item's identity or the canonical text of its criteria."""

    type: str
    identity: str | None
    criteria: str | None


class Customization(NamedTuple):
    """One rule: when it applies, and its canonical text, which says all the rest.

    A named tuple, as all records of which there may be 100,000: a frozen dataclass takes three times as long to make.

    Attributes:
        model: the recommender model.
        id: the server's UUID; None for one written by hand that the server doesn't know yet.
        target: what it applies to.
        text: its canonical block in UTF-8.
        updated_at: when the vendor last saw a change, as the answer spelled it; never a part of the text.
    """

    model: str
    id: str | None
    target: Target
    text: bytes
    updated_at: str | None = None


class Commit(NamedTuple):
    """A commit of git, as its log tells of it.

    Attributes:
        hash: the full hash.
        short: the hash as git abbreviates it.
        parent: the full hash of its first parent; None of a first commit, and where a shallow clone ends.
        author: the author's name, as ``.mailmap`` has it.
        email: the author's address, likewise.
        date: when it was written, with the author's offset.
        subject: the message's first paragraph, on one line.
    """

    hash: str
    short: str
    parent: str | None
    author: str
    email: str
    date: datetime
    subject: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The customizations of one tracker from one source.

    Attributes:
        customizations: in the source's order, ids unique.
        warnings: what was odd but kept, for people.
        date: the moment of an answer, by the server's own clock if it says so; None for what is no answer of the API.
    """

    customizations: tuple[Customization, ...]
    warnings: tuple[str, ...] = ()
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The filter a command runs under; ``None`` filters nothing. The fields mean what the API's own filters mean."""

    model: str | None = None
    tag: str | None = None
    target_type: str | None = None
    target_identity: str | None = None

    def query(self) -> dict[str, str]:
        """Return the API's query parameters for this scope."""
        fields = ("model", "tag", "target_type", "target_identity")
        return {name: value for name in fields if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, or differs, at one place: what CI systems show beside a line.

    Attributes:
        rule: the id of the rule, such as ``duplicate-id`` or ``drift-changed``.
        severity: ``error`` or ``warning``.
        message: what is wrong, one sentence.
        file: the path from the repository's root; None if no file is at fault.
        line: from 1; None if it is the file as a whole.
        column: from 1.
        hint: how to mend it.
        identity: what tells it from others of its rule and file, and stays when lines move.
        model: the recommender model, where there is one.
        tracker: the tracker's name, where there are several.
        name: what a person calls what it is about, where that has a name.
    """

    rule: str
    severity: Literal["error", "warning"]
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    hint: str | None = None
    identity: str = ""
    model: str | None = None
    tracker: str | None = None
    name: str | None = None


EVERYTHING: Final = Scope()
"""The scope that filters nothing."""


def is_too_small(number: str) -> bool:
    """Return whether a decimal number other than zero becomes 0.0 as a float (IEEE 754, binary64)."""
    digits = number.lower().partition("e")[0]
    return float(number) == 0 and not set("123456789").isdisjoint(digits)
