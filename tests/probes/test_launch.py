"""Starting an environment's target, and leaving nothing of it behind."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deployment_gate.environment import Launch
from deployment_gate.probes.launch import LaunchedTarget, LaunchError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc what is running")

SERVER = """
    import http.server, os, pathlib, signal, sys
    pathlib.Path("pids").open("a").write(f"{os.getpid()}\\n")
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(503)
            self.end_headers()
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def is_running(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped doesn't."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def ends(pid: int, *, within_s: float = 5) -> bool:
    """Whether the process ends in time."""
    deadline = time.monotonic() + within_s
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(pid)


class Project:
    """A folder with scripts to launch, which write down their process ids."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.ready = f"http://127.0.0.1:{port}/health"
        self.port = port

    def script(self, text: str, name: str = "server.py") -> str:
        """Write a script; the command that runs it."""
        (self.folder / name).write_text(textwrap.dedent(text))
        return f"python {name} {self.port}"

    def launch(self, command: str | list[str], timeout_s: float = 10) -> Launch:
        """A launch section with this command."""
        return Launch(command=command, ready=self.ready, timeout=timedelta(seconds=timeout_s))

    def pids(self, count: int) -> list[int]:
        """The processes, once there are so many."""
        path = self.folder / "pids"
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if path.exists() and len(found := path.read_text().splitlines()) >= count:
                return [int(line) for line in found]
            time.sleep(0.02)
        raise AssertionError(f"fewer than {count} processes came up")


@pytest.fixture
def project(tmp_path: Path, dead_port: int) -> Iterator[Project]:
    """An empty project; whatever was launched in it is gone afterwards."""
    project = Project(tmp_path, dead_port)
    yield project
    with contextlib.suppress(FileNotFoundError):
        for line in (tmp_path / "pids").read_text().splitlines():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(line), signal.SIGKILL)


def start(project: Project, launch: Launch) -> LaunchedTarget:
    """Start what isn't running yet."""
    target = LaunchedTarget.start(launch, directory=project.folder)
    assert target is not None
    return target


def test_a_target_that_is_not_running_is_started_and_stopped(project: Project) -> None:
    target = start(project, project.launch(project.script(SERVER)))
    try:
        target.wait_until_ready()
        (pid,) = project.pids(1)
        assert is_running(pid)
        with socket.create_connection(("127.0.0.1", project.port), timeout=5):
            pass
    finally:
        target.stop()
    assert not is_running(pid)


def test_a_target_that_runs_already_is_left_alone(
    serve: Callable[..., Any], project: Project
) -> None:
    running = serve()
    launch = Launch(command="false", ready=running.url(), timeout=timedelta(seconds=5))
    assert LaunchedTarget.start(launch, directory=project.folder) is None
    assert running.requests == []


def test_a_target_that_runs_and_hangs_is_left_alone_too(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ready = f"http://127.0.0.1:{listener.getsockname()[1]}/health"
        launch = Launch(command="false", ready=ready, timeout=timedelta(seconds=5))
        assert LaunchedTarget.start(launch, directory=project.folder) is None


def test_the_command_runs_in_the_projects_folder_with_this_interpreter(project: Project) -> None:
    command = project.script(
        """
        import os, pathlib, sys
        pathlib.Path("told").write_text(f"{os.getcwd()} {sys.executable} {sys.stdin.read()!r}")
        """
    )
    target = start(project, project.launch(command))
    with pytest.raises(LaunchError, match="exit code 0 before"):
        target.wait_until_ready()
    target.stop()
    assert (project.folder / "told").read_text() == f"{project.folder} {sys.executable} ''"


@pytest.mark.parametrize("form", [str, shlex.split])
def test_a_command_may_be_a_text_or_a_list(form: Callable[[str], Any], project: Project) -> None:
    target = start(project, project.launch(form(project.script(SERVER))))
    try:
        target.wait_until_ready()
    finally:
        target.stop()


def test_what_it_started_itself_is_stopped_too(project: Project) -> None:
    server = project.script(SERVER)
    parent = project.script(
        f"""
        import os, pathlib, subprocess, sys
        pathlib.Path("pids").open("a").write(f"{{os.getpid()}}\\n")
        subprocess.run([sys.executable, *{server.split()[1:]!r}])
        """,
        "parent.py",
    )
    target = start(project, project.launch(parent))
    target.wait_until_ready()
    pids = project.pids(2)
    target.stop()
    assert all(ends(pid) for pid in pids)


def test_what_ignores_a_polite_request_is_stopped_too(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deployment_gate.probes.launch._STOP_S", 0.3)
    stubborn = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    target = start(project, project.launch(project.script(stubborn + textwrap.dedent(SERVER))))
    target.wait_until_ready()
    (pid,) = project.pids(1)
    target.stop()
    assert not is_running(pid)


def test_a_child_that_outlives_its_parent_is_stopped_too(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deployment_gate.probes.launch._CHILDREN_S", 0.3)
    stubborn = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    server = project.script(stubborn + textwrap.dedent(SERVER))
    parent = project.script(
        f"""
        import subprocess, sys
        subprocess.run([sys.executable, *{server.split()[1:]!r}])
        """,
        "parent.py",
    )
    target = start(project, project.launch(parent))
    target.wait_until_ready()
    (pid,) = project.pids(1)
    target.stop()
    assert ends(pid, within_s=2)


def test_a_command_that_ends_early_shows_its_last_lines(project: Project) -> None:
    command = project.script(
        """
        import sys
        print("\\n".join(f"line {number}" for number in range(40)))
        sys.exit("no database")
        """
    )
    target = start(project, project.launch(command))
    with pytest.raises(LaunchError) as caught:
        target.wait_until_ready()
    target.stop()
    first, *shown = str(caught.value).splitlines()
    assert first == (
        f"launch.command ended with exit code 1 before {project.ready} answered. Its last lines:"
    )
    assert len(shown) == 15
    assert "  no database" in shown
    assert "  line 39" in shown
    assert "  line 5" not in shown


def test_a_command_that_ends_early_and_says_nothing_is_told(project: Project) -> None:
    target = start(project, project.launch("false"))
    with pytest.raises(LaunchError, match=r"exit code 1 .*\n  \(none\)"):
        target.wait_until_ready()
    target.stop()


def test_a_target_that_never_gets_ready_is_told_with_the_limit(project: Project) -> None:
    command = project.script(
        """
        import os, pathlib, time
        pathlib.Path("pids").open("a").write(f"{os.getpid()}\\n")
        print("still thinking", flush=True)
        time.sleep(60)
        """
    )
    target = start(project, project.launch(command, timeout_s=0.8))
    with pytest.raises(LaunchError) as caught:
        target.wait_until_ready()
    target.stop()
    assert str(caught.value) == (
        f"launch.ready: {project.ready} did not answer within 0.8 s. Give `launch.timeout` more, "
        "or mend the command. Its last lines:\n  still thinking"
    )
    assert not is_running(*project.pids(1))


def test_something_else_than_http_at_the_port_is_not_ready(project: Project) -> None:
    command = project.script(
        """
        import os, pathlib, socket, sys
        pathlib.Path("pids").open("a").write(f"{os.getpid()}\\n")
        server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
        while True:
            connection, _ = server.accept()
            connection.sendall(b"SSH-2.0-OpenSSH_9.2\\r\\n")
            connection.close()
        """
    )
    target = start(project, project.launch(command, timeout_s=1))
    with pytest.raises(LaunchError, match="did not answer within 1 s"):
        target.wait_until_ready()
    target.stop()


def test_a_proxy_of_the_machine_is_not_asked_whether_it_is_ready(
    project: Project, monkeypatch: pytest.MonkeyPatch, serve: Callable[..., Any]
) -> None:
    proxy = serve()
    monkeypatch.setenv("http_proxy", proxy.origin)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    target = start(project, project.launch(project.script(SERVER)))
    try:
        target.wait_until_ready()
    finally:
        target.stop()
    assert proxy.requests == []


def test_a_command_that_cannot_be_started_is_told(project: Project) -> None:
    launch = project.launch("no-such-command --at 'all'")
    with pytest.raises(LaunchError) as caught:
        LaunchedTarget.start(launch, directory=project.folder)
    assert str(caught.value) == (
        "launch.command: no-such-command --at all: can't be started (No such file or directory). "
        "Write a command that is found from the project's folder."
    )


def test_a_run_that_is_killed_outright_leaves_no_target_behind(project: Project) -> None:
    project.script(SERVER)
    driver = f"""
        import datetime, pathlib, time
        from deployment_gate.environment import Launch
        from deployment_gate.probes.launch import LaunchedTarget
        launch = Launch(
            command="python server.py {project.port}",
            ready="{project.ready}",
            timeout=datetime.timedelta(seconds=10),
        )
        target = LaunchedTarget.start(launch, directory=pathlib.Path.cwd())
        target.wait_until_ready()
        print("ready", flush=True)
        time.sleep(60)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(driver)],
        cwd=project.folder,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        (pid,) = project.pids(1)
        assert is_running(pid)
        process.kill()
    assert ends(pid)
