"""Inputs that can be made as large as one likes, each with the command that reads it.

What a command does with an input twice as large must be about twice as much. Each input is one of
which a command once did four times as much, or one whose shape invites that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from exporting import put, rule

if TYPE_CHECKING:
    from pathlib import Path

Files: TypeAlias = Mapping[str, str]
"""Path → text."""


class Growing(NamedTuple):
    """An input that can grow, and the command that reads it.

    Attributes:
        arguments: the command line.
        files: size → the files to run it on.
    """

    arguments: tuple[str, ...]
    files: Callable[[int], Files]

    @property
    def needs_git(self) -> bool:
        """Whether the files must be committed."""
        return self.arguments[0] in ("blame", "history") or "--commit" in self.arguments

    def write(self, folder: Path, size: int) -> None:
        """Write the files of a size."""
        for path, text in self.files(size).items():
            put(folder / path, text)


INPUTS: Final[dict[str, Growing]] = {}
"""Name → input."""

_BETWEEN: Final = ("diff", "a.json", "b.json", "--format")


def _of(*arguments: str, name: str = "") -> Callable[[Callable[[int], Files]], Callable[[int], Files]]:
    """Add an input, by its function's name, for a command line."""

    def add(files: Callable[[int], Files]) -> Callable[[int], Files]:
        INPUTS[name or files.__name__] = Growing(arguments, files)
        return files

    return add


def _exports(size: int, row: Callable[[int, int], Mapping[str, Any]]) -> Files:
    """Return two saved exports; ``row`` returns a customization by its number and its side, 0 or 1."""
    sides = ([row(number, side) for number in range(size)] for side in (0, 1))
    old, new = (json.dumps({"results": rows}) for rows in sides)
    return {"a.json": old, "b.json": new}


def _item_pin(position: int, identity: str = "/p/1/") -> dict[str, Any]:
    return {"position": position, "pin_type": "item", "pin_identity": identity}


# Reports of a diff.


def many_changes(size: int) -> Files:
    """One pin of each rule moved."""
    return _exports(size, lambda number, side: rule(number, pin_definitions=[_item_pin(side + 1)]))


for _format in ("text", "json", "markdown", "patch", "github", "gitlab", "sarif", "junit"):
    _of(*_BETWEEN, _format, name=f"many_changes_{_format}")(many_changes)


@_of(*_BETWEEN, "junit")
def rules_of_one_name(size: int) -> Files:
    """Changes that only the ends of their ids tell apart."""

    def row(number: int, side: int) -> Mapping[str, Any]:
        return {"id": f"00000000-{number}", "model": "basket", "target_type": "all", "tags": [str(side)]}

    return _exports(size, row)


@_of(*_BETWEEN, "text")
def long_ids(size: int) -> Files:
    """Changes at one target whose ids, ever longer, differ at their ends."""

    def row(number: int, side: int) -> Mapping[str, Any]:
        return {"id": f"{'0' * 20 * size}{number}", "model": "basket", "target_type": "all", "tags": [str(side)]}

    return _exports(10, row)


@_of(*_BETWEEN, "text")
def changed_metadata(size: int) -> Files:
    """Many fields of one rule that changed, of which shoppers see one."""

    def row(number: int, side: int) -> Mapping[str, Any]:
        return rule(number, target_metadata={f"field_{at}": side for at in range(size)}, switch=side)

    return _exports(1, row)


@_of(*_BETWEEN, "text")
def changed_list(size: int) -> Files:
    """Many items of one list that changed."""
    return _exports(1, lambda number, side: rule(number, list=[at + side for at in range(size)]))
