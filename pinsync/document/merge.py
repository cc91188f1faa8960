"""The customizations of a model → a file's text, with as little of it changed as can be."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from pinsync import canonical
from pinsync.canonical import normalize
from pinsync.document.cut import cut_at_blank_line, cut_document
from pinsync.document.loader import load
from pinsync.document.record import Block, Document, document_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pinsync.model import Customization


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a document is to hold.

    Attributes:
        staying: for each block of the document what its customization becomes; None if it leaves.
        arriving: the other customizations, each with the block of another document that it had.
    """

    staying: list[Customization | None] = field(default_factory=list)
    arriving: list[tuple[Customization, Block | None]] = field(default_factory=list)

    @property
    def customizations(self) -> list[Customization]:
        """All customizations that the document is to hold."""
        staying = [item for item in self.staying if item is not None]
        return staying + [item for item, _ in self.arriving]


def find_outcomes(
    documents: Mapping[str, Document],
    after: Iterable[Customization | None],
    new: Iterable[Customization],
) -> dict[str, Outcome]:
    """Return what documents are to hold, by model.

    Args:
        documents: model → document.
        after: what becomes of the customization of each block, in the order of the documents.
        new: the customizations that have no block yet.
    """
    outcomes = {model: Outcome() for model in documents}
    following = iter(after)
    for model, document in documents.items():
        for block, item in zip(document.entries, following, strict=False):
            if item is None or item.model == model:
                outcomes[model].staying.append(item)
            else:
                outcomes[model].staying.append(None)
                outcomes.setdefault(item.model, Outcome()).arriving.append((item, block))
    for item in new:
        outcomes.setdefault(item.model, Outcome()).arriving.append((item, None))
    return outcomes


def merge_document(document: Document | None, model: str, outcome: Outcome) -> bytes | None:
    """Return a document's text in a new state, with as little of it changed as can be.

    Args:
        document: the document as it stands, if there is one.
        model: the recommender model.
        outcome: what the document is to hold.

    Returns:
        The new text; None if the document says all of it already, in whatever form.
    """
    if document is None:
        blocks = (block for _, block in _arrivals(outcome.arriving))
        return b"".join((document_head(model), *blocks))
    staying, moving = _find_moving(document, outcome.staying)
    if not (moving or outcome.arriving) and all(
        item is not None and item.text == entry.customization.text
        for entry, item in zip(document.entries, staying, strict=True)
    ):
        return None
    parts = [document.head]
    queue = deque(_arrivals([*moving, *outcome.arriving]))
    for entry, item in zip(document.entries, staying, strict=True):
        if item is not None or entry.gap.strip():
            parts.append(entry.gap)
        if item is None:
            continue
        while queue and queue[0][0] < canonical.order(item):
            parts.append(queue.popleft()[1])
        parts.append(rewrite_block(entry, item))
    parts += (block for _, block in queue)
    return document.to_file(b"".join((*parts, document.tail)))


def _find_moving(
    document: Document, staying: Sequence[Customization | None]
) -> tuple[list[Customization | None], list[tuple[Customization, Block | None]]]:
    """Tell what stays where its block stands from what has to be put into its place.

    What sorts as before stays, and so does what still fits: an id that is filled in moves nothing.

    Returns:
        For each block what stays there, None if nothing does; and what moves, with its block.
    """
    order = canonical.order
    fitting: list[Customization | None] = []
    moving: list[tuple[Customization, Block | None]] = []
    last: tuple[object, ...] = ()
    for entry, below, item in zip_longest(document.entries, document.entries[1:], staying):
        if item is None:
            fitting.append(None)
            continue
        key = order(item)
        if key[:-1] == order(entry.customization)[:-1] or (
            last < key and (below is None or key < order(below.customization))
        ):
            fitting.append(item)
            last = key
        else:
            fitting.append(None)
            moving.append((item, entry))
    return fitting, moving


def _arrivals(state: Iterable[tuple[Customization, Block | None]]) -> list[tuple[Any, bytes]]:
    """Return sort key and block of what has no place in the file yet, in order."""
    return sorted(
        (canonical.order(item), rewrite_block(origin, item) if origin else item.text)
        for item, origin in state
    )


def rewrite_block(origin: Block, item: Customization) -> bytes:
    """Return the block of ``item`` where ``origin`` stood, the comments above included: its bytes if it says that."""
    return put_comments_above(
        origin.lead,
        origin.body if origin.customization.text == item.text else carry_comments(origin, item),
    )


def put_comments_above(lead: bytes, block: bytes) -> bytes:
    """Return a block with comments directly above it: below those that it begins with for the place in the file."""
    if not lead or block.startswith(b"  - "):
        return lead + block
    cut = cut_document(block)
    gap, above = cut_at_blank_line(cut.head)
    return b"".join((gap, lead, above, *cut.blocks()))


def carry_comments(origin: Block, item: Customization) -> bytes:
    """Return the canonical block of ``item`` with the comments of the one that stood there."""
    if b"#" not in origin.body:
        return item.text
    # Their import takes 4 ms, and only a changed block with comments needs them.
    from pinsync.document.anchors import mark_canonical_block  # noqa: PLC0415
    from pinsync.document.comments import Counterpart, carry  # noqa: PLC0415

    loaded = load(origin.body, "the old block")
    old = loaded.data
    new = canonical.read(item.text.decode())
    if not isinstance(old, list) or new is None:
        raise AssertionError(f"the block of {item.id} was read before and can't be now")
    marks = {(0, *path): place for path, place in mark_canonical_block(item.text, 0).items()}
    counterpart = Counterpart(old[0], normalize.normalize_row(old[0]), new, 0)
    return carry((origin.body, loaded), (item.text, marks), {0: counterpart})
