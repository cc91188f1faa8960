"""Settings from ``pinsync.yaml`` and the environment.

The file comes from a repository, and in a pull request from a stranger. So it may name an environment variable, but
never hold a key or name a command to run; where it may send requests and write files is held to a list (`places`), and
only the environment widens that list.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import zoneinfo
from dataclasses import fields, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from pinsync import environment
from pinsync.canonical.fields import IDENTITY
from pinsync.config import places
from pinsync.config.key import describe_refused_key, key_source, private_key
from pinsync.config.records import (
    DEFAULT_HOSTS,
    FILE_NAME,
    FILE_VARIABLE,
    Safety,
    Settings,
    Tracker,
    check_trackers,
    select_trackers,
)
from pinsync.config.section import MAX_FILE_BYTES, Section, parsed
from pinsync.environment import DEFAULT_KEY_VARIABLE
from pinsync.errors import ConfigError, suggest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = [
    "DEFAULT_KEY_VARIABLE",
    "FILE_NAME",
    "FILE_VARIABLE",
    "TRACKER_ID",
    "Safety",
    "Settings",
    "Tracker",
    "check",
    "check_trackers",
    "describe_refused_key",
    "find",
    "is_configuration",
    "key_source",
    "load",
    "parse",
    "private_key",
    "repository_root",
    "rooted",
    "select_trackers",
]

_FORMAT: Final = 1
_TOP: Final = PurePosixPath()
_DEFAULT_TIMEOUT: Final = 30.0
_MAX_TIMEOUT: Final = 3600.0
_TRACKER_NAME: Final = re.compile(r"[a-z0-9_-]{1,100}")
TRACKER_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
# Upper case only, so that a key written here by mistake isn't taken for a name and shown in a message.
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
_KEY_VARIABLE: Final = re.compile(rb"""private_key_env["']?\s*:\s*["']?([A-Z_][A-Z0-9_]{0,99})""")
_NEVER_IGNORED: Final = IDENTITY | {"pin_definitions"}

_NEAR_NAMES: Final = frozenset({"pinsync.yaml", "pinsync.yml", "pinsync.json"})
"""In lower case."""


def find(start: Path) -> Path | None:
    """Return the nearest ``pinsync.yaml`` from ``start`` up to the repository's root, or ``None``.

    Outside a repository only ``start`` itself is looked at: what others put into a shared parent folder must not steer
    a command (git refuses a repository of another owner for the same reason).

    Raises:
        ConfigError: a file on the way has nearly that name, such as ``pinsync.yml``.
    """
    start = start.resolve()
    root = repository_root(start) or start
    for folder in (start, *start.parents):
        if os.path.lexists(folder / FILE_NAME):
            return folder / FILE_NAME
        _check_names(folder)
        if folder == root:
            break
    return None


def _check_names(folder: Path) -> None:
    """Refuse a folder with a file that nearly has the configuration's name: nobody would read its settings."""
    with contextlib.suppress(OSError):  # a folder that can't be listed may still lie above a configuration
        for name in sorted(place.name for place in folder.iterdir()):
            if is_configuration(name):
                raise _unread(str(folder / name))


def _unread(source: str) -> ConfigError:
    hint = f"rename it to {FILE_NAME}, or name it with --config"
    return ConfigError(f"isn't read: a configuration's name is {FILE_NAME}", source=source, hint=hint)


def is_configuration(name: str) -> bool:
    """Return whether a file has the name of a configuration, or nearly."""
    return name.lower() in _NEAR_NAMES


def check(file: str, environ: Mapping[str, str]) -> None:
    """Check a configuration by reading it, whether a command would find it or not.

    Args:
        file: its path, of which `is_configuration` is true.
        environ: the environment variables.

    Raises:
        ConfigError: it can't be read, a setting is refused, or no command would read it by its name.
    """
    if Path(file).name != FILE_NAME:
        raise _unread(file)
    load(Path(file), start=Path.cwd(), environ=environ)


def repository_root(start: Path) -> Path | None:
    """Return the first folder from ``start`` upwards that is a repository's, or ``None``.

    Such a folder holds ``.git``: a file in a linked worktree, else a folder with ``HEAD`` in it. Without that it is
    nothing to git either, which looks on above it (gitrepository-layout(5)).
    """
    start = start.resolve()
    return next((folder for folder in (start, *start.parents) if _is_repository(folder / ".git")), None)


def _is_repository(place: Path) -> bool:
    return os.path.isfile(place) or os.path.lexists(place / "HEAD")  # noqa: PTH113 - where is_file() can raise


def load(path: Path | None, *, start: Path, environ: Mapping[str, str]) -> Settings:
    """Return the settings of a file and the environment.

    The repository is the one that the file lies in; for a file outside of any, the one of ``start``. ``directory`` is
    relative to the file's folder, or to the repository's root for a file outside of it.

    Args:
        path: the file that the command line names; ``None`` for the one that ``PINSYNC_CONFIG`` names, else to look
            for one; without any, the environment is enough.
        start: the current folder.
        environ: the environment variables.

    Raises:
        ConfigError: the file can't be read, or a setting is refused.
    """
    start = start.resolve()
    has_one = os.path.lexists(start / FILE_NAME)
    remedy = "name another by --config" if has_one else "write one with `pinsync init`, or name another by --config"
    if path is None and (value := environ.get(FILE_VARIABLE)):
        path, remedy = Path(value), f"{FILE_VARIABLE} names it: correct the variable, or unset it"
    found = find(start) if path is None else start / path
    if found is None:
        return _settings(Section(FILE_NAME, {}, (), {}), repository_root(start) or start, _TOP, environ)
    source = str(path or (found.relative_to(start) if found.is_relative_to(start) else found))
    top = _parse(_read(found, source, remedy), source)
    folder = found.parent.resolve()
    root = repository_root(folder) or repository_root(start) or folder
    base = PurePosixPath(folder.relative_to(root).as_posix()) if folder.is_relative_to(root) else _TOP
    settings = replace(_settings(top, root, base, environ), path=found)
    _refuse_symlinks(top, settings)
    return settings


def parse(text: bytes, source: str, *, root: Path, environ: Mapping[str, str], base: PurePosixPath = _TOP) -> Settings:
    """Return the settings of a configuration's text, such as the one committed in a revision, and the environment.

    Args:
        text: the file's bytes.
        source: how errors name it, e.g. ``HEAD:pinsync.yaml``.
        root: the repository's root.
        environ: the environment variables.
        base: the folder of the file, relative to ``root``.

    Raises:
        ConfigError: the text isn't YAML, or a setting is refused.
    """
    return _settings(_parse(text, source), root, base, environ)


def rooted(settings: Settings, root: Path, inside: PurePosixPath) -> Settings:
    """Return settings whose root is git's, which is another than `repository_root` where ``GIT_WORK_TREE`` names it.

    Args:
        settings: as the file and the environment say.
        root: the top folder of the working tree.
        inside: where the root of ``settings`` lies in it.

    Raises:
        ConfigError: ``directory`` is refused, now that all folders above it are known.
    """
    try:
        return replace(settings, root=root, directory=places.within(inside / settings.directory))
    except ValueError as error:
        source = str(settings.path or FILE_NAME)
        raise ConfigError(f"directory {error}", source=source, hint="move the file out of there") from error


def _read(file: Path, source: str, remedy: str) -> bytes:
    try:
        if not file.is_file():
            state = "is not a regular file" if os.path.lexists(file) else "doesn't exist"
            raise ConfigError(state, source=source, hint=remedy)
        with file.open("rb") as stream:
            return stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"can't be read: {error.strerror}", source=source) from error


def _parse(text: bytes, source: str) -> Section:
    # First of all, since a text that is refused may name variables with keys as well, and the
    # command can go on: with another revision, say.
    for name in _KEY_VARIABLE.findall(text):
        environment.keep_from_children(name.decode())
    return parsed(text, source)


def _refuse_symlinks(top: Section, settings: Settings) -> None:
    folder = settings.root
    for part in settings.directory.parts:
        folder /= part
        if folder.is_symlink():
            message = f"must not lead through the symbolic link {folder.relative_to(settings.root)}"
            raise top.error("directory", message, hint="name the real folder; it must lie inside the repository")


def _settings(top: Section, root: Path, base: PurePosixPath, environ: Mapping[str, str]) -> Settings:
    _check_format(top)
    top.refuse_unknown({"format", "directory", "timezone", "trackers", "ignore", "safety"})
    return Settings(
        path=None,
        root=root,
        directory=_directory(top, base),
        timezone=_timezone(top),
        trackers=_trackers(top, environ),
        ignore=tuple(_field_path(top, index, text) for index, text in enumerate(top.texts("ignore"))),
        safety=_safety(top.section("safety")),
        timeout=_timeout(environ),
    )


def _check_format(top: Section) -> None:
    written = top.values.get("format", _FORMAT)
    if type(written) is int and written > _FORMAT:
        raise top.error("format", f"is {written}: made by a newer pinsync", hint="upgrade pinsync to read it")
    if type(written) is not int or written != _FORMAT:
        raise top.error("format", f"must be {_FORMAT}", hint=f"write format: {_FORMAT}")


def _directory(top: Section, base: PurePosixPath) -> PurePosixPath:
    try:
        return places.directory(top.text("directory", "customizations"), base)
    except ValueError as error:
        raise top.error("directory", str(error), hint="write directory: customizations") from error


def _timezone(top: Section) -> str:
    name = top.text("timezone", "UTC")
    try:
        return name if name == "UTC" else zoneinfo.ZoneInfo(name).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        otherwise = "write an IANA name: UTC, or Region/City such as Europe/Bratislava"
        # An abbreviation such as CEST is near to CET, a zone whose name tells no place and no summer time.
        zones = (zone for zone in zoneinfo.available_timezones() if "/" in zone and not zone.startswith("Etc/"))
        hint = suggest(name, zones, otherwise=otherwise)
        raise top.error("timezone", "is not a timezone that this system knows", hint=hint) from error


def _field_path(top: Section, index: int, text: str) -> tuple[str, ...]:
    path = tuple(text.split("."))
    if not all(path) or "*" in text:
        hint = "write it as in target_metadata.image"
        raise top.error("ignore", "must be names of fields joined by dots, without wildcards", index=index, hint=hint)
    if path[0] in _NEVER_IGNORED:
        message = f"must not leave out {path[0]}: what a rule is, its target and its pins are always compared"
        raise top.error("ignore", message, index=index, hint="remove it from the list")
    return path


def _safety(section: Section) -> Safety:
    default = Safety()
    section.refuse_unknown({field.name for field in fields(Safety)})
    return Safety(
        max_removed_percent=section.number("max_removed_percent", default.max_removed_percent, lowest=0, highest=100),
        min_existing=section.number("min_existing", default.min_existing, lowest=0, highest=1_000_000),
        max_answer_mb=section.number("max_answer_mb", default.max_answer_mb, lowest=1, highest=10_000),
    )


def _timeout(environ: Mapping[str, str]) -> float:
    text = _variable(environ, "PINSYNC_TIMEOUT")
    try:
        seconds = float(text) if text else _DEFAULT_TIMEOUT
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= _MAX_TIMEOUT:
        message = f"must be a number of seconds above 0, at most {_MAX_TIMEOUT:g}"
        raise ConfigError(message, source="PINSYNC_TIMEOUT", hint=f"leave it out for {_DEFAULT_TIMEOUT:g} seconds")
    return seconds


def _trackers(top: Section, environ: Mapping[str, str]) -> tuple[Tracker, ...]:
    allowed = _allowed_hosts(environ)
    section = top.section("trackers")
    trackers = tuple(_tracker(section, name, allowed) for name in section.values)
    owners: dict[tuple[str, str], int] = {}
    for index, tracker in enumerate(trackers):
        shops = [(tracker.tracker_id, host) for host in tracker.hosts]
        if taken := [owners[shop] for shop in shops if shop in owners]:
            other = trackers[min(taken)]
            raise section.error(tracker.name, f"has the tracker_id and a host of {other.name}", hint="remove one")
        owners.update(dict.fromkeys(shops, index))
    if not trackers and (tracker_id := _variable(environ, "PINSYNC_TRACKER_ID")):
        if not TRACKER_ID.fullmatch(tracker_id):
            message = "must consist of letters, digits, - and _, such as 1234-5678"
            raise ConfigError(
                message, source="PINSYNC_TRACKER_ID", hint="copy the tracker id from the vendor's administration"
            )
        trackers = (Tracker("default", tracker_id),)
    if host := _variable(environ, "PINSYNC_HOST"):
        try:
            hosts = (places.origin(host, None),)  # the user's own word needs no permission
        except places.HostError as error:
            raise ConfigError(str(error), source="PINSYNC_HOST", hint=error.hint) from error
        trackers = tuple(replace(tracker, hosts=hosts) for tracker in trackers)
    return trackers


def _tracker(trackers: Section, name: str, allowed: Collection[str]) -> Tracker:
    if not _TRACKER_NAME.fullmatch(name) or places.is_device(name):
        message = "is no name for a tracker, which becomes a folder: it must consist of a-z, 0-9, - and _"
        raise trackers.error(name, message, hint="choose a name such as shop-sk")
    section = trackers.section(name)
    section.refuse_unknown({field.name for field in fields(Tracker)} - {"name"})
    if "tracker_id" not in section.values:
        raise section.error("tracker_id", "is missing", hint='write tracker_id: "1234-5678", with your tracker\'s id')
    tracker_id = section.text("tracker_id", "")
    if not TRACKER_ID.fullmatch(tracker_id):
        raise section.error("tracker_id", "must consist of letters, digits, - and _, such as 1234-5678")
    variable = section.text("private_key_env", DEFAULT_KEY_VARIABLE)
    if not _VARIABLE.fullmatch(variable):
        hint = "the key itself must not stand here: replace it by a new one if it does"
        raise section.error("private_key_env", "must be the name of an environment variable, in capitals", hint=hint)
    if environment.is_reserved(variable):
        hint = "choose a name for the key alone, such as LUIGISBOX_KEY"
        raise section.error("private_key_env", f"must not be {variable}, which has another meaning", hint=hint)
    environment.keep_from_children(variable)
    return Tracker(
        name=name,
        tracker_id=tracker_id,
        private_key_env=variable,
        hosts=_hosts(section, allowed),
        remove_expired_pins=section.flag("remove_expired_pins"),
        remove_nonexisting_item_pins=section.flag("remove_nonexisting_item_pins"),
    )


def _hosts(section: Section, allowed: Collection[str]) -> tuple[str, ...]:
    if "hosts" not in section.values:
        return DEFAULT_HOSTS
    hosts: dict[str, None] = {}
    for index, text in enumerate(section.texts("hosts")):
        try:
            host = places.origin(text, allowed)
        except places.HostError as error:
            raise section.error("hosts", str(error), index=index, hint=error.hint) from error
        if host in hosts:
            raise section.error("hosts", "stands there already", index=index, hint="remove one of the two")
        hosts[host] = None
    if not hosts:
        raise section.error("hosts", "must not be empty", hint="leave it out for the vendor's hosts")
    return tuple(hosts)


def _allowed_hosts(environ: Mapping[str, str]) -> frozenset[str]:
    words = (word.strip() for word in environ.get("PINSYNC_ALLOW_HOST", "").split(","))
    allowed = {word: places.host_name(word) for word in words if word}
    if None in allowed.values():
        message = "must be host names joined by commas, without scheme, port or path"
        hint = "write it as in proxy.example.com,10.0.0.5,[::1]"
        raise ConfigError(message, source="PINSYNC_ALLOW_HOST", hint=hint)
    return frozenset(name for name in allowed.values() if name)


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip()
