"""Release identity: where a deployable names the release that it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from deployment_gate.discovery.asking import Asker, Reply
from deployment_gate.discovery.controls import Controls
from deployment_gate.discovery.platform import ReleaseFound

PATHS = (
    "/version",
    "/api/version",
    "/version.json",
    "/info",
    "/actuator/info",  # Spring Boot
    "/api/info",
    "/__version__",  # Mozilla's Dockerflow
    "/-/versions.json",  # Datasette
    "/build-info.json",
)
"""Where a release is usually named, the likeliest first."""

_KEYS = (
    "release",
    "version",
    "app_version",
    "appversion",
    "service_version",
    "project_version",
    "build",
    "revision",
    "commit",
    "sha",
)
# What stands beside a platform's own version, and is what it runs on.
_NOT_ITS_OWN = frozenset({
    "api", "asgi", "database", "django", "go", "http", "java", "jvm", "kernel", "node", "os",
    "php", "postgres", "postgresql", "python", "redis", "ruby", "runtime", "spring", "sqlite",
    "uvicorn",
})  # fmt: skip
_DEPTH = 3
_LONGEST = 100
_RELEASE_LIKE = re.compile(r"(?=.*\d)[\w.+:@/-]+")
_HEADERS = (
    "X-Release",
    "X-Version",
    "X-App-Version",
    "X-Application-Version",
    "X-Service-Version",
    "X-Build",
    "X-Revision",
    "X-Git-Commit",
)
_ANY_HEADER = re.compile(r"(^|-)(Release|Version)$", re.IGNORECASE)
_OTHERS_HEADER = re.compile(
    r"(api|asp|http|mvc|net|php|protocol|schema|tls|varnish)", re.IGNORECASE
)
_INSTANCE_HEADERS = ("X-Instance", "X-Instance-Id", "X-Pod", "X-Pod-Name", "X-Replica")
_LOOKS = 8
"""Further questions by which replicas are told apart: a balancer that picks at random misses one
of two once in 256 times."""


def find_release(
    asker: Asker,
    replies: Iterable[Reply | None],
    controls: Controls,
    *,
    name: str,
) -> ReleaseFound | None:
    """Answer where the release is named: by JSON rather than by a header, both where they agree.

    Args:
        asker: Asks again, to tell replicas apart.
        replies: What candidates answered, those that are about releases first.
        controls: How the site answers where there is nothing.
        name: What it will be called.
    """
    usable = [reply for reply in replies if reply and reply.is_success]
    for reply in usable:
        told = None if reply.is_page or controls.is_like(reply) else _told(reply.json)
        if told:
            field, release = told
            header, named = _header(reply.headers)
            if named == release:
                return _counted(
                    asker, reply, name=name, release=release, field=field, header=header
                )
            return _counted(asker, reply, name=name, release=release, field=field)
    for reply in usable:
        header, named = _header(reply.headers)
        if header:
            return _counted(asker, reply, name=name, release=named, header=header)
    return None


def _told(body: object) -> tuple[str, str] | None:
    """Where a body names a release, by keys joined by dots, and which one."""
    ranked = sorted(_candidates(body, (), 0), key=lambda one: (_KEYS.index(one[0]), len(one[1])))
    if not ranked:
        return None
    _, path, release = ranked[0]
    return ".".join(path), release


def _candidates(
    body: object, path: tuple[str, ...], depth: int
) -> Iterator[tuple[str, tuple[str, ...], str]]:
    # A description of the API has the API's version, which isn't that of what serves it.
    if not isinstance(body, dict) or depth > _DEPTH or body.keys() & {"openapi", "swagger"}:
        return
    for key, value in body.items():
        plain = str(key).lower().replace("-", "_")
        if not isinstance(key, str) or "." in key or plain in _NOT_ITS_OWN:
            continue
        if plain in _KEYS and isinstance(value, str) and _is_release(value):
            yield plain, (*path, key), value
        yield from _candidates(value, (*path, key), depth + 1)


def _is_release(value: str) -> bool:
    return len(value) <= _LONGEST and _RELEASE_LIKE.fullmatch(value) is not None


def _header(headers: Mapping[str, str]) -> tuple[str | None, str]:
    """Which header names a release, and which one."""
    known = [name for name in _HEADERS if _is_release(headers.get(name, ""))]
    others = [
        "-".join(part.capitalize() for part in name.split("-"))
        for name in headers
        if _ANY_HEADER.search(name)
        and not _OTHERS_HEADER.search(name)
        and _is_release(headers[name])
    ]
    name = next(iter([*known, *others]), None)
    return name, headers[name] if name else ""


def _counted(asker: Asker, reply: Reply, **found: Any) -> ReleaseFound:
    """It, with the replicas that are met by asking a few times more."""
    header = next((name for name in _INSTANCE_HEADERS if reply.headers.get(name)), None)
    if header is None:
        return ReleaseFound(url=reply.url, **found)
    again = [asker.get(reply.url, again=True) for _ in range(_LOOKS)]
    met = {one.headers.get(header, "") for one in (reply, *again) if one}
    if "" in met:
        return ReleaseFound(url=reply.url, **found)
    return ReleaseFound(url=reply.url, instance_header=header, replicas=len(met), **found)
