"""The rule for a share of bad readings that is above its limit throughout a period.

A *look* judges the trailing period. Looks are on a fixed grid, at every sixteenth of the period
from the stream's first reading on, and at its last reading. A look fires when its window

- is *fully covered*: the stream began at least a period before, each quarter of the window has a
  good or bad reading, and no gap between two readings that reaches into it, counted whole, is
  longer than a quarter of the period (after a longer one the period is watched anew);
- is *surely above* the limit: it has as many readings as it takes at least, and the share's
  one-sided lower confidence bound (`confidence`) is above the limit;
- is above the limit in each of its quarters, too, so that no short burst is "throughout".

One look that fires is enough, for good. Where a trigger says `decide: early`, each period's
readings are also looked at one by one, by a test that stays right however often one looks; over
all periods it is wrong as rarely as the confidence says.

Unobserved readings neither count nor cover. A window holds what is later than its start and no
later than its end, so that quarters share nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from operator import itemgetter, sub

from deployment_gate.environment import Sustained, format_duration, percent
from deployment_gate.judgement.confidence import is_surely_above, is_surely_below
from deployment_gate.judgement.indicators import Reading
from deployment_gate.judgement.sequential import first_sure
from deployment_gate.judgement.states import NOTHING_OBSERVED, Decided, TriggerState

_MICROSECOND = timedelta(microseconds=1)
_LOOKS = 16
"""How many looks there are in a period. Of a multiple of four, a quarter's edges are looks, too."""

_QUARTER = _LOOKS // 4


@dataclass(frozen=True, slots=True)
class Stream:
    """The good and bad readings of one stream, in the order of time; at least one.

    Attributes:
        began: When the first one was.
        moments_us: When each one was, in whole microseconds since then.
        bad_before: How many were bad of none of them, of the first one, of the first two, ...
    """

    began: datetime
    moments_us: Sequence[int]
    bad_before: Sequence[int]

    def moment(self, since_us: int) -> datetime:
        """When so many microseconds of the stream had passed."""
        return self.began + since_us * _MICROSECOND


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many readings were bad."""

    bad: int
    total: int

    def is_above(self, limit: float) -> bool:
        """Whether the share itself, sure or not, is above `limit`, a fraction."""
        return self.total > 0 and self.bad / self.total > limit

    def __str__(self) -> str:
        return percent(round(self.bad / self.total, 4)) if self.total else "nothing"


@dataclass(frozen=True, slots=True)
class Window:
    """What one look judges.

    Attributes:
        start: When it begins: a period before the look, or with the stream where that is later.
        end: When the look is.
        quarters: The shares in the period's four quarters.
    """

    start: datetime
    end: datetime
    quarters: tuple[Share, ...]

    @property
    def whole(self) -> Share:
        """The share in all of it."""
        return Share(
            sum(quarter.bad for quarter in self.quarters),
            sum(quarter.total for quarter in self.quarters),
        )

    def sentence(self, limit: float) -> str:
        """The numbers against the limit, with the window's times and its quarters."""
        whole = self.whole
        told = (
            f"{whole.bad} of {whole.total} ({whole}) from {self.start:%H:%M:%S} to "
            f"{self.end:%H:%M:%S} UTC against a limit of {percent(limit)}"
        )
        if sum(quarter.total > 0 for quarter in self.quarters) > 1:
            told += f", by quarters of the period {', '.join(map(str, self.quarters))}"
        return told


@dataclass(frozen=True, slots=True)
class SustainedRule:
    """A condition on a share, and how sure one must be that it holds.

    Attributes:
        condition: The limit, and the period throughout which it is exceeded.
        samples: How many readings a window has at least that is surely above the limit.
        confidence: How sure that is, a fraction below 1.
        is_early: Whether it may be decided before the period is full.
    """

    condition: Sustained
    samples: int
    confidence: float
    is_early: bool = False

    @property
    def period_us(self) -> int:
        """The period in microseconds."""
        return round(timedelta(seconds=self.condition.period_s) / _MICROSECOND)

    def is_surely_above(self, share: Share) -> bool:
        """Whether enough readings show that the true share is above the limit."""
        return share.total >= self.samples and is_surely_above(
            share.bad, share.total, self.condition.limit, alpha=1 - self.confidence
        )


def stream_of(readings: Iterable[tuple[datetime, Reading]]) -> Stream | None:
    """Make a stream of readings in any order; None where none is good or bad."""
    counted = [(at, reading) for at, reading in readings if reading is not Reading.UNOBSERVED]
    if not counted:
        return None
    counted.sort(key=itemgetter(0))
    began = counted[0][0].astimezone(UTC)
    return Stream(
        began,
        [(at - began) // _MICROSECOND for at, _ in counted],
        [0, *accumulate(reading is Reading.BAD for _, reading in counted)],
    )


def sustained(readings: Iterable[tuple[datetime, Reading]], rule: SustainedRule) -> Decided:
    """What `rule` says of a stream.

    Fired: a look fired. Suspected: what there is of the last look's window is above the limit, but
    not all that it takes to fire holds. Unobserved: nothing was good or bad. Clear: everything
    else.

    Args:
        readings: Each with when it was, in any order.
        rule: The share, the period, and how sure one must be.

    Returns:
        The state, with the numbers of the window that decided.
    """
    stream = stream_of(readings)
    if stream is None:
        return NOTHING_OBSERVED
    limit = rule.condition.limit
    fired = firing_window(stream, rule)
    if fired:
        return Decided(TriggerState.FIRED, fired.sentence(limit))
    if rule.is_early and (decisive := early_decision(stream, rule)):
        return Decided(TriggerState.FIRED, _early_sentence(stream, rule, decisive))
    window = _window(stream, rule.period_us, _LOOKS * stream.moments_us[-1])
    told = window.sentence(limit)
    if window.whole.is_above(limit):
        lacks = _what_lacks(stream, rule, window.whole)
        return Decided(TriggerState.SUSPECTED, f"{told}; {lacks}")
    return Decided(TriggerState.CLEAR, told)


def is_surely_clear(readings: Iterable[tuple[datetime, Reading]], rule: SustainedRule) -> bool:
    """Whether the last look's window shows, at the rule's confidence, a share below its limit."""
    stream = stream_of(readings)
    if stream is None:
        return False
    share = _window(stream, rule.period_us, _LOOKS * stream.moments_us[-1]).whole
    alpha = 1 - rule.confidence
    return is_surely_below(share.bad, share.total, rule.condition.limit, alpha=alpha)


def firing_window(stream: Stream, rule: SustainedRule) -> Window | None:
    """The window of the first look that fires, or None.

    It takes time about in proportion to the readings: only covered looks are looked at, of which
    there are at most three for each reading.
    """
    limit, bad_before = rule.condition.limit, stream.bad_before
    for end, edges in _covered_looks(stream.moments_us, rule.period_us):
        for before, after in pairwise(edges):
            if (bad_before[after] - bad_before[before]) / (after - before) <= limit:
                break
        else:
            bad = bad_before[edges[-1]] - bad_before[edges[0]]
            if rule.is_surely_above(Share(bad, edges[-1] - edges[0])):
                return _window(stream, rule.period_us, end)
    return None


def early_decision(stream: Stream, rule: SustainedRule) -> range | None:
    """The numbers of the readings that make it sure that the limit is exceeded, or None.

    Each period since the stream began is tested by itself, so that an outage after an hour that
    was well is found as soon as one in the first minute. The n-th period's share of the accepted
    error is 1/(n(n+1)), of which all together are 1.
    """
    first = 0
    while first < len(stream.moments_us):
        period = stream.moments_us[first] // rule.period_us + 1
        following = bisect_left(stream.moments_us, period * rule.period_us, lo=first)
        total = first_sure(
            _looks_at_each_moment(stream, first, following),
            rule.condition.limit,
            alpha=(1 - rule.confidence) / (period * (period + 1)),
            samples=rule.samples,
        )
        if total is not None:
            return range(first, first + total)
        first = following
    return None


def _looks_at_each_moment(stream: Stream, first: int, end: int) -> Iterator[tuple[int, int]]:
    """How many readings were bad, of how many, after each moment: what is of one has no order."""
    moments, bad_before = stream.moments_us, stream.bad_before
    for number in range(first, end):
        if number + 1 == end or moments[number + 1] > moments[number]:
            yield bad_before[number + 1] - bad_before[first], number + 1 - first


def _early_sentence(stream: Stream, rule: SustainedRule, decisive: range) -> str:
    bad = stream.bad_before[decisive.stop] - stream.bad_before[decisive.start]
    start, end = (stream.moment(stream.moments_us[one]) for one in (decisive[0], decisive[-1]))
    return (
        f"{bad} of {len(decisive)} ({Share(bad, len(decisive))}) from {start:%H:%M:%S} to "
        f"{end:%H:%M:%S} UTC against a limit of {percent(rule.condition.limit)}, decided early "
        f"at {percent(rule.confidence)} confidence"
    )


def _covered_looks(
    moments_us: Sequence[int], period_us: int
) -> Iterator[tuple[int, Sequence[int]]]:
    """Each fully covered look, and how many readings there were up to its quarters' edges.

    A look is told in sixteenths of a microsecond since the stream began: of those, the looks and
    edges of every period are whole numbers. No quarter of a covered look is empty.
    """
    end = _LOOKS * moments_us[-1]
    first = 0
    for first, last in _stretches(moments_us, period_us):
        earliest = -(-_LOOKS * moments_us[first] // period_us) + _LOOKS
        # From a quarter after the last reading on, the window's last quarter is empty.
        empty_from = _LOOKS * moments_us[last] + _QUARTER * period_us
        latest = min((empty_from - 1) // period_us, end // period_us)
        if latest < earliest:
            continue
        edges = []
        passed = first
        for look in range(earliest - _LOOKS, latest + 1):
            passed = bisect_right(moments_us, look * period_us // _LOOKS, lo=passed)
            edges.append(passed)
        for look in range(earliest, latest + 1):
            start = look - earliest
            yield look * period_us, edges[start : start + _LOOKS + 1 : _QUARTER]
    if end % period_us and moments_us[-1] - moments_us[first] >= period_us:
        yield end, _edges(moments_us, period_us, end)


def _stretches(moments_us: Sequence[int], period_us: int) -> Iterator[tuple[int, int]]:
    """The first and last reading of each stretch without a gap longer than a quarter."""
    quarter_us = period_us // 4  # gaps are whole, so that rounding down changes nothing
    gaps = map(sub, moments_us[1:], moments_us)
    starts = [0, *[after for after, gap in enumerate(gaps, 1) if gap > quarter_us]]
    for first, following in pairwise([*starts, len(moments_us)]):
        yield first, following - 1


def _edges(moments_us: Sequence[int], period_us: int, end: int) -> Sequence[int]:
    """How many readings there were up to the edges of the quarters of the look at `end`."""
    return [
        bisect_right(moments_us, (end - behind * period_us) // _LOOKS)
        for behind in range(_LOOKS, -1, -_QUARTER)
    ]


def _window(stream: Stream, period_us: int, end: int) -> Window:
    """The window of the look at `end`, in sixteenths of a microsecond since the stream began."""
    return Window(
        stream.moment(max(end // _LOOKS - period_us, 0)),
        stream.moment(end // _LOOKS),
        tuple(
            Share(stream.bad_before[after] - stream.bad_before[before], after - before)
            for before, after in pairwise(_edges(stream.moments_us, period_us, end))
        ),
    )


def _what_lacks(stream: Stream, rule: SustainedRule, share: Share) -> str:
    """Why the last look doesn't fire, though its window is above the limit."""
    moments, period_us = stream.moments_us, rule.period_us
    start_us = moments[-1] - period_us
    *_, (first, _) = _stretches(moments, period_us)
    if start_us < 0:
        period = format_duration(timedelta(seconds=rule.condition.period_s))
        return f"not watched for its whole period of {period}"
    if moments[first] > start_us:
        gap = (stream.moment(moments[first - 1]), stream.moment(moments[first]))
        return f"nothing was observed from {gap[0]:%H:%M:%S} to {gap[1]:%H:%M:%S}"
    if share.total < rule.samples:
        return f"fewer than the {rule.samples} that it takes"
    if not rule.is_surely_above(share):
        return f"too few to be sure at {percent(rule.confidence)} confidence"
    return "not in each quarter"
