"""Compare the shop's rules with what an apply wants; pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pinsync.canonical import answer, normalize
from pinsync.drift.changes import build_change
from pinsync.drift.pairs import Pair, build_content_key, read_data
from pinsync.errors import DataError, spell_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from typing import Any

    from pinsync.canonical.normalize import Ignored
    from pinsync.drift.record import Change
    from pinsync.model import Customization

_METADATA = "target_metadata"


class Matcher:
    """Tells whether the shop has a rule as git wants it.

    Args:
        allows_dropped_metadata: whether a rule without git's ``target_metadata`` is right, too.
    """

    def __init__(self, *, allows_dropped_metadata: bool) -> None:
        self._allows_dropped_metadata = allows_dropped_metadata

    def is_equal(self, wanted: Customization, found: Customization | None) -> bool:
        """Return whether a rule of the shop is the wanted one, whatever its id."""
        if found is None:
            return False
        if build_content_key(wanted) == build_content_key(found):
            return True
        return self._allows_dropped_metadata and has_only_dropped_metadata(wanted, found)

    def find_created(
        self,
        wanted: Mapping[int, Customization],
        live: Iterable[Customization],
        known_ids: Collection[str],
    ) -> dict[int, Customization]:
        """Return the rules that were created, by the number of the operation.

        Args:
            wanted: number → rule of git.
            live: the rules of the shop now.
            known_ids: the ids of the rules that the shop had before.
        """
        new: defaultdict[object, list[Customization]] = defaultdict(list)
        for rule in live:
            if rule.id not in known_ids:
                new[rule.model, rule.target].append(rule)
        found: dict[int, Customization] = {}
        for number, rule in wanted.items():
            candidates = new.get((rule.model, rule.target), [])
            for at, candidate in enumerate(candidates):
                if self.is_equal(rule, candidate):
                    found[number] = candidates.pop(at)
                    break
        return found


def has_metadata(rule: Customization | None) -> bool:
    """Return whether a rule has ``target_metadata``; False without a rule."""
    return _METADATA in read_data(rule)


def has_only_dropped_metadata(wanted: Customization, found: Customization) -> bool:
    """Return whether a rule is the wanted one but for its missing ``target_metadata``."""
    data = read_data(found)
    if _METADATA in data or wanted.model != found.model:
        return False
    expected = read_data(wanted)
    expected.pop(_METADATA, None)
    for fields in (data, expected):
        fields.pop("id", None)
    return data == expected


def describe_difference(wanted: Customization, found: Customization) -> str:
    """Return the fields in which a rule differs from the wanted one: ``tags, pin_definitions``."""
    change = build_change(Pair(wanted, found), "changed")
    return ", ".join(_list_fields(change)) or "its text"


def _list_fields(change: Change) -> Sequence[str]:
    names = [spell_path(field.path) for field in change.fields if field.path != ("id",)]
    if change.pins:
        names.append("pin_definitions")
    return names


def read_rule(body: bytes, ignore: Ignored) -> tuple[Customization, Mapping[str, Any]]:
    """Return a rule that the API answered, and its fields as they came.

    Raises:
        DataError: the answer isn't a rule.
    """
    row = answer.decode_row(body)
    rule = normalize.build_customization(row, ignore=ignore)
    if rule.id is None:
        raise DataError("id: expected a non-empty string, got nothing", path=("id",))
    return rule, row
