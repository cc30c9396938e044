"""A test that may be looked at after every reading, and is still right as often as it says.

An ordinary test that is looked at again and again errs far more often than it says. This one is a
likelihood ratio of all shares above the limit, each as likely as another, against the limit itself.
While the true share is at or below the limit its expectation stays at 1 or below, so that it ever
reaches 1/alpha with a probability of alpha at most (Ville, 1939; as in Wald's sequential test with
a prior: Robbins, Ann. Math. Stat. 41, 1970).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import lgamma, log, log1p

from deployment_gate.judgement.confidence import upper_tail


def log_evidence(bad: int, total: int, limit: float) -> float:
    """The logarithm of the ratio that speaks for a share above `limit`.

    Args:
        bad: How many were bad, more than `limit` of all.
        total: How many there were.
        limit: The share, above 0 and below 1, that must not be exceeded.

    >>> round(log_evidence(2, 2, 0.05), 2)
    4.94
    """
    # The integral of q^bad (1-q)^good over all q above the limit is a part of the beta function's.
    all_shares = lgamma(bad + 1) + lgamma(total - bad + 1) - lgamma(total + 2)
    part_above = 1 - upper_tail(bad + 1, total + 1, limit)
    at_the_limit = bad * log(limit) + (total - bad) * log1p(-limit)
    return all_shares + log(part_above) - log1p(-limit) - at_the_limit


def first_sure(
    looks: Iterable[tuple[int, int]], limit: float, *, alpha: float, samples: int
) -> int | None:
    """How many readings it takes to be sure that the share is above `limit`, or None.

    Args:
        looks: How many readings were bad, of how many, at one moment after another.
        limit: The share that must not be exceeded.
        alpha: The probability of ever being wrong that is accepted.
        samples: How many readings it takes at least.
    """
    bad_before = total_before = 0
    for bad, total in looks:
        # Only a bad reading adds to what speaks for it, but the last ones that were missing.
        is_new = bad > bad_before or total_before < samples
        bad_before, total_before = bad, total
        if total < samples or not is_new or bad / total <= limit:
            continue
        if limit <= 0 or log_evidence(bad, total, limit) >= -log(alpha):
            return total
    return None
