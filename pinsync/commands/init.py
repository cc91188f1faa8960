"""``pinsync init``: write a configuration, a line of ``.gitattributes``, and workflows for CI."""

from __future__ import annotations

import contextlib
import json
import os
import re
from typing import TYPE_CHECKING, Final

from pinsync import config
from pinsync.errors import ConfigError, FileError, UsageError
from pinsync.layout import SUFFIX, find_repository_root
from pinsync.templates.ci import (
    TRACKER_VARIABLE,
    find_installed_source,
    is_release,
    list_key_variables,
    render,
)

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
        ".github/workflows/pins-plan.yml": "github-plan.yml",
        ".github/workflows/pins-apply.yml": "github-apply.yml",
        ".github/workflows/pins-calendar.yml": "github-calendar.yml",
    },
    "gitlab": {_GITLAB: "gitlab-ci.yml"},
}
"""Code host → path of each CI file → its template."""

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
# The private key never stands in a file: private_key_env names the environment variable that \
holds it.
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
# Without this section the tracker comes from the environment: PINSYNC_TRACKER_ID, \
PINSYNC_PRIVATE_KEY and, if it isn't
# the vendor's, PINSYNC_HOST. To name it here, remove the "# " below. \
The private key never stands in a file:
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

# Hosts from which an HTML page may load pictures of items.
pictures: []
# pictures: [cdn.shop.example]

# An export is refused if it would remove more than this share of at least so many customizations,
# or if the answer is longer than this.
safety:
  max_removed_percent: 30
  min_existing: 10
  max_answer_mb: 256
"""

_JOB: Final = re.compile(r"(?m)^pins-(?:review|plan|drift|sync|merged|apply):")
"""The first line of each of our jobs for GitLab."""
_INCLUDED: Final = "pins.gitlab-ci.yml"
"""The file for our jobs if ``.gitlab-ci.yml`` holds other jobs."""


def init(
    *,
    root: Path,
    tracker_id: str | None,
    host: str | None,
    environ: Mapping[str, str],
    echo: Callable[[str], None],
    ci: str | None = None,
) -> int:
    """Write ``pinsync.yaml``, a line of ``.gitattributes`` and files for CI; all or nothing.

    Args:
        root: the folder of the configuration.
        tracker_id: the id of the tracker; None for ``PINSYNC_TRACKER_ID``. Without either, the
            section is a comment.
        host: the host of the tracker; None for the vendor's hosts.
        environ: the environment variables.
        echo: prints a line.
        ci: ``github``, ``gitlab`` or None. An existing configuration then stays, unless a tracker
            or host is given. The files are written to the repository's root.

    Returns:
        The exit code, 0.

    Raises:
        UsageError: the tracker id or the host is refused, a file exists already, ``root`` is the
            folder of another configuration's documents, or CI wouldn't find the configuration.
        FileError: a file can't be written.
        ConfigError: a setting in the environment or in an existing configuration is refused.
    """
    root = root.resolve()
    named_config = environ.get(config.FILE_VARIABLE)
    environ = {name: value for name, value in environ.items() if name != config.FILE_VARIABLE}
    files: dict[Path, str] = {}
    tracker_id_used = tracker_id or environ.get("PINSYNC_TRACKER_ID", "").strip() or None
    configuration = root / config.FILE_NAME
    exists = os.path.lexists(configuration)
    above = None if exists else _find_configuration_above(root, environ)
    is_new = not (ci and exists) or bool(tracker_id or host)
    directory = _DIRECTORY
    if is_new:
        files[configuration] = _build_configuration(root, tracker_id_used, host, environ)
    else:
        directory = _find_directory(root, environ)
    top = root
    source: str | None = None
    trackers: Sequence[Tracker] = ()
    if ci:
        top = _find_top(root)
        source = find_installed_source()
        trackers = _load_trackers(root, files.get(configuration), environ)
        path = None if top == root else configuration.relative_to(top).as_posix()
        for file, template in _choose_ci_files(ci, top).items():
            files[file] = render(template, source, path, trackers)
    names = _write_files(files, top, root, directory)
    echo(f"Wrote {_join_names(names)}.")
    if note := _describe_precedence(named_config, above):
        echo(note)
    if is_new and not environ.get("PINSYNC_PRIVATE_KEY"):
        id_variables = [] if tracker_id_used else ["PINSYNC_TRACKER_ID"]
        variables = [*id_variables, "PINSYNC_PRIVATE_KEY"]
        echo(f"Set {' and '.join(variables)} in the environment.")
    if top / _INCLUDED in files:
        jobs = os.path.relpath(top / _GITLAB, root)
        stages = "and to its stages, if it names any, the jobs' stage: test."
        echo(f"Add `include: /{_INCLUDED}` to {jobs}, {stages}")
    if ci:
        _explain_ci(ci, source, trackers, echo)
    if find_repository_root(root):
        echo(f"Commit what was written: git add {' '.join(names)} && git commit")
    if not any((root / directory).rglob(f"*{SUFFIX}")):
        echo("Next: pinsync export")
    return 0


def _explain_ci(
    ci: str,
    source: str | None,
    trackers: Sequence[Tracker],
    echo: Callable[[str], None],
) -> None:
    """Print where CI gets the keys, and which code receives them."""
    keys = list_key_variables(trackers)
    come = "key comes" if len(keys) == 1 else "keys come"
    where = f"{_SETTINGS[ci]}: {_join_names(keys)}"
    echo(f"In CI the {come} from {where}. What else a file needs stands at its top.")
    if source is None:
        echo(
            "The jobs fail until each of these files says at PINSYNC what to install, such as "
            "git+https://HOST/PROJECT@COMMIT: this pinsync was installed neither from a commit at "
            "a plain https address nor from a release."
        )
    elif is_release(source):
        echo(
            f"The jobs install {source} from PyPI, and hand it the key: make sure that PyPI has "
            "this pinsync under the name, or name another source in PINSYNC, such as "
            "git+https://…@<commit>."
        )
    else:
        echo(f"The jobs install {source}, the commit that is installed here; it stands in PINSYNC.")


def _load_trackers(root: Path, text: str | None, environ: Mapping[str, str]) -> tuple[Tracker, ...]:
    """Return the trackers of the configuration in ``root``.

    Args:
        root: the folder.
        text: the text of the new configuration; None to read the existing one.
        environ: the environment variables.
    """
    # CI has its own variable for the tracker.
    environ = {name: value for name, value in environ.items() if name != TRACKER_VARIABLE}
    if text is None:
        return config.load(None, start=root, environ=environ).trackers
    return config.parse(text.encode(), config.FILE_NAME, root=root, environ=environ).trackers


def _find_configuration_above(root: Path, environ: Mapping[str, str]) -> str | None:
    """Return the relative path of the configuration that applied to ``root`` so far, if any.

    Raises:
        UsageError: ``root`` lies in the folder of its documents.
    """
    settings = config.load(None, start=root, environ=environ)
    above = os.path.relpath(settings.path, root) if settings.path else None
    if above and settings.root / settings.directory in (root, *root.parents):
        message = f"{settings.directory} is the folder for the documents of {above}"
        raise UsageError(message, hint=f"edit {above}")
    return above


def _describe_precedence(named: str | None, above: str | None) -> str | None:
    """Return a note on another configuration that the new one competes with, if any."""
    if named:
        effect = "which counts instead until you unset the variable."
        return f"{config.FILE_VARIABLE} names {named}, {effect}"
    if above:
        return f"Here, and in the folders below, it counts instead of {above} from now on."
    return None


def _find_directory(root: Path, environ: Mapping[str, str]) -> str:
    """Return the documents' folder in the configuration of ``root``, relative to ``root``."""
    settings = config.load(None, start=root, environ=environ)
    return (settings.root / settings.directory).relative_to(root).as_posix()


def _write_files(files: Mapping[Path, str], top: Path, root: Path, directory: str) -> list[str]:
    """Write all files and the line, or nothing; return the written paths, relative to ``root``."""
    changed = list(files)
    attributes = root / ".gitattributes"
    with contextlib.ExitStack() as undo:
        for file, text in files.items():
            _create(top, file, text, undo, root)
        if _append(attributes, directory):
            changed.append(attributes)
        # Everything was written, so nothing is undone.
        undo.pop_all()
    return [os.path.relpath(file, root) for file in changed]


def _join_names(names: Sequence[str]) -> str:
    words = ["a line of .gitattributes" if name == ".gitattributes" else name for name in names]
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _choose_ci_files(ci: str, top: Path) -> dict[Path, str]:
    """Return path → template of the files for a code host."""
    files = {top / name: template for name, template in CI[ci].items()}
    jobs = top / _GITLAB
    # `_create` refuses a file that can't be read, or that has our jobs already.
    with contextlib.suppress(OSError):
        if jobs in files and not _JOB.search(jobs.read_text(encoding="utf-8", errors="replace")):
            return {top / _INCLUDED: files[jobs]}
    return files


def _find_top(root: Path) -> Path:
    """Return the repository's root, where CI reads its files; ``root`` outside of a repository."""
    top = find_repository_root(root) or root
    if os.path.lexists(root / config.FILE_NAME):
        return top
    if top != root:
        remedy = "for a configuration here, run `pinsync init` first, then again with --ci"
        hint = f"run the command there; {remedy}"
        raise UsageError(f"CI reads its files from the repository's root alone, {top}", hint=hint)
    if below := sorted(root.glob(f"*/{config.FILE_NAME}")):
        folder = below[0].parent.name
        message = f"{folder} has a {config.FILE_NAME}, which the files for CI wouldn't use"
        remedy = "for one more here, run `pinsync init` first, then again with --ci"
        hint = f"run the command in {folder}; {remedy}"
        raise UsageError(message, hint=hint)
    return root


def _build_configuration(
    root: Path, tracker_id: str | None, host: str | None, environ: Mapping[str, str]
) -> str:
    """Return the text of ``pinsync.yaml`` after checking it."""
    if host is not None and tracker_id is None:
        message = "a host belongs to a tracker, and none is named"
        raise UsageError(message, hint="add --tracker-id, or set PINSYNC_HOST")
    text = _render_configuration(tracker_id, host)
    try:
        config.parse(text.encode(), config.FILE_NAME, root=root, environ=environ)
    except ConfigError as error:
        # An error of an environment variable names the variable already.
        if error.source != config.FILE_NAME:
            raise
        raise UsageError(error.reason, hint=error.hint) from error
    return text


def _render_configuration(tracker_id: str | None, host: str | None) -> str:
    if tracker_id is None:
        return f"{_HEADER}{_NO_TRACKER}{_FOOTER}"
    hosts = _VENDORS_HOSTS if host is None else f"    hosts: [{json.dumps(host)}]\n"
    section = _TRACKER.format(tracker_id=json.dumps(tracker_id), hosts=hosts)
    return f"{_HEADER}{section}{_FOOTER}"


def _create(top: Path, file: Path, text: str, undo: contextlib.ExitStack, root: Path) -> None:
    """Write a new file below ``top``, and register its removal with ``undo``."""
    try:
        for folder in reversed(file.relative_to(top).parents[:-1]):
            _make_folder(top / folder, undo)
        # Mode "x" never overwrites a file, and never follows a link, not even a dangling one.
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
        raise _build_write_error(file, error) from error


def _make_folder(folder: Path, undo: contextlib.ExitStack) -> None:
    if folder.is_symlink():
        reason = "is a symbolic link, which git doesn't follow"
        raise FileError(reason, source=str(folder), hint="make it a folder")
    if folder.is_dir():
        return
    if folder.exists():
        raise FileError("is not a folder", source=str(folder), hint="move it away")
    folder.mkdir()
    undo.callback(folder.rmdir)


def _append(file: Path, directory: str) -> bool:
    """Add the line for a directory, unless the file has it; return whether it was added."""
    # "?" replaces characters that would end the pattern or have a meaning in it. Quoting them would
    # need quotes and backslashes, which have further meanings.
    line = re.sub(r"[][!# ]", "?", directory).encode() + _END_OF_LINES.encode()
    try:
        if file.is_symlink():
            reason = "is a symbolic link, which git doesn't follow"
            raise FileError(reason, source=str(file), hint="make it a file")
        before = file.read_bytes() if file.exists() else b""
        if line in [old_line.strip() for old_line in before.splitlines()]:
            return False
        gap = b"" if not before or before.endswith(b"\n") else b"\n"
        with file.open("ab") as stream:
            stream.write(gap + line + b"\n")
    except OSError as error:
        raise _build_write_error(file, error) from error
    return True


def _build_write_error(file: Path, error: OSError) -> FileError:
    reason = f"can't be written: {error.strerror}"
    return FileError(reason, source=str(file), hint="check the folder's permissions")
