"""A verdict in the words that every report shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from deployment_gate.environment import Policy
from deployment_gate.evidence import Evidence, Outcome, Run
from deployment_gate.judgement import (
    Decision,
    JudgedFinding,
    Reason,
    Standing,
    TriggerState,
    Verdict,
)
from deployment_gate.reports.limits import Limits

_HEADLINES = {
    Decision.PROMOTE: "PROMOTE",
    Decision.HOLD: "HOLD",
    Decision.ROLLBACK: "ROLL BACK",
}
_NEXT = {
    Decision.PROMOTE: "Promote it: all that this run was to validate is well.",
    Decision.HOLD: (
        "Do not promote, and do not roll back on this alone. Look at the reasons, mend them, "
        "validate again."
    ),
    Decision.ROLLBACK: (
        "Roll back to the previous version now, then validate again to see that it serves."
    ),
}
EXIT_CODES = {Decision.PROMOTE: 0, Decision.HOLD: 1, Decision.ROLLBACK: 10}
"""The contract's; a run of pytest may end with pytest's own, which mean hold, too."""

_PYTESTS_OWN_HOLDS = range(2, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All that a report says of one run.

    Attributes:
        run: Which run it was.
        verdict: What was decided, and why.
        evidence: What it was decided by.
        not_covered: What the environment file doesn't mention, one phrase each.
        health_endpoints: The address of each, by name.
        policy: What it was judged by, where that is at hand.
        limits: What the environment asks for, in figures.
    """

    run: Run
    verdict: Verdict
    evidence: Evidence
    not_covered: tuple[str, ...] = ()
    health_endpoints: Mapping[str, str]
    policy: Policy | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def headline(self) -> str:
        """The decision, to be seen from afar."""
        return _HEADLINES[self.verdict.decision]

    @property
    def subject(self) -> str:
        """What the decision is about."""
        release = f"release {self.run.release}" if self.run.release else "no release named"
        return f"{self.run.environment}, {release}, {self.scope}"

    @property
    def scope(self) -> str:
        """How much of the validation the run was."""
        return f"a selection: {self.run.selection}" if self.run.selection else f"{self.run.tier}"

    @property
    def sentence(self) -> str:
        """The verdict as one sentence."""
        counts = self.verdict.counts
        if self.verdict.decision is Decision.PROMOTE:
            triggers = self.verdict.triggers
            clear = sum(trigger.state is TriggerState.CLEAR for trigger in triggers)
            # Those that only notify, or are beside a selection, need not be.
            share = f"all {clear}" if clear == len(triggers) else f"{clear} of {len(triggers)}"
            passed = counts[Outcome.PASSED] + counts[Outcome.FLAKY]
            return f"{passed} of {self.verdict.planned} checks passed, {share} triggers are clear."
        first = self.verdict.reasons[0].text.rstrip(".")
        more = len(self.verdict.reasons) - 1
        return f"{first}{f', and {more} more' if more else ''}."

    @property
    def next_step(self) -> str:
        """What the reader is to do now."""
        if self.verdict.decision is Decision.PROMOTE and self.run.selection:
            return "What was selected is well. Validate a whole tier before you promote."
        return _NEXT[self.verdict.decision]

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why, worst first."""
        return self.verdict.reasons

    @property
    def findings(self) -> tuple[JudgedFinding, ...]:
        """What checks of security found, the worst first, what is accepted last."""
        return self.verdict.findings

    @property
    def counts(self) -> str:
        """How the checks ended, in one line."""
        parts = [
            f"{self.verdict.counts[outcome]} {outcome.replace('_', ' ')}"
            for outcome in Outcome
            if self.verdict.counts.get(outcome)
        ]
        return f"{', '.join(parts) or 'none reported'}, of {self.verdict.planned}"

    @property
    def ended(self) -> datetime:
        """When the run ended, or began where it never did."""
        return self.evidence.end.at if self.evidence.end else self.run.started

    @property
    def duration_s(self) -> float:
        """How long the run took."""
        return (self.ended - self.run.started).total_seconds()

    @property
    def looked(self) -> str:
        """How much was seen, in how long."""
        return f"{len(self.evidence.observations)} observations in {self.duration_s:.1f} s"

    @property
    def exit_code(self) -> int:
        """What the pipeline sees: the contract's codes, and pytest's own where it failed."""
        own = self.evidence.end.exit_status if self.evidence.end else 1
        if self.verdict.decision is Decision.HOLD and own in _PYTESTS_OWN_HOLDS:
            return own
        return EXIT_CODES[self.verdict.decision]


def standing_of(one: JudgedFinding) -> str:
    """How bad a finding is, and whether it is accepted, in one or two words."""
    severity = one.finding.severity.value
    return f"{severity}, waived" if one.standing is Standing.WAIVED else severity


def places_of(one: JudgedFinding, *, shown: int) -> str:
    """Where something was found, the first places of many."""
    places = one.finding.places
    more = [f"{len(places) - shown} more"] if len(places) > shown else []
    return ", ".join([*places[:shown], *more]) or "no place of its own"


def format_time(moment: datetime) -> str:
    """The one way in which a person is shown a time."""
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
