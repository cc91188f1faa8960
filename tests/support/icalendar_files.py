"""A small reader of iCalendar files (RFC 5545), strict about what programs stumble over."""

from __future__ import annotations

import re
from typing import Final

_LINE: Final = re.compile(
    r"(?P<name>[A-Z0-9-]+)(?P<parameters>(?:;[A-Z-]+=[^;:\"]+)*):(?P<value>.*)"
)
_ESCAPE: Final = re.compile(r"\\(.?)")
_MAX_OCTETS: Final = 75
_TEXTS: Final = ("SUMMARY", "DESCRIPTION", "NAME", "X-WR-CALNAME", "UID", "PRODID")

Properties = dict[str, str]


def read_events(text: str) -> tuple[Properties, list[Properties]]:
    """Return the properties of a calendar, and those of each event; each property once."""
    calendar: Properties = {}
    events: list[Properties] = []
    open_components: list[str] = []
    for line in _unfold(text):
        found = _LINE.fullmatch(line)
        assert found, line
        name, value = found["name"], found["value"]
        if name == "BEGIN":
            open_components.append(value)
            if value == "VEVENT":
                events.append({})
        elif name == "END":
            assert open_components.pop() == value
        else:
            target = events[-1] if open_components[-1] == "VEVENT" else calendar
            assert name not in target, name
            target[name] = _unescape(value) if name in _TEXTS else value
    assert open_components == []
    return calendar, events


def _unfold(text: str) -> list[str]:
    """Return the content lines (section 3.1)."""
    assert text.endswith("\r\n")
    lines: list[str] = []
    for line in text.removesuffix("\r\n").split("\r\n"):
        assert not re.search("[\x00-\x08\x0a-\x1f\x7f]", line)
        assert len(line.encode()) <= _MAX_OCTETS
        if line.startswith(" "):
            lines[-1] += line[1:]
        else:
            lines.append(line)
    return lines


def _unescape(value: str) -> str:
    """Return the text of an escaped value (section 3.3.11)."""
    assert not re.search(r"(?<!\\)(?:\\\\)*[;,]", value), value
    return _ESCAPE.sub(_replace, value)


def _replace(match: re.Match[str]) -> str:
    character = match[1]
    assert character in tuple("\\;,nN"), match[0]
    return "\n" if character in "nN" else character
