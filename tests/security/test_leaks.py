"""Headers that tell of products are told, and bare names of servers aren't."""

from __future__ import annotations

import pytest

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.leaks import TELLING, look_at_leaks, telling_headers
from tests.security.answered import SOUND, answered, these


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("Server", "nginx/1.18.0", ["Server: nginx/1.18.0"]),
        ("Server", "Apache/2.4.52 (Ubuntu)", ["Server: Apache/2.4.52 (Ubuntu)"]),
        ("Server", "Microsoft-IIS/10.0", ["Server: Microsoft-IIS/10.0"]),
        ("Server", "Jetty(9.4.51)", ["Server: Jetty(9.4.51)"]),
        ("Server", "nginx", []),
        ("server", "uvicorn", []),
        ("Server", "cloudflare", []),
        ("X-Powered-By", "Express", ["X-Powered-By: Express"]),
        ("x-aspnet-version", "4.0.30319", ["x-aspnet-version"]),
        ("X-Envoy-Upstream-Service-Time", "12", ["X-Envoy-Upstream-Service-Time"]),
        ("X-Generator", "Drupal 10", ["X-Generator: Drupal 10"]),
        ("X-Release", "1.5.0", []),
        ("X-Request-Id", "abc", []),
    ],
)
def test_a_header_that_tells_of_a_product_is_told(name: str, value: str, told: list[str]) -> None:
    assert [*telling_headers(answered((name, value), *SOUND))] == told


def test_they_are_one_breach_that_only_warns() -> None:
    both = [("Server", "nginx/1.18.0"), ("X-Powered-By", "Express 4.17.1")]
    answers = [answered(*both), answered(*both, html=False, status=404), answered(*SOUND)]

    (breach,) = look_at_leaks(these(*answers)).breaches

    assert breach.severity is FindingSeverity.LOW
    assert breach.detail == "Server: nginx/1.18.0, X-Powered-By: Express 4.17.1"
    assert breach.places == ("web GET /", "api GET / (404)")


def test_the_list_is_that_of_some_seventy_names_without_source_maps() -> None:
    assert len(TELLING) > 60
    assert not {"sourcemap", "x-sourcemap", "server"} & TELLING
