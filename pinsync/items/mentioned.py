"""Find the items that customizations mention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinsync.canonical.pins import read_pin
from pinsync.drift.changes import read_pins
from pinsync.drift.pairs import read_data

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinsync.model import Customization


def collect_mentioned(customizations: Iterable[Customization]) -> set[str]:
    """Return the identities of the items that are targets or are pinned, blocked ones included."""
    identities: set[str] = set()
    for item in customizations:
        if item.target.identity is not None:
            identities.add(item.target.identity)
        for pin in read_pins(read_data(item)):
            pinned = read_pin(pin).item
            if pinned is not None:
                identities.add(pinned)
    return identities
