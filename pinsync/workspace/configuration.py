"""Find the configuration of a revision, also at the places where it lay earlier."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from pinsync import config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.config import Settings
    from pinsync.repository import Repository

_Found = TypeVar("_Found")


def list_configuration_paths(today: Settings, repository: Repository) -> Sequence[PurePosixPath]:
    """Return the path of the configuration, then the paths above it, where it may have lain.

    There is no such place for a configuration from outside the repository.

    Args:
        today: the configuration of the working tree.
        repository: the repository.
    """
    file = today.path or today.root / config.FILE_NAME
    if not file.parent.resolve().is_relative_to(today.root):
        return []
    folder = repository.relative_to_root(file.parent)
    return [place / file.name for place in (folder, *folder.parents)]


class ConfigurationSearch:
    """Looks for the configuration of revisions.

    Args:
        today: the configuration of the working tree.
        repository: the repository.
        environ: the environment variables.

    Attributes:
        places: as `list_configuration_paths` returns them.
    """

    def __init__(self, today: Settings, repository: Repository, environ: Mapping[str, str]) -> None:
        self._today = today
        self._repository = repository
        self._environ = environ
        self.places = list_configuration_paths(today, repository)

    @cached_property
    def _former_places(self) -> Sequence[PurePosixPath]:
        """Where HEAD's configuration lay before its folder was renamed."""
        return self._repository.find_former_paths(self.places[0]) if self.places else []

    def find(
        self, read: Callable[[PurePosixPath], _Found | None], *, renamed: bool
    ) -> tuple[PurePosixPath, _Found] | None:
        """Return the path of a revision's configuration and its content; None if there is none.

        Args:
            read: returns the revision's file at a path; None if there is no such file.
            renamed: whether to look where HEAD's configuration lay before its folder was renamed.
        """
        for place in self.places:
            if (found := read(place)) is not None:
                return place, found
        for place in self._former_places if renamed else ():
            if (found := read(place)) is not None:
                return place, found
        return None

    def parse(self, text: bytes, place: PurePosixPath, prefix: str = "") -> Settings:
        """Return the settings of a configuration.

        Args:
            text: its bytes.
            place: where it lies, from the repository's root.
            prefix: the text before the place in messages.

        Raises:
            ConfigError: the configuration is refused.
        """
        root, environ = self._today.root, self._environ
        return config.parse(text, f"{prefix}{place}", root=root, environ=environ, base=place.parent)

    @cached_property
    def default(self) -> Settings:
        """The settings of a revision without a configuration.

        They are today's settings where today's configuration isn't under git.
        """
        # A configuration that was committed after the revision could hide the changes that came
        # with the configuration.
        is_later = self.places and self._today.path is not None
        if is_later and self._repository.read_index_file(self.places[0]) is not None:
            return self.parse(b"", self.places[0])
        return self._today
