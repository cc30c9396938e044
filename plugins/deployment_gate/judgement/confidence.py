"""The one binomial confidence bound that serves error rates, percentiles and targets alike."""

from __future__ import annotations

from math import exp, lgamma, log, log1p

_ROUNDING = 1e-9
"""More than what is lost by adding up logarithms; on the boundary nothing is sure."""

_ROUNDING_OF_EACH = 1e-14
"""What the logarithms of large factorials lose on top, for each one of the total."""


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
    few_enough = alpha * (1 - _ROUNDING - _ROUNDING_OF_EACH * total)
    return upper_tail(bad, total, limit, enough=few_enough) < few_enough


def is_surely_below(bad: int, total: int, limit: float, *, alpha: float = 0.05) -> bool:
    """Whether the true share of bad ones is below `limit`, at confidence 1 - `alpha`.

    The other side of the same bound: so few bad ones would be an event of probability below
    `alpha` at a true share of `limit`.

    >>> is_surely_below(0, 59, 0.05), is_surely_below(0, 58, 0.05)
    (True, False)
    """
    if total == 0 or limit <= 0 or bad / total >= limit:
        return False
    return upper_tail(total - bad, total, 1 - limit) < alpha


def upper_tail(bad: int, total: int, share: float, *, enough: float = 1.0) -> float:
    """The probability of `bad` or more bad ones of `total`, each bad with a probability of `share`.

    Args:
        bad: How many, more than `share` of all.
        total: How many there are.
        share: Above 0 and below 1.
        enough: From this probability on, what is summed up so far is enough.

    >>> round(upper_tail(3, 12, 0.05), 4)
    0.0196
    """
    # By logarithms, since the binomial coefficients of a thousand exceed every float.
    exactly = exp(
        lgamma(total + 1)
        - lgamma(bad + 1)
        - lgamma(total - bad + 1)
        + bad * log(share)
        + (total - bad) * log1p(-share)
    )
    odds = share / (1 - share)
    at_least, k = exactly, bad
    while at_least < enough:
        # Above the expected number each probability is a smaller part of the one before it, so
        # that all that follow are less than a geometric series: most often that decides at once.
        part = (total - k) / (k + 1) * odds
        rest = exactly * part / (1 - part)
        if at_least + rest < enough and (enough < 1 or rest <= _ROUNDING * at_least):
            return at_least + rest
        exactly *= part
        at_least += exactly
        k += 1
    return at_least
