"""Reads and writes of single rules at one host: the requests, and what their failures mean."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pinsync import api, signing
from pinsync.api import ATTEMPTS, MAX_WAIT, LostAnswerError, RefusalError, Shop, ThrottledError
from pinsync.config import Tracker
from pinsync.errors import RemoteError
from pinsync.sandbox import Answer, Fault, Sandbox, parse_fault
from support.executing import NOON, VirtualTime, open_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Row = dict[str, Any]

ROW: Row = {"id": "a", "model": "m", "target_type": "all", "pin_definitions": []}
NEW: Row = {"model": "m", "target_type": "item", "target_identity": "/p/1/", "pin_definitions": []}
BODY = json.dumps({**NEW, "target_metadata": {}}).encode()
WRITES: dict[str, Callable[[Shop], object]] = {
    "create": lambda shop: shop.create(BODY),
    "bulk": lambda shop: shop.create_all([BODY]),
    "replace": lambda shop: shop.replace("a", BODY),
    "delete": lambda shop: shop.delete("a"),
}
CREATES = ("bulk", "create")


@contextmanager
def opened(*faults: str) -> Iterator[tuple[Shop, Sandbox, VirtualTime]]:
    """Open a shop with one rule."""
    time = VirtualTime()
    with Sandbox([ROW], seed=1, clock=time.now) as sandbox:
        sandbox.fail(*map(parse_fault, faults))
        with Shop(open_session(sandbox, time)) as shop:
            yield shop, sandbox, time


def test_the_calls_of_the_reference() -> None:
    with opened() as (shop, sandbox, _):
        created = json.loads(shop.create(BODY))
        shop.create_all([BODY.replace(b"/p/1/", b"/p/2/"), BODY.replace(b"/p/1/", b"/p/3/")])
        shop.replace(created["id"], BODY)
        found = shop.get(created["id"])
        shop.delete("a")
        export = shop.export()
    assert found
    assert json.loads(found)["id"] == created["id"]
    assert len(json.loads(export.body)["results"]) == 3
    requests = sandbox.requests
    path = "/v1/recommender/pin/1234-5678"
    assert [f"{request.method} {request.path.removeprefix(path)}" for request in requests] == [
        *("POST /scope", "POST /scopes/_bulk", f"PUT /scope/{created['id']}"),
        *(f"GET /scope/{created['id']}", "DELETE /scope/a", "POST /scopes/export"),
    ]
    assert [request.query for request in requests] == [
        *({}, {"conflict_strategy": ["raise"]}, {}, {}, {}, {}),
    ]
    assert requests[1].body.count(b"\n") == 2
    types = [request.headers["content-type"] for request in requests]
    assert types[1] == "application/x-ndjson"
    assert set(types[:1] + types[2:]) == {signing.CONTENT_TYPE}


def test_a_rule_that_is_not_there() -> None:
    with opened() as (shop, _, _time):
        assert shop.get("b") is None
        with pytest.raises(RefusalError) as caught:
            shop.replace("b", BODY)
        assert caught.value.status == 404
        with pytest.raises(RefusalError) as caught:
            shop.delete("b")
        assert caught.value.status == 404


@pytest.mark.parametrize("rule_id", ["../export", "a/b", "a?b", "a#b", "ž", "%2e", " "])
def test_an_id_leads_to_no_other_path(rule_id: str) -> None:
    with opened() as (shop, sandbox, _):
        assert shop.get(rule_id) is None
    (request,) = sandbox.requests
    assert request.path.count("/") == 6
    assert not request.query


def test_a_shop_has_one_host() -> None:
    tracker = Tracker("shop", "1234-5678", hosts=("https://a.example", "https://b.example"))
    with pytest.raises(ValueError, match="unpack"):
        Shop(api.Session(tracker, "key", 1, 1))


# What a failed write means.


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("status", ["400", "401", "403", "404", "409", "413", "422", "redirect"])
def test_a_refused_write_had_no_effect(status: str, write: str) -> None:
    with opened(f"{status}:*") as (shop, sandbox, time), pytest.raises(RefusalError) as caught:
        WRITES[write](shop)
    assert caught.value.message.startswith("tracker shop: http://127.0.0.1:")
    assert caught.value.hint
    assert len(sandbox.requests) == 1
    assert time.slept == 0


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    "fault", ["408", "500", "502", "503:retry-after=1", "504", "reset", "html"]
)
def test_a_lost_answer_is_not_asked_for_again(fault: str, write: str) -> None:
    spec = fault.replace("503:", "503:*:") if fault.startswith("503") else f"{fault}:*"
    with opened(spec) as (shop, sandbox, time), pytest.raises(LostAnswerError):
        WRITES[write](shop)
    assert len(sandbox.requests) == 1
    assert time.slept == 0


def test_an_answer_that_breaks_off_is_lost() -> None:
    with opened("truncate") as (shop, sandbox, _), pytest.raises(LostAnswerError):
        shop.create(BODY)
    assert len(sandbox.requests) == 1
    assert len(sandbox.customizations()) == 2


@pytest.mark.parametrize("write", CREATES)
@pytest.mark.parametrize("form", ["rate-limit=9", "retry-after=9", "rate-limit=0:retry-after=9"])
def test_a_throttled_create_is_sent_again_with_a_fresh_signature(form: str, write: str) -> None:
    with opened(f"429:2:{form}") as (shop, sandbox, time):
        WRITES[write](shop)
    requests = sandbox.requests
    assert [request.status for request in requests][:2] == [429, 429]
    assert len(requests) == 3
    assert 18 <= time.slept <= 20
    assert len({request.headers["date"] for request in requests}) == 3
    assert len({request.body for request in requests}) == 1


@pytest.mark.parametrize("write", sorted(WRITES.keys() - CREATES))
@pytest.mark.parametrize("form", ["rate-limit=9", "retry-after=9"])
def test_a_throttled_change_says_when_to_look_again(form: str, write: str) -> None:
    """A person may change the rule during the pause."""
    with opened(f"429:{form}") as (shop, sandbox, time), pytest.raises(ThrottledError) as caught:
        WRITES[write](shop)
    assert 9 <= caught.value.pause <= 10
    assert (len(sandbox.requests), time.slept) == (1, 0)


@pytest.mark.parametrize("write", CREATES)
def test_a_create_that_is_always_throttled_was_never_done(write: str) -> None:
    with opened("429:*:rate-limit=1") as (shop, sandbox, _), pytest.raises(RemoteError) as caught:
        WRITES[write](shop)
    assert not isinstance(caught.value, LostAnswerError | RefusalError)
    assert f"tried {ATTEMPTS} times" in caught.value.message
    assert len(sandbox.requests) == ATTEMPTS


@pytest.mark.parametrize("write", WRITES)
def test_a_host_that_can_not_be_reached_got_nothing(write: str) -> None:
    with opened() as (_, sandbox, time):
        session = open_session(sandbox, time)
    with Shop(session) as shop, pytest.raises(RemoteError) as caught:
        WRITES[write](shop)
    assert not isinstance(caught.value, LostAnswerError | RefusalError)
    assert "can't be reached" in caught.value.message


def test_a_write_that_is_throttled_and_then_lost() -> None:
    with opened("429:retry-after=1", "500") as (shop, sandbox, _), pytest.raises(LostAnswerError):
        shop.create(BODY)
    assert len(sandbox.requests) == 2


def test_reads_are_repeated() -> None:
    with opened("503", "reset", "429:rate-limit=3") as (shop, sandbox, time):
        assert shop.get("a")
    assert len(sandbox.requests) == 4
    assert time.slept >= 3
    with opened("503:*") as (shop, sandbox, _), pytest.raises(RemoteError) as caught:
        shop.export()
    assert f"tried {ATTEMPTS} times" in caught.value.message


# Limits that a good answer tells.


def limit(reset: str) -> Fault:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    return Fault(answer=Answer(200, json.dumps(ROW).encode(), headers))


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [("30", 30), (str(int(NOON.timestamp()) + 30), 30), ("3600", MAX_WAIT), ("0", 0), ("?", 0)],
)
def test_the_next_call_waits_until_the_limit_allows_it(reset: str, seconds: float) -> None:
    with opened() as (shop, sandbox, time):
        sandbox.fail(limit(reset))
        assert shop.get("a")
        assert time.slept == 0
        # A change comes right behind the look at its rule.
        shop.delete("a")
        assert time.slept == 0
        shop.export()
        assert time.slept == seconds


def test_several_threads_share_a_shop() -> None:
    ids = [f"id-{number}" for number in range(40)]
    rows = [{**ROW, "id": id_, "target_type": "item", "target_identity": id_} for id_ in ids]
    time = VirtualTime()
    found: list[bytes | None] = []

    def read(shop: Shop, part: list[str]) -> None:
        found.extend(map(shop.get, part))

    with (
        Sandbox(rows, seed=1, clock=time.now) as sandbox,
        Shop(open_session(sandbox, time)) as shop,
    ):
        parts = (ids[:10], ids[10:20], ids[20:30], ids[30:])
        threads = [threading.Thread(target=read, args=(shop, part)) for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(json.loads(body or b"{}")["id"] for body in found) == sorted(ids)
