"""Secrets removed from text, in whatever encoding they stand there."""

from __future__ import annotations

import re
from binascii import b2a_base64
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_SECRET: Final = ("KEY", "SECRET", "TOKEN", "PASSWORD")
_SHORTEST_SECRET: Final = 4
_SHORTEST_BASE64: Final = 6
"""The fewest base64 digits to look for: 36 bits, which no other text has by chance."""
_ALPHABETS: Final = {"+": "[+-]", "/": "[/_]"}
"""Base64 digit → pattern of it in either alphabet."""
_BEHIND_BACKSLASH: Final = dict(zip("\"'\\/\b\f\n\r\t", "\"'\\/bfnrt", strict=True))
"""Character → its escape behind a backslash, in JSON (RFC 8259, section 7) or in Python's repr."""
_ESCAPE: Final = r"%[0-9A-Fa-f]{2}|\\[\"'\\/bfnrtu]|\+"
"""The escape of a character in a URL, in JSON or in Python's repr, or the beginning of one."""

_used: set[str] = set()


def keep_secret(secret: str) -> None:
    """Have `redact` remove a secret from every text from now on."""
    _used.add(secret)


def forget_secrets() -> None:
    """Forget the secrets of an earlier command that ran in this process."""
    _used.clear()


def redact(text: str, environ: Mapping[str, str], names: Iterable[str] | None = None) -> str:
    """Return ``text`` without secrets: the name of its variable stands for each.

    A secret is found as it is, URL-encoded, escaped in JSON, in hexadecimal and in base64.

    Args:
        text: the text to show or to keep.
        environ: the environment variables.
        names: the variables that hold secrets; by default those that are named like a key, secret,
            token or password. Keys passed to `keep_secret` are removed in any case.
    """
    if names is None:
        names = (name for name in environ if any(word in name.upper() for word in _SECRET))
    secrets = [(name, environ.get(name, "").strip()) for name in names] + [("private key", key) for key in _used]
    # The longest first, since a secret may be a part of another; "private key" says less than a name.
    for name, secret in sorted(secrets, key=lambda item: (-len(item[1]), item[0] == "private key", item[0])):
        if len(secret) >= _SHORTEST_SECRET:
            text = remove_secret(secret, text, f"<{name}>")
    return text


def remove_secret(secret: str, text: str, shown: str, *, ignore_case: bool = False) -> str:
    """Return ``text`` with ``shown`` in place of a secret, in whatever encoding that is.

    Args:
        secret: the secret, whatever its length.
        text: the text to show or to keep.
        shown: the replacement.
        ignore_case: whether letters match in either case.
    """
    flags = re.IGNORECASE if ignore_case else re.NOFLAG
    if re.search(_ESCAPE, text):  # the pattern below takes milliseconds to compile
        pattern = "".join(map(_build_escape_pattern, secret))
        text = re.sub(pattern, lambda _: shown, text, flags=flags)
    text = re.sub(re.escape(secret), lambda _: shown, text, flags=flags)
    for pattern in _build_encoding_patterns(secret.encode("utf-8", "surrogatepass")):
        text = re.sub(pattern, lambda _: shown, text)
    return text


def _build_escape_pattern(character: str) -> str:
    """Return the pattern of a character that is URL-encoded, escaped in JSON, or as it is."""
    url = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    units = character.encode("utf-16-be", "surrogatepass").hex(":", 2)
    json = "".join(rf"\\u{_ignore_case(unit)}" for unit in units.split(":"))
    forms = [_ignore_case(url), json]
    if character in _BEHIND_BACKSLASH:
        forms.append(re.escape(f"\\{_BEHIND_BACKSLASH[character]}"))
    if character == " ":
        forms.append(r"\+")
    forms.append(re.escape(character))  # last, since "%" is the beginning of its own escape
    return f"(?:{'|'.join(forms)})"


def _ignore_case(digits: str) -> str:
    return re.sub("[a-f]", lambda match: f"[{match[0]}{match[0].upper()}]", digits)


def _build_encoding_patterns(secret: bytes) -> Iterator[str]:
    """Yield the patterns of a secret in hexadecimal, and in base64 of either alphabet (RFC 4648).

    Tools such as xxd and base64 break the lines of what they print, so that blanks may stand between
    any two digits.
    """
    yield r"\s*".join(map(_ignore_case, secret.hex()))
    # Base64 writes three bytes in four digits. In a longer text, such as tracker:key, a secret
    # begins at any of the three.
    for before in range(3):
        digits = b2a_base64(bytes(before) + secret, newline=False).decode()
        # The digits, of 6 bits each, that hold only bits of the secret. One before them, which
        # holds up to 4 bits of the secret and the last ones of its neighbour, stays.
        inner = digits[(before * 8 + 5) // 6 : (before + len(secret)) * 8 // 6]
        if len(inner) < _SHORTEST_BASE64:
            continue
        rest = "[A-Za-z0-9+/_-]?={0,2}" if (before + len(secret)) % 3 else ""
        yield r"\s*".join(_ALPHABETS.get(digit, digit) for digit in inner) + rest
