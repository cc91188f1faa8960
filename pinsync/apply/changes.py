"""Send the updates and the deletes of a plan, one by one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pinsync.api import ATTEMPTS, LostAnswerError, RefusalError, ThrottledError
from pinsync.apply.bodies import build_changed_body
from pinsync.apply.view import is_before
from pinsync.errors import PinsyncError, RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pinsync.api import Shop
    from pinsync.apply.ledger import Ledger
    from pinsync.apply.pace import Pace
    from pinsync.apply.proof import Proof
    from pinsync.apply.view import View
    from pinsync.canonical.normalize import Ignored
    from pinsync.plan.record import Operation

PRESENT: Final = "the shop had it already"
_GONE: Final = "somebody deleted it already"
_DELETED: Final = "somebody deleted it since the plan"
_INVALID: Final = 422
_NOT_FOUND: Final = 404


class ChangeWriter:
    """Updates and deletes rules, each after a look at it.

    Args:
        shop: the rules of the shop.
        ledger: the ledger of the run.
        view: reads the shop.
        proof: reads back the first write of each kind.
        ignore: the paths of the fields that git leaves out.
        keep_going: whether a rule that the API finds invalid doesn't end the run.
        sleep: waits the given number of seconds.
    """

    def __init__(
        self,
        shop: Shop,
        ledger: Ledger,
        view: View,
        proof: Proof,
        *,
        ignore: Ignored,
        keep_going: bool,
        sleep: Callable[[float], None],
    ) -> None:
        self._shop = shop
        self._ledger = ledger
        self._view = view
        self._proof = proof
        self._ignore = ignore
        self._keep_going = keep_going
        self._sleep = sleep

    def write(self, numbers: Sequence[int], pace: Pace) -> None:
        """Carry out operations, in their order, up to the first error that ends the run.

        Args:
            numbers: the numbers of the operations.
            pace: runs the requests.
        """
        for number in numbers:
            operation = self._ledger.operations[number]
            is_first = not self._proof.has(operation)
            # A rule that gets a target waits until the target is free.
            if is_first or operation.takes_target:
                pace.drain()
            if self._ledger.is_ending:
                break
            pace.start(partial(self._write_rule, number))
            if is_first:
                pace.drain()
        pace.drain()

    def _write_rule(self, number: int) -> None:
        if self._ledger.is_ending:
            return
        operation = self._ledger.operations[number]
        try:
            if not self._send_unless_changed(number, operation):
                return
        except PinsyncError as error:
            # The rule couldn't be read, or the journal couldn't be written: nothing was sent.
            self._ledger.settle(number, "waiting", error.message)
            self._ledger.end(error)
            return
        find = partial(self._view.read, str(operation.id))
        if number not in self._ledger.outcomes:
            self._proof.look_up(number, find)
        elif not self._proof.has(operation):
            self._proof.read_back(number, find)

    def _send_unless_changed(self, number: int, operation: Operation) -> bool:
        """Read a rule and write it; return whether the write may have had an effect.

        Raises:
            RemoteError: the rule can't be read, or the write was throttled each time.
            FileError: the journal can't be written.
        """
        attempt = 1
        while True:
            row = self._read_unchanged(number, operation)
            # Another thread may have ended the run meanwhile.
            if row is None or self._ledger.is_ending:
                return False
            try:
                return self._send(number, operation, row)
            except ThrottledError as error:
                if attempt == ATTEMPTS or self._ledger.is_ending:
                    message = f"{error.message}, tried {attempt} times"
                    raise RemoteError(message, hint=error.hint) from error
                # A person may change the rule during the pause, so it is read again.
                self._sleep(error.pause)
                attempt += 1

    def _read_unchanged(self, number: int, operation: Operation) -> Mapping[str, Any] | None:
        """Return the rule of the shop as the API answers it; None if it isn't as planned.

        Then the operation is settled.
        """
        found = self._view.get(str(operation.id))
        if found is None:
            if operation.after is None:
                self._ledger.settle(number, "done", _GONE)
            else:
                self._ledger.settle(number, "changed", _DELETED, rule_id=None)
            return None
        rule, row = found
        if is_before(operation, rule):
            if not self._ledger.is_target_held(operation):
                return row
            self._ledger.settle(number, "held", "another rule still has the target", rule=rule)
        elif self._view.shows(operation, rule):
            self._ledger.settle(number, "done", PRESENT, rule=rule)
        else:
            self._ledger.settle(number, "changed", "somebody changed it since the plan", rule=rule)
        return None

    def _send(self, number: int, operation: Operation, row: Mapping[str, Any]) -> bool:
        """Send an update or a delete; return whether it may have had an effect.

        The operation is settled, unless the answer was lost.

        Raises:
            FileError: the journal can't be written, so nothing was sent.
            ThrottledError: the write surely had no effect.
        """
        rule_id, after = str(operation.id), operation.after
        call = "PUT" if after else "DELETE"
        self._ledger.begin([number], call, rule_id)
        try:
            if after and operation.before:
                body = build_changed_body(after, operation.before, row, self._ignore)
                self._shop.replace(rule_id, body)
            else:
                self._shop.delete(rule_id)
        except LostAnswerError as error:
            self._ledger.note("lost", [number], reason=error.message)
            return True
        except RefusalError as error:
            self._ledger.note("refused", [number], status=error.status)
            self._refuse(number, error)
            return False
        except ThrottledError as error:
            self._ledger.note("refused", [number], reason=error.message)
            self._ledger.forget([number])
            raise
        self._ledger.note("acknowledged", [number])
        self._ledger.settle(number, "done", was_sent=True)
        return True

    def _refuse(self, number: int, error: RefusalError) -> None:
        """Settle a write that the API refused."""
        if error.status == _NOT_FOUND:
            if self._ledger.operations[number].kind == "delete":
                self._ledger.settle(number, "done", _GONE)
            else:
                self._ledger.settle(number, "changed", _DELETED, rule_id=None)
            return
        self._ledger.settle(number, "refused", error.message, was_sent=True)
        if error.status != _INVALID or not self._keep_going:
            self._ledger.end(error)
