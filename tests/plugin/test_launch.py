"""A target that isn't running yet is started, and stopped again."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project, Target

SERVER = """
    import http.server, os, pathlib, sys

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"status": "ok"}')

    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    pathlib.Path("pid").write_text(str(os.getpid()))
    server.serve_forever()
"""

ENVIRONMENT = """
    health_endpoints:
      service: {{url: "http://127.0.0.1:{port}/health", timeout: 1s}}
    launch:
      command: {command}
      ready: http://127.0.0.1:{port}/health
      timeout: 10s
"""


@pytest.fixture
def port() -> int:
    """A port that nothing listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def launching(project: Project, port: int) -> Project:
    """A project whose target is started by the run."""
    project.write("server.py", SERVER)
    command = f"python server.py {port}"
    project.write("environments/here.yaml", ENVIRONMENT.format(port=port, command=command))
    return project


def is_running(pid: int) -> bool:
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["here", "with workers"])
def test_a_target_that_is_not_running_is_started_and_stopped(
    launching: Project, workers: list[str]
) -> None:
    done = launching.run(*workers)
    assert done.exit_code == 0
    assert "here isn't running; starting it: python server.py" in done.output
    assert not is_running(int((launching.path / "pid").read_text()))


def test_a_target_that_is_running_is_used_and_left_running(
    project: Project, target: Target
) -> None:
    project.environment(f"launch: {{command: touch launched, ready: {target.url}/health/api}}\n")
    done = project.run()
    assert done.exit_code == 0
    assert not (project.path / "launched").exists()
    assert target.counts["GET /health/api"] == 2, "before the checks and after them"


def test_a_target_that_was_started_ends_with_a_run_that_is_ended(launching: Project) -> None:
    launching.check(
        "import pathlib, time\ndef test_it():\n    pathlib.Path('on').touch()\n    time.sleep(30)\n"
    )
    with launching.running() as process:
        launching.wait_for("on")
        pid = int((launching.path / "pid").read_text())
        assert is_running(pid)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert not is_running(pid)
    assert launching.reports().verdict["verdict"] == "hold"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("sh -c 'echo no database; exit 3'", "launch.command ended with exit code 3"),
        ("no-such-program --now", "launch.command: no-such-program --now: can't be started"),
    ],
    ids=["ends", "is not there"],
)
def test_a_launch_that_fails_is_a_hold_that_says_why(
    project: Project, port: int, command: str, message: str
) -> None:
    project.write("environments/here.yaml", ENVIRONMENT.format(port=port, command=f'"{command}"'))
    done = project.run()
    assert done.exit_code == 4
    assert message in done.output
    assert message in done.reports.why
    assert done.reports.is_red
    if "echo" in command:
        assert "no database" in done.output
        assert "no database" in done.reports.why
