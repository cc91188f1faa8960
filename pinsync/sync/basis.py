"""Read the documents that an export starts from; pure."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from pinsync.drift.pairs import collect_ids
from pinsync.errors import FileError
from pinsync.workspace.read import parse_documents

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.canonical.normalize import Ignored
    from pinsync.document.record import Block, Document
    from pinsync.model import Customization
    from pinsync.workspace.tree import Files, TrackerFiles


class Basis(Struct, frozen=True):
    """The documents of one tracker that an export merges live rules into.

    Attributes:
        documents: model → document.
        on_disk: path → bytes of each file.
        deleted: the paths of the documents that a person removed from the disk; ``documents`` has
            their text in HEAD.
        warnings: for people, about the unreadable documents of HEAD.
    """

    documents: Mapping[str, Document]
    on_disk: Files = field(default_factory=dict)
    deleted: Collection[PurePosixPath] = ()
    warnings: Sequence[str] = ()


def list_blocks(documents: Mapping[str, Document]) -> list[Block]:
    """Return the blocks of documents, in their order."""
    return list(chain.from_iterable(document.entries for document in documents.values()))


def list_customizations(documents: Mapping[str, Document]) -> list[Customization]:
    """Return the customizations of documents, in their order."""
    return [block.customization for block in list_blocks(documents)]


def read_basis(files: TrackerFiles, known: Iterable[Customization], ignore: Ignored) -> Basis:
    """Read the documents of a tracker.

    A document that a person removed from the disk counts with its text in HEAD.

    Args:
        files: the files of the tracker.
        known: customizations whose canonical texts need no parsing.
        ignore: the paths of ignored fields.

    Raises:
        FileError: a file on disk isn't a document, or a model or an id stands in two files.
    """
    known = list(known)
    documents = parse_documents(sorted({**files.unchecked, **files.present}.items()), known, ignore)
    ids = collect_ids(list_customizations(documents))
    # The text in HEAD shows a removal by hand to the guard against mass removal, and keeps the
    # comments for an export that writes the document again.
    deleted, warnings = [], []
    for path, text in sorted(files.deleted.items()):
        try:
            (read,) = parse_documents([(path, text)], known, ignore).values()
        except FileError as error:
            warnings.append(f"HEAD:{error.message}, so the rules of this deleted file don't count")
            continue
        # If the same model or rule is in a file on disk, a person renamed the file or moved the
        # rule.
        left = tuple(block for block in read.entries if block.customization.id not in ids)
        if read.model in documents or (read.entries and not left):
            continue
        if len(left) < len(read.entries):
            # The original bytes would bring the moved rules back.
            read = replace(read, entries=left, original=None)
        documents[read.model] = read
        ids |= collect_ids(block.customization for block in left)
        deleted.append(path)
    return Basis(documents, files.present, deleted, warnings)
