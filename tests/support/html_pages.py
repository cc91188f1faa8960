"""HTML pages as a real parser reads them."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

ELEMENTS: Final = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "script",
        "a",
        "header",
        "nav",
        "main",
        "section",
        "article",
        "footer",
        "div",
        "p",
        "b",
        "strong",
        "span",
        "h1",
        "h2",
        "h3",
        "h4",
        "ul",
        "li",
        "dl",
        "dt",
        "dd",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "code",
        "form",
        "label",
        "input",
        "select",
        "option",
        "output",
        "figure",
        "figcaption",
        "svg",
        "g",
        "use",
        "text",
        "rect",
        "img",
    ]
)
"""The elements of our templates."""
ATTRIBUTES: Final = frozenset(
    [
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
        "href",
        "id",
        "tabindex",
        "role",
        "aria-label",
        "aria-labelledby",
        "aria-hidden",
        "hidden",
        "type",
        "autocomplete",
        "value",
        "data-model",
        "data-identity",
        "data-noun",
        "rel",
        "scope",
        "viewbox",
        "preserveaspectratio",
        "focusable",
        "width",
        "height",
        "x",
        "y",
        "src",
        "alt",
        "loading",
        "decoding",
        "referrerpolicy",
    ]
)
"""Their attributes."""


class ParsedPage(HTMLParser):
    """The elements, attributes, addresses and pictures of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: set[str] = set()
        self.pictures: list[dict[str, str | None]] = []
        self.policy = ""
        self.text = ""
        self.contents: dict[str, str] = {}
        self._element = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._element = tag
        self.elements.add(tag)
        values = dict(attrs)
        self.attributes |= values.keys()
        if "href" in values:
            self.addresses.add(values["href"] or "")
        if tag == "img":
            self.pictures.append(values)
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"] or ""

    def handle_data(self, data: str) -> None:
        if self._element in ("style", "script"):
            self.contents[self._element] = self.contents.get(self._element, "") + data
        else:
            self.text += data

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the parser's
        self._element = ""


def parse_page(text: str) -> ParsedPage:
    """Parse a page."""
    page = ParsedPage()
    page.feed(text)
    page.close()
    return page
