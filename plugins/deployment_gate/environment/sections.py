"""The sections of an environment file, one model each."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, model_validator

from deployment_gate.environment.fields import (
    Command,
    Content,
    ContentName,
    Count,
    Duration,
    Escalation,
    Flag,
    HeaderName,
    Name,
    ResponseTime,
    Statuses,
    Target,
    Text,
    Url,
    Urls,
)


class Section(BaseModel):
    """What all sections share: nothing unknown, nothing converted, nothing changed later."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", strict=True, defer_build=True
    )


class HealthEndpoint(Section):
    """A URL that says whether a part of the platform is well."""

    url: Url
    """Where to ask, with http or https."""
    expected_status: Statuses = frozenset({200})
    """The status, or a list of statuses, of a healthy answer."""
    timeout: Duration = timedelta(seconds=30)
    """How long an answer may take."""
    content: ContentName | None = None
    """What it answers with; unset: a page only where the URL has no path."""

    @property
    def may_be_page(self) -> bool:
        """Whether an HTML page is a fit answer.

        A proxy's own page, or a web application's catch-all, answers 200 where an API is gone.
        """
        if self.content is None:
            return urlsplit(self.url).path in {"", "/"}
        return self.content in {Content.PAGE, Content.ANY}


class ReleaseEndpoint(Section):
    """Where a deployable names the release that it is."""

    url: Url
    """Where to ask, with http or https."""
    header: HeaderName | None = None
    """The response header that names the release."""
    field: Text | None = None
    """The path of the release in the JSON body, its keys joined by dots."""
    instance_header: HeaderName | None = None
    """The response header by which replicas are told apart."""
    replicas: Count = 1
    """How many replicas serve it."""
    timeout: Duration = timedelta(seconds=10)
    """How long an answer may take."""

    @model_validator(mode="after")
    def _names_a_release(self) -> Self:
        if self.header is None and self.field is None:
            raise ValueError("says nowhere which release it is. Write `header:` or `field:`")
        return self


class PerformanceTargets(Section):
    """Levels of performance that must be met, by name."""

    response_time: Mapping[Name, Target] = {}
    """How fast answers and pages are."""
    throughput: Mapping[Name, Target] = {}
    """How much is served at once."""
    resource_usage: Mapping[Name, Target] = {}
    """How much of the machines it may use."""


class AlertResponse(Section):
    """What people do about one class of alerts."""

    response_time: ResponseTime
    """Within which time somebody answers."""
    escalation: Escalation
    """Who is asked, joined by +."""
    action: Text
    """What they do."""


class AlertResponses(Section):
    """What people do about alerts, by their severity."""

    critical_alerts: AlertResponse | None = None
    """Alerts that need somebody now."""
    warning_alerts: AlertResponse | None = None
    """Alerts that need somebody soon."""
    info_alerts: AlertResponse | None = None
    """Alerts that are good to know."""


class Allow(Section):
    """What the checks may do beyond reading."""

    writes: Flag = False
    """Create, change and delete records of their own."""
    load: Flag = False
    """Send sustained load."""
    burst: Flag = False
    """Send short bursts, as rate-limit checks do."""


class Launch(Section):
    """How the target is started when it isn't running yet."""

    command: Command
    """What starts it, in the foreground."""
    ready: Url
    """What answers once it is up."""
    timeout: Duration = timedelta(seconds=30)
    """How long it may take until then."""


class Sampler(Section):
    """How often and how widely the target is asked."""

    # Kubernetes' default probe period (periodSeconds).
    interval: Duration = timedelta(seconds=10)
    """The time between two attempts at the same subject."""
    concurrency: Count = 64
    """How many requests are under way at once, at most."""
    controls: Urls = ()
    """What answers wherever this runner is well; while one doesn't, nothing that was seen counts
    against the platform."""
