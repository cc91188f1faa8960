"""The error boundary: whatever happens, a documented exit code, a line that says why, and no
traceback.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import pytest

from pinsync import __version__
from pinsync.__main__ import run
from pinsync.cli import cli
from pinsync.errors import PinsyncError
from pinsync.sandbox import Answer, Fault, Sandbox
from pinsync.terminal.console import Console
from support.exporting import (
    BASKET_TEXT,
    EVERYONE,
    STRINGS,
    document,
    put,
    repinned,
    rows,
    untouched,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.command_line import CommandLine, Git


@pytest.fixture
def drifted(api: Sandbox, repository: Path, pinsync: CommandLine) -> Path:
    """A repository with an export while live has gone on, so that --check answers 1."""
    assert pinsync("export").code == 0
    repinned(api, STRINGS)
    return repository


# Usage.

_FILTERS = ("--model", "--tag", "--target-identity", "--id", "--item")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["exprot"], "no such command 'exprot'; did you mean \"export\"?"),
        (["xyz"], "no such command 'xyz'; known: apply, blame, calendar, demo, diff,"),
        (["export", "--chekc"], "no such option '--chekc'; did you mean \"--check\"?"),
        (["diff", "--foramt", "json"], "no such option '--foramt'; did you mean \"--format\"?"),
        (
            ["export", "-C", "x"],
            "no such option '-C'; it stands before the command: pinsync -C DIR export",
        ),
        (
            ["lint", "--version"],
            "no such option '--version'; it stands before the command: pinsync --version lint",
        ),
        (["export", "--from-file"], "--from-file"),
        (["export", "--from-file", "."], "is a directory"),
        (["export", "here"], "unexpected extra argument"),
        (["--bogus"], "--bogus"),
        (["-C"], "option '-C' requires an argument"),
        (["show"], "missing argument 'MODEL'"),
        (["diff", "a", "b", "c"], "expected FROM and TO, got 3 sources"),
        (["sandbox", "--port", "x"], "--port"),
        (
            ["export", "--model", "a", "--model", "b"],
            "invalid value for '--model': 'a', 'b': expected one value",
        ),
        (["export", "--tag", "a", "--tag", "a"], "invalid value for '--tag'"),
        (
            ["diff", "--target-type", "item", "--target-type", "all"],
            "invalid value for '--target-type'",
        ),
        (
            ["diff", "--target-identity", "/a", "--target-identity", "/b"],
            "invalid value for '--target-identity'",
        ),
        *(
            (["history", option, "a", option, "b"], f"invalid value for '{option}'")
            for option in _FILTERS
        ),
    ],
)
def test_a_wrong_command_line_is_exit_2(
    arguments: list[str], message: str, pinsync: CommandLine
) -> None:
    result = pinsync(*arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    error, usage, remedy = result.err.splitlines()
    command = next((f"pinsync {word}" for word in arguments if word in cli.commands), "pinsync")
    assert error.startswith("error: ")
    assert usage.startswith(f"  usage: {command} [OPTIONS]")
    assert remedy == f"  try '{command} --help' for help"


def test_a_wrong_command_line_is_an_error_in_colour_as_any_other(pinsync: CommandLine) -> None:
    assert pinsync("export", "--chekc", "--color").err.startswith(
        "\x1b[31merror:\x1b[0m no such option"
    )


@pytest.mark.parametrize(
    "arguments", [("lint", "--format"), ("diff", "--report"), ("trackers",), ()]
)
def test_a_wrong_command_line_is_no_command_for_a_runner(
    arguments: tuple[str, ...], pinsync: CommandLine
) -> None:
    result = pinsync(*arguments, "##[error]x\n::error::pwned\u202e\x1b[31m")
    assert (result.code, result.out) == (2, "")
    assert "pwned" in result.err
    assert not any(sign in result.err for sign in ("##[", "\n::", "\u202e", "\x1b"))


def test_help_and_version_are_data(pinsync: CommandLine) -> None:
    result = pinsync("--help")
    assert (result.code, result.err) == (0, "")
    for command in ("init", "export", "sandbox", "demo", "Exit codes: 0 done"):
        assert command in result.out
    assert pinsync("export", "-h").code == 0
    assert pinsync("--version").out == f"pinsync {__version__}\n"


def test_no_command_shows_the_help_as_an_error(pinsync: CommandLine) -> None:
    result = pinsync()
    assert (result.code, result.out) == (2, "")
    assert "Usage: pinsync" in result.err


# Two ways to ask for JSON.

FORMATTED = {
    "apply": ["apply", "--yes"],
    "blame": ["blame", "basket"],
    "calendar": ["calendar", "--from", "2026-12-24"],
    "diff": ["diff", "HEAD", "@worktree"],
    "history": ["history"],
    "lint": ["lint"],
    "plan": ["plan"],
    "restore": ["restore", "HEAD", "--yes"],
    "show": ["show", "basket", "--at", "2026-12-24"],
    "trackers": ["trackers"],
}


TIME = r"\d+ \w+ ago|\d\d:\d\d:\d\d"
"""What differs between two runs: how long ago a commit was made, when the shop was asked."""


def test_each_command_with_a_format_takes_both_spellings_of_json() -> None:
    spellings = {
        name: {word for option in command.params for word in option.opts}
        for name, command in commands()
    }
    assert {name for name, words in spellings.items() if "--format" in words} == FORMATTED.keys()
    assert {name for name, words in spellings.items() if "--json" in words} == FORMATTED.keys()


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command, those of groups in the group included."""
    groups: list[tuple[str, click.Group]] = [("", cli)]
    for before, group in groups:
        for name, command in group.commands.items():
            yield f"{before}{name}", command
            if isinstance(command, click.Group):
                groups.append((f"{before}{name} ", command))


@pytest.mark.usefixtures("exported")
@pytest.mark.parametrize("name", sorted(FORMATTED))
def test_json_is_the_format_json(name: str, pinsync: CommandLine) -> None:
    words = FORMATTED[name]
    results = [
        pinsync(*words, *how)
        for how in (["--json"], ["--format", "json"], ["--json", "--format", "json"])
    ]
    assert len({re.sub(TIME, "", result.out) for result in results}) == 1
    assert (results[0].code, json.loads(results[0].out) is not None) == (0, True)
    texts = [re.sub(TIME, "", pinsync(*words, *how).out) for how in ([], ["--format", "text"])]
    assert texts[0] == texts[1] != results[0].out
    result = pinsync(*words, "--json", "--format", "text")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(
        "error: --json means --format json, so it can't go with --format text\n  usage: "
    )


# Another folder, another configuration.


@pytest.fixture
def shops(repository: Path) -> Path:
    """Two folders with a configuration and a document each."""
    for name in ("sk", "cz"):
        put(repository / "shops" / name / "pinsync.yaml", f"directory: pins-{name}\n")
        put(document(folder=f"shops/{name}/pins-{name}"), BASKET_TEXT)
    return repository


@pytest.mark.parametrize(
    ("options", "file"),
    [
        (["-C", "shops/sk"], "pins-sk/basket.yaml"),
        (["-C", "shops", "-C", "sk"], "pins-sk/basket.yaml"),
        (["-C", "shops/cz", "-C", "", "-C", "../sk"], "pins-sk/basket.yaml"),
        (["-C", "/", "-C", "{root}/shops/sk"], "pins-sk/basket.yaml"),
        (["-C", "shops/sk/pins-sk"], "basket.yaml"),
        (["-C", ""], None),
    ],
)
def test_a_command_runs_as_if_it_was_started_in_the_folder(
    options: list[str], file: str | None, shops: Path, pinsync: CommandLine
) -> None:
    words = [word.format(root=shops) for word in options]
    result = pinsync(*words, "lint", "--select", "duplicate-id")
    if file is None:
        place = shops / "customizations"
        missing = "and no pinsync.yaml was found"
        assert result.err == f"warning: there are no documents in {place}, {missing}\n"
        return
    assert (result.code, result.out) == (0, "nothing found in 1 file\n")
    put(shops / "shops/sk/pins-sk/basket.yaml", BASKET_TEXT + "\n")
    assert pinsync(*words, "fmt", "--check", file).out == f"{file}\n", "paths start there too"


def test_what_the_options_name_starts_in_the_folder(shops: Path, pinsync: CommandLine) -> None:
    saved = put(shops / "shops" / "saved.json", json.dumps({"results": rows()}))
    there = ("-C", "shops")
    assert (
        pinsync(*there, "fmt", "--check", "--config", "sk/pinsync.yaml").err
        == "1 file already formatted\n"
    )
    result = pinsync(
        *there, "export", "--check", "--config", "cz/pinsync.yaml", "--from-file", "saved.json"
    )
    assert (result.code, result.out) == (1, "cz/pins-cz/home.yaml\n")
    result = pinsync(
        "-C", "shops/cz", "diff", "--report", "json=drift.json", "../saved.json", "@worktree"
    )
    assert (result.code, (shops / "shops/cz/drift.json").is_file()) == (1, True)
    assert saved.is_file()


def test_the_environment_names_the_configuration_of_every_command(
    shops: Path, pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("add", ".")
    git("commit", "--quiet", "--message=One")
    monkeypatch.setenv("PINSYNC_CONFIG", "shops/sk/pinsync.yaml")
    for words in (
        ["fmt", "--check"],
        ["lint"],
        ["history"],
        ["blame", "basket"],
        ["show", "basket"],
        ["calendar"],
        ["diff", "@index"],
    ):
        result = pinsync(*words)
        assert (result.code, "pins-cz" in result.out + result.err) == (
            0 if words[0] != "diff" else 2,
            False,
        ), words
    assert "pins-sk" in pinsync("show", "basket").out
    assert "pins-sk" in pinsync("-C", "shops", "show", "basket", "--config", "sk/pinsync.yaml").out
    result = pinsync("-C", "shops", "show", "basket")
    assert (result.code, "PINSYNC_CONFIG names it" in result.err) == (2, True), (
        "which starts in that folder too"
    )
    assert shops.is_dir()


@pytest.mark.parametrize(
    ("name", "says"), [("none", "none: can't be entered: No such file"), ("file", "is a file")]
)
def test_a_folder_that_can_not_be_entered(
    name: str, says: str, repository: Path, pinsync: CommandLine
) -> None:
    put(repository / "file", "")
    result = pinsync("-C", name, "lint")
    assert (result.code, result.out, says in result.err) == (2, "", True)
    assert pinsync("-C", "none", "--help").code == 0


# Bugs.


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Let the export fail in a way that nobody thought of."""

    def let(error: BaseException) -> None:
        def export(*_arguments: object) -> int:
            raise error

        monkeypatch.setattr("pinsync.commands.export.export", export)

    return let


def log(home: Path) -> str:
    (place,) = home.rglob("bug-*.log")
    return place.read_text(encoding="utf-8")


def test_a_bug_is_one_line_and_a_log_without_secrets(
    failing: Callable[[BaseException], None],
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY", "a-private-key\n")
    monkeypatch.setenv("LUIGISBOX_KEY_SK", "another-key")
    failing(ZeroDivisionError("it was a-private-key, then another-key \ud83d"))
    result = pinsync("export")
    assert (result.code, result.out) == (70, "")
    assert result.err.startswith(
        f"error: a bug in pinsync {__version__}: ZeroDivisionError. Please report it with "
    )
    assert result.err.count("\n") == 1
    text = log(tmp_path)
    assert (
        "ZeroDivisionError: it was <PINSYNC_PRIVATE_KEY>, then <LUIGISBOX_KEY_SK> \\ud83d" in text
    )
    assert f"pinsync {__version__}, Python " in text
    assert "a-private-key" not in text


def test_a_bug_without_a_place_for_its_log_is_still_one_line(
    failing: Callable[[BaseException], None],
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(put(tmp_path / "file", "")))
    failing(ZeroDivisionError())
    result = pinsync("export")
    assert result.code == 70
    assert "The details can't be written: " in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    "error", [SystemExit(1), SystemExit(0), BrokenPipeError(32, "Broken pipe"), MemoryError()]
)
def test_nothing_ends_the_process_by_another_code(
    error: BaseException, failing: Callable[[BaseException], None], pinsync: CommandLine
) -> None:
    failing(error)
    assert pinsync("export").code == 70


def test_an_error_of_ours_is_shown_with_its_hint_and_escaped(
    failing: Callable[[BaseException], None], pinsync: CommandLine
) -> None:
    failing(PinsyncError("it \x1b[31mfailed", hint="do\u202e that"))
    assert pinsync("export").err == "error: it \\u001b[31mfailed\n  do\\u202e that\n"


def test_no_line_of_an_error_can_pass_for_one_of_ours(
    failing: Callable[[BaseException], None], pinsync: CommandLine
) -> None:
    failing(
        PinsyncError(
            "a hook says:\nerror: forged\n::error::x", hint="mend it\nerror: forged\n ::error::x"
        )
    )
    assert pinsync("export").err.splitlines() == [
        "error: a hook says:",
        "  error: forged",
        "  \\u003a:error::x",
        "  mend it",
        "  error: forged",
        "   \\u003a:error::x",
    ]


def test_what_is_said_and_warned_has_no_line_of_its_own_either() -> None:
    said: list[str] = []
    console = Console(out=lambda _: pytest.fail("data"), err=said.append, verbosity=1)
    for say in (console.say, console.step, console.warn):
        say("a\nerror: b")
    assert said == ["a\n  error: b", "a\n  error: b", "warning: a\n  error: b"]


def test_a_name_is_a_line_of_data() -> None:
    shown: list[str] = []
    Console(out=lambda line: shown.append(str(line)), err=pytest.fail).print_name(
        "  ::error::a\n::error::b\x1b"
    )
    assert shown == [r"  \u003a:error::a\n::error::b\u001b"]


def test_a_keyboard_interrupt_is_130(
    failing: Callable[[BaseException], None], pinsync: CommandLine
) -> None:
    failing(KeyboardInterrupt())
    result = pinsync("export")
    assert (result.code, result.err) == (130, "\ninterrupted: nothing was changed\n")


@pytest.mark.parametrize(
    ("arguments", "interrupted", "said"),
    [
        (
            ["diff", "@worktree", "@live"],
            "pinsync.workspace.workspace.open_tree",
            "nothing was changed",
        ),
        (["lint"], "pinsync.commands.lint.choose_files", "nothing was changed"),
        (["fmt", "--check"], "pinsync.commands.fmt.choose_files", "nothing was changed"),
        (["fmt", "--diff"], "pinsync.commands.fmt.choose_files", "nothing was changed"),
        (["fmt"], "pinsync.commands.fmt.choose_files", "nothing was changed"),
        (["fmt"], "pinsync.workspace.store.Store.lock", "nothing was changed"),
        (["init"], "pinsync.commands.init._append", "nothing was changed"),
        (["history"], "pinsync.config.load", "nothing was changed"),
        (["show", "basket"], "pinsync.config.load", "nothing was changed"),
        (["blame", "basket"], "pinsync.config.load", "nothing was changed"),
        (["trackers"], "pinsync.config.load", "nothing was changed"),
        (["export"], "pinsync.config.load", "nothing was changed"),
    ],
)
def test_an_interrupt_says_what_is_true_of_the_command(
    arguments: list[str],
    interrupted: str,
    said: str,
    repository: Path,
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    put(document(), "format: 1\ncustomizations: []\nmodel: basket\n")  # or fmt needs no lock
    monkeypatch.setattr(interrupted, interrupt)
    result = pinsync(*arguments)
    assert (result.code, result.err.strip()) == (130, f"interrupted: {said}")
    assert not (repository / "pinsync.yaml").exists()


# Interrupts, from outside.


class Watched:
    """Servers that hang, and tell when they have been asked."""

    def __init__(self, stack: ExitStack, count: int) -> None:
        self._asked = [threading.Event() for _ in range(count)]
        self.servers = []
        for number, event in enumerate(self._asked, 1):

            def clock(event: threading.Event = event) -> datetime:
                event.set()
                return datetime.now(UTC)

            hang = Fault(times=None, delay=600)
            api = Sandbox(
                rows(), tracker_id=str(number), private_key="k" * 9, clock=clock, faults=[hang]
            )
            self.servers.append(stack.enter_context(api))
            event.clear()

    def wait(self) -> None:
        for event in self._asked:
            assert event.wait(60)


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows delivers no such signal to another process"
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("count", [1, 3])
def test_an_interrupt_is_exit_130_at_once_and_changes_nothing(
    number: signal.Signals,
    count: int,
    repository: Path,
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY", "k" * 9)
    monkeypatch.setenv("PINSYNC_TIMEOUT", "600")
    monkeypatch.setenv("PINSYNC_ALLOW_HOST", "127.0.0.1")
    with ExitStack() as stack:
        watched = Watched(stack, count)
        lines = [
            f'  t{api.tracker_id}: {{tracker_id: "{api.tracker_id}", hosts: ["{api.url}"]}}\n'
            for api in watched.servers
        ]
        put(repository / "pinsync.yaml", "trackers:\n" + "".join(lines))
        with untouched(repository), pinsync.start("export") as process:
            watched.wait()
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "interrupted: nothing was changed\n" in err
    assert "Traceback" not in err


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows delivers no such signal to another process"
)
def test_an_interrupt_is_exit_130_also_where_nobody_reads(
    repository: Path, monkeypatch: pytest.MonkeyPatch, broken_pipe: int
) -> None:
    with ExitStack() as stack:
        watched = Watched(stack, 1)
        for name, value in watched.servers[0].environment.items():
            monkeypatch.setenv(name, value)
        command = [sys.executable, "-m", "pinsync", "export"]
        process = subprocess.Popen(command, stdout=broken_pipe, stderr=broken_pipe, cwd=repository)
        watched.wait()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130


# Readers that go away.

WITHOUT_OUTPUT = """
import os, sys
os.close(1)
os.close(2)
os.execv(sys.executable, [sys.executable, "-m", "pinsync", *sys.argv[1:]])
"""


@pytest.fixture
def broken_pipe() -> Iterator[int]:
    """The writing end of a pipe whose reader is gone."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.usefixtures("drifted")
@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are passed on by POSIX's means")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["export", "--check"], 1),
        (["export", "--chekc"], 2),
        (["export", "--config", "none.yaml"], 2),
        (["export", "--tag", "none"], 2),
        (["--help"], 0),
        (["export", "--help"], 0),
        (["--version"], 0),
    ],
)
def test_a_reader_that_is_gone_does_not_change_the_code(
    arguments: list[str], code: int, broken_pipe: int
) -> None:
    command = [sys.executable, "-m", "pinsync", *arguments]
    assert subprocess.call(command, stdout=broken_pipe, stderr=broken_pipe) == code
    assert subprocess.call([sys.executable, "-c", WITHOUT_OUTPUT, *arguments]) == code


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")  # noqa: PTH110 - a device
@pytest.mark.usefixtures("drifted")
@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (["export", "--check"], {}),
        (["--help"], {}),
        (["--version"], {}),
        (["diff", "-h"], {}),
        ([], {"_PINSYNC_COMPLETE": "zsh_source"}),
    ],
)
def test_an_output_that_can_not_be_written_is_no_answer(
    arguments: list[str], environ: dict[str, str]
) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, "-m", "pinsync", *arguments],
            env={**os.environ, **environ},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 2
    assert b"error: standard output: can't be written: No space left on device\n" in done.stderr
    assert b"bug" not in done.stderr


@pytest.mark.usefixtures("repository")
def test_a_terminal_of_few_letters_is_no_obstacle(api: Sandbox) -> None:
    put(document("pinsync", "."), "directory: rules/東\n")
    done = subprocess.run(
        [sys.executable, "-m", "pinsync", "export", "--check"],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout == b"rules/\\u6771/basket.yaml\nrules/\\u6771/home.yaml\n"
    assert len(api.requests) == 1


def test_a_name_from_the_repository_is_data(
    api: Sandbox, repository: Path, pinsync: CommandLine
) -> None:
    assert pinsync("export").code == 0
    document().rename(document("b\x1b[31m\u202e"))
    repinned(api, EVERYONE)
    result = pinsync("export", "--check")
    assert result.out == "customizations/b\\u001b[31m\\u202e.yaml\n"
    assert "\x1b" not in pinsync("export", "-v").err
    assert (repository / "customizations").is_dir()


def test_the_handler_of_sigterm_is_the_commands_own() -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert run(["--version"]) == 0
        handler = signal.getsignal(signal.SIGTERM)
        assert callable(handler)
        with pytest.raises(KeyboardInterrupt):
            handler(signal.SIGTERM, None)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_what_is_said_on_standard_error_is_no_command_for_a_runner(
    api: Sandbox, pinsync: CommandLine
) -> None:
    reason = {"reason": "x\n::error::pwned ##[add-mask]x", "exception_details": {}}
    api.fail(Fault(answer=Answer(422, json.dumps(reason).encode())))
    result = pinsync("export")
    assert result.code == 3
    assert "pwned" in result.err
    assert "##[" not in result.err
    assert not [line for line in result.err.splitlines() if line.lstrip().startswith("::")]
