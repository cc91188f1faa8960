"""What git hands to the programs that it starts: hooks, aliases, ``rebase -x``; in every kind of
worktree.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.exporting import BASKET_TEXT, HOME_TEXT, put, rows

if TYPE_CHECKING:
    from support.command_line import Git

# Runs each command in several folders of the working tree, and notes how it ended.
DRIVER = """
import contextlib, io, json, os, sys
from pathlib import Path
from pinsync.__main__ import run

plan = json.loads(Path(sys.argv[1]).read_text())
top = Path.cwd()
results = []
for folder, options in plan["folders"].items():
    os.chdir(top / folder)
    for command in plan["commands"]:
        # Reports for programs are written as bytes.
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([*command, *options])
        texts = [stream.flush() or stream.buffer.getvalue().decode() for stream in (out, err)]
        results.append([folder, command[0], code, *texts])
Path(plan["log"]).write_text(json.dumps(results))
"""
CONFIG = ["--config", "shop/pinsync.yaml"]
FOLDERS: dict[str, list[str]] = {".": CONFIG, "shop": [], "shop/customizations": []}


class Probe:
    """A program that git starts, which runs commands of pinsync."""

    def __init__(self, folder: Path) -> None:
        self._plan, self._log = folder / "plan.json", folder / "log.json"
        words = (sys.executable, str(put(folder / "driver.py", DRIVER)), str(self._plan))
        self.command = shlex.join(words)

    def plan(self, *commands: list[str]) -> None:
        self._log.unlink(missing_ok=True)
        self._plan.write_text(
            json.dumps({"folders": FOLDERS, "commands": commands, "log": str(self._log)})
        )

    def results(self) -> list[tuple[str, str, int, str, str]]:
        return [(*result,) for result in json.loads(self._log.read_text())]

    def hook(self, name: str = "pre-commit") -> None:
        folder = subprocess.check_output(
            ["git", "rev-parse", "--git-path", "hooks"], text=True
        ).strip()
        put(Path(folder, name), f"#!/bin/sh\n{self.command}\n").chmod(0o755)


@pytest.fixture(params=["main", "linked", "of a bare clone"])
def worktree(
    request: pytest.FixtureRequest, repository: Path, monkeypatch: pytest.MonkeyPatch, git: Git
) -> Path:
    """A working tree whose documents lie below its top folder; the current folder."""
    put(repository / "shop" / "pinsync.yaml", "format: 1\n")
    put(repository / "shop" / "customizations" / "basket.yaml", BASKET_TEXT)
    put(repository / "shop" / "customizations" / "home.yaml", HOME_TEXT)
    git("add", ".")
    git("commit", "--quiet", "--message=One")
    if request.param == "main":
        return repository
    place = repository.parent / "linked"
    if request.param == "linked":
        git("worktree", "add", "--quiet", "-b", "work", str(place))
    else:
        bare = repository.parent / "bare.git"
        git("clone", "--quiet", "--bare", ".", str(bare))
        git("-C", str(bare), "worktree", "add", "--quiet", "-b", "work", str(place))
        for name, value in (("name", "Test"), ("email", "test@example.com")):
            git("-C", str(bare), "config", f"user.{name}", value)
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def probe(worktree: Path) -> Probe:
    return Probe(worktree.parent)


def named_repository(git: Git) -> list[str]:
    """Return options that name the repository; in the main working tree relative, as a hook is
    handed them then.
    """
    return [f"--git-dir={git('rev-parse', '--git-dir')}", "--work-tree=."]


def start_hook(probe: Probe, git: Git) -> None:
    probe.hook()
    git("commit", "--quiet", "--allow-empty", "--message=Two")


def start_hook_by_git_dir(probe: Probe, git: Git) -> None:
    probe.hook()
    git(*named_repository(git), "commit", "--quiet", "--allow-empty", "--message=Two")


def start_rebase(probe: Probe, git: Git) -> None:
    git("commit", "--quiet", "--allow-empty", "--message=Two")
    git("rebase", "--quiet", "--exec", probe.command, "HEAD~1")


def start_alias(probe: Probe, git: Git) -> None:
    git("config", "alias.pins", f"!{probe.command}")
    git("-C", "shop", "pins")


STARTS = (start_hook, start_hook_by_git_dir, start_rebase, start_alias)


@pytest.mark.parametrize("start", STARTS, ids=lambda start: start.__name__)
def test_every_command_works_in_and_below_the_top_folder(
    start: object, probe: Probe, git: Git
) -> None:
    saved = put(Path("../saved.json").resolve(), json.dumps({"results": rows()}))
    commands = [
        ["export", "--check", "--from-file", str(saved)],
        ["diff", "HEAD", "@index"],
        ["diff", "HEAD", "@worktree"],
        ["fmt", "--check"],
        ["lint"],
        ["history"],
        ["blame", "home"],
        ["show", "home"],
    ]
    probe.plan(*commands)
    assert callable(start)
    start(probe, git)
    results = probe.results()
    failed = [result for result in results if result[2]]
    assert failed == []
    assert len(results) == len(commands) * len(FOLDERS)
    outputs = {
        (command, out) for _, command, _, out, _ in results if command in ("diff", "history")
    }
    assert len(outputs) == 3, "the same in every folder"
    for part in (
        "what is staged is the same as HEAD (3 r",
        "your files are the same as HEAD (3 r",
        "    One\n",
    ):
        assert any(part in out for _, out in outputs)


@pytest.mark.parametrize(
    ("options", "models"),
    [
        (["--all"], ["basket", "home"]),
        (["--only", "shop/customizations/home.yaml"], ["home"]),
        ([], ["basket"]),
    ],
    ids=["all", "only", "staged"],
)
@pytest.mark.parametrize("is_named", [False, True], ids=["found", "named"])
def test_a_hook_sees_the_index_of_its_own_commit(
    options: list[str], models: list[str], is_named: bool, worktree: Path, probe: Probe, git: Git
) -> None:
    for name in ("basket", "home"):
        path = worktree / "shop" / "customizations" / f"{name}.yaml"
        put(path, path.read_text().replace("position: 1", "position: 7"))
    git("add", "shop/customizations/basket.yaml")
    probe.plan(["diff", "HEAD", "@index", "--format", "json"])
    probe.hook()
    git(
        *(named_repository(git) if is_named else []), "commit", "--quiet", "--message=Two", *options
    )
    results = probe.results()
    assert [(folder, code) for folder, _, code, _, _ in results] == [
        (folder, 1) for folder in FOLDERS
    ]
    for result in results:
        (tracker,) = json.loads(result[3])["trackers"]
        assert [change["model"] for change in tracker["changes"]] == models


def test_a_hook_of_the_repository_around_a_submodule_leaves_the_submodules_index_alone(
    repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(repository / "customizations" / "home.yaml", HOME_TEXT)
    git("add", ".")
    git("commit", "--quiet", "--message=One")
    around = repository.parent / "around"
    git("init", "--quiet", str(around))
    monkeypatch.chdir(around)
    for name, value in (("name", "Test"), ("email", "test@example.com")):
        git("config", f"user.{name}", value)
    git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository), "module"
    )
    seen = around.parent / "seen"
    command = f"cd module && {shlex.quote(sys.executable)} -m pinsync diff HEAD @index"
    put(around / ".git" / "hooks" / "pre-commit", f"#!/bin/sh\n{command} > {seen} 2>&1\n").chmod(
        0o755
    )
    git("commit", "--quiet", "--message=Two")
    assert seen.read_text() == "In sync: what is staged is the same as HEAD (1 rule)\n"
