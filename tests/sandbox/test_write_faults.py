"""Faults of writes over real loopback HTTP: at the n-th write, before its effect or after it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pinsync.sandbox import Choices, parse_fault
from support.sandboxes import ITEM, NEW, NOW, box, bulk, call, export

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinsync.sandbox import Sandbox

Row = dict[str, Any]

STORED: Row = {"id": "1", **ITEM}


def new(number: int) -> Row:
    return {**NEW, "target_identity": f"/p/{number}/"}


def identities(sandbox: Sandbox) -> list[str]:
    return sorted(row["target_identity"] for row in sandbox.customizations())


def create(sandbox: Sandbox) -> httpx.Response:
    return call(sandbox, "POST", "scope", new(2))


def replace(sandbox: Sandbox) -> httpx.Response:
    return call(sandbox, "PUT", "scope/1", new(2))


def delete(sandbox: Sandbox) -> httpx.Response:
    return call(sandbox, "DELETE", "scope/1")


def create_many(sandbox: Sandbox) -> httpx.Response:
    return bulk(sandbox, new(2), new(3))


WRITES: Mapping[Callable[[Sandbox], httpx.Response], list[str]] = {
    create: ["/p/1/", "/p/2/"],
    replace: ["/p/2/"],
    delete: [],
    create_many: ["/p/1/", "/p/2/", "/p/3/"],
}
"""A write → the targets that it leaves behind."""


@pytest.mark.parametrize("effect", ["before", "after", "half"])
@pytest.mark.parametrize(
    "kind", ["409", "413", "422", "429", "500", "502", "html", "garbage", "redirect", "reset"]
)
@pytest.mark.parametrize("write", WRITES)
def test_a_write_fails_before_or_after_its_effect(
    write: Callable[[Sandbox], httpx.Response], kind: str, effect: str
) -> None:
    with box(STORED) as sandbox:
        sandbox.fail(parse_fault(f"{kind}:write=1:effect={effect}"))
        if kind == "reset":
            with pytest.raises(httpx.ReadError, match="reset"):
                write(sandbox)
        else:
            expected = {"html": 200, "garbage": 200, "redirect": 302}.get(kind)
            assert write(sandbox).status_code == (expected or int(kind))
        assert identities(sandbox) == (WRITES[write] if effect == "after" else ["/p/1/"])
        recorded = sandbox.requests[-1].status
        assert (recorded is None) == (kind == "reset")


@pytest.mark.parametrize("write", WRITES)
def test_an_answer_may_be_cut_after_the_effect(
    write: Callable[[Sandbox], httpx.Response],
) -> None:
    with box(STORED) as sandbox:
        sandbox.fail(parse_fault("truncate:write=1"))
        if write is delete:
            assert write(sandbox).status_code == 204
        else:
            with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
                write(sandbox)
        assert identities(sandbox) == WRITES[write]


def time_out(sandbox: Sandbox) -> None:
    with pytest.raises(httpx.ReadTimeout):
        call(sandbox, "POST", "scope", new(2), timeout=0.2)


def test_an_answer_may_be_held_back_after_the_effect() -> None:
    with box(STORED) as sandbox:
        sandbox.fail(parse_fault("slow:300:write=1:effect=after"))
        time_out(sandbox)
        assert identities(sandbox) == ["/p/1/", "/p/2/"]


def test_a_write_may_be_stored_after_the_client_gave_up() -> None:
    with box(STORED) as sandbox:
        sandbox.fail(parse_fault("slow:300:write=1"))
        time_out(sandbox)
        assert identities(sandbox) == ["/p/1/"]
    assert identities(sandbox) == ["/p/1/", "/p/2/"]


def statuses(sandbox: Sandbox, *numbers: int) -> list[int]:
    found = []
    for number in numbers:
        found.append(call(sandbox, "POST", "scope", new(number)).status_code)
        export(sandbox)
    return found


def test_writes_are_counted_and_reads_are_not() -> None:
    with box() as sandbox:
        sandbox.fail(parse_fault("500:write=2"), parse_fault("409:2:write=4"))
        assert statuses(sandbox, 1, 2, 3, 4, 5, 6) == [200, 500, 200, 409, 409, 200]
        assert identities(sandbox) == ["/p/1/", "/p/3/", "/p/6/"]
        sandbox.fail(parse_fault("500:*:write=2"))
        assert statuses(sandbox, 7, 8, 9) == [200, 500, 500]
        sandbox.fail()
        assert statuses(sandbox, 8) == [200]


def test_each_kind_of_write_counts() -> None:
    with box(STORED) as sandbox:
        sandbox.fail(parse_fault("503:write=5"))
        for write in (create, create_many, replace, delete):
            write(sandbox)
            call(sandbox, "GET", "scope/1")
            call(sandbox, "POST", "scopes")
            call(sandbox, "PUT", "scopes")
            call(sandbox, "GET", "../elsewhere")
        assert 503 not in [request.status for request in sandbox.requests]
        assert create(sandbox).status_code == 503


def test_a_refused_write_counts() -> None:
    with box() as sandbox:
        sandbox.fail(parse_fault("500:write=2"))
        assert call(sandbox, "POST", "scope", {}).status_code == 422
        assert create(sandbox).status_code == 500


def test_faults_of_writes_come_before_the_others() -> None:
    faults = [parse_fault(spec) for spec in ("503", "500:write=1", "502:write=1", "504")]
    with box() as sandbox:
        sandbox.fail(*faults)
        assert [create(sandbox).status_code for _ in range(4)] == [500, 503, 504, 200]


def test_an_unsigned_write_has_no_effect_after_which_to_fail() -> None:
    with box() as sandbox:
        sandbox.fail(parse_fault("500:write=1:effect=after"))
        assert call(sandbox, "POST", "scope", NEW, key="wrong").status_code == 500
        assert sandbox.customizations() == []


@pytest.mark.parametrize(("kind", "status"), [("500", 500), ("reset", None), ("413", 413)])
def test_half_of_a_bulk_call_may_be_stored(kind: str, status: int | None) -> None:
    rows = [new(number) for number in range(1, 6)]
    with box(choices=Choices(bulk="partial")) as sandbox:
        sandbox.fail(parse_fault(f"{kind}:write=1:effect=half"))
        if status is None:
            with pytest.raises(httpx.ReadError, match="reset"):
                bulk(sandbox, *rows)
        else:
            assert bulk(sandbox, *rows).status_code == status
        assert identities(sandbox) == ["/p/1/", "/p/2/"]
        assert bulk(sandbox, *rows, strategy="ignore").status_code == 200
        assert len(identities(sandbox)) == 5


def test_a_rate_limit_is_told_in_the_vendors_form() -> None:
    specs = ["429:write=1:rate-limit=3", "429:write=2:rate-limit=0:retry-after=1"]
    with box() as sandbox:
        sandbox.fail(*map(parse_fault, specs))
        first, second, third = create(sandbox), create(sandbox), create(sandbox)
    assert (first.status_code, second.status_code, third.status_code) == (429, 429, 200)
    assert json.loads(first.content) == {
        "reason": "Too Many Requests",
        "error": {"details": {"retry_after": 3}},
    }
    assert "Retry-After" not in first.headers
    assert second.headers["Retry-After"] == "1"
    assert second.json()["error"] == {"details": {"retry_after": 0}}
    limits = [first.headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")]
    assert limits == ["60", "0", str(int(NOW.timestamp()) + 3)]
