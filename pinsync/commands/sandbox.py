"""``pinsync sandbox``: the local stand-in of the API, until it is interrupted or for as long as a command runs."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pinsync import config
from pinsync.commands.paths import current_folder
from pinsync.environment import trial_environment
from pinsync.errors import PinsyncError, UsageError
from pinsync.sandbox import Sandbox, parse_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pinsync.sandbox import Fault

BEAT: Final = 0.5
"""Seconds between two looks at whether to stop; Windows delivers no signal to a thread that waits for good."""
_SHELLS: Final = {"bash", "dash", "fish", "ksh", "pwsh", "sh", "zsh"}


def sandbox(
    *,
    out: Callable[[str], None],
    note: Callable[[str], None] | None = None,
    port: int = 0,
    state: Path | None = None,
    fail: Sequence[str] = (),
    empty: bool = False,
    seed: int | None = None,
    command: Sequence[str] = (),
) -> int:
    """Serve the sandbox and print the environment to export; or run a command in that environment and serve it alone.

    Args:
        out: takes a line of standard output; each must reach the reader at once.
        note: takes a line for whoever is about to type into a shell; None where nobody is.
        port: on 127.0.0.1; 0 takes a free one.
        state: a JSON export that keeps the customizations from one run to the next.
        fail: faults for the first requests, as `pinsync.sandbox.faults.parse_fault` reads them.
        empty: begin without customizations rather than with the sample shop.
        seed: makes the spelling of the answers repeatable.
        command: a program and its arguments.

    Returns:
        0 once SIGINT or SIGTERM has come; with a command, what that exits with (128 and the signal if one ended it),
        for it answers the signals: SIGTERM is passed on, and SIGINT reaches it from the terminal.

    Raises:
        UsageError: a fault that doesn't exist, a port that is taken, or a command that can't be started.
        FileError: the state can't be read or written.
    """
    faults: list[Fault] = [parse_fault(spec) for spec in fail]
    with Sandbox(() if empty else None, state=state, faults=faults, seed=seed, port=port) as server:
        if command:
            if note and _is_typed_into(command):
                note(f"{len(server.customizations())} customizations at {server.url}, until you type exit")
            return _run(command, make_environment(server))
        _serve(server, out)
    return 0


def make_environment(server: Sandbox) -> dict[str, str]:
    """Return the environment of a command that is to work with the sandbox: no key but its own."""
    # Read for the names of its keys alone.
    with contextlib.suppress(PinsyncError):
        config.load(None, start=current_folder(), environ=os.environ)
    return {**trial_environment(os.environ), **server.environment}


def _serve(server: Sandbox, out: Callable[[str], None]) -> None:
    stopped = threading.Event()
    with _answered(interrupt=stopped.set, terminate=stopped.set):
        # A comment, so that the lines can be sourced as they are.
        out(f"# {len(server.customizations())} customizations at {server.url}, until interrupted")
        for name, value in server.environment.items():
            out(f"export {name}={shlex.quote(value)}")
        while not stopped.wait(BEAT):
            pass


def _is_typed_into(command: Sequence[str]) -> bool:
    program, *arguments = command
    return Path(program).stem in _SHELLS and all(word.startswith("-") for word in arguments)


def _run(command: Sequence[str], environment: dict[str, str]) -> int:
    asked = threading.Event()
    started: list[subprocess.Popen[bytes]] = []

    def terminate() -> None:
        asked.set()
        for process in started:
            process.terminate()

    # What has a handler, rather than being ignored, is as ever for the command.
    with _answered(interrupt=lambda: None, terminate=terminate):
        try:
            started.append(subprocess.Popen(command, env=environment))
        except OSError as error:
            raise UsageError(f"can't run {command[0]!r}: {error.strerror}") from error
        if asked.is_set():  # before there was anybody to pass it on to
            terminate()
        code = started[0].wait()
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def _answered(*, interrupt: Callable[[], None], terminate: Callable[[], None]) -> Iterator[None]:
    """Have signals answered so for a while."""
    answers = {signal.SIGINT: interrupt, signal.SIGTERM: terminate}
    before = {number: signal.signal(number, lambda number, _: answers[signal.Signals(number)]()) for number in answers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
