"""Whose fault it is that a rate isn't carried: the load generator's, or that of what it asks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.load.capacity import after_warm_up, bottleneck, bottlenecks, levels_of
from tests.load.loads import plan, second


def load(sent: int, *, rate: int = 1000, seconds: int = 30, **other: Any) -> str | None:
    """What is said of a load that sends so much in each second."""
    return bottleneck(
        [second(i, rate, sent=sent, **other) for i in range(seconds)], plan(rate, each_s=seconds)
    )


def test_a_busy_generator_that_falls_short_is_named_with_its_numbers() -> None:
    assert load(840, cpu=(0.97, 0.4)) == (
        "the load generator reached 840 of 1000 requests/s at 97 % CPU; add workers"
    )


def test_a_generator_that_wakes_late_is_named() -> None:
    assert load(840, lag_s=0.25) == (
        "the load generator reached 840 of 1000 requests/s at 20 % CPU, 250 ms late by itself; "
        "add workers"
    )


def test_a_rate_that_is_carried_is_no_bottleneck_however_busy() -> None:
    assert load(1000, cpu=(0.99,)) is None
    assert load(985, cpu=(0.99,)) is None


def test_requests_that_wait_for_the_target_are_the_targets_shortfall() -> None:
    assert load(500, held_back=500, in_flight=1000) is None


def test_held_back_requests_excuse_no_generator_that_is_at_its_end() -> None:
    assert load(500, held_back=500, cpu=(0.98,)) is not None
    assert load(500, held_back=500, lag_s=0.5) is not None


def test_a_shortfall_that_nothing_explains_is_the_generators() -> None:
    assert load(500, held_back=3) == (
        "the load generator reached 500 of 1000 requests/s at 20 % CPU; add workers"
    )


def test_a_schedule_that_itself_fell_behind_is_found_by_the_plan() -> None:
    assert load(700, due=700) is not None


def test_a_worker_that_died_is_told() -> None:
    seconds = [second(i, 1000) for i in range(20)]
    seconds += [second(i, 500, workers=1) for i in range(20, 30)]
    assert bottleneck(seconds, plan(1000)) == (
        "the load generator reached 833 of 1000 requests/s at 20 % CPU "
        "after 1 of 2 workers had gone; add workers"
    )


def test_its_own_delay_on_a_loopback_server_is_a_bottleneck() -> None:
    seconds = [second(i, 1000) for i in range(30)]
    assert bottleneck(seconds, plan(1000), own_delay_s=0.004) is None
    assert bottleneck(seconds, plan(1000), own_delay_s=0.13) == (
        "the load generator takes 130 ms by itself for an answer that comes at once; add workers"
    )


def test_each_level_is_looked_at_by_itself() -> None:
    seconds = [second(i, 100) for i in range(30)]
    seconds += [second(i, 2000, sent=1300, cpu=(1.0,)) for i in range(30, 60)]
    assert bottlenecks(seconds, plan(100, 2000)) == (
        None,
        "the load generator reached 1300 of 2000 requests/s at 100 % CPU; add workers",
    )
    assert bottlenecks(seconds[:31], plan(100, 2000)) == (None, None)


@pytest.mark.parametrize("seed", range(20))
def test_jitter_of_single_seconds_is_no_shortfall(seed: int) -> None:
    late = np.random.default_rng(seed).integers(0, 80, 31)
    sent = [int(count) for count in 1000 + late[:-1] - late[1:]]
    seconds = [second(i, 1000, sent=count, cpu=(0.95,)) for i, count in enumerate(sent)]
    assert bottleneck(seconds, plan(1000)) is None


def test_one_request_of_few_that_falls_on_the_other_side_of_an_edge_is_no_shortfall() -> None:
    seconds = [second(i, 5, sent=sent) for i, sent in enumerate((4, 5, 4))]
    assert bottleneck(seconds, plan(5)) is None
    assert bottleneck([second(i, 5, sent=2) for i in range(3)], plan(5)) is not None


def test_no_seconds_say_nothing() -> None:
    assert bottleneck([], plan(1000)) is None


def test_the_warm_up_begins_with_the_first_user_and_is_left_out() -> None:
    seconds = [second(i, 100, users=0 if i < 2 else 50) for i in range(35)]
    kept = after_warm_up(seconds, plan(100, warm_up_s=5))
    assert [one.second for one in kept] == list(range(7, 30))
    assert after_warm_up([second(0, 100, users=0)], plan(100)) == []


@given(st.lists(st.floats(1, 9), min_size=1, max_size=5), st.integers(1, 9))
def test_every_second_belongs_to_at_most_one_level(rates: list[float], each_s: int) -> None:
    load = plan(*rates, each_s=each_s + 0.5)
    seconds = [second(i, 1) for i in range(60)]
    found = [one.second for level in levels_of(seconds, load) for one in level.seconds]
    assert len(found) == len(set(found))
    assert all(
        load.level_at(one.second) == load.level_at(one.second + 0.999) == level.stage
        for level in levels_of(seconds, load)
        for one in level.seconds
    )
