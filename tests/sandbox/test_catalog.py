"""The sandbox's catalog export over real loopback HTTP: pages, links that die, and faults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pinsync import signing
from pinsync.sandbox import Sandbox, StandIn, parse_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PATH = "/v1/content_export"
NOW = datetime(2026, 11, 21, 17, 55, tzinfo=UTC)
PRODUCTS = {f"/p/{number}/": {"title": f"Item {number}", "price": number} for number in range(7)}


def ask(
    sandbox: Sandbox,
    url: str = "",
    *,
    now: datetime = NOW,
    method: str = "GET",
    tracker: str | None = None,
    query: Mapping[str, str] | None = None,
) -> httpx.Response:
    date = signing.format_http_date(now)
    tracker = tracker or sandbox.tracker_id
    authorization = signing.build_authorization(
        tracker,
        sandbox.private_key,
        method=method,
        content_type=signing.CONTENT_TYPE,
        date=date,
        path=PATH,
    )
    headers = {
        "Content-Type": signing.CONTENT_TYPE,
        "Date": date,
        "Authorization": authorization,
    }
    with httpx.Client(trust_env=False, verify=False, timeout=5) as client:  # noqa: S501 - no TLS here
        return client.request(method, url or f"{sandbox.url}{PATH}", params=query, headers=headers)


def find_link(page: dict[str, Any]) -> str | None:
    for link in page["links"]:
        if link["rel"] == "next":
            return str(link["href"])
    return None


def walk(sandbox: Sandbox, query: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the pages of an export."""
    page: dict[str, Any] = ask(sandbox, query=query).json()
    yield page
    while link := find_link(page):
        page = ask(sandbox, link).json()
        yield page


def test_pages_hold_each_item_once() -> None:
    with Sandbox(products=PRODUCTS, clock=lambda: NOW) as sandbox:
        pages = list(walk(sandbox, query={"size": "3"}))
    assert [len(page["objects"]) for page in pages] == [3, 3, 1]
    assert {page["total"] for page in pages} == {7}
    identities: list[str] = []
    for page in pages:
        identities += [item["url"] for item in page["objects"]]
    assert identities == list(PRODUCTS)


def test_values_are_texts_or_lists_of_texts() -> None:
    with Sandbox(products=PRODUCTS, clock=lambda: NOW) as sandbox:
        (page,) = walk(sandbox, query={"size": "500"})
    titles = [item["attributes"]["title"] for item in page["objects"]]
    texts = [title[0] if isinstance(title, list) else title for title in titles]
    assert texts == [f"Item {number}" for number in range(7)]


def test_hit_fields_choose_the_attributes_on_every_page() -> None:
    with Sandbox(products=PRODUCTS, clock=lambda: NOW) as sandbox:
        for page in walk(sandbox, {"size": "4", "hit_fields": "title,image_link"}):
            assert {tuple(item["attributes"]) for item in page["objects"]} == {("title",)}


def test_other_types_have_no_items() -> None:
    with Sandbox(products=PRODUCTS, clock=lambda: NOW) as sandbox:
        page = ask(sandbox, query={"requested_types": "category"}).json()
    assert page == {"total": 0, "objects": [], "links": []}


def test_the_sample_shop_lacks_what_left_its_catalog() -> None:
    with Sandbox(clock=lambda: NOW) as sandbox:
        (page,) = walk(sandbox, query={"size": "500"})
    by_identity = {item["url"]: item["attributes"] for item in page["objects"]}
    assert "/p/107/" not in by_identity
    image = by_identity["/p/101/"]["image_link"]
    assert "https://cdn.harmonia.example/101.jpg" in ([image], *image, image)


def test_a_catalog_of_identities_has_the_titles_that_are_known() -> None:
    with Sandbox([], catalog={"/p/101/", "/x/"}, seed=1, clock=lambda: NOW) as sandbox:
        (page,) = walk(sandbox)
    by_identity = {item["url"]: item["attributes"] for item in page["objects"]}
    assert [*by_identity] == ["/p/101/", "/x/"]
    assert by_identity["/x/"] == {}
    assert "title" in by_identity["/p/101/"]


@pytest.mark.parametrize("size", ["0", "501", "x"])
def test_a_size_that_is_refused(size: str) -> None:
    with Sandbox(clock=lambda: NOW) as sandbox:
        response = ask(sandbox, query={"size": size})
    assert response.status_code == 422
    assert "size" in response.json()["exception_details"]


def test_a_link_dies_after_ten_minutes() -> None:
    moments = [NOW]
    with Sandbox(products=PRODUCTS, clock=lambda: moments[-1]) as sandbox:
        link = find_link(ask(sandbox, query={"size": "3"}).json())
        assert link is not None
        moments.append(NOW + timedelta(seconds=600))
        assert ask(sandbox, link, now=moments[-1]).status_code == 200
        moments.append(NOW + timedelta(seconds=601))
        assert ask(sandbox, link, now=moments[-1]).status_code == 410


@pytest.mark.parametrize("cursor", ["", "AAAA", "expired", "W10="])
def test_a_link_of_nobody(cursor: str) -> None:
    with Sandbox(clock=lambda: NOW) as sandbox:
        assert ask(sandbox, query={"cursor": cursor}).status_code == 410


def test_the_request_must_be_a_signed_get() -> None:
    with Sandbox(clock=lambda: NOW) as sandbox:
        assert ask(sandbox, now=NOW + timedelta(seconds=9)).status_code == 401
        assert ask(sandbox, tracker="5-6").status_code == 401
        assert ask(sandbox, method="POST").status_code == 405
        with httpx.Client(trust_env=False, verify=False) as client:  # noqa: S501 - no TLS here
            assert client.get(f"{sandbox.url}{PATH}").status_code == 401


def test_the_signature_names_the_tracker() -> None:
    other = StandIn([], tracker_id="5-6", products={"/other/": {}})
    with Sandbox(products=PRODUCTS, more_trackers=[other], clock=lambda: NOW) as sandbox:
        assert ask(sandbox, tracker="5-6").json()["total"] == 1
        assert ask(sandbox).json()["total"] == 7


def spoil(sign: str) -> dict[str, Any]:
    """Return the first page of three with a fault."""
    faults = [parse_fault(f"catalog:{sign}")]
    with Sandbox(products=PRODUCTS, faults=faults, clock=lambda: NOW) as sandbox:
        page: dict[str, Any] = ask(sandbox, query={"size": "3"}).json()
        link = find_link(page)
        page["next"] = ask(sandbox, link) if link and sandbox.url in link else link
        return page


def test_a_page_that_is_cut() -> None:
    page = spoil("cut")
    assert (len(page["objects"]), page["total"], page["links"]) == (1, 7, [])


def test_a_total_that_does_not_fit() -> None:
    assert spoil("total")["total"] == 8


def test_a_link_to_another_host() -> None:
    assert spoil("host")["next"] == f"https://catalog.example{PATH}?cursor=next"


def test_a_dead_link() -> None:
    assert spoil("dead")["next"].status_code == 410


def test_a_link_to_the_same_page() -> None:
    page = spoil("loop")
    following = page["next"].json()
    urls = [[item["url"] for item in answer["objects"]] for answer in (page, following)]
    assert urls[0] == urls[1]


def test_a_fault_of_pages_leaves_an_error_as_it_is() -> None:
    with Sandbox(faults=[parse_fault("catalog:loop")], clock=lambda: NOW) as sandbox:
        response = ask(sandbox, query={"size": "0"})
    assert (response.status_code, "links" in response.json()) == (422, False)
