"""Applies that meet faults, stale answers, people and interrupts: the account, and the run after."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.agreement.claim import Claim
from pinsync.apply.executor import Executor
from pinsync.apply.view import Clock
from pinsync.commands import execution
from pinsync.sandbox import StandIn
from support.agreeing import OTHER, S, T, read_entries, read_record, without_id, write
from support.applying import age, open_shop
from support.exporting import put
from support.histories import commit, rule, run, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pinsync.sandbox.messages import Request
    from support.applying import LiveShop
    from support.command_line import CommandLine

Row = dict[str, Any]

NEW = [without_id(rule(number, "/p/7/")) for number in (3, 4, 5)]
CHANGED = [S, rule(2, "/p/8/"), *NEW]
WANTED = {"/p/1/": "/p/8/", "/p/2/": "/p/8/"} | {f"/p/{number}/": "/p/7/" for number in (3, 4, 5)}


def watch(shop: LiveShop, look: Callable[[Request], None]) -> None:
    """Call a function before the sandbox answers a request."""
    original = shop.api._take_fault

    def take(request: Request) -> Any:  # noqa: ANN401 - as in the sandbox
        look(request)
        return original(request)

    shop.api._take_fault = take  # type: ignore[method-assign]


# Faults.


FAULTS = [
    *("reset:write=1:effect=after", "500:write=1", "503:write=2:effect=after", "422:write=2"),
    *("409:write=3", "reset:write=3:effect=after", "500:write=4", "413:write=4"),
    *("500:write=4:effect=half", "409:write=4", "422:write=4", "429:write=1:rate-limit=5"),
    *("401:*:write=3", "401:*:write=1", "429:*:write=4", "html:write=3"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_and_the_run_after_it(
    fault: str, repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_shop([T, OTHER], pinsync, monkeypatch, api=["bulk=partial"]) as shop:
        assert repository
        shop.begin(T, OTHER)
        write("Change", *CHANGED, at=0)
        shop.fail(fault)
        states = shop.apply()
        assert len(states) == 5
        done = [each for each in shop.tracker["operations"] if each["state"] == "done"]
        assert shop.record["done"] == len(done)
        for each in done:
            assert shop.shelf[each["target_identity"]] == WANTED[each["target_identity"]]
        assert shop.code == (0 if len(done) == 5 else 3)
        if shop.code:
            assert shop.tracker["error"]["message"]
        shop.fail()
        doubtful = [line for line in states if line.startswith("create") and "lost" in line]
        shop.apply()
        if doubtful:
            # It can't be known whether a lost create comes later, or somebody deleted the rule.
            assert shop.left == [f"{line.partition(':')[0]}: unknown" for line in doubtful]
            shop.apply("--recreate")
        assert shop.code == 0
        assert shop.shelf == dict(sorted(WANTED.items()))
        assert "begun" not in read_record()
        assert shop.plan() == []


def test_a_key_that_is_refused_before_the_first_write(live: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    before = run("rev-parse", "refs/pinsync/agreed/1234-5678")
    live.fail("401:*")
    live.apply()
    assert live.code == 3
    assert "401 Unauthorized" in live.err
    assert live.files == []
    assert run("rev-parse", "refs/pinsync/agreed/1234-5678") == before


def test_what_is_missing_is_said_in_words(live: LiveShop) -> None:
    write("Change", *CHANGED, at=0)
    live.fail("422:write=2")
    done = live.pinsync("apply", "--yes")
    assert done.code == 3
    account = done.out.partition("\n\n1 of 5 rules done. Run the command again to finish.\n")[2]
    lines = account.splitlines()
    assert lines[0].startswith("error: tracker shop: http://127.0.0.1:")
    assert "NOT DONE (4 rules)" in lines
    words = " ".join(account.split())
    assert f"update basket, item /p/2/ (id {OTHER['id']}): refused by the API: tracker" in words
    assert "  create basket, item /p/3/: not begun\n" in account
    assert "error: tracker shop: " in done.err


def test_a_shop_that_drops_metadata(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{**row, "target_metadata": {"title": "A"}} for row in (T, rule(2, "/p/7/"))]
    with open_shop(rows, pinsync, monkeypatch, api=["metadata-on-put=drop"]) as shop:
        assert repository
        shop.begin(*rows)
        before = read_entries()
        changed = [{**row, "target_metadata": {"title": "A"}} for row in (S, rule(2, "/p/8/"))]
        write("Swap", *changed, at=0)
        assert shop.apply() == ["update /p/1/: different", "update /p/2/: waiting"]
        assert shop.code == 3
        message = "customizations/basket.yaml, line 4: the shop dropped target_metadata"
        assert shop.tracker["error"]["message"] == message
        assert "--allow-dropped-metadata" in shop.tracker["error"]["hint"]
        assert read_entries()[T["id"]]["base"]["text"] == before[T["id"]]["base"]["text"]
        assert shop.apply("--allow-dropped-metadata") == ["update /p/2/: done"]
        assert shop.shelf == {"/p/1/": "/p/8/", "/p/2/": "/p/8/"}


@pytest.mark.parametrize("choice", ["stale-export=0.4", "stale-get=0.4"])
def test_stale_reads(
    choice: str, repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_shop([T, rule(2)], pinsync, monkeypatch, api=[choice]) as shop:
        assert repository
        # Stale answers need a clock that goes on.
        monkeypatch.setattr(execution, "CLOCK", Clock(time.monotonic, time.sleep))
        shop.begin(T, OTHER)
        write("Change", *CHANGED, at=0)
        shop.apply()
        assert shop.code == 0
        assert shop.shelf == dict(sorted(WANTED.items()))
        entries = read_entries()
        assert len(entries) == 5
        assert all(entry["base"].get("updated_at") for entry in entries.values())


def test_a_person_who_is_quicker_than_the_verification(live: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    exports: list[Request] = []

    def meddle(request: Request) -> None:
        if request.path.endswith("export"):
            exports.append(request)
            if len(exports) == 2:
                live.edit(T)

    watch(live, meddle)
    assert live.apply() == ["update /p/1/: edited"]
    assert live.code == 1
    done = live.pinsync("plan")
    assert "somebody changed" not in done.out
    assert live.apply() == []
    assert live.left == ["update /p/1/: shop"]
    assert live.shelf["/p/1/"] == "/p/5/"


def test_a_rule_that_changes_between_plan_and_write(live: LiveShop) -> None:
    write("Swap both", S, rule(2, "/p/8/"), at=0)

    def meddle(request: Request) -> None:
        if request.method == "GET" and request.path.endswith(T["id"]):
            live.edit(T)

    watch(live, meddle)
    assert live.apply() == ["update /p/1/: changed", "update /p/2/: done"]
    assert live.code == 1
    assert live.shelf == {"/p/1/": "/p/5/", "/p/2/": "/p/8/"}
    done = live.pinsync("apply", "--yes")
    assert done.code == 1
    assert "LEFT ALONE" in done.out


def test_no_export_after_the_writes(live: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)

    def meddle(request: Request) -> None:
        if request.path.endswith("export") and "PUT" in " ".join(live.calls):
            live.fail("503:*")

    watch(live, meddle)
    assert live.apply() == ["update /p/1/: done"]
    assert live.code == 3
    assert live.tracker["verified"] is False
    assert "the shop couldn't be read afterwards" in live.tracker["notes"][0]
    assert read_entries()[T["id"]]["base"]["text"].endswith("pin_identity: /p/8/\n")


# Interrupts.


def test_an_interrupt_ends_the_run_with_its_account(live: LiveShop) -> None:
    write("Change", *CHANGED, at=0)

    def interrupt(request: Request) -> None:
        if request.method == "PUT" and request.path.endswith(T["id"]):
            signal.raise_signal(signal.SIGINT)

    watch(live, interrupt)
    done = live.pinsync("apply", "--yes")
    assert done.code == 130
    assert "1 of 5 rules done. Run the command again to finish." in done.out
    assert "the run was interrupted" in done.out
    # The write in progress was ended, and the shop was read once more.
    assert live.shelf == {"/p/1/": "/p/8/", "/p/2/": ""}
    assert live.calls[-1].startswith("POST scopes/export")
    assert read_entries()[T["id"]]["base"]["text"].endswith("pin_identity: /p/8/\n")
    live.api.fail()
    del live.api._take_fault
    assert live.apply() == [
        "update /p/2/: done",
        *(f"create /p/{number}/: done" for number in (3, 4, 5)),
    ]
    assert live.code == 0


def test_an_interrupt_during_the_verification(
    live: LiveShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("Swap", S, OTHER, at=0)

    def interrupt(_: Executor) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Executor, "verify", interrupt)
    done = live.pinsync("apply", "--yes")
    assert done.code == 130
    assert "the shop wasn't read afterwards" in done.out
    assert "begun" not in read_record()


def test_an_interrupt_during_the_last_push(live: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    write("Swap", S, OTHER, at=0)

    def interrupt(_: Claim, __: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Claim, "close", interrupt)
        done = live.pinsync("apply", "--yes")
    assert done.code == 130
    assert "Done: 1 rule." in done.out
    assert "note: the record of agreement may lack the writes" in done.out
    assert "nothing was changed" not in done.err
    assert live.apply() == []
    assert live.code == 0


def test_an_interrupt_at_the_second_tracker(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [StandIn(age([T]), tracker_id=id_, seed=1) for id_ in ("1111-2222", "3333-4444")]
    with open_shop([T], pinsync, monkeypatch, more_trackers=others) as shop:
        monkeypatch.delenv("PINSYNC_TRACKER_ID")
        ids = {"de": "1234-5678", "hu": "1111-2222", "sk": "3333-4444"}
        sections = [f"  {name}:\n    tracker_id: {id_}\n" for name, id_ in ids.items()]
        put(repository / "pinsync.yaml", f"format: 1\ntrackers:\n{''.join(sections)}")
        paths = [f"customizations/{name}/basket.yaml" for name in ids]
        commit("Begin", dict.fromkeys(paths, text("basket", T)))
        shop.export()
        commit("Swap", dict.fromkeys(paths, text("basket", S)))
        original = Executor.execute

        def interrupt(self: Executor) -> None:
            if shop.shelf == {"/p/1/": "/p/8/"}:
                raise KeyboardInterrupt
            original(self)

        with monkeypatch.context() as patch:
            patch.setattr(Executor, "execute", interrupt)
            states = shop.apply()
        assert shop.code == 130
        assert states == ["update /p/1/: done"]
        assert [tracker["exit_code"] for tracker in shop.record["trackers"]] == [0, 3, 3]
        assert "nothing was changed" not in shop.err
        assert shop.apply() == ["update /p/1/: done", "update /p/1/: done"]


# Another client.


CLIENT = r"""
set -eu
path="/v1/recommender/pin/${tracker_id}/scopes/export"; type="application/json; charset=utf-8"
date=$(LC_ALL=C date -u "+%a, %d %b %Y %H:%M:%S GMT")
sig=$(printf 'POST\n%s\n%s\n%s' "$type" "$date" "$path" | openssl dgst -sha256 -hmac "$private_key" -binary | base64)
curl -sS --fail -X POST "${host}${path}?model=basket&target_type=item" -H "Content-Type: $type" -H "Date: $date" -H "Authorization: ApiAuth ${tracker_id}:${sig}"
"""


@pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl"
)
def test_the_vendors_client_reads_what_was_written(live: LiveShop) -> None:
    write("Change", *CHANGED, at=0)
    live.apply()
    environ = {
        **os.environ,
        "tracker_id": live.api.tracker_id,
        "private_key": live.api.private_key,
        "host": live.api.url,
    }
    done = subprocess.run(
        ["sh", "-c", CLIENT], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["results"]
    found: dict[str, str] = {}
    for row in rows:
        found[row["target_identity"]] = row["pin_definitions"][0]["pin_identity"]
    assert found == WANTED
