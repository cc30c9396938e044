"""Which other origins' pages may read what the API answers."""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.middleware.cors import CORSMiddleware

from sandbox.asgi import App, Receive, Scope, Send
from sandbox.flaws import Flaw, Flaws

ALLOWED: dict[str, Any] = {
    "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
    "allow_headers": ["Authorization", "Content-Type", "If-Match", "If-None-Match"],
    "expose_headers": ["ETag", "X-Release", "X-Instance"],
}


class CrossOriginLayer:
    """Lets those of the web interface, and of everybody where a flaw says so (CORS)."""

    def __init__(self, app: App, flaws: Callable[[], Flaws], origins: Sequence[str]) -> None:
        self._flaws = flaws
        self._sound = CORSMiddleware(app, allow_origins=origins, **ALLOWED)
        self._open = CORSMiddleware(app, allow_origin_regex=".*", allow_credentials=True, **ALLOWED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        layer = self._open if Flaw.WILDCARD_CORS in self._flaws() else self._sound
        await layer(scope, receive, send)
