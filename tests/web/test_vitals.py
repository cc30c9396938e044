"""Pages whose speed is known beforehand, measured in a real browser, and by its own tracing."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from deployment_gate.web.vitals import (
    Limits,
    Load,
    clear_cache,
    interaction_faults,
    measure_interaction,
    measure_load,
    vitals_faults,
    watch_vitals,
)
from sandbox.web.app import security_headers

TIMEOUT_S = 20.0
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="800" height="400">'
    '<path d="M0 0h800v400H0z" fill="teal"/>'
    # Chromium takes a picture of less than 0.05 bits for each pixel for a background.
    f"<!--{'x' * 4000}--></svg>"
)
CACHED = {"Cache-Control": "max-age=600"}
ROOT = Path(__file__).resolve().parents[2]

BUSY_BUTTON = """<!doctype html><title>Busy</title><button>Work</button><script>
  document.querySelector("button").addEventListener("click", () => {
    const end = performance.now() + 400;
    while (performance.now() < end);
    document.body.append("done");
  });
</script>"""

GOOD = Load(
    duration_s=1.0,
    ttfb_s=0.1,
    fcp_s=0.5,
    lcp_s=1.0,
    cls=0.0,
    requests=3,
    transferred_bytes=5000,
    from_cache=0,
    status=200,
)


@pytest.fixture
def watched(window: BrowserContext) -> Page:
    """A tab that measures what it shows."""
    watch_vitals(window)
    return window.new_page()


@pytest.fixture
def page_speed(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark that reads traces."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("page_speed")


def late(delay_s: float, answer: Any) -> Callable[[object], Any]:
    """Answer after so long."""

    def wait(_: object) -> Any:
        time.sleep(delay_s)
        return answer

    return wait


def picture(**headers: str) -> tuple[int, dict[str, str], str]:
    return 200, {"Content-Type": "image/svg+xml", **headers}, PICTURE


def test_late_picture_is_the_largest_content_and_ends_the_load(site: Any, watched: Page) -> None:
    site.answers["/"] = '<h1>Title</h1><img src="/late.svg" width="800" height="400">'
    site.answers["/late.svg"] = late(0.6, picture())

    load = measure_load(watched, site.url, timeout_s=TIMEOUT_S)

    assert load.status == 200
    assert load.fcp_s
    assert load.lcp_s
    assert load.ttfb_s
    assert load.ttfb_s < load.fcp_s < load.lcp_s <= load.duration_s
    assert load.lcp_s > 0.6
    assert load.requests == 2
    assert load.transferred_bytes > len(PICTURE)


def test_content_that_scripts_bring_long_after_the_load_event_counts(
    site: Any, watched: Page
) -> None:
    site.answers["/"] = """<p id="main"></p><script>
      const main = document.getElementById("main");
      setTimeout(() => { main.textContent = "content ".repeat(90); }, 700);
    </script>"""

    # On a busy machine a load may be over before its content is painted; that one tells nothing.
    loads = (
        measure_load(watched, site.url, timeout_s=TIMEOUT_S, settled=expect_text) for _ in range(3)
    )
    load = next(load for load in loads if load.lcp_s is not None)

    assert load.duration_s >= 0.7
    assert load.duration_s == load.lcp_s


def expect_text(page: Page) -> None:
    expect(page.locator("#main")).not_to_be_empty()


SHELL = """<h1 style="font-size: 90px">A title larger than all there will be</h1><p id="main"></p>
<script>setTimeout(() => { document.getElementById("main").textContent = "ok"; }, 700);</script>"""


def test_content_smaller_than_its_frame_counts_once_it_is_said_to_be_there(
    site: Any, watched: Page
) -> None:
    site.answers["/"] = SHELL
    returned: list[float] = []

    def settled(page: Page) -> None:
        expect_text(page)
        returned.append(page.evaluate("performance.now() / 1000"))

    unaware = measure_load(watched, site.url, timeout_s=TIMEOUT_S)
    aware = measure_load(watched, site.url, timeout_s=TIMEOUT_S, settled=settled)

    assert unaware.lcp_s == unaware.duration_s
    assert aware.lcp_s
    assert aware.lcp_s < 0.7 <= aware.duration_s
    assert aware.duration_s < returned[0] - 0.05, "Playwright looks late, the page knows better"


def test_banner_that_pushes_content_down_is_the_layout_shift(site: Any, watched: Page) -> None:
    # The block of 200 px moves by 180 px: 380 of the 720 px of the window's height are touched,
    # over its full width, and the furthest move is 180 of its larger side's 1280 px.
    site.answers["/"] = """<!doctype html><style>body { margin: 0 } div { height: 200px }</style>
    <div style="background: teal">Block</div><script>
      setTimeout(() => {
        const banner = document.createElement("section");
        banner.style.height = "180px";
        document.body.prepend(banner);
      }, 300);
    </script>"""

    load = measure_load(watched, site.url, timeout_s=TIMEOUT_S)

    assert load.cls == pytest.approx((380 / 720) * (180 / 1280), rel=0.01)


def test_page_that_paints_nothing_has_no_largest_content(site: Any, watched: Page) -> None:
    site.answers["/"] = "<!doctype html><title>Blank</title>"

    load = measure_load(watched, site.url, timeout_s=TIMEOUT_S)

    assert load.fcp_s is None
    assert load.lcp_s is None
    assert load.cls == 0
    assert load.duration_s > 0


def test_cold_loads_ask_the_server_again_and_warm_ones_do_not(site: Any, watched: Page) -> None:
    site.answers["/"] = '<h1>Title</h1><img src="/picture.svg">'
    site.answers["/picture.svg"] = picture(**CACHED)

    def load() -> tuple[Load, int]:
        before = site.asked.count("GET /picture.svg")
        measured = measure_load(watched, site.url, timeout_s=TIMEOUT_S)
        return measured, site.asked.count("GET /picture.svg") - before

    clear_cache(watched)
    cold, asked_cold = load()
    warm, asked_warm = load()
    clear_cache(watched)
    again, asked_again = load()

    assert (asked_cold, asked_warm, asked_again) == (1, 0, 1)
    assert (cold.from_cache, warm.from_cache, again.from_cache) == (0, 1, 0)
    assert cold.requests == warm.requests == again.requests == 2
    assert cold.transferred_bytes == again.transferred_bytes
    assert warm.transferred_bytes < cold.transferred_bytes - len(PICTURE)


def test_http_redirect_counts_as_a_request_and_in_the_time(site: Any, watched: Page) -> None:
    site.answers["/"] = late(0.4, (302, {"Location": "/there"}, ""))
    site.answers["/there"] = "<h1>There</h1>"

    load = measure_load(watched, site.url, timeout_s=TIMEOUT_S)

    assert load.requests == 2
    assert load.duration_s > 0.4
    assert load.status == 200


def test_page_that_scripts_lead_on_to_includes_the_way_there(site: Any, watched: Page) -> None:
    site.answers["/"] = "<script>setTimeout(() => location.replace('/there'), 500)</script>"
    site.answers["/there"] = (404, {}, "<h1>There</h1>")

    load = measure_load(
        watched, site.url, timeout_s=TIMEOUT_S, settled=lambda page: page.wait_for_url("**/there")
    )

    assert load.duration_s > 0.5
    assert load.lcp_s
    assert load.lcp_s < load.duration_s - 0.4
    assert load.status == 404


def test_page_that_never_rests_is_measured_when_time_is_up(site: Any, watched: Page) -> None:
    site.answers["/"] = "<h1>Title</h1><script>fetch('/slow')</script>"
    site.answers["/slow"] = late(5, "late")
    started = time.monotonic()

    load = measure_load(watched, site.url, timeout_s=2)

    assert time.monotonic() - started < 4.5
    assert load.lcp_s


def test_button_that_keeps_the_page_busy_is_the_interaction(site: Any, watched: Page) -> None:
    site.answers["/"] = BUSY_BUTTON
    measure_load(watched, site.url, timeout_s=TIMEOUT_S)

    inp_s = measure_interaction(watched, lambda: watched.click("button"))

    assert inp_s == pytest.approx(0.4, abs=0.15)
    assert inp_s >= 0.4


def test_earlier_interaction_is_not_taken_for_a_later_one(site: Any, watched: Page) -> None:
    site.answers["/"] = BUSY_BUTTON + "<input>"
    measure_load(watched, site.url, timeout_s=TIMEOUT_S)
    watched.click("button")

    inp_s = measure_interaction(watched, lambda: watched.press("input", "a"))

    assert inp_s is not None
    assert inp_s < 0.4


def test_what_scripts_do_is_no_interaction(site: Any, watched: Page) -> None:
    site.answers["/"] = BUSY_BUTTON
    measure_load(watched, site.url, timeout_s=TIMEOUT_S)

    assert measure_interaction(watched, lambda: None) is None
    assert (
        measure_interaction(
            watched, lambda: watched.evaluate("document.querySelector('button').click()")
        )
        is None
    )


def test_interaction_that_leaves_the_page_is_not_measured(site: Any, watched: Page) -> None:
    site.answers["/"] = "<a href='/there'>Go</a>"
    site.answers["/there"] = "<h1>There</h1>"
    measure_load(watched, site.url, timeout_s=TIMEOUT_S)

    def leave() -> None:
        watched.click("a")
        watched.wait_for_url("**/there")

    assert measure_interaction(watched, leave) is None


def test_strictest_policy_does_not_hinder_and_the_console_stays_silent(
    site: Any, watched: Page
) -> None:
    headers = {
        name.decode(): value.decode() for name, value in security_headers(site.url, "'self'")
    }
    site.answers["/"] = (200, headers, "<h1>Title</h1><button>Press</button><p id='main'>x</p>")
    site.answers["/favicon.ico"] = picture()
    told: list[str] = []
    watched.on("console", lambda message: told.append(message.text))
    watched.on("pageerror", lambda error: told.append(str(error)))

    load = measure_load(watched, site.url, timeout_s=TIMEOUT_S, settled=expect_text)
    inp_s = measure_interaction(watched, lambda: watched.click("button"))

    assert load.lcp_s
    assert inp_s
    assert told == []


def test_nothing_is_to_be_found_by_scripts_that_look_around(site: Any, watched: Page) -> None:
    """Only one name is added, and no loop over the window's properties meets it."""
    names = "[...Object.getOwnPropertyNames(window), ...Object.getOwnPropertySymbols(window)]"
    site.answers["/"] = "<iframe src='/inside'></iframe>"
    site.answers["/inside"] = "<p>Inside</p>"
    measure_load(watched, site.url, timeout_s=TIMEOUT_S)
    inside = watched.frames[1]

    added = set(watched.evaluate(names)) - set(inside.evaluate(names))

    assert added - {"0"} == {"__deploymentGateVitals"}
    assert "__deploymentGateVitals" not in watched.evaluate("Object.keys(window)")
    assert "webVitals" not in watched.evaluate(names)


def test_page_that_is_not_watched_is_an_error_that_says_so(site: Any, tab: Page) -> None:
    site.answers["/"] = "<h1>Title</h1>"

    with pytest.raises(RuntimeError, match="call watch_vitals"):
        measure_load(tab, site.url, timeout_s=TIMEOUT_S)


def test_figures_are_those_of_chromiums_own_trace(
    site: Any, chromium: Browser, watched: Page, page_speed: ModuleType, tmp_path: Path
) -> None:
    site.answers["/"] = (
        BUSY_BUTTON
        + """<img src="/late.svg" width="800" height="400"><script>
          addEventListener("load", () => setTimeout(() => {
            const banner = document.createElement("section");
            banner.style.height = "180px";
            document.body.prepend(banner);
          }, 200));
        </script>"""
    )
    site.answers["/late.svg"] = late(0.3, picture())
    path = tmp_path / "trace.json"
    subject = page_speed.Subject(site.url, lambda page: page.click("button"))

    load, inp_s, traced = page_speed.measure_and_trace(chromium, watched, subject, path)

    for figure, rounding in page_speed.ROUNDING.items():
        ours = inp_s if figure == "inp_s" else getattr(load, figure)
        theirs = getattr(traced, figure)
        assert ours, figure
        assert theirs, figure
        assert page_speed.off(ours, theirs, rounding=rounding) <= 0.15, figure


def loads(**figures: list[float | None]) -> list[Load]:
    ((name, values),) = figures.items()
    return [replace(GOOD, **{name: value}) for value in values]


@pytest.mark.parametrize(
    ("lcp_s", "judged_by"),
    [
        ([3.0], 3.0),
        ([9.0, 3.0], 3.0),
        ([9.0, 3.0, 1.0], 3.0),
        ([9.0, 3.0, 1.0, 1.0], 3.0),
        ([9.0, 3.0, 1.0, 1.0, 1.0], 3.0),
        ([9.0, 8.0, 3.0, 1.0, 1.0, 1.0, 1.0, 1.0], 3.0),
    ],
)
def test_loads_are_judged_by_the_nearest_rank_and_never_by_the_slowest(
    lcp_s: list[float | None], judged_by: float
) -> None:
    measured = loads(lcp_s=lcp_s)

    assert vitals_faults(measured, Limits(lcp_s=judged_by)) == []
    (fault,) = vitals_faults(measured, Limits(lcp_s=judged_by - 0.01))
    assert f"{judged_by:.2f} s" in fault


def test_one_slow_load_is_no_fault_and_a_slow_page_is() -> None:
    assert vitals_faults(loads(lcp_s=[1.0, 30.0, 1.0]), Limits()) == []
    (fault,) = vitals_faults(loads(lcp_s=[2.6, 3.0, 2.7]), Limits())
    assert fault == (
        "the largest content was painted after 2.70 s at the 75th percentile of 3 loads; good is "
        "at most 2.5 s (LCP, https://web.dev/articles/lcp)"
    )


def test_page_that_moves_is_a_fault() -> None:
    assert vitals_faults(loads(cls=[0.1]), Limits()) == []
    (fault,) = vitals_faults(loads(cls=[0.25]), Limits())
    assert fault == (
        "what was painted moved by 0.250 at the 75th percentile of 1 load; good is at most 0.1 "
        "(CLS, https://web.dev/articles/cls)"
    )


def test_page_that_paints_nothing_is_a_fault() -> None:
    assert vitals_faults(loads(lcp_s=[None, None, 1.0]), Limits()) == [
        "no content was painted in 2 of 3 loads"
    ]


def test_nothing_measured_is_a_fault() -> None:
    assert vitals_faults([], Limits()) == ["no load was measured"]
    assert interaction_faults([None], Limits()) == ["no interaction was measured"]


def test_slow_reaction_is_a_fault() -> None:
    assert interaction_faults([0.2, None, 5.0], Limits()) == []
    (fault,) = interaction_faults([0.4, 0.5, 0.3], Limits())
    assert fault == (
        "the page showed no reaction for 400 ms at the 75th percentile of 3; good is at most "
        "200 ms (INP, https://web.dev/articles/inp)"
    )
