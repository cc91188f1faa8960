"""The preview of what git would change in the shop, through the command line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.sandbox import Sandbox, StandIn, parse_fault
from support.exporting import piped, put
from support.histories import BASKET, HOME, commit, rule, run, text
from support.moving import CONFIGURATION, LINE
from support.planned import Shop

if TYPE_CHECKING:
    from support.command_line import CommandLine

Record = dict[str, Any]

pytestmark = pytest.mark.usefixtures("repository")

T, S, S2, P = rule(1, "/p/7/"), rule(1, "/p/8/"), rule(1, "/p/9/"), rule(1, "/p/5/")
NEW = {name: value for name, value in rule(2, "/p/7/").items() if name != "id"}


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, pinsync: CommandLine) -> Shop:
    """The shop."""
    return Shop(monkeypatch, pinsync)


@pytest.fixture(autouse=True)
def configured(repository: Path) -> None:
    """A configuration, in the first commit."""
    put(repository / "pinsync.yaml", CONFIGURATION)
    commit("Begin", at=1)


def write(subject: str, *rules: Record, at: int, path: str = BASKET, model: str = "basket") -> str:
    """Commit a document of these rules; return the commit."""
    return commit(subject, {path: text(model, *rules)}, at=at)


# The table.


def test_nothing_to_apply(shop: Shop) -> None:
    write("Pin", T, at=2)
    shop.save(T)
    assert shop.plan() == []
    assert shop.record["to_apply"] is False
    result = shop.run("plan")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("Nothing to apply: the shop has all that is planned.\n")
    assert f"Checksum of the plan: {shop.record['checksum']}\n" in result.out
    assert shop.run("plan", "-q").out == ""


def test_a_change_of_git_is_applied(shop: Shop) -> None:
    write("Pin", T, at=2)
    swap = write("Swap", S, at=10)
    shop.save(T)
    assert shop.plan() == ["update basket /p/1/"]
    (operation,) = shop.record["trackers"][0]["operations"]
    change = operation["change"]
    assert change["pins"][0]["from"]["pin_identity"] == "/p/7/"
    assert change["pins"][0]["to"]["pin_identity"] == "/p/8/"
    assert change["moved"] == "git"
    assert change["moved_in"]["commit"] == swap
    assert change["shoppers"] == {"when": "now", "at": None}
    assert (change["file"], change["line"]) == (BASKET, 4)


def test_a_change_of_the_shop_is_left_alone(shop: Shop) -> None:
    write(f"Export pins\n\n{LINE}", T, at=2)
    shop.save(P, at=10)
    assert shop.plan() == ["left update basket /p/1/: shop --overwrite-edits"]
    assert shop.plan("--overwrite-edits") == ["update basket /p/1/"]
    # Somebody deleted it.
    shop.save()
    assert shop.plan("--overwrite-edits") == ["left create basket /p/1/: shop --recreate"]
    assert shop.plan("--recreate") == ["create basket /p/1/"]


def test_a_rule_that_may_have_changed_in_the_shop_is_left_alone(shop: Shop) -> None:
    write("Pin", T, at=2)
    write("Swap", S, at=10)
    shop.save(T, at=11)
    assert shop.plan() == ["left update basket /p/1/: unknown --overwrite-edits"]
    # A rule without an id, and no record that the shop never had it.
    write("New", S, NEW, at=20)
    shop.save(S)
    assert shop.plan() == ["left create basket /p/2/: unknown --recreate"]
    assert shop.plan("--recreate") == ["create basket /p/2/"]


def test_a_conflict_names_what_both_agreed_on(shop: Shop) -> None:
    write("Pin", T, at=2)
    shop.save(T)
    shop.run("plan", "--reset-record")
    write("Swap", S, at=10)
    shop.save({**P, "tags": ["winter"]}, at=11)
    assert shop.plan() == ["left update basket /p/1/: both --overwrite-edits"]
    out = shop.run("plan").out
    assert "  git   #1 /p/8/\n  shop  #1 /p/5/\n" in out
    assert "  last agreed on: #1 /p/7/, tags: none · in git since " in out
    # Somebody saved the agreed text again.
    shop.save(T, at=12)
    assert shop.plan() == ["left update basket /p/1/: unknown --overwrite-edits"]
    assert "  last agreed on: #1 /p/7/ · in git since " in shop.run("plan").out


def test_a_rule_that_git_removed_is_deleted_only_if_asked(shop: Shop) -> None:
    write("Pin", T, rule(2), at=2)
    write("Remove", rule(2), at=10)
    shop.save(T, rule(2))
    assert shop.plan() == ["left delete basket /p/1/: git --delete"]
    assert shop.plan("--delete") == ["delete basket /p/1/"]
    shop.save(P, rule(2))
    assert shop.plan("--delete") == ["left delete basket /p/1/: unknown --overwrite-edits --delete"]
    assert shop.plan("--delete", "--overwrite-edits") == ["delete basket /p/1/"]


def test_a_rule_that_git_never_had_is_deleted_only_if_asked(shop: Shop) -> None:
    write("Pin", T, at=2)
    shop.save(T, rule(2))
    assert shop.plan("--delete", "--overwrite-edits", "--recreate") == [
        "left delete basket /p/2/: extra --delete-extra"
    ]
    assert shop.plan("--delete-extra") == ["delete basket /p/2/"]


def test_a_missing_document_is_not_an_empty_one(shop: Shop) -> None:
    write("Pin", T, at=2)
    shop.save(T)
    shop.rows.append({**rule(2), "model": "home"})
    every = ("--delete", "--overwrite-edits", "--delete-extra")
    assert shop.plan(*every) == ["left delete home /p/2/: document"]
    # It once was there.
    write("Pin at home", rule(3), at=3, path=HOME, model="home")
    commit("Remove", {HOME: None}, at=4)
    assert shop.plan(*every) == ["delete home /p/2/"]
    write("Pin at home again", at=5, path=HOME, model="home")
    assert shop.plan(*every) == ["delete home /p/2/"]


def test_a_document_of_a_merged_branch_was_there(shop: Shop) -> None:
    write("Pin", T, at=2)
    run("switch", "--quiet", "--create", "side")
    write("Pin at home", rule(3), at=3, path=HOME, model="home")
    commit("Remove", {HOME: None}, at=4)
    run("switch", "--quiet", "main")
    run("merge", "--quiet", "--no-ff", "-m", "Merge", "side")
    shop.save(T)
    shop.rows.append({**rule(2), "model": "home"})
    assert shop.plan("--delete-extra") == ["delete home /p/2/"]


def test_a_rule_under_a_new_id_needs_nothing(shop: Shop) -> None:
    write("Pin", T, at=2)
    shop.save(T | {"id": rule(9)["id"]})
    assert shop.plan() == []


def test_a_taken_target_blocks(shop: Shop) -> None:
    write("Pin", T, rule(2, "/p/7/"), at=2)
    moved = T | {"target_identity": "/p/2/"}
    write("Move", moved, at=10)
    shop.save(T, rule(2, "/p/7/"))
    assert shop.plan() == [
        "left update basket /p/1/: target --delete",
        "left delete basket /p/2/: git --delete",
    ]
    (left, _) = shop.record["trackers"][0]["left"]
    assert left["holder"] == {"model": "basket", "id": rule(2)["id"]}
    assert shop.plan("--delete") == ["delete basket /p/2/", "update basket /p/1/"]
    out = shop.run("plan").out
    assert "the target belongs to the rule for /p/2/" in " ".join(out.split())


def test_targets_that_were_exchanged_stay(shop: Shop) -> None:
    other = rule(2, "/p/8/")
    write("Pin", T, other, at=2)
    write("Exchange", T | {"target_identity": "/p/2/"}, other | {"target_identity": "/p/1/"}, at=10)
    shop.save(T, other)
    assert shop.plan() == ["update basket /p/1/", "update basket /p/2/"]
    operations = shop.record["trackers"][0]["operations"]
    assert [each["swapped"] for each in operations] == [True, True]
    assert [each["change"]["id"] for each in operations] == [T["id"], other["id"]]
    for each in operations:
        assert [field["path"] for field in each["change"]["fields"]] == []
    # What such a plan leaves in the shop.
    shop.save(rule(1, "/p/8/"), rule(2, "/p/7/"), at=11)
    assert shop.plan() == []


# SOURCE.


def test_uncommitted_work_is_planned_by_name(shop: Shop) -> None:
    write("Pin", T, at=2)
    shop.save(T)
    put(Path(BASKET), text("basket", S))
    result = shop.run("plan")
    assert result.code == 0
    assert "which HEAD doesn't hold: pinsync plan @worktree plans them" in result.err
    assert shop.plan("@worktree") == ["update basket /p/1/"]
    assert shop.plan("@index") == []
    run("add", "--all")
    assert shop.plan("@index") == ["update basket /p/1/"]


def test_an_older_revision(shop: Shop) -> None:
    write("Pin", T, at=2)
    write("Swap", S, at=10)
    write("Swap again", S2, at=20)
    shop.save(T)
    assert shop.plan("HEAD~1") == ["update basket /p/1/"]
    assert shop.record["source"]["revision"] == run("rev-parse", "HEAD~1").strip()


def test_a_json_export_does_not_tell_who_moved(shop: Shop) -> None:
    put(Path("old.json"), json.dumps({"results": [{"model": "basket", **T}]}))
    shop.save(P, rule(2))
    assert shop.plan("old.json") == [
        "left update basket /p/1/: unknown --overwrite-edits",
        "left delete basket /p/2/: unknown --overwrite-edits --delete",
    ]
    out = shop.run("plan", "old.json").out
    assert "LEFT ALONE: a JSON export doesn't tell who changed it" in out
    assert "  export  #1 /p/7/\n  shop    #1 /p/5/\n" in out
    out = shop.run("plan", "old.json", "--overwrite-edits").out
    assert "  before  #1 /p/5/\n  after   #1 /p/7/\n" in out
    assert "overrules" not in out
    assert shop.plan("old.json", "--overwrite-edits", "--delete") == [
        "update basket /p/1/",
        "delete basket /p/2/",
    ]


def test_a_range_has_its_own_changes_alone(shop: Shop) -> None:
    other = rule(2, "/p/7/")
    write("Pin", T, other, rule(3), at=2)
    write("Swap one", S, other, rule(3), at=10)
    write("Swap the other", S, rule(2, "/p/8/"), rule(3), at=20)
    write("Remove", S, rule(2, "/p/8/"), at=30)
    shop.save(T, other, rule(3))
    assert shop.plan("--delete") == [
        "update basket /p/1/",
        "update basket /p/2/",
        "delete basket /p/3/",
    ]
    assert shop.plan("HEAD~2..HEAD~1", "--delete") == ["update basket /p/2/"]
    assert shop.record["source"]["since"] == "HEAD~2"
    assert shop.notes == [
        "another rule differs, and didn't change between HEAD~2 and HEAD~1: outside of this plan"
    ]
    out = shop.run("plan", "HEAD~2..HEAD~1").out
    assert "Planned are only the rules that changed since HEAD~2." in out
    assert shop.plan("HEAD~1..", "--delete") == ["delete basket /p/3/"]
    assert shop.plan("HEAD~3..HEAD", "--delete") == [
        "update basket /p/1/",
        "update basket /p/2/",
        "delete basket /p/3/",
    ]


def test_a_range_follows_blocks_without_an_id(shop: Shop) -> None:
    write("Pin", T, NEW, at=2)
    write("Remove", T, at=10)
    shop.save(T, rule(2, "/p/7/"))
    assert shop.plan("HEAD~1..HEAD", "--delete", "--overwrite-edits") == ["delete basket /p/2/"]
    assert shop.plan("HEAD~2..HEAD~1", "--delete", "--overwrite-edits") == []


def test_a_range_without_a_start_begins_at_the_last_apply(shop: Shop) -> None:
    write("Pin", T, at=2)
    shop.save(T)
    assert shop.plan("--reset-record") == []
    write("Pin", S, at=10)
    write("Pin", S, NEW, at=11)
    assert shop.plan("..") == ["update basket /p/1/", "create basket /p/2/"]
    assert shop.plan("..HEAD~1") == ["update basket /p/1/"]
    run("update-ref", "-d", "refs/pinsync/agreed/1234-5678")
    assert shop.plan("..") == []


def read_error(shop: Shop, source: str) -> str:
    """Return the error and the hint of a plan that must fail with 2."""
    assert shop.plan(source) == []
    assert shop.result is not None
    assert shop.result.code == 2
    (tracker,) = shop.record["trackers"]
    return f"{tracker['error']['message']}; {tracker['error']['hint']}"


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_range_without_a_start_in_another_history(is_gone: bool, shop: Shop) -> None:
    begin = run("rev-parse", "HEAD").strip()
    applied = write("Pin", T, at=2)
    shop.save(T)
    assert shop.plan("--reset-record") == []
    run("reset", "--quiet", "--hard", begin)
    write("Pin otherwise", S, at=3)
    if is_gone:  # as in a new clone
        run("reflog", "expire", "--expire=all", "--all")
        run("gc", "--quiet", "--prune=all")
    error = read_error(shop, "..HEAD")
    assert f"lacks {applied[:12]}, which was applied last" in error
    assert "run pinsync plan --reset-record" in error


def test_a_range_without_a_start_does_not_go_back(shop: Shop) -> None:
    write("Pin", T, at=2)
    write("Pin", S, at=3)
    shop.save(S)
    assert shop.plan("--reset-record") == []
    assert "which was applied already; to go back, run" in read_error(shop, "..HEAD~1")


def test_a_range_without_a_start_in_a_branch_that_merged_the_main_line(shop: Shop) -> None:
    run("switch", "--quiet", "--create", "change")
    run("switch", "--quiet", "main")
    write("Pin", T, at=2)
    shop.save(T)
    assert shop.plan("--reset-record") == []
    run("switch", "--quiet", "change")
    run("merge", "--quiet", "--no-ff", "--message", "Follow", "main")
    write("Pin", S, at=3)
    assert shop.plan("..HEAD") == ["update basket /p/1/"]


def test_a_record_that_begins_anew_knows_what_agrees(shop: Shop) -> None:
    write("Pin", T, rule(2), at=2)
    shop.save(T, rule(2))
    result = shop.run("plan", "--reset-record")
    assert result.err.startswith("the record of agreement of 1234-5678 begins at ")
    # Git and the shop agreed on T, so a change of the shop can't be git's, nor one of git the shop's.
    write("Pin", S, rule(2), at=10)
    assert shop.plan() == ["update basket /p/1/"]
    write("Pin", T, rule(2), at=12)
    shop.save(P, rule(2))
    assert shop.plan() == ["left update basket /p/1/: shop --overwrite-edits"]


@pytest.mark.parametrize("text_", ["..", "..HEAD", "..main"])
def test_a_range_without_a_start_needs_a_record(text_: str, shop: Shop) -> None:
    write("Pin", T, at=2)
    shop.save(T)
    assert shop.plan(text_) == []
    assert shop.result is not None
    assert shop.result.code == 2
    assert shop.record["checksum"] is None
    assert "`pinsync export`" in shop.record["trackers"][0]["error"]["hint"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("@live", "@live is the shop itself"),
        ("HEAD...main", "a plan takes no range from a merge base"),
        ("HEAD..@worktree", "HEAD..@worktree isn't a range of two revisions"),
        ("HEAD..@live", "HEAD..@live isn't a range of two revisions"),
        ("@index..", "@index.. isn't a range of two revisions"),
        ("nowhere", "nowhere"),
        ("nowhere..HEAD", "nowhere"),
        ("..nowhere", "nowhere"),
        ("basket", "pinsync plan --model basket"),
        ("gone.json", "there is no such file"),
    ],
)
def test_a_source_that_is_none(source: str, message: str, shop: Shop) -> None:
    write("Pin", T, at=2)
    result = shop.run("plan", source)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


# Filters.


def test_filters_narrow_the_plan(shop: Shop) -> None:
    tagged = rule(2, "/p/8/", tags=["x"])
    write("Pin", T, tagged, at=2)
    write("Pin at home", rule(3, "/p/7/"), at=3, path=HOME, model="home")
    write("Swap", S, tagged | {"tags": ["y"]}, at=10)
    write("Swap at home", rule(3, "/p/8/"), at=11, path=HOME, model="home")
    shop.save(T, tagged)
    shop.rows.append(
        {"model": "home", **rule(3, "/p/7/"), "updated_at": shop.rows[0]["updated_at"]}
    )
    assert len(shop.plan()) == 3
    assert shop.plan("--model", "home") == ["update home /p/3/"]
    # Either side has the tag.
    assert shop.plan("--tag", "x") == shop.plan("--tag", "y") == ["update basket /p/2/"]
    assert shop.plan("--target-identity", "/p/1/") == ["update basket /p/1/"]
    result = shop.run("plan", "--model", "baskte")
    assert result.code == 2
    assert 'did you mean "basket"?' in result.err


def test_a_rule_outside_of_the_filter_holds_its_target(shop: Shop) -> None:
    tagged = rule(1, "/p/7/", tags=["x"])
    write("Pin", tagged, rule(2, "/p/7/"), at=2)
    write("Move", tagged | {"target_identity": "/p/2/"}, at=10)
    shop.save(tagged, rule(2, "/p/7/"))
    assert shop.plan("--delete", "--tag", "x") == ["left update basket /p/1/: target"]
    assert len(shop.plan("--delete")) == 2


# Trouble.


def test_a_shop_that_git_knows_nothing_of(shop: Shop) -> None:
    shop.save(T, rule(2))
    result = shop.run("plan", "--delete", "--delete-extra", "--overwrite-edits")
    assert result.code == 0
    assert result.out.startswith(
        "Nothing to apply: git has no rules yet, and the shop has 2 rules.\n"
        "To begin, take them into git: pinsync export --commit\n"
    )
    assert "/p/2/" not in result.out


def test_before_the_first_commit(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    monkeypatch.chdir(folder)
    run("init", "--quiet", "--initial-branch=main")
    put(Path("pinsync.yaml"), CONFIGURATION)
    shop.save(T)
    result = shop.run("plan", "--delete-extra")
    assert result.code == 0
    assert "To begin, take them into git: pinsync export --commit" in result.out
    # Uncommitted files have no ancestor.
    put(Path(BASKET), text("basket", rule(2)))
    shop.rows.append({**rule(3), "model": "home"})
    assert shop.plan("@worktree", "--delete-extra", "--recreate") == [
        "create basket /p/2/",
        "delete basket /p/1/",
        "left delete home /p/3/: document",
    ]


def test_a_shallow_clone_is_refused(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("Pin", T, at=2)
    write("Swap", S, at=10)
    clone = tmp_path / "clone"
    url = Path.cwd().as_uri()
    subprocess.run(["git", "clone", "--quiet", "--depth=1", url, str(clone)], check=True)
    monkeypatch.chdir(clone)
    shop.save(T)
    result = shop.run("plan")
    assert (result.code, result.out) == (2, "")
    assert "shallow" in result.err
    assert "fetch-depth: 0" in result.err
    # Nothing differs, so the history isn't needed.
    shop.save(S)
    assert shop.plan() == []


def test_an_unreadable_document(shop: Shop) -> None:
    write("Pin", T, at=2)
    commit("Break", {BASKET: "format: 1\nmodel: [\n"}, at=3)
    shop.save(T)
    assert shop.plan() == []
    assert shop.result is not None
    assert shop.result.code == 2
    assert shop.record["to_apply"] is None
    assert BASKET in shop.record["trackers"][0]["error"]["message"]
    out = shop.run("plan").out
    assert out.startswith("INCOMPLETE: shop (1234-5678) could not be planned\n")
    assert "The plan has no checksum" in out


def test_a_failing_shop(shop: Shop) -> None:
    write("Pin", T, at=2)
    shop.fault = parse_fault("401")
    assert shop.plan() == []
    assert shop.result is not None
    assert shop.result.code == 3


def test_a_tracker_whose_id_is_not_committed(shop: Shop) -> None:
    write("Pin", T, at=2)
    commit("Configure", {"pinsync.yaml": CONFIGURATION.replace("1234-5678", "9-9")}, at=3)
    put(Path("pinsync.yaml"), CONFIGURATION)
    shop.save(T)
    assert shop.plan() == []
    assert shop.result is not None
    assert shop.result.code == 2
    error = shop.record["trackers"][0]["error"]
    assert error["message"] == (
        "HEAD has the rules of tracker 9-9, and the configuration in use names 1234-5678"
    )
    assert shop.notes == [
        "the configuration itself differs: trackers: shop (9-9) → shop (1234-5678)"
    ]


def test_a_tracker_that_is_not_committed(shop: Shop) -> None:
    write("Pin", T, at=2)
    second = "  other:\n    tracker_id: 2345-6789\n    private_key_env: OTHER_KEY\n"
    put(Path("pinsync.yaml"), CONFIGURATION + second)
    shop.save(T)
    # With two trackers, HEAD's document belongs to none of them.
    assert shop.plan("--tracker", "other") == []
    assert shop.notes[-1] == (
        "the configuration of HEAD knows no such tracker: commit the configuration to plan it"
    )


def test_a_tracker_that_is_no_longer_configured(shop: Shop) -> None:
    second = "  other:\n    tracker_id: 2345-6789\n    private_key_env: OTHER_KEY\n"
    commit("Configure", {"pinsync.yaml": CONFIGURATION + second}, at=2)
    put(Path("pinsync.yaml"), CONFIGURATION)
    shop.save(T)
    shop.plan()
    assert shop.result is not None
    assert shop.result.code == 2
    errors = [tracker["error"] for tracker in shop.record["trackers"]]
    assert errors[0] is None
    assert errors[1]["message"] == (
        "HEAD configures this tracker, and the configuration in use doesn't"
    )


def test_pins_that_the_shop_leaves_out(shop: Shop) -> None:
    configuration = f"{CONFIGURATION}    remove_expired_pins: true\n"
    commit("Configure", {"pinsync.yaml": configuration, BASKET: text("basket", T)}, at=2)
    shop.save(T)
    shop.plan()
    assert "so this plan can't be applied" in shop.notes[0]


# Formats.


def test_every_format(shop: Shop, tmp_path: Path) -> None:
    write(f"Export pins\n\n{LINE}", T, rule(2, "/p/7/"), rule(3), at=2)
    write("Swap", S, rule(2, "/p/7/"), at=10)
    shop.save(T, rule(2, "/p/5/"), rule(3))
    page, data = tmp_path / "plan.md", tmp_path / "plan.json"
    reports = ("--report", f"markdown={page}", "--report", f"json={data}")
    result = shop.run("plan", *reports)
    assert result.code == 1
    checksum = json.loads(data.read_text())["checksum"]
    for report in (result.out, page.read_text()):
        assert report.endswith(f"Checksum of the plan: {checksum}\n")
        assert (
            "his plan changes 1 rule of the shop: it makes a difference to shoppers now" in report
        )
        assert "2 other rules differ and are left alone." in report
    assert page.read_text().startswith("<!-- pinsync plan -->\n### pinsync: ")
    assert "WILL BE CHANGED IN THE SHOP · shoppers notice at once" in result.out
    assert "LEFT ALONE: changed in the shop · --overwrite-edits includes them" in result.out
    assert "LEFT ALONE: removed from git · --delete includes them" in result.out
    summary = shop.run("plan", "--summary").out
    assert "WILL BE CHANGED IN THE SHOP · shoppers notice at once: 1 rule" in summary
    assert "/p/5/" not in summary
    assert summary.endswith(f"Checksum of the plan: {checksum}\n")


def test_a_small_page_keeps_the_checksum(shop: Shop) -> None:
    rules = [rule(number, "/p/7/") for number in range(1, 60)]
    write("Pin", *rules, at=2)
    write("Swap", *(rule(number, "/p/8/") for number in range(1, 60)), at=10)
    shop.save(*rules)
    shop.plan()
    checksum = shop.record["checksum"]
    for limit in (500, 700, 2000, 5000):
        page = shop.run("plan", "--format", "markdown", "--max-chars", str(limit)).out
        assert len(page) <= limit
        assert checksum in page
        assert "rules" in page.splitlines()[-1]


def test_the_checksum_is_that_of_the_effect(shop: Shop) -> None:
    write("Pin", T, at=2)
    write("Swap", S, at=10)
    shop.save(T)
    shop.plan()
    checksum = shop.record["checksum"]
    run("commit", "--amend", "--quiet", "-m", "Other words")
    shop.plan()
    assert shop.record["checksum"] == checksum
    write("Swap again", S2, at=20)
    shop.plan()
    assert shop.record["checksum"] != checksum
    write("And back", S, at=30)
    shop.plan()
    assert shop.record["checksum"] == checksum
    run("reset", "--quiet", "--soft", "HEAD~3")
    commit("Squash", at=40)
    shop.plan()
    assert shop.record["checksum"] == checksum


def test_a_rule_that_shoppers_notice_later(shop: Shop) -> None:
    later = {"position": 1, "pin_type": "item", "pin_identity": "/p/8/"}
    later |= {"active_from": "2999-01-01T00:00:00Z"}
    write("Pin", rule(1), at=2)
    write("Plan", rule(1, later), at=10)
    shop.save(rule(1))
    out = shop.run("plan").out
    assert "WILL BE CHANGED IN THE SHOP · shoppers notice later" in out
    assert "from 1 Jan 2999" in out
    shop.plan("--at", "2999-06-01")
    change = shop.record["trackers"][0]["operations"][0]["change"]
    assert change["shoppers"]["when"] == "now"


def test_several_trackers_have_one_checksum(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = "  other:\n    tracker_id: 2345-6789\n    private_key_env: OTHER_KEY\n"
    commit("Configure", {"pinsync.yaml": CONFIGURATION + second}, at=2)
    paths = [f"customizations/{name}/basket.yaml" for name in ("shop", "other")]
    commit("Pin", dict.fromkeys(paths, text("basket", T)), at=3)
    commit("Swap", dict.fromkeys(paths, text("basket", S)), at=10)
    old = {"model": "basket", "updated_at": "2026-01-01T00:00:00Z", **T}
    other = StandIn([old], tracker_id="2345-6789", private_key="other")
    monkeypatch.setenv("OTHER_KEY", "other")
    monkeypatch.delenv("PINSYNC_TRACKER_ID", raising=False)
    with Sandbox([old], seed=1, more_trackers=[other]) as api:
        monkeypatch.setenv("PINSYNC_HOST", api.url)
        monkeypatch.setenv("PINSYNC_PRIVATE_KEY", api.private_key)
        records = [
            json.loads(pinsync("plan", "--json", *names).out)
            for names in ([], ["--tracker", "shop"], ["--tracker", "other"])
        ]
        result = pinsync("plan")
    whole, *single = records
    assert [tracker["name"] for tracker in whole["trackers"]] == ["shop", "other"]
    assert whole["trackers"] == [record["trackers"][0] for record in single]
    assert len({record["checksum"] for record in records}) == 3
    assert result.code == 1
    assert "other (2345-6789): 1 rule to apply, 0 left alone" in result.out
    # One of them fails: there is no checksum for half of a plan.
    with Sandbox([old], seed=1) as api:
        monkeypatch.setenv("PINSYNC_HOST", api.url)
        result = pinsync("plan", "--json")
    record = json.loads(result.out)
    assert result.code == 3
    assert (record["checksum"], record["to_apply"]) == (None, True)


def test_an_export_on_standard_input(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, [{"model": "basket", **S}])
    shop.save(T)
    assert shop.plan("-", "--overwrite-edits") == ["update basket /p/1/"]


def test_files_without_a_repository(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    monkeypatch.chdir(folder)
    put(Path("pinsync.yaml"), CONFIGURATION)
    put(Path(BASKET), text("basket", S))
    shop.save(T, rule(2))
    shop.rows.append({**rule(3), "model": "home"})
    assert shop.plan("@worktree", "--delete-extra", "--overwrite-edits", "--delete") == [
        "update basket /p/1/",
        "delete basket /p/2/",
        "left delete home /p/3/: document",
    ]
    result = shop.run("plan")
    assert result.code == 2
    assert "not a git repository" in result.err


def test_a_plan_that_deletes_much_says_so(shop: Shop) -> None:
    write("Pin", *(rule(number) for number in range(1, 12)), at=2)
    write("Remove", rule(1), at=10)
    shop.save(*(rule(number) for number in range(1, 12)))
    assert len(shop.plan("--delete")) == 10
    assert shop.notes == [
        "10 of 11 rules of the shop would be deleted, more than 30 % (safety.max_removed_percent)"
    ]
    shop.plan()
    assert shop.notes == []
