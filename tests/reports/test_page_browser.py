"""`report.html` in a real browser: phone and desktop, dark and light, with and without script."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import pytest
from playwright.sync_api import Browser, Page, expect

from deployment_gate.reports.page.render import render_page
from deployment_gate.web.accessibility import violations
from tests.reports.browsing import opened
from tests.reports.pages import LONG, Kind, large

Scheme = Literal["light", "dark"]
BEYOND = """all => all.filter(one => one.getBoundingClientRect().right > innerWidth)
    .map(one => one.outerHTML.slice(0, 200))"""
SIZES = [(390, 844), (1280, 800)]


@pytest.fixture(scope="module", params=get_args(Kind))
def page_of_run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run that has something of all there is."""
    path = tmp_path_factory.mktemp("page") / f"{request.param}.html"
    path.write_text(render_page(*large(request.param)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def page_of_hold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run that holds."""
    path = tmp_path_factory.mktemp("page") / "hold.html"
    path.write_text(render_page(*large("hold")), encoding="utf-8")
    return path


def shown(page: Page) -> set[str]:
    """The outcomes of the checks that are shown."""
    return set(
        page.locator(".check:not([hidden])").evaluate_all(
            "all => all.filter(one => !one.closest('.group[hidden]'))"
            ".map(one => one.dataset.outcome)"
        )
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    chromium: Browser, page_of_run: Path, width: int, height: int, scheme: Scheme
) -> None:
    with opened(chromium, page_of_run, width=width, height=height, color_scheme=scheme) as (
        page,
        complaints,
    ):
        # As a reader sees it who has opened everything.
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("main *").evaluate_all(BEYOND) == []
        assert violations(page) == ()
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]
        assert complaints == []


def test_it_is_whole_without_javascript(chromium: Browser, page_of_hold: Path) -> None:
    with opened(chromium, page_of_hold, java_script_enabled=False) as (page, complaints):
        told = page.locator("body").inner_text()
        assert page.locator("#filters").is_hidden()
        assert page.locator("#none-shown").is_hidden()
        # What failed is open, what passed a click away.
        assert "assert 1 == 2" in told
        assert "curl --include" in told
        passed = page.locator("details.group", has_text="api: 100 passed")
        assert not passed.locator(".check").first.is_visible()
        passed.locator("> summary").click()
        assert passed.locator(".check").first.is_visible()
        assert complaints == []
    for expected in ("HOLD", "Do not promote", "61 failed", "20 not run", "Findings", "Triggers"):
        assert expected in told, expected


def test_filters_leave_what_was_chosen(chromium: Browser, page_of_hold: Path) -> None:
    with opened(chromium, page_of_hold) as (page, complaints):
        assert shown(page) == {"failed", "not_run", "passed"}
        page.get_by_label("failed").uncheck()
        assert shown(page) == {"not_run", "passed"}
        page.get_by_label("passed").uncheck()
        expect(page.locator("details.group", has_text="100 passed")).to_be_hidden()
        page.get_by_label("not run").uncheck()
        assert shown(page) == set()
        expect(page.locator("#none-shown")).to_be_visible()
        page.get_by_label("failed").check()
        assert shown(page) == {"failed"}
        expect(page.locator("#none-shown")).to_be_hidden()
        assert complaints == []


def test_the_search_finds_names_and_ids_and_opens_what_holds_them(
    chromium: Browser, page_of_hold: Path
) -> None:
    with opened(chromium, page_of_hold) as (page, complaints):
        search = page.get_by_role("searchbox")
        search.fill("GOES ON and")
        expect(page.locator(".check:visible")).to_have_count(1)
        expect(page.locator(".check:visible .where")).to_contain_text(LONG)
        search.fill("api/test_it.py::test_007")
        expect(page.locator("details.group .check:visible")).to_have_count(1)
        search.fill("assert 1 == 2")
        expect(page.locator("#none-shown")).to_be_visible()
        search.fill("")
        expect(page.locator("article.check:visible")).to_have_count(61)
        assert complaints == []


def test_a_click_selects_a_command_and_nothing_else(chromium: Browser, page_of_hold: Path) -> None:
    with opened(chromium, page_of_hold) as (page, _):
        page.locator("article.check .command").first.click()
        selected = page.evaluate("getSelection().toString()").strip()
        assert selected == f"curl --include http://a/{'y' * 200}"


def test_pictures_and_plots_are_drawn_under_the_content_policy(
    chromium: Browser, page_of_run: Path
) -> None:
    with opened(chromium, page_of_run) as (page, complaints):
        assert page.locator("figure svg[role=img]").count() >= 6
        widths = page.locator("img").evaluate_all("all => all.map(one => one.naturalWidth)")
        assert set(widths) <= {1}
        line = page.locator("figure svg path[stroke^='var(--accent']").first
        assert line.evaluate("one => getComputedStyle(one).stroke") == "rgb(5, 80, 174)"
        assert complaints == []


def test_it_prints_with_what_is_folded_in_the_verdict(
    chromium: Browser, page_of_hold: Path
) -> None:
    with opened(chromium, page_of_hold) as (page, _):
        page.emulate_media(media="print")
        assert page.locator("#filters").is_hidden()
        assert page.locator("nav").is_hidden()
        assert page.get_by_text("0123abcd").is_visible()
        assert page.pdf()[:5] == b"%PDF-"
