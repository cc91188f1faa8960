"""The JSON Schemas that pinsync ships."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

import jsonschema


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return a schema: ``document``, ``items``, or a report such as ``diff``, ``lint``, ``show``."""
    packages = {"document": "pinsync.document", "items": "pinsync.items"}
    package = packages.get(name, "pinsync.reports")
    text = resources.files(package).joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def check_report(name: str, report: object) -> None:
    """Hold a report to its schema."""
    jsonschema.Draft202012Validator(load_schema(name)).validate(report)
