"""A sandbox that really runs, and the gate really run against it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

WELL = {"passed", "not_run"}
ROOT = Path(__file__).parents[2]

# The sandbox with little patience, so that a drill with a hanging target stays short.
IMPATIENT = """
extends: sandbox
health_endpoints:
  api_service: {timeout: 1s}
  web_interface: {timeout: 1s}
  database: {timeout: 1s}
  cache: {timeout: 1s}
release_identity:
  api_service: {timeout: 1s}
  web_interface: {timeout: 1s}
sampler: {interval: 100ms}
rollback_triggers:
  error_rate_threshold: {condition: Error rate > 5% for 2 seconds, timeout: 15s}
  performance_degradation: {condition: Response time > 500ms for 6 seconds, timeout: 20s}
request_timeout: 1s
api: {facts: {environment: {equals: sandbox}}}
web: null
security: {rate: 1000, odd_input: {requests: 3}}
load:
  scenarios:
    everyday: {users: 5, spawn_rate: 5, arrival_rate: 20, duration: 5s, warm_up: 1s}
    stress: null
allow: {writes: false}
launch: null
"""
# The web interface alone, on two devices, each page loaded a few times.
PAGES = """
extends: sandbox
health_endpoints: null
release_identity: null
rollback_triggers: null
web:
  pages: {policies: null, policy: null}
  devices: {phone: {width: 390, height: 844, touch: true}, desktop: {width: 1280, height: 720}}
  journeys: {filter_and_page: null}
  speed: {loads: 2}
launch: null
"""
# The same where policies may be written, without what a drill of the API has no use for.
WRITABLE = """
extends: drill
health_endpoints: null
release_identity: null
rollback_triggers: null
allow: {writes: true}
"""
# So little load that a busy machine bears it, and just long enough to judge by.
LOADED = """
extends: sandbox
health_endpoints: null
release_identity: null
rollback_triggers: null
web: null
performance_targets:
  throughput:
    api_requests: "> 80 requests/second"
    concurrent_users: "> 15 concurrent users"
load:
  sample_rate: 40
  scenarios:
    everyday: {users: 20, spawn_rate: 20, arrival_rate: 100, duration: 13s, warm_up: 2s}
    stress: null
launch: null
"""
# Security alone, in a hurry, and with little odd input.
SECURED = """
extends: {base}
health_endpoints: null
release_identity: null
rollback_triggers: null
load: null
security:
  rate: 1000
  burst: 25
  odd_input: {{requests: 3}}
launch: null
"""


@dataclass(frozen=True)
class Drill:
    """What one run of the gate left."""

    exit_code: int
    output: str
    reports: Path

    @property
    def verdict(self) -> dict[str, Any]:
        """`verdict.json`."""
        return dict(json.loads((self.reports / "verdict.json").read_text()))

    @property
    def reasons(self) -> str:
        """All reasons, a line each."""
        return "\n".join(reason["text"] for reason in self.verdict["reasons"])

    @property
    def unwell(self) -> set[str]:
        """The names of the checks that did not pass, without their files."""
        return {name for name, outcome in self.outcomes.items() if outcome not in WELL}

    @property
    def outcomes(self) -> dict[str, str]:
        """How each check ended, by its name without its file."""
        lines = (self.reports / "evidence.jsonl").read_text().splitlines()
        return {
            record["id"].rpartition("::")[2].removeprefix("test_"): record["outcome"]
            for record in map(json.loads, lines)
            if record["type"] == "outcome"
        }

    @property
    def fired(self) -> set[str]:
        """The triggers that fired."""
        return {one["name"] for one in self.verdict["triggers"] if one["state"] == "fired"}

    @property
    def not_run(self) -> set[str]:
        """The checks that were not carried out against a dead platform."""
        return {name for name, outcome in self.outcomes.items() if outcome == "not_run"}


@dataclass(frozen=True)
class Target:
    """A running sandbox."""

    state_dir: Path
    access_log: Path
    api_url: str
    web_url: str
    variables: dict[str, str] = field(default_factory=dict)
    """What else a run against it needs in its environment."""

    def set_fault(self, fault: str) -> None:
        """Break it, or mend it with `clear`."""
        subprocess.run(
            [sys.executable, "-m", "sandbox", "fault", fault, "--state-dir", str(self.state_dir)],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """One sandbox for all drills of this process."""
    folder = tmp_path_factory.mktemp("sandbox")
    state_dir, access_log = folder / "state", folder / "access.jsonl"
    command = [sys.executable, "-m", "sandbox", "up", "--api-port", "0", "--web-port", "0"]
    command += ["--state-dir", str(state_dir), "--access-log", str(access_log)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline(), "the sandbox did not start"
        state = json.loads((state_dir / "sandbox.json").read_text())
        yield Target(state_dir, access_log, state["api_url"], state["web_url"])
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture
def target(running: Target) -> Iterator[Target]:
    """The sandbox, healthy again after each drill."""
    yield running
    running.set_fault("clear")


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's environments, and those of the sandbox for drills."""
    folder = tmp_path_factory.mktemp("environments")
    for file in (ROOT / "environments").glob("*.yaml"):
        (folder / file.name).write_text(file.read_text())
    (folder / "drill.yaml").write_text(IMPATIENT)
    (folder / "writable.yaml").write_text(WRITABLE)
    (folder / "pages.yaml").write_text(PAGES)
    (folder / "loaded.yaml").write_text(LOADED)
    (folder / "secured.yaml").write_text(SECURED.format(base="sandbox"))
    (folder / "secured-tls.yaml").write_text(SECURED.format(base="sandbox-tls"))
    (folder / "hardened.yaml").write_text(
        "extends: sandbox-tls\nsecurity: {rate: 1000}\nlaunch: null\n"
    )
    return folder


@pytest.fixture
def begin_gate(
    request: pytest.FixtureRequest, environments: Path, tmp_path: Path
) -> Callable[..., subprocess.Popen[str]]:
    """Begin a run of the validation against the sandbox, or another one, as a pipeline does."""

    def begin(
        *arguments: str,
        env: str = "drill",
        marker: str = "smoke",
        meanwhile: str = "",
        api_port: int | None = None,
        target: Target | None = None,
    ) -> subprocess.Popen[str]:
        target = target or request.getfixturevalue("target")
        variables = {
            **target.variables,
            "SANDBOX_API_PORT": str(api_port or urlsplit(target.api_url).port),
            "SANDBOX_WEB_PORT": str(urlsplit(target.web_url).port),
        }
        if meanwhile:
            variables |= {"DRILL_FAULTS": meanwhile, "DRILL_STATE": str(target.state_dir)}
            arguments += ("-p", "tests.drills.meanwhile")
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "pytest", f"--env={env}", f"--env-dir={environments}"),
                *(f"--report-dir={tmp_path / 'reports'}", "-m", marker, *arguments),
                # The project's own tests need it; a third of the time of a run in four processes.
                *("-p", "no:hypothesispytest"),
            ],
            cwd=ROOT,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return begin


@pytest.fixture
def run_gate(
    begin_gate: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> Callable[..., Drill]:
    """The same, to its end."""

    def run(*arguments: str, **options: Any) -> Drill:
        with begin_gate(*arguments, **options) as process:
            try:
                output, _ = process.communicate(timeout=300)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Drill(process.returncode, output, tmp_path / "reports")

    return run
