"""The documents on disk: read unchanged, written whole or not at all, by one writer at a time."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import stat
import sys
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pinsync import layout
from pinsync.errors import FileError, SafetyError
from pinsync.escape import one_line
from pinsync.layout import is_document
from pinsync.model import MAX_FILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path, PurePosixPath

_REMOVED: Final = "removed"
_LEFTOVER: Final = r"\..+\.(?:yaml|json)\.[0-9]+\.tmp"
# O_BINARY exists only on Windows, the other two only elsewhere. Without O_NONBLOCK, opening a named
# pipe would hang.
_OPEN_FLAGS: Final = (
    getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)
# IO_REPARSE_TAG_MOUNT_POINT, which the stat module has only on Windows.
_JUNCTION: Final = 0xA0000003
_PERMISSIONS: Final = "check who owns the file and its folder, and their permissions"
_SPACE: Final = "make room on the disk, then run the command again"
_REMEDIES: Final = {
    errno.EACCES: _PERMISSIONS,
    errno.EPERM: _PERMISSIONS,
    errno.EROFS: "the file system is mounted read-only; work on a copy that can be written",
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
}


class WriteRecord(Struct, frozen=True):
    """The record of the files that pinsync itself wrote and removed last.

    Attributes:
        marks: path → the hashes of the written contents, or the mark of a removed file.
    """

    marks: Mapping[str, tuple[str, ...]]

    def has(self, path: PurePosixPath, content: bytes | None) -> bool:
        """Whether pinsync wrote the content, in any line ends, or removed the file (None)."""
        return _compute_mark(content) in self.marks.get(str(path), ())


@contextlib.contextmanager
def explain_interrupts() -> Iterator[None]:
    """Add to an interrupt the message that files may have been written."""
    try:
        yield
    except KeyboardInterrupt:
        # An interrupt without a message means that nothing was changed.
        message = "every file is whole; run the command again to complete the rest"
        raise KeyboardInterrupt(message) from None


def find_user_state(root: Path) -> Path:
    """Return the folder of the lock and the record for a ``root`` outside any git repository."""
    # Imported here because it takes 18 ms, and a repository never needs it.
    from platformdirs import user_state_path  # noqa: PLC0415

    name = _hash(os.fsencode(root.resolve()))
    return user_state_path("pinsync", appauthor=False) / name


class Store(Struct, frozen=True):
    """The documents below one directory.

    Nothing outside ``directory`` is read or written: symbolic links and ``..`` are errors.

    Attributes:
        root: the folder that all paths are relative to.
        directory: the folder of all documents, relative to ``root``.
        state: the folder of the lock and the record: ``pinsync`` in the git directory, or the
            folder of `find_user_state`.
    """

    root: Path
    directory: PurePosixPath
    state: Path

    def list_paths(self, tracker: str | None) -> list[PurePosixPath]:
        """Return the path of every document of a tracker, sorted by name.

        Args:
            tracker: the tracker's name, if there are several; None if the directory itself holds
                the documents.

        Raises:
            FileError: the folder can't be read, or is a link.
        """
        folder = layout.choose_folder(self.directory, tracker)
        self._check_folders(folder)
        with _translate_errors(folder, "read"):
            if not self._find_status(folder):
                return []
            names = sorted(place.name for place in (self.root / folder).iterdir())
        return [folder / name for name in names if is_document(name)]

    def read_documents(self, tracker: str | None) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield path and bytes of every document of a tracker, sorted by name.

        Args:
            tracker: as for `list_paths`.

        Raises:
            FileError: the folder or a file can't be read, is a link, or is no plain file.
        """
        for path in self.list_paths(tracker):
            yield path, self._read(path)

    def read(self, path: PurePosixPath) -> bytes | None:
        """Return the bytes of a file below the directory; None if there is no such file.

        Raises:
            FileError: the file can't be read, is no plain file, or lies outside the directory.
        """
        self._check(path)
        return self._read(path) if self._find_status(path) else None

    def has(self, path: PurePosixPath) -> bool:
        """Return whether there is a file, or anything else, at a path below the directory.

        Raises:
            FileError: a folder above it is a link, or can't be read.
        """
        self._check_folders(path.parent)
        return self._find_status(path) is not None

    def read_record(self) -> WriteRecord:
        """Return the record of the files that pinsync itself wrote and removed last."""
        return WriteRecord(self._read_marks())

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the writer's lock, after removing the temporary files of a killed writer.

        Raises:
            SafetyError: another process is writing.
            FileError: the state folder can't be written.
        """
        # Imported here because it takes 40 ms, and only a writer needs it.
        from filelock import FileLock, Timeout  # noqa: PLC0415

        place = self.state / "lock"
        try:
            self.state.mkdir(parents=True, exist_ok=True)
            held = FileLock(place, blocking=False).acquire()
        except Timeout as error:
            message = (
                f"{self._describe_writer()} is writing to {self.directory} now; it holds {place}"
            )
            hint = "wait until it is done, then run the command again"
            raise SafetyError(message, hint=hint) from error
        except OSError as error:
            raise _build_error(error, place, "locked") from error
        with held:
            with _translate_errors(self.state, "written"):
                (self.state / "writer").write_text(f"{os.getpid()}\n", encoding="ascii")
            self._clear_leftovers()
            yield

    def write(
        self,
        changes: Mapping[PurePosixPath, bytes | None],
        before: Mapping[PurePosixPath, bytes],
        staged: Mapping[PurePosixPath, bytes],
    ) -> None:
        """Write, replace and remove files. The caller holds the lock.

        Args:
            changes: path → new bytes, or None to remove the file.
            before: path → the bytes from which ``changes`` was computed; without missing files.
            staged: path → the staged, uncommitted bytes. If pinsync wrote them, the record keeps
                them.

        Raises:
            SafetyError: a file no longer holds its bytes of ``before``.
            FileError: a file can't be written, or a path leads outside the directory.
        """
        for path in changes:
            self._check_unchanged(path, before.get(path))
        texts = {path: text for path, text in sorted(changes.items()) if text is not None}
        old_marks = self._read_marks()
        new_marks: dict[str, tuple[str, ...]] = {
            str(path): (_compute_mark(text),) for path, text in changes.items()
        }
        # Recorded before the first rename, beside the old marks: after a kill at any moment, the
        # next run takes neither content for a person's work.
        both = {name: old_marks.get(name, ()) + marks for name, marks in new_marks.items()}
        record = WriteRecord(old_marks | both)
        self._write_marks(record.marks)
        self._replace(texts, changes.keys() - texts.keys(), before)
        for path, text in staged.items():
            if str(path) in new_marks and record.has(path, text):
                new_marks[str(path)] += (_compute_mark(text),)
        self._write_marks(old_marks | new_marks)

    def record_forms(self, changes: Iterable[tuple[PurePosixPath, bytes, bytes]]) -> None:
        """Record the new forms of the files that pinsync wrote; a person's work stays theirs.

        The caller holds the lock, and calls `reshape` for each file afterwards.

        Args:
            changes: path, old bytes and new bytes of each file.
        """
        marks = self._read_marks()
        record = WriteRecord(marks)
        forms = {
            str(path): marks[str(path)] + (_compute_mark(text),)
            for path, before, text in changes
            if record.has(path, before)
        }
        if forms:
            self._write_marks(marks | forms)

    def reshape(self, path: PurePosixPath, before: bytes, text: bytes) -> None:
        """Replace a file by the same content in another form. The caller holds the lock.

        Args:
            path: the file.
            before: the bytes from which ``text`` was computed.
            text: the new bytes.

        Raises:
            SafetyError: the file no longer holds ``before``.
            FileError: the file can't be written, or the path leads outside the directory.
        """
        self._replace({path: text}, (), {path: before})

    def _replace(
        self,
        texts: Mapping[PurePosixPath, bytes],
        removed: Collection[PurePosixPath],
        before: Mapping[PurePosixPath, bytes],
    ) -> None:
        # All new files are on disk before the first rename: an error until then (a full disk, a
        # read-only folder) changes nothing, and a kill at any moment leaves each file whole.
        with self._write_temporary_files(texts) as temporary:
            for path, new in temporary.items():
                self._check_unchanged(path, before.get(path))
                with _translate_errors(path, "written"):
                    new.replace(self.root / path)
        for path in sorted(removed):
            self._check_unchanged(path, before.get(path))
            with _translate_errors(path, "removed"):
                (self.root / path).unlink(missing_ok=True)
        for folder in {path.parent for path in (*texts, *removed)}:
            _sync_folder(self.root / folder)

    def _check_unchanged(self, path: PurePosixPath, before: bytes | None) -> None:
        """Refuse to replace a file that somebody changed since pinsync read it.

        Raises:
            SafetyError: the file doesn't hold ``before``.
        """
        if self.read(path) != before:
            name = one_line(str(path))
            message = f"{name} changed while pinsync was at work, and was left as it is"
            hint = "run the command again, which starts from the file as it is now"
            raise SafetyError(message, hint=hint)

    @contextlib.contextmanager
    def _write_temporary_files(
        self, texts: Mapping[PurePosixPath, bytes]
    ) -> Iterator[dict[PurePosixPath, Path]]:
        temporary: dict[PurePosixPath, Path] = {}
        try:
            for path, text in texts.items():
                with _translate_errors(path, "written"):
                    target = self.root / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    old = self._find_status(path)
                    temporary[path] = _choose_temporary_path(target)
                    _write_new(temporary[path], text, old)
            yield temporary
        finally:
            for new in temporary.values():
                with contextlib.suppress(OSError):
                    new.unlink(missing_ok=True)

    def _check(self, path: PurePosixPath) -> None:
        if self.directory not in path.parents:
            reason = f"lies outside {self.directory}, the only place for documents"
            raise FileError(reason, source=str(path))
        self._check_folders(path.parent)
        status = self._find_status(path)
        if status is not None:
            _check_plain(path, status)

    def _check_folders(self, folder: PurePosixPath) -> None:
        if ".." in folder.parts or folder.is_absolute():
            raise FileError("leads outside the folder of the configuration", source=str(folder))
        for place in (*reversed(folder.parents), folder):
            status = self._find_status(place)
            if status is None:
                return
            if place.parts and (_is_link(status) or not stat.S_ISDIR(status.st_mode)):
                raise FileError(
                    "is a link or a file, expected a folder",
                    source=str(place),
                    hint="put the folder itself here: pinsync follows no links",
                )

    def _find_status(self, path: PurePosixPath) -> os.stat_result | None:
        with _translate_errors(path, "read"):
            try:
                return (self.root / path).lstat()
            except FileNotFoundError:
                return None

    def _read(self, path: PurePosixPath) -> bytes:
        with _translate_errors(path, "read"):
            _check_plain(path, (self.root / path).lstat())
            descriptor = os.open(self.root / path, os.O_RDONLY | _OPEN_FLAGS)
            with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor
                # Again, because another process may have replaced the file in between.
                _check_plain(path, os.fstat(file.fileno()))
                return file.read()

    def _read_marks(self) -> dict[str, tuple[str, ...]]:
        place = self.state / "written.json"
        try:
            text = place.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise _build_error(error, place, "read") from error
        try:
            files = json.loads(text)["files"]
            return {str(name): tuple(map(str, marks)) for name, marks in files.items()}
        except (KeyError, TypeError, AttributeError, ValueError):
            # The safe side: every file counts as a person's work.
            return {}

    def _write_marks(self, files: Mapping[str, tuple[str, ...]]) -> None:
        place = self.state / "written.json"
        marks_by_name = {}
        for name, marks in files.items():
            # A removed file that exists again was restored by a person or by git.
            if set(marks) != {_REMOVED} or not (self.root / name).exists():
                marks_by_name[name] = sorted(set(marks))
        record = {"version": 1, "files": marks_by_name}
        text = json.dumps(record, indent=1, sort_keys=True).encode()
        with _translate_errors(place, "written"):
            self.state.mkdir(parents=True, exist_ok=True)
            new = _choose_temporary_path(place)
            try:
                _write_new(new, text, place.stat() if place.exists() else None)
                new.replace(place)
            finally:
                new.unlink(missing_ok=True)
            _sync_folder(self.state)

    def _describe_writer(self) -> str:
        try:
            process = int((self.state / "writer").read_bytes()[:20])
        except (OSError, ValueError):
            return "another pinsync"
        return f"another pinsync, process {process},"

    def _clear_leftovers(self) -> None:
        self._check_folders(self.directory)
        with _translate_errors(self.directory, "read"):
            places: list[Path] = []
            if self._find_status(self.directory):
                places += (self.root / self.directory).iterdir()
            for folder in tuple(places):
                if not folder.is_dir() or _is_link(folder.lstat()):
                    continue
                # A command that needs this folder reports the error.
                with contextlib.suppress(PermissionError):
                    places += folder.iterdir()
            for place in (*places, *self.state.iterdir()):
                if re.fullmatch(_LEFTOVER, place.name):
                    place.unlink()


def _is_link(status: os.stat_result) -> bool:
    return stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", 0) == _JUNCTION


def _check_plain(path: PurePosixPath, status: os.stat_result) -> None:
    source = str(path)
    if not stat.S_ISREG(status.st_mode):
        raise FileError(
            "is a link, a folder or a device, expected a plain file",
            source=source,
            hint="put the file itself here: pinsync follows no links",
        )
    if status.st_size > MAX_FILE_BYTES:
        reason = f"has {status.st_size} bytes, expected at most {MAX_FILE_BYTES}"
        raise FileError(reason, source=source)


def _choose_temporary_path(target: Path) -> Path:
    # No document can have such a name: layout encodes a leading dot.
    return target.with_name(f".{target.name}.{os.getpid()}.tmp")


def _write_new(path: Path, text: bytes, old: os.stat_result | None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN_FLAGS, 0o666)
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
        file.write(text)
        file.flush()
        if old is not None:
            keep_owner_and_mode(path, old)
        os.fsync(file.fileno())


def keep_owner_and_mode(path: Path, old: os.stat_result) -> None:
    """Give a new file the owner, the group and the mode of the file that it will replace."""
    # The mode first, because only the owner may change it.
    path.chmod(stat.S_IMODE(old.st_mode))
    if sys.platform == "win32":
        return
    # Only root may change the owner; other users may choose among their own groups. If the change
    # is not permitted, the file keeps the owner of the process, as with git.
    new = path.lstat()
    if new.st_gid != old.st_gid:
        with contextlib.suppress(OSError):
            os.chown(path, -1, old.st_gid)
    if new.st_uid != old.st_uid:
        with contextlib.suppress(OSError):
            os.chown(path, old.st_uid, -1)


def _sync_folder(folder: Path) -> None:
    # Makes the rename itself survive a power cut. Windows and some network drives can't do it.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _compute_mark(content: bytes | None) -> str:
    """Return the hash of a file's content, or the mark of a removed file (None)."""
    if content is None:
        return _REMOVED
    # Git may convert line ends at checkout.
    return _hash(content.replace(b"\r\n", b"\n"))


def _hash(content: bytes) -> str:
    # Imported for writers only: it loads OpenSSL, which takes 2 ms.
    import hashlib  # noqa: PLC0415

    return hashlib.sha256(content).hexdigest()


@contextlib.contextmanager
def _translate_errors(path: PurePosixPath | Path, verb: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _build_error(error, path, verb) from error


def _build_error(error: OSError, path: PurePosixPath | Path, verb: str) -> FileError:
    reason = error.strerror or type(error).__name__
    hint = _REMEDIES.get(error.errno or 0, _PERMISSIONS)
    return FileError(f"can't be {verb}: {reason}", source=str(path), hint=hint)
