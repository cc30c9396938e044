"""Release identity: whether the release that was validated is the one that serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deployment_gate.environment import Policy
from deployment_gate.evidence import Evidence, Observation, ObservationKind


@dataclass(frozen=True, slots=True)
class ReleaseFinding:
    """What the release probes showed.

    Attributes:
        faults: Why the release is not proven to serve everywhere, one sentence each.
        is_elsewhere: Whether every answer names another release, so that nothing that was
            seen speaks against the one that was to be validated.
    """

    faults: tuple[str, ...] = ()
    is_elsewhere: bool = False


def judge_release(policy: Policy, evidence: Evidence) -> ReleaseFinding:
    """Hold every answer of every replica against the release that must be running."""
    expected = evidence.run.release
    if expected is None:
        return ReleaseFinding()
    if not policy.identities:
        fault = (
            f"nothing says where release {expected} would name itself. "
            "Write a `release_identity` section into the environment file"
        )
        return ReleaseFinding((fault,))
    faults: list[str] = []
    named: set[str] = set()
    for name, replicas in policy.identities.items():
        seen = [
            observation
            for observation in evidence.observations
            if observation.kind is ObservationKind.RELEASE and observation.subject == name
        ]
        named |= {release for one in seen for release in _releases(one)}
        faults += _faults(name, expected, replicas, seen)
    return ReleaseFinding(tuple(faults), is_elsewhere=bool(named) and expected not in named)


def _faults(name: str, expected: str, replicas: int, seen: Sequence[Observation]) -> list[str]:
    if not seen:
        return [f"{name} was not asked for its release"]
    faults = []
    others = sorted({release for one in seen for release in _releases(one)} - {expected})
    for other in others:
        where = sorted(
            {
                f" on {one.facts['instance']}"
                for one in seen
                if other in _releases(one) and one.facts.get("instance")
            }
        )
        faults.append(f"release {other} still serves: {name}{','.join(where)}")
    silent = [one for one in seen if not _releases(one)]
    if silent:
        first = silent[0]
        why = first.unobserved or first.error or f"answered {first.status} without naming one"
        faults.append(f"{name} did not name its release {len(silent)} of {len(seen)} times: {why}")
    instances = {one.facts["instance"] for one in seen if "instance" in one.facts}
    if "" in instances:
        faults.append(f"{name} does not say which of its replicas answers")
    elif instances and len(instances) < replicas:
        faults.append(f"only {len(instances)} of {replicas} replicas of {name} answered")
    return faults


def _releases(observation: Observation) -> set[str]:
    return {
        str(observation.facts[key])
        for key in ("release", "header_release")
        if key in observation.facts
    }
