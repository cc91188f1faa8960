"""A version is the same whether the version before it was read or not."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, cast

from hypothesis import given

from pinsync.canonical.normalize import build_customization
from pinsync.document.record import render_document
from pinsync.history.versions import Version, VersionReader
from pinsync.repository import Object
from support import states
from support.strategies import QUICK, SEEDED

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    import pytest

    from pinsync.repository import Reader

PATH = PurePosixPath("customizations/basket.yaml")


class Blobs:
    """Stands in for git's objects."""

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}

    def add(self, content: bytes) -> str:
        name = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        self._contents[name] = content
        return name

    def find(self, name: str) -> Object:
        return Object(name, "blob", self._contents[name])

    def open_reader(self) -> VersionReader:
        return VersionReader(cast("Reader", self))


def draw_versions(random: Random, path: Path) -> list[bytes]:
    """Return the texts of a document, each after an edit of the one before."""
    rows = [{**states.some_row(random), "model": "basket"} for _ in range(random.randint(1, 8))]
    texts: list[bytes] = []
    for _ in range(6):
        kind = random.random()
        if kind < 0.6 or not texts:
            rows = [{**row, "model": "basket"} for row in states.change_rows(random, rows)]
            path.write_bytes(render_document("basket", map(build_customization, rows)))
        else:
            edits = random.choices((states.TIDY, states.UNTIDY, states.BROKEN), (6, 2, 1))[0]
            states.edit_document(random, path, edits)
        texts.append(path.read_bytes())
    return texts


@QUICK
@given(random=SEEDED)
def test_a_version_is_the_same_whatever_was_read_before(
    random: Random, tmp_path_factory: pytest.TempPathFactory
) -> None:
    blobs = Blobs()
    reader = blobs.open_reader()
    ignore = random.choice(((), (("tags",), ("target_metadata", "title"))))
    for text in draw_versions(random, tmp_path_factory.mktemp("version") / "basket.yaml"):
        blob = blobs.add(text)
        found = reader.read(PATH, blob, ignore)
        alone = blobs.open_reader().read(PATH, blob, ignore)
        if isinstance(found, Version) and isinstance(alone, Version):
            assert list(found.lines) == list(alone.lines)
            found, alone = found._replace(lines=()), alone._replace(lines=())
            # Equal customizations are one object, however they were read.
            known = {id(item) for item in reader.customizations}
            assert known.issuperset(map(id, found.items))
        assert found == alone
