"""Every failure pinsync knows, each with the exit code it ends the process with and a hint that says what to do."""

from __future__ import annotations

import re
from binascii import b2a_base64
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

INVISIBLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(f"{chr(plane | 0xFFFE)}{chr(plane | 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
    + "]"
)
"""Characters that are never written bare: controls, bidi and zero-width marks, surrogates, noncharacters.

A frozen list rather than this Python's Unicode tables, so that canonical text is the same under every Python.
"""

# The lists below are frozen too, so that every Python shows the same. They are of Unicode 17.0.
IGNORABLE: Final = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
"""Ranges of characters that show nothing by themselves, such as Hangul fillers: the property
Default_Ignorable_Code_Point (DerivedCoreProperties.txt) but for `SELECTORS`."""
SELECTORS: Final = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""Ranges of characters that choose a form of the character before them, an emoji or a Mongolian or
Chinese letter: the property Variation_Selector (PropList.txt)."""
BLANKS: Final = "\xa0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000"
"""Ranges of the blanks (PropList.txt, White_Space) but for U+0020 and those in `INVISIBLE`, and the
blank of Braille."""
_EMOJI: Final = (
    "#*0-9\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2934\u2935\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff"
)
"""Ranges of emoji (emoji-data.txt, Emoji), whole blocks of symbols where they hold many."""

HIDDEN: Final = re.compile(
    f"{INVISIBLE.pattern}|(?![\ufe0e\ufe0f])[{IGNORABLE}{SELECTORS}{BLANKS}]|(?<![{_EMOJI}])[\ufe0e\ufe0f]"
)
"""A character that an identity should not hold: nobody sees it, or can tell it from another blank."""
_NOT_PRINTABLE: Final = re.compile(
    # The last part is a selector that has no character before it to choose a form of.
    rf"{INVISIBLE.pattern}|[{IGNORABLE}]"
    rf"|(?<![^\x00-\"$-)+-/:-\x7f{INVISIBLE.pattern[1:-1]}{IGNORABLE}{SELECTORS}{BLANKS}])[{SELECTORS}]"
)

COMMANDS: Final[Mapping[str, str]] = {
    # actions/runner, src/Runner.Common/ActionCommand.cs, TryParse: anywhere in a line. act, Gitea and
    # Forgejo obey it at the beginning of a line; Azure Pipelines folds or colours lines by it.
    "GitHub Actions": r"#(?<=##)(?=\[)",
    # microsoft/azure-pipelines-agent, Command.cs, TryParse: anywhere in a line. Without the bracket
    # the job gets a warning (WorkerCommandManager.cs).
    "Azure Pipelines": "#(?<=##)(?=vso)",
    # https://www.jetbrains.com/help/teamcity/service-messages.html: anywhere in a line, and several
    # in one (JetBrains/TeamCity.ServiceMessages, ServiceMessageParser.cs).
    "TeamCity": r"#(?<=##)(?=teamcity\[)",
    # MyGet's documentation, "Build Services", service messages; the form is TeamCity's.
    "MyGet": r"#(?<=##)(?=myget\[)",
    # OctopusDeploy/Calamari, ServiceMessageParser.cs: anywhere in a line, the bracket optional. An
    # older parser ignores the case (Octopus.Shared.ServiceMessages).
    "Octopus Deploy": "#(?<=##)(?=(?i:octopus))",
    # https://docs.finalbuilder.com/ci/1.0/extending-continua-ci/custom-log-messages.html
    "Continua CI": r"@(?<=@@)(?=(?i:continua)\[)",
    # spinnaker/igor, PropertyParser: sets variables of a pipeline, read from the log of a build.
    "Spinnaker": "_(?<=SPINNAKER_)(?=PROPERTY_|CONFIG_JSON=)",
    # https://cmake.org/cmake/help/latest/command/ctest_test.html, "Additional Test Measurements":
    # sends values, and files of the machine, to a dashboard.
    "CTest": "<(?=DartMeasurement|CTest(?:Measurement|Details|Label))",
    # jenkinsci/junit-attachments-plugin, GetTestDataMethodObject.java: publishes a file of the
    # machine, named in the output of a test. GitLab links an artifact (ci/parsers/test/junit.rb).
    "Jenkins": r"\[(?<=\[\[)(?=ATTACHMENT\|)",
}
"""CI runner → pattern of a command that it obeys anywhere in a line of a job's log.

Each pattern matches one character: the one to escape. Text that only folds or colours lines is
left alone: Buildkite's headings (``--- ``, ``+++ ``, ``~~~ ``, ``^^^ +++``) and ``travis_fold:``.
GitLab's ``section_start:``, Drone's cards and Jenkins's notes need an ESC, which `printable` escapes.
AppVeyor, Bamboo, Bitbucket, CircleCI, GoCD and Woodpecker are not known to obey anything in a log.
"""
COMMAND: Final = "|".join(COMMANDS.values())
"""The pattern of any of `COMMANDS`."""

# actions/runner, ActionCommand.cs, TryParseV2: at the beginning of a line, behind white space. act,
# Gitea and Forgejo obey it too.
_COMMAND_OF_A_LINE: Final = r"(?m)^([^\S\n]*):(?=:)"

_MAX_KEY: Final = 100

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
    """Have `redacted` remove a secret from every text from now on."""
    _used.add(secret)


def forget_secrets() -> None:
    """Forget the secrets of an earlier command that ran in this process."""
    _used.clear()


def redacted(text: str, environ: Mapping[str, str], names: Iterable[str] | None = None) -> str:
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


def escaped(character: str) -> str:
    r"""Return the ``\uXXXX`` or ``\UXXXXXXXX`` escape of a character; newline and tab stay as they are."""
    if character in "\n\t":
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - the end of the BMP


def printable(text: str) -> str:
    r"""Return ``text`` with every character that shows nothing by itself as ``\uXXXX``.

    Such are controls, bidi marks, lone surrogates, zero-width characters and fillers. Newlines and
    tabs stay. Text from the API, a file or git is data: it must not move the cursor of a terminal,
    nor reorder a line. `defused` keeps a CI runner from obeying it.
    """
    return text if _is_plain(text) else _NOT_PRINTABLE.sub(_escape, text)


def one_line(text: str) -> str:
    r"""Return ``text`` with every control shown: newline and tab as ``\n`` and ``\t``, others as `printable` does."""
    return printable(text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t"))


def reveal(text: str) -> str:
    r"""Return ``text`` with every character of `HIDDEN` as ``\uXXXX``: for identities, not for prose.

    A title may hold a no-break space, or a selector of a letter's form. In an identity they are a
    mistake, or somebody's trick.
    """
    return text if _is_plain(text) else HIDDEN.sub(_escape, text)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _escape(match: re.Match[str]) -> str:
    return escaped(match[0])


def defused(text: str, escape: Callable[[str], str] = escaped) -> str:
    r"""Return ``text`` with one character of each command escaped, so that no CI runner obeys it.

    Args:
        text: whole lines of output. JSON may be passed as it is: a command stands in one of its
            strings, where the escape is JSON's own.
        escape: returns the escape of the character; by default ``\uXXXX``.
    """
    text = re.sub(COMMAND, lambda match: escape(match[0]), text)
    if "::" not in text:
        return text
    return re.sub(_COMMAND_OF_A_LINE, lambda match: match[1] + escape(":"), text)


def suggestion(word: str, known: Iterable[str], *, otherwise: str | None = None) -> str:
    """Return a hint at the known word nearest to ``word``, whatever the case of either.

    If none is near it is ``otherwise``, or a list of them all. Each is shown on one line: a word can't add a line.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - for mistakes only; help must stay quick

    words = sorted(known)
    folded = {spelled.casefold(): spelled for spelled in reversed(words)}  # the first in order, of those that are alike
    near = get_close_matches(word.casefold(), folded, n=1)
    if near:
        return f'did you mean "{reveal(one_line(folded[near[0]]))}"?'
    return otherwise or f"known: {', '.join(reveal(one_line(each)) for each in words)}"


def clipped(text: str, limit: int) -> str:
    """Return ``text``, or its beginning and an ellipsis if it has more than ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def spelled(path: Iterable[str | int]) -> str:
    """Return a path in data, of keys and indexes, as messages have it: ``pin_definitions[0].position``.

    A long key is cut off: a message isn't the place for it.
    """
    steps = (f"[{step}]" if isinstance(step, int) else f".{clipped(step, _MAX_KEY)}" for step in path)
    return "".join(steps).removeprefix(".")


def kind(value: object) -> str:
    """Return what messages call the type of a value, in JSON's words."""
    return KINDS.get(type(value), "null")


KINDS: Final[Mapping[type, str]] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    dict: "an object",
    list: "a list",
}
"""What messages call a type of JSON's."""


class PinsyncError(Exception):
    """What ends a command: a message for people, an exit code for scripts, and a hint at the remedy.

    It carries foreign text as it is; who shows it escapes.

    Args:
        message: what is wrong and what was expected, one sentence, without a secret.
        hint: what to do about it; shown on a line of its own.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(PinsyncError):
    """The command line asks for something that can't be done (exit 2)."""

    exit_code = 2


class FileError(PinsyncError):
    """A file that can't be read, or doesn't hold what it should (exit 2).

    Args:
        message: what is wrong and what was expected.
        source: the file's path, or ``revision:path``.
        line: counted from 1, if known.
        column: counted from 1, if known.
        hint: what to do about it.
    """

    exit_code = 2

    def __init__(
        self, message: str, *, source: str, line: int | None = None, column: int | None = None, hint: str | None = None
    ) -> None:
        # On one line, since only here is it known where a name that holds a line end begins and ends.
        place = ":".join(str(part) for part in (one_line(source), line, column) if part is not None)
        super().__init__(f"{place}: {message}", hint=hint)
        self.reason = message
        self.source = source
        self.line = line
        self.column = column


class ConfigError(FileError):
    """A setting, in ``pinsync.yaml`` or in the environment, that is missing or refused (exit 2)."""


class RepositoryError(PinsyncError):
    """Git is missing, or the repository isn't in a state to do what was asked (exit 2)."""

    exit_code = 2


class RemoteError(PinsyncError):
    """The network, the authentication, or an answer that can't be trusted (exit 3)."""

    exit_code = 3


class SafetyError(PinsyncError):
    """Refused so that nothing is lost; the hint names the flag that overrides (exit 4)."""

    exit_code = 4


class DataError(RemoteError):
    """An answer, or a part of one, that isn't what it should be (exit 3).

    Args:
        message: what is wrong and what was expected.
        path: where in the data, as keys and indexes; whoever read the data from a file turns it into a line.
        hint: what to do about it.
    """

    def __init__(self, message: str, *, path: tuple[str | int, ...] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.path = path
