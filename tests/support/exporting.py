"""What the tests of the export share: a small shop, how it is served, and how a folder is held to
its state.
"""

from __future__ import annotations

import copy
import io
import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinsync.sandbox import Answer, Fault, Sandbox

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    import pytest

Row = dict[str, Any]

STRINGS, EVERYONE, HOME = (
    "199620b4-df1a-46e8-ab59-9e9ed9af7106",
    "b3e6e3c1-1a3b-4c2d-8e4f-2a3b4c5d6e7f",
    "5d1c7a52-97f6-4a0e-9a5e-0d2f6c1b8a11",
)

_ROWS: list[Row] = [
    {
        "id": STRINGS,
        "model": "basket",
        "target_type": "item",
        "target_identity": "/p/123/",
        "tags": ["christmas"],
        "target_metadata": {"title": "Strings: 9-42 #1"},
        "pin_definitions": [
            {"position": 1, "pin_type": "item", "pin_identity": "/p/234/"},
            {"position": 2, "pin_type": "item", "pin_identity": "/p/235/"},
        ],
    },
    {
        "id": EVERYONE,
        "model": "basket",
        "target_type": "all",
        "pin_definitions": [{"position": -1, "pin_type": "item", "pin_identity": "/p/9/"}],
    },
    {
        "id": HOME,
        "model": "home",
        "target_type": "item",
        "target_identity": "/p/1/",
        "tags": ["summer"],
        "pin_definitions": [{"position": 1, "pin_type": "item", "pin_identity": "/p/2/"}],
    },
]
BASKET_TEXT = """\
format: 1
model: basket
customizations:
  - id: 199620b4-df1a-46e8-ab59-9e9ed9af7106
    target_type: item
    target_identity: /p/123/
    tags:
      - christmas
    target_metadata:
      title: "Strings: 9-42 #1"
    pin_definitions:
      - position: 1
        pin_type: item
        pin_identity: /p/234/
      - position: 2
        pin_type: item
        pin_identity: /p/235/
  - id: b3e6e3c1-1a3b-4c2d-8e4f-2a3b4c5d6e7f
    target_type: all
    pin_definitions:
      - position: -1
        pin_type: item
        pin_identity: /p/9/
"""
HOME_TEXT = """\
format: 1
model: home
customizations:
  - id: 5d1c7a52-97f6-4a0e-9a5e-0d2f6c1b8a11
    target_type: item
    target_identity: /p/1/
    tags:
      - summer
    pin_definitions:
      - position: 1
        pin_type: item
        pin_identity: /p/2/
"""


def rows() -> list[Row]:
    """Return the small shop: two rules of one model and one of another."""
    return copy.deepcopy(_ROWS)


def rule(number: int, model: str = "basket", **fields: object) -> Row:
    """Return one of as many rules as a test needs."""
    identifier = f"00000000-0000-4000-8000-{number:012d}"
    return {
        "id": identifier,
        "model": model,
        "target_type": "item",
        "target_identity": f"/p/{number}/",
        **fields,
    }


@contextmanager
def served(
    monkeypatch: pytest.MonkeyPatch,
    content: Iterable[Mapping[str, Any]] | None = None,
    catalog: Collection[str] | None = None,
) -> Iterator[Sandbox]:
    """Serve customizations, the small shop by default, and point the environment there."""
    with Sandbox(rows() if content is None else content, seed=1, catalog=catalog) as api:
        for name, value in api.environment.items():
            monkeypatch.setenv(name, value)
        yield api


def piped(monkeypatch: pytest.MonkeyPatch, content: bytes | Sequence[object]) -> None:
    """Put bytes, or rows as a saved export, on standard input."""
    if not isinstance(content, bytes):
        content = json.dumps({"results": content}).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


def answered(api: Sandbox, body: bytes | Sequence[object] | Mapping[str, object]) -> None:
    """Let the next request be answered with this body: bytes as they are, rows as ``results``, else
    JSON.
    """
    if not isinstance(body, bytes):
        body = json.dumps(body if isinstance(body, dict) else {"results": body}).encode()
    api.fail(Fault(answer=Answer(200, body)))


def edited(api: Sandbox, identifier: str, **fields: object) -> None:
    """Change fields of a live customization, as somebody does in the UI."""
    api.replace({**api.get(identifier), **fields})


def repinned(api: Sandbox, identifier: str, position: int = 7) -> None:
    """Move the first pin of a live customization."""
    row = api.get(identifier)
    row["pin_definitions"][0]["position"] = position
    api.replace(row)


def document(name: str = "basket", folder: str = "customizations") -> Path:
    """Return the path of a document in the current folder."""
    return Path(folder, f"{name}.yaml")


def put(path: Path, text: str | bytes) -> Path:
    """Write a file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


_LOCKS = ("lock", "writer")


def state(folder: Path, besides: Collection[str] = _LOCKS) -> dict[str, tuple[bytes, int, int]]:
    """Return bytes, time and mode of every file below a folder, git's included, but not pinsync's
    own ``besides``.
    """
    return {
        str(path.relative_to(folder)): (
            path.read_bytes(),
            path.stat().st_mtime_ns,
            path.stat().st_mode,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not (path.parent.name == "pinsync" and path.name in besides)
    }


@contextmanager
def untouched(folder: Path, *, tried: bool = False, recorded: bool = False) -> Iterator[None]:
    """Hold a folder to its state: no file is written, made or removed; what was ``tried`` may have
    been noted down, and what was ``recorded`` of an agreement is a commit of its own.
    """
    besides = (*_LOCKS, "written.json") if tried else _LOCKS
    before = state(folder, besides)
    yield
    after = state(folder, besides)
    changed = sorted(
        name
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
        and not (recorded and name.startswith((".git/objects/", ".git/refs/pinsync/")))
    )
    if changed:
        raise AssertionError(f"changed: {', '.join(changed)}")
