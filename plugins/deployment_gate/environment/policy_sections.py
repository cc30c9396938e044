"""The sections of an environment file that judge: triggers, waivers, required categories."""

from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from deployment_gate.environment.durations import format_duration
from deployment_gate.environment.fields import (
    ActionField,
    CategoryName,
    ConditionField,
    Confidence,
    Count,
    Day,
    DecideName,
    Duration,
    OverName,
    Text,
    Texts,
    Tier,
    as_tuple,
)
from deployment_gate.environment.sections import Section
from deployment_gate.environment.terms import (
    Category,
    Consecutive,
    Decide,
    IndicatorKind,
    Over,
    Sustained,
)

_OF_A_SHARE = ("samples", "confidence", "over", "decide")


class Trigger(Section):
    """A rule that asks for a rollback."""

    condition: ConditionField
    """When it fires."""
    action: ActionField
    """What it asks for."""
    timeout: Duration
    """How long a suspicion is looked into before it is a hold."""
    interval: Duration | None = None
    """How often suspected subjects are asked again; unset: the sampler's interval."""
    samples: Count = 30
    """How many observations it takes, at least, for a share to be surely above its limit."""
    confidence: Confidence = 95.0
    """How sure it must be that a share is above its limit, in percent."""
    over: OverName = Over.ALL
    """Whose observations a share is of: those of all subjects together, or of each by itself."""

    decide: DecideName = Decide.FULL
    """When a share may be decided: once its period is full, or as soon as that is sure."""
    endpoints: Texts = ()
    """What it is about: names of endpoints, or requests as in `GET /api/*`; of page loads, paths of
    pages as in `/search*`; unset: everything."""

    @model_validator(mode="after")
    def _is_a_share_where_it_says_of_what(self) -> Self:
        beside = [key for key in _OF_A_SHARE if key in self.model_fields_set]
        if beside and isinstance(self.condition, Consecutive):
            raise ValueError(
                f'`{beside[0]}` is for a share, as in "Error rate > 5% for 2 minutes"; so many '
                f"attempts in a row are counted of each subject. Remove `{beside[0]}`"
            )
        return self

    @model_validator(mode="after")
    def _is_of_endpoints_where_it_names_some(self) -> Self:
        if self.endpoints and self.condition.indicator.kind is IndicatorKind.CHECK:
            raise ValueError(
                "`endpoints` is for what is asked of the platform; this condition counts checks, "
                "which their `trigger` marker or their folder leads to it. Remove `endpoints`"
            )
        return self

    @model_validator(mode="after")
    def _can_be_decided_in_time(self) -> Self:
        if (
            isinstance(self.condition, Sustained)
            and self.decide is Decide.FULL
            and self.timeout.total_seconds() < self.condition.period_s
        ):
            period = format_duration(timedelta(seconds=self.condition.period_s))
            raise ValueError(
                f"looks into a suspicion for {format_duration(self.timeout)} only, and its "
                f'condition takes {period} to be decided. Write `timeout: "{period}"` or more, or '
                "`decide: early`"
            )
        return self


def is_pattern_of(pattern: str, check: str) -> bool:
    """Whether a pattern with * and ? is one of a check's id; a [ in it stands for itself."""
    return fnmatchcase(check, pattern.replace("[", "[[]"))


class Waiver(Section):
    """A check whose failure, or a finding of security, is known and accepted until a day."""

    check: Text | None = None
    """The check's id as the reports show it, or a pattern of ids with * and ?."""
    finding: Text | None = None
    """The finding's rule or its fingerprint, as the reports show it."""
    place: Text = "*"
    """Where a finding is accepted, as the reports show it, or a pattern with * and ?."""
    reason: Text
    """Why it is accepted."""
    owner: Text
    """Who sees to it."""
    expires: Day
    """The last day on which it holds, as 2026-12-31."""

    @model_validator(mode="after")
    def _waives_what_can_be_waived(self) -> Self:
        if (self.check is None) == (self.finding is None):
            raise ValueError("accepts one of two things. Write `check` or `finding`")
        if self.check is None:
            return self
        example = f"validation/{Category.HEALTH}/test_endpoints.py::test_endpoint[api]"
        if is_pattern_of(self.check, example) or f"/{Category.HEALTH}/" in self.check:
            raise ValueError(
                "would waive the health of the platform, which can't be waived. Name the check, "
                'or a pattern such as "validation/api/test_search.py::*"'
            )
        return self


_Categories = Annotated[tuple[CategoryName, ...], BeforeValidator(as_tuple), Field(min_length=1)]


class Required(Section):
    """The categories that must have at least one executed pass before anything is promoted."""

    smoke: _Categories | None = None
    """Those of the smoke tier; unset: those that the environment's sections imply."""
    full: _Categories | None = None
    """Those of the full run; unset: those that the environment's sections imply."""

    def of(self, tier: Tier) -> tuple[str, ...] | None:
        """Answer a tier's categories as they are written, or None."""
        written = {Tier.SMOKE: self.smoke, Tier.FULL: self.full}[tier]
        return None if written is None else tuple(category.value for category in written)
