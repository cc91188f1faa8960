"""What the tests share: an environment of their own, a real repository, a running sandbox, and the
command line.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinsync import __version__
from pinsync.sandbox import Sandbox
from support.agreeing import OTHER, Shop, T, write
from support.browser import NO_CHROMIUM, Browser, find_chromium
from support.command_line import CommandLine, Git
from support.exporting import put, served
from support.golden import Golden
from support.moving import CONFIGURATION

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from support.command_line import Install

# A shell that runs the tests in the background has them ignore interrupts, and so would every
# process they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Hundreds of tests start pinsync as a process. Each would compile its modules anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_FOREIGN = ("PINSYNC_", "GIT_", "LUIGISBOX_", "XDG_", "SSL_CERT_")
_ALSO_FOREIGN = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "EMAIL")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes golden files."""
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files; review the changes"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests in a browser where there is none."""
    if find_chromium() is None:
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(NO_CHROMIUM))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> Generator[None, None, None]:
    """Say at the end of a run how many tests lacked a browser."""
    yield
    skipped = terminalreporter.stats.get("skipped", [])
    count = sum(NO_CHROMIUM in str(report.longrepr) for report in skipped)
    if count:
        terminalreporter.write_line(f"{count} tests in a browser were skipped: {NO_CHROMIUM}")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium without a window; only tests with the mark ``browser`` may ask for it."""
    chromium = find_chromium()
    assert chromium
    with Browser(chromium, tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture
def golden(pytestconfig: pytest.Config) -> Golden:
    """The comparison of a text with a golden file."""
    return Golden(pytestconfig.getoption("--update-golden"))


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the home folders of all tests."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, homes: Path) -> None:
    """No setting of the machine or of its user reaches a test: not theirs of git, of proxies, or of
    pinsync.
    """
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or name in _ALSO_FOREIGN or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    # Not mktemp() of pytest, which looks at all earlier folders for the next number.
    home = Path(tempfile.mkdtemp(dir=homes))
    monkeypatch.setenv("HOME", str(home))
    for name in ("CACHE", "CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def git() -> Git:
    """Git in the current folder."""
    return Git()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, git: Git) -> Path:
    """A real repository without commits, with an identity of its own; the current folder."""
    folder = (tmp_path / "repository").resolve()
    folder.mkdir()
    monkeypatch.chdir(folder)
    git("init", "--quiet", "--initial-branch=main")
    git("config", "user.name", "Test")
    git("config", "user.email", "test@example.com")
    git("config", "maintenance.auto", "false")  # or a newer git tidies up in the background
    return folder


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The sample shop on loopback; the environment points at it."""
    with Sandbox(seed=1) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def pinsync(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line."""
    return CommandLine(capsys)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The small shop on loopback; the environment points at it."""
    with served(monkeypatch) as server:
        yield server


@pytest.fixture
def exported(api: Sandbox, repository: Path, pinsync: CommandLine) -> Path:
    """A repository with a committed export of the small shop; the current folder."""
    assert pinsync("export", "--commit").code == 0
    assert len(api.requests) == 1
    return repository


@pytest.fixture
def shop(api: Sandbox, repository: Path, pinsync: CommandLine) -> Shop:
    """A shop and a repository whose record says that they agree on `agreeing.T`."""
    found = Shop(api, pinsync)
    put(repository / "pinsync.yaml", CONFIGURATION)
    write("Begin", T, OTHER, at=1)
    found.save(T, OTHER)
    found.export()
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder outside any repository, the current one."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a package of pinsync on the path, with the origin that pip notes; None for an index."""

    def install(origin: Mapping[str, object] | None, version: str = __version__) -> None:
        package = tmp_path / "site" / f"pinsync-{version}.dist-info"
        put(package / "METADATA", f"Metadata-Version: 2.1\nName: pinsync\nVersion: {version}\n")
        if origin is not None:
            put(package / "direct_url.json", json.dumps(origin))
        monkeypatch.syspath_prepend(str(package.parent))

    return install
