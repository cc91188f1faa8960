"""The words that a shell completes: trackers, models and lint rules."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from pinsync import config
from pinsync.errors import PinsyncError
from pinsync.workspace.paths import find_current_folder
from pinsync.workspace.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def list_trackers(config_file: Path | None, environ: Mapping[str, str]) -> list[str]:
    """Return the names of the configured trackers; none if the configuration can't be read.

    Args:
        config_file: the path of the configuration; None to search for it.
        environ: the environment variables; no key is read.
    """
    try:
        settings = config.load(config_file, start=find_current_folder(), environ=environ)
    except PinsyncError:
        return []
    return [tracker.name for tracker in settings.trackers]


def list_models(config_file: Path | None, environ: Mapping[str, str]) -> list[str]:
    """Return the models with a document, by the names of the files; none if they can't be listed.

    Args:
        config_file: the path of the configuration; None to search for it.
        environ: the environment variables; no key is read.
    """
    try:
        settings = config.load(config_file, start=find_current_folder(), environ=environ)
        # Reading needs no state folder, so any folder will do.
        store = Store(settings.root, settings.directory, settings.root)
        names: set[str] = set()
        for folder in settings.list_subfolders():
            names.update(path.stem for path in store.list_paths(folder))
    except PinsyncError:
        return []
    # The file name of a very long model is shortened, and has a "~".
    return sorted(unquote(name) for name in names if "~" not in name)


def list_rules() -> list[str]:
    """Return the ids of the lint rules."""
    # Imported here because the lint rules load the YAML parser, which other words don't need.
    from pinsync.lint.rules import RULES  # noqa: PLC0415

    return list(RULES)
