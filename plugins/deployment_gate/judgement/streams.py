"""What a trigger's indicator says of the evidence: each subject's readings, in order of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from deployment_gate.environment import (
    Category,
    Consecutive,
    IndicatorKind,
    Policy,
    TriggerRule,
)
from deployment_gate.evidence import (
    Baseline,
    CheckOutcome,
    Evidence,
    Observation,
    ObservationKind,
    Outcome,
    PlannedCheck,
    Severity,
)
from deployment_gate.judgement.control import blind_spans
from deployment_gate.judgement.findings import JudgedFinding, by_check, is_told, weigh_evidence
from deployment_gate.judgement.indicators import GOOD, Judged, Reading, read_indicator
from deployment_gate.judgement.waivers import waiver_on


class Seen(NamedTuple):
    """What an indicator says of one observation, and when that was.

    What was bad while a control failed is blind: it doesn't count, and isn't forgotten either.
    """

    at: datetime
    judged: Judged
    is_blind: bool = False


def trigger_of_check(policy: Policy, check: PlannedCheck) -> TriggerRule | None:
    """The trigger that counts a check's attempts: the one it names, or that of its category.

    A check about a health endpoint is none of them: its trigger counts what the sweep saw. Neither
    is one that only warns, unless it names a trigger.
    """
    if check.subject is not None or check.left_out is not None:
        return None
    if check.trigger is not None:
        return next((rule for rule in policy.triggers if rule.name == check.trigger), None)
    if check.severity is not Severity.CRITICAL:
        return None
    for rule in policy.triggers:
        indicator = rule.condition.indicator
        is_for_category = (
            check.category == Category.HEALTH
            if indicator.kind is IndicatorKind.HEALTH
            else indicator.kind is IndicatorKind.CHECK and indicator.category == check.category
        )
        if is_for_category and isinstance(rule.condition, Consecutive):
            return rule
    return None


def can_be_judged(rule: TriggerRule, policy: Policy, evidence: Evidence) -> bool:
    """Whether a run can see anything that the rule reads."""
    if rule.condition.indicator.kind not in {IndicatorKind.HEALTH, IndicatorKind.CHECK}:
        return True
    if rule.condition.indicator.kind is IndicatorKind.HEALTH and policy.health_endpoints:
        return True
    return bool(_counted_checks(rule, policy, evidence))


def streams_of(rule: TriggerRule, policy: Policy, evidence: Evidence) -> Mapping[str, list[Seen]]:
    """Each subject's readings by the rule's indicator.

    What is bad counts as unobserved while a control says that the runner was blind. What was so
    before the deploy isn't its doing, and is left out.
    """
    streams: defaultdict[str, list[Seen]] = defaultdict(list)
    indicator = rule.condition.indicator
    spans = blind_spans(evidence.observations, indicator)
    for observation in evidence.observations:
        if not rule.is_about(observation.subject) or was_so_before(observation, evidence.before):
            continue
        judged = read_indicator(indicator, observation, policy)
        if judged is not None:
            streams[observation.subject].append(Seen(observation.at, judged))
    for check, stream in _attempts(rule, policy, evidence):
        streams[check] = stream
    for stream in streams.values() if spans else ():
        for number, (at, judged, _) in enumerate(stream):
            if judged.reading is Reading.BAD:
                why = next((span.why for span in spans if span.covers(at)), None)
                if why:
                    unseen = Judged(Reading.UNOBSERVED, f"{judged.why}; {why}")
                    stream[number] = Seen(at, unseen, is_blind=True)
    return streams


def was_so_before(observation: Observation, before: Baseline | None) -> bool:
    """Whether what was looked at, or the check that asked, was unwell before the deploy."""
    if before is None:
        return False
    if observation.kind is ObservationKind.HEALTH:
        return observation.subject in before.unwell
    return observation.check in before.failed


def _attempts(
    rule: TriggerRule, policy: Policy, evidence: Evidence
) -> Iterator[tuple[str, list[Seen]]]:
    """Each check whose attempts the rule counts, with how they ended."""
    if rule.condition.indicator.kind not in {IndicatorKind.HEALTH, IndicatorKind.CHECK}:
        return
    counted = _counted_checks(rule, policy, evidence)
    counted.difference_update(evidence.before.failed if evidence.before else ())
    if not counted:
        return
    attempts: defaultdict[str, list[Seen]] = defaultdict(list)
    for one in evidence.observations:
        if one.kind is ObservationKind.CHECK and one.subject in counted:
            attempts[one.subject].append(Seen(one.at, _read_attempt(one)))
    # Of a check that passed at once, and of one that no trigger counted, only the outcome is kept.
    for outcome in evidence.outcomes:
        if outcome.id in counted and outcome.id not in attempts:
            attempts[outcome.id].append(Seen(outcome.at, _read_outcome(outcome)))
    found = by_check(weigh_evidence(policy, evidence))
    for check, stream in attempts.items():
        yield check, _by_findings(stream, found.get(check, []))


def _by_findings(stream: list[Seen], found: Sequence[JudgedFinding]) -> list[Seen]:
    """Attempts at a check that found something: critical findings are bad, and no others.

    What was found is judged by this policy, and not by that of the run.
    """
    counted = next((one for one in found if one.is_counted), None)
    if counted is None:
        return [
            Seen(at, GOOD) if is_told(judged.why, found) else Seen(at, judged, is_blind)
            for at, judged, is_blind in stream
        ]
    if stream[-1].judged.reading is Reading.BAD:
        return stream
    return [*stream, Seen(stream[-1].at, Judged(Reading.BAD, counted.finding.sentence))]


def _counted_checks(rule: TriggerRule, policy: Policy, evidence: Evidence) -> set[str]:
    """The checks whose attempts the rule counts, without those whose failure is accepted."""
    day = evidence.run.started.date()
    return {
        check.id
        for check in evidence.to_run
        if trigger_of_check(policy, check) == rule and waiver_on(policy, check, day) is None
    }


def _read_attempt(attempt: Observation) -> Judged:
    if attempt.unobserved:
        return Judged(Reading.UNOBSERVED, attempt.unobserved)
    return Judged(Reading.BAD, attempt.error) if attempt.error else GOOD


def _read_outcome(outcome: CheckOutcome) -> Judged:
    if outcome.outcome in {Outcome.PASSED, Outcome.FLAKY, Outcome.WARNED}:
        return GOOD
    return Judged(Reading.UNOBSERVED, outcome.message or f"it was {outcome.outcome}")


def readings(
    stream: Iterable[Seen], *, blind_is: Reading = Reading.UNOBSERVED
) -> list[tuple[datetime, Reading]]:
    """The readings of a stream alone, each with when it was.

    Args:
        stream: What was seen.
        blind_is: What counts for a bad reading of a time in which the runner was blind.
    """
    return [(seen.at, blind_is if seen.is_blind else seen.judged.reading) for seen in stream]


def bad_of(stream: Sequence[Seen]) -> list[Judged]:
    """The bad readings of a stream."""
    return [seen.judged for seen in stream if seen.judged.reading is Reading.BAD]
