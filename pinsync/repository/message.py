"""Read the message of a commit, and the lines that pinsync writes into it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.repository.reader import Object

_TRAILER: Final = re.compile(r"[A-Za-z0-9-]+: \S")
EXPORT_TRAILER: Final = "Pinsync-Export"
"""The key of a line with the id of a tracker: the commit's text of each changed rule is the text
that the shop had."""


class CommitMessage(NamedTuple):
    """The parents, the date and the message of a commit.

    Attributes:
        parents: the full hashes, those included that a shallow clone lacks.
        moment: when it was committed, in seconds since 1970; 0 if git can't tell. A rebase changes
            this date, unlike the author's.
        text: the bytes of the message.
    """

    parents: tuple[str, ...]
    moment: int
    text: bytes

    @property
    def is_merge(self) -> bool:
        """Whether the commit has several parents."""
        return len(self.parents) > 1

    def has_export_line(self, tracker_id: str) -> bool:
        """Return whether the message says that the commit is an export of a tracker.

        A squash merge may put the line anywhere into its message.
        """
        key, value = EXPORT_TRAILER.encode(), tracker_id.encode(errors="replace")
        pattern = rb"^%b: %b[ \t\r]*$" % (key, re.escape(value))
        return bool(tracker_id) and re.search(pattern, self.text, re.MULTILINE) is not None


def append_trailers(message: str, lines: Sequence[str]) -> str:
    """Return a commit message with further trailers, which stand in one block with its own.

    Git reads only the last paragraph of a message as trailers.

    Args:
        message: the message.
        lines: the trailers, each ``Key: value``.
    """
    text = message.rstrip()
    if not lines:
        return text
    _, gap, last = text.rpartition("\n\n")
    has_block = gap and all(_TRAILER.match(line) for line in last.splitlines())
    return "\n".join([text if has_block else f"{text}\n", *lines])


def format_export_line(tracker_id: str) -> str:
    """Return the line of an export of a tracker."""
    return f"{EXPORT_TRAILER}: {tracker_id}"


def parse_message(commit: Object) -> CommitMessage:
    """Return the message of a commit object, with its parents and its date."""
    head, _, text = (commit.content or b"").partition(b"\n\n")
    lines = head.decode(errors="replace")
    parents = re.findall(r"^parent ([0-9a-f]+)$", lines, re.MULTILINE)
    date = re.search(r"^committer .* (\d+) [+-]\d+$", lines, re.MULTILINE)
    return CommitMessage(tuple(parents), int(date[1]) if date else 0, text)
