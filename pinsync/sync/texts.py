"""Both texts of every file that a comparison touches, for a patch."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pinsync import layout
from pinsync.document.merge import merge_document
from pinsync.document.record import render_document
from pinsync.drift.record import Change, Texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pinsync.document.record import Block, Document
    from pinsync.model import Customization
    from pinsync.workspace.state import Content


def build_texts(changes: Sequence[Change], old: Content, new: Content, folder: PurePosixPath) -> Iterator[Texts]:
    """Yield the files that differ, sorted by path.

    The new text is the old one with the reported changes and nothing else, so that a patch says what the report says;
    where the old side is a file, its comments and hand-made formatting are in both.

    Args:
        changes: what is reported.
        old: the side that is compared from.
        new: the other side; its files say what a new file is called.
        folder: where a file goes that neither side has.
    """
    origins = {id(entry.customization): entry for read in old.documents.values() for entry in read.entries}
    ends = {id(change.old): change.new for change in changes if change.old}
    before: dict[str, list[Customization]] = {}
    after: dict[str, list[tuple[Customization, Block | None]]] = {}
    for item in old.snapshot.customizations:
        before.setdefault(item.model, []).append(item)
        end = ends.get(id(item), item)
        if end is not None:
            after.setdefault(end.model, []).append((end, origins.get(id(item))))
    for change in changes:
        if change.old is None and change.new is not None:
            after.setdefault(change.new.model, []).append((change.new, None))
    touched = {item.model for change in changes for item in (change.old, change.new) if item}
    paths = {model: _path(model, old, new, folder) for model in touched}
    for model in sorted(touched, key=lambda model: str(paths[model])):
        read = old.documents.get(model)
        text = _old_text(read, model, before)
        yield Texts(str(paths[model]), text, _new_text(read, model, after, text))


def _old_text(read: Document | None, model: str, before: Mapping[str, Sequence[Customization]]) -> bytes | None:
    if read is None:
        return render_document(model, before[model]) if model in before else None
    return read.text() if read.original is None else read.original


def _path(model: str, old: Content, new: Content, folder: PurePosixPath) -> PurePosixPath:
    for side in (old, new):
        if model in side.documents:
            return PurePosixPath(side.documents[model].source.removeprefix(side.prefix))
    return folder / layout.build_file_name(model)


def _new_text(
    read: Document | None,
    model: str,
    after: Mapping[str, Sequence[tuple[Customization, Block | None]]],
    text: bytes | None,
) -> bytes | None:
    if model not in after:
        return None
    if read is None:
        return render_document(model, [item for item, _ in after[model]])
    return merge_document(read, model, after[model]) or text
