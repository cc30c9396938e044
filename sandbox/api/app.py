"""Puts the API together."""

import os
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware

from sandbox.api.auth import HASHER
from sandbox.api.cache import Cache
from sandbox.api.cross_origin import CrossOriginLayer
from sandbox.api.database import Database
from sandbox.api.errors import install_error_answers
from sandbox.api.metrics import Metrics, MetricsLayer
from sandbox.api.replicas import ReplicaLayer, identity
from sandbox.api.roles import AssumedRoles
from sandbox.api.routing import ROUTERS, RoutingLayer, template_of
from sandbox.api.services import Services
from sandbox.api.sign_ins import FailedSignIns
from sandbox.api.tokens import Tokens
from sandbox.asgi import App, Headers, Scope
from sandbox.fault import Part
from sandbox.flaws import Flaw
from sandbox.layers import ONLY_TLS, AccessLogLayer, HeaderLayer
from sandbox.releases import find_release
from sandbox.seed import seed
from sandbox.settings import Settings
from sandbox.switchboard import FaultLayer, Switchboard

COMPRESSED_FROM_BYTES = 1000
NO_STORE: Headers = [(b"cache-control", b"no-store")]
SECURITY_HEADERS: Headers = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


def create_app(settings: Settings) -> App:
    """Return the API with everything that stands around it, innermost first."""
    release = find_release(settings.release)
    switchboard = Switchboard(Path(settings.state_dir) / "faults.json", Part.API)
    flaws = switchboard.flaws
    database = Database(settings.database_url, flaws)
    passwords = {
        "test": os.environ.get("SANDBOX_TEST_PASSWORD", "test-password-of-the-sandbox"),
        "admin": os.environ.get("SANDBOX_ADMIN_PASSWORD", "admin-password-of-the-sandbox"),
    }
    database.set_up(lambda connection: seed(connection, passwords, HASHER.hash))
    services = Services(
        database=database,
        cache=Cache(flaws),
        tokens=Tokens(),
        metrics=Metrics(release),
        failed_sign_ins=FailedSignIns(flaws),
        assumed_roles=AssumedRoles(flaws),
        flaws=flaws,
    )
    platform = create_platform(services, settings.web_url)
    secured = [*SECURITY_HEADERS, *(ONLY_TLS if settings.tls_dir else [])]

    def headers(scope: Scope) -> Headers:
        security = [] if Flaw.MISSING_HEADERS in flaws() else secured
        return [*identity(scope), *NO_STORE, *security]

    app: App = FaultLayer(platform, switchboard)
    app = HeaderLayer(app, headers)
    app = ReplicaLayer(app, release, flaws)
    app = MetricsLayer(app, services.metrics, template_of)
    return AccessLogLayer(app, Path(settings.access_log)) if settings.access_log else app


def create_platform(services: Services, web_url: str) -> FastAPI:
    """Return the API itself."""
    platform = FastAPI(
        title="Open Policy Platform",
        description="Policies of an organisation: kept, found and changed.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # RoutingLayer does it, and doesn't trust the Host header
    )
    platform.state.services = services
    for router in ROUTERS:
        platform.include_router(router)
    install_error_answers(platform, services.flaws)
    # The innermost first: a HEAD is told the length that a compressed GET would have.
    platform.add_middleware(GZipMiddleware, minimum_size=COMPRESSED_FROM_BYTES)
    platform.add_middleware(RoutingLayer, services.flaws)
    origins = (web_url, web_url.replace("127.0.0.1", "localhost"))
    platform.add_middleware(CrossOriginLayer, services.flaws, origins)
    return platform
