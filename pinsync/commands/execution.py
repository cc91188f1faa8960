"""Carry out a plan that was shown: guards, question, backup, writes, and the account of them."""

from __future__ import annotations

import platform
import sys
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from pinsync import api, config
from pinsync.agreement.claim import Result
from pinsync.agreement.record import BegunOperation, Write
from pinsync.apply.executor import Choices, Executor
from pinsync.apply.journal import (
    Journal,
    format_start,
    name_journal,
    write_backup,
)
from pinsync.apply.record import ACKNOWLEDGED, Account
from pinsync.apply.view import Clock
from pinsync.canonical.pins import read_pin
from pinsync.commands.diff import get_tracker
from pinsync.commands.lint import EXPIRED_DAYS
from pinsync.document import written
from pinsync.drift.changes import read_pins
from pinsync.drift.pairs import build_content_key, collect_ids, describe_target, read_data
from pinsync.errors import (
    FileError,
    PinsyncError,
    RemoteError,
    RepositoryError,
    SafetyError,
    UsageError,
    pick_gravest,
)
from pinsync.lint.engine import apply_rules
from pinsync.lint.folder import Folder
from pinsync.lint.rules import RULES
from pinsync.model import EVERYTHING
from pinsync.plan.guard import describe_mass_removal
from pinsync.redaction import redact
from pinsync.reports import Style, load_account, load_plan
from pinsync.shelf.shelf import find_state
from pinsync.terminal.console import is_terminal
from pinsync.terminal.prompt import confirm
from pinsync.workspace.machine import find_apply_folder, hide_from_git, lock_tracker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import tzinfo
    from pathlib import Path

    from pinsync.agreement.claim import Claim
    from pinsync.apply.record import Outcome
    from pinsync.commands.diff import Comparison, Run, TrackerPair
    from pinsync.commands.planning import Planned
    from pinsync.config import Tracker
    from pinsync.model import Customization, Finding, RawAnswer, Scope, Snapshot
    from pinsync.plan.record import Operation, Plan, TrackerPlan
    from pinsync.terminal.console import Console

CLOCK = Clock(time.monotonic, time.sleep)
"""The effects of a run that tests replace."""


class WriteOptions(Struct, frozen=True, kw_only=True):
    """The options that `apply` and `restore` share.

    Attributes:
        names: the names of the trackers; all trackers if empty.
        scope: the rules to write.
        expect: the checksum of the plan that was agreed to; None without one.
        yes: whether to write without a question.
        max_changes: the largest number of operations; None for any number.
        no_lint: whether rules with lint errors may be written.
        allow_mass_removal: whether more rules may be deleted than ``safety`` allows.
        keep_going: see `Choices`, as for the next two.
        allow_dropped_metadata: whether the shop may drop ``target_metadata``.
        parallel: the largest number of requests at once.
        backup_dir: the folder of backups and journals; None for the user's state folder.
        take_over: whether an apply of another machine that hasn't ended is dead.
        format: the format of the account.
        now: the present, in UTC.
    """

    names: Sequence[str] = ()
    scope: Scope = EVERYTHING
    expect: str | None = None
    yes: bool = False
    max_changes: int | None = None
    no_lint: bool = False
    allow_mass_removal: bool = False
    keep_going: bool = False
    allow_dropped_metadata: bool = False
    parallel: int = 4
    backup_dir: Path | None = None
    take_over: bool = False
    format: str = "text"
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    @property
    def needs_question(self) -> bool:
        """Whether a person has to be asked."""
        return not self.yes and self.expect is None

    @property
    def choices(self) -> Choices:
        """The options of each run."""
        return Choices(self.parallel, self.keep_going, self.allow_dropped_metadata)


def check_terminal(options: WriteOptions) -> None:
    """Refuse to work where nobody can be asked.

    Raises:
        UsageError: neither an option nor a terminal says yes.
    """
    if not options.needs_question:
        return
    hint = "add --yes, or --expect with the checksum of pinsync plan"
    # A person who can't see the plan can't agree to it.
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise UsageError("there is no terminal to ask on", hint=hint)
    if options.format != "text":
        raise UsageError(f"--format {options.format} can't ask for a yes", hint=hint)


@contextmanager
def lock_trackers(trackers: Sequence[Tracker]) -> Iterator[None]:
    """Hold the locks of trackers.

    Raises:
        SafetyError: another process holds one.
        FileError: the folder of the user's state can't be written.
    """
    with ExitStack() as stack:
        for tracker_id in sorted({tracker.tracker_id for tracker in trackers}):
            stack.enter_context(lock_tracker(tracker_id))
        yield


def choose_backup_folder(options: WriteOptions, root: Path) -> Path:
    """Return the folder of backups and journals.

    Args:
        options: the options of the command line.
        root: the root of the repository.

    Raises:
        UsageError: the user's state folder lies in the repository.
    """
    if options.backup_dir is not None:
        return options.backup_dir
    folder = find_apply_folder()
    if folder.resolve().is_relative_to(root.resolve()):
        message = f"the backup would lie in the repository: {folder}"
        raise UsageError(message, hint="name another folder with --backup-dir")
    return folder


def choose_trackers(run: Run) -> list[Tracker]:
    """Return the trackers of a run, each as the configuration in use has it.

    Raises:
        UsageError: there is no such tracker, or the documents of one lack pins.
    """
    trackers: list[Tracker] = []
    for pair in run.choose_trackers():
        trackers.append(get_tracker(pair))
        for tracker in filter(None, pair):
            _check_flags(tracker)
    return trackers


def _check_flags(tracker: Tracker) -> None:
    """Refuse a tracker whose documents lack pins, since a write replaces all pins of a rule.

    Raises:
        UsageError: the tracker's answers lack pins.
    """
    if tracker.remove_expired_pins or tracker.remove_nonexisting_item_pins:
        message = (
            f"the documents of tracker {tracker.name} lack the pins that the shop leaves out "
            f"(remove_… in the configuration), and a write replaces all pins of a rule"
        )
        hint = "switch remove_expired_pins and remove_nonexisting_item_pins off, and export"
        raise UsageError(message, hint=hint)


class Execution:
    """Carries out a plan.

    Args:
        run: the comparison that the plan was made from.
        planned: the plan.
        options: the options of the command line.
        folder: the folder of backups and journals.
        claims: tracker id → the record of agreement; a tracker without one keeps its record.

    Attributes:
        is_interrupted: whether the user ended the run.
    """

    def __init__(
        self,
        run: Run,
        planned: Planned,
        options: WriteOptions,
        folder: Path,
        claims: Mapping[str, Claim],
    ) -> None:
        self._run = run
        self._planned = planned
        self._options = options
        self._folder = folder
        self._claims = claims
        self._console: Console = run.console
        self.is_interrupted = False

    @property
    def plan(self) -> Plan:
        """The plan."""
        return self._planned.plan

    @property
    def zone(self) -> tzinfo:
        """The time zone of reports."""
        return self._run.tree.settings.zone

    def show(self, style: Style) -> None:
        """Print the plan for people; beside an account for programs, on standard error."""
        plan = replace(self.plan, is_preview=False)
        if self._options.format != "text":
            style = replace(style, color=False)
        text: str = load_plan("text").render(plan, style)
        if self._options.format == "text":
            self._console.report(text, "text")
        else:
            self._console.say(text.removesuffix("\n"))

    def check(self) -> None:
        """Refuse a plan that isn't the expected one, or is beyond a limit.

        Raises:
            PinsyncError: the error of a tracker that couldn't be planned.
            SafetyError: another plan was agreed to, or too much would change.
            UsageError: a rule to be written has a lint error.
        """
        for tracker in self.plan.trackers:
            if tracker.drift.error:
                raise tracker.drift.error
        expect, checksum = self._options.expect, self.plan.checksum
        if expect is not None and expect != checksum:
            message = f"--expect: the plan now has the checksum {checksum}, not {expect}"
            hint = "the shop or git has changed since; review what pinsync plan shows now"
            raise SafetyError(message, hint=hint)
        limit, count = self._options.max_changes, len(self.plan.operations)
        if limit is not None and count > limit:
            message = f"the plan has {count:,} operations, more than --max-changes {limit:,}"
            raise SafetyError(message, hint="narrow the plan, or raise the limit")
        for tracker, comparison, pair in self._walk():
            if not self._options.allow_mass_removal:
                self._check_removals(tracker, comparison)
            if not self._options.no_lint:
                self._check_lint(tracker, comparison, pair)

    def _walk(self) -> Iterator[tuple[TrackerPlan, Comparison, TrackerPair]]:
        planned = self._planned
        yield from zip(planned.plan.trackers, planned.comparisons, planned.pairs, strict=True)

    def _check_removals(self, tracker: TrackerPlan, comparison: Comparison) -> None:
        safety = self._run.new.settings.safety
        reason = describe_mass_removal(
            tracker.operations,
            len(_get_live(comparison).customizations),
            safety.max_removed_percent,
            safety.min_existing,
        )
        if reason:
            message = f"tracker {tracker.drift.name}: {reason}"
            raise SafetyError(message, hint="if that is right, add --allow-mass-removal")

    def _check_lint(self, tracker: TrackerPlan, comparison: Comparison, pair: TrackerPair) -> None:
        """Refuse rules with lint errors.

        Raises:
            FileError: a rule has one.
        """
        places = [each.change.place for each in tracker.operations if each.after]
        if pair[0] is None or not comparison.contents or not any(places):
            return
        source = comparison.contents[0]
        wanted = {(place.file, place.line) for place in places if place}
        starts: dict[str | None, list[int]] = {}
        for document in source.documents.values():
            path = document.source.removeprefix(source.prefix)
            starts[path] = [entry.line for entry in document.entries]
        for finding in self._lint(pair[0]):
            lines = [line for line in starts.get(finding.file, ()) if line <= (finding.line or 0)]
            if finding.severity == "error" and (finding.file, max(lines, default=0)) in wanted:
                raise FileError(
                    f"{finding.message} ({finding.rule}), in a rule to be written",
                    source=f"{source.prefix}{finding.file}",
                    line=finding.line,
                    hint="; or ".join(filter(None, [finding.hint, "add --no-lint"])),
                )

    def _lint(self, tracker: Tracker) -> list[Finding]:
        """Return the findings in the documents of SOURCE."""
        files = self._run.old.read_documents(tracker)
        documents = [written.read(text, str(path)) for path, text in files]
        folder = Folder(documents, RULES, self._options.now, EXPIRED_DAYS, managed=tracker.manages)
        return apply_rules(folder, RULES, {document.source for document in documents})

    def redact(self, text: str) -> str:
        """Return a text without private keys, which a host may echo in anything."""
        keys = [get_tracker(pair).private_key_env for pair in self._planned.pairs]
        return redact(text, self._run.environ, keys)

    def warn_of_past(self) -> None:
        """Warn of rules to be written all of whose pins are over."""
        for operation in self.plan.operations:
            after = operation.after
            pins = [read_pin(each) for each in read_pins(read_data(after))]
            at = self.plan.drift.at
            if after and pins and all(find_state(pin, at) == "over" for pin in pins):
                rule = f"{after.model}: {describe_target(after)}"
                self._console.warn(f"all pins of a rule to be written are over: {rule}")

    def ask(self) -> bool:
        """Ask a person, if nobody has said yes; return the answer."""
        if not self._options.needs_question:
            return True
        return confirm(self._console, "Carry out this plan in the shop")

    # Writing

    def run(self, source: str) -> list[Account]:
        """Carry out the plans of all trackers, one after the other; return their accounts.

        Args:
            source: the full hash of SOURCE; empty for a JSON export.

        Raises:
            PinsyncError: nothing was sent.
        """
        accounts: list[Account] = []
        writers = self._prepare(source)
        names = [tracker.drift.name for tracker in self.plan.trackers]
        with self._console.show_phase("applying", names) as done:
            for tracker, comparison, _ in self._walk():
                writer = writers.get(tracker.drift.name)
                if writer:
                    accounts.append(self._write(writer))
                elif self.is_interrupted:
                    accounts.append(Account(tracker, stop=_build_interrupt()))
                else:
                    accounts.append(self._close_without_writes(tracker, comparison))
                done(tracker.drift.name)
        return accounts

    def _prepare(self, source: str) -> dict[str, _Writer]:
        """Return a writer for each tracker with operations, by the name of the tracker.

        No tracker is written before all of them are ready: an error means that nothing was sent.

        Raises:
            PinsyncError: a tracker can't be written.
        """
        writers: dict[str, _Writer] = {}
        try:
            for tracker, comparison, pair in self._walk():
                if tracker.operations:
                    hide_from_git(self._folder, self._run.tree.settings.root)
                    claim = self._claims.get(tracker.drift.tracker_id)
                    parts = tracker, comparison, get_tracker(pair), claim
                    writer = _Writer(self._run, self._planned, self._options, *parts)
                    writers[tracker.drift.name] = writer
                    writer.prepare(self._folder, source)
        except BaseException:
            for writer in writers.values():
                writer.withdraw()
            raise
        return writers

    def _write(self, writer: _Writer) -> Account:
        """Return the account of a tracker; after an interrupt nothing is sent to it."""
        try:
            if not self.is_interrupted:
                account = writer.write()
                self.is_interrupted = writer.is_interrupted
                return account
        except KeyboardInterrupt:
            self.is_interrupted = True
        with suppress(KeyboardInterrupt):
            writer.withdraw()
        return writer.build_interrupted_account()

    def _close_without_writes(self, tracker: TrackerPlan, comparison: Comparison) -> Account:
        claim = self._claims.get(tracker.drift.tracker_id)
        account = Account(tracker)
        if claim is None or comparison.contents is None:
            return account
        live = _get_live(comparison).customizations
        is_unfiltered = self._planned.is_unfiltered
        try:
            return _close(account, claim, comparison, live, is_unfiltered=is_unfiltered)
        except KeyboardInterrupt:
            # Other trackers may have been written.
            self.is_interrupted = True
            return Account(tracker, stop=_build_interrupt())


class _Writer:
    """Writes to the shop of one tracker.

    Args:
        run: the comparison that the plan was made from.
        planned: the plan of all trackers.
        options: the options of the command line.
        tracker: the plan of the tracker.
        comparison: its comparison.
        settings: its configuration.
        claim: its record of agreement; None if the record stays as it is.

    Attributes:
        is_interrupted: whether the user ended the run.
    """

    def __init__(
        self,
        run: Run,
        planned: Planned,
        options: WriteOptions,
        tracker: TrackerPlan,
        comparison: Comparison,
        settings: Tracker,
        claim: Claim | None,
    ) -> None:
        self.is_interrupted = False
        self._run = run
        self._is_unfiltered = planned.is_unfiltered
        self._choices = options.choices
        self._tracker = tracker
        self._comparison = comparison
        self._settings = settings
        self._claim = claim
        self._answer = _get_answer(_get_live(comparison))
        self._begun = [build_begun(operation) for operation in tracker.operations]
        self._has_begun = False
        self._has_started = False
        self._session: api.Session | None = None
        self._journal: Journal | None = None
        self._backup: Path | None = None

    def prepare(self, folder: Path, source: str) -> None:
        """Write the backup, the journal, and the plan into the record of agreement.

        Args:
            folder: the folder of backups and journals.
            source: the full hash of SOURCE; empty for a JSON export.

        Raises:
            PinsyncError: one of them can't be written, or there is no private key.
        """
        tracker_id, host = self._tracker.drift.tracker_id, self._answer.host
        self._session = self._open_session(host)
        started = format_start(datetime.now(UTC))
        self._backup = write_backup(folder, tracker_id, started, self._answer.body)
        self._journal = Journal(folder / name_journal(tracker_id, started))
        self._journal.begin(tracker_id, started, host, source, self._tracker.operations)
        if self._claim:
            git, live = _get_git(self._comparison), _get_live(self._comparison).customizations
            self._claim.begin(started, platform.node(), self._begun, git, live)
            self._has_begun = True
            doubtful = [at for at, each in enumerate(self._begun) if each in self._claim.doubtful]
            if doubtful:
                # A later run must not take them for unsent.
                self._journal.write("unclear", operations=doubtful)

    def withdraw(self) -> None:
        """Take the plan out of the record of agreement, since nothing was sent."""
        if self._journal:
            self._journal.close()
        if self._claim and self._has_begun and not self._has_started:
            settled = [each for each in self._begun if each not in self._claim.doubtful]
            with suppress(PinsyncError):
                self._claim.close(Result(settled=settled))

    def write(self) -> Account:
        """Carry out the operations; return the account."""
        if self._session is None or self._journal is None:
            raise ValueError("the writer isn't prepared")
        with closing(self._journal):
            return self._write(self._session, self._journal)

    def _write(self, session: api.Session, journal: Journal) -> Account:
        operations = self._tracker.operations
        notes: list[str] = []
        live: Sequence[Customization] | None = None
        with api.Shop(session) as shop:
            executor = Executor(
                shop,
                operations,
                frozenset(collect_ids(_get_live(self._comparison).customizations)),
                ignore=self._run.old.settings.ignore,
                choices=self._choices,
                journal=journal,
                clock=CLOCK,
                show=self._show_count,
            )
            self._has_started = True
            executor.execute()
            try:
                live = executor.verify()
            except PinsyncError as error:
                notes.append(f"the shop couldn't be read afterwards: {error.message}")
            except KeyboardInterrupt:
                self.is_interrupted = True
                notes.append("the shop wasn't read afterwards")
        outcomes = tuple(executor.outcomes[number] for number in range(len(operations)))
        self.is_interrupted = self.is_interrupted or executor.is_interrupted
        stop = executor.stop
        if self.is_interrupted and stop is None:
            stop = _build_interrupt()
        account = Account(
            self._tracker,
            outcomes,
            stop,
            is_verified=live is not None or not any(each.was_sent for each in outcomes),
            backup=self._backup,
            journal=journal.path,
            host=self._answer.host,
            notes=tuple(notes),
        )
        try:
            journal.write_end(account.exit_code)
            return self._close(account, live)
        except KeyboardInterrupt:
            # The record still has the plan, and the journal what became of it.
            self.is_interrupted = True
            note = "the record of agreement may lack the writes"
            return replace(account, stop=_build_interrupt(), notes=(*account.notes, note))

    def build_interrupted_account(self) -> Account:
        """Return the account of a run that an interrupt cut off; the journal knows the writes."""
        journal = self._journal.path if self._journal else None
        return Account(
            self._tracker,
            stop=_build_interrupt(),
            is_verified=not self._has_started,
            backup=self._backup,
            journal=journal,
            host=self._answer.host,
        )

    def _close(self, account: Account, live: Sequence[Customization] | None) -> Account:
        if self._claim is None:
            return account
        return _close(
            account, self._claim, self._comparison, live, is_unfiltered=self._is_unfiltered
        )

    def _show_count(self, done: int) -> None:
        name, total = self._tracker.drift.name, len(self._tracker.operations)
        self._run.console.show_count(name, done, total)

    def _open_session(self, host: str) -> api.Session:
        key = config.read_private_key(self._settings, self._run.environ)
        settings = self._run.new.settings
        return api.Session(
            # The host of the whole run: whoever receives a write could replay it elsewhere.
            replace(self._settings, hosts=(host,)),
            key,
            settings.timeout,
            settings.safety.max_answer_bytes,
            sleep=CLOCK.sleep,
            monotonic=CLOCK.monotonic,
            watcher=self._run.console,
        )


def _build_interrupt() -> RemoteError:
    return RemoteError("the run was interrupted", hint="run the command again to finish")


def _close(
    account: Account,
    claim: Claim,
    comparison: Comparison,
    live: Sequence[Customization] | None,
    *,
    is_unfiltered: bool,
) -> Account:
    """Return the account after the record of agreement was written.

    Args:
        account: the account of one tracker.
        claim: the record.
        comparison: the comparison that the plan was made from.
        live: all rules of the shop afterwards; None if they aren't known.
        is_unfiltered: whether the plan was of all rules.
    """
    settled: list[BegunOperation] = []
    for outcome in account.outcomes:
        operation = build_begun(outcome.operation)
        was_doubtful = operation in claim.doubtful and outcome.state not in ACKNOWLEDGED
        if not (was_doubtful or outcome.is_doubtful):
            settled.append(operation)
    result = Result(
        writes=[each for each in map(_build_write, account.outcomes) if each],
        settled=settled,
        git=_get_git(comparison),
        # A filtered apply says nothing about the other rules. A range leaves them as they are, but
        # the comparison is of all.
        live=live if is_unfiltered else None,
        is_applied=is_unfiltered and account.exit_code in (0, 1),
    )
    try:
        claim.close(result)
    except (SafetyError, RepositoryError, FileError) as error:
        if not account.plan.operations:
            note = f"the record of agreement stays as it is: {error.message}"
            return replace(account, notes=(*account.notes, note))
        message = f"the record of agreement couldn't be written: {error.message}"
        if account.stop:
            return replace(account, notes=(*account.notes, message))
        return replace(account, stop=RemoteError(message, hint=error.hint))
    return account


def find_exit_code(accounts: Sequence[Account]) -> int:
    """Return the exit code of all trackers: the gravest, but 2 and 4 say that nothing was sent."""
    code = pick_gravest([account.exit_code for account in accounts])
    has_written = any(account.has_written for account in accounts)
    return 3 if has_written and code in (2, 4) else code


def carry_out(
    execution: Execution, commit: str, format_: str, console: Console
) -> list[Account] | None:
    """Show a plan, ask, write, and print the account.

    Args:
        execution: the plan, and how to carry it out.
        commit: the full hash of SOURCE; empty for a JSON export.
        format_: the format of the account.
        console: prints it.

    Returns:
        The account of each tracker; None if a person said no.

    Raises:
        PinsyncError: nothing was written.
        RemoteError: the account of writes can't be printed.
        KeyboardInterrupt: the user ended the run, after the account was printed.
    """
    plan = execution.plan
    style = Style(zone=execution.zone, color=console.color_out)
    execution.show(style)
    execution.check()
    execution.warn_of_past()
    if plan.operations and not execution.ask():
        console.say("nothing was changed")
        return None
    accounts = execution.run(commit)
    text: str = execution.redact(load_account(format_).render(accounts, plan, style))
    try:
        if text:
            console.report(text, format_)
        errors = [account.stop for account in accounts if account.stop]
        for error in errors:
            error.message = execution.redact(error.message)
        console.fail_beside_report(errors, format_)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("run the command again to finish") from None
    except FileError as error:
        # Its own exit code would say that nothing was written.
        if any(account.has_written for account in accounts):
            raise RemoteError(f"the account is lost: {error.message}", hint=error.hint) from error
        raise
    if execution.is_interrupted:
        raise KeyboardInterrupt("run the command again to finish")
    return accounts


def build_begun(operation: Operation) -> BegunOperation:
    """Return an operation as the record of agreement names it."""
    rule = operation.after or operation.change.subject
    type_, identity, criteria = rule.target
    target = (type_, identity, criteria)
    return BegunOperation(operation.kind, operation.id, rule.model, target)


def _build_write(outcome: Outcome) -> Write | None:
    """Return a write that was acknowledged; None if none was, or if its rule has no known id."""
    operation = outcome.operation
    if outcome.state not in ACKNOWLEDGED or outcome.rule_id is None:
        return None
    live = outcome.rule
    if live and operation.after and build_content_key(live) != build_content_key(operation.after):
        live = None
    return Write(outcome.rule_id, operation.before, operation.after, live)


def _get_live(comparison: Comparison) -> Snapshot:
    if comparison.contents is None:
        raise ValueError("a comparison that failed")
    return comparison.contents[1].snapshot


def _get_git(comparison: Comparison) -> Sequence[Customization]:
    if comparison.contents is None:
        raise ValueError("a comparison that failed")
    return comparison.contents[0].snapshot.customizations


def _get_answer(live: Snapshot) -> RawAnswer:
    if live.answer is None:
        raise ValueError("the answer wasn't kept")
    return live.answer
