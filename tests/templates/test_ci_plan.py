"""The plan of a pull or merge request, in one comment: run as a runner does, against the sandbox."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from support.ci_files import (
    GITLAB,
    KEY,
    PLAN,
    PULL_REQUEST,
    filters,
    find_rule,
    jq,
    merge_request,
    move_pin,
    push_merge,
    run_on_gitlab,
    run_sync,
)
from support.exporting import STRINGS, put, repinned
from support.html_pages import parse_page
from support.merge_request_notes import BOT, EVE, Notes
from support.workflows import FailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pinsync.sandbox import Sandbox
    from support.command_line import Git
    from support.workflows import Runner

MARKER = "<!-- pinsync plan -->\n"


def plan(runner: Runner, git: Git, checkout: str = "merge", **contexts: str) -> dict[str, str]:
    """Run the plan of the branch ``change``, and the job that comments; return the outputs."""
    push_merge(git)
    runner.forget_run()
    runner.ref = checkout
    event = {
        "github.event.pull_request.base.ref": "main",
        "github.event.pull_request.head.sha": git("rev-parse", "change"),
    }
    try:
        return runner.job(PLAN, "plan", **(PULL_REQUEST | event | contexts))
    finally:
        runner.job(PLAN, "comment")


@pytest.fixture
def change(runner: Runner, git: Git, pushed: Callable[[str], None]) -> None:
    """A record of agreement, and a branch ``change`` that moves a pin."""
    run_sync(GITLAB, runner)
    move_pin()
    pushed("change")
    assert git("ls-remote", "origin", "refs/pinsync/*")


def check_reads(api: Sandbox, before: int) -> None:
    """Check that the shop was only asked for exports since some request."""
    requests = api.requests[before:]
    assert requests
    assert {request.path.rpartition("/")[2] for request in requests} == {"export"}


# GitHub.


@pytest.mark.usefixtures("change")
@pytest.mark.parametrize("checkout", ["merge", "change"])
def test_a_plan_is_one_comment(checkout: str, runner: Runner, git: Git, api: Sandbox) -> None:
    before = len(api.requests)
    assert plan(runner, git, checkout) == {"report": "yes", "rules": "1"}
    assert runner.gh() == ["auth setup-git", "api --paginate", "pr comment"]
    assert runner.calls[-1].argv[3] == "5"
    text = runner.calls[-1].files["plan.md"]
    assert text.startswith(f"{MARKER}### pinsync: This plan changes 1 rule of the shop")
    assert "from #2 to #3" in text
    assert re.search("(?m)^Checksum of the plan: `?[0-9a-f]{64}", text)
    page = (runner.folder / "artifacts" / "pins-plan-page").read_text(encoding="utf-8")
    assert "from #2 to #3" in parse_page(page).text
    summary = (runner.folder / "summary").read_text(encoding="utf-8")
    assert "[The plan as a page](https://github.example/artifacts/pins-plan-page)" in summary
    runner.answers["gh api --paginate"] = "99\n100\n"
    plan(runner, git, checkout)
    assert runner.calls[-1].argv[4:] == [
        "PATCH",
        "repos/shop/pins/issues/comments/99",
        "--field",
        "body=@plan.md",
    ]
    assert "from #2 to #3" in runner.calls[-1].files["plan.md"]
    check_reads(api, before)
    assert KEY not in runner.output + str(runner.calls)


@pytest.mark.usefixtures("change")
def test_a_plan_has_the_changes_of_its_branch_alone(
    runner: Runner, git: Git, pushed: Callable[[str], None]
) -> None:
    path = Path("customizations/home.yaml")
    put(path, path.read_text(encoding="utf-8").replace("position: 1", "position: 4"))
    pushed("main")
    plan(runner, git)
    text = runner.calls[-1].files["plan.md"]
    assert ("`basket`" in text, "`home`" in text) == (True, False)


@pytest.mark.usefixtures("change")
def test_a_change_that_would_be_left_alone_is_told(runner: Runner, git: Git, api: Sandbox) -> None:
    repinned(api, STRINGS)
    assert plan(runner, git)["rules"] == "1"
    text = runner.calls[-1].files["plan.md"]
    assert "Nothing to apply: 1 rule that differs is left alone" in text
    assert "#7 /p/234/" in text


def test_a_branch_that_changes_no_pin_gets_no_comment(
    runner: Runner, git: Git, pushed: Callable[[str], None]
) -> None:
    put(Path("note.txt"), "Nothing that a shopper sees.")
    pushed("change")
    assert plan(runner, git)["rules"] == "0"
    assert runner.gh() == ["auth setup-git", "api --paginate"]


@pytest.mark.usefixtures("change")
def test_a_plan_that_failed_replaces_an_older_comment(runner: Runner, git: Git) -> None:
    runner.answers["gh api --paginate"] = "99\n"
    with pytest.raises(FailedError) as caught:
        plan(runner, git, **{"secrets.PINSYNC_PRIVATE_KEY": "another"})
    assert (caught.value.step, caught.value.code) == ("Plan the merge", 3)
    assert "**INCOMPLETE:**" in runner.calls[-1].files["plan.md"]
    with pytest.raises(FailedError) as caught:
        plan(runner, git, **{"secrets.PINSYNC_PRIVATE_KEY": ""})
    assert (caught.value.step, caught.value.code) == ("Plan the merge", 2)
    assert runner.calls[-1].files["plan.md"].startswith(MARKER)
    put(runner.folder / "bin" / "pipx", "#!/bin/sh\nexit 1\n")
    with pytest.raises(FailedError):
        plan(runner, git)
    text = runner.calls[-1].files["plan.md"]
    assert text.startswith(f"{MARKER}### pinsync: no plan\n\nThe job failed: ")


@pytest.mark.usefixtures("change")
@pytest.mark.parametrize(
    "stranger",
    [
        {"github.event.pull_request.head.repo.full_name": "stranger/pins"},
        {"github.event.pull_request.user.login": "dependabot[bot]"},
    ],
)
def test_a_stranger_gets_no_plan(
    stranger: dict[str, str], runner: Runner, git: Git, api: Sandbox
) -> None:
    before = len(api.requests), len(runner.calls)
    assert plan(runner, git, **stranger) == {}
    assert (len(api.requests), len(runner.calls)) == before


def test_no_job_has_both_the_key_and_the_right_to_write() -> None:
    jobs = yaml.safe_load(PLAN.read_text(encoding="utf-8"))["jobs"]
    keys = {name: "secrets." in str(job) for name, job in jobs.items()}
    assert keys == {"plan": True, "comment": False}
    assert jobs["plan"]["permissions"] == {"contents": "read"}
    assert not any("checkout" in str(step.get("uses")) for step in jobs["comment"]["steps"])


def test_the_comment_of_a_review_is_no_plan() -> None:
    (comments,) = filters(PLAN)
    bot = {"login": "github-actions[bot]"}
    data = [
        {"id": 1, "user": {"login": "eve"}, "body": MARKER},
        {"id": 2, "user": bot, "body": "<!-- pinsync -->\n### pinsync"},
        {"id": 3, "user": bot, "body": f"{MARKER}### pinsync"},
    ]
    assert jq(comments, data) == "3\n"


# GitLab.


@pytest.fixture
def notes() -> Iterator[Notes]:
    """The comments of the merge request; the first page is full of others'."""
    with Notes() as served:
        served.add(EVE, f"{MARKER}Mine!")
        served.add(BOT, f"Quoting {MARKER}")
        yield served


def plan_on_gitlab(runner: Runner, git: Git, notes: Notes, **variables: str) -> Path:
    """Run the plan of the branch ``change``; return the folder of the job."""
    given = {**merge_request(git), **notes.variables, "PINSYNC_PRIVATE_KEY": KEY, **variables}
    return run_on_gitlab(runner, "pins-plan", "change", **given)


@pytest.mark.usefixtures("change")
def test_a_plan_is_one_comment_on_gitlab(
    runner: Runner, git: Git, notes: Notes, api: Sandbox
) -> None:
    before = len(api.requests)
    work = plan_on_gitlab(runner, git, notes)
    assert len(notes.notes) == 3
    text = notes.notes[2]["body"]
    assert text == (work / "plan.md").read_text(encoding="utf-8")
    assert text.startswith(f"{MARKER}### pinsync: This plan changes 1 rule of the shop")
    # GitLab takes a line that begins with a slash for a command.
    assert not [line for line in text.splitlines() if line.startswith("/")]
    assert "from #2 to #3" in parse_page((work / "plan.html").read_text(encoding="utf-8")).text
    repinned(api, STRINGS)
    plan_on_gitlab(runner, git, notes)
    assert len(notes.notes) == 3
    assert "Nothing to apply: 1 rule that differs is left alone" in notes.notes[2]["body"]
    assert notes.calls[-1] == "PUT /api/v4/projects/42/merge_requests/5/notes/3"
    check_reads(api, before)


def test_a_branch_that_changes_no_pin_gets_no_comment_on_gitlab(
    runner: Runner, git: Git, notes: Notes, pushed: Callable[[str], None]
) -> None:
    put(Path("note.txt"), "Nothing that a shopper sees.")
    pushed("change")
    plan_on_gitlab(runner, git, notes)
    assert len(notes.notes) == 2


@pytest.mark.usefixtures("change")
def test_a_plan_that_failed_replaces_an_older_comment_on_gitlab(
    runner: Runner, git: Git, notes: Notes
) -> None:
    plan_on_gitlab(runner, git, notes)
    with pytest.raises(FailedError) as caught:
        plan_on_gitlab(runner, git, notes, PINSYNC_PRIVATE_KEY="another")
    assert caught.value.code == 3
    assert "**INCOMPLETE:**" in notes.notes[2]["body"]
    with pytest.raises(FailedError) as caught:
        plan_on_gitlab(runner, git, notes, PINSYNC_TIMEOUT="soon")
    assert caught.value.code == 2
    text = f"{MARKER}### pinsync: no plan\n\nThe job failed: https://gitlab.example/"
    assert notes.notes[2]["body"].startswith(text)
    assert len(notes.notes) == 3


def test_a_fork_gets_no_plan_on_gitlab() -> None:
    own = {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_PROJECT_ID": "42",
    }
    token = {"PINSYNC_COMMENT_TOKEN": "a-token"}
    fork = {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "99"}
    assert find_rule(GITLAB, "pins-plan", own | token) == "on_success"
    assert find_rule(GITLAB, "pins-plan", own) is None
    assert find_rule(GITLAB, "pins-plan", own | token | fork) is None
    assert find_rule(GITLAB, "pins-plan", {"CI_PIPELINE_SOURCE": "push"} | token) is None
