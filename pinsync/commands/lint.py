"""``pinsync lint``: what is wrong with documents, as a report and an exit code."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from pinsync import config
from pinsync.commands.deliver import Reports, check_reports, deliver, has_summary
from pinsync.document import written
from pinsync.errors import FileError, UsageError, pick_gravest, suggest
from pinsync.lint.baseline import read_baseline
from pinsync.lint.engine import apply_rules
from pinsync.lint.folder import Folder
from pinsync.lint.ignores import add_ignores, count_ignores
from pinsync.lint.rules import RULES, LintRule, describe_rule, syntax, unread_document
from pinsync.model import Finding
from pinsync.reports import load_lint
from pinsync.reports.ci.findings import LINT_INCOMPLETE, Context, FindingRule, PassedTest, name_suite
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

    from pinsync.config import Settings
    from pinsync.document.written import Written
    from pinsync.lint.baseline import Baseline
    from pinsync.terminal.console import Console
    from pinsync.workspace.paths import Chosen
    from pinsync.workspace.tree import WorkingTree
    from pinsync.workspace.workspace import Workspace

EXPIRED_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        paths: files and folders; all documents if empty.
        names: the trackers, instead of paths; all if empty.
        select: the rules to apply; all if empty.
        ignore: the rules not to apply.
        strict: whether warnings, too, make the exit code 1.
        expired_days: how many days after its end a pin is worth a word.
        since: report only findings that this git revision doesn't have; None reports all.
        explain: describe this lint rule, or list all if it is empty, instead; None to look at documents.
        add_ignores: whether to write a comment into the documents that ignores each finding.
        format: of the report on stdout.
        reports: more reports, each a format and a file.
        now: the present, in UTC.
    """

    paths: Sequence[str] = ()
    names: Sequence[str] = ()
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    strict: bool = False
    expired_days: int = EXPIRED_DAYS
    since: str | None = None
    explain: str | None = None
    add_ignores: bool = False
    format: str = "text"
    reports: Sequence[tuple[str, Path]] = ()
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


def lint(workspace: Workspace, options: Options, console: Console) -> int:
    """Look for what is wrong with documents; the network and a key aren't needed, git only for ``since``.

    Args:
        workspace: the configuration and the files.
        options: what the command line says.
        console: where to speak.

    Returns:
        0; 1 if there are errors, or with ``strict`` or ``add_ignores`` warnings; 2 if a file can't be read, the others
        being looked at all the same.

    Raises:
        PinsyncError: what stops all files alike.
    """
    if options.explain is not None:
        return _explain(options.explain, console) if options.explain else _list_rules(console)
    ids = _rules(options)
    if "-" in options.paths:
        hint = "name a file; its name and its neighbours count too. pinsync fmt takes -"
        raise UsageError("lint reads files, not standard input", hint=hint)
    settings = workspace.settings
    check_reports(options.reports, settings)
    store = Store(settings.root, settings.directory, settings.root)  # which writes nothing, and so needs no state
    tree = None
    if options.add_ignores or options.since is not None:
        tree = workspace.tree
        settings, store = tree.settings, tree.store
    configurations, refused = _check_configurations(options.paths, settings, workspace.environ)
    files = choose_files(options.paths, options.names, settings, store, [*configurations, *refused])
    reader = _Reader(store, files, settings, console)
    only_found: set[str] = set()
    if unread_document.ID in ids:
        only_found = {str(path) for path in (*files.unread, *files.misnamed)} - reader.files
    check = _Check(ids, reader.files, only_found)
    folders, findings = _check_folders(check, reader, options, console)
    errors = [*refused.values(), *files.errors, *reader.errors]
    console.fail_beside_report(errors, options.format)
    if not folders and not errors and not configurations:
        console.warn(describe_search(options.paths, options.names, settings, store))
    if tree is not None and options.since is not None:
        check = replace(check, baseline=_baseline(options, tree, folders, reader, console))
        findings = check.select(findings)
    if options.add_ignores:
        findings = _add_ignores(folders, check, store, console)
    findings = [*(_failure(error, store.root) for error in errors), *findings]
    context = reader.context(findings, ids)
    passed = (*context.passed, *(PassedTest(path, path) for path in configurations.values()))
    found = findings, replace(context, passed=passed, has_page=has_summary(workspace.environ))
    as_seen = reader.as_seen(*found)

    def render(format_: str, color: bool) -> str:
        render_findings = load_lint(format_).render_findings
        text: str = render_findings(*as_seen, color=color) if format_ == "text" else render_findings(*found)
        return text

    def render_page(max_chars: int) -> str:
        text: str = load_lint("github").render_summary(*found, max_chars)
        return text

    deliver(Reports(render, render_page, is_empty=not findings), options, workspace.environ, console)
    codes = [error.exit_code for error in errors]
    counts_warnings = options.strict or options.add_ignores
    return pick_gravest([*codes, int(any(counts_warnings or finding.severity == "error" for finding in findings))])


def _check_folders(
    check: _Check, reader: _Reader, options: Options, console: Console
) -> tuple[list[Folder], list[Finding]]:
    """Return the folders of the documents, and the findings in them."""
    places = sorted({PurePosixPath(source).parent for source in {*check.files, *check.only_found}})
    folders: list[Folder] = []
    findings: list[Finding] = []
    with console.show_phase("checking", [str(place) for place in places]) as done:
        for place in places:
            folders.append(reader.folder(place, options))
            findings += check.find(folders[-1])
            done(str(place))
    return folders, findings


def _check_configurations(
    words: Sequence[str], settings: Settings, environ: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, FileError]]:
    """Check the configurations among the paths of the command line; reading one is the check.

    Args:
        words: the paths.
        settings: the configuration of the command, which is in order.
        environ: the environment variables.

    Returns:
        The paths of those in order, as given and from the root; and of the others, with the error of each.
    """
    passed: dict[str, str] = {}
    refused: dict[str, FileError] = {}
    for word in words:
        is_own = settings.path is not None and settings.path.resolve() == Path(word).resolve()
        if not (is_own or config.is_configuration(Path(word).name)):
            continue
        try:
            if not is_own:
                config.check(word, environ)
            passed[word] = relative_to_root(word, settings.root) or word
        except FileError as error:
            refused[word] = error
    return passed, refused


@dataclass(frozen=True, slots=True)
class _Check:
    """What is looked for.

    Attributes:
        ids: the lint rules to apply.
        files: the paths of the documents to report on.
        only_found: the paths of the documents to report on only if no tracker reads them.
        baseline: the findings to leave out, if any.
    """

    ids: Collection[str]
    files: Collection[str]
    only_found: Collection[str]
    baseline: Baseline | None = None

    def find(self, folder: Folder) -> list[Finding]:
        """Return the findings of a folder."""
        findings = apply_rules(folder, self.ids, self.files)
        findings += apply_rules(folder, {unread_document.ID}, self.only_found)
        return self.select(findings)

    def select(self, findings: list[Finding]) -> list[Finding]:
        """Return the findings that the baseline doesn't have."""
        return findings if self.baseline is None else self.baseline.select_new(findings)


def _baseline(
    options: Options, tree: WorkingTree, folders: Sequence[Folder], reader: _Reader, console: Console
) -> Baseline:

    documents = [document for folder in folders for document in folder.documents]

    def check(place: PurePosixPath, committed: Sequence[Written]) -> list[Finding]:
        folder = reader.folder_of(place, committed, options)
        return apply_rules(folder, RULES, {document.source for document in committed})

    return read_baseline(str(options.since), tree, documents, check, console.warn)


def _add_ignores(folders: Sequence[Folder], check: _Check, store: Store, console: Console) -> list[Finding]:
    """Write ignore comments for all findings into the documents; return the findings that are left.

    Raises:
        SafetyError: another process writes, or a document changed since it was read.
        FileError: a document can't be written.
    """
    changed: list[Folder] = []
    findings: list[Finding] = []
    for each in folders:
        folder, left = _with_ignores(each, check)
        changed.append(folder)
        findings += left
    before = [document for folder in folders for document in folder.documents]
    after = [document for folder in changed for document in folder.documents]
    written_to = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    if written_to:
        with store.lock(), explain_interrupts():
            changes = [(PurePosixPath(old.source), old.original, new.original) for old, new in written_to]
            store.record_forms(changes)
            for change in changes:
                store.reshape(*change)
    added = sum(count_ignores(new) - count_ignores(old) for old, new in written_to)
    comments = "1 ignore comment" if added == 1 else f"{added} ignore comments"
    files = "1 file" if len(written_to) == 1 else f"{len(written_to)} files"
    console.say(f"added {comments}, changed {files}")
    return findings


def _with_ignores(folder: Folder, check: _Check) -> tuple[Folder, list[Finding]]:
    """Return a folder with ignore comments in its documents, and the findings that are left."""
    while True:
        wanted: dict[str | None, list[tuple[int, str]]] = {}
        findings = check.find(folder)
        for finding in findings:
            if finding.rule != syntax.ID and finding.line is not None:
                wanted.setdefault(finding.file, []).append((finding.line, finding.rule))
        documents = [add_ignores(each, wanted.get(each.source, ())) for each in folder.documents]
        if documents == folder.documents:
            return folder, findings
        # Once more: `format` finds the next difference of a file where the first one is ignored.
        folder = replace(folder, documents=documents)


def _explain(name: str, console: Console) -> int:
    """Show the documentation of a rule, or of what stands for a file that no rule could look at.

    Raises:
        UsageError: there is no such rule.
    """
    rule = LINT_INCOMPLETE if name == LINT_INCOMPLETE.id else _described(RULES[_known(name)])
    console.out(f"{rule.id} ({rule.severity})\n\n{rule.summary}\n\n{rule.help}".rstrip())
    return 0


def _list_rules(console: Console) -> int:
    """Show each rule with its severity and summary, on a line of its own."""
    width = max(map(len, RULES))
    for rule in map(_described, RULES.values()):
        console.out(f"{rule.id:<{width}}  {rule.severity:<7}  {rule.summary}")
    return 0


def _rules(options: Options) -> frozenset[str]:
    selected = {_known(name) for name in options.select}
    ignored = {_known(name) for name in options.ignore}
    if not (selected or RULES.keys()) - ignored:
        raise UsageError("no rule is left: --ignore takes away all", hint="leave one of them out of --ignore")
    if syntax.ID in ignored:
        message = "syntax can't be ignored: of a file that can't be read nobody knows whether it is in order"
        raise UsageError(message, hint="mend the file, or name the files to look at")
    # Of a file that can't be read the other rules find nothing, which must not look as if there were nothing.
    selected = selected | {syntax.ID} if selected else set(RULES)
    return frozenset(selected - ignored)


def _known(name: str) -> str:
    if name not in RULES:
        raise UsageError(f'there is no rule "{name}"', hint=suggest(name, RULES))
    return name


Found = tuple["Sequence[Finding]", Context]


class _Reader:
    """Reads the files to report on, and those beside them."""

    def __init__(self, store: Store, chosen: Chosen, settings: Settings, console: Console) -> None:
        self.files = {str(path) for path in chosen.paths}
        self.errors: list[FileError] = []
        self._store = store
        self._chosen = chosen
        self._settings = settings
        self._console = console
        self._read: dict[str, Written] = {}
        self._unread = {path.parent for path in chosen.unread}
        self._folders: dict[PurePosixPath, set[PurePosixPath]] = {}
        for path in chosen.paths:
            self._folders.setdefault(path.parent, set()).add(path)
        self._misnamed: dict[PurePosixPath, list[Written]] = {}
        for path in chosen.misnamed:
            self._misnamed.setdefault(path.parent, []).append(read_misnamed(path, store))

    def folder(self, folder: PurePosixPath, options: Options) -> Folder:
        """Return a folder with the files to report on and all the other documents there."""
        within = self._folders.get(folder, set())
        documents = [self._document(path) for path in sorted(within.union(self._beside(folder)))]
        return self.folder_of(folder, [document for document in documents if document is not None], options)

    def folder_of(self, folder: PurePosixPath, documents: Sequence[Written], options: Options) -> Folder:
        """Return a folder with the given documents."""
        return Folder(
            documents,
            RULES,
            options.now,
            options.expired_days,
            self._tracker(folder),
            str(self._chosen.expected) if folder in self._unread else None,
            self._misnamed.get(folder, ()),
        )

    def _tracker(self, folder: PurePosixPath) -> str | None:
        return None if folder in self._unread else self._settings.subfolder(folder.name)

    def _beside(self, folder: PurePosixPath) -> Sequence[PurePosixPath]:
        directory = self._store.directory
        try:
            return self._store.paths(None if folder == directory else str(folder.relative_to(directory)))
        except FileError as error:
            self._console.warn(rebase_error(error, self._store.root).message)
            return ()

    def _document(self, path: PurePosixPath) -> Written | None:
        source = str(path)
        try:
            self._read[source] = written.read(self._text(path), source)
        except FileError as error:
            as_seen = rebase_error(error, self._store.root)
            if source in self.files:
                self.errors.append(as_seen)
            else:
                self._console.warn(f"{as_seen.message}; what depends on it isn't found")
            return None
        if path.parent in self._folders and source not in self.files:
            for fault in self._read[source].faults[:1]:
                self._console.warn(f"{rebase_error(fault, self._store.root).message}; what depends on it isn't found")
        return self._read[source]

    def _text(self, path: PurePosixPath) -> bytes:
        text = self._store.read(path)
        if text is None:
            raise FileError("is gone", source=str(path))
        return text

    def context(self, findings: Sequence[Finding], ids: Collection[str]) -> Context:
        """Return what the reports are told besides the findings."""
        wrong = {finding.file for finding in findings}
        passed = [
            PassedTest(
                name_suite(self._read[source].model, self._tracker(PurePosixPath(source).parent)) or source, source
            )
            for source in sorted(self.files & self._read.keys())
            if source not in wrong
        ]
        described = [_described(rule) for rule in RULES.values() if rule.ID in ids]
        return Context(
            "lint", [*described, LINT_INCOMPLETE], tuple(passed), configuration=find_configuration_path(self._settings)
        )

    def as_seen(self, findings: Sequence[Finding], context: Context) -> Found:
        """Return the same for people: with paths as they are written in the current folder."""
        names = {
            file: file and relative_to_cwd(file, self._store.root) for file in {finding.file for finding in findings}
        }
        return [replace(finding, file=names[finding.file]) for finding in findings], context


def _failure(error: FileError, root: Path) -> Finding:
    """Return what says that something wasn't looked at; what lies outside the root is named in the message alone."""
    file = relative_to_root(error.source, root)
    message = error.message if file is None else error.reason
    return Finding(
        LINT_INCOMPLETE.id, "error", message, file=file, line=error.line, column=error.column, hint=error.hint
    )


def _described(rule: LintRule) -> FindingRule:
    summary, text = describe_rule(rule)
    return FindingRule(rule.ID, rule.SEVERITY, summary, text)
