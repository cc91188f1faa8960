"""The demo walks through the main job, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import tempfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pinsync.commands.demo import demo
from support.exporting import put, untouched
from support.html_pages import parse_page

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from support.command_line import CommandLine

STEPS = ["pinsync init", "pinsync export --items --commit", "pinsync export"]


def test_the_demo_shows_three_changes_and_each_command(
    tmp_path: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    result = pinsync("demo")
    assert (result.code, result.err) == (0, "")
    shown = [line.removeprefix("$ ") for line in result.out.splitlines() if line.startswith("$ ")]
    assert [line for line in shown if line.startswith("pinsync export") or line == "pinsync init"][
        :3
    ] == STEPS
    assert "export PINSYNC_TRACKER_ID=" in "\n".join(shown)
    assert "154 added, 0 changed, 0 removed · 7 files written" in result.out
    assert "0 added, 3 changed, 0 removed" in result.out
    changed, report, end = re.split(r"\n\$ pinsync diff.*\n", result.out)
    changes = [
        line[1:].strip()
        for line in changed.splitlines()
        if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert changes.count("pin_identity: /p/121/") == 2, (
        "a pin that moves leaves one place and takes another"
    )
    assert "pin_identity: /p/235/" in changes
    report, _, loop = report.partition("\n\n# The changes are right")
    assert "#9 “Ladička s klipom”" in report
    assert report.splitlines()[-1] == "1", "the exit code that is spoken of is shown"
    assert loop.count("\nDone: 1 rule.\n") == 2, "a change of git, and one taken back"
    assert "Nothing to apply: 1 rule that differs is left alone." in loop
    assert end == "In sync: the shop is the same as git (154 rules)\n", "it ends in agreement"
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_a_pin_lies_ahead() -> None:
    lines: list[str] = []
    assert demo(out=lines.append, clock=lambda: datetime(2031, 12, 31, 23, 59, tzinfo=UTC)) == 0
    assert '+        active_to: "2032-07-01T00:00:00Z"' in "\n".join(lines).splitlines()


def test_a_console_of_few_letters_spoils_no_title(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = pinsync("demo").out
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    result = pinsync("demo").out
    assert "SWAPPED #1 and #2" in result
    assert result.splitlines()[-1] == expected.splitlines()[-1]


def test_the_users_repository_and_settings_are_none_of_the_demos_business(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(repository / "pinsync.yaml", "nonsense: true\n")
    hooks = repository.parent / "hooks"
    put(hooks / "pre-commit", "#!/bin/sh\nexit 1\n").chmod(0o755)
    put(
        repository.parent / "gitconfig",
        f"[core]\n\thooksPath = {hooks}\n[commit]\n\tgpgSign = true\n",
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(repository.parent / "gitconfig"))
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", os.devnull)
    monkeypatch.setenv("PINSYNC_HOST", "https://example.com")
    monkeypatch.setenv("PINSYNC_TIMEOUT", "never")
    with untouched(repository):
        assert pinsync("demo").code == 0


def test_the_repository_can_be_kept_with_a_page(folder: Path, pinsync: CommandLine) -> None:
    assert "As a page for a browser: pinsync demo --keep DIR\n" in pinsync("demo").out
    assert list(folder.iterdir()) == []
    result = pinsync("demo", "--keep", "a/shop")
    assert (result.code, result.err) == (0, "")
    page = folder / "a/shop/pins.html"
    assert f"Open {page} in a browser" in result.out
    assert "“Ladička s klipom”" in parse_page(page.read_text(encoding="utf-8")).text
    assert (folder / "a/shop/customizations/basket.yaml").is_file()


def test_only_a_new_or_an_empty_folder_is_used(folder: Path, pinsync: CommandLine) -> None:
    put(folder / "full/file", "mine")
    put(folder / "file", "mine")
    for name, message in (("full", "the folder isn't empty"), ("file", "File exists")):
        with untouched(folder):
            result = pinsync("demo", "--keep", name)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith(f"error: --keep {name}: {message}")
