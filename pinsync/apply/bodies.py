"""Build the bodies of writes: the rule of git, with the fields of the shop that git leaves out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pinsync.canonical.fields import CUSTOMIZATION, MODEL, NOT_WRITTEN
from pinsync.drift.pairs import read_data

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinsync.canonical.normalize import Ignored
    from pinsync.model import Customization

_PINS = "pin_definitions"
_METADATA = "target_metadata"
_LISTS = frozenset(field.name for field in CUSTOMIZATION if field.type in ("strings", "pins"))
_SERVERS_OWN = frozenset({"id", *NOT_WRITTEN})


def build_new_body(rule: Customization) -> bytes:
    """Return a new rule as JSON.

    Args:
        rule: the rule of git.
    """
    body = _build_fields(rule)
    if rule.target.type == "item":
        # One edition of the reference requires it. An empty object says the same as none.
        body.setdefault(_METADATA, {})
    return _encode(body)


def build_changed_body(
    rule: Customization, before: Customization, row: Mapping[str, Any], ignore: Ignored
) -> bytes:
    """Return a rule that replaces a rule of the shop, as JSON.

    Tags and pins that git no longer has are sent as empty lists, since a server may keep a field
    that is left out.

    Args:
        rule: the rule of git.
        before: the rule of the shop.
        row: the rule of the shop as the API answered it.
        ignore: the paths of the fields that git leaves out; the shop's values are kept.
    """
    body = _build_fields(rule)
    for name in read_data(before):
        # Of an undocumented field, nobody knows whether an empty list says the same as none.
        if name in _LISTS:
            body.setdefault(name, [])
    for path in ignore:
        if path[0] not in (*_SERVERS_OWN, MODEL):
            _copy_field(row, body, path)
    return _encode(body)


def _build_fields(rule: Customization) -> dict[str, Any]:
    body = read_data(rule)
    body.pop("id", None)
    body.setdefault(_PINS, [])
    return body


def _copy_field(source: Mapping[str, Any], target: dict[str, Any], path: tuple[str, ...]) -> None:
    """Copy a value to the same path; the target has no value there."""
    name, *rest = path
    if name not in source:
        return
    value = source[name]
    if not rest:
        target[name] = value
        return
    if not isinstance(value, dict):
        return
    inner = target.get(name, {})
    if isinstance(inner, dict):
        copy = dict(inner)
        _copy_field(value, copy, tuple(rest))
        if copy:
            target[name] = copy


def _encode(body: Mapping[str, Any]) -> bytes:
    # Not msgspec, which refuses integers of more than 64 bits. In ASCII, so that no character
    # passes for a line end in a bulk call.
    return json.dumps(body, separators=(",", ":")).encode()
