"""How fast a page is as a person feels it: its loads and interactions, by Google's web-vitals."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, CDPSession, Error, Page, TimeoutError  # noqa: A004  # Playwright's

_HERE = Path(__file__).parent
_STATE = "__deploymentGateVitals"
_QUIET_MS = 500
_LOOK_MS = 50

_TOO_SHORT_S = 0.008
"""Below 16 ms Chromium tells no duration. web-vitals, too, then says 8 ms."""

_SHARE = 0.75
"""The percentile that a page is judged by: https://web.dev/articles/defining-core-web-vitals-thresholds."""


@dataclass(frozen=True, slots=True)
class Load:
    """One load of a page, counted from the start of the navigation to it.

    Attributes:
        duration_s: Until the page was there, see `measure_load`.
        ttfb_s: Until the first byte of its document; None where there was no answer to time.
        fcp_s: Until the first content was painted; None when none was.
        lcp_s: Until the largest content was painted; None when none was.
        cls: How much of it moved, how far, in its worst five seconds.
        requests: How many requests it made, each redirect among them; not the one for
            `/favicon.ico`, which is the browser's.
        transferred_bytes: What came over the network for them, headers included.
        from_cache: How many of them the cache answered, without asking the server.
        status: HTTP's status of the document.
    """

    duration_s: float
    ttfb_s: float | None
    fcp_s: float | None
    lcp_s: float | None
    cls: float
    requests: int
    transferred_bytes: int
    from_cache: int
    status: int | None


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that is still "good": https://web.dev/articles/vitals.

    Attributes:
        lcp_s: Until the largest content is painted.
        cls: How much may move; no unit.
        inp_s: From an interaction to the frame that shows its effect.
    """

    lcp_s: float = 2.5
    cls: float = 0.1
    inp_s: float = 0.2


def watch_vitals(context: BrowserContext) -> None:
    """Have every page that is opened in this context from now on measure itself.

    Init scripts are not subject to a page's Content-Security-Policy.
    """
    library, own = (
        (_HERE / name).read_text(encoding="utf-8") for name in ("web-vitals.iife.js", "vitals.js")
    )
    context.add_init_script(script=f"(() => {{\n{library}\n{own}\n}})();")


def clear_cache(page: Page) -> None:
    """Have the next load come from the network, all of it: a cold one. The one after is warm.

    Connections that are open stay open, and cookies and storage are kept.
    """
    session = page.context.new_cdp_session(page)
    try:
        session.send("Network.clearBrowserCache")
    finally:
        session.detach()


def measure_load(
    page: Page,
    url: str,
    *,
    timeout_s: float,
    settled: Callable[[Page], None] | None = None,
) -> Load:
    """Load the page once, and wait until it is quiet: no request, no shift, no larger content.

    `duration_s` ends when the load event's listeners have run, or when the largest content was
    painted if that was later: an application that shows its content by scripts fires `load` with
    nothing to read. The largest content may still be its frame (a heading, a picture) rather than
    what people came for. `settled` says when that is there, and then the duration reaches at
    least to the last change of the document, or the last arrival of something for it, that came
    before `settled` returned. Not to its return, since Playwright looks only every half second.

    A page that leads on to another by scripts is measured as people wait for it: the duration
    includes the way, and the vitals are those of the page where it ends.

    Neither the page nor its context may have Playwright's routes: they switch the cache off, so
    that no load is warm. Frames of other sites and service workers are processes of their own,
    whose requests are not counted.

    Args:
        page: A tab of a context that `watch_vitals` knew before the tab was opened.
        url: The address, absolute.
        timeout_s: For all of it. A page that has loaded and isn't quiet then is measured as it is.
        settled: Returns once the page shows what it is there for, or raises.

    Raises:
        playwright.sync_api.Error: The page didn't load, or not in time.
    """
    ends_s = time.monotonic() + timeout_s
    # So that nothing of the last page is under way, and the same address is loaded anew.
    page.goto("about:blank")
    session = page.context.new_cdp_session(page)
    try:
        traffic = _Traffic(session.send("Page.getFrameTree")["frameTree"]["frame"]["id"])
        traffic.follow(session)
        page.goto(url, wait_until="load", timeout=_left_ms(ends_s))
        filled_ms = 0.0
        if settled:
            settled(page)
            filled_ms = _evaluate(session, "seen()")["filled"]
        seen = _wait_for_quiet(page, session, traffic, ends_s=ends_s)
    finally:
        session.detach()
    duration_ms = max(seen["loadEventEnd"], seen["lcp"] or 0, filled_ms)
    return Load(
        duration_s=(duration_ms + traffic.way_ms(seen["timeOrigin"])) / 1000,
        ttfb_s=_seconds(seen["ttfb"]),
        fcp_s=_seconds(seen["fcp"]),
        lcp_s=_seconds(seen["lcp"]),
        cls=float(seen["cls"]),
        requests=traffic.requests,
        transferred_bytes=traffic.transferred_bytes,
        from_cache=len(traffic.from_cache),
        status=traffic.status,
    )


def measure_interaction(page: Page, act: Callable[[], None]) -> float | None:
    """INP in seconds of what `act` does: how long the page kept a person waiting for a reaction.

    The longest of its clicks, taps and keys, each from the input to the next frame painted. 0.008
    when all were shorter than the 16 ms from which Chromium tells durations. None when the page
    noticed no interaction, or when `act` left it, which takes its measurements away.

    Args:
        page: A page that has loaded, in a context that `watch_vitals` knew before.
        act: Clicks or types by Playwright. Events that scripts make are no interactions.
    """
    session = page.context.new_cdp_session(page)
    try:
        _evaluate(session, "expectInteraction()")
        act()
        try:
            measured = _evaluate(session, "interaction()")
        except Error:
            if page.is_closed():
                raise
            return None
    finally:
        session.detach()
    if not measured["number"]:
        return None
    return _seconds(measured["longest"]) or _TOO_SHORT_S


def vitals_faults(loads: Sequence[Load], limits: Limits) -> list[str]:
    """What is not good about these loads of one page, each as a sentence.

    web.dev judges by the 75th percentile of real people's loads. Of a few loads it is taken by
    the nearest rank, as one of them rather than between two, and never is it the slowest one
    where there is another: what disturbs a machine only ever slows a load down, so one slow load
    says nothing, while a page that is slow is so each time. Of three loads that is the median, of
    five the second slowest.
    """
    if not loads:
        return ["no load was measured"]
    faults = []
    lcp_s = _percentile([math.inf if load.lcp_s is None else load.lcp_s for load in loads])
    cls = _percentile([load.cls for load in loads])
    of = f"at the 75th percentile of {_loads(len(loads))}"
    if lcp_s == math.inf:
        empty = sum(load.lcp_s is None for load in loads)
        faults.append(f"no content was painted in {empty} of {_loads(len(loads))}")
    elif lcp_s > limits.lcp_s:
        faults.append(
            f"the largest content was painted after {lcp_s:.2f} s {of}; good is at most "
            f"{limits.lcp_s:g} s (LCP, https://web.dev/articles/lcp)"
        )
    if cls > limits.cls:
        faults.append(
            f"what was painted moved by {cls:.3f} {of}; good is at most {limits.cls:g} "
            "(CLS, https://web.dev/articles/cls)"
        )
    return faults


def interaction_faults(durations_s: Sequence[float | None], limits: Limits) -> list[str]:
    """What is not good about repetitions of one interaction, judged as loads are.

    Args:
        durations_s: What `measure_interaction` answered each time.
        limits: Of which `inp_s` counts.
    """
    measured = [duration_s for duration_s in durations_s if duration_s is not None]
    if not measured:
        return ["no interaction was measured"]
    inp_s = _percentile(measured)
    if inp_s <= limits.inp_s:
        return []
    fault = (
        f"the page showed no reaction for {inp_s * 1000:.0f} ms at the 75th percentile of "
        f"{len(measured)}; good is at most {limits.inp_s * 1000:g} ms "
        "(INP, https://web.dev/articles/inp)"
    )
    return [fault]


@dataclass
class _Traffic:
    """The requests of one load, as the browser's network service tells of them.

    Attributes:
        frame: The top frame's id.
        requests: See `Load`; likewise `transferred_bytes`, `from_cache` (by id) and `status`.
        ids: Of the requests that count.
        under_way: The ids of those that have no end yet.
        last_s: When a request last began or ended, by the monotonic clock.
        started_ms: When the navigation's first request was made, in milliseconds since 1970.
        documents: The ids of the top frame's documents that were asked for.
    """

    frame: str
    requests: int = 0
    transferred_bytes: int = 0
    from_cache: set[str] = field(default_factory=set)
    status: int | None = None
    ids: set[str] = field(default_factory=set)
    under_way: set[str] = field(default_factory=set)
    last_s: float = 0.0
    started_ms: float | None = None
    documents: list[str] = field(default_factory=list)

    def follow(self, session: CDPSession) -> None:
        """Have the session tell of all requests from now on."""
        session.on("Network.requestWillBeSent", self._began)
        session.on("Network.requestServedFromCache", self._cached)
        session.on("Network.responseReceived", self._answered)
        session.on("Network.loadingFinished", self._ended)
        session.on("Network.loadingFailed", self._ended)
        session.send("Network.enable")

    def way_ms(self, time_origin_ms: float) -> float:
        """Milliseconds from the first request to the document that scripts led on to."""
        if self.started_ms is None or len(self.documents) < 2:  # noqa: PLR2004
            return 0.0
        return max(0.0, time_origin_ms - self.started_ms)

    def _began(self, event: dict[str, Any]) -> None:
        if _is_beside(event):
            return
        number = event["requestId"]
        self.ids.add(number)
        self.last_s = time.monotonic()
        self.requests += 1
        if "redirectResponse" in event:
            self._note_cache(number, event["redirectResponse"])
            self.transferred_bytes += int(event["redirectResponse"]["encodedDataLength"])
        elif self._is_document(event):
            self.documents.append(number)
            self.started_ms = self.started_ms or event["wallTime"] * 1000
        if event.get("type") != "EventSource":  # which stays open for as long as the page does
            self.under_way.add(number)

    def _cached(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self.ids:
            self.from_cache.add(event["requestId"])

    def _answered(self, event: dict[str, Any]) -> None:
        if event["requestId"] not in self.ids:
            return
        self._note_cache(event["requestId"], event["response"])
        if self._is_document(event):
            self.status = event["response"]["status"]
            # What the page before it had under way may never be told to have ended.
            self.under_way = {event["requestId"]}

    def _ended(self, event: dict[str, Any]) -> None:
        if event["requestId"] not in self.ids:
            return
        self.last_s = time.monotonic()
        self.under_way.discard(event["requestId"])
        self.transferred_bytes += int(event.get("encodedDataLength", 0))

    def _note_cache(self, number: str, response: dict[str, Any]) -> None:
        if response.get("fromDiskCache") or response.get("fromPrefetchCache"):
            self.from_cache.add(number)

    def _is_document(self, event: dict[str, Any]) -> bool:
        return event.get("type") == "Document" and event.get("frameId") == self.frame


def _is_beside(event: dict[str, Any]) -> bool:
    """Whether a request isn't the page's, or none at all.

    Chromium looks for an icon where a page names none, and not again where there was none: which
    load of many it belongs to is chance.
    """
    url: str = event["request"]["url"]
    is_guess = event.get("type") == "Other" and urlsplit(url).path == "/favicon.ico"
    return is_guess or url.startswith(("data:", "blob:"))


def _wait_for_quiet(
    page: Page, session: CDPSession, traffic: _Traffic, *, ends_s: float
) -> dict[str, Any]:
    """Return what the page had seen of itself when it was quiet, or at the end."""
    while True:
        is_last = time.monotonic() >= ends_s
        try:
            seen: dict[str, Any] = _evaluate(session, "seen()")
        except Error:  # it is just leading on to another page
            if is_last:
                raise
            traffic.last_s = time.monotonic()
        else:
            has_loaded = seen["loadEventEnd"] > 0
            quiet_since_ms = max(seen["moved"], seen["loadEventEnd"])
            quiet_ms = min(seen["now"] - quiet_since_ms, (time.monotonic() - traffic.last_s) * 1000)
            is_quiet = not traffic.under_way and quiet_ms >= _QUIET_MS
            if has_loaded and (is_quiet or is_last):
                return seen
            if is_last:
                raise TimeoutError("the page that it led on to hadn't loaded when time was up")
        page.wait_for_timeout(_LOOK_MS)


def _evaluate(session: CDPSession, call: str) -> Any:
    """Call what watches, by the protocol, which a page's Content-Security-Policy can't hinder."""
    answer = session.send(
        "Runtime.evaluate",
        {"expression": f"{_STATE}.{call}", "returnByValue": True, "awaitPromise": True},
    )
    if "exceptionDetails" in answer:
        raise RuntimeError(
            "the page doesn't measure itself: call watch_vitals(context) before it is opened "
            f"({answer['result'].get('description', '')})"
        )
    return answer["result"].get("value")


def _percentile(values: Sequence[float]) -> float:
    rank = math.ceil(_SHARE * len(values))
    return sorted(values)[max(1, min(rank, len(values) - 1)) - 1]


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _loads(number: int) -> str:
    return "1 load" if number == 1 else f"{number} loads"


def _left_ms(ends_s: float) -> float:
    return max(1.0, (ends_s - time.monotonic()) * 1000)
