"""The one binomial confidence bound that serves error rates, percentiles and targets alike."""

from __future__ import annotations

from math import comb, fsum


def is_surely_above(bad: int, total: int, limit: float, *, alpha: float = 0.05) -> bool:
    """Whether the true share of bad ones is above `limit`, at confidence 1 - `alpha`.

    The one-sided lower bound of Clopper and Pearson (Biometrika 26, 1934) lies above `limit`
    exactly when `bad` or more of `total` would be an event of probability below `alpha` at a
    true share of `limit`.

    Args:
        bad: How many were bad.
        total: How many there were.
        limit: The share, between 0 and 1, that must not be exceeded.
        alpha: The probability of a false alarm that is accepted.

    >>> is_surely_above(1, 12, 0.05)
    False
    >>> is_surely_above(3, 12, 0.05)
    True
    """
    if bad == 0 or bad / total <= limit:
        return False
    below = fsum(comb(total, k) * limit**k * (1 - limit) ** (total - k) for k in range(bad))
    return 1 - below < alpha
