"""Send writes side by side: one at first, more while the answers are quick."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_QUICK: Final = 1.0
"""Seconds in which a rule is read and written by a host that isn't under load."""


class Pace:
    """Runs tasks in threads, and chooses how many run at once.

    Args:
        parallel: the largest number of tasks at once.
        monotonic: returns seconds that only grow.
    """

    def __init__(self, parallel: int, monotonic: Callable[[], float]) -> None:
        self._parallel = parallel
        self._monotonic = monotonic
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="apply")
        self._running: dict[Future[None], float] = {}
        self._quick = 0
        self.width = 1

    def __enter__(self) -> Pace:
        return self

    def __exit__(self, *_: object) -> None:
        # An interrupt must not cut off a write: its outcome counts.
        self._pool.shutdown(wait=True)

    def start(self, task: Callable[[], None]) -> None:
        """Start a task as soon as there is room."""
        while len(self._running) >= self.width:
            self._wait()
        self._running[self._pool.submit(task)] = self._monotonic()

    def drain(self) -> None:
        """Wait until no task runs."""
        while self._running:
            self._wait()

    def _wait(self) -> None:
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        for future in done:
            seconds = self._monotonic() - self._running.pop(future)
            future.result()
            self._adapt(seconds)

    def _adapt(self, seconds: float) -> None:
        """Allow one task more after a round of quick ones, and half of them after a slow one."""
        if seconds > _QUICK:
            self.width = max(1, self.width // 2)
            self._quick = 0
            return
        self._quick += 1
        if self._quick >= self.width and self.width < self._parallel:
            self.width += 1
            self._quick = 0


def poll(
    seconds: float, monotonic: Callable[[], float], sleep: Callable[[float], None]
) -> Iterator[None]:
    """Yield at growing intervals, the first time at once, the last time at the end.

    Args:
        seconds: the time until the last attempt.
        monotonic: returns seconds that only grow.
        sleep: waits the given number of seconds.
    """
    end = monotonic() + seconds
    pause = 0.25
    while True:
        yield
        left = end - monotonic()
        if left <= 0:
            return
        sleep(min(pause, left))
        pause = min(2 * pause, 5.0)
