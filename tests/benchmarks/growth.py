"""What twice the input costs: the CPU time of whole processes, git's included, for n, 2n and 4n.

Run it with ``PYTHONPATH=tests python tests/benchmarks/growth.py [N [INPUT ...]]``; by default 500
and all inputs of ``tests/support/growing.py``. The ratios are of the time beyond that of a small input. A
ratio near 4 stands for quadratic time. ``tests/project/test_growth.py`` counts the calls of the same runs;
work inside a function written in C, such as the search of a long list, shows only here.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from measure import PINSYNC, cost

from support.growing import INPUTS

if TYPE_CHECKING:
    from support.growing import Growing

SMALL = 4
IDENTITY = {
    f"GIT_{who}_{what}": "bench" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


def cpu_seconds(growing: Growing, size: int) -> float:
    """Return the CPU time of a command with an input of a size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        growing.write(folder, size)
        return cost([*PINSYNC, *growing.arguments], folder, IDENTITY, codes=(0, 1, 2)).cpu


def main() -> None:
    """Print a table."""
    size = int(sys.argv[1].replace("_", "")) if len(sys.argv) > 1 else 500
    print(f"{'input':<28} {'n':>7} {'n, s':>7} {'2n, s':>7} {'4n, s':>7}   2n:n  4n:2n")
    for name in sys.argv[2:] or INPUTS:
        start_up = cpu_seconds(INPUTS[name], SMALL)
        times = [cpu_seconds(INPUTS[name], size * factor) for factor in (1, 2, 4)]
        beyond = [max(seconds - start_up, 0.01) for seconds in times]
        ratios = f"{beyond[1] / beyond[0]:>6.1f} {beyond[2] / beyond[1]:>6.1f}"
        print(
            f"{name:<28} {size:>7,} {times[0]:>7.2f} {times[1]:>7.2f} {times[2]:>7.2f} {ratios}",
            flush=True,
        )


if __name__ == "__main__":
    main()
