"""Find the customizations and changes that the arguments of a command line mean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from pinsync.canonical import normalize, render_value
from pinsync.canonical.fields import IDENTITY
from pinsync.canonical.pins import read_pin
from pinsync.drift.changes import read_pins
from pinsync.drift.pairs import is_in_filters, read_data, read_tags, read_title
from pinsync.drift.record import LocatedCustomization, Place
from pinsync.errors import DataError, UsageError, suggest
from pinsync.layout import suggest_model
from pinsync.model import Scope
from pinsync.reports.words.values import compact

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from pinsync.canonical.pins import Pin
    from pinsync.config import Tracker
    from pinsync.document.record import Document
    from pinsync.drift.record import Change, PinChange
    from pinsync.model import Customization


class Row(Protocol):
    """A record of a customization."""

    @property
    def customization(self) -> Customization:
        """The customization."""


_Row = TypeVar("_Row", bound=Row)


def matches_target(item: Customization, target: str, data: Mapping[str, Any] | None = None) -> bool:
    """Return whether the argument TARGET means a customization.

    Args:
        item: the customization.
        target: an item's identity, ``all``, criteria, a customization's id, or the title of a
            target. Criteria may be spelled as JSON, as in a document, or as in the reports for
            people.
        data: the customization's plain data, if its text was read already.
    """
    kind, identity, criteria = item.target
    if target in (identity, item.id) or target == kind == "all":
        return True
    if criteria is not None and _is_criteria(target, criteria, item, data):
        return True
    # Parsing a text takes a hundred times as long as searching its bytes.
    return _has_value(item, target) and read_title(data or read_data(item)) == target


def locate_customizations(document: Document, prefix: str) -> list[LocatedCustomization]:
    """Return the customizations of a document, each with its place.

    Args:
        document: the document.
        prefix: the prefix of the path in the document's ``source``, which no place has.
    """
    file = document.source.removeprefix(prefix)
    return [
        LocatedCustomization(entry.customization, Place(file, entry.line))
        for entry in document.entries
    ]


def select_customizations(
    documents: Mapping[Tracker, Mapping[str, Sequence[_Row]]],
    model: str,
    target: str | None,
) -> dict[Tracker, list[_Row]]:
    """Return the customizations of a model and a target, with their places, by tracker.

    Args:
        documents: all customizations, by tracker and model.
        model: the recommender model.
        target: the argument TARGET; None for all customizations.

    Returns:
        The matching customizations of each tracker that has the model; with a target, only the
        trackers with a matching customization.

    Raises:
        UsageError: no tracker has the model, or no customization matches the target.
    """
    candidates = {tracker: rows[model] for tracker, rows in documents.items() if model in rows}
    if not candidates:
        known: set[str] = set()
        for models in documents.values():
            known.update(models)
        raise _build_model_error(model, known)
    if target is None:
        return {tracker: list(rows) for tracker, rows in candidates.items()}
    matches: dict[Tracker, list[_Row]] = {}
    for tracker, rows in candidates.items():
        matching = [row for row in rows if matches_target(row.customization, target)]
        if matching:
            matches[tracker] = matching
    if not matches:
        items: list[Customization] = []
        for rows in candidates.values():
            items += [row.customization for row in rows]
        raise _build_target_error(model, target, items)
    return matches


def _build_model_error(model: str, known: Collection[str]) -> UsageError:
    """Return the error for a model that no document has; its hint names the nearest model."""
    hint = "there are no documents; write them with `pinsync export`"
    if known:
        hint = suggest_model(model, known)
    return UsageError(f'there is no model "{model}"', hint=hint)


def _build_target_error(model: str, target: str, items: Iterable[Customization]) -> UsageError:
    """Return the error for a target that matches no customization of a model."""
    names: set[str] = set()
    for item in items:
        names.update(_list_names(item))
    otherwise = "name an item's identity, all, criteria as JSON, or a customization's id or title"
    hint = suggest(target, names, otherwise=otherwise)
    return UsageError(f'no customization of {model} is for "{target}"', hint=hint)


def _is_criteria(
    target: str, criteria: str, item: Customization, data: Mapping[str, Any] | None
) -> bool:
    """Return whether a target spells the criteria of a customization."""
    if target.split() == criteria.split():
        return True
    if not target.lstrip().startswith(("{", "[")):
        return False
    try:
        value = json.loads(target)
        if not isinstance(value, dict):
            return False
        return render_value(normalize.normalize_value(value, ())) == criteria
    except (ValueError, RecursionError, DataError):
        # Reports for people write criteria without quotes, which is no JSON.
        return target.strip() == compact((data or read_data(item))["target_criteria"])


def _has_value(item: Customization, value: str) -> bool:
    """Return whether a value is anywhere in the text of a customization."""
    try:
        return render_value(value).encode() in item.text
    except DataError:
        # The value has half a surrogate pair, from an argument in another encoding. No document
        # can hold one.
        return False


def _list_names(item: Customization) -> Iterator[str]:
    """Yield the words that mean a customization as TARGET."""
    data = read_data(item)
    if item.target.criteria is not None:
        yield compact(data["target_criteria"])
    if item.target.type == "all":
        yield "all"
    for name in (item.id, item.target.identity, read_title(data)):
        if name:
            yield name


class Query(Struct, frozen=True):
    """The conditions of a command line; None is no condition.

    A change matches if its old or its new side meets all conditions.

    Attributes:
        model: the recommender model.
        target: the argument TARGET, as `matches_target` takes it.
        target_identity: the item that the customization applies to.
        tag: a tag of the customization.
        id: the customization's id.
        item: an item that the customization pins. The changes are restricted to its pins.
    """

    model: str | None = None
    target: str | None = None
    target_identity: str | None = None
    tag: str | None = None
    id: str | None = None
    item: str | None = None

    def select_changes(self, changes: Iterable[Change]) -> Iterator[Change]:
        """Yield the matching changes, restricted to the pins of ``item`` if there is one."""
        scope = Scope(self.model, None, None, self.target_identity)
        for change in changes:
            if not (
                self._matches(change.old, change.old_data, scope)
                or self._matches(change.new, change.new_data, scope)
            ):
                continue
            part = change if self.item is None else _restrict_to_item(change, self.item)
            if part is not None:
                yield part

    def _matches(self, item: Customization | None, data: Mapping[str, Any], scope: Scope) -> bool:
        if item is None or not is_in_filters(item, scope):
            return False
        if self.id is not None and item.id != self.id:
            return False
        if self.tag is not None and self.tag not in read_tags(data):
            return False
        return self.target is None or matches_target(item, self.target, data)

    def check_names(self, items: Collection[Customization], models: Iterable[str]) -> None:
        """Make sure that each condition names something.

        Args:
            items: all known customizations.
            models: the models of the known documents.

        Raises:
            UsageError: a condition names nothing; the hint suggests the nearest known name.
        """
        if self.model is not None:
            # A document may be empty, and a customization may be from an older commit.
            known = {*models, *(item.model for item in items)}
            if self.model not in known:
                raise _build_model_error(self.model, known)
            items = [item for item in items if item.model == self.model]
        if self.target is not None and not any(matches_target(item, self.target) for item in items):
            raise _build_target_error(self.model or "", self.target, items)
        for name, problem, list_names in (
            (self.target_identity, "no customization is for the item", _list_target_identities),
            (self.id, "no customization has the id", _list_ids),
            (self.tag, "no customization has the tag", _list_tags),
            (self.item, "no customization pins the item", _list_pinned_items),
        ):
            if name is not None:
                _check_name(name, problem, list_names, items)


def _restrict_to_item(change: Change, identity: str) -> Change | None:
    """Return the part of a change that concerns one pinned item; None if no part does."""
    pins = [pin for pin in change.pins if _is_of_item(pin, identity)]
    fields = []
    # A new id, model or target concerns each pin of a customization.
    if any(_has_identity(read_pin(pin), identity) for pin in read_pins(change.new_data)):
        fields = [field for field in change.fields if field.path[0] in IDENTITY]
    if not pins and not fields:
        return None
    return replace(change, pins=tuple(pins), fields=tuple(fields))


def _is_of_item(pin: PinChange, identity: str) -> bool:
    return _has_identity(pin.old, identity) or _has_identity(pin.new, identity)


def _has_identity(pin: Pin | None, identity: str) -> bool:
    return pin is not None and pin.identity == identity


def _check_name(
    name: str,
    problem: str,
    list_names: Callable[[Customization], Iterable[str | None]],
    items: Collection[Customization],
) -> None:
    """Make sure that a customization has a name.

    Raises:
        UsageError: none has it; the hint suggests the nearest known name.
    """
    # Parsing a text takes a hundred times as long as searching its bytes.
    if any(_has_value(item, name) and name in list_names(item) for item in items):
        return
    known: set[str | None] = set()
    for item in items:
        known.update(list_names(item))
    names = {found for found in known if found is not None}
    hint = suggest(name, names, otherwise="list what there is with `pinsync show` or `git log -p`")
    raise UsageError(f'{problem} "{name}"', hint=hint)


def _list_target_identities(item: Customization) -> Iterable[str | None]:
    return (item.target.identity,)


def _list_ids(item: Customization) -> Iterable[str | None]:
    return (item.id,)


def _list_tags(item: Customization) -> Iterable[str | None]:
    return read_tags(read_data(item))


def _list_pinned_items(item: Customization) -> Iterable[str | None]:
    return [read_pin(pin).identity for pin in read_pins(read_data(item))]
