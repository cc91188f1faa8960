"""Attempts to let an apply write what wasn't shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinsync.sandbox import Answer
from support.agreeing import OTHER, P, S, T, without_id, write
from support.attacking import BULK, CREATE, EXPORT, swap, tell
from support.exporting import put
from support.histories import commit, rule, text
from support.moving import CONFIGURATION

if TYPE_CHECKING:
    import pytest

    from support.attacking import Scene

Row = dict[str, Any]


def read_bodies(scene: Scene) -> dict[str, list[Row]]:
    """Return the rules that the last command sent, by the call."""
    bodies: dict[str, list[Row]] = {}
    for request in scene.api.log[scene.seen :]:
        if request.body:
            lines = request.body.splitlines()
            bodies.setdefault(tell(request), []).extend(json.loads(line) for line in lines)
    return bodies


def test_fields_that_only_the_server_sets(scene: Scene) -> None:
    """A hand-written block may name them; the shop's rule has them."""
    scene.save(T)
    stamps = "    created_at: 2020-01-01T00:00:00Z\n    updated_at: 2020-01-01T00:00:00Z\n"
    new = [without_id(rule(number, "/p/7/")) for number in (3, 4)]
    content = text("basket", S, OTHER, *new).replace("    target_type", stamps + "    target_type")
    commit("Swap", {"customizations/basket.yaml": content}, at=10)
    assert scene.apply("--no-lint", "--overwrite-edits").code == 0
    bodies = read_bodies(scene)
    assert set(bodies) == {f"PUT scope/{T['id']}", CREATE, BULK}
    for rows in bodies.values():
        for row in rows:
            assert not {"id", "created_at", "updated_at"} & set(row)


def test_uncommitted_edits(scene: Scene) -> None:
    put(Path("customizations/basket.yaml"), text("basket", S, OTHER))
    assert scene.apply().code == 0
    assert scene.writes == []


def test_a_commit_that_comes_after_the_plan(scene: Scene) -> None:
    swap()
    scene.at("GET scope/.*", lambda: write("Swap again", P, OTHER, at=20))
    assert scene.apply().code == 0
    assert scene.read_pin(T) == "/p/8/"


def test_an_edit_of_the_shop_between_the_question_and_the_answer(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap()
    monkeypatch.setattr("pinsync.commands.execution.is_terminal", lambda _: True)

    def confirm(*_: object) -> bool:
        scene.save(P)
        return True

    monkeypatch.setattr("pinsync.commands.execution.confirm", confirm)
    assert scene.apply(yes=False).code == 1
    assert scene.read_pin(T) == "/p/5/"
    assert scene.writes == []


def test_a_list_that_git_removed(scene: Scene) -> None:
    tagged = {**T, "tags": ["a"]}
    write("Tag", tagged, OTHER, at=10)
    assert scene.apply().code == 0
    write("Take the tag away", T, OTHER, at=20)
    assert scene.apply().code == 0
    (row,) = read_bodies(scene)[f"PUT scope/{T['id']}"]
    assert row["tags"] == []


def test_rules_out_of_the_filter(scene: Scene) -> None:
    write("Change both", S, {**OTHER, "tags": ["x"]}, at=10)
    assert scene.apply("--id", T["id"]).code == 0
    assert scene.writes == [f"PUT scope/{T['id']}"]


def test_rules_of_nobody_with_the_field_that_the_configuration_ignores(scene: Scene) -> None:
    """An ignored field is neither compared nor changed, whatever git says of it."""
    put(Path("pinsync.yaml"), CONFIGURATION + "ignore: [tags, target_metadata.title]\n")
    scene.save({**T, "tags": ["mine"], "target_metadata": {"title": "Mine", "image": "i"}})
    noted = {**S, "tags": ["git's"], "target_metadata": {"title": "Git's"}}
    write("Swap", noted, OTHER, at=10)
    assert scene.apply("--overwrite-edits").code == 0
    found = scene.read(T)
    assert found
    assert found["tags"] == ["mine"]
    assert found["target_metadata"] == {"title": "Mine"}


def test_a_plan_that_is_shown_as_json_only(scene: Scene) -> None:
    """Whoever reads JSON must find the shelves before and after somewhere before the first write."""
    swap()
    done = scene.apply("--format", "json")
    assert done.code == 0
    assert "/p/7/" in done.out + done.err


def test_an_exported_rule_that_the_look_before_the_write_shows_with_more_fields(
    scene: Scene,
) -> None:
    """A field that the export doesn't show would be lost by a write that replaces the rule."""
    swap()
    hidden = {"model": "basket", **T, "tags": ["hidden"]}
    exports: list[Row] = [{"model": "basket", **T}, {"model": "basket", **OTHER}]
    scene.save(hidden)
    scene.give(EXPORT, Answer(200, json.dumps({"results": exports}).encode()))
    assert scene.apply().code == 1
    assert scene.writes == []
