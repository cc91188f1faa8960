"""The addresses of files on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pinsync.drift.record import Place


def build_file_url(base: str, place: Place | None) -> str:
    """Return the address of a line of a file; empty without an address of the files.

    Args:
        base: the address of the repository's root; empty without one.
        place: the file and the line; None if the rule is in no file.
    """
    if not base or place is None:
        return ""
    # GitHub, GitLab, Gitea and Forgejo name a line like this.
    return f"{base.rstrip('/')}/{quote(place.file)}#L{place.line}"
