"""Applies through the command line: what is shown and refused first, the files, and what is written."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.sandbox import Sandbox, StandIn, parse_fault
from support.agreeing import OTHER, S2, S, T, without_id, write
from support.applying import LONG_AGO, add_remote, age, open_shop, push, write_setting
from support.exporting import answered, put
from support.histories import BASKET, HOME, commit, rule, run, text
from support.moving import CONFIGURATION
from support.terminals import CTRL_C, CTRL_D, Dialogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.applying import LiveShop
    from support.command_line import CommandLine

Row = dict[str, Any]

AGREED = {"/p/1/": "/p/7/", "/p/2/": ""}
NEW = without_id(rule(3, "/p/7/"))


def swap(shop: LiveShop, *more: Row) -> None:
    """Let git change the first rule."""
    assert shop.shelf == AGREED
    write("Swap", S, OTHER, *more, at=0)


# Shown first.


def test_the_plan_is_shown_carried_out_and_accounted_for(live: LiveShop) -> None:
    swap(live, NEW)
    done = live.pinsync("apply", "--yes")
    assert done.code == 0
    assert done.err == ""
    plan, _, account = done.out.partition("\n\nDone: all 2 rules.\n")
    assert "/p/7/" in plan
    assert re.search(r"^Checksum of the plan: [0-9a-f]{64}$", plan, re.MULTILINE)
    backup, journal_ = live.files
    assert account.replace("\n  ", "") == f"backup: {backup}\njournal: {journal_}\n"
    assert live.shelf == {"/p/1/": "/p/8/", "/p/2/": "", "/p/3/": "/p/7/"}
    assert live.plan() == []
    assert live.apply() == []
    assert live.code == 0


def test_nothing_to_apply_needs_neither_question_nor_file(live: LiveShop) -> None:
    done = live.pinsync("apply", "--yes")
    assert done.code == 0
    assert done.out.startswith("Nothing to apply")
    assert live.files == []


def test_the_account_for_programs(live: LiveShop) -> None:
    swap(live)
    assert live.apply() == ["update /p/1/: done"]
    assert live.code == 0
    assert (live.record["planned"], live.record["done"]) == (1, 1)
    assert live.record["source"] == {"source": "HEAD", "revision": run("rev-parse", "HEAD")}
    tracker = live.tracker
    assert tracker["host"] == live.api.url
    assert [tracker["backup"], tracker["journal"]] == list(map(str, live.files))
    (operation,) = tracker["operations"]
    assert (operation["id"], operation["file"], operation["line"]) == (T["id"], BASKET, 4)


def test_an_expected_checksum_is_a_yes(live: LiveShop) -> None:
    swap(live)
    checksum = json.loads(live.pinsync("plan", "--json").out)["checksum"]
    done = live.pinsync("apply", "--expect", checksum)
    assert done.code == 0, done.err
    assert live.shelf["/p/1/"] == "/p/8/"


@pytest.mark.parametrize("options", [[], ["--yes"], ["--json"]])
def test_another_checksum_is_refused_and_the_plan_is_shown(
    options: list[str], live: LiveShop
) -> None:
    swap(live)
    checksum = json.loads(live.pinsync("plan", "--json").out)["checksum"]
    write("Swap again", S2, OTHER, at=0)
    done = live.pinsync("apply", "--expect", checksum, *options)
    assert done.code == 4
    assert "/p/9/" in done.out + done.err
    assert f"not {checksum}" in done.err
    assert live.writes == []
    assert live.files == []


def test_without_a_terminal_a_yes_is_needed(live: LiveShop) -> None:
    swap(live)
    done = live.pinsync("apply")
    assert done.code == 2
    assert "there is no terminal to ask on" in done.err
    assert "--yes" in done.err
    assert len(live.calls) == 1, "only the first export"


@pytest.mark.parametrize(
    ("answer", "code"), [("no", 1), ("N", 1), (CTRL_D, 1), (CTRL_C, 130), ("y", 0), (" YES ", 0)]
)
def test_the_answer_of_a_person(answer: str, code: int, live: LiveShop) -> None:
    swap(live)
    dialogue = Dialogue("apply")
    dialogue.answer(answer)
    found, shown = dialogue.end()
    assert found == code, shown
    assert "Carry out this plan in the shop [y,n]?" in shown
    if code:
        assert live.writes == []
        assert live.files == []
        assert code != 1 or "nothing was changed" in shown
    else:
        assert "Done: 1 rule." in shown
        assert live.shelf["/p/1/"] == "/p/8/"


def test_a_terminal_that_closes_ends_the_run(live: LiveShop) -> None:
    swap(live)
    dialogue = Dialogue("apply")
    dialogue.wait_for_question()
    assert dialogue.hang_up() != 0
    assert live.writes == []


def test_json_can_not_ask(live: LiveShop) -> None:
    dialogue = Dialogue("apply", "--json")
    code, shown = dialogue.end()
    assert code == 2
    assert "--format json can't ask for a yes" in shown
    assert live.files == []


# What is refused.


def test_a_limit_of_changes(live: LiveShop) -> None:
    swap(live, NEW)
    live.apply("--max-changes", "1")
    assert live.code == 4
    assert "the plan has 2 operations, more than --max-changes 1" in live.err
    assert live.writes == []
    live.apply("--max-changes", "2")
    assert live.code == 0


def test_mass_removal(live: LiveShop) -> None:
    commit("Remove", {BASKET: None})
    live.apply("--delete")
    assert live.code == 4
    assert "every rule of the shop would be deleted (2)" in live.err
    assert "--allow-mass-removal" in live.err
    assert live.writes == []
    assert live.apply("--delete", "--allow-mass-removal") == [
        *("delete /p/1/: done", "delete /p/2/: done"),
    ]
    assert live.shelf == {}


def test_more_removals_than_the_settings_allow(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [rule(number) for number in range(1, 31)]
    with open_shop(rows, pinsync, monkeypatch) as shop:
        assert repository
        shop.begin(*rows)
        write_setting("safety:\n  max_removed_percent: 10\n  min_existing: 20\n")
        write("Remove", *rows[4:], at=0)
        shop.apply("--delete")
        assert shop.code == 4
        assert "4 of 30 rules of the shop would be deleted, more than 10 %" in shop.err
        write("Remove less", *rows[3:], at=0)
        shop.apply("--delete")
        assert shop.code == 0


def test_a_lint_error_in_a_rule_to_be_written(live: LiveShop) -> None:
    wrong = rule(1, {"position": 1, "pin_type": "item"})
    write("Forget the item", wrong, OTHER, at=0)
    live.apply()
    assert live.code == 2
    assert re.search(rf"HEAD:{BASKET}:\d+: .*in a rule to be written", live.err)
    assert "--no-lint" in live.err
    assert live.writes == []
    # The API refuses the rule, too.
    assert live.apply("--no-lint") == ["update /p/1/: refused"]
    assert live.code == 3


def test_a_lint_error_in_another_rule_does_not_matter(live: LiveShop) -> None:
    row = live.api.get(OTHER["id"])
    wrong = {**OTHER, "pin_definitions": [{"position": 1, "pin_type": "item"}]}
    live.api.replace({**row, **wrong})
    live.export("--commit")
    write("Swap", S, wrong, at=0)
    assert live.apply() == ["update /p/1/: done"]
    assert live.code == 0


@pytest.mark.parametrize("name", ["remove_expired_pins", "remove_nonexisting_item_pins"])
def test_documents_that_lack_pins_of_the_shop(name: str, live: LiveShop) -> None:
    swap(live)
    put(Path("pinsync.yaml"), f"{CONFIGURATION}    {name}: true\n")
    commit("Leave out pins")
    for command in (["apply"], ["restore", "HEAD~1"]):
        live.apply(*command[1:], command=command[0])
        assert live.code == 2
        assert "the documents of tracker shop lack the pins" in live.err
    assert live.writes == []


def test_a_rule_whose_pins_are_over_is_a_warning(live: LiveShop) -> None:
    pin = {"position": 1, "pin_type": "item", "pin_identity": "/p/8/"}
    over = rule(1, {**pin, "active_to": "2020-01-01T00:00:00Z"})
    write("Too late", over, OTHER, at=0)
    assert live.apply() == ["update /p/1/: done"]
    assert live.code == 0
    expected = "warning: all pins of a rule to be written are over: basket: item /p/1/"
    assert expected in live.err.splitlines()


def test_a_rule_with_a_pin_that_is_not_over_is_none(live: LiveShop) -> None:
    pin = {"position": 1, "pin_type": "item", "pin_identity": "/p/8/"}
    over = {**pin, "position": 2, "active_to": "2020-01-01T00:00:00Z"}
    write("One of two", rule(1, pin, over), OTHER, at=0)
    live.apply()
    assert "are over" not in live.err


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("@worktree", "apply takes a revision, not @worktree"),
        ("@index", "apply takes a revision, not @index"),
        ("live.json", "apply takes a revision, and live.json is an export"),
        ("@live", "@live is the shop itself"),
        ("HEAD~1...HEAD", "takes no range from a merge base"),
        ("nothing", "nothing"),
    ],
)
def test_a_source_that_is_no_revision(source: str, words: str, live: LiveShop) -> None:
    swap(live)
    put(Path("live.json"), '{"results": []}')
    live.apply(source)
    assert live.code == 2
    assert words in live.err
    assert live.writes == []


def test_a_commit_that_is_not_on_the_main_line(live: LiveShop) -> None:
    run("switch", "--quiet", "--create", "side")
    swap(live)
    live.apply()
    assert live.code == 4
    assert "isn't on the main line, refs/heads/main" in live.err
    assert "restore" in live.err
    run("switch", "--quiet", "main")
    live.apply("side")
    assert live.code == 4
    # Merged, it is contained in the main line, but only on its second line.
    run("commit", "--quiet", "--allow-empty", "--message", "Go on")
    run("merge", "--quiet", "--no-ff", "-m", "Merge", "side")
    live.apply("side")
    assert live.code == 4
    assert live.writes == []
    assert live.apply() == ["update /p/1/: done"]


def test_no_commit_and_no_repository(
    live: LiveShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "plain"
    put(folder / "pinsync.yaml", CONFIGURATION)
    monkeypatch.chdir(folder)
    live.apply()
    assert live.code == 2
    run("init", "--quiet")
    live.apply()
    assert live.code == 2
    assert live.writes == []


# The plan's defaults.


def test_what_people_did_is_left_alone_and_listed(live: LiveShop) -> None:
    swap(live, NEW)
    live.edit(T)
    live.api.create({**rule(9, "/p/9/"), "model": "basket"})
    assert live.apply() == ["create /p/3/: done"]
    assert live.code == 1
    assert live.left == ["update /p/1/: both", "delete /p/9/: extra"]
    assert live.shelf == {"/p/1/": "/p/5/", "/p/2/": "", "/p/3/": "/p/7/", "/p/9/": "/p/9/"}
    done = live.pinsync("apply", "--yes")
    assert done.code == 1
    assert done.out.startswith("Nothing to apply: 2 rules that differ are left alone.\n")
    write("Swap again", S, rule(2, "/p/8/"), NEW, at=0)
    done = live.pinsync("apply", "--yes")
    assert "\nDone: 1 rule.\n2 rules left alone, as the plan says.\n" in done.out


def test_each_option_allows_its_operation(live: LiveShop) -> None:
    write("Remove", S, at=0)
    live.edit(T)
    live.api.create({**rule(9, "/p/9/"), "model": "basket"})
    assert live.apply() == []
    assert live.apply("--delete") == ["delete /p/2/: done"]
    assert live.apply("--overwrite-edits") == ["update /p/1/: done"]
    assert live.apply("--delete-extra") == ["delete /p/9/: done"]
    live.api.delete(T["id"])
    assert live.apply() == []
    assert live.left == ["create /p/1/: shop"]
    assert live.apply("--recreate") == ["create /p/1/: done"]
    assert live.shelf == {"/p/1/": "/p/8/"}
    assert live.apply() == []
    assert live.code == 0


def test_filters(live: LiveShop) -> None:
    write("Swap both", S, rule(2, "/p/8/"), at=0)
    assert live.apply("--id", T["id"]) == ["update /p/1/: done"]
    assert live.code == 0
    assert live.shelf == {"/p/1/": "/p/8/", "/p/2/": ""}
    assert live.apply("--target-identity", "/p/2/") == ["update /p/2/: done"]


# The files.


def test_the_backup_has_the_bytes_of_the_answer(live: LiveShop) -> None:
    swap(live)
    body = json.dumps({"results": live.api.customizations()}, indent=3).encode() + b"\n \n"
    answered(live.api, body)
    assert live.apply() == ["update /p/1/: done"]
    backup, journal_ = live.files
    # JSON as it came, spaces and all.
    assert backup.read_bytes() == body
    for path in (backup, journal_):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not path.is_relative_to(Path.cwd())
    assert backup.name.startswith("backup-1234-5678-2")
    assert journal_.name.startswith("journal-1234-5678-2")


def test_a_backup_is_a_source(live: LiveShop) -> None:
    swap(live)
    live.apply()
    backup = str(live.files[0])
    assert live.pinsync("diff", backup, "HEAD~1").code == 0
    assert live.apply(backup, command="restore") == ["update /p/1/: done"]
    assert live.shelf == AGREED


def test_the_journal_has_every_call_and_its_outcome(live: LiveShop) -> None:
    swap(live, NEW)
    live.apply()
    events = [json.loads(line) for line in live.files[1].read_text().splitlines()]
    assert [event["event"] for event in events] == [
        *("begin", "send", "acknowledged", "send", "acknowledged", "end"),
    ]
    assert events[0]["host"] == live.api.url
    assert events[0]["source"] == run("rev-parse", "HEAD")
    assert [event["call"] for event in events[1:4:2]] == ["PUT", "POST"]
    assert events[-1]["exit_code"] == 0
    assert "sandbox-private-key" not in live.files[1].read_text()


def test_a_folder_of_the_users_choice(live: LiveShop, tmp_path: Path) -> None:
    swap(live)
    folder = tmp_path / "backups"
    live.apply("--backup-dir", str(folder))
    assert live.code == 0
    assert len(list(folder.iterdir())) == 2
    assert live.files == []


def test_a_state_folder_inside_the_repository(
    live: LiveShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap(live)
    monkeypatch.setenv("XDG_STATE_HOME", str(Path.cwd() / "state"))
    live.apply()
    assert live.code == 2
    assert "the backup would lie in the repository" in live.err
    assert live.writes == []


def test_a_state_folder_inside_the_repository_but_beside_the_configuration(
    live: LiveShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("pins").mkdir()
    run("mv", "pinsync.yaml", "customizations", "pins")
    commit("Move")
    monkeypatch.setenv("XDG_STATE_HOME", str(Path.cwd() / "state"))
    monkeypatch.chdir("pins")
    live.apply()
    assert live.code == 2
    assert "the backup would lie in the repository" in live.err


def test_a_folder_that_can_not_be_made(live: LiveShop, tmp_path: Path) -> None:
    swap(live)
    (tmp_path / "file").touch()
    live.apply("--backup-dir", str(tmp_path / "file" / "folder"))
    assert live.code == 2
    assert "can't be written" in live.err
    assert live.writes == []
    assert live.apply() == ["update /p/1/: done"]


@pytest.mark.parametrize("full", ["backup", "journal"])
def test_a_full_disk_before_the_first_write(
    full: str, live: LiveShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap(live)
    opened: list[str] = []
    original_open, original_sync = os.open, os.fsync

    def remember(path: Any, *arguments: Any, **options: Any) -> int:  # noqa: ANN401 - as os.open
        opened.append(str(path))
        return original_open(path, *arguments, **options)

    def sync(descriptor: int) -> None:
        # The space ends when the data reaches the disk.
        if f"/{full}-" in opened[-1]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original_sync(descriptor)

    monkeypatch.setattr(os, "open", remember)
    monkeypatch.setattr(os, "fsync", sync)
    live.apply()
    assert live.code == 2
    assert "can't be written: No space left on device" in live.err
    assert live.writes == []
    monkeypatch.undo()


# One host.


@contextlib.contextmanager
def two_hosts(live: LiveShop, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Sandbox, Sandbox]]:
    """Serve the rules at two hosts."""
    first = Sandbox(live.api.customizations(), seed=1)
    with first, Sandbox(live.api.customizations(), seed=1) as second:
        monkeypatch.delenv("PINSYNC_HOST")
        monkeypatch.setenv("PINSYNC_ALLOW_HOST", "127.0.0.1")
        write_setting(f"    hosts: ['{first.url}', '{second.url}']\n")
        commit("Two hosts")
        yield first, second


def test_one_host_gets_all_requests(live: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    swap(live)
    with two_hosts(live, monkeypatch) as (first, second):
        assert live.apply() == ["update /p/1/: done"]
        assert live.tracker["host"] == first.url
        assert len(first.requests) == 5
        assert second.requests == []


def test_the_host_that_answered_the_plan_gets_all_writes(
    live: LiveShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap(live)
    with two_hosts(live, monkeypatch) as (first, second):
        first.fail(parse_fault("502:4"))
        monkeypatch.setattr("pinsync.api.call.RETRY_SECONDS", 0.0)
        assert live.apply() == ["update /p/1/: done"]
        assert live.tracker["host"] == second.url
        assert {request.method for request in first.requests} == {"POST"}
        assert {request.path.rpartition("/")[2] for request in first.requests} == {"export"}
        assert len(second.requests) == 5


def test_a_host_that_fails_in_the_middle_is_not_replaced(
    live: LiveShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("Swap both", S, rule(2, "/p/8/"), at=0)
    with two_hosts(live, monkeypatch) as (first, second):
        first.fail(parse_fault("503:*:write=2"))
        assert live.apply() == ["update /p/1/: done", "update /p/2/: lost"]
        assert live.code == 3
        assert second.requests == []


# Several trackers, and ignored fields.


def test_the_fields_that_git_ignores_keep_the_values_of_the_shop(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = {"title": "One", "image": "https://cdn/1.jpg"}
    row = {**T, "target_metadata": metadata}
    with open_shop([row], pinsync, monkeypatch) as shop:
        put(repository / "pinsync.yaml", f"{CONFIGURATION}ignore: [target_metadata.image]\n")
        git_row = {**T, "target_metadata": {"title": "One"}}
        commit("Begin", {BASKET: text("basket", git_row)})
        shop.export()
        new = {**S, "target_metadata": {"title": "Two"}}
        write("Swap", new, at=0)
        assert shop.apply() == ["update /p/1/: done"]
        found = shop.api.get(T["id"])
        assert found["target_metadata"] == {"title": "Two", "image": "https://cdn/1.jpg"}
        assert found["created_at"] == LONG_AGO
        assert shop.plan() == []


def test_several_trackers_one_after_the_other(
    repository: Path, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = StandIn(age([T]), tracker_id="1111-2222", seed=1)
    with open_shop([T], pinsync, monkeypatch, more_trackers=[second]) as shop:
        monkeypatch.delenv("PINSYNC_TRACKER_ID")
        names = "".join(
            f"  {name}:\n    tracker_id: {id_}\n"
            for name, id_ in (("de", "1234-5678"), ("sk", "1111-2222"))
        )
        put(repository / "pinsync.yaml", f"format: 1\ntrackers:\n{names}")
        paths = [f"customizations/{name}/basket.yaml" for name in ("de", "sk")]
        commit("Begin", dict.fromkeys(paths, text("basket", T)))
        shop.export()
        commit("Swap", dict.fromkeys(paths, text("basket", S)))
        assert shop.apply("--tracker", "sk") == ["update /p/1/: done"]
        assert shop.apply() == ["update /p/1/: done"]
        assert [tracker["name"] for tracker in shop.record["trackers"]] == ["de", "sk"]
        (found,) = second.customizations()
        assert found["pin_definitions"][0]["pin_identity"] == "/p/8/"
        assert shop.shelf == {"/p/1/": "/p/8/"}
        commit("Swap again", dict.fromkeys(paths, text("basket", S2)))
        # A tracker that fails doesn't keep the other from being applied.
        shop.fail("422:write=1")
        assert shop.apply() == ["update /p/1/: refused", "update /p/1/: done"]
        assert shop.code == 3
        done = pinsync("apply", "--yes")
        assert done.code == 0
        assert "de (1234-5678)" in done.out


# Ranges.


def test_a_range_applies_its_own_changes_alone(live: LiveShop) -> None:
    write("One", S, OTHER, at=0)
    write("Two", S, rule(2, "/p/8/"), at=0)
    assert live.apply("HEAD~1..HEAD") == ["update /p/2/: done"]
    assert live.shelf == {"/p/1/": "/p/7/", "/p/2/": "/p/8/"}
    assert live.record["source"]["source"] == "HEAD"


def test_an_open_range_begins_where_the_last_apply_ended(live: LiveShop) -> None:
    write("One", S, OTHER, at=0)
    live.apply("..HEAD")
    assert live.shelf["/p/1/"] == "/p/8/"
    write("Two", S, rule(2, "/p/8/"), at=0)
    live.edit(T)
    assert live.apply("..") == ["update /p/2/: done"]
    assert live.code == 0
    # The edit is outside of the range.
    assert live.tracker["left"] == []
    assert live.apply() == []
    assert live.left == ["update /p/1/: shop"]


def test_an_open_range_needs_a_record(live: LiveShop) -> None:
    run("update-ref", "-d", "refs/pinsync/agreed/1234-5678")
    live.apply("..HEAD")
    assert live.code == 2
    assert "has no record of what was applied" in live.err


def test_a_block_that_moved_to_another_model(live: LiveShop) -> None:
    files = {BASKET: text("basket", OTHER), HOME: text("home", T)}
    commit("Move", files)
    assert live.apply() == ["update /p/1/: done"]
    assert live.api.get(T["id"])["model"] == "home"
    assert live.apply() == []
    assert live.code == 0


# Other places.


def test_a_folder_of_a_linked_worktree(live: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    swap(live)
    run("worktree", "add", "--quiet", "--detach", "../linked")
    monkeypatch.chdir("../linked/customizations")
    assert live.apply() == ["update /p/1/: done"]
    assert live.apply() == []
    assert live.code == 0


def test_a_shallow_clone_is_told_to_fetch_the_main_line(
    live: LiveShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = add_remote()
    swap(live)
    push()
    folder = Path("../shallow").resolve()
    run("clone", "--quiet", "--depth=1", f"file://{remote}", str(folder))
    run("-C", str(folder), "fetch", "--quiet", "origin", "refs/pinsync/*:refs/pinsync/*")
    monkeypatch.chdir(folder)
    live.apply()
    assert live.code == 4
    assert "git fetch --unshallow" in live.err
    assert live.writes == []
    run("fetch", "--quiet", "--unshallow")
    assert live.apply() == ["update /p/1/: done"]


def test_a_repository_without_an_identity(live: LiveShop) -> None:
    swap(live)
    run("config", "--unset", "user.name")
    run("config", "--unset", "user.email")
    assert live.apply() == ["update /p/1/: done"]
    assert live.code == 0


def test_a_shop_with_several_rules_of_one_target(live: LiveShop) -> None:
    for pin in ("/p/3/", "/p/4/"):
        live.api.create({**rule(4, pin), "model": "basket"})
    write("Add", T, OTHER, without_id(rule(4, "/p/8/")), at=0)
    assert live.apply() == []
    assert live.left == [
        *("create /p/4/: target", "delete /p/4/: extra", "delete /p/4/: extra"),
    ]
    assert live.apply("--delete-extra", "--allow-mass-removal") == [
        *("delete /p/4/: done", "delete /p/4/: done", "create /p/4/: done"),
    ]
    assert live.shelf["/p/4/"] == "/p/8/"
