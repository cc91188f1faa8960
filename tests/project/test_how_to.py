"""The how-to pages: examples that aren't sessions are run here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import yaml

from support.pages import blocks
from support.paths import BIN, ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine


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


def test_the_settings_of_an_editor_are_json() -> None:
    (text,) = blocks("settings", "json")
    assert list(json.loads(text)) == ["yaml.schemas"]
