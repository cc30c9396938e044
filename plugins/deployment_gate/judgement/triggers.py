"""Triggers: rules on an indicator's stream that ask for a rollback."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from deployment_gate.environment import (
    Action,
    Consecutive,
    Policy,
    Sustained,
    TriggerRule,
    percent,
)
from deployment_gate.evidence import Observation
from deployment_gate.judgement.confidence import is_surely_above
from deployment_gate.judgement.indicators import Judged, Reading, read_indicator


class TriggerState(StrEnum):
    """What a trigger's rule says of the evidence; the order is how bad it is."""

    CLEAR = "clear"
    UNOBSERVED = "unobserved"
    SUSPECTED = "suspected"
    FIRED = "fired"


_BADNESS = list(TriggerState)


@dataclass(frozen=True, slots=True)
class TriggerResult:
    """What became of one trigger.

    Attributes:
        name: The trigger's name in the environment file.
        state: What its rule says.
        action: What it asks for when it fires.
        phrase: Its condition, as the environment file words it.
        why: The numbers against their limit.
        bad: How many observations were bad.
        total: How many were good or bad.
        unobserved: How many were neither.
        blips: Which subjects failed and then answered well, for a rule that is clear.
    """

    name: str
    state: TriggerState
    action: Action
    phrase: str
    why: str
    bad: int
    total: int
    unobserved: int = 0
    blips: str = ""


@dataclass(frozen=True, slots=True)
class _Decided:
    """A rule's state, and the numbers behind it."""

    state: TriggerState
    why: str


def judge_trigger(
    rule: TriggerRule, observations: Iterable[Observation], policy: Policy
) -> TriggerResult:
    """What `rule` says of the observations, which are in the order of time."""
    streams = _streams(rule, observations, policy)
    readings = [judged.reading for stream in streams.values() for judged in stream]
    bad = readings.count(Reading.BAD)
    unobserved = readings.count(Reading.UNOBSERVED)
    total = len(readings) - unobserved
    blips = ""
    match rule.condition:
        case Consecutive(count=count):
            blips = _blips(streams)
            decided = _worst(
                _consecutive(subject, stream, count) for subject, stream in streams.items()
            )
        case Sustained():
            decided = _sustained(rule.condition, bad, total)
    return TriggerResult(
        name=rule.name,
        state=decided.state,
        action=rule.action,
        phrase=rule.phrase,
        why=decided.why,
        bad=bad,
        total=total,
        unobserved=unobserved,
        blips=blips,
    )


def undecided_subjects(policy: Policy, observations: Sequence[Observation]) -> set[str]:
    """The subjects of which one more look may fire or clear a consecutive trigger."""
    return {
        subject
        for rule in policy.triggers
        if isinstance(rule.condition, Consecutive)
        for subject, stream in _streams(rule, observations, policy).items()
        if _consecutive(subject, stream, rule.condition.count).state is TriggerState.SUSPECTED
    }


def _streams(
    rule: TriggerRule, observations: Iterable[Observation], policy: Policy
) -> Mapping[str, list[Judged]]:
    """Each subject's readings by the rule's indicator."""
    streams: defaultdict[str, list[Judged]] = defaultdict(list)
    for observation in observations:
        judged = read_indicator(rule.condition.indicator, observation, policy)
        if judged is not None:
            streams[observation.subject].append(judged)
    return streams


def _consecutive(subject: str, stream: Sequence[Judged], count: int) -> _Decided:
    """The n-th bad reading in a row fires; a good one resets, an unobserved one does neither."""
    streak = 0
    why = ""
    for judged in stream:
        if judged.reading is Reading.GOOD:
            streak = 0
        elif judged.reading is Reading.BAD:
            streak += 1
            why = judged.why
        if streak == count:
            return _Decided(TriggerState.FIRED, f"{subject} failed {count} times in a row: {why}")
    if streak:
        return _Decided(
            TriggerState.SUSPECTED,
            f"{subject} failed {streak} of {count} times in a row: {why}",
        )
    if stream[-1].reading is Reading.UNOBSERVED:
        return _Decided(TriggerState.UNOBSERVED, f"{subject}: {stream[-1].why}")
    return _Decided(TriggerState.CLEAR, "")


def _blips(streams: Mapping[str, Sequence[Judged]]) -> str:
    """Subjects with a bad reading, each with how often and why."""
    failures = {
        subject: [judged for judged in stream if judged.reading is Reading.BAD]
        for subject, stream in streams.items()
    }
    return "; ".join(
        f"{subject} failed {len(bad)} of {len(streams[subject])} attempts: {bad[-1].why}"
        for subject, bad in failures.items()
        if bad
    )


def _sustained(condition: Sustained, bad: int, total: int) -> _Decided:
    """What a run that is shorter than the period can say: clear, or suspected."""
    if total == 0:
        return _Decided(TriggerState.UNOBSERVED, "nothing was observed that it could be judged by")
    share = percent(round(bad / total, 4))
    numbers = f"{bad} of {total} ({share}) against a limit of {percent(condition.limit)}"
    if is_surely_above(bad, total, condition.limit):
        return _Decided(
            TriggerState.SUSPECTED,
            f"{numbers}; not watched for its whole period of {condition.period_s:g} s",
        )
    return _Decided(TriggerState.CLEAR, numbers)


def _worst(decided: Iterable[_Decided]) -> _Decided:
    """The worst state with all that is in it; nothing observed is unobserved."""
    by_state: defaultdict[TriggerState, list[str]] = defaultdict(list)
    for one in decided:
        by_state[one.state].append(one.why)
    if not by_state:
        return _Decided(TriggerState.UNOBSERVED, "nothing was observed that it could be judged by")
    state = max(by_state, key=_BADNESS.index)
    whys = [why for why in by_state[state] if why]
    shown = whys[:3] + ([f"and {len(whys) - 3} more"] if len(whys) > 3 else [])  # noqa: PLR2004
    return _Decided(state, "; ".join(shown))
