"""The settings as frozen records."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync.environment import DEFAULT_KEY_VARIABLE
from pinsync.errors import ConfigError, UsageError, suggest
from pinsync.model import ALL_RULES, Managed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import tzinfo
    from pathlib import Path, PurePosixPath

FILE_NAME: Final = "pinsync.yaml"
FILE_VARIABLE: Final = "PINSYNC_CONFIG"
"""The environment variable for the path of the configuration, without ``--config``."""
DEFAULT_HOSTS: Final = ("https://live.luigisbox.tech", "https://live.luigisbox.com")


class Tracker(Struct, frozen=True):
    """A tracker: its id, its hosts, and the variable of its key; the key itself is never kept.

    ``manages`` are the rules that pinsync looks after; the other rules of the shop are not its
    business.
    """

    name: str
    tracker_id: str
    private_key_env: str = DEFAULT_KEY_VARIABLE
    hosts: tuple[str, ...] = DEFAULT_HOSTS
    remove_expired_pins: bool = False
    remove_nonexisting_item_pins: bool = False
    manages: Managed = ALL_RULES


class Safety(Struct, frozen=True):
    """The limits beyond which pinsync refuses to work.

    Attributes:
        max_removed_percent: the customizations that may disappear at once, in percent.
        min_existing: the fewest existing customizations for which that percentage counts.
        max_answer_mb: the longest answer, in megabytes of 1,000,000 bytes.
    """

    max_removed_percent: int = 30
    min_existing: int = 10
    max_answer_mb: int = 256

    @property
    def max_answer_bytes(self) -> int:
        """The longest answer, decompressed, in bytes."""
        return self.max_answer_mb * 1_000_000


class Settings(Struct, frozen=True):
    """The configuration and its environment.

    Args:
        path: the configuration file; ``None`` for the environment alone, or for a file in a
            revision.
        root: the root of the repository; outside a repository the folder of the file, or else the
            current folder.
        directory: the folder of the documents, relative to ``root``.
        timezone: the IANA name of the timezone of reports for people.
        trackers: the trackers in the order of the file; empty if none is configured (see `select`).
        ignore: the paths of fields that documents and comparisons leave out.
        pictures: the hosts from which a page may load pictures of items.
        safety: the limits of the guards.
        timeout: the seconds without a byte after which a request is given up.
        main_branch: the branch that is the main line where git doesn't tell; None if the file
            names none.
    """

    path: Path | None
    root: Path
    directory: PurePosixPath
    timezone: str
    trackers: tuple[Tracker, ...]
    ignore: tuple[tuple[str, ...], ...]
    pictures: tuple[str, ...]
    safety: Safety
    timeout: float
    main_branch: str | None = None

    @property
    def zone(self) -> tzinfo:
        """The timezone of reports for people."""
        # UTC needs neither the database of timezones nor the 2 ms of its import.
        if self.timezone == "UTC":
            return UTC
        from zoneinfo import ZoneInfo  # noqa: PLC0415

        return ZoneInfo(self.timezone)

    def select(self, names: Sequence[str]) -> tuple[Tracker, ...]:
        """Return the trackers of these names in the order of the file; without names, all.

        Raises:
            ConfigError: no tracker is configured.
            UsageError: no tracker has one of the names.
        """
        if not self.trackers:
            message = "no tracker is configured, by a `trackers` section or by PINSYNC_TRACKER_ID"
            remedy = "add the section" if self.path else "write a pinsync.yaml with `pinsync init`"
            hint = (
                f"{remedy}, or set PINSYNC_TRACKER_ID and PINSYNC_PRIVATE_KEY, "
                f"and PINSYNC_HOST if it isn't {DEFAULT_HOSTS[0]}"
            )
            source = str(self.path or FILE_NAME)
            raise ConfigError(message, source=source, hint=hint)
        return tuple(select_trackers(self.trackers, names))

    def choose_subfolder(self, tracker: str) -> str | None:
        """Return the name of a tracker's folder in the folder of all documents.

        Args:
            tracker: the tracker's name.

        Returns:
            The name; None for a single tracker, whose documents lie in the folder itself.
        """
        # `customizations/basket.yaml`, but `customizations/shop/basket.yaml` for several trackers.
        return tracker if len(self.trackers) > 1 else None

    def list_subfolders(self) -> Sequence[str | None]:
        """Return the folder of each tracker's documents, as `choose_subfolder` does."""
        # Without a configured tracker, files can be read as those of a single tracker.
        if len(self.trackers) <= 1:
            return [None]
        return [tracker.name for tracker in self.trackers]


def select_trackers(trackers: Collection[Tracker], names: Sequence[str]) -> list[Tracker]:
    """Return the trackers of these names, all if there are no names.

    Raises:
        UsageError: no tracker has such a name.
    """
    check_trackers(names, [tracker.name for tracker in trackers])
    return [tracker for tracker in trackers if not names or tracker.name in names]


def check_trackers(names: Iterable[str], known: Collection[str]) -> None:
    """Refuse a name that no tracker has.

    Raises:
        UsageError: a name is not among the known ones.
    """
    for name in names:
        if name not in known:
            raise UsageError(f'no tracker is named "{name}"', hint=suggest(name, known))
