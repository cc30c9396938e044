"""Which routes there are, and what HTTP asks of a path beside them."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import quote

from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse, Response

from sandbox.api import auth, health, operation, policies, search, users
from sandbox.asgi import App, Message, Receive, Scope, Send
from sandbox.flaws import Flaw, Flaws

ROUTERS = (
    health.router,
    operation.router,
    auth.router,
    users.router,
    policies.router,
    search.router,
)


def routes_at(path: str) -> list[APIRoute]:
    """Return the routes of that path, one for each method."""
    return [
        route
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and route.path_regex.match(path)
    ]


def template_of(scope: Scope) -> str:
    """Return the route's template; a path nobody routes must not become a label of its own."""
    template: str
    if route := scope.get("route"):
        template = route.path
    else:  # it was answered before routing
        template = next((route.path for route in routes_at(scope["path"])), "unrouted")
    return template


def redirect(scope: Scope) -> Response:
    """Lead to the same path without its last slash, with the same method and body."""
    path, query = quote(scope["path"].rstrip("/")), scope["query_string"].decode("latin-1")
    return RedirectResponse(f"{path}?{query}" if query else path, status_code=307)


class RoutingLayer:
    """Answers HEAD as GET, OPTIONS by what the path takes, and a slash too many by a redirect."""

    def __init__(self, app: App, flaws: Callable[[], Flaws]) -> None:
        self._app = app
        self._flaws = flaws

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        method, path = scope["method"], scope["path"]
        if path.endswith("/") and routes_at(path.rstrip("/")):
            await redirect(scope)(scope, receive, send)
        elif method == "OPTIONS" and routes_at(path):
            response = Response(status_code=204, headers={"Allow": self._allowed_at(path)})
            await response(scope, receive, send)
        elif method == "HEAD" and Flaw.NO_HEAD not in self._flaws():
            # The server leaves the body out, since its own scope still says HEAD.
            await self._app({**scope, "method": "GET"}, receive, self._with_allow(send, path))
        else:
            await self._app(scope, receive, self._with_allow(send, path))

    def _allowed_at(self, path: str) -> str:
        methods = {"OPTIONS"}.union(*(route.methods or () for route in routes_at(path)))
        if "GET" in methods and Flaw.NO_HEAD not in self._flaws():
            methods.add("HEAD")
        return ", ".join(sorted(methods))

    def _with_allow(self, send: Send, path: str) -> Send:
        # The router knows only the methods of the first route that it tried.
        async def send_with_allow(message: Message) -> None:
            if message.get("status") == HTTPStatus.METHOD_NOT_ALLOWED:
                MutableHeaders(scope=message)["Allow"] = self._allowed_at(path)
            await send(message)

        return send_with_allow
