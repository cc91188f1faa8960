"""The variables that hold private keys, which no child process inherits.

Hooks, filters, pagers and credential helpers are other people's programs, and so is what they
log. While a command runs, keys are therefore missing from ``os.environ``, which a child process
inherits unless it is told otherwise; pinsync itself reads `read_variables`. A variable holds a key if a
configuration says so, and is removed as soon as that configuration is read.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULT_KEY_VARIABLE: Final = "PINSYNC_PRIVATE_KEY"
FILE: Final = "_FILE"
"""Ends the name of the variable that names the file of a key: ``LB_KEY_DE_FILE`` for ``LB_KEY_DE``."""
COMMAND: Final = "_COMMAND"
"""Ends the name of the variable that holds a command which prints a key."""
# Variables that git, the programs it starts, the system or pinsync itself reads. A configuration
# from a stranger can name any of them: without it, git breaks or a protection of the user's is off.
_RESERVED: Final = re.compile(
    r"(?:BASH|CURL|DBUS|DYLD|FZF|GCM|GIT|GPG|LC|LD|SSH|SSL|SUDO|XDG)_.*|(?:GNUPG|PYTHON).*|.*_PROXY"
    r"|APPDATA|CI|COMSPEC|DISPLAY|EDITOR|EMAIL|HOME|HOMEDRIVE|HOMEPATH|HOSTNAME|LANG|LANGUAGE"
    r"|LESS|LESSOPEN|LOCALAPPDATA|LOGNAME|LV|PAGER|PATH|PATHEXT|PROGRAMDATA|PROMPT_COMMAND|PWD|SHELL|SYSTEMDRIVE|SYSTEMROOT"
    r"|TEMP|TERM|TMP|TMPDIR|TZ|USER|USERNAME|USERPROFILE|VISUAL|WINDIR"
    r"|PINSYNC_(?:ALLOW_HOST|CONFIG|HOST|PRIVATE_KEY_COMMAND|PRIVATE_KEY_FILE|TIMEOUT|TRACKER_ID|TRACKER_NAME)"
)


@dataclass(slots=True)
class _Keys:
    """What is known of keys: the variables that hold one, and the values of those removed."""

    variables: set[str] = field(default_factory=lambda: {DEFAULT_KEY_VARIABLE})
    removed: dict[str, str] = field(default_factory=dict)
    are_removed: bool = False


_keys: Final = _Keys()


@contextlib.contextmanager
def remove_keys() -> Iterator[None]:
    """Keep the variables with keys out of ``os.environ`` until the block ends.

    Removing them only while a child process is started would not do: several threads start some.
    """
    _keys.variables = {DEFAULT_KEY_VARIABLE}  # not those of an earlier command of this process
    _keys.are_removed = True
    _remove(DEFAULT_KEY_VARIABLE)
    try:
        yield
    finally:
        _keys.are_removed = False
        os.environ.update(_keys.removed)
        _keys.removed.clear()


def keep_from_children(variable: str) -> None:
    """Let no child process inherit a variable from now on, unless it has another meaning."""
    if is_reserved(variable):
        return
    _keys.variables.add(variable)
    if _keys.are_removed:
        _remove(variable)


def _remove(variable: str) -> None:
    if variable in os.environ:
        _keys.removed[variable] = os.environ.pop(variable)


def read_variables() -> dict[str, str]:
    """Return the environment variables, those with keys included."""
    return {**os.environ, **_keys.removed}


def build_child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables without those that hold private keys."""
    return {name: value for name, value in environ.items() if name not in _keys.variables}


def build_trial_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables that lead to no key of the user's, for work with another key."""
    pointers = {key + FILE for key in _keys.variables} | {key + COMMAND for key in _keys.variables}
    kept = build_child_environment(environ)
    return {name: value for name, value in kept.items() if name not in pointers}


def is_reserved(variable: str) -> bool:
    """Return whether a variable has another meaning, so that it can't be a private key's.

    So has ``SUDO``: pinsync would run what ``SUDO_COMMAND`` holds, the user's last command.
    """
    names = [variable]
    if variable != DEFAULT_KEY_VARIABLE:
        names += [variable + FILE, variable + COMMAND]
    return any(_RESERVED.fullmatch(name) for name in names)
