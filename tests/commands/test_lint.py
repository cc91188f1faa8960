from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from pinsync.commands.lint import EXPIRED_DAYS
from pinsync.lint.rules import RULES
from pinsync.reports import LINT_FORMATS as FORMATS
from support.exporting import put
from support.paths import EXAMPLES
from support.schemas import check_report
from support.workflows import commands

if TYPE_CHECKING:
    from support.command_line import CommandLine

HEAD = "format: 1\nmodel: {}\ncustomizations:\n"
ITEM = "  - id: {}\n    target_type: item\n    target_identity: /p/{}/\n"
GOOD = HEAD.format("basket") + ITEM.format("a", 1)
WARNING = GOOD + "    note: x\n"
ERROR = GOOD + "    target_criteria:\n      a: b\n"
TRACKERS = "format: 1\ntrackers:\n  sk: {tracker_id: 1-1}\n  cz: {tracker_id: 1-2}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the documents in the current folder, which is no repository and has no
    configuration.
    """
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "customizations"
    place.mkdir()
    return place


def linted(pinsync: CommandLine, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Run a lint that must end with a report, which must be as its schema says."""
    result = pinsync("lint", "--format", "json", *arguments)
    record: dict[str, Any] = json.loads(result.out)
    check_report("lint", record)
    assert record["summary"]["errors"] == sum(
        found["severity"] == "error" for found in record["findings"]
    )
    assert record["summary"]["warnings"] == sum(
        found["severity"] == "warning" for found in record["findings"]
    )
    return result.code, record, result.err


def rules_of(record: dict[str, Any]) -> list[str]:
    return [f"{Path(found['file']).name} {found['rule']}" for found in record["findings"]]


def test_each_tracker_is_checked_by_what_it_manages(pinsync: CommandLine, folder: Path) -> None:
    text = TRACKERS.replace("1-1", "1-1, manages: {tags: [ours]}")
    put(Path("pinsync.yaml"), text)
    for tracker in ("sk", "cz"):
        put(folder / tracker / "basket.yaml", WARNING)
    _, record, _ = linted(pinsync)
    assert [found["file"] for found in record["findings"]] == ["customizations/cz/basket.yaml"]
    # A path chooses files, and not whose rules they hold.
    assert linted(pinsync, "customizations/sk/basket.yaml")[1]["findings"] == []
    put(folder / "sk" / "basket.yaml", GOOD + "    tags:\n      - ours\n    note: x\n")
    assert len(linted(pinsync)[1]["findings"]) == 2
    assert "added 2 ignore comments" in pinsync("lint", "--add-ignores").err


def test_a_single_tracker_is_checked_by_what_it_manages(pinsync: CommandLine, folder: Path) -> None:
    put(Path("pinsync.yaml"), "trackers: {shop: {tracker_id: 1-1, manages: {models: [home]}}}\n")
    put(folder / "basket.yaml", ERROR)
    assert linted(pinsync)[:1] == (0,)
    assert "added 0 ignore comments" in pinsync("lint", "--add-ignores").err
    put(folder / "home.yaml", HEAD.format("home") + ITEM.format("b", 1) + "    note: x\n")
    assert rules_of(linted(pinsync)[1]) == ["home.yaml unknown-field"]
    # Beyond the folders of trackers, nobody says whose rules a file holds.
    put(folder / "old" / "basket.yaml", WARNING)
    assert rules_of(linted(pinsync, "customizations/old")[1]) == [
        "basket.yaml unread-document",
    ]


def test_nothing_found(pinsync: CommandLine, folder: Path) -> None:
    (folder / "basket.yaml").write_text(GOOD)
    result = pinsync("lint")
    assert (result.code, result.out, result.err) == (0, "nothing found in 1 file\n", "")
    assert pinsync("lint", "--quiet").out == ""


def test_an_error_is_exit_1_with_its_place_and_remedy(pinsync: CommandLine, folder: Path) -> None:
    (folder / "basket.yaml").write_text(ERROR)
    result = pinsync("lint", "--quiet")
    assert result.code == 1
    assert result.out.splitlines() == [
        (
            "customizations/basket.yaml:7:5: error target-fields: target_criteria goes with "
            "target_type criteria, not item"
        ),
        "  remove target_criteria, or write target_type: criteria",
        "1 error in 1 file",
    ]


def test_a_warning_is_exit_1_only_with_strict(pinsync: CommandLine, folder: Path) -> None:
    (folder / "basket.yaml").write_text(WARNING)
    assert pinsync("lint").code == 0
    result = pinsync("lint", "--strict")
    assert result.code == 1
    assert result.out.endswith("1 warning in 1 file\n")


def test_json_is_a_contract(pinsync: CommandLine, folder: Path) -> None:
    (folder / "basket.yaml").write_text(ERROR)
    (folder / "home.yaml").write_text(HEAD.format("home") + ITEM.format("b", 2))
    code, record, _ = linted(pinsync)
    assert code == 1
    assert record == {
        "version": 1,
        "complete": True,
        "summary": {"errors": 1, "warnings": 0, "files": 2},
        "findings": [
            {
                "rule": "target-fields",
                "severity": "error",
                "message": "target_criteria goes with target_type criteria, not item",
                "hint": "remove target_criteria, or write target_type: criteria",
                "file": "customizations/basket.yaml",
                "line": 7,
                "column": 5,
                "model": "basket",
            }
        ],
    }


def test_given_a_file_the_others_are_read_but_not_reported_on(
    pinsync: CommandLine, folder: Path
) -> None:
    (folder / "basket.yaml").write_text(ERROR)
    (folder / "home.yaml").write_text(HEAD.format("home") + ITEM.format("a", 2) + "    note: x\n")
    _, record, _ = linted(pinsync, "customizations/home.yaml")
    assert rules_of(record) == ["home.yaml duplicate-id", "home.yaml unknown-field"]
    assert record["summary"]["files"] == 1
    _, record, _ = linted(pinsync, "customizations/basket.yaml", ".")
    assert rules_of(record)[:2] == ["basket.yaml duplicate-id", "basket.yaml target-fields"]
    assert record["summary"]["files"] == 2


def test_rules_are_selected_and_ignored(pinsync: CommandLine, folder: Path) -> None:
    (folder / "basket.yaml").write_text(
        ERROR + "    note: x\n  - target_type: all\n  - target_type: all\n"
    )
    assert len(linted(pinsync)[1]["findings"]) == 3
    _, record, _ = linted(
        pinsync, "--select", "unknown-field, several-for-all", "--select", "position"
    )
    assert rules_of(record) == ["basket.yaml unknown-field", "basket.yaml several-for-all"]
    _, record, _ = linted(pinsync, "--ignore", "target-fields,unknown-field")
    assert rules_of(record) == ["basket.yaml several-for-all"]
    assert linted(pinsync, "--select", "position")[0] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--select", ""], "no name stands in it"),
        (["--select", " , "], "no name stands in it"),
        (["--ignore", ""], "no name stands in it"),
        (["--select", "position", "--ignore", "position,format"], "no lint rule is left"),
        (["--ignore", ",".join(RULES)], "no lint rule is left"),
        (["--ignore", "format,syntax"], "syntax can't be ignored"),
        (["--select", "format", "--ignore", "syntax"], "syntax can't be ignored"),
        (["-"], "lint reads files, not standard input"),
    ],
)
def test_nothing_to_look_for_or_at_is_exit_2(
    pinsync: CommandLine, folder: Path, words: list[str], says: str
) -> None:
    (folder / "basket.yaml").write_text(ERROR)
    result = pinsync("lint", *words)
    assert (result.code, result.out) == (2, "")
    assert says in result.err


def test_what_cant_be_read_is_said_whatever_is_selected(pinsync: CommandLine, folder: Path) -> None:
    (folder / "basket.yaml").write_text("<<<<<<< HEAD\n")
    code, record, _ = linted(pinsync, "--select", "position")
    assert (code, rules_of(record)) == (1, ["basket.yaml syntax"])


@pytest.mark.parametrize("option", ["--select", "--ignore", "--explain"])
def test_an_unknown_rule_gets_a_suggestion(pinsync: CommandLine, folder: Path, option: str) -> None:
    (folder / "basket.yaml").write_text(GOOD)
    result = pinsync("lint", option, "positon")
    assert (result.code, result.out) == (2, "")
    assert 'did you mean "position"?' in result.err


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_is_explained(pinsync: CommandLine, folder: Path, rule: str) -> None:
    assert folder.is_dir()
    result = pinsync("lint", "--explain", rule)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"{rule} ({RULES[rule].SEVERITY})\n\n")
    assert len(result.out.split("\n\n")) >= 4


@pytest.mark.parametrize("arguments", [["--explain"], ["--explain", "--strict"], ["--explain="]])
def test_without_a_name_every_rule_is_listed_in_a_line(
    pinsync: CommandLine, folder: Path, arguments: list[str]
) -> None:
    put(folder / "pinsync.yaml", "not: [read")
    result = pinsync("lint", *arguments)
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        [rule.ID, rule.SEVERITY] for rule in RULES.values()
    ]
    assert lines[0] == "syntax              error    The file can't be read as YAML."
    assert all(line.endswith(".") for line in lines)


def test_what_could_not_be_looked_at_is_explained(pinsync: CommandLine) -> None:
    result = pinsync("lint", "--explain", "lint-incomplete")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(
        "lint-incomplete (error)\n\nA file or folder could not be looked at.\n\n"
    )


def test_the_present_is_the_clocks(pinsync: CommandLine, folder: Path) -> None:
    pin = (
        "      - position: 1\n        pin_type: item\n        pin_identity: /p/2/\n"
        "        active_to: {}\n"
    )
    text = GOOD + "    pin_definitions:\n" + pin
    (folder / "basket.yaml").write_text(text.format('"2001-01-01T00:00:00Z"'))
    assert rules_of(linted(pinsync)[1]) == ["basket.yaml expired"]
    assert rules_of(linted(pinsync, "--expired-days", "36500")[1]) == []
    (folder / "basket.yaml").write_text(text.format('"9001-01-01T00:00:00Z"'))
    assert rules_of(linted(pinsync, "--expired-days", "0")[1]) == []
    assert EXPIRED_DAYS == 30


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("customizations/none.yaml", "there is no such file"),
        ("README.md", "lies outside customizations"),
        ("customizations/README.md", "is no document"),
        ("customizations/link.yaml", "link"),
        ("customizations/folder.yaml", "expected a plain file"),
    ],
)
def test_a_path_that_is_no_document_is_exit_2(
    pinsync: CommandLine, folder: Path, path: str, message: str
) -> None:
    (folder / "basket.yaml").write_text(ERROR)
    for name in ("README.md", "customizations/README.md"):
        Path(name).write_text("text\n")
    (folder / "link.yaml").symlink_to("basket.yaml")
    (folder / "folder.yaml").mkdir()
    result = pinsync("lint", path, "customizations/basket.yaml")
    assert result.code == 2
    assert f"{path}: " in result.err
    assert message in result.err
    assert "target-fields" in result.out  # the others are looked at all the same


@pytest.mark.skipif(
    os.getuid() == 0 if hasattr(os, "getuid") else True, reason="nothing is unreadable to root"
)
def test_an_unreadable_file_is_exit_2(pinsync: CommandLine, folder: Path) -> None:
    (folder / "basket.yaml").write_text(ERROR)
    (folder / "home.yaml").write_text(GOOD)
    (folder / "home.yaml").chmod(0)
    code, record, err = linted(pinsync)
    assert code == 2
    assert rules_of(record) == ["basket.yaml target-fields"]
    assert "home.yaml" in record["notes"][0]
    assert "error: customizations/home.yaml: can't be read" in err


@pytest.mark.parametrize("command", ["lint", "fmt"])
def test_an_unreadable_folder_is_exit_2_where_it_is_to_be_looked_into(
    pinsync: CommandLine, folder: Path, command: str
) -> None:
    (folder / "basket.yaml").write_text(GOOD)
    (folder / "secret").mkdir(0)
    if os.access(folder / "secret", os.R_OK):
        pytest.skip("nothing is unreadable to root")
    for words in ((), ("customizations",), ("customizations/secret",)):
        result = pinsync(command, *words)
        assert (result.code, result.err.count("secret")) == (2, 1)
        assert "error: customizations/secret: can't be read: Permission denied\n" in result.err
    assert pinsync(command, "customizations/basket.yaml").code == 0


@pytest.mark.parametrize("command", ["lint", "fmt"])
def test_a_folder_beyond_the_longest_path_is_exit_2(
    pinsync: CommandLine, folder: Path, command: str
) -> None:
    (folder / "basket.yaml").write_text(GOOD)
    place = os.open(folder, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("x" * 250, dir_fd=place)
        inner = os.open("x" * 250, os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)
    result = pinsync(command)
    assert result.code == 2
    assert f"error: customizations/{'x' * 250}/" in result.err
    assert "can't be read: File name too long" in result.err


@pytest.mark.parametrize("command", ["lint", "fmt"])
def test_a_loop_of_links_is_exit_2(pinsync: CommandLine, folder: Path, command: str) -> None:
    (folder / "basket.yaml").write_text(GOOD)
    Path("loop").symlink_to("loop")
    result = pinsync(command, "loop/x.yaml", "customizations/basket.yaml")
    assert result.code == 2
    assert "error: loop/x.yaml: can't be read: Too many levels of symbolic links" in result.err


@pytest.mark.parametrize("text", ["<<<<<<< HEAD\n", GOOD + "    id: b\n"])
def test_a_neighbour_that_cant_be_read_is_told_of(
    pinsync: CommandLine, folder: Path, text: str
) -> None:
    (folder / "basket.yaml").write_text(GOOD)
    (folder / "home.yaml").write_text(text)
    code, record, err = linted(pinsync, "customizations/basket.yaml")
    assert (code, record["findings"]) == (0, [])
    assert err.startswith("warning: customizations/home.yaml:")
    assert err.endswith("; findings that depend on this file are missing\n")
    assert linted(pinsync, "--select", "syntax")[2] == ""


def test_a_link_among_the_documents_is_exit_2_and_a_note(
    pinsync: CommandLine, folder: Path
) -> None:
    (folder / "basket.yaml").write_text(ERROR)
    (folder / "link.yaml").symlink_to("basket.yaml")
    code, record, err = linted(pinsync)
    assert code == 2
    assert rules_of(record) == ["basket.yaml target-fields"]
    assert "link.yaml" in record["notes"][0]
    assert "error: customizations/link.yaml" in err
    code, record, err = linted(pinsync, "customizations/basket.yaml")
    assert code == 1
    assert "notes" not in record
    assert err.startswith("warning: customizations/link.yaml")


@pytest.mark.parametrize("given", [True, False])
def test_no_report_looks_as_if_what_couldnt_be_looked_at_were_fine(
    pinsync: CommandLine, folder: Path, given: bool
) -> None:
    (folder / "d.yaml").mkdir()
    file = "customizations/d.yaml"
    formats = [f"--report={format_}={format_}" for format_ in FORMATS]
    result = pinsync("lint", *formats, *([file] if given else []))
    assert result.code == 2
    told = result.err.removeprefix(f"error: {file}: ").splitlines()[0]
    assert "expected a plain file" in told
    reports = {format_: Path(format_).read_text() for format_ in FORMATS}
    assert reports["text"].startswith(f"{file}: error lint-incomplete: {told}\n")
    hint = result.err.splitlines()[1].strip()
    assert reports["text"].endswith(
        f"\n  {hint}\nnothing found in 0 files; 1 path could not be looked at\n"
    )
    record = json.loads(reports["json"])
    assert (record["complete"], record["notes"]) == (
        False,
        [f"not looked at: {file}: {told}; {hint}"],
    )
    assert record["summary"] == {"errors": 0, "warnings": 0, "files": 0}
    assert reports["github"].startswith(
        f"::error file={file},title=pinsync lint-incomplete::{told}"
    )
    (issue,) = json.loads(reports["gitlab"])
    assert (issue["severity"], issue["location"]["path"]) == ("critical", file)
    (run,) = json.loads(reports["sarif"])["runs"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [told["level"] for told in invocation["toolExecutionNotifications"]] == ["error"]
    (found,) = run["results"]
    assert found["locations"] == invocation["toolExecutionNotifications"][0]["locations"]
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == file
    suites = ET.fromstring(reports["junit"].encode())  # noqa: S314 - of our own making
    assert [suites.attrib[name] for name in ("tests", "failures", "errors")] == ["1", "0", "1"]


def test_what_lies_elsewhere_has_no_place(pinsync: CommandLine, folder: Path) -> None:
    (folder / "basket.yaml").write_text(GOOD)
    result = pinsync("lint", "--format", "github", "../none.yaml", "customizations/basket.yaml")
    assert result.code == 2
    assert result.out.startswith(
        "::error title=pinsync lint-incomplete::../none.yaml: there is no such file"
    )
    result = pinsync("lint", "../none.yaml", "customizations/basket.yaml")
    assert result.out.startswith("error lint-incomplete: ../none.yaml: there is no such file")


def test_what_couldnt_be_looked_at_is_counted_apart(pinsync: CommandLine, folder: Path) -> None:
    (folder / "basket.yaml").write_text(ERROR)
    files = [f"customizations/{name}.yaml" for name in ("basket", "none", "nil")]
    text = pinsync("lint", "--color", *files).out
    assert text.endswith("\x1b[1;31m1 error\x1b[0m in 1 file; 2 paths could not be looked at\n")
    code, record, _ = linted(pinsync, *files)
    assert (code, record["summary"]) == (2, {"errors": 1, "warnings": 0, "files": 1})
    hint = "check the spelling; paths start in the current folder"
    assert record["notes"] == [
        f"not looked at: {file}: there is no such file or folder; {hint}"
        for file in sorted(files[1:], key=files.index)
    ]


def test_an_empty_path_is_none(pinsync: CommandLine, folder: Path) -> None:
    (folder / "basket.yaml").write_text(GOOD)
    for words in (("",), ("", "customizations/basket.yaml")):
        result = pinsync("lint", *words)
        assert (result.code, result.out) == (2, "")
        assert "error: an empty text is no path\n  write ." in result.err


def test_no_documents_is_no_failure_and_where_they_were_looked_for_is_said(
    pinsync: CommandLine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words, place in (
        ((), "customizations"),
        (("customizations", "."), "customizations, ."),
        ((".",), "."),
    ):
        result = pinsync("lint", *words)
        assert (result.code, result.out) == (0, "nothing found in 0 files\n")
        places = ", ".join(str(Path(word).resolve()) for word in place.split(", "))
        missing = ", and no pinsync.yaml was found"
        assert result.err == f"warning: there are no documents in {places}{missing}\n"
    folder.rmdir()
    assert pinsync("lint").code == 0
    Path("pinsync.yaml").write_text(
        "directory: pins\ntrackers:\n  sk: {tracker_id: 1-1}\n  cz: {tracker_id: 1-2}\n"
    )
    Path("below").mkdir()
    Path(".git").mkdir()
    Path(".git", "HEAD").touch()
    monkeypatch.chdir("below")
    pins = Path("../pins").resolve()
    assert pinsync("lint").err == f"warning: there are no documents in {pins}\n"
    assert (
        pinsync("lint", "--tracker", "sk").err == f"warning: there are no documents in {pins}/sk\n"
    )


def test_trackers_are_looked_at_apart(pinsync: CommandLine, folder: Path) -> None:
    Path("pinsync.yaml").write_text(TRACKERS)
    for tracker in ("sk", "cz"):
        (folder / tracker).mkdir()
        (folder / tracker / "basket.yaml").write_text(GOOD)
    assert linted(pinsync)[1]["summary"] == {"errors": 0, "warnings": 0, "files": 2}
    (folder / "sk" / "basket.yaml").write_text(ERROR)
    assert linted(pinsync, "--tracker", "cz")[0] == 0
    assert linted(pinsync, "--tracker", "sk")[0] == 1
    _, record, _ = linted(pinsync, "customizations/sk")
    assert [found["file"] for found in record["findings"]] == ["customizations/sk/basket.yaml"]
    assert pinsync("lint", "--tracker", "sk", ".").code == 2
    assert "did you mean" in pinsync("lint", "--tracker", "s").err


def test_neither_key_nor_git_is_needed(
    pinsync: CommandLine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "basket.yaml").write_text(GOOD)
    Path(".git").write_text("gitdir: nowhere\n")
    monkeypatch.setenv("PATH", "")
    assert pinsync("lint").code == 0


def test_paths_start_in_the_current_folder(
    pinsync: CommandLine, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = repository / "shop" / "customizations"
    place.mkdir(parents=True)
    (repository / "shop" / "pinsync.yaml").write_text("format: 1\n")
    (place / "basket.yaml").write_text(ERROR)
    monkeypatch.chdir(place)
    _, record, _ = linted(pinsync, "basket.yaml")
    assert [found["file"] for found in record["findings"]] == ["shop/customizations/basket.yaml"]


@pytest.mark.parametrize(
    ("below", "name"), [("shop", "customizations"), ("shop/customizations", "."), ("docs", "..")]
)
def test_people_read_paths_from_where_they_are_and_machines_from_the_root(
    pinsync: CommandLine, repository: Path, monkeypatch: pytest.MonkeyPatch, below: str, name: str
) -> None:
    place = repository / "shop" / "customizations"
    place.mkdir(parents=True)
    (repository / "docs").mkdir()
    (repository / "shop" / "pinsync.yaml").write_text("format: 1\n")
    (place / "basket.yaml").write_text(ERROR)
    (place / "home.yaml").symlink_to("basket.yaml")
    monkeypatch.chdir(repository / below)
    seen = "../shop/customizations" if name == ".." else name
    file, other = (Path(seen, file).as_posix() for file in ("basket.yaml", "home.yaml"))
    config = ("--config", os.path.relpath(repository / "shop" / "pinsync.yaml"))
    formats = ("json", "github", "gitlab", "sarif", "junit")
    result = pinsync(
        "lint", *config, *(f"--report={format_}={repository / format_}" for format_ in formats)
    )
    assert result.code == 2
    assert f"\n{file}:7:5: error target-fields: " in result.out
    assert result.out.startswith(f"{other}: error lint-incomplete: ")
    assert result.err.startswith(f"error: {other}: ")
    for format_ in formats:
        text = (repository / format_).read_text()
        assert "shop/customizations/basket.yaml" in text
        assert "shop/customizations/home.yaml" in text
        assert "../" not in text


def test_what_has_no_file_stands_at_the_configuration_that_was_used(
    pinsync: CommandLine, repository: Path
) -> None:
    (repository / "shop").mkdir()
    (repository / "shop" / "eshop.yaml").write_text("format: 1\n")
    (repository / "docs").mkdir()
    result = pinsync(
        "lint", "--config", "docs/../shop/eshop.yaml", "--format", "gitlab", "../none.yaml"
    )
    (issue,) = json.loads(result.out)
    assert (issue["check_name"], issue["location"]["path"]) == (
        "lint-incomplete",
        "shop/eshop.yaml",
    )
    (repository / "shop" / "eshop.yaml").rename(repository.parent / "eshop.yaml")
    result = pinsync("lint", "--config", "../eshop.yaml", "--format", "gitlab", "../none.yaml")
    assert [issue["location"]["path"] for issue in json.loads(result.out)] == ["pinsync.yaml"]


def test_a_message_names_the_other_file_of_the_folder_by_its_name(
    pinsync: CommandLine, folder: Path
) -> None:
    (folder / "basket.yaml").write_text(GOOD)
    (folder / "home.yaml").write_text(HEAD.format("home") + ITEM.format("a", 2))
    _, record, _ = linted(pinsync)
    assert [found["message"] for found in record["findings"]] == [
        "the id a stands in home.yaml, line 4, too",
        "the id a stands in basket.yaml, line 4, too",
    ]


def test_what_no_tracker_reads_is_found(pinsync: CommandLine, folder: Path) -> None:
    (folder / "basket.yaml").write_text(GOOD)
    for name in ("old", ".hidden"):
        (folder / name).mkdir()
        (folder / name / "basket.yaml").write_text(ERROR)
    (folder / "old" / "more").mkdir()
    (folder / "old" / "more" / "anything.yaml").write_text("- no document\n")
    (folder / "linked").symlink_to("old")
    found = ["basket.yaml unread-document", "anything.yaml unread-document"]
    for words in ((), (".",), ("customizations",), ("customizations/old",)):
        code, record, err = linted(pinsync, *words)
        assert (code, rules_of(record), err) == (0, found, "")
    assert record["findings"][0]["file"] == "customizations/old/basket.yaml"
    message = "no tracker reads this file; expected customizations/basket.yaml"
    assert (record["findings"][0]["message"], record["findings"][0]["line"]) == (message, 1)
    assert linted(pinsync, "customizations/basket.yaml")[1]["findings"] == []
    _, record, _ = linted(
        pinsync, "customizations/old/basket.yaml"
    )  # which is asked about, and so looked at as a whole
    assert rules_of(record) == ["basket.yaml unread-document", "basket.yaml target-fields"]
    assert linted(pinsync, "--strict")[0] == 1
    assert linted(pinsync, "--strict", "--ignore", "unread-document")[0] == 0
    assert linted(pinsync, "--strict", "--select", "position")[0] == 0


def test_a_file_that_no_tracker_reads_may_say_that_it_knows(
    pinsync: CommandLine, folder: Path
) -> None:
    (folder / "old").mkdir()
    (folder / "old" / "basket.yaml").write_text(f"# pinsync: ignore[unread-document]\n{GOOD}")
    for words in ((), ("customizations/old/basket.yaml",)):
        assert linted(pinsync, "--strict", *words)[0] == 0


def test_what_was_there_before_the_second_tracker_is_found(
    pinsync: CommandLine, folder: Path
) -> None:
    Path("pinsync.yaml").write_text(TRACKERS)
    for name in (".", "sk", "sk/old", "pl"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "basket.yaml").write_text(GOOD)
    _, record, _ = linted(pinsync)
    assert [(found["file"], found["rule"]) for found in record["findings"]] == [
        (f"customizations/{name}basket.yaml", "unread-document") for name in ("", "pl/", "sk/old/")
    ]
    assert all(
        found["message"].endswith("customizations/<tracker>/basket.yaml")
        for found in record["findings"]
    )
    assert rules_of(linted(pinsync, "customizations/basket.yaml")[1]) == [
        "basket.yaml unread-document"
    ]
    assert [found["file"] for found in linted(pinsync, "--tracker", "sk")[1]["findings"]] == [
        "customizations/sk/old/basket.yaml"
    ]
    assert linted(pinsync, "--tracker", "cz")[1]["findings"] == []


def test_the_suites_of_several_trackers_are_told_apart(pinsync: CommandLine, folder: Path) -> None:
    (folder / "sk").mkdir()
    (folder / "cz").mkdir()
    Path("pinsync.yaml").write_text(TRACKERS)
    (folder / "sk" / "basket.yaml").write_text(ERROR)
    (folder / "cz" / "basket.yaml").write_text(GOOD)
    suites = ET.fromstring(pinsync("lint", "--format", "junit").out.encode())  # noqa: S314 - of our own making
    assert [suite.attrib["name"] for suite in suites] == ["sk/basket", "cz/basket"]


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_tells_of_every_finding(
    pinsync: CommandLine, folder: Path, format_: str
) -> None:
    (folder / "basket.yaml").write_text(ERROR + "    note: x\n")
    result = pinsync("lint", "--format", format_, "--report", f"{format_}=report")
    assert result.code == 1
    assert Path("report").read_text() == result.out
    assert "target-fields" in result.out
    assert "unknown-field" in result.out


def test_a_report_that_cant_be_written_is_exit_2(pinsync: CommandLine, folder: Path) -> None:
    (folder / "basket.yaml").write_text(GOOD)
    assert pinsync("lint", "--report", "json=none/report").code == 2
    assert pinsync("lint", "--report", "markdown=report").code == 2
    assert 'did you mean "json"' in pinsync("lint", "--report", "jsn=report").err


def test_a_github_job_gets_a_page(
    pinsync: CommandLine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "basket.yaml").write_text(ERROR)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "page.md")
    assert pinsync("lint").code == 1
    assert not Path("page.md").exists()
    assert pinsync("lint", "--format", "github").out.startswith(
        "::error file=customizations/basket.yaml,line=7,col=5"
    )
    assert "target-fields" in Path("page.md").read_text()


def test_colour_is_for_terminals_and_those_who_ask(pinsync: CommandLine, folder: Path) -> None:
    (folder / "basket.yaml").write_text(ERROR)
    assert "\x1b" not in pinsync("lint").out
    assert ": \x1b[1;31merror\x1b[0m target-fields: " in pinsync("lint", "--color").out


HOSTILE = (
    "::error::pwned ##[add-mask]x ]]> </details><img src=x> @everyone \x1b[31m\u202e\n"
    "%0A::error::x,file=x"
)


@pytest.mark.parametrize(
    "name", ["::error::pwned", "  ::error::pwned", "a\n::error::pwned", "##[error]pwned"]
)
@pytest.mark.parametrize("given", [True, False])
def test_a_files_name_is_no_command_for_a_runner(
    pinsync: CommandLine, repository: Path, monkeypatch: pytest.MonkeyPatch, name: str, given: bool
) -> None:
    folder = repository / "customizations"
    folder.mkdir()
    put(repository / "pinsync.yaml", "format: 1\n")
    (folder / f"{name}.yaml").write_text(ERROR)
    (folder / f"{name}2.yaml").write_text("- : [\n")
    monkeypatch.chdir(folder)
    result = pinsync("lint", *[f"{name}.yaml", f"{name}2.yaml", f"{name}3.yaml"][: 3 * given])
    assert result.code == 2 if given else 1
    assert "target-fields" in result.out
    assert result.err.count("there is no such file") == given
    assert commands(result.out + result.err) == []
    errors = [line for line in result.err.splitlines() if not line.startswith("  ")]
    assert [line.partition(" ")[0] for line in errors] == ["error:"] * len(errors)


@pytest.mark.usefixtures("folder")
def test_the_file_of_a_finding_is_the_real_one(pinsync: CommandLine) -> None:
    name = "customizations/a\u200bb.yaml"
    code, record, _ = linted(pinsync, name)
    assert (code, record["notes"][0].startswith(f"not looked at: {name}: there is no")) == (2, True)


@pytest.mark.parametrize("format_", ["text", "json"])
def test_foreign_text_is_harmless(pinsync: CommandLine, folder: Path, format_: str) -> None:
    names = f"    {json.dumps(HOSTILE)}: 1\n    # pinsync: ignore[##[x]]\n"
    (folder / "basket.yaml").write_text(ERROR + names)
    out = pinsync("lint", "--format", format_, "--no-color").out
    assert "pwned" in out
    assert not any(sign in out for sign in ("\x1b", "\u202e", "##[", "\n::", "\n%0A"))


def test_five_thousand_files(pinsync: CommandLine, folder: Path) -> None:
    for number in range(5000):
        (folder / f"m{number}.yaml").write_text(
            HEAD.format(f"m{number}") + ITEM.format(f"r{number}", 1)
        )
    (folder / "m7.yaml").write_text(HEAD.format("m7") + ITEM.format("r8", 1))
    code, record, _ = linted(pinsync)
    assert (code, rules_of(record)) == (1, ["m7.yaml duplicate-id", "m8.yaml duplicate-id"])
    assert record["summary"]["files"] == 5000
    assert rules_of(linted(pinsync, "customizations/m8.yaml")[1]) == ["m8.yaml duplicate-id"]


def test_the_sample_shop_has_no_errors(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(EXAMPLES / "shop")
    code, record, _ = linted(pinsync)
    assert (code, record["summary"]["errors"]) == (0, 0)
    assert {found["rule"] for found in record["findings"]} <= {
        "expired",
        "self-pin",
        "several-for-all",
    }


def test_the_references_own_example_has_no_errors(pinsync: CommandLine, folder: Path) -> None:
    rows = [
        {"id": "199620b4-df1a-46e8-ab59-9e9ed9af7106", "model": "basket", "target_type": "item"},
        {"id": "b3e6e3c1-1a3b-4c2d-8e4f-2a3b4c5d6e7f", "model": "basket", "target_type": "all"},
    ]
    Path("export.json").write_text(json.dumps({"results": rows}))
    Path("pinsync.yaml").write_text("format: 1\ntrackers:\n  sk: {tracker_id: 1-1}\n")
    assert pinsync("export", "--from-file", "export.json").code == 0
    assert (folder / "basket.yaml").exists()
    code, record, _ = linted(pinsync)
    assert (code, rules_of(record)) == (0, ["basket.yaml target-missing"])


def test_a_configuration_is_checked_by_reading_it(repository: Path, pinsync: CommandLine) -> None:
    put(repository / "pinsync.yaml", "format: 1\n")
    put(repository / "shop" / "pinsync.yaml", "timezone: CEST\n")
    put(repository / "customizations" / "basket.yaml", "nonsense\n")
    result = pinsync("lint", "pinsync.yaml")
    assert (result.code, result.out, result.err) == (0, "nothing found in 1 file\n", "")
    result = pinsync("lint", "pinsync.yaml", "shop/pinsync.yaml", "--format", "github")
    assert result.code == 2
    assert result.out.startswith(
        "::error file=shop/pinsync.yaml,line=1,col=1,title=pinsync lint-incomplete::timezone"
    )
    put(repository / "pinsync.yml", "format: 1\n")
    result = pinsync("lint", "pinsync.yml", "pinsync.yaml")
    assert (
        result.code,
        "pinsync.yml: isn't read: a configuration's name is pinsync.yaml" in result.err,
    ) == (2, True)
    assert pinsync("lint", "pinsync.yaml", "customizations").code == 1
    put(repository / "pinsync.yaml", "timezone: CEST\n")
    result = pinsync("lint", "pinsync.yaml")
    assert (result.code, "pinsync.yaml:1:1: timezone is not a timezone" in result.err) == (2, True)
