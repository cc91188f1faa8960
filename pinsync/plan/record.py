"""The records of a plan: the operations on the shop, and the rules that are left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from pinsync.drift.pairs import build_target_key

if TYPE_CHECKING:
    from pinsync.drift.record import Change, Drift, TrackerDrift
    from pinsync.model import Customization

OperationKind = Literal["update", "create", "delete"]
Reason = Literal["git", "shop", "both", "unknown", "extra", "document", "target"]
"""The reason why a rule is left alone.

``git``: git removed the rule, and ``--delete`` isn't given. ``document``: no commit up to SOURCE
has a document of the rule's model. ``target``: another rule holds the target. All others: who
moved, as `Change.moved` has it.
"""


class Permissions(Struct, frozen=True):
    """The options that allow more than the safe operations.

    Attributes:
        delete: delete rules that git removed.
        overwrite_edits: overwrite changes that people made, or may have made, in the shop.
        recreate: create rules that people deleted, or may have deleted, in the shop.
        delete_extra: delete rules that git never had.
    """

    delete: bool = False
    overwrite_edits: bool = False
    recreate: bool = False
    delete_extra: bool = False


class Operation(Struct, frozen=True):
    """A write to the shop.

    Attributes:
        kind: the kind of write.
        change: the change from the shop's rule to SOURCE's rule. It has the mover and the commit
            of SOURCE's rule.
        swapped: whether the rule takes part in an exchange of targets. Then the shop's rule keeps
            its target, and gets the text of another rule of SOURCE.
    """

    kind: OperationKind
    change: Change
    swapped: bool = False

    @property
    def before(self) -> Customization | None:
        """The shop's rule; None if the operation creates it."""
        return self.change.old

    @property
    def after(self) -> Customization | None:
        """SOURCE's rule; None if the operation deletes it."""
        return self.change.new

    @property
    def id(self) -> str | None:
        """The id of the shop's rule; None if the operation creates it."""
        return self.before.id if self.before else None

    @property
    def takes_target(self) -> bool:
        """Whether the rule gets a target that it didn't have."""
        return self.after is not None and not self._keeps_target

    @property
    def frees_target(self) -> bool:
        """Whether the shop's rule leaves its target."""
        return self.before is not None and not self._keeps_target

    @property
    def _keeps_target(self) -> bool:
        if self.before is None or self.after is None:
            return False
        return build_target_key(self.before) == build_target_key(self.after)


class LeftRule(Struct, frozen=True):
    """A rule that differs and that the plan leaves alone.

    Attributes:
        kind: the operation that is left out.
        change: the change from SOURCE to the shop.
        reason: the reason.
        options: the options under which the plan includes the operation; empty if none does.
        holder: the rule that holds the target, if that is the reason.
    """

    kind: OperationKind
    change: Change
    reason: Reason
    options: tuple[str, ...] = ()
    holder: Customization | None = None


class TrackerPlan(Struct, frozen=True):
    """The plan of one tracker.

    Attributes:
        drift: the planned differences from SOURCE to the shop; its error if the tracker can't be
            planned.
        operations: the operations in the order in which they have to be made.
        left: the rules that are left alone, sorted by model, target and id.
        is_new: whether SOURCE has no rule of the tracker.
    """

    drift: TrackerDrift
    operations: tuple[Operation, ...] = ()
    left: tuple[LeftRule, ...] = ()
    is_new: bool = False


class Plan(Struct, frozen=True):
    """The plan of all trackers.

    Attributes:
        drift: the planned differences from SOURCE to the shop.
        trackers: the plan of each tracker, in the order of the configuration.
        permissions: the options that allow more than the safe operations.
        checksum: the checksum of the operations; None if a tracker can't be planned.
        since: the start of a range, as the user spelled it; None without a range.
        is_preview: whether the plan is shown alone, and not to be carried out now.
    """

    drift: Drift
    trackers: tuple[TrackerPlan, ...]
    permissions: Permissions
    checksum: str | None
    since: str | None = None
    is_preview: bool = True

    @property
    def operations(self) -> list[Operation]:
        """The operations of all trackers."""
        found: list[Operation] = []
        for tracker in self.trackers:
            found += tracker.operations
        return found

    @property
    def left(self) -> list[LeftRule]:
        """The rules of all trackers that are left alone."""
        found: list[LeftRule] = []
        for tracker in self.trackers:
            found += tracker.left
        return found

    def find_exit_codes(self) -> list[int]:
        """Return the exit code of each tracker by itself."""
        codes: list[int] = []
        for tracker in self.trackers:
            if tracker.drift.error:
                codes.append(tracker.drift.error.exit_code)
            else:
                codes.append(int(bool(tracker.operations)))
        return codes
