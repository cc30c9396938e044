"""What real servers answer where nothing is encrypted."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from deployment_gate.evidence import Observation
from deployment_gate.probes.conduct import Conduct
from deployment_gate.probes.http import http_client
from deployment_gate.security.plain_http import (
    look_at_open_address,
    look_at_plain_api,
    look_at_plain_web,
)
from deployment_gate.security.rules import Looked
from tests.security import tls_servers
from tests.security.tls_servers import HOST, rules_of


@contextmanager
def answering(status: int, headers: Mapping[str, str] | None = None) -> Iterator[httpx.Client]:
    """Serve the same answer for all that is asked, and hand out who asks."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"hi")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with client_of(server.server_address[1]) as client:
            yield client
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def client_of(port: int, observed: list[Observation] | None = None) -> httpx.Client:
    """The gate's own client."""
    seen = [] if observed is None else observed
    conduct = Conduct(observe=seen.append, environment="here", allows_writing=False)
    return http_client(conduct, base_url=f"http://{HOST}:{port}", timeout_s=0.5, user_agent="tests")


def web(status: int, location: str = "") -> dict[str, str]:
    """The rules that a web interface breaks by its answer."""
    with answering(status, {"Location": location} if location else {}) as client:
        return rules_of(look_at_plain_web(client).breaches)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_web_interface_that_leads_to_https_at_its_host_breaks_nothing(status: int) -> None:
    assert web(status, f"https://{HOST}:13443/") == {}


@pytest.mark.parametrize(
    ("status", "location", "rules"),
    [
        (200, "", {"plain-http-serves-content": "high"}),
        (404, "", {"plain-http-not-redirected": "low"}),
        (308, "", {"plain-http-not-redirected": "low"}),
        (302, f"http://{HOST}/login", {"plain-http-redirect-stays-plain": "medium"}),
        (302, "/login", {"plain-http-redirect-stays-plain": "medium"}),
        (301, "https://www.example.org/", {"plain-http-redirect-leaves-host": "low"}),
        (301, f"https://{HOST}.example.org/", {"plain-http-redirect-leaves-host": "low"}),
    ],
)
def test_other_answers_of_a_web_interface_are_told_apart(
    status: int, location: str, rules: dict[str, str]
) -> None:
    assert web(status, location) == rules


@pytest.mark.parametrize(
    ("status", "rules"),
    [
        (200, {"plain-http-serves-content": "high"}),
        (401, {"plain-http-serves-content": "high"}),
        (308, {"plain-http-api-redirected": "low"}),
        (400, {}),
        (403, {}),
        (404, {}),
        (426, {}),
        (503, {}),
    ],
)
def test_an_api_must_refuse_plain_http(status: int, rules: dict[str, str]) -> None:
    headers = {"Location": f"https://{HOST}/health"} if status == 308 else {}
    with answering(status, headers) as client:
        looked = look_at_plain_api(client, ["/health"])

    assert rules_of(looked.breaches) == rules


def test_all_paths_that_are_answered_are_one_finding() -> None:
    with answering(200) as client:
        looked = look_at_plain_api(client, ["/health", "/api/me"])

    (breach,) = looked.breaches
    assert breach.places == ("api GET /health over http", "api GET /api/me over http")
    assert breach.exchange.startswith("> GET http://")
    assert breach.curl.startswith("curl ")


def test_a_port_that_takes_no_connections_is_fine() -> None:
    with tls_servers.silent() as taking:
        pass
    observed: list[Observation] = []

    with client_of(taking.server.port, observed) as client:
        assert look_at_plain_web(client) == Looked()
        assert look_at_plain_api(client, ["/health"]) == Looked()

    assert [one.error for one in observed] == ["connection refused"] * 2


def test_a_port_that_takes_connections_and_says_nothing_is_no_pass() -> None:
    with (
        tls_servers.silent() as taking,
        client_of(taking.server.port) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        look_at_plain_web(client)


def test_an_address_of_plain_http_is_told_by_itself() -> None:
    looked = look_at_open_address("api", "http://api-service:8000")

    assert rules_of(looked.breaches) == {"plain-http-only": "high"}
    assert looked.breaches[0].places == ("api api-service:8000",)
