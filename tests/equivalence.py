"""Show that the working tree does what a revision does: `python tests/equivalence.py REV`.

The package of the revision and that of the working tree run the same command lines on equal
folders. Their exit codes, their output, each file that they write and each commit that they make
are compared. The first state is the sandbox's sample shop, with help, wrong usage and completion;
the others come from `states`. Masks hide what depends on time, and the sandbox's port: see `MASKS`.
A difference is printed as a unified diff; its folders are kept, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import io
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from random import Random
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pinsync.__main__ import run
from pinsync.sandbox import Answer, Fault, Sandbox, StandIn, parse_fault
from support.states import (
    FIRST_COMMIT,
    ITEMS,
    Command,
    State,
    fixed_commands,
    git_environment,
    make_state,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[1]
WORKER: Final = "--worker"
SIDES: Final = ("old", "new")
TIMEOUT: Final = 120
"""Seconds after which a command hangs."""

_MOMENT: Final = r"\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)?"
MASKS: Final = (
    # Each version talks to a sandbox of its own.
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    # When an answer was fetched: `diff` in text and markdown, and in JSON.
    (rf"fetched {_MOMENT}", "fetched TIME"),
    (r'"fetched_at": "[^"]*"', '"fetched_at": TIME'),
    # The moment of `show`, by default now.
    (rf", at {_MOMENT}", ", at TIME"),
    # Durations: the pause before the next attempt, and by how much two clocks differ.
    (r"(attempt \d of \d in )[\d.]+ s", r"\1SECONDS s"),
    (r"\d+ s (behind|ahead)", r"SECONDS s \1"),
    # The log of a bug is named by time and process.
    (r"bug-\d{8}T\d{6}-\d+\.log", "bug-TIME.log"),
)
_UNSTABLE: Final = re.compile(r"lock|writer|bug-.*\.log")
"""Names of files that hold a process's number, or where in the code a bug was met."""
CATALOG: Final = frozenset(ITEMS[:6])
_MASKS: Final = tuple((re.compile(pattern), text) for pattern, text in MASKS)

Texts: TypeAlias = dict[str, str]
"""What a command did: ``exit code``, ``stdout``, ``stderr``, and each file that it changed → text.
"""


# The worker: a process that runs one version.


def work() -> None:
    """Print where the package is; then answer each job, a line of JSON, by such a line."""
    jobs = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    print(json.dumps({"place": run.__code__.co_filename}), file=answers, flush=True)
    for line in jobs:
        print(json.dumps(_run_job(json.loads(line))), file=answers, flush=True)


def _run_job(job: Mapping[str, Any]) -> Texts:
    """Run a command line with an environment, a current folder and standard streams of its own."""
    os.environ.clear()
    os.environ.update(job["environment"])
    os.chdir(job["folder"])
    random.seed(0)  # for the pauses between attempts
    with (
        tempfile.TemporaryFile() as stdin,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        stdin.write(job["stdin"].encode())
        stdin.seek(0)
        for number, file in enumerate((stdin, out, err)):
            os.dup2(file.fileno(), number)  # for the processes that pinsync starts, too
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
        try:
            code = str(run(job["arguments"]))
        except BaseException:  # noqa: BLE001 - an exception is an outcome to compare
            code = traceback.format_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        texts = {"exit code": code}
        for name, file in (("stdout", out), ("stderr", err)):
            file.seek(0)
            texts[name] = _text(file.read())
        return texts


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


class Worker:
    """A process that runs command lines with one version of the package.

    Args:
        root: the folder that holds the package.
    """

    def __init__(self, root: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(root), "TZ": "UTC"}
        command = [sys.executable, __file__, WORKER]
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        place = self._receive("the start")["place"]
        if not Path(place).is_relative_to(root):
            raise SystemExit(f"pinsync comes from {place}, expected {root}")

    def run(self, command: Command, folder: Path, environment: Mapping[str, str]) -> Texts:
        """Run a command line in a folder."""
        job = {
            "arguments": command.arguments,
            "stdin": command.stdin,
            "folder": str(folder),
            "environment": {**environment, **command.environment},
        }
        assert self._process.stdin
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return self._receive(line_of(command))

    def _receive(self, question: str) -> Texts:
        watchdog = threading.Timer(TIMEOUT, self._process.kill)
        watchdog.start()
        assert self._process.stdout
        line = self._process.stdout.readline()
        watchdog.cancel()
        if not line:
            raise SystemExit(f"a version died, or hung for {TIMEOUT} s: {question}")
        texts: Texts = json.loads(line)
        return texts

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


# The comparison.


@dataclass(frozen=True)
class Outcome:
    """What a command of one version did."""

    command: Command
    texts: Texts


@dataclass(frozen=True)
class Verdict:
    """What both versions did with a state: the outcomes of the old one, and the unified diffs."""

    outcomes: Sequence[Outcome]
    differences: Sequence[str]


class Lane:
    """A place where one state at a time is compared.

    Both versions run in the same folder, one after the other, since paths stand in what they print.

    Args:
        place: an empty folder.
        packages: side → the folder that holds its package.
    """

    def __init__(self, place: Path, packages: Mapping[str, Path]) -> None:
        self._place = place
        self._case = place / "case"
        self._workers = {side: Worker(root) for side, root in packages.items()}

    def stop(self) -> None:
        """End the workers."""
        for worker in self._workers.values():
            worker.stop()

    def compare(self, seed: str, number: int, keep: Path) -> Verdict:
        """Run a state with both versions; keep its folders below ``keep`` if they differ."""
        state = self._make(Random(f"{seed}/{number}"), number)
        outcomes = {side: self._outcomes(side, state, number) for side in SIDES}
        differences = [
            difference
            for old, new in zip(outcomes["old"], outcomes["new"], strict=True)
            if (difference := _difference(old, new))
        ]
        if differences:
            shutil.move(self._place, keep / f"state-{number}")
        shutil.rmtree(self._place, ignore_errors=True)
        return Verdict(outcomes["old"], differences)

    def _make(self, random: Random, number: int) -> State:
        """Make a state with the old version, below ``base``."""
        for name in ("home", "reports", "shop"):
            (self._case / name).mkdir(parents=True)
        shop = self._case / "shop"

        def run_old(command: Command) -> None:
            self._workers["old"].run(command, shop, self._environment())

        sample = [] if number else Sandbox().customizations()
        state = make_state(random, shop, run_old, sample)
        self._case.rename(self._place / "base")
        return state if number else replace(state, commands=[*state.commands, *fixed_commands()])

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._case / "home"),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "COLUMNS": "100",
            **git_environment(),
        }

    def _outcomes(self, side: str, state: State, number: int) -> list[Outcome]:
        """Run the commands of a state with one version, on a fresh copy and a fresh sandbox."""
        shutil.copytree(self._place / "base", self._case, copy_function=_copy)
        shop = self._case / "shop"
        git(shop, "status")  # notes down what it knows of the copied files
        before = _snapshot(self._case)
        outcomes = []
        with _served(state, number) as sandbox:
            environment = {**self._environment(), **sandbox.environment}
            del environment["PINSYNC_TRACKER_ID"]
            environment |= state.environment
            for command in state.commands:
                sandbox.fail(*_faults(command))
                texts = self._workers[side].run(command, shop, environment)
                if "-v" in command.arguments and len(state.shops) > 1:
                    # Trackers are read in parallel: which of them says a step first is chance.
                    texts["stderr"] = "\n".join(sorted(texts["stderr"].split("\n")))
                after = _snapshot(self._case)
                for name in sorted(before.keys() | after.keys()):
                    if before.get(name) != after.get(name):
                        texts[name] = after.get(name, "(no file)")
                masked = {name: _mask(text) for name, text in texts.items()}
                outcomes.append(Outcome(command, masked))
                before = after
        log = {"log": git(shop, "log", "--all", "--format=raw", "--name-status")}
        index = {
            "status": git(shop, "status", "--porcelain"),
            "index": git(shop, "ls-files", "--stage"),
        }
        outcomes.append(Outcome(Command(("(git)",)), {"exit code": "-", **log, **index}))
        self._case.rename(self._place / side)
        return outcomes


def git(folder: Path, *arguments: str) -> str:
    """Run git and return its output; outside a repository nothing."""
    command = ["git", *arguments]
    environment = git_environment()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    return _text(done.stdout)


@contextlib.contextmanager
def _served(state: State, seed: int) -> Iterator[Sandbox]:
    """Serve the shops of a state; half of the items are in the catalog."""
    (first, rows), *others = state.shops.items()
    more = [StandIn(rows, tracker_id=name, seed=seed) for name, rows in others]
    with Sandbox(rows, tracker_id=first, catalog=CATALOG, seed=seed, more_trackers=more) as sandbox:
        yield sandbox


def _faults(command: Command) -> list[Fault]:
    if command.answer is not None:
        body = json.dumps({"results": command.answer}).encode()
        return [Fault(times=None, answer=Answer(200, body))]
    return [parse_fault(command.fault)] if command.fault else []


def _copy(source: str, target: str) -> None:
    """Copy a file, and make it old.

    Git looks again into a file that is as new as its index, and so a fresh copy would get another
    answer now and then: where the line ends of a staged file are no longer those of .gitattributes.
    """
    shutil.copy(source, target)
    os.utime(target, (FIRST_COMMIT, FIRST_COMMIT))


def _snapshot(folder: Path) -> Texts:
    """Return path → mode and text of the files below a folder.

    Of a git directory, these are the refs and what pinsync keeps there.
    """
    found = {}
    for parent, folders, names in os.walk(folder):
        if parent.endswith("/.git"):
            folders[:] = ["pinsync", "refs"]
            names[:] = ["HEAD", "packed-refs"]
        for name in names:
            path = Path(parent, name)
            if path.is_file() and not _UNSTABLE.fullmatch(name):
                text = f"mode {path.stat().st_mode:o}\n{_text(path.read_bytes())}"
                found[str(path.relative_to(folder))] = text
    return found


def _mask(text: str) -> str:
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text


def _difference(old: Outcome, new: Outcome) -> str:
    """Return a unified diff of what two versions did; empty if they did the same."""
    lines: list[str] = []
    for name in sorted(old.texts.keys() | new.texts.keys()):
        before, after = (side.texts.get(name, "(unchanged)").split("\n") for side in (old, new))
        lines += difflib.unified_diff(before, after, f"old: {name}", f"new: {name}", lineterm="")
    return "\n".join([f"$ {line_of(old.command)}", *lines, ""]) if lines else ""


def line_of(command: Command) -> str:
    """Return a command line with what meets it, as a person reads it."""
    variables = [f"{name}={shlex.quote(value)}" for name, value in command.environment.items()]
    line = shlex.join([*variables, "pinsync", *command.arguments])
    answer = [] if command.answer is None else [f"{len(command.answer)} rows"]
    return "  # ".join([line, *answer, *filter(None, [command.fault])])


# The whole.


def extract(revision: str, folder: Path) -> None:
    """Extract the package of a git revision."""
    command = ["git", "archive", revision, "pinsync"]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        raise SystemExit(_text(archive.stderr))
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as file:
        file.extractall(folder, filter="data")


def name_of(command: Command) -> str:
    """Return the name of a command, for the counts."""
    if command.environment:
        return "completion"
    return next((word for word in command.arguments[::2] if word != "-C"), "")


def report_counts(verdicts: Sequence[Verdict]) -> None:
    """Print how many states and commands were run, and how the commands ended."""
    codes: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        for outcome in verdict.outcomes:
            codes.setdefault(name_of(outcome.command), Counter())[outcome.texts["exit code"]] += 1
    print(
        f"{len(verdicts)} states, {sum(map(Counter.total, codes.values()))} commands; exit codes:"
    )
    for name, counter in sorted(codes.items()):
        print(f"  {name:12}", *(f"{code}: {count:<6}" for code, count in sorted(counter.items())))


def compare(revision: str, states: int, seed: str) -> int:
    """Compare the working tree with a revision; return the exit code."""
    place = Path(tempfile.mkdtemp(prefix="equivalence-"))
    packages = {"old": place / "package", "new": ROOT}
    extract(revision, packages["old"])
    count = os.cpu_count() or 1
    lanes = [Lane(place / f"lane-{number}", packages) for number in range(count)]
    free: SimpleQueue[Lane] = SimpleQueue()
    for lane in lanes:
        free.put(lane)

    def verdict(number: int) -> Verdict:
        lane = free.get()
        try:
            return lane.compare(seed, number, place)
        finally:
            free.put(lane)

    verdicts = []
    try:
        with ThreadPoolExecutor(count) as threads:
            for number, found in enumerate(threads.map(verdict, range(states + 1))):
                verdicts.append(found)
                for difference in found.differences:
                    print(f"state {number}, in {place / f'state-{number}'}:\n{difference}")
    finally:
        for lane in lanes:
            lane.stop()
    report_counts(verdicts)
    total = sum(len(each.differences) for each in verdicts)
    print(f"{total} differences from {revision}")
    if not total:
        shutil.rmtree(place)
    return 1 if total else 0


def main() -> None:
    """Run as a worker, or compare as the command line says."""
    if sys.argv[1:] == [WORKER]:
        work()
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("revision", metavar="REV", help="the git revision to compare with")
    help_ = "how many random states (default: 300)"
    parser.add_argument("--states", type=int, default=300, metavar="N", help=help_)
    parser.add_argument("--seed", default="0", metavar="S", help="gives other states (default: 0)")
    options = parser.parse_args()
    raise SystemExit(compare(options.revision, options.states, options.seed))


if __name__ == "__main__":
    main()
