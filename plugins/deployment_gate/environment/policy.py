"""The part of an environment that judges, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase

from deployment_gate.environment.fields import Content, Tier
from deployment_gate.environment.model import Environment
from deployment_gate.environment.policy_sections import is_pattern_of
from deployment_gate.environment.security_sections import HoldsFrom
from deployment_gate.environment.terms import (
    Action,
    Condition,
    Decide,
    Over,
)


@dataclass(frozen=True, slots=True)
class TriggerRule:
    """A rollback trigger; `phrase` is its condition as written, `source` its "file:line".

    For a share, it takes so many `samples` at least, and a `confidence`, a fraction, to be surely
    above its limit; `over` says whether it is of all subjects together or of each, and `decide`
    whether it may be decided before its period is full. `endpoints` are patterns of the subjects
    that it is about; without any it is about all.
    """

    name: str
    condition: Condition
    action: Action
    timeout_s: float
    interval_s: float
    samples: int
    confidence: float
    over: Over
    phrase: str
    source: str
    decide: Decide = Decide.FULL
    endpoints: tuple[str, ...] = ()

    def is_about(self, subject: str) -> bool:
        """Whether a subject, or the path of one that is a request, is one of its endpoints."""
        if not self.endpoints:
            return True
        names = {subject, subject.partition(" ")[2]}
        return any(fnmatchcase(name, one) for one in self.endpoints for name in names)

    def sentence(self) -> str:
        """Say what the trigger does, and when."""
        does = {
            Action.ROLLBACK: "rolls back",
            Action.HOLD: "holds",
            Action.NOTIFY: "only notifies",
        }
        where = f", at {' or '.join(self.endpoints)}" if self.endpoints else ""
        return f"{does[self.action]} when {self.condition.sentence()}{where}"


@dataclass(frozen=True, slots=True)
class HealthRule:
    """What a healthy answer of an endpoint is."""

    expected_statuses: frozenset[int]
    timeout_s: float
    content: Content | None
    may_be_page: bool


@dataclass(frozen=True, slots=True)
class WaiverRule:
    """What is accepted up to and including a day.

    Checks by a pattern of ids, or findings by a rule's id or by one's fingerprint, everywhere or
    at places by a pattern.
    """

    check: str
    reason: str
    owner: str
    expires: date
    finding: str = ""
    place: str = "*"

    def is_about(self, check: str) -> bool:
        """Whether a check's id is one of those."""
        return bool(self.check) and is_pattern_of(self.check, check)

    def is_about_finding(self, *, rule: str, fingerprint: str) -> bool:
        """Whether a finding is one of those, somewhere."""
        return bool(self.finding) and self.finding in {rule, fingerprint}

    def covers(self, place: str) -> bool:
        """Whether a place of such a finding is one of those."""
        return is_pattern_of(self.place, place)

    def named(self) -> str:
        """What is accepted, in a few words."""
        at = f" at {self.place}" if self.finding and self.place != "*" else ""
        return f"{self.check or self.finding}{at}"


@dataclass(frozen=True, slots=True)
class Policy:
    """What an environment's runs are judged by.

    Triggers, health rules, replicas of each deployable, required categories by tier, waivers, what
    flaky checks mean, and from which severity on a finding holds.
    """

    triggers: tuple[TriggerRule, ...]
    health_endpoints: Mapping[str, HealthRule]
    identities: Mapping[str, int]
    required: Mapping[Tier, tuple[str, ...]]

    waivers: tuple[WaiverRule, ...] = ()
    flaky_checks_hold: bool = False
    holds_from: HoldsFrom = HoldsFrom.MEDIUM


def policy_of(environment: Environment) -> Policy:
    """Answer the policy that an environment's runs are judged by."""
    usual_interval = environment.sampler.interval
    return Policy(
        triggers=tuple(
            TriggerRule(
                name=name,
                condition=trigger.condition,
                action=trigger.action,
                timeout_s=trigger.timeout.total_seconds(),
                interval_s=(trigger.interval or usual_interval).total_seconds(),
                samples=trigger.samples,
                confidence=float(Decimal(str(trigger.confidence)) / 100),
                over=trigger.over,
                decide=trigger.decide,
                endpoints=trigger.endpoints,
                phrase=trigger.condition.text,
                source=environment.source_of("rollback_triggers", name, "condition"),
            )
            for name, trigger in environment.rollback_triggers.items()
        ),
        health_endpoints={
            name: HealthRule(
                expected_statuses=endpoint.expected_status,
                timeout_s=endpoint.timeout.total_seconds(),
                content=endpoint.content,
                may_be_page=endpoint.may_be_page,
            )
            for name, endpoint in environment.health_endpoints.items()
        },
        identities={
            name: endpoint.replicas for name, endpoint in environment.release_identity.items()
        },
        required={tier: environment.required_categories(tier) for tier in Tier},
        waivers=tuple(
            WaiverRule(
                check=one.check or "",
                finding=one.finding or "",
                place=one.place,
                reason=one.reason,
                owner=one.owner,
                expires=one.expires,
            )
            for one in environment.waivers
        ),
        flaky_checks_hold=environment.flaky_checks_hold,
        holds_from=environment.security.holds_from,
    )
