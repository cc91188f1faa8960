"""Where reports go besides standard output: the files of ``--report``, and the page of a CI job's step."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from pinsync import config
from pinsync.errors import FileError, UsageError
from pinsync.layout import SUFFIX
from pinsync.reports.words.page import MAX_CHARS, MIN_CHARS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pinsync.config import Settings
    from pinsync.errors import PinsyncError
    from pinsync.terminal.console import Console

MAX_BYTES: Final = 1024 * 1024
"""What a step may write in all; a page beyond that isn't shown at all."""
_MAX_BYTES_OF_A_UNIT: Final = 3
"""UTF-8 takes no more for a UTF-16 code unit."""


class Outputs(Protocol):
    """The options that say which reports are wanted."""

    @property
    def format(self) -> str:
        """The format of the report on standard output."""

    @property
    def reports(self) -> Sequence[tuple[str, Path]]:
        """More reports, each a format and a file."""


@dataclass(frozen=True, slots=True)
class Reports:
    """The reports of one result.

    Attributes:
        render: makes the report of a format; coloured if it is for standard output and that takes colour.
        page: makes the report for the page of a CI job, of so many UTF-16 code units at most.
        is_empty: whether the text says no more than that nothing was found, which ``--quiet`` leaves out.
        errors: the errors that the reports hold.
    """

    render: Callable[[str, bool], str]
    page: Callable[[int], str]
    is_empty: bool
    errors: Sequence[PinsyncError] = ()


def deliver(reports: Reports, outputs: Outputs, environ: Mapping[str, str], console: Console) -> None:
    """Write a report to standard output, others to their files, and one to the page of a CI job.

    Every report is rendered before the first is written: a bug in one leaves no half of the others.

    Args:
        reports: the reports.
        outputs: the options.
        environ: the environment variables, of which ``GITHUB_STEP_SUMMARY`` names the page.
        console: where to speak.

    Raises:
        FileError: a file can't be written.
    """
    files = [(file, reports.render(format_, False)) for format_, file in outputs.reports]
    report = reports.render(outputs.format, console.color_out)
    is_silent = console.verbosity < 0 and outputs.format == "text" and reports.is_empty
    if report and not is_silent:
        console.report(report, outputs.format)
    console.fail_beside_report(reports.errors, outputs.format)
    write_reports(files)
    if "github" in (outputs.format, *(format_ for format_, _ in outputs.reports)):
        append_summary(environ, reports.page, console)


def check_reports(reports: Sequence[tuple[str, Path]], settings: Settings, compared: Iterable[Path] = ()) -> None:
    """Make sure of what a report is not written over, and that none is led out of the repository.

    Not over a configuration, a document, a compared file, what lies in a git directory, or another report (a device,
    such as ``/dev/null``, takes several); and not through a symbolic link in the repository, which may be a
    stranger's. Any other file may be.

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
    document = f"a document in {settings.directory}"
    for format_, file in reports:
        place = _place(file)
        what = next((taken[other] for other in taken if _is_same(place, other)), None)
        if place.name == config.FILE_NAME:
            what = "a configuration"
        elif _is_document(place, directory) or any(_is_same(place, other) for other in _linked(place, directory)):
            what = document
        elif _is_gits(place):
            what = "what lies in a git directory"
        if what:
            hint = f"name a file of its own, such as report.{format_}"
            raise UsageError(f"--report {format_}={file} would write over {what}", hint=hint)
        if link := _link(file, settings.root):
            hint = "remove the link, or name a file outside the repository"
            raise UsageError(f"--report {format_}={file} would follow the symbolic link {link}", hint=hint)
        if not _is_device(file):
            taken[place] = "another report"


def write_reports(reports: Iterable[tuple[Path, str]]) -> None:
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


def _is_same(place: Path, other: Path) -> bool:
    try:
        return place == other or place.samefile(other)  # by way of a hard link too
    except OSError:
        return False


def _link(file: Path, root: Path) -> Path | None:
    """Return the first symbolic link below ``root`` that leads to a file, as far as it leads through any."""
    if root == root.parent:  # all of the file system, and no project: /dev/stdout is a link too
        return None
    here = Path.cwd()
    for part in file.parts:  # an absolute one begins anew
        here /= part
        if os.path.islink(here) and _place(here.parent).is_relative_to(root):  # noqa: PTH114 - as below
            return here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else here
    return None


def _is_device(file: Path) -> bool:
    try:
        return not stat.S_ISREG(file.stat().st_mode)
    except OSError:
        return False


def _is_document(place: Path, directory: Path) -> bool:
    return directory in place.parents and place.name.endswith(SUFFIX)


def _linked(place: Path, directory: Path) -> Iterator[Path]:
    """Yield the documents that may be the same file under another name: none as a rule, for a file has but one."""
    if os.path.isfile(place) and os.stat(place).st_nlink > 1:  # noqa: PTH113, PTH116 - as below
        for folder, _, names in os.walk(directory):
            yield from (found for name in names if _is_document(found := Path(folder, name), directory))


def _is_gits(place: Path) -> bool:
    """Whether a place lies in a git directory, whatever that is called, rather than in a working tree."""
    for folder in (place, *place.parents):
        if folder.name.casefold() == ".git" or (os.path.isfile(folder / "HEAD") and os.path.isdir(folder / "objects")):  # noqa: PTH112, PTH113 - Path's raise where nobody may look
            return True
        if os.path.lexists(folder / ".git"):
            return False
    return False


def has_summary(environ: Mapping[str, str]) -> bool:
    """Whether the runner names a page to append to."""
    return bool(environ.get("GITHUB_STEP_SUMMARY"))


def append_summary(environ: Mapping[str, str], page: Callable[[int], str], console: Console) -> None:
    """Append a page to the step's summary, if there is one; what stops that is a warning and no more.

    Args:
        environ: the environment variables, of which ``GITHUB_STEP_SUMMARY`` names the file.
        page: makes the page, of so many UTF-16 code units at most.
        console: where to warn.
    """
    file = environ.get("GITHUB_STEP_SUMMARY")
    if not file:
        return
    try:
        with Path(file).open("ab") as stream:
            before = b"\n" if stream.tell() else b""
            text = _fitting(page, MAX_BYTES - stream.tell() - len(before))
            stream.write(before + text if text else b"")
    except OSError as error:
        reason = error.strerror or "it isn't a file"
        console.warn(f"the summary of the step can't be written (GITHUB_STEP_SUMMARY): {reason}")
        return
    if not text:
        console.warn("the summary of the step is full: the report isn't in it")


def _fitting(page: Callable[[int], str], room: int) -> bytes:
    """Return the page in UTF-8, shortened if need be; empty if there is no room for one."""
    for max_chars in (MAX_CHARS, room // _MAX_BYTES_OF_A_UNIT):
        text = page(max_chars).encode() if max_chars >= MIN_CHARS else b""
        if len(text) <= room:
            return text
    return b""
