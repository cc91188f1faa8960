"""Find the commit that last changed each pin, by following each rule back through the commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinsync.canonical.pins import pair_pins, read_pin
from pinsync.drift.changes import compare_pins, has_same_text, read_pins
from pinsync.drift.pairs import match_customizations, read_data
from pinsync.history.record import BlamedPin, BlamedRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pinsync.drift.pairs import ChangeKind, Pair
    from pinsync.drift.record import LocatedCustomization, PinChange
    from pinsync.history.steps import Step, TrackerStep
    from pinsync.model import Commit, Customization


def blame_pins(
    steps: Iterable[Step], rules: Mapping[str, Sequence[LocatedCustomization]]
) -> tuple[dict[str, tuple[BlamedRule, ...]], bool]:
    """Find the commit that last changed each pin.

    A rule is followed to another model or id as `match` pairs rules, and into renamed folders and
    trackers. Steps are taken only until all pins have a commit.

    Args:
        steps: the steps, from the commit with the rules back.
        rules: a tracker's name in the newest commit → the customizations with their places.

    Returns:
        Tracker name → blamed rules in the same order; and whether all pins have a commit.
    """
    traces: dict[str, list[_Trace]] = {}
    unfinished: dict[str, _UnfinishedTraces] = {}
    for name, placed in rules.items():
        traces[name] = [_Trace(rule) for rule in placed]
        unfinished[name] = _UnfinishedTraces(traces[name])
    # Without an unfinished trace, not even the first step is read.
    if any(unfinished.values()):
        for step in steps:
            for tracker in step.trackers:
                if tracker.newest_name in unfinished:
                    unfinished[tracker.newest_name].go_back(tracker, step.commit)
            if not any(unfinished.values()):
                break
    blamed = {}
    for name, found in traces.items():
        blamed[name] = tuple(trace.build_rule() for trace in found)
    return blamed, not any(unfinished.values())


class _UnfinishedTraces:
    """The traces of one tracker that need older commits, by the key of their customization.

    Args:
        traces: the traces of all rules.
    """

    def __init__(self, traces: Iterable[_Trace]) -> None:
        self._traces: dict[object, list[_Trace]] = {}
        for trace in traces:
            self._put(trace)

    def __bool__(self) -> bool:
        return bool(self._traces)

    def _put(self, trace: _Trace) -> None:
        if not trace.is_finished:
            self._traces.setdefault(_build_key(trace.item), []).append(trace)

    def go_back(self, step: TrackerStep, commit: Commit) -> None:
        """Move the traces to the parent of a commit. Rules that don't differ keep their item."""
        if not self._traces:
            return
        moved = []
        for pair in match_customizations(step.old, step.new):
            if trace := self._take(pair.new):
                trace.go_back(pair, commit)
                moved.append(trace)
        # After the loop, so that no trace is found again under its older key.
        for trace in moved:
            self._put(trace)

    def _take(self, item: Customization | None) -> _Trace | None:
        """Remove and return the trace of a customization of the commit; None if there is none."""
        if item is None:
            return None
        key = _build_key(item)
        candidates = self._traces.get(key, [])
        for trace in candidates:
            if trace.is_at(item):
                candidates.remove(trace)
                if not candidates:
                    del self._traces[key]
                return trace
        return None


class _Trace:
    """The way of one rule back through the commits.

    Args:
        rule: the rule in the newest commit.

    Attributes:
        item: the customization in the current commit of the walk.
    """

    def __init__(self, rule: LocatedCustomization) -> None:
        self.item = rule.customization
        self._rule = rule
        self._data = read_data(rule.customization)
        self._pins = read_pins(self._data)
        self._item_pins = self._pins
        self._blamed: dict[int, tuple[PinChange, Commit]] = {}
        # The index of a pin in the newest commit → its index in the current commit.
        self._unblamed = {index: index for index in range(len(self._pins))}
        self._changed: tuple[ChangeKind, Commit] | None = None

    @property
    def is_finished(self) -> bool:
        """Whether older commits don't matter."""
        return self._changed is not None and not self._unblamed

    def is_at(self, item: Customization) -> bool:
        """Return whether a customization is the rule in the current commit."""
        # The texts can differ if the configuration began to ignore a field. Then pins decide.
        return item == self.item or has_same_text(read_pins(read_data(item)), self._item_pins)

    def go_back(self, pair: Pair, commit: Commit) -> None:
        """Move to the parent of a commit, and blame the commit for its changes.

        Args:
            pair: the rule in the parent and in the commit.
            commit: the commit.
        """
        if pair.kind:
            # The walk goes back in time, so the first change is the last one of the rule.
            self._changed = self._changed or (pair.kind, commit)
            old_pins = read_pins(read_data(pair.old))
            self._blame(old_pins, commit)
            self._item_pins = old_pins
        if pair.old:
            self.item = pair.old

    def _blame(self, old_pins: Sequence[Mapping[str, Any]], commit: Commit) -> None:
        """Blame a commit for the pins that it changed, and follow the other pins back."""
        new_pins = self._item_pins
        origins = {new: old for old, new in pair_pins(old_pins, new_pins)}
        for pin, new in list(self._unblamed.items()):
            old = origins.get(new)
            change = compare_pins(None if old is None else old_pins[old], new_pins[new])
            if change:
                self._blamed[pin] = change, commit
                del self._unblamed[pin]
            elif old is not None:
                self._unblamed[pin] = old

    def build_rule(self) -> BlamedRule:
        """Return the rule with the commits that were found."""
        pins = []
        for index, pin in enumerate(self._pins):
            change, commit = self._blamed.get(index, (None, None))
            pins.append(BlamedPin(read_pin(pin), change, commit))
        kind, commit = self._changed or (None, None)
        return BlamedRule(*self._rule, self._data, tuple(pins), kind, commit)


def _build_key(item: Customization) -> object:
    """Return the key under which `match` may find a customization's counterpart."""
    # A rule without an id is recognized by its target.
    if item.id is None:
        return item.model, item.target
    return item.id
