"""What the routes of the API work with, and how they get at it."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from sandbox.api.cache import Cache
from sandbox.api.database import Database
from sandbox.api.metrics import Metrics
from sandbox.api.roles import AssumedRoles
from sandbox.api.sign_ins import FailedSignIns
from sandbox.api.tokens import Tokens
from sandbox.flaws import Flaws
from sandbox.releases import Release


@dataclass(slots=True, frozen=True)
class Services:
    """The parts of the running API."""

    database: Database
    cache: Cache
    tokens: Tokens
    metrics: Metrics
    failed_sign_ins: FailedSignIns
    assumed_roles: AssumedRoles
    flaws: Callable[[], Flaws]


@dataclass(slots=True, frozen=True)
class Replica:
    """Which instance answers a request, the release that it serves, and where it believes to be."""

    instance: str
    release: Release
    environment: str


def services_of(request: Request) -> Services:
    """Return the services of the application that got the request."""
    services: Services = request.app.state.services
    return services


def replica_of(request: Request) -> Replica:
    """Return the replica that answers the request."""
    replica: Replica = request.scope["replica"]
    return replica
