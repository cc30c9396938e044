"""docs/reference.md is what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_reference_is_current() -> None:
    made = subprocess.run(
        [sys.executable, "scripts/reference.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout == (ROOT / "docs" / "reference.md").read_text(encoding="utf-8"), (
        "it is not. Run: make schema"
    )
