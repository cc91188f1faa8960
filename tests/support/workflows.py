"""What stands in for a runner: the steps of a workflow or an action, run as a runner runs them,
against real git.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from string import Template
from typing import TYPE_CHECKING, Any

import yaml

from support.exporting import put
from support.paths import BIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

Step = dict[str, Any]
_COMMAND = re.compile(r"\s*::(?P<new>.+?)::(?P<data>.*)|.*##\[(?P<old>[^\]]+)\]")

COMMIT = "231ead5ac9c8fbb801f2f82e06a236d8896f2215"
REPOSITORY = "https://git.example/them/pinsync.git"
FROM_FOLDER = {"url": "file:///home/ann/pinsync", "dir_info": {"editable": True}}
FROM_COMMIT = {"url": REPOSITORY, "vcs_info": {"vcs": "git", "commit_id": COMMIT}}
_FAKE = """\
#!{python} -S
import json, os, sys
name = os.path.basename(sys.argv[0])
call = {{"argv": [name, *sys.argv[1:]], "files": {{}}}}
for word in sys.argv[1:]:
    path = word.partition("@")[2] if word.startswith("body=@") else word
    if path.endswith(".md") and os.path.isfile(path):
        call["files"][os.path.basename(path)] = open(path, encoding="utf-8").read()
with open(os.environ["CALLS"], "a", encoding="utf-8") as log:
    log.write(json.dumps(call) + "\\n")
if "venv" in sys.argv:
    os.makedirs(os.path.join(sys.argv[-1], "bin"), exist_ok=True)
    for target, link in (({pinsync!r}, "pinsync"), (os.path.abspath(sys.argv[0]), "python")):
        os.path.lexists(there := os.path.join(sys.argv[-1], "bin", link)) or os.symlink(target, there)
answers = json.loads(os.environ.get("ANSWERS", "{{}}"))
sys.stdout.write(answers.get(" ".join([name, *sys.argv[1:3]]), ""))
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a command that is faked: its words, and the texts that it was handed."""

    argv: list[str]
    files: dict[str, str]

    def option(self, name: str) -> str:
        """The value that follows an option."""
        return self.argv[self.argv.index(name) + 1]


class FailedError(Exception):
    """A step has failed: its name, exit code and output."""

    def __init__(self, step: str, code: int, output: str) -> None:
        super().__init__(f"{step}: exit {code}\n{output}")
        self.step, self.code, self.output = step, code, output


@dataclass
class Runner:
    """Runs jobs in folders of their own.

    Attributes:
        folder: where everything lies.
        origin: the repository that is checked out and pushed to.
        contexts: what expressions stand for, such as ``github.token``.
        answers: what a faked command prints, by its first three words.
        output: all that the steps have written.
        ref: the branch that is checked out.
        source: what a person has written at PINSYNC, where a file leaves that open.
        outcome: the outputs of the last action.
    """

    folder: Path
    origin: Path
    contexts: dict[str, str]
    answers: dict[str, str] = field(default_factory=dict)
    output: str = ""
    ref: str = "main"
    source: str = f"git+{REPOSITORY}@{COMMIT}"
    outcome: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("bin", "temp", "artifacts"):
            (self.folder / name).mkdir(parents=True)
        self.contexts["runner.temp"] = str(self.folder / "temp")
        for name in ("gh", "pipx", "pip", "python-of-the-action"):
            file = self.folder / "bin" / name
            file.write_text(
                _FAKE.format(python=sys.executable, pinsync=str(BIN / "pinsync")), encoding="utf-8"
            )
            file.chmod(0o755)

    @property
    def calls(self) -> list[Call]:
        """The calls of faked commands so far."""
        log = self.folder / "calls"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return [Call(**json.loads(line)) for line in lines]

    def gh(self) -> list[str]:
        """What ``gh`` was asked to do so far: the first two words of each call."""
        return [" ".join(call.argv[1:3]) for call in self.calls if call.argv[0] == "gh"]

    def job(self, workflow: Path, name: str, **contexts: str) -> dict[str, str]:
        """Run a job of a workflow, if its condition holds; return its outputs."""
        text = yaml.safe_load(workflow.read_text(encoding="utf-8"))
        job = text["jobs"][name]
        self.contexts |= contexts
        if not self._holds(job.get("if", "true")):
            return {}
        work = self.folder / f"work-{len(list(self.folder.glob('work-*')))}"
        work.mkdir()
        # A runner begins each job with an empty folder, and knows no step of another job.
        temp = self.folder / "temp"
        shutil.rmtree(temp)
        temp.mkdir()
        self._forget_steps()
        environ = self.filled_in({**text.get("env", {}), **job.get("env", {})})
        try:
            self.steps(job["steps"], work, environ, ["bash", "-e"])
        finally:
            outputs = {key: self.resolved(value) for key, value in job.get("outputs", {}).items()}
            # In a matrix, an output that a job leaves empty keeps the value of another job.
            self.contexts |= {
                f"needs.{name}.outputs.{key}": value for key, value in outputs.items() if value
            }
        return outputs

    def end_action(self, step: str) -> None:
        """Keep the outputs of a step as those of the action, and forget all steps."""
        prefix = f"steps.{step}.outputs."
        self.outcome = {
            key.removeprefix(prefix): value
            for key, value in self.contexts.items()
            if key.startswith(prefix)
        }
        self._forget_steps()

    def _forget_steps(self) -> None:
        self.contexts = {
            key: value for key, value in self.contexts.items() if not key.startswith("steps.")
        }

    def forget_run(self) -> None:
        """Begin a new run of workflows, which knows no output and no artifact of the last one."""
        self.contexts = {
            key: value for key, value in self.contexts.items() if not key.startswith("needs.")
        }
        for name in ("artifacts", "kept"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir()

    def filled_in(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of a file, once a person has written what the file leaves open."""
        return {**environ, "PINSYNC": environ["PINSYNC"] or self.source}

    def steps(
        self, steps: list[Step], work: Path, environ: Mapping[str, str], shell: list[str]
    ) -> None:
        """Run steps in a folder; after one that fails, only those that ask for it by ``!cancelled()``
        or ``always()``.

        Raises:
            FailedError: that of the first step that failed.
        """
        failed = None
        for step in steps:
            condition = str(step.get("if", "true"))
            is_asked = "cancelled()" in condition or "always()" in condition
            if (failed and not is_asked) or not self._holds(condition):
                continue
            if "uses" in step:
                self._used(step, work)
                continue
            assert "${{" not in step["run"], "what comes from outside goes through the environment"
            own = {
                key: self.resolved(str(value))
                for key, value in {**environ, **step.get("env", {})}.items()
            }
            try:
                self.run(step["run"], work, own, shell, step.get("name", ""), step.get("id"))
            except FailedError as error:
                failed = failed or error
        if failed:
            raise failed

    def run(
        self,
        script: str,
        work: Path,
        environ: Mapping[str, str],
        shell: list[str],
        name: str,
        id_: str | None = None,
    ) -> None:
        """Run one script."""
        file, written = self.folder / "script", self.folder / "output"
        file.write_text(script, encoding="utf-8")
        written.write_text("", encoding="utf-8")
        own = {
            "PATH": os.pathsep.join([str(self.folder / "bin"), str(BIN), os.environ["PATH"]]),
            "CALLS": str(self.folder / "calls"),
            "ANSWERS": json.dumps(self.answers),
            "GITHUB_OUTPUT": str(written),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": "shop/pins",
            "GITHUB_SHA": COMMIT,
            "RUNNER_TEMP": str(self.folder / "temp"),
            "CI": "true",
        }
        done = subprocess.run(
            [*shell, str(file)],
            cwd=work,
            env={**os.environ, **own, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.output += done.stdout
        lines = written.read_text(encoding="utf-8").splitlines()
        self.contexts |= {
            f"steps.{id_}.outputs.{key}": value
            for key, _, value in (x.partition("=") for x in lines)
        }
        if done.returncode:
            raise FailedError(name, done.returncode, done.stdout)

    def gitlab(self, file: Path, name: str, branch: str = "main", **variables: str) -> Path:
        """Run a job of GitLab's in a clone of a branch; return the clone.

        A job gets the artifacts of the jobs that it needs, of all jobs of their matrix.
        """
        job = gitlab_jobs(file)[name]
        work = self.folder / f"{name}-{len(list(self.folder.iterdir()))}"
        clone = ["clone", "--quiet", "--branch", branch, str(self.origin), str(work)]
        for command in (clone, ["-C", str(work), "remote", "set-head", "origin", "--delete"]):
            subprocess.run(["git", *command], check=True, capture_output=True)
        for needed in job["job"].get("needs", ()):
            for file_ in sorted((self.folder / "kept").glob(f"{needed}/*")):
                shutil.copy(file_, work)
        environ = {
            "CI_PROJECT_URL": str(self.origin.with_suffix("")),
            "CI_COMMIT_BRANCH": branch,
            "CI_COMMIT_SHA": COMMIT,
            "CI_JOB_URL": "https://gitlab.example/shop/pins/-/jobs/7",
            "CI_PROJECT_PATH": "shop/pins",
            "CI_SERVER_HOST": "gitlab.example",
            "PINSYNC_TRACKER_ID": "1234-5678",
            "PINSYNC_PUSH_TOKEN": "a-token",
            **variables,
        }
        for key, value in self.filled_in(job["variables"]).items():
            environ.setdefault(key, Template(str(value)).substitute(environ))
        self.run(job["script"], work, environ, ["bash", "-eo", "pipefail"], name)
        for pattern in job["job"].get("artifacts", {}).get("paths", ()):
            kept = work / Template(pattern).substitute(environ)
            if kept.is_file():
                put(self.folder / "kept" / name / kept.name, kept.read_bytes())
        return work

    def resolved(self, text: str) -> str:
        """The text, its expressions replaced; an output that was never set is empty."""
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: str(self._evaluated(match[1])), text)

    def _value(self, name: str) -> str:
        if found := re.fullmatch(r"secrets\[(.*)\]", name):
            name = f"secrets.{self._value(found[1])}"
        return self.contexts.get(name, "") if ".outputs." in name else self.contexts[name]

    def _holds(self, condition: str) -> bool:
        return bool(self._evaluated(condition))

    def _evaluated(self, expression: str) -> object:
        """Evaluate names, literals, ``==``, ``!=``, ``&&``, ``||``, ``always()``, ``!cancelled()``,
        and an output whose name is formatted.
        """
        expression = re.sub(
            r"\[format\('([^']*)\{0\}', ([\w.]+)\)\]",
            lambda match: f".{match[1]}{self._value(match[2])}",
            expression,
        )
        python = re.sub(r"!(?!=)", " not ", expression.replace("&&", " and ").replace("||", " or "))
        kept = {"and": "and", "or": "or", "not": "not", "true": "True", "cancelled()": "False"}
        kept["always()"] = "True"
        python = re.sub(
            r"'[^']*'|[A-Za-z_][\w.-]*(?:\(\)|\[[\w.]*\])?",
            lambda match: (
                match[0]
                if match[0].startswith("'")
                else kept.get(match[0]) or repr(self._value(match[0]))
            ),
            python,
        )
        return eval(python.strip())  # noqa: S307 - expressions of our own files

    def _used(self, step: Step, work: Path) -> None:
        action, _, revision = step["uses"].partition("@")
        assert re.fullmatch("[0-9a-f]{40}", revision), f"{action} isn't pinned by hash"
        options = step.get("with", {})
        match action:
            case "actions/checkout":
                assert options["persist-credentials"] is False
                depth = [] if options.get("fetch-depth") == 0 else ["--depth=1"]
                self._check_out(work, depth)
            case "actions/upload-artifact":
                name = self.resolved(options["name"])
                path = work / self.resolved(options["path"])
                if path.is_dir():
                    shutil.copytree(path, self.folder / "artifacts" / name)
                elif path.exists() or options.get("if-no-files-found") != "ignore":
                    shutil.copy(path, self.folder / "artifacts" / name)
                if "id" in step:
                    url = f"https://github.example/artifacts/{name}"
                    self.contexts[f"steps.{step['id']}.outputs.artifact-url"] = url
            case "actions/upload-pages-artifact":
                path = work / self.resolved(options["path"])
                shutil.copytree(path, self.folder / "artifacts" / "github-pages")
            case "actions/deploy-pages":
                shutil.copytree(self.folder / "artifacts" / "github-pages", self.folder / "site")
            case "actions/download-artifact":
                shutil.copy(
                    self.folder / "artifacts" / options["name"], work / f"{options['name']}.md"
                )
            case "actions/setup-python":
                self.contexts[f"steps.{step['id']}.outputs.python-path"] = str(
                    self.folder / "bin" / "python-of-the-action"
                )
            case _:
                raise AssertionError(action)

    def _check_out(self, work: Path, depth: Sequence[str] = ()) -> None:
        """Check out the branch as the action does, at the commit of the event if there is one.

        The clone doesn't know which branch of the remote is the default one.
        """
        address = self.origin.as_uri()
        clone = ["clone", "--quiet", *depth, "--branch", self.ref, address, str(work)]
        commands = [clone, ["-C", str(work), "remote", "set-head", "origin", "--delete"]]
        if event := self.contexts.get("github.sha"):
            # Even if the branch has gone on since the event, its remote branch is at the event.
            remote = f"refs/remotes/origin/{self.ref}"
            commands.append(["-C", str(work), "fetch", "--quiet", "origin", f"+{event}:{remote}"])
            commands.append(["-C", str(work), "checkout", "--quiet", "-B", self.ref, remote])
        for command in commands:
            subprocess.run(["git", *command], check=True, capture_output=True)


def gitlab_jobs(file: Path) -> dict[str, dict[str, Any]]:
    """The jobs, each with its variables and one script: ``extends`` and ``before_script``
    merged.
    """
    text = yaml.safe_load(file.read_text(encoding="utf-8"))
    base = text[".pinsync"]
    return {
        name: {
            "variables": {**text["variables"], **base["variables"], **job.get("variables", {})},
            "script": "\n".join([*base["before_script"], *job["script"]]),
            "job": job,
        }
        for name, job in text.items()
        if name.startswith("pins-") or name == "pages"
    }


def switch_on_pages(file: Path, folder: Path) -> Path:
    """A copy of GitLab's file in which the job that publishes is no comment any more."""
    before, mark, job = file.read_text(encoding="utf-8").partition("# pages:\n")
    assert all(line.startswith("# ") for line in job.splitlines())
    lines = [line[2:] for line in (mark + job).splitlines(keepends=True)]
    return put(folder / file.name, before + "".join(lines))


def scripts(text: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield name and script of every step of a workflow or an action."""
    jobs = text.get("jobs") or {"": text["runs"]}
    for job in jobs.values():
        for step in job["steps"]:
            if "run" in step:
                yield step["name"], step["run"]


def check_schema(file: Path, schema: str) -> None:
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", f"vendor.{schema}", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def check_actions(files: Iterable[Path]) -> None:
    """Injection, excessive rights, secrets that leak, actions that aren't pinned, credentials left
    behind.
    """
    command = [str(BIN / "zizmor"), "--offline", "--quiet", "--format=plain", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def check_shell(actions: Iterable[Path], gitlab: Path, folder: Path) -> int:
    """Return how many scripts the linter for shell has looked at."""
    files = []
    for file in actions:
        for name, script in scripts(yaml.safe_load(file.read_text(encoding="utf-8"))):
            files.append(put(folder / f"{file.stem}-{name}", f"#!/usr/bin/env bash\n{script}"))
    for name, job in gitlab_jobs(gitlab).items():
        files.append(put(folder / f"gitlab-{name}", f"#!/usr/bin/env bash\n{job['script']}"))
    # SC2153, SC2154: variables that the runner sets. SC2016: a credential helper that reads the
    # environment later.
    command = [str(BIN / "shellcheck"), "--exclude=SC2153,SC2154,SC2016", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return len(files)


def commands(log: str) -> list[str]:
    """The lines of a log that the runner takes for commands: ``::`` first, or ``##[`` anywhere,
    unless stopped.
    """
    taken: list[str] = []
    token = None
    for line in re.split(r"\r\n|\r|\n", log):
        match = _COMMAND.match(line)
        if match is None:
            continue
        if token is None and match["new"] == "stop-commands":
            token = match["data"]
        elif token is None:
            taken.append(line)
        elif token in (match["new"], match["old"]):
            token = None
    assert token is None, "commands stay stopped for the rest of the step"
    return taken
