"""What a run is decided to be, and one reason for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Decision(StrEnum):
    """What the pipeline is to do; the order is how bad it is, and the worst reason wins."""

    PROMOTE = "promote"
    HOLD = "hold"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for the verdict.

    Attributes:
        decision: What this reason alone would lead to.
        rule: Which rule it comes from: a trigger's name, or `release`, `check`, `plan`, `run`.
        text: The facts, with numbers, as a sentence.
    """

    decision: Decision
    rule: str
    text: str
