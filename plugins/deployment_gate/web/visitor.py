"""Visits pages in a browser: as a stranger, or as somebody who signed in by its pages."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from playwright.sync_api import Error
from playwright.sync_api import TimeoutError as TimeIsUp

from deployment_gate.environment import READING, Element, WebTarget
from deployment_gate.errors import GateError
from deployment_gate.web.accessibility import violations
from deployment_gate.web.blame import NO_PAGE, blame_of
from deployment_gate.web.browsers import OwnBrowser
from deployment_gate.web.findings import PAGE_TYPES, is_unwell
from deployment_gate.web.layout import measure_layout
from deployment_gate.web.pictures import Box
from deployment_gate.web.secrecy import SecretWatch, places_of_secrets, watch_secrets
from deployment_gate.web.steps import Act, StepError, Walk, at_once, locate, settle
from deployment_gate.web.traces import save_trace
from deployment_gate.web.visit import Noted, Resource, Said, Visit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response

    from deployment_gate.environment import WebPage, WebStep

T = TypeVar("T")

_LEEWAY_S = 15.0
"""What a look may take beside what it waits for, before the browser counts as hanging."""

_MOST_LEADS = 3
"""How often a page may lead on while it is looked at."""

# Storage of a tab isn't a part of Playwright's state, and where it lies belongs to the tab: so it
# is put there once, before the first page.
_RESTORE = """(([origin, entries]) => {
  if (location.origin !== origin || window.name === 'signed-in') return;
  window.name = 'signed-in';
  for (const [key, value] of entries) sessionStorage.setItem(key, value);
})"""
_STORED = "() => Object.entries(sessionStorage)"


class SignInError(GateError):
    """Nobody could sign in by the pages."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a browser holds of somebody who signed in.

    Attributes:
        state: Playwright's: cookies and what is kept by origin.
        origin: The page's, that was shown then.
        entries: What the tab kept.
    """

    state: Any
    origin: str
    entries: list[list[str]]


@dataclass(kw_only=True)
class Visitor:
    """Looks at the pages of one environment, in one process.

    Attributes:
        target: The environment's `web` section.
        browser: What looks.
        identity: Who looks at pages that aren't public.
        hosts: Those that the browser may talk to.
        values_of: What {{username}}, {{password}}, {{run}} and the like stand for, by identity.
        keep_secret: Takes what no report may show.
        redact: Takes it out of a text.
        artifacts: The folder for traces.
        act: Carries out clicks.
        sign_in_requests: Method and address of what signing in by the pages has sent, beside what
            only reads.
    """

    target: WebTarget
    browser: OwnBrowser
    identity: str | None
    hosts: frozenset[str]
    values_of: Callable[[str], Mapping[str, object]]
    keep_secret: Callable[[str], None]
    redact: Callable[[str], str]
    artifacts: Path
    act: Act = at_once
    sign_in_requests: set[tuple[str, str]] = field(default_factory=set)
    _signed_in: dict[str, SignedIn | SignInError] = field(default_factory=dict)
    _traces: int = 0

    @property
    def timeout_s(self) -> float:
        """How long a page may take to be there."""
        return self.target.timeout.total_seconds()

    def visit(self, name: str, page: WebPage, device: str) -> Visit:
        """Look at a page once.

        Raises:
            SignInError: It is for those who signed in, and nobody could.
            BrowserTroubleError: The browser failed, twice.
        """
        who = self.identity if self.target.is_signed_in(page) else None
        state = self.signed_in(who) if who else None
        return self.look(lambda: self._visit(name, page, device, state), steps=2)

    def signed_in(self, identity: str) -> SignedIn:
        """What a browser holds once somebody has signed in by the pages; they do so once.

        Raises:
            SignInError: They couldn't.
        """
        known = self._signed_in.get(identity)
        if known is None:
            known = self._signed_in[identity] = self._sign_in(identity)
        if isinstance(known, SignInError):
            raise known
        return known

    def _sign_in(self, identity: str) -> SignedIn | SignInError:
        def look() -> SignedIn | SignInError:
            with self.window(self.target.widest) as (context, watch):
                page = context.new_page()
                try:
                    self.sign_in_by_hand(page, identity)
                except StepError as error:
                    return SignInError(f"nobody could sign in as {identity}: {error}")
                settle(page)
                watch.collect()
                return SignedIn(
                    context.storage_state(indexed_db=True),
                    _origin(page.url),
                    page.evaluate(_STORED),
                )

        return self.look(look, steps=len(self.target.sign_in))

    def sign_in_by_hand(self, page: Page, identity: str) -> None:
        """Take the steps that sign in.

        Raises:
            StepError: One went wrong.
        """

        def note(request: Request) -> None:
            if request.method not in READING:
                self.sign_in_requests.add((request.method, request.url.partition("?")[0]))

        page.on("request", note)
        try:
            self.take(page, self.target.sign_in, dict(self.values_of(identity)))
        finally:
            page.remove_listener("request", note)

    def take(self, page: Page, steps: Iterable[WebStep], values: dict[str, object]) -> None:
        """Take steps on a page of this target.

        Raises:
            StepError: One went wrong.
        """
        Walk(
            page=page,
            base_url=self.target.base_url,
            timeout_s=self.timeout_s,
            values=values,
            act=self.act,
        ).take(steps)

    def look(self, look: Callable[[], T], *, steps: int, is_repeatable: bool = True) -> T:
        """Carry out `look`, once more where the browser fails meanwhile and that does no harm.

        Args:
            look: Takes steps.
            steps: How many, which bounds their time.
            is_repeatable: Whether taking them twice is as good as once.

        Raises:
            BrowserTroubleError: The browser failed, for good.
        """
        limit_s = max(1, steps) * self.timeout_s + _LEEWAY_S
        return self.browser.look(look, limit_s=limit_s, is_repeatable=is_repeatable)

    @contextlib.contextmanager
    def window(
        self, device: str, state: SignedIn | None = None
    ) -> Iterator[tuple[BrowserContext, SecretWatch]]:
        """A private window on a device, whose secrets are kept out of reports."""
        size = self.target.devices[device]
        with self.browser.context(
            viewport={"width": size.width, "height": size.height},
            has_touch=size.touch,
            is_mobile=size.touch,
            storage_state=state.state if state else None,
            service_workers="block",
        ) as context:
            watch = watch_secrets(context, self.keep_secret)
            if state and state.entries:
                told = json.dumps([state.origin, state.entries])
                context.add_init_script(script=f"{_RESTORE}({told})")
            yield context, watch

    def _visit(self, name: str, page: WebPage, device: str, state: SignedIn | None) -> Visit:
        with self.window(device, state) as (context, watch):
            context.tracing.start(snapshots=True, title=f"{name} on {device}")
            tab = context.new_page()
            noted = self._noting(tab)
            visit = self._loaded(
                Visit(name=name, path=page.path, device=device, at=datetime.now(UTC)), tab
            )
            # What the page holds by now must be known before its picture is taken.
            watch.collect()
            if not visit.unobserved and visit.error is None:
                visit = self._settled_look(visit, page, tab)
            visit = replace(
                visit,
                resources=tuple(noted.resources.values()),
                console=tuple(noted.console),
                exceptions=tuple(noted.exceptions),
            )
            watch.collect()
            return self._with_trace(visit, context)

    def _loaded(self, visit: Visit, tab: Page) -> Visit:
        """It, once its page has loaded or didn't."""
        began = time.monotonic()
        try:
            answer = tab.goto(
                self.target.base_url + visit.path, timeout=self.timeout_s * 1000, wait_until="load"
            )
        except Error as error:
            if tab.is_closed() or not _is_of_navigation(error):
                raise
            blame = blame_of(error.message, within_s=self.timeout_s)
            return replace(
                visit,
                duration_s=time.monotonic() - began,
                error=blame.error,
                unobserved=blame.unobserved,
            )
        duration_s = time.monotonic() - began
        kind = _type_of(answer)
        if answer and answer.ok and kind and kind not in PAGE_TYPES:
            return replace(
                visit, duration_s=duration_s, status=answer.status, error=f"it is {kind}{NO_PAGE}"
            )
        settle(tab)
        return replace(
            visit,
            duration_s=duration_s,
            status=answer.status if answer else None,
            address=tab.url,
        )

    def _settled_look(self, visit: Visit, page: WebPage, tab: Page) -> Visit:
        """It looked at; anew where it leads on meanwhile."""
        for _ in range(_MOST_LEADS):
            try:
                return self._looked_at(visit, page, tab)
            except Error as error:
                if tab.is_closed() or not _has_led_on(error):
                    raise
            settle(tab)
            visit = replace(visit, address=tab.url)
        return self._looked_at(visit, page, tab)

    def _looked_at(self, visit: Visit, page: WebPage, tab: Page) -> Visit:
        masks = [*self.target.pictures.masks, *page.masks]
        is_widest = visit.device == self.target.widest
        layout = measure_layout(tab)
        visit = replace(
            visit,
            layout=layout,
            violations=violations(tab) if is_widest else None,
            picture=self.picture_of(tab),
            masks=tuple(_boxes(tab, masks)),
        )
        if layout.menu_button and not layout.navigation_links:
            return replace(visit, menu_links=self._opened(tab, layout.menu_button))
        return visit

    def _opened(self, tab: Page, menu: str) -> int:
        """How many links of the navigation are seen once its menu was opened."""
        button = tab.get_by_role("button", name=menu).filter(visible=True).first
        with contextlib.suppress(TimeIsUp):
            button.click(timeout=self.timeout_s * 1000)
            settle(tab)
        return measure_layout(tab).navigation_links

    def picture_of(self, tab: Page) -> bytes:
        """A screenshot of the whole page, without the secrets that it shows."""
        return tab.screenshot(
            full_page=True,
            animations="disabled",
            mask=places_of_secrets(tab, self.redact),
            timeout=self.timeout_s * 1000,
        )

    def _with_trace(self, visit: Visit, context: BrowserContext) -> Visit:
        if not is_unwell(visit, self.target):
            context.tracing.stop()
            return visit
        return replace(visit, trace=self.save_trace(context, f"{visit.name}-{visit.device}"))

    def save_trace(self, context: BrowserContext, name: str) -> Path:
        """Stop tracing, and keep the trace without secrets."""
        self._traces += 1
        # Each process counts for itself.
        plain = re.sub(r"[^\w-]+", "-", name)
        path = self.artifacts / f"{plain}-{os.getpid()}-{self._traces}.zip"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_trace(context, path, self.redact)
        return path

    def _noting(self, tab: Page) -> Noted:
        """Have a tab's events noted from now on."""
        noted = Noted()

        def asked(request: Request) -> None:
            noted.resources[request] = Resource(
                request.url, request.resource_type, method=request.method
            )

        def answered(response: Response) -> None:
            one = noted.resources.get(response.request)
            if one is not None:
                noted.resources[response.request] = replace(
                    one, status=response.status, content_type=_type_of(response)
                )

        def failed(request: Request) -> None:
            one = noted.resources.get(request)
            if one is not None:
                host = urlsplit(request.url.removeprefix("blob:")).hostname
                blocked = host not in self.hosts
                noted.resources[request] = replace(
                    one, failure=request.failure or "it failed", is_blocked=blocked
                )

        def said(message: ConsoleMessage) -> None:
            if message.type == "error":
                noted.console.append(Said(message.text, message.location.get("url", "")))

        tab.on("request", asked)
        tab.on("response", answered)
        tab.on("requestfailed", failed)
        tab.on("console", said)
        tab.on("pageerror", lambda error: noted.exceptions.append(error.message))
        return noted


def _is_of_navigation(error: Error) -> bool:
    words = ("net::", "Timeout", "Download is starting")
    return any(word in error.message for word in words)


def _has_led_on(error: Error) -> bool:
    """Whether what was asked of a page found another one in its place."""
    words = ("because of a navigation", "target navigated", "Cannot find context")
    return any(word in error.message for word in words)


def _type_of(answer: Response | None) -> str:
    """What an answer says that it is, without parameters."""
    told = answer.headers.get("content-type", "") if answer else ""
    return told.partition(";")[0].strip().lower()


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _boxes(tab: Page, masks: list[Element]) -> Iterator[Box]:
    """Where elements are, from the top left of the whole page."""
    shift = tab.evaluate("() => [scrollX, scrollY]")
    for element in masks:
        for found in locate(tab, element, {}).all():
            box = found.bounding_box()
            if box is not None:
                yield Box(box["x"] + shift[0], box["y"] + shift[1], box["width"], box["height"])
