"""The sample shop's customizations: what a merchandiser sets up in a year, built by readable rules."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from pinsync.sandbox.products import DISCONTINUED, SHELVES, identity, titles
from pinsync.sandbox.spelling import Row

Window: TypeAlias = tuple[str | None, str | None]

ALWAYS: Final[Window] = (None, None)
CHRISTMAS: Final[Window] = ("2026-11-29T23:00:00Z", "2026-12-24T11:00:00Z")
LAST_CHRISTMAS: Final[Window] = ("2025-11-30T23:00:00Z", "2025-12-24T11:00:00Z")
YEAR_END: Final[Window] = (None, "2026-12-31T23:00:00Z")
BLACK_FRIDAY: Final[Window] = ("2026-11-26T23:00:00Z", "2026-11-29T22:59:59.999Z")
SCHOOL: Final[Window] = ("2026-08-23T22:00:00Z", "2026-09-20T22:00:00Z")
SUMMER: Final[Window] = ("2026-06-30T22:00:00Z", None)

TRUMPET: Final = 275

GLOBAL: Final = -1
BLOCK: Final[Row] = {"is_block_pin": True}
BUNDLE: Final[Row] = {"is_bundle_pin": True, "widget_id": "bundle"}
HERO: Final[Row] = {"widget_id": "hero"}
BESTSELLERS: Final[Row] = {"widget_id": "bestsellers"}

COMPLEMENTS: Final[Mapping[str, Sequence[int]]] = {
    "electric-guitars": (121, 233, 232, 251, 235),
    "acoustic-guitars": (124, 231, 235, 232),
    "basses": (125, 253, 232, 235),
    "keyboards": (238, 237, 320, 319),
    "drums": (239, 236, 342),
    "amplifiers": (233, 255, 256),
    "wind": (237, 240, 318),
    "folk": (318, 235, 240),
}
"""What goes with the instruments of a shelf, the most useful thing first."""

SEASONS: Final[Sequence[tuple[str, Window, Sequence[int]]]] = (
    ("black friday", BLACK_FRIDAY, (206, 107)),
    ("škola", SCHOOL, (TRUMPET, 272, 320)),
    ("summer", SUMMER, (145, 148, 277)),
    ("Vianoce 🎄", CHRISTMAS, (108, 341, 344)),
)
"""The homepage's seasons, by their tag."""

LANGUAGES: Final = {"cs": 320, "de": 319, "el": 317, "he": 314, "ja": 315, "sk": 318, "uk": 316}
"""The sheet music that speaks a visitor's language."""

OPENED: Final = datetime(2025, 3, 3, 8, 0, tzinfo=UTC)


def customizations() -> list[Row]:
    """Return the sample shop's customizations, the same on every call, as an API would answer with them."""
    rules = [*_complements(), *_alternatives(), *_baskets(), *_homepage(), *_categories(), *_empty_searches()]
    return [_stamped(index, name, rule) for index, (name, rule) in enumerate(rules)]


def catalog() -> frozenset[str]:
    """Return the identities of the items that the sample shop still sells; some that are pinned are not among them."""
    return frozenset(identity(number) for number in titles() if number not in DISCONTINUED)


Rules: TypeAlias = Iterator[tuple[str, Row]]
"""Customizations, each with a name of its own that its id is made from."""


def _complements() -> Rules:
    """With every instrument, three things that go with it; some only for a season."""
    for shelf, others in COMPLEMENTS.items():
        for turn, number in enumerate(SHELVES[shelf]):
            chosen = [others[0], *(others[1 + (turn + step) % (len(others) - 1)] for step in (0, 1))]
            pins = [_pin(position, other) for position, other in enumerate(chosen, start=1)]
            if shelf == "keyboards":
                pins[0] = _pin(1, 238) | BUNDLE
            if shelf == "electric-guitars":
                pins.append(_pin(4, 341, CHRISTMAS))
            if shelf == "wind" and number != TRUMPET:
                pins.insert(0, _pin(1, TRUMPET, SCHOOL) | HERO)
            tags = ("christmas", shelf) if shelf == "electric-guitars" else (shelf,)
            yield _for_item("item_detail_complements", number, pins, tags)


def _alternatives() -> Rules:
    """With an instrument its two neighbours on the shelf; what is no longer sold points at its successor."""
    for shelf in ("electric-guitars", "acoustic-guitars", "basses", "keyboards", "folk"):
        numbers = list(SHELVES[shelf])
        for index, number in enumerate(numbers):
            pins = [_pin(step, numbers[(index + step) % len(numbers)]) for step in (1, 2)]
            if number in DISCONTINUED:
                pins = [_pin(1, DISCONTINUED[number]), _pin(0, number) | BLOCK]
            yield _for_item("item_detail_alternatives", number, pins, ("clearance",) if number in DISCONTINUED else ())


def _baskets() -> Rules:
    """In the basket small things, by what lies in it and by its worth."""
    yield (
        "basket/123",
        {
            "id": "199620b4-df1a-46e8-ab59-9e9ed9af7106",
            "model": "basket",
            "target_type": "item",
            "target_identity": identity(123),
            "tags": ["christmas"],
            "target_metadata": {"title": titles()[123]},
            "pin_definitions": [_pin(1, 234, YEAR_END)],
        },
    )
    for number in SHELVES["strings"]:
        if number != 123:  # noqa: PLR2004 - the one above
            yield _for_item("basket", number, [_pin(1, 234), _pin(2, 240)], ("evergreen", "strings"))
    for number in SHELVES["sheet-music"]:
        yield _for_item("basket", number, [_pin(1, 237), _pin(2, 342, SUMMER)], ("on", "2026"))
    small = _matching(GLOBAL, {"price": {"lt": 20, "currency": "EUR"}, "in_stock": True})
    free_shipping = {"basket_total": {"gte": 40, "lt": 49.9}}
    yield _for_criteria("basket", "free-shipping", free_shipping, [small, _pin(1, 240)], ("evergreen",))
    generous = {"all_of": [{"basket_total": {"gte": 500}}, {"segment": ["b2b", "school"]}]}
    yield _for_criteria("basket", "generous", generous, [_pin(1, 343) | BUNDLE], ("b2b",))
    yield _for_all("basket", "gifts", [_pin(GLOBAL, 341, CHRISTMAS), _pin(GLOBAL, 341, LAST_CHRISTMAS)], ("christmas",))
    never = _matching(0, {"category": "services", "title": {"contains": "insurance"}}) | BLOCK
    yield _for_all("basket", "never", [never, _pin(0, 205) | BLOCK])


def _homepage() -> Rules:
    """On the homepage a season's best for all, and something to play in the visitor's language."""
    best = [_pin(position, number) | BESTSELLERS for position, number in enumerate((101, 181, 207, 148), start=1)]
    yield _for_all("homepage", "bestsellers", best, ("evergreen",))
    for name, window, numbers in SEASONS:
        pins = [_pin(position, number, window) | HERO for position, number in enumerate(numbers, start=1)]
        yield _for_all("homepage", name, pins, (name,))
    for language, number in LANGUAGES.items():
        pins = [_pin(3, number) | BESTSELLERS, _pin(GLOBAL, number, LAST_CHRISTMAS)]
        yield _for_criteria("homepage", language, {"language": language}, pins, ("languages", language))


def _categories() -> Rules:
    """On a shelf's own page its first two items, and nothing that is sold out."""
    for shelf, goods in SHELVES.items():
        first, second = list(goods)[:2]
        sold_out = _matching(0, {"category": shelf, "in_stock": False}) | BLOCK
        pins = [_pin(1, first), _pin(2, second, SUMMER), sold_out]
        yield _for_criteria("category_page", shelf, {"category": shelf}, pins, ("categories",))


def _empty_searches() -> Rules:
    """Where a search finds nothing, something all the same."""
    yield _for_all("search_results_empty", "anything", [_pin(1, 101), _pin(2, 278), _pin(3, 146)], ("evergreen",))
    for language, number in LANGUAGES.items():
        cheap = _matching(2, {"category": "sheet-music", "rating": {"gte": 4.5}})
        yield _for_criteria("search_results_empty", language, {"language": language}, [_pin(1, number), cheap])


def _for_item(model: str, number: int, pins: Sequence[Row], tags: Sequence[str] = ()) -> tuple[str, Row]:
    metadata = {"title": titles()[number], "image": f"https://cdn.harmonia.example/{number}.jpg"}
    target = {"target_type": "item", "target_identity": identity(number), "target_metadata": metadata}
    return f"{model}/{number}", _rule(model, target, pins, tags)


def _for_criteria(
    model: str, name: str, criteria: Row, pins: Sequence[Row], tags: Sequence[str] = ()
) -> tuple[str, Row]:
    return f"{model}/{name}", _rule(model, {"target_type": "criteria", "target_criteria": criteria}, pins, tags)


def _for_all(model: str, name: str, pins: Sequence[Row], tags: Sequence[str] = ()) -> tuple[str, Row]:
    return f"{model}/{name}", _rule(model, {"target_type": "all"}, pins, tags)


def _rule(model: str, target: Row, pins: Sequence[Row], tags: Sequence[str]) -> Row:
    return {"model": model, **target, "tags": list(tags), "pin_definitions": list(pins)}


def _pin(position: int, number: int, window: Window = ALWAYS) -> Row:
    pin = {"position": position, "pin_type": "item", "pin_identity": identity(number)}
    return pin | {name: moment for name, moment in zip(("active_from", "active_to"), window, strict=True) if moment}


def _matching(position: int, criteria: Row) -> Row:
    return {"position": position, "pin_type": "criteria", "pin_criteria": criteria}


def _stamped(index: int, name: str, rule: Row) -> Row:
    digest = hashlib.sha256(name.encode()).digest()
    created = OPENED + timedelta(days=3 * index, minutes=13 * index)
    updated = created + timedelta(days=index % 30)
    return {
        "id": str(uuid.UUID(bytes=digest[:16], version=4)),
        **rule,
        "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "updated_at": updated.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
