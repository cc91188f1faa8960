"""What the tests of CI files share: a shop, its repository, and a runner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pinsync.sandbox import Sandbox
from support.ci_files import KEY
from support.exporting import rows
from support.workflows import Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.command_line import CommandLine, Git


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The small shop; only its address is in the environment, as the rest comes from the settings
    of the code host.
    """
    with Sandbox(rows(), seed=1, private_key=KEY) as server:
        monkeypatch.setenv("PINSYNC_HOST", server.url)
        yield server


@pytest.fixture
def runner(
    api: Sandbox,
    repository: Path,
    pinsync: CommandLine,
    git: Git,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Runner:
    """A runner for the small shop's repository, which has been exported and pushed."""
    with monkeypatch.context() as patch:
        for name, value in api.environment.items():
            patch.setenv(name, value)
        assert pinsync("init").code == 0
        git("add", ".")
        git("commit", "--quiet", "-m", "Configure pinsync")
        assert pinsync("export", "--commit").code == 0
    origin = tmp_path / "origin.git"
    git("clone", "--quiet", "--bare", ".", str(origin))
    git("-C", str(origin), "config", "receive.advertisePushOptions", "true")
    git("remote", "add", "origin", str(origin))
    contexts = {
        "secrets.PINSYNC_PRIVATE_KEY": KEY,
        "vars.PINSYNC_TRACKER_ID": "",
        "vars.PINSYNC_PUBLIC_CALENDAR": "",
        "github.token": "a-token",
        "github.repository": "shop/pins",
        "github.ref_name": "main",
    }
    assert repository.is_dir()
    return Runner(tmp_path / "runner", origin, contexts)


@pytest.fixture
def pushed(git: Git) -> Callable[[str], None]:
    """Commit everything in the working tree onto a branch, push it, and go back to the main
    branch.
    """

    def push(branch: str) -> None:
        git("checkout", "--quiet", "-B", branch)
        git("add", "--all")
        git("commit", "--quiet", "--allow-empty", "-m", "Change")
        git("push", "--quiet", "origin", branch)
        git("checkout", "--quiet", "main")

    return push
