"""Links of a page to its own site are asked once each, and their answers are weighed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from deployment_gate.environment import WebTarget
from deployment_gate.web.layout import Layout
from deployment_gate.web.links import MOST_LINKS, LinkStatus
from deployment_gate.web.seen import SeenPage
from deployment_gate.web.visit import Visit
from tests.web.conftest import Site, serve

NOTHING = Layout(0, (), (), (), "", "", (), (), 0, None, is_whole=True)
SHELL = '<!doctype html><title>Shop</title><div id=app></div><script src="/app.js"></script>'


@pytest.fixture
def links(site: Site) -> Iterator[LinkStatus]:
    with httpx.Client(base_url=site.url) as client:
        yield LinkStatus(client)


def page_with(site: Site, *links: str, **section: Any) -> SeenPage:
    """A page with these links, absolute or of this site."""
    whole = tuple(site.url + link if link.startswith("/") else link for link in links)
    seen = Visit("start", "/", "desktop", datetime.now(UTC))
    target = WebTarget.model_validate({"base_url": site.url, **section})
    return SeenPage(replace(seen, layout=replace(NOTHING, links=whole)), target)


@pytest.mark.parametrize("status", [200, 204, 301, 302, 401, 403])
def test_a_link_that_is_answered_leads_somewhere(
    site: Site, links: LinkStatus, status: int
) -> None:
    site.answers["/a"] = (status, {"Location": "/login"}, "")
    assert links.broken(page_with(site, "/a")) == []


@pytest.mark.parametrize("status", [404, 410, 500])
def test_one_that_is_refused_does_not(site: Site, links: LinkStatus, status: int) -> None:
    site.answers["/a"] = (status, {}, "")
    assert links.broken(page_with(site, "/a?token=1")) == [f"its link /a is answered {status}"]


def test_one_without_any_answer_does_not(site: Site, links: LinkStatus) -> None:
    def close(handler: Any) -> Any:
        handler.close_connection = True
        handler.connection.shutdown(2)
        raise ConnectionAbortedError

    site.answers["/a"] = close
    (fault,) = links.broken(page_with(site, "/a"))
    assert f"its link {site.url}/a leads nowhere" in fault


def test_only_links_to_the_same_site_are_asked(site: Site, links: LinkStatus) -> None:
    with serve(Site()) as other:
        page = page_with(
            site, "/a", f"{other.url}/b", "mailto:me@shop.example", f"{site.url}.evil/"
        )
        links.broken(page)
        assert other.asked == []
    assert page.links == [f"{site.url}/a"]
    assert site.asked == ["GET /a"]


def test_each_is_asked_once_for_all_pages(site: Site, links: LinkStatus) -> None:
    for _ in range(2):
        assert len(links.broken(page_with(site, "/a", "/a", "/b"))) == 2
    assert sorted(site.asked) == ["GET /a", "GET /b"]


def test_no_more_than_so_many_are_asked(site: Site, links: LinkStatus) -> None:
    links.broken(page_with(site, *(f"/{number}" for number in range(MOST_LINKS + 9))))
    assert len(site.asked) == MOST_LINKS


class Anything(dict[str, Any]):
    """Answers each path that has no answer of its own."""

    def __init__(self, page: Any) -> None:
        super().__init__()
        self.page = page

    def get(self, key: str, _: object = None) -> Any:
        """Its own answer, or the one for all."""
        return super().get(key, self.page)


def numbered(handler: Any) -> tuple[int, dict[str, str], str]:
    """A page that is another one each time."""
    return 200, {}, f"{SHELL}<!-- {id(handler)} {datetime.now(UTC)} -->"


def repeating(handler: Any) -> tuple[int, dict[str, str], str]:
    """A page that says where it is."""
    return 200, {}, f"<link rel=canonical href={handler.path}>{SHELL}"


@pytest.mark.parametrize("answer", [SHELL, numbered, repeating])
def test_links_that_are_answered_as_any_path_is_are_an_open_question(
    site: Site, links: LinkStatus, answer: Any
) -> None:
    site.answers = Anything(answer)
    site.answers["/file"] = (200, {"Content-Type": "application/pdf"}, "%PDF")
    seen = page_with(site, "/", "/known", "/a", "/b", "/file", pages={"known": "/known"})
    assert links.broken(seen) == []
    (told,) = links.unclear(seen)
    assert told.startswith("2 of its links, /a among them, are answered as any path is")
    assert links.answers_anything()


def test_a_page_of_its_own_is_none_even_there(site: Site, links: LinkStatus) -> None:
    site.answers = Anything(SHELL)
    site.answers["/a"] = "<title>a</title>a page of its own"
    assert links.unclear(page_with(site, "/a")) == []


def test_where_only_what_exists_is_answered_nothing_is_open(site: Site, links: LinkStatus) -> None:
    site.answers["/a"] = site.answers["/b"] = SHELL
    assert links.unclear(page_with(site, "/a", "/b", "/gone")) == []
    assert not links.answers_anything()
