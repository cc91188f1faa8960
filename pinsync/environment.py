"""Keep the variables that hold private keys from child processes.

Hooks, filters, pagers and credential helpers are other people's programs, which may log their
environment. A child process inherits ``os.environ`` by default, so keys are removed from it while a
command runs; pinsync itself reads `read_variables`. A variable holds a key if a configuration says
so. It is removed as soon as that configuration is read.
"""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULT_KEY_VARIABLE: Final = "PINSYNC_PRIVATE_KEY"
FILE: Final = "_FILE"
"""Suffix of the variable with the path of a key: ``LB_KEY_DE_FILE`` for ``LB_KEY_DE``."""
COMMAND: Final = "_COMMAND"
"""Suffix of the variable with a command that prints a key."""
# Variables that git, its child processes, the system or pinsync itself reads. A configuration from
# a stranger may name any of them as a key's. Without them git breaks, or a protection of the user
# is off.
_RESERVED: Final = (
    r"(?:BASH|CURL|DBUS|DYLD|FZF|GCM|GIT|GPG|LC|LD|SSH|SSL|SUDO|XDG)_.*|(?:GNUPG|PYTHON).*|.*_PROXY"
    r"|APPDATA|CI|COMSPEC|DISPLAY|EDITOR|EMAIL|HOME|HOMEDRIVE|HOMEPATH|HOSTNAME|LANG|LANGUAGE"
    r"|LESS|LESSOPEN|LOCALAPPDATA|LOGNAME|LV|PAGER|PATH|PATHEXT|PROGRAMDATA|PROMPT_COMMAND"
    r"|PWD|SHELL|SYSTEMDRIVE|SYSTEMROOT|TEMP|TERM|TMP|TMPDIR|TZ|USER|USERNAME|USERPROFILE"
    r"|VISUAL|WINDIR"
    r"|PINSYNC_(?:ALLOW_HOST|CONFIG|HOST|PRIVATE_KEY_COMMAND|PRIVATE_KEY_FILE|TIMEOUT)"
    r"|PINSYNC_(?:TRACKER_ID|TRACKER_NAME)"
)


class _Keys:
    """The state of the keys of this process.

    Attributes:
        variables: the variables that hold a key.
        removed: the values of the variables removed from ``os.environ``.
        are_removed: whether variables with keys are to be removed now.
    """

    # No dataclass: help makes no other, and the import of dataclasses takes 1 ms.
    def __init__(self) -> None:
        self.variables = {DEFAULT_KEY_VARIABLE}
        self.removed: dict[str, str] = {}
        self.are_removed = False


_keys: Final = _Keys()


@contextlib.contextmanager
def remove_keys() -> Iterator[None]:
    """Keep the variables with keys out of ``os.environ`` until the block ends."""
    # For the whole block: threads start child processes at any moment.
    # Forgets an earlier command of this process.
    _keys.variables = {DEFAULT_KEY_VARIABLE}
    _keys.are_removed = True
    _remove(DEFAULT_KEY_VARIABLE)
    try:
        yield
    finally:
        _keys.are_removed = False
        os.environ.update(_keys.removed)
        _keys.removed.clear()


def keep_from_children(variable: str) -> None:
    """Remove a variable from the environment of later child processes, unless reserved."""
    if is_reserved(variable):
        return
    _keys.variables.add(variable)
    if _keys.are_removed:
        _remove(variable)


def _remove(variable: str) -> None:
    if variable in os.environ:
        _keys.removed[variable] = os.environ.pop(variable)


def read_variables() -> dict[str, str]:
    """Return the environment variables, including those with keys."""
    return {**os.environ, **_keys.removed}


def build_child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables without private keys."""
    return {name: value for name, value in environ.items() if name not in _keys.variables}


def build_trial_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables that lead to no key of the user, for trials."""
    pointers = set()
    for variable in _keys.variables:
        pointers |= {variable + FILE, variable + COMMAND}
    kept = build_child_environment(environ)
    return {name: value for name, value in kept.items() if name not in pointers}


def is_reserved(variable: str) -> bool:
    """Return whether a variable has another meaning, so that it can't hold a private key."""
    # Its relatives count too: for SUDO, pinsync would run the text of sudo's SUDO_COMMAND.
    names = [variable]
    if variable != DEFAULT_KEY_VARIABLE:
        names += [variable + FILE, variable + COMMAND]
    return any(re.fullmatch(_RESERVED, name) for name in names)
