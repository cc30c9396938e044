"""Faults of the web interface, as far as requests show them; drills look at them in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from tests.sandbox.browsing import PASSWORD

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox

PATHS = ("/", "/login", "/nothing", "/policies/3", "/search?q=policy")


def test_pages_are_sound_again_once_their_faults_are_cleared(sandbox: Sandbox) -> None:
    def pages() -> list[tuple[str, str]]:
        answers = [httpx.get(sandbox.web + path) for path in PATHS]
        return [(one.text, one.headers["content-security-policy"]) for one in answers]

    sound = pages()
    for fault in ("console-error", "inaccessible-form", "third-party", "visual-change"):
        sandbox.fault(fault)
    flawed = pages()
    assert all(one[1] != other[1] for one, other in zip(sound, flawed, strict=True))
    for text, policy in flawed:
        assert "unsafe" not in policy
        for name in ("console-error.js", "widget.js", "visual-change.css"):
            assert name in text
    sandbox.fault("clear")
    assert pages() == sound


def test_missing_script_is_answered_with_a_page(sandbox: Sandbox) -> None:
    address = sandbox.web + "/static/shortcuts.js"
    assert "javascript" in httpx.get(address).headers["content-type"]
    sandbox.fault("missing-script")
    answer = httpx.get(address)
    assert (answer.status_code, answer.text) == (200, httpx.get(sandbox.web + "/").text)
    sandbox.fault("clear")
    assert httpx.get(address).text.startswith("//")


def test_slow_page_delays_pages_alone(sandbox: Sandbox) -> None:
    sandbox.fault("slow-page=0.5")
    for path in ("/", "/login", "/policies/3", "/nothing"):
        assert httpx.get(sandbox.web + path).elapsed.total_seconds() >= 0.5
    for path in ("/static/app.js", "/static/style.css", "/health", "/version", "/config.json"):
        assert httpx.get(sandbox.web + path).elapsed.total_seconds() < 0.5
    assert sandbox.get("/version").elapsed.total_seconds() < 0.5


def test_login_is_refused_to_browsers_alone(sandbox: Sandbox) -> None:
    sandbox.fault("login-refused")
    credentials = {"username": "test", "password": PASSWORD}
    sign_in_at, origin = sandbox.api + "/api/v1/auth/login", {"Origin": sandbox.web}
    refused = httpx.post(sign_in_at, json=credentials, headers=origin)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid_request")
    assert refused.headers["access-control-allow-origin"] == sandbox.web
    assert sandbox.sign_in().status_code == 200
    sandbox.fault("clear")
    assert httpx.post(sign_in_at, json=credentials, headers=origin).status_code == 200
