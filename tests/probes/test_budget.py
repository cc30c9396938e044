"""How much the checks of security may send: counted, spaced, and to nobody else."""

from __future__ import annotations

import pytest

from deployment_gate.probes.budget import Budget, BudgetSpentError


class Clock:
    """A clock that goes on by what is slept, and by what a test says."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        """Tell the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    """A clock of the test's own."""
    return Clock()


def budget(clock: Clock, *, most: int = 5, rate: float = 10) -> Budget:
    """A budget for one host."""
    hosts = frozenset({"127.0.0.1"})
    return Budget(most=most, rate=rate, hosts=hosts, clock=clock, sleep=clock.sleep)


def test_the_first_is_sent_at_once_and_the_others_keep_to_the_rate(clock: Clock) -> None:
    spending = budget(clock)
    for _ in range(4):
        spending.spend("127.0.0.1")
    assert clock.slept == pytest.approx([0.1, 0.1, 0.1])
    assert clock.now == pytest.approx(100.3)


def test_whoever_was_slower_than_the_rate_does_not_wait_and_saves_nothing_up(clock: Clock) -> None:
    spending = budget(clock)
    spending.spend("127.0.0.1")
    clock.now += 60
    spending.spend("127.0.0.1")
    assert clock.slept == []
    spending.spend("127.0.0.1")
    assert clock.slept == pytest.approx([0.1])


def test_the_ceiling_is_an_error_that_says_what_to_do(clock: Clock) -> None:
    spending = budget(clock, most=2)
    spending.spend("127.0.0.1")
    spending.spend("127.0.0.1")
    for _ in range(2):
        with pytest.raises(BudgetSpentError, match=r"have sent 2 requests.*Raise `security: {most"):
            spending.spend("127.0.0.1")
    assert spending.spent == 2


@pytest.mark.parametrize("host", ["localhost", "evil.invalid", "", "127.0.0.1.evil.invalid"])
def test_another_host_is_refused_and_costs_nothing(clock: Clock, host: str) -> None:
    spending = budget(clock)
    with pytest.raises(BudgetSpentError, match="no host of this environment"):
        spending.spend(host)
    assert (spending.spent, clock.slept) == (0, [])
