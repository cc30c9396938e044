"""A platform that misbehaves on request, and a project whose checks look at it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from pathlib import Path
from textwrap import dedent
from typing import Any
from xml.etree import ElementTree as ET

import pytest

PATIENCE_S = 60.0
REPORTS = (
    "verdict.json",
    "junit.xml",
    "report.html",
    "evidence.jsonl",
    "summary.md",
    "findings.sarif",
)

HEALTH_CHECK = """
    import pytest

    pytestmark = pytest.mark.smoke

    def test_endpoint_is_healthy(health_endpoint):
        assert health_endpoint.is_healthy, health_endpoint.account
"""

ENVIRONMENT = """
description: a target of the tests
health_endpoints:
  api_service: {url: "TARGET/health/api", timeout: 500ms}
  database: {url: "TARGET/health/database", timeout: 500ms}
rollback_triggers:
  health_check_failure:
    - condition: "Health check fails for 3 consecutive attempts"
    - action: "Automatic rollback to previous version"
    - timeout: "5 seconds"
sampler: {interval: 50ms}
request_timeout: 1s
check_timeout: 30s
"""


@dataclass(frozen=True)
class Reply:
    """One answer of the platform."""

    status: int = 200
    body: str = '{"status": "ok"}'
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    is_hanging: bool = False


class Target:
    """The platform: healthy, until a test says otherwise for a path."""

    def __init__(self) -> None:
        self.answers: dict[str, Iterator[Reply]] = {}
        self.requests: list[str] = []
        self._lock = threading.Lock()
        self._released = threading.Event()
        target = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                reply = target.take(f"{self.command} {self.path.partition('?')[0]}")
                if reply.is_hanging:
                    target.wait_for_release()
                    return
                self.send_response(reply.status)
                body = reply.body.encode()
                fixed = {"Content-Type": reply.content_type, "Content-Length": str(len(body))}
                for name, value in {**fixed, **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = handle_any  # noqa: N815  # http.server's names

            def log_message(self, *_: object) -> None:
                """Keep the terminal for the tests."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                """A client that went away is no error of the platform's."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def take(self, request: str) -> Reply:
        """Note a request and answer what comes next for its path."""
        with self._lock:
            self.requests.append(request)
            return next(self.answers.get(request.partition(" ")[2], repeat(Reply())))

    def wait_for_release(self) -> None:
        """Hang until the test ends."""
        self._released.wait(PATIENCE_S)

    @property
    def counts(self) -> Counter[str]:
        """How often each request came."""
        return Counter(self.requests)

    def close(self) -> None:
        """Let go of whatever hangs, and end."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass(frozen=True)
class Reports:
    """What a run left in its folder."""

    path: Path

    def __getitem__(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")

    @property
    def texts(self) -> dict[str, str]:
        """The six files of the contract."""
        return {name: self[name] for name in REPORTS}

    @property
    def verdict(self) -> dict[str, Any]:
        """What `verdict.json` holds."""
        return dict(json.loads(self["verdict.json"]))

    @property
    def why(self) -> str:
        """The reasons, a line each."""
        return "\n".join(reason["text"] for reason in self.verdict["reasons"])

    @property
    def evidence(self) -> list[dict[str, Any]]:
        """The records of `evidence.jsonl`."""
        return [json.loads(line) for line in self["evidence.jsonl"].splitlines()]

    def observations(self, kind: str) -> list[dict[str, Any]]:
        """The observations of one kind."""
        seen = [record for record in self.evidence if record["type"] == "observation"]
        return [record for record in seen if record["kind"] == kind]

    @property
    def outcomes(self) -> dict[str, str]:
        """How each check ended, by its short name."""
        return {
            record["id"].rpartition("::")[2]: record["outcome"]
            for record in self.evidence
            if record["type"] == "outcome"
        }

    @property
    def left_out(self) -> dict[str, str]:
        """Why a check was left out, by its short name."""
        return {
            record["id"].rpartition("::")[2]: record["left_out"]
            for record in self.evidence
            if record["type"] == "check" and "left_out" in record
        }

    @property
    def junit(self) -> ET.Element:
        """The tree of `junit.xml`."""
        return ET.fromstring(self["junit.xml"])  # noqa: S314  # this project's own

    @property
    def is_red(self) -> bool:
        """Whether a pipeline that reads nothing but `junit.xml` stops."""
        root = self.junit
        suites = [root] if root.tag == "testsuite" else root.findall("testsuite")
        counted = sum(
            int(suite.get("failures", "0")) + int(suite.get("errors", "0")) for suite in suites
        )
        found = [*root.iter("failure"), *root.iter("error")]
        assert (counted > 0) == bool(found), "the suite's numbers contradict its cases"
        return bool(found)


@dataclass(frozen=True)
class Run:
    """What a user sees of a run that has ended."""

    exit_code: int
    output: str
    reports: Reports


class Project:
    """A small project that validates the platform."""

    def __init__(self, pytester: pytest.Pytester, target: Target) -> None:
        self._pytester = pytester
        self._target = target
        self.path = pytester.path
        self.write(
            "pytest.ini",
            """
            [pytest]
            testpaths = validation
            addopts = --strict-config --strict-markers -p no:hypothesispytest -p no:anyio
            filterwarnings = error
            """,
        )
        self.environment()
        self.write("validation/health/test_endpoints.py", HEALTH_CHECK)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    def environment(self, more: str = "", *, name: str = "here") -> None:
        """Write an environment file: the usual one, and what a test needs beside."""
        text = ENVIRONMENT + dedent(more)
        self.write(f"environments/{name}.yaml", text.replace("TARGET", self._target.url))

    def check(self, text: str, *, category: str = "health", name: str = "more") -> None:
        """Write a file of checks."""
        self.write(f"validation/{category}/test_{name}.py", "import pytest\n" + dedent(text))

    def failing_check(self, text: str) -> None:
        """Write a check that fails and whose category no trigger is about, so that it holds."""
        self.environment("api: {base_url: TARGET}\n")
        self.check(f"{text}\ndef test_passes():\n    pass\n", category="api")

    def conftest(self, text: str) -> None:
        """Write the project's own conftest."""
        self.write("conftest.py", text)

    def reports(self, name: str = "here") -> Reports:
        """What runs leave for an environment."""
        return Reports(self.path / "reports" / name)

    def run(self, *arguments: str, env: str | None = "here") -> Run:
        """Run pytest to its end."""
        given = [f"--env={env}"] if env else []
        done = self._pytester.runpytest_subprocess(*given, *arguments, timeout=PATIENCE_S)
        return Run(int(done.ret), f"{done.stdout}\n{done.stderr}", self.reports(env or "sandbox"))

    @contextmanager
    def running(self, *arguments: str, is_leading: bool = False) -> Iterator[subprocess.Popen[str]]:
        """Run pytest meanwhile, maybe leading a process group; what is left ends with the block."""
        command = [sys.executable, "-m", "pytest", "--env=here", *arguments]
        with subprocess.Popen(
            command,
            cwd=self.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=is_leading,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def wait_for(self, name: str) -> None:
        """Wait until a check has written a file."""
        deadline = time.monotonic() + PATIENCE_S
        while not (self.path / name).exists():
            assert time.monotonic() < deadline, f"{name} was never written"
            time.sleep(0.02)


@pytest.fixture(scope="session")
def bytecode(pytestconfig: pytest.Config) -> Path:
    """One cache of bytecode for all subprocesses: they start three times as fast by it."""
    return pytestconfig.rootpath / ".pytest_cache" / "bytecode"


@pytest.fixture
def target() -> Iterator[Target]:
    """The platform, on a free port of this machine."""
    target = Target()
    yield target
    target.close()


@pytest.fixture
def project(
    pytester: pytest.Pytester,
    target: Target,
    bytecode: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Project:
    """A project of the test's own, in a folder of its own."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(bytecode))
    monkeypatch.setenv("COLUMNS", "200")
    return Project(pytester, target)
