"""What MODEL, TARGET and the names of trackers on a command line mean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pinsync.canonical import normalize, value_text
from pinsync.config import check_trackers
from pinsync.drift.changes import plain_data
from pinsync.drift.pairs import read_title
from pinsync.errors import DataError, UsageError, suggestion
from pinsync.reports.words.values import compact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pinsync.config import Tracker
    from pinsync.drift.record import Place
    from pinsync.model import Customization


Placed = tuple["Customization", "Place"]
"""A customization, and where it stands."""


def matches(item: Customization, target: str) -> bool:
    """Whether a word of the command line means a customization.

    Args:
        item: the customization.
        target: an item's identity, ``all``, criteria, a customization's id, or the title of a target. Criteria may be
            spelled as JSON, as in a document, or as the reports for people show them.
    """
    kind, identity, criteria = item.target
    if target in (identity, item.id) or target == kind == "all":
        return True
    if criteria is not None and _is_criteria(target, criteria, item):
        return True
    # The text is looked at before it is read, which takes a hundred times as long.
    return stands_in(target, item) and read_title(plain_data(item)) == target


def named(trackers: Collection[Tracker], names: Sequence[str]) -> list[Tracker]:
    """Return the trackers of these names, all if there are no names.

    Raises:
        UsageError: no tracker has such a name.
    """
    check_trackers(names, [tracker.name for tracker in trackers])
    return [tracker for tracker in trackers if not names or tracker.name in names]


def chosen(
    documents: Mapping[Tracker, Mapping[str, Sequence[Placed]]], model: str, target: str | None
) -> dict[Tracker, list[Placed]]:
    """Return, by tracker, the customizations of a model and target, with where they stand.

    Args:
        documents: by tracker and model, all customizations.
        model: the recommender model.
        target: what `matches` takes; None for all.

    Returns:
        What is found; with a target, only of the trackers that have any.

    Raises:
        UsageError: no tracker has any.
    """
    having = {tracker: models[model] for tracker, models in documents.items() if model in models}
    if not having:
        raise unknown_model(model, (name for models in documents.values() for name in models))
    found = {
        tracker: [(item, place) for item, place in items if target is None or matches(item, target)]
        for tracker, items in having.items()
    }
    if target is not None and not any(found.values()):
        raise unknown_target(model, target, (item for items in having.values() for item, _ in items))
    return {tracker: items for tracker, items in found.items() if items or target is None}


def unknown_model(model: str, known: Iterable[str]) -> UsageError:
    """Return the error of a model that no document has, with the nearest known one."""
    names = sorted(set(known))
    hint = suggestion(model, names) if names else "there are no documents; write them with `pinsync export`"
    return UsageError(f'there is no model "{model}"', hint=hint)


def unknown_target(model: str, target: str, items: Iterable[Customization]) -> UsageError:
    """Return the error of a target that no customization of a model has, with the nearest known one."""
    names = {name for item in items for name in _names(item)}
    otherwise = "name an item's identity, all, criteria as JSON, or a customization's id or title"
    hint = suggestion(target, names, otherwise=otherwise)
    return UsageError(f'no customization of {model} is for "{target}"', hint=hint)


def _is_criteria(target: str, criteria: str, item: Customization) -> bool:
    if target.split() == criteria.split():
        return True
    if not target.lstrip().startswith(("{", "[")):
        return False
    try:
        read = json.loads(target)
        return isinstance(read, dict) and value_text(normalize.plain(read, ())) == criteria
    except (ValueError, RecursionError, DataError):
        return target.strip() == compact(plain_data(item)["target_criteria"])


def stands_in(target: str, item: Customization) -> bool:
    """Whether a customization's text has a value somewhere, which is told a hundred times as fast as where."""
    try:
        return value_text(target).encode() in item.text
    except DataError:  # half a surrogate pair, which no document holds
        return False


def _names(item: Customization) -> Iterator[str]:
    data = plain_data(item)
    if item.target.criteria is not None:
        yield compact(data["target_criteria"])
    names = (item.id, item.target.identity, "all" if item.target.type == "all" else None, read_title(data))
    yield from (name for name in names if name)
