"""What an export costs: whole processes over loopback HTTP, as ratios to ``json.loads`` of the same bytes.

Run it with ``python tests/benchmarks/export.py [COUNT ...]``; by default 100, 1,000, 10,000 and 100,000 customizations.
An absolute time says little about another machine; the ratios, taken in one run, do.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rows import answer, changed, rows

from pinsync.sandbox import Answer, Fault, Sandbox

COUNTS = (100, 1_000, 10_000, 100_000)
RUNS = 3


@dataclass(frozen=True)
class Cost:
    """Of one process: seconds on the clock and on the processor, and its largest memory in MB."""

    wall: float
    cpu: float
    peak: float


def process(command: list[str], folder: Path, environment: dict[str, str]) -> Cost:
    """Run a command; it must succeed."""
    begin = time.perf_counter()
    child = subprocess.Popen(command, cwd=folder, env=os.environ | environment, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begin
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with exit code {child.returncode}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000)


def median(costs: list[Cost]) -> Cost:
    """Return the medians, and the largest peak."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        max(cost.peak for cost in costs),
    )


class Bench:
    """Exports of one size, into a git repository of its own."""

    def __init__(self, api: Sandbox, folder: Path) -> None:
        self.api = api
        self.folder = folder
        subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)

    def export(self, body: bytes, *, before: Callable[[], None] = lambda: None, runs: int = RUNS) -> Cost:
        """Export an answer, a few times over."""
        costs = []
        for _ in range(runs):
            before()
            self.api.fail(Fault(times=None, answer=Answer(200, body, {"Content-Type": "application/json"})))
            costs.append(process([sys.executable, "-m", "pinsync", "export"], self.folder, self.api.environment))
        return median(costs)

    def clear(self) -> None:
        """Remove all documents."""
        for path in self.folder.glob("customizations/*"):
            path.unlink()


def loads(body: bytes) -> float:
    """Return the seconds that json.loads takes, in a process of its own as pinsync is."""
    script = "import json,sys,time;b=open(sys.argv[1],'rb').read();t=time.perf_counter();json.loads(b);print(time.perf_counter()-t)"
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(body)
        file.flush()
        command = [sys.executable, "-c", script, file.name]
        return statistics.median(float(subprocess.check_output(command)) for _ in range(RUNS))


def main() -> None:
    """Print a table."""
    counts = [int(word.replace("_", "")) for word in sys.argv[1:]] or COUNTS
    print(f"{'customizations':>15} {'state':<10} {'wall s':>7} {'beyond start-up':>16} {'× json.loads':>13} {'peak MB':>8}")
    with Sandbox(()) as api, tempfile.TemporaryDirectory() as folder:
        start_up = Bench(api, Path(folder)).export(answer(rows(1)), runs=5).wall
    for count in counts:
        table = rows(count)
        body, body_changed = answer(table), answer(changed(table, every=100))
        unit = loads(body)
        with Sandbox(()) as api, tempfile.TemporaryDirectory() as folder:
            bench = Bench(api, Path(folder))
            costs = {"empty": bench.export(body, before=bench.clear)}
            costs["in sync"] = bench.export(body)
            flip = iter([body_changed, body] * RUNS)
            costs["1 % off"] = median([bench.export(next(flip), runs=1) for _ in range(RUNS)])
        for state, cost in costs.items():
            beyond = cost.wall - start_up
            print(f"{count:>15,} {state:<10} {cost.wall:>7.2f} {beyond:>16.2f} {beyond / unit:>13.1f} {cost.peak:>8.0f}")
    print(f"start-up {start_up:.2f} s; json.loads of the last {json.dumps(unit)} s")


if __name__ == "__main__":
    main()
