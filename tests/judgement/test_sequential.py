"""A test that may be looked at after every reading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import exp
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.judgement.confidence import upper_tail
from deployment_gate.judgement.sequential import first_sure, log_evidence

LIMITS = st.sampled_from([0.01, 0.05, 0.5])


def looks(are_bad: Iterable[bool]) -> Iterator[tuple[int, int]]:
    """One look after each reading."""
    bad = 0
    for total, is_bad in enumerate(are_bad, start=1):
        bad += is_bad
        yield bad, total


def by_integration(bad: int, total: int, limit: float, steps: int = 4000) -> float:
    """The mean likelihood of all shares above the limit, against that of the limit."""
    width = (1 - limit) / steps
    shares = (limit + (step + 0.5) * width for step in range(steps))
    mean = sum(share**bad * (1 - share) ** (total - bad) for share in shares) / steps
    return mean / (limit**bad * (1 - limit) ** (total - bad))


@given(total=st.integers(1, 60), extra=st.integers(1, 60), limit=LIMITS)
def test_the_evidence_is_the_mean_likelihood_of_all_shares_above_the_limit(
    total: int, extra: int, limit: float
) -> None:
    bad = min(total, int(total * limit) + extra)
    expected = by_integration(bad, total, limit)
    assert exp(log_evidence(bad, total, limit)) == pytest.approx(expected, rel=1e-3)


@given(total=st.integers(1, 40), extra=st.integers(1, 40), limit=LIMITS)
def test_the_tail_of_what_one_expects_is_what_is_counted(
    total: int, extra: int, limit: float
) -> None:
    bad = min(total, int(total * limit) + extra)
    exactly = by_counting(bad, total, limit)
    assert upper_tail(bad, total, limit) == pytest.approx(exactly, rel=1e-6)


def by_counting(bad: int, total: int, share: float) -> float:
    """The probability of at least so many, reading by reading."""
    chances = [1.0] + [0.0] * total
    for _ in range(total):
        for count in range(total, 0, -1):
            chances[count] = chances[count] * (1 - share) + chances[count - 1] * share
        chances[0] *= 1 - share
    return sum(chances[bad:])


@pytest.mark.parametrize(("limit", "alpha"), [(0.05, 0.05), (0.05, 0.5), (0.5, 0.2)])
def test_it_is_wrong_as_rarely_as_it_says_however_often_one_looks(
    limit: float, alpha: float
) -> None:
    random = Random(1)  # noqa: S311  # the same draws each time
    runs, readings = 400, 1000
    wrong = sum(
        first_sure(
            looks(random.random() < limit for _ in range(readings)),
            limit,
            alpha=alpha,
            samples=1,
        )
        is not None
        for _ in range(runs)
    )
    assert 0 < wrong <= alpha * runs


def test_a_total_outage_is_sure_as_soon_as_there_are_enough_readings() -> None:
    outage = [True] * 100
    assert first_sure(looks(outage), 0.05, alpha=0.05, samples=30) == 30
    assert first_sure(looks(outage), 0.05, alpha=0.05, samples=1) == 2


def test_the_reading_that_was_missing_may_be_a_good_one() -> None:
    assert first_sure(looks([True] * 29 + [False]), 0.05, alpha=0.05, samples=30) == 30


def test_what_stays_at_its_limit_is_never_sure() -> None:
    assert first_sure(looks(([True] + [False] * 19) * 50), 0.05, alpha=0.05, samples=1) is None


def test_even_the_smallest_chances_come_to_an_end() -> None:
    assert first_sure(looks([True] * 20_000), 0.05, alpha=1e-300, samples=20_000) == 20_000


def test_where_nothing_may_be_bad_one_is_enough() -> None:
    assert first_sure(looks([False, True]), 0.0, alpha=0.05, samples=1) == 2
