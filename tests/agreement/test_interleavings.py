"""Random histories with a record of agreement, which may be stale: nobody is overruled, and what
was merged is git's.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pinsync.document.parse import parse_document
from pinsync.history import mover_search
from support.diffing import diffed
from support.exporting import answered
from support.histories import run
from support.interleaving import MODELS, SLOTS, TEXTS, World, list_questions
from support.moving import LIVE

if TYPE_CHECKING:
    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine

Record = dict[str, Any]


def make(seed: int) -> World:
    """Make a history, and write it into the current folder."""
    random = Random(seed)
    world = World(random, dated=random.random() < 0.5, keeps_record=random.random() < 0.9)
    world.go_on(random.randint(2, 24))
    for folder in (".git", "customizations"):
        shutil.rmtree(folder, ignore_errors=True)
    run("init", "--quiet", "--initial-branch=main")
    world.write()
    return world


def read_slot(change: Record) -> int:
    return int(change["target_identity"].split("/")[2])


def check_answers(
    seed: int, world: World, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> dict[int, set[str]]:
    """Hold the answers of a history to what happened; return them by slot."""
    report = diffed(pinsync, "HEAD", LIVE)
    with monkeypatch.context() as patch:
        patch.setattr(mover_search, "search_documents", lambda *_: None)
        assert diffed(pinsync, "HEAD", LIVE).record == report.record, seed
    found: dict[int, set[str]] = {}
    for change in report.changes:
        found.setdefault(read_slot(change), set()).add(change["moved"])
    for slot, moved in found.items():
        live, git = world.shop.get(slot), world.git.get(slot)
        content = live and live.content
        if "git" in moved and world.edited.get(slot, 0) > world.agreed.get(slot, 0):
            # A person changed the shop last. Only two histories can look like git's move. Without
            # dates: going back to the text of the last agreement that pinsync saw. And deleting,
            # which has no date, what was created and never seen.
            is_unseen = world.agreed.get(slot, 0) > world.known.get(slot, 0)
            is_back = not world.dated and slot in world.known
            assert is_back or (live is None and is_unseen), seed
        is_known = world.known_content.get(slot) == content and slot in world.known
        is_unsaved = world.saved.get(slot, 0) <= world.known.get(slot, -1)
        # A rule under another id in git is another rule.
        is_same = git is None or world.known_id.get(slot) in (None, git.id)
        # An export may be merged long after it was made, and its line still counts.
        is_by_hand = world.merged.get(slot, 0) <= world.known.get(slot, 0)
        is_gits = is_known and is_unsaved and is_same and is_by_hand and len(moved) == 1
        if is_gits and (git and git.content) != content:
            assert moved == {"git"}, (seed, slot)
    return found


def read_files() -> dict[int, list[tuple[str, str]]]:
    """Return model and text of the rules in the files, by slot."""
    found: dict[int, list[tuple[str, str]]] = {slot: [] for slot in SLOTS}
    for model in MODELS:
        path = Path("customizations", f"{model}.yaml")
        if path.exists():
            for entry in parse_document(path.read_bytes(), str(path)).entries:
                rule = entry.customization
                (content,) = [name for name in TEXTS if f"pin_identity: {name}" in f"{rule.text!r}"]
                found[int((rule.target.identity or "").split("/")[2])].append((model, content))
    return found


def check_export(seed: int, world: World, moved: dict[int, set[str]]) -> None:
    """Hold the files that ``--keep-pending`` wrote to the answers."""
    files = read_files()
    questions = [slot for slot, _, _ in list_questions(world)]
    for slot, answers in moved.items():
        if questions.count(slot) != 1:
            # A block without an id in another model than the shop's rule.
            continue
        (answer,) = answers
        side = world.shop if answer in ("shop", "extra") else world.git
        if slot not in world.shop and world.git[slot].id is None:
            # An export never removes a block without an id.
            side = world.git
        expected = [side[slot].content] if slot in side else []
        assert files[slot] == expected, (seed, slot, answer)


def check(
    seed: int, api: Sandbox, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> set[str]:
    """Check one history; return who moved."""
    world = make(seed)
    moved = check_answers(seed, world, pinsync, monkeypatch)
    answered(api, world.build_rows())
    done = pinsync("export", "--keep-pending", "--allow-mass-removal")
    assert done.code == 0, (seed, done.err)
    check_export(seed, world, moved)
    return set().union(*moved.values())


@pytest.mark.usefixtures("repository")
def test_nobody_is_overruled_and_what_was_merged_is_gits(
    api: Sandbox, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[str] = set()
    for seed in range(40):
        seen |= check(seed, api, pinsync, monkeypatch)
    assert seen == {"shop", "git", "both", "unknown", "extra"}


@pytest.mark.long
@pytest.mark.usefixtures("repository")
def test_nobody_is_overruled_in_many_more_histories(
    api: Sandbox, pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(1000, 3000):
        check(seed, api, pinsync, monkeypatch)
