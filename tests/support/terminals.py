"""Commands on a terminal: with their standard output alone, or with a person who answers."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping


class Terminal:
    """``pinsync show basket``, or another command, with its standard output on a terminal."""

    def __init__(self, *arguments: str, environ: Mapping[str, str], command: str = "show") -> None:
        self._ours, theirs = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pinsync", command, "basket", *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", **environ},
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.PIPE,
        )
        os.close(theirs)
        self._sent = b""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        try:
            while data := os.read(self._ours, 4096):
                self._sent += data
        except OSError:  # Linux's way to say that the other end is closed
            return

    def end(self) -> tuple[int, str, str]:
        """Wait for the end; return the exit code, what the terminal was sent, and standard
        error.
        """
        err = self.process.communicate(timeout=60)[1]
        self._reader.join()
        os.close(self._ours)
        return self.process.returncode, self._sent.decode().replace("\r\n", "\n"), err.decode()


CTRL_C, CTRL_D = "\x03", "\x04"
_QUESTION = re.compile(rb"\?(?:\x1b\[0m)? \Z")


class Dialogue:
    """A command whose standard streams are one terminal, on which a person answers.

    Args:
        arguments: the arguments of pinsync.
        environ: variables that are added to the environment.
    """

    _SCRIPT = (
        "import fcntl, termios\n"
        # The terminal's Ctrl-C goes to the session that the terminal controls.
        "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
        "from pinsync.__main__ import main\n"
        "main()\n"
    )

    def __init__(self, *arguments: str, environ: Mapping[str, str] | None = None) -> None:
        self._ours, theirs = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", self._SCRIPT, *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb", **(environ or {})},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._sent = b""
        self._read_to = 0
        self._is_closing = False
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        try:
            # A terminal on which a thread waits for data can't be closed.
            while not self._is_closing:
                if not select.select([self._ours], [], [], 0.05)[0]:
                    continue
                data = os.read(self._ours, 4096)
                if not data:
                    return
                self._sent += data
        except OSError:  # Linux's way to say that the other end is closed
            return

    @property
    def text(self) -> str:
        """All that the terminal was sent, the echo of the answers included."""
        return self._sent.decode().replace("\r\n", "\n")

    def answer(self, *answers: str) -> None:
        """Type each answer, with a line end, once a question waits for it; or press Ctrl-C or
        Ctrl-D.
        """
        for answer in answers:
            self.wait_for_question()
            self.type(answer)

    def type(self, answer: str) -> None:
        """Type an answer with a line end; or press Ctrl-C or Ctrl-D."""
        typed = answer if answer in (CTRL_C, CTRL_D) else f"{answer}\n"
        os.write(self._ours, typed.encode())

    def wait_for_question(self) -> None:
        """Wait until the next question is asked."""
        deadline = time.monotonic() + 60
        while True:
            sent = self._sent
            # The question is the end of what was sent since the answer before it.
            if len(sent) > self._read_to and _QUESTION.search(sent):
                self._read_to = len(sent)
                return
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.01)

    def hang_up(self) -> int:
        """Close the terminal; return the exit code."""
        self._is_closing = True
        self._reader.join()
        os.close(self._ours)
        return self.process.wait(timeout=60)

    def end(self) -> tuple[int, str]:
        """Wait for the end; return the exit code, and what the terminal was sent."""
        self.process.wait(timeout=60)
        self._reader.join()
        os.close(self._ours)
        return self.process.returncode, self.text
