"""Commits in the reports of history and blame, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinsync.reports.words.record import format_utc
from pinsync.reports.words.values import format_moment

if TYPE_CHECKING:
    from datetime import tzinfo

    from pinsync.model import Commit


def format_date(commit: Commit, zone: tzinfo) -> str:
    """Write the date of a commit in a time zone, to the minute."""
    # Seconds of 0 are left out.
    return format_moment(commit.date.replace(second=0), zone)


def format_day(commit: Commit, zone: tzinfo) -> str:
    """Write the date of a commit in a time zone, without the time: ``3 Nov 2026``."""
    return " ".join(format_moment(commit.date, zone).split()[:3])


def describe_shallow_end(commit: Commit) -> str:
    """Return the note that a shallow clone ends at its oldest commit."""
    return f"the history ends at {commit.short}: this clone is shallow (git fetch --unshallow)"


def build_commit(commit: Commit | None) -> dict[str, Any] | None:
    """Return a commit as an object of the JSON contracts; None if there is no commit."""
    return commit and {
        "commit": commit.hash,
        "short": commit.short,
        "parent": commit.parent,
        "author": {"name": commit.author, "email": commit.email},
        "date": format_utc(commit.date),
        "subject": commit.subject,
    }
