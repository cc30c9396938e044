"""Whether latencies are other than they were before: a rank test, with how much it matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median

from deployment_gate.load.targets import State

ALPHA = 0.01
"""The probability of a false alarm that is accepted, at most, of all endpoints together."""

SMALL_EFFECT = 0.56
"""Vargha and Delaney's A from which on a difference is more than negligible (J. Educ. Behav.
Stat. 25, 2000); 0.5 is none at all."""

SMALL_SHIFT = 0.05
"""The share by which the median must have moved: less isn't worth a sentence to anybody."""

FEWEST = 50
"""Samples on either side; of fewer, a fifth more is lost among what varies anyway."""


class Direction(Enum):
    """Which way it went."""

    SLOWER = "slower"
    FASTER = "faster"
    UNTOLD = "too few samples to compare"


@dataclass(frozen=True, slots=True)
class Trend:
    """What differs between two samples of latencies.

    Attributes:
        direction: Which way it went.
        before_s: The median before, in seconds.
        now_s: The median now, in seconds.
        effect: Vargha and Delaney's A: how probably one of now is slower than one of before,
            ties by half.
        p: How probable so great a difference would be if there were none; two-sided.
        sizes: How many samples there were, before and now.
    """

    direction: Direction
    before_s: float
    now_s: float
    effect: float
    p: float
    sizes: tuple[int, int]

    @property
    def shift(self) -> float:
        """By which share of the median before it moved; negative when it got faster."""
        return self.now_s / self.before_s - 1

    @property
    def sentence(self) -> str:
        """What differs, with the numbers."""
        before, now = self.sizes
        if self.direction is Direction.UNTOLD:
            few = f"{before} before and {now} now, of at least {FEWEST} each"
            return f"too few samples to compare with before: {few}"
        return (
            f"{100 * abs(self.shift):.0f} % {self.direction.value} than before "
            f"(median {1000 * self.before_s:.3g} ms -> {1000 * self.now_s:.3g} ms; in "
            f"{100 * self.effect:.0f} % of pairs the one of now is the slower; {_p(self.p)}; "
            f"{before} and {now} samples)"
        )


def compare(
    before_s: Sequence[float], now_s: Sequence[float], *, alpha: float = ALPHA
) -> Trend | None:
    """Compare latencies with those of before; None where they are alike.

    They differ where all of three say so: the test of Mann and Whitney, corrected for ties; the
    size of the effect; and the medians.

    Args:
        before_s: Latencies of an earlier run, in seconds.
        now_s: Those of this one.
        alpha: The probability of a false alarm that is accepted, at most.
    """
    sizes = len(before_s), len(now_s)
    if min(sizes) < FEWEST:
        before = median(before_s) if before_s else 0.0
        now = median(now_s) if now_s else 0.0
        return Trend(Direction.UNTOLD, before, now, 0.5, 1.0, sizes)
    if min(*before_s, *now_s) == max(*before_s, *now_s):
        return None
    from scipy.stats import mannwhitneyu  # type: ignore[import-untyped]  # noqa: PLC0415  # 1 s

    test = mannwhitneyu(now_s, before_s, alternative="two-sided", method="asymptotic")
    effect = float(test.statistic) / (sizes[0] * sizes[1])
    direction = Direction.SLOWER if effect > 1 / 2 else Direction.FASTER
    trend = Trend(direction, median(before_s), median(now_s), effect, float(test.pvalue), sizes)
    return trend if _matters(trend, alpha) else None


def compare_endpoints(
    before_s: Mapping[str, Sequence[float]], now_s: Mapping[str, Sequence[float]]
) -> dict[str, Trend]:
    """What differs by endpoint, of those that both runs have; the ones that are alike are left out.

    The more are compared, the surer each must be (Bonferroni), so that all together raise no
    more false alarms than one.
    """
    both = sorted(before_s.keys() & now_s.keys())
    trends = {name: compare(before_s[name], now_s[name], alpha=ALPHA / len(both)) for name in both}
    return {name: trend for name, trend in trends.items() if trend is not None}


def tell(endpoint: str, trend: Trend, *, state: State | None = None) -> str:
    """Say of an endpoint what differs, and what that means for its target where it has one."""
    said = f"{endpoint}: {trend.sentence}"
    if trend.direction is Direction.SLOWER and state is State.MET:
        return f"{said}, though within its target"
    return said


def _matters(trend: Trend, alpha: float) -> bool:
    away = 1 if trend.direction is Direction.SLOWER else -1
    return (
        trend.p < alpha
        and away * (trend.effect - 1 / 2) >= SMALL_EFFECT - 1 / 2
        and away * (trend.now_s - trend.before_s) >= SMALL_SHIFT * trend.before_s
        and trend.before_s > 0
    )


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"  # noqa: PLR2004  # as papers write it
