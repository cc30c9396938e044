"""Pages as a browser shows them to a stranger, which only reads and stays with the platform."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from deployment_gate.discovery.asking import Budget
from deployment_gate.discovery.platform import FormFound
from deployment_gate.environment import READING
from deployment_gate.errors import GateError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request, Route

_TIMEOUT_MS = 10_000
_HEADING_WITHIN_S = 2.0
_NOT_NEEDED = frozenset({"image", "font", "media"})
_LINKS = "() => Array.from(document.querySelectorAll('a[href]'), link => link.href)"
# Two fields for passwords are a form to register, or to choose another one.
_FORM = """() => {
  const shown = element => element.checkVisibility();
  const passwords = [...document.querySelectorAll('input[type=password]')].filter(shown);
  if (passwords.length !== 1) return null;
  const within = passwords[0].form ?? document;
  const kinds = ['text', 'email', 'tel'];
  const fields = [...within.querySelectorAll('input')].filter(
    one => shown(one) && kinds.includes(one.type)
      && one.compareDocumentPosition(passwords[0]) & Node.DOCUMENT_POSITION_FOLLOWING);
  const buttons = [...within.querySelectorAll('button, input[type=submit]')].filter(
    one => shown(one) && one.type === 'submit');
  const label = one =>
    (one?.labels?.[0]?.innerText || one?.getAttribute('aria-label') || '').trim();
  return {
    username: label(fields.at(-1)),
    password: label(passwords[0]),
    button: (buttons[0]?.innerText || buttons[0]?.value || '').trim(),
  };
}"""


@dataclass(slots=True)
class Rendered:
    """A page as it was shown.

    Attributes:
        address: Where it ended.
        status: HTTP's.
        headings: The main headings that are seen.
        links: Where its links lead.
        form: The form to sign in by that it shows; labels may be missing in it.
        is_form_usable: Whether each of its parts is found by what people see.
        asked: The origins of what it asked for by scripts.
        blocked: The hosts of others that it asked, and wasn't let to.
    """

    address: str
    status: int
    headings: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    form: FormFound | None = None
    is_form_usable: bool = False
    asked: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)


class Renderer:
    """Shows pages.

    Args:
        browser: What shows them.
        budget: What may be asked yet.
        user_agent: Who asks.
        host: The platform's.

    Attributes:
        failures: Why pages could not be shown, by their addresses.
    """

    def __init__(self, browser: Browser, budget: Budget, *, user_agent: str, host: str) -> None:
        self._browser = browser
        self._budget = budget
        self._host = host
        self.failures: dict[str, str] = {}
        with browser.new_context() as context:
            usual = context.new_page().evaluate("navigator.userAgent")
        self._user_agent = f"{usual} {user_agent}"

    def show(self, url: str) -> Rendered | None:
        """Show a page to a stranger; None where that isn't one, or nothing more may be asked."""
        from playwright.sync_api import Error  # noqa: PLC0415  # an extra, as Playwright is

        if self._budget.is_spent:
            return None
        with self._browser.new_context(
            user_agent=self._user_agent, service_workers="block"
        ) as context:
            tab = context.new_page()
            rendered = Rendered(url, 0)
            context.route("**/*", lambda route: self._decide(route, rendered))
            try:
                answer = tab.goto(url, timeout=_TIMEOUT_MS, wait_until="load")
                if answer is None or "html" not in answer.headers.get("content-type", "html"):
                    return None
                self._look(tab, rendered)
                rendered.status = answer.status
            except Error as error:
                self.failures[url] = error.message.splitlines()[0].removeprefix("Page.goto: ")
                return None
            return rendered

    def _look(self, tab: Page, rendered: Rendered) -> None:
        from deployment_gate.web.steps import (  # noqa: PLC0415
            main_headings,
            settle,
            wait_for_heading,
        )

        settle(tab)
        wait_for_heading(tab, timeout_s=_HEADING_WITHIN_S)
        rendered.address = tab.url
        rendered.headings = sorted(main_headings(tab))
        rendered.links = tab.evaluate(_LINKS)
        told = tab.evaluate(_FORM)
        if told:
            rendered.form = FormFound(path=urlsplit(tab.url).path, **told)
            rendered.is_form_usable = _is_usable(tab, told)

    def _decide(self, route: Route, rendered: Rendered) -> None:
        """Let a request out where it only reads, stays with the platform, and is needed."""
        request = route.request
        host = urlsplit(request.url).hostname or ""
        if host != self._host and not host.endswith(f".{self._host}"):
            if host and host not in rendered.blocked:
                rendered.blocked.append(host)
            route.abort("blockedbyclient")
        elif (
            request.method not in READING
            or request.resource_type in _NOT_NEEDED
            or not self._budget.take()
        ):
            route.abort("blockedbyclient")
        else:
            self._note(request, rendered)
            route.continue_()

    def _note(self, request: Request, rendered: Rendered) -> None:
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if request.resource_type in {"fetch", "xhr"} and origin not in rendered.asked:
            rendered.asked.append(origin)


def _is_usable(tab: Page, told: dict[str, Any]) -> bool:
    """Whether the parts of a form are found by what people see, each once."""
    if not all(told.values()):
        return False
    fields = [tab.get_by_label(told[key], exact=True) for key in ("username", "password")]
    button = tab.get_by_role("button", name=told["button"], exact=True)
    return all(one.count() == 1 for one in (*fields, button))


@contextlib.contextmanager
def renderer(budget: Budget, *, user_agent: str, host: str) -> Iterator[Renderer | str]:
    """A renderer, or why there is none on this machine.

    Args:
        budget: What may be asked.
        user_agent: Who asks.
        host: The platform's.
    """
    try:
        from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415
    except ImportError:
        yield (
            "no browser can look at pages here. Install what that takes: "
            'pip install "pytest-deployment-gate[frontend]"'
        )
        return
    from deployment_gate.web.chromium import find_chromium, launch_options  # noqa: PLC0415

    with contextlib.ExitStack() as stack:
        try:
            playwright = stack.enter_context(sync_playwright())
            program = find_chromium(os.environ, own=playwright.chromium.executable_path)
            options = launch_options(program, [host, f"*.{host}"])
            browser = playwright.chromium.launch(**options)
            stack.callback(browser.close)
            found: Renderer | str = Renderer(browser, budget, user_agent=user_agent, host=host)
        except GateError as error:
            found = str(error)
        except Error as error:
            found = f"the browser doesn't start here: {error.message.splitlines()[0]}"
        yield found
