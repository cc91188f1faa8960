"""Whole processes, measured: seconds on the clock, and the largest memory."""

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


@dataclass(frozen=True)
class Cost:
    """Of one process: seconds on the clock, and its largest memory in MB; that of its children
    isn't counted.
    """

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
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as child:
        watch = _Watch(child.pid)
        code = child.wait()
        wall = time.perf_counter() - begin
    if code not in codes:
        raise SystemExit(f"{' '.join(command)} ended with exit code {code}")
    return Cost(wall, watch.peak())


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


def median(run: Callable[[], Cost], runs: int) -> Cost:
    """Return the median time of several runs, and their largest peak."""
    costs = [run() for _ in range(runs)]
    return Cost(statistics.median(each.wall for each in costs), max(each.peak for each in costs))
