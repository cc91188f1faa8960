"""Follow rules through the versions of their documents, without reading all other rules.

A walk through whole states reads each document of each commit. Most rules never left their
document, and their block is found in the next version by comparing bytes. All else is given up, and
left to the walk through whole states: a rule that came from another document or had no id, a
document in another layout, a file that can't be read.
"""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from pinsync import canonical
from pinsync.document.changed import find_changed_text
from pinsync.document.cut import cut_blocks, cut_off_comments
from pinsync.document.parse import parse_document
from pinsync.errors import DataError, FileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pinsync.document.changed import ChangedText
    from pinsync.history.bases import Arrival
    from pinsync.history.movers import Trace
    from pinsync.history.versions import IgnoredFields
    from pinsync.model import Commit, Customization

_get_begin: Final = attrgetter("begin")
_EDGE: Final = b"\n  - "
_FIRST_LINE: Final = re.compile(rb"^  - (?:id: ([0-9A-Za-z-]+)$)?", re.MULTILINE)
"""The beginning of a block, with the id if it stands there as in canonical text."""


class _Held(NamedTuple):
    """A rule whose document is known: its way, and the place of its block in the document."""

    trace: Trace
    begin: int

    @property
    def rule_id(self) -> bytes:
        """The id, as the block has it."""
        return (self.trace.rule_id or "").encode()


class _Difference(NamedTuple):
    """The difference of a document from its older version.

    Attributes:
        head: the head of the document.
        changes: the places of the blocks that differ.
        parts: for each place, the blocks of the older version.
    """

    head: bytes
    changes: Sequence[ChangedText]
    parts: Sequence[bytes]


class Parent(NamedTuple):
    """The parent of a commit.

    Attributes:
        texts: path → bytes of each document that the commit changed; None if the parent lacks it.
        is_in_others: returns whether a changed document that isn't among them may have a rule, by
            the bytes of its id.
    """

    texts: Mapping[str, bytes | None]
    is_in_others: Callable[[bytes], bool]

    def has_elsewhere(self, rule_id: bytes, path: str) -> bool:
        """Return whether a document other than that of a path may have a rule."""
        for other, text in self.texts.items():
            if other != path and text is not None and rule_id in text:
                return True
        return self.is_in_others(rule_id)


class DocumentWalk:
    """The walk of one tracker's rules.

    Args:
        traces: the ways of the rules.
        texts: path → bytes of each document of git's side.
        ignore: the paths of the fields to ignore.

    Attributes:
        given_up: the traces that are left to the walk through whole states.
        texts: path → bytes of each document of git's side; of the documents that matter, the
            version in the current commit.
    """

    def __init__(
        self, traces: Iterable[Trace], texts: Mapping[str, bytes], ignore: IgnoredFields
    ) -> None:
        self.given_up: list[Trace] = []
        self.texts = dict(texts)
        self._ignore = ignore
        self._held: dict[str, list[_Held]] = {}
        # The rules whose older texts are looked for up to a date.
        self._seekers: list[Trace] = []
        # The rules that git lacks, by id.
        self._sought: dict[bytes, Trace] = {}
        self._place(traces)

    def _place(self, traces: Iterable[Trace]) -> None:
        """Find the blocks of the rules."""
        places: dict[bytes, tuple[str, int]] = {}
        for path, text in self.texts.items():
            for found in _FIRST_LINE.finditer(text):
                if found[1] is not None:
                    places[found[1]] = path, found.start()
        for trace in traces:
            rule_id = (trace.rule_id or "").encode()
            path, begin = places.get(rule_id, ("", 0))
            if trace.item is None and rule_id and not path:
                self._sought[rule_id] = trace
            elif trace.item and path and self._is_at(trace.item, path, begin):
                self._held.setdefault(path, []).append(_Held(trace, begin))
            else:
                self.given_up.append(trace)
        for rules in self._held.values():
            rules.sort(key=_get_begin)

    def _is_at(self, item: Customization, path: str, begin: int) -> bool:
        """Return whether a rule is the block at a place."""
        text = self.texts[path]
        block = _cut_block(text, begin)
        # Most blocks are canonical, and needn't be read.
        return block == item.text or self._read(text[: text.find(_EDGE) + 1], block) == item

    @property
    def is_done(self) -> bool:
        """Whether no rule is looked for."""
        return not self._sought and not self._held

    def concerns(self, path: str) -> bool:
        """Return whether the earlier versions of a document matter."""
        return bool(self._sought) or path in self._held

    def _list_traces(self) -> list[Trace]:
        """Return the traces that are neither finished nor given up."""
        held = [each.trace for rules in self._held.values() for each in rules]
        return [*held, *self._sought.values()]

    def expire(self, arrival: Arrival) -> None:
        """Drop the rules to which no older commit can give an answer."""
        for trace in self._seekers:
            trace.expire(arrival.moment)
        seekers = [trace for trace in self._seekers if not trace.is_finished]
        if len(seekers) < len(self._seekers):
            self._seekers = seekers
            for path, rules in list(self._held.items()):
                self._set_held(path, rules)

    def cut(self, commit: Commit) -> None:
        """End all traces, since the changes of a commit and all older ones can't be read."""
        for trace in self._list_traces():
            trace.cut(commit)
        self._held.clear()
        self._sought.clear()

    def give_up_held(self) -> None:
        """Give up all rules that are in a document."""
        for path in list(self._held):
            self._give_up_document(path)

    def give_up_all(self) -> None:
        """Give up all rules."""
        self.give_up_held()
        self._give_up_sought()

    def _give_up_document(self, path: str) -> None:
        self.given_up += [held.trace for held in self._held.pop(path, ())]

    def _give_up_sought(self) -> None:
        self.given_up += self._sought.values()
        self._sought.clear()

    def _set_held(self, path: str, rules: Iterable[_Held]) -> None:
        """Keep the unfinished ones of the rules in a document."""
        self._held.pop(path, None)
        if unfinished := [held for held in rules if not held.trace.is_finished]:
            self._held[path] = unfinished

    def go_back(self, parent: Parent, arrival: Arrival) -> None:
        """Go back to the parent of a commit.

        Args:
            parent: the documents that the commit changed.
            arrival: the commit.
        """
        for path, old in parent.texts.items():
            new = self.texts.pop(path, None)
            if old is not None:
                self.texts[path] = old
            if new != old:
                self._go_back_in(path, new, parent, arrival)
        self.expire(arrival)

    def _go_back_in(self, path: str, new: bytes | None, parent: Parent, arrival: Arrival) -> None:
        """Go back to an older version of one document."""
        old = parent.texts[path]
        if old is None:
            for held in self._held.pop(path, ()):
                self._lose(held.trace, path, b"", parent, arrival)
            return
        changes = find_changed_text(new, old) if new else None
        if new is None or changes is None or not old.endswith(b"\n"):
            self._give_up_document(path)
            self._search_document(old)
            return
        parts = [old[change.other_begin : change.other_end] for change in changes]
        newer = [new[change.begin : change.end] for change in changes]
        head = old[: old.find(_EDGE) + 1]
        is_regular = all(self._is_regular(head, part) for part in parts)
        if not is_regular or _repeats_id(old, parts, newer):
            self._give_up_document(path)
            self._give_up_sought()
            return
        for part in parts:
            self._search(part)
        self._move(path, _Difference(head, changes, parts), parent, arrival)

    def _move(self, path: str, difference: _Difference, parent: Parent, arrival: Arrival) -> None:
        """Move the rules of a document to their places in the older version."""
        head, changes, parts = difference
        kept: list[_Held] = []
        shift = at = 0
        # Both are in the order of the document.
        for held in self._held.get(path, ()):
            while at < len(changes) and held.begin >= changes[at].end:
                shift = changes[at].other_end - changes[at].end
                at += 1
            if at == len(changes) or held.begin < changes[at].begin:
                kept.append(held._replace(begin=held.begin + shift) if shift else held)
            elif block := _find_block(parts[at], held.rule_id):
                if self._go_back_to(held.trace, head, block, arrival):
                    kept.append(_Held(held.trace, changes[at].other_begin + parts[at].find(block)))
            else:
                self._lose(held.trace, path, parts[at], parent, arrival)
        self._set_held(path, sorted(kept, key=_get_begin))

    def _go_back_to(self, trace: Trace, head: bytes, block: bytes, arrival: Arrival) -> bool:
        """Go back to an older version of a block. Return whether it can be read; else give up."""
        item = self._read(head, block)
        if item is None:
            self.given_up.append(trace)
            return False
        if item != trace.item:
            is_new_seeker = not trace.seeks_agreement
            trace.go_back(item, arrival)
            if is_new_seeker and trace.seeks_agreement:
                self._seekers.append(trace)
        return True

    def _lose(self, trace: Trace, path: str, part: bytes, parent: Parent, arrival: Arrival) -> None:
        """Go back to before the commit that brought a rule into its document.

        Args:
            trace: the way of the rule.
            path: the path of the document.
            part: the blocks that the older document has in the place of the rule's.
            parent: the parent of the commit.
            arrival: the commit.
        """
        # The block may have got its id in the commit, or may have come from another document.
        is_unnamed = any(found[1] is None for found in _FIRST_LINE.finditer(part))
        if is_unnamed or parent.has_elsewhere((trace.rule_id or "").encode(), path):
            self.given_up.append(trace)
            return
        trace.go_back(None, arrival)
        if arrival.commit and arrival.commit.parent is None:
            trace.end()
        elif trace.seeks_agreement:
            trace.expire(arrival.moment)
        if not trace.is_finished:
            # An older commit may have had the rule in any document.
            self.given_up.append(trace)

    def _search_document(self, text: bytes) -> None:
        """Give up the rules that git lacks if an older document may have them."""
        if self._sought:
            try:
                parse_document(text, "")
            except FileError:
                self._give_up_sought()
            self._search(text)

    def _search(self, text: bytes) -> None:
        """Give up the rules that git lacks if an older text may have them."""
        for found in _FIRST_LINE.finditer(text) if self._sought else ():
            if found[1] is None:
                # A block without an id may have become the shop's rule.
                self._give_up_sought()
                return
            if trace := self._sought.pop(found[1], None):
                self.given_up.append(trace)

    def _is_regular(self, head: bytes, part: bytes) -> bool:
        """Return whether all blocks of a part of a document can be read by themselves."""
        if b"\r" in part:
            return False
        for block in cut_blocks(part):
            body, _ = cut_off_comments(block)
            if not _is_canonical(body) and self._read(head, block) is None:
                return False
        return True

    def _read(self, head: bytes, block: bytes) -> Customization | None:
        """Return the customization of a block; None if the block can't be read by itself."""
        try:
            entries = parse_document(head + block, "", ignore=self._ignore).entries
        except FileError:
            return None
        return entries[0].customization if len(entries) == 1 else None


def _is_canonical(body: bytes) -> bool:
    """Return whether a block is the canonical text of its data, as nearly all blocks are."""
    try:
        data = canonical.read_rendered(body.decode())
        # Of another text, the end may not have been read.
        return data is not None and canonical.render(data).encode() == body
    except (UnicodeDecodeError, DataError):
        return False


def _cut_block(text: bytes, begin: int) -> bytes:
    """Return the block of a text that begins at a place."""
    return text[begin : text.find(_EDGE, begin) + 1 or len(text)]


def _find_block(part: bytes, rule_id: bytes) -> bytes | None:
    """Return the block with an id among some blocks; None if there is none."""
    begin = part.find(b"  - id: %b\n" % rule_id)
    return None if begin < 0 else _cut_block(part, begin)


def _repeats_id(text: bytes, parts: Sequence[bytes], others: Sequence[bytes]) -> bool:
    """Return whether an id stands twice in a document, which then can't be read.

    Args:
        text: the document.
        parts: the parts of it that differ from another version, in which all ids are unique.
        others: the other version's blocks in the place of the parts.
    """
    ids = [found[1] for found in _FIRST_LINE.finditer(b"".join(parts)) if found[1] is not None]
    known = {found[1] for found in _FIRST_LINE.finditer(b"".join(others))}
    if len(set(ids)) < len(ids):
        return True
    return any(text.count(b"\n  - id: %b\n" % name) > 1 for name in ids if name not in known)


def list_changed_ids(old: bytes | None, new: bytes | None) -> set[str] | None:
    """Return the ids of the blocks that differ between two versions of a document.

    Args:
        old: the bytes of one version; None if there is none.
        new: the bytes of the other version, likewise.

    Returns:
        None if the versions can't be compared by their bytes.
    """
    if not old or not new:
        return _list_ids(old or new or b"")
    changes = find_changed_text(new, old)
    if changes is None:
        return None
    ids: set[str] = set()
    for change in changes:
        found = _list_blocks(new[change.begin : change.end])
        former = _list_blocks(old[change.other_begin : change.other_end])
        ids |= {name for name in {*found, *former} if found.get(name) != former.get(name)}
    return ids


def _list_ids(text: bytes) -> set[str]:
    return {found[1].decode() for found in _FIRST_LINE.finditer(text) if found[1] is not None}


def _list_blocks(part: bytes) -> dict[str, bytes]:
    """Return id → block for the blocks with an id."""
    blocks: dict[str, bytes] = {}
    for block in cut_blocks(part):
        for name in _list_ids(block):
            blocks[name] = block
    return blocks
