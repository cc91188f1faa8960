"""Signals at moments that are hard to hit from outside: each child process sends them to itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pinsync.__main__ import run
from support.exporting import put
from support.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import CommandLine, Result

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows delivers no such signal to another process"
)
SIGNALS = [signal.SIGINT, signal.SIGTERM]

# Loaded by Python itself at its start. It counts the imports from the first module of pinsync that
# the entry point asks for, and sends the signal at the chosen one.
AT_AN_IMPORT = """
import os, signal, sys

class Finder:
    count = 0

    def find_spec(self, name, path=None, target=None):
        if Finder.count or (name.startswith("pinsync.") and name != "pinsync.__main__"):
            Finder.count += 1
            if Finder.count == int(os.environ["MOMENT"]):
                signal.raise_signal(int(os.environ["SIGNAL"]))

sys.meta_path.insert(0, Finder())
if os.environ["MOMENT"] == "0":
    end = os._exit

    def count_and_end(code):
        print(Finder.count, file=sys.stderr, flush=True)
        end(code)

    os._exit = count_and_end
"""
STEPS = 5


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("arguments", [("--help",), ("history",), ("export", "--check")], ids=str)
@pytest.mark.usefixtures("exported")
def test_at_any_import(
    arguments: tuple[str, ...], number: int, tmp_path: Path, pinsync: CommandLine
) -> None:
    path = f"{put(tmp_path / 'site/sitecustomize.py', AT_AN_IMPORT).parent}{os.pathsep}{ROOT}"
    environ = {"PYTHONPATH": path, "SIGNAL": str(number), "MOMENT": "0"}
    count = int(pinsync.spawn(*arguments, environ=environ).err.split()[-1])
    assert count > 20
    for moment in [1, 2, *range(3, count, count // STEPS), count]:
        assert_interrupted(pinsync.spawn(*arguments, environ={**environ, "MOMENT": str(moment)}))


def assert_interrupted(result: Result) -> None:
    assert (result.code, result.out) == (130, "")
    assert result.err.strip("\n") == "interrupted: nothing was changed"


# Each replaces the command `schema`, as it is the simplest.
CHILD = """
import os, signal, sys, time
from pinsync.commands import schema
from pinsync.terminal.console import Console

number = int(sys.argv.pop())

def interrupt(*_):
    signal.raise_signal(number)

{script}

schema.schema = command
from pinsync.__main__ import main

main()
"""


def child(script: str, number: int) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-c", CHILD.format(script=script), "schema", str(number)]
    began = time.monotonic()
    done = subprocess.run(program, env=environ, capture_output=True, text=True, check=False)
    assert time.monotonic() - began < 40, "a minute is what the command sleeps for"
    return done


IN_A_DESTRUCTOR = """
class Dropped:
    __del__ = interrupt

def command(kind, out):
    Dropped()
    time.sleep(60)
"""
IN_A_CLASS_THAT_IS_BEING_CREATED = """
class Member:
    __set_name__ = interrupt

def command(kind, out):
    class Owner:
        member = Member()
"""
WHILE_IT_IS_REPORTED = """
say = Console.say

def say_and_interrupt(console, text):
    say(console, text)
    interrupt()

Console.say = say_and_interrupt
command = interrupt
"""


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(
    "script", [IN_A_DESTRUCTOR, IN_A_CLASS_THAT_IS_BEING_CREATED, WHILE_IT_IS_REPORTED]
)
def test_where_python_would_swallow_change_or_show_it(script: str, number: int) -> None:
    done = child(script, number)
    assert (done.returncode, done.stderr.strip("\n")) == (130, "interrupted: nothing was changed")


@pytest.mark.parametrize("number", SIGNALS)
def test_when_all_is_done_the_answer_stands(number: int) -> None:
    script = (
        "end = os._exit\nos._exit = lambda code: interrupt() or end(code)\n\n"
        "def command(kind, out):\n    return 1"
    )
    done = child(script, number)
    assert (done.returncode, done.stderr) == (1, "")


def test_while_the_output_is_written_it_says_so() -> None:
    done = child(
        "def command(kind, out):\n    sys.stderr.flush = interrupt\n    return 0", signal.SIGINT
    )
    assert (done.returncode, done.stderr) == (130, "interrupted: the output may be incomplete\n")


def test_a_signal_that_the_parent_ignores_stays_ignored() -> None:
    script = "signal.signal(number, signal.SIG_IGN)\n\ndef command(kind, out):\n    interrupt()\n    return 0"
    for number in SIGNALS:
        done = child(script, number)
        assert (done.returncode, done.stderr) == (0, "")


WHILE_GIT_IS_ENDED = """
import signal, sys, time
from pathlib import Path
import pinsync.commands.diff
from pinsync.repository import process

end = process._end

def interrupted(running):
    signal.raise_signal(signal.SIGINT)
    end(running)

process._end = interrupted

def drop_and_wait(codes):
    process.Git(Path.cwd()).start_conversation("cat-file", "--batch")
    time.sleep(60)

pinsync.commands.diff.pick_gravest = drop_and_wait
from pinsync.__main__ import main

main()
"""


@pytest.mark.usefixtures("exported")
def test_while_a_git_that_nobody_needs_any_more_is_ended() -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-c", WHILE_GIT_IS_ENDED, "diff", "HEAD", "@worktree"]
    done = subprocess.run(
        program, env=environ, capture_output=True, text=True, check=False, timeout=40
    )
    assert (done.returncode, done.stderr.strip("\n")) == (130, "interrupted: nothing was changed")


def test_what_else_a_destructor_raises_is_not_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    hook = sys.unraisablehook
    assert run(["--version"]) == 0
    assert sys.unraisablehook is hook
    done = child(
        (
            "class Dropped:\n    def __del__(self): 1 / 0\n\ndef command(kind, out):\n    Dropped()\n"
            "    return 0"
        ),
        2,
    )
    assert capsys.readouterr().out.startswith("pinsync ")
    assert done.returncode == 0
    assert "ZeroDivisionError" in done.stderr
