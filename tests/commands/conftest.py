"""What the tests of applies share: a shop that a real apply writes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.agreeing import OTHER, T
from support.applying import open_shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.applying import LiveShop
    from support.command_line import CommandLine


@pytest.fixture
def live(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LiveShop]:
    """A shop and a repository whose record says that they agree on `agreeing.T` and another rule."""
    with open_shop([T, OTHER], pinsync, monkeypatch) as shop:
        assert repository
        shop.begin(T, OTHER)
        yield shop
