"""``pinsync schema``: the JSON Schemas of the files."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable


_PACKAGES: Final = {"document": "pinsync.document", "items": "pinsync.items"}
"""Kind of file → the package with its schema."""


def schema(kind: str, out: Callable[[bytes], None]) -> int:
    """Print the JSON Schema (draft-07) of a kind of file; return 0."""
    out(resources.files(_PACKAGES[kind]).joinpath(f"{kind}.schema.json").read_bytes())
    return 0
