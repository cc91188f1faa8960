"""A tracker's private key, from the environment or from what the environment names; never shown, logged or kept."""

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

_SINGLE_QUOTED: Final = re.compile(r"'[^']*'")
_DOUBLE_QUOTED: Final = re.compile(r'"(?:\\.|[^"\\])*"')
# What a shell replaces, in double quotes too: variables and commands (POSIX.1-2017, 2.6).
_EXPANSION: Final = re.compile(r"\$[\w({]|`")
# Pipes, lists and redirections; a home folder; a variable set before the command.
_SHELL_SYNTAX: Final = re.compile(r"[|&;<>]|(?:^|\s)~|^\s*\w+=")
_BLANKS: Final = " \t\r\n"
_QUOTES: Final = "\"'"
_BY_ITSELF: Final = "run the command by itself to see why"


def private_key(tracker: Tracker, environ: Mapping[str, str]) -> str:
    """Return a tracker's private key, without the blanks and line ends around it.

    The tracker's variable holds the key. If that is empty, the variable with ``_FILE`` behind its name names a file,
    or the one with ``_COMMAND`` holds a command that prints the key. ``PINSYNC_PRIVATE_KEY_FILE`` and then
    ``PINSYNC_PRIVATE_KEY_COMMAND`` come last, for every tracker. A command is run without a shell, within a minute, and
    learns which key is meant from ``PINSYNC_TRACKER_NAME`` and ``PINSYNC_TRACKER_ID``. Its stderr isn't shown.

    Args:
        tracker: whose key.
        environ: the environment variables.

    Raises:
        ConfigError: there is no key, or not one of printable ASCII. The key is never shown.
    """
    variable = tracker.private_key_env
    source = key_source(tracker, environ)
    if source == variable:
        key = environ.get(variable, "")
    elif source.endswith(FILE):
        key = _from_file(Path(environ[source]), source)
    else:
        key = _from_command(environ[source], source, tracker, environ)
    key = key.strip(_BLANKS)
    if not key:
        state = "is empty" if source in environ else "is not set"
        problem = state if source == variable else "yields nothing"
        message = f"{problem}, but should give the private key of tracker {tracker.name} ({tracker.tracker_id})"
        hint = f"set {variable}, {variable}{FILE} or {variable}{COMMAND}"
        if source == variable != DEFAULT_KEY_VARIABLE and environ.get(DEFAULT_KEY_VARIABLE):
            hint += f"; {DEFAULT_KEY_VARIABLE} is not used for a tracker whose private_key_env is {variable}"
        raise ConfigError(message, source=source, hint=hint)
    if not (key.isascii() and key.isprintable()):
        message = f"gives tracker {tracker.name} a private key with characters that aren't printable ASCII"
        raise ConfigError(message, source=source, hint="copy the key again: one line, without typographic characters")
    keep_secret(key)
    return key


def key_source(tracker: Tracker, environ: Mapping[str, str]) -> str:
    """Return the name of the variable that gives a tracker's key; its own where none does."""
    own = tracker.private_key_env
    names = [own]
    for variable in (own, DEFAULT_KEY_VARIABLE):
        names += [variable + FILE, variable + COMMAND]
    return next((name for name in names if environ.get(name, "").strip(_BLANKS)), own)


def describe_refused_key(tracker: Tracker, key: str, environ: Mapping[str, str]) -> str:
    """Return what to do about a key that the API refuses.

    Args:
        tracker: whose key.
        key: the key.
        environ: the environment variables.
    """
    source = key_source(tracker, environ)
    gives = "holds" if source == tracker.private_key_env else "gives"
    check = f"check that {source} {gives} the private key of tracker_id {tracker.tracker_id}"
    if key[0] == key[-1] and key[0] in _QUOTES:
        return f"{check}, without the quotes around it"
    is_command = gives == "gives" and source.endswith(COMMAND)
    hint = _shell_hint(environ[source]) if is_command else None
    return f"{check}; {hint}" if hint else check


def _from_file(file: Path, source: str) -> str:
    try:
        with file.open("rb") as stream:
            return _decoded(stream.read(MAX_KEY_BYTES + 1), source)
    except (OSError, ValueError) as error:
        # By mistake the value may be the key itself, which can begin with a slash and hold more of them.
        folder = file.parent
        is_known = file.is_absolute() and folder != folder.parent and os.path.isdir(folder)  # noqa: PTH112 - never raises
        name, hint = (f"a file in {folder}", None) if is_known else ("a file", "write its absolute path, not the key")
        raise ConfigError(f"names {name} that can't be read: {_reason(error)}", source=source, hint=hint) from None


def _from_command(command: str, source: str, tracker: Tracker, environ: Mapping[str, str]) -> str:
    names = {"PINSYNC_TRACKER_NAME": tracker.name, "PINSYNC_TRACKER_ID": tracker.tracker_id}
    try:
        done = subprocess.run(
            # Windows splits the line itself, by rules in which a backslash escapes nothing.
            command if os.name == "nt" else shlex.split(command),
            env={**build_child_environment(environ), **names},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a script that is traced writes the key there
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        # Not chained: it carries the output so far, which may be the key.
        message = f"gave no key within {COMMAND_SECONDS:g} seconds"
        raise ConfigError(message, source=source, hint=_BY_ITSELF) from None
    except (OSError, ValueError) as error:
        # Not chained, as for the file.
        message = f"{_program(command)}can't be run: {_reason(error)}"
        hint = _shell_hint(command) or "write a command that prints the key, not the key"
        raise ConfigError(message, source=source, hint=hint) from None
    if done.returncode:
        message = f"ended with status {done.returncode} instead of giving the private key of tracker {tracker.name}"
        raise ConfigError(message, source=source, hint=_shell_hint(command) or _BY_ITSELF)
    return _decoded(done.stdout, source)


def _program(command: str) -> str:
    """Return the name of a command's program with a blank behind; empty where it may be a secret.

    By mistake a word that stands alone may be the key itself, and a variable may be set to one.
    """
    program, *arguments = command.split()
    return f"{printable(program)} " if arguments and "=" not in program else ""


def _shell_hint(command: str) -> str | None:
    """Return what to do about a command that only a shell understands."""
    expanded = _SINGLE_QUOTED.sub("", command)
    unquoted = _DOUBLE_QUOTED.sub("", expanded)
    if not (_EXPANSION.search(expanded) or _SHELL_SYNTAX.search(unquoted)):
        return None
    return "it runs without a shell, which alone knows pipes, variables and the like: write sh -c '…' around it"


def _reason(error: OSError | ValueError) -> str:
    return printable((error.strerror if isinstance(error, OSError) else str(error)) or "unknown")


def _decoded(text: bytes, source: str) -> str:
    if len(text) > MAX_KEY_BYTES:
        raise ConfigError(f"yields more than {MAX_KEY_BYTES} bytes, which can't be a key", source=source)
    return text.decode("latin-1")  # whatever isn't ASCII is refused by the caller
