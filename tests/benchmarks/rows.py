"""Synthetic customizations as a shop has them, the same for every run.

Half of the rows are plain: an item as the target, and pins of items. 37 % have pins of criteria, 9 %
have criteria as the target. Some lists of pins aren't sorted, and every window is a different one.
``python tests/benchmarks/rows.py --count N`` prints them as an export's answer.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import uuid
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

Row: TypeAlias = dict[str, Any]
"""A customization, as the API answers it."""

MODELS: Final = 8

_KINDS: Final = {"plain": 50, "criteria pins": 37, "criteria target": 9, "all": 4}
"""Kind of a row → its share in percent."""
_SHARES: Final = {
    "window": 0.6,
    "open window": 0.4,
    "widget": 0.1,
    "bundle": 0.02,
    "block": 0.05,
    "unsorted": 0.1,
}
"""The share of pins with a window, of windows without an end, of pins with a widget, and of bundle
pins; then the share of lists with a blocked item, and of unsorted lists.
"""
_START: Final = datetime(2026, 3, 1)  # noqa: DTZ001 - the offset is written behind it
_YEAR: Final = 365 * 86_400
"""A year in seconds."""


def rows(count: int, *, seed: int | None = None) -> list[Row]:
    """Return ``count`` customizations over eight models, one to six pins each."""
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
    (kind,) = chance.choices([*_KINDS], [*_KINDS.values()])
    target_type = {"criteria target": "criteria", "all": "all"}.get(kind, "item")
    is_item = target_type == "item"
    return {
        "id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "model": f"model_{number % MODELS}",
        "target_type": target_type,
        "target_identity": f"/p/{number}/" if is_item else None,
        "target_criteria": _criteria(chance) if target_type == "criteria" else None,
        "tags": chance.choice(([], ["christmas"], ["b2b", "christmas"], ["sale"])),
        "target_metadata": {
            "title": f"Product number {number} – řetízek 🎸",
            "image": f"https://img.example.com/{number}.jpg",
        }
        if is_item
        else {},
        "pin_definitions": _pins(count, chance, with_criteria=kind == "criteria pins"),
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": _moment(chance.randrange(_YEAR)),
    }


def _pins(count: int, chance: random.Random, *, with_criteria: bool) -> list[dict[str, Any]]:
    size = chance.randint(2, 6)
    pins = [_pin(position, count, chance) for position in range(1, size)]
    if with_criteria:
        for pin in chance.sample(pins, chance.randint(1, len(pins))):
            pin |= {"pin_type": "criteria", "pin_identity": None, "pin_criteria": _criteria(chance)}
    if chance.random() < _SHARES["block"]:
        pins.append({**_pin(0, count, chance), "is_block_pin": True})
    if chance.random() < _SHARES["unsorted"]:
        chance.shuffle(pins)
    return pins


def _pin(position: int, count: int, chance: random.Random) -> dict[str, Any]:
    pin: dict[str, Any] = {
        "position": position,
        "pin_type": "item",
        "pin_identity": f"/p/{chance.randrange(count)}/",
        "is_block_pin": False,
    }
    if chance.random() < _SHARES["widget"]:
        pin["widget_id"] = f"widget-{chance.randrange(5)}"
    if chance.random() < _SHARES["bundle"]:
        pin["is_bundle_pin"] = True
    if chance.random() < _SHARES["window"]:
        since = chance.randrange(_YEAR)
        is_open = chance.random() < _SHARES["open window"]
        until = since + 1 + chance.randrange(_YEAR)
        pin["active_from"] = _moment(since, chance.choice(("Z", "+01:00")))
        pin["active_to"] = None if is_open else _moment(until)
    return pin


def _criteria(chance: random.Random) -> dict[str, Any]:
    """Return one of some 1,600 criteria; a shop has few brands and categories."""
    criteria: dict[str, Any] = {
        "category": [f"Kategória {chance.randrange(20)}"],
        "brand": f"Brand {chance.randrange(40)}",
    }
    if chance.random() < 0.5:
        criteria["price"] = {"lte": 100.0, "gte": 20}
    return criteria


def _moment(second: int, offset: str = "Z") -> str:
    return f"{(_START + timedelta(seconds=second)).isoformat()}{offset}"


def main() -> None:
    """Print an export's answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, required=True, help="number of customizations")
    sys.stdout.buffer.write(answer(rows(parser.parse_args().count)))


if __name__ == "__main__":
    main()
