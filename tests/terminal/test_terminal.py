"""Manners on a terminal: progress, colour, completion, suggestions, defaults in the help, and a
quiet end.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from pinsync.cli import cli
from pinsync.sandbox import Answer, Fault, Sandbox
from pinsync.terminal.progress import Progress
from support.exporting import STRINGS, put, repinned, rows, rule, served
from support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command_line import CommandLine, Git

CLEAR = "\r\x1b[K"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with served(monkeypatch) as server:
        yield server


class Terminal:
    """A process whose standard error, and output too if wanted, is a terminal of 60 columns."""

    def __init__(self, *arguments: str, out: bool = False) -> None:
        import fcntl  # noqa: PLC0415 - POSIX alone has these
        import struct  # noqa: PLC0415
        import termios  # noqa: PLC0415

        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pinsync", *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=theirs if out else subprocess.PIPE,
            stderr=theirs,
        )
        os.close(theirs)
        self.seen = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._ours, 4096)
            except OSError:  # Linux's way to say that the other end is closed
                break
            if not data:
                break
            self.seen += data.decode()

    def end(self) -> tuple[int, str, str]:
        """Wait for the end; return exit code, output, and what the terminal was sent."""
        out = self.process.communicate(timeout=60)[0] or b""
        self._reader.join()
        os.close(self._ours)
        return self.process.returncode, out.decode(), self.seen.replace("\r\n", "\n")

    def wait_for(self, text: str) -> None:
        """Wait until the terminal was sent a text."""
        while text not in self.seen:
            assert self.process.poll() is None, self.seen
            time.sleep(0.01)


def screen(sent: str) -> str:
    """What stays on the screen of what was sent."""
    return re.sub(r"[^\n]*\r\x1b\[K", "", sent)


# Progress.


@pytest.mark.usefixtures("repository", "api")
def test_progress_is_shown_and_gone_in_the_end() -> None:
    code, out, sent = Terminal("export").end()
    assert (code, out) == (0, "")
    for phase in ("fetching", "rendering", "writing"):
        assert f"{CLEAR}{phase} default" in sent
    assert (
        screen(sent)
        == "default: 3 added, 0 changed, 0 removed · 2 files written in customizations/\n"
    )


@pytest.mark.usefixtures("repository")
def test_a_report_on_the_same_terminal_is_not_disturbed(api: Sandbox, pinsync: CommandLine) -> None:
    assert pinsync("export").code == 0
    repinned(api, STRINGS)
    plain = pinsync("diff", "@worktree", "@live", "--no-color").out
    code, _, sent = Terminal("diff", "@worktree", "@live", "--no-color", out=True).end()
    assert f"{CLEAR}comparing default" in sent
    asked = r"asked [^·]*·\s+"
    assert (code, re.sub(asked, "", screen(sent))) == (1, re.sub(asked, "", plain))


@pytest.mark.usefixtures("repository", "api")
@pytest.mark.parametrize(
    ("arguments", "environ"),
    [(["-q"], {}), ([], {"CI": "true"}), ([], {"TERM": "dumb"})],
)
def test_progress_is_for_who_watches(
    arguments: list[str], environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    code, _, sent = Terminal("export", *arguments).end()
    assert (code, "\r" in sent, "fetching" in sent) == (0, False, False)


@pytest.mark.usefixtures("repository", "api")
def test_a_pipe_gets_no_progress(pinsync: CommandLine) -> None:
    result = pinsync.spawn("export")
    assert (result.code, result.out) == (0, "")
    assert (
        result.err
        == "default: 3 added, 0 changed, 0 removed · 2 files written in customizations/\n"
    )


@pytest.mark.usefixtures("repository")
def test_an_interrupt_clears_the_line_and_says_what_was_changed(api: Sandbox) -> None:
    api.fail(Fault(times=None, delay=600))
    terminal = Terminal("export")
    terminal.wait_for("fetching")
    terminal.process.send_signal(signal.SIGINT)
    code, _, sent = terminal.end()
    assert code == 130
    assert screen(sent).lstrip("\n") == "interrupted: nothing was changed\n"


def test_several_trackers_are_counted_and_a_line_never_wraps() -> None:
    sent: list[str] = []
    progress = Progress(sent.append, lambda: 40)
    names = [f"shop-{number}" for number in range(4)]
    with progress.show_phase("fetching", names) as done:
        done("shop-1")
        progress.clear()
        done("shop-0")
    done("shop-2")  # a thread that an interrupt has left behind
    assert sent == [
        f"{CLEAR}fetching 0 of 4 done, left: shop-0, sh…",
        f"{CLEAR}fetching 1 of 4 done, left: shop-0, sh…",
        CLEAR,
        f"{CLEAR}fetching 2 of 4 done, left: shop-2, sh…",
        CLEAR,
    ]
    assert all(len(text.removeprefix(CLEAR)) < 40 for text in sent)


@pytest.mark.parametrize("command", ["export", "diff @live @worktree"])
@pytest.mark.usefixtures("repository")
def test_a_download_says_how_much_has_come(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with served(
        monkeypatch, [rule(number, target_metadata={"title": "x" * 400}) for number in range(1000)]
    ):
        _, _, sent = Terminal(*command.split()).end()
    assert re.search(r"\r\x1b\[K(?:fetching|comparing) default \(0\.[1-9] MB\)", sent)


@pytest.mark.usefixtures("exported")
@pytest.mark.parametrize("command", ["items", "export --items"])
def test_a_look_up_says_which_page_was_read(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    products: dict[str, dict[str, object]] = {f"/x/{number}/": {} for number in range(1100)}
    with Sandbox(rows(), products=products) as api:
        monkeypatch.setenv("PINSYNC_HOST", api.url)
        code, _, sent = Terminal(*command.split()).end()
    assert code == 0
    for number in (1, 2, 3):
        assert f"{CLEAR}looking up items of default (page {number} of 3)" in sent
    assert "page" not in screen(sent)


def test_the_bytes_of_each_tracker_are_shown_once_there_are_many() -> None:
    sent: list[str] = []
    progress = Progress(sent.append, lambda: 80)
    with progress.show_phase("fetching", ["sk", "cz"]) as done:
        for count in (50_000, 1_000_000, 1_001_000, 2_345_678):
            progress.show_bytes("cz", count)
        done("cz")
    progress.show_bytes("sk", 5_000_000)  # a thread that an interrupt has left behind
    assert sent == [
        f"{CLEAR}fetching 0 of 2 done, left: sk, cz",
        f"{CLEAR}fetching 0 of 2 done, left: sk, cz (1.0 MB)",
        f"{CLEAR}fetching 0 of 2 done, left: sk, cz (2.3 MB)",
        f"{CLEAR}fetching 1 of 2 done, left: sk",
        CLEAR,
    ]


@pytest.mark.parametrize("command", ["export", "diff @worktree @live"])
@pytest.mark.usefixtures("repository")
def test_a_wait_is_shown_with_its_reason(command: str, api: Sandbox, pinsync: CommandLine) -> None:
    busy = Fault(answer=Answer(503, b"", {"Retry-After": "0"}))
    wait = rf"attempt 2 of 4 in [01]\.\d s: {api.url} answered 503 Service Unavailable"
    api.fail(busy)
    assert re.search(f"^default: {wait}$", pinsync(*command.split(), "-v").err, re.MULTILINE)
    api.fail(busy)
    assert "attempt" not in pinsync(*command.split()).err
    api.fail(busy)
    code, _, sent = Terminal(*command.split()).end()
    assert code in (0, 1)
    assert re.search(
        r"\r\x1b\[K(?:fetching|comparing) default \(attempt 2 of 4 in [01]\.\d s: http:", sent
    )
    assert "attempt" not in screen(sent)


def test_a_wait_is_gone_once_bytes_come() -> None:
    sent: list[str] = []
    progress = Progress(sent.append, lambda: 80)
    with progress.show_phase("fetching", ["sk"]):
        progress.show_wait("sk", "attempt 2 of 4 in 1.0 s: https://x says \x1b[2J")
        progress.show_bytes("sk", 0)
    assert sent == [
        f"{CLEAR}fetching sk",
        f"{CLEAR}fetching sk (attempt 2 of 4 in 1.0 s: https://x says \\u001b[2J)",
        f"{CLEAR}fetching sk",
        CLEAR,
    ]


def test_a_terminal_that_has_gone_is_no_failure() -> None:
    ours, theirs = os.openpty()
    stream = os.fdopen(theirs, "w", encoding="utf-8")
    progress = Progress.on_terminal(stream, {"TERM": "xterm"})
    assert progress
    os.close(ours)
    with progress.show_phase("fetching", ["shop"]) as done:
        progress.show_bytes("shop", 1_000_000)
        done("shop")
    with pytest.raises(OSError, match="Input/output error"):
        stream.close()  # what couldn't be sent


def test_progress_of_nothing_is_nothing() -> None:
    sent: list[str] = []
    with Progress(sent.append, lambda: 40).show_phase("writing", []):
        pass
    assert sent == []


# Errors.

WEB_PAGE = "answered with a web page where JSON was expected"
NO_FILE = "is a link, a folder or a device, expected a plain file"


@pytest.mark.parametrize("trackers", [1, 2])
@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("diff", WEB_PAGE),
        ("diff -v", WEB_PAGE),
        ("diff --summary", WEB_PAGE),
        ("export", WEB_PAGE),
        ("export -v", WEB_PAGE),
        ("export --check", WEB_PAGE),
        ("trackers --check", WEB_PAGE),
        ("diff @worktree HEAD", NO_FILE),
        ("lint", NO_FILE),
        ("lint -q", NO_FILE),
        ("fmt", NO_FILE),
        ("show basket", NO_FILE),
        ("diff none", "none names no commit"),
        ("lint --explain none", 'there is no lint rule "none"'),
        ("export --chekc", "no such option"),
    ],
)
def test_an_error_stands_once_on_a_terminal(
    command: str,
    error: str,
    trackers: int,
    api: Sandbox,
    exported: Path,
    monkeypatch: pytest.MonkeyPatch,
    git: Git,
) -> None:
    folder = "customizations"
    if trackers > 1:
        monkeypatch.setenv("PINSYNC_ALLOW_HOST", "127.0.0.1")
        hosts = f'hosts: ["{api.url}"]'
        lines = f"  sk: {{tracker_id: {api.tracker_id}}}\n  cz: {{tracker_id: 9-9, {hosts}}}\n"
        put(exported / "pinsync.yaml", f"trackers:\n{lines}")
        folder = "customizations/sk"
        git("add", "pinsync.yaml")
        git("commit", "--quiet", "--message", "Configure")
    if error == NO_FILE:
        (exported / folder / "basket.yaml").unlink(missing_ok=True)
        (exported / folder / "basket.yaml").mkdir(parents=True)
    api.fail(Fault(times=1, answer=Answer(200, b"<html>", {"Content-Type": "text/html"})))
    code, _, sent = Terminal(*command.split(), out=True).end()
    assert code in (2, 3)
    assert screen(sent).count(error) == 1, screen(sent)


@pytest.mark.usefixtures("exported")
@pytest.mark.parametrize(("command", "error"), [("diff", WEB_PAGE), ("lint", NO_FILE)])
def test_an_error_stands_in_a_piped_report_and_on_the_terminal(
    command: str, error: str, api: Sandbox
) -> None:
    if error == NO_FILE:
        Path("customizations/basket.yaml").unlink()
        Path("customizations/basket.yaml").mkdir()
    api.fail(Fault(times=1, answer=Answer(200, b"<html>", {"Content-Type": "text/html"})))
    _, out, sent = Terminal(command).end()
    assert (out.count(error), screen(sent).count(error)) == (1, 1)


# Colour.


@pytest.mark.usefixtures("repository", "api")
@pytest.mark.parametrize(
    ("environ", "arguments", "colored"),
    [
        ({}, [], True),
        ({"NO_COLOR": "1"}, [], False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, [], False),
        ({"TERM": "dumb"}, [], False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, [], True),
        ({"NO_COLOR": "1"}, ["--color"], True),
        ({}, ["--no-color"], False),
    ],
)
def test_colour_on_a_terminal(
    environ: dict[str, str], arguments: list[str], colored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    _, _, sent = Terminal("export", "--tracker", "none", *arguments).end()
    assert ("\x1b[31merror:" in sent) is colored


@pytest.mark.usefixtures("repository", "api")
def test_colour_in_a_pipe_is_asked_for(pinsync: CommandLine) -> None:
    for environ, colored in (
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ):
        assert (
            "\x1b[" in pinsync.spawn("export", "--tracker", "none", environ=environ).err
        ) is colored


# Completion.


def completed(
    shell: str, line: str, *, monkeypatch: pytest.MonkeyPatch, pinsync: CommandLine
) -> str:
    monkeypatch.setenv("_PINSYNC_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv(
        "COMP_CWORD", line.rpartition(" ")[2] if shell == "fish" else str(line.count(" "))
    )
    result = pinsync()
    assert (result.code, result.err) == (0, "")
    return result.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script_and_its_words(
    shell: str, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_PINSYNC_COMPLETE", f"{shell}_source")
    script = pinsync()
    assert (script.code, script.err) == (0, "")
    assert f"{shell}_complete" in script.out
    for line, expected in (
        ("pinsync ex", "export"),
        ("pinsync diff --fo", "--format"),
        ("pinsync diff --format sar", "sarif"),
        ("pinsync init --ci gitl", "gitlab"),
    ):
        assert expected in completed(shell, line, monkeypatch=monkeypatch, pinsync=pinsync)
    assert "export" not in completed(
        shell, "pinsync exprot --", monkeypatch=monkeypatch, pinsync=pinsync
    )


@pytest.mark.usefixtures("exported")
def test_a_shell_gets_what_is_there(pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    put(
        Path("shop.yaml"),
        (
            "trackers: {shop-sk: {tracker_id: 1-2}, shop-cz: {tracker_id: 1-3}, other: "
            "{tracker_id: 1-4}}"
        ),
    )
    for name in ("a%20b", "x%24%28touch%20pwned%29", "%2Drf", "home~0123"):
        put(Path("customizations", f"{name}.yaml"), "")
    for line, expected in (
        ("pinsync fmt cus", ["file,cus"]),
        ("pinsync lint ./", ["file,./"]),
        ("pinsync diff @w", ["plain,@worktree"]),
        ("pinsync diff back", ["file,back"]),
        ("pinsync diff --config shop.yaml --tracker shop", ["plain,shop-sk", "plain,shop-cz"]),
        ("pinsync diff --config none.yaml --tracker shop", []),
        ("pinsync show ", ["plain,basket", "plain,home"]),
        ("pinsync export --model h", ["plain,home"]),
        ("pinsync lint --select syntax,duplicate-i", ["plain,syntax,duplicate-id"]),
        ("pinsync lint --explain self", ["plain,self-pin"]),
        ("pinsync -", ["plain,-C", "plain,--version", "plain,-h", "plain,--help"]),
        ("pinsync -C cust", ["dir,cust"]),
        ("pinsync -C . -C customizations show h", ["plain,home"]),
        ("pinsync -C customizations diff --config ../shop.yaml --tracker o", ["plain,other"]),
        ("pinsync -C none show h", ["plain,home"]),
    ):
        assert completed("bash", line, monkeypatch=monkeypatch, pinsync=pinsync).split("\n")[
            :-1
        ] == (expected or [""]), line


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("tra", "trackers"),
        ("diff @l", "@live"),
        ("lint --explain s", "syntax schema several-for-all self-pin"),
    ],
)
def test_completion_in_a_real_bash(
    words: str, completed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    script = f"""
        eval "$(_PINSYNC_COMPLETE=bash_source pinsync)"
        COMP_WORDS=(pinsync {words}) COMP_CWORD={len(words.split())}
        $(complete -p pinsync | sed 's/.*-F \\([^ ]*\\).*/\\1/') pinsync
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == set(completed.split())


# Suggestions.


@pytest.mark.parametrize(
    ("arguments", "suggested"),
    [
        (["exprot"], '"export"'),
        (["export", "--chekc"], '"--check"'),
        (["diff", "--format", "jsno"], '"json"'),
        (["diff", "--report", "markdwon=x.md"], '"markdown"'),
        (["diff", "--fail-on", "edted"], '"edited"'),
        (["init", "--ci", "gihtub"], '"github"'),
        (["export", "--tracker", "shop-sl"], '"shop-sk"'),
        (["diff", "--tracker", "shop-sl"], '"shop-sk"'),
        (["lint", "--select", "duplicate-idd"], '"duplicate-id"'),
        (["sandbox", "--prot", "80"], '"--port"'),
    ],
)
@pytest.mark.usefixtures("api")
def test_what_is_mistyped_gets_a_suggestion(
    arguments: list[str], suggested: str, repository: Path, pinsync: CommandLine
) -> None:
    put(repository / "pinsync.yaml", "trackers: {shop-sk: {tracker_id: 1234-5678}}\n")
    result = pinsync(*arguments)
    assert (result.code, result.out) == (2, "")
    assert re.search(rf"[Dd]id you mean.* {suggested}", result.err), result.err


def test_what_is_like_nothing_gets_the_list(pinsync: CommandLine) -> None:
    assert "known: github, gitlab" in pinsync("init", "--ci", "x").err


# Help.


def every_option() -> Iterator[tuple[str, click.Option]]:
    for name, command in sorted(cli.commands.items()):
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield name, parameter


@pytest.mark.parametrize(
    ("command", "option"), list(every_option()), ids=lambda part: getattr(part, "name", part)
)
def test_the_help_of_an_option_says_its_default(command: str, option: click.Option) -> None:
    if option.is_flag and not option.secondary_opts:
        assert not option.get_default(click.Context(cli.commands[command])), (
            f"{command} {option.opts[0]}"
        )
        assert "off unless it is given" in (cli.epilog or "")
    else:
        assert re.search("by default|default: ", option.help or ""), (
            f"{command} {option.opts[0]}: {option.help}"
        )


# The end.


@pytest.mark.usefixtures("repository", "api")
def test_a_reader_that_has_seen_enough_ends_it_quietly(pinsync: CommandLine) -> None:
    assert pinsync("export").code == 0
    for path in Path("customizations").iterdir():
        path.unlink()
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "pinsync", "diff", "@worktree", "@live"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def test_an_apply_counts_its_rules_and_estimates_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("pinsync.terminal.progress.time.monotonic", lambda: now[0])
    sent: list[str] = []
    progress = Progress(sent.append, lambda: 80)
    with progress.show_phase("applying", ["shop"]):
        progress.show_count("shop", 0, 1200)
        assert sent[-1].endswith("applying shop (0 of 1,200 rules)")
        # The first moments give no estimate.
        now[0] = 1.0
        progress.show_count("shop", 10, 1200)
        assert sent[-1].endswith("applying shop (10 of 1,200 rules)")
        now[0] = 10.0
        progress.show_count("shop", 200, 1200)
        assert sent[-1].endswith("applying shop (200 of 1,200 rules, about 50 s left)")
        progress.show_count("shop", 1200, 1200)
        assert sent[-1].endswith("applying shop (1,200 of 1,200 rules)")
