"""The tables of the jobs in CI: they say what the templates say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from pinsync.commands.init import CI
from support.pages import rows, section
from support.paths import ROOT
from support.workflows import gitlab_jobs, switch_on_pages

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "docs/reference/ci-jobs.md"
TEMPLATES = ROOT / "pinsync" / "templates"
KEY = "PINSYNC_PRIVATE_KEY"
_NO_FORK = "github.event.pull_request.head.repo.full_name == github.repository"
_NO_FORK_ON_GITLAB = "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID"
_ASKS_SHOP = re.compile(r"\bpinsync (?:diff(?! \"\$from)|export|plan|apply)\b(?! -->)")


def join(names: list[str], suffix: str = "") -> str:
    """Return names as a cell of a table."""
    return ", ".join(f"`{name}`" for name in names) + suffix if names else "none"


def name_secret(name: str) -> str:
    """Return a secret as a cell of a table."""
    return "the key" if name == KEY else f"`{name}`"


def describe_github_job(path: str, workflow: dict[Any, Any], name: str) -> list[str]:
    """Return the row of a job."""
    job = workflow["jobs"][name]
    assert workflow["permissions"] == {}
    triggers = sorted(workflow[True])  # YAML 1.1 takes the key `on` for a boolean
    condition = " ".join(str(job.get("if", "")).split())
    permissions = [f"{key}: {value}" for key, value in sorted(job["permissions"].items())]
    secrets = sorted(set(re.findall(r"secrets\.(\w+)", str(job))))
    environment = job.get("environment", "none")
    environment = environment if isinstance(environment, str) else environment["name"]
    return [
        f"{path.rpartition('/')[2].removesuffix('.yml')}, `{name}`",
        join(triggers, ", not from forks" if _NO_FORK in condition else ""),
        join(permissions),
        ", ".join(map(name_secret, secrets)) or "none",
        environment if environment == "none" else f"`{environment}`",
    ]


def test_the_table_of_github_is_that_of_the_templates() -> None:
    expected = []
    for path, template in CI["github"].items():
        workflow = yaml.safe_load((TEMPLATES / template).read_text(encoding="utf-8"))
        expected += [describe_github_job(path, workflow, name) for name in workflow["jobs"]]
    table = rows(section(PAGE, "## GitHub"))[1:]
    assert sorted(table) == sorted(expected)


def test_no_job_of_github_has_a_secret_that_its_steps_do_not_need() -> None:
    for template in CI["github"].values():
        workflow = yaml.safe_load((TEMPLATES / template).read_text(encoding="utf-8"))
        for job in workflow["jobs"].values():
            assert "secrets" not in str(job.get("env"))
            for step in job["steps"]:
                asks = _ASKS_SHOP.search(step.get("run", "")) is not None
                # The pull request of the sync compares two commits.
                is_local = "pinsync diff HEAD" in step.get("run", "")
                assert ("secrets." in str(step.get("env"))) == (asks and not is_local)


def describe_gitlab_job(name: str, job: dict[str, Any]) -> list[str]:
    """Return the row of a job."""
    rules = " ".join(rule["if"] for rule in job["job"]["rules"])
    found = re.findall(r"\$CI_PIPELINE_SOURCE (?:== \"(\w+)\"|=~ /\^\((.+?)\)\$/)", rules)
    sources = sorted({source for one, many in found for source in (one or many).split("|")})
    secrets = [KEY] if _ASKS_SHOP.search(job["script"]) else []
    secrets += sorted(set(re.findall(r"PINSYNC_\w+_TOKEN", job["script"])))
    environment = job["job"].get("environment", {}).get("name")
    return [
        f"`{name}`",
        join(sources, ", not from forks" if _NO_FORK_ON_GITLAB in rules else ""),
        ", ".join(map(name_secret, secrets)) or "none",
        f"`{environment}`" if environment else "none",
    ]


def test_the_table_of_gitlab_is_that_of_the_template(tmp_path: Path) -> None:
    file = switch_on_pages(TEMPLATES / "gitlab-ci.yml", tmp_path)
    expected = [describe_gitlab_job(name, job) for name, job in gitlab_jobs(file).items()]
    table = rows(section(PAGE, "## GitLab"))[1:]
    assert sorted(table) == sorted(expected)
