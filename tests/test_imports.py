"""Checks use fixtures and the types of what these hand out, never the plugin's inside."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHECKS = [ROOT / "conftest.py", *sorted((ROOT / "validation").rglob("*.py"))]


def imported_modules(file: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


@pytest.mark.parametrize("file", CHECKS, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_check_imports_no_more_of_the_plugin_than_its_types(file: Path) -> None:
    ours = {name for name in imported_modules(file) if name.startswith("deployment_gate")}
    assert ours <= {"deployment_gate.typing"} or (
        # Locust's own file runs in Locust's processes, without fixtures.
        file.name == "locustfile.py" and ours == {"deployment_gate.load.users"}
    )
