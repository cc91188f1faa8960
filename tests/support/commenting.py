"""Documents with a comment at any place, and the thing that each comment stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from pinsync.yamlio import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinsync.yamlio import Path

Row = dict[str, Any]


def rule(name: str, *pins: Row, **fields: object) -> Row:
    return {
        "id": name,
        "model": "basket",
        "target_type": "all",
        "pin_definitions": list(pins),
        **fields,
    }


def pin(position: int, identity: str, **fields: object) -> Row:
    return {"position": position, "pin_type": "item", "pin_identity": identity, **fields}


@st.composite
def states(draw: st.DrawFn) -> list[Row]:
    found = []
    for name in draw(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True)):
        identities = draw(
            st.lists(st.sampled_from(["/p/1/", "/p/2/", "/p/3/"]), max_size=3, unique=True)
        )
        # No pin can come to where another thing was: it would be replaced, and hand on its
        # comments.
        pins = [
            pin(int(identity[3]) + draw(st.sampled_from([0, 10])), identity)
            for identity in identities
        ]
        extra = {key: draw(st.integers(1, 2)) for key in ("note", "other") if draw(st.booleans())}
        tags = draw(st.lists(st.sampled_from(["x1", "x2"]), max_size=2))
        target = {"target_type": "item", "target_identity": f"/{name}/"}
        found.append(rule(name, *pins, **target, **extra, tags=tags))
    return found


@st.composite
def commented(draw: st.DrawFn, text: str) -> str:
    """Put comments of every kind into a canonical text, each with a number of its own."""
    numbers = iter(range(10_000))
    lines = []
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        for kind in draw(
            st.lists(st.sampled_from(["above", "detached", "blank", None, None]), max_size=2)
        ):
            if kind == "blank":
                lines.append("")
            elif kind:
                lines += [f"{indent}# c{next(numbers)}", *[""] * (kind == "detached")]
        content = line
        if line.lstrip().startswith("- ") and draw(st.integers(0, 3)) == 0:
            lines.append(f"{indent}-{' ' * draw(st.integers(1, 3))}# c{next(numbers)}")
            lines += draw(st.sampled_from([[], [""], [f"{indent}  # c{next(numbers)}"]]))
            content = line.replace("- ", "  ", 1)
        lines.append(f"{content}  # c{next(numbers)}" if draw(st.integers(0, 4)) == 0 else content)
    if draw(st.booleans()):
        lines += draw(
            st.sampled_from([["# c9999"], ["", "  # c9999"], ["  # c9998", "", "# c9999"]])
        )
    return "\n".join([*lines, ""])


Thing = tuple[str | int, ...]


def things(text: str) -> dict[int, Thing]:
    """Return the thing that begins on each line: a path, with rules, pins and tags by what they
    are.
    """
    loaded = load(text.encode(), "f")
    found: dict[int, Path] = {}
    for path, (line, _) in loaded.marks.items():
        if line not in found or len(path) < len(found[line]):
            found[line] = path
    return {line: _named(loaded.data, path) for line, path in found.items()}


def _named(data: object, path: Path) -> Thing:
    names: list[str | int] = []
    for step in path:
        data = data[step]  # type: ignore[index]
        if isinstance(step, str):
            names.append(step)
        elif isinstance(data, dict):
            names.append(data.get("id") or data["pin_identity"])
        else:
            names.append(str(data))
    return tuple(names)


def standing(text: str) -> Iterator[tuple[str, Thing | None]]:
    """Yield each comment with the thing it stands on; None for one that is detached, or at the
    end.
    """
    there = things(text)
    opening: list[str] = []
    waiting: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        content, _, comment = line.partition("# ")
        if content.strip() == "-":
            opening += [*waiting, comment]
            waiting = []
        elif content.strip():
            yield from (
                (name, there[number]) for name in [*opening, *waiting, *[comment] * bool(comment)]
            )
            opening, waiting = [], []
        elif comment:
            waiting.append(comment)
        else:
            yield from ((name, None) for name in waiting)
            waiting = []
    yield from ((name, None) for name in waiting)
