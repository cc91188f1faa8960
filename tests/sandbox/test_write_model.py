"""The sandbox's store after any calls, compared with a plain dict: under every choice."""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING, Any, Literal

import hypothesis.strategies as st
from hypothesis import given, settings
from msgspec import Struct

from pinsync import canonical
from pinsync.canonical import normalize
from pinsync.sandbox import Choices
from pinsync.sandbox.store import SERVERS_OWN
from support.sandboxes import NOW, box, bulk, call, export

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from pinsync.sandbox import Sandbox

Row = dict[str, Any]

NOW_TEXT = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")

targets = st.sampled_from(
    [
        {"target_type": "item", "target_identity": "/p/1/"},
        {"target_type": "item", "target_identity": "/p/2/"},
        {"target_type": "criteria", "target_criteria": {"a": 1, "b": [2]}},
        {"target_type": "all"},
        {"target_type": "item"},
    ]
)
pins = st.fixed_dictionaries(
    {
        "position": st.sampled_from([-1, 0, 3, "x"]),
        "pin_type": st.just("item"),
        "pin_identity": st.just("/p/3/"),
    },
    optional={"weight": st.just(1.5)},
)
bodies = st.builds(
    lambda target, fields: {**target, **fields},
    targets,
    st.fixed_dictionaries(
        {"model": st.just("m"), "tags": st.lists(st.sampled_from("ab"), max_size=1)},
        optional={
            "target_metadata": st.sampled_from([{"title": "A"}, {"title": "B"}]),
            "pin_definitions": st.lists(pins, max_size=2),
            "note": st.just("odd"),
        },
    ),
)


class Call(Struct, frozen=True):
    """One call of the API.

    Attributes:
        kind: the method, or ``bulk``.
        index: which of the stored customizations is meant; none has this id if it's too large.
        bodies: what is sent.
        strategy: of a bulk call.
    """

    kind: Literal["POST", "PUT", "DELETE", "GET", "bulk"]
    index: int
    bodies: list[Row]
    strategy: str


calls = st.builds(
    Call,
    st.sampled_from(["POST", "PUT", "DELETE", "GET", "bulk"]),
    st.integers(0, 3),
    st.lists(bodies, min_size=1, max_size=3),
    st.sampled_from(["raise", "ignore", "override"]),
)
choices = st.builds(
    Choices,
    create_status=st.sampled_from([200, 201]),
    metadata_on_create=st.sampled_from(["required", "optional"]),
    metadata_on_put=st.sampled_from(["replace", "keep", "drop"]),
    taken_target=st.sampled_from(["refuse", "double"]),
    unknown_fields=st.sampled_from(["refuse", "keep", "drop"]),
    bulk=st.sampled_from(["atomic", "partial"]),
    bulk_conflict=st.sampled_from(["target", "never"]),
)


class Refusal(Exception):  # noqa: N818 - an answer, not a failure
    """The model refuses a call with a status."""


class Model:
    """What the API does to its customizations, in a dict by number."""

    def __init__(self, choices: Choices) -> None:
        self.rows: dict[int, Row] = {}
        self._choices = choices
        self._ids = itertools.count()

    def answer(self, sent: Call, identifier: int | None) -> int:
        """Return the status of the answer to a call, whose effect the model has."""
        try:
            return self._answer(sent, identifier)
        except Refusal as refused:
            return int(str(refused))

    def _answer(self, sent: Call, identifier: int | None) -> int:
        if sent.kind == "bulk":
            self._create_many(sent)
            return 200
        if sent.kind == "POST":
            row = self._check(sent.bodies[0], is_new=True)
            self._refuse_taken(row)
            self.rows[next(self._ids)] = row
            return self._choices.create_status
        if identifier is None:
            raise Refusal(404)
        if sent.kind == "DELETE":
            del self.rows[identifier]
            return 204
        if sent.kind == "PUT":
            self._replace(identifier, self._check(sent.bodies[0], is_new=False))
        return 200

    def _replace(self, identifier: int, row: Row) -> None:
        before = self.rows[identifier]
        if target(row) != target(before):
            self._refuse_taken(row)
        metadata = {
            "replace": row.get("target_metadata"),
            "keep": before.get("target_metadata"),
            "drop": None,
        }
        self.rows[identifier] = {
            **row,
            "target_metadata": metadata[self._choices.metadata_on_put],
        }

    def _create_many(self, sent: Call) -> None:
        before = dict(self.rows)
        try:
            if self._choices.bulk == "atomic":
                for body in sent.bodies:
                    self._check(body, is_new=True)
            for body in sent.bodies:
                self._create_line(self._check(body, is_new=True), sent.strategy)
        except Refusal:
            if self._choices.bulk == "atomic":
                self.rows = before
            raise

    def _create_line(self, row: Row, strategy: str) -> None:
        owner = self._find_owner(row)
        if owner is None or self._choices.bulk_conflict == "never":
            self.rows[next(self._ids)] = row
        elif strategy == "raise":
            raise Refusal(409)
        elif strategy == "override":
            self.rows[owner] = row

    def _check(self, row: Row, *, is_new: bool) -> Row:
        needed = ["target_identity"] if row["target_type"] == "item" else []
        if is_new:
            needed.append("pin_definitions")
            if row["target_type"] == "item" and self._choices.metadata_on_create == "required":
                needed.append("target_metadata")
        pins = row.get("pin_definitions", [])
        is_odd = "note" in row or any("weight" in pin for pin in pins)
        if any(name not in row for name in needed) or any(pin["position"] == "x" for pin in pins):
            raise Refusal(422)
        if is_odd and self._choices.unknown_fields == "refuse":
            raise Refusal(422)
        if self._choices.unknown_fields == "keep":
            return row
        known = copy.deepcopy(row)
        known.pop("note", None)
        for pin in known.get("pin_definitions", []):
            pin.pop("weight", None)
        return known

    def _refuse_taken(self, row: Row) -> None:
        if self._choices.taken_target == "refuse" and self._find_owner(row) is not None:
            raise Refusal(409)

    def _find_owner(self, row: Row) -> int | None:
        for identifier, stored in self.rows.items():
            if target(stored) == target(row):
                return identifier
        return None


def target(row: Row) -> tuple[object, ...]:
    return tuple(row.get(name) for name in ("target_type", "target_identity", "target_criteria"))


def content(rows: Sequence[Row]) -> list[str]:
    """Return the canonical texts of customizations, without what only the server knows."""
    texts = []
    for row in rows:
        kept = {name: value for name, value in row.items() if name not in SERVERS_OWN}
        texts.append(canonical.render(normalize.normalize_row({"id": "i", **kept})))
    return sorted(texts)


def send(sandbox: Sandbox, sent: Call, identifier: str | None) -> httpx.Response:
    if sent.kind == "bulk":
        return bulk(sandbox, *sent.bodies, strategy=sent.strategy)
    if sent.kind == "POST":
        return call(sandbox, "POST", "scope", sent.bodies[0])
    body = sent.bodies[0] if sent.kind == "PUT" else None
    return call(sandbox, sent.kind, f"scope/{identifier or 'missing'}", body)


@settings(max_examples=150, deadline=None)
@given(choices, st.lists(calls, max_size=10))
def test_the_store_is_a_dict(choices: Choices, sequence: list[Call]) -> None:
    model = Model(choices)
    with box(choices=choices, seed=1) as sandbox:
        for sent in sequence:
            stored = [row["id"] for row in sandbox.customizations()]
            # Both keep the order in which customizations were created.
            known = list(model.rows)
            assert len(known) == len(stored)
            is_missing = sent.index >= len(stored)
            identifier = None if is_missing else stored[sent.index]
            response = send(sandbox, sent, identifier)
            expected = model.answer(sent, None if is_missing else known[sent.index])
            assert response.status_code == expected, response.text
            rows = sandbox.customizations()
            assert content(rows) == content(list(model.rows.values()))
            assert len({row["id"] for row in rows}) == len(rows)
            assert {row["updated_at"] for row in rows} <= {NOW_TEXT}
        assert content(export(sandbox)) == content(list(model.rows.values()))
