"""Where a model's document lies: names of files that are safe on every file system and never shared by two models."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from pinsync.model import DEVICES, SUFFIX

if TYPE_CHECKING:
    from pathlib import PurePosixPath

MAX_NAME_BYTES: Final = 200
"""The longest name before the suffix; file systems allow 255 bytes, and a temporary file needs some of its own."""

_HASH_DIGITS: Final = 32
# CONIN$, CONOUT$ and the ports with a superscript digit need no mention, since `$` and `¹` are encoded anyway.
_ENCODED: Final = re.compile(rf"^(?=(?:{DEVICES})(?:\.|\Z)).|^\.+|(?<!\.)\.+\Z|[^a-z0-9_.-]+")


def document_path(directory: PurePosixPath, model: str, tracker: str | None) -> PurePosixPath:
    """Return the path of a model's document.

    Args:
        directory: the configured directory.
        model: a recommender model, not empty, of valid Unicode.
        tracker: the tracker's name where the configuration names more than one, else ``None``.
    """
    return folder(directory, tracker) / file_name(model)


def folder(directory: PurePosixPath, tracker: str | None) -> PurePosixPath:
    """Return the folder of a tracker's documents: ``directory`` itself where there is only one tracker (``None``)."""
    return directory if tracker is None else directory / tracker


def file_name(model: str) -> str:
    """Return the name of the file that holds a model's customizations.

    ``[a-z0-9_.-]`` stand as they are; everything else, dots at either end and the first letter of a name that Windows
    reserves are percent-encoded as UTF-8. What is longer than `MAX_NAME_BYTES` is cut and closed with ``~`` and a hash;
    a ``~`` of the model's own is encoded, so no model can pose as a cut one.

    Args:
        model: a recommender model, not empty, of valid Unicode.

    Returns:
        An ASCII name of at most 205 bytes. Two models never share one, not even where case is ignored.
    """
    name = _ENCODED.sub(_percent, model)
    if len(name) > MAX_NAME_BYTES:
        closing = "~" + hashlib.sha256(model.encode()).hexdigest()[:_HASH_DIGITS]
        name = re.sub(r"%.?\Z", "", name[: MAX_NAME_BYTES - len(closing)]) + closing
    return name + SUFFIX


def _percent(characters: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in characters[0].encode())
