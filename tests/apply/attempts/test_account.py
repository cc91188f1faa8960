"""Attempts to make the account or the exit code of an apply say something that isn't so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.apply.journal import Journal, write_backup
from pinsync.errors import FileError
from pinsync.sandbox import Answer, Choices, StandIn
from support.agreeing import OTHER, REFERENCE, S, T, read_entries, without_id, write
from support.attacking import BULK, CREATE, EXPORT, swap
from support.exporting import put
from support.histories import commit, rule, run, text

if TYPE_CHECKING:
    from support.attacking import OpenShop, Scene
    from support.command_line import Result

Row = dict[str, Any]

NEW = without_id(rule(3, "/p/7/"))
NOT_FOUND = Answer(404, b'{"reason": "Customization not found"}')


def remove() -> None:
    """Let git remove the rule `T`."""
    write("Remove", OTHER, at=10)


def add(*rules: Row) -> None:
    """Let git add rules."""
    write("Add", T, OTHER, *rules, at=10)


def count_done(done: Result) -> int:
    """Return the number of operations that an account calls done."""
    number: int = json.loads(done.out)["done"]
    return number


# Writes that are acknowledged, and that the shop doesn't show.


@pytest.mark.parametrize("status", [200, 204])
@pytest.mark.parametrize("call", ["PUT scope/.*", "DELETE scope/.*", CREATE, BULK])
def test_a_write_that_is_acknowledged_and_never_done(call: str, status: int, scene: Scene) -> None:
    if call.startswith("DELETE"):
        remove()
    elif call.startswith("PUT"):
        swap()
    else:
        add(without_id(rule(3)), without_id(rule(4)))
    body = json.dumps({"model": "basket", **rule(9)}).encode() if call == CREATE else b"{}"
    scene.give(call, Answer(status, b"" if status == 204 else body))
    done = scene.apply("--delete", "--format", "json")
    assert done.code == 3, done.out
    assert count_done(done) == (1 if call == BULK else 0)


def test_a_call_that_stores_one_rule_otherwise(scene: Scene) -> None:
    add(*[without_id(rule(number, "/p/7/")) for number in (3, 4, 5)])

    def alter() -> None:
        (found,) = [row for row in scene.api.customizations() if row["target_identity"] == "/p/5/"]
        scene.api.replace({**found, "tags": ["altered"]})

    scene.at(BULK, alter, late=True)
    done = scene.apply("--format", "json")
    assert done.code in (1, 3)
    assert count_done(done) == 2


def test_a_rule_that_gets_another_id_by_a_write(scene: Scene) -> None:
    swap()

    def renumber() -> None:
        scene.api.delete(T["id"])
        scene.add(without_id(S))

    scene.at("PUT scope/.*", renumber, late=True)
    assert scene.apply().code == 3


# Reads that are wrong.


def test_a_deletion_of_a_rule_that_the_shop_claims_not_to_know(scene: Scene) -> None:
    """A 404 of the look before the write must not count as a deletion that the export denies."""
    remove()
    scene.give("GET scope/.*", NOT_FOUND)
    done = scene.apply("--delete", "--format", "json")
    assert scene.read(T)
    assert done.code == 3, done.out
    assert count_done(done) == 0


def test_a_deletion_that_the_shop_answers_with_not_found(scene: Scene) -> None:
    remove()
    scene.give("DELETE scope/.*", NOT_FOUND)
    done = scene.apply("--delete", "--format", "json")
    assert scene.read(T)
    assert done.code == 3, done.out


def test_an_update_that_the_look_before_the_write_calls_done(scene: Scene) -> None:
    """The look may answer with another text than the export that was asked before and after."""
    swap()
    body = json.dumps({"model": "basket", **S}).encode()
    scene.give("GET scope/.*", Answer(200, body))
    done = scene.apply("--format", "json")
    assert scene.read_pin(T) == "/p/7/"
    assert done.code != 0, done.out


def test_exports_after_the_writes_that_do_not_show_them(scene: Scene) -> None:
    answers = [
        Answer(500, b"{}"),
        Answer(200, b'{"results": [], "total": 2}'),
        Answer(200, b'{"results": []}{"results": []}'),
        Answer(200, b"<html></html>"),
        Answer(200, b""),
        Answer(204, b""),
        Answer(404, b"{}"),
        Answer(401, b"{}"),
    ]
    for number, answer in enumerate(answers):
        write("Tag", {**T, "tags": [f"{number}"]}, OTHER, at=10 + number)
        scene.calm()
        scene.give(EXPORT, None, answer)
        done = scene.apply("--format", "json")
        assert done.code == 3, done.out
        assert json.loads(done.out)["trackers"][0]["verified"] is False
        assert f'- "{number}"' in read_entries()[T["id"]]["base"]["text"]


def test_an_export_after_the_writes_that_has_lost_all_rules(scene: Scene) -> None:
    """Somebody may have deleted them, and so the next apply must not create them again."""
    swap()
    scene.give(EXPORT, None, Answer(200, b'{"results": []}'))
    assert scene.apply().code == 1
    assert scene.apply("--overwrite-edits").code == 1
    assert scene.list_targets() == ["/p/1/", "/p/2/"]


# Errors in the middle.


def test_an_id_of_a_created_rule_that_is_too_long_for_an_address(scene: Scene) -> None:
    add(NEW)
    body = json.dumps({"model": "basket", **NEW, "id": "a" * 70_000}).encode()
    scene.at(CREATE, lambda: Answer(200, body), late=True)
    done = scene.apply("--format", "json")
    assert "/p/3/" in scene.list_targets()
    assert done.code == 3, done.err
    assert json.loads(done.out)["trackers"][0]["operations"]


def test_a_journal_that_can_not_be_written_in_the_middle(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("Change all", S, OTHER, NEW, at=10)
    write_event = Journal.write

    def fill_disk(journal: Journal, event: str, **values: object) -> None:
        if event == "acknowledged":
            raise FileError("can't be written: no space left", source=str(journal.path))
        write_event(journal, event, **values)

    monkeypatch.setattr(Journal, "write", fill_disk)
    done = scene.apply("--format", "json")
    assert done.code == 3
    assert count_done(done) == 1
    assert scene.list_targets() == ["/p/1/", "/p/2/"]


def test_a_journal_that_can_not_be_written_before_the_first_write(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap()
    write_event = Journal.write

    def fill_disk(journal: Journal, event: str, **values: object) -> None:
        if event == "send":
            raise FileError("can't be written: no space left", source=str(journal.path))
        write_event(journal, event, **values)

    monkeypatch.setattr(Journal, "write", fill_disk)
    assert scene.apply().code == 2
    assert scene.writes == []


def test_a_standard_output_that_is_full_after_the_writes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exit code of 2 says that nothing was written."""
    swap()
    report = "pinsync.terminal.console.Console.report"

    def fail(*_: object) -> None:
        raise FileError("can't be written: no space left", source="standard output")

    monkeypatch.setattr(report, fail)
    done = scene.apply("--format", "json")
    assert scene.read_pin(T) == "/p/8/"
    assert done.code == 3


def test_ids_that_can_not_be_written_into_a_damaged_file(scene: Scene) -> None:
    """An exit code of 2 says that nothing was written."""
    add(NEW)

    def damage() -> None:
        put(Path("customizations/basket.yaml"), "{")

    scene.at(CREATE, damage, late=True)
    done = scene.apply("--write-ids")
    assert "/p/3/" in scene.list_targets()
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    "place", ["agreement.claim.Claim.close", "apply.journal.Journal.write_end"]
)
def test_an_interrupt_behind_the_writes(
    place: str, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To push the record takes seconds, in which a user may lose patience."""
    swap()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"pinsync.{place}", interrupt)
    done = scene.apply()
    assert scene.read_pin(T) == "/p/8/"
    assert "nothing was changed" not in done.err
    assert "journal-" in done.out


# Shops that drop what they are given.


def tag_all(rules: list[Row]) -> None:
    """Let git tag rules."""
    write("Tag", *[{**each, "tags": ["winter"]} for each in rules], at=10)


def test_a_shop_that_drops_the_metadata_of_the_first_update(open_shop: OpenShop) -> None:
    rules = [rule(n, "/p/7/", target_metadata={"title": f"{n}"}) for n in (1, 2, 3)]
    with open_shop(rules, Choices(metadata_on_put="drop")) as scene:
        tag_all(rules)
        done = scene.apply()
        assert done.code == 3
        assert "--allow-dropped-metadata goes on" in done.out
        assert len(scene.writes) == 1


def test_a_shop_that_drops_the_metadata_of_all_updates_but_the_first(open_shop: OpenShop) -> None:
    """The first update has none, and so doesn't show that the shop drops it."""
    titled = [rule(n, "/p/7/", target_metadata={"title": f"{n}"}) for n in (2, 3, 4)]
    rules = [rule(1, "/p/7/"), *titled]
    with open_shop(rules, Choices(metadata_on_put="drop")) as scene:
        tag_all(rules)
        done = scene.apply()
        assert done.code == 3, done.out
        assert "somebody changed it" not in done.out
        assert sum("target_metadata" in row for row in scene.api.customizations()) >= 2


# Several trackers.


@pytest.fixture
def two(scene: Scene) -> StandIn:
    """A second tracker; the first one's documents are in a folder of its own now."""
    more = "  twin:\n    tracker_id: 9999-9999\n"
    other = StandIn(
        [{"model": "basket", **row} for row in (T, OTHER)],
        tracker_id="9999-9999",
        private_key=scene.api.private_key,
        seed=2,
    )
    scene.api._trackers["9999-9999"] = other
    put(Path("pinsync.yaml"), Path("pinsync.yaml").read_text() + more)
    commit(
        "Two trackers",
        {
            "customizations/basket.yaml": None,
            "customizations/shop/basket.yaml": text("basket", T, OTHER),
            "customizations/twin/basket.yaml": text("basket", T, OTHER),
        },
        at=5,
    )
    assert scene.pinsync("export").code == 0
    commit(
        "Swap both",
        {
            "customizations/shop/basket.yaml": text("basket", S, OTHER),
            "customizations/twin/basket.yaml": text("basket", S, OTHER),
        },
        at=10,
    )
    return other


def test_two_trackers_of_which_all_is_done(scene: Scene, two: StandIn) -> None:
    assert scene.apply().code == 0
    assert two.get(T["id"])["pin_definitions"][0]["pin_identity"] == "/p/8/"


def test_a_second_tracker_that_is_refused_after_the_first_was_written(
    scene: Scene, two: StandIn, tmp_path: Path
) -> None:
    """An exit code of 4 says that nothing was written."""
    remote = tmp_path / "remote.git"
    run("init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    hook = '#!/bin/sh\ncase "$1" in *9999*) exit 1;; esac\n'
    put(remote / "hooks" / "update", hook).chmod(0o755)
    run("remote", "add", "origin", str(remote))
    run("push", "--quiet", "origin", "main", f"{REFERENCE}:{REFERENCE}")
    run("remote", "set-head", "origin", "main")
    before = two.customizations()
    done = scene.apply()
    assert two.customizations() == before
    assert scene.read_pin(T) == "/p/7/" or done.code == 3


def test_a_second_tracker_without_room_for_its_backup(
    scene: Scene, two: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exit code of 2 says that nothing was written."""

    def fill_disk(folder: Path, tracker_id: str, started: str, body: bytes) -> Path:
        if tracker_id == "9999-9999":
            raise FileError("can't be written: no space left", source=str(folder))
        return write_backup(folder, tracker_id, started, body)

    monkeypatch.setattr("pinsync.commands.execution.write_backup", fill_disk)
    done = scene.apply()
    assert two.get(T["id"])["pin_definitions"][0]["pin_identity"] == "/p/7/"
    assert scene.read_pin(T) == "/p/7/" or done.code == 3


def test_a_second_tracker_that_can_not_be_planned(scene: Scene, two: StandIn) -> None:
    del scene.api._trackers[two.tracker_id]
    done = scene.apply()
    assert done.code == 3
    assert scene.writes == []
