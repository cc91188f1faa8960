"""Reports: one module a format, each a pure function from a drift to text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import tzinfo

FOR_PEOPLE: Final = frozenset({"text"})
"""The formats for people. A program reads every other format, as bytes in UTF-8."""


@dataclass(frozen=True, slots=True)
class Style:
    """What a report is told besides the drift.

    Attributes:
        zone: the time zone of people's reports; the machines' are in UTC.
        color: whether terminal colours are wanted.
        max_chars: the most characters a report for a page may have; None for the page's own limit.
        summary: whether the counts are enough.
        configuration: the configuration's path from the repository's root.
        has_page: whether a CI job has a page that takes a summary.
    """

    zone: tzinfo
    color: bool = False
    max_chars: int | None = None
    summary: bool = False
    configuration: str = "pinsync.yaml"
    has_page: bool = False
