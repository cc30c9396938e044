"""Faults of the web interface: what a browser sees of each, and nothing else with it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageChops
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

from tests.sandbox.browsing import OVERFLOW, PASSWORD, sign_in

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox

SIZES = {"phone": (360, 740), "tablet": (768, 1024), "desktop": (1280, 720)}
LOGIN, LIST, SEARCH, POLICY, NOWHERE = "/login", "/", "/search?q=policy", "/policies/3", "/nothing"
EVERYWHERE = {LOGIN, LIST, SEARCH, POLICY, NOWHERE}
# web.dev/articles/cls: a shift counts into the score unless somebody has just done something.
SHIFT = "() => new Promise((tell) => setTimeout(() => tell(window.shift), 200))"
NOTE_SHIFTS = """window.shift = 0; new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) window.shift += one.value;
}).observe({ type: "layout-shift", buffered: true });"""
# How long the last event took, from the press to what the page showed for it.
NOTE_PRESSES = """() => { window.press = 0; new PerformanceObserver((list) => {
    for (const one of list.getEntries()) window.press = Math.max(window.press, one.duration);
}).observe({ type: "event", durationThreshold: 16 }); }"""
IS_SIGNED_IN = "() => !document.getElementById('navigation').hidden"


@dataclass
class Tour:
    """What a browser saw on the way through the web interface, page by page."""

    page: Page
    web: str
    path: str = ""
    console: set[str] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)
    unlike: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    shifts: dict[tuple[str, str], float] = field(default_factory=dict)
    slow: set[str] = field(default_factory=set)
    violations: set[tuple[str, str]] = field(default_factory=set)
    wide: set[tuple[str, str]] = field(default_factory=set)
    pictures: dict[str, Image.Image] = field(default_factory=dict)
    is_refused: bool = False
    press_ms: float = 0
    is_undead: bool = False

    def begin(self) -> None:
        """Note from now on what only events tell."""
        self.page.on("request", self.note_request)
        self.page.on("response", self.note_response)
        self.page.on("console", self.note_message)
        self.page.on("pageerror", lambda _: self.console.add(self.path))

    def note_request(self, request: Request) -> None:
        """Note where one is, and who else is asked for something."""
        if request.is_navigation_request():
            self.path = request.url.removeprefix(self.web)
        elif not request.url.startswith("http://127.0.0.1:"):
            self.strangers.add(f"{self.path}: {request.url}")

    def note_response(self, response: Response) -> None:
        """Note images that are missing, and scripts that are none."""
        kind, path = response.request.resource_type, response.url.removeprefix(self.web)
        content_type = response.headers.get("content-type", "")
        if kind == "image" and not response.ok:
            self.missing.add(path)
        elif kind == "script" and "javascript" not in content_type:
            self.unlike.add(f"{response.status} {content_type} {path}")

    def note_message(self, message: ConsoleMessage) -> None:
        """Note errors; what the browser says of loads that failed is noted by `note_response`."""
        if message.type == "error" and "Failed to load" not in message.text:
            self.console.add(self.path)

    def look(self, path: str, *names: str) -> None:
        """Go to a page on those screens, and look at it in every way on the last."""
        for name in names:
            self.size(name)
            answer = self.page.goto(self.web + path, wait_until="networkidle")
            assert answer
            self.shifts[name, path] = self.page.evaluate(SHIFT)
            if answer.request.timing["responseStart"] > 900:
                self.slow.add(path)
        for name in SIZES:
            self.size(name)
            if self.page.evaluate(OVERFLOW) > 0:
                self.wide.add((name, path))
        self.size(names[-1])
        found = Axe().run(self.page).response["violations"]
        self.violations |= {(path, violation["id"]) for violation in found}
        self.pictures[path] = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")

    def size(self, name: str) -> None:
        """Look from a screen of that size."""
        width, height = SIZES[name]
        self.page.set_viewport_size({"width": width, "height": height})

    def enter(self, token: str) -> None:
        """Sign in by the form, or by that token where the form doesn't let one in."""
        sign_in(self.page)
        refusal = self.page.get_by_role("alert").filter(has_text="client_id")
        self.page.get_by_text("60 policies").or_(refusal).wait_for()
        self.is_refused = refusal.is_visible()
        if self.is_refused:
            self.page.evaluate("(token) => sessionStorage.setItem('access-token', token)", token)
            self.page.goto(self.web + LIST)
        self.page.get_by_text("60 policies").wait_for()

    def press(self) -> None:
        """Press a button and note how long the page takes over it."""
        self.page.evaluate(NOTE_PRESSES)
        self.page.get_by_role("button", name="Next").click()
        self.page.get_by_text("Page 2 of 5").wait_for()
        self.page.wait_for_timeout(100)
        self.press_ms = self.page.evaluate("window.press")

    def leave(self) -> None:
        """Sign out, see that one is, and go back."""
        self.page.get_by_role("button", name="Sign out").click()
        self.page.wait_for_url("**/login")
        self.page.wait_for_load_state("networkidle")
        assert not self.page.evaluate(IS_SIGNED_IN)
        self.page.go_back(wait_until="networkidle")
        self.is_undead = bool(self.page.evaluate(IS_SIGNED_IN))
        assert bool(self.page.locator(".cards a").count()) == self.is_undead


def take_tour(sandbox: Sandbox, browser: Browser) -> Tour:
    """Go through the web interface, as somebody who is signed out at first."""
    page = browser.new_page()
    page.add_init_script(NOTE_SHIFTS)
    tour = Tour(page, sandbox.web)
    tour.begin()
    tour.look(LOGIN, "phone", "desktop")
    tour.enter(sandbox.sign_in().json()["access_token"])
    tour.look(LIST, "phone", "desktop")
    for path in (SEARCH, POLICY):
        tour.look(path, "desktop")
    tour.look(NOWHERE, "phone", "desktop")
    page.goto(sandbox.web + LIST)
    page.get_by_text("60 policies").wait_for()
    tour.press()
    tour.leave()
    page.close()
    return tour


def differing(one: Tour, other: Tour) -> dict[str, float]:
    """Return the share of each page that has other colours."""
    shares = {}
    for path, picture in one.pictures.items():
        difference = ImageChops.difference(picture, other.pictures[path]).convert("L")
        changed = sum(difference.point(lambda level: level > 20, "1").histogram()[1:])
        shares[path] = changed / (picture.width * picture.height)
    return shares


# Each is seen with its fault alone.
SYMPTOMS: dict[str, Callable[[Tour, Tour], bool]] = {
    "missing-script": lambda tour, _: (
        tour.unlike == {"200 text/html; charset=utf-8 /static/shortcuts.js"}
    ),
    "console-error": lambda tour, _: tour.console >= EVERYWHERE,
    "missing-image": lambda tour, _: tour.missing == {"/static/logo.svg"},
    "overflow": lambda tour, _: tour.wide == {("phone", path) for path in EVERYWHERE},
    "inaccessible-form": lambda tour, _: tour.violations == {(SEARCH, "label")},
    "layout-shift": lambda tour, _: all(shift > 0.3 for shift in tour.shifts.values()),
    "visual-change": lambda tour, sound: all(
        0.01 < share < 0.015 for share in differing(tour, sound).values()
    ),
    "login-refused": lambda tour, _: tour.is_refused,
    "third-party": lambda tour, _: (
        tour.strangers >= {f"{path}: https://cdn.example.net/widget.js" for path in EVERYWHERE}
    ),
    "slow-interaction": lambda tour, _: tour.press_ms >= 600,
    "undead-session": lambda tour, _: tour.is_undead,
    "slow-page=1": lambda tour, _: tour.slow == EVERYWHERE,
}


def untouched(tour: Tour, sound: Tour) -> dict[str, bool]:
    """Say of each aspect that a fault may break whether it is as it should be."""
    return {
        "missing-script": not tour.unlike,
        "console-error": not tour.console,
        "missing-image": not tour.missing,
        "overflow": not tour.wide,
        "inaccessible-form": not tour.violations,
        "layout-shift": max(tour.shifts.values()) < 0.1,
        "visual-change": max(differing(tour, sound).values()) < 0.002,
        "login-refused": not tour.is_refused,
        "third-party": not tour.strangers,
        "slow-interaction": tour.press_ms < 300,
        "undead-session": not tour.is_undead,
        "slow-page=1": not tour.slow,
    }


@pytest.fixture(scope="module")
def sound_tour(healthy_sandbox: Sandbox, real_browser: Browser) -> Tour:
    """Show what there is to see while nothing is broken."""
    return take_tour(healthy_sandbox, real_browser)


def test_sound_web_interface_shows_no_symptom(sound_tour: Tour) -> None:
    assert [name for name, is_so in untouched(sound_tour, sound_tour).items() if not is_so] == []


@pytest.mark.parametrize("fault", SYMPTOMS)
def test_fault_is_seen_on_each_page_and_breaks_nothing_else(
    sandbox: Sandbox, real_browser: Browser, sound_tour: Tour, fault: str
) -> None:
    sandbox.fault(fault)
    tour = take_tour(sandbox, real_browser)
    assert SYMPTOMS[fault](tour, sound_tour), tour
    touched = {name for name, is_so in untouched(tour, sound_tour).items() if not is_so}
    assert touched == {fault}, tour


def test_pages_are_sound_again_once_their_faults_are_cleared(sandbox: Sandbox) -> None:
    def pages() -> list[tuple[str, str]]:
        answers = [httpx.get(sandbox.web + path) for path in sorted(EVERYWHERE)]
        return [(one.text, one.headers["content-security-policy"]) for one in answers]

    sound = pages()
    for fault in ("console-error", "inaccessible-form", "third-party", "visual-change"):
        sandbox.fault(fault)
    flawed = pages()
    assert all(one[1] != other[1] for one, other in zip(sound, flawed, strict=True))
    for text, policy in flawed:
        assert "unsafe" not in policy
        for name in ("console-error.js", "widget.js", "visual-change.css"):
            assert name in text
    sandbox.fault("clear")
    assert pages() == sound


def test_missing_script_is_answered_with_a_page(sandbox: Sandbox) -> None:
    address = sandbox.web + "/static/shortcuts.js"
    assert "javascript" in httpx.get(address).headers["content-type"]
    sandbox.fault("missing-script")
    answer = httpx.get(address)
    assert (answer.status_code, answer.text) == (200, httpx.get(sandbox.web + "/").text)
    sandbox.fault("clear")
    assert httpx.get(address).text.startswith("//")


def test_slow_page_delays_pages_alone(sandbox: Sandbox) -> None:
    sandbox.fault("slow-page=0.5")
    for path in ("/", "/login", "/policies/3", "/nothing"):
        assert httpx.get(sandbox.web + path).elapsed.total_seconds() >= 0.5
    for path in ("/static/app.js", "/static/style.css", "/health", "/version", "/config.json"):
        assert httpx.get(sandbox.web + path).elapsed.total_seconds() < 0.5
    assert sandbox.get("/version").elapsed.total_seconds() < 0.5


def test_login_is_refused_to_browsers_alone(sandbox: Sandbox) -> None:
    sandbox.fault("login-refused")
    credentials = {"username": "test", "password": PASSWORD}
    sign_in_at, origin = sandbox.api + "/api/v1/auth/login", {"Origin": sandbox.web}
    refused = httpx.post(sign_in_at, json=credentials, headers=origin)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "invalid_request")
    assert refused.headers["access-control-allow-origin"] == sandbox.web
    assert sandbox.sign_in().status_code == 200
    sandbox.fault("clear")
    assert httpx.post(sign_in_at, json=credentials, headers=origin).status_code == 200
