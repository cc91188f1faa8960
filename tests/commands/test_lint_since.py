"""``lint --since REV``: the findings that a revision doesn't have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.exporting import put

if TYPE_CHECKING:
    from support.command_line import CommandLine, Git

HEAD = "format: 1\nmodel: basket\ncustomizations:\n"
OLD = HEAD + '  - id: "2"\n    target_type: item\n    target_identity: /p/2/\n    note: x\n'
FIRST = '  - id: "1"\n    target_type: item\n    target_identity: /p/1/\n'
FILE = Path("customizations/basket.yaml")


@pytest.fixture(autouse=True)
def committed(repository: Path, git: Git) -> None:
    """A document with one finding, committed."""
    assert repository.is_dir()
    put(FILE, OLD)
    commit(git)


def commit(git: Git) -> None:
    git("add", ".")
    git("commit", "--quiet", "--message=Pins")


def found(pinsync: CommandLine, *arguments: str) -> list[tuple[str, str, int]]:
    """Return file, lint rule and line of each finding."""
    result = pinsync("lint", "--strict", "--format", "json", *arguments)
    findings = json.loads(result.out)["findings"]
    assert result.code == int(bool(findings)), result.err
    return [(Path(each["file"]).name, each["rule"], each["line"]) for each in findings]


def test_a_finding_of_the_revision_is_left_out_wherever_its_line_is_now(
    pinsync: CommandLine,
) -> None:
    assert found(pinsync, "--since", "HEAD") == []
    put(FILE, OLD.replace(HEAD, HEAD + FIRST))
    assert found(pinsync) == [("basket.yaml", "unknown-field", 10)]
    assert found(pinsync, "--since", "HEAD") == []


def test_a_new_finding_is_reported(pinsync: CommandLine) -> None:
    put(FILE, OLD.replace(HEAD, HEAD + FIRST + "    other: x\n"))
    assert found(pinsync, "--since", "HEAD") == [("basket.yaml", "unknown-field", 7)]


def test_a_finding_that_occurs_once_more_is_new(pinsync: CommandLine, git: Git) -> None:
    pin = "      - position: -5\n        pin_type: item\n        pin_identity: /p/9/\n"
    put(FILE, OLD + "    pin_definitions:\n" + pin)
    commit(git)
    put(FILE, OLD + "    pin_definitions:\n" + pin * 2)
    assert found(pinsync, "--since", "HEAD", "--select", "position") == [
        ("basket.yaml", "position", 12)
    ]


def test_a_file_that_cant_be_read_is_the_same_with_other_lines(
    pinsync: CommandLine, git: Git
) -> None:
    put(FILE, OLD + "    note: y\n")
    commit(git)
    put(FILE, OLD.replace(HEAD, HEAD + FIRST) + "    note: y\n")
    assert [rule for _, rule, _ in found(pinsync)] == ["syntax"]
    assert found(pinsync, "--since", "HEAD") == []


def test_a_renamed_file_keeps_its_findings(pinsync: CommandLine) -> None:
    FILE.rename(FILE.with_name("home.yaml"))
    put(FILE.with_name("home.yaml"), OLD.replace("model: basket", "model: home"))
    assert found(pinsync, "--since", "HEAD") == []


def test_a_copy_has_findings_of_its_own(pinsync: CommandLine) -> None:
    put(FILE.with_name("home.yaml"), OLD.replace("model: basket", "model: home"))
    rules = [
        (file, rule)
        for file, rule, _ in found(pinsync, "--since", "HEAD", "--select", "unknown-field")
    ]
    assert rules == [("home.yaml", "unknown-field")]


def test_a_renamed_folder_of_a_tracker_keeps_its_findings(pinsync: CommandLine, git: Git) -> None:
    trackers = "trackers:\n  sk: {{tracker_id: 1-1}}\n  {}: {{tracker_id: 1-2}}\n"
    put(Path("pinsync.yaml"), trackers.format("cz"))
    for number, name in enumerate(("sk", "cz"), 3):
        put(Path("customizations", name, "basket.yaml"), OLD.replace('"2"', f'"{number}"'))
    FILE.unlink()
    commit(git)
    put(Path("pinsync.yaml"), trackers.format("hu"))
    Path("customizations/cz").rename("customizations/hu")
    assert len(found(pinsync)) == 2
    assert found(pinsync, "--since", "HEAD") == []


def test_the_revision_is_read_by_the_configuration_of_today(pinsync: CommandLine, git: Git) -> None:
    put(Path("pinsync.yaml"), "directory: elsewhere\n")
    commit(git)
    put(Path("pinsync.yaml"), "directory: customizations\n")
    assert found(pinsync, "--since", "HEAD") == []


def test_only_new_findings_get_ignore_comments(pinsync: CommandLine) -> None:
    put(FILE, OLD.replace(HEAD, HEAD + FIRST + "    other: x\n"))
    result = pinsync("lint", "--since", "HEAD", "--add-ignores")
    assert (result.code, result.err) == (0, "added 1 ignore comment, changed 1 file\n")
    assert "    note: x\n" in FILE.read_text(encoding="utf-8")


def test_a_revision_that_doesnt_exist_is_exit_2(pinsync: CommandLine) -> None:
    result = pinsync("lint", "--since", "nowhere")
    assert (result.code, result.out) == (2, "")
    assert "nowhere names no commit" in result.err


def test_outside_git_there_is_no_revision(
    pinsync: CommandLine, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("plain"))
    put(FILE, OLD)
    result = pinsync("lint", "--since", "HEAD")
    assert (result.code, result.out) == (2, "")
    assert "this is not a git repository" in result.err


def test_of_many_renamed_files_only_those_with_equal_texts_are_found(
    pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To compare each file that is gone with each new one would take minutes for 4,000 files."""
    FILE.with_name("home.yaml").write_bytes(
        FILE.read_bytes().replace(b"model: basket", b"model: home")
    )
    commit(git)
    same, other = Path("customizations/other.yaml"), Path("customizations/basket2.yaml")
    FILE.with_name("home.yaml").rename(same)
    FILE.rename(other)
    other.write_bytes(other.read_bytes().replace(b"model: basket", b"model: basket2"))
    monkeypatch.setattr("pinsync.lint.baseline._MOST_PAIRS", 0)
    left = found(pinsync, "--since", "HEAD", "--select", "unknown-field")
    assert left == [("basket2.yaml", "unknown-field", 7)]
