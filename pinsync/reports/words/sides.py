"""The words for the two sides of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from pinsync.escape import clip
from pinsync.reports.words.values import format_moment

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from pinsync.drift.record import Drift, Moved, Side

    Escape = Callable[[str], str]

MAX_NAME: Final = 60
"""The maximum length of the name of a source."""
_MAX_LABEL: Final = 16
_NEW: Final = "git (new)", "shop (old)"
_OPEN: Final = "git", "shop"
_HASH_CHARS: Final = 12
_FILES: Final = {"@worktree": "files: the working tree", "@index": "files: git's index"}


class SideWords(Struct, frozen=True):
    """The words for one side.

    Attributes:
        name: the name in a sentence: ``the shop``, ``git``, ``origin/main``.
        label: the label of a row with the state of this side.
        place: the words for a state that only this side has: ``in the shop``.
        is_plural: whether the name is a plural.
    """

    name: str
    label: str
    place: str
    is_plural: bool = False


def describe_sides(drift: Drift, escape: Escape) -> tuple[SideWords, SideWords]:
    """Return the words for the old and the new side of a drift.

    Args:
        drift: the drift.
        escape: turns the name of a source into safe words of the report.
    """
    old = _describe_side(drift.old, drift.new, escape)
    new = _describe_side(drift.new, drift.old, escape)
    if drift.is_against_shop:
        return old, new
    # Two states of the shop, or two revisions with long names, need other labels.
    longest = max(len(drift.old.source), len(drift.new.source))
    if old.label == new.label or longest > _MAX_LABEL:
        return replace(old, label="before"), replace(new, label="after")
    return old, new


def adapt_labels(
    sides: tuple[SideWords, SideWords], drift: Drift, moved: Moved | None
) -> tuple[str, str]:
    """Return the labels of the rows of a change; a state that is in dispute isn't agreed."""
    old, new = sides
    labels = old.label, new.label
    if "agreed" in labels and moved not in ("shop", None):
        labels = _NEW if moved == "git" else _OPEN
        if drift.old.is_live:
            return labels[1], labels[0]
    return labels


def _describe_side(side: Side, other: Side, escape: Escape) -> SideWords:
    name = escape(clip(side.source, MAX_NAME))
    if side.source == "@worktree":
        words = SideWords("your files", "files", "in your files", is_plural=True)
    elif side.source == "@index":
        words = SideWords("what is staged", "staged", "in what is staged")
    elif side.is_export:
        words = SideWords(f"the shop's export {name}", "shop", "in the shop")
    elif side.is_live:
        words = SideWords("the shop", "shop", "in the shop")
    elif not other.is_live:
        words = SideWords(name, name, f"in {name}")
    elif side.source == "HEAD":
        words = SideWords("git", "agreed", "in git")
    else:
        words = SideWords(f"git ({name})", "agreed", "in git")
    return words


def describe_origin(side: Side, zone: tzinfo, escape: Escape) -> str:
    """Return the origin of a side: ``git: HEAD, commit 231ead5ac9c8``.

    Args:
        side: the side.
        zone: the time zone of moments.
        escape: turns the name of a source into safe words of the report.
    """
    if side.source in _FILES:
        return _FILES[side.source]
    name = escape(clip(side.source, MAX_NAME))
    if side.is_export:
        return f"export: {name}"
    if side.is_live:
        moment = ""
        if side.fetched_at is not None:
            moment = f", asked {format_moment(side.fetched_at, zone)}"
        return f"shop: now{moment}"
    # A hash on the command line names its commit already.
    if side.revision is None or side.revision.startswith(side.source):
        return f"git: {name}"
    return f"git: {name}, commit {escape(side.revision[:_HASH_CHARS])}"
