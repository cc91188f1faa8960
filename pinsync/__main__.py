"""The entry point and the error boundary: whatever happens, the process ends with a documented exit code and a line.

A signal must not print a traceback while pinsync is still being loaded. So this module imports only
what Python itself has loaded, until `main` has set the handlers; the functions import the rest.
"""

import _thread
import os
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import NoReturn

    from click import ClickException

    from pinsync.errors import UsageError

INTERRUPTED, USAGE = 130, 2
_COMPLETION = "_PINSYNC_COMPLETE"
_HELP = frozenset({"-h", "--help", "--version"})
_SOON = 0.01
"""Seconds after which an interrupt that was swallowed is sent again."""


def main() -> "NoReturn":
    """Run the command line and end the process with its exit code."""
    _answer_signals(_end_at_once)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # the parent closed it
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        getattr(sys, name).reconfigure(errors="backslashreplace")
    code: int | None = None
    try:
        code = run(sys.argv[1:])
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:  # the reader is gone; what it has read is right all the same
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        # The command is done and its answer stands, while Python takes a moment to clean up.
        _answer_signals(signal.SIG_IGN)
    except KeyboardInterrupt:
        if code is not None:  # else the first interrupt, or an error, is being reported
            _say("interrupted: the output may be incomplete")
        os._exit(INTERRUPTED)
    if code == INTERRUPTED:
        os._exit(code)  # without waiting for threads that still talk to a server
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name.

    Returns:
        The exit code. Never raises, except `KeyboardInterrupt` when a second interrupt arrives while
        the first, or an error, is being reported.
    """
    import gc
    from functools import partial

    from pinsync import __version__
    from pinsync.environment import remove_keys
    from pinsync.errors import PinsyncError
    from pinsync.redaction import forget_secrets
    from pinsync.terminal.console import Console, wants_color

    forget_secrets()
    # 100,000 customizations are a million objects without a cycle; looking for one every 700 costs a fifth of the time.
    gc.set_threshold(200_000, 50, 50)
    choices = [word == "--color" for word in arguments if word in ("--color", "--no-color")]
    color = wants_color(sys.stderr, choices[-1] if choices else None, os.environ)
    console = Console(out=_say, err=_say, color=color)
    hook = sys.unraisablehook
    with remove_keys():
        try:
            sys.unraisablehook = partial(_keep_interrupt, hook)
            _answer_signals(_interrupt)
            return _dispatched(arguments)
        except PinsyncError as error:
            return console.fail(error)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the boundary
            # In a class that is being created, Python 3.11 makes a RuntimeError of an interrupt.
            if interrupt := _interrupt_behind(error):
                console.say(f"interrupted: {interrupt.args[0] if interrupt.args else 'nothing was changed'}")
                return INTERRUPTED
            return console.fail(PinsyncError(f"a bug in pinsync {__version__}: {type(error).__name__}. {_log()}"))
        finally:
            sys.unraisablehook = hook


def _dispatched(arguments: list[str]) -> int:
    import click

    from pinsync.cli import cli
    from pinsync.errors import FileError

    try:
        code = cli.main(args=arguments, prog_name="pinsync", standalone_mode=False)
    except click.ClickException as error:
        if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):  # which click 8.1 lacks
            _say(error.format_message())
            return USAGE
        raise _usage_error(error) from error
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


def _usage_error(error: "ClickException") -> "UsageError":
    """Return an error of click's in the form of ours, with the usage line of its command."""
    from pinsync.errors import UsageError

    message = error.format_message().removesuffix(".")
    context = getattr(error, "ctx", None)
    hint = None
    if context is not None:
        usage = " ".join(context.get_usage().split())  # click wraps it
        hint = f"{usage[0].lower()}{usage[1:]}\ntry '{context.command_path} --help' for help"
    return UsageError(f"{message[:1].lower()}{message[1:]}", hint=hint)


def _interrupt_behind(error: BaseException | None) -> KeyboardInterrupt | None:
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error


def _say(text: object) -> None:
    import contextlib

    with contextlib.suppress(OSError):  # who has closed the pipe doesn't want to know
        print(text, file=sys.stderr)  # noqa: T201 - the last resort


def _answer_signals(handler: "Callable[[int, FrameType | None], object] | signal.Handlers") -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # a parent may want us to ignore it
            signal.signal(number, handler)


def _end_at_once(_signal: int, _frame: object) -> "NoReturn":
    os.write(2, b"interrupted: nothing was changed\n")  # no print(), which the signal may have interrupted
    os._exit(INTERRUPTED)


def _interrupt(_signal: int, _frame: object) -> "NoReturn":
    raise KeyboardInterrupt


def _keep_interrupt(otherwise: "Callable[[sys.UnraisableHookArgs], object]", ignored: "sys.UnraisableHookArgs") -> None:
    """Send an interrupt again that Python ignored; a hook for `sys.unraisablehook`.

    Python ignores what a destructor or the callback of a weak reference raises. GitPython's processes
    have such a destructor, and the lock of each module that is imported has such a callback.
    """
    if issubclass(ignored.exc_type, KeyboardInterrupt):
        # Not by threading: the destructor may run while one of its locks is held.
        _thread.start_new_thread(_interrupt_thread, (_thread.get_ident(),))
    else:
        otherwise(ignored)


def _interrupt_thread(thread: int) -> None:
    time.sleep(_SOON)  # until the thread has left the destructor
    number = signal.SIGTERM if signal.getsignal(signal.SIGINT) is signal.SIG_IGN else signal.SIGINT
    if sys.platform == "win32":
        signal.raise_signal(number)
    else:
        signal.pthread_kill(thread, number)  # ends a call in which the thread waits, too


def _log() -> str:
    """Write the traceback to a file, without the values of variables that look like secrets; return where it is."""
    import traceback
    from datetime import UTC, datetime
    from pathlib import Path

    from pinsync import __version__
    from pinsync.environment import read_variables
    from pinsync.redaction import redact

    text = redact(traceback.format_exc(), read_variables())
    try:
        from platformdirs import user_log_path

        folder = user_log_path("pinsync", appauthor=False, ensure_exists=True)
        place = Path(folder, f"bug-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.log")
        text = f"pinsync {__version__}, Python {sys.version}, {sys.platform}\n{text}"
        place.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        return f"The details can't be written: {error.strerror}"
    return f"Please report it with {place}"


if __name__ == "__main__":
    main()
