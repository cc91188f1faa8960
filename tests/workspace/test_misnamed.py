"""Files that nearly have the name of a document or of the configuration: nobody would read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinsync.layout import correct_name, is_misnamed
from support.exporting import put

if TYPE_CHECKING:
    from pinsync.sandbox import Sandbox
    from support.command_line import CommandLine, Git

TEXT = "format: 1\nmodel: basket\ncustomizations:\n  - target_type: all\n"


@pytest.mark.parametrize(
    ("name", "misnamed"),
    [
        ("basket.yml", True),
        ("basket.YAML", True),
        ("basket.Yml", True),
        ("basket.json", True),
        ("basket.yaml", False),
        ("items.json", False),
        (".basket.yml", False),
        ("basket.txt", False),
        ("yml", False),
    ],
)
def test_near_names_of_a_document(name: str, misnamed: bool) -> None:
    assert is_misnamed(name) is misnamed
    assert not misnamed or correct_name(name) == "basket.yaml"


@pytest.mark.usefixtures("repository")
def test_lint_and_fmt_name_a_misnamed_document(pinsync: CommandLine) -> None:
    for name, text in (
        ("basket.yml", TEXT),
        ("items.json", '{\n  "format": 1,\n  "items": {}\n}\n'),
        ("home.JSON", "[]"),
        ("Basket.yml", TEXT),
    ):
        put(Path("customizations", name), text)
    result = pinsync("lint", "--format", "json")
    findings = json.loads(result.out)["findings"]
    assert [(Path(each["file"]).name, each["rule"], each["hint"]) for each in findings] == [
        ("Basket.yml", "unread-document", "rename it to basket.yaml"),
        ("basket.yml", "unread-document", "rename it to basket.yaml"),
        ("home.JSON", "unread-document", "rename it to home.yaml"),
    ]
    assert result.code == 0
    assert pinsync("lint", "--select", "format").out == "nothing found in 1 file\n"
    err = pinsync("fmt").err
    assert "documents end in .yaml: customizations/Basket.yml, customizations/basket.yml, " in err
    for command, name in (("lint", "basket.yml"), ("fmt", "Basket.yml")):
        result = pinsync(command, f"customizations/{name}")
        assert (result.code, "rename it to basket.yaml: documents end in .yaml" in result.err) == (
            2,
            True,
        )


@pytest.mark.usefixtures("repository")
def test_a_misnamed_document_is_no_neighbour(pinsync: CommandLine) -> None:
    put(Path("customizations/basket.yaml"), TEXT)
    put(Path("customizations/basket.yml"), TEXT)
    assert pinsync("lint", "customizations/basket.yaml").out == "nothing found in 1 file\n"
    result = pinsync("lint", "--add-ignores")
    assert (result.code, result.out.count("unread-document")) == (1, 1)


def test_each_reader_names_a_misnamed_document(
    api: Sandbox, repository: Path, pinsync: CommandLine, git: Git
) -> None:
    assert api.url
    assert repository.is_dir()
    put(Path("customizations/other.yml"), TEXT)
    said = "not read, since documents end in .yaml: customizations/other.yml; rename them"
    assert said in pinsync("export", "--commit").err
    assert said in pinsync("show", "basket").err
    git("add", ".")
    git("commit", "--quiet", "--message=Other")
    for arguments in (["history"], ["blame", "basket"]):
        result = pinsync(*arguments)
        assert result.code == 0
        assert said in result.err
    git("rm", "--quiet", "--cached", "customizations/other.yml")
    git("mv", "--force", "customizations/basket.yaml", "customizations/basket.yml")
    result = pinsync("diff", "HEAD", "@index")
    assert f"HEAD: {said}" in result.out + result.err
    assert (
        "@index: not read, since documents end in .yaml: customizations/basket.yml"
        in result.out + result.err
    )


@pytest.mark.parametrize("name", ["pinsync.yml", "Pinsync.yaml", "pinsync.YAML", "pinsync.json"])
def test_a_misnamed_configuration_is_refused(
    repository: Path, pinsync: CommandLine, name: str
) -> None:
    file = put(repository / name, "directory: pins\n")
    if (repository / "pinsync.yaml").exists():
        pytest.skip("the file system doesn't tell upper from lower case")
    for words in (
        "lint",
        "fmt",
        "trackers",
        "show basket",
        "diff",
        "export",
        "history",
        "blame basket",
    ):
        result = pinsync(*words.split())
        assert result.code == 2
        assert f"{name}: isn't read: a configuration's name is pinsync.yaml" in result.err
    assert pinsync("trackers", "--config", name).code != 70
    file.rename(repository / "pinsync.yaml")
    assert "isn't read" not in pinsync("lint").err


def test_a_configuration_with_its_right_name_counts(repository: Path, pinsync: CommandLine) -> None:
    put(repository / "pinsync.yaml", "format: 1\n")
    put(repository / "pinsync.json", "{}")
    assert pinsync("lint").code == 0
