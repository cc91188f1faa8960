"""Read the bodies of requests: a customization, or one in each line of a bulk call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pinsync.sandbox.checks import is_list_of_objects
from pinsync.sandbox.messages import Refusal, build_refusal
from pinsync.sandbox.validation import drop_unknown_fields, find_problems, find_unknown_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pinsync.sandbox.choices import Choices
    from pinsync.sandbox.spelling import Row


def parse_customization(body: bytes, choices: Choices, identifier: str | None = None) -> Row:
    """Return the customization in a body, or refuse it (422).

    Args:
        body: the customization as JSON.
        choices: what the API asks of a customization.
        identifier: the id in the path, the only one that the body may have; None for a new
            customization.
    """
    row = _parse_object(body)
    problems = find_problems(row, required=_list_required(row, choices, identifier))
    if choices.unknown_fields == "refuse":
        problems |= find_unknown_fields(row)
    if row.get("id", identifier) != identifier:
        reason = "The server gives the id" if identifier is None else "Must be the id in the path"
        problems["id"] = [reason]
    if problems:
        raise build_refusal(problems)
    if choices.unknown_fields == "drop":
        return drop_unknown_fields(row)
    return row


def parse_lines(lines: Sequence[bytes], choices: Choices) -> tuple[list[Row], Refusal | None]:
    """Return the new customizations of a bulk call up to the first line to refuse, if any."""
    rows: list[Row] = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(parse_customization(line, choices))
        except Refusal as refused:
            details = {f"{number}.{name}": text for name, text in refused.details.items()}
            return rows, build_refusal(details)
    return rows, None


def parse_criteria(body: bytes) -> list[Row] | None:
    """Return the ``criteria`` in the body of a list's request; None if there are none."""
    criteria = _parse_object(body).get("criteria") if body else None
    if criteria is None or is_list_of_objects(criteria):
        return criteria
    raise build_refusal({"criteria": ["Must be a list of objects"]})


def split_lines(body: bytes) -> list[bytes]:
    """Return the lines of a bulk call; blank lines don't count."""
    return [line for line in body.split(b"\n") if line.strip()]


def _list_required(row: Row, choices: Choices, identifier: str | None) -> Collection[str]:
    """Return the fields that a customization needs because it is new."""
    if identifier is not None:
        return ()
    if choices.metadata_on_create == "required" and row.get("target_type") == "item":
        return ("pin_definitions", "target_metadata")
    return ("pin_definitions",)


def _parse_object(body: bytes) -> Row:
    try:
        content = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise build_refusal({"body": [f"Not valid JSON: {error}"]}) from error
    if not isinstance(content, dict):
        raise build_refusal({"body": ["Must be an object"]})
    return content


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
