"""The lint rules: one module each, with its id, its severity, ``check``, and a docstring that is its documentation."""

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
    """A module that is a rule."""

    @property
    def ID(self) -> str:  # noqa: N802 - a module's constant
        """The name that the command line and comments know it by."""

    @property
    def SEVERITY(self) -> Severity:  # noqa: N802 - likewise
        """How grave its findings are."""

    def check(self, folder: Folder) -> Iterator[Fault]:
        """Yield what is wrong."""


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
    invisible,
    unknown_field,
    format,
    unknown_ignore,
)
RULES: Final[Mapping[str, LintRule]] = {rule.ID: rule for rule in _ALL}
"""Id → rule, what goes deeper first."""


def describe_rule(rule: LintRule) -> tuple[str, str]:
    """Return what a rule finds, in a sentence, and why that matters and how to mend it, in markdown."""
    summary, _, rest = cleandoc(rule.__doc__ or "").partition("\n\n")
    return " ".join(summary.split()), rest
