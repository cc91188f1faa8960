"""The pages on GitHub and GitLab: what they tell a reader to do when a job fails is done here."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from pinsync.commands.init import CI
from support.pages import blocks
from support.paths import BIN, ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import CommandLine, Git

PAGES = {"github": "docs/how-to/github.md", "gitlab": "docs/how-to/gitlab.md"}
CONFIGURATION = """\
format: 1
trackers:
  sk: {tracker_id: 1234-5678, private_key_env: LUIGISBOX_KEY_SK}
  cz: {tracker_id: 8765-4321, private_key_env: LUIGISBOX_KEY_CZ}
"""
STATE = "../shop-{tracker}.json"


def script(host: str, mark: str) -> str:
    """The marked commands of a page."""
    (text,) = blocks(mark, "console", pages=[PAGES[host]])
    return text


def run(text: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a script; with options in a sandbox."""
    command = ["bash", "-e", "-c", text]
    if options:
        command = ["pinsync", "sandbox", *options, "--", *command]
    environ = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def sync(*options: str) -> subprocess.CompletedProcess[str]:
    """Export cz onto its branch as the job does, in a sandbox."""
    return run("pinsync export --tracker cz --branch pins/live-cz", *options)


@pytest.fixture
def shops(repository: Path, git: Git) -> Path:
    """A repository with two exported trackers, which is pushed."""
    (repository / "pinsync.yaml").write_text(CONFIGURATION, encoding="utf-8")
    git("add", ".")
    git("commit", "--quiet", "--message", "Configure pinsync")
    assert run("pinsync export --commit", "--state", STATE).returncode == 0
    git("init", "--quiet", "--bare", "--initial-branch=main", "../origin.git")
    git("remote", "add", "origin", "../origin.git")
    git("push", "--quiet", "origin", "main")
    return repository


@pytest.mark.parametrize("host", PAGES)
def test_the_command_writes_the_source_into_all_files(
    host: str, repository: Path, pinsync: CommandLine
) -> None:
    assert pinsync("init", "--tracker-id", "1234-5678", "--ci", host).code == 0
    assert run(script(host, "source")).returncode == 0
    for name in CI[host]:
        text = yaml.safe_load((repository / name).read_text(encoding="utf-8"))
        source = (text.get("env") or text.get("variables"))["PINSYNC"]
        assert source.startswith("git+https://")
        assert source.endswith("@HASH")
    left = [file for file in repository.rglob("*.bak") if ".git" not in file.parts]
    assert left == []


@pytest.mark.parametrize("host", PAGES)
def test_the_commands_let_a_mass_removal_pass(host: str, shops: Path, git: Git) -> None:
    assert shops.is_dir()
    refused = sync("--empty")
    assert refused.returncode == 4
    assert "the answer is empty" in refused.stderr
    assert run(script(host, "refusal"), "--empty").returncode == 0
    git("switch", "--quiet", "main")
    git("merge", "--quiet", "--no-ff", "--message", "Merge", "origin/removal-cz")
    assert sync("--empty").returncode == 0


@pytest.mark.parametrize("is_merged", [True, False])
@pytest.mark.parametrize("host", PAGES)
def test_a_branch_with_a_persons_commit_is_merged_or_deleted(
    host: str, is_merged: bool, shops: Path, git: Git
) -> None:
    shop = shops.parent / "shop-cz.json"
    text = shop.read_text(encoding="utf-8")
    shop.write_text(text.replace("/p/234/", "/p/235/"), encoding="utf-8")
    assert sync("--state", STATE).returncode == 0
    git("switch", "--quiet", "pins/live-cz")
    git("commit", "--quiet", "--allow-empty", "--message", "Say why")
    git("push", "--quiet", "origin", "pins/live-cz")
    git("switch", "--quiet", "main")
    refused = sync("--state", STATE)
    assert refused.returncode == 4
    assert "branch pins/live-cz holds commits that pinsync didn't make" in refused.stderr
    assert "Say why" in run(script(host, "leftover")).stdout
    if is_merged:
        git("merge", "--quiet", "--no-ff", "--message", "Merge", "origin/pins/live-cz")
    else:
        assert run(script(host, "deletion")).returncode == 0
        assert git("ls-remote", "origin", "refs/heads/pins/*") == ""
        git("branch", "--quiet", "-D", "pins/live-cz")  # the clone of the next job lacks it
    assert sync("--state", STATE).returncode == 0


def test_the_lines_for_a_private_repository_begin_the_step_of_the_templates() -> None:
    (text,) = blocks("private", "yaml")
    (step,) = yaml.safe_load(text)
    assert list(step) == ["name", "env", "run"]
    for file in sorted((ROOT / "pinsync" / "templates").glob("github-*.yml")):
        jobs = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].values()
        names = [found.get("name") for job in jobs for found in job["steps"]]
        assert step["name"] in names
