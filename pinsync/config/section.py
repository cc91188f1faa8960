"""Read a mapping of the configuration file, with an error for each kind of mistake."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from pinsync.errors import ConfigError, FileError, name_kind, spell_path, suggest
from pinsync.escape import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MAX_FILE_BYTES: Final = 1_000_000


class Section(Struct, frozen=True):
    """A mapping of the configuration file.

    Attributes:
        source: the name of the file in errors.
        marks: line and column of each path in the whole file.
        path: the path of the mapping.
        values: the settings of the mapping.
    """

    source: str
    marks: Mapping[tuple[str | int, ...], tuple[int, int]]
    path: tuple[str | int, ...]
    values: Mapping[str, object]

    def build_error(
        self, key: str, message: str, *, index: int | None = None, hint: str | None = None
    ) -> ConfigError:
        """Return the error of a setting, or of an item of its list, without its value."""
        from pinsync import yamlio  # noqa: PLC0415 - see `parse_section`

        path = (*self.path, key) if index is None else (*self.path, key, index)
        # A missing setting has no place, so the error points at its section.
        line, column = yamlio.find_nearest_place(self.marks, path) or (None, None)
        # The message never holds the value, which may be a key in the wrong place.
        message = printable(f"{spell_path(path)} {message}")
        return ConfigError(message, source=self.source, line=line, column=column, hint=hint)

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Refuse an unknown key, with a suggestion."""
        for key in self.values:
            if key == "private_key":
                hint = "replace the key by a new one in the environment variable of private_key_env"
                raise self.build_error(key, "must not stand in a file that others read", hint=hint)
            if key not in known:
                raise self.build_error(key, "is no setting", hint=suggest(key, known))

    def read_section(self, key: str) -> Section:
        """Return a section; without entries, or with all of them commented out, it is empty."""
        value = self.values.get(key)
        if not isinstance(value, dict | None):
            raise self.build_error(key, f"must be a mapping, not {name_kind(value)}")
        return replace(self, path=(*self.path, key), values=value or {})

    def read_text(self, key: str, default: str) -> str:
        """Return a string."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise self.build_error(
                key, f"must be a string, not {name_kind(value)}", hint="put the value in quotes"
            )
        return value

    def read_texts(self, key: str) -> list[str]:
        """Return a list of strings, by default empty."""
        value = self.values.get(key)
        if not isinstance(value, list | None):
            message = f"must be a list of strings, not {name_kind(value)}"
            raise self.build_error(key, message, hint=f"write {key}: [one, two]")
        for index, item in enumerate(value or ()):
            if not isinstance(item, str):
                message = f"must be a string, not {name_kind(item)}"
                raise self.build_error(key, message, index=index, hint="put it in quotes")
        return value or []

    def read_flag(self, key: str) -> bool:
        """Return a boolean, by default false."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self.build_error(key, f"must be true or false, not {name_kind(value)}")
        return value

    def read_number(self, key: str, default: int, *, lowest: int, highest: int) -> int:
        """Return an integer within a range."""
        value = self.values.get(key, default)
        # type(), since to Python True is an int.
        if type(value) is not int or not lowest <= value <= highest:
            raise self.build_error(key, f"must be a whole number from {lowest} to {highest}")
        return value


def parse_section(text: bytes, source: str) -> Section:
    """Return the top section of a configuration file.

    Raises:
        ConfigError: the text isn't YAML, or holds no mapping.
    """
    # ruamel takes 25 ms to import; without a file nobody needs it.
    from pinsync import yamlio  # noqa: PLC0415

    try:
        loaded = yamlio.load(text.removeprefix(codecs.BOM_UTF8), source, max_bytes=MAX_FILE_BYTES)
    except FileError as error:
        raise ConfigError(
            error.reason, source=source, line=error.line, column=error.column, hint=error.hint
        ) from error
    if not isinstance(loaded.data, dict | None):
        message = f"must hold settings (key: value), not {name_kind(loaded.data)}"
        hint = "write each setting on a line of its own, such as timezone: Europe/Bratislava"
        raise ConfigError(message, source=source, line=1, column=1, hint=hint)
    return Section(source, loaded.marks, (), loaded.data or {})
