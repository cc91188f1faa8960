"""Attempts to corrupt the record of agreement, or to fool an apply with it."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.sandbox import Answer, parse_fault
from support.agreeing import (
    OTHER,
    REFERENCE,
    S2,
    P,
    S,
    T,
    read_entries,
    read_record,
    without_id,
    write,
)
from support.attacking import (
    CREATE,
    EXPORT,
    Killed,
    die_before_account,
    forge_record,
    swap,
    write_files,
)
from support.exporting import put
from support.histories import rule, run

if TYPE_CHECKING:
    from support.attacking import Scene
    from support.command_line import CommandLine

Row = dict[str, Any]

STARTED = "20261130T120000.000000Z"
UPDATE = {
    "kind": "update",
    "rule_id": T["id"],
    "model": "basket",
    "target": ["item", "/p/1/", None],
}
OPTIONS = ["--output=pwned", "--exec=touch pwned", "-h", "HEAD", "main", "", "zz\nHEAD", "0" * 40]


@pytest.fixture
def remote(scene: Scene, tmp_path: Path) -> Path:
    """The remote of the repository, which has the record, too."""
    folder = tmp_path / "remote.git"
    run("init", "--quiet", "--bare", "--initial-branch=main", str(folder))
    run("remote", "add", "origin", str(folder))
    run("push", "--quiet", "origin", "main", f"{REFERENCE}:{REFERENCE}")
    run("remote", "set-head", "origin", "main")
    assert scene.writes == []
    return folder


def push_main() -> None:
    """Merge what HEAD has."""
    run("push", "--quiet", "origin", "HEAD:main")


def begin(**values: object) -> dict[str, object]:
    """Return the plan of a run that hasn't ended."""
    fields = {"started": STARTED, "machine": platform.node(), "operations": [UPDATE], **values}
    return {"begun": fields}


def forge_journal(folder: Path, *events: Row, **values: object) -> Path:
    """Write a journal of the plan of `begin`."""
    operation = {**UPDATE, "git_id": T["id"], "before": None, "after": None, **values}
    head = {
        "at": "",
        "event": "begin",
        "version": 1,
        "tracker_id": "1234-5678",
        "started": STARTED,
        "host": "",
        "source": run("rev-parse", "HEAD"),
        "operations": [operation],
    }
    lines = "".join(json.dumps(line) + "\n" for line in (head, *events))
    return put(folder / f"journal-1234-5678-{STARTED}.jsonl", lines)


def hold_refusal(scene: Scene, *codes: int, arguments: tuple[str, ...] = ()) -> None:
    """Hold an apply to refusing before it writes."""
    done = scene.apply(*arguments)
    assert done.code in codes, done.out + done.err
    assert scene.writes == []
    assert not Path("pwned").exists()


# Records that somebody forged.


def test_a_record_of_another_tracker(scene: Scene) -> None:
    swap()
    forge_record({"tracker_id": "9999-9999"})
    hold_refusal(scene, 2)
    assert scene.restore("HEAD").code == 2


def test_records_that_are_damaged(scene: Scene) -> None:
    swap()
    good = run("rev-parse", REFERENCE)
    for content in ("", "{}", "[]", '{"format": 1}', '{"format": 2}', '{"format": "1"}', "\x00"):
        write_files({"record.json": content.encode()})
        hold_refusal(scene, 2)
    for name in ("rules/00.jsonl", "rules/ff.jsonl"):
        run("update-ref", REFERENCE, good)
        header = json.dumps(read_record()).encode()
        write_files({"record.json": header, name: b'{"id": "a"}\n'})
        # Without the record nothing counts as moved by git.
        hold_refusal(scene, 1, 2)
    blob = run("hash-object", "-w", "pinsync.yaml")
    run("update-ref", REFERENCE, blob)
    hold_refusal(scene, 2)
    run("update-ref", REFERENCE, f"{good}^{{tree}}")
    hold_refusal(scene, 2, 4)


def test_a_record_whose_commits_are_options_of_git(scene: Scene) -> None:
    swap()
    good = run("rev-parse", REFERENCE)
    for value in OPTIONS:
        run("update-ref", REFERENCE, good)
        forge_record({"source": value})
        hold_refusal(scene, 2, 4)
        run("update-ref", REFERENCE, good)
        forge_record({"applied": value})
        hold_refusal(scene, 0, 2, 4, arguments=("..",))


def test_entries_whose_commits_are_options_of_git(scene: Scene) -> None:
    swap()
    text = read_entries()[T["id"]]["base"]["text"]
    for value in OPTIONS[:3] + OPTIONS[5:]:
        base = {"model": "basket", "text": text, "commit": value}
        forge_record({}, {"id": T["id"], "git_id": T["id"], "base": base})
        scene.apply()
        assert scene.writes == []
        assert not Path("pwned").exists()


def test_an_entry_without_a_rule_in_its_text(scene: Scene) -> None:
    swap()
    for text in ("", "\n", "  - id: x\n", "customizations: []\n", "&a *a", "  - !!python/none\n"):
        forge_record({}, {"id": T["id"], "git_id": T["id"], "base": {"model": "b", "text": text}})
        hold_refusal(scene, 1, 2)


@pytest.mark.parametrize("pin", ["/p/5/", "/p/7/", "/p/8/"])
def test_an_entry_that_claims_an_agreement_on_the_text_of_a_person(pin: str, scene: Scene) -> None:
    swap()
    scene.save(P)
    text = read_entries()[T["id"]]["base"]["text"].replace("/p/7/", pin)
    for commit in (run("rev-parse", "HEAD"), run("rev-parse", "HEAD~1")):
        base = {"model": "basket", "text": text, "commit": commit}
        forge_record({}, {"id": T["id"], "git_id": T["id"], "base": base})
        hold_refusal(scene, 1)
    assert scene.read_pin(T) == "/p/5/"


def test_a_reference_that_is_a_symbolic_one(scene: Scene) -> None:
    swap()
    main = run("rev-parse", "main")
    run("update-ref", "refs/heads/record", REFERENCE)
    run("symbolic-ref", REFERENCE, "refs/heads/record")
    scene.apply()
    run("symbolic-ref", REFERENCE, "refs/heads/main")
    scene.apply()
    assert run("rev-parse", "main") == main


# Plans that somebody began.


def test_a_plan_of_another_machine(scene: Scene) -> None:
    swap()
    forge_record(begin(machine="elsewhere"))
    hold_refusal(scene, 4)
    assert scene.restore("HEAD").code == 4


def test_a_plan_of_this_machine_without_a_journal(scene: Scene) -> None:
    swap()
    forge_record(begin())
    hold_refusal(scene, 4)


def test_starts_that_lead_to_other_files(scene: Scene) -> None:
    swap()
    forged = forge_journal(scene.backups).read_bytes()
    put(Path("../evil.jsonl"), forged)
    for started in ("/../../evil", "x/../../evil", "../evil", "a/b", "a" * 5000, "\n"):
        forge_record(begin(started=started))
        hold_refusal(scene, 2, 4)
        assert scene.restore("HEAD").code in (2, 4)


def test_a_start_that_no_file_can_be_named_after(scene: Scene) -> None:
    swap()
    forge_record(begin(started="\x00"))
    hold_refusal(scene, 2, 4)


def test_a_journal_that_was_cut_to_nothing(scene: Scene) -> None:
    """A user who says that the run is dead must be able to go on without its journal."""
    swap()
    forge_record(begin())
    forge_journal(scene.backups).write_bytes(b"")
    hold_refusal(scene, 2, 4)
    assert scene.apply("--take-over").code in (0, 1)


def test_a_journal_that_speaks_of_texts_that_git_never_had(scene: Scene) -> None:
    """Who can write into the folder of backups must not decide what people agreed on."""
    swap()
    scene.save(P)
    forge_record(begin())
    after = read_entries()[T["id"]]["base"]["text"].replace("/p/7/", "/p/5/")
    forge_journal(scene.backups, {"event": "acknowledged", "operations": [0]}, after=after)
    scene.apply()
    assert scene.read_pin(T) == "/p/5/"


def test_a_journal_of_another_tracker_or_plan(scene: Scene) -> None:
    swap()
    forge_record(begin())
    journal = forge_journal(scene.backups)
    text = journal.read_text()
    for old, new in (
        ('"1234-5678"', '"9999-9999"'),
        (STARTED, "x"),
        ('"version": 1', '"version": 2'),
    ):
        journal.write_text(text.replace(old, new))
        hold_refusal(scene, 2, 4)


def test_a_journal_that_is_a_link_or_a_folder(scene: Scene) -> None:
    swap()
    forge_record(begin())
    journal = forge_journal(scene.backups)
    journal.unlink()
    journal.mkdir()
    hold_refusal(scene, 2, 4)
    journal.rmdir()
    journal.symlink_to(journal)
    hold_refusal(scene, 2, 4)


@pytest.mark.xfail(
    strict=True,
    reason="A window that remains: the lock of a tracker lies in the user's state folder.",
)
def test_a_run_that_is_alive_on_this_machine_with_another_state_folder(
    scene: Scene, tmp_path: Path, pinsync: CommandLine
) -> None:
    """Two jobs of one machine may have state folders of their own, and share the backup folder."""
    swap()
    codes: list[int] = []

    def run_beside() -> None:
        environ = {"XDG_STATE_HOME": str(tmp_path / "other"), **scene.api.environment}
        beside = pinsync.spawn(
            "apply", "--yes", "--backup-dir", str(scene.backups), environ=environ
        )
        codes.append(beside.code)

    scene.at("GET scope/.*", run_beside)
    scene.apply()
    assert codes == [4]


def test_a_run_that_is_alive_on_this_machine(scene: Scene, pinsync: CommandLine) -> None:
    swap()
    codes: list[int] = []

    def run_beside() -> None:
        folder = ("--backup-dir", str(scene.backups))
        for command in (("apply",), ("apply", "--take-over"), ("restore", "HEAD")):
            done = pinsync.spawn(*command, "--yes", *folder, environ=scene.api.environment)
            codes.append(done.code)

    scene.at("GET scope/.*", run_beside)
    assert scene.apply().code == 0
    assert codes == [4, 4, 4]


# Records that move meanwhile.


def test_a_record_that_somebody_pushed_since_it_was_fetched(scene: Scene, remote: Path) -> None:
    swap()
    push_main()
    old = run("rev-parse", REFERENCE)
    forge_record({"applied": run("rev-parse", "HEAD")})
    run("push", "--quiet", str(remote), f"+{REFERENCE}:{REFERENCE}")
    run("update-ref", REFERENCE, old)
    hold_refusal(scene, 4)


def test_a_record_that_somebody_pushes_after_the_plan(scene: Scene, remote: Path) -> None:
    swap()
    push_main()
    new = run("commit-tree", "-m", "Other", "-p", REFERENCE, f"{REFERENCE}^{{tree}}")

    def push() -> None:
        run("push", "--quiet", str(remote), f"{new}:{REFERENCE}")

    scene.at(EXPORT, push)
    hold_refusal(scene, 4)
    assert read_record().get("begun") is None


def test_a_remote_that_refuses_the_record(scene: Scene, remote: Path) -> None:
    swap()
    push_main()
    put(remote / "hooks" / "update", "#!/bin/sh\nexit 1\n").chmod(0o755)
    before = read_record()
    hold_refusal(scene, 4)
    assert read_record() == before


def test_a_remote_that_refuses_the_last_record(scene: Scene, remote: Path) -> None:
    swap()
    push_main()
    hook = remote / "hooks" / "update"

    def refuse() -> None:
        put(hook, "#!/bin/sh\nexit 1\n").chmod(0o755)

    scene.at("PUT scope/.*", refuse, late=True)
    done = scene.apply("--format", "json")
    assert done.code == 3
    assert json.loads(done.out)["done"] == 1
    left = json.loads(run("--git-dir", str(remote), "show", f"{REFERENCE}:record.json"))
    assert left["begun"]["machine"] == platform.node()


def test_a_restore_while_an_apply_of_another_machine_is_at_work(scene: Scene, remote: Path) -> None:
    """The plan of the other machine stands in the record of the remote."""
    old = run("rev-parse", REFERENCE)
    forge_record(begin(machine="elsewhere"))
    run("push", "--quiet", str(remote), f"+{REFERENCE}:{REFERENCE}")
    run("update-ref", REFERENCE, old)
    swap()
    assert scene.restore("HEAD").code == 4
    assert scene.writes == []


def test_an_export_of_a_newer_commit_during_an_apply(scene: Scene, pinsync: CommandLine) -> None:
    """The source of the record only moves to newer commits."""
    swap()
    newest: list[str] = []

    def export() -> None:
        newest.append(write("Swap again", S2, OTHER, at=20))
        done = pinsync.spawn("export", "--keep-pending", environ=scene.api.environment)
        assert done.code == 0, done.err

    scene.at("PUT scope/.*", export, late=True)
    scene.apply()
    assert read_record()["source"] == newest[0]


def test_a_record_that_is_reset_during_an_apply(scene: Scene, pinsync: CommandLine) -> None:
    swap()

    def reset() -> None:
        pinsync.spawn("plan", "--reset-record", environ=scene.api.environment)

    scene.at("PUT scope/.*", reset, late=True)
    assert scene.apply().code in (0, 1, 3)
    scene.save(T)
    assert scene.apply().code == 1
    assert scene.read_pin(T) == "/p/7/"


def test_a_record_that_an_export_moves_after_the_plan(scene: Scene) -> None:
    swap()
    scene.at(EXPORT, lambda: forge_record({"applied": "0" * 40}))
    hold_refusal(scene, 4)


def test_an_agreement_of_an_export_during_an_apply(undated: Scene, pinsync: CommandLine) -> None:
    """The write is older than the agreement, and must not replace it."""
    swap()

    def agree() -> None:
        undated.save(P)
        write("Take what a person did", P, OTHER, at=20)
        done = pinsync.spawn("export", "--keep-pending", environ=undated.api.environment)
        assert done.code == 0, done.err

    undated.at(EXPORT, agree, nth=2, late=True)
    undated.apply()
    undated.calm()
    # A person takes it back.
    undated.save(S)
    undated.apply()
    assert undated.read_pin(T) == "/p/8/"


def test_an_agreement_after_a_killed_run_and_its_journal(
    undated: Scene, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal is older than the agreement, and must not replace it."""
    tagged = {**OTHER, "tags": ["git"]}
    write("Swap and tag", S, tagged, at=10)
    with die_before_account(monkeypatch), pytest.raises(Killed):
        undated.apply()
    # A person edits both rules, and git takes one of the edits.
    undated.save(P)
    undated.save({**OTHER, "tags": ["mine"]})
    write("Take what a person did", P, tagged, at=20)
    assert pinsync("export", "--keep-pending").code == 0
    assert read_record()["begun"]
    # A person takes it back.
    undated.save(S)
    undated.apply()
    assert undated.read_pin(T) == "/p/8/"


# What a run leaves behind.


def test_a_failed_apply_is_not_noted_as_applied(scene: Scene) -> None:
    before = read_record()["applied"]
    swap()
    scene.at("PUT scope/.*", lambda: Answer(500, b"{}"))
    assert scene.apply().code == 3
    assert read_record()["applied"] == before
    scene.calm()
    done = scene.apply("..", "--overwrite-edits")
    assert done.code == 0, done.out
    assert scene.read_pin(T) == "/p/8/"


def test_a_failed_first_apply_is_not_noted_as_applied(scene: Scene) -> None:
    """A range without a start would begin behind the failed commit, and leave its rules out."""
    Path(".git", REFERENCE).unlink()
    swap()
    scene.at("PUT scope/.*", lambda: Answer(500, b"{}"))
    assert scene.apply("--overwrite-edits").code == 3
    scene.calm()
    scene.apply("..", "--overwrite-edits")
    assert scene.read_pin(T) == "/p/8/"


def test_a_rule_whose_created_id_belongs_to_another_rule(scene: Scene) -> None:
    """The entry of the other rule must stay."""
    write("Add", T, OTHER, without_id(rule(3)), at=10)
    before = read_entries()[OTHER["id"]]["base"]["text"]
    body = json.dumps({"model": "basket", **rule(3), "id": OTHER["id"]}).encode()
    scene.at(CREATE, lambda: Answer(200, body))
    assert scene.apply().code == 3
    assert read_entries()[OTHER["id"]]["base"]["text"] == before


def test_a_run_that_is_killed_before_its_first_write(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap()
    with die_before_account(monkeypatch, writes=False), pytest.raises(Killed):
        scene.apply()
    assert scene.apply().code == 0
    assert scene.read_pin(T) == "/p/8/"
    assert read_record().get("begun") is None


def test_a_lost_update_stays_in_doubt_through_an_export(scene: Scene, pinsync: CommandLine) -> None:
    swap()
    scene.api.fail(parse_fault("reset:write=1"))
    assert scene.apply().code == 3
    assert read_record()["begun"]
    assert pinsync("export", "--keep-pending").code == 0
    assert read_record()["begun"]
