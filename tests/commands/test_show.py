"""``pinsync show`` on the command line: what it reads, what a word of it means, and what it makes
of bad input.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.commands.show import Options, show
from pinsync.terminal.console import Console
from pinsync.workspace.workspace import Workspace
from support.exporting import BASKET_TEXT, EVERYONE, HOME_TEXT, STRINGS, put, untouched
from support.schemas import check_report

if TYPE_CHECKING:
    from support.command_line import CommandLine, Git

CRITERIA_TEXT = """\
  - id: 00000000-0000-4000-8000-000000000007
    target_type: criteria
    target_criteria:
      categories:
        - strings
        - "wind 2"
      price:
        lt: 20
    target_metadata:
      title: Cheap ones
    pin_definitions:
      - position: -1
        pin_type: item
        pin_identity: /p/123/
        active_from: "2026-12-23T23:00:00Z"
        active_to: "2026-12-26T23:00:00Z"
"""
FILE = Path("customizations/basket.yaml")


@pytest.fixture
def shop(repository: Path) -> Path:
    put(repository / "pinsync.yaml", "timezone: Europe/Bratislava\n")
    put(repository / FILE, BASKET_TEXT + CRITERIA_TEXT)
    put(repository / "customizations/home.yaml", HOME_TEXT)
    return repository


def shown(pinsync: CommandLine, *arguments: str) -> dict[str, Any]:
    """The JSON of a call that must succeed."""
    result = pinsync("show", "--json", *arguments)
    assert (result.code, result.err) == (0, "")
    record: dict[str, Any] = json.loads(result.out)
    check_report("show", record)
    return record


def ids(record: dict[str, Any]) -> list[str]:
    return [rule["id"] for tracker in record["trackers"] for rule in tracker["rules"]]


@pytest.mark.usefixtures("shop")
def test_a_model_is_shown_as_it_stands(pinsync: CommandLine) -> None:
    with untouched(Path.cwd()):
        result = pinsync("show", "basket", "--at", "2026-12-24")
    assert (result.code, result.err) == (0, "")
    assert (
        result.out
        == """\
basket in the working tree, at 24 Dec 2026 00:00 CET

Strings: 9-42 #1 (item /p/123/) · tags christmas · customizations/basket.yaml:4
  1  /p/234/  active
  2  /p/235/  active

all requests · customizations/basket.yaml:18
  everywhere  /p/9/  active

Cheap ones (criteria {categories: [strings, "wind 2"], price: {lt: 20}}) · customizations/basket.yaml:24
  everywhere  /p/123/ "Strings: 9-42 #1"  from 24 Dec 2026 00:00 CET, until 27 Dec 2026 00:00 CET  active

3 rules, 4 pins: 4 active, 0 upcoming, 0 over
"""
    )


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2026-12-23", "upcoming"),
        ("2026-12-23 23:59:59.999", "upcoming"),
        ("2026-12-23T23:00Z", "active"),
        ("2026-12-26T23:59+01:00", "active"),
        ("2026-12-27", "over"),
    ],
)
def test_the_state_is_that_of_a_moment_in_the_configured_zone(
    at: str, state: str, pinsync: CommandLine
) -> None:
    record = shown(pinsync, "basket", "Cheap ones", "--at", at)
    assert [pin["state"] for pin in record["trackers"][0]["rules"][0]["pins"]] == [state]
    assert record["trackers"][0]["counts"][state] == 1


@pytest.mark.usefixtures("shop")
def test_the_present_is_the_default() -> None:
    lines: list[str] = []
    console = Console(out=lambda line: lines.append(str(line)), err=lines.append)
    for day, expected in ((23, "upcoming"), (25, "active"), (28, "over")):
        options = Options("basket", "Cheap ones", now=datetime(2026, 12, day, 12, tzinfo=UTC))
        assert show(Workspace(None, os.environ), options, console) == 0
        assert f"at {day} Dec 2026 13:00 CET" in lines[-1]
        assert f"1 {expected}" in lines[-1]


@pytest.mark.usefixtures("shop")
def test_a_title_is_known_from_another_model(pinsync: CommandLine) -> None:
    text = HOME_TEXT.replace("/p/2/", "/p/123/")
    put(Path("customizations/home.yaml"), text)
    assert '1  /p/123/ "Strings: 9-42 #1"  active' in pinsync("show", "home").out


def for_one_item(*rules: tuple[str, str]) -> str:
    """Blocks of rules for ``/p/123/``, each with its id and a title."""
    fields = "target_type: item\n    target_identity: /p/123/\n    target_metadata:\n      title: "
    return "".join(f"  - id: {name}\n    {fields}{title}\n" for name, title in rules)


@pytest.mark.usefixtures("shop")
def test_of_several_titles_the_first_in_canonical_order_is_shown(pinsync: CommandLine) -> None:
    """Whatever the order of a file in which a person moved blocks, and whatever model is shown."""
    text = HOME_TEXT.replace("/p/2/", "/p/123/") + for_one_item(("a", "Home"))
    put(Path("customizations/home.yaml"), text)
    assert '1  /p/123/ "Strings: 9-42 #1"  active' in pinsync("show", "home").out
    put(Path("customizations/home.yaml"), text + for_one_item(("c", "Third"), ("b", "Second")))
    put(Path("customizations/basket.yaml"), "format: 1\nmodel: basket\ncustomizations: []\n")
    assert '1  /p/123/ "Home"  active' in pinsync("show", "home").out
    put(
        Path("customizations/home.yaml"),
        text.replace("id: a\n", "id: z\n") + for_one_item(("b", "Second")),
    )
    assert '1  /p/123/ "Second"  active' in pinsync("show", "home").out


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/p/123/", [STRINGS]),
        (STRINGS, [STRINGS]),
        ("Strings: 9-42 #1", [STRINGS]),
        ("all", [EVERYONE]),
        (
            '{"price": {"lt": 20.0}, "categories": ["strings", "wind 2"]}',
            ["00000000-0000-4000-8000-000000000007"],
        ),
        (
            '{categories: [strings, "wind 2"], price: {lt: 20}}',
            ["00000000-0000-4000-8000-000000000007"],
        ),
        (
            'categories:\n  - strings\n  - "wind 2"\nprice:\n  lt: 20\n',
            ["00000000-0000-4000-8000-000000000007"],
        ),
    ],
)
def test_a_target_has_several_spellings(
    target: str, expected: list[str], pinsync: CommandLine
) -> None:
    assert ids(shown(pinsync, "basket", target)) == expected


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["baskett"], 'there is no model "baskett"', 'did you mean "basket"?'),
        (["xyz"], 'there is no model "xyz"', "known: basket, home"),
        (
            ["basket", "/p/1234/"],
            'no customization of basket is for "/p/1234/"',
            'did you mean "/p/123/"?',
        ),
        (
            ["basket", "Strings: 9-42 #2"],
            "no customization of basket",
            'did you mean "Strings: 9-42 #1"?',
        ),
        (["basket", "ale"], "no customization of basket", 'did you mean "all"?'),
        (["home", "all"], "no customization of home", "name an item's identity"),
        (["basket", '{"price": {"lt": 21}}'], "no customization of basket", ""),
        (["basket", '{"price": NaN, "categories": [['], "no customization of basket", ""),
        (["basket", "\ud800"], 'for "\\ud800"', ""),
        (["basket", "--at", "tomorrow"], '--at: "tomorrow" is no time', "2026-12-24T10:00"),
        (["basket", "--rev", "@live"], "@live is no revision", "pinsync diff"),
        (["basket", "--rev", "@indexx"], "@indexx is no source", 'did you mean "@index"?'),
        (["basket", "--rev", "nosuch"], "nosuch names no commit", ""),
        (
            ["basket", "--tracker", "defualt"],
            'no tracker is named "defualt"',
            'did you mean "default"?',
        ),
        ([], "missing argument 'MODEL'", ""),
    ],
)
def test_what_is_mistyped_is_a_usage_error(
    arguments: list[str], message: str, hint: str, pinsync: CommandLine
) -> None:
    result = pinsync("show", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert hint in result.err


def test_without_documents_the_hint_says_how_to_get_some(
    repository: Path, pinsync: CommandLine
) -> None:
    assert repository.is_dir()
    result = pinsync("show", "basket")
    assert (result.code, result.out) == (2, "")
    assert "`pinsync export`" in result.err


@pytest.mark.parametrize("options", [[], ["--rev", "@index"], ["--rev", "HEAD"]])
def test_documents_that_no_tracker_reads_are_named(
    options: list[str], shop: Path, pinsync: CommandLine, git: Git
) -> None:
    put(shop / "customizations/old/basket.yaml", BASKET_TEXT)
    git("add", "--all")
    git("commit", "--quiet", "-m", "Old")
    result = pinsync("show", *options, "basket")
    assert result.code == 0
    assert (
        "warning: not read, since a single tracker's files lie in no folder of their own: "
        in result.err
    )


def test_a_file_that_is_broken_is_named(shop: Path, pinsync: CommandLine) -> None:
    put(shop / "customizations/home.yaml", "<<<<<<< HEAD\n")
    result = pinsync("show", "basket")
    assert (result.code, result.out) == (2, "")
    assert "customizations/home.yaml:1" in result.err


# Revisions.


def test_a_revision_is_read_with_its_own_configuration(
    shop: Path, git: Git, pinsync: CommandLine
) -> None:
    git("add", ".")
    git("commit", "--quiet", "--message", "First")
    git("tag", "first")
    first = git("rev-parse", "HEAD")
    git("mv", "customizations", "pins")
    put(shop / "pinsync.yaml", "directory: pins\ntimezone: UTC\n")
    put(shop / "pins/basket.yaml", BASKET_TEXT)
    git("add", ".")
    put(shop / "pins/basket.yaml", BASKET_TEXT.partition("  - id: b3e6")[0])
    old, index, now = (
        shown(pinsync, "basket", *rev) for rev in (["--rev", "first"], ["--rev", "@index"], [])
    )
    assert [len(ids(record)) for record in (old, index, now)] == [3, 2, 1]
    assert (old["source"], old["revision"]) == ("first", first)
    assert (index["source"], index["revision"]) == ("@index", None)
    assert now["source"] == "@worktree"
    assert old["trackers"][0]["rules"][0]["file"] == "customizations/basket.yaml"
    assert now["trackers"][0]["rules"][0]["file"] == "pins/basket.yaml"
    headline = pinsync("show", "basket", "--rev", "first", "--at", "2026-12-24").out.partition(
        "\n"
    )[0]
    assert headline == f"basket in first (commit {first[:12]}), at 24 Dec 2026 00:00 UTC"


def test_outside_a_repository_files_are_shown_and_revisions_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pinsync: CommandLine
) -> None:
    monkeypatch.chdir(tmp_path)
    put(FILE, BASKET_TEXT)
    assert ids(shown(pinsync, "basket")) == [STRINGS, EVERYONE]
    for revision in ("HEAD", "@index"):
        result = pinsync("show", "basket", "--rev", revision)
        assert (result.code, result.out) == (2, "")
        assert "not a git repository" in result.err


# Trackers.


def test_each_tracker_that_has_the_model_has_a_section(
    repository: Path, pinsync: CommandLine
) -> None:
    trackers = "".join(
        f'  {name}: {{tracker_id: "{number}-1"}}\n'
        for number, name in enumerate(("cz", "hu", "sk"), 1)
    )
    put(repository / "pinsync.yaml", f"trackers:\n{trackers}")
    put(Path("customizations/cz/basket.yaml"), BASKET_TEXT)
    put(Path("customizations/hu/home.yaml"), HOME_TEXT)
    put(
        Path("customizations/sk/basket.yaml"),
        BASKET_TEXT.replace("/p/123/", "/p/321/").replace("Strings", "Struny"),
    )
    result = pinsync("show", "basket", "--at", "2026-12-24")
    headings = [line for line in result.out.split("\n") if line.endswith("-1)")]
    assert headings == ["cz (1-1)", "sk (3-1)"]
    assert result.out.endswith("\n4 rules in 2 trackers, 6 pins: 6 active, 0 upcoming, 0 over\n")
    assert [tracker["name"] for tracker in shown(pinsync, "basket", "/p/321/")["trackers"]] == [
        "sk"
    ]
    assert [
        tracker["name"] for tracker in shown(pinsync, "basket", "--tracker", "cz")["trackers"]
    ] == ["cz"]
    assert "customizations/cz/basket.yaml:4" in pinsync("show", "basket", "--tracker", "cz").out
    refused = pinsync("show", "basket", "--tracker", "hu")
    assert (refused.code, refused.out) == (2, "")
    assert 'there is no model "basket"' in refused.err


@pytest.mark.usefixtures("shop")
def test_verbose_says_what_is_read_and_colour_is_a_choice(pinsync: CommandLine) -> None:
    result = pinsync("show", "basket", "all", "-v")
    assert result.err == "default: reading customizations of the working tree\n"
    assert "\x1b[" not in result.out
    assert "\x1b[32mactive\x1b[0m" in pinsync("show", "basket", "all", "--color").out


@pytest.mark.usefixtures("shop")
def test_a_field_that_is_left_out_of_comparison_says_a_title_all_the_same(
    pinsync: CommandLine,
) -> None:
    put(Path("pinsync.yaml"), "ignore: [target_metadata.title]\n")
    assert "Strings: 9-42 #1" in pinsync("show", "basket").out


@pytest.mark.parametrize("command", ["show", "blame", "history"])
@pytest.mark.usefixtures("exported")
def test_the_path_of_a_document_in_the_place_of_its_model(
    command: str, pinsync: CommandLine
) -> None:
    for path in ("customizations/basket.yaml", "basket.yaml", "./customizations/basket.yaml"):
        result = pinsync(command, path)
        assert (result.code, 'did you mean "basket", the model of that file?' in result.err) == (
            2,
            True,
        )
    result = pinsync("export", "--model", "customizations/home.yaml")
    assert (result.code, '--model: did you mean "home", the model of that file?' in result.err) == (
        2,
        True,
    )
