"""``pinsync trackers``: the configured trackers, for people or as a CI job's matrix, and the check of their keys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pinsync import config
from pinsync.errors import PinsyncError, pick_gravest
from pinsync.escape import defuse
from pinsync.workspace.parallel import run_in_parallel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.api import KeyCheck
    from pinsync.config import Tracker
    from pinsync.terminal.console import Console
    from pinsync.workspace.workspace import Workspace

_ACCEPTED = {True: "accepted", False: "refused", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        names: the trackers to show; all if empty.
        format: ``text`` for a table, or ``json`` for one line that GitHub takes as a job's matrix,
            ``{"include": [{"tracker": …}, …]}``.
        check: ask the API whether it accepts each key, and show which host answered and how far the clocks differ.
    """

    names: Sequence[str] = ()
    format: str = "text"
    check: bool = False


def trackers(workspace: Workspace, options: Options, console: Console) -> int:
    """Show the configured trackers, on standard output.

    Without ``check``, only the names of the variables with private keys are looked at.

    Args:
        workspace: the configuration.
        options: what the command line says.
        console: where to speak.

    Returns:
        0; with ``check`` the gravest exit code of the keys that aren't accepted.

    Raises:
        ConfigError: the configuration is refused, or names no tracker.
        UsageError: a name isn't that of a tracker.
    """
    selected = workspace.settings.select(options.names)
    checks = _check_keys(selected, workspace, console) if options.check else None
    if options.format == "json":
        rows = [_fields(tracker) for tracker in selected]
        if checks is not None:
            rows = [row | _check_fields(found) for row, found in zip(rows, checks, strict=True)]
        console.report(defuse(json.dumps({"include": rows}, separators=(",", ":"))) + "\n", "json")
    else:
        sources = (
            [config.find_key_source(tracker, workspace.environ) for tracker in selected] if options.check else None
        )
        _show_table(selected, sources, checks, console)
    return pick_gravest([console.fail(found.error) for found in checks or () if found.error])


def _check_keys(selected: Sequence[Tracker], workspace: Workspace, console: Console) -> list[KeyCheck]:
    with console.show_phase("checking", [tracker.name for tracker in selected]) as done:
        check = partial(_check_key, workspace=workspace, console=console)
        return run_in_parallel(check, selected, lambda tracker: done(tracker.name))


def _check_key(tracker: Tracker, workspace: Workspace, console: Console) -> KeyCheck:
    from pinsync import api  # noqa: PLC0415 - heavy, and the list alone needs no network

    console.step(f"{tracker.name}: asking {' or '.join(tracker.hosts)}")
    try:
        key = config.read_private_key(tracker, workspace.environ)
        settings = workspace.settings
        limits = settings.timeout, settings.safety.max_answer_bytes
        found = api.check_key(api.Session(tracker, key, *limits, watcher=console))
        if isinstance(found.error, api.RefusalError) and found.error.is_of_key:
            found.error.hint = config.describe_refused_key(tracker, key, workspace.environ)
    except PinsyncError as error:
        return api.KeyCheck(None, error=error)
    return found


def _fields(tracker: Tracker) -> dict[str, object]:
    return {
        "tracker": tracker.name,
        "tracker_id": tracker.tracker_id,
        "private_key_env": tracker.private_key_env,
    }


def _check_fields(found: KeyCheck) -> dict[str, object]:
    error, ahead = found.error, found.clock_ahead
    return {
        "accepted": found.is_accepted,
        "host": found.host,
        "clock_ahead_seconds": ahead if ahead is None else round(ahead),
        "error": error and {"message": error.message, "hint": error.hint, "exit_code": error.exit_code},
    }


def _show_table(
    selected: Sequence[Tracker],
    sources: Sequence[str] | None,
    checks: Sequence[KeyCheck] | None,
    console: Console,
) -> None:
    sources = sources or [tracker.private_key_env for tracker in selected]
    table = [["TRACKER", "TRACKER ID", "KEY FROM"]]
    for tracker, source in zip(selected, sources, strict=True):
        table.append([tracker.name, tracker.tracker_id, source])
    if checks is not None:
        added = [["KEY", "HOST", "CLOCK"]]
        added += [[_ACCEPTED[found.is_accepted], found.host or "-", _clock(found.clock_ahead)] for found in checks]
        table = [row + more for row, more in zip(table, added, strict=True)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        console.out(defuse("  ".join(map(str.ljust, row, widths)).rstrip()))


def _clock(ahead: float | None) -> str:
    """Return how this machine's clock stands to the host's."""
    if ahead is None:
        return "-"
    seconds = round(abs(ahead))
    if seconds == 0:
        return "in time"
    return f"{seconds} s {'ahead' if ahead > 0 else 'behind'}"
