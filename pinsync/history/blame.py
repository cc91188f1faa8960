"""Which commit last changed each pin: rules are followed back through the commits until every pin has its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinsync.canonical.pins import pair_pins, read_pin
from pinsync.drift.changes import compare_pins, has_same_text, read_pins
from pinsync.drift.pairs import match_customizations, read_data
from pinsync.history.record import Blamed, BlamedRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pinsync.drift.pairs import ChangeKind, Pair
    from pinsync.drift.record import LocatedCustomization, PinChange
    from pinsync.history.steps import Step, TrackerStep
    from pinsync.model import Commit, Customization


def blamed(
    steps: Iterable[Step], rules: Mapping[str, Sequence[LocatedCustomization]]
) -> tuple[dict[str, tuple[BlamedRule, ...]], bool]:
    """Find the commit that last changed each pin.

    A rule is followed as `match` pairs rules, to another model or another id, and into folders and
    trackers of another name; what stayed as it was is older. The steps are taken only as long as a
    pin is without its commit.

    Args:
        steps: what each commit did, the newest first, from the one whose rules these are.
        rules: by tracker, as the newest commit calls it, customizations and where they stand.

    Returns:
        By tracker the rules, in their order; and whether each pin has its commit.
    """
    traces = {name: list(map(_Trace, found)) for name, found in rules.items()}
    waiting = {name: _Waiting(found) for name, found in traces.items()}
    for step in steps if any(waiting.values()) else ():
        for tracker in step.trackers:
            if tracker.newest in waiting:
                waiting[tracker.newest].back(tracker, step.commit)
        if not any(waiting.values()):
            break
    return {
        name: tuple(trace.result() for trace in found) for name, found in traces.items()
    }, not any(waiting.values())


class _Waiting:
    """The rules of one tracker of which older commits matter, by what they are found by in the commit looked at.

    Args:
        traces: the rules.
    """

    def __init__(self, traces: Iterable[_Trace]) -> None:
        self._traces: dict[object, list[_Trace]] = {}
        for trace in traces:
            self._put(trace)

    def __bool__(self) -> bool:
        return bool(self._traces)

    def _put(self, trace: _Trace) -> None:
        if not trace.done:
            self._traces.setdefault(_key(trace.item), []).append(trace)

    def back(self, step: TrackerStep, commit: Commit) -> None:
        """Go on with what the rules were before a commit; what it left as it was isn't among what differs."""
        moved = []
        for pair in match_customizations(step.old, step.new) if self._traces else ():
            found = self._traces.get(_key(pair.new), []) if pair.new else []
            trace = next((each for each in found if each.is_at(pair.new)), None)
            if trace is None:
                continue
            found.remove(trace)
            if not found:
                del self._traces[_key(trace.item)]
            trace.back(pair, commit)
            moved.append(trace)
        for trace in moved:
            self._put(trace)


class _Trace:
    """A rule on its way back.

    Args:
        rule: the rule in the commit to begin at.

    Attributes:
        item: the rule in the commit looked at.
    """

    def __init__(self, rule: LocatedCustomization) -> None:
        self.item = rule.customization
        self._rule = rule
        self._data = read_data(rule.customization)
        self._pins = read_pins(self._data)
        self._item_pins = self._pins
        self._blamed: dict[int, tuple[PinChange, Commit]] = {}
        self._waiting = {
            at: at for at in range(len(self._pins))
        }  # pin → which one it is in the commit looked at
        self._changed: tuple[ChangeKind, Commit] | None = None

    @property
    def done(self) -> bool:
        """Whether nothing that older commits did matters."""
        return self._changed is not None and not self._waiting

    def is_at(self, item: Customization | None) -> bool:
        """Return whether a customization is the rule in the commit looked at.

        Only its pins are compared: the rest of the text differs where the configuration came to
        ignore a field.
        """
        return item == self.item or has_same_text(read_pins(read_data(item)), self._item_pins)

    def back(self, pair: Pair, commit: Commit) -> None:
        """Go on with what the rule was before a commit."""
        if pair.kind:
            self._changed = self._changed or (pair.kind, commit)
            old_pins = read_pins(read_data(pair.old))
            self._blame(old_pins, commit)
            self._item_pins = old_pins
        if pair.old:
            self.item = pair.old

    def _blame(self, old_pins: Sequence[Mapping[str, Any]], commit: Commit) -> None:
        """Blame a commit for the pins that it changed, and follow the other pins to their old places."""
        new_pins = self._item_pins
        origins = {there: here for here, there in pair_pins(old_pins, new_pins)}
        for pin, there in list(self._waiting.items()):
            here = origins.get(there)
            if change := compare_pins(None if here is None else old_pins[here], new_pins[there]):
                self._blamed[pin] = change, commit
                del self._waiting[pin]
            elif here is not None:
                self._waiting[pin] = here

    def result(self) -> BlamedRule:
        """Return what was found."""
        pins = []
        for at, pin in enumerate(self._pins):
            change, commit = self._blamed.get(at, (None, None))
            pins.append(Blamed(read_pin(pin), change, commit))
        return BlamedRule(*self._rule, self._data, tuple(pins), *(self._changed or (None, None)))


def _key(item: Customization) -> object:
    return (item.model, item.target) if item.id is None else item.id
