"""When an export moves the record of agreement, and what the other commands make of it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from pinsync.agreement import update
from pinsync.agreement.record import Begun, BegunOperation, Record
from pinsync.agreement.store import open_record, reset_record, write_record
from pinsync.errors import RepositoryError, SafetyError
from pinsync.repository import Repository
from support.agreeing import (
    OTHER,
    REFERENCE,
    P,
    S,
    T,
    read_entries,
    read_record,
    without_id,
    write,
)
from support.diffing import diffed
from support.exporting import answered, put
from support.histories import BASKET, commit, rule, run, text
from support.moving import CONFIGURATION, LIVE, save, tell

if TYPE_CHECKING:
    from support.agreeing import Shop
    from support.command_line import CommandLine
    from support.diffing import Report

Row = dict[str, Any]


def read_reference() -> str:
    return run("for-each-ref", "--format=%(objectname)", REFERENCE)


def open_repository() -> Repository:
    repository = Repository.discover(Path.cwd())
    assert repository
    return repository


def read_proposed(row: Row) -> list[str]:
    """Return the texts that were proposed for a rule."""
    entry = read_entries().get(row["id"], {})
    return [found["text"] for found in entry.get("proposals", [])]


# What moves the record, and what doesn't.


@pytest.mark.parametrize(
    "options", [["--check"], ["--from-file", LIVE], ["--remove-expired-pins"]], ids=str
)
def test_runs_that_leave_the_record_alone(
    options: list[str], shop: Shop, pinsync: CommandLine
) -> None:
    before = read_reference()
    write("Swap", S, OTHER, at=10)
    shop.save(S, rule(2, "/p/1/"))
    save(S, rule(2, "/p/1/"))
    answered(shop.api, list(shop.rows.values()))
    assert pinsync("export", *options).code in (0, 1)
    assert read_reference() == before


def test_a_diff_moves_nothing(shop: Shop) -> None:
    before = read_reference()
    write("Swap", S, OTHER, at=10)
    shop.save(S)
    shop.ask()
    assert read_reference() == before


def test_a_filtered_export_only_proposes(shop: Shop) -> None:
    write("Swap", S, OTHER, at=10)
    shop.save(S, rule(2, "/p/1/"))
    rows = shop.rows.copy()
    shop.rows = {OTHER["id"]: rows[OTHER["id"]]}
    before = read_record()
    shop.export("--target-identity", "/p/2/")
    assert read_record() == before
    assert len(read_proposed(OTHER)) == 1
    assert read_proposed(T) == []


def test_an_export_on_another_branch_only_proposes(shop: Shop) -> None:
    run("switch", "--quiet", "--create", "feature")
    write("Swap", S, OTHER, at=10)
    shop.save(S, rule(2, "/p/1/"))
    before = read_record()
    shop.export()
    assert read_record() == before
    assert len(read_proposed(OTHER)) == 1


def test_a_persons_uncommitted_work_is_no_proposal(shop: Shop) -> None:
    put(Path("customizations/home.yaml"), text("home", rule(7)))
    shop.save(rule(7, model="home"))
    shop.export()
    assert [found["text"] for found in read_entries()[rule(7)["id"]]["proposals"]]
    put(Path(BASKET), text("basket", T, without_id(rule(8))))
    shop.export("--force")
    assert sorted(read_entries()) == sorted([T["id"], OTHER["id"], rule(7)["id"]])


def test_a_removal_is_proposed(shop: Shop) -> None:
    shop.delete(T)
    shop.export()
    (proposal,) = read_entries()[T["id"]]["proposals"]
    assert proposal["removed"] is True
    shop.save(T)
    commit("Take it", at=10)
    assert shop.ask() == ["shop: Take it"]


def test_an_export_of_the_first_commit_begins_the_record(shop: Shop, pinsync: CommandLine) -> None:
    shutil.rmtree(".git")
    shutil.rmtree("customizations")
    run("init", "--quiet", "--initial-branch=main")
    for name, value in (("name", "Test"), ("email", "test@example.com")):
        run("config", f"user.{name}", value)
    shop.export()
    assert run("for-each-ref") == ""
    answered(shop.api, list(shop.rows.values()))
    assert pinsync("export", "--commit").code == 0
    assert read_record()["source"] == run("rev-parse", "HEAD")


def test_without_git_an_export_works_as_before(shop: Shop) -> None:
    shutil.rmtree(".git")
    done = shop.export("--force")
    assert "note" not in done.err


def test_a_repository_that_can_not_be_written(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise RepositoryError("git hash-object failed: insufficient permission")

    monkeypatch.setattr(update, "write_record", refuse)
    shop.save(rule(2, "/p/1/"))
    done = shop.export()
    assert "note" not in done.err
    assert rule(2)["id"] in Path(BASKET).read_text(encoding="utf-8")


# The main line.


@pytest.fixture
def cloned(shop: Shop) -> Shop:
    """The shop beside a clone, whose origin has the record."""
    run("clone", "--quiet", "--bare", ".", "../origin.git")
    run("remote", "add", "origin", "../origin.git")
    run("fetch", "--quiet", "origin")
    return shop


def test_where_git_does_not_tell_the_main_line_a_note_says_so(cloned: Shop) -> None:
    before = read_reference()
    write("Swap", S, OTHER, at=10)
    cloned.save(S)
    done = cloned.export()
    assert "git remote set-head origin --auto" in done.err
    assert read_reference() == before
    run("remote", "set-head", "origin", "--auto")
    # HEAD isn't pushed, so it isn't the main line's newest commit.
    done = cloned.export()
    assert "set-head" not in done.err
    assert read_record()["source"] != run("rev-parse", "HEAD")
    run("push", "--quiet", "origin", "main")
    cloned.export()
    assert read_record()["source"] == run("rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("there", "is_main"), [("main", True), ("release", False), (None, False), ("[", False)]
)
def test_the_configuration_names_the_main_line_if_its_branch_agrees(
    there: str | None, is_main: bool, cloned: Shop
) -> None:
    named = f"main_branch: {there}\n" if there else ""
    put(Path("pinsync.yaml"), f"{CONFIGURATION}{named}")
    commit("Configure", at=10)
    run("push", "--quiet", "origin", "main")
    put(Path("pinsync.yaml"), f"{CONFIGURATION}main_branch: main\n")
    done = cloned.export()
    assert ("set-head" in done.err) is not is_main
    assert (read_record()["source"] == run("rev-parse", "HEAD")) is is_main


def test_a_branch_can_not_make_itself_the_main_line(cloned: Shop) -> None:
    run("switch", "--quiet", "--create", "feature")
    put(Path("pinsync.yaml"), f"{CONFIGURATION}main_branch: feature\n")
    commit("Configure", at=10)
    before = read_record()
    cloned.export()
    assert read_record() == before


@pytest.mark.parametrize("name", ["master", "trunk"])
def test_without_remotes_the_main_line_has_a_usual_name_or_is_the_current_branch(
    name: str, shop: Shop
) -> None:
    run("branch", "--move", name)
    write("Swap", S, OTHER, at=10)
    shop.save(S)
    shop.export()
    assert read_record()["source"] == run("rev-parse", "HEAD")


def test_a_main_line_that_was_forced_back_leaves_the_record_alone(shop: Shop) -> None:
    write("Swap", S, OTHER, at=10)
    shop.save(S)
    shop.export()
    before = read_reference()
    run("reset", "--quiet", "--hard", "HEAD~1")
    write("Another", P, OTHER, at=11)
    done = shop.export()
    assert "the main line lacks the commit" in done.err
    assert read_reference() == before
    # Git has P by hand, and the shop has what it agreed on: but with another history.
    assert shop.ask() == ["unknown: Another"]


# Records that can't be used.


def damage(name: str, content: str) -> None:
    """Write a record with another content of a file."""
    blob = put(Path("../blob"), content)
    hashed = run("hash-object", "-w", str(blob))
    put(Path("../tree"), f"100644 blob {hashed}\t{name}\n")
    with Path("../tree").open(encoding="utf-8") as stream:
        done = subprocess.run(["git", "mktree"], stdin=stream, capture_output=True, check=True)
    tree = done.stdout.decode().strip()
    run("update-ref", REFERENCE, run("commit-tree", "-m", "x", tree))


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("record.json", "{", "damaged"),
        ("record.json", '{"format": 2}', "made by a newer pinsync"),
        ("other.json", "{}", "it has no record.json"),
        (
            "record.json",
            '{"format": 1, "tracker_id": "9-9", "source": "a", "applied": "a"}',
            "it is about another tracker",
        ),
    ],
)
def test_a_record_that_can_not_be_used_proves_nothing(
    name: str, content: str, named: str, shop: Shop
) -> None:
    damage(name, content)
    before = read_reference()
    write("Swap", S, OTHER, without_id(rule(3)), at=10)
    # By its date alone, the shop would have had T all along.
    shop.save(T, at=0.5)
    answered(shop.api, list(shop.rows.values()))
    report = diffed(shop.pinsync)
    assert tell(report) == ["unknown: Swap", "unknown: Swap"]
    (note,) = report.record["trackers"][0]["notes"]
    assert named in note
    done = shop.export()
    assert named in done.err
    assert read_reference() == before


def test_an_entry_whose_commit_git_lacks_proves_nothing(shop: Shop) -> None:
    repository = open_repository()
    stored = open_record(repository, "1234-5678")
    assert stored
    files = run("show", f"{REFERENCE}:record.json").replace(read_record()["source"], "0" * 40)
    write("Swap", S, OTHER, at=10)
    record = stored.read()
    lost = json.loads(files)["source"]
    write_record(repository, rebase(record, lost), stored.commit)
    report = ask_with_notes(shop)
    assert tell(report) == ["unknown: Swap"]
    (note,) = report.record["trackers"][0]["notes"]
    assert "--reset-record" in note


def rebase(record: Record, commit_hash: str) -> Record:
    """Return a record that was seen at another commit."""
    entries = {}
    for shop_id, entry in record.entries.items():
        assert entry.base
        entries[shop_id] = replace(entry, base=replace(entry.base, commit=commit_hash))
    return replace(record, source=commit_hash, entries=entries)


def ask_with_notes(shop: Shop) -> Report:
    """Compare the shop with git."""
    answered(shop.api, list(shop.rows.values()))
    return diffed(shop.pinsync)


def test_a_shallow_clone_that_has_the_records_commit_knows_enough(shop: Shop) -> None:
    write("Before", T, OTHER, rule(4), at=5)
    shop.save(rule(4))
    shop.export()
    write("Swap", S, OTHER, rule(4), at=10)
    here = Path.cwd()
    for depth, expected in ((2, "git"), (1, "unknown")):
        run("clone", "--quiet", f"--depth={depth}", f"file://{here}", f"../clone-{depth}")
        run("-C", f"../clone-{depth}", "fetch", "--quiet", "origin", f"{REFERENCE}:{REFERENCE}")
        shutil.copy("pinsync.yaml", f"../clone-{depth}")
        answered(shop.api, list(shop.rows.values()))
        done = shop.pinsync("-C", f"../clone-{depth}", "diff", "--format", "json")
        (change,) = json.loads(done.out)["trackers"][0]["changes"]
        assert change["moved"] == expected


def test_somebody_else_writes_the_record_at_the_same_time(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("Swap", S, OTHER, at=10)
    shop.save(S)
    refusals = [True]

    def interrupt(repository: Repository, record: Record, old: str | None) -> str:
        if refusals and refusals.pop():
            other = run("commit-tree", "-m", "x", "-p", REFERENCE, f"{REFERENCE}^{{tree}}")
            run("update-ref", REFERENCE, other)
        return write_record(repository, record, old)

    monkeypatch.setattr(update, "write_record", interrupt)
    done = shop.export()
    assert "note" not in done.err
    assert read_record()["source"] == run("rev-parse", "HEAD")
    before = read_reference()
    write("Swap again", P, OTHER, at=20)
    refusals += [True] * 3
    done = shop.export()
    assert "moved meanwhile" in done.err
    assert run("merge-base", before, REFERENCE) == before


@pytest.mark.usefixtures("shop")
def test_a_record_is_begun_anew() -> None:
    write("Swap", S, OTHER, at=10)
    damage("record.json", "{")
    before, head = read_reference(), run("rev-parse", "HEAD")
    made = reset_record(open_repository(), "1234-5678", head, [], [])
    assert run("rev-parse", f"{REFERENCE}^") == before
    assert read_reference() == made
    assert read_record()["source"] == head
    assert read_entries() == {}
    with pytest.raises(SafetyError, match="moved meanwhile"):
        write_record(open_repository(), Record("1234-5678", head, head), before)


# A plan that was begun.


def test_a_run_that_was_killed_leaves_doubt(shop: Shop) -> None:
    write("Swap and add", S, OTHER, without_id(rule(3)), at=10)
    assert shop.ask() == ["git: Swap and add", "git: Swap and add"]
    stored = open_record(open_repository(), "1234-5678")
    assert stored
    operations = (
        BegunOperation("update", T["id"], "basket", ("item", "/p/1/", None)),
        BegunOperation("create", None, "basket", ("item", "/p/3/", None)),
    )
    begun = Begun("2026-01-01T12:00:00Z", "a machine", operations)
    write_record(open_repository(), replace(stored.read(), begun=begun), stored.commit)
    report = ask_with_notes(shop)
    assert tell(report) == ["unknown: Swap and add", "unknown: Swap and add"]
    assert report.record["trackers"][0]["notes"] == [
        "item /p/1/: an interrupted run may have written this already",
        "item /p/3/: an interrupted run may have written this already",
    ]
    # The answer's date says that the update was never written.
    shop.save(T, at=0.5)
    assert shop.ask() == ["git: Swap and add", "unknown: Swap and add"]
    assert "an interrupted run" in " ".join(ask_with_notes(shop).record["trackers"][0]["notes"])


def test_trackers_that_share_an_id_have_no_record(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_reference()
    monkeypatch.delenv("PINSYNC_HOST")
    monkeypatch.setenv("PINSYNC_ALLOW_HOST", "127.0.0.1")
    twins = "".join(
        f"  {name}:\n    tracker_id: 1234-5678\n    hosts: ['{url}']\n"
        for name, url in (("one", shop.api.url), ("two", "https://live.luigisbox.tech"))
    )
    folder = "customizations/one/basket.yaml"
    files = {"pinsync.yaml": f"trackers:\n{twins}", folder: text("basket", S, OTHER), BASKET: None}
    commit("Two shops", files, at=10)
    shop.save(T, OTHER)
    assert shop.ask("--tracker", "one") == ["unknown: Two shops"]
    shop.export("--tracker", "one")
    assert read_reference() == before


def test_a_repository_with_sha_256(shop: Shop) -> None:
    for name in (".git", "customizations"):
        shutil.rmtree(name)
    run("init", "--quiet", "--initial-branch=main", "--object-format=sha256")
    for name, value in (("name", "Test"), ("email", "test@example.com")):
        run("config", f"user.{name}", value)
    shop.export("--commit")
    write("Swap", S, OTHER, at=10)
    assert shop.ask() == ["git: Swap"]
    shop.save(S)
    shop.export()
    assert len(read_record()["source"]) == 64


def test_a_linked_worktree_shares_the_record(shop: Shop) -> None:
    run("worktree", "add", "--quiet", "../linked")
    write("Swap", S, OTHER, at=10)
    answered(shop.api, list(shop.rows.values()))
    done = shop.pinsync("-C", "../linked", "diff", "main", "--format", "json")
    (change,) = json.loads(done.out)["trackers"][0]["changes"]
    assert change["moved"] == "git"
