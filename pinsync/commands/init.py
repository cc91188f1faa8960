"""``pinsync init``: a commented configuration to start from, line ends that never change, and a workflow for CI."""

from __future__ import annotations

import contextlib
import json
import os
import re
from typing import TYPE_CHECKING, Final

from pinsync import config
from pinsync.errors import ConfigError, FileError, UsageError
from pinsync.layout import SUFFIX, find_repository_root
from pinsync.templates.ci import TRACKER_VARIABLE, find_installed_source, is_release, list_key_variables, render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pinsync.config import Tracker

_GITLAB: Final = ".gitlab-ci.yml"
CI: Final[Mapping[str, Mapping[str, str]]] = {
    "github": {
        ".github/workflows/pins-drift.yml": "github-drift.yml",
        ".github/workflows/pins-sync.yml": "github-sync-pr.yml",
        ".github/workflows/pins-review.yml": "github-review.yml",
    },
    "gitlab": {_GITLAB: "gitlab-ci.yml"},
}
"""The code hosts, each with the files that its CI reads and the templates that they are copies of."""

_SETTINGS: Final = {
    "github": "Settings > Secrets and variables > Actions",
    "gitlab": "Settings > CI/CD > Variables",
}

_DIRECTORY: Final = "customizations"
_END_OF_LINES: Final = "/** text eol=lf"
ATTRIBUTES: Final = _DIRECTORY + _END_OF_LINES
"""The line of ``.gitattributes`` for the directory that a new configuration names."""

_HEADER: Final = f"""\
# What pinsync keeps under git, and how. Every setting but the trackers may be left out.
format: 1

# Where the files go, one for each recommender model; relative to this file.
directory: {_DIRECTORY}

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

_JOB: Final = re.compile(r"(?m)^pins-(?:review|drift|sync):")
"""Where one of the jobs for GitLab begins."""
_INCLUDED: Final = "pins.gitlab-ci.yml"
"""Where they go if ``.gitlab-ci.yml`` holds others."""


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
            Its files are written to the repository's root, and name a configuration that lies deeper. Beside a
            ``.gitlab-ci.yml`` with other jobs goes a file for it to include.

    Returns:
        The exit code, 0.

    Raises:
        UsageError: the tracker id or the host is refused, a file is there already, ``root`` is for the documents of
            another configuration, or CI wouldn't look into ``root``, where there is no configuration yet, or the only
            one lies below it.
        FileError: a file can't be written.
        ConfigError: a setting in the environment, or in a configuration that is there already, is refused.
    """
    root = root.resolve()
    named_config = environ.get(config.FILE_VARIABLE)
    environ = {name: value for name, value in environ.items() if name != config.FILE_VARIABLE}
    files: dict[Path, str] = {}
    named = tracker_id or environ.get("PINSYNC_TRACKER_ID", "").strip() or None
    there = os.path.lexists(root / config.FILE_NAME)
    above = None if there else _above(root, environ)
    if fresh := not (ci and there) or bool(tracker_id or host):
        files[root / config.FILE_NAME] = _configuration(root, named, host, environ)
    directory = _DIRECTORY if fresh else _directory(root, environ)
    top = _top(root) if ci else root
    source = find_installed_source() if ci else None
    trackers = _trackers(root, files.get(root / config.FILE_NAME), environ) if ci else ()
    if ci:
        path = None if top == root else (root / config.FILE_NAME).relative_to(top).as_posix()
        for file, template in _places(ci, top).items():
            files[file] = render(template, source, path, trackers)
    written = _written(files, top, root, directory)
    echo(f"Wrote {_listed(written)}.")
    if note := _describe_precedence(named_config, above):
        echo(note)
    if fresh and not environ.get("PINSYNC_PRIVATE_KEY"):
        needed = ["PINSYNC_PRIVATE_KEY"] if named else ["PINSYNC_TRACKER_ID", "PINSYNC_PRIVATE_KEY"]
        echo(f"Set {' and '.join(needed)} in the environment.")
    if top / _INCLUDED in files:
        jobs = os.path.relpath(top / _GITLAB, root)
        echo(f"Add `include: /{_INCLUDED}` to {jobs}, and to its stages, if it names any, the jobs' stage: test.")
    if ci:
        _explain(ci, source, trackers, echo)
    if find_repository_root(root):
        echo(f"Commit what was written: git add {' '.join(written)} && git commit")
    if not any((root / directory).rglob(f"*{SUFFIX}")):
        echo("Next: pinsync export")
    return 0


def _explain(
    ci: str,
    source: str | None,
    trackers: Sequence[Tracker],
    echo: Callable[[str], None],
) -> None:
    """Say where CI has the keys from, and which code it hands them to."""
    keys = list_key_variables(trackers)
    come = "key comes" if len(keys) == 1 else "keys come"
    where = f"{_SETTINGS[ci]}: {_listed(keys)}"
    echo(f"In CI the {come} from {where}. What else a file needs stands at its top.")
    if source is None:
        echo(
            "The jobs fail until each of these files says at PINSYNC what to install, such as "
            "git+https://HOST/PROJECT@COMMIT: this pinsync was installed neither from a commit at a "
            "plain https address nor from a release."
        )
    elif is_release(source):
        echo(
            f"The jobs install {source} from PyPI, and hand it the key: make sure that PyPI has this pinsync under the "
            "name, or name another source in PINSYNC, such as git+https://…@<commit>."
        )
    else:
        echo(f"The jobs install {source}, the commit that is installed here; it stands in PINSYNC.")


def _trackers(root: Path, text: str | None, environ: Mapping[str, str]) -> tuple[Tracker, ...]:
    """Return the trackers that the configuration in ``root`` names.

    Args:
        root: its folder.
        text: what is about to be written there; None if it is there already.
        environ: the environment variables; the tracker that they name is left out.
    """
    environ = {name: value for name, value in environ.items() if name != TRACKER_VARIABLE}
    if text is None:
        return config.load(None, start=root, environ=environ).trackers
    return config.parse(text.encode(), config.FILE_NAME, root=root, environ=environ).trackers


def _above(root: Path, environ: Mapping[str, str]) -> str | None:
    """Return the configuration that has counted in ``root`` so far, as it is called there, if there is one.

    Raises:
        UsageError: ``root`` is where its documents go.
    """
    settings = config.load(None, start=root, environ=environ)
    above = os.path.relpath(settings.path, root) if settings.path else None
    if above and settings.root / settings.directory in (root, *root.parents):
        message = f"{settings.directory} is the folder for the documents of {above}"
        raise UsageError(message, hint=f"edit {above}")
    return above


def _describe_precedence(named: str | None, above: str | None) -> str | None:
    """Return a note on the configuration that counts beside the new one: that of the environment, or one above."""
    if named:
        return f"{config.FILE_VARIABLE} names {named}, which counts instead until you unset the variable."
    if above:
        return f"Here, and in the folders below, it counts instead of {above} from now on."
    return None


def _directory(root: Path, environ: Mapping[str, str]) -> str:
    """Return the folder of the documents of the configuration in ``root``, relative to it."""
    settings = config.load(None, start=root, environ=environ)
    return (settings.root / settings.directory).relative_to(root).as_posix()


def _written(files: Mapping[Path, str], top: Path, root: Path, directory: str) -> list[str]:
    """Write all files and the line, or nothing; return what was written, as it is called in ``root``."""
    attributes = root / ".gitattributes"
    with contextlib.ExitStack() as undo:
        for file, text in files.items():
            _create(top, file, text, undo, root)
        added = _append(attributes, directory)
        undo.pop_all()
    return [os.path.relpath(file, root) for file in (*files, *([attributes] if added else []))]


def _listed(names: Sequence[str]) -> str:
    *names, last = ["a line of .gitattributes" if name == ".gitattributes" else name for name in names]
    return f"{', '.join(names)}{' and ' if names else ''}{last}"


def _places(ci: str, top: Path) -> dict[Path, str]:
    """Return the files of a code host, each with its template."""
    places = {top / name: template for name, template in CI[ci].items()}
    jobs = top / _GITLAB
    # What can't be read, or has been made from the template, is for `_create` to refuse.
    with contextlib.suppress(OSError):
        if jobs in places and not _JOB.search(jobs.read_text(encoding="utf-8", errors="replace")):
            return {top / _INCLUDED: places[jobs]}
    return places


def _top(root: Path) -> Path:
    """Return the folder in which CI looks for its files; ``root`` outside of a repository."""
    top = find_repository_root(root) or root
    if os.path.lexists(root / config.FILE_NAME):
        return top
    if top != root:
        hint = "run the command there; for a configuration here, run `pinsync init` first, then again with --ci"
        raise UsageError(f"CI reads its files from the repository's root alone, {top}", hint=hint)
    if below := next(iter(sorted(root.glob(f"*/{config.FILE_NAME}"))), None):
        folder = below.parent.name
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


def _create(top: Path, file: Path, text: str, undo: contextlib.ExitStack, root: Path) -> None:
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
        next_ = "; next: pinsync export" if file == root / config.FILE_NAME else ""
        hint = f"edit it, or remove it to start anew{next_}"
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


def _append(file: Path, directory: str) -> bool:
    """Return whether the line for a directory had to be added."""
    # "?" stands for what would end a pattern or have a meaning in it: quotes and backslashes would mean more yet.
    line = re.sub(r"[][!# ]", "?", directory).encode() + _END_OF_LINES.encode()
    try:
        if file.is_symlink():
            raise FileError("is a symbolic link, which git doesn't follow", source=str(file), hint="make it a file")
        before = file.read_bytes() if file.exists() else b""
        if line in (there.strip() for there in before.splitlines()):
            return False
        gap = b"" if not before or before.endswith(b"\n") else b"\n"
        with file.open("ab") as stream:
            stream.write(gap + line + b"\n")
    except OSError as error:
        raise _unwritable(file, error) from error
    return True


def _unwritable(file: Path, error: OSError) -> FileError:
    return FileError(f"can't be written: {error.strerror}", source=str(file), hint="check the folder's permissions")
