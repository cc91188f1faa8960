"""What child processes inherit: never a private key, and all else that they rely on."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from pinsync import config, environment
from support.exporting import BASKET_TEXT, STRINGS, put, repinned
from support.terminals import Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git

CONFIGURATION = """\
format: 1
trackers:
  sk:
    tracker_id: {tracker_id}
    private_key_env: LB_KEY_SK
  cz:
    tracker_id: 9999-1
    private_key_env: LB_KEY_CZ
"""
UNREADABLE = "format: 1\ntrackers:\n  old: {{private_key_env: '{name}', tracker_id: [\n"
GIT = shutil.which("git")
# A signature that satisfies git; the status goes where --status-fd=2 says.
SIGN = "cat >/dev/null; echo; echo '[GNUPG:] SIG_CREATED ' >&2; echo signature"


class Recorder:
    """Programs that write down the environment that they are given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def program(self, name: str, script: str = "", place: Path | None = None) -> Path:
        """Make a program that records its environment under a name, and then runs a script."""
        text = f'#!/bin/sh\nenv >>"{self.folder}/{name}.seen"\n{script}\n'
        program = put(place or self.folder / name, text)
        program.chmod(0o755)
        return program

    def seen(self, name: str) -> dict[str, str]:
        """Return the variables that a program was given, over all of its runs."""
        lines = (self.folder / f"{name}.seen").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path / "programs")


@pytest.fixture
def shop(api: Sandbox, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose configuration names two keys; the environment holds them and what else a
    user has.
    """
    put(repository / "pinsync.yaml", CONFIGURATION.format(tracker_id=api.tracker_id))
    monkeypatch.setenv("LB_KEY_SK", api.private_key)
    monkeypatch.setenv("LB_KEY_CZ", "the key of another tracker")
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY", "the key by default")
    monkeypatch.setenv("PINSYNC_PRIVATE_KEY_FILE", "/where/the/key/is")
    monkeypatch.setenv("VAULT_LOGIN", "for other programs")
    return repository


def assert_keyless(seen: dict[str, str]) -> None:
    assert not seen.keys() & {"LB_KEY_SK", "LB_KEY_CZ", "PINSYNC_PRIVATE_KEY"}
    assert seen["PINSYNC_PRIVATE_KEY_FILE"] == "/where/the/key/is"
    assert seen["VAULT_LOGIN"] == "for other programs"
    assert seen["PATH"].endswith(os.environ["PATH"])


def test_what_git_starts_gets_no_key(
    shop: Path, recorder: Recorder, pinsync: CommandLine, git: Git
) -> None:
    hooks = ("pre-commit", "commit-msg", "post-commit", "reference-transaction")
    for name in hooks:
        recorder.program(name, place=shop / ".git/hooks" / name)
    put(shop / ".gitattributes", "*.yaml filter=mark\n")
    git("config", "filter.mark.clean", f"{recorder.program('clean', 'cat')}")
    git("config", "core.fsmonitor", f"{recorder.program('fsmonitor', 'exit 1')}")
    git("config", "gpg.program", f"{recorder.program('gpg', SIGN)}")
    git("config", "commit.gpgSign", "true")
    result = pinsync("export", "--commit", "--tracker", "sk")
    assert result.code == 0, result.err
    for name in (*hooks, "clean", "fsmonitor", "gpg"):
        assert_keyless(recorder.seen(name))
    assert os.environ["PINSYNC_PRIVATE_KEY"] == "the key by default", (
        "pinsync itself keeps its keys"
    )
    assert pinsync("diff", "--tracker", "sk").code == 0


def test_git_itself_gets_no_key(
    shop: Path, recorder: Recorder, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In processes of their own, since GitPython runs git when it is imported."""
    program = recorder.program("git", f'echo "$*" >>"{recorder.folder}/commands"; exec {GIT} "$@"')
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    assert pinsync.spawn("export", "--branch", "pins", "--tracker", "sk").code == 2, (
        "there is no commit yet"
    )
    assert pinsync.spawn("export", "--commit", "--tracker", "sk").code == 0
    assert pinsync.spawn("history").code == 0
    assert_keyless(recorder.seen("git"))
    commands = (recorder.folder / "commands").read_text().splitlines()
    assert "version" in commands, "GitPython makes the commit"
    assert all(
        "-c safe.bareRepository=explicit" in command for command in commands if command != "version"
    )
    assert shop.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
def test_a_pager_gets_no_key(shop: Path, recorder: Recorder, git: Git) -> None:
    put(shop / "customizations/sk/basket.yaml", BASKET_TEXT)
    git("config", "core.pager", f"{recorder.program('pager', 'cat')} --option")
    code, sent, err = Terminal(environ={}).end()
    assert (code, err) == (0, "")
    assert "basket" in sent
    assert_keyless(recorder.seen("pager"))


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
def test_nor_a_key_that_only_an_older_configuration_names(
    shop: Path, recorder: Recorder, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = (shop / "pinsync.yaml").read_text()
    put(shop / "pinsync.yaml", current.replace("LB_KEY_CZ", "OLD_KEY"))
    put(shop / "customizations/sk/basket.yaml", BASKET_TEXT)
    git("add", ".")
    git("commit", "--quiet", "-m", "Old")
    put(shop / "pinsync.yaml", current)
    monkeypatch.setenv("OLD_KEY", "the key before")
    monkeypatch.setenv("GIT_PAGER", f"{recorder.program('pager', 'cat')} --option")
    assert Terminal("--rev", "HEAD", environ={}).end()[0] == 0
    assert_keyless(recorder.seen("pager"))
    assert "OLD_KEY" not in recorder.seen("pager")


def test_nor_one_that_a_configuration_names_which_can_not_be_read(
    shop: Path, recorder: Recorder, pinsync: CommandLine, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = (shop / "pinsync.yaml").read_text()
    put(shop / "pinsync.yaml", UNREADABLE.format(name="OLD_KEY"))
    git("add", ".")
    git("commit", "--quiet", "-m", "Broken")
    put(shop / "pinsync.yaml", current)
    monkeypatch.setenv("OLD_KEY", "the key before")
    recorder.program("pre-commit", place=shop / ".git/hooks/pre-commit")
    result = pinsync("export", "--commit", "--tracker", "sk")
    assert result.code == 0, result.err
    assert_keyless(recorder.seen("pre-commit"))
    assert "OLD_KEY" not in recorder.seen("pre-commit")


@pytest.mark.parametrize(
    "name", ["PATH", "HOME", "GIT_CONFIG_NOSYSTEM", "PINSYNC_PRIVATE_KEY_FILE"]
)
@pytest.mark.parametrize(
    "form", [UNREADABLE, "trackers: {{old: {{tracker_id: 1-1, private_key_env: {name}}}}}\n"]
)
def test_a_strangers_configuration_takes_nothing_from_git(
    name: str,
    form: str,
    shop: Path,
    recorder: Recorder,
    pinsync: CommandLine,
    git: Git,
) -> None:
    current = (shop / "pinsync.yaml").read_text()
    put(shop / "pinsync.yaml", form.format(name=name))
    git("add", ".")
    git("commit", "--quiet", "-m", "A stranger's")
    result = pinsync("export")
    assert result.code == 2
    put(shop / "pinsync.yaml", current)
    recorder.program("pre-commit", place=shop / ".git/hooks/pre-commit")
    result = pinsync("export", "--commit", "--tracker", "sk")
    assert result.code == 0, result.err
    assert_keyless(recorder.seen("pre-commit"))
    assert recorder.seen("pre-commit")[name].endswith(os.environ[name])


def test_the_command_that_gives_a_key_gets_no_other(shop: Path, recorder: Recorder) -> None:
    program = recorder.program("vault", "echo from-the-vault")
    settings = config.load(None, start=shop, environ=os.environ)
    environ = {**os.environ, "LB_KEY_SK": "", "LB_KEY_SK_COMMAND": str(program)}
    assert config.read_private_key(settings.trackers[0], environ) == "from-the-vault"
    seen = recorder.seen("vault")
    assert not seen.keys() & {"LB_KEY_SK", "LB_KEY_CZ", "PINSYNC_PRIVATE_KEY"}
    assert (seen["VAULT_LOGIN"], seen["PINSYNC_TRACKER_NAME"]) == ("for other programs", "sk")


@pytest.mark.parametrize("form", [CONFIGURATION, UNREADABLE], ids=["read", "not read"])
def test_the_command_of_the_sandbox_gets_the_sandboxs_key_alone(
    form: str, shop: Path, recorder: Recorder, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(shop / "pinsync.yaml", form.format(tracker_id="1234-5678", name="LB_KEY_SK"))
    for name in ("PINSYNC_PRIVATE_KEY_COMMAND", "LB_KEY_SK_FILE", "LB_KEY_SK_COMMAND"):
        monkeypatch.setenv(name, "leads to a key")
    (shop / "deeper").mkdir()
    monkeypatch.chdir(shop / "deeper")
    assert pinsync("sandbox", "--", str(recorder.program("command"))).code == 0
    seen = recorder.seen("command")
    keys = {name: value for name, value in seen.items() if "KEY" in name}
    if form is UNREADABLE:
        assert keys == {
            "PINSYNC_PRIVATE_KEY": "sandbox-private-key",
            "LB_KEY_CZ": "the key of another tracker",
        }
    else:
        assert keys == dict.fromkeys(
            ("PINSYNC_PRIVATE_KEY", "LB_KEY_SK", "LB_KEY_CZ"), "sandbox-private-key"
        )
    assert seen["VAULT_LOGIN"] == "for other programs"


def test_the_demo_gets_the_sandboxs_key_alone(
    shop: Path, recorder: Recorder, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = recorder.program("git", f'exec {GIT} "$@"')
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("LB_KEY_SK_FILE", "leads to a key")
    assert pinsync("demo").code == 0
    seen = recorder.seen("git")
    assert {name for name in seen if "KEY" in name} == {"PINSYNC_PRIVATE_KEY"}
    assert seen["PINSYNC_PRIVATE_KEY"] == "sandbox-private-key"
    assert shop.exists()


@pytest.mark.parametrize("name", ["LUIGISBOX_KEY_SK", "LB_SK", "KEY", "PINSYNC_PRIVATE_KEY_SK"])
def test_a_key_is_missing_while_a_command_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "a key")
    with environment.remove_keys():
        assert os.environ[name] == "a key"
        environment.keep_from_children(name)
        assert name not in os.environ
        assert environment.read_variables()[name] == "a key"
        assert name not in environment.build_child_environment(environment.read_variables())
    assert os.environ[name] == "a key"


@pytest.mark.parametrize(
    "name",
    ["PATH", "HOME", "GIT_DIR", "GIT_CONFIG_COUNT", "SSH_AUTH_SOCK", "GNUPGHOME", "LD_PRELOAD", "PYTHONPATH", "LC_ALL",
     "XDG_CONFIG_HOME", "HTTPS_PROXY", "SSL_CERT_FILE", "TMPDIR", "PINSYNC_HOST", "PINSYNC_PRIVATE_KEY_COMMAND",
     "PINSYNC_CONFIG", "PROMPT", "SUDO"],
)  # fmt: skip
def test_what_has_another_meaning_stays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "needed")
    with environment.remove_keys():
        environment.keep_from_children(name)
        assert (
            os.environ[name]
            == environment.build_child_environment({name: "needed"})[name]
            == "needed"
        )


def test_one_commands_configuration_is_none_of_the_next_ones(
    repository: Path,
    recorder: Recorder,
    api: Sandbox,
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SETTING", "of a hook")
    put(repository / "pinsync.yaml", "trackers: {x: {tracker_id: 1-1, private_key_env: SETTING}}\n")
    assert pinsync("trackers").code == 0
    assert os.environ["SETTING"] == "of a hook"
    (repository / "pinsync.yaml").unlink()
    recorder.program("pre-commit", place=repository / ".git/hooks/pre-commit")
    repinned(api, STRINGS)
    assert pinsync("export", "--commit").code == 0
    assert recorder.seen("pre-commit")["SETTING"] == "of a hook"
