"""Folders that a system may lack: a place for temporary files, and the current folder."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinsync.repository.process import Git as GitProcess
from support.exporting import STRINGS, repinned, rule, untouched

if TYPE_CHECKING:
    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git


@pytest.fixture
def confined(exported: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a committed export, where no temporary folder can be made, as on a
    read-only file system.
    """

    def nowhere() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    monkeypatch.setattr(tempfile, "_get_default_tempdir", nowhere)
    monkeypatch.setattr(tempfile, "tempdir", None)
    return exported


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["export", "--check"], 1),
        (["export"], 0),
        (["diff"], 1),
        (["diff", "@index", "@live"], 1),
        (["fmt", "--check"], 0),
        (["lint"], 0),
        (["history"], 0),
        (["blame", "basket"], 0),
        (["show", "basket", "--rev", "HEAD"], 0),
        (["trackers"], 0),
        (["schema"], 0),
        (["sandbox", "--", sys.executable, "-c", ""], 0),
    ],
    ids=str,
)
@pytest.mark.usefixtures("confined")
def test_a_command_needs_no_temporary_folder(
    arguments: list[str], code: int, api: Sandbox, pinsync: CommandLine
) -> None:
    repinned(api, STRINGS)
    result = pinsync(*arguments)
    assert result.code == code, result.err


@pytest.mark.parametrize(
    "arguments", [["export", "--commit"], ["export", "--branch", "pins"], ["demo"]], ids=str
)
def test_where_a_temporary_folder_is_needed_its_lack_is_an_error_that_changes_nothing(
    arguments: list[str], api: Sandbox, confined: Path, pinsync: CommandLine, git: Git
) -> None:
    api.create(rule(5, "new"))
    repinned(api, STRINGS)
    with untouched(confined / "customizations"):
        result = pinsync(*arguments)
    assert result.code == 2
    assert (
        "error: no temporary folder can be written: No usable temporary directory found in "
        "['/tmp']\n"
    ) in result.err
    assert "TMPDIR" in result.err
    assert git("status", "--porcelain") == ""
    assert git("branch", "--format=%(refname:short)") == "main"


def test_a_temporary_folder_that_is_full_is_an_error_that_leaves_the_index(
    api: Sandbox, exported: Path, pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path, content)

    api.create(rule(5, "new"))
    monkeypatch.setattr(Path, "write_bytes", full)
    result = pinsync("export", "--commit")
    assert result.code == 2
    assert "error: no temporary folder can be written: No space left on device\n" in result.err
    assert git("status", "--porcelain") == "?? customizations/new.yaml"
    monkeypatch.undo()
    assert exported.is_dir()


def test_a_command_reads_its_input_while_its_output_is_read(repository: Path) -> None:
    names = b"a name of nothing\n" * 100_000
    outcome = GitProcess(repository).attempt("cat-file", "--batch-check", feed=names)
    assert outcome.output.count(b" missing\n") == 100_000


def test_a_command_need_not_read_its_input(repository: Path) -> None:
    assert GitProcess(repository).run("version", feed=b"x" * 1_000_000).startswith(b"git version")


# The current folder.


@pytest.fixture
def gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows keeps a folder that is somebody's current one"
)
@pytest.mark.parametrize(
    "arguments",
    [
        ["init"],
        ["export"],
        ["export", "--from-file", "saved.json"],
        ["export", "--config", "/pinsync.yaml"],
        ["diff"],
        ["fmt"],
        ["fmt", "basket.yaml"],
        ["lint"],
        ["history"],
        ["blame", "basket"],
        ["show", "basket"],
        ["trackers"],
    ],
    ids=str,
)
@pytest.mark.usefixtures("api", "gone")
def test_a_current_folder_that_is_gone_is_named(arguments: list[str], pinsync: CommandLine) -> None:
    result = pinsync(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(
        "error: the current folder: can't be found: No such file or directory\n"
    )


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows keeps a folder that is somebody's current one"
)
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["export", "-h"],
        ["schema"],
        ["lint", "--explain", "syntax"],
        ["demo"],
        ["sandbox", "--", sys.executable, "-c", ""],
    ],
    ids=str,
)
@pytest.mark.usefixtures("gone")
def test_what_needs_no_current_folder_works_without(
    arguments: list[str], pinsync: CommandLine
) -> None:
    result = pinsync.spawn(*arguments)
    assert (result.code, result.err) == (0, "")


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows keeps a folder that is somebody's current one"
)
@pytest.mark.usefixtures("gone")
def test_a_shell_completes_nothing_where_the_current_folder_is_gone(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("_PINSYNC_COMPLETE", "bash_complete"),
        ("COMP_WORDS", "pinsync show "),
        ("COMP_CWORD", "2"),
    ):
        monkeypatch.setenv(name, value)
    result = pinsync()
    assert (result.code, result.out.strip(), result.err) == (0, "", "")
