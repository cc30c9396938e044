"""The one binomial confidence bound that serves error rates, percentiles and targets alike."""

from __future__ import annotations

from math import exp, fsum, lgamma, log, log1p

_ROUNDING = 1e-9
"""More than what is lost by adding up logarithms; on the boundary nothing is sure."""


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
    if limit <= 0:
        return True
    # By logarithms, since the binomial coefficients of a thousand exceed every float.
    at_least = fsum(
        exp(
            lgamma(total + 1)
            - lgamma(k + 1)
            - lgamma(total - k + 1)
            + k * log(limit)
            + (total - k) * log1p(-limit)
        )
        for k in range(bad, total + 1)
    )
    return at_least < alpha * (1 - _ROUNDING)
