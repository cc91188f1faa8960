"""A command whose standard output is a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
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
