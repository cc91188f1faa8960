"""Read the cases of JSONTestSuite and yaml-test-suite, and say which pinsync reads wrongly.

Run it with ``python tests/suites.py FOLDER ...``. A folder is a work tree of one of the suites,
which are not shipped: https://github.com/nst/JSONTestSuite or the main branch of
https://github.com/yaml/yaml-test-suite. The exit code is 1 if pinsync reads a case wrongly.

A case of JSONTestSuite is a text: valid JSON (``y_``), invalid JSON (``n_``), or left to the
reader (any other name). Each is read as a whole answer of the API, beside the results of an
answer, and in a row: as an unknown field, which takes the slow way, and in ``target_metadata``,
which takes the quick way. pinsync must refuse invalid JSON and keep valid values.

A case of yaml-test-suite is a file that is invalid, or that holds the values which the case gives
as JSON. pinsync may refuse a valid file, since it reads only a part of YAML: the reasons are
counted. Where pinsync reads a file, the values must be those of the suite.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from pinsync import yamlio
from pinsync.canonical import rows
from pinsync.errors import DataError, FileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROW: Final = b'{"id": "a", "model": "m", "target_type": "all", %s}'
ANSWERS: Final = {
    "the answer": b"%s",
    "beside the results": b'{"results": [], "note": %s}',
    "an unknown field": b'{"results": [' + ROW % b'"note": %s' + b"]}",
    "in target_metadata": b'{"results": [' + ROW % b'"target_metadata": {"note": %s}' + b"]}",
}
"""Places in an answer, and the answer around a case."""

KINDS: Final = {"y_": "valid", "n_": "invalid"}
"""The beginning of the name of a file in JSONTestSuite, and the kind of text in it."""

MARKS: Final = {"␣": " ", "—*»": "\t", "←": "\r", "⇔": "\ufeff", "↵": "", r"∎\n\Z": ""}
"""Patterns of the marks that stand for invisible characters in yaml-test-suite."""


@dataclass(frozen=True)
class Verdict:
    """What pinsync made of one case; ``wrong`` says why, and is empty if all is well."""

    case: str
    outcome: str
    wrong: str = ""


class NotJSONError(ValueError):
    """A text that Python reads and that isn't JSON."""


def read_json(text: bytes) -> object:
    """Return the value of a JSON text.

    Raises:
        ValueError: the text isn't JSON in UTF-8.
    """

    def refuse(constant: str) -> object:
        raise NotJSONError(constant)

    return json.loads(text.decode(), parse_constant=refuse)


def equal(left: object, right: object) -> bool:
    """Whether two values are the same in JSON: ``1`` is ``1.0``, and isn't ``true``."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return isinstance(left, bool) is isinstance(right, bool) and left == right


def json_verdicts(folder: Path) -> Iterator[Verdict]:
    """Yield the verdict on each case of JSONTestSuite in each place of an answer."""
    for path in sorted(folder.glob("test_*/*.json")):
        for place, answer in ANSWERS.items():
            yield judge_json(path, place, answer)


def judge_json(path: Path, place: str, answer: bytes) -> Verdict:
    """Return the verdict on one case in one place."""
    text = path.read_bytes()
    case = f"{path.name} as {place}"
    kind = KINDS.get(path.name[:2], "either")
    try:
        found, _ = rows.read_customizations(answer.replace(b"%s", text), ())
    except DataError as error:
        # No case is a whole answer, and pinsync refuses a key that stands twice in an object.
        expected = kind != "valid" or place == "the answer" or "stands twice" in error.message
        return Verdict(case, f"{kind} JSON refused", "" if expected else error.message)
    except Exception as error:  # noqa: BLE001 - whatever it is, a reader mustn't raise it
        return Verdict(case, "raised", f"raised {error!r}")
    outcome = f"{kind} JSON accepted"
    if kind == "invalid" or place == "the answer":
        return Verdict(case, outcome, "accepted")
    if not found:
        return Verdict(case, outcome)
    document: Any = yamlio.load(found[0].text, case).data
    row, value = document[0], read_json(text)
    kept = row["note"] if "note" in row else row["target_metadata"]["note"]
    return Verdict(case, outcome, "" if equal(kept, value) else f"{value!r} became {kept!r}")


def yaml_verdicts(folder: Path) -> Iterator[Verdict]:
    """Yield the verdict on each case of yaml-test-suite."""
    for path in sorted(folder.glob("src/*.yaml")):
        case: dict[str, Any] = {}
        for number, each in enumerate(yaml.safe_load(path.read_text(encoding="utf-8"))):
            # The suite leaves out the keys that a case has from the case before it in the file.
            case = {**case, "fail": False, **each}
            # The suite skips YAML that is valid by the letter, but not meant to be.
            if not case.get("skip"):
                yield judge_yaml(f"{path.stem}/{number:02} {case['name']}", case)


def judge_yaml(name: str, case: dict[str, Any]) -> Verdict:
    """Return the verdict on one case."""
    kind = "invalid" if case["fail"] else "valid"
    try:
        read = yamlio.load(unmarked(case["yaml"]).encode(), name).data
    except FileError as error:
        return Verdict(name, f"{kind} YAML refused: {reason_class(error.reason)}")
    except Exception as error:  # noqa: BLE001 - whatever it is, a reader mustn't raise it
        return Verdict(name, "raised", f"raised {error!r}")
    outcome = f"{kind} YAML accepted"
    if case["fail"]:
        return Verdict(name, outcome, f"read as {read!r}, expected a refusal")
    if "json" not in case:
        return Verdict(name, f"{outcome}; the suite gives no value for it")
    expected = list(json_values(unmarked(case["json"]))) or [None]
    wrong = "" if equal([read], expected) else f"read as {read!r}, expected {expected[0]!r}"
    return Verdict(name, outcome, wrong)


def unmarked(text: str) -> str:
    """Return a text of yaml-test-suite with the characters that its marks stand for."""
    for mark, character in MARKS.items():
        text = re.sub(mark, character, text)
    return text


def json_values(text: str) -> Iterator[object]:
    """Yield the values in a text, one for each document of a YAML file."""
    decoder = json.JSONDecoder()
    rest = text.lstrip()
    while rest:
        value, end = decoder.raw_decode(rest)
        yield value
        rest = rest[end:].lstrip()


def reason_class(reason: str) -> str:
    """Return a reason without the names and numbers of its case."""
    return re.sub(r"\d+", "N", re.sub(r'".*"', '"…"', reason, flags=re.DOTALL))


def report(title: str, verdicts: Iterable[Verdict]) -> int:
    """Print the outcomes of a suite and each case that is read wrongly; return how many are."""
    outcomes: Counter[str] = Counter()
    wrong = []
    for verdict in verdicts:
        outcomes["wrong" if verdict.wrong else verdict.outcome] += 1
        if verdict.wrong:
            wrong.append(verdict)
    print(title)
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:6} {outcome}")
    for verdict in wrong:
        print(f"wrong: {verdict.case}: {verdict.wrong}")
    return len(wrong)


def main() -> None:
    """Read the suites in the folders of the command line."""
    if len(sys.argv) == 1:
        raise SystemExit("usage: python tests/suites.py FOLDER ...")
    wrong = 0
    for folder in map(Path, sys.argv[1:]):
        if (folder / "test_parsing").is_dir():
            wrong += report("JSONTestSuite", json_verdicts(folder))
        elif (folder / "src").is_dir():
            wrong += report("yaml-test-suite", yaml_verdicts(folder))
        else:
            raise SystemExit(f"{folder}: holds neither test_parsing/ nor src/, as the suites do")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
