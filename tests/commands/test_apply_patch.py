"""``apply --patch`` and ``apply --write-ids``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.sandbox import Sandbox
from support.agreeing import OTHER, S, T, without_id, write
from support.exporting import put
from support.histories import BASKET, rule, run, text
from support.moving import CONFIGURATION
from support.terminals import CTRL_D, Dialogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command_line import CommandLine

Row = dict[str, Any]

PERSONS = rule(2, "/p/3/")
ADDED = without_id(rule(3, "/p/7/"))
BEFORE = {"/p/1/": "/p/7/", "/p/2/": "/p/3/"}

on_terminal = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")


@pytest.fixture
def differing(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sandbox]:
    """A shop that git agreed with; then git changed rule 1 and added rule 3, a person rule 2."""
    put(repository / "pinsync.yaml", CONFIGURATION)
    rows = [{"model": "basket", **row} for row in (T, OTHER)]
    with Sandbox(rows, seed=1) as sandbox:
        for name, value in sandbox.environment.items():
            monkeypatch.setenv(name, value)
        write("Begin", T, OTHER, at=1)
        assert pinsync("export").code == 0
        write("Swap and add", S, OTHER, ADDED, at=10)
        sandbox.replace({"model": "basket", **PERSONS})
        yield sandbox


def read_pins(api: Sandbox) -> dict[str, str]:
    """Return the first pin of each target in the shop."""
    pins: dict[str, str] = {}
    for row in api.customizations():
        assert row["target_identity"] not in pins
        pins[row["target_identity"]] = row["pin_definitions"][0]["pin_identity"]
    return pins


@on_terminal
@pytest.mark.parametrize(
    ("answers", "after"),
    [
        ("s g s y", {"/p/1/": "/p/8/"}),
        ("g s g y", {"/p/2/": None, "/p/3/": "/p/7/"}),
        ("g q y", {"/p/2/": None}),
        (f"s g {CTRL_D} y", {"/p/1/": "/p/8/"}),
    ],
)
def test_the_shop_gets_what_was_taken_of_git_and_nothing_else(
    answers: str, after: dict[str, str | None], differing: Sandbox
) -> None:
    assert rule(2)["pin_definitions"] == []
    dialogue = Dialogue("apply", "-p")
    dialogue.answer(*answers.split())
    code, sent = dialogue.end()
    assert code == 0, sent
    pins = {**BEFORE, **after}
    got = {
        row["target_identity"]: next((pin["pin_identity"] for pin in row["pin_definitions"]), None)
        for row in differing.customizations()
    }
    assert got == pins
    # The plan of the chosen rules is shown once more, before the last question.
    shown, _, _ = sent.partition("Carry out this plan in the shop [y,n]?")
    assert f"This plan changes {len(after)} rule" in shown or "creates" in shown
    assert "This is a preview" not in sent


@on_terminal
@pytest.mark.parametrize("answers", ["g g g n", f"g q {CTRL_D}"])
def test_a_no_changes_nothing(answers: str, differing: Sandbox) -> None:
    dialogue = Dialogue("apply", "-p")
    dialogue.answer(*answers.split())
    code, sent = dialogue.end()
    assert (code, read_pins(differing)) == (1, BEFORE)
    assert "nothing was changed" in sent


@on_terminal
@pytest.mark.parametrize("answers", ["q", "s n s", CTRL_D])
def test_without_a_choice_nothing_is_asked_again(answers: str, differing: Sandbox) -> None:
    dialogue = Dialogue("apply", "--patch")
    dialogue.answer(*answers.split())
    code, sent = dialogue.end()
    assert (code, read_pins(differing)) == (0, BEFORE)
    assert "[y,n]" not in sent


@pytest.mark.usefixtures("differing")
@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--no-lint", "--patch asks about each rule, and there is no terminal to ask on"),
        ("--yes", "--patch asks about each rule, and there is no terminal to ask on"),
    ],
)
def test_patch_needs_a_terminal(option: str, message: str, pinsync: CommandLine) -> None:
    result = pinsync("apply", "-p", option)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert "--id" in result.err


@on_terminal
@pytest.mark.usefixtures("differing")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--yes",), "so it can't go with --yes"),
        (("--expect", "0" * 64), "so it can't go with --expect"),
        (("--json",), "--format json can't ask"),
    ],
)
def test_patch_excludes_other_answers(options: tuple[str, ...], message: str) -> None:
    code, sent = Dialogue("apply", "-p", *options).end()
    assert (code, message in sent) == (2, True), sent


def test_the_ids_of_created_rules_come_into_the_files(
    differing: Sandbox, pinsync: CommandLine
) -> None:
    result = pinsync("apply", "--yes", "--write-ids")
    # A person's rule is left alone.
    assert result.code == 1, result.err
    (created,) = [row for row in differing.customizations() if row["target_identity"] == "/p/3/"]
    with_id = {**rule(3, "/p/7/"), "id": created["id"]}
    assert Path(BASKET).read_text(encoding="utf-8") == text("basket", S, OTHER, with_id)
    assert run("diff", "--name-only").split() == [BASKET]


def test_ids_are_written_only_where_the_file_has_the_rule(
    differing: Sandbox, pinsync: CommandLine
) -> None:
    put(Path(BASKET), text("basket", S, OTHER, rule(4)))
    result = pinsync("apply", "--yes", "--write-ids")
    assert result.code == 1, result.err
    assert len(differing.customizations()) == 3
    assert Path(BASKET).read_text(encoding="utf-8") == text("basket", S, OTHER, rule(4))


def test_ids_are_not_written_over_uncommitted_work(
    differing: Sandbox, pinsync: CommandLine
) -> None:
    content = text("basket", S, OTHER, ADDED, rule(4))
    put(Path(BASKET), content)
    result = pinsync("apply", "--yes", "--write-ids")
    assert (result.code, len(differing.customizations())) == (1, 3)
    assert "warning: the ids of created rules aren't in the files yet" in result.err
    assert Path(BASKET).read_text(encoding="utf-8") == content
