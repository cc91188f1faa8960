"""``pinsync trackers``: list the configured trackers, and check their keys."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct

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

_ACCEPTED: Final = {True: "accepted", False: "refused", None: "unknown"}


class Options(Struct, frozen=True):
    """The options of the command line.

    Attributes:
        names: the trackers to show; all if empty.
        format: ``text`` for a table, or ``json`` for a line that is the matrix of a GitHub job,
            ``{"include": [{"tracker": …}, …]}``.
        check: ask the API whether it accepts each key; also show the host that answered, and the
            difference of the clocks.
    """

    names: Sequence[str] = ()
    format: str = "text"
    check: bool = False


def trackers(workspace: Workspace, options: Options, console: Console) -> int:
    """Print the configured trackers.

    Without ``check``, no private key is read.

    Args:
        workspace: the configuration.
        options: the options of the command line.
        console: the output.

    Returns:
        0; with ``check``, the gravest exit code of the refused keys.

    Raises:
        ConfigError: the configuration is refused, or names no tracker.
        UsageError: there is no tracker of a given name.
    """
    selected = workspace.settings.select(options.names)
    checks = _check_keys(selected, workspace, console) if options.check else None
    if options.format == "json":
        rows = [_build_row(tracker) for tracker in selected]
        if checks is not None:
            rows = [row | _build_check_row(check) for row, check in zip(rows, checks, strict=True)]
        # On one line, because a line of $GITHUB_OUTPUT is one output of a GitHub job.
        console.report(defuse(json.dumps({"include": rows}, separators=(",", ":"))) + "\n", "json")
    else:
        sources = [tracker.private_key_env for tracker in selected]
        # Without a check, no key is looked for, so only the variable's name is known.
        if options.check:
            environ = workspace.environ
            sources = [config.find_key_source(tracker, environ) for tracker in selected]
        _show_table(selected, sources, checks, console)
    return pick_gravest([console.fail(check.error) for check in checks or () if check.error])


def _check_keys(
    selected: Sequence[Tracker], workspace: Workspace, console: Console
) -> list[KeyCheck]:
    with console.show_phase("checking", [tracker.name for tracker in selected]) as done:
        check = partial(_check_key, workspace=workspace, console=console)
        return run_in_parallel(check, selected, lambda tracker: done(tracker.name))


def _check_key(tracker: Tracker, workspace: Workspace, console: Console) -> KeyCheck:
    # Imported here because it is slow, and the list alone needs no network.
    from pinsync import api  # noqa: PLC0415

    console.step(f"{tracker.name}: asking {' or '.join(tracker.hosts)}")
    try:
        key = config.read_private_key(tracker, workspace.environ)
        settings = workspace.settings
        limits = settings.timeout, settings.safety.max_answer_bytes
        check = api.check_key(api.Session(tracker, key, *limits, watcher=console))
        if isinstance(check.error, api.RefusalError) and check.error.is_of_key:
            check.error.hint = config.describe_refused_key(tracker, key, workspace.environ)
    except PinsyncError as error:
        return api.KeyCheck(None, error=error)
    return check


def _build_row(tracker: Tracker) -> dict[str, object]:
    return {
        "tracker": tracker.name,
        "tracker_id": tracker.tracker_id,
        "private_key_env": tracker.private_key_env,
    }


def _build_check_row(check: KeyCheck) -> dict[str, object]:
    error, ahead = check.error, check.clock_ahead
    details = None
    if error:
        details = {"message": error.message, "hint": error.hint, "exit_code": error.exit_code}
    return {
        "accepted": check.is_accepted,
        "host": check.host,
        "clock_ahead_seconds": None if ahead is None else round(ahead),
        "error": details,
    }


def _show_table(
    selected: Sequence[Tracker],
    sources: Sequence[str],
    checks: Sequence[KeyCheck] | None,
    console: Console,
) -> None:
    table = [["TRACKER", "TRACKER ID", "KEY FROM"]]
    for tracker, source in zip(selected, sources, strict=True):
        table.append([tracker.name, tracker.tracker_id, source])
    if checks is not None:
        table[0] += ["KEY", "HOST", "CLOCK"]
        for row, check in zip(table[1:], checks, strict=True):
            clock = _describe_clock(check.clock_ahead)
            row += [_ACCEPTED[check.is_accepted], check.host or "-", clock]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        console.out(defuse("  ".join(map(str.ljust, row, widths)).rstrip()))


def _describe_clock(ahead: float | None) -> str:
    """Return the difference between this machine's clock and the host's in words."""
    # A signature holds the date, so that a wrong clock makes the API refuse a right key.
    if ahead is None:
        return "-"
    seconds = round(abs(ahead))
    if seconds == 0:
        return "in time"
    return f"{seconds} s {'ahead' if ahead > 0 else 'behind'}"
