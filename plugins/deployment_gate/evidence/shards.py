"""Shards: evidence that many machines collected of one release, merged by time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

from deployment_gate.evidence.finding import Finding, last_findings
from deployment_gate.evidence.journal import EvidenceError, read_lines
from deployment_gate.evidence.lines import Record
from deployment_gate.evidence.observation import Observation
from deployment_gate.evidence.record import (
    FROM_BEST_TO_WORST,
    Baseline,
    CheckOutcome,
    Evidence,
    GivenVerdict,
    PlannedCheck,
    Run,
    RunEnd,
)

FARTHEST_APART = timedelta(days=1)
"""Runs that begin farther from each other than this don't tell of one state of the platform."""

_TIERS = ("smoke", "full")
"""The wider one last: whoever ran all of it, ran the other, too."""
_NORMAL_STATUSES = (0, 1)
_DIGEST_BYTES = 16

T = TypeVar("T", Run, Baseline, RunEnd, GivenVerdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedShards:
    """The evidence of several runs as that of one.

    Attributes:
        evidence: All that was seen, by time. What speaks against merging is trouble of its end.
        given: What was decided by each run's own evidence, by run id, where it says so.
        remarks: What should be known of the files.
    """

    evidence: Evidence
    given: Mapping[str, GivenVerdict]
    remarks: tuple[str, ...] = ()


@dataclass(slots=True)
class _Shard:
    """What the files hold of one run; the first one names it in messages."""

    run: Run
    file: Path
    before: Baseline | None = None
    plan: dict[str, PlannedCheck] = field(default_factory=dict)
    observations: list[Observation] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    outcomes: list[CheckOutcome] = field(default_factory=list)
    end: RunEnd | None = None
    given: GivenVerdict | None = None
    # Digests, since the lines themselves would take several times the memory.
    digests: set[bytes] = field(default_factory=set)

    @property
    def label(self) -> str:
        return f"run {self.run.id} ({self.file})"

    def is_known(self, line: bytes) -> bool:
        """Whether this line was read before; from now on it was."""
        digest = blake2b(line, digest_size=_DIGEST_BYTES).digest()
        before = len(self.digests)
        self.digests.add(digest)
        return len(self.digests) == before

    def add(self, record: Record) -> None:
        match record:
            case Observation():
                self.observations.append(record)
            case Finding():
                self.findings.append(record)
            case CheckOutcome():
                self.outcomes.append(record)
            case PlannedCheck():
                self.plan[record.id] = record
            case Run():
                self.run = self._only(self.run, record, "beginnings")
            case Baseline():
                self.before = self._only(self.before, record, "baselines")
            case RunEnd():
                self.end = self._only(self.end, record, "ends")
            case GivenVerdict():
                self.given = self._only(self.given, record, "verdicts")

    def _only(self, known: T | None, new: T, what: str) -> T:
        if known not in {None, new}:
            raise EvidenceError(
                f"{self.label}: its evidence holds two different {what}. "
                "Take the evidence.jsonl of each run once, as it was written."
            )
        return new


def merge_shards(paths: Iterable[Path]) -> MergedShards:
    """The evidence of one run or of several, from files in any order.

    A line that occurs twice within a run counts once, and so does a file that is named twice.

    Raises:
        EvidenceError: A file can't be read or holds no run, or the runs are of different releases
            or environments.
    """
    remarks: list[str] = []
    shards: dict[str, _Shard] = {}
    for path in sorted(set(paths)):
        remarks += _read_into(shards, path)
    if not shards:
        raise EvidenceError("no evidence at all. Name an evidence.jsonl that a run left behind.")
    # By their beginnings, so that the order of the files doesn't matter.
    several = sorted(shards.values(), key=lambda shard: (shard.run.started, shard.run.id))
    _refuse_strangers(several)
    evidence = _merged(several)
    trouble = [*_trouble_with_clocks(several), *_unreported(several)]
    remarks += [f"{shard.label} never ended" for shard in several if shard.end is None]
    if evidence.end is None:
        remarks += trouble
    elif trouble:
        end = replace(evidence.end, trouble=(*evidence.end.trouble, *trouble))
        evidence = replace(evidence, end=end)
    given = {shard.run.id: shard.given for shard in several if shard.given is not None}
    return MergedShards(evidence=evidence, given=given, remarks=tuple(remarks))


def _read_into(shards: dict[str, _Shard], path: Path) -> Iterator[str]:
    """Add what a file holds; yield what should be known of it."""
    shard: _Shard | None = None
    twice = 0
    for line, record in read_lines(path):
        if record is None:
            yield f"{path}: its last line was cut off, and is left out"
            continue
        if isinstance(record, Run):
            if record.tier not in {None, *_TIERS}:
                raise EvidenceError(
                    f"{path}: {record.tier!r} is no tier; there are {' and '.join(_TIERS)}. "
                    "Take the evidence.jsonl of a run as it was written."
                )
            shard = shards.setdefault(record.id, _Shard(record, path))
        if shard is None:
            raise EvidenceError(
                f"{path}: begins with no run. Name an evidence.jsonl as a run left it."
            )
        if shard.is_known(line):
            twice += 1
        else:
            shard.add(record)
    if shard is None:
        raise EvidenceError(f"{path}: holds no run. Name an evidence.jsonl that a run left.")
    if twice:
        yield f"{path}: {twice} of its lines were there before, and count once"


def _refuse_strangers(shards: Sequence[_Shard]) -> None:
    """One verdict is about one release in one environment."""
    first = shards[0]
    for other in shards[1:]:
        if (first.run.release, first.run.environment) != (other.run.release, other.run.environment):
            raise EvidenceError(
                f"{first.file} is of {_subject(first.run)}, {other.file} of {_subject(other.run)}. "
                "Judge together what is of one release and environment, the rest by itself."
            )


def _subject(run: Run) -> str:
    release = f"release {run.release}" if run.release else "no named release"
    return f"{release} in {run.environment}"


def _merged(shards: Sequence[_Shard]) -> Evidence:
    plan: dict[str, PlannedCheck] = {}
    for shard in shards:
        for check in shard.plan.values():
            # What one machine leaves out, another may have to run.
            if check.id not in plan or plan[check.id].left_out is not None:
                plan[check.id] = check
    seen = [one for shard in shards for one in shard.observations]
    return Evidence(
        run=_merged_run([shard.run for shard in shards]),
        before=_merged_baseline([shard.before for shard in shards]),
        plan=tuple(plan.values()),
        observations=tuple(sorted(seen, key=lambda one: one.at)),
        findings=_findings(shards),
        outcomes=tuple(sorted(_outcomes(shards), key=lambda one: one.at)),
        end=_merged_end([shard.end for shard in shards]),
    )


def _merged_run(runs: Sequence[Run]) -> Run:
    """All runs as one: of the widest tier that one of them was, else a selection of all of them."""
    tiers = [tier for tier in _TIERS if any(run.tier == tier for run in runs)]
    return replace(
        runs[0],
        id=", ".join(run.id for run in runs),
        tier=tiers[-1] if tiers else runs[0].tier,
        selection=None if tiers else "; ".join(_once(run.selection for run in runs)) or None,
        tool=", ".join(_once(run.tool for run in runs)),
    )


def _merged_baseline(baselines: Sequence[Baseline | None]) -> Baseline | None:
    """All baselines as one; a run that several shards name counts once."""
    known = {one.run: one for one in baselines if one is not None}.values()
    if not known:
        return None
    first, *_ = known
    return Baseline(
        run=", ".join(one.run for one in known),
        at=max(one.at for one in known),
        release=first.release,
        failed=tuple(sorted({check for one in known for check in one.failed})),
        unwell=tuple(sorted({name for one in known for name in one.unwell})),
        answers=sum(one.answers for one in known),
        errors=sum(one.errors for one in known),
    )


def _once(texts: Iterable[str | None]) -> list[str]:
    return sorted({text for text in texts if text})


def _merged_end(ends: Sequence[RunEnd | None]) -> RunEnd | None:
    """The last end with the worst status; none where one of the runs never ended."""
    reached = [end for end in ends if end is not None]
    if len(reached) < len(ends):
        return None
    return RunEnd(
        at=max(end.at for end in reached),
        exit_status=max(
            (end.exit_status for end in reached),
            key=lambda status: (status not in _NORMAL_STATUSES, status),
        ),
        trouble=tuple(trouble for end in reached for trouble in end.trouble),
    )


def _outcomes(shards: Sequence[_Shard]) -> Iterator[CheckOutcome]:
    """Each check's outcomes; of one that several machines ran, the worst."""
    ran = Counter(check for shard in shards for check in {one.id for one in shard.outcomes})
    worst: dict[str, CheckOutcome] = {}
    for shard in shards:
        for one in shard.outcomes:
            if ran[one.id] == 1:
                yield one
            elif one.id not in worst or _badness(one) > _badness(worst[one.id]):
                worst[one.id] = one
    yield from worst.values()


def _findings(shards: Sequence[_Shard]) -> tuple[Finding, ...]:
    """What was found, by time; what several machines found counts once."""
    found = [one for shard in shards for one in last_findings(shard.findings)]
    first = {(one.check, one.fingerprint): one for one in sorted(found, key=_when, reverse=True)}
    return tuple(sorted(first.values(), key=_when))


def _when(one: Finding) -> datetime:
    return one.at


def _badness(one: CheckOutcome) -> int:
    return FROM_BEST_TO_WORST.index(one.outcome)


def _trouble_with_clocks(shards: Sequence[_Shard]) -> Iterator[str]:
    for shard in shards:
        if shard.end is not None and shard.end.at < shard.run.started:
            yield (
                f"{shard.label} ends before it starts: that machine's clock was set meanwhile. "
                "Validate there again"
            )
    first, last = shards[0], shards[-1]
    if last.run.started - first.run.started > FARTHEST_APART:
        yield (
            f"{first.label} and {last.label} began more than a day apart. "
            "Set the clocks of these machines, or validate again where the older one is of"
        )


def _unreported(shards: Sequence[_Shard]) -> Iterator[str]:
    """Checks that one machine lost, which another one's outcome must not hide."""
    if len(shards) == 1:
        return  # judging tells
    for shard in shards:
        reported = {one.id for one in shard.outcomes}
        to_run = [check.id for check in shard.plan.values() if check.left_out is None]
        missing = [check for check in to_run if check not in reported]
        if missing:
            yield (
                f"{len(missing)} of {len(to_run)} checks of {shard.label} did not report, "
                f"the first of them {missing[0]}"
            )
