"""The client of the catalog export against the sandbox, and against hostile answers."""

from __future__ import annotations

import json
import tracemalloc
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pinsync import api
from pinsync.config import Tracker
from pinsync.errors import RemoteError
from pinsync.sandbox import Answer, Fault, Sandbox, parse_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PATH = "/v1/content_export"
NOW = datetime(2026, 11, 21, 17, 55, tzinfo=UTC)


def make_products(count: int) -> dict[str, dict[str, Any]]:
    return {f"/p/{number}/": {"title": f"Item {number}"} for number in range(count)}


def connect(*hosts: str, clock: Callable[[], datetime] = lambda: NOW) -> api.Session:
    tracker = Tracker("shop", "1234-5678", "SHOP_KEY", hosts)
    return api.Session(
        tracker, "sandbox-private-key", 10, 10**6, clock=clock, sleep=lambda _seconds: None
    )


def serve(count: int, *faults: str) -> Sandbox:
    parsed = [parse_fault(fault) for fault in faults]
    return Sandbox(products=make_products(count), faults=parsed, clock=lambda: NOW, seed=1)


def page(content: object) -> Fault:
    """Return a fault that answers with some JSON, or with bytes as they are."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Fault(answer=Answer(200, body))


def build_page(
    identities: Sequence[str], total: int, href: str | None = None
) -> Mapping[str, object]:
    objects = [{"url": identity, "attributes": {}, "type": "item"} for identity in identities]
    links = [] if href is None else [{"rel": "next", "href": href}]
    return {"total": total, "objects": objects, "links": links}


def fail(sandbox: Sandbox, *hosts: str) -> RemoteError:
    """Return the error of a walk through all pages."""
    with pytest.raises(RemoteError) as caught:
        list(api.read_catalog(connect(*(hosts or (sandbox.url,)))))
    error = caught.value
    assert error.exit_code == 3
    assert error.hint
    assert "sandbox-private-key" not in f"{error}{error.hint}"
    assert error.message.startswith("tracker shop: ")
    return error


def fail_with(*contents: object) -> str:
    """Return the message of the error for these pages."""
    with Sandbox(faults=[page(content) for content in contents], clock=lambda: NOW) as sandbox:
        message = fail(sandbox).message
        assert len(sandbox.requests) == len(contents)
    return message.partition("of the catalog ")[2]


def test_pages_come_one_by_one() -> None:
    with serve(1203) as sandbox, closing(api.read_catalog(connect(sandbox.url))) as pages:
        first = next(pages)
        assert (first.number, len(first.items), first.total, first.is_last) == (1, 500, 1203, False)
        assert len(sandbox.requests) == 1
        others = list(pages)
    assert [(p.number, len(p.items), p.is_last) for p in others] == [
        (2, 500, False),
        (3, 203, True),
    ]
    identities = [item.identity for part in (first, *others) for item in part.items]
    assert identities == list(make_products(1203))
    request = sandbox.requests[0]
    assert (request.method, request.path) == ("GET", PATH)
    assert request.query == {
        "size": ["500"],
        "hit_fields": ["title,image_link"],
        "requested_types": ["item"],
    }


def test_the_attributes_are_as_the_api_spells_them() -> None:
    with Sandbox(products={"/a/": {"title": ["A"]}}, clock=lambda: NOW) as sandbox:
        ((item,),) = [found.items for found in api.read_catalog(connect(sandbox.url))]
    assert item.attributes["title"] in (["A"], [["A"]])


def test_an_empty_catalog_is_whole() -> None:
    with serve(0) as sandbox:
        (only,) = api.read_catalog(connect(sandbox.url))
    assert (only.items, only.total, only.is_last) == ([], 0, True)


def test_a_full_last_page_needs_no_empty_page_after_it() -> None:
    link = f"{PATH}?cursor=x"
    with Sandbox(faults=[page(build_page(["/a/"], 1, link))], clock=lambda: NOW) as sandbox:
        (only,) = api.read_catalog(connect(sandbox.url))
        assert only.is_last
        assert len(sandbox.requests) == 1


def test_a_relative_link_leads_to_the_same_host() -> None:
    faults = [page(build_page(["/a/"], 2, f"{PATH}?cursor=x")), page(build_page(["/b/"], 2))]
    with Sandbox(faults=faults, clock=lambda: NOW) as sandbox:
        assert len(list(api.read_catalog(connect(sandbox.url)))) == 2
        assert sandbox.requests[1].query == {"cursor": ["x"]}


def test_errors_that_pass_are_met_again_and_again() -> None:
    with serve(600, "503", "truncate", "429:1:retry-after=1") as sandbox:
        assert len(list(api.read_catalog(connect(sandbox.url)))) == 2


def test_the_second_host_is_asked_if_the_first_is_down() -> None:
    with serve(600) as sandbox, serve(600, "503:*") as down:
        pages = list(api.read_catalog(connect(down.url, sandbox.url)))
        assert [len(found.items) for found in pages] == [500, 100]
        assert len(sandbox.requests) == 2


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("catalog:cut", "is the last one, but 950 of 1200 items are missing"),
        ("catalog:host", "links to another host: https://catalog.example"),
        ("catalog:loop", "repeats an earlier page"),
        ("garbage", "is not JSON in UTF-8"),
    ],
)
def test_a_page_that_is_faulty(fault: str, expected: str) -> None:
    with serve(1200, fault) as sandbox:
        error = fail(sandbox)
    assert "of the catalog" in error.message
    assert expected in error.message


def test_a_total_that_does_not_fit() -> None:
    with serve(600, "catalog:total:*") as sandbox:
        message = fail(sandbox).message
    assert "page 2 of the catalog is the last one, but 1 of 601 items are missing" in message


def test_a_web_page_and_a_redirect_are_refused() -> None:
    for fault in ("html", "redirect"):
        with serve(5, fault) as sandbox:
            fail(sandbox)


def test_a_signature_that_is_refused_blames_the_key() -> None:
    with Sandbox(private_key="other", clock=lambda: NOW) as sandbox:
        error = fail(sandbox)
        assert len(sandbox.requests) == 1
    assert isinstance(error, api.RefusalError)
    assert error.is_of_key


def test_a_refusal_of_the_parameters_does_not_name_a_filter() -> None:
    with serve(5, "422") as sandbox:
        assert "--model" not in str(fail(sandbox).hint)


def test_a_dead_link_starts_the_export_again_once() -> None:
    with serve(1200, "catalog:dead") as sandbox:
        numbers = [found.number for found in api.read_catalog(connect(sandbox.url))]
        assert numbers == [1, 1, 2, 3]
        assert [request.status for request in sandbox.requests] == [200, 410, 200, 200, 200]


def test_a_second_dead_link_is_an_error() -> None:
    with serve(1200, "catalog:dead:*") as sandbox:
        error = fail(sandbox)
        assert len(sandbox.requests) == 4
    assert "expired twice" in error.message


def test_a_link_dies_while_the_reader_is_slow() -> None:
    moments = [NOW]
    with Sandbox(products=make_products(600), clock=lambda: moments[-1]) as sandbox:
        session = connect(sandbox.url, clock=lambda: moments[-1])
        numbers = []
        for found in api.read_catalog(session):
            numbers.append(found.number)
            if len(numbers) == 1:
                moments.append(NOW + timedelta(minutes=11))
    assert numbers == [1, 1, 2]


LINK = f"{PATH}?cursor=x"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[]", "is a list, expected an object"),
        (b'{"total": 1, "total": 1}', "a key stands twice in one object"),
        (b'{"total": NaN}', "NaN is no JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"total": 1, "objects": [{"url": "\xff"}]}', "is not JSON in UTF-8"),
        ({}, 'has no list of "objects"'),
        ({"objects": {}}, 'has no list of "objects"'),
        ({"objects": [{}], "total": 1}, 'has no "url" in object 1'),
        ({"objects": [{"url": ""}], "total": 1}, 'has no "url" in object 1'),
        ({"objects": [{"url": 7}], "total": 1}, 'has no "url" in object 1'),
        ({"objects": ["/p/1/"], "total": 1}, 'has no "url" in object 1'),
        ({"objects": [{"url": "/a/", "attributes": 1}], "total": 1}, "an integer"),
        ({"objects": []}, 'has null for its "total"'),
        ({"objects": [], "total": True}, 'has a boolean for its "total"'),
        ({"objects": [], "total": "0"}, 'has a string for its "total"'),
        ({"objects": [], "total": 1}, "is the last one, but 1 of 1 items are missing"),
        ({"objects": [], "total": -1}, "more than its total of -1"),
        ({"objects": [], "total": 0, "links": {"rel": "next"}}, 'has no list of "links"'),
        ({"objects": [], "total": 0, "links": ["next"]}, 'has no list of "links"'),
        ({"objects": [], "total": 0, "links": [{"rel": "next"}]}, "can't be read"),
        (build_page([], 1, LINK), "has no items"),
        (build_page(["/a/", "/b/"], 1), "more than its total of 1"),
        (build_page(["/a/"], 2, "http://127.0.0.1:1/"), "another host: http://127.0.0.1:1"),
        (build_page(["/a/"], 2, "//evil.example/"), "another host: http://evil.example"),
        (build_page(["/a/"], 2, "http://x:port/"), "can't be read"),
        (build_page(["/a/"], 2, "http://xn--a\udc80.example"), "can't be read"),
        (build_page(["/a/"], 2, f"{PATH}?{'x' * 70_000}"), "can't be read"),
        (build_page(["/a/"], 2, "file:///etc/passwd"), "another host: file://"),
    ],
)
def test_a_hostile_page(content: object, expected: str) -> None:
    assert expected in fail_with(content)


def test_a_link_with_a_user_is_refused() -> None:
    with Sandbox(clock=lambda: NOW) as sandbox:
        host = sandbox.url.removeprefix("http://")
        for href in (f"http://me:x@{host}{LINK}", f"https://{host}{LINK}"):
            sandbox.fail(page(build_page(["/a/"], 2, href)))
            assert "links to another host" in fail(sandbox).message


def test_pages_that_come_round_again() -> None:
    first, second = build_page(["/a/", "/b/"], 9, LINK), build_page(["/c/"], 9, LINK)
    turned = build_page(["/b/", "/a/"], 9, LINK)
    assert fail_with(first, second, turned) == "repeats an earlier page"


def test_a_total_that_shrinks_is_no_licence_for_more() -> None:
    pages = build_page(["/a/", "/b/"], 3, LINK), build_page(["/c/"], 2)
    assert "more than its total of 2" in fail_with(*pages)


def test_the_text_of_an_answer_is_harmless_in_a_message() -> None:
    message = fail_with(build_page(["/a/"], 2, "http://evil\x1b[31m.example/"))
    assert "\x1b" not in message


def test_memory_is_bounded() -> None:
    with serve(60_000) as sandbox, closing(api.read_catalog(connect(sandbox.url))) as pages:
        next(pages)
        tracemalloc.start()
        sizes = [tracemalloc.get_traced_memory()[0] for _ in pages]
        tracemalloc.stop()
    assert len(sizes) == 119
    # A page of 500 items takes some 300 kB.
    assert max(sizes[60:]) - max(sizes[:60]) < 1_000_000
