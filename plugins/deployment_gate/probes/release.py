"""Release identity: which release each replica says it is."""

from __future__ import annotations

import json
from typing import Any

from deployment_gate.environment import ReleaseEndpoint
from deployment_gate.evidence import ObservationKind
from deployment_gate.probes.sampler import Answer, Probe

ATTEMPTS_PER_REPLICA = 6
"""A balancer that picks at random misses one of two replicas in 2 x (1/2)^12 of all runs,
that is once in 2000."""


def release_probes(name: str, endpoint: ReleaseEndpoint) -> list[Probe]:
    """Enough probes to meet every replica behind the endpoint called `name`."""
    probe = Probe(
        subject=name,
        kind=ObservationKind.RELEASE,
        url=endpoint.url,
        timeout_s=endpoint.timeout.total_seconds(),
        needs_own_connection=True,
        read=lambda answer: release_facts(answer, endpoint),
    )
    # Also where one replica is declared: during a rollout there may be an old one beside it.
    return [probe] * (ATTEMPTS_PER_REPLICA * endpoint.replicas)


def release_facts(answer: Answer, endpoint: ReleaseEndpoint) -> dict[str, Any]:
    """The facts in an answer that names its release: `release`, `instance`, `header_release`."""
    facts: dict[str, Any] = {}
    if endpoint.field:
        facts["release"] = _field(answer.body, endpoint.field)
    if endpoint.header:
        facts["header_release"] = answer.headers.get(endpoint.header)
    if endpoint.instance_header:
        facts["instance"] = answer.headers.get(endpoint.instance_header, "")
    return {key: value for key, value in facts.items() if value is not None}


def _field(body: bytes, path: str) -> str | None:
    try:
        value = json.loads(body)
    except ValueError:
        return None
    for key in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value if isinstance(value, str) else None
