"""A server process: takes its settings from the supervisor, serves, and dies with it."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import socket
import ssl
import sys
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from sandbox.asgi import App
from sandbox.certificates import Certificates
from sandbox.errors import SandboxError
from sandbox.fault import Part
from sandbox.settings import Settings
from sandbox.switchboard import Switchboard

if TYPE_CHECKING:
    import uvicorn

PR_SET_PDEATHSIG = 1  # linux/prctl.h
LIFELINE = 0  # standard input, a pipe that only the supervisor holds the other end of
GRACE_S = 1


def die_with_supervisor() -> None:
    """Ask the kernel to kill this process when the supervisor dies, and watch for it, too."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    Thread(target=end_at_end_of_lifeline, daemon=True).start()


def end_at_end_of_lifeline() -> None:
    """Wait until the supervisor's end of the pipe is closed, then end at once."""
    while os.read(LIFELINE, 1):
        pass
    os._exit(1)


def read_settings() -> Settings:
    """Read the supervisor's one line."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(LIFELINE, 1 << 16)
        if not piece:
            sys.exit(1)
        line += piece
    return Settings.from_line(line)


def serve(
    part: Part, listener: socket.socket, plain: socket.socket | None, settings: Settings
) -> None:
    """Serve that part of the platform until a signal ends it; by plain HTTP lead to it."""
    gc.disable()  # the imports make no garbage; collecting meanwhile costs a tenth of the start
    import_module("uvicorn")
    app = import_module(f"sandbox.{part.value}.app").create_app(settings)
    gc.freeze()
    gc.enable()
    if plain:
        leading = make_server(import_module(f"sandbox.{part.value}.plain").create_app(settings))
        # In a thread of its own it leaves signals to the server of the part itself.
        Thread(target=leading.run, kwargs={"sockets": [plain]}, daemon=True).start()
    make_server(app, make_context(part, settings)).run(sockets=[listener])


def make_context(part: Part, settings: Settings) -> ssl.SSLContext | None:
    """Return how that part does TLS; None where it doesn't."""
    if settings.tls_dir is None:
        return None
    tls = import_module("sandbox.tls")
    switchboard = Switchboard(Path(settings.state_dir) / "faults.json", part)
    context: ssl.SSLContext = tls.make_context(
        Certificates(Path(settings.tls_dir)), switchboard.flaws
    )
    return context


def make_server(app: App, context: ssl.SSLContext | None = None) -> uvicorn.Server:
    """Return a server for that application, by TLS where there is a context for it."""
    from uvicorn import Config, Server  # noqa: PLC0415 - read only when collecting waits

    config = Config(
        app,
        # uvloop 0.23 answers a tenth more, but lets single connections of a hundred wait for a
        # second: its 99th percentile is ten times that of asyncio's own loop.
        loop="asyncio",
        http="httptools",
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        ssl_context_factory=(lambda *_: context) if context else None,
    )
    return Server(config)


def main(part: str, listener_fd: int, plain_fd: int | None = None) -> None:
    """Run as `python -m sandbox.child PART FD [FD of the plain port]`."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the supervisor blocks what it waits for
    settings = read_settings()
    die_with_supervisor()
    plain = None if plain_fd is None else socket.socket(fileno=plain_fd)
    try:
        serve(Part(part), socket.socket(fileno=listener_fd), plain, settings)
    except SandboxError as error:
        sys.exit(f"sandbox: {error}")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
