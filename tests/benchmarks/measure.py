"""Whole processes, measured: CPU seconds, seconds on the clock, and the largest memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PINSYNC = (sys.executable, "-m", "pinsync")
# As users run it: Python keeps compiled modules.
_ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}


@dataclass(frozen=True)
class Cost:
    """What a process took.

    Attributes:
        cpu: the CPU seconds of the process and its children, user and system.
        wall: the seconds on the clock.
        peak: the largest memory of the process in MB, without its children.
    """

    cpu: float
    wall: float
    peak: float


def cost(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    codes: Sequence[int] = (0,),
) -> Cost:
    """Run a command; its exit code must be one of ``codes``."""
    begin = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**_ENVIRONMENT, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as child:
        watch = _Watch(child.pid)
        # wait4() counts the children that the process has waited for, too.
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begin
        code = child.returncode = os.waitstatus_to_exitcode(status)
    if code not in codes:
        raise SystemExit(f"{' '.join(command)} ended with exit code {code}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, watch.peak())


class _Watch:
    """Looks at a process's own peak until it ends.

    What wait4() says of a child is no less than the peak of its parent (Linux), and the parents
    here are large."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._peak = 0
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def peak(self) -> float:
        """Return the peak in MB."""
        self._thread.join()
        return self._peak / 1000

    def _look(self) -> None:
        while True:
            try:
                lines = self._status.read_text().splitlines()
            except OSError:
                return
            found = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
            if not found:  # a zombie has no memory
                return
            self._peak = max(self._peak, *found)
            time.sleep(0.005)


def measure_in_turns(ways: Mapping[str, Callable[[], Cost]], runs: int) -> dict[str, Cost]:
    """Run each way several times, by turns; return its median times and its largest peak."""
    costs: dict[str, list[Cost]] = {way: [] for way in ways}
    for _ in range(runs):
        for way, run in ways.items():
            costs[way].append(run())
    return {way: _summarize(found) for way, found in costs.items()}


def _summarize(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(each.cpu for each in costs),
        statistics.median(each.wall for each in costs),
        max(each.peak for each in costs),
    )
