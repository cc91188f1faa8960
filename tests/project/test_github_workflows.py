"""The workflows of this repository: checks of every change, and releases."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from pinsync import __version__
from support.paths import ROOT
from support.workflows import check_actions, check_schema, scripts

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / ".github" / "workflows"
CI, RELEASE = FOLDER / "ci.yml", FOLDER / "release.yml"


def jobs(file: Path) -> dict[str, Any]:
    workflow: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    found: dict[str, Any] = workflow["jobs"]
    return found


@pytest.mark.parametrize("file", [CI, RELEASE], ids=lambda file: file.name)
def test_a_workflow_is_valid(file: Path) -> None:
    check_schema(file, "github-workflows")


def test_the_linter_for_actions_finds_nothing() -> None:
    assert sorted(FOLDER.iterdir()) == [CI, RELEASE]
    check_actions((CI, RELEASE))


def test_both_run_all_checks_on_the_oldest_python_with_the_right_to_read() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for file in (CI, RELEASE):
        job = jobs(file)["check"]
        assert job["permissions"] == {"contents": "read"}
        assert job["steps"][-1]["run"] == ".ci/run"
        (setup,) = [step for step in job["steps"] if "setup-python" in step.get("uses", "")]
        version = setup["with"]["python-version"]
        assert f'requires-python = ">={version}"' in pyproject


def test_only_a_job_without_code_of_the_repository_may_publish() -> None:
    found = jobs(RELEASE)
    assert [name for name, job in found.items() if "id-token" in job["permissions"]] == ["publish"]
    publish = found["publish"]
    assert publish["environment"]["name"] == "pypi"
    assert [step["uses"].partition("@")[0] for step in publish["steps"]] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]
    assert (found["build"]["needs"], publish["needs"]) == ("check", "build")


@pytest.mark.parametrize(("tag", "code"), [(f"v{__version__}", 0), ("v99.0.0", 1)])
def test_a_tag_must_have_the_version(tag: str, code: int, tmp_path: Path) -> None:
    script = dict(scripts({"jobs": jobs(RELEASE)}))["Compare the tag with the version"]
    wheel = tmp_path / "dist" / f"pinsync-{__version__}-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.touch()
    environ = {**os.environ, "TAG": tag}
    command = ["bash", "-e", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, check=False)
    assert done.returncode == code
