"""The web interface is found as people see it, by a browser that only reads."""

from __future__ import annotations

from collections.abc import Callable

from deployment_gate.discovery.platform import FormFound, WebFound
from tests.discovery.conftest import Look, page, told
from tests.probes.target import Close, Request, Target, http

Serve = Callable[..., Target]

FORM = """
<h1>Sign in</h1>
<form method=post action=/login>
  <label>E-mail address <input type=email name=e></label>
  <label for=p>Your password</label> <input id=p type=password name=p>
  <button>Let me in</button>
</form>
"""


def web_of(look: Look, target: Target) -> WebFound:
    """The web interface that is found."""
    web = look(target.origin).web
    assert web
    return web


def shown(web: WebFound) -> dict[str, tuple[str | None, bool]]:
    """The pages by their paths: heading, and whether they are public."""
    return {one.path: (one.heading, one.is_public) for one in web.pages}


def test_pages_are_found_by_the_links_of_the_start_page(serve: Serve, look: Look) -> None:
    links = "<a href=/about#us>About</a><a href='https://elsewhere.example/'>Out</a>"
    more = "<a href=/logout>Leave</a><a href=/list.csv>CSV</a>"
    items = "<a href=/items/1>1</a><a href=/items/2>2</a>"
    target = serve({
        "/": page(f"<h1>Welcome</h1>{links}{more}{items}"),
        "/about": page("<h1>About <b>us</b></h1><a href=/>home</a>"),
        "/items/1": page("<h1>Item 1</h1>"),
        "/items/2": page("<h1>Item 2</h1>"),
    })  # fmt: skip

    web = web_of(look, target)

    # A number in a heading may be another one tomorrow.
    assert shown(web) == {
        "/": ("Welcome", True), "/about": ("About us", True), "/items/1": (None, True)
    }  # fmt: skip
    assert not {"/logout", "/list.csv"} & {request.path for request in target.requests}


def test_what_scripts_make_of_a_page_is_seen(serve: Serve, look: Look) -> None:
    script = "document.body.innerHTML = '<h1>Made by a script</h1><a href=/next>next</a>'"
    target = serve({
        "/": page(f"<div></div><script>{script}</script>"),
        "/next": page("<h1>Next</h1>"),
    })  # fmt: skip

    assert shown(web_of(look, target)) == {
        "/": ("Made by a script", True), "/next": ("Next", True)
    }  # fmt: skip


def test_a_form_to_sign_in_by_is_found_with_the_words_that_people_see(
    serve: Serve, look: Look
) -> None:
    target = serve({
        "/": page("<h1>Welcome</h1><a href=/account/login>Sign in</a>"),
        "/account/login": page(FORM),
    })  # fmt: skip

    assert web_of(look, target).form == FormFound(
        path="/account/login",
        username="E-mail address",
        password="Your password",
        button="Let me in",
    )


def test_one_that_nothing_links_to_is_found_where_it_is_usual(serve: Serve, look: Look) -> None:
    target = serve({"/": page("<h1>Welcome</h1>"), "/login": page(FORM)})

    form = web_of(look, target).form

    assert form
    assert form.path == "/login"


def test_pages_that_lead_to_signing_in_are_not_public(serve: Serve, look: Look) -> None:
    by_script = page("<h1>Orders</h1><script>location.replace('/login?next=/orders')</script>")
    target = serve({
        "/": http("", 302, location="/login?next=/"),
        "/login": page(FORM + "<a href=/orders>Orders</a>"),
        "/orders": by_script,
    })  # fmt: skip

    assert shown(web_of(look, target)) == {
        "/": (None, False), "/login": ("Sign in", True), "/orders": (None, False)
    }  # fmt: skip


def test_a_form_to_register_is_none_to_sign_in_by(serve: Serve, look: Look) -> None:
    fields = "".join(f"<label>{n} <input type=password></label>" for n in ("One", "Again"))
    target = serve(
        {"/": page(f"<h1>Join</h1><form><label>Name <input></label>{fields}<button>Go</button>")}
    )

    assert web_of(look, target).form is None


def test_a_form_without_labels_is_told(serve: Serve, look: Look) -> None:
    form = "<form><input placeholder=Name><input type=password><button>Go</button></form>"
    target = serve({"/": page(f"<h1>Welcome</h1>{form}")})

    web = web_of(look, target)

    assert web.form is None
    assert any("give them labels" in remark for remark in web.remarks)


def test_what_a_page_would_write_stays_in_the_browser(serve: Serve, look: Look) -> None:
    script = """
    fetch('/track', {method: 'POST', body: 'x'}).catch(() => {});
    navigator.sendBeacon('/beacon', 'x');
    """
    target = serve({"/": page(f"<h1>Welcome</h1><script>{script}</script>")})

    web_of(look, target)

    assert {request.method for request in target.requests} == {"GET"}


def test_other_hosts_are_told_and_not_asked(serve: Serve, look: Look) -> None:
    other = serve({}, otherwise=told({}))
    port = other.origin.rpartition(":")[2]
    target = serve(
        {"/": page(f"<h1>Welcome</h1><script src='http://localhost:{port}/library.js'></script>")}
    )

    assert web_of(look, target).third_parties == ("localhost",)
    assert other.requests == []


def test_an_api_beside_it_is_found_by_what_the_pages_may_ask(serve: Serve, look: Look) -> None:
    api = serve({"/health": told({"status": "ok"})})
    policy = f"default-src 'self'; connect-src 'self' {api.origin} https://*.example.org"
    target = serve({"/": page("<h1>Welcome</h1>", content_security_policy=policy)})

    assert [one.url for one in look(target.origin).health] == [f"{api.origin}/health"]


def test_an_api_beside_it_is_found_by_what_its_scripts_ask(serve: Serve, look: Look) -> None:
    def allowed(_request: Request) -> bytes:
        return told({"status": "ok"}, access_control_allow_origin="*")

    api = serve({"/health": allowed})
    script = f"fetch('{api.origin}/health')"
    target = serve({"/": page(f"<h1>Welcome</h1><script>{script}</script>")})

    assert [one.url for one in look(target.origin).health] == [f"{api.origin}/health"]


def test_the_address_of_the_web_interface_may_be_given_beside_that_of_the_api(
    serve: Serve, look: Look
) -> None:
    api = serve({"/health": told({"status": "ok"})})
    web = serve({"/": page("<h1>Welcome</h1>"), "/health": told({"status": "ok"})})

    found = look(api.origin, web=web.origin)

    assert found.web
    assert found.web.base_url == web.origin
    assert [one.name for one in found.health] == ["api_health", "web_health"]


def test_an_application_below_a_path_is_looked_at_there(serve: Serve, look: Look) -> None:
    target = serve({
        "/shop/": page("<h1>Welcome</h1><a href=/shop/basket>Basket</a><a href=/other>Other</a>"),
        "/shop/basket": page("<h1>Basket</h1>"),
        "/other": page("<h1>Somebody else's</h1>"),
        "/shop/health": told({"status": "ok"}),
    })  # fmt: skip

    found = look(f"{target.origin}/shop/")

    assert found.web
    assert found.web.base_url == f"{target.origin}/shop"
    assert set(shown(found.web)) == {"/", "/basket"}
    assert [one.url for one in found.health] == [f"{target.origin}/shop/health"]


def test_without_a_browser_pages_are_known_as_the_server_sends_them(
    serve: Serve, look: Look, no_browser: None
) -> None:
    del no_browser
    target = serve({
        "/": page("<h1>Welcome</h1><a href=/login>Sign in</a>"), "/login": page(FORM)
    })  # fmt: skip

    web = web_of(look, target)

    assert not web.is_seen
    assert shown(web) == {"/": (None, True), "/login": (None, True)}
    assert web.form
    assert (web.form.username, web.form.button) == ("E-mail address", "Let me in")
    assert any("CHROMIUM" in remark for remark in web.remarks)


def test_a_page_that_the_browser_cannot_show_is_told(serve: Serve, look: Look) -> None:
    def for_others_only(request: Request) -> bytes:
        if "Chrome" in request.headers["user-agent"]:
            raise Close(b"")
        return page("<h1>Welcome</h1>")

    target = serve({"/": for_others_only, "/health": told({"status": "ok"})})

    found = look(target.origin)

    assert found.web is None
    assert any("/ can't be shown in the browser here: net::ERR" in one for one in found.remarks)
