"""What hypothesis draws from: awkward texts, JSON values, rows, and other spellings of them."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from pinsync import canonical
from pinsync.canonical import normalize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

Row = dict[str, Any]

QUICK: Final = settings(
    derandomize=True, deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
"""The same examples in every run, however slow the machine."""

AWKWARD: Final = (
    *("", " ", "  ", "\t", "\n", "\r\n", "a\n", "\na"),
    *(" a", "a ", "a  b", "a\tb", "\ta", "a\n\n b", "\u00a0a", "a\u3000"),
    *("#", "# a", "a #b", "a#b", "#1", ": ", "a: b", "a:", ":a"),
    *("a:b", "::", "- ", "- a", "-", "--", "---", "--- a", "..."),
    *("'", '"', "''", '""', "it's", 'say "hi"', "it's \"both\""),
    *("\\", "\\n", "a\\", '\\"', "C:\\temp", '"\\', "'\"\\"),
    *("y", "Y", "n", "N", "yes", "No", "NO", "on"),
    *("Off", "true", "True", "TRUE", "false", "null", "Null", "NULL", "~"),
    *("nan", ".nan", "NaN", "inf", ".inf", "-.inf", "+.INF", "=", "<<"),
    *("!", "!!str", "&a", "*a", "@a", "`a", "%a", "|", ">"),
    *("|-", ">+", "?", "? a", "[", "]", "[a]", "{", "}", "{a: b}", ",", "a, b"),
    *("[]", "{}", "%YAML 1.1", "!tag x"),
    *("0", "1", "-1", "+1", "1.0", ".5", "5.", "-.5", "1e3"),
    *("1E3", "e3", "E10", "e10", "1.0e+16", "1e-7", "0x1", "0o7", "0b1"),
    *("017", "08", "1_000", "1__0", "_1", "1:30", "1:30:00", "-1:30.5"),
    *("190:20:30", "0.", "00", "-0", "-", "+", ".", ".."),
    *("2001-01-01", "2001-1-1", "2001-01-01T00:00:00Z", "2001-01-01 00:00:00"),
    *("2001-W01-1", "12:30", "1e", "0x", "1,000"),
    *("199620b4-df1a-46e8-ab59-9e9ed9af7106",),
    *("199620B4-DF1A-46E8-AB59-9E9ED9AF7106", "12345678-1234-1234-1234-123456789012"),
    *("1e345678-1234-1234-1234-123456789012",),
    *("199620b4-df1a-46e8-ab59-9e9ed9af7106 ", "00000000-0000-0000-0000-000000000000"),
    *("/p/123/", "/", "//", "_", "a", "a.b", "a-b", "-a"),
    *(".a", "a/", "żółć", "日本語", "عربى", "עברית", "čaj", "é", "e\u0301"),
    *("\x00", "\x07", "\x08", "\x0b", "\x0c", "\x1b[31m", "\x7f"),
    *("\x80", "\x85", "a\x85b", "\x9f", "\xad", "\u061c", "\u200b"),
    *("\u200d", "\u200e", "\u200f", "\u2027", "\u2028", "\u2029"),
    *("a\u2028b", "\u202e", "\u202f", "\u2060", "\u2066", "\u2069"),
    *("\ufeff", "\ufeffa", "a\ufeff", "\ufff9", "\ufffb", "\ufffd"),
    *("\ufffe", "\uffff", "\ufdd0", "\ufdef", "\ue000", "\u206a"),
    *("\U0001f600", "👩\u200d💻", "🇸🇰", "\U0001fffe"),
    *("\U0010ffff", "\U000e0001", "\U000e007f", "\U000e0080", "\U0002f800"),
    *("<<<<<<< HEAD", "=======", ">>>>>>> b", "x" * 90, "word " * 40),
    *("a" * 200, '"' * 100, "\\u0041", "\\x41", "${x}", "{{x}}"),
)  # fmt: skip
"""Texts that one YAML reader or another takes for something else, or that a writer spoils."""

_CLASSES: Final = (
    *(
        "\x00\x1f",
        "\x7f\x9f",
        "\xa0\u0200",
        "\u0600\u0700",
        "\u2000\u2070",
        "\ufdc0\ufdf5",
        "\ufe00\uffff",
    ),
    *(
        "\U0001f300\U0001f6ff",
        "\U0001fff0\U0001ffff",
        "\U000dfff0\U000e0100",
        "\U0010fff0\U0010ffff",
    ),
)
characters = st.one_of(
    *(st.characters(min_codepoint=ord(low), max_codepoint=ord(high)) for low, high in _CLASSES),
    st.sampled_from(" \t\n\"'\\#:-,[]{}&*!|>%@`?=~<./_0123456789eExXyYnN+"),
    st.characters(exclude_categories=["Cs"]),
)
texts = st.one_of(
    st.sampled_from(AWKWARD),
    st.text(characters, max_size=12),
    st.lists(st.sampled_from(AWKWARD), min_size=2, max_size=3).map("".join),
)
keys = texts.filter(lambda text: len(text) < 80)

integers = st.one_of(
    st.integers(),
    st.integers(min_value=-(10**30), max_value=10**30),
    st.sampled_from([2**53, 2**64, -1]),
)
floats = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [1e15, 9999999999999998.0, 1e16, 123456789012345680.0, 1e22, 1e308, 1.5, 1e-7, 5e-324, -0.0]
    ),
)
scalars = st.one_of(st.none(), st.booleans(), integers, floats, texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=8,
)
objects = st.dictionaries(keys, values, max_size=3)


@st.composite
def moments(draw: st.DrawFn) -> str:
    """Date-times with an offset, as an API may write them, and a few that look like one."""
    text = draw(st.datetimes()).isoformat() + draw(
        st.sampled_from(["Z", "+01:00", "-05:30", "+23:59", "-23:59", "+00:00"])
    )
    return draw(st.sampled_from([text, text, text.lower(), text.replace("T", " "), text[:10]]))


_mostly = [True] * 9 + [False]


def _field(expected: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A known field: as a rule of its own type, now and then of any."""
    return st.sampled_from(_mostly).flatmap(lambda usual: expected if usual else values)


_UNKNOWN: Final = ("note", "is_new", "a-b", "x y", "Zz", "no")
pins = st.fixed_dictionaries(
    {
        "position": _field(st.integers(-1, 4)),
        "pin_type": _field(st.sampled_from(["item", "criteria"])),
    },
    optional={
        "pin_identity": _field(st.one_of(st.sampled_from(["/p/1/", "/p/2/"]), texts)),
        "pin_criteria": _field(objects),
        "widget_id": _field(st.sampled_from(["w1", "w2", ""])),
        "is_block_pin": _field(st.booleans()),
        "is_bundle_pin": _field(st.booleans()),
        "active_from": _field(moments()),
        "active_to": _field(moments()),
        **dict.fromkeys(_UNKNOWN, values),
    },
)
rows = st.fixed_dictionaries(
    {
        "id": st.one_of(st.uuids().map(str), texts.filter(bool)),
        "model": st.just("basket"),
        "target_type": st.one_of(st.sampled_from(["item", "criteria", "all"]), texts.filter(bool)),
    },
    optional={
        "target_identity": _field(st.one_of(st.sampled_from(["/p/1/", "/p/2/"]), texts)),
        "target_criteria": _field(objects),
        "tags": _field(st.lists(texts, max_size=3)),
        "target_metadata": _field(objects),
        "pin_definitions": _field(st.lists(pins, max_size=3)),
        **dict.fromkeys(_UNKNOWN, values),
    },
)

_EMPTY: Final[tuple[object, ...]] = (None, [], {})
_OF_A_ROW: Final[dict[str, tuple[object, ...]]] = {
    "target_identity": (None,),
    "target_criteria": _EMPTY,
    "tags": _EMPTY,
    "target_metadata": _EMPTY,
    "pin_definitions": _EMPTY,
}
_OF_A_PIN: Final[dict[str, tuple[object, ...]]] = {
    "pin_identity": (None,),
    "pin_criteria": _EMPTY,
    "widget_id": (None,),
    "is_block_pin": (None, False),
    "is_bundle_pin": (None, False),
    "active_from": (None,),
    "active_to": (None,),
}
_UTC: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:[0-5]\d)(\.\d+)?(?:[Zz]|[+-]00:00)", re.ASCII
)


def other_spelling(row: Row, random: Random) -> Row:
    """Spell a row anew in ways that the sandbox doesn't: an object for no list, a tag twice, lower
    case, ``-00:00``.
    """
    row = _with_nothings(row, _OF_A_ROW, random)
    tags, pinned = row.get("tags"), row.get("pin_definitions")
    if isinstance(tags, list) and tags and all(isinstance(tag, str) for tag in tags):
        row["tags"] = [*tags, random.choice(tags)]
    if isinstance(pinned, list) and all(isinstance(pin, dict) for pin in pinned):
        row["pin_definitions"] = [_other_pin(pin, random) for pin in pinned]
    return dict(random.sample([*row.items(), ("updated_at", random.random())], len(row) + 1))


def _other_pin(pin: Row, random: Random) -> Row:
    pin = _with_nothings(pin, _OF_A_PIN, random)
    for name in ("active_from", "active_to"):
        if isinstance(pin.get(name), str) and (match := _UTC.fullmatch(pin[name])):
            fraction = f"{match[3]}00" if match[3] else random.choice(["", ".0", ".000000000000"])
            zone = random.choice(["Z", "z", "+00:00", "-00:00"])
            pin[name] = match[1] + random.choice("Tt") + match[2] + fraction + zone
    return pin


def _with_nothings(row: Row, names: dict[str, tuple[object, ...]], random: Random) -> Row:
    row = dict(row)
    for name, nothings in names.items():
        if name not in row or any(
            type(row[name]) is type(nothing) and row[name] == nothing for nothing in nothings
        ):
            row[name] = random.choice(nothings)
    return row


_TARGETS: Final[tuple[Row, ...]] = (
    {"target_type": "all"},
    {"target_type": "item", "target_identity": "/p/1/"},
)


@st.composite
def answers(draw: st.DrawFn) -> list[Row]:
    """The rows of an answer, of few models, ids, targets and titles, so that rules share them.

    Some rows are equal but for the id.
    """
    found: list[Row] = []
    for name in draw(st.permutations("abcdef"))[: draw(st.integers(2, 6))]:
        is_copy = draw(st.booleans())
        if found and is_copy:
            found.append({**draw(st.sampled_from(found)), "id": name})
            continue
        shelf = st.tuples(st.integers(1, 2), st.sampled_from(["/p/1/", "/p/2/"]))
        row = {
            "id": name,
            "model": draw(st.sampled_from(["basket", "home"])),
            "tags": draw(st.lists(st.sampled_from("xyz"), unique=True)),
            "target_metadata": {"title": draw(st.sampled_from(["A", "B"]))},
            "pin_definitions": [
                {"position": position, "pin_type": "item", "pin_identity": item}
                for position, item in draw(st.lists(shelf, max_size=3))
            ],
        }
        found.append(row | draw(st.sampled_from(_TARGETS)))
    return found


def shuffle(answer: Sequence[Row], random: Random) -> list[Row]:
    """Return an answer with its rows, and their tags and pins, in another order."""
    rows = deepcopy(list(answer))
    random.shuffle(rows)
    for row in rows:
        random.shuffle(row["tags"])
        random.shuffle(row["pin_definitions"])
    return rows


SEEDED: Final = st.randoms(use_true_random=True)
"""Sources of chance that spread their choices evenly; a failing example is shrunk quickly too."""

_BLANKS: Final = ("", "", "", " ", " ", "  ", "\t", "\n", "\r\n", " \t\n")


def spell_json(value: object, random: Random, *, repeat: bool = False) -> str:
    """Spell a value as JSON in any way: its blanks, its escapes, and the order of its keys.

    Args:
        value: the value.
        random: where the choices come from.
        repeat: whether one of its objects has a key twice.
    """
    some = [found for found in _objects_in(value) if found] if repeat else []
    twice = random.choice(some) if some else None
    # Most writers put the same blanks before all colons.
    return _spell_value(value, random, random.choice(_BLANKS), twice)


def _objects_in(value: object) -> Iterator[Row]:
    if isinstance(value, dict):
        yield value
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inside:
        yield from _objects_in(item)


def _spell_value(value: object, random: Random, blank: str, twice: Row | None) -> str:
    if isinstance(value, dict):
        members = random.sample([*value.items()], len(value))
        parts = [_spell_member(*member, random, blank, twice) for member in members]
        if value is twice:
            key, first = random.choice(members)
            second: object = random.choice((first, None, "x", [], {key: first}))
            other = random.choice((blank, *_BLANKS))
            part = _spell_member(key, second, random, other, None)
            parts.insert(random.randint(0, len(parts)), part)
        text = f"{{{','.join(parts) or random.choice(_BLANKS)}}}"
    elif isinstance(value, list):
        parts = [_spell_value(item, random, blank, twice) for item in value]
        text = f"[{','.join(parts) or random.choice(_BLANKS)}]"
    else:
        text = _spell_text(value, random) if isinstance(value, str) else json.dumps(value)
    return random.choice(_BLANKS) + text + random.choice(_BLANKS)


def _spell_member(key: str, value: object, random: Random, blank: str, twice: Row | None) -> str:
    before = random.choice(_BLANKS) if random.random() < 0.01 else blank
    name = random.choice(_BLANKS) + _spell_text(key, random)
    return f"{name}{before}:{_spell_value(value, random, blank, twice)}"


def _spell_text(text: str, random: Random) -> str:
    share = random.choice((0, 0, 0.1, 1))
    return f'"{"".join(_spell_character(each, random.random() < share) for each in text)}"'


def _spell_character(character: str, escaped: bool) -> str:
    if not escaped:
        return json.dumps(character, ensure_ascii=False)[1:-1]
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def as_json(value: object) -> str:
    """Return a value as JSON, its numbers as canonical text has them: every reader of YAML takes
    those alike.
    """
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)}: {as_json(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_json, value))}]"
    return (
        canonical.render_value(normalize.normalize_value(value, ()))
        if isinstance(value, float)
        else json.dumps(value)
    )


@st.composite
def scribbled(draw: st.DrawFn, value: object, remarks: Sequence[str], indent: int = 0) -> str:
    """A value as YAML, in blocks and in braces, its keys in any order, and comments all over it."""

    def remark(*chances: bool) -> str:
        return f" {draw(st.sampled_from(remarks))}" if draw(st.sampled_from(chances)) else ""

    def below() -> str:
        return f"{above.strip()}\n{pad}" if (above := remark(True, False, False)) else ""

    if not isinstance(value, dict | list) or not value:
        return as_json(value)
    pad = " " * indent
    keys = draw(st.permutations(list(value))) if isinstance(value, dict) else range(len(value))
    names = {key: f"{key}:" if isinstance(value, dict) else "-" for key in keys}
    if indent and draw(st.integers(0, 2)) == 0:
        ends = [
            draw(st.sampled_from(["", "", f"{remark(True, False)}\n{pad}{below()}"])) for _ in keys
        ]
        parts = [
            f"{names[key].removeprefix('-')} {as_json(value[key])},{end}"
            for key, end in zip(keys, ends, strict=True)
        ]
        return ("{{{}}}" if isinstance(value, dict) else "[{}]").format("".join(parts))
    text = ""
    for key in keys:
        inner = draw(scribbled(value[key], remarks, indent + 2))
        above = remark(True, False, False)
        text += f"{pad}{above.strip()}\n{draw(st.sampled_from(['', '', chr(10)]))}" if above else ""
        if not inner.startswith(" ") and draw(st.integers(0, 9)) == 0:
            text += (
                f"{pad}{names[key]}{remark(True, False)}\n{pad}  {remark(True, False).strip()}\n"
                f"{pad}  {inner}\n"
            )
        elif not inner.startswith(" "):
            text += f"{pad}{names[key]} {inner}{remark(True, False)}\n"
        elif names[key] == "-" and draw(st.booleans()):
            text += f"{pad}- {inner.lstrip()}"
        else:
            text += f"{pad}{names[key]}{remark(True, False)}\n{inner}"
    return text
