"""Which servers of an environment are asked by TLS, and where plain http may be answered."""

from collections.abc import Callable

import pytest

from deployment_gate.environment import Environment

BOTH = "api: {base_url: '%s'}\nweb: {base_url: '%s', pages: {start: /}}\n"


@pytest.mark.parametrize(
    ("api", "web", "servers"),
    [
        (
            "https://api.example.org",
            "https://example.org:8443",
            {"api": ("api.example.org", 443), "web": ("example.org", 8443)},
        ),
        ("https://example.org/v1", "https://example.org:443", {"api": ("example.org", 443)}),
        ("http://example.org", "https://example.org", {"web": ("example.org", 443)}),
        ("https://[::1]:8443", "http://127.0.0.1", {"api": ("::1", 8443)}),
        ("http://127.0.0.1", "http://localhost", {}),
    ],
)
def test_each_https_server_is_looked_at_once(
    api: str, web: str, servers: object, load: Callable[..., Environment]
) -> None:
    assert load(BOTH % (api, web)).tls_servers == servers


@pytest.mark.parametrize(
    ("address", "is_open"),
    [
        ("http://example.org", True),
        ("http://10.0.0.1:8000", True),
        ("http://127.example.org", True),
        ("https://example.org", False),
        ("http://127.0.0.1:8000", False),
        ("http://127.8.8.8", False),
        ("http://[::1]:8000", False),
        ("http://localhost:8000", False),
        ("http://api.localhost", False),
    ],
)
def test_plain_http_to_another_machine_is_open(
    address: str, *, is_open: bool, load: Callable[..., Environment]
) -> None:
    environment = load(f"api: {{base_url: '{address}'}}\n")

    assert environment.open_addresses == ({"api": address} if is_open else {})


@pytest.mark.parametrize(
    ("api", "web", "more", "addresses"),
    [
        (
            "https://api.example.org",
            "https://example.org:443",
            "",
            {"api": "http://api.example.org", "web": "http://example.org"},
        ),
        ("https://api.example.org:8443", "http://example.org", "", {}),
        (
            "https://api.example.org",
            "https://example.org:8443",
            "security: {plain_http: {web: 'http://example.org:8080'}}\n",
            {"api": "http://api.example.org", "web": "http://example.org:8080"},
        ),
    ],
)
def test_plain_http_is_where_it_is_written_or_at_port_80_beside_443(
    api: str, web: str, more: str, addresses: object, load: Callable[..., Environment]
) -> None:
    assert load(BOTH % (api, web) + more).plain_http == addresses


def test_an_environment_without_api_and_web_has_no_servers(
    load: Callable[..., Environment], minimal: str
) -> None:
    environment = load(minimal)

    assert not environment.tls_servers
    assert not environment.open_addresses
    assert not environment.plain_http
