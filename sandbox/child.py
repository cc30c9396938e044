"""A server process: takes its settings from the supervisor, serves, and dies with it."""

import ctypes
import gc
import os
import signal
import socket
import sys
from importlib import import_module
from threading import Thread

from sandbox.errors import SandboxError
from sandbox.settings import Settings

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


def serve(part: str, listener: socket.socket, settings: Settings) -> None:
    """Serve that part of the platform until a signal ends it."""
    gc.disable()  # the imports make no garbage; collecting meanwhile costs a tenth of the start
    uvicorn = import_module("uvicorn")
    app = import_module(f"sandbox.{part}.app").create_app(settings)
    gc.freeze()
    gc.enable()
    config = uvicorn.Config(
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
    )
    uvicorn.Server(config).run(sockets=[listener])


def main(part: str, listener_fd: int) -> None:
    """Run as `python -m sandbox.child PART FD`."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the supervisor blocks what it waits for
    settings = read_settings()
    die_with_supervisor()
    try:
        serve(part, socket.socket(fileno=listener_fd), settings)
    except SandboxError as error:
        sys.exit(f"sandbox: {error}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
