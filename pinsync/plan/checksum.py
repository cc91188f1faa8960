"""The checksum of a plan: equal for equal effects on the shop, whatever commit asks for them."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from pinsync.drift.pairs import build_content_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinsync.model import Customization
    from pinsync.plan.record import Operation, TrackerPlan


def compute_checksum(trackers: Iterable[TrackerPlan]) -> str:
    """Return the SHA-256 of the operations, in hexadecimal digits.

    A line of JSON stands for each tracker and for each operation. No commit, author or date is
    part of it, and no id that only git has.

    Args:
        trackers: the plans of all trackers of the run, in the order of the configuration.
    """
    digest = sha256()
    for tracker in trackers:
        digest.update(_encode("tracker", tracker.drift.tracker_id))
        for operation in tracker.operations:
            digest.update(_encode(*_describe(operation)))
    return digest.hexdigest()


def _encode(*values: str | None) -> bytes:
    # In ASCII: JSON escapes all other characters, so that each line means one list of values.
    return json.dumps(values).encode() + b"\n"


def _describe(operation: Operation) -> list[str | None]:
    rule = operation.change.subject
    texts = map(_hash_text, (operation.before, operation.after))
    return [operation.kind, rule.model, *rule.target, operation.id, *texts]


def _hash_text(rule: Customization | None) -> str | None:
    """Return the hash of the model and the text without the id; None without a rule."""
    if rule is None:
        return None
    model, text = build_content_key(rule)
    return sha256(model.encode() + b"\0" + text).hexdigest()
