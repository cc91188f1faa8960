"""``pinsync sandbox``: serve the local stand-in of the API, also for a single command."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync import config
from pinsync.config import Tracker
from pinsync.environment import build_trial_environment
from pinsync.errors import PinsyncError, UsageError
from pinsync.sandbox import TRACKER_ID, Sandbox, StandIn, parse_choices, parse_fault
from pinsync.workspace.paths import find_current_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pinsync.sandbox import Fault

BEAT: Final = 0.5
"""Seconds between two checks whether to stop.

Windows delivers no signal to a thread that waits without a time-out.
"""
_REPLACED_VARIABLES: Final = ("PINSYNC_HOST", "PINSYNC_TRACKER_ID")
_PLACEHOLDER: Final = "{tracker}"
_SHELLS: Final = {"bash", "dash", "fish", "ksh", "pwsh", "sh", "zsh"}


class Options(Struct, frozen=True):
    """The options of the command line.

    Attributes:
        port: the port on 127.0.0.1; 0 takes a free port.
        tracker_id: the tracker to serve; None for the configured trackers, or for a sample
            tracker if none is configured.
        state: a JSON export that keeps the customizations between runs; ``{tracker}`` in its path
            is replaced by the name of each tracker.
        fail: faults for the first requests, in the form of `pinsync.sandbox.faults.parse_fault`.
        api: the behaviour that the reference leaves open, in the form of
            `pinsync.sandbox.choices.parse_choices`.
        empty: start without customizations instead of the sample shop.
        seed: the seed for the random spelling of the answers.
        command: a program and its arguments.
    """

    port: int = 0
    tracker_id: str | None = None
    state: Path | None = None
    fail: Sequence[str] = ()
    api: Sequence[str] = ()
    empty: bool = False
    seed: int | None = None
    command: Sequence[str] = ()


def sandbox(
    options: Options, out: Callable[[str], None], note: Callable[[str], None] | None = None
) -> int:
    """Serve the sandbox and print its environment variables, or run a command with them.

    Args:
        options: the options of the command line.
        out: prints a line on standard output, without a buffer.
        note: prints a note for a user who types into a shell; None without a terminal.

    Returns:
        0 after SIGINT or SIGTERM; with a command, its exit code (128 and the number of the signal
        if a signal ended it).

    Raises:
        UsageError: an unknown fault or choice, a port in use, an invalid tracker id, one state file
            for several trackers, or a command that can't be started.
        FileError: the state can't be read or written.
    """
    faults: list[Fault] = [parse_fault(spec) for spec in options.fail]
    choices = parse_choices(options.api)
    trackers = _choose_trackers(options.tracker_id)
    (first_id, first_file), *others = _choose_state_files(options.state, trackers).items()
    rows, seed = () if options.empty else None, options.seed
    more = [
        StandIn(rows, tracker_id=other_id, state=file, seed=seed, choices=choices)
        for other_id, file in others
    ]
    with Sandbox(
        rows,
        tracker_id=first_id,
        state=first_file,
        faults=faults,
        seed=seed,
        choices=choices,
        port=options.port,
        more_trackers=more,
    ) as server:
        content = _describe_content(server, more)
        keys = {tracker.private_key_env: server.private_key for tracker in trackers}
        variables = server.environment | keys
        if options.command:
            if note and _is_interactive_shell(options.command):
                note(f"{content}, until you type exit")
            return _run(options.command, {**build_trial_environment(os.environ), **variables})
        _serve(content, variables, out)
    return 0


def load_configured_trackers() -> tuple[Tracker, ...]:
    """Return the trackers of the configuration in the current folder, if it can be read.

    Also registers the variables of their keys, so that `build_trial_environment` omits them.
    """
    # The sandbox sets these two variables for its command, so the user's own values don't count.
    environ = dict(os.environ)
    for name in _REPLACED_VARIABLES:
        environ.pop(name, None)
    # A pinsync in the sandbox will report the error.
    with contextlib.suppress(PinsyncError):
        return config.load(None, start=find_current_folder(), environ=environ).trackers
    return ()


def _choose_trackers(tracker_id: str | None) -> Sequence[Tracker]:
    configured = load_configured_trackers()
    if tracker_id is None:
        return configured or [Tracker("default", TRACKER_ID)]
    if not config.TRACKER_ID.fullmatch(tracker_id):
        raise UsageError("--tracker-id must consist of letters, digits, - and _, such as 1234-5678")
    return [Tracker("default", tracker_id)]


def _choose_state_files(state: Path | None, trackers: Sequence[Tracker]) -> dict[str, Path | None]:
    """Return tracker id → state file; trackers with the same id share a state.

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
        hint = (
            f"write {_PLACEHOLDER} for the name of the tracker: --state {shlex.quote(str(example))}"
        )
        raise UsageError(f"--state {state} is one file for several trackers: {names}", hint=hint)
    return files


def _describe_content(server: Sandbox, more: Sequence[StandIn]) -> str:
    count = sum(len(tracker.customizations()) for tracker in (server, *more))
    trackers = f" of {len(more) + 1} trackers" if more else ""
    return f"{count} customizations{trackers} at {server.url}"


def _serve(content: str, variables: Mapping[str, str], out: Callable[[str], None]) -> None:
    stopped = threading.Event()
    with _handle_signals(interrupt=stopped.set, terminate=stopped.set):
        # A comment, so that a shell can source the output.
        out(f"# {content}, until interrupted")
        for name, value in variables.items():
            out(f"export {name}={shlex.quote(value)}")
        while not stopped.wait(BEAT):
            pass


def _is_interactive_shell(command: Sequence[str]) -> bool:
    program, *arguments = command
    return Path(program).stem in _SHELLS and all(word.startswith("-") for word in arguments)


def _run(command: Sequence[str], environment: dict[str, str]) -> int:
    is_terminated = threading.Event()
    processes: list[subprocess.Popen[bytes]] = []

    def terminate() -> None:
        is_terminated.set()
        for process in processes:
            process.terminate()

    # The command gets SIGINT from the terminal. It inherits ignored signals, but not handlers, so
    # an empty handler here leaves the command's own reaction unchanged.
    with _handle_signals(interrupt=lambda: None, terminate=terminate):
        try:
            processes.append(subprocess.Popen(command, env=environment))
        except OSError as error:
            raise UsageError(f"can't run {command[0]!r}: {error.strerror}") from error
        # SIGTERM may arrive before the process is in the list.
        if is_terminated.is_set():
            terminate()
        code = processes[0].wait()
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def _handle_signals(
    *, interrupt: Callable[[], None], terminate: Callable[[], None]
) -> Iterator[None]:
    """Call the functions on SIGINT and SIGTERM for the duration of the context."""
    actions = {signal.SIGINT: interrupt, signal.SIGTERM: terminate}

    def handle(number: int, _frame: object) -> None:
        actions[signal.Signals(number)]()

    old_handlers = {number: signal.signal(number, handle) for number in actions}
    try:
        yield
    finally:
        for number, old_handler in old_handlers.items():
            signal.signal(number, old_handler)
