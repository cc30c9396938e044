"""The verdict: promote, hold or rollback, with the reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from deployment_gate.environment import Action, Policy, Tier
from deployment_gate.evidence import Evidence, Outcome, Severity
from deployment_gate.judgement.release import judge_release
from deployment_gate.judgement.states import TriggerState
from deployment_gate.judgement.triggers import TriggerResult, judge_trigger


class Decision(StrEnum):
    """What the pipeline is to do; the order is how bad it is, and the worst reason wins."""

    PROMOTE = "promote"
    HOLD = "hold"
    ROLLBACK = "rollback"


_BADNESS = list(Decision)
ENDED_NORMALLY = frozenset({0, 1})
"""pytest's exit codes of runs that are whole: all checks passed, or some failed."""

# pytest's documented exit codes; each of these means that the run is no whole one.
_EXIT_MEANINGS = {
    2: "the run was interrupted",
    3: "pytest itself failed with an internal error",
    4: "pytest was called in a way it doesn't understand",
    5: "no check was selected",
    6: "there were more warnings than --max-warnings allows",
}
_TESTS_FAILED = 1


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for the verdict.

    Attributes:
        decision: What this reason alone would lead to.
        rule: Which rule it comes from: a trigger's name, or `release`, `check`, `plan`, `run`.
        text: The facts, with numbers, as a sentence.
    """

    decision: Decision
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of one run's evidence.

    Attributes:
        decision: What the pipeline is to do.
        reasons: Why, worst first; none for a promote.
        notes: What does not decide but should be known.
        triggers: What became of each trigger.
        counts: How many checks ended in which way.
        planned: How many checks were to run.
    """

    decision: Decision
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
    triggers: tuple[TriggerResult, ...] = ()
    counts: Mapping[Outcome, int] = field(default_factory=dict)
    planned: int = 0


def judge(policy: Policy, evidence: Evidence) -> Verdict:
    """Judge `evidence` by `policy`; the same arguments always give the same verdict.

    Fails closed: promote only on complete positive evidence, rollback only on positive
    evidence against the deployment, hold in every other case.
    """
    triggers = tuple(
        judge_trigger(rule, evidence.observations, policy)
        for rule in policy.triggers
        if policy.can_observe(rule.condition.indicator)
    )
    release = judge_release(policy, evidence)
    reasons = [
        *_run_reasons(evidence),
        *(Reason(Decision.HOLD, "release", fault) for fault in release.faults),
        *_trigger_reasons(triggers, evidence),
        *_check_reasons(evidence),
        *_plan_reasons(policy, evidence),
    ]
    objection = _objection_to_rollback(evidence, is_elsewhere=release.is_elsewhere)
    if objection and any(reason.decision is Decision.ROLLBACK for reason in reasons):
        reasons = [
            Reason(Decision.HOLD, reason.rule, f"{reason.text} (no rollback: {objection})")
            if reason.decision is Decision.ROLLBACK
            else reason
            for reason in reasons
        ]
    # Stable, so that within one decision the order above stays: what decided comes first.
    reasons.sort(key=lambda reason: -_BADNESS.index(reason.decision))
    return Verdict(
        decision=reasons[0].decision if reasons else Decision.PROMOTE,
        reasons=tuple(reasons),
        notes=tuple(_notes(evidence, triggers)),
        triggers=triggers,
        counts=Counter(outcome.outcome for outcome in evidence.outcomes),
        planned=len(evidence.to_run),
    )


def _trigger_reasons(triggers: tuple[TriggerResult, ...], evidence: Evidence) -> Iterator[Reason]:
    for trigger in triggers:
        if trigger.action is Action.NOTIFY:
            continue
        if trigger.state is TriggerState.FIRED:
            asked = Decision.ROLLBACK if trigger.action is Action.ROLLBACK else Decision.HOLD
            yield Reason(asked, trigger.name, f"{trigger.name} fired: {trigger.why}")
        elif trigger.state is TriggerState.SUSPECTED:
            yield Reason(Decision.HOLD, trigger.name, f"{trigger.name} is suspected: {trigger.why}")
        elif trigger.state is TriggerState.UNOBSERVED and not _is_beside_selection(
            trigger, evidence
        ):
            yield Reason(
                Decision.HOLD, trigger.name, f"{trigger.name} is unobserved: {trigger.why}"
            )


def _is_beside_selection(trigger: TriggerResult, evidence: Evidence) -> bool:
    """A selection is judged on what was selected; a whole tier on every trigger."""
    return evidence.run.tier is None and trigger.total == trigger.unobserved == 0


def _run_reasons(evidence: Evidence) -> Iterator[Reason]:
    if evidence.end is None:
        yield Reason(Decision.HOLD, "run", "the run is incomplete: it never reached its end")
        return
    status = evidence.end.exit_status
    if status not in ENDED_NORMALLY:
        meaning = _EXIT_MEANINGS.get(status, "pytest did not end normally")
        yield Reason(Decision.HOLD, "run", f"{meaning} (pytest's exit code {status})")
    ended_as = {outcome.outcome for outcome in evidence.outcomes}
    if status == _TESTS_FAILED and ended_as.isdisjoint({Outcome.FAILED, Outcome.ERROR}):
        text = f"pytest counts a failure that no check reported (pytest's exit code {status})"
        yield Reason(Decision.HOLD, "run", text)
    for trouble in evidence.end.trouble:
        yield Reason(Decision.HOLD, "run", trouble)


def _check_reasons(evidence: Evidence) -> Iterator[Reason]:
    said = {
        Outcome.FAILED: "failed",
        Outcome.ERROR: "could not be carried out",
        Outcome.SKIPPED: "was skipped, and a check that is to run must run",
        Outcome.XFAILED: "failed as it was expected to, and nobody waived it",
        Outcome.XPASSED: "passed against its own expectation",
    }
    for outcome in evidence.outcomes:
        if outcome.outcome in said:
            message = f": {outcome.message}" if outcome.message else ""
            yield Reason(Decision.HOLD, "check", f"{outcome.id} {said[outcome.outcome]}{message}")


def _plan_reasons(policy: Policy, evidence: Evidence) -> Iterator[Reason]:
    reported = {outcome.id: outcome.outcome for outcome in evidence.outcomes}
    missing = [check.id for check in evidence.to_run if check.id not in reported]
    if missing:
        yield Reason(
            Decision.HOLD,
            "plan",
            f"{len(missing)} of {len(evidence.to_run)} checks did not report, "
            f"the first of them {missing[0]}",
        )
    passed = {check.category for check in evidence.plan if reported.get(check.id) is Outcome.PASSED}
    tier = evidence.run.tier
    for category in policy.required[Tier(tier)] if tier else ():
        if category not in passed:
            yield Reason(
                Decision.HOLD, "plan", f"no check of the required category {category!r} passed"
            )
    if not passed:
        yield Reason(Decision.HOLD, "plan", "no check passed, so nothing speaks for promoting")


def _objection_to_rollback(evidence: Evidence, *, is_elsewhere: bool) -> str | None:
    if evidence.end is None or evidence.end.exit_status not in ENDED_NORMALLY:
        return "the run did not end normally"
    if is_elsewhere:
        return f"no answer names release {evidence.run.release}, so this isn't its doing"
    return None


def _notes(evidence: Evidence, triggers: tuple[TriggerResult, ...]) -> Iterator[str]:
    for trigger in triggers:
        if trigger.action is Action.NOTIFY and trigger.state is not TriggerState.CLEAR:
            yield f"{trigger.name} is {trigger.state} and only notifies: {trigger.why}"
        elif trigger.state is TriggerState.CLEAR and trigger.blips:
            yield f"a blip: {trigger.blips}"
    severities: dict[str, Severity] = {check.id: check.severity for check in evidence.plan}
    for outcome in evidence.outcomes:
        if outcome.outcome is Outcome.WARNED:
            severity = severities.get(outcome.id, Severity.WARNING)
            yield f"{severity}: {outcome.id}: {outcome.message}"
