"""``pinsync blame``: of which commit each pin is, through all that happens to a rule, and how it is
told.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinsync import config
from pinsync.canonical import normalize
from pinsync.commands.blame import Options, blame
from pinsync.document.record import render_document
from pinsync.drift.record import LocatedCustomization, Place
from pinsync.history.blame import blame_pins
from pinsync.history.configurations import HistoryContext
from pinsync.history.steps import History
from pinsync.reports.blame.text import describe_age
from pinsync.terminal.console import Console
from pinsync.workspace.tree import open_tree
from pinsync.workspace.workspace import Workspace
from support.drifts import pin
from support.exporting import put, rule, untouched
from support.schemas import check_report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.command_line import CommandLine, Git

Row = dict[str, Any]

FILE = "customizations/basket.yaml"
NOW = datetime(2026, 12, 24, 12, tzinfo=UTC)


def text(*rows: Row, model: str = "basket") -> str:
    """A document of these rules."""
    items = [normalize.build_customization({**row, "model": model}, model=model) for row in rows]
    return render_document(model, items).decode()


def shelf(*pins: Row, number: int = 1) -> Row:
    """One rule with these pins."""
    return rule(number, pin_definitions=list(pins))


class Recorder:
    """Makes commits, each by an author of its own."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._day = datetime(2026, 11, 1, 9, tzinfo=UTC)

    def __call__(self, author: str, files: Mapping[str, str | None]) -> str:
        """Commit files, None to remove one; return the full hash."""
        for path, content in files.items():
            if content is None:
                Path(path).unlink()
            else:
                put(Path(path), content)
        self._day += timedelta(days=1)
        self._git("add", "--all")
        identity = f"{author} <{author.split(maxsplit=1)[0].lower()}@example.com>"
        date = f"--date={self._day.isoformat()}"
        self._git(
            "commit", "--quiet", "--allow-empty", f"--author={identity}", date, "-m", f"By {author}"
        )
        return self._git("rev-parse", "HEAD")


@pytest.fixture
def commit(repository: Path, git: Git) -> Recorder:
    assert repository.is_dir()
    return Recorder(git)


def record(pinsync: CommandLine, *arguments: str, err: str = "") -> dict[str, Any]:
    """The JSON of a call that must succeed."""
    result = pinsync("blame", "--json", *arguments)
    assert (result.code, result.err) == (0, err)
    found: dict[str, Any] = json.loads(result.out)
    check_report("blame", found)
    return found


def who(found: dict[str, Any]) -> list[tuple[str | None, str | None, str]]:
    """Author, kind and item of each pin; of a rule without any those of the rule."""
    return [
        (
            each["commit"] and each["commit"]["author"]["name"],
            each["kind"],
            each.get("pin", {}).get("pin_identity", ""),
        )
        for tracker in found["trackers"]
        for each_rule in tracker["rules"]
        for each in each_rule["pins"] or [each_rule]
    ]


# What a commit is blamed for.


def test_each_pin_has_the_commit_that_last_changed_it(
    commit: Recorder, pinsync: CommandLine
) -> None:
    first = [pin(1, "/a/"), pin(2, "/b/"), pin(3, "/c/"), pin(4, "/d/")]
    commit("Ada", {FILE: text(shelf(*first))})
    commit("Bob", {FILE: text(shelf(pin(1, "/a/"), pin(2, "/x/"), pin(3, "/c/"), pin(4, "/d/")))})
    until = {"active_to": "2026-12-31T23:00:00Z"}
    commit(
        "Cyd",
        {FILE: text(shelf(pin(1, "/a/"), pin(2, "/x/"), pin(3, "/c/"), pin(4, "/d/", until)))},
    )
    commit(
        "Dan",
        {FILE: text(shelf(pin(1, "/a/"), pin(2, "/x/"), pin(6, "/c/"), pin(4, "/d/", until)))},
    )
    last = commit(
        "Eve",
        {
            FILE: text(
                shelf(
                    *(pin(1, "/a/"), pin(2, "/x/"), pin(6, "/c/"), pin(4, "/d/", until)),
                    pin(7, "/e/"),
                )
            )
        },
    )
    found = record(pinsync, "basket")
    assert who(found) == [
        ("Ada", "added", "/a/"),
        ("Bob", "replaced", "/x/"),
        ("Cyd", "changed", "/d/"),
        ("Dan", "moved", "/c/"),
        ("Eve", "added", "/e/"),
    ]
    assert (found["revision"], found["source"]) == (last, "HEAD")
    (only,) = found["trackers"][0]["rules"]
    assert (only["kind"], only["commit"]["author"]["name"]) == ("changed", "Eve")
    assert [each.get("from", {}).get("pin_identity") for each in only["pins"]] == [
        None,
        "/b/",
        "/d/",
        "/c/",
        None,
    ]
    told = only["pins"][1]["commit"]
    assert told["author"] == {"name": "Bob", "email": "bob@example.com"}
    assert (told["date"], told["subject"]) == ("2026-11-03T09:00:00Z", "By Bob")
    assert told["commit"].startswith(told["short"])


def test_an_older_revision_is_blamed_as_it_was(commit: Recorder, pinsync: CommandLine) -> None:
    commit("Ada", {FILE: text(shelf(pin(1, "/a/")))})
    commit("Bob", {FILE: text(shelf(pin(2, "/a/")))})
    assert who(record(pinsync, "basket")) == [("Bob", "moved", "/a/")]
    assert who(record(pinsync, "basket", "--rev", "HEAD~1")) == [("Ada", "added", "/a/")]


def test_what_came_back_is_of_the_commit_that_brought_it_back(
    commit: Recorder, pinsync: CommandLine
) -> None:
    for author, pins in (("Ada", (1, 2)), ("Bob", (1,)), ("Cyd", (1, 2))):
        commit(author, {FILE: text(shelf(*(pin(at, f"/{at}/") for at in pins)))})
    assert who(record(pinsync, "basket")) == [("Ada", "added", "/1/"), ("Cyd", "added", "/2/")]


def test_formatting_and_other_rules_and_fields_take_no_blame(
    commit: Recorder, pinsync: CommandLine
) -> None:
    plain = text(shelf(pin(1, "/a/")))
    commit("Ada", {FILE: plain})
    commit("Bob", {FILE: plain.replace("pin_type: item", "pin_type: 'item'  # agreed")})
    commit(
        "Cyd", {FILE: text(shelf(pin(1, "/a/")) | {"tags": ["x"]}, shelf(pin(1, "/b/"), number=2))}
    )
    commit(
        "Dan",
        {
            FILE: text(
                shelf(pin(1, "/a/")) | {"tags": ["x"]}, shelf(pin(1, "/b/"), number=2)
            ).replace("\n", "\r\n")
        },
    )
    found = record(pinsync, "basket")
    assert who(found) == [("Ada", "added", "/a/"), ("Cyd", "added", "/b/")]
    assert found["trackers"][0]["rules"][0]["commit"]["author"]["name"] == "Cyd"


def test_equal_pins_are_blamed_each_for_itself(commit: Recorder, pinsync: CommandLine) -> None:
    commit("Ada", {FILE: text(shelf(pin(1, "/a/")))})
    commit("Bob", {FILE: text(shelf(pin(1, "/a/"), pin(1, "/a/")))})
    commit("Cyd", {FILE: text(shelf(pin(1, "/a/"), pin(1, "/a/"), pin(1, "/a/")))})
    assert [author for author, _, _ in who(record(pinsync, "basket"))] == ["Ada", "Bob", "Cyd"]


def test_equal_rules_without_an_id_are_blamed_each_for_itself(
    commit: Recorder, pinsync: CommandLine
) -> None:
    row = shelf(pin(1, "/a/"))
    del row["id"]
    commit("Ada", {FILE: text(row)})
    commit("Bob", {FILE: text(row, row)})
    commit("Cyd", {FILE: text(row, row, shelf(pin(1, "/b/"), number=2))})
    assert [author for author, _, _ in who(record(pinsync, "basket", "/p/1/"))] == ["Ada", "Bob"]


def test_a_rule_without_pins_has_the_commit_that_last_changed_it(
    commit: Recorder, pinsync: CommandLine
) -> None:
    commit("Ada", {FILE: text(shelf(pin(1, "/a/")))})
    commit("Bob", {FILE: text(shelf(number=1))})
    commit("Cyd", {FILE: text(shelf(number=1), shelf(number=2))})
    found = record(pinsync, "basket")
    assert who(found) == [("Bob", "changed", ""), ("Cyd", "added", "")]
    lines = pinsync("blame", "basket").out.splitlines()
    assert [line.split("ago")[1].split() for line in lines if "no pins" in line] == [
        ["changed", "no", "pins"],
        ["added", "no", "pins"],
    ]


# What is followed.


def test_a_rule_is_followed_to_another_id_and_model(commit: Recorder, pinsync: CommandLine) -> None:
    commit("Ada", {FILE: text(shelf(pin(1, "/a/"), pin(2, "/b/"), pin(3, "/c/")))})
    anew = shelf(pin(1, "/a/"), pin(2, "/b/"), pin(4, "/c/")) | {"id": rule(9)["id"]}
    commit("Bob", {FILE: text(anew)})
    moved = anew | shelf(pin(1, "/a/"), pin(3, "/b/"), pin(4, "/c/")) | {"id": anew["id"]}
    commit("Cyd", {FILE: None, "customizations/home.yaml": text(moved, model="home")})
    found = record(pinsync, "home")
    assert who(found) == [("Ada", "added", "/a/"), ("Cyd", "moved", "/b/"), ("Bob", "moved", "/c/")]


def test_rules_for_all_are_followed_to_other_ids(commit: Recorder, pinsync: CommandLine) -> None:
    for_all = [
        {**shelf(pin(1, item), number=number), "target_type": "all", "target_identity": None}
        for number, item in enumerate(("/a/", "/b/"), 1)
    ]
    commit("Ada", {FILE: text(for_all[0])})
    commit("Bob", {FILE: text(*for_all)})
    new = [{**row, "id": rule(9 - number)["id"]} for number, row in enumerate(for_all)]
    commit("Cyd", {FILE: text(*new)})
    found = record(pinsync, "basket")
    assert sorted(who(found)) == [("Ada", "added", "/a/"), ("Bob", "added", "/b/")]
    rules = found["trackers"][0]["rules"]
    assert {(each["kind"], each["commit"]["author"]["name"]) for each in rules} == {
        ("recreated", "Cyd")
    }


def test_of_several_titles_of_a_pinned_item_the_first_in_canonical_order_is_shown(
    commit: Recorder, pinsync: CommandLine
) -> None:
    titled = [
        rule(number, target_identity="/a/", target_metadata={"title": title})
        for number, title in ((7, "Second"), (6, "First"))
    ]
    blocks = [text(row).split("customizations:\n")[1] for row in titled]
    commit("Ada", {FILE: text(shelf(pin(1, "/a/"))) + "".join(blocks)})
    assert 'position 1: /a/ "First"' in pinsync("blame", "basket", "/p/1/").out


def test_an_id_that_is_filled_in_changes_nothing(commit: Recorder, pinsync: CommandLine) -> None:
    known = shelf(pin(1, "/a/"))
    by_hand = {name: value for name, value in known.items() if name != "id"}
    commit("Ada", {FILE: text(by_hand)})
    commit("Bob", {FILE: text(known)})
    found = record(pinsync, "basket")
    assert who(found) == [("Ada", "added", "/a/")]
    assert found["trackers"][0]["rules"][0]["commit"]["author"]["name"] == "Ada"


def test_a_folder_a_configuration_and_trackers_of_other_names_are_followed(
    commit: Recorder, git: Git, pinsync: CommandLine
) -> None:
    def configuration(*names: str, directory: str = "customizations") -> str:
        trackers = "".join(f'  {name}: {{tracker_id: "{name[0]}-1"}}\n' for name in names)
        return f"directory: {directory}\ntrackers:\n{trackers}"

    rows = [shelf(pin(1, "/a/")), shelf(pin(1, "/b/"), number=2), shelf(pin(1, "/c/"), number=3)]
    commit("Ada", {FILE: text(*rows), "pinsync.yaml": configuration("old")})
    rows[0] = shelf(pin(2, "/a/"))
    commit("Bob", {FILE: text(*rows)})
    commit("Cyd", {"pinsync.yaml": configuration("sk")})
    git("mv", "customizations", "pins")
    commit("Dan", {"pinsync.yaml": configuration("sk", directory="pins")})
    rows[1] = shelf(pin(2, "/b/"), number=2)
    commit("Eve", {"pins/basket.yaml": text(*rows)})
    Path("pins/sk").mkdir()
    git("mv", "pins/basket.yaml", "pins/sk/basket.yaml")
    other = text(shelf(pin(1, "/z/")))
    commit(
        "Flo",
        {"pinsync.yaml": configuration("sk", "cz", directory="pins"), "pins/cz/basket.yaml": other},
    )
    git("mv", "pins/sk", "pins/swap")
    git("mv", "pins/cz", "pins/sk")
    git("mv", "pins/swap", "pins/shop")
    names = 'directory: pins\ntrackers:\n  shop: {tracker_id: "s-1"}\n  sk: {tracker_id: "c-1"}\n'
    commit("Gus", {"pinsync.yaml": names.replace("sk:", "czech:")})
    git("mv", "pins/sk", "pins/czech")
    commit("Hal", {})
    everything = record(pinsync, "basket")
    assert [tracker["name"] for tracker in everything["trackers"]] == ["shop", "czech"]
    expected = [("Bob", "moved", "/a/"), ("Eve", "moved", "/b/"), ("Ada", "added", "/c/")]
    assert who(record(pinsync, "basket", "--tracker", "shop")) == expected
    assert who(everything)[:3] == expected


def test_trackers_that_exchange_their_names_are_not_taken_for_each_other(
    commit: Recorder, git: Git, pinsync: CommandLine
) -> None:
    def configuration(left: str, right: str) -> str:
        return f'trackers:\n  {left}: {{tracker_id: "1-1"}}\n  {right}: {{tracker_id: "2-2"}}\n'

    commit(
        "Ada",
        {
            "pinsync.yaml": configuration("a", "b"),
            "customizations/a/basket.yaml": text(shelf(pin(1, "/a/"))),
        },
    )
    commit("Bob", {"customizations/b/basket.yaml": text(shelf(pin(1, "/b/")))})
    git("mv", "customizations/a", "customizations/c")
    commit("Cyd", {"pinsync.yaml": configuration("c", "b")})
    git("mv", "customizations/b", "customizations/a")
    commit("Dan", {"pinsync.yaml": configuration("c", "a")})
    assert who(record(pinsync, "basket", "--tracker", "a")) == [("Bob", "added", "/b/")]
    assert who(record(pinsync, "basket", "--tracker", "c")) == [("Ada", "added", "/a/")]
    assert who(record(pinsync, "basket")) == [("Ada", "added", "/a/"), ("Bob", "added", "/b/")]


def test_a_merge_is_blamed_for_all_that_it_brought(
    commit: Recorder, git: Git, pinsync: CommandLine
) -> None:
    commit("Ada", {FILE: text(shelf(pin(1, "/a/"), pin(2, "/b/")))})
    git("switch", "--quiet", "--create", "feature")
    commit("Bob", {FILE: text(shelf(pin(1, "/a/"), pin(3, "/b/")))})
    git("switch", "--quiet", "main")
    commit("Cyd", {"notes.txt": "x"})
    git("-c", "user.name=Max", "merge", "--quiet", "--no-ff", "-m", "Merge", "feature")
    assert who(record(pinsync, "basket")) == [("Ada", "added", "/a/"), ("Max", "moved", "/b/")]


def test_commits_in_which_a_file_can_not_be_read_are_passed_over(
    commit: Recorder, pinsync: CommandLine
) -> None:
    commit("Ada", {FILE: text(shelf(pin(1, "/a/"), pin(2, "/b/")))})
    commit("Bob", {FILE: "<<<<<<< HEAD\n"})
    commit("Cyd", {FILE: "model: [\n"})
    commit("Dan", {FILE: text(shelf(pin(1, "/a/"), pin(3, "/b/")))})
    assert who(record(pinsync, "basket")) == [("Ada", "added", "/a/"), ("Dan", "moved", "/b/")]
    found = pinsync("blame", "basket", "--rev", "HEAD~1")
    assert found.code == 0
    assert found.err.startswith(f"warning: HEAD~1:{FILE}: line ")
    assert found.err.endswith("; its last readable version is blamed instead\n")
    assert "Ada" in found.out


def test_a_field_that_came_to_be_ignored_hides_nothing(
    commit: Recorder, pinsync: CommandLine
) -> None:
    row = shelf(pin(1, "/a/")) | {"target_metadata": {"title": "Strings", "image": "x"}}
    by_hand = {name: value for name, value in row.items() if name != "id"}
    commit("Ada", {"pinsync.yaml": "", FILE: text(by_hand)})
    commit("Bob", {"pinsync.yaml": "ignore: [target_metadata.title, target_metadata.image]\n"})
    commit("Cyd", {FILE: text(by_hand, shelf(pin(1, "/b/"), number=2))})
    assert who(record(pinsync, "basket", "Strings")) == [("Ada", "added", "/a/")]


def test_a_shallow_clone_says_where_it_ends(
    commit: Recorder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    git: Git,
    pinsync: CommandLine,
) -> None:
    rows = [shelf(pin(1, "/a/"), pin(2, "/b/")), shelf(number=2)]
    commit("Ada", {FILE: text(*rows)})
    end = commit("Bob", {FILE: text(shelf(pin(1, "/a/"), pin(3, "/b/")), rows[1])})
    commit("Cyd", {FILE: text(shelf(pin(1, "/a/"), pin(3, "/b/"), pin(4, "/c/")), rows[1])})
    clone = tmp_path / "clone"
    git("clone", "--quiet", "--depth=2", Path.cwd().as_uri(), str(clone))
    monkeypatch.chdir(clone)
    found = record(pinsync, "basket")
    assert who(found) == [
        (None, None, "/a/"),
        (None, None, "/b/"),
        ("Cyd", "added", "/c/"),
        (None, None, ""),
    ]
    assert (found["complete"], found["shallow"]["commit"]) == (False, end)
    lines = pinsync("blame", "basket").out.splitlines()
    assert [line.split()[0] for line in lines if "position" in line or "no pins" in line] == [
        f"^{end[:7]}",
        f"^{end[:7]}",
        git("rev-parse", "--short=7", "HEAD"),
        f"^{end[:7]}",
    ]
    assert lines[-1].startswith(f"note: the history ends at {end[:7]}: this clone is shallow")
    git("fetch", "--quiet", "--unshallow")
    assert record(pinsync, "basket")["complete"] is True


# The working tree.


@pytest.mark.parametrize("staged", [False, True])
def test_edits_that_are_not_committed_are_not_blamed(
    staged: bool, commit: Recorder, git: Git, pinsync: CommandLine
) -> None:
    commit(
        "Ada", {FILE: text(shelf(pin(1, "/a/"))), "customizations/home.yaml": text(model="home")}
    )
    put(Path(FILE), text(shelf(pin(2, "/a/"))))
    if staged:
        git("add", FILE)
    warning = f"warning: {FILE} differs from HEAD; uncommitted changes are not blamed\n"
    with untouched(Path.cwd()):
        assert who(record(pinsync, "basket", err=warning)) == [("Ada", "added", "/a/")]
    record(pinsync, "home")
    Path(FILE).unlink()
    record(pinsync, "basket", err=warning)


# How it is told.


def test_the_table(commit: Recorder) -> None:
    until = {"active_to": "2026-12-31T23:00:00Z"}
    strings = {"target_metadata": {"title": "Strings"}}
    everyone = {"id": rule(2)["id"], "target_type": "all", "pin_definitions": [pin(-1, "/p/1/")]}
    pins = [pin(1, "/a/"), pin(2, "/b/"), pin(3, "/c/")]
    one = commit(
        "Jana Nováková",
        {"pinsync.yaml": "timezone: Europe/Bratislava\n", FILE: text(shelf(*pins) | strings)},
    )
    pins = [pin(1, "/a/"), pin(2, "/x/", until), pin(4, "/c/")]
    two = commit("山田 太郎", {FILE: text(shelf(*pins) | strings)})
    three = commit("Bo", {FILE: text(shelf(*pins, pin(5, "/a/", until)) | strings, everyone)})
    lines: list[str] = []
    console = Console(out=lambda line: lines.append(str(line)), err=lines.append)
    assert blame(Workspace(None, os.environ), Options("basket", now=NOW), console) == 0
    window = "until 1 Jan 2027 00:00 CET"
    rows = [
        (one, "Jana Nováková  7 weeks ago", "added", "position 1: /a/"),
        (
            two,
            "山田 太郎      7 weeks ago",
            f"replaced /b/, no end → {window}",
            f"position 2: /x/, {window}",
        ),
        (two, "山田 太郎      7 weeks ago", "moved 3 → 4", "position 4: /c/"),
        (three, "Bo             7 weeks ago", "added", f"position 5: /a/, {window}"),
    ]
    assert "\n".join(lines).splitlines() == [
        f"basket in HEAD (commit {three[:12]})",
        "",
        f"Strings (item /p/1/) · {FILE}:4",
        *(f"  {full[:7]}  {whom}  {event:<49}  {what}" for full, whom, event, what in rows),
        "",
        f"all requests · {FILE}:24",
        f'  {three[:7]}  Bo  7 weeks ago  added  every position: /p/1/ "Strings"',
    ]


@pytest.mark.parametrize(
    ("passed", "expected"),
    [
        (timedelta(0), "0 seconds ago"),
        (timedelta(seconds=1), "1 second ago"),
        (timedelta(seconds=89), "89 seconds ago"),
        (timedelta(seconds=90), "2 minutes ago"),
        (timedelta(minutes=89), "89 minutes ago"),
        (timedelta(minutes=90), "2 hours ago"),
        (timedelta(hours=35), "35 hours ago"),
        (timedelta(hours=36), "2 days ago"),
        (timedelta(days=13), "13 days ago"),
        (timedelta(days=14), "2 weeks ago"),
        (timedelta(days=69), "10 weeks ago"),
        (timedelta(days=70), "2 months ago"),
        (timedelta(days=364), "12 months ago"),
        (timedelta(days=365), "1 year ago"),
        (timedelta(days=400), "1 year, 1 month ago"),
        (timedelta(days=800), "2 years, 2 months ago"),
        (timedelta(days=5 * 365), "5 years ago"),
        (timedelta(days=20000), "55 years ago"),
        (timedelta(seconds=-1), "in the future"),
    ],
)
def test_an_age_is_told_as_git_tells_it(passed: timedelta, expected: str) -> None:
    assert describe_age(NOW - passed, NOW) == expected


def test_what_is_foreign_is_shown_escaped(commit: Recorder, pinsync: CommandLine) -> None:
    title = {"target_metadata": {"title": "::error::\x1b[31m"}}
    commit("Eve\u202e ##[group]\x1b[31m", {FILE: text(shelf(pin(1, "/a\u202e/")) | title)})
    put(Path("pinsync.yaml"), "")
    result = pinsync("blame", "basket")
    assert (result.code, result.err) == (0, "")
    assert not {"\x1b", "\u202e"} & set(result.out)
    assert "##[" not in result.out
    assert not any(line.lstrip().startswith("::") for line in result.out.splitlines())
    found = pinsync("blame", "--json", "basket").out
    assert not {"\x1b", "\u202e"} & set(found)
    assert "##[" not in found
    assert who(json.loads(found)) == [("Eve\u202e ##[group]\x1b[31m", "added", "/a\u202e/")]


def test_a_date_beyond_the_calendar_is_none(
    commit: Recorder, git: Git, pinsync: CommandLine
) -> None:
    commit("Ada", {FILE: text(shelf(pin(1, "/a/")))})
    tree = git("rev-parse", "HEAD^{tree}")
    for seconds in (253402300799, 99999999999999):
        raw = f"tree {tree}\nauthor Ada <a@x> {seconds} +0000\ncommitter Ada <a@x> 1 +0000\n\nFar\n"
        put(Path("far"), raw)
        made = git("hash-object", "-t", "commit", "-w", "--literally", "far")
        (found,) = record(pinsync, "basket", "--rev", made)["trackers"][0]["rules"]
        assert found["commit"]["date"] == "1970-01-01T00:00:00Z"
        assert " years ago" in pinsync("blame", "basket", "--rev", made).out


# Bad input.


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["baskett"], 'there is no model "baskett"', 'did you mean "basket"?'),
        (
            ["basket", "/p/11/"],
            'no customization of basket is for "/p/11/"',
            'did you mean "/p/1/"?',
        ),
        (["basket", "--rev", "nosuch"], "nosuch names no commit", "git branch"),
        (["basket", "--rev", "@worktree"], "@worktree names no commit", ""),
        (
            ["basket", "--tracker", "defualt"],
            'no tracker is named "defualt"',
            'did you mean "default"?',
        ),
        (
            ["new"],
            'there is no model "new" in HEAD',
            "customizations/new.yaml isn't in that commit",
        ),
        (["\ud800"], 'there is no model "\\ud800"', ""),
        ([], "missing argument 'MODEL'", ""),
    ],
)
def test_what_is_mistyped_is_a_usage_error(
    arguments: list[str], message: str, hint: str, commit: Recorder, pinsync: CommandLine
) -> None:
    commit("Ada", {FILE: text(shelf(pin(1, "/a/")))})
    put(Path("customizations/new.yaml"), text(shelf(number=5), model="new"))
    result = pinsync("blame", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert hint in result.err


def test_without_a_commit_or_a_repository_nobody_can_be_blamed(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pinsync: CommandLine
) -> None:
    put(repository / FILE, text(shelf(pin(1, "/a/"))))
    result = pinsync("blame", "basket")
    assert (result.code, result.out) == (2, "")
    assert "there is no commit yet" in result.err
    monkeypatch.chdir(tmp_path)
    result = pinsync("blame", "basket")
    assert (result.code, result.out) == (2, "")
    assert "is not in a git repository" in result.err


def test_a_configuration_that_never_could_be_read_is_named(
    commit: Recorder, pinsync: CommandLine
) -> None:
    commit("Ada", {"pinsync.yaml": "nonsense: 1\n", FILE: text(shelf(pin(1, "/a/")))})
    put(Path("pinsync.yaml"), "")
    result = pinsync("blame", "basket")
    assert (result.code, result.out) == (2, "")
    assert "HEAD:pinsync.yaml: line 1: " in result.err


def test_a_model_without_rules_and_verbose(commit: Recorder, pinsync: CommandLine) -> None:
    full = commit("Ada", {FILE: text()})
    result = pinsync("blame", "basket", "--verbose")
    assert result.out == f"basket in HEAD (commit {full[:12]})\nno rules\n"
    assert result.err == f"looking through the commits from HEAD ({full[:12]}) back\n"


# For all histories.


class Held(NamedTuple):
    """One target's rule in one commit: which of two ids and of two models it has, and its pins."""

    number: int
    model: str
    pins: tuple[tuple[int, str], ...]


PINS = st.tuples(st.integers(1, 2), st.sampled_from(["/a/", "/b/"]))  # few, so that many stay
HELD = st.builds(
    Held,
    st.sampled_from([0, 0, 0, 1]),
    st.sampled_from(["basket", "basket", "home"]),
    st.lists(PINS, min_size=1, max_size=5).map(tuple),
)
STATES = st.lists(st.fixed_dictionaries({1: HELD}, optional={2: HELD}), min_size=3, max_size=6)


def customization(target: int, held: Held) -> Row:
    row = rule(target, pin_definitions=[pin(*each) for each in held.pins])
    return row | {"id": rule(10 * target + held.number)["id"], "model": held.model}


def imported(states: Sequence[Mapping[int, Held]]) -> str:
    """Commit states one upon the other, each under its index; return the hash of the last."""
    stream = ["reset refs/heads/drawn\n"]
    for at, state in enumerate(states):
        stream.append(
            f"commit refs/heads/drawn\ncommitter Ada <a@x> {at} +0000\ndata {len(str(at))}\n"
            f"{at}\ndeleteall\n"
        )
        for model in ("basket", "home"):
            rows = [
                customization(target, held) for target, held in state.items() if held.model == model
            ]
            content = text(*rows, model=model)
            stream.append(
                f"M 644 inline customizations/{model}.yaml\ndata {len(content)}\n{content}\n"
            )
    done = subprocess.run(
        ["git", "fast-import", "--quiet", "--force"], input="".join(stream).encode(), check=False
    )
    assert done.returncode == 0
    return subprocess.run(
        ["git", "rev-parse", "drawn"], capture_output=True, text=True, check=True
    ).stdout.strip()


def culprit(
    states: Sequence[Mapping[int, Held]], target: int, wanted: tuple[int, str], copies: int
) -> int:
    """The last commit that made a pin of the last state: before it, the rule hadn't as many of
    them.
    """
    at = len(states) - 1
    while at:
        now, before = states[at][target], states[at - 1].get(target)
        if before is None or (before.number != now.number and before.model != now.model):
            break
        if Counter(before.pins)[wanted] < copies:
            break
        at -= 1
    return at


@given(STATES)
@settings(
    derandomize=True,
    deadline=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_pin_is_of_the_last_commit_before_which_it_was_not_there(
    repository: Path, states: list[dict[int, Held]]
) -> None:
    tip = imported(states)
    tree = open_tree(config.load(None, start=repository, environ={}))
    assert tree.repository
    with tree.repository.open_reader() as reader:
        history = History(reader, HistoryContext(tree.settings, tree.repository, {}), tip)
        state = history.read_newest()
        assert state
        (documents,) = state.documents.values()
        items = [item for version in documents.versions.values() for item in version.items]
        rules = {"default": [LocatedCustomization(item, Place(FILE, 1)) for item in items]}
        found, whole = blame_pins(history.walk_steps(), rules)
    assert whole
    assert len(found["default"]) == len(states[-1])
    for each in found["default"]:
        target = int(str(each.customization.target.identity).split("/")[2])
        seen: Counter[tuple[int, str]] = Counter()
        for of_pin in each.pins:
            assert of_pin.pin.position is not None
            assert of_pin.pin.identity is not None
            wanted = of_pin.pin.position, of_pin.pin.identity
            seen[wanted] += 1
            assert of_pin.commit
            assert int(of_pin.commit.subject) == culprit(states, target, wanted, seen[wanted])
