"""The report for the pages of test runners: JUnit's XML, as Jenkins and GitLab read it.

A difference or fault is a failed test. A tracker that could not be compared, or a file that could
not be read, is a test with an error.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from pinsync.escape import clip, defuse, one_line
from pinsync.reports.ci.findings import collect_findings, describe, is_failure, name_suite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.drift.record import Drift
    from pinsync.model import Finding
    from pinsync.reports import Style
    from pinsync.reports.ci.findings import Context

_MAX_NAME: Final = 200
_MAX_MESSAGE: Final = 300
_COUNTED: Final = {"tests": "testcase", "failures": "failure", "errors": "error"}


def render(drift: Drift, style: Style) -> str:
    """Return the drift as JUnit's XML: a suite for each model, a test for each customization.

    Args:
        drift: the drift.
        style: the time zone.
    """
    return render_findings(*collect_findings(drift, style))


def render_findings(findings: Sequence[Finding], context: Context) -> str:
    """Return findings as JUnit's XML, with a final newline.

    The suite of a finding is its model, or its file if it has no model.

    Args:
        findings: the findings.
        context: the command, the passed tests and the notes.
    """
    report = _Report(context.command)
    for note in context.notes:
        report.add_test("notes", note)
    for finding in findings:
        report.add_failure(finding)
    for passed in context.passed:
        report.add_test(passed.suite, passed.name)
    # Some readers take a report without tests for broken.
    if not (findings or context.passed):
        report.add_test(context.command, "nothing found")
    return report.render()


class _Report:
    """A document whose suites stand in the order of their first tests."""

    def __init__(self, command: str) -> None:
        self._root = ET.Element("testsuites", name=f"pinsync {command}")
        self._suites: dict[str, ET.Element] = {}
        self._names: set[tuple[str, str]] = set()
        self._equal: Counter[tuple[str, str]] = Counter()

    def add_test(self, suite: str, name: str) -> ET.Element:
        """Add a test that passed."""
        suite = one_line(suite)
        name = clip(one_line(name), _MAX_NAME)
        if suite not in self._suites:
            self._suites[suite] = ET.SubElement(self._root, "testsuite", name=suite)
        # Readers tell tests apart by their names, so equal names get a number.
        full = name
        while (suite, full) in self._names:
            self._equal[suite, name] += 1
            full = f"{name} ({self._equal[suite, name] + 1})"
        self._names.add((suite, full))
        return ET.SubElement(self._suites[suite], "testcase", classname=suite, name=full, time="0")

    def add_failure(self, finding: Finding) -> None:
        """Add a test that failed, or a test with an error."""
        # A tracker that can't be compared keeps its suite, whichever file is at fault.
        owner = finding.identity if finding.name else finding.file
        suite = name_suite(finding.model, finding.tracker)
        suite = suite or owner or finding.identity or finding.rule
        # Named by the rule or the fault, not by the message, so that readers see the same test
        # fail again when the difference grows.
        test = self.add_test(suite, finding.name or _name_fault(finding))
        if finding.file is not None:
            test.set("file", one_line(finding.file))
            if finding.line is not None:
                test.set("line", str(finding.line))
        message = clip(one_line(finding.message), _MAX_MESSAGE)
        kind = "error" if is_failure(finding) else "failure"
        ET.SubElement(test, kind, type=finding.rule, message=message).text = describe(finding)

    def render(self) -> str:
        """Return the document."""
        for element in (self._root, *self._suites.values()):
            for name, tag in _COUNTED.items():
                element.set(name, str(len(list(element.iter(tag)))))
            element.set("time", "0")
        ET.indent(self._root)
        text = defuse(ET.tostring(self._root, encoding="unicode"), _write_reference)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _write_reference(character: str) -> str:
    """Return a character reference (XML 1.0, section 4.1), which readers resolve."""
    return f"&#{ord(character)};"


def _name_fault(finding: Finding) -> str:
    """Return a name without the line, which moves: ``expired: customizations/basket.yaml: 123``."""
    identity = finding.identity if finding.identity != finding.message else None
    return ": ".join(filter(None, (finding.rule, finding.file, identity)))
