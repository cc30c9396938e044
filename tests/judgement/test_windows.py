"""The rule for a share above its limit throughout a period, held against a naive reading of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from math import comb
from random import Random

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from deployment_gate.environment import Indicator, IndicatorKind, Sustained
from deployment_gate.judgement import Reading
from deployment_gate.judgement.states import Decided, TriggerState
from deployment_gate.judgement.windows import (
    SustainedRule,
    firing_window,
    stream_of,
    sustained,
)

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
BADNESS = ["clear", "unobserved", "suspected", "fired"]
SIGNS = {"+": Reading.GOOD, "-": Reading.BAD, "?": Reading.UNOBSERVED}

Seen = tuple[int, str]
"""A moment in microseconds since the start, and + for good, - for bad, ? for unobserved."""


def rule(
    limit: float = 0.05, period_s: float = 120, samples: int = 30, confidence: float = 0.95
) -> SustainedRule:
    condition = Sustained(Indicator(IndicatorKind.ERROR), limit, period_s)
    return SustainedRule(condition, samples, confidence)


def judged(seen: Sequence[Seen], by: SustainedRule) -> Decided:
    readings = [(START + timedelta(microseconds=at), SIGNS[sign]) for at, sign in seen]
    return sustained(readings, by)


def badness(seen: Sequence[Seen], by: SustainedRule) -> int:
    return BADNESS.index(judged(seen, by).state.value)


def every(
    interval_s: float, duration_s: float, is_bad: Callable[[float], bool]
) -> list[tuple[int, str]]:
    """A reading at each interval, bad where `is_bad` says so of its second."""
    moments = [number * interval_s for number in range(round(duration_s / interval_s) + 1)]
    return [(round(at * 1e6), "-" if is_bad(at) else "+") for at in moments]


@dataclass(frozen=True)
class Naive:
    """The rule as its words have it, anew for each look, in exact arithmetic."""

    stream: list[tuple[Fraction, str]]
    limit: Fraction
    period: int
    samples: int

    def state(self) -> str:
        """What the rule says."""
        if not self.stream:
            return "unobserved"
        began, last = self.stream[0][0], self.stream[-1][0]
        looks = [last]
        while (on_grid := began + Fraction(self.period * len(looks), 16)) < last:
            looks.append(on_grid)
        if any(map(self.fires, looks)):
            return "fired"
        return "suspected" if self.is_above(last - self.period, last) else "clear"

    def fires(self, look: Fraction) -> bool:
        """Whether a look fires."""
        start = look - self.period
        quarter = Fraction(self.period, 4)
        quarters = [(start + quarter * n, start + quarter * (n + 1)) for n in range(4)]
        return (
            self.is_covered(start, look)
            and all(self.is_above(*edges) for edges in quarters)
            and self.is_surely_above(start, look)
        )

    def is_covered(self, start: Fraction, look: Fraction) -> bool:
        """Whether the stream began early enough and has no long gap; quarters are seen to below."""
        known = [at for at, _ in self.stream if at <= look]
        gaps = [after - at for at, after in pairwise(known) if after > start]
        return known[0] <= start and all(4 * gap <= self.period for gap in gaps)

    def between(self, start: Fraction, end: Fraction) -> tuple[int, int]:
        """How many of how many readings were bad."""
        signs = [sign for at, sign in self.stream if start < at <= end]
        return signs.count("-"), len(signs)

    def is_above(self, start: Fraction, end: Fraction) -> bool:
        """Whether there are readings, and a greater share of them is bad."""
        bad, total = self.between(start, end)
        return total > 0 and Fraction(bad, total) > self.limit

    def is_surely_above(self, start: Fraction, end: Fraction) -> bool:
        """Whether so many bad ones happen in less than one of twenty cases at the limit."""
        bad, total = self.between(start, end)
        as_many = sum(
            comb(total, k) * self.limit**k * (1 - self.limit) ** (total - k)
            for k in range(bad, total + 1)
        )
        return total >= self.samples and self.is_above(start, end) and as_many < Fraction(1, 20)


# Gaps and periods in such proportions that most streams are covered in some places.
GAPS = st.sampled_from([0, 1, 1, 1, 2, 2, 3, 4])
PERIODS = st.sampled_from([7, 10, 12, 13, 16])
STREAMS = st.builds(
    lambda gaps, signs: [
        (sum(gaps[: number + 1]), sign) for number, sign in enumerate(signs[: len(gaps)])
    ],
    st.one_of(
        st.lists(GAPS, max_size=60),
        st.lists(st.sampled_from([0, 1, 1, 2, 3]), min_size=20, max_size=60),
    ),
    st.one_of(
        st.text("+-?", min_size=60, max_size=60),
        st.text("+---", min_size=60, max_size=60),
        st.text("---------+?", min_size=60, max_size=60),
    ),
)
LIMITS = st.sampled_from([5, 20, 50])
SAMPLES = st.sampled_from([1, 4, 10])


@settings(max_examples=400)
@given(stream=STREAMS, limit=LIMITS, period=PERIODS, samples=SAMPLES)
@example(stream=[(at, "-") for at in range(13)], limit=5, period=12, samples=4)
@example(stream=[(at, "-") for at in range(12)], limit=5, period=12, samples=4)
@example(stream=[(at, "-") for at in (0, 4, 8, 12)], limit=5, period=12, samples=1)
@example(stream=[(at, "-") for at in (0, 3, 6, 9, 12)], limit=5, period=12, samples=1)
# On the edges: a quarter that is just at the limit, and one that depends on what is at its edges.
@example(
    stream=[(at, sign) for at in range(13) for sign in ("-", "+" if at > 9 else "-")],
    limit=50,
    period=12,
    samples=1,
)
@example(stream=list(enumerate("++-----------")), limit=50, period=12, samples=1)
def test_it_agrees_with_a_naive_reading_of_its_words(
    stream: list[Seen], limit: int, period: int, samples: int
) -> None:
    by = rule(limit / 100, period / 1e6, samples)
    known = sorted((Fraction(at), sign) for at, sign in stream if sign != "?")
    naive = Naive(known, Fraction(limit, 100), period, samples)
    assert judged(stream, by).state.value == naive.state()


@given(stream=STREAMS, limit=LIMITS, period=PERIODS, samples=SAMPLES, data=st.data())
def test_a_good_reading_in_place_of_a_bad_one_never_makes_it_worse(
    stream: list[Seen], limit: int, period: int, samples: int, data: st.DataObject
) -> None:
    bad = [number for number, (_, sign) in enumerate(stream) if sign == "-"]
    assume(bad)
    number = data.draw(st.sampled_from(bad))
    better = [*stream[:number], (stream[number][0], "+"), *stream[number + 1 :]]
    by = rule(limit / 100, period / 1e6, samples)
    assert badness(better, by) <= badness(stream, by)


@given(stream=STREAMS, limit=LIMITS, period=PERIODS, data=st.data())
def test_more_good_readings_where_it_was_watched_never_make_it_worse(
    stream: list[Seen], limit: int, period: int, data: st.DataObject
) -> None:
    # Elsewhere they may complete the cover, or the least number, that a decision had lacked.
    watched = [at for at, sign in stream if sign != "?"]
    assume(watched)
    more = data.draw(st.lists(st.sampled_from(watched), min_size=1, max_size=20))
    by = rule(limit / 100, period / 1e6, samples=1)
    assert badness([*stream, *((at, "+") for at in more)], by) <= badness(stream, by)


@given(
    stream=STREAMS,
    unobserved=st.lists(st.integers(-20, 120), max_size=20),
    limit=LIMITS,
    period=PERIODS,
    samples=SAMPLES,
)
def test_what_was_not_observed_changes_nothing(
    stream: list[Seen], unobserved: list[int], limit: int, period: int, samples: int
) -> None:
    by = rule(limit / 100, period / 1e6, samples)
    assert judged([*stream, *((at, "?") for at in unobserved)], by) == judged(stream, by)


@given(unobserved=st.lists(st.integers(0, 120), max_size=20), samples=SAMPLES)
def test_no_evidence_never_clears(unobserved: list[int], samples: int) -> None:
    decided = judged([(at, "?") for at in unobserved], rule(samples=samples))
    assert decided.state is TriggerState.UNOBSERVED
    assert decided.why == "nothing was observed that it could be judged by"


@given(stream=STREAMS, limit=LIMITS, period=PERIODS, samples=SAMPLES, order=st.randoms())
def test_the_order_of_readings_does_not_matter(
    stream: list[Seen], limit: int, period: int, samples: int, order: Random
) -> None:
    by = rule(limit / 100, period / 1e6, samples)
    assert judged(order.sample(stream, k=len(stream)), by) == judged(stream, by)


@given(
    signs=st.text("---+", min_size=13, max_size=30),
    later=STREAMS,
    limit=LIMITS,
    samples=SAMPLES,
)
def test_what_fired_at_a_look_of_the_grid_has_fired_for_good(
    signs: str, later: list[Seen], limit: int, samples: int
) -> None:
    by = rule(limit / 100, 12 / 1e6, samples)  # each microsecond is on the grid
    stream = list(enumerate(signs))
    assume(judged(stream, by).state is TriggerState.FIRED)
    last = stream[-1][0]
    assert judged([*stream, *((last + 1 + at, sign) for at, sign in later)], by) == judged(
        stream, by
    )


@given(starts_s=st.integers(0, 280), rate=st.sampled_from([1, 2, 10]))
def test_a_burst_of_ten_seconds_is_not_for_two_minutes(starts_s: int, rate: int) -> None:
    burst = every(1 / rate, 300, lambda at: starts_s <= at < starts_s + 10)
    assert judged(burst, rule()).state is not TriggerState.FIRED


@given(starts_s=st.integers(0, 300), lasts_s=st.integers(1, 60))
def test_what_lasts_at_most_half_of_the_period_is_not_throughout_it(
    starts_s: int, lasts_s: int
) -> None:
    half = every(1, 300, lambda at: starts_s <= at < starts_s + lasts_s)
    assert judged(half, rule()).state is not TriggerState.FIRED


@pytest.mark.parametrize("samples", [1, 30])
def test_one_bad_of_four_is_not_surely_over_five_percent(samples: int) -> None:
    stream = every(30, 120, lambda at: at == 60)
    decided = judged(stream, rule(samples=samples))
    assert decided.state is TriggerState.SUSPECTED


def test_twelve_percent_throughout_two_minutes_fire_with_their_numbers() -> None:
    decided = judged(every(1, 130, lambda at: at % 8 == 5), rule())
    assert decided.state is TriggerState.FIRED
    assert decided.why == (
        "15 of 120 (12.5 %) from 03:00:00 to 03:02:00 UTC against a limit of 5 %, "
        "by quarters of the period 13.33 %, 10 %, 13.33 %, 13.33 %"
    )


@pytest.mark.parametrize(
    ("stream", "lacks"),
    [
        (every(1, 40, lambda _: True), "not watched for its whole period of 2 minutes"),
        (every(1, 150, lambda at: at > 100), "not in each quarter"),
        (
            [one for one in every(1, 150, lambda _: True) if not 50e6 < one[0] < 90e6],
            "nothing was observed from 03:00:50 to 03:01:30",
        ),
    ],
)
def test_a_suspicion_says_what_lacks(stream: list[Seen], lacks: str) -> None:
    decided = judged(stream, rule())
    assert decided.state is TriggerState.SUSPECTED
    assert decided.why.endswith(f"; {lacks}")


def test_fewer_readings_than_it_takes_are_told_as_such() -> None:
    decided = judged(every(10, 280, lambda _: True), rule(samples=30))
    assert decided.state is TriggerState.SUSPECTED
    assert decided.why.startswith("12 of 12 (100 %) from 03:02:40 to 03:04:40 UTC")
    assert decided.why.endswith("; fewer than the 30 that it takes")


def test_a_share_that_is_above_the_limit_by_chance_only_is_suspected() -> None:
    decided = judged(every(1, 280, lambda at: at % 16 == 5), rule())
    assert decided.state is TriggerState.SUSPECTED
    assert decided.why.endswith("; too few to be sure at 95 % confidence")


def test_a_higher_confidence_takes_more() -> None:
    stream = every(1, 120, lambda at: at % 10 == 5)  # 12 of 120: 1.9 % at a true share of 5 %
    assert judged(stream, rule(confidence=0.95)).state is TriggerState.FIRED
    assert judged(stream, rule(confidence=0.99)).state is TriggerState.SUSPECTED


def test_a_gap_longer_than_a_quarter_begins_the_watch_anew() -> None:
    until, again = 60, 91
    stream = [
        one for one in every(1, 270, lambda at: at % 4 == 1) if not until < one[0] / 1e6 < again
    ]
    found = stream_of([(START + timedelta(microseconds=at), SIGNS[sign]) for at, sign in stream])
    assert found
    window = firing_window(found, rule())
    assert window
    # The first look of the grid, every 7.5 seconds, that is two minutes after 03:01:31.
    assert f"{window.start:%H:%M:%S} {window.end:%H:%M:%S}" == "03:01:37 03:03:37"


def test_a_hundred_thousand_readings_are_no_trouble() -> None:
    # One in twenty exactly, in each window: never above the limit, so that every look is looked at.
    stream = every(0.01, 1_000, lambda at: round(at * 100) % 20 == 0)
    assert judged(stream, rule()).state is TriggerState.CLEAR
    sparse = every(30, 3_000_000, lambda at: round(at / 30) % 2 == 0)
    assert judged(sparse, rule(limit=0.5)).state is TriggerState.CLEAR
    assert judged([*stream, *((at + 10**9, "-") for at, _ in stream[:20_000])], rule()).state is (
        TriggerState.FIRED
    )
