"""Create the new rules of a plan: the first one by itself, the others by bulk calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.api import BULK_LIMIT, LostAnswerError, RefusalError
from pinsync.apply.bodies import build_new_body
from pinsync.apply.changes import PRESENT
from pinsync.apply.ledger import LOST
from pinsync.apply.proof import build_lost_error
from pinsync.apply.view import LOOKUP_SECONDS
from pinsync.drift.pairs import build_target_key, collect_ids
from pinsync.errors import PinsyncError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.api import Shop
    from pinsync.apply.ledger import Ledger
    from pinsync.apply.proof import Proof
    from pinsync.apply.view import View
    from pinsync.model import Customization

_CONFLICT: Final = 409
_TOO_LARGE: Final = 413
_INVALID: Final = 422
_UNCLEAR: Final = frozenset({_CONFLICT, _TOO_LARGE, _INVALID})
"""The statuses of a bulk call that may have stored its first lines."""


class CreateWriter:
    """Creates rules.

    Args:
        shop: the rules of the shop.
        ledger: the ledger of the run.
        view: reads the shop.
        proof: reads back the first write of each kind.
        known_ids: the ids of the rules that the shop had when it was planned.
        keep_going: whether a rule that the API finds invalid doesn't end the run.

    Attributes:
        known_ids: the ids of all rules of the shop that this run didn't create.
    """

    def __init__(
        self,
        shop: Shop,
        ledger: Ledger,
        view: View,
        proof: Proof,
        *,
        known_ids: frozenset[str],
        keep_going: bool,
    ) -> None:
        self.known_ids = known_ids
        self._shop = shop
        self._ledger = ledger
        self._view = view
        self._proof = proof
        self._keep_going = keep_going
        # The largest number of lines of a bulk call that the API hasn't refused as too many.
        self._bulk_limit = BULK_LIMIT

    def write(self, numbers: Sequence[int]) -> None:
        """Create rules, up to the first error that ends the run.

        Args:
            numbers: the numbers of the operations.
        """
        try:
            wanted = self._leave_out_taken(numbers)
        except PinsyncError as error:
            self._ledger.end(error)
            return
        while wanted and not self._ledger.is_ending:
            if not self._proof.has(self._ledger.operations[wanted[0]]):
                self._create_one(wanted.pop(0), reads_back=True)
                continue
            chunk, wanted = wanted[: self._bulk_limit], wanted[self._bulk_limit :]
            # Those of a call that was too large come again.
            wanted = [*self._create_many(chunk), *wanted]

    def _leave_out_taken(self, numbers: Sequence[int]) -> list[int]:
        """Return the creates whose targets are free; settle the others.

        Raises:
            RemoteError: no export came.
        """
        live = self._view.export()
        freed, planned_ids = self._ledger.list_freed_ids(), self.known_ids
        holders = {build_target_key(rule): rule for rule in live if rule.id not in freed}
        self.known_ids = planned_ids | collect_ids(live)
        wanted: list[int] = []
        for number in numbers:
            rule = self._ledger.get_wanted(number)
            holder = holders.get(build_target_key(rule))
            is_held = self._ledger.is_target_held(self._ledger.operations[number])
            if holder is None and not is_held:
                wanted.append(number)
            elif holder and self._view.matcher.is_equal(rule, holder):
                self._ledger.settle(number, "done", PRESENT, rule=holder, rule_id=holder.id)
            elif holder and holder.id not in planned_ids:
                detail = "somebody created a rule with this target since the plan"
                self._ledger.settle(number, "changed", detail)
            else:
                self._ledger.settle(number, "held", "another rule has the target")
        return wanted

    def _create_one(self, number: int, *, reads_back: bool) -> None:
        """Create one rule by a call that answers with the rule."""
        wanted = self._ledger.get_wanted(number)
        try:
            self._ledger.begin([number], "POST")
            created = self._shop.create(build_new_body(wanted))
        except LostAnswerError as error:
            self._ledger.note("lost", [number], reason=error.message)
            self._find_created([number])
            return
        except RefusalError as error:
            self._ledger.note("refused", [number], status=error.status)
            self._ledger.settle(number, "refused", error.message, was_sent=True)
            if error.status != _INVALID or not self._keep_going:
                self._ledger.end(error)
            return
        except PinsyncError as error:
            self._ledger.note("refused", [number], reason=error.message)
            self._ledger.settle(number, "waiting", error.message)
            self._ledger.end(error)
            return
        rule_id = self._view.read_id(created)
        self._ledger.note("acknowledged", [number], rule_id=rule_id)
        self._ledger.settle(number, "done", rule_id=rule_id, was_sent=True)
        if reads_back:
            self._read_back_created(number, wanted, rule_id)

    def _read_back_created(self, number: int, wanted: Customization, rule_id: str | None) -> None:
        def find() -> Customization | None:
            if rule_id is not None:
                return self._view.read(rule_id)
            found = self._view.matcher.find_created(
                {0: wanted}, self._view.export(), self.known_ids
            )
            return found.get(0)

        self._proof.read_back(number, find)

    def _create_many(self, numbers: Sequence[int]) -> Sequence[int]:
        """Create rules by one call; return those to try again in smaller calls."""
        bodies = [build_new_body(self._ledger.get_wanted(number)) for number in numbers]
        try:
            self._ledger.begin(numbers, "POST _bulk")
            self._shop.create_all(bodies)
        except LostAnswerError as error:
            self._ledger.note("lost", numbers, reason=error.message)
            self._find_created(numbers)
        except RefusalError as error:
            # Whether a refused call has stored its first lines isn't documented.
            self._ledger.note("unclear", numbers, status=error.status)
            return self._refuse_many(numbers, error)
        except PinsyncError as error:
            self._ledger.note("refused", numbers, reason=error.message)
            for number in numbers:
                self._ledger.settle(number, "waiting", error.message)
            self._ledger.end(error)
        else:
            self._ledger.note("acknowledged", numbers)
            for number in numbers:
                self._ledger.settle(number, "done", was_sent=True)
        return ()

    def _refuse_many(self, numbers: Sequence[int], error: RefusalError) -> Sequence[int]:
        """Settle creates whose call was refused; return those to try again in smaller calls."""
        missing: Sequence[int] | None = numbers
        if error.status in _UNCLEAR:
            missing = self._find_stored(numbers, LOOKUP_SECONDS)
        if missing is None:
            for number in numbers:
                self._ledger.settle(number, "lost", error.message, was_sent=True)
            self._ledger.end(error)
            return ()
        self._ledger.note("refused", missing, status=error.status)
        self._ledger.forget(missing)
        if error.status == _TOO_LARGE and len(numbers) > 1:
            self._bulk_limit = max(1, len(numbers) // 2)
            return missing
        if error.status == _INVALID and self._keep_going:
            for number in missing:
                if not self._ledger.is_ending:
                    self._create_one(number, reads_back=False)
            return ()
        for number in missing:
            self._ledger.settle(number, "refused", error.message, was_sent=True)
        self._ledger.end(error)
        return ()

    def _find_created(self, numbers: Sequence[int]) -> None:
        """Settle creates whose answer was lost, by what the export shows."""
        missing = self._find_stored(numbers, LOOKUP_SECONDS)
        if missing is None:
            missing = list(numbers)
        if len(missing) < len(numbers):
            self._proof.add(self._ledger.operations[numbers[0]])
        for number in missing:
            self._ledger.settle(number, "lost", LOST, was_sent=True)
        if missing:
            self._ledger.end(build_lost_error(len(missing), is_create=True))

    def _find_stored(self, numbers: Sequence[int], seconds: float) -> list[int] | None:
        """Settle the creates that the export shows in time; return the others.

        Args:
            numbers: the numbers of the creates.
            seconds: the time in which the export must show them.

        Returns:
            None if no export came.
        """
        wanted = {number: self._ledger.get_wanted(number) for number in numbers}

        def find() -> dict[int, Customization]:
            known = self.known_ids | self._ledger.list_created_ids()
            return self._view.matcher.find_created(wanted, self._view.export(), known)

        found: dict[int, Customization] | None = None
        for found in self._view.poll(find, seconds):
            if len(found) == len(numbers):
                break
        if found is None:
            return None
        for number, rule in found.items():
            self._ledger.note("acknowledged", [number], rule_id=rule.id)
            self._ledger.settle(number, "done", rule=rule, rule_id=rule.id, was_sent=True)
        return [number for number in numbers if number not in found]
