"""Attempts to lead an apply to another path, or to let an account obey foreign text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from pinsync.sandbox import Answer
from support.agreeing import OTHER, S, T, without_id, write
from support.attacking import CREATE, EXPORT, ROOT, forge_record
from support.histories import commit, rule
from support.hostile import TITLES

if TYPE_CHECKING:
    from support.attacking import Scene
    from support.command_line import Result

HOSTILE_IDS = (
    "../scopes",
    "../../../../v1/other",
    "a/b",
    "a%2Fb",
    "%2e%2e",
    "a?b=c#d",
    "a;b",
    "\\..\\scopes",
    "é\u202e",
    "a b\n\r\x00",
    "*",
    "-rf",
)


def be_hostile(scene: Scene, rule_id: str) -> None:
    """Let exports and looks show the rule `T` under another id."""
    hostile = {"model": "basket", **T, "id": rule_id}
    whole = json.dumps({"results": [hostile, {"model": "basket", **OTHER}]}).encode()
    scene.give(EXPORT, Answer(200, whole))
    scene.give("GET .*", Answer(200, json.dumps(hostile).encode()))
    scene.give("(PUT|DELETE) .*", Answer(200, b"{}"))


def list_paths(scene: Scene) -> set[str]:
    """Return the paths of the last command, but for the export's."""
    return {each.path for each in scene.api.log[scene.seen :]} - {f"{ROOT}scopes/export"}


def test_hostile_ids_of_a_rule(scene: Scene) -> None:
    for rule_id in HOSTILE_IDS:
        scene.calm()
        be_hostile(scene, rule_id)
        write("Change all", {**S, "id": rule_id}, OTHER, at=10)
        scene.restore("HEAD", "--no-lint")
        assert list_paths(scene) == {f"{ROOT}scope/{quote(rule_id, safe='')}"}


@pytest.mark.parametrize("rule_id", [".", ".."])
def test_an_id_that_is_a_step_of_a_path(rule_id: str, scene: Scene) -> None:
    """The client shortens such a path, so it would sign a write to another endpoint."""
    be_hostile(scene, rule_id)
    write("Change all", {**S, "id": rule_id}, OTHER, at=10)
    scene.restore("HEAD", "--no-lint")
    assert all(re.fullmatch(f"{ROOT}scope/[^/]+", path) for path in list_paths(scene))


def test_an_id_of_a_created_rule_that_is_a_path(scene: Scene) -> None:
    write("Add", T, OTHER, without_id(rule(3)), at=10)
    body = json.dumps({"model": "basket", **rule(3), "id": "../scopes/export"}).encode()
    scene.at(CREATE, lambda: Answer(200, body))
    assert scene.apply().code == 3
    assert f"{ROOT}scope/..%2Fscopes%2Fexport" in list_paths(scene)


def test_an_id_that_is_too_long_for_an_address(scene: Scene) -> None:
    huge = "a" * 70_000
    be_hostile(scene, huge)
    write("Change all", {**S, "id": huge}, OTHER, at=10)
    done = scene.restore("HEAD", "--no-lint")
    assert done.code in (2, 3)
    assert scene.writes == []


def hold_lines(result: Result) -> None:
    """Hold all lines of a result to harmless text."""
    for text in (result.out, result.err):
        assert text.isprintable() or not re.search(
            "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text
        )
        for line in text.splitlines():
            assert not re.match(r"\s*::|.*##\[|.*##vso|.*##teamcity", line)
        assert "\x1b" not in text


def test_texts_that_try_to_break_out_of_the_account(scene: Scene) -> None:
    """A rule for each title; the first write is refused with the title as its reason."""
    for number, title in enumerate(TITLES):
        scene.add({"target_type": "item", "target_identity": title, "tags": [f"{number}"]})
    assert scene.pinsync("export", "--commit").code == 0
    document = Path("customizations/basket.yaml")
    assert scene.restore("HEAD").code == 0
    text = document.read_text()
    document.write_text(text.replace("    tags:\n", "    tags:\n      - more\n"))
    titles = iter(TITLES * 3)

    def refuse() -> Answer:
        title = next(titles)
        body = {"reason": title, "exception_details": {title: [title]}}
        return Answer(422, json.dumps(body).encode())

    commit("Tag all", at=10)
    scene.at("PUT .*", refuse, nth=None)
    for options in ((), ("--format", "json")):
        done = scene.apply("--keep-going", "--no-lint", "--overwrite-edits", *options)
        assert done.code == 3
        hold_lines(done)


def test_names_in_the_record_that_try_to_break_out(scene: Scene) -> None:
    write("Swap", S, OTHER, at=10)
    begun = {"started": "\x1b[31m\n::error::x", "machine": "##[group]\u202e", "operations": []}
    forge_record({"begun": begun})
    done = scene.apply()
    assert done.code == 4
    hold_lines(done)
    hold_lines(scene.restore("HEAD"))
    assert scene.writes == []
