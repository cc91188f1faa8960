"""What it costs to tell who moved: a diff of a shop with 100 changed rules, with and without the
movers; whole processes, by turns, in one run.

Run it with ``python tests/benchmarks/movers.py [COMMITS ...]``. The repository is that of
``history.py``: by default 1,000 commits over 8 files of 10,000 customizations in all. The shop is a
JSON export. Its rules were saved before the history began, so that the whole history is looked
through for their texts, or after its end, as somebody's work in the shop is; or it has rules that
git never had. Git's objects are packed once as they come from the import, and once as a server packs
them for a clone."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from measure import PINSYNC, cost, measure_in_turns

from history import prepare
from pinsync.document.parse import parse_document
from pinsync.drift.pairs import read_data

CHANGED = 100
RUNS = 7
WITHOUT = """
import sys
from pinsync.__main__ import run
from pinsync.commands import diff
diff.Run.live_index = None
sys.exit(run(sys.argv[1:]))
"""
OLD, NEW = "2023-01-01T00:00:00Z", "2026-01-01T00:00:00Z"


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """Return the customizations of the last commit."""
    rows = []
    for path in sorted((folder / "customizations").glob("*.yaml")):
        document = parse_document(path.read_bytes(), str(path))
        rows += [read_data(entry.customization) for entry in document.entries]
    return rows


def write_shops(folder: Path) -> list[str]:
    """Write the exports of three shops; return their names."""
    chance = random.Random(2)
    rows = read_rows(folder)
    chosen = chance.sample(rows, CHANGED)
    for row in chosen:
        row["pin_definitions"][0]["pin_identity"] = "/p/another/"
    shops = {"saved before": (OLD, rows), "saved since": (NEW, rows)}
    new = []
    for number, row in enumerate(chosen):
        identifier = f"00000000-0000-4000-8000-{number:012}"
        new.append({**row, "id": identifier, "target_identity": f"/p/new-{number}/"})
    shops["new rules"] = (NEW, [row for row in rows if row not in chosen] + chosen + new)
    for name, (moment, content) in shops.items():
        dated = [{**row, "updated_at": moment} for row in content]
        (folder / f"{name}.json").write_text(json.dumps({"results": dated}))
    return list(shops)


def measured(commits: int, folder: Path, packing: str) -> None:
    """Print the rows of one repository."""
    for shop in write_shops(folder):
        arguments = ["diff", "--format", "json", "HEAD", f"{shop}.json"]
        runs = {
            "without": partial(
                cost, [sys.executable, "-c", WITHOUT, *arguments], folder, codes=(1,)
            ),
            "with": partial(cost, [*PINSYNC, *arguments], folder, codes=(1,)),
        }
        costs = measure_in_turns(runs, RUNS)
        base = costs["without"]
        for way, each in costs.items():
            print(
                f"{commits:>7,} {packing:<9} {shop:<13} {way:<8} {each.cpu:>6.2f} {each.wall:>7.2f}"
                f" {each.cpu / base.cpu:>7.1f} {each.wall / base.wall:>7.1f} {each.peak:>8.0f}"
            )


def main() -> None:
    """Print a table."""
    print("commits packs     shop          movers    cpu s  wall s   × cpu  × wall  peak MB")
    for commits in [int(word.replace("_", "")) for word in sys.argv[1:]] or [1_000]:
        with tempfile.TemporaryDirectory() as folder:
            prepare(Path(folder), commits)
            measured(commits, Path(folder), "imported")
            subprocess.run(["git", "gc", "--quiet", "--aggressive"], cwd=folder, check=True)
            measured(commits, Path(folder), "server's")


if __name__ == "__main__":
    main()
