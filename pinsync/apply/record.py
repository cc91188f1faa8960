"""The records of an apply: what became of each operation, and the account of a tracker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pinsync.errors import PinsyncError
    from pinsync.model import Customization
    from pinsync.plan.record import LeftRule, Operation, TrackerPlan

State = Literal[
    "done", "edited", "changed", "held", "refused", "lost", "different", "unseen", "waiting"
]
"""What became of an operation.

* ``done``: the shop has what the plan wants.
* ``edited``: the write was acknowledged, and the shop has another text since.
* ``changed``: the rule has changed since the plan, so it was left alone.
* ``held``: another rule holds the target, so the rule was left alone.
* ``refused``: the API refused the write.
* ``lost``: the shop doesn't show the write, and its answer was lost, or it was the first of its
  kind.
* ``different``: the write was acknowledged, and the shop kept something else.
* ``unseen``: the write was acknowledged, and the shop doesn't show it.
* ``waiting``: the run ended before the write.
"""

LEFT: Final[frozenset[State]] = frozenset({"edited", "changed", "held"})
"""The states that a person has to look at; running again doesn't change them."""
MISSING: Final[frozenset[State]] = frozenset({"refused", "lost", "different", "unseen", "waiting"})
"""The states of operations that failed."""
ACKNOWLEDGED: Final[frozenset[State]] = frozenset({"done", "edited", "unseen"})
"""The states of operations on whose text git and the shop agreed."""


class Outcome(Struct, frozen=True):
    """The outcome of an operation.

    Attributes:
        operation: the operation.
        state: see `State`.
        detail: the reason, in words without the name of the rule; empty if there is none.
        rule: the shop's rule afterwards, as far as it was seen; None without one.
        rule_id: the id in the shop; None for a rule that wasn't created or whose id isn't known.
        was_sent: whether a write was sent, with whatever effect.
    """

    operation: Operation
    state: State
    detail: str = ""
    rule: Customization | None = None
    rule_id: str | None = None
    was_sent: bool = False

    @property
    def is_doubtful(self) -> bool:
        """Whether the shop may still show a write of which it said nothing."""
        if self.state in ("lost", "different"):
            return True
        # A rule without a known id can't be told from a rule of somebody else.
        is_new = self.operation.kind == "create" and self.rule_id is None
        return is_new and self.state in ACKNOWLEDGED


class Account(Struct, frozen=True):
    """The account of an apply to one tracker.

    Attributes:
        plan: the plan.
        outcomes: what became of each operation, in the plan's order.
        stop: the error that ended the run early; None if it ran to the end.
        is_verified: whether an export after the writes was compared with the plan; True without
            writes.
        backup: the file with the shop's rules before; None if nothing was to be written.
        journal: the file with each call; None likewise.
        host: the host of all writes; empty if nothing was to be written.
        notes: remarks for the reader.
    """

    plan: TrackerPlan
    outcomes: tuple[Outcome, ...] = ()
    stop: PinsyncError | None = None
    is_verified: bool = True
    backup: Path | None = None
    journal: Path | None = None
    host: str = ""
    notes: tuple[str, ...] = ()

    @property
    def has_written(self) -> bool:
        """Whether a write was sent."""
        return any(outcome.was_sent for outcome in self.outcomes)

    @property
    def done(self) -> Sequence[Outcome]:
        """The operations whose result the shop has."""
        return [outcome for outcome in self.outcomes if outcome.state == "done"]

    @property
    def left(self) -> Sequence[LeftRule | Outcome]:
        """The rules that people have to look at: by the plan, and since the plan."""
        return [*self.plan.left, *(each for each in self.outcomes if each.state in LEFT)]

    @property
    def missing(self) -> Sequence[Outcome]:
        """The operations that failed."""
        return [outcome for outcome in self.outcomes if outcome.state in MISSING]

    @property
    def exit_code(self) -> int:
        """0: all done; 1: something is left to people; 3: something is missing.

        If nothing was written, the code of the error that stopped the run.
        """
        if self.stop and not self.has_written:
            return self.stop.exit_code
        if self.stop or self.missing or not self.is_verified:
            return 3
        return int(bool(self.left))
