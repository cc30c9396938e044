"""What the runbook's phrases mean: indicators, conditions, actions, targets."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import TypeAlias

from deployment_gate.environment.durations import format_duration


class Category(StrEnum):
    """A kind of checks, and its folder under `validation/`."""

    PREDEPLOYMENT = "predeployment"
    HEALTH = "health"
    API = "api"
    FRONTEND = "frontend"
    PERFORMANCE = "performance"
    SECURITY = "security"
    INFRASTRUCTURE = "infrastructure"
    MONITORING = "monitoring"


class IndicatorKind(Enum):
    """What makes one observation bad."""

    HEALTH = "health"
    ERROR = "error"
    SLOW = "slow"
    CHECK = "check"


class Action(Enum):
    """What a trigger asks for once it has fired."""

    ROLLBACK = "rollback"
    HOLD = "hold"
    NOTIFY = "notify"


class Over(StrEnum):
    """Whose observations a condition on a share is about."""

    SUBJECT = "subject"
    """Each subject's by themselves; the worst decides."""
    ALL = "all"
    """Those of all subjects together."""


class Decide(StrEnum):
    """When a condition on a share may be decided."""

    FULL = "full"
    """Once its whole period was watched, as its words say."""
    EARLY = "early"
    """Also as soon as a sequential test is sure that the limit is exceeded."""


class Move(StrEnum):
    """Where a browser's own buttons lead."""

    BACK = "back"
    FORWARD = "forward"
    RELOAD = "reload"


class Impact(StrEnum):
    """How much something inaccessible hinders people: axe-core's levels, the least first."""

    MINOR = "minor"
    MODERATE = "moderate"
    SERIOUS = "serious"
    CRITICAL = "critical"


class Comparison(Enum):
    """On which side of its limit a target is met."""

    BELOW = "<"
    ABOVE = ">"
    AT_LEAST = ">="


class Unit(Enum):
    """What the limit of a target counts; fractions are 0..1."""

    SECONDS = "seconds"
    REQUESTS_PER_SECOND = "requests/second"
    USERS = "concurrent users"
    FRACTION = "fraction"


@dataclass(frozen=True, slots=True)
class Indicator:
    """A yes/no reading of observations.

    `threshold_s` is what a slow answer takes longer than, `category` whose checks are read; of
    checks without one, only those that name the trigger by their marker. Answers are those to
    requests, or with `is_of_pages` the loads of whole pages in a browser.
    """

    kind: IndicatorKind
    threshold_s: float | None = None
    category: str | None = None
    is_of_pages: bool = False

    def sentence(self) -> str:
        """Say of what it reads what makes it bad."""
        match self.kind:
            case IndicatorKind.HEALTH:
                return "health checks fail"
            case IndicatorKind.ERROR:
                return f"{self._answers} {'fail' if self.is_of_pages else 'are errors'}"
            case IndicatorKind.CHECK:
                return f"{self.category or 'marked'} checks fail"
            case IndicatorKind.SLOW:
                threshold = timedelta(seconds=self.threshold_s or 0)
                return f"{self._answers} take longer than {format_duration(threshold)}"

    @property
    def _answers(self) -> str:
        return "page loads" if self.is_of_pages else "answers"


@dataclass(frozen=True, slots=True)
class Consecutive:
    """So many bad observations of one subject in a row."""

    indicator: Indicator
    count: int
    text: str = field(default="", compare=False)

    def sentence(self) -> str:
        """Say when the condition holds."""
        return f"{self.count} in a row of one subject's {self.indicator.sentence()}"


@dataclass(frozen=True, slots=True)
class Sustained:
    """More than a fraction (`limit`, 0..1) of the observations bad throughout a period."""

    indicator: Indicator
    limit: float
    period_s: float
    text: str = field(default="", compare=False)

    def sentence(self) -> str:
        """Say when the condition holds."""
        period = format_duration(timedelta(seconds=self.period_s))
        share = percent(self.limit)
        return f"more than {share} of the {self.indicator.sentence()} throughout {period}"


Condition: TypeAlias = Consecutive | Sustained


@dataclass(frozen=True, slots=True)
class TargetPhrase:
    """A level to be met; `share` is the fraction `of` something that must meet it."""

    text: str
    comparison: Comparison
    limit: float
    unit: Unit
    share: float | None = None
    of: str = ""

    def sentence(self) -> str:
        """Say what must hold."""
        side = {"<": "below", ">": "above", ">=": "at least"}[self.comparison.value]
        if self.unit is Unit.SECONDS:
            limit = format_duration(timedelta(seconds=self.limit))
        elif self.unit is Unit.FRACTION:
            limit = percent(self.limit)
        else:
            limit = f"{self.limit:g} {self.unit.value}"
        if self.share is not None:
            return f"{percent(self.share)} of the {self.of} stay {side} {limit}"
        return f"{self.of} {side} {limit}" if self.of else f"{side} {limit}"


@dataclass(frozen=True, slots=True)
class Watch:
    """Something that people watch: it has no figure that could be judged."""

    text: str

    def sentence(self) -> str:
        """Say that nothing is judged here."""
        return f"{self.text} (for people to watch: no figure to judge)"


def percent(fraction: float) -> str:
    """Write a fraction as a percentage.

    >>> percent(0.999)
    '99.9 %'
    """
    return f"{float(Decimal(str(fraction)) * 100):.9g} %"
