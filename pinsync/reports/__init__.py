"""Reports: a folder for each subject, in it one module a format, each a pure function from a record to text.

`words` holds the sentences and layouts that several reports share, `ci` the formats of CI systems for drift and lint.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

_CI: Final = {"github": "ci.github", "gitlab": "ci.gitlab", "sarif": "ci.sarif", "junit": "ci.junit"}
DRIFT_FORMATS: Final[Mapping[str, str]] = {
    "text": "drift.text",
    "json": "drift.json",
    "markdown": "drift.markdown",
    "patch": "drift.patch",
    **_CI,
}
"""Format of a drift → the module of its report, whose ``render`` takes the drift and the style."""
LINT_FORMATS: Final[Mapping[str, str]] = {"text": "lint.text", "json": "lint.json", **_CI}
"""Format of the linter's findings → the module of its report; see ``render_findings`` there."""


@dataclass(frozen=True, slots=True)
class Style:
    """What a report is told besides the drift.

    Attributes:
        zone: the time zone of people's reports; the machines' are in UTC.
        color: whether terminal colours are wanted.
        max_chars: the most characters a report for a page may have; None for the page's own limit.
        summary: whether the counts are enough.
        configuration: the configuration's path from the repository's root.
        has_page: whether a CI job has a page that takes a summary.
    """

    zone: tzinfo
    color: bool = False
    max_chars: int | None = None
    summary: bool = False
    configuration: str = "pinsync.yaml"
    has_page: bool = False


def load_drift(format_: str) -> Any:  # noqa: ANN401 - a module
    """Import the report of a drift in a format: only the format that was asked for costs time at the start."""
    return import_module(f"{__name__}.{DRIFT_FORMATS[format_]}")


def load_lint(format_: str) -> Any:  # noqa: ANN401 - a module
    """Import the report of the linter in a format."""
    return import_module(f"{__name__}.{LINT_FORMATS[format_]}")
