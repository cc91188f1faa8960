"""Carry out the operations of a plan at one host.

The first update, the first create and the first delete are each read back before the others of
their kind follow, and so is the first update of a rule with ``target_metadata``. A request whose
outcome isn't known is never repeated: the shop is asked instead.
All requests are sent by the threads of `Pace`, so that an interrupt never cuts off a write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from pinsync.apply.changes import ChangeWriter
from pinsync.apply.creates import CreateWriter
from pinsync.apply.ledger import Ledger
from pinsync.apply.matching import Matcher, has_only_dropped_metadata
from pinsync.apply.pace import Pace, poll
from pinsync.apply.proof import DROPPED, Proof
from pinsync.apply.record import ACKNOWLEDGED
from pinsync.apply.view import View, is_before
from pinsync.errors import RemoteError
from pinsync.plan.order import split_stages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pinsync.api import Shop
    from pinsync.apply.journal import Journal
    from pinsync.apply.record import Outcome
    from pinsync.apply.view import Clock
    from pinsync.canonical.normalize import Ignored
    from pinsync.errors import PinsyncError
    from pinsync.model import Customization
    from pinsync.plan.record import Operation

VERIFY_SECONDS: Final = 60.0
"""Seconds in which an export must show all writes."""


class Choices(Struct, frozen=True):
    """The options of a run.

    Attributes:
        parallel: the largest number of requests at once.
        keep_going: whether a rule that the API finds invalid doesn't end the run.
        allow_dropped_metadata: whether the shop may drop ``target_metadata``.
    """

    parallel: int = 4
    keep_going: bool = False
    allow_dropped_metadata: bool = False


class Executor:
    """One run over the operations of a tracker.

    Args:
        shop: the rules of the shop at the host of the run.
        operations: the operations in the order of the plan.
        known_ids: the ids of the rules that the shop had when it was planned.
        ignore: the paths of the fields that git leaves out.
        choices: the options.
        journal: receives each call and its outcome.
        clock: the effects that tests replace.
        show: called with the number of operations that are settled.
    """

    def __init__(
        self,
        shop: Shop,
        operations: Sequence[Operation],
        known_ids: frozenset[str],
        *,
        ignore: Ignored,
        choices: Choices,
        journal: Journal,
        clock: Clock,
        show: Callable[[int], None],
    ) -> None:
        self._operations = operations
        self._parallel = choices.parallel
        self._clock = clock
        self._ledger = Ledger(operations, journal, show)
        matcher = Matcher(allows_dropped_metadata=choices.allow_dropped_metadata)
        self._view = View(shop, ignore, matcher, clock, lambda: self._ledger.is_interrupted)
        proof = Proof(self._ledger, self._view)
        parts = shop, self._ledger, self._view, proof
        self._changes = ChangeWriter(
            *parts, ignore=ignore, keep_going=choices.keep_going, sleep=clock.sleep
        )
        self._creates = CreateWriter(*parts, known_ids=known_ids, keep_going=choices.keep_going)

    @property
    def outcomes(self) -> Mapping[int, Outcome]:
        """Number of the operation → what became of it."""
        return self._ledger.outcomes

    @property
    def stop(self) -> PinsyncError | None:
        """The error that ended the run early; None if there is none."""
        return self._ledger.stop

    @property
    def is_interrupted(self) -> bool:
        """Whether the user ended the run."""
        return self._ledger.is_interrupted

    def execute(self) -> None:
        """Carry out the operations, up to the first error that ends the run."""
        changes, creates, deletes = split_stages(self._operations)
        try:
            with Pace(self._parallel, self._clock.monotonic) as pace:
                try:
                    self._changes.write(changes, pace)
                    if creates and not self._ledger.is_ending:
                        pace.start(lambda: self._creates.write(creates))
                        pace.drain()
                    self._changes.write(deletes, pace)
                except KeyboardInterrupt:
                    # Before the threads are waited for, so that they begin nothing new.
                    self._ledger.is_interrupted = True
        except KeyboardInterrupt:
            self._ledger.is_interrupted = True
        self._ledger.close()

    def verify(self) -> Sequence[Customization] | None:
        """Compare the shop's export with the outcomes; return the export.

        If nothing was written and nothing was found done, nothing is compared, and there is no
        export. A run without an error repeats the export until it shows every result, for at most
        `VERIFY_SECONDS`.

        Raises:
            RemoteError: no export came.
        """
        if not any(map(_is_to_verify, self.outcomes.values())):
            return None
        seconds = 0.0 if self._ledger.is_ending else VERIFY_SECONDS
        live: Sequence[Customization] = ()
        found: dict[int, Outcome] = {}
        for _ in poll(seconds, *self._clock):
            try:
                live = self._view.export()
            except RemoteError:
                # What an earlier export has shown still holds.
                if not found:
                    raise
                break
            found = dict(self._compare(live))
            denied = [number for number, each in found.items() if each.state != "done"]
            # Reads may be stale. What counted as lost or refused before needs no second look.
            if all(self.outcomes[number].state != "done" for number in denied):
                break
        self._ledger.outcomes.update(found)
        return live

    # The comparison with an export

    def _compare(self, live: Sequence[Customization]) -> Iterator[tuple[int, Outcome]]:
        """Yield the operations of which the export says more, with their outcomes."""
        by_id = {rule.id: rule for rule in live}
        unnamed: dict[int, Customization] = {}
        for number, outcome in self.outcomes.items():
            operation = outcome.operation
            if operation.kind == "create" and not outcome.rule_id and outcome.was_sent:
                unnamed[number] = self._ledger.get_wanted(number)
        known = self._creates.known_ids | self._ledger.list_created_ids()
        created = self._view.matcher.find_created(unnamed, live, known)
        for number, outcome in self.outcomes.items():
            rule = created.get(number) or by_id.get(outcome.rule_id)
            if _is_to_verify(outcome):
                yield number, self._judge(outcome, rule)

    def _judge(self, outcome: Outcome, rule: Customization | None) -> Outcome:
        """Return the outcome of a write by the rule that the export has."""
        operation = outcome.operation
        seen = replace(outcome, rule=rule, rule_id=rule.id if rule else outcome.rule_id)
        if self._view.shows(operation, rule):
            return replace(seen, state="done")
        if outcome.state not in ACKNOWLEDGED:
            return seen
        if not outcome.was_sent:
            return replace(seen, state="waiting", detail="the shop's answers contradict each other")
        is_unseen = rule is None if operation.before is None else is_before(operation, rule)
        if is_unseen:
            return replace(seen, state="unseen")
        if operation.after and rule and has_only_dropped_metadata(operation.after, rule):
            # Likelier the API than a person.
            return replace(seen, state="different", detail=DROPPED)
        verb = "deleted" if rule is None else "changed"
        return replace(seen, state="edited", detail=f"somebody {verb} it right after the write")


def _is_to_verify(outcome: Outcome) -> bool:
    """Return whether an export can say more about an outcome."""
    return outcome.state == "done" or (outcome.was_sent and outcome.state != "different")
