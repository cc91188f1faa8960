"""The files that hold a record of agreement; pure.

``record.json`` is about the tracker as a whole. The entries lie in ``rules/``: in 256 files by a
checksum of the id in the shop, one entry a line, sorted by that id. So a change of one rule is a
change of one line, and a rule is found without reading all the others.
"""

from __future__ import annotations

import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from pinsync.agreement.record import Begun, Entry, Record, Version
from pinsync.document.parse import parse_document
from pinsync.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.canonical.normalize import Ignored
    from pinsync.document.record import Known
    from pinsync.model import Customization

HEADER: Final = "record.json"
FOLDER: Final = "rules"
_FORMAT: Final = 1
_DOCUMENT: Final = b"format: 1\nmodel: any\ncustomizations:\n"


class Header(Struct, frozen=True, omit_defaults=True):
    """The content of ``record.json``; see `Record`."""

    format: int
    tracker_id: str
    source: str
    applied: str
    begun: Begun | None = None


class _Format(Struct, frozen=True):
    format: int


class _Text(Struct, frozen=True, omit_defaults=True):
    """A `Version`; without a commit it was seen at the record's source."""

    model: str
    text: str
    updated_at: str | None = None
    removed: bool = False
    commit: str | None = None


class _Line(Struct, frozen=True, omit_defaults=True):
    """An `Entry`."""

    id: str
    git_id: str | None = None
    base: _Text | None = None
    proposals: tuple[_Text, ...] = ()


_HEADERS: Final = msgspec.json.Decoder(Header)
_LINES: Final = msgspec.json.Decoder(_Line)


def name_file(shop_id: str) -> str:
    """Return the name of the file in `FOLDER` that has the entry of a rule."""
    return f"{zlib.crc32(shop_id.encode(errors='replace')) % 256:02x}.jsonl"


def render_record(record: Record) -> dict[PurePosixPath, bytes]:
    """Return the files of a record: path → bytes."""
    header = Header(_FORMAT, record.tracker_id, record.source, record.applied, record.begun)
    text = msgspec.json.format(msgspec.json.encode(header), indent=2) + b"\n"
    files = {PurePosixPath(HEADER): text}
    lines: dict[str, list[bytes]] = {}
    for shop_id in sorted(record.entries):
        line = msgspec.json.encode(_build_line(record.entries[shop_id], record.source))
        lines.setdefault(name_file(shop_id), []).append(line + b"\n")
    for name in sorted(lines):
        files[PurePosixPath(FOLDER, name)] = b"".join(lines[name])
    return files


def _build_line(entry: Entry, source: str) -> _Line:
    base = _build_text(entry.base, source) if entry.base else None
    proposals = tuple(_build_text(version, source) for version in entry.proposals)
    return _Line(entry.shop_id, entry.git_id, base, proposals)


def _build_text(version: Version, source: str) -> _Text:
    last = version.last
    # Most entries were seen at the source, and their lines needn't change when the source moves.
    commit = None if version.commit == source else version.commit
    text = last.text.decode()
    return _Text(last.model, text, last.updated_at, version.is_removed, commit)


def parse_header(content: bytes, source: str, tracker_id: str) -> Header:
    """Read ``record.json``.

    Args:
        content: the bytes of the file.
        source: the name of the record in errors.
        tracker_id: the id of the tracker to which the record has to belong.

    Raises:
        FileError: the file is damaged, of a newer format, or about another tracker.
    """
    try:
        found = msgspec.json.decode(content, type=_Format).format
        if found > _FORMAT:
            hint = "upgrade pinsync to read it"
            raise FileError(
                f"has format {found}: made by a newer pinsync", source=source, hint=hint
            )
        header = _HEADERS.decode(content)
    except msgspec.MsgspecError as error:
        raise build_damage_error(source, str(error)) from error
    if header.tracker_id != tracker_id:
        raise build_damage_error(source, "it is about another tracker")
    return header


def build_damage_error(source: str, reason: str) -> FileError:
    """Return the error for a damaged record."""
    hint = "fetch it again, or begin anew with `pinsync plan --reset-record`"
    return FileError(f"the record of agreement is damaged: {reason}", source=source, hint=hint)


class EntryReader(Struct, frozen=True):
    """Reads the entries of one record.

    Attributes:
        header: the content of ``record.json``.
        ignore: the paths of the fields to leave out of the texts.
        known: model → canonical text → customization, for texts that need no reading.
    """

    header: Header
    ignore: Ignored
    known: Known

    def read(self, content: bytes, source: str) -> Iterator[Entry]:
        """Yield the entries of one file.

        Args:
            content: the bytes of the file.
            source: the name of the file in errors.

        Raises:
            FileError: the file is damaged.
        """
        for line in content.splitlines():
            try:
                found = _LINES.decode(line)
                base = self._read_text(found.base) if found.base else None
                proposals = tuple(map(self._read_text, found.proposals))
            except msgspec.MsgspecError as error:
                raise build_damage_error(source, str(error)) from error
            except FileError as error:
                raise build_damage_error(source, error.reason) from error
            if base is None and not proposals:
                raise build_damage_error(source, f"the entry of {found.id} has no text")
            yield Entry(found.id, found.git_id, base, proposals)

    def _read_text(self, text: _Text) -> Version:
        content = text.text.encode()
        # Most texts are those of today, and to read one takes as long as all else for ten entries.
        rule = self.known.get(text.model, {}).get(content)
        if rule is None:
            rule = parse_rule(text.model, content, self.ignore)
        last = rule._replace(model=text.model, updated_at=text.updated_at)
        return Version(last, text.commit or self.header.source, text.removed)


def parse_rule(model: str, text: bytes, ignore: Ignored = ()) -> Customization:
    """Return the rule of a canonical text.

    Args:
        model: the model, which the text lacks.
        text: the text.
        ignore: the paths of the fields to leave out.

    Raises:
        FileError: the text isn't one rule.
    """
    document = parse_document(_DOCUMENT + text, "", ignore=ignore)
    if len(document.entries) != 1:
        raise FileError("a text isn't one rule", source="")
    return document.entries[0].customization._replace(model=model)
