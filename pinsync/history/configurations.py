"""The configuration of each commit, wherever it stood then."""

from __future__ import annotations

import glob
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from pinsync import layout
from pinsync.config import FILE_NAME, Tracker
from pinsync.errors import ConfigError
from pinsync.history.versions import Fault, placed
from pinsync.layout import SUFFIX
from pinsync.repository import parse_tree
from pinsync.workspace.configuration import ConfigurationSearch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath

    from pinsync.config import Settings
    from pinsync.repository import Object, Reader, Repository


class Today(NamedTuple):
    """The working tree that history leads up to.

    Attributes:
        settings: its configuration.
        repository: the repository.
        environ: the environment variables.
    """

    settings: Settings
    repository: Repository
    environ: Mapping[str, str]


class Outline(NamedTuple):
    """A commit's configuration, and by tracker the folder of its documents; commits of equal ones hold the same."""

    settings: Settings
    folders: Mapping[Tracker, tuple[PurePosixPath, Object | None]]


class Configurations:
    """Finds the configurations of commits.

    Args:
        reader: what reads git's objects.
        today: the working tree.
    """

    def __init__(self, reader: Reader, today: Today) -> None:
        self._reader = reader
        self._search = ConfigurationSearch(today.settings, today.repository, today.environ)
        self._parsed: dict[tuple[PurePosixPath, str], Settings | Fault] = {}

    @property
    def names(self) -> list[str]:
        """What the files that matter are called: ``*`` stands for anything."""
        places = self._search.places
        return [f"*{SUFFIX}", glob.escape(places[0].name) if places else FILE_NAME]

    def outline(self, commit: str) -> Outline | Fault:
        """Return a commit's configuration and folders, or why they can't be told.

        Args:
            commit: its full hash.
        """
        settings = self._settings(commit)
        if isinstance(settings, Fault):
            return settings
        trackers = settings.trackers or (Tracker("default", ""),)
        folders = {}
        for tracker in trackers:
            place = layout.choose_folder(
                settings.directory, tracker.name if len(trackers) > 1 else None
            )
            found = self._folder(commit, place)
            if isinstance(found, Fault):
                return found
            folders[tracker] = place, found
        return Outline(settings, folders)

    def _settings(self, commit: str) -> Settings | Fault:
        found = self._search.find(partial(self._find_file, commit), renamed=True)
        return self._search.default if found is None else self._parse(*found)

    def _find_file(self, commit: str, place: PurePosixPath) -> Object | None:
        found = self._reader.find(commit, place)
        return found if found and found.type == "blob" else None

    def _parse(self, place: PurePosixPath, found: Object) -> Settings | Fault:
        key = place, found.hash
        if key not in self._parsed:
            try:
                self._parsed[key] = self._search.parse(found.content or b"", place)
            except ConfigError as error:
                self._parsed[key] = Fault(place, found.hash, placed(error))
        return self._parsed[key]

    def _folder(self, commit: str, folder: PurePosixPath) -> Object | Fault | None:
        """Return a folder; a link or a submodule in its place is a fault: to git, what lies behind isn't there."""
        missing = ""
        for place in (folder, *folder.parents):
            found = (
                self._reader.find(commit, place)
                if place.parts
                else self._reader.find(f"{commit}^{{tree}}")
            )
            if found and (found.type != "tree" or (missing and missing in dict(parse_tree(found)))):
                return Fault(
                    place / missing,
                    found.hash,
                    "is a link, a file or a submodule, expected a folder",
                )
            if found:
                return found if place == folder else None
            missing = place.name
        return None
