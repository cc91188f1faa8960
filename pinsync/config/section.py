"""A mapping of the configuration file, read with the checks and the errors that every setting needs."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pinsync.errors import ConfigError, FileError, name_kind, spell_path, suggest
from pinsync.escape import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MAX_FILE_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Section:
    """One mapping of the file, with the places of everything in the file so that an error can name its line."""

    source: str
    marks: Mapping[tuple[str | int, ...], tuple[int, int]]
    path: tuple[str | int, ...]
    values: Mapping[str, object]

    def error(self, key: str, message: str, *, index: int | None = None, hint: str | None = None) -> ConfigError:
        """Return the error of one setting, or of one item of its list; the value is never shown."""
        from pinsync import yamlio  # noqa: PLC0415 - as below

        path = (*self.path, key) if index is None else (*self.path, key, index)
        # A setting that isn't written is placed at the section it is missing from.
        line, column = yamlio.nearest(self.marks, path) or (None, None)
        return ConfigError(
            printable(f"{spell_path(path)} {message}"), source=self.source, line=line, column=column, hint=hint
        )

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Raise for a key that is no setting, with the nearest one that is."""
        for key in self.values:
            if key == "private_key":
                hint = "replace this key by a new one, kept in an environment variable that private_key_env names"
                raise self.error(key, "must not stand in a file that others read", hint=hint)
            if key not in known:
                raise self.error(key, "is no setting", hint=suggest(key, known))

    def section(self, key: str) -> Section:
        """Return the section below; one whose entries are all commented out is empty."""
        value = self.values.get(key)
        if not isinstance(value, dict | None):
            raise self.error(key, f"must be a mapping, not {name_kind(value)}")
        return replace(self, path=(*self.path, key), values=value or {})

    def text(self, key: str, default: str) -> str:
        """Return a string."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise self.error(key, f"must be a string, not {name_kind(value)}", hint="put the value in quotes")
        return value

    def texts(self, key: str) -> list[str]:
        """Return a list of strings, empty if there is none."""
        value = self.values.get(key)
        if not isinstance(value, list | None):
            raise self.error(key, f"must be a list of strings, not {name_kind(value)}", hint=f"write {key}: [one, two]")
        for index, item in enumerate(value or ()):
            if not isinstance(item, str):
                raise self.error(key, f"must be a string, not {name_kind(item)}", index=index, hint="put it in quotes")
        return value or []

    def flag(self, key: str) -> bool:
        """Return a boolean, false if it isn't written."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self.error(key, f"must be true or false, not {name_kind(value)}")
        return value

    def number(self, key: str, default: int, *, lowest: int, highest: int) -> int:
        """Return an integer within a range."""
        value = self.values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise self.error(key, f"must be a whole number from {lowest} to {highest}")
        return value


def parsed(text: bytes, source: str) -> Section:
    """Return the top of a configuration file.

    Raises:
        ConfigError: the text isn't YAML, or no mapping.
    """
    from pinsync import yamlio  # noqa: PLC0415 - ruamel costs 25 ms, and the environment alone needs none

    try:
        loaded = yamlio.load(text.removeprefix(codecs.BOM_UTF8), source, max_bytes=MAX_FILE_BYTES)
    except FileError as error:
        place = error.line, error.column
        raise ConfigError(error.reason, source=source, line=place[0], column=place[1], hint=error.hint) from error
    if not isinstance(loaded.data, dict | None):
        message = f"must hold settings (key: value), not {name_kind(loaded.data)}"
        hint = "write each setting on a line of its own, such as timezone: Europe/Bratislava"
        raise ConfigError(message, source=source, line=1, column=1, hint=hint)
    return Section(source, loaded.marks, (), loaded.data or {})
