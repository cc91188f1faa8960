"""Build both texts of each file with a reported change, for a patch."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pinsync import layout
from pinsync.document.merge import merge_document, plan_documents
from pinsync.document.record import render_document
from pinsync.drift.record import Change, FileTexts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinsync.document.merge import DocumentPlan
    from pinsync.document.record import Document
    from pinsync.model import Customization
    from pinsync.workspace.state import Content


def build_texts(
    changes: Sequence[Change], old: Content, new: Content, folder: PurePosixPath
) -> list[FileTexts]:
    """Return the texts of the files that differ, sorted by path.

    The new text is the old text with the reported changes and nothing else, so that a patch says
    the same as the report.

    Args:
        changes: the reported changes.
        old: the old side. If it is read from files, both texts have its comments and its formatting
            by hand.
        new: the new side, which names the files that the old side lacks.
        folder: the folder for files that both sides lack.
    """
    old_rules: dict[str, list[Customization]] = {}
    for item in old.snapshot.customizations:
        old_rules.setdefault(item.model, []).append(item)
    plans = _plan_documents(changes, old)
    paths: dict[str, PurePosixPath] = {}
    for change in changes:
        # A rule that changed its model is in two files.
        for item in change.pair.sides:
            paths[item.model] = _choose_path(item.model, old, new, folder)
    texts: list[FileTexts] = []
    for model, path in paths.items():
        read = old.documents.get(model)
        old_text = _build_old_text(read, model, old_rules)
        new_text = _build_new_text(read, model, plans.get(model), old_text)
        texts.append(FileTexts(str(path), old_text, new_text))
    # A document of another model may be removed from the path of a new one. Git applies a patch
    # only if the removal comes first.
    return sorted(texts, key=lambda file: (file.path, file.new is not None))


def _plan_documents(changes: Sequence[Change], old: Content) -> dict[str, DocumentPlan]:
    """Return the plans that apply the changes to the documents of the old side."""
    after: list[Customization | None] = list(old.snapshot.customizations)
    new: list[Customization] = []
    for change in changes:
        if change.pair.old_index is not None:
            after[change.pair.old_index] = change.new
        elif change.new is not None:
            new.append(change.new)
    # Without documents, there are no blocks that a customization could replace.
    if not old.documents:
        new += [item for item in after if item is not None]
    return plan_documents(old.documents, after, new)


def _build_old_text(
    read: Document | None, model: str, rules: Mapping[str, Sequence[Customization]]
) -> bytes | None:
    if read is None:
        return render_document(model, rules[model]) if model in rules else None
    return read.render() if read.original is None else read.original


def _choose_path(model: str, old: Content, new: Content, folder: PurePosixPath) -> PurePosixPath:
    for side in (old, new):
        if model in side.documents:
            return PurePosixPath(side.documents[model].source.removeprefix(side.prefix))
    return folder / layout.build_file_name(model)


def _build_new_text(
    read: Document | None,
    model: str,
    plan: DocumentPlan | None,
    old_text: bytes | None,
) -> bytes | None:
    if plan is None or not plan.customizations:
        return None
    if read is None:
        return render_document(model, plan.customizations)
    return merge_document(read, model, plan) or old_text
