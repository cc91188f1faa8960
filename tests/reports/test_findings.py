"""A drift as findings."""

from __future__ import annotations

from datetime import UTC

import pytest
from msgspec.structs import replace

from pinsync.drift.record import Side
from pinsync.errors import DataError
from pinsync.model import Finding
from pinsync.reports import Style
from pinsync.reports.ci.findings import (
    DRIFT_RULES,
    Context,
    choose_line,
    collect_findings,
    describe,
)
from pinsync.reports.drift import markdown, text
from support.drifts import CASES, HEAD, LIVE, Row, build_drift, failed, pin, rule, state, tracker

STYLE = Style(UTC)


def found(case: str) -> tuple[tuple[Finding, ...], Context]:
    return collect_findings(CASES[case](), STYLE)


def differing(old: list[Row], new: list[Row]) -> list[Finding]:
    """The findings of a model that differs."""
    drift = build_drift(HEAD, LIVE, (tracker(state({"basket": old}), state({"basket": new})),))
    return list(collect_findings(drift, STYLE)[0])


@pytest.mark.parametrize("case", sorted(CASES))
def test_every_change_and_every_failure_is_a_finding(case: str) -> None:
    findings, context = found(case)
    trackers = CASES[case]().trackers
    changes = [change for tracker in trackers for change in tracker.changes]
    failures = [tracker for tracker in trackers if tracker.error]
    assert len(findings) == len(failures) + len(changes)
    assert {finding.rule for finding in findings} <= {rule.id for rule in context.rules}
    for finding, change in zip(findings[len(failures) :], changes, strict=True):
        assert finding.rule == f"drift-{change.kind}"
        # The changes of a branch are no faults.
        is_error = change.effect == "shown" and case not in ("branch", "hostile")
        assert finding.severity == ("error" if is_error else "warning")
        assert (finding.file, finding.line) == (
            (change.place.file, change.place.line) if change.place else (None, None)
        )
        assert finding.model == change.subject.model


def test_the_cases_break_every_rule() -> None:
    assert {finding.rule for case in CASES for finding in found(case)[0]} == {
        rule.id for rule in DRIFT_RULES
    }


def test_a_failure_comes_first_with_its_remedy() -> None:
    first, *rest = found("several")[0]
    assert (first.rule, first.severity, first.file) == ("drift-incomplete", "error", None)
    assert first.hint == "check LUIGISBOX_KEY_CZ; the key belongs to one tracker"
    assert all(finding.rule != "drift-incomplete" for finding in rest)


def test_a_message_is_one_sentence_with_both_sides() -> None:
    (finding,) = found("one_pin")[0]
    assert finding.message == (
        "REPLACED at #1 · “Strings: 9-42 #1” (/p/123/) · basket · changed in the shop · difference "
        "to shoppers now: agreed #1 /p/234/ #2 /p/240/; shop #1 /p/999/ #2 /p/240/"
    )
    assert finding.hint == TAKE
    assert describe(finding) == f"{finding.message}; {finding.hint}"


def test_several_trackers_are_named() -> None:
    findings, context = found("several")
    first, *rest = findings
    assert first.message.startswith("shop-cz could not be compared: ")
    assert all(" · shop-sk · " in finding.message for finding in rest)
    assert [passed.suite for passed in context.passed] == ["shop-pl"]
    assert context.notes == ("shop-pl: the answer has no date",)


def test_many_pins_are_counted() -> None:
    (finding,) = differing(
        [rule(1, "/p/1/", [pin(at, f"/p/{at}/") for at in range(1, 16)])],
        [rule(1, "/p/1/", [pin(at, f"/q/{at}/") for at in range(1, 16)])],
    )
    assert finding.message.startswith("15 PINS REPLACED · ")
    assert finding.message.endswith(" #12 /q/12/ …")


def test_many_fields_are_counted() -> None:
    (finding,) = differing(
        *(
            [rule(1, "/p/1/", [], more={f"field_{at}": value for at in range(9)})]
            for value in (1, 2)
        )
    )
    assert finding.message.endswith("; agreed field_3: 1; shop field_3: 2; and 5 more")


def test_an_identity_names_the_tracker_and_the_rule() -> None:
    (first,) = found("one_pin")[0]
    assert first.identity == "default:00000000-0000-4000-8000-000000000001"
    unknown = {key: value for key, value in rule(1, "/p/1/", []).items() if key != "id"}
    identities = [finding.identity for finding in differing([unknown, rule(2, None, [])], [])]
    assert identities == ["default:item:/p/1/:", "default:00000000-0000-4000-8000-000000000002"]


def test_a_long_message_is_cut_in_the_end() -> None:
    error = DataError("x" * 5_000, hint="y" * 5_000)
    (finding,) = collect_findings(build_drift(HEAD, LIVE, (failed(error),)), STYLE)[0]
    assert len(describe(finding)) == 1_000 + 2 + 1_000


def test_a_line_is_there_where_one_must_be() -> None:
    finding = Finding("x", "error", "x", file="a.yaml", line=3)
    assert choose_line(finding) == 3
    assert choose_line(replace(finding, line=None)) == choose_line(replace(finding, file=None)) == 1


BY_HAND: Row = {"target_type": "item", "target_identity": "/p/7/"}
ENTER = "give the rule without an id in git the id of its rule in the shop, or delete it"
TAKE = "to make git the same as the shop: pinsync export --commit"


def test_what_an_export_keeps_has_another_remedy() -> None:
    old, new = [BY_HAND, rule(1, "/p/1/", [])], [rule(2, "/p/2/", [])]
    assert sorted((finding.name or "", finding.hint) for finding in differing(old, new)) == [
        ("/p/1/, id 00000000", TAKE),
        ("/p/2/, id 00000000", TAKE),
        ("/p/7/", ENTER),
    ]


@pytest.mark.parametrize(
    ("old", "new", "remedies"),
    [
        ([BY_HAND], [], [ENTER]),
        ([BY_HAND, rule(1, "/p/1/", [])], [], [TAKE, ENTER]),
        ([rule(1, "/p/1/", [])], [], [TAKE]),
        ([BY_HAND], [{**BY_HAND, "id": "x", "tags": ["a"]}], [TAKE]),
        ([BY_HAND], [{**BY_HAND, "id": "x"}, {**BY_HAND, "id": "y"}], [TAKE, ENTER]),
    ],
)
def test_a_report_ends_with_the_remedy_of_each_kind(
    old: list[Row], new: list[Row], remedies: list[str]
) -> None:
    drift = build_drift(HEAD, LIVE, (tracker(state({"basket": old}), state({"basket": new})),))
    report = " ".join(text.render(drift, STYLE).split())
    page = markdown.render(drift, STYLE)
    assert ("pinsync export --commit" in report) == (TAKE in remedies)
    assert ("| Make git the same as the shop: `pinsync export" in page) == (TAKE in remedies)
    assert ("- give the rule without an id in git" in report) == (ENTER in remedies)
    assert (f"| G{ENTER[1:]} |" in page) == (ENTER in remedies)
    hints = {finding.hint for finding in collect_findings(drift, STYLE)[0]}
    assert hints == set(remedies)


def test_the_remedy_of_a_change_of_git_is_to_apply_it() -> None:
    old, new = ([rule(1, "/p/1/", [], more={"tags": [tag]})] for tag in "ab")
    found = tracker(state({"basket": old}), state({"basket": new}))
    changes = tuple(replace(change, moved="git") for change in found.changes)
    drift = build_drift(HEAD, LIVE, (replace(found, changes=changes),))
    (finding,), _ = collect_findings(drift, STYLE)
    assert finding.hint == "to bring git's change to the shop, after a preview: pinsync apply"


def test_there_is_no_remedy_where_live_is_not_what_git_is_compared_with() -> None:
    sides = state({"basket": [BY_HAND]}), state({"basket": []})
    for old, new in ((HEAD, Side("@worktree")), (Side("@worktree"), LIVE)):
        (finding,), _ = collect_findings(build_drift(old, new, (tracker(*sides),)), STYLE)
        assert finding.hint is None
