"""The programs that tests run in the current folder: pinsync and git."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pinsync.__main__ import run
from support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

Install: TypeAlias = Callable[..., None]
"""Put a package of pinsync on the path: the fixture ``install``."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended: its exit code, and all that it wrote."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The command line in the current folder; call it to run it in this process."""

    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Result:
        self.capture.readouterr()
        before = signal.getsignal(signal.SIGTERM)
        folder = os.open(".", os.O_RDONLY)
        try:
            code = run(list(arguments))
        finally:
            signal.signal(signal.SIGTERM, before)
            os.fchdir(folder)  # -C changes it
            os.close(folder)
        return Result(code, *self.capture.readouterr())

    def start(
        self, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start it as a process of its own, its output piped; ``environ`` is added to the
        environment.
        """
        return subprocess.Popen(
            [sys.executable, "-m", "pinsync", *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def spawn(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Result:
        """Run it as a process of its own; ``environ`` is added to the environment."""
        with self.start(*arguments, environ=environ) as process:
            out, err = process.communicate(timeout=60)
        return Result(process.returncode, out, err)


class Git:
    """Git in the current folder."""

    def __call__(self, *arguments: str) -> str:
        """Run a git command that must succeed; return its output without the last line end."""
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.removesuffix("\n")
