"""``pinsync init``: a commented configuration to start from, line ends that never change, and a workflow for CI."""

from __future__ import annotations

import contextlib
import json
import os
import re
from importlib import resources
from typing import TYPE_CHECKING, Final

from pinsync import config
from pinsync.commands import changing_nothing
from pinsync.errors import ConfigError, FileError, UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

CI: Final[Mapping[str, Mapping[str, str]]] = {
    "github": {
        ".github/workflows/pins-drift.yml": "github-drift.yml",
        ".github/workflows/pins-sync.yml": "github-sync-pr.yml",
        ".github/workflows/pins-review.yml": "github-review.yml",
    },
    "gitlab": {".gitlab-ci.yml": "gitlab-ci.yml"},
}
"""The code hosts, each with the files that its CI reads and the templates that they are copies of."""

_SECRETS: Final = {"github": "Settings > Secrets and variables > Actions", "gitlab": "Settings > CI/CD > Variables"}

ATTRIBUTES: Final = "customizations/** text eol=lf"

_EXISTING: Final = {
    config.FILE_NAME: "edit it, or remove it to start anew; next: pinsync export",
    ".gitlab-ci.yml": "run the command in an empty folder, and `include` the file that it writes there",
}

_HEADER: Final = """\
# What pinsync keeps under git, and how. Every setting but the trackers may be left out.
format: 1

# Where the files go, one for each recommender model; relative to this file.
directory: customizations

# For the dates in people's reports; files and JSON are in UTC.
timezone: UTC
"""

_TRACKER: Final = """
# The private key never stands in a file: private_key_env names the environment variable that holds it.
# With more than one tracker, each has a folder of its name below the directory.
trackers:
  default:
    tracker_id: {tracker_id}
    private_key_env: PINSYNC_PRIVATE_KEY
{hosts}    # Pins past their active_to, and pins of items that left the catalog, may be left out.
    remove_expired_pins: false
    remove_nonexisting_item_pins: false
"""

_NO_TRACKER: Final = """
# Without this section the tracker comes from the environment: PINSYNC_TRACKER_ID, PINSYNC_PRIVATE_KEY and, if it isn't
# the vendor's, PINSYNC_HOST. To name it here, remove the "# " below. The private key never stands in a file:
# private_key_env names the environment variable that holds it.
# trackers:
#   default:
#     tracker_id: 1234-5678
#     private_key_env: PINSYNC_PRIVATE_KEY
"""

_VENDORS_HOSTS: Final = """\
    # The vendor's hosts; the second is tried when the first can't be reached.
    # hosts: [https://live.luigisbox.tech, https://live.luigisbox.com]
"""

_FOOTER: Final = """
# Fields to leave out of files and comparison.
ignore: []
# ignore: [target_metadata.image]

# An export is refused if it would remove more than this share of at least so many customizations,
# or if the answer is longer than this.
safety:
  max_removed_percent: 30
  min_existing: 10
  max_answer_mb: 256
"""


_COMMAND: Final = re.compile(r"\bpinsync (?:diff|lint|export)\b")
"""What a template runs of pinsync, and a configuration belongs to."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]*")
"""A path that means itself in YAML, and to a shell."""


@changing_nothing()
def init(
    *,
    root: Path,
    tracker_id: str | None,
    host: str | None,
    environ: Mapping[str, str],
    echo: Callable[[str], None],
    ci: str | None = None,
) -> int:
    """Write ``pinsync.yaml``, a line of ``.gitattributes`` and, if asked for, what runs pinsync in CI; all or nothing.

    Args:
        root: the folder to write to.
        tracker_id: the tracker to name, else that of ``PINSYNC_TRACKER_ID``; without either the section is a comment.
        host: the host to name, the vendor's if ``None``; needs a tracker.
        environ: the environment variables.
        echo: shows a line to the user.
        ci: ``github`` or ``gitlab``; a configuration that is there already then stays, if nothing is to be named in it.
            Its files are written to the repository's root, and name a configuration that lies deeper.

    Returns:
        The exit code, 0.

    Raises:
        UsageError: the tracker id or the host is refused, a file is there already, or CI wouldn't look into ``root``,
            where there is no configuration yet, or the only one lies below it.
        FileError: a file can't be written.
        ConfigError: a setting in the environment is refused.
    """
    root = root.resolve()
    files: dict[Path, str] = {}
    named = tracker_id or environ.get("PINSYNC_TRACKER_ID", "").strip() or None
    if not ci or tracker_id or host or not os.path.lexists(root / config.FILE_NAME):
        files[root / config.FILE_NAME] = _configuration(root, named, host, environ)
    top = _top(root) if ci else root
    if ci:
        files |= {top / name: _template(template, root, top) for name, template in CI[ci].items()}
    *names, last = _written(files, top, root)
    echo(f"Wrote {', '.join(names)}{' and ' if names else ''}{last}.")
    if root / config.FILE_NAME in files and not environ.get("PINSYNC_PRIVATE_KEY"):
        needed = ["PINSYNC_PRIVATE_KEY"] if named else ["PINSYNC_TRACKER_ID", "PINSYNC_PRIVATE_KEY"]
        echo(f"Set {' and '.join(needed)} in the environment.")
    if ci:
        echo(f"In CI the key comes from {_SECRETS[ci]}: PINSYNC_PRIVATE_KEY. What else a file needs stands at its top.")
    echo("Next: pinsync export")
    return 0


def _written(files: Mapping[Path, str], top: Path, root: Path) -> list[str]:
    """Write all files and the line, or nothing; return what was written, as it is called in ``root``."""
    with contextlib.ExitStack() as undo:
        for file, text in files.items():
            _create(top, file, text, undo)
        added = _append(root / ".gitattributes")
        undo.pop_all()
    names = [os.path.relpath(file, root) for file in files]
    return [*names, "a line of .gitattributes"] if added else names


def _template(name: str, root: Path, top: Path) -> str:
    """Return a file for CI, whose commands name a configuration that they wouldn't find by themselves."""
    text = resources.files("pinsync").joinpath("templates", name).read_text(encoding="utf-8")
    if top == root:
        return text
    path = (root / config.FILE_NAME).relative_to(top).as_posix()
    if not _PLAIN.fullmatch(path):
        message = f"{printable(path)} can't stand in a file for CI as it is"
        raise UsageError(message, hint="rename the folder, to letters, digits, - and _")
    return _COMMAND.sub(rf"\g<0> --config {path}", text)


def _top(root: Path) -> Path:
    """Return the folder in which CI looks for its files; ``root`` outside of a repository."""
    top = config.repository_root(root) or root
    if os.path.lexists(root / config.FILE_NAME):
        return top
    if top != root:
        hint = "run the command there; for a configuration here, run `pinsync init` first, then again with --ci"
        raise UsageError(f"CI reads its files from the repository's root alone, {top}", hint=hint)
    if below := next(iter(sorted(root.glob(f"*/{config.FILE_NAME}"))), None):
        folder = printable(below.parent.name)
        hint = f"run the command in {folder}; for one more here, run `pinsync init` first, then again with --ci"
        raise UsageError(f"{folder} has a {config.FILE_NAME}, which the files for CI wouldn't use", hint=hint)
    return root


def _configuration(root: Path, tracker_id: str | None, host: str | None, environ: Mapping[str, str]) -> str:
    """Return the text of ``pinsync.yaml``, once sure that it is valid."""
    if host is not None and tracker_id is None:
        raise UsageError("a host belongs to a tracker, and none is named", hint="add --tracker-id, or set PINSYNC_HOST")
    text = _text(tracker_id, host)
    try:
        config.parse(text.encode(), config.FILE_NAME, root=root, environ=environ)
    except ConfigError as error:
        if error.source != config.FILE_NAME:  # a variable's fault, and it is named
            raise
        raise UsageError(error.reason, hint=error.hint) from error
    return text


def _text(tracker_id: str | None, host: str | None) -> str:
    if tracker_id is None:
        return f"{_HEADER}{_NO_TRACKER}{_FOOTER}"
    hosts = _VENDORS_HOSTS if host is None else f"    hosts: [{json.dumps(host)}]\n"
    return f"{_HEADER}{_TRACKER.format(tracker_id=json.dumps(tracker_id), hosts=hosts)}{_FOOTER}"


def _create(top: Path, file: Path, text: str, undo: contextlib.ExitStack) -> None:
    """Write a file below ``top`` that isn't there yet; ``undo`` is told how to take it back."""
    try:
        for folder in reversed(file.relative_to(top).parents[:-1]):
            _make_folder(top / folder, undo)
        # Exclusively: nothing that is there, not even a dangling link, is written over or through.
        stream = file.open("x", encoding="utf-8", newline="\n")
        undo.callback(file.unlink)
        with stream:
            stream.write(text)
    except FileExistsError as error:
        name = file.relative_to(top).as_posix()
        hint = _EXISTING.get(file.name, "edit it, or remove it to start anew")
        raise UsageError(f"{name} is there already, and nothing was changed", hint=hint) from error
    except OSError as error:
        raise _unwritable(file, error) from error


def _make_folder(folder: Path, undo: contextlib.ExitStack) -> None:
    if folder.is_symlink():
        raise FileError("is a symbolic link, which git doesn't follow", source=str(folder), hint="make it a folder")
    if folder.is_dir():
        return
    if folder.exists():
        raise FileError("is not a folder", source=str(folder), hint="move it away")
    folder.mkdir()
    undo.callback(folder.rmdir)


def _append(file: Path) -> bool:
    """Return whether the line had to be added."""
    try:
        if file.is_symlink():
            raise FileError("is a symbolic link, which git doesn't follow", source=str(file), hint="make it a file")
        before = file.read_bytes() if file.exists() else b""
        if ATTRIBUTES.encode() in (line.strip() for line in before.splitlines()):
            return False
        gap = b"" if not before or before.endswith(b"\n") else b"\n"
        with file.open("ab") as stream:
            stream.write(gap + ATTRIBUTES.encode() + b"\n")
    except OSError as error:
        raise _unwritable(file, error) from error
    return True


def _unwritable(file: Path, error: OSError) -> FileError:
    return FileError(f"can't be written: {error.strerror}", source=str(file), hint="check the folder's permissions")
