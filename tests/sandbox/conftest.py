"""Sandboxes that really run, each with a state directory of its own, and a browser."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.servers import PostgreSQL, wait_for

ROOT = Path(__file__).parents[2]
PASSWORDS = {
    "test": "test-password-of-the-sandbox",
    "admin": "admin-password-of-the-sandbox",
}


def command(*arguments: str) -> list[str]:
    """Return the command line of the sandbox."""
    return [sys.executable, "-m", "sandbox", *arguments]


def say(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the sandbox to its end."""
    return subprocess.run(
        command(*arguments),
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@dataclass
class Sandbox:
    """A sandbox that runs, and what one can do with it."""

    process: subprocess.Popen[bytes]
    state_dir: Path
    running: dict[str, Any]
    start_up_s: float
    client: httpx.Client

    @property
    def api(self) -> str:
        """The API's address."""
        return str(self.running["api_url"])

    @property
    def web(self) -> str:
        """The web interface's address."""
        return str(self.running["web_url"])

    @property
    def pids(self) -> list[int]:
        """The processes that it is."""
        return [self.running[name] for name in ("supervisor_pid", "api_pid", "web_pid")]

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Ask the API."""
        return self.client.get(self.api + path, **options)

    def sign_in(self, username: str = "test", password: str | None = None) -> httpx.Response:
        """Ask the API for a token."""
        credentials = {"username": username, "password": password or PASSWORDS[username]}
        return self.client.post(self.api + "/api/v1/auth/login", json=credentials)

    def bearer(self, username: str = "test") -> dict[str, str]:
        """Sign in and return the header that says so."""
        return {"Authorization": f"Bearer {self.sign_in(username).json()['access_token']}"}

    def fault(self, text: str) -> None:
        """Set a fault, or clear them."""
        done = say("fault", text, "--state-dir", str(self.state_dir))
        assert done.returncode == 0, done.stderr

    def end(self) -> None:
        """End it as a service manager does."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


def ask_by(running: dict[str, Any]) -> httpx.Client:
    """Return a client that trusts the sandbox where it has certificates, and nobody else."""
    trust = ssl.create_default_context(cafile=running["ca"]) if running["ca"] else False
    return httpx.Client(timeout=10, verify=trust)


@contextmanager
def started(state_dir: Path, *arguments: str) -> Iterator[Sandbox]:
    """Start a sandbox on free ports; end it after the block."""
    began = time.monotonic()
    ports = ("--api-port", "0", "--web-port", "0", "--state-dir", str(state_dir))
    with subprocess.Popen(
        command("up", *ports, *arguments), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        lines = [process.stdout.readline() for _ in range(4)]
        assert lines[-1], process.stderr.read().decode()
        running = json.loads((state_dir / "sandbox.json").read_text())
        sandbox = Sandbox(process, state_dir, running, time.monotonic() - began, ask_by(running))
        try:
            yield sandbox
        finally:
            sandbox.client.close()
            if process.poll() is None:
                sandbox.end()


@pytest.fixture
def running_sandbox(tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    """Start sandboxes of the test's own."""
    with ExitStack() as stack:

        def start(*arguments: str, state_dir: Path = tmp_path / "state") -> Sandbox:
            return stack.enter_context(started(state_dir, *arguments))

        yield start


@pytest.fixture(scope="session")
def healthy_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox that many tests share."""
    with started(tmp_path_factory.mktemp("sandbox") / "state") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(healthy_sandbox: Sandbox) -> Iterator[Sandbox]:
    """Hand out the shared sandbox; whatever a test breaks is mended."""
    yield healthy_sandbox
    if json.loads((healthy_sandbox.state_dir / "faults.json").read_text()):
        healthy_sandbox.fault("clear")


@pytest.fixture(scope="session")
def lasting_tls_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox that many tests share, and that answers over TLS."""
    directory = tmp_path_factory.mktemp("sandbox-tls")
    tls = ("--tls", str(directory / "certificates"), "--plain-port", "0")
    with started(directory / "state", *tls) as sandbox:
        yield sandbox


@pytest.fixture
def tls_sandbox(lasting_tls_sandbox: Sandbox) -> Iterator[Sandbox]:
    """Hand out the shared one; whatever a test breaks is mended."""
    yield lasting_tls_sandbox
    if json.loads((lasting_tls_sandbox.state_dir / "faults.json").read_text()):
        lasting_tls_sandbox.fault("clear")


@pytest.fixture(scope="session")
def postgresql_url(postgresql_server: PostgreSQL) -> str:
    """A database of a real PostgreSQL server of the tests' own."""
    return postgresql_server.url()


@pytest.fixture(scope="session")
def postgresql_sandbox(
    postgresql_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sandbox]:
    """One sandbox whose database is PostgreSQL."""
    state_dir = tmp_path_factory.mktemp("sandbox-postgresql") / "state"
    with started(state_dir, "--database-url", postgresql_url) as sandbox:
        yield sandbox


@pytest.fixture(params=["sqlite", "postgresql"])
def either_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Hand out a shared sandbox of each kind of database in turn."""
    names = {"sqlite": "healthy_sandbox", "postgresql": "postgresql_sandbox"}
    sandbox: Sandbox = request.getfixturevalue(names[request.param])
    yield sandbox
    if json.loads((sandbox.state_dir / "faults.json").read_text()):
        sandbox.fault("clear")


@pytest.fixture(scope="session")
def start_sandbox() -> Callable[..., AbstractContextManager[Sandbox]]:
    """Start a sandbox for the length of a block."""
    return started


@pytest.fixture(scope="session")
def run_command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command of the sandbox to its end."""
    return say


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., None]:
    """Wait until something has become true."""
    return wait_for


@pytest.fixture(scope="module")
def browser_page(chromium: Browser) -> Page:
    """A page of a real browser."""
    return chromium.new_page()


@pytest.fixture
def page(browser_page: Page, sandbox: Sandbox) -> Iterator[Page]:
    """A page of a visitor who is signed out."""
    browser_page.goto(sandbox.web + "/version")
    browser_page.evaluate("sessionStorage.clear()")
    yield browser_page
    browser_page.goto("about:blank")
