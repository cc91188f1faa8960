"""Read YAML strictly, with positions; only this module knows ruamel.

The data is built here from the parser's events instead of by ruamel's constructors. Plain scalars
follow the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema). Constructs on
which readers disagree, or which people write by accident, are refused with line and column. In a
field that holds text, a plain scalar is text if canonical text would spell its value differently:
``0123`` isn't 123 there.
"""

from __future__ import annotations

import codecs
import math
import re
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)
from ruamel.yaml.scanner import Scanner, ScannerError
from ruamel.yaml.tokens import ScalarToken

from pinsync import canonical
from pinsync.errors import FileError
from pinsync.escape import escape_character
from pinsync.model import MAX_DEPTH, MAX_FILE_BYTES, is_too_small

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ruamel.yaml.error import StreamMark, StringMark
    from ruamel.yaml.events import Event

MAX_NESTING: Final = MAX_DEPTH + 5
"""The most lists and mappings inside one another: ``MAX_DEPTH`` for a value, and one each for the
pin, the pins, the customization, the list of customizations and the document.
"""

MAX_DIGITS: Final = 4_300
"""The most decimal digits of an integer: Python itself refuses longer integers."""

_RESOLVE: Final = (
    "resolve it, or take one side with git checkout --ours or --theirs; a file that is removed "
    "is exported anew"
)
_SAVE: Final = "save the file as UTF-8 without a byte order mark"

# The first line of each pointer (Git LFS Specification, "The Pointer").
_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_WIDE_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_UNREADABLE: Final = re.compile(
    "[^\t\n\r -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)"
)
"""The characters that YAML refuses (https://yaml.org/spec/1.2.2/#51-character-set), and four more.

ruamel takes U+0085, U+2028 and U+2029 for line breaks, as YAML 1.1 did, even in a comment. It
counts no column for U+FEFF.
"""

_CONFLICT: Final = re.compile(r"^(?:<{7}|\|{7}|={7}|>{7})(?=[ \r\n]|\Z)", re.MULTILINE)

_ITEM: Final = re.compile(r"[ \t]*-(?=[ \t]|\Z)")
_TOO_FAR: Final = "the line is indented too far"
_BELOW_ABOVE: Final = (
    "begin the list item below the dash of the one above; quote a text that holds ' - '"
)
_UNDERINDENTED: Final = "a line inside brackets that isn't indented enough"
_INDENT: Final = (
    "close the brackets, or indent the line more than the key or the dash that they belong to"
)
_UNENDED: Final = "a last line of nothing but blanks, without a line end"
_QUOTED: Final = "while scanning a quoted scalar"
_UNCLOSED: Final = "found unexpected end of stream"
_KEYS: Final = (
    "quote a text that holds ': '; a key and its ':' stand on one line, within 1,024 characters"
)
_EXPLAINED: Final = (
    (
        "found character '\\t'",
        "a tab where spaces belong",
        "indent with spaces; quote a text that holds a tab",
    ),
    ("cannot start any token", "a text can't begin with this character", "put the text in quotes"),
    ("mapping values are not", "a ':' where no key can stand", _KEYS),
    ("but got ':'", "a ':' where no key can stand", _KEYS),
    (
        "sequence entries are not",
        "a '-' where no list item can stand",
        "begin the list on a line of its own",
    ),
    (
        "expected <block end>",
        "this doesn't fit what stands above",
        "check the indentation and the quotes",
    ),
    ("expected ':'", "a key without its ':'", _KEYS),
    (
        _UNCLOSED,
        "quotes that aren't closed",
        "close them, or indent the lines that the text goes on in",
    ),
    ("document separator", "quotes that aren't closed", "close them before the document ends"),
    ("found '<document end>'", "a '...' without a document above", "remove the line"),
    (
        "found ':'",
        "a ':' without a key",
        "write the key before it; quote a text that begins with a colon",
    ),
    (
        "more indented follow up",
        "blanks on an empty line above a text",
        "remove the blanks from that line",
    ),
)
"""A part of ruamel's message, the message of pinsync instead, and its hint."""

# Parts of ruamel's messages about a line that doesn't fit the lines above.
_MISFITS: Final = (
    *("mapping values are not", "but got ':'", "expected ':'"),
    *("expected <block end>", "expected '<document start>'"),
)
_NO_BLANK: Final = re.compile(
    r"(?P<before> *(?:- +)*)(?P<key>[A-Za-z_]+):(?P<value>(?!//)[^\s:].*)"
)
_KEY_ON_TOP: Final = re.compile(r" *(?![-#\s])[^:]+:(?: |\r?$)")
_VALUE: Final = re.compile(r"(?P<before> *(?:- +)*)[^\s:#-][^:]*: +[^\s#]")

_NULLS: Final = ("", "~", "null", "Null", "NULL")
_CONSTANTS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(_NULLS),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_BASES: Final = {"0o": 8, "0x": 16}
_TOO_LARGE: Final = 10**MAX_DIGITS
_FLOAT: Final = re.compile(
    r"(?P<finite>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_NUMBER_1_1: Final = re.compile(
    r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+"
    r"|[0-9][0-9_]*(?::[0-5]?[0-9])*(?:\.[0-9_]*(?:[eE][-+][0-9]+)?)?"
    r"|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)"
)
"""A number in YAML 1.1, such as ``0b1``, ``1_000`` and, in base 60, ``1:30``, but not ``1e5``."""
_NUMBER_TO_ALL: Final = re.compile(
    r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]*(?:[eE][-+][0-9]+)?)?"
    r"|\.[0-9]+(?:[eE][-+][0-9]+)?|0x[0-9a-fA-F]+"
)
"""The same number to every reader; YAML 1.1 reads a number with a leading zero as octal."""

Path: TypeAlias = tuple[str | int, ...]
Place: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The content of a YAML document, with the positions of its parts.

    Attributes:
        data: plain dicts, lists, strings, numbers, booleans and None; None for an empty file.
        marks: path → (line, column), both from 1, of a mapping entry's key or of the beginning of a
            list item's content. The path ``()`` leads to the whole document.
        comments: (line, column, text) of each comment, line and column from 1, in the order of the
            file. The text begins with the ``#``.
        broken: the lines, from 1, that end inside a bare or quoted text of several lines.
    """

    data: object
    marks: dict[Path, Place]
    comments: tuple[tuple[int, int, str], ...]
    broken: frozenset[int]


def load(
    text: bytes,
    source: str,
    *,
    max_bytes: int = MAX_FILE_BYTES,
    above: int = 0,
    holds_text: Callable[[Path], bool] = lambda _path: False,
) -> Loaded:
    """Read one YAML document.

    Args:
        text: the file's bytes, UTF-8 without a byte order mark; lines may end in CRLF.
        source: the file's name for messages.
        max_bytes: the size beyond which the file is refused.
        above: the number of lines above the text in the file; all places are places in the file.
        holds_text: returns whether the field at a path holds text.

    Returns:
        The data with the positions of its parts.

    Raises:
        FileError: the text isn't YAML 1.2, or pinsync refuses it. Refused are duplicate or
            non-string keys, anchors, aliases, tags, directives, a second document, NaN or
            infinities, numbers that readers of YAML 1.1 and 1.2 understand differently,
            merge-conflict markers, bytes that aren't clean UTF-8, lone surrogates, nesting beyond
            ``MAX_NESTING``, integers beyond ``MAX_DIGITS``, and more than ``max_bytes``.
    """
    decoded = _decode(text, source, max_bytes, above)
    builder = _Builder(source, holds_text, above)
    yaml = _Yaml(typ="safe", pure=True)
    yaml.Scanner = _Scanner
    try:
        for event in yaml.parse(decoded):
            builder.take(event)
    except MarkedYAMLError as error:
        raise _translate(error, source, decoded.split("\n"), above) from error
    builder.marks.setdefault((), (above + 1, 1))
    comments = ((above + line, column, comment) for line, column, comment in yaml.scanner.comments)
    broken = frozenset(above + line for line in yaml.scanner.broken)
    return Loaded(builder.data, builder.marks, tuple(comments), broken)


def find_nearest_place(marks: Mapping[Path, Place], path: Path) -> Place | None:
    """Return the place of a part, or of the nearest part around it; None for the whole document."""
    for end in range(len(path), 0, -1):
        if path[:end] in marks:
            return marks[path[:end]]
    return None


def _decode(text: bytes, source: str, max_bytes: int, above: int) -> str:
    """Decode the bytes of a file, or raise a FileError for a fault that shows without parsing."""
    if len(text) > max_bytes:
        message = f"{len(text):,} bytes, more than the {max_bytes:,} that pinsync reads"
        hint = "split the file, or check that it is the right one"
        raise FileError(message, source=source, hint=hint)
    if text.startswith(_LFS_POINTER):
        message = "a pointer of Git LFS, not the file itself"
        remedy = "fetch the file with git lfs pull"
        hint = f"{remedy}; better, take it out of LFS: a pointer can't be reviewed"
        raise FileError(message, source=source, line=1, column=1, hint=hint)
    if text.startswith(codecs.BOM_UTF8):
        message = "the file begins with a byte order mark"
        raise FileError(message, source=source, line=1, column=1, hint=_SAVE)
    # Without a byte order mark, ASCII in UTF-16 or UTF-32 has a NUL among the first four bytes.
    if text.startswith(_WIDE_MARKS) or b"\0" in text[:4]:
        message = "the file is in UTF-16 or UTF-32, not UTF-8"
        raise FileError(message, source=source, line=1, column=1, hint=_SAVE)
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        line, column = _find_place(text[: error.start].decode(), above)
        message = f"the byte 0x{text[error.start]:02X} is not UTF-8"
        raise FileError(message, source=source, line=line, column=column, hint=_SAVE) from error
    if found := _UNREADABLE.search(decoded):
        raise _build_character_error(found[0], source, _find_place(decoded[: found.start()], above))
    if found := _CONFLICT.search(decoded):
        line, column = _find_place(decoded[: found.start()], above)
        message = f"a merge conflict is left unresolved ({found[0]})"
        raise FileError(message, source=source, line=line, column=column, hint=_RESOLVE)
    return decoded


def _find_place(before: str, above: int) -> Place:
    return above + before.count("\n") + 1, len(before) - before.rfind("\n")


def _build_character_error(character: str, source: str, place: Place) -> FileError:
    if character == "\r":
        message, hint = "a carriage return without a line feed", "end lines with LF or CRLF"
    else:
        message = f"the character U+{ord(character):04X} can't stand in YAML as it is"
        hint = f'write it as "{escape_character(character)}", in double quotes, or remove it'
    return FileError(message, source=source, line=place[0], column=place[1], hint=hint)


class _RefusedError(ScannerError):
    """A construct that ruamel reads, or refuses with an obscure message; ``note`` is the hint."""

    def __init__(self, problem: str, mark: StreamMark, hint: str) -> None:
        super().__init__(problem=problem, problem_mark=mark, note=hint)


class _Yaml(YAML):
    """ruamel without plug-ins."""

    def official_plug_ins(self) -> list[str]:
        # The search of the disk for plug-ins takes a tenth of the time of a block.
        return []


class _Scanner(Scanner):
    """ruamel's scanner, which refuses more constructs, each at its first character.

    Attributes:
        comments: (line, column, text) of each comment so far.
        broken: the lines, from 1, that end inside a bare or quoted text.
    """

    def __init__(self, loader: YAML) -> None:
        self.comments: list[tuple[int, int, str]] = []
        self.broken: list[int] = []
        self._last_line = 0
        super().__init__(loader)

    def fetch_directive(self) -> None:
        self._refuse("a directive (%)", "remove the line: the file is read as YAML 1.2")

    def fetch_anchor(self) -> None:
        hint = "write the value out where it is needed; quote a text that begins with &"
        self._refuse("an anchor (&)", hint)

    def fetch_alias(self) -> None:
        hint = "write the value out where it is needed; quote a text that begins with *"
        self._refuse("an alias (*)", hint)

    def fetch_tag(self) -> None:
        self._refuse("a tag (!)", "remove the tag; quote a text that begins with !")

    def _refuse(self, thing: str, hint: str) -> None:
        raise _RefusedError(f"{thing} isn't read here", self.reader.get_mark(), hint)

    def fetch_more_tokens(self) -> None:
        """Fetch the next token, and note the line that it ends on."""
        super().fetch_more_tokens()
        token = self.tokens[-1]
        self._last_line = token.end_mark.line
        if isinstance(token, ScalarToken) and token.style not in ("|", ">"):
            self.broken += range(token.start_mark.line + 1, self._last_line + 1)

    def scan_to_next_token(self) -> None:
        """Skip to the next token."""
        reader = self.reader
        before = reader.buffer[reader.pointer - 1] if reader.pointer else "\n"
        # ruamel alone would take `"text"#1` for a text and a comment.
        if reader.peek() == "#" and before not in " \n":
            hint = "put a space before a comment; quote a text that holds a #"
            raise _RefusedError("a # right behind a value", reader.get_mark(), hint)
        begin = reader.get_mark()
        super().scan_to_next_token()
        self._note_comments(begin)
        # ruamel alone would let the lines inside brackets begin at any column.
        if reader.line > self._last_line:
            self._check_indentation_in_brackets()

    def _check_indentation_in_brackets(self) -> None:
        """Refuse a line inside brackets that isn't indented more than the block around."""
        # YAML 1.2.2 demands the indentation in section 7.4.
        if not self.flow_level:
            return
        reader = self.reader
        # Only spaces count: tabs don't indent (section 6.1).
        indentation = _count_spaces(reader.buffer[reader.pointer - reader.column : reader.pointer])
        # Most people write a closing bracket below its key, and all readers accept it there.
        least = self.indent if reader.peek() in "]}" else self.indent + 1
        if indentation < least:
            raise _RefusedError(_UNDERINDENTED, reader.get_mark(), _INDENT)

    def scan_block_scalar_ignored_line(self, start_mark: StringMark) -> str | None:
        """Skip the rest of a line behind ``|`` or ``>``."""
        begin = self.reader.get_mark()
        comment: str | None = super().scan_block_scalar_ignored_line(start_mark)
        self._note_comments(begin)
        return comment

    def _note_comments(self, begin: StringMark) -> None:
        """Note the comments in the skipped text, which otherwise holds only blanks."""
        skipped = self.reader.buffer[begin.index : self.reader.index]
        if "#" not in skipped:
            return
        # The first line may begin in the middle of a line of the file, the others don't.
        start = begin.column
        for number, line in enumerate(skipped.split("\n"), begin.line + 1):
            column = line.find("#")
            if column >= 0:
                self.comments.append((number, start + column + 1, line[column:].rstrip("\r")))
            start = 0

    def check_key(self) -> bool:
        """Return whether a ``?`` opens a key."""
        is_key: bool = self.reader.peek(1) in " \t\r\n\0"
        # Readers disagree on `{?a: b}`, where YAML 1.2 reads the key `?a`.
        if self.flow_level and not is_key:
            hint = "quote a text that begins with a question mark"
            raise _RefusedError("a '?' without a space", self.reader.get_mark(), hint)
        return is_key

    def scan_plain(self) -> ScalarToken:
        """Scan a bare text."""
        begin = self.reader.pointer
        token: ScalarToken = super().scan_plain()
        self._check_no_item(token, begin)
        # ruamel alone would read `{a:}` as the key `a:`, where YAML 1.2 says `a`.
        if token.value.endswith(":"):
            hint = "put a space behind it; quote a text that ends in a colon"
            raise _RefusedError("a ':' without a space", token.end_mark, hint)
        # ruamel alone would read `[-]` as a text, which isn't YAML 1.2.
        if self.flow_level and token.value == "-":
            hint = "put the dash in quotes if it is a text"
            raise _RefusedError("a '-' where no list item can stand", token.start_mark, hint)
        return token

    def _check_no_item(self, token: ScalarToken, begin: int) -> None:
        """Refuse bare text with a dash on a further line: its writer meant a list item."""
        lines = self.reader.buffer[begin : self.reader.pointer].split("\n")
        for below, line in enumerate(lines[1:], 1):
            if _ITEM.match(line):
                mark = copy(token.start_mark)
                mark.line, mark.column = mark.line + below, len(line) - len(line.lstrip())
                raise _RefusedError(_TOO_FAR, mark, _BELOW_ABOVE)

    def scan_plain_spaces(self, indent: int, start_mark: StringMark) -> list[str] | None:
        """Skip blanks and line breaks inside a bare text, or behind it."""
        line = self.reader.line
        spaces: list[str] | None = super().scan_plain_spaces(indent, start_mark)
        # A comment ends the text, and scan_to_next_token() then checks the next line.
        if self.reader.line > line and self.reader.peek() != "#":
            self._check_indentation_in_brackets()
        return spaces

    def scan_block_scalar(self, style: str, rt: bool | None = False) -> ScalarToken:
        """Scan a text behind ``|`` or ``>``."""
        # ruamel alone would let the text begin below its key, which isn't YAML 1.2.
        if self.reader.column <= self.indent:
            hint = "write it behind the key, on the same line"
            raise _RefusedError(f"a '{style}' below its key", self.reader.get_mark(), hint)
        token: ScalarToken = super().scan_block_scalar(style, rt)
        if self.reader.peek() == "\0":
            buffer = self.reader.buffer
            # ruamel ends its buffer with a NUL.
            last_line = buffer[buffer.rfind("\n") + 1 : -1]
            # Readers disagree on a last line of nothing but blanks: to ruamel and PyYAML it has no
            # line end, to the test suite of YAML 1.2 it has one.
            if last_line and not last_line.strip(" "):
                hint = "end the line, or remove its blanks"
                raise _RefusedError(_UNENDED, self.reader.get_mark(), hint)
        return token

    def scan_flow_scalar(self, style: str) -> ScalarToken:
        """Scan a quoted text."""
        begin = self.reader.pointer
        try:
            token: ScalarToken = super().scan_flow_scalar(style)
        except (ValueError, OverflowError) as error:
            # From chr() of a \U escape.
            problem, mark = "an escape that names no character", self.reader.get_mark()
            raise _RefusedError(problem, mark, "Unicode ends at \\U0010FFFF") from error
        # ruamel alone would let the text continue at any indentation. A missing quote would then
        # take in the lines up to the next quote.
        lines = self.reader.buffer[begin : self.reader.pointer].split("\n")[1:]
        if any(line.strip() and _count_spaces(line) <= self.indent for line in lines):
            raise ScannerError(_QUOTED, token.start_mark, _UNCLOSED, token.start_mark)
        return token


def find_missing_blank(line: str) -> str | None:
    """Return the corrected form of a line such as ``position:2``; None for any other line."""
    found = _NO_BLANK.fullmatch(line.rstrip())
    if found is None:
        return None
    return f"{found['key']}: {found['value']}"


def _count_spaces(line: str) -> int:
    """Return the number of spaces at the beginning of a line."""
    return len(line) - len(line.lstrip(" "))


def _explain_layout(lines: Sequence[str], number: int) -> tuple[str, str, Place] | None:
    """Return message, hint and place of the layout mistake at or just above a line, from 0."""
    above = number - 1
    while above >= 0 and not lines[above].split("#")[0].strip():
        above -= 1
    for at in (number, above):
        if at >= 0 and (mended := find_missing_blank(lines[at])):
            # The column of the key, which may follow the dashes of list items.
            column = len(lines[at]) - len(lines[at].lstrip(" -")) + 1
            return "a ':' without a blank behind it", f"write {mended}", (at + 1, column)
    before = _VALUE.match(lines[above]) if above >= 0 else None
    indentation = _count_spaces(lines[number])
    # A key below a key with a value, but further to the right.
    if before and indentation > len(before["before"]) and _KEY_ON_TOP.match(lines[number]):
        hint = f"begin it in column {len(before['before']) + 1}, below the key of the line above"
        return _TOO_FAR, hint, (number + 1, indentation + 1)
    first = _find_first_item(lines, number)
    if first is None:
        return None
    hint = f"begin it in column {indentation + 1}, as the list item below"
    return _TOO_FAR, hint, (first + 1, _count_spaces(lines[first]) + 1)


def _find_first_item(lines: Sequence[str], number: int) -> int | None:
    """Return the line, from 0, of the single list item above a list item that is indented less."""
    if not _ITEM.match(lines[number]):
        return None
    indentation = _count_spaces(lines[number])
    items: list[tuple[int, int]] = []
    for at in range(number - 1, -1, -1):
        text = lines[at].lstrip(" ")
        if not text.strip() or text.startswith("#"):
            continue
        column = _count_spaces(lines[at])
        if column <= indentation:
            break
        if text.startswith("- "):
            items.append((column, at))
    outer = [at for column, at in items if column == min(items)[0]]
    # With several items above, either they or the item below may be wrong.
    return outer[0] if len(outer) == 1 else None


def _translate(error: MarkedYAMLError, source: str, lines: Sequence[str], above: int) -> FileError:
    problem = str(error.problem or error.context)
    mark = error.problem_mark or error.context_mark
    # The beginning of the text helps more than the place where ruamel gave up.
    if error.context in (_QUOTED, "while scanning a simple key"):
        mark = error.context_mark
    if isinstance(error, _RefusedError):
        message, hint = problem, error.note
    elif any(part in problem for part in _MISFITS) and (
        layout := _explain_layout(lines, mark.line)
    ):
        message, hint, place = layout
        return FileError(message, source=source, line=above + place[0], column=place[1], hint=hint)
    else:
        default = (
            f"this isn't YAML that pinsync reads: {problem}",
            "check the indentation and the quotes",
        )
        message, hint = next((row[1:] for row in _EXPLAINED if row[0] in problem), default)
    return FileError(
        message, source=source, line=above + mark.line + 1, column=mark.column + 1, hint=hint
    )


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end isn't reached yet; ``key`` is a key without its value yet."""

    path: Path
    value: list[object] | dict[str, object]
    key: str | None = None

    def wants_key(self) -> bool:
        return self.key is None and isinstance(self.value, dict)

    def build_next_path(self) -> Path:
        return (*self.path, len(self.value) if self.key is None else self.key)

    def add(self, value: object) -> None:
        if isinstance(self.value, list):
            self.value.append(value)
        elif self.key is not None:
            self.value[self.key] = value
            self.key = None


class _Builder:
    """Builds the data of one document from its events, without recursion."""

    def __init__(self, source: str, holds_text: Callable[[Path], bool], above: int) -> None:
        self.source = source
        self.holds_text = holds_text
        self.above = above
        self.data: object = None
        self.marks: dict[Path, Place] = {}
        self._open: list[_Open] = []

    def take(self, event: Event) -> None:
        place = (self.above + event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, (ScalarEvent, CollectionStartEvent)):
            self._add_node(event, place)
        elif isinstance(event, CollectionEndEvent):
            self._open.pop()
        elif isinstance(event, DocumentStartEvent) and self.marks:
            raise self._build_error(
                "a second document begins here", place, "keep one document in a file"
            )

    def _add_node(self, event: ScalarEvent | CollectionStartEvent, place: Place) -> None:
        parent = self._open[-1] if self._open else None
        if parent and parent.wants_key():
            parent.key = self._read_key(event, place, parent.path)
            return
        path = parent.build_next_path() if parent else ()
        # An entry of a mapping is marked already, at its key.
        self.marks.setdefault(path, place)
        if isinstance(event, CollectionStartEvent):
            value: object = self._open_collection(event, place, path)
        elif event.style is None:
            value = self._read_plain(event.value, place, path)
        else:
            value = self._read_quoted(event, place)
        if parent:
            parent.add(value)
        else:
            self.data = value

    def _open_collection(
        self, event: CollectionStartEvent, place: Place, path: Path
    ) -> list[object] | dict[str, object]:
        if len(self._open) == MAX_NESTING:
            message = f"nested more than {MAX_NESTING} levels deep"
            raise self._build_error(message, place, "make it flatter")
        value: list[object] | dict[str, object] = {}
        if isinstance(event, SequenceStartEvent):
            value = []
        self._open.append(_Open(path, value))
        return value

    def _read_key(
        self, event: ScalarEvent | CollectionStartEvent, place: Place, parent: Path
    ) -> str:
        key: object = None
        if isinstance(event, ScalarEvent) and event.style is not None:
            key = self._read_quoted(event, place)
        elif (
            isinstance(event, ScalarEvent)
            # YAML 1.1 merges another mapping at this key, and YAML 1.2 doesn't.
            and event.value != "<<"
            and not _NUMBER_1_1.fullmatch(event.value)
        ):
            key = self._resolve(event.value, place)
        if not isinstance(key, str):
            raise self._build_error("a key must be a text", place, "put the key in quotes")
        path = (*parent, key)
        if path in self.marks:
            message = (
                f"the key {_quote_shortened(key)} stands twice, first on line {self.marks[path][0]}"
            )
            raise self._build_error(message, place, "keep one of them")
        self.marks[path] = place
        return key

    def _read_plain(self, text: str, place: Place, path: Path) -> object:
        """Return the value of a plain scalar.

        Raises:
            FileError: readers of YAML 1.1 and 1.2 disagree on a number, and the field may hold one.
        """
        if text not in _NULLS and self.holds_text(path):
            value = canonical.read_value(text.encode())
            return text if value is None else value
        value = self._resolve(text, place)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if (is_number or _NUMBER_1_1.fullmatch(text)) and not _NUMBER_TO_ALL.fullmatch(text):
            number = "write it in decimal digits"
            if is_number:
                number = f"write {canonical.render_value(value)}"
            hint = f"{number} if it is a number; put it in quotes if it is a text"
            message = f"readers of YAML 1.1 and 1.2 take {_quote_shortened(text)} in different ways"
            raise self._build_error(message, place, hint)
        return value

    def _resolve(self, text: str, place: Place) -> object:
        """Resolve a plain scalar by YAML 1.2's core schema: ``no``, ``1:30`` and dates are text."""
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INTEGER.fullmatch(text):
            return self._read_integer(text, place)
        found = _FLOAT.fullmatch(text)
        if found is None:
            return text
        # A finite number may be too large for a float, and then becomes infinite.
        number = float(found["finite"] or "nan")
        if not math.isfinite(number):
            message = f"{_quote_shortened(text)} is not a finite number"
            raise self._build_error(message, place, "put it in quotes if it is a text")
        if is_too_small(text):
            message = f"{_quote_shortened(text)} is too small for a number"
            raise self._build_error(message, place, "write 0, or put a text in quotes")
        return number

    def _read_integer(self, text: str, place: Place) -> int:
        base = _BASES.get(text[:2], 10)
        # The length first: int() raises an error for more decimal digits.
        if len(text.lstrip("+-")) > MAX_DIGITS or (number := int(text, base)) >= _TOO_LARGE:
            hint = "put it in quotes if it is a text"
            raise self._build_error(f"an integer of more than {MAX_DIGITS:,} digits", place, hint)
        return number

    def _read_quoted(self, event: ScalarEvent, place: Place) -> str:
        """Return a text in quotes or behind ``|`` or ``>``."""
        text: str = event.value
        if event.style != '"':
            return text
        # JSON spells a character beyond U+FFFF as two escapes, and JSON files are YAML files. So
        # surrogate pairs are joined.
        try:
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError as error:
            message = "an escape that names half a character (a lone surrogate)"
            hint = "write the whole character, or the pair of escapes"
            raise self._build_error(message, place, hint) from error

    def _build_error(self, message: str, place: Place, hint: str) -> FileError:
        return FileError(message, source=self.source, line=place[0], column=place[1], hint=hint)


def _quote_shortened(text: str, limit: int = 60) -> str:
    if len(text) > limit:
        text = f"{text[:limit]}…"
    return f'"{text}"'
