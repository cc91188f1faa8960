"""Render a page: one file with its own style, script and content security policy."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct

from pinsync.escape import INVISIBLE, defuse, escape_character, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

_PACKAGE: Final = "pinsync.reports.html"


class Page(Struct, frozen=True):
    """A page.

    Attributes:
        title: the title of the browser's window.
        hosts: the hosts from which the page may load pictures.
        content: the record that the template of the page reads as ``content``.
    """

    title: str
    hosts: Sequence[str]
    content: object


def render_page(template: str, page: Page) -> str:
    """Return a page as HTML.

    Args:
        template: the name of the page's template.
        page: the page.
    """
    environment = _build_environment()
    style, script = _read_file("page.css"), _read_file("page.js")
    text = environment.get_template(template).render(
        title=page.title,
        content=page.content,
        policy=_build_policy(style, script, page.hosts),
        style=style,
        script=script,
    )
    # Titles are escaped before they come here. A URL of a picture may hold what they can't.
    text = re.sub(INVISIBLE, _escape_invisible, text)
    return defuse(text, _escape_as_reference)


# It keeps the compiled templates: a run may write several pages.
@cache
def _build_environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["one_line"] = one_line
    return environment


def _read_file(name: str) -> str:
    return resources.files(_PACKAGE).joinpath("templates", name).read_text(encoding="utf-8")


def _build_policy(style: str, script: str, hosts: Sequence[str]) -> str:
    """Return the content security policy: nothing but our style and script, and pictures."""
    images = " ".join(f"https://{host}" for host in hosts) or "'none'"
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            f"img-src {images}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _escape_invisible(match: re.Match[str]) -> str:
    return escape_character(match[0])


def _escape_as_reference(character: str) -> str:
    """Return a character as HTML's reference, which a browser turns back into the character."""
    return f"&#{ord(character)};"
