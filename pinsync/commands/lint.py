"""``pinsync lint``: check documents with the lint rules."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field
from msgspec.structs import replace

from pinsync import config, layout
from pinsync.canonical.moments import ALWAYS, Window, parse_option, to_instant
from pinsync.commands.deliver import Reports, check_reports, deliver, has_summary
from pinsync.document import written
from pinsync.errors import FileError, UsageError, pick_gravest, suggest
from pinsync.items.file import parse_items
from pinsync.items.record import list_missing
from pinsync.lint.baseline import read_baseline
from pinsync.lint.engine import apply_rules
from pinsync.lint.folder import Folder
from pinsync.lint.ignores import add_ignores, count_ignores
from pinsync.lint.rules import RULES, LintRule, describe_rule, syntax, unread_document
from pinsync.model import ALL_RULES, Finding, Managed
from pinsync.reports import load_lint
from pinsync.reports.ci.findings import (
    LINT_INCOMPLETE,
    Context,
    FindingRule,
    PassedTest,
    name_suite,
)
from pinsync.workspace.paths import (
    choose_files,
    describe_search,
    find_configuration_path,
    read_misnamed,
    rebase_error,
    relative_to_cwd,
    relative_to_root,
)
from pinsync.workspace.store import Store, explain_interrupts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import tzinfo

    from pinsync.config import Settings
    from pinsync.document.written import Written
    from pinsync.items.record import Items
    from pinsync.lint.baseline import Baseline
    from pinsync.terminal.console import Console
    from pinsync.workspace.paths import FileSelection
    from pinsync.workspace.tree import WorkingTree
    from pinsync.workspace.workspace import Workspace

EXPIRED_DAYS: Final = 30


class Options(Struct, frozen=True):
    """The options of the command line.

    Attributes:
        paths: files and folders; all documents if empty.
        names: the trackers, instead of paths; all if empty.
        select: the lint rules to apply; all if empty.
        ignore: the lint rules not to apply.
        strict: whether warnings make the exit code 1, as errors do.
        expired_days: the number of days after its end until a pin counts as expired.
        at: the moment from which overlaps of windows count, as text, which also counts as the
            present; None for overlaps at any time.
        until: the moment until which overlaps of windows count, as text; None for no limit.
        since: report only findings that this git revision lacks; None reports all.
        explain: describe this lint rule, or list all if empty; None checks documents.
        add_ignores: whether to write an ignore comment for each finding into the documents.
        format: the format of the report on standard output.
        reports: the format and the file of each further report.
        now: the present, in UTC.
    """

    paths: Sequence[str] = ()
    names: Sequence[str] = ()
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    strict: bool = False
    expired_days: int = EXPIRED_DAYS
    at: str | None = None
    until: str | None = None
    since: str | None = None
    explain: str | None = None
    add_ignores: bool = False
    format: str = "text"
    reports: Sequence[tuple[str, Path]] = ()
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


def lint(workspace: Workspace, options: Options, console: Console) -> int:
    """Check documents, without network or key; only ``since`` needs git.

    Args:
        workspace: the configuration and the files.
        options: the options of the command line.
        console: the output.

    Returns:
        0; 1 if there are errors, or warnings with ``strict`` or ``add_ignores``; 2 if a file can't
        be read. The other files are checked even then.

    Raises:
        PinsyncError: an error that concerns all files.
    """
    if options.explain is not None:
        # Before anything is read: the documentation is there without a configuration.
        return _explain(options.explain, console) if options.explain else _list_lint_rules(console)
    ids = _choose_lint_rules(options)
    if "-" in options.paths:
        hint = "name a file; its name and its neighbours count too. pinsync fmt takes -"
        raise UsageError("lint reads files, not standard input", hint=hint)
    settings = workspace.settings
    check_reports(options.reports, settings)
    # Reading needs no state folder, so any folder will do.
    store = Store(settings.root, settings.directory, settings.root)
    tree = None
    if options.add_ignores or options.since is not None:
        tree = workspace.tree
        settings, store = tree.settings, tree.store
    configurations, refused = _check_configurations(options.paths, settings, workspace.environ)
    options, limits = _parse_times(options, settings.zone)
    besides = [*configurations, *refused]
    files = choose_files(options.paths, options.names, settings, store, besides)
    reader = _Reader(store, files, settings, console, limits)
    only_found: set[str] = set()
    # Documents outside of the trackers' folders are reported as unread, but not checked.
    if unread_document.ID in ids:
        only_found = {str(path) for path in (*files.unread, *files.misnamed)} - reader.files
    check = _Check(ids, reader.files, only_found)
    for path in files.items:
        reader.read_missing_items(path)
    folders, findings = _check_folders(check, reader, options, console)
    errors = [*refused.values(), *files.errors, *reader.errors]
    console.fail_beside_report(errors, options.format)
    if not (folders or files.items or errors or configurations):
        console.warn(describe_search(options.paths, options.names, settings, store))
    if tree is not None and options.since is not None:
        baseline = _read_baseline(options, tree, folders, reader, console)
        check = replace(check, baseline=baseline)
        findings = check.select(findings)
    if options.add_ignores:
        findings = _add_ignores(folders, check, store, console)
    # Failures first, since a report may be cut.
    failures = [_build_failure(error, store.root) for error in errors]
    findings = [*failures, *reader.items_findings, *findings]
    passed = [PassedTest(path, path) for path in (*configurations.values(), *reader.sound_items)]
    context = reader.build_context(findings, ids, passed)
    context = replace(context, has_page=has_summary(workspace.environ))
    reports = _build_reports(findings, context, reader)
    deliver(reports, options, workspace.environ, console)
    codes = [error.exit_code for error in errors]
    # Only findings that no comment can ignore are left, so their warnings count too.
    counts_warnings = options.strict or options.add_ignores
    has_failed = any(counts_warnings or finding.severity == "error" for finding in findings)
    return pick_gravest([*codes, int(has_failed)])


def _parse_times(options: Options, zone: tzinfo) -> tuple[Options, Window]:
    """Return the options with the present that ``at`` names, and the time in which overlaps count.

    Raises:
        UsageError: a time can't be parsed, or ``until`` lies before ``at``.
    """
    start, end = ALWAYS
    if options.at is not None:
        now = parse_option(options.at, zone, option="--at")
        options = replace(options, now=now)
        start = to_instant(now)
    if options.until is not None:
        end = to_instant(parse_option(options.until, zone, option="--until", end=True))
    if end < start:
        hint = "exchange the two times, or leave one of them out"
        raise UsageError("--until lies before --at", hint=hint)
    return options, Window(start, end)


def _build_reports(findings: Sequence[Finding], context: Context, reader: _Reader) -> Reports:
    # Text is for people in the current folder; other formats need paths from the root.
    rebased = reader.rebase_findings(findings)

    def render(format_: str, color: bool) -> str:
        render_findings = load_lint(format_).render_findings
        text: str
        if format_ == "text":
            text = render_findings(rebased, context, color=color)
        else:
            text = render_findings(findings, context)
        return text

    def render_page(max_chars: int) -> str:
        text: str = load_lint("github").render_summary(findings, context, max_chars)
        return text

    return Reports(render, is_empty=not findings, page=render_page)


def _check_folders(
    check: _Check, reader: _Reader, options: Options, console: Console
) -> tuple[list[Folder], list[Finding]]:
    """Return the folders of the documents, and their findings."""
    sources = {*check.files, *check.only_found}
    places = sorted({PurePosixPath(source).parent for source in sources})
    folders: list[Folder] = []
    findings: list[Finding] = []
    with console.show_phase("checking", [str(place) for place in places]) as done:
        for place in places:
            folders.append(reader.read_folder(place, options))
            findings += check.check_folder(folders[-1])
            done(str(place))
    return folders, findings


def _check_configurations(
    words: Sequence[str], settings: Settings, environ: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, FileError]]:
    """Check the configurations among the paths of the command line by reading them.

    Args:
        words: the paths.
        settings: the configuration of the command, which was read already.
        environ: the environment variables.

    Returns:
        Path as given → path from the root of each valid configuration, and path as given → error of
        each refused one.
    """
    passed: dict[str, str] = {}
    refused: dict[str, FileError] = {}
    for word in words:
        is_own = settings.path is not None and settings.path.resolve() == Path(word).resolve()
        if not (is_own or config.is_configuration(Path(word).name)):
            continue
        try:
            # The command's own configuration was checked when it was loaded.
            if not is_own:
                config.check(word, environ)
            passed[word] = relative_to_root(word, settings.root) or word
        except FileError as error:
            refused[word] = error
    return passed, refused


class _Check(Struct, frozen=True):
    """The lint rules and the documents of a run.

    Attributes:
        ids: the lint rules to apply.
        files: the paths of the documents to check.
        only_found: the paths of other documents, to report only if no tracker reads them.
        baseline: the findings to omit, if any.
    """

    ids: Collection[str]
    files: Collection[str]
    only_found: Collection[str]
    baseline: Baseline | None = None

    def check_folder(self, folder: Folder) -> list[Finding]:
        """Return the findings of a folder."""
        findings = apply_rules(folder, self.ids, self.files)
        findings += apply_rules(folder, {unread_document.ID}, self.only_found)
        return self.select(findings)

    def select(self, findings: list[Finding]) -> list[Finding]:
        """Return the findings that the baseline lacks."""
        return findings if self.baseline is None else self.baseline.select_new(findings)


def _read_baseline(
    options: Options,
    tree: WorkingTree,
    folders: Sequence[Folder],
    reader: _Reader,
    console: Console,
) -> Baseline:
    documents: list[Written] = []
    for folder in folders:
        documents += folder.documents

    def check(
        place: PurePosixPath, committed: Sequence[Written], items: bytes | None
    ) -> list[Finding]:
        missing: frozenset[str] = frozenset()
        # Findings about missing items are all new if nobody can tell which ones are old.
        with suppress(FileError):
            missing = list_missing(parse_items(items, "") if items else {})
        folder = replace(reader.build_folder(place, committed, options), missing_items=missing)
        return apply_rules(folder, RULES, {document.source for document in committed})

    return read_baseline(str(options.since), tree, documents, check, console.warn)


def _add_ignores(
    folders: Sequence[Folder], check: _Check, store: Store, console: Console
) -> list[Finding]:
    """Write ignore comments for all findings; return the findings that comments can't ignore.

    Raises:
        SafetyError: another process writes, or a document changed since it was read.
        FileError: a document can't be written.
    """
    pairs: list[tuple[Written, Written]] = []
    findings: list[Finding] = []
    for folder in folders:
        changed_folder, remaining = _ignore_findings(folder, check)
        findings += remaining
        pairs += zip(folder.documents, changed_folder.documents, strict=True)
    pairs = [(old, new) for old, new in pairs if old != new]
    if pairs:
        changes = [(PurePosixPath(old.source), old.original, new.original) for old, new in pairs]
        # Recorded first: after a kill, a file in its new form must not pass for a person's work.
        with store.lock(), explain_interrupts():
            store.record_forms(changes)
            for change in changes:
                store.reshape(*change)
    added = sum(count_ignores(new) - count_ignores(old) for old, new in pairs)
    comments = "1 ignore comment" if added == 1 else f"{added} ignore comments"
    files = "1 file" if len(pairs) == 1 else f"{len(pairs)} files"
    console.say(f"added {comments}, changed {files}")
    return findings


def _ignore_findings(folder: Folder, check: _Check) -> tuple[Folder, list[Finding]]:
    """Return a folder with ignore comments in its documents, and the remaining findings."""
    while True:
        wanted: dict[str | None, list[tuple[int, str]]] = {}
        findings = check.check_folder(folder)
        for finding in findings:
            if finding.rule != syntax.ID and finding.line is not None:
                wanted.setdefault(finding.file, []).append((finding.line, finding.rule))
        documents = [
            add_ignores(document, wanted.get(document.source, ())) for document in folder.documents
        ]
        if documents == folder.documents:
            return folder, findings
        # Once more, because `format` reports only the first difference that isn't ignored.
        folder = replace(folder, documents=documents)


def _explain(name: str, console: Console) -> int:
    """Print the documentation of a lint rule, or of the findings for unreadable files.

    Raises:
        UsageError: there is no such lint rule.
    """
    rule = LINT_INCOMPLETE
    if name != LINT_INCOMPLETE.id:
        rule = _build_finding_rule(RULES[_check_lint_rule(name)])
    console.out(f"{rule.id} ({rule.severity})\n\n{rule.summary}\n\n{rule.help}".rstrip())
    return 0


def _list_lint_rules(console: Console) -> int:
    """Print each lint rule with its severity and summary."""
    width = max(map(len, RULES))
    for rule in map(_build_finding_rule, RULES.values()):
        console.out(f"{rule.id:<{width}}  {rule.severity:<7}  {rule.summary}")
    return 0


def _choose_lint_rules(options: Options) -> frozenset[str]:
    """Return the ids of the lint rules to apply.

    Raises:
        UsageError: there is no such lint rule, none is left, or `syntax` is ignored.
    """
    selected = {_check_lint_rule(name) for name in options.select}
    ignored = {_check_lint_rule(name) for name in options.ignore}
    if not (selected or RULES.keys()) - ignored:
        message = "no lint rule is left: --ignore excludes all"
        raise UsageError(message, hint="leave one of them out of --ignore")
    if syntax.ID in ignored:
        reason = "nobody knows whether an unreadable file is in order"
        hint = "mend the file, or name the files to check"
        raise UsageError(f"syntax can't be ignored: {reason}", hint=hint)
    # Always with syntax: the other lint rules find nothing in an unreadable file, which must not
    # look like a file without faults.
    selected = selected | {syntax.ID} if selected else set(RULES)
    return frozenset(selected - ignored)


def _check_lint_rule(name: str) -> str:
    if name not in RULES:
        raise UsageError(f'there is no lint rule "{name}"', hint=suggest(name, RULES))
    return name


class _Reader:
    """Reads the files to check, and the other documents of their folders."""

    def __init__(
        self,
        store: Store,
        chosen: FileSelection,
        settings: Settings,
        console: Console,
        limits: Window,
    ) -> None:
        self.files = {str(path) for path in chosen.paths}
        self.errors: list[FileError] = []
        self.items_findings: list[Finding] = []
        self._store = store
        self._chosen = chosen
        self._settings = settings
        self._console = console
        self._limits = limits
        self._read: dict[str, Written] = {}
        self._unread = {path.parent for path in chosen.unread}
        self._folders: dict[PurePosixPath, set[PurePosixPath]] = {}
        for path in chosen.paths:
            self._folders.setdefault(path.parent, set()).add(path)
        self._missing_items: dict[PurePosixPath, frozenset[str]] = {}
        self._misnamed: dict[PurePosixPath, list[Written]] = {}
        for path in chosen.misnamed:
            self._misnamed.setdefault(path.parent, []).append(read_misnamed(path, store))

    def read_folder(self, folder: PurePosixPath, options: Options) -> Folder:
        """Return a folder with the files to check and all its other documents."""
        paths = self._folders.get(folder, set()).union(self._list_documents(folder))
        readable: list[Written] = []
        for path in sorted(paths):
            document = self._read_document(path)
            if document is not None:
                readable.append(document)
        missing = self.read_missing_items(folder / layout.ITEMS)
        return replace(self.build_folder(folder, readable, options), missing_items=missing)

    def build_folder(
        self, folder: PurePosixPath, documents: Sequence[Written], options: Options
    ) -> Folder:
        """Return a folder with the given documents."""
        return Folder(
            documents,
            rules=RULES,
            now=options.now,
            expired_days=options.expired_days,
            tracker=self._find_tracker(folder),
            expected=str(self._chosen.expected) if folder in self._unread else None,
            misnamed=self._misnamed.get(folder, ()),
            managed=self._find_managed(folder),
            limits=self._limits,
        )

    @property
    def sound_items(self) -> list[str]:
        """The paths of the files to check with titles of items that are in order."""
        faulty = {finding.file for finding in self.items_findings}
        faulty.update(relative_to_root(error.source, self._store.root) for error in self.errors)
        return [str(path) for path in self._chosen.items if str(path) not in faulty]

    def read_missing_items(self, path: PurePosixPath) -> frozenset[str]:
        """Return the items that a file with titles says the catalog lacks; read it once."""
        if path not in self._missing_items:
            items = self._read_items(path)
            self._missing_items[path] = list_missing(items or {})
        return self._missing_items[path]

    def _read_items(self, path: PurePosixPath) -> Items | None:
        """Return the items of a file; None if there is no such file, or it is faulty."""
        is_chosen = path in self._chosen.items
        try:
            text = self._store.read(path)
        except FileError as error:
            if is_chosen:
                self.errors.append(rebase_error(error, self._store.root))
            else:
                self._warn_of_neighbour(error)
            return None
        try:
            return None if text is None else parse_items(text, str(path))
        except FileError as error:
            if is_chosen:
                self.items_findings.append(_build_items_finding(error))
            else:
                self._warn_of_neighbour(error)
            return None

    def _find_tracker(self, folder: PurePosixPath) -> str | None:
        return None if folder in self._unread else self._settings.choose_subfolder(folder.name)

    def _find_managed(self, folder: PurePosixPath) -> Managed:
        """Return the rules that the tracker of a folder manages; all without a tracker."""
        if folder not in self._unread:
            for tracker in self._settings.trackers:
                if self._settings.choose_subfolder(tracker.name) in (None, folder.name):
                    return tracker.manages
        return ALL_RULES

    def _list_documents(self, folder: PurePosixPath) -> Sequence[PurePosixPath]:
        directory = self._store.directory
        subfolder = None if folder == directory else str(folder.relative_to(directory))
        try:
            return self._store.list_paths(subfolder)
        except FileError as error:
            self._console.warn(rebase_error(error, self._store.root).message)
            return ()

    def _read_document(self, path: PurePosixPath) -> Written | None:
        source = str(path)
        try:
            document = written.read(self._read_text(path), source)
        except FileError as error:
            if source in self.files:
                self.errors.append(rebase_error(error, self._store.root))
            else:
                self._warn_of_neighbour(error)
            return None
        self._read[source] = document
        if path.parent in self._folders and source not in self.files and document.faults:
            self._warn_of_neighbour(document.faults[0])
        return document

    def _warn_of_neighbour(self, error: FileError) -> None:
        """Warn of a faulty document that isn't checked itself, but compared with others."""
        message = rebase_error(error, self._store.root).message
        self._console.warn(f"{message}; findings that depend on this file are missing")

    def _read_text(self, path: PurePosixPath) -> bytes:
        text = self._store.read(path)
        if text is None:
            raise FileError("is gone", source=str(path))
        return text

    def build_context(
        self,
        findings: Sequence[Finding],
        ids: Collection[str],
        configurations: Sequence[PassedTest],
    ) -> Context:
        """Return the context of the findings for the reports.

        Args:
            findings: the findings.
            ids: the lint rules that were applied.
            configurations: the valid configurations among the paths of the command line.
        """
        faulty = {finding.file for finding in findings}
        passed: list[PassedTest] = []
        for source in sorted((self.files & self._read.keys()) - faulty):
            tracker = self._find_tracker(PurePosixPath(source).parent)
            suite = name_suite(self._read[source].model, tracker)
            passed.append(PassedTest(suite or source, source))
        rules = [_build_finding_rule(rule) for rule in RULES.values() if rule.ID in ids]
        return Context(
            "lint",
            [*rules, LINT_INCOMPLETE],
            (*passed, *configurations),
            configuration=find_configuration_path(self._settings),
        )

    def rebase_findings(self, findings: Sequence[Finding]) -> list[Finding]:
        """Return the findings with paths as they are written in the current folder."""
        # Once for a file, because many findings have the same file.
        files = {finding.file for finding in findings}
        names = {file: file and relative_to_cwd(file, self._store.root) for file in files}
        return [replace(finding, file=names[finding.file]) for finding in findings]


def _build_failure(error: FileError, root: Path) -> Finding:
    """Return the finding for a file or folder that can't be read."""
    # A file outside the root has no path in the reports, so the message names it.
    file = relative_to_root(error.source, root)
    message = error.message if file is None else error.reason
    return Finding(
        LINT_INCOMPLETE.id,
        "error",
        message,
        file=file,
        line=error.line,
        column=error.column,
        hint=error.hint,
    )


def _build_items_finding(error: FileError) -> Finding:
    """Return the finding for a damaged file with titles of items."""
    return Finding(
        syntax.ID,
        syntax.SEVERITY,
        error.reason,
        file=error.source,
        line=error.line or 1,
        column=1,
        hint=error.hint,
        identity=error.reason,
    )


def _build_finding_rule(rule: LintRule) -> FindingRule:
    summary, text = describe_rule(rule)
    return FindingRule(rule.ID, rule.SEVERITY, summary, text)
