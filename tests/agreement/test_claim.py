"""The record of agreement during an apply, in a real repository with a real remote."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinsync.agreement.claim import Claim, Result
from pinsync.agreement.main_line import MainLine
from pinsync.agreement.record import BegunOperation, Write, move_entries
from pinsync.agreement.store import open_record, write_record
from pinsync.canonical import normalize
from pinsync.errors import SafetyError
from pinsync.repository import Repository
from support.agreeing import REFERENCE, TRACKER
from support.applying import add_remote, push
from support.histories import commit, rule, run

if TYPE_CHECKING:
    from pinsync.agreement.record import Record
    from pinsync.model import Customization

pytestmark = pytest.mark.usefixtures("repository")

STARTED = "20260101T120000.000000Z"
T, S, OTHER = (
    normalize.build_customization(row, model="basket")
    for row in (rule(1, "/p/7/"), rule(1, "/p/8/"), rule(2))
)
KEY = str(T.id)
UPDATE = BegunOperation("update", KEY, "basket", ("item", "/p/1/", None))
CREATE = BegunOperation("create", None, "basket", ("item", "/p/3/", None))


def open_repository() -> Repository:
    found = Repository.discover(Path.cwd())
    assert found
    return found


def claim(commit_: str = "") -> Claim:
    """Return the claim of an apply; by default of the main line's newest commit."""
    tip = run("rev-parse", "main")
    line = MainLine("refs/heads/main", tip)
    return Claim(open_repository(), line, TRACKER, commit_ or tip)


def read() -> Record:
    stored = open_record(open_repository(), TRACKER)
    assert stored
    return stored.read()


def start(*rules: Customization) -> None:
    """Begin the record with rules that agree at the newest commit."""
    tip = run("rev-parse", "main")
    repository = open_repository()
    write_record(repository, move_entries(None, TRACKER, tip, rules, rules), None)


def read_remote(remote: Path) -> str:
    return run("--git-dir", str(remote), "for-each-ref", "--format=%(objectname)", REFERENCE)


def begin(found: Claim, *operations: BegunOperation) -> None:
    found.begin(STARTED, "here", operations, [S, OTHER], [T, OTHER])


def test_a_plan_is_begun_and_ended() -> None:
    commit("Begin")
    start(T, OTHER)
    first = read()
    tip = commit("Swap")
    found = claim()
    assert found.open_plan is None
    found.check_current()
    begin(found, UPDATE, CREATE)
    begun = read().begun
    assert begun
    assert (begun.started, begun.machine, begun.operations) == (STARTED, "here", (UPDATE, CREATE))
    assert read().entries == first.entries
    write = Write(KEY, T, S)
    found.close(Result([write], [UPDATE, CREATE], [S, OTHER], [S, OTHER], is_applied=True))
    record = read()
    assert record.begun is None
    assert (record.source, record.applied) == (tip, tip)
    base = record.entries[KEY].base
    assert base
    assert base.last.text == S.text


def test_an_apply_that_was_not_of_the_whole_commit() -> None:
    first = commit("Begin")
    start(T, OTHER)
    tip = commit("Swap")
    found = claim()
    begin(found, UPDATE)
    found.close(Result([Write(KEY, T, S)], [UPDATE], [S, OTHER]))
    assert (read().source, read().applied) == (tip, first)
    # Without a write the source stays, too.
    commit("More")
    found = claim()
    begin(found, UPDATE)
    found.close(Result([], [UPDATE], [S, OTHER]))
    assert read().source == tip
    assert read().begun is None


def test_operations_in_doubt_stay_open() -> None:
    commit("Begin")
    start(T, OTHER)
    found = claim()
    begin(found, UPDATE, CREATE)
    found.close(Result([], [UPDATE], [S, OTHER]))
    begun = read().begun
    assert begun
    assert begun.operations == (CREATE,)
    # A later run adds its own operations, each once.
    found = claim()
    assert found.open_plan == begun
    begin(found, CREATE, UPDATE)
    later = read().begun
    assert later
    assert later.operations == (CREATE, UPDATE)


def test_a_journal_is_taken_over() -> None:
    commit("Begin")
    start(T, OTHER)
    tip = commit("Swap")
    begin(claim(), UPDATE, CREATE)
    found = claim()
    found.recover(tip, [Write(KEY, T, S)], [CREATE])
    record = read()
    assert record.source == tip
    assert record.begun
    assert record.begun.operations == (CREATE,)
    assert found.open_plan == record.begun
    found.recover(tip, [], [])
    assert read().begun is None


def test_an_older_commit_moves_the_source_not_back() -> None:
    first = commit("Begin")
    commit("Swap")
    start(T, OTHER)
    begin(claim(), UPDATE)
    source = read().source
    claim().recover(first, [Write(KEY, T, S)], [])
    assert read().source == source


def test_the_first_record_begins_at_the_applied_commit() -> None:
    tip = commit("Begin")
    found = claim()
    found.check_absent("--no-record", "leave it out")
    found.check_current()
    begin(found, UPDATE)
    record = read()
    assert (record.source, record.applied) == (tip, tip)
    # The rules that agree already.
    assert list(record.entries) == [OTHER.id]


def test_without_a_record_there_is_nothing_to_recover() -> None:
    commit("Begin")
    with pytest.raises(ValueError, match="no record"):
        claim().recover("x", [], [])


def test_commits_that_are_too_old_or_elsewhere() -> None:
    first = commit("Begin")
    commit("Swap")
    start(T)
    with pytest.raises(SafetyError, match="is older than"):
        claim(first).check_current()
    with pytest.raises(SafetyError, match="--no-record: there is a record"):
        claim().check_absent("--no-record", "leave it out")
    run("commit", "--quiet", "--amend", "--allow-empty", "--message", "Another")
    with pytest.raises(SafetyError, match="the main line lacks"):
        claim().check_current()


def test_the_record_is_written_by_somebody_else_meanwhile() -> None:
    commit("Begin")
    start(T, OTHER)
    found = claim()
    repository = open_repository()
    stored = open_record(repository, TRACKER)
    assert stored
    write_record(repository, move_entries(stored.read(), TRACKER, "c9", [], []), stored.commit)
    with pytest.raises(SafetyError, match="moved meanwhile"):
        begin(found, UPDATE)
    assert read().begun is None


def test_an_export_may_move_entries_during_the_apply() -> None:
    commit("Begin")
    start(T, OTHER)
    tip = commit("Swap")
    found = claim()
    begin(found, UPDATE)
    repository = open_repository()
    stored = open_record(repository, TRACKER)
    assert stored
    moved = move_entries(stored.read(), TRACKER, tip, [OTHER], [OTHER])
    write_record(repository, moved, stored.commit)
    found.close(Result([Write(KEY, T, S)], [UPDATE], [S, OTHER]))
    base = read().entries[KEY].base
    assert base
    assert base.rule
    assert base.rule.text == S.text


# With a remote.


def test_the_remote_has_the_plan_and_the_end() -> None:
    commit("Begin")
    start(T, OTHER)
    remote = add_remote()
    found = claim()
    before = read_remote(remote)
    begin(found, UPDATE)
    begun = read_remote(remote)
    assert begun == run("rev-parse", REFERENCE) != before
    found.close(Result([Write(KEY, T, S)], [UPDATE], [S, OTHER]))
    assert read_remote(remote) == run("rev-parse", REFERENCE) != begun


def test_a_remote_without_the_record_gets_it() -> None:
    commit("Begin")
    remote = add_remote()
    start(T, OTHER)
    found = claim()
    found.check_current()
    begin(found, UPDATE)
    assert read_remote(remote) == run("rev-parse", REFERENCE)


def test_a_lease_that_is_lost_withdraws_the_plan() -> None:
    commit("Begin")
    start(T, OTHER)
    remote = add_remote()
    found = claim()
    other = run("commit-tree", "-m", "x", "-p", REFERENCE, f"{REFERENCE}^{{tree}}")
    run("push", "--quiet", "origin", f"{other}:{REFERENCE}")
    with pytest.raises(SafetyError, match="can't be pushed to origin"):
        begin(found, UPDATE)
    assert read_remote(remote) == other
    assert read().begun is None
    # And the next one sees it.
    with pytest.raises(SafetyError, match="on the remote is newer"):
        claim().check_current()
    run("fetch", "--quiet", "origin", "+refs/pinsync/*:refs/pinsync/*")
    claim().check_current()


def test_a_local_record_that_is_ahead_is_no_obstacle() -> None:
    commit("Begin")
    start(T, OTHER)
    add_remote()
    tip = commit("Swap")
    repository = open_repository()
    stored = open_record(repository, TRACKER)
    assert stored
    write_record(repository, move_entries(stored.read(), TRACKER, tip, [T], [T]), stored.commit)
    push()
    found = claim()
    found.check_current()
    begin(found, UPDATE)
