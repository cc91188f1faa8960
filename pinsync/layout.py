"""Name the files of documents, and find the repository that they lie in.

The names are safe on every file system, and unique for each model.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from pinsync.errors import suggest
from pinsync.escape import one_line, reveal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path, PurePosixPath

DEVICES: Final = "con|prn|aux|nul|(?:com|lpt)[0-9]"
"""Part of a pattern: the names that Windows keeps for devices, in either case, with any extension.

Source: https://learn.microsoft.com/windows/win32/fileio/naming-a-file. Names with `$` or a
superscript digit are missing, since the file name of a model never holds these characters.
"""

SUFFIX: Final = ".yaml"
"""The suffix of a document's name."""
_NEAR_SUFFIXES: Final = (".yaml", ".yml", ".json")
ITEMS: Final = "items.json"
"""The name of the file with titles and images of items, which lies beside documents."""

MAX_NAME_BYTES: Final = 200
"""The longest name before the suffix; file systems allow 255 bytes, temporary files add some."""

_HASH_DIGITS: Final = 32
# Characters to encode: the first letter of a device's name, dots at either end, unusual ones.
_ENCODED: Final = rf"^(?=(?:{DEVICES})(?:\.|\Z)).|^\.+|(?<!\.)\.+\Z|[^a-z0-9_.-]+"


def build_document_path(directory: PurePosixPath, model: str, tracker: str | None) -> PurePosixPath:
    """Return the path of a model's document.

    Args:
        directory: the configured directory.
        model: a recommender model, not empty, of valid Unicode.
        tracker: the name of the tracker if the configuration names several, else ``None``.
    """
    return choose_folder(directory, tracker) / build_file_name(model)


def suggest_model(word: str, models: Iterable[str]) -> str:
    """Return a hint at the model of the document that a word names, else at the nearest model."""
    known = sorted(models)
    name = word.rpartition("/")[2]
    for model in known:
        if name == build_file_name(model):
            return f'did you mean "{reveal(one_line(model))}", the model of that file?'
    return suggest(word, known)


def choose_folder(directory: PurePosixPath, tracker: str | None) -> PurePosixPath:
    """Return the folder of a tracker's documents: ``directory`` itself for a single tracker."""
    return directory if tracker is None else directory / tracker


def build_items_path(directory: PurePosixPath, tracker: str | None) -> PurePosixPath:
    """Return the path of a tracker's `ITEMS`; the arguments are those of `choose_folder`."""
    return choose_folder(directory, tracker) / ITEMS


def build_file_name(model: str) -> str:
    """Return the name of a model's document.

    ``[a-z0-9_.-]`` stay; other characters, dots at either end and the first letter of a name that
    Windows reserves are percent-encoded as UTF-8. A name of more than `MAX_NAME_BYTES` is cut, and
    ends in ``~`` and a hash.

    Args:
        model: a recommender model, not empty, of valid Unicode.

    Returns:
        An ASCII name of at most 205 bytes. Two models never share a name, not even if case is
        ignored.
    """
    name = re.sub(_ENCODED, _percent_encode, model)
    if len(name) > MAX_NAME_BYTES:
        # Imported for long names only: it loads OpenSSL, which takes 2 ms.
        import hashlib  # noqa: PLC0415

        # No other model has this name, since a "~" of its own would be encoded.
        ending = "~" + hashlib.sha256(model.encode()).hexdigest()[:_HASH_DIGITS]
        beginning = name[: MAX_NAME_BYTES - len(ending)]
        # The cut must not leave a part of an escape.
        name = re.sub(r"%.?\Z", "", beginning) + ending
    return name + SUFFIX


def _percent_encode(characters: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in characters[0].encode())


def is_document(name: str) -> bool:
    """Return whether a file of this name is a document; a hidden file is none."""
    return name.endswith(SUFFIX) and not name.startswith(".")


def is_misnamed(name: str) -> bool:
    """Return whether a file name, such as ``basket.yml``, is nearly a document's, so isn't read."""
    lowered = name.lower()
    is_near = lowered.endswith(_NEAR_SUFFIXES) and not lowered.startswith(".")
    return is_near and not is_document(name) and lowered != ITEMS


def correct_name(name: str) -> str:
    """Return the right name of a misnamed document."""
    return name.rpartition(".")[0] + SUFFIX


def find_repository_root(start: Path) -> Path | None:
    """Return the nearest folder from ``start`` upwards that holds a repository, or ``None``."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if is_repository(folder):
            return folder
    return None


def is_repository(folder: Path) -> bool:
    """Return whether git takes a folder for the top of a working tree."""
    # A linked worktree has a file .git. A folder without HEAD is no repository to git either, which
    # then looks further up (gitrepository-layout(5)).
    git = folder / ".git"
    return os.path.isfile(git) or os.path.lexists(git / "HEAD")  # noqa: PTH113 - is_file() can raise
