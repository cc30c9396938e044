"""What the web interface answers to who still comes by plain HTTP: the way to HTTPS."""

from pathlib import Path

from starlette.responses import Response

from sandbox.asgi import App, Receive, Scope, Send
from sandbox.layers import AccessLogLayer
from sandbox.settings import Settings


def create_app(settings: Settings) -> App:
    """Return what leads every request to the same place over TLS, whatever host it names."""

    async def redirect(scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["raw_path"].decode("latin-1")
        query: str = scope["query_string"].decode("latin-1")
        location = settings.web_url + (path if path.startswith("/") else "/")
        headers = {
            "Location": f"{location}?{query}" if query else location,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        }
        await Response(status_code=308, headers=headers)(scope, receive, send)

    return AccessLogLayer(redirect, Path(settings.access_log)) if settings.access_log else redirect
