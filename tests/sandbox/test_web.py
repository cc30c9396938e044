"""The web interface, as a browser sees it and as people use it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.sandbox.browsing import OVERFLOW, sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.conftest import Sandbox

WIDTHS = {"phone": (360, 740), "tablet": (768, 1024), "desktop": (1280, 800)}
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, input, select')]
    .filter((one) => one.offsetParent && !one.matches('.skip'))
    .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
    .filter(([, box]) => box.height < 44 || box.width < 44)
    .map(([html]) => html)"""


@pytest.fixture
def troubles(page: Page) -> Iterator[list[str]]:
    """What the browser complains about during the test."""
    noted: list[str] = []

    def note(message: object) -> None:
        if getattr(message, "type", "error") in {"error", "warning"}:
            noted.append(str(message))

    for event in ("console", "pageerror"):
        page.on(event, note)
    yield noted
    for event in ("console", "pageerror"):
        page.remove_listener(event, note)


@pytest.mark.parametrize("width", WIDTHS)
def test_visitor_signs_in_reads_searches_and_signs_out(
    sandbox: Sandbox, page: Page, troubles: list[str], width: str
) -> None:
    page.set_viewport_size(dict(zip(("width", "height"), WIDTHS[width], strict=True)))

    def look() -> None:
        assert page.evaluate(OVERFLOW) == 0
        assert page.evaluate(SMALL_TARGETS) == []
        assert page.locator("h1").count() == 1

    page.goto(sandbox.web + "/")
    page.wait_for_url("**/login?next=%2F")
    look()
    sign_in(page)
    page.wait_for_url(sandbox.web + "/")
    page.get_by_text("60 policies").wait_for()
    look()
    page.get_by_role("button", name="Next").click()
    page.get_by_text("Page 2 of 5").wait_for()
    page.get_by_label("Category").select_option("privacy")
    page.get_by_text("10 policies").wait_for()
    look()
    page.get_by_role("link", name="Cookie Policy").click()
    page.get_by_role("heading", name="Cookie Policy").wait_for()
    page.get_by_text("What the web interface stores in a browser", exact=False).first.wait_for()
    look()
    page.get_by_role("link", name="Search").click()
    page.get_by_label("Words to look for").fill("password factor")
    page.get_by_role("button", name="Search").click()
    page.get_by_text("1 policy").wait_for()
    look()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
    page.goto(sandbox.web + "/policies/1")
    page.wait_for_url("**/login?next=%2Fpolicies%2F1")
    assert troubles == []


def test_wrong_password_is_said_where_screen_readers_hear_it(sandbox: Sandbox, page: Page) -> None:
    page.goto(sandbox.web + "/login")
    sign_in(page, "wrong")
    page.get_by_role("alert").get_by_text("Wrong username or password.").wait_for()


def test_sign_in_leads_only_to_pages_of_this_site(sandbox: Sandbox, page: Page) -> None:
    page.goto(sandbox.web + "/login?next=//evil.example/")
    sign_in(page)
    page.wait_for_url(sandbox.web + "/")


def test_a_shortcut_leads_to_the_search(sandbox: Sandbox, page: Page) -> None:
    page.goto(sandbox.web + "/")
    sign_in(page)
    page.get_by_text("60 policies").wait_for()
    page.keyboard.press("Control+k")
    page.wait_for_url("**/search")
    words = page.get_by_label("Words to look for")
    expect(words).to_be_focused()
    page.get_by_role("button", name="Search").focus()
    page.keyboard.press("Control+k")
    expect(words).to_be_focused()


def test_lost_api_is_said_in_words(sandbox: Sandbox, page: Page) -> None:
    page.goto(sandbox.web + "/login")
    sandbox.fault("database-down")
    sign_in(page)
    page.get_by_role("alert").get_by_text("The database can't be reached.").wait_for()


def test_broken_script_is_an_error_that_the_browser_reports(
    sandbox: Sandbox, page: Page, troubles: list[str]
) -> None:
    sandbox.fault("broken-javascript")
    page.goto(sandbox.web + "/")
    page.wait_for_load_state("networkidle")
    assert any("Cannot read properties" in trouble for trouble in troubles)


@pytest.mark.parametrize("path", ["/", "/login", "/search", "/policies/3", "/static/app.js", "/x"])
def test_every_answer_carries_release_and_security_headers(sandbox: Sandbox, path: str) -> None:
    headers = httpx.get(sandbox.web + path).headers
    assert headers["x-release"] == "1.5.0"
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert f"connect-src 'self' {sandbox.api};" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    for name in ("referrer-policy", "permissions-policy", "cross-origin-opener-policy"):
        assert headers[name]


def test_operators_find_health_version_and_configuration(sandbox: Sandbox) -> None:
    assert httpx.get(sandbox.web + "/health").json()["status"] == "healthy"
    assert httpx.get(sandbox.web + "/version").json()["release"] == "1.5.0"
    assert httpx.get(sandbox.web + "/config.json").json()["api"] == sandbox.api


def test_browser_finds_an_icon_where_no_page_names_one(sandbox: Sandbox) -> None:
    assert httpx.get(sandbox.web + "/favicon.ico").headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize("path", ["/nothing", "/static/nothing.js", "/static/../app.py"])
def test_missing_page_is_a_real_404(sandbox: Sandbox, path: str) -> None:
    answer = httpx.get(sandbox.web + path)
    assert answer.status_code == 404
    assert "Page not found" in answer.text


def test_people_find_where_to_report_what_is_insecure(sandbox: Sandbox) -> None:
    for address in (sandbox.web, sandbox.api):
        answer = httpx.get(address + "/.well-known/security.txt")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
        assert fields["Contact"].startswith("mailto:")
        left = datetime.fromisoformat(fields["Expires"]) - datetime.now(UTC)
        assert timedelta(days=30) < left < timedelta(days=365)


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("/login/", "/login"),
        ("/policies/3/?a=b%20c", "/policies/3?a=b%20c"),
        ("/search//", "/search"),
    ],
)
def test_slash_too_many_is_redirected_without_naming_a_host(
    sandbox: Sandbox, asked: str, location: str
) -> None:
    answer = httpx.get(sandbox.web + asked, headers={"Host": "evil.example"})
    assert (answer.status_code, answer.headers["location"]) == (307, location)


@pytest.mark.parametrize("path", ["//", "//evil.example/", "/nothing/"])
def test_slash_after_what_is_no_page_leads_nowhere(sandbox: Sandbox, path: str) -> None:
    request = sandbox.client.build_request("GET", sandbox.web)
    request.url = request.url.copy_with(raw_path=path.encode())
    answer = sandbox.client.send(request)
    assert (answer.status_code, "location" in answer.headers) == (404, False)
