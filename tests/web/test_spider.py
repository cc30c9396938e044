"""Pages that nobody named are found by links, once each, and within a bound."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deployment_gate.web.findings import load_faults
from deployment_gate.web.spider import find_pages
from deployment_gate.web.visitor import Visitor
from tests.web.conftest import Site

MakeVisitor = Callable[..., Visitor]


def page(*links: str) -> str:
    anchors = "".join(f'<a href="{link}">{link}</a> ' for link in links)
    return f'<!doctype html><html lang="en"><title>x</title><h1>x</h1>{anchors}'


def paths(visitor: Visitor) -> list[str]:
    return [visit.path for visit in find_pages(visitor)]


def test_links_are_followed_breadth_first_and_circles_end(
    site: Site, make_visitor: MakeVisitor
) -> None:
    site.answers |= {
        "/": page("/a", "/b", "/"),
        "/a": page("/c", "/a"),
        "/b": page("/"),
        "/c": page(),
    }
    named = {"start": "/", "b": "/b"}
    assert paths(make_visitor(pages=named, discover={"start": "/"})) == ["/a", "/c"]
    for one in ("/", "/a", "/b", "/c"):
        assert site.asked.count(f"GET {one}") == 1


def test_no_more_than_the_bound_are_looked_at(site: Site, make_visitor: MakeVisitor) -> None:
    for number in range(9):
        site.answers[f"/{number}"] = page(f"/{number + 1}")
    assert paths(make_visitor(discover={"start": "/0", "at_most": 3})) == ["/0", "/1", "/2"]


def test_a_query_makes_another_page_and_a_fragment_does_not(
    site: Site, make_visitor: MakeVisitor
) -> None:
    site.answers |= {"/": page("/a?n=1", "/a?n=2#x", "/a?n=2#y", "#top", "/#end"), "/a": page()}
    assert paths(make_visitor()) == ["/a?n=1", "/a?n=2"]


def test_others_sites_files_pictures_and_ways_out_are_left_alone(
    site: Site, make_visitor: MakeVisitor
) -> None:
    site.answers |= {
        "/": page(
            "http://elsewhere.example/",
            "mailto:a@b.example",
            "/a.zip",
            "/a.png",
            "/logout",
            "/account/sign-out?now=1",
            "/blog-outlook",
        ),
        "/a.zip": (200, {"Content-Type": "application/zip"}, "PK"),
        "/a.png": (
            200,
            {"Content-Type": "image/svg+xml"},
            "<svg xmlns='http://www.w3.org/2000/svg'/>",
        ),
        "/blog-outlook": page(),
    }
    assert paths(make_visitor(discover={"start": "/"}, pages={"start": "/"})) == ["/blog-outlook"]
    assert not [one for one in site.asked if "out?" in one or one.endswith("logout")]


def test_a_link_to_nothing_is_found_as_a_page_that_is_not_there(
    site: Site, make_visitor: MakeVisitor
) -> None:
    site.answers["/"] = page("/gone")
    (found,) = find_pages(make_visitor(discover={"start": "/"}, pages={"start": "/"}))
    assert load_faults(found) == ["it was answered 404"]


@pytest.mark.parametrize("named", [{}, {"start": "/"}])
def test_pages_are_looked_for_where_that_is_said_or_none_are_named(
    site: Site, make_visitor: MakeVisitor, named: dict[str, str]
) -> None:
    site.answers |= {"/": page("/a"), "/a": page()}
    assert paths(make_visitor(pages=named)) == ([] if named else ["/a"])
