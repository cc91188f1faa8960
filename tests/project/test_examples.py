"""The example reports are what pinsync says of the sample shop after an afternoon's work in the
UI.
"""

from __future__ import annotations

import re
import shlex
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pinsync import api
from pinsync.sandbox import Sandbox
from support.diffing import checked
from support.paths import EXAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from support.command_line import CommandLine, Git

REPORTS = EXAMPLES / "reports"
CREATED = datetime(2026, 10, 5, 9, tzinfo=UTC)
EXPORTED = "2026-11-12T08:30:00Z"
MERGED = "2026-11-18T10:00:00Z"
EDITED = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
FETCHED = datetime(2026, 11, 21, 17, 55, tzinfo=UTC)
BESTSELLERS = "4b626c23-c9a8-4341-a082-f3a874f82ad2"

Row = dict[str, Any]


def work_in_the_ui(shop: Sandbox) -> None:
    """One change of each kind; examples/README.md tells them."""
    rules = {(row["model"], row.get("target_identity")): row for row in shop.customizations()}
    strings = rules["basket", "/p/123/"]
    del strings["pin_definitions"][0]["active_to"]
    heavy = {**rules["basket", "/p/122/"], "tags": ["strings"]}
    complements = rules["item_detail_complements", "/p/101/"]
    first, second = complements["pin_definitions"][:2]
    first["position"], second["position"] = second["position"], first["position"]
    neighbours = rules["item_detail_alternatives", "/p/102/"]
    neighbours["pin_definitions"][0]["pin_identity"] = "/p/108/"
    bestsellers = shop.get(BESTSELLERS)
    bestsellers["pin_definitions"].append(pin(5, "/p/108/", widget_id="bestsellers"))
    for row in (strings, heavy, complements, neighbours, bestsellers):
        shop.replace(row)
    shop.delete(rules["basket", "/p/313/"]["id"])
    shop.create(
        {
            "model": "basket",
            "target_type": "item",
            "target_identity": "/p/206/",
            "target_metadata": {"title": "Elektronická bicia súprava E-2"},
            "pin_definitions": [pin(1, "/p/239/"), pin(2, "/p/236/")],
        }
    )
    again = rules["item_detail_alternatives", "/p/101/"]
    shop.delete(again["id"])
    shop.create(again)


def pin(position: int, identity: str, **fields: str) -> Row:
    return {"position": position, "pin_type": "item", "pin_identity": identity, **fields}


@pytest.fixture
def committed(repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example repository: an export, and a change that isn't in the shop yet."""
    shutil.copytree(EXAMPLES / "shop", repository, dirs_exist_ok=True)
    git("add", ".")
    commit(git, monkeypatch, EXPORTED, "Jana Nová", "Export pins\n\nPinsync-Export: 1234-5678")
    alternatives = repository / "customizations" / "item_detail_alternatives.yaml"
    text = alternatives.read_text(encoding="utf-8")
    head, rule, rest = text.partition("    target_identity: /p/105/\n")
    changed = rest.replace("pin_identity: /p/106/", "pin_identity: /p/104/", 1)
    alternatives.write_text(head + rule + changed, encoding="utf-8")
    git("add", ".")
    commit(git, monkeypatch, MERGED, "Petr Malý", "Show the black Kestrel beside the white one")
    return repository


def commit(git: Git, monkeypatch: pytest.MonkeyPatch, date: str, author: str, text: str) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_DATE", date)
    git("commit", "--quiet", f"--author={author} <shop@example.com>", "--message", text)


def test_the_reports_are_what_the_command_writes(
    committed: Path, git: Git, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = CREATED
    monkeypatch.setitem(api.export.__kwdefaults__ or {}, "clock", lambda: now)
    (command,) = re.findall(
        r"^pinsync (diff .*)$", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    with Sandbox(seed=1, clock=lambda: now) as shop:
        for name, value in shop.environment.items():
            monkeypatch.setenv(name, value)
        now = EDITED
        work_in_the_ui(shop)
        now = FETCHED
        result = pinsync(*shlex.split(command))
        assert (result.code, result.err) == (1, "")
        written = {
            line[3:]: (committed / line[3:]).read_bytes()
            for line in git("status", "--short").splitlines()
        }
        kept = {file.name: file.read_bytes() for file in REPORTS.iterdir()}
        assert written == kept, (
            f"if that is meant, copy drift.* from {committed} to examples/reports/"
        )
        assert result.out.encode() == kept["drift.txt"]
        git("apply", "drift.patch")
        assert pinsync("diff", "@live", "@worktree").code == 0, (
            "the patch makes the files those of the shop"
        )


def test_the_json_report_keeps_the_contract() -> None:
    record = checked((REPORTS / "drift.json").read_text(encoding="utf-8"))
    changes = record["trackers"][0]["changes"]
    assert {change["kind"] for change in changes} == {"added", "removed", "changed", "recreated"}
    assert {change["effect"] for change in changes} == {"shown", "label"}
    kinds = {
        pin["kind"] for change in changes for pin in change["pins"] if change["kind"] == "changed"
    }
    assert kinds == {"added", "moved", "replaced", "changed"}
