"""What the commands cost that need no network: whole processes, by turns, in one run.

Run it with ``python tests/benchmarks/commands.py [COUNT]``; by default 10,000 customizations. Three
tables: commands on one shop, the report formats with every customization changed, and 200 trackers.
The ratios are to ``pinsync --help`` in the first and the last table, and to the text report in the
second.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from measure import PINSYNC, Cost, cost, measure_in_turns
from rows import answer, changed, rows

from pinsync.canonical.normalize import build_customization
from pinsync.document.record import render_document
from pinsync.reports import CALENDAR_FORMATS, DRIFT_FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rows import Row

COUNT: Final = 10_000
RUNS: Final = 5
TRACKERS: Final = 200
RULES: Final = 500
IDENTITY: Final = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")
START: Final = "pinsync --help"
CALENDAR: Final = ("calendar", "--from", "2026-01-01", "--format")


def commit(folder: Path, message: str) -> None:
    """Commit everything in a folder."""
    subprocess.run(["git", "add", "--all"], cwd=folder, check=True)
    command = ["git", *IDENTITY, "commit", "--quiet", "--message", message]
    subprocess.run(command, cwd=folder, check=True)


def prepare_shop(folder: Path, count: int) -> dict[str, Path]:
    """Commit two states of a shop; return answers, by name, to compare the newer one with."""
    table = rows(count)
    repository = folder / "shop"
    repository.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=repository, check=True)
    states = {"before": changed(table, every=100), "in sync": table, "all": changed(table, every=1)}
    paths = {}
    for name, state in states.items():
        paths[name] = folder / f"{name.replace(' ', '-')}.json"
        paths[name].write_bytes(answer(state))
    for name in ("before", "in sync"):
        export = [*PINSYNC, "export", "--quiet", "--from-file", str(paths[name])]
        subprocess.run(export, cwd=repository, check=True)
        commit(repository, name)
    return paths


def prepare_trackers(folder: Path) -> Path:
    """Commit the documents of many trackers; return the repository."""
    repository = folder / "trackers"
    repository.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=repository, check=True)
    lines = ["format: 1", "trackers:"]
    for number in range(TRACKERS):
        lines += [f"  shop-{number}:", f"    tracker_id: {number}-{number}"]
        write_documents(repository / "customizations" / f"shop-{number}", rows(RULES, seed=number))
    (repository / "pinsync.yaml").write_text("\n".join([*lines, ""]), encoding="utf-8")
    commit(repository, "state")
    return repository


def write_documents(folder: Path, table: list[Row]) -> None:
    """Write customizations as documents."""
    folder.mkdir(parents=True)
    by_model: dict[str, list[Row]] = {}
    for row in table:
        by_model.setdefault(row["model"], []).append(row)
    for model, found in by_model.items():
        items = [build_customization(row) for row in found]
        (folder / f"{model}.yaml").write_bytes(render_document(model, items))


def print_costs(costs: Mapping[str, Cost], unit: str) -> None:
    """Print a row for each command, with its CPU time as a multiple of one of them."""
    for way, each in costs.items():
        print(
            f"{way:<34} {each.cpu:>8.3f} {each.wall:>8.3f} {each.cpu / costs[unit].cpu:>8.2f} "
            f"{each.peak:>8.0f}",
            flush=True,
        )


def measure(commands: Mapping[str, Sequence[str]], folder: Path) -> dict[str, Cost]:
    """Run commands by turns in a folder."""
    runs = {way: partial(cost, command, folder, codes=(0, 1)) for way, command in commands.items()}
    return measure_in_turns(runs, RUNS)


def list_commands(paths: Mapping[str, Path]) -> dict[str, list[str]]:
    """Return the commands of the first table."""
    arguments = {
        "diff HEAD export.json": ["diff", "HEAD", str(paths["in sync"])],
        "diff HEAD @worktree": ["diff", "HEAD", "@worktree"],
        "diff HEAD~1...HEAD": ["diff", "HEAD~1...HEAD"],
        "lint": ["lint"],
        "fmt --check": ["fmt", "--check"],
        "show model_1": ["show", "model_1"],
        "blame model_1": ["blame", "model_1"],
        "history -n 10": ["history", "-n", "10"],
        **{f"calendar as {format_}": [*CALENDAR, format_] for format_ in CALENDAR_FORMATS},
    }
    click = {"python -c 'import click'": [sys.executable, "-c", "import click"]}
    commands = {way: [*PINSYNC, *found] for way, found in arguments.items()}
    return click | {START: [*PINSYNC, "--help"]} | commands


def main() -> None:
    """Print the tables."""
    count = int(sys.argv[1].replace("_", "")) if len(sys.argv) > 1 else COUNT
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = prepare_shop(folder, count)
        print(f"{count:,} customizations                  cpu s   wall s    ratio  peak MB")
        print_costs(measure(list_commands(paths), folder / "shop"), START)
        print(f"\n{count:,} changes                         cpu s   wall s    ratio  peak MB")
        diff = [*PINSYNC, "diff", "HEAD", str(paths["all"]), "--format"]
        print_costs(measure({way: [*diff, way] for way in DRIFT_FORMATS}, folder / "shop"), "text")
        print(f"\n{TRACKERS} trackers × {RULES} rules             cpu s   wall s    ratio  peak MB")
        commands = {
            START: [*PINSYNC, "--help"],
            "diff HEAD @worktree": [*PINSYNC, "diff", "HEAD", "@worktree"],
            "lint": [*PINSYNC, "lint"],
        }
        print_costs(measure(commands, prepare_trackers(folder)), START)


if __name__ == "__main__":
    main()
