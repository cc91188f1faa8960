"""Read the shop during a run, and compare it with what the plan wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pinsync.apply.matching import Matcher, read_rule
from pinsync.apply.pace import poll
from pinsync.canonical import rows
from pinsync.drift.pairs import build_content_key
from pinsync.errors import DataError, PinsyncError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pinsync.api import Shop
    from pinsync.canonical.normalize import Ignored
    from pinsync.model import Customization
    from pinsync.plan.record import Operation

LOOKUP_SECONDS: Final = 20.0
"""Seconds in which a read must show a write."""


class Clock(NamedTuple):
    """The effects that tests replace.

    Attributes:
        monotonic: returns seconds that only grow.
        sleep: waits the given number of seconds.
    """

    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


class View:
    """The rules of the shop at the host of a run.

    Args:
        shop: the rules.
        ignore: the paths of the fields that git leaves out.
        matcher: tells whether a rule is as git wants it.
        clock: the effects that tests replace.
        is_interrupted: returns whether the user ended the run.
    """

    def __init__(
        self,
        shop: Shop,
        ignore: Ignored,
        matcher: Matcher,
        clock: Clock,
        is_interrupted: Callable[[], bool],
    ) -> None:
        self.matcher = matcher
        self._shop = shop
        self._ignore = ignore
        self._clock = clock
        self._is_interrupted = is_interrupted

    def export(self) -> Sequence[Customization]:
        """Return all rules.

        Raises:
            RemoteError: no trustworthy answer came.
        """
        answer = self._shop.export()
        return rows.read_customizations(answer.body, self._ignore, answer.headers)[0]

    def get(self, rule_id: str) -> tuple[Customization, Mapping[str, Any]] | None:
        """Return a rule, and its fields as the API answers them; None if there is none.

        Raises:
            RemoteError: no trustworthy answer came.
        """
        body = self._shop.get(rule_id)
        if body is None:
            return None
        rule, row = read_rule(body, self._ignore)
        if rule.id != rule_id:
            raise DataError(f"the API answered with {rule.id} instead of {rule_id}")
        return rule, row

    def read(self, rule_id: str) -> Customization | None:
        """Return a rule; None if there is none.

        Raises:
            RemoteError: no trustworthy answer came.
        """
        found = self.get(rule_id)
        return found[0] if found else None

    def read_id(self, body: bytes) -> str | None:
        """Return the id in the answer to a create; None if the answer can't be read."""
        try:
            return read_rule(body, self._ignore)[0].id
        except DataError:
            return None

    def poll(self, find: Callable[[], Any], seconds: float = LOOKUP_SECONDS) -> Iterator[Any]:
        """Yield what the shop shows, again and again for some seconds.

        Args:
            find: reads the shop. Its errors don't count, since the host may come back.
            seconds: the time.
        """
        for _ in poll(seconds, *self._clock):
            try:
                yield find()
            except PinsyncError:
                continue
            if self._is_interrupted():
                return

    def shows(self, operation: Operation, found: Customization | None) -> bool:
        """Return whether a rule is the result of an operation."""
        if operation.after is None:
            return found is None
        return self.matcher.is_equal(operation.after, found)


def is_before(operation: Operation, rule: Customization | None) -> bool:
    """Return whether a rule is as it was before an operation."""
    if operation.before is None or rule is None:
        return operation.before is rule
    return build_content_key(operation.before) == build_content_key(rule)
