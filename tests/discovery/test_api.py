"""What of an API is found: signing in, lists, search, as far as answers bear it out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deployment_gate.discovery.platform import ApiFound
from tests.discovery.conftest import Look, answering, described, told
from tests.probes.target import Request, Target

Serve = Callable[..., Target]

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
ORDER = {"type": "object", "properties": {"id": NUMBER, "title": TEXT}}
LIST = {
    "type": "object",
    "properties": {"items": {"type": "array", "items": ORDER}, "total": NUMBER, "page": NUMBER},
}
PAGING = (
    {"name": "page", "in": "query", "schema": NUMBER},
    {"name": "size", "in": "query", "schema": {**NUMBER, "maximum": 50}},
)
ITEM = ({"name": "order_id", "in": "path", "required": True, "schema": NUMBER},)
ORDERS = [{"id": 7, "title": "A red umbrella"}, {"id": 8, "title": "A blue one"}]
REFUSED = told({"error": "who are you?"}, 401)


def found_in(look: Look, target: Target) -> ApiFound:
    """The API that is found."""
    api = look(target.origin).api
    assert api
    return api


def login(fields: dict[str, Any], answer: dict[str, Any], kind: str = "application/json") -> Any:
    """A described operation to sign in by."""
    body = {kind: {"schema": {"type": "object", "properties": fields}}}
    told_ = {"application/json": {"schema": {"type": "object", "properties": answer}}}
    return {"post": {"requestBody": {"content": body}, "responses": {"200": {"content": told_}}}}


def test_a_public_list_is_found_with_its_items_its_pages_and_a_search(
    serve: Serve, look: Look
) -> None:
    def search(request: Request) -> bytes:
        return told({"items": ORDERS[:1] if "umbrella" in request.path else []})

    query = {"name": "q", "in": "query", "required": True, "schema": TEXT}
    target = serve({
        "/openapi.json": described({
            "/orders": answering(LIST, parameters=PAGING),
            "/orders/{order_id}": answering(ORDER, parameters=ITEM),
            "/search": answering(LIST, parameters=(query,)),
        }),
        "/orders": told({"items": ORDERS, "total": 2}),
        "/orders/7": told(ORDERS[0]),
        "/search": search,
    })  # fmt: skip

    api = found_in(look, target)

    (orders,) = api.lists
    assert (orders.name, orders.items, orders.count, orders.is_public) == (
        "orders",
        "$.items",
        2,
        True,
    )
    assert (orders.item, orders.id, orders.item_at) == ("/orders/{{id}}", "$.id", "$")
    assert api.paging == {
        "items": "$.items", "total": "$.total", "page": "page", "size": "size", "largest": 50
    }  # fmt: skip
    assert api.search
    assert (api.search.parameter, api.search.finds) == ("q", "umbrella")


def test_an_item_that_is_not_where_it_is_described_is_left_out(serve: Serve, look: Look) -> None:
    target = serve({
        "/openapi.json": described({
            "/orders": answering(LIST),
            "/orders/{order_id}": answering(ORDER, parameters=ITEM),
        }),
        "/orders": told({"items": ORDERS}),
    })  # fmt: skip

    assert [one.item for one in found_in(look, target).lists] == [None]


def test_items_in_an_envelope_are_found(serve: Serve, look: Look) -> None:
    target = serve({
        "/openapi.json": described({
            "/orders": answering({"type": "array", "items": ORDER}),
            "/orders/{order_id}": answering(ORDER, parameters=ITEM),
        }),
        "/orders": told(ORDERS),
        "/orders/7": told({"data": ORDERS[0]}),
    })  # fmt: skip

    (orders,) = found_in(look, target).lists

    assert (orders.items, orders.item_at) == ("$", "$.data")


def test_lists_that_answer_otherwise_than_described_are_passed_over(
    serve: Serve, look: Look
) -> None:
    lists = {path: answering(LIST) for path in ("/orders", "/gone", "/odd", "/broken")}
    target = serve({
        "/openapi.json": described(lists),
        "/orders": told({"items": ORDERS}),
        "/odd": told({"things": []}),
        "/broken": told({}, 500),
    })  # fmt: skip

    api = found_in(look, target)

    assert [one.name for one in api.lists] == ["orders"]
    assert api.passed_over == (
        "GET /gone was answered 404",
        "GET /odd was answered 200 without $.items",
        "GET /broken was answered 500",
    )


def test_a_list_that_needs_a_parameter_is_not_asked(serve: Serve, look: Look) -> None:
    needed = {"name": "shop", "in": "query", "required": True, "schema": TEXT}
    target = serve({
        "/openapi.json": described({
            "/orders": answering(LIST, parameters=(needed,)), "/status": answering(TEXT)
        }),
        "/status": told("well"),
    })  # fmt: skip

    assert found_in(look, target).lists == ()
    assert "/orders" not in {request.path for request in target.requests}


@pytest.mark.parametrize(
    ("path", "described_login", "known"),
    [
        (
            "/auth/login",
            login({"email": TEXT, "password": TEXT}, {"accessToken": TEXT}),
            ({"email": "{{username}}", "password": "{{password}}"}, "$.accessToken"),
        ),
        (
            "/token",
            login(
                {"username": TEXT, "password": TEXT, "grant_type": TEXT, "scope": TEXT},
                {"access_token": TEXT},
                "application/x-www-form-urlencoded",
            ),
            (
                {"grant_type": "password", "username": "{{username}}", "password": "{{password}}"},
                "$.access_token",
            ),
        ),
        (
            "/api/session",
            login(
                {"login": TEXT, "password": TEXT},
                {"data": {"type": "object", "properties": {"token": TEXT}}},
            ),
            ({"login": "{{username}}", "password": "{{password}}"}, "$.data.token"),
        ),
    ],
    ids=["JSON", "a form of OAuth", "an envelope"],
)
def test_a_described_sign_in_is_found(
    path: str,
    described_login: Any,
    known: tuple[dict[str, str], str],
    serve: Serve,
    look: Look,
) -> None:
    target = serve({
        "/openapi.json": described({
            "/register": login({"username": TEXT, "password": TEXT}, {"token": TEXT}),
            path: described_login,
            "/orders": answering(LIST),
        }),
        "/orders": REFUSED,
    })  # fmt: skip

    api = found_in(look, target)

    assert api.login
    assert api.login.request == f"POST {path}"
    assert (api.login.fields, api.login.token) == known
    assert api.refused == {"/orders": 401}


@pytest.mark.parametrize(
    ("more", "refusal", "send"),
    [
        ({}, told({}, 401, www_authenticate='Basic realm="shop"'), "Basic {{basic}}"),
        (
            {"components": {"securitySchemes": {"b": {"type": "http", "scheme": "basic"}}}},
            REFUSED,
            "Basic {{basic}}",
        ),
        (
            {
                "components": {
                    "securitySchemes": {"k": {"type": "apiKey", "in": "header", "name": "X-Key"}}
                }
            },
            REFUSED,
            "{{token}}",
        ),
    ],
    ids=["a challenge", "Basic", "a key"],
)
def test_credentials_that_go_with_each_request_are_found(
    more: dict[str, Any], refusal: bytes, send: str, serve: Serve, look: Look
) -> None:
    target = serve({
        "/openapi.json": described({"/orders": answering(LIST)}, **more),
        "/orders": refusal,
    })  # fmt: skip

    login_found = found_in(look, target).login

    assert login_found
    assert login_found.request is None
    assert list(login_found.send.values()) == [send]


def test_who_signed_in_is_told_where_strangers_are_refused(serve: Serve, look: Look) -> None:
    me = answering({"type": "object", "properties": {"email": TEXT}})
    target = serve({
        "/openapi.json": described({
            "/login": login({"email": TEXT, "password": TEXT}, {"token": TEXT}), "/users/me": me
        }),
        "/users/me": REFUSED,
    })  # fmt: skip

    assert found_in(look, target).whoami == ("/users/me", "$.email")


def test_health_that_only_the_description_names_is_found(serve: Serve, look: Look) -> None:
    target = serve({
        "/openapi.json": described({"/health/payments": answering(ORDER)}),
        "/health/payments": told({"status": "ok"}),
    })  # fmt: skip

    assert [one.name for one in look(target.origin).health] == ["health_payments"]
