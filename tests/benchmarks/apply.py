"""What 1,000 updates cost against a server that takes 50 ms for each call.

Run it with ``python tests/benchmarks/apply.py [COUNT ...]``. Each update is read before it is
written, so the bound is two calls a rule, 50 ms each, divided by ``--parallel``. The last column is
the time as a multiple of that bound. The shop is served on loopback by this process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from measure import PINSYNC, cost
from rows import changed, rows

from pinsync.sandbox import Sandbox

if TYPE_CHECKING:
    from rows import Row

COUNTS: Final = (1_000,)
PARALLEL: Final = (1, 4, 8)
SECONDS: Final = 0.05
SAVED: Final = "2025-01-01T00:00:00Z"
IDENTITY: Final = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")


class SlowSandbox(Sandbox):
    """A sandbox that takes some time for each call."""

    is_slow = False

    def _take_fault(self, request: Any) -> Any:  # noqa: ANN401 - as in the sandbox
        if self.is_slow:
            time.sleep(SECONDS)
        return super()._take_fault(request)


def commit(folder: Path, table: list[Row], subject: str) -> None:
    """Commit a table as documents."""
    answer = folder.parent / "answer.json"
    answer.write_text(json.dumps({"results": table}), encoding="utf-8")
    export = ["export", "--quiet", "--allow-mass-removal", "--from-file", str(answer)]
    subprocess.run([*PINSYNC, *export], cwd=folder, check=True)
    subprocess.run(["git", "add", "--all"], cwd=folder, check=True)
    command = ["git", *IDENTITY, "commit", "--quiet", "--message", subject]
    subprocess.run(command, cwd=folder, check=True)


def measure(count: int, parallel: int, folder: Path) -> None:
    """Print the row of one size and one width."""
    repository = folder / "repository"
    repository.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=repository, check=True)
    (repository / "pinsync.yaml").write_text("format: 1\n", encoding="utf-8")
    table = rows(count)
    commit(repository, table, "Export pins")
    commit(repository, changed(table, every=1), "Swap pins")
    shop = [{**row, "updated_at": SAVED} for row in table]
    with SlowSandbox(shop, seed=1) as api:
        environment = {**api.environment, "XDG_STATE_HOME": str(folder / "state")}
        # The time of the plan isn't part of the bound.
        plan = cost([*PINSYNC, "plan"], repository, environment, codes=(1,))
        api.is_slow = True
        command = [*PINSYNC, "apply", "--yes", "--no-lint", "--parallel", str(parallel)]
        each = cost(command, repository, environment)
        calls = len(api.requests)
    bound = 2 * count * SECONDS / parallel
    seconds = each.wall - plan.wall
    print(
        f"{count:>9,} {parallel:>8} {calls:>7,} {each.cpu:>7.2f} {each.wall:>7.2f} {each.peak:>7.0f} "
        f"{bound:>7.2f} {seconds / bound:>7.2f}",
        flush=True,
    )


def main() -> None:
    """Print a table."""
    print("    count parallel   calls   cpu s  wall s peak MB   bound × bound")
    for count in [int(word.replace("_", "")) for word in sys.argv[1:]] or COUNTS:
        for parallel in PARALLEL:
            with tempfile.TemporaryDirectory() as folder:
                measure(count, parallel, Path(folder))


if __name__ == "__main__":
    main()
