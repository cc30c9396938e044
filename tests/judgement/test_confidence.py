"""The confidence bound, held against exact arithmetic."""

from bisect import bisect_left
from fractions import Fraction
from math import comb

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deployment_gate.judgement.confidence import is_surely_above


def tail(bad: int, total: int, limit: Fraction) -> Fraction:
    """The exact probability of `bad` or more of `total` at a true share of `limit`."""
    return sum(
        (comb(total, k) * limit**k * (1 - limit) ** (total - k) for k in range(bad, total + 1)),
        Fraction(0),
    )


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 99), st.sampled_from([5, 1, 10]))
@example(59, 0, 5, 5)
@example(9, 3, 5, 5)
def test_it_agrees_with_exact_arithmetic(good: int, bad: int, percent: int, alpha: int) -> None:
    total, limit = good + bad, Fraction(percent, 100)
    exact = (
        bad > 0 and Fraction(bad, total) > limit and tail(bad, total, limit) < Fraction(alpha, 100)
    )
    assert is_surely_above(bad, total, percent / 100, alpha=alpha / 100) is exact


@pytest.mark.parametrize(
    ("bad", "total", "limit", "expected"),
    [
        # By hand: one of twelve is 8 %, yet at a true 5 % it happens in 46 % of all runs.
        (1, 12, 0.05, False),
        (2, 12, 0.05, False),  # 11.8 %
        (3, 12, 0.05, True),  # 2.0 %
        (0, 100, 0.05, False),
        (0, 0, 0.05, False),
        (59, 59, 0.05, True),
        (1, 1, 0.05, False),  # exactly 5 %, which is not below 5 %
        (1, 1, 0.049, True),
        (5, 100, 0.05, False),  # the limit itself is not above it
        (9, 100, 0.05, False),  # 6.3 %
        (10, 100, 0.05, True),  # 2.8 %
        (100, 100, 1.0, False),
        (1, 1000, 0.0, True),
    ],
)
def test_a_table_worked_out_by_hand(bad: int, total: int, limit: float, expected: bool) -> None:  # noqa: FBT001
    assert is_surely_above(bad, total, limit) is expected


@pytest.mark.parametrize(("total", "percent"), [(300, 5), (1_200, 5), (600, 50), (900, 1)])
def test_it_turns_where_exact_arithmetic_does_for_large_totals(total: int, percent: int) -> None:
    limit = Fraction(percent, 100)
    turns = bisect_left(
        range(total + 1), x=True, key=lambda bad: tail(bad, total, limit) < Fraction(5, 100)
    )
    assert [is_surely_above(turns + step, total, percent / 100) for step in (-1, 0, 1)] == [
        *(False, True, True)
    ]


@pytest.mark.parametrize("total", [1_000, 2_000, 20_000, 1_000_000])
def test_many_observations_are_no_trouble(total: int) -> None:
    assert is_surely_above(total * 3 // 4, total, 0.05)
    assert is_surely_above(total * 3 // 4, total, 0.5)
    assert not is_surely_above(total * 5 // 100, total, 0.05)
    assert is_surely_above(total, total, 0.99)


@given(st.integers(1, 300), st.integers(0, 300), st.floats(0.001, 0.999))
def test_one_more_bad_one_never_makes_it_less_sure(bad: int, good: int, limit: float) -> None:
    if is_surely_above(bad, bad + good, limit):
        assert is_surely_above(bad + 1, bad + good + 1, limit)


@given(st.integers(1, 300), st.integers(0, 300), st.floats(0.001, 0.999))
def test_one_more_good_one_never_makes_it_surer(bad: int, good: int, limit: float) -> None:
    if is_surely_above(bad, bad + good + 1, limit):
        assert is_surely_above(bad, bad + good, limit)
