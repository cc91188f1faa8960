"""What MODEL, TARGET and the names of trackers on a command line mean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pinsync import normalize
from pinsync.canonical import value_text
from pinsync.compare import title
from pinsync.compare.changes import plain_data
from pinsync.errors import DataError, UsageError, printable, suggestion
from pinsync.reports.values import compact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pinsync.config import Tracker
    from pinsync.model import Customization
    from pinsync.sources.sides import State


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
    return stands_in(target, item) and title(plain_data(item)) == target


def trackers_of(state: State, names: Sequence[str]) -> list[Tracker]:
    """Return the trackers of these names, all of the state's if there are no names.

    Raises:
        UsageError: the state knows no tracker of such a name.
    """
    known = [tracker.name for tracker in state.trackers]
    for name in names:
        if name not in known:
            raise UsageError(f'no tracker is named "{printable(name)}"', hint=suggestion(name, known))
    return [tracker for tracker in state.trackers if not names or tracker.name in names]


def unknown_model(model: str, known: Iterable[str]) -> UsageError:
    """Return the error of a model that no document has, with the nearest known one."""
    names = sorted(set(known))
    hint = suggestion(model, names) if names else "there are no documents; write them with `pinsync export`"
    return UsageError(f'there is no model "{printable(model)}"', hint=hint)


def unknown_target(model: str, target: str, items: Iterable[Customization]) -> UsageError:
    """Return the error of a target that no customization of a model has, with the nearest known one."""
    names = {name for item in items for name in _names(item)}
    otherwise = "name an item's identity, all, criteria as JSON, or a customization's id or title"
    hint = suggestion(target, names, otherwise=otherwise)
    return UsageError(f'no customization of {printable(model)} is for "{printable(target)}"', hint=hint)


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
    names = (item.id, item.target.identity, "all" if item.target.type == "all" else None, title(data))
    yield from (name for name in names if name)
