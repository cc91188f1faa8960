"""Golden files: the texts that pinsync must print, one file for each case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Golden:
    """Compares texts with golden files, or writes them: ``pytest --update-golden``."""

    update: bool

    def __call__(self, text: str, file: Path) -> None:
        """Hold a text to a golden file."""
        if self.update:
            file.write_text(text, encoding="utf-8", newline="")
        with file.open(encoding="utf-8", newline="") as stream:
            assert text == stream.read()
