"""What is seen of a page's layout, and what is said of it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from playwright.sync_api import Page

from deployment_gate.web.layout import (
    Layout,
    SmallTarget,
    heading_faults,
    image_faults,
    measure_layout,
    overflow_faults,
    target_faults,
)

Show = Callable[[str], Page]

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9Q"
    "DwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

SOUND = Layout(
    overflow_px=0,
    wider=(),
    small_targets=(),
    headings=("Policies",),
    title="Policies",
    language="en",
    broken_images=(),
    links=(),
    navigation_links=0,
    menu_button=None,
    is_whole=True,
)


def document(body: str, *, attributes: str = 'lang="en"', style: str = "") -> str:
    return (
        f"<!doctype html><html {attributes}><title>A page</title>"
        f"<style>body {{ margin: 0; font: 16px/1.4 sans-serif }} {style}</style>"
        f"<body>{body}</body></html>"
    )


# Width


WIDE = "<div style='width: 1400px; height: 9px'></div>"


@pytest.mark.parametrize(
    ("body", "overflow", "wider"),
    [
        ("<table style='width: 1400px'><caption>Prices</caption><tr><td>1", 120, 'table "Prices"'),
        (f"<img alt='Logo' width=1400 height=9 src='{PIXEL}'>", 120, 'img "Logo"'),
        ("<section style='width: 1400px'>Far <p>and wide", 120, 'section "Far and wide"'),
        ("<p style='font: 20px monospace'>" + "x" * 200, None, 'p "' + "x" * 39 + '…"'),
        (
            "<div style='position: absolute; left: 1300px; width: 20px' aria-label=Out>i",
            40,
            'div "Out"',
        ),
    ],
    ids=["table", "image", "section", "word", "absolute"],
)
def test_page_wider_than_its_window_names_what_makes_it_so(
    show: Show, body: str, overflow: int | None, wider: str
) -> None:
    layout = measure_layout(show(document(body)))
    assert layout.overflow_px == overflow or (overflow is None and layout.overflow_px > 0)
    assert layout.wider == (wider,)


@pytest.mark.parametrize(
    ("body", "style"),
    [
        ("<p>Narrow", ""),
        (f"<div style='overflow-x: auto'>{WIDE}</div>", ""),
        (f"<div style='overflow: clip'>{WIDE}</div>", ""),
        (WIDE, "body { overflow-x: hidden }"),
        (WIDE, "html { overflow-x: clip }"),
        ("<div style='position: absolute; left: -900px; width: 50px'>Out", ""),
        ("<div style='position: fixed; left: 1300px; width: 50px'>Menu", ""),
        ("<div style='display: none; width: 1400px'>Hidden", ""),
    ],
)
def test_what_cannot_be_scrolled_to_makes_no_page_wider(show: Show, body: str, style: str) -> None:
    layout = measure_layout(show(document(body, style=style)))
    assert (layout.overflow_px, layout.wider) == (0, ())


def test_what_scrolls_by_itself_is_not_blamed(show: Show) -> None:
    body = f"<div style='overflow: auto'>{WIDE}</div><p style='width: 1300px'>Guilty"
    assert measure_layout(show(document(body))).wider == ('p "Guilty"',)


def test_what_escapes_from_a_clipping_parent_is_blamed(show: Show) -> None:
    body = "<div style='overflow: hidden'><b style='position: absolute; left: 1290px'>Escaped"
    assert measure_layout(show(document(body))).wider == ('b "Escaped"',)


def test_right_to_left_page_is_wider_to_the_left(show: Show) -> None:
    body = "<div style='width: 1400px'>واسع</div><div style='width: 100px'>ضيق</div>"
    layout = measure_layout(show(document(body, attributes='dir="rtl" lang="ar"')))
    assert (layout.overflow_px, layout.wider) == (120, ('div "واسع"',))


def test_page_scrolled_sideways_is_measured_alike(show: Show) -> None:
    page = show(document("<p style='width: 1400px'>Far"))
    before = measure_layout(page)
    page.evaluate("window.scrollTo(100, 0)")
    assert measure_layout(page) == before


def test_five_wide_elements_are_named_at_most(show: Show) -> None:
    body = "".join(f"<p style='width: 1400px'>Number {i}" for i in range(9))
    assert len(measure_layout(show(document(body))).wider) == 5


# Targets

SMALL = "display: inline-block; width: 18px; height: 18px; font-size: 8px; overflow: hidden"


def small(content: str = "More", extra: str = "") -> str:
    return f'<a href="/x" style="{SMALL}; {extra}">{content}</a>'


def test_small_targets_side_by_side_are_found(show: Show) -> None:
    layout = measure_layout(show(document(f"<div>{small()}{small('Less')}</div>")))
    assert layout.small_targets == (
        SmallTarget(what='link "More"', width=18, height=18),
        SmallTarget(what='link "Less"', width=18, height=18),
    )


@pytest.mark.parametrize(
    ("html", "what"),
    [
        (f'<button aria-label="Close" style="{SMALL}; border: 0"></button>', 'button "Close"'),
        (f'<span role="switch" tabindex="0" style="{SMALL}">On</span>', 'switch "On"'),
        (
            '<label for="a">x</label><input id="a" type="checkbox" style="width: 16px">',
            'checkbox "x"',
        ),
        (f'<input placeholder="Year" style="{SMALL}; border: 0; padding: 0">', 'field "Year"'),
        (f'<svg style="{SMALL}"><a href="/y"><rect width="18" height="18"/></a></svg>', "link"),
    ],
)
def test_each_kind_of_target_is_named(show: Show, html: str, what: str) -> None:
    big = '<button style="width: 80px; height: 80px; vertical-align: top">Big</button>'
    page = show(document(f'<div style="display: flex">{html}{big}</div>'))
    assert [target.what for target in measure_layout(page).small_targets] == [what]


@pytest.mark.parametrize(
    "body",
    [
        small(),
        small() + small("Less", "margin-left: 6px"),
        "<p>Read <a href='/a'>a</a><a href='/b'>b</a> in a sentence.",
        "<input type='checkbox' aria-label='a'><input type='radio' aria-label='b'>",
        (
            "<label style='display: block; height: 30px'><input type='checkbox' style='width: 9px'>"
            "Remember me</label><button style='height: 40px'>Go</button>"
        ),
        f"{small('Skip', 'position: absolute; left: -999px')}{small('More')}",
        f"<div style='position: absolute; clip: rect(0 0 0 0)'>{small()}{small()}</div>",
        f"<div style='visibility: hidden'>{small()}{small()}</div>",
        f"<div style='opacity: 0'>{small()}{small()}</div>",
        f"<div inert>{small()}{small()}</div>",
        f"<details><summary style='padding: 9px'>Open</summary>{small()}{small()}</details>",
        f"<div><a href='/a'><img alt='A' width=30 height=30 src='{PIXEL}'></a></div>" * 2,
        (
            "<style>i { position: relative; display: inline-block; width: 90px; height: 90px }"
            "i a::after { content: ''; position: absolute; inset: 0 }</style>"
            "<i><a href='/a'>a</a></i><i><a href='/b'>b</a></i>"
        ),
    ],
    ids=[
        "alone", "spaced", "in a sentence", "the browser's own", "label", "skip link", "clipped",
        "invisible", "transparent", "inert", "closed", "holds an image", "stretched",
    ],
)  # fmt: skip
def test_exceptions_of_the_criterion_are_none_of_the_small(show: Show, body: str) -> None:
    assert measure_layout(show(document(body))).small_targets == ()


@pytest.mark.parametrize(
    "body",
    [
        "<a href='/a'>a</a>|<a href='/b'>b</a>",
        "<p>Read<br><a href='/a'>a</a><a href='/b'>b</a>",
        "<p>Read</p><a href='/a'>a</a><a href='/b'>b</a>",
    ],
    ids=["separated", "on their own line", "after a paragraph"],
)
def test_links_without_text_in_their_line_are_not_in_a_sentence(show: Show, body: str) -> None:
    found = measure_layout(show(document(body))).small_targets
    assert [target.what for target in found] == ['link "a"', 'link "b"']


def test_small_target_close_to_a_large_one_is_found(show: Show) -> None:
    body = f"<button style='width: 90px; height: 90px; vertical-align: top'>Big</button>{small()}"
    [found] = measure_layout(show(document(body))).small_targets
    assert found.what == 'link "More"'


def test_axe_finds_the_same_small_targets(show: Show) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    rows = [small(f"g{gap}", f"margin-right: {gap}px") * 3 for gap in (0, 2, 5, 6, 8)]
    page = show(document("".join(f"<div style='margin: 30px'>{row}</div>" for row in rows)))
    own = sorted(target.what for target in measure_layout(page).small_targets)
    answer = axe.run(page, options={"runOnly": {"type": "rule", "values": ["target-size"]}})
    nodes = [node for found in answer.response["violations"] for node in found["nodes"]]
    assert sorted(f'link "{node["html"][-6:-4]}"' for node in nodes) == own


# Headings, title, language


def test_visible_main_headings_are_read(show: Show) -> None:
    layout = measure_layout(
        show(
            document(
                "<h1> All\n policies </h1><h1 hidden>Not</h1><h2>Nor</h2><h1></h1>"
                '<div role="heading" aria-level="1">Too</div><h1 aria-level="2">Below</h1>'
            )
        )
    )
    assert layout.headings == ("All policies", "Too")
    assert (layout.title, layout.language) == ("A page", "en")
    assert heading_faults(layout) == []


def test_page_without_name_is_found(show: Show) -> None:
    layout = measure_layout(show("<!doctype html><p>Nameless"))
    assert (layout.headings, layout.title, layout.language) == ((), "", "")
    assert heading_faults(layout) == [
        "the page has no title",
        "the page has no visible main heading (h1)",
    ]


# Images


def test_broken_images_are_found(site: Any, tab: Page) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>'
    site.answers["/drawing.svg"] = (HTTPStatus.OK, {"Content-Type": "image/svg+xml"}, svg)
    site.answers["/flat.svg"] = (
        HTTPStatus.OK,
        {"Content-Type": "image/svg+xml"},
        svg.replace("<svg ", '<svg width="0" height="0" '),
    )
    broken = "data:image/png;base64," + "A" * 99
    site.answers["/"] = document(
        f'<img src="/gone.png?a=1"><img src="{broken}"><img src="{PIXEL}"><img src="/drawing.svg">'
        '<img src="/flat.svg"><img src=""><img>'
        '<p style="height: 20000px"></p><img loading="lazy" src="/later.png">'
    )
    tab.goto(site.url)
    layout = measure_layout(tab)
    assert layout.broken_images == (f"{site.url}/gone.png?a=1", f"{broken[:39]}…")
    assert image_faults(layout)[0] == f"the image {site.url}/gone.png?a=1 is broken"


def test_image_that_is_still_loading_is_not_broken(show: Show) -> None:
    page = show(document(f'<img src="{PIXEL}">'))
    page.route("**/slow.png", lambda _: None)
    page.evaluate("document.images[0].src = '/slow.png'")
    assert measure_layout(page).broken_images == ()


# Links


def test_links_are_absolute_unique_and_in_order(site: Any, show: Show) -> None:
    page = show(
        document(
            '<a href="/b#one">b</a><a href="/b#two">b</a><a href="a?x=1">a</a><a>none</a>'
            '<a href="mailto:a@b.c">m</a><a href="javascript:0">j</a><a href="http://[">bad</a>'
            '<svg><a href="/drawn"><text>s</text></a></svg><div id="host"></div>'
            '<a href="https://example.test/">e</a>'
        )
    )
    page.evaluate(
        "document.querySelector('#host').attachShadow({mode: 'open'})"
        ".append(Object.assign(document.createElement('a'), {href: '/shadow', text: 's'}))"
    )
    assert measure_layout(page).links == (
        f"{site.url}/b",
        f"{site.url}/a?x=1",
        f"{site.url}/drawn",
        f"{site.url}/shadow",
        "https://example.test/",
    )


# Navigation

LINKS = '<a href="/a">A</a><a href="/b">B</a>'


@pytest.mark.parametrize(
    ("body", "links", "button"),
    [
        (f"<nav>{LINKS}</nav>", 2, None),
        (f"<div role=navigation>{LINKS}</div>", 2, None),
        (
            (
                "<header><button aria-expanded=false aria-controls=n>Menu</button></header>"
                f"<nav id=n hidden>{LINKS}</nav>"
            ),
            0,
            "Menu",
        ),
        (
            (
                "<header><button aria-expanded=false>Account</button>"
                "<button aria-expanded=false aria-controls=n aria-label=Open></button></header>"
                f"<nav id=n style='position: fixed; transform: translateX(-100%)'>{LINKS}</nav>"
            ),
            0,
            "Open",
        ),
        (f"<nav><details><summary>More</summary>{LINKS}</details></nav>", 0, "More"),
        (f"<nav><div role=button aria-expanded=false>Go</div><p hidden>{LINKS}</p></nav>", 0, "Go"),
    ],
    ids=["nav", "role", "menu", "two buttons", "details", "role button"],
)
def test_navigation_is_seen_or_what_opens_it(
    show: Show, body: str, links: int, button: str | None
) -> None:
    layout = measure_layout(show(document(body)))
    assert (layout.navigation_links, layout.menu_button) == (links, button)
    assert layout.has_navigation


@pytest.mark.parametrize(
    "body",
    [
        f"<nav hidden>{LINKS}</nav>",
        f"<nav style='position: absolute; left: -999px'>{LINKS}</nav>",
        f"<nav style='height: 0; overflow: hidden'>{LINKS}</nav>",
        f"<nav hidden>{LINKS}</nav><header><button hidden aria-expanded=false>Menu</button>",
        f"<main>{LINKS}<button aria-expanded=false>Details</button></main>",
    ],
)
def test_navigation_that_cannot_be_reached_is_none(show: Show, body: str) -> None:
    assert not measure_layout(show(document(body))).has_navigation


# Pages nobody of us wrote


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<p>quirks",
        "<!doctype html><frameset><frame src='about:blank'></frameset>",
        "<form><input name=parentElement><input name=children><a href=x>y</a></form>",
        "<svg><a xlink:href='/x'><foreignObject><a href='/y'>z</a></foreignObject></a></svg>",
        "<math><mi href='/x'>x</mi></math><template><a href=x></a></template>",
        "<script>document.documentElement.removeChild(document.body)</script>",
        "<input aria-labelledby='a b'><a href=x aria-labelledby=''></a><label for=no>x</label>",
    ],
)
def test_strange_pages_are_measured(show: Show, html: str) -> None:
    layout = measure_layout(show(html))
    assert layout.overflow_px == 0
    json.dumps(dataclasses.asdict(layout))


def test_page_without_any_element_is_measured(show: Show) -> None:
    page = show("<p>x")
    page.evaluate("document.documentElement.remove()")
    assert measure_layout(page).links == ()


def test_huge_page_is_measured_in_part(show: Show) -> None:
    page = show(document("<h1>Long</h1>" + f"<p>{small()}{small()}</p>" * 9000))
    layout = measure_layout(page)
    assert not layout.is_whole
    assert layout.headings == ("Long",)
    assert len(layout.small_targets) > 3000


def test_strict_policies_of_a_page_keep_nothing_from_being_measured(site: Any, tab: Page) -> None:
    strict = "default-src 'self'; style-src 'unsafe-inline'; require-trusted-types-for 'script'"
    headers = {"Content-Security-Policy": strict}
    site.answers["/"] = (HTTPStatus.OK, headers, document("<h1>Strict</h1>"))
    tab.goto(site.url)
    assert measure_layout(tab).headings == ("Strict",)


# What is said of it


def test_sound_page_has_no_faults() -> None:
    for faults in (overflow_faults, target_faults, image_faults, heading_faults):
        assert faults(SOUND) == []


def test_faults_are_sentences() -> None:
    target = SmallTarget(what='link "More"', width=18, height=17.5)
    layout = dataclasses.replace(
        SOUND, overflow_px=120, wider=('table "Prices"',), small_targets=(target, target)
    )
    assert overflow_faults(layout) == [
        'the page scrolls 120 px sideways, because of table "Prices"'
    ]
    assert target_faults(dataclasses.replace(layout, small_targets=(target,))) == [
        'link "More" is 18 x 17.5 px; 24 x 24 are needed (WCAG 2.2, 2.5.8)'
    ]
    assert target_faults(layout) == [
        'link "More" is 18 x 17.5 px, 2 times; 24 x 24 are needed (WCAG 2.2, 2.5.8)'
    ]
