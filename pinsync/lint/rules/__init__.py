"""The lint rules: one module each.

A module has an ``ID``, a ``SEVERITY`` and ``check``. Its docstring is the documentation of the lint
rule.
"""

from __future__ import annotations

from inspect import cleandoc
from typing import TYPE_CHECKING, Final, Protocol

from pinsync.lint.rules import (
    block_position,
    date_time,
    duplicate_id,
    duplicate_pin,
    duplicate_target,
    expired,
    file_name,
    format,  # noqa: A004 - a lint rule's module has its name
    invisible,
    missing_item,
    pin_fields,
    pinned_and_blocked,
    position,
    position_conflict,
    schema,
    self_pin,
    several_for_all,
    syntax,
    target_fields,
    target_missing,
    unknown_field,
    unknown_ignore,
    unread_document,
    window,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pinsync.lint.folder import Fault, Folder, Severity


class LintRule(Protocol):
    """A module with a lint rule."""

    @property
    def ID(self) -> str:  # noqa: N802 - a module's constant
        """The name of the lint rule on the command line and in comments."""

    @property
    def SEVERITY(self) -> Severity:  # noqa: N802 - likewise
        """The severity of its findings."""

    def check(self, folder: Folder) -> Iterator[Fault]:
        """Yield the faults of the documents."""


_ALL: Final[tuple[LintRule, ...]] = (
    syntax,
    schema,
    file_name,
    unread_document,
    duplicate_id,
    duplicate_target,
    several_for_all,
    target_fields,
    target_missing,
    pin_fields,
    block_position,
    position,
    position_conflict,
    duplicate_pin,
    pinned_and_blocked,
    self_pin,
    window,
    date_time,
    expired,
    missing_item,
    invisible,
    unknown_field,
    format,
    unknown_ignore,
)
RULES: Final[Mapping[str, LintRule]] = {rule.ID: rule for rule in _ALL}
"""Id → lint rule, the graver ones first."""


def describe_rule(rule: LintRule) -> tuple[str, str]:
    """Return the summary of a lint rule, a sentence, and its explanation, in markdown."""
    summary, _, explanation = cleandoc(rule.__doc__ or "").partition("\n\n")
    return " ".join(summary.split()), explanation
