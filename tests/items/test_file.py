"""The text of items.json: a round trip for all items, and messages for damaged files."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync.errors import FileError
from pinsync.items.file import parse_items, render_items
from pinsync.items.record import Item, is_image

TEXTS = st.text(min_size=1, max_size=30)
IMAGES = st.builds("https://{}.example/{}".format, st.sampled_from(("cdn", "a-b")), TEXTS).filter(
    is_image
)
ITEMS = st.builds(Item, st.none() | TEXTS, st.none() | IMAGES)
FILES = st.dictionaries(TEXTS, st.none() | ITEMS, max_size=8)


def test_one_item_a_line_sorted() -> None:
    items = {
        "/p/2/": None,
        "/p/10/": Item("Kytara „Ö“", "https://cdn.example/10.jpg"),
        "/p/1/": Item("A \u202e\x1b\u2028 b"),
        "/p/3/": Item(),
    }
    assert render_items(items).decode().split("\n") == [
        "{",
        '  "format": 1,',
        '  "items": {',
        r'    "/p/1/": {"title": "A \u202e\u001b\u2028 b"},',
        '    "/p/10/": {"title": "Kytara „Ö“", "image": "https://cdn.example/10.jpg"},',
        '    "/p/2/": null,',
        '    "/p/3/": {}',
        "  }",
        "}",
        "",
    ]


def test_no_items() -> None:
    text = render_items({})
    assert text == b'{\n  "format": 1,\n  "items": {}\n}\n'
    assert parse_items(text, "items.json") == {}


@given(FILES)
def test_a_round_trip_keeps_all_items(items: dict[str, Item | None]) -> None:
    text = render_items(items)
    assert parse_items(text, "items.json") == items
    assert render_items(parse_items(text, "items.json")) == text


@given(FILES.filter(bool))
def test_a_file_has_one_line_for_each_item(items: dict[str, Item | None]) -> None:
    lines = render_items(items).decode().splitlines()
    assert len(lines) == len(items) + 5
    for line, identity in zip(lines[3:-2], sorted(items), strict=True):
        assert json.loads("{" + line.removesuffix(",") + "}").keys() == {identity}


@given(FILES, st.sampled_from((None, 1, 4)), st.booleans())
def test_any_spelling_of_the_json_has_the_same_items(
    items: dict[str, Item | None], indent: int | None, is_ascii: bool
) -> None:
    content = json.loads(render_items(items))
    text = json.dumps(content, indent=indent, ensure_ascii=is_ascii).replace("\n", "\r\n")
    assert parse_items(b"\xef\xbb\xbf" + text.encode(), "items.json") == items


@given(FILES, st.data())
def test_a_text_with_damage_is_refused_or_says_what_it_says(
    items: dict[str, Item | None], data: st.DataObject
) -> None:
    text = render_items(items)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    piece = data.draw(st.sampled_from((b"", b"\n", b"null", b'"x": {}, ', b"\xff", b"<<<<<<< a\n")))
    damaged = text[:start] + piece + text[end:]
    try:
        found = parse_items(damaged, "items.json")
    except FileError:
        return
    content = json.loads(damaged)["items"]
    assert found == {name: item if item is None else Item(**item) for name, item in content.items()}
    # Nothing is lost, not even one of two equal keys.
    assert parse_items(render_items(found), "items.json") == found
    assert damaged.count(b'": {') + damaged.count(b'": null') <= len(found) + 1 + text.count(b"\\")


def fail(text: str | bytes) -> FileError:
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(FileError) as caught:
        parse_items(content, "customizations/items.json")
    assert caught.value.exit_code == 2
    assert caught.value.hint
    assert caught.value.source == "customizations/items.json"
    return caught.value


HEAD = '{\n  "format": 1,\n  "items": {\n'


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("", 1, "isn't valid JSON"),
        ("[]", None, "is a list"),
        ("null", None, "is null"),
        (f'{HEAD}<<<<<<< HEAD\n    "/p/1/": null\n', 4, "merge conflict"),
        (f'{HEAD}    "/p/1/": null\n=======\n', 5, "merge conflict"),
        (f'{HEAD}    "/p/1/": null\n>>>>>>> other\r\n', 5, "merge conflict"),
        (f'{HEAD}    "/p/1/": null,\n  }}\n}}\n', 5, "isn't valid JSON"),
        (f'{HEAD}    "/p/1/": NaN\n  }}\n}}\n', None, "NaN"),
        (f'{HEAD}    "/p/1/": null,\n    "/p/1/": {{}}\n  }}\n}}\n', 5, "twice"),
        (f'{HEAD}    "/p/1/": null,\n    "/p/2/": []\n  }}\n}}\n', 5, "got a list"),
        (f'{HEAD}    "/p/č/": "title"\n  }}\n}}\n', 4, "got a string"),
        (f'{HEAD}    "/p/1/": {{"title": 7}}\n  }}\n}}\n', 4, "title: expected a string"),
        (f'{HEAD}    "/p/1/": {{"title": ""}}\n  }}\n}}\n', 4, "title: expected a string"),
        (f'{HEAD}    "/p/1/": {{"image": "http://x/"}}\n  }}\n}}\n', 4, "an https URL"),
        (f'{HEAD}    "/p/1/": {{"price": "1"}}\n  }}\n}}\n', 4, "only title and image"),
        ('{"format": 1,\n"items": []}', 2, "items: expected an object, got a list"),
        ('{"format": 1}', None, "items: expected an object, got null"),
        ('{"format": 1, "items": {},\n "extra": 1}', 2, "unknown key"),
        ('{\n"format": 2, "items": {}}', 2, "format: expected 1, got 2"),
        ('{\n"format": true, "items": {}}', 2, "format: expected 1, got true"),
        ('{"items": {}}', None, "format: expected 1, got null"),
        (b'{\n"\xff": 1}', 2, "isn't valid UTF-8"),
        ("[" * 100_000, None, "isn't valid JSON"),
        (f'{{"format": {"9" * 5000}, "items": {{}}}}', None, "isn't valid JSON"),
    ],
)
def test_a_damaged_file(text: str | bytes, line: int | None, expected: str) -> None:
    error = fail(text)
    assert expected in error.reason
    assert error.line == line


def test_a_newer_format_asks_for_a_newer_pinsync() -> None:
    assert "upgrade pinsync" in str(fail('{"format": 2, "items": {"/a/": 1}}').hint)
