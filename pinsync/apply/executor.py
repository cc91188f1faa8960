"""Carry out the operations of a plan at one host.

The first update, the first create and the first delete are each read back before the others of
their kind follow, and so is the first update of a rule with ``target_metadata``. A request whose
outcome isn't known is never repeated: the shop is asked instead.
All requests are sent by the threads of `Pace`, so that an interrupt never cuts off a write.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from pinsync.api import ATTEMPTS, BULK_LIMIT, LostAnswerError, RefusalError, ThrottledError
from pinsync.apply.bodies import build_changed_body, build_new_body
from pinsync.apply.matching import (
    Matcher,
    describe_difference,
    has_metadata,
    has_only_dropped_metadata,
    read_rule,
)
from pinsync.apply.pace import Pace, poll
from pinsync.apply.record import ACKNOWLEDGED, Outcome
from pinsync.canonical import rows
from pinsync.drift.pairs import build_content_key, build_target_key, collect_ids
from pinsync.errors import DataError, PinsyncError, RemoteError
from pinsync.plan.order import split_stages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pinsync.api import Shop
    from pinsync.apply.journal import Journal
    from pinsync.apply.record import State
    from pinsync.canonical.normalize import Ignored
    from pinsync.model import Customization
    from pinsync.plan.record import Operation, OperationKind

LOOKUP_SECONDS: Final = 20.0
"""Seconds in which a read must show a write."""
VERIFY_SECONDS: Final = 60.0
"""Seconds in which an export must show all writes."""

_CONFLICT: Final = 409
_NOT_FOUND: Final = 404
_TOO_LARGE: Final = 413
_INVALID: Final = 422
_UNCLEAR: Final = frozenset({_CONFLICT, _TOO_LARGE, _INVALID})
"""The statuses of a bulk call that may have stored its first lines."""
_PRESENT: Final = "the shop had it already"
_GONE: Final = "somebody deleted it already"
_DELETED: Final = "somebody deleted it since the plan"
_UNSEEN: Final = "the shop doesn't show the write"
_LOST: Final = "the answer to the write was lost"
_DROPPED: Final = "the shop dropped target_metadata"
_ALLOW_DROPPED: Final = "--allow-dropped-metadata goes on"


_Kind = tuple["OperationKind", bool]
_CREATE: Final[_Kind] = ("create", False)


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


class Clock(NamedTuple):
    """The effects that tests replace.

    Attributes:
        monotonic: returns seconds that only grow.
        sleep: waits the given number of seconds.
    """

    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


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

    Attributes:
        outcomes: number of the operation → what became of it.
        stop: the error that ended the run early; None if there is none.
        is_interrupted: whether the user ended the run.
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
        self.outcomes: dict[int, Outcome] = {}
        self.stop: PinsyncError | None = None
        self.is_interrupted = False
        self._shop = shop
        self._operations = operations
        self._ignore = ignore
        self._choices = choices
        self._journal = journal
        self._clock = clock
        self._show = show
        self._matcher = Matcher(allows_dropped_metadata=choices.allow_dropped_metadata)
        self._known_ids = known_ids
        self._proven: set[_Kind] = set()
        # The targets that rules keep although the plan wanted to free them.
        self._held: set[object] = set()
        # The operations of the writes that were sent, perhaps without effect.
        self._sent: set[int] = set()
        self._lock = threading.Lock()
        # The largest number of lines of a bulk call that the API hasn't refused as too many.
        self._bulk_limit = BULK_LIMIT

    def execute(self) -> None:
        """Carry out the operations, up to the first error that ends the run."""
        changes, creates, deletes = split_stages(self._operations)
        try:
            with Pace(self._choices.parallel, self._clock.monotonic) as pace:
                try:
                    self._write_each(changes, pace)
                    if creates and not self._is_ending:
                        pace.start(lambda: self._create(creates))
                        pace.drain()
                    self._write_each(deletes, pace)
                except KeyboardInterrupt:
                    # Before the threads are waited for, so that they begin nothing new.
                    self.is_interrupted = True
        except KeyboardInterrupt:
            self.is_interrupted = True
        for number, operation in enumerate(self._operations):
            if number in self.outcomes:
                continue
            # A second interrupt doesn't wait for the write that is under way.
            if number in self._sent:
                self._settle(number, "lost", _LOST, was_sent=True)
            else:
                self.outcomes[number] = Outcome(operation, "waiting")

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
        seconds = 0.0 if self._is_ending else VERIFY_SECONDS
        live: Sequence[Customization] = ()
        found: dict[int, Outcome] = {}
        for _ in poll(seconds, *self._clock):
            live = self._export()
            found = dict(self._compare(live))
            denied = [number for number, each in found.items() if each.state != "done"]
            # Reads may be stale. What counted as lost or refused before needs no second look.
            if all(self.outcomes[number].state != "done" for number in denied):
                break
        self.outcomes.update(found)
        return live

    @property
    def _is_ending(self) -> bool:
        return self.stop is not None or self.is_interrupted

    def _end(self, error: PinsyncError) -> None:
        with self._lock:
            if self.stop is None:
                self.stop = error

    def _settle(self, number: int, state: State, detail: str = "", **values: Any) -> None:  # noqa: ANN401 - the fields of an outcome
        operation = self._operations[number]
        values.setdefault("rule_id", operation.id)
        self.outcomes[number] = Outcome(operation, state, detail, **values)
        if state not in ACKNOWLEDGED:
            # The rule stays where it is, so it blocks whoever waits for its target.
            rule = operation.before
            if rule and operation.frees_target:
                self._held.add(build_target_key(rule))
        self._show(len(self.outcomes))

    # Updates and deletes, one by one

    def _write_each(self, numbers: Sequence[int], pace: Pace) -> None:
        for number in numbers:
            operation = self._operations[number]
            is_first = _find_kind(operation) not in self._proven
            # A rule that gets a target waits until the target is free.
            if is_first or operation.takes_target:
                pace.drain()
            if self._is_ending:
                break
            pace.start(lambda number=number: self._write_rule(number))  # type: ignore[misc]
            if is_first:
                pace.drain()
        pace.drain()

    def _write_rule(self, number: int) -> None:
        if self._is_ending:
            return
        operation = self._operations[number]
        try:
            if not self._send_unless_changed(number, operation):
                return
        except PinsyncError as error:
            # The rule couldn't be read, or the journal couldn't be written: nothing was sent.
            self._settle(number, "waiting", error.message)
            self._end(error)
            return
        find = partial(self._read, str(operation.id))
        if number not in self.outcomes:
            self._look_up(number, find)
        elif _find_kind(operation) not in self._proven:
            self._read_back(number, find)

    def _send_unless_changed(self, number: int, operation: Operation) -> bool:
        """Read a rule and write it; return whether the write may have had an effect.

        Raises:
            RemoteError: the rule can't be read, or the write was throttled each time.
            FileError: the journal can't be written.
        """
        attempt = 1
        while True:
            row = self._read_unchanged(number, operation)
            try:
                return row is not None and self._send(number, operation, row)
            except ThrottledError as error:
                if attempt == ATTEMPTS or self._is_ending:
                    message = f"{error.message}, tried {attempt} times"
                    raise RemoteError(message, hint=error.hint) from error
                # A person may change the rule during the pause, so it is read again.
                self._clock.sleep(error.pause)
                attempt += 1

    def _read_unchanged(self, number: int, operation: Operation) -> Mapping[str, Any] | None:
        """Return the rule of the shop as the API answers it; None if it isn't as planned.

        Then the operation is settled.
        """
        found = self._get(str(operation.id))
        if found is None:
            if operation.after is None:
                self._settle(number, "done", _GONE)
            else:
                self._settle(number, "changed", _DELETED, rule_id=None)
            return None
        rule, row = found
        if self._is_there(operation, rule):
            self._settle(number, "done", _PRESENT, rule=rule)
        elif not _is_before(operation, rule):
            self._settle(number, "changed", "somebody changed it since the plan", rule=rule)
        elif self._is_target_held(operation):
            self._settle(number, "held", "another rule still has the target", rule=rule)
        else:
            return row
        return None

    def _is_target_held(self, operation: Operation) -> bool:
        """Return whether a rule keeps the target that an operation gets."""
        if operation.after is None or not operation.takes_target:
            return False
        return build_target_key(operation.after) in self._held

    def _is_there(self, operation: Operation, found: Customization | None) -> bool:
        """Return whether the shop shows the result of an operation."""
        if operation.after is None:
            return found is None
        return self._matcher.is_equal(operation.after, found)

    def _send(self, number: int, operation: Operation, row: Mapping[str, Any]) -> bool:
        """Send an update or a delete; return whether it may have had an effect.

        The operation is settled, unless the answer was lost.

        Raises:
            FileError: the journal can't be written, so nothing was sent.
            ThrottledError: the write surely had no effect.
        """
        rule_id, after = str(operation.id), operation.after
        call = "PUT" if after else "DELETE"
        self._begin([number], call, rule_id)
        try:
            if after and operation.before:
                body = build_changed_body(after, operation.before, row, self._ignore)
                self._shop.replace(rule_id, body)
            else:
                self._shop.delete(rule_id)
        except LostAnswerError as error:
            self._note("lost", [number], reason=error.message)
            return True
        except RefusalError as error:
            self._note("refused", [number], status=error.status)
            self._refuse(number, error)
            return False
        except ThrottledError as error:
            self._note("refused", [number], reason=error.message)
            self._sent.discard(number)
            raise
        self._note("acknowledged", [number])
        self._settle(number, "done", was_sent=True)
        return True

    def _refuse(self, number: int, error: RefusalError) -> None:
        """Settle a write that the API refused."""
        if error.status == _NOT_FOUND:
            if self._operations[number].kind == "delete":
                self._settle(number, "done", _GONE)
            else:
                self._settle(number, "changed", _DELETED, rule_id=None)
            return
        self._settle(number, "refused", error.message, was_sent=True)
        if error.status != _INVALID or not self._choices.keep_going:
            self._end(error)

    def _look_up(self, number: int, find: Callable[[], Customization | None]) -> None:
        """Settle a write whose answer was lost, by what the shop shows."""
        operation = self._operations[number]
        for found in self._poll_reads(find):
            if self._is_there(operation, found):
                self._note("acknowledged", [number])
                self._proven.add(_find_kind(operation))
                self._settle(number, "done", "its answer was lost", rule=found, was_sent=True)
                return
        self._settle(number, "lost", _LOST, was_sent=True)
        self._end(_build_lost_error(1))

    def _read_back(self, number: int, find: Callable[[], Customization | None]) -> None:
        """Compare the first write of a kind with what the shop shows."""
        operation = self._operations[number]
        for found in self._poll_reads(find):
            if self._is_there(operation, found):
                self._proven.add(_find_kind(operation))
                rule_id = found.id if found else operation.id
                self._settle(number, "done", rule=found, rule_id=rule_id, was_sent=True)
                return
            if operation.after and found and not _is_before(operation, found):
                self._settle_different(number, operation.after, found)
                return
        # A write that the shop ignores counts as little as a lost one: its entry in the record of
        # agreement doesn't move.
        outcome = self.outcomes[number]
        self._settle(number, "lost", _UNSEEN, rule_id=outcome.rule_id, was_sent=True)
        message = f"the shop doesn't show the first {operation.kind} after {LOOKUP_SECONDS:.0f} s"
        self._end(RemoteError(message, hint="run the command again later"))

    def _settle_different(self, number: int, wanted: Customization, found: Customization) -> None:
        fields = describe_difference(wanted, found)
        place = self._operations[number].change.place
        where = f"{place.file}, line {place.line}: " if place else ""
        message = f"{where}the shop kept something else than was written: {fields}"
        hint = "see what the shop has now with pinsync diff"
        if has_only_dropped_metadata(wanted, found):
            message = f"{where}{_DROPPED}"
            hint = _ALLOW_DROPPED
        self._settle(number, "different", message, rule=found, rule_id=found.id, was_sent=True)
        self._end(RemoteError(message, hint=hint))

    # Creates

    def _create(self, numbers: Sequence[int]) -> None:
        try:
            wanted = self._leave_out_taken(numbers)
        except PinsyncError as error:
            self._end(error)
            return
        while wanted and _CREATE not in self._proven and not self._is_ending:
            self._create_one(wanted.pop(0), reads_back=True)
        while wanted and not self._is_ending:
            chunk, wanted = wanted[: self._bulk_limit], wanted[self._bulk_limit :]
            # Those of a call that was too large come again.
            wanted = [*self._create_many(chunk), *wanted]

    def _leave_out_taken(self, numbers: Sequence[int]) -> list[int]:
        """Return the creates whose targets are free; settle the others.

        Raises:
            RemoteError: no export came.
        """
        live = self._export()
        freed, planned_ids = self._list_freed(), self._known_ids
        holders = {build_target_key(rule): rule for rule in live if rule.id not in freed}
        self._known_ids = planned_ids | collect_ids(live)
        wanted: list[int] = []
        for number in numbers:
            rule = self._get_wanted(number)
            key = build_target_key(rule)
            holder = holders.get(key)
            if holder is None and key not in self._held:
                wanted.append(number)
            elif holder and self._matcher.is_equal(rule, holder):
                self._settle(number, "done", _PRESENT, rule=holder, rule_id=holder.id)
            elif holder and holder.id not in planned_ids:
                detail = "somebody created a rule with this target since the plan"
                self._settle(number, "changed", detail)
            else:
                self._settle(number, "held", "another rule has the target")
        return wanted

    def _list_freed(self) -> set[str | None]:
        """Return the ids of the rules that this run took off their targets."""
        freed: set[str | None] = set()
        for outcome in self.outcomes.values():
            if outcome.state == "done" and outcome.operation.frees_target:
                freed.add(outcome.operation.id)
        return freed

    def _get_wanted(self, number: int) -> Customization:
        rule = self._operations[number].after
        if rule is None:
            raise ValueError("an operation without a rule of git")
        return rule

    def _create_one(self, number: int, *, reads_back: bool) -> None:
        """Create one rule by a call that answers with the rule."""
        wanted = self._get_wanted(number)
        try:
            self._begin([number], "POST")
            created = self._shop.create(build_new_body(wanted))
        except LostAnswerError as error:
            self._note("lost", [number], reason=error.message)
            self._find_created([number])
            return
        except RefusalError as error:
            self._note("refused", [number], status=error.status)
            self._settle(number, "refused", error.message, was_sent=True)
            if error.status != _INVALID or not self._choices.keep_going:
                self._end(error)
            return
        except PinsyncError as error:
            self._note("refused", [number], reason=error.message)
            self._settle(number, "waiting", error.message)
            self._end(error)
            return
        rule_id = _read_id(created, self._ignore)
        self._note("acknowledged", [number], rule_id=rule_id)
        self._settle(number, "done", rule_id=rule_id, was_sent=True)
        if reads_back:
            self._read_back_created(number, wanted, rule_id)

    def _read_back_created(self, number: int, wanted: Customization, rule_id: str | None) -> None:
        def find() -> Customization | None:
            if rule_id is not None:
                return self._read(rule_id)
            found = self._matcher.find_created({0: wanted}, self._export(), self._known_ids)
            return found.get(0)

        self._read_back(number, find)

    def _create_many(self, numbers: Sequence[int]) -> Sequence[int]:
        """Create rules by one call; return those to try again in smaller calls."""
        bodies = [build_new_body(self._get_wanted(number)) for number in numbers]
        try:
            self._begin(numbers, "POST _bulk")
            self._shop.create_all(bodies)
        except LostAnswerError as error:
            self._note("lost", numbers, reason=error.message)
            self._find_created(numbers)
        except RefusalError as error:
            # Whether a refused call has stored its first lines isn't documented.
            self._note("unclear", numbers, status=error.status)
            return self._refuse_many(numbers, error)
        except PinsyncError as error:
            self._note("refused", numbers, reason=error.message)
            for number in numbers:
                self._settle(number, "waiting", error.message)
            self._end(error)
        else:
            self._note("acknowledged", numbers)
            for number in numbers:
                self._settle(number, "done", was_sent=True)
        return ()

    def _refuse_many(self, numbers: Sequence[int], error: RefusalError) -> Sequence[int]:
        """Settle creates whose call was refused; return those to try again in smaller calls."""
        missing: Sequence[int] | None = numbers
        if error.status in _UNCLEAR:
            missing = self._find_stored(numbers, LOOKUP_SECONDS)
        if missing is None:
            for number in numbers:
                self._settle(number, "lost", error.message, was_sent=True)
            self._end(error)
            return ()
        self._note("refused", missing, status=error.status)
        self._sent.difference_update(missing)
        if error.status == _TOO_LARGE and len(numbers) > 1:
            self._bulk_limit = max(1, len(numbers) // 2)
            return missing
        if error.status == _INVALID and self._choices.keep_going:
            for number in missing:
                if not self._is_ending:
                    self._create_one(number, reads_back=False)
            return ()
        for number in missing:
            self._settle(number, "refused", error.message, was_sent=True)
        self._end(error)
        return ()

    def _find_created(self, numbers: Sequence[int]) -> None:
        """Settle creates whose answer was lost, by what the export shows."""
        missing = self._find_stored(numbers, LOOKUP_SECONDS)
        if missing is None:
            missing = list(numbers)
        if len(missing) < len(numbers):
            self._proven.add(_CREATE)
        for number in missing:
            self._settle(number, "lost", _LOST, was_sent=True)
        if missing:
            self._end(_build_lost_error(len(missing), is_create=True))

    def _find_stored(self, numbers: Sequence[int], seconds: float) -> list[int] | None:
        """Settle the creates that the export shows in time; return the others.

        Args:
            numbers: the numbers of the creates.
            seconds: the time in which the export must show them.

        Returns:
            None if no export came.
        """
        wanted = {number: self._get_wanted(number) for number in numbers}

        def find() -> dict[int, Customization]:
            known = self._known_ids | self._list_created_ids()
            return self._matcher.find_created(wanted, self._export(), known)

        found: dict[int, Customization] | None = None
        for found in self._poll_reads(find, seconds):
            if len(found) == len(numbers):
                break
        if found is None:
            return None
        for number, rule in found.items():
            self._note("acknowledged", [number], rule_id=rule.id)
            self._settle(number, "done", rule=rule, rule_id=rule.id, was_sent=True)
        return [number for number in numbers if number not in found]

    def _list_created_ids(self) -> set[str]:
        ids: set[str] = set()
        for outcome in self.outcomes.values():
            if outcome.operation.kind == "create" and outcome.rule_id:
                ids.add(outcome.rule_id)
        return ids

    # The comparison with an export

    def _compare(self, live: Sequence[Customization]) -> Iterator[tuple[int, Outcome]]:
        """Yield the operations of which the export says more, with their outcomes."""
        by_id = {rule.id: rule for rule in live}
        unnamed: dict[int, Customization] = {}
        for number, outcome in self.outcomes.items():
            operation = outcome.operation
            if operation.kind == "create" and not outcome.rule_id and outcome.was_sent:
                unnamed[number] = self._get_wanted(number)
        known = self._known_ids | self._list_created_ids()
        created = self._matcher.find_created(unnamed, live, known)
        for number, outcome in self.outcomes.items():
            rule = created.get(number) or by_id.get(outcome.rule_id)
            if _is_to_verify(outcome):
                yield number, self._judge(outcome, rule)

    def _judge(self, outcome: Outcome, rule: Customization | None) -> Outcome:
        """Return the outcome of a write by the rule that the export has."""
        operation = outcome.operation
        seen = replace(outcome, rule=rule, rule_id=rule.id if rule else outcome.rule_id)
        if self._is_there(operation, rule):
            return replace(seen, state="done")
        if outcome.state not in ACKNOWLEDGED:
            return seen
        if not outcome.was_sent:
            return replace(seen, state="waiting", detail="the shop's answers contradict each other")
        is_unseen = rule is None if operation.before is None else _is_before(operation, rule)
        if is_unseen:
            return replace(seen, state="unseen")
        if operation.after and rule and has_only_dropped_metadata(operation.after, rule):
            # Likelier the API than a person.
            return replace(seen, state="different", detail=_DROPPED)
        verb = "deleted" if rule is None else "changed"
        return replace(seen, state="edited", detail=f"somebody {verb} it right after the write")

    # Reading

    def _export(self) -> Sequence[Customization]:
        answer = self._shop.export()
        return rows.read_customizations(answer.body, self._ignore, answer.headers)[0]

    def _get(self, rule_id: str) -> tuple[Customization, Mapping[str, Any]] | None:
        body = self._shop.get(rule_id)
        if body is None:
            return None
        rule, row = read_rule(body, self._ignore)
        if rule.id != rule_id:
            raise DataError(f"the API answered with {rule.id} instead of {rule_id}")
        return rule, row

    def _read(self, rule_id: str) -> Customization | None:
        found = self._get(rule_id)
        return found[0] if found else None

    def _poll_reads(
        self, find: Callable[[], Any], seconds: float = LOOKUP_SECONDS
    ) -> Iterator[Any]:
        """Yield what the shop shows, again and again for some seconds."""
        for _ in poll(seconds, *self._clock):
            try:
                yield find()
            except PinsyncError:
                # The host may come back within the time.
                continue
            if self.is_interrupted:
                return

    def _begin(self, numbers: Sequence[int], call: str, rule_id: str | None = None) -> None:
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

    def _note(self, event: str, numbers: Sequence[int], **values: object) -> None:
        """Write an event behind a write into the journal; a failure ends the run."""
        try:
            self._journal.write(event, operations=list(numbers), **values)
        except PinsyncError as error:
            self._end(error)


def _is_to_verify(outcome: Outcome) -> bool:
    """Return whether an export can say more about an outcome."""
    return outcome.state == "done" or (outcome.was_sent and outcome.state != "different")


def _find_kind(operation: Operation) -> _Kind:
    """Return the kind of a write, of which the first one is read back."""
    # The reference's table of a PUT lacks target_metadata, so a shop may drop it and nothing else.
    is_special = operation.kind == "update" and has_metadata(operation.after)
    return operation.kind, is_special


def _is_before(operation: Operation, rule: Customization | None) -> bool:
    """Return whether a rule is as it was before the operation."""
    if operation.before is None or rule is None:
        return operation.before is rule
    return build_content_key(operation.before) == build_content_key(rule)


def _read_id(body: bytes, ignore: Ignored) -> str | None:
    """Return the id in the answer to a create; None if the answer can't be read."""
    try:
        return read_rule(body, ignore)[0].id
    except DataError:
        return None


def _build_lost_error(count: int, *, is_create: bool = False) -> RemoteError:
    writes, them = ("a write", "it") if count == 1 else (f"{count:,} writes", "them")
    message = (
        f"the answer to {writes} was lost, and the shop doesn't show {them} after "
        f"{LOOKUP_SECONDS:.0f} s"
    )
    hint = "run the command again: it looks at what the shop has by then"
    if is_create:
        hint += "; a rule that the shop lacks even then is created by --recreate alone"
    return RemoteError(message, hint=hint)
