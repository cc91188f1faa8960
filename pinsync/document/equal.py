"""The blocks that both sides of a comparison share, so that they needn't be parsed.

Two blocks of one model with equal bytes are the same customization, whatever they say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync.document.parse import parse_document
from pinsync.document.record import render_head
from pinsync.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pinsync.canonical.normalize import Ignored
    from pinsync.model import Customization

_ID: Final = re.compile(rb"  - id: ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\n")
"""The first line of a block with a UUID, as pinsync writes it."""
_IDENTITY_KEY: Final = b"\n    target_identity: "
_IDENTITY: Final = re.compile(
    rb"""(?:([A-Za-z/_][A-Za-z0-9_./-]*)|"([^"\\\n]*)"|'([^'\n]*)')\n(?=    [^ \n]|\Z)"""
)
"""An identity that stands on one line for certain, without escapes or a comment."""


class EqualBlocks(NamedTuple):
    """The blocks of one model that are equal on both sides.

    Attributes:
        model: the recommender model.
        blocks: the blocks, with the comments below each.
    """

    model: str
    blocks: Sequence[bytes]

    def find_targeting(
        self, identities: Collection[str], ignore: Ignored
    ) -> Iterator[Customization]:
        """Yield the customizations whose target is one of the items.

        Args:
            identities: the identities of the items.
            ignore: paths of fields to leave out.
        """
        wanted = frozenset(identity.encode() for identity in identities)
        head = render_head(self.model)
        for block in self.blocks:
            if not _may_target(block, wanted):
                continue
            try:
                document = parse_document(head + block, "", ignore=ignore)
            except FileError:
                # A block that is broken in the same way on both sides has no target.
                continue
            for entry in document.entries:
                if entry.customization.target.identity in identities:
                    yield entry.customization


def find_equal_blocks(old: Sequence[bytes], new: Sequence[bytes]) -> frozenset[bytes]:
    """Return the blocks with an id that both sides of a model have.

    Rules without an id are paired by their content and their target, so they are left to be read.
    """
    old_blocks, new_blocks = frozenset(old), frozenset(new)
    # Two equal blocks have the same id twice. That is an error, which only a reader can report.
    if len(old_blocks) < len(old) or len(new_blocks) < len(new):
        return frozenset()
    return frozenset(block for block in old_blocks & new_blocks if _ID.match(block))


def read_block_ids(blocks: Collection[bytes]) -> Iterator[str]:
    """Yield the ids of blocks from `find_equal_blocks`."""
    for block in blocks:
        if found := _ID.match(block):
            yield found[1].decode()


def _may_target(block: bytes, wanted: frozenset[bytes]) -> bool:
    """Return whether a block may have one of the identities as its target."""
    # A search for fixed bytes takes a hundredth of the time of a pattern that begins with ^.
    at = block.find(_IDENTITY_KEY)
    found = _IDENTITY.match(block, at + len(_IDENTITY_KEY)) if at >= 0 else None
    if found:
        return found[found.lastindex or 0] in wanted
    # Other spellings are left to the parser. A key without these letters has escapes.
    return b"target_identity" in block or b"\\" in block
