"""Ask a person on the terminal, and read the answer as a line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pinsync.terminal.console import Console

_ANSWERS: Final = {"y": True, "yes": True, "n": False, "no": False}
_BOLD: Final = 1
"""SGR code of bold text (ECMA-48, 8.3.117)."""


def ask(console: Console, prompt: str) -> str | None:
    """Return the answer to a prompt, without blanks around it; None at the end of input (Ctrl-D).

    A terminal that is gone counts as the end of input.

    Args:
        console: shows the prompt.
        prompt: the question, escaped already.
    """
    shown = f"\x1b[{_BOLD}m{prompt}\x1b[0m" if console.color_out else prompt
    # As bytes, since the console ends a text with a line end.
    console.out(f"{shown} ".encode())
    try:
        # As bytes: a person may type what isn't UTF-8.
        line = sys.stdin.buffer.readline()
    except KeyboardInterrupt:
        # The message about the interrupt begins a line of its own.
        console.out("")
        raise
    except OSError:
        line = b""
    if not line.endswith(b"\n"):
        console.out("")
    return line.decode(errors="replace").strip() if line else None


def confirm(console: Console, prompt: str) -> bool:
    """Return whether a person answers a question with yes. The end of input means no.

    Args:
        console: shows the question.
        prompt: the question, escaped already.
    """
    while True:
        answer = ask(console, f"{prompt} [y,n]?")
        if answer is None:
            return False
        if answer.lower() in _ANSWERS:
            return _ANSWERS[answer.lower()]
        console.out("y - yes\nn - no")
