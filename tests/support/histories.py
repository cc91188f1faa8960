"""What the tests of history share: documents and commits in a line each, and a log read back."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pinsync.canonical import normalize
from pinsync.document.record import render_document
from support.exporting import put
from support.schemas import check_report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.command_line import CommandLine

Record = dict[str, Any]

BASKET = "customizations/basket.yaml"
HOME = "customizations/home.yaml"


def rule(number: int, *pins: str | Record, **fields: object) -> Record:
    """A rule for the item ``/p/NUMBER/``; pins are items at 1, 2, 3 …, or as they are given."""
    shelf = [
        {"position": at, "pin_type": "item", "pin_identity": pin} if isinstance(pin, str) else pin
        for at, pin in enumerate(pins, 1)
    ]
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "target_type": "item",
        "target_identity": f"/p/{number}/",
        "pin_definitions": shelf,
        **fields,
    }


def text(model: str, *rules: Record) -> str:
    """A document of these rules, with or without an id."""
    items = [normalize.build_customization(row, model=model) for row in rules]
    return render_document(model, items).decode()


def commit(
    message: str,
    files: Mapping[str, str | bytes | None] | None = None,
    *,
    author: str = "",
    at: int = 0,
) -> str:
    """Write or remove files and commit all there is; return the full hash.

    Args:
        message: the message.
        files: path → content, or None to remove it.
        author: ``Name <address>``; by default git's own.
        at: when, in hours after the beginning of 2026; by default now.
    """
    for name, content in (files or {}).items():
        if content is None:
            Path(name).unlink()
        else:
            put(Path(name), content)
    moment = f"{1767225600 + at * 3600} +0000"
    options = [f"--author={author}"] if author else []
    options += [f"--date={moment}"] if at else []
    run("add", "--all")
    environ = {"GIT_COMMITTER_DATE": moment} if at else {}
    run(
        "commit",
        "--quiet",
        "--allow-empty",
        "--allow-empty-message",
        f"--message={message}",
        *options,
        **environ,
    )
    return run("rev-parse", "HEAD")


def run(*arguments: str, **environ: str) -> str:
    """Run a git command that must succeed."""
    done = subprocess.run(
        ["git", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.removesuffix("\n")


@dataclass(frozen=True, slots=True)
class Told:
    """A log: as JSON, and what was said besides."""

    record: Record
    err: str

    @property
    def subjects(self) -> list[str]:
        """The subjects, the newest first."""
        return [found["subject"] for found in self.record["commits"]]

    @property
    def changes(self) -> dict[str, list[str]]:
        """By subject, each change in a line: ``changed basket /p/1/: moved /p/2/``."""
        return {
            found["subject"]: [
                line for each in found["trackers"] for line in map(told, each["changes"])
            ]
            for found in self.record["commits"]
        }

    @property
    def notes(self) -> dict[str, list[str]]:
        """By subject, the notes of those that have any."""
        return {
            found["subject"]: found["notes"] for found in self.record["commits"] if found["notes"]
        }


def told(change: Record) -> str:
    """A change in a line."""
    target = change["target_identity"] or change["target_type"]
    pins = [
        f"{pin['kind']} {pin.get('to', pin.get('from')).get('pin_identity')}"
        for pin in change["pins"]
    ]
    fields = [".".join(map(str, field["path"])) for field in change["fields"]]
    whole = change["kind"] in ("added", "removed")
    return f"{change['kind']} {change['model']} {target}" + (
        "" if whole else f": {', '.join([*pins, *fields])}"
    )


def log(pinsync: CommandLine, *arguments: str) -> Told:
    """Run ``pinsync history``, which must succeed, and read its JSON."""
    result = pinsync("history", "--format", "json", *arguments)
    assert result.code == 0, result.err
    record = json.loads(result.out)
    check_report("history", record)
    return Told(record, result.err)


def places(told_: Told) -> dict[str, list[str]]:
    """By subject, where the changed rules stand."""
    return {
        found["subject"]: [
            f"{change['file']}:{change['line']}"
            for each in found["trackers"]
            for change in each["changes"]
        ]
        for found in told_.record["commits"]
    }


def configuration(*names: str, directory: str = "customizations", more: str = "") -> str:
    """A configuration of trackers."""
    trackers = "".join(f"  {name}:\n    tracker_id: id-{name}\n" for name in names)
    return f"format: 1\ndirectory: {PurePosixPath(directory)}\ntrackers:\n{trackers}{more}"
