"""Who moved, git or the shop, through the command line: each kind of answer, and each shape that a
history can have.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.sandbox import Sandbox
from support.diffing import diffed
from support.exporting import STRINGS, put, repinned, rows
from support.histories import BASKET, commit, configuration, rule, run, text
from support.moving import CONFIGURATION, LINE, LIVE, ask, save, tell

if TYPE_CHECKING:
    from support.command_line import CommandLine, Git
    from support.diffing import Report

Record = dict[str, Any]

pytestmark = pytest.mark.usefixtures("repository")

# T is the text on which git and the shop once agreed; S and S2 are git's later texts; P is a
# person's text in the shop.
T, S, S2, P = rule(1, "/p/7/"), rule(1, "/p/8/"), rule(1, "/p/9/"), rule(1, "/p/5/")


def without_id(row: Record) -> Record:
    return {name: value for name, value in row.items() if name != "id"}


@pytest.fixture(autouse=True)
def configured(repository: Path) -> None:
    """A configuration, in the first commit."""
    put(repository / "pinsync.yaml", CONFIGURATION)
    commit("Begin", at=1)


def write(subject: str, *rules: Record, at: int, path: str = BASKET, model: str = "basket") -> str:
    """Commit a document of these rules; return the commit."""
    return commit(subject, {path: text(model, *rules) if rules else None}, at=at)


def export(*rules: Record, at: int) -> str:
    """Commit as an export does."""
    return write(f"Export pins\n\n{LINE}", *rules, at=at)


def merge(branch: str, *options: str, at: int, message: str = "Merge it") -> None:
    moment = f"{1767225600 + at * 3600} +0000"
    environ = {"GIT_COMMITTER_DATE": moment, "GIT_AUTHOR_DATE": moment}
    run("merge", "--quiet", "--no-ff", "-m", message, *options, branch, **environ)


# Commits by hand.


def test_git_moved_if_the_shop_has_kept_the_text_that_git_replaced(pinsync: CommandLine) -> None:
    export(T, at=2)
    write("Swap", S, at=10)
    save(T, at=1.5)
    assert ask(pinsync) == ["git: Swap"]
    # Nothing was applied between two changes of git.
    write("Swap again", S2, at=20)
    assert ask(pinsync) == ["git: Swap again"]
    assert ask(pinsync, "HEAD~1") == ["git: Swap"]


@pytest.mark.parametrize(
    ("minutes", "expected"), [(-6, "git"), (-5, "unknown"), (-4, "unknown"), (60, "unknown")]
)
def test_a_rule_that_was_saved_since_is_left_to_people(
    minutes: int, expected: str, pinsync: CommandLine
) -> None:
    write("Begin to pin", T, at=2)
    write("Swap", S, at=10)
    save(T, at=10 + minutes / 60)
    assert ask(pinsync) == [f"{expected}: Swap"]


@pytest.mark.parametrize("moment", [None, "", "yesterday", "2026-01-01T01:00:00", 5])
def test_without_a_date_of_the_answer_no_older_text_proves_anything(
    moment: object, pinsync: CommandLine
) -> None:
    write("Begin to pin", T, at=2)
    write("Swap", S, at=10)
    save(T | {"updated_at": moment})
    assert ask(pinsync) == ["unknown: Swap"]


def test_a_text_that_git_never_had_is_left_to_people(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    write("Swap", S, at=10)
    save(P, at=1.5)
    assert ask(pinsync) == ["unknown: Swap"]
    assert ask(pinsync, "HEAD~1") == ["unknown: Begin to pin"]


def test_the_last_time_that_git_had_the_text_counts(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    write("Swap", S, at=10)
    write("Back", T, at=20)
    write("Swap again", S2, at=30)
    save(T, at=25)
    assert ask(pinsync) == ["git: Swap again"]
    save(S, at=15)
    assert ask(pinsync) == ["git: Swap again"]
    save(S, at=25)
    assert ask(pinsync) == ["unknown: Swap again"]


def test_a_rule_that_the_shop_lacks_was_deleted_there(pinsync: CommandLine) -> None:
    write("Begin to pin", T, rule(2), at=2)
    save(rule(2))
    assert ask(pinsync) == ["shop: Begin to pin"]


def test_a_rule_that_git_removed(pinsync: CommandLine) -> None:
    write("Begin to pin", T, rule(2), at=2)
    write("Remove", rule(2), at=10)
    save(T, rule(2), at=1.5)
    assert ask(pinsync) == ["git: Remove"]
    # Somebody saved it since, or brought it back.
    save(T, rule(2), at=11)
    assert ask(pinsync) == ["unknown: Remove"]
    save(P, rule(2), at=1.5)
    assert ask(pinsync) == ["unknown: Remove"]


def test_a_rule_that_git_brought_back(pinsync: CommandLine) -> None:
    write("Begin to pin", T, rule(2), at=2)
    write("Remove", rule(2), at=10)
    write("Bring back", S, rule(2), at=20)
    save(T, rule(2), at=1.5)
    assert ask(pinsync) == ["git: Bring back"]
    save(rule(2))
    assert ask(pinsync) == ["shop: Bring back"]


def test_a_document_that_git_removed(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    write("Remove", at=10)
    save(T, at=1.5)
    assert ask(pinsync) == ["git: Remove"]


def test_a_rule_that_git_never_had_is_extra(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    write("Swap", S, at=10)
    save(S, rule(2), at=1.5)
    assert ask(pinsync) == ["extra: -"]


def test_a_rule_under_another_id_is_the_shops(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    again = T | {"id": rule(9)["id"]}
    save(again, at=1.5)
    assert ask(pinsync) == ["shop: Begin to pin"]
    # An import gave all rules new ids, and git has gone on since.
    write("Swap", S, at=10)
    assert ask(pinsync) == ["git: Swap"]
    save(again, at=11)
    assert ask(pinsync) == ["shop: Swap"]


# Exports.


def test_the_shop_moved_if_gits_text_came_from_an_export(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    export(S, at=10)
    save(P, at=1.5)
    assert ask(pinsync) == ["shop: Export pins"]
    # A person went back to an older text in the shop.
    save(T)
    assert ask(pinsync) == ["shop: Export pins"]
    save()
    assert ask(pinsync) == ["shop: Export pins"]


def test_the_line_of_another_tracker_proves_nothing(pinsync: CommandLine) -> None:
    write(f"Export pins\n\n{LINE}9\n\n  {LINE}\n\n> {LINE}", T, at=2)
    save(P)
    assert ask(pinsync) == ["unknown: Export pins"]


def test_an_export_that_another_commit_replaced_proves_nothing(pinsync: CommandLine) -> None:
    export(T, at=2)
    write("Swap", S, at=10)
    save(P)
    assert ask(pinsync) == ["unknown: Swap"]


def test_an_export_that_changed_other_rules_proves_nothing(pinsync: CommandLine) -> None:
    write("Begin to pin", T, rule(2, "/p/1/"), at=2)
    export(T, rule(2, "/p/3/"), at=10)
    save(P, rule(2, "/p/4/"))
    assert ask(pinsync) == ["unknown: Begin to pin", "shop: Export pins"]


def test_a_rule_that_an_export_removed_was_brought_back_by_the_shop(pinsync: CommandLine) -> None:
    write("Begin to pin", T, rule(2), at=2)
    export(rule(2), at=10)
    save(T, rule(2), at=1.5)
    assert ask(pinsync) == ["shop: Export pins"]


def test_a_revert_is_gits_move(pinsync: CommandLine) -> None:
    export(T, at=2)
    export(S, at=10)
    run("revert", "--no-edit", "HEAD", GIT_COMMITTER_DATE="1767268800 +0000")
    save(S, at=9.5)
    assert ask(pinsync) == ['git: Revert "Export pins"']
    save(S, at=20)
    assert ask(pinsync) == ['unknown: Revert "Export pins"']


def test_a_repository_with_longer_hashes(pinsync: CommandLine) -> None:
    shutil.rmtree(".git")
    run("init", "--quiet", "--initial-branch=main", "--object-format=sha256")
    for name, value in (("user.name", "Test"), ("user.email", "test@example.com")):
        run("config", name, value)
    write("Begin to pin", T, rule(2, "/p/1/"), at=2)
    write("Swap", S, rule(2, "/p/1/"), at=10)
    run("switch", "--quiet", "--create", "pins")
    export(S, rule(2, "/p/3/"), at=11)
    run("switch", "--quiet", "main")
    merge("pins", at=12)
    save(T, rule(2, "/p/4/"), rule(3), at=1.5)
    assert ask(pinsync) == ["git: Swap", "shop: Merge it", "extra: -"]


def test_the_commits_of_pinsync_itself(api: Sandbox, pinsync: CommandLine, git: Git) -> None:
    assert pinsync("export", "--commit").code == 0
    repinned(api, STRINGS)
    assert tell(diffed(pinsync)) == ["shop: Export pins: 3 added"]
    assert tell(diffed(pinsync, "@live", "@worktree")) == ["shop: Export pins: 3 added"]
    assert pinsync("export", "--branch", "pins", "-m", "Propose").code == 0
    repinned(api, STRINGS, 8)
    git("merge", "--quiet", "--no-ff", "--no-edit", "pins")
    assert tell(diffed(pinsync)) == ["shop: Merge branch 'pins'"]


# Merges and squashes.


def propose(*rules: Record, at: int, message: str = f"Export pins\n\n{LINE}") -> None:
    """Commit to a branch of main."""
    run("switch", "--quiet", "--force-create", "pins")
    write(message, *rules, at=at)


def test_a_merge_brought_an_export(pinsync: CommandLine) -> None:
    write("Begin to pin", T, rule(2), at=2)
    propose(S, rule(2), at=10)
    run("switch", "--quiet", "main")
    write("Meanwhile", T, rule(2, "/p/1/"), at=11)
    merge("pins", at=12)
    save(T, rule(2), at=1.5)
    assert ask(pinsync) == ["shop: Merge it", "git: Meanwhile"]


def test_a_merge_brought_hand_work_beside_an_export(pinsync: CommandLine) -> None:
    write("Begin to pin", T, rule(2), at=2)
    propose(S, rule(2), at=10)
    write("By hand", S, rule(2, "/p/1/"), at=11)
    run("switch", "--quiet", "main")
    merge("pins", at=12)
    save(P, rule(2), at=1.5)
    assert ask(pinsync) == ["shop: Merge it", "git: Merge it"]


def test_a_reviewer_corrected_the_export_before_the_merge(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    propose(S, at=10)
    write("Correct it", S2, at=11)
    run("switch", "--quiet", "main")
    merge("pins", at=12)
    # Whatever the shop has, it isn't overruled.
    for shop in (T, S, P):
        save(shop, at=1.5)
        assert ask(pinsync) == ["shop: Merge it"]


def test_an_export_in_an_earlier_merge_proves_nothing(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    propose(S, at=10)
    run("switch", "--quiet", "main")
    merge("pins", at=12)
    run("switch", "--quiet", "--create", "feature")
    write("By hand", S2, at=13)
    run("switch", "--quiet", "main")
    merge("feature", at=20)
    save(S, at=9.5)
    assert ask(pinsync) == ["git: Merge it"]
    save(P, at=9.5)
    assert ask(pinsync) == ["unknown: Merge it"]


def test_two_exports_in_one_branch(pinsync: CommandLine) -> None:
    write("Begin to pin", T, rule(2), at=2)
    propose(S, rule(2), at=10)
    write(f"Export pins\n\n{LINE}", S, rule(2, "/p/1/"), at=11)
    run("switch", "--quiet", "main")
    merge("pins", at=12)
    save(T, rule(2), at=1.5)
    assert ask(pinsync) == ["shop: Merge it", "shop: Merge it"]


def test_an_export_in_a_merged_branch_of_a_merged_branch(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    run("switch", "--quiet", "--create", "feature")
    commit("A note", {"README.md": "Pins\n"}, at=3)
    propose(S, at=10)
    run("switch", "--quiet", "feature")
    merge("pins", at=11, message="Take the export")
    run("switch", "--quiet", "main")
    merge("feature", at=12)
    save(T, at=1.5)
    assert ask(pinsync) == ["shop: Merge it"]


def test_an_octopus_brought_an_export(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    run("switch", "--quiet", "--create", "feature")
    commit("A note", {"README.md": "Pins\n"}, at=3)
    run("switch", "--quiet", "main")
    propose(S, at=10)
    run("switch", "--quiet", "main")
    run("merge", "--quiet", "--no-ff", "-m", "Octopus", "feature", "pins")
    assert run("rev-list", "--parents", "-1", "HEAD").count(" ") == 3
    save(T, at=1.5)
    assert ask(pinsync) == ["shop: Octopus"]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (f"Pins (#12)\n\n* Export pins\n\n{LINE}\n\n* Correct it", "shop"),
        (f"Pins (#12)\r\n\r\n{LINE}\r\nPinsync-Branch: pins\r\n", "shop"),
        ("Pins (#12)", "unknown"),
    ],
)
def test_a_squash_keeps_the_proof_only_with_the_line(
    message: str, expected: str, pinsync: CommandLine
) -> None:
    write("Begin to pin", T, at=2)
    propose(S, at=10)
    run("switch", "--quiet", "main")
    run("merge", "--quiet", "--squash", "pins")
    commit(message, at=12)
    save(T)
    assert ask(pinsync) == [f"{expected}: Pins (#12)"]


def test_a_fast_forward_is_the_export_itself(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    propose(S, at=10)
    run("switch", "--quiet", "main")
    run("merge", "--quiet", "--ff-only", "pins")
    save(T)
    assert ask(pinsync) == ["shop: Export pins"]


# Text that isn't committed.


def test_uncommitted_text_is_the_newest_version(pinsync: CommandLine) -> None:
    export(T, at=2)
    put(Path(BASKET), text("basket", S))
    save(T, at=1.5)
    assert ask(pinsync, "@worktree") == ["git: -"]
    assert diffed(pinsync, "@index", LIVE).code == 0
    run("add", ".")
    assert ask(pinsync, "@index") == ["git: -"]
    save(P, at=1.5)
    assert ask(pinsync, "@index") == ["unknown: -"]
    run("checkout", "--quiet", "HEAD", "--", ".")
    assert ask(pinsync, "@worktree") == ["shop: Export pins"]


def test_a_rule_that_was_saved_a_moment_ago_is_left_to_people(pinsync: CommandLine) -> None:
    export(T, at=2)
    put(Path(BASKET), text("basket", S))
    save(T | {"updated_at": "2999-01-01T00:00:00Z"})
    assert ask(pinsync, "@worktree") == ["unknown: -"]


def test_uncommitted_removals_and_additions(pinsync: CommandLine) -> None:
    export(T, rule(2), at=2)
    put(Path(BASKET), text("basket", rule(2), rule(3)))
    save(T, rule(2), rule(4), at=1.5)
    assert ask(pinsync, "@worktree") == ["git: -", "shop: -", "extra: -"]


def test_files_that_git_lacks(pinsync: CommandLine) -> None:
    put(Path(BASKET), text("basket", T, rule(3), without_id(rule(5))))
    save(P, rule(4), at=1.5)
    assert ask(pinsync, "@worktree") == ["unknown: -", "shop: -", "extra: -", "unknown: -"]


def test_before_the_first_commit(pinsync: CommandLine) -> None:
    shutil.rmtree(".git")
    run("init", "--quiet", "--initial-branch=main")
    put(Path(BASKET), text("basket", T, rule(3)))
    save(P, rule(4), at=1.5)
    assert ask(pinsync, "@worktree") == ["unknown: -", "shop: -", "extra: -"]
    assert tell(diffed(pinsync, "HEAD", LIVE)) == ["extra: -", "extra: -"]


def test_without_a_repository_nothing_is_known_of_the_past(pinsync: CommandLine) -> None:
    shutil.rmtree(".git")
    put(Path(BASKET), text("basket", T, rule(3)))
    save(P, rule(4), at=1.5)
    report = diffed(pinsync, "@worktree", LIVE)
    assert tell(report) == ["unknown: -", "shop: -", "unknown: -"]
    (note,) = report.record["trackers"][0]["notes"]
    assert "git init" in note


# Blocks without an id.


def test_a_block_without_an_id_that_the_shop_lacks_is_left_to_people(pinsync: CommandLine) -> None:
    write("Begin to pin", without_id(T), at=2)
    save()
    assert ask(pinsync) == ["unknown: Begin to pin"]


def test_the_line_says_nothing_about_a_block_without_an_id(pinsync: CommandLine) -> None:
    export(without_id(S), at=2)
    save(P)
    assert ask(pinsync) == ["unknown: Export pins"]


def test_a_block_without_an_id_is_followed_by_its_target(pinsync: CommandLine) -> None:
    write("Begin to pin", without_id(T), at=2)
    write("Swap", without_id(S), at=10)
    # The shop's rule was created from the first text, and its id isn't in git yet.
    save(T, at=3)
    assert ask(pinsync) == ["git: Swap"]
    write("Remove", rule(2), at=20)
    save(S, rule(2), at=11)
    assert ask(pinsync) == ["git: Remove"]
    save(P, rule(2), at=11)
    assert ask(pinsync) == ["unknown: Remove"]


def test_the_commit_that_wrote_the_id_proves_the_agreement(pinsync: CommandLine) -> None:
    write("Begin to pin", without_id(T), at=2)
    save(P)
    assert ask(pinsync) == ["unknown: Begin to pin"]
    export(T, at=10)
    assert ask(pinsync) == ["shop: Begin to pin"]
    # By hand, it proves nothing.
    write("Begin anew", without_id(S), at=20)
    write("Write the id", S, at=30)
    assert ask(pinsync) == ["unknown: Begin anew"]


def test_a_block_that_lost_its_id(pinsync: CommandLine) -> None:
    export(T, at=2)
    write("Drop the id, and swap", without_id(S), at=10)
    save(T, at=1.5)
    assert ask(pinsync) == ["git: Drop the id, and swap"]


def test_equal_blocks_without_an_id(pinsync: CommandLine) -> None:
    twins = [without_id(T), without_id(T)]
    write("Begin to pin", *twins, at=2)
    write("Swap one", without_id(T), without_id(S), at=10)
    save(rule(2), at=1.5)
    assert sorted(ask(pinsync)) == ["extra: -", "unknown: Begin to pin", "unknown: Swap one"]


def test_a_target_that_the_shop_has_twice_finds_no_removed_block(pinsync: CommandLine) -> None:
    write("Begin to pin", without_id(S), rule(2), at=2)
    write("Remove", rule(2), at=10)
    twin = P | {"id": rule(9)["id"]}
    save(T, twin, rule(2), at=1.5)
    assert ask(pinsync) == ["extra: -", "extra: -"]
    save(S, twin, rule(2), at=1.5)
    assert sorted(ask(pinsync)) == ["extra: -", "git: Remove"]


# Models, folders and trackers.


def test_the_model_is_a_part_of_the_text(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    commit("Rename", {BASKET: None, "customizations/cart.yaml": text("cart", T)}, at=10)
    save(T, model="basket", at=1.5)
    assert ask(pinsync) == ["git: Rename"]
    write("Swap", S, at=20, path="customizations/cart.yaml", model="cart")
    assert ask(pinsync) == ["git: Swap"]
    save(T, model="cart", at=11)
    assert ask(pinsync) == ["git: Swap"]
    save(S, model="basket", at=11)
    assert ask(pinsync) == ["unknown: Swap"]


def test_a_block_that_was_moved_to_another_model_without_its_id(pinsync: CommandLine) -> None:
    write("Begin to pin", T, rule(2), at=2)
    commit(
        "Move",
        {BASKET: text("basket", rule(2)), "customizations/cart.yaml": text("cart", without_id(T))},
        at=10,
    )
    save(T, rule(2), at=1.5)
    assert sorted(ask(pinsync)) == ["git: Move", "unknown: Move"]


def test_a_renamed_folder_is_followed(pinsync: CommandLine) -> None:
    export(T, at=2)
    run("mv", "customizations", "pins")
    commit("Move the folder", {"pinsync.yaml": f"directory: pins\n{CONFIGURATION}"}, at=10)
    save(P)
    assert ask(pinsync) == ["shop: Export pins"]
    write("Swap", S, at=20, path="pins/basket.yaml")
    save(T, at=1.5)
    assert ask(pinsync) == ["git: Swap"]


def test_a_renamed_tracker_is_followed(pinsync: CommandLine) -> None:
    names = configuration("sk", "cz")
    files = {
        "pinsync.yaml": names,
        "customizations/sk/basket.yaml": text("basket", T),
        "customizations/cz/basket.yaml": text("basket", P),
    }
    commit("Begin to pin\n\nPinsync-Export: id-sk", files, at=2)
    run("mv", "customizations/sk", "customizations/slovakia")
    commit("Rename", {"pinsync.yaml": names.replace("  sk:", "  slovakia:")}, at=10)
    save(P)
    assert ask(pinsync, "HEAD", "--tracker", "slovakia") == ["shop: Begin to pin"]
    save(S)
    assert ask(pinsync, "HEAD", "--tracker", "cz") == ["unknown: Begin to pin"]


def test_a_tracker_that_the_configuration_dropped(pinsync: CommandLine) -> None:
    files = {
        "pinsync.yaml": configuration("sk", "cz"),
        "customizations/sk/basket.yaml": text("basket", T),
        "customizations/cz/basket.yaml": text("basket", T),
    }
    commit("Begin to pin", files, at=2)
    put(Path("pinsync.yaml"), configuration("sk", "hu"))
    run("rm", "-rq", "customizations/cz")
    commit("Drop one", at=10)
    put(Path("pinsync.yaml"), configuration("sk", "hu", "cz"))
    save(T, at=1.5)
    report = diffed(pinsync, "HEAD", LIVE, "--tracker", "hu")
    assert tell(report) == ["extra: -"]


def test_several_trackers_are_answered_in_one_walk(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        apis = []
        trackers = ""
        for number in (1, 2):
            api = Sandbox(rows(), tracker_id=f"id-{number}", private_key="secret")
            apis.append(stack.enter_context(api))
            trackers += f"  t{number}: {{tracker_id: id-{number}, hosts: ['{api.url}']}}\n"
        monkeypatch.setenv("PINSYNC_PRIVATE_KEY", "secret")
        monkeypatch.setenv("PINSYNC_ALLOW_HOST", "127.0.0.1")
        commit("Configure", {"pinsync.yaml": f"trackers:\n{trackers}"}, at=2)
        assert pinsync("export", "--commit", "--tracker", "t1").code == 0
        assert pinsync("export", "--commit", "--tracker", "t2", "-m", "The other").code == 0
        repinned(apis[0], STRINGS)
        repinned(apis[1], STRINGS)
        assert tell(diffed(pinsync)) == ["shop: Export pins of t1: 3 added", "shop: The other"]


# Histories that end early.


def clone(depth: int) -> None:
    """Go on in a shallow clone of the repository."""
    here = Path.cwd()
    run("clone", "--quiet", f"--depth={depth}", f"file://{here}", "../shallow")
    shutil.rmtree(here / ".git")
    shutil.move("../shallow/.git", here / ".git")


def read_note(report: Report) -> str:
    (note,) = report.record["trackers"][0]["notes"]
    return str(note)


def test_in_a_shallow_clone_nothing_is_gits(pinsync: CommandLine) -> None:
    write("Begin to pin", T, rule(2), at=2)
    write("Swap", S, rule(2), at=10)
    write("Note", S, rule(2), rule(3), at=20)
    save(T, rule(2), rule(3), rule(4), at=1.5)
    assert ask(pinsync) == ["git: Swap", "extra: -"]
    clone(1)
    report = diffed(pinsync, "HEAD", LIVE)
    assert tell(report) == ["unknown: -", "unknown: -"]
    note = read_note(report)
    assert "git fetch --unshallow" in note
    assert "fetch-depth: 0" in note
    assert ask(pinsync, "@worktree") == ["unknown: -", "unknown: -"]
    # A deleted rule needs no history, but its commit does.
    save(rule(2), rule(3))
    assert ask(pinsync) == ["shop: -"]
    assert "2 rules" not in read_note(diffed(pinsync, "HEAD", LIVE))


def test_a_shallow_clone_that_reaches_far_enough_has_no_note(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    export(S, at=10)
    write("Note", S, rule(3), at=20)
    save(P, rule(3))
    clone(3)
    report = diffed(pinsync, "HEAD", LIVE)
    assert tell(report) == ["shop: Export pins"]
    assert "notes" not in report.record["trackers"][0]


def test_a_merged_export_that_a_shallow_clone_lacks(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    propose(S, at=10)
    commit("Line ends", {"README.md": "a\n"}, at=11)
    commit("More line ends", {"README.md": "b\n"}, at=11)
    run("switch", "--quiet", "main")
    commit("Meanwhile", {"LICENSE": "a\n"}, at=11)
    merge("pins", at=12)
    save(T, at=1.5)
    assert ask(pinsync) == ["shop: Merge it"]
    clone(3)
    assert ask(pinsync) == ["unknown: Merge it"]
    assert "git fetch --unshallow" in read_note(diffed(pinsync, "HEAD", LIVE))


def test_a_partial_clone_fetches_no_older_versions(
    pinsync: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("Begin to pin", T, rule(2), at=2)
    write("Swap", S, rule(2), at=10)
    run("config", "uploadpack.allowFilter", "true")
    run("config", "uploadpack.allowAnySHA1InWant", "true")
    clone = tmp_path / "partial"
    run("clone", "--quiet", "--filter=blob:none", Path.cwd().as_uri(), str(clone))
    monkeypatch.chdir(clone)
    save(T, at=1.5)
    trace = tmp_path / "trace"
    monkeypatch.setenv("GIT_TRACE", str(trace))
    report = diffed(pinsync, "HEAD", LIVE)
    assert tell(report) == ["unknown: -", "shop: -"]
    assert "--filter" in read_note(report)
    assert "built-in: git fetch" not in trace.read_text()


WHOLE = text("basket", T, rule(2))


@pytest.mark.parametrize(
    "broken",
    [
        "format: 1\nmodel: [\n",
        "<<<<<<< HEAD\n",
        b"\xff",
        # The blocks of both rules are whole, but the document isn't.
        f"{WHOLE}  broken: [\n",
        f"{WHOLE}<<<<<<< HEAD\n",
        f"{WHOLE}{WHOLE[WHOLE.rindex('  - id') :]}",
    ],
)
def test_a_document_that_was_broken_in_the_middle_ends_the_history(
    broken: str | bytes, pinsync: CommandLine
) -> None:
    write("Begin to pin", T, rule(2), at=2)
    commit("Break it", {BASKET: broken}, at=5)
    write("Swap", S, rule(2), at=10)
    save(T, rule(2), rule(3), at=1.5)
    report = diffed(pinsync, "HEAD", LIVE)
    assert tell(report) == ["unknown: -", "unknown: -"]
    assert BASKET in read_note(report)
    assert "2 rules" in read_note(report)
    write("Swap again", S2, rule(2), at=20)
    save(S, rule(2), at=11)
    assert ask(pinsync) == ["git: Swap again"]


def test_a_broken_document_of_another_model_hides_no_rule(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    commit("Break another", {"customizations/home.yaml": "format: ["}, at=5)
    write("Swap", S, at=10)
    commit("Mend it", {"customizations/home.yaml": text("home", rule(2))}, at=11)
    save(T, rule(2) | {"model": "home"}, rule(3), at=1.5)
    # But it may have held a rule that no other document has.
    assert ask(pinsync) == ["git: Swap", "unknown: -"]


def test_a_configuration_that_was_broken_in_the_middle_ends_the_history(
    pinsync: CommandLine,
) -> None:
    write("Begin to pin", T, at=2)
    commit("Break it", {"pinsync.yaml": "trackers: ["}, at=5)
    commit("Mend it", {"pinsync.yaml": CONFIGURATION}, at=6)
    write("Swap", S, at=10)
    save(T, at=1.5)
    assert ask(pinsync) == ["git: Swap"]
    save(P, at=1.5)
    report = diffed(pinsync, "HEAD", LIVE)
    assert tell(report) == ["unknown: Swap"]
    assert "pinsync.yaml" in read_note(report)


def test_a_broken_last_commit_under_a_mended_working_tree(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    commit("Break it", {BASKET: "format: ["}, at=5)
    put(Path(BASKET), text("basket", S))
    save(T, at=1.5)
    assert ask(pinsync, "@worktree") == ["unknown: -"]
    assert BASKET in read_note(diffed(pinsync, "@worktree", LIVE))


def test_a_missing_object_ends_the_history(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    blob = run("rev-parse", f"HEAD:{BASKET}")
    tree = run("rev-parse", "HEAD^{tree}")
    write("Swap", S, at=10)
    save(T, at=1.5)
    assert ask(pinsync) == ["git: Swap"]
    for name in (blob, tree):
        Path(".git/objects", name[:2], name[2:]).unlink()
        assert ask(pinsync) == ["unknown: -"]
        assert read_note(diffed(pinsync, "HEAD", LIVE))


# What is asked, and what isn't.


def test_without_exactly_one_shop_nobody_moved(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    write("Swap", S, at=10)
    save(T, at=1.5)
    shutil.copy(LIVE, "old.json")
    save(P, at=1.5)
    for sides in (("HEAD~1", "HEAD"), ("HEAD~1", "@worktree"), ("old.json", LIVE)):
        report = diffed(pinsync, *sides)
        assert tell(report) == ["None: -"]
        refused = pinsync("diff", *sides, "--fail-on", "shop")
        assert (refused.code, refused.out) == (2, "")
        assert "@live" in refused.err


def test_what_the_api_left_out_was_nobodys_move(api: Sandbox, pinsync: CommandLine) -> None:
    row = api.get(STRINGS)
    row["pin_definitions"][0]["active_to"] = "2020-01-01T00:00:00Z"
    api.replace(row)
    assert pinsync("export", "--commit").code == 0
    report = diffed(pinsync, "--remove-expired-pins")
    assert [change["cause"] for change in report.changes] == ["expired"]
    assert tell(report) == ["None: -"]
    assert diffed(pinsync, "--remove-expired-pins", "--fail-on", "shop").code == 0


@pytest.mark.parametrize(
    ("shop", "expected"),
    [
        ([T, rule(2)], 0),
        ([P, rule(2)], 1),
        ([rule(2)], 1),
        ([S, rule(2), rule(3)], 1),
        ([S, rule(2)], 0),
    ],
)
def test_fail_on_shop_leaves_out_what_git_did(
    shop: list[Record], expected: int, pinsync: CommandLine
) -> None:
    write("Begin to pin", T, rule(2), at=2)
    write("Swap", S, rule(2), at=10)
    save(*shop, at=1.5)
    for sides in (("HEAD", LIVE), (LIVE, "@worktree")):
        assert pinsync("diff", *sides, "--fail-on", "shop").code == expected


def test_fields_that_the_configuration_ignores_are_no_text(pinsync: CommandLine) -> None:
    write("Begin to pin", T | {"note": 1}, at=2)
    write("Swap", S | {"note": 2}, at=10)
    put(Path("pinsync.yaml"), f"{CONFIGURATION}ignore: [note]\n")
    commit("Ignore", at=20)
    save(T | {"note": 3}, at=1.5)
    assert ask(pinsync) == ["git: Swap"]


def test_the_commit_is_told_in_full(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    full = commit("Swap\nthe strings", {BASKET: text("basket", S)}, author="Jána <j@x.sk>", at=10)
    save(T, at=1.5)
    (change,) = diffed(pinsync, "HEAD", LIVE).changes
    assert change["moved_in"] == {
        "commit": full,
        "author": "Jána",
        "date": "2026-01-01T10:00:00Z",
        "subject": "Swap the strings",
    }


def test_a_rebased_commit_counts_from_the_day_it_came(pinsync: CommandLine) -> None:
    write("Begin to pin", T, at=2)
    put(Path(BASKET), text("basket", S))
    moment = f"{1767225600 + 30 * 3600} +0000"
    run("commit", "--quiet", "--all", "-m", "Swap", f"--date={moment}", GIT_COMMITTER_DATE=moment)
    save(T, at=20)
    assert ask(pinsync) == ["git: Swap"]
