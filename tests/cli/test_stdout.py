"""Standard output: a program reads UTF-8 whatever the console's encoding, a person reads the
console's.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import pytest

from pinsync.__main__ import run
from pinsync.cli import cli
from support.exporting import BASKET_TEXT, EVERYONE, STRINGS, edited, put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pinsync.sandbox import Sandbox
    from support.command_line import Git

TITLE: Final = '"Čaj" → 5 kg 🎄'
NARROW: Final = ("cp1252", "iso8859-2", "ascii", "cp437")
MACHINE: Final = {
    "trackers --format json": ["trackers", "--format", "json"],
    "schema": ["schema"],
    "blame --format json": ["blame", "basket", "--format", "json"],
    "show --format json": ["show", "basket", "--format", "json", "--at", "2026-12-24"],
    "show --format html": ["show", "basket", "--format", "html", "--at", "2026-12-24"],
    "fmt -": ["fmt", "-"],
    "fmt --diff": ["fmt", "--diff"],
    "fmt --diff -": ["fmt", "--diff", "-"],
    **{
        f"{name} --format {format_}": [name, "--format", format_, *more]
        for name, formats, more in (
            (
                "diff",
                ("json", "markdown", "html", "patch", "github", "gitlab", "sarif", "junit"),
                ("HEAD", "@worktree"),
            ),
            ("lint", ("json", "github", "gitlab", "sarif", "junit"), ()),
            ("history", ("json", "markdown"), ()),
            ("plan", ("json", "markdown", "html"), ("--overwrite-edits",)),
            ("apply", ("json",), ("--yes",)),
            ("restore", ("json",), ("HEAD", "--yes", "--id", EVERYONE)),
            ("calendar", ("json", "html", "ics"), ("--from", "2026-12-24")),
        )
        for format_ in formats
    },
}
"""The output that a program reads: its name → the arguments."""


TIME: Final = rb"\d\d:\d\d(:\d\d)?"


def written(arguments: list[str], encoding: str, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Run a command on a console of Windows in some encoding; return the bytes of stdout."""
    stdout = io.TextIOWrapper(io.BytesIO(), encoding, "backslashreplace", newline="\r\n")
    stdin = io.TextIOWrapper(io.BytesIO(Path("customizations/basket.yaml").read_bytes()))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stdout)
        patch.setattr(sys, "stdin", stdin)
        assert run(arguments) in (0, 1)
    stdout.flush()
    assert isinstance(stdout.buffer, io.BytesIO)
    return stdout.buffer.getvalue()


def formats() -> Iterator[str]:
    """Every option that asks for output for a program, but for --json, which stands for --format
    json.
    """
    for name, command in cli.commands.items():
        for option in command.params:
            if "--format" in option.opts:
                assert isinstance(option.type, click.Choice)
                yield from (
                    f"{name} --format {format_}"
                    for format_ in option.type.choices
                    if format_ != "text"
                )


def test_every_format_is_walked() -> None:
    assert set(formats()) <= MACHINE.keys()


@pytest.fixture
def _drift(api: Sandbox, repository: Path, git: Git) -> None:
    """A committed document, and another one in the working tree and in the shop, whose title needs
    more than Latin letters.
    """
    edited(api, STRINGS, target_metadata={"title": TITLE})
    file = put(repository / "customizations/basket.yaml", BASKET_TEXT)
    git("add", ".")
    git("commit", "--quiet", "--message", TITLE)
    text = BASKET_TEXT.replace('"Strings: 9-42 #1"', f"'{TITLE}'").replace(
        "format: 1", f"# {TITLE}\nformat: 1"
    )
    dated = 'pin_identity: /p/234/\n        active_to: "2026-12-31T23:00:00Z"\n'
    text = text.replace("pin_identity: /p/234/\n", dated)
    put(file, f"{text}    {TITLE[1:4]}: 1\n")
    put(repository / "pinsync.yaml", "trackers:\n  default:\n    tracker_id: 1234-5678\n")


@pytest.mark.usefixtures("_drift")
@pytest.mark.parametrize("encoding", NARROW)
@pytest.mark.parametrize("name", MACHINE)
def test_a_program_reads_utf_8(name: str, encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = written(MACHINE[name], "utf-8", monkeypatch)
    again = written(MACHINE[name], encoding, monkeypatch)
    # A plan says when it asked the shop.
    assert re.sub(TIME, b"", again) == re.sub(TIME, b"", expected)
    assert expected.endswith(b"\n")
    # Lines of an iCalendar end with CRLF (RFC 5545, section 3.1).
    assert (b"\r" in expected) == ("ics" in name)
    text = expected.decode()
    if name.split(maxsplit=1)[0] not in ("trackers", "schema", "apply", "restore"):
        assert not text.isascii()
    if "json" in name:
        json.loads(text)


@pytest.mark.usefixtures("_drift")
@pytest.mark.parametrize(
    "arguments",
    [
        ["diff", "HEAD", "@worktree"],
        ["show", "basket", "--at", "2026-12-24"],
        ["history"],
        ["lint"],
    ],
)
def test_a_person_reads_the_encoding_of_the_console(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = written(arguments, "utf-8", monkeypatch).decode()
    narrow = written(arguments, "cp1252", monkeypatch)
    assert narrow.decode("cp1252") == expected.encode("cp1252", "backslashreplace").decode("cp1252")
    assert narrow.endswith(b"\r\n")


@pytest.mark.usefixtures("_drift")
@pytest.mark.parametrize(
    "environ", [{"PYTHONIOENCODING": "cp1252"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}]
)
def test_a_patch_from_a_narrow_console_applies_and_gives_the_same_text(
    environ: dict[str, str], repository: Path, git: Git
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pinsync", "diff", "HEAD", "@worktree", "--format", "patch"],
        env={**os.environ, "PYTHONUTF8": "0", **environ},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    git("checkout", "--quiet", "customizations")
    (repository.parent / "a.patch").write_bytes(done.stdout)
    git("apply", "../a.patch")
    text = (repository / "customizations/basket.yaml").read_text(encoding="utf-8")
    assert f"      title: '{TITLE}'\n" in text


@pytest.mark.usefixtures("_drift")
def test_a_shell_on_windows_sources_no_carriage_return(monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(_options: object, out: Callable[[str], None], _note: object) -> int:
        out("export PINSYNC_HOST=č")
        return 0

    monkeypatch.setattr("pinsync.commands.sandbox.sandbox", serve)
    assert written(["sandbox"], "cp1252", monkeypatch) == "export PINSYNC_HOST=č\n".encode()
