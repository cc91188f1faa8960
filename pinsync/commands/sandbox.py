"""``pinsync sandbox``: the local stand-in of the API, until it is interrupted or for as long as a command runs."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pinsync import config
from pinsync.config import Tracker
from pinsync.environment import build_trial_environment
from pinsync.errors import PinsyncError, UsageError
from pinsync.sandbox import TRACKER_ID, Sandbox, StandIn, parse_fault
from pinsync.workspace.paths import find_current_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pinsync.sandbox import Fault

BEAT: Final = 0.5
"""Seconds between two looks at whether to stop; Windows delivers no signal to a thread that waits for good."""
_PLACEHOLDER: Final = "{tracker}"
_SHELLS: Final = {"bash", "dash", "fish", "ksh", "pwsh", "sh", "zsh"}


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        port: on 127.0.0.1; 0 takes a free one.
        tracker_id: the tracker to serve; None for those of the configuration or, if it names none, for a sample one.
        state: a JSON export that keeps the customizations from one run to the next; ``{tracker}`` in its path stands
            for the name of each tracker.
        fail: faults for the first requests, as `pinsync.sandbox.faults.parse_fault` reads them.
        empty: begin without customizations rather than with the sample shop.
        seed: makes the spelling of the answers repeatable.
        command: a program and its arguments.
    """

    port: int = 0
    tracker_id: str | None = None
    state: Path | None = None
    fail: Sequence[str] = ()
    empty: bool = False
    seed: int | None = None
    command: Sequence[str] = ()


def sandbox(options: Options, out: Callable[[str], None], note: Callable[[str], None] | None = None) -> int:
    """Serve the sandbox and print the environment to export; or run a command in that environment and serve it alone.

    Args:
        options: what the command line says.
        out: takes a line of standard output; each must reach the reader at once.
        note: takes a line for whoever is about to type into a shell; None where nobody is.

    Returns:
        0 once SIGINT or SIGTERM has come; with a command, what that exits with (128 and the signal if one ended it),
        for it answers the signals: SIGTERM is passed on, and SIGINT reaches it from the terminal.

    Raises:
        UsageError: a fault that doesn't exist, a port that is taken, an id that no tracker can have, one state file
            for several trackers, or a command that can't be started.
        FileError: the state can't be read or written.
    """
    faults: list[Fault] = [parse_fault(spec) for spec in options.fail]
    trackers = _choose_trackers(options.tracker_id)
    (first_id, first_file), *others = _state_files(options.state, trackers).items()
    rows, seed = () if options.empty else None, options.seed
    more = [StandIn(rows, tracker_id=other_id, state=file, seed=seed) for other_id, file in others]
    with Sandbox(
        rows,
        tracker_id=first_id,
        state=first_file,
        faults=faults,
        seed=seed,
        port=options.port,
        more_trackers=more,
    ) as server:
        content = _describe_content(server, more)
        variables = server.environment | {tracker.private_key_env: server.private_key for tracker in trackers}
        if options.command:
            if note and _is_typed_into(options.command):
                note(f"{content}, until you type exit")
            return _run(options.command, {**build_trial_environment(os.environ), **variables})
        _serve(content, variables, out)
    return 0


def configured_trackers() -> tuple[Tracker, ...]:
    """Return the trackers of the configuration here; none if it names none or can't be read.

    Their keys are known from then on, so that `build_trial_environment` leaves them out.
    """
    # What the command of a sandbox gets from it is not for the user's own environment to say.
    environ = {name: value for name, value in os.environ.items() if name not in ("PINSYNC_HOST", "PINSYNC_TRACKER_ID")}
    with contextlib.suppress(PinsyncError):  # a pinsync in the sandbox will name the error
        return config.load(None, start=find_current_folder(), environ=environ).trackers
    return ()


def _choose_trackers(tracker_id: str | None) -> Sequence[Tracker]:
    configured = configured_trackers()
    if tracker_id is None:
        return configured or [Tracker("default", TRACKER_ID)]
    if not config.TRACKER_ID.fullmatch(tracker_id):
        raise UsageError("--tracker-id must consist of letters, digits, - and _, such as 1234-5678")
    return [Tracker("default", tracker_id)]


def _state_files(state: Path | None, trackers: Sequence[Tracker]) -> dict[str, Path | None]:
    """Return the state file of each tracker id; two trackers that share an id share a state.

    Raises:
        UsageError: several trackers would share a file.
    """
    files: dict[str, Path | None] = {}
    for tracker in trackers:
        file = state and Path(str(state).replace(_PLACEHOLDER, tracker.name))
        files.setdefault(tracker.tracker_id, file)
    if state and len(set(files.values())) < len(files):
        names = ", ".join(tracker.name for tracker in trackers)
        example = state.with_name(f"{state.stem}-{_PLACEHOLDER}{state.suffix}")
        hint = f"write {_PLACEHOLDER} for the name of the tracker: --state {shlex.quote(str(example))}"
        raise UsageError(f"--state {state} is one file for several trackers: {names}", hint=hint)
    return files


def _describe_content(server: Sandbox, more: Sequence[StandIn]) -> str:
    count = sum(len(tracker.customizations()) for tracker in (server, *more))
    trackers = f" of {len(more) + 1} trackers" if more else ""
    return f"{count} customizations{trackers} at {server.url}"


def _serve(content: str, variables: Mapping[str, str], out: Callable[[str], None]) -> None:
    stopped = threading.Event()
    with _answered(interrupt=stopped.set, terminate=stopped.set):
        # A comment, so that the lines can be sourced as they are.
        out(f"# {content}, until interrupted")
        for name, value in variables.items():
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
