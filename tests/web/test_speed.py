"""Pages are timed by several loads, of which a slow one says nothing and slow ones do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from deployment_gate.environment import WebPage
from deployment_gate.environment.phrases import parse_target
from deployment_gate.web import speed
from deployment_gate.web.speed import MOST_LOADS, PageSpeed, measure_speed
from deployment_gate.web.visitor import Visitor
from deployment_gate.web.vitals import Load
from tests.web.conftest import Site

MakeVisitor = Callable[..., Visitor]

LOAD = Load(
    duration_s=0.1,
    ttfb_s=0.01,
    fcp_s=0.05,
    lcp_s=0.1,
    cls=0.0,
    requests=3,
    transferred_bytes=3000,
    from_cache=0,
    status=200,
)
PAGE = '<!doctype html><html lang="en"><title>Shop</title><h1>Shop</h1><img src=/a.svg alt=a>'
PICTURE = "<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'/>"


TARGET = "< 300ms for 95% of page loads"


def loads(slow: int, total: int, slow_s: float = 0.5) -> tuple[Load, ...]:
    return tuple(
        replace(LOAD, duration_s=slow_s if number < slow else 0.1) for number in range(total)
    )


def taken(cold: Sequence[Load], warm: Load = LOAD) -> PageSpeed:
    began = tuple(datetime.now(UTC) for _ in range(len(cold) + 1))
    return PageSpeed("start", "/", tuple(cold), warm, began, "desktop")


@pytest.mark.parametrize(
    ("slow", "total", "doubt"),
    [(0, 5, False), (1, 5, True), (1, 19, True), (1, 20, False), (2, 5, False), (5, 5, False)],
)
def test_some_slow_loads_are_doubt_until_they_tell(slow: int, total: int, *, doubt: bool) -> None:
    assert speed.is_in_doubt(loads(slow, total), parse_target(TARGET)) is doubt
    assert not speed.is_in_doubt(loads(slow, total), None)


@pytest.mark.parametrize(
    ("slow", "total", "misses"),
    [(0, 5, False), (1, 20, False), (2, 20, True), (5, 5, True), (2, 5, True)],
)
def test_more_slow_loads_than_the_target_allows_miss_it(
    slow: int, total: int, *, misses: bool
) -> None:
    faults = speed.load_time_faults(taken(loads(slow, total)), parse_target(TARGET))
    told = f"{slow} of {total} loads took longer than 0.3 s, the slowest 0.50 s; "
    told += f"the target is {TARGET!r}"
    assert faults == ([told] if misses else [])
    assert speed.load_time_faults(taken(loads(slow, total)), None) == []


def test_a_target_without_a_share_is_for_each_load() -> None:
    phrase = replace(parse_target(TARGET), share=None)
    assert speed.load_time_faults(taken(loads(1, 20)), phrase)
    assert speed.load_time_faults(taken(loads(0, 5)), phrase) == []


def test_weight_and_requests_of_the_first_load_have_limits(make_visitor: MakeVisitor) -> None:
    cold = [replace(LOAD, transferred_bytes=2_000_000, requests=41), LOAD, LOAD]
    section = make_visitor(speed={"weight": "1MB", "requests": 40}).target.speed
    weight, requests = speed.feeling_faults(taken(cold), section)
    assert weight.startswith("a first load brings ")
    assert requests == "a first load sends 41 requests; at most 40"
    assert speed.feeling_faults(taken(cold), make_visitor().target.speed) == []
    assert speed.feeling_faults(taken([LOAD, *cold]), section) == []


def test_what_is_painted_late_and_jumps_about_is_told(make_visitor: MakeVisitor) -> None:
    section = make_visitor(
        speed={"largest_contentful_paint": "1s", "cumulative_layout_shift": 0.2}
    ).target.speed
    late, jumpy = speed.feeling_faults(taken([replace(LOAD, lcp_s=1.5, cls=0.3)] * 3), section)
    assert "after 1.50 s" in late
    assert "moved by 0.300" in jumpy


def sleeping(seconds: Sequence[float]) -> Callable[[Any], tuple[int, dict[str, str], str]]:
    """Answer after so long, by turns; the last one goes on."""
    left = list(seconds)

    def answer(_: Any) -> tuple[int, dict[str, str], str]:
        time.sleep(left.pop(0) if len(left) > 1 else left[0])
        return 200, {"Cache-Control": "no-cache"}, PAGE

    return answer


def measured(visitor: Visitor, text: str | None) -> PageSpeed:
    phrase = parse_target(text) if text else None
    return measure_speed(visitor, "start", WebPage(path="/"), target=phrase)


@pytest.fixture
def shop(site: Site) -> Site:
    picture = (200, {"Content-Type": "image/svg+xml", "Cache-Control": "max-age=600"}, PICTURE)
    site.answers["/a.svg"] = picture
    return site


def test_a_page_is_loaded_cold_so_often_and_warm_once(
    shop: Site, make_visitor: MakeVisitor
) -> None:
    shop.answers["/"] = PAGE
    seen = measured(make_visitor(speed={"loads": 3}), None)
    assert [load.requests for load in seen.cold] == [2, 2, 2]
    assert [load.from_cache for load in (*seen.cold, seen.warm)] == [0, 0, 0, 1]
    assert shop.asked.count("GET /") == 4
    assert shop.asked.count("GET /a.svg") == 3
    told = seen.observations("check")
    assert [one.facts["cache"] for one in told] == ["cold", "cold", "cold", "warm"]
    assert [one.at for one in told] == sorted(one.at for one in told)
    assert speed.told(seen).startswith("start (/): 3 loads with an empty cache took ")


def test_one_slow_load_leads_to_more_which_clear_the_page(
    shop: Site, make_visitor: MakeVisitor
) -> None:
    # Two seconds, since the machine that runs this may itself be slow for a moment.
    shop.answers["/"] = sleeping([2.5, 0])
    text = "< 2s for 95% of page loads"
    seen = measured(make_visitor(speed={"loads": 2}), text)
    assert seen.cold[0].duration_s > 2
    assert len(seen.cold) == MOST_LOADS
    assert speed.load_time_faults(seen, parse_target(text)) == []


def test_a_page_that_is_always_slow_misses_its_target_after_few(
    shop: Site, make_visitor: MakeVisitor
) -> None:
    shop.answers["/"] = sleeping([0.5])
    seen = measured(make_visitor(speed={"loads": 3}), TARGET)
    assert len(seen.cold) == 3
    (fault,) = speed.load_time_faults(seen, parse_target(TARGET))
    assert fault.startswith("3 of 3 loads took longer than 0.3 s")
