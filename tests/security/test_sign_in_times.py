"""How long refusals take: what tells usernames apart, and what a busy machine does."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from deployment_gate.security import sign_in_times
from deployment_gate.security.rules import Looked
from deployment_gate.security.sign_in_times import look_at_times, told_by_time
from deployment_gate.security.wrong_sign_ins import MOST_WRONG, WrongSignIns
from tests.security.portal import Portal


def in_turn(known: list[float], unknown: list[float]) -> list[tuple[bool, float]]:
    """Known ones between unknown ones, and what is left of these at the end."""
    timed = [(False, unknown[0])]
    for seconds, other in zip(known, unknown[1:], strict=False):
        timed += [(True, seconds), (False, other)]
    return timed + [(False, seconds) for seconds in unknown[len(known) + 1 :]]


def test_slower_refusals_of_known_usernames_are_found(portal: Portal, wrong: WrongSignIns) -> None:
    portal.flaws.add("slow-if-known")

    (breach,) = look_at_times(wrong).breaches

    assert (breach.rule.id, breach.severity) == ("usernames-told-by-time", "low")
    assert "for known usernames (6 times)" in breach.detail
    assert portal.wrong["ann"] == portal.wrong["root-of-all"] == MOST_WRONG


def test_refusals_that_take_as_long_are_no_finding(wrong: WrongSignIns) -> None:
    assert look_at_times(wrong) == Looked()


def test_either_direction_tells() -> None:
    slow, quick = [0.2, 0.21, 0.2], [0.1, 0.11] * 10

    told = told_by_time(in_turn(slow, quick))
    assert told == (
        "a refusal takes 200 ms for known usernames (3 times) and 105 ms for others (20 times)"
    )
    told = told_by_time(in_turn([0.05, 0.04, 0.05], quick))
    assert told
    assert "105 ms for unknown usernames" in told


@pytest.mark.parametrize(
    ("known", "unknown"),
    [
        pytest.param([0.108] * 3, [0.1] * 20, id="a few milliseconds"),
        pytest.param([0.2, 0.2, 0.1], [0.1] * 20, id="not each time"),
        pytest.param([0.3] * 3, [0.1, 0.4] * 10, id="less than the spread"),
        pytest.param([0.3] * 3, [0.3] * 4 + [0.1] * 16, id="while the machine was busy"),
        pytest.param([0.3, 0.3], [0.1] * 5, id="too few"),
    ],
)
def test_what_may_be_chance_tells_nothing(known: list[float], unknown: list[float]) -> None:
    assert told_by_time(in_turn(known, unknown)) is None


def test_false_alarms_are_rare_on_a_busy_machine() -> None:
    chance = random.Random(7)  # noqa: S311  # a simulation
    alarms = 0
    for _ in range(2000):
        # Long tails, and seconds in which everything takes three times as long.
        busy = 1.0
        timed = []
        for number in range(23):
            if chance.random() < 0.2:
                busy = chance.choice((1.0, 1.0, 3.0))
            timed.append((number in {1, 3, 5}, 0.05 * busy * chance.lognormvariate(0, 0.4)))
        alarms += told_by_time(timed) is not None
    assert alarms <= 4  # of 2000


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(0.01, 1), min_size=3, max_size=6, unique=True),
    st.lists(st.floats(1.01, 2), min_size=10, max_size=20, unique=True),
    st.randoms(use_true_random=False),
)
def test_the_probability_is_that_of_another_library(
    few: list[float], many: list[float], shuffle: random.Random
) -> None:
    everything = [*few, *many]
    shuffle.shuffle(everything)
    slow, fast = everything[: len(few)], everything[len(few) :]

    own = sign_in_times._probability(slow, fast)  # noqa: SLF001  # the formula itself

    expected = mannwhitneyu(slow, fast, alternative="greater", method="exact").pvalue
    assert own == pytest.approx(expected)
