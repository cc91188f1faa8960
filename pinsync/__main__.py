"""The error boundary: whatever happens, the process ends with a documented exit code and a line that says why."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import sys
from typing import NoReturn

from pinsync import __version__
from pinsync.commands import Console, colored
from pinsync.environment import keys_removed, variables
from pinsync.errors import FileError, PinsyncError, defused, forget_secrets, printable, redacted

BUG, INTERRUPTED, USAGE = 70, 130, 2
_COMPLETION = "_PINSYNC_COMPLETE"
_HELP = frozenset({"-h", "--help", "--version"})


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # the parent closed it
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        getattr(sys, name).reconfigure(errors="backslashreplace")
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
        The exit code. Nothing is let through but an interrupt that comes while another one, or an error, is told of.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    forget_secrets()
    # 100,000 customizations are a million objects without a cycle; looking for one every 700 costs a fifth of the time.
    gc.set_threshold(200_000, 50, 50)
    choices = [word == "--color" for word in arguments if word in ("--color", "--no-color")]
    color = colored(sys.stderr, choices[-1] if choices else None, os.environ)
    console = Console(out=_say, err=_say, color=color)
    with keys_removed():
        try:
            return _dispatched(arguments)
        except PinsyncError as error:
            return console.fail(error)
        except KeyboardInterrupt as error:
            console.say(f"interrupted: {error.args[0] if error.args else 'nothing was changed'}")
            return INTERRUPTED
        except Exception as error:  # noqa: BLE001 - the boundary
            console.say(f"error: a bug in pinsync {__version__}: {type(error).__name__}. {_log()}")
            return BUG


def _dispatched(arguments: list[str]) -> int:
    import click  # noqa: PLC0415 - inside the boundary

    from pinsync.cli import cli  # noqa: PLC0415

    try:
        code = cli.main(args=arguments, prog_name="pinsync", standalone_mode=False)
    except click.ClickException as error:
        text = io.StringIO()
        error.show(text)
        _say(defused(printable(text.getvalue().removesuffix("\n"))))
        return USAGE
    except (click.Abort, OSError, SystemExit) as error:
        if interrupt := _interrupt_behind(error):  # click answers it by a line end, which there may be nobody to read
            raise interrupt from None
        # Click writes help and what completes a shell's word by itself, and exits then, or where the reader is gone.
        of_clicks = _COMPLETION in os.environ or not _HELP.isdisjoint(arguments)
        if isinstance(error, OSError) and of_clicks:
            raise FileError(f"can't be written: {error.strerror}", source="standard output") from error
        if not isinstance(error, SystemExit):
            raise
        if not of_clicks:
            raise RuntimeError("click ended the command") from error
        return 0
    return code if isinstance(code, int) else 0


def _interrupt_behind(error: BaseException | None) -> KeyboardInterrupt | None:
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error


def _say(text: object) -> None:
    with contextlib.suppress(OSError):  # who has closed the pipe doesn't want to know
        print(text, file=sys.stderr)  # noqa: T201 - the last resort


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _log() -> str:
    """Write the traceback to a file, without the values of variables that look like secrets; return where it is."""
    import traceback  # noqa: PLC0415 - for bugs only, as what follows; help must stay quick
    from datetime import UTC, datetime  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    text = redacted(traceback.format_exc(), variables())
    try:
        from platformdirs import user_log_path  # noqa: PLC0415

        folder = user_log_path("pinsync", appauthor=False, ensure_exists=True)
        place = Path(folder, f"bug-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.log")
        text = f"pinsync {__version__}, Python {sys.version}, {sys.platform}\n{text}"
        place.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        return f"The details can't be written: {error.strerror}"
    return f"Please report it with {place}"


if __name__ == "__main__":
    main()
