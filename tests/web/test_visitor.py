"""Pages are visited as strangers or as somebody signed in, and a visit that fails is blamed."""

from __future__ import annotations

import io
import socket
import struct
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deployment_gate.environment import WebPage
from deployment_gate.web import findings
from deployment_gate.web.visit import Visit
from deployment_gate.web.visitor import SignInError, Visitor
from tests.web.conftest import Site

MakeVisitor = Callable[..., Visitor]

WELL = '<!doctype html><html lang="en"><title>Shop</title><main><h1>Shop</h1></main></html>'

SIGN_IN = [
    {"open": "/login"},
    {"fill": {"Name": "{{username}}", "Password": "{{password}}"}},
    {"click": {"button": "Sign in"}, "see": {"heading": "Orders"}},
]
LOGIN = """<!doctype html><html lang="en"><title>Sign in</title><h1>Sign in</h1>
<form method=post action=/session><label>Name <input name=name></label>
<label>Password <input type=password name=password></label><button>Sign in</button></form>"""
ORDERS = '<!doctype html><html lang="en"><title>Orders</title><main><h1>Orders</h1></main></html>'
KEEPING = """<!doctype html><html lang="en"><title>Shop</title><h1>.</h1><script>
document.querySelector('h1').textContent = STORE.getItem('token') ? 'Orders' : 'Sign in'
</script>"""


def see(visitor: Visitor, path: str = "/", device: str = "desktop", **page: Any) -> Visit:
    return visitor.visit("page", WebPage(path=path, **page), device)


@pytest.mark.parametrize("status", [404, 500, 503])
def test_a_page_that_is_refused_is_told_with_its_status(
    site: Site, make_visitor: MakeVisitor, status: int
) -> None:
    site.answers["/"] = (status, {}, WELL)
    seen = see(make_visitor())
    assert (seen.status, seen.error, seen.unobserved) == (status, None, None)
    assert findings.load_faults(seen) == [f"it was answered {status}"]
    assert seen.trace
    assert seen.picture


def test_a_page_that_never_answers_is_the_targets_fault(
    site: Site, make_visitor: MakeVisitor
) -> None:
    gate = threading.Event()
    site.answers["/"] = lambda _: (gate.wait(10), (200, {}, WELL))[1]
    seen = see(make_visitor(timeout="500ms"))
    gate.set()
    assert seen.error == "it didn't load within 0.5 s"
    assert not seen.is_loaded
    assert seen.duration_s >= 0.5


def test_so_is_one_that_refuses_connections(make_visitor: MakeVisitor) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        seen = see(make_visitor(base_url=f"http://127.0.0.1:{taken.getsockname()[1]}"))
    assert seen.error == "it didn't load: connection refused (ERR_CONNECTION_REFUSED)"
    assert seen.unobserved is None


def reset(handler: Any, sent: bytes) -> tuple[int, dict[str, str], str]:
    """Send a part of an answer, and reset the connection."""
    handler.wfile.write(sent)
    handler.wfile.flush()
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()
    raise ConnectionAbortedError


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "ERR_"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 999\r\n\r\n<h1>Shop",
            "it didn't load within 1 s",
        ),
    ],
    ids=["at once", "mid-answer"],
)
def test_so_is_a_reset_connection(
    site: Site, make_visitor: MakeVisitor, sent: bytes, said: str
) -> None:
    site.answers["/"] = lambda handler: reset(handler, sent)
    seen = see(make_visitor(timeout="1s"))
    assert seen.error
    assert said in seen.error
    assert seen.unobserved is None


def test_a_name_that_nobody_knows_is_the_runners_trouble(make_visitor: MakeVisitor) -> None:
    seen = see(make_visitor(base_url="http://shop.invalid"))
    assert seen.unobserved == (
        "the browser didn't get there: name not resolved (ERR_NAME_NOT_RESOLVED)"
    )
    assert seen.error is None
    assert seen.observation("check").unobserved == seen.unobserved


def test_a_page_that_goes_round_in_circles_is_told(site: Site, make_visitor: MakeVisitor) -> None:
    site.answers["/"] = (302, {"Location": "/"}, "")
    assert "ERR_TOO_MANY_REDIRECTS" in (see(make_visitor()).error or "")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, {"Content-Type": "application/zip"}, "PK"), "it is a file to be kept, not a page"),
        ((200, {"Content-Disposition": "attachment"}, WELL), "it is a file to be kept, not a page"),
        ((200, {"Content-Type": "image/svg+xml"}, "<svg/>"), "it is image/svg+xml, not a page"),
        ((200, {"Content-Type": "application/json"}, "{}"), "it is application/json, not a page"),
    ],
)
def test_what_is_a_file_is_no_page(
    site: Site, make_visitor: MakeVisitor, answer: Any, said: str
) -> None:
    site.answers["/"] = answer
    seen = see(make_visitor())
    assert seen.error == said
    assert not findings.is_page(seen)


@pytest.mark.parametrize(
    "way",
    [
        "<script>location.replace('/end')</script>",
        "<script>onload = () => { location = '/end' }</script>",
        "<meta http-equiv=refresh content='0;url=/end'>",
        "<script>setTimeout(() => { location = '/end' }, 300)</script>",
    ],
)
def test_a_page_that_leads_on_by_itself_is_seen_where_it_ends(
    site: Site, make_visitor: MakeVisitor, way: str
) -> None:
    site.answers["/"] = f"<title>x</title>{way}<img src=/slow.png alt=x>"
    site.answers["/end"] = WELL
    seen = see(make_visitor())
    assert seen.address == f"{site.url}/end"
    assert seen.layout
    assert seen.layout.headings == ("Shop",)
    assert findings.load_faults(seen) == []


def test_one_that_leads_on_while_it_is_looked_at_is_seen_all_the_same(
    site: Site, make_visitor: MakeVisitor
) -> None:
    restless = f"{WELL}<script>if (sessionStorage.n === undefined) sessionStorage.n = 0;" + (
        "if (++sessionStorage.n < 4) setTimeout(() => location.reload(), 640)</script>"
    )
    site.answers["/"] = restless
    seen = see(make_visitor())
    assert seen.layout
    assert seen.layout.headings == ("Shop",)


def cookie_session(site: Site) -> None:
    """A site whose session is a cookie, as pages that a server makes have it."""

    def take(_: Any) -> tuple[int, dict[str, str], str]:
        cookie = "session=0a1b2c3d4e5f6071; HttpOnly; Path=/"
        return 303, {"Location": "/orders", "Set-Cookie": cookie}, ""

    def show(handler: Any) -> tuple[int, dict[str, str], str]:
        if "session=0a1b2c3d4e5f6071" in (handler.headers.get("Cookie") or ""):
            return 200, {}, ORDERS
        return 302, {"Location": "/login"}, ""

    site.answers.update({"/login": LOGIN, "/session": take, "/orders": show})


def stored_session(site: Site, store: str) -> None:
    """A site whose pages keep a token of their own."""
    site.answers["/orders"] = KEEPING.replace("STORE", store)
    site.answers["/login"] = LOGIN.replace(
        "<form",
        f"<form onsubmit=\"{store}.setItem('token', 't0k3n-0123456789abcdef'); "
        "location = '/orders'; return false\"",
    )


@pytest.mark.parametrize("kind", ["cookie", "localStorage", "sessionStorage"])
def test_who_signed_in_once_is_signed_in_in_each_fresh_window(
    site: Site, make_visitor: MakeVisitor, kind: str
) -> None:
    if kind == "cookie":
        cookie_session(site)
    else:
        stored_session(site, kind)
    visitor = make_visitor(sign_in=SIGN_IN)
    seen = [see(visitor, "/orders", device) for device in ("desktop", "phone")]
    assert [one.layout.headings for one in seen if one.layout] == [("Orders",)] * 2
    stranger = see(visitor, "/orders", public=True)
    assert stranger.layout
    assert stranger.layout.headings == ("Sign in",)
    assert site.asked.count("GET /login") == (2 if kind == "cookie" else 1)


def test_what_a_tab_keeps_is_given_to_it_once_and_to_its_own_origin_alone(
    site: Site, make_visitor: MakeVisitor
) -> None:
    stored_session(site, "sessionStorage")
    site.answers["/out"] = "<title>x</title><h1>x</h1><script>sessionStorage.clear()</script>"
    visitor = make_visitor(sign_in=SIGN_IN)
    state = visitor.signed_in("ann")
    assert state.entries == [["token", "t0k3n-0123456789abcdef"]]
    with visitor.window("desktop", state) as (context, _):
        page = context.new_page()
        page.goto(f"{site.url}/out")
        page.goto(f"{site.url}/orders")
        assert page.inner_text("h1") == "Sign in"


def test_who_cannot_sign_in_is_told_so_each_time_and_tries_once(
    site: Site, make_visitor: MakeVisitor
) -> None:
    site.answers["/login"] = LOGIN
    site.answers["/session"] = "<title>x</title><h1>Sign in</h1><p role=alert>Wrong password</p>"
    visitor = make_visitor(sign_in=SIGN_IN, timeout="1s")
    for _ in range(2):
        with pytest.raises(SignInError, match=r'nobody could sign in as ann: step 3.*"Wrong passw'):
            see(visitor, "/orders")
    assert site.asked.count("GET /login") == 1


@pytest.mark.parametrize(
    ("here", "is_kept"),
    [
        ("<script>localStorage.setItem('token', TOKEN)</script>", True),
        ("<script>sessionStorage.setItem('access_token', TOKEN)</script>", True),
        ("<script>document.cookie = 'session=' + TOKEN</script>", True),
        ("<script>fetch('/x', {headers: {Authorization: 'Bearer ' + TOKEN}})</script>", True),
        ("<script>fetch('/x?access_token=' + TOKEN)</script>", True),
        ("<meta name=csrf-token id=m><script>m.content = TOKEN</script>", True),
        ("", False),
    ],
)
def test_a_secret_that_a_page_holds_is_masked_in_its_picture_and_gone_from_its_trace(
    site: Site, make_visitor: MakeVisitor, here: str, *, is_kept: bool
) -> None:
    token = "eyJmYWtl0123456789abcdef"
    page = WELL.replace("</h1>", "</h1><p id=p>none</p>") + "<script>const TOKEN = 'T'</script>HERE"
    show = "<script>p.textContent = TOKEN; throw new Error('x')</script>"
    site.answers["/"] = page.replace("HERE", here + show).replace("'T'", f"'{token}'")
    visitor = make_visitor()
    seen = see(visitor)
    assert (visitor.redact(token) != token) is is_kept
    assert seen.picture
    assert has_mask(seen.picture) is is_kept
    if is_kept:
        assert seen.trace
        assert token.encode() not in unzipped(seen.trace)


def has_mask(picture: bytes) -> bool:
    """Whether Playwright's colour for what is masked is in it."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    return any(colour == (255, 0, 255) for _, colour in image.getcolors(1 << 20) or ())


def unzipped(path: Path) -> bytes:
    with zipfile.ZipFile(path) as trace:
        return b"".join(trace.read(name) for name in trace.namelist())


def test_where_it_looks_different_each_time_is_told_in_pixels_of_the_whole_page(
    site: Site, make_visitor: MakeVisitor
) -> None:
    site.answers["/"] = WELL.replace(
        "</main>",
        "<div style='position:absolute;left:30px;top:2000px;width:200px;height:40px' role=status>"
        "12:00</div><nav aria-label=Ads style='position:absolute;left:1px;top:900px;width:50px;"
        "height:60px'>x</nav></main><script>scrollTo(0, 700)</script>",
    )
    visitor = make_visitor(pictures={"masks": [{"status": None}]})
    seen = see(visitor, masks=[{"navigation": "Ads"}, {"button": "none"}])
    boxes = [(box.x, box.y, box.width, box.height) for box in seen.masks]
    assert boxes == [(30, 2000, 200, 40), (1, 900, 50, 60)]


MENU = """<!doctype html><html lang="en"><meta name=viewport content="width=device-width">
<title>Shop</title><header>
<button aria-expanded=false aria-controls=n ONCLICK>Menu</button></header>
<nav id=n aria-label=Main hidden><a href="/a">All orders</a></nav><main><h1>Shop</h1></main>"""


@pytest.mark.parametrize(
    ("act", "links", "faults"),
    [
        ("onclick='n.hidden = false'", 1, []),
        ("", 0, ['its button "Menu" was pressed, and no link of its navigation shows']),
        ("disabled", 0, ['its button "Menu" was pressed, and no link of its navigation shows']),
    ],
)
def test_a_menu_is_opened_to_see_whether_its_links_are_within_reach(
    site: Site, make_visitor: MakeVisitor, act: str, links: int, faults: list[str]
) -> None:
    site.answers["/"] = MENU.replace("ONCLICK", act)
    seen = see(make_visitor(timeout="1s"), device="phone")
    assert seen.menu_links == links
    assert findings.navigation_faults(seen) == faults


def test_a_page_without_navigation_lacks_none(site: Site, make_visitor: MakeVisitor) -> None:
    site.answers["/"] = WELL
    seen = see(make_visitor(), device="phone")
    assert seen.menu_links is None
    assert findings.navigation_faults(seen) == []


def test_each_device_has_its_own_screen_and_touch(site: Site, make_visitor: MakeVisitor) -> None:
    site.answers["/"] = (
        '<meta name=viewport content="width=device-width"><title>x</title><h1></h1><script>'
        "document.querySelector('h1').textContent = innerWidth + ' ' + navigator.maxTouchPoints"
        "</script>"
    )
    visitor = make_visitor(
        devices={
            "wide": {"width": 1900, "height": 800},
            "small": {"width": 320, "height": 600, "touch": True},
        }
    )
    seen = [see(visitor, device=name).layout for name in ("wide", "small")]
    assert [one.headings[0] for one in seen if one] == ["1900 0", "320 1"]
    assert see(visitor, device="wide").violations is not None
    assert see(visitor, device="small").violations is None


def test_a_visit_is_told_as_evidence(site: Site, make_visitor: MakeVisitor) -> None:
    site.answers["/"] = WELL
    told = see(make_visitor()).observation("check")
    assert (told.kind, told.subject, told.status, told.error) == ("page", "/", 200, None)
    assert told.facts == {"page": "page", "device": "desktop", "url": f"{site.url}/"}
    assert told.duration_s is not None
