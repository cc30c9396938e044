"""What a page lacks or says is found, and nothing else is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import pytest

from deployment_gate.environment import Impact, WebTarget
from deployment_gate.web import findings
from deployment_gate.web.accessibility import Violation
from deployment_gate.web.seen import SeenPage
from deployment_gate.web.visit import Resource, Said, Visit
from deployment_gate.web.visitor import Visitor
from tests.web.conftest import Site

Look = Callable[[str], SeenPage]

WELL = """<!doctype html><html lang="en"><title>Shop</title><main><h1>Shop</h1>
<p>Open.</p>HERE</main></html>"""


@pytest.fixture
def look(site: Site, make_visitor: Callable[..., Visitor]) -> Look:
    """Serve a healthy page with this in it, and look at it."""

    def look_at(here: str) -> SeenPage:
        site.answers["/"] = WELL.replace("HERE", here)
        visitor = make_visitor(pages={"start": {"path": "/", "heading": "Shop"}})
        return SeenPage(
            visitor.visit("start", visitor.target.shown["start"], "desktop"), visitor.target
        )

    return look_at


def visit(**more: Any) -> Visit:
    """One that no browser made."""
    return Visit("start", "/", "desktop", datetime.now(UTC), **more)


def test_a_healthy_page_has_no_fault(look: Look, site: Site) -> None:
    site.answers["/app.js"] = (
        200,
        {"Content-Type": "text/javascript"},
        "document.body.dataset.ran=1",
    )
    site.answers["/data"] = (200, {"Content-Type": "application/json"}, "{}")
    page = look("<script src=/app.js></script><script>fetch('/data')</script>")
    assert page.faults == []
    assert not findings.is_unwell(page.visit, page.target)
    assert page.visit.trace is None
    assert page.visit.picture


@pytest.mark.parametrize(
    ("here", "said"),
    [
        ("<script src=/gone.js></script>", "script {url}/gone.js was answered 404"),
        ("<link rel=stylesheet href=/gone.css>", "stylesheet {url}/gone.css was answered 404"),
        ("<img src=/gone.png alt=x>", "image {url}/gone.png was answered 404"),
        ("<script>fetch('/gone')</script>", "GET {url}/gone was answered 404"),
        (
            "<script>fetch('/gone', {method: 'POST'})</script>",
            "POST {url}/gone was answered 404",
        ),
        (
            "<script src=/page></script>",
            (
                "script {url}/page was answered with a page: it is missing, and what answers for any "  # noqa: E501  # one sentence
                "path answered in its place"
            ),
        ),
        (
            "<link rel=stylesheet href=/page>",
            (
                "stylesheet {url}/page was answered with a page: it is missing, and what answers for "  # noqa: E501  # one sentence
                "any path answered in its place"
            ),
        ),
        ("<img src=/cut.png alt=x>", "image {url}/cut.png didn't arrive: net::ERR_EMPTY_RESPONSE"),
        (
            "<script src=/cut.js></script>",
            "script {url}/cut.js didn't arrive: net::ERR_EMPTY_RESPONSE",
        ),
        ("<img src=/text.png alt=x>", "the image {url}/text.png is broken"),
        (
            (
                "<script>const u = URL.createObjectURL(new Blob(['x'])); URL.revokeObjectURL(u);"
                "document.write(`<img alt=x src=${u}>`)</script>"
            ),
            "didn't arrive: net::ERR_FILE_NOT_FOUND",
        ),
    ],
)
def test_what_a_page_needs_and_does_not_get_is_found_once(
    look: Look, site: Site, here: str, said: str
) -> None:
    def cut(handler: Any) -> tuple[int, dict[str, str], str]:
        handler.close_connection = True
        handler.connection.shutdown(2)
        raise ConnectionAbortedError

    site.answers["/page"] = "<title>any</title>"
    site.answers["/text.png"] = (200, {"Content-Type": "image/png"}, "no picture")
    site.answers["/cut.png"] = site.answers["/cut.js"] = cut
    page = look(here)
    assert len(page.resource_faults) == 1
    assert said.format(url=site.url) in page.resource_faults[0]
    assert findings.is_unwell(page.visit, page.target)
    # It is said once: by what is missing, not by the browser's line about it, too.
    assert page.console_faults == []
    assert page.visit.trace
    assert page.visit.trace.is_file()


def test_what_the_page_itself_gave_up_is_no_fault(look: Look, site: Site) -> None:
    gate = threading.Event()
    site.answers["/slow"] = lambda _: (gate.wait(5), (HTTPStatus.OK, {}, ""))[1]
    page = look(
        "<script>const stop = new AbortController();"
        "fetch('/slow', {signal: stop.signal}).catch(() => {});"
        "setTimeout(() => stop.abort(), 50)</script>"
    )
    gate.set()
    assert [one.failure for one in page.visit.resources] == [None, "net::ERR_ABORTED"]
    assert page.faults == []


@pytest.mark.parametrize(
    ("thrown", "said"),
    [
        ("throw new Error('no basket')", "no basket"),
        ("undefinedFunction()", "undefinedFunction is not defined"),
        ("Promise.reject(new Error('left alone'))", "left alone"),
        ("(async () => { throw new TypeError('later') })()", "later"),
        ("setTimeout(() => { throw 'only words' }, 100)", "only words"),
    ],
)
def test_what_nobody_caught_is_told(look: Look, thrown: str, said: str) -> None:
    page = look(f"<script>{thrown}</script>")
    assert page.exceptions == [said]
    assert page.faults == [f"uncaught: {said}"]
    assert page.visit.trace


def test_what_was_caught_is_not(look: Look) -> None:
    assert look("<script>Promise.reject(new Error('x')).catch(() => {})</script>").faults == []


def test_errors_of_the_console_are_told_and_warnings_are_not(look: Look) -> None:
    page = look("<script>console.error('basket', 7); console.warn('old')</script>")
    assert page.console_faults == ["basket 7"]


def test_what_a_policy_of_the_page_refuses_is_told(look: Look) -> None:
    page = look(
        '<meta http-equiv="Content-Security-Policy" content="img-src \'none\'">'
        "<img src=/x.png alt=x>"
    )
    assert len(page.console_faults) == 1
    assert "Content Security Policy" in page.console_faults[0]


@pytest.mark.parametrize(
    ("html", "faults"),
    [
        ("<h1>Shop</h1>", ["the page has no title"]),
        ("<title>Shop</title>", ["the page has no visible main heading (h1)"]),
        ("<title>x</title><h1>Login</h1>", ['its main heading is "Login", not "Shop"']),
        ("<title>x</title><h1>News</h1><h1>Shop</h1>", []),
    ],
)
def test_a_page_says_what_it_is(
    site: Site, html: str, faults: list[str], make_visitor: Callable[..., Visitor]
) -> None:
    site.answers["/"] = html
    visitor = make_visitor(pages={"start": {"path": "/", "heading": "Shop"}})
    seen = visitor.visit("start", visitor.target.shown["start"], "desktop")
    assert findings.heading_faults(seen, visitor.target) == faults


def test_hosts_of_others_are_told_and_what_they_would_have_brought_is_no_fault(
    look: Look,
) -> None:
    page = look(
        "<script src=http://127.0.0.2:81/a.js></script><img alt=x src=http://cdn.invalid/b.png>"
        "<img alt=x src=http://cdn.invalid/c.png>"
    )
    assert page.blocked_hosts == ["127.0.0.2:81", "cdn.invalid"]
    assert page.resource_faults == []
    assert page.console_faults == []


def test_what_is_asked_without_tls_by_a_page_with_it_is_mixed() -> None:
    asked = [
        Resource("http://shop.example/a.js", "script", status=200, content_type="text/javascript"),
        Resource("https://shop.example/b.js", "script", status=200, content_type="text/javascript"),
        Resource("http://127.0.0.1/c.js", "script", status=200, content_type="text/javascript"),
    ]
    told = ["script http://shop.example/a.js is asked without TLS by a page with it"]
    seen = visit(address="https://shop.example/", resources=tuple(asked))
    assert findings.resource_faults(seen) == told
    assert (
        findings.resource_faults(visit(address="http://shop.example/", resources=tuple(asked)))
        == []
    )


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503])
def test_a_page_that_is_refused_is_not_there(status: int) -> None:
    assert findings.load_faults(visit(status=status)) == [f"it was answered {status}"]


@pytest.mark.parametrize("status", [200, 304, None])
def test_a_page_that_is_answered_is_there(status: int | None) -> None:
    assert findings.load_faults(visit(status=status)) == []


def test_an_error_of_the_console_names_the_file_that_it_is_about() -> None:
    said = (Said("too old", "http://h/app.js"), Said("here", "http://h/"), Said("none", ""))
    assert findings.console_faults(visit(address="http://h/", console=said)) == [
        "too old (http://h/app.js)",
        "here",
        "none",
    ]


@pytest.mark.parametrize(("from_on", "grave"), [("minor", 2), ("serious", 1), ("critical", 0)])
def test_accessibility_counts_from_the_impact_on_that_the_environment_says(
    from_on: str, grave: int
) -> None:
    target = WebTarget.model_validate({"base_url": "http://h", "inaccessible": from_on})
    found = tuple(violation(impact) for impact in (Impact.SERIOUS, Impact.MINOR))
    faults, remarks = findings.accessibility_faults(visit(violations=found), target)
    assert (len(faults), len(remarks)) == (grave, 2 - grave)


def violation(impact: Impact) -> Violation:
    return Violation("image-alt", impact, "Images have words", "", "http://axe", ("<img>",), 1)
