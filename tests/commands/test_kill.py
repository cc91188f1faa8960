"""The export, killed before each rename and removal in turn: every file is whole, and the next run
completes.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from support.exporting import rows, rule, served

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import CommandLine

MOMENTS = 20
"""More than there are: two records of what was written, two files renamed, one removed, and their
temporary files.
"""

# In folder N an export is killed before its Nth rename or removal; in the one after the last of
# these, at the very end. Forked, so that Python starts but once.
KILLED = """
import json, os, signal, sys

from pinsync.__main__ import run
import pinsync.commands.export, pinsync.api

def killed_at(moment):
    seen = 0

    def count():
        nonlocal seen
        seen += 1
        if seen == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(call):
        def counting(*arguments, **options):
            count()
            return call(*arguments, **options)
        return counting

    for name in ("rename", "replace", "unlink", "remove"):
        setattr(os, name, counted(getattr(os, name)))
    code = run(["export", "-q"])
    count()
    os._exit(code)

statuses = []
for folder in sys.argv[1:]:
    child = os.fork()
    if not child:
        os.chdir(folder)
        killed_at(len(statuses) + 1)
    statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    if statuses[-1] != -signal.SIGKILL:
        break
print(json.dumps(statuses))
"""


def changed(position: int) -> list[dict[str, Any]]:
    """Return the shop with a rule changed, a model gone and another one added."""
    first, second, _ = rows()
    first["pin_definitions"][0]["position"] = position
    return [first, second, rule(5, "new")]


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "customizations").iterdir()}


def export(folder: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(folder)
    result = pinsync("export")
    assert result.code == 0, result.err
    return files(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither SIGKILL nor fork")
@pytest.mark.parametrize("git", [True, False], ids=["in a repository", "outside"])
def test_killed_before_any_rename_every_file_is_whole_and_the_next_run_completes(
    git: bool, tmp_path: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / str(moment) for moment in range(1, MOMENTS + 1)]
    with served(monkeypatch):
        for folder in folders:
            folder.mkdir()
            if git:
                subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
            before = export(folder, pinsync, monkeypatch)
    with served(monkeypatch, changed(7)):
        command = [sys.executable, "-c", KILLED, *map(str, folders)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        *statuses, last = json.loads(done.stdout or f"[{done.stderr!r}]")
        assert last == 0, done.stderr
        assert set(statuses) == {-signal.SIGKILL}
    new = files(folders[len(statuses)])
    states = []
    with served(
        monkeypatch, changed(9)
    ):  # live has gone on, so that what was written before is to be overwritten
        for folder in folders[: len(statuses)]:
            found = {name: text for name, text in files(folder).items() if not name.startswith(".")}
            assert all(text in (before.get(name), new.get(name)) for name, text in found.items())
            states.append(
                {name: "old" if text == before.get(name) else "new" for name, text in found.items()}
            )
            after = export(folder, pinsync, monkeypatch)  # without --force
            assert "position: 9" in after["basket.yaml"]
            assert sorted(after) == ["basket.yaml", "new.yaml"], "and without a leftover"
    assert states[0] == {"basket.yaml": "old", "home.yaml": "old"}
    assert {"basket.yaml": "new", "home.yaml": "old"} in states, "killed between two files"
    assert states[-1] == {"basket.yaml": "new", "new.yaml": "new"}
