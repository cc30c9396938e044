"""What the gate does in each process that carries out checks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import pytest

from deployment_gate.attachments import Attachment, attach, take_recordings
from deployment_gate.environment import Action, Category, IndicatorKind, policy_of
from deployment_gate.evidence import (
    Baseline,
    Evidence,
    Finding,
    Journal,
    Observation,
    ObservationKind,
    Outcome,
    PlannedCheck,
    Record,
    Redactor,
    Run,
    Severity,
    read_journal,
)
from deployment_gate.judgement import (
    Judged,
    JudgedFinding,
    Reading,
    TriggerState,
    judge_trigger,
    read_health,
    trigger_of_check,
    waiver_on,
    weigh,
)
from deployment_gate.outcomes import failure_message, redact_report
from deployment_gate.probes.blame import Blame
from deployment_gate.probes.budget import Budget
from deployment_gate.probes.conduct import Conduct
from deployment_gate.probes.exchange import tell_exchanges

if TYPE_CHECKING:
    from deployment_gate.environment import Environment, TriggerRule, WaiverRule
    from deployment_gate.openapi import Document

T = TypeVar("T")

_DEPEND_ON_HEALTH = frozenset(
    {Category.API, Category.FRONTEND, Category.PERFORMANCE, Category.SECURITY}
)
"""Categories whose checks ask the platform itself, and against a dead one only wait."""

_CUT_OFF = "Timeout (>"
"""So pytest-timeout begins to say that a check took too long; what it waited for is unknown."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the controller tells each process that carries out checks.

    Attributes:
        sweep: The journal of what it saw before the checks began.
        day: The one on which the run began; waivers hold on it or don't.
        confirms: Whether a failure that a trigger counts is looked into by further attempts.
        traces: The folder for traces of browsers.
        pictures: The folder of the environment's approved pictures.
        progress: The file from which the terminal is told how far checks are.
    """

    sweep: Path
    day: date
    confirms: bool
    traces: Path
    pictures: Path
    progress: Path


class CheckProcess:
    """What a process that carries out checks knows.

    Attributes:
        environment: What is validated.
        complain: Takes what makes the run a hold, whatever its checks say.
        redactor: Keeps secrets out of what is reported.
        conduct: What the running check may send.
        plan: The checks by node id, once they are collected.
        baseline: The description that the release before was served with, where one was given.
        earlier: The evidence from before the deploy, where some was given.
        blame: Whose failure the running check's was, where it failed.
        beginning: What the controller told.
        attachments: What the running check saw, for the reports where it fails.
        warnings: What is to be told of the running check although it passes.
        is_failing: Whether the running check has failed by now.
        counts: Whether a trigger counts the running check's failure: what it found may not be bad
            enough for that.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        beginning: Beginning,
        journal: Journal,
        redactor: Redactor,
        complain: Callable[[str], None],
    ) -> None:
        self.environment = environment
        self.complain = complain
        self.redactor = redactor
        self.plan: dict[str, PlannedCheck] = {}
        self.baseline: Document | None = None
        self.earlier: Path | None = None
        self.blame = Blame()
        self.beginning = beginning
        self.attachments: list[Attachment] = []
        self.warnings: list[str] = []
        self.is_failing = False
        self.counts = True
        self._undone: str | None = None
        self._traces: list[str] = []
        self.conduct = Conduct(
            observe=journal.append,
            environment=environment.name,
            allows_writing=environment.allow.writes,
            signs_in_at=environment.sign_ins(),
            keep_secret=redactor.add,
        )
        self._journal = journal
        self._looks: dict[Hashable, tuple[tuple[str | None, int], object]] = {}
        self._swept: list[Record] | None = None
        self._health: defaultdict[str, list[Observation]] | None = None
        self._dead: str | None = None
        self._policy = policy_of(environment)
        self._budget = Budget(
            most=environment.security.most_requests,
            rate=environment.security.rate,
            hosts=environment.own_hosts(),
        )

    def take_plan(self, plan: list[PlannedCheck]) -> None:
        """Keep what is to run, and write it down for the controller."""
        self.plan = {check.id: check for check in plan}
        self._journal.append(*plan)

    def begin_check(self, item: pytest.Item) -> None:
        """From now on, requests are sent on behalf of `item`."""
        self.conduct.check = item.nodeid
        self.conduct.is_writing = item.get_closest_marker("writes") is not None
        self.conduct.is_provoking = item.get_closest_marker("provokes") is not None
        planned = self.plan.get(item.nodeid)
        is_of_security = planned is not None and planned.category == Category.SECURITY
        self.conduct.budget = self._budget if is_of_security else None
        self.conduct.step = None
        self.conduct.unobserved = None
        self.conduct.is_unanswered = False
        self.blame = Blame()
        self.attachments.clear()
        self.warnings.clear()
        self.is_failing = False
        self.counts = True
        self._traces.clear()
        self._undone = None
        self.conduct.exchanges.clear()

    def look_once(self, what: Hashable, look: Callable[[], T]) -> T:
        """What `look` saw, shared by the checks of this process.

        A further attempt at a check looks anew: the same look counts once against the target.

        Args:
            what: What is looked at.
            look: Looks at it.
        """
        now = (self.conduct.check, self.conduct.attempt)
        seen = self._looks.get(what)
        if seen is None or (self.conduct.attempt > 1 and seen[0] != now):
            seen = self._looks[what] = (now, look())
        return cast(T, seen[1])

    def tell(self, text: str) -> None:
        """Have the terminal say how far the running check is, whatever process it runs in."""
        with self.beginning.progress.open("a", encoding="utf-8") as file:
            file.write(f"{self.redactor.redact(text)}\n")

    def record(self, findings: Iterable[Finding]) -> None:
        """Write down what the running check found."""
        self._journal.append(*findings)

    def weigh(self, findings: Iterable[Finding]) -> tuple[JudgedFinding, ...]:
        """What becomes of findings by the policy, on the day of the run, the worst first."""
        return weigh(self._policy, findings, self.beginning.day)

    def rule_of(self, check: str) -> TriggerRule | None:
        """The trigger that counts a check's attempts, where one does and nobody waived it."""
        planned = self.plan.get(check)
        if planned is None or self._waiver_of(planned):
            return None
        return trigger_of_check(self._policy, planned)

    def why_not_run(self, check: str) -> str | None:
        """Why a check isn't carried out: what it depends on is dead."""
        planned = self.plan.get(check)
        if planned is None or planned.category not in _DEPEND_ON_HEALTH:
            return None
        if self._dead is None:
            self._dead = self._why_dead()
        return self._dead or None

    def leave_undone(self, why: str) -> str:
        """The running check can't be carried out for a reason that another check tells of."""
        self._undone = why
        return why

    def _why_dead(self) -> str:
        """Which health trigger has fired by what the sweep saw, and why."""
        records = self._sweep_records()
        runs = [record for record in records if isinstance(record, Run)]
        baselines = [record for record in records if isinstance(record, Baseline)]
        seen = Evidence(
            run=runs[0],
            before=baselines[0] if baselines else None,
            observations=tuple(one for one in records if isinstance(one, Observation)),
        )
        for rule in self._policy.triggers:
            is_of_health = rule.condition.indicator.kind is IndicatorKind.HEALTH
            if is_of_health and rule.action is not Action.NOTIFY:
                found = judge_trigger(rule, self._policy, seen)
                if found.state is TriggerState.FIRED:
                    return f"{rule.name} has fired: {found.why}"
        return ""

    def note_failure(self, call: pytest.CallInfo[object], report: pytest.TestReport) -> None:
        """Note whose a failure is: the target's only where that is seen.

        An error in the check itself, or in what it was set up with, says nothing of the target.
        """
        if call.excinfo is None or not report.failed:
            return
        # It goes into reports that are redacted by then.
        message = self.redactor.redact(failure_message(report))
        is_of_target = (
            report.when == "call"
            and not message.startswith(_CUT_OFF)
            and (
                call.excinfo.errisinstance((AssertionError, pytest.fail.Exception))
                # Of a request past the gate's client nobody knows whose failure it was.
                or (self.conduct.is_unanswered and _is_of_transport(call.excinfo.type))
            )
        )
        if self.conduct.unobserved:
            self.blame = Blame(unobserved=self.redactor.redact(self.conduct.unobserved))
        elif is_of_target:
            self.blame = Blame(error=message)
        else:
            self.blame = Blame(unobserved=f"the check itself failed: {message}")

    def add_exchanges(self, item: pytest.Item, phase: str) -> None:
        """What `item` sent and received in a phase becomes a section of its report."""
        if self.conduct.exchanges:
            told = tell_exchanges(self.conduct.exchanges, self.redactor.redact)
            item.add_report_section(phase, "requests", told)
            self.conduct.exchanges.clear()

    def health_of(self, name: str) -> Judged:
        """How the sweep's last look at a health endpoint reads."""
        return self._attempts_at(name)[-1]

    def _attempts_at(self, endpoint: str) -> list[Judged]:
        """How each of the sweep's looks at a health endpoint reads."""
        if self._health is None:
            self._health = defaultdict(list)
            for record in self._sweep_records():
                if isinstance(record, Observation) and record.kind is ObservationKind.HEALTH:
                    self._health[record.subject].append(record)
        rule = self._policy.health_endpoints[endpoint]
        return [read_health(one, rule) for one in self._health[endpoint]]

    def _sweep_records(self) -> list[Record]:
        """What the controller wrote before the checks began, one file for all processes."""
        if self._swept is None:
            self._swept = list(read_journal(self.beginning.sweep))
        return self._swept

    def _waiver_of(self, check: PlannedCheck) -> WaiverRule | None:
        return waiver_on(self._policy, check, self.beginning.day)

    def take_recordings(self, report: pytest.TestReport, *, below: Path) -> None:
        """What pytest-playwright recorded of a check is shown without secrets.

        Args:
            report: The check's last one.
            below: What paths in it are relative to.
        """
        traces = self.beginning.traces
        taken = take_recordings(report, traces, self.redactor.redact, below=below)
        self._traces += attach(report, taken, self.redactor.redact)

    def finish_report(self, report: pytest.TestReport) -> None:
        """Weigh a failure by its severity, and take every secret out, before anyone reads it."""
        check = self.plan.get(report.nodeid)
        if check is not None and report.failed:
            self._weigh(check, report)
        elif check is not None and report.when == "setup" and report.skipped:
            if self._undone or (self._dead and self.why_not_run(report.nodeid)):
                report.told_as = Outcome.NOT_RUN.value  # type: ignore[attr-defined]  # ours
        elif report.when == "call" and report.passed and self.warnings:
            _tell_not_red(report, Outcome.WARNED, "; ".join(self.warnings))
        elif check is not None and check.subject and report.when == "call" and report.passed:
            attempts = self._attempts_at(check.subject)
            bad = [one for one in attempts if one.reading is Reading.BAD]
            if bad:
                report.flaky = (  # type: ignore[attr-defined]  # ours
                    f"failed {len(bad)} of {len(attempts)} attempts: {bad[-1].why}"
                )
        self._show(report)
        redact_report(report, self.redactor.redact)

    def _weigh(self, check: PlannedCheck, report: pytest.TestReport) -> None:
        """A failure that was accepted, or that only warns, is told as that."""
        waiver = self._waiver_of(check)
        if waiver:
            waived = f"waived until {waiver.expires} by {waiver.owner} ({waiver.reason})"
            _tell_not_red(report, Outcome.WAIVED, f"{waived}: {failure_message(report)}")
        elif check.severity is not Severity.CRITICAL and report.when == "call":
            text = f"{check.severity}: {failure_message(report)}"
            _tell_not_red(report, Outcome.WARNED, text)

    def _show(self, report: pytest.TestReport) -> None:
        """Have a failure's report show what the check saw."""
        self.is_failing = self.is_failing or report.failed
        if report.failed or (self.is_failing and report.when == "teardown"):
            self._traces += attach(report, self.attachments, self.redactor.redact)
            self.attachments.clear()
        if report.when == "teardown":
            # The one report whose properties pytest's JUnit writes.
            report.user_properties += [("trace", address) for address in self._traces]


def _is_of_transport(kind: type[BaseException]) -> bool:
    """Whether an error is one of httpx's for a request without an answer, known by name."""
    return any(base.__name__ == "TransportError" for base in kind.__mro__)


def _tell_not_red(report: pytest.TestReport, outcome: Outcome, text: str) -> None:
    """Make a failure an expected one for pytest's own reports: told, and not red."""
    report.wasxfail = text
    report.outcome = "skipped"
    report.told_as = outcome.value  # type: ignore[attr-defined]  # ours; xdist sends it along
