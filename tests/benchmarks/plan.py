"""What a plan costs beside the diff that it begins with: whole processes, by turns, in one run.

Run it with ``python tests/benchmarks/plan.py [COUNT ...]``; by default 1,000 and 10,000
customizations, of which git changed 1 %. The shop is served on loopback by this process, whose time
isn't counted. The last column is the plan's time as a multiple of diff's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from measure import PINSYNC, cost, measure_in_turns
from rows import changed, rows

from pinsync.sandbox import Sandbox

if TYPE_CHECKING:
    from rows import Row

COUNTS: Final = (1_000, 10_000)
RUNS: Final = 7
SAVED: Final = "2025-01-01T00:00:00Z"
IDENTITY: Final = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")


def commit(folder: Path, table: list[Row], subject: str) -> None:
    """Commit a table as documents."""
    answer = folder.parent / "answer.json"
    answer.write_text(json.dumps({"results": table}), encoding="utf-8")
    run = partial(subprocess.run, cwd=folder, check=True)
    run([*PINSYNC, "export", "--quiet", "--allow-mass-removal", "--from-file", str(answer)])
    run(["git", "add", "--all"])
    run(["git", *IDENTITY, "commit", "--quiet", "--message", subject])


def measure(count: int, folder: Path) -> None:
    """Print the rows of one size."""
    repository = folder / "repository"
    repository.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=repository, check=True)
    (repository / "pinsync.yaml").write_text("format: 1\n", encoding="utf-8")
    table = rows(count)
    commit(repository, table, "Export pins")
    commit(repository, changed(table, every=100), "Swap pins")
    shop = [{**row, "updated_at": SAVED} for row in table]
    with Sandbox(shop, seed=1) as api:
        commands = {
            "diff": ["diff"],
            "plan": ["plan"],
            "diff, json": ["diff", "--json"],
            "plan, json": ["plan", "--json"],
            "plan, range": ["plan", "HEAD~1..HEAD"],
        }
        runs = {}
        for way, command in commands.items():
            words = [*PINSYNC, *command]
            runs[way] = partial(cost, words, repository, api.environment, codes=(1,))
        costs = measure_in_turns(runs, RUNS)
    base = costs["diff"]
    for way, each in costs.items():
        print(
            f"{count:>9,} {way:<12} {each.cpu:>7.3f} {each.wall:>7.3f} {each.peak:>7.0f} "
            f"{each.cpu / base.cpu:>6.2f} {each.wall / base.wall:>7.2f}",
            flush=True,
        )


def main() -> None:
    """Print a table."""
    print("    count way            cpu s  wall s peak MB  × cpu  × wall")
    for count in [int(word.replace("_", "")) for word in sys.argv[1:]] or COUNTS:
        with tempfile.TemporaryDirectory() as folder:
            measure(count, Path(folder))


if __name__ == "__main__":
    main()
