"""The help: summaries that fit, examples that work, and the environment variables that the code
reads.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from pinsync.api import proxy
from pinsync.cli import cli
from pinsync.cli.command import Command, Group
from pinsync.cli.variables import CONFIGURATION, MEANINGS, TERMINAL
from pinsync.config import FILE_VARIABLE
from pinsync.environment import COMMAND, DEFAULT_KEY_VARIABLE, FILE
from support.exporting import put
from support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git

FILES = [file for file in (ROOT / "pinsync").rglob("*.py") if file.parent.name != "cli"]
SOURCES = [ast.parse(file.read_text(encoding="utf-8")) for file in FILES]
"""The code but for the command line, whose help must not prove itself."""


def commands(
    group: click.Group = cli, before: str = "pinsync"
) -> Iterator[tuple[str, Command | Group]]:
    """Every command and group, with the words that call it."""
    assert isinstance(group, Group)
    yield before, group
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before} {name}")
        else:
            assert isinstance(command, Command)
            yield f"{before} {name}", command


ALL = dict(commands())


def shown(words: str) -> str:
    """The help of a command on a terminal of 80 columns."""
    settings = {**cli.context_settings, "max_content_width": 80}
    return ALL[words].get_help(
        click.Context(ALL[words], info_name=words, terminal_width=80, **settings)
    )


# Summaries.


@pytest.mark.parametrize(
    "words", [words for words, command in ALL.items() if isinstance(command, click.Group)]
)
def test_no_summary_is_cut_off(words: str) -> None:
    listed = shown(words).partition("\nCommands:\n")[2].partition("\n\n")[0].splitlines()
    group = ALL[words]
    assert isinstance(group, click.Group)
    assert [line.split()[0] for line in listed] == sorted(group.commands)
    assert [line for line in listed if line.endswith("...")] == []


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_a_summary_is_the_first_paragraph_of_the_commands_help(name: str) -> None:
    paragraph = (cli.commands[name].help or "").partition("\n\n")[0]
    assert cli.listings[name].summary == " ".join(paragraph.split())


# Examples.

EXAMPLES = {line for command in ALL.values() for line in command.examples}


@pytest.mark.parametrize("words", ALL)
def test_every_command_has_examples_of_itself(words: str) -> None:
    examples = ALL[words].examples
    assert examples
    assert [line for line in examples if not f"{line} ".startswith(f"{words} ")] == []
    assert re.search(r"\n\nExamples:\n  # \S.*\n  \$ pinsync\b", shown(words))
    assert [line for line in shown(words).splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("line", sorted(EXAMPLES))
def test_an_example_works(
    line: str, exported_shop: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert exported_shop.is_dir()
    if re.search("[|>]|^pinsync (sandbox|demo)", line):  # for a shell, or with processes of its own
        monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        done = subprocess.run(
            ["bash", "-c", line],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        code, errors = done.returncode, done.stderr
    else:
        result = pinsync(*complete(shlex.split(line)[1:], pinsync))
        code, errors = result.code, result.err
    if line.endswith(" -p"):
        # It asks, and the tests have no terminal here.
        assert (code, "no terminal to ask on" in errors) == (2, True)
        return
    assert (code in (0, 1), re.findall("^error: .*", errors, re.MULTILINE)) == (True, []), errors


def complete(words: list[str], pinsync: CommandLine) -> list[str]:
    """Return the words of a command line that needs no terminal, with the checksum of the plan."""
    if "CHECKSUM" in words:
        checksum = json.loads(pinsync("plan", "--json").out)["checksum"]
        return [checksum if word == "CHECKSUM" else word for word in words]
    if words[0] in ("apply", "restore"):
        return [*words, "--yes"]
    return words


@pytest.fixture
def exported_shop(sandbox: Sandbox, repository: Path, git: Git, pinsync: CommandLine) -> Path:
    """The sample shop, exported in two commits, with a remote branch, a backup and without a
    configuration.
    """
    assert sandbox.url
    put(repository / "backup.json", json.dumps({"results": sandbox.customizations()}))
    assert pinsync("export", "--commit", "--model", "basket").code == 0
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    assert pinsync("export", "--commit").code == 0
    return repository


# Environment variables.


def literals() -> Iterator[str]:
    """Every text in the code."""
    for source in SOURCES:
        for node in ast.walk(source):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def read_by_name() -> Iterator[str]:
    """The variables that the code looks up in an environment by a literal name."""
    patterns = (
        r"(?:os\.)?environ\.get\('([A-Z_]+)'",
        r"(?:os\.)?environ\['([A-Z_]+)'\]",
        r"_variable\(environ, '([A-Z_]+)'",
        r"'([A-Z_]+)' in (?:os\.)?environ\b",
    )
    for source in SOURCES:
        text = ast.unparse(source)
        for pattern in patterns:
            yield from re.findall(pattern, text)


KEYS = {DEFAULT_KEY_VARIABLE, DEFAULT_KEY_VARIABLE + FILE, DEFAULT_KEY_VARIABLE + COMMAND}
PROXIES = {name.upper() for name in (*proxy._PROXY_VARIABLES, *proxy._NO_PROXY_VARIABLES)}
HELPED = {name for command in ALL.values() for name in command.environment}
SET_ONLY = {"PINSYNC_TRACKER_NAME"}
"""Variables that pinsync sets for a key command, and never reads."""


def test_every_variable_of_the_code_stands_in_some_help() -> None:
    ours = {
        name
        for text in literals()
        for name in re.findall(r"(?<![A-Z_])PINSYNC_[A-Z_]*[A-Z]\b", text)
    }
    by_name = {*read_by_name()}
    gits = {name for name in by_name if name.startswith("GIT_")}
    assert len(by_name - gits) > 8
    assert (ours | by_name | KEYS | PROXIES | {FILE_VARIABLE}) - SET_ONLY - gits - HELPED == set()


def test_no_help_names_a_variable_that_the_code_does_not_read() -> None:
    by_libraries = {"SSL_CERT_FILE", "SSL_CERT_DIR", "XDG_STATE_HOME"}
    assert HELPED - {*literals()} - KEYS - PROXIES - by_libraries == set()
    assert set(MEANINGS) == HELPED


def test_the_reference_has_the_variables_of_the_help() -> None:
    page = ROOT / "docs" / "reference" / "configuration.md"
    section = page.read_text(encoding="utf-8").partition("\n## Environment variables\n")[2]
    rows = re.findall(r"^\| ((?:`[A-Z_]+`(?:, )?)+) \|", section, re.MULTILINE)
    names = {name for row in rows for name in re.findall("[A-Z_]+", row)}
    assert {name for name in names if not name.startswith("LUIGISBOX_")} == set(MEANINGS)


@pytest.mark.parametrize("words", ALL)
def test_the_variables_follow_the_options(words: str) -> None:
    command = ALL[words]
    options = {spelling for option in command.params for spelling in option.opts}
    assert ("--config" in options) == set(CONFIGURATION).issubset(command.environment)
    assert ("--color" in options) == set(TERMINAL).issubset(command.environment)
    for name in command.environment:
        assert re.search(rf"^  {name}  +\S", shown(words), re.MULTILINE)
