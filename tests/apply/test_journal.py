"""The files of a run: backup and journal, and what a journal says of a run that was killed."""

from __future__ import annotations

import json
import os
import stat
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from pinsync.apply.journal import (
    Journal,
    JournalEntry,
    describe_start,
    format_start,
    name_journal,
    read_journal,
    write_backup,
)
from pinsync.errors import FileError
from support.planning import make, plan

if TYPE_CHECKING:
    from pathlib import Path

STARTED = "20261130T153300.000000Z"
TARGET = ("item", "/p/1/", None)
# An update, a create and a delete.
GIT = [make("a", text="/p/8/"), make("gone", "/p/2/")]
LIVE = [make("a"), make("c", "/p/3/")]


def begin(folder: Path) -> Journal:
    journal = Journal(folder / name_journal("1234-5678", STARTED))
    operations, _ = plan(GIT, LIVE)
    journal.begin("1234-5678", STARTED, "https://host", "c0", operations)
    return journal


@pytest.mark.parametrize(
    ("started", "shown"),
    [(STARTED, "2026-11-30 15:33:00 UTC"), ("monday", "monday"), ("", "")],
)
def test_the_start_of_a_run_is_readable(started: str, shown: str) -> None:
    assert describe_start(started) == shown


def find_mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_start_is_a_moment_of_a_file_name() -> None:
    moment = datetime(2026, 11, 30, 16, 33, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    assert format_start(moment) == "20261130T153300.000005Z"
    assert name_journal("1-2", "x") == "journal-1-2-x.jsonl"


def test_a_backup_has_the_bytes_as_they_came(tmp_path: Path) -> None:
    body = b'{"results":\r\n [ ]}\x00\xff'
    folder = tmp_path / "state" / "apply"
    path = write_backup(folder, "1234-5678", STARTED, body)
    assert path == folder / f"backup-1234-5678-{STARTED}.json"
    assert path.read_bytes() == body
    assert find_mode(path) == 0o600
    assert find_mode(folder) == 0o700


def test_nobody_else_may_read_the_files_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = write_backup(tmp_path, "1-2", STARTED, b"")
        journal = begin(tmp_path)
        journal.close()
    finally:
        os.umask(before)
    assert find_mode(path) == find_mode(journal.path) == 0o600


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    write_backup(tmp_path, "1-2", STARTED, b"first")
    with pytest.raises(FileError, match="can't be written: File exists"):
        write_backup(tmp_path, "1-2", STARTED, b"second")
    begin(tmp_path).close()
    with pytest.raises(FileError, match="can't be written: File exists"):
        begin(tmp_path)


def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="can't be written: ") as caught:
        write_backup(tmp_path / "file" / "below", "1-2", STARTED, b"")
    assert caught.value.hint
    assert "--backup-dir" in caught.value.hint


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has /dev/full")
def test_a_full_disk_is_told_at_each_line_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = os.open

    def open_full(path: Path, flags: int, mode: int) -> int:
        assert path.parent == tmp_path
        assert mode == 0o600
        return original("/dev/full", flags & ~(os.O_CREAT | os.O_EXCL))

    monkeypatch.setattr(os, "open", open_full)
    with pytest.raises(FileError, match="No space left on device"):
        write_backup(tmp_path, "1-2", STARTED, b"x")
    journal = Journal(tmp_path / "journal")
    with pytest.raises(FileError, match="No space left on device"):
        journal.write("send", operations=[0])
    journal.write_end(3)
    # A run that ended doesn't fail because of its journal.
    journal.close()


def test_a_line_for_each_event(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    journal.write("send", operations=[0], call="PUT", rule_id="ž\n")
    journal.write_end(0)
    journal.close()
    first, second, last = map(json.loads, journal.path.read_text(encoding="utf-8").splitlines())
    assert first.pop("at")
    assert first == {
        "event": "begin",
        "version": 1,
        "tracker_id": "1234-5678",
        "started": STARTED,
        "host": "https://host",
        "source": "c0",
        "operations": [
            {
                "kind": "update",
                "rule_id": "a",
                "git_id": "a",
                "model": "basket",
                "target": ["item", "/p/1/", None],
                "before": LIVE[0].text.decode(),
                "after": GIT[0].text.decode(),
            },
            {
                "kind": "create",
                "rule_id": None,
                "git_id": "gone",
                "model": "basket",
                "target": ["item", "/p/2/", None],
                "before": None,
                "after": GIT[1].text.decode(),
            },
            {
                "kind": "delete",
                "rule_id": "c",
                "git_id": None,
                "model": "basket",
                "target": ["item", "/p/3/", None],
                "before": LIVE[1].text.decode(),
                "after": None,
            },
        ],
    }
    assert second["rule_id"] == "ž\n"
    assert last["event"] == "end"
    assert last["exit_code"] == 0


# The journal of a run that was killed.


def tell(folder: Path) -> list[tuple[str | None, str]]:
    """Return id and fate of each operation."""
    journal = read_journal(folder, "1234-5678", STARTED)
    assert journal
    assert journal.source == "c0"
    return [(entry.rule_id, entry.fate) for entry in journal.entries]


def test_what_a_journal_says_of_each_operation(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    assert tell(tmp_path) == [("a", "unsent"), (None, "unsent"), ("c", "unsent")]
    journal.write("send", operations=[0], call="PUT", rule_id="a")
    assert tell(tmp_path)[0] == ("a", "doubtful")
    journal.write("acknowledged", operations=[0])
    journal.write("send", operations=[1], call="POST")
    journal.write("lost", operations=[1], reason="x")
    assert tell(tmp_path) == [("a", "acknowledged"), (None, "doubtful"), ("c", "unsent")]
    journal.write("acknowledged", operations=[1], rule_id="b")
    journal.write("send", operations=[2], call="DELETE", rule_id="c")
    journal.write("refused", operations=[2], status=422)
    journal.write("unheard of", operations=[0, 1, 2])
    journal.write_end(3)
    journal.close()
    assert tell(tmp_path) == [("a", "acknowledged"), ("b", "acknowledged"), ("c", "unsent")]


def test_a_bulk_call_has_a_line_for_all_its_rules(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    journal.write("send", operations=[0, 1, 2], call="POST _bulk")
    journal.write("acknowledged", operations=[0, 2])
    journal.close()
    assert [fate for _, fate in tell(tmp_path)] == ["acknowledged", "doubtful", "acknowledged"]


def test_a_last_line_that_was_cut_off_does_not_count(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    journal.write("send", operations=[0], call="PUT", rule_id="a")
    journal.write("acknowledged", operations=[0])
    journal.close()
    whole = journal.path.read_bytes()
    last = whole[:-1].rfind(b"\n") + 1
    for end in range(last, len(whole)):
        journal.path.write_bytes(whole[:end])
        assert tell(tmp_path)[0] == ("a", "doubtful")


def test_the_entries_have_the_texts(tmp_path: Path) -> None:
    begin(tmp_path).close()
    journal = read_journal(tmp_path, "1234-5678", STARTED)
    assert journal
    before, after = LIVE[0].text.decode(), GIT[0].text.decode()
    assert journal.entries[0] == JournalEntry("update", "a", "a", "basket", TARGET, before, after)


def test_no_journal(tmp_path: Path) -> None:
    assert read_journal(tmp_path, "1234-5678", STARTED) is None
    (tmp_path / name_journal("1234-5678", STARTED)).mkdir()
    with pytest.raises(FileError, match="can't be read: Is a directory"):
        read_journal(tmp_path, "1234-5678", STARTED)


@pytest.mark.parametrize("started", ["", "x", "../x", "20261130T153300Z", f"{STARTED}\n", "\0"])
def test_a_start_of_another_form_has_no_journal(started: str, tmp_path: Path) -> None:
    assert read_journal(tmp_path, "1234-5678", started) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [('"version": 1', '"version": 2'), ('"1234-5678"', '"9-9"'), (STARTED, f"1{STARTED[1:]}")],
)
def test_the_journal_of_another_run(old: str, new: str, tmp_path: Path) -> None:
    journal = begin(tmp_path)
    journal.close()
    content = journal.path.read_text(encoding="utf-8").replace(old, new)
    journal.path.write_text(content, encoding="utf-8")
    with pytest.raises(FileError, match="is the journal of another run"):
        read_journal(tmp_path, "1234-5678", STARTED)


@pytest.mark.parametrize("content", [b"", b"{", b"{}\n", b"[]\n", b"\xff\n"])
def test_a_file_that_is_no_journal(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name_journal("1234-5678", STARTED)
    path.write_bytes(content)
    with pytest.raises(FileError, match="isn't a journal"):
        read_journal(tmp_path, "1234-5678", STARTED)


def test_a_damaged_line_in_the_middle(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    journal.write("send", operations=[0])
    journal.close()
    with journal.path.open("ab") as file:
        file.write(b'{"event": 1}\n{"event": "x"}\n')
    with pytest.raises(FileError, match="isn't a journal"):
        read_journal(tmp_path, "1234-5678", STARTED)
