"""Where states are read from: the live export, a saved one, and documents."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pinsync.canonical import normalize, rows
from pinsync.document.parse import parse_document
from pinsync.errors import DataError, FileError
from pinsync.model import Customization, Scope, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path, PurePosixPath

    from pinsync.api import Watcher
    from pinsync.config import Settings, Tracker
    from pinsync.document.record import Document


def override_flags(
    tracker: Tracker, remove_expired_pins: bool | None, remove_nonexisting_item_pins: bool | None
) -> Tracker:
    """Return a tracker with what a command line says of the API's flags; None leaves its own setting."""
    expired, nonexisting = remove_expired_pins, remove_nonexisting_item_pins
    return replace(
        tracker,
        remove_expired_pins=tracker.remove_expired_pins if expired is None else expired,
        remove_nonexisting_item_pins=tracker.remove_nonexisting_item_pins if nonexisting is None else nonexisting,
    )


def fetch_live(
    tracker: Tracker,
    settings: Settings,
    scope: Scope,
    environ: Mapping[str, str],
    watcher: Watcher | None = None,
) -> Snapshot:
    """Ask the API for a tracker's customizations.

    Args:
        tracker: whose; its ``remove_…`` settings go along.
        settings: the time-out, the limit of the answer's size, and what to ignore.
        scope: the API's filters.
        environ: where the private key is looked for.
        watcher: is told how the call gets on.

    Raises:
        ConfigError: there is no private key.
        RemoteError: there is no answer that can be trusted.
    """
    from pinsync import api, config  # noqa: PLC0415 - only a live source needs the network

    key = config.read_private_key(tracker, environ)
    flags = {name: "true" for name in ("remove_expired_pins", "remove_nonexisting_item_pins") if getattr(tracker, name)}
    try:
        reply = api.export(
            tracker,
            key,
            scope.query() | flags,
            timeout=settings.timeout,
            max_bytes=settings.safety.max_answer_bytes,
            watcher=watcher,
        )
    except api.RefusalError as error:
        if error.is_of_key:
            error.hint = config.describe_refused_key(tracker, key, environ)
        raise
    try:
        customizations, warnings = rows.read_customizations(reply.body, settings.ignore, reply.headers)
    except DataError as error:
        message = f"tracker {tracker.name}: {error.message}"
        hint = error.hint or "nothing was changed; run again, and if it stays so report it to the vendor"
        raise DataError(message, path=error.path, hint=hint) from error
    return Snapshot(customizations, warnings, reply.date or reply.fetched_at)


def read_export(path: Path, ignore: normalize.Ignored) -> Snapshot:
    """Read an answer of the API from a file.

    Raises:
        FileError: the file can't be read, or isn't a whole answer.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"can't be read: {error.strerror}", source=str(path)) from error
    return parse_export(content, str(path), ignore)


def parse_export(content: bytes, source: str, ignore: normalize.Ignored) -> Snapshot:
    """Read a saved answer of the API.

    Args:
        content: the answer.
        source: how errors name it.
        ignore: paths of fields that don't count.

    Raises:
        FileError: it isn't a whole answer.
    """
    try:
        return Snapshot(*rows.read_customizations(content, ignore))
    except DataError as error:
        raise FileError(error.message, source=source, hint=error.hint) from error


def read_documents(
    files: Iterable[tuple[PurePosixPath, bytes]],
    known: Iterable[Customization],
    ignore: normalize.Ignored,
    *,
    prefix: str = "",
) -> dict[str, Document]:
    """Read a tracker's documents.

    Args:
        files: path and bytes of each.
        known: customizations whose canonical texts need no reading.
        ignore: paths of fields that don't count.
        prefix: what stands before a path in messages, such as ``HEAD:``.

    Returns:
        model → document.

    Raises:
        FileError: a file isn't a document, or a model or an id stands in two of them.
    """
    texts: dict[str, dict[bytes, Customization]] = {}
    for item in known:
        texts.setdefault(item.model, {})[item.text] = item
    found: dict[str, Document] = {}
    for path, text in files:
        read = parse_document(text, f"{prefix}{path}", known=texts, ignore=ignore)
        if read.model in found:
            message = f"holds the model {read.model!r}, which {found[read.model].source} holds already"
            raise FileError(message, source=read.source, hint="put all rules of a model into one file")
        found[read.model] = read
    _check_ids(found.values())
    return found


def _check_ids(documents: Iterable[Document]) -> None:
    seen: dict[str, tuple[Document, int]] = {}
    for read in documents:
        for entry in read.entries:
            name = entry.customization.id
            if name is None:
                continue
            if name in seen:
                other, line = seen[name]
                message = f"the id {name} stands in {other.source}, line {line}, already"
                raise FileError(
                    message, source=read.source, line=entry.line, hint="remove one of the two customizations"
                )
            seen[name] = read, entry.line
