"""The runbook's success criteria, measured from a history; and its flaky checks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from statistics import fmean, median

from deployment_gate.environment import percent
from deployment_gate.judgement import Decision
from deployment_gate.reports.history import Entry, Share

# The deployment procedures, "Quality Indicators", and `service_uptime` of their metrics.
_SUCCESS_RATE = 0.999
_ROLLBACK_S = 300.0
_COVERAGE = 1.0
_DETECTION_S = 300.0
_UPTIME = 0.999


@dataclass(frozen=True, slots=True)
class Criterion:
    """One success criterion, as the runs of an environment show it.

    Attributes:
        name: What it is.
        target: What the runbook asks for.
        measured: A fraction, or seconds; None without data.
        shown: The same for people; `n/a` without data.
        is_met: Whether it is met; None without data.
        basis: What it rests on, with numbers.
    """

    name: str
    target: str
    measured: float | None
    shown: str
    is_met: bool | None
    basis: str


@dataclass(frozen=True, slots=True)
class FlakyCheck:
    """A check that passed only at a later attempt, in so many runs of so many."""

    id: str
    times: int
    runs: int


def flaky_checks(entries: Sequence[Entry]) -> tuple[FlakyCheck, ...]:
    """The flaky checks of an environment's runs, the most often flaky first.

    They are counted of all runs in which a check passed, failed or was left undone.
    """
    runs = sum(bool(one.outcomes) for one in entries)
    times = Counter(check for one in entries for check in set(one.flaky))
    ordered = sorted(times.items(), key=lambda item: (-item[1], item[0]))
    return tuple(FlakyCheck(check, count, runs) for check, count in ordered)


def success_criteria(entries: Sequence[Entry]) -> tuple[Criterion, ...]:
    """What the runs of one environment, in the order of time, say of the success criteria."""
    whole = [one for one in entries if one.is_whole]
    return (
        _success_rate(whole),
        _rollback_time(whole),
        _coverage(whole),
        _detection_time(whole),
        _uptime(entries),
    )


def _success_rate(whole: Sequence[Entry]) -> Criterion:
    """Releases whose last whole validation promoted, of all that were validated whole."""
    last = {one.release: one for one in whole if one.release is not None}
    good = sum(one.verdict is Decision.PROMOTE for one in last.values())
    runs = sum(one.release is not None for one in whole)
    return _fraction(
        "Deployment success rate",
        Share(count=good, of=len(last)),
        at_least=_SUCCESS_RATE,
        basis=f"{good} of {_many(len(last), 'release')} promoted at last, in {_many(runs, 'run')}",
        without="no whole run named a release",
    )


def _rollback_time(whole: Sequence[Entry]) -> Criterion:
    """From a verdict that rolled back to the next promote of another release."""
    took, still_open = [], 0
    for group in _rollbacks(whole):
        wrong, later = group[0], group[1:]
        ended = next((one.ended for one in later if _is_after_rollback(one, wrong)), None)
        if ended is None:
            still_open += 1
        else:
            took.append((ended - wrong.ended).total_seconds())
    more = f"; {still_open} not followed by a promote yet" if still_open else ""
    return _time(
        "Rollback time",
        took,
        below_s=_ROLLBACK_S,
        basis=f"the longest of {_many(len(took), 'rollback')}{_median(took)}{more}",
        without=f"no rollback that a promote followed{more}",
    )


def _rollbacks(whole: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """For each release that was rolled back, that run and all that came after it.

    Further runs of the same release that roll back, too, are the same rollback.
    """
    start = 0
    for (verdict, _), group in groupby(whole, key=lambda one: (one.verdict, one.release)):
        if verdict is Decision.ROLLBACK:
            yield whole[start:]
        start += len([*group])


def _is_after_rollback(run: Entry, wrong: Entry) -> bool:
    """Whether a run shows that what was rolled back no longer serves, where releases are named."""
    is_other = run.release != wrong.release or wrong.release is None
    return run.verdict is Decision.PROMOTE and is_other


def _coverage(whole: Sequence[Entry]) -> Criterion:
    """Of the described categories, those that some whole run of a release passed; on average."""
    passed: dict[str, set[str]] = {}
    described: dict[str, set[str]] = {}
    for one in whole:
        # A run that names no release stands for itself.
        name = one.release if one.release is not None else f"run {one.run}"
        passed.setdefault(name, set()).update(one.coverage.passed)
        described[name] = {*one.coverage.passed, *one.coverage.without_pass}
    shares = [
        len(passed[name] & categories) / len(categories)
        for name, categories in described.items()
        if categories
    ]
    last = [*described][-1] if described else ""
    missing = sorted(described.get(last, set()) - passed.get(last, set()))
    lacks = f"; the last lacks {', '.join(missing)}" if missing else ""
    return Criterion(
        name="Validation coverage",
        target=percent(_COVERAGE),
        measured=fmean(shares) if shares else None,
        shown=format_share(fmean(shares)) if shares else "n/a",
        is_met=fmean(shares) >= _COVERAGE if shares else None,
        basis=f"mean over {_many(len(shares), 'release')}, in {_many(len(whole), 'run')}{lacks}"
        if shares
        else "no whole run",
    )


def _detection_time(whole: Sequence[Entry]) -> Criterion:
    """From the beginning of a run to its verdict that rolled back."""
    took = [one.duration_s for one in whole if one.verdict is Decision.ROLLBACK]
    return _time(
        "Time to detection",
        took,
        below_s=_DETECTION_S,
        basis=f"the longest of {_many(len(took), 'run')} that rolled back{_median(took)}",
        without="no run rolled back",
    )


def _uptime(entries: Sequence[Entry]) -> Criterion:
    """Good answers of health endpoints, of all that runs saw."""
    good = sum(one.availability.count for one in entries)
    total = sum(one.availability.of for one in entries)
    asked = [one.limits.availability for one in entries if one.limits.availability is not None]
    runs = sum(one.availability.of > 0 for one in entries)
    return _fraction(
        "Uptime",
        Share(count=good, of=total),
        at_least=asked[-1] if asked else _UPTIME,
        basis=f"{good} of {_many(total, 'answer')} of health endpoints, in {_many(runs, 'run')}",
        without="no health endpoint was seen",
    )


def _fraction(name: str, share: Share, *, at_least: float, basis: str, without: str) -> Criterion:
    fraction = share.fraction
    return Criterion(
        name=name,
        target=f"at least {percent(at_least)}",
        measured=fraction,
        shown="n/a" if fraction is None else format_share(fraction),
        is_met=None if fraction is None else fraction >= at_least,
        basis=without if fraction is None else basis,
    )


def _time(
    name: str, took: Sequence[float], *, below_s: float, basis: str, without: str
) -> Criterion:
    longest = max(took, default=None)
    return Criterion(
        name=name,
        target=f"below {format_seconds(below_s)}",
        measured=longest,
        shown="n/a" if longest is None else format_seconds(longest),
        is_met=None if longest is None else longest < below_s,
        basis=without if longest is None else basis,
    )


def _median(took: Sequence[float]) -> str:
    return f", the median {format_seconds(median(took))}" if len(took) > 1 else ""


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def format_share(fraction: float) -> str:
    """A share for people: never rounded up to all, where it isn't all.

    >>> format_share(1.0), format_share(0.99999), format_share(0.95), format_share(0.00012)
    ('100 %', '99.99 %', '95 %', '0.012 %')
    """
    if fraction > 0.99:  # noqa: PLR2004  # where a rounded share looks like all
        hundredths = math.floor(round(fraction * 10_000, 6))
        return f"{hundredths / 100:g} %"
    return f"{fraction * 100:.4g} %"


def format_seconds(seconds: float) -> str:
    """Seconds as a person says them.

    >>> format_seconds(0.12), format_seconds(23.4), format_seconds(300), format_seconds(4000)
    ('120 ms', '23.4 s', '5 min', '1 h 6 min 40 s')
    """
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 60:  # noqa: PLR2004  # seconds in a minute
        return f"{seconds:.3g} s"
    whole = timedelta(seconds=round(seconds))
    days, rest = whole.days, whole.seconds
    parts = ((days, "d"), (rest // 3600, "h"), (rest % 3600 // 60, "min"), (rest % 60, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)
