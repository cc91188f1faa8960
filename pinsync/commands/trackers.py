"""``pinsync trackers``: who is configured, for people or as the matrix of a CI job; needs no key and no network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pinsync import config
from pinsync.commands.paths import current_folder
from pinsync.errors import defused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pinsync.commands import Console

_COLUMNS = ("tracker", "tracker_id", "private_key_env")


def trackers(
    config_file: Path | None, names: Sequence[str], environ: Mapping[str, str], console: Console, *, as_json: bool
) -> int:
    """Show the configured trackers, on standard output.

    Args:
        config_file: the configuration; None to look for it.
        names: the trackers to show; all if empty.
        environ: the environment variables; no private key is looked at, only the name of its variable is shown.
        console: where to speak.
        as_json: one line that GitHub takes as a job's matrix, ``{"include": [{"tracker": …}, …]}``, instead of a table.

    Returns:
        The exit code, 0.

    Raises:
        ConfigError: the configuration is refused, or names no tracker.
        UsageError: a name isn't that of a tracker.
    """
    settings = config.load(config_file, start=current_folder(), environ=environ)
    rows = [(item.name, item.tracker_id, item.private_key_env) for item in settings.select(names)]
    if as_json:
        matrix = {"include": [dict(zip(_COLUMNS, row, strict=True)) for row in rows]}
        console.report(defused(json.dumps(matrix, separators=(",", ":"))) + "\n", "json")
        return 0
    table = [("TRACKER", "TRACKER ID", "KEY FROM"), *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        console.out(defused("  ".join(map(str.ljust, row, widths)).rstrip()))
    return 0
