"""Both texts of every file that a comparison touches, for a patch."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pinsync import layout
from pinsync.document.merge import merge_document, plan_documents
from pinsync.document.record import render_document
from pinsync.drift.record import Change, FileTexts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pinsync.document.merge import DocumentPlan
    from pinsync.document.record import Document
    from pinsync.model import Customization
    from pinsync.workspace.state import Content


def build_texts(
    changes: Sequence[Change], old: Content, new: Content, folder: PurePosixPath
) -> Iterator[FileTexts]:
    """Yield the files that differ, sorted by path.

    The new text is the old one with the reported changes and nothing else, so that a patch says
    what the report says; where the old side is a file, its comments and hand-made formatting are in
    both.

    Args:
        changes: what is reported.
        old: the side that is compared from.
        new: the other side; its files say what a new file is called.
        folder: where a file goes that neither side has.
    """
    before: dict[str, list[Customization]] = {}
    for item in old.snapshot.customizations:
        before.setdefault(item.model, []).append(item)
    outcomes = _find_outcomes(changes, old)
    touched = {item.model for change in changes for item in change.pair.sides}
    paths = {model: _path(model, old, new, folder) for model in touched}
    for model in sorted(touched, key=lambda model: str(paths[model])):
        read = old.documents.get(model)
        text = _old_text(read, model, before)
        yield FileTexts(str(paths[model]), text, _new_text(read, model, outcomes.get(model), text))


def _find_outcomes(changes: Sequence[Change], old: Content) -> dict[str, DocumentPlan]:
    """Return what the documents of the old side hold after the changes, by model."""
    after: list[Customization | None] = list(old.snapshot.customizations)
    new: list[Customization] = []
    for change in changes:
        if change.pair.old_index is not None:
            after[change.pair.old_index] = change.new
        elif change.new is not None:
            new.append(change.new)
    if not old.documents:
        new += [item for item in after if item is not None]
    return plan_documents(old.documents, after, new)


def _old_text(
    read: Document | None, model: str, before: Mapping[str, Sequence[Customization]]
) -> bytes | None:
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
    outcome: DocumentPlan | None,
    text: bytes | None,
) -> bytes | None:
    if outcome is None or not outcome.customizations:
        return None
    if read is None:
        return render_document(model, outcome.customizations)
    return merge_document(read, model, outcome) or text
