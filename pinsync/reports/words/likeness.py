"""Values that look alike: spellings that let a person tell the two sides of a change apart."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from pinsync.escape import BLANKS, IGNORABLE, SELECTORS, clip, escape_character, one_line, reveal
from pinsync.reports.words.values import compact, measure_common_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Spelling = Callable[[str], str]

_UNSEEN: Final = re.compile(f"[{IGNORABLE}{SELECTORS}]")
_BLANK: Final = re.compile(f"[ {BLANKS}]+")
# A blank at either end, or after another blank: HTML shows a run of blanks as one.
_LOST_BLANK: Final = re.compile(r"\A | \Z|(?<= ) ")

# Cyrillic and Greek letters, hyphens and apostrophes that most fonts draw like an ASCII character
# (UTS 39, confusables.txt). A keyboard of another language writes them in the code of an item.
_TWINS: Final = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-")
    | dict.fromkeys("\u2019\u02bc\u2032", "'")
    | dict(
        zip(
            "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c"
            "\u041d\u041e\u0420\u0421\u0422\u0423\u0425"
            "\u0430\u0435\u0455\u0456\u0458\u043e\u0440\u0441\u0443\u0445"
            "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c"
            "\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf",
            "ABESIJKMHOPCTYXaesijopcyxABEZHIKMNOPTYXo",
            strict=True,
        )
    )
)
_FORMS: Final = ("NFC", "NFD")


def fold(text: str) -> str:
    """Return the text as a person sees it: two texts look alike if their results are equal."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    text = one_line(text)
    if not text.isascii():
        # Decompose first: a Cyrillic letter with an accent is one character, and no twin, in NFC.
        letters = unicodedata.normalize("NFD", _UNSEEN.sub("", text))
        text = unicodedata.normalize("NFC", letters.translate(_TWINS))
    return _BLANK.sub(" ", text).strip(" ")


def _spell_twins(text: str) -> str:
    """Escape lost blanks, invisible characters, and letters that look like an ASCII character."""
    text = _LOST_BLANK.sub(r"\\u0020", reveal(text))
    return "".join(escape_character(each) if _has_twin(each) else each for each in text)


def spell_out(text: str) -> str:
    """Escape the characters of `_spell_twins`, and letters with marks, which have several forms."""
    return "".join(
        escape_character(each) if _has_forms(each) else each for each in _spell_twins(text)
    )


def _has_twin(character: str) -> bool:
    return ord(character) in _TWINS or _UNSEEN.match(character) is not None


def _has_forms(character: str) -> bool:
    if unicodedata.combining(character) > 0:
        return True
    return unicodedata.normalize("NFD", character) != character


def tell_apart(
    old: Any,  # noqa: ANN401
    new: Any,  # noqa: ANN401
    limit: int | None = None,
    spell: Spelling = reveal,
) -> tuple[str, str]:
    """Write two different JSON values on one line each, so that they don't look alike.

    Args:
        old: the old value.
        new: the new value.
        limit: the maximum length of each text; long values start shortly before they differ.
        spell: escapes strings in values that look different anyway.
    """
    texts = _cut(old, new, limit, spell)
    # Plain words look different whenever they are. Nearly all values end here.
    if all(text.isascii() and '"' not in text for text in texts):
        return texts
    # The second spelling escapes more than the first.
    for spelling in (_spell_twins, spell_out):
        # The cut texts must look different too: a reader sees no more than those.
        if _look_different(old, new, spell) and fold(texts[0]) != fold(texts[1]):
            break
        spell = spelling
        texts = _cut(old, new, limit, spell)
    return texts


def _look_different(old: Any, new: Any, spell: Spelling) -> bool:  # noqa: ANN401
    """Whether two values look different in a spelling; quotes make no difference."""

    def fold_spelling(text: str) -> str:
        return fold(spell(text))

    texts = [compact(value, fold_spelling).replace('"', "") for value in (old, new)]
    return texts[0] != texts[1]


def _cut(old: Any, new: Any, limit: int | None, spell: Spelling) -> tuple[str, str]:  # noqa: ANN401
    # Escapes count for the limit, or the first value could take all of the room.
    texts = one_line(compact(old, spell)), one_line(compact(new, spell))
    if limit is None or max(map(len, texts)) <= limit:
        return texts
    start = max(0, measure_common_prefix(*texts) - limit // 4)
    return _cut_from(start, texts[0], limit), _cut_from(start, texts[1], limit)


def _cut_from(start: int, text: str, limit: int) -> str:
    return clip("…" + text[start:] if start else text, limit)


def find_alike(texts: Iterable[str]) -> frozenset[str]:
    """Return the texts that look like another of the texts if spelled as identities."""
    groups: dict[str, set[str]] = {}
    # Most identities stand on both sides of a change.
    for text in set(texts):
        groups.setdefault(fold(reveal(text)), set()).add(text)
    return frozenset().union(*(group for group in groups.values() if len(group) > 1))


def describe_forms(old: Any, new: Any) -> str:  # noqa: ANN401
    """Describe a difference in nothing but Unicode normalization (UAX 15); else return ""."""
    texts = [
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for value in (old, new)
    ]
    if texts[0] == texts[1] or all(map(str.isascii, texts)):
        return ""
    if len({unicodedata.normalize("NFC", text) for text in texts}) > 1:
        return ""
    forms = " → ".join(map(_find_form, texts))
    return f"differs only in Unicode normalization, {forms}"


def _find_form(text: str) -> str:
    for form in _FORMS:
        if unicodedata.is_normalized(form, text):
            return form
    return "mixed"
