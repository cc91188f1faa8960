"""Several trackers in one diff: a section each, one failing among them, and one exit code for
all.
"""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.commands import diff
from pinsync.drift.changes import compare_customizations, find_titles
from pinsync.sandbox import Answer, Fault, Sandbox, parse_fault
from support.diffing import checked, diffed
from support.exporting import HOME, STRINGS, edited, put, repinned, rows, rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Set

    from pinsync.drift.record import Change
    from pinsync.model import Customization
    from support.command_line import CommandLine

NAMES = ("sk", "cz", "hu")


@pytest.fixture
def apis(
    repository: Path, monkeypatch: pytest.MonkeyPatch, pinsync: CommandLine
) -> Iterator[dict[str, Sandbox]]:
    """Three trackers with the same small shop, exported and committed."""
    with ExitStack() as stack:
        monkeypatch.setenv("PINSYNC_ALLOW_HOST", "127.0.0.1")
        lines = ["trackers:"]
        served = {}
        for number, name in enumerate(NAMES, 1):
            api = stack.enter_context(
                Sandbox(rows(), tracker_id=str(number), private_key=f"secret-{name}")
            )
            monkeypatch.setenv(f"KEY_{name.upper()}", f"secret-{name}")
            key = f"private_key_env: KEY_{name.upper()}"
            lines.append(f'  {name}: {{tracker_id: "{number}", {key}, hosts: ["{api.url}"]}}')
            served[name] = api
        put(repository / "pinsync.yaml", "\n".join(lines) + "\n")
        assert pinsync("export", "--commit").code == 0
        yield served


def sections(record: dict[str, Any]) -> list[tuple[str, bool, int]]:
    return [
        (section["name"], section["complete"], len(section["changes"]))
        for section in record["trackers"]
    ]


def test_each_has_a_section_in_the_configurations_order(
    apis: dict[str, Sandbox], pinsync: CommandLine
) -> None:
    assert diffed(pinsync).code == 0
    repinned(apis["cz"], STRINGS)
    found = diffed(pinsync)
    assert sections(found.record) == [("sk", True, 0), ("cz", True, 1), ("hu", True, 0)]
    assert found.changes[0]["file"] == "customizations/cz/basket.yaml"
    assert {name: len(api.requests) for name, api in apis.items()} == dict.fromkeys(NAMES, 3)


def test_all_are_seen_from_the_moment_that_the_report_names(
    apis: dict[str, Sandbox], pinsync: CommandLine
) -> None:
    begin = datetime.now(UTC) + timedelta(days=1)
    row = {**rule(7), "target_type": "all", "target_identity": None}
    row["pin_definitions"] = [{**rows()[0]["pin_definitions"][0], "active_from": begin.isoformat()}]
    body = json.dumps({"results": [*rows(), row]}).encode()
    for name, days in (("sk", 0), ("cz", 2), ("hu", 0)):
        apis[name].fail(Fault(answer=Answer(200, body), clock=days * 86400))
    found = diffed(pinsync)
    assert found.record["to"]["fetched_at"] > begin.isoformat()
    assert [change["shoppers"]["when"] for change in found.changes] == ["now"] * 3


def test_chosen_ones_alone_are_asked(apis: dict[str, Sandbox], pinsync: CommandLine) -> None:
    repinned(apis["cz"], STRINGS)
    found = diffed(pinsync, "--tracker", "hu", "--tracker", "sk")
    assert (found.code, sections(found.record)) == (0, [("sk", True, 0), ("hu", True, 0)])
    assert len(apis["cz"].requests) == 1


@pytest.mark.parametrize(
    ("faults", "code", "drift"),
    [
        ({}, 0, False),
        ({"hu": "drift"}, 1, True),
        ({"cz": "remote"}, 3, None),
        ({"sk": "drift", "cz": "remote"}, 3, True),
        ({"sk": "key", "cz": "remote"}, 2, None),
        ({"sk": "drift", "cz": "file", "hu": "remote"}, 2, True),
    ],
)
def test_the_gravest_wins_and_the_rest_is_reported(
    faults: dict[str, str],
    code: int,
    drift: bool | None,
    apis: dict[str, Sandbox],
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, fault in faults.items():
        if fault == "drift":
            repinned(apis[name], STRINGS)
        elif fault == "remote":
            apis[name].fail(parse_fault("401:*"))
        elif fault == "key":
            monkeypatch.delenv(f"KEY_{name.upper()}")
        else:
            put(Path("customizations", name, "basket.yaml"), "customizations: 3\n")
    found = diffed(pinsync, "@worktree", "@live")
    assert (found.code, found.record["drift"]) == (code, drift)
    failed = {name for name, fault in faults.items() if fault != "drift"}
    assert {name for name, complete, _ in sections(found.record) if not complete} == failed
    assert found.err.count("error: ") == len(failed)


@pytest.mark.parametrize("drifting", [False, True])
def test_a_partial_report_never_looks_complete(
    drifting: bool, apis: dict[str, Sandbox], pinsync: CommandLine
) -> None:
    if drifting:
        repinned(apis["sk"], STRINGS)
    apis["cz"].fail(parse_fault("401:*"))
    reports = (f"--report={name}=report.{name}" for name in ("json", "markdown", "patch"))
    result = pinsync("diff", *reports)
    assert result.code == 3
    assert "error: tracker cz: " in result.err
    assert result.out.startswith("INCOMPLETE: cz (2) could not be compared\n")
    assert "NOT COMPARED: cz" in result.out.splitlines()[-1]
    record, markdown, patch = (
        Path(f"report.{name}").read_text("utf-8") for name in ("json", "markdown", "patch")
    )
    assert sections(checked(record)) == [
        ("sk", True, int(drifting)),
        ("cz", False, 0),
        ("hu", True, 0),
    ]
    assert (checked(record)["complete"], checked(record)["drift"]) == (
        False,
        True if drifting else None,
    )
    assert "**INCOMPLETE:**" in "".join(markdown.splitlines(keepends=True)[:5])
    assert "in sync" not in markdown.splitlines()[1].lower()
    assert "cz" in markdown
    assert patch.startswith("# incomplete: cz is missing, it could not be compared: ")
    assert ("diff --git a/customizations/sk/basket.yaml " in patch) == drifting


def test_a_secret_is_in_no_report_and_no_message(
    apis: dict[str, Sandbox], pinsync: CommandLine
) -> None:
    for api in apis.values():
        api.fail(parse_fault("401:*"))
    formats = ("text", "markdown")
    result = pinsync(
        "diff", *(f"--report={name}=report.{name}" for name in formats), "--format", "json", "-v"
    )
    assert result.code == 3
    reports = [Path(f"report.{name}").read_text(encoding="utf-8") for name in formats]
    assert "secret-" not in "".join([result.out, result.err, *reports])


def test_a_scope_may_match_in_one_tracker_alone(
    apis: dict[str, Sandbox], pinsync: CommandLine
) -> None:
    apis["cz"].create(rule(5, "new"))
    found = diffed(pinsync, "--model", "new")
    assert (found.code, found.told) == (1, ["added new /p/5/"])
    result = pinsync("diff", "--model", "hme")
    assert (result.code, result.out) == (2, "")
    assert '--model: did you mean "home"?' in result.err


def test_what_one_tracker_matches_is_no_others_to_take_back(
    apis: dict[str, Sandbox], pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are compared by threads: here those without a match look at theirs once another has
    found one.
    """
    found_one = threading.Event()

    class Nothing(list["Change"]):
        def __bool__(self) -> bool:
            found_one.wait(10)
            return False

    def compared(*sides: Any) -> tuple[list[Change], int]:  # noqa: ANN401 - as the real one
        found, unchanged = compare_customizations(*sides)
        return found or Nothing(), unchanged

    def names(wanted: Set[str], *known: Iterable[Customization]) -> dict[str, str]:
        if wanted:
            found_one.set()
        return find_titles(wanted, *known)

    monkeypatch.setattr(diff, "compare_customizations", compared)
    monkeypatch.setattr(diff, "find_titles", names)
    apis["cz"].create(rule(5, "new"))
    assert pinsync("diff", "--model", "new").code == 1


def test_where_one_failed_nobody_knows_that_nothing_matches(
    apis: dict[str, Sandbox], pinsync: CommandLine
) -> None:
    apis["hu"].fail(parse_fault("401:*"))
    found = diffed(pinsync, "--model", "other")
    assert (found.code, found.record["drift"]) == (3, None)


def test_warnings_come_in_the_configurations_order(
    apis: dict[str, Sandbox], pinsync: CommandLine
) -> None:
    for api in apis.values():
        edited(api, HOME, tags="summer")
    apis["sk"].fail(parse_fault("slow:0.2"))
    lines = diffed(pinsync).err.splitlines()
    assert [line.split(":")[1].strip() for line in lines] == list(NAMES)
