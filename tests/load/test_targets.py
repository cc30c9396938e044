"""Targets under load, held against exact bounds, hand-worked numbers and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.environment import TargetPhrase
from deployment_gate.environment.phrases import parse_target
from deployment_gate.judgement.confidence import is_surely_above, is_surely_below
from deployment_gate.load.latency import Sample
from deployment_gate.load.targets import (
    ALL,
    Counts,
    State,
    counts_of_samples,
    counts_of_seconds,
    judge_error_rate,
    judge_latency,
    judge_share,
    judge_throughput,
    judge_users,
    mean_interval,
    needed_samples,
    throttling,
)
from tests.load.loads import answers, sample, second

FAST = parse_target("< 200ms for 95% of requests")
FEW_ERRORS = parse_target("< 1% target")
MANY = parse_target("> 1000 requests/second")
CROWD = parse_target("> 100 concurrent users")


def samples(fast: int, slow: int, endpoint: str = "search") -> list[Sample]:
    return [sample(i, 0.05 if i < fast else 0.3, endpoint=endpoint) for i in range(fast + slow)]


@given(st.integers(0, 400), st.integers(0, 400), st.sampled_from([0.01, 0.05, 0.1, 0.5]))
def test_a_share_is_met_or_missed_only_where_that_is_sure(
    bad: int, good: int, allowed: float
) -> None:
    total = bad + good
    state = judge_share(bad, total, allowed).state
    assert (state is State.MET) is (total > 0 and is_surely_below(bad, total, allowed))
    assert (state is State.MISSED) is (total > 0 and is_surely_above(bad, total, allowed))


@given(st.integers(0, 30), st.integers(0, 400), st.sampled_from([0.01, 0.05, 0.1]))
def test_as_many_samples_as_are_needed_tell_if_the_share_seen_goes_on(
    bad: int, good: int, allowed: float
) -> None:
    judged = judge_share(bad, bad + good, allowed)
    if judged.needed is None:
        return
    assert judged.needed > bad + good
    seen = bad / (bad + good) if bad + good else 0
    assert judge_share(round(seen * judged.needed), judged.needed, allowed).state in {
        State.MET,
        State.MISSED,
    }


def test_needed_numbers_are_those_of_the_tables() -> None:
    assert needed_samples(0, 10, 0.05) == 59
    assert needed_samples(0, 0, 0.01) == 299
    assert judge_share(9, 312, 0.05).state is State.MET


def test_where_no_number_of_samples_would_tell_none_is_named() -> None:
    assert needed_samples(5, 100, 0.05) is None
    assert needed_samples(0, 300, 0.0) is None
    (result, _) = judge_latency(FAST, samples(95, 5))
    assert "too few samples: 100, and so near the limit no number of them would tell" in (
        result.sentence
    )


def test_latency_is_judged_of_all_endpoints_together_and_of_each() -> None:
    results = judge_latency(FAST, [*samples(600, 0), *samples(50, 50, "open")])
    assert {result.subject: result.state for result in results} == {
        ALL: State.MISSED,
        "open": State.MISSED,
        "search": State.MET,
    }
    assert results[2].sentence == (
        "search: 95 % of 600 requests took at most 50 ms, and 0 of them (0 %) missed 200 ms; "
        "the target is '< 200ms for 95% of requests'"
    )


def test_too_few_samples_say_how_many_are_needed() -> None:
    (result, _) = judge_latency(FAST, samples(300, 12))
    assert result.state is State.TOO_FEW
    # By the normal approximation 0.0115 * sqrt(n) = 1.645 * sqrt(0.05 * 0.95), so n = 966.
    assert "12 of them (3.85 %) missed 200 ms: too few samples: 312 of about 1000 needed" in (
        result.sentence
    )


def test_errors_and_refusals_are_no_fast_answers() -> None:
    seen = [sample(i, 0.001, error="status 500", status=500) for i in range(500)]
    seen += [sample(i, 0.001, throttled=True, status=429) for i in range(500)]
    seen += [sample(i, 0.001, unobserved="no way there") for i in range(500)]
    assert {result.state for result in judge_latency(FAST, seen)} == {State.TOO_FEW}
    assert "no right answer" in judge_latency(FAST, seen)[0].sentence


def test_errors_that_came_late_are_slow_answers() -> None:
    seen = [*samples(80, 0), *(sample(i, 5, error="no whole answer") for i in range(20))]
    assert judge_latency(FAST, seen)[0].state is State.MISSED


def test_no_samples_at_all_are_too_few() -> None:
    assert [result.state for result in judge_latency(FAST, [])] == [State.TOO_FEW]
    assert [result.state for result in judge_error_rate(FEW_ERRORS, {})] == [State.TOO_FEW]


def test_a_limit_itself_is_not_below_it() -> None:
    assert judge_latency(FAST, [sample(i, 0.2) for i in range(100)])[0].state is State.MISSED


def test_a_target_is_hardly_ever_missed_by_chance_where_it_is_just_met() -> None:
    generator = np.random.default_rng(5)
    runs = [judge_share(int(generator.binomial(600, 0.05)), 600, 0.05).state for _ in range(2000)]
    assert runs.count(State.MISSED) <= 0.05 * len(runs)
    assert runs.count(State.MET) <= 0.05 * len(runs)


@pytest.mark.parametrize(("true", "expected"), [(0.01, State.MET), (0.2, State.MISSED)])
def test_a_target_comes_out_the_same_in_every_run_where_it_is_clear(
    true: float, expected: State
) -> None:
    generator = np.random.default_rng(5)
    runs = {judge_share(int(generator.binomial(600, true)), 600, 0.05).state for _ in range(500)}
    assert runs == {expected}


def test_error_rates_are_judged_without_refusals() -> None:
    counts = {"search": Counts(right=9000, wrong=20, throttled=5000), "open": Counts(900, 100)}
    results = {result.subject: result for result in judge_error_rate(FEW_ERRORS, counts)}
    assert results["search"].state is State.MET
    assert results["open"].state is State.MISSED
    assert results["open"].sentence == (
        "open: 100 of 1000 answers were wrong (10 %), at most 1 % allowed; "
        "the target is '< 1% target'"
    )


def test_availability_is_the_share_of_right_answers() -> None:
    target = parse_target("99.9% target")
    assert judge_error_rate(target, {"a": Counts(10_000, 1)})[0].state is State.MET
    assert judge_error_rate(target, {"a": Counts(9_900, 100)})[0].state is State.MISSED


def test_answers_are_counted_alike_from_samples_and_from_seconds() -> None:
    seen = [sample(0), sample(1, error="status 500"), sample(2, throttled=True)]
    seen += [sample(3, unobserved="no way there")]
    loads = [second(0, 3, endpoints={"search": answers(1, 1)})]
    loads += [second(1, 1, endpoints={"search": answers(0, 0, 1)})]
    assert counts_of_samples(seen) == counts_of_seconds(loads) == {"search": Counts(1, 1, 1)}


def test_throttling_is_a_finding_of_its_own() -> None:
    counts = {"search": Counts(9000, 0, 800), "open": Counts(688, 0, 12)}
    assert throttling(counts) == "the platform throttles: 812 of 10500 answers were 429"
    assert throttling({"search": Counts(9000, 10, 0)}) is None


def throughput(target: TargetPhrase, right: list[int], due: int) -> State:
    seconds = [
        second(i, due, endpoints={"search": answers(count)}) for i, count in enumerate(right)
    ]
    return judge_throughput(target, seconds).state


@pytest.mark.parametrize("length", [10, 30, 270])
def test_a_schedule_a_bit_above_the_target_is_met_in_every_run(length: int) -> None:
    """1050 scheduled, 1049 reached: what one second lacks by its edge, the next has more."""
    for seed in range(200):
        generator = np.random.default_rng(seed)
        late = generator.integers(0, 60, length + 1)
        right = [int(count) for count in 1049 + late[:-1] - late[1:]]
        assert throughput(MANY, right, 1050) is State.MET


def test_a_pause_of_half_a_second_now_and_then_does_not_undo_it() -> None:
    for seed in range(200):
        generator = np.random.default_rng(seed)
        right = generator.poisson(1049, 270)
        paused = generator.choice(269, 5, replace=False)
        right[paused], right[paused + 1] = right[paused] - 500, right[paused + 1] + 500
        assert throughput(MANY, right.tolist(), 1050) is State.MET


def test_fewer_right_answers_than_the_target_are_a_miss() -> None:
    generator = np.random.default_rng(1)
    assert throughput(MANY, generator.poisson(900, 60).tolist(), 1050) is State.MISSED


def test_near_the_limit_there_are_too_few_seconds() -> None:
    seconds = [
        second(i, 1050, endpoints={"search": answers(1003 + (-40, 10, 40, -8)[i % 4])})
        for i in range(12)
    ]
    result = judge_throughput(MANY, seconds)
    assert result.state is State.TOO_FEW
    assert "too few s: 12 of about" in result.sentence


def test_what_was_not_asked_of_it_is_not_held_against_a_platform() -> None:
    result = judge_throughput(MANY, [second(i, 1000) for i in range(60)])
    assert result.state is State.TOO_FEW
    assert "no more than 1000 were asked of it; schedule a higher arrival rate" in result.sentence


def test_a_load_of_a_few_seconds_says_that_it_is_too_short() -> None:
    result = judge_throughput(MANY, [second(i, 1050) for i in range(6)])
    assert result.state is State.TOO_FEW
    assert "too few s of load: 6 of about 10 needed" in result.sentence


def test_the_bounds_of_an_average_hold_as_often_as_they_say() -> None:
    generator = np.random.default_rng(3)
    runs = 1000
    above = 0
    for _ in range(runs):
        interval = mean_interval(generator.poisson(1000, 60).tolist())
        assert interval is not None
        above += interval.low > 1000
    assert 0.03 * runs <= above <= 0.07 * runs


def test_users_count_while_they_are_served() -> None:
    served = [second(i, 1000, users=120) for i in range(30)]
    result = judge_users(CROWD, served, allowed_errors=0.01)
    assert result.state is State.MET
    assert result.sentence == (
        "all endpoints: 120 users or more at once for 30 s, 0 of 30000 answers wrong (0 %), "
        "at most 1 % allowed; the target is '> 100 concurrent users'"
    )
    failing = [second(i, 1000, users=120, endpoints={"a": answers(800, 200)}) for i in range(30)]
    assert judge_users(CROWD, failing, allowed_errors=0.01).state is State.MISSED


def test_no_more_users_than_the_limit_show_nothing() -> None:
    result = judge_users(CROWD, [second(i, 1000, users=100) for i in range(30)], allowed_errors=0.1)
    assert result.state is State.TOO_FEW
    assert "at most 100 users at once" in result.sentence
