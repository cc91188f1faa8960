"""What MODEL, TARGET and the names of trackers on a command line mean."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pinsync.canonical import normalize, render_value
from pinsync.canonical.fields import IDENTITY
from pinsync.canonical.pins import read_pin
from pinsync.drift.changes import pins_of
from pinsync.drift.pairs import in_scope, plain_data, read_tags, read_title
from pinsync.errors import DataError, UsageError, suggest
from pinsync.layout import suggest_model
from pinsync.model import Customization, Scope
from pinsync.reports.words.values import compact

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from pinsync.canonical.pins import Pin
    from pinsync.config import Tracker
    from pinsync.drift.record import Change, Placed
    from pinsync.model import Customization


def matches_target(item: Customization, target: str, data: Mapping[str, Any] | None = None) -> bool:
    """Whether a word of the command line means a customization.

    Args:
        item: the customization.
        target: an item's identity, ``all``, criteria, a customization's id, or the title of a
            target. Criteria may be spelled as JSON, as in a document, or as the reports for people
            show them.
        data: the customization's plain data, if its text was read already.
    """
    kind, identity, criteria = item.target
    if target in (identity, item.id) or target == kind == "all":
        return True
    if criteria is not None and _is_criteria(target, criteria, item, data):
        return True
    # The text is looked at before it is read, which takes a hundred times as long.
    return stands_in(target, item) and read_title(data or plain_data(item)) == target


def choose_rules(
    documents: Mapping[Tracker, Mapping[str, Sequence[Placed]]], model: str, target: str | None
) -> dict[Tracker, list[Placed]]:
    """Return, by tracker, the customizations of a model and target, with where they stand.

    Args:
        documents: by tracker and model, all customizations.
        model: the recommender model.
        target: what `matches_target` takes; None for all.

    Returns:
        What is found; with a target, only of the trackers that have any.

    Raises:
        UsageError: no tracker has any.
    """
    having = {tracker: models[model] for tracker, models in documents.items() if model in models}
    if not having:
        raise unknown_model(model, (name for models in documents.values() for name in models))
    found = {
        tracker: [
            placed
            for placed in rules
            if target is None or matches_target(placed.customization, target)
        ]
        for tracker, rules in having.items()
    }
    if target is not None and not any(found.values()):
        raise unknown_target(
            model, target, (item for rules in having.values() for item, _ in rules)
        )
    return {tracker: rules for tracker, rules in found.items() if rules or target is None}


def unknown_model(model: str, known: Iterable[str]) -> UsageError:
    """Return the error of a model that no document has, with the nearest known one."""
    names = sorted(set(known))
    hint = (
        suggest_model(model, names)
        if names
        else "there are no documents; write them with `pinsync export`"
    )
    return UsageError(f'there is no model "{model}"', hint=hint)


def unknown_target(model: str, target: str, items: Iterable[Customization]) -> UsageError:
    """Return the error of a target that no customization of a model has, with the nearest known one."""
    names = {name for item in items for name in _names(item)}
    otherwise = "name an item's identity, all, criteria as JSON, or a customization's id or title"
    hint = suggest(target, names, otherwise=otherwise)
    return UsageError(f'no customization of {model} is for "{target}"', hint=hint)


def _is_criteria(
    target: str, criteria: str, item: Customization, data: Mapping[str, Any] | None
) -> bool:
    if target.split() == criteria.split():
        return True
    if not target.lstrip().startswith(("{", "[")):
        return False
    try:
        read = json.loads(target)
        return (
            isinstance(read, dict) and render_value(normalize.normalize_value(read, ())) == criteria
        )
    except (ValueError, RecursionError, DataError):
        return target.strip() == compact((data or plain_data(item))["target_criteria"])


def stands_in(target: str, item: Customization) -> bool:
    """Whether a customization's text has a value somewhere, which is told a hundred times as fast as where."""
    try:
        return render_value(target).encode() in item.text
    except DataError:  # half a surrogate pair, which no document holds
        return False


def _names(item: Customization) -> Iterator[str]:
    data = plain_data(item)
    if item.target.criteria is not None:
        yield compact(data["target_criteria"])
    names = (
        item.id,
        item.target.identity,
        "all" if item.target.type == "all" else None,
        read_title(data),
    )
    yield from (name for name in names if name)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; None asks for nothing in particular. A change counts if either side of it is that.

    Attributes:
        model: the recommender model.
        target: what `query.matches_target` takes.
        target_identity: the item that a customization is for.
        tag: a tag that it has.
        id: its id.
        item: an item that it pins; of a change, only what became of that item's pins.
    """

    model: str | None = None
    target: str | None = None
    target_identity: str | None = None
    tag: str | None = None
    id: str | None = None
    item: str | None = None

    def of(self, changes: Iterable[Change]) -> Iterator[Change]:
        """Yield what is wanted of some changes."""
        scope = Scope(self.model, None, None, self.target_identity)
        for change in changes:
            sides = ((change.old, change.old_data), (change.new, change.new_data))
            if not any(in_scope(side, scope) and self._is(side, data) for side, data in sides):
                continue
            if found := change if self.item is None else _of_item(change, self.item):
                yield found

    def _is(self, item: Customization | None, data: Mapping[str, Any]) -> bool:
        if item is None or (self.id is not None and item.id != self.id):
            return False
        if self.tag is not None and self.tag not in read_tags(data):
            return False
        return self.target is None or matches_target(item, self.target, data)

    def check(self, items: Collection[Customization], models: Iterable[str]) -> None:
        """Make sure that each of the words names something.

        Args:
            items: all customizations that are known.
            models: the models of which there are documents.

        Raises:
            UsageError: one of them names nothing; the nearest that is known is suggested.
        """
        if self.model is not None:
            known = {*models, *(item.model for item in items)}
            if self.model not in known:
                raise unknown_model(self.model, known)
            items = [item for item in items if item.model == self.model]
        if self.target is not None and not any(matches_target(item, self.target) for item in items):
            raise unknown_target(self.model or "", self.target, items)
        for word, message, names in (
            (self.target_identity, "no customization is for the item", _identities),
            (self.id, "no customization has the id", _ids),
            (self.tag, "no customization has the tag", _tags),
            (self.item, "no customization pins the item", _pinned),
        ):
            if word is not None:
                _check(word, message, names, items)


def _of_item(change: Change, item: str) -> Change | None:
    """Return what of a change has to do with one pinned item, None if nothing has.

    That is what became of its pins; and of a rule that holds it, that it came under another id,
    model or target.
    """
    pins = tuple(pin for pin in change.pins if _holds(pin.old, item) or _holds(pin.new, item))
    held = any(_holds(read_pin(pin), item) for pin in pins_of(change.new_data))
    fields = tuple(found for found in change.fields if held and found.path[0] in IDENTITY)
    return replace(change, pins=pins, fields=fields) if pins or fields else None


def _holds(pin: Pin | None, item: str) -> bool:
    return pin is not None and pin.identity == item


def _check(
    word: str,
    message: str,
    names: Callable[[Customization], Iterable[str | None]],
    items: Collection[Customization],
) -> None:
    """Make sure that a customization has a name, the nearest being suggested otherwise.

    The texts are looked at before any is read, which takes a hundred times as long.
    """
    if any(stands_in(word, item) and word in names(item) for item in items):
        return
    known = {name for item in items for name in names(item) if name is not None}
    hint = suggest(word, known, otherwise="see what there is with `pinsync show`, or in git log -p")
    raise UsageError(f'{message} "{word}"', hint=hint)


def _identities(item: Customization) -> Iterable[str | None]:
    return (item.target.identity,)


def _ids(item: Customization) -> Iterable[str | None]:
    return (item.id,)


def _tags(item: Customization) -> Iterable[str | None]:
    return read_tags(plain_data(item))


def _pinned(item: Customization) -> Iterable[str | None]:
    pins = map(read_pin, pins_of(plain_data(item)))
    return [pin.identity for pin in pins if pin.identity is not None]
