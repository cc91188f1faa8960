"""Applies that are killed at each request in turn, before or after its effect: no rule exists twice,
the next run says what is missing, and once somebody has looked at that, another run finishes.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from pinsync.sandbox import Sandbox, parse_fault
from pinsync.sandbox.choices import parse_choices
from support.agreeing import OTHER, S, T, read_record, without_id, write
from support.applying import LiveShop, SkippingClock, age, open_shop
from support.histories import rule
from support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pinsync.sandbox.messages import Request
    from support.command_line import CommandLine

Row = dict[str, Any]

NEW = [without_id(rule(number, "/p/7/")) for number in (3, 4, 5)]
CHANGED = [S, rule(2, "/p/8/"), *NEW]
LIVE = [T, OTHER, rule(6, "/p/6/")]
WANTED = {"/p/1/": "/p/8/", "/p/2/": "/p/8/"} | {f"/p/{number}/": "/p/7/" for number in (3, 4, 5)}
REQUESTS: Final = 14
"""The requests of the whole run, of which an export is the first and the last."""

# Forked, so that Python starts but once. Each line of standard input has a folder and variables.
RUNNER = """
import json, os, sys

from pinsync.__main__ import run
import pinsync.commands.apply, pinsync.api, pinsync.repository, pinsync.lint.engine

for line in sys.stdin:
    task = json.loads(line)
    child = os.fork()
    if not child:
        os.chdir(task["folder"])
        os.environ.update(task["environ"])
        sys.stdout = sys.stderr = open(os.devnull, "w")
        os._exit(run(["apply", "--yes", "--delete", "--parallel", "1"]))
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Runner:
    """A process that runs applies in children, which somebody may kill."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", RUNNER],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, folder: Path, environ: Row) -> int:
        """Start an apply in a folder; return its process id."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"folder": str(folder), "environ": environ}) + "\n")
        self._process.stdin.flush()
        return self._read()

    def wait(self) -> int:
        """Return the exit code of the apply."""
        return self._read()

    def _read(self) -> int:
        assert self._process.stdout
        return int(self._process.stdout.readline())

    def end(self) -> None:
        """End the process."""
        self._process.communicate(timeout=60)


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    """A process that runs applies."""
    found = Runner()
    yield found
    found.end()


class Deadly(Sandbox):
    """A sandbox that kills its client at a request.

    Attributes:
        deadly: the number of the request, counted from 1.
        has_effect: whether the request has its effect.
        victim: the process id of the client.
    """

    deadly = 0
    has_effect = False
    victim = 0
    _count = 0

    def _exchange(self, request: Request) -> Any:  # noqa: ANN401 - as in the sandbox
        with self._lock:
            self._count += 1
            is_deadly = self._count == self.deadly
        if not is_deadly:
            return super()._exchange(request)
        if not self.has_effect:
            self._kill()
            # Without an effect, and without a reader of the answer.
            self.fail(parse_fault("reset"))
            return super()._exchange(request)
        delivery = super()._exchange(request)
        self._kill()
        return delivery

    def _kill(self) -> None:
        while not self.victim:
            time.sleep(0.001)
        os.kill(self.victim, signal.SIGKILL)
        # Dead, or a child that nobody has waited for yet.
        time.sleep(0.01)


def kill(runner: Runner, folder: Path, sandbox: Deadly, environ: Row) -> int:
    """Run an apply that is killed; return its exit code."""
    sandbox.victim = 0
    sandbox.victim = runner.start(folder, {**sandbox.environment, **environ})
    code = runner.wait()
    sandbox.deadly = 0
    return code


def check_next(shop: LiveShop, timestamps: str, *, is_edited: bool) -> None:
    """Run an apply after the one that was killed, and hold it to what people may expect.

    Args:
        shop: the shop.
        timestamps: the timestamps in the answers.
        is_edited: whether a person has edited a rule meanwhile.
    """
    wanted = dict(WANTED)
    options = ["--delete", "--recreate"]
    if is_edited:
        shop.edit(OTHER)
        wanted["/p/2/"] = "/p/5/"
    else:
        options.append("--overwrite-edits")
    shop.apply("--delete")
    assert shop.code in (0, 1), shop.err
    assert len(shop.shelf) == len(shop.api.customizations())
    assert shop.code == int(bool(shop.left))
    for line in shop.left:
        verb, target, reason = line.split()
        if is_edited and target == "/p/2/:":
            assert reason in ("shop", "both", "unknown")
        else:
            assert reason == "unknown"
            assert verb == "create" or timestamps == "none"
            # It isn't there, and it's named.
            assert shop.shelf.get(target[:-1]) != wanted.get(target[:-1])
    shop.apply(*options)
    assert shop.code == int(is_edited), shop.left
    assert shop.shelf == dict(sorted(wanted.items()))
    if not is_edited:
        assert "begun" not in read_record()
        assert shop.plan("--delete") == []


def check_kills(
    numbers: range,
    timestamps: str,
    effect: str,
    runner: Runner,
    repository: Path,
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> list[int]:
    """Kill an apply at each of some requests; return the exit codes."""
    codes: list[int] = []
    api = [f"timestamps={timestamps}"]
    with open_shop(LIVE, pinsync, monkeypatch, api=api) as shop:
        shop.begin(*LIVE)
        write("Change", *CHANGED, at=0)
    choices = parse_choices(api)
    for number in numbers:
        folder = repository.parent / f"{number}"
        shutil.copytree(repository, folder, symlinks=True)
        monkeypatch.chdir(folder)
        state = str(repository.parent / f"state-{number}")
        monkeypatch.setenv("XDG_STATE_HOME", state)
        with Deadly(age(LIVE), seed=1, choices=choices) as sandbox:
            sandbox.deadly, sandbox.has_effect = number, effect == "after"
            codes.append(kill(runner, folder, sandbox, {"XDG_STATE_HOME": state}))
            for name, value in sandbox.environment.items():
                monkeypatch.setenv(name, value)
            shop = LiveShop(sandbox, pinsync, SkippingClock())
            is_edited = timestamps != "none" and number % 3 == 0
            check_next(shop, timestamps, is_edited=is_edited)
    return codes


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither SIGKILL nor fork")
@pytest.mark.parametrize("effect", ["before", "after"])
def test_killed_at_any_request(
    effect: str,
    runner: Runner,
    repository: Path,
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numbers = range(1, REQUESTS + 2)
    codes = check_kills(numbers, "both", effect, runner, repository, pinsync, monkeypatch)
    assert codes == [-signal.SIGKILL] * REQUESTS + [0]


@pytest.mark.long
@pytest.mark.parametrize("effect", ["before", "after"])
def test_killed_at_any_request_of_a_shop_without_dates(
    effect: str,
    runner: Runner,
    repository: Path,
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numbers = range(1, REQUESTS + 2)
    codes = check_kills(numbers, "none", effect, runner, repository, pinsync, monkeypatch)
    assert codes == [-signal.SIGKILL] * REQUESTS + [0]
