"""The part of an environment that judges, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from deployment_gate.environment.fields import Content, Tier
from deployment_gate.environment.model import Environment
from deployment_gate.environment.terms import Action, Condition, Indicator, IndicatorKind, Over


@dataclass(frozen=True, slots=True)
class TriggerRule:
    """A rollback trigger; `phrase` is its condition as written, `source` its "file:line".

    For a share, it takes so many `samples` at least, and a `confidence`, a fraction, to be surely
    above its limit; `over` says whether it is of all subjects together or of each.
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

    def sentence(self) -> str:
        """Say what the trigger does, and when."""
        does = {
            Action.ROLLBACK: "rolls back",
            Action.HOLD: "holds",
            Action.NOTIFY: "only notifies",
        }
        return f"{does[self.action]} when {self.condition.sentence()}"


@dataclass(frozen=True, slots=True)
class HealthRule:
    """What a healthy answer of an endpoint is."""

    expected_statuses: frozenset[int]
    timeout_s: float
    content: Content | None
    may_be_page: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """Triggers, health rules, replicas of each deployable, and required categories by tier."""

    triggers: tuple[TriggerRule, ...]
    health_endpoints: Mapping[str, HealthRule]
    identities: Mapping[str, int]
    required: Mapping[Tier, tuple[str, ...]]

    def can_observe(self, indicator: Indicator) -> bool:
        """Whether a run can see anything that the indicator reads."""
        return indicator.kind is not IndicatorKind.HEALTH or bool(self.health_endpoints)


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
    )
