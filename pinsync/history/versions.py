"""Versions of documents: each blob is read once, and of its blocks only those that no other version had."""

from __future__ import annotations

from array import array
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.document.cut import cut_document, to_unix
from pinsync.document.parse import parse_document
from pinsync.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import PurePosixPath

    from pinsync.document.record import Document
    from pinsync.model import Customization
    from pinsync.repository import Reader

_MAX_KEPT: Final = 4_000_000
"""How many customizations the kept versions may hold in all: at 24 bytes each, 100 MB."""

Ignored = tuple[tuple[str, ...], ...]
"""Paths of fields that don't count."""


class Version(NamedTuple):
    """What one version of a document says.

    Attributes:
        path: where it lies, from the repository's root.
        blob: the hash of its bytes, by which versions are told apart.
        model: the recommender model.
        items: its customizations in the order of the file; equal ones of any two versions are one
            object.
        lines: the line, from 1, that each begins on.
        ids: the ids of those that have one.
    """

    path: PurePosixPath
    blob: str
    model: str
    items: tuple[Customization, ...]
    lines: Sequence[int]
    ids: tuple[str, ...]


class Fault(NamedTuple):
    """Why a file of a commit can't be read as a document, or a configuration as such."""

    path: PurePosixPath
    blob: str
    reason: str


class _Block(NamedTuple):
    """What a block says, and how many lines it has."""

    item: Customization
    height: int


class Versions:
    """Reads versions of documents.

    Args:
        reader: what reads git's objects.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._read: dict[tuple[str, Ignored], Version | Fault] = {}
        self._kept = 0
        self._models: dict[bytes, str] = {}  # by what stands above the first block
        # By a block's bytes, comments included.
        self._blocks: dict[tuple[Ignored, str], dict[bytes, _Block]] = {}
        self._items: dict[Customization, Customization] = {}

    @property
    def seen(self) -> Collection[Customization]:
        """Every customization that stood in any version read so far, once."""
        return self._items.keys()

    def read(self, path: PurePosixPath, blob: str, ignore: Ignored) -> Version | Fault:
        """Return what a file says, or why it can't be read.

        Args:
            path: where it lies, from the repository's root.
            blob: the hash of its bytes.
            ignore: paths of fields that don't count.
        """
        key = blob, ignore
        found = self._read.pop(key, None)
        if found is None:
            found = self._version(path, blob, ignore)
            self._kept += _size(found)
        self._read[key] = found  # now the last to be forgotten
        while self._kept > _MAX_KEPT and len(self._read) > 1:
            self._kept -= _size(self._read.pop(next(iter(self._read))))
        return found if found.path == path else found._replace(path=path)

    def _version(self, path: PurePosixPath, blob: str, ignore: Ignored) -> Version | Fault:
        found = self._reader.find(blob)
        if found is None or found.content is None:
            return Fault(
                path, blob, "is larger than pinsync reads, or missing from git's object store"
            )
        try:
            model, items, lines = self._parsed(found.content, str(path), ignore)
        except FileError as error:
            return Fault(path, blob, placed(error))
        ids = tuple([item.id for item in items if item.id is not None])
        if len(set(ids)) < len(ids):
            ((twice, _),) = Counter(ids).most_common(1)
            return Fault(path, blob, f"the id {twice} stands in it twice")
        return Version(path, blob, model, tuple(items), array("L", lines), ids)

    def _parsed(
        self, content: bytes, source: str, ignore: Ignored
    ) -> tuple[str, Sequence[Customization], Iterable[int]]:
        """Return a document's model, its customizations and their lines; only blocks not seen before are parsed."""
        cut = cut_document(to_unix(content))
        model = self._models.get(cut.head)
        known = self._blocks.get((ignore, model), {}) if model is not None else {}
        blocks = list(cut.blocks())
        new = [block for block in dict.fromkeys(blocks) if block not in known]
        if model is None or not blocks or (new and not self._learnt(cut.head, new, ignore)):
            read = parse_document(content, source, ignore=ignore)
            if not self._learn(read, cut.head, blocks, ignore):
                return read.model, self._shared(read), [entry.line for entry in read.entries]
            model = read.model
        known = self._blocks[ignore, model]
        # Their lines are counted once a block, not once a version.
        items, heights = zip(*map(known.__getitem__, blocks), strict=True)
        return model, items, accumulate(heights[:-1], initial=cut.head.count(b"\n") + 1)

    def _learnt(self, head: bytes, blocks: Sequence[bytes], ignore: Ignored) -> bool:
        """Read new blocks below a head that is known; whether that went well."""
        try:
            read = parse_document(b"".join((head, *blocks)), "", ignore=ignore)
        except FileError:
            return False  # the whole is read again, to say where
        return self._learn(read, head, blocks, ignore)

    def _learn(self, read: Document, head: bytes, blocks: Sequence[bytes], ignore: Ignored) -> bool:
        """Take note of a document's blocks; whether it is laid out as pinsync does it, so that they can be told.

        The head of an empty document, ``[]``, is none that blocks can stand below.
        """
        if not blocks or len(read.entries) != len(blocks):
            return False
        if to_unix(read.text()) != b"".join((head, *blocks)):
            return False
        self._models[head] = read.model
        known = self._blocks.setdefault((ignore, read.model), {})
        for block, item in zip(blocks, self._shared(read), strict=True):
            known[block] = _Block(item, block.count(b"\n"))
        return True

    def _shared(self, read: Document) -> list[Customization]:
        """Return what a document says, as the objects that stand for it in other versions."""
        return [
            self._items.setdefault(entry.customization, entry.customization)
            for entry in read.entries
        ]


def placed(error: FileError) -> str:
    """Return why a file can't be read, with the line but without the file's name."""
    return error.reason if error.line is None else f"line {error.line}: {error.reason}"


def _size(found: Version | Fault) -> int:
    return len(found.items) if isinstance(found, Version) else 0
