"""The shops that the attempts are made on."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pinsync.apply.view import Clock
from pinsync.sandbox import Choices
from pinsync.sandbox.choices import STRICT
from support.agreeing import OTHER, T
from support.attacking import Meddler, Scene, Templates, make_repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from support.attacking import OpenShop, Row
    from support.command_line import CommandLine

_SPEED = 100


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The repositories that were made so far."""
    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture
def open_shop(
    pinsync: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, templates: Templates
) -> OpenShop:
    """Serve a shop; for an apply, time goes a hundred times as fast."""
    start = time.monotonic()

    def read_clock() -> float:
        return start + _SPEED * (time.monotonic() - start)

    def sleep(seconds: float) -> None:
        time.sleep(seconds / _SPEED)

    monkeypatch.setattr("pinsync.commands.execution.CLOCK", Clock(read_clock, sleep))

    @contextmanager
    def open_(rows: Sequence[Row] = (T, OTHER), choices: Choices = STRICT) -> Iterator[Scene]:
        folder = tmp_path.resolve() / "repository"
        is_copy = templates.copy(rows, folder)
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        with Meddler([{"model": "basket", **row} for row in rows], choices) as api:
            for name, value in api.environment.items():
                monkeypatch.setenv(name, value)
            if not is_copy:
                make_repository(rows, pinsync)
                templates.keep(rows, folder)
            yield Scene(api, pinsync, tmp_path / "backups")

    return open_


@pytest.fixture
def scene(open_shop: OpenShop) -> Iterator[Scene]:
    """A shop with two rules on which git agrees, and a record that says so."""
    with open_shop() as found:
        yield found


@pytest.fixture
def undated(open_shop: OpenShop) -> Iterator[Scene]:
    """The same shop, of which no answer says when a rule was saved."""
    with open_shop(choices=Choices(timestamps="none")) as found:
        yield found


@pytest.fixture
def careless(open_shop: OpenShop) -> Iterator[Scene]:
    """The same shop, which stores a second rule of a target, and half of a call that fails."""
    choices = Choices(taken_target="double", bulk_conflict="never", bulk="partial")
    with open_shop(choices=choices) as found:
        yield found
