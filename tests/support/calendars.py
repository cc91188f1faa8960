"""The calendars that every format is shown: a small shop before Christmas, and one of hostile texts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from pinsync import canonical
from pinsync.canonical import normalize
from pinsync.canonical.moments import Window, parse_option, to_instant
from pinsync.drift.changes import find_titles
from pinsync.drift.pairs import read_data
from pinsync.drift.record import Place, Side
from pinsync.shelf.calendar import (
    Calendar,
    RuleSchedule,
    TrackerCalendar,
    collect_named_items,
)
from pinsync.shelf.schedule import build_schedule
from support.drifts import pin, rule
from support.hostile import TITLES, rows

Row = dict[str, Any]

ZONE: Final = ZoneInfo("Europe/Bratislava")
NOW: Final = datetime(2026, 12, 2, 14, 30, tzinfo=UTC)
CHANGED: Final = datetime(2026, 11, 3, 8, 30, 15, tzinfo=UTC)
ADVENT: Final = {"active_from": "2026-11-28T23:00:00Z", "active_to": "2026-12-24T23:00:00Z"}
SALE: Final = {"active_from": "2026-12-26T23:00:00Z", "active_to": "2027-01-31T22:00:00Z"}

SHOP: Final = (
    rule(
        1,
        "/p/1/",
        [
            pin(1, "/p/2/", ADVENT),
            pin(2, "/p/3/", ADVENT),
            pin(1, "/p/3/", {"active_from": "2026-12-23T23:00:00Z"}),
            pin(3, "/p/4/", SALE),
            pin(5, {"category": "strings"}, {"widget_id": "hero", "active_to": "2026-12-31"}),
        ],
        "Strings: 9-42 #1",
    ),
    rule(
        2,
        None,
        [
            pin(-1, "/p/1/", SALE),
            pin(0, "/p/1/", {"is_block_pin": True, "active_from": "2027-01-05T22:00:00Z"}),
            pin(4, "/p/9/", {"active_from": SALE["active_to"], "active_to": SALE["active_from"]}),
        ],
    ),
    rule(3, "/p/3/", [pin(1, "/p/4/")], "Cable, 6 m"),
    rule(4, "/p/5/", [], "Without pins"),
)


def calendar(
    *items: Row, start: str = "2026-11-21", end: str = "2027-02-28", model: str = "basket"
) -> Calendar:
    """The calendar of some rules of one model."""
    first = parse_option(start, ZONE, option="--from")
    last = parse_option(end, ZONE, option="--to", end=True)
    limits = Window(to_instant(first), to_instant(last))
    customizations = [canonical.build(model, normalize.normalize_row(row)) for row in items]
    schedules: list[RuleSchedule] = []
    for line, item in enumerate(customizations, 4):
        data = read_data(item)
        place = Place("customizations/basket.yaml", line)
        schedules.append(RuleSchedule(item, data, build_schedule(data, limits), place))
    names = find_titles(collect_named_items(schedules), customizations)
    tracker = TrackerCalendar("shop-sk", "1234-5678", tuple(schedules), CHANGED, names)
    return Calendar(first, last, NOW, Side("@worktree"), (tracker,))


def hostile() -> Calendar:
    """Hostile texts wherever a rule has foreign text, with windows that start and end."""
    shop = rows("!")
    for number, row in enumerate(shop):
        windows = (ADVENT, SALE, {"active_to": TITLES[number]})
        pins = row["pin_definitions"]
        row["pin_definitions"] = [{**one, **windows[number % 3]} for one in pins]
    one = calendar(*shop)
    (tracker,) = one.trackers
    names = dict(zip(TITLES, TITLES, strict=True))
    return replace(one, trackers=(replace(tracker, names={**tracker.names, **names}),))
