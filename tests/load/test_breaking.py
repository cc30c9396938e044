"""Where a rising load breaks a target first, with loads whose breaking point is known."""

from __future__ import annotations

import numpy as np
import pytest

from deployment_gate.environment.phrases import parse_target
from deployment_gate.load.breaking import Breaking, breaking_point
from deployment_gate.load.latency import Sample
from deployment_gate.load.seconds import LoadSecond
from tests.load.loads import answers, plan, sample, second

TARGETS = [parse_target("< 200ms for 95% of requests"), parse_target("< 1% target")]
RISING = plan(100, 200, 300, 400)
ENDPOINTS = ("list", "open", "search")


def seconds() -> list[LoadSecond]:
    """All four levels carried, every answer right."""
    return [
        second(i, rate, users=rate // 2, endpoints={n: answers(rate // 3) for n in ENDPOINTS})
        for i in range(120)
        for rate in [100 * (1 + i // 30)]
    ]


def samples(
    breaks: dict[str, float], *, seed: int = 1, rate: int = 20, slow: float = 0.4
) -> list[Sample]:
    """Samples of three endpoints; each becomes slow at a moment of its own, where one is given."""
    generator = np.random.default_rng(seed)
    found = []
    for number in range(120 * rate):
        at_s, endpoint = number / rate, ENDPOINTS[number % 3]
        is_late = at_s >= breaks.get(endpoint, 1e9) and generator.random() < slow
        latency = 0.5 if is_late else 0.02 * np.exp(generator.normal(0, 0.3))
        found.append(sample(at_s, float(latency), endpoint=endpoint))
    return found


def broken(breaks: dict[str, float], *, seed: int = 1) -> Breaking:
    return breaking_point(RISING, seconds(), samples(breaks, seed=seed), TARGETS)


def test_it_says_at_which_rate_with_how_many_users_and_of_which_endpoint() -> None:
    found = broken({"search": 60, "open": 70})
    assert (found.is_broken, found.rate, found.users, found.endpoint) == (True, 300, 150, "search")
    assert found.sentence.startswith("broke at 300 requests/s with 150 users, search first: search")
    assert found.sentence.endswith("; all targets were met up to 200 requests/s with 100 users")


def test_the_endpoint_that_broke_earlier_is_the_first_also_within_a_level() -> None:
    assert broken({"search": 75, "open": 62}).endpoint == "open"


@pytest.mark.parametrize("seed", range(20))
def test_it_comes_out_the_same_in_every_run(seed: int) -> None:
    found = broken({"open": 90, "list": 105}, seed=seed)
    assert (found.rate, found.endpoint) == (400, "open")
    assert not broken({}, seed=seed).is_broken


def test_where_nothing_breaks_it_says_up_to_where() -> None:
    found = broken({})
    assert (found.is_broken, found.rate, found.users) == (False, 400, 200)
    assert found.sentence == "no target broke up to 400 requests/s with 200 users"


def test_errors_break_a_level_too() -> None:
    loads = seconds()
    for i in range(40, 120):
        loads[i] = second(i, 200, endpoints={"list": answers(100), "open": answers(90, 10)})
    found = breaking_point(plan(100, 200, 200, 200), loads, samples({}), TARGETS)
    assert (found.rate, found.endpoint) == (200, "open")
    assert "answers were wrong" in found.sentence


def test_a_platform_that_throttles_breaks_there_and_is_said_to_throttle() -> None:
    loads = seconds()
    for i in range(90, 120):
        refused = {"list": answers(200), "search": answers(100, 0, 100)}
        loads[i] = second(i, 400, endpoints=refused)
    found = breaking_point(RISING, loads, samples({}), TARGETS)
    assert (found.rate, found.endpoint) == (400, "search")
    assert "the platform throttles: 3000 of 12000 answers were 429" in found.sentence


def test_what_the_generator_could_not_carry_is_not_judged() -> None:
    loads = seconds()
    loads[90:] = [second(i, 400, sent=250, cpu=(0.99,)) for i in range(90, 120)]
    found = breaking_point(RISING, loads, samples({"search": 90}), TARGETS)
    assert (found.is_broken, found.rate) == (False, 300)
    assert found.sentence == (
        "no target broke up to 300 requests/s with 150 users; beyond, "
        "the load generator reached 250 of 400 requests/s at 99 % CPU; add workers"
    )


def test_a_level_with_too_few_samples_is_not_said_to_have_held() -> None:
    few = [one for one in samples({}) if (one.at - seconds()[0].at).total_seconds() < 61]
    found = breaking_point(RISING, seconds(), few, TARGETS)
    assert (found.is_broken, found.rate) == (False, 200)
    assert "up to 200 requests/s with 100 users; at 300 requests/s with 150 users, " in (
        found.sentence
    )
    assert "too few samples" in found.sentence


def test_without_any_seconds_nothing_is_said_to_have_held() -> None:
    found = breaking_point(RISING, [], [], TARGETS)
    assert (found.is_broken, found.rate) == (False, None)
    assert found.sentence == "no level of load could be judged"
