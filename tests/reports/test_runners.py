"""What the commands write in a repository full of hostile texts: no CI runner obeys any of it."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.errors import PinsyncError
from pinsync.escape import defuse, one_line, printable
from pinsync.reports import CALENDAR_FORMATS, DRIFT_FORMATS, LINT_FORMATS
from pinsync.sandbox import Answer, Fault
from pinsync.terminal.console import Console
from support.drifts import pin
from support.exporting import put, rule, served
from support.runners import FOLDING, HARMLESS, HOSTILE, find_commands, find_foreign_commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git

FOLDER = "##vso[task.complete result=Failed]x"
MODEL = "##teamcity[buildStop comment='x']"


@pytest.mark.parametrize("text", [*HOSTILE, *FOLDING])
def test_no_command_comes_through(text: str) -> None:
    assert find_commands(text)
    shown = defuse(printable(text))
    assert find_commands(shown) == []
    assert defuse(shown) == shown
    assert json.loads(defuse(json.dumps(text))) == text
    assert find_commands(defuse(json.dumps(text))) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_an_escape_is_of_one_character_and_can_be_chosen(text: str) -> None:
    assert re.sub(r"\\u00(..)", lambda found: chr(int(found[1], 16)), defuse(text)) == text
    xml = defuse(html.escape(text), lambda character: f"&#{ord(character)};")
    assert html.unescape(xml) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_command_stays(text: str) -> None:
    assert find_commands(text) == []
    assert defuse(printable(text)) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_said_is_no_command(text: str) -> None:
    said: list[str] = []
    console = Console(out=lambda line: said.append(str(line)), err=said.append, verbosity=1)
    for say in (console.say, console.step, console.warn, console.print_name):
        say(f"{text}\n{text}")
    console.fail(PinsyncError(f"{text}\n{text}", hint=f"{text}\n{text}"))
    assert len(said) == 6
    assert find_commands("\n".join(said)) == []


def hostile(*, end: str = "") -> list[dict[str, Any]]:
    """A rule for each text, which is wherever a rule has foreign text."""
    return [
        rule(
            number,
            MODEL if number % 2 else "basket",
            target_identity=text,
            tags=[text],
            target_metadata={"title": f"{text}{end}"},
            pin_definitions=[
                pin(1, f"{text}{end}", {"widget_id": text, "active_to": text}),
                pin(1, text),
            ],
            **{text: text},
        )
        for number, text in enumerate((*HOSTILE, *FOLDING))
    ]


@pytest.fixture
def shop(
    repository: Path, pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sandbox]:
    """A repository whose folder, commits, models and rules are hostile, and a shop that has moved
    on.
    """
    put(repository / "pinsync.yaml", f"format: 1\ndirectory: {json.dumps(FOLDER)}\n")
    with served(monkeypatch, hostile()) as api:
        committed(pinsync, git)
        for row in hostile(end="!"):
            api.replace(row)
        yield api


def committed(pinsync: CommandLine, git: Git) -> None:
    """Commit an export, and before it a file for each hostile author and subject."""
    for number, text in enumerate(HOSTILE):
        put(Path("a"), str(number))
        if number == len(HOSTILE) - 1:
            assert pinsync("export").code == 0
        git("add", "--all")
        git("-c", f"user.name={text}", "commit", "--quiet", "--message", text)


READS = [
    *(["lint", "--format", name] for name in LINT_FORMATS),
    *(["diff", "--format", name] for name in sorted({*DRIFT_FORMATS} - {"patch"})),
    *(["history", "--format", name] for name in ("text", "json", "markdown")),
    *(["calendar", "--format", name] for name in CALENDAR_FORMATS),
    ["calendar", "--rev", HOSTILE[0]],
    ["calendar", "--from", HOSTILE[0]],
    *([name, MODEL, *options] for name in ("show", "blame") for options in ((), ("--json",))),
    ["history", MODEL, "SPINNAKER_PROPERTY_X=y"],
    ["show", MODEL, HOSTILE[0]],
    ["show", HOSTILE[0]],
    ["blame", "--rev", HOSTILE[0], MODEL],
    ["diff", HOSTILE[0]],
    ["diff", "--tag", HOSTILE[0]],
    ["diff", "--report", HOSTILE[0]],
    ["export", "--check"],
    ["export", "--check", "-v"],
    ["export", "--from-file", HOSTILE[0]],
    ["export", "--tracker", HOSTILE[0]],
    ["export", "--branch", HOSTILE[0]],
    ["fmt", HOSTILE[0]],
    ["fmt", "--check"],
    ["lint", HOSTILE[0]],
    ["lint", "--explain", HOSTILE[0]],
    ["trackers"],
    ["trackers", "--json"],
    ["trackers", "--tracker", HOSTILE[0]],
    ["schema"],
    [HOSTILE[0]],
    ["-C", HOSTILE[0], "diff"],
    ["export", "-v"],
]


@pytest.mark.usefixtures("shop")
def test_no_command_of_ours_writes_one_of_a_runner(pinsync: CommandLine) -> None:
    for words in READS:
        result = pinsync(*words)
        assert result.out + result.err, words
        assert result.code in (0, 1, 2), (words, result.err)
        assert find_foreign_commands(result.out + result.err) == [], words
        assert find_commands(result.err) == [], words
        # The report for GitHub consists of commands; test_report_hostile.py looks at each of them.
        assert "github" in words or find_commands(result.out + result.err) == [], words


@pytest.mark.usefixtures("shop")
def test_json_gives_the_texts_back(pinsync: CommandLine) -> None:
    titles = {
        rule_["title"]
        for rule_ in json.loads(pinsync("show", "--json", MODEL).out)["trackers"][0]["rules"]
    }
    assert titles == {row["target_metadata"]["title"] for row in hostile() if row["model"] == MODEL}
    commits = json.loads(pinsync("history", "--format", "json", "--all").out)["commits"]
    assert {commit["subject"] for commit in commits} <= {one_line(text) for text in HOSTILE}
    assert commits


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("command", [("diff", "--format", "patch"), ("fmt", "--diff")])
def test_a_patch_is_exact_and_a_warning_names_what_it_cant_escape(
    command: tuple[str, ...], pinsync: CommandLine, git: Git
) -> None:
    for file in Path(FOLDER).iterdir():
        if command[0] == "fmt":
            put(file, file.read_text().replace("pin_type: item", 'pin_type: "item"'))
            git("add", "--all")
    result = pinsync(*command)
    assert result.code == 1
    assert find_commands(result.err) == []
    hunks = [line for line in result.out.splitlines() if find_foreign_commands(line)]
    assert hunks
    assert all(line[0] in "+- " and not line.startswith(("+++ b", "--- a")) for line in hunks)
    warnings = [line for line in result.err.splitlines() if "a command to" in line]
    assert len(warnings) == len(list(Path(FOLDER).iterdir()))
    place = re.compile(rf"warning: {re.escape(defuse(FOLDER))}/\S+:\d+: a command to \S+")
    assert all(place.match(line) for line in warnings)
    git("apply", "--check", str(put(Path("..", "patch"), result.out)))


@pytest.mark.usefixtures("shop")
def test_a_patch_in_a_file_needs_no_warning(pinsync: CommandLine) -> None:
    result = pinsync("diff", "--format", "text", "--report", "patch=../patch")
    assert result.code == 1
    assert "a command to" not in result.err
    assert find_foreign_commands(Path("..", "patch").read_text())


@pytest.mark.parametrize("text", HOSTILE)
def test_what_the_api_says_is_no_command(text: str, api: Sandbox, pinsync: CommandLine) -> None:
    api.fail(
        Fault(answer=Answer(422, json.dumps({"reason": text, "exception_details": {}}).encode()))
    )
    result = pinsync("export")
    assert result.code == 3
    assert find_commands(result.err) == []
