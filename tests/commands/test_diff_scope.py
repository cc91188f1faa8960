"""Filters of a diff, what the API leaves out, and why: what is asked, what is reported, and what
isn't.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from pinsync.sandbox import Answer, Fault
from support.diffing import diffed
from support.exporting import (
    BASKET_TEXT,
    EVERYONE,
    HOME,
    STRINGS,
    document,
    edited,
    put,
    repinned,
    rows,
    rule,
    served,
    untouched,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git

Row = dict[str, Any]


def queries(api: Sandbox) -> list[dict[str, list[str]]]:
    """What was asked after the first export."""
    return [dict(request.query) for request in api.requests[1:]]


# Filters.


@pytest.mark.parametrize(
    ("arguments", "query", "told"),
    [
        (["--model", "basket"], {"model": ["basket"]}, ["changed basket /p/123/"]),
        (["--tag", "summer"], {"tag": ["summer"]}, ["changed home /p/1/"]),
        (["--target-type", "all"], {"target_type": ["all"]}, []),
        (
            ["--target-identity", "/p/1/"],
            {"target_type": ["item"], "target_identity": ["/p/1/"]},
            ["changed home /p/1/"],
        ),
        (["--keep-expired-pins"], {}, ["changed basket /p/123/", "changed home /p/1/"]),
    ],
)
@pytest.mark.usefixtures("exported")
def test_nothing_outside_the_scope_is_asked_for_or_reported(
    arguments: list[str],
    query: dict[str, list[str]],
    told: list[str],
    api: Sandbox,
    pinsync: CommandLine,
) -> None:
    repinned(api, STRINGS)
    repinned(api, HOME)
    for sides in (["HEAD", "@live"], ["@live", "HEAD"]):
        assert diffed(pinsync, *sides, *arguments).told == told
    assert queries(api) == [query, query]


@pytest.mark.usefixtures("exported")
def test_a_filter_holds_between_files_too(api: Sandbox, pinsync: CommandLine) -> None:
    put(document(), BASKET_TEXT.replace("/p/9/", "/p/8/").replace("christmas", "easter"))
    assert diffed(pinsync, "HEAD", "@worktree", "--target-type", "all").told == [
        "changed basket all"
    ]
    for tag in ("christmas", "easter"):
        assert diffed(pinsync, "HEAD", "@worktree", "--tag", tag).told == ["changed basket /p/123/"]
    found = diffed(pinsync, "HEAD", "@worktree", "--tag", "summer")
    assert (found.told, found.record["trackers"][0]["summary"]["unchanged"]) == ([], 1)
    assert queries(api) == []


def _moved_out(api: Sandbox) -> None:
    edited(api, STRINGS, tags=["easter"])


def _moved_in(api: Sandbox) -> None:
    edited(api, EVERYONE, tags=["christmas"])


def _gone(api: Sandbox) -> None:
    api.delete(STRINGS)


def _recreated(api: Sandbox) -> None:
    row = api.get(STRINGS)
    api.delete(STRINGS)
    api.create(row)


@pytest.mark.parametrize(
    ("happened", "told"),
    [
        (_moved_out, "changed basket /p/123/"),
        (_moved_in, "changed basket all"),
        (_gone, "removed basket /p/123/"),
        (_recreated, "recreated basket /p/123/"),
    ],
)
@pytest.mark.usefixtures("exported")
def test_a_question_is_settled_by_one_request_without_filters(
    happened: Any,  # noqa: ANN401 - one of the functions above
    told: str,
    api: Sandbox,
    pinsync: CommandLine,
) -> None:
    happened(api)
    repinned(api, HOME)
    api.create(rule(5, "new"))
    assert diffed(pinsync, "--tag", "christmas").told == [told]
    assert queries(api) == [{"tag": ["christmas"]}, {}]


@pytest.mark.usefixtures("exported")
def test_a_rule_without_an_id_whose_target_the_filter_hides_is_a_question(
    api: Sandbox, pinsync: CommandLine
) -> None:
    text = BASKET_TEXT.replace(
        f"  - id: {EVERYONE}\n    target_type: all\n", "  - target_type: all\n    tags: [new]\n"
    )
    put(document(), text)
    found = diffed(pinsync, "@worktree", "@live", "--tag", "new")
    assert found.told == ["changed basket all"]
    assert queries(api) == [{"tag": ["new"]}, {}]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--model", "baskt"], '--model: did you mean "basket"?'),
        (["--tag", "chrismas"], '--tag: did you mean "christmas"?'),
        (["--target-identity", "/p/12/"], '--target-identity: did you mean "/p/1'),
        (["--target-type", "criteria"], "--target-type: known: all, item"),
        (
            ["--model", "home", "--tag", "christmas"],
            "each of the values exists, but no customization has them all",
        ),
    ],
)
@pytest.mark.parametrize("sides", [["HEAD", "@live"], ["HEAD", "HEAD~0"]])
@pytest.mark.usefixtures("exported")
def test_a_scope_that_matches_nothing_is_mistyped_rather_than_in_sync(
    arguments: list[str], hint: str, sides: list[str], pinsync: CommandLine
) -> None:
    result = pinsync("diff", *sides, "--format", "json", *arguments)
    assert (result.code, result.out) == (2, "")
    assert "no customization matches " in result.err
    assert hint in result.err


@pytest.mark.usefixtures("exported")
def test_a_scope_that_matches_on_one_side_alone_is_right(
    api: Sandbox, pinsync: CommandLine
) -> None:
    api.create(rule(5, "new"))
    assert diffed(pinsync, "--model", "new").told == ["added new /p/5/"]
    api.delete(HOME)
    assert diffed(pinsync, "--model", "home").told == ["removed home /p/1/"]


# Ids, which the API has no filter for.


@pytest.mark.parametrize("sides", [["HEAD", "@live"], ["@live", "HEAD"], ["@worktree", "@live"]])
@pytest.mark.usefixtures("exported")
def test_ids_select_from_the_whole_answer(
    sides: list[str], api: Sandbox, pinsync: CommandLine
) -> None:
    repinned(api, STRINGS)
    repinned(api, HOME)
    assert diffed(pinsync, *sides, "--id", HOME[:4]).told == ["changed home /p/1/"]
    both = ["changed basket /p/123/", "changed home /p/1/"]
    assert diffed(pinsync, *sides, "--id", HOME, "--id", STRINGS[:2]).told == both
    assert diffed(pinsync, *sides, "--id", EVERYONE[:1]).told == []
    # Other filters narrow that, and the API is asked for everything all the same.
    arguments = ["--id", HOME[:4], "--id", STRINGS, "--model", "home"]
    assert diffed(pinsync, *sides, *arguments).told == ["changed home /p/1/"]
    assert queries(api) == [{}] * 4


@pytest.mark.usefixtures("exported")
def test_ids_narrow_either_side(api: Sandbox, pinsync: CommandLine) -> None:
    created = api.create(rule(5, "new"))
    api.delete(HOME)
    for id_, told in ((created["id"], "added new /p/5/"), (HOME, "removed home /p/1/")):
        assert diffed(pinsync, "--id", id_).told == [told]
    put(document(), BASKET_TEXT.replace("/p/9/", "/p/8/"))
    assert diffed(pinsync, "HEAD", "@worktree", "--id", "b3e6").told == ["changed basket all"]
    assert diffed(pinsync, "HEAD", "@worktree", "--id", "1996").told == []


@pytest.mark.parametrize("command", [["diff"], ["diff", "HEAD", "@worktree"], ["export"]])
@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["--id", "199621b4"], "id that begins with '199621b4'", 'did you mean "199620b4"?'),
        (["--id", HOME, "--id", ""], "--id '' could be 3 customizations", f"id: {STRINGS}, {HOME}"),
        (
            ["--id", HOME, "--model", "basket"],
            f"no customization matches --model basket --id {HOME} on either side",
            "each of the values exists, but no customization has them all",
        ),
    ],
)
@pytest.mark.usefixtures("api")
def test_an_id_that_is_not_clear_is_an_error(
    command: list[str],
    arguments: list[str],
    message: str,
    hint: str,
    exported: Path,
    pinsync: CommandLine,
) -> None:
    with untouched(exported):
        result = pinsync(*command, *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert hint in result.err


# What the API leaves out, and why.

NOON: Final = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


def pin(position: int, item: str, **fields: object) -> Row:
    return {"position": position, "pin_type": "item", "pin_identity": item, **fields}


def ending(time: str) -> list[Row]:
    return [pin(1, "/p/1/", active_to=f"2026-11-21T{time}")]


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, repository: Path) -> Iterator[Sandbox]:
    """A server whose answers at noon are written by hand, and a repository without
    customizations.
    """
    with served(monkeypatch, [], catalog=["/p/1/", "/p/2/"]) as api:
        put(repository / "pinsync.yaml", "timezone: Europe/Bratislava\n")
        yield api


def at_noon(api: Sandbox, *answers: list[Row]) -> None:
    headers = {"Date": format_datetime(NOON, usegmt=True)}
    api.fail(
        *(
            Fault(answer=Answer(200, json.dumps({"results": rows}).encode(), headers))
            for rows in answers
        )
    )


def committed_rules(git: Git, pinsync: CommandLine, api: Sandbox, *rules: Row) -> None:
    at_noon(api, list(rules))
    assert pinsync("export").code == 0
    git("add", ".")
    git("commit", "--quiet", "--message", "export")


@pytest.mark.parametrize(
    ("time", "cause", "absent", "sides"),
    [
        ("11:59:59Z", "expired", False, ("HEAD", "@live")),
        ("12:59:59.5+01:00", "expired", True, ("HEAD", "@live")),
        ("11:59:59Z", "expired", True, ("@live", "@worktree")),
        ("12:00:00Z", "edited", True, ("HEAD", "@live")),
        ("12:00:00Z", "edited", False, ("@live", "@worktree")),
        ("12:00:01Z", "edited", False, ("HEAD", "@live")),
    ],
)
def test_what_ended_before_the_answers_own_date_has_expired(
    time: str,
    cause: str,
    absent: bool,
    sides: tuple[str, str],
    shop: Sandbox,
    pinsync: CommandLine,
    git: Git,
) -> None:
    committed_rules(git, pinsync, shop, rule(1, pin_definitions=ending(time)), rule(2))
    at_noon(shop, *[[rule(2)] if absent else [rule(1), rule(2)]] * 2)
    found = diffed(pinsync, *sides, "--remove-expired-pins")
    (change,) = found.changes
    gone, side = ("removed", "from") if sides[1] == "@live" else ("added", "to")
    assert (change["kind"], change["cause"]) == (gone if absent else "changed", cause)
    (told,) = change["pins"]
    assert (told["kind"], told.get("cause", "edited"), side in told) == (gone, cause, True)
    assert (
        found.record["to" if sides[1] == "@live" else "from"]["fetched_at"]
        == "2026-11-21T12:00:00Z"
    )
    assert diffed(pinsync, *sides, "--remove-expired-pins", "--fail-on", "edited").code == int(
        cause == "edited"
    )
    assert shop.requests[-1].query == {"remove_expired_pins": ["true"]}


@pytest.mark.usefixtures("exported")
def test_an_answer_without_a_date_is_as_old_as_it_is_here(
    api: Sandbox, pinsync: CommandLine
) -> None:
    api.fail(Fault(answer=Answer(200, json.dumps({"results": rows()}).encode(), {"Date": "today"})))
    before = datetime.now(UTC).replace(microsecond=0)
    fetched_at = datetime.fromisoformat(diffed(pinsync).record["to"]["fetched_at"])
    assert before <= fetched_at <= datetime.now(UTC)


def test_without_the_flag_nothing_has_expired(
    shop: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    committed_rules(git, pinsync, shop, rule(1, pin_definitions=ending("11:59:59Z")))
    at_noon(shop, [rule(1)])
    assert [change["cause"] for change in diffed(pinsync).changes] == ["edited"]


def test_the_setting_of_the_tracker_does_what_the_flag_does(
    repository: Path, shop: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    text = (
        "trackers: {sk: {tracker_id: 1234-5678, remove_expired_pins: true, "
        "remove_nonexisting_item_pins: true}}\n"
    )
    put(repository / "pinsync.yaml", text)
    committed_rules(git, pinsync, shop, rule(1, pin_definitions=ending("11:59:59Z")))
    at_noon(shop, [rule(1)])
    assert [change["cause"] for change in diffed(pinsync).changes] == ["expired"]
    at_noon(shop, [rule(1)], [rule(1)])
    arguments = ["--keep-expired-pins", "--keep-nonexisting-item-pins"]
    assert [change["cause"] for change in diffed(pinsync, *arguments).changes] == ["edited"]
    assert [dict(request.query) for request in shop.requests[1:]] == [
        {"remove_expired_pins": ["true"], "remove_nonexisting_item_pins": ["true"]},
        {},
    ]


@pytest.fixture
def catalogued(
    monkeypatch: pytest.MonkeyPatch, repository: Path, pinsync: CommandLine
) -> Iterator[Sandbox]:
    """A committed shop in which one pin's item is no longer in the catalog."""
    pins = [pin(1, "/p/1/"), pin(2, "/p/gone/")]
    with served(
        monkeypatch, [rule(1, pin_definitions=pins), rule(2)], catalog=["/p/1/", "/p/2/"]
    ) as api:
        assert pinsync("export", "--commit").code == 0
        assert repository.exists()
        yield api


WITHOUT: Final = {"remove_nonexisting_item_pins": ["true"]}


@pytest.mark.parametrize("sides", [("HEAD", "@live"), ("@live", "HEAD")])
def test_what_is_out_of_the_catalog_is_found_by_one_more_request(
    sides: tuple[str, str], catalogued: Sandbox, pinsync: CommandLine
) -> None:
    found = diffed(pinsync, *sides, "--remove-nonexisting-item-pins", "--fail-on", "edited")
    assert [(change["cause"], change["pins"][0]["cause"]) for change in found.changes] == [
        ("catalog", "catalog")
    ]
    assert found.code == 0
    assert queries(catalogued) == [WITHOUT, {}]


def test_what_was_edited_is_not_blamed_on_the_catalog(
    catalogued: Sandbox, pinsync: CommandLine
) -> None:
    edited(catalogued, rule(1)["id"], pin_definitions=[])
    found = diffed(pinsync, "--remove-nonexisting-item-pins", "--fail-on", "edited")
    assert (found.code, [change["cause"] for change in found.changes]) == (1, ["edited"])
    assert queries(catalogued) == [WITHOUT, {}]


def test_where_no_pin_is_missing_nothing_more_is_asked(
    catalogued: Sandbox, pinsync: CommandLine
) -> None:
    assert pinsync("export", "--remove-nonexisting-item-pins", "--commit").code == 0
    assert diffed(pinsync, "--remove-nonexisting-item-pins").told == []
    edited(catalogued, rule(2)["id"], pin_definitions=[pin(4, "/p/2/")], tags=["new"])
    assert diffed(pinsync, "--remove-nonexisting-item-pins").told == ["changed basket /p/2/"]
    assert queries(catalogued) == [WITHOUT] * 3


def test_a_filter_stays_narrow_while_the_cause_is_looked_for(
    catalogued: Sandbox, pinsync: CommandLine
) -> None:
    found = diffed(pinsync, "--remove-nonexisting-item-pins", "--target-identity", "/p/1/")
    assert [change["cause"] for change in found.changes] == ["catalog"]
    assert len(queries(catalogued)) == 2


def test_a_rule_that_the_filter_emptied_may_be_absent(
    shop: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    whole = [rule(1, pin_definitions=[pin(1, "/p/gone/")]), rule(2)]
    committed_rules(git, pinsync, shop, *whole)
    at_noon(shop, [rule(2)], whole)
    found = diffed(pinsync, "--remove-nonexisting-item-pins")
    assert [(change["kind"], change["cause"]) for change in found.changes] == [
        ("removed", "catalog")
    ]
    at_noon(shop, [rule(2)], [rule(2)])
    found = diffed(pinsync, "--remove-nonexisting-item-pins")
    assert [(change["kind"], change["cause"]) for change in found.changes] == [
        ("removed", "edited")
    ]
