"""The drifts that every report is shown: real comparisons of small shops, hostile, partial, and
large ones.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from pinsync import canonical
from pinsync.canonical.moments import format_utc
from pinsync.drift.causes import Omissions, add_causes
from pinsync.drift.changes import compare_customizations
from pinsync.drift.record import Change, Drift, Moved, Place, Side, TrackerDrift
from pinsync.drift.shoppers import add_shoppers
from pinsync.errors import DataError, RemoteError
from pinsync.escape import one_line
from pinsync.reports.words.entries import build_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import tzinfo

    from pinsync.errors import PinsyncError
    from pinsync.model import Customization
    from pinsync.reports.words.entries import Entry

Row = dict[str, Any]

FETCHED: Final = datetime(2026, 11, 21, 17, 55, tzinfo=UTC)
COMMIT: Final = "1f0c9a7be2d34856a7b8c9d0e1f2a3b4c5d6e7f8"
BASE: Final = "9d8c7b6a5f4e3d2c1b0a9f8e7d6c5b4a39281706"
HEAD: Final = Side("HEAD", revision=COMMIT)
LIVE: Final = Side("@live", fetched_at=FETCHED)
HERO: Final = {"widget_id": "hero"}
TWO_TAGS: Final = {"tags": ["evergreen", "strings"]}
CHRISTMAS: Final = {"active_from": "2026-11-29T23:00:00Z", "active_to": "2026-12-24T11:00:00Z"}


def pin(position: int, thing: str | Row, more: Row | None = None) -> Row:
    """A pin of an item, or of what matches criteria."""
    kind = "item" if isinstance(thing, str) else "criteria"
    return {
        "position": position,
        "pin_type": kind,
        f"pin_{'identity' if kind == 'item' else kind}": thing,
        **(more or {}),
    }


def rule(
    number: int,
    target: str | Row | None,
    pins: Iterable[Row],
    title: str = "",
    more: Row | None = None,
) -> Row:
    """A customization of an item, of criteria, or of all; its id is made of a number."""
    row: Row = {"id": f"00000000-0000-4000-8000-{number:012d}"}
    if target is None:
        row |= {"target_type": "all"}
    elif isinstance(target, str):
        row |= {"target_type": "item", "target_identity": target}
    else:
        row |= {"target_type": "criteria", "target_criteria": target}
    more = dict(more or {})
    if tags := more.pop("tags", None):
        row["tags"] = tags
    if title:
        row["target_metadata"] = {"title": title}
    if found := list(pins):
        row["pin_definitions"] = found
    return row | more


def state(
    models: dict[str, Sequence[Row]], updated: Callable[[Row], str | None] = lambda _: None
) -> list[Customization]:
    """The customizations of a state, in a document's order."""
    found = [
        canonical.build(model, row, updated_at=updated(row))
        for model, rows in models.items()
        for row in rows
    ]
    return sorted(found, key=lambda item: (item.model, canonical.build_sort_key(item)))


def placed(
    changes: Iterable[Change], files: Sequence[Customization], folder: str = "customizations"
) -> list[Change]:
    """The changes, with the lines at which the customizations in ``files`` stand."""
    places: dict[int, Place] = {}
    ends: dict[str, int] = {}
    for item in files:
        line = ends.get(item.model, 3) + 1
        places[id(item)] = Place(f"{folder}/{item.model}.yaml", line)
        ends[item.model] = line + item.text.count(b"\n") - 1
    return [
        replace(change, place=places.get(id(change.old)) or places.get(id(change.new)))
        for change in changes
    ]


def move_shop(change: Change) -> Moved | None:
    """Somebody changed the shop, whatever differs."""
    if change.cause != "edited":
        return None
    return "extra" if change.kind == "added" else "shop"


def move_nobody(_change: Change) -> Moved | None:
    """No side is the shop."""
    return None


def build_drift(
    old: Side,
    new: Side,
    trackers: tuple[TrackerDrift, ...],
    notes: tuple[str, ...] = (),
    *,
    is_unrestricted: bool = True,
) -> Drift:
    """A drift that is seen from the moment of the answer."""
    return Drift(old, new, trackers, format_utc(FETCHED), notes, is_unrestricted)


def tracker(
    old: Sequence[Customization],
    new: Sequence[Customization],
    *,
    name: str = "default",
    filters: Omissions | None = None,
    folder: str = "customizations",
    names: Mapping[str, str] | None = None,
    move: Callable[[Change], Moved | None] = move_shop,
) -> TrackerDrift:
    """The drift of one tracker from what is committed to what is live."""
    changes, unchanged = compare_customizations(old, new)
    if filters:
        changes = add_causes(changes, filters, live_is_new=True)
    changes = [
        replace(change, moved=move(change)) for change in add_shoppers(changes, format_utc(FETCHED))
    ]
    return TrackerDrift(
        name, "1234-5678", tuple(placed(changes, old, folder)), unchanged, names=names or {}
    )


def describe(drift: Drift, zone: tzinfo = UTC) -> list[Entry]:
    """The entries of a drift, in its order."""
    words = build_words(drift, zone, one_line)
    return [
        words.adapt_to(found).describe(change)
        for found in drift.trackers
        for change in found.changes
    ]


def texts_of(entry: Entry) -> list[tuple[str, str]]:
    """The rows of an entry without their labels: the old and the new side of each section."""
    return [
        ("  ".join(cell.text for cell in old.cells), "  ".join(cell.text for cell in new.cells))
        for old, new in (section.rows for section in entry.sections)
    ]


def failed(error: PinsyncError, *, name: str = "default") -> TrackerDrift:
    """A tracker that could not be compared."""
    return TrackerDrift(name, "2345-6789", error=error)


STRINGS: Final = "Strings: 9-42 #1"
COMMITTED: Final[dict[str, Sequence[Row]]] = {
    "basket": [
        rule(
            1,
            "/p/123/",
            [pin(1, "/p/234/", {"active_to": "2026-12-24T11:00:00Z"}), pin(3, "/p/240/")],
            STRINGS,
        ),
        rule(
            2,
            "/p/124/",
            [pin(1, "/p/237/"), pin(2, "/p/342/")],
            "Struny nylonové",
            {"tags": ["evergreen"]},
        ),
        rule(
            3,
            {"basket_total": {"gte": 40, "lt": 49.9}},
            [pin(-1, {"in_stock": True, "price": {"lt": 20}})],
        ),
        rule(4, None, [pin(0, "/p/205/", {"is_block_pin": True}), pin(-1, "/p/341/", CHRISTMAS)]),
        *(rule(number, f"/p/{number}/", [pin(1, "/p/234/")]) for number in range(500, 520)),
    ],
    "homepage": [
        rule(
            5,
            None,
            [pin(1, "/p/206/", HERO), pin(2, "/p/107/", HERO)],
            "Black Friday",
        ),
        rule(6, {"language": "sk"}, [pin(3, "/p/318/", {"active_to": "2026-11-20T22:59:59Z"})]),
        rule(7, {"language": "cs"}, [pin(3, "/p/320/")]),
    ],
    "item_detail_alternatives": [
        rule(8, "/p/101/", [pin(1, "/p/102/"), pin(2, "/p/103/")], "Stratocaster"),
        rule(9, "/p/104/", [pin(1, "/p/105/")], "Telecaster '52"),
        rule(10, "/p/106/", [pin(1, "/p/107/")], "Les Paul"),
    ],
}
EDITED: Final[dict[str, Sequence[Row]]] = {
    "basket": [
        rule(1, "/p/123/", [pin(1, "/p/240/"), pin(2, "/p/999/"), pin(3, "/p/234/")], STRINGS),
        rule(2, "/p/124/", [pin(1, "/p/237/"), pin(2, "/p/342/")], "Struny nylonové, vysoké", TWO_TAGS),
        rule(3, {"basket_total": {"gte": 60, "lt": 49.9}}, [pin(-1, {"in_stock": True, "price": {"lt": 25}})]),
        rule(4, None, [pin(2, "/p/205/"), pin(-1, "/p/341/", CHRISTMAS | {"active_to": "2026-12-26T22:59:59.999Z"})]),
        *(rule(number, f"/p/{number}/", [pin(1, "/p/234/")]) for number in range(500, 520)),
    ],
    "homepage": [
        rule(5, None, [pin(1, "/p/888/", HERO), pin(2, "/p/107/", {"widget_id": "side"})], "Black Friday"),
        rule(6, {"language": "sk"}, []),
        rule(7, {"language": "cs"}, [pin(3, "/p/320/")], "", {"enabled": False}),
        rule(11, {"language": "de"}, [pin(1, "/p/319/", CHRISTMAS), pin(0, {"category": "services"})], "Weihnacht 🎄"),
    ],
    "item_detail_alternatives": [
        rule(8, "/p/101/", [pin(1, "/p/102/")], "Stratocaster"),
        rule(90, "/p/104/", [pin(1, "/p/105/")], "Telecaster '52"),
    ],
}  # fmt: skip
CATALOG: Final[dict[str, Sequence[Row]]] = {
    "item_detail_alternatives": [
        rule(8, "/p/101/", [pin(1, "/p/102/"), pin(2, "/p/103/")], "Stratocaster")
    ]
}
"""What the API has when pins of items that are gone aren't left out."""
NAMES: Final = {
    "/p/107/": "Les Paul Custom",
    "/p/234/": "Struny nylonové, vysoké napätie, sada šiestich",
    "/p/240/": "Strap",
    "/p/888/": 'Combo 15"',
}
"""The titles of pinned items that are known."""


def committed() -> list[Customization]:
    """What the repository of the small shop has."""
    return state(COMMITTED)


def edited() -> list[Customization]:
    """What somebody made of it in the UI."""
    return state(EDITED, lambda row: None if row["id"].endswith("11") else "2026-11-20T08:00:00Z")


def in_sync() -> Drift:
    """Nothing differs."""
    return build_drift(HEAD, LIVE, (tracker(committed(), committed()),))


def shop() -> Drift:
    """The drift check of a small shop: every kind of change to customizations, pins and fields, and
    every cause.
    """
    unfiltered = {item.id: item for item in state(CATALOG) if item.id}
    return build_drift(
        HEAD,
        LIVE,
        (tracker(committed(), edited(), filters=Omissions(FETCHED, unfiltered), names=NAMES),),
    )


def afternoon() -> Drift:
    """What was done in the UI in one afternoon, all in one model."""
    rules = [
        rule(1, "/p/101/", [pin(1, "/p/121/"), pin(3, "/p/232/")], "Halden Comet, sunburst"),
        rule(2, "/p/104/", [pin(2, "/p/235/")], "Kestrel Flying Fish"),
        rule(3, "/p/108/", [pin(1, "/p/121/")], "Starter set", {"tags": ["christmas", "guitars"]}),
        rule(4, "/p/142/", [pin(1, "/p/124/"), pin(2, "/p/235/")], "Moravan OM-3"),
        rule(5, "/p/145/", [pin(1, "/p/124/")], "Cestovná gitara"),
        rule(6, "/p/148/", [pin(1, "/p/124/")], "Ukulele", {"tags": ["small"]}),
        rule(7, "/p/149/", [pin(1, "/p/124/")], "Mandolin"),
    ]
    gifts = rule(
        3, "/p/108/", [pin(1, "/p/121/", {"active_to": "2026-12-24T11:00:00Z"})], "Starter set"
    )
    edits = [
        rule(1, "/p/101/", [pin(1, "/p/232/"), pin(3, "/p/121/")], "Halden Comet, sunburst"),
        rule(2, "/p/104/", [pin(2, "/p/999/")], "Kestrel Flying Fish"),
        gifts | {"tags": ["christmas", "gifts"]},
        rule(5, "/p/145/", [pin(1, "/p/124/")], "Travel guitar, foldable"),
        rule(
            6,
            "/p/148/",
            [pin(0, "/p/101/", {"is_block_pin": True})],
            "Ukulele",
            {"tags": ["small"]},
        ),
        rules[-1],
        rule(8, "/p/555/", [pin(1, "/p/232/"), pin(4, "/p/341/", CHRISTMAS)], "Travel case"),
    ]
    names = {
        "/p/101/": "Halden Comet, sunburst",
        "/p/121/": "Tuner",
        "/p/124/": "Capo",
        "/p/232/": "Leather strap",
    }
    old, new = state({"basket": rules}), state({"basket": edits}, lambda _: "2026-11-21T16:44:06Z")
    return build_drift(HEAD, LIVE, (tracker(old, new, names=names),))


def one_pin() -> Drift:
    """The most usual drift: one pin of one customization."""
    old = state({"basket": [rule(1, "/p/123/", [pin(1, "/p/234/"), pin(2, "/p/240/")], STRINGS)]})
    new = state({"basket": [rule(1, "/p/123/", [pin(1, "/p/999/"), pin(2, "/p/240/")], STRINGS)]})
    return build_drift(HEAD, LIVE, (tracker(old, new),))


def labels() -> Drift:
    """Nothing that a shopper could see."""
    old = state({"basket": [rule(1, "/p/123/", [pin(1, "/p/234/")], "Strings", {"tags": ["a"]})]})
    new = state(
        {"basket": [rule(1, "/p/123/", [pin(1, "/p/234/")], STRINGS, {"tags": ["a", "b"]})]}
    )
    return build_drift(HEAD, LIVE, (tracker(old, new),))


def branch() -> Drift:
    """The review of a branch, whose configuration changed too; no live side."""
    old = state(COMMITTED)
    basket, *rest = EDITED["basket"]
    moved = rule(9, "/p/104/", [pin(1, "/p/105/")], "Telecaster '52")
    new = state({**COMMITTED, "basket": [basket, moved, *rest[3:]], "item_detail_alternatives": []})
    note = (
        "pinsync.yaml differs: ignore has tags on the right only; both sides are read with the "
        "left's"
    )
    sides = Side("origin/main", revision=BASE), Side("HEAD", revision=COMMIT)
    return build_drift(*sides, (tracker(old, new, move=move_nobody),), (note,))


def several() -> Drift:
    """Several trackers: one drifts, one fails, one is in sync."""
    error = RemoteError(
        (
            "https://live.luigisbox.tech: 401 Unauthorized: the API refuses the key of tracker "
            "2345-6789"
        ),
        hint="check LUIGISBOX_KEY_CZ; the key belongs to one tracker",
    )
    first = tracker(committed(), edited(), name="shop-sk", folder="customizations/shop-sk")
    last = tracker(committed(), committed(), name="shop-pl")
    return build_drift(
        HEAD,
        LIVE,
        (first, failed(error, name="shop-cz"), replace(last, notes=("the answer has no date",))),
    )


def nothing_known() -> Drift:
    """The only tracker fails: nobody knows whether anything differs."""
    error = RemoteError(
        "https://live.luigisbox.tech: no connection", hint="check the network, or HTTPS_PROXY"
    )
    return build_drift(HEAD, LIVE, (failed(error),))


def no_commits() -> Drift:
    """Everything is added: the repository has no commits."""
    new = state({"basket": list(COMMITTED["basket"])[:2]})
    note = "the repository has no commits: everything counts as added"
    return build_drift(Side("HEAD"), LIVE, (tracker([], new),), (note,))


def preview() -> Drift:
    """The preview of one's own edits: live on the left, files on the right, a new rule without
    id.
    """
    new_rule = {
        key: value
        for key, value in rule(1, "/p/1/", [pin(1, "/p/2/")], "New").items()
        if key != "id"
    }
    old, new = committed(), state({**COMMITTED, "basket": [*COMMITTED["basket"][1:], new_rule]})
    found = tracker(old, new)
    return build_drift(
        LIVE, Side("@worktree"), (replace(found, changes=tuple(placed(found.changes, new))),)
    )


HOSTILE: Final = (
    "a\nb\r\n\tc",
    "\x1b[31mred\x1b[0m \u202egnp.exe\u202c \u200b\ufeff\x00\x85\u2028",
    "@octocat @org/team #1 GH-1 org/repo#1 1f0c9a7be2d34856a7b8c9d0e1f2a3b4c5d6e7f8 :tada:",
    ("https://evil.example www.evil.example me@evil.example <https://evil.example> "
"ftp://evil.example"),
    "![x](https://evil.example/x.png) [y](https://evil.example) [z]: https://evil.example",
    ("</details></summary></td><img src=x onerror=alert(1)><script>alert(1)</script><!-- --> "
"&lt;b&gt; &amp;"),
    "a | b \\| c || d ` e `` f ``` g \\` h",
    "$x$ $$y$$ $`z`$ ~~s~~ **b** __b__ *i* _i_ # h - l 1. l > q",
    "::error file=x::y ##[error]z ::add-mask::m",
    "' \" ' & < > ]]> --> }} ${{ secrets.X }}",
    "  two  spaces  ",
    "",
    "`",
    "\\",
    "→ · position 1: /p/1/ → /p/2/",
    "עברית عربى 日本語 👩\u200d💻 🇸🇰 e\u0301",
    "x" * 900,
)  # fmt: skip
"""Texts that would do harm in one format or another."""


def hostile() -> Drift:
    """Every untrusted text of a report, hostile."""
    old_rows, new_rows = [], []
    for number, text in enumerate(HOSTILE):
        old_pins = [pin(1, text or "-"), pin(2, {text: [text, None]}, {"widget_id": text or "-"})]
        new_pins = [
            pin(1, f"{text}2", {"active_to": text}),
            pin(3, {text: [text, None]}, {text or "-": text}),
        ]
        old_rows.append(
            rule(number, text or "-", old_pins, text, {"tags": [text], "switch": {text: 1}})
        )
        new_rows.append(
            rule(
                number,
                text or "-",
                new_pins,
                f"{text}!",
                {"tags": [f"{text}!"], "switch": {text: 2}},
            )
        )
    old_rows.append(rule(900, {HOSTILE[5]: HOSTILE[2]}, [pin(1, HOSTILE[6])]))
    old, new = state({HOSTILE[6]: old_rows}), state({HOSTILE[6]: new_rows}, lambda _: HOSTILE[3])
    names = {f"{text or '-'}{end}": text for text in HOSTILE for end in ("", "2")}
    found = tracker(old, new, name=HOSTILE[2], folder=HOSTILE[1], names=names)
    found = replace(found, tracker_id="../x?y=)", notes=HOSTILE)
    broken = failed(DataError("\n".join(HOSTILE), hint="\n".join(HOSTILE)), name=HOSTILE[5])
    return build_drift(Side(HOSTILE[6]), Side(HOSTILE[2]), (found, broken), HOSTILE)


def large(customizations: int, *, pins: int = 3, models: int = 6) -> Drift:
    """Every customization changed in all of its pins."""

    def rows(turn: int, model: int) -> list[Row]:
        numbers = range(model, customizations, models)
        return [
            rule(
                number,
                f"/p/{number}/",
                [pin(at + 1, f"/p/{turn}{at}/") for at in range(pins)],
                f"Item @{number}",
            )
            for number in numbers
        ]

    old, new = (
        state({f"model_{model}": rows(turn, model) for model in range(models)}) for turn in (1, 2)
    )
    return build_drift(HEAD, LIVE, (tracker(old, new),))


CASES: Final[dict[str, Callable[[], Drift]]] = {
    function.__name__: function
    for function in (
        in_sync,
        shop,
        afternoon,
        one_pin,
        labels,
        branch,
        several,
        nothing_known,
        no_commits,
        preview,
        hostile,
    )
}
"""The cases with golden files below ``cases/reports/``, by name."""
