"""``pinsync history``: what is told of a commit, whatever became of files, folders, trackers and
the configuration.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.exporting import put, untouched
from support.histories import (
    BASKET,
    HOME,
    Record,
    commit,
    configuration,
    log,
    places,
    rule,
    run,
    text,
)
from support.paths import ROOT

if TYPE_CHECKING:
    from support.command_line import CommandLine

CONFIG = "pinsync.yaml"


@pytest.fixture(autouse=True)
def _shop(repository: Path) -> None:
    put(repository / CONFIG, configuration("shop", more="timezone: Europe/Bratislava\n"))


def test_each_commit_is_told_in_the_words_of_diff(pinsync: CommandLine) -> None:
    first = rule(1, "/p/2/", "/p/9/", "/p/3/", target_metadata={"title": "Strap: black"})
    commit("Begin", {BASKET: text("basket", first), HOME: text("home", rule(2, "/p/1/"))}, at=1)
    moved = {
        **first,
        "pin_definitions": [
            {**pin, "position": 4 - pin["position"]} for pin in first["pin_definitions"]
        ],
    }
    commit(
        "Turn the straps round",
        {BASKET: text("basket", moved)},
        author="Jana Nováková <jana@example.com>",
        at=8000,
    )
    with untouched(Path.cwd()):
        result = pinsync("history")
    assert (result.code, result.err) == (0, "")
    assert (
        re.sub("commit [0-9a-f]{7} ", "commit abc1234 ", result.out)
        == """\
commit abc1234 · 30 Nov 2026 09:00 CET · Jana Nováková
    Turn the straps round

~ Strap: black (item /p/1/) · model basket · customizations/basket.yaml:4
    ~ position 1: /p/3/ (moved 3 → 1)
    ~ position 3: /p/2/ (moved 1 → 3)

commit abc1234 · 1 Jan 2026 02:00 CET · Test
    Begin

+ Strap: black (item /p/1/) · model basket · added · customizations/basket.yaml:4
    + position 1: /p/2/
    + position 2: /p/9/
    + position 3: /p/3/

+ item /p/2/ · model home · added · customizations/home.yaml:4
    + position 1: /p/1/ "Strap: black"
"""
    )


def test_the_kinds_of_changes_are_plain_words(pinsync: CommandLine) -> None:
    commit("Begin", {BASKET: text("basket", rule(1, "/p/2/"), rule(2, "/p/3/"))})
    again = rule(1, "/p/2/", id="00000000-0000-4000-8000-00000000abcd")
    commit("Change", {BASKET: text("basket", again, rule(3, "/p/4/"))})
    commit("Move", {BASKET: text("basket", rule(3, "/p/4/")), HOME: text("home", again)})
    out = pinsync("history", "-n", "2").out
    assert (
        "item /p/1/ · model basket · under a new id · invisible to shoppers · "
        "customizations/basket.yaml:4"
    ) in out
    assert "- item /p/2/ · model basket · removed · customizations/basket.yaml:11" in out
    assert "+ item /p/3/ · model basket · added · customizations/basket.yaml:11" in out
    assert (
        "~ item /p/1/ · model basket · customizations/home.yaml:4\n    ~ model: basket → home"
        in out
    )
    assert "HEAD" not in out
    assert "only in" not in out


def test_rules_for_all_under_new_ids_are_the_same_rules(pinsync: CommandLine) -> None:
    for_all = [rule(at, f"/p/{at}/", target_type="all", target_identity=None) for at in (1, 2)]
    commit("Begin", {BASKET: text("basket", *for_all)})
    new = [{**row, "id": row["id"].replace("0000-4000", "0000-4999")} for row in for_all]
    commit("Import", {BASKET: text("basket", *new)})
    found = log(pinsync)
    assert found.changes["Import"] == ["recreated basket all: id"] * 2
    assert pinsync("history", "-n", "1").out.count("under a new id · invisible to shoppers") == 2


def test_a_pinned_item_has_its_newest_title_and_of_several_the_first_in_canonical_order(
    pinsync: CommandLine,
) -> None:
    def titled(number: int, title: str) -> Record:
        return rule(number, target_identity="/p/9/", target_metadata={"title": title})

    pinning = rule(1, "/p/9/")
    commit(
        "Begin",
        {
            BASKET: text("basket", pinning, titled(2, "Oldest")),
            HOME: text("home", titled(3, "Home")),
        },
    )
    assert '+ position 1: /p/9/ "Oldest"' in pinsync("history").out
    first, second = (
        text("basket", titled(number, title)) for number, title in ((4, "First"), (5, "Second"))
    )
    shelf = text(
        "basket",
        pinning | {"tags": ["x"]},
        rule(2, target_identity="/p/9/", note={"title": "none"}),
    )
    blocks = [document.split("customizations:\n")[1] for document in (second, first)]
    commit("Move blocks", {BASKET: shelf + "".join(blocks)})
    assert '+ position 1: /p/9/ "First"' in pinsync("history", "--item", "/p/9/").out


def test_a_commit_that_only_reformatted_is_left_out_unless_all_are_wanted(
    pinsync: CommandLine,
) -> None:
    document = text("basket", rule(1, "/p/2/"), rule(2, "/p/3/"))
    commit("Begin", {BASKET: document, HOME: text("home", rule(3, "/p/4/"))})
    spelled = document.replace("target_type: item", "target_type: 'item'").replace(
        "customizations:", "customizations: "
    )
    commit("Respell", {BASKET: spelled})
    commit("CRLF", {BASKET: document.replace("\n", "\r\n")})
    commit("Elsewhere", {"README": "hello"})
    assert log(pinsync).subjects == ["Begin"]
    everything = log(pinsync, "--all").record["commits"]
    assert [(found["subject"], found["reformatted"]) for found in everything] == [
        ("CRLF", True),
        ("Respell", True),
        ("Begin", False),
    ]
    assert log(pinsync, "--all", "home").subjects == ["Begin"]
    out = pinsync("history", "--all", "-n", "1").out
    assert out.endswith("    CRLF\n\nonly reformatted or moved: no rule changed\n")


def test_a_change_hidden_among_hand_made_formatting_is_found(pinsync: CommandLine) -> None:
    document = text("basket", rule(1, "/p/2/"), rule(2, "/p/3/")).replace("\n", "\r\n")
    commit("Begin", {BASKET: document})
    commit(
        "Edit",
        {BASKET: document.replace("item\r\n", "item  # so\r\n").replace("/p/3/", '"/p/33/"')},
    )
    assert log(pinsync).changes["Edit"] == ["changed basket /p/2/: replaced /p/33/"]


def test_a_line_end_that_a_text_at_the_end_of_a_file_loses_is_a_change(
    pinsync: CommandLine,
) -> None:
    whole = text("basket", rule(1, "/p/2/")) + "    note: |\n      Hello\n"
    commit("Begin", {BASKET: whole})
    commit("Mark", {BASKET: f"\ufeff{whole}"})
    commit("Cut", {BASKET: whole.removesuffix("\n")})
    assert log(pinsync).changes == {
        "Cut": ["changed basket /p/1/: note"],
        "Begin": ["added basket /p/1/"],
    }


def test_a_rename_of_the_folder_is_followed(pinsync: CommandLine) -> None:
    commit("Begin", {BASKET: text("basket", rule(1, "/p/2/"))})
    run("mv", "customizations", "pins")
    commit("Rename", {CONFIG: configuration("shop", directory="pins")})
    commit("Edit", {"pins/basket.yaml": text("basket", rule(1, "/p/3/"))})
    found = log(pinsync)
    assert found.subjects == ["Edit", "Begin"]
    assert places(found) == {"Edit": ["pins/basket.yaml:4"], "Begin": [f"{BASKET}:4"]}
    assert log(pinsync, "--all").subjects == ["Edit", "Rename", "Begin"]
    assert log(pinsync, "--all", "basket", "/p/1/").subjects == ["Edit", "Rename", "Begin"]


def test_a_change_made_while_the_folder_is_renamed_is_that_commits(pinsync: CommandLine) -> None:
    commit("Begin", {BASKET: text("basket", rule(1, "/p/2/"))})
    run("mv", "customizations", "pins")
    commit(
        "Rename",
        {
            CONFIG: configuration("shop", directory="pins"),
            "pins/basket.yaml": text("basket", rule(1, "/p/3/")),
        },
    )
    assert log(pinsync).changes["Rename"] == ["changed basket /p/1/: replaced /p/3/"]


def test_trackers_are_followed_as_they_become_several_and_are_renamed(pinsync: CommandLine) -> None:
    commit("Begin", {BASKET: text("basket", rule(1, "/p/2/"))})
    Path("customizations/shop").mkdir()
    run("mv", BASKET, "customizations/shop/basket.yaml")
    other = {"customizations/other/basket.yaml": text("basket", rule(7, "/p/8/"))}
    commit("Split", {CONFIG: configuration("shop", "other"), **other})
    run("mv", "customizations/shop", "customizations/sk")
    renamed = configuration("sk", "other").replace("id-sk", "id-shop")
    commit(
        "Rename",
        {CONFIG: renamed, "customizations/sk/basket.yaml": text("basket", rule(1, "/p/3/"))},
    )
    found = log(pinsync)
    assert found.changes == {
        "Rename": ["changed basket /p/1/: replaced /p/3/"],
        "Split": ["added basket /p/7/"],
        "Begin": ["added basket /p/1/"],
    }
    assert [[each["name"] for each in entry["trackers"]] for entry in found.record["commits"]] == [
        ["sk"],
        ["other"],
        ["shop"],
    ]
    assert log(pinsync, "--tracker", "sk").subjects == ["Rename", "Begin"]
    assert log(pinsync, "--tracker", "other").subjects == ["Split"]


def test_a_renamed_tracker_is_followed_through_commits_of_others(pinsync: CommandLine) -> None:
    two = {"customizations/shop/basket.yaml": text("basket", rule(1, "/p/2/"))}
    commit("Begin", {CONFIG: configuration("shop", "other"), **two}, author="A <a@x>")
    run("mv", "customizations/shop", "customizations/sk")
    commit(
        "Rename",
        {CONFIG: configuration("sk", "other").replace("id-sk", "id-shop")},
        author="B <b@x>",
    )
    assert log(pinsync, "--tracker", "sk", "--author", "A").subjects == ["Begin"]


def test_several_trackers_of_one_commit_are_told_apart(pinsync: CommandLine) -> None:
    files = {
        f"customizations/{name}/basket.yaml": text("basket", rule(1, "/p/2/"))
        for name in ("sk", "cz")
    }
    commit("Begin", {CONFIG: configuration("sk", "cz"), **files})
    out = pinsync("history").out
    assert "\nsk (id-sk)\n" in out
    assert "\ncz (id-cz)\n" in out


def test_a_configuration_that_moved_is_found(pinsync: CommandLine) -> None:
    nested = {
        "shop/pinsync.yaml": configuration("shop"),
        "shop/customizations/basket.yaml": text("basket", rule(1, "/p/2/")),
    }
    commit("Begin", {CONFIG: None, **nested})
    Path("eshop").mkdir()
    run("mv", "shop/pinsync.yaml", "shop/customizations", "eshop")
    commit("Move")
    commit("Edit", {"eshop/customizations/basket.yaml": text("basket", rule(1, "/p/3/"))})
    found = log(pinsync, "--config", "eshop/pinsync.yaml")
    assert found.subjects == ["Edit", "Begin"]
    assert places(found)["Begin"] == ["shop/customizations/basket.yaml:4"]


def test_a_merge_is_what_it_brought_to_the_first_parent(pinsync: CommandLine) -> None:
    commit("Begin", {BASKET: text("basket", rule(1, "/p/2/"), rule(2, "/p/3/"))})
    run("switch", "--quiet", "--create", "work")
    commit("One", {BASKET: text("basket", rule(1, "/p/5/"), rule(2, "/p/3/"))})
    commit("Two", {BASKET: text("basket", rule(1, "/p/6/"), rule(2, "/p/3/"))})
    run("switch", "--quiet", "main")
    commit("Aside", {HOME: text("home", rule(9, "/p/1/"))})
    run("merge", "--quiet", "--no-ff", "--message=Merge work", "work")
    assert log(pinsync).changes == {
        "Merge work": ["changed basket /p/1/: replaced /p/6/"],
        "Aside": ["added home /p/9/"],
        "Begin": ["added basket /p/1/", "added basket /p/2/"],
    }


def test_a_deleted_document_is_told_from_the_parents_side(pinsync: CommandLine) -> None:
    commit(
        "Begin", {BASKET: text("basket", rule(1, "/p/2/")), HOME: text("home", rule(2, "/p/1/"))}
    )
    commit("Delete", {BASKET: None})
    found = log(pinsync)
    assert found.changes["Delete"] == ["removed basket /p/1/"]
    assert places(found)["Delete"] == [f"{BASKET}:4"]
    assert log(pinsync, "basket").subjects == ["Delete", "Begin"]  # of a model that is no more


def test_a_file_that_is_broken_for_a_while_is_skipped_over(pinsync: CommandLine) -> None:
    commit(
        "Begin", {BASKET: text("basket", rule(1, "/p/2/")), HOME: text("home", rule(2, "/p/1/"))}
    )
    commit("Break", {BASKET: "customizations: ["})
    commit("Elsewhere", {HOME: text("home", rule(2, "/p/3/"))})
    commit("Still", {BASKET: "format: 1\nmodel: basket\ncustomizations: 1\n"})
    commit("Mend", {BASKET: text("basket", rule(1, "/p/4/"))})
    found = log(pinsync)
    assert found.changes == {
        "Mend": ["changed basket /p/1/: replaced /p/4/"],
        "Still": [],
        "Elsewhere": ["changed home /p/2/: replaced /p/3/"],
        "Break": [],
        "Begin": ["added basket /p/1/", "added home /p/2/"],
    }
    assert found.notes.keys() == {"Still", "Break"}
    (note,) = found.notes["Break"]
    assert note.startswith("customizations/basket.yaml can't be read: line 2: ")
    assert note.endswith("; its changes are skipped until it can be read")
    assert f"note: {note}\n" in pinsync("history").out
    assert log(pinsync, "home").subjects == ["Elsewhere", "Begin"]
    assert log(pinsync, "basket").subjects == ["Mend", "Still", "Break", "Begin"]


def test_a_file_that_is_broken_now_is_known_as_it_was(pinsync: CommandLine) -> None:
    commit("Begin", {BASKET: text("basket", rule(1, "/p/2/"))})
    commit("Break", {BASKET: "customizations: ["})
    assert log(pinsync, "basket", "/p/1/").subjects == ["Break", "Begin"]


def test_a_configuration_that_is_broken_for_a_commit_is_skipped_over(pinsync: CommandLine) -> None:
    commit("Begin", {BASKET: text("basket", rule(1, "/p/2/"))})
    good = Path(CONFIG).read_text(encoding="utf-8")
    commit("Break", {CONFIG: "format: [", BASKET: text("basket", rule(1, "/p/3/"))})
    commit("Mend", {CONFIG: good})
    found = log(pinsync)
    assert found.changes == {
        "Mend": ["changed basket /p/1/: replaced /p/3/"],
        "Break": [],
        "Begin": ["added basket /p/1/"],
    }
    assert found.notes["Break"][0].startswith("pinsync.yaml can't be read: ")


def test_a_repository_whose_first_configuration_is_broken_begins_where_it_can_be_read(
    pinsync: CommandLine,
) -> None:
    good = Path(CONFIG).read_text(encoding="utf-8")
    commit("Broken", {CONFIG: "format: [", BASKET: text("basket", rule(1, "/p/2/"))})
    commit("Mend", {CONFIG: good})
    assert log(pinsync).changes == {"Mend": ["added basket /p/1/"], "Broken": []}


def test_a_link_in_place_of_the_folder_is_a_note_and_no_removal(pinsync: CommandLine) -> None:
    commit("Begin", {BASKET: text("basket", rule(1, "/p/2/"))})
    run("mv", "customizations", "elsewhere")
    Path("customizations").symlink_to("elsewhere")
    commit("Link")
    Path("customizations").unlink()
    run("mv", "elsewhere", "customizations")
    commit("Unlink", {BASKET: text("basket", rule(1, "/p/3/"))})
    found = log(pinsync)
    assert found.changes["Link"] == []
    assert "is a link, a file or a submodule, expected a folder" in found.notes["Link"][0]
    assert found.changes["Unlink"] == ["changed basket /p/1/: replaced /p/3/"]


def test_two_documents_of_one_model_or_one_id_are_a_note(pinsync: CommandLine) -> None:
    commit(
        "Begin", {BASKET: text("basket", rule(1, "/p/2/")), HOME: text("home", rule(2, "/p/1/"))}
    )
    commit("Copy", {"customizations/copy.yaml": text("basket", rule(5, "/p/2/"))})
    commit("Uncopy", {"customizations/copy.yaml": None})
    commit("Same id", {HOME: text("home", rule(2, "/p/1/"), rule(1, "/p/4/"))})
    commit("Moved", {BASKET: None})
    found = log(pinsync)
    assert (
        "holds the model 'basket', which customizations/basket.yaml holds already"
        in found.notes["Copy"][0]
    )
    assert "stands in customizations/" in found.notes["Same id"][0]
    assert found.changes == {
        "Moved": ["changed basket /p/1/: replaced /p/4/, model"],
        "Same id": [],
        "Copy": [],
        "Begin": ["added basket /p/1/", "added home /p/2/"],
    }


def test_a_shallow_clone_says_where_its_history_ends(
    pinsync: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit("Begin", {BASKET: text("basket", rule(1, "/p/2/"))})
    end = commit("Edit", {BASKET: text("basket", rule(1, "/p/3/"))})
    last = commit("Last", {BASKET: text("basket", rule(1, "/p/99/"))})
    run("clone", "--quiet", "--depth=2", Path.cwd().as_uri(), str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    found = log(pinsync)
    assert (found.record["complete"], found.record["shallow"]["commit"]) == (False, end)
    assert found.changes == {"Last": ["changed basket /p/1/: replaced /p/99/"]}
    out = pinsync("history").out
    assert out.endswith(
        f"\n\nnote: the history ends at {end[:7]}: this clone is shallow (git fetch --unshallow)\n"
    )
    assert f"ends at {end[:7]}" in pinsync("history", "--format", "markdown").out
    for fewer in (["-n", "1"], [f"{end}..{last}"]):
        assert (log(pinsync, *fewer).record["complete"], log(pinsync, *fewer).subjects) == (
            True,
            ["Last"],
        )
    for shown in (["--until", "2001-01-01"], ["--author", "nobody"]):
        nothing = pinsync("history", *shown)
        assert (nothing.code, nothing.out) == (0, out.split("\n\n")[-1])
        assert nothing.err.startswith(
            f"this clone is shallow and lacks the commits before {end[:7]} (git"
        )
        assert log(pinsync, *shown).err == nothing.err


def test_what_a_shallow_clone_lacks_is_said_where_it_is_asked_for(
    pinsync: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in (1, 2, 3):
        commit(
            f"Edit {at}",
            {BASKET: text("basket", rule(1, f"/p/{at}/"))},
            author=f"{at} <a@b>",
            at=at,
        )
    run("clone", "--quiet", "--depth=2", Path.cwd().as_uri(), str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    for arguments, complete in {
        ("--since", "2026-01-01T01:30Z"): False,
        ("--since", "2026-01-01T02:30Z"): True,
        ("--author", "3"): False,
        ("HEAD~1..",): True,
    }.items():
        found = log(pinsync, *arguments)
        assert (found.subjects, found.record["complete"]) == (["Edit 3"], complete)


def test_what_the_configuration_leaves_out_of_comparison_is_no_change(pinsync: CommandLine) -> None:
    ignoring = configuration("shop", more="ignore: [target_metadata.image]\n")
    commit(
        "Begin",
        {
            CONFIG: ignoring,
            BASKET: text("basket", rule(1, "/p/2/", target_metadata={"image": "a"})),
        },
    )
    commit("Image", {BASKET: text("basket", rule(1, "/p/2/", target_metadata={"image": "b"}))})
    assert log(pinsync).subjects == ["Begin"]


def test_nor_is_an_object_that_holds_nothing_else(pinsync: CommandLine) -> None:
    ignoring = configuration("shop", more="ignore: [target_metadata.image.url]\n")
    commit("Begin", {CONFIG: ignoring, BASKET: text("basket", rule(1, "/p/2/"))})
    commit(
        "Image", {BASKET: text("basket", rule(1, "/p/2/", target_metadata={"image": {"url": "a"}}))}
    )
    assert log(pinsync).subjects == ["Begin"]


def test_no_commit_and_no_repository_are_errors(
    pinsync: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = pinsync("history")
    assert (result.code, result.out) == (2, "")
    assert "there is no commit yet" in result.err
    monkeypatch.chdir(tmp_path)
    result = pinsync("history")
    assert (result.code, result.out) == (2, "")
    assert "not a git repository" in result.err


def test_a_repository_without_rules_has_none_to_tell(pinsync: CommandLine) -> None:
    commit("Begin")
    result = pinsync("history")
    assert (result.code, result.out, result.err) == (
        0,
        "",
        "no commit in the range changed a matching customization\n",
    )


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
def test_a_pager_that_is_left_early_is_no_failure() -> None:
    for number in range(40):
        commit(
            f"Edit {number}",
            {BASKET: text("basket", rule(1, *(f"/p/{number}{at}/" for at in range(300))))},
        )
    ours, theirs = os.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "pinsync", "history"],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TERM": "xterm",
            "GIT_PAGER": "head -n 2",
        },
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(theirs)
    assert os.read(ours, 1000).startswith(b"\x1b[33mcommit ")
    os.close(ours)
    assert (done.returncode, done.stderr) == (0, b"")


def test_without_a_configuration_the_files_are_read_all_the_same(pinsync: CommandLine) -> None:
    Path(CONFIG).unlink()
    commit("Begin", {BASKET: text("basket", rule(1, "/p/2/"))})
    (entry,) = log(pinsync).record["commits"]
    assert [(each["name"], each["tracker_id"]) for each in entry["trackers"]] == [("default", "")]


def test_a_date_that_no_calendar_has_is_no_failure(pinsync: CommandLine) -> None:
    commit("Begin", {BASKET: text("basket", rule(1, "/p/2/"))})
    run("commit", "--quiet", "--amend", "--no-edit", "--date=@99999999999999 +0000")
    (entry,) = log(pinsync).record["commits"]
    assert entry["date"] == "1970-01-01T00:00:00Z"
    assert " · 1 Jan 1970 01:00 CET · " in pinsync("history").out


@pytest.mark.parametrize(
    ("counts", "lines"), [((1, 3), {"added": [7, 10]}), ((3, 1), {"removed": [7, 10]})]
)
def test_each_of_several_equal_rules_without_an_id_has_a_line_of_its_own(
    counts: tuple[int, int], lines: dict[str, list[int]], pinsync: CommandLine
) -> None:
    block = "  - target_type: all\n    tags:\n      - a\n"
    before, after = (
        f"format: 1\nmodel: basket\ncustomizations:\n{block * count}" for count in counts
    )
    commit("Begin", {BASKET: before})
    put(Path(BASKET), after)
    ((kind, expected),) = lines.items()
    for changes in (
        json.loads(pinsync("diff", "HEAD", "@worktree", "--json").out)["trackers"][0]["changes"],
        committed_changes(pinsync),
    ):
        assert [(change["kind"], change["line"]) for change in changes] == [
            (kind, line) for line in expected
        ]


def committed_changes(pinsync: CommandLine) -> list[Record]:
    """Commit the files; return what `history` says of the commit."""
    commit("Repeat")
    (newest,) = json.loads(pinsync("history", "-n", "1", "--json").out)["commits"]
    found: list[Record] = newest["trackers"][0]["changes"]
    return found
