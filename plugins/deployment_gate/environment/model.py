"""The typed environment: what may stand in an environment file, and what it covers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, Field, PrivateAttr, SecretStr, model_validator

from deployment_gate.environment.api_sections import ApiTarget
from deployment_gate.environment.data_fields import SecretAddress
from deployment_gate.environment.data_sections import CacheTarget, DatabaseTarget
from deployment_gate.environment.errors import Position
from deployment_gate.environment.fields import Duration, Flag, Metric, Name, Tier, as_tuple
from deployment_gate.environment.load_sections import Load
from deployment_gate.environment.notification_sections import Notifications
from deployment_gate.environment.policy_sections import Required, Trigger, Waiver
from deployment_gate.environment.sections import (
    AlertResponses,
    Allow,
    HealthEndpoint,
    Launch,
    PerformanceTargets,
    ReleaseEndpoint,
    Sampler,
    Section,
)
from deployment_gate.environment.security_sections import Security, is_administrator
from deployment_gate.environment.terms import Category
from deployment_gate.environment.web_sections import WebTarget
from deployment_gate.environment.yaml_source import Key

_HTTPS = 443


@dataclass(frozen=True, slots=True)
class Sources:
    """Where each entry of an environment stands, and its secrets; validation's context."""

    positions: Mapping[Key, Position]
    secrets: frozenset[str] = frozenset()

    def nearest(self, path: Key) -> Position | None:
        """Answer where an entry stands, or the nearest thing around it that does."""
        for length in range(len(path), -1, -1):
            if position := self.positions.get(path[:length]):
                return position
        return None


class Environment(Section):
    """One place where the platform runs, and how its runs are judged."""

    name: Name
    """The stem of its file."""
    description: str = ""
    """What it is, for people."""
    health_endpoints: Mapping[Name, HealthEndpoint] = {}
    """What says whether the parts of the platform are well, by name."""
    release_identity: Mapping[Name, ReleaseEndpoint] = {}
    """Where each deployable names its release, by name."""
    api: ApiTarget | None = None
    """The API; unset: it isn't validated."""
    web: WebTarget | None = None
    """The web interface; unset: it isn't validated."""
    databases: Mapping[Name, DatabaseTarget] = {}
    """Databases that are asked directly, by name."""
    caches: Mapping[Name, CacheTarget] = {}
    """Caches that are asked directly, by name."""
    performance_targets: PerformanceTargets | None = None
    """Levels of performance that must be met."""
    load: Load | None = None
    """How load is put on the platform; unset: it isn't."""
    security: Security = Field(default_factory=Security)
    """What may be seen by whom, and how far the checks of that may go."""
    monitoring_metrics: Mapping[Name, Mapping[Name, Metric]] = {}
    """What is monitored after a deploy, in groups."""
    alert_response: AlertResponses | None = None
    """What people do about alerts."""
    notifications: Notifications | None = None
    """Who is told of a verdict; unset: nobody."""
    rollback_triggers: Mapping[Name, Trigger] = {}
    """Rules that ask for a rollback, by name."""
    waivers: Annotated[tuple[Waiver, ...], BeforeValidator(as_tuple)] = ()
    """Checks whose failure is known and accepted for a time."""
    flaky_checks_hold: Flag = False
    """Whether a check that passed, but not at its first attempt, holds."""
    allow: Allow = Field(default_factory=Allow)
    """What the checks may do beyond reading."""
    launch: Launch | None = None
    """How the target is started when it isn't running yet."""
    sampler: Sampler = Field(default_factory=Sampler)
    """How often and how widely the target is asked."""
    request_timeout: Duration = timedelta(seconds=10)
    """How long a check's request may take."""
    check_timeout: Duration = timedelta(seconds=60)
    """How long one check may take."""
    required: Required = Field(default_factory=Required)
    """The categories that must have at least one executed pass, by tier."""

    _sources: Sources = PrivateAttr(default_factory=lambda: Sources({}))

    def model_post_init(self, context: Any) -> None:
        """Keep where the entries stand, which validation's context tells."""
        if isinstance(context, Sources):
            self._sources = context

    @model_validator(mode="after")
    def _has_something_to_validate(self) -> Self:
        validated = ("health_endpoints", "release_identity", "api", "web", "databases", "caches")
        if not any(getattr(self, section) for section in validated):
            raise ValueError(
                "has nothing to validate. Write `health_endpoints:`, or `extends: base`"
            )
        return self

    @property
    def secrets(self) -> frozenset[str]:
        """What must not reach any report."""
        return self._sources.secrets.union(_secrets(self))

    def source_of(self, *path: str) -> str:
        """Answer where an entry stands, as "file:line", or "" when it comes from no file."""
        return str(self._sources.nearest(path) or "")

    def required_categories(self, tier: str) -> tuple[str, ...]:
        """Answer which categories must have an executed pass in a tier.

        Raises:
            ValueError: There is no such tier.
        """
        written = self.required.of(Tier(tier))
        if written is not None:
            return written
        implied = {
            Category.HEALTH: self.health_endpoints,
            Category.API: self.api,
            Category.FRONTEND: self.web,
            Category.INFRASTRUCTURE: self.databases or self.caches,
        }
        return tuple(category.value for category, section in implied.items() if section)

    def covers(self, category: str) -> bool:
        """Whether a section of this environment is about the category."""
        return any(
            any(getattr(self, section) for section in gap.sections)
            for gap in _COVERAGE
            if gap.what == category
        )

    def hosts(self) -> frozenset[str]:
        """Answer the hosts that it names, and so a browser may talk to."""
        return self.own_hosts().union(self.web.third_parties if self.web else ())

    def own_hosts(self) -> frozenset[str]:
        """Answer the hosts that the platform is on, and so load may be put on."""
        urls = [endpoint.url for endpoint in self.health_endpoints.values()]
        urls += [endpoint.url for endpoint in self.release_identity.values()]
        urls += [section.base_url for section in (self.web, self.api) if section]
        return frozenset(urlsplit(url).hostname or "" for url in urls) - {""}

    @property
    def tls_servers(self) -> Mapping[str, tuple[str, int]]:
        """Host and port of each https `base_url`, by `api` and `web`; each server once."""
        found: dict[tuple[str, int], str] = {}
        for name, address in self._base_urls().items():
            parts = urlsplit(address)
            if parts.scheme == "https" and parts.hostname:
                found.setdefault((parts.hostname, parts.port or _HTTPS), name)
        return {name: server for server, name in found.items()}

    @property
    def open_addresses(self) -> Mapping[str, str]:
        """Each `base_url` that is plain http on another machine, by `api` and `web`."""
        return {
            name: address
            for name, address in self._base_urls().items()
            if urlsplit(address).scheme == "http" and not _is_loopback(urlsplit(address).hostname)
        }

    @property
    def plain_http(self) -> Mapping[str, str]:
        """Where plain http is answered beside https, if it is, by `api` and `web`."""
        found = {}
        for name, address in self._base_urls().items():
            parts = urlsplit(address)
            if written := self.security.plain_http.get(name):
                found[name] = written
            elif parts.scheme == "https" and parts.port in {None, _HTTPS}:
                found[name] = f"http://{parts.netloc.removesuffix(f':{_HTTPS}')}"
        return found

    def _base_urls(self) -> Mapping[str, str]:
        sections = {"api": self.api, "web": self.web}
        return {name: section.base_url for name, section in sections.items() if section}

    def load_address(self) -> str:
        """Answer what load is put on; "" where nothing says that."""
        named = self.load.base_url if self.load else None
        return named or (self.api.base_url if self.api else "")

    def load_identity(self) -> str | None:
        """Answer who signs in to make load; None for nobody."""
        if self.load and self.load.identity:
            return self.load.identity
        identities = self.api.identities if self.api else {}
        return next((name for name, one in identities.items() if one.password), None)

    @property
    def administrator(self) -> str | None:
        """The first identity that may do what not everybody may, where there is one."""
        identities = self.api.identities if self.api else {}
        for name, identity in identities.items():
            if name != self.security.low_privilege and is_administrator(identity.role or name):
                return name
        return None

    def sign_ins(self) -> frozenset[tuple[str, str]]:
        """Answer method and address of each sign-in, which is no write of data."""
        if self.api is None or self.api.login is None or self.api.login.request is None:
            return frozenset()
        request = self.api.login.request
        return frozenset({(request.method, self.api.base_url + request.path)})

    def session_requests(self) -> frozenset[tuple[str, str]]:
        """Answer method and address of each request that begins, renews or ends a session.

        They change nothing but who is signed in, so a browser that only reads may send them.
        """
        if self.api is None:
            return frozenset()
        refresh = self.api.refresh.request if self.api.refresh else None
        requests = [one for one in (self.api.logout, refresh) if one is not None]
        return self.sign_ins().union((one.method, self.api.base_url + one.path) for one in requests)

    def paths_beside_the_api(self) -> tuple[str, ...]:
        """Answer the paths at the API's address that other sections name."""
        if self.api is None:
            return ()
        urls = [endpoint.url for endpoint in self.health_endpoints.values()]
        urls += [endpoint.url for endpoint in self.release_identity.values()]
        base = self.api.base_url
        ours = [url for url in urls if url.startswith(f"{base}/")]
        return tuple(dict.fromkeys(urlsplit(url.removeprefix(base)).path for url in ours))

    def not_covered(self) -> tuple[str, ...]:
        """Answer what this environment doesn't mention, a short sentence each."""
        return tuple(f"{gap.what}: {gap.reason}" for gap in _COVERAGE if not self.covers(gap.what))


@dataclass(frozen=True, slots=True)
class _Coverage:
    """What is covered when one of the sections is there, and what to say when none is."""

    what: str
    sections: tuple[str, ...]
    reason: str


_COVERAGE = (
    _Coverage("predeployment", (), "no section describes it"),
    _Coverage("health", ("health_endpoints",), "no `health_endpoints` section"),
    _Coverage("api", ("api",), "no `api` section"),
    _Coverage("frontend", ("web",), "no `web` section"),
    _Coverage("performance", ("load",), "no `load` section"),
    _Coverage("security", ("api", "web"), "neither an `api` nor a `web` section"),
    _Coverage("infrastructure", ("databases", "caches"), "no `databases` and no `caches` section"),
    _Coverage("monitoring", ("monitoring_metrics",), "no `monitoring_metrics` section"),
    _Coverage(
        "release",
        ("release_identity",),
        "no `release_identity` section, so which release runs can't be told",
    ),
    _Coverage(
        "rollback",
        ("rollback_triggers",),
        "no `rollback_triggers` section, so nothing asks for a rollback",
    ),
    _Coverage("alerts", ("alert_response",), "no `alert_response` section"),
)


def _is_loopback(host: str | None) -> bool:
    """Whether a host is this machine's own, which nobody is on the way to."""
    if host is None or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _secrets(value: object) -> Iterator[str]:
    if isinstance(value, SecretAddress):
        yield from value.secrets()
    elif isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _secrets(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from _secrets(item)
