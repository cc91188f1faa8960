"""The script that runs JSONTestSuite and yaml-test-suite, on folders that look like them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.exporting import put
from support.paths import TESTS

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = TESTS / "suites.py"


def run(*folders: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, folders)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def json_suite(folder: Path, **cases: str) -> Path:
    for name, text in cases.items():
        put(folder / "test_parsing" / f"{name}.json", text)
    return folder


def yaml_suite(folder: Path, *cases: dict[str, object]) -> Path:
    put(folder / "src" / "AAAA.yaml", json.dumps(cases))
    return folder


def test_json_that_is_read_as_it_should_be(tmp_path: Path) -> None:
    suite = json_suite(
        tmp_path,
        y_kept='{"a": [1.5, null]}',
        y_twice='{"a": 1, "a": 1}',
        n_open="[1",
        i_free="1e400",
    )
    expected = """\
JSONTestSuite
     4 either JSON refused
     4 invalid JSON refused
     3 valid JSON accepted
     5 valid JSON refused
"""
    assert run(suite) == (0, expected)


def test_json_that_is_read_wrongly_is_named_with_its_place(tmp_path: Path) -> None:
    code, report = run(json_suite(tmp_path, y_open="[1", n_whole="[1]"))
    assert code == 1
    assert "\n     6 wrong\n" in report
    assert "\nwrong: n_whole.json as beside the results: accepted\n" in report
    assert "\nwrong: y_open.json as in target_metadata: the answer is not " in report


def test_yaml_that_is_read_as_it_should_be(tmp_path: Path) -> None:
    marked = {"yaml": "a:␣|\n  x———»y\nb: 1∎\n", "json": '{"a": "x\\ty\\n", "b": 1}'}
    suite = yaml_suite(
        tmp_path,
        {"name": "marks", **marked},
        {"yaml": "a: &x 1\n"},
        {"yaml": "a: [\n", "fail": True},
        {"yaml": "b: [\n", "skip": True},
    )
    code, report = run(suite)
    assert code == 0
    counts = [line.partition(":")[0].split(maxsplit=1) for line in report.splitlines()[1:]]
    assert counts == [
        ["1", "invalid YAML refused"],
        ["1", "valid YAML accepted"],
        ["1", "valid YAML refused"],
    ]


def test_yaml_that_is_read_wrongly_is_named_with_both_values(tmp_path: Path) -> None:
    first: dict[str, object] = {"name": "other value", "yaml": "a: 1\n", "json": '{"a": true}'}
    code, report = run(yaml_suite(tmp_path, first, {"yaml": "b\n", "fail": True}))
    assert code == 1
    assert "\nwrong: AAAA/00 other value: read as {'a': 1}, expected {'a': True}\n" in report
    assert "\nwrong: AAAA/01 other value: read as 'b', expected a refusal\n" in report


@pytest.mark.parametrize("folders", [(), ("src",)])
def test_a_folder_of_neither_suite_is_refused(folders: tuple[str, ...], tmp_path: Path) -> None:
    put(tmp_path / "src" / "file", "")
    code, report = run(*(tmp_path / name for name in folders))
    assert code == 1
    assert "usage" in report or "as the suites do" in report
