"""The ledger of a run: what became of each operation, and why the run ends."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from pinsync.apply.record import ACKNOWLEDGED, Outcome
from pinsync.drift.pairs import build_target_key
from pinsync.errors import PinsyncError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pinsync.apply.journal import Journal
    from pinsync.apply.record import State
    from pinsync.model import Customization
    from pinsync.plan.record import Operation

LOST: Final = "the answer to the write was lost"


class Ledger:
    """The state of a run; several threads may write into it.

    Args:
        operations: the operations in the order of the plan.
        journal: receives each call and its outcome.
        show: called with the number of operations that are settled.

    Attributes:
        operations: as above.
        outcomes: number of the operation → what became of it.
        stop: the error that ended the run early; None if there is none.
        is_interrupted: whether the user ended the run.
    """

    def __init__(
        self, operations: Sequence[Operation], journal: Journal, show: Callable[[int], None]
    ) -> None:
        self.operations = operations
        self.outcomes: dict[int, Outcome] = {}
        self.stop: PinsyncError | None = None
        self.is_interrupted = False
        self._journal = journal
        self._show = show
        # The targets that rules keep although the plan wanted to free them.
        self._held: set[object] = set()
        # The operations of the writes that were sent, perhaps without effect.
        self._sent: set[int] = set()
        self._lock = threading.Lock()

    @property
    def is_ending(self) -> bool:
        """Whether nothing new may be sent."""
        return self.stop is not None or self.is_interrupted

    def end(self, error: PinsyncError) -> None:
        """End the run; of several errors the first one counts."""
        with self._lock:
            if self.stop is None:
                self.stop = error

    def settle(self, number: int, state: State, detail: str = "", **values: Any) -> None:  # noqa: ANN401 - the fields of an outcome
        """Write down what became of an operation.

        Args:
            number: the number of the operation.
            state: see `record.State`.
            detail: the reason.
            values: the other fields of the `Outcome`.
        """
        operation = self.operations[number]
        values.setdefault("rule_id", operation.id)
        self.outcomes[number] = Outcome(operation, state, detail, **values)
        if state not in ACKNOWLEDGED:
            # The rule stays where it is, so it blocks whoever waits for its target.
            rule = operation.before
            if rule and operation.frees_target:
                self._held.add(build_target_key(rule))
        self._show(len(self.outcomes))

    def get_wanted(self, number: int) -> Customization:
        """Return the rule of git that an update or a create writes."""
        rule = self.operations[number].after
        if rule is None:
            raise ValueError("an operation without a rule of git")
        return rule

    def is_target_held(self, operation: Operation) -> bool:
        """Return whether a rule keeps the target that an operation gets."""
        if operation.after is None or not operation.takes_target:
            return False
        return build_target_key(operation.after) in self._held

    def list_freed_ids(self) -> set[str | None]:
        """Return the ids of the rules that this run took off their targets."""
        freed: set[str | None] = set()
        for outcome in self.outcomes.values():
            if outcome.state == "done" and outcome.operation.frees_target:
                freed.add(outcome.operation.id)
        return freed

    def list_created_ids(self) -> set[str]:
        """Return the known ids of the rules that this run created."""
        ids: set[str] = set()
        for outcome in self.outcomes.values():
            if outcome.operation.kind == "create" and outcome.rule_id:
                ids.add(outcome.rule_id)
        return ids

    # The journal

    def begin(self, numbers: Sequence[int], call: str, rule_id: str | None = None) -> None:
        """Write into the journal that a write is about to be sent.

        Raises:
            FileError: the journal can't be written.
        """
        values = {"operations": list(numbers), "call": call}
        if rule_id is None:
            # A create that nobody remembers would be done twice once its rule has moved.
            self._journal.write_to_disk("send", **values)
        else:
            self._journal.write("send", rule_id=rule_id, **values)
        self._sent.update(numbers)

    def note(self, event: str, numbers: Sequence[int], **values: object) -> None:
        """Write an event behind a write into the journal; a failure ends the run."""
        try:
            self._journal.write(event, operations=list(numbers), **values)
        except PinsyncError as error:
            self.end(error)

    def forget(self, numbers: Sequence[int]) -> None:
        """Take writes for unsent that surely had no effect."""
        self._sent.difference_update(numbers)

    def close(self) -> None:
        """Settle the operations whose turn never came, and those whose answers nobody awaited."""
        for number, operation in enumerate(self.operations):
            if number in self.outcomes:
                continue
            # A second interrupt doesn't wait for the write that is under way.
            if number in self._sent:
                self.settle(number, "lost", LOST, was_sent=True)
            else:
                self.outcomes[number] = Outcome(operation, "waiting")
