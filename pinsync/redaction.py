"""Remove secrets from text, in many encodings."""

from __future__ import annotations

import re
from binascii import b2a_base64
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_SECRET_WORDS: Final = ("KEY", "SECRET", "TOKEN", "PASSWORD")
_KEY_LABEL: Final = "private key"
_SHORTEST_SECRET: Final = 4
_SHORTEST_BASE64: Final = 6
"""The fewest base64 digits to look for: 36 bits, which no other text contains by chance."""
_ALPHABETS: Final = {"+": "[+-]", "/": "[/_]"}
"""Base64 digit → its pattern in either alphabet (RFC 4648, 4 and 5)."""
_BEHIND_BACKSLASH: Final = dict(zip("\"'\\/\b\f\n\r\t", "\"'\\/bfnrt", strict=True))
"""Character → its escape after a backslash in JSON (RFC 8259, 7) or Python's repr."""
_ESCAPE: Final = r"%[0-9A-Fa-f]{2}|\\[\"'\\/bfnrtu]|\+"
"""The escape of a character in a URL, in JSON or in Python's repr, or the start of one."""

_used_keys: set[str] = set()


def keep_secret(secret: str) -> None:
    """Let `redact` remove a secret from every text from now on."""
    _used_keys.add(secret)


def forget_secrets() -> None:
    """Forget the secrets of an earlier command that ran in this process."""
    _used_keys.clear()


def redact(text: str, environ: Mapping[str, str], names: Iterable[str] | None = None) -> str:
    """Return ``text`` with the name of its variable in place of each secret.

    A secret is found as plain text, URL-encoded, escaped in JSON, in hexadecimal and in base64.

    Args:
        text: the text to show or to keep.
        environ: the environment variables.
        names: the variables that hold secrets. By default those with key, secret, token or password
            in their names. Keys passed to `keep_secret` are removed in any case.
    """
    if names is None:
        names = filter(_is_secret_name, environ)
    secrets = [(name, environ.get(name, "").strip()) for name in names]
    secrets += [(_KEY_LABEL, key) for key in _used_keys]
    # The longest first, since a secret may be a part of another. The name of a variable tells more
    # than the label of keys, so it comes first.
    secrets.sort(key=lambda pair: (-len(pair[1]), pair[0] == _KEY_LABEL, pair[0]))
    for name, secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = remove_secret(secret, text, f"<{name}>")
    return text


def _is_secret_name(name: str) -> bool:
    return any(word in name.upper() for word in _SECRET_WORDS)


def remove_secret(secret: str, text: str, shown: str, *, ignore_case: bool = False) -> str:
    """Return ``text`` with ``shown`` in place of a secret in any encoding.

    Args:
        secret: the secret; even a short one is removed.
        text: the text to show or to keep.
        shown: the replacement.
        ignore_case: whether letters match in either case.
    """
    flags = re.IGNORECASE if ignore_case else re.NOFLAG
    # Only for a text with an escape, since the pattern takes milliseconds to compile.
    if re.search(_ESCAPE, text):
        pattern = "".join(map(_build_escape_pattern, secret))
        text = re.sub(pattern, lambda _: shown, text, flags=flags)
    text = re.sub(re.escape(secret), lambda _: shown, text, flags=flags)
    for pattern in _build_encoding_patterns(secret.encode("utf-8", "surrogatepass")):
        text = re.sub(pattern, lambda _: shown, text)
    return text


def _build_escape_pattern(character: str) -> str:
    """Return the pattern of a character: plain, URL-encoded, or escaped in JSON."""
    url = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    units = character.encode("utf-16-be", "surrogatepass").hex(":", 2)
    json = "".join(rf"\\u{_ignore_case(unit)}" for unit in units.split(":"))
    forms = [_ignore_case(url), json]
    if character in _BEHIND_BACKSLASH:
        forms.append(re.escape(f"\\{_BEHIND_BACKSLASH[character]}"))
    if character == " ":
        forms.append(r"\+")
    # Last, since "%" is the start of its own escape.
    forms.append(re.escape(character))
    return f"(?:{'|'.join(forms)})"


def _ignore_case(digits: str) -> str:
    return re.sub("[a-f]", lambda match: f"[{match[0]}{match[0].upper()}]", digits)


def _build_encoding_patterns(secret: bytes) -> Iterator[str]:
    """Yield the patterns of a secret in hexadecimal and in base64 of either alphabet."""
    # White space may stand between any two digits: xxd and base64 break their output into lines.
    yield r"\s*".join(map(_ignore_case, secret.hex()))
    # Base64 writes three bytes in four digits. In a longer text, such as tracker:key, a secret
    # begins at any of the three.
    for before in range(3):
        digits = b2a_base64(bytes(before) + secret, newline=False).decode()
        # The digits, of 6 bits each, that hold only bits of the secret. The digit before them
        # stays, with at most 4 bits of the secret.
        inner = digits[(before * 8 + 5) // 6 : (before + len(secret)) * 8 // 6]
        if len(inner) < _SHORTEST_BASE64:
            continue
        rest = "[A-Za-z0-9+/_-]?={0,2}" if (before + len(secret)) % 3 else ""
        yield r"\s*".join(_ALPHABETS.get(digit, digit) for digit in inner) + rest
