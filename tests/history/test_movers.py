"""Who moved, decided from the versions of a rule; without git."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from msgspec import Struct

from pinsync.canonical import normalize
from pinsync.history.movers import Answer, Trace, TraceSet
from pinsync.model import Commit, Customization
from support.histories import rule

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTE = 60
NOON = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp())


class Arrived(Struct):
    """A commit, with what it says of exports."""

    commit: Commit | None
    moment: int
    exports: bool | None = False

    def has_export_of(self, _rule_id: str) -> bool | None:
        """Return whether an export came with the commit."""
        return self.exports


def arrive(name: str, at: int = NOON, *, exports: bool | None = False) -> Arrived:
    date = datetime(2026, 1, 1, tzinfo=UTC)
    return Arrived(Commit(name, name, None, "Jana", "j@x", date, name), at, exports)


def build(*pins: str, number: int = 1, named: bool = True, at: str | None = None) -> Customization:
    row = rule(number, *pins)
    if not named:
        del row["id"]
    item = normalize.build_customization(row, model="basket")
    return item._replace(updated_at=at)


OLD, NEW, OTHER = build("/p/1/"), build("/p/2/"), build("/p/3/")
UNNAMED = build("/p/1/", named=False)


def go(
    git: Customization | None,
    live: Customization | None,
    *steps: tuple[Customization | None, Arrived],
) -> tuple[str, str | None, bool]:
    """Follow a rule; return who moved, the commit, and whether older ones are needed."""
    trace = Trace(git, live)
    for old, arrived in steps:
        trace.go_back(old, arrived)
    moved, commit, _ = trace.build_answer()
    return moved, commit and commit.hash, not trace.is_finished


def shop(item: Customization, clock: str) -> Customization:
    return item._replace(updated_at=f"2026-06-01T{clock}Z")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-06-01T11:54:59Z", "git"),
        ("2026-06-01T11:55:00Z", "unknown"),
        ("2026-06-01T11:54:59.999Z", "git"),
        ("2026-06-01T11:55:00.001Z", "unknown"),
        ("2026-06-01T12:30:00Z", "unknown"),
        ("2026-06-01T13:54:59+02:00", "git"),
        ("2026-06-01T13:55:00+02:00", "unknown"),
    ],
)
def test_the_shop_must_have_kept_its_text_for_longer_than_clocks_differ(
    at: str, expected: str
) -> None:
    live = OLD._replace(updated_at=at)
    assert go(NEW, live, (OLD, arrive("a"))) == (expected, "a", False)


@pytest.mark.parametrize("at", [None, "", "soon", "2026-06-01T10:00:00", "2026-06-01"])
def test_a_date_that_can_not_be_read_proves_nothing(at: str | None) -> None:
    assert go(NEW, OLD._replace(updated_at=at), (OLD, arrive("a"))) == ("unknown", "a", False)


def test_an_export_proves_that_the_shop_had_gits_text() -> None:
    assert go(NEW, OLD, (OLD, arrive("a", exports=True))) == ("shop", "a", False)
    assert go(None, OLD, (OLD, arrive("a", exports=True))) == ("shop", "a", False)
    # An older export proves nothing about a newer text.
    steps = ((OTHER, arrive("b")), (None, arrive("a", exports=True)))
    assert go(NEW, shop(OLD, "13:00:00"), *steps)[0] == "unknown"


def test_where_an_export_can_not_be_ruled_out_git_did_not_move() -> None:
    live = shop(OLD, "10:00:00")
    assert go(NEW, live, (OLD, arrive("a", exports=None))) == ("unknown", "a", False)


def test_a_block_without_an_id_came_from_no_export() -> None:
    live = shop(build("/p/2/"), "13:00:00")
    found = go(UNNAMED, live, (None, arrive("a", exports=True)))
    assert found[:2] == ("unknown", "a")


def test_the_commit_that_wrote_the_id_is_no_change_of_the_text() -> None:
    live = shop(NEW, "13:00:00")
    wrote = (UNNAMED, arrive("b"))
    assert go(OLD, live, wrote) == ("unknown", None, True)
    assert go(OLD, live, wrote, (None, arrive("a")))[:2] == ("unknown", "a")
    exported = (UNNAMED, arrive("b", exports=True))
    assert go(OLD, live, exported, (None, arrive("a")))[:2] == ("shop", "a")


def test_a_rule_that_the_shop_lacks_needs_only_its_commit() -> None:
    assert go(OLD, None) == ("shop", None, True)
    assert go(OLD, None, (None, arrive("a"))) == ("shop", "a", False)
    assert go(UNNAMED, None, (None, arrive("a"))) == ("unknown", "a", False)


def test_a_rule_that_git_never_had() -> None:
    assert go(None, OLD) == ("extra", None, True)
    trace = Trace(None, OLD)
    trace.cut()
    assert trace.build_answer() == Answer("unknown", None)


def test_another_id_alone_is_the_shops() -> None:
    again = build("/p/1/", number=1)._replace(id="x", text=OLD.text.replace(b"id: 0", b"id: 1"))
    assert go(OLD, shop(again, "10:00:00"), (None, arrive("a"))) == ("shop", "a", False)


def test_a_history_that_ends_leaves_what_is_known() -> None:
    trace = Trace(NEW, shop(OLD, "10:00:00"))
    trace.cut()
    assert trace.build_answer() == Answer("unknown", None)
    trace = Trace(OLD, None)
    trace.cut()
    assert trace.build_answer() == Answer("shop", None)
    # Only the shop's older text was still looked for.
    trace = Trace(NEW, shop(OLD, "10:00:00"))
    trace.go_back(OTHER, arrive("a"))
    assert trace.seeks_agreement
    trace.cut()
    assert trace.is_cut
    answer = trace.build_answer()
    assert (answer.moved, answer.moved_in and answer.moved_in.hash) == ("unknown", "a")


def test_the_search_for_an_older_text_ends_with_the_dates() -> None:
    trace = Trace(NEW, shop(OLD, "12:00:00"))
    trace.go_back(OTHER, arrive("b", NOON + 60 * MINUTE))
    assert trace.seeks_agreement
    finished = []
    # An hour is left for clocks that differ.
    for moment in (NOON - 54 * MINUTE, NOON - 55 * MINUTE):
        trace.expire(moment)
        finished.append(trace.is_finished)
    assert finished == [False, True]
    assert trace.build_answer().moved == "unknown"


def follow(
    traces: Sequence[Trace],
    live: Sequence[Customization],
    old: Sequence[Customization],
    new: Sequence[Customization],
) -> list[Customization | None]:
    """Follow rules through one commit; return their older versions."""
    TraceSet(traces, live).go_back(old, new, arrive("a"))
    return [trace.item for trace in traces]


def test_rules_are_followed_by_id_then_by_text_then_by_target() -> None:
    second = build("/p/1/", number=2)
    unnamed = build("/p/9/", number=2, named=False)
    live = [shop(OLD, "10:00:00"), shop(second, "10:00:00")]
    traces = [Trace(NEW, live[0]), Trace(second, live[1])]
    assert follow(traces, live, [unnamed, OLD], [second, NEW]) == [OLD, unnamed]
    # A rule that the commit didn't change stays.
    traces = [Trace(OLD, shop(NEW, "10:00:00"))]
    assert follow(traces, live, [], [second]) == [OLD]


def test_a_removed_block_without_an_id_was_the_shops_rule() -> None:
    live = [shop(OLD, "10:00:00")]
    assert follow([Trace(None, live[0])], live, [UNNAMED], []) == [UNNAMED]
    other = build("/p/9/", named=False)
    assert follow([Trace(None, live[0])], live, [other], []) == [other]
    # By equal text even where a target is ambiguous, and each block once.
    twins = [*live, shop(OLD._replace(id="x"), "10:00:00")]
    traces = [Trace(None, item) for item in twins]
    assert follow(traces, twins, [UNNAMED, other], []) == [UNNAMED, None]
    # A block of another rule.
    assert follow([Trace(None, live[0])], live, [build("/p/1/", number=3, named=False)], []) == [
        None
    ]


def test_a_trace_that_has_its_answer_takes_no_further_step() -> None:
    trace = Trace(OLD, None)
    traces = TraceSet([trace], [])
    traces.go_back([], [OLD], arrive("b"))
    assert not traces
    traces.go_back([OTHER], [], arrive("a"))
    assert trace.build_answer().moved_in == arrive("b").commit
