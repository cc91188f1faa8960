"""Which commit last changed each pin: rules are followed back through the commits until every pin has its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinsync.compare import match
from pinsync.compare.changes import pin_change, plain_data, same, shelf
from pinsync.compare.log import Blamed, BlamedRule
from pinsync.model import pair_pins

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from pinsync.compare import Kind, Pair
    from pinsync.compare.drift import PinChange, Place
    from pinsync.history import Step, TrackerStep
    from pinsync.model import Commit, Customization


def blamed(
    steps: Iterable[Step], rules: Mapping[str, Sequence[tuple[Customization, Place]]], ends: Container[str] = ()
) -> tuple[dict[str, tuple[BlamedRule, ...]], Commit | None]:
    """Find the commit that last changed each pin.

    A rule is followed to another model, to another id of the same target, and into folders and trackers of another
    name; what stayed as it was is older. The steps are taken only as long as a pin is without its commit.

    Args:
        steps: what each commit did, the newest first, from the one whose rules these are.
        rules: by tracker, as the newest commit calls it, customizations and where they stand.
        ends: the full hashes of the commits at which a shallow clone ends. There nothing can be told apart any more.

    Returns:
        By tracker the rules, in their order; and the commit at which the clone ends, if a pin is as old as that.
    """
    traces = {name: [_Trace(item, place) for item, place in found] for name, found in rules.items()}
    waiting = [trace for found in traces.values() for trace in found]
    end = None
    for step in steps if waiting else ():
        if step.commit.hash in ends:
            end = step.commit
            break
        for tracker in step.trackers:
            if tracker.newest is not None:
                _follow([trace for trace in traces.get(tracker.newest, ()) if not trace.done], tracker, step.commit)
        waiting = [trace for trace in waiting if not trace.done]
        if not waiting:
            break
    return {name: tuple(trace.result() for trace in found) for name, found in traces.items()}, end


class _Trace:
    """A rule on its way back.

    Args:
        item: the rule.
        place: where it stands.
    """

    def __init__(self, item: Customization, place: Place) -> None:
        self.item = item
        self._rule = item, place
        self._pins = shelf(plain_data(item))
        self._blamed: dict[int, tuple[PinChange, Commit]] = {}
        self._waiting = {at: at for at in range(len(self._pins))}  # pin → which one it is in the commit looked at
        self._changed: tuple[Kind, Commit] | None = None

    @property
    def done(self) -> bool:
        """Whether nothing that older commits did matters."""
        return self._changed is not None and not self._waiting

    def back(self, pair: Pair, commit: Commit) -> None:
        """Go on with what the rule was before a commit."""
        if pair.kind:
            self._changed = self._changed or (pair.kind, commit)
            self._blame(shelf(plain_data(pair.old)), shelf(plain_data(pair.new)), commit)
        if pair.old:
            self.item = pair.old

    def _blame(self, old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], commit: Commit) -> None:
        origins = {there: here for here, there in pair_pins(old, new)}
        for pin, there in list(self._waiting.items()):
            here = origins.get(there)
            if change := pin_change(None if here is None else old[here], new[there]):
                self._blamed[pin] = change, commit
                del self._waiting[pin]
            elif here is not None:
                self._waiting[pin] = here

    def result(self) -> BlamedRule:
        """Return what was found."""
        pins = tuple(Blamed(pin, *self._blamed.get(at, (None, None))) for at, pin in enumerate(self._pins))
        return BlamedRule(*self._rule, pins, *(self._changed or (None, None)))


def _follow(traces: Sequence[_Trace], step: TrackerStep, commit: Commit) -> None:
    """Go on with what the rules were before a commit; what it left as it was isn't among what differs."""
    if not traces:
        return
    pairs: dict[object, list[Pair]] = {}
    for pair in match(step.old, step.new):
        if pair.new:
            pairs.setdefault(_key(pair.new), []).append(pair)
    for trace in traces:
        found = pairs.get(_key(trace.item), [])
        if mine := next((pair for pair in found if _same_pins(pair.new, trace.item)), None):
            found.remove(mine)
            trace.back(mine, commit)


def _same_pins(one: Customization | None, other: Customization) -> bool:
    """Whether they are one rule; the rest of their texts may differ, where the configuration came to ignore a field."""
    return one == other or same(shelf(plain_data(one)), shelf(plain_data(other)))


def _key(item: Customization) -> object:
    return (item.model, item.target) if item.id is None else item.id
