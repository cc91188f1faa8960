"""Where the tests find the checkout and their cases."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).resolve().parents[1]
ROOT: Final = TESTS.parent
CASES: Final = TESTS / "cases"
EXAMPLES: Final = ROOT / "examples"
SHOP: Final = EXAMPLES / "shop" / "customizations"
BIN: Final = Path(sys.executable).parent
