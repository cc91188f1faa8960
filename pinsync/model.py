"""The records that all parts of pinsync share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

MAX_DEPTH: Final = 64
"""The deepest nesting of a value in a customization; real values need fewer than ten levels."""

MAX_FILE_BYTES: Final = 512 * 1024 * 1024
"""The largest document in bytes; 100,000 customizations take some 150 MB."""

STANDARD_INPUT: Final = "-"
"""The name of standard input on the command line and in messages."""

FailOn = Literal["any", "edited", "shown", "now", "shop", "never"]
"""The changes that make a run fail.

All changes, edits only, changes that shoppers may see, changes that shoppers notice now, all but
those that git alone made, or none.
"""


class Target(NamedTuple):
    """The items that a customization applies to.

    Attributes:
        type: ``item``, ``criteria`` or ``all``.
        identity: the identity of the item, if the type is ``item``.
        criteria: the canonical text of the criteria, if the type is ``criteria``.
    """

    type: str
    identity: str | None
    criteria: str | None


# A named tuple, because a shop may have 100,000: a frozen dataclass takes three times as long to
# make.
class Customization(NamedTuple):
    """A rule: model, id, target, and the canonical text of all fields.

    Attributes:
        model: the recommender model.
        id: the UUID from the server; None for a customization that the server doesn't know yet.
        target: the items that it applies to.
        text: the canonical block in UTF-8.
        updated_at: the moment of the last change, as the answer spelled it; never a part of the
            text.
    """

    model: str
    id: str | None
    target: Target
    text: bytes
    updated_at: str | None = None


class Commit(NamedTuple):
    """A commit in git's log.

    Attributes:
        hash: the full hash.
        short: the abbreviated hash, as git abbreviates it.
        parent: the full hash of the first parent; None for a first commit, and where a shallow
            clone ends.
        author: the author's name, by ``.mailmap``.
        email: the author's address, by ``.mailmap``.
        date: the author's date, with its offset.
        subject: the first paragraph of the message, on one line.
    """

    hash: str
    short: str
    parent: str | None
    author: str
    email: str
    date: datetime
    subject: str


class RawAnswer(Struct, frozen=True):
    """An answer of the API as it came.

    Attributes:
        body: its bytes, decompressed.
        host: scheme, name and port of the host that gave it.
    """

    body: bytes
    host: str


class Snapshot(Struct, frozen=True):
    """The customizations of one tracker from one source.

    Attributes:
        customizations: the customizations in the order of the source, with unique ids.
        warnings: oddities that were accepted, for people.
        date: the moment of an answer of the API, by the server's clock if known; None for other
            sources.
        answer: the answer of the API, if the command needs its bytes or its host.
    """

    customizations: tuple[Customization, ...]
    warnings: tuple[str, ...] = ()
    date: datetime | None = None
    answer: RawAnswer | None = None


class Managed(Struct, frozen=True):
    """The rules of a shop that a tracker's ``manages`` names; the other rules are somebody else's.

    Attributes:
        tags: a managed rule has one of these tags; None for any tag, or none.
        models: a managed rule has one of these models; None for any model.
    """

    tags: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None

    def includes(self, model: str, read_tags: Callable[[], Iterable[str]]) -> bool:
        """Return whether a rule is managed.

        Args:
            model: the recommender model of the rule.
            read_tags: returns the tags of the rule; called only if they decide.
        """
        if self.models is not None and model not in self.models:
            return False
        return self.tags is None or not set(self.tags).isdisjoint(read_tags())


ALL_RULES: Final = Managed()
"""A tracker without ``manages``: every rule is managed."""


class Scope(Struct, frozen=True):
    """The rules that a command is about: its filters, within the rules that pinsync manages.

    Attributes:
        model: the API's filter of this name; ``None`` filters nothing. So do the next three.
        tag: see ``model``.
        target_type: see ``model``.
        target_identity: see ``model``.
        ids: the ids of the rules, or beginnings until `resolve_ids` completes them; empty for all.
        managed: the managed rules. The API has no filter for these, and none for ids.
    """

    model: str | None = None
    tag: str | None = None
    target_type: str | None = None
    target_identity: str | None = None
    ids: tuple[str, ...] = ()
    managed: Managed = ALL_RULES

    @property
    def for_api(self) -> Scope:
        """The part of the scope that the API filters by."""
        # A beginning of an id is unambiguous among all rules, so all are asked for.
        if self.ids:
            return EVERYTHING
        return replace(self, managed=ALL_RULES)

    def restrict_to(self, managed: Managed) -> Scope:
        """Return the scope of these filters within a tracker's managed rules."""
        return replace(self, managed=managed)

    def build_query(self) -> dict[str, str]:
        """Return the API's query parameters of the filters."""
        parameters: dict[str, str] = {}
        for name in ("model", "tag", "target_type", "target_identity"):
            value = getattr(self, name)
            # Unlike None, an empty text is a filter.
            if value is not None:
                parameters[name] = value
        return parameters


class Finding(Struct, frozen=True):
    """A problem or a difference at one place, for CI systems to show beside a line.

    Attributes:
        rule: the id of the lint rule, such as ``duplicate-id``, or ``drift-changed`` and the like.
        severity: ``error`` or ``warning``.
        message: the problem, in one sentence.
        file: the path from the repository's root; None if no file is at fault.
        line: counted from 1; None for the whole file.
        column: counted from 1.
        hint: the remedy.
        identity: tells the finding from others of its rule and file, and stays when lines move.
        model: the recommender model, if there is one.
        tracker: the name of the tracker, if there are several.
        name: people's name of the affected rule, if it has one.
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
    """Return whether a decimal number other than 0 becomes 0.0 as a float (IEEE 754)."""
    digits = number.lower().partition("e")[0]
    return float(number) == 0 and not set("123456789").isdisjoint(digits)
