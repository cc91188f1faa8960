"""Restores through the command line: backups, exports and revisions, whoever changed the rules since."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.agreeing import OTHER, REFERENCE, S2, S, T, without_id, write
from support.applying import open_shop, write_setting
from support.exporting import piped, put
from support.histories import BASKET, commit, rule, run, text
from support.terminals import Dialogue

if TYPE_CHECKING:
    from support.applying import LiveShop
    from support.command_line import CommandLine

Row = dict[str, Any]

NEW = without_id(rule(3, "/p/7/"))
AGREED = {"/p/1/": "/p/7/", "/p/2/": ""}


def restore(shop: LiveShop, *arguments: str) -> list[str]:
    """Restore without a question; return each operation in a line."""
    return shop.apply(*arguments, command="restore")


def read_reference() -> str:
    return run("rev-parse", REFERENCE)


def spoil(shop: LiveShop) -> None:
    """Edit a rule, delete another one, and add a third one, as people do."""
    shop.edit(T)
    shop.api.delete(OTHER["id"])
    shop.api.create({**rule(9, "/p/9/"), "model": "basket"})


def test_a_revision_overrules_everybody(live: LiveShop) -> None:
    spoil(live)
    assert restore(live, "HEAD") == [
        *("update /p/1/: done", "create /p/2/: done", "delete /p/9/: done"),
    ]
    assert live.code == 0
    assert live.shelf == AGREED
    assert live.tracker["left"] == []
    assert restore(live, "HEAD") == []


def test_everything_is_listed_and_asked_for(live: LiveShop) -> None:
    spoil(live)
    dialogue = Dialogue("restore", "HEAD")
    dialogue.answer("no")
    code, shown = dialogue.end()
    assert code == 1
    for target in ("/p/1/", "/p/2/", "/p/9/"):
        assert target in shown
    assert "Carry out this plan in the shop [y,n]?" in shown
    assert live.writes == []
    done = live.pinsync("restore", "HEAD")
    assert done.code == 2
    assert "there is no terminal to ask on" in done.err


def test_a_backup_goes_back_behind_an_apply(live: LiveShop) -> None:
    spoil(live)
    write("Swap", S, OTHER, NEW, at=0)
    before = live.shelf
    live.apply("--overwrite-edits", "--recreate", "--delete-extra")
    assert live.code == 0
    assert live.shelf == {"/p/1/": "/p/8/", "/p/2/": "", "/p/3/": "/p/7/"}
    (backup,) = [path for path in live.files if path.name.startswith("backup")]
    restore(live, str(backup))
    assert live.code == 0
    assert live.shelf == before
    # A fresh backup, with the state before.
    backups = [path for path in live.files if path.name.startswith("backup")]
    assert len(backups) == 2
    restore(live, str(max(backups)))
    assert live.shelf == {"/p/1/": "/p/8/", "/p/2/": "", "/p/3/": "/p/7/"}


def test_an_export_on_standard_input(live: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, [{**S2, "model": "basket"}, {**OTHER, "model": "basket"}])
    assert restore(live, "-") == ["update /p/1/: done"]
    assert live.record["source"]["revision"] is None
    piped(monkeypatch, [])
    done = live.pinsync("restore", "-")
    assert done.code == 2
    assert "can't answer a question" in done.err


def test_an_export_without_a_repository(
    live: LiveShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "plain"
    put(folder / "pinsync.yaml", Path("pinsync.yaml").read_text())
    rows = [{**S, "model": "basket"}, {**OTHER, "model": "basket"}]
    put(folder / "old.json", json.dumps({"results": rows}))
    monkeypatch.chdir(folder)
    assert restore(live, "old.json") == ["update /p/1/: done"]
    assert live.code == 0


def test_any_revision_may_be_restored(live: LiveShop) -> None:
    first = run("rev-parse", "HEAD")
    write("Swap", S, OTHER, at=0)
    live.apply()
    run("switch", "--quiet", "--create", "side")
    write("Aside", S2, OTHER, at=0)
    assert restore(live, "side") == ["update /p/1/: done"]
    assert restore(live, first) == ["update /p/1/: done"]
    assert live.shelf == AGREED
    restore(live, "HEAD~1..HEAD")
    assert live.code == 2
    assert "a single state, not a range" in live.err


@pytest.mark.parametrize("source", ["@worktree", "@index"])
def test_uncommitted_work_may_be_restored(source: str, live: LiveShop) -> None:
    put(Path(BASKET), text("basket", S, OTHER))
    run("add", BASKET)
    assert restore(live, source) == ["update /p/1/: done"]


def test_no_entry_moves_and_the_next_apply_undoes_nothing(live: LiveShop) -> None:
    first = run("rev-parse", "HEAD")
    write("Swap", S, OTHER, at=0)
    live.apply()
    before = read_reference()
    restore(live, first)
    assert live.code == 0
    assert read_reference() == before
    assert live.apply() == []
    assert live.left == ["update /p/1/: shop"]
    assert live.shelf == AGREED
    # An export takes it into git.
    live.export("--commit")
    assert live.apply() == []
    assert live.code == 0


def test_a_rule_that_comes_back_has_a_new_id(live: LiveShop) -> None:
    live.api.delete(T["id"])
    assert restore(live, "HEAD") == ["create /p/1/: done"]
    (operation,) = live.tracker["operations"]
    assert operation["id"] not in (T["id"], None)
    diff = json.loads(live.pinsync("diff", "--json").out)
    assert [each["kind"] for each in diff["trackers"][0]["changes"]] == ["recreated"]
    assert live.plan() == []


def test_the_rules_of_others_are_left_alone(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = {**T, "tags": ["ours"]}, {**OTHER, "tags": ["theirs"]}
    with open_shop([ours, theirs], pinsync, monkeypatch) as shop:
        assert repository
        write_setting("    manages:\n      tags: [ours]\n")
        commit("Begin", {BASKET: text("basket", ours)})
        shop.export()
        shop.edit(ours)
        shop.api.create({**rule(9, "/p/9/"), "model": "basket"})
        assert restore(shop, "HEAD") == ["update /p/1/: done"]
        assert shop.code == 0
        assert shop.shelf == {"/p/1/": "/p/7/", "/p/2/": "", "/p/9/": "/p/9/"}


def test_filters(live: LiveShop) -> None:
    spoil(live)
    assert restore(live, "HEAD", "--id", T["id"]) == ["update /p/1/: done"]
    assert restore(live, "HEAD", "--target-identity", "/p/9/") == ["delete /p/9/: done"]


def test_mass_removal_is_asked_about_by_an_option(live: LiveShop) -> None:
    put(Path("empty.json"), '{"results": []}')
    restore(live, "empty.json")
    assert live.code == 4
    assert "every rule of the shop would be deleted" in live.err
    restore(live, "empty.json", "--allow-mass-removal")
    assert live.shelf == {}


def test_a_restore_meets_faults_as_an_apply_does(live: LiveShop) -> None:
    spoil(live)
    live.fail("reset:write=1:effect=after", "500:write=2")
    assert restore(live, "HEAD") == [
        *("update /p/1/: done", "create /p/2/: lost", "delete /p/9/: waiting"),
    ]
    assert live.code == 3
    assert "run the command again" in live.tracker["error"]["hint"]
    assert restore(live, "HEAD") == ["create /p/2/: done", "delete /p/9/: done"]
    assert live.shelf == AGREED
