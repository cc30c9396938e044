"""What stands around both parts of the platform: response headers and the access log."""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sandbox.asgi import App, Headers, Message, Receive, Scope, Send, with_headers

# Browsers don't come by plain HTTP any more, for two years (RFC 6797).
ONLY_TLS: Headers = [(b"strict-transport-security", b"max-age=63072000; includeSubDomains")]


def now() -> str:
    """Return the time as the platform writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class HeaderLayer:
    """Adds those headers to every response that the moment asks for."""

    def __init__(self, app: App, headers: Callable[[Scope], Headers]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._app(scope, receive, with_headers(send, self._headers(scope)))


class AccessLogLayer:
    """Writes a line of JSON for each request; a request never answered has no status."""

    def __init__(self, app: App, path: Path) -> None:
        self._app = app
        # Both processes append to the file: a line in one write stays in one piece.
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = time.perf_counter()
        at = now()
        status: int | None = None

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            entry = {
                "at": at,
                "method": scope["method"],
                "path": scope["path"],
                "query": scope["query_string"].decode("latin-1"),
                "status": status,
                "duration_ms": round((time.perf_counter() - started) * 1000, 3),
                "user_agent": dict(scope["headers"]).get(b"user-agent", b"").decode("latin-1"),
            }
            os.write(self._file, json.dumps(entry).encode() + b"\n")
