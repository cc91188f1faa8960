"""The files that run pinsync in CI, from templates: what they install and where their configuration is."""

from __future__ import annotations

import json
import re
from importlib import metadata, resources
from typing import Final

from pinsync.errors import UsageError

_COMMAND: Final = re.compile(r"\bpinsync (?:diff|lint|export)\b")
"""The commands of a template that read a configuration."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]*")
"""A path that means itself in YAML, and to a shell."""
_SOURCE: Final = re.compile(r'(?m)^  # What (pipx?) installs: .*\n  PINSYNC: ""$')
"""Where a template leaves open what is installed."""
_FROM_PYPI: Final = "From PyPI: make sure that PyPI has this pinsync under the name, or write git+https://…@<commit>."
_URL: Final = re.compile(r"https://[A-Za-z0-9._~/-]+")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_UNRELEASED: Final = re.compile(r"dev|\+")
"""Part of the version of a development build, or of a local one (PEP 440); no index has those."""


def installed_source() -> str | None:
    """Return the commit or the release that pinsync was installed from, as pip takes it, if either.

    pip notes a commit, an archive or a folder in ``direct_url.json`` (PEP 610), and nothing for a
    package that it found in an index by its name.
    """
    try:
        package = metadata.distribution("pinsync")
    except metadata.PackageNotFoundError:  # run from its source
        return None
    note = package.read_text("direct_url.json")
    if note is None:
        return None if _UNRELEASED.search(package.version) else f"pinsync=={package.version}"
    origin = json.loads(note)
    url, vcs = origin.get("url", ""), origin.get("vcs_info", {})
    commit = vcs.get("commit_id", "")
    known = vcs.get("vcs") == "git" and _URL.fullmatch(url) and _COMMIT.fullmatch(commit)
    return f"git+{url}@{commit}" if known else None


def is_release(source: str) -> bool:
    """Return whether a source is a release, which pip looks for in an index."""
    return not source.startswith("git+")


def render(template: str, source: str | None, path: str | None) -> str:
    """Return the text of a file for CI.

    Args:
        template: the name of the template.
        source: what the jobs install; None leaves it open, so that they fail.
        path: the configuration's path, if the commands have to name it.

    Raises:
        UsageError: the path would need quotes.
    """
    text = resources.files("pinsync").joinpath("templates", template).read_text(encoding="utf-8")
    if source:
        comment = f"  # {_FROM_PYPI}\n" if is_release(source) else ""
        text = _SOURCE.sub(rf"{comment}  PINSYNC: {source} # what \1 installs", text)
    if path is None:
        return text
    if not _PLAIN.fullmatch(path):
        message = f"{path} can't stand in a file for CI as it is"
        raise UsageError(message, hint="rename the folder, to letters, digits, - and _")
    return _COMMAND.sub(rf"\g<0> --config {path}", text)
