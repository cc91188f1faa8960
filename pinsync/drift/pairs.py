"""Pair the customizations of two snapshots, and read the fields that identify them."""

from __future__ import annotations

import re
import shlex
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from msgspec.structs import replace

from pinsync import canonical
from pinsync.errors import UsageError, suggest
from pinsync.escape import one_line
from pinsync.layout import suggest_model
from pinsync.model import ALL_RULES, EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from pinsync.model import Customization, Managed, Scope

ChangeKind = Literal["added", "removed", "changed", "recreated"]
CHANGE_KINDS: Final[tuple[ChangeKind, ...]] = ("added", "changed", "recreated", "removed")

# Field of a scope → option of the command line.
_OPTIONS: Final = {
    "model": "--model",
    "tag": "--tag",
    "target_type": "--target-type",
    "target_identity": "--target-identity",
}

# In canonical text each line has a field, and the indentation tells the object that it belongs to.
_METADATA_KEY: Final = b"\n    target_metadata:\n"
_METADATA: Final = re.compile(rb"\n    target_metadata:\n(?:      [^\n]*\n)*")
_TITLE: Final = re.compile(rb"\n      title: ([^\n]*)\n")
_MAX_CANDIDATES: Final = 5
_TAGS_KEY: Final = b"\n    tags:\n"
# A list of scalars alone: a line of a deeper value begins with more blanks, or has no dash.
_TAGS: Final = re.compile(rb"\n    tags:\n((?:      - [^\n]*\n)+)(?!      )")


class Pair(NamedTuple):
    """A customization on both sides; one side is None if it has no counterpart.

    Attributes:
        old: the customization in the old snapshot.
        new: the customization in the new snapshot.
        old_index: the index of ``old`` in its snapshot, which leads to the file and the line.
        new_index: the index of ``new`` in its snapshot.
    """

    old: Customization | None
    new: Customization | None
    old_index: int | None = None
    new_index: int | None = None

    @property
    def kind(self) -> ChangeKind | None:
        """The kind of change; None if the sides are equal, or one side only lacks the id."""
        if self.old is self.new:
            return None
        if self.old is None:
            return "added"
        if self.new is None:
            return "removed"
        if self.old.id != self.new.id and self.old.id is not None and self.new.id is not None:
            return "recreated"
        return None if build_content_key(self.old) == build_content_key(self.new) else "changed"

    @property
    def latest(self) -> Customization:
        """The new customization; the old one if there is no new one."""
        side = self.new or self.old
        if side is None:
            raise ValueError("a pair of nothing")
        return side

    @property
    def sides(self) -> list[Customization]:
        """The existing sides, the old one first."""
        return [side for side in (self.old, self.new) if side is not None]

    def is_in(self, scope: Scope) -> bool:
        """Return whether the customization was or is managed, and was or is in the filters."""
        if scope == EVERYTHING:
            return True
        # One side is enough for each: a rule that lost its tag is shown and taken over once.
        return any(is_managed(side, scope.managed) for side in self.sides) and any(
            is_in_filters(side, scope) for side in self.sides
        )


def select_pairs(
    old: Sequence[Customization], new: Sequence[Customization], scope: Scope
) -> Iterator[Pair]:
    """Yield the pairs of two snapshots that a command is about.

    Args:
        old: the old snapshot.
        new: the new snapshot.
        scope: the filters, and the managed rules. A pair is managed if either side is.
    """
    for pair in match_customizations(old, new, scope.managed):
        if pair.is_in(scope):
            yield pair


def match_customizations(
    old: Sequence[Customization], new: Sequence[Customization], managed: Managed = ALL_RULES
) -> Iterator[Pair]:
    """Pair the customizations of two snapshots.

    Customizations with the same id are a pair, even with different models. The other customizations
    are paired by model and text without the id, and after that by model and target, if each side
    has exactly one customization with the target. The order of the snapshots has no influence.

    Args:
        old: the old snapshot.
        new: the new snapshot.
        managed: the managed rules. Without a common id, a managed rule and somebody else's are no
            pair, so that neither takes the place of the other.

    Yields:
        Each customization of either side exactly once: first ``old`` in its order, with the
        counterparts, then the unpaired customizations of ``new``.
    """
    by_id = {item.id: index for index, item in enumerate(new) if item.id is not None}
    pairs: dict[int, int] = {}
    for index, item in enumerate(old):
        if item.id is not None and item.id in by_id:
            pairs[index] = by_id.pop(item.id)
    new_rest = {index: new[index] for index in by_id.values()}
    new_rest |= {index: item for index, item in enumerate(new) if item.id is None}
    # Grouping reads every text, so it is skipped in the usual case: all ids agree.
    if new_rest and len(pairs) < len(old):
        old_rest = {index: item for index, item in enumerate(old) if index not in pairs}
        # By the text first: it also tells apart several rules with the same target.
        find_target = partial(_build_managed_key, managed=managed)
        for key, only_unambiguous in ((build_content_key, False), (find_target, True)):
            found = _pair_by_key(old_rest, new_rest, key, only_unambiguous=only_unambiguous)
            pairs |= found
            for old_index, new_index in found.items():
                del old_rest[old_index], new_rest[new_index]
    for index, item in enumerate(old):
        if index in pairs:
            yield Pair(item, new[pairs[index]], index, pairs[index])
        else:
            yield Pair(item, None, index, None)
    for index, item in new_rest.items():
        yield Pair(None, item, None, index)


def _pair_by_key(
    old: Mapping[int, Customization],
    new: Mapping[int, Customization],
    key: Callable[[Customization], tuple[str, object]],
    *,
    only_unambiguous: bool,
) -> dict[int, int]:
    """Pair customizations that have the same key.

    Args:
        old: index → customization of the old snapshot.
        new: index → customization of the new snapshot.
        key: returns the key of a customization.
        only_unambiguous: pair only if each side has exactly one customization with the key.

    Returns:
        Index in the old snapshot → index in the new one.
    """
    old_groups, new_groups = _group_by(old, key), _group_by(new, key)
    pairs: dict[int, int] = {}
    for common, new_indexes in new_groups.items():
        old_indexes = old_groups.get(common, [])
        if not only_unambiguous or len(old_indexes) == len(new_indexes) == 1:
            pairs.update(zip(old_indexes, new_indexes, strict=False))
    return pairs


def _group_by(
    items: Mapping[int, Customization], key: Callable[[Customization], tuple[str, object]]
) -> dict[object, list[int]]:
    """Return the indexes of the customizations that share a key, by that key."""
    groups: dict[object, list[int]] = {}
    # Sorted by id, so that the order of a snapshot decides nothing. Customizations without an id
    # come first on both sides, and so become pairs.
    for index in sorted(items, key=lambda index: items[index].id or ""):
        groups.setdefault(key(items[index]), []).append(index)
    return groups


def build_content_key(item: Customization) -> tuple[str, bytes]:
    """Return the model and the text without the id."""
    if item.id is None:
        return item.model, item.text
    # In canonical text, the id stands in the first line and only there.
    return item.model, b"  - " + item.text.partition(b"\n    ")[2]


def build_target_key(item: Customization) -> tuple[str, object]:
    """Return the model and the target."""
    return item.model, item.target


def _build_managed_key(item: Customization, managed: Managed) -> tuple[str, object]:
    """Return the model and the target, and whether the rule is managed."""
    return item.model, (item.target, is_managed(item, managed))


def is_managed(item: Customization, managed: Managed) -> bool:
    """Return whether a customization is one of the managed rules."""
    return managed.includes(item.model, partial(find_tags, item))


def is_in_filters(item: Customization | None, scope: Scope) -> bool:
    """Return whether the filters let the customization through, those of the API as the API would.

    Whether it is managed doesn't matter.
    """
    if item is None:
        return False
    if scope.ids and item.id not in scope.ids:
        return False
    kind, identity, _ = item.target
    wanted_values = (
        (scope.model, item.model),
        (scope.target_type, kind),
        (scope.target_identity, identity),
    )
    if any(wanted is not None and wanted != value for wanted, value in wanted_values):
        return False
    # Tags come last, because only they need the text searched.
    return scope.tag is None or scope.tag in find_tags(item)


def is_filter_inconclusive(
    committed: Sequence[Customization], live: Sequence[Customization], scope: Scope
) -> bool:
    """Whether a filtered answer can't tell whether a committed rule was changed or removed."""
    for old, new, *_ in match_customizations(committed, live, scope.managed):
        if old is None:
            continue
        # A rule without an id is in the answer if it has any counterpart there.
        is_answered = new is not None and old.id in (None, new.id)
        # A missing rule of the scope was removed, or only left the filter. A rule from outside the
        # scope has come into the filter.
        if is_answered != is_in_filters(old, scope):
            return True
        # A counterpart with another id may be a second rule: the filter may hide the first one.
        if new is not None and not is_answered:
            return True
    return False


def resolve_ids(scope: Scope, known: Iterable[Customization]) -> Scope:
    """Return a scope whose beginnings of ids are completed.

    Args:
        scope: the filters.
        known: the customizations of one tracker on both sides.
    """
    if not scope.ids:
        return scope
    known_ids = collect_ids(known)
    ids: list[str] = []
    for beginning in scope.ids:
        # The beginning itself where no rule has it: without any id, the scope would filter nothing.
        ids += _find_ids(beginning, known_ids) or [beginning]
    return replace(scope, ids=tuple(ids))


def _find_ids(beginning: str, known: Collection[str]) -> list[str]:
    if beginning in known:
        return [beginning]
    return sorted(id_ for id_ in known if id_.startswith(beginning))


def check_ids(scope: Scope, known: Iterable[Customization], *, is_complete: bool = True) -> None:
    """Refuse a beginning of an id that fits no rule, or several.

    Args:
        scope: the filters, as they were given.
        known: the customizations of all trackers on both sides.
        is_complete: whether no tracker failed, which might have had the rule.

    Raises:
        UsageError: a beginning is unknown or ambiguous.
    """
    known_ids = collect_ids(known) if scope.ids else set()
    for beginning in scope.ids:
        found = _find_ids(beginning, known_ids)
        if len(found) > 1:
            listing = ", ".join(map(one_line, found[:_MAX_CANDIDATES]))
            more = ", …" if len(found) > _MAX_CANDIDATES else ""
            message = f"--id {shlex.quote(beginning)} could be {len(found)} customizations"
            raise UsageError(message, hint=f"write more of the id: {listing}{more}")
        if not found and is_complete:
            beginnings = {id_[: len(beginning)] for id_ in known_ids}
            hint = "the ids stand in the files, and in diff --format json"
            hint = suggest(beginning, beginnings, otherwise=hint)
            raise UsageError(
                f"no customization on either side has an id that begins with {beginning!r}",
                hint=hint,
            )


def collect_ids(items: Iterable[Customization]) -> set[str]:
    """Return the ids of the customizations that have an id."""
    return {item.id for item in items if item.id is not None}


def are_ids_disjoint(one: Iterable[Customization], other: Iterable[Customization]) -> bool:
    """Whether both sides have ids, but no id in common."""
    ids, other_ids = collect_ids(one), collect_ids(other)
    return bool(ids and other_ids) and ids.isdisjoint(other_ids)


def build_no_match_error(scope: Scope, known: Iterable[Customization]) -> UsageError:
    """Return the error for filters that no managed rule is in; its hint has the nearest value.

    Args:
        scope: the filters.
        known: the customizations of both sides.
    """
    options: list[str] = []
    for field, value in scope.build_query().items():
        options.append(f"{_OPTIONS[field]} {shlex.quote(value)}")
    options += [f"--id {shlex.quote(id_)}" for id_ in scope.ids]
    hint = "nothing is known yet; run without filters"
    known = list(known)
    scope = resolve_ids(scope, known)
    for field, value in scope.build_query().items():
        values = _collect_values(known, field)
        if values and value not in values:
            suggest_value = suggest_model if field == "model" else suggest
            hint = f"{_OPTIONS[field]}: {suggest_value(value, values)}"
            break
        if values:
            hint = "each of the values exists, but no customization has them all"
    if any(is_in_filters(item, scope) for item in known):
        hint = "some do, but `manages` in pinsync.yaml leaves them out"
    message = f"no customization matches {' '.join(options)} on either side"
    return UsageError(message, hint=hint)


def _collect_values(items: Iterable[Customization], field: str) -> set[str]:
    """Return the values that customizations have for a field of a scope."""
    values: set[str | None] = set()
    for item in items:
        if field == "model":
            values.add(item.model)
        elif field == "tag":
            values.update(read_tags(read_data(item)))
        elif field == "target_type":
            values.add(item.target.type)
        else:
            values.add(item.target.identity)
    return {value for value in values if value is not None}


def read_data(item: Customization | None) -> dict[str, Any]:
    """Return the fields of a customization, its model included; no fields for None."""
    if item is None:
        return {}
    # The text came from `render`, so it isn't rendered once more to be sure.
    data = canonical.read_rendered(item.text.decode())
    if data is None:
        raise AssertionError(f"the text of {item.id} isn't canonical")
    return {"model": item.model, **data}


def read_tags(data: Mapping[str, object]) -> tuple[str, ...]:
    """Return the tags in a customization's data; none if they are of an unexpected type."""
    tags = data.get("tags")
    if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
        return tuple(tags)
    return ()


def find_tags(item: Customization) -> tuple[str, ...]:
    """Return the tags of a customization; none if they are of an unexpected type.

    The rest of the text isn't read, which takes fifteen times as long.
    """
    at = item.text.find(_TAGS_KEY)
    found = _TAGS.match(item.text, at) if at >= 0 else None
    if found is None:
        return ()
    tags = tuple(canonical.read_value(line[8:]) for line in found[1].splitlines())
    return tags if all(isinstance(tag, str) for tag in tags) else ()


def build_sort_key(item: Customization) -> tuple[Any, ...]:
    """Return the sort key of a customization among all customizations of a tracker."""
    return item.model, *canonical.build_sort_key(item)


def read_title(data: Mapping[str, object]) -> str | None:
    """Return the title of the target in a customization's data; None if there is no title."""
    metadata = data.get("target_metadata")
    if not isinstance(metadata, dict):
        return None
    title = metadata.get("title")
    return title if isinstance(title, str) and title else None


def find_title(item: Customization) -> str | None:
    """Return the title in the metadata of a customization; None if there is no title.

    The rest of the text isn't read, which takes fifty times as long.
    """
    at = item.text.find(_METADATA_KEY)
    metadata = _METADATA.match(item.text, at) if at >= 0 else None
    line = _TITLE.search(metadata[0]) if metadata else None
    title = canonical.read_value(line[1]) if line else None
    return title if isinstance(title, str) and title else None


def describe_target(item: Customization) -> str:
    """Return the target of a customization as people call it, with the title from its metadata."""
    kind, identity, criteria = item.target
    if identity is None:
        # Canonical criteria have several lines.
        identity = " ".join((criteria or "").split())
    target = f"{kind} {identity}".strip()
    title = read_title(read_data(item))
    return f"{target} ({title})" if title else target
