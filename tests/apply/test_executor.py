"""The executor against a sandbox: the calls it makes, what becomes of each operation, and when it
ends.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.apply.executor import Choices
from pinsync.apply.journal import Journal
from pinsync.apply.record import MISSING
from pinsync.errors import FileError
from pinsync.sandbox.faults import parse_fault
from pinsync.sandbox.service import is_write
from support.executing import ALONE, Setup, build_row, build_rule
from support.planning import make

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pinsync.model import Customization
    from pinsync.sandbox import Sandbox
    from pinsync.sandbox.messages import Request

Row = dict[str, Any]


def target(number: int) -> str:
    return f"/p/{number}/"


def update(*numbers: int) -> tuple[list[Customization], list[Customization]]:
    """Return git's and the shop's rules, of which git changed all."""
    git = [make(f"id-{number}", target(number), "/p/90/") for number in numbers]
    live = [make(f"id-{number}", target(number), "/p/80/") for number in numbers]
    return git, live


def create(*numbers: int) -> list[Customization]:
    """Return rules without ids."""
    return [make(None, target(number), "/p/90/") for number in numbers]


def edit(number: int, pin: str = "/p/70/") -> Callable[[Sandbox], None]:
    """Return an edit of a person."""

    def save(sandbox: Sandbox) -> None:
        row = sandbox.get(f"id-{number}")
        row["pin_definitions"][0]["pin_identity"] = pin
        sandbox.replace(row)

    return save


# The usual way.


def test_each_rule_is_read_before_it_is_written_and_the_first_of_a_kind_once_more(
    tmp_path: Path,
) -> None:
    git, live = update(1, 2)
    live += [make("id-7", target(7)), make("id-8", target(8))]
    run = Setup([*git, *create(3, 4, 5)], live).run(tmp_path)
    assert run.calls == [
        *("GET scope/id-1 200", "PUT scope/id-1 200", "GET scope/id-1 200"),
        *("GET scope/id-2 200", "PUT scope/id-2 200"),
        *("POST scopes/export 200", "POST scope 200"),
        f"GET scope/{run.executor.outcomes[2].rule_id} 200",
        "POST scopes/_bulk 200",
        *("GET scope/id-7 200", "DELETE scope/id-7 204", "GET scope/id-7 404"),
        *("GET scope/id-8 200", "DELETE scope/id-8 204"),
        "POST scopes/export 200",
    ]
    assert run.states == [f"done {target(number)}" for number in (1, 2, 3, 4, 5, 7, 8)]
    assert run.shop == {target(number): "/p/90/" for number in (1, 2, 3, 4, 5)}
    assert run.slept == 0
    assert run.stop is None
    # The export gave every created rule its id.
    assert all(outcome.rule_id for outcome in run.executor.outcomes.values())
    events = [event["event"] for event in run.events]
    assert events.count("send") == events.count("acknowledged") == 6


def test_nothing_is_asked_of_an_empty_plan(tmp_path: Path) -> None:
    run = Setup([], []).run(tmp_path)
    assert run.calls == []
    assert run.live is None


def test_a_swap_and_a_freed_target_meet_no_taken_target(tmp_path: Path) -> None:
    live = [make("id-1", target(1), "/p/81/"), make("id-2", target(2), "/p/82/")]
    live += [make("id-3", target(3), "/p/83/"), make("id-4", target(4), "/p/84/")]
    git = [make("id-1", target(2), "/p/81/"), make("id-2", target(1), "/p/82/")]
    git += [make("id-3", target(5), "/p/83/"), make(None, target(3), "/p/90/")]
    git += [make(None, target(4), "/p/94/")]
    run = Setup(git, live).run(tmp_path)
    assert {state.partition(" ")[0] for state in run.states} == {"done"}
    assert run.shop == {
        target(1): "/p/82/",
        target(2): "/p/81/",
        target(3): "/p/90/",
        target(4): "/p/94/",
        target(5): "/p/83/",
    }


def test_several_requests_run_at_once_behind_the_first(tmp_path: Path) -> None:
    git, live = update(*range(1, 31))
    run = Setup(git, live, choices=Choices(parallel=4)).run(tmp_path)
    assert set(run.states) == {f"done {target(number)}" for number in range(1, 31)}
    assert run.calls[:3] == ["GET scope/id-1 200", "PUT scope/id-1 200", "GET scope/id-1 200"]
    assert len(run.calls) == 2 * 30 + 1 + 1


# What somebody did meanwhile.


def test_a_rule_that_changed_since_the_plan_is_left_alone(tmp_path: Path) -> None:
    git, live = update(1, 2)
    live.append(make("id-3", target(3)))

    def meddle(sandbox: Sandbox) -> None:
        edit(1)(sandbox)
        edit(3)(sandbox)

    run = Setup(git, live, meanwhile=meddle).run(tmp_path)
    assert run.states == ["changed /p/1/", "done /p/2/", "changed /p/3/"]
    assert run.shop == {target(1): "/p/70/", target(2): "/p/90/", target(3): "/p/70/"}
    assert run.details[0] == "somebody changed it since the plan"


def test_a_rule_that_is_gone_since_the_plan(tmp_path: Path) -> None:
    git, live = update(1, 2)
    live.append(make("id-3", target(3)))

    def delete(sandbox: Sandbox) -> None:
        sandbox.delete("id-1")
        sandbox.delete("id-3")

    run = Setup(git, live, meanwhile=delete).run(tmp_path)
    assert run.states == ["changed /p/1/", "done /p/2/", "done /p/3/"]
    assert run.details == ["somebody deleted it since the plan", "", "somebody deleted it already"]
    assert run.executor.outcomes[0].rule_id is None


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_rule_that_goes_between_its_reading_and_its_write(method: str, tmp_path: Path) -> None:
    git, live = update(1)

    def delete(sandbox: Sandbox, _: int, request: Request) -> None:
        if request.method == method:
            sandbox.delete("id-1")

    run = Setup(git if method == "PUT" else [], live, watch=delete).run(tmp_path)
    state = "changed" if method == "PUT" else "done"
    assert run.states == [f"{state} /p/1/"]
    assert run.stop is None


def test_somebody_was_faster_with_the_same_text(tmp_path: Path) -> None:
    git, live = update(1)

    def meddle(sandbox: Sandbox) -> None:
        edit(1, "/p/90/")(sandbox)
        sandbox.create(build_row(make(None, target(2), "/p/90/")))

    run = Setup([*git, *create(2)], live, meanwhile=meddle).run(tmp_path)
    assert run.states == ["done /p/1/", "done /p/2/"]
    assert run.details == ["the shop had it already"] * 2
    assert not any(outcome.was_sent for outcome in run.executor.outcomes.values())


def test_somebody_created_a_rule_with_the_target(tmp_path: Path) -> None:
    def meddle(sandbox: Sandbox) -> None:
        sandbox.create(build_row(make(None, target(2), "/p/70/")))

    run = Setup(create(1, 2), [], meanwhile=meddle).run(tmp_path)
    assert run.states == ["done /p/1/", "changed /p/2/"]
    assert run.details[1] == "somebody created a rule with this target since the plan"
    assert run.shop == {target(1): "/p/90/", target(2): "/p/70/"}


def test_a_rule_that_keeps_its_target_holds_up_who_waits_for_it(tmp_path: Path) -> None:
    live = [make("id-1", target(1), "/p/81/"), make("id-2", target(2), "/p/82/")]
    # 2 goes away, so that 1 gets its target, and a new rule gets the target of 1.
    git = [make("id-1", target(2), "/p/81/"), make(None, target(1), "/p/91/")]
    run = Setup(git, live, meanwhile=edit(2)).run(tmp_path)
    assert run.states == ["changed /p/2/", "held /p/2/", "held /p/1/"]
    assert run.shop == {target(1): "/p/81/", target(2): "/p/70/"}
    assert "PUT" not in " ".join(run.calls)


def test_an_edit_right_after_the_write_is_seen(tmp_path: Path) -> None:
    git, live = update(1)

    def meddle(sandbox: Sandbox, _: int, request: Request) -> None:
        if request.path.endswith("export"):
            edit(1)(sandbox)

    run = Setup(git, live, watch=meddle).run(tmp_path)
    assert run.states == ["edited /p/1/"]
    assert run.details == ["somebody changed it right after the write"]
    # It might have been a stale answer.
    assert run.slept >= 60


# The first of a kind.


def test_a_first_update_that_came_back_differently_ends_the_run(tmp_path: Path) -> None:
    git, live = update(1, 2, 3)

    def meddle(sandbox: Sandbox, number: int, _: Request) -> None:
        if number == 3:
            edit(1)(sandbox)

    run = Setup(git, live, watch=meddle).run(tmp_path)
    assert run.states == ["different /p/1/", "waiting /p/2/", "waiting /p/3/"]
    assert run.stop == "the shop kept something else than was written: pin_definitions"
    assert run.shop[target(2)] == "/p/80/"


def build_titled(id_: str | None, number: int, title: str, pin: str = "/p/80/") -> Customization:
    """Return a rule with ``target_metadata``."""
    row = build_row(make(id_, target(number), pin))
    return build_rule({**row, "target_metadata": {"title": title}, "id": id_ or "new"})


@pytest.mark.parametrize("is_allowed", [False, True])
def test_a_shop_that_drops_metadata(is_allowed: bool, tmp_path: Path) -> None:
    git = [build_titled(f"id-{number}", number, "A", "/p/90/") for number in (1, 2)]
    live = [build_titled(f"id-{number}", number, "A") for number in (1, 2)]
    choices = Choices(parallel=1, allow_dropped_metadata=is_allowed)
    run = Setup(git, live, api=["metadata-on-put=drop"], choices=choices).run(tmp_path)
    if is_allowed:
        assert run.states == ["done /p/1/", "done /p/2/"]
        assert run.shop == {target(1): "/p/90/", target(2): "/p/90/"}
        assert run.stop is None
        return
    assert run.states == ["different /p/1/", "waiting /p/2/"]
    assert run.stop == "the shop dropped target_metadata"
    assert run.executor.stop
    assert run.executor.stop.hint == "--allow-dropped-metadata goes on"


def test_an_update_that_only_adds_metadata_is_sent(tmp_path: Path) -> None:
    git, live = [build_titled("id-1", 1, "A")], [make("id-1", target(1), "/p/80/")]
    choices = Choices(parallel=1, allow_dropped_metadata=True)
    run = Setup(git, live, choices=choices).run(tmp_path)
    assert run.states == ["done /p/1/"]
    assert run.sandbox.get("id-1")["target_metadata"] == {"title": "A"}


def test_the_first_rule_with_metadata_is_read_back_too(tmp_path: Path) -> None:
    git, live = update(1)
    git += [build_titled(f"id-{number}", number, "A", "/p/90/") for number in (2, 3)]
    live += [build_titled(f"id-{number}", number, "A") for number in (2, 3)]
    run = Setup(git, live, api=["metadata-on-put=drop"]).run(tmp_path)
    assert run.states == ["done /p/1/", "different /p/2/", "waiting /p/3/"]
    assert run.stop == "the shop dropped target_metadata"


def test_a_shop_that_keeps_its_own_metadata(tmp_path: Path) -> None:
    git, live = [build_titled("id-1", 1, "B", "/p/90/")], [build_titled("id-1", 1, "A")]
    run = Setup(git, live, api=["metadata-on-put=keep"]).run(tmp_path)
    assert run.states == ["different /p/1/"]
    assert run.stop == "the shop kept something else than was written: target_metadata.title"


def test_metadata_that_only_an_export_lacks(tmp_path: Path) -> None:
    git, live = update(1)
    git, live = (
        [build_titled("id-1", 1, "A", "/p/90/"), *git[1:]],
        [build_titled("id-1", 1, "A"), *live[1:]],
    )

    def meddle(sandbox: Sandbox, _: int, request: Request) -> None:
        if request.path.endswith("export"):
            row = sandbox.get("id-1")
            row.pop("target_metadata", None)
            sandbox.replace(row)

    run = Setup(git, live, watch=meddle).run(tmp_path)
    assert run.states == ["different /p/1/"]
    assert run.details == ["the shop dropped target_metadata"]


def test_a_shop_that_ignores_the_first_write(tmp_path: Path) -> None:
    git, live = [build_titled("id-1", 1, "B")], [build_titled("id-1", 1, "A")]
    run = Setup(git, live, api=["metadata-on-put=keep"]).run(tmp_path)
    assert run.states == ["lost /p/1/"]
    assert run.details == ["the shop doesn't show the write"]


# Stale reads.


@pytest.mark.parametrize("name", ["stale-get", "stale-export"])
def test_reads_that_are_stale_for_some_seconds(name: str, tmp_path: Path) -> None:
    git, live = update(1, 2)
    live.append(make("id-9", target(9)))
    run = Setup([*git, *create(3, 4)], live, api=[f"{name}=8"]).run(tmp_path)
    assert {state.partition(" ")[0] for state in run.states} == {"done"}
    assert run.shop == {target(number): "/p/90/" for number in (1, 2, 3, 4)}
    assert 8 <= run.slept < 60


def test_a_shop_that_never_shows_the_first_write(tmp_path: Path) -> None:
    git, live = update(1, 2)
    run = Setup(git, live, api=["stale-get=3600", "stale-export=3600"]).run(tmp_path)
    assert run.states == ["lost /p/1/", "waiting /p/2/"]
    assert run.stop == "the shop doesn't show the first update after 20 s"
    assert 20 <= run.slept < 30


def test_an_export_that_never_shows_the_writes(tmp_path: Path) -> None:
    git, live = update(1, 2)
    run = Setup([*git, *create(3, 4)], live, api=["stale-export=3600"]).run(tmp_path)
    assert run.states == [f"unseen {target(number)}" for number in (1, 2, 3, 4)]
    assert 60 <= run.slept < 70
    assert run.stop is None


# Answers that are lost.


LOSSES: list[tuple[str, str, str]] = []
for _kind in ("500", "503", "504", "408", "reset", "html"):
    for _call in ("update", "create", "bulk", "delete"):
        LOSSES += [(_kind, _call, "before"), (_kind, _call, "after")]
# The answers of the other calls have no body that could be cut.
LOSSES += [("truncate", "update", "after"), ("truncate", "create", "after")]


@pytest.mark.parametrize(("kind", "call", "effect"), LOSSES)
def test_a_lost_answer_is_looked_up_and_never_repeated(
    kind: str, call: str, effect: str, tmp_path: Path
) -> None:
    git: list[Customization] = []
    live: list[Customization] = []
    if call in ("update", "delete"):
        git, live = update(1, 2)
    if call == "delete":
        git = []
    if call in ("create", "bulk"):
        git = create(1, 2, 3)
    number = 2 if call == "bulk" else 1
    setting = "" if kind == "truncate" else f":effect={effect}"
    run = Setup(git, live, faults=[f"{kind}:write={number}{setting}"]).run(tmp_path)
    writes = sum(is_write(request) for request in run.sandbox.requests)
    states = {state.partition(" ")[0] for state in run.states}
    if effect == "after":
        assert states == {"done"}
        assert run.stop is None
        assert writes == 2
    else:
        assert "lost" in states
        assert run.stop
        assert " was lost, " in run.stop
        assert writes == number
        assert 20 <= run.slept < 40
    assert len(run.shop) == len(run.sandbox.customizations())


def test_a_lost_answer_and_stale_reads(tmp_path: Path) -> None:
    git, live = update(1, 2)
    setup = Setup([*git, *create(3, 4, 5)], live, api=["stale-get=8", "stale-export=8"])
    setup.faults = [f"reset:write={number}:effect=after" for number in (1, 3, 4)]
    run = setup.run(tmp_path)
    assert {state.partition(" ")[0] for state in run.states} == {"done"}
    assert run.shop == {target(number): "/p/90/" for number in (1, 2, 3, 4, 5)}


def test_half_of_a_bulk_call_that_broke_off(tmp_path: Path) -> None:
    setup = Setup(create(1, 2, 3, 4, 5), [], api=["bulk=partial"])
    setup.faults = ["500:write=2:effect=half"]
    run = setup.run(tmp_path)
    assert run.states == [
        *("done /p/1/", "done /p/2/", "done /p/3/"),
        *("lost /p/4/", "lost /p/5/"),
    ]
    assert run.stop == (
        "the answer to 2 writes was lost, and the shop doesn't show them after 20 s"
    )


# Refusals.


def test_a_refused_rule_ends_the_run(tmp_path: Path) -> None:
    git, live = update(1, 2, 3)
    run = Setup(git, live, faults=["422:write=2"]).run(tmp_path)
    assert run.states == ["done /p/1/", "refused /p/2/", "waiting /p/3/"]
    assert run.stop
    assert "422" in run.stop


def test_keep_going_goes_past_a_422_and_no_other_status(tmp_path: Path) -> None:
    git, live = update(1, 2, 3)
    choices = Choices(parallel=1, keep_going=True)
    for status, last in (("422", "done"), ("400", "waiting"), ("401", "waiting")):
        folder = tmp_path / status
        folder.mkdir()
        run = Setup(git, live, faults=[f"{status}:write=2"], choices=choices).run(folder)
        assert run.states == ["done /p/1/", "refused /p/2/", f"{last} /p/3/"]


@pytest.mark.parametrize("api", [[], ["bulk=partial"]])
def test_keep_going_sends_the_rules_of_a_refused_bulk_call_one_by_one(
    api: list[str], tmp_path: Path
) -> None:
    choices = Choices(parallel=1, keep_going=True)
    git = create(1, 2, 4, 5)
    git.insert(2, refused_rule(3))
    run = Setup(git, [], api=api, choices=choices).run(tmp_path)
    assert run.states == [
        *("done /p/1/", "done /p/2/", "refused /p/3/"),
        *("done /p/4/", "done /p/5/"),
    ]
    assert run.shop == {target(number): "/p/90/" for number in (1, 2, 4, 5)}


def refused_rule(number: int) -> Customization:
    """Return a rule that the sandbox refuses."""
    row = build_row(make("x", target(number), "/p/90/"))
    rule = build_rule({**row, "note": "unknown to the API"})
    return make(None, target(number))._replace(text=b"  - " + rule.text.partition(b"\n    ")[2])


def test_a_refused_bulk_call_ends_the_run_and_says_which_lines_are_there(tmp_path: Path) -> None:
    git = [*create(1, 2), refused_rule(3), *create(4)]
    run = Setup(git, [], api=["bulk=partial"]).run(tmp_path)
    assert run.states == ["done /p/1/", "done /p/2/", "refused /p/3/", "refused /p/4/"]
    assert run.shop == {target(1): "/p/90/", target(2): "/p/90/"}


def test_lines_of_a_refused_bulk_call_that_a_stale_export_shows_late(tmp_path: Path) -> None:
    git = [*create(1, 2), refused_rule(3), *create(4)]
    run = Setup(git, [], api=["bulk=partial", "stale-export=8"]).run(tmp_path)
    assert run.states == ["done /p/1/", "done /p/2/", "refused /p/3/", "refused /p/4/"]


def test_somebody_is_faster_than_a_bulk_call(tmp_path: Path) -> None:
    def meddle(sandbox: Sandbox, _: int, request: Request) -> None:
        if request.path.endswith("_bulk"):
            sandbox.create(build_row(make(None, target(2), "/p/70/")))

    run = Setup(create(1, 2, 3), [], watch=meddle).run(tmp_path)
    assert run.states == ["done /p/1/", "refused /p/2/", "refused /p/3/"]
    assert run.stop
    assert "409" in run.stop
    assert run.shop == {target(1): "/p/90/", target(2): "/p/70/"}


def test_a_bulk_call_that_is_too_large_is_halved(tmp_path: Path) -> None:
    faults = ["413:write=2", "413:write=3"]
    run = Setup(create(*range(1, 10)), [], faults=faults).run(tmp_path)
    assert {state.partition(" ")[0] for state in run.states} == {"done"}
    bulks = [request for request in run.sandbox.requests if request.path.endswith("_bulk")]
    # No later call is as large as one that was refused.
    assert [request.body.count(b"\n") for request in bulks] == [8, 4, 2, 2, 2, 2]


def test_a_single_rule_that_is_too_large(tmp_path: Path) -> None:
    faults = [f"413:write={number}" for number in (2, 3)]
    run = Setup(create(1, 2, 3), [], faults=faults).run(tmp_path)
    assert run.states == ["done /p/1/", "refused /p/2/", "waiting /p/3/"]


@pytest.mark.parametrize("api", [["bulk=partial"], ["bulk=partial", "bulk-conflict=never"]])
def test_a_call_that_is_too_large_may_have_stored_its_first_lines(
    api: list[str], tmp_path: Path
) -> None:
    faults = ["413:write=2:effect=half"]
    run = Setup(create(*range(1, 8)), [], api=api, faults=faults).run(tmp_path)
    assert {state.partition(" ")[0] for state in run.states} == {"done"}
    assert len(run.shop) == 7


# Limits of the rate.


@pytest.mark.parametrize("form", ["retry-after=7", "rate-limit=7", "rate-limit=0:retry-after=7"])
@pytest.mark.parametrize("write", [1, 2, 3, 4])
def test_a_throttled_write_is_sent_again_as_told(form: str, write: int, tmp_path: Path) -> None:
    git, live = update(1)
    live.append(make("id-9", target(9)))
    setup = Setup([*git, *create(2, 3, 4)], live, faults=[f"429:write={write}:{form}"])
    run = setup.run(tmp_path)
    assert {state.partition(" ")[0] for state in run.states} == {"done"}
    assert 7 <= run.slept < 9


def test_a_throttled_read_is_sent_again(tmp_path: Path) -> None:
    git, live = update(1, 2)
    run = Setup(git, live, faults=["429:2:rate-limit=7", "503"]).run(tmp_path)
    assert run.states == ["done /p/1/", "done /p/2/"]
    assert run.slept >= 14


def test_a_rate_limit_without_end_ends_the_run(tmp_path: Path) -> None:
    git, live = update(1, 2, 3)
    run = Setup(git, live, faults=["429:*:write=2:rate-limit=1"]).run(tmp_path)
    assert run.states == ["done /p/1/", "waiting /p/2/", "waiting /p/3/"]
    assert run.stop
    assert "429 Too Many Requests, tried 4 times" in run.stop
    assert run.shop[target(2)] == "/p/80/"


# Errors of reads.


def test_a_wrong_key_in_the_middle_ends_the_run(tmp_path: Path) -> None:
    git, live = update(1, 2, 3)

    def revoke(sandbox: Sandbox, number: int, _: Request) -> None:
        if number == 4:
            sandbox.fail(parse_fault("401:*"))

    run = Setup(git, live, watch=revoke).run(tmp_path)
    assert run.states == ["done /p/1/", "waiting /p/2/", "waiting /p/3/"]
    assert run.stop
    assert "401 Unauthorized" in run.stop
    assert run.failure, "the export was tried"
    assert run.live is None


def test_an_answer_that_is_no_rule_ends_the_run(tmp_path: Path) -> None:
    git, live = update(1, 2)
    run = Setup(git, live, faults=["garbage:*"]).run(tmp_path)
    assert run.states == ["waiting /p/1/", "waiting /p/2/"]
    assert run.stop
    assert run.live is None


def test_creates_need_an_export(tmp_path: Path) -> None:
    git, live = update(1)

    def break_(sandbox: Sandbox, _: int, request: Request) -> None:
        if request.path.endswith("export"):
            sandbox.fail(parse_fault("500:*"))

    run = Setup([*git, *create(2)], live, watch=break_).run(tmp_path)
    assert run.states == ["done /p/1/", "waiting /p/2/"]
    assert "POST scope 200" not in run.calls


def test_the_answer_to_a_create_may_be_unreadable(tmp_path: Path) -> None:
    def mark(sandbox: Sandbox, _: int, request: Request) -> None:
        if request.path.endswith("/scope"):
            fault = parse_fault("garbage:write=1:effect=after")
            sandbox.fail(fault)

    run = Setup(create(1, 2), [], watch=mark).run(tmp_path)
    assert run.states == ["done /p/1/", "done /p/2/"]
    assert len(run.shop) == 2


def test_a_journal_that_can_not_be_written_sends_nothing_more(tmp_path: Path) -> None:
    git, live = update(1, 2)
    setup = Setup(git, live)
    original = Journal.write

    def write(self: Journal, event: str, **values: object) -> None:
        if event == "send" and values["operations"] == [1]:
            raise FileError("can't be written: No space left on device", source="journal")
        original(self, event, **values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "write", write)
        run = setup.run(tmp_path)
    assert run.states == ["done /p/1/", "waiting /p/2/"]
    assert run.stop == "journal: can't be written: No space left on device"
    assert run.shop[target(2)] == "/p/80/"


def test_creates_are_on_the_disk_before_they_are_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    original = os.fsync

    def sync(descriptor: int) -> None:
        events.append("sync")
        original(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    git, live = update(1)
    setup = Setup([*git, *create(2, 3, 4)], live)
    setup.watch = lambda _, __, request: events.append(request.method) if request.body else None
    setup.run(tmp_path)
    assert events == ["PUT", "sync", "POST", "sync", "POST"]


def test_ten_thousand_creates_take_one_post_two_bulk_calls_and_two_exports(tmp_path: Path) -> None:
    run = Setup(create(*range(1, 10_001)), [], choices=ALONE).run(tmp_path)
    calls = [call.partition(" ")[2].partition(" ")[0] for call in run.calls]
    calls = [call for call in calls if not call.startswith("scope/")]
    # The plan takes one export more.
    assert calls == ["scopes/export", "scope", "scopes/_bulk", "scopes/_bulk", "scopes/export"]
    assert len(run.shop) == 10_000
    assert not [outcome for outcome in run.executor.outcomes.values() if outcome.state in MISSING]


# Interrupts.


def interrupt_at(number: int, times: int) -> Callable[[Sandbox, int, Request], None]:
    """Return a function that interrupts the run while a request waits for its answer."""

    def interrupt(_: Sandbox, at: int, __: Request) -> None:
        if at == number:
            for _turn in range(times):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.05)

    return interrupt


def test_an_interrupt_waits_for_the_write_in_progress(tmp_path: Path) -> None:
    git, live = update(1, 2, 3)
    run = Setup(git, live, watch=interrupt_at(5, 1)).run(tmp_path)
    assert run.executor.is_interrupted
    assert run.states == ["done /p/1/", "done /p/2/", "waiting /p/3/"]
    assert run.live is not None


def test_a_second_interrupt_waits_for_nothing(tmp_path: Path) -> None:
    git, live = update(1, 2, 3)
    run = Setup(git, live, watch=interrupt_at(5, 2)).run(tmp_path, verify=False)
    assert run.executor.is_interrupted
    assert run.states == ["done /p/1/", "lost /p/2/", "waiting /p/3/"]
    assert run.executor.outcomes[1].was_sent


def test_an_interrupt_ends_the_look_up_of_a_lost_answer(tmp_path: Path) -> None:
    git, live = update(1, 2)
    setup = Setup(git, live, faults=["500:write=1"], watch=interrupt_at(3, 1))
    run = setup.run(tmp_path)
    assert run.states == ["lost /p/1/", "waiting /p/2/"]
    assert run.slept < 20
