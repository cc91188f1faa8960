"""``pinsync history`` on the command line: which commits and rules are asked for, and words that
name nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pinsync import config
from pinsync.history.configurations import HistoryContext
from pinsync.history.steps import History
from pinsync.repository import CommitRange
from pinsync.workspace.tree import open_tree
from support.exporting import put
from support.histories import BASKET, HOME, commit, configuration, log, rule, run, text

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import CommandLine

JANA = "Jana Nováková <jana@example.com>"
TITLE = {"title": "Strap"}
CRITERIA = {
    "target_type": "criteria",
    "target_identity": None,
    "target_criteria": {"price": {"lt": 20}},
}


@pytest.fixture
def shop(repository: Path) -> list[str]:
    """Five commits, a week of January apart; their hashes, the oldest first."""
    put(repository / "pinsync.yaml", configuration("shop", more="timezone: Europe/Bratislava\n"))
    first, second = rule(1, "/p/2/", target_metadata=TITLE), rule(2, "/p/3/", tags=["summer"])
    criteria = rule(3, "/p/2/", "/p/8/", **CRITERIA)
    home = text("home", rule(9, "/p/2/"))
    return [
        commit("Begin", {BASKET: text("basket", first, second), HOME: home}, at=10),
        commit("Criteria", {BASKET: text("basket", first, second, criteria)}, author=JANA, at=178),
        commit("Untag", {BASKET: text("basket", first, rule(2, "/p/3/"), criteria)}, at=346),
        commit(
            "Pin",
            {
                BASKET: text(
                    "basket",
                    rule(1, "/p/4/", "/p/2/", target_metadata=TITLE),
                    rule(2, "/p/3/"),
                    criteria,
                )
            },
            author=JANA,
            at=514,
        ),
        commit("Home", {HOME: text("home", rule(9, "/p/5/"))}, at=682),
    ]


ALL = ["Home", "Pin", "Untag", "Criteria", "Begin"]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("arguments", "subjects"),
    [
        ([], ALL),
        (["home"], ["Home", "Begin"]),
        (["--model", "home"], ["Home", "Begin"]),
        (["home", "--model", "home"], ["Home", "Begin"]),
        (["basket", "/p/1/"], ["Pin", "Begin"]),
        (["basket", "Strap"], ["Pin", "Begin"]),
        (["basket", '{"price": {"lt": 20.0}}'], ["Criteria"]),
        (["basket", rule(3)["id"]], ["Criteria"]),
        (["--target-identity", "/p/2/"], ["Untag", "Begin"]),
        (["--id", rule(9)["id"]], ["Home", "Begin"]),
        (["--tag", "summer"], ["Untag", "Begin"]),
        (["--item", "/p/2/"], ["Home", "Pin", "Criteria", "Begin"]),
        (["--item", "/p/8/"], ["Criteria"]),
        (["home", "--item", "/p/2/"], ["Home", "Begin"]),
        (["--author", "Jana"], ["Pin", "Criteria"]),
        (["--author", "^nobody"], []),
        (["-n", "2"], ["Home", "Pin"]),
        (["-n", "1", "--author", "jana@"], ["Pin"]),
        (["--since", "2026-01-22"], ["Home", "Pin"]),
        (["--since", "2026-01-22T11:01"], ["Home"]),
        (["--until", "2026-01-08"], ["Criteria", "Begin"]),
        (["--until", "2026-01-08T10:59+01:00"], ["Begin"]),
        (["--since", "1960-01-01"], ALL),
        (["--until", "1960-01-01"], []),
        (["HEAD~2.."], ["Home", "Pin"]),
        (["basket", "HEAD~2.."], ["Pin"]),
        (["HEAD~2..", "basket"], ["Pin"]),
        (["HEAD~3..HEAD~1"], ["Pin", "Untag"]),
        (["..HEAD~1"], []),
        (["--rev", "HEAD~3"], ["Criteria", "Begin"]),
        (["--rev", "HEAD~3..HEAD~2"], ["Untag"]),
        (["HEAD~1..", "--rev", "HEAD~1.."], ["Home"]),
    ],
)
def test_what_is_asked_for_is_told(
    arguments: list[str], subjects: list[str], pinsync: CommandLine
) -> None:
    found = log(pinsync, *arguments)
    assert found.subjects == subjects
    assert found.err == (
        "" if subjects else "no commit in the range changed a matching customization\n"
    )


@pytest.mark.usefixtures("shop")
def test_a_range_of_three_dots_begins_at_the_merge_base(pinsync: CommandLine) -> None:
    run("switch", "--quiet", "--create", "work", "HEAD~2")
    commit("Work", {HOME: text("home", rule(9, "/p/6/"))})
    assert log(pinsync, "main...work").subjects == ["Work"]
    assert log(pinsync, "main...").subjects == ["Work"]
    assert log(pinsync, "...main").subjects == ["Home", "Pin"]
    assert log(pinsync, "main..work").record["revision"] == run("rev-parse", "work")


@pytest.mark.usefixtures("shop")
def test_an_item_is_told_by_its_own_pins_alone(pinsync: CommandLine) -> None:
    found = log(pinsync, "--item", "/p/2/")
    assert found.changes["Pin"] == ["changed basket /p/1/: moved /p/2/"]
    assert found.changes["Criteria"] == ["added basket criteria"]
    (pins,) = [change["pins"] for change in found.record["commits"][2]["trackers"][0]["changes"]]
    assert [pin["to"]["pin_identity"] for pin in pins] == ["/p/2/"]


def test_an_item_is_followed_with_its_rule(pinsync: CommandLine, repository: Path) -> None:
    assert repository
    old, new = rule(1, "/p/2/"), rule(1, "/p/2/", id="00000000-0000-4000-8000-00000000abcd")
    commit("Begin", {BASKET: text("basket", old)})
    commit("Title", {BASKET: text("basket", {**old, "target_metadata": TITLE})})
    commit("New id", {BASKET: text("basket", {**new, "target_metadata": {"title": "Straps"}})})
    commit("Move", {BASKET: text("basket"), HOME: text("home", new)})
    assert log(pinsync, "--item", "/p/2/").changes == {
        "Move": ["changed basket /p/1/: model"],
        "New id": ["recreated basket /p/1/: id"],
        "Begin": ["added basket /p/1/"],
    }
    assert log(pinsync, "--id", new["id"]).subjects == ["Move", "New id"]
    assert log(pinsync, "--id", old["id"]).subjects == ["New id", "Title", "Begin"]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["baskett"], 'there is no model "baskett"', 'did you mean "basket"?'),
        (["--model", "xyz"], 'there is no model "xyz"', "known: basket, home"),
        (
            ["basket", "/p/11/"],
            'no customization of basket is for "/p/11/"',
            'did you mean "/p/1/"?',
        ),
        (
            ["--target-identity", "/p/11/"],
            'no customization is for the item "/p/11/"',
            'did you mean "/p/1/"?',
        ),
        (["--id", "00000000"], 'no customization has the id "00000000"', "list what there is"),
        (["--tag", "sumer"], 'no customization has the tag "sumer"', 'did you mean "summer"?'),
        (["--item", "/p/22/"], 'no customization pins the item "/p/22/"', 'did you mean "/p/2/"?'),
        (["home", "--item", "/p/8/"], 'no customization pins the item "/p/8/"', "did you mean"),
        (["--item", "/p/1/"], 'no customization pins the item "/p/1/"', "did you mean"),
        (["--tracker", "shopp"], 'no tracker is named "shopp"', 'did you mean "shop"?'),
        (["--since", "tomorrow"], '--since: "tomorrow" is no time that can be read', ""),
        (["--until", "2 weeks ago"], '--until: "2 weeks ago" is no time that can be read', ""),
        (["home", "--model", "basket"], "home contradicts --model basket", ""),
        (["HEAD~1..", "--rev", "HEAD"], "HEAD~1.. contradicts --rev HEAD", ""),
        (["a", "b", "c"], "c is one argument too many", "expected a model, a target"),
        (["HEAD~1..", "HEAD.."], "HEAD.. is one argument too many", ""),
        (
            ["nowhere.."],
            'there is no model "nowhere.."',
            "git knows no revision on either side of nowhere..",
        ),
        (["nowhere..HEAD"], "nowhere names no commit", ""),
        (["--author", "a", "--author", "b"], "'a', 'b': expected one value", ""),
        (["--rev", "^HEAD"], "^HEAD names no commit", ""),
        (["--rev", "nowhere"], "nowhere names no commit", ""),
        (["-n", "0"], "invalid value for '-n'", ""),
        (["--author", "["], "no regular expression", ""),
        (["--format", "jsn"], "'jsn' is not one of the choices", ""),
        (["--tag", "\udc80"], "no customization has the tag", ""),
    ],
)
def test_what_names_nothing_is_an_error(
    arguments: list[str], message: str, hint: str, pinsync: CommandLine
) -> None:
    result = pinsync("history", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert hint in result.err


def test_what_was_once_is_known(pinsync: CommandLine, shop: list[str]) -> None:
    commit("Empty", {BASKET: None, HOME: text("home")})
    assert log(pinsync, "--tag", "summer", "-n", "1").subjects == ["Untag"]
    assert log(pinsync, "basket", "-n", "1").subjects == ["Empty"]
    assert log(pinsync, "home", "/p/9/").subjects == ["Empty", "Home", "Begin"]
    recent = pinsync("history", "basket", "/p/1/", "HEAD~2..HEAD~1")
    assert (recent.code, recent.out, recent.err) == (
        0,
        "",
        "no commit in the range changed a matching customization\n",
    )
    assert pinsync("history", "basket", f"{shop[3]}..{shop[4]}", "-q").err == ""


@pytest.mark.parametrize("enough", [True, False])
def test_older_commits_are_looked_at_only_as_long_as_a_word_is_in_doubt(
    enough: bool, repository: Path, shop: list[str]
) -> None:
    tree = open_tree(config.load(None, start=repository, environ={}))
    assert tree.repository
    with tree.repository.open_reader() as reader:
        history = History(reader, HistoryContext(tree.settings, tree.repository, {}), shop[-1])
        recent = CommitRange(shop[-1], since=datetime(2026, 1, 29, tzinfo=UTC))
        found = [step.commit.hash for step in history.walk_steps((), recent, lambda: enough)]
        assert found == shop[-1:]
        assert any(b"summer" in item.text for item in history.customizations) is not enough


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["basket", "--author", "Jana"], 4),
        (["--tag", "summer", "--author", "Jana"], 5),
        (["--tag", "summer", "--since", "2026-01-29"], 1),
        (["--tag", "summer", "HEAD~2..HEAD"], 2),
    ],
)
def test_no_more_commits_are_looked_at_than_the_answer_takes(
    arguments: list[str], count: int, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All up to the last that is asked for; beyond it, where nothing bounds them, until each word
    is known.
    """
    looked_at = []
    compare = History._compare

    def counted(history: History, at: int, *rest: Any, **named: Any) -> Any:  # noqa: ANN401 - as the method has it
        looked_at.append(at)
        return compare(history, at, *rest, **named)

    monkeypatch.setattr(History, "_compare", counted)
    pinsync("history", *arguments)
    assert looked_at == list(range(count))


@pytest.mark.usefixtures("shop")
def test_words_with_dots_that_no_revision_has_are_targets(pinsync: CommandLine) -> None:
    commit("Dots", {HOME: text("home", rule(9, "/p/5/", target_identity="/p/../9/"))})
    assert log(pinsync, "home", "/p/../9/").subjects == ["Dots"]


@pytest.mark.usefixtures("shop")
def test_a_step_is_said_to_whoever_asks(pinsync: CommandLine) -> None:
    assert pinsync("history", "-v", "HEAD~2..").err.startswith("reading the commits back from ")
