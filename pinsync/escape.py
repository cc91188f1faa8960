"""Foreign text made harmless: for terminals, for the logs of CI, for lines of a report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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


def escape_character(character: str) -> str:
    r"""Return the ``\uXXXX`` or ``\UXXXXXXXX`` escape of a character; newline and tab stay as they are."""
    if character in "\n\t":
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - the end of the BMP


def printable(text: str) -> str:
    r"""Return ``text`` with every character that shows nothing by itself as ``\uXXXX``.

    Such are controls, bidi marks, lone surrogates, zero-width characters and fillers. Newlines and
    tabs stay. Text from the API, a file or git is data: it must not move the cursor of a terminal,
    nor reorder a line. `defuse` keeps a CI runner from obeying it.
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
    return escape_character(match[0])


def defuse(text: str, escape: Callable[[str], str] = escape_character) -> str:
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


def clip(text: str, limit: int) -> str:
    """Return ``text``, or its beginning and an ellipsis if it has more than ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
