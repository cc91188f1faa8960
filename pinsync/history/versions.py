"""Versions of documents: each blob is read once, and of its blocks only those that no other version had."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync import document
from pinsync.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import PurePosixPath

    from pinsync.document import Document
    from pinsync.model import Customization
    from pinsync.repository import Reader

_MAX_KEPT: Final = 4_000_000
"""How many customizations the kept versions may hold in all: at 16 bytes each, 64 MB."""
_START: Final = b"\n  - "
"""What a block of a document begins with where pinsync laid it out, and what nothing else there does."""


Ignored = tuple[tuple[str, ...], ...]
"""Paths of fields that don't count."""


class Version(NamedTuple):
    """What one version of a document says.

    Attributes:
        path: where it lies, from the repository's root.
        blob: the hash of its bytes, by which versions are told apart.
        model: the recommender model.
        items: its customizations in the order of the file; equal ones of any two versions are one object.
        lines: the line, from 1, that each begins on.
        ids: those of them that have one.
    """

    path: PurePosixPath
    blob: str
    model: str
    items: tuple[Customization, ...]
    lines: tuple[int, ...]
    ids: frozenset[str]


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

    def read(self, path: PurePosixPath, blob: str, ignore: Ignored) -> Version | Fault:
        """Return what a file says, or why it can't be read.

        Args:
            path: where it lies, from the repository's root.
            blob: the hash of its bytes.
            ignore: paths of fields that don't count.
        """
        found = self._read.get((blob, ignore))
        if found is None:
            self._read[blob, ignore] = found = self._version(path, blob, ignore)
            self._kept += _size(found)
            while self._kept > _MAX_KEPT and len(self._read) > 1:
                self._kept -= _size(self._read.pop(next(iter(self._read))))
        return found if found.path == path else found._replace(path=path)

    def seen(self) -> Iterator[Customization]:
        """Yield every customization that stood in any version read so far."""
        yield from self._items

    def _version(self, path: PurePosixPath, blob: str, ignore: Ignored) -> Version | Fault:
        found = self._reader.find(blob)
        if found is None or found.content is None:
            return Fault(path, blob, "is larger than pinsync reads, or missing from git's object store")
        try:
            model, items, lines = self._parsed(found.content, str(path), ignore)
        except FileError as error:
            place = "" if error.line is None else f"line {error.line}: "
            return Fault(path, blob, f"{place}{error.reason}")
        named = [item.id for item in items if item.id is not None]
        ids = frozenset(named)
        if len(ids) < len(named):
            twice = next(name for at, name in enumerate(named) if name in named[:at])
            return Fault(path, blob, f"the id {twice} stands in it twice")
        return Version(path, blob, model, tuple(items), tuple(lines), ids)

    def _parsed(
        self, content: bytes, source: str, ignore: Ignored
    ) -> tuple[str, Sequence[Customization], Sequence[int]]:
        """Return a document's model, its customizations and their lines; only blocks not seen before are parsed."""
        text = content.replace(b"\r\n", b"\n") if b"\r" in content else content
        head, *blocks = text.removesuffix(b"\n").split(_START)
        model = self._models.get(head)
        known = self._blocks.get((ignore, model), {}) if model is not None else {}
        new = [block for block in dict.fromkeys(blocks) if block not in known]
        if new or model is None:
            read = self._learnt(head, new, source, ignore)
            if read is None:
                whole = document.parse(content, source, ignore=ignore)
                return whole.model, self._shared(whole), [entry.line for entry in whole.entries]
            model = read.model
            known = self._blocks[ignore, model]
        found = [known[block] for block in blocks]
        lines = accumulate((block.height for block in found), initial=head.count(b"\n") + 2)
        return model, [block.item for block in found], list(lines)[:-1]

    def _learnt(self, head: bytes, blocks: Sequence[bytes], source: str, ignore: Ignored) -> Document | None:
        """Read a document of these blocks and take note of each; None if it isn't laid out as pinsync does it."""
        text = b"".join((head, *(_START + block for block in blocks), b"\n"))
        try:
            read = document.parse(text, source, ignore=ignore)
        except FileError:
            return None  # the whole is read again, to say where
        if read.text() != text or len(read.entries) != len(blocks):
            return None
        self._models[head] = read.model
        known = self._blocks.setdefault((ignore, read.model), {})
        known |= {
            block: _Block(item, block.count(b"\n") + 1) for block, item in zip(blocks, self._shared(read), strict=True)
        }
        return read

    def _shared(self, read: Document) -> list[Customization]:
        """Return what a document says, as the objects that stand for it in other versions."""
        return [self._items.setdefault(entry.customization, entry.customization) for entry in read.entries]


def _size(found: Version | Fault) -> int:
    return len(found.items) if isinstance(found, Version) else 0
