"""What stands in for the CI runners: what each obeys in a job's log, by the rules of its source."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from support.workflows import commands

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

HOSTILE: Final = (
    "##vso[task.setvariable variable=x]y",
    "a ##vso[task.complete result=Failed;]b",
    "a ##VSO ##vso",
    "##teamcity[buildStatus status='FAILURE' text='{build.status.text} x']",
    "a##teamcity[buildNumber 'x']b ##teamcity[setParameter name='env.PATH' value='|0x0078']",
    "##myget[buildProblem description='x']",
    'a##octopus[setVariable name="eA==" value="eA=="]',
    '##octopus setVariable name="eA=="]',
    '##Octopus [createArtifact path="eA=="]',
    "@@continua[setBuildStatus value='x']",
    "a @@Continua[pinBuild comment='x']",
    "SPINNAKER_PROPERTY_X=y",
    "a SPINNAKER_PROPERTY_X=y",
    ' SPINNAKER_CONFIG_JSON={"x": 1}',
    '<DartMeasurementFile name="x" type="text/plain">/etc/passwd</DartMeasurementFile>',
    '<DartMeasurement name="x" type="numeric/double">1</DartMeasurement>',
    '<CTestMeasurementFile type="file" name="x">/etc/passwd</CTestMeasurementFile>',
    "<CTestDetails>x</CTestDetails>",
    "<CTestLabel>x</CTestLabel>",
    "[[ATTACHMENT|/etc/passwd]]",
    "a [[[ATTACHMENT|/etc/passwd]]",
    "###[error]x",
    "##[error]##[add-mask]x",
    "##[[ATTACHMENT|x]] ##vso[a.b] <CTestLabel>x</CTestLabel>",
    "::error::##vso[a.b]",
)
"""Texts that a runner would obey, each at least one."""
FOLDING: Final = (
    "section_start:1:x\r\x1b[0Ky",
    "travis_fold:start:x\r\x1b[0Ky",
    "\x1b]1338;https://evil.example\x07x",
    "\x1b[8mha:AAAA\x1b[0mx",
)
"""Texts that a runner acts on only if their control characters come through."""
HARMLESS: Final = (
    "# 1",
    "C# [new]",
    "## Sale [2026]",
    "###",
    "#[x]",
    "--- cut here",
    "+++ more",
    "~~~ less",
    "^^^ +++",
    "a ::error::x",
    "@@ -1 +1 @@",
    "me@@continua.example",
    "vso[a.b] teamcity[x 'y'] octopus[x]",
    "#vso[a.b]",
    "SPINNAKER",
    "[[x]] [ATTACHMENT|x]",
    "1 < 2, <Dart>, <CTest>",
)
"""Texts that look a little like a command, and that no runner obeys."""


def _azure(log: str) -> Iterator[str]:
    """The agent's Command.TryParse obeys ``##vso[area.event …]``; its manager warns of any
    ``##vso``.
    """
    for line in _lines(log):
        if "##vso" in line:
            yield line


def _service_messages(name: str) -> Callable[[str], Iterator[str]]:
    """TeamCity's ServiceMessageParser: the opening anywhere, a name, and the rest up to a
    bracket.
    """

    def found(log: str) -> Iterator[str]:
        for line in _lines(log):
            for piece in line.split(f"##{name}[")[1:]:
                if "]" in piece and re.match(r"[A-Za-z][\w-]*[ \t]", piece):
                    yield piece

    return found


def _octopus(log: str) -> Iterator[str]:
    """Calamari's ServiceMessageParser: a machine that keeps its state from line to line."""
    opening, buffer, inside = "##octopus", "", False
    for character in "".join(_lines(log)):
        buffer += character
        if inside:
            if character == "]":
                yield from _element(buffer[:-1].strip().lstrip("["))
                buffer, inside = "", False
        elif buffer == opening:
            buffer, inside = "", True
        elif not opening.startswith(buffer):
            buffer = ""
    # Octopus.Shared's ServiceMessageParser, the one before.
    for message in re.findall(r"(?im)##octopus\s*?\[(.+?)\]", log):
        yield from _element(message)


def _element(message: str) -> Iterator[str]:
    try:
        element = ET.fromstring(f"<{message}/>")  # noqa: S314 - of our own making
        for value in element.attrib.values():
            base64.b64decode(value, validate=True)
    except (ET.ParseError, ValueError):
        return
    yield message


def _continua(log: str) -> Iterator[str]:
    """Continua CI, Custom Log Messages: ``@@continua[messageType parameter='value']``."""
    yield from re.findall(r"(?i)@@continua\[\w+ .*?\]", log)


def _spinnaker(log: str) -> Iterator[str]:
    """Igor's PropertyParser, and clouddriver's, which finds a property behind other text too."""
    for line in log.split("\n"):
        if "SPINNAKER_PROPERTY_" in line or re.match(r"\s*SPINNAKER_CONFIG_JSON=", line):
            yield line


def _ctest(log: str) -> Iterator[str]:
    """cmCTestTestHandler's regular expressions, over the whole output of a test."""
    for name in ("DartMeasurement", "CTestMeasurement"):
        yield from re.findall(f"(?s)(<{name}.*/{name}[a-zA-Z]*>)", log)
    for name in ("CTestDetails", "CTestLabel"):
        yield from re.findall(f"(?s)<{name}>(.*?)</{name}>", log)


def _attachments(log: str) -> Iterator[str]:
    """The pattern of Jenkins's junit-attachments-plugin; that of GitLab is stricter."""
    yield from re.findall(r"\[\[ATTACHMENT\|.+\]\]", log)


def _controls(log: str) -> Iterator[str]:
    """Sections of GitLab, folds of Travis, links of Buildkite, notes of Jenkins: all hold an
    ESC.
    """
    yield from re.findall(r"section_(?:start|end):\d+:[\w.-]+(?:\[[^\]]*\])?\r\x1b\[0K", log)
    yield from re.findall(
        r"travis_\w+:\S+\r\x1b\[0K|\x1b\]133[78];[^\x07]*\x07|\x1b\[8mha:.*?\x1b\[0m", log
    )


_RUNNERS: Final[Mapping[str, Callable[[str], Iterator[str]]]] = {
    "Azure Pipelines": _azure,
    "TeamCity": _service_messages("teamcity"),
    "MyGet": _service_messages("myget"),
    "Octopus Deploy": _octopus,
    "Continua CI": _continua,
    "Spinnaker": _spinnaker,
    "CTest": _ctest,
    "Jenkins": _attachments,
    "controls": _controls,
}


def _lines(log: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", log)


def find_foreign_commands(log: str) -> list[tuple[str, str]]:
    """What runners other than GitHub's obey in a log: the runner, and what it takes for a
    command.
    """
    return [(name, found) for name, runner in _RUNNERS.items() for found in runner(log)]


def find_commands(log: str) -> list[tuple[str, str]]:
    """What any runner obeys in a log."""
    return [("GitHub Actions", line) for line in commands(log)] + find_foreign_commands(log)
