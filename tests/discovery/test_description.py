"""The OpenAPI document is found where it is usual, or where pages lead to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.discovery.conftest import Look, answering, described, page, told
from tests.probes.target import Target, http

Serve = Callable[..., Target]
PATHS = {"/orders": answering({"type": "array", "items": {"type": "object"}})}
ORDERS = told([{"id": 1}])
DOCUMENT = described(PATHS)
SWAGGER_UI = page("<script>SwaggerUIBundle({ url: './v9/described.json', dom_id: '#a' })</script>")


@pytest.mark.parametrize("path", ["/openapi.json", "/v3/api-docs", "/swagger/v1/swagger.json"])
def test_a_usual_place_is_found(path: str, serve: Serve, look: Look) -> None:
    target = serve({path: DOCUMENT, "/orders": ORDERS})

    api = look(target.origin).api

    assert api
    assert (api.base_url, api.described_at, api.title) == (target.origin, path, "Shop")


@pytest.mark.parametrize(
    "routes",
    [
        {"/": page("<a href='/our/openapi-3.json'>API</a>"), "/our/openapi-3.json": DOCUMENT},
        {"/": page("<a href='/our/docs/'>API</a>"), "/our/docs/": SWAGGER_UI,
         "/our/docs/v9/described.json": DOCUMENT},
        {"/": told({}, link='</our/description>; rel="service-desc"'),
         "/our/description": DOCUMENT},
    ],
    ids=["a link", "a link to Swagger UI", "a header"],
)  # fmt: skip
def test_what_leads_there_is_followed(
    routes: dict[str, bytes], serve: Serve, look: Look, no_browser: None
) -> None:
    del no_browser
    target = serve({**routes, "/orders": ORDERS})

    api = look(target.origin).api

    assert api
    assert [one.path for one in api.lists] == ["/orders"]


def test_paths_are_below_the_servers_path(serve: Serve, look: Look) -> None:
    document = described(PATHS, servers=[{"url": "/api/v1"}])
    target = serve({"/api/v1/openapi.json": document, "/api/v1/orders": ORDERS})

    api = look(target.origin).api

    assert api
    assert api.base_url == f"{target.origin}/api/v1"
    assert api.described_at == "/openapi.json"
    assert [one.path for one in api.lists] == ["/orders"]


def test_a_document_above_its_paths_keeps_both_below_one_address(serve: Serve, look: Look) -> None:
    document = described(PATHS, servers=[{"url": "/api/v1"}])
    target = serve({"/openapi.json": document, "/api/v1/orders": ORDERS})

    api = look(target.origin).api

    assert api
    assert (api.base_url, api.described_at) == (target.origin, "/openapi.json")
    assert [one.path for one in api.lists] == ["/api/v1/orders"]


def test_a_server_that_is_somebody_elses_is_not_asked(serve: Serve, look: Look) -> None:
    document = described(PATHS, servers=[{"url": "https://api.elsewhere.example"}])
    target = serve({"/openapi.json": document, "/orders": ORDERS})

    api = look(target.origin).api

    assert api
    assert api.base_url == target.origin


@pytest.mark.parametrize(
    ("document", "remark"),
    [
        (http("openapi: 3.1.0\npaths: {}\n", content_type="application/yaml"), "in YAML"),
        (told({"openapi": "9.0", "paths": {}}), "can't be used"),
        (described({"/a": {"$ref": "other.json#/a"}}), "can't be used"),
    ],
    ids=["YAML", "an unknown version", "in several files"],
)
def test_one_that_cannot_be_read_is_told(
    document: bytes, remark: str, serve: Serve, look: Look
) -> None:
    target = serve({"/openapi.json": document, "/health": told({"status": "ok"})})

    found = look(target.origin)

    assert found.api is None
    assert any(remark in one for one in found.remarks)


def test_one_whose_operations_do_not_answer_is_told(serve: Serve, look: Look) -> None:
    target = serve({"/openapi.json": DOCUMENT, "/health": told({"status": "ok"})})

    found = look(target.origin)

    assert found.api is None
    assert any("nothing of it that was asked answered" in one for one in found.remarks)
