"""The note about a plan that would delete much."""

from __future__ import annotations

import pytest

from pinsync.plan.guard import describe_mass_removal
from support.planning import make, plan


@pytest.mark.parametrize(
    ("kept", "gone", "expected"),
    [
        (10, 0, None),
        (7, 3, None),
        (7, 4, "4 of 11 rules of the shop would be deleted, more than 30 % (safety."),
        # A small shop has no percentage.
        (1, 8, None),
        (0, 1, "every rule of the shop would be deleted (1)"),
        (0, 11, "every rule of the shop would be deleted (11)"),
    ],
)
def test_a_plan_that_deletes_much(kept: int, gone: int, expected: str | None) -> None:
    shop = [make(f"{at}", f"/p/{at}/") for at in range(kept + gone)]
    operations, _ = plan(shop[:kept], shop)
    found = describe_mass_removal(operations, len(shop), 30, 10)
    assert (found or "").startswith(expected or "")
    assert (found is None) == (expected is None)


def test_rules_that_are_replaced_are_all_gone() -> None:
    shop = [make("a", "/p/1/"), make("b", "/p/2/")]
    operations, _ = plan([make(None, "/p/3/")], shop)
    assert [operation.kind for operation in operations] == ["create", "delete", "delete"]
    found = describe_mass_removal(operations, len(shop), 30, 10)
    assert found == "every rule of the shop would be deleted (2)"
