"""The sandbox over TLS, and what it answers to who still comes by plain HTTP."""

from __future__ import annotations

import json
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.sandbox.browsing import sign_in
from tests.sandbox.handshakes import certificate, connect, taken_versions

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.sandbox.conftest import Sandbox

    Run = Callable[..., subprocess.CompletedProcess[str]]
    Start = Callable[..., Sandbox]
    Wait = Callable[..., None]

HSTS = "max-age=63072000; includeSubDomains"


def parts(sandbox: Sandbox) -> tuple[str, str]:
    """Return where both parts answer."""
    return sandbox.api, sandbox.web


def is_open(url: str) -> bool:
    """Say whether anybody takes connections there."""
    try:
        connect(url).close()
    except ConnectionRefusedError:
        return False
    return True


def test_both_parts_answer_over_tls_to_who_trusts_the_root(tls_sandbox: Sandbox) -> None:
    for url in parts(tls_sandbox):
        assert url.startswith("https://127.0.0.1:")
        assert tls_sandbox.client.get(url + "/health").json()["status"] == "healthy"
        version, ends = certificate(tls_sandbox, url)
        assert version == "TLSv1.3"
        assert timedelta(days=80) < ends - datetime.now(UTC) <= timedelta(days=90)
    assert tls_sandbox.bearer("admin")
    assert tls_sandbox.client.get(tls_sandbox.web + "/config.json").json()["api"] == tls_sandbox.api


def test_who_does_not_trust_the_root_is_warned(tls_sandbox: Sandbox) -> None:
    with httpx.Client() as stranger:
        for url in parts(tls_sandbox):
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                stranger.get(url + "/health")


def test_tls_is_no_older_than_the_intermediate_profile(tls_sandbox: Sandbox) -> None:
    for url in parts(tls_sandbox):
        assert taken_versions(url) == {"TLSv1.2", "TLSv1.3"}


@pytest.mark.parametrize("path", ["/health", "/version", "/nothing", "/.well-known/security.txt"])
def test_every_answer_asks_browsers_to_come_over_tls_from_now_on(
    tls_sandbox: Sandbox, sandbox: Sandbox, path: str
) -> None:
    for url in parts(tls_sandbox):
        headers = tls_sandbox.client.get(url + path).headers
        assert headers["strict-transport-security"] == HSTS
    for url in parts(sandbox):  # by plain HTTP it must not be sent (RFC 6797, 7.2)
        assert "strict-transport-security" not in sandbox.client.get(url + path).headers


@pytest.mark.parametrize(
    ("asked", "led_to"),
    [
        ("/", "/"),
        ("/policies/1?x=a%20b&y=%0D%0A", "/policies/1?x=a%20b&y=%0D%0A"),
        ("//evil.example/%E2%82%AC", "//evil.example/%E2%82%AC"),
        ("/login?next=http://evil.example/", "/login?next=http://evil.example/"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_plain_http_is_led_to_the_same_place_of_the_web_interface(
    tls_sandbox: Sandbox, method: str, asked: str, led_to: str
) -> None:
    plain = tls_sandbox.running["plain_url"]
    request = tls_sandbox.client.build_request(method, plain, headers={"Host": "evil.example"})
    request.url = request.url.copy_with(raw_path=asked.encode())
    answer = tls_sandbox.client.send(request)
    assert (answer.status_code, answer.content) == (308, b"")
    assert answer.headers["location"] == tls_sandbox.web + led_to
    assert "strict-transport-security" not in answer.headers


def test_plain_http_leads_nowhere_else_whatever_is_asked_for(tls_sandbox: Sandbox) -> None:
    plain = tls_sandbox.running["plain_url"]
    for target in ("http://evil.example/x", "*", "http://evil.example"):
        with connect(plain) as connection:
            method = "OPTIONS" if target == "*" else "GET"
            head = f"{method} {target} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode())
            lines = connection.recv(4096).decode().splitlines()
        located = [line for line in lines if line.lower().startswith("location: ")]
        for line in located:
            assert urlsplit(line.split(" ", 1)[1]).netloc == urlsplit(tls_sandbox.web).netloc
        assert lines[0].split()[1] in {"308", "400"}


def test_browser_works_over_tls(tls_sandbox: Sandbox, chromium: Browser) -> None:
    page = chromium.new_page(ignore_https_errors=True)
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.goto(tls_sandbox.running["plain_url"] + "/login")
    assert page.url == tls_sandbox.web + "/login"
    sign_in(page)
    expect(page.get_by_text("60 policies")).to_be_visible()
    page.close()
    assert troubles == []


def test_status_and_first_lines_name_addresses_and_root(
    tls_sandbox: Sandbox, run_command: Run
) -> None:
    told = run_command("status", "--state-dir", str(tls_sandbox.state_dir)).stdout
    for name in ("api_url", "web_url", "plain_url", "ca"):
        assert tls_sandbox.running[name] in told


def test_everything_ends_with_the_supervisor(
    running_sandbox: Start, tmp_path: Path, wait_until: Wait
) -> None:
    sandbox = running_sandbox("--tls", str(tmp_path / "made by up"), "--plain-port", "0")
    urls = [*parts(sandbox), sandbox.running["plain_url"]]
    assert [is_open(url) for url in urls] == [True] * 3
    sandbox.process.kill()
    sandbox.process.wait(10)
    wait_until(lambda: not any(is_open(url) for url in urls))


def test_signal_ends_it_as_politely_as_ever(running_sandbox: Start, tmp_path: Path) -> None:
    sandbox = running_sandbox("--tls", str(tmp_path / "tls"), "--plain-port", "0")
    sandbox.end()
    assert sandbox.process.returncode == 0
    assert sandbox.process.stderr
    assert sandbox.process.stderr.read() == b""
    assert not sandbox.state_dir.exists()


def test_plain_requests_are_in_the_access_log_too(
    running_sandbox: Start, wait_until: Wait, tmp_path: Path
) -> None:
    log = tmp_path / "access.jsonl"
    tls = ("--tls", str(tmp_path / "tls"), "--plain-port", "0")
    sandbox = running_sandbox(*tls, "--access-log", str(log))
    sandbox.client.get(sandbox.running["plain_url"] + "/search?q=a")

    def is_noted() -> bool:
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        return ("/search", 308) in [(line["path"], line["status"]) for line in lines]

    wait_until(is_noted)


def test_plain_port_without_tls_says_what_is_missing(run_command: Run, tmp_path: Path) -> None:
    told = run_command("up", "--plain-port", "0", "--state-dir", str(tmp_path / "state"))
    assert told.returncode == 1
    assert "say --tls DIR" in told.stderr


@pytest.mark.parametrize("fault", ["weak-tls", "expiring-certificate"])
def test_fault_of_tls_is_refused_where_there_is_no_tls(
    sandbox: Sandbox, run_command: Run, tmp_path: Path, fault: str
) -> None:
    for command in (
        ("fault", fault, "--state-dir", str(sandbox.state_dir)),
        ("up", "--fault", fault, "--state-dir", str(tmp_path / "state")),
    ):
        told = run_command(*command)
        assert told.returncode == 1
        assert "python -m sandbox up --tls DIR" in told.stderr


def test_expiring_certificate_works_from_the_start(running_sandbox: Start, tmp_path: Path) -> None:
    tls = ("--tls", str(tmp_path / "tls"), "--plain-port", "0")
    sandbox = running_sandbox(*tls, "--fault", "expiring-certificate")
    for url in parts(sandbox):
        left = certificate(sandbox, url)[1] - datetime.now(UTC)
        assert timedelta(days=2) < left <= timedelta(days=3)


def test_certificates_that_vanish_meanwhile_do_no_harm(
    running_sandbox: Start, tmp_path: Path
) -> None:
    sandbox = running_sandbox("--tls", str(tmp_path / "tls"), "--plain-port", "0")
    context = ssl.create_default_context(cafile=sandbox.running["ca"])
    for file in (tmp_path / "tls").iterdir():
        os.unlink(file)  # noqa: PTH108 - as a clean-up does
    with httpx.Client(verify=context) as client:
        assert client.get(sandbox.api + "/health").status_code == 200
