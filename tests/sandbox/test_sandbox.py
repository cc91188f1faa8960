"""The sandbox over real loopback HTTP: what the reference says of signatures and of reading."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pinsync import signing
from pinsync.sandbox import Sandbox, StandIn, parse_fault
from support.sandboxes import ITEM, NEW, NOW, box, call, details, export, fixed, said

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, Any]

EXAMPLE: list[Row] = [
    {"id": "199620b4-df1a-46e8-ab59-9e9ed9af7106", "model": "basket", "target_type": "item"},
    {"id": "b3e6e3c1-1a3b-4c2d-8e4f-2a3b4c5d6e7f", "model": "basket", "target_type": "all"},
]


# Export


def test_the_references_own_example() -> None:
    with box(*EXAMPLE) as sandbox:
        assert [said(row) for row in export(sandbox)] == EXAMPLE


def test_answers_differ_from_call_to_call_unless_seeded() -> None:
    with Sandbox(clock=fixed) as sandbox:
        assert (
            call(sandbox, "POST", "scopes/export").content
            != call(sandbox, "POST", "scopes/export").content
        )
    answers = []
    for _ in range(2):
        with Sandbox(clock=fixed, seed=3) as sandbox:
            answers.append(call(sandbox, "POST", "scopes/export").content)
    assert answers[0] == answers[1]


def test_several_trackers_have_their_own_keys_and_customizations() -> None:
    other = StandIn([ITEM], tracker_id="2-2", private_key="other", clock=fixed)
    with Sandbox(EXAMPLE, private_key="k", clock=fixed, more_trackers=[other]) as sandbox:
        created = call(
            sandbox,
            "POST",
            "scope",
            {"model": "home", "target_type": "all", "pin_definitions": []},
            tracker="2-2",
            key="other",
        )
        assert created.status_code == 200
        assert {row["model"] for row in other.customizations()} == {"basket", "home"}
        assert [said(row) for row in export(sandbox)] == EXAMPLE
        for tracker, key, status in (
            ("2-2", "k", 401),
            ("1234-5678", "other", 401),
            ("3-3", "k", 404),
        ):
            assert (
                call(sandbox, "POST", "scopes/export", tracker=tracker, key=key).status_code
                == status
            )


def test_lone_surrogates_are_escaped() -> None:
    for seed in range(4):
        with box({"model": "\ud800", "target_type": "all"}, seed=seed) as sandbox:
            assert export(sandbox)[0]["model"] == "\ud800"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "1234"),
        ({"model": "basket"}, "124"),
        ({"tag": "x"}, "13"),
        ({"target_type": "item"}, "13"),
        ({"target_type": "item", "target_identity": "/p/1/"}, "1"),
        ({"target_type": "criteria"}, "4"),
        ({"model": "basket", "tag": "x"}, "1"),
        ({"model": "nothing"}, ""),
    ],
)
def test_filters(query: dict[str, str], expected: str) -> None:
    rows: list[Row] = [
        {"id": "1", **ITEM},
        {"id": "2", "model": "basket", "target_type": "all", "tags": None},
        {"id": "3", **ITEM, "model": "homepage", "target_identity": "/p/2/", "tags": ["y", "x"]},
        {"id": "4", "model": "basket", "target_type": "criteria", "target_criteria": {"a": 1}},
    ]
    with box(*rows) as sandbox:
        assert "".join(row["id"] for row in export(sandbox, **query)) == expected


def test_filters_that_cannot_be() -> None:
    with box() as sandbox:
        bad = call(sandbox, "POST", "scopes/export", query={"target_type": "shop"})
        assert details(bad) == {"target_type": ["Must be one of: item, criteria, all"]}
        for query in (
            {"target_identity": "/p/1/"},
            {"target_identity": "/p/1/", "target_type": "all"},
        ):
            assert "target_identity" in details(call(sandbox, "POST", "scopes/export", query=query))
        assert "remove_expired_pins" in details(
            call(sandbox, "POST", "scopes/export", query={"remove_expired_pins": "maybe"})
        )


def pinned(*pins: Row) -> Row:
    return {
        "id": "1",
        **ITEM,
        "pin_definitions": [{"position": 1, "pin_type": "item", **pin} for pin in pins],
    }


def identities(rows: list[Row]) -> set[str]:
    return {
        pin["pin_identity"]
        for row in rows
        for pin in row["pin_definitions"] or []
        if pin.get("pin_identity")
    }


def test_expired_pins_are_removed_by_the_second_of_the_answers_date() -> None:
    ends = {
        "over": "2026-11-21T17:54:59.999Z",
        "over elsewhere": "2026-11-21T18:54:59+01:00",
        "this second": "2026-11-21T17:55:00Z",
        "later": "2026-12-31T23:00:00Z",
        "odd": "soon",
    }
    row = pinned(
        *({"pin_identity": name, "active_to": end} for name, end in ends.items()),
        {"pin_identity": "open"},
    )
    with box(row) as sandbox:
        assert identities(export(sandbox)) == {*ends, "open"}
        assert identities(export(sandbox, remove_expired_pins="true")) == {
            "this second",
            "later",
            "odd",
            "open",
        }
        assert identities(export(sandbox, remove_expired_pins="false")) == {*ends, "open"}


def test_a_customization_stays_when_its_last_pin_is_removed() -> None:
    with box(pinned({"pin_identity": "a", "active_to": "2020-01-01T00:00:00Z"})) as sandbox:
        assert [row["id"] for row in export(sandbox, remove_expired_pins="true")] == ["1"]


def test_pins_of_items_that_left_the_catalog_are_removed() -> None:
    row = pinned(
        {"pin_identity": "here"},
        {"pin_identity": "gone"},
        {"pin_type": "criteria", "pin_identity": "kept"},
    )
    with box(row, catalog={"here"}) as sandbox:
        assert identities(export(sandbox, remove_nonexisting_item_pins="true")) == {"here", "kept"}
        assert identities(export(sandbox)) == {"here", "gone", "kept"}
    with box(row) as sandbox:
        assert identities(export(sandbox, remove_nonexisting_item_pins="true")) == {
            "here",
            "gone",
            "kept",
        }


def test_the_sample_shop_pins_some_items_that_it_no_longer_sells() -> None:
    with Sandbox(clock=fixed) as sandbox:
        left = identities(export(sandbox)) - identities(
            export(sandbox, remove_nonexisting_item_pins="1")
        )
    assert left == {"/p/107/", "/p/146/", "/p/205/"}


# Authentication


@pytest.mark.parametrize("seconds", [-5.4, 0, 4.6])
def test_a_clock_within_five_seconds_will_do(seconds: float) -> None:
    with box() as sandbox:
        moment = NOW + timedelta(seconds=seconds)
        assert call(sandbox, "POST", "scopes/export", moment=moment).status_code == (
            401 if seconds < -5 else 200
        )


@pytest.mark.parametrize("seconds", [-90, -6, 6, 3600])
def test_a_wrong_clock_will_not(seconds: int) -> None:
    with box() as sandbox:
        response = call(sandbox, "POST", "scopes/export", moment=NOW + timedelta(seconds=seconds))
    assert response.status_code == 401
    assert response.headers["Date"] == "Sat, 21 Nov 2026 17:55:00 GMT"


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_both_content_types_are_taken_and_signed_byte_for_byte(content_type: str) -> None:
    with box() as sandbox:
        assert call(sandbox, "POST", "scopes/export", content_type=content_type).status_code == 200
        other = {"Content-Type": "application/json;charset=utf-8"}
        assert (
            call(
                sandbox, "POST", "scopes/export", content_type=content_type, headers=other
            ).status_code
            == 401
        )


def test_a_content_type_that_is_not_taken() -> None:
    with box() as sandbox:
        assert call(sandbox, "POST", "scopes/export", content_type="text/plain").status_code == 415


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer x"},
        {"Date": "yesterday"},
        {"Authorization": "ApiAuth 1:ž"},
    ],
)
def test_what_is_not_signed_is_refused(headers: dict[str, str]) -> None:
    with box() as sandbox:
        encoded = {name: value.encode() for name, value in headers.items()}
        assert call(sandbox, "POST", "scopes/export", headers=encoded).status_code == 401  # type: ignore[arg-type]


def test_another_key_is_refused_and_never_shown() -> None:
    with box(key="the-right-key") as sandbox:
        response = call(sandbox, "POST", "scopes/export", key="the-wrong-key")
    assert response.status_code == 401
    assert "key" not in response.text


def test_a_date_that_is_signed_but_none_is_refused() -> None:
    with box() as sandbox:
        path = f"/v1/recommender/pin/{sandbox.tracker_id}/scopes/export"
        parts = {"method": "POST", "content_type": "application/json", "date": "noon", "path": path}
        header = signing.build_authorization(sandbox.tracker_id, sandbox.private_key, **parts)
        sent = {"Content-Type": "application/json", "Date": "noon", "Authorization": header}
        assert httpx.post(sandbox.url + path, headers=sent, trust_env=False).status_code == 401


def test_another_tracker_is_unknown() -> None:
    with box() as sandbox:
        response = call(sandbox, "POST", "scopes/export", tracker="9-9")
    assert (response.status_code, response.json()) == (404, {"reason": "Tracker not found"})


def test_paths_and_methods_that_are_not_there() -> None:
    with box() as sandbox:
        assert call(sandbox, "POST", "scopes/import").status_code == 404
        assert call(sandbox, "GET", "scopes/export").status_code == 405
        assert call(sandbox, "PATCH", "scope/1", {}).status_code == 405


# Lists


def listed(sandbox: Sandbox, body: object = None, **query: str | int | list[str]) -> str:
    response = call(sandbox, "POST", "scopes", body, query=query)
    assert response.status_code == 200, response.text
    return "".join(row["id"] for row in response.json()["results"])


def test_list_pages_sorts_and_filters() -> None:
    rows: list[Row] = [
        {
            "id": str(n),
            "model": "ab"[n % 2],
            "target_type": "all",
            "created_at": f"2026-01-0{9 - n}T00:00:00Z",
        }
        for n in range(1, 6)
    ]
    rows[0] |= {"target_type": "criteria", "target_criteria": {"brand": ["x"]}}
    with box(*rows) as sandbox:
        assert listed(sandbox) == "54321"
        assert listed(sandbox, sort="created_at:desc") == "12345"
        assert listed(sandbox, sort="model") == "24135"
        assert listed(sandbox, limit=2, offset=1, sort="id:asc") == "23"
        assert listed(sandbox, limit=2, offset=4, sort="id:asc") == "5"
        assert listed(sandbox, model=["a", "b"], sort="id") == "12345"
        assert listed(sandbox, model="b", sort="id") == "135"
        assert listed(sandbox, {"criteria": [{"a": 1}, {"brand": ["x"]}]}) == "1"
        assert listed(sandbox, {"criteria": [{"brand": ["y"]}]}) == ""
        assert listed(sandbox, {"criteria": []}) == ""
        assert len(listed(sandbox, {})) == 5
        assert call(sandbox, "POST", "scopes", query={"limit": 2}).json()["total"] == 5


def test_list_takes_criteria_in_a_list_alone() -> None:
    with box() as sandbox:
        for criteria in ({"a": 1}, "a", [1]):
            response = call(sandbox, "POST", "scopes", {"criteria": criteria})
            assert details(response) == {"criteria": ["Must be a list of objects"]}


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", "-1"), ("limit", "x"), ("offset", "1.5"), ("sort", "age:desc"), ("sort", "id:up")],
)
def test_list_refuses_what_it_does_not_know(name: str, value: str) -> None:
    with box() as sandbox:
        assert set(details(call(sandbox, "POST", "scopes", query={name: value}))) == {name}


# Beside the API


def test_changes_in_the_ui_show_in_the_next_export() -> None:
    with box({"id": "1", **ITEM}) as sandbox:
        created = sandbox.create({**ITEM, "model": "homepage"})
        sandbox.replace({**sandbox.get("1"), "tags": ["edited"]})
        assert {row["id"]: row["tags"] for row in export(sandbox)} == {
            "1": ["edited"],
            created["id"]: ["x"],
        }
        sandbox.delete("1")
        assert [row["id"] for row in export(sandbox)] == [created["id"]]


def test_what_is_handed_out_is_a_copy() -> None:
    with box({"id": "1", **ITEM, "tags": ["x"]}) as sandbox:
        sandbox.get("1")["tags"].append("got")
        sandbox.customizations()[0]["tags"].append("listed")
        sandbox.replace(sandbox.get("1"))["tags"].append("replaced")
        sandbox.create({**ITEM, "tags": ["x"]})["tags"].append("created")
        assert [row["tags"] for row in sandbox.customizations()] == [["x"], ["x"]]


def test_the_state_is_kept_and_takes_the_place_of_the_sample(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with Sandbox([ITEM], state=state) as sandbox:
        pass
    kept = sandbox.customizations()
    with Sandbox(state=state, clock=fixed) as sandbox:
        assert [row["id"] for row in export(sandbox)] == [kept[0]["id"]]
        state.unlink()
        tmp_path.rmdir()
        assert call(sandbox, "POST", "scope", {**NEW, "model": "home"}).status_code == 500


def test_a_wrong_clock_befalls_one_request_and_shows_in_the_date() -> None:
    with Sandbox(clock=fixed, faults=[parse_fault("clock:-90")]) as sandbox:
        wrong, right = (call(sandbox, "POST", "scopes/export") for _ in range(2))
    assert (wrong.status_code, right.status_code) == (401, 200)
    assert wrong.headers["Date"] == "Sat, 21 Nov 2026 17:53:30 GMT"
