"""``export --patch``: a person decides rule by rule, on a terminal."""

from __future__ import annotations

import json
import re
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.escape import INVISIBLE
from pinsync.model import ALL_RULES
from pinsync.sandbox import Answer, Fault, Sandbox
from pinsync.sync.choice import build_chosen_scope
from support.agreeing import OTHER, P, S, T, read_entries, read_record, without_id, write
from support.exporting import answered, put, untouched
from support.histories import BASKET, commit, rule, run, text
from support.moving import CONFIGURATION, LINE, LIVE, save
from support.runners import find_commands
from support.terminals import CTRL_C, CTRL_D, Dialogue

if TYPE_CHECKING:
    from support.agreeing import Shop
    from support.command_line import CommandLine

Row = dict[str, Any]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")

CHANGED, ADDED = rule(2, "/p/3/"), rule(4, "/p/6/")
ITEMS = '{"format": 1, "items": {\n"/p/3/": {"title": "Strings"}\n}}\n'
QUESTION = "Keep the shop's (s), take git's (g) or skip (n) [s,g,n,a,d,q,?]? "


def read_basket() -> str:
    return Path(BASKET).read_text(encoding="utf-8")


def open_dialogue(shop: Shop, *options: str, **environ: str) -> Dialogue:
    """Start an export that the shop answers, and that asks."""
    answered(shop.api, list(shop.rows.values()))
    return Dialogue("export", "-p", *options, environ=environ)


def decide(shop: Shop, answers: str, *options: str, code: int = 0) -> str:
    """Give all answers, separated by blanks; return what the terminal was sent."""
    dialogue = open_dialogue(shop, *options)
    dialogue.answer(*answers.split())
    ended, sent = dialogue.end()
    assert ended == code, sent
    return sent


@pytest.fixture
def differing(shop: Shop) -> Shop:
    """Git changed rule 1, the shop changed rule 2, and the shop has added rule 4."""
    write("Swap", S, OTHER, at=10)
    shop.save(CHANGED, ADDED)
    return shop


# What is shown, and what is written.


def test_a_dialogue(differing: Shop) -> None:
    assert (
        decide(differing, "s g s y")
        == f"""
DIFFERENCE TO SHOPPERS NOW · changed in the shop

PIN ADDED at #1  /p/2/ · basket
  agreed  #1 (the recommender chooses)
  shop    #1 /p/3/
  agreed on 1 Jan 2026: “Begin” (Test) · customizations/basket.yaml:11
(1/3) {QUESTION}s

DIFFERENCE TO SHOPPERS NOW · added in the shop (git never had it)

RULE ADDED  /p/4/ · basket
  git   no rule: the recommender chooses
  shop  #1 /p/6/
(2/3) {QUESTION}g

DIFFERENCE TO SHOPPERS NOW · changed in git (the shop still has the old state)

REPLACED IN GIT at #1  /p/1/ · basket
  git (new)   #1 /p/8/
  shop (old)  #1 /p/7/
  changed in git on 1 Jan 2026: “Swap” (Test) · customizations/basket.yaml:4
(3/3) {QUESTION}s
3 rules: 2 as in the shop, 1 as in git

2 rules to write:
REPLACED at #1  /p/1/ · basket
PIN ADDED at #1  /p/2/ · basket
shop: 0 added, 2 changed, 0 removed · 1 file would be rewritten in customizations/
Write this [y,n]? y
shop: 0 added, 2 changed, 0 removed · 1 file rewritten in customizations/
"""
    )


@pytest.mark.parametrize(
    ("answers", "rules"),
    [
        ("s s s y", (T, CHANGED, ADDED)),
        ("s g g y", (S, CHANGED)),
        ("g s n y", (S, OTHER, ADDED)),
        ("n n s y", (T, OTHER)),
        ("s q y", (S, CHANGED)),
        ("a d d y", (S, CHANGED)),
        ("? x s d d y", (S, CHANGED)),
        # The end of the input is a quit.
        (f"s {CTRL_D} y", (S, CHANGED)),
    ],
)
def test_only_what_is_kept_of_the_shop_is_written(
    answers: str, rules: tuple[Row, ...], differing: Shop
) -> None:
    sent = decide(differing, answers)
    assert read_basket() == text("basket", *rules)
    assert sent.endswith("1 file rewritten in customizations/\n")


@pytest.mark.parametrize("answers", ["q", CTRL_D, "g n g", "d d d"])
def test_without_a_choice_nothing_is_written(answers: str, differing: Shop) -> None:
    with untouched(Path.cwd()):
        sent = decide(differing, answers)
    assert sent.endswith("\nnothing to write\n")
    assert "[y,n]" not in sent


@pytest.mark.parametrize("answers", ["s q n", f"s q {CTRL_D}", "s q x n"])
def test_a_no_writes_nothing(answers: str, differing: Shop) -> None:
    with untouched(Path.cwd()):
        sent = decide(differing, answers, "--commit", code=1)
    assert sent.endswith("\nnothing was written\n")


@pytest.mark.parametrize("answers", [CTRL_C, f"s {CTRL_C}", f"s q {CTRL_C}"])
def test_an_interrupt_writes_nothing(answers: str, differing: Shop) -> None:
    with untouched(Path.cwd()):
        sent = decide(differing, answers, code=130)
    assert sent.endswith("\ninterrupted: nothing was changed\n")


def test_without_a_difference_nothing_is_asked(shop: Shop) -> None:
    with untouched(Path.cwd()):
        sent = decide(shop, "")
    assert sent == "nothing to decide: an export would change no rule\n"


def test_colour_and_progress_leave_the_dialogue_whole(
    differing: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    dialogue = open_dialogue(differing, TERM="xterm")
    dialogue.answer("s", "q", "y")
    code, sent = dialogue.end()
    assert code == 0
    assert "\x1b[33mPIN ADDED\x1b[0m at #1  /p/2/" in sent
    assert "\x1b[1m(1/3) Keep the shop's" in sent
    assert read_basket() == text("basket", S, CHANGED)


def test_hostile_titles_are_escaped(shop: Shop) -> None:
    title = "\x1b[2J\u202eevil\n(1/1) ##[group]"
    shop.save({**CHANGED, "target_metadata": {"title": title}})
    sent = decide(shop, "s y")
    assert re.search(INVISIBLE, sent.replace("\n", "")) is None
    assert "\\u001b[2J\\u202eevil\\n(1/1)" in sent
    assert find_commands(sent) == []


def test_titles_name_the_items(shop: Shop) -> None:
    put(Path("customizations/items.json"), ITEMS)
    shop.save(CHANGED)
    assert "shop    #1 “Strings”\n" in decide(shop, "q")
    put(Path("customizations/items.json"), "{")
    assert "note: shop: the titles of items are missing" in decide(shop, "q")


# Which rules are asked about.


def test_filters_narrow_the_rules(differing: Shop) -> None:
    assert "(1/1)" in decide(differing, "s y", "--id", rule(4)["id"])
    assert read_basket() == text("basket", S, OTHER, ADDED)
    # The answer has only what the filter lets through.
    differing.rows = {OTHER["id"]: {"model": "basket", **CHANGED}}
    assert "(1/1)" in decide(differing, "s y", "--model", "basket", "--target-identity", "/p/2/")
    assert read_basket() == text("basket", S, CHANGED, ADDED)


def test_a_filter_that_nothing_matches(differing: Shop) -> None:
    assert "--id 9 " not in decide(differing, "q")
    sent = decide(differing, "", "--id", "9", code=2)
    assert "no customization on either side has an id that begins with '9'" in sent


def test_a_rule_that_left_the_filter_is_asked_about_once(shop: Shop) -> None:
    write("Tag", {**T, "tags": ["ours"]}, OTHER, at=10)
    # The filtered answer doesn't tell whether the shop has the rule, so all are asked for.
    whole = json.dumps({"results": list(shop.rows.values())}).encode()
    bodies = (b'{"results": []}', whole)
    shop.api.fail(*(Fault(answer=Answer(200, body)) for body in bodies))
    dialogue = Dialogue("export", "-p", "--tag", "ours")
    dialogue.answer("s", "y")
    code, sent = dialogue.end()
    assert code == 0, sent
    assert "(1/1)" in sent
    assert read_basket() == text("basket", T, OTHER)


def test_pending_changes_are_left_out(differing: Shop) -> None:
    sent = decide(differing, "s s y", "--keep-pending")
    assert "(2/2)" in sent
    assert read_basket() == text("basket", S, CHANGED, ADDED)


def test_a_block_without_an_id_that_the_shop_lacks_is_no_question(shop: Shop) -> None:
    write("Add", T, without_id(rule(2)), without_id(rule(8, "/p/1/")), at=10)
    assert "nothing to decide" in decide(shop, "")
    # The other rules of a document stay as they are, also without an id.
    shop.save(P)
    assert "(1/1)" in decide(shop, "s y")
    assert read_basket() == text("basket", P, without_id(rule(2)), without_id(rule(8, "/p/1/")))


def test_a_rule_that_the_shop_made_again(shop: Shop) -> None:
    shop.delete(T)
    again = {**T, "id": rule(9)["id"]}
    shop.save(again)
    with untouched(Path.cwd()):
        sent = decide(shop, "g")
    assert "(1/1)" in sent
    assert "the same rule, under another id" in sent
    decide(shop, "s y")
    assert read_basket() == text("basket", again, OTHER)


def test_a_choice_is_the_same_as_an_export_of_its_ids(differing: Shop) -> None:
    put(Path("customizations/home.yaml"), "format: 1\nmodel: home\ncustomizations: []\n")
    commit("Add an empty document", at=11)
    decide(differing, "s g s y")
    chosen = {path: path.read_bytes() for path in Path("customizations").iterdir()}
    run("checkout", "--quiet", "HEAD", "--", ".")
    differing.export("--id", T["id"], "--id", OTHER["id"])
    assert chosen == {path: path.read_bytes() for path in Path("customizations").iterdir()}


def test_a_document_that_a_person_deleted(shop: Shop) -> None:
    Path(BASKET).unlink()
    assert "nothing to decide" in decide(shop, "")
    assert not Path(BASKET).exists()
    # With one of its rules, the document comes back as HEAD has it.
    shop.save(CHANGED, P)
    sent = decide(shop, "n s y")
    assert "(2/2)" in sent
    assert read_basket() == text("basket", T, CHANGED)


def test_pins_that_the_api_leaves_out_can_stay(shop: Shop) -> None:
    pins = {"position": 1, "pin_type": "item", "pin_identity": "/p/3/"}
    over = rule(1, {**pins, "active_to": "2020-01-01T00:00:00Z"})
    write("Begin anew", over, OTHER, at=10)
    shop.save(rule(1))
    sent = decide(shop, "g", "--remove-expired-pins")
    assert "changed by nobody: the API left out pins, as asked" in " ".join(sent.split())
    assert read_basket() == text("basket", over, OTHER)


# Commits, and the record of agreement.


def test_a_commit_has_the_chosen_rules_alone(differing: Shop) -> None:
    sent = decide(differing, "s g g y", "--commit", "-m", "Take it")
    assert "1 rule to commit:\nPIN ADDED at #1  /p/2/ · basket\n" in sent
    assert "Commit this [y,n]? y\n" in sent
    assert run("show", f"HEAD:{BASKET}") == text("basket", S, CHANGED).rstrip("\n")
    assert run("log", "-1", "--format=%B").split("\n\n") == ["Take it", f"{LINE}\n"]
    assert run("status", "--porcelain") == ""


def test_the_record_moves_only_for_what_was_taken(differing: Shop) -> None:
    decide(differing, "s g g y", "--commit")
    entries = read_entries()
    assert entries.keys() == {T["id"], OTHER["id"]}
    # The agreement on rule 1 is older than the record's source, and has the shop's text.
    assert read_record()["source"] == run("rev-parse", "HEAD")
    assert entries[T["id"]]["base"]["commit"] == run("rev-parse", "HEAD~2")
    assert "/p/7/" in entries[T["id"]]["base"]["text"]
    assert "commit" not in entries[OTHER["id"]]["base"]
    assert "/p/3/" in entries[OTHER["id"]]["base"]["text"]
    assert differing.ask() == ["git: Swap", "extra: -"]


def test_only_what_was_taken_is_proposed(differing: Shop) -> None:
    decide(differing, "s g g y")
    entries = read_entries()
    assert [each for each in entries if entries[each].get("proposals")] == [OTHER["id"]]
    commit("Take it by hand", at=20)
    assert differing.ask() == ["git: Swap", "extra: -"]


def test_an_answer_that_is_no_choice_leaves_the_record_alone(differing: Shop) -> None:
    before = read_record()
    decide(differing, "q")
    decide(differing, "s q n", code=1)
    assert read_record() == before


def test_a_commit_names_the_rules_that_an_earlier_export_wrote(differing: Shop) -> None:
    differing.export()
    differing.save(rule(5, "/p/1/"))
    sent = decide(differing, "s n", "--commit", code=1)
    assert "(1/1)" in sent
    assert "4 rules to commit:" in sent
    # The files hold what the shop has, and no commit has it yet.
    assert "  files  no rule: the recommender chooses\n" in sent
    decide(differing, "s y", "--commit")
    assert run("show", f"HEAD:{BASKET}") + "\n" == read_basket()
    assert run("status", "--porcelain") == ""


# Refusals.


@pytest.mark.parametrize("options", [(), ("--commit",)])
def test_without_a_terminal_the_message_names_id(
    options: tuple[str, ...], shop: Shop, pinsync: CommandLine
) -> None:
    requests = len(shop.api.requests)
    refused = pinsync.spawn("export", "--patch", *options)
    assert (refused.code, refused.out) == (2, "")
    assert "--id ID" in refused.err
    assert len(shop.api.requests) == requests


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--check"], "--check"),
        (["--branch", "pins"], "--branch"),
        (["--from-file", "-"], "standard input"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_options_that_contradict_it(options: list[str], named: str, pinsync: CommandLine) -> None:
    refused = pinsync("export", "-p", *options)
    assert refused.code == 2
    assert named in refused.err


def test_uncommitted_work_is_named_before_the_questions(differing: Shop) -> None:
    put(Path(BASKET), text("basket", rule(1, "/p/4/"), OTHER))
    sent = decide(differing, "s s n y", code=4)
    note = "note: customizations/basket.yaml holds uncommitted work that an export would overwrite"
    assert sent.index(note) < sent.index("(1/3)")
    assert "error: customizations/basket.yaml holds uncommitted work" in sent
    assert "note:" not in decide(differing, "s s n y", "--force")
    assert read_basket() == text("basket", rule(1, "/p/4/"), CHANGED, ADDED)


def test_a_file_that_changes_during_the_questions_stays(differing: Shop) -> None:
    dialogue = open_dialogue(differing)
    dialogue.answer("s", "q")
    dialogue.wait_for_question()
    put(Path(BASKET), text("basket", S, OTHER, rule(7)))
    dialogue.type("y")
    assert dialogue.end()[0] == 4
    assert read_basket() == text("basket", S, OTHER, rule(7))


def test_the_guard_counts_what_was_chosen(shop: Shop) -> None:
    put(Path("pinsync.yaml"), f"{CONFIGURATION}safety: {{min_existing: 2}}\n")
    commit("Guard", at=10)
    shop.rows.clear()
    assert "nothing to write" in decide(shop, "n n")
    with untouched(Path.cwd()):
        sent = decide(shop, "s n", code=4)
    assert "the answer is empty" in sent
    assert "[y,n]" not in sent
    decide(shop, "s n y", "--allow-mass-removal")
    assert read_basket() == text("basket", OTHER)


def test_a_choice_without_a_rule_is_a_bug() -> None:
    with pytest.raises(ValueError, match="nothing is chosen"):
        build_chosen_scope([], ALL_RULES)


# Other sources, and several trackers.


def test_a_saved_export(differing: Shop) -> None:
    save(*differing.rows.values())
    dialogue = Dialogue("export", "-p", "--from-file", LIVE)
    dialogue.answer("s", "q", "y")
    code, sent = dialogue.end()
    assert code == 0, sent
    assert read_basket() == text("basket", S, CHANGED)


def test_without_git(shop: Shop, folder: Path) -> None:
    put(folder / "pinsync.yaml", CONFIGURATION)
    put(folder / BASKET, text("basket", S))
    sent = decide(shop, "s g y", "--force")
    assert "changed in git or in the shop" in sent
    assert (folder / BASKET).read_text(encoding="utf-8") == text("basket", T)


def test_several_trackers(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINSYNC_ALLOW_HOST", "127.0.0.1")
    with ExitStack() as stack:
        lines = ["trackers:"]
        for number, name in enumerate(("sk", "cz"), 1):
            row = {"model": "basket", **rule(number, "/p/7/")}
            api = stack.enter_context(Sandbox([row], tracker_id=str(number), private_key=name))
            monkeypatch.setenv(f"KEY_{name.upper()}", name)
            key = f"private_key_env: KEY_{name.upper()}"
            lines.append(f'  {name}: {{tracker_id: "{number}", {key}, hosts: ["{api.url}"]}}')
        put(repository / "pinsync.yaml", "\n".join([*lines, ""]))
        dialogue = Dialogue("export", "-p")
        dialogue.answer("n", "s", "y")
        code, sent = dialogue.end()
    assert code == 0, sent
    assert sent.index("\nsk (1)\n") < sent.index("(1/2)") < sent.index("\ncz (2)\n")
    assert "RULE ADDED  /p/2/ · basket · cz\n" in sent
    assert not Path("customizations/sk").exists()
    assert Path("customizations/cz/basket.yaml").read_text(encoding="utf-8") == text(
        "basket", rule(2, "/p/7/")
    )
