"""Does what a step says on a page, and sees what must be seen then."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias

from playwright.sync_api import Error, expect
from playwright.sync_api import TimeoutError as TimeIsUp

from deployment_gate.environment import Element, Move, fill_text
from deployment_gate.errors import GateError

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Request

    from deployment_gate.environment import WebStep

_QUIET_S = 0.5
_LOOK_MS = 50
_QUIET_WITHIN_S = 5.0
"""A page that goes on asking after so long, as chats do, counts as quiet."""


Act: TypeAlias = Callable[[Callable[[], None]], None]


class StepError(GateError):
    """A step went wrong; which one, and why."""


def at_once(do: Callable[[], None]) -> None:
    """Carry something out and nothing else."""
    do()


@dataclass(slots=True, kw_only=True)
class Walk:
    """Takes steps on a page.

    Attributes:
        page: Where they are taken.
        base_url: What paths are below.
        timeout_s: How long anything may take.
        values: What stands for {{name}}; what steps capture is added.
        act: Carries out each click; by it, they can be timed.
    """

    page: Page
    base_url: str
    timeout_s: float
    values: dict[str, object] = field(default_factory=dict)
    act: Act = at_once

    def take(self, steps: Iterable[WebStep]) -> None:
        """Take steps until one goes wrong.

        Raises:
            StepError: One went wrong.
        """
        for number, step in enumerate(steps, start=1):
            called = f"step {number}, {step.sentence()}"
            try:
                self._take(step)
            except TimeIsUp as error:
                raise StepError(f"{called}: {_why(error)} within {self.timeout_s:g} s") from None
            except KeyError as error:
                raise StepError(f"{called}: nothing stands for {{{{{error.args[0]}}}}}") from None
            except AssertionError as error:
                raise StepError(f"{called}: {error}") from None
            except Error as error:
                if self.page.is_closed() or "has been closed" in error.message:
                    raise
                raise StepError(f"{called}: {_why(error)}") from None

    @property
    def _timeout_ms(self) -> float:
        return self.timeout_s * 1000

    def _take(self, step: WebStep) -> None:
        page, timeout_ms = self.page, self._timeout_ms
        if step.open:
            path = fill_text(step.open, self.values)
            answer = page.goto(self.base_url + path, timeout=timeout_ms)
            if answer is not None and not answer.ok and answer.status != HTTPStatus.NOT_MODIFIED:
                raise AssertionError(f"{path} was answered {answer.status}")
        self._enter(step)
        if step.click:
            place = locate(page, step.click, self.values)
            self.act(lambda: place.click(timeout=timeout_ms))
        if step.press:
            page.keyboard.press(step.press)
        if step.go:
            _go(page, step.go, timeout_ms)
        for element in step.see:
            self._expect(element, is_wanted=True)
        if step.see_not:
            settle(page)
        for element in step.see_not:
            self._expect(element, is_wanted=False)
        for name, element in step.capture.items():
            found = locate(page, element, self.values).first
            self.values[name] = found.inner_text(timeout=timeout_ms).strip()

    def _enter(self, step: WebStep) -> None:
        """Fill in fields, and choose in others."""
        page, timeout_ms = self.page, self._timeout_ms
        for label, text in step.fill.items():
            field_ = page.get_by_label(label, exact=True)
            field_.fill(fill_text(text, self.values), timeout=timeout_ms)
        for label, option in step.select.items():
            # The text of a label around a list is that of the options, too; its name isn't.
            named = page.get_by_role("combobox", name=label, exact=True)
            field_ = named.or_(page.get_by_role("listbox", name=label, exact=True))
            field_.select_option(label=fill_text(option, self.values), timeout=timeout_ms)

    def _expect(self, element: Element, *, is_wanted: bool) -> None:
        """Of several that fit, one that is seen is enough."""
        seen = locate(self.page, element, self.values).filter(visible=True).first
        try:
            if is_wanted:
                expect(seen).to_be_visible(timeout=self._timeout_ms)
            else:
                expect(seen).not_to_be_visible(timeout=self._timeout_ms)
        except AssertionError:
            wrong = "isn't seen" if is_wanted else "is still seen"
            shown = "; ".join(_shown(self.page))
            raise AssertionError(
                f"{element} {wrong} within {self.timeout_s:g} s, at {self.page.url}"
                + (f', which shows "{shown}"' if shown else "")
            ) from None


def settle(page: Page) -> None:
    """Wait until a page has asked for nothing for half a second.

    Playwright counts that once for each document: of one that was quiet before, it answers at
    once, whatever was clicked since. So its requests are watched from here on.
    """
    began_s = last_s = time.monotonic()
    under_way: set[Request] = set()

    def asked(request: Request) -> None:
        nonlocal last_s
        last_s = time.monotonic()
        under_way.add(request)

    def ended(request: Request) -> None:
        nonlocal last_s
        last_s = time.monotonic()
        under_way.discard(request)

    events = {"request": asked, "requestfinished": ended, "requestfailed": ended}
    for name, note in events.items():
        page.on(name, note)  # type: ignore[call-overload]  # each of its names has a type of its own
    try:
        with contextlib.suppress(TimeIsUp):
            page.wait_for_load_state("networkidle", timeout=_QUIET_WITHIN_S * 1000)
        while time.monotonic() - began_s < _QUIET_WITHIN_S and (
            under_way or time.monotonic() - last_s < _QUIET_S
        ):
            page.wait_for_timeout(_LOOK_MS)
    finally:
        for name, note in events.items():
            page.remove_listener(name, note)


def locate(page: Page, element: Element, values: Mapping[str, object]) -> Locator:
    """Where an element is, by what people see.

    Raises:
        KeyError: Its name has a place that nothing stands for.
    """
    within = locate(page, element.inside, values) if element.inside else page
    name: str | re.Pattern[str] | None = None
    if element.pattern is not None:
        name = re.compile(element.pattern)
    elif element.name is not None:
        name = fill_text(element.name, values)
    if element.kind == "label":
        found = within.get_by_label(name or "", exact=True)
    elif element.kind == "text":
        found = within.get_by_text(name or "", exact=True)
    elif name is None:
        found = within.get_by_role(element.kind)  # type: ignore[arg-type]  # one of its words
    else:
        found = within.get_by_role(element.kind, name=name, exact=True)  # type: ignore[arg-type]  # the same
    return found.nth(element.nth - 1) if element.nth else found


def wait_for_heading(page: Page, *, timeout_s: float) -> None:
    """Wait until a page shows what it is about; some never do."""
    with contextlib.suppress(TimeIsUp):
        heading = page.get_by_role("heading", level=1).filter(visible=True).first
        heading.wait_for(timeout=timeout_s * 1000)


def main_headings(page: Page) -> set[str]:
    """The main headings that a page shows."""
    found = page.get_by_role("heading", level=1).filter(visible=True)
    return {text.strip() for text in found.all_inner_texts()} - {""}


def _go(page: Page, move: Move, timeout_ms: float) -> None:
    match move:
        case Move.BACK:
            page.go_back(timeout=timeout_ms)
        case Move.FORWARD:
            page.go_forward(timeout=timeout_ms)
        case Move.RELOAD:
            page.reload(timeout=timeout_ms)


def _shown(page: Page) -> list[str]:
    """What a page says of itself: its alerts, or its main heading."""
    for role in ("alert", "heading"):
        found = page.get_by_role(role).filter(visible=True)
        texts = [text.strip() for text in found.all_inner_texts()]
        if any(texts):
            return [text for text in texts if text][:1]
    return []


def _plainly(locator: str) -> str:
    """A locator of Playwright's as people call it: button "Sign in"."""
    locator = re.sub(r'get_by_role\("(\w+)", name=("[^"]*")[^)]*\)', r"\1 \2", locator)
    locator = re.sub(r'get_by_role\("(\w+)"\)', r"\1", locator)
    locator = re.sub(r'get_by_label\(("[^"]*")[^)]*\)', r"field \1", locator)
    return re.sub(r'get_by_text\(("[^"]*")[^)]*\)', r"text \1", locator)


def _why(error: Error) -> str:
    """An error of Playwright's in one line, without its own way there."""
    line = error.message.split("\n", 1)[0]
    line = re.sub(r"^[A-Za-z]+\.[A-Za-z_]+: ", "", line)
    if isinstance(error, TimeIsUp):
        waited = re.search(r"waiting for (.+)", error.message)
        return f"there was no {_plainly(waited[1].strip())}" if waited else "it wasn't done"
    if "strict mode violation" in line:
        count = re.search(r"resolved to (\d+) elements", error.message)
        times = count[1] if count else "several"
        return f"there are {times} of it; say which by `nth:` or `inside:`"
    return line
