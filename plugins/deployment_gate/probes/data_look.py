"""What one look at a database or a cache becomes: an observation without its secrets."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from deployment_gate.environment import CacheTarget, DatabaseTarget
from deployment_gate.evidence import Observation, ObservationKind, Redactor
from deployment_gate.probes.blame import Blame


def observe_look(
    kind: ObservationKind,
    name: str,
    target: CacheTarget | DatabaseTarget,
    look: Callable[[dict[str, Any]], Blame],
) -> Observation:
    """Look at a target and write down what was seen.

    Args:
        kind: What the target is.
        name: Its name in the environment file.
        target: Its section, whose address has the secrets.
        look: Puts the facts where it is told to, those it got before a failure as well, and says
            whose a failure is.
    """
    at = datetime.now(UTC)
    started = time.perf_counter()
    facts: dict[str, Any] = {}
    why = look(facts)
    redact = Redactor(target.url.secrets()).redact
    return Observation(
        at=at,
        kind=kind,
        subject=name,
        duration_s=round(time.perf_counter() - started, 6),
        error=why.error and redact(why.error),
        unobserved=why.unobserved and redact(why.unobserved),
        facts=facts,
    )
