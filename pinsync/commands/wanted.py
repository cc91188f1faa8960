"""Which changes ``pinsync history`` is asked for, and whether there ever was what is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pinsync.commands.selection import matches, stands_in, unknown_model, unknown_target
from pinsync.drift.changes import pins_of, plain_data
from pinsync.drift.pairs import in_scope, read_tags
from pinsync.errors import UsageError, suggestion
from pinsync.model import Customization, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from pinsync.drift.record import Change

_IDENTITY: Final = frozenset({"id", "model", "target_type", "target_identity", "target_criteria"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; None asks for nothing in particular. A change counts if either side of it is that.

    Attributes:
        model: the recommender model.
        target: what `selection.matches` takes.
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
        scope = Scope(self.model, self.tag, None, self.target_identity)
        for change in changes:
            if not any(in_scope(side, scope) and self._is(side) for side in (change.old, change.new)):
                continue
            if found := change if self.item is None else _of_item(change, self.item):
                yield found

    def _is(self, item: Customization | None) -> bool:
        if item is None or (self.id is not None and item.id != self.id):
            return False
        return self.target is None or matches(item, self.target)

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
        if self.target is not None and not any(matches(item, self.target) for item in items):
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

    That is what became of its pins; and of a rule that holds it, that it came under another id, model or target.
    """
    pins = tuple(pin for pin in change.pins if any(_holds(side, item) for side in (pin.old, pin.new)))
    held = change.new is not None and any(_holds(pin, item) for pin in pins_of(plain_data(change.new)))
    fields = tuple(found for found in change.fields if held and found.path[0] in _IDENTITY)
    return replace(change, pins=pins, fields=fields) if pins or fields else None


def _holds(pin: Mapping[str, Any] | None, item: str) -> bool:
    return pin is not None and pin.get("pin_identity") == item


def _check(
    word: str, message: str, names: Callable[[Customization], Iterable[str | None]], items: Collection[Customization]
) -> None:
    """Make sure that a customization has a name, the nearest being suggested otherwise.

    The texts are looked at before any is read, which takes a hundred times as long.
    """
    if any(stands_in(word, item) and word in names(item) for item in items):
        return
    known = {name for item in items for name in names(item) if name is not None}
    hint = suggestion(word, known, otherwise="see what there is with `pinsync show`, or in git log -p")
    raise UsageError(f'{message} "{word}"', hint=hint)


def _identities(item: Customization) -> Iterable[str | None]:
    return (item.target.identity,)


def _ids(item: Customization) -> Iterable[str | None]:
    return (item.id,)


def _tags(item: Customization) -> Iterable[str | None]:
    return read_tags(item)


def _pinned(item: Customization) -> Iterable[str | None]:
    found = (pin.get("pin_identity") for pin in pins_of(plain_data(item)))
    return [identity for identity in found if isinstance(identity, str)]
