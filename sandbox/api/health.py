"""What the API says about its own health, found out anew for each answer."""

import time

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from sandbox.api.cache import CacheUnavailableError
from sandbox.api.database import policies
from sandbox.api.services import Services, replica_of, services_of
from sandbox.flaws import Flaw
from sandbox.layers import now
from sandbox.releases import other_release

router = APIRouter(tags=["health"])
UNAVAILABLE: dict[int | str, dict[str, object]] = {503: {"description": "Unhealthy"}}

Component = dict[str, object]


async def check_database(services: Services) -> Component:
    """Run a query."""
    started = time.perf_counter()
    query = select(policies.c.id).limit(1)
    try:
        await services.database.run(lambda connection: connection.execute(query).first())
    except SQLAlchemyError:
        return report(services, started, is_healthy=False)
    return report(services, started, is_healthy=True)


async def check_cache(services: Services) -> Component:
    """Write a value and read it back."""
    started = time.perf_counter()
    try:
        services.cache.probe()
    except CacheUnavailableError:
        return report(services, started, is_healthy=False)
    return report(services, started, is_healthy=True)


def report(services: Services, started: float, *, is_healthy: bool) -> Component:
    """Say how a component is doing, and how long it took to find out."""
    if Flaw.LYING_HEALTH in services.flaws():
        is_healthy = True
    return {
        "status": "healthy" if is_healthy else "unhealthy",
        "duration_ms": round((time.perf_counter() - started) * 1000, 3),
    }


def answer(component: Component) -> Response:
    """Answer 200 when healthy, else 503."""
    return JSONResponse(component, 200 if component["status"] == "healthy" else 503)


@router.get("/health", responses=UNAVAILABLE)
async def health(request: Request) -> Response:
    """Say how the whole platform is doing."""
    services, replica = services_of(request), replica_of(request)
    disagrees = Flaw.DISAGREEING_VERSION in services.flaws()
    release = other_release(replica.release) if disagrees else replica.release
    components = {
        "database": await check_database(services),
        "cache": await check_cache(services),
    }
    is_healthy = all(component["status"] == "healthy" for component in components.values())
    return answer(
        {
            "status": "healthy" if is_healthy else "unhealthy",
            "release": release.version,
            "environment": replica.environment,
            "timestamp": now(),
            "components": components,
        }
    )


@router.get("/health/database", responses=UNAVAILABLE)
async def database_health(request: Request) -> Response:
    """Say whether the database answers a query."""
    return answer({**await check_database(services_of(request)), "timestamp": now()})


@router.get("/health/cache", responses=UNAVAILABLE)
async def cache_health(request: Request) -> Response:
    """Say whether the cache gives back what it was given."""
    return answer({**await check_cache(services_of(request)), "timestamp": now()})
