"""The sandbox's write endpoints over real loopback HTTP: what the reference says of them, and each
choice that it leaves open.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.sandbox import Sandbox
from pinsync.sandbox.choices import Choices
from pinsync.sandbox.store import SERVERS_OWN
from support.sandboxes import ITEM, NEW, NOW, box, bulk, call, details, export, said

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

Row = dict[str, Any]

STAMPS = dict.fromkeys(("created_at", "updated_at"), "2026-11-21T17:55:00Z")


def new(number: int, **fields: object) -> Row:
    return {**NEW, "target_identity": f"/p/{number}/", **fields}


def tags(sandbox: Sandbox) -> list[list[str]]:
    return sorted(row["tags"] for row in sandbox.customizations())


# Create, get, replace and delete


def test_create_get_replace_and_delete() -> None:
    with box() as sandbox:
        answer = call(sandbox, "POST", "scope", NEW)
        created = answer.json()
        path = f"scope/{created['id']}"
        assert answer.status_code == 200
        assert said(created) == said({**NEW, "id": created["id"], **STAMPS})
        assert said(call(sandbox, "GET", path).json()) == said(created)
        replaced = call(sandbox, "PUT", path, {"model": "basket", "target_type": "all"}).json()
        assert said(replaced) == {
            "id": created["id"],
            "model": "basket",
            "target_type": "all",
            **STAMPS,
        }
        response = call(sandbox, "DELETE", path)
        assert (response.status_code, response.content) == (204, b"")
        for method in ("GET", "DELETE"):
            missing = call(sandbox, method, path)
            assert (missing.status_code, missing.json()) == (
                404,
                {"reason": "Customization not found"},
            )
        assert call(sandbox, "PUT", path, NEW).status_code == 404


def test_each_customization_gets_an_id_of_its_own() -> None:
    with box() as sandbox:
        rows = [call(sandbox, "POST", "scope", new(number)).json() for number in range(3)]
        assert bulk(sandbox, *map(new, range(3, 6))).status_code == 200
        stored = {row["id"] for row in sandbox.customizations()}
        assert len(stored) == 6
        assert {row["id"] for row in rows} < stored


def test_the_server_gives_the_id() -> None:
    with box() as sandbox:
        assert details(call(sandbox, "POST", "scope", {**NEW, "id": "mine"})) == {
            "id": ["The server gives the id"]
        }
        assert set(details(bulk(sandbox, {**NEW, "id": "mine"}))) == {"1.id"}


def test_replacing_takes_the_id_of_the_path_alone() -> None:
    with box({"id": "1", **ITEM, "created_at": "2020-01-01T00:00:00Z"}) as sandbox:
        assert set(details(call(sandbox, "PUT", "scope/1", {"id": "2", **ITEM}))) == {"id"}
        assert call(sandbox, "PUT", "scope/1", {"id": "1", **ITEM, "tags": []}).status_code == 200
        assert sandbox.get("1") == {
            "id": "1",
            **ITEM,
            "tags": [],
            "created_at": "2020-01-01T00:00:00Z",
            "updated_at": "2026-11-21T17:55:00Z",
        }


def test_the_sample_shop_can_be_written_back_and_copied() -> None:
    with Sandbox(clock=lambda: NOW) as shop, box(choices=Choices(taken_target="double")) as copy:
        rows = shop.customizations()
        for row in rows[::5]:
            body = {name: value for name, value in row.items() if name not in SERVERS_OWN}
            assert call(shop, "PUT", f"scope/{row['id']}", body).status_code == 200
            assert shop.get(row["id"]) == {**row, "updated_at": "2026-11-21T17:55:00Z"}
            created = call(copy, "POST", "scope", body).json()
            assert copy.get(created["id"]) == {**body, "id": created["id"], **STAMPS}


# What a customization must be


def test_what_is_no_customization_is_refused_by_field() -> None:
    pins = [
        {"position": 1, "pin_type": "all"},
        {"position": "1", "pin_type": "item"},
        {
            "position": 1,
            "pin_type": "item",
            "pin_identity": "a",
            "active_from": "2026-12-24T12:00:00Z",
            "active_to": "2026-12-24T12:00:00+01:00",
        },
    ]
    wrong = {**NEW, "model": "", "target_type": "shop", "pin_definitions": pins}
    with box() as sandbox:
        assert details(call(sandbox, "POST", "scope", wrong)) == {
            "model": ["Must be a string that is not empty"],
            "target_type": ["Must be one of: item, criteria, all"],
            "pin_definitions.0.pin_type": ["Must be one of: item, criteria"],
            "pin_definitions.1.position": ["Must be an integer from -1"],
            "pin_definitions.1.pin_identity": ["Missing data for required field."],
            "pin_definitions.2.active_to": ["Must not be before active_from"],
        }
        assert sandbox.customizations() == []


@pytest.mark.parametrize("body", ["", "{", "[]", '{"model": NaN}', "\udcff", "[" * 100_000])
def test_a_body_that_is_no_object_is_refused(body: str) -> None:
    with box() as sandbox:
        response = call(
            sandbox, "POST", "scope", body.encode("utf-8", "surrogateescape").decode("latin-1")
        )
    assert set(details(response)) == {"body"}


@pytest.mark.parametrize(
    ("target_type", "choices", "missing"),
    [
        ("item", Choices(), {"pin_definitions", "target_metadata"}),
        ("item", Choices(metadata_on_create="optional"), {"pin_definitions"}),
        ("all", Choices(), {"pin_definitions"}),
    ],
)
def test_what_a_new_customization_needs(
    target_type: str, choices: Choices, missing: set[str]
) -> None:
    row = {"model": "basket", "target_type": target_type}
    if target_type == "item":
        row["target_identity"] = "/p/1/"
    with box({"id": "1", **row}, choices=choices) as sandbox:
        problems = details(call(sandbox, "POST", "scope", {**row, "model": "home"}))
        assert problems == {name: ["Missing data for required field."] for name in missing}
        assert set(details(bulk(sandbox, row))) == {f"1.{name}" for name in missing}
        assert call(sandbox, "PUT", "scope/1", row).status_code == 200


ODD_PIN = {"position": 1, "pin_type": "criteria", "pin_criteria": {"a": None}, "weight": 0.5}
ODD: Row = {**NEW, "note": None, "created_at": "2000-01-01T00:00:00Z", "pin_definitions": [ODD_PIN]}


def test_an_unknown_field_is_refused() -> None:
    names = ("note", "created_at", "pin_definitions.0.weight")
    unknown = {name: ["Unknown field."] for name in names}
    with box({"id": "1", **ITEM}) as sandbox:
        for method, path in (("POST", "scope"), ("PUT", "scope/1")):
            assert details(call(sandbox, method, path, ODD)) == unknown
        assert set(details(bulk(sandbox, ODD))) == {f"1.{name}" for name in unknown}
        assert sandbox.customizations() == [{"id": "1", **ITEM}]


@pytest.mark.parametrize("keeps", [True, False])
def test_an_unknown_field_may_be_kept_or_dropped(keeps: bool) -> None:
    choices = Choices(unknown_fields="keep" if keeps else "drop")
    with box({"id": "1", **ITEM}, choices=choices) as sandbox:
        call(sandbox, "PUT", "scope/1", ODD)
        call(sandbox, "POST", "scope", {**ODD, "model": "home"})
        bulk(sandbox, {**ODD, "model": "search"})
        rows = sandbox.customizations()
    assert len(rows) == 3
    for row in rows:
        assert row["created_at"] == "2026-11-21T17:55:00Z"
        assert ("note" in row) == keeps
        assert ("weight" in row["pin_definitions"][0]) == keeps
        assert row["pin_definitions"][0]["pin_criteria"] == {"a": None}


def test_bodies_of_any_other_type_are_refused() -> None:
    with box() as sandbox:
        assert call(sandbox, "POST", "scope", NEW, content_type="text/plain").status_code == 415
        assert call(sandbox, "POST", "scopes/_bulk", NEW).status_code == 415


# The choices of single writes


def test_a_created_customization_may_be_answered_by_201() -> None:
    with box(choices=Choices(create_status=201)) as sandbox:
        response = call(sandbox, "POST", "scope", NEW)
        assert (response.status_code, response.json()["model"]) == (201, "basket")
        assert bulk(sandbox, new(2)).status_code == 200


SENT = {"title": "Sent"}
STORED = {"title": "Stored"}


@pytest.mark.parametrize(
    ("choices", "sent", "expected"),
    [
        (Choices(), SENT, SENT),
        (Choices(), None, None),
        (Choices(metadata_on_put="keep"), SENT, STORED),
        (Choices(metadata_on_put="keep"), None, STORED),
        (Choices(metadata_on_put="drop"), SENT, None),
    ],
)
def test_metadata_in_a_put(choices: Choices, sent: Row | None, expected: Row | None) -> None:
    body = {**ITEM, "tags": ["new"]} | ({} if sent is None else {"target_metadata": sent})
    with box({"id": "1", **ITEM, "target_metadata": STORED}, choices=choices) as sandbox:
        answer = said(call(sandbox, "PUT", "scope/1", body).json())
        stored = sandbox.get("1")
    assert answer["tags"] == stored["tags"] == ["new"]
    assert answer.get("target_metadata") == stored.get("target_metadata") == expected


def test_a_put_that_keeps_metadata_adds_none() -> None:
    with box({"id": "1", **ITEM}, choices=Choices(metadata_on_put="keep")) as sandbox:
        call(sandbox, "PUT", "scope/1", {**ITEM, "target_metadata": SENT})
        assert "target_metadata" not in sandbox.get("1")


TWO: tuple[Row, Row] = ({"id": "1", **ITEM}, {"id": "2", **ITEM, "target_identity": "/p/2/"})


def test_a_taken_target_is_refused() -> None:
    with box(*TWO) as sandbox:
        for method, path in (("POST", "scope"), ("PUT", "scope/2")):
            response = call(sandbox, method, path, NEW)
            assert (response.status_code, response.json()) == (
                409,
                {"reason": "The target is taken by the customization 1"},
            )
        assert sandbox.customizations() == list(TWO)
        assert call(sandbox, "PUT", "scope/1", NEW).status_code == 200
        assert call(sandbox, "PUT", "scope/2", new(3)).status_code == 200
        assert call(sandbox, "POST", "scope", new(2)).status_code == 200


def test_a_target_that_was_freed_can_be_taken() -> None:
    with box(*TWO) as sandbox:
        call(sandbox, "DELETE", "scope/1")
        assert call(sandbox, "PUT", "scope/2", NEW).status_code == 200


def test_customizations_that_share_a_target_can_be_replaced() -> None:
    with box({"id": "1", **ITEM}, {"id": "2", **ITEM}) as sandbox:
        assert call(sandbox, "PUT", "scope/2", NEW).status_code == 200
        call(sandbox, "DELETE", "scope/1")
        response = call(sandbox, "POST", "scope", NEW)
        assert response.json()["reason"].endswith("customization 2")


def test_a_taken_target_may_be_doubled() -> None:
    with box(*TWO, choices=Choices(taken_target="double")) as sandbox:
        assert call(sandbox, "POST", "scope", NEW).status_code == 200
        assert call(sandbox, "PUT", "scope/2", NEW).status_code == 200
        assert [row["target_identity"] for row in sandbox.customizations()] == ["/p/1/"] * 3
        assert bulk(sandbox, NEW).status_code == 409


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (Choices(), {"created_at", "updated_at"}),
        (Choices(timestamps="created"), {"created_at"}),
        (Choices(timestamps="updated"), {"updated_at"}),
        (Choices(timestamps="none"), set()),
    ],
)
def test_timestamps_in_answers(choices: Choices, expected: set[str]) -> None:
    with box({"id": "1", **ITEM, **STAMPS}, choices=choices) as sandbox:
        answers = [
            call(sandbox, "POST", "scope", new(2)).json(),
            call(sandbox, "PUT", "scope/1", ITEM).json(),
            call(sandbox, "GET", "scope/1").json(),
            *call(sandbox, "POST", "scopes").json()["results"],
            *export(sandbox),
        ]
        assert len(answers) == 7
    for row in answers:
        assert {"created_at", "updated_at"} & set(row) == expected


# Reads that are stale


class Clock:
    """A clock that tests advance."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Shop:
    """A sandbox that shows writes late."""

    def __init__(self, sandbox: Sandbox, clock: Clock) -> None:
        self._sandbox = sandbox
        self._clock = clock

    def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        return call(self._sandbox, method, path, body, moment=self._clock.now)

    def read(self) -> tuple[list[str], list[str], list[str] | int]:
        """Return the tags in the export, in the list and in a GET of the customization 1."""
        lists = []
        for path in ("scopes/export", "scopes"):
            rows = self.call("POST", path).json()["results"]
            lists.append(sorted(row["tags"][0] for row in rows))
        answer = self.call("GET", "scope/1")
        return lists[0], lists[1], said(answer.json()).get("tags", answer.status_code)


def test_exports_and_lists_may_be_stale() -> None:
    clock = Clock()
    choices = Choices(stale_export=5)
    with Sandbox([{"id": "1", **ITEM}], clock=clock, choices=choices) as sandbox:
        shop = Shop(sandbox, clock)
        shop.call("PUT", "scope/1", {**ITEM, "tags": ["y"]})
        assert shop.read() == (["x"], ["x"], ["y"])
        clock.wait(3)
        shop.call("POST", "scope", new(2, tags=["z"]))
        clock.wait(1.9)
        assert shop.read() == (["x"], ["x"], ["y"])
        clock.wait(0.1)
        assert shop.read() == (["y"], ["y"], ["y"])
        clock.wait(3)
        assert shop.read() == (["y", "z"], ["y", "z"], ["y"])


def test_a_get_may_be_stale() -> None:
    clock = Clock()
    choices = Choices(stale_get=2)
    with Sandbox([{"id": "1", **ITEM}], clock=clock, choices=choices) as sandbox:
        shop = Shop(sandbox, clock)
        shop.call("PUT", "scope/1", {**ITEM, "tags": ["y"]})
        created = shop.call("POST", "scope", new(2)).json()
        assert shop.read() == (["x", "y"], ["x", "y"], ["x"])
        assert shop.call("GET", f"scope/{created['id']}").status_code == 404
        clock.wait(2)
        shop.call("DELETE", "scope/1")
        assert shop.read() == (["x"], ["x"], ["y"])
        assert shop.call("GET", f"scope/{created['id']}").status_code == 200
        assert shop.call("DELETE", "scope/1").status_code == 404
        clock.wait(2)
        assert shop.read() == (["x"], ["x"], 404)


# Bulk


def test_bulk_creates_many() -> None:
    with box() as sandbox:
        response = bulk(sandbox, NEW, {**NEW, "model": "homepage"})
        assert (response.status_code, response.json()) == (200, {})
        assert [said(row) for row in sandbox.customizations()] == [
            said({**NEW, "model": model, "id": row["id"], **STAMPS})
            for model, row in zip(("basket", "homepage"), sandbox.customizations(), strict=True)
        ]


@pytest.mark.parametrize(
    ("strategy", "status", "expected"),
    [
        (None, 409, [["x"]]),
        ("raise", 409, [["x"]]),
        ("ignore", 200, [["x"], ["y"]]),
        ("override", 200, [["new"], ["y"]]),
    ],
)
def test_bulk_conflicts(strategy: str | None, status: int, expected: list[list[str]]) -> None:
    with box({"id": "1", **ITEM}) as sandbox:
        response = bulk(sandbox, new(2, tags=["y"]), new(1, tags=["new"]), strategy=strategy)
        assert response.status_code == status
        assert tags(sandbox) == expected
        assert sandbox.get("1")["target_identity"] == "/p/1/"


def test_a_conflict_names_the_line_and_the_customization() -> None:
    with box({"id": "1", **ITEM}) as sandbox:
        assert bulk(sandbox, new(2), NEW).json() == {
            "reason": "The target of line 2 is taken by the customization 1"
        }


def test_lines_of_one_call_conflict_with_one_another() -> None:
    with box() as sandbox:
        assert bulk(sandbox, NEW, NEW).status_code == 409
        assert sandbox.customizations() == []


@pytest.mark.parametrize("strategy", ["raise", "ignore", "override"])
def test_there_may_be_no_conflicts(strategy: str) -> None:
    choices = Choices(bulk_conflict="never")
    with box({"id": "1", **ITEM}, choices=choices) as sandbox:
        assert bulk(sandbox, NEW, NEW, strategy=strategy).status_code == 200
        assert len(sandbox.customizations()) == 3


def test_bulk_is_all_or_nothing_and_names_the_line() -> None:
    with box() as sandbox:
        assert set(details(bulk(sandbox, NEW, {**NEW, "model": ""}))) == {"2.model"}
        assert set(details(bulk(sandbox, NEW, 5))) == {"2.body"}
        assert set(details(bulk(sandbox, NEW, strategy="merge"))) == {"conflict_strategy"}
        assert sandbox.customizations() == []


@pytest.mark.parametrize(("third", "status"), [(new(1), 409), ({**NEW, "model": ""}, 422)])
def test_a_bulk_call_that_fails_may_have_stored_the_lines_before(third: Row, status: int) -> None:
    with box(choices=Choices(bulk="partial")) as sandbox:
        assert bulk(sandbox, new(1), new(2), third, new(4)).status_code == status
        identities = [row["target_identity"] for row in sandbox.customizations()]
    assert identities == ["/p/1/", "/p/2/"]


def test_bulk_takes_five_thousand_at_most() -> None:
    rows = [new(number) for number in range(5001)]
    with box(choices=Choices(bulk="partial")) as sandbox:
        response = bulk(sandbox, *rows)
        assert (response.status_code, response.json()) == (
            413,
            {"reason": "At most 5000 customizations at once, not 5001"},
        )
        assert sandbox.customizations() == []
        assert bulk(sandbox, *rows[:5000]).status_code == 200
        assert len(sandbox.customizations()) == 5000


# Several at once


def test_one_of_many_creates_of_a_target_wins() -> None:
    with box() as sandbox, ThreadPoolExecutor(8) as pool:
        statuses = list(
            pool.map(lambda _: call(sandbox, "POST", "scope", NEW).status_code, range(24))
        )
        assert sorted(statuses) == [200] + [409] * 23
        assert len(sandbox.customizations()) == 1


def test_writers_at_once_lose_nothing() -> None:
    def work(number: int) -> int:
        created = call(sandbox, "POST", "scope", new(number)).json()
        path = f"scope/{created['id']}"
        call(sandbox, "PUT", path, new(number, tags=["replaced"]))
        bulk(sandbox, new(number, model="home"), new(number, model="search"))
        if number % 2:
            call(sandbox, "DELETE", path)
        return number

    with box() as sandbox, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(16))) == list(range(16))
        rows = sandbox.customizations()
    assert len({row["id"] for row in rows}) == len(rows) == 16 * 2 + 8
    baskets = [row for row in rows if row["model"] == "basket"]
    assert {row["target_identity"] for row in baskets} == {f"/p/{n}/" for n in range(0, 16, 2)}
    assert all(row["tags"] == ["replaced"] for row in baskets)
