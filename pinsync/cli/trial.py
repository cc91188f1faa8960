"""The commands that try pinsync without a shop: sandbox and demo."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pinsync.cli.command import command
from pinsync.cli.options import FILE, PATH, echo
from pinsync.terminal.console import is_terminal

if TYPE_CHECKING:
    from pathlib import Path


@command(
    # Options behind COMMAND belong to that command.
    context_settings={"allow_interspersed_args": False},
    examples={
        "pinsync sandbox -- bash": "Open a shell whose environment points at the sandbox",
        "pinsync sandbox --state shop.json -- pinsync export": "Keep the customizations in a file",
        "pinsync sandbox --fail 503:2 -- pinsync export": "Let the first two requests fail",
    },
    environment=("PINSYNC_CONFIG", "PINSYNC_ALLOW_HOST"),
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="Port on 127.0.0.1 (default: a free one).",
)
@click.option(
    "--tracker-id",
    metavar="ID",
    help="Serve this tracker (default: the trackers of pinsync.yaml, else 1234-5678).",
)
@click.option(
    "--state",
    type=FILE,
    metavar="FILE",
    help="Keep the customizations in this file (default: in memory). "
    "With several trackers, write {tracker} in FILE for the name of each.",
)
@click.option(
    "--fail",
    multiple=True,
    metavar="FAULT[:TIMES]",
    help="Let the first requests fail, or the N-th write with :write=N; repeatable (default: none "
    "fails).",
)
@click.option(
    "--api",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="Choose a behaviour that the API's reference leaves open; repeatable (default: the first "
    "value). create-status=200|201, metadata-on-create=required|optional, "
    "metadata-on-put=replace|keep|drop, taken-target=refuse|double, "
    "unknown-fields=refuse|keep|drop, timestamps=both|created|updated|none, "
    "bulk=atomic|partial, bulk-conflict=target|never, stale-export=SECONDS, stale-get=SECONDS.",
)
@click.option(
    "--empty", is_flag=True, help="Start without customizations, not with the sample shop."
)
@click.option(
    "--seed",
    type=int,
    metavar="N",
    help="Make the spelling of the answers repeatable (default: random).",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def sandbox(
    *,
    port: int,
    tracker_id: str | None,
    state: Path | None,
    fail: tuple[str, ...],
    api: tuple[str, ...],
    empty: bool,
    seed: int | None,
    command: tuple[str, ...],
) -> int:
    """Serve a local stand-in of the API, signatures verified.

    It serves the trackers of pinsync.yaml. With a COMMAND behind --, it runs
    that command with an environment that points at the sandbox, and exits with
    its code. Without, it prints that environment, keys included, and serves
    until interrupted.
    """
    from pinsync.commands.sandbox import Options
    from pinsync.commands.sandbox import sandbox as serve

    options = Options(
        port=port,
        tracker_id=tracker_id,
        state=state,
        fail=fail,
        api=api,
        empty=empty,
        seed=seed,
        command=command,
    )

    def write(text: str) -> None:
        # Bytes: on Windows, text would end in CRLF, and a shell that sources the lines would take
        # the CR for a part of a value.
        echo(f"{text}\n".encode(), err=False)

    if is_terminal(sys.stderr):
        return serve(options, write, lambda text: echo(text, err=True))
    return serve(options, write, None)


@command(
    examples={
        "pinsync demo": "Export, compare and apply the pins of a sample shop",
        "pinsync demo --keep shop": "Keep the repository, and a page for a browser in it",
    }
)
@click.option(
    "--keep",
    type=PATH,
    metavar="DIR",
    help="Keep the repository in this new or empty folder, with the report as a page (default: "
    "remove it).",
)
def demo(keep: str | None) -> int:
    """Walk through the main job on a throw-away repository.

    The sandbox stands in for the API, so that neither tracker nor key is
    needed, and nothing of yours is touched.
    """
    from pathlib import Path

    from pinsync.commands.demo import demo as command

    folder = None if keep is None else Path(keep)
    return command(out=lambda text: echo(text, err=False), keep=folder)
