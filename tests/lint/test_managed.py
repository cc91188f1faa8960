"""The findings of a tracker that manages some of the rules in its documents."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pinsync.document import written
from pinsync.lint.engine import apply_rules
from pinsync.lint.folder import Folder
from pinsync.lint.rules import RULES
from pinsync.model import Managed

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
OURS = Managed(tags=("ours",))


def check(managed: Managed, *rules: str, **files: str) -> list[str]:
    """Return the findings in a document of basket, and in those of other models."""
    texts = {"basket": "".join(rules), **files}
    documents = []
    for model, text in texts.items():
        head = f"format: 1\nmodel: {model}\ncustomizations:\n"
        documents.append(written.read(f"{head}{text}".encode(), f"{model}.yaml"))
    folder = Folder(documents, RULES, NOON, 30, managed=managed)
    found = apply_rules(folder, set(RULES), {document.source for document in documents})
    return [f"{one.file}:{one.line} {one.rule}" for one in found]


def spell(id_: str, *fields: str, tag: str | None = None, target: str = "target_type: all") -> str:
    lines = [f"id: {id_}", *target.split("; ")]
    if tag is not None:
        lines += ["tags:", f"  - {tag}"]
    return "  - " + "\n    ".join([*lines, *fields]) + "\n"


def test_only_managed_rules_have_findings() -> None:
    text = spell("a", "note: x", tag="ours"), spell("b", "note: x", tag="theirs")
    assert check(Managed(), text[1]) == ["basket.yaml:8 unknown-field"]
    assert check(OURS, text[1]) == []
    assert check(OURS, text[0]) == ["basket.yaml:8 unknown-field"]
    by_model = Managed(models=("basket",))
    assert check(by_model, text[1], home=text[0]) == ["basket.yaml:8 unknown-field"]


ITEM = "target_type: item; target_identity: /p/1/"


def test_a_rule_of_somebody_else_at_the_same_target_is_a_finding_of_ours() -> None:
    ours, theirs = spell("b", tag="ours", target=ITEM), spell("a", tag="theirs", target=ITEM)
    assert check(OURS, theirs, ours) == ["basket.yaml:11 duplicate-target"]
    assert check(OURS, theirs, spell("c", tag="x", target=ITEM)) == []


@pytest.mark.parametrize(("ids", "line"), [("ab", 5), ("ba", 5)])
def test_a_rule_of_somebody_else_for_all_is_a_finding_of_ours(ids: str, line: int) -> None:
    """Whichever comes first in canonical order."""
    ours, theirs = spell(ids[0], tag="ours"), spell(ids[1], tag="theirs")
    assert [found for found in check(OURS, ours, theirs) if "format" not in found] == [
        f"basket.yaml:{line} several-for-all"
    ]
    assert check(Managed(), *sorted((ours, theirs))) == ["basket.yaml:9 several-for-all"]
    others = spell("c", tag="theirs"), spell("d", tag="theirs")
    assert check(OURS, *others) == []
    assert check(OURS, *others, spell("e", tag="ours")) == ["basket.yaml:13 several-for-all"]


def test_faults_that_stop_an_export_are_findings_whoever_has_them() -> None:
    twice = spell("a", tag="theirs")
    assert check(OURS, twice, twice) == [
        "basket.yaml:4 duplicate-id",
        "basket.yaml:8 duplicate-id",
    ]
    assert check(OURS, "  - id: [\n") == ["basket.yaml:5 syntax"]
    assert check(Managed(models=("home",)), "  - id: [\n") == ["basket.yaml:5 syntax"]


@pytest.mark.parametrize(
    "tags", ["tags: ours", "tags:\n      - ours\n      - 5", "tags:\n      a: b"]
)
def test_a_rule_whose_tags_are_faulty_could_be_ours(tags: str) -> None:
    assert any("schema" in found for found in check(OURS, spell("a", tags)))
    assert check(Managed(("ours",), ("home",)), spell("a", tags)) == []


def test_a_value_that_is_no_rule_could_be_ours() -> None:
    assert check(OURS, "  - ours\n") == ["basket.yaml:4 schema"]
    assert check(OURS, "  - - x\n") == ["basket.yaml:4 schema"]
    assert check(Managed(models=("home",)), "  - ours\n") == []


def test_a_file_without_managed_rules_has_no_findings_of_its_own() -> None:
    loose = spell("a", "# pinsync: ignore[nonsense]", tag="theirs").replace("id: ", "id:   ")
    assert check(Managed(), loose) != []
    assert check(OURS, loose) == []
    found = check(OURS, loose, spell("b", tag="ours", target=ITEM))
    assert [each.partition(" ")[2] for each in found] == ["format", "unknown-ignore"]
    # Without rules, the model decides.
    assert check(OURS, "x: y\n") == check(Managed(), "x: y\n") != []
    assert check(Managed(models=("home",)), "x: y\n") == []


def test_a_file_without_a_model_could_hold_managed_rules() -> None:
    text = b"format: 1\ncustomizations:\n  - id: a\n    target_type: x\n"
    for managed, ids in (
        (Managed(models=("home",)), ["schema", "schema"]),
        (Managed(("ours",), ("home",)), []),
    ):
        document = written.read(text, "basket.yaml")
        folder = Folder([document], RULES, NOON, 30, managed=managed)
        found = apply_rules(folder, {"schema"}, {"basket.yaml"})
        assert [one.rule for one in found] == ids
