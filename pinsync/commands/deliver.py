"""Write reports to standard output, to the files of ``--report``, and to the page of a CI job."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from pinsync import config
from pinsync.errors import FileError, UsageError
from pinsync.escape import one_line
from pinsync.layout import ITEMS, SUFFIX
from pinsync.reports.words.page import MAX_CHARS, MIN_CHARS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pinsync.config import Settings
    from pinsync.errors import PinsyncError
    from pinsync.terminal.console import Console

_LINK_BASE: Final = r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?"
MAX_BYTES: Final = 1024 * 1024
"""GitHub's limit of the summary of a step; a longer summary isn't shown at all."""
_MAX_BYTES_OF_A_UNIT: Final = 3
"""The largest number of bytes in UTF-8 for a UTF-16 code unit."""


class Outputs(Protocol):
    """The options for reports."""

    @property
    def format(self) -> str:
        """The format of the report on standard output."""

    @property
    def reports(self) -> Sequence[tuple[str, Path]]:
        """The format and the file of each further report."""


class Reports(Struct, frozen=True):
    """The reports of one result.

    Attributes:
        render: renders the report in a format, with or without colour.
        is_empty: whether nothing was found, so that ``--quiet`` omits the text.
        page: renders the page of a CI job, with a limit in UTF-16 code units; None if the command
            has no format ``github``.
        errors: the errors in the reports.
    """

    render: Callable[[str, bool], str]
    is_empty: bool
    page: Callable[[int], str] | None = None
    errors: Sequence[PinsyncError] = ()


def deliver(
    reports: Reports, outputs: Outputs, environ: Mapping[str, str], console: Console
) -> None:
    """Write a report to standard output, others to their files, and one to the page of a CI job.

    Args:
        reports: the reports.
        outputs: the options.
        environ: the environment variables; ``GITHUB_STEP_SUMMARY`` names the page.
        console: the output.

    Raises:
        FileError: a file can't be written.
    """
    # All reports are rendered first, so that a bug in one doesn't leave only some of them.
    files = [(file, reports.render(format_, False)) for format_, file in outputs.reports]
    report = reports.render(outputs.format, console.color_out)
    is_silent = console.verbosity < 0 and outputs.format == "text" and reports.is_empty
    if report and not is_silent:
        console.report(report, outputs.format)
    console.fail_beside_report(reports.errors, outputs.format)
    write_reports(files)
    is_for_github = "github" in (outputs.format, *(format_ for format_, _ in outputs.reports))
    if reports.page and is_for_github:
        append_summary(environ, reports.page, console)


def check_reports(
    reports: Sequence[tuple[str, Path]], settings: Settings, compared: Iterable[Path] = ()
) -> None:
    """Refuse to write a report over a file that is needed, or through a link in the repository.

    Args:
        reports: the format and the file of each report.
        settings: the configuration, for the place of the documents.
        compared: files that the command reads.

    Raises:
        UsageError: a report would overwrite a configuration, a document, a compared file, a file in
            a git directory or another report, or would follow a symbolic link.
    """
    taken = {_resolve(path): "a file that is compared" for path in compared}
    if settings.path:
        taken[_resolve(settings.path)] = "the configuration"
    for format_, file in reports:
        if victim := _find_victim(_resolve(file), taken, settings):
            hint = f"name a file of its own, such as report.{format_}"
            raise UsageError(f"--report {format_}={file} would write over {victim}", hint=hint)
        # The repository, and so the link, may be a stranger's.
        if link := _find_link(file, settings.root):
            message = f"--report {format_}={file} would follow the symbolic link {link}"
            hint = "remove the link, or name a file outside the repository"
            raise UsageError(message, hint=hint)
        # A device, such as /dev/null, takes several reports.
        if not _is_device(file):
            taken[_resolve(file)] = "another report"


def check_link_base(text: str | None) -> str:
    """Return the address of the files for the links of a page; empty without one.

    Raises:
        UsageError: it is no https address that a path can follow.
    """
    if text is None:
        return ""
    if not re.fullmatch(_LINK_BASE, text):
        message = f"--link-base {text}: expected an https address without user, query and fragment"
        hint = "such as https://git.example/shop/blob/main"
        raise UsageError(one_line(message), hint=hint)
    return text


def _find_victim(place: Path, taken: Mapping[Path, str], settings: Settings) -> str | None:
    """Return the description of the needed file that a report would overwrite, if any."""
    directory = _resolve(settings.root / settings.directory)
    if place.name == config.FILE_NAME:
        return "a configuration"
    if _is_document(place, directory):
        return f"a document in {settings.directory}"
    if any(_is_same(place, document) for document in _list_linked_documents(place, directory)):
        return f"a document in {settings.directory}"
    if _is_in_git_directory(place):
        return "what lies in a git directory"
    for other, description in taken.items():
        if _is_same(place, other):
            return description
    return None


def write_reports(reports: Iterable[tuple[Path, str]]) -> None:
    """Write the text of each report to its file.

    Raises:
        FileError: a file can't be written.
    """
    for file, text in reports:
        try:
            file.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            reason = f"the report can't be written: {error.strerror}"
            raise FileError(reason, source=str(file)) from error


def _resolve(file: Path) -> Path:
    # Path.resolve() raises at a loop of links.
    return Path(os.path.realpath(file))


def _is_same(place: Path, other: Path) -> bool:
    try:
        # samefile() recognizes hard links too.
        return place == other or place.samefile(other)
    except OSError:
        return False


def _find_link(file: Path, root: Path) -> Path | None:
    """Return the first symbolic link below ``root`` on the way to a file, if there is one."""
    # The whole file system is no project, and /dev/stdout is a link too.
    if root == root.parent:
        return None
    current = Path.cwd()
    path = current
    for part in file.parts:
        # An absolute path starts anew, because its first part is the root.
        path /= part
        is_link = os.path.islink(path)  # noqa: PTH114 - as below
        if is_link and _resolve(path.parent).is_relative_to(root):
            return path.relative_to(current) if path.is_relative_to(current) else path
    return None


def _is_device(file: Path) -> bool:
    try:
        return not stat.S_ISREG(file.stat().st_mode)
    except OSError:
        return False


def _is_document(place: Path, directory: Path) -> bool:
    # The file with titles of items counts too.
    is_named_so = place.name.endswith(SUFFIX) or place.name == ITEMS
    return directory in place.parents and is_named_so


def _list_linked_documents(place: Path, directory: Path) -> Iterator[Path]:
    """Yield the documents that may be hard links of the same file."""
    # A file with a single name, the usual case, needs no search.
    if not os.path.isfile(place) or os.stat(place).st_nlink <= 1:  # noqa: PTH113, PTH116 - as below
        return
    for folder, _, names in os.walk(directory):
        for name in names:
            document = Path(folder, name)
            if _is_document(document, directory):
                yield document


def _is_in_git_directory(place: Path) -> bool:
    """Whether a place lies in a git directory of any name, not in a working tree."""
    for folder in (place, *place.parents):
        if folder.name.casefold() == ".git":
            return True
        # The methods of Path raise for a folder without permission to search it.
        has_head = os.path.isfile(folder / "HEAD")  # noqa: PTH113
        if has_head and os.path.isdir(folder / "objects"):  # noqa: PTH112
            return True
        if os.path.lexists(folder / ".git"):
            return False
    return False


def has_summary(environ: Mapping[str, str]) -> bool:
    """Whether the CI job has a page for a summary."""
    return bool(environ.get("GITHUB_STEP_SUMMARY"))


def append_summary(
    environ: Mapping[str, str], page: Callable[[int], str], console: Console
) -> None:
    """Append a page to the step's summary, if there is one; an error is only a warning.

    Args:
        environ: the environment variables; ``GITHUB_STEP_SUMMARY`` names the file.
        page: renders the page, with a limit in UTF-16 code units.
        console: the output.
    """
    file = environ.get("GITHUB_STEP_SUMMARY")
    if not file:
        return
    try:
        with Path(file).open("ab") as stream:
            before = b"\n" if stream.tell() else b""
            text = _render_within(page, MAX_BYTES - stream.tell() - len(before))
            stream.write(before + text if text else b"")
    except OSError as error:
        reason = error.strerror or "it isn't a file"
        console.warn(f"the summary of the step can't be written (GITHUB_STEP_SUMMARY): {reason}")
        return
    if not text:
        console.warn("the summary of the step is full: the report isn't in it")


def _render_within(page: Callable[[int], str], max_bytes: int) -> bytes:
    """Return the page in UTF-8, shortened if necessary; empty if even the shortest is too long."""
    # The second limit is safe for any characters.
    for max_chars in (MAX_CHARS, max_bytes // _MAX_BYTES_OF_A_UNIT):
        text = page(max_chars).encode() if max_chars >= MIN_CHARS else b""
        if len(text) <= max_bytes:
            return text
    return b""
