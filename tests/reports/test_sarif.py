"""The report for code scanning."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from hypothesis import given
from msgspec.structs import replace

from pinsync import __version__
from pinsync.escape import INVISIBLE
from pinsync.model import Finding
from pinsync.reports import Style
from pinsync.reports.ci.findings import DRIFT_RULES, Context, FindingRule
from pinsync.reports.ci.sarif import MAX_RESULTS, render, render_findings
from support import paths
from support.drifts import CASES, HOSTILE, pin, placed, rule, state, tracker
from support.findings import DUPLICATE, EXPIRED, FINDINGS, LINT, NO_FILE, WHOLE_FILE
from support.strategies import QUICK, texts

if TYPE_CHECKING:
    from support.golden import Golden

STYLE: Final = Style(ZoneInfo("Europe/Bratislava"))
URI: Final = re.compile(
    r"[A-Za-z0-9._~!$&'()*+,;=@/-]*(?:%[0-9A-F]{2}[A-Za-z0-9._~!$&'()*+,;=@/-]*)*"
)
"""A relative reference without a colon, query or fragment (RFC 3986, section 4.2)."""


@cache
def _validator() -> jsonschema.Draft4Validator:
    text = (paths.CASES / "schemas" / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    jsonschema.Draft4Validator.check_schema(schema)
    return jsonschema.Draft4Validator(schema)


def checked(text: str) -> dict[str, Any]:
    """The only run of a log that is what the schema, and code scanning, say."""
    log = json.loads(text)
    _validator().validate(log)
    (run,) = log["runs"]
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert URI.fullmatch(place["artifactLocation"]["uri"])
        assert place["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        assert place["region"]["startLine"] >= 1
        assert place["region"].get("startColumn", 1) >= 1
        assert not re.search(INVISIBLE, result["message"]["text"])
        assert "ruleIndex" not in result or ids[result["ruleIndex"]] == result["ruleId"]
    record: dict[str, Any] = run
    return record


def lint(*findings: Finding) -> dict[str, Any]:
    return checked(render_findings(findings, LINT))


def prints(run: dict[str, Any]) -> list[str]:
    """The fingerprints of a run's results."""
    return [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]


@pytest.mark.parametrize("case", sorted(CASES.keys() - {"hostile"}))
def test_golden(case: str, golden: Golden) -> None:
    report = render(CASES[case](), STYLE).replace(
        f'"version": "{__version__}"', '"version": "(this)"'
    )
    golden(report, paths.CASES / "reports" / case / "sarif.json")


@pytest.mark.parametrize("case", sorted(CASES))
def test_a_drift_is_what_the_schema_says(case: str) -> None:
    run = checked(render(CASES[case](), STYLE))
    assert run["automationDetails"]["id"] == "pinsync-diff/"
    assert {result["ruleId"] for result in run["results"]} <= {rule.id for rule in DRIFT_RULES}
    assert len(set(prints(run))) == len(prints(run))


def test_the_schema_does_refuse() -> None:
    log = json.loads(render_findings([DUPLICATE], LINT))
    region = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]
    region["startColumn"] = 0
    with pytest.raises(jsonschema.ValidationError):
        _validator().validate(log)


def test_a_finding_is_a_result() -> None:
    first, _, third, last = lint(*FINDINGS)["results"]
    assert first | {"partialFingerprints": ...} == {
        "ruleId": "duplicate-id",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "the id 1 is that of line 4 too; leave it out"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {
                        "uri": "customizations/basket.yaml",
                        "uriBaseId": "%SRCROOT%",
                    },
                    "region": {"startLine": 12, "startColumn": 9},
                }
            }
        ],
        "partialFingerprints": ...,
    }
    assert third["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}
    assert "ruleIndex" not in third
    place = last["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]) == ("pinsync.yaml", {"startLine": 1})


def test_what_has_no_file_stands_at_the_configuration() -> None:
    style = replace(STYLE, configuration="the shop/pinsync.yaml")
    (result, *_) = checked(render(CASES["several"](), style))["results"]
    assert result["ruleId"] == "drift-incomplete"
    assert (
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        == "the%20shop/pinsync.yaml"
    )


def test_a_rule_explains_itself() -> None:
    run = lint()
    duplicate, expired = run["tool"]["driver"]["rules"]
    assert run["automationDetails"]["id"] == "pinsync-lint/"
    assert run["results"] == []
    assert duplicate["help"] == {
        "text": "Give one of them another id, or none.",
        "markdown": "Give one of them another `id`, or none.",
    }
    assert duplicate["defaultConfiguration"] == {"level": "error"}
    assert expired["defaultConfiguration"] == {"level": "warning"}


@pytest.mark.parametrize("rule", DRIFT_RULES, ids=lambda rule: rule.id)
def test_a_rule_of_a_drift_says_what_code_scanning_shows(rule: FindingRule) -> None:
    assert 20 < len(rule.summary) <= 1024
    assert len(rule.help) > len(rule.summary)
    assert "<" not in rule.help


def test_a_fingerprint_stays_when_lines_move() -> None:
    moved = replace(DUPLICATE, line=99, column=1, message="the id 1 is that of line 50 too")
    assert prints(lint(moved)) == prints(lint(DUPLICATE))
    others = [
        replace(DUPLICATE, rule="x"),
        replace(DUPLICATE, file="x"),
        replace(DUPLICATE, identity="x"),
    ]
    assert len(set(prints(lint(DUPLICATE, *others)))) == 4


def test_a_fingerprint_of_a_drift_stays_when_lines_and_pins_change() -> None:
    def found(pins: int, above: int) -> list[str]:
        old = state({"basket": [rule(1, "/p/1/", [pin(1, "/p/2/")])]})
        new = state(
            {"basket": [rule(1, "/p/1/", [pin(at + 1, f"/p/{at}/") for at in range(pins)])]}
        )
        result = tracker(old, new)
        changes = [
            replace(
                change, place=change.place and replace(change.place, line=change.place.line + above)
            )
            for change in placed(result.changes, old)
        ]
        drift = replace(CASES["one_pin"](), trackers=(replace(result, changes=tuple(changes)),))
        return prints(checked(render(drift, STYLE)))

    assert found(1, 0) == found(3, 20)


def test_equal_findings_are_told_apart() -> None:
    assert [
        text.rpartition(":")[2] for text in prints(lint(EXPIRED, EXPIRED, DUPLICATE, EXPIRED))
    ] == list("1213")


def test_what_code_scanning_would_refuse_is_cut_errors_first() -> None:
    findings = [replace(EXPIRED, line=number) for number in range(1, MAX_RESULTS + 1)] + [
        DUPLICATE,
        WHOLE_FILE,
    ]
    text = render_findings(findings, LINT)
    (run,) = json.loads(text)["runs"]
    assert len(run["results"]) == MAX_RESULTS
    assert [result["level"] for result in run["results"][:3]] == ["error", "error", "warning"]
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("2 results are left out")


def test_notes_and_failures_are_told() -> None:
    run = checked(render(CASES["several"](), replace(STYLE, configuration="shop/pinsync.yaml")))
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    failure, note = invocation["toolExecutionNotifications"]
    assert (failure["level"], note["level"]) == ("error", "note")
    assert failure["message"] == run["results"][0]["message"]
    assert note["message"]["text"] == "shop-pl: the answer has no date"
    for told in (failure, note):
        (location,) = told["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "shop/pinsync.yaml"
    assert run["results"][0]["ruleId"] == "drift-incomplete"
    assert checked(render(CASES["shop"](), STYLE))["invocations"][0]["executionSuccessful"] is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{price: {lt: 20}} and {0} {12} {a}", "{price: {lt: 20}} and {{0} {{12} {a}"),
        ("[x](https://evil.example)", "\\[x\\](https://evil.example)"),
        ("[a\\] b](1)", "\\[a\\\\\\] b\\](1)"),
        ("tags: [a] → [a, b]", "tags: [a] → [a, b]"),
    ],
)
def test_a_text_is_no_link_and_has_no_placeholder(text: str, expected: str) -> None:
    assert lint(replace(NO_FILE, message=text))["results"][0]["message"]["text"] == expected


@QUICK
@given(texts.filter(bool))
def test_any_text_is_data(text: str) -> None:
    finding = Finding(
        "rule", "error", text, file=text, line=1, hint=text, identity=text, model=text
    )
    context = Context("lint", (), notes=(text,))
    (result,) = checked(render_findings([finding], context))["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    if text.isascii() and text.isprintable() and "##[" not in text:
        assert unquote(uri) == text


@pytest.mark.parametrize("text", [text for text in HOSTILE if text])
def test_a_log_may_be_printed_in_a_job(text: str) -> None:
    report = render_findings([replace(DUPLICATE, message=text)], LINT)
    assert "##[" not in report
    assert not re.search(r"^\s*::", report, re.MULTILINE)
