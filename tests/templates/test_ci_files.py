"""The action, the examples and what ``init --ci`` writes: checked by schemas and linters, and run
as a runner does.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from pinsync import __version__
from pinsync.commands.init import CI
from pinsync.sandbox import Sandbox, parse_fault
from support.ci_files import (
    ACTION,
    CALENDAR,
    DRIFT,
    EXAMPLES,
    GITLAB,
    KEY,
    MARKER,
    MATRIX,
    PRE_COMMIT,
    PULL_REQUEST,
    RECORD,
    REVIEW,
    SCHEMAS,
    SYNC,
    TEMPLATES,
    WORKFLOWS,
    filters,
    jq,
    merge_request,
    move_pin,
    push_event,
    push_merge,
    run_on_gitlab,
    run_sync,
)
from support.exporting import HOME, HOME_TEXT, STRINGS, put, repinned, rows, untouched
from support.html_pages import parse_page
from support.icalendar_files import read_events
from support.pages import blocks
from support.paths import ROOT
from support.workflows import (
    COMMIT,
    FROM_FOLDER,
    FailedError,
    Runner,
    check_actions,
    check_schema,
    check_shell,
    gitlab_jobs,
    switch_on_pages,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.command_line import CommandLine, Git, Install


# The files themselves.


def test_the_examples_are_what_init_writes() -> None:
    written = {name for files in CI.values() for name in files.values()}
    assert {file.name for file in TEMPLATES.iterdir() if file.name.endswith(".yml")} == written
    for name in written:
        assert (EXAMPLES / name).read_bytes() == (TEMPLATES / name).read_bytes(), (
            f"cp pinsync/templates/{name} examples/"
        )


@pytest.mark.parametrize("file", SCHEMAS, ids=lambda file: file.name)
def test_a_file_is_valid_by_its_schema(file: Path) -> None:
    check_schema(file, SCHEMAS[file])


def test_the_linter_for_actions_finds_nothing() -> None:
    check_actions((*WORKFLOWS, ACTION))


def test_the_linter_for_shell_finds_nothing(tmp_path: Path) -> None:
    gitlab = switch_on_pages(GITLAB, tmp_path / "gitlab")
    assert check_shell((*WORKFLOWS, ACTION), gitlab, tmp_path) >= 34


def test_the_version_is_this_one() -> None:
    (repository,) = yaml.safe_load(PRE_COMMIT.read_text(encoding="utf-8"))["repos"]
    assert repository["rev"] == f"v{__version__}"


def test_the_hooks_named_exist() -> None:
    (repository,) = yaml.safe_load(PRE_COMMIT.read_text(encoding="utf-8"))["repos"]
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert {hook["id"] for hook in repository["hooks"]} == {hook["id"] for hook in hooks}


def test_a_stranger_meets_no_secret_and_no_right_to_write() -> None:
    text = yaml.safe_load(REVIEW.read_text(encoding="utf-8"))
    assert list(text[True]) == ["pull_request"]  # YAML 1.1 takes the key `on` for a boolean
    assert "secrets" not in REVIEW.read_text(encoding="utf-8").replace("secret and", "")
    assert text["permissions"] == {}
    for job in text["jobs"].values():
        reads = any(step.get("uses", "").startswith("actions/checkout@") for step in job["steps"])
        assert not reads or job["permissions"] == {"contents": "read"}


# Running them.


def test_drift_in_sync_says_nothing(runner: Runner) -> None:
    runner.job(DRIFT, "drift")
    assert runner.gh() == ["auth setup-git", "issue list"]
    assert runner.calls[0].argv == ["pipx", "install", runner.source]


def test_nothing_is_installed_or_asked_until_a_person_has_written_what_to_install(
    runner: Runner, api: Sandbox, git: Git, pushed: Callable[[str], None]
) -> None:
    pushed("change")
    before = len(api.requests)
    runner.source = ""
    runner.contexts["vars.PINSYNC_PUBLIC_CALENDAR"] = "yes"
    runner.contexts |= PULL_REQUEST | push_event(git("rev-parse", "main"))
    runner.contexts["needs.plan.outputs.checksum"] = "a-checksum"
    for workflow in WORKFLOWS:
        for job, steps in yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].items():
            if job not in ("comment", "publish"):  # which run nothing of pinsync
                with pytest.raises(FailedError) as caught:
                    runner.job(workflow, job)
                assert (caught.value.step, caught.value.code) == ("Install pinsync", 2)
                assert caught.value.output.startswith("::error::Write at PINSYNC, at the top of")
                (step,) = (step for step in steps["steps"] if step.get("name") == "Install pinsync")
                assert "env" not in step, "so that no key is handed to what is installed"
    gitlab = switch_on_pages(GITLAB, runner.folder / "gitlab")
    for name in gitlab_jobs(gitlab):
        with pytest.raises(FailedError) as caught:
            runner.gitlab(gitlab, name, PINSYNC_PRIVATE_KEY=KEY)
        assert caught.value.code == 2
        assert caught.value.output.startswith("Write at PINSYNC, at the top of the file")
    assert (runner.calls, len(api.requests)) == ([], before)


def test_what_can_not_be_installed_is_a_failure_and_no_news(runner: Runner) -> None:
    for name in ("pipx", "pip"):
        put(runner.folder / "bin" / name, "#!/bin/sh\necho no such version\nexit 1\n")
    for workflow, job in ((DRIFT, "drift"), (SYNC, "sync"), (REVIEW, "review")):
        with pytest.raises(FailedError) as caught:
            runner.job(workflow, job)
        assert caught.value.step == "Install pinsync"
    assert runner.gh() == []
    runner.answers["gh api --paginate"] = "99\n"
    runner.job(REVIEW, "comment", **PULL_REQUEST)
    assert "/comments/99" in runner.calls[-1].argv[5]
    assert (
        runner.calls[-1]
        .files["pins.md"]
        .startswith(f"{MARKER.rstrip()}\n### pinsync: no report\n\nThe review failed: ")
    )
    for name, resolved in gitlab_jobs(GITLAB).items():
        with pytest.raises(FailedError) as caught:
            run_on_gitlab(runner, name, PINSYNC_PRIVATE_KEY=KEY)
        assert caught.value.code not in (
            0,
            resolved["job"].get("allow_failure", {}).get("exit_codes"),
        )
        assert caught.value.output == "no such version\n"


def test_drift_opens_one_issue_and_keeps_it(runner: Runner, api: Sandbox) -> None:
    repinned(api, STRINGS)
    runner.job(DRIFT, "drift")
    assert runner.gh() == ["auth setup-git", "issue list", "label create", "issue create"]
    assert runner.calls[-1].files["drift.md"].startswith(MARKER)
    assert (
        runner.calls[-1].option("--label")
        == runner.calls[-2].argv[3]
        == runner.calls[-3].option("--label")
    )
    runner.answers["gh issue list"] = "7\n"
    runner.job(DRIFT, "drift")
    assert runner.calls[-1].argv[:6] == [
        "gh",
        "api",
        "--silent",
        "--method",
        "PATCH",
        "repos/shop/pins/issues/7",
    ]
    assert runner.calls[-1].files["drift.md"].startswith(MARKER)
    repinned(api, STRINGS, position=1)
    runner.job(DRIFT, "drift")
    assert runner.calls[-1].argv[:4] == ["gh", "issue", "close", "7"]
    assert KEY not in runner.output + str(runner.calls)


def test_the_step_of_the_documentation_lets_drift_fail_the_job_behind_the_issue(
    runner: Runner, api: Sandbox
) -> None:
    (step,) = blocks("step", "yaml")
    added = "".join(f"      {line}" for line in step.splitlines(keepends=True))
    workflow = put(runner.folder / DRIFT.name, f"{DRIFT.read_text(encoding='utf-8')}\n{added}")
    check_schema(workflow, "github-workflows")
    runner.job(workflow, "drift")
    repinned(api, STRINGS)
    with pytest.raises(FailedError) as caught:
        runner.job(workflow, "drift")
    assert (caught.value.step, caught.value.code) == ("Fail while there is drift", 1)
    assert runner.gh()[-1] == "issue create"


def test_drift_that_could_not_be_looked_for_is_a_failure_and_no_news(
    runner: Runner, api: Sandbox
) -> None:
    api.fail(parse_fault("html"))
    with pytest.raises(FailedError) as caught:
        runner.job(DRIFT, "drift")
    assert (caught.value.step, caught.value.code) == ("Look for drift", 3)
    assert runner.gh() == ["auth setup-git"]


def test_sync_opens_updates_and_closes_one_pull_request(
    runner: Runner, api: Sandbox, git: Git, pushed: Callable[[str], None]
) -> None:
    repinned(api, STRINGS)
    runner.job(SYNC, "sync")
    assert runner.gh() == ["auth setup-git", "pr list", "pr create"]
    assert "`basket`" in runner.calls[-1].files["pins.md"]
    assert runner.calls[-1].files["pins.md"].endswith("\n\nPinsync-Export: 1234-5678\n")
    assert runner.calls[-1].option("--head") == "pins/live"
    git("fetch", "--quiet", "origin")
    assert git("diff", "--stat", "main", "origin/pins/live").startswith(
        " customizations/basket.yaml"
    )

    put(Path("note.txt"), "The base branch has gone on.")  # so that the branch has to be built anew
    pushed("main")
    repinned(api, HOME)
    runner.answers["gh pr list"] = "12\n"
    runner.job(SYNC, "sync")
    assert runner.calls[-1].argv[:6] == [
        "gh",
        "api",
        "--silent",
        "--method",
        "PATCH",
        "repos/shop/pins/pulls/12",
    ]
    assert "`home`" in runner.calls[-1].files["pins.md"]
    assert "\nPinsync-Export: 1234-5678\n" in runner.calls[-1].files["pins.md"]
    git("fetch", "--quiet", "origin")
    assert git("log", "--format=%s", "main..origin/pins/live").count("\n") == 0
    assert "home.yaml" in git("diff", "--stat", "main", "origin/pins/live")

    repinned(api, STRINGS, position=1)
    repinned(api, HOME, position=1)
    runner.job(SYNC, "sync")
    assert runner.calls[-1].argv[:4] == ["gh", "pr", "close", "12"]
    assert git("ls-remote", "origin", "refs/heads/pins/live") == ""
    runner.answers.clear()
    runner.job(SYNC, "sync")
    assert runner.gh()[-1] == "pr list"
    repinned(api, STRINGS)
    runner.job(SYNC, "sync")
    assert runner.gh()[-1] == "pr create"
    assert git("ls-remote", "origin", "refs/heads/pins/live")
    assert KEY not in runner.output + str(runner.calls)


@pytest.mark.parametrize("host", [SYNC, GITLAB], ids=lambda file: file.name)
def test_a_merged_branch_is_deleted_and_made_again(
    host: Path, runner: Runner, api: Sandbox, git: Git
) -> None:
    def sync() -> str:
        if host == SYNC:
            runner.job(SYNC, "sync")
        else:
            run_on_gitlab(runner, "pins-sync", PINSYNC_PRIVATE_KEY=KEY)
        git("fetch", "--quiet", "--prune", "origin")
        return git("for-each-ref", "--format=%(refname)", "refs/remotes/origin/pins")

    git("-C", str(runner.origin), "tag", "pins/live")
    repinned(api, STRINGS)
    assert sync()
    git("merge", "--quiet", "--no-ff", "-m", "Merge", "origin/pins/live")
    git("push", "--quiet", "origin", "main")
    assert sync() == ""
    assert sync() == ""
    repinned(api, HOME)
    assert sync()
    assert git("log", "--format=%s", "main..origin/pins/live") == "Export pins: 1 changed"


@pytest.mark.parametrize("host", [SYNC, GITLAB], ids=lambda file: file.name)
def test_sync_shares_the_record_and_reverts_no_merged_change(
    host: Path, runner: Runner, api: Sandbox, git: Git, pushed: Callable[[str], None]
) -> None:
    assert git("ls-remote", "origin", "refs/pinsync/*") == ""
    run_sync(host, runner)
    first = git("ls-remote", "origin", RECORD)
    assert first.endswith(RECORD)
    run_sync(host, runner)
    assert git("ls-remote", "origin", RECORD) == first
    # A merged change, and an edit in the shop.
    move_pin()
    pushed("main")
    repinned(api, HOME)
    run_sync(host, runner)
    assert git("ls-remote", "origin", RECORD) != first
    git("fetch", "--quiet", "origin")
    names = git("diff", "--name-only", "main", "origin/pins/live").splitlines()
    assert names == ["customizations/home.yaml"]
    # The merge of the proposal moves the record's entry, and closes the proposal.
    git("merge", "--quiet", "--squash", "origin/pins/live")
    git("commit", "--quiet", "-m", "Take it")
    git("push", "--quiet", "origin", "main")
    repinned(api, HOME, position=1)
    report = " ".join(find_drift(host, runner).split())
    assert "1 changed in the shop; 1 changed in git" in report
    assert "couldn't be" not in runner.output


def find_drift(host: Path, runner: Runner) -> str:
    """Run the drift job of a code host, which finds drift; return its report."""
    if host == SYNC:
        runner.job(DRIFT, "drift")
        return runner.calls[-1].files["drift.md"]
    with pytest.raises(FailedError) as caught:
        run_on_gitlab(runner, "pins-drift", PINSYNC_PRIVATE_KEY=KEY)
    assert caught.value.code == 1
    return runner.output


@pytest.mark.parametrize("host", [SYNC, GITLAB], ids=lambda file: file.name)
def test_a_host_that_refuses_the_record_leaves_the_job_green(
    host: Path, runner: Runner, api: Sandbox, git: Git
) -> None:
    hook = '#!/bin/sh\ncase "$1" in refs/pinsync/*) echo refused; exit 1;; esac\n'
    put(runner.origin / "hooks" / "update", hook).chmod(0o755)
    repinned(api, STRINGS)
    run_sync(host, runner)
    assert "The record of agreement couldn't be pushed" in runner.output
    assert git("ls-remote", "origin", "refs/heads/pins/live")
    assert git("ls-remote", "origin", "refs/pinsync/*") == ""


@pytest.mark.parametrize("host", [SYNC, GITLAB], ids=lambda file: file.name)
def test_a_persons_branch_that_points_at_head_stays(host: Path, runner: Runner, git: Git) -> None:
    git("push", "--quiet", "origin", "main:refs/heads/pins/live")
    if host == SYNC:
        runner.job(SYNC, "sync")
        assert runner.gh() == ["auth setup-git", "pr list"]
    else:
        run_on_gitlab(runner, "pins-sync", PINSYNC_PRIVATE_KEY=KEY)
    assert git("ls-remote", "origin", "refs/heads/pins/live").startswith(git("rev-parse", "main"))


def test_sync_leaves_a_branch_of_a_person_alone(
    runner: Runner, api: Sandbox, git: Git, pushed: Callable[[str], None]
) -> None:
    pushed("pins/live")
    theirs = git("rev-parse", "pins/live")
    repinned(api, STRINGS)
    with pytest.raises(FailedError) as caught:
        runner.job(SYNC, "sync")
    assert caught.value.code == 4
    assert git("ls-remote", "origin", "refs/heads/pins/live").startswith(theirs)


def reviewed(runner: Runner, git: Git, checkout: str = "merge", **contexts: str) -> None:
    """Run the review of the branch ``change``, by default as merged, and then the job that
    comments.
    """
    push_merge(git)
    runner.ref = checkout
    event = {
        "github.event.pull_request.base.ref": "main",
        "github.event.pull_request.head.sha": git("rev-parse", "change"),
    }
    try:
        runner.job(REVIEW, "review", **(PULL_REQUEST | event | contexts))
    finally:
        runner.job(REVIEW, "comment")


@pytest.fixture(params=["left behind", "merged main into itself"])
def outdated(
    request: pytest.FixtureRequest, runner: Runner, git: Git, pushed: Callable[[str], None]
) -> None:
    """The branch ``change`` moves a pin of the basket; the main branch has moved one of the
    homepage since.
    """
    assert runner.origin.is_dir()
    move_pin()
    pushed("change")
    put(Path("customizations/home.yaml"), HOME_TEXT.replace("position: 1", "position: 4"))
    pushed("main")
    if request.param == "merged main into itself":
        git("checkout", "--quiet", "change")
        git("merge", "--quiet", "-m", "Follow", "main")
        git("push", "--quiet", "origin", "change")
        git("checkout", "--quiet", "main")
        put(Path("customizations/home.yaml"), HOME_TEXT.replace("position: 1", "position: 5"))
        pushed("main")


@pytest.mark.usefixtures("outdated")
@pytest.mark.parametrize("checkout", ["merge", "change"])
def test_review_reports_no_change_of_the_main_branch(
    checkout: str, runner: Runner, git: Git
) -> None:
    reviewed(runner, git, checkout)
    report = runner.calls[-1].files["pins.md"]
    assert ("from #2 to #3" in report, "`basket`" in report, "`home`" in report) == (
        True,
        True,
        False,
    )


def test_review_comments_once_and_then_keeps_the_comment(
    runner: Runner, git: Git, pushed: Callable[[str], None]
) -> None:
    move_pin()
    pushed("change")
    reviewed(runner, git)
    assert runner.gh() == ["api --paginate", "pr comment"]
    assert runner.calls[-1].argv[3] == "5"
    assert runner.calls[-1].files["pins.md"].startswith(MARKER)
    assert "from #2 to #3" in runner.calls[-1].files["pins.md"]
    runner.answers["gh api"] = runner.answers["gh api --paginate"] = "99\n100\n"
    reviewed(runner, git)
    call = runner.calls[-1]
    assert call.argv[1:5] == ["api", "--silent", "--method", "PATCH"]
    assert call.argv[5:] == ["repos/shop/pins/issues/comments/99", "--field", "body=@pins.md"]
    assert "from #2 to #3" in call.files["pins.md"]


def test_review_of_a_change_elsewhere_says_nothing(
    runner: Runner, git: Git, pushed: Callable[[str], None]
) -> None:
    put(Path("note.txt"), "Nothing that a shopper sees.")
    pushed("change")
    reviewed(runner, git)
    assert runner.gh() == ["api --paginate"]


def test_review_of_a_file_that_is_not_in_order_fails_and_still_comments(
    runner: Runner, git: Git, pushed: Callable[[str], None]
) -> None:
    path = put(Path("customizations/basket.yaml"), Path("customizations/basket.yaml").read_bytes())
    path.write_text(
        path.read_text(encoding="utf-8").replace("position: 2", "position: -9"), encoding="utf-8"
    )
    pushed("change")
    with pytest.raises(FailedError) as caught:
        reviewed(runner, git)
    assert (caught.value.step, caught.value.code) == ("Check the files", 1)
    assert "customizations/basket.yaml" in caught.value.output
    assert runner.gh() == ["api --paginate", "pr comment"]


def test_review_of_a_file_that_can_not_be_read_names_its_line_and_replaces_the_comment(
    runner: Runner, git: Git, pushed: Callable[[str], None]
) -> None:
    put(Path("customizations/basket.yaml"), "format: 1\nmodel: [\n")
    pushed("change")
    runner.answers["gh api --paginate"] = "99\n"
    with pytest.raises(FailedError) as caught:
        reviewed(runner, git)
    assert (caught.value.step, caught.value.code) == ("Report what changes", 2)
    for rule in ("drift-incomplete", "syntax"):
        assert re.search(
            rf"::error file=customizations/basket.yaml,line=3,col=1,title=pinsync {rule}::",
            runner.output,
        )
    assert runner.gh() == ["api --paginate", "api --silent"]
    assert (
        "**INCOMPLETE:** 1 of 1 tracker could not be compared" in runner.calls[-1].files["pins.md"]
    )


def test_gitlabs_review_of_a_file_that_can_not_be_read_names_its_line(
    runner: Runner, git: Git, pushed: Callable[[str], None]
) -> None:
    put(Path("customizations/basket.yaml"), "format: 1\nmodel: [\n")
    pushed("change")
    with pytest.raises(FailedError):
        run_on_gitlab(runner, "pins-review", "change", **merge_request(git))
    (work,) = runner.folder.glob("pins-review-*")
    for report in ("pins.json", "files.json"):
        (issue,) = json.loads((work / report).read_text(encoding="utf-8"))
        assert issue["location"] == {"path": "customizations/basket.yaml", "lines": {"begin": 3}}


def test_review_writes_through_no_link_of_a_stranger(
    runner: Runner, git: Git, pushed: Callable[[str], None], tmp_path: Path
) -> None:
    theirs = put(tmp_path / "outside", "theirs")
    move_pin()
    Path("pins.md").symlink_to(theirs)
    pushed("change")
    reviewed(runner, git)
    assert runner.calls[-1].files["pins.md"].startswith(MARKER)
    with pytest.raises(FailedError) as caught:
        run_on_gitlab(runner, "pins-review", "change", **merge_request(git))
    assert (caught.value.code, "would follow the symbolic link pins.md" in caught.value.output) == (
        2,
        True,
    )
    assert theirs.read_text(encoding="utf-8") == "theirs"


@pytest.mark.parametrize(
    "stranger",
    [
        {"github.event.pull_request.head.repo.full_name": "stranger/pins"},
        {"github.event.pull_request.user.login": "dependabot[bot]"},
    ],
)
def test_review_leaves_comments_to_who_may_write_them(
    stranger: dict[str, str], runner: Runner, git: Git, pushed: Callable[[str], None]
) -> None:
    move_pin()
    pushed("change")
    reviewed(runner, git, **stranger)
    assert runner.gh() == []
    assert "from #2 to #3" in runner.output
    assert "from #2 to #3" in (runner.folder / "summary").read_text(encoding="utf-8")


def test_the_matrix_checks_each_tracker_with_its_own_key(
    runner: Runner, pushed: Callable[[str], None], api: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PINSYNC_HOST")
    monkeypatch.setenv("PINSYNC_ALLOW_HOST", "127.0.0.1")
    for file in Path("customizations").glob("*.yaml"):
        put(Path("customizations", "shop-sk", file.name), file.read_bytes())
        file.unlink()
    with Sandbox(rows(), seed=2, tracker_id="8765-4321", private_key="another-key") as other:
        shops = {"sk": api, "cz": other}
        tracker = "  shop-{}: {{tracker_id: {}, private_key_env: {}, hosts: ['{}']}}\n"
        lines = [
            tracker.format(name, shop.tracker_id, f"KEY_{name.upper()}", shop.url)
            for name, shop in shops.items()
        ]
        put(Path("pinsync.yaml"), f"trackers:\n{''.join(lines)}")
        pushed("main")
        matrix = json.loads(runner.job(MATRIX, "trackers")["matrix"])
        assert [entry["tracker"] for entry in matrix["include"]] == ["shop-sk", "shop-cz"]
        runner.contexts |= {
            f"secrets.KEY_{name.upper()}": shop.private_key for name, shop in shops.items()
        }
        sk, cz = (
            {f"matrix.{name}": value for name, value in entry.items()}
            for entry in matrix["include"]
        )
        runner.job(MATRIX, "drift", **sk)
        assert (len(api.requests), len(other.requests)) == (2, 0)  # the fixture's export, and this
        with pytest.raises(FailedError) as caught:
            runner.job(MATRIX, "drift", **cz)
    assert caught.value.code == 1
    assert (len(api.requests), len(other.requests)) == (2, 1)


@pytest.mark.parametrize("host", ["github", "gitlab"])
def test_no_file_is_taken_for_a_revision(
    host: str, runner: Runner, api: Sandbox, git: Git, pushed: Callable[[str], None]
) -> None:
    put(Path("pins/live"), "A file with the name of the branch.")
    pushed("main")
    base = git("rev-parse", "main")
    for name in ("origin/main", "origin/main...HEAD", f"{base}...HEAD", f"{base}..HEAD"):
        put(Path(name), "A file that is named as a revision or a range could be.")
    move_pin()
    pushed("change")
    repinned(api, HOME)
    if host == "github":
        runner.job(SYNC, "sync")
        assert "`home`" in runner.calls[-1].files["pins.md"]
        for checkout in ("merge", "change"):
            reviewed(runner, git, checkout)
            assert "from #2 to #3" in runner.calls[-1].files["pins.md"]
    else:
        run_on_gitlab(runner, "pins-sync", PINSYNC_PRIVATE_KEY=KEY)
        run_on_gitlab(runner, "pins-review", "change", **merge_request(git))
        assert "from #2 to #3" in runner.output
    assert git("ls-remote", "origin", "refs/heads/pins/live")


def test_what_others_wrote_is_not_taken_for_ours() -> None:
    (issues,), (pulls,), (comments,) = map(filters, (DRIFT, SYNC, REVIEW))
    (either,) = filters(ACTION)
    assert "--app github-actions --label pins-drift" in DRIFT.read_text(encoding="utf-8")
    if not shutil.which("jq"):
        pytest.skip("needs jq, whose language gh understands")
    assert [jq(issues, []), jq(issues, [{"number": 3}, {"number": 2}])] == ["", "3\n"]
    theirs, ours = (
        {"number": 1, "isCrossRepository": True},
        {"number": 2, "isCrossRepository": False},
    )
    assert [jq(pulls, []), jq(pulls, [theirs]), jq(pulls, [theirs, ours])] == ["", "", "2\n"]
    bot = {"login": "github-actions[bot]"}
    data = [
        {"id": 1, "user": {"login": "eve"}, "body": MARKER},
        {"id": 2, "user": bot, "body": f"Quoting {MARKER}"},
        {"id": 3, "user": bot, "body": f"{MARKER}### pinsync"},
    ]
    assert jq(comments, data) == jq(either, data, MARKER=MARKER.rstrip()) == "3\n"
    data.append({"id": 4, "user": bot, "body": "<!-- pinsync plan -->\n### pinsync"})
    assert jq(either, data, MARKER="<!-- pinsync plan -->") == "4\n"


# The action.


def acted(runner: Runner, work: Path, **inputs: str) -> int:
    """Run the action in a folder; return its exit code."""
    text = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    given = {
        name: inputs.get(name, str(value.get("default", "")))
        for name, value in text["inputs"].items()
    }
    assert inputs.keys() <= given.keys()
    runner.contexts |= {f"inputs.{name}": value for name, value in given.items()}
    runner.contexts |= {"github.action_path": str(ROOT)}
    environ = {"PINSYNC_PRIVATE_KEY": KEY, "PINSYNC_TRACKER_ID": "1234-5678"}
    try:
        runner.steps(
            text["runs"]["steps"],
            work,
            environ,
            ["bash", "--noprofile", "--norc", "-eo", "pipefail"],
        )
    except FailedError as error:
        return error.code
    finally:
        runner.end_action("run")
    return 0


def installed(runner: Runner) -> list[str]:
    return [call.argv[-1] for call in runner.calls if "install" in call.argv]


def test_the_action_installs_itself_and_passes_the_exit_code_on(
    runner: Runner,
    repository: Path,
    api: Sandbox,
) -> None:
    assert acted(runner, repository) == 0
    repinned(api, STRINGS)
    assert acted(runner, repository) == 1
    assert acted(runner, repository, arguments="--fail-on\nnever --format json\n") == 0
    assert '"drift": true' in runner.output
    api.fail(parse_fault("html"))
    assert acted(runner, repository) == 3
    assert installed(runner) == [str(ROOT)] * 4


def test_the_action_shares_the_record_of_agreement(
    runner: Runner, git: Git, api: Sandbox, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        git("clone", "--quiet", runner.origin.as_uri(), str(tmp_path / name))
    assert acted(runner, tmp_path / "one", command="export") == 0
    assert git("ls-remote", "origin", RECORD)
    # Another clone gets the record.
    repinned(api, STRINGS)
    assert acted(runner, tmp_path / "two", arguments="--format json") == 1
    assert '"moved": "shop"' in runner.output
    assert git("-C", str(tmp_path / "two"), "rev-parse", RECORD)
    put(runner.origin / "hooks" / "update", "#!/bin/sh\nexit 1\n").chmod(0o755)
    assert acted(runner, tmp_path / "two", command="export") == 0
    assert "couldn't be pushed" in runner.output


def test_the_actions_inputs_are_data(runner: Runner, repository: Path) -> None:
    text = """$(touch a) ; touch b & `touch c` " touch d ' touch e | * ${PATH} \\"""
    with untouched(repository):
        assert acted(runner, repository, arguments=f"--model {text}", comment=text) == 2
        assert acted(runner, repository, command=text) == 2
    assert installed(runner) == [str(ROOT)] * 2
    assert "expected FROM and TO" in runner.output
    assert f"no such command {text!r}" in runner.output


@pytest.mark.usefixtures("outdated")
def test_the_action_reviews_a_pull_request(runner: Runner, git: Git, tmp_path: Path) -> None:
    push_merge(git)
    work = tmp_path / "merge"
    git("clone", "--quiet", "--depth=2", "--branch=merge", runner.origin.as_uri(), str(work))
    runner.contexts |= PULL_REQUEST
    assert acted(runner, work, arguments="HEAD^1 HEAD --format github", comment="true") == 1
    (report,) = runner.calls[-1].files.values()
    assert ("from #2 to #3" in report, "`basket`" in report, "`home`" in report) == (
        True,
        True,
        False,
    )


def test_the_action_keeps_one_comment(runner: Runner, repository: Path, api: Sandbox) -> None:
    runner.contexts |= PULL_REQUEST
    assert acted(runner, repository, comment="true") == 0
    assert runner.gh() == ["api --paginate"]
    repinned(api, STRINGS)
    assert acted(runner, repository, comment="true") == 1
    assert runner.gh()[1:] == ["api --paginate", "pr comment"]
    (text,) = runner.calls[-1].files.values()
    assert text.startswith(MARKER)
    runner.answers["gh api --paginate"] = "99\n"
    assert acted(runner, repository, comment="true") == 1
    assert "repos/shop/pins/issues/comments/99" in runner.calls[-1].argv
    before = len(runner.gh())
    api.fail(parse_fault("html"))
    assert acted(runner, repository, comment="true") == 3
    assert acted(runner, repository, command="export", comment="true") == 2
    runner.contexts["github.event.pull_request.head.repo.full_name"] = "stranger/pins"
    assert acted(runner, repository, comment="true") == 1
    assert len(runner.gh()) == before
    runner.contexts |= PULL_REQUEST
    put(repository / "customizations/basket.yaml", "format: 1\nmodel: [\n")
    assert acted(runner, repository, arguments="HEAD @worktree", comment="true") == 2
    (text,) = runner.calls[-1].files.values()
    assert "**INCOMPLETE:**" in text
    assert KEY not in runner.output + str(runner.calls)


def test_the_actions_plan_is_a_comment_and_a_checksum(
    runner: Runner, repository: Path, api: Sandbox, git: Git
) -> None:
    runner.contexts |= PULL_REQUEST
    run_sync(SYNC, runner)
    before = len(runner.gh())
    assert acted(runner, repository, command="plan", comment="true") == 0
    assert runner.gh()[before:] == ["api --paginate"]
    move_pin()
    git("commit", "--quiet", "--all", "--message", "Change")
    assert acted(runner, repository, command="plan", comment="true") == 0
    assert runner.gh()[before:] == ["api --paginate", "api --paginate", "pr comment"]
    (text,) = runner.calls[-1].files.values()
    assert text.startswith("<!-- pinsync plan -->\n")
    checksum = runner.outcome["checksum"]
    assert f"Checksum of the plan: {checksum}" in text
    assert runner.outcome["exit-code"] == "1"
    # A rule that would be left alone is told, too.
    repinned(api, STRINGS)
    assert acted(runner, repository, command="plan", comment="true") == 0
    assert runner.gh()[-1] == "pr comment"
    assert "checksum" not in runner.outcome


def test_the_actions_apply_gives_the_shop_what_was_planned(
    runner: Runner, api: Sandbox, git: Git, pushed: Callable[[str], None], tmp_path: Path
) -> None:
    (text,) = blocks("apply action", "yaml")
    jobs = yaml.safe_load(text)["jobs"]
    plan, apply = (job["steps"][-1]["with"] for job in jobs.values())
    run_sync(SYNC, runner)
    home = Path("customizations/home.yaml")
    put(home, home.read_text(encoding="utf-8").replace("position: 1", "position: 4"))
    move_pin()
    pushed("main")
    repinned(api, STRINGS)
    for name in ("plan", "apply"):
        git("clone", "--quiet", runner.origin.as_uri(), str(tmp_path / name))
    runner.contexts["github.sha"] = git("rev-parse", "main")

    def act(name: str, inputs: dict[str, str]) -> int:
        given = {key: runner.resolved(value) for key, value in inputs.items()}
        return acted(runner, tmp_path / name, **given)

    assert act("plan", plan) == 0
    (output,) = jobs["plan"]["outputs"].values()
    assert output == "${{ steps.plan.outputs.checksum }}"
    runner.contexts["needs.plan.outputs.checksum"] = runner.outcome["checksum"]
    assert act("apply", apply) == 0
    assert runner.outcome["exit-code"] == "1"
    assert "::warning::Some rules were left to people" in runner.output
    assert api.get(HOME)["pin_definitions"][0]["position"] == 4
    assert len(list((tmp_path / "apply" / "kept").glob("*.json*"))) == 2
    assert act("apply", apply) == 4


# GitLab.


def test_gitlab_reviews_a_merge_request(
    runner: Runner, git: Git, pushed: Callable[[str], None]
) -> None:
    move_pin()
    pushed("change")
    work = run_on_gitlab(runner, "pins-review", "change", **merge_request(git))
    assert (work / "pins.md").read_text(encoding="utf-8").startswith(MARKER)
    reports = gitlab_jobs(GITLAB)["pins-review"]["job"]["artifacts"]["reports"]["codequality"]
    (change, *_), findings = (
        json.loads((work / report).read_text(encoding="utf-8")) for report in reports
    )
    assert change["location"]["path"] == "customizations/basket.yaml"
    assert findings == []
    assert runner.calls[0].argv[-1] == runner.source


@pytest.mark.usefixtures("outdated")
@pytest.mark.parametrize("checkout", ["merge", "change"])
def test_gitlabs_review_reports_no_change_of_the_main_branch(
    checkout: str, runner: Runner, git: Git
) -> None:
    push_merge(git)
    target = git("rev-parse", "main") if checkout == "merge" else ""
    work = run_on_gitlab(runner, "pins-review", checkout, **merge_request(git, target))
    report = (work / "pins.md").read_text(encoding="utf-8")
    assert ("from #2 to #3" in report, "`basket`" in report, "`home`" in report) == (
        True,
        True,
        False,
    )


def test_gitlab_warns_of_drift_and_fails_otherwise(runner: Runner, api: Sandbox) -> None:
    assert gitlab_jobs(GITLAB)["pins-drift"]["job"]["allow_failure"] == {"exit_codes": 1}
    run_on_gitlab(runner, "pins-drift", PINSYNC_PRIVATE_KEY=KEY)
    repinned(api, STRINGS)
    for code, key in ((1, KEY), (3, "another")):
        with pytest.raises(FailedError) as caught:
            run_on_gitlab(runner, "pins-drift", PINSYNC_PRIVATE_KEY=key)
        assert caught.value.code == code


def test_gitlab_keeps_one_merge_request_open(runner: Runner, api: Sandbox, git: Git) -> None:
    run_on_gitlab(runner, "pins-sync", PINSYNC_PRIVATE_KEY=KEY)
    assert "Nothing is left to propose" in runner.output
    for identifier in (STRINGS, HOME):
        repinned(api, identifier)
        run_on_gitlab(runner, "pins-sync", PINSYNC_PRIVATE_KEY=KEY)
    git("fetch", "--quiet", "origin")
    assert git("diff", "--name-only", "main", "origin/pins/live").split() == [
        "customizations/basket.yaml",
        "customizations/home.yaml",
    ]
    assert (
        git("log", "--format=%an <%ae>", "main..origin/pins/live")
        == "pinsync <pinsync@gitlab.example>"
    )
    for identifier in (STRINGS, HOME):
        repinned(api, identifier, position=1)
    run_on_gitlab(runner, "pins-sync", PINSYNC_PRIVATE_KEY=KEY)
    assert git("ls-remote", "origin", "refs/heads/pins/live") == ""


def test_gitlab_puts_the_line_of_the_export_into_the_description(
    runner: Runner, api: Sandbox, tmp_path: Path
) -> None:
    hook = tmp_path / "origin.git" / "hooks" / "pre-receive"
    seen = tmp_path / "options.txt"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION_ > '{seen}'\n")
    hook.chmod(0o755)
    repinned(api, STRINGS)
    run_on_gitlab(runner, "pins-sync", PINSYNC_PRIVATE_KEY=KEY)
    description = r"merge_request.description=Pinsync-Export: 1234-5678\n"
    assert description in [line.partition("=")[2] for line in seen.read_text().splitlines()]


# init --ci


@pytest.mark.parametrize("host", CI)
def test_init_writes_the_files_and_a_second_time_refuses(
    host: str, repository: Path, pinsync: CommandLine, install: Install
) -> None:
    install(FROM_FOLDER)
    result = pinsync("init", "--ci", host)
    assert result.code == 0
    for name, template in CI[host].items():
        assert (repository / name).read_bytes() == (TEMPLATES / template).read_bytes()
        assert name in result.err
    assert (repository / "pinsync.yaml").exists()
    with untouched(repository):
        result = pinsync("init", "--ci", host)
    assert result.code == 2
    assert "is there already, and nothing was changed" in result.err


def test_init_adds_ci_to_what_is_configured(repository: Path, pinsync: CommandLine) -> None:
    assert pinsync("init", "--tracker-id", "1234-5678").code == 0
    before = (repository / "pinsync.yaml").read_bytes()
    with untouched(repository):
        assert pinsync("init", "--ci", "github", "--tracker-id", "9").code == 2
    assert pinsync("init", "--ci", "github").code == 0
    assert (repository / "pinsync.yaml").read_bytes() == before


@pytest.mark.parametrize(
    "obstacle",
    [
        lambda: put(Path(".github/workflows/pins-review.yml"), "on: push\n"),
        lambda: Path(".github").symlink_to("elsewhere"),
        lambda: put(Path(".github"), "a file"),
        lambda: Path(".gitattributes").symlink_to("elsewhere"),
    ],
)
def test_init_writes_nothing_where_one_file_can_not_be(
    obstacle: Callable[[], object], repository: Path, pinsync: CommandLine
) -> None:
    obstacle()
    names = sorted(repository.rglob("*"))
    with untouched(repository):
        assert pinsync("init", "--ci", "github").code == 2
    assert sorted(repository.rglob("*")) == names


def test_init_puts_ci_at_the_root_only(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "shop").mkdir()
    monkeypatch.chdir(repository / "shop")
    with untouched(repository):
        result = pinsync("init", "--ci", "gitlab")
    assert (result.code, str(repository) in result.err) == (2, True)


def test_init_suggests_a_host(pinsync: CommandLine) -> None:
    result = pinsync("init", "--ci", "gitlub")
    assert result.code == 2
    assert 'did you mean "github" or "gitlab"?' in result.err


# The page.


def test_drift_is_a_page_that_the_summary_names(runner: Runner, api: Sandbox) -> None:
    page = runner.folder / "artifacts" / "pins-page"
    runner.job(DRIFT, "drift")
    assert not page.exists()
    repinned(api, STRINGS)
    runner.job(DRIFT, "drift")
    shown = parse_page(page.read_text(encoding="utf-8"))
    assert "#7" in shown.text
    base = f"https://github.example/shop/pins/blob/{COMMIT}/customizations/basket.yaml#L"
    assert any(address.startswith(base) for address in shown.addresses)
    summary = (runner.folder / "summary").read_text(encoding="utf-8")
    assert "[The report as a page](https://github.example/artifacts/pins-page), " in summary


def test_a_review_is_a_page_that_the_summary_names(
    runner: Runner, git: Git, pushed: Callable[[str], None]
) -> None:
    move_pin()
    pushed("change")
    reviewed(runner, git)
    shown = parse_page((runner.folder / "artifacts" / "pins-page").read_text(encoding="utf-8"))
    assert "from #2 to #3" in shown.text
    main = git("rev-parse", "main")
    base = f"https://github.example/shop/pins/blob/{main}/customizations/basket.yaml#L"
    assert any(address.startswith(base) for address in shown.addresses)
    summary = (runner.folder / "summary").read_text(encoding="utf-8")
    assert "[The report as a page](https://github.example/artifacts/pins-page), " in summary
    # The comment is made from the other artifact.
    assert runner.calls[-1].files["pins.md"].startswith(MARKER)


def test_gitlabs_jobs_keep_a_page_and_name_it(
    runner: Runner, api: Sandbox, git: Git, pushed: Callable[[str], None]
) -> None:
    move_pin()
    pushed("change")
    work = run_on_gitlab(runner, "pins-review", "change", **merge_request(git))
    assert "from #2 to #3" in parse_page((work / "pins.html").read_text(encoding="utf-8")).text
    artifacts = gitlab_jobs(GITLAB)["pins-review"]["job"]["artifacts"]
    assert artifacts["expose_as"]
    repinned(api, STRINGS)
    with pytest.raises(FailedError) as caught:
        run_on_gitlab(runner, "pins-drift", PINSYNC_PRIVATE_KEY=KEY)
    assert caught.value.code == 1
    (work,) = runner.folder.glob("pins-drift-*")
    shown = parse_page((work / "pins.html").read_text(encoding="utf-8"))
    base = f"https://gitlab.example/shop/pins/-/blob/{COMMIT}/customizations/basket.yaml#L"
    assert any(address.startswith(base) for address in shown.addresses)
    for job in ("pins-review", "pins-drift"):
        assert "pins.html" in gitlab_jobs(GITLAB)[job]["job"]["artifacts"]["paths"]
    line = (
        "The report as a page: https://gitlab.example/shop/pins/-/jobs/7/artifacts/file/pins.html"
    )
    assert runner.output.count(line) == 2


# The calendar.

PUBLIC = "public address makes campaigns public"


@pytest.fixture
def dated(runner: Runner, git: Git) -> str:
    """A pin with dates on the main branch; the date of its commit, after which another file was
    committed.
    """
    assert runner.origin.is_dir()
    path = Path("customizations/home.yaml")
    window = ('active_from: "2020-01-01T00:00:00Z"', 'active_to: "2099-12-31T23:00:00Z"')
    lines = "".join(f"        {end}\n" for end in window)
    path.write_text(path.read_text(encoding="utf-8") + lines, encoding="utf-8")
    git("commit", "--quiet", "--all", "-m", "Campaign", "--date", "2026-11-03T09:30:15+01:00")
    put(Path("note.txt"), "More")
    git("add", ".")
    git("commit", "--quiet", "-m", "Note")
    git("push", "--quiet", "origin", "main")
    return "20261103T083015Z"


def check_site(site: Path, dated: str) -> None:
    """Check the published folder: a calendar with the one dated pin, and a page."""
    assert sorted(file.name for file in site.iterdir()) == ["index.html", "pins-default.ics"]
    text = (site / "pins-default.ics").read_bytes().decode()
    (event,) = read_events(text)[1]
    assert (event["DTEND"], event["DTSTAMP"]) == ("20991231T230000Z", dated)
    page = parse_page((site / "index.html").read_text(encoding="utf-8"))
    assert "Changes of shelves in HEAD" in page.text
    assert "until 31 Dec 2099 23:00 UTC" in page.text


@pytest.mark.usefixtures("dated")
@pytest.mark.parametrize("value", ["", "no", "false"])
def test_a_calendar_is_published_by_nobody_who_does_not_ask_for_it(
    value: str, runner: Runner
) -> None:
    runner.contexts["vars.PINSYNC_PUBLIC_CALENDAR"] = value
    assert runner.job(CALENDAR, "write") == {}
    assert (runner.calls, runner.output) == ([], "")
    assert not list((runner.folder / "artifacts").iterdir())
    jobs = yaml.safe_load(CALENDAR.read_text(encoding="utf-8"))["jobs"]
    # GitHub skips a job if the job that it needs was skipped, unless a condition says otherwise.
    assert (jobs["publish"]["needs"], jobs["publish"].get("if")) == ("write", None)
    assert PUBLIC in CALENDAR.read_text(encoding="utf-8")


def test_a_calendar_is_published_once_it_is_switched_on(
    runner: Runner, api: Sandbox, dated: str
) -> None:
    runner.contexts["vars.PINSYNC_PUBLIC_CALENDAR"] = "yes"
    before = len(api.requests)
    runner.job(CALENDAR, "write")
    runner.job(CALENDAR, "publish")
    check_site(runner.folder / "site", dated)
    assert runner.calls[0].argv == ["pipx", "install", runner.source]
    # It neither asks the shop nor gets a key.
    assert len(api.requests) == before
    assert "secrets" not in CALENDAR.read_text(encoding="utf-8")


def test_the_job_that_publishes_runs_no_code_of_ours() -> None:
    jobs = yaml.safe_load(CALENDAR.read_text(encoding="utf-8"))["jobs"]
    assert jobs["write"]["permissions"] == {"contents": "read"}
    (step,) = jobs["publish"]["steps"]
    assert step["uses"].startswith("actions/deploy-pages@")


def test_gitlabs_job_that_publishes_is_a_comment() -> None:
    assert "pages" not in gitlab_jobs(GITLAB)
    text = GITLAB.read_text(encoding="utf-8")
    assert PUBLIC in " ".join(text.replace("\n#", "").split())


def test_gitlab_publishes_a_calendar_once_it_is_switched_on(
    runner: Runner, api: Sandbox, dated: str, tmp_path: Path
) -> None:
    gitlab = switch_on_pages(GITLAB, tmp_path / "gitlab")
    check_schema(gitlab, "gitlab-ci")
    before = len(api.requests)
    work = runner.gitlab(gitlab, "pages", PINSYNC_TRACKER_ID="")
    check_site(work / "public", dated)
    assert len(api.requests) == before
    job = gitlab_jobs(gitlab)["pages"]["job"]
    assert job["artifacts"]["paths"] == ["public"]
    assert job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "schedule"'}]
    others = {name for name in gitlab_jobs(gitlab) if name != "pages"}
    assert others == set(gitlab_jobs(GITLAB))
