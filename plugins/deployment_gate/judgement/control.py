"""When this runner was blind: something that always answers did not, so nothing else counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from deployment_gate.environment import Indicator, IndicatorKind
from deployment_gate.evidence import Observation, ObservationKind

_FIRST_REFUSAL = 400
_BUSY_SHARE = 4
"""A runner whose own loopback takes a quarter of what would be slow can't tell what is slow."""


@dataclass(frozen=True, slots=True)
class BlindSpan:
    """A time in which a control didn't answer.

    Attributes:
        after: When it had last answered; None where it never had.
        until: When it answered again; None where it never did.
        why: Which control it was, and what it said.
    """

    after: datetime | None
    until: datetime | None
    why: str

    def covers(self, moment: datetime) -> bool:
        """Whether something that was seen at a moment was seen blindly."""
        return (self.after is None or self.after < moment) and (
            self.until is None or moment < self.until
        )


def blind_spans(observations: Iterable[Observation], indicator: Indicator) -> Sequence[BlindSpan]:
    """When nothing that `indicator` reads as bad speaks against the target.

    A control that failed tells nothing of when it began to, so a span reaches from the last
    answer that was well to the next one.

    Args:
        observations: All that was seen, in the order of time.
        indicator: For one that reads how fast answers are, a slow control is a failed one.
    """
    by_control: defaultdict[str, list[Observation]] = defaultdict(list)
    for observation in observations:
        if observation.kind is ObservationKind.CONTROL:
            by_control[observation.subject].append(observation)
    spans = []
    for control, seen in by_control.items():
        well_at: datetime | None = None
        failed: str | None = None
        for observation in seen:
            fault = _fault(observation, indicator)
            if fault is None and failed is not None:
                spans.append(BlindSpan(well_at, observation.at, failed))
            if fault is None:
                well_at, failed = observation.at, None
            else:
                failed = failed or f"the control {control} {fault} at {observation.at:%H:%M:%S} UTC"
        if failed is not None:
            spans.append(BlindSpan(well_at, None, failed))
    return spans


def _fault(observation: Observation, indicator: Indicator) -> str | None:
    """What is wrong with a control's answer, or None."""
    if observation.error or observation.unobserved:
        return f"gave no answer ({observation.error or observation.unobserved})"
    if observation.status is not None and observation.status >= _FIRST_REFUSAL:
        return f"answered {observation.status}"
    limit_s = (indicator.threshold_s or 0) / _BUSY_SHARE
    if (
        indicator.kind is IndicatorKind.SLOW
        and observation.facts.get("is_own")
        and observation.duration_s > limit_s
    ):
        return f"took {observation.duration_s:.3g} s"
    return None
