"""Read the versions of documents: each blob once, and each distinct block once."""

from __future__ import annotations

from array import array
from collections import Counter
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.document.changed import find_changed_blocks
from pinsync.document.cut import Cut, convert_to_unix, cut_blocks, cut_document
from pinsync.document.parse import parse_document
from pinsync.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.document.changed import ChangedBlocks
    from pinsync.document.record import Document
    from pinsync.model import Customization
    from pinsync.repository import Reader

_MAX_KEPT: Final = 4_000_000
"""The maximum number of customizations in the cached versions: at 24 bytes each, 100 MB."""

IgnoredFields = tuple[tuple[str, ...], ...]
"""The paths of the fields that the configuration ignores."""


class Version(NamedTuple):
    """One version of a document.

    Attributes:
        path: the path from the repository's root.
        blob: the hash of the bytes.
        model: the recommender model.
        items: the customizations in the order of the file. Equal customizations of any two versions
            are one object.
        lines: the first line of each customization, from 1.
        ids: the ids of the customizations that have an id.
    """

    path: PurePosixPath
    blob: str
    model: str
    items: tuple[Customization, ...]
    lines: Sequence[int]
    ids: tuple[str, ...]


class ReadFault(NamedTuple):
    """The reason why a document or a configuration of a commit can't be read.

    Attributes:
        path: the path from the repository's root.
        blob: the hash of the file, or of the object in its place.
        reason: the reason, for people.
    """

    path: PurePosixPath
    blob: str
    reason: str


class _Block(NamedTuple):
    """The customization of a block, and the number of its lines."""

    item: Customization
    height: int


class _Latest(NamedTuple):
    """The version of a path that was read last, whose text has the layout of pinsync.

    Attributes:
        cut: its text.
        version: its customizations.
    """

    cut: Cut
    version: Version


class VersionReader:
    """Reads versions of documents.

    Args:
        reader: reads git's objects.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        # Sorted by their last use, for the cache's limit.
        self._versions: dict[tuple[str, IgnoredFields], Version | ReadFault] = {}
        self._kept = 0
        # The text above the first block → the model.
        self._models: dict[bytes, str] = {}
        # By the bytes of the block, comments included; they don't name the model.
        self._blocks: dict[tuple[IgnoredFields, str], dict[bytes, _Block]] = {}
        self._items: dict[Customization, Customization] = {}
        # The next version of a path has most blocks in common with the last one.
        self._latest: dict[tuple[PurePosixPath, IgnoredFields], _Latest] = {}

    @property
    def customizations(self) -> Collection[Customization]:
        """Every distinct customization of the versions that were read so far."""
        return self._items.keys()

    def read(self, path: PurePosixPath, blob: str, ignore: IgnoredFields) -> Version | ReadFault:
        """Return a version of a document, or the reason why it can't be read.

        Args:
            path: the path from the repository's root.
            blob: the hash of the bytes.
            ignore: the paths of the fields to ignore.
        """
        key = blob, ignore
        found = self._versions.pop(key, None)
        if found is None:
            found = self._read_blob(path, blob, ignore)
            self._kept += _count_items(found)
        # A dict keeps the order of insertion, so this version will be dropped last.
        self._versions[key] = found
        while self._kept > _MAX_KEPT and len(self._versions) > 1:
            oldest = next(iter(self._versions))
            self._kept -= _count_items(self._versions.pop(oldest))
        # The same bytes may lie at several paths.
        if found.path != path:
            return found._replace(path=path)
        return found

    def _read_blob(
        self, path: PurePosixPath, blob: str, ignore: IgnoredFields
    ) -> Version | ReadFault:
        found = self._reader.find(blob)
        if found is None or found.content is None:
            reason = "is larger than pinsync reads, or missing from git's object store"
            return ReadFault(path, blob, reason)
        latest = self._latest.get((path, ignore))
        if latest and (updated := self._update(latest, blob, found.content, ignore)):
            return updated
        try:
            model, items, lines = self._parse(found.content, str(path), ignore)
        except FileError as error:
            return ReadFault(path, blob, describe_error(error))
        # An array takes 8 bytes a line; a list takes 36, with the integers.
        version = Version(path, blob, model, tuple(items), array("L", lines), _list_ids(items))
        if fault := _find_repeated_id(version):
            return fault
        self._remember_version(version, found.content, ignore)
        return version

    def _remember_version(self, version: Version, content: bytes, ignore: IgnoredFields) -> None:
        """Remember a version if its blocks are known."""
        cut = cut_document(content)
        is_unix = convert_to_unix(content) is content
        if is_unix and len(cut.edges) > 1 and self._models.get(cut.head) == version.model:
            known = self._blocks.get((ignore, version.model), {})
            # A document in another layout may have blocks that were never remembered.
            if all(block in known for block in cut.split_blocks()):
                self._latest[version.path, ignore] = _Latest(cut, version)

    def _update(
        self, latest: _Latest, blob: str, content: bytes, ignore: IgnoredFields
    ) -> Version | ReadFault | None:
        """Return the version after or before another one, by the blocks that differ.

        Args:
            latest: the other version.
            blob: the hash of the bytes.
            content: the bytes.
            ignore: the paths of the fields to ignore.

        Returns:
            None if the text has to be parsed as a whole.
        """
        cut, version = latest
        if b"\r" in content or not content.endswith(b"\n"):
            return None
        changes = find_changed_blocks(cut, content)
        if changes is None:
            return None
        known = self._blocks[ignore, version.model]
        pieces = [cut_blocks(content[change.begin : change.end]) for change in changes]
        new = [block for block in dict.fromkeys(chain.from_iterable(pieces)) if block not in known]
        if new and not self._parse_blocks(cut.head, new, ignore):
            return None
        merged = _merge_blocks(latest, changes, pieces, known)
        # An empty list is written in another way than a list with blocks.
        if not merged.items:
            return None
        updated = Version(
            version.path, blob, version.model, merged.items, merged.lines, version.ids
        )
        # Ids that are the same as in the other version are unique.
        if not _have_same_ids(version, changes, pieces, known):
            updated = updated._replace(ids=_list_ids(merged.items))
            if fault := _find_repeated_id(updated):
                return fault
        self._latest[version.path, ignore] = _Latest(Cut(content, merged.edges), updated)
        return updated

    def _parse(
        self, content: bytes, source: str, ignore: IgnoredFields
    ) -> tuple[str, Sequence[Customization], Iterable[int]]:
        """Return a document's model, its customizations and their lines."""
        cut = cut_document(convert_to_unix(content))
        model = self._models.get(cut.head)
        known: dict[bytes, _Block] = {}
        if model is not None:
            known = self._blocks.get((ignore, model), known)
        blocks = list(cut.split_blocks())
        # A commit changes few of a document's blocks, so only new blocks are parsed.
        new = [block for block in dict.fromkeys(blocks) if block not in known]
        if model is None or not blocks or (new and not self._parse_blocks(cut.head, new, ignore)):
            document = parse_document(content, source, ignore=ignore)
            if not self._remember_blocks(document, cut.head, blocks, ignore):
                lines = [entry.line for entry in document.entries]
                return document.model, self._share_customizations(document), lines
            model = document.model
        known = self._blocks[ignore, model]
        # A block remembers its height, so that its lines are counted once and not for each version.
        items, heights = zip(*map(known.__getitem__, blocks), strict=True)
        return model, items, accumulate(heights[:-1], initial=cut.head.count(b"\n") + 1)

    def _parse_blocks(self, head: bytes, blocks: Sequence[bytes], ignore: IgnoredFields) -> bool:
        """Parse and remember new blocks below a known head. Return whether that succeeded."""
        try:
            document = parse_document(b"".join((head, *blocks)), "", ignore=ignore)
        except FileError:
            # The caller parses the whole document again, for the right line in the message.
            return False
        return self._remember_blocks(document, head, blocks, ignore)

    def _remember_blocks(
        self, document: Document, head: bytes, blocks: Sequence[bytes], ignore: IgnoredFields
    ) -> bool:
        """Remember the blocks of a document. Return whether it has pinsync's own layout."""
        # An empty document has the head "customizations: []", below which no block can stand.
        if not blocks or len(document.entries) != len(blocks):
            return False
        # In another layout, the cut blocks may not be the document's entries.
        if convert_to_unix(document.render()) != b"".join((head, *blocks)):
            return False
        self._models[head] = document.model
        known = self._blocks.setdefault((ignore, document.model), {})
        for block, item in zip(blocks, self._share_customizations(document), strict=True):
            known[block] = _Block(item, block.count(b"\n"))
        return True

    def _share_customizations(self, document: Document) -> list[Customization]:
        """Return a document's customizations, as the same objects as in other versions."""
        items = [entry.customization for entry in document.entries]
        return [self._items.setdefault(item, item) for item in items]


class _Merged(NamedTuple):
    """The blocks of a version: their customizations, first lines, and places in the text."""

    items: tuple[Customization, ...]
    lines: array[int]
    edges: list[int]


def _merge_blocks(
    latest: _Latest,
    changes: Sequence[ChangedBlocks],
    pieces: Sequence[Sequence[bytes]],
    known: Mapping[bytes, _Block],
) -> _Merged:
    """Return the blocks of a version with the changed blocks in their places.

    Args:
        latest: the version.
        changes: the places of the changed blocks.
        pieces: the new blocks at each of the places.
        known: block → its customization.
    """
    cut, version = latest
    items: list[Customization] = []
    lines = array("L")
    edges: list[int] = []
    done = moved_bytes = moved_lines = 0
    for change, blocks in zip(changes, pieces, strict=True):
        items += version.items[done : change.first]
        lines.extend(_move(version.lines[done : change.first], moved_lines))
        edges += _move(cut.edges[done : change.first], moved_bytes)
        line, edge = version.lines[change.first] + moved_lines, change.begin
        for block in blocks:
            item, height = known[block]
            items.append(item)
            lines.append(line)
            edges.append(edge)
            line += height
            edge += len(block)
        done = change.last
        moved_bytes = change.end - cut.edges[done]
        if done < len(version.lines):
            moved_lines = line - version.lines[done]
    items += version.items[done:]
    lines.extend(_move(version.lines[done:], moved_lines))
    edges += _move(cut.edges[done:], moved_bytes)
    return _Merged(tuple(items), lines, edges)


def _have_same_ids(
    version: Version,
    changes: Sequence[ChangedBlocks],
    pieces: Sequence[Sequence[bytes]],
    known: Mapping[bytes, _Block],
) -> bool:
    """Return whether the changed blocks have the ids of the blocks that they replace."""
    for change, blocks in zip(changes, pieces, strict=True):
        old = [item.id for item in version.items[change.first : change.last]]
        if old != [known[block].item.id for block in blocks]:
            return False
    return True


def _move(places: Sequence[int], distance: int) -> Sequence[int]:
    return [place + distance for place in places] if distance else places


def _list_ids(items: Iterable[Customization]) -> tuple[str, ...]:
    return tuple([item.id for item in items if item.id is not None])


def _find_repeated_id(version: Version) -> ReadFault | None:
    """Return the fault of a document in which an id stands twice; None without such an id."""
    # Rules are paired by id, so an id must be unique.
    if len(set(version.ids)) == len(version.ids):
        return None
    ((duplicate, _),) = Counter(version.ids).most_common(1)
    return ReadFault(version.path, version.blob, f"the id {duplicate} stands in it twice")


def describe_error(error: FileError) -> str:
    """Return why a file can't be read, with the line but without the name of the file."""
    return error.reason if error.line is None else f"line {error.line}: {error.reason}"


def _count_items(version: Version | ReadFault) -> int:
    return len(version.items) if isinstance(version, Version) else 0
