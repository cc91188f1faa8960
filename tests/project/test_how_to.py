"""The how-to pages: examples that aren't sessions are run here."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from support.pages import blocks
from support.paths import BIN, ROOT
from support.terminals import Dialogue

if TYPE_CHECKING:
    from pathlib import Path

    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git


def test_the_tests_of_a_job_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
    (text,) = blocks("pytest", "python")
    (tmp_path / "test_job.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_the_hook_for_every_commit_compares_the_index_with_live(
    repository: Path, sandbox: Sandbox, pinsync: CommandLine
) -> None:
    assert sandbox.url
    (text,) = blocks("hook", "yaml")
    (hook,) = yaml.safe_load(text)
    source = {"repo": "https://example.com/pinsync", "rev": "v0.1.0", "hooks": [hook]}
    file = repository / ".pre-commit-config.yaml"
    file.write_text(yaml.safe_dump({"repos": [source]}), encoding="utf-8")
    subprocess.run([str(BIN / "pre-commit"), "validate-config", str(file)], check=True)
    assert pinsync("export", "--commit").code == 0
    assert pinsync("diff", *hook["args"]).code == 0
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["id"] in {published["id"] for published in hooks}


@pytest.mark.parametrize("trackers", [{"default": "1234-5678"}, {"sk": "1-2", "cz": "3-4"}])
def test_the_schema_checks_the_files_of_one_tracker_or_several(
    trackers: dict[str, str],
    repository: Path,
    git: Git,
    monkeypatch: pytest.MonkeyPatch,
    pinsync: CommandLine,
) -> None:
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
    sections = {name: {"tracker_id": tracker_id} for name, tracker_id in trackers.items()}
    configuration = yaml.safe_dump({"format": 1, "trackers": sections})
    (repository / "pinsync.yaml").write_text(configuration, encoding="utf-8")
    assert pinsync("sandbox", "--", "pinsync", "export", "--commit").code == 0
    (repository / "pinsync.schema.json").write_text(pinsync("schema").out, encoding="utf-8")
    (command,) = blocks("check", "console")
    subprocess.run(["bash", "-e", "-o", "pipefail", "-c", command], check=True)
    file = repository / git("ls-files", "customizations/*.yaml").splitlines()[-1]
    file.write_text("format: 1\nmodel: 5\n", encoding="utf-8")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert file.name in done.stdout


def test_the_settings_of_an_editor_are_json() -> None:
    (text,) = blocks("settings", "json")
    assert list(json.loads(text)) == ["yaml.schemas"]


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
@pytest.mark.usefixtures("repository")
def test_the_dialogue_is_as_shown(sandbox: Sandbox, pinsync: CommandLine) -> None:
    assert pinsync("export", "--commit").code == 0
    for row in sandbox.customizations():
        if (row["model"], row.get("target_identity")) == ("basket", "/p/124/"):
            row["pin_definitions"][0]["pin_identity"] = "/p/235/"
        elif (row["model"], row.get("target_identity")) == ("basket", "/p/121/"):
            row["pin_definitions"].pop()
        sandbox.replace(row)
    (text,) = blocks("dialogue", "console")
    command, _, shown = text.partition("\n")
    dialogue = Dialogue(*shlex.split(command.removeprefix("$ pinsync ")))
    dialogue.answer(*re.findall(r"\]\? (\w)$", shown, re.MULTILINE))
    code, sent = dialogue.end()
    assert code == 0
    assert re.fullmatch(re.escape(shown).replace("…", "(?:.|\n)*?"), sent), sent
