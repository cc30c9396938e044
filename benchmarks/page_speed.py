"""Whether the gate measures pages as Chromium's own tracing does, and what measuring costs.

Pages of a server of its own, and the sandbox's.

Example: uv run python benchmarks/page_speed.py --repeats 5 --check
"""

from __future__ import annotations

import http.server
import json
import math
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from measuring import BenchmarkError, compare_with_sandbox, print_requirements, print_table
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from deployment_gate.web.chromium import find_chromium, launch_options
from deployment_gate.web.vitals import (
    Load,
    clear_cache,
    measure_interaction,
    measure_load,
    watch_vitals,
)

HIGHEST_DIFFERENCE = 0.15
"""How far a figure may be from what the trace says: the requirement."""

ROUNDING = {"duration_s": 0.004, "fcp_s": 0.004, "lcp_s": 0.004, "cls": 0.0, "inp_s": 0.008}
"""What Chromium rounds figures to before it tells a page: paints to 4 ms, events to 8 ms.

Beyond that they must agree. https://www.w3.org/TR/event-timing/, https://www.w3.org/TR/paint-timing/
"""

CATEGORIES = ("-*", "loading", "devtools.timeline", "blink.user_timing")
USER, PASSWORD = "test", "test-password-of-the-sandbox"  # the sandbox's own default
_TIMEOUT_S = 30.0
_ATTEMPTS = 3
_DELAY_S = 0.3

_LATE_PICTURE = """<!doctype html><title>Late</title><h1>A title</h1>
<img src="/picture.svg" width="800" height="400" alt="">
<script>
  setTimeout(() => {
    const banner = document.createElement("div");
    banner.style.height = "120px";
    document.body.prepend(banner);
  }, 400);
</script>"""

_SLOW_BUTTON = """<!doctype html><title>Slow</title><h1>A title</h1><button>Work</button>
<script>
  document.querySelector("button").addEventListener("click", () => {
    const end = performance.now() + 250;
    while (performance.now() < end);
    document.body.append("done");
  });
</script>"""

_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="800" height="400">'
    '<path d="M0 0h800v400H0z" fill="teal"/>'
    # Chromium takes a picture of less than 0.05 bits for each pixel for a background.
    f"<!--{'x' * 4000}--></svg>"
)


@dataclass(frozen=True, slots=True)
class Traced:
    """What Chromium's trace says of the last load in it, in seconds; CLS without a unit.

    Attributes:
        duration_s: Until the end of the load event, or the largest content if that came later.
        fcp_s: Until the first content; None when there was none.
        lcp_s: Until the largest content; None when there was none.
        cls: The largest sum of shifts within a session window.
        inp_s: The longest interaction; None when there was none.
    """

    duration_s: float
    fcp_s: float | None
    lcp_s: float | None
    cls: float
    inp_s: float | None


class TraceLostError(BenchmarkError):
    """Chromium left out of a trace what was to be read from it."""


def read_trace(path: Path) -> Traced:
    """Read the last load of a web page from a trace, and what was done with the page then.

    Raises:
        TraceLostError: The trace has no beginning or no end of a load.
    """
    events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    starts = [event for event in events if _is_start(event)]
    if not starts:
        raise TraceLostError("the trace has no start of a navigation to a page")
    started = max(starts, key=lambda event: float(event["ts"]))
    frame, start = started["args"]["frame"], started["ts"]
    of_frame = sorted(
        (event for event in events if event["ts"] >= start and event["args"].get("frame") == frame),
        key=lambda event: float(event["ts"]),
    )

    def moments(name: str) -> list[float]:
        return [(event["ts"] - start) / 1e6 for event in of_frame if event["name"] == name]

    ends = moments("loadEventEnd")
    if not ends:
        raise TraceLostError("the trace has no end of a load")
    lcp_s = max(moments("largestContentfulPaint::Candidate"), default=None)
    return Traced(
        duration_s=max(*ends, lcp_s or 0.0),
        fcp_s=min(moments("firstContentfulPaint"), default=None),
        lcp_s=lcp_s,
        cls=_cumulative_shift(event for event in of_frame if event["name"] == "LayoutShift"),
        inp_s=_longest_interaction(events),
    )


def _is_start(event: dict[str, Any]) -> bool:
    if event["name"] != "navigationStart":
        return False
    url: str = event["args"]["data"]["documentLoaderURL"]
    return url.startswith("http")


def _cumulative_shift(shifts: Iterator[dict[str, Any]]) -> float:
    """By https://web.dev/articles/cls: gaps below 1 s, windows of at most 5 s."""
    worst = window = 0.0
    first = last = -1e12
    for shift in shifts:
        data, moment = shift["args"]["data"], shift["ts"] / 1e6
        if data["had_recent_input"]:
            continue
        if moment - last >= 1 or moment - first >= 5:  # noqa: PLR2004
            window, first = 0.0, moment
        window, last = window + data["weighted_score_delta"], moment
        worst = max(worst, window)
    return worst


def _longest_interaction(events: list[dict[str, Any]]) -> float | None:
    begun: dict[str, float] = {}
    longest = None
    for event in sorted(
        (event for event in events if event["name"] == "EventTiming"),
        key=lambda event: (float(event["ts"]), event["ph"]),
    ):
        if event["ph"] == "b" and event["args"]["data"]["interactionId"]:
            begun[event["id"]] = event["ts"]
        elif event["ph"] == "e" and event["id"] in begun:
            longest = max(longest or 0.0, (event["ts"] - begun.pop(event["id"])) / 1e6)
    return longest


@dataclass(frozen=True, slots=True)
class Subject:
    """A page, and what is done with it.

    Attributes:
        url: Its address.
        act: One interaction with it, if any.
    """

    url: str
    act: Callable[[Page], None] | None = None


def main() -> int:
    """Measure, print, and say whether the requirement is met."""
    return compare_with_sandbox(
        compare, about=__doc__.partition("\n")[0], repeats=5, missed="a figure differs too much"
    )


def compare(scratch: Path, ports: dict[str, str], *, repeats: int) -> bool:
    """Load each page, measured by the gate and traced by Chromium at once, and compare."""
    sandbox = f"http://127.0.0.1:{ports['SANDBOX_WEB_PORT']}"
    with serving() as own, sync_playwright() as playwright:
        browser = launch(playwright)
        subjects = {
            "late picture, banner": Subject(f"{own}/late"),
            "slow button": Subject(f"{own}/slow", lambda page: page.click("button")),
            "sandbox: sign in": Subject(f"{sandbox}/login"),
            "sandbox: policies": Subject(f"{sandbox}/", lambda page: page.click("#next")),
            "sandbox: one policy": Subject(f"{sandbox}/policies/1"),
            "sandbox: search": Subject(
                f"{sandbox}/search?q=policy", lambda page: page.press("[name=q]", "a")
            ),
        }
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        watch_vitals(context)
        page = context.new_page()
        sign_in(page, sandbox)
        measured = {
            name: [
                measure_and_trace(browser, page, subject, scratch / "trace.json")
                for _ in range(repeats)
            ]
            for name, subject in subjects.items()
        }
        print(f"The gate's figure / the trace's: medians and extremes of {repeats} cold loads")
        differences = print_agreement(measured)
        print("\nLoad by the gate, without tracing: medians")
        print_loads(page, subjects, repeats=repeats)
        print("\nUntil `load` ends, watched pages / others: the fastest of each")
        print_cost(browser, f"{own}/late", sandbox, repeats=repeats)
        browser.close()
    return print_requirements(
        {
            f"every figure is within {HIGHEST_DIFFERENCE:.0%} of the trace's, beyond rounding "
            f"(furthest {max(differences):.1%})": max(differences) <= HIGHEST_DIFFERENCE
        }
    )


def launch(playwright: Playwright) -> Browser:
    """Start Chromium as the gate does."""
    program = find_chromium(os.environ, own=playwright.chromium.executable_path)
    return playwright.chromium.launch(**launch_options(program, ["127.0.0.1"]))


def sign_in(page: Page, sandbox: str) -> None:
    """Sign in to the sandbox, which keeps the token for as long as the tab is open."""
    page.goto(f"{sandbox}/login")
    page.get_by_label("Username").fill(USER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#navigation")).to_be_visible()


def measure_and_trace(
    browser: Browser, page: Page, subject: Subject, path: Path
) -> tuple[Load, float | None, Traced]:
    """Load a page and use it, while Chromium traces what happens.

    Again where the trace is of no use: about one in fifty lacks the start of the navigation.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return _measure_and_trace(browser, page, subject, path)
        except TraceLostError as error:
            print(f"measured again: {error}", file=sys.stderr)
    return _measure_and_trace(browser, page, subject, path)


def _measure_and_trace(
    browser: Browser, page: Page, subject: Subject, path: Path
) -> tuple[Load, float | None, Traced]:
    page.goto("about:blank")
    clear_cache(page)
    browser.start_tracing(page=page, path=path, categories=list(CATEGORIES))
    try:
        load = measure_load(page, subject.url, timeout_s=_TIMEOUT_S)
        inp_s = measure_interaction(page, partial(subject.act, page)) if subject.act else None
        page.wait_for_timeout(200)
    finally:
        browser.stop_tracing()
    return load, inp_s, read_trace(path)


def print_agreement(
    measured: dict[str, list[tuple[Load, float | None, Traced]]],
) -> list[float]:
    """Print how the figures compare; how far each is off, as a share of the trace's."""
    rows, differences = [], []
    for name, runs in measured.items():
        cells = [name]
        for figure, rounding in ROUNDING.items():
            pairs = [
                pair
                for load, inp_s, traced in runs
                if any(pair := _pair(figure, load, inp_s, traced))
            ]
            differences += [off(ours, theirs, rounding=rounding) for ours, theirs in pairs]
            cells.append(_spread([ours / theirs if theirs else math.inf for ours, theirs in pairs]))
        rows.append(cells)
    print_table(["", "duration", "FCP", "LCP", "CLS", "INP"], rows)
    return differences


def off(ours: float, theirs: float, *, rounding: float) -> float:
    """Tell how far a figure is from the trace's, as a share of it, beyond the rounding."""
    difference = max(0.0, abs(ours - theirs) - rounding)
    return difference / theirs if theirs else math.inf


def _pair(figure: str, load: Load, inp_s: float | None, traced: Traced) -> tuple[float, float]:
    """Return the gate's figure and the trace's: 0 where none was seen."""
    ours = inp_s if figure == "inp_s" else getattr(load, figure)
    return ours or 0.0, getattr(traced, figure) or 0.0


def _spread(ratios: Sequence[float]) -> str:
    if not ratios:
        return "-"
    return f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"


def print_loads(page: Page, subjects: dict[str, Subject], *, repeats: int) -> None:
    """Print what the gate says of cold and warm loads."""
    rows = []
    for name, subject in subjects.items():
        for kind in ("cold", "warm"):
            loads = []
            for _ in range(repeats):
                if kind == "cold":
                    clear_cache(page)
                loads.append(measure_load(page, subject.url, timeout_s=_TIMEOUT_S))
            rows.append(
                [
                    f"{name}, {kind}",
                    *(
                        f"{statistics.median(getattr(load, figure) or 0 for load in loads):.3f}"
                        for figure in ("duration_s", "ttfb_s", "fcp_s", "lcp_s", "cls")
                    ),
                    *(
                        f"{statistics.median(getattr(load, figure) for load in loads):g}"
                        for figure in ("requests", "from_cache", "transferred_bytes")
                    ),
                ]
            )
    header = ["", "duration", "TTFB", "FCP", "LCP", "CLS", "requests", "cached", "bytes"]
    print_table(header, rows)


def print_cost(browser: Browser, own: str, sandbox: str, *, repeats: int) -> None:
    """Print how much longer pages take that are watched."""
    pages = {}
    for name in ("plain", "watched"):
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        if name == "watched":
            watch_vitals(context)
        pages[name] = context.new_page()
        sign_in(pages[name], sandbox)
    rows = []
    for name, url in {"late picture, banner": own, "sandbox: policies": f"{sandbox}/"}.items():
        taken: dict[str, list[float]] = {"plain": [], "watched": []}
        for _ in range(3 * repeats):
            for kind, page in pages.items():
                page.goto(url, wait_until="load")
                taken[kind].append(
                    page.evaluate("performance.getEntriesByType('navigation')[0].loadEventStart")
                )
        plain, watched = (min(values) for values in taken.values())
        rows.append([name, f"{watched / plain:.3f}"])
    print_table(["", "ratio"], rows)


@contextmanager
def serving() -> Iterator[str]:
    """Serve the pages of this benchmark meanwhile; their address."""
    answers = {
        "/late": ("text/html", _LATE_PICTURE, 0.0),
        "/slow": ("text/html", _SLOW_BUTTON, 0.0),
        "/picture.svg": ("image/svg+xml", _PICTURE, _DELAY_S),
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            kind, text, delay_s = answers.get(self.path, ("text/plain", "", 0.0))
            time.sleep(delay_s)
            self.send_response(200 if text else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Cache-Control", "max-age=600")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


if __name__ == "__main__":
    sys.exit(main())
