"""How quick a page is, by several loads: against its target, and as a person feels it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from deployment_gate.environment import TargetPhrase
from deployment_gate.environment.sizes import format_size
from deployment_gate.judgement import is_surely_above
from deployment_gate.web.steps import wait_for_heading
from deployment_gate.web.visit import page_observation
from deployment_gate.web.vitals import (
    Limits,
    Load,
    clear_cache,
    measure_load,
    vitals_faults,
    watch_vitals,
)

if TYPE_CHECKING:
    from deployment_gate.environment import Speed, WebPage
    from deployment_gate.evidence import Observation
    from deployment_gate.web.visitor import Visitor

MOST_LOADS = 20
"""Loads of one page, at most: enough for its share to be told from one that is twice as large."""


@dataclass(frozen=True, slots=True)
class PageSpeed:
    """The loads of one page.

    Attributes:
        name: The page's, in the environment file.
        path: Where it is.
        cold: Loads with an empty cache.
        warm: One after them, with what they left in it.
        began: When each of them began, in this order.
        device: What it was loaded on.
    """

    name: str
    path: str
    cold: tuple[Load, ...]
    warm: Load
    began: tuple[datetime, ...]
    device: str

    @property
    def called(self) -> str:
        """What it is called in reports."""
        return f"{self.name} ({self.path})"

    def observations(self, check: str | None) -> list[Observation]:
        """Each load as evidence."""
        loads = [*((load, "cold") for load in self.cold), (self.warm, "warm")]
        return [
            page_observation(
                self.path,
                at=at,
                duration_s=load.duration_s,
                status=load.status,
                check=check,
                facts={"page": self.name, "device": self.device, "cache": cache, **_facts(load)},
            )
            for (load, cache), at in zip(loads, self.began, strict=True)
        ]


def measure_speed(
    visitor: Visitor, name: str, page: WebPage, *, target: TargetPhrase | None
) -> PageSpeed:
    """Load a page several times; more often where that leaves doubt about the target.

    Args:
        visitor: Looks at the environment's pages.
        name: The page's, in the environment file.
        page: Its section there.
        target: The level that a share of the loads must meet, where there is one.

    Raises:
        SignInError: It is for those who signed in, and nobody could.
        BrowserTroubleError: The browser failed, twice.
        playwright.sync_api.Error: It didn't load.
    """
    section = visitor.target.speed
    who = visitor.identity if visitor.target.is_signed_in(page) else None
    state = visitor.signed_in(who) if who else None
    device = visitor.target.widest
    url = visitor.target.base_url + page.path

    def look() -> PageSpeed:
        with visitor.window(device, state) as (context, watch):
            watch_vitals(context)
            tab = context.new_page()
            cold: list[Load] = []
            began: list[datetime] = []

            def load() -> Load:
                began.append(datetime.now(UTC))
                return measure_load(
                    tab,
                    url,
                    timeout_s=2 * visitor.timeout_s,
                    settled=lambda page: wait_for_heading(page, timeout_s=visitor.timeout_s),
                )

            while len(cold) < section.loads or is_in_doubt(cold, target):
                clear_cache(tab)
                cold.append(load())
            warm = load()
            watch.collect()
            return PageSpeed(name, page.path, tuple(cold), warm, tuple(began), device)

    return visitor.look(look, steps=section.loads + 1)


def is_in_doubt(loads: Sequence[Load], target: TargetPhrase | None) -> bool:
    """Whether further loads may show that a target is met although some of them missed it."""
    if target is None or len(loads) >= MOST_LOADS:
        return False
    slow = _slow(loads, target)
    return slow > 0 and not is_surely_above(slow, len(loads), _allowed(target))


def load_time_faults(speed: PageSpeed, target: TargetPhrase | None) -> list[str]:
    """What speaks against "< 2s for 95% of page loads", by the loads with an empty cache.

    More of them than the target allows is a miss: surely so where few suffice to tell, and after
    `MOST_LOADS` of them in any case.
    """
    if target is None:
        return []
    slow, total = _slow(speed.cold, target), len(speed.cold)
    if slow / total <= _allowed(target):
        return []
    slowest_s = max(load.duration_s for load in speed.cold)
    took = f"{slow} of {total} loads took longer than {target.limit:g} s"
    return [f"{took}, the slowest {slowest_s:.2f} s; the target is {target.text!r}"]


def feeling_faults(speed: PageSpeed, section: Speed) -> list[str]:
    """What speaks against the limits of Google's web vitals, and of the page's own weight."""
    faults = vitals_faults(speed.cold, limits_of(section))
    first = speed.cold[0]
    if section.weight and first.transferred_bytes > section.weight:
        faults.append(
            f"a first load brings {format_size(first.transferred_bytes)} over the network; at most "
            f"{format_size(section.weight)}"
        )
    if section.requests and first.requests > section.requests:
        faults.append(f"a first load sends {first.requests} requests; at most {section.requests}")
    return faults


def limits_of(section: Speed) -> Limits:
    """The environment's limits of the web vitals."""
    return Limits(
        lcp_s=section.largest_contentful_paint.total_seconds(),
        cls=section.cumulative_layout_shift,
        inp_s=section.interaction_to_next_paint.total_seconds(),
    )


def told(speed: PageSpeed) -> str:
    """Its figures on one line, for reports."""
    times = sorted(load.duration_s for load in speed.cold)
    first = speed.cold[0]
    return (
        f"{speed.called}: {len(times)} loads with an empty cache took {times[0]:.2f} to "
        f"{times[-1]:.2f} s, one with a full one {speed.warm.duration_s:.2f} s; "
        f"{first.requests} requests, {format_size(first.transferred_bytes)}"
    )


def _slow(loads: Sequence[Load], target: TargetPhrase) -> int:
    return sum(load.duration_s > target.limit for load in loads)


def _allowed(target: TargetPhrase) -> float:
    """The share of loads that may miss it."""
    return 1 - (1.0 if target.share is None else target.share)


def _facts(load: Load) -> dict[str, Any]:
    return {
        "ttfb_s": load.ttfb_s,
        "fcp_s": load.fcp_s,
        "lcp_s": load.lcp_s,
        "cls": load.cls,
        "requests": load.requests,
        "transferred_bytes": load.transferred_bytes,
        "from_cache": load.from_cache,
    }
