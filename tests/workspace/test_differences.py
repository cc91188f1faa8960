"""Blocks that are equal on both sides are passed over, and the report is the same."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given

from pinsync.canonical.normalize import build_customization
from pinsync.config import Tracker
from pinsync.document.record import render_document
from pinsync.drift.changes import (
    collect_shown_items,
    compare_customizations,
    find_titles,
)
from pinsync.errors import FileError
from pinsync.layout import build_file_name
from pinsync.model import EVERYTHING, Scope
from pinsync.sync.basis import list_blocks
from pinsync.workspace.state import Content, State, read_contents
from support import states
from support.strategies import QUICK, SEEDED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from pinsync.document.equal import EqualBlocks

Texts = dict[str, str]
"""The name of a file → its text."""

HEAD = "format: 1\nmodel: basket\ncustomizations:\n"
IGNORE = (("target_metadata", "image"), ("tags",))


def block(number: int, *lines: str) -> str:
    more = "".join(f"    {line}\n" for line in lines)
    return f"  - id: {number:08}-0000-4000-8000-000000000000\n    target_type: all\n{more}"


def side(texts: Texts, prefix: str, ignore: Sequence[tuple[str, ...]] = ()) -> State:
    files = [(PurePosixPath(path), text.encode()) for path, text in sorted(texts.items())]
    record = SimpleNamespace(
        source=SimpleNamespace(prefix=prefix),
        settings=SimpleNamespace(ignore=tuple(ignore)),
        in_files=True,
        read_documents=lambda _: files,
    )
    return cast("State", record)


def read(
    old: Texts, new: Texts, ignore: Sequence[tuple[str, ...]], *, whole: bool
) -> tuple[Content, Content]:
    tracker = Tracker("default", "")
    sides = side(old, "HEAD:", ignore), side(new, "", IGNORE)
    return read_contents(*sides, (tracker, tracker), EVERYTHING, {}, whole=whole)


def report(
    sides: tuple[Content, Content], ignore: Sequence[tuple[str, ...]], scope: Scope = EVERYTHING
) -> tuple[object, ...]:
    """What a report shows of two sides."""
    old, new = sides
    old_items, new_items = old.snapshot.customizations, new.snapshot.customizations
    changes, unchanged = compare_customizations(old_items, new_items, scope)
    titled = new.find_targeting(collect_shown_items(changes), ignore)
    blocks = list_blocks(old.documents), list_blocks(new.documents)
    shown = []
    for change in changes:
        lines = []
        indexes = change.pair.old_index, change.pair.new_index
        for content, own, index in zip((old, new), blocks, indexes, strict=True):
            if index is not None:
                document = content.documents[own[index].customization.model]
                lines.append((document.source, own[index].line))
        shown.append((change.kind, change.old, change.new, change.pins, change.fields, lines))
    names = find_titles(collect_shown_items(changes), [*new_items, *titled], old_items)
    return shown, unchanged + new.count_equal(scope), names, old.size, new.size


def draw_texts(random: Random) -> Texts:
    rows = [states.some_row(random) for _ in range(random.choice((1, 3, 6, 12)))]
    by_model: dict[str, list[Any]] = {}
    for row in rows:
        by_model.setdefault(row["model"], []).append(build_customization(row))
    return {
        build_file_name(model): render_document(model, items).decode()
        for model, items in by_model.items()
    }


def edit(texts: Texts, random: Random) -> None:
    """Change one file as people do."""
    if not texts:
        return
    name = random.choice(sorted(texts))
    kind = random.random()
    if kind < 0.05:
        del texts[name]
    elif kind < 0.1:
        texts["Copy.yaml"] = texts[name]
    elif kind < 0.2:
        texts["other.yaml"] = texts.pop(name)
    elif kind < 0.3:
        move_block(texts, name, random)
    else:
        edits = random.choices((states.TIDY, states.UNTIDY, states.BROKEN), (12, 2, 1))[0]
        pattern, replacement = random.choice(edits)
        if matches := list(re.finditer(pattern, texts[name], re.MULTILINE)):
            match = random.choice(matches)
            before, after = texts[name][: match.start()], texts[name][match.end() :]
            texts[name] = before + match.expand(replacement) + after


def move_block(texts: Texts, name: str, random: Random) -> None:
    """Move or copy the last block of a file to the end of another one."""
    head, dash, last = texts[name].rpartition("\n  - ")
    texts[random.choice(sorted(texts))] += dash[1:] + last
    if random.random() < 0.5 and texts[name].startswith(head):
        texts[name] = head + texts[name][len(head + dash + last) - 1 :]


def draw_sides(random: Random) -> tuple[Texts, Texts]:
    old = draw_texts(random)
    # What both sides have before they part.
    for _ in range(random.choice((0, 0, 1, 2))):
        edit(old, random)
    new = dict(old)
    for _ in range(random.choice((0, 1, 1, 2, 4))):
        edit(random.choice((old, new, new, new)), random)
    return old, new


@QUICK
@given(random=SEEDED)
def test_the_report_is_the_same_as_if_all_was_read(random: Random) -> None:
    old, new = draw_sides(random)
    ignore = random.choice(((), IGNORE))
    try:
        whole = read(old, new, ignore, whole=True)
    except FileError:
        # A fault that both sides have may be passed over. See below.
        return
    quick = read(old, new, ignore, whole=False)
    for scope in (EVERYTHING, Scope(model="basket"), Scope(model="home")):
        assert report(quick, ignore, scope) == report(whole, ignore, scope)


@QUICK
@given(random=SEEDED)
def test_only_a_fault_that_both_sides_have_is_passed_over(random: Random) -> None:
    old, new = draw_sides(random)
    try:
        read(old, new, (), whole=True)
    except FileError:
        pass
    else:
        return
    try:
        content, _ = read(old, new, (), whole=False)
    except FileError:
        return
    # Without the blocks that were passed over, both sides can be read.
    for texts in (old, new):
        drop_blocks(texts, content.equal)
    read(old, new, (), whole=True)


def drop_blocks(texts: Texts, equal: Sequence[EqualBlocks]) -> None:
    for blocks in equal:
        for block_ in blocks.blocks:
            for name, text in list(texts.items()):
                unix = text.removeprefix("\ufeff").replace("\r\n", "\n")
                unix = unix if unix.endswith("\n") else f"{unix}\n"
                texts[name] = unix.replace(block_.decode(), "")
                if "\n  - " not in texts[name]:
                    del texts[name]


ITEM = 'target_metadata:\n      title: "Ťava"'
PINS = "pin_definitions:\n      - position: {}\n        pin_type: item\n        pin_identity: {}"


def quick(old: str, new: str) -> Content:
    """Return what is read of the new side of one file."""
    return read({"a.yaml": old}, {"a.yaml": new}, (), whole=False)[1]


def test_only_blocks_that_differ_are_read() -> None:
    same, changed = block(1), block(2, "tags:\n      - a")
    content = quick(HEAD + same + block(2), f"# head\n{HEAD}{same}{changed}")
    assert [item.text.decode() for item in content.snapshot.customizations] == [changed]
    assert [blocks.blocks for blocks in content.equal] == [(same.encode(),)]
    assert content.documents["basket"].entries[0].line == 7


def test_an_id_beside_an_equal_block_is_still_refused() -> None:
    texts = {"a.yaml": HEAD + block(1), "b.yaml": HEAD.replace("basket", "home") + block(2)}
    new = {**texts, "b.yaml": HEAD.replace("basket", "home") + block(1)}
    with pytest.raises(FileError, match=r"stands in a\.yaml, line 4, already"):
        read(texts, new, (), whole=False)


def test_equal_blocks_of_another_model_are_no_match() -> None:
    old = {"a.yaml": HEAD + block(1)}
    new = {"a.yaml": HEAD.replace("basket", "home") + block(1)}
    content = read(old, new, (), whole=False)
    assert report(content, ()) == report(read(old, new, (), whole=True), ())
    assert report(content, ())[1:2] == (0,)


@pytest.mark.parametrize("dash", ["  -\n    id: x\n    target_type: all\n", "  -   id: x\n"])
def test_blocks_are_counted_in_any_spelling_of_a_list(dash: str) -> None:
    dash += "" if "target_type" in dash else "      target_type: all\n"
    texts = {"a.yaml": HEAD + block(1) + dash + block(2)}
    assert read(texts, texts, (), whole=False)[0].size == 3


@pytest.mark.parametrize(
    "identity",
    ["/p/1/", '"/p/1/"', "'/p/1/'", "/p/1/ # camel", '"\\u002fp/1/"', "|-\n      /p/1/", "?"],
)
def test_a_title_is_found_in_an_equal_block_however_its_target_is_spelled(identity: str) -> None:
    target = f"    target_type: item\n    target_identity: {identity}\n    {ITEM}\n"
    if identity == "?":
        target = target.replace("target_identity: ?", '"target\\x5fidentity": /p/1/')
    titled = block(1).replace("    target_type: all\n", target)
    old = HEAD + titled + block(2, PINS.format(1, "/p/1/"))
    new = HEAD + titled + block(2, PINS.format(2, "/p/1/"))
    content = quick(old, new)
    assert [len(blocks.blocks) for blocks in content.equal] == [1]
    (item,) = content.find_targeting({"/p/1/"}, ())
    assert b"\xc5\xa4ava" in item.text
    assert content.find_targeting({"/p/2/"}, ()) == []


def test_a_fault_in_an_equal_block_is_passed_over() -> None:
    broken = HEAD + block(1, "tags: [")
    assert quick(broken + block(2), broken + block(2, "tags: [a]")).size == 2
    with pytest.raises(FileError, match=r"a\.yaml:7:1"):
        quick(HEAD + block(1), broken)
