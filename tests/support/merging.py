"""An export in miniature: documents as text, rows of an answer, and the documents' text
afterwards.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pinsync.canonical import normalize
from pinsync.document.merge import merge_document, plan_documents
from pinsync.document.parse import parse_document
from pinsync.drift.pairs import match_customizations
from pinsync.workspace.read import parse_documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pinsync.document.record import Document
    from pinsync.model import Customization


def export(
    files: Mapping[str, bytes], live: Iterable[Mapping[str, Any]], ignore: normalize.Ignored = ()
) -> dict[str, bytes]:
    """Return the files as an export leaves them, and hold that a second one finds nothing to do.

    Args:
        files: path → text, one document each.
        live: rows as the API answers.
        ignore: paths of fields that don't count.
    """
    items = [normalize.build_customization(row, ignore=ignore) for row in live]
    after = _merge(files, items, ignore)
    assert _merge(after, items, ignore) == after
    for path, text in after.items():
        assert text.endswith(b"\n")
        says = {
            entry.customization.text for entry in parse_document(text, path, ignore=ignore).entries
        }
        assert says >= {item.text for item in items if path == f"{item.model}.yaml"}
    return after


def _merge(
    files: Mapping[str, bytes], live: list[Customization], ignore: normalize.Ignored
) -> dict[str, bytes]:
    found: dict[str, Document] = parse_documents(
        ((PurePosixPath(path), text) for path, text in files.items()), live, ignore
    )
    blocks = [entry for read in found.values() for entry in read.entries]
    state: list[Customization | None] = []
    new: list[Customization] = []
    for pair in match_customizations([block.customization for block in blocks], live):
        if pair.old is not None:
            state.append(pair.new or (pair.old if pair.old.id is None else None))
        elif pair.new is not None:
            new.append(pair.new)
    outcomes = plan_documents(found, state, new)
    after = {}
    for model, outcome in outcomes.items():
        if not outcome.customizations:
            continue
        path = found[model].source if model in found else f"{model}.yaml"
        text = merge_document(found.get(model), model, outcome)
        after[path] = files[path] if text is None else text
    return after
