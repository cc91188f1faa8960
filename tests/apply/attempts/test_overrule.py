"""Attempts to let an apply overrule a person who changed the shop."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.sandbox import Answer, parse_fault
from support.agreeing import OTHER, REFERENCE, S2, P, S, T, read_record, without_id, write
from support.attacking import EXPORT, Killed, die_before_account, swap
from support.exporting import put
from support.histories import commit, rule, text
from support.moving import CONFIGURATION

if TYPE_CHECKING:
    from support.attacking import Scene

Row = dict[str, Any]

UPDATED = (200, 201, 202, 204, 303, 304, 307, 403, 404, 408, 425, 500)


def hold_old_text(scene: Scene, *arguments: str) -> None:
    """Let a person put the old text back, and hold the next apply to it."""
    scene.calm()
    scene.save(T)
    done = scene.apply(*arguments)
    assert done.code == 1, done.out
    assert scene.read_pin(T) == "/p/7/"
    assert scene.writes == []


# Between the plan and the write.


@pytest.mark.parametrize("model", ["basket", "home"])
def test_an_edit_between_the_plan_and_the_look_before_the_write(model: str, scene: Scene) -> None:
    swap()
    scene.at("GET scope/.*", lambda: scene.save(P, model=model))
    assert scene.apply().code == 1
    assert scene.read_pin(T) == "/p/5/"
    assert scene.writes == []


def test_a_deletion_between_the_plan_and_the_look_before_the_write(scene: Scene) -> None:
    swap()
    scene.at("GET scope/.*", lambda: scene.api.delete(T["id"]))
    assert scene.apply().code == 1
    assert scene.apply().code == 1
    assert scene.list_targets() == ["/p/2/"]


def test_a_look_before_the_write_that_shows_another_rule_of_the_same_text(scene: Scene) -> None:
    """A cache may mix up two addresses: the answer has the planned text, and another id."""
    swap()
    mixed_up = json.dumps({**T, "model": "basket", "id": OTHER["id"]}).encode()

    def mix_up() -> Answer:
        scene.save(P)
        return Answer(200, mixed_up)

    scene.at("GET scope/.*", mix_up)
    scene.apply()
    assert scene.read_pin(T) == "/p/5/"


def test_a_rule_that_a_person_created_since_the_plan(scene: Scene) -> None:
    write("Add", T, OTHER, without_id(rule(3, "/p/7/")), at=10)
    scene.at(EXPORT, lambda: scene.add(without_id(rule(3, "/p/5/"))), nth=2)
    assert scene.apply().code == 1
    assert scene.list_targets() == ["/p/1/", "/p/2/", "/p/3/"]
    assert scene.writes == []


def test_rules_that_exchange_targets_while_a_person_edits_one(scene: Scene) -> None:
    one, two = rule(1, "/p/7/"), rule(2, "/p/9/")
    write("Pin", one, two, at=9)
    assert scene.apply().code == 0
    crossed = {**one, "target_identity": "/p/2/"}, {**two, "target_identity": "/p/1/"}
    write("Exchange", *crossed, at=10)
    scene.at("GET scope/.*", lambda: scene.save(rule(2, "/p/5/")), nth=None)
    assert scene.apply().code in (1, 3)
    assert scene.read_pin(two) == "/p/5/"


@pytest.mark.parametrize("value", ["new", 2**70, 0.1, [1, {"a": None}]])
def test_an_ignored_field_that_a_person_changes_meanwhile(value: object, scene: Scene) -> None:
    put(Path("pinsync.yaml"), CONFIGURATION + "ignore: [target_metadata.note]\n")
    swap()
    noted = {**T, "target_metadata": {"note": value}}
    scene.at("GET scope/.*", lambda: scene.save(noted))
    assert scene.apply().code == 0
    found = scene.read(T)
    assert found
    assert found["target_metadata"] == {"note": value}
    assert scene.read_pin(T) == "/p/8/"


@pytest.mark.parametrize("call", ["PUT", "DELETE"])
def test_an_edit_while_a_throttled_write_waits(call: str, scene: Scene) -> None:
    """The host may ask for a minute, several times; the backup doesn't have the edit."""
    write("Change", *([S] if call == "PUT" else []), OTHER, at=10)

    def throttle() -> Answer:
        scene.save(P)
        return Answer(429, b"{}", {"Retry-After": "0"})

    scene.at(f"{call} scope/.*", throttle)
    scene.apply("--delete")
    assert scene.read_pin(T) == "/p/5/"


def test_an_edit_while_a_write_waits_for_the_limit_of_the_look_before_it(scene: Scene) -> None:
    """The pause comes before the next look, and not between a look and its write."""
    swap()
    timer = threading.Timer(0.2, scene.save, [P])

    def exhaust() -> Answer:
        timer.start()
        limit = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "50"}
        return Answer(200, json.dumps({"model": "basket", **T}).encode(), limit)

    scene.at("GET scope/.*", exhaust)
    scene.apply()
    timer.join()
    assert scene.read_pin(T) == "/p/5/"


# Between the write and its verification.


@pytest.mark.parametrize("after", [P, T])
def test_an_edit_between_the_write_and_the_export_that_verifies_it(
    after: Row, scene: Scene
) -> None:
    swap()
    scene.at(EXPORT, lambda: scene.save(after), nth=2)
    done = scene.apply()
    assert done.code in (1, 3)
    assert "changed it right after" in done.out or "doesn't show" in done.out
    scene.save(P)
    assert scene.apply().code == 1
    assert scene.read_pin(T) == "/p/5/"


def test_the_old_text_put_back_before_the_first_write_is_read_back(undated: Scene) -> None:
    swap()
    undated.at("GET scope/.*", lambda: undated.save(T), nth=2)
    assert undated.apply().code == 3
    hold_old_text(undated)


def test_the_old_text_put_back_after_the_first_write_came_back_differently(undated: Scene) -> None:
    """A person edits the rule right after the write, and then takes all of it back."""
    swap()
    undated.at("PUT scope/.*", lambda: undated.save(P), late=True)
    assert undated.apply().code == 3
    hold_old_text(undated)


def test_the_old_text_put_back_after_the_answer_to_the_write_was_lost(undated: Scene) -> None:
    swap()
    undated.api.fail(parse_fault("reset:write=1:effect=after"))
    undated.at("GET scope/.*", lambda: undated.save(T), nth=2)
    assert undated.apply().code == 3
    hold_old_text(undated)


def test_the_old_text_put_back_after_a_see_other(undated: Scene) -> None:
    """A 303 points at the result of a request that had its effect (RFC 9110, 15.4.4)."""
    swap()
    undated.give("PUT scope/.*", Answer(303, b"", {"Location": "/"}), late=True)
    undated.at(EXPORT, lambda: undated.save(T), nth=2)
    assert undated.apply().code == 3
    hold_old_text(undated)


@pytest.mark.parametrize("keeps_journal", [True, False])
def test_the_old_text_put_back_after_the_run_was_killed_behind_the_write(
    keeps_journal: bool, undated: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap()
    with die_before_account(monkeypatch), pytest.raises(Killed):
        undated.apply()
    assert undated.read_pin(T) == "/p/8/"
    if not keeps_journal:
        for journal in undated.backups.glob("journal-*"):
            journal.unlink()
        assert undated.apply().code == 4
    hold_old_text(undated, "--take-over")


def test_any_answer_to_a_write_of_which_the_shop_shows_nothing(scene: Scene) -> None:
    swap()
    for status in UPDATED:
        body = b"" if status in (204, 304) else b"{}"
        scene.calm()
        scene.give("PUT scope/.*", Answer(status, body), None)
        done = scene.apply("--overwrite-edits")
        # A 404 means that somebody deleted the rule.
        assert done.code in ((1, 3) if status == 404 else (3,)), done.out
        assert scene.read_pin(T) == "/p/7/"


# After a restore, a move or a commit with a strange date.


def test_an_apply_that_would_undo_a_restore(scene: Scene) -> None:
    swap()
    assert scene.apply().code == 0
    assert scene.restore("HEAD~1").code == 0
    assert scene.read_pin(T) == "/p/7/"
    assert scene.apply("--delete").code == 1
    assert scene.read_pin(T) == "/p/7/"


def test_a_field_that_is_ignored_now_and_a_restore_of_a_commit_before(scene: Scene) -> None:
    swap()
    assert scene.apply().code == 0
    put(Path("pinsync.yaml"), CONFIGURATION + "ignore: [tags]\n")
    commit("Leave the tags to people", at=20)
    scene.save({**S, "tags": ["mine"]})
    assert scene.restore("HEAD~2").code == 0
    found = scene.read(T)
    assert found
    assert found["tags"] == ["mine"]
    assert scene.read_pin(T) == "/p/7/"


def test_an_apply_that_would_delete_what_a_restore_brought_back(scene: Scene) -> None:
    write("Remove", OTHER, at=10)
    assert scene.apply("--delete").code == 0
    assert scene.restore("HEAD~1").code == 0
    assert scene.apply("--delete").code == 1
    assert scene.list_targets() == ["/p/1/", "/p/2/"]


def test_a_commit_that_is_dated_in_the_future_and_no_record(scene: Scene) -> None:
    """The date of a commit must not prove that the shop's text is older than the commit."""
    Path(".git", REFERENCE).unlink()
    commit("Swap", {"customizations/basket.yaml": text("basket", S, OTHER)}, at=30 * 365 * 24)
    # A person has typed the old text into the shop just now.
    scene.save(T)
    scene.apply()
    assert scene.read_pin(T) == "/p/7/"


def test_a_second_tracker_of_the_same_id_that_only_the_file_on_disk_names(undated: Scene) -> None:
    """Trackers that share an id have no record, so its knowledge must not be used either."""
    swap()
    hosts = "    hosts: [https://live.luigisbox.tech]\n"
    twin = "  twin:\n    tracker_id: 1234-5678\n    hosts: [https://live.luigisbox.com]\n"
    put(Path("pinsync.yaml"), CONFIGURATION + hosts + twin)
    assert undated.apply("--tracker", "shop").code == 4
    assert undated.read_pin(T) == "/p/7/"
    put(Path("pinsync.yaml"), CONFIGURATION)
    assert undated.apply().code == 0
    hold_old_text(undated)


def test_a_rule_that_git_and_a_person_change_in_different_ways(scene: Scene) -> None:
    files = {
        "customizations/basket.yaml": text("basket", OTHER),
        "customizations/home.yaml": text("home", T),
    }
    commit("Move", files, at=10)
    scene.save(P)
    assert scene.apply("--delete").code == 1
    assert scene.read_pin(T) == "/p/5/"
    assert scene.writes == []


def test_two_rules_of_one_target_in_the_shop_and_an_edit_of_one_in_git(scene: Scene) -> None:
    added = scene.add(without_id(P))
    write("Swap", without_id(S), OTHER, at=10)
    scene.apply()
    assert scene.read_pin({"id": added}) == "/p/5/"


def test_an_older_commit_that_would_overwrite_a_newer_edit(scene: Scene) -> None:
    swap()
    write("Swap again", S2, OTHER, at=20)
    assert scene.apply().code == 0
    scene.save(P)
    before = read_record()
    assert scene.apply("HEAD~1", "--overwrite-edits").code == 4
    assert scene.read_pin(T) == "/p/5/"
    assert read_record() == before
