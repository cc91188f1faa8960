"""``pinsync demo``: show the main commands in a temporary repository with the sandbox."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync.commands.sandbox import load_configured_trackers
from pinsync.environment import build_trial_environment
from pinsync.errors import PinsyncError, UsageError
from pinsync.escape import one_line
from pinsync.repository import clean_environment, make_temporary_folder
from pinsync.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

_PAGE: Final = "pins.html"
_OLD_ITEM: Final = b"pin_identity: /p/234/"
_NEW_ITEM: Final = b"pin_identity: /p/235/"
_IDENTITY: Final = {"NAME": "Demo", "EMAIL": "demo@example.com"}


def _read_clock() -> datetime:
    return datetime.now(UTC)


def demo(
    *,
    out: Callable[[str], None],
    keep: Path | None = None,
    clock: Callable[[], datetime] = _read_clock,
) -> int:
    """Export, commit, change rules "in the UI" and in git, show the drift, and apply.

    Args:
        out: prints a line on standard output.
        keep: the new or empty folder for the repository, which stays; None for a temporary folder.
        clock: returns the present; a pin will end in the year after it.

    Raises:
        RepositoryError: there is no place for a temporary folder.
        UsageError: the folder to keep isn't empty, or can't be made.
        PinsyncError: a step failed, which is a bug.
    """
    # The state of the applies: a lock, backups and journals.
    with Sandbox() as api, _open_folder(keep) as folder, make_temporary_folder({}) as state:
        environment = _build_environment(api) | {"XDG_STATE_HOME": str(state)}
        shell = _Shell(folder, environment, out)
        out("# A local stand-in of the API with a sample shop; see `pinsync sandbox`.")
        for name, value in api.environment.items():
            out(f"$ export {name}={shlex.quote(value)}")
        shell.run("git init --quiet --initial-branch=main")
        shell.run("pinsync init")
        shell.run("git add .")
        shell.run("git commit --quiet -m 'Configure pinsync'")
        shell.run("pinsync export --items --commit")
        shell.run("git show --stat --format=%s")
        changes = "two pins swap places, one is added, one is to end next year."
        out(f"\n# Somebody changes three rules in the UI: {changes}")
        out("# An export takes that into the files, and touches nothing else in them.")
        _change_rules(api, f"{clock().year + 1}-07-01T00:00:00Z")
        shell.run("pinsync export")
        shell.run("git --no-pager diff")
        remark = "Exit code 1 says so to a job."
        out(f"\n# None of this is committed yet, so live still differs from git. {remark}")
        if keep is None:
            page = "As a page for a browser: pinsync demo --keep DIR"
            command = "pinsync diff"
        else:
            page = f"Open {one_line(str(folder / _PAGE))} in a browser for the same as a page."
            command = f"pinsync diff --report html={_PAGE}"
        out(f"# {page}")
        shell.run(command, ends_with=1, shows_code=True)
        _walk_the_loop(shell, api)
    return 0


def _open_folder(keep: Path | None) -> AbstractContextManager[Path]:
    if keep is None:
        return make_temporary_folder({})
    try:
        keep.mkdir(parents=True, exist_ok=True)
        is_empty = not any(keep.iterdir())
    except OSError as error:
        raise UsageError(f"--keep {one_line(str(keep))}: {error.strerror}") from error
    if not is_empty:
        message = f"--keep {one_line(str(keep))}: the folder isn't empty"
        raise UsageError(message, hint="name a new or an empty folder")
    return nullcontext(keep.resolve())


def _change_rules(api: Sandbox, end: str) -> None:
    rows = [row for row in api.customizations() if len(row.get("pin_definitions") or ()) > 1]
    moved, added, ended = rows[:3]
    first, second = moved["pin_definitions"][:2]
    first["position"], second["position"] = second["position"], first["position"]
    added["pin_definitions"].append({"position": 9, "pin_type": "item", "pin_identity": "/p/235/"})
    ended["pin_definitions"][0]["active_to"] = end
    for row in (moved, added, ended):
        api.replace(row)


def _walk_the_loop(shell: _Shell, api: Sandbox) -> None:
    """Apply a change of git, and take back a change of the shop."""
    shell.out("\n# The changes are right, so git keeps them. Then somebody edits a rule in git.")
    shell.run("git commit --quiet --all -m 'Take over what the shop has'")
    _change_file(shell.folder)
    shell.run("git commit --quiet --all -m 'Pin the tuner'")
    shell.out("\n# Apply brings that to the shop. It shows a plan and asks; --yes is the answer.")
    shell.run("pinsync apply --yes")
    shell.out("\n# Somebody changes the rule in the UI. Apply leaves it alone unless told not to.")
    _undo_change(api)
    shell.run("pinsync plan --summary")
    shell.run("pinsync apply --overwrite-edits --yes")
    shell.run("pinsync diff")


def _change_file(folder: Path) -> None:
    """Pin another item in the first rule of a file that pins the old one."""
    path = folder / "customizations" / "basket.yaml"
    text = path.read_bytes()
    path.write_bytes(text.replace(_OLD_ITEM, _NEW_ITEM, 1))


def _undo_change(api: Sandbox) -> None:
    """Pin the old item again in the rule that was applied."""
    for row in api.customizations():
        first, *_ = row.get("pin_definitions") or [{}]
        if row["model"] == "basket" and first.get("pin_identity") == "/p/235/":
            first["pin_identity"] = "/p/234/"
            api.replace(row)
            return


def _build_environment(api: Sandbox) -> dict[str, str]:
    """Return the user's environment without their keys and git settings."""
    # Loading the trackers registers their keys, so that `build_trial_environment` omits them.
    load_configured_trackers()
    trial = clean_environment(build_trial_environment(os.environ))
    environment = {name: value for name, value in trial.items() if not name.startswith("PINSYNC_")}
    for part, text in _IDENTITY.items():
        environment[f"GIT_AUTHOR_{part}"] = text
        environment[f"GIT_COMMITTER_{part}"] = text
    # `_Shell` expects UTF-8; otherwise git and pinsync use the encoding of the console.
    settings = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PYTHONIOENCODING": "utf-8",
    }
    return environment | api.environment | settings


class _Shell(Struct, frozen=True):
    folder: Path
    environment: dict[str, str]
    out: Callable[[str], None]

    def run(self, command: str, *, ends_with: int = 0, shows_code: bool = False) -> None:
        """Print a command, run it, print its output, and check its exit code."""
        self.out(f"\n$ {command}{'; echo $?' if shows_code else ''}")
        words: Sequence[str] = shlex.split(command)
        if words[0] == "pinsync":
            words = [sys.executable, "-m", "pinsync", *words[1:]]
        process = subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, check=False
        )
        # The remarks first, so that the report stands at the end.
        if output := (process.stderr + process.stdout).decode(errors="replace").rstrip("\n"):
            self.out(output)
        if shows_code:
            self.out(str(process.returncode))
        if process.returncode != ends_with:
            raise PinsyncError(f"`{command}` ended with exit code {process.returncode}")
