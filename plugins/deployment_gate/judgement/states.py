"""What a trigger's rule can say of the evidence, and which of several sayings is the worst."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_NAMED = 3
"""How many subjects in the same state are named."""


class TriggerState(StrEnum):
    """What a trigger's rule says of the evidence; the order is how bad it is."""

    CLEAR = "clear"
    UNOBSERVED = "unobserved"
    SUSPECTED = "suspected"
    FIRED = "fired"


_BADNESS = list(TriggerState)


@dataclass(frozen=True, slots=True)
class Decided:
    """A rule's state, and the numbers behind it."""

    state: TriggerState
    why: str


NOTHING_OBSERVED = Decided(
    TriggerState.UNOBSERVED, "nothing was observed that it could be judged by"
)


def worst(decided: Iterable[Decided]) -> Decided:
    """The worst state with all that is in it; nothing observed is unobserved."""
    by_state: defaultdict[TriggerState, list[str]] = defaultdict(list)
    for one in decided:
        by_state[one.state].append(one.why)
    if not by_state:
        return NOTHING_OBSERVED
    state = max(by_state, key=_BADNESS.index)
    whys = [why for why in by_state[state] if why]
    more = [f"and {len(whys) - _NAMED} more"] if len(whys) > _NAMED else []
    return Decided(state, "; ".join(whys[:_NAMED] + more))
