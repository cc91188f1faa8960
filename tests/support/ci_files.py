"""What the tests of CI files share: the files, and what a person or a code host does meanwhile."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.command_line import Git
    from support.workflows import Runner

TEMPLATES = ROOT / "pinsync" / "templates"
EXAMPLES = ROOT / "examples"
ACTION = ROOT / "action.yml"
DRIFT, SYNC, REVIEW, PLAN, APPLY, CALENDAR = (
    EXAMPLES / f"github-{name}.yml"
    for name in ("drift", "sync-pr", "review", "plan", "apply", "calendar")
)
MATRIX, GITLAB, PRE_COMMIT = (
    EXAMPLES / name for name in ("github-matrix.yml", "gitlab-ci.yml", "pre-commit-config.yaml")
)
WORKFLOWS = (DRIFT, SYNC, REVIEW, PLAN, APPLY, CALENDAR, MATRIX)
SCHEMAS = {
    **dict.fromkeys(WORKFLOWS, "github-workflows"),
    ACTION: "github-actions",
    GITLAB: "gitlab-ci",
}
MARKER = "<!-- pinsync -->\n"
KEY = "the-key-of-the-shop"
RECORD = "refs/pinsync/agreed/1234-5678"


def run_sync(host: Path, runner: Runner) -> None:
    """Run the sync job of a code host."""
    if host == SYNC:
        runner.job(SYNC, "sync")
    else:
        run_on_gitlab(runner, "pins-sync", PINSYNC_PRIVATE_KEY=KEY)


def move_pin() -> None:
    """Move a pin of the basket in the files."""
    path = Path("customizations/basket.yaml")
    path.write_text(
        path.read_text(encoding="utf-8").replace("position: 2", "position: 3"), encoding="utf-8"
    )


PULL_REQUEST = {
    "github.event.pull_request.number": "5",
    "github.event.pull_request.head.repo.full_name": "shop/pins",
    "github.event.pull_request.user.login": "ann",
}


def push_merge(git: Git) -> None:
    """Push the merge of the branch ``change`` into the main branch, as a code host makes it for its
    jobs.
    """
    git("checkout", "--quiet", "-B", "merge", "main")
    git("merge", "--quiet", "--no-ff", "-m", "Merge", "change")
    git("push", "--quiet", "--force", "origin", "merge")
    git("checkout", "--quiet", "main")


def run_on_gitlab(runner: Runner, name: str, branch: str = "main", **variables: str) -> Path:
    """Run a job of GitLab's; return its folder."""
    return runner.gitlab(GITLAB, name, branch, **variables)


def merge_request(git: Git, target: str = "") -> dict[str, str]:
    """Return the variables of a merge request of ``change``; the target's commit is set for a merge
    of the two only.
    """
    return {
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": git("merge-base", "main", "change"),
        "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": target,
    }


def jq(filter_: str, data: object, **environ: str) -> str:
    """Return what a filter of jq makes of data, in the environment with these variables."""
    done = subprocess.run(
        ["jq", "-r", filter_],
        input=json.dumps(data),
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def filters(file: Path) -> list[str]:
    """Return the filters of a file's calls of ``gh``, on one line each."""
    found = re.findall(r"--jq '([^']*)'", file.read_text(encoding="utf-8"))
    return [" ".join(text.split()) for text in found]


def push_event(sha: str, **contexts: str) -> dict[str, str]:
    """Return the documented values of the event after a push to the default branch.

    Args:
        sha: the full hash of the branch's newest commit.
        contexts: other values.
    """
    event = {
        "github.event_name": "push",
        "github.event.repository.default_branch": "main",
        "github.ref_name": "main",
        "github.sha": sha,
        "vars.PINSYNC_APPLY": "yes",
    }
    return event | contexts


def merge(git: Git, method: str) -> str:
    """Merge the branch ``change`` into the main branch as a code host does, and push it.

    Args:
        git: the repository.
        method: ``merge``, ``squash`` or ``rebase``.

    Returns:
        The full hash of the main branch's newest commit.
    """
    git("checkout", "--quiet", "main")
    if method == "merge":
        git("merge", "--quiet", "--no-ff", "-m", "Merge", "change")
    elif method == "squash":
        git("merge", "--quiet", "--squash", "change")
        git("commit", "--quiet", "-m", "Everything (#5)")
    else:
        # GitHub makes new commits even where the branch could be taken as it is.
        commits = git("rev-list", "--reverse", "main..change").split()
        git("cherry-pick", "--no-gpg-sign", *commits)
        git("commit", "--quiet", "--amend", "--no-edit", "--date", "2026-11-03T09:30:15+01:00")
    git("push", "--quiet", "origin", "main")
    return git("rev-parse", "main")


def find_rule(file: Path, job: str, variables: Mapping[str, str]) -> str | None:
    """Return the ``when`` of a GitLab job by its rules; None if it isn't added to the pipeline."""
    jobs = yaml.safe_load(file.read_text(encoding="utf-8"))
    for rule in jobs[job]["rules"]:
        if all(_holds(part, variables) for part in rule["if"].split(" && ")):
            return str(rule.get("when", "on_success"))
    return None


def _holds(part: str, variables: Mapping[str, str]) -> bool:
    left, operator, right = re.fullmatch(r"\$(\w+)(?: (==|=~) (.+))?", part).groups()  # type: ignore[union-attr]
    value = variables.get(left, "")
    if operator is None:
        return bool(value)
    if operator == "=~":
        return re.search(right.strip("/"), value) is not None
    return value == (variables.get(right[1:], "") if right.startswith("$") else right.strip('"'))
