"""Decide who moved a rule, git or the shop, from the versions of the rule in git; pure.

The versions come one by one, the newest first. The base is the last text on which git and the shop
are known to have agreed. If git's text is the base, the shop moved; if the shop's text is the base,
git moved. All that isn't proved is left to people.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from pinsync.drift.pairs import build_target_key, match_customizations
from pinsync.history.bases import BaseSearch, Line, find_deadline, has_same_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pinsync.agreement.record import Entry
    from pinsync.drift.pairs import Pair
    from pinsync.drift.record import Base, Moved
    from pinsync.history.bases import Arrival
    from pinsync.model import Commit, Customization

_MAX_DISORDER: Final = 60 * 60
"""The seconds by which the date of an older commit may be later than that of a newer one.

Where clocks differ more, an older text proves nothing, and the rule is left to people.
"""


class Answer(NamedTuple):
    """The answer for one rule.

    Attributes:
        moved: the side that moved; see `Change.moved`.
        moved_in: the commit that brought git's text; see `Change.moved_in`.
        base: the last text on which both agreed; see `Change.base`.
    """

    moved: Moved
    moved_in: Commit | None
    base: Base | None = None


class Knowledge(Line, Protocol):
    """What the record of agreement knows of one rule."""

    @property
    def entry(self) -> Entry | None:
        """The entry; None if the record has none for the rule."""

    def limit(self, moved: Moved, git: Customization | None, live: Customization | None) -> Moved:
        """Return an answer, as far as the record allows it."""


class Trace:
    """The way of one rule back through its versions in git.

    Args:
        git: the rule in git; None if git lacks it.
        live: the rule in the shop; None if the shop lacks it.
        knowledge: what the record of agreement knows of the rule; None without a record.

    Attributes:
        item: the rule at the current commit of the walk; None if that commit lacks it.
        live: as above.
        is_cut: whether the history ended before the answer.
    """

    def __init__(
        self,
        git: Customization | None,
        live: Customization | None,
        knowledge: Knowledge | None = None,
    ) -> None:
        self.item = git
        self.live = live
        self.is_cut = False
        self._git = git
        self._knowledge = knowledge
        self._was_in_git = git is not None
        self._moved: Moved | None = None
        self._moved_in: Commit | None = None
        self._has_origin = False
        self._deadline = find_deadline(live)
        self._search: BaseSearch | None = None
        # Only the shop gives ids, so a difference in the id alone is the shop's.
        if git and live and has_same_text(git, live):
            self._moved = self._decide_without_base()
        elif knowledge and knowledge.entry:
            self._search = BaseSearch(git, live, knowledge.entry, knowledge)
        # Without a live rule there is no older version to agree with.
        if git and live is None:
            self._moved = self._decide_without_base()

    def restart(self) -> Trace:
        """Return the trace as it was at the beginning."""
        return Trace(self._git, self.live, self._knowledge)

    @property
    def rule_id(self) -> str | None:
        """The id under which older commits may have the rule."""
        entry = self._knowledge.entry if self._knowledge else None
        if self.item is None and self._git is None and entry and entry.git_id is not None:
            # The shop's rule was created anew under another id, which git never had.
            return entry.git_id
        for item in (self.item, self._git, self.live):
            if item and item.id is not None:
                return item.id
        return None

    @property
    def is_finished(self) -> bool:
        """Whether older commits don't matter."""
        if self.is_cut:
            return True
        if self._search and not self._search.is_done:
            return False
        return self._has_origin and self._answer is not None

    @property
    def is_doubtful(self) -> bool:
        """Whether git lacks a commit that the record of agreement names."""
        return self._search is not None and self._search.is_doubtful

    @property
    def _answer(self) -> Moved | None:
        """The side that moved, by the record if it knows the base; None if it isn't known yet."""
        if self._search and self._search.moved:
            return self._search.moved
        return self._moved

    def go_back(self, old: Customization | None, arrival: Arrival) -> None:
        """Move to the version before a commit that changed the rule or its id.

        Args:
            old: the rule before the commit; None if the parent lacks it.
            arrival: the commit.
        """
        new, self.item = self.item, old
        self._was_in_git = self._was_in_git or old is not None
        if self._search and not self._search.is_done:
            is_known = self._search.go_back(old, new, arrival)
            self.is_cut = self.is_cut or not is_known
        if not self._has_origin:
            self._look_for_export(old, new, arrival)
        if has_same_text(old, new):
            return
        if not self._has_origin:
            self._has_origin, self._moved_in = True, arrival.commit
        if self._moved is None and not self.is_cut:
            self._look_for_agreement(old, arrival)

    def _look_for_export(
        self, old: Customization | None, new: Customization | None, arrival: Arrival
    ) -> None:
        """Decide for the shop if git's text came from an export: the shop has changed since."""
        item = new or old
        is_unnamed = self._git is not None and self._git.id is None
        # An export writes and removes only blocks with an id.
        if self._answer is not None or is_unnamed or item is None or item.id is None:
            return
        is_export = arrival.has_export_of(item.id)
        if is_export:
            self._moved = "shop"
        if is_export is None:
            self.is_cut = True

    def _look_for_agreement(self, old: Customization | None, arrival: Arrival) -> None:
        """Decide for git if the shop has had its text since before git replaced that text."""
        if self._deadline is None:
            self._moved = self._decide_without_base()
        elif old is not None and has_same_text(old, self.live):
            agreed = self._deadline < arrival.moment
            self._moved = "git" if agreed else self._decide_without_base()

    @property
    def seeks_agreement(self) -> bool:
        """Whether only the shop's text is still looked for."""
        is_searching = self._search is not None and not self._search.is_done
        return self._has_origin and self._answer is None and not is_searching

    def expire(self, moment: int) -> None:
        """End the search for the shop's text if no older commit can prove an agreement.

        Args:
            moment: the date of a commit, in seconds since 1970; all others are older.
        """
        if self._deadline is None or moment + _MAX_DISORDER <= self._deadline:
            self.end()

    def end(self) -> None:
        """End the search for the shop's text, since there is no older commit."""
        if self.seeks_agreement:
            self._moved = self._decide_without_base()

    def _decide_without_base(self) -> Moved:
        if self._git is None:
            return "unknown"
        if self._git.id is None:
            # Without an entry, the shop never had the block.
            is_new = self.live is None and self._knowledge and self._knowledge.entry is None
            return "git" if is_new else "unknown"
        has_lost_id = self.live is None or self.live.id != self._git.id
        return "shop" if has_lost_id else "unknown"

    def cut(self, commit: Commit | None = None) -> None:
        """End the walk, since older versions can't be read.

        Args:
            commit: the newest commit whose changes aren't known; None if it isn't known.
        """
        if self._search and commit and not self._search.is_done:
            self._search.reach(commit)
        if not self.is_finished:
            self.is_cut = True

    def build_answer(self) -> Answer:
        """Return the answer, at the end of the walk."""
        if self._search and not self.is_cut:
            self._search.end()
        moved = self._answer
        if moved is None:
            moved = self._decide_without_base()
            if not self._was_in_git and not self.is_cut:
                moved = "extra"
        is_open = self._search is not None and not self._search.is_done
        if moved == "git" and (is_open or self.is_doubtful or self.is_cut):
            moved = "unknown"
        if self._knowledge:
            moved = self._knowledge.limit(moved, self._git, self.live)
        base = None
        if self._search and moved in ("both", "unknown"):
            base = self._search.base
        return Answer(moved, self._moved_in, base)


class TraceSet:
    """The unfinished traces of one tracker.

    Args:
        traces: the traces of all rules that differ.
        live: all customizations of the shop.
    """

    def __init__(self, traces: Iterable[Trace], live: Iterable[Customization]) -> None:
        self._traces = list(traces)
        self._live_targets = Counter(map(build_target_key, live))

    def __iter__(self) -> Iterator[Trace]:
        return iter(self._traces)

    def __bool__(self) -> bool:
        return bool(self._traces)

    def expire(self, arrival: Arrival) -> None:
        """Drop the traces to which no commit older than one can give an answer."""
        for trace in self._traces:
            if trace.seeks_agreement:
                trace.expire(arrival.moment)
        self._drop_finished()

    def cut(self, is_unreadable: Callable[[Trace], bool], commit: Commit | None) -> int:
        """End traces, since older versions of their rules can't be read; return their number.

        Args:
            is_unreadable: returns whether to end a trace.
            commit: the newest commit whose changes aren't known; None if it isn't known.
        """
        count = 0
        for trace in self._traces:
            if is_unreadable(trace):
                trace.cut(commit)
                count += 1
        self._drop_finished()
        return count

    def go_back(
        self, old: Sequence[Customization], new: Sequence[Customization], arrival: Arrival
    ) -> None:
        """Move the traces to the parent of a commit.

        Args:
            old: the rules that differ, as the parent has them.
            new: the rules that differ, as the commit has them.
            arrival: the commit.
        """
        step = _Step(old, new)
        # The rules without a block of their id choose last, among the blocks without an id.
        rest: list[Trace] = []
        for trace in self._traces:
            if trace.item is None:
                found = step.find_removed(trace.rule_id)
            elif not step.concerns(trace.item):
                continue
            else:
                found = step.find_former(trace.item)
            if found or trace.item:
                trace.go_back(found, arrival)
            elif step.has_unnamed:
                rest.append(trace)
        for trace in rest:
            if found := self._take_removed(step, trace.live):
                trace.go_back(found, arrival)
        self._drop_finished()

    def _drop_finished(self) -> None:
        self._traces = [trace for trace in self._traces if not trace.is_finished]

    def _take_removed(self, step: _Step, live: Customization | None) -> Customization | None:
        """Return a removed block without an id that was the live rule; None if there is none."""
        if live is None:
            return None
        found = step.take_removed_text(live)
        if found is None and self._live_targets[build_target_key(live)] == 1:
            found = step.take_removed_target(live)
        return found


class _Step:
    """The rules that one commit changed.

    Args:
        old: the rules that differ, as the parent has them.
        new: the rules that differ, as the commit has them.

    Attributes:
        has_unnamed: whether the parent has such a rule without an id.
    """

    def __init__(self, old: Sequence[Customization], new: Sequence[Customization]) -> None:
        self._old, self._new = old, new
        self._old_by_id = {item.id: item for item in old if item.id is not None}
        self._new_by_id = {item.id: item for item in new if item.id is not None}
        self.has_unnamed = len(self._old_by_id) < len(old)
        self._unnamed_new = {item for item in new if item.id is None}

    def concerns(self, item: Customization) -> bool:
        """Return whether the commit may have changed a rule that it has."""
        if item.id is None:
            return item in self._unnamed_new
        return item.id in self._new_by_id

    def find_removed(self, rule_id: str | None) -> Customization | None:
        """Return the rule of an id that the commit removed; None if it removed none."""
        if rule_id is None or rule_id in self._new_by_id:
            return None
        return self._old_by_id.get(rule_id)

    def find_former(self, item: Customization) -> Customization | None:
        """Return a rule of the commit as the parent has it; None if the parent lacks it."""
        if item.id is not None:
            found = self._old_by_id.get(item.id)
            if found or not self.has_unnamed:
                return found
        candidates = self._pairs_by_new.get(item, [])
        if not candidates:
            return None
        # Of equal blocks without an id, each trace takes one.
        old = candidates.pop().old
        # The block may have got its id in the commit. A block with another id is another rule.
        if old and old.id is not None and item.id is not None:
            return None
        return old

    def take_removed_text(self, live: Customization) -> Customization | None:
        """Return, once, a removed block without an id that has the text of a live rule."""
        for item in self._unnamed_removed:
            if has_same_text(item, live):
                self._unnamed_removed.remove(item)
                return item
        return None

    def take_removed_target(self, live: Customization) -> Customization | None:
        """Return the only removed block without an id that has the target of a live rule."""
        key = build_target_key(live)
        found = [item for item in self._unnamed_removed if build_target_key(item) == key]
        return found[0] if len(found) == 1 else None

    @cached_property
    def _pairs(self) -> list[Pair]:
        return list(match_customizations(self._old, self._new))

    @cached_property
    def _pairs_by_new(self) -> dict[Customization, list[Pair]]:
        pairs: dict[Customization, list[Pair]] = {}
        for pair in self._pairs:
            if pair.new:
                pairs.setdefault(pair.new, []).append(pair)
        return pairs

    @cached_property
    def _unnamed_removed(self) -> list[Customization]:
        removed = [pair.old for pair in self._pairs if pair.new is None and pair.old]
        return [item for item in removed if item.id is None]
