"""The folder of a machine's applies, and the lock that lets one of a tracker run at a time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pinsync.errors import FileError, SafetyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def find_apply_folder() -> Path:
    """Return the user's folder of locks, backups and journals."""
    # Imported here because it takes 18 ms, and only an apply needs it.
    from platformdirs import user_state_path  # noqa: PLC0415

    return user_state_path("pinsync", appauthor=False) / "apply"


@contextmanager
def lock_tracker(tracker_id: str) -> Iterator[None]:
    """Hold the lock of a tracker, of which a user's state folder has one.

    Raises:
        SafetyError: another process holds it.
        FileError: the folder of the user's state can't be written.
    """
    # Imported here because it takes 40 ms.
    from filelock import FileLock, Timeout  # noqa: PLC0415

    place = find_apply_folder() / f"{tracker_id}.lock"
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = FileLock(place, blocking=False).acquire()
    except Timeout as error:
        message = f"another pinsync is applying to {tracker_id} now; it holds {place}"
        hint = "wait until it is done, then run the command again"
        raise SafetyError(message, hint=hint) from error
    except OSError as error:
        hint = "set XDG_STATE_HOME to a folder that can be written"
        message = f"can't be locked: {error.strerror}"
        raise FileError(message, source=str(place), hint=hint) from error
    with held:
        yield


def hide_from_git(folder: Path, root: Path) -> None:
    """Make a folder within a repository whose files git ignores; do nothing outside of it.

    Args:
        folder: the folder.
        root: the root of the repository.

    Raises:
        FileError: the folder can't be written.
    """
    if not folder.resolve().is_relative_to(root.resolve()):
        return
    place = folder / ".gitignore"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not place.exists():
            place.write_text("*\n", encoding="ascii")
    except OSError as error:
        message = f"can't be written: {error.strerror}"
        hint = "name another folder with --backup-dir"
        raise FileError(message, source=str(place), hint=hint) from error
