"""What other people do while an export runs: nothing of it is lost."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from pinsync.document.form import format_document
from pinsync.workspace import store
from support.exporting import STRINGS, document, edited, repinned

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git

REMARK = "# agreed with purchasing\n"
MODES = {
    "plain": ["export"],
    "commit": ["export", "--commit"],
    "branch": ["export", "--branch", "pins"],
}


def edit() -> None:
    path = document()
    path.write_text(REMARK + path.read_text())


def commit() -> None:
    edit()
    subprocess.run(["git", "commit", "--quiet", "-m", "By hand", str(document())], check=True)


class GitCalls:
    """Counts the processes of git, and lets something happen before one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.at = -1
        self.event: Callable[[], None] = edit
        start: Callable[..., None] = subprocess.Popen.__init__

        def counting(*arguments: object, **options: object) -> None:
            self.count += 1
            if self.count == self.at:
                self.event()
            start(*arguments, **options)

        monkeypatch.setattr(subprocess.Popen, "__init__", counting)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> GitCalls:
    return GitCalls(monkeypatch)


@pytest.mark.parametrize("event", [edit, commit])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("exported")
def test_nothing_is_lost_at_any_call_of_git(
    mode: str,
    event: Callable[[], None],
    api: Sandbox,
    pinsync: CommandLine,
    git: Git,
    calls: GitCalls,
) -> None:
    start = git("rev-parse", "HEAD")
    position = 1
    refused = 0
    while True:
        git("reset", "--quiet", "--hard", start)
        git("update-ref", "-d", "refs/heads/pins")
        position += 1
        repinned(api, STRINGS, position)
        calls.count, calls.at, calls.event = 0, position - 1, event
        result = pinsync(*MODES[mode])
        if calls.count < calls.at:
            break
        assert result.code in {0, 4}, result.err
        refused += result.code == 4
        assert REMARK in document().read_text(), f"call {calls.at}: {result.err}"
        if event is commit:
            assert REMARK in git("show", "HEAD:customizations/basket.yaml"), (
                f"call {calls.at}: {result.err}"
            )
        if mode == "branch" and git("branch", "--list", "pins"):
            built_on = git("show", "pins^:customizations/basket.yaml")
            assert (REMARK in built_on) == (
                REMARK in git("show", "pins:customizations/basket.yaml")
            )
    assert result.code == 0
    assert refused or (mode, event) == ("branch", edit), (
        "an edit of a file is no matter to a branch"
    )
    assert position > 10


@pytest.mark.parametrize("change", ["edited", "made", "removed"])
@pytest.mark.usefixtures("exported")
def test_a_file_that_changes_between_the_check_and_the_rename_is_left_as_it_is(
    change: str, api: Sandbox, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = document("new")
    edited(api, STRINGS, model="new")
    write = store._write_new

    def slow(path: Path, text: bytes, old: os.stat_result | None) -> None:
        write(path, text, old)
        if path.name.startswith(".basket.yaml."):
            if change == "edited":
                edit()
            elif change == "removed":
                document().unlink()
            else:
                new.write_text(REMARK)

    monkeypatch.setattr(store, "_write_new", slow)
    result = pinsync("export", "--commit")
    assert result.code == 4
    assert (
        f"{new if change == 'made' else document()} changed while pinsync was at work" in result.err
    )
    assert "run the command again" in result.err
    if change == "edited":
        assert document().read_text().startswith(REMARK)
    elif change == "made":
        assert new.read_text() == REMARK
    else:
        assert not document().exists()


@pytest.mark.usefixtures("exported")
def test_fmt_leaves_a_file_that_changed_meanwhile(pinsync: CommandLine) -> None:
    document().write_text(document().read_text().replace("/p/123/", '"/p/123/"'))

    def slow(text: bytes, source: str) -> bytes:
        if source.endswith("basket.yaml"):
            edit()
        return format_document(text, source)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pinsync.commands.fmt.format_document", slow)
        result = pinsync("fmt")
    assert result.code == 4
    assert document().read_text().startswith(REMARK)
    assert pinsync("fmt").code == 0
    assert document().read_text().startswith(REMARK)
