"""Platforms on loopback that nobody described, and looks at them as `init` takes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from deployment_gate.discovery import file_of, look_at
from deployment_gate.discovery.asking import Budget
from deployment_gate.discovery.platform import Platform
from deployment_gate.environment import Environment, load_environment
from tests.probes.target import Answer, Request, Target, http

USER_AGENT = "deployment-gate-tests/1"
MISSING = http('{"error": "not found"}', 404)

Routes: TypeAlias = Mapping[str, "bytes | Answer"]
Look: TypeAlias = Callable[..., Platform]


def page(body: str, *, title: str = "Shop", status: int = 200, **headers: str) -> bytes:
    """An HTML page."""
    text = f"<!doctype html><html lang=en><title>{title}</title><body>{body}</body></html>"
    return http(text, status, content_type="text/html; charset=utf-8", **headers)


def told(body: object, status: int = 200, **headers: str) -> bytes:
    """An answer in JSON."""
    return http(json.dumps(body), status, **headers)


def described(paths: Mapping[str, Any], **more: Any) -> bytes:
    """An OpenAPI document."""
    return told(
        {"openapi": "3.1.0", "info": {"title": "Shop", "version": "3"}, "paths": paths, **more}
    )


def answering(schema: object, *, parameters: tuple[object, ...] = (), **more: Any) -> Any:
    """A described GET operation that answers JSON."""
    answers = {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
    return {"get": {"parameters": list(parameters), "responses": answers, **more}}


@pytest.fixture
def serve() -> Iterator[Callable[..., Target]]:
    """Serve what paths are answered with; whatever isn't among them gets `otherwise`."""
    targets: list[Target] = []

    def serve(routes: Routes, *, otherwise: bytes | Answer = MISSING) -> Target:
        def answer(request: Request) -> bytes | Iterator[bytes]:
            found = routes.get(request.path, routes.get(request.path.partition("?")[0], otherwise))
            return found if isinstance(found, bytes) else found(request)

        targets.append(Target(answer))
        return targets[-1]

    yield serve
    for target in targets:
        target.close()


@pytest.fixture
def look() -> Look:
    """Look at a platform, in a thread of its own, as Playwright allows one loop in each."""

    def look(address: str, *, web: str | None = None, seconds: float = 90) -> Platform:
        budget = Budget(seconds=seconds, per_second=500)
        options = {"web": web, "user_agent": USER_AGENT, "budget": budget}
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(look_at, address, **options).result()

    return look


@pytest.fixture
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a browser."""
    monkeypatch.setenv("CHROMIUM", "/no/such/browser")


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Environment]:
    """Write the file of a platform, and load it."""

    def load(platform: Platform, *, awake: bool = False, **variables: str) -> Environment:
        known = {} if awake else variables
        text = file_of(platform, "shop", tmp_path, variables=known, today=date(2026, 11, 27))
        if awake:
            text = "".join(line.removeprefix("#: ") for line in text.splitlines(keepends=True))
        (tmp_path / "shop.yaml").write_text(text, encoding="utf-8")
        return load_environment("shop", tmp_path, variables=variables)

    return load
