"""The signs of an answer that is only a part of the export, and values that look like one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync.canonical.answer import split_rows
from pinsync.canonical.completeness import raise_if_partial
from pinsync.errors import DataError
from support.strategies import QUICK, SEEDED, spell_json

if TYPE_CHECKING:
    from random import Random

PAGE = "the answer looks like one page of several"
FAILURE = "the answer looks incomplete"


def message(envelope: dict[str, Any], *headers: tuple[str, str], count: int = 2) -> str:
    with pytest.raises(DataError) as caught:
        raise_if_partial(envelope, headers, count)
    assert "fetch the export again" in (caught.value.hint or "")
    return caught.value.message


@pytest.mark.parametrize(
    ("envelope", "sign"),
    [
        ({"next": "/2"}, '"next" is "/2"'),
        ({"meta": {"pagination": {"next": 2}}}, '"meta.pagination.next" is 2'),
        ({"_links": {"next": {"href": "/2"}}}, '"_links.next" is {"href": "/2"}'),
        ({"links": {"next": "/2", "last": "/9"}}, '"links.next" is "/2"'),
        ({"links": [{"rel": "self"}, {"rel": "next", "href": "/2"}]}, '"links[1].next" is "/2"'),
        ({"paging": {"next": {"after": "x"}}}, '"paging.next" is {"after": "x"}'),
        ({"@odata.nextLink": "https://x/2"}, '"@odata.nextLink" is "https://x/2"'),
        ({"odata.count": 3}, '"odata.count" is 3, 2 came'),
        ({"hydra:totalItems": 3}, '"hydra:totalItems" is 3, 2 came'),
        ({"a": {"b": {"pageInfo": {"hasNextPage": True}}}}, '"a.b.pageInfo.hasNextPage" is true'),
        ({"next_page_url": "/2"}, '"next_page_url" is "/2"'),
        ({"NextMarker": "m"}, '"NextMarker" is "m"'),
        ({"metadata": {"continue": "c"}}, '"metadata.continue" is "c"'),
        ({"IsTruncated": True}, '"IsTruncated" is true'),
        ({"has_more": "true"}, '"has_more" is "true"'),
        ({"last": False}, '"last" is false'),
        ({"page": {"first": False, "last": True}}, '"page.first" is false'),
        ({"page": {"totalElements": 3, "totalPages": 1}}, '"page.totalElements" is 3, 2 came'),
        ({"last_page": 2}, '"last_page" is 2'),
        ({"meta": {"pagination": {"pageCount": "2"}}}, '"meta.pagination.pageCount" is "2"'),
        ({"hits": {"total": {"value": 3}}}, '"hits.total" is {"value": 3}, 2 came'),
        (
            {"hits": {"total": {"value": 2, "relation": "gte"}}},
            '"hits.total" is {"value": 2, "relation": "gte"}, 2 came',
        ),
        ({"count": 3, "next": None}, '"count" is 3, 2 came'),
        ({"limit": 2}, '"limit" is 2, 2 came'),
        ({"limit": 2, "offset": 0, "count": 2}, '"limit" is 2, 2 came'),
        ({"limit": 2, "total": None}, '"limit" is 2, 2 came'),
        ({"meta": {"per_page": "2"}}, '"meta.per_page" is "2", 2 came'),
        ({"cursor": "c"}, '"cursor" is "c"'),
        ({"paging": {"cursors": {"after": "a"}}}, '"paging.cursors" is {"after": "a"}'),
        ({"_scroll_id": "s"}, '"_scroll_id" is "s"'),
        ({"next\n": "\u202e"}, r'"next\n" is "'),
    ],
)  # fmt: skip
def test_a_key_that_tells_of_more_pages(envelope: dict[str, Any], sign: str) -> None:
    assert message(envelope).startswith(f"{PAGE} ({sign}")


@pytest.mark.parametrize(
    ("envelope", "sign"),
    [
        ({"error": "shard timeout"}, '"error" is "shard timeout"'),
        ({"errors": [{"message": "x"}]}, '"errors" is [{"message": "x"}]'),
        ({"errors": [None]}, '"errors" is [null]'),
        ({"exception_details": {"model": ["x"]}}, '"exception_details" is {"model": ["x"]}'),
        ({"timed_out": True}, '"timed_out" is true'),
        ({"_shards": {"total": 5, "successful": 4, "failed": 1}}, '"_shards.failed" is 1'),
        ({"status": "partial"}, '"status" is "partial"'),
        ({"status": "Partial Content"}, '"status" is "Partial Content"'),
        ({"meta": {"status": 206}}, '"meta.status" is 206'),
        ({"success": False}, '"success" is false'),
        ({"ok": False}, '"ok" is false'),
    ],
)
def test_a_key_that_tells_of_a_failure(envelope: dict[str, Any], sign: str) -> None:
    assert message(envelope) == f"{FAILURE} ({sign})"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("X-Total-Count", "3", "3, 2 came"),
        ("X-Total", " 3 ", "3, 2 came"),
        ("X-WP-TotalPages", "2", "2"),
        ("X-Pagination-Total-Count", "3", "3, 2 came"),
        ("Total-Count", "3", "3, 2 came"),
        ("X-Total-Pages", "2", "2"),
        ("X-Next-Page", "2", "2"),
        ("X-Next-Cursor", "c", "c"),
        ("X-Has-More", "true", "true"),
        ("X-Per-Page", "2", "2, 2 came"),
        ("Content-Range", "items 0-1/3", "items 0-1/3"),
        ("Content-Range", "items 1-2/3", "items 1-2/3"),
        ("Content-Range", "items 2-3/3", "items 2-3/3"),
        ("Content-Range", "items 0-1/*", "items 0-1/*"),
        ("Content-Range", "0-1/3", "0-1/3"),
        ("Content-Range", "*/1", "*/1"),
        ("Content-Range", f"items 0-1/{'9' * 9999}", "items 0-1/999"),
        ("Content-Range", "", ""),
        ("Link", '</2>; rel="next"', '</2>; rel="next"'),
        ("Link", "</2>;rel=next", "</2>;rel=next"),
        ("Link", "</2> ; REL = 'Next'", "</2> ; REL = 'Next'"),
        ("Link", '</1>; rel=prev, </3>; title="a, b; c"; rel="last NEXT"', "</1>; rel=prev"),
        ("Link", '<https://x/a;b,c>; foo; rel="next"', "<https://x/a;b,c>"),
    ],
)
def test_a_header_that_tells_of_more_pages(name: str, value: str, shown: str) -> None:
    said = message({}, ("date", "x"), ("link", "</>; rel=start"), (name.lower(), value))
    assert said.startswith(f"{PAGE} (the header {name.title()} is {shown}")


@pytest.mark.parametrize(
    "header",
    [
        *[("X-Total-Count", "2"), ("X-Total-Count", ""), ("X-Total-Count", "many")],
        *[("X-Next-Page", ""), ("X-Has-More", "False"), ("X-Total-Pages", "1"), ("X-Page", "1")],
        *[("X-Per-Page", "100"), ("Content-Range", "items 0-1/2")],
        *[("Content-Range", "items 1-2/2"), ("Content-Range", "0-1/2")],
        *[("Link", ""), ("Link", "</2>; rel=prev"), ("Link", '</rel=next>; rel="self"')],
        *[("Link", '</>; title="x; rel=next"; rel=up'), ("Link", "</>; x-rel=next")],
        *[("X-RateLimit-Limit", "2"), ("X-Cache-Hits", "5"), ("Status", "200 OK")],
        ("Next-Export", "9"),
    ],
)
def test_a_header_of_a_whole_answer(header: tuple[str, str]) -> None:
    raise_if_partial({}, [header], 2)


def test_the_range_of_nothing_is_whole() -> None:
    raise_if_partial({}, [("Content-Range", "items */0")], 0)


@pytest.mark.parametrize(
    "envelope",
    [
        {"timed_out": False, "_shards": {"total": 5, "successful": 5, "skipped": 0, "failed": 0}},
        {"hits": {"total": {"value": 2, "relation": "eq"}}},
        {"last": True, "first": True, "size": 2, "number": 0, "totalElements": 2, "totalPages": 1},
        {"links": {"self": "/1", "first": "/1", "last": "/1", "next": None}, "meta": {"total": 2}},
        {"_links": {"self": {"href": "/1"}, "next": {"href": None}}},
        {"links": [{"rel": "self", "href": "/1"}, {"rel": "next", "href": ""}, "x", {"rel": 1}]},
        {"count": 2, "next": None, "previous": None},
        {"current_page": 1, "last_page": 1, "per_page": 2, "total": 2, "next_page_url": None},
        {"@odata.context": "x", "@odata.count": 2},
        {"pageInfo": {"hasNextPage": False, "endCursor": "c"}},
        {"cursor": "c", "has_more": False},
        {"limit": 2, "total": 2},
        {"limit": 2, "meta": {"next_cursor": ""}},
        {"limit": 3},
        {"limit": 1},
        {"limit": None, "cursor": "", "cursors": {"before": None, "after": ""}},
        {"error": None, "errors": [], "failures": {}, "exception": "", "failed": 0},
        {"success": True, "ok": True, "status": "ok", "state": None},
        {"status": 200, "meta": {"status": "success"}},
        {"next_export": "tomorrow", "nexus": 1, "paginated": True, "totals": 9, "lasting": False},
        {"a": {"b": {"c": {"d": {"next": "too deep"}}}}},
        {"rows": [{"next": "x", "errors": ["x"]}]},
    ],
)  # fmt: skip
def test_an_envelope_of_a_whole_answer(envelope: dict[str, Any]) -> None:
    raise_if_partial(envelope, (), 2)


def test_a_limit_of_nothing_is_no_sign() -> None:
    raise_if_partial({"limit": 0}, (), 0)


def test_no_field_of_a_customization_is_a_sign() -> None:
    row = {"next": "/2", "errors": ["x"], "last": False, "cursor": "c", "limit": 1, "total": 9}
    row["meta"] = {"has_more": True, "_shards": {"failed": 1}, "links": [{"rel": "next"}]}
    assert len(split_rows(json.dumps({"results": [row]}).encode())) == 1


def test_a_long_value_is_cut() -> None:
    said = message({"errors": ["x" * 1000]})
    assert said.endswith("xxx…)")
    assert len(said) < 300


SIGNS: dict[str, tuple[list[Any], list[Any]]] = {
    "next": (["/2", 2, True, {"href": "/2"}], ["", None, False, 0, {}, {"href": None}]),
    "next page token": (["x", 7], ["", None]),
    "continuation": (["x"], [""]),
    "has more": ([True, "true", 1], [False, "false", 0, None]),
    "truncated": ([True], [False]),
    "last": ([False, "false"], [True, "true", None, "/9", 9]),
    "total": (["COUNT+1", {"value": "COUNT+1"}], ["COUNT", {"value": "COUNT"}, 0, None, "many"]),
    "total count": (["COUNT+1"], ["COUNT"]),
    "count": (["COUNT+1"], ["COUNT"]),
    "total pages": ([2, "2"], [0, 1, "1", None]),
    "limit": (["COUNT"], ["COUNT+1", None]),
    "cursor": (["x"], ["", None]),
    "error": (["x", {"code": 5}, True], ["", None, False, {}, 0]),
    "errors": ([["x"], [{}]], [[], None, {}]),
    "timed out": ([True], [False, None]),
    "success": ([False], [True]),
    "status": (["partial", "FAILED", 206], ["ok", 200, None]),
}
"""The words of a name, with values of an answer that is a part and of an answer that is whole."""


def spell_name(words: str, random: Random) -> str:
    """Return a name as one API or another writes it."""
    parts = words.split()
    camel = parts[0] + "".join(map(str.title, parts[1:]))
    spelled = [*(joint.join(parts) for joint in "_-"), camel, camel[0].upper() + camel[1:]]
    name = random.choice([*spelled, "_".join(parts).upper()])
    return random.choice(["", "", "", "@odata.", "_", "x-"]) + name


def fill(value: object, count: int) -> object:
    """Return a value of `SIGNS` with the number of rows put in."""
    if isinstance(value, dict):
        return {key: fill(item, count) for key, item in value.items()}
    return {"COUNT": count, "COUNT+1": count + 1}.get(str(value), value)


@QUICK
@given(
    st.sampled_from(list(SIGNS)),
    st.booleans(),
    st.lists(st.sampled_from(["meta", "page", "paging", "data"]), max_size=3),
    st.integers(1, 3),
    SEEDED,
)
def test_an_answer_is_refused_for_a_sign_wherever_it_stands_and_never_for_another_value(
    words: str,
    is_part: bool,
    path: list[str],
    count: int,
    random: Random,
) -> None:
    part, whole = SIGNS[words]
    value = fill(random.choice(part if is_part else whole), count)
    name = spell_name(words, random)
    said: object = {name: value, "took_ms": 5}
    for key in path:
        said = {key: said}
    envelope = said if isinstance(said, dict) else {}
    row = {spell_name(each, random): random.choice(SIGNS[each][0]) for each in SIGNS}
    body = spell_json({"results": [row] * count, "request_id": "r", **envelope}, random).encode()
    if is_part:
        with pytest.raises(DataError, match=" looks ") as caught:
            split_rows(body)
        assert name in caught.value.message
    else:
        assert len(split_rows(body)) == count
    if not isinstance(value, dict | list | None) and words not in ("error", "errors"):
        header = (f"x-{words.replace(' ', '-')}", str(value))
        refused = False
        try:
            raise_if_partial({}, [header], count)
        except DataError:
            refused = True
        assert refused is is_part


@pytest.mark.parametrize("part", ["<", "<a>", ";", "<a>; a", '<a>; a="', "<a>;'"])
def test_a_long_header_is_read_in_time_that_grows_with_it(part: str) -> None:
    """A pattern that looks through the rest from each of its signs would take an hour here."""
    raise_if_partial({}, [("Link", part * 1_000_000)], 2)
    with pytest.raises(DataError, match="the header Link"):
        raise_if_partial({}, [("Link", f"{'<' * 1_000_000}>; rel=next")], 2)
