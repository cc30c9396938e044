"""`history.jsonl`: one line of JSON for each run, appended whole, mergeable, read within bounds."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from deployment_gate.environment import (
    Category,
    Environment,
    Indicator,
    IndicatorKind,
    policy_of,
)
from deployment_gate.evidence import Evidence, Observation, ObservationKind, Outcome
from deployment_gate.judgement import Decision, Reading, TriggerState
from deployment_gate.judgement.indicators import ANSWERS, PAGES, read_indicator
from deployment_gate.reports.account import Account
from deployment_gate.reports.files import ReportError, explained
from deployment_gate.reports.limits import Limits, limits_of

HISTORY = "history.jsonl"
"""The name of the file."""

VERSION: Final = 1
"""Version of a line's form; it grows when a reader would have to change."""

MOST_BYTES = 32 * 2**20
"""Of a longer file only the last so many bytes are read: about fifteen thousand runs."""

_PATIENCE_S = 10.0
"""How long other processes may have the file to themselves before a run goes on without."""

_ERRORS = Indicator(IndicatorKind.ERROR)
_HEALTH = Indicator(IndicatorKind.HEALTH)
_P50, _P95 = 0.5, 0.95

Number = Annotated[float, Field(allow_inf_nan=False)]


class _Part(BaseModel):
    # What a later version adds to a line is no reason to lose the line.
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Latency(_Part):
    """How long what was asked took, of what came whole.

    Attributes:
        count: Of how many.
        p50_s: Half of them took so many seconds at most; None of none.
        p95_s: 95 % of them did.
    """

    count: int = 0
    p50_s: Number | None = None
    p95_s: Number | None = None


class Share(_Part):
    """A share, and the numbers behind it."""

    count: int = 0
    of: int = 0

    @property
    def fraction(self) -> float | None:
        """The share, 0..1; None of nothing."""
        return self.count / self.of if self.of else None


class Coverage(_Part):
    """What of the platform was validated.

    Attributes:
        passed: The categories with an executed pass, of those that the environment describes.
        without_pass: Those without.
        not_covered: What the environment doesn't describe, or no check was about; one phrase each.
    """

    passed: tuple[str, ...] = ()
    without_pass: tuple[str, ...] = ()
    not_covered: tuple[str, ...] = ()

    @property
    def share(self) -> float | None:
        """The share of the described categories that had an executed pass; None of none."""
        described = len(self.passed) + len(self.without_pass)
        return len(self.passed) / described if described else None


class Entry(_Part):
    """One run, as its line says.

    Attributes:
        run: Unique for each run; of two lines with the same one, the first counts.
        verdict: What was decided.
        sentence: Why, in one sentence.
        outcomes: How many checks ended in which way.
        planned: How many checks were to run.
        flaky: The ids of the checks that passed only at a later attempt.
        answers: How long answers took, of those that rates of slow answers are made of.
        pages: How long loads of pages took.
        errors: How many answers were errors.
        availability: How many answers of health endpoints were good.
        fired: The triggers that fired.
        is_first_of_release: Whether no run before it, in the file that it was appended to,
            validated that release in that environment; None where no release was named.
    """

    version: Literal[1]
    run: str
    environment: str
    release: str | None
    tier: str | None
    selection: str | None
    started: AwareDatetime
    ended: AwareDatetime
    duration_s: Number
    verdict: Decision
    sentence: str
    exit_code: int
    planned: int
    outcomes: dict[Outcome, int]
    coverage: Coverage = Coverage()
    flaky: tuple[str, ...] = ()
    answers: Latency = Latency()
    pages: Latency = Latency()
    errors: Share = Share()
    availability: Share = Share()
    fired: tuple[str, ...] = ()
    limits: Limits = Limits()
    is_first_of_release: bool | None = None

    @property
    def is_whole(self) -> bool:
        """Whether a whole tier was validated, not a selection."""
        return self.tier is not None

    @property
    def scope(self) -> str:
        """How much was validated."""
        return self.tier or "a selection"

    @property
    def line(self) -> str:
        """The run as its line, without the line's end."""
        return self.model_dump_json()


@dataclass(frozen=True, slots=True)
class History:
    """What files of history hold.

    Attributes:
        entries: The runs, by the time at which they ended.
        faults: The lines that are none, a sentence each with file and line.
        notes: What was left out on purpose.
    """

    entries: tuple[Entry, ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def by_environment(self) -> dict[str, tuple[Entry, ...]]:
        """The runs of each environment, by its name."""
        names = sorted({one.environment for one in self.entries})
        return {
            name: tuple(one for one in self.entries if one.environment == name) for name in names
        }


def entry_of(account: Account, environment: Environment, redact: Callable[[str], str]) -> Entry:
    """What the history keeps of a run.

    Args:
        account: The run, and what was decided.
        environment: What was validated.
        redact: Takes the secrets out of a text.
    """
    evidence = account.evidence
    policy = policy_of(environment)

    def share(indicator: Indicator, *, of: Reading) -> Share:
        judged = (read_indicator(indicator, one, policy) for one in evidence.observations)
        readings = [one.reading for one in judged if one is not None]
        good, bad = readings.count(Reading.GOOD), readings.count(Reading.BAD)
        return Share(count=bad if of is Reading.BAD else good, of=good + bad)

    return Entry(
        version=VERSION,
        run=account.run.id,
        environment=redact(account.run.environment),
        release=_redacted(account.run.release, redact),
        tier=account.run.tier,
        selection=_redacted(account.run.selection, redact),
        started=account.run.started,
        ended=account.ended,
        duration_s=round(account.duration_s, 3),
        verdict=account.verdict.decision,
        sentence=redact(account.sentence),
        exit_code=account.exit_code,
        planned=account.verdict.planned,
        outcomes={name: n for name, n in account.verdict.counts.items() if n},
        coverage=_coverage(account, environment, redact),
        flaky=tuple(redact(one.id) for one in evidence.outcomes if one.outcome is Outcome.FLAKY),
        answers=_latency(evidence, ANSWERS),
        pages=_latency(evidence, PAGES),
        errors=share(_ERRORS, of=Reading.BAD),
        availability=share(_HEALTH, of=Reading.GOOD),
        fired=tuple(
            redact(one.name) for one in account.verdict.triggers if one.state is TriggerState.FIRED
        ),
        limits=limits_of(environment),
    )


def _redacted(text: str | None, redact: Callable[[str], str]) -> str | None:
    return None if text is None else redact(text)


def _coverage(account: Account, environment: Environment, redact: Callable[[str], str]) -> Coverage:
    reported = {one.id: one.outcome for one in account.evidence.outcomes}
    passes = {Outcome.PASSED, Outcome.FLAKY}
    passed = {one.category for one in account.evidence.plan if reported.get(one.id) in passes}
    described = [one.value for one in Category if environment.covers(one)]
    return Coverage(
        passed=tuple(one for one in described if one in passed),
        without_pass=tuple(one for one in described if one not in passed),
        not_covered=tuple(map(redact, account.not_covered)),
    )


def _latency(evidence: Evidence, kinds: frozenset[ObservationKind]) -> Latency:
    took = sorted(one.duration_s for one in evidence.observations if _came_whole(one, kinds))
    if not took:
        return Latency()
    return Latency(count=len(took), p50_s=_rank(took, _P50), p95_s=_rank(took, _P95))


def _came_whole(seen: Observation, kinds: frozenset[ObservationKind]) -> bool:
    return (
        seen.kind in kinds
        and seen.error is None
        and seen.unobserved is None
        and not seen.facts.get("provoked")
    )


def _rank(ordered: Sequence[float], share: float) -> float:
    """The value that a share of the values don't exceed, by the nearest rank."""
    return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 6)


def append_entry(path: Path, entry: Entry) -> None:
    """Append a run to a history, as one whole line.

    Raises:
        ReportError: It can't be written; what was there stays as it was.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file, alone_with(file, path):
            known = [*_read(file, path, [])]
            if entry.release is not None:
                is_first = (entry.environment, entry.release) not in {
                    (one.environment, one.release) for one in known
                }
                entry = entry.model_copy(update={"is_first_of_release": is_first})
            size = file.seek(0, os.SEEK_END)
            # A line that its process could not end stays one line, and this one whole.
            broken = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
            line = (b"\n" if broken else b"") + f"{entry.line}\n".encode(errors="replace")
            try:
                written = os.write(file.fileno(), line)
                os.fsync(file.fileno())
            except OSError:
                os.ftruncate(file.fileno(), size)
                raise
            if written != len(line):
                os.ftruncate(file.fileno(), size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextlib.contextmanager
def alone_with(file: IO[bytes], path: Path) -> Iterator[None]:
    """Have a file to oneself; another process that hangs must not hold this one.

    Raises:
        ReportError: Another process has it to itself for too long.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise ReportError(
                    f"{path}: another process has had it to itself for {_PATIENCE_S:g} s. See "
                    "what that is; this run is missing there"
                ) from None
            time.sleep(0.02)
        else:
            break
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def read_history(paths: Iterable[Path]) -> History:
    """The runs of several files as one history; a run that is in more than one counts once.

    Lines that are none are told, and the others read.

    Args:
        paths: Files, or folders with a `history.jsonl`.

    Raises:
        ReportError: A file can't be read.
    """
    entries: dict[str, Entry] = {}
    faults: list[str] = []
    notes: list[str] = []
    for given in paths:
        path = given / HISTORY if given.is_dir() else given
        try:
            with path.open("rb") as file:
                if file.seek(0, os.SEEK_END) > MOST_BYTES:
                    notes.append(
                        f"{path}: only its last {MOST_BYTES // 2**20} MiB are read; "
                        "older runs are left out"
                    )
                for one in _read(file, path, faults):
                    entries.setdefault(one.run, one)
        except OSError as error:
            raise ReportError(
                f"{path}: the history can't be read ({error.strerror}). Name the history.jsonl "
                "that runs left behind: reports/history.jsonl, unless they had a --report-dir"
            ) from error
    ordered = sorted(entries.values(), key=lambda one: (one.ended, one.run))
    return History(tuple(ordered), tuple(faults), tuple(notes))


def _read(file: IO[bytes], path: Path, faults: list[str]) -> Iterator[Entry]:
    """The runs in the last part of a file; what is no run is told with its line."""
    start = max(0, file.seek(0, os.SEEK_END) - MOST_BYTES)
    number = _lines_before(file, start)
    file.seek(start)
    if start:
        file.readline(MOST_BYTES)
        number += 1
    for line in file:
        number += 1
        try:
            yield Entry.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            why = f"{where}: {first['msg']}" if where else first["msg"]
            faults.append(
                f"{path}:{number}: no line of a history ({why}). Mend that line or take it out; "
                "all others were read"
            )


def _lines_before(file: IO[bytes], end: int) -> int:
    file.seek(0)
    count = 0
    while end > 0:
        chunk = file.read(min(end, 2**20))
        if not chunk:
            break
        count += chunk.count(b"\n")
        end -= len(chunk)
    return count
