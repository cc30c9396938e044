"""The five files are made of one account and say the same verdict."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from deployment_gate.evidence import merge_journals
from deployment_gate.judgement import Decision
from deployment_gate.reports.account import Account
from deployment_gate.reports.files import REPORTS, ReportDirectory, ReportError
from deployment_gate.reports.publication import Drafts, publish, read_drafts, render_reports

Make = Callable[..., Account]


@pytest.fixture
def directory(tmp_path: Path) -> ReportDirectory:
    """A folder of reports, cleared."""
    directory = ReportDirectory(tmp_path / "reports")
    directory.clear()
    return directory


@pytest.mark.parametrize("decision", list(Decision))
def test_all_five_say_the_same_verdict(
    decision: Decision, account: Make, directory: ReportDirectory
) -> None:
    reasons = [] if decision is Decision.PROMOTE else ["the disk is full"]
    told = account(*reasons, decision=decision)
    publish(render_reports(told, Drafts()), directory, copies={})
    texts = {name: (directory.path / name).read_text(encoding="utf-8") for name in REPORTS}
    assert json.loads(texts["verdict.json"])["verdict"] == decision.value
    suite = ET.fromstring(texts["junit.xml"])[0]  # noqa: S314  # the gate's own
    assert (suite.get("failures") == "0") is (decision is Decision.PROMOTE)
    assert f"verdict-{decision.value}" in texts["report.html"]
    assert texts["summary.md"].startswith(f"# {told.headline}: ")
    assert merge_journals([directory.path / "evidence.jsonl"]) == told.evidence


def test_the_verdict_is_tied_to_its_evidence(account: Make, directory: ReportDirectory) -> None:
    publish(render_reports(account(), Drafts()), directory, copies={})
    verdict = json.loads((directory.path / "verdict.json").read_text())
    evidence = (directory.path / "evidence.jsonl").read_bytes()
    assert verdict["evidence_sha256"] == hashlib.sha256(evidence).hexdigest()


def test_the_verdict_is_written_last(account: Make, directory: ReportDirectory) -> None:
    texts = render_reports(account(), Drafts())
    assert list(texts)[-1] == "verdict.json"
    (directory.path / "junit.xml").mkdir()
    with pytest.raises(ReportError):
        publish(texts, directory, copies={})
    assert not (directory.path / "verdict.json").exists()


def test_copies_are_what_the_contracts_files_are(
    account: Make, directory: ReportDirectory, tmp_path: Path
) -> None:
    copy = tmp_path / "elsewhere" / "mine.xml"
    publish(render_reports(account("x"), Drafts()), directory, copies={"junit.xml": copy})
    assert copy.read_text() == (directory.path / "junit.xml").read_text()


@pytest.mark.parametrize(
    ("junit", "html", "expected"),
    [
        ("<testsuites/></testsuites>\n", "<html></html>\n", (True, True)),
        ("<testsuites><testsuite>", "<html><body>", (False, False)),
        ("", "", (False, False)),
        (None, None, (False, False)),
    ],
)
def test_a_draft_that_is_not_whole_is_none(
    junit: str | None, html: str | None, expected: tuple[bool, bool], directory: ReportDirectory
) -> None:
    for name, text in (("junit.xml", junit), ("report.html", html)):
        if text is not None:
            (directory.staging / name).write_text(text)
    drafts = read_drafts(directory)
    assert (drafts.junit is not None, drafts.html is not None) == expected
