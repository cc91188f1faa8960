"""The findings that every report for CI is shown, and the context of a linter."""

from __future__ import annotations

from typing import Final

from pinsync.model import Finding
from pinsync.reports.ci.findings import Context, FindingRule, PassedTest

LINT: Final = Context(
    "lint",
    (
        FindingRule(
            "duplicate-id",
            "error",
            "Two customizations have one id.",
            "Give one of them another `id`, or none.",
        ),
        FindingRule("expired-pin", "warning", "A pin has expired.", "Remove it."),
    ),
    (PassedTest("homepage", "no findings"),),
)
DUPLICATE: Final = Finding(
    "duplicate-id",
    "error",
    "the id 1 is that of line 4 too",
    file="customizations/basket.yaml",
    line=12,
    column=9,
    hint="leave it out",
    identity="1",
    model="basket",
)
EXPIRED: Final = Finding(
    "expired-pin",
    "warning",
    "ended 40 days ago",
    file="customizations/basket.yaml",
    line=20,
    column=9,
    model="basket",
)
WHOLE_FILE: Final = Finding(
    "file-name", "error", "the name says homepage", file="customizations/homepage.yaml"
)
NO_FILE: Final = Finding("other", "warning", "no file is at fault")
FINDINGS: Final = (DUPLICATE, EXPIRED, WHOLE_FILE, NO_FILE)
