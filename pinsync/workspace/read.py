"""Read the customizations of a source: the live export, a saved export, or documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from pinsync.canonical import normalize, rows
from pinsync.document.parse import parse_document
from pinsync.errors import DataError, FileError
from pinsync.model import Customization, RawAnswer, Scope, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path, PurePosixPath

    from pinsync.api import Answer, Watcher
    from pinsync.config import Settings, Tracker
    from pinsync.document.record import Document, Known

_FLAGS: Final = ("remove_expired_pins", "remove_nonexisting_item_pins")


def override_flags(
    tracker: Tracker, remove_expired_pins: bool | None, remove_nonexisting_item_pins: bool | None
) -> Tracker:
    """Return a tracker with the API's flags of the command line; None keeps its own setting."""
    if remove_expired_pins is not None:
        tracker = replace(tracker, remove_expired_pins=remove_expired_pins)
    if remove_nonexisting_item_pins is not None:
        tracker = replace(tracker, remove_nonexisting_item_pins=remove_nonexisting_item_pins)
    return tracker


def fetch_live(
    tracker: Tracker,
    settings: Settings,
    scope: Scope,
    environ: Mapping[str, str],
    watcher: Watcher | None = None,
    *,
    keeps_answer: bool = False,
) -> Snapshot:
    """Ask the API for a tracker's customizations.

    Args:
        tracker: the tracker; its ``remove_…`` settings are sent too.
        settings: the time-out, the limit of the answer's size, and the ignored fields.
        scope: the API's filters.
        environ: the environment variables, for the private key.
        watcher: receives the progress of the call.
        keeps_answer: whether the snapshot keeps the answer of the API.

    Raises:
        ConfigError: there is no private key.
        RemoteError: there is no trustworthy answer.
    """
    # Imported here because only a live source needs the network.
    from pinsync import api, config  # noqa: PLC0415

    key = config.read_private_key(tracker, environ)
    flags = {name: "true" for name in _FLAGS if getattr(tracker, name)}
    try:
        reply = api.export(
            tracker,
            key,
            scope.build_query() | flags,
            timeout=settings.timeout,
            max_bytes=settings.safety.max_answer_bytes,
            watcher=watcher,
        )
    except api.RefusalError as error:
        # `api` never reads a setting, so the hint at the source of the key is added here.
        if error.is_of_key:
            error.hint = config.describe_refused_key(tracker, key, environ)
        raise
    snapshot = read_answer(tracker, reply.answer, settings.ignore)
    if keeps_answer:
        return replace(snapshot, answer=RawAnswer(reply.answer.body, reply.host))
    return snapshot


def read_answer(tracker: Tracker, answer: Answer, ignore: normalize.Ignored) -> Snapshot:
    """Read an export's answer.

    Args:
        tracker: the tracker, for messages.
        answer: the answer.
        ignore: the paths of ignored fields.

    Raises:
        DataError: the answer can't be trusted.
    """
    try:
        customizations, warnings = rows.read_customizations(answer.body, ignore, answer.headers)
    except DataError as error:
        message = f"tracker {tracker.name}: {error.message}"
        otherwise = "nothing was changed; run again, and if it stays so report it to the vendor"
        hint = error.hint or otherwise
        raise DataError(message, path=error.path, hint=hint) from error
    # The server's clock decides which pins have expired.
    return Snapshot(customizations, warnings, answer.date or answer.fetched_at)


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
        source: the name of the answer in errors.
        ignore: the paths of ignored fields.

    Raises:
        FileError: it isn't a whole answer.
    """
    try:
        return Snapshot(*rows.read_customizations(content, ignore))
    except DataError as error:
        raise FileError(error.message, source=source, hint=error.hint) from error


def parse_documents(
    files: Iterable[tuple[PurePosixPath, bytes]],
    known: Iterable[Customization],
    ignore: normalize.Ignored,
    *,
    prefix: str = "",
) -> dict[str, Document]:
    """Parse a tracker's documents.

    Args:
        files: path and bytes of each file.
        known: customizations of the other side; a block with an equal text isn't parsed.
        ignore: the paths of ignored fields.
        prefix: the prefix of paths in messages, such as ``HEAD:``.

    Returns:
        model → document.

    Raises:
        FileError: a file isn't a document, or two files have the same model or id.
    """
    texts = list_texts(known)
    documents: dict[str, Document] = {}
    for path, text in files:
        document = parse_document(text, f"{prefix}{path}", known=texts, ignore=ignore)
        model = document.model
        if model in documents:
            message = f"holds the model {model!r}, which {documents[model].source} holds already"
            hint = "put all rules of a model into one file"
            raise FileError(message, source=document.source, hint=hint)
        documents[model] = document
    check_ids(documents.values())
    return documents


def list_texts(known: Iterable[Customization]) -> Known:
    """Return model → canonical text → customization."""
    # By model, which is no part of the text: a customization of another model isn't the same.
    texts: dict[str, dict[bytes, Customization]] = {}
    for item in known:
        texts.setdefault(item.model, {})[item.text] = item
    return texts


def check_ids(documents: Iterable[Document]) -> None:
    """Refuse two customizations with the same id: nobody knows which one is live.

    Raises:
        FileError: two customizations have the same id.
    """
    owners: dict[str, tuple[Document, int]] = {}
    for document in documents:
        for entry in document.entries:
            id_ = entry.customization.id
            if id_ is None:
                continue
            if id_ in owners:
                other, line = owners[id_]
                message = f"the id {id_} stands in {other.source}, line {line}, already"
                hint = "remove one of the two customizations"
                raise FileError(message, source=document.source, line=entry.line, hint=hint)
            owners[id_] = document, entry.line
