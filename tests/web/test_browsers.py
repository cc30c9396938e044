"""The browser's own trouble is the runner's: one fresh start, and no more."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Error, Playwright

from deployment_gate.web.browsers import BrowserTroubleError, OwnBrowser
from deployment_gate.web.chromium import find_chromium, launch_options
from tests.web.conftest import Site


@pytest.fixture
def own(playwright: Playwright) -> Iterator[OwnBrowser]:
    program = find_chromium(os.environ, own=playwright.chromium.executable_path)
    browser = OwnBrowser(
        lambda: playwright.chromium.launch(**launch_options(program, ["127.0.0.1"]))
    )
    yield browser
    browser.close()


def pid(own: OwnBrowser) -> int:
    told = own.browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    return int(next(one["id"] for one in told["processInfo"] if one["type"] == "browser"))


def failing(own: OwnBrowser, times: int, sign: signal.Signals) -> Callable[[], str]:
    """A look during which the browser gets a signal, so many times."""
    looks: list[int] = []

    def look() -> str:
        with own.context() as context:
            page = context.new_page()
            looks.append(1)
            if len(looks) <= times:
                os.kill(pid(own), sign)
            page.set_content("<title>there</title>")
            return page.title()

    return look


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP], ids=["crash", "hang"])
def test_a_browser_that_fails_is_started_afresh_once(own: OwnBrowser, sign: signal.Signals) -> None:
    assert own.look(failing(own, 1, sign), limit_s=3) == "there"


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP], ids=["crash", "hang"])
def test_one_that_fails_again_is_the_runners_trouble(own: OwnBrowser, sign: signal.Signals) -> None:
    with pytest.raises(BrowserTroubleError, match="after a fresh start"):
        own.look(failing(own, 2, sign), limit_s=3)


def test_what_the_page_does_is_not_the_browsers_trouble(own: OwnBrowser, site: Site) -> None:
    site.answers["/"] = "<title>there</title>"

    def look() -> None:
        with own.context() as context:
            page = context.new_page()
            page.goto(site.url)
            page.click("text=not there", timeout=100)

    with pytest.raises(Error, match="Timeout 100ms"):
        own.look(look, limit_s=20)
    assert site.asked.count("GET /") == 1
