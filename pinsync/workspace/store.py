"""The documents on disk: read as they are, written whole or not at all, by one writer at a time."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinsync import layout
from pinsync.errors import FileError, SafetyError
from pinsync.escape import one_line
from pinsync.layout import is_document
from pinsync.model import MAX_FILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path, PurePosixPath

_REMOVED: Final = "removed"
_LEFTOVER: Final = re.compile(r"\..+\.(?:yaml|json)\.[0-9]+\.tmp")
# Windows knows only the last of the three, and only Windows does. Without O_NONBLOCK a named pipe would hang the open.
_AS_IT_IS: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_JUNCTION: Final = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT, which the stat module knows on Windows alone
_PERMISSIONS: Final = "check who owns the file and its folder, and their permissions"
_SPACE: Final = "make room on the disk, then run the command again"
_REMEDIES: Final = {
    errno.EACCES: _PERMISSIONS,
    errno.EPERM: _PERMISSIONS,
    errno.EROFS: "the file system is mounted read-only; work on a copy that can be written",
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
}


@dataclass(frozen=True, slots=True)
class Written:
    """The record of what pinsync itself wrote and removed last.

    Attributes:
        marks: path → the hashes of the contents that were written there, or the word for a removed file.
    """

    marks: Mapping[str, tuple[str, ...]]

    def has(self, path: PurePosixPath, content: bytes | None) -> bool:
        """Tell whether pinsync wrote ``content`` to ``path``, in any line endings, or removed the file (``None``)."""
        return _mark(content) in self.marks.get(str(path), ())


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Let an interrupt say what is true from here on, where without a word it means that nothing was changed."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt("every file is whole; run the command again to complete the rest") from None


def user_state(root: Path) -> Path:
    """Return the folder where pinsync keeps its lock and its memory for a ``root`` outside any git repository."""
    from platformdirs import user_state_path  # noqa: PLC0415 - 18 ms that a repository never needs

    return user_state_path("pinsync", appauthor=False) / hashlib.sha256(os.fsencode(root.resolve())).hexdigest()


@dataclass(frozen=True, slots=True)
class Store:
    """The documents below one directory.

    Nothing outside ``directory`` is read, written or followed: a symbolic link on the way is an error, as is ``..``.

    Args:
        root: the folder that all paths are relative to.
        directory: where the documents lie, relative to ``root``.
        state: where the lock lies, and the hashes of what was written: ``pinsync`` in the git directory, or what
            `user_state` returns.
    """

    root: Path
    directory: PurePosixPath
    state: Path

    def paths(self, tracker: str | None) -> list[PurePosixPath]:
        """Return the path of every document of a tracker, sorted by name.

        Args:
            tracker: the tracker's name where there are several; ``None`` where the directory itself holds the files.

        Raises:
            FileError: the folder can't be read, or is a link. One that doesn't exist has no documents.
        """
        folder = layout.choose_folder(self.directory, tracker)
        self._check_folders(folder)
        with _translated(folder, "read"):
            names = sorted(place.name for place in (self.root / folder).iterdir()) if self._status(folder) else []
        return [folder / name for name in names if is_document(name)]

    def documents(self, tracker: str | None) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Yield path and bytes of every document of a tracker, sorted by name.

        Args:
            tracker: as for `paths`.

        Raises:
            FileError: the folder or a file can't be read, is a link, or is no plain file.
        """
        for path in self.paths(tracker):
            yield path, self._read(path)

    def read(self, path: PurePosixPath) -> bytes | None:
        """Return the bytes of one file below the directory, ``None`` if there is none.

        Raises:
            FileError: the file can't be read, is no plain file, or lies outside the directory.
        """
        self._check(path)
        return self._read(path) if self._status(path) else None

    def written(self) -> Written:
        """Return the record of the files that pinsync itself wrote and removed last."""
        return Written(self._written())

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock of the one writer, and clear away the temporary files of one that was killed.

        Raises:
            SafetyError: another process is writing.
            FileError: the state folder can't be written.
        """
        from filelock import FileLock, Timeout  # noqa: PLC0415 - 40 ms that only a writer needs

        place = self.state / "lock"
        try:
            self.state.mkdir(parents=True, exist_ok=True)
            held = FileLock(place, blocking=False).acquire()
        except Timeout as error:
            message = f"{self._writer()} is writing to {self.directory} now; it holds {place}"
            raise SafetyError(message, hint="wait until it is done, then run the command again") from error
        except OSError as error:
            raise _file_error(error, place, "locked") from error
        with held:
            with _translated(self.state, "written"):
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

        Every new file is whole and on disk beside its target before the first is renamed: what goes wrong until then (a
        full disk, a folder that can't be written) changes nothing, and a kill at any moment leaves each file whole.

        Args:
            changes: path → new bytes, or ``None`` to remove the file.
            before: path → the bytes that ``changes`` was made from; a path without a file is missing here.
            staged: what git's index holds for a path, where that isn't committed. If it was pinsync's own it stays so.

        Raises:
            SafetyError: a file no longer holds its bytes of ``before``.
            FileError: something can't be written, or a path leads outside the directory.
        """
        for path in changes:
            self._check_unchanged(path, before.get(path))
        texts = {path: text for path, text in sorted(changes.items()) if text is not None}
        known = self._written()
        now = {str(path): (_mark(text),) for path, text in changes.items()}
        # Recorded before the first rename and beside what was known before: killed at whatever moment, the next run
        # takes neither content for a person's.
        own = Written(known | {name: known.get(name, ()) + marks for name, marks in now.items()})
        self._record(own.marks)
        self._replace(texts, changes.keys() - texts.keys(), before)
        kept = {str(path): (_mark(text),) for path, text in staged.items() if own.has(path, text)}
        self._record(known | {name: marks + kept.get(name, ()) for name, marks in now.items()})

    def record_forms(self, changes: Iterable[tuple[PurePosixPath, bytes, bytes]]) -> None:
        """Record the new forms of files: what was pinsync's own stays so, a person's work stays theirs.

        The caller holds the lock, and calls `reshape` for each file then.

        Args:
            changes: path, bytes before and new bytes of each file.
        """
        known = self._written()
        own = Written(known)
        forms = {str(path): (_mark(text),) for path, before, text in changes if own.has(path, before)}
        if forms:
            self._record(known | {name: known[name] + marks for name, marks in forms.items()})

    def reshape(self, path: PurePosixPath, before: bytes, text: bytes) -> None:
        """Replace a file by the same in another form. The caller holds the lock.

        Args:
            path: the file.
            before: the bytes that ``text`` was made from.
            text: its new bytes.

        Raises:
            SafetyError: the file no longer holds ``before``.
            FileError: it can't be written, or the path leads outside the directory.
        """
        self._replace({path: text}, (), {path: before})

    def _replace(
        self,
        texts: Mapping[PurePosixPath, bytes],
        removed: Collection[PurePosixPath],
        before: Mapping[PurePosixPath, bytes],
    ) -> None:
        with self._beside(texts) as temporary:
            for path, new in temporary.items():
                self._check_unchanged(path, before.get(path))
                with _translated(path, "written"):
                    new.replace(self.root / path)
        for path in sorted(removed):
            self._check_unchanged(path, before.get(path))
            with _translated(path, "removed"):
                (self.root / path).unlink(missing_ok=True)
        for folder in {path.parent for path in (*texts, *removed)}:
            _sync_folder(self.root / folder)

    def _check_unchanged(self, path: PurePosixPath, before: bytes | None) -> None:
        """Refuse to replace a file that somebody saved, made or removed since it was read.

        Raises:
            SafetyError: the file doesn't hold ``before``.
        """
        if self.read(path) != before:
            message = f"{one_line(str(path))} changed while pinsync was at work, and was left as it is"
            raise SafetyError(message, hint="run the command again, which starts from the file as it is now")

    @contextlib.contextmanager
    def _beside(self, texts: Mapping[PurePosixPath, bytes]) -> Iterator[dict[PurePosixPath, Path]]:
        temporary: dict[PurePosixPath, Path] = {}
        try:
            for path, text in texts.items():
                with _translated(path, "written"):
                    target = self.root / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    old = self._status(path)
                    temporary[path] = _temporary(target)
                    _write_new(temporary[path], text, old)
            yield temporary
        finally:
            for new in temporary.values():
                with contextlib.suppress(OSError):
                    new.unlink(missing_ok=True)

    def _check(self, path: PurePosixPath) -> None:
        if self.directory not in path.parents:
            raise FileError(f"lies outside {self.directory}, the only place for documents", source=str(path))
        self._check_folders(path.parent)
        status = self._status(path)
        if status is not None:
            _check_plain(path, status)

    def _check_folders(self, folder: PurePosixPath) -> None:
        if ".." in folder.parts or folder.is_absolute():
            raise FileError("leads outside the folder of the configuration", source=str(folder))
        for place in (*reversed(folder.parents), folder):
            status = self._status(place)
            if status is None:
                return
            if place.parts and (_is_link(status) or not stat.S_ISDIR(status.st_mode)):
                raise FileError(
                    "is a link or a file, expected a folder",
                    source=str(place),
                    hint="put the folder itself here: pinsync follows no links",
                )

    def _status(self, path: PurePosixPath) -> os.stat_result | None:
        with _translated(path, "read"):
            try:
                return (self.root / path).lstat()
            except FileNotFoundError:
                return None

    def _read(self, path: PurePosixPath) -> bytes:
        with _translated(path, "read"):
            _check_plain(path, (self.root / path).lstat())
            with open(os.open(self.root / path, os.O_RDONLY | _AS_IT_IS), "rb") as file:  # noqa: PTH123 - needs flags
                _check_plain(path, os.fstat(file.fileno()))
                return file.read()

    def _written(self) -> dict[str, tuple[str, ...]]:
        place = self.state / "written.json"
        try:
            text = place.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise _file_error(error, place, "read") from error
        try:
            return {str(name): tuple(map(str, marks)) for name, marks in json.loads(text)["files"].items()}
        except (KeyError, TypeError, AttributeError, ValueError):
            return {}  # nothing is known to be pinsync's own, which is the safe side

    def _record(self, files: Mapping[str, tuple[str, ...]]) -> None:
        place = self.state / "written.json"
        # A file that was removed and is there again was brought back by a person or by git.
        kept = {name for name, marks in files.items() if set(marks) != {_REMOVED} or not (self.root / name).exists()}
        known = {name: sorted(set(marks)) for name, marks in files.items() if name in kept}
        text = json.dumps({"version": 1, "files": known}, indent=1, sort_keys=True).encode()
        with _translated(place, "written"):
            self.state.mkdir(parents=True, exist_ok=True)
            new = _temporary(place)
            try:
                _write_new(new, text, place.stat() if place.exists() else None)
                new.replace(place)
            finally:
                new.unlink(missing_ok=True)
            _sync_folder(self.state)

    def _writer(self) -> str:
        try:
            return f"another pinsync, process {int((self.state / 'writer').read_bytes()[:20])},"
        except (OSError, ValueError):
            return "another pinsync"

    def _clear_leftovers(self) -> None:
        self._check_folders(self.directory)
        own = self.root / self.directory
        with _translated(self.directory, "read"):
            below = list(own.iterdir()) if self._status(self.directory) else []
            for folder in [place for place in below if place.is_dir() and not _is_link(place.lstat())]:
                with contextlib.suppress(PermissionError):  # whoever needs that folder is told so
                    below += list(folder.iterdir())
            for place in (*below, *self.state.iterdir()):
                if _LEFTOVER.fullmatch(place.name):
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
        raise FileError(f"has {status.st_size} bytes, expected at most {MAX_FILE_BYTES}", source=source)


def _temporary(target: Path) -> Path:
    # No document can have such a name: layout encodes a leading dot.
    return target.with_name(f".{target.name}.{os.getpid()}.tmp")


def _write_new(path: Path, text: bytes, old: os.stat_result | None) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _AS_IT_IS, 0o666), "wb") as file:  # noqa: PTH123
        file.write(text)
        file.flush()
        if old is not None:
            keep_owner_and_mode(path, old)
        os.fsync(file.fileno())


def keep_owner_and_mode(path: Path, old: os.stat_result) -> None:
    """Give a new file the owner, the group and the mode of the file that it is going to replace.

    Only root may give a file away; anybody else may choose among their own groups. Where the
    process may not, the file stays the process's own, as with git.
    """
    path.chmod(stat.S_IMODE(old.st_mode))  # first, since only the owner may
    if sys.platform == "win32":
        return
    new = path.lstat()
    if new.st_gid != old.st_gid:
        with contextlib.suppress(OSError):
            os.chown(path, -1, old.st_gid)
    if new.st_uid != old.st_uid:
        with contextlib.suppress(OSError):
            os.chown(path, old.st_uid, -1)


def _sync_folder(folder: Path) -> None:
    # Makes the rename itself last through a power cut. Windows and some network drives can't: no failure.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _mark(content: bytes | None) -> str:
    """Return how the record names a file's content; None is a file that was removed."""
    return _REMOVED if content is None else hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


@contextlib.contextmanager
def _translated(path: PurePosixPath | Path, verb: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _file_error(error, path, verb) from error


def _file_error(error: OSError, path: PurePosixPath | Path, verb: str) -> FileError:
    reason = error.strerror or type(error).__name__
    return FileError(f"can't be {verb}: {reason}", source=str(path), hint=_REMEDIES.get(error.errno or 0, _PERMISSIONS))
