"""The drift check through the command line: what is reported, in which formats, and what the exit
code says.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinsync import api as pinsync_api
from pinsync.cli import cli
from pinsync.commands import diff
from pinsync.reports import DRIFT_FORMATS as EVERY_FORMAT
from pinsync.sandbox import Fault, Sandbox, parse_fault
from support.diffing import checked, diffed
from support.exporting import (
    BASKET_TEXT,
    EVERYONE,
    HOME,
    HOME_TEXT,
    STRINGS,
    document,
    edited,
    put,
    repinned,
    rows,
    rule,
    served,
    untouched,
)
from support.paths import ROOT
from support.strategies import QUICK, answers, shuffle

if TYPE_CHECKING:
    from random import Random

    from support.command_line import CommandLine, Git
FORMATS: Final = ("text", "json", "markdown", "patch")


# What is reported.


@pytest.mark.usefixtures("exported")
def test_in_sync_is_one_line_and_no_failure(pinsync: CommandLine) -> None:
    result = pinsync("diff")
    assert (result.code, result.err) == (0, "")
    assert result.out == "In sync: the shop is the same as git (3 rules)\n"


def test_the_report_says_what_where_and_when(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, STRINGS, 2)
    with untouched(exported):
        found = diffed(pinsync)
    assert found.code == 1
    assert found.record["from"] == {"source": "HEAD", "revision": git("rev-parse", "HEAD")}
    assert found.record["to"]["source"] == "@live"
    (change,) = found.changes
    lines = document().read_text().splitlines()
    assert change | {"updated_at": "", "pins": []} == {
        "kind": "changed",
        "model": "basket",
        "id": STRINGS,
        "target_type": "item",
        "target_identity": "/p/123/",
        "title": "Strings: 9-42 #1",
        "file": "customizations/basket.yaml",
        "line": 1 + lines.index(f"  - id: {STRINGS}"),
        "cause": "edited",
        "effect": "shown",
        "shoppers": {"when": "now", "at": None},
        "moved": "shop",
        "moved_in": {
            "commit": git("rev-parse", "HEAD"),
            "author": "Test",
            "date": git("log", "-1", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%ad"),
            "subject": "Export pins: 3 added",
        },
        "updated_at": "",
        "pins": [],
        "fields": [],
    }
    pin = {"pin_type": "item", "pin_identity": "/p/234/"}
    assert change["pins"] == [
        {"kind": "moved", "from": {"position": 1, **pin}, "to": {"position": 2, **pin}}
    ]
    assert change["updated_at"] == api.get(STRINGS)["updated_at"]
    assert found.record["trackers"][0]["summary"] == {
        "added": 0,
        "removed": 0,
        "changed": 1,
        "recreated": 0,
        "unchanged": 2,
    }


@pytest.mark.usefixtures("exported")
def test_every_kind_of_change_in_both_directions(api: Sandbox, pinsync: CommandLine) -> None:
    api.delete(EVERYONE)
    home = api.get(HOME)
    api.delete(HOME)
    api.create(home)
    edited(api, STRINGS, model="cart")
    api.create(rule(7))
    assert diffed(pinsync).told == [
        "changed basket /p/123/",
        "added basket /p/7/",
        "removed basket all",
        "recreated home /p/1/",
    ]
    back = diffed(pinsync, "@live", "HEAD")
    assert back.told == [
        "removed basket /p/7/",
        "added basket all",
        "changed cart /p/123/",
        "recreated home /p/1/",
    ]
    assert [change["file"] and Path(change["file"]).name for change in back.changes] == [
        None,
        "basket.yaml",
        "basket.yaml",
        "home.yaml",
    ]


@pytest.mark.usefixtures("exported")
def test_the_line_is_that_of_the_old_side_where_both_are_files(pinsync: CommandLine) -> None:
    put(document(), "# one more line\n" + BASKET_TEXT.replace("position: -1", "position: 3"))
    (change,) = diffed(pinsync, "HEAD", "@worktree").changes
    assert (change["file"], change["line"]) == ("customizations/basket.yaml", 18)
    (change,) = diffed(pinsync, "@live", "@worktree").changes
    assert (change["file"], change["line"]) == ("customizations/basket.yaml", 19)


def test_a_rule_without_an_id_is_no_drift_by_itself(
    exported: Path, pinsync: CommandLine, git: Git
) -> None:
    put(document(), BASKET_TEXT.replace(f"  - id: {EVERYONE}\n    target_type", "  - target_type"))
    for sides in (("@worktree", "@live"), ("@live", "@worktree"), ("HEAD", "@worktree")):
        found = diffed(pinsync, *sides)
        assert (found.code, found.told) == (0, [])
    put(
        exported / "customizations" / "new.yaml",
        "format: 1\nmodel: new\ncustomizations:\n  - target_type: all\n",
    )
    git("add", ".")
    found = diffed(pinsync, "@live", "@index")
    assert (found.code, found.told, found.changes[0]["id"]) == (1, ["added new all"], None)


@pytest.mark.usefixtures("exported")
def test_the_same_text_twice_in_a_file_is_no_drift_from_itself(
    pinsync: CommandLine, git: Git
) -> None:
    put(document("new"), "format: 1\nmodel: new\ncustomizations:\n" + "  - target_type: all\n" * 2)
    git("add", ".")
    assert diffed(pinsync, "@index", "@worktree").told == []
    put(document("new"), "format: 1\nmodel: new\ncustomizations:\n" + "  - target_type: all\n" * 3)
    assert diffed(pinsync, "@index", "@worktree").told == ["added new all"]


@pytest.mark.usefixtures("exported")
def test_equal_pins_are_counted(api: Sandbox, pinsync: CommandLine) -> None:
    twice = api.get(EVERYONE)["pin_definitions"] * 2
    edited(api, EVERYONE, pin_definitions=twice)
    (change,) = diffed(pinsync).changes
    assert [pin["kind"] for pin in change["pins"]] == ["added"]


@pytest.mark.usefixtures("exported")
def test_files_by_hand_say_the_same_in_any_form(pinsync: CommandLine) -> None:
    put(
        document("home"),
        json.dumps({"customizations": [rows()[2] | {"model": None}], "format": 1, "model": "home"})
        .replace('"model": null, ', "")
        .replace(', "model": null', ""),
    )
    put(document(), BASKET_TEXT.replace("\n", "\r\n").encode())
    found = diffed(pinsync, "@worktree", "@live")
    assert (found.told, found.code) == ([], 0), found.err


# Formats and exit codes.


def spoiled(code: int, api: Sandbox, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Bring about the exit code; return arguments that it takes."""
    if code == 1:
        repinned(api, STRINGS)
    elif code == 2:
        put(document(), "format: 1\nmodel: basket\ncustomizations:\n  - id: 3\n")
        return ["@worktree", "@live"]
    elif code == 3:
        api.fail(parse_fault("401:*"))
    elif code == 70:
        monkeypatch.setattr(diff, "compare_customizations", lambda *_: 1 / 0)
    elif code == 130:

        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(diff, "compare_customizations", interrupted)
    return []


@pytest.mark.parametrize("code", [0, 1, 2, 3, 70, 130])
@pytest.mark.usefixtures("exported")
def test_every_format_with_every_exit_code(
    code: int, api: Sandbox, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = spoiled(code, api, monkeypatch)
    for format_ in FORMATS:
        result = pinsync("diff", *sides, "--format", format_)
        assert result.code == code, result.err
        assert ("error: " in result.err) == (code in (2, 3, 70))
        if code in (70, 130):
            assert result.out == ""
            assert "Traceback" not in result.err
            assert len(result.err.strip().splitlines()) == 1
        else:
            shows(format_, code, result.out)


def shows(format_: str, code: int, text: str) -> None:
    """Hold a report to what the exit code says."""
    if format_ == "json":
        record = checked(text)
        assert (record["drift"], record["complete"]) == ({0: False, 1: True}.get(code), code < 2)
        error = record["trackers"][0]["error"]
        assert error is None if code < 2 else error["exit_code"] == code
    elif format_ == "patch":
        assert text.startswith({0: "", 1: "diff --git "}.get(code, "# incomplete: "))
        assert bool(text) == bool(code)
    else:
        said = {0: "in sync", 1: "differs", 2: "customizations/basket.yaml:4", 3: "401"}[code]
        assert said in text.lower()


@pytest.mark.usefixtures("exported")
def test_a_warning_never_stands_among_the_data(api: Sandbox, pinsync: CommandLine) -> None:
    edited(api, HOME, tags="summer")
    for format_ in FORMATS:
        result = pinsync("diff", "--format", format_)
        assert result.code == 1
        assert result.err.startswith("warning: default: row ")
        assert "warning" not in result.out
        if format_ == "json":
            checked(result.out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "xml"], "'xml' is not one of"),
        (["--fail-on", "all"], "'all' is not one of"),
        (["a", "b", "c"], "expected FROM and TO, got 3 sources"),
        (["--report", "json"], "expected FORMAT=FILE"),
        (
            ["--report", "xml=a"],
            "expected FORMAT=FILE with a format of text, json, markdown, html, patch",
        ),
        (["--report", "json="], "expected FORMAT=FILE"),
        (["--target-type", "all", "--target-identity", "/p/1/"], "--target-identity names an item"),
        (["--max-chars", "0"], "--max-chars"),
        (["--tracker", "defalt"], 'did you mean "default"?'),
        (["--at", "tomorrow"], '--at: "tomorrow" is no time'),
        (["--at", "2026-02-30"], '--at: there is no "2026-02-30"'),
        (["--nonsense"], "no such option"),
        (["live"], "did you mean @live?"),
        (["HEAD", "worktree"], "did you mean @worktree?"),
        (["basket"], "basket is a model; to compare its rules alone: pinsync diff --model basket"),
        (["@live", "basket"], "pinsync diff --model basket"),
        (
            ["HEAD..basket"],
            "basket is a model; to compare its rules alone: pinsync diff --model basket",
        ),
        (["\udcff"], "names no commit"),
        (
            ["customizations/basket.yaml"],
            (
                "is a document, expected a JSON export\n"
                "  to compare the files as they are, name @worktree"
            ),
        ),
    ],
)
@pytest.mark.usefixtures("exported")
def test_wrong_usage_says_what_is_wrong_and_nothing_is_fetched(
    arguments: list[str], message: str, api: Sandbox, pinsync: CommandLine
) -> None:
    result = pinsync("diff", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert len(api.requests) == 1


@pytest.mark.usefixtures("exported")
def test_only_the_word_that_names_no_source_is_told_to_be_a_model(pinsync: CommandLine) -> None:
    result = pinsync("diff", "nope", "basket")
    assert "nope names no commit" in result.err
    assert "is a model" not in result.err


@pytest.mark.usefixtures("exported")
def test_a_refused_configuration_is_the_users_to_mend(pinsync: CommandLine) -> None:
    put(Path("pinsync.yaml"), "ignored: [tags]\n")
    result = pinsync("diff", "--format", "json")
    assert (result.code, result.out) == (2, "")
    assert (
        "pinsync.yaml:1:1: ignored: is no setting" in result.err or "pinsync.yaml:1" in result.err
    )
    assert 'did you mean "ignore"?' in result.err


@pytest.mark.parametrize("trackers", [1, 2])
def test_an_interrupt_is_heard_while_the_api_is_slow(
    trackers: int, repository: Path, pinsync: CommandLine, git: Git
) -> None:
    arrived = threading.Semaphore(0)

    def clock() -> datetime:
        arrived.release()
        return datetime.now(UTC)

    git("commit", "--quiet", "--allow-empty", "-m", "Begin")
    names = [f"tracker-{number}" for number in range(trackers)]
    put(
        repository / "pinsync.yaml",
        "trackers:\n" + "".join(f"  {name}: {{tracker_id: {name}}}\n" for name in names),
    )
    with (
        Sandbox([], clock=clock, faults=[Fault(times=None, delay=600)]) as api,
        pinsync.start("diff", "--format", "json", environ=api.environment) as process,
    ):
        for _ in names:
            while not arrived.acquire(timeout=0.2):
                assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err


# What counts.


@pytest.mark.usefixtures("exported")
def test_fail_on_decides_the_exit_code_and_nothing_else(api: Sandbox, pinsync: CommandLine) -> None:
    edited(api, HOME, tags=["winter"])
    codes = {}
    for fail_on in ("any", "edited", "shown", "now", "shop", "never"):
        found = diffed(pinsync, "--fail-on", fail_on)
        codes[fail_on] = found.code
        assert [change["effect"] for change in found.changes] == ["label"]
        assert found.record["drift"] is True
    assert codes == {"any": 1, "edited": 1, "shown": 0, "now": 0, "shop": 1, "never": 0}
    repinned(api, HOME)
    assert diffed(pinsync, "--fail-on", "shown").code == 1
    assert diffed(pinsync, "--fail-on", "now").code == 1
    assert diffed(pinsync, "--fail-on", "never").code == 0


PINS: Final = rows()[0]["pin_definitions"]
SALE: Final = "2199-01-01T00:00:00Z"


def start_sale(api: Sandbox) -> None:
    """Add a pin to a live rule that begins in 2199 and ends on the day after."""
    end = "2199-01-02T00:00:00.5Z"
    pin = {**PINS[0], "position": 3, "active_from": SALE, "active_to": end}
    edited(api, STRINGS, pin_definitions=[*PINS, pin])


@pytest.mark.usefixtures("exported")
@pytest.mark.parametrize(
    ("at", "shoppers"),
    [
        (None, ("later", SALE)),
        ("2198-12-31T23:59:59.999999Z", ("later", SALE)),
        (SALE, ("now", None)),
        ("2199-01-02T00:00:00.499999Z", ("now", None)),
        # In Bratislava.
        ("2199-01-01", ("later", SALE)),
        ("2199-01-01T01:00", ("now", None)),
        ("2199-01-02T01:00:00.5", ("never", None)),
        ("2199-01-03", ("never", None)),
    ],
)
def test_the_time_decides_what_shoppers_notice_now(
    at: str | None, shoppers: tuple[str, str | None], api: Sandbox, pinsync: CommandLine
) -> None:
    put(Path("pinsync.yaml"), "timezone: Europe/Bratislava\n")
    start_sale(api)
    options = [] if at is None else ["--at", at]
    for sides in ([], ["@live", "HEAD"]):
        found = diffed(pinsync, *sides, "--fail-on", "now", *options)
        (change,) = found.changes
        assert (change["shoppers"]["when"], change["shoppers"]["at"]) == shoppers
        assert (change["effect"], found.code) == ("shown", int(shoppers[0] == "now"))


@pytest.mark.usefixtures("repository")
def test_now_is_the_date_of_the_answer(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2199, 1, 1, 12, tzinfo=UTC)
    monkeypatch.setitem(pinsync_api.export.__kwdefaults__ or {}, "clock", lambda: now)
    with Sandbox(rows(), seed=1, clock=lambda: now) as api:
        for name, value in api.environment.items():
            monkeypatch.setenv(name, value)
        assert pinsync("export", "--commit").code == 0
        start_sale(api)
        found = diffed(pinsync)
        assert found.record["to"]["fetched_at"] == "2199-01-01T12:00:00Z"
        assert found.changes[0]["shoppers"] == {"when": "now", "at": None}
        # Two states without a date are seen from the time at which the command runs.
        assert pinsync("export", "--force").code == 0
        (change,) = diffed(pinsync, "HEAD", "@worktree").changes
        assert change["shoppers"] == {"when": "later", "at": SALE}
        assert diffed(pinsync, "HEAD", "@worktree", "--at", SALE, "--fail-on", "now").code == 1


@pytest.mark.usefixtures("exported")
def test_a_pin_that_the_api_left_out_is_a_change_like_any_other(
    api: Sandbox, pinsync: CommandLine
) -> None:
    ended = {**PINS[0], "position": 3, "active_to": "2020-01-01T00:00:00Z"}
    edited(api, STRINGS, pin_definitions=[*PINS, ended])
    assert pinsync("export", "--commit").code == 0
    found = diffed(pinsync, "--remove-expired-pins", "--fail-on", "now")
    (change,) = found.changes
    assert (change["cause"], change["effect"], found.code) == ("expired", "shown", 0)
    assert change["shoppers"] == {"when": "never", "at": None}
    past = diffed(pinsync, "--remove-expired-pins", "--at", "2019-06-01")
    assert past.changes[0]["shoppers"] == {"when": "now", "at": None}


@pytest.mark.usefixtures("exported")
def test_never_doesnt_hide_a_failure(api: Sandbox, pinsync: CommandLine) -> None:
    api.fail(parse_fault("401:*"))
    assert pinsync("diff", "--fail-on", "never").code == 3


@pytest.mark.usefixtures("exported")
def test_the_summary_has_the_counts_alone(api: Sandbox, pinsync: CommandLine) -> None:
    repinned(api, STRINGS)
    short, long = (pinsync("diff", *arguments).out for arguments in (["--summary"], []))
    assert "/p/234/" in long
    assert "/p/234/" not in short
    assert long.splitlines()[-1] == short.splitlines()[-1]
    markdown = pinsync("diff", "--format", "markdown", "--summary").out
    assert "/p/234/" not in markdown
    assert "| `basket` | 1 | 0 | 0 |" in markdown


@pytest.mark.usefixtures("repository")
def test_a_markdown_report_keeps_to_its_budget(
    monkeypatch: pytest.MonkeyPatch, pinsync: CommandLine
) -> None:
    with served(monkeypatch, [rule(number) for number in range(300)]):
        whole, cut = (
            pinsync("diff", "--format", "markdown", *more).out
            for more in ([], ["--max-chars", "2000"])
        )
    assert len(whole) > 2000 >= len(cut)
    assert "Left out to fit: " in cut


def test_the_steps_are_said_to_who_asks(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    key = api.environment["PINSYNC_PRIVATE_KEY"]
    result = pinsync("diff", "-v")
    assert result.err.splitlines() == [
        f"default: reading HEAD:customizations (commit {git('rev-parse', 'HEAD')[:12]})",
        f"default: asking {api.url}",
        "default: comparing 3 with 3 customizations",
    ]
    assert key not in result.err
    put(exported / "backup.json", json.dumps({"results": rows()}))
    assert pinsync("diff", "@index", "@worktree", "-v").err.splitlines()[:2] == [
        "default: reading customizations of the index",
        "default: reading customizations of the working tree",
    ]
    assert "default: reading backup.json\n" in pinsync("diff", "HEAD", "backup.json", "-v").err
    edited(api, STRINGS, model="cart")
    assert (
        "the filtered answer is inconclusive; fetching all\n"
        in pinsync("diff", "--model", "basket", "-v").err
    )
    assert pinsync("diff").err == ""


# More reports.


@pytest.mark.usefixtures("exported")
def test_many_reports_from_one_question(api: Sandbox, pinsync: CommandLine) -> None:
    repinned(api, STRINGS)
    before = len(api.requests)
    result = pinsync(
        "diff", *(f"--report={name}=report.{name}" for name in FORMATS), "--report", "json=again"
    )
    assert result.code == 1
    assert len(api.requests) == before + 1
    text, record, markdown, patch = (
        Path(f"report.{name}").read_text(encoding="utf-8") for name in FORMATS
    )
    assert text == result.out
    assert checked(record) == checked(Path("again").read_text(encoding="utf-8"))
    assert markdown.startswith("<!-- pinsync -->\n")
    assert patch.startswith("diff --git a/customizations/basket.yaml ")


@pytest.mark.usefixtures("exported")
def test_reports_are_without_colour_unless_it_is_wanted(api: Sandbox, pinsync: CommandLine) -> None:
    repinned(api, STRINGS)
    assert "\x1b[" in pinsync("diff", "--color").out
    assert "\x1b[" not in pinsync("diff").out


@pytest.mark.parametrize("place", ["no/such/folder/report.json", "."])
@pytest.mark.usefixtures("exported")
def test_a_report_that_cant_be_written(place: str, api: Sandbox, pinsync: CommandLine) -> None:
    repinned(api, STRINGS)
    result = pinsync("diff", "--format", "json", "--report", f"json={place}")
    assert result.code == 2
    assert f"error: {place}: the report can't be written: " in result.err
    assert checked(result.out)["drift"] is True


@pytest.mark.usefixtures("exported")
def test_a_patch_brings_the_files_to_what_is_live(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, STRINGS)
    edited(api, EVERYONE, model="cart")
    api.delete(HOME)
    put(Path("drift.patch"), pinsync("diff", "--format", "patch").out)
    git("apply", "drift.patch")
    found = diffed(pinsync, "@worktree", "@live")
    assert (found.code, found.told) == (0, [])
    assert sorted(path.name for path in document().parent.iterdir()) == ["basket.yaml", "cart.yaml"]


@pytest.mark.usefixtures("exported")
def test_a_patch_removes_a_file_before_it_writes_another_model_there(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    git("rm", "--quiet", str(document()))
    git("mv", str(document("home")), str(document()))
    git("commit", "--quiet", "--message", "another model by this name")
    api.delete(HOME)
    put(Path("drift.patch"), pinsync("diff", "--format", "patch").out)
    git("apply", "drift.patch")
    assert document().read_text() == BASKET_TEXT


@pytest.mark.usefixtures("exported")
def test_a_patch_of_a_scope_says_no_more_than_the_report(
    api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    repinned(api, STRINGS)
    repinned(api, HOME)
    put(Path("drift.patch"), pinsync("diff", "--format", "patch", "--tag", "summer").out)
    git("apply", "drift.patch")
    assert git("diff", "--name-only") == "customizations/home.yaml"


IN_SYNC_BY_HAND: Final = {
    "without a last line end": HOME_TEXT.removesuffix("\n"),
    "CRLF": HOME_TEXT.replace("\n", "\r\n"),
    "CRLF without a last line end": HOME_TEXT.replace("\n", "\r\n").removesuffix("\r\n"),
    "mixed line ends": HOME_TEXT.replace("\n", "\r\n", 2),
    "laid out by hand": HOME_TEXT.replace("format: 1\nmodel: home\n", "model: home\nformat: 1\n"),
}
"""What the small shop's second file may look like while it says the same."""


@pytest.mark.parametrize("text", IN_SYNC_BY_HAND.values(), ids=IN_SYNC_BY_HAND)
@pytest.mark.parametrize("source", ["HEAD", "@index", "@worktree"])
@pytest.mark.parametrize("kind", ["changed", "removed"])
@pytest.mark.usefixtures("exported")
def test_a_patch_applies_to_the_bytes_that_the_file_has(
    text: str, source: str, kind: str, api: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    put(document("home"), text)
    git("commit", "--quiet", "--all", "--message", "by hand")
    assert diffed(pinsync).code == 0
    (repinned if kind == "changed" else Sandbox.delete)(api, HOME)
    put(Path("drift.patch"), pinsync("diff", "--format", "patch", source, "@live").out)
    git("apply", "drift.patch")
    assert document("home").exists() == (kind == "changed")
    assert diffed(pinsync, "@worktree", "@live").code == 0


@pytest.mark.usefixtures("exported")
def test_a_patch_between_two_commits_applies_to_the_first(pinsync: CommandLine, git: Git) -> None:
    texts = [HOME_TEXT.removesuffix("\n").replace("/p/2/", item) for item in ("/p/3/", "/p/4/")]
    for text in texts:
        put(document("home"), text)
        git("commit", "--quiet", "--all", "--message", "edit")
    patch = pinsync("diff", "HEAD~1", "HEAD", "--format", "patch").out
    assert patch.count("\\ No newline at end of file") == 1
    put(Path("edit.patch"), patch)
    git("checkout", "--quiet", "HEAD~1")
    git("apply", "edit.patch")
    assert document("home").read_text() == texts[1] + "\n"


# What HEAD doesn't hold.


@pytest.mark.usefixtures("exported")
def test_who_names_no_source_is_told_of_files_that_arent_committed(
    pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(*arguments: str) -> list[str]:
        return [
            line
            for line in pinsync("diff", *arguments).err.splitlines()
            if line.startswith("note: ")
        ]

    what = (
        "changes that aren't committed, which HEAD doesn't hold: pinsync diff @worktree compares "
        "them"
    )
    put(Path("elsewhere.yaml"), "a: 1\n")
    put(Path("customizations/notes.txt"), "-")
    git("config", "core.autocrlf", "true")
    put(document("home"), HOME_TEXT.replace("\n", "\r\n"))
    assert told() == []
    put(document(), BASKET_TEXT.replace("position: 2", "position: 3"))
    assert told() == [f"note: customizations/basket.yaml has {what}"]
    git("add", "customizations/basket.yaml")
    put(document("new"), "format: 1\nmodel: new\ncustomizations: []\n")
    document("home").unlink()
    assert told() == [f"note: customizations/basket.yaml and 2 more have {what}"]
    for arguments in (["-q"], ["HEAD"], ["HEAD", "@live"], ["@worktree"], ["@live", "HEAD"]):
        assert told(*arguments) == []
    assert "aren't committed" not in pinsync("diff", "--format", "json").out
    monkeypatch.chdir("customizations")
    assert told() == [f"note: basket.yaml and 2 more have {what}"]


def test_an_index_at_fault_is_no_matter_to_a_diff_from_head(
    exported: Path, pinsync: CommandLine
) -> None:
    put(exported / ".git/index", "broken")
    result = pinsync("diff")
    assert (result.code, result.err) == (0, "")


@pytest.mark.usefixtures("exported")
def test_a_file_that_isnt_committed_is_named_on_one_line(pinsync: CommandLine) -> None:
    put(Path("customizations/new\n::error::.yaml"), BASKET_TEXT)
    (note,) = [line for line in pinsync("diff").err.splitlines() if line.startswith("note: ")]
    assert note.startswith(
        r"note: customizations/new\n::error::.yaml has changes that aren't committed"
    )


@pytest.mark.usefixtures("exported")
def test_quiet_doesnt_look_for_what_it_wouldnt_say(
    pinsync: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    assert [pinsync("diff", *options).code for options in (["-q"], ["HEAD", "@live"])] == [0, 0]
    assert "built-in: git status" not in (tmp_path / "trace").read_text()
    assert pinsync("diff").code == 0
    assert "built-in: git status" in (tmp_path / "trace").read_text()


@pytest.mark.usefixtures("api", "folder")
def test_outside_git_nothing_is_said_of_what_isnt_committed(pinsync: CommandLine) -> None:
    assert pinsync("export").code == 0
    assert pinsync("diff", "@worktree").err == ""


def test_the_command_line_offers_each_format() -> None:
    (option,) = (option for option in cli.commands["diff"].params if option.name == "format")
    assert isinstance(option.type, click.Choice)
    assert tuple(option.type.choices) == tuple(EVERY_FORMAT)


# The order of an answer.


def collect_output(pinsync: CommandLine, *answers: list[dict[str, object]]) -> list[object]:
    """Return every report on two answers, and what an export of each, one after the other,
    writes.
    """
    for name, table in zip(("old", "new"), answers, strict=True):
        put(Path(f"{name}.json"), json.dumps({"results": table}))
    reports = [f"--report={name}=report.{name}" for name in EVERY_FORMAT]
    found: list[object] = [pinsync("diff", "old.json", "new.json", *reports)]
    found += [Path(f"report.{name}").read_bytes() for name in EVERY_FORMAT]
    shutil.rmtree("customizations", ignore_errors=True)
    for name in ("old", "new"):
        found.append(
            pinsync("export", f"--from-file={name}.json", "--force", "--allow-mass-removal")
        )
        found.append(
            {path.name: path.read_bytes() for path in Path("customizations").glob("*.yaml")}
        )
    return found


@given(answers(), answers(), st.randoms(use_true_random=False))
@settings(QUICK, max_examples=50, suppress_health_check=list(HealthCheck))
@pytest.mark.usefixtures("folder")
def test_the_order_of_an_answer_changes_no_report_and_no_file(
    pinsync: CommandLine, old: list[dict[str, object]], new: list[dict[str, object]], random: Random
) -> None:
    other_order = shuffle(old, random), shuffle(new, random)
    assert collect_output(pinsync, *other_order) == collect_output(pinsync, old, new)


# An import into the UI, which changes every id.


@pytest.mark.usefixtures("folder")
def test_rules_under_new_ids_are_no_difference_to_shoppers_in_any_report(
    pinsync: CommandLine,
) -> None:
    pins = [[{"position": at, "pin_type": "item", "pin_identity": f"/p/{at}/"}] for at in (1, 2, 2)]
    for name in ("old", "new"):
        table = [
            {
                "id": f"{name}-{at}",
                "model": "basket",
                "target_type": "all",
                "pin_definitions": shelf,
            }
            for at, shelf in enumerate(pins)
        ]
        put(Path(f"{name}.json"), json.dumps({"results": table if name == "old" else table[::-1]}))
    found = diffed(pinsync, "old.json", "new.json")
    assert found.code == 1
    assert found.record["trackers"][0]["summary"] == {
        "added": 0,
        "removed": 0,
        "changed": 0,
        "recreated": 3,
        "unchanged": 0,
    }
    assert [
        (change["kind"], change["effect"], change["pins"], change["fields"])
        for change in found.changes
    ] == [
        ("recreated", "label", [], [{"path": ["id"], "from": f"old-{at}", "to": f"new-{at}"}])
        for at in range(3)
    ]
    codes = [
        pinsync("diff", "old.json", "new.json", "--fail-on", on).code
        for on in ("any", "edited", "shown", "now")
    ]
    assert codes == [1, 1, 0, 0]
    reports = {
        name: pinsync("diff", "old.json", "new.json", "--format", name).out for name in EVERY_FORMAT
    }
    assert "make no difference to shoppers" in reports["text"]
    assert "make no difference to shoppers" in reports["markdown"]
    assert reports["github"].count("::warning ") == 3
    assert "::error" not in reports["github"]
    assert {issue["severity"] for issue in json.loads(reports["gitlab"])} == {"minor"}
    (run,) = json.loads(reports["sarif"])["runs"]
    assert [(each["ruleId"], each["level"]) for each in run["results"]] == [
        ("drift-recreated", "warning")
    ] * 3
    assert reports["junit"].count('type="drift-recreated"') == 3
    lines = [
        line
        for line in reports["patch"].splitlines()
        if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert sorted(lines) == [
        f"{name}-{at}" for name in ("+  - id: new", "-  - id: old") for at in range(3)
    ]


# What quiet leaves out.


def test_quiet_says_nothing_where_nothing_differs(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git
) -> None:
    silent = pinsync("diff", "-q")
    assert (silent.code, silent.out, silent.err) == (0, "", "")
    assert pinsync("diff", "-q", "--format", "json").out
    assert pinsync("diff", "-q", "--format", "markdown").out
    put(exported / "pinsync.yaml", "timezone: Europe/Prague\n")
    git("add", ".")
    git("commit", "--quiet", "--message", "zone")
    noted = pinsync("diff", "-q", "HEAD~1", "HEAD")
    assert (
        noted.code,
        "In sync" in noted.out,
        "the configuration itself differs" in noted.out,
    ) == (0, True, True)
    repinned(api, STRINGS)
    assert "The shop differs from git in 1 rule" in pinsync("diff", "-q").out


# What is loaded.


def loaded(*arguments: str) -> set[str]:
    """The modules that a diff in a process of its own has loaded."""
    code = (
        "import sys; from pinsync.__main__ import run; code = run(sys.argv[1:]); "
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    path = str(ROOT)
    done = subprocess.run(
        [sys.executable, "-c", code, "diff", *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stderr.splitlines()}


@pytest.mark.usefixtures("exported")
def test_without_the_network_and_without_nested_changes_nothing_heavy_is_loaded(
    api: Sandbox,
) -> None:
    assert not loaded("HEAD", "@worktree") & {"httpx", "deepdiff", "ruamel"}
    put(document("home"), HOME_TEXT.replace("position: 1", "position: 2"))
    before = len(api.requests)
    assert not loaded("HEAD", "@worktree", "--format", "json") & {"httpx", "deepdiff", "ruamel"}
    assert len(api.requests) == before
    put(document(), BASKET_TEXT.replace("#1", "#2"))
    assert "deepdiff" in loaded("HEAD", "@worktree")
    assert "httpx" in loaded("HEAD", "@live")


@pytest.mark.usefixtures("exported")
def test_a_diff_without_the_live_side_needs_no_key(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PINSYNC_TRACKER_ID", "PINSYNC_PRIVATE_KEY", "PINSYNC_HOST"):
        monkeypatch.delenv(name)
    assert diffed(pinsync, "HEAD", "@worktree").code == 0
    result = pinsync("diff")
    assert (result.code, result.out) == (2, "")
    for name in ("PINSYNC_TRACKER_ID", "PINSYNC_PRIVATE_KEY", "PINSYNC_HOST"):
        assert name in result.err
