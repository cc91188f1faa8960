"""Synthetic customizations of some 1.2 KB of JSON each, the same for every run."""

from __future__ import annotations

import json
import random
import uuid
from typing import Any, Final, TypeAlias

Row: TypeAlias = dict[str, Any]
"""A customization, as the API answers it."""

MODELS: Final = 8


def rows(count: int, *, seed: int | None = None) -> list[Row]:
    """Return ``count`` customizations over eight models, four or five pins each."""
    chance = random.Random(count if seed is None else seed)
    return [_row(number, count, chance) for number in range(count)]


def changed(rows: list[Row], *, every: int) -> list[Row]:
    """Return the rows with a pin of every so-many-th one at another position."""
    copy = [dict(row) for row in rows]
    for row in copy[::every]:
        first, *others = row["pin_definitions"]
        row["pin_definitions"] = [{**first, "position": 9}, *others]
    return copy


def answer(rows: list[Row]) -> bytes:
    """Return an export's answer."""
    return json.dumps({"results": rows}, ensure_ascii=False).encode()


def _row(number: int, count: int, chance: random.Random) -> Row:
    return {
        "id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "model": f"model_{number % MODELS}",
        "target_type": "item",
        "target_identity": f"/p/{number}/",
        "target_criteria": None,
        "tags": ["b2b", "christmas"],
        "target_metadata": {
            "title": f"Product number {number} – řetízek 🎸",
            "image": f"https://img.example.com/{number}.jpg",
        },
        "pin_definitions": [
            _pin(position, count, chance) for position in range(1, chance.choice((5, 6)))
        ],
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-10-01T00:00:00Z",
    }


def _pin(position: int, count: int, chance: random.Random) -> dict[str, Any]:
    return {
        "position": position,
        "pin_type": "item",
        "pin_identity": f"/p/{chance.randrange(count)}/",
        "is_block_pin": False,
        "active_from": "2026-11-01T00:00:00+01:00",
        "active_to": f"2026-12-{chance.randrange(1, 29):02}T00:00:00Z",
    }
