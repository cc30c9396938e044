"""Health endpoints are found, and only what is one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from deployment_gate.discovery import account_of
from deployment_gate.discovery.errors import DiscoveryError
from deployment_gate.discovery.platform import HealthFound, Platform
from tests.discovery.conftest import Look, page, told
from tests.probes.target import Target, http

Serve = Callable[..., Target]


def paths(look: Look, target: Target) -> list[str]:
    """The paths of what was found."""
    return [one.url.removeprefix(target.origin) for one in look(target.origin).health]


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/health", told({"status": "healthy"})),
        ("/healthz", http("ok", content_type="text/plain")),
        ("/actuator/health", told({"status": "UP", "components": {"db": {"status": "UP"}}})),
        ("/api/health", told({"status": "pass"}, content_type="application/health+json")),
        ("/-/healthy", http("Prometheus Server is Healthy.\n", content_type="text/plain")),
        ("/__heartbeat__", told({"storage": True})),
        ("/ping", http("pong", content_type="text/plain")),
    ],
)
def test_a_usual_health_endpoint_is_found(
    path: str, answer: bytes, serve: Serve, look: Look
) -> None:
    assert paths(look, serve({path: answer})) == [path]


def test_one_with_two_addresses_is_found_once_and_alive_and_ready_are_two(
    serve: Serve, look: Look
) -> None:
    state = told({"status": "ok"})
    target = serve(dict.fromkeys(["/health", "/healthz", "/livez", "/readyz", "/status"], state))

    assert paths(look, target) == ["/health", "/readyz", "/livez"]


def test_one_that_is_not_well_now_is_found_with_what_it_said(serve: Serve, look: Look) -> None:
    target = serve({"/health": told({"status": "DOWN"}, 503)})

    (found,) = look(target.origin).health

    assert found.said == "answered 503 and reports itself down; expected 200: it isn't well now"


def test_the_address_of_a_health_endpoint_may_be_given(serve: Serve, look: Look) -> None:
    target = serve({"/ops/health": told({"status": "ok"})})

    (found,) = look(f"{target.origin}/ops/health").health

    assert (found.name, found.url) == ("ops_health", f"{target.origin}/ops/health")


def test_a_single_page_application_has_none(serve: Serve, look: Look, no_browser: None) -> None:
    del no_browser
    target = serve({}, otherwise=page("<div id=root></div><script></script>"))

    found = look(target.origin)

    assert [(one.url, one.is_page, one.is_stand_in) for one in found.health] == [
        (target.origin, True, True)
    ]
    assert found.releases == ()
    assert found.api is None


def test_one_beside_a_single_page_application_is_found(
    serve: Serve, look: Look, no_browser: None
) -> None:
    del no_browser
    target = serve({"/api/health": told({"status": "ok"})}, otherwise=page("<div id=root></div>"))

    assert paths(look, target) == ["/api/health"]


@pytest.mark.parametrize("differs", [False, True])
def test_what_answers_any_path_alike_has_none(*, differs: bool, serve: Serve, look: Look) -> None:
    numbers = count()

    def anything(_request: object) -> bytes:
        return told({"status": "ok", "request": next(numbers) if differs else 0})

    found = look(serve({}, otherwise=anything).origin)

    assert [one.is_stand_in for one in found.health] == [True]


def test_a_server_with_nothing_is_an_error_that_says_what_to_do(serve: Serve, look: Look) -> None:
    target = serve({})

    with pytest.raises(DiscoveryError) as caught:
        look(target.origin)

    assert "answered 404 to" in str(caught.value)
    assert "Name the address that people use" in str(caught.value)


def test_one_that_refuses_everything_is_an_error_that_says_what_to_do(
    serve: Serve, look: Look
) -> None:
    target = serve({}, otherwise=told({}, 401, www_authenticate='Bearer realm="shop"'))

    with pytest.raises(DiscoveryError, match=r"answered 401 to .* Name a path that anybody may"):
        look(target.origin)


def test_one_that_leads_elsewhere_is_an_error_that_names_where(serve: Serve, look: Look) -> None:
    other = serve({}, otherwise=told({"status": "ok"}))
    target = serve({}, otherwise=http("", 302, location=f"{other.origin}/start?from=shop"))

    with pytest.raises(DiscoveryError, match=r"leads elsewhere.*deployment-gate init") as caught:
        look(target.origin)

    assert str(caught.value).endswith(f"deployment-gate init {other.origin}/start")
    assert other.requests == []


def test_no_words_of_a_target_control_the_terminal(serve: Serve, look: Look) -> None:
    target = serve({}, otherwise=http("", 302, location="http://\x1b[2Jevil.example/"))

    with pytest.raises(DiscoveryError) as caught:
        look(target.origin)

    assert "\x1b" not in str(caught.value)


def test_the_account_at_the_end_names_what_was_found_and_what_comes_next(tmp_path: Path) -> None:
    health = HealthFound(name="api", url="https://shop.example/health", said="said \x1b[2J")
    platform = Platform(address="https://shop.example", health=(health,), requests=7)

    told_ = account_of(platform, "shop", tmp_path / "shop.yaml", variables={})

    assert "health     https://shop.example/health said  [2J" in told_
    assert f"deployment-gate explain shop --env-dir={tmp_path}" in told_
    assert f"pytest --env=shop --env-dir={tmp_path} -m smoke" in told_
