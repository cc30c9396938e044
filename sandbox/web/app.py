"""Puts the web interface together: a few pages, their scripts, and what operators ask."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from string import Template
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Match, Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.asgi import App, Headers, Scope
from sandbox.fault import Part
from sandbox.flaws import Flaw, Flaws
from sandbox.layers import ONLY_TLS, AccessLogLayer, HeaderLayer, now
from sandbox.releases import Release, find_release
from sandbox.security_txt import security_txt
from sandbox.settings import Settings
from sandbox.switchboard import FaultLayer, Switchboard
from sandbox.web.flawed_pages import THIRD_PARTY, with_flaws

HERE = Path(__file__).parent
PAGES: Mapping[str, tuple[str, str]] = {
    "/": ("policies", "Policies"),
    "/policies/{number:int}": ("policy", "Policy"),
    "/search": ("search", "Search"),
    "/login": ("login", "Sign in"),
}
NO_STORE: Headers = [(b"cache-control", b"no-store")]

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(settings: Settings) -> App:
    """Return the web interface with everything that stands around it, innermost first."""
    release = find_release(settings.release)
    switchboard = Switchboard(Path(settings.state_dir) / "faults.json", Part.WEB)
    plain: Headers = [(b"x-release", release.version.encode()), *NO_STORE]
    lasting = ONLY_TLS if settings.tls_dir else []
    secured = [*plain, *lasting, *security_headers(settings.api_url, "'self'")]
    opened = [*plain, *lasting, *security_headers(settings.api_url, f"'self' {THIRD_PARTY}")]

    def headers(_: Scope) -> Headers:
        flaws = switchboard.flaws()
        if Flaw.MISSING_HEADERS in flaws:
            return plain
        return opened if Flaw.THIRD_PARTY in flaws else secured

    app: App = FaultLayer(create_site(settings, release, switchboard.flaws), switchboard)
    app = HeaderLayer(app, headers)
    return AccessLogLayer(app, Path(settings.access_log)) if settings.access_log else app


def security_headers(api_url: str, scripts: str) -> Headers:
    """Return the headers that keep a page to itself; it may talk to the API and nobody else."""
    content = (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' {api_url}; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'"
    )
    return [
        (b"content-security-policy", content.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
    ]


def create_site(settings: Settings, release: Release, flaws: Callable[[], Flaws]) -> Starlette:
    """Return the web interface itself."""
    config = {"api": settings.api_url, "release": release.version}
    version = {
        "release": release.version,
        "revision": release.revision,
        "environment": "sandbox",
        "instance": "web-1",
    }

    async def health(_: Request) -> Response:
        state = {"status": "healthy", "release": release.version, "environment": "sandbox"}
        return JSONResponse({**state, "timestamp": now()})

    async def icon(_: Request) -> Response:
        return FileResponse(HERE / "static" / "icon.svg")

    async def security(_: Request) -> Response:
        return PlainTextResponse(security_txt())

    def page(name: str, title: str) -> Endpoint:
        sound = render(name, title, release)

        async def answer(_: Request) -> Response:
            return HTMLResponse(with_flaws(sound, flaws()))

        return answer

    start, missing = render(*PAGES["/"], release), render("missing", "Page not found", release)

    pages = [Route(path, page(name, title)) for path, (name, title) in PAGES.items()]

    async def not_found(request: Request, _error: Exception) -> Response:
        path = request.scope["path"].rstrip("/")
        if any(route.matches({**request.scope, "path": path})[0] is Match.FULL for route in pages):
            query = request.url.query
            return RedirectResponse(f"{quote(path)}?{query}" if query else quote(path))
        if Flaw.SPA_FALLBACK in flaws():
            return HTMLResponse(with_flaws(start, flaws()))
        return HTMLResponse(with_flaws(missing, flaws()), 404)

    site = Starlette(
        routes=[
            *pages,
            Route("/config.json", always(config)),
            Route("/version", always(version)),
            Route("/health", health),
            Route("/.well-known/security.txt", security),
            Route("/favicon.ico", icon),  # what browsers ask for beside a page without a link
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        exception_handlers={404: not_found},
    )
    site.router.redirect_slashes = False  # it trusts the Host header; `not_found` doesn't
    return site


def always(content: object) -> Endpoint:
    """Return an endpoint whose answer never changes."""

    async def answer(_: Request) -> Response:
        return JSONResponse(content)

    return answer


def render(name: str, title: str, release: Release) -> str:
    """Return the page, inside what all pages share."""
    layout = Template((HERE / "pages" / "layout.html").read_text())
    main = (HERE / "pages" / f"{name}.html").read_text()
    return layout.substitute(title=title, main=main, page=name, release=release.version)
