"""How long refused sign-ins take, and whether that tells which usernames are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from math import comb
from statistics import median

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.rules import Looked, Rule, Unseen
from deployment_gate.security.wrong_sign_ins import MOST_WRONG, WrongSignIns, made_up_username

TIMED = Rule(
    id="usernames-told-by-time",
    severity=FindingSeverity.LOW,
    title="How long a refusal takes tells whether the username is known",
    source="OWASP ASVS 5.0, 6.3.8",
    remedy="Do the same work for an unknown username: compare the password with a hash that is "
    "kept for that, made with the same parameters.",
)

RULES = (TIMED,)

_STRANGERS = 20
"""Refusals of made-up usernames that those of known ones are compared with."""
_FEWEST_KNOWN = 3
_RARE = 0.005
"""Below this probability that chance alone orders the times so, in one direction."""
_SLOWER = 1.3
_SLOWER_BY_S = 0.01
_SPREADS = 3
_SCALED = 1.4826
"""What makes a median deviation a standard one, where errors are normal."""


def look_at_times(wrong: WrongSignIns) -> Looked:
    """See whether refusals take longer for known usernames, or for unknown ones.

    Args:
        wrong: Offers wrong passwords: as many as there may be for known usernames, each between
            two for unknown ones.

    Raises:
        Unseen: Wrong passwords aren't refused, or too few may be offered to tell.
    """
    names = [name for name in wrong.known for _ in range(MOST_WRONG)]
    wrong.refuse(made_up_username(next(iter(wrong.known), "")))
    for name in names:
        if not wrong.is_spent(name):
            wrong.refuse(name)
            wrong.refuse(made_up_username(name))
    while sum(one.is_made_up for one in wrong.refusals) <= _STRANGERS:
        wrong.refuse(made_up_username(next(iter(wrong.known), "")))
    # The first one also paid for the connection. Of others nobody knows whether they are known.
    timed = [
        (one.is_known, one.duration_s)
        for one in wrong.refusals[1:]
        if one.is_known or one.is_made_up
    ]
    known = [seconds for is_known, seconds in timed if is_known]
    if len(known) < _FEWEST_KNOWN:
        raise Unseen(
            f"{len(known)} wrong passwords for known usernames tell nothing of time, and more "
            "could lock an account. Write somebody more under `api.identities`"
        )
    told = told_by_time(timed)
    if told is None:
        return Looked()
    return Looked((TIMED.found(told, [wrong.place]),))


def told_by_time(timed: Sequence[tuple[bool, float]]) -> str | None:
    """What times of refusals tell, as a sentence; None where that may well be chance.

    Three things must agree, since machines are shared, and samples for known usernames are few:
    the exact rank test of Mann and Whitney; the difference, which must be larger than the spread;
    and each single time for a known username against those right before and after it, so that a
    machine that was busy for a while tells nothing.

    Args:
        timed: Whether the username was known, and the seconds, in order.
    """
    known = [seconds for is_known, seconds in timed if is_known]
    unknown = [seconds for is_known, seconds in timed if not is_known]
    for which, order in (("known", 1), ("unknown", -1)):
        slow, fast = (known, unknown)[::order]
        if _probability(slow, fast) > _RARE:
            continue
        middle, other = median(slow), median(fast)
        spread = _SCALED * median(abs(one - median(unknown)) for one in unknown)
        is_apart = middle - other >= max(_SPREADS * spread, _margin(other))
        if is_apart and all(_stands_out(pair, order) for pair in _beside(timed)):
            return (
                f"a refusal takes {middle * 1000:.0f} ms for {which} usernames ({len(slow)} times)"
                f" and {other * 1000:.0f} ms for others ({len(fast)} times)"
            )
    return None


def _margin(seconds: float) -> float:
    return max(_SLOWER_BY_S, (_SLOWER - 1) * seconds)


def _stands_out(pair: tuple[float, list[float]], order: int) -> bool:
    """Whether a time is longer, or for -1 shorter, than those beside it, by more than a little."""
    seconds, beside = pair
    if order > 0:
        return seconds - max(beside) >= _margin(max(beside))
    return min(beside) - seconds >= _margin(seconds)


def _beside(timed: Sequence[tuple[bool, float]]) -> Iterator[tuple[float, list[float]]]:
    """Each time for a known username, with the nearest ones for others before and after it."""
    for at, (is_known, seconds) in enumerate(timed):
        if is_known:
            before = [other for known, other in timed[:at] if not known][-1:]
            after = [other for known, other in timed[at:] if not known][:1]
            yield seconds, before + after


def _probability(slow: Sequence[float], fast: Sequence[float]) -> float:
    """How likely chance alone puts the slow ones so far above the fast ones (exact, one-sided)."""
    if not slow or not fast:
        return 1.0
    below = sum(one <= other for one in slow for other in fast)
    ways = sum(_ways(len(slow), len(fast), one) for one in range(below + 1))
    return ways / comb(len(slow) + len(fast), len(slow))


@cache
def _ways(some: int, others: int, inversions: int) -> int:
    """In how many orders of two groups so many pairs are inverted (Mann and Whitney 1947)."""
    if inversions < 0:
        return 0
    if some == 0 or others == 0:
        return int(inversions == 0)
    return _ways(some - 1, others, inversions - others) + _ways(some, others - 1, inversions)
