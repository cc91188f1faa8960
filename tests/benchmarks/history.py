"""What ``pinsync history`` costs beside ``git log -p`` of the same files: whole processes, by turns,
in one run.

Run it with ``python tests/benchmarks/history.py [COMMITS ...]``; by default 1,000 commits over 8
files of 10,000 customizations in all, of which each commit changes three in one file."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import uuid
from functools import partial
from pathlib import Path
from typing import IO, Any

from measure import PINSYNC, cost, measure_in_turns

from pinsync.canonical import normalize
from pinsync.document.record import render_document

MODELS = 8
CUSTOMIZATIONS = 10_000
CHANGED = 3
RUNS = 5
CONFIGURATION = b"format: 1\ntrackers:\n  shop:\n    tracker_id: 1234-5678\n"
WAYS = {
    "git log -p": ["git", "--no-pager", "log", "-p", "--", "customizations"],
    "pinsync history": [*PINSYNC, "history"],
    "pinsync history -n 10": [*PINSYNC, "history", "-n", "10"],
    "pinsync blame": [*PINSYNC, "blame", "model_1"],
    "pinsync --help": [*PINSYNC, "--help"],
}


def rule(model: int, number: int, chance: random.Random) -> dict[str, Any]:
    """Return a customization with two to five pins."""
    pins = [
        {"position": at, "pin_type": "item", "pin_identity": f"/p/{chance.randrange(9999)}/"}
        for at in range(1, chance.randint(3, 6))
    ]
    return {
        "id": str(uuid.UUID(int=chance.getrandbits(128))),
        "model": f"model_{model}",
        "target_type": "item",
        "target_identity": f"/p/{model}-{number}/",
        "target_metadata": {"title": f"Product {model} {number}"},
        "pin_definitions": pins,
    }


def prepare(folder: Path, commits: int) -> None:
    """Make a repository of that many commits."""
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=folder, check=True)
    with subprocess.Popen(
        ["git", "fast-import", "--quiet"], cwd=folder, stdin=subprocess.PIPE
    ) as importer:
        if importer.stdin is None:
            raise SystemExit("git fast-import takes no input")
        write(importer.stdin, commits)
    subprocess.run(["git", "reset", "--quiet", "--hard"], cwd=folder, check=True)


def write(stream: IO[bytes], commits: int) -> None:
    """Write the commits in the form of fast-import."""
    chance = random.Random(1)
    size = CUSTOMIZATIONS // MODELS
    rules = [[rule(model, number, chance) for number in range(size)] for model in range(MODELS)]
    for at in range(commits):
        stream.write(
            b"commit refs/heads/main\ncommitter Jana <jana@example.com> %d +0100\n"
            % (1_700_000_000 + at * 3600)
        )
        stream.write(b"data 6\nChange\n")
        touched = [chance.randrange(MODELS)] if at else range(MODELS)
        for model in touched if at else ():
            for changed in chance.sample(rules[model], CHANGED):
                chance.choice(changed["pin_definitions"])["pin_identity"] = (
                    f"/p/{chance.randrange(9999)}/"
                )
        for model in touched:
            text = render_document(
                f"model_{model}", [normalize.build_customization(row) for row in rules[model]]
            )
            put(stream, f"customizations/model_{model}.yaml", text)
        if not at:
            put(stream, "pinsync.yaml", CONFIGURATION)


def put(stream: IO[bytes], path: str, content: bytes) -> None:
    """Write one file of a commit."""
    stream.write(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content))


def measured(commits: int, folder: Path) -> None:
    """Print the rows of one size."""
    prepare(folder, commits)
    runs = {way: partial(cost, command, folder) for way, command in WAYS.items()}
    costs = measure_in_turns(runs, RUNS)
    for way, each in costs.items():
        ratio = each.cpu / costs["git log -p"].cpu
        print(
            f"{commits:>7,} {way:<22} {each.cpu:>7.2f} {each.wall:>7.2f} {ratio:>13.1f} "
            f"{each.peak:>8.0f}"
        )


def main() -> None:
    """Print a table."""
    print("commits way                     cpu s  wall s  × git log -p  peak MB")
    for commits in [int(word.replace("_", "")) for word in sys.argv[1:]] or [1_000]:
        with tempfile.TemporaryDirectory() as folder:
            measured(commits, Path(folder))


if __name__ == "__main__":
    main()
