"""The record of agreement: how its entries move, how rules find theirs, and its files."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from pinsync.agreement.files import EntryReader, name_file, parse_header, render_record
from pinsync.agreement.record import (
    Begun,
    BegunOperation,
    Entry,
    EntryIndex,
    Record,
    Version,
    Write,
    acknowledge_writes,
    add_proposals,
    move_entries,
)
from pinsync.canonical import normalize
from pinsync.drift.pairs import Pair
from pinsync.errors import FileError
from support.histories import rule

if TYPE_CHECKING:
    from pinsync.model import Customization

TRACKER = "1234-5678"
HEADER = PurePosixPath("record.json")
MAY, JUNE = "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"


def build(
    number: int, *pins: str, named: bool = True, at: str | None = None, target: int = 0
) -> Customization:
    row = rule(number, *pins, target_identity=f"/p/{target or number}/")
    if not named:
        del row["id"]
    item = normalize.build_customization(row, model="basket")
    return item._replace(updated_at=at)


T, S = build(1, "/p/1/", at=MAY), build(1, "/p/2/", at=JUNE)
OTHER = build(2)
KEY, OTHER_KEY = str(T.id), str(OTHER.id)


def start(*rules: Customization) -> Record:
    return move_entries(None, TRACKER, "c1", rules, rules)


def test_a_record_begins_with_what_agrees() -> None:
    record = move_entries(None, TRACKER, "c1", [T, build(3)], [T, OTHER])
    assert record == Record(TRACKER, "c1", "c1", None, {KEY: Entry(KEY, KEY, Version(T, "c1"))})


def test_the_entries_of_rules_that_agree_move_and_lose_their_proposals() -> None:
    record = add_proposals(start(T, OTHER), [Pair(T, S)], "c1")
    assert record.entries[KEY].proposals == (Version(S, "c1"),)
    moved = move_entries(record, TRACKER, "c2", [T, OTHER], [S, OTHER])
    assert moved.entries[KEY] == record.entries[KEY]
    assert moved.entries[OTHER_KEY].base == Version(OTHER, "c2")
    assert (moved.source, moved.applied) == ("c2", "c1")
    moved = move_entries(moved, TRACKER, "c3", [S._replace(updated_at=None), OTHER], [S, OTHER])
    assert moved.entries[KEY] == Entry(KEY, KEY, Version(S, "c3"))


def test_a_rule_that_neither_side_has_is_an_agreement() -> None:
    record = move_entries(start(T, OTHER), TRACKER, "c2", [OTHER], [OTHER])
    removed = record.entries[KEY]
    assert removed == Entry(KEY, None, Version(T, "c2", is_removed=True))
    assert removed.base
    assert removed.base.rule is None
    back = move_entries(record, TRACKER, "c3", [T, OTHER], [T, OTHER])
    assert back.entries[KEY] == Entry(KEY, KEY, Version(T, "c3"))


def test_a_rule_that_one_side_lacks_is_none() -> None:
    record = start(T)
    for git, live in (([T], []), ([], [T]), ([build(1, "/p/1/", named=False)], [])):
        assert move_entries(record, TRACKER, "c2", git, live).entries == record.entries


def test_an_import_moves_the_entry_to_the_new_id() -> None:
    again = build(9, "/p/1/", target=1)
    record = move_entries(start(T), TRACKER, "c2", [T], [again])
    assert record.entries == {str(again.id): Entry(str(again.id), KEY, Version(again, "c2"))}


def test_a_block_without_an_id_belongs_to_the_rule_of_its_text_or_target() -> None:
    unnamed = build(1, "/p/1/", named=False)
    record = move_entries(None, TRACKER, "c1", [unnamed], [T])
    entry = record.entries[KEY]
    assert entry == Entry(KEY, None, Version(T, "c1"))
    index = EntryIndex(record.entries.values())
    assert index.find(unnamed, None) == entry
    assert index.find(build(1, "/p/7/", named=False), None) == entry
    assert index.find(build(3, named=False), None) is None
    # A block whose id the shop lacks, and a rule of the shop under another id.
    assert index.find(build(7, "/p/1/", target=1), None) == entry
    assert index.find(None, build(7, "/p/1/", target=1)) is None


def test_an_ambiguous_target_belongs_to_no_entry() -> None:
    twins = start(build(1, "/p/1/"), build(2, "/p/2/", target=1))
    index = EntryIndex(twins.entries.values())
    assert index.find(build(1, "/p/7/", named=False), None) is None
    found = index.find(build(1, "/p/2/", named=False), None)
    assert found
    assert found.shop_id == OTHER_KEY
    # Of a present and a removed rule, the present one.
    left = move_entries(twins, TRACKER, "c2", [build(1, "/p/1/")], [build(1, "/p/1/")])
    found = EntryIndex(left.entries.values()).find(build(1, "/p/7/", named=False), None)
    assert found
    assert found.shop_id == KEY


def test_a_rule_that_the_shop_makes_anew_belongs_to_a_removed_one() -> None:
    record = move_entries(start(T), TRACKER, "c2", [], [])
    index = EntryIndex(record.entries.values())
    assert index.find(None, build(7, "/p/5/", target=1)) == record.entries[KEY]


def test_the_shops_id_of_one_rule_may_be_gits_of_another() -> None:
    one = Entry("a", "b", Version(T, "c1"))
    two = Entry("b", "c", Version(OTHER, "c1"))
    for entries in ([one, two], [two, one]):
        assert EntryIndex(entries).find(T._replace(id="b"), None) == two


def test_proposals() -> None:
    record = start(T)
    record = add_proposals(record, [Pair(T, S), Pair(OTHER, None)], "c2")
    assert record.entries[KEY].proposals == (Version(S, "c2"),)
    assert record.entries[OTHER_KEY] == Entry(
        OTHER_KEY, OTHER_KEY, None, (Version(OTHER, "c2", is_removed=True),)
    )
    # The same again says nothing new; a rule without an id and one that agrees have none.
    same = [Pair(T, S), Pair(OTHER, None), Pair(build(3, named=False), None), Pair(T, T)]
    assert add_proposals(record, same, "c3") == record
    # The same text, saved once more.
    later = S._replace(updated_at="2026-07-01T00:00:00Z")
    record = add_proposals(record, [Pair(T, later)], "c3")
    assert record.entries[KEY].proposals == (Version(S, "c2"), Version(later, "c3"))


# Writes that were acknowledged.


def acknowledge(record: Record, commit: str, writes: list[Write], newer: str = "") -> Record:
    """Return the record after writes; ``newer`` is the commit that is newer than the applied one."""
    return acknowledge_writes(record, commit, writes, lambda other: other == newer)


def test_an_agreement_at_a_newer_commit_stays() -> None:
    record = start(T, OTHER)
    assert acknowledge(record, "c2", [Write(KEY, T, S)], newer="c1") == record
    assert acknowledge(record, "c2", [Write(KEY, T, S)], newer="c3") != record


def test_a_create_keeps_the_entry_of_the_written_rule_that_left_its_target() -> None:
    moved, new = build(1, "/p/1/", target=9), build(3, "/p/3/", target=1, named=False)
    record = acknowledge(start(T, OTHER), "c2", [Write(KEY, T, moved), Write("new", None, new)])
    assert record.entries[KEY].base == Version(moved._replace(updated_at=None), "c2")
    assert record.entries["new"].base == Version(new, "c2")
    # The other way round too: the create stands before the update.
    swapped = acknowledge(start(T, OTHER), "c2", [Write("new", None, new), Write(KEY, T, moved)])
    assert swapped.entries == record.entries


def test_an_acknowledged_update_moves_its_own_entry() -> None:
    record = add_proposals(start(T, OTHER), [Pair(T, build(1, "/p/9/")), Pair(OTHER, None)], "c1")
    moved = acknowledge(record, "c2", [Write(KEY, T, S)])
    # Without the date, which only an answer of the shop has.
    undated = S._replace(updated_at=None)
    assert moved.entries[KEY] == Entry(KEY, KEY, Version(undated, "c2"))
    assert moved.entries[OTHER_KEY] == record.entries[OTHER_KEY]
    assert (moved.source, moved.applied) == ("c1", "c1")
    moved = acknowledge(record, "c2", [Write(KEY, T, S._replace(updated_at=None), S)])
    assert moved.entries[KEY] == Entry(KEY, KEY, Version(S, "c2"))


def test_an_acknowledged_create_has_the_id_of_the_shop() -> None:
    new = build(7, "/p/1/", named=False)
    moved = acknowledge(start(T), "c2", [Write("shop-7", None, new)])
    assert moved.entries["shop-7"] == Entry("shop-7", None, Version(new, "c2"))
    assert set(moved.entries) == {KEY, "shop-7"}


def test_a_rule_that_was_created_anew_replaces_its_entry() -> None:
    moved = acknowledge(start(T), "c2", [Write("new", None, T)])
    undated = T._replace(updated_at=None)
    assert moved.entries == {"new": Entry("new", KEY, Version(undated, "c2"))}


def test_an_acknowledged_delete_keeps_the_last_text() -> None:
    moved = acknowledge(start(T), "c2", [Write(KEY, T, None)])
    undated = T._replace(updated_at=None)
    assert moved.entries == {KEY: Entry(KEY, None, Version(undated, "c2", is_removed=True))}
    with pytest.raises(ValueError, match="without a rule"):
        acknowledge(start(T), "c2", [Write(KEY, None, None)])


def test_rules_that_exchange_their_texts_keep_an_entry_each() -> None:
    one, two = build(1, "/p/1/"), build(2, "/p/2/")
    moved = acknowledge(start(one, two), "c2", [Write(KEY, one, two), Write(OTHER_KEY, two, one)])
    assert {id_: entry.git_id for id_, entry in moved.entries.items()} == {
        KEY: OTHER_KEY,
        OTHER_KEY: KEY,
    }


def test_no_write_moves_nothing() -> None:
    assert acknowledge(start(T), "c2", []) == start(T)


# The open plan.


UPDATE = BegunOperation("update", KEY, "basket", ("item", "/p/1/", None))
DELETE = BegunOperation("delete", OTHER_KEY, "basket", ("item", "/p/2/", None))
CREATE = BegunOperation("create", None, "basket", ("item", "/p/3/", None))


def end(
    git: list[Customization], live: list[Customization], *operations: BegunOperation
) -> tuple[BegunOperation, ...]:
    """Return the operations that a comparison leaves in the open plan."""
    record = replace(start(T, OTHER), begun=Begun(MAY, "here", operations))
    moved = move_entries(record, TRACKER, "c2", git, live)
    return moved.begun.operations if moved.begun else ()


def test_an_open_plan_loses_the_rules_that_agree_again() -> None:
    plan = (UPDATE, DELETE, CREATE)
    new = build(3, named=False)
    assert end([S, new], [T, OTHER], *plan) == plan
    assert end([S, new], [S, OTHER], *plan) == (DELETE, CREATE)
    assert end([S, new], [T], *plan) == (UPDATE, CREATE)
    assert end([S, new], [T, OTHER, build(3)], *plan) == (UPDATE, DELETE)
    assert end([S, new], [T, OTHER, build(3, "/p/9/")], *plan) == plan
    assert end([T, OTHER], [T, OTHER], *plan) == ()


def test_a_create_that_neither_side_has_is_no_longer_in_doubt() -> None:
    assert end([S], [T, OTHER], UPDATE, CREATE) == (UPDATE,)
    # The target in another model is another rule.
    other = replace(CREATE, model="cart")
    assert end([S, build(3, named=False)], [T], other) == ()


# The files.


def read(files: dict[PurePosixPath, bytes]) -> Record:
    header = parse_header(files[HEADER], "record", TRACKER)
    reader = EntryReader(header, (), {})
    entries: dict[str, Entry] = {}
    for path, content in files.items():
        if path != HEADER:
            for entry in reader.read(content, str(path)):
                assert path.name == name_file(entry.shop_id)
                entries[entry.shop_id] = entry
    return Record(header.tracker_id, header.source, header.applied, header.begun, entries)


def test_what_is_written_is_read_again() -> None:
    record = add_proposals(start(T, OTHER, *map(build, range(3, 400))), [Pair(T, S)], "c0")
    record = move_entries(record, TRACKER, "c2", [T, OTHER], [S, OTHER])
    operation = BegunOperation("create", None, "basket", ("item", "/p/1/", None))
    record = replace(record, begun=Begun(MAY, "here", (operation,)))
    files = render_record(record)
    assert read(files) == record
    assert render_record(read(files)) == files
    assert len(files) > 100


def test_the_files_are_plain() -> None:
    files = render_record(add_proposals(start(T), [Pair(T, None)], "c0"))
    assert files.pop(HEADER) == (
        b'{\n  "format": 1,\n  "tracker_id": "1234-5678",\n  "source": "c1",\n  "applied": "c1"\n}\n'
    )
    ((path, content),) = files.items()
    assert path.parent == PurePosixPath("rules")
    text = {"model": "basket", "text": T.text.decode(), "updated_at": MAY}
    proposal = {**text, "removed": True, "commit": "c0"}
    expected = {"id": KEY, "git_id": KEY, "base": text, "proposals": [proposal]}
    assert json.loads(content) == expected
    assert content.endswith(b"}\n")


def test_a_change_of_one_rule_is_one_line() -> None:
    record = start(T, OTHER, *map(build, range(3, 1000)))
    rules = [T, OTHER, *map(build, range(3, 1000))]
    rules[7] = build(8, "/p/9/")
    before = render_record(record)
    after = render_record(move_entries(record, TRACKER, "c2", rules, rules))
    changed = [path for path in after if before[path] != after[path]]
    assert changed == [HEADER, PurePosixPath("rules", name_file(str(rules[7].id)))]


def test_ignored_fields_are_no_text() -> None:
    row = rule(1, "/p/1/") | {"note": 1}
    item = normalize.build_customization(row, model="basket")
    files = render_record(start(item))
    reader = EntryReader(parse_header(files[HEADER], "", TRACKER), (("note",),), {})
    (content,) = [text for path, text in files.items() if path != HEADER]
    (entry,) = reader.read(content, "")
    assert entry.base == Version(T._replace(updated_at=None), "c1")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "damaged"),
        (b"[]", "damaged"),
        (b'{"format": 1}', "damaged"),
        (b'{"format": "1"}', "damaged"),
        (b'{"format": 2, "new": true}', "made by a newer pinsync"),
        (
            b'{"format": 1, "tracker_id": "9", "source": "a", "applied": "a"}',
            "it is about another tracker",
        ),
    ],
)
def test_a_header_that_can_not_be_used(content: bytes, named: str) -> None:
    with pytest.raises(FileError, match=named):
        parse_header(content, "record", TRACKER)


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"id": "a"}',
        '{"id": "a", "base": {"model": "basket", "text": ""}}',
        '{"id": "a", "base": {"model": "basket", "text": "x"}}',
        '{"id": "a", "base": {"model": "basket", "text": "  - id: a\\n  - id: b\\n"}}',
    ],
)
def test_an_entry_that_can_not_be_read(line: str) -> None:
    files = render_record(start(T))
    reader = EntryReader(parse_header(files[HEADER], "", TRACKER), (), {})
    with pytest.raises(FileError, match=r"rules/00\.jsonl: the record of agreement is damaged"):
        list(reader.read(line.encode(), "rules/00.jsonl"))
