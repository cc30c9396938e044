"""A healthy platform behind a link that loses one request in a hundred is never rolled back."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest

LOST = 0.01
LASTS_S = 30
_HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}


class JitteryLink:
    """Passes requests on to an API; of some, the connection breaks before the answer."""

    def __init__(self, url: str) -> None:
        self.lost = self.passed = 0
        link, random, lock = self, Random(4), threading.Lock()  # noqa: S311  # the same each time
        address = urlsplit(url).netloc

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self) -> None:
                with lock:
                    is_lost = random.random() < LOST
                    link.lost += is_lost
                    link.passed += not is_lost
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if is_lost:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                behind = HTTPConnection(address, timeout=10)
                behind.request(self.command, self.path, body, dict(self.headers))
                answer = behind.getresponse()
                content = answer.read()
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in _HOP_BY_HOP:
                        self.send_header(name, value)
                length = answer.headers.get("Content-Length", "0")
                is_bodiless = self.command == "HEAD"
                self.send_header("Content-Length", length if is_bodiless else str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                behind.close()

            do_GET = do_POST = do_HEAD = do_OPTIONS = do_PUT = do_DELETE = pass_on  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Keep the terminal for the tests."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                """A client that went away is no error."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def link(running: Any) -> Iterator[JitteryLink]:
    """The way to the sandbox's API."""
    link = JitteryLink(running.api_url)
    yield link
    link.close()


def test_a_jittery_link_never_rolls_a_healthy_platform_back(
    link: JitteryLink, run_gate: Callable[..., Any]
) -> None:
    until = time.monotonic() + LASTS_S
    verdicts = []
    while time.monotonic() < until:
        drill = run_gate("--release", "1.5.0", api_port=link.port)
        verdicts.append(drill.verdict["verdict"])
        assert verdicts[-1] in {"promote", "hold"}, drill.output
    assert link.lost, "nothing was lost, so nothing was tried"
    assert "promote" in verdicts
