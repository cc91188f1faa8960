"""The base of a rule that has an entry in the record of agreement; without git."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from msgspec import Struct

from pinsync.agreement.record import Entry, Version
from pinsync.canonical import normalize
from pinsync.history.movers import Trace
from pinsync.model import Commit, Customization
from support.histories import rule
from support.moving import stamp

if TYPE_CHECKING:
    from pinsync.drift.record import Moved

HOUR = 3600
BEGIN = 1767225600


def build(*pins: str, number: int = 1, named: bool = True) -> Customization:
    row = rule(number, *pins)
    if not named:
        del row["id"]
    return normalize.build_customization(row, model="basket")


T, S, S2, P = (build(f"/p/{number}/") for number in (7, 8, 9, 5))


def at(item: Customization, hours: float) -> Customization:
    """Return a rule with the date of its last change."""
    return item._replace(updated_at=stamp(hours))


class Arrived(Struct, frozen=True):
    """The n-th commit of the main line, n hours after the beginning; None for uncommitted work."""

    number: int | None
    exports: bool | None = False

    @property
    def commit(self) -> Commit | None:
        return None if self.number is None else make_commit(self.number)

    @property
    def moment(self) -> int:
        return BEGIN + (100 if self.number is None else self.number) * HOUR

    def has_export_of(self, _rule_id: str) -> bool | None:
        return self.exports


def make_commit(number: int) -> Commit:
    date = datetime(2026, 1, 1, tzinfo=UTC)
    return Commit(f"{number}", f"{number}", None, "Jana", "j@x", date, f"{number}")


class Knowledge(Struct, frozen=True):
    """An entry, on a main line whose commits are numbers; git lacks the commit ``lost``."""

    entry: Entry | None

    def is_newer(self, commit: Commit | None, other: str) -> bool | None:
        if other == "lost":
            return None
        return commit is None or int(commit.hash) > int(other)

    def limit(self, moved: Moved, _git: Customization | None, _live: Customization | None) -> Moved:
        return moved


def make_entry(base: Version | None, *proposals: Version) -> Entry:
    return Entry(str(T.id), str(T.id), base, proposals)


def go(
    git: Customization | None,
    live: Customization | None,
    entry: Entry | None,
    *steps: tuple[Customization | None, Arrived],
) -> str:
    """Follow a rule to the first commit; return who moved."""
    trace = Trace(git, live, Knowledge(entry))
    for old, arrived in steps:
        trace.go_back(old, arrived)
    return trace.build_answer().moved


BASE = make_entry(Version(T, "5"))


@pytest.mark.parametrize(
    ("git", "live", "expected"),
    [
        (T, P, "shop"),
        (T, None, "shop"),
        (S, T, "git"),
        (S, P, "both"),
        (S, None, "both"),
        (None, T, "git"),
        (None, P, "both"),
    ],
)
def test_the_base_of_the_record(
    git: Customization | None, live: Customization | None, expected: str
) -> None:
    steps: list[tuple[Customization | None, Arrived]] = [(None, Arrived(2))]
    if git != T:
        steps.insert(0, (T, Arrived(8)))
    assert go(git, live, BASE, *steps) == expected


@pytest.mark.parametrize(
    ("git", "live", "expected"),
    [(T, None, "git"), (None, T, "shop"), (None, P, "shop"), (T, P, "both")],
)
def test_a_base_may_be_that_both_lacked_the_rule(
    git: Customization | None, live: Customization | None, expected: str
) -> None:
    entry = make_entry(Version(T, "5", is_removed=True))
    steps = [(None, Arrived(8)), (T, Arrived(4))] if git else [(T, Arrived(4))]
    assert go(git, live, entry, *steps, (None, Arrived(2))) == expected


def test_a_version_that_an_export_brought_since_replaces_the_base() -> None:
    exported = (T, Arrived(8, exports=True))
    assert go(S, T, BASE, exported) == "shop"
    assert go(S2, S, BASE, (S, Arrived(9)), exported) == "git"
    assert go(S2, T, BASE, (S, Arrived(9)), exported) == "both"
    # An older one doesn't, nor one that brought a block without an id.
    assert go(S, T, BASE, (T, Arrived(8)), (S2, Arrived(4, exports=True))) == "git"
    unnamed = build("/p/8/", named=False)
    assert go(unnamed, T, BASE, (T, Arrived(8, exports=True))) == "git"


def test_of_several_versions_the_newest_counts() -> None:
    steps = ((S, Arrived(9, exports=True)), (T, Arrived(8, exports=True)))
    assert go(S2, S, BASE, *steps) == "shop"
    assert go(P, S2, BASE, (S2, Arrived(10)), *steps) == "git"


def test_a_text_that_an_export_proposed_and_git_took_replaces_the_base() -> None:
    entry = make_entry(Version(T, "5"), Version(S, "6"))
    assert go(S, T, entry, (T, Arrived(8))) == "shop"
    assert go(S, T, entry, (T, Arrived(None))) == "shop"
    assert go(S2, S, entry, (S, Arrived(9)), (T, Arrived(8))) == "git"
    # Git had the text before it was proposed, and took it from nobody.
    entry = make_entry(Version(T, "5"), Version(S, "8"))
    assert go(S, T, entry, (T, Arrived(8))) == "git"
    # A removal may be proposed, too.
    entry = make_entry(Version(T, "5"), Version(T, "6", is_removed=True))
    assert go(None, T, entry, (T, Arrived(8))) == "shop"
    assert go(S, None, entry, (None, Arrived(9)), (T, Arrived(8))) == "git"


def test_a_proposal_brings_its_date() -> None:
    entry = make_entry(Version(T, "5"), Version(at(S, 6), "6"))
    steps = ((S, Arrived(9)), (T, Arrived(8)))
    assert go(S2, at(S, 6), entry, *steps) == "git"
    assert go(S2, at(S, 7), entry, *steps) == "unknown"


def test_an_entry_with_proposals_alone_leaves_the_rest_to_the_history() -> None:
    entry = make_entry(None, Version(S, "6"))
    assert go(S, T, entry, (T, Arrived(8)), (None, Arrived(2))) == "shop"
    assert go(S2, S, entry, (S, Arrived(9)), (T, Arrived(8))) == "git"
    assert go(S2, T, entry, (T, Arrived(8)), (None, Arrived(2))) == "unknown"
    assert go(S2, at(T, 1), entry, (T, Arrived(8)), (None, Arrived(2))) == "git"
    assert go(None, S, entry) == "extra"
    assert go(build("/p/7/", named=False), None, entry, (None, Arrived(2))) == "unknown"


@pytest.mark.parametrize(
    ("base", "live", "expected"),
    [
        (at(T, 1), at(T, 1), "git"),
        (at(T, 1), at(T, 2), "unknown"),
        (at(T, 1), T, "unknown"),
        (at(T, 1), T._replace(updated_at="2026-01-01T02:00:00+01:00"), "git"),
        (T, T, "git"),
        (T, at(T, 7), "git"),
        (T, at(T, 7.95), "unknown"),
        (T, at(T, 9), "unknown"),
    ],
)
def test_saved_since(base: Customization, live: Customization, expected: str) -> None:
    entry = make_entry(Version(base, "5"))
    assert go(S, live, entry, (T, Arrived(8))) == expected


def test_the_last_replacement_of_the_base_counts() -> None:
    steps = ((T, Arrived(9)), (S, Arrived(8)), (T, Arrived(7)))
    assert go(S2, at(T, 8), BASE, *steps) == "git"


def test_git_moved_only_with_a_commit_after_the_agreement() -> None:
    # The side of git is older than the base, or has another history.
    assert go(S, T, BASE, (T, Arrived(4))) == "unknown"
    assert go(S, T, BASE, (S2, Arrived(8)), (None, Arrived(2))) == "unknown"


def test_a_commit_that_git_lacks_proves_nothing() -> None:
    for entry in (make_entry(Version(T, "lost")), make_entry(Version(T, "5"), Version(S, "lost"))):
        trace = Trace(S, at(T, 1), Knowledge(entry))
        trace.go_back(T, Arrived(8))
        assert trace.build_answer().moved == "unknown"
        assert trace.is_doubtful


def test_where_an_export_can_not_be_ruled_out_git_did_not_move() -> None:
    assert go(S, T, BASE, (T, Arrived(8, exports=None))) == "unknown"


def test_a_history_that_ends_after_the_agreement_is_enough() -> None:
    for cut, expected in ((make_commit(5), "git"), (make_commit(6), "unknown"), (None, "unknown")):
        trace = Trace(S, T, Knowledge(BASE))
        trace.go_back(T, Arrived(8))
        trace.cut(cut)
        assert trace.build_answer().moved == expected


def test_a_block_without_an_id_that_the_record_does_not_know_is_new() -> None:
    unnamed = build("/p/7/", named=False)
    assert go(unnamed, None, None, (None, Arrived(8))) == "git"
    assert go(T, None, None, (None, Arrived(8))) == "shop"
    trace = Trace(unnamed, None, Knowledge(None))
    trace.cut()
    assert trace.build_answer().moved == "unknown"
