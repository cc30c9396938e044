"""The verdict: promote, hold or rollback, with the reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from deployment_gate.environment import Action, Policy
from deployment_gate.evidence import Evidence, Outcome
from deployment_gate.judgement.checks import check_notes, check_reasons, plan_reasons
from deployment_gate.judgement.findings import JudgedFinding, weigh_evidence
from deployment_gate.judgement.reasons import Decision, Reason
from deployment_gate.judgement.release import judge_release
from deployment_gate.judgement.states import TriggerState
from deployment_gate.judgement.streams import can_be_judged
from deployment_gate.judgement.triggers import TriggerResult, judge_trigger

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
class Verdict:
    """The judgement of one run's evidence.

    Attributes:
        decision: What the pipeline is to do.
        reasons: Why, worst first; none for a promote.
        notes: What does not decide but should be known.
        triggers: What became of each trigger.
        counts: How many checks ended in which way.
        planned: How many checks were to run.
        findings: What became of each finding of security, the worst first.
    """

    decision: Decision
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
    triggers: tuple[TriggerResult, ...] = ()
    counts: Mapping[Outcome, int] = field(default_factory=dict)
    planned: int = 0
    findings: tuple[JudgedFinding, ...] = ()


def judge(policy: Policy, evidence: Evidence) -> Verdict:
    """Judge `evidence` by `policy`; the same arguments always give the same verdict.

    Fails closed: promote only on complete positive evidence, rollback only on positive
    evidence against the deployment, hold in every other case.
    """
    triggers = tuple(
        judge_trigger(rule, policy, evidence)
        for rule in policy.triggers
        if can_be_judged(rule, policy, evidence)
    )
    release = judge_release(policy, evidence)
    reasons = [
        *_run_reasons(evidence),
        *(Reason(Decision.HOLD, "release", fault) for fault in release.faults),
        *_trigger_reasons(triggers, evidence),
        *check_reasons(policy, evidence),
        *plan_reasons(policy, evidence),
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
        notes=(*_trigger_notes(triggers), *check_notes(policy, evidence)),
        triggers=triggers,
        counts=Counter(outcome.outcome for outcome in evidence.outcomes),
        planned=len(evidence.to_run),
        findings=weigh_evidence(policy, evidence),
    )


def _trigger_reasons(triggers: tuple[TriggerResult, ...], evidence: Evidence) -> Iterator[Reason]:
    for trigger in triggers:
        if trigger.action is Action.NOTIFY:
            continue
        if trigger.state is TriggerState.FIRED:
            if trigger.action is Action.ROLLBACK:
                asked, instead = Decision.ROLLBACK, ""
            else:
                asked, instead = Decision.HOLD, " (it only holds, and would have rolled back)"
            yield Reason(asked, trigger.name, f"{trigger.name} fired: {trigger.why}{instead}")
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


def _objection_to_rollback(evidence: Evidence, *, is_elsewhere: bool) -> str | None:
    if evidence.end is None or evidence.end.exit_status not in ENDED_NORMALLY:
        return "the run did not end normally"
    if is_elsewhere:
        return f"no answer names release {evidence.run.release}, so this isn't its doing"
    return None


def _trigger_notes(triggers: tuple[TriggerResult, ...]) -> Iterator[str]:
    for trigger in triggers:
        if trigger.action is Action.NOTIFY and trigger.state is not TriggerState.CLEAR:
            would = ", and would have rolled back" if trigger.state is TriggerState.FIRED else ""
            yield f"{trigger.name} is {trigger.state} and only notifies{would}: {trigger.why}"
        elif trigger.state is TriggerState.CLEAR and trigger.blips:
            yield f"a blip: {trigger.blips}"
