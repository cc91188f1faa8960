from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from pinsync.errors import FileError, SafetyError
from pinsync.workspace import store as store_module
from pinsync.workspace.store import Store, find_user_state

if TYPE_CHECKING:
    from collections.abc import Iterator

DIRECTORY = PurePosixPath("customizations")
BASKET = DIRECTORY / "basket.yaml"
HOME = DIRECTORY / "home.yaml"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "work").mkdir()
    return Store(tmp_path / "work", DIRECTORY, tmp_path / "state")


def write(store: Store, changes: dict[PurePosixPath, bytes | None], **staged: bytes) -> None:
    with store.lock():
        store.write(
            changes,
            dict(store.read_documents(None)) | dict(store.read_documents("shop")),
            {DIRECTORY / f"{name}.yaml": text for name, text in staged.items()},
        )


def put(store: Store, path: PurePosixPath, text: bytes = b"x\n") -> Path:
    target = store.root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text)
    return target


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_documents_come_sorted_and_other_files_are_left_out(store: Store) -> None:
    for name in (
        "b.yaml",
        "a.yaml",
        "README.md",
        ".hidden.yaml",
        "c.yml",
        ".a.yaml.1.tmp",
        "shop/z.yaml",
    ):
        put(store, DIRECTORY / name, name.encode())
    assert list(store.read_documents(None)) == [
        (DIRECTORY / "a.yaml", b"a.yaml"),
        (DIRECTORY / "b.yaml", b"b.yaml"),
    ]
    assert list(store.read_documents("shop")) == [(DIRECTORY / "shop/z.yaml", b"shop/z.yaml")]


def test_a_missing_folder_has_no_documents(store: Store) -> None:
    assert list(store.read_documents(None)) == []
    assert list(store.read_documents("shop")) == []
    assert store.read(BASKET) is None


def test_a_file_where_the_folder_should_be_is_an_error(store: Store) -> None:
    (store.root / DIRECTORY).write_text("")
    with pytest.raises(FileError, match=r"^customizations: is a link or a file, expected a folder"):
        list(store.read_documents(None))


def test_a_linked_directory_is_not_read(store: Store, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "basket.yaml").write_text("secret")
    (store.root / DIRECTORY).symlink_to(outside)
    for read in (
        lambda: list(store.read_documents(None)),
        lambda: store.read(BASKET),
        lambda: list(store.read_documents("shop")),
    ):
        with pytest.raises(FileError, match="link"):
            read()


def test_a_linked_tracker_folder_is_neither_read_nor_written(store: Store, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (store.root / DIRECTORY).mkdir()
    (store.root / DIRECTORY / "shop").symlink_to(tmp_path / "outside")
    with pytest.raises(FileError, match="link"):
        list(store.read_documents("shop"))
    with pytest.raises(FileError, match="link"):
        write(store, {DIRECTORY / "shop" / "basket.yaml": b"x"})
    assert files(tmp_path / "outside") == []


def test_a_link_is_neither_read_nor_replaced_nor_removed(store: Store, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (store.root / DIRECTORY).mkdir()
    link = store.root / BASKET
    link.symlink_to(tmp_path / "secret")
    with pytest.raises(FileError, match=r"^customizations/basket.yaml: is a link"):
        list(store.read_documents(None))
    for text in (b"x", None):
        with pytest.raises(FileError, match="link"):
            write(store, {BASKET: text})
    assert link.is_symlink()
    assert (tmp_path / "secret").read_text() == "secret"


def test_a_named_pipe_is_refused_rather_than_waited_for(store: Store) -> None:
    (store.root / DIRECTORY).mkdir()
    os.mkfifo(store.root / BASKET)
    with pytest.raises(FileError, match="expected a plain file"):
        list(store.read_documents(None))


def test_a_folder_named_like_a_document_is_refused(store: Store) -> None:
    (store.root / BASKET).mkdir(parents=True)
    with pytest.raises(FileError, match="expected a plain file"):
        list(store.read_documents(None))


def test_a_file_beyond_the_cap_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, BASKET, b"12345")
    monkeypatch.setattr(store_module, "MAX_FILE_BYTES", 4)
    with pytest.raises(FileError, match="has 5 bytes, expected at most 4"):
        list(store.read_documents(None))


@pytest.mark.parametrize(
    "path", ["basket.yaml", "customizations", "customizations/../x.yaml", "/etc/passwd", "../x"]
)
def test_nothing_outside_the_directory_is_written(store: Store, path: str) -> None:
    with pytest.raises(FileError, match="outside"):
        write(store, {PurePosixPath(path): b"x"})
    assert files(store.root) == []


def test_files_are_written_replaced_and_removed(store: Store) -> None:
    put(store, BASKET, b"old\n")
    put(store, DIRECTORY / "gone.yaml")
    new = DIRECTORY / "shop" / "new.yaml"
    write(
        store,
        {
            BASKET: b"new\r\n",
            DIRECTORY / "gone.yaml": None,
            new: b"n",
            DIRECTORY / "never.yaml": None,
        },
    )
    assert files(store.root) == ["customizations/basket.yaml", "customizations/shop/new.yaml"]
    assert store.read(BASKET) == b"new\r\n"


def test_the_mode_of_a_file_is_kept_and_a_new_one_follows_the_umask(store: Store) -> None:
    put(store, BASKET).chmod(0o640)
    before = os.umask(0o027)
    try:
        write(store, {BASKET: b"b", HOME: b"h"})
    finally:
        os.umask(before)
    assert stat.S_IMODE((store.root / BASKET).stat().st_mode) == 0o640
    assert stat.S_IMODE((store.root / HOME).stat().st_mode) == 0o640
    put(store, BASKET).chmod(0o444)
    write(store, {BASKET: b"c"})
    assert stat.S_IMODE((store.root / BASKET).stat().st_mode) == 0o444


NOBODY = 65534
"""The id of a user and of a group that every Linux has."""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_root_keeps_the_owner_of_a_file_that_is_rewritten(store: Store) -> None:
    os.chown(put(store, BASKET), NOBODY, NOBODY)
    write(store, {BASKET: b"b", HOME: b"h"})
    record = store.state / "written.json"
    os.chown(record, NOBODY, NOBODY)
    write(store, {BASKET: b"c"})
    with store.lock():
        store.reshape(BASKET, b"c", b"d")
    assert store.read(BASKET) == b"d"
    owners = [(place.stat().st_uid, place.stat().st_gid) for place in (store.root / BASKET, record)]
    assert owners == [(NOBODY, NOBODY)] * 2
    assert (store.root / HOME).stat().st_uid == 0


def test_the_owner_is_asked_for_where_it_differs_and_a_refusal_is_no_failure(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def refuse(_path: object, uid: int, gid: int) -> None:
        asked.append((uid, gid))
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)
    place = put(store, BASKET)
    place.chmod(0o600)
    write(store, {BASKET: b"b"})
    assert asked == []
    old = place.stat()
    others = os.stat_result((old.st_mode, 0, 0, 1, old.st_uid + 1, old.st_gid + 2, 0, 0, 0, 0))
    store_module.keep_owner_and_mode(place, others)
    assert asked == [(-1, old.st_gid + 2), (old.st_uid + 1, -1)]
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


@contextlib.contextmanager
def small_files_only() -> Iterator[None]:
    """For a moment only: the limit holds for the file that pytest's own output may go to as
    well.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_fails_before_the_first_rename_changes_nothing(store: Store) -> None:
    put(store, BASKET, b"old\n")
    too_large = pytest.raises(
        FileError, match=r"^customizations/home.yaml: can't be written: File too large"
    )
    with too_large, small_files_only():
        write(store, {BASKET: b"new\n", HOME: b"x" * 20_000, DIRECTORY / "new.yaml": b"n"})
    assert files(store.root) == ["customizations/basket.yaml"]
    assert store.read(BASKET) == b"old\n"


def test_a_full_disk_and_missing_permissions_have_their_remedies() -> None:
    full = store_module._build_error(
        OSError(errno.ENOSPC, "No space left on device"), BASKET, "written"
    )
    denied = store_module._build_error(
        PermissionError(errno.EACCES, "Permission denied"), BASKET, "written"
    )
    assert full.exit_code == denied.exit_code == 2
    assert "room" in str(full.hint)
    assert "permissions" in str(denied.hint)


def test_what_was_written_last_is_own_whatever_its_line_endings(store: Store) -> None:
    write(store, {BASKET: b"a\nb\n"})
    assert store.read_record().has(BASKET, b"a\nb\n")
    assert store.read_record().has(BASKET, b"a\r\nb\r\n")
    assert not store.read_record().has(BASKET, b"a\nb\nmine\n")
    assert not store.read_record().has(HOME, b"a\nb\n")
    write(store, {BASKET: b"second\n"})
    assert store.read_record().has(BASKET, b"second\n")
    assert not store.read_record().has(BASKET, b"a\nb\n")
    write(store, {BASKET: None})
    assert not store.read_record().has(BASKET, b"second\n")


def test_what_was_staged_of_its_own_stays_own_while_it_is_staged(store: Store) -> None:
    write(store, {BASKET: b"first\n"})
    write(store, {BASKET: b"second\n"}, basket=b"first\r\n", home=b"whatever\n")
    assert store.read_record().has(BASKET, b"first\n")
    write(store, {BASKET: b"third\n"}, basket=b"a person's\n")
    assert not store.read_record().has(BASKET, b"a person's\n")
    assert not store.read_record().has(BASKET, b"first\n")


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b'{"files": 1}', b'{"files": {"customizations/basket.yaml": 7}}', b"\xff"],
)
def test_a_damaged_memory_knows_nothing_and_is_replaced(store: Store, text: bytes) -> None:
    write(store, {BASKET: b"a\n"})
    (store.state / "written.json").write_bytes(text)
    assert not store.read_record().has(BASKET, b"a\n")
    write(store, {HOME: b"h\n"})
    assert store.read_record().has(HOME, b"h\n")


def test_the_memory_holds_hashes_and_no_content(store: Store) -> None:
    write(store, {BASKET: b"title: private\n"})
    memory = (store.state / "written.json").read_text()
    assert list(json.loads(memory)["files"]) == ["customizations/basket.yaml"]
    assert "private" not in memory


HOLDER = """
import sys
from pathlib import Path, PurePosixPath
from pinsync.workspace.store import Store
with Store(Path(sys.argv[1]), PurePosixPath("customizations"), Path(sys.argv[2])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_writer_is_told_who_holds_the_lock_and_where(store: Store) -> None:
    command = [sys.executable, "-c", HOLDER, str(store.root), str(store.state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(
                SafetyError, match=rf"process {holder.pid}, is writing .*{store.state / 'lock'}"
            ),
            store.lock(),
        ):
            pass
    with store.lock():
        pass


def test_a_state_folder_that_cannot_be_made_is_a_clear_error(store: Store) -> None:
    store.state.write_text("")
    with pytest.raises(FileError, match="can't be locked"), store.lock():
        pass


KILLED = """
import os, signal, sys
from pathlib import Path, PurePosixPath
from pinsync.workspace.store import Store
root, state, fatal = sys.argv[1:]
count = 0
def watch(event, arguments):
    global count
    if event in ("os.rename", "os.remove"):
        count += 1
        if count == int(fatal):
            os.kill(os.getpid(), signal.SIGKILL)
d = PurePosixPath("customizations")
store = Store(Path(root), d, Path(state))
with store.lock():
    sys.addaudithook(watch)
    before = dict(store.read_documents(None))
    changes = {d / "basket.yaml": b"new basket\\n", d / "home.yaml": b"new home\\n", d / "gone.yaml": None}
    store.write(changes, before, {})
"""
OLD = {"basket.yaml": b"old basket\n", "home.yaml": b"old home\n", "gone.yaml": b"old gone\n"}
NEW = {"basket.yaml": b"new basket\n", "home.yaml": b"new home\n"}


def documents(store: Store) -> dict[str, bytes]:
    return {path.name: text for path, text in store.read_documents(None)}


def test_killed_at_any_rename_every_file_is_whole_and_the_next_run_completes(store: Store) -> None:
    outcomes = []
    for fatal in range(1, 100):
        write(store, {DIRECTORY / name: text for name, text in OLD.items()})
        command = [sys.executable, "-c", KILLED, str(store.root), str(store.state), str(fatal)]
        ended = subprocess.run(command, check=False).returncode
        left = documents(store)
        for name, text in left.items():
            assert text in {OLD[name], NEW.get(name)}
            assert store.read_record().has(DIRECTORY / name, text)
        outcomes.append(sum(left.get(name) == text for name, text in NEW.items()))
        write(store, {DIRECTORY / name: NEW.get(name) for name in OLD})
        assert documents(store) == NEW
        assert files(store.root / DIRECTORY) == sorted(NEW)
        assert files(store.state) == ["lock", "writer", "written.json"]
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
    assert ended == 0
    assert set(outcomes) == {0, 1, 2}


def test_the_lock_clears_only_temporary_files_of_its_own(store: Store) -> None:
    kept = ["basket.yaml", ".notes.tmp", "basket.yaml.1.tmp", ".basket.yaml.swp"]
    for name in (*kept, ".basket.yaml.99.tmp", "shop/.home.yaml.7.tmp"):
        put(store, DIRECTORY / name)
    with store.lock():
        assert files(store.root / DIRECTORY) == sorted(kept)


def test_the_state_outside_git_is_one_folder_for_each_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    one, other = find_user_state(tmp_path / "one"), find_user_state(tmp_path / "other")
    assert one != other
    assert one == find_user_state(tmp_path / "x" / ".." / "one")
    assert one.is_relative_to(tmp_path / "state" / "pinsync") or sys.platform != "linux"
