"""What an export costs: whole processes over loopback HTTP, as ratios to ``json.loads`` of the same
bytes.

Run it with ``python tests/benchmarks/export.py [COUNT ...]``; by default 100, 1,000, 10,000 and
100,000 customizations. An absolute time says little about another machine; the ratios, taken in one
run, do."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from itertools import cycle, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from measure import PINSYNC, Cost, cost, measure_in_turns
from rows import answer, changed, rows

from pinsync.sandbox import Answer, Fault, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COUNTS = (100, 1_000, 10_000, 100_000)
RUNS = 3


class Bench:
    """Exports of one size, into a git repository of its own."""

    def __init__(self, api: Sandbox, folder: Path) -> None:
        self.api = api
        self.folder = folder
        subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)

    def export(self, bodies: Iterator[bytes], *, before: Callable[[], None] = lambda: None) -> Cost:
        """Export answers, one after the other."""

        def run() -> Cost:
            before()
            answer = Answer(200, next(bodies), {"Content-Type": "application/json"})
            self.api.fail(Fault(times=None, answer=answer))
            return cost([*PINSYNC, "export"], self.folder, self.api.environment)

        return measure_in_turns({"export": run}, RUNS)["export"]

    def clear(self) -> None:
        """Remove all documents."""
        for path in self.folder.glob("customizations/*"):
            path.unlink()


def loads(body: bytes) -> float:
    """Return the seconds that json.loads takes, in a process of its own as pinsync is."""
    script = (
        "import json,sys,time; b=open(sys.argv[1],'rb').read(); t=time.perf_counter(); "
        "json.loads(b); "
    )
    script += "print(time.perf_counter() - t)"
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(body)
        file.flush()
        command = [sys.executable, "-c", script, file.name]
        return statistics.median(float(subprocess.check_output(command)) for _ in range(RUNS))


def main() -> None:
    """Print a table."""
    counts = [int(word.replace("_", "")) for word in sys.argv[1:]] or COUNTS
    print("customizations state        wall s  beyond start-up  × json.loads  peak MB")
    with Sandbox(()) as api, tempfile.TemporaryDirectory() as folder:
        start_up = Bench(api, Path(folder)).export(repeat(answer(rows(1)))).wall
    for count in counts:
        table = rows(count)
        body, body_changed = answer(table), answer(changed(table, every=100))
        unit = loads(body)
        with Sandbox(()) as api, tempfile.TemporaryDirectory() as folder:
            bench = Bench(api, Path(folder))
            costs = {"empty": bench.export(repeat(body), before=bench.clear)}
            costs["in sync"] = bench.export(repeat(body))
            costs["1 % off"] = bench.export(cycle([body_changed, body]))
        for state, each in costs.items():
            beyond = each.wall - start_up
            print(
                f"{count:>14,} {state:<10} {each.wall:>7.2f} {beyond:>16.2f} "
                f"{beyond / unit:>13.1f} {each.peak:>8.0f}"
            )
    print(f"start-up {start_up:.2f} s; json.loads of the last {unit:.2f} s")


if __name__ == "__main__":
    main()
