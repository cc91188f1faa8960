"""``pinsync demo``: the main job on a throw-away repository and the sandbox, each step as the user would type it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pinsync.errors import PinsyncError
from pinsync.repository import clean_environment
from pinsync.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_IDENTITY = {"NAME": "Demo", "EMAIL": "demo@example.com"}


def demo(*, out: Callable[[str], None]) -> int:
    """Export, commit, change something "in the UI", and show what drifted.

    Args:
        out: takes a line of standard output.

    Raises:
        PinsyncError: a step failed; that is a bug.
    """
    with Sandbox() as api, tempfile.TemporaryDirectory(prefix="pinsync-demo-") as folder:
        shell = _Shell(Path(folder), _environment(api), out)
        out("# A local stand-in of the API with a sample shop; see `pinsync sandbox`.")
        for name, value in api.environment.items():
            out(f"$ export {name}={shlex.quote(value)}")
        shell.run("git init --quiet --initial-branch=main")
        shell.run("pinsync init")
        shell.run("pinsync export --commit")
        shell.run("git log --stat --format=%s")
        out("\n# Somebody changes three rules in the UI: a pin moves, one is added, one gets an end.")
        _change(api)
        shell.run("pinsync export")
        shell.run("git --no-pager diff")
        out("\n# The same as a report: what shoppers see differently from what is committed. Exit code 1 says: drift.")
        shell.run("pinsync diff", ends_with=1)
    return 0


def _change(api: Sandbox) -> None:
    rows = [row for row in api.customizations() if len(row.get("pin_definitions") or ()) > 1]
    moved, added, ended = rows[:3]
    first, second = moved["pin_definitions"][:2]
    first["position"], second["position"] = second["position"], first["position"]
    added["pin_definitions"].append({"position": 9, "pin_type": "item", "pin_identity": "/p/9999/"})
    ended["pin_definitions"][0]["active_to"] = "2026-01-01T00:00:00Z"
    for row in (moved, added, ended):
        api.replace(row)


def _environment(api: Sandbox) -> dict[str, str]:
    """The user's environment without their git settings, whose hooks and signing keys are none of the demo's."""
    outside = {name: value for name, value in clean_environment(os.environ).items() if not name.startswith("PINSYNC_")}
    identity = {f"GIT_{role}_{part}": text for role in ("AUTHOR", "COMMITTER") for part, text in _IDENTITY.items()}
    return outside | identity | api.environment | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


@dataclass(frozen=True, slots=True)
class _Shell:
    folder: Path
    environment: dict[str, str]
    out: Callable[[str], None]

    def run(self, command: str, *, ends_with: int = 0) -> None:
        """Show a command, run it, and show what it says; it must end with this exit code."""
        self.out(f"\n$ {command}")
        words: Sequence[str] = shlex.split(command)
        if words[0] == "pinsync":
            words = [sys.executable, "-m", "pinsync", *words[1:]]
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        if said := done.stdout.decode(errors="replace").rstrip("\n"):
            self.out(said)
        if done.returncode != ends_with:
            raise PinsyncError(f"`{command}` ended with exit code {done.returncode}")
