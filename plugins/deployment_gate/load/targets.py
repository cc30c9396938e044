"""Targets under load, judged with their confidence: met, missed, or too few samples to tell."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import ceil, floor, log10, sqrt
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from deployment_gate.environment import TargetPhrase
from deployment_gate.environment.terms import Comparison, Unit
from deployment_gate.judgement.confidence import is_surely_above, is_surely_below

if TYPE_CHECKING:
    from deployment_gate.load.latency import Sample
    from deployment_gate.load.seconds import LoadSecond

ALL = "all endpoints"
"""The subject of what is said of all endpoints together."""

ALPHA = 0.05
"""The probability of an error that is accepted on either side of a limit."""

FEWEST_SECONDS = 10
"""Seconds of load from which on an average over them is judged."""

_MOST_SAMPLES = 10_000_000
"""More than this is no number to ask anybody for."""

_BATCHES = (5, 20)
"""Ten to thirty batches are usual (Schmeiser, Operations Research 30, 1982); a short load has 5."""


class State(Enum):
    """How a target came out; only the first speaks for the platform, only the second against it."""

    MET = "met"
    MISSED = "missed"
    TOO_FEW = "too few samples"
    NOT_COVERED = "not covered"


@dataclass(frozen=True, slots=True)
class Judged:
    """A state, and where it is too few: about how many are needed, if any number would do."""

    state: State
    needed: int | None = None


@dataclass(frozen=True, slots=True)
class TargetResult:
    """How a target came out for one subject, and the numbers behind it in one sentence."""

    subject: str
    target: str
    state: State
    sentence: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Answers by what they were; what the runner couldn't ask is in none of them."""

    right: int = 0
    wrong: int = 0
    throttled: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.right + other.right, self.wrong + other.wrong, self.throttled + other.throttled
        )

    @property
    def total(self) -> int:
        """All answers."""
        return self.right + self.wrong + self.throttled


@dataclass(frozen=True, slots=True)
class MeanInterval:
    """An average and its two one-sided confidence bounds."""

    mean: float
    low: float
    high: float


def judge_share(bad: int, total: int, allowed: float, alpha: float = ALPHA) -> Judged:
    """Whether the true share of bad ones is surely within `allowed`, surely not, or neither.

    Args:
        bad: How many were bad.
        total: How many there were.
        allowed: The share, between 0 and 1, that may be bad.
        alpha: The probability of an error that is accepted on either side.

    >>> judge_share(0, 59, 0.05).state, judge_share(0, 58, 0.05)
    (<State.MET: 'met'>, Judged(state=<State.TOO_FEW: 'too few samples'>, needed=59))
    """
    state = _state_of_share(bad, total, allowed, alpha)
    if state is not State.TOO_FEW:
        return Judged(state)
    return Judged(state, needed_samples(bad, total, allowed, alpha))


def needed_samples(bad: int, total: int, allowed: float, alpha: float = ALPHA) -> int | None:
    """How many samples would tell, if the share seen went on; None where no number would."""
    seen = bad / total if total else 0.0

    def would_tell(count: int) -> bool:
        return _state_of_share(round(seen * count), count, allowed, alpha) is not State.TOO_FEW

    enough = max(total, 1)
    while not would_tell(enough):
        enough *= 2
        if enough > _MOST_SAMPLES:
            return None
    too_few = max(total, enough // 2)
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (too_few, middle) if would_tell(middle) else (middle, enough)
    return enough


def judge_latency(
    phrase: TargetPhrase, samples: Iterable[Sample], *, alpha: float = ALPHA
) -> tuple[TargetResult, ...]:
    """Judge "< 200ms for 95% of requests" of all endpoints together, then of each.

    Latency counts from when a request was due. Only right answers can be quick ones: a wrong one
    counts as slow once it took longer than the limit, and is otherwise a matter of the error
    rate. Answers of 429 say nothing here.
    """
    latencies: dict[str, list[float]] = {}
    for sample in samples:
        of_endpoint = latencies.setdefault(sample.endpoint, [])
        if counts_as_latency(phrase, sample):
            of_endpoint.append(sample.from_due_s)
    everything = [latency for of_endpoint in latencies.values() for latency in of_endpoint]
    return tuple(
        _judged_latency(phrase, subject, sorted(seen), alpha)
        for subject, seen in ((ALL, everything), *sorted(latencies.items()))
    )


def counts_as_latency(phrase: TargetPhrase, sample: Sample) -> bool:
    """Whether a sample is among those of which a share must meet the limit."""
    if sample.throttled or sample.unobserved:
        return False
    return sample.right or is_slow(phrase, sample.from_due_s)


def is_slow(phrase: TargetPhrase, latency_s: float) -> bool:
    """Whether a latency in seconds is on the wrong side of the limit."""
    if phrase.comparison is Comparison.BELOW:
        return latency_s >= phrase.limit
    return latency_s <= phrase.limit


def allowed_share(phrase: TargetPhrase) -> float:
    """The share that may be bad: of slow answers, or of wrong ones.

    "< 1% target" is one of errors, "99.9% target" one of right answers.
    """
    if phrase.unit is Unit.SECONDS:
        return round(1 - (1.0 if phrase.share is None else phrase.share), 12)
    if phrase.comparison is Comparison.BELOW:
        return phrase.limit
    return round(1 - phrase.limit, 12)


def judge_error_rate(
    phrase: TargetPhrase, counts: Mapping[str, Counts], *, alpha: float = ALPHA
) -> tuple[TargetResult, ...]:
    """Judge "< 1% target" by the answers of all endpoints together, then of each.

    Answers of 429 are neither right nor errors; `throttling` tells of them.
    """
    subjects = {ALL: sum(counts.values(), Counts()), **dict(sorted(counts.items()))}
    return tuple(
        _judged_errors(phrase, subject, count, alpha) for subject, count in subjects.items()
    )


def counts_of_samples(samples: Iterable[Sample]) -> dict[str, Counts]:
    """The sampler's answers by endpoint."""
    counts = Counter[str](), Counter[str](), Counter[str]()
    for sample in samples:
        if not sample.unobserved:
            kind = 2 if sample.throttled else 0 if sample.right else 1
            counts[kind][sample.endpoint] += 1
    names = {name for kind in counts for name in kind}
    return {name: Counts(*(kind[name] for kind in counts)) for name in names}


def counts_of_seconds(seconds: Iterable[LoadSecond]) -> dict[str, Counts]:
    """The load generator's answers by endpoint."""
    counts = defaultdict[str, Counts](Counts)
    for second in seconds:
        for name, seen in second.endpoints.items():
            counts[name] += Counts(seen.right, sum(seen.wrong.values()), seen.throttled)
    return dict(counts)


def throttling(counts: Mapping[str, Counts]) -> str | None:
    """Tell that the platform refused to be asked so often, which is no error and no fast answer."""
    everything = sum(counts.values(), Counts())
    if not everything.throttled:
        return None
    share = f"{everything.throttled} of {everything.total} answers were 429"
    return f"the platform throttles: {share}"


def judge_throughput(
    phrase: TargetPhrase, seconds: Sequence[LoadSecond], *, alpha: float = ALPHA
) -> TargetResult:
    """Judge "> 1000 requests/second" by the right answers of each second.

    What was due is no more than the limit can't show that the platform bears more, and isn't
    held against it.

    Args:
        phrase: The target.
        seconds: Those of one level of load, its warm-up left out.
        alpha: The probability of an error that is accepted on either side.
    """
    right = [sum(seen.right for seen in second.endpoints.values()) for second in seconds]
    interval = mean_interval(right, alpha=alpha)
    if interval is None:
        return told(phrase, ALL, State.TOO_FEW, _too_few(len(right), FEWEST_SECONDS, "s of load"))
    due = fmean(second.due for second in seconds)
    numbers = (
        f"{interval.mean:.1f} right answers/s of {due:.1f} due, over {len(right)} s "
        f"(at {1 - alpha:.0%} confidence {interval.low:.1f} to {interval.high:.1f})"
    )
    state = state_of_mean(phrase, interval)
    if phrase.comparison is not Comparison.BELOW and due <= phrase.limit and state is not State.MET:
        why = f"no more than {phrase.limit:g} were asked of it; schedule a higher arrival rate"
        return told(phrase, ALL, State.TOO_FEW, f"{numbers}: {why}")
    if state is State.TOO_FEW:
        numbers += f": {_too_few(len(right), needed_seconds(phrase, len(right), interval), 's')}"
    return told(phrase, ALL, state, numbers)


def judge_users(
    phrase: TargetPhrase,
    seconds: Sequence[LoadSecond],
    *,
    allowed_errors: float,
    alpha: float = ALPHA,
) -> TargetResult:
    """Judge "> 100 concurrent users" by how they were served while there were as many.

    Args:
        phrase: The target.
        seconds: Those of the load, its warm-up left out.
        allowed_errors: The share of wrong answers, 0..1, up to which users count as served.
        alpha: The probability of an error that is accepted on either side.
    """
    crowded = [second for second in seconds if _is_crowd(phrase, second.users)]
    if len(crowded) < FEWEST_SECONDS:
        most = max((second.users for second in seconds), default=0)
        numbers = f"at most {most} users at once, and {len(crowded)} s with as many as it asks for"
        advice = f"have more of them for {FEWEST_SECONDS} s or longer"
        return told(phrase, ALL, State.TOO_FEW, f"{numbers}; {advice}")
    counts = sum(counts_of_seconds(crowded).values(), Counts())
    answers = counts.right + counts.wrong
    judged = judge_share(counts.wrong, answers, allowed_errors, alpha)
    users = min(second.users for second in crowded)
    numbers = (
        f"{users} users or more at once for {len(crowded)} s, {counts.wrong} of {answers} answers "
        f"wrong{_share(counts.wrong, answers)}, at most {100 * allowed_errors:g} % allowed"
    )
    if judged.state is State.TOO_FEW:
        numbers += f": {_too_few(answers, judged.needed, 'samples')}"
    return told(phrase, ALL, judged.state, numbers)


def mean_interval(values: Sequence[float], *, alpha: float = ALPHA) -> MeanInterval | None:
    """The average of a series with its confidence bounds; None where it is too short.

    By batch means, for neighbours in time depend on each other: what one second lacks, the next
    has more. Student's t on the averages of 5 to 20 batches.
    """
    if len(values) < FEWEST_SECONDS:
        return None
    from scipy.special import stdtrit  # type: ignore[import-untyped]  # noqa: PLC0415  # 0.4 s

    fewest, most = _BATCHES
    count = min(most, max(fewest, len(values) // 5))
    edges = [len(values) * number // count for number in range(count + 1)]
    means = [fmean(values[edges[i] : edges[i + 1]]) for i in range(count)]
    margin = float(stdtrit(count - 1, 1 - alpha)) * stdev(means) / sqrt(count)
    mean = fmean(values)
    return MeanInterval(mean, mean - margin, mean + margin)


def state_of_mean(phrase: TargetPhrase, interval: MeanInterval) -> State:
    """Whether an average is surely on the right side of its limit, surely not, or neither."""
    if phrase.comparison is Comparison.BELOW:
        is_met, is_missed = interval.high < phrase.limit, interval.low >= phrase.limit
    elif phrase.comparison is Comparison.ABOVE:
        is_met, is_missed = interval.low > phrase.limit, interval.high <= phrase.limit
    else:
        is_met, is_missed = interval.low >= phrase.limit, interval.high < phrase.limit
    return State.MET if is_met else State.MISSED if is_missed else State.TOO_FEW


def needed_seconds(phrase: TargetPhrase, seen: int, interval: MeanInterval) -> int | None:
    """About how many seconds would tell an average from its limit."""
    away = abs(interval.mean - phrase.limit)
    margin = interval.high - interval.mean
    if away <= margin / 1000:
        return None
    return max(seen + 1, ceil(seen * (margin / away) ** 2))


def told(phrase: TargetPhrase, subject: str, state: State, numbers: str) -> TargetResult:
    """A result whose sentence carries the numbers and the target."""
    sentence = f"{subject}: {numbers}; the target is {phrase.text!r}"
    return TargetResult(subject, phrase.text, state, sentence)


def about(number: int) -> int:
    """Round up to two digits: nobody knows more of how many are needed.

    >>> about(583), about(59), about(100_001)
    (590, 59, 110000)
    """
    unit: int = 10 ** max(0, floor(log10(number)) - 1)
    return ceil(number / unit) * unit


def _state_of_share(bad: int, total: int, allowed: float, alpha: float) -> State:
    if allowed >= 1:
        return State.MET if bad < total else State.TOO_FEW
    if total and is_surely_below(bad, total, allowed, alpha=alpha):
        return State.MET
    if total and is_surely_above(bad, total, allowed, alpha=alpha):
        return State.MISSED
    return State.TOO_FEW


def _judged_latency(
    phrase: TargetPhrase, subject: str, latencies: Sequence[float], alpha: float
) -> TargetResult:
    total = len(latencies)
    if not total:
        return told(phrase, subject, State.TOO_FEW, "no right answer, so no latency")
    slow = sum(is_slow(phrase, latency) for latency in latencies)
    judged = judge_share(slow, total, allowed_share(phrase), alpha)
    share = 1.0 if phrase.share is None else phrase.share
    # The share of a decimal number of samples may lie a rounding above a whole number of them.
    within = latencies[max(0, ceil(round(share * total, 6)) - 1)]
    numbers = (
        f"{100 * share:g} % of {total} {phrase.of or 'requests'} took at most "
        f"{1000 * within:.4g} ms, and {slow} of them{_share(slow, total)} missed "
        f"{1000 * phrase.limit:g} ms"
    )
    if judged.state is State.TOO_FEW:
        numbers += f": {_too_few(total, judged.needed, 'samples')}"
    return told(phrase, subject, judged.state, numbers)


def _judged_errors(
    phrase: TargetPhrase, subject: str, counts: Counts, alpha: float
) -> TargetResult:
    answers = counts.right + counts.wrong
    if not answers:
        return told(phrase, subject, State.TOO_FEW, "no answer that is right or wrong")
    allowed = allowed_share(phrase)
    judged = judge_share(counts.wrong, answers, allowed, alpha)
    numbers = (
        f"{counts.wrong} of {answers} answers were wrong{_share(counts.wrong, answers)}, "
        f"at most {100 * allowed:g} % allowed"
    )
    if judged.state is State.TOO_FEW:
        numbers += f": {_too_few(answers, judged.needed, 'samples')}"
    return told(phrase, subject, judged.state, numbers)


def _share(part: int, total: int) -> str:
    return f" ({100 * part / total:.3g} %)" if total else ""


def _too_few(seen: int, needed: int | None, unit: str) -> str:
    if needed is None:
        return f"too few {unit}: {seen}, and so near the limit no number of them would tell"
    return f"too few {unit}: {seen} of about {about(needed)} needed"


def _is_crowd(phrase: TargetPhrase, users: int) -> bool:
    return users > phrase.limit or (
        users == phrase.limit and phrase.comparison is Comparison.AT_LEAST
    )
