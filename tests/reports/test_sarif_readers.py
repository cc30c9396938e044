"""Programs of others understand `findings.sarif`: Microsoft's sarif-tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployment_gate.reports.sarif import render_sarif
from tests.reports.findings import ALL, account_of

loader: Any = pytest.importorskip(
    "sarif.loader", reason="sarif-tools isn't installed: make test installs it"
)


def test_it_sees_each_finding_with_its_severity_rule_and_place(tmp_path: Path) -> None:
    path = tmp_path / "findings.sarif"
    path.write_text(render_sarif(account_of(*ALL)), encoding="utf-8")
    file = loader.load_sarif_file(str(path))
    assert file.get_distinct_tool_names() == ["deployment-gate"]
    told = {(one["Code"], one["Severity"], one["Location"]) for one in file.get_records()}
    assert told == {
        ("stranger-let-in", "error", "policies/%7Bid%7D"),
        ("waived", "error", "policies/%7Bid%7D"),
        ("weak", "warning", "//127.0.0.1:18443"),
        ("leak", "note", "."),
        ("leak", "note", "x"),
    }


def test_it_counts_them_by_severity(tmp_path: Path) -> None:
    path = tmp_path / "findings.sarif"
    path.write_text(render_sarif(account_of(*ALL)), encoding="utf-8")
    counted = loader.load_sarif_file(str(path)).get_report().get_issue_count_for_severity
    assert [counted(level) for level in ("error", "warning", "note")] == [2, 1, 2]
