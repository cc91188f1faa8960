"""The messages of commits: the trailers that pinsync adds, and the line of an export."""

from __future__ import annotations

import pytest

from pinsync.repository import append_trailers, format_export_line, parse_message
from pinsync.repository.reader import Object


def build_commit(message: bytes, parents: tuple[str, ...] = ()) -> Object:
    head = b"".join(b"parent %b\n" % parent.encode() for parent in parents)
    people = b"author A <a@b> 1 +0000\ncommitter B 2 <b 3@c> 1700000000 -0130\n"
    content = b"tree %b\n%b%b\n%b" % (b"0" * 40, head, people, message)
    return Object("1" * 40, "commit", content)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Subject", "Subject\n\nKey: v"),
        ("Subject\n\nBody\n", "Subject\n\nBody\n\nKey: v"),
        ("Subject\n\nA-b: c", "Subject\n\nA-b: c\nKey: v"),
        ("Subject\n\nA-b: c\nmore", "Subject\n\nA-b: c\nmore\n\nKey: v"),
        # The subject is no block of trailers.
        ("fix: pins", "fix: pins\n\nKey: v"),
    ],
)
def test_trailers_join_a_block(message: str, expected: str) -> None:
    assert append_trailers(message, ["Key: v"]) == expected
    assert append_trailers(message, []) == message.rstrip()


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"Pins\n\nPinsync-Export: 1234-5678\n", True),
        (b"Pins\n\nPinsync-Export: 1234-5678", True),
        # A code host writes CRLF, and squashes several messages into one.
        (b"Pins (#12)\r\n\r\n* one\r\n\r\nPinsync-Export: 1234-5678\r\n\r\n* two\r\n", True),
        (b"Pins\n\nPinsync-Export: 1234-5678\nPinsync-Export: 9\n", True),
        (b"Pins\n\nPinsync-Export: 9\nPinsync-Export: 1234-5678 \n", True),
        (b"Pinsync-Export: 1234-5678", True),
        (b"Pins\n\n  Pinsync-Export: 1234-5678\n", False),
        (b"Pins\n\n> Pinsync-Export: 1234-5678\n", False),
        (b"Pins\n\nPinsync-Export: 1234-56789\n", False),
        (b"Pins\n\nPinsync-Export: 1234-5678 or another\n", False),
        (b"Pins\n\nPinsync-Export: 1234.5678\n", False),
        (b"Pins\n\npinsync-export: 1234-5678\n", False),
        (b"Pins\n", False),
        (b"", False),
    ],
)
def test_the_line_counts_at_the_beginning_of_any_line(message: bytes, expected: bool) -> None:
    found = parse_message(build_commit(message))
    assert found.has_export_line("1234-5678") == expected
    assert not found.has_export_line("")


def test_the_line_that_is_written_is_the_line_that_is_read() -> None:
    for tracker_id in ("1234-5678", "a.b+c", "ž"):
        text = append_trailers("Pins", [format_export_line(tracker_id)])
        assert parse_message(build_commit(text.encode())).has_export_line(tracker_id)


def test_the_date_is_that_of_the_commit_not_of_its_author() -> None:
    assert parse_message(build_commit(b"")).moment == 1_700_000_000
    for content in (None, b"", b"committer B <b@c> soon\n\ncommitter B <b@c> 5 +0000"):
        assert parse_message(Object("1" * 40, "commit", content)).moment == 0


def test_the_parents_stand_in_the_object() -> None:
    parents = ("2" * 40, "3" * 40)
    assert parse_message(build_commit(b"parent 4\n", parents)).parents == parents
    assert parse_message(build_commit(b"")).parents == ()
