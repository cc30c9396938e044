"""Each page is there, whole, and says nothing of errors (runbook 4.2, web interface)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployment_gate.typing import LinkStatus, SeenPage

pytestmark = pytest.mark.needs("web")


def test_page_loads(visited_page: SeenPage) -> None:
    assert not visited_page.load_faults, visited_page.account(visited_page.load_faults)


def test_page_has_a_title_and_a_main_heading(web_page: SeenPage) -> None:
    assert not web_page.heading_faults, web_page.account(web_page.heading_faults)


def test_page_gets_all_that_it_needs(web_page: SeenPage) -> None:
    assert not web_page.resource_faults, web_page.account(web_page.resource_faults)


def test_page_throws_nothing(web_page: SeenPage) -> None:
    assert not web_page.exceptions, web_page.account(web_page.exceptions)


def test_page_writes_no_error_to_the_console(web_page: SeenPage) -> None:
    assert not web_page.console_faults, web_page.account(web_page.console_faults)


@pytest.mark.timeout(120)  # a page may have many
def test_links_lead_somewhere(
    web_page: SeenPage, link_status: LinkStatus, only_warn: Callable[[str], None]
) -> None:
    broken = link_status.broken(web_page)
    unclear = link_status.unclear(web_page)
    if unclear:
        only_warn(web_page.account(unclear))

    assert not broken, web_page.account(broken)


@pytest.mark.severity("info")
def test_page_depends_on_no_other_hosts(web_page: SeenPage) -> None:
    hosts = web_page.blocked_hosts

    assert not hosts, (
        f"{web_page.called} asks {', '.join(hosts)}, which the environment doesn't list: it was "
        "kept from the browser. List it under `third_parties`, or take it out of the page"
    )


def test_page_can_be_used_by_everybody(
    web_page: SeenPage, only_warn: Callable[[str], None]
) -> None:
    if web_page.accessibility_remarks:
        only_warn(web_page.account(web_page.accessibility_remarks))

    assert not web_page.accessibility_faults, web_page.account(web_page.accessibility_faults)
