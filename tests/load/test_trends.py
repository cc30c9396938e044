"""Trends between two runs, held against brute force and simulation."""

from __future__ import annotations

from itertools import product
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployment_gate.load.targets import State
from deployment_gate.load.trends import FEWEST, Direction, Trend, compare, compare_endpoints, tell

RUNS = 400


def latencies(
    generator: np.random.Generator, *, size: int = 400, factor: float = 1.0, spread: float = 0.5
) -> list[float]:
    """Lognormal around 12 ms, and one in fifty slow by a garbage collection or so."""
    usual = 0.012 * np.exp(generator.normal(0, spread, size))
    hiccups = np.where(generator.random(size) < 0.02, generator.exponential(0.1, size), 0)
    return [float(latency) for latency in factor * (usual + hiccups)]


def told(*, factor: float, spread: float, rounded: int = 9) -> list[Trend]:
    """The trends of many pairs of runs, of which the second is `factor` as slow."""
    generator = np.random.default_rng(7)
    trends = (
        compare(
            [round(latency, rounded) for latency in latencies(generator, spread=spread)],
            [
                round(latency, rounded)
                for latency in latencies(generator, spread=spread, factor=factor)
            ],
        )
        for _ in range(RUNS)
    )
    return [trend for trend in trends if trend]


@pytest.mark.parametrize("spread", [0.3, 0.5, 0.8])
def test_runs_that_are_alike_raise_hardly_a_false_alarm(spread: float) -> None:
    assert len(told(factor=1, spread=spread)) <= 0.01 * RUNS


@pytest.mark.parametrize("spread", [0.1, 0.3, 0.5])
def test_a_fifth_slower_is_told_by_400_samples_each(spread: float) -> None:
    trends = told(factor=1.2, spread=spread)
    assert len(trends) >= 0.95 * RUNS
    assert all(trend.direction is Direction.SLOWER for trend in trends)


def test_latencies_in_whole_milliseconds_with_many_ties_are_told_as_well() -> None:
    assert len(told(factor=1.2, spread=0.3, rounded=3)) >= 0.95 * RUNS
    assert len(told(factor=1, spread=0.3, rounded=3)) <= 0.01 * RUNS


def test_a_fifth_faster_is_told_as_faster() -> None:
    trends = told(factor=1 / 1.2, spread=0.3)
    assert len(trends) >= 0.95 * RUNS
    assert all(trend.direction is Direction.FASTER for trend in trends)


def test_a_difference_too_small_to_matter_is_not_told_by_any_number_of_samples() -> None:
    generator = np.random.default_rng(7)
    before = latencies(generator, size=100_000, spread=0.3)
    now = latencies(generator, size=100_000, spread=0.3, factor=1.02)
    assert compare(before, now) is None


def test_the_same_constant_on_both_sides_is_no_difference() -> None:
    assert compare([0.012] * 400, [0.012] * 400) is None


def test_two_constants_are_told_apart() -> None:
    trend = compare([0.012] * 400, [0.015] * 400)
    assert trend is not None
    assert (trend.direction, trend.effect, round(trend.shift, 3)) == (Direction.SLOWER, 1, 0.25)


SECONDS = st.integers(1, 20).map(lambda hundredths: hundredths / 100)


@given(st.lists(SECONDS, min_size=FEWEST, max_size=60), st.lists(SECONDS, min_size=FEWEST))
@settings(max_examples=60)
def test_effect_and_medians_agree_with_counting_all_pairs(
    before: list[float], now: list[float]
) -> None:
    trend = compare(before, now)
    pairs = [1.0 if new > old else 0.5 if new == old else 0.0 for old, new in product(before, now)]
    effect = sum(pairs) / len(pairs)
    if trend is None:
        return
    assert trend.effect == pytest.approx(effect)
    assert (trend.before_s, trend.now_s) == (median(before), median(now))
    assert (trend.direction is Direction.SLOWER) is (effect > 0.5)


@given(st.lists(SECONDS, min_size=FEWEST, max_size=60), st.lists(SECONDS, min_size=FEWEST))
@settings(max_examples=60)
def test_what_got_slower_had_been_faster(before: list[float], now: list[float]) -> None:
    there, back = compare(before, now), compare(now, before)
    if there and back:
        assert {there.direction, back.direction} == {Direction.SLOWER, Direction.FASTER}
        assert there.effect + back.effect == pytest.approx(1)


def test_the_sentence_carries_the_numbers_and_the_target() -> None:
    trend = compare([0.0121] * 60 + [0.011] * 40, [0.0145] * 100)
    assert trend is not None
    assert tell("search", trend, state=State.MET) == (
        "search: 20 % slower than before (median 12.1 ms -> 14.5 ms; in 100 % of pairs the one of "
        "now is the slower; p < 0.001; 100 and 100 samples), though within its target"
    )
    assert not tell("search", trend, state=State.MISSED).endswith("target")


def test_too_few_samples_are_told_rather_than_taken_for_alike() -> None:
    trend = compare([0.01] * 400, [0.02] * (FEWEST - 1))
    assert trend is not None
    assert trend.direction is Direction.UNTOLD
    assert trend.sentence == (
        "too few samples to compare with before: 400 before and 49 now, of at least 50 each"
    )
    assert compare([], []) is not None


def test_many_endpoints_together_raise_no_more_false_alarms_than_one() -> None:
    generator = np.random.default_rng(7)
    alarms = 0
    for _ in range(50):
        before, now = (
            {f"endpoint {i}": latencies(generator, size=200, spread=0.3) for i in range(20)}
            for _ in range(2)
        )
        alarms += bool(compare_endpoints(before, now))
    assert alarms <= 2


def test_only_endpoints_of_both_runs_are_compared() -> None:
    trends = compare_endpoints(
        {"old": [0.01] * 100, "both": [0.01] * 100, "alike": [0.01] * 100},
        {"new": [0.02] * 100, "both": [0.02] * 100, "alike": [0.01] * 100},
    )
    assert list(trends) == ["both"]
