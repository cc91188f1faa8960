"""What a drift check costs beside the other ways to do it: whole processes, by turns, in one run.

Run it with ``python tests/benchmarks/diff.py [COUNT ...]``; by default 150, 1,000, 10,000 and
100,000 customizations. Two questions:

* A, the drift check: what differs between the committed state and a new export? pinsync reads
  documents, the others a committed file in their own canonical form. So each of them brings one
  side into canonical form.
* B, two exports: what differs between two saved answers? Each way brings both sides into canonical
  form.

The peers are the installed jq (the table says which version) and orjson (if it is installed), both
with ``git diff``, and for B PyYAML's C loader and deepdiff's command. What takes minutes beyond
10,000 customizations isn't run there. The last lines say how many lines of difference each peer
reports for an answer that means the same but is shuffled and spelled in another way.
"""

from __future__ import annotations

import importlib.util
import random
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from measure import PINSYNC, Cost, cost, measure_in_turns
from rows import answer, changed, rows

from pinsync.sandbox.spelling import respell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rows import Row

COUNTS: Final = (150, 1_000, 10_000, 100_000)
RUNS: Final = 5
SLOW_BEYOND: Final = 10_000
RESPELLED: Final = 1_000
ORJSON: Final = """
import orjson, pathlib, sys
for source, target in zip(sys.argv[1::2], sys.argv[2::2]):
    rows = orjson.loads(pathlib.Path(source).read_bytes())["results"]
    rows.sort(key=lambda row: row["id"])
    options = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2
    pathlib.Path(target).write_bytes(orjson.dumps(rows, option=options))
"""
PYYAML: Final = """
import sys, yaml
sides = [yaml.load(open(path, "rb"), yaml.CSafeLoader) for path in sys.argv[1:]]
sys.exit(sides[0] != sides[1])
"""
IDENTITY: Final = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")


@dataclass(frozen=True)
class Canonical:
    """A peer that writes answers in a canonical form, which ``git diff`` then compares.

    Attributes:
        name: the name in the table.
        write: returns the shell command that writes answers to files: source, target, ….
    """

    name: str
    write: Callable[..., str]

    def compare_with_commit(self, new: Path) -> str:
        """Return the shell command of question A."""
        return f"{self.write(new, self.state)} && git --no-pager diff --exit-code HEAD"

    def compare(self, old: Path, new: Path) -> str:
        """Return the shell command of question B."""
        write = self.write(old, "a.json", new, "b.json")
        return f"{write} && git --no-pager diff --no-index a.json b.json"

    @property
    def state(self) -> str:
        """The file with the committed state."""
        return f"{self.name.replace(' ', '-')}.json"


def write_with_jq(*paths: Path | str) -> str:
    """Return the shell command that brings answers into jq's canonical form."""
    commands = []
    for source, target in zip(paths[::2], paths[1::2], strict=True):
        commands.append(
            f"jq -S '.results|sort_by(.id)' {shlex.quote(str(source))} > {shlex.quote(str(target))}"
        )
    return " && ".join(commands)


def write_with_orjson(*paths: Path | str) -> str:
    """Return the shell command that brings answers into orjson's canonical form."""
    return shlex.join([sys.executable, "-c", ORJSON, *map(str, paths)])


def find_peers() -> list[Canonical]:
    """Return the peers that are installed."""
    version = subprocess.run(["jq", "--version"], capture_output=True, text=True, check=True)
    peers = [Canonical(version.stdout.strip().replace("-", " "), write_with_jq)]
    if importlib.util.find_spec("orjson") is not None:
        peers.append(Canonical("orjson", write_with_orjson))
    return peers


def prepare(folder: Path, table: list[Row], peers: list[Canonical]) -> dict[str, Path]:
    """Commit the table as documents and as each peer's file; return the states to compare with."""
    states = {
        "old": table,
        "in sync": table,
        "1 % off": changed(table, every=100),
        "all off": changed(table, every=1),
    }
    answers = folder / "answers"
    answers.mkdir()
    paths = {}
    for name, state in states.items():
        paths[name] = answers / f"{name.replace(' ', '-').replace('%', 'percent')}.json"
        paths[name].write_bytes(answer(state))
    repository = folder / "repository"
    repository.mkdir()
    run = partial(subprocess.run, cwd=repository, check=True)
    run(["git", "init", "--quiet"])
    # The answer of a million customizations is larger than the default allows.
    settings = "format: 1\nsafety:\n  max_answer_mb: 4000\n"
    (repository / "pinsync.yaml").write_text(settings, encoding="utf-8")
    run([*PINSYNC, "export", "--quiet", "--from-file", str(paths["old"])])
    for peer in peers:
        run(["sh", "-c", peer.write(paths["old"], peer.state)])
    run(["git", "add", "--all"])
    run(["git", *IDENTITY, "commit", "--quiet", "--message", "state"])
    return paths


def list_ways(
    peers: list[Canonical], old: Path, new: Path, count: int
) -> dict[str, dict[str, list[str]]]:
    """Return the commands that answer each question, by question and way."""
    check = {"pinsync": [*PINSYNC, "diff", "HEAD", str(new)]}
    both = {"pinsync": [*PINSYNC, "diff", str(old), str(new)]}
    for peer in peers:
        check[f"{peer.name}, git diff"] = ["sh", "-c", peer.compare_with_commit(new)]
        both[f"{peer.name}, git diff"] = ["sh", "-c", peer.compare(old, new)]
    if count <= SLOW_BEYOND:
        both["PyYAML (C), =="] = [sys.executable, "-c", PYYAML, str(old), str(new)]
        deep = str(Path(sys.executable).with_name("deep"))
        both["deepdiff"] = [deep, "diff", str(old), str(new)]
    return {"A": check, "B": both}


def measure(count: int, folder: Path, peers: list[Canonical]) -> None:
    """Print the rows of one size."""
    paths = prepare(folder, rows(count), peers)
    repository = folder / "repository"
    old = paths.pop("old")
    for state, path in paths.items():
        questions = list_ways(peers, old, path, count)
        for question, commands in questions.items():
            if state == "all off":
                # deepdiff takes hours.
                commands.pop("deepdiff", None)
            runs = {
                way: partial(cost, command, repository, codes=(0, 1))
                for way, command in commands.items()
            }
            print_costs(f"{question:<2} {count:>9,} {state:<8}", measure_in_turns(runs, RUNS))


def print_costs(head: str, costs: Mapping[str, Cost]) -> None:
    """Print a row for each way, with its CPU time as a multiple of pinsync's."""
    unit = costs["pinsync"]
    for way, each in costs.items():
        print(
            f"{head} {way:<18} {each.cpu:>8.3f} {each.wall:>8.3f} {each.cpu / unit.cpu:>10.2f} "
            f"{each.wall / unit.wall:>9.2f} {each.peak:>8.0f}",
            flush=True,
        )


def count_noise(folder: Path, peers: list[Canonical]) -> None:
    """Print what each way reports for an answer that is only spelled in another way."""
    table = rows(RESPELLED)
    paths = prepare(folder, table, peers)
    chance = random.Random(1)
    spelled = [respell(row, chance) for row in table]
    chance.shuffle(spelled)
    path = folder / "answers" / "respelled.json"
    path.write_bytes(answer(spelled))
    print(
        f"\nlines of difference for {RESPELLED:,} customizations in sync, shuffled and respelled:"
    )
    for way, command in list_ways(peers, paths["old"], path, RESPELLED)["A"].items():
        done = subprocess.run(
            command, cwd=folder / "repository", capture_output=True, text=True, check=False
        )
        lines = done.stdout.splitlines() if done.returncode else []
        print(f"{way:<18} {len(lines):>8,}")


def main() -> None:
    """Print a table."""
    peers = find_peers()
    print(
        "Q      count state    way                   cpu s   wall s  cpu ratio      wall  peak MB"
    )
    for count in [int(word.replace("_", "")) for word in sys.argv[1:]] or COUNTS:
        with tempfile.TemporaryDirectory() as folder:
            measure(count, Path(folder), peers)
    with tempfile.TemporaryDirectory() as folder:
        count_noise(Path(folder), peers)


if __name__ == "__main__":
    main()
