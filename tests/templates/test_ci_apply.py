"""The plan and the apply after a merge: run as a runner does, against the sandbox, on a repository
that is merged, squashed, rebased and forced as code hosts do it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from pinsync.sandbox import parse_fault
from support.ci_files import (
    APPLY,
    GITLAB,
    KEY,
    RECORD,
    SYNC,
    find_rule,
    merge,
    push_event,
    run_on_gitlab,
    run_sync,
)
from support.exporting import HOME, STRINGS, put, repinned
from support.html_pages import parse_page
from support.pages import PAGES, blocks
from support.workflows import FailedError, check_schema, gitlab_jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinsync.sandbox import Sandbox
    from support.command_line import Git
    from support.workflows import Runner

HOSTS = ("github", "gitlab")
NEW = """\
  - target_type: item
    target_identity: /p/77/
    pin_definitions:
      - position: 1
        pin_type: item
        pin_identity: /p/78/
"""


@dataclass
class Ended:
    """How the jobs after a merge ended.

    Attributes:
        plan: the exit code of the plan.
        checksum: the checksum that the plan hands to the apply; empty if there is nothing to apply.
        apply: the exit code of the apply; None if it didn't run.
        output: what the jobs wrote.
        files: the files that were kept.
    """

    plan: int = 0
    checksum: str = ""
    apply: int | None = None
    output: str = ""
    files: list[Path] = field(default_factory=list)

    @property
    def kept(self) -> list[str]:
        """The kinds of the kept files: backup and journal."""
        kinds = [path.name.split("-")[0] for path in self.files]
        return [kind for kind in kinds if kind != ".gitignore"]


@dataclass
class Host:
    """A code host that runs the jobs after a merge."""

    name: str
    runner: Runner

    def start(self, sha: str, *, then: Callable[[], None] = lambda: None) -> Ended:
        """Run the jobs for a commit of the main branch; ``then`` happens before the apply."""
        ended = self.plan(sha)
        then()
        if ended.checksum:
            self.apply(sha, ended)
        return ended

    def plan(self, sha: str) -> Ended:
        """Run the job that plans."""
        runner, ended = self.runner, Ended()
        before = len(runner.output)
        try:
            runner.forget_run()
            if self.name == "github":
                outputs = runner.job(APPLY, "plan", **push_event(sha))
                ended.checksum = outputs.get("checksum", "")
            else:
                folder = runner.folder / "kept" / "pins-merged" / "pins.checksum"
                run_on_gitlab(runner, "pins-merged", CI_COMMIT_SHA=sha, PINSYNC_PRIVATE_KEY=KEY)
                if folder.exists():
                    ended.checksum = folder.read_text(encoding="utf-8").strip()
        except FailedError as error:
            ended.plan = error.code
        ended.output = runner.output[before:]
        return ended

    def apply(self, sha: str, ended: Ended) -> None:
        """Run the job that applies, and tell its end."""
        runner = self.runner
        before = len(runner.output)
        ended.apply = 0
        folder = runner.folder / "artifacts" / "pins-apply"
        try:
            if self.name == "github":
                assert runner.job(APPLY, "apply") == {}
            else:
                run_on_gitlab(runner, "pins-apply", CI_COMMIT_SHA=sha, PINSYNC_PRIVATE_KEY=KEY)
        except FailedError as error:
            ended.apply = error.code
        if self.name == "gitlab":
            work = max(runner.folder.glob("pins-apply-*"), key=lambda path: path.stat().st_ctime)
            folder = work / "pins-apply"
        ended.output += runner.output[before:]
        ended.files = sorted(folder.glob("*"))

    def sync(self) -> None:
        """Run the job that proposes what the shop has."""
        run_sync(SYNC if self.name == "github" else GITLAB, self.runner)

    @property
    def left(self) -> int:
        """The exit code of an apply that left rules to people."""
        return 0 if self.name == "github" else 1


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest, runner: Runner) -> Host:
    """The code host; the record of agreement has begun with the sync job."""
    started = Host(request.param, runner)
    started.sync()
    return started


def pin(position: int, model: str = "basket", was: int = 2) -> None:
    """Move a pin in a document."""
    path = Path(f"customizations/{model}.yaml")
    text = path.read_text(encoding="utf-8")
    put(path, text.replace(f"position: {was}", f"position: {position}", 1))


def position(api: Sandbox, rule: str = STRINGS) -> int:
    """Return the position of the last pin of a rule in the shop."""
    return int(api.get(rule)["pin_definitions"][-1]["position"])


def count_writes(api: Sandbox) -> int:
    """Return the number of requests that may change the shop."""
    return sum(not request.path.endswith("/export") for request in api.requests)


def read_record(git: Git) -> dict[str, Any]:
    """Return the header of the record of agreement that the remote has."""
    git("fetch", "--quiet", "origin", f"+{RECORD}:{RECORD}")
    header: dict[str, Any] = json.loads(git("show", f"{RECORD}:record.json"))
    return header


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_what_was_merged_is_applied_as_planned(
    method: str, host: Host, git: Git, api: Sandbox, pushed: Callable[[str], None]
) -> None:
    pin(3)
    pushed("change")
    sha = merge(git, method)
    ended = host.start(sha)
    assert (ended.plan, ended.apply) == (0, 0)
    assert ended.output.count(f"Checksum of the plan: {ended.checksum}") == 2
    assert ended.kept == ["backup", "journal"]
    assert position(api) == 3
    header = read_record(git)
    assert (header["applied"], header["source"]) == (sha, sha)
    assert "begun" not in header
    again = host.start(sha)
    assert (again.plan, again.checksum, again.apply) == (0, "", None)
    assert KEY not in host.runner.output + str(host.runner.calls)


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_what_the_shop_had_first_is_not_applied(
    method: str, host: Host, git: Git, api: Sandbox
) -> None:
    repinned(api, HOME, position=6)
    host.sync()
    git("fetch", "--quiet", "origin")
    git("branch", "--quiet", "change", "origin/pins/live")
    before = count_writes(api)
    ended = host.start(merge(git, method))
    assert (ended.plan, ended.checksum) == (0, "")
    assert "Nothing to apply: the shop has all that is planned." in ended.output
    assert count_writes(api) == before


def test_an_applied_rule_gets_its_id_and_then_all_agree(
    host: Host, git: Git, api: Sandbox, pushed: Callable[[str], None]
) -> None:
    home = Path("customizations/home.yaml")
    put(home, home.read_text(encoding="utf-8") + NEW)
    pushed("main")
    assert host.start(git("rev-parse", "main")).apply == 0
    (rule,) = (row for row in api.customizations() if row.get("target_identity") == "/p/77/")
    host.sync()
    git("fetch", "--quiet", "origin")
    shown = git("diff", "main", "origin/pins/live")
    added = [line for line in shown.splitlines() if line[0] in "+-" and line[1] not in "+-"]
    assert added == ["-  - target_type: item", f"+  - id: {rule['id']}", "+    target_type: item"]
    git("branch", "--quiet", "change", "origin/pins/live")
    assert host.start(merge(git, "squash")).checksum == ""
    host.sync()
    assert git("ls-remote", "origin", "refs/heads/pins/live") == ""


def test_a_merge_whose_run_was_cancelled_is_part_of_the_next_run(
    host: Host, git: Git, api: Sandbox, pushed: Callable[[str], None]
) -> None:
    pin(3)
    pushed("main")
    cancelled = host.plan(git("rev-parse", "main"))
    pin(4, "home", was=1)
    pushed("main")
    ended = host.start(git("rev-parse", "main"))
    assert cancelled.checksum not in ("", ended.checksum)
    assert ended.apply == 0
    assert (position(api), position(api, HOME)) == (3, 4)


def test_a_run_that_waited_while_the_main_line_went_on(
    host: Host, git: Git, api: Sandbox, pushed: Callable[[str], None]
) -> None:
    pin(3)
    pushed("main")
    first = git("rev-parse", "main")

    def go_on() -> None:
        pin(4, "home", was=1)
        pushed("main")

    assert host.start(first, then=go_on).apply == 0
    assert (position(api), position(api, HOME)) == (3, 1)
    second = git("rev-parse", "main")
    assert host.start(second).apply == 0
    assert (position(api), position(api, HOME)) == (3, 4)
    # Somebody runs the older jobs once more.
    older = host.start(first)
    assert older.plan == 2
    assert "which was applied already" in older.output
    assert (position(api), position(api, HOME)) == (3, 4)


def test_a_sync_between_plan_and_apply_is_in_nobodys_way(
    host: Host, git: Git, api: Sandbox, pushed: Callable[[str], None]
) -> None:
    pin(3)
    pushed("main")
    repinned(api, HOME, position=6)
    before = git("ls-remote", "origin", RECORD)
    assert host.start(git("rev-parse", "main"), then=host.sync).apply == 0
    assert position(api) == 3
    assert git("ls-remote", "origin", RECORD) != before
    assert git("ls-remote", "origin", "refs/heads/pins/live")


def test_after_a_forced_push_the_record_has_to_begin_anew(
    host: Host, git: Git, api: Sandbox, pushed: Callable[[str], None]
) -> None:
    pin(3)
    pushed("main")
    assert host.start(git("rev-parse", "main")).apply == 0
    git("commit", "--quiet", "--amend", "--message", "Another history")
    pin(4, "home", was=1)
    git("commit", "--quiet", "--all", "--message", "Another change")
    git("push", "--quiet", "--force", "origin", "main")
    sha = git("rev-parse", "main")
    before = count_writes(api)
    ended = host.start(sha)
    assert (ended.plan, ended.apply) == (2, None)
    assert "pinsync plan --reset-record" in " ".join(ended.output.split())
    # What the documentation says. The change that was lost on the way stays to be decided.
    (commands,) = blocks("reset", "console")
    run_commands(host.runner, commands)
    assert count_writes(api) == before
    assert host.start(sha).checksum == ""
    pin(5, was=3)
    pushed("main")
    assert host.start(git("rev-parse", "main")).apply == 0
    assert (position(api), position(api, HOME)) == (5, 1)


def run_commands(runner: Runner, commands: str) -> None:
    """Run the commands of a page in a person's new clone."""
    work = runner.folder / f"person-{len(list(runner.folder.iterdir()))}"
    script = (
        f"git clone --quiet '{runner.origin.as_uri()}' '{work}' && cd '{work}'\n"
        f"git fetch --quiet origin '+refs/pinsync/*:refs/pinsync/*'\n{commands}\n"
    )
    environ = {"PINSYNC_PRIVATE_KEY": KEY, "PINSYNC_TRACKER_ID": "1234-5678"}
    runner.run(script, runner.folder, environ, ["bash", "-e"], "a person")


def test_rules_that_people_changed_are_left_to_them(
    host: Host, git: Git, api: Sandbox, pushed: Callable[[str], None]
) -> None:
    pin(3)
    pin(4, "home", was=1)
    pushed("main")
    repinned(api, STRINGS)
    ended = host.start(git("rev-parse", "main"))
    assert ended.apply == host.left
    assert (position(api), position(api, HOME)) == (2, 4)
    if host.name == "github":
        assert "::warning::Some rules were left to people: the log says which." in ended.output
        assert "::warning::Some rules are left to people: the summary says" in ended.output
    else:
        assert gitlab_jobs(GITLAB)["pins-apply"]["job"]["allow_failure"] == {"exit_codes": 1}


def test_a_removed_rule_is_not_deleted(
    host: Host, git: Git, api: Sandbox, pushed: Callable[[str], None]
) -> None:
    path = Path("customizations/basket.yaml")
    text = path.read_text(encoding="utf-8")
    put(path, text[: text.index("  - id: b3e6e3c1")])
    pushed("main")
    ended = host.start(git("rev-parse", "main"))
    assert (ended.plan, ended.checksum) == (0, "")
    assert "--delete" in ended.output
    assert len(api.customizations()) == 3


def test_a_shop_that_changed_since_the_plan_is_not_touched(
    host: Host, git: Git, api: Sandbox, pushed: Callable[[str], None]
) -> None:
    pin(3)
    pushed("main")
    before = count_writes(api)
    sha = git("rev-parse", "main")
    ended = host.start(sha, then=lambda: repinned(api, STRINGS))
    assert (ended.plan, ended.apply, ended.kept) == (0, 4, [])
    assert "--expect: the plan now has the checksum" in ended.output
    assert count_writes(api) == before


def test_before_the_record_begins_the_job_says_how(
    runner: Runner, git: Git, api: Sandbox, pushed: Callable[[str], None]
) -> None:
    pin(3)
    pushed("main")
    for name in HOSTS:
        ended = Host(name, runner).start(git("rev-parse", "main"))
        assert (ended.plan, ended.apply) == (2, None)
        assert "`pinsync export` on the main line starts the record" in " ".join(
            ended.output.split()
        )
    assert count_writes(api) == 0


def refuse_records(runner: Runner) -> None:
    """Let the remote refuse the record of agreement from now on."""
    hook = '#!/bin/sh\ncase "$1" in refs/pinsync/*) echo refused; exit 1;; esac\n'
    put(runner.origin / "hooks" / "update", hook).chmod(0o755)


def test_a_remote_that_refuses_the_record_stops_the_apply(
    host: Host, git: Git, api: Sandbox, pushed: Callable[[str], None]
) -> None:
    pin(3)
    pushed("main")
    refuse_records(host.runner)
    before = count_writes(api)
    ended = host.start(git("rev-parse", "main"))
    assert ended.apply == 4
    assert "can't be pushed" in ended.output
    assert count_writes(api) == before


def test_a_shop_that_fails_in_the_middle_is_finished_by_the_next_run(
    host: Host, git: Git, api: Sandbox, pushed: Callable[[str], None]
) -> None:
    pin(3)
    pin(4, "home", was=1)
    pushed("main")
    sha = git("rev-parse", "main")
    api.fail(parse_fault("422:write=2"))
    ended = host.start(sha)
    assert ended.apply == 3
    assert ended.kept == ["backup", "journal"]
    assert [position(api), position(api, HOME)].count(2) + [position(api, HOME)].count(1) == 1
    # To start the apply alone once more isn't enough: its plan is another one now.
    before = count_writes(api)
    host.apply(sha, ended)
    assert ended.apply == 4
    assert count_writes(api) == before
    assert host.start(sha).apply == 0
    assert (position(api), position(api, HOME)) == (3, 4)


def test_a_write_without_an_answer_is_left_to_people(
    runner: Runner, git: Git, api: Sandbox, pushed: Callable[[str], None]
) -> None:
    run_sync(SYNC, runner)
    host = Host("github", runner)
    pin(3)
    pushed("main")
    api.fail(parse_fault("500:write=1"))
    sha = git("rev-parse", "main")
    assert host.start(sha).apply == 3
    # The answer has no date of the rule, so nobody can tell whether the write is on its way.
    again = host.start(sha)
    assert (again.plan, again.checksum) == (0, "")
    assert "an interrupted run may have written this already" in " ".join(again.output.split())
    # A person has looked at the rule, and decides.
    (commands,) = blocks("doubt", "console")
    run_commands(runner, f"{commands.rstrip().replace('ID', STRINGS)} --yes")
    assert position(api) == 3
    assert "begun" not in read_record(git)


def test_a_job_that_died_is_taken_over(
    host: Host, git: Git, api: Sandbox, pushed: Callable[[str], None], tmp_path: Path
) -> None:
    pin(3)
    pushed("main")
    sha = git("rev-parse", "main")
    api.fail(parse_fault("slow:3:write=1"))
    git("clone", "--quiet", host.runner.origin.as_uri(), str(tmp_path / "dying"))
    git("-C", str(tmp_path / "dying"), "fetch", "--quiet", "origin", f"+{RECORD}:{RECORD}")
    options = ("--yes", "--backup-dir", str(tmp_path / "lost"))
    command = [sys.executable, "-m", "pinsync", "-C", str(tmp_path / "dying"), "apply", *options]
    environ = {**os.environ, "PINSYNC_PRIVATE_KEY": KEY, "PINSYNC_TRACKER_ID": "1234-5678"}
    with subprocess.Popen(command, env=environ) as process:
        deadline = time.monotonic() + 20
        while "begun" not in read_record(git) or not count_writes(api):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.kill()
    ended = host.start(sha)
    assert ended.plan == 0
    time.sleep(3)
    assert position(api) == 3
    assert host.start(sha).checksum == ""


def test_a_person_goes_back_with_the_artifact_of_a_job(
    host: Host, git: Git, api: Sandbox, pushed: Callable[[str], None]
) -> None:
    pin(3)
    pushed("main")
    sha = git("rev-parse", "main")
    ended = host.start(sha)
    (backup,) = (path for path in ended.files if path.name.startswith("backup-1234-5678-"))
    (command,) = blocks("restore", "console")
    command = command.rstrip().replace("backup-1234-5678-TIME.json", f"{backup} --yes")
    run_commands(host.runner, command)
    assert position(api) == 2
    assert host.start(sha).checksum == ""


# What is switched on.


def test_nothing_runs_after_a_merge_unless_it_is_switched_on(
    runner: Runner, git: Git, api: Sandbox
) -> None:
    sha = git("rev-parse", "main")
    before = len(api.requests)
    for value in ("", "no", "true"):
        assert runner.job(APPLY, "plan", **push_event(sha, **{"vars.PINSYNC_APPLY": value})) == {}
        assert runner.job(APPLY, "apply") == {}
    branch = {"github.ref_name": "master"}
    assert runner.job(APPLY, "plan", **push_event(sha, **branch)) == {}
    by_hand = {"github.event_name": "workflow_dispatch"}
    assert runner.job(APPLY, "plan", **push_event(sha, **by_hand, **branch)) == {}
    assert (runner.calls, runner.output, len(api.requests)) == ([], "", before)


def test_a_person_may_start_the_jobs_by_hand(
    runner: Runner, git: Git, api: Sandbox, pushed: Callable[[str], None]
) -> None:
    run_sync(SYNC, runner)
    pin(3)
    pushed("main")
    by_hand = {"github.event_name": "workflow_dispatch", "vars.PINSYNC_APPLY": ""}
    runner.job(APPLY, "plan", **push_event(git("rev-parse", "main"), **by_hand))
    runner.job(APPLY, "apply")
    assert position(api) == 3


MAIN = {
    "CI_PIPELINE_SOURCE": "push",
    "CI_COMMIT_BRANCH": "main",
    "CI_DEFAULT_BRANCH": "main",
    "PINSYNC_PUSH_TOKEN": "a-token",
}


@pytest.mark.parametrize(
    ("variables", "merged", "applied"),
    [
        ({}, None, None),
        ({"PINSYNC_APPLY": "no"}, None, None),
        ({"PINSYNC_APPLY": "ask"}, "on_success", "manual"),
        ({"PINSYNC_APPLY": "yes"}, "on_success", "on_success"),
        ({"PINSYNC_APPLY": "yes", "CI_PIPELINE_SOURCE": "web"}, "on_success", "on_success"),
        ({"PINSYNC_APPLY": "yes", "CI_PIPELINE_SOURCE": "schedule"}, None, None),
        ({"PINSYNC_APPLY": "yes", "CI_COMMIT_BRANCH": "change"}, None, None),
        ({"PINSYNC_APPLY": "yes", "PINSYNC_PUSH_TOKEN": ""}, None, None),
        ({"PINSYNC_APPLY": "yes", "CI_PIPELINE_SOURCE": "merge_request_event"}, None, None),
    ],
)
def test_gitlabs_jobs_run_as_the_variables_say(
    variables: dict[str, str], merged: str | None, applied: str | None
) -> None:
    given = MAIN | variables
    assert find_rule(GITLAB, "pins-merged", given) == merged
    assert find_rule(GITLAB, "pins-apply", given) == applied


def test_an_environment_may_ask_and_one_job_runs_at_a_time() -> None:
    workflow = yaml.safe_load(APPLY.read_text(encoding="utf-8"))
    assert workflow["concurrency"] == {"group": "pins-apply", "cancel-in-progress": False}
    jobs = workflow["jobs"]
    assert [jobs[name].get("environment") for name in ("plan", "apply")] == [None, "pins-apply"]
    assert jobs["plan"]["permissions"] == {"contents": "read"}
    assert jobs["apply"]["permissions"] == {"contents": "write"}
    jobs = {name: found["job"] for name, found in gitlab_jobs(GITLAB).items()}
    assert jobs["pins-apply"]["environment"] == {"name": "pins-apply"}
    assert jobs["pins-apply"]["interruptible"] is False
    groups = {name for name, job in jobs.items() if job.get("resource_group") == "pins-record"}
    assert groups == {"pins-sync", "pins-apply"}


def test_the_plan_is_a_page(host: Host, git: Git, pushed: Callable[[str], None]) -> None:
    pin(3)
    pushed("main")
    host.plan(git("rev-parse", "main"))
    folder = host.runner.folder
    page = folder / "artifacts" / "pins-plan-page"
    if host.name == "gitlab":
        page = folder / "kept" / "pins-merged" / "plan.html"
    else:
        assert "from #2 to #3" in (folder / "summary").read_text(encoding="utf-8")
    assert "from #2 to #3" in parse_page(page.read_text(encoding="utf-8")).text


# Hosts that refuse the record.


def edit_for_no_record(folder: Path) -> Path:
    """Return a copy of the workflow with the changes that the documentation names."""
    text = APPLY.read_text(encoding="utf-8")
    page = PAGES["docs/how-to/custom-refs.md"]
    changes = {
        "      AFTER: ${{ github.sha }}\n": "      BEFORE: ${{ github.event.before }}\n",
        '"..$AFTER"': '"$BEFORE..$AFTER"',
        "--take-over": "--no-record",
    }
    for old, new in changes.items():
        assert f"`{new.strip()}`" in page
        assert text.count(old) == (1 if old == "--take-over" else 2)
        text = text.replace(old, old + new if old.startswith(" ") else new)
    return put(folder / APPLY.name, text)


def test_a_host_that_refuses_the_record_may_work_without_it(
    runner: Runner,
    git: Git,
    api: Sandbox,
    pushed: Callable[[str], None],
) -> None:
    workflow = edit_for_no_record(runner.folder / "edited")
    check_schema(workflow, "github-workflows")
    refuse_records(runner)
    for row in api._store.list_rows():
        row["updated_at"] = "2025-01-01T00:00:00Z"  # long before the merge
    before = git("rev-parse", "main")
    pin(3)
    home = Path("customizations/home.yaml")
    put(home, home.read_text(encoding="utf-8") + NEW)
    pushed("main")
    event = push_event(git("rev-parse", "main"), **{"github.event.before": before})
    assert runner.job(workflow, "plan", **event)["checksum"]
    assert runner.job(workflow, "apply") == {}
    assert position(api) == 3
    assert len(api.customizations()) == 3, "the rule that git added is left alone"
    assert git("ls-remote", "origin", "refs/pinsync/*") == ""


def test_the_probe_finds_out_whether_the_host_refuses_the_record(runner: Runner, git: Git) -> None:
    (probe,) = blocks("probe", "console")
    run_commands(runner, probe)
    assert git("ls-remote", "origin", "refs/pinsync/*") == ""
    refuse_records(runner)
    with pytest.raises(FailedError):
        run_commands(runner, probe)


def test_one_machine_applies_from_a_clone_without_a_remote(
    runner: Runner, api: Sandbox, pushed: Callable[[str], None]
) -> None:
    refuse_records(runner)
    machine = runner.folder / "machine"
    machine.mkdir()
    environ = {"PINSYNC_PRIVATE_KEY": KEY, "PINSYNC_TRACKER_ID": "1234-5678"}

    def run_block(mark: str, folder: Path) -> None:
        (text,) = blocks(mark, "console")
        # A person reads the plan, whose exit code is 1, and says yes.
        text = text.replace("ADDRESS", runner.origin.as_uri())
        text = text.replace("pinsync plan", "pinsync plan || true")
        text = text.replace("pinsync apply", "pinsync apply --yes")
        runner.run(text, folder, environ, ["bash", "-e"], "one machine")

    run_block("one machine", machine)
    for number in (3, 4):
        pin(number, was=number - 1)
        pushed("main")
        run_block("one machine, again", machine / "shop")
        assert position(api) == number
