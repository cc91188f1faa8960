"""The settings as frozen records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinsync.environment import DEFAULT_KEY_VARIABLE
from pinsync.errors import ConfigError, UsageError, suggest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path, PurePosixPath

FILE_NAME: Final = "pinsync.yaml"
FILE_VARIABLE: Final = "PINSYNC_CONFIG"
"""The environment variable that names the configuration where ``--config`` doesn't."""
DEFAULT_HOSTS: Final = ("https://live.luigisbox.tech", "https://live.luigisbox.com")


@dataclass(frozen=True, slots=True)
class Tracker:
    """One tracker: who it is, where it is reached, and which variable holds its key (the key itself is never kept)."""

    name: str
    tracker_id: str
    private_key_env: str = DEFAULT_KEY_VARIABLE
    hosts: tuple[str, ...] = DEFAULT_HOSTS
    remove_expired_pins: bool = False
    remove_nonexisting_item_pins: bool = False


@dataclass(frozen=True, slots=True)
class Safety:
    """The limits beyond which pinsync refuses: in percent, in customizations, in megabytes (of 1,000,000 bytes)."""

    max_removed_percent: int = 30
    min_existing: int = 10
    max_answer_mb: int = 256

    @property
    def max_answer_bytes(self) -> int:
        """Return how long an answer may be once decompressed, in bytes."""
        return self.max_answer_mb * 1_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the configuration says.

    Args:
        path: the file it was read from; ``None`` for the environment alone, or for a file in a revision.
        root: the repository's root; outside a repository the folder of the file, or else the current folder.
        directory: where the documents lie, relative to ``root``.
        timezone: an IANA name, for people's reports.
        trackers: in the file's order; empty if neither the file nor the environment names one (see `select`).
        ignore: paths of the fields that are left out of documents and comparison.
        safety: the limits of the guards.
        timeout: seconds without a byte after which a request is given up.
    """

    path: Path | None
    root: Path
    directory: PurePosixPath
    timezone: str
    trackers: tuple[Tracker, ...]
    ignore: tuple[tuple[str, ...], ...]
    safety: Safety
    timeout: float

    def select(self, names: Sequence[str]) -> tuple[Tracker, ...]:
        """Return the trackers of these names, or all if there are none, in the configuration's order.

        Raises:
            ConfigError: no tracker is configured at all.
            UsageError: a name isn't that of a tracker.
        """
        if not self.trackers:
            message = "no tracker is configured: there is neither a `trackers` section nor PINSYNC_TRACKER_ID"
            remedy = "add the section" if self.path else "write a pinsync.yaml with `pinsync init`"
            hint = (
                f"{remedy}, or set PINSYNC_TRACKER_ID and PINSYNC_PRIVATE_KEY, "
                f"and PINSYNC_HOST if it isn't {DEFAULT_HOSTS[0]}"
            )
            raise ConfigError(message, source=FILE_NAME if self.path is None else str(self.path), hint=hint)
        return tuple(select_trackers(self.trackers, names))

    def subfolder(self, tracker: str) -> str | None:
        """Return the folder of a tracker's documents in the folder of all; None where one tracker needs none.

        Args:
            tracker: the tracker's name.
        """
        return tracker if len(self.trackers) > 1 else None

    def subfolders(self) -> Sequence[str | None]:
        """Return the folder of each tracker's documents, as `subfolder` does."""
        return [tracker.name for tracker in self.trackers] if len(self.trackers) > 1 else [None]


def select_trackers(trackers: Collection[Tracker], names: Sequence[str]) -> list[Tracker]:
    """Return the trackers of these names, all if there are no names.

    Raises:
        UsageError: no tracker has such a name.
    """
    check_trackers(names, [tracker.name for tracker in trackers])
    return [tracker for tracker in trackers if not names or tracker.name in names]


def check_trackers(names: Iterable[str], known: Collection[str]) -> None:
    """Make sure that there are trackers of these names.

    Raises:
        UsageError: there is one that isn't among the known ones.
    """
    for name in names:
        if name not in known:
            raise UsageError(f'no tracker is named "{name}"', hint=suggest(name, known))
