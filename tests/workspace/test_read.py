from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from pinsync.canonical.normalize import build_customization
from pinsync.errors import FileError
from pinsync.workspace.read import parse_documents, read_export

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinsync.document.record import Document
    from pinsync.model import Customization

A = "  - id: a\n    target_type: all\n"
B = "  - id: b\n    target_type: all\n    note: 1\n"


def head(model: str) -> str:
    return f"format: 1\nmodel: {model}\ncustomizations:\n"


def documents(
    files: dict[str, str], known: Sequence[Customization] = (), prefix: str = ""
) -> dict[str, Document]:
    pairs = ((PurePosixPath(path), text.encode()) for path, text in files.items())
    return parse_documents(pairs, known, [], prefix=prefix)


def refusal(files: dict[str, str], prefix: str = "") -> tuple[str, str | None]:
    with pytest.raises(FileError) as caught:
        documents(files, prefix=prefix)
    return caught.value.message, caught.value.hint


def test_documents_are_found_by_their_model_whatever_the_file_is_called() -> None:
    found = documents({"x.yaml": head("basket") + A, "basket.yaml": head("detail") + B})
    assert {
        model: (read.source, [entry.customization.id for entry in read.entries])
        for model, read in found.items()
    } == {
        "basket": ("x.yaml", ["a"]),
        "detail": ("basket.yaml", ["b"]),
    }


def test_known_customizations_are_known_within_their_model_only() -> None:
    known = [
        build_customization(
            {"id": "a", "model": "basket", "target_type": "all", "updated_at": "now"}
        )
    ]
    found = documents({"a.yaml": head("basket") + A, "b.yaml": head("detail") + B}, known=known)
    assert found["basket"].entries[0].customization is known[0]
    apart = documents({"b.yaml": head("detail") + A}, known=known)
    assert apart["detail"].entries[0].customization.model == "detail"


def test_two_documents_of_one_model_are_refused() -> None:
    assert refusal({"a.yaml": head("basket") + A, "b.yaml": head("basket") + B}) == (
        "b.yaml: holds the model 'basket', which a.yaml holds already",
        "put all rules of a model into one file",
    )


def test_an_id_stands_once_in_a_document() -> None:
    assert refusal({"a.yaml": head("basket") + A + B + "# x\n" + A}) == (
        "a.yaml:10: the id a stands in a.yaml, line 4, already",
        "remove one of the two customizations",
    )


def test_an_id_stands_once_in_all_documents() -> None:
    files = {"a.yaml": head("basket") + B + "\n" + A, "b.yaml": head("detail") + "\n" + A}
    assert refusal(files, prefix="HEAD:") == (
        "HEAD:b.yaml:5: the id a stands in HEAD:a.yaml, line 8, already",
        "remove one of the two customizations",
    )


def test_rules_without_an_id_are_no_double() -> None:
    nameless = A.replace("- id: a\n    ", "- ")
    assert len(documents({"a.yaml": head("basket") + nameless + nameless})["basket"].entries) == 2


def test_a_fault_names_the_source() -> None:
    message, _ = refusal(
        {"a.yaml": head("basket") + A, "b.yaml": head("detail") + A + "    x: {\n"}, prefix="v1.0:"
    )
    assert message.startswith("v1.0:b.yaml:")


def test_a_saved_export_is_read(tmp_path: Path) -> None:
    row = {"id": "a", "model": "basket", "target_type": "all", "tags": 5, "note": 1}
    (tmp_path / "saved.json").write_text(json.dumps({"results": [row]}))
    snapshot = read_export(tmp_path / "saved.json", [("note",)])
    assert [item.text.decode() for item in snapshot.customizations] == [A + "    tags: 5\n"]
    assert snapshot.warnings == (
        (
            "row 1 of the answer (basket, a): tags: expected a list of strings, got an integer; "
            "kept as it is"
        ),
    )
    assert snapshot.date is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html>", 'the answer is not {"results": [...]} in JSON and UTF-8'),
        ('{"results": {}}', 'the answer is not {"results": [...]} in JSON and UTF-8'),
        ('{"results": [5]}', "row 1 of the answer: expected an object, got an integer"),
        (
            '{"results": [{"id": "a"}]}',
            "row 1 of the answer (a): model: expected a non-empty string, got nothing",
        ),
        ('{"results": [], "next": "x"}', "the answer looks like one page of several"),
    ],
)
def test_a_saved_export_at_fault_is_a_fault_of_the_file(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "saved.json"
    path.write_text(text)
    with pytest.raises(FileError) as caught:
        read_export(path, [])
    assert caught.value.message.startswith(f"{path}: {message}")
    assert caught.value.exit_code == 2


def test_a_saved_export_that_is_not_there(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.json", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(FileError, match=f"can't be read: {reason}"):
            read_export(path, [])
