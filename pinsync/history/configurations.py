"""Read the configuration of each commit, at its path in that commit."""

from __future__ import annotations

import glob
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from pinsync import layout
from pinsync.config import FILE_NAME, Tracker
from pinsync.errors import ConfigError
from pinsync.history.versions import ReadFault, describe_error
from pinsync.layout import SUFFIX
from pinsync.repository import parse_tree
from pinsync.workspace.configuration import ConfigurationSearch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePosixPath

    from pinsync.config import Settings
    from pinsync.repository import Object, Reader, Repository


class HistoryContext(NamedTuple):
    """The surroundings in which history is read.

    Attributes:
        settings: the configuration of the working tree.
        repository: the repository.
        environ: the environment variables.
    """

    settings: Settings
    repository: Repository
    environ: Mapping[str, str]


class Outline(NamedTuple):
    """The configuration of a commit, and the folders of its documents.

    Two commits with equal outlines hold the same documents.

    Attributes:
        settings: the configuration.
        folders: tracker → path and tree object of the folder; the tree is None if the commit lacks
            the folder.
    """

    settings: Settings
    folders: Mapping[Tracker, tuple[PurePosixPath, Object | None]]


class Configurations:
    """Reads the configurations of commits.

    Args:
        reader: reads git's objects.
        context: the working tree.
    """

    def __init__(self, reader: Reader, context: HistoryContext) -> None:
        self._reader = reader
        self._search = ConfigurationSearch(context.settings, context.repository, context.environ)
        # Most commits don't change the configuration, so each blob is parsed once.
        self._parsed: dict[tuple[PurePosixPath, str], Settings | ReadFault] = {}

    @property
    def file_names(self) -> list[str]:
        """Patterns for the names of documents and configurations; ``*`` matches any characters."""
        places = self._search.places
        # A configuration outside the repository has no place in it.
        name = glob.escape(places[0].name) if places else FILE_NAME
        return [f"*{SUFFIX}", name]

    def read_outline(self, commit: str) -> Outline | ReadFault:
        """Return a commit's configuration and folders, or the reason why they can't be read.

        Args:
            commit: the full hash of the commit.
        """
        settings = self._read_settings(commit)
        if isinstance(settings, ReadFault):
            return settings
        # Files can be read without a configured tracker.
        trackers = settings.trackers or (Tracker("default", ""),)
        folders = {}
        for tracker in trackers:
            subfolder = tracker.name if len(trackers) > 1 else None
            path = layout.choose_folder(settings.directory, subfolder)
            tree = self._find_folder(commit, path)
            if isinstance(tree, ReadFault):
                return tree
            folders[tracker] = path, tree
        return Outline(settings, folders)

    def _read_settings(self, commit: str) -> Settings | ReadFault:
        found = self._search.find(partial(self._find_file, commit), renamed=True)
        return self._search.default if found is None else self._parse(*found)

    def _find_file(self, commit: str, path: PurePosixPath) -> Object | None:
        found = self._reader.find(commit, path)
        return found if found and found.type == "blob" else None

    def _parse(self, path: PurePosixPath, file: Object) -> Settings | ReadFault:
        key = path, file.hash
        if key not in self._parsed:
            try:
                self._parsed[key] = self._search.parse(file.content or b"", path)
            except ConfigError as error:
                self._parsed[key] = ReadFault(path, file.hash, describe_error(error))
        return self._parsed[key]

    def _find_folder(self, commit: str, folder: PurePosixPath) -> Object | ReadFault | None:
        """Return the tree object of a folder; None if the commit lacks the folder."""
        missing = ""
        for path in (folder, *folder.parents):
            if path.parts:
                found = self._reader.find(commit, path)
            else:
                found = self._reader.find(f"{commit}^{{tree}}")
            if found is None:
                missing = path.name
                continue
            # Git finds nothing behind a link, and no object for a submodule. Without this check,
            # all rules would seem to be removed.
            if found.type != "tree" or (missing and missing in dict(parse_tree(found))):
                reason = "is a link, a file or a submodule, expected a folder"
                return ReadFault(path / missing, found.hash, reason)
            return found if path == folder else None
        return None
