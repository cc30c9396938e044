"""The six files are made of one account and say the same verdict."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import nullcontext
from errno import ENOSPC
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from deployment_gate.evidence import merge_journals
from deployment_gate.judgement import Decision
from deployment_gate.reports.account import Account
from deployment_gate.reports.files import REPORTS, ReportDirectory, ReportError
from deployment_gate.reports.publication import (
    Drafts,
    publish,
    publish_what_fits,
    read_drafts,
    render_reports,
)

Make = Callable[..., Account]


@pytest.fixture
def directory(tmp_path: Path) -> ReportDirectory:
    """A folder of reports, cleared."""
    directory = ReportDirectory(tmp_path / "reports")
    directory.clear()
    return directory


@pytest.mark.parametrize("decision", list(Decision))
def test_all_six_say_the_same_verdict(
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


class Death(BaseException):
    """Ends a run where it stands."""


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException, int], None]:
    """Have the file system fail in the place of replacing a file, after so many."""
    replace = Path.replace

    def interrupt(failure: BaseException, after: int) -> None:
        left = iter(range(after))

        def replace_some(path: Path, target: Path) -> Path:
            if next(left, None) is None:
                raise failure
            return replace(path, target)

        monkeypatch.setattr(Path, "replace", replace_some)

    return interrupt


def is_green(path: Path) -> bool:
    """Whether a reader of this JUnit file alone would go on."""
    suite = ET.fromstring(path.read_text())[0]  # noqa: S314  # the gate's own
    return suite.get("failures") == "0"


@pytest.mark.parametrize("after", range(9))
def test_wherever_a_publication_ends_no_junit_file_is_green_before_the_verdict(
    after: int,
    account: Make,
    directory: ReportDirectory,
    tmp_path: Path,
    interrupt: Callable[[BaseException, int], None],
) -> None:
    copies = {"junit.xml": tmp_path / "mine.xml", "report.html": tmp_path / "mine.html"}
    publish(render_reports(account("it runs"), Drafts()), directory, copies=copies)
    interrupt(Death(), after)
    with pytest.raises(Death) if after < 8 else nullcontext():
        publish(render_reports(account(), Drafts()), directory, copies=copies)
    verdict = json.loads((directory.path / "verdict.json").read_text())["verdict"]
    green = [is_green(path) for path in (directory.path / "junit.xml", copies["junit.xml"])]
    assert verdict == ("hold" if after < 6 else "promote")
    assert green == [after > 6, after > 7]
    assert not [path for path in directory.path.iterdir() if path.name.startswith(".junit")]


@pytest.mark.parametrize("room", [0, 9])
@pytest.mark.parametrize("after", range(8))
def test_a_promote_that_cannot_be_published_is_a_hold_in_all_that_is_left(
    after: int,
    room: int,
    account: Make,
    directory: ReportDirectory,
    interrupt: Callable[[BaseException, int], None],
) -> None:
    mine = directory.path.parent / "mine"
    copies = {"junit.xml": mine / "junit.xml", "report.html": mine / "report.html"}
    publish(render_reports(account("it runs"), Drafts()), directory, copies=copies)
    promote = render_reports(account(), Drafts())
    interrupt(OSError(ENOSPC, "No space left on device"), after)
    with pytest.raises(ReportError, match="No space left on device"):
        publish(promote, directory, copies=copies)

    interrupt(OSError(ENOSPC, "No space left on device"), room)
    hold = render_reports(account("the disk is full"), Drafts())
    publish_what_fits(hold, directory, copies=copies, instead_of=promote)

    left = [path for path in (*directory.path.iterdir(), *mine.iterdir()) if path.is_file()]
    assert not {path.read_text() for path in left} & set(promote.values())
    if room:
        assert len(left) == 8
        assert {path.read_text() for path in left} == set(hold.values())


def test_a_file_that_does_not_fit_leaves_all_that_was_there(
    account: Make, directory: ReportDirectory
) -> None:
    publish(render_reports(account("it runs"), Drafts()), directory, copies={})
    before = {name: (directory.path / name).read_text() for name in REPORTS}
    nowhere = directory.path / "summary.md" / "mine.xml"
    with pytest.raises(ReportError, match=r"mine\.xml: can't be written"):
        publish(render_reports(account(), Drafts()), directory, copies={"junit.xml": nowhere})
    assert {name: (directory.path / name).read_text() for name in REPORTS} == before


def test_a_copy_may_be_one_of_the_files_by_another_way(
    account: Make, directory: ReportDirectory, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(directory.path)
    copies = {"junit.xml": tmp_path / "link" / "junit.xml"}
    publish(render_reports(account(), Drafts()), directory, copies=copies)
    assert is_green(directory.path / "junit.xml")


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
