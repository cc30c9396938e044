"""Publishes the five files: each made from one account, free of secrets, replaced at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deployment_gate.evidence import GivenVerdict, write_evidence
from deployment_gate.reports.account import Account
from deployment_gate.reports.files import ReportDirectory, write_atomically
from deployment_gate.reports.html import finish_html
from deployment_gate.reports.junit import finish_junit
from deployment_gate.reports.summary import render_summary
from deployment_gate.reports.verdict_file import render_verdict


@dataclass(frozen=True, slots=True)
class Drafts:
    """What pytest's own reporters wrote; None where they wrote nothing."""

    junit: str | None = None
    html: str | None = None


def read_drafts(directory: ReportDirectory) -> Drafts:
    """What pytest's own reporters left in the staging folder."""
    return Drafts(
        junit=_whole_text(directory.staging / "junit.xml", end="</testsuites>"),
        html=_whole_text(directory.staging / "report.html", end="</html>"),
    )


def render_reports(account: Account, drafts: Drafts) -> dict[str, str]:
    """The texts of the five files, by name.

    Raises:
        JUnitError: The draft is no JUnit report.
    """
    given = GivenVerdict(verdict=account.verdict.decision, sentence=account.sentence)
    evidence_text = write_evidence(account.evidence, given)
    return {
        "evidence.jsonl": evidence_text,
        "summary.md": render_summary(account),
        "report.html": finish_html(drafts.html, account),
        "junit.xml": finish_junit(drafts.junit, account),
        "verdict.json": render_verdict(account, evidence_text=evidence_text),
    }


def publish(
    texts: Mapping[str, str], directory: ReportDirectory, *, copies: Mapping[str, Path]
) -> None:
    """Replace each file at once; the verdict last, when all that it stands on is there.

    Args:
        texts: The files' texts by name, in the order of writing.
        directory: Where they go.
        copies: Where else some of them go, by name.

    Raises:
        ReportError: One can't be written; those before it are.
    """
    for name, text in texts.items():
        write_atomically(directory.path / name, text)
    for name, path in copies.items():
        write_atomically(path, texts[name])


def _whole_text(path: Path, *, end: str) -> str | None:
    """A file's text, unless its reporter failed and left half of it."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return text if text.rstrip().endswith(end) else None
