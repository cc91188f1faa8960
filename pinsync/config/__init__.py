"""Settings from ``pinsync.yaml`` and the environment.

The file comes from a repository, and in a pull request from a stranger. So the file may name an
environment variable, but never hold a key or name a command to run. The hosts of requests and the
folder of files must be on a list (`places`), which only the environment widens.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from pinsync import environment
from pinsync.canonical.fields import IDENTITY
from pinsync.config import places
from pinsync.config.key import describe_refused_key, find_key_source, read_private_key
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
from pinsync.config.section import MAX_FILE_BYTES, Section, parse_section
from pinsync.environment import DEFAULT_KEY_VARIABLE
from pinsync.errors import ConfigError, suggest
from pinsync.layout import find_repository_root
from pinsync.model import Managed

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
    "find_key_source",
    "is_configuration",
    "load",
    "parse",
    "read_private_key",
    "select_trackers",
    "set_root",
]

_FORMAT: Final = 1
_SETTINGS: Final = frozenset(
    {
        "format",
        "directory",
        "main_branch",
        "timezone",
        "trackers",
        "ignore",
        "pictures",
        "safety",
    }
)
_TOP: Final = PurePosixPath()
_DEFAULT_TIMEOUT: Final = 30.0
_MAX_TIMEOUT: Final = 3600.0
_TRACKER_NAME: Final = re.compile(r"[a-z0-9_-]{1,100}")
TRACKER_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_TRACKER_ID_CHARACTERS: Final = "letters, digits, - and _, such as 1234-5678"
# Upper case only: a key written here by mistake is no name, and so never shown in a message.
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
_KEY_VARIABLE: Final = re.compile(rb"""private_key_env["']?\s*:\s*["']?([A-Z_][A-Z0-9_]{0,99})""")
_BRANCH: Final = re.compile(r"(?!refs/)[^\s\x00-\x1f\x7f:~^?*\[\\]{1,200}")
_NEVER_IGNORED: Final = IDENTITY | {"pin_definitions"}

_NEAR_NAMES: Final = frozenset({"pinsync.yaml", "pinsync.yml", "pinsync.json"})
"""Names in lower case that people may take for the configuration's."""


def find(start: Path) -> Path | None:
    """Return the nearest ``pinsync.yaml`` from ``start`` up to the repository's root, or ``None``.

    Raises:
        ConfigError: a file on the way has a similar name, such as ``pinsync.yml``.
    """
    start = start.resolve()
    # Outside a repository only `start` is searched: a file that others put into a shared parent
    # folder must not steer a command. git refuses a repository of another owner likewise.
    root = find_repository_root(start) or start
    for folder in (start, *start.parents):
        if os.path.lexists(folder / FILE_NAME):
            return folder / FILE_NAME
        _refuse_near_names(folder)
        if folder == root:
            break
    return None


def _refuse_near_names(folder: Path) -> None:
    """Refuse a folder with a file such as ``pinsync.yml``, whose settings nobody would read."""
    # A folder that can't be listed may still lie on the way to the configuration.
    with contextlib.suppress(OSError):
        for name in sorted(file.name for file in folder.iterdir()):
            if is_configuration(name):
                raise _build_name_error(str(folder / name))


def _build_name_error(source: str) -> ConfigError:
    hint = f"rename it to {FILE_NAME}, or name it with --config"
    return ConfigError(
        f"isn't read: a configuration's name is {FILE_NAME}", source=source, hint=hint
    )


def is_configuration(name: str) -> bool:
    """Return whether a file has the name of a configuration, or nearly."""
    return name.lower() in _NEAR_NAMES


def check(file: str, environ: Mapping[str, str]) -> None:
    """Check a configuration by reading it, whether a command would find it or not.

    Args:
        file: the path of the file. `is_configuration` accepts its name.
        environ: the environment variables.

    Raises:
        ConfigError: the file can't be read, a setting is refused, or no command would read the file
            by its name.
    """
    if Path(file).name != FILE_NAME:
        raise _build_name_error(file)
    load(Path(file), start=Path.cwd(), environ=environ)


def load(path: Path | None, *, start: Path, environ: Mapping[str, str]) -> Settings:
    """Return the settings of a file and the environment.

    The repository is that of the file or, if the file lies in none, that of ``start``.
    ``directory`` is relative to the folder of the file or, for a file outside the repository, to
    its root.

    Args:
        path: the file that the command line names. With ``None``, ``PINSYNC_CONFIG`` names the
            file, else `find` looks for it; without a file, the environment is enough.
        start: the current folder.
        environ: the environment variables.

    Raises:
        ConfigError: the file can't be read, or a setting is refused.
    """
    start = start.resolve()
    remedy = "name another by --config"
    if path is None and (value := environ.get(FILE_VARIABLE)):
        path = Path(value)
        remedy = f"{FILE_VARIABLE} names it: correct the variable, or unset it"
    elif not os.path.lexists(start / FILE_NAME):
        remedy = f"write one with `pinsync init`, or {remedy}"
    file = find(start) if path is None else start / path
    if file is None:
        root = find_repository_root(start) or start
        return _build_settings(Section(FILE_NAME, {}, (), {}), root, _TOP, environ)
    source = path or file
    if path is None and file.is_relative_to(start):
        source = file.relative_to(start)
    top = _parse_file(_read_file(file, str(source), remedy), str(source))
    folder = file.parent.resolve()
    root = find_repository_root(folder) or find_repository_root(start) or folder
    base = _TOP
    if folder.is_relative_to(root):
        base = PurePosixPath(folder.relative_to(root).as_posix())
    settings = replace(_build_settings(top, root, base, environ), path=file)
    _refuse_symlinks(top, settings)
    return settings


def parse(
    text: bytes, source: str, *, root: Path, environ: Mapping[str, str], base: PurePosixPath = _TOP
) -> Settings:
    """Return the settings of a configuration's text and the environment.

    Args:
        text: the bytes of the file, for example as committed in a revision.
        source: the name of the file in errors, for example ``HEAD:pinsync.yaml``.
        root: the repository's root.
        environ: the environment variables.
        base: the folder of the file, relative to ``root``.

    Raises:
        ConfigError: the text isn't YAML, or a setting is refused.
    """
    return _build_settings(_parse_file(text, source), root, base, environ)


def set_root(settings: Settings, root: Path, inside: PurePosixPath) -> Settings:
    """Return the settings with another root: git's, which ``GIT_WORK_TREE`` may move.

    Args:
        settings: the settings from the file and the environment.
        root: the top folder of git's working tree.
        inside: the old root, relative to the new one.

    Raises:
        ConfigError: ``directory`` is refused, now that all folders above it are known.
    """
    try:
        return replace(
            settings, root=root, directory=places.check_folder(inside / settings.directory)
        )
    except ValueError as error:
        source = str(settings.path or FILE_NAME)
        raise ConfigError(
            f"directory {error}", source=source, hint="move the file out of there"
        ) from error


def _read_file(file: Path, source: str, remedy: str) -> bytes:
    try:
        if not file.is_file():
            # lexists() and not exists(), for a symbolic link that leads nowhere.
            state = "is not a regular file" if os.path.lexists(file) else "doesn't exist"
            raise ConfigError(state, source=source, hint=remedy)
        with file.open("rb") as stream:
            return stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"can't be read: {error.strerror}", source=source) from error


def _parse_file(text: bytes, source: str) -> Section:
    # Before the parser: a refused text names variables of keys too, and the command may go on,
    # for example with another revision.
    for name in _KEY_VARIABLE.findall(text):
        environment.keep_from_children(name.decode())
    return parse_section(text, source)


def _refuse_symlinks(top: Section, settings: Settings) -> None:
    folder = settings.root
    for part in settings.directory.parts:
        folder /= part
        if folder.is_symlink():
            link = folder.relative_to(settings.root)
            message = f"must not lead through the symbolic link {link}"
            hint = "name the real folder; it must lie inside the repository"
            raise top.build_error("directory", message, hint=hint)


def _build_settings(
    top: Section, root: Path, base: PurePosixPath, environ: Mapping[str, str]
) -> Settings:
    # Before the unknown keys: a newer format has some, and needs a newer pinsync.
    _check_format(top)
    if "manages" in top.values:
        hint = "write it in the section of a tracker, beside its tracker_id"
        raise top.build_error("manages", "is a setting of a tracker, not of the file", hint=hint)
    top.refuse_unknown(_SETTINGS)
    return Settings(
        path=None,
        root=root,
        directory=_read_directory(top, base),
        timezone=_read_timezone(top),
        trackers=_read_trackers(top, environ),
        ignore=_read_ignore(top),
        pictures=_read_pictures(top),
        safety=_read_safety(top.read_section("safety")),
        timeout=_read_timeout(environ),
        main_branch=_read_main_branch(top),
    )


def _check_format(top: Section) -> None:
    value = top.values.get("format", _FORMAT)
    # type(), since to Python True is an int, and equal to 1.
    if type(value) is int and value > _FORMAT:
        message = f"is {value}: made by a newer pinsync"
        raise top.build_error("format", message, hint="upgrade pinsync to read it")
    if type(value) is not int or value != _FORMAT:
        raise top.build_error("format", f"must be {_FORMAT}", hint=f"write format: {_FORMAT}")


def _read_directory(top: Section, base: PurePosixPath) -> PurePosixPath:
    try:
        return places.check_directory(top.read_text("directory", "customizations"), base)
    except ValueError as error:
        raise top.build_error(
            "directory", str(error), hint="write directory: customizations"
        ) from error


def _read_main_branch(top: Section) -> str | None:
    if "main_branch" not in top.values:
        return None
    name = top.read_text("main_branch", "")
    if not _BRANCH.fullmatch(name):
        hint = "write main_branch: main, without origin/ or refs/heads/"
        raise top.build_error("main_branch", "must be the name of a branch", hint=hint)
    return name


def _read_timezone(top: Section) -> str:
    name = top.read_text("timezone", "UTC")
    if name == "UTC":
        # Known even on a system without a database of time zones.
        return name
    # Imported for another timezone only, since it takes 2 ms.
    import zoneinfo  # noqa: PLC0415

    try:
        return zoneinfo.ZoneInfo(name).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        # Only Region/City: CEST would lead to CET, which is no place and has no summer time.
        zones = [
            zone
            for zone in zoneinfo.available_timezones()
            if "/" in zone and not zone.startswith("Etc/")
        ]
        otherwise = "write an IANA name: UTC, or Region/City such as Europe/Bratislava"
        hint = suggest(name, zones, otherwise=otherwise)
        raise top.build_error(
            "timezone", "is not a timezone that this system knows", hint=hint
        ) from error


def _read_ignore(top: Section) -> tuple[tuple[str, ...], ...]:
    texts = top.read_texts("ignore")
    return tuple(_read_field_path(top, index, text) for index, text in enumerate(texts))


def _read_field_path(top: Section, index: int, text: str) -> tuple[str, ...]:
    path = tuple(text.split("."))
    if not all(path) or "*" in text:
        hint = "write it as in target_metadata.image"
        message = "must be names of fields joined by dots, without wildcards"
        raise top.build_error("ignore", message, index=index, hint=hint)
    if path[0] in _NEVER_IGNORED:
        message = f"must not leave out {path[0]}: id, model, target and pins are always compared"
        raise top.build_error("ignore", message, index=index, hint="remove it from the list")
    return path


def _read_pictures(top: Section) -> tuple[str, ...]:
    hosts: dict[str, None] = {}
    for index, text in enumerate(top.read_texts("pictures")):
        host = places.read_picture_host(text)
        if host is None:
            message = "must be the name of a host, without scheme, port, path or wildcard"
            hint = "write it as in pictures: [cdn.shop.example]"
            raise top.build_error("pictures", message, index=index, hint=hint)
        if host in hosts:
            message = "stands there already"
            raise top.build_error("pictures", message, index=index, hint="remove one of the two")
        hosts[host] = None
    return tuple(hosts)


def _read_safety(section: Section) -> Safety:
    default = Safety()
    section.refuse_unknown(set(Safety.__struct_fields__))
    return Safety(
        max_removed_percent=section.read_number(
            "max_removed_percent", default.max_removed_percent, lowest=0, highest=100
        ),
        min_existing=section.read_number(
            "min_existing", default.min_existing, lowest=0, highest=1_000_000
        ),
        max_answer_mb=section.read_number(
            "max_answer_mb", default.max_answer_mb, lowest=1, highest=10_000
        ),
    )


def _read_timeout(environ: Mapping[str, str]) -> float:
    text = _read_variable(environ, "PINSYNC_TIMEOUT")
    try:
        seconds = float(text) if text else _DEFAULT_TIMEOUT
    except ValueError:
        # Not a number is within no range.
        seconds = math.nan
    if not 0 < seconds <= _MAX_TIMEOUT:
        message = f"must be a number of seconds above 0, at most {_MAX_TIMEOUT:g}"
        hint = f"leave it out for {_DEFAULT_TIMEOUT:g} seconds"
        raise ConfigError(message, source="PINSYNC_TIMEOUT", hint=hint)
    return seconds


def _read_trackers(top: Section, environ: Mapping[str, str]) -> tuple[Tracker, ...]:
    allowed = _read_allowed_hosts(environ)
    section = top.read_section("trackers")
    trackers = tuple(_read_tracker(section, name, allowed) for name in section.values)
    _refuse_twins(section, trackers)
    tracker_id = _read_variable(environ, "PINSYNC_TRACKER_ID")
    if tracker_id and not trackers:
        if not TRACKER_ID.fullmatch(tracker_id):
            raise ConfigError(
                f"must consist of {_TRACKER_ID_CHARACTERS}",
                source="PINSYNC_TRACKER_ID",
                hint="copy the tracker id from the vendor's administration",
            )
        trackers = (Tracker("default", tracker_id),)
    if host := _read_variable(environ, "PINSYNC_HOST"):
        try:
            # None: the user's own environment needs no permission.
            hosts = (places.check_origin(host, None),)
        except places.HostError as error:
            raise ConfigError(str(error), source="PINSYNC_HOST", hint=error.hint) from error
        trackers = tuple(replace(tracker, hosts=hosts) for tracker in trackers)
    return trackers


def _refuse_twins(section: Section, trackers: tuple[Tracker, ...]) -> None:
    """Refuse two trackers that share id and host, whose documents would hold the same rules."""
    for index, tracker in enumerate(trackers):
        for other in trackers[:index]:
            if tracker.tracker_id == other.tracker_id and set(tracker.hosts) & set(other.hosts):
                message = f"has the tracker_id and a host of {other.name}"
                raise section.build_error(tracker.name, message, hint="remove one")


def _read_tracker(trackers: Section, name: str, allowed: Collection[str]) -> Tracker:
    if not _TRACKER_NAME.fullmatch(name) or places.is_device(name):
        message = "is no tracker name, which becomes a folder: it must consist of a-z, 0-9, - and _"
        raise trackers.build_error(name, message, hint="choose a name such as shop-sk")
    section = trackers.read_section(name)
    section.refuse_unknown(set(Tracker.__struct_fields__) - {"name"})
    if "tracker_id" not in section.values:
        hint = 'write tracker_id: "1234-5678", with your tracker\'s id'
        raise section.build_error("tracker_id", "is missing", hint=hint)
    tracker_id = section.read_text("tracker_id", "")
    if not TRACKER_ID.fullmatch(tracker_id):
        raise section.build_error("tracker_id", f"must consist of {_TRACKER_ID_CHARACTERS}")
    variable = section.read_text("private_key_env", DEFAULT_KEY_VARIABLE)
    if not _VARIABLE.fullmatch(variable):
        hint = "the key itself must not stand here: replace it by a new one if it does"
        message = "must be the name of an environment variable, in capitals"
        raise section.build_error("private_key_env", message, hint=hint)
    if environment.is_reserved(variable):
        hint = "choose a name for the key alone, such as LUIGISBOX_KEY"
        message = f"must not be {variable}, which has another meaning"
        raise section.build_error("private_key_env", message, hint=hint)
    environment.keep_from_children(variable)
    return Tracker(
        name=name,
        tracker_id=tracker_id,
        private_key_env=variable,
        hosts=_read_hosts(section, allowed),
        remove_expired_pins=section.read_flag("remove_expired_pins"),
        remove_nonexisting_item_pins=section.read_flag("remove_nonexisting_item_pins"),
        manages=_read_manages(section.read_section("manages")),
    )


def _read_manages(section: Section) -> Managed:
    section.refuse_unknown(set(Managed.__struct_fields__))
    return Managed(_read_condition(section, "tags"), _read_condition(section, "models"))


def _read_condition(section: Section, key: str) -> tuple[str, ...] | None:
    """Return the texts of a condition; None if it is left out."""
    if key not in section.values:
        return None
    texts = section.read_texts(key)
    if not texts:
        hint = f"name one at least, or leave {key} out for rules with any"
        raise section.build_error(key, "must not be empty", hint=hint)
    return tuple(texts)


def _read_hosts(section: Section, allowed: Collection[str]) -> tuple[str, ...]:
    if "hosts" not in section.values:
        return DEFAULT_HOSTS
    hosts: dict[str, None] = {}
    for index, text in enumerate(section.read_texts("hosts")):
        try:
            host = places.check_origin(text, allowed)
        except places.HostError as error:
            raise section.build_error("hosts", str(error), index=index, hint=error.hint) from error
        if host in hosts:
            message = "stands there already"
            raise section.build_error("hosts", message, index=index, hint="remove one of the two")
        hosts[host] = None
    if not hosts:
        raise section.build_error(
            "hosts", "must not be empty", hint="leave it out for the vendor's hosts"
        )
    return tuple(hosts)


def _read_allowed_hosts(environ: Mapping[str, str]) -> frozenset[str]:
    hosts = set()
    for word in environ.get("PINSYNC_ALLOW_HOST", "").split(","):
        if not word.strip():
            continue
        host = places.read_host_name(word.strip())
        if host is None:
            message = "must be host names joined by commas, without scheme, port or path"
            hint = "write it as in proxy.example.com,10.0.0.5,[::1]"
            raise ConfigError(message, source="PINSYNC_ALLOW_HOST", hint=hint)
        hosts.add(host)
    return frozenset(hosts)


def _read_variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip()
