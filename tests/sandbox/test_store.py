"""What the sandbox holds: changes in the UI, several writers, and a file that outlives it."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from pinsync.errors import FileError
from pinsync.sandbox.store import Conflict, Store, Unknown

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, Any]

ITEM: Row = {"model": "basket", "target_type": "item", "target_identity": "/p/1/", "tags": ["x"]}
STAMP = "2026-11-21T17:55:00Z"


def store(*rows: Row, file: Path | None = None) -> Store:
    clock = datetime(2026, 11, 21, 17, 55, tzinfo=UTC)
    return Store(rows, file=file, clock=lambda: clock, random=Random(1))


def test_create_gives_an_id_and_stamps() -> None:
    created = store().create({**ITEM, "id": "mine", "created_at": "2000-01-01T00:00:00Z"})
    assert created == {"id": created["id"], **ITEM, "created_at": STAMP, "updated_at": STAMP}
    assert created["id"] != "mine"


def test_replace_keeps_the_id_and_when_it_was_created() -> None:
    held = store({"id": "1", **ITEM, "created_at": "2000-01-01T00:00:00Z", "note": "gone"})
    assert held.replace("1", {**ITEM, "id": "2", "tags": []}) == held.get("1")
    expected = {
        "id": "1",
        **ITEM,
        "tags": [],
        "created_at": "2000-01-01T00:00:00Z",
        "updated_at": STAMP,
    }
    assert held.list_rows() == [expected]


def test_what_is_not_there_is_unknown() -> None:
    held = store({"id": "1", **ITEM})
    held.delete("1")
    with pytest.raises(Unknown):
        held.get("1")
    with pytest.raises(Unknown):
        held.delete("1")
    with pytest.raises(Unknown):
        held.replace("1", ITEM)


def test_rows_are_kept_apart_from_those_given() -> None:
    mine: Row = {"id": "1", **ITEM, "tags": ["x"]}
    held = store(mine)
    held.create(mine)
    mine["tags"].append("later")
    assert [row["tags"] for row in held.list_rows()] == [["x"], ["x"]]


def test_rows_may_lack_an_id_but_not_share_one() -> None:
    assert len({row["id"] for row in store(ITEM, ITEM).list_rows()}) == 2
    with pytest.raises(ValueError, match="two customizations with the id '1'"):
        store({"id": "1", **ITEM}, {"id": "1", **ITEM})


def test_a_conflict_names_the_row_and_the_target_is_spelt_in_any_way() -> None:
    criteria = {"model": "m", "target_type": "criteria", "target_criteria": {"a": 1, "b": 2}}
    held = store({"id": "1", **criteria, "target_identity": None})
    other = {**criteria, "target_criteria": {"b": 2, "a": 1}}
    with pytest.raises(Conflict) as caught:
        held.create_all([ITEM, other], "raise")
    assert (caught.value.index, caught.value.identifier) == (1, "1")
    assert len(held.list_rows()) == 1


def test_rows_of_one_bulk_conflict_with_one_another() -> None:
    held = store()
    held.create_all([ITEM, {**ITEM, "tags": ["second"]}], "override")
    assert [row["tags"] for row in held.list_rows()] == [["second"]]


def test_rows_before_a_conflict_may_be_stored() -> None:
    held = store({"id": "1", **ITEM})
    rows = [{**ITEM, "model": "a"}, ITEM, {**ITEM, "model": "b"}]
    with pytest.raises(Conflict):
        held.create_all(rows, "raise", is_atomic=False)
    assert [row["model"] for row in held.list_rows()] == ["basket", "a"]


def test_the_first_customization_of_a_target_keeps_its_turn() -> None:
    held = store({"id": "1", **ITEM}, {"id": "2", **ITEM})
    held.replace("1", ITEM, is_unique=True)
    with pytest.raises(Conflict) as caught:
        held.create(ITEM, is_unique=True)
    assert caught.value.identifier == "1"


def test_a_seed_gives_no_id_twice(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    first = store(file=file).create(ITEM)
    again = store(file=file)
    second = again.create(ITEM)
    again.delete(second["id"])
    third = again.create(ITEM)
    assert len({row["id"] for row in (first, second, third)}) == 3
    assert [row["id"] for row in again.list_rows()] == [first["id"], third["id"]]


waits = st.floats(0, 4)


@given(st.lists(st.tuples(waits, st.integers(0, 3), st.booleans()), max_size=12), waits)
def test_an_earlier_state_is_what_was_there(
    changes: list[tuple[float, int, bool]], age: float
) -> None:
    now = datetime(2026, 11, 21, 17, 55, tzinfo=UTC)
    held = Store([ITEM], file=None, clock=lambda: now, random=Random(1), memory=4)
    history = [(now - timedelta(days=1), held.list_rows())]
    for wait, index, is_removal in changes:
        now += timedelta(seconds=wait)
        rows = held.list_rows()
        if is_removal and index < len(rows):
            held.delete(rows[index]["id"])
        else:
            held.create(ITEM)
        history.append((now, held.list_rows()))
        moment = now - timedelta(seconds=age)
        expected = [rows for changed_at, rows in history if changed_at <= moment][-1]
        assert held.list_rows(age) == expected
        for row in expected:
            assert held.get(row["id"], age) == row


def test_state_outlives_the_store_and_is_an_export(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    held = store({"id": "1", **ITEM}, {"id": "2", **ITEM}, file=file)
    assert json.loads(file.read_bytes()) == {"results": [{"id": "1", **ITEM}, {"id": "2", **ITEM}]}
    held.create({**ITEM, "model": "čaj \ud800"})
    held.delete("1")
    assert store(ITEM, file=file).list_rows() == held.list_rows()
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"results": {}}',
        '{"results": [1]}',
        "\x00",
        "[" * 100_000,
        '{"results": [{"id":1},{"id":1}]}',
    ],
)
def test_a_state_that_is_no_export_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    file = tmp_path / "state.json"
    file.write_text(content)
    with pytest.raises(FileError, match=r"state\.json"):
        store(file=file)
    assert file.read_text() == content


def test_a_state_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="can't be read"):
        store(file=tmp_path)


def test_a_state_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="can't be written"):
        store(file=tmp_path / "missing" / "state.json")
    folder = tmp_path / "folder"
    folder.mkdir()
    held = store({"id": "1", **ITEM}, file=folder / "state.json")
    (folder / "state.json").unlink()
    folder.rmdir()
    with pytest.raises(FileError, match="can't be written"):
        held.delete("1")
    assert [row["id"] for row in held.list_rows()] == ["1"]


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    held = store(file=tmp_path / "state.json")
    threads = [threading.Thread(target=held.create, args=(ITEM,)) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held.list_rows()) == 32
    assert len(json.loads((tmp_path / "state.json").read_bytes())["results"]) == 32


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "shop.json"
    store(file=file).create(ITEM)
    file.chmod(0o600)
    store(file=file).create({**ITEM, "target_identity": "/p/2/"})
    assert file.stat().st_mode & 0o777 == 0o600
