"""Attempts to let an apply create a rule twice.

The shops are as careless as the reference allows: no target is a conflict, and half of a call that
fails is stored.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.sandbox import Answer, parse_fault
from support.agreeing import OTHER, T, without_id, write
from support.attacking import BULK, CREATE, EXPORT, Killed, die_before_account
from support.histories import rule

if TYPE_CHECKING:
    from support.attacking import Scene

Row = dict[str, Any]

NEW = without_id(rule(3, "/p/7/"))
MANY = [without_id(rule(number, "/p/7/")) for number in range(3, 8)]
ALL = [f"/p/{number}/" for number in range(1, 8)]


def add(*rules: Row) -> None:
    """Let git add rules."""
    write("Add", T, OTHER, *rules, at=10)


def be_stale(scene: Scene) -> None:
    """Let all later exports show the rules of this moment."""
    answer = json.dumps({"results": scene.api.customizations()}).encode()
    scene.give(EXPORT, Answer(200, answer))


@pytest.mark.parametrize(
    "fault",
    [
        "reset:write=1:effect=after",
        "500:write=1:effect=after",
        "503:write=1:effect=after:retry-after=0",
        "html:write=1:effect=after",
        "garbage:write=1:effect=after",
        "redirect:write=1:effect=after",
        "truncate:write=1",
        "408:write=1:effect=after",
        "429:write=1:retry-after=0",
    ],
)
def test_a_create_whose_answer_is_spoiled(fault: str, careless: Scene) -> None:
    add(NEW)
    careless.api.fail(parse_fault(fault))
    assert careless.apply().code in (0, 3)
    careless.apply()
    assert careless.list_targets() == ["/p/1/", "/p/2/", "/p/3/"]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 303])
def test_creates_that_are_answered_oddly(status: int, careless: Scene) -> None:
    bodies = iter([b"", b"{}", b"null", b'{"id": ""}', b'{"id": "x"}{"id": "x"}'])
    rules: list[Row] = []
    for number in range(3, 8):
        body = b"" if status == 204 else next(bodies)
        rules.append(without_id(rule(number, "/p/7/")))
        add(*rules)
        careless.calm()
        careless.give(CREATE, Answer(status, body), late=True)
        assert careless.apply().code in (0, 3)
    careless.calm()
    careless.apply()
    assert careless.list_targets() == ALL


def test_a_create_that_comes_into_effect_after_the_run(careless: Scene) -> None:
    add(NEW)
    careless.at(CREATE, lambda: Answer(504, b"{}"))
    assert careless.apply().code == 3
    assert careless.apply().code == 1
    careless.add(NEW)
    assert careless.apply().code == 0
    assert careless.list_targets() == ["/p/1/", "/p/2/", "/p/3/"]


@pytest.mark.parametrize("call", [CREATE, BULK])
def test_a_create_that_exports_do_not_show_yet(call: str, careless: Scene) -> None:
    add(*MANY)
    be_stale(careless)
    careless.at(call, lambda: Answer(500, b"{}"), late=True)
    assert careless.apply().code == 3
    assert careless.apply().code in (1, 3)
    careless.calm()
    careless.apply()
    assert len(set(careless.list_targets())) == len(careless.list_targets())


def test_an_acknowledged_call_that_exports_do_not_show_yet(careless: Scene) -> None:
    add(*MANY)
    be_stale(careless)
    assert careless.apply().code == 3
    assert careless.apply().code in (1, 3)
    assert careless.list_targets() == ALL


@pytest.mark.xfail(
    strict=True,
    reason="A window that remains: reads that are stale for longer than LOOKUP_SECONDS.",
)
@pytest.mark.parametrize("status", [409, 413, 422])
def test_a_refused_call_that_stored_half_and_exports_that_do_not_show_it_yet(
    status: int, careless: Scene
) -> None:
    """Whether a refused call has stored its first lines isn't documented."""
    add(*MANY)
    be_stale(careless)
    careless.api.fail(parse_fault(f"{status}:write=2:effect=half"))
    careless.apply("--keep-going")
    careless.apply("--keep-going")
    assert len(set(careless.list_targets())) == len(careless.list_targets())


@pytest.mark.parametrize("status", [409, 413, 422])
def test_a_refused_call_that_stored_half(status: int, careless: Scene) -> None:
    add(*MANY)
    careless.api.fail(parse_fault(f"{status}:write=2:effect=half"))
    careless.apply("--keep-going")
    careless.apply("--keep-going")
    assert careless.list_targets() == ALL


def test_a_person_deletes_a_rule_of_a_refused_call_before_the_account_of_a_killed_run(
    careless: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal must not say that nothing of a refused call was stored."""
    add(*MANY)
    careless.api.fail(parse_fault("409:write=2:effect=half"))
    with die_before_account(monkeypatch), pytest.raises(Killed):
        careless.apply()
    stored = [row for row in careless.api.customizations() if row["target_identity"] in ALL[3:]]
    assert stored
    gone = stored[0]
    careless.api.delete(gone["id"])
    careless.apply()
    assert gone["target_identity"] not in careless.list_targets()


def test_a_person_deletes_a_rule_of_a_killed_run_before_its_id_is_known(
    careless: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(*MANY)
    with die_before_account(monkeypatch), pytest.raises(Killed):
        careless.apply()
    (gone,) = [row for row in careless.api.customizations() if row["target_identity"] == "/p/5/"]
    careless.api.delete(gone["id"])
    done = careless.apply()
    assert done.code == 1
    assert "an interrupted run may have written this already" in done.out
    assert "/p/5/" not in careless.list_targets()


@pytest.mark.parametrize("who", ["the shop spells it otherwise", "a person moves it"])
def test_a_created_rule_that_comes_back_with_another_target(who: str, careless: Scene) -> None:
    """Git's rule and the shop's have no target in common any more, so they are no pair."""
    add(NEW)

    def move() -> None:
        (found,) = [r for r in careless.api.customizations() if r["target_identity"] == "/p/3/"]
        careless.api.replace({**found, "target_identity": "/P/3/"})

    careless.at(CREATE, move, nth=None if who.startswith("the shop") else 1, late=True)
    assert careless.apply().code == 3
    careless.apply()
    assert careless.list_targets() == ["/P/3/", "/p/1/", "/p/2/"]


@pytest.mark.parametrize("reason", ["refused", "edited"])
def test_a_target_that_its_rule_did_not_leave(reason: str, careless: Scene) -> None:
    """The rule that should leave stays, so the next one must not get the target."""
    first, second = rule(1, "/p/7/"), {**OTHER, "target_identity": "/p/1/"}
    write("Move both", {**first, "target_identity": "/p/9/"}, second, at=10)
    invalid = Answer(422, b'{"reason": "no"}')
    if reason == "refused":
        careless.at(f"PUT scope/{T['id']}", lambda: invalid)
    else:
        careless.at(f"GET scope/{T['id']}", lambda: careless.save(rule(1, "/p/5/")))
    assert careless.apply("--keep-going").code in (1, 3)
    assert careless.list_targets() == ["/p/1/", "/p/2/"]


def test_a_target_that_a_deleted_rule_did_not_leave(careless: Scene) -> None:
    write("Replace", {**NEW, "target_identity": "/p/1/"}, OTHER, at=10)
    careless.at(f"GET scope/{T['id']}", lambda: careless.save(rule(1, "/p/5/")))
    careless.apply("--delete", "--overwrite-edits", "--recreate")
    assert careless.list_targets() == ["/p/1/", "/p/2/"]


def test_equal_rules_without_ids_in_git(careless: Scene) -> None:
    add(NEW, NEW)
    careless.apply("--no-lint")
    careless.apply("--no-lint")
    assert careless.list_targets() == ["/p/1/", "/p/2/", "/p/3/"]


def test_a_rule_that_git_edits_before_its_id_is_known(careless: Scene) -> None:
    add(NEW)
    assert careless.apply().code == 0
    add({**NEW, "tags": ["winter"]})
    assert careless.apply().code == 0
    assert careless.list_targets() == ["/p/1/", "/p/2/", "/p/3/"]


def test_an_import_that_gives_all_rules_new_ids(careless: Scene) -> None:
    write("Swap", rule(1, "/p/8/"), OTHER, at=10)
    for row in careless.api.customizations():
        careless.api.delete(row["id"])
        careless.add({name: value for name, value in row.items() if name != "id"})
    careless.apply()
    assert careless.list_targets() == ["/p/1/", "/p/2/"]


def test_titles_that_break_the_lines_of_a_call(careless: Scene) -> None:
    """A server may take other characters for line ends than the one that parts the lines."""
    breaks = "\u2028\u2029\x85\x0b\x0c\x1c\x1e\r\n"
    titled = [{**row, "target_metadata": {"title": f"a{breaks}b"}} for row in MANY]
    add(*titled)
    assert careless.apply("--no-lint").code == 0
    (call,) = [each for each in careless.api.log if each.path.endswith("_bulk")]
    assert len(call.body.decode().splitlines()) == len(MANY) - 1


@pytest.mark.xfail(
    strict=True,
    reason="A window that remains: a restore keeps no record, and reads are stale for longer.",
)
@pytest.mark.parametrize("call", [CREATE, BULK])
def test_a_restore_that_runs_again_after_a_lost_answer(call: str, careless: Scene) -> None:
    add(*MANY)
    assert careless.apply().code == 0
    for row in careless.api.customizations():
        if row["target_identity"] in ALL[2:]:
            careless.api.delete(row["id"])
    be_stale(careless)
    careless.at(call, lambda: Answer(500, b"{}"), late=True)
    assert careless.restore("HEAD", "--allow-mass-removal").code == 3
    careless.restore("HEAD", "--allow-mass-removal")
    assert len(set(careless.list_targets())) == len(careless.list_targets())
