"""A real server on loopback whose answers a test makes up, and which keeps a log of requests."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO


class Hang(Exception):  # noqa: N818  # a way to answer, not an error
    """Raised by an answer that never comes."""


class Reset(Exception):  # noqa: N818
    """Raised by an answer that is cut off by a TCP reset; its argument is what comes before."""


class Close(Exception):  # noqa: N818
    """Raised by an answer after which the connection ends; its argument is what comes before."""


@dataclass(frozen=True, slots=True)
class Request:
    """What reached the server."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Request], bytes | Iterator[bytes]]


@dataclass
class Target:
    """A small HTTP server whose answers a test makes up byte by byte.

    Attributes:
        answer: Makes the answer to a request.
        requests: What reached it.
        connections: How many connections were made to it.
        sent: How many bytes it sent.
        most_at_once: How many requests it was answering at one time, at most.
    """

    answer: Answer
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    sent: int = 0
    most_at_once: int = 0
    _at_once: int = 0
    _open: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def origin(self) -> str:
        """Its address without a path."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self._socket.getsockname()[1]}"

    def url(self, path: str = "/health") -> str:
        """An address on it."""
        return self.origin + path

    def close(self) -> None:
        """End it, and every connection to it."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._threads[0].join()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            with self._lock:
                self.connections += 1
                self._open.append(connection)
                self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            with contextlib.closing(connection.makefile("rb")) as stream:
                while not self._over.is_set() and self._answer_one(connection, stream):
                    pass
        except Reset as reset:
            for part in reset.args:
                connection.sendall(part)
            # A linger of no time makes close() send a reset.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except Close as close:
            connection.sendall(close.args[0])
        except Hang:
            self._over.wait()
        except (OSError, ValueError):
            pass  # the client went away or speaks no HTTP, or this server was closed
        finally:
            connection.close()

    def _answer_one(self, connection: socket.socket, stream: BinaryIO) -> bool:
        request = _read_request(stream)
        if request is None:
            return False
        with self._lock:
            self.requests.append(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            answer = self.answer(request)
        finally:
            with self._lock:
                self._at_once -= 1
        if request.method == "HEAD" and isinstance(answer, bytes):
            answer = answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        for part in [answer] if isinstance(answer, bytes) else answer:
            connection.sendall(part)
            self.sent += len(part)
        return True


def _read_request(stream: BinaryIO) -> Request | None:
    line = stream.readline()
    if not line:
        return None
    method, path, _ = line.decode().split()
    headers = {}
    while text := stream.readline().decode().strip():
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body)


def http(body: bytes | str = b"{}", status: int = 200, **headers: str) -> bytes:
    """An HTTP answer; headers' underscores become hyphens."""
    content = body.encode() if isinstance(body, str) else body
    shown = {"content-type": "application/json", "content-length": str(len(content))} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in shown.items())]
    return "\r\n".join([*lines, "", ""]).encode() + content


Serve = Callable[..., Target]
"""How a test starts a target, by the fixture `serve`."""

Http = Callable[..., bytes]
"""How a test makes an answer, by the fixture `answer`."""
