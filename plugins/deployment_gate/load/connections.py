"""HTTP/1.1 as Locust's client speaks it, without what that does besides.

Its own client asks again by itself, once for each connection of its pool: on a target that breaks
connections it would hide errors and multiply the load.
"""

import json
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import gevent
import gevent.socket
from geventhttpclient.response import HTTPConnectionClosed, HTTPSocketResponse

_BLOCK = 65_536


class Answer:
    """What was answered.

    Attributes:
        status: The HTTP status.
        body: What came with it.
    """

    __slots__ = ("body", "status")

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body's value.

        Raises:
            ValueError: It is no JSON.
        """
        return json.loads(self.body)


class Connections:
    """The connections of one user to the target, used again and again.

    Args:
        host: The target's base address.
        timeout_s: How long one request may take, in seconds.
    """

    def __init__(self, host: str, timeout_s: float) -> None:
        parts = urlsplit(host)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{host!r} is no address of a target. Write http://HOST:PORT")
        self._name = parts.hostname
        self._address = (parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._timeout_s = timeout_s
        self._prefix = parts.path.rstrip("/")
        self._head = f" HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\n"
        self._idle: list[gevent.socket.socket] = []

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """Ask once.

        Raises:
            TimeoutError: There was no whole answer in time.
            OSError: The connection failed.
            ValueError: The answer is no HTTP, or a header can't be sent.
        """
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        if body is not None:
            fields += f"Content-Length: {len(body)}\r\n"
        head = f"{method} {self._prefix}{path}{self._head}{fields}\r\n"
        if head.count("\n") != len(headers) + 3 + (body is not None):
            raise ValueError("a request's path or header has a line break")
        with gevent.Timeout(self._timeout_s, TimeoutError("no answer in time")):
            return self._ask(method, head.encode("latin-1") + (body or b""))

    def close(self) -> None:
        """End those that no request uses."""
        while self._idle:
            self._idle.pop().close()

    def _ask(self, method: str, request: bytes) -> Answer:
        while self._idle:
            # The target may have closed it meanwhile: then, and only then, by another.
            try:
                return self._ask_by(self._idle.pop(), method, request)
            except (HTTPConnectionClosed, ConnectionResetError, BrokenPipeError):
                if method != "GET":
                    raise
        return self._ask_by(self._connect(), method, request)

    def _connect(self) -> gevent.socket.socket:
        connection = gevent.socket.create_connection(self._address)
        connection.setsockopt(gevent.socket.IPPROTO_TCP, gevent.socket.TCP_NODELAY, 1)
        if self._tls:
            return self._tls.wrap_socket(connection, server_hostname=self._name)
        return connection

    def _ask_by(self, connection: gevent.socket.socket, method: str, request: bytes) -> Answer:
        is_whole = False
        try:
            connection.sendall(request)
            response = HTTPSocketResponse(connection, block_size=_BLOCK, method=method)
            body = bytes(response.read())
            is_whole = not response.should_close()
            return Answer(int(response.get_code()), body)
        finally:
            if is_whole:
                self._idle.append(connection)
            else:
                connection.close()
