"""One load: what is measured beside it, and what ends it early."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from deployment_gate.environment import TargetPhrase
from deployment_gate.environment.phrases import parse_target
from deployment_gate.load.course import Bounds, LoadTaken, put_load, why_stop
from deployment_gate.load.latency import Ask
from deployment_gate.load.resources import Seen
from deployment_gate.load.seconds import LoadSecond
from deployment_gate.probes.apart import run_apart
from tests.load.conftest import MakeGenerator, Target
from tests.load.loads import answers, plan, sample, second

HALF = Bounds(stop_above=0.5)


def of_errors(number: int, wrong: int, right: int = 10) -> LoadSecond:
    return second(number, 100, endpoints={"search": answers(right, wrong)})


def test_a_load_ends_once_too_many_of_the_last_answers_are_wrong() -> None:
    seconds = [of_errors(number, 0) for number in range(10)]
    assert not why_stop(plan(100), seconds, [], HALF)

    seconds += [of_errors(number, 90) for number in range(10, 12)]
    assert why_stop(plan(100), seconds, [], HALF) == (
        "stopped after 12 s: 180 of 230 answers were wrong in the last 5 s, above 50 %"
    )


def test_a_few_errors_at_the_beginning_end_nothing() -> None:
    assert not why_stop(plan(100), [of_errors(0, wrong=19, right=0)], [], HALF)
    assert why_stop(plan(100), [of_errors(0, wrong=20, right=0)], [], HALF)


def test_refusals_are_no_errors() -> None:
    seconds = [second(0, 100, endpoints={"search": answers(10, 0, throttled=90)})]
    assert not why_stop(plan(100), seconds, [], HALF)


def test_a_rising_load_ends_with_the_level_that_broke_a_target(latency: TargetPhrase) -> None:
    rising = plan(100, 200, 300, each_s=20)
    seconds = [second(number, 200 if number >= 20 else 100) for number in range(40)]
    samples = [sample(number / 20, 1.0 if number >= 400 else 0.01) for number in range(800)]
    bounds = Bounds(stop_above=0.5, breaks_by=(latency,))

    assert not why_stop(rising, seconds[:20], samples, bounds)
    assert not why_stop(rising, seconds[:39], samples, bounds)
    assert why_stop(rising, seconds, samples, bounds).startswith(
        "broke at 200 requests/s with 50 users, search first: "
    )


@pytest.fixture
def latency() -> TargetPhrase:
    return parse_target("< 200ms for 95% of requests")


def put(generator: Any, url: str, told: list[int]) -> LoadTaken:
    async def carry_out() -> LoadTaken:
        return await put_load(
            plan(100, each_s=3),
            generator,
            [Ask(endpoint="it", url=url, timeout_s=2)],
            sample_rate=50,
            user_agent="tests",
            bounds=HALF,
            look_at_machines=Seen,
            tell=lambda second, _samples: told.append(second.second),
        )

    return run_apart(carry_out())


def test_samples_are_taken_beside_a_real_load(
    make_generator: MakeGenerator, target: Target
) -> None:
    told: list[int] = []
    taken = put(make_generator("/right"), f"{target.url}/right", told)

    assert not taken.stopped
    assert told[:3] == [0, 1, 2]
    assert sum(one.right for one in taken.samples) > 50
    assert sum(second.sent for second in taken.seconds) > 200


def test_a_load_of_errors_is_ended_and_leaves_no_process(
    make_generator: MakeGenerator, target: Target
) -> None:
    generator = make_generator("/wrong")
    taken = put(generator, f"{target.url}/right", [])

    assert "answers were wrong" in taken.stopped
    assert generator.pids == ()


class Dying:
    """A generator that dies in its second second."""

    async def seconds(self) -> AsyncGenerator[LoadSecond, None]:
        """One, and then no more."""
        yield second(0, 100)
        raise ConnectionError("it died")


def test_a_generator_that_dies_ends_the_samples_too(target: Target) -> None:
    with pytest.raises(ConnectionError, match="it died"):
        put(Dying(), f"{target.url}/right", [])
