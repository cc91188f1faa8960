"""Make foreign text harmless: for terminals, for the logs of CI, for lines of a report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# The patterns are texts: most commands need none of them, and compiling takes 1.3 ms.
INVISIBLE: Final = (
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(
        f"{chr(plane | 0xFFFE)}{chr(plane | 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000)
    )
    + "]"
)
"""Characters to escape always: controls, bidi and zero-width marks, surrogates, noncharacters.

The list is frozen, so that canonical text doesn't depend on the Unicode tables of a Python.
"""

# The lists below are frozen for the same reason. They are of Unicode 17.0.
IGNORABLE: Final = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
"""Ranges of characters that show nothing by themselves, such as Hangul fillers: the property
Default_Ignorable_Code_Point (DerivedCoreProperties.txt) without `SELECTORS`."""
SELECTORS: Final = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""Ranges of characters that choose a form of the character before them, an emoji or a Mongolian or
Chinese letter: the property Variation_Selector (PropList.txt)."""
BLANKS: Final = "\xa0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000"
"""Ranges of blanks (PropList.txt, White_Space) without U+0020 and those in `INVISIBLE`, and the
blank of Braille."""
_EMOJI: Final = (
    "#*0-9\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2934\u2935\u2b00-\u2bff\u3030\u303d"
    "\u3297\u3299\U0001f000-\U0001faff"
)
"""Ranges of emoji (emoji-data.txt, Emoji); a block of symbols with many emoji is included whole."""

HIDDEN: Final = (
    f"{INVISIBLE}"
    f"|(?![\ufe0e\ufe0f])[{IGNORABLE}{SELECTORS}{BLANKS}]"
    # U+FE0E and U+FE0F choose between the text form and the emoji form of an emoji.
    f"|(?<![{_EMOJI}])[\ufe0e\ufe0f]"
)
"""A character that nobody sees, or can tell from another blank: wrong in an identity."""
_NOT_PRINTABLE: Final = (
    rf"{INVISIBLE}|[{IGNORABLE}]"
    # A selector without a character before it that has several forms.
    rf"|(?<![^\x00-\"$-)+-/:-\x7f{INVISIBLE[1:-1]}{IGNORABLE}{SELECTORS}{BLANKS}])"
    rf"[{SELECTORS}]"
)

COMMANDS: Final[Mapping[str, str]] = {
    # actions/runner, src/Runner.Common/ActionCommand.cs, TryParse: anywhere in a line. act, Gitea
    # and Forgejo obey it at the beginning of a line; Azure Pipelines folds or colours lines by it.
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

Each pattern matches a single character, which is to be escaped. Text that only folds or colours
lines is left alone: Buildkite's headings (``--- ``, ``+++ ``, ``~~~ ``, ``^^^ +++``) and
``travis_fold:``. GitLab's ``section_start:``, Drone's cards and Jenkins's notes need an ESC, which
`printable` escapes. AppVeyor, Bamboo, Bitbucket, CircleCI, GoCD and Woodpecker are not known to
obey text in a log.
"""
COMMAND: Final = "|".join(COMMANDS.values())
"""The pattern of any of `COMMANDS`."""

# actions/runner, ActionCommand.cs, TryParseV2: at the beginning of a line, behind white space. act,
# Gitea and Forgejo obey it too.
_LINE_COMMAND: Final = r"(?m)^([^\S\n]*):(?=:)"
_MAX_BMP: Final = 0xFFFF
"""The last code point of the Basic Multilingual Plane."""


def escape_character(character: str) -> str:
    r"""Return a character as ``\uXXXX`` or ``\UXXXXXXXX``; newline and tab stay."""
    if character in "\n\t":
        return character
    code = ord(character)
    if code <= _MAX_BMP:
        return f"\\u{code:04x}"
    return f"\\U{code:08x}"


def printable(text: str) -> str:
    r"""Return ``text`` with each character that shows nothing by itself as ``\uXXXX``.

    Such characters are controls, bidi marks, lone surrogates, zero-width characters and fillers.
    Newlines and tabs stay. Text from the API, a file or git is data: it must not move the cursor of
    a terminal, nor reorder a line. `defuse` keeps a CI runner from obeying it.
    """
    # Most text is plain, and this check is faster than the pattern.
    if _is_plain(text):
        return text
    return re.sub(_NOT_PRINTABLE, _escape_match, text)


def one_line(text: str) -> str:
    r"""Return ``text`` on one line: `printable`, with ``\n`` and ``\t`` for newline and tab."""
    if _is_plain(text):
        return text
    return printable(text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t"))


def reveal(text: str) -> str:
    r"""Return an identity with each character of `HIDDEN` as ``\uXXXX``.

    Prose, such as a title, may hold a no-break space, or a selector of a letter's form. In an
    identity they are a mistake, or a trick.
    """
    if _is_plain(text):
        return text
    return re.sub(HIDDEN, _escape_match, text)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _escape_match(match: re.Match[str]) -> str:
    return escape_character(match[0])


def defuse(text: str, escape: Callable[[str], str] = escape_character) -> str:
    r"""Return ``text`` with one character of each command escaped, so that no CI runner obeys it.

    Args:
        text: whole lines of output. JSON may be passed unchanged: a command stands in one of its
            strings, where the escape is JSON's own.
        escape: returns the escape of a character; by default ``\uXXXX``.
    """
    text = re.sub(COMMAND, lambda match: escape(match[0]), text)
    if "::" not in text:
        return text
    return re.sub(_LINE_COMMAND, lambda match: match[1] + escape(":"), text)


def clip(text: str, limit: int) -> str:
    """Return ``text``, cut off with an ellipsis if longer than ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
