"""Write the customizations of a model into its document, and change as little text as possible."""

from __future__ import annotations

from collections import deque
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from pinsync import canonical
from pinsync.canonical import normalize
from pinsync.document.cut import cut_at_blank_line, cut_document
from pinsync.document.loader import load
from pinsync.document.record import Block, Document, render_head

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pinsync.model import Customization


class DocumentPlan(Struct, frozen=True):
    """The future customizations of a document.

    Attributes:
        staying: the new customization of each block of the document; None for a removed block.
        arriving: the other customizations, each with its block if that is in another document now.
    """

    staying: list[Customization | None] = field(default_factory=list)
    arriving: list[tuple[Customization, Block | None]] = field(default_factory=list)

    @property
    def customizations(self) -> list[Customization]:
        """All future customizations of the document."""
        staying = [item for item in self.staying if item is not None]
        return staying + [item for item, _ in self.arriving]


def plan_documents(
    documents: Mapping[str, Document],
    after: Iterable[Customization | None],
    new: Iterable[Customization],
) -> dict[str, DocumentPlan]:
    """Return the plans of documents, by model.

    Args:
        documents: model → document.
        after: the new customization of each block, in the order of the documents; None for a
            removed block.
        new: the customizations without a block.
    """
    plans = {model: DocumentPlan() for model in documents}
    remaining = iter(after)
    for model, document in documents.items():
        # zip() takes no customization too many, because it asks the blocks first.
        for block, item in zip(document.entries, remaining, strict=False):
            if item is None or item.model == model:
                plans[model].staying.append(item)
            else:
                # The rule got another model. Its block goes along, with the comments.
                plans[model].staying.append(None)
                plans.setdefault(item.model, DocumentPlan()).arriving.append((item, block))
    for item in new:
        plans.setdefault(item.model, DocumentPlan()).arriving.append((item, None))
    return plans


def merge_document(document: Document | None, model: str, plan: DocumentPlan) -> bytes | None:
    """Return the new text of a document, with as few changes as possible.

    Args:
        document: the document before; None for a new one.
        model: the recommender model.
        plan: the future customizations of the document.

    Returns:
        The new text; None if the document already says the same in any form.
    """
    if document is None:
        blocks = [block for _, block in _render_arrivals(plan.arriving)]
        return b"".join((render_head(model), *blocks))
    staying, moving = _separate_moving(document, plan.staying)
    arriving = [*moving, *plan.arriving]
    if not arriving and _is_unchanged(document, staying):
        return None
    parts = [document.head]
    queue = deque(_render_arrivals(arriving))
    for entry, item in zip(document.entries, staying, strict=True):
        # A comment with a blank line below belongs to the place in the file, not to the block. So
        # it survives the block, while mere blank lines go with it.
        if item is not None or entry.gap.strip():
            parts.append(entry.gap)
        if item is None:
            continue
        while queue and queue[0][0] < canonical.build_sort_key(item):
            parts.append(queue.popleft()[1])
        parts.append(rewrite_block(entry, item))
    parts += (block for _, block in queue)
    return document.encode_like_file(b"".join((*parts, document.tail)))


def _is_unchanged(document: Document, staying: Sequence[Customization | None]) -> bool:
    for entry, item in zip(document.entries, staying, strict=True):
        if item is None or item.text != entry.customization.text:
            return False
    return True


def _separate_moving(
    document: Document, staying: Sequence[Customization | None]
) -> tuple[list[Customization | None], list[tuple[Customization, Block | None]]]:
    """Separate the customizations that stay at their place from the moving ones.

    Returns:
        The customization of each block that stays at its place, or None; and the moving
        customizations with their blocks.
    """
    order = canonical.build_sort_key
    fitting: list[Customization | None] = []
    moving: list[tuple[Customization, Block | None]] = []
    last: tuple[object, ...] = ()
    for entry, below, item in zip_longest(document.entries, document.entries[1:], staying):
        if item is None:
            fitting.append(None)
            continue
        key = order(item)
        # The last element of the key is the text. Another text alone moves nothing, even in a
        # document that a person sorted by hand. A new key may still fit between the neighbours: an
        # id that is filled in moves nothing.
        if key[:-1] == order(entry.customization)[:-1] or (
            last < key and (below is None or key < order(below.customization))
        ):
            fitting.append(item)
            last = key
        else:
            fitting.append(None)
            moving.append((item, entry))
    return fitting, moving


def _render_arrivals(
    arriving: Iterable[tuple[Customization, Block | None]],
) -> list[tuple[Any, bytes]]:
    """Return the sort key and the text of each block that has no place in the file yet, sorted."""
    arrivals: list[tuple[Any, bytes]] = []
    for item, origin in arriving:
        text = rewrite_block(origin, item) if origin else item.text
        arrivals.append((canonical.build_sort_key(item), text))
    return sorted(arrivals)


def rewrite_block(origin: Block, item: Customization) -> bytes:
    """Return the text of a block with a new customization, and with the comments above.

    Args:
        origin: the block before; its bytes stay if the canonical text is the same.
        item: the new customization.
    """
    body = origin.body
    if origin.customization.text != item.text:
        body = carry_comments(origin, item)
    return put_comments_above(origin.lead, body)


def put_comments_above(lead: bytes, block: bytes) -> bytes:
    """Return a block with more comments directly above its first line."""
    if not lead or block.startswith(b"  - "):
        return lead + block
    # The block begins with comments of its own. Those with a blank line below belong to the place
    # in the file and stay on top.
    cut = cut_document(block)
    gap, above = cut_at_blank_line(cut.head)
    return b"".join((gap, lead, above, *cut.split_blocks()))


def carry_comments(origin: Block, item: Customization) -> bytes:
    """Return the canonical block of a customization with the comments of its old block."""
    if b"#" not in origin.body:
        return item.text
    # Imported here because it takes 4 ms, and only a changed block with comments needs it.
    from pinsync.document.anchors import mark_canonical_block  # noqa: PLC0415
    from pinsync.document.comments import Counterpart, carry  # noqa: PLC0415

    loaded = load(origin.body, "the old block")
    old = loaded.data
    new = canonical.read(item.text.decode())
    if not isinstance(old, list) or new is None:
        raise AssertionError(f"the block of {item.id} was read before and can't be now")
    # The body is a list with the block as its only element.
    marks = {(0, *path): place for path, place in mark_canonical_block(item.text, 0).items()}
    counterpart = Counterpart(old[0], normalize.normalize_row(old[0]), new, 0)
    return carry((origin.body, loaded), (item.text, marks), {0: counterpart})
