"""Triggers: rules on an indicator's stream that ask for a rollback."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain

from deployment_gate.environment import (
    Action,
    Consecutive,
    Decide,
    Over,
    Policy,
    Sustained,
    TriggerRule,
)
from deployment_gate.evidence import Evidence
from deployment_gate.judgement.indicators import Reading
from deployment_gate.judgement.states import Decided, TriggerState, worst
from deployment_gate.judgement.streams import Seen, bad_of, can_be_judged, readings, streams_of
from deployment_gate.judgement.windows import SustainedRule, is_surely_clear, sustained


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
class Suspicion:
    """A trigger that more observations may decide.

    Attributes:
        rule: The trigger.
        subjects: What must be looked at again.
        bad: Those of them that were bad.
        why: The numbers so far.
    """

    rule: TriggerRule
    subjects: frozenset[str]
    bad: frozenset[str]
    why: str


def judge_trigger(rule: TriggerRule, policy: Policy, evidence: Evidence) -> TriggerResult:
    """What `rule` says of the evidence, whose observations are in the order of time."""
    streams = streams_of(rule, policy, evidence)
    seen = [one.judged.reading for stream in streams.values() for one in stream]
    unobserved = seen.count(Reading.UNOBSERVED)
    decided = _decide(rule, streams)
    return TriggerResult(
        name=rule.name,
        state=decided.state,
        action=rule.action,
        phrase=rule.phrase,
        why=decided.why,
        bad=seen.count(Reading.BAD),
        total=len(seen) - unobserved,
        unobserved=unobserved,
        blips=_blips(streams, evidence) if isinstance(rule.condition, Consecutive) else "",
    )


def suspicions(
    policy: Policy, evidence: Evidence, *, watched: Collection[str] = ()
) -> tuple[Suspicion, ...]:
    """What isn't decided and would lead to more than a note, with the subjects to look at again.

    Those that refused to be asked so often are to be asked later, too.
    A share of all subjects is looked into by asking all of them: those alone that were bad would
    make it look larger than it is. A share that was suspected stays so until it is surely below
    its limit: by chance it dips below it soon.

    Args:
        policy: Whose triggers.
        evidence: What was seen so far.
        watched: The triggers, by name, that were suspected before.
    """
    found = []
    limited = _limited(evidence)
    for rule in policy.triggers:
        if rule.action is Action.NOTIFY or not can_be_judged(rule, policy, evidence):
            continue
        streams = streams_of(rule, policy, evidence)
        decided = _decide(rule, streams)
        is_watched = rule.name in watched
        if isinstance(rule.condition, Sustained) and rule.over is Over.ALL:
            subjects = frozenset(streams if _is_open(rule, streams, is_watched=is_watched) else ())
        else:
            subjects = frozenset(
                subject
                for subject, stream in streams.items()
                if _is_open(rule, {subject: stream}, is_watched=is_watched)
                or (subject in limited and isinstance(rule.condition, Consecutive))
            )
        if subjects and decided.state is not TriggerState.FIRED:
            bad = frozenset(one for one in subjects if bad_of(streams[one]))
            found.append(Suspicion(rule, subjects, bad, decided.why))
    return tuple(found)


def _is_open(rule: TriggerRule, streams: Mapping[str, Sequence[Seen]], *, is_watched: bool) -> bool:
    """Whether more observations may lead to something else."""
    state = _decide(rule, streams).state
    if state is TriggerState.UNOBSERVED and is_watched:
        return True
    if state is TriggerState.CLEAR and is_watched and isinstance(rule.condition, Sustained):
        seen = readings(chain.from_iterable(streams.values()))
        return any(map(bad_of, streams.values())) and not is_surely_clear(
            seen, _surely(rule, rule.condition)
        )
    return state is TriggerState.SUSPECTED


def _limited(evidence: Evidence) -> set[str]:
    """Subjects that last answered that they are asked too often, and may answer later."""
    last = {one.subject: one.status for one in evidence.observations}
    return {subject for subject, status in last.items() if status == HTTPStatus.TOO_MANY_REQUESTS}


def _decide(rule: TriggerRule, streams: Mapping[str, Sequence[Seen]]) -> Decided:
    match rule.condition:
        case Consecutive(count=count):
            return worst(
                _consecutive(subject, stream, count) for subject, stream in streams.items()
            )
        case Sustained():
            return _sustained(rule, rule.condition, streams)


def _consecutive(subject: str, stream: Sequence[Seen], count: int) -> Decided:
    """The n-th bad reading in a row fires; a good one resets, an unobserved one does neither."""
    streak = 0
    why = ""
    for _, judged, _ in stream:
        if judged.reading is Reading.GOOD:
            streak = 0
        elif judged.reading is Reading.BAD:
            streak += 1
            why = judged.why
        if streak == count:
            return Decided(TriggerState.FIRED, f"{subject} failed {count} times in a row: {why}")
    if streak:
        return Decided(
            TriggerState.SUSPECTED,
            f"{subject} failed {streak} of {count} times in a row: {why}",
        )
    last = stream[-1].judged
    if last.reading is Reading.UNOBSERVED:
        return Decided(TriggerState.UNOBSERVED, f"{subject}: {last.why}")
    return Decided(TriggerState.CLEAR, "")


def _blips(streams: Mapping[str, Sequence[Seen]], evidence: Evidence) -> str:
    """Subjects with a bad reading, each with how often and why; checks are told as flaky ones."""
    checks = {check.id for check in evidence.plan}
    failures = {
        subject: bad_of(stream) for subject, stream in streams.items() if subject not in checks
    }
    return "; ".join(
        f"{subject} failed {len(bad)} of {len(streams[subject])} attempts: {bad[-1].why}"
        for subject, bad in failures.items()
        if bad
    )


def _sustained(
    rule: TriggerRule, condition: Sustained, streams: Mapping[str, Sequence[Seen]]
) -> Decided:
    """Judge all subjects as one stream, or each by itself, of which the worst decides."""
    surely = _surely(rule, condition)
    if rule.over is Over.ALL:
        return _share([*chain.from_iterable(streams.values())], surely)
    by_subject = {subject: _share(stream, surely) for subject, stream in streams.items()}
    return worst(
        Decided(decided.state, f"{subject}: {decided.why}")
        for subject, decided in by_subject.items()
    )


def _share(stream: Sequence[Seen], rule: SustainedRule) -> Decided:
    """What was bad while the runner was blind fires nothing, and clears nothing either."""
    decided = sustained(readings(stream), rule)
    blind = next((seen for seen in stream if seen.is_blind), None)
    if blind is None or decided.state is not TriggerState.CLEAR:
        return decided
    counted = sustained(readings(stream, blind_is=Reading.BAD), rule)
    if counted.state is TriggerState.CLEAR:
        return decided
    return Decided(TriggerState.UNOBSERVED, blind.judged.why)


def _surely(rule: TriggerRule, condition: Sustained) -> SustainedRule:
    is_early = rule.decide is Decide.EARLY
    return SustainedRule(condition, rule.samples, rule.confidence, is_early=is_early)
