"""The parts of the evidence beside the observations: run, plan, outcomes, end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from deployment_gate.evidence.finding import Finding
from deployment_gate.evidence.observation import Observation


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FLAKY = "flaky"
    """Passed, but not at its first attempt."""
    WARNED = "warned"
    """Failed, but its severity says that it only warns."""
    FAILED = "failed"
    ERROR = "error"
    """Could not be carried out: its setup, its teardown or its worker failed."""
    WAIVED = "waived"
    """Failed, and a waiver of that day accepts it."""
    NOT_RUN = "not_run"
    """Left undone, since what it depends on is dead."""
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"


FROM_BEST_TO_WORST = (
    Outcome.PASSED,
    Outcome.FLAKY,
    Outcome.WARNED,
    Outcome.WAIVED,
    Outcome.NOT_RUN,
    Outcome.SKIPPED,
    Outcome.XFAILED,
    Outcome.XPASSED,
    Outcome.FAILED,
    Outcome.ERROR,
)
"""Of several outcomes of one check the worst wins."""


class Severity(StrEnum):
    """How much a check's failure weighs; the runbook's three levels of alert."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Which run this is the evidence of.

    Attributes:
        id: Unique for each run.
        environment: The name of the environment that was validated.
        started: When, aware and in UTC.
        release: The release that must be running, where one was named.
        tier: `smoke` or `full`, where the whole tier was selected.
        selection: What was selected, where it is narrower than a tier.
        tool: Name and version of what wrote this.
        by: Who or what began it, and where, as far as the process environment tells.
    """

    id: str
    environment: str
    started: datetime
    release: str | None = None
    tier: str | None = None
    selection: str | None = None
    tool: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCheck:
    """One check that the run set out to carry out, or left out for a stated reason.

    Attributes:
        id: pytest's node id.
        category: The category it belongs to.
        severity: How much its failure weighs.
        subject: The health endpoint it is about, where it is about one.
        trigger: The trigger that its marker names, where one does.
        left_out: Why the environment rules it out; None when it is to run.
    """

    id: str
    category: str
    severity: Severity = Severity.CRITICAL
    subject: str | None = None
    trigger: str | None = None
    left_out: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a run before the deploy had seen already.

    Attributes:
        run: The id of that run.
        at: When it ended, aware and in UTC.
        release: The release that it named.
        failed: The node ids of checks that did not pass there.
        unwell: The health endpoints whose last answer was bad there, by name.
        answers: How many answers to the checks' requests were good or bad there.
        errors: How many of them were errors.
    """

    run: str
    at: datetime
    release: str | None = None
    failed: tuple[str, ...] = ()
    unwell: tuple[str, ...] = ()
    answers: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """How one check ended, when, and in a few words why.

    Attributes:
        id: pytest's node id.
        outcome: How it ended.
        at: When it ended, aware and in UTC.
        duration_s: Seconds for setup, call and teardown together.
        message: Why, one line; empty for a pass.
    """

    id: str
    outcome: Outcome
    at: datetime
    duration_s: float
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How the run ended.

    Attributes:
        at: When, aware and in UTC.
        exit_status: pytest's own exit status, before the verdict.
        trouble: What went wrong with the run itself, one sentence each.
    """

    at: datetime
    exit_status: int
    trouble: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenVerdict:
    """What was decided by the evidence when it was written; judging again doesn't read it.

    Attributes:
        verdict: promote, hold or rollback.
        sentence: Why, in one sentence.
    """

    verdict: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The ordered record of one run, and what a run before it had seen."""

    run: Run
    before: Baseline | None = None
    plan: tuple[PlannedCheck, ...] = ()
    observations: tuple[Observation, ...] = ()
    findings: tuple[Finding, ...] = ()
    outcomes: tuple[CheckOutcome, ...] = ()
    end: RunEnd | None = None

    @property
    def to_run(self) -> tuple[PlannedCheck, ...]:
        """The checks of the plan that the environment does not rule out."""
        return tuple(check for check in self.plan if check.left_out is None)
