"""The error boundary: whatever happens, the process ends with a documented exit code and a line that says why."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from pinsync import __version__
from pinsync.commands import Console
from pinsync.errors import PinsyncError

BUG, INTERRUPTED, USAGE = 70, 130, 2


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # the reader is gone; what it has read is right all the same
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if code == INTERRUPTED:
        os._exit(code)  # without waiting for threads that still talk to a server
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name.

    Returns:
        The exit code; nothing but ``SystemExit`` from an embedded interpreter is let through.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console(out=print, err=lambda text: print(text, file=sys.stderr))  # noqa: T201 - the last resort
    try:
        import click  # noqa: PLC0415 - inside the boundary

        from pinsync.cli import cli  # noqa: PLC0415

        try:
            code = cli.main(args=arguments, prog_name="pinsync", standalone_mode=False)
        except click.ClickException as error:
            error.show()
            return USAGE
        except click.Abort:
            raise KeyboardInterrupt from None
        return code if isinstance(code, int) else 0
    except PinsyncError as error:
        return console.fail(error)
    except KeyboardInterrupt:
        console.err("interrupted: every file is whole; run the command again to complete the rest")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the boundary
        console.err(f"error: a bug in pinsync {__version__}: {type(error).__name__}. {_log()}")
        return BUG


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _log() -> str:
    """Write the traceback to a file, without the values of variables that look like secrets; return where it is."""
    text = traceback.format_exc()
    for name, value in os.environ.items():
        if len(value) > 3 and any(word in name.upper() for word in ("KEY", "SECRET", "TOKEN", "PASSWORD")):  # noqa: PLR2004
            text = text.replace(value, f"<{name}>")
    try:
        from platformdirs import user_log_path  # noqa: PLC0415 - for bugs only

        folder = user_log_path("pinsync", appauthor=False, ensure_exists=True)
        place = Path(folder, f"bug-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.log")
        place.write_text(f"pinsync {__version__}, Python {sys.version}, {sys.platform}\n{text}", encoding="utf-8")
    except OSError as error:
        return f"The details can't be written: {error.strerror}"
    return f"Please report it with {place}"


if __name__ == "__main__":
    main()
