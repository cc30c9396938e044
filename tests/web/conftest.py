"""A real browser, and pages of a server of our own for it."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from deployment_gate.environment import WebTarget
from deployment_gate.evidence import Redactor
from deployment_gate.web.browsers import OwnBrowser
from deployment_gate.web.visitor import Visitor


@dataclass
class Site:
    """A web server on loopback: what it answers by path, and what it was asked.

    Attributes:
        url: Its address, without a slash at the end.
        answers: By path: the body of a 200 HTML answer, or (status, headers, body).
        asked: Method and path of each request.
    """

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@contextmanager
def serve(site: Site) -> Iterator[Site]:
    """Serve it on a free port for as long as the block runs."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append(f"{self.command} {self.path}")
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            answer = site.answers.get(self.path.partition("?")[0])
            if answer is None:
                answer = (HTTPStatus.NOT_FOUND, {}, "nothing here")
            if isinstance(answer, str):
                answer = (HTTPStatus.OK, {}, answer)
            if callable(answer):
                answer = answer(self)
            status, headers, body = answer
            content = body.encode() if isinstance(body, str) else body
            self.send_response(status)
            sent = {"Content-Type": "text/html; charset=utf-8", **headers}
            for name, value in {**sent, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815  # the server's names

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        site.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield site
        server.shutdown()
        thread.join(timeout=10)


@pytest.fixture
def site() -> Iterator[Site]:
    """An empty site, served until the test's end."""
    with serve(Site()) as served:
        yield served


@pytest.fixture
def window(chromium: Browser) -> Iterator[BrowserContext]:
    """A fresh context, as wide as a desktop."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    yield context
    context.close()


@pytest.fixture
def tab(window: BrowserContext) -> Page:
    """A tab of it."""
    return window.new_page()


@pytest.fixture
def show(site: Site, tab: Page) -> Callable[[str], Page]:
    """Serve this HTML as the start page, and open it."""

    def open_it(html: str) -> Page:
        site.answers["/"] = html
        tab.goto(site.url)
        return tab

    return open_it


PASSWORD = "correct-horse-battery"


@pytest.fixture
def make_visitor(chromium: Browser, site: Site, tmp_path: Path) -> Callable[..., Visitor]:
    """Make what looks at the site, by this `web` section."""

    def make(**section: Any) -> Visitor:
        target = WebTarget.model_validate({"base_url": site.url, "timeout": "5s", **section})
        redactor = Redactor([])
        return Visitor(
            target=target,
            browser=OwnBrowser(lambda: chromium),
            identity="ann",
            hosts=frozenset({"127.0.0.1"}),
            values_of=lambda identity: {"username": identity, "password": PASSWORD},
            keep_secret=redactor.add,
            redact=redactor.redact,
            artifacts=tmp_path / "traces",
        )

    return make
