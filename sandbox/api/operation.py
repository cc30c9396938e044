"""What those who operate the platform ask: its version, its metrics, its description."""

import copy
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from sandbox.api.services import replica_of, services_of
from sandbox.releases import Release
from sandbox.security_txt import security_txt

router = APIRouter(tags=["operation"])


class Version(BaseModel):
    """What is running."""

    release: str
    revision: str
    environment: str
    instance: str


@router.get("/version")
async def version(request: Request) -> Version:
    """Say which release answers."""
    replica = replica_of(request)
    return Version(
        release=replica.release.version,
        revision=replica.release.revision,
        environment=replica.environment,
        instance=replica.instance,
    )


@router.get("/metrics", responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request) -> Response:
    """Say what was counted and measured, in Prometheus' text format."""
    return Response(services_of(request).metrics.render(), media_type=CONTENT_TYPE_LATEST)


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """Describe the API as that release has it."""
    return JSONResponse(describe(request.app.openapi(), replica_of(request).release))


@router.get("/.well-known/security.txt", include_in_schema=False)
async def security() -> Response:
    """Say where to report what is insecure."""
    return Response(security_txt(), media_type="text/plain")


def describe(schema: dict[str, Any], release: Release) -> dict[str, Any]:
    """Return the description with that version, without the fields the release doesn't know."""
    described = copy.deepcopy(schema)
    described["info"]["version"] = release.version
    for model in described["components"]["schemas"].values():
        for name in release.hidden_fields:
            model.get("properties", {}).pop(name, None)
        if "required" in model:
            model["required"] = [
                name for name in model["required"] if name not in release.hidden_fields
            ]
    return described
