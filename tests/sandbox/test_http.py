"""What HTTP asks of an API: methods, conditions, content types, compression, redirects."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox

POLICIES = "/api/v1/policies"
STEADY = [
    "/version",
    "/openapi.json",
    "/api/v1/auth/me",
    POLICIES,
    POLICIES + "/1",
    POLICIES + "/424242",
    "/api/v1/search?q=policy",
    "/api/v1/users",
    "/api/v1/users/test",
    "/.well-known/security.txt",
    "/nothing",
]
# These tell durations and counts, so that no two answers are equally long.
CHANGING = ["/health", "/health/database", "/health/cache", "/metrics"]
OF_ONE_ANSWER = {"date", "x-instance"}
ALLOWED = [
    ("/health", "GET, HEAD, OPTIONS"),
    ("/openapi.json", "GET, HEAD, OPTIONS"),
    ("/api/v1/auth/login", "OPTIONS, POST"),
    ("/api/v1/auth/refresh", "OPTIONS, POST"),
    (POLICIES, "GET, HEAD, OPTIONS, POST"),
    (POLICIES + "/1", "DELETE, GET, HEAD, OPTIONS, PUT"),
]
JSON_ROUTES = [
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/refresh"),
    ("POST", POLICIES),
    ("PUT", POLICIES + "/1"),
    ("PATCH", "/api/v1/auth/me"),
]


def ask(sandbox: Sandbox, method: str, path: str, **headers: str) -> httpx.Response:
    """Send a request as a reader."""
    return sandbox.client.request(
        method, sandbox.api + path, headers={**sandbox.bearer(), **headers}
    )


def headers_of(answer: httpx.Response) -> dict[str, str]:
    """Return the headers that a second answer would have, too."""
    return {name: value for name, value in answer.headers.items() if name not in OF_ONE_ANSWER}


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
@pytest.mark.parametrize("path", STEADY)
def test_head_has_status_and_headers_of_get_and_no_body(
    sandbox: Sandbox, path: str, encoding: str
) -> None:
    get = ask(sandbox, "GET", path, **{"Accept-Encoding": encoding})
    head = ask(sandbox, "HEAD", path, **{"Accept-Encoding": encoding})
    assert head.status_code == get.status_code
    assert headers_of(head) == headers_of(get)
    assert int(head.headers["content-length"]) > 0
    assert head.content == b""


@pytest.mark.parametrize("path", CHANGING)
def test_head_of_what_changes_has_the_same_headers(sandbox: Sandbox, path: str) -> None:
    get, head = ask(sandbox, "GET", path), ask(sandbox, "HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    assert headers_of(head).keys() == headers_of(get).keys()


def test_head_needs_a_token_where_get_does(sandbox: Sandbox) -> None:
    answer = sandbox.client.head(sandbox.api + POLICIES)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_head_leaves_the_connection_usable(sandbox: Sandbox) -> None:
    with httpx.Client(base_url=sandbox.api) as client:
        for method in ("HEAD", "GET", "HEAD", "OPTIONS", "GET"):
            assert client.request(method, "/openapi.json").is_success


@pytest.mark.parametrize(("path", "allowed"), ALLOWED)
def test_options_and_405_say_what_a_path_takes(sandbox: Sandbox, path: str, allowed: str) -> None:
    options = sandbox.client.options(sandbox.api + path)
    assert (options.status_code, options.content) == (204, b"")
    assert options.headers["allow"] == allowed
    refused = sandbox.client.patch(sandbox.api + path)
    assert (refused.status_code, refused.headers["allow"]) == (405, allowed)
    assert refused.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_reading_what_can_only_be_written_is_405(sandbox: Sandbox, method: str) -> None:
    answer = sandbox.client.request(method, sandbox.api + "/api/v1/auth/login")
    assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, POST")


def test_options_of_an_unknown_path_is_not_found(sandbox: Sandbox) -> None:
    answer = sandbox.client.options(sandbox.api + "/nothing")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match", "Authorization"])
def test_browser_asks_beforehand_and_may(sandbox: Sandbox, header: str) -> None:
    preflight = {
        "Origin": sandbox.web,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": header,
    }
    answer = sandbox.client.options(sandbox.api + POLICIES + "/1", headers=preflight)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == sandbox.web
    assert "PUT" in answer.headers["access-control-allow-methods"]
    elsewhere = {**preflight, "Origin": "http://evil.example"}
    refused = sandbox.client.options(sandbox.api + POLICIES + "/1", headers=elsewhere)
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize("path", ["/openapi.json", POLICIES + "?per_page=100"])
def test_long_answers_are_compressed_when_asked_for(sandbox: Sandbox, path: str) -> None:
    headers = {**sandbox.bearer(), "Accept-Encoding": "gzip"}
    with sandbox.client.stream("GET", sandbox.api + path, headers=headers) as compressed:
        raw = b"".join(compressed.iter_raw())
    plain = ask(sandbox, "GET", path, **{"Accept-Encoding": "identity"})
    assert compressed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    for answer in (compressed, plain):
        assert "Accept-Encoding" in answer.headers["vary"].split(", ")
    assert int(compressed.headers["content-length"]) == len(raw) < len(plain.content)
    assert gzip.decompress(raw) == plain.content


def test_short_answers_are_not_compressed(sandbox: Sandbox) -> None:
    answer = sandbox.get("/version", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(("method", "path"), JSON_ROUTES)
@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/xml", "application/x-www-form-urlencoded"]
)
def test_body_that_is_no_json_is_refused(
    sandbox: Sandbox, method: str, path: str, content_type: str | None
) -> None:
    headers = sandbox.bearer("admin")
    if content_type:
        headers["Content-Type"] = content_type
    answer = sandbox.client.request(method, sandbox.api + path, content=b"{}", headers=headers)
    assert answer.status_code == 415
    assert answer.json()["error"]["code"] == "unsupported_media_type"


@pytest.mark.parametrize(("method", "path"), JSON_ROUTES)
@pytest.mark.parametrize("content", [b"{", b"[1,", b"\xff\xfe", b'"\\ud800"', b"", b"[" * 100_000])
@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_malformed_json_is_refused_in_the_one_shape(
    sandbox: Sandbox, method: str, path: str, content: bytes, content_type: str
) -> None:
    headers = {**sandbox.bearer("admin"), "Content-Type": content_type}
    answer = sandbox.client.request(method, sandbox.api + path, content=content, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_request")
    assert set(answer.json()["error"]) == {"code", "message"}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_policy_that_is_known_already_is_not_sent_again(
    either_sandbox: Sandbox, method: str
) -> None:
    path = POLICIES + "/2"
    etag = ask(either_sandbox, "GET", path).headers["etag"]
    for known in (etag, f'"77", W/{etag}', "*"):
        answer = ask(either_sandbox, method, path, **{"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
        assert answer.headers["cache-control"] == "no-store"
    for outdated in ('"77"', "nonsense", ""):
        answer = ask(either_sandbox, method, path, **{"If-None-Match": outdated})
        assert (answer.status_code, answer.headers["etag"]) == (200, etag)


def test_unknown_policy_is_not_found_under_any_condition(sandbox: Sandbox) -> None:
    answer = ask(sandbox, "GET", POLICIES + "/424242", **{"If-None-Match": "*"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "location"),
    [
        ("GET", "/version/", "/version"),
        ("HEAD", "/version/", "/version"),
        ("POST", POLICIES + "/", POLICIES),
        ("PUT", POLICIES + "/1/", POLICIES + "/1"),
        ("OPTIONS", POLICIES + "/", POLICIES),
        ("GET", POLICIES + "/?page=2&status=draft", POLICIES + "?page=2&status=draft"),
        (
            "GET",
            POLICIES + "/%E2%82%AC%0D%0AX:%20y%3Fz%23/",
            POLICIES + "/%E2%82%AC%0D%0AX%3A%20y%3Fz%23",
        ),
    ],
)
def test_slash_too_many_is_redirected_without_naming_a_host(
    sandbox: Sandbox, method: str, path: str, location: str
) -> None:
    answer = ask(sandbox, method, path, Host="evil.example")
    assert (answer.status_code, answer.headers["location"]) == (307, location)


def test_redirected_post_keeps_its_body(sandbox: Sandbox) -> None:
    credentials = {"username": "test", "password": "test-password-of-the-sandbox"}
    answer = sandbox.client.post(
        sandbox.api + "/api/v1/auth/login/", json=credentials, follow_redirects=True
    )
    assert answer.json()["token_type"] == "bearer"
    assert [step.status_code for step in answer.history] == [307]


@pytest.mark.parametrize("path", ["/", "//", "/nothing/", "//evil.example/", "//version/"])
def test_unknown_path_with_a_slash_is_not_found(sandbox: Sandbox, path: str) -> None:
    request = sandbox.client.build_request("GET", sandbox.api)
    request.url = request.url.copy_with(raw_path=path.encode())
    assert sandbox.client.send(request).status_code == 404
