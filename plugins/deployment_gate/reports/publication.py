"""Publishes the six files: each made from one account, free of secrets, replaced at once."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deployment_gate.evidence import GivenVerdict, write_evidence
from deployment_gate.reports.account import Account
from deployment_gate.reports.files import (
    ReportDirectory,
    ReportError,
    as_written,
    remove_files,
    write_all,
    write_atomically,
)
from deployment_gate.reports.junit import finish_junit
from deployment_gate.reports.page.render import render_page
from deployment_gate.reports.sarif import render_sarif
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
    """The texts of the six files, by name.

    Raises:
        JUnitError: The draft is no JUnit report.
    """
    given = GivenVerdict(verdict=account.verdict.decision, sentence=account.sentence)
    evidence_text = write_evidence(account.evidence, given)
    return {
        "evidence.jsonl": evidence_text,
        "summary.md": render_summary(account),
        "findings.sarif": render_sarif(account),
        "report.html": render_page(account, drafts.html),
        "verdict.json": render_verdict(account, evidence_text=evidence_text),
        "junit.xml": finish_junit(drafts.junit, account),
    }


def publish(
    texts: Mapping[str, str], directory: ReportDirectory, *, copies: Mapping[str, Path]
) -> None:
    """Replace all files, each at once, once there is room for all of them.

    `junit.xml` comes last, so that whatever is left where this ends early is red.

    Args:
        texts: The files' texts by name, in the order of writing.
        directory: Where they go.
        copies: Where else some of them go, by name.

    Raises:
        ReportError: One can't be written.
    """
    write_all(_by_path(texts, directory, copies))


def publish_what_fits(
    texts: Mapping[str, str],
    directory: ReportDirectory,
    *,
    copies: Mapping[str, Path],
    instead_of: Mapping[str, str],
) -> None:
    """Write what is possible of a hold where other reports could not be published.

    Args:
        texts: The files' texts by name.
        directory: Where they go.
        copies: Where else some of them go, by name.
        instead_of: The texts that could not be published, of which some may have been.
    """
    untrue = _by_path(instead_of, directory, copies)
    remove_files(path for path, text in untrue.items() if _holds(path, text))
    # What is large goes first; all that it says is in memory, and is written last.
    directory.drop_working_folders()
    small = ("junit.xml", "verdict.json")
    remove_files(directory.path / name for name in texts if name not in small)
    ordered = {name: texts[name] for name in sorted(texts, key=_BY_NEED.index)}
    for path, text in _by_path(ordered, directory, copies).items():
        with contextlib.suppress(ReportError):
            write_atomically(path, text)


_BY_NEED = (
    "junit.xml",
    "verdict.json",
    "summary.md",
    "findings.sarif",
    "report.html",
    "evidence.jsonl",
)


def _by_path(
    texts: Mapping[str, str], directory: ReportDirectory, copies: Mapping[str, Path]
) -> dict[Path, str]:
    """Each text by the places where it goes."""
    places = {name: [directory.path / name] for name in texts}
    for name, path in copies.items():
        places[name].append(path)
    # The user may name one of the six files, by another way to it.
    return {
        Path(os.path.realpath(path.parent), path.name): texts[name]
        for name, paths in places.items()
        for path in paths
    }


def _holds(path: Path, text: str) -> bool:
    """Whether a file can't be told from one that holds this text."""
    try:
        return path.read_bytes() == as_written(text)
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _whole_text(path: Path, *, end: str) -> str | None:
    """A file's text, unless its reporter failed and left half of it."""
    # The half of it may end within a character.
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    return text if text.rstrip().endswith(end) else None
