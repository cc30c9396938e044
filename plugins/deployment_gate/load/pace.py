"""When each user's requests are due: an open model, whose schedule doesn't heed the target."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from deployment_gate.load.plan import LoadPlan

_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A time of constant speed: since when, how far it had come by then, rounds per second."""

    begin_s: float
    rounds: float
    speed: float


class Pace:
    """How many rounds all users have made by when; each user asks once a round, at its phase.

    All users share one clock, so that their requests stay evenly spread however they begin.

    Args:
        plan: The load.
    """

    def __init__(self, plan: LoadPlan) -> None:
        self._stretches = tuple(_stretches(plan))
        self._begins = [stretch.begin_s for stretch in self._stretches]
        self._rounds = [stretch.rounds for stretch in self._stretches]

    def rounds_at(self, t_s: float) -> float:
        """How many rounds there have been, `t_s` seconds after the load began."""
        stretch = self._stretches[max(bisect_right(self._begins, t_s) - 1, 0)]
        return stretch.rounds + (t_s - stretch.begin_s) * stretch.speed

    def moment_of(self, rounds: float) -> float:
        """When so many rounds have been made, in seconds since the load began."""
        stretch = self._stretches[max(bisect_right(self._rounds, rounds) - 1, 0)]
        return stretch.begin_s + (rounds - stretch.rounds) / stretch.speed


def phase_of(number: int, *, worker: int, users: int) -> float:
    """Where in a round a user asks, so that any number of users is spread evenly.

    The golden ratio's multiples leave no gap much wider than another, wherever one stops; each
    process's are moved by a part of a gap against the others'.

    Args:
        number: Which user of its process it is, from 0.
        worker: Which process that is, from 0.
        users: How many users there are in all processes together.

    Returns:
        From 0 to below 1.
    """
    return (number * _GOLDEN + worker / users) % 1.0


def _stretches(plan: LoadPlan) -> Iterator[_Stretch]:
    begin_s = rounds = 0.0
    # In the first stage the rate rises with the users; later it holds while more users begin.
    present = float(plan.stages[0].users)
    for stage in plan.stages:
        left_s = stage.duration_s
        while left_s > 0:
            # Locust begins (and ends) users once a second.
            change = stage.users - present
            present += math.copysign(min(abs(change), plan.spawn_rate), change)
            lasts_s = left_s if present == stage.users else min(1.0, left_s)
            speed = stage.arrival_rate / present
            yield _Stretch(begin_s, rounds, speed)
            begin_s, rounds, left_s = begin_s + lasts_s, rounds + lasts_s * speed, left_s - lasts_s
