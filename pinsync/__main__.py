"""The entry point and the error boundary.

In every case the process ends with a documented exit code and a line. A signal must not print a
traceback while pinsync is still being loaded. So this module imports only modules that Python
itself has loaded, until `main` has set the handlers; the functions import all others.
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
    from pinsync.terminal.console import Console

INTERRUPTED, USAGE = 130, 2
_COMPLETION = "_PINSYNC_COMPLETE"
_HELP = frozenset({"-h", "--help", "--version"})
_RESEND_SECONDS = 0.01
"""Seconds until an interrupt that Python ignored is sent again."""


def main() -> "NoReturn":
    """Run the command line and end the process with its exit code."""
    _handle_signals(_end_at_once)
    for name in ("stdout", "stderr"):
        # The parent closed the stream.
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        getattr(sys, name).reconfigure(errors="backslashreplace")
    code: int | None = None
    try:
        code = run(sys.argv[1:])
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                # The reader is gone. Discard the rest, so that the exit code stays.
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        # The command is done: an interrupt must not change its exit code any more.
        _handle_signals(signal.SIG_IGN)
    except KeyboardInterrupt:
        # Without a code, run() was reporting an interrupt or an error.
        if code is not None:
            _print_error("interrupted: the output may be incomplete")
        os._exit(INTERRUPTED)
    # Not sys.exit(), which waits for threads that still talk to a server, and destroys all modules
    # and objects one by one: a fifth of the time of a small command. All is written by now.
    os._exit(code)


def run(arguments: list[str]) -> int:
    """Run the command line.

    Args:
        arguments: the arguments without the name of the program.

    Returns:
        The exit code. Never raises, except `KeyboardInterrupt` when a second interrupt arrives
        while the first, or an error, is being reported.
    """
    import gc
    from functools import partial

    from pinsync import __version__
    from pinsync.environment import remove_keys
    from pinsync.errors import PinsyncError
    from pinsync.redaction import forget_secrets

    forget_secrets()
    # 100,000 customizations are a million objects without a cycle. A search for cycles at every 700
    # objects would take a fifth of the time.
    gc.set_threshold(200_000, 50, 50)
    hook = sys.unraisablehook
    with remove_keys():
        try:
            sys.unraisablehook = partial(_keep_interrupt, hook)
            _handle_signals(_interrupt)
            return _dispatch(arguments)
        except PinsyncError as error:
            return _open_console(arguments).fail(error)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the boundary
            console = _open_console(arguments)
            # While it creates a class, Python 3.11 turns an interrupt into a RuntimeError.
            if interrupt := _find_interrupt(error):
                state = interrupt.args[0] if interrupt.args else "nothing was changed"
                console.say(f"interrupted: {state}")
                return INTERRUPTED
            kind = type(error).__name__
            bug = PinsyncError(f"a bug in pinsync {__version__}: {kind}. {_write_log()}")
            return console.fail(bug)
        finally:
            sys.unraisablehook = hook


def _open_console(arguments: list[str]) -> "Console":
    """Return the console for an error, since the command's console may not exist yet."""
    from pinsync.terminal.console import Console, wants_color

    # click may fail before it parses --color.
    choice: bool | None = None
    for argument in arguments:
        if argument in ("--color", "--no-color"):
            choice = argument == "--color"
    color = wants_color(sys.stderr, choice, os.environ)
    return Console(out=_print_error, err=_print_error, color=color)


def _dispatch(arguments: list[str]) -> int:
    import click

    from pinsync.cli import cli
    from pinsync.errors import FileError

    try:
        code = cli.main(args=arguments, prog_name="pinsync", standalone_mode=False)
    except click.ClickException as error:
        # click 8.1 has no such error.
        if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):
            _print_error(error.format_message())
            return USAGE
        raise _translate_usage_error(error) from error
    except (click.Abort, OSError, SystemExit) as error:
        # click answers an interrupt by a line end, and nobody may be there to read it (OSError).
        if interrupt := _find_interrupt(error):
            raise interrupt from None
        # click itself writes help and completions; then it exits, even if the reader is gone.
        is_clicks = _COMPLETION in os.environ or not _HELP.isdisjoint(arguments)
        if isinstance(error, OSError) and is_clicks:
            raise FileError(
                f"can't be written: {error.strerror}", source="standard output"
            ) from error
        if not isinstance(error, SystemExit):
            raise
        if not is_clicks:
            raise RuntimeError("click ended the command") from error
        return 0
    return code if isinstance(code, int) else 0


def _translate_usage_error(error: "ClickException") -> "UsageError":
    """Return click's error as a `UsageError`, with the usage line of its command."""
    from pinsync.errors import UsageError

    message = error.format_message().removesuffix(".")
    context = getattr(error, "ctx", None)
    hint = None
    if context is not None:
        # Undoes the line breaks of click.
        usage = " ".join(context.get_usage().split())
        hint = f"{usage[0].lower()}{usage[1:]}\ntry '{context.command_path} --help' for help"
    return UsageError(f"{message[:1].lower()}{message[1:]}", hint=hint)


def _find_interrupt(error: BaseException | None) -> KeyboardInterrupt | None:
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error


def _print_error(text: object) -> None:
    import contextlib

    # The reader may be gone.
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr)  # noqa: T201 - the last resort


def _handle_signals(handler: "Callable[[int, FrameType | None], object] | signal.Handlers") -> None:
    # A terminal that closes sends SIGHUP, which Windows doesn't have.
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
        # A shell without job control starts background jobs with SIGINT ignored (POSIX).
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _end_at_once(_signal: int, _frame: object) -> "NoReturn":
    # Not print(): the signal may have interrupted one.
    os.write(2, b"interrupted: nothing was changed\n")
    os._exit(INTERRUPTED)


def _interrupt(_signal: int, _frame: object) -> "NoReturn":
    raise KeyboardInterrupt


def _keep_interrupt(
    otherwise: "Callable[[sys.UnraisableHookArgs], object]", ignored: "sys.UnraisableHookArgs"
) -> None:
    """Send an interrupt again that Python ignored; a hook for `sys.unraisablehook`."""
    # Python ignores an exception in a destructor or in the callback of a weak reference. A running
    # git has a destructor, and the import lock of each module has such a callback.
    if issubclass(ignored.exc_type, KeyboardInterrupt):
        # Not threading.Thread: the destructor may run while a lock of threading is held.
        _thread.start_new_thread(_resend_interrupt, (_thread.get_ident(),))
    else:
        otherwise(ignored)


def _resend_interrupt(thread: int) -> None:
    # The thread leaves the destructor meanwhile.
    time.sleep(_RESEND_SECONDS)
    number = signal.SIGTERM if signal.getsignal(signal.SIGINT) is signal.SIG_IGN else signal.SIGINT
    if sys.platform == "win32":
        signal.raise_signal(number)
    else:
        # Unlike raise_signal(), it also ends a system call in which the thread waits.
        signal.pthread_kill(thread, number)


def _write_log() -> str:
    """Write the traceback, without secrets, to a file; return a sentence with its place."""
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
        file = Path(folder, f"bug-{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.log")
        text = f"pinsync {__version__}, Python {sys.version}, {sys.platform}\n{text}"
        file.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        return f"The details can't be written: {error.strerror}"
    return f"Please report it with {file}"


if __name__ == "__main__":
    main()
