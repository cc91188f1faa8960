"""Values that look alike: how the two sides of a change are spelled so that a person tells them apart."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from pinsync.escape import BLANKS, IGNORABLE, SELECTORS, clipped, escaped, one_line, reveal
from pinsync.reports.words.values import compact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Spelling = Callable[[str], str]

_UNSEEN: Final = re.compile(f"[{IGNORABLE}{SELECTORS}]")
_BLANK: Final = re.compile(f"[ {BLANKS}]+")
# A blank at either end, or behind another blank, which a page shows as one.
_LOST_BLANK: Final = re.compile(r"\A | \Z|(?<= ) ")

# Cyrillic and Greek letters, hyphens and apostrophes that most fonts draw like an ASCII character
# (UTS 39, confusables.txt). A keyboard of another language writes them in the code of an item.
_TWINS: Final = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-")
    | dict.fromkeys("\u2019\u02bc\u2032", "'")
    | dict(
        zip(
            "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425"
            "\u0430\u0435\u0455\u0456\u0458\u043e\u0440\u0441\u0443\u0445"
            "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf",
            "ABESIJKMHOPCTYXaesijopcyxABEZHIKMNOPTYXo",
            strict=True,
        )
    )
)
_FORMS: Final = ("NFC", "NFD")


def fold(text: str) -> str:
    """Return what a person sees of a text: texts with the same result look alike."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    text = one_line(text)
    if not text.isascii():
        letters = unicodedata.normalize("NFD", _UNSEEN.sub("", text))
        text = unicodedata.normalize("NFC", letters.translate(_TWINS))
    return _BLANK.sub(" ", text).strip(" ")


def _spell_twins(text: str) -> str:
    """Return a text with escapes for lost blanks, for what shows nothing, and for letters that have a twin."""
    text = _LOST_BLANK.sub(r"\\u0020", reveal(text))
    return "".join(escaped(each) if _has_twin(each) else each for each in text)


def spell_out(text: str) -> str:
    """Return a text with escapes for letters with marks too, which Unicode can write in several ways."""
    return "".join(escaped(each) if _has_forms(each) else each for each in _spell_twins(text))


def _has_twin(character: str) -> bool:
    return ord(character) in _TWINS or _UNSEEN.match(character) is not None


def _has_forms(character: str) -> bool:
    return unicodedata.combining(character) > 0 or unicodedata.normalize("NFD", character) != character


_SPELLINGS: Final = (_spell_twins, spell_out)


def tell_apart(old: Any, new: Any, limit: int | None = None, spell: Spelling = reveal) -> tuple[str, str]:  # noqa: ANN401
    """Return two different JSON values on one line each, so that they don't look alike.

    Args:
        old: the one value.
        new: the other value.
        limit: the most characters of each; long values begin shortly before they differ.
        spell: how to spell strings as long as the values don't look alike.
    """
    shown = _cut(old, new, limit, spell)
    if all(text.isascii() and '"' not in text for text in shown):
        return shown  # nothing but plain words, as nearly everywhere
    for spelling in _SPELLINGS:
        if _look_different(old, new, spell) and fold(shown[0]) != fold(shown[1]):
            break
        spell = spelling
        shown = _cut(old, new, limit, spell)
    return shown


def _look_different(old: Any, new: Any, spell: Spelling) -> bool:  # noqa: ANN401 - any JSON value
    """Whether two values look different if their strings are spelled so, quotes left aside."""
    seen = [compact(value, lambda text: fold(spell(text))).replace('"', "") for value in (old, new)]
    return seen[0] != seen[1]


def _cut(old: Any, new: Any, limit: int | None, spell: Spelling) -> tuple[str, str]:  # noqa: ANN401 - any JSON value
    # Escapes count for the limit, or the first value could take all of the room.
    texts = one_line(compact(old, spell)), one_line(compact(new, spell))
    if limit is None or max(map(len, texts)) <= limit:
        return texts
    pairs = enumerate(zip(*texts, strict=False))
    common = next((at for at, (one, other) in pairs if one != other), min(map(len, texts)))
    start = max(0, common - limit // 4)
    return _cut_from(start, texts[0], limit), _cut_from(start, texts[1], limit)


def _cut_from(start: int, text: str, limit: int) -> str:
    return clipped("…" + text[start:] if start else text, limit)


def find_alike(texts: Iterable[str]) -> frozenset[str]:
    """Return the texts that look like another of them, spelled as identities are."""
    groups: dict[str, set[str]] = {}
    for text in texts:
        groups.setdefault(fold(reveal(text)), set()).add(text)
    return frozenset(text for group in groups.values() if len(group) > 1 for text in group)


def describe_forms(old: Any, new: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return how two values differ, if only in Unicode normalization (UAX 15); otherwise nothing."""
    texts = [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in (old, new)]
    if texts[0] == texts[1] or all(map(str.isascii, texts)):
        return ""
    if len({unicodedata.normalize("NFC", text) for text in texts}) > 1:
        return ""
    forms = (next((form for form in _FORMS if unicodedata.is_normalized(form, text)), "mixed") for text in texts)
    return f"differs only in Unicode normalization, {' → '.join(forms)}"
