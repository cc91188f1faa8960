"""The documentation is true: its sessions run as shown, and its tables agree with the code."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

import click
import pytest
import yaml
from markdown_it import MarkdownIt

from pinsync import config, errors
from pinsync.cli import cli
from pinsync.config import Safety, Settings, Tracker
from pinsync.errors import pick_gravest
from pinsync.lint.rules import RULES, describe_rule
from pinsync.model import Managed
from pinsync.sandbox import Sandbox
from support.diffing import checked
from support.exporting import BASKET_TEXT
from support.pages import MARKED, PAGES, README, blocks, rows, section
from support.paths import BIN, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from markdown_it.token import Token

    from support.command_line import CommandLine, Git

KEY = "a-key-of-the-quick-start"
STEP = re.compile(r"^\$ (.*\n(?:> .*\n)*)((?:(?!\$ ).*\n)*)", re.MULTILINE)
MARKS = {
    "action",
    "apply action",
    "check",
    "ci",
    "configuration",
    "deletion",
    "dialogue",
    "doubt",
    "editor",
    "hook",
    "leftover",
    "one machine",
    "one machine, again",
    "pre-commit",
    "private",
    "probe",
    "pytest",
    "refusal",
    "report",
    "reset",
    "restore",
    "review action",
    "run",
    "settings",
    "source",
    "step",
}
"""What a block is marked as; a test for each looks at the block. `in FILE` marks an excerpt."""
CUT = "(?:.|\n)*?"
"""What `…` stands for in a session and in an excerpt."""
REFERENCE = "docs/reference/"
EXIT_CODES = (0, 1, 2, 3, 4, 70, 130)


class Step(NamedTuple):
    """One command of a session, and the output that the page shows."""

    command: str
    output: str


def session(page: str) -> list[Step]:
    """The commands of a page; a line that begins with `> ` continues the command above it."""
    steps = STEP.findall("".join(blocks("run", "console", pages=[page])))
    return [Step(command.replace("\n> ", "\n"), output) for command, output in steps]


def commands(text: str = README) -> list[str]:
    """The commands in blocks of their own; the README has two, which do all their set-up."""
    return re.findall(r"^```sh\n(.*)\n```$", text, re.MULTILINE)


def spellings(text: str) -> set[str]:
    """The options that stand in backticks."""
    return set(re.findall(r"`(--[a-z-]+|-[A-Za-z])[ `=]", text))


def table_options(text: str) -> set[str]:
    """The options in the first column of each table."""
    found: set[str] = set()
    for row in rows(text):
        found |= spellings(row[0])
    return found


def options(command: click.Command) -> list[click.Option]:
    context = click.Context(command, **cli.context_settings)
    return [option for option in command.get_params(context) if isinstance(option, click.Option)]


def all_spellings(command: click.Command) -> set[str]:
    found: set[str] = set()
    for option in options(command):
        found |= {*option.opts, *option.secondary_opts}
    return found


def test_each_mark_stands_on_a_block_and_means_something() -> None:
    for name, text in PAGES.items():
        marks = re.findall(r"^ *<!-- (.+) -->$", text, re.MULTILINE)
        assert marks == [mark for mark, _, _ in MARKED.findall(text)], name
        assert {mark for mark in marks if not mark.startswith("in ")} <= MARKS, name


@pytest.mark.parametrize("page", [page for page in PAGES if session(page)])
def test_the_sessions(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All commands of a page run in one shell; the API is a sandbox that expects `KEY`."""
    assert (BIN / "pinsync").exists(), "sessions need pinsync installed: pip install -e '.[dev]'"
    steps = session(page)
    script = tmp_path / "session"
    lines = [f"printf '\\036'\n{step.command}" for step in steps]
    script.write_text("".join(lines), encoding="utf-8")
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
    for name, value in (("NAME", "Test"), ("EMAIL", "test@example.com")):
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    with Sandbox(private_key=KEY) as server:
        monkeypatch.setenv("PINSYNC_HOST", server.url)
        done = subprocess.run(
            ["bash", str(script)],
            cwd=tmp_path,
            input=f"{KEY}\n".encode() * 9,  # one line for each `read` of a private key
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    outputs = done.stdout.decode().split("\x1e")[1:]
    for step, output in zip(steps, outputs, strict=True):
        pattern = re.escape(step.output).replace("…", CUT)
        assert re.fullmatch(pattern, output), f"$ {step.command}{output}"


def test_the_readme_stays_short() -> None:
    assert len(README.split()) <= 2500


def test_the_index_has_each_page_by_its_title() -> None:
    index = PAGES["docs/README.md"]
    indexed = dict(re.findall(r"^\* \[(.+)\]\((.+?)\)", index, re.MULTILINE))
    pages = {name: text for name, text in PAGES.items() if name.startswith("docs/")}
    titles = {text.partition("\n")[0][2:]: name[5:] for name, text in pages.items()}
    assert indexed == {title: name for title, name in titles.items() if name != "README.md"}


def test_the_command_makes_the_example(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
    (command,) = commands((ROOT / "examples" / "README.md").read_text(encoding="utf-8"))
    subprocess.run(["bash", "-c", command], check=True, capture_output=True)
    assert tree(repository) == tree(ROOT / "examples" / "shop")


def tree(folder: Path) -> dict[str, bytes]:
    """The files below a folder, git's own aside."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    found = {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}
    return {name: content for name, content in found.items() if not name.startswith(".git/")}


def test_the_continuous_integration_runs_the_two_commands_to_the_letter() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert len(commands()) == 2
    assert [line for line in lines if line in commands()] == commands()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_schema_lets_a_name_near_a_known_one_pass(tmp_path: Path) -> None:
    schema = (ROOT / "pinsync/document/document.schema.json").read_bytes()
    (tmp_path / "pinsync.schema.json").write_bytes(schema)
    text = BASKET_TEXT.replace("/p/234/\n", "/p/234/\n        active_til: 2026-12-24\n")
    (tmp_path / "basket.yaml").write_text(text, encoding="utf-8")
    command = [str(BIN / "check-jsonschema"), "--schemafile", "pinsync.schema.json", "basket.yaml"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0


def test_the_excerpts_stand_in_their_files() -> None:
    marked = MARKED.findall("\n".join(PAGES.values()))
    excerpts = [(mark[3:], text) for mark, _, text in marked if mark.startswith("in ")]
    assert excerpts
    for name, text in excerpts:
        pattern = re.escape(text).replace("…", CUT)
        assert re.search(pattern, (ROOT / name).read_text(encoding="utf-8")), f"{name}\n{text}"


def test_the_json_report_is_the_example_with_one_change() -> None:
    (text,) = blocks("report", "json")
    report = checked(text)
    example = json.loads((ROOT / "examples/reports/drift.json").read_text(encoding="utf-8"))
    (tracker,), (whole,) = report["trackers"], example["trackers"]
    assert len(tracker["changes"]) == 1
    assert tracker["changes"][0] in whole["changes"]
    assert report == {**example, "trackers": [{**whole, "changes": tracker["changes"]}]}


def test_the_configuration_is_valid_and_has_every_setting(tmp_path: Path) -> None:
    (text,) = blocks("configuration", "yaml")
    settings = config.parse(text.encode(), "README.md", root=tmp_path, environ={})
    (tracker,) = settings.trackers
    assert (tracker.hosts, settings.safety) == (config.records.DEFAULT_HOSTS, Safety())
    written = set(re.findall(r"([a-z_]+):(?:\s|$)", text)) | {"name", "path", "root", "timeout"}
    for record in (Settings, Tracker, Safety, Managed):
        assert set(record.__struct_fields__) <= written


def test_the_variables_are_those_of_the_code() -> None:
    files = [*(ROOT / "pinsync").rglob("*.py"), *(ROOT / "pinsync" / "templates").glob("*.yml")]
    sources = "".join(file.read_text(encoding="utf-8") for file in files)
    pattern = r"PINSYNC_[A-Z_]*[A-Z]"
    assert set(re.findall(pattern, "".join(PAGES.values()))) == set(re.findall(pattern, sources))


def test_the_exit_codes_are_the_contract() -> None:
    text = PAGES[f"{REFERENCE}exit-codes.md"]
    assert re.findall(r"^\| (\d+) \|", text, re.MULTILINE) == [str(code) for code in EXIT_CODES]
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    ours = [kind for kind in kinds if issubclass(kind, errors.PinsyncError)]
    assert {kind.exit_code for kind in ours} <= set(EXIT_CODES)
    order = [70, 130, 2, 3, 4, 1, 0]
    assert f"{', '.join(map(str, order))}, from the gravest to the least" in text
    assert all(pick_gravest(order[start:]) == order[start] for start in range(len(order)))


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_each_command_has_help_and_stands_in_the_reference_with_its_options(name: str) -> None:
    command = cli.commands[name]
    assert command.help
    assert "\\b" not in command.help
    assert [option.opts[0] for option in options(command) if not option.help] == []
    page = f"{REFERENCE}commands.md"
    stated = table_options(section(page, f"## `pinsync {name}`"))
    for spelled, commands, _ in rows(section(page, "## Options of several commands")):
        if commands == "all" or f"`{name}`" in commands:
            stated |= spellings(spelled)
    assert stated == all_spellings(command)


def test_the_options_before_the_command_stand_in_the_reference() -> None:
    text = section(f"{REFERENCE}commands.md", "## Options before the command")
    assert table_options(text) == all_spellings(cli)


def test_the_reference_has_no_command_that_does_not_exist() -> None:
    names = re.findall(r"^## `pinsync ([a-z]+)`$", PAGES[f"{REFERENCE}commands.md"], re.MULTILINE)
    assert sorted(names) == sorted(cli.commands)


def test_the_formats_are_those_of_the_code() -> None:
    (choice,) = (option.type for option in options(cli.commands["diff"]) if option.name == "format")
    assert isinstance(choice, click.Choice)
    text = section(f"{REFERENCE}reports.md", "## Formats")
    assert re.findall(r"^\| `([a-z]+)` \|", text, re.MULTILINE) == list(choice.choices)
    examples = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    for kept in (ROOT / "examples" / "reports").iterdir():
        assert f"(reports/{kept.name})" in examples


def test_the_jobs_run_and_leave_what_is_collected_from_them(
    repository: Path, git: Git, sandbox: Sandbox, pinsync: CommandLine
) -> None:
    assert sandbox.url
    pinsync("export", "--commit")
    git("rm", "--quiet", "customizations/homepage.yaml")
    git("commit", "--quiet", "--message", "Lose a file")
    for job in blocks("ci", "yaml"):
        commands = re.findall(r"(?:run|script): pinsync (.*)", job)
        assert [pinsync(*shlex.split(command)).code for command in commands] == [1]
        collected = set(re.findall(r"(?:sarif_file|codequality|junit): ([a-z.]+)", job))
        assert collected
        assert all((repository / name).stat().st_size for name in collected)


def test_the_lint_rules_are_those_of_the_code() -> None:
    page = f"{REFERENCE}lint-rules.md"
    table = [row for row in rows(PAGES[page]) if row[1] in {"error", "warning"}]
    assert [row[0] for row in table] == [f"[`{name}`](#{name})" for name in RULES]
    for row, (name, rule) in zip(table, RULES.items(), strict=True):
        summary, explanation = describe_rule(rule)
        assert row[1:] == [rule.SEVERITY, summary]
        text = section(page, f"## `{name}`").strip("\n")
        assert text == f"Severity: {rule.SEVERITY}\n\n{summary}\n\n{explanation}"


def test_the_action_runs_as_shown(sandbox: Sandbox, repository: Path, pinsync: CommandLine) -> None:
    assert sandbox.url
    (text,) = blocks("action", "yaml")
    (step,) = yaml.safe_load(text)
    inputs = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    assert step["with"].keys() <= inputs.keys()
    pinsync("export", "--commit")
    assert (repository / "customizations").is_dir()
    assert pinsync(step["with"]["command"], *step["with"]["arguments"].split()).code == 0


def test_the_action_reviews_a_merge_as_shown(
    sandbox: Sandbox,
    repository: Path,
    pinsync: CommandLine,
    git: Git,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert sandbox.url
    (text,) = blocks("review action", "yaml")
    checkout, step = yaml.safe_load(text)
    inputs = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    assert step["with"].keys() <= inputs.keys()
    pinsync("export", "--commit")
    git("checkout", "--quiet", "-b", "change")
    git("rm", "--quiet", "customizations/homepage.yaml")
    git("commit", "--quiet", "--message", "Lose a file")
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "--no-ff", "--message", "Merge", "change")
    depth = f"--depth={checkout['with']['fetch-depth']}"
    git("clone", "--quiet", depth, repository.as_uri(), "merge")
    monkeypatch.chdir(repository / "merge")
    assert pinsync(step["with"]["command"], *step["with"]["arguments"].split()).code == 1


def test_the_hooks_are_those_of_the_example_and_exist() -> None:
    (text,) = blocks("pre-commit", "yaml")
    configuration = yaml.safe_load(text)
    example = (ROOT / "examples/pre-commit-config.yaml").read_text(encoding="utf-8")
    assert configuration == yaml.safe_load(example)
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    (used,) = configuration["repos"]
    assert [hook["id"] for hook in used["hooks"]] == [hook["id"] for hook in hooks]


def test_the_editors_line_names_the_schema_and_stays(
    repository: Path, git: Git, sandbox: Sandbox, pinsync: CommandLine
) -> None:
    pinsync("export", "--commit")
    (text,) = blocks("editor", "yaml")
    line, _, beginning = text.partition("\n")
    file = repository / "customizations" / "basket.yaml"
    before = file.read_text(encoding="utf-8")
    assert before.startswith(beginning)
    file.write_text(f"{line}\n{before}", encoding="utf-8")
    git("commit", "--quiet", "--all", "--message", "Name the schema")
    row = next(row for row in sandbox.customizations() if row["model"] == "basket")
    sandbox.replace({**row, "tags": ["another"]})
    assert (pinsync("export").code, pinsync("fmt", "--check").code) == (0, 0)
    after = file.read_text(encoding="utf-8")
    assert after.startswith(text)
    assert after.count("another") == 1
    schema = file.parent / line.partition("$schema=")[2]
    assert schema.resolve() == repository / "pinsync.schema.json"
    assert f"pinsync schema > {schema.name}" in "".join(PAGES.values())


def test_the_help_of_pinsync_itself() -> None:
    help_text = cli.get_help(click.Context(cli, info_name="pinsync"))
    assert "\\b" not in help_text
    assert all(re.search(rf"^  {name} +\S", help_text, re.MULTILINE) for name in cli.commands)


def repository_files() -> list[str]:
    """The files that git knows or would add; in an unpacked archive without git, all files."""
    if not (ROOT / ".git").exists():
        files = [file.relative_to(ROOT) for file in ROOT.rglob("*") if file.is_file()]
        return sorted(file.as_posix() for file in files if "site-packages" not in file.parts)
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted({name for name in done.stdout.split("\0") if (ROOT / name).is_file()})


FILES = repository_files()


def tokens(tree: Iterable[Token]) -> Iterator[Token]:
    for token in tree:
        yield token
        yield from tokens(token.children or ())


@cache
def parse(name: str) -> tuple[Token, ...]:
    parser = MarkdownIt("commonmark").enable("table")
    return tuple(parser.parse((ROOT / name).read_text(encoding="utf-8")))


def invocations(name: str) -> Iterator[tuple[str, str]]:
    """Each command of pinsync in the code of a page, with its arguments."""
    pattern = r"(?:^|\$ |; |-- |: )pinsync ([a-z]+)\b(.*?)(?=; | -- |$)"
    for token in tokens(parse(name)):
        if token.type in {"code_inline", "fence"}:
            yield from re.findall(pattern, token.content, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_options_on_a_page_exist(page: str) -> None:
    for name, arguments in invocations(page):
        assert name in cli.commands, f"{page}: pinsync {name}"
        written = set(re.findall(r"(?<=\s)--[a-z-]+", arguments))
        assert written <= all_spellings(cli.commands[name]), f"{page}: pinsync {name}{arguments}"


def links(name: str) -> list[str]:
    attributes = {"link_open": "href", "image": "src"}
    found = [token for token in tokens(parse(name)) if token.type in attributes]
    return [str(token.attrs[attributes[token.type]]) for token in found]


@cache
def anchors(name: str) -> frozenset[str]:
    """The anchors that GitHub gives to the headings of a file."""
    found: list[str] = []
    seen: Counter[str] = Counter()
    previous = ""
    for token in parse(name):
        if previous == "heading_open":
            words = "".join(part.content for part in token.children or () if part.type != "image")
            slug = re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")
            found.append(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
        previous = token.type
    return frozenset(found)


def test_anchors_are_those_of_github(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = "# `pinsync lint` & *co*\n\nSet\n---\n\n## A [link](x): C/D_e\n# Set\n# Číslo 1\n"
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert anchors("page.md") == {
        "pinsync-lint--co",
        "set",
        "a-link-cd_e",
        "set-1",
        "číslo-1",
    }


@pytest.mark.parametrize("page", [name for name in FILES if name.endswith(".md")])
def test_the_links_lead_somewhere(page: str) -> None:
    targets = {ROOT}
    for name in FILES:
        targets.update((ROOT / name, *(ROOT / folder for folder in Path(name).parents)))
    for link in links(page):
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme in {"https", "mailto"}, f"{page}: {link}"
            continue
        beside = (ROOT / page).parent / unquote(parts.path)
        target = Path(os.path.normpath(beside)) if parts.path else ROOT / page
        assert target in targets, f"{page}: {link}"
        if parts.fragment:
            known = anchors(target.relative_to(ROOT).as_posix())
            assert unquote(parts.fragment) in known, f"{page}: {link}"
