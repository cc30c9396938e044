"""Journeys go through pages, only read unless they may write, and show what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deployment_gate.environment import WebJourney
from deployment_gate.web.journeys import JourneyTaken, Traveller
from deployment_gate.web.visitor import SignInError, Visitor
from tests.web.conftest import Site

MakeVisitor = Callable[..., Visitor]
Take = Callable[..., JourneyTaken]

SHOP = """<!doctype html><html lang="en"><title>Shop</title><h1>Shop</h1><p id=said role=status></p>
<button onclick="fetch('/orders', {method: 'POST', body: 'tea'})
  .then(a => { said.textContent = 'ordered' })
  .catch(() => { said.textContent = 'failed' })">Buy</button>
<button onclick="said.textContent = 'looked'">Look</button>
<button onclick="navigator.sendBeacon('/beacon', 'x')">Beacon</button>
<button onclick="fetch('/kept', {method: 'POST', keepalive: true, body: 'x'})">Keep</button>
<button onclick="setTimeout(() => fetch('/later', {method: 'POST', body: 'x'}), 250)">Later</button>
<form method=post action=/form><button>Send</button></form>"""


@pytest.fixture
def take(site: Site, make_visitor: MakeVisitor) -> Take:
    """Take a journey of these steps."""
    site.answers.setdefault("/", SHOP)
    for path in ("/orders", "/beacon", "/kept", "/form", "/session"):
        site.answers.setdefault(path, "<title>x</title><h1>Done</h1>")

    def take_it(*steps: dict[str, Any], may_send: str = "", **more: Any) -> JourneyTaken:
        journey = WebJourney.model_validate({"steps": list(steps), **more})
        known = {"method": "", "url": ""}

        def may(method: str, url: str) -> bool:
            known.update(method=method, url=url)
            return bool(may_send) and f"{method} {url}" == f"POST {site.url}{may_send}"

        traveller = Traveller(make_visitor(timeout="1500ms"), may_send=may)
        return traveller.take("buy", journey, {"run": "v1"})

    return take_it


OPEN = {"open": "/", "see": {"heading": "Shop"}}


def test_one_that_goes_well_says_so_and_how_soon_its_clicks_showed(take: Take) -> None:
    taken = take(OPEN, {"click": {"button": "Look"}, "see": {"text": "looked"}})
    assert taken.went_well
    assert taken.account == ""
    assert len(taken.reactions_s) == 1
    assert 0 < taken.reactions_s[0] < 5
    assert (taken.picture, taken.trace) == (None, None)


def test_one_that_goes_wrong_says_where_and_shows_it(take: Take, site: Site) -> None:
    taken = take(OPEN, {"click": {"button": "Look"}, "see": {"text": "sold"}})
    assert taken.complaints[0].startswith('step 2, click button "Look"')
    assert len(taken.complaints) == 1
    assert taken.picture
    assert taken.picture.startswith(b"\x89PNG")
    assert taken.trace
    assert taken.trace.is_file()
    assert taken.at == f"{site.url}/"


@pytest.mark.parametrize(
    ("button", "sent"),
    [
        ("Buy", "/orders"),
        ("Beacon", "/beacon"),
        ("Keep", "/kept"),
        ("Send", "/form"),
        ("Later", "/later"),
    ],
)
def test_what_would_write_is_kept_back_and_told(
    take: Take, site: Site, button: str, sent: str
) -> None:
    taken = take(OPEN, {"click": {"button": button}})
    assert f"POST {sent}" not in site.asked
    assert taken.complaints == (
        (
            f"POST {site.url}{sent} was kept from the platform: journeys only read. Mark it "
            "`writes: true`, where the environment allows that"
        ),
    )
    assert taken.trace


def test_signing_in_may_be_sent(take: Take, site: Site) -> None:
    site.answers["/"] = SHOP.replace("/orders", "/session")
    taken = take(
        OPEN, {"click": {"button": "Buy"}, "see": {"text": "ordered"}}, may_send="/session"
    )
    assert taken.went_well, taken.account
    assert "POST /session" in site.asked


def test_one_that_may_write_writes(take: Take, site: Site) -> None:
    taken = take(OPEN, {"click": {"button": "Buy"}, "see": {"text": "ordered"}}, writes=True)
    assert taken.went_well, taken.account
    assert site.asked.count("POST /orders") == 1


CLEANUP = [{"open": "/remove/{{order}}"}, {"open": "/tidy/{{run}}"}]


@pytest.mark.parametrize("goes_well", [True, False])
def test_it_cleans_up_whatever_happened(take: Take, site: Site, *, goes_well: bool) -> None:
    site.answers |= {"/remove/Shop": "x", "/tidy/v1": "x"}
    step = {
        "see": {"heading": "Shop" if goes_well else "Sold"},
        "capture": {"order": {"heading": None}},
    }
    taken = take({"open": "/", "capture": {"order": {"heading": None}}}, step, cleanup=CLEANUP)
    assert taken.went_well is goes_well
    assert site.asked.index("GET /remove/Shop") < site.asked.index("GET /tidy/v1")


def test_a_step_of_the_clean_up_without_its_value_is_left_out_and_the_others_are_not(
    take: Take, site: Site
) -> None:
    taken = take({"see": {"heading": "Sold"}}, {"open": "/"}, cleanup=CLEANUP)
    assert not [one for one in site.asked if "/remove" in one]
    assert "GET /tidy/v1" in site.asked
    assert [one.partition(",")[0] for one in taken.complaints] == ["step 1", "cleaning up"]
    assert "/tidy/v1 was answered 404" in taken.account


SIGN_IN = [
    {"open": "/login"},
    {"fill": {"Name": "{{username}}", "Password": "{{password}}"}},
    {"click": {"button": "Sign in"}, "see": {"heading": "Orders"}},
]
SIGN_OUT = [{"click": {"button": "Sign out"}, "see": {"heading": "Sign in"}}]
PAGES = {"orders": "/orders", "login": {"path": "/login", "public": True}}


def server_session(site: Site, *, cache: str, ends: bool, heading: str = "") -> None:
    """A site whose server knows who signed in, by a cookie."""
    known: set[str] = set()
    brand = f"<h1>{heading}</h1>" if heading else ""

    def page(title: str, form: str) -> str:
        shown = brand or f"<h1>{title}</h1>"
        return f'<!doctype html><html lang="en"><title>{title}</title>{shown}<h2>{title}</h2>{form}'

    def login(_: Any) -> tuple[int, dict[str, str], str]:
        form = (
            "<form method=post action=/session><label>Name <input name=n></label><label>Password "
            "<input type=password name=p></label><button>Sign in</button></form>"
        )
        return 200, {"Cache-Control": "no-store"}, page("Sign in", form)

    def session(_: Any) -> tuple[int, dict[str, str], str]:
        known.add("s3ss10n-0123456789")
        return 303, {"Location": "/orders", "Set-Cookie": "session=s3ss10n-0123456789"}, ""

    def leave(_: Any) -> tuple[int, dict[str, str], str]:
        if ends:
            known.clear()
        return 303, {"Location": "/login"}, ""

    def orders(handler: Any) -> tuple[int, dict[str, str], str]:
        if not any(one in (handler.headers.get("Cookie") or "") for one in known):
            return 302, {"Location": "/login"}, ""
        form = "<form method=post action=/leave><button>Sign out</button></form>"
        return 200, {"Cache-Control": cache}, page("Orders", form)

    site.answers |= {"/login": login, "/session": session, "/leave": leave, "/orders": orders}


def sign_out(make_visitor: MakeVisitor) -> JourneyTaken:
    visitor = make_visitor(sign_in=SIGN_IN, sign_out=SIGN_OUT, pages=PAGES, timeout="3s")
    return Traveller(visitor, may_send=lambda _method, _url: False).sign_out("ann")


def test_who_signed_out_of_a_sound_site_stays_out(site: Site, make_visitor: MakeVisitor) -> None:
    server_session(site, cache="no-store", ends=True)
    taken = sign_out(make_visitor)
    assert taken.went_well, taken.account


@pytest.mark.parametrize(
    ("cache", "ends", "way"),
    [
        ("max-age=600", True, "the back button"),
        ("no-store", False, "the back button"),
    ],
    ids=["kept by the browser", "session goes on"],
)
def test_a_page_that_comes_back_after_signing_out_is_found(
    site: Site, make_visitor: MakeVisitor, cache: str, way: str, *, ends: bool
) -> None:
    server_session(site, cache=cache, ends=ends)
    taken = sign_out(make_visitor)
    assert taken.complaints == (
        f'after signing out, {way} leads to orders again, which shows "Orders"',
    )
    assert taken.picture
    assert taken.trace


APPLICATION = """<!doctype html><html lang="en"><title>Shop</title><h1 id=h></h1>
<form id=f><label>Name <input></label><label>Password <input type=password></label>
<button>Sign in</button></form><button id=o>Sign out</button><script>
const show = () => {
  const isIn = location.pathname === '/orders' && GUARD
  h.textContent = isIn ? '' : 'Sign in'; f.hidden = isIn; o.hidden = !isIn
  if (isIn) setTimeout(() => fetch('/data').then(() => { h.textContent = 'Orders' }), 200)
}
const go = path => { history.pushState(null, '', path); show() }
f.onsubmit = event => { event.preventDefault(); localStorage.in = 1; go('/orders') }
o.onclick = () => { localStorage.clear(); go('/login') }
onpopstate = show; show()
</script>"""


@pytest.mark.parametrize(("guard", "is_sound"), [("localStorage.in", True), ("true", False)])
def test_an_application_that_shows_its_page_only_after_a_while_is_waited_for(
    site: Site, make_visitor: MakeVisitor, guard: str, *, is_sound: bool
) -> None:
    page = APPLICATION.replace("GUARD", f"Boolean({guard})")
    site.answers |= {"/login": page, "/orders": page, "/data": "x"}
    taken = sign_out(make_visitor)
    assert taken.went_well is is_sound, taken.account
    assert is_sound or "the back button leads to orders again" in taken.account


def test_a_heading_of_all_pages_is_no_sign_of_being_let_in(
    site: Site, make_visitor: MakeVisitor
) -> None:
    server_session(site, cache="no-store", ends=True, heading="Platform")
    visitor = make_visitor(
        sign_in=[*SIGN_IN[:2], {"click": {"button": "Sign in"}, "see": {"button": "Sign out"}}],
        sign_out=[{"click": {"button": "Sign out"}, "see": {"button": "Sign in"}}],
        pages=PAGES,
    )
    taken = Traveller(visitor, may_send=lambda _method, _url: False).sign_out("ann")
    assert taken.complaints == (
        (
            "whether orders is shown after signing out can't be told: it has no main heading that the "  # noqa: E501  # one sentence
            "page after signing out lacks"
        ),
    )


def test_signing_in_is_a_journey_of_its_own(site: Site, make_visitor: MakeVisitor) -> None:
    server_session(site, cache="no-store", ends=True)
    visitor = make_visitor(sign_in=SIGN_IN, pages=PAGES, timeout="1s")
    traveller = Traveller(visitor, may_send=lambda _method, _url: False)
    assert traveller.sign_in("ann").went_well
    site.answers["/session"] = (403, {}, "<title>x</title><h1>Blocked</h1>")
    taken = traveller.sign_in("ann")
    assert 'which shows "Blocked"' in taken.account
    assert taken.picture
    journey = WebJourney.model_validate({"identity": "ann", "steps": [{"open": "/orders"}]})
    with pytest.raises(SignInError, match="nobody could sign in as ann"):
        traveller.take("read", journey, {})


def test_who_signed_in_takes_a_journey_so(site: Site, make_visitor: MakeVisitor) -> None:
    server_session(site, cache="no-store", ends=True)
    visitor = make_visitor(sign_in=SIGN_IN, pages=PAGES)
    traveller = Traveller(visitor, may_send=lambda _method, _url: False)
    steps = [{"open": "/orders", "see": {"heading": "Orders"}}]
    for identity, goes_well in (("ann", True), (None, False)):
        journey = WebJourney.model_validate({"identity": identity, "steps": steps})
        assert traveller.take("read", journey, {}).went_well is goes_well
