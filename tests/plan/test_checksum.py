"""The checksum: equal for equal effects on the shop, different for any other effect."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pinsync.drift.record import Place, TrackerDrift
from pinsync.model import Commit
from pinsync.plan.checksum import compute_checksum
from pinsync.plan.record import TrackerPlan
from support.planning import make, plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.model import Customization
    from pinsync.plan.record import Operation

COMMIT = Commit("1f0c", "1f0", None, "Jana", "j@example.com", datetime(2026, 1, 1, tzinfo=UTC), "x")


def checksum(*trackers: tuple[str, Sequence[Operation]]) -> str:
    return compute_checksum(
        TrackerPlan(TrackerDrift(f"shop {tracker_id}", tracker_id), tuple(operations))
        for tracker_id, operations in trackers
    )


def of(git: Sequence[Customization], shop: Sequence[Customization]) -> str:
    return checksum(("1234-5678", plan(git, shop)[0]))


def test_it_is_stable() -> None:
    # A new version that changes it would refuse every plan that was approved before.
    shop = [make("a", "/p/1/"), make("b", "/p/2/")]
    git = [make("a", "/p/1/", "/p/8/"), make(None, "/p/3/")]
    assert of(git, shop) == "093fba5a16a82feccc1019e2f7c14c2ea448e83e3a31497cd22c57b0cf90c133"
    assert checksum() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_neither_commits_nor_places_nor_names_are_part_of_it() -> None:
    operations, _ = plan([make("a", text="/p/8/")], [make("a")])
    (operation,) = operations
    change = replace(operation.change, moved_in=COMMIT, place=Place("x.yaml", 7), moved="both")
    other = TrackerPlan(TrackerDrift("renamed", "1234-5678"), (replace(operation, change=change),))
    assert compute_checksum([other]) == checksum(("1234-5678", operations))


def test_an_id_that_only_git_has_is_no_part_of_it() -> None:
    shop = [make("s")]
    assert len({of([make(id_, text="/p/8/")], shop) for id_ in ("a", "s", None)}) == 1
    assert len({of([make(id_, "/p/2/"), make("s")], shop) for id_ in ("a", "b", None)}) == 1


def test_an_id_that_only_git_has_does_not_choose_between_rules_for_one_target() -> None:
    texts = ["/p/8/", "/p/9/"]
    for ids in ("ab", "ba"):
        git = [make(id_, "/p/1/", text) for id_, text in zip(ids, texts, strict=True)]
        (operation,) = plan(git, [])[0]
        assert operation.change.new_data["pin_definitions"][0]["pin_identity"] == "/p/8/"


def test_every_other_effect_has_another() -> None:
    shop = [make("a", "/p/1/"), make("b", "/p/2/")]
    effects = [
        of(shop, shop),
        of([make("a", "/p/1/", "/p/8/"), shop[1]], shop),
        of([make("a", "/p/1/", "/p/9/"), shop[1]], shop),
        of([make("a", "/p/3/"), shop[1]], shop),
        of([make("a", "/p/1/", model="cart"), shop[1]], shop),
        of([shop[0], make("b", "/p/2/", "/p/8/")], shop),
        of([shop[0]], shop),
        of([shop[1]], shop),
        of([], shop),
        of([*shop, make(None, "/p/3/")], shop),
        of([*shop, make(None, "/p/3/", "/p/8/")], shop),
        of([*shop, make(None, "/p/3/"), make(None, "/p/4/")], shop),
        # The same write to a rule that was another one before.
        of([make("a", "/p/1/", "/p/8/"), shop[1]], [make("a", "/p/1/", "/p/9/"), shop[1]]),
    ]
    assert len(set(effects)) == len(effects)


def test_trackers_and_their_order_are_part_of_it() -> None:
    operations, _ = plan([make("a", text="/p/8/")], [make("a")])
    sums = {
        checksum(("1", operations)),
        checksum(("2", operations)),
        checksum(("1", operations), ("2", [])),
        checksum(("2", []), ("1", operations)),
        checksum(("1", []), ("2", operations)),
        checksum(("1", [])),
        checksum(("2", [])),
    }
    assert len(sums) == 7


def test_the_order_of_an_answer_is_no_part_of_it() -> None:
    git = [make(letter, f"/p/{letter}/", "/p/8/") for letter in "abc"]
    shop = [make(letter, f"/p/{letter}/") for letter in "abc"]
    assert of(git, shop) == of(git[::-1], shop[::-1])
