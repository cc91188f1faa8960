"""The names of documents: safe on every file system, and never shared by two models."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from pinsync.errors import suggest
from pinsync.escape import one_line, reveal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import PurePosixPath

DEVICES: Final = "con|prn|aux|nul|(?:com|lpt)[0-9]"
"""Names that Windows keeps for devices, in either case and with any extension, as a part of a regular expression.

Source: https://learn.microsoft.com/windows/win32/fileio/naming-a-file. Those with characters that stand in no model's
file name are left to whoever lets them through.
"""

SUFFIX: Final = ".yaml"
"""What a document's name ends in."""
_NEAR_SUFFIXES: Final = (".yaml", ".yml", ".json")
_ITEMS: Final = "items.json"  # the titles of items, which may lie beside documents

MAX_NAME_BYTES: Final = 200
"""The longest name before the suffix; file systems allow 255 bytes, and a temporary file needs some of its own."""

_HASH_DIGITS: Final = 32
# CONIN$, CONOUT$ and the ports with a superscript digit need no mention, since `$` and `¹` are encoded anyway.
_ENCODED: Final = re.compile(rf"^(?=(?:{DEVICES})(?:\.|\Z)).|^\.+|(?<!\.)\.+\Z|[^a-z0-9_.-]+")


def build_document_path(directory: PurePosixPath, model: str, tracker: str | None) -> PurePosixPath:
    """Return the path of a model's document.

    Args:
        directory: the configured directory.
        model: a recommender model, not empty, of valid Unicode.
        tracker: the tracker's name where the configuration names more than one, else ``None``.
    """
    return choose_folder(directory, tracker) / build_file_name(model)


def suggest_model(word: str, models: Iterable[str]) -> str:
    """Return a hint at the model that a word means: that of the document which it names, else the nearest."""
    known = sorted(models)
    name = word.rpartition("/")[2]
    for model in known:
        if name == build_file_name(model):
            return f'did you mean "{reveal(one_line(model))}", the model of that file?'
    return suggest(word, known)


def choose_folder(directory: PurePosixPath, tracker: str | None) -> PurePosixPath:
    """Return the folder of a tracker's documents: ``directory`` itself where there is only one tracker (``None``)."""
    return directory if tracker is None else directory / tracker


def build_file_name(model: str) -> str:
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


def is_document(name: str) -> bool:
    """Tell whether a file of this name is a document; as in a shell's ``*.yaml``, a hidden file is none."""
    return name.endswith(SUFFIX) and not name.startswith(".")


def is_misnamed(name: str) -> bool:
    """Tell whether a file has nearly the name of a document, such as ``basket.yml``, and so isn't read."""
    lowered = name.lower()
    is_near = lowered.endswith(_NEAR_SUFFIXES) and not lowered.startswith(".")
    return is_near and not is_document(name) and lowered != _ITEMS


def correct_name(name: str) -> str:
    """Return the name that a misnamed document should have."""
    return name.rpartition(".")[0] + SUFFIX
