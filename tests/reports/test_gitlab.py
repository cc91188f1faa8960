"""The report for GitLab's merge requests."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from hypothesis import given
from msgspec.structs import replace

from pinsync.errors import RemoteError
from pinsync.escape import INVISIBLE
from pinsync.model import Finding
from pinsync.reports import Style
from pinsync.reports.ci.findings import Context
from pinsync.reports.ci.gitlab import render, render_findings
from support import paths
from support.drifts import CASES, failed, several
from support.findings import DUPLICATE, EXPIRED, FINDINGS, LINT, NO_FILE
from support.strategies import QUICK, texts

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import CommandLine
    from support.golden import Golden

GOLDEN: Final = paths.CASES / "reports"
STYLE: Final = Style(ZoneInfo("Europe/Bratislava"))
REPORT: Final = jsonschema.Draft202012Validator(
    {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["description", "check_name", "fingerprint", "severity", "location"],
            "additionalProperties": False,
            "properties": {
                "description": {"type": "string", "minLength": 1},
                "check_name": {"type": "string", "minLength": 1},
                "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}(-[0-9]+)?$"},
                "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
                "location": {
                    "type": "object",
                    "required": ["path", "lines"],
                    "properties": {
                        "path": {"type": "string", "pattern": "^[^/]"},
                        "lines": {
                            "type": "object",
                            "required": ["begin"],
                            "properties": {"begin": {"type": "integer", "minimum": 1}},
                        },
                    },
                },
            },
        },
    }
)
"""GitLab's description of the format, "Code Quality report format" in its reference; it publishes
no schema.
"""


def checked(text: str) -> list[dict[str, Any]]:
    """The issues of a report that GitLab takes."""
    assert text.startswith("[")  # no byte order mark, which GitLab refuses
    issues: list[dict[str, Any]] = json.loads(text)
    REPORT.validate(issues)
    prints = [issue["fingerprint"] for issue in issues]
    assert len(set(prints)) == len(prints)
    return issues


def lint(*findings: Finding) -> list[dict[str, Any]]:
    return checked(render_findings(findings, LINT))


@pytest.mark.parametrize("case", sorted(CASES.keys() - {"hostile"}))
def test_golden(case: str, golden: Golden) -> None:
    golden(render(CASES[case](), STYLE), GOLDEN / case / "gitlab.json")


@pytest.mark.parametrize("case", sorted(CASES))
def test_a_drift_is_what_gitlab_takes(case: str) -> None:
    drift = CASES[case]()
    changes = sum(len(tracker.changes) for tracker in drift.trackers)
    issues = [
        issue for issue in checked(render(drift, STYLE)) if issue["check_name"].startswith("drift-")
    ]
    assert len(issues) == changes + sum(tracker.error is not None for tracker in drift.trackers)


def test_a_finding_is_an_issue() -> None:
    first, second, third, last = lint(*FINDINGS)
    assert first | {"fingerprint": ...} == {
        "description": "the id 1 is that of line 4 too; leave it out",
        "check_name": "duplicate-id",
        "fingerprint": ...,
        "severity": "major",
        "location": {"path": "customizations/basket.yaml", "lines": {"begin": 12}},
    }
    assert second["severity"] == "minor"
    assert third["location"] == {"path": "customizations/homepage.yaml", "lines": {"begin": 1}}
    assert last["location"] == {"path": "pinsync.yaml", "lines": {"begin": 1}}


def test_what_has_no_file_stands_at_the_configuration() -> None:
    (issue,) = checked(render_findings([NO_FILE], replace(LINT, configuration="shop/pinsync.yaml")))
    assert issue["location"]["path"] == "shop/pinsync.yaml"
    assert issue["fingerprint"] == lint(NO_FILE)[0]["fingerprint"]
    issues = checked(render(CASES["several"](), replace(STYLE, configuration="shop/pinsync.yaml")))
    assert {
        issue["location"]["path"] for issue in issues if issue["check_name"] == "drift-incomplete"
    } == {"shop/pinsync.yaml"}


def test_a_drift_check_names_the_configuration_that_was_used(
    repository: Path, pinsync: CommandLine
) -> None:
    (repository / "shop").mkdir()
    (repository / "shop" / "pinsync.yaml").write_text(
        "format: 1\ntrackers: {shop: {tracker_id: 1-1}}\n"
    )
    result = pinsync("diff", "--config", "shop/pinsync.yaml", "--format", "gitlab")
    issues = [issue for issue in checked(result.out) if issue["check_name"] == "drift-incomplete"]
    assert [issue["location"]["path"] for issue in issues] == ["shop/pinsync.yaml"]


def test_nothing_is_an_empty_array() -> None:
    assert lint() == []
    assert checked(render(CASES["in_sync"](), STYLE)) == []


def test_equal_findings_have_fingerprints_of_their_own_which_stay() -> None:
    def prints(*findings: Finding) -> list[str]:
        return [issue["fingerprint"] for issue in lint(*findings)]

    first, second, third = prints(EXPIRED, EXPIRED, EXPIRED)
    assert (second, third) == (f"{first}-2", f"{first}-3")
    moved = replace(EXPIRED, line=1)
    assert prints(DUPLICATE, moved, moved)[1:] == [first, second]


def test_trackers_with_one_failure_are_two_issues() -> None:
    error = RemoteError("no connection")
    drift = replace(
        several(), trackers=(failed(error, name="shop-sk"), failed(error, name="shop-cz"))
    )
    issues = checked(render(drift, STYLE))
    assert [issue["description"] for issue in issues] == [
        "shop-sk could not be compared: no connection",
        "shop-cz could not be compared: no connection",
    ]


def test_a_note_is_for_information() -> None:
    first, *rest = checked(render(CASES["branch"](), STYLE))
    assert (first["severity"], first["check_name"]) == ("info", "note")
    assert first["description"] == CASES["branch"]().notes[0]
    assert all(issue["severity"] in ("major", "minor") for issue in rest)


@QUICK
@given(texts.filter(bool))
def test_any_text_is_data(text: str) -> None:
    finding = Finding(
        "rule", "error", text, file=f"a{text}", line=1, hint=text, identity=text, model=text
    )
    report = render_findings(
        [finding, replace(NO_FILE, message=text)], Context("lint", (), notes=(text,))
    )
    assert len(checked(report)) == 3
    assert not re.search(INVISIBLE, report.replace("\n", ""))
    assert "##[" not in report
