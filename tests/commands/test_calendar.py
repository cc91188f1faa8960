"""``pinsync calendar`` on the command line: its times, its sources, its files, and bad input."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.commands.calendar import Options, calendar
from pinsync.terminal.console import Console
from pinsync.workspace.workspace import Workspace
from support.exporting import BASKET_TEXT, HOME_TEXT, put, untouched
from support.html_pages import parse_page
from support.icalendar_files import read_events
from support.schemas import check_report

if TYPE_CHECKING:
    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git

CHRISTMAS = """\
        active_from: "2026-12-23T23:00:00Z"
        active_to: "2026-12-26T22:00:00Z"
"""
PINS = f"""\
  - id: 00000000-0000-4000-8000-000000000007
    target_type: item
    target_identity: /p/7/
    target_metadata:
      title: Cheap ones
    pin_definitions:
      - position: 1
        pin_type: item
        pin_identity: /p/123/
{CHRISTMAS}"""
DECEMBER = ("--from", "2026-12-01", "--to", "2026-12-31")


@pytest.fixture
def shop(repository: Path) -> Path:
    put(repository / "pinsync.yaml", "timezone: Europe/Bratislava\n")
    put(repository / "customizations/basket.yaml", BASKET_TEXT + PINS)
    put(repository / "customizations/home.yaml", HOME_TEXT)
    return repository


def read(pinsync: CommandLine, *arguments: str) -> dict[str, Any]:
    """The JSON of a call that must succeed."""
    result = pinsync("calendar", "--json", *arguments)
    assert (result.code, result.err) == (0, "")
    record: dict[str, Any] = json.loads(result.out)
    check_report("calendar", record)
    return record


def list_steps(record: dict[str, Any]) -> list[str]:
    return [
        step["at"]
        for tracker in record["trackers"]
        for rule in tracker["rules"]
        for step in rule["steps"]
    ]


@pytest.mark.usefixtures("shop")
def test_the_changes_of_a_month(pinsync: CommandLine) -> None:
    with untouched(Path.cwd()):
        result = pinsync("calendar", *DECEMBER)
    assert (result.code, result.err) == (0, "")
    assert (
        result.out
        == """\
Changes of shelves in the working tree, from 1 Dec 2026 00:00 CET to 31 Dec 2026 23:59:59 CET

24 Dec 2026 00:00 CET
  basket · “Cheap ones” (/p/7/) · customizations/basket.yaml:24
    starts  #1 “Strings: 9-42 #1” (from 24 Dec 2026 00:00 CET, until 26 Dec 2026 23:00 CET)
    then    #1 “Strings: 9-42 #1”

26 Dec 2026 23:00 CET · one hour before midnight
  basket · “Cheap ones” (/p/7/) · customizations/basket.yaml:24
    ends    #1 “Strings: 9-42 #1”
    then    no pins: the recommender chooses

Troubles ahead
  basket · “Cheap ones” (/p/7/) · customizations/basket.yaml:24
    from 26 Dec 2026 23:00 CET: no pin is active: the recommender chooses

Troubles already there
  basket · “Cheap ones” (/p/7/) · customizations/basket.yaml:24
    until 24 Dec 2026 00:00 CET: no pin is active: the recommender chooses

2 changes, 2 troubles; of 4 rules
"""
    )


# Times.


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("start", "end", "number"),
    [
        ("2026-12-24", "2026-12-24", 1),
        ("2026-12-23T23:00:00Z", "2026-12-23T23:00:00Z", 1),
        ("2026-12-23T23:00:01Z", "2026-12-26T21:59:59Z", 0),
        ("2026-12-24", "2026-12-26", 2),
        ("2026-12-24", "2026-12-26T22:59", 1),
        ("0001-01-01T00:00Z", "9999-12-31T23:59:59Z", 2),
    ],
)
def test_both_ends_of_the_time_count(
    start: str, end: str, number: int, pinsync: CommandLine
) -> None:
    record = read(pinsync, "--from", start, "--to", end)
    assert len(list_steps(record)) == number
    assert record["trackers"][0]["counts"]["steps"] == number


@pytest.mark.usefixtures("shop")
def test_the_next_90_days_are_the_default() -> None:
    lines: list[str] = []
    console = Console(out=lambda line: lines.append(str(line)), err=lines.append)
    now = datetime(2026, 12, 1, 12, tzinfo=UTC)
    assert calendar(Workspace(None, os.environ), Options(now=now), console) == 0
    assert "from 1 Dec 2026 13:00 CET to 1 Mar 2027 13:00 CET\n" in lines[-1]


@pytest.mark.usefixtures("shop")
def test_without_to_the_calendar_has_90_days_even_at_the_end_of_time(pinsync: CommandLine) -> None:
    assert read(pinsync, "--from", "2026-12-01T00:00Z")["to"] == "2027-03-01T00:00:00Z"
    last = read(pinsync, "--from", "9999-12-30T00:00Z")["to"]
    assert last == "9999-12-31T23:59:59.999999Z"


# Arguments.


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("words", "number"),
    [([], 4), (["basket"], 3), (["home"], 1), (["basket", "/p/7/"], 1), (["basket", "all"], 1)],
)
def test_a_model_and_a_target_choose_rules(
    words: list[str], number: int, pinsync: CommandLine
) -> None:
    assert read(pinsync, *words)["trackers"][0]["counts"]["rules"] == number


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["baskett"], 'there is no model "baskett"', 'did you mean "basket"?'),
        (["basket", "/p/77/"], 'is for "/p/77/"', 'did you mean "/p/7/"?'),
        (["--from", "tomorrow"], '--from: "tomorrow" is no time', "2026-12-24T10:00"),
        (["--to", "2026-02-30"], '--to: there is no "2026-02-30"', ""),
        (["--to", "2020-01-01"], "--to lies before --from", "the calendar starts now"),
        (
            ["--from", "2026-12-02", "--to", "2026-12-01"],
            "--to lies before --from",
            "exchange the two times",
        ),
        (["--from", "2026-12-02", "--from", "2026-12-01"], "expected one value", ""),
        (["--rev", "@lve"], "@lve is no source", 'did you mean "@live"?'),
        (["--rev", "nosuch"], "nosuch names no commit", ""),
        (["--rev", "@live"], "no tracker is configured", ""),
        (["--tracker", "defualt"], 'no tracker is named "defualt"', ""),
        (["--format", "icss"], "", 'did you mean "ics"?'),
        (["--report", "ics=pinsync.yaml"], "would write over a configuration", ""),
        (["--report", "ics=customizations/home.yaml"], "would write over a document", ""),
    ],
)
def test_bad_input_is_a_usage_error(
    arguments: list[str], message: str, hint: str, pinsync: CommandLine
) -> None:
    with untouched(Path.cwd()):
        result = pinsync("calendar", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert hint in result.err


def test_a_broken_document_is_named(shop: Path, pinsync: CommandLine) -> None:
    put(shop / "customizations/home.yaml", "<<<<<<< HEAD\n")
    result = pinsync("calendar", "basket")
    assert (result.code, result.out) == (2, "")
    assert "customizations/home.yaml:1" in result.err


def test_odd_windows_are_told_or_never_open(shop: Path, pinsync: CommandLine) -> None:
    windows = (
        ("2026-12-24", "2026-12-26T22:00:00Z"),
        ("2026-12-27T00:00:00Z", "2026-12-26T22:00:00Z"),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:60Z"),
    )
    text = PINS.partition("      - position")[0]
    for number, (start, end) in enumerate(windows, 1):
        text += (
            f"      - position: {number}\n        pin_type: item\n"
            f"        pin_identity: /p/{number}/\n"
            f'        active_from: "{start}"\n        active_to: "{end}"\n'
        )
    put(shop / "customizations/basket.yaml", BASKET_TEXT + text)
    (rule,) = read(pinsync, "basket", *DECEMBER)["trackers"][0]["rules"]
    assert [one["window"] for one in rule["pins"]] == ["unclear", "never", "open"]
    assert rule["steps"] == []
    assert [(one["kind"], one["positions"]) for one in rule["troubles"]] == [("gap", [2, 2])]
    result = pinsync("calendar", "basket", *DECEMBER)
    assert "Windows that can't be read, which count as always active\n" in result.out
    assert '#1 /p/1/ (from "2026-12-24", until 26 Dec 2026 23:00 CET)\n' in result.out


def test_without_documents_the_calendar_is_empty(repository: Path, pinsync: CommandLine) -> None:
    assert repository.is_dir()
    assert read(pinsync)["trackers"][0]["rules"] == []


# Sources.


def test_a_revision_is_read_with_its_own_configuration(
    shop: Path, git: Git, pinsync: CommandLine
) -> None:
    git("add", ".")
    git("commit", "--quiet", "--message", "First")
    first = git("rev-parse", "HEAD")
    git("mv", "customizations", "pins")
    put(shop / "pinsync.yaml", "directory: pins\n")
    put(shop / "pins/basket.yaml", BASKET_TEXT)
    old, now = read(pinsync, "--rev", "HEAD", *DECEMBER), read(pinsync, *DECEMBER)
    assert (old["source"], old["revision"]) == ("HEAD", first)
    assert (now["source"], now["revision"]) == ("@worktree", None)
    assert [len(list_steps(record)) for record in (old, now)] == [2, 0]
    assert old["trackers"][0]["rules"][0]["file"] == "customizations/basket.yaml"


def test_the_shop_is_asked(api: Sandbox, shop: Path, pinsync: CommandLine) -> None:
    put(shop / "customizations/basket.yaml", BASKET_TEXT)
    created = api.create(
        {
            "model": "basket",
            "target_type": "criteria",
            "target_criteria": {"category": "strings"},
            "pin_definitions": [
                {
                    "position": 1,
                    "pin_type": "item",
                    "pin_identity": "/p/123/",
                    "active_from": "2026-12-23T23:00:00Z",
                }
            ],
        }
    )
    result = pinsync("calendar", "--rev", "@live", "--json", "basket", *DECEMBER)
    record = json.loads(result.out)
    check_report("calendar", record)
    (rule,) = [rule for rule in record["trackers"][0]["rules"] if rule["steps"]]
    assert (rule["id"], rule["file"]) == (created["id"], None)
    assert record["source"] == "@live"
    text = pinsync("calendar", "--rev", "@live", "basket", *DECEMBER)
    assert text.out.startswith("Changes of shelves in live, from ")


def test_the_rules_of_the_shop_are_sorted_by_model_and_keep_their_titles(
    api: Sandbox, shop: Path, pinsync: CommandLine
) -> None:
    put(shop / "pinsync.yaml", "ignore: [target_metadata.title]\n")
    for model in ("zz", "aa"):
        api.create(
            {
                "model": model,
                "target_type": "item",
                "target_identity": f"/p/{model}/",
                "target_metadata": {"title": f"Title {model}"},
                "pin_definitions": [
                    {"position": 2, "pin_type": "item", "pin_identity": "/p/zz/"},
                ],
            }
        )
    record = json.loads(pinsync("calendar", "--rev", "@live", "--json").out)
    rules = record["trackers"][0]["rules"]
    models = [rule["model"] for rule in rules]
    assert models == sorted(models)
    assert [rule["title"] for rule in rules if rule["model"] in ("aa", "zz")] == [
        "Title aa",
        "Title zz",
    ]
    assert {rule["pins"][0]["title"] for rule in rules if rule["model"] == "aa"} == {"Title zz"}


@pytest.mark.usefixtures("shop")
def test_a_trouble_that_begins_with_the_calendar_lies_ahead(pinsync: CommandLine) -> None:
    result = pinsync("calendar", "basket", "--from", "2026-12-26T22:00Z")
    assert "Troubles ahead\n" in result.out
    assert "Troubles already there\n" not in result.out


@pytest.mark.usefixtures("api", "shop")
def test_a_shop_that_cannot_be_read_gives_no_report(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY", "another-key")
    result = pinsync("calendar", "--rev", "@live", "--report", "json=calendar.json")
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith("error: ")
    assert not Path("calendar.json").exists()


# iCalendar.


def test_an_icalendar_is_dated_by_the_last_change_of_the_documents(
    shop: Path, git: Git, pinsync: CommandLine
) -> None:
    git("add", ".")
    git("commit", "--quiet", "--message", "Rules", "--date", "2026-11-03T09:30:15+01:00")
    put(shop / "README", "More\n")
    git("add", ".")
    git("commit", "--quiet", "--message", "Other", "--date", "2026-11-04T09:30:15+01:00")
    result = pinsync("calendar", "--format", "ics", *DECEMBER)
    assert (result.code, result.err) == (0, "")
    assert result.out == pinsync("calendar", "--format", "ics", "--rev", "HEAD", *DECEMBER).out
    (event,) = read_events(result.out)[1]
    assert event["DTSTAMP"] == event["LAST-MODIFIED"] == "20261103T083015Z"
    assert event["SUMMARY"] == "#1 “Strings: 9-42 #1” · basket · “Cheap ones” (/p/7/)"
    assert (event["DTSTART"], event["DTEND"]) == ("20261223T230000Z", "20261226T220000Z")
    put(shop / "customizations/home.yaml", HOME_TEXT + "# A comment\n")
    (event,) = read_events(pinsync("calendar", "--format", "ics", *DECEMBER).out)[1]
    assert event["DTSTAMP"] > "20261103T083015Z"


@pytest.mark.usefixtures("shop")
def test_all_formats_come_from_one_run(pinsync: CommandLine) -> None:
    files: list[str] = []
    for report in ("ics=pins.ics", "json=pins.json", "text=pins.txt", "html=pins.html"):
        files += ["--report", report]
    result = pinsync("calendar", *DECEMBER, *files)
    assert (result.code, result.err) == (0, "")
    assert Path("pins.txt").read_text(encoding="utf-8") == result.out
    assert list_steps(json.loads(Path("pins.json").read_bytes())) == [
        "2026-12-23T23:00:00Z",
        "2026-12-26T22:00:00Z",
    ]
    assert len(read_events(Path("pins.ics").read_bytes().decode())[1]) == 1
    page = parse_page(Path("pins.html").read_text(encoding="utf-8"))
    assert result.out.splitlines()[0] in page.text
    assert result.out.splitlines()[-1] in page.text


@pytest.fixture
def shops(repository: Path) -> Path:
    trackers = "".join(f'  {name}: {{tracker_id: "{name}-1"}}\n' for name in ("cz", "sk"))
    put(repository / "pinsync.yaml", f"trackers:\n{trackers}")
    for name in ("cz", "sk"):
        put(repository / f"customizations/{name}/basket.yaml", BASKET_TEXT + PINS)
    put(repository / "customizations/sk/home.yaml", HOME_TEXT)
    return repository


@pytest.mark.usefixtures("shops")
@pytest.mark.parametrize("option", [("--format", "ics"), ("--report", "ics=pins.ics")])
def test_an_icalendar_is_for_one_tracker(option: tuple[str, str], pinsync: CommandLine) -> None:
    result = pinsync("calendar", *option, *DECEMBER)
    assert (result.code, result.out) == (2, "")
    assert "an iCalendar is for one tracker" in result.err
    assert "choose one with --tracker: cz, sk; or" in result.err
    assert pinsync("calendar", *option, "--tracker", "sk", *DECEMBER).code == 0


@pytest.mark.usefixtures("shops")
def test_each_tracker_has_a_file(pinsync: CommandLine) -> None:
    result = pinsync("calendar", *DECEMBER, "--report", "ics=pins-{tracker}.ics")
    assert (result.code, result.err) == (0, "")
    assert "\ncz (cz-1)\n" in result.out
    found = [read_events(Path(f"pins-{name}.ics").read_bytes().decode()) for name in ("cz", "sk")]
    assert [one[0]["NAME"] for one in found] == ["Pins of cz", "Pins of sk"]
    uids = {event["UID"] for _, events in found for event in events}
    assert len(uids) == 2


@pytest.mark.usefixtures("shops")
def test_the_trackers_share_a_page(pinsync: CommandLine) -> None:
    result = pinsync("calendar", *DECEMBER, "--format", "html")
    assert (result.code, result.err) == (0, "")
    text = " ".join(parse_page(result.out).text.split())
    assert "cz (cz-1) · basket" in text
    assert "sk (sk-1) · basket" in text
    assert "4 changes, 4 troubles; of 7 rules in 2 trackers" in text


@pytest.mark.usefixtures("shop")
def test_the_line_of_today_is_at_the_present(pinsync: CommandLine) -> None:
    def read_mark(*arguments: str) -> bool:
        return 'class="mark"' in pinsync("calendar", "--format", "html", *arguments).out

    assert read_mark()
    assert read_mark("--from", "2020-01-01", "--to", "2099-12-31")
    assert not read_mark("--from", "2020-01-01", "--to", "2020-12-31")


@pytest.mark.usefixtures("shops")
def test_a_tracker_without_the_model_has_an_empty_file(pinsync: CommandLine) -> None:
    assert pinsync("calendar", "home", "--report", "ics=pins-{tracker}.ics").code == 0
    assert read_events(Path("pins-cz.ics").read_bytes().decode())[1] == []


@pytest.mark.usefixtures("shops")
def test_two_reports_of_one_file_are_refused(pinsync: CommandLine) -> None:
    files = ("--report", "ics=pins-{tracker}.ics", "--report", "json=pins-cz.ics")
    result = pinsync("calendar", *files)
    assert (result.code, result.out) == (2, "")
    assert "would write over another report" in result.err
