"""The configuration of a run, and the files that it leads to."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pinsync import config
from pinsync.workspace.paths import current_folder
from pinsync.workspace.state import open_state
from pinsync.workspace.tree import open_tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pinsync.config import Settings
    from pinsync.workspace.source import Source
    from pinsync.workspace.state import State
    from pinsync.workspace.tree import WorkingTree


class Workspace:
    """What a command works on; each part is read when it is first asked for.

    Args:
        config_file: the configuration; None to look for it.
        environ: the environment variables.

    Attributes:
        config_file: as given.
        environ: as given.
    """

    def __init__(self, config_file: Path | None, environ: Mapping[str, str]) -> None:
        self.config_file = config_file
        self.environ = environ

    @cached_property
    def settings(self) -> Settings:
        """The configuration of the current folder.

        Raises:
            ConfigError: it can't be read, or a setting is refused.
        """
        return config.load(self.config_file, start=current_folder(), environ=self.environ)

    @cached_property
    def tree(self) -> WorkingTree:
        """The working tree, with git's repository if there is one.

        Raises:
            ConfigError: the configuration is refused where it lies in the repository.
            RepositoryError: it lies outside, or the repository can't be used.
        """
        return open_tree(self.settings)

    def open(self, source: Source) -> State:
        """Return a source with the configuration that belongs to it.

        Raises:
            ConfigError: the configuration committed there is refused.
        """
        tree = self.tree
        return open_state(source, tree.settings, tree.repository, tree.store, self.environ)
