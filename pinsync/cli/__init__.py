"""The command line: options, help and echo. What a command does stands in ``commands``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pinsync import __version__
from pinsync.cli import completion, log
from pinsync.cli.command import Group
from pinsync.cli.options import (
    FILE,
    PATH,
    Choice,
    Once,
    echo,
    filter_options,
    folder_option,
    format_options,
    names_of,
    output_options,
    read_standard_input,
    report_options,
    tracker_options,
)
from pinsync.cli.variables import API, CONFIGURATION, STEP_SUMMARY, TERMINAL
from pinsync.environment import variables

if TYPE_CHECKING:
    from pathlib import Path

    from pinsync.model import FailOn, Scope
    from pinsync.terminal.console import Console


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    examples={
        "pinsync demo": "Watch the main job on a throw-away repository",
        "pinsync export --commit": "Write the live customizations to files, and commit them",
        "pinsync diff": "Compare HEAD with the live customizations",
    },
    epilog="Exit codes: 0 done, in sync; 1 drift or findings; 2 usage, configuration or a file; 3 the remote; "
    "4 refused for safety; 70 a bug; 130 interrupted. An option without a value is off unless it is given. "
    "'pinsync COMMAND --help' names the environment variables that a command reads.",
)
@folder_option
@click.version_option(__version__, message="pinsync %(version)s")
def cli() -> None:
    """Luigi's Box recommender pins under git."""


cli.add_command(log.blame)
cli.add_command(log.show)
cli.add_command(log.history)


@cli.command(
    examples={
        "pinsync init --tracker-id 1234-5678": "Configure a tracker",
        "pinsync init --tracker-id 1234-5678 --ci github": "Write workflows for GitHub as well",
    },
    environment=("PINSYNC_TRACKER_ID", "PINSYNC_ALLOW_HOST", *TERMINAL),
)
@click.option("--tracker-id", metavar="ID", help="Id of the tracker (default: PINSYNC_TRACKER_ID).")
@click.option("--host", metavar="URL", help="Host of the API (default: the vendor's hosts).")
@click.option(
    "--ci", type=Choice(("github", "gitlab")), help="Write the CI files of this code host too (default: none)."
)
@output_options
def init(*, tracker_id: str | None, host: str | None, ci: str | None, console: Console) -> int:
    """Write a commented pinsync.yaml and a line of .gitattributes.

    Nothing is written if one of the files exists. With --ci, an existing
    pinsync.yaml stays, and the CI files follow it. A host other than the
    vendor's is refused unless PINSYNC_ALLOW_HOST names it.
    """
    from pinsync.commands.init import init as command
    from pinsync.workspace.paths import current_folder

    return command(
        root=current_folder(), tracker_id=tracker_id, host=host, environ=variables(), echo=console.say, ci=ci
    )


@cli.command(
    examples={
        "pinsync export --commit": "Write the live customizations to files, and commit them",
        "pinsync export --check": "Print the files that an export would change",
        "pinsync export --branch pins/live": "Commit to a branch of its own, for a pull request",
        "pinsync export --model basket --tag christmas": "Export only a part",
    },
    environment=(*CONFIGURATION, *API, *TERMINAL),
)
@click.option("--check", is_flag=True, help="Print the files that would change, and exit 1 if there are any.")
@click.option(
    "--from-file",
    type=click.Path(dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Read a saved export, or standard input for - (default: ask the API).",
)
@click.option("--commit", is_flag=True, help="Commit the files that pinsync wrote, and nothing else.")
@click.option("--branch", metavar="NAME", help="Commit to this branch, not to the working tree (default: none).")
@click.option("-m", "--message", metavar="TEXT", help="Commit message (default: made from the changes).")
@filter_options
@click.option("--force", is_flag=True, help="Overwrite uncommitted work in the files.")
@click.option(
    "--allow-mass-removal", is_flag=True, help="Allow the export to remove more than safety.max_removed_percent."
)
@tracker_options
@output_options
def export(  # noqa: PLR0913 - the options of one command
    *,
    config: Path | None,
    names: tuple[str, ...],
    check: bool,
    from_file: str | None,
    commit: bool,
    branch: str | None,
    message: str | None,
    scope: Scope,
    remove_expired_pins: bool | None,
    remove_nonexisting_item_pins: bool | None,
    force: bool,
    allow_mass_removal: bool,
    console: Console,
) -> int:
    """Write the live customizations to files, one for each model.

    Only customizations that changed are rewritten, and comments stay. An
    incomplete answer changes nothing.
    """
    from pathlib import Path

    from pinsync.commands.export import Options
    from pinsync.commands.export import export as command
    from pinsync.model import STANDARD_INPUT

    options = Options(
        names=names,
        scope=scope,
        check=check,
        from_file=Path(from_file) if from_file is not None else None,
        stdin=read_standard_input() if from_file == STANDARD_INPUT else None,
        commit=commit,
        branch=branch,
        message=message,
        remove_expired_pins=remove_expired_pins,
        remove_nonexisting_item_pins=remove_nonexisting_item_pins,
        force=force,
        allow_mass_removal=allow_mass_removal,
    )
    return command(config, options, variables(), console)


@cli.command(
    examples={
        "pinsync diff": "Check for drift: compare HEAD with the live customizations",
        "pinsync diff @live @worktree": "Preview your own edits",
        "pinsync diff origin/main...HEAD --format markdown": "Review a branch, without network or key",
        "pinsync diff --report json=drift.json": "Write a JSON report as well",
    },
    environment=(*CONFIGURATION, *API, *STEP_SUMMARY, *TERMINAL),
)
@click.argument("sources", metavar="[FROM] [TO]", nargs=-1, shell_complete=completion.sources)
@report_options(("text", "json", "markdown", "patch", "github", "gitlab", "sarif", "junit"))
@click.option(
    "--fail-on",
    type=Choice(("any", "edited", "shown", "never")),
    default="any",
    help="Changes that make the exit code 1; all are reported (default: any).",
)
@click.option("--summary", is_flag=True, help="Print only the counts (text, markdown).")
@click.option(
    "--max-chars",
    type=click.IntRange(min=500),
    metavar="N",
    help="Maximum length of a markdown report (default: 65536).",
)
@filter_options
@tracker_options
@output_options
def diff(  # noqa: PLR0913 - the options of one command
    *,
    config: Path | None,
    names: tuple[str, ...],
    sources: tuple[str, ...],
    format_: str,
    reports: list[tuple[str, Path]],
    fail_on: FailOn,
    summary: bool,
    max_chars: int | None,
    scope: Scope,
    remove_expired_pins: bool | None,
    remove_nonexisting_item_pins: bool | None,
    console: Console,
) -> int:
    """Report the drift between two sources (default: HEAD and @live).

    A source is @live, @worktree, @index, the file of a JSON export, - for an
    export on standard input, or a git revision. A..B and A...B mean the same
    as in git diff. Where a file is called like a revision, ./main is the file
    and refs/heads/main the branch.
    """
    from pinsync.commands.diff import Options
    from pinsync.commands.diff import diff as command
    from pinsync.model import STANDARD_INPUT

    if len(sources) > 2:  # noqa: PLR2004 - FROM and TO
        raise click.UsageError(f"Expected FROM and TO, got {len(sources)} sources.")
    options = Options(
        sources=sources,
        names=names,
        scope=scope,
        format=format_,
        reports=reports,
        fail_on=fail_on,
        summary=summary,
        max_chars=max_chars,
        remove_expired_pins=remove_expired_pins,
        remove_nonexisting_item_pins=remove_nonexisting_item_pins,
        stdin=read_standard_input() if STANDARD_INPUT in sources else b"",
    )
    return command(config, options, variables(), console)


@cli.command(
    examples={
        "pinsync trackers --check": "Ask the API whether it accepts each key",
        "pinsync trackers --json": "Print the matrix of a CI job",
    },
    environment=(*CONFIGURATION, *API, *TERMINAL),
)
@format_options(("text", "json"))
@click.option("--check", is_flag=True, help="Ask the API whether it accepts each key; exit 3 if it refuses one.")
@tracker_options
@output_options
def trackers(*, config: Path | None, names: tuple[str, ...], format_: str, check: bool, console: Console) -> int:
    """Show the configured trackers.

    The list needs no key and no network. --check asks the API once for each
    tracker, and shows whether the key is accepted, which host answered, and
    how far the clocks differ. --json prints the matrix of a CI job.
    """
    from pinsync.commands.trackers import trackers as command

    return command(config, names, variables(), console, as_json=format_ == "json", check=check)


@cli.command(
    context_settings={"allow_interspersed_args": False},
    examples={
        "pinsync sandbox -- bash": "Open a shell whose environment points at the sandbox",
        "pinsync sandbox --state shop.json -- pinsync export": "Keep the customizations in a file",
        "pinsync sandbox --fail 503:2 -- pinsync export": "Let the first two requests fail",
    },
    environment=("PINSYNC_CONFIG", "PINSYNC_ALLOW_HOST"),
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Port on 127.0.0.1 (default: a free one)."
)
@click.option(
    "--tracker-id", metavar="ID", help="Serve this tracker (default: the trackers of pinsync.yaml, else 1234-5678)."
)
@click.option(
    "--state",
    type=FILE,
    metavar="FILE",
    help="Keep the customizations in this file (default: in memory). With several trackers, write {tracker} in FILE "
    "for the name of each.",
)
@click.option(
    "--fail",
    multiple=True,
    metavar="FAULT[:TIMES]",
    help="Let the first requests fail; repeatable (default: none fails).",
)
@click.option("--empty", is_flag=True, help="Start without customizations, not with the sample shop.")
@click.option("--seed", type=int, metavar="N", help="Make the spelling of the answers repeatable (default: random).")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def sandbox(
    *,
    port: int,
    tracker_id: str | None,
    state: Path | None,
    fail: tuple[str, ...],
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

    options = Options(port=port, tracker_id=tracker_id, state=state, fail=fail, empty=empty, seed=seed, command=command)
    note = (lambda text: echo(text, err=True)) if sys.stderr is not None and sys.stderr.isatty() else None

    def out(text: str) -> None:
        # Bytes, since a shell sources the lines: one on Windows would take a carriage return for a
        # part of a value.
        echo(f"{text}\n".encode(), err=False)

    return serve(options, out, note)


@cli.command(examples={"pinsync demo": "Export, change and compare the pins of a sample shop"})
def demo() -> int:
    """Walk through the main job on a throw-away repository.

    The sandbox stands in for the API, so that neither tracker nor key is
    needed, and nothing of yours is touched.
    """
    from pinsync.commands.demo import demo as command

    return command(out=lambda text: echo(text, err=False))


@cli.command(
    examples={
        "pinsync fmt": "Format all documents",
        "pinsync fmt --diff customizations/basket.yaml": "Print what would change in a document",
        "pinsync fmt --check": "Check the format, in CI",
    },
    environment=(*CONFIGURATION, *TERMINAL),
)
@click.argument("paths", metavar="[PATHS]", nargs=-1, type=PATH)
@click.option("--check", is_flag=True, help="Print the files that would change, and exit 1 if there are any.")
@click.option("--diff", is_flag=True, help="Print a unified diff of the changes, and exit 1 if there are any.")
@tracker_options
@output_options
def fmt(
    *,
    config: Path | None,
    names: tuple[str, ...],
    paths: tuple[str, ...],
    check: bool,
    diff: bool,
    console: Console,
) -> int:
    """Bring documents into canonical form; comments stay.

    PATHS are files, or folders for the documents below them (default: all
    documents). - reads one document from standard input, and writes it to
    standard output.
    """
    from pinsync.commands import fmt as command
    from pinsync.model import STANDARD_INPUT

    terminal = sys.stdout is not None and sys.stdout.isatty()
    options = command.Options(paths=paths, names=names, check=check, diff=diff, terminal=terminal)
    if STANDARD_INPUT not in paths:
        return command.fmt(config, options, variables(), console)
    if len(paths) > 1 or names:
        raise click.UsageError("- stands for standard input, and goes with no other path and no tracker.")
    return command.fmt_input(read_standard_input(), options, console)


@cli.command(examples={"pinsync schema > pinsync.schema.json": "Write the schema to a file that an editor reads"})
def schema() -> int:
    """Print the JSON Schema (draft-07) of a document, for editors."""
    from pinsync.commands.schema import schema as command

    return command(lambda text: echo(text, err=False))


@cli.command(
    examples={
        "pinsync lint": "Check all documents",
        "pinsync lint --select window,expired customizations/basket.yaml": "Apply two lint rules to one document",
        "pinsync lint --since origin/main": "Report only findings that origin/main lacks",
        "pinsync lint --explain position-conflict": "Describe a lint rule",
    },
    environment=(*CONFIGURATION, *STEP_SUMMARY, *TERMINAL),
)
@click.argument("paths", metavar="[PATHS]", nargs=-1, type=PATH)
@click.option(
    "--select",
    callback=names_of,
    multiple=True,
    metavar="RULES",
    shell_complete=completion.rules,
    help="Only these lint rules, joined by commas (default: all).",
)
@click.option(
    "--ignore",
    callback=names_of,
    multiple=True,
    metavar="RULES",
    shell_complete=completion.rules,
    help="All but these lint rules, joined by commas (default: none).",
)
@click.option(
    "--explain",
    is_flag=False,
    flag_value="",
    metavar="[RULE]",
    shell_complete=completion.rules,
    help="Describe a lint rule and its remedy; without RULE, list all (default: check files).",
)
@click.option(
    "--add-ignores",
    is_flag=True,
    help="Write an ignore comment at each finding into the files; exit 1 if findings are left.",
)
@click.option(
    "--since",
    cls=Once,
    metavar="REV",
    help="Report only findings that this git revision lacks (default: all).",
)
@click.option("--strict", is_flag=True, help="Exit 1 on warnings too.")
@click.option(
    "--expired-days",
    type=click.IntRange(0, 36500),
    default=30,
    metavar="N",
    help="Warn of pins that ended more than N days ago (default: 30).",
)
@report_options(("text", "json", "github", "gitlab", "sarif", "junit"))
@tracker_options
@output_options
def lint(  # noqa: PLR0913 - the options of one command
    *,
    config: Path | None,
    names: tuple[str, ...],
    paths: tuple[str, ...],
    select: list[str],
    ignore: list[str],
    explain: str | None,
    add_ignores: bool,
    since: str | None,
    strict: bool,
    expired_days: int,
    format_: str,
    reports: list[tuple[str, Path]],
    console: Console,
) -> int:
    """Look for mistakes in documents; the tracker isn't asked.

    PATHS are files, or folders for the documents below them (default: all
    documents). Other documents of the same folder are read too, for mistakes
    that several documents make together, but not reported on.
    """
    from pinsync.commands import lint as command

    if explain is not None:
        return command.explain(explain, console) if explain else command.list_rules(console)
    options = command.Options(
        paths=paths,
        names=names,
        select=select,
        ignore=ignore,
        strict=strict,
        expired_days=expired_days,
        since=since,
        add_ignores=add_ignores,
        format=format_,
        reports=reports,
    )
    return command.lint(config, options, variables(), console)
