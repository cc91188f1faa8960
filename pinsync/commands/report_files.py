"""The files of ``--report``: where one may go, and how it is written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pinsync import config, layout
from pinsync.errors import FileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pinsync.config import Settings


def check(reports: Sequence[tuple[str, Path]], settings: Settings, compared: Iterable[Path] = ()) -> None:
    """Make sure that no report is written over what is the user's, git's, or over another report.

    Args:
        reports: each a format and a file.
        settings: the configuration; it says where documents lie.
        compared: files that are read besides.

    Raises:
        UsageError: one would be.
    """
    taken = {_place(path): "a file that is compared" for path in compared}
    taken |= {_place(settings.path): "the configuration"} if settings.path else {}
    directory = _place(settings.root / settings.directory)
    for format_, file in reports:
        place = _place(file)
        what = taken.get(place)
        if place.name == config.FILE_NAME:
            what = "a configuration"
        elif directory in place.parents and place.name.endswith(layout.SUFFIX):
            what = f"a document in {settings.directory}"
        elif _is_gits(place):
            what = "what git keeps"
        if what:
            hint = f"name a file of its own, such as report.{format_}"
            raise UsageError(f"--report {format_}={file} would write over {what}", hint=hint)
        taken[place] = "another report"


def write(reports: Iterable[tuple[Path, str]]) -> None:
    """Write reports, each a file and its text.

    Raises:
        FileError: a file can't be written.
    """
    for file, text in reports:
        try:
            file.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise FileError(f"the report can't be written: {error.strerror}", source=str(file)) from error


def _place(file: Path) -> Path:
    return Path(os.path.realpath(file))  # resolve() raises where links go round in circles


def _is_gits(place: Path) -> bool:
    """Whether a place lies in a git directory, whatever that is called, rather than in a working tree."""
    for folder in (place, *place.parents):
        if folder.name.casefold() == ".git" or (os.path.isfile(folder / "HEAD") and os.path.isdir(folder / "objects")):  # noqa: PTH112, PTH113 - Path's raise where nobody may look
            return True
        if os.path.lexists(folder / ".git"):
            return False
    return False
