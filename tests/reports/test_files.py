"""The files: whole or not at all."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from deployment_gate.reports.files import REPORTS, ReportDirectory, ReportError, write_atomically


def test_a_reader_never_sees_a_part_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    texts = ["a" * 300_000, "b" * 300_000]
    write_atomically(path, texts[0])
    seen: set[str] = set()
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            seen.add(path.read_text())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for turn in range(60):
            write_atomically(path, texts[turn % 2])
    finally:
        is_over.set()
        reader.join()
    assert seen <= set(texts)
    assert seen


def test_nothing_but_the_file_is_left(tmp_path: Path) -> None:
    write_atomically(tmp_path / "deep" / "summary.md", "größe\n")
    assert (tmp_path / "deep" / "summary.md").read_text(encoding="utf-8") == "größe\n"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["summary.md"]


def test_what_no_encoding_knows_is_written_as_its_number(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    write_atomically(path, "release \udcff")
    assert path.read_text() == r"release \udcff"


def test_what_a_killed_run_had_half_written_is_cleared(tmp_path: Path) -> None:
    (tmp_path / ".verdict.json.4711").write_text('{"verdict": "pro')
    ReportDirectory(tmp_path).clear()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def test_a_file_in_the_way_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError) as caught:
        write_atomically(tmp_path / "file" / "summary.md", "text")
    assert str(caught.value) == (
        f"{tmp_path}/file/summary.md: can't be written (File exists). Make room or give leave "
        "there, or name another folder by --report-dir"
    )


@pytest.mark.parametrize("place", ["/proc/reports", "/dev/null/reports"])
def test_a_folder_that_cannot_be_written_to_is_an_error_that_says_what_to_do(place: str) -> None:
    with pytest.raises(ReportError, match=rf"{place}: can't be written .* --report-dir"):
        ReportDirectory(Path(place)).clear()


def test_clearing_removes_what_the_last_run_left(tmp_path: Path) -> None:
    directory = ReportDirectory(tmp_path / "reports" / "staging")
    directory.clear()
    for name in REPORTS:
        (directory.path / name).write_text("yesterday's")
    directory.journal_of("gw7").write_text("yesterday's")
    (directory.staging / "junit.xml").write_text("yesterday's")
    (directory.path / "notes.txt").write_text("the user's own")
    directory.clear()
    left = {str(path.relative_to(directory.path)) for path in directory.path.rglob("*")}
    assert left == {".gate-journal", ".gate-staging", "notes.txt"}


def test_a_report_that_cannot_be_removed_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").mkdir()
    with pytest.raises(ReportError, match="can't be written"):
        ReportDirectory(tmp_path).clear()


def test_working_folders_go_once_the_reports_stand(tmp_path: Path) -> None:
    directory = ReportDirectory(tmp_path)
    directory.clear()
    (tmp_path / "verdict.json").write_text("{}")
    directory.drop_working_folders()
    directory.drop_working_folders()
    assert [path.name for path in tmp_path.iterdir()] == ["verdict.json"]


def test_a_folder_is_for_one_run_at_a_time(tmp_path: Path) -> None:
    first, second = ReportDirectory(tmp_path), ReportDirectory(tmp_path)
    first.claim()
    with pytest.raises(ReportError, match="another run is writing its reports here"):
        second.claim()
    first.release()
    second.claim()
    second.release()
