from __future__ import annotations

import base64
import json
import re
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinsync.errors import (
    ConfigError,
    FileError,
    PinsyncError,
    RemoteError,
    RepositoryError,
    SafetyError,
    UsageError,
    suggest,
)
from pinsync.escape import HIDDEN, INVISIBLE, defuse, escape_character, one_line, printable, reveal
from pinsync.redaction import forget_secrets, keep_secret, redact
from support.strategies import QUICK

if TYPE_CHECKING:
    import random

ESCAPED_RANGES = [
    (0x0000, 0x001F),
    (0x007F, 0x009F),
    (0x00AD, 0x00AD),
    (0x061C, 0x061C),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x2069),
    (0xFEFF, 0xFEFF),
    (0xFFF9, 0xFFFB),
    (0xE0000, 0xE007F),
    (0xFDD0, 0xFDEF),
    *((plane | 0xFFFE, plane | 0xFFFF) for plane in range(0, 0x110000, 0x10000)),
]
SURROGATES = (0xD800, 0xDFFF)


def test_invisible_is_the_frozen_list_and_surrogates() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    expected = {
        code for first, last in [*ESCAPED_RANGES, SURROGATES] for code in range(first, last + 1)
    }
    assert set(map(ord, re.findall(INVISIBLE, everything))) == expected


# Unicode 17.0: DerivedCoreProperties.txt, Default_Ignorable_Code_Point; PropList.txt, White_Space.
# And U+2800.
IGNORABLE_RANGES = [
    *(
        (0x00AD, 0x00AD),
        (0x034F, 0x034F),
        (0x061C, 0x061C),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
    ),
    *(
        (0x200B, 0x200F),
        (0x202A, 0x202E),
        (0x2060, 0x206F),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFEFF, 0xFEFF),
    ),
    *(
        (0xFFA0, 0xFFA0),
        (0xFFF0, 0xFFF8),
        (0x1BCA0, 0x1BCA3),
        (0x1D173, 0x1D17A),
        (0xE0000, 0xE0FFF),
    ),
]
BLANK_RANGES = [
    *(
        (0x0009, 0x000D),
        (0x0085, 0x0085),
        (0x00A0, 0x00A0),
        (0x1680, 0x1680),
        (0x2000, 0x200A),
        (0x2028, 0x2029),
    ),
    *((0x202F, 0x202F), (0x205F, 0x205F), (0x2800, 0x2800), (0x3000, 0x3000)),
]


def test_hidden_is_what_nobody_sees_or_tells_from_a_blank() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    ranges = [*ESCAPED_RANGES, SURROGATES, *IGNORABLE_RANGES, *BLANK_RANGES]
    expected = {code for first, last in ranges for code in range(first, last + 1)}
    assert set(map(ord, re.findall(HIDDEN, everything))) == expected


@pytest.mark.parametrize(
    ("text", "shown", "identity"),
    [
        ("/p/1/\u3164", r"/p/1/\u3164", r"/p/1/\u3164"),
        ("\u115f\u1160\uffa0\u034f", r"\u115f\u1160\uffa0\u034f", r"\u115f\u1160\uffa0\u034f"),
        (
            "\u180e\u17b4\u206a\ufff0\U0001d173\U000e0080",
            *[r"\u180e\u17b4\u206a\ufff0\U0001d173\U000e0080"] * 2,
        ),
        ("5\u00a0kg\u3000\u2800", "5\u00a0kg\u3000\u2800", r"5\u00a0kg\u3000\u2800"),
        (
            "❤\ufe0f 1\ufe0f\u20e3 ☎\ufe0e",
            "❤\ufe0f 1\ufe0f\u20e3 ☎\ufe0e",
            "❤\ufe0f 1\ufe0f\u20e3 ☎\ufe0e",
        ),
        ("葛\U000e0100 ᠠ\u180b", "葛\U000e0100 ᠠ\u180b", r"葛\U000e0100 ᠠ\u180b"),
        ("a\ufe0f \ufe0f", *[r"a\ufe0f \ufe0f"] * 2),
        (
            "葛\U000e0100\ufe0f\x85\ufe0f",
            "葛\U000e0100\\ufe0f\\u0085\\ufe0f",
            r"葛\U000e0100\ufe0f\u0085\ufe0f",
        ),
        ("क्षेत्र 한국어 e\u0301", "क्षेत्र 한국어 e\u0301", "क्षेत्र 한국어 e\u0301"),
    ],
)
def test_what_shows_nothing_is_shown_and_in_identities_what_shows_as_a_blank(
    text: str, shown: str, identity: str
) -> None:
    assert printable(text) == shown
    assert reveal(text) == identity


@pytest.mark.parametrize(
    ("kind", "code"),
    [(PinsyncError, 70), (UsageError, 2), (RepositoryError, 2), (RemoteError, 3), (SafetyError, 4)],
)
def test_each_error_has_its_exit_code_message_and_hint(kind: type[PinsyncError], code: int) -> None:
    error = kind("what is wrong", hint="what to do")
    assert (error.exit_code, error.message, error.hint, str(error)) == (
        code,
        "what is wrong",
        "what to do",
        "what is wrong",
    )
    assert kind("what is wrong").hint is None


@pytest.mark.parametrize("kind", [FileError, ConfigError])
def test_a_file_error_begins_with_its_place(kind: type[FileError]) -> None:
    error = kind("a tab", source="a/b.yaml", line=3, column=1, hint="use spaces")
    assert (error.exit_code, error.message, error.hint) == (2, "a/b.yaml:3:1: a tab", "use spaces")
    assert (error.reason, error.source, error.line, error.column) == ("a tab", "a/b.yaml", 3, 1)


def test_a_file_error_leaves_out_what_is_unknown_of_its_place() -> None:
    assert FileError("a tab", source="a.yaml", line=3).message == "a.yaml:3: a tab"
    assert FileError("empty", source="HEAD:a.yaml").message == "HEAD:a.yaml: empty"


def test_a_file_errors_place_is_one_line_and_its_source_the_real_one() -> None:
    error = FileError("a\ntab", source="a\n::error::\u202eb.yaml", line=3)
    assert error.message == r"a\n::error::\u202eb.yaml:3: a" + "\ntab"
    assert (error.source, error.reason) == ("a\n::error::\u202eb.yaml", "a\ntab")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", r"\u003a:error::x"),
        ("a ::error::x", "a ::error::x"),
        ("a\n \t\u00a0::error::x\n\n:::x", "a\n \t\u00a0\\u003a:error::x\n\n\\u003a::x"),
        (": a", ": a"),
    ],
)
def test_no_line_that_is_defused_is_a_command(text: str, shown: str) -> None:
    assert defuse(text) == shown
    assert defuse(shown) == shown


def test_one_line_is_one() -> None:
    assert one_line("a\r\n\tb\x1b\u2028") == r"a\r\n\tb\u001b\u2028"


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("JSON", ("json", "text"), 'did you mean "json"?'),
        ("shop-sl", ("SHOP-SK", "other"), 'did you mean "SHOP-SK"?'),
        ("basket", ("Basket", "BASKET"), 'did you mean "BASKET"?'),
        ("shop-cs", ("shop-sk", "shop-cz", "other"), 'did you mean "shop-cz" or "shop-sk"?'),
        ("nothing like it", ("b", "a\n::error::x\u202e"), r"known: a\n::error::x\u202e, b"),
        ("a\nb", ("a\nc",), r'did you mean "a\nc"?'),
        ("basket", ("basket\u00a0",), r'did you mean "basket\u00a0"?'),
    ],
)
def test_a_suggestion_is_a_known_word_whatever_the_case(
    word: str, known: tuple[str, ...], hint: str
) -> None:
    assert suggest(word, known) == hint


def test_a_configuration_error_is_a_file_error() -> None:
    assert issubclass(ConfigError, FileError)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Žltý čaj 😀\n\tnext", "Žltý čaj 😀\n\tnext"),
        ("\x1b[31mred\x07\r", r"\u001b[31mred\u0007\u000d"),
        ("a\u202eb\u200b", r"a\u202eb\u200b"),
        ("\ud83d", r"\ud83d"),
        ("\U000e0041\U0010ffff", r"\U000e0041\U0010ffff"),
        ("\x85\u2028\ufeff", r"\u0085\u2028\ufeff"),
    ],
)
def test_printable_shows_what_would_move_a_cursor(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_escaped_names_any_character_but_newline_and_tab() -> None:
    assert [escape_character(character) for character in "\n\ta\uffff\U00010000"] == [
        "\n",
        "\t",
        r"\u0061",
        r"\uffff",
        r"\U00010000",
    ]


def test_secrets_give_way_to_the_names_of_their_variables() -> None:
    environ = {
        "A_KEY": " abcd\n",
        "my_token": "abcd-efgh",
        "SECRET": "abc",
        "HOME": "/home/abcd",
        "PASSWORD": "",
    }
    assert redact("abcd, abcd-efgh, abc", environ) == "<A_KEY>, <my_token>, abc"
    assert redact("abcd in /home/abcd", environ, ["HOME", "ELSEWHERE"]) == "abcd in <HOME>"


def test_a_short_secret_and_its_few_digits_in_base64_are_left_alone() -> None:
    assert redact("abc YWJj 616263", {"A_KEY": "abc"}) == "abc YWJj 616263"
    assert redact("test dGVzdA== 74657374", {"A_KEY": "test"}) == "<A_KEY> dGVzdA== <A_KEY>"
    assert redact("tests dGVzdHM=", {"A_KEY": "tests"}) == "<A_KEY> <A_KEY>"


KEY = "s3cr3t/k+y?~> end\xff"


@pytest.mark.parametrize(
    "encoded",
    [
        base64.b64encode(KEY.encode()).decode(),
        base64.b64encode(KEY.encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(KEY.encode()).decode(),
        base64.urlsafe_b64encode(KEY.encode()).decode().rstrip("="),
        KEY.encode().hex(),
        KEY.encode().hex().upper(),
        KEY.encode().hex(" "),
        quote(KEY, safe=""),
        quote(KEY),
        quote_plus(KEY),
        "s3%63%523t/k%2by%3F%7e%3e+end%c3%BF".replace("%52", "r"),
        json.dumps(KEY)[1:-1],
        json.dumps(KEY)[1:-1].replace("/", "\\/"),
        "".join(f"\\u{ord(character):04X}" for character in KEY),
    ],
)
def test_a_secret_is_found_in_its_encodings(encoded: str) -> None:
    assert redact(f"a {encoded} b", {"A_KEY": KEY}) == "a <A_KEY> b"
    keep_secret(KEY)
    try:
        assert redact(f"a {encoded} b", {}) == "a <private key> b"
    finally:
        forget_secrets()


def test_a_secret_is_found_across_the_lines_of_its_encoding() -> None:
    long = KEY * 5
    wrapped = base64.encodebytes(f"1234-5678:{long}".encode()).decode()
    assert wrapped.count("\n") > 1
    assert redact(wrapped, {"A_KEY": long}) == f"{wrapped[:14]}<A_KEY>\n"
    dump = long.encode().hex().replace("33", "33\n")
    assert redact(dump, {"A_KEY": long}) == "<A_KEY>"


def test_quotes_and_backslashes_of_a_secret_are_escaped_in_json() -> None:
    awkward = 'a"b\\c\\\\d/e\n\tf'
    for encoded in (json.dumps(awkward), json.dumps(awkward).replace("/", "\\/"), quote(awkward)):
        assert redact(encoded, {"A_KEY": awkward}).strip('"') == "<A_KEY>"


# Without backslashes, of which two are one in JSON, and the characters of the replacement.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\\<A_KEY>")
SECRETS = st.text(CHARACTERS, min_size=5, max_size=40).filter(lambda text: text.strip() == text)


@QUICK
@given(SECRETS, st.binary(max_size=7), st.binary(max_size=7), st.booleans(), st.booleans())
def test_base64_shows_four_bits_of_a_secret_at_most(
    secret: str, before: bytes, after: bytes, url_safe: bool, padded: bool
) -> None:
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    digits = encode(before + secret.encode() + after).decode()
    digits = digits if padded else digits.rstrip("=")
    shown = redact(f"Basic {digits}.", {"A_KEY": secret}).removeprefix("Basic ").removesuffix(".")
    first, *_, last = shown.split("<A_KEY>")
    assert shown != first
    assert digits.startswith(first)
    assert digits.endswith(last)
    assert len(first) * 6 <= len(before) * 8 + 4
    end = len(digits.rstrip("=")) - len(last.rstrip("="))
    assert end * 6 >= len(before + secret.encode()) * 8


@QUICK
@given(SECRETS, st.binary(max_size=7), st.binary(max_size=7), st.booleans())
def test_no_hexadecimal_holds_a_secret(
    secret: str, before: bytes, after: bytes, upper: bool
) -> None:
    digits = (before + secret.encode() + after).hex()
    shown = redact(digits.upper() if upper else digits, {"A_KEY": secret})
    assert "<A_KEY>" in shown
    assert secret.encode().hex() not in shown.lower()


@QUICK
@given(SECRETS, st.randoms(use_true_random=False))
def test_no_url_and_no_json_holds_a_secret(secret: str, chance: random.Random) -> None:
    def spell(character: str) -> str:
        url = "".join(f"%{byte:02{chance.choice('xX')}}" for byte in character.encode())
        blank = ["+"] if character == " " else []
        return chance.choice([character, url, quote(character), quote_plus(character), *blank])

    in_json = [json.dumps(secret, ensure_ascii=ascii_)[1:-1] for ascii_ in (True, False)]
    for encoded in ("".join(map(spell, secret)), *in_json):
        assert redact(f"/{encoded}&", {"A_KEY": secret}) == "/<A_KEY>&"


@QUICK
@given(st.binary(min_size=1, max_size=300))
def test_what_holds_no_secret_stays(data: bytes) -> None:
    in_base64, in_json = base64.b64encode(data).decode(), json.dumps(data.decode("latin-1"))
    for text in (data.hex(), in_base64, quote(data), in_json):
        assert redact(text, {"A_KEY": KEY, "B_TOKEN": "tests"}) == text
