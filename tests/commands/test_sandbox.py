"""``pinsync sandbox`` as a process: the environment it prints, its end, and the reference's shell
client against it.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pinsync.commands.sandbox import Options, sandbox
from pinsync.errors import UsageError
from pinsync.sandbox import Sandbox
from support.exporting import put, untouched
from support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from support.command_line import Git

# To the letter the client that is in use today, but for the host, the id and the key.
SHELL_CLIENT = r"""
tracker_id="$PINSYNC_TRACKER_ID"; private_key="$PINSYNC_PRIVATE_KEY"; host="$PINSYNC_HOST"
path="/v1/recommender/pin/${tracker_id}/scopes/export"; type="application/json; charset=utf-8"
date=$(LC_ALL=C date -u "+%a, %d %b %Y %H:%M:%S GMT")
sig=$(printf 'POST\n%s\n%s\n%s' "$type" "$date" "$path" | openssl dgst -sha256 -hmac "$private_key" -binary | base64)
curl -X POST "${host}${path}?model=basket&target_type=item" -H "Content-Type: $type" -H "Date: $date" -H "Authorization: ApiAuth ${tracker_id}:${sig}"
"""

START = """
import sys
from pathlib import Path
from pinsync.commands.sandbox import Options, sandbox
sys.exit(sandbox(Options(state=Path(sys.argv[1]), fail=sys.argv[2:]), lambda line: print(line, flush=True)))
"""


@contextmanager
def started(
    state: Path, *faults: str, count: int = 4
) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Start the sandbox in a process of its own and wait for the lines that it prints."""
    root = ROOT
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(state), *faults],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert process.stdout is not None
    try:
        yield process, [process.stdout.readline() for _ in range(count)]
    finally:
        process.kill()
        process.communicate()


def shell(script: str, environment: dict[str, str]) -> str:
    for program in ("bash", "openssl", "curl", "base64"):
        assert shutil.which(program), f"this test needs {program}, which is not installed"
    bare = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(
        ["bash", "-c", script],
        env={**bare, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_references_shell_client() -> None:
    with Sandbox() as server:
        answer = json.loads(shell(SHELL_CLIENT, server.environment))
        expected = {
            row["id"]
            for row in server.customizations()
            if row["model"] == "basket" and "target_identity" in row
        }
    assert {row["id"] for row in answer["results"]} == expected
    assert "199620b4-df1a-46e8-ab59-9e9ed9af7106" in expected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_what_a_shell_can_source_and_serves_until_interrupted(
    tmp_path: Path, number: signal.Signals
) -> None:
    state = tmp_path / "state.json"
    with started(state) as (process, lines):
        answer = json.loads(shell("".join(lines) + SHELL_CLIENT, {}))
        assert len(answer["results"]) > 0
        assert [line.split("=")[0] for line in lines[1:]] == [
            "export PINSYNC_TRACKER_ID",
            "export PINSYNC_PRIVATE_KEY",
            "export PINSYNC_HOST",
        ]
        process.send_signal(number)
        assert process.wait(10) == 0
    assert state.exists()


def test_faults_of_the_command_line(tmp_path: Path) -> None:
    with started(tmp_path / "state.json", "429:1", "503:1:retry-after=1") as (_, lines):
        status = 'curl -s -o /dev/null -w "%{http_code} " -X POST "$PINSYNC_HOST/"; '
        assert shell("".join(lines) + status * 3, {}) == "429 503 404 "


def run(*command: str, out: list[str] | None = None, fail: Sequence[str] = ()) -> int:
    lines: list[str] = [] if out is None else out
    return sandbox(Options(command=command, fail=fail), lines.append)


def test_a_command_runs_in_its_environment_and_gives_the_exit_code(tmp_path: Path) -> None:
    lines: list[str] = []
    seen = tmp_path / "seen"
    code = run(
        "bash", "-c", f'echo "$PINSYNC_TRACKER_ID $PINSYNC_HOST" > {seen}; exit 7', out=lines
    )
    assert (code, lines) == (7, [])
    assert seen.read_text().startswith("1234-5678 http://127.0.0.1:")


SANDBOX = [sys.executable, "-m", "pinsync", "sandbox"]


@pytest.mark.parametrize(
    ("options", "told"), [([], True), (["-s"], True), (["-c", 'echo "$PINSYNC_HOST"'], False)]
)
def test_who_types_into_a_shell_is_told_where_they_are_and_how_to_leave(
    options: list[str], told: bool
) -> None:
    ours, theirs = os.openpty()
    words, typed = [*SANDBOX, "--", "/bin/sh", *options], 'echo "$PINSYNC_HOST"\nexit 3\n'
    done = subprocess.run(
        words, input=typed, stdout=subprocess.PIPE, stderr=theirs, text=True, check=False
    )
    if not told:
        os.write(theirs, b"nothing\n")
    said = os.read(ours, 1000).decode()
    os.close(theirs)
    os.close(ours)
    line = f"154 customizations at {done.stdout.strip()}, until you type exit\r\n"
    assert (done.returncode, said) == (3, line) if told else (0, "nothing\r\n")
    assert (
        subprocess.run(words, input=typed, capture_output=True, text=True, check=False).stderr == ""
    )


def test_options_behind_the_command_are_the_commands() -> None:
    words = [*SANDBOX, "--empty", sys.executable, "-m", "pinsync", "diff", "--help"]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.startswith(
        "Usage: pinsync diff "
    )


def test_a_command_that_a_signal_ends() -> None:
    assert run("bash", "-c", "kill -TERM $$") == 128 + signal.SIGTERM


TIDY = """
import signal, sys
def tidy(number, _):
    print("tidying", flush=True)
    sys.stdin.readline()
    sys.exit(3)
signal.signal(signal.Signals[sys.argv[1]], tidy)
print("up", flush=True)
while True:
    signal.pause()
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_what_ends_it_is_the_commands_to_answer(name: str) -> None:
    """SIGTERM comes to pinsync alone, and is passed on; ^C comes from the terminal to both."""
    process = subprocess.Popen(
        [*SANDBOX, "--", sys.executable, "-c", TIDY, name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    (os.kill if name == "SIGTERM" else os.killpg)(process.pid, signal.Signals[name])
    assert process.stdout.readline() == "tidying\n"
    assert (process.communicate("done\n", timeout=60), process.returncode) == (("", ""), 3)


def test_what_ends_it_before_the_command_is_there_is_passed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Late(subprocess.Popen[bytes]):
        def __init__(self, command: Sequence[str], env: dict[str, str]) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            super().__init__(command, env=env)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(subprocess, "Popen", Late)
    assert run("sleep", "600") == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before


# The trackers of the configuration.

TRACKERS = """\
trackers:
  sk: {tracker_id: 1-1, private_key_env: LB_KEY_SK}
  cz: {tracker_id: 1-2, private_key_env: LB_KEY_CZ, hosts: [https://cz.luigisbox.com]}
  hu: {tracker_id: 1-3}
"""


@pytest.fixture
def shops(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with three trackers, whose real keys are in the environment."""
    put(repository / "pinsync.yaml", TRACKERS)
    for name in ("LB_KEY_SK", "LB_KEY_CZ", "PINSYNC_PRIVATE_KEY"):
        monkeypatch.setenv(name, "a real key")
    monkeypatch.setenv("PINSYNC_TRACKER_ID", "9999-9")
    monkeypatch.setenv("PINSYNC_HOST", "not a host")
    return repository


def sandboxed(*words: str, options: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run a command of pinsync in the sandbox."""
    command = [*SANDBOX, *options, "--", sys.executable, "-m", "pinsync", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_trackers_of_the_configuration_are_served(
    shops: Path, monkeypatch: pytest.MonkeyPatch, git: Git
) -> None:
    (shops / "deeper").mkdir()
    monkeypatch.chdir(shops / "deeper")
    options = ["--state", "../{tracker}.json"]
    done = sandboxed("export", "--commit", options=options)
    assert done.returncode == 0, done.stderr
    summaries = [line for line in done.stderr.splitlines() if "154 added" in line]
    assert [line.partition(":")[0] for line in summaries] == ["sk", "cz", "hu"]
    assert sorted(path.name for path in shops.glob("*.json")) == ["cz.json", "hu.json", "sk.json"]
    state = json.loads((shops / "cz.json").read_text())
    state["results"].pop()
    put(shops / "cz.json", json.dumps(state))
    done = sandboxed("diff", "--format", "json", options=options)
    assert done.returncode == 1, done.stderr
    trackers = json.loads(done.stdout)["trackers"]
    assert {tracker["name"]: len(tracker["changes"]) for tracker in trackers} == {
        "sk": 0,
        "cz": 1,
        "hu": 0,
    }
    assert git("log", "--format=%s") == "Export pins: 462 added"


def test_the_variables_to_export_are_those_of_the_trackers(shops: Path) -> None:
    put(shops / "note", "")
    with started(shops / "{tracker}.json", count=6) as (_, lines):
        assert lines[0].startswith("# 462 customizations of 3 trackers at http://127.0.0.1:")
        names = [line.removeprefix("export ").partition("=")[0] for line in lines[1:]]
        known = [
            "PINSYNC_TRACKER_ID",
            "PINSYNC_PRIVATE_KEY",
            "PINSYNC_HOST",
            "LB_KEY_SK",
            "LB_KEY_CZ",
        ]
        assert names == known
        script = "".join(lines) + f"{shlex.quote(sys.executable)} -m pinsync export --check | wc -l"
        assert shell(script, {"PYTHONPATH": str(ROOT)}).strip() == "18"
        assert "a real key" not in "".join(lines)


def test_a_tracker_of_the_command_line_is_served_in_place_of_theirs(shops: Path) -> None:
    done = sandboxed("export", "--check", "--tracker", "cz", options=["--tracker-id", "1-2"])
    assert done.returncode == 2, "its key isn't that of cz"
    assert "LB_KEY_CZ: is not set" in done.stderr
    done = sandboxed("export", "--check", "--tracker", "hu", options=["--tracker-id", "1-2"])
    assert (done.returncode, "Tracker not found" in done.stderr) == (3, True)
    (shops / "pinsync.yaml").unlink()
    assert sandboxed("export", "--check", options=["--tracker-id", "1-2"]).returncode == 1
    assert sandboxed("trackers", options=["--tracker-id", "1-2"]).stdout.split()[-3:] == [
        "default",
        "1-2",
        "PINSYNC_PRIVATE_KEY",
    ]
    assert sandboxed("trackers").stdout.split()[-2] == "1234-5678"


def test_the_configuration_that_the_environment_names_counts(
    shops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shops / "pinsync.yaml").rename(shops / "other.yaml")
    monkeypatch.setenv("PINSYNC_CONFIG", "other.yaml")
    assert sandboxed("export", "--check", "--tracker", "sk").returncode == 1


def test_two_trackers_of_one_id_share_their_customizations(shops: Path) -> None:
    put(shops / "pinsync.yaml", TRACKERS.replace("1-2", "1-1"))
    done = sandboxed("export", options=["--state", "{tracker}.json"])
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in shops.glob("*.json")) == ["hu.json", "sk.json"]


def test_one_state_for_several_trackers_is_refused(shops: Path) -> None:
    with untouched(shops):
        done = sandboxed("export", options=["--state", "shop.json"])
    assert (done.returncode, done.stderr.splitlines()) == (
        2,
        [
            "error: --state shop.json is one file for several trackers: sk, cz, hu",
            "  write {tracker} for the name of the tracker: --state 'shop-{tracker}.json'",
        ],
    )


@pytest.mark.usefixtures("repository")
def test_an_id_that_no_tracker_can_have() -> None:
    done = sandboxed("trackers", options=["--tracker-id", "a/b"])
    assert (done.returncode, "--tracker-id must consist of letters, digits" in done.stderr) == (
        2,
        True,
    )


def test_a_command_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="can't run 'no-such-command'"):
        run("no-such-command")


def test_a_fault_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="no such fault: 'oops'"):
        run("true", fail=["oops"])


def test_empty_begins_with_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    assert sandbox(Options(state=state, empty=True, command=["true"]), print) == 0
    assert json.loads(state.read_bytes()) == {"results": []}


CREATE = """
import os, sys
import httpx
from datetime import UTC, datetime
from pinsync import signing
body = {"model": "new", "target_type": "all", "pin_definitions": []}
for tracker in sys.argv[1:]:
    path = f"/v1/recommender/pin/{tracker}/scope"
    parts = {"method": "POST", "content_type": "application/json", "path": path}
    date = signing.format_http_date(datetime.now(UTC))
    key = os.environ["PINSYNC_PRIVATE_KEY"]
    signature = signing.build_authorization(tracker, key, date=date, **parts)
    headers = {"Content-Type": "application/json", "Date": date, "Authorization": signature}
    url = os.environ["PINSYNC_HOST"] + path
    print(httpx.post(url, json=body, headers=headers, trust_env=False).status_code)
"""


def test_every_tracker_makes_the_choices_of_the_command_line(shops: Path) -> None:
    words = [*SANDBOX, "--api", "create-status=201", "--api=timestamps=none", "--"]
    program = [sys.executable, "-c", CREATE, "1-1", "1-2", "1-3"]
    done = subprocess.run(words + program, capture_output=True, text=True, check=False, cwd=shops)
    assert (done.returncode, done.stdout.split()) == (0, ["201"] * 3), done.stderr


def test_a_choice_of_the_command_line_that_does_not_exist() -> None:
    words = [*SANDBOX, "--api", "bulk=half", "--", "true"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--api bulk has no value 'half'\n  choose one of atomic, partial\n" in done.stderr
