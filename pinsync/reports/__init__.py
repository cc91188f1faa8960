"""Reports: a folder for each subject, one module a format, each a pure function to text.

`words` holds the sentences and layouts that several reports share. `ci` holds the formats of CI
systems, for drift and lint. `html` holds what pages share.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

_CI: Final = {
    "github": "ci.github",
    "gitlab": "ci.gitlab",
    "sarif": "ci.sarif",
    "junit": "ci.junit",
}
DRIFT_FORMATS: Final[Mapping[str, str]] = {
    "text": "drift.text",
    "json": "drift.json",
    "markdown": "drift.markdown",
    "html": "drift.html",
    "patch": "drift.patch",
    **_CI,
}
"""Format of a drift → the module whose ``render`` takes the drift and the style."""
PLAN_FORMATS: Final[Mapping[str, str]] = {
    "text": "plan.text",
    "json": "plan.json",
    "markdown": "plan.markdown",
    "html": "plan.html",
}
"""Format of a plan → the module whose ``render`` takes the plan and the style."""
ACCOUNT_FORMATS: Final[Mapping[str, str]] = {"text": "apply.text", "json": "apply.json"}
"""Format of an apply's account → the module whose ``render`` takes accounts, plan and style."""
LINT_FORMATS: Final[Mapping[str, str]] = {"text": "lint.text", "json": "lint.json", **_CI}
"""Format of lint findings → the module whose ``render_findings`` takes them and their context."""
SHOW_FORMATS: Final[Mapping[str, str]] = {
    "text": "show.text",
    "json": "show.json",
    "html": "show.html",
}
"""Format of shelves → the module whose ``render`` takes the shelves and the style."""
CALENDAR_FORMATS: Final[Mapping[str, str]] = {
    "text": "calendar.text",
    "json": "calendar.json",
    "html": "calendar.html",
    "ics": "calendar.ics",
}
"""Format of a calendar → the module whose ``render`` takes the calendar and the style."""


class Style(Struct, frozen=True):
    """The options of a report.

    Attributes:
        zone: the time zone of reports for people; reports for programs are in UTC.
        color: whether to colour for a terminal.
        max_chars: the budget of a page; None for the budget of the format.
        summary: whether to leave out the rules themselves.
        configuration: the path of the configuration from the repository's root.
        has_page: whether the CI job has a page for a summary.
        hosts: the hosts from which a page may load pictures.
        link_base: the address to which a page adds the path of a file; empty for no links.
    """

    zone: tzinfo
    color: bool = False
    max_chars: int | None = None
    summary: bool = False
    configuration: str = "pinsync.yaml"
    has_page: bool = False
    hosts: tuple[str, ...] = ()
    link_base: str = ""


# A run imports only the format that it prints: the other formats would slow down its start.
def load_drift(format_: str) -> Any:  # noqa: ANN401 - a module
    """Import the module of a drift format."""
    return import_module(f"{__name__}.{DRIFT_FORMATS[format_]}")


def load_plan(format_: str) -> Any:  # noqa: ANN401 - a module
    """Import the module of a plan format."""
    return import_module(f"{__name__}.{PLAN_FORMATS[format_]}")


def load_account(format_: str) -> Any:  # noqa: ANN401 - a module
    """Import the module of a format of an apply's account."""
    return import_module(f"{__name__}.{ACCOUNT_FORMATS[format_]}")


def load_show(format_: str) -> Any:  # noqa: ANN401 - a module
    """Import the module of a format of shelves."""
    return import_module(f"{__name__}.{SHOW_FORMATS[format_]}")


def load_lint(format_: str) -> Any:  # noqa: ANN401 - a module
    """Import the module of a lint format."""
    return import_module(f"{__name__}.{LINT_FORMATS[format_]}")


def load_calendar(format_: str) -> Any:  # noqa: ANN401 - a module
    """Import the module of a calendar format."""
    return import_module(f"{__name__}.{CALENDAR_FORMATS[format_]}")
