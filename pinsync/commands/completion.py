"""The words that a shell may complete: what is configured, and what there is."""

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


def trackers(config_file: Path | None, environ: Mapping[str, str]) -> list[str]:
    """Return the names of the configured trackers; none where the configuration can't be read.

    Args:
        config_file: the configuration; None to look for it.
        environ: the environment variables; no key is looked at.
    """
    try:
        settings = config.load(config_file, start=find_current_folder(), environ=environ)
    except PinsyncError:
        return []
    return [tracker.name for tracker in settings.trackers]


def models(config_file: Path | None, environ: Mapping[str, str]) -> list[str]:
    """Return the models that have a document, as the files' names tell them; none where they can't be listed.

    Args:
        config_file: the configuration; None to look for it.
        environ: the environment variables; no key is looked at.
    """
    try:
        settings = config.load(config_file, start=find_current_folder(), environ=environ)
        store = Store(settings.root, settings.directory, settings.root)  # which writes nothing, and so needs no state
        names = {path.stem for folder in settings.subfolders() for path in store.paths(folder)}
    except PinsyncError:
        return []
    return sorted(unquote(name) for name in names if "~" not in name)  # with which a name ends that was cut


def rules() -> list[str]:
    """Return the names of the linter's rules."""
    from pinsync.lint.rules import RULES  # noqa: PLC0415 - they load the YAML parser, for which other words need not wait

    return list(RULES)
