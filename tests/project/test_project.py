"""The project's own rules: who imports what, what loads when, and that version and package
agree.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from importlib import import_module, metadata, resources
from typing import TYPE_CHECKING, NamedTuple

import pytest

import pinsync as package
from pinsync.cli import cli
from support.exporting import put
from support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SOURCES = sorted((ROOT / "pinsync").rglob("*.py"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

MAP = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
ROWS = re.findall(
    r"^\| `(\w+)` \| .+? \|(.*)\|$",
    MAP.partition("## Components")[2].partition("\n## ")[0],
    re.MULTILINE,
)
COMPONENTS = [component for component, _ in ROWS]
BASE = COMPONENTS[:5]
"""The components that every other may import; each imports only those before it."""

# The components, each with those that it may import besides the base.
TABLE = {component: set(re.findall(r"`(\w+)`", allowed)) for component, allowed in ROWS}
TABLE["commands"] = set(COMPONENTS[: COMPONENTS.index("commands")])
# For annotations alone: the API client is handed a tracker's settings as they are, and never reads any itself.
NAMED_ONLY: dict[str, set[str]] = {"api": {"config"}}

# The libraries, each with the modules that know it.
HOMES: dict[str, set[str]] = {
    "click": {"cli", "__main__"},
    "deepdiff": {"drift"},
    "filelock": {"workspace"},
    "git": {"repository"},
    "httpcore": {"api"},
    "httpx": {"api"},
    "icalendar": {"reports"},
    "jinja2": {"reports"},
    "msgspec": set(COMPONENTS),  # records are its structs
    "platformdirs": {"workspace", "__main__"},
    "ruamel": {"yamlio"},
}
DISTRIBUTIONS = {"GitPython": "git", "ruamel.yaml": "ruamel"}
DATA = {"tzdata"}  # what zoneinfo reads where the system has no timezones
HEAVY = {"httpx", "httpcore", "git", "ruamel", "deepdiff", "icalendar", "jinja2"}
UNNEEDED = {
    "dataclasses",
    "msgspec",
    "pathlib",
    "subprocess",
    "pinsync.cli.options",
    "pinsync.model",
}
"""What the help of pinsync itself does without; each takes a millisecond or more."""

# GitPython, which takes no whole environment and makes the commits, is left to tests/test_environment.py.
STARTS = re.compile(
    r"subprocess\.(run|call|check_call|check_output|getoutput|getstatusoutput|Popen)"
    r"|os\.(system|popen|startfile|exec\w+|spawn\w+|posix_spawnp?)|pty\.spawn"
)


class Import(NamedTuple):
    """One import: in which module, of what (dotted), and whether for annotations alone."""

    module: str
    name: str
    types_only: bool

    @property
    def top(self) -> str:
        """The library, or pinsync."""
        return self.name.partition(".")[0]

    @property
    def part(self) -> str:
        """The module of pinsync, a package standing for all that is in it."""
        return self.name.split(".")[1]


def imports() -> Iterator[Import]:
    """Every import below pinsync/, those inside functions included."""
    for file in SOURCES:
        module = file.relative_to(ROOT / "pinsync").parts[0].removesuffix(".py")
        for name, types_only in imported_names(file):
            yield Import(module, name, types_only)


def imported_names(file: Path) -> Iterator[tuple[str, bool]]:
    """What a file imports (dotted), and whether for annotations alone."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    guarded = {
        id(node)
        for branch in ast.walk(tree)
        if is_type_checking(branch)
        for node in ast.walk(branch)
    }
    for node in ast.walk(tree):
        for name in names(node):
            yield name, id(node) in guarded


def is_type_checking(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


IMPORTS = tuple(imports())


def test_the_map_names_the_base() -> None:
    _, _, rest = MAP.partition("The base components, which every component may import, are ")
    assert re.findall(r"`(\w+)`", rest.partition(". ")[0]) == BASE


def test_the_map_names_files_and_functions_that_exist() -> None:
    for path in re.findall(r"`([\w/]+\.(?:py|json))`", MAP):
        assert (ROOT / "pinsync" / path).is_file() or (ROOT / path).is_file(), path
    for module, name in re.findall(r"`(\w+)\.([A-Za-z_]\w+)`", MAP):
        if module in COMPONENTS:
            assert hasattr(import_module(f"pinsync.{module}"), name), f"{module}.{name}"


def test_the_page_for_contributors_names_files_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:docs|examples|pinsync|tests)/[a-z0-9_./-]+)`", text)
    assert len(paths) >= 10
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_imports_go_down() -> None:
    for number, component in enumerate(COMPONENTS):
        assert TABLE[component] <= {*COMPONENTS[:number]}, component


def test_the_table_has_every_module() -> None:
    found = {
        file.relative_to(ROOT / "pinsync").parts[0].removesuffix(".py") for file in SOURCES
    } - {"__init__"}
    assert found <= TABLE.keys()


@pytest.mark.parametrize("module", sorted(TABLE))
def test_a_module_imports_what_the_table_allows(module: str) -> None:
    own = [found for found in IMPORTS if found.module == module and found.top == "pinsync"]
    base = BASE[: BASE.index(module)] if module in BASE else BASE
    allowed = TABLE[module] | {*base, module, "__version__"}
    assert {found.part for found in own if not found.types_only} <= allowed
    assert {found.part for found in own if found.types_only} <= allowed | NAMED_ONLY.get(
        module, set()
    )


def test_no_modules_import_each_other_in_a_circle() -> None:
    """An import inside a function must not hide a circle: such imports are for what is slow to
    load.
    """
    files = {dotted(file): file for file in SOURCES}
    graph = {name: set(imported_modules(file, files)) - {name} for name, file in files.items()}
    list(TopologicalSorter(graph).static_order())  # raises a CycleError that names the circle


def dotted(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_modules(file: Path, files: Mapping[str, Path]) -> Iterator[str]:
    """The modules of pinsync that a file imports, inside functions too, but not for annotations
    alone.
    """
    for name, types_only in imported_names(file):
        module = name if name in files else name.rpartition(".")[0]
        if module in files and not types_only:
            yield module


def test_a_library_is_known_to_one_module() -> None:
    foreign = {found for found in IMPORTS if found.top not in sys.stdlib_module_names | {"pinsync"}}
    assert {found.top for found in foreign} <= HOMES.keys()
    for found in foreign:
        assert found.module in HOMES[found.top], found


def test_the_dependencies_are_those_that_are_imported() -> None:
    required = {
        re.split("[<>=; ]", line)[0] for line in PYPROJECT["project"]["dependencies"]
    } - DATA
    used = {found.top for found in IMPORTS} & HOMES.keys()
    assert {DISTRIBUTIONS.get(name, name) for name in required} == used


def test_every_child_process_is_given_an_environment() -> None:
    """The environment of pinsync holds private keys, so that no child inherits it whole; see
    `environment`.
    """
    calls = list(process_starts())
    assert len(calls) >= 4
    assert [file for file, keywords in calls if "env" not in keywords] == []


def process_starts() -> Iterator[tuple[Path, set[str | None]]]:
    """Every call that starts a process: its file, and the names of its keyword arguments."""
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and STARTS.fullmatch(ast.unparse(node.func)):
                yield file, {keyword.arg for keyword in node.keywords}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([name, "-h"] for name in sorted(cli.commands))]
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    modules = loaded(arguments)
    assert "click" in modules
    assert modules & HEAVY == set()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []], ids=str)
def test_the_help_of_pinsync_itself_loads_no_command(arguments: list[str]) -> None:
    modules = loaded(arguments)
    assert "pinsync.cli" in modules
    assert modules & UNNEEDED == set()
    assert {name for name in modules if name.startswith("pinsync.commands")} == set()


def test_a_comparison_loads_what_it_needs(exported: Path) -> None:
    export = put(exported / "export.json", '{"results": []}')
    modules = loaded(["diff", "HEAD", str(export)])
    assert "pinsync.commands.diff" in modules
    others = {"dataclasses", "hashlib", "tempfile", "zoneinfo", "concurrent.futures", "logging"}
    assert modules & (HEAVY | others) == set()


def loaded(arguments: list[str]) -> set[str]:
    """The modules that a command has loaded when it is done."""
    script = (
        "import sys\nfrom pinsync.__main__ import run\ncode = run(sys.argv[1:])\n"
        "sys.exit(' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return set(done.stderr.splitlines()[-1].split())


def test_the_version_stands_in_one_place() -> None:
    assert PYPROJECT["project"]["dynamic"] == ["version"]
    assert metadata.version("pinsync") == package.__version__
    written = [
        file for file in SOURCES if f'"{package.__version__}"' in file.read_text(encoding="utf-8")
    ]
    assert written == [ROOT / "pinsync" / "__init__.py"]


def test_the_changelog_has_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(.+?)\](?: - \d{4}-\d\d-\d\d)?$", text, re.MULTILINE)
    assert versions[:2] == ["Unreleased", package.__version__]


def test_the_changelog_has_a_line_for_each_change() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = text.partition("\n## ")[2]
    kinds = set(re.findall(r"^### (.+)$", versions, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert [line for line in versions.splitlines()[1:] if not re.match(r"$|- \S|##", line)] == []


def test_the_package_is_typed_and_has_its_command() -> None:
    assert resources.files("pinsync").joinpath("py.typed").is_file()
    (script,) = metadata.entry_points(group="console_scripts", name="pinsync")
    assert script.value == "pinsync.__main__:main"
