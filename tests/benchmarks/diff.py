"""What a drift check costs, beside what a user would otherwise do with the same data; whole
processes, in one run.

Run it with ``python tests/benchmarks/diff.py [COUNT ...]``; by default 100, 1,000, 10,000 and
100,000 customizations. ``pinsync diff HEAD export.json`` stands beside ``jq -S`` of both sides and
``git diff --no-index``, deepdiff's own command, and PyYAML's C loader on both sides and ``==``.
What takes half a minute at 10,000 isn't run beyond: the last two, and documents that were laid out
by hand."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure import PINSYNC, Cost, cost, median
from rows import answer, changed, rows

COUNTS = (100, 1_000, 10_000, 100_000)
RUNS = 3
SLOW_BEYOND = 10_000
JQ = 'jq -S . "$0" >a.json && jq -S . "$1" >b.json && git --no-pager diff --no-index a.json b.json'
PYYAML = """
import sys, yaml
sides = [yaml.load(open(path, "rb"), yaml.CSafeLoader) for path in sys.argv[1:]]
sys.exit(sides[0] != sides[1])
"""


def prepare(folder: Path, table: list[dict[str, Any]]) -> dict[str, Path]:
    """Commit an export of the table; return the states to compare with, each as a saved export."""
    states = {
        "in sync": table,
        "1 % off": changed(table, every=100),
        "all off": changed(table, every=1),
    }
    paths = {
        name: folder / f"{name.replace(' ', '-').replace('%', 'percent')}.json" for name in states
    }
    for name, state in states.items():
        paths[name].write_bytes(answer(state))
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    subprocess.run([*git, "init", "--quiet"], cwd=folder, check=True)
    subprocess.run(
        [*PINSYNC, "export", "--quiet", "--from-file", str(paths["in sync"])],
        cwd=folder,
        check=True,
    )
    subprocess.run([*git, "add", "customizations"], cwd=folder, check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "state"], cwd=folder, check=True)
    return paths


def by_hand(folder: Path) -> None:
    """Commit the same documents in a layout that pinsync doesn't write."""
    for path in folder.glob("customizations/*.yaml"):
        text = path.read_text(encoding="utf-8").replace(
            "\n    target_type: item\n", "\n    target_type: 'item'\n"
        )
        path.write_text(text, encoding="utf-8")


def others(folder: Path, old: Path, new: Path, count: int) -> dict[str, Cost]:
    """Return what the other ways cost."""
    found = {
        "jq, git diff": median(
            lambda: cost(["sh", "-c", JQ, str(old), str(new)], folder, codes=(0, 1)), RUNS
        )
    }
    if count <= SLOW_BEYOND:
        deep = [str(Path(sys.executable).with_name("deep")), "diff", str(old), str(new)]
        found["deepdiff"] = cost(deep, folder)
        found["PyYAML, =="] = cost(
            [sys.executable, "-c", PYYAML, str(old), str(new)], folder, codes=(0, 1)
        )
    return found


def pinsync(folder: Path, old: str, new: Path, runs: int = RUNS) -> Cost:
    """Return what the drift check costs."""
    return median(lambda: cost([*PINSYNC, "diff", old, str(new)], folder, codes=(0, 1)), runs)


def measured(count: int, folder: Path) -> None:
    """Print the rows of one size."""
    paths = prepare(folder, rows(count))
    for state, path in paths.items():
        ways = {"pinsync": pinsync(folder, "HEAD", path, 1 if state == "all off" else RUNS)}
        if state != "all off":
            ways |= others(folder, paths["in sync"], path, count)
        for way, each in ways.items():
            ratio = each.wall / ways["pinsync"].wall
            print(
                f"{count:>14,} {state:<9} {way:<14} {each.wall:>7.2f} {ratio:>10.1f} "
                f"{each.peak:>8.0f}"
            )
    if count > SLOW_BEYOND:
        return
    by_hand(folder)
    each = pinsync(folder, "@worktree", paths["in sync"], 1)
    print(
        f"{count:>14,} {'by hand':<9} {'pinsync':<14} {each.wall:>7.2f} {'':>10} {each.peak:>8.0f}"
    )


def main() -> None:
    """Print a table."""
    print("customizations state     way             wall s  × pinsync  peak MB")
    for count in [int(word.replace("_", "")) for word in sys.argv[1:]] or COUNTS:
        with tempfile.TemporaryDirectory() as folder:
            measured(count, Path(folder))


if __name__ == "__main__":
    main()
