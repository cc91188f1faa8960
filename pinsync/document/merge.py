"""The customizations of a model → a file's text, with as little of it changed as can be."""

from __future__ import annotations

from collections import deque
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from pinsync import canonical
from pinsync.canonical import normalize
from pinsync.document.cut import cut_at_blank_line, cut_document
from pinsync.document.loader import load
from pinsync.document.record import Block, Document, document_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pinsync.model import Customization


def merge_document(
    document: Document | None, model: str, state: Sequence[tuple[Customization, Block | None]]
) -> bytes | None:
    """Return a document's text in a new state, with as little of it changed as can be.

    Args:
        document: the document as it stands, if there is one.
        model: the recommender model.
        state: each customization of the new state with the entry it stems from, of this document or of another.

    Returns:
        The new text; None if the document says all of it already, in whatever form.
    """
    if document is None:
        return b"".join((document_head(model), *(block for _, block in _arrivals(state))))
    staying, arriving = _places(document, state)
    if not arriving and all(
        (same := staying.get(id(entry))) and same.text == entry.customization.text for entry in document.entries
    ):
        return None
    parts = [document.head]
    queue = deque(_arrivals(arriving))
    for entry in document.entries:
        here = staying.get(id(entry))
        if here is not None or entry.gap.strip():
            parts.append(entry.gap)
        if here is None:
            continue
        while queue and queue[0][0] < canonical.order(here):
            parts.append(queue.popleft()[1])
        parts.append(rewrite_block(entry, here))
    parts += (block for _, block in queue)
    return document.to_file(b"".join((*parts, document.tail)))


def _places(
    document: Document, state: Iterable[tuple[Customization, Block | None]]
) -> tuple[dict[int, Customization], list[tuple[Customization, Block | None]]]:
    """Tell what stays where its entry stands from what has to be put into its place.

    What sorts as before stays, and so does what still fits: an id that is filled in moves nothing.
    """
    order = canonical.order
    states = {id(origin): item for item, origin in state if origin}
    staying: dict[int, Customization] = {}
    last: tuple[object, ...] = ()
    for entry, below in zip_longest(document.entries, document.entries[1:]):
        item = states.get(id(entry))
        if item is None:
            continue
        key = order(item)
        if key[:-1] == order(entry.customization)[:-1] or (
            last < key and (below is None or key < order(below.customization))
        ):
            staying[id(entry)] = item
            last = key
    return staying, [(item, origin) for item, origin in state if id(origin) not in staying]


def _arrivals(state: Iterable[tuple[Customization, Block | None]]) -> list[tuple[Any, bytes]]:
    """Return sort key and block of what has no place in the file yet, in order."""
    return sorted(
        (canonical.order(item), rewrite_block(origin, item) if origin else item.text) for item, origin in state
    )


def rewrite_block(origin: Block, item: Customization) -> bytes:
    """Return the block of ``item`` where ``origin`` stood, the comments above included: its bytes if it says that."""
    return put_comments_above(
        origin.lead, origin.body if origin.customization.text == item.text else carry_comments(origin, item)
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
    from pinsync.document.anchors import canonical_marks  # noqa: PLC0415
    from pinsync.document.comments import Counterpart, carry  # noqa: PLC0415

    loaded = load(origin.body, "the old block")
    old = loaded.data
    new = canonical.read(item.text.decode())
    if not isinstance(old, list) or new is None:
        raise AssertionError(f"the block of {item.id} was read before and can't be now")
    marks = {(0, *path): place for path, place in canonical_marks(item.text, 0).items()}
    counterpart = Counterpart(old[0], normalize.normalize_row(old[0]), new, 0)
    return carry((origin.body, loaded), (item.text, marks), {0: counterpart})
