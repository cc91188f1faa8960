"""The customizations of the sample shop: a merchandiser's work of a year, built by rules."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from pinsync.sandbox.products import DISCONTINUED, SHELVES, build_identity, list_titles
from pinsync.sandbox.spelling import Row

Window: TypeAlias = tuple[str | None, str | None]

Rules: TypeAlias = Iterator[tuple[str, Row]]
"""Customizations, each with the name from which its id is made."""

# 23:00 and 22:00 UTC are midnight in Bratislava, in winter and in summer.
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
"""Shelf → accessories of its instruments, the most useful one first."""

SEASONS: Final[Sequence[tuple[str, Window, Sequence[int]]]] = (
    ("black friday", BLACK_FRIDAY, (206, 107)),
    ("škola", SCHOOL, (TRUMPET, 272, 320)),
    ("summer", SUMMER, (145, 148, 277)),
    ("Vianoce 🎄", CHRISTMAS, (108, 341, 344)),
)
"""The seasons of the homepage: tag, window of the pins, items."""

LANGUAGES: Final = {"cs": 320, "de": 319, "el": 317, "he": 314, "ja": 315, "sk": 318, "uk": 316}
"""Language of a visitor → sheet music in it."""

OPENING: Final = datetime(2025, 3, 3, 8, 0, tzinfo=UTC)


def build_customizations() -> list[Row]:
    """Return the sample shop's customizations as the API would, the same on every call."""
    rules = itertools.chain(
        _build_complements(),
        _build_alternatives(),
        _build_baskets(),
        _build_homepage(),
        _build_categories(),
        _build_empty_searches(),
    )
    return [_stamp(index, name, rule) for index, (name, rule) in enumerate(rules)]


def build_catalog() -> frozenset[str]:
    """Return the identities of the items for sale; some pinned items are not among them."""
    return frozenset(
        build_identity(number) for number in list_titles() if number not in DISCONTINUED
    )


def build_products() -> dict[str, Row]:
    """Return the attributes of each item for sale, by its identity."""
    catalog = build_catalog()
    products: dict[str, Row] = {}
    for number, title in list_titles().items():
        identity = build_identity(number)
        if identity in catalog:
            products[identity] = {"title": title, "image_link": _build_image(number)}
    return products


def _build_image(number: int) -> str:
    return f"https://cdn.harmonia.example/{number}.jpg"


def _build_complements() -> Rules:
    """Yield for each instrument three accessories, some only for a season."""
    for shelf, (first, *others) in COMPLEMENTS.items():
        for turn, number in enumerate(SHELVES[shelf]):
            second, third = others[turn % len(others)], others[(turn + 1) % len(others)]
            pins = [_pin_item(1, first), _pin_item(2, second), _pin_item(3, third)]
            if shelf == "keyboards":
                pins[0] = _pin_item(1, 238) | BUNDLE
            if shelf == "electric-guitars":
                pins.append(_pin_item(4, 341, CHRISTMAS))
            if shelf == "wind" and number != TRUMPET:
                pins.insert(0, _pin_item(1, TRUMPET, SCHOOL) | HERO)
            tags = ("christmas", shelf) if shelf == "electric-guitars" else (shelf,)
            yield _build_item_rule("item_detail_complements", number, pins, tags)


def _build_alternatives() -> Rules:
    """Yield for each instrument its neighbours on the shelf, or its successor."""
    for shelf in ("electric-guitars", "acoustic-guitars", "basses", "keyboards", "folk"):
        numbers = list(SHELVES[shelf])
        for index, number in enumerate(numbers):
            tags: tuple[str, ...] = ()
            pins = [_pin_item(step, numbers[(index + step) % len(numbers)]) for step in (1, 2)]
            # A discontinued item pins its successor, and blocks itself.
            if number in DISCONTINUED:
                tags = ("clearance",)
                pins = [_pin_item(1, DISCONTINUED[number]), _pin_item(0, number) | BLOCK]
            yield _build_item_rule("item_detail_alternatives", number, pins, tags)


def _build_baskets() -> Rules:
    """Yield small things for the basket, by the items in it and by its total."""
    # The customization of the examples in the documentation, which name its id.
    yield (
        "basket/123",
        {
            "id": "199620b4-df1a-46e8-ab59-9e9ed9af7106",
            "model": "basket",
            "target_type": "item",
            "target_identity": build_identity(123),
            "tags": ["christmas"],
            "target_metadata": {"title": list_titles()[123]},
            "pin_definitions": [_pin_item(1, 234, YEAR_END)],
        },
    )
    for number in SHELVES["strings"]:
        if number != 123:  # noqa: PLR2004 - the rule above
            yield _build_item_rule(
                "basket", number, [_pin_item(1, 234), _pin_item(2, 240)], ("evergreen", "strings")
            )
    for number in SHELVES["sheet-music"]:
        # To a careless YAML reader, these tags are a boolean and a number.
        yield _build_item_rule(
            "basket", number, [_pin_item(1, 237), _pin_item(2, 342, SUMMER)], ("on", "2026")
        )
    small = _pin_criteria(GLOBAL, {"price": {"lt": 20, "currency": "EUR"}, "in_stock": True})
    free_shipping = {"basket_total": {"gte": 40, "lt": 49.9}}
    yield _build_criteria_rule(
        "basket", "free-shipping", free_shipping, [small, _pin_item(1, 240)], ("evergreen",)
    )
    generous = {"all_of": [{"basket_total": {"gte": 500}}, {"segment": ["b2b", "school"]}]}
    yield _build_criteria_rule(
        "basket", "generous", generous, [_pin_item(1, 343) | BUNDLE], ("b2b",)
    )
    gifts = [_pin_item(GLOBAL, 341, CHRISTMAS), _pin_item(GLOBAL, 341, LAST_CHRISTMAS)]
    yield _build_rule_for_all("basket", "gifts", gifts, ("christmas",))
    insurance = {"category": "services", "title": {"contains": "insurance"}}
    never = [_pin_criteria(0, insurance) | BLOCK, _pin_item(0, 205) | BLOCK]
    yield _build_rule_for_all("basket", "never", never)


def _build_homepage() -> Rules:
    """Yield the bestsellers, each season's items, and sheet music in the visitor's language."""
    best = [
        _pin_item(position, number) | BESTSELLERS
        for position, number in enumerate((101, 181, 207, 148), start=1)
    ]
    yield _build_rule_for_all("homepage", "bestsellers", best, ("evergreen",))
    for tag, window, numbers in SEASONS:
        pins = [
            _pin_item(position, number, window) | HERO
            for position, number in enumerate(numbers, start=1)
        ]
        yield _build_rule_for_all("homepage", tag, pins, (tag,))
    for language, number in LANGUAGES.items():
        pins = [_pin_item(3, number) | BESTSELLERS, _pin_item(GLOBAL, number, LAST_CHRISTMAS)]
        yield _build_criteria_rule(
            "homepage", language, {"language": language}, pins, ("languages", language)
        )


def _build_categories() -> Rules:
    """Yield for each shelf its first two items, and a block of sold-out items."""
    for shelf, goods in SHELVES.items():
        first, second = list(goods)[:2]
        sold_out = _pin_criteria(0, {"category": shelf, "in_stock": False}) | BLOCK
        pins = [_pin_item(1, first), _pin_item(2, second, SUMMER), sold_out]
        yield _build_criteria_rule(
            "category_page", shelf, {"category": shelf}, pins, ("categories",)
        )


def _build_empty_searches() -> Rules:
    """Yield the items to show when a search finds nothing."""
    pins = [_pin_item(1, 101), _pin_item(2, 278), _pin_item(3, 146)]
    yield _build_rule_for_all("search_results_empty", "anything", pins, ("evergreen",))
    for language, number in LANGUAGES.items():
        popular = _pin_criteria(2, {"category": "sheet-music", "rating": {"gte": 4.5}})
        pins = [_pin_item(1, number), popular]
        yield _build_criteria_rule("search_results_empty", language, {"language": language}, pins)


def _build_item_rule(
    model: str, number: int, pins: Sequence[Row], tags: Sequence[str] = ()
) -> tuple[str, Row]:
    metadata = {"title": list_titles()[number], "image": _build_image(number)}
    target = {
        "target_type": "item",
        "target_identity": build_identity(number),
        "target_metadata": metadata,
    }
    return f"{model}/{number}", _build_rule(model, target, pins, tags)


def _build_criteria_rule(
    model: str, name: str, criteria: Row, pins: Sequence[Row], tags: Sequence[str] = ()
) -> tuple[str, Row]:
    target = {"target_type": "criteria", "target_criteria": criteria}
    return f"{model}/{name}", _build_rule(model, target, pins, tags)


def _build_rule_for_all(
    model: str, name: str, pins: Sequence[Row], tags: Sequence[str] = ()
) -> tuple[str, Row]:
    return f"{model}/{name}", _build_rule(model, {"target_type": "all"}, pins, tags)


def _build_rule(model: str, target: Row, pins: Sequence[Row], tags: Sequence[str]) -> Row:
    return {"model": model, **target, "tags": list(tags), "pin_definitions": list(pins)}


def _pin_item(position: int, number: int, window: Window = ALWAYS) -> Row:
    pin: Row = {"position": position, "pin_type": "item", "pin_identity": build_identity(number)}
    start, end = window
    if start:
        pin["active_from"] = start
    if end:
        pin["active_to"] = end
    return pin


def _pin_criteria(position: int, criteria: Row) -> Row:
    return {"position": position, "pin_type": "criteria", "pin_criteria": criteria}


def _stamp(index: int, name: str, rule: Row) -> Row:
    # From the name, so that each run and each machine has the same ids.
    digest = hashlib.sha256(name.encode()).digest()
    created = OPENING + timedelta(days=3 * index, minutes=13 * index)
    updated = created + timedelta(days=index % 30)
    return {
        "id": str(uuid.UUID(bytes=digest[:16], version=4)),
        **rule,
        "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "updated_at": updated.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
