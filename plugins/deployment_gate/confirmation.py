"""Confirmation: going on to look at what is suspected, until it is decided or time is up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from deployment_gate.environment import Action, Consecutive, Sustained
from deployment_gate.evidence import ObservationKind
from deployment_gate.judgement import (
    Suspicion,
    TriggerState,
    judge_trigger,
    suspicions,
)

if TYPE_CHECKING:
    from deployment_gate.environment import Policy, TriggerRule
    from deployment_gate.evidence import Evidence, Observation
    from deployment_gate.lookout import Lookout

_NAMED = 3
"""How many suspects the terminal names."""

_QUIET_S = 30.0
"""The terminal tells again after so long how a suspicion stands."""


@dataclass(slots=True)
class _Inquiry:
    """How far the looking into one trigger's suspicion is; moments are of the monotonic clock.

    Attributes:
        due: When it is looked into next; never again once that is infinite.
        until: When time is up; unknown before the first look at a share.
        told: When the terminal said last how it stands.
    """

    due: float
    until: float
    told: float = -math.inf


class Confirmation:
    """Looks again at exactly what is suspected, at its trigger's interval."""

    def __init__(self, policy: Policy, lookout: Lookout, *, say: Callable[[str], None]) -> None:
        self._policy = policy
        self._lookout = lookout
        self._say = say

    def of_attempts(self, evidence: Evidence) -> Evidence:
        """Until each rule on attempts in a row is decided: before there are any other answers."""
        return self._until_decided(evidence, lambda one: _is_of_attempts(one.rule.condition))

    def of_all(self, evidence: Evidence) -> Evidence:
        """Until each rule is decided."""
        return self._until_decided(evidence, lambda _: True)

    def _until_decided(
        self, evidence: Evidence, is_wanted: Callable[[Suspicion], bool]
    ) -> Evidence:
        """The evidence with what was seen meanwhile."""
        inquiries: dict[str, _Inquiry] = {}
        while True:
            seen = {
                _question(one): one
                for one in evidence.observations
                if self._lookout.can_look_at(one)
            }
            pending = {}
            found = suspicions(self._policy, evidence, watched=inquiries)
            for suspicion in filter(is_wanted, found):
                if suspects := _suspects(suspicion, seen.values()):
                    inquiry = inquiries.setdefault(
                        suspicion.rule.name, _begun(suspicion.rule, suspects)
                    )
                    pending[suspicion.rule.name] = inquiry, suspicion, suspects
            due = min((inquiry.due for inquiry, *_ in pending.values()), default=math.inf)
            if math.isinf(due) or self._is_for_rollback(evidence):
                return evidence
            for one in pending.values():
                self._tell(*one)
            time.sleep(max(0.0, due - time.monotonic()))
            now = [one for one in pending.values() if one[0].due <= due]
            asked = {_question(one): one for *_, suspects in now for one in suspects}
            more = self._lookout.look_at(asked.values())
            evidence = replace(evidence, observations=(*evidence.observations, *more))
            for inquiry, suspicion, suspects in now:
                names = {one.subject for one in suspects}
                _plan_next(inquiry, suspicion.rule, [one for one in more if one.subject in names])

    def _is_for_rollback(self, evidence: Evidence) -> bool:
        """Whether it is decided already that what was deployed goes."""
        return any(
            rule.action is Action.ROLLBACK
            and judge_trigger(rule, self._policy, evidence).state is TriggerState.FIRED
            for rule in self._policy.triggers
        )

    def _tell(
        self, inquiry: _Inquiry, suspicion: Suspicion, suspects: Sequence[Observation]
    ) -> None:
        now = time.monotonic()
        if math.isinf(inquiry.due) or now - inquiry.told < _QUIET_S:
            return
        inquiry.told = now
        rule, names = suspicion.rule, sorted({one.subject for one in suspects})
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        left_s = min(inquiry.until - now, rule.timeout_s)
        self._say(
            f"{rule.name} is suspected: {suspicion.why}. Asking {', '.join(names[:_NAMED])}{more} "
            f"again every {rule.interval_s:g} s, for {left_s:.0f} s at most"
        )


def _question(seen: Observation) -> tuple[str | None, ...]:
    """What tells one question from another: of one path with several queries, each is asked."""
    facts = seen.facts
    return seen.kind, seen.subject, facts.get("url"), facts.get("identity")


def _is_of_attempts(condition: Consecutive | Sustained) -> bool:
    return isinstance(condition, Consecutive)


def _suspects(suspicion: Suspicion, seen: Iterable[Observation]) -> list[Observation]:
    """What is to be asked again; attempts in a row are those of health endpoints.

    Nothing where all that was bad can't be asked again, a sign-in say: the others would only make
    its share look smaller.
    """
    is_of_attempts = _is_of_attempts(suspicion.rule.condition)
    suspects = [
        one
        for one in seen
        if one.subject in suspicion.subjects
        and (one.kind is ObservationKind.HEALTH or not is_of_attempts)
    ]
    if is_of_attempts or any(one.subject in suspicion.bad for one in suspects):
        return suspects
    return []


def _begun(rule: TriggerRule, suspects: Sequence[Observation]) -> _Inquiry:
    """An attempt was just made; a share is best looked at from now on without a gap."""
    now = time.monotonic()
    if _is_of_attempts(rule.condition):
        wait_s = max(rule.interval_s, _asked_to_wait_s(suspects))
        return _Inquiry(
            due=now + wait_s if wait_s <= rule.timeout_s else math.inf, until=now + rule.timeout_s
        )
    return _Inquiry(due=now, until=math.inf)


def _plan_next(inquiry: _Inquiry, rule: TriggerRule, seen: Sequence[Observation]) -> None:
    """When to look next: at the interval, and later where an answer asked for that.

    A share is looked at once more when time is up, so that its period is full by then.
    """
    now = time.monotonic()
    if math.isinf(inquiry.until):
        inquiry.until = now + rule.timeout_s
    is_last = inquiry.due >= inquiry.until
    inquiry.due += rule.interval_s
    wait_s = _asked_to_wait_s(seen)
    if wait_s:
        inquiry.due = max(inquiry.due, now + wait_s)
    elif not _is_of_attempts(rule.condition):
        inquiry.due = min(inquiry.due, inquiry.until)
    if is_last or inquiry.due > inquiry.until:
        inquiry.due = math.inf


def _asked_to_wait_s(seen: Iterable[Observation]) -> float:
    """For how long answers asked not to be asked again; 0 where none did."""
    return max((float(one.facts.get("retry_after_s", 0)) for one in seen), default=0.0)
