"""The evidence on disk: append-only JSON lines, one file for each process, merged by time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from enum import Enum
from pathlib import Path
from typing import IO, Any, TypeVar

from deployment_gate.errors import GateError
from deployment_gate.evidence.finding import Finding, last_findings
from deployment_gate.evidence.lines import Record, UnknownFormatError, decode, encode
from deployment_gate.evidence.observation import Observation
from deployment_gate.evidence.record import (
    Baseline,
    CheckOutcome,
    Evidence,
    GivenVerdict,
    PlannedCheck,
    Run,
    RunEnd,
)
from deployment_gate.evidence.redaction import Redactor

R = TypeVar("R")


class EvidenceError(GateError):
    """Evidence that cannot be read as what it claims to be."""


class Journal:
    """Appends records to one process's file, each line whole and flushed.

    Every text is redacted on its way to the file, so that a secret that a probe met never
    rests on the disk.
    """

    def __init__(self, path: Path, *, redactor: Redactor) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._redactor = redactor
        self._file: IO[str] = path.open("a", encoding="utf-8")

    def append(self, *records: Record) -> None:
        """Write the records, in this order, and hand them to the operating system."""
        # Each text by itself, before it is encoded: a secret may look like a part of the format.
        clean = [_with_texts(record, self._clean) for record in records]
        self._file.write("".join(f"{encode(record)}\n" for record in clean))
        self._file.flush()

    def close(self) -> None:
        """Close the file; what was appended is in it."""
        self._file.close()

    def _clean(self, text: str) -> str:
        # A target can send half a surrogate pair, which no file can hold.
        return self._redactor.redact(text.encode(errors="replace").decode())


def _with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """`value` with every text in it changed, the fields of records included."""
    match value:
        case Enum():
            return value
        case str():
            return change(value)
        case Mapping():
            return {change(key): _with_texts(item, change) for key, item in value.items()}
        case list() | tuple():
            return type(value)(_with_texts(item, change) for item in value)
        case (
            Run()
            | Baseline()
            | PlannedCheck()
            | Observation()
            | Finding()
            | CheckOutcome()
            | RunEnd()
        ):
            return replace(
                value,
                **{
                    field.name: _with_texts(getattr(value, field.name), change)
                    for field in fields(value)
                },
            )
    return value


def read_lines(path: Path) -> Iterator[tuple[bytes, Record | None]]:
    """Each line of one file with its record, in the order in which they were written.

    The record is None for a last line without its end, which was being written when its process
    died.

    Raises:
        EvidenceError: The file can't be read, or a line in it is no record.
    """
    try:
        # As bytes: a line that was being written may end within a character.
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.endswith(b"\n"):
                    yield line, None
                    return
                try:
                    record = decode(line)
                except UnknownFormatError as error:
                    raise EvidenceError(
                        f"{path}:{number}: {error}. "
                        "Judge it by the version of the gate that wrote it."
                    ) from error
                except (ValueError, KeyError, TypeError, RecursionError) as error:
                    raise EvidenceError(
                        f"{path}:{number}: not a record of evidence ({error}). "
                        "Take the evidence.jsonl of a run as it was written."
                    ) from error
                yield line, record
    except OSError as error:
        raise EvidenceError(
            f"{path}: the evidence can't be read ({error.strerror}). "
            "Name an evidence.jsonl that a run left behind."
        ) from error


def read_journal(path: Path) -> Iterator[Record]:
    """The records of one file, in the order in which they were written.

    A last line that was being written is left out.

    Raises:
        EvidenceError: The file can't be read, or a line in it is no record.
    """
    return (record for _, record in read_lines(path) if record is not None)


def merge_journals(paths: Iterable[Path]) -> Evidence:
    """One run's evidence from the files of its processes, by time.

    Raises:
        EvidenceError: A file can't be read, or none of them holds the run's first line.
    """
    paths = list(paths)
    records = [record for path in paths for record in read_journal(path)]
    runs = _of(Run, records)
    if not runs:
        named = ", ".join(str(path) for path in paths) or "no file at all"
        raise EvidenceError(f"{named}: holds no run. Name an evidence.jsonl that a run left.")
    if len({run.id for run in runs}) > 1:
        raise EvidenceError(
            f"{', '.join(str(path) for path in paths)}: evidence of "
            f"{len({run.id for run in runs})} runs. Name the files of one run."
        )
    ends = _of(RunEnd, records)
    before = _of(Baseline, records)
    return Evidence(
        run=runs[0],
        before=before[0] if before else None,
        # Under xdist each worker collects the same plan.
        plan=tuple({check.id: check for check in _of(PlannedCheck, records)}.values()),
        observations=tuple(sorted(_of(Observation, records), key=lambda seen: seen.at)),
        findings=last_findings(_of(Finding, records)),
        outcomes=tuple(sorted(_of(CheckOutcome, records), key=lambda outcome: outcome.at)),
        end=ends[-1] if ends else None,
    )


def _of(kind: type[R], records: Iterable[Record]) -> list[R]:
    return [record for record in records if isinstance(record, kind)]


def write_evidence(evidence: Evidence, given: GivenVerdict) -> str:
    """The whole evidence, and what was decided by it, as the text of one file of JSON lines."""
    seen: list[Observation | Finding | CheckOutcome] = [
        *evidence.observations,
        *evidence.findings,
        *evidence.outcomes,
    ]
    by_time = sorted(seen, key=lambda record: record.at)
    before = [evidence.before] if evidence.before else []
    records: list[Record] = [evidence.run, *before, *evidence.plan, *by_time]
    if evidence.end is not None:
        records.append(evidence.end)
    records.append(given)
    return "".join(f"{encode(record)}\n" for record in records)
