"""No secret stays in a browser's trace, and people can still read it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import mimetypes
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import playwright
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from deployment_gate.evidence.redaction import Redactor
from deployment_gate.web.secrecy import watch_secrets
from deployment_gate.web.traces import TraceError, redact_trace, save_trace

PASSWORD = 'Pä"ss w/rd+9 & one'
SHORT = "ab9!"
TOKEN = "tok-4f1d99c07be24e0a"
COOKIE = "c00kie-83e1a55d90b7"
API_KEY = "key-55d0129fe81b7c"
CODE = "c0de-71f0aa92bd3e55"
CSRF = "csrf-0b9d8e7f6a5c4321"
SECRETS = (PASSWORD, TOKEN, COOKIE, API_KEY, CODE, CSRF)

FORM = f"""<!doctype html><title>Sign in</title>
<form method="post" action="/welcome" enctype="multipart/form-data">
<input type="hidden" name="csrf_token" value="{CSRF}">
<label>User <input name="user"></label>
<label>Password <input type="password" name="password"></label>
<label>PIN <input type="password" name="pin"></label>
<button>Sign in</button></form>
<script>
async function signIn() {{
    const password = document.querySelector('[name=password]').value;
    const post = (path, body, headers) => fetch(path, {{method: 'POST', body, headers}});
    const answer = await post('/token', JSON.stringify({{user: 'ada', password}}),
        {{'Content-Type': 'application/json'}});
    const {{access_token}} = await answer.json();
    localStorage.setItem('session', JSON.stringify({{access_token}}));
    await post('/form', new URLSearchParams({{password}}));
    await post('/plain', new TextEncoder().encode(password));
    await fetch('/data', {{headers: {{
        'Authorization': 'Bearer ' + access_token, 'X-Api-Key': '{API_KEY}'}}}});
    await fetch('/data', {{headers: {{
        'Authorization': 'Basic ' + btoa(unescape(encodeURIComponent('ada:' + password)))}}}});
    console.log('signed in with', access_token, {{access_token}});
}}
</script>"""


@pytest.fixture
def trace(site: Any, window: BrowserContext, tmp_path: Path) -> Path:
    """What Playwright records of a sign-in."""
    site.answers |= {
        "/": (200, {"Set-Cookie": f"session={COOKIE}; HttpOnly; Path=/"}, FORM),
        "/token": (200, {"Content-Type": "application/json"}, f'{{"access_token": "{TOKEN}"}}'),
        "/form": "thanks",
        "/plain": "thanks",
        "/data": (200, {"Content-Type": "application/json"}, '{"rows": [1, 2]}'),
        "/welcome": "<h1>Welcome</h1>",
    }
    window.tracing.start(screenshots=True, snapshots=True, sources=True)
    tab = window.new_page()
    tab.goto(f"{site.url}/?code={CODE}#state=1")
    tab.get_by_label("User").fill("ada")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.locator("[name=pin]").press_sequentially(SHORT)
    tab.evaluate("signIn()")
    tab.get_by_role("button").click()
    tab.get_by_role("heading", name="Welcome").wait_for()
    path = tmp_path / "trace.zip"
    window.tracing.stop(path=path)
    return path


def forms(secret: str) -> Iterator[str]:
    """What a secret looks like in one file or another; none of this comes from the redactor."""
    yield secret
    yield from (quote(secret), quote(secret, safe=""), quote_plus(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (base64.b64encode(text.encode()).decode() for text in (secret, f"ada:{secret}"))


def held(path: Path, secrets: tuple[str, ...]) -> set[str]:
    """Which of these a trace holds, in the text of any entry or in any text of its JSON."""
    found = set()
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            text = name + content.decode(errors="replace") + content.decode("latin-1")
            if name.endswith((".trace", ".network")):
                text += "\n".join(t for line in content.splitlines() for t in texts(line))
            found |= {secret for secret in secrets if any(form in text for form in forms(secret))}
    return found


def texts(line: bytes) -> Iterator[str]:
    """Every text in a line of JSON, names included."""
    pending = [json.loads(line)]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            pending += [*value, *value.values()]
        elif isinstance(value, list):
            pending += value


def events(path: Path, suffix: str = ".trace") -> list[dict[str, Any]]:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(suffix)]
        return [json.loads(line) for name in names for line in archive.read(name).splitlines()]


def nothing_known(text: str) -> str:
    return text


def test_no_secret_of_a_sign_in_stays_in_its_trace(trace: Path) -> None:
    assert held(trace, SECRETS) == set(SECRETS)

    redact_trace(trace, Redactor(SECRETS).redact)

    assert held(trace, SECRETS) == set()


def test_a_trace_shows_its_secrets_itself_where_nobody_named_them(trace: Path) -> None:
    redact_trace(trace, nothing_known)

    # A token from an answer is learned by the watch; here, its header gives it away.
    assert held(trace, SECRETS) == set()


def test_a_short_password_leaves_its_field_and_the_keys_that_typed_it(trace: Path) -> None:
    fields = [text for event in events(trace) for text in texts(json.dumps(event).encode())]
    assert SHORT in fields

    redact_trace(trace, nothing_known)

    left = [text for event in events(trace) for text in texts(json.dumps(event).encode())]
    assert not [text for text in left if SHORT[:2] == text or SHORT in text]


def test_keys_that_are_pressed_one_by_one_are_left_out(
    show: Callable[[str], Page], window: BrowserContext, tmp_path: Path
) -> None:
    tab = show("<input type=password id=p>")
    window.tracing.start(snapshots=True)
    for key in "qzx":
        tab.locator("#p").press(key)
    tab.focus("#p")
    tab.keyboard.type("vkw7")
    tab.keyboard.press("j")
    tab.keyboard.press("Enter")
    path = tmp_path / "trace.zip"
    window.tracing.stop(path=path)
    redact_trace(path, nothing_known)

    pressed = [e["params"] for e in events(path) if "key" in e.get("params", {})]
    assert [keys["key"] for keys in pressed] == ["[redacted]"] * 4 + ["Enter"]
    logs = [event["message"] for event in events(path) if event["type"] == "log"]
    assert not [log for log in logs if re.search(r'press\("[qzxj]"\)|vkw7', log)]
    assert held(path, ("vkw7", "qzxvkw7j")) == set()


def test_what_is_left_is_whole(trace: Path) -> None:
    before = len(events(trace)), len(events(trace, ".network"))

    redact_trace(trace, Redactor(SECRETS).redact)

    assert (len(events(trace)), len(events(trace, ".network"))) == before
    with zipfile.ZipFile(trace) as archive:
        names = set(archive.namelist())
        assert len(names) == len(archive.namelist())
    lines = json.dumps([events(trace), events(trace, ".network")])
    named = set(re.findall(r"(?:resources|screencast)/[^\"]+", lines))
    assert named
    assert named <= names
    assert '"rows": [1, 2]' in _everything(trace)


def test_a_bodys_name_is_no_hash_of_what_was_taken_out(trace: Path) -> None:
    digest = hashlib.sha1(PASSWORD.encode(), usedforsecurity=False).hexdigest()
    assert digest in _everything(trace)

    redact_trace(trace, Redactor(SECRETS).redact)

    assert digest not in _everything(trace)


def _everything(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        contents = [archive.read(name).decode("latin-1") for name in archive.namelist()]
        return "\n".join([*archive.namelist(), *contents])


def pictures(path: Path) -> list[bytes]:
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in archive.namelist() if "screencast/" in name]


def test_pictures_of_a_page_that_shows_a_secret_are_blank(
    show: Callable[[str], Page], window: BrowserContext, tmp_path: Path
) -> None:
    window.tracing.start(screenshots=True, snapshots=True)
    tab = show(f"<p>Your key: <b>{TOKEN[:6]}<!-- split -->{TOKEN[6:]}</b></p>")
    tab.wait_for_timeout(300)
    path = tmp_path / "trace.zip"
    window.tracing.stop(path=path)
    assert any(picture.startswith(b"\xff\xd8") for picture in pictures(path))

    redact_trace(path, Redactor([TOKEN]).redact)

    assert pictures(path)
    assert not any(picture.startswith(b"\xff\xd8") for picture in pictures(path))
    assert TOKEN[6:] not in json.dumps(events(path))


def test_pictures_of_other_pages_stay(trace: Path) -> None:
    before = pictures(trace)

    redact_trace(trace, Redactor(SECRETS).redact)

    assert pictures(trace) == before


def zipped(**entries: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return file.getvalue()


LINE = b'{"type":"log","message":"hi"}\n'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zip",
        zipped(trace_trace=LINE * 99)[:-40],
        zipped(trace_trace=LINE).replace(b"hi", b"ho", 1),
        zipped(resources__a_html=b"no lines"),
        zipped(trace_trace=LINE + b'{"type": "lo'),
        zipped(trace_trace=b"[1]"),
        zipped(trace_trace=b'{"a":' * 100_000),
    ],
    ids=["empty", "no zip", "cut", "altered", "no lines", "cut line", "no event", "deep"],
)
def test_what_cannot_be_cleaned_is_removed(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "trace.zip"
    path.write_bytes(content)

    with pytest.raises(TraceError, match=r"trace\.zip could not be freed of secrets"):
        redact_trace(path, nothing_known)

    assert list(tmp_path.iterdir()) == []


def test_the_trace_has_no_name_while_it_is_cleaned_and_none_after_an_interruption(
    tmp_path: Path,
) -> None:
    path = tmp_path / "trace.zip"
    path.write_bytes(zipped(trace_trace=LINE))

    def interrupted(_: str) -> str:
        assert not path.exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        redact_trace(path, interrupted)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (b"\x89PNG\r\n\x1a\n\0\xffpicture", True),
        (b"\x89PNG\r\n\x1a\n\0\xffpicture " + TOKEN.encode(), False),
        (b"\x1f\x8b\x08\0 something compressed \xff", False),
        (TOKEN.encode("utf-16"), False),
    ],
    ids=["picture", "picture with a secret", "compressed", "another encoding"],
)
def test_a_binary_body_stays_where_it_is_known_to_be_a_picture_without_secrets(
    body: bytes, *, left: bool, tmp_path: Path
) -> None:
    path = tmp_path / "trace.zip"
    path.write_bytes(zipped(trace_trace=LINE, resources__a_bin=body))

    redact_trace(path, Redactor([TOKEN]).redact)

    with zipfile.ZipFile(path) as archive:
        contents = [archive.read(name) for name in archive.namelist()]
    assert (body in contents) is left
    assert left or b"" in contents


def test_a_name_that_json_holds_twice_hides_nothing(tmp_path: Path) -> None:
    path = tmp_path / "trace.zip"
    body = b'{"a": "%s", "a": "b"}' % TOKEN.encode()
    path.write_bytes(zipped(trace_trace=LINE, resources__a_json=body))

    redact_trace(path, Redactor([TOKEN]).redact)

    assert held(path, (TOKEN,)) == set()


def test_numbers_that_are_secrets_go_and_playwrights_own_stay(tmp_path: Path) -> None:
    line = {"type": "after", "endTime": 481516.5, "result": {"value": {"n": 481516}, "otp": 77}}
    path = tmp_path / "trace.zip"
    path.write_bytes(zipped(trace_trace=json.dumps(line).encode()))

    redact_trace(path, Redactor(["481516"]).redact)

    assert events(path) == [line | {"result": {"value": {"n": 0}, "otp": 0}}]


def test_a_saved_trace_was_never_raw_beside_the_reports(
    site: Any, window: BrowserContext, tmp_path: Path
) -> None:
    site.answers |= {"/": f"<p>{TOKEN}</p>"}
    redactor = Redactor([TOKEN])
    watch = watch_secrets(window, redactor.add)
    window.tracing.start(screenshots=True, snapshots=True)
    window.new_page().goto(site.url)
    watch.collect()
    seen: list[str] = []

    def redact(text: str) -> str:
        seen.extend(path.name for path in tmp_path.iterdir())
        return redactor.redact(text)

    save_trace(window, tmp_path / "trace.zip", redact)

    assert {name for name in seen if not name.startswith(".")} == set()
    assert [path.name for path in tmp_path.iterdir()] == ["trace.zip"]
    assert held(tmp_path / "trace.zip", (TOKEN,)) == set()


def test_playwrights_viewer_opens_what_is_left(trace: Path, site: Any, chromium: Browser) -> None:
    redact_trace(trace, Redactor(SECRETS).redact)
    viewer = Path(playwright.__file__).parent / "driver/package/lib/vite/traceViewer"
    for path in viewer.rglob("*"):
        if path.is_file():
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            answer = (200, {"Content-Type": kind}, path.read_bytes())
            site.answers[f"/viewer/{path.relative_to(viewer).as_posix()}"] = answer
    site.answers["/trace.zip"] = (200, {"Content-Type": "application/zip"}, trace.read_bytes())
    reader = chromium.new_context()
    page = reader.new_page()

    page.goto(f"{site.url}/viewer/index.html?trace={site.url}/trace.zip")

    fill = page.get_by_text("Fill").nth(1)
    fill.click()
    expect(page.locator("body")).to_contain_text("[redacted]")
    snapshots = page.locator("iframe[name=snapshot]")
    shown = snapshots.and_(page.locator("[src*='phase=action'], .snapshot-visible")).first
    expect(shown.content_frame.locator("[name=user]")).to_have_value("ada")
    expect(shown.content_frame.locator("[name=password]")).not_to_have_value(PASSWORD)
    reader.close()
