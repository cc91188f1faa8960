"""Look up writes whose answers were lost, and read back the first write of each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinsync.apply.ledger import LOST
from pinsync.apply.matching import describe_difference, has_metadata, has_only_dropped_metadata
from pinsync.apply.view import LOOKUP_SECONDS, is_before
from pinsync.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinsync.apply.ledger import Ledger
    from pinsync.apply.view import View
    from pinsync.model import Customization
    from pinsync.plan.record import Operation, OperationKind

    Kind = tuple[OperationKind, bool]

UNSEEN: Final = "the shop doesn't show the write"
DROPPED: Final = "the shop dropped target_metadata"
_ALLOW_DROPPED: Final = "--allow-dropped-metadata goes on"


class Proof:
    """Settles writes by what the shop shows.

    Args:
        ledger: the ledger of the run.
        view: reads the shop.
    """

    def __init__(self, ledger: Ledger, view: View) -> None:
        self._ledger = ledger
        self._view = view
        self._proven: set[Kind] = set()

    def has(self, operation: Operation) -> bool:
        """Return whether the shop has shown a write of this kind."""
        return _find_kind(operation) in self._proven

    def add(self, operation: Operation) -> None:
        """Note that the shop has shown a write of this kind."""
        self._proven.add(_find_kind(operation))

    def look_up(self, number: int, find: Callable[[], Customization | None]) -> None:
        """Settle a write whose answer was lost, by what the shop shows."""
        operation = self._ledger.operations[number]
        for found in self._view.poll(find):
            if self._view.shows(operation, found):
                self._ledger.note("acknowledged", [number])
                self.add(operation)
                self._ledger.settle(
                    number, "done", "its answer was lost", rule=found, was_sent=True
                )
                return
        self._ledger.settle(number, "lost", LOST, was_sent=True)
        self._ledger.end(build_lost_error(1))

    def read_back(self, number: int, find: Callable[[], Customization | None]) -> None:
        """Compare the first write of a kind with what the shop shows."""
        operation = self._ledger.operations[number]
        for found in self._view.poll(find):
            if self._view.shows(operation, found):
                self.add(operation)
                rule_id = found.id if found else operation.id
                self._ledger.settle(number, "done", rule=found, rule_id=rule_id, was_sent=True)
                return
            if operation.after and found and not is_before(operation, found):
                self._settle_different(number, operation.after, found)
                return
        # A write that the shop ignores counts as little as a lost one: its entry in the record of
        # agreement doesn't move.
        outcome = self._ledger.outcomes[number]
        self._ledger.note("unclear", [number])
        self._ledger.settle(number, "lost", UNSEEN, rule_id=outcome.rule_id, was_sent=True)
        message = f"the shop doesn't show the first {operation.kind} after {LOOKUP_SECONDS:.0f} s"
        self._ledger.end(RemoteError(message, hint="run the command again later"))

    def _settle_different(self, number: int, wanted: Customization, found: Customization) -> None:
        fields = describe_difference(wanted, found)
        place = self._ledger.operations[number].change.place
        where = f"{place.file}, line {place.line}: " if place else ""
        message = f"{where}the shop kept something else than was written: {fields}"
        hint = "see what the shop has now with pinsync diff"
        if has_only_dropped_metadata(wanted, found):
            message = f"{where}{DROPPED}"
            hint = _ALLOW_DROPPED
        self._ledger.note("unclear", [number])
        self._ledger.settle(
            number, "different", message, rule=found, rule_id=found.id, was_sent=True
        )
        self._ledger.end(RemoteError(message, hint=hint))


def _find_kind(operation: Operation) -> Kind:
    """Return the kind of a write, of which the first one is read back."""
    # The reference's table of a PUT lacks target_metadata, so a shop may drop it and nothing else.
    is_special = operation.kind == "update" and has_metadata(operation.after)
    return operation.kind, is_special


def build_lost_error(count: int, *, is_create: bool = False) -> RemoteError:
    """Return the error that ends a run after writes whose answers were lost.

    Args:
        count: the number of writes.
        is_create: whether they create rules.
    """
    writes, them = ("a write", "it") if count == 1 else (f"{count:,} writes", "them")
    message = (
        f"the answer to {writes} was lost, and the shop doesn't show {them} after "
        f"{LOOKUP_SECONDS:.0f} s"
    )
    hint = "run the command again: it looks at what the shop has by then"
    if is_create:
        hint += "; a rule that the shop lacks even then is created by --recreate alone"
    return RemoteError(message, hint=hint)
