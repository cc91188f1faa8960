"""``pinsync schema``: the JSON Schema of a document."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def schema(out: Callable[[bytes], None]) -> int:
    """Print the JSON Schema (draft-07) of a document; return 0."""
    out(resources.files("pinsync.document").joinpath("document.schema.json").read_bytes())
    return 0
