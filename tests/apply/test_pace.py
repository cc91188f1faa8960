"""The pace of writes: how many run at once, and how long a poll waits."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from pinsync.apply.pace import Pace, poll
from support.executing import VirtualTime

if TYPE_CHECKING:
    from collections.abc import Callable


def run(pace: Pace, count: int, task: Callable[[], None]) -> list[int]:
    """Run tasks one after the other; return how many may run at once after each."""
    widths: list[int] = []
    for _ in range(count):
        pace.start(task)
        pace.drain()
        widths.append(pace.width)
    return widths


def rest() -> None:
    """Do nothing."""


def test_the_pace_grows_by_rounds_of_quick_tasks() -> None:
    time = VirtualTime()
    with Pace(3, time.monotonic) as pace:
        assert pace.width == 1
        assert run(pace, 8, rest) == [2, 2, 3, 3, 3, 3, 3, 3]


def test_a_slow_task_halves_the_pace() -> None:
    time = VirtualTime()
    with Pace(4, time.monotonic) as pace:
        run(pace, 6, rest)
        assert pace.width == 4
        assert run(pace, 3, lambda: time.sleep(1.5)) == [2, 1, 1]
        assert run(pace, 2, rest) == [2, 2]


def test_no_more_tasks_run_than_the_pace_allows() -> None:
    running = most = 0
    lock = threading.Lock()

    def count() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.001)
        with lock:
            running -= 1

    with Pace(3, VirtualTime().monotonic) as pace:
        for _ in range(60):
            pace.start(count)
        pace.drain()
    assert 1 < most <= 3
    assert running == 0


def test_a_single_task_runs_at_first() -> None:
    order: list[int] = []
    with Pace(8, VirtualTime().monotonic) as pace:
        for number in range(2):
            pace.start(lambda number=number: order.append(number))  # type: ignore[misc]
        pace.drain()
    assert order == [0, 1]


def test_an_error_of_a_task_is_raised() -> None:
    def fail() -> None:
        raise KeyError("a bug")

    with Pace(2, VirtualTime().monotonic) as pace:
        pace.start(fail)
        with pytest.raises(KeyError):
            pace.drain()


def test_the_end_waits_for_all_tasks() -> None:
    done: list[bool] = []

    def wait() -> None:
        threading.Event().wait(0.02)
        done.append(True)

    with Pace(2, VirtualTime().monotonic) as pace:
        pace.start(wait)
    assert done == [True]


@pytest.mark.parametrize(("seconds", "count"), [(0, 1), (0.1, 2), (20, 9), (60, 17)])
def test_a_poll_looks_at_once_and_at_the_end(seconds: float, count: int) -> None:
    time = VirtualTime()
    moments = [time.monotonic() for _ in poll(seconds, time.monotonic, time.sleep)]
    assert moments[0] == 0
    assert moments[-1] == pytest.approx(seconds)
    assert len(moments) == count
    pauses = [after - before for before, after in pairwise(moments)]
    assert all(pause <= 5 for pause in pauses)


def test_slow_looks_count_as_time() -> None:
    time = VirtualTime()
    looks = 0
    for _ in poll(20, time.monotonic, time.sleep):
        looks += 1
        time.sleep(30)
    assert looks == 1
