"""Requests and places in answers, as an environment file writes them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deployment_gate.environment.requests import parse_request, parse_source, parse_told


def test_a_request_is_a_method_and_a_path() -> None:
    request = parse_request("POST /api/v1/policies")
    assert (request.method, request.path) == ("POST", "/api/v1/policies")
    assert not request.is_reading
    assert str(request) == "POST /api/v1/policies"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_safe_methods_only_read(method: str) -> None:
    assert parse_request(f"{method} /").is_reading


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/path",
        "GET",
        "GET path",
        "get /path",
        "TRACE /",
        "GET /a b",
        "GET  /a",
        "GET //elsewhere/a",
        "GET /\n",
    ],
)
def test_what_is_no_request_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no request\. Write a method of GET, .*: GET /api"):
        parse_request(text)


@pytest.mark.parametrize(
    "text", ["$.access_token", "header ETag", "cookie session", "header X-Total-Count"]
)
def test_a_place_is_told_as_it_is_written(text: str) -> None:
    assert str(parse_source(text)) == text


@pytest.mark.parametrize(
    "text", ["", "access_token", "header", "header a b", "body $.a", "cookie "]
)
def test_what_is_no_place_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no place in an answer.*header ETag"):
        parse_source(text)


@pytest.mark.parametrize("text", ["/version $.release", "https://web/version header X-Release"])
def test_who_tells_a_fact_is_an_address_and_a_place(text: str) -> None:
    assert str(parse_told(text)) == text


@pytest.mark.parametrize(
    ("parse", "text"),
    [(parse_told, "/version"), (parse_told, "version $.a"), (parse_told, "//elsewhere/a $.a")],
)
def test_a_teller_without_address_or_place_is_refused(
    parse: Callable[[str], object], text: str
) -> None:
    with pytest.raises(ValueError, match="doesn't say who tells it, and where"):
        parse(text)
