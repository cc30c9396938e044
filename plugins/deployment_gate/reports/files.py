"""The run's files: whole or not at all, and a hold from the first moment on."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from deployment_gate.errors import GateError

TRACES = "traces"
"""The folder for what browsers recorded of failures."""

REPORTS = (
    "verdict.json",
    "junit.xml",
    "report.html",
    "evidence.jsonl",
    "summary.md",
    "findings.sarif",
)
"""The six files of the contract."""

METRICS = "metrics.prom"
"""What stands beside them for Prometheus; it is written once the verdict stands."""

JOURNAL = ".gate-journal"
"""The folder where the processes of a run write down what they see, while it runs."""

STAGING = ".gate-staging"
"""The folder where reports are made before they replace the ones that say "run incomplete"."""


class ReportError(GateError):
    """A report can't be written where it was asked for."""


class ReportDirectory:
    """The folder of one environment's reports."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = path / JOURNAL
        self.staging = path / STAGING
        self._claimed: int | None = None

    def journal_of(self, process: str) -> Path:
        """The file where the process of that name writes down what it sees."""
        return self.journal / f"{process}.jsonl"

    @property
    def progress(self) -> Path:
        """The file from which the terminal is told how far checks are."""
        return self.journal / "progress.txt"

    def journals(self) -> list[Path]:
        """The files of all processes."""
        return sorted(self.journal.glob("*.jsonl"))

    def claim(self) -> None:
        """Have this folder to oneself until the process ends, however it ends.

        Raises:
            ReportError: Another run is writing here.
        """
        with explained(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            claimed = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(claimed, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(claimed)
            raise ReportError(
                f"{self.path}: another run is writing its reports here. "
                "Wait for it, or name another folder by --report-dir"
            ) from None
        self._claimed = claimed

    def release(self) -> None:
        """Let other runs write here."""
        if self._claimed is not None:
            os.close(self._claimed)
            self._claimed = None

    def clear(self) -> None:
        """Remove what the last run left, so that nothing of it can be taken for this one's.

        Raises:
            ReportError: The folder can't be made or written to.
        """
        with explained(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        self.remove_reports()
        with explained(self.path):
            for folder in (self.journal, self.staging):
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)

    def remove_reports(self) -> None:
        """Remove the reports alone, where there are any.

        Raises:
            ReportError: They can't be removed.
        """
        with explained(self.path):
            shutil.rmtree(self.path / TRACES, ignore_errors=True)
            for name in (*REPORTS, METRICS):
                (self.path / name).unlink(missing_ok=True)
                for leftover in self.path.glob(f".{name}.*"):
                    leftover.unlink()

    def drop_working_folders(self) -> None:
        """Remove the journals and what was staged, once the reports stand."""
        shutil.rmtree(self.journal, ignore_errors=True)
        shutil.rmtree(self.staging, ignore_errors=True)


def write_atomically(path: Path, text: str) -> None:
    """Replace `path` by `text` at once: a reader sees the old file or the new one, whole.

    Raises:
        ReportError: It can't be written; what was there stays.
    """
    write_all({path: text})


def write_all(texts: Mapping[Path, str]) -> None:
    """Replace each file at once, in this order, and none before there is room for all of them.

    Raises:
        ReportError: One can't be written; as a rule, all that was there stays.
    """
    with contextlib.ExitStack() as stack:
        written = [
            (stack.enter_context(_written_beside(path, text)), path) for path, text in texts.items()
        ]
        for temporary, path in written:
            with explained(path):
                temporary.replace(path)


@contextlib.contextmanager
def _written_beside(path: Path, text: str) -> Iterator[Path]:
    """A file beside `path` with its next text, which is removed where it isn't moved there."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(as_written(text))
                file.flush()
                os.fsync(file.fileno())
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def as_written(text: str) -> bytes:
    """A text as the files hold it: what no encoding knows may come from a command line."""
    return text.encode(errors="backslashreplace")


def remove_files(paths: Iterable[Path]) -> None:
    """Remove files that are no longer true, as far as one can."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """An error of the file system says what to do.

    Raises:
        ReportError: `path` can't be written to.
    """
    try:
        yield
    except OSError as error:
        raise ReportError(
            f"{path}: can't be written ({error.strerror}). Make room or give leave there, "
            "or name another folder by --report-dir"
        ) from error
