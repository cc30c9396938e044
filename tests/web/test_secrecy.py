"""What a browser's session holds of secrets is known before anything is written."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page

from deployment_gate.evidence.redaction import Redactor
from deployment_gate.web.secrecy import (
    places_of_secrets,
    secrets_in_body,
    secrets_in_request,
    secrets_in_storage,
    watch_secrets,
)

TOKEN = "tok-4f1d99c07be24e0a"
COOKIE = "c00kie-83e1a55d90b7"


def test_traffic_gives_its_secrets(site: Any, window: BrowserContext) -> None:
    secrets: set[str] = set()
    basic = base64.b64encode(b"ada:of-the-basic-scheme").decode()
    site.answers |= {
        "/": (200, {"Set-Cookie": f"session={COOKIE}; HttpOnly"}, "<h1>hi</h1>"),
        "/token": (200, {"Content-Type": "application/json"}, f'{{"access_token": "{TOKEN}"}}'),
        "/moved": (302, {"Location": "/?id_token=id-0123456789abcdef"}, ""),
    }
    watch = watch_secrets(window, secrets.add)
    tab = window.new_page()
    tab.goto(f"{site.url}/#access_token=of-the-fragment-1")
    tab.evaluate(
        """async basic => {
            const post = (path, body, headers) => fetch(path, {method: 'POST', body, headers});
            const answer = await post('/token', JSON.stringify({password: 'typed'}), {
                'Authorization': 'Basic ' + basic, 'X-Api-Key': 'key-1', 'X-CSRF-Token': 'csrf-1'});
            await answer.json();
            await post('/', new URLSearchParams({user: 'ada', passwd: 'in a form'}));
            await fetch('/moved');
        }""",
        basic,
    )
    tab.title()
    tab.goto("about:blank")
    watch.collect()

    assert secrets >= {COOKIE, TOKEN, "id-0123456789abcdef", "typed", "in a form"}
    assert secrets >= {basic, "of-the-basic-scheme", "key-1", "csrf-1"}
    assert not secrets & {"ada", "hi"}


def test_a_window_that_was_closed_is_passed_over(site: Any, window: BrowserContext) -> None:
    site.answers["/"] = (200, {"Content-Type": "application/json"}, f'{{"token": "{TOKEN}"}}')
    watch = watch_secrets(window, print)
    window.new_page().goto(site.url)
    window.close()

    watch.collect()


def test_an_answer_without_end_is_not_waited_for(site: Any, window: BrowserContext) -> None:
    def endless(handler: Any) -> Any:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"{")
        handler.close_connection = False
        handler.rfile.read(1)
        raise ConnectionResetError

    site.answers |= {"/": "<h1>hi</h1>", "/endless": endless}
    watch = watch_secrets(window, print)
    tab = window.new_page()
    tab.goto(site.url)
    with tab.expect_response("**/endless"):
        tab.evaluate("{ fetch('/endless', {headers: {'Authorization': 'Bearer abcdefgh'}}) }")

    watch.collect()
    tab.close()


def test_storage_and_fields_give_their_secrets(show: Callable[[str], Page]) -> None:
    tab = show(
        "<input type=password id=p><input type=hidden name=csrf_token value=of-the-form>"
        "<meta name=csrf-token content=of-the-page><input name=q value='an ordinary text'>"
    )
    tab.fill("#p", "typed")
    tab.evaluate(
        f"""() => {{
            localStorage.setItem('auth', JSON.stringify({{user: 'ada', access_token: '{TOKEN}'}}));
            const inner = JSON.stringify({{jwt: 'inner-09'}});
            localStorage.setItem('nested', JSON.stringify({{inner}}));
            sessionStorage.setItem('kept', 'bd0e52a7c9f14d3386aa');
            sessionStorage.setItem('theme', 'dark');
            document.cookie = 'sid={COOKIE}';
        }}"""
    )

    assert set(secrets_in_storage(tab)) == {
        *(TOKEN, COOKIE, "inner-09", "bd0e52a7c9f14d3386aa"),
        *("typed", "of-the-form", "of-the-page"),
    }


def test_a_page_without_storage_has_none(tab: Page) -> None:
    assert list(secrets_in_storage(tab)) == []


@pytest.mark.timeout(30)
def test_a_page_that_is_busy_is_not_waited_for(show: Callable[[str], Page]) -> None:
    tab = show("<h1>hi</h1>")
    tab.evaluate(
        "{ setTimeout(() => { const end = Date.now() + 6000; while (Date.now() < end); }) }"
    )

    assert list(secrets_in_storage(tab)) == []


@pytest.mark.parametrize(
    ("url", "headers", "expected"),
    [
        ("http://a/?code=0123456789", {}, {"0123456789"}),
        ("http://a/#/in?access_token=0123456789&x=y", {}, {"0123456789"}),
        ("http://a/?q=0123456789&session=1", {}, set()),
        ("http://ada:pass%20word@a/", {}, {"pass word"}),
        ("http://[", {}, set()),
        ("http://a/", {"authorization": "Token abcd"}, {"abcd"}),
        ("http://a/", {"authorization": "Basic !"}, set()),
        ("http://a/", {"X-Auth-Token": "abcd"}, {"abcd"}),
        ("http://a/", {"cookie": "theme=dark; sid=0123456789abcdef"}, {"0123456789abcdef"}),
        ("http://a/", {"set-cookie": 'a=1\nsession="01234567"; Path=/'}, {"01234567"}),
        ("http://a/", {"referer": "http://b/?id_token=01234567"}, {"01234567"}),
    ],
)
def test_a_request_gives_its_credentials(
    url: str, headers: dict[str, str], expected: set[str]
) -> None:
    assert set(secrets_in_request(url, headers.items())) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"user": "ada", "password": "abcd"}', {"abcd"}),
        ('[{"otp": 123456}]', {"123456"}),
        ("user=ada&password=a%26b+c", {"a&b c"}),
        ("a text = with signs", set()),
        ("[" * 99_999, set()),
        ("", set()),
    ],
)
def test_a_body_gives_its_passwords(body: str, expected: set[str]) -> None:
    assert set(secrets_in_body(body)) == expected


def test_what_shows_a_secret_can_be_covered_in_a_picture(show: Callable[[str], Page]) -> None:
    black = "position:absolute;left:0;width:300px;height:30px;background:#000;color:#000;top:"
    tab = show(
        f"<div id=a style='{black}0'>Token {TOKEN}</div>"
        f"<div id=b style='{black}40px'><i>{TOKEN[:5]}</i><i>{TOKEN[5:]}</i></div>"
        f"<input id=c style='{black}80px' value='{TOKEN}'>"
        f"<div id=d style='{black}120px'>nothing</div>"
    )
    places = places_of_secrets(tab, Redactor([TOKEN]).redact)
    picture = Image.open(io.BytesIO(tab.screenshot(mask=places, mask_color="#00ff00")))

    covered = [picture.convert("RGB").getpixel((150, top + 15)) for top in (0, 40, 80, 120)]
    assert covered == [(0, 255, 0)] * 3 + [(0, 0, 0)]
