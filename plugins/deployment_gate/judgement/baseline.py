"""What a run before the deploy says of the one after it."""

from __future__ import annotations

from deployment_gate.environment import Policy
from deployment_gate.evidence import Baseline, Evidence, Observation, ObservationKind
from deployment_gate.judgement.checks import count_errors, failed_checks
from deployment_gate.judgement.indicators import Reading, read_health


def baseline_of(policy: Policy, evidence: Evidence) -> Baseline:
    """What was unwell in a run, so that it isn't blamed on what was deployed after it."""
    last: dict[str, Observation] = {}
    for one in evidence.observations:
        if one.kind is ObservationKind.HEALTH and one.subject in policy.health_endpoints:
            last[one.subject] = one
    answers, errors = count_errors(policy, evidence)
    return Baseline(
        run=evidence.run.id,
        at=evidence.end.at if evidence.end else evidence.run.started,
        release=evidence.run.release,
        failed=tuple(sorted(outcome.id for outcome in failed_checks(evidence))),
        unwell=tuple(
            sorted(
                name
                for name, one in last.items()
                if read_health(one, policy.health_endpoints[name]).reading is Reading.BAD
            )
        ),
        answers=answers,
        errors=errors,
    )
