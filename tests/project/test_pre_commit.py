"""The hooks, under the real pre-commit: it clones this package, installs it, and runs on real
commits.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from support.exporting import document, put, repinned
from support.paths import ROOT

if TYPE_CHECKING:
    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git

PRE_COMMIT = Path(sys.executable).with_name("pre-commit")
PACKAGE = (".pre-commit-hooks.yaml", "pyproject.toml", "README.md", "LICENSE", "pinsync")
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


SCHEMA = """
- id: pinsync-schema
  name: pinsync schema
  entry: pinsync schema
  language: python
  pass_filenames: false
  always_run: true
"""
"""A hook besides, which shows that what is installed is whole."""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> str:
    """This package as a repository that hooks come from."""
    folder = tmp_path_factory.mktemp("package")
    for name in PACKAGE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    with (folder / ".pre-commit-hooks.yaml").open("a", encoding="utf-8") as file:
        file.write(SCHEMA)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    for command in (("init",), ("add", "."), (*identity, "commit", "--message=All")):
        subprocess.run(["git", *command], cwd=folder, env=environ, capture_output=True, check=True)
    return str(folder)


@pytest.fixture
def shop(repository: Path, git: Git) -> Path:
    """The sample shop, committed."""
    shutil.copytree(ROOT / "examples" / "shop", repository, dirs_exist_ok=True)
    git("add", ".")
    git("commit", "--quiet", "--message=The shop")
    return repository


@pytest.fixture
def hooked(shop: Path, package: str, monkeypatch: pytest.MonkeyPatch, git: Git) -> Path:
    """The sample shop with the hooks as examples/ shows them, run by the pinsync of this
    environment.
    """
    monkeypatch.setenv("PATH", f"{PRE_COMMIT.parent}{os.pathsep}{os.environ['PATH']}")
    config = yaml.safe_load(
        (ROOT / "examples" / "pre-commit-config.yaml").read_text(encoding="utf-8")
    )
    (source,) = (source for source in config["repos"] if "pinsync" in source["repo"])
    source |= {
        "repo": package,
        "rev": "HEAD",
        "hooks": [hook | {"language": "system"} for hook in source["hooks"]],
    }
    put(shop / ".pre-commit-config.yaml", yaml.safe_dump({"repos": [source]}))
    git("add", ".")
    git("commit", "--quiet", "--message=Hooks")
    assert run(str(PRE_COMMIT), "install")[0] == 0
    return shop


def run(*command: str) -> tuple[int, str]:
    """Run a command in the current folder; return its exit code and all that it wrote."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout


def commit() -> tuple[int, str]:
    """Commit what is staged, hooks and all."""
    return run("git", "commit", "--quiet", "--message=A change")


def outcomes(output: str) -> dict[str, str]:
    """What became of each hook."""
    return dict(re.findall(r"^(pinsync \w+)\.*(?:\(.*\))?([A-Z]\w+)$", output, re.MULTILINE))


def moved(path: Path, old: str = "position: 2\n", new: str = "position: 12\n") -> None:
    """Change a document."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    put(path, text.replace(old, new, 1))


def test_the_hooks_are_these() -> None:
    assert [hook["id"] for hook in HOOKS] == ["pinsync-fmt", "pinsync-lint", "pinsync-diff"]
    assert [hook["entry"] for hook in HOOKS] == ["pinsync fmt", "pinsync lint", "pinsync diff"]


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("customizations/basket.yaml", True),
        ("customizations/shop-sk/basket.yaml", True),
        ("customizations/.basket.yaml", False),
        ("customizations/basket.yml", True),
        ("customizations/basket.YAML", True),
        ("customizations/shop-sk/basket.json", True),
        ("customizations/items.json", False),
        ("customizations/notes.txt", False),
        ("elsewhere/customizations/basket.yaml", False),
        ("pinsync.yaml.orig", False),
        ("my-pinsync.yaml", False),
    ],
)
def test_the_files_that_are_taken(path: str, taken: bool) -> None:
    for hook in HOOKS[:2]:
        assert bool(re.search(hook["files"], path)) is taken


@pytest.mark.parametrize(
    "path", ["pinsync.yaml", "pinsync.yml", "Pinsync.YAML", "shop/pinsync.yaml", "pinsync.json"]
)
def test_a_configuration_is_for_lint_alone(path: str) -> None:
    assert [bool(re.search(hook["files"], path)) for hook in HOOKS[:2]] == [False, True]


@pytest.mark.parametrize(
    ("name", "code"), [("pinsync.yaml", 1), ("pinsync.yml", 1), ("shop/pinsync.yaml", 0)]
)
def test_a_configuration_at_fault_is_not_committed(
    name: str, code: int, hooked: Path, git: Git
) -> None:
    put(hooked / name, "format: 1\n" if code == 0 else "timezone: CEST\n")
    git("add", ".")
    found, output = commit()
    outcome = "Failed" if code else "Passed"
    assert (found, outcomes(output)) == (
        code,
        {"pinsync fmt": "Skipped", "pinsync lint": outcome},
    ), output
    assert not code or name in output


@pytest.fixture
def deleting(shop: Path, monkeypatch: pytest.MonkeyPatch, git: Git) -> Path:
    """A linked worktree of the shop, where one document was changed and one deleted; both are
    staged.
    """
    git("worktree", "add", "-b", "work", "../linked")
    linked = shop.parent / "linked"
    monkeypatch.chdir(linked)
    git("rm", "--quiet", str(document("homepage")))
    moved(document())
    git("add", ".")
    return linked


@pytest.mark.usefixtures("deleting")
def test_try_repo_on_a_commit_that_deletes_a_file_in_a_linked_worktree(
    package: str, git: Git
) -> None:
    code, output = run(str(PRE_COMMIT), "try-repo", package, "--verbose")
    passed = dict.fromkeys(("pinsync fmt", "pinsync lint", "pinsync schema"), "Passed")
    assert (code, outcomes(output)) == (0, passed), output
    assert "1 file left unchanged" in output
    schema = ROOT / "pinsync" / "document" / "document.schema.json"
    assert schema.read_text(encoding="utf-8") in output
    assert git("status", "--short") == f"M  {document()}\nD  {document('homepage')}"


def test_a_commit_that_deletes_a_file_in_a_linked_worktree(
    hooked: Path, deleting: Path, git: Git
) -> None:
    code, output = commit()
    assert (code, outcomes(output)) == (0, {"pinsync fmt": "Passed", "pinsync lint": "Passed"}), (
        output
    )
    assert (
        git("show", "--format=", "--name-status") == f"M\t{document()}\nD\t{document('homepage')}"
    )
    for folder in (hooked, deleting):
        assert git("-C", str(folder), "status", "--short") == ""


def test_what_is_not_canonical_is_formatted_and_not_committed(hooked: Path, git: Git) -> None:
    moved(document(), "    target_type: item\n", "    target_type:   'item'  # by hand\n")
    moved(document("homepage"))
    git("add", ".")
    code, output = commit()
    assert (code, outcomes(output)["pinsync fmt"]) == (1, "Failed"), output
    assert "1 file reformatted, 1 file left unchanged" in output
    assert "    target_type: item  # by hand\n" in document().read_text(encoding="utf-8")
    git("add", ".")
    assert commit()[0] == 0
    assert git("status", "--short") == ""
    assert hooked.is_dir()


def test_a_document_at_fault_is_not_committed(hooked: Path, git: Git) -> None:
    put(hooked / document(), "format: 1\nmodel: basket\ncustomizations: {}\n")
    git("add", ".")
    code, output = commit()
    assert (code, outcomes(output)) == (1, {"pinsync fmt": "Failed", "pinsync lint": "Failed"}), (
        output
    )
    assert "customizations/basket.yaml:3:1" in output


def test_a_list_of_files_too_long_for_one_command_line(hooked: Path, git: Git) -> None:
    for number in range(700):
        model = f"{number:03}{'m' * 190}"
        put(
            hooked / document(model),
            f'format: 1\nmodel: "{model}"\ncustomizations:\n  - target_type: all\n',
        )
    git("add", ".")
    code, output = run(str(PRE_COMMIT), "run", "--verbose")
    assert (code, outcomes(output)) == (0, {"pinsync fmt": "Passed", "pinsync lint": "Passed"}), (
        output
    )
    counts = [int(count) for count in re.findall(r"(\d+) files left unchanged", output)]
    assert (len(counts) > 1, sum(counts)) == (True, 700)


@pytest.mark.usefixtures("hooked")
def test_a_commit_that_only_deletes_runs_nothing(git: Git) -> None:
    git("rm", "--quiet", str(document("homepage")))
    code, output = commit()
    assert (code, outcomes(output)) == (0, {"pinsync fmt": "Skipped", "pinsync lint": "Skipped"}), (
        output
    )


@pytest.mark.usefixtures("hooked")
def test_the_drift_is_looked_for_when_asked(sandbox: Sandbox) -> None:
    ask = (str(PRE_COMMIT), "run", "--hook-stage", "manual", "pinsync-diff")
    code, output = run(*ask)
    assert (code, outcomes(output)) == (0, {"pinsync diff": "Passed"}), output
    sandbox.delete(sandbox.customizations()[0]["id"])
    code, output = run(*ask)
    assert (code, outcomes(output)) == (1, {"pinsync diff": "Failed"}), output
    assert "- exit code: 1\n" in output


# In the commit of an export.

STRINGS = "199620b4-df1a-46e8-ab59-9e9ed9af7106"


@pytest.fixture(params=["main", "linked"])
def logged(
    request: pytest.FixtureRequest,
    hooked: Path,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    git: Git,
) -> Path:
    """All hooks on every commit, in the main or a linked worktree; returns the file with all that
    they write.
    """
    config = yaml.safe_load((hooked / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    log = hooked.parent / "log"
    for hook in config["repos"][0]["hooks"]:
        hook |= {"verbose": True, "log_file": str(log)}
        if hook["id"] == "pinsync-diff":
            hook |= {"stages": ["pre-commit"], "args": ["@index", "@live"]}
    put(hooked / ".pre-commit-config.yaml", yaml.safe_dump(config))
    git("commit", "--quiet", "--all", "--no-verify", "--message=All hooks")
    # A hook inherits no key from the process that commits.
    monkeypatch.setenv(
        "PINSYNC_PRIVATE_KEY_FILE", str(put(hooked.parent / "key", sandbox.private_key))
    )
    if request.param == "linked":
        git("worktree", "add", "-b", "work", "../linked")
        monkeypatch.chdir(hooked.parent / "linked")
    return log


def test_an_export_is_committed_through_all_hooks(
    logged: Path, sandbox: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    repinned(sandbox, STRINGS)
    result = pinsync.spawn("export", "--commit")
    assert (result.code, "committed" in result.err) == (0, True), result.err
    said = logged.read_text(encoding="utf-8")
    assert said.startswith("1 file left unchanged\n"), "an export writes canonical text"
    assert said.endswith("In sync: the shop is the same as what is staged (154 rules)\n")
    assert git("show", "--format=", "--name-status") == f"M\t{document()}"
    assert git("status", "--short") == ""


def test_what_the_hook_reformats_is_committed_by_the_next_export(
    logged: Path, sandbox: Sandbox, pinsync: CommandLine, git: Git
) -> None:
    """An export leaves alone how a person laid out the rules that didn't change."""
    moved(document(), "    target_type: item\n", "    target_type:   'item'  # by hand\n")
    git("commit", "--quiet", "--all", "--no-verify", "--message=By hand")
    repinned(sandbox, STRINGS)
    head = git("rev-parse", "HEAD")
    result = pinsync.spawn("export", "--commit")
    assert (result.code, git("rev-parse", "HEAD")) == (4, head), result.err
    assert "customizations/basket.yaml changed while pinsync was at work" in result.err
    assert "a hook of the commit" in result.err
    assert logged.read_text(encoding="utf-8").startswith("1 file reformatted\n")
    result = pinsync.spawn("export", "--commit")
    assert (result.code, "committed" in result.err) == (0, True), result.err
    assert "    target_type: item  # by hand\n" in git("show", f"HEAD:{document()}")
    assert git("status", "--short") == ""
