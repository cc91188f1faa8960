"""Paging: which pager is used, that none is where nobody watches, and how it ends."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinsync.terminal.console import Console
from pinsync.terminal.pager import open_pager
from support.exporting import BASKET_TEXT, put
from support.terminals import Terminal

if TYPE_CHECKING:
    from support.command_line import CommandLine, Git

LAST = "2 rules, 3 pins: 3 active, 0 upcoming, 0 over"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")


@pytest.fixture(autouse=True)
def _shop(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PAGER", "LESS", "LV"):
        monkeypatch.delenv(name, raising=False)
    put(repository / "customizations/basket.yaml", BASKET_TEXT)


def seen(*arguments: str, **environ: str) -> str:
    """What a terminal is sent by a call that succeeds."""
    code, sent, err = Terminal(*arguments, environ=environ).end()
    assert (code, err) == (0, "")
    return sent


MARKED = "sed s/^/paged:/"


def test_a_terminal_gets_pages_in_colour() -> None:
    sent = seen(GIT_PAGER=MARKED)
    assert sent.startswith("paged:\x1b[1mbasket in the working tree")
    assert sent.endswith(f"paged:{LAST}\n")
    assert all(line.startswith("paged:") for line in sent.splitlines())
    assert "\x1b[" not in seen("--no-color", GIT_PAGER=MARKED)


def test_git_says_which_pager(git: Git, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert seen(PAGER=MARKED).startswith("paged:")
    git("config", "core.pager", "sed s/^/core:/")
    assert seen(PAGER=MARKED).startswith("core:")
    assert seen(PAGER=MARKED, GIT_PAGER="sed s/^/git:/").startswith("git:")
    monkeypatch.chdir(tmp_path)  # outside of the repository
    put(Path("customizations/basket.yaml"), BASKET_TEXT)
    assert seen(PAGER=MARKED).startswith("paged:")


def test_without_git_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "mark").write_text(
        '#!/bin/sh\nwhile read -r line; do echo "marked:$line"; done\n', encoding="ascii"
    )
    (tools / "mark").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    put(Path("customizations/basket.yaml"), BASKET_TEXT)
    for environ in ({"PAGER": "mark"}, {"PAGER": "cat", "GIT_PAGER": "mark"}):
        assert seen(PATH=str(tools), **environ).startswith("marked:")
    assert LAST in seen(PATH=str(tools))  # nor is there a less


@pytest.mark.parametrize("pager", ["", "cat", "no-such-pager"])
def test_without_a_pager_the_terminal_gets_it_as_it_is(pager: str) -> None:
    assert seen(GIT_PAGER=pager).endswith(f"\n{LAST}\n")


def test_who_does_not_watch_gets_no_pages(pinsync: CommandLine) -> None:
    result = pinsync.spawn("show", "basket", environ={"GIT_PAGER": MARKED, "PAGER": MARKED})
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("basket in the working tree")
    assert seen("--json", GIT_PAGER=MARKED).startswith("{\n")


def test_the_configuration_names_no_command(repository: Path) -> None:
    put(repository / "pinsync.yaml", "pager: touch harm\n")
    code, sent, err = Terminal(environ={"GIT_PAGER": MARKED}).end()
    assert (code, sent) == (2, "")
    assert "pager" in err


def test_a_pager_finds_the_settings_that_git_makes() -> None:
    say = "sh -c 'echo $LESS $LV; cat >/dev/null'"
    assert seen(GIT_PAGER=say) == "FRX -c\n"
    assert seen(GIT_PAGER=say, LESS="-i", LV="") == "-i\n"


def test_a_pager_that_is_left_early_ends_it_quietly(repository: Path) -> None:
    rules = "".join(
        (
            f"  - id: 00000000-0000-4000-8000-{number:012d}\n    target_type: item\n"
            f"    target_identity: /p/{number}/\n"
        )
        for number in range(5000)
    )
    put(
        repository / "customizations/basket.yaml",
        f"format: 1\nmodel: basket\ncustomizations:\n{rules}",
    )
    assert seen("--no-color", GIT_PAGER="head -n 3 | tail -n 1") == (
        "item /p/0/ · customizations/basket.yaml:4\n"
    )
    assert seen(GIT_PAGER="true") == ""
    assert seen(GIT_PAGER="exit 3") == ""


def test_an_interrupt_is_left_to_the_pager(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    terminal = Terminal(
        environ={
            "GIT_PAGER": f"cat; echo whole > {tmp_path}/whole; read -r line < {gate}; echo $line"
        }
    )
    while not (tmp_path / "whole").exists():  # so all is written, and the pager alone goes on
        assert terminal.process.poll() is None
        time.sleep(0.01)
    terminal.process.send_signal(signal.SIGINT)
    gate.write_text("on it goes\n", encoding="ascii")
    code, sent, err = terminal.end()
    assert (code, err) == (0, "")
    assert sent.endswith(f"{LAST}\non it goes\n")


def _interrupted(console: Console) -> None:
    with open_pager(console, os.environ) as write:
        write("é")
        raise KeyboardInterrupt


def test_an_interrupt_before_all_is_written_waits_for_the_pager(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = os.openpty()
    monkeypatch.setenv("GIT_PAGER", "cat; echo end")
    console = Console(out=lambda _: pytest.fail("not paged"), err=lambda _: None)
    before = signal.getsignal(signal.SIGINT)
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", stream)
            with pytest.raises(KeyboardInterrupt):
                _interrupted(console)
        sent = b""
        while b"end" not in sent:
            sent += os.read(ours, 100)
        assert sent.decode().split() == ["é", "end"]
    os.close(ours)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_pipe_without_a_reader_ends_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    theirs, ours = os.pipe()
    with os.fdopen(ours, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with open_pager(
            Console(out=lambda line: lines.append(str(line)), err=lines.append), {}
        ) as write:
            write("one")
            os.close(theirs)
            write("two")
            lines.append("more")
    assert lines == ["one"]
