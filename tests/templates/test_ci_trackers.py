"""What ``init --ci`` writes for the trackers of a configuration: checked, and run by a runner."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from pinsync.commands.init import CI
from pinsync.sandbox import Sandbox
from support.ci_files import push_event
from support.exporting import HOME, STRINGS, put, repinned, rows
from support.workflows import (
    FROM_COMMIT,
    FailedError,
    Runner,
    check_actions,
    check_schema,
    check_shell,
    switch_on_pages,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command_line import CommandLine, Git, Install

DRIFT, SYNC, REVIEW, PLAN, APPLY, CALENDAR = (Path(name) for name in CI["github"])
(GITLAB,) = (Path(name) for name in CI["gitlab"])
# The last name is a boolean in YAML unless it is quoted; its shop shares the usual key.
KEYS = {"shop-sk": "KEY_SK", "shop-cz": "PINSYNC_PRIVATE_KEY", "no": "PINSYNC_PRIVATE_KEY"}
ONE = "trackers:\n  shop-sk: {tracker_id: 1234-5678, private_key_env: KEY_SK}\n"
SEVERAL = "trackers:\n" + "".join(
    f"  {name}: {{tracker_id: 1-{number}, private_key_env: {variable}}}\n"
    for number, (name, variable) in enumerate(KEYS.items())
)


JOBS = {"drift": DRIFT, "sync": SYNC}
AFTER_MERGE = {"github": ("plan", "apply"), "gitlab": ("merged", "apply")}
"""Code host → the jobs after a merge, which are split by tracker as well."""


def entries(host: str, name: str) -> list[dict[str, str]]:
    """Return the matrix of a job: what sets the jobs apart that are made of it."""
    if host == "github":
        jobs = yaml.safe_load(JOBS.get(name, APPLY).read_text(encoding="utf-8"))["jobs"]
        return list(jobs[name]["strategy"]["matrix"]["include"])
    jobs = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))
    (axes,) = jobs[f"pins-{name}"]["parallel"]["matrix"]
    return [{"tracker": tracker} for tracker in axes["TRACKER"]]


# What is written.


@pytest.mark.parametrize("configuration", [ONE, SEVERAL], ids=["one", "several"])
@pytest.mark.parametrize("folder", [".", "shops"])
def test_the_files_pass_the_schemas_and_the_linters(
    configuration: str,
    folder: str,
    repository: Path,
    pinsync: CommandLine,
    install: Install,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    install(FROM_COMMIT)
    monkeypatch.chdir(put(repository / folder / "pinsync.yaml", configuration).parent)
    for host in CI:
        assert pinsync("init", "--ci", host).code == 0
    monkeypatch.chdir(repository)
    workflows = (DRIFT, SYNC, REVIEW, PLAN, APPLY, CALENDAR)
    for workflow in workflows:
        check_schema(workflow, "github-workflows")
    gitlab = switch_on_pages(GITLAB, tmp_path)
    for file in (GITLAB, gitlab):
        check_schema(file, "gitlab-ci")
    check_actions(workflows)
    assert check_shell(workflows, gitlab, tmp_path / "scripts") >= 29


def environment(workflow: Path) -> dict[str, str]:
    """Return the variables of the steps that get a key, as expressions."""
    found: dict[str, str] = {}
    for job in yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values():
        for step in job["steps"]:
            if "secrets." in str(step.get("env")):
                found |= step["env"]
    return found


@pytest.mark.parametrize("host", CI)
def test_the_key_of_the_one_tracker_is_named(
    host: str,
    repository: Path,
    pinsync: CommandLine,
) -> None:
    put(repository / "pinsync.yaml", ONE)
    said = pinsync("init", "--ci", host).err
    assert ": KEY_SK. What else" in said
    assert "In CI the key comes from" in said
    for name in CI[host]:
        text = Path(name).read_text(encoding="utf-8")
        assert "PINSYNC_PRIVATE_KEY" not in text
        assert "PINSYNC_TRACKER_ID" not in text
        assert ("KEY_SK" in text) == (Path(name) not in (REVIEW, CALENDAR))
    if host == "github":
        for workflow in (DRIFT, SYNC, PLAN, APPLY):
            assert environment(workflow)["KEY_SK"] == "${{ secrets.KEY_SK }}"
            assert "# - the secret KEY_SK\n" in workflow.read_text(encoding="utf-8")
    else:
        assert "\n# - KEY_SK, masked and protected" in GITLAB.read_text(encoding="utf-8")


@pytest.mark.parametrize("host", CI)
def test_the_keys_of_several_trackers_are_named_once(
    host: str,
    repository: Path,
    pinsync: CommandLine,
) -> None:
    put(repository / "pinsync.yaml", SEVERAL)
    said = pinsync("init", "--ci", host).err
    assert ": KEY_SK and PINSYNC_PRIVATE_KEY. What else" in said
    assert "In CI the keys come from" in said
    for name in CI[host]:
        text = Path(name).read_text(encoding="utf-8")
        assert "PINSYNC_TRACKER_ID" not in text
        for variable in set(KEYS.values()):
            assert len(re.findall(rf"(?m)^# - (?:the secret )?{variable}\b", text)) == (
                0 if Path(name) in (REVIEW, CALENDAR) else 1
            )
    expected = [{"tracker": name} for name in KEYS]
    if host == "github":
        expected = [{"tracker": name, "private_key_env": key} for name, key in KEYS.items()]
    for name in (*JOBS, *AFTER_MERGE[host]):
        assert entries(host, name) == expected


@pytest.mark.parametrize("named", [True, False])
def test_the_tracker_of_a_new_configuration_comes_from_where_it_says(
    named: bool, repository: Path, pinsync: CommandLine
) -> None:
    assert pinsync("init", "--ci", "github", *(["--tracker-id", "1"] if named else [])).code == 0
    assert (repository / "pinsync.yaml").exists()
    assert "PINSYNC_PRIVATE_KEY" in environment(DRIFT)
    assert ("PINSYNC_TRACKER_ID" in environment(DRIFT)) != named


def test_a_tracker_of_the_environment_is_not_the_configurations(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(repository / "pinsync.yaml", "format: 1\n")
    monkeypatch.setenv("PINSYNC_TRACKER_ID", "1234-5678")
    assert pinsync("init", "--ci", "github").code == 0
    assert "PINSYNC_TRACKER_ID" in environment(DRIFT)


# Several trackers, each in a job of its own.


@pytest.fixture
def shops(
    repository: Path,
    pinsync: CommandLine,
    git: Git,
    install: Install,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[dict[str, Sandbox]]:
    """Three shops of one configuration, exported and committed with the files for CI."""
    install(FROM_COMMIT)
    monkeypatch.setenv("PINSYNC_ALLOW_HOST", "127.0.0.1")
    with ExitStack() as stack:
        served = {}
        lines = SEVERAL.splitlines(keepends=True)[:1]
        for number, (name, variable) in enumerate(KEYS.items()):
            key = f"the-key-in-{variable}"
            sandbox = Sandbox(rows(), seed=number, tracker_id=f"1-{number}", private_key=key)
            shop = served[name] = stack.enter_context(sandbox)
            setting = f"tracker_id: {shop.tracker_id}, private_key_env: {variable}"
            lines.append(f"  {name}: {{{setting}, hosts: ['{shop.url}']}}\n")
        put(repository / "pinsync.yaml", "".join(lines))
        for host in CI:
            assert pinsync("init", "--ci", host).code == 0
        with monkeypatch.context() as patch:
            for name, variable in KEYS.items():
                patch.setenv(variable, served[name].private_key)
            assert pinsync("export").code == 0
        git("add", "--all")
        git("commit", "--quiet", "-m", "Pins of three shops")
        yield served


@pytest.fixture
def runner(shops: dict[str, Sandbox], git: Git, tmp_path: Path) -> Runner:
    """A runner for the repository of the three shops."""
    origin = tmp_path / "origin.git"
    git("clone", "--quiet", "--bare", ".", str(origin))
    git("-C", str(origin), "config", "receive.advertisePushOptions", "true")
    git("remote", "add", "origin", str(origin))
    contexts = {
        "github.token": "a-token",
        "github.repository": "shop/pins",
        "github.ref_name": "main",
    }
    for name, variable in KEYS.items():
        contexts[f"secrets.{variable}"] = shops[name].private_key
    return Runner(tmp_path / "runner", origin, contexts)


Run = Callable[[str, str], dict[str, int]]


@pytest.fixture
def run_each(runner: Runner, shops: dict[str, Sandbox]) -> Run:
    """Run the job of every tracker on a code host; return their exit codes."""
    keys = {variable: shops[name].private_key for name, variable in KEYS.items()}

    def run(host: str, name: str) -> dict[str, int]:
        codes = {}
        for entry in entries(host, name):
            tracker = entry["tracker"]
            try:
                if host == "github":
                    contexts = {f"matrix.{key}": value for key, value in entry.items()}
                    runner.job(JOBS[name], name, **contexts)
                else:
                    runner.gitlab(GITLAB, f"pins-{name}", TRACKER=tracker, **keys)
                codes[tracker] = 0
            except FailedError as error:
                codes[tracker] = error.code
        return codes

    return run


@pytest.mark.parametrize("name", [*JOBS, "apply"])
def test_a_job_sees_its_trackers_key_and_no_other(name: str, runner: Runner) -> None:
    given = environment(JOBS.get(name, APPLY))
    variables = dict.fromkeys(KEYS.values())
    found = []
    for entry in entries("github", name):
        runner.contexts["matrix.private_key_env"] = entry["private_key_env"]
        found.append([runner.resolved(given[variable]) for variable in variables])
    assert found == [
        ["the-key-in-KEY_SK", ""],
        ["", "the-key-in-PINSYNC_PRIVATE_KEY"],
        ["", "the-key-in-PINSYNC_PRIVATE_KEY"],
    ]


def test_each_tracker_has_an_issue_of_its_own(
    runner: Runner,
    run_each: Run,
    shops: dict[str, Sandbox],
) -> None:
    repinned(shops["shop-cz"], STRINGS)
    assert run_each("github", "drift") == dict.fromkeys(KEYS, 0)
    assert [len(shop.requests) for shop in shops.values()] == [2, 2, 2]  # with the export
    found = [call for call in runner.gh() if call != "auth setup-git"]
    assert found == ["issue list", "issue list", "label create", "issue create", "issue list"]
    (call,) = (call for call in runner.calls if call.argv[1:3] == ["issue", "create"])
    title = "The live pins differ from what is committed (shop-cz)"
    assert call.option("--title") == title
    assert "`basket`" in call.files["drift.md"]
    pages = [file.name for file in (runner.folder / "artifacts").iterdir()]
    assert pages == ["pins-page-shop-cz"]


def test_the_issue_of_another_tracker_is_not_taken_for_its_own(
    runner: Runner,
    run_each: Run,
) -> None:
    assert run_each("github", "drift") == dict.fromkeys(KEYS, 0)
    (filter_,) = {call.option("--jq") for call in runner.calls if "--jq" in call.argv}
    if not shutil.which("jq"):
        pytest.skip("needs jq, whose language gh understands")
    title = "The live pins differ from what is committed ({})".format
    data = [{"number": 3, "title": title("shop-cz")}, {"number": 2, "title": title("no")}]
    for tracker, number in (("shop-cz", "3\n"), ("no", "2\n"), ("shop-sk", "")):
        done = subprocess.run(
            ["jq", "-r", filter_],
            input=json.dumps(data),
            env={"TITLE": title(tracker)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == number


def test_a_tracker_that_fails_stops_no_other(
    runner: Runner,
    run_each: Run,
    shops: dict[str, Sandbox],
) -> None:
    repinned(shops["no"], STRINGS)
    runner.contexts["secrets.KEY_SK"] = "another"
    assert run_each("github", "drift") == {"shop-sk": 3, "shop-cz": 0, "no": 0}
    assert runner.gh()[-1] == "issue create"
    strategy = yaml.safe_load(DRIFT.read_text(encoding="utf-8"))["jobs"]["drift"]["strategy"]
    assert strategy["fail-fast"] is False


def test_gitlab_warns_of_the_drift_of_each_tracker(
    run_each: Run,
    shops: dict[str, Sandbox],
) -> None:
    repinned(shops["shop-cz"], STRINGS)
    assert run_each("gitlab", "drift") == {"shop-sk": 0, "shop-cz": 1, "no": 0}


@pytest.mark.parametrize("host", CI)
def test_each_tracker_has_a_branch_of_its_own_and_leaves_the_others_alone(
    host: str, runner: Runner, run_each: Run, shops: dict[str, Sandbox], git: Git
) -> None:
    def propose() -> dict[str, list[str]]:
        assert run_each(host, "sync") == dict.fromkeys(KEYS, 0)
        git("fetch", "--quiet", "--prune", "origin")
        references = "refs/remotes/origin/pins"
        return {
            name: git("diff", "--name-only", f"origin/main...origin/{name}").splitlines()
            for name in git("for-each-ref", "--format=%(refname:lstrip=3)", references).splitlines()
        }

    git("push", "--quiet", "origin", "main:refs/heads/pins/live")  # of a time with one tracker
    assert propose() == {"pins/live": []}  # and the record of agreement begins
    repinned(shops["shop-sk"], STRINGS)
    repinned(shops["shop-cz"], HOME)
    found = {
        "pins/live": [],
        "pins/live-shop-cz": ["customizations/shop-cz/home.yaml"],
        "pins/live-shop-sk": ["customizations/shop-sk/basket.yaml"],
    }
    assert propose() == found
    proposed = git("rev-parse", "origin/pins/live-shop-cz")
    if host == "github":
        created = [call for call in runner.calls if call.argv[1:3] == ["pr", "create"]]
        assert [(call.option("--head"), call.option("--title")) for call in created] == [
            ("pins/live-shop-sk", "Pins as they are live (shop-sk)"),
            ("pins/live-shop-cz", "Pins as they are live (shop-cz)"),
        ]
        assert ["shop-cz" in call.files["pins.md"] for call in created] == [False, True]

    assert propose() == found
    assert git("rev-parse", "origin/pins/live-shop-cz") == proposed

    git("merge", "--quiet", "--no-ff", "-m", "Merge", "origin/pins/live-shop-sk")
    git("push", "--quiet", "origin", "main")
    del found["pins/live-shop-sk"]
    assert propose() == found
    assert git("rev-parse", "origin/pins/live-shop-cz^") == git("rev-parse", "main")


@pytest.mark.parametrize("host", CI)
def test_one_review_reports_on_all_trackers(host: str, runner: Runner, git: Git) -> None:
    git("checkout", "--quiet", "-b", "change")
    for name in ("shop-sk", "no"):
        path = Path("customizations", name, "basket.yaml")
        text = path.read_text(encoding="utf-8").replace("position: 2", "position: 3")
        path.write_text(text, encoding="utf-8")
    git("commit", "--quiet", "--all", "-m", "Change")
    git("push", "--quiet", "origin", "change")
    if host == "github":
        runner.ref = "change"
        event = {"base.ref": "main", "head.sha": git("rev-parse", "change")}
        contexts = {f"github.event.pull_request.{name}": value for name, value in event.items()}
        assert runner.job(REVIEW, "review", **contexts) == {"code": "1"}
        report = (runner.folder / "artifacts" / "pins").read_text(encoding="utf-8")
    else:
        base = git("rev-parse", "main")
        variables = {"DIFF_BASE": base, "TARGET_BRANCH": ""}
        work = runner.gitlab(
            GITLAB,
            "pins-review",
            "change",
            **{f"CI_MERGE_REQUEST_{name}_SHA": value for name, value in variables.items()},
        )
        report = (work / "pins.md").read_text(encoding="utf-8")
    assert " changes 2 rules of " in report
    for name in ("shop-sk", "no"):
        assert f"customizations/{name}/basket.yaml" in report


@pytest.mark.parametrize("host", CI)
def test_each_tracker_has_a_calendar_of_its_own(host: str, runner: Runner, tmp_path: Path) -> None:
    if host == "github":
        runner.contexts["vars.PINSYNC_PUBLIC_CALENDAR"] = "yes"
        runner.job(CALENDAR, "write")
        site = runner.folder / "artifacts" / "github-pages"
    else:
        gitlab = switch_on_pages(GITLAB, tmp_path / "gitlab")
        site = runner.gitlab(gitlab, "pages") / "public"
    names = {file.name for file in site.iterdir()}
    assert names == {"index.html", *(f"pins-{name}.ics" for name in KEYS)}
    page = (site / "index.html").read_text(encoding="utf-8")
    assert all(f"{name} (1-{number})" in page for number, name in enumerate(KEYS))


# The plan of a pull request, and what follows its merge.


def move_pins(*names: str) -> None:
    """Move a pin in the basket of each tracker."""
    for name in names:
        path = Path("customizations", name, "basket.yaml")
        put(path, path.read_text(encoding="utf-8").replace("position: 2", "position: 3"))


@pytest.mark.usefixtures("shops")
def test_one_plan_of_a_pull_request_is_about_all_trackers(runner: Runner, git: Git) -> None:
    git("checkout", "--quiet", "-b", "change")
    move_pins("shop-sk", "no")
    git("commit", "--quiet", "--all", "-m", "Change")
    git("push", "--quiet", "origin", "change")
    runner.ref = "change"
    event = {
        "base.ref": "main",
        "head.sha": git("rev-parse", "change"),
        "head.repo.full_name": "shop/pins",
        "user.login": "ann",
        "number": "5",
    }
    contexts = {f"github.event.pull_request.{name}": value for name, value in event.items()}
    assert runner.job(PLAN, "plan", **contexts)["rules"] == "2"
    runner.job(PLAN, "comment")
    text = runner.calls[-1].files["plan.md"]
    assert text.count("Checksum of the plan: ") == 1
    for name in ("shop-sk", "no"):
        assert f"customizations/{name}/basket.yaml" in text


def read_position(shop: Sandbox) -> int:
    """Return the position of the second pin of a rule in a shop."""
    return int(shop.get(STRINGS)["pin_definitions"][1]["position"])


def start_after_merge(
    host: str, runner: Runner, sha: str, shops: dict[str, Sandbox], **wrong: str
) -> dict[str, list[int]]:
    """Run the jobs after a merge for each tracker; return their exit codes.

    Args:
        host: the code host.
        runner: runs the jobs.
        sha: the full hash of the merge.
        shops: the shop of each tracker.
        wrong: the variable of a key → another key.
    """
    codes: dict[str, list[int]] = {name: [] for name in KEYS}
    keys = {variable: shops[name].private_key for name, variable in KEYS.items()} | wrong
    runner.forget_run()
    runner.contexts |= {f"secrets.{variable}": key for variable, key in keys.items()}
    for job in AFTER_MERGE[host]:
        for entry in entries(host, job):
            try:
                if host == "github":
                    matrix = {f"matrix.{key}": value for key, value in entry.items()}
                    runner.job(APPLY, job, **push_event(sha), **matrix)
                else:
                    given = {"TRACKER": entry["tracker"], "CI_COMMIT_SHA": sha, **keys}
                    runner.gitlab(GITLAB, f"pins-{job}", **given)
                codes[entry["tracker"]].append(0)
            except FailedError as error:
                codes[entry["tracker"]].append(error.code)
    return codes


@pytest.mark.parametrize("host", CI)
def test_each_tracker_is_applied_by_a_plan_of_its_own(
    host: str, runner: Runner, run_each: Run, shops: dict[str, Sandbox], git: Git
) -> None:
    assert run_each(host, "sync") == dict.fromkeys(KEYS, 0)
    move_pins("shop-sk", "no")
    git("commit", "--quiet", "--all", "-m", "Change")
    git("push", "--quiet", "origin", "main")
    sha = git("rev-parse", "main")
    if host == "github":
        # A tracker that fails stops no other. On GitLab the applies wait for all plans.
        failing = start_after_merge(host, runner, sha, shops, KEY_SK="another")
        assert failing == {"shop-sk": [3, 0], "shop-cz": [0, 0], "no": [0, 0]}
        assert [read_position(shop) for shop in shops.values()] == [2, 2, 3]
    codes = start_after_merge(host, runner, sha, shops)
    assert list(codes.values()) == [[0, 0]] * 3
    assert [read_position(shop) for shop in shops.values()] == [3, 2, 3]
    if host == "github":
        kept = {path.name for path in (runner.folder / "artifacts").glob("pins-apply*")}
        assert kept == {"pins-apply-shop-sk"}
