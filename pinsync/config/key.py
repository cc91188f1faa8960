"""Read a tracker's private key from the environment, or from a file or command it names.

The key is never shown, logged or kept.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pinsync.environment import COMMAND, DEFAULT_KEY_VARIABLE, FILE, build_child_environment
from pinsync.errors import ConfigError
from pinsync.escape import printable
from pinsync.redaction import keep_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinsync.config.records import Tracker

COMMAND_SECONDS: Final = 60.0
MAX_KEY_BYTES: Final = 10_000

_SINGLE_QUOTED: Final = r"'[^']*'"
_DOUBLE_QUOTED: Final = r'"(?:\\.|[^"\\])*"'
# Variables and commands, which a shell replaces in double quotes too (POSIX.1-2017, 2.6).
_EXPANSION: Final = r"\$[\w({]|`"
# Pipes, lists and redirections; a home folder; a variable set before the command.
_SHELL_SYNTAX: Final = r"[|&;<>]|(?:^|\s)~|^\s*\w+="
_WHITESPACE: Final = " \t\r\n"
_QUOTES: Final = "\"'"
_RUN_ALONE: Final = "run the command by itself to see why"


def read_private_key(tracker: Tracker, environ: Mapping[str, str]) -> str:
    """Return a tracker's private key, without white space around it.

    The tracker's variable holds the key. If it is empty, the variable with ``_FILE`` after its name
    holds the path of a file, or the variable with ``_COMMAND`` a command that prints the key.
    ``PINSYNC_PRIVATE_KEY_FILE`` and then ``PINSYNC_PRIVATE_KEY_COMMAND`` come last, for every
    tracker. A command runs without a shell, for at most a minute, with the tracker's name and id in
    ``PINSYNC_TRACKER_NAME`` and ``PINSYNC_TRACKER_ID``. Its stderr isn't shown.

    Args:
        tracker: the tracker.
        environ: the environment variables.

    Raises:
        ConfigError: the key is missing, or isn't printable ASCII. The error never holds the key.
    """
    variable = tracker.private_key_env
    source = find_key_source(tracker, environ)
    if source == variable:
        key = environ.get(variable, "")
    elif source.endswith(FILE):
        key = _read_key_file(Path(environ[source]), source)
    else:
        key = _run_key_command(environ[source], source, tracker, environ)
    key = key.strip(_WHITESPACE)
    if not key:
        raise _build_missing_error(tracker, source, environ)
    if not (key.isascii() and key.isprintable()):
        message = f"gives tracker {tracker.name} a private key that isn't printable ASCII"
        hint = "copy the key again: one line, without typographic characters"
        raise ConfigError(message, source=source, hint=hint)
    keep_secret(key)
    return key


def find_key_source(tracker: Tracker, environ: Mapping[str, str]) -> str:
    """Return the name of the variable that gives a tracker's key; its own where none does."""
    own = tracker.private_key_env
    names = [own]
    for variable in (own, DEFAULT_KEY_VARIABLE):
        names += [variable + FILE, variable + COMMAND]
    return next((name for name in names if environ.get(name, "").strip(_WHITESPACE)), own)


def describe_refused_key(tracker: Tracker, key: str, environ: Mapping[str, str]) -> str:
    """Return the advice on a key that the API refuses.

    Args:
        tracker: the tracker of the key.
        key: the key.
        environ: the environment variables.
    """
    source = find_key_source(tracker, environ)
    # Otherwise the variable names a file or a command that gives the key.
    holds_key = source == tracker.private_key_env
    verb = "holds" if holds_key else "gives"
    check = f"check that {source} {verb} the private key of tracker_id {tracker.tracker_id}"
    if key[0] == key[-1] and key[0] in _QUOTES:
        return f"{check}, without the quotes around it"
    if not holds_key and source.endswith(COMMAND):
        hint = _suggest_shell(environ[source])
        if hint:
            return f"{check}; {hint}"
    return check


def _build_missing_error(tracker: Tracker, source: str, environ: Mapping[str, str]) -> ConfigError:
    variable = tracker.private_key_env
    if source != variable:
        state = "yields nothing"
    elif source in environ:
        state = "is empty"
    else:
        state = "is not set"
    hint = f"set {variable}, {variable}{FILE} or {variable}{COMMAND}"
    if source == variable != DEFAULT_KEY_VARIABLE and environ.get(DEFAULT_KEY_VARIABLE):
        hint += (
            f"; {DEFAULT_KEY_VARIABLE} is not used for a tracker whose private_key_env is "
            f"{variable}"
        )
    owner = f"{tracker.name} ({tracker.tracker_id})"
    message = f"{state}, but should give the private key of tracker {owner}"
    return ConfigError(message, source=source, hint=hint)


def _read_key_file(file: Path, source: str) -> str:
    try:
        with file.open("rb") as stream:
            return _decode_key(stream.read(MAX_KEY_BYTES + 1), source)
    except (OSError, ValueError) as error:
        # The value may be the key itself, by mistake, and a key in base64 may hold slashes. So
        # only the name of a folder that exists is shown.
        folder = file.parent
        name, hint = "a file", None
        if file.is_absolute() and folder != folder.parent and os.path.isdir(folder):  # noqa: PTH112 - never raises
            name = f"a file in {folder}"
        else:
            hint = "write its absolute path, not the key"
        message = f"names {name} that can't be read: {_explain(error)}"
        raise ConfigError(message, source=source, hint=hint) from None


def _run_key_command(
    command: str, source: str, tracker: Tracker, environ: Mapping[str, str]
) -> str:
    variables = {
        **build_child_environment(environ),
        "PINSYNC_TRACKER_NAME": tracker.name,
        "PINSYNC_TRACKER_ID": tracker.tracker_id,
    }
    try:
        done = subprocess.run(
            # Windows splits the line itself: there a backslash is part of a path, no escape.
            command if os.name == "nt" else shlex.split(command),
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # `set -x` would write the key to it
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        # Not chained: the exception carries the output so far, which may be the key.
        message = f"gave no key within {COMMAND_SECONDS:g} seconds"
        raise ConfigError(message, source=source, hint=_RUN_ALONE) from None
    except (OSError, ValueError) as error:
        # Not chained: the exception may hold the command, and so a key written by mistake.
        message = f"{_name_program(command)}can't be run: {_explain(error)}"
        hint = _suggest_shell(command) or "write a command that prints the key, not the key"
        raise ConfigError(message, source=source, hint=hint) from None
    if done.returncode:
        message = f"ended with status {done.returncode}, without the key of tracker {tracker.name}"
        raise ConfigError(message, source=source, hint=_suggest_shell(command) or _RUN_ALONE)
    return _decode_key(done.stdout, source)


def _name_program(command: str) -> str:
    """Return the name of a command's program and a blank; empty if the name may be a secret."""
    program, *arguments = command.split()
    # By mistake, a word that stands alone may be the key itself, and a variable may be set to one.
    if not arguments or "=" in program:
        return ""
    return f"{printable(program)} "


def _suggest_shell(command: str) -> str | None:
    """Return the hint for a command that needs a shell."""
    expanded = re.sub(_SINGLE_QUOTED, "", command)
    unquoted = re.sub(_DOUBLE_QUOTED, "", expanded)
    if not (re.search(_EXPANSION, expanded) or re.search(_SHELL_SYNTAX, unquoted)):
        return None
    return "it runs without a shell, so write sh -c '…' around pipes, variables and the like"


def _explain(error: OSError | ValueError) -> str:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return printable(reason or "unknown")


def _decode_key(text: bytes, source: str) -> str:
    if len(text) > MAX_KEY_BYTES:
        raise ConfigError(
            f"yields more than {MAX_KEY_BYTES} bytes, which can't be a key", source=source
        )
    # Latin-1 decodes any byte; the caller refuses characters that aren't ASCII.
    return text.decode("latin-1")
