"""Applies and the record of agreement: entries, machines that meet, and runs that were killed."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.agreement.record import BegunOperation
from pinsync.apply.journal import name_journal
from pinsync.repository import Repository
from pinsync.workspace.machine import find_apply_folder, lock_tracker
from support.agreeing import (
    OTHER,
    REFERENCE,
    S2,
    S,
    T,
    read_entries,
    read_record,
    without_id,
    write,
)
from support.applying import (
    LONG_AGO,
    STARTED,
    add_remote,
    begin_plan,
    clone,
    leave_killed_run,
    open_shop,
    push,
)
from support.exporting import put
from support.histories import BASKET, commit, rule, run, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.applying import LiveShop
    from support.command_line import CommandLine

Row = dict[str, Any]

NEW = without_id(rule(3, "/p/7/"))
UPDATE = BegunOperation("update", T["id"], "basket", ("item", "/p/1/", None))
CREATE = BegunOperation("create", None, "basket", ("item", "/p/3/", None))


def read_remote(remote: Path) -> str:
    """Return the commit that the remote has as the record."""
    return run("--git-dir", str(remote), "for-each-ref", "--format=%(objectname)", REFERENCE)


def read_local() -> str:
    return run("for-each-ref", "--format=%(objectname)", REFERENCE)


# The entries.


def test_the_written_rules_have_their_entries(live: LiveShop) -> None:
    write("Swap, add and remove", S, NEW, at=0)
    head = run("rev-parse", "HEAD")
    live.apply("--delete")
    assert live.code == 0
    record = read_record()
    assert (record["source"], record["applied"]) == (head, head)
    assert "begun" not in record
    entries = read_entries()
    (created,) = [row["id"] for row in live.api.customizations() if row["id"] != T["id"]]
    assert set(entries) == {T["id"], OTHER["id"], created}
    assert entries[T["id"]]["base"]["updated_at"] == live.api.get(T["id"])["updated_at"]
    assert "git_id" not in entries[created] or entries[created]["git_id"] is None
    assert entries[OTHER["id"]]["base"]["removed"] is True


def test_a_rule_that_was_created_anew_has_one_entry(live: LiveShop) -> None:
    live.api.delete(T["id"])
    assert live.apply("--recreate") == ["create /p/1/: done"]
    entries = read_entries()
    (new,) = [id_ for id_ in entries if id_ != OTHER["id"]]
    assert new != T["id"]
    assert entries[new]["git_id"] == T["id"]
    write("Swap", S, OTHER, at=0)
    assert live.apply() == ["update /p/1/: done"]
    write("Remove", OTHER, at=0)
    assert live.apply("--delete") == ["delete /p/1/: done"], live.left


def test_the_source_that_was_applied_last(live: LiveShop) -> None:
    begin = run("rev-parse", "HEAD")
    write("Swap both", S, rule(2, "/p/8/"), at=0)
    swap = run("rev-parse", "HEAD")
    # A filtered apply isn't of the whole commit.
    live.apply("--id", T["id"])
    assert read_record()["applied"] == begin
    assert read_record()["source"] == swap
    # Rules left to people don't matter.
    live.edit(OTHER)
    live.edit(T)
    live.apply()
    assert live.code == 1
    assert read_record()["applied"] == swap
    write("Swap again", S2, rule(2, "/p/8/"), at=0)
    live.fail("422:write=1")
    live.apply("--overwrite-edits")
    assert live.code == 3
    assert read_record()["applied"] == swap


def test_the_merge_of_a_failed_job_is_not_skipped(live: LiveShop) -> None:
    write("One", S, OTHER, at=0)
    live.fail("422:write=1")
    assert live.apply("..HEAD") == ["update /p/1/: refused"]
    live.fail()
    write("Two", S, rule(2, "/p/8/"), at=0)
    assert live.apply("..HEAD") == ["update /p/1/: done", "update /p/2/: done"]
    assert read_record()["applied"] == run("rev-parse", "HEAD")
    assert live.apply("..HEAD") == []
    assert live.code == 0


def test_a_filtered_apply_moves_no_entry_but_its_own(live: LiveShop) -> None:
    write("Swap both", S, rule(2, "/p/8/"), at=0)
    before = read_entries()
    # A person has typed the text of git.
    live.edit(OTHER, "/p/8/")
    assert live.apply("--id", T["id"]) == ["update /p/1/: done"]
    text_before = before[OTHER["id"]]["base"]["text"]
    assert read_entries()[OTHER["id"]]["base"]["text"] == text_before
    assert live.apply() == []
    assert read_entries()[OTHER["id"]]["base"]["text"] != text_before


def test_the_answer_no_moves_nothing(live: LiveShop) -> None:
    before = read_local()
    write("Swap", S, OTHER, at=0)
    live.pinsync("apply", "--expect", "0" * 64)
    assert read_local() == before


def test_a_first_apply_begins_the_record(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_shop([T], pinsync, monkeypatch) as shop:
        assert repository
        shop.begin(T)
        run("update-ref", "-d", REFERENCE)
        write("Swap", S, at=0)
        # Git's commit is younger than the shop's text by years.
        assert shop.apply() == ["update /p/1/: done"]
        head = run("rev-parse", "HEAD")
        assert read_record()["source"] == read_record()["applied"] == head


# Which commits are refused.


def test_a_commit_older_than_the_record(live: LiveShop) -> None:
    first = run("rev-parse", "HEAD")
    write("Swap", S, OTHER, at=0)
    live.apply()
    live.apply(first)
    assert live.code == 4
    assert "was applied already" in live.err
    assert "pinsync restore" in live.err
    assert live.shelf["/p/1/"] == "/p/8/"


def test_an_old_job_runs_again_after_a_newer_one(live: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    live.apply("HEAD~1..HEAD")
    write("Swap again", S2, OTHER, at=0)
    live.apply("HEAD~1..HEAD")
    assert live.shelf["/p/1/"] == "/p/9/"
    live.apply("HEAD~2..HEAD~1")
    assert live.code == 4
    assert live.shelf["/p/1/"] == "/p/9/"


def test_a_main_line_that_was_forced_to_another_history(live: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    live.apply()
    run("commit", "--quiet", "--amend", "--allow-empty", "--message", "Another")
    live.apply()
    assert live.code == 4
    assert "pinsync plan --reset-record" in " ".join(live.err.split())
    live.pinsync("plan", "--reset-record")
    write("Swap again", S2, OTHER, at=0)
    assert live.apply() == ["update /p/1/: done"]


def test_git_that_does_not_tell_the_main_line(live: LiveShop) -> None:
    run("remote", "add", "origin", "../nowhere")
    write("Swap", S, OTHER, at=0)
    live.apply()
    assert live.code == 4
    assert "git remote set-head origin --auto" in live.err
    assert live.writes == []


# Machines that meet at a remote.


def test_the_record_is_pushed_before_the_first_write_and_at_the_end(live: LiveShop) -> None:
    remote = add_remote()
    write("Swap", S, OTHER, at=0)
    push()
    before = read_remote(remote)
    # The plan is on the remote when the write is sent.
    seen: list[str] = []
    original = live.api._take_fault

    def look(request: Any) -> Any:  # noqa: ANN401 - as in the sandbox
        if request.method == "PUT":
            seen.append(read_remote(remote))
        return original(request)

    live.api._take_fault = look  # type: ignore[method-assign]
    assert live.apply() == ["update /p/1/: done"]
    (begun,) = seen
    assert begun != before
    record = json.loads(run("--git-dir", str(remote), "show", f"{begun}:record.json"))
    assert record["begun"]["machine"] == platform.node()
    assert record["begun"]["operations"] == [
        {
            "kind": "update",
            "rule_id": T["id"],
            "model": "basket",
            "target": ["item", "/p/1/", None],
        }
    ]
    assert read_remote(remote) == read_local()
    assert "begun" not in read_record()
    assert run("merge-base", before, read_local()) == before


def test_a_machine_with_an_old_record_is_refused(
    live: LiveShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = add_remote()
    write("Add", T, OTHER, NEW, at=0)
    push()
    other = clone(remote, "other")
    assert live.apply() == ["create /p/3/: done"]
    monkeypatch.chdir(other)
    count = len(live.writes)
    live.apply()
    assert live.code == 4
    assert "the record of agreement on the remote is newer" in live.err
    assert "git fetch origin '+refs/pinsync/*:refs/pinsync/*'" in live.err
    assert len(live.writes) == count
    run("fetch", "--quiet", "origin", "refs/pinsync/*:refs/pinsync/*")
    assert live.apply() == []
    assert live.code == 0


def test_a_record_that_moves_between_plan_and_write(live: LiveShop) -> None:
    remote = add_remote()
    write("Add", T, OTHER, NEW, at=0)
    push()
    other = clone(remote, "other")
    here = Path.cwd()
    original = live.api._take_fault
    codes: list[int] = []

    def meddle(request: Any) -> Any:  # noqa: ANN401 - as in the sandbox
        # The other machine plans and applies while this one has just planned.
        if not codes:
            codes.append(-1)
            done = live.pinsync.spawn("-C", str(other), "apply", "--yes", environ=environ)
            codes.append(done.code)
        return original(request)

    # pinsync takes the key out of the environment of this process.
    environ = {"XDG_STATE_HOME": str(here.parent / "state"), **live.api.environment}
    live.api._take_fault = meddle  # type: ignore[method-assign]
    live.apply()
    assert codes == [-1, 0], live.err
    # The answer of the shop came after the writes of the other machine, so nothing is to be done.
    assert live.code == 0
    assert "the record of agreement stays as it is" in live.tracker["notes"][0]
    assert live.shelf["/p/3/"] == "/p/7/"
    assert len(live.shelf) == 3
    # Both machines have moved the record, and the hint is a way out.
    live.apply()
    assert live.code == 4
    hint = live.err.rpartition(": git ")[2].strip().replace("'", "")
    run(*hint.split())
    assert live.apply() == []
    assert live.code == 0
    assert read_remote(remote) == read_local()


def test_two_machines_create_the_same_rule_at_once(live: LiveShop) -> None:
    remote = add_remote()
    write("Add", T, OTHER, NEW, at=0)
    push()
    other = clone(remote, "other")
    environ = {"XDG_STATE_HOME": str(Path("../state").resolve()), **live.api.environment}
    # Both have the plan, and the other one is first to push it.
    original = Repository.push_reference
    codes: list[int] = []

    def push_late(self: Repository, reference: str, commit_: str, expected: str | None) -> None:
        if not codes:
            done = live.pinsync.spawn("-C", str(other), "apply", "--yes", environ=environ)
            codes.append(done.code)
        original(self, reference, commit_, expected)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Repository, "push_reference", push_late)
        assert live.apply() == []
    assert codes == [0]
    assert live.code == 4
    assert "can't be pushed to origin" in live.err
    assert len(live.writes) == 1
    assert "begun" not in read_record()
    assert live.shelf["/p/3/"] == "/p/7/"


def test_a_remote_that_takes_no_push(live: LiveShop) -> None:
    remote = add_remote()
    write("Swap", S, OTHER, at=0)
    push()
    hook = put(remote / "hooks" / "pre-receive", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o700)
    before = read_local()
    live.apply()
    assert live.code == 4
    assert "can't be pushed to origin" in live.err
    assert live.writes == []
    assert "begun" not in read_record()
    hook.unlink()
    assert live.apply() == ["update /p/1/: done"]
    assert run("merge-base", before, read_local()) == before


def test_a_remote_that_is_gone(live: LiveShop) -> None:
    remote = add_remote()
    write("Swap", S, OTHER, at=0)
    push()
    remote.rename("../elsewhere.git")
    live.apply()
    assert live.code == 4
    assert "the remote origin can't be read" in live.err
    assert live.writes == []


def test_a_last_push_that_fails_names_the_writes(live: LiveShop) -> None:
    remote = add_remote()
    write("Swap", S, OTHER, at=0)
    push()
    # The hook lets the first push pass.
    script = "#!/bin/sh\n[ ! -e was-here ] && touch was-here\n"
    put(remote / "hooks" / "pre-receive", script).chmod(0o700)
    assert live.apply() == ["update /p/1/: done"]
    assert live.code == 3
    assert "the record of agreement couldn't be written" in live.tracker["error"]["message"]
    assert read_remote(remote) != read_local()
    # The plan stays open at the remote.
    record = json.loads(run("--git-dir", str(remote), "show", f"{REFERENCE}:record.json"))
    assert record["begun"]["started"]
    (remote / "hooks" / "pre-receive").unlink()
    assert live.apply() == []
    assert live.code == 0
    assert read_remote(remote) == read_local()


# A run that hasn't ended.


def test_another_runs_open_plan_is_refused_until_it_is_dead(live: LiveShop) -> None:
    remote = add_remote()
    begin_plan(UPDATE)
    write("Swap", S, OTHER, at=0)
    push()
    live.apply()
    assert live.code == 4
    assert "an apply that began at 2026-01-01 12:00:00 UTC on another hasn't ended" in live.err
    assert "--take-over" in live.err
    live.apply("HEAD", command="restore")
    assert live.code == 4
    assert live.writes == []
    assert live.apply("--take-over") == ["update /p/1/: done"]
    assert live.code == 0
    assert "begun" not in read_record()
    assert read_remote(remote) == read_local()


def test_a_doubtful_create_is_left_alone_and_named(live: LiveShop) -> None:
    begin_plan(CREATE)
    write("Add", T, OTHER, NEW, at=0)
    assert live.apply("--take-over") == []
    assert live.code == 1
    assert live.left == ["create /p/3/: unknown"]
    note = "item /p/3/: an interrupted run may have written this already"
    assert note in " ".join(live.pinsync("plan").out.split())
    assert live.apply("--take-over", "--recreate") == ["create /p/3/: done"]
    assert "begun" not in read_record()


@pytest.mark.parametrize(("timestamps", "moved"), [("both", "git"), ("none", "unknown")])
def test_a_doubtful_update_without_a_date(
    timestamps: str,
    moved: str,
    repository: Path,
    pinsync: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with open_shop([T, OTHER], pinsync, monkeypatch, api=[f"timestamps={timestamps}"]) as shop:
        assert repository
        shop.begin(T, OTHER)
        begin_plan(UPDATE)
        write("Swap", S, OTHER, at=0)
        states = shop.apply("--take-over")
        if moved == "git":
            assert states == ["update /p/1/: done"]
        else:
            assert states == []
            assert shop.left == ["update /p/1/: unknown"]


def test_a_lock_says_that_another_run_is_at_work(live: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    with lock_tracker("1234-5678"):
        done = live.pinsync.spawn("apply", "--yes")
        assert done.code == 4
        assert "another pinsync is applying to 1234-5678 now" in done.err
        assert live.pinsync.spawn("restore", "HEAD", "--yes").code == 4
    assert live.writes == []
    assert live.apply() == ["update /p/1/: done"]


def start_again(shop: LiveShop, *events: Row) -> Sequence[str]:
    """Run an apply after one of this machine that was killed with these events in its journal."""
    leave_killed_run(shop, *events)
    return shop.apply()


def test_a_journal_decides_on_the_same_machine(live: LiveShop) -> None:
    write("Swap and add", S, OTHER, NEW, at=0)
    # Nothing was sent.
    assert start_again(live) == ["update /p/1/: done", "create /p/3/: done"]
    assert "an apply that began at 2026-01-01 12:00:00 UTC was interrupted; going on" in live.err


def test_a_journal_knows_a_created_rule(live: LiveShop) -> None:
    write("Swap and add", S, OTHER, NEW, at=0)
    created = live.api.create({**NEW, "model": "basket"})
    live.api.delete(created["id"])
    send = {"event": "send", "operations": [1], "call": "POST"}
    acknowledged = {"event": "acknowledged", "operations": [1], "rule_id": created["id"]}
    # A person has deleted it since.
    assert start_again(live, send, acknowledged) == ["update /p/1/: done"]
    assert live.left == ["create /p/3/: shop"]
    assert live.code == 1


def test_a_journal_knows_an_update(live: LiveShop) -> None:
    write("Swap and add", S, OTHER, NEW, at=0)
    send = {"event": "send", "operations": [0], "call": "PUT", "rule_id": T["id"]}
    # A person has put the text back since.
    states = start_again(live, send, {"event": "acknowledged", "operations": [0]})
    assert states == ["create /p/3/: done"]
    assert live.left == ["update /p/1/: shop"]


def test_a_write_without_an_answer_in_the_journal_is_in_doubt(live: LiveShop) -> None:
    write("Swap and add", S, OTHER, NEW, at=0)
    states = start_again(live, {"event": "send", "operations": [0, 1], "call": "POST"})
    # The date says that the update was never done.
    assert states == ["update /p/1/: done"]
    assert live.left == ["create /p/3/: unknown"]
    assert read_record()["begun"]["operations"][0]["kind"] == "create"
    # Still in doubt.
    assert live.apply() == []
    assert live.left == ["create /p/3/: unknown"]
    live.api.create({**NEW, "model": "basket"})
    assert live.apply() == []
    assert live.code == 0
    assert "begun" not in read_record()


def test_a_damaged_journal(live: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    begin_plan(UPDATE, machine=platform.node())
    put(find_apply_folder() / name_journal("1234-5678", STARTED), "nonsense\n")
    live.apply()
    assert live.code == 2
    assert "isn't a journal" in live.err
    assert "--take-over" in live.err
    assert live.apply("--take-over") == ["update /p/1/: done"]
    assert live.code == 0


def test_a_journal_in_another_folder(live: LiveShop, tmp_path: Path) -> None:
    write("Swap", S, OTHER, at=0)
    begin_plan(UPDATE, machine=platform.node())
    live.apply("--backup-dir", str(tmp_path / "elsewhere"))
    assert live.code == 4
    assert "--take-over" in live.err


# Without the record.


def test_no_record_creates_no_rule_by_default(live: LiveShop) -> None:
    run("update-ref", "-d", REFERENCE)
    write("Swap and add", S, OTHER, NEW, at=0)
    assert live.apply("--no-record") == ["update /p/1/: done"]
    assert live.left == ["create /p/3/: unknown"]
    assert live.code == 1
    assert read_local() == ""
    assert live.apply("--no-record", "--recreate") == ["create /p/3/: done"]
    assert read_local() == ""


def test_no_record_works_only_without_one(live: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    remote = add_remote()
    write("Swap", S, OTHER, at=0)
    live.apply("--no-record")
    assert live.code == 4
    push()
    folder = Path("../fresh").resolve()
    run("clone", "--quiet", str(remote), str(folder))
    monkeypatch.chdir(folder)
    live.apply("--no-record")
    assert live.code == 4
    assert "there is a record of agreement" in live.err
    # A clone without the record is no way around it, either.
    live.apply()
    assert live.code == 4
    assert live.writes == []


def test_a_record_that_can_not_be_read(live: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    other = run("commit-tree", "-m", "x", "HEAD^{tree}")
    run("update-ref", REFERENCE, other)
    live.apply()
    assert live.code == 2
    assert "the record of agreement is damaged" in live.err
    assert live.writes == []


def test_a_record_that_can_not_be_written(live: LiveShop) -> None:
    write("Swap", S, OTHER, at=0)
    lock = put(Path(f".git/{REFERENCE}.lock"), "")
    live.apply()
    assert live.code == 4
    assert live.writes == []
    lock.unlink()
    assert live.apply() == ["update /p/1/: done"]


def test_trackers_that_share_an_id_have_no_record(
    live: LiveShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_local()
    monkeypatch.delenv("PINSYNC_HOST")
    monkeypatch.setenv("PINSYNC_ALLOW_HOST", "127.0.0.1")
    twins = "".join(
        f"  {name}:\n    tracker_id: 1234-5678\n    hosts: ['{url}']\n"
        for name, url in (("one", live.api.url), ("two", "https://live.luigisbox.tech"))
    )
    folder = "customizations/one/basket.yaml"
    first = {"pinsync.yaml": f"trackers:\n{twins}", folder: text("basket", T, OTHER), BASKET: None}
    commit("Two shops", first)
    commit("Swap", {folder: text("basket", S, OTHER)})
    # The record is of one of them, and nobody knows of which.
    live.apply("--tracker", "one")
    assert live.code == 4
    assert "several trackers have the id 1234-5678" in live.err
    assert f"git update-ref -d {REFERENCE}" in live.err
    assert read_local() == before
    run("update-ref", "-d", REFERENCE)
    assert live.apply("--tracker", "one") == ["update /p/1/: done"]
    assert read_local() == ""
    assert LONG_AGO not in live.api.get(T["id"])["updated_at"]
