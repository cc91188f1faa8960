"""The workspace of a run: its configuration and its working tree."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pinsync import config
from pinsync.workspace.paths import find_current_folder
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
    """The configuration and the working tree of a command, each read on first use.

    Attributes:
        config_file: the path of the configuration; None to search for it.
        environ: the environment variables.
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
        return config.load(self.config_file, start=find_current_folder(), environ=self.environ)

    @cached_property
    def tree(self) -> WorkingTree:
        """The working tree, with git's repository if there is one.

        Raises:
            ConfigError: the configuration is refused where it lies in the repository.
            RepositoryError: the configuration lies outside, or the repository can't be used.
        """
        return open_tree(self.settings)

    def open_source(self, source: Source) -> State:
        """Return a source with its configuration.

        Raises:
            ConfigError: the configuration in the source is refused.
        """
        tree = self.tree
        return open_state(source, tree.settings, tree.repository, tree.store, self.environ)
