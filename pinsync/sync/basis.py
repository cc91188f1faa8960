"""The documents that an export starts from; pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pinsync.errors import FileError
from pinsync.workspace.read import read_documents

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import PurePosixPath

    from pinsync.canonical.normalize import Ignored
    from pinsync.document.record import Block, Document
    from pinsync.model import Customization
    from pinsync.workspace.tree import Files, TrackerFiles


@dataclass(frozen=True, slots=True)
class Basis:
    """The documents of one tracker that an export merges live rules into.

    Attributes:
        documents: model → document.
        on_disk: path → bytes of each file.
        deleted: the paths of the documents that somebody removed from the disk by hand; their text
            is HEAD's.
        warnings: why a document of HEAD doesn't count.
    """

    documents: Mapping[str, Document]
    on_disk: Files = field(default_factory=dict)
    deleted: Collection[PurePosixPath] = ()
    warnings: Sequence[str] = ()


def entries(documents: Mapping[str, Document]) -> list[Block]:
    """Return the entries of documents, in their order."""
    return [entry for document in documents.values() for entry in document.entries]


def customizations(documents: Mapping[str, Document]) -> list[Customization]:
    """Return the customizations of documents, in their order."""
    return [entry.customization for entry in entries(documents)]


def read_basis(files: TrackerFiles, known: Iterable[Customization], ignore: Ignored) -> Basis:
    """Read the documents of a tracker.

    A document that somebody removed from the disk by hand counts with its text in HEAD, so that a
    removal by hand hides nothing from the guard against mass removal, and so that its comments are
    there when an export writes it again. Not so where the same model or rule stands in a file on
    disk: there a person renamed a file or moved a rule.

    Args:
        files: the texts.
        known: customizations whose canonical texts need no reading.
        ignore: paths of fields that don't count.

    Raises:
        FileError: a file on disk isn't a document, or a model or an id stands in two files.
    """
    known = list(known)
    documents = read_documents(sorted({**files.unchecked, **files.present}.items()), known, ignore)
    ids = {item.id for item in customizations(documents)} - {None}
    deleted, warnings = [], []
    for path, text in sorted(files.deleted.items()):
        try:
            (read,) = read_documents([(path, text)], known, ignore).values()
        except FileError as error:
            warnings.append(f"HEAD:{error.message}, so the rules of this deleted file don't count")
            continue
        left = tuple(entry for entry in read.entries if entry.customization.id not in ids)
        if read.model in documents or (read.entries and not left):
            continue
        if len(left) < len(read.entries):
            read = replace(read, entries=left, original=None)
        documents[read.model] = read
        ids |= {entry.customization.id for entry in left} - {None}
        deleted.append(path)
    return Basis(documents, files.present, deleted, warnings)
