"""The report for test runners' pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from msgspec.structs import replace

from pinsync.errors import RemoteError
from pinsync.escape import one_line
from pinsync.model import Finding
from pinsync.reports import Style
from pinsync.reports.ci.findings import Context, PassedTest
from pinsync.reports.ci.junit import render, render_findings
from support import paths
from support.drifts import (
    CASES,
    HEAD,
    HOSTILE,
    LIVE,
    build_drift,
    failed,
    pin,
    rule,
    state,
    tracker,
)
from support.findings import DUPLICATE, EXPIRED, FINDINGS, LINT, WHOLE_FILE
from support.strategies import QUICK, texts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from support.golden import Golden

GOLDEN: Final = paths.CASES / "reports"
STYLE: Final = Style(ZoneInfo("Europe/Bratislava"))
OUTCOMES: Final = {"failures": "failure", "errors": "error"}


def checked(text: str) -> ET.Element:
    """The root of a report in which XML, tags, names and counts are right."""
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ')
    assert "<!" not in text  # no document type, and no section that could end early
    root = ET.fromstring(text.encode())  # noqa: S314 - of our own making
    assert {suite.tag for suite in root} <= {"testsuite"}
    assert {test.tag for suite in root for test in suite} <= {"testcase"}
    assert {outcome.tag for test in root.iter("testcase") for outcome in test} <= set(
        OUTCOMES.values()
    )
    for element in (root, *root):
        assert int(element.attrib["tests"]) == len(element.findall(".//testcase")) > 0
        for name, tag in OUTCOMES.items():
            assert int(element.attrib[name]) == len(element.findall(f".//{tag}"))
    keys = [(test.attrib["classname"], test.attrib["name"]) for test in root.iter("testcase")]
    assert len(set(keys)) == len(keys)
    return root


def lint(findings: Iterable[Finding], context: Context = LINT) -> ET.Element:
    return checked(render_findings(tuple(findings), context))


def names(root: ET.Element) -> list[str]:
    """The names of the tests."""
    return [test.attrib["name"] for test in root.iter("testcase")]


@pytest.mark.parametrize("case", sorted(CASES.keys() - {"hostile"}))
def test_golden(case: str, golden: Golden) -> None:
    golden(render(CASES[case](), STYLE), GOLDEN / case / "junit.xml")


@pytest.mark.parametrize("case", sorted(CASES))
def test_a_drift_is_a_suite_for_each_model(case: str) -> None:
    drift = CASES[case]()
    root = checked(render(drift, STYLE))
    models = {
        f"{tracker.name}/{change.subject.model}"
        if len(drift.trackers) > 1
        else change.subject.model
        for tracker in drift.trackers
        for change in tracker.changes
    }
    assert set(map(one_line, models)) <= {suite.attrib["name"] for suite in root}
    assert int(root.attrib["failures"]) == sum(len(tracker.changes) for tracker in drift.trackers)
    assert int(root.attrib["errors"]) == sum(
        tracker.error is not None for tracker in drift.trackers
    )


def test_a_finding_is_a_failure_in_the_suite_of_its_model() -> None:
    root = lint(FINDINGS)
    assert [suite.attrib["name"] for suite in root] == [
        "basket",
        "customizations/homepage.yaml",
        "other",
        "homepage",
    ]
    first = root[0][0]
    assert first.attrib == {
        "classname": "basket",
        "name": "duplicate-id: customizations/basket.yaml: 1",
        "time": "0",
        "file": "customizations/basket.yaml",
        "line": "12",
    }
    assert first[0].tag == "failure"
    assert first[0].attrib == {"type": "duplicate-id", "message": "the id 1 is that of line 4 too"}
    assert first[0].text == "the id 1 is that of line 4 too; leave it out"
    assert names(root)[-1] == "no findings"
    assert len(root[-1][0]) == 0


def test_there_is_a_test_even_where_nothing_was_found() -> None:
    assert names(lint((), Context("lint", ()))) == ["nothing found"]
    assert names(checked(render(CASES["in_sync"](), STYLE))) == ["in sync"]


def test_equal_tests_get_a_number() -> None:
    assert names(lint([EXPIRED, EXPIRED, DUPLICATE, EXPIRED], Context("lint", ()))) == [
        "expired-pin: customizations/basket.yaml",
        "expired-pin: customizations/basket.yaml (2)",
        "duplicate-id: customizations/basket.yaml: 1",
        "expired-pin: customizations/basket.yaml (3)",
    ]
    taken = [replace(EXPIRED, name=name) for name in ("a", "a (2)", "a", "a")]
    assert names(lint(taken, Context("lint", ()))) == ["a", "a (2)", "a (3)", "a (4)"]


def test_a_test_is_the_same_one_when_what_is_wrong_there_changes() -> None:
    moved = replace(
        DUPLICATE, line=99, column=1, message="the id 1 is that of line 50 too", hint=None
    )
    assert names(lint([moved])) == names(lint([DUPLICATE]))
    of_message = replace(WHOLE_FILE, identity=WHOLE_FILE.message)
    assert names(lint([of_message])) == names(lint([WHOLE_FILE]))
    committed = [rule(1, "/p/1/", [pin(1, "/p/2/")], "Strings"), rule(2, "/p/2/", [])]
    for live in (
        [],
        [rule(1, "/p/1/", [pin(2, "/p/2/")], "Strings"), rule(2, "/p/2/", [pin(1, "/p/3/")])],
    ):
        sides = (state({"basket": rows}) for rows in (committed, live))
        root = checked(render(build_drift(HEAD, LIVE, (tracker(*sides),)), STYLE))
        assert names(root) == ["“Strings” (/p/1/), id 00000000", "/p/2/, id 00000000"]


@pytest.mark.parametrize(("target", "title"), [("/p/1/", ""), ("/p/" + "1" * 500, "s" * 500)])
def test_what_else_differs_changes_no_name(target: str, title: str) -> None:
    one, other, third = (
        {**rule(1, target, [], title), "id": f"{letter * 8}-1"} for letter in "abc"
    )
    by_hand = {"target_type": "item", "target_identity": target}
    found = [
        names(
            checked(render(build_drift(HEAD, LIVE, (tracker(state({"basket": rows}), []),)), STYLE))
        )
        for rows in ([one], [one, other], [one, other, third, by_hand])
    ]
    assert [len(tests) for tests in found] == [1, 2, 4]
    assert set(found[0]) < set(found[1]) < set(found[2])
    assert found[0][0].endswith(", id aaaaaaaa")


def test_a_tracker_that_can_be_compared_again_is_the_same_test() -> None:
    broken, fine = failed(RemoteError("no answer")), tracker([], [])
    roots = [checked(render(build_drift(HEAD, LIVE, (found,)), STYLE)) for found in (broken, fine)]
    assert [names(root) for root in roots] == [["in sync"], ["in sync"]]
    assert [[suite.attrib["name"] for suite in root] for root in roots] == [
        ["default"],
        ["default"],
    ]
    assert [root.attrib["errors"] for root in roots] == ["1", "0"]


def test_a_tracker_that_could_not_be_compared_is_an_error() -> None:
    root = checked(render(CASES["several"](), STYLE))
    (error,) = root.iter("error")
    assert error.attrib["type"] == "drift-incomplete"
    assert error.text
    assert "check LUIGISBOX_KEY_CZ" in error.text
    assert {suite.attrib["name"] for suite in root} >= {"shop-cz", "shop-pl", "shop-sk/basket"}


def test_one_model_of_two_trackers_is_two_suites() -> None:
    drift = CASES["several"]()
    first = drift.trackers[0]
    root = checked(render(replace(drift, trackers=(first, replace(first, name="shop-cz"))), STYLE))
    counts = {suite.attrib["name"]: suite.attrib["failures"] for suite in root}
    assert counts["shop-sk/basket"] == counts["shop-cz/basket"]


def test_a_note_is_a_test_that_passed() -> None:
    root = checked(render(CASES["branch"](), STYLE))
    assert root[0].attrib["name"] == "notes"
    assert names(root)[0].startswith("pinsync.yaml differs: ignore has tags")


@pytest.mark.parametrize("text", [text for text in HOSTILE if text])
def test_known_harm_is_data(text: str) -> None:
    assert_data(text)


@QUICK
@given(texts.filter(bool))
def test_any_text_is_data(text: str) -> None:
    assert_data(text)


def assert_data(text: str) -> None:
    finding = Finding("rule", "error", text, file=text, line=1, hint=text, model=text)
    context = Context("lint", (), (PassedTest(text, "fine"),), (text,))
    report = render_findings([finding, replace(finding, model=None)], context)
    root = checked(report)
    (failure, _) = root.iter("failure")
    assert failure.text == f"{one_line(text)}; {one_line(text)}"[: len(failure.text or "")]
    assert [test.attrib["file"] for test in root.iter("testcase") if "file" in test.attrib] == [
        one_line(text)
    ] * 2
    assert "##[" not in report
