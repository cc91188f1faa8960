"""Attempts to let an apply or a restore delete a rule that it must not delete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.agreeing import OTHER, REFERENCE, P, S, T, without_id, write
from support.exporting import put
from support.histories import commit, rule, text
from support.moving import CONFIGURATION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.attacking import Scene

Row = dict[str, Any]

MANAGED = CONFIGURATION + "    manages:\n      tags: [git]\n"


def save_export(rows: Sequence[Row]) -> str:
    """Write a JSON export; return its path."""
    return str(put(Path("../export.json").resolve(), json.dumps({"results": rows})))


def test_a_rule_that_git_removed(scene: Scene) -> None:
    write("Remove", OTHER, at=10)
    assert scene.apply("--overwrite-edits", "--recreate", "--delete-extra").code == 1
    assert scene.read_pin(T) == "/p/7/"


def test_a_rule_that_git_never_had(scene: Scene) -> None:
    scene.add(without_id(rule(3, "/p/7/")))
    assert scene.apply("--delete", "--overwrite-edits", "--recreate").code == 1
    assert scene.list_targets() == ["/p/1/", "/p/2/", "/p/3/"]


@pytest.mark.parametrize("after", [P, {**T, "tags": ["mine"]}])
def test_a_rule_that_a_person_edits_before_the_write(after: Row, scene: Scene) -> None:
    write("Remove", OTHER, at=10)
    scene.at("GET scope/.*", lambda: scene.save(after))
    assert scene.apply("--delete").code == 1
    assert scene.read(T)
    assert scene.writes == []


def test_a_rule_that_a_person_moves_to_another_model_before_the_write(scene: Scene) -> None:
    write("Remove", OTHER, at=10)
    scene.at("GET scope/.*", lambda: scene.save(T, model="home"))
    assert scene.apply("--delete").code == 1
    assert scene.read(T)


def test_a_foreign_rule_and_a_restore_of_a_commit_before_manages(scene: Scene) -> None:
    """What a commit managed then must not decide what belongs to pinsync now."""
    tagged = {**T, "tags": ["git"]}
    put(Path("pinsync.yaml"), MANAGED)
    write("Manage tagged rules only", tagged, OTHER, at=10)
    foreign = scene.add(without_id(rule(9, "/p/7/")))
    scene.restore("HEAD~1")
    assert foreign in [row["id"] for row in scene.api.customizations()]


@pytest.mark.xfail(strict=True, reason="By design: an apply goes by SOURCE's manages alone.")
def test_a_foreign_rule_and_an_apply_before_manages_is_committed(scene: Scene) -> None:
    put(Path("pinsync.yaml"), MANAGED)
    foreign = scene.add(without_id(rule(9, "/p/7/")))
    scene.apply("--delete", "--delete-extra")
    assert foreign in [row["id"] for row in scene.api.customizations()]


def test_a_foreign_rule_and_a_restore_of_an_export(scene: Scene) -> None:
    put(Path("pinsync.yaml"), MANAGED)
    foreign = scene.add(without_id(rule(9, "/p/7/")))
    scene.restore(save_export([{"model": "basket", **T, "tags": ["git"]}]), "--allow-mass-removal")
    assert foreign in [row["id"] for row in scene.api.customizations()]


@pytest.mark.parametrize("command", ["apply", "restore"])
def test_pins_that_the_documents_of_source_leave_out(command: str, scene: Scene) -> None:
    """Source was written under remove_expired_pins, which is switched off by now."""
    expired = {"position": 2, "pin_type": "item", "pin_identity": "/p/9/"}
    expired["active_to"] = "2020-01-01T00:00:00Z"
    scene.save({**T, "pin_definitions": [*T["pin_definitions"], expired]})
    put(Path("pinsync.yaml"), CONFIGURATION + "    remove_expired_pins: true\n")
    assert scene.pinsync("export").code == 0
    commit("Leave out expired pins", at=10)
    put(Path("pinsync.yaml"), CONFIGURATION)
    if command == "restore":
        commit("Take in expired pins", at=11)
        done = scene.restore("HEAD~1")
    else:
        done = scene.apply("--overwrite-edits")
    found = scene.read(T)
    assert found
    assert len(found["pin_definitions"]) == 2
    assert done.code == 2


def test_all_rules_and_a_restore_of_an_empty_export(scene: Scene) -> None:
    assert scene.restore(save_export([])).code == 4
    assert scene.list_targets() == ["/p/1/", "/p/2/"]


def test_all_rules_and_a_restore_of_the_export_of_another_tracker(scene: Scene) -> None:
    """The guard against mass removal must not be silent because other rules are created."""
    rows = [rule(number, "/p/7/", model="basket") for number in (101, 102)]
    assert scene.restore(save_export(rows)).code == 4
    assert scene.list_targets() == ["/p/1/", "/p/2/"]


@pytest.mark.parametrize("count", [0, 1])
def test_rules_of_other_models_and_a_restore_with_a_filter(count: int, scene: Scene) -> None:
    scene.add(without_id(rule(9, "/p/7/")), model="home")
    rows = [{"model": "basket", **each} for each in (S, OTHER)[: 1 + count]]
    done = scene.restore(save_export(rows), "--model", "basket", "--allow-mass-removal")
    assert done.code == 0
    assert "/p/9/" in scene.list_targets()


def test_rules_whose_document_git_never_had_and_a_restore_of_a_commit(scene: Scene) -> None:
    scene.add(without_id(rule(9, "/p/7/")), model="home")
    assert scene.restore("HEAD").code == 1
    assert "/p/9/" in scene.list_targets()


def test_all_rules_and_a_mistyped_folder_in_the_configuration(scene: Scene) -> None:
    """A folder that git never had isn't an empty one."""
    scene.add(without_id(rule(9, "/p/7/")))
    put(Path("pinsync.yaml"), "directory: customisations\n" + CONFIGURATION)
    commit("Mistype the folder", at=10)
    scene.apply("--delete")
    assert scene.list_targets() == ["/p/1/", "/p/2/", "/p/9/"]


def test_all_rules_and_a_removed_document(scene: Scene) -> None:
    commit("Remove all", {"customizations/basket.yaml": None}, at=10)
    assert scene.apply("--delete").code == 4
    assert scene.list_targets() == ["/p/1/", "/p/2/"]


def test_most_rules_and_a_document_that_lost_most_blocks(scene: Scene) -> None:
    rules = [rule(number, "/p/7/") for number in range(1, 13)]
    for each in rules[2:]:
        scene.add(without_id(each))
    assert scene.pinsync("export", "--commit").code == 0
    write("Lose", T, OTHER, at=10)
    done = scene.apply("--delete")
    assert done.code == 4
    assert len(scene.list_targets()) == 12


def test_a_rule_whose_block_only_lost_its_id(scene: Scene) -> None:
    commit("Drop the id", {"customizations/basket.yaml": text("basket", without_id(T), OTHER)})
    scene.apply("--delete", "--overwrite-edits", "--recreate")
    found = scene.read(T)
    assert found
    assert scene.list_targets() == ["/p/1/", "/p/2/"]


def test_all_rules_and_a_restore_of_a_commit_without_documents(scene: Scene) -> None:
    """The record of agreement is such a commit."""
    done = scene.restore(REFERENCE)
    assert done.code == 1
    assert scene.list_targets() == ["/p/1/", "/p/2/"]


def test_a_rule_outside_of_a_range(scene: Scene) -> None:
    write("Remove", OTHER, at=10)
    write("Edit another", {**OTHER, "tags": ["x"]}, at=20)
    assert scene.apply("HEAD~1..HEAD", "--delete").code == 0
    assert scene.read(T)
