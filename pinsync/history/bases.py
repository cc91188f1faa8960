"""Find the base of a rule from its entry in the record of agreement; pure.

The entry has a text on which git and the shop agreed, and the commit of the main line at which they
did. A newer version in git replaces it as the base if an export brought that version, or if an
export proposed its text and git took it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from pinsync.canonical.moments import read_moment
from pinsync.drift.pairs import build_content_key
from pinsync.drift.record import Base

if TYPE_CHECKING:
    from datetime import datetime

    from pinsync.agreement.record import Entry, Version
    from pinsync.drift.record import Moved
    from pinsync.model import Commit, Customization

MARGIN: Final = 5 * 60
"""The seconds by which the clocks of the shop and of a committer may differ."""


class Arrival(Protocol):
    """The arrival of a version in git: a commit of the main line, or uncommitted work."""

    @property
    def commit(self) -> Commit | None:
        """The commit; None for uncommitted work."""

    @property
    def moment(self) -> int:
        """The date of the commit, in seconds since 1970."""

    def has_export_of(self, rule_id: str) -> bool | None:
        """Return whether the version came from an export; None if that can't be known."""


class Line(Protocol):
    """The main line of git's side."""

    def is_newer(self, commit: Commit | None, other: str) -> bool | None:
        """Return whether a commit of the line isn't contained in another commit.

        Args:
            commit: the commit of the line; None for uncommitted work, which is the newest.
            other: the full hash of the other commit.

        Returns:
            None if the repository lacks the other commit.
        """


class BaseSearch:
    """The search for the base of one rule that has an entry, from the newest version back.

    Args:
        git: the rule in git; None if git lacks it.
        live: the rule in the shop; None if the shop lacks it.
        entry: the entry.
        line: the main line of git's side.

    Attributes:
        moved: the side that moved; None as long as no base is found.
        base: the base; None as long as none is found.
        is_done: whether older versions don't matter.
        is_doubtful: whether git lacks a commit that the entry names.
    """

    def __init__(
        self, git: Customization | None, live: Customization | None, entry: Entry, line: Line
    ) -> None:
        self.moved: Moved | None = None
        self.base: Base | None = None
        self.is_done = False
        self.is_doubtful = False
        self._git = git
        self._live = live
        self._entry = entry
        self._line = line
        # Each version so far, with the date of the commit that replaced it; the newest first.
        self._replaced: list[tuple[Customization | None, int]] = []

    def reach(self, commit: Commit | None) -> None:
        """End the search if a commit isn't newer than all that the entry knows of.

        Args:
            commit: the commit whose changes come next; None for uncommitted work.
        """
        if self._entry.base:
            starts = [self._entry.base.commit]
        else:
            starts = [proposal.commit for proposal in self._entry.proposals]
        newer = [self._line.is_newer(commit, start) for start in starts]
        if None in newer:
            self.is_doubtful = self.is_done = True
        elif True not in newer:
            self.end()

    def end(self) -> None:
        """End the search: no version since the base was taken from an export."""
        if not self.is_done and self._entry.base:
            base = self._entry.base
            self._decide(base.rule, base.last.updated_at)
        self.is_done = True

    def go_back(
        self, old: Customization | None, new: Customization | None, arrival: Arrival
    ) -> bool:
        """Go to the version before a commit; return False if an export can't be ruled out.

        Args:
            old: the rule before the commit; None if the parent lacks it.
            new: the rule in the commit; None if the commit removed it.
            arrival: the commit.
        """
        self.reach(arrival.commit)
        if self.is_done:
            return True
        proposal = self._find_proposal(new, arrival.commit)
        if self.is_doubtful:
            return True
        if proposal:
            self._decide(new, proposal.last.updated_at)
            return True
        item = new or old
        # An export neither writes nor removes a block without an id.
        is_export = arrival.has_export_of(item.id) if item and item.id is not None else False
        if is_export:
            self._decide(new, None)
        elif not has_same_text(old, new):
            self._replaced.append((old, arrival.moment))
        return is_export is not None

    def _find_proposal(self, new: Customization | None, commit: Commit | None) -> Version | None:
        """Return the proposal that git took with a commit; None if it took none."""
        for proposal in reversed(self._entry.proposals):
            if has_same_text(proposal.rule, new):
                is_newer = self._line.is_newer(commit, proposal.commit)
                if is_newer is None:
                    self.is_doubtful = self.is_done = True
                if is_newer:
                    return proposal
        return None

    def _decide(self, base: Customization | None, updated_at: str | None) -> None:
        """Compare both sides with the base.

        Args:
            base: the base; None if both sides lacked the rule.
            updated_at: the date of the shop's last change then; None if it isn't known.
        """
        self.is_done = True
        self.base = Base(base)
        if has_same_text(self._git, base):
            self.moved = "shop"
        elif not has_same_text(self._live, base):
            self.moved = "both"
        else:
            self.moved = "git" if self._is_unsaved(base, updated_at) else "unknown"

    def _is_unsaved(self, base: Customization | None, updated_at: str | None) -> bool:
        """Return whether git replaced the base, and nobody saved the shop's rule since."""
        replaced = [moment for version, moment in self._replaced if has_same_text(version, base)]
        if not replaced:
            # Git's side is older than the base, or has another history.
            return False
        if self._live is None or base is None:
            return True
        if updated_at is not None:
            return _is_same_moment(self._live.updated_at, updated_at)
        deadline = find_deadline(self._live)
        return deadline is None or deadline < replaced[0]


def has_same_text(one: Customization | None, other: Customization | None) -> bool:
    """Return whether two rules are equal but for their ids; absence is a text, too."""
    if one is None or other is None:
        return one is other
    return build_content_key(one) == build_content_key(other)


def find_deadline(live: Customization | None) -> int | None:
    """Return the moment after which a commit must have replaced a text that the shop agreed on.

    Returns:
        Seconds since 1970; None if the answer doesn't say when the rule was saved.
    """
    if live is None:
        return None
    moment = _parse(live.updated_at)
    return None if moment is None else int(moment.timestamp()) + MARGIN


def _is_same_moment(one: str | None, other: str) -> bool:
    moment = _parse(one)
    return one == other or (moment is not None and moment == _parse(other))


def _parse(text: str | None) -> datetime | None:
    found = None if text is None else read_moment(text)
    return found[0] if found else None
