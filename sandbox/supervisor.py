"""Starts the two server processes as one, and leaves none behind."""

import os
import select
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sandbox.certificates import Certificates, prepare
from sandbox.errors import SandboxError
from sandbox.fault import FaultSettings, Part
from sandbox.settings import Settings
from sandbox.state import (
    DATABASE,
    RunningSandbox,
    claim,
    default_state_root,
    replace_faults,
    write_running,
)

HOST = "127.0.0.1"
START_PATIENCE_S = 30.0
STOP_PATIENCE_S = 2.0
POLL_S = 0.02
HEALTH_REQUEST = b"GET /health HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n\r\n"
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(slots=True, frozen=True)
class Plan:
    """What was asked for on the command line."""

    release: str
    faults: FaultSettings
    api_port: int
    web_port: int
    database_url: str | None
    state_dir: Path | None
    access_log: Path | None
    tls_dir: Path | None = None
    plain_port: int = 0


@dataclass(slots=True, frozen=True)
class Child:
    """One of the two server processes."""

    part: Part
    process: subprocess.Popen[bytes]


def run(plan: Plan) -> int:
    """Run the sandbox in the foreground until a signal ends it; return the exit code."""
    # Blocked signals wait until they are asked for, so that none is lost while starting.
    # What the caller has ignored (nohup, a job in the background) stays ignored.
    ending = {sig for sig in ENDING if signal.getsignal(sig) is not signal.SIG_IGN}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending | {signal.SIGCHLD})
    with ExitStack() as stack:
        api = stack.enter_context(listen(plan.api_port, "--api-port"))
        web = stack.enter_context(listen(plan.web_port, "--web-port"))
        certificates, plain = None, None
        if plan.tls_dir:
            plain = stack.enter_context(listen(plan.plain_port, "--plain-port"))
            certificates = prepare(plan.tls_dir)
        state_dir = plan.state_dir or default_state_root() / f"api-{port_of(api)}"
        stack.enter_context(claim(state_dir.absolute()))
        settings = settle(plan, state_dir.absolute(), api, web, plain)
        replace_faults(state_dir, {})
        children: list[Child] = []
        stack.callback(stop, children)
        for part, listeners in ((Part.API, [api]), (Part.WEB, [web, *([plain] if plain else [])])):
            children.append(start(part, listeners, settings))
            for listener in listeners:
                listener.close()
        if not wait_until_ready(children, settings, certificates, ending):
            return 0
        replace_faults(state_dir, plan.faults)
        announce(settings, certificates, children)
        wait_for_end(children, ending)
        return 0


@contextmanager
def listen(port: int, option: str) -> Iterator[socket.socket]:
    """Listen on that port of the loopback; 0 picks a free one."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise SandboxError(
                f"Port {port} can't be used ({error.strerror}): say {option} N with another "
                f"port, or {option} 0 for a free one."
            ) from error
        listener.listen(2048)
        yield listener


def port_of(listener: socket.socket) -> int:
    """Return the port that the socket listens on."""
    port: int = listener.getsockname()[1]
    return port


def settle(
    plan: Plan,
    state_dir: Path,
    api: socket.socket,
    web: socket.socket,
    plain: socket.socket | None,
) -> Settings:
    """Fill in what is known only now: ports and places."""
    scheme = "https" if plan.tls_dir else "http"
    return Settings(
        release=plan.release,
        state_dir=str(state_dir),
        api_url=f"{scheme}://{HOST}:{port_of(api)}",
        web_url=f"{scheme}://{HOST}:{port_of(web)}",
        database_url=plan.database_url or f"sqlite:///{state_dir / DATABASE}",
        access_log=str(plan.access_log.absolute()) if plan.access_log else None,
        tls_dir=str(plan.tls_dir.absolute()) if plan.tls_dir else None,
        plain_url=f"http://{HOST}:{port_of(plain)}" if plain else None,
    )


def environment_of_children() -> dict[str, str]:
    """Return this environment; where Python may not keep bytecode beside the code, it does apart.

    Compiling all the libraries anew would double the time that a start takes.
    """
    environment = dict(os.environ)
    if environment.pop("PYTHONDONTWRITEBYTECODE", ""):
        environment.setdefault("PYTHONPYCACHEPREFIX", str(default_state_root() / "bytecode"))
    return environment


def start(part: Part, listeners: Sequence[socket.socket], settings: Settings) -> Child:
    """Start that server process and hand it its sockets and its settings."""
    handles = [listener.fileno() for listener in listeners]
    process = subprocess.Popen(  # noqa: S603 - this very package, by this very interpreter
        [sys.executable, "-m", "sandbox.child", part.value, *map(str, handles)],
        stdin=subprocess.PIPE,
        pass_fds=handles,
        env=environment_of_children(),
        start_new_session=True,  # the terminal's Ctrl-C is for the supervisor alone
        cwd=Path(__file__).parent.parent,
    )
    assert process.stdin
    process.stdin.write(settings.to_line())
    process.stdin.flush()
    return Child(part, process)


def wait_until_ready(
    children: Sequence[Child],
    settings: Settings,
    certificates: Certificates | None,
    ending: set[signal.Signals],
) -> bool:
    """Wait until both parts answer their health check; False when a signal ends the start."""
    deadline = time.monotonic() + START_PATIENCE_S
    trust = ssl.create_default_context(cafile=certificates.ca) if certificates else None
    with ExitStack() as stack:
        pending = {
            stack.enter_context(HealthQuestion(url, trust)): url
            for url in (settings.api_url, settings.web_url)
        }
        while pending:
            if signal.sigtimedwait(ending, 0):
                return False
            refuse_dead(children)
            if time.monotonic() > deadline:
                raise SandboxError(f"{', '.join(pending.values())}: no answer while starting.")
            for question in select.select(pending, (), (), POLL_S)[0]:
                status_line = question.read_status_line()
                if status_line is None:
                    continue
                if not status_line:  # the process is ending, which the next round will see
                    time.sleep(POLL_S)
                    continue
                if b" 200 " not in status_line:
                    raise SandboxError(f"{pending[question]} isn't healthy: {status_line!r}.")
                del pending[question]
    return True


class HealthQuestion:
    """A health check that was sent; the kernel holds it until the process takes connections."""

    def __init__(self, url: str, trust: ssl.SSLContext | None) -> None:
        self._connection = socket.create_connection((HOST, int(url.rpartition(":")[2])))
        self._is_asked = False
        if trust:
            self._connection = trust.wrap_socket(
                self._connection, server_hostname=HOST, do_handshake_on_connect=False
            )
        self._connection.settimeout(0)
        self.read_status_line()

    def __enter__(self) -> Self:
        """Keep the connection for the length of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._connection.close()

    def fileno(self) -> int:
        """Return the handle that tells whether there is more to read."""
        return self._connection.fileno()

    def read_status_line(self) -> bytes | None:
        """Return the first bytes of the answer; none when it was lost, None before it has come."""
        try:
            if not self._is_asked:
                if isinstance(self._connection, ssl.SSLSocket):
                    self._connection.do_handshake()
                self._connection.sendall(HEALTH_REQUEST)
                self._is_asked = True
            return self._connection.recv(64)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        except ssl.SSLCertVerificationError as error:
            raise SandboxError(
                f"The certificate isn't trusted ({error.verify_message}): remove the directory "
                "of --tls, and it is made anew."
            ) from error
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
            return b""


def refuse_dead(children: Sequence[Child]) -> None:
    """Raise an error when a server process has ended by itself."""
    for child in children:
        code = child.process.poll()
        if code is not None:
            raise SandboxError(
                f"The {child.part.value} process ended by itself (exit code {code}), "
                "so everything was stopped."
            )


def announce(
    settings: Settings, certificates: Certificates | None, children: Sequence[Child]
) -> None:
    """Leave the addresses for other commands, and print them."""
    api, web = (child.process.pid for child in children)
    state_dir = settings.state_dir
    running = RunningSandbox(
        release=settings.release,
        api_url=settings.api_url,
        web_url=settings.web_url,
        supervisor_pid=os.getpid(),
        api_pid=api,
        web_pid=web,
        state_dir=state_dir,
        plain_url=settings.plain_url,
        ca=str(certificates.ca) if certificates else None,
    )
    write_running(running)
    print(f"api   {settings.api_url}  release {settings.release}")
    print(f"web   {settings.web_url}")
    if certificates:
        print(f"plain {settings.plain_url}  leads to the web interface")
        print(f"trust SSL_CERT_FILE={certificates.ca}")
    print(f"stop  Ctrl-C, or kill {os.getpid()}")
    print(f"break python -m sandbox fault NAME --state-dir {state_dir}", flush=True)


def wait_for_end(children: Sequence[Child], ending: set[signal.Signals]) -> None:
    """Wait for a signal that ends the sandbox; raise an error when a process ends first."""
    while signal.sigwait(ending | {signal.SIGCHLD}) == signal.SIGCHLD:
        refuse_dead(children)


def stop(children: Sequence[Child]) -> None:
    """End the server processes: politely, then for certain."""
    for child in children:
        child.process.terminate()
    deadline = time.monotonic() + STOP_PATIENCE_S
    for child in children:
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
