"""Attempts to let an apply write although it refuses, or although a person said no."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinsync.sandbox import Answer
from support.agreeing import OTHER, REFERENCE, T, read_record, without_id, write
from support.attacking import swap
from support.exporting import piped, put
from support.histories import BASKET, commit, rule, run, text
from support.moving import CONFIGURATION

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.attacking import Scene

ZEROS = "0" * 64


def refuse(scene: Scene, code: int, *arguments: str, yes: bool = True) -> None:
    """Run an apply that must be refused, and hold it to having written nothing."""
    before, record = scene.api.customizations(), run("rev-parse", REFERENCE)
    done = scene.apply(*arguments, yes=yes)
    assert done.code == code, done.out + done.err
    assert scene.writes == []
    assert scene.api.customizations() == before
    assert run("rev-parse", REFERENCE) == record
    assert not list(scene.backups.glob("*"))


def test_options_that_do_not_allow_it(scene: Scene) -> None:
    swap()
    refused = [
        ["--expect", ZEROS],
        ["--expect", ""],
        ["--expect", "None"],
        ["--expect", ZEROS, "--yes"],
        ["--max-changes", "0", "--yes"],
        ["--no-record", "--yes"],
    ]
    for arguments in refused:
        refuse(scene, 4, *arguments, yes=False)
    wrong = [
        [],
        ["--format", "json"],
        ["-p", "--yes"],
        ["@worktree", "--yes"],
        ["@index", "--yes"],
        ["@live", "--yes"],
        ["HEAD...HEAD~1", "--yes"],
        ["HEAD..@worktree", "--yes"],
        ["--model", "bask", "--yes"],
        ["--id", "0", "--yes"],
        ["--id", "", "--yes"],
        ["--tracker", "other", "--yes"],
        ["--parallel", "0", "--yes"],
    ]
    for arguments in wrong:
        refuse(scene, 2, *arguments, yes=False)


def test_a_checksum_of_the_plan_before_an_edit_of_the_shop(scene: Scene) -> None:
    swap()
    checksum = json.loads(scene.pinsync("plan", "--json").out)["checksum"]
    scene.save({**T, "tags": ["mine"]})
    refuse(scene, 4, "--overwrite-edits", "--expect", checksum, yes=False)


def test_a_checksum_of_the_plan_with_other_options(scene: Scene) -> None:
    swap()
    checksum = json.loads(scene.pinsync("plan", "--json").out)["checksum"]
    scene.add(without_id(rule(9)))
    refuse(scene, 4, "--delete-extra", "--expect", checksum, yes=False)


def _leave_main() -> None:
    run("switch", "--quiet", "--create", "work")
    swap()


def _detach_main() -> None:
    _leave_main()
    run("tag", "v1")
    run("switch", "--quiet", "main")
    run("checkout", "--quiet", "v1")


def _go_back() -> None:
    run("checkout", "--quiet", "--orphan", "other")
    commit("Begin anew", at=3)
    run("branch", "--quiet", "--force", "main")
    run("switch", "--quiet", "main")


def _remove_expired() -> None:
    swap()
    put(Path("pinsync.yaml"), CONFIGURATION + "    remove_expired_pins: true\n")


def _write_lint_error() -> None:
    wrong = rule(1, {"position": 1, "pin_type": "item"})
    write("Forget the item", wrong, OTHER, at=10)


def _damage_document() -> None:
    commit("Damage", {BASKET: text("basket", T, OTHER).replace("customizations", "rules")}, at=10)


def _repeat_id() -> None:
    commit("Repeat", {BASKET: text("basket", T, T)}, at=10)


def _hide_backups() -> None:
    swap()
    put(Path("../backups"), "a file")


@pytest.mark.parametrize(
    ("code", "prepare"),
    [
        (4, _leave_main),
        (4, _detach_main),
        (4, _go_back),
        (2, _remove_expired),
        (2, _write_lint_error),
        (2, _damage_document),
        (2, _repeat_id),
        (2, _hide_backups),
    ],
)
def test_a_repository_that_does_not_allow_it(
    code: int, prepare: Callable[[], None], scene: Scene
) -> None:
    prepare()
    refuse(scene, code)


def test_a_tag_of_the_main_line_is_no_reason_to_refuse(scene: Scene) -> None:
    swap()
    run("tag", "--annotate", "-m", "A tag", "v1")
    assert scene.apply("v1").code == 0
    assert read_record()["applied"] == run("rev-parse", "HEAD")
    assert scene.read_pin(T) == "/p/8/"


def test_a_no(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    swap()
    monkeypatch.setattr("pinsync.commands.execution.is_terminal", lambda _: True)
    for answer in (b"n\n", b"no\n", b"", b"what\n\nNO\n", b"maybe yes\n", b"\x00\xff\n"):
        piped(monkeypatch, answer)
        refuse(scene, 1, yes=False)


def test_a_lock_that_another_process_holds(scene: Scene) -> None:
    swap()
    lock = Path(os.environ["XDG_STATE_HOME"], "pinsync", "apply", "1234-5678.lock")
    lock.parent.mkdir(parents=True)
    script = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX)"
    script += "; print(); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        refuse(scene, 4)
        holder.communicate()


def test_a_state_folder_in_the_repository(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    swap()
    monkeypatch.setenv("XDG_STATE_HOME", str(Path("state").resolve()))
    assert scene.pinsync("apply", "--yes").code == 2
    assert scene.read_pin(T) == "/p/7/"
    assert not Path("state").exists()


def test_a_backup_folder_in_the_repository(scene: Scene) -> None:
    """The backup must not be offered to git, with all that the shop plans."""
    swap()
    assert scene.pinsync("apply", "--yes", "--backup-dir", "backups").code == 0
    assert len(list(Path("backups").glob("*.json*"))) == 2
    assert run("status", "--porcelain", "--untracked-files=all") == ""


def test_a_restore_whose_source_is_standard_input_and_nobody_to_ask(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(monkeypatch, [])
    assert scene.run("restore", "-").code == 2
    assert scene.writes == []


def test_a_restore_of_doctored_exports(scene: Scene) -> None:
    row = '"model": "basket", "target_type": "all"'
    for content in (
        "",
        "[]",
        '{"results": null}',
        '{"results": [{"id": "a", "target_type": "all"}]}',
        '{"results": [], "total": 7}',
        '{"results": [], "next": "/2"}',
        f'{{"results": [{{{row}}}]}}',
        f'{{"results": [{{"id": "a", "id": "b", {row}}}]}}',
        f'{{"results": [{{"id": "a", {row}}}, {{"id": "a", {row}}}]}}',
    ):
        doctored = put(Path("../doctored.json").resolve(), content)
        assert scene.restore(str(doctored), "--allow-mass-removal").code == 2
        assert scene.writes == []


def test_a_restore_of_exports_with_odd_values(scene: Scene) -> None:
    """Whatever a value is, no run may end as a bug."""
    odd: list[dict[str, object]] = [
        {"pin_definitions": [1, None]},
        {"pin_definitions": {"a": 1}},
        {"pin_definitions": [{"position": "x", "pin_type": 3, "active_to": 7}]},
        {"tags": [1, None]},
        {"target_identity": ["a"]},
        {"target_criteria": [1]},
        {"target_type": "odd"},
        {"target_metadata": [1]},
        {"target_metadata": {"a": 2**80, "b": 1e22}},
        {"model": "../x\n" * 99},
    ]
    for fields in odd:
        rows = [{"model": "basket", **T, **fields}, {"model": "basket", **OTHER}]
        doctored = put(Path("../doctored.json").resolve(), json.dumps({"results": rows}))
        assert scene.restore(str(doctored), "--allow-mass-removal").code in (0, 1, 2, 3)


def test_a_remote_that_can_not_be_reached(scene: Scene) -> None:
    swap()
    run("remote", "add", "origin", "/nowhere")
    run("update-ref", "refs/remotes/origin/main", "HEAD")
    run("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    refuse(scene, 4)


def test_a_shop_that_answers_with_rules_without_ids(scene: Scene) -> None:
    swap()
    scene.api.create({"model": "basket", "target_type": "all", "id": ""})
    broken = json.dumps({"results": [{"model": "basket", "target_type": "all"}]}).encode()
    scene.at("POST scopes/export", lambda: Answer(200, broken))
    refuse(scene, 3)
