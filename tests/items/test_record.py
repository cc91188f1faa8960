"""Titles and images of the catalog, which are foreign text, and the items that a file keeps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync.items.file import parse_items, render_items
from pinsync.items.record import MAX_IMAGE, MAX_TITLE, Item, is_image, read_item, update_items

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet=st.characters()),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=2),
    max_leaves=4,
)
URL = "https://cdn.example/1.jpg"


@pytest.mark.parametrize(
    ("value", "title"),
    [
        ("Strings", "Strings"),
        (["Strings", "Struny"], "Strings"),
        ([], None),
        ([["Strings"]], None),
        ("", None),
        (" \n", None),
        (" a\n\tb\u2028c ", "a b c"),
        (7, None),
        (True, None),
        (None, None),
        ({"cs": "Struny"}, None),
        ("half \ud83c an emoji", "half \ufffd an emoji"),
    ],
)
def test_a_title(value: object, title: str | None) -> None:
    assert read_item({"title": value}) == Item(title)


def test_a_long_title_is_cut() -> None:
    title = read_item({"title": "x" * 10**6}).title
    assert title is not None
    assert len(title) == MAX_TITLE
    assert title.endswith("x…")
    assert read_item({"title": "x" * MAX_TITLE}).title == "x" * MAX_TITLE


@pytest.mark.parametrize(
    "url", [URL, "https://cdn.example:8443/č.jpg?a=b&c#d", "https://x/" + "y" * (MAX_IMAGE - 10)]
)
def test_an_image(url: str) -> None:
    assert read_item({"image_link": url}) == Item(None, url)
    assert read_item({"image_link": [url, "x"]}) == Item(None, url)


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.example/1.jpg",
        "//cdn.example/1.jpg",
        "/1.jpg",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "https:///1.jpg",
        "https://",
        "https://[::1/1.jpg",
        "https://me@cdn.example/1.jpg",
        "https://me:secret@cdn.example/1.jpg",
        "https://cdn.example/a b.jpg",
        "https://cdn.example/\n.jpg",
        "https://cdn.example/\x00.jpg",
        "https://cdn.example/\u202egpj.exe",
        "https://cdn.example/\ud83c",
        "https://x/" + "y" * (MAX_IMAGE - 9),
        7,
        None,
        {},
    ],
)
def test_no_image(url: object) -> None:
    assert read_item({"image_link": url}) == Item()


@given(VALUES, VALUES)
def test_whatever_the_catalog_says_can_be_written_and_read(title: object, image: object) -> None:
    item = read_item({"title": title, "image_link": image})
    assert item.image is None or is_image(item.image)
    assert parse_items(render_items({"/p/1/": item}), "items.json") == {"/p/1/": item}


OLD = {"/a/": Item("A"), "/b/": None, "/gone/": Item("Gone")}


def test_a_partial_catalog_keeps_what_it_lacks() -> None:
    found = {"/c/": Item("C"), "/other/": Item("Other")}
    mentioned = {"/c/", "/a/", "/b/", "/d/"}
    items = update_items(OLD, found, mentioned, is_whole=False)
    assert items == {"/a/": Item("A"), "/b/": None, "/c/": Item("C")}
    assert [*items] == sorted(items)


def test_a_whole_catalog_tells_what_is_missing() -> None:
    items = update_items(OLD, {"/b/": Item("B")}, {"/b/", "/a/", "/d/"}, is_whole=True)
    assert items == {"/a/": None, "/b/": Item("B"), "/d/": None}


def test_an_item_that_nobody_mentions_leaves() -> None:
    assert update_items(OLD, OLD, set(), is_whole=True) == {}
