"""Read the documents of both sides of a comparison, and pass over the blocks that are equal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from pinsync.document.equal import EqualBlocks, find_equal_blocks, read_block_ids
from pinsync.document.parse import cut_regular_document, parse_document, parse_other_blocks
from pinsync.errors import FileError
from pinsync.workspace.read import check_ids, list_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.canonical.normalize import Ignored
    from pinsync.document.record import Document
    from pinsync.model import Customization

    Files = Sequence[tuple[PurePosixPath, bytes]]
    """Path and bytes of each file of a tracker."""

_NO_BLOCKS: Final = frozenset[bytes]()


class Differences(NamedTuple):
    """The documents of both sides, without the blocks that are equal.

    Attributes:
        old: model → document of the old side.
        new: model → document of the new side.
        equal: the blocks that neither side's documents have here.
    """

    old: Mapping[str, Document]
    new: Mapping[str, Document]
    equal: tuple[EqualBlocks, ...]


def read_differences(
    old: Files, new: Files, prefixes: tuple[str, str], ignore: Ignored
) -> Differences | None:
    """Read the blocks that differ, and only these where possible.

    A fault in a block that is equal on both sides isn't found.

    Args:
        old: the files of the old side.
        new: the files of the new side.
        prefixes: the prefix of the paths of each side in messages, such as ``HEAD:``.
        ignore: the paths of ignored fields.

    Returns:
        None if a file has a fault, or an id or a model stands twice: `read_documents` knows what
        to say then.
    """
    try:
        old_drafts = _cut_files(old, prefixes[0], {}, ignore)
        same = {path: old_drafts[str(path)] for path, _ in old}
        new_drafts = _cut_files(new, prefixes[1], same, ignore)
        by_model = _index_by_model(old_drafts.values()), _index_by_model(new_drafts.values())
        return _read_drafts(*by_model, ignore)
    except (FileError, _RepeatedError):
        return None


class _RepeatedError(Exception):
    """A model or an id stands twice on one side."""


class _Draft(Struct, frozen=True):
    """A file that is cut, or that could only be read as a whole.

    Attributes:
        source: the file's path, or ``revision:path``.
        text: the file's bytes.
        model: the recommender model.
        blocks: the blocks; none if the file had to be read.
        document: the document, if the file had to be read.
    """

    source: str
    text: bytes
    model: str
    blocks: tuple[bytes, ...]
    document: Document | None = None


def _cut_files(
    files: Files, prefix: str, same: Mapping[PurePosixPath, _Draft], ignore: Ignored
) -> dict[str, _Draft]:
    """Return path → draft of each file of a side.

    Args:
        files: path and bytes of each file.
        prefix: the prefix of paths in messages.
        same: path → draft of the other side, to be taken over if the bytes are equal.
        ignore: the paths of ignored fields.
    """
    drafts: dict[str, _Draft] = {}
    for path, text in files:
        source = f"{prefix}{path}"
        other = same.get(path)
        if other and other.text == text:
            document = other.document and replace(other.document, source=source)
            drafts[str(path)] = replace(other, source=source, document=document)
            continue
        cut = cut_regular_document(text, source)
        if cut:
            model, blocks = cut
            drafts[str(path)] = _Draft(source, text, model, tuple(blocks.split_blocks()))
        else:
            document = parse_document(text, source, ignore=ignore)
            drafts[str(path)] = _Draft(source, text, document.model, (), document)
    return drafts


def _index_by_model(drafts: Iterable[_Draft]) -> dict[str, _Draft]:
    by_model: dict[str, _Draft] = {}
    for draft in drafts:
        if draft.model in by_model:
            raise _RepeatedError
        by_model[draft.model] = draft
    return by_model


def _read_drafts(
    old: Mapping[str, _Draft], new: Mapping[str, _Draft], ignore: Ignored
) -> Differences:
    """Read the drafts of both sides, by model, as far as they differ."""
    if _are_equal(old, new):
        blocks = [EqualBlocks(draft.model, draft.blocks) for draft in old.values()]
        return Differences({}, {}, tuple(blocks))
    documents: tuple[dict[str, Document], dict[str, Document]] = ({}, {})
    equal: list[EqualBlocks] = []
    for model in {**old, **new}:
        pair = _read_pair((old.get(model), new.get(model)), ignore)
        for side, document in zip(documents, pair.documents, strict=True):
            if document:
                side[model] = document
        if pair.equal:
            equal.append(EqualBlocks(model, tuple(pair.equal)))
    passed_ids: set[str] = set()
    for model_blocks in equal:
        passed_ids.update(read_block_ids(model_blocks.blocks))
    for side in documents:
        check_ids(side.values())
        for document in side.values():
            if any(entry.customization.id in passed_ids for entry in document.entries):
                raise _RepeatedError
    return Differences(*documents, tuple(equal))


def _are_equal(old: Mapping[str, _Draft], new: Mapping[str, _Draft]) -> bool:
    """Return whether both sides have the same blocks, in files that could be cut."""
    if old.keys() != new.keys():
        return False
    for model, draft in old.items():
        other = new[model]
        if draft.document or other.document or draft.blocks != other.blocks:
            return False
    return True


class _Pair(NamedTuple):
    """The documents of one model.

    Attributes:
        documents: the document of each side; None for a side without other blocks.
        equal: the blocks that were passed over.
    """

    documents: tuple[Document | None, Document | None]
    equal: frozenset[bytes]


def _read_pair(drafts: tuple[_Draft | None, _Draft | None], ignore: Ignored) -> _Pair:
    """Read both drafts of a model without the blocks that are equal."""
    old, new = drafts
    if old and new and not old.document and not new.document:
        equal = find_equal_blocks(old.blocks, new.blocks)
        try:
            return _read_other_blocks(old, new, equal, ignore)
        except _UncutError:
            pass
    documents: list[Document | None] = []
    known: list[Customization] = []
    for draft in drafts:
        document = draft.document if draft else None
        if draft and not document:
            document = parse_document(
                draft.text, draft.source, known=list_texts(known), ignore=ignore
            )
        if document:
            known += [entry.customization for entry in document.entries]
        documents.append(document)
    return _Pair((documents[0], documents[1]), _NO_BLOCKS)


class _UncutError(Exception):
    """A file has to be read as a whole."""


def _read_other_blocks(old: _Draft, new: _Draft, equal: frozenset[bytes], ignore: Ignored) -> _Pair:
    documents: list[Document | None] = []
    known: list[Customization] = []
    for draft in (old, new):
        document = None
        if len(draft.blocks) > len(equal):
            document = parse_other_blocks(
                draft.text, draft.source, equal, known=list_texts(known), ignore=ignore
            )
            if document is None:
                raise _UncutError
            known += [entry.customization for entry in document.entries]
        documents.append(document)
    return _Pair((documents[0], documents[1]), equal)
