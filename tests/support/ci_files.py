"""What the tests of CI files share: the files, and what a person or a code host does meanwhile."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from support.paths import ROOT

if TYPE_CHECKING:
    from support.command_line import Git
    from support.workflows import Runner

TEMPLATES = ROOT / "pinsync" / "templates"
EXAMPLES = ROOT / "examples"
ACTION = ROOT / "action.yml"
DRIFT, SYNC, REVIEW, CALENDAR = (
    EXAMPLES / f"github-{name}.yml" for name in ("drift", "sync-pr", "review", "calendar")
)
MATRIX, GITLAB, PRE_COMMIT = (
    EXAMPLES / name for name in ("github-matrix.yml", "gitlab-ci.yml", "pre-commit-config.yaml")
)
WORKFLOWS = (DRIFT, SYNC, REVIEW, CALENDAR, MATRIX)
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


def jq(filter_: str, data: object) -> str:
    """Return what a filter of jq makes of data."""
    done = subprocess.run(
        ["jq", "-r", filter_], input=json.dumps(data), capture_output=True, text=True, check=True
    )
    return done.stdout


def filters(file: Path) -> list[str]:
    """Return the filters of a file's calls of ``gh``, on one line each."""
    found = re.findall(r"--jq '([^']*)'", file.read_text(encoding="utf-8"))
    return [" ".join(text.split()) for text in found]
