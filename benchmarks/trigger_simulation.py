"""How often a trigger on a share rolls back what is well, and misses what isn't.

Draws runs of four minutes whose true share of errors, or of slow answers, is known, and judges
them by the sandbox's own triggers, which are the runbook's, as they are and with `decide: early`;
beside them by two rules that don't ask how sure they are: the share of the run so far, looked at as
often, and that of the first period. `ours` is the judging code itself: `firing_window` in each run,
and the whole way from observations to the trigger's state in the first run of each row.

Example: uv run python benchmarks/trigger_simulation.py --check
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random

from measuring import ROOT, BenchmarkError, print_requirements, print_table

from deployment_gate.environment import (
    IndicatorKind,
    Policy,
    Sustained,
    TriggerRule,
    load_environment,
    policy_of,
)
from deployment_gate.evidence import Evidence, Observation, ObservationKind, Run
from deployment_gate.judgement import TriggerState, judge_trigger
from deployment_gate.judgement.confidence import is_surely_above
from deployment_gate.judgement.windows import (
    Stream,
    SustainedRule,
    early_decision,
    firing_window,
)

WATCHED_S = 240
RATES = (1, 5, 10, 50, 100, 1000)
"""Observations a second."""

ERROR_SHARES = (0.005, 0.01, 0.02, 0.04, 0.045, 0.06, 0.08, 0.1, 0.2, 0.5, 1.0)
SLOW_SHARES = (0.02, 0.04, 0.06, 0.08, 0.2)

REQUIRED_RATE = 10
HARMLESS, HARMFUL = 0.04, 0.08
MOST_WRONG = 0.001
"""Of runs at `HARMLESS` may roll back, of runs at `HARMFUL` may be missed."""

_MORE = 25
"""Times as many runs show what is required."""

_START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
_RULES = ("ours", "early", "so far", "first period")


@dataclass(slots=True)
class Tally:
    """What one rule made of several runs: how many there were, when it decided in which of them.

    Those that it held, since their share was above the limit and not surely so, are counted, too.
    """

    runs: int = 0
    held: int = 0
    decided_s: list[float] = field(default_factory=list)

    @property
    def fired(self) -> int:
        """How many runs it rolls back."""
        return len(self.decided_s)


def main() -> int:
    """Simulate, print, and say whether the requirement is met."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--runs",
        type=int,
        default=2000,
        metavar="N",
        help="of each row of up to 10 observations a second; proportionally fewer of the others, "
        f"{_MORE} times as many of the rows that a requirement is about",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers")
    parser.add_argument("--check", action="store_true", help="exit code 1 when it errs too often")
    arguments = parser.parse_args()

    policy = policy_of(load_environment("sandbox", ROOT / "environments", variables={}))
    required: dict[float, Tally] = {}
    print(f"{WATCHED_S} s watched, seed {arguments.seed}; 95 % intervals by Clopper and Pearson")
    for kind, shares in ((IndicatorKind.ERROR, ERROR_SHARES), (IndicatorKind.SLOW, SLOW_SHARES)):
        trigger = next(one for one in policy.triggers if one.condition.indicator.kind is kind)
        print(f"\n{trigger.name}: {trigger.phrase}")
        rows = []
        for rate in RATES:
            for share in shares:
                runs = _runs(arguments.runs, kind, rate, share)
                row = Row(policy, trigger, share=share, rate=rate, seed=arguments.seed)
                tallies = row.simulate(runs)
                rows.append(_told(row, tallies))
                if kind is IndicatorKind.ERROR and rate == REQUIRED_RATE:
                    required[share] = tallies["ours"]
        print_table(_HEADER, rows)
    is_met = print_requirements(dict(_requirements(required)))
    return 0 if is_met or not arguments.check else 1


def _runs(runs: int, kind: IndicatorKind, rate: int, share: float) -> int:
    """How many runs a row takes, so that each costs about the same but those that are required."""
    if kind is IndicatorKind.ERROR and rate == REQUIRED_RATE and share in {HARMLESS, HARMFUL}:
        return _MORE * runs
    return max(1, runs * 10 // max(rate, 10))


@dataclass(frozen=True, slots=True)
class Row:
    """Runs of one true share, observed at one rate, and the trigger that judges them."""

    policy: Policy
    trigger: TriggerRule
    share: float
    rate: int
    seed: int

    @property
    def rule(self) -> SustainedRule:
        """The trigger's condition, and how sure one must be of it.

        Raises:
            BenchmarkError: The trigger isn't on a share.
        """
        if not isinstance(self.trigger.condition, Sustained):
            raise BenchmarkError(f"{self.trigger.name} is no trigger on a share")
        return SustainedRule(self.trigger.condition, self.trigger.samples, self.trigger.confidence)

    def simulate(self, runs: int) -> Mapping[str, Tally]:
        """Judge so many runs by each of the rules; the same seed always draws the same runs.

        Raises:
            BenchmarkError: The whole way of judging doesn't say the same of the first run.
        """
        rule, share = self.rule, self.share
        moments_us = [
            number * 1_000_000 // self.rate for number in range(WATCHED_S * self.rate + 1)
        ]
        looks_us = range(rule.period_us // 12, WATCHED_S * 1_000_000 + 1, rule.period_us // 12)
        seen = [(at / 1e6, bisect_right(moments_us, at)) for at in looks_us]
        random = Random(f"{self.seed} {self.trigger.name} {share} {self.rate}").random  # noqa: S311
        tallies = {name: Tally(runs) for name in _RULES}
        for number in range(runs):
            bad = [random() < share for _ in moments_us]
            bad_before = [0, *accumulate(bad)]
            window = firing_window(Stream(_START, moments_us, bad_before), rule)
            if number == 0:
                self._compare(moments_us, bad, has_fired=window is not None)
            last = bisect_right(moments_us, moments_us[-1] - rule.period_us)
            share_at_end = (bad_before[-1] - bad_before[last]) / (len(bad) - last)
            tallies["ours"].held += window is None and share_at_end > rule.condition.limit
            if window:
                tallies["ours"].decided_s.append((window.end - _START).total_seconds())
            decisive = early_decision(Stream(_START, moments_us, bad_before), rule)
            first = min(
                moments_us[decisive[-1]] / 1e6 if decisive else math.inf,
                (window.end - _START).total_seconds() if window else math.inf,
            )
            if not math.isinf(first):
                tallies["early"].decided_s.append(first)
            limit = rule.condition.limit
            above = [at for at, count in seen if bad_before[count] / count > limit]
            tallies["so far"].decided_s.extend(above[:1])
            tallies["first period"].decided_s.extend(
                at for at in above if at == rule.condition.period_s
            )
        return tallies

    def _compare(self, moments_us: Iterable[int], bad: Iterable[bool], *, has_fired: bool) -> None:
        observations = [
            Observation(
                at=_START + timedelta(microseconds=at),
                kind=ObservationKind.REQUEST,
                subject="GET /",
                duration_s=10.0 if is_bad else 0.01,
                status=500 if is_bad else 200,
            )
            for at, is_bad in zip(moments_us, bad, strict=True)
        ]
        run = Run(id="simulated", environment="sandbox", started=_START)
        evidence = Evidence(run=run, observations=tuple(observations))
        state = judge_trigger(self.trigger, self.policy, evidence).state
        if (state is TriggerState.FIRED) is not has_fired:
            raise BenchmarkError(f"{self.trigger.name} is {state}, but its windows say otherwise")


_HEADER = [
    *(
        "a second, true share",
        "runs",
        "ours rolls back",
        "95 % interval",
        "holds",
        "misses",
        "median s",
    ),
    *(title for name in _RULES[1:] for title in (f"{name}: rolls back", "misses", "median s")),
]


def _told(row: Row, tallies: Mapping[str, Tally]) -> Sequence[str]:
    """One row of the table."""
    is_harmful = row.share > row.rule.condition.limit
    cells = [f"{row.rate}/s, {100 * row.share:.3g} %", str(tallies["ours"].runs)]
    for name, tally in tallies.items():
        cells.append(_percent(tally.fired / tally.runs))
        if name == "ours":
            lowest, highest = _interval(tally.fired, tally.runs)
            cells.append(f"{_percent(lowest)} to {_percent(highest)}")
            cells.append(_percent(tally.held / tally.runs))
        cells.append(_percent(1 - tally.fired / tally.runs) if is_harmful else "-")
        cells.append(f"{statistics.median(tally.decided_s):.0f}" if tally.fired else "-")
    return cells


def _requirements(required: Mapping[float, Tally]) -> Iterator[tuple[str, bool]]:
    """Each requirement, what was counted with its interval, and whether the count meets it."""
    harmless, harmful = required[HARMLESS], required[HARMFUL]
    missed = harmful.runs - harmful.fired
    for what, wrong, runs in (
        (f"of runs at {HARMLESS:.0%} at most 1 in 1000 roll back", harmless.fired, harmless.runs),
        (f"of runs at {HARMFUL:.0%} at least 999 in 1000 roll back", missed, harmful.runs),
    ):
        lowest, highest = _interval(wrong, runs)
        counted = f"{wrong} of {runs} are wrong: {lowest:.3%} to {highest:.3%}"
        yield f"at {REQUIRED_RATE} a second, {what}; {counted}", wrong <= MOST_WRONG * runs


def _interval(count: int, total: int) -> tuple[float, float]:
    """The two-sided 95 % interval of Clopper and Pearson for a share, as fractions."""
    return _lower(count, total), 1 - _lower(total - count, total)


def _lower(count: int, total: int) -> float:
    """The one-sided lower 97.5 % bound, found by halving: the highest limit surely exceeded."""
    low, high = 0.0, count / total
    for _ in range(40):
        middle = (low + high) / 2
        if is_surely_above(count, total, middle, alpha=0.025):
            low = middle
        else:
            high = middle
    return low


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.2f} %"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchmarkError as error:
        sys.exit(f"trigger_simulation: {error}")
