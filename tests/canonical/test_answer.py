from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync.canonical.answer import decode_row, name_row, split_rows
from pinsync.canonical.rows import read_customizations
from pinsync.errors import DataError
from support.strategies import QUICK, SEEDED, objects, rows, spell_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

Row = dict[str, Any]

A = '"id": "a", "model": "m", "target_type": "all"'


def answered(*some: str) -> bytes:
    return f'{{"results": [{", ".join(some)}]}}'.encode()


def refusal(body: bytes) -> str:
    with pytest.raises(DataError) as caught:
        read_customizations(body, ())
    assert caught.value.hint
    return caught.value.message


# The answer as a whole


@pytest.mark.parametrize(
    "body", [b'{"results": []}', b'\xef\xbb\xbf{"results": []}', b' {"took": 3, "results": [ ]}\n']
)
def test_an_empty_answer_is_an_answer(body: bytes) -> None:
    assert split_rows(body) == []


@pytest.mark.parametrize(
    "rest",
    [
        '"next": null',
        '"next": ""',
        '"has_more": false',
        '"total": 1',
        '"total": null',
        '"total": "many"',
        '"total": 0',
    ],
)
def test_what_is_no_sign_of_paging(rest: str) -> None:
    assert len(split_rows(f'{{{rest}, "results": [{{}}]}}'.encode())) == 1


@pytest.mark.parametrize(
    ("rest", "sign"),
    [
        ('"next": "/v1?offset=100"', '"next" is "/v1?offset=100"'),
        ('"has_more": true', '"has_more" is true'),
        ('"total": 2', '"total" is 2, 1 came'),
        ('"total": 1e3', '"total" is 1000.0, 1 came'),
    ],
)
def test_a_page_is_no_answer(rest: str, sign: str) -> None:
    with pytest.raises(DataError, match="one page of several") as caught:
        split_rows(f'{{"results": [{{}}], {rest}}}'.encode())
    assert sign in caught.value.message


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"[]", b"{}", b'"results"', b"<html></html>"),
        *(b'{"results": {}}', b'{"results": null}'),
        *(b'{"results": "x"}', b'{"results": [', b'{"results": [{}]'),
        *(b'{"results": [{}]} x', b'{"results": [{},]}'),
        *(b'{"result": []}', b'{"results": [NaN]}', b"\xff\xfe{"),
        *(b'{"results": [], "x": "\xff"}', b"[" * 100_000),
    ],
)  # fmt: skip
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(DataError, match="the answer"):
        split_rows(body)


def test_an_answer_nested_beyond_all_bounds_is_none() -> None:
    with pytest.raises(DataError):
        list(
            map(decode_row, split_rows(b'{"results": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}"))
        )


@pytest.mark.parametrize("depth", [900, 980, 990, 1000, 5000])
@pytest.mark.parametrize(
    "answer",
    [
        f'{{"results": [{{{A}, "x": %s}}]}}',
        f'{{"results": [{{{A}, "target_metadata": {{"x": %s}}}}]}}',
        f'{{"results": [{{{A}, "x": %s, "x": 1}}]}}',
        f'{{"results": [{{{A}, "x": %s, "y": "\\ud800"}}]}}',
        '{"results": [], "next": %s}',
        '{"results": [], "meta": {"errors": %s}}',
    ],
)
def test_what_is_nested_deeper_than_python_goes_is_refused(answer: str, depth: int) -> None:
    for value in ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth):
        with pytest.raises(DataError):
            read_customizations((answer % value).encode(), ())


@pytest.mark.parametrize("raw", [b"1", b"null", b'"x"', b"[]", b"true", b"1.5"])
def test_a_row_must_be_an_object(raw: bytes) -> None:
    with pytest.raises(DataError, match="expected an object, got "):
        decode_row(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": "\\ud800"}',
        b'{"a": "\\udc00\\ud800"}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": 1e400}',
        b'{"a": Infinity}',
    ],
)
def test_a_row_must_be_json_and_unicode(raw: bytes) -> None:
    with pytest.raises(DataError, match="not valid JSON in UTF-8"):
        decode_row(raw)


def test_a_row_keeps_integers_of_any_size_and_joins_surrogate_pairs() -> None:
    assert decode_row(b'{"a": 123456789012345678901234567890, "b": "\\ud83d\\ude00"}') == {
        "a": 123456789012345678901234567890,
        "b": "\U0001f600",
    }


@pytest.mark.parametrize(
    "rest",
    [
        '"total": "5"',
        f'"total": "{"9" * 5000}"',
        '"meta": {"has_more": true}',
        '"pagination": {"total": 2}',
        '"Next": "x"',
        '"next-page": 2',
        '"nextPageToken": "x"',
        '"pagination": {"next_cursor": "x"}',
        '"links": {"next_url": "/v1"}',
        '"hasMore": true',
        '"has_next": true',
        '"pageInfo": {"hasNextPage": true}',
        '"pagination": {"page": 1, "total_pages": 2}',
        '"pages": 3',
        '"count": 5',
        '"total": {"value": 5}',
        '"truncated": true',
        '"incomplete_results": true',
        '"complete": false',
        '"more": true',
        '"total_count": 5',
        '"totalResults": 2',
        '"total-items": 2',
        '"TOTAL_HITS": 2',
    ],
)
def test_signs_of_paging_are_seen_in_other_places_too(rest: str) -> None:
    with pytest.raises(DataError, match="one page of several"):
        split_rows(f'{{"results": [{{}}], {rest}}}'.encode())


@pytest.mark.parametrize(
    "rest",
    [
        '"total_count": 1',
        '"hasMore": false',
        (
            '"truncated": false, "complete": true, "pages": 1, "count": 0, "total": {"value": 0, '
            '"relation": "eq"}'
        ),
        '"nextCursor": null',
        '"pagination": {"next_cursor": "", "page": 1, "per_page": 100, "count": 1}',
        '"more_like_this": true',
        '"nextexport": "tomorrow"',
        '"subtotal": 5',
    ],
)
def test_what_only_looks_like_paging_is_none(rest: str) -> None:
    row = '{"next": "x", "hasMore": true, "total_count": 9}'
    assert len(split_rows(f'{{{rest}, "results": [{row}]}}'.encode())) == 1


# A key that stands twice


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ('"id": "b"', '(m, b): the key "id"'),
        ('"model": "n"', '(n, a): the key "model"'),
        ('"tags": null, "tags": null', '(m, a): the key "tags"'),
        ('"updated_at": 1, "updated_at": 2', '(m, a): the key "updated_at"'),
        ('"i\\u0064": "a"', '(m, a): the key "id"'),
        (
            (
                '"pin_definitions": [{"position": 1, "pin_type": "item"}, {"position": 2, '
                '"position": 3}]'
            ),
            '(m, a): pin_definitions[1]: the key "position"',
        ),
        (
            (
                '"pin_definitions": [{"position": 1, "pin_type": "item", "pin_identity": "x", '
                '"pin_identity": "y"}]'
            ),
            '(m, a): pin_definitions[0]: the key "pin_identity"',
        ),
        (
            '"target_metadata": {"title": "\\":x", "a": {"b": 1, "b": 1}}',
            '(m, a): target_metadata.a: the key "b"',
        ),
        ('"x": [{"y": [{"z": 1, "z": 2}]}]', '(m, a): x[0].y[0]: the key "z"'),
        ('"created_at": {"z": 1, "z": 2}', '(m, a): created_at: the key "z"'),
    ],
)
def test_a_key_twice_in_a_row_is_refused_and_named(fields: str, message: str) -> None:
    first, second = '{"id": "first", "model": "m", "target_type": "all"}', f"{{{A}, {fields}}}"
    for colon in (":", " :", "\n:"):
        row = second.replace('": ', f'"{colon} ')
        assert (
            refusal(answered(first, row))
            == f"row 2 of the answer {message} stands twice in one object"
        )


BLANKS = ("", " ", "  ", "\t", "\n", "\r\n", " \t\r\n ")


@pytest.mark.parametrize("first", BLANKS)
@pytest.mark.parametrize("second", BLANKS)
def test_a_key_twice_is_seen_whatever_blanks_stand_before_its_colons(
    first: str,
    second: str,
) -> None:
    message = 'row 1 of the answer (m, a): {}the key "tags" stands twice in one object'
    for members, place in (("{}", ""), ('"x": {{{}}}', "x: ")):
        fields = members.format(f'"tags"{first}:null,"tags"{second}:null')
        assert refusal(answered(f"{{{A}, {fields}}}")) == message.format(place)


@pytest.mark.parametrize("text", ['":', '" :', '"  :', '"\t:', '\\":', '\\\\" :'])
@pytest.mark.parametrize("count", range(9))
def test_no_text_makes_up_for_a_key_that_stands_twice(text: str, count: int) -> None:
    fields = f'"tags":null, "tags":null, "target_metadata": {{"title":{json.dumps(text * count)}}}'
    for row in (f"{{{A}, {fields}}}", f"{{{A}, {fields}}}".replace(",", " ,").replace('":', '" :')):
        assert "stands twice in one object" in refusal(answered(row))


@pytest.mark.parametrize(
    "body",
    [
        f'{{"results": [{{{A}}}], "results": []}}',
        '{"results": [], "results": []}',
        f'{{"results": [], "r\\u0065sults": [{{{A}}}]}}',
        f'{{"results": null, "results": [{{{A}}}]}}',
    ],
)
def test_results_that_stand_twice_are_refused(body: str) -> None:
    assert refusal(body.encode()) == 'the answer: the key "results" stands twice in one object'


def test_a_key_twice_beside_the_results_is_refused() -> None:
    assert refusal(b'{"next": "/2", "results": [], "next": null}').startswith(
        'the answer: the key "next" stands twice'
    )
    assert refusal(b'{"results": [], "meta": {"total": 5, "total": 0}}').startswith(
        'the answer: meta: the key "total"'
    )


@pytest.mark.parametrize(
    "fields",
    [
        '"target_metadata": {"title": ":x", "results": []}',
        '"target_metadata": {"title": "a \\":\\" b"}',
        '"target_identity": "\\" :"',
        '"id ": 1, "ID": 2',
        (
            '"pin_definitions": [{"position": 1, "pin_type": "item"}, {"position": 2, '
            '"pin_type": "item"}]'
        ),
    ],
)
def test_what_only_looks_like_a_key_twice_is_read(fields: str) -> None:
    for row in (f"{{{A}, {fields}}}", f"{{{A}, {fields}}}".replace('": ', '" : ')):
        ((found,), _) = read_customizations(answered(row), ())
        assert found.id == "a"


def test_results_are_found_behind_others_of_that_name() -> None:
    row = f"{{{A}}}"
    body = f'{{"meta": {{"results": 1}}, "kind": "results", "results":\n[{row}], "took": 1}}'
    assert len(split_rows(body.encode())) == 1


def spelled(value: object, twice: int, seen: Iterator[int]) -> str:
    """Return JSON in which the object with this number among those that hold anything has its last
    key twice.
    """
    if isinstance(value, dict):
        repeated = bool(value) and next(seen) == twice
        members = [
            f"{json.dumps(key)}: {spelled(item, twice, seen)}" for key, item in value.items()
        ]
        return f"{{{', '.join([*members, *members[-1:]] if repeated else members)}}}"
    if isinstance(value, list):
        return f"[{', '.join(spelled(item, twice, seen) for item in value)}]"
    return json.dumps(value)


def objects_in(value: object) -> int:
    if isinstance(value, dict):
        return bool(value) + sum(map(objects_in, value.values()))
    return sum(map(objects_in, value)) if isinstance(value, list) else 0


@QUICK
@given(rows, st.data())
def test_a_key_twice_is_seen_in_any_object_of_any_row(drawn: Row, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, objects_in(drawn) - 1))
    assert "stands twice in one object" in refusal(answered(spelled(drawn, at, iter(range(10**6)))))
    assert json.loads(spelled(drawn, -1, iter(range(10**6)))) == drawn


class _Repeated(Exception):  # noqa: N818 - a finding
    """A key stands twice."""


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object; raise `_Repeated` if a key stands twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Repeated
    return found


@QUICK
@given(rows, objects, st.booleans(), SEEDED)
def test_any_spelling_is_read_as_a_slow_reader_reads_it(
    drawn: Row,
    beside: Row,
    repeat: bool,
    random: Random,
) -> None:
    answer = {"results": [drawn], "a": {"b": {"c": {"d": beside}}}}  # too deep for signs of paging
    body = spell_json(answer, random, repeat=repeat)
    try:
        read = json.loads(body, object_pairs_hook=_unique)
    except _Repeated:
        with pytest.raises(DataError):
            read_customizations(body.encode(), ())
    else:
        assert read == answer
        assert read_customizations(body.encode(), ()) == read_customizations(
            answered(json.dumps(drawn)), ()
        )


# Half a surrogate pair


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ('"tags": ["a", "\\ud800"]', "tags[1]"),
        ('"x": {"y": "\\ud83d\\ude00 \\uDE00"}', "x.y"),
        ('"x": "\\uD83D"', "x"),
        ('"x\\ud800": 1', "x\ufffd"),
    ],
)
def test_a_lone_surrogate_is_named(fields: str, place: str) -> None:
    first = '{"id": "first \\ud83d\\ude00 \\\\ud800", "model": "m", "target_type": "all"}'
    assert (
        refusal(answered(first, f"{{{A}, {fields}}}"))
        == f"row 2 of the answer (m, a): {place}: isn't valid Unicode (a lone surrogate)"
    )


@pytest.mark.parametrize(
    "body", ['{"results": [], "x": "\\ud800"}', '{"results": [{"x": "\\ud800"}', '["\\ud800"]']
)
def test_a_lone_surrogate_elsewhere_is_no_answer_either(body: str) -> None:
    with pytest.raises(DataError, match="the answer is not"):
        split_rows(body.encode())


# The name of a row


@pytest.mark.parametrize(
    ("row", "known"),
    [
        (f"{{{A}}}", " (m, a)"),
        ('{"id": "a"}', " (a)"),
        ('{"id": "a", "model": 1}', " (a)"),
        ('{"id": 1, "model": "m"}', ""),
        ('{"id": "", "model": ""}', ""),
        ("[1]", ""),
        ("[", ""),
    ],
)
def test_a_row_is_called_by_what_it_has(row: str, known: str) -> None:
    assert name_row(7, row.encode()) == f"row 7 of the answer{known}"


@pytest.mark.parametrize(
    "number", ["1e-400", "-1E-400", "0.0001e-330", "1E-" + "9" * 500_000, f"0.{'0' * 400}1"]
)
def test_a_number_that_a_float_would_turn_into_zero_is_refused(number: str) -> None:
    row = (
        f'{{"id": "1", "model": "m", "target_type": "all", "target_metadata": {{"weight": '
        f"{number}}}}}"
    )
    with pytest.raises(
        DataError, match=r"target_metadata\.weight: .* is too small for a number"
    ) as error:
        read_customizations(f'{{"results": [{row}]}}'.encode(), ())
    assert len(error.value.message) < 200


@pytest.mark.parametrize("number", ["0.0", "-0.0", "0e-400", "0.000", "5e-324", "0E-99999"])
def test_zero_and_the_smallest_number_are_kept(number: str) -> None:
    row = (
        f'{{"id": "1", "model": "m", "target_type": "all", "target_metadata": {{"weight": '
        f"{number}}}}}"
    )
    ((item,), _) = read_customizations(f'{{"results": [{row}]}}'.encode(), ())
    assert f"weight: {'5.0e-324' if number.startswith('5') else 0}\n" in item.text.decode()


def test_a_value_nested_too_deeply_is_refused_and_no_bug() -> None:
    value = b"[" * 500 + b"]" * 500
    row = b'{"id": "1", "model": "m", "target_type": "all", "target_metadata": {"a": %s}}' % value
    with pytest.raises(DataError):
        read_customizations(b'{"results": [%s]}' % row, ())
