"""``export --keep-pending``: what git changed and the shop doesn't have yet stays as git has it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.agreeing import OTHER, S2, P, S, T, read_entries, without_id, write
from support.exporting import put
from support.histories import BASKET, commit, rule, run, text
from support.moving import CONFIGURATION

if TYPE_CHECKING:
    from support.agreeing import Shop
    from support.command_line import CommandLine


def read_basket() -> str:
    return Path(BASKET).read_text(encoding="utf-8")


def test_a_merged_change_is_not_reverted_and_a_change_of_the_shop_comes(shop: Shop) -> None:
    write("Swap", S, OTHER, at=10)
    shop.save(rule(2, "/p/3/"), rule(4))
    done = shop.export("--keep-pending")
    assert read_basket() == text("basket", S, rule(2, "/p/3/"), rule(4))
    assert "stays as git has it" not in done.err
    # It proposed only what it wrote.
    assert "proposals" not in read_entries()[T["id"]]
    run("checkout", "--quiet", "HEAD", "--", ".")
    shop.export()
    assert read_basket() == text("basket", T, rule(2, "/p/3/"), rule(4))


@pytest.mark.parametrize("options", [["--branch", "pins"], ["--commit"], ["--check"], []])
def test_with_nothing_but_pending_changes_there_is_nothing_to_do(
    options: list[str], shop: Shop
) -> None:
    write("Swap", S, OTHER, without_id(rule(3)), at=10)
    before = run("rev-parse", "HEAD")
    shop.export("--keep-pending", *options)
    assert run("rev-parse", "HEAD") == before
    assert run("status", "--porcelain") == ""
    assert run("branch", "--list", "pins") == ""


def test_a_pending_removal_and_a_pending_block_without_an_id(shop: Shop) -> None:
    write("Remove and add", OTHER, without_id(rule(3, "/p/1/")), at=10)
    shop.export("--keep-pending")
    assert read_basket() == text("basket", OTHER, without_id(rule(3, "/p/1/")))
    # Created under the same target, and the id comes.
    shop.save(rule(3, "/p/1/"))
    shop.export("--keep-pending")
    assert rule(3)["id"] in read_basket()


def test_a_block_without_an_id_that_git_edited_after_it_was_created(shop: Shop) -> None:
    new = rule(3, "/p/1/")
    write("Add", T, OTHER, without_id(new), at=10)
    shop.save(new)
    shop.export()
    run("checkout", "--quiet", "HEAD", "--", ".")
    write("Edit", T, OTHER, without_id(rule(3, "/p/2/")), at=20)
    shop.export("--keep-pending")
    assert run("status", "--porcelain") == ""


def test_what_people_have_to_decide_is_named(shop: Shop) -> None:
    write("Swap", S, OTHER, at=10)
    shop.save(P)
    done = shop.export("--keep-pending")
    assert read_basket() == text("basket", S, OTHER)
    expected = "note: item /p/1/ · basket: changed in git and in the shop: it stays as git has it"
    assert expected in done.err.splitlines()
    shop.save(T, at=3)
    shop.export("--keep-pending")
    shop.save(T, at=4)
    # A base without a date, and saved a moment ago.
    shop.save(T, at=9.99)
    done = shop.export("--keep-pending")
    assert "it can't be told which" in done.err
    assert read_basket() == text("basket", S, OTHER)


def test_a_rule_that_the_shop_deleted_or_brought_back(shop: Shop) -> None:
    shop.delete(T)
    shop.export("--keep-pending")
    assert read_basket() == text("basket", OTHER)
    commit("Take it", at=10)
    shop.export("--keep-pending")
    shop.save(T)
    shop.export("--keep-pending")
    assert read_basket() == text("basket", T, OTHER)


def test_a_filter_narrows_it(shop: Shop) -> None:
    write("Swap", S, rule(2, "/p/9/"), at=10)
    # The answer has only what the filter lets through.
    shop.delete(OTHER)
    shop.export("--keep-pending", "--target-identity", "/p/1/")
    assert run("status", "--porcelain") == ""
    shop.export("--target-identity", "/p/1/")
    assert read_basket() == text("basket", T, rule(2, "/p/9/"))


def test_pins_that_the_api_left_out_as_configured_go(shop: Shop) -> None:
    old = {"position": 2, "pin_type": "item", "pin_identity": "/p/3/"}
    over = rule(1, {**old, "position": 1}, {**old, "active_to": "2020-01-01T00:00:00Z"})
    rest = rule(1, {**old, "position": 1})
    put(Path("pinsync.yaml"), f"{CONFIGURATION}    remove_expired_pins: true\n")
    write("Begin anew", over, OTHER, at=10)
    shop.save(rest)
    shop.export("--keep-pending")
    assert read_basket() == text("basket", rest, OTHER)
    # No record can tell who moved, so an edit in the shop comes, too.
    shop.save(P)
    shop.export("--keep-pending")
    assert read_basket() == text("basket", P, OTHER)


def test_without_a_record_the_history_decides(shop: Shop) -> None:
    run("update-ref", "-d", "refs/pinsync/agreed/1234-5678")
    write("Swap", S, rule(2, "/p/9/"), at=10)
    shop.save(T, at=0.5)
    done = shop.export("--keep-pending")
    assert run("status", "--porcelain") == ""
    assert "item /p/2/ · basket: changed in git or in the shop (it can't be told which)" in done.err


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--from-file", "live.json"], "--from-file"),
        (["--remove-expired-pins"], "omit pins"),
        (["--remove-nonexisting-item-pins"], "omit pins"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_options_that_contradict_it(options: list[str], named: str, pinsync: CommandLine) -> None:
    refused = pinsync("export", "--keep-pending", *options)
    assert refused.code == 2
    assert named in refused.err


@pytest.mark.usefixtures("shop")
def test_outside_a_repository_nothing_is_known(pinsync: CommandLine) -> None:
    shutil.rmtree(".git")
    refused = pinsync("export", "--keep-pending")
    assert refused.code == 2
    assert "--keep-pending" in refused.err


def test_a_hand_edit_that_is_not_committed_stays(shop: Shop) -> None:
    put(Path(BASKET), text("basket", S2, OTHER))
    shop.export("--keep-pending")
    assert read_basket() == text("basket", S2, OTHER)
